#!/usr/bin/env bats
# The examples, each with a real server.

load ../server/server.bash

EXAMPLES=$TOP_BUILDDIR/examples

# a server with the channels A, B and events, and the environment that leads the examples to it
bus() {
	conf c 'channels = { A = { propagatetochannels = "^B$"; }; B = { }; events = { }; };'
	start c
	export NC_SOCKET=$T/%s.sock
}

# listen CHANNEL PATTERN [COUNT]: in the background, into the files heard and said; $HEARER is its pid
listen() {
	"$EXAMPLES/listen" "$@" >heard 2>said 3>&- &
	HEARER=$!
	PIDS+=("$HEARER")
	eventually has said 'connected to'
	decided
}

@test "each explains itself" {
	for example in listen emit_lines uv_loop threads backpressure; do
		"$EXAMPLES/$example" --help | grep -q "^usage: $example "
		refute "$EXAMPLES/$example" 2>said
		has said "usage: $example "
	done
}

@test "lines that are emitted are heard in order, with who sent them" {
	bus
	listen A 'line' 1000
	seq 1 1000 | "$EXAMPLES/emit_lines" A line
	wait "$HEARER"
	cut -f 3 heard | cmp - <(seq 1 1000)
	grep -qE "^A/line	pid=[0-9]+ uid=$(id -u)	1$" heard
}

@test "a rule brings them to another channel, and the last line needs no newline" {
	bus
	listen B '>' 2
	printf 'one\ntwo' | "$EXAMPLES/emit_lines" A a.b
	wait "$HEARER"
	[ "$(cut -f 1,3 heard)" = $'A/a.b\tone\nA/a.b\ttwo' ]
}

@test "JSON clients' messages are printed as they are" {
	bus
	listen A '>' 1
	say A '{"event":"json","data":{"x": [1,  2]}}'
	wait "$HEARER"
	[ "$(cut -f 3 heard)" = '{"x": [1,  2]}' ]
}

@test "a listener comes back when its server does" {
	bus
	listen A '>' 1
	stop
	eventually has said 'next attempt'
	start c
	eventually clients 1
	eventually [ "$(grep -c 'connected to' said)" = 2 ]
	decided
	echo back | "$EXAMPLES/emit_lines" A line
	wait "$HEARER"
	has heard back
}

@test "a listener ends by a signal, and where nobody reads on" {
	bus
	listen A '>'
	kill -TERM "$HEARER"
	wait "$HEARER"
	# without an end: the listener may come late
	while echo y; do sleep 0.01; done 2>/dev/null | "$EXAMPLES/emit_lines" A line 3>&- &
	PIDS+=($!)
	timeout 20 "$EXAMPLES/listen" A '>' 2>said | head -n 1 | grep -q 'y$'
}

@test "without a server each says so" {
	export NC_SOCKET=$T/%s.sock
	for example in 'emit_lines A e' 'threads A' 'backpressure A 1' hello; do
		# shellcheck disable=SC2086 # words are arguments
		refute "$EXAMPLES"/$example </dev/null 2>said
		has said 'no ncserver listens there'
	done
}

@test "the smallest program hears itself and others" {
	bus
	"$EXAMPLES/hello" >heard 2>said 3>&- &
	PIDS+=($!)
	eventually clients 1
	decided
	eventually has heard 'load.hello: from C'
	say events '{"event":"load.now","data":7}'
	eventually has heard 'load.now: 7'
	[ "$(wc -l <heard)" = 2 ]
}

@test "the libuv program hears its own ticks, and ends by itself" {
	bus
	"$EXAMPLES/uv_loop" A 3 >heard
	[ "$(cat heard)" = $'tick 1\ntick 2\ntick 3' ]
}

@test "four threads lose nothing" {
	bus
	[ "$("$EXAMPLES/threads" A)" = '4000 messages' ]
}

@test "a flood waits for a slow receiver, and loses nothing" {
	conf c 'channels = { A = { block_timeout = 60000; }; };'
	start c
	export NC_SOCKET=$T/%s.sock
	listen A flood 200000
	kill -STOP "$HEARER"
	"$EXAMPLES/backpressure" A 200000 >sent 3>&- &
	flooder=$!
	sleep 0.3
	kill -0 $flooder
	kill -CONT "$HEARER"
	wait $flooder
	wait "$HEARER"
	has sent '200000 emitted, 200000 written, 0 dropped'
	refute has sent 'full 0 times'
	[ "$(wc -l <heard)" = 200000 ]
	refute has said lost
}
