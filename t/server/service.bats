#!/usr/bin/env bats
# What a service manager and an administrator see: notifications, logs, counters, dumps.

load server.bash

# manager: collects notifications, a line each, in $T/notes
manager() {
	socat -u "UNIX-RECV:$T/notify" "CREATE:$T/notes" 3>&- &
	PIDS+=($!)
	eventually test -S notify
	export NOTIFY_SOCKET=$T/notify
}

@test "the manager is told when all sockets listen, at a reload, and at the end" {
	manager
	conf c
	start c
	eventually has notes READY=1
	has notes 'STATUS=Serving 3 channels'
	kill -HUP "$SERVER"
	eventually has notes RELOADING=1
	eventually has notes STATUS=Reloaded
	grep -q '^MONOTONIC_USEC=[0-9][0-9]*$' notes
	[ "$(grep -c READY=1 notes)" = 2 ]
	stop
	eventually has notes STOPPING=1
}

@test "an abstract socket of the manager works too" {
	socat -u "ABSTRACT-RECV:nct-$$-$BATS_TEST_NUMBER" CREATE:notes 3>&- &
	PIDS+=($!)
	eventually grep -q "nct-$$-$BATS_TEST_NUMBER" /proc/net/unix
	conf c
	NOTIFY_SOCKET="@nct-$$-$BATS_TEST_NUMBER" start c
	eventually has notes READY=1
	stop
}

# dogs N: that many times or more the watchdog was told
dogs() {
	[ "$(grep -c WATCHDOG=1 notes)" -ge "$1" ]
}

@test "the watchdog hears it in time, if it is meant" {
	manager
	conf c
	begin=$(date +%s%N)
	WATCHDOG_USEC=100000 start c
	eventually dogs 6
	stop
	n=$(grep -c WATCHDOG=1 notes)
	# one in 50 ms, however long it took
	[ "$n" -le $((($(date +%s%N) - begin) / 50000000 + 1)) ]
	WATCHDOG_USEC=100000 WATCHDOG_PID=1 start c
	sleep 0.3
	stop
	[ "$(grep -c WATCHDOG=1 notes)" = "$n" ]
}

@test "under journald lines bear its levels" {
	conf c
	: >log
	start c
	grep -q '^ts=' log
	stop
	: >log
	JOURNAL_STREAM=$(stat -c %d:%i log) start c
	grep -q '^<6>level=info msg=ready' log
	refute grep -q '^ts=' log
	stop
}

@test "SIGUSR1 writes counters to the log" {
	conf c
	start c
	kill -USR1 "$SERVER"
	eventually grep -q 'msg=counters connections=0 accepted=0' log
	stop
}

@test "dumptoconsole shows each packet as a line" {
	conf c 'channels = { A = { dumptoconsole = true; }; B = { }; };'
	start c
	say A '{"event":"x",
"data":1}' '{"event":"y"}'
	say B '{"event":"z"}'
	eventually has out '"y"'
	stop
	[ "$(cat out)" = 'A {"event":"x", "data":1}
A {"event":"y"}' ]
}

@test "a log and a console that nobody reads hold up nothing" {
	conf c 'channels = { A = { dumptoconsole = true; block_timeout = 30000; }; };'
	mkfifo stalled
	exec 7<>stalled
	"$NCSERVER" -l debug c >stalled 2>stalled 3>&- 7>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	eventually test -S A.sock
	BASE=$(sockets)
	"$AGENT" listen "$T/A.sock" 20000 >listened 3>&- 7>&- &
	listener=$!
	eventually clients 1
	decided
	"$AGENT" flood "$T/A.sock" 20000 500 500
	wait $listener
	has listened packets=20000
	stop
	exec 7>&-
}

@test "a full disk is no reason to stop" {
	conf c 'channels = { A = { dumptoconsole = true; }; };'
	"$NCSERVER" c >/dev/full 2>/dev/full 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	eventually test -S A.sock
	BASE=$(sockets)
	hear A heard.A
	say A '{"event":"x"}'
	eventually has heard.A '"x"'
	stop
}

@test "a log that may not grow any more costs its lines, and one that was cut off is gone on with" {
	conf c
	(ulimit -f 1 && exec "$NCSERVER" c) >>out 2>>log 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	eventually has log msg=ready
	full() {
		kill -USR1 "$SERVER"
		[ "$(stat -c %s log)" = 1024 ]
	}
	eventually full
	kill -HUP "$SERVER"
	BASE=$(sockets)
	hear A heard.A
	say A '{"event":"x"}'
	eventually has heard.A '"x"'
	# as logrotate's copytruncate does
	: >log
	kill -USR1 "$SERVER"
	eventually has log 'msg="log lines could not be written" lost='
	[ "$(tr -d '\0' <log | wc -c)" = "$(wc -c <log)" ]
	stop
}

@test "a hostile client cannot flood the log" {
	conf c 'quota = { connection_rate = 100000; };' 'channels = { A = { }; };'
	SECONDS=0
	start c
	for ((i = 0; i < 100; i++)); do
		printf 'garbage\0' | socat -u - "UNIX-CONNECT:$T/A.sock" 2>/dev/null || true
	done
	# twenty of a kind in ten seconds
	[ "$(wc -l <log)" -le $((60 + 40 * (SECONDS / 10))) ]
	kill -0 "$SERVER"
	stop
	grep -q 'lines suppressed' log
}
