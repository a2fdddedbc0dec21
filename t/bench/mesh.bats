#!/usr/bin/env bats
# What bench/mesh measures with, in namespaces: raw UDP, the peers that are built, and the command itself.

BENCH=${TOP_BUILDDIR:?}/bench
MESH=${TOP_SRCDIR:?}/bench/mesh

needs_namespaces() {
	spaces=(--net --mount)
	[ "$(id -u)" = 0 ] || spaces+=(--map-root-user)
	unshare "${spaces[@]}" true 2>"$BATS_TEST_TMPDIR/why" || skip "no namespaces here: $(cat "$BATS_TEST_TMPDIR/why")"
	PATH=$PATH:/usr/sbin:/sbin
	command -v ip >/dev/null || skip "ip is not installed (iproute2)"
}

# on_hosts PROGRAM ARG...: runs it on two hosts joined by a cable
on_hosts() {
	# shellcheck disable=SC2016
	unshare "${spaces[@]}" sh -ec '
		mount -t tmpfs tmpfs /run
		mkdir /run/netns
		ip netns add host0
		ip netns add host1
		ip -n host0 link add eth0 type veth peer name eth0 netns host1
		for i in 0 1; do
			ip -n host$i link set lo up
			ip -n host$i link set eth0 up
			ip -n host$i addr add 10.77.0.1$i/24 dev eth0
			ip -n host$i route add 224.0.0.0/4 dev eth0
		done
		exec "$@"' - "$@" --netns=host0 --netns=host1 --json >"$BATS_TEST_TMPDIR/json"
}

has() { jq -e "$@" "$BATS_TEST_TMPDIR/json"; }

@test "raw UDP carries messages of all lengths, one by one and in segments" {
	needs_namespaces
	for program in raw_gso raw_mmsg; do
		for len in 64 1024 1472 1473 65536; do
			on_hosts "$BENCH/$program" -S 2 -b $len -n 300 throughput
			has '.ok and .received > 0 and .received + .lost == 600 and .corrupt == 0'
		done
	done
}

@test "raw UDP has delays and round trips" {
	needs_namespaces
	# a busy machine may not let it keep its rate
	on_hosts "$BENCH/raw_gso" -b 200 -r 500 -n 300 delay || true
	has '(.ok or .rate_kept < 0.9) and .rounds > 0 and .p50_us > 0 and .p50_us <= .p99_us'
	on_hosts "$BENCH/raw_gso" -n 300 latency
	has '.rounds == 300 and .p50_us > 0'
}

@test "the mesh by itself carries every message to another host, of all lengths, sealed and in the clear" {
	needs_namespaces
	for cipher in none aes-256-gcm chacha20-poly1305; do
		for len in 64 1024 65536; do
			on_hosts "$BENCH/micro_mesh_net" --config=$cipher -b $len -n 500 throughput
			has '.ok and .received == 500 and .lost == 0'
		done
	done
}

@test "each peer that is built carries every message to another host" {
	needs_namespaces
	n=0
	for program in peer_epgm peer_norm peer_norm_200 peer_dds; do
		if [ ! -x "$BENCH/$program" ]; then
			echo "# $program is not built: skipped" >&3
			continue
		fi
		on_hosts "$BENCH/$program" -b 1024 -n 500 throughput
		has '.ok and .received == 500 and .lost == 0'
		n=$((n + 1))
	done
	[ $n -gt 0 ] || skip "no peer is built (bench/packages)"
}

mesh() {
	needs_namespaces
	for tool in nft ethtool setpriv jq; do
		command -v $tool >/dev/null || skip "$tool is not installed"
	done
	ln -s "$TOP_BUILDDIR" "$BATS_TEST_TMPDIR/tree"
	"$MESH" --build="$BATS_TEST_TMPDIR/tree" "$@"
}

@test "the command prints a row as JSON, with loss and without offload, and without ours it says why" {
	mesh --json --peers-only --no-peers --pairs=1 --seconds=0.5 1KiB 1KiB-off-5% ping-pong >"$BATS_TEST_TMPDIR/json"
	has -s 'map(.row) == ["1KiB", "1KiB-off-5%", "ping-pong"]'
	has -s 'all(.raw > 0 and .ours == null and .met == null and .reason != null)'
}

@test "ours loses nothing between servers, where packets are lost, and its round trips are measured" {
	mesh --quick --json --no-peers --pairs=1 --seconds=0.5 1KiB-5% ping-pong >"$BATS_TEST_TMPDIR/json"
	has -s 'map(.row) == ["1KiB-5%", "ping-pong"]'
	has -s 'all(.ours > 0 and .raw > 0 and .ratio_raw > 0 and .cipher == "aes-256-gcm")'
}

@test "an option or a row that there is not is refused" {
	for args in --fly 'no-such-row' '--pairs=x 1KiB'; do
		# shellcheck disable=SC2086
		run "$MESH" --build="$TOP_BUILDDIR" $args
		[ "$status" -eq 2 ]
	done
}

@test "killed, it leaves no process behind" {
	mesh --peers-only --no-peers --pairs=100 1KiB 3>&- >/dev/null &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		pgrep -f "$BATS_TEST_TMPDIR/tree/bench/raw_gso" && break
		sleep 0.05
	done
	[ $i -lt 200 ]
	pkill -KILL -P $pid
	kill -KILL $pid 2>/dev/null || true
	for ((i = 0; i < 200; i++)); do
		pgrep -f "$BATS_TEST_TMPDIR/tree" || break
		sleep 0.05
	done
	[ $i -lt 200 ]
}
