#!/usr/bin/env bats
# scripts/demo, which ./quickstart runs: the bus at work on this machine's own events, and nothing left of it.

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir tmp
}

# demo SECONDS: its output goes to the file "output", its files to the directory "tmp"
demo() {
	TMPDIR=$PWD/tmp "$TOP_SRCDIR/scripts/demo" "$TOP_BUILDDIR" "$1" >output 2>&1 3>&-
}

# leaves_nothing: neither files nor processes with this test's directory in their command line
leaves_nothing() {
	[ -z "$(ls -A tmp)" ]
	run ! pgrep -af "$PWD/tmp/netcluster-demo"
}

@test "two consumers print what the producer emits, and nothing is left" {
	local sample
	demo 3 || { cat output && false; }
	for sample in load.average memory.available net.bytes; do
		grep -q "^  C program | events/$sample	pid=[0-9]* uid=$(id -u)	{" output
	done
	grep -q '^  shell     | {"event":"load.average","data":{"1m":[0-9.]*,"5m":' output
	# the shell asked for load and packages only
	run ! grep -q '^  shell .*memory' output
	grep -q '"propagatetochannels": "^watch\$"' output
	grep -qE '^  events +\^watch\$ +watch' output
	grep -q '^==> Nothing is left' output
	leaves_nothing
}

@test "the counters of the channels add up" {
	demo 2 || { cat output && false; }
	# of the table of channels: routed = written + queued + dropped
	awk '
	/^  CHANNEL +CLIENTS/ { for (i = 1; i <= NF; i++) at[$i] = i; in_table = 1; next }
	/^==>/ { in_table = 0 }
	in_table {
		n++
		if ($at["ROUTED"] != $at["WRITTEN"] + $at["QUEUED"] + $at["DROPPED"])
			exit 1
		if ($1 == "watch")
			routed = $at["ROUTED"]
	}
	END { exit !(n == 3 && routed > 0) }' output
}

@test "an interrupted demo leaves nothing either" {
	TMPDIR=$PWD/tmp "$TOP_SRCDIR/scripts/demo" "$TOP_BUILDDIR" 60 >output 2>&1 3>&- &
	for _ in {1..200}; do
		grep -qs '^  shell' output && break
		sleep 0.1
	done
	grep -q '^  shell' output
	kill -TERM $!
	wait $! || ended=$?
	[ "${ended-0}" = 143 ]
	leaves_nothing
}

# two_hosts WAY: the demo of two hosts, whose output goes to the file "output"
two_hosts() {
	local from to
	TMPDIR=$PWD/tmp timeout 120 "$TOP_SRCDIR/scripts/demo-hosts" "$TOP_BUILDDIR" "$@" >output 2>&1 3>&- ||
		{ cat output && false; }
	for from in alpha beta; do
		for to in alpha beta; do
			[ "$(grep -c "^  heard on $to | .*load\.$from.*\"1m\":[0-9.]*" output)" = 3 ]
		done
	done
	grep -q 'key [0-9a-f]*, aes-256-gcm' output
	grep -q '^==> Nothing is left of the two hosts' output
	[ -z "$(ls -A tmp)" ]
	run ! pgrep -af "$PWD/tmp/netcluster-hosts"
}

@test "two hosts in network namespaces hear each other, twice in a row, and nothing is left" {
	local why
	why=$("$TOP_SRCDIR/t/net/hosts.sh" run "$TOP_SRCDIR/t/net/hosts.sh" check 2>&1) || skip "$why"
	two_hosts namespaces
	grep -q 'two network namespaces' output
	two_hosts namespaces
}

@test "two hosts on the loopback interface hear each other, twice in a row, and nothing is left" {
	two_hosts loopback
	grep -q 'two servers on the loopback interface' output
	two_hosts loopback
}

@test "an interrupted demo of two hosts leaves nothing either" {
	TMPDIR=$PWD/tmp "$TOP_SRCDIR/scripts/demo-hosts" "$TOP_BUILDDIR" loopback >output 2>&1 3>&- &
	for _ in {1..200}; do
		grep -qs '^  heard on beta' output && break
		sleep 0.05
	done
	grep -q '^  heard on beta' output
	kill -TERM $!
	wait $! || ended=$?
	[ "${ended-0}" = 143 ]
	[ -z "$(ls -A tmp)" ]
	run ! pgrep -af "$PWD/tmp/netcluster-hosts"
}
