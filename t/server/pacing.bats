#!/usr/bin/env bats
# Agents that take each read of up to 64 KiB for whole packets (netcluster's own), at full flood.

load server.bash

# flooded COUNT MIN MAX [DELAY_US [COMMAND...]]: an agent reads what a flood brings; COMMAND runs the server
flooded() {
	local count=$1 min=$2 max=$3 delay=${4:-0}
	conf c 'channels = { A = { block_timeout = 60000; }; };'
	start c
	"$AGENT" listen "$T/A.sock" "$count" "$delay" >listened 2>&1 3>&- &
	local listener=$!
	eventually clients 1
	decided
	"$AGENT" flood "$T/A.sock" "$count" "$min" "$max"
	wait $listener
	has listened "packets=$count"
	stop
}

@test "small packets" {
	flooded 200000 20 200
}

@test "packets of 20 bytes to 32 KiB" {
	flooded 10000 20 32768
}

@test "packets of exactly 32 KiB" {
	flooded 5000 32768 32768
}

@test "an agent that reads slowly" {
	flooded 2000 20 32768 500
}

@test "all on one processor" {
	taskset -p 1 $BASHPID >/dev/null || skip "taskset can't choose a processor"
	flooded 10000 20 32768
}

@test "an agent that stopped reading costs no time" {
	conf c 'channels = { A = { policy = "drop-oldest"; }; };'
	start c
	hear A heard.A
	kill -STOP "$HEARER"
	"$AGENT" flood "$T/A.sock" 20000 100 1000
	eventually rests 1 2 1
	kill -CONT "$HEARER"
	say A '{"event":"last"}'
	eventually has heard.A '"last"'
	stop
}

@test "without pacing nothing is lost either" {
	conf c 'channels = { A = { agent_pacing = false; block_timeout = 60000; }; };'
	start c
	hear A heard.A
	"$AGENT" flood "$T/A.sock" 100000 20 1000
	all_there() { [ "$(heard heard.A | wc -l)" = 100000 ]; }
	eventually all_there
	heard heard.A | sed 's/.*"data":"\([0-9]*\) .*/\1/' >numbers
	seq 100000 | cmp - numbers
	stop
}
