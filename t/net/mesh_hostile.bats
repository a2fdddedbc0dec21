#!/usr/bin/env bats
# Somebody in the network who has no key: what he can read, what he records and plays again, and floods of garbage.
#
# FLOOD_RATE: datagrams a second in bursts, of which a fifth comes one by one as well; by default what two busy cores bear.

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

@test "a flood of garbage takes no memory, says nothing in the log, and does not stop what is legitimate" {
	local rate=${FLOOD_RATE:-15000} seconds=4 before lines floods=() n=0 to
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
	lines=$(cat out.? | wc -l)
	to=$(tell 2 net .addr)
	hosts exec 4 "$FLOOD" garbage record "$to" "$(tell 1 net .addr)" "$rate" $((rate / 5)) $seconds >flood.1 2>&1 3>&- &
	floods=($!)
	while kill -0 "${floods[0]}" 2>/dev/null; do
		load_of 1 "2 3" -e "load$((++n))" -b 1024 -n 4000 throughput
	done
	wait "${floods[0]}"
	cat flood.1
	echo "# resident: $before KiB before, $(rss 2) KiB after"
	[ "$n" -ge 1 ]
	at_least $((rate / 2)) tell 2 net '.session.dropped | add'
	at_least 100 tell 2 net .session.dropped.auth
	at_least 100 tell 2 net .session.dropped.key
	is 2 tell 2 peers length
	for h in 2 3; do is 0 tell $h net .session.gaps; done
	[ "$(cat out.? | wc -l)" = "$lines" ]
	if is_unsanitized; then [ "$(rss 2)" -le $((before + 2048)) ]; fi
}
