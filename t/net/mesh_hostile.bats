#!/usr/bin/env bats
# Somebody in the network who has no key: what he can read, what he records and plays again, and floods of garbage.

load net.bash
load mesh.bash
load mesh_core.bash

FLOOD=$TOP_BUILDDIR/t/net/flood

# record H: what passes its interface, into $T/record, until recorded
record() {
	"$HOSTS" exec "$1" "$FLOOD" record record eth0 >record.said 2>&1 3>&- &
	RECORDER=$!
	eventually grep -q ready record.said
}

recorded() {
	kill -TERM $RECORDER
	wait $RECORDER
}

# stranger H: a host without a server, that can send to groups
stranger() {
	STRANGER=$1
	hosts exec "$1" ip route add 224.0.0.0/4 dev eth0
}

# play H FROM...: all that was recorded, to the sockets of host H, plainly and as if FROM had sent it
play() {
	local to from before n
	before=$(tell "$1" net .sockets.datagrams_in)
	for to in "$(tell "$1" net .addr)" 239.77.0.88:17088; do
		for from in '' "${@:2}"; do
			n=$(hosts exec "$STRANGER" "$FLOOD" replay record "$to" ${from:+"$from"})
		done
	done
	[ "$n" -gt 20 ]
	# the last of them at least has been there
	eventually at_least $((before + n)) tell "$1" net .sockets.datagrams_in
}

@test "no name and no payload is in clear, but without a key all are" {
	local h way
	need_mesh 2
	hosts offload no
	for way in 'keys = [ "'"$T"'/key" ];' 'insecure = true; # keys'; do
		serve 2 "$way" 'channels = { channelname = { propagatetonet = true; }; };'
		rm -f heard.2 lost.2
		hear 2 2 channelname
		record 2
		seq 1000001 1000100 | sed 's/^/"payload-/; s/$/"/' |
			"$NCCLIENT" -s "$T/1/%s.sock" emit --lines channelname eventname
		eventually is 100 sum 2
		# LANES, which bear the channel's name, come with announcements
		eventually grep -qa . record
		sleep 1.2
		recorded
		[ "$(stat -c %s record)" -gt 5000 ]
		for text in channelname eventname payload-10000; do
			if [[ $way == keys* ]]; then
				refute grep -qa $text record
			else
				grep -qa $text record
			fi
		done
		for h in 1 2; do stop $h; done
	done
}

@test "what was recorded and is played again is not heard: to those who were there, and after restarts" {
	local sender h n=2000
	need_mesh 3
	hosts offload no
	stranger 3
	serve 2 "$QUICK" "$CHANNELS"
	hear 2 2 A
	sender=$(tell 1 net .addr)
	record 2
	# joins, proofs and heads are recorded, too
	stop 2
	start 2
	wait_for 20 sees 1 1
	wait_for 20 sees 2 1
	eventually is_connected 2
	numbered 1 A x 1 $n
	eventually is $n sum 2
	recorded
	for who in nobody 2 1 "1 2"; do
		for h in $who; do
			[ "$h" = nobody ] || slay "$h"
		done
		# the sender is away, too
		[[ $who != 1* ]] || [[ $who == *2 ]] || play 2 "$sender"
		for h in $who; do
			[ "$h" = nobody ] || start "$h"
		done
		# a server that was killed is up for the other one until its successor has proved itself
		wait_for 20 knows 1 2
		wait_for 20 knows 2 1
		for h in 1 2; do wait_for 20 sees $h 1; done
		eventually is_connected 2
		play 2 "$sender" "$(tell 1 net .addr)"
		numbered 1 A x $((n + 1)) $((n + 10))
		n=$((n + 10))
		eventually is $n data_count 2 x
		is_seq 2 x 1 $n
		is 1 tell 2 peers '[.[] | select(.state == "up")] | length'
	done
	[ "$(tell 2 net '.session.dropped | add')" -gt 50 ]
}
data_count() {
	data "$1" "$2" | wc -l
}

# flood RATE: garbage from the stranger to host 2, RATE a second in bursts and a fifth of it one by one, half of that as if
# host 1 had sent it; until drained
flood() {
	"$HOSTS" exec "$STRANGER" "$FLOOD" garbage record "$(tell 2 net .addr)" "$(tell 1 net .addr)" "$1" $(($1 / 5)) 300 >flood.said 2>&1 3>&- &
	FLOODER=$!
}

# drained RATE: ends it; fails where it has not kept nine tenths of its rate
drained() {
	kill -TERM $FLOODER
	wait $FLOODER
	cat flood.said
	awk -v rate="$1" '{ kept = NF == 3 && $1 + $2 >= 0.9 * 1.2 * rate * $3 / 1000 } END { exit !kept }' flood.said
}

# beside RATE: messages of 1 KiB from host 1 to both others for four seconds, RATE a second; what came of it is in
# beside.json. Fails where they did not all arrive, intact and in order.
beside() {
	load_of 1 "2 3" -e "beside$1" -b 1024 -r "$1" -n $(($1 * 4)) --json delay >beside.json 2>beside.err || true
	cat beside.json beside.err
	jq -e ".lost == 0 and .disordered == 0 and .corrupt == 0 and .received == $(($1 * 4 * 2))" beside.json
}

# The rates of the real thing, 100,000 a second in bursts beside 20,000 single ones and 20,000 messages, or an even part of
# each: as much as this machine keeps up.
@test "a flood takes no memory, says nothing in the log, and of what is legitimate 80% arrives in time and all in the end" {
	local before lines part kept='' pace h
	need_mesh 4
	stranger 4
	serve 3 "$PATIENT_NET" "channels = { A = { propagatetonet = true; $PATIENT }; };"
	hosts offload no
	record 2
	load_of 1 "2 3" -e first -b 1024 -n 2000 throughput
	recorded
	hosts offload yes
	# all that it takes at most under load
	load_of 1 "2 3" -e warm -b 1024 -n 20000 throughput
	before=$(rss 2)
	# what each says of the network by itself, soon after its start
	for h in 1 2 3; do eventually grep -q 'msg="the network' out.$h; done
	lines=$(cat out.? | wc -l)
	for part in 1 2 4 8 16 32; do
		flood $((100000 / part))
		beside $((20000 / part))
		pace=$(jq -r .rate_kept beside.json)
		if drained $((100000 / part)) && jq -e '.rate_kept >= 0.9' beside.json; then
			kept=$part
			break
		fi
		echo "# 1/$part of the rates is too much for this machine: of the messages' $pace was kept, flood: $(cat flood.said)" >&3
	done
	# what was dropped, what it took and what it said hold for all of them
	at_least 10000 tell 2 net '.session.dropped | add'
	at_least 100 tell 2 net .session.dropped.auth
	at_least 100 tell 2 net .session.dropped.key
	is 2 tell 2 peers length
	for h in 2 3; do is 0 tell $h net .session.gaps; done
	echo "# resident: $before KiB before, $(rss 2) KiB after; 1/${kept:-none} of the rates: flood $(cat flood.said), $(jq -c '{in_time, p50_us, p99_us, max_us, rate_kept}' beside.json)" >&3
	[ "$(cat out.? | wc -l)" = "$lines" ]
	if is_unsanitized; then [ "$(rss 2)" -le $((before + 2048)) ]; fi
	[ -n "$kept" ] || skip "neither publisher nor flood kept 1/32 of their rates here, so nothing can be said of delays"
	jq -e '.in_time >= 0.8' beside.json
}
