#!/usr/bin/env bats
# Keys of a cluster that change while hosts speak.

load net.bash
load mesh.bash
load mesh_core.bash

# burden FROM "TO...": load until the file going is gone
burden() {
	local n=0
	while [ -e going ]; do
		load_of "$1" "$2" -e "from$1-$((++n))" -b 1024 -n 2000 throughput || return 1
	done
}

# do_key H QUESTION DATA: the server does it
do_key() {
	[ "$(tell "$1" "$2" .id "$3")" = "$ID" ]
}

@test "the key is exchanged under load: nothing is lost, heard twice or refused" {
	local h pids=() old why
	need_mesh 3
	serve 3 "$PATIENT_NET" "channels = { A = { propagatetonet = true; $PATIENT }; };"
	old=$(tell 1 keys '.[0].id')
	"$NCSERVER" --keygen "$T/new" >/dev/null
	touch going
	burden 1 "2 3" >load.1 2>&1 3>&- & pids+=($!)
	burden 2 "3 1" >load.2 2>&1 3>&- & pids+=($!)
	# no step before all can follow
	ask 1 keyinstall "{\"path\":\"$T/new\"}"
	ID=$(tell 1 keys '.[] | select(.current | not) | .id')
	refute do_key 1 keyuse "{\"id\":\"$ID\"}"
	for h in 2 3; do do_key $h keyinstall "{\"path\":\"$T/new\"}"; done
	for h in 1 2 3; do wait_for 20 do_key $h keyuse "{\"id\":\"$ID\"}"; done
	for h in 1 2 3; do
		wait_for 20 is 2 tell $h peers "[.[] | select(.key == \"$ID\")] | length"
	done
	ID=$old
	for h in 1 2 3; do wait_for 20 do_key $h keyremove "{\"id\":\"$ID\"}"; done
	for h in 1 2 3; do is 1 tell $h keys length; done
	rm going
	for h in "${pids[@]}"; do wait "$h" || { cat load.*; return 1; }; done
	grep -c received load.1 load.2
	for h in 1 2 3; do
		is 0 tell $h net .session.gaps
		is 0 tell $h net .session.dropped.key
		is 0 tell $h net .session.dropped.auth
		is 2 tell $h peers '[.[] | select(.state == "up")] | length'
	done
}
