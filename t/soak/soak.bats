#!/usr/bin/env bats
# A short soak; doc/soak.md says how to run one of an hour.

soak() {
	"$TOP_BUILDDIR/t/soak/soak" "$@" 2>&1 3>&-
}

# plant WHAT TEXT: a soak whose senders do something wrong fails, and says what
plant() {
	run soak --seed 7 --seconds 60 --round 3 --plant "$1"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"$2"* ]]
	[[ $output == *"NOT all was well"* ]]
}

@test "clients of all kinds come, stall and are killed, and everything adds up" {
	run soak --seed "${SOAK_SEED:-20261121}" --seconds 15 --round 5
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"all was well" ]]
}

@test "a letter that is another one is found" {
	plant garble garbled
}

@test "a number that is left out is found" {
	plant skip "are missing, and"
}

@test "a number that comes twice is found" {
	plant double "twice or too late"
}

@test "a command line that is wrong is refused with status 2" {
	run soak --seconds 0
	[ "$status" = 2 ]
	run soak --plant weeds
	[ "$status" = 2 ]
}
