#!/usr/bin/env bats
# What an administrator does to hosts that hear each other: stop, reload, exchange keys, say who is heard.

bats_require_minimum_version 1.5.0

load net.bash

SERVER=${TOP_BUILDDIR:?}/ncserver/ncserver
CLIENT=${TOP_BUILDDIR:?}/ncclient/ncclient

# conf HOST TEXT...: a configuration of a host named hHOST, with the key of the group unless TEXT speaks of keys
conf() {
	local host=$1
	shift
	{
		echo "host = \"h$host\"; socket = \"$T/$host-%s.sock\";"
		[[ "$*" == *"keys ="* || "$*" == *"insecure ="* ]] || echo "keys = [ \"$T/group.key\" ];"
		printf '%s\n' "$@"
	} >"$host.conf"
}

# start HOST
start() {
	hosts exec "$1" "$SERVER" "$T/$1.conf" >"out.$1" 2>&1 3>&- &
	PID[$1]=$!
	eventually grep -q 'msg=ready' "out.$1"
}

# stop HOST: an orderly end
stop() {
	pkill -TERM -P "${PID[$1]}" || kill -TERM "${PID[$1]}"
	wait "${PID[$1]}"
}

# nc HOST WORDS...
nc() {
	local host=$1
	shift
	"$CLIENT" -s "$T/$host-%s.sock" "$@"
}

# up HOST N: the host has N others
is_up() {
	[ "$(nc "$1" -o json peers | jq '[.[] | select(.state == "up")] | length')" = "$2" ]
}

# all_up N: each of hosts 1 to N has all others, and hears each of their lanes
all_up() {
	local host
	for ((host = 1; host <= $1; host++)); do
		eventually is_up "$host" $(($1 - 1))
		eventually members "$host" $(($1 - 1))
	done
}

# members HOST N: N others have joined each of its reliable lanes
members() {
	nc "$1" -o json lanes | jq -e --argjson n "$2" '[.[] | select(.host == null and .class == "reliable") | .members] | length > 0 and all(. == $n)'
}

# hear HOST CHANNEL FILE [WORDS...]: listens in the background
hear() {
	local host=$1 channel=$2 file=$3
	shift 3
	"$CLIENT" -s "$T/$host-%s.sock" -o json listen "$channel" --reliable "$@" >"$file" 2>"$file.err" 3>&- &
	LISTENER=$!
	CLIENTS+=("$LISTENER")
	listens() { nc "$host" -o json clients "$channel" | jq -e --argjson pid $LISTENER 'any(.[]; .pid == $pid and (.patterns | length) > 0)'; }
	eventually listens
}

# lines FILE N
lines() {
	[ "$(grep -c . "$1")" = "$2" ]
}

key() {
	"$SERVER" --keygen "$T/$1.key" >/dev/null
}

setup_group() {
	need_hosts "$1"
	declare -gA PID
	key group
}

@test "an orderly stop brings everything to the other hosts first" {
	setup_group 2
	for h in 1 2; do
		conf $h 'channels = { A = { propagatetonet = true; }; };'
		start $h
	done
	all_up 2
	hear 2 A heard
	hosts loss 2 5
	seq 5000 | nc 1 emit A n --lines --int
	stop 1
	eventually lines heard 5000
	left() { nc 2 -o json peers | jq -e '.[0].state == "left"'; }
	eventually left
	stop 2
	! grep -q level=error out.1 out.2
}

@test "no channel leaves without a key; hosts of another key or cluster are not heard, nor those that are not named" {
	setup_group 3
	key other
	conf 1 'insecure = false; channels = { A = { propagatetonet = true; }; };'
	run -78 "$SERVER" --check-config 1.conf
	[[ $output == *'need "keys"'* ]]
	conf 1 'channels = { A = { propagatetonet = true; netfrom = [ "h3" ]; }; };'
	conf 2 'channels = { A = { propagatetonet = true; }; };'
	conf 3 "keys = [ \"$T/other.key\" ]; channels = { A = { propagatetonet = true; }; };"
	start 1
	start 2
	start 3
	eventually is_up 1 1
	eventually is_up 2 1
	hear 1 A heard
	hear 2 A heard2
	nc 2 emit A from2 1
	nc 3 emit A from3 1
	nc 1 emit A from1 1
	eventually grep -q from1 heard2
	sleep 0.5
	run grep 'from[23]' heard
	[ "$status" = 1 ]
	run grep from3 heard2
	[ "$status" = 1 ]
	is_up 3 0
	unopened() { nc 1 -o json net | jq -e '.session.dropped.key > 0'; }
	eventually unopened
	nc 1 -o json probe | jq -e '.advice | any(contains("key"))'
}

@test "a reload opens and closes lanes, and another address is another session; clients stay" {
	setup_group 2
	for h in 1 2; do
		conf $h 'channels = { A = { propagatetonet = true; }; B = { }; };'
		start $h
	done
	all_up 2
	hear 2 A heard
	hear 2 B heardB
	nc 1 emit A x 1
	eventually lines heard 1
	for h in 1 2; do
		conf $h 'channels = { A = { }; B = { propagatetonet = true; }; };'
		nc $h reloadconfig "$h.conf"
	done
	all_up 2
	nc 1 emit A x 2
	nc 1 emit B x 3
	eventually lines heardB 1
	for h in 1 2; do
		conf $h 'port = 4460; channels = { A = { propagatetonet = true; }; B = { propagatetonet = true; }; };'
		nc $h reloadconfig "$h.conf"
	done
	all_up 2
	nc 1 emit A x 4
	eventually lines heard 2
	grep -q '"data":4' heard
	# and none at all
	conf 1 'connecttonet = false; channels = { A = { propagatetonet = true; }; };'
	nc 1 reloadconfig 1.conf
	nc 1 -o json net | jq -e '.connected == false'
	gone() { nc 2 -o json peers | jq -e 'all(.[]; .state != "up")'; }
	eventually gone
}

@test "keys are exchanged while messages pass, and no step cuts a host off unasked" {
	setup_group 2
	key new
	for h in 1 2; do
		conf $h 'channels = { A = { propagatetonet = true; }; };'
		start $h
	done
	all_up 2
	hear 2 A heard
	(for i in $(seq 40); do nc 1 emit A n "$i"; done) 3>&- &
	old=$(nc 1 -o json keys | jq -r '.[0].id')
	new=$(nc 1 -o json keyinstall new.key | jq -r .id)
	run ! nc 1 keyuse "$new"
	[[ $output == *h2* ]]
	nc 2 keyinstall new.key
	follows() { nc 1 keyuse "$new"; }
	eventually follows
	follows2() { nc 2 keyuse "$new"; }
	eventually follows2
	removes() { nc 1 keyremove "$old" && nc 2 keyremove "$old"; }
	eventually removes
	eventually lines heard 40
	nc 1 -o json keys | jq -e --arg id "$new" 'length == 1 and .[0].id == $id and .[0].current'
	nc 2 -o json net | jq -e '.session.dropped.auth == 0'
	run ! nc 2 keyremove "$new"
}

@test "a slow listener holds up its lane, and goes; the others hear all" {
	setup_group 2
	for h in 1 2; do
		conf $h 'channels = { A = { propagatetonet = true; queue_bytes = 65536; }; B = { propagatetonet = true; }; };'
		start $h
	done
	all_up 2
	hear 2 A heard
	hear 2 A slow
	kill -STOP $LISTENER
	seq 20000 | nc 1 emit A n --lines --int
	eventually lines heard 20000
	kill -CONT $LISTENER
	nc 2 -o json slow | jq -e 'any(.[]; .reason == "disconnected")'
	is_up 1 1
	nc 1 -o json net | jq -e '.session.evictions == 0'
}
