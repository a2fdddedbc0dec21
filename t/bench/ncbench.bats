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

@test "idle clients and the start are measured" {
	bench -C 50 idle
	has '.clients == 50 and .rss_full_kib >= .rss_kib and .rss_kib > 0'
	bench start
	has '.start_ms > 0'
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
	for args in '' 'fly' '-n 0 throughput' '-b 7 throughput' '--from=xml throughput' '-P 65 throughput'; do
		# shellcheck disable=SC2086
		run "$NCBENCH" $args
		[ "$status" -eq 2 ]
	done
}
