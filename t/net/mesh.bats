#!/usr/bin/env bats
# Hosts with a server each, that hear one another by multicast: events, and what is lost on the way.

load net.bash
load mesh.bash
load mesh_core.bash

@test "native, JSON and FIFO events of a bridged channel are heard once on each host, no others" {
	every_dialect_is_heard_once
}

@test "servers that are to write warnings write nothing when all is well, from the start to the end" {
	need_mesh 2
	serve 2 'log_level = "warning"; net_rcvbuf = 65536;' "$CHANNELS"
	hear 2 2 A
	emit 1 A x 1
	eventually is 1 heard 2 x
	for h in 1 2; do
		stop $h
		cat out.$h
		[ ! -s out.$h ]
	done
}

@test "rules of two hosts can't amplify one another" {
	rules_cannot_amplify 2
}

@test "nor those of three" {
	rules_cannot_amplify 3
}

@test "hosts of another cluster, or with another key, hear nothing" {
	strangers_hear_nothing
}

@test "best effort: what is lost is told, with its number" {
	best_effort_tells_what_is_missing
}

@test "messages go to and fro" {
	an_answer_comes_back
}

@test "nothing is lost, and all in order, with 1% of all datagrams lost" {
	survives_loss 1
}

@test "and with 5%" {
	survives_loss 5
}

@test "and with 20%" {
	survives_loss 20
}
