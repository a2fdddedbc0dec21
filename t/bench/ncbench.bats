#!/usr/bin/env bats
# ncbench and the relay at work, small: what is measured must have happened.

NCBENCH=${TOP_BUILDDIR:?}/bench/ncbench
RELAY=$TOP_BUILDDIR/bench/relay
NCSERVER=$TOP_BUILDDIR/ncserver/ncserver

bench() {
	"$NCBENCH" --server="$NCSERVER" --json "$@" >"$BATS_TEST_TMPDIR/json"
	jq -e .ok "$BATS_TEST_TMPDIR/json"
}

has() { jq -e "$1" "$BATS_TEST_TMPDIR/json"; }

# delay OPTION ARG...: nothing else is wrong than that a busy machine may not let a rate be kept
delay() {
	"$NCBENCH" "$@" --json delay >"$BATS_TEST_TMPDIR/json" || true
	has '(.ok or .rate_kept < 0.9) and .received > 0 and .lost == 0 and .disordered == 0 and .corrupt == 0'
}

@test "all messages of two publishers reach three subscribers, in all dialects" {
	for from in native json; do
		for to in native json; do
			bench --from=$from --to=$to -P2 -S3 -n 3000 -b 40 throughput
			has '.received == 18000 and .lost == 0 and .disordered == 0 and .corrupt == 0 and .rate > 0'
		done
	done
}

@test "messages larger than what is read at once arrive whole" {
	bench -n 20 -b 1000000 throughput
	has '.received == 20'
	bench --from=json --to=json -n 20 -b 300000 throughput
	has '.received == 20'
}

@test "round trips have percentiles that rise, in both dialects" {
	for dialect in native json; do
		bench --from=$dialect --to=$dialect -n 500 latency
		has '.rounds == 500 and .p50_us > 0 and .p50_us <= .p99_us and .p99_us <= .max_us'
	done
}

@test "delays have percentiles that rise, in both dialects" {
	for dialect in native json; do
		delay --server="$NCSERVER" --from=$dialect --to=$dialect -b 100 -r 500 -n 400 -S 2
		has '.received == 800 and .rounds == 400 and .seconds > 0.7'
		has '.p50_us > 0 and .p50_us <= .p99_us and .p99_us <= .max_us'
	done
}

@test "publishers that can't keep their rate are told of" {
	run "$NCBENCH" --server="$NCSERVER" -b 100000 -r 10000000 -n 20000 delay
	[ "$status" -eq 1 ]
	[[ $output == *"of their rate"* ]]
}

@test "a run that is cut off counts what has arrived" {
	bench --cut=200 -S 2 throughput
	has '.cut and .received > 0 and .lost == 0 and .seconds < 0.3'
	bench --cut=60000 -n 1000 throughput
	has '.cut == false and .received == 1000'
}

@test "idle clients and the start are measured" {
	bench -C 50 idle
	has '.clients == 50 and .rss_full_kib >= .rss_kib and .rss_kib > 0'
	bench start
	has '.start_ms > 0'
}

@test "with idle clients the server sleeps, busy polling or not" {
	for us in 0 1000; do
		bench -C 50 --config="busy_poll_us = $us;" idle
		has '.wakeups <= 2 and .idle_cpu_s < 0.1'
	done
}

@test "what busy polling costs and buys is told for each value" {
	run "$TOP_SRCDIR/bench/busy_poll" --build="$TOP_BUILDDIR" --pairs=1 --rounds=200 20
	[ "$status" -eq 0 ]
	[ "$(grep -c '^20 .*free' <<<"$output")" -eq 1 ]
	[ "$(grep -c '^0 .*free' <<<"$output")" -eq 1 ]
}

@test "a server that runs is measured where its socket is, and its process is found" {
	cat >"$BATS_TEST_TMPDIR/conf" <<-EOF2
		socket = "$BATS_TEST_TMPDIR/%s.sock";
		channels = { bench = { }; };
	EOF2
	"$NCSERVER" -l error "$BATS_TEST_TMPDIR/conf" 3>&- &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[ -S "$BATS_TEST_TMPDIR/bench.sock" ] && break
		sleep 0.05
	done
	run "$NCBENCH" -s "$BATS_TEST_TMPDIR/%s.sock" --json -n 1000 throughput
	kill $pid
	[ "$status" -eq 0 ]
	jq -e '.received == 1000 and .cpu_s_per_million > 0' <<<"$output"
}

@test "subscribers of another server hear hellos first; a server that none comes to is told of" {
	for name in a b; do
		mkdir "$BATS_TEST_TMPDIR/$name"
		cat >"$BATS_TEST_TMPDIR/$name.conf" <<-EOF2
			socket = "$BATS_TEST_TMPDIR/$name/%s.sock";
			connecttonet = false;
			channels = { bench = { }; };
		EOF2
		"$NCSERVER" -l error "$BATS_TEST_TMPDIR/$name.conf" 3>&- &
		pids="${pids:-} $!"
	done
	for ((i = 0; i < 100; i++)); do
		[ -S "$BATS_TEST_TMPDIR/a/bench.sock" ] && [ -S "$BATS_TEST_TMPDIR/b/bench.sock" ] && break
		sleep 0.05
	done
	failed=0
	a=$BATS_TEST_TMPDIR/a b=$BATS_TEST_TMPDIR/b
	for args in '-S 2 -n 5000 throughput' '--from json --to json -b 100 -n 5000 throughput' '-n 100 latency'; do
		# shellcheck disable=SC2086
		"$NCBENCH" -s "$a/%s.sock" --far="$a/bench.sock" $args || failed=1
	done
	delay -s "$a/%s.sock" --far="$a/bench.sock" -r 1000 -n 100 || failed=1
	run "$NCBENCH" -s "$a/%s.sock" --far="$a/bench.sock" --far="$b/bench.sock" -S 2 -n 100 throughput
	# shellcheck disable=SC2086
	kill $pids
	[ $failed -eq 0 ]
	[ "$status" -eq 1 ]
	[[ $output == *"subscriber 1 heard no hello"* ]]
}

@test "where a message is lost, that is told, and the status is 1" {
	cat >"$BATS_TEST_TMPDIR/conf" <<-EOF2
		socket = "$BATS_TEST_TMPDIR/%s.sock";
		channels = { bench = { policy = "drop-newest"; queue_messages = 16; queue_bytes = 65536; }; };
	EOF2
	"$NCSERVER" -l error "$BATS_TEST_TMPDIR/conf" 3>&- &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[ -S "$BATS_TEST_TMPDIR/bench.sock" ] && break
		sleep 0.05
	done
	run "$NCBENCH" -s "$BATS_TEST_TMPDIR/%s.sock" --json -P 4 -S 4 -n 50000 -b 4096 throughput
	kill $pid
	[ "$status" -eq 1 ]
	jq -e '.ok == false and .lost > 0 and .disordered > 0' <<<"$output"
}

@test "without a server it says so" {
	run "$NCBENCH" -s "$BATS_TEST_TMPDIR/none.sock" throughput
	[ "$status" -eq 1 ]
	[[ $output == *none.sock* ]]
}

@test "the relay passes on all that it is sent" {
	"$RELAY" --json -S4 -n 20000 throughput >"$BATS_TEST_TMPDIR/json"
	has '.ok and .received == 80000'
}

@test "a command line that is wrong is refused with status 2" {
	for args in '' 'fly' '-n 0 throughput' '-b 7 throughput' '--from=xml throughput' '-P 65 throughput' \
		'--daemon-cpu=x start' '-r 0 delay' '--cut=1 delay' '-r 5000 -n 20000000 delay' '--from=json -b 20 delay' '--far=x --from=json latency'; do
		# shellcheck disable=SC2086
		run "$NCBENCH" $args
		[ "$status" -eq 2 ]
	done
}
