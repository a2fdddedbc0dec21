#!/usr/bin/env bats
# Processes that flood each other through a real server, and verify every byte of what they hear.

load ../server/server

# flooders N [OPTION...]: N processes on channel A, each of which hears all others; they wait for go
flooders() {
	local n=$1 i
	shift
	mkfifo "$T/go"
	exec 8<>"$T/go"
	FLOODERS=()
	for ((i = 0; i < n; i++)); do
		"$TOP_BUILDDIR/t/flood/flood" --socket "$T/%s.sock" --id $i --senders $((n - 1)) "$@" \
			<"$T/go" >"$T/flood.$i" 2>&1 3>&- 8>&- &
		FLOODERS+=($!)
		PIDS+=($!)
	done
	for ((i = 0; i < n; i++)); do
		eventually grep -q ready "$T/flood.$i"
	done
}

go() {
	exec 8>&-
}

# all_well: each has emitted and heard all
all_well() {
	local i failed=0
	for i in "${!FLOODERS[@]}"; do
		wait "${FLOODERS[$i]}" || failed=1
	done
	cat "$T"/flood.*
	return $failed
}

@test "four processes that flood each other hear every event, in order, once" {
	conf c 'channels = { A = { block_timeout = 20000; }; };'
	start c
	flooders 4 --emit 4000 --hear 4000
	go
	all_well
	stop
}

@test "with payloads of 100 KB, and small queues, too" {
	conf c 'channels = { A = { block_timeout = 20000; queue_bytes = 65536; }; };'
	start c
	flooders 3 --emit 100 --hear 100 --size 100000
	go
	all_well
	stop
}

@test "flood notices what is garbled, missing, or never comes" {
	conf c 'channels = { A = { }; };'
	start c
	flooders 2 --emit 100 --hear 101 --timeout 300
	go
	refute all_well
	rm "$T/go"
	flooders 2 --emit 100 --hear 99
	go
	refute all_well
	stop
}

@test "the configuration changes back and forth under full load, and nothing is lost" {
	local i n_reloads=0
	conf c 'channels = { A = { block_timeout = 20000; }; };'
	conf more 'channels = { A = { block_timeout = 20000; propagatetochannels = "B"; }; B = { }; };'
	conf broken 'channels = { A = { propagatetochannels = "("; }; B = { };'
	cp c running
	start running
	flooders 3 --emit 200000 --hear 200000 --json
	go
	while kill -0 "${FLOODERS[0]}" 2>/dev/null && [ $n_reloads -lt 200 ]; do
		for i in more broken c broken; do
			cp $i new
			mv new running
			kill -HUP "$SERVER"
			n_reloads=$((n_reloads + 1))
			sleep 0.002
		done
	done
	echo "$n_reloads reloads"
	all_well
	[ $n_reloads -ge 8 ]
	grep -q 'level=info.*reload' "$T/log"
	grep -q 'level=error' "$T/log"
	stop
}
