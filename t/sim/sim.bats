#!/usr/bin/env bats
# Hosts of the mesh on a simulated network (t/sim/main.c): what must hold, holds.

setup() {
	sim=$TOP_BUILDDIR/t/sim/sim
	seeds=$TOP_SRCDIR/t/sim/seeds
}

@test "seeds that once broke something break nothing" {
	run "$sim" --seeds "$seeds"
	echo "$output"
	[ "$status" = 0 ]
	# as many runs as there are lines
	[[ "$output" == *"$(grep -c '^[a-z]' "$seeds") runs, 0 failed"* ]]
}

@test "a run of every scenario" {
	run "$sim" --runs 1
	echo "$output"
	[ "$status" = 0 ]
}

@test "twenty seconds of seeds that were never tried" {
	seed=$(($(date +%s) * 1000 + $$ % 1000))
	echo "first seed: $seed"
	run "$sim" --seconds 20 --seed "$seed"
	echo "$output"
	[ "$status" = 0 ]
}

@test "the same seed is the same run, event by event" {
	for scenario in chaos crash; do
		"$sim" --scenario "$scenario" --seed 7 --trace | cksum >"$BATS_TEST_TMPDIR/one"
		"$sim" --scenario "$scenario" --seed 7 --trace | cksum >"$BATS_TEST_TMPDIR/two"
		"$sim" --scenario "$scenario" --seed 8 --trace | cksum >"$BATS_TEST_TMPDIR/three"
		cmp "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
		run cmp -s "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/three"
		[ "$status" = 1 ]
	done
}

@test "books that do not agree are noticed" {
	run "$sim" --self-test
	echo "$output"
	[ "$status" = 0 ]
}

@test "a scenario that there is not is an error" {
	run "$sim" --scenario none
	[ "$status" = 2 ]
	[[ "$output" == *"no scenario none"* ]]
}
