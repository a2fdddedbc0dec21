#!/usr/bin/env bats
# What happens when there is no more of something.

load server.bash
bats_require_minimum_version 1.5.0

@test "out of descriptors: who comes is refused, who is there stays, and it passes" {
	conf c
	(ulimit -n 40 && exec "$NCSERVER" c) >>out 2>>log 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	eventually has log msg=ready
	BASE=$(sockets)
	hear A heard.A
	mkfifo go
	"$AGENT" hold "$T/A.sock" 100 <go >held 3>&- &
	holder=$!
	exec 8>go
	eventually test -s held
	[ "$(cat held)" -gt 5 ]
	[ "$(cat held)" -lt 40 ]
	grep -q 'level=error msg="out of descriptors, connections are refused"' log
	# said once in a while, not for each
	[ "$(grep -c 'out of descriptors' log)" -le 20 ]
	kill -0 "$SERVER"
	exec 8>&-
	wait $holder
	# a busy server may not have closed them yet, and would refuse one more
	eventually alone 1
	say A '{"event":"after"}'
	eventually has heard.A '"after"'
	stop
}

@test "the soft limit of descriptors is raised to the hard one" {
	conf c
	(ulimit -Sn 30 && exec "$NCSERVER" c) >>out 2>>log 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	eventually has log msg=ready
	BASE=$(sockets)
	soft=$(awk '/open files/ { print $4 }' "/proc/$SERVER/limits")
	hard=$(awk '/open files/ { print $5 }' "/proc/$SERVER/limits")
	[ "$soft" = "$hard" ]
	stop
}

@test "many who hang up while they are not read do not make it spin" {
	conf c 'channels = { A = { block_timeout = 3000; }; };'
	start c
	socat -u "UNIX-CONNECT:$T/A.sock" CREATE:stuck 3>&- &
	stuck=$!
	PIDS+=("$stuck")
	eventually clients 1
	decided
	kill -STOP $stuck
	# senders fill the queue, are paused, and are killed while they are
	for i in 1 2 3; do
		timeout -s KILL 0.5 "$AGENT" flood "$T/A.sock" 100000 1000 1000 3>&- || true
	done
	eventually rests 1 100 5
	kill -CONT $stuck
	eventually alone 1
	hear A heard.A
	say A '{"event":"after"}'
	eventually has heard.A '"after"'
	stop
}

@test "fifty quiet clients cost no time, and an idle server little memory" {
	conf c
	start c
	mkfifo go
	"$AGENT" hold "$T/A.sock" 50 <go >held 3>&- &
	exec 8>go
	eventually has held 50
	eventually rests 2 2 1
	if is_unsanitized; then
		# of its own: pages of libraries are everybody's who uses them
		[ "$(sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$SERVER/status")" -le 1024 ]
	fi
	exec 8>&-
	stop
}

@test "a server that bridges nothing loads no crypto, and needs less than 4 MB" {
	conf c
	start c
	hear A heard.A
	say A '{"event":"hello"}'
	eventually has heard.A '"hello"'
	grep -q libuv "/proc/$SERVER/maps"
	run -1 grep -E 'libcrypto|libIPSec_MB' "/proc/$SERVER/maps"
	if is_unsanitized; then
		[ "$(sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$SERVER/status")" -lt 4096 ]
	fi
	stop
}

@test "a thousand clients cost little each" {
	is_unsanitized || skip "sanitizers need memory of their own"
	[ "$(ulimit -Hn)" -ge 1200 ] || skip "the hard limit of descriptors is below 1200"
	conf c 'quota = { connections = 2000; connection_rate = 100000; };' 'channels = { A = { }; };'
	start c
	rss() { sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$SERVER/status"; }
	before=$(rss)
	mkfifo go
	(ulimit -Sn 1200; exec "$AGENT" hold "$T/A.sock" 1000) <go >held 3>&- &
	exec 8>go
	eventually has held 1000
	cost_little() { [ $(($(rss) - before)) -le 2500 ]; }
	eventually cost_little
	exec 8>&-
	stop
}

@test "a flood of connections is served, and the others are not kept waiting" {
	conf c 'quota = { connections = 5000; connection_rate = 100000; };' 'channels = { A = { }; };'
	start c
	hear A heard.A
	for i in 1 2 3 4; do
		(
			exec 3>&-
			for ((n = 0; n < 50; n++)); do
				printf '{"event":"e%d"}\0' $n | socat -u - "UNIX-CONNECT:$T/A.sock"
			done
		) &
		floods+=($!)
	done
	wait "${floods[@]}"
	all_there() { [ "$(heard heard.A | wc -l)" = 200 ]; }
	eventually all_there
	stop
}

@test "what a client sent before it went, without having read, arrives" {
	conf c 'channels = { N = { propagatetochannels = "^A$"; }; A = { propagatetochannels = "^B$"; }; B = { }; };'
	start c
	for round in 1 2 3 4 5; do
		"$AGENT" listen "$T/B.sock" 5000 >listened 3>&- &
		listener=$!
		eventually clients 1
		decided
		(yes '{"event":"noise"}' | head -n 3000000 | tr '\n' '\0' | socat -u - "UNIX-CONNECT:$T/N.sock" 2>/dev/null || true) 3>&- &
		"$AGENT" deaf "$T/A.sock" 5000 200
		wait $listener
		has listened packets=5000
		kill %% 2>/dev/null || true
		eventually alone 0
	done
	stop
}

@test "busy polling carries packets, and sleeps when there are none" {
	conf c 'busy_poll_us = 1000;' 'channels = { A = { }; };'
	start c
	hear A heard.A
	for i in 1 2 3; do say A '{"event":"x"}'; done
	all_there() { [ "$(heard heard.A | wc -l)" = 3 ]; }
	eventually all_there
	eventually rests 1 1000 1
	stop
}
