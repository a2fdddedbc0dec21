#!/usr/bin/env bats
# The tests of mesh.bats where multicast is blocked in all hosts: by a list of hosts, one by one.

MESH_PEERS=yes
load net.bash
load mesh.bash
load mesh_core.bash

@test "no multicast: native, JSON and FIFO events of a bridged channel are heard once on each host, no others" {
	every_dialect_is_heard_once
}

@test "no multicast: rules of two hosts can't amplify one another" {
	rules_cannot_amplify 2
}

@test "no multicast: nor those of three" {
	rules_cannot_amplify 3
}

@test "no multicast: hosts of another cluster, or with another key, hear nothing" {
	strangers_hear_nothing
}

@test "no multicast: best effort: what is lost is told, with its number" {
	best_effort_tells_what_is_missing
}

@test "no multicast: messages go to and fro" {
	an_answer_comes_back
}

@test "no multicast: nothing is lost, and all in order, with 1% of all datagrams lost" {
	survives_loss 1
}

@test "no multicast: and with 5%" {
	survives_loss 5
}

@test "no multicast: and with 20%" {
	survives_loss 20
}
