#!/usr/bin/env bats
# netcluster's own agents, as Node runs them, against a real server. The agent is written down again in ncagent.js,
# with its weakness: a chunk that ends inside a packet makes it throw.

load ../server/server

setup_file() {
	# where npm works, netcluster's own emitter is tried, too
	EMITTER_DIR=$(mktemp -d "${TMPDIR:-/tmp}/nct-npm.XXXXXX")
	export EMITTER_DIR
	if command -v npm >/dev/null; then
		(cd "$EMITTER_DIR" && timeout 60 npm install --no-audit --no-fund --fetch-retries=0 --prefer-offline \
			xtraemitter@0.0.3 node-uuid@1 >npm.out 2>&1) || true
	fi
}

teardown_file() {
	rm -rf "$EMITTER_DIR"
}

# agents CASE [LINE...]: runs a case against a server with this configuration besides the usual channels
agents() {
	local case=$1
	shift
	command -v node >/dev/null || skip "LEFT OUT: node is not installed, so no agent of netcluster was tried"
	printf '%s\n' "socket = \"$T/netcluster-%s\";" 'connecttonet = false;' \
		'channels = { A = { propagatetochannels = "^B$"; max_message = 262144; block_timeout = 20000; };' \
		'B = { }; C = { }; D = { propagatetochannels = "^B$"; }; S = { block_timeout = 1500; queue_bytes = 65536; }; };' "$@" >"$T/c"
	start "$T/c"
	SOCKETS=$T/netcluster-%s FLOOD=$TOP_BUILDDIR/t/flood/flood \
		timeout 120 node "$TOP_SRCDIR/t/agent/cases.js" "$case" 3>&-
	stop
}

@test "agents exchange every value, in the published packet" {
	agents exchange
}

@test "an agent hears its own emits in memory, and the server does not echo" {
	agents own
}

@test "what an agent emits before its connection is up arrives" {
	agents early
}

@test "handlers by name, by regex, for once, and taken away" {
	agents handlers
}

@test "with netcluster's own emitter it is the same" {
	if [ ! -d "$EMITTER_DIR/node_modules/xtraemitter" ]; then
		skip "LEFT OUT: npm could not install xtraemitter, which netcluster uses"
	fi
	EMITTER=$EMITTER_DIR/node_modules/xtraemitter agents originalEmitter
}

@test "a burst of 10000 events breaks no agent, and none is missing" {
	agents burst
}

@test "events of 100 KB of two agents do not interleave" {
	agents twoSenders
}

@test "packets of all sizes up to 32 KiB reach agents whole, at any rate" {
	agents sizes
}

@test "native processes at full rate break no agent" {
	agents floods
}

@test "native bytes at full rate break no agent" {
	agents floodsOfBytes
}

@test "no character is ever cut for an agent" {
	agents utf8
}

@test "the questions of netcluster's client are answered as it expects" {
	agents control
}

@test "an answer on control goes to every agent there" {
	agents controlTellsAll
}

@test "a rule brings events to another channel, with the packet as it was" {
	agents propagate
}

@test "an agent that leaves disturbs nobody, is forgotten, and may come back" {
	agents leaving
}

@test "an agent that stalls for a while misses nothing" {
	agents stalled
}

@test "an agent that stalls for good holds up nobody" {
	agents stalledForGood
}

@test "fifty agents hear everything" {
	agents fifty
}

@test "hostile neighbours are told and go, and agents notice nothing" {
	agents hostile
}

@test "an agent is told what is refused, and stays" {
	agents refused
}
