#!/usr/bin/env bats
# A client that is too slow, on the host that hears: what becomes of it, of its neighbours, and of the other hosts.

load net.bash
load mesh.bash
load mesh_core.bash

# stall NAME: that listener reads nothing until it is woken
stall() {
	kill -STOP "${HEARER[$1]}"
}

wake() {
	kill -CONT "${HEARER[$1]}"
}

# padded FROM TO: numbers, with a hundred bytes behind each
padded() {
	seq "$1" "$2" | awk '{ printf "\"%d%0100d\"\n", $1, 0 }'
}

@test "block: it is disconnected after block_timeout, and all others get everything" {
	need_mesh 3
	serve 3 "$PATIENT_NET" 'channels = { A = { propagatetonet = true; queue_bytes = "64 KiB"; block_timeout = "1 s"; }; };'
	hear slow 2 A
	stall slow
	load_of 1 "2 2 3" -e load -b 1024 -n 10000 throughput
	grep -E "client disconnected channel=A pid=${HEARER[slow]} .*read nothing for 1000 ms" out.2
	refute log_has 1 'left behind'
	for h in 2 3; do is 0 tell $h net .session.gaps; done
	is 0 tell 1 net .session.evictions
	wake slow
}

@test "block: a host that takes nothing is left behind after net_block_timeout, and is told how much it missed" {
	need_mesh 3
	configure 1 'net_block_timeout = "1 s"; net_window = "64 KiB";' \
		'channels = { A = { propagatetonet = true; queue_bytes = "64 KiB"; }; };'
	configure 2 "$PATIENT_NET" 'net_window = "64 KiB";' \
		"channels = { A = { propagatetonet = true; queue_bytes = \"64 KiB\"; $PATIENT }; };"
	configure 3 "$PATIENT_NET" "$CHANNELS"
	for h in 1 2 3; do start $h; done
	wait_for 20 sees 1 2
	hear slow 2 A
	hear 3 3 A
	stall slow
	padded 1 20000 | "$NCCLIENT" -s "$T/1/%s.sock" -t 60s emit --lines A x
	wait_for 20 is 20000 sum 3
	is 0 lost 3
	log_has 1 'a host took nothing for too long, and is left behind'
	wake slow
	wait_for 20 sees 1 2
	emit 1 A end
	wait_for 20 is 1 heard slow end
	[ "$(lost slow)" -gt 0 ]
	is 20001 sum slow
	refute grep -q about lost.slow
}

@test "drop-oldest: it is told exactly what it lost, and all others get everything" {
	need_mesh 3
	serve 3 "$PATIENT_NET" "channels = { A = { propagatetonet = true; queue_bytes = \"64 KiB\"; $PATIENT };
		B = { propagatetonet = true; policy = \"drop-oldest\"; queue_bytes = \"64 KiB\"; }; };"
	hear slow 2 B
	stall slow
	hear 2 2 A
	padded 1 20000 | "$NCCLIENT" -s "$T/1/%s.sock" -t 60s emit --lines B x
	# B has room for all that was sent, and A is another lane
	numbered 1 A x 1 100
	eventually is 100 sum 2
	is_seq 2 x 1 100
	wake slow
	emit 1 B end
	eventually is 1 heard slow end
	[ "$(lost slow)" -gt 0 ]
	is 20001 sum slow
	refute grep -q about lost.slow
	data slow x | sed -E 's/^"([0-9]+)0{99}[0-9]"$/\1/' | sort -n -C -u
	is 0 tell 1 net .session.evictions
}
