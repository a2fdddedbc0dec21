#!/usr/bin/env bats
# The tests of mesh_hosts.bats where multicast is blocked in all hosts: by a list of hosts, one by one.

MESH_PEERS=yes
load net.bash
load mesh.bash
load mesh_core.bash

@test "no multicast: a host that was cut off is told once, and exactly, what it missed" {
	a_host_is_cut_off_and_returns
}

@test "no multicast: a host that was killed is back with another boot, and nothing is heard again" {
	a_host_is_killed_and_restarted
}

@test "no multicast: a clean stop sends what was taken" {
	a_clean_stop_drains
}

@test "no multicast: a host of a smaller MTU is refused, and told what passes" {
	another_mtu_is_refused
}

@test "no multicast: a tiny socket buffer costs time only" {
	a_tiny_socket_buffer_will_do
}

@test "no multicast: eight hosts hear one another" {
	eight_hosts
}
