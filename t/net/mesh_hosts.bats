#!/usr/bin/env bats
# Hosts that come and go, by multicast: cut off, killed, stopped, of another MTU, with next to no socket buffer, eight.

load net.bash
load mesh.bash
load mesh_core.bash

@test "a host that was cut off is told once, and exactly, what it missed" {
	a_host_is_cut_off_and_returns
}

@test "a host that was killed is back with another boot, and nothing is heard again" {
	a_host_is_killed_and_restarted
}

@test "a clean stop sends what was taken" {
	a_clean_stop_drains
}

@test "a host of a smaller MTU is refused, and told what passes" {
	another_mtu_is_refused
}

@test "a tiny socket buffer costs time only" {
	a_tiny_socket_buffer_will_do
}

@test "eight hosts hear one another" {
	eight_hosts
}
