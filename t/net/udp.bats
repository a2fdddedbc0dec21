#!/usr/bin/env bats
# The sockets of the mesh between hosts: whole datagrams through a switch, and what becomes of links and lengths.

load net.bash

END=${TOP_BUILDDIR:?}/t/net/udp_end
GROUP=239.77.0.1:17077

# open HOST [NAME] [ARGUMENT...]: an end in a host; NAME (the host's number) is what the others call it
open() {
	local host=$1 name=${2:-$1}
	mkfifo "in.$name"
	hosts exec "$host" "$END" "${3-$GROUP}" "${4-eth0}" "${@:5}" <"in.$name" >"out.$name" 2>&1 3>&- &
	exec {fd}>"in.$name"
	FD[name]=$fd
	eventually grep -qE '^(up|down|error)' "out.$name"
}

# ask NAME COMMAND: the answer, which is one line more
ask() {
	local name=$1 n
	n=$(grep -c . "out.$name")
	echo "$2" >&"${FD[name]}"
	more() { [ "$(grep -c . "out.$name")" -gt "$n" ]; }
	eventually more
	ANSWER=$(tail -n 1 "out.$name")
}

# send NAME WORDS: returns when it is sent
send() {
	ask "$1" "send $2"
	[ "$ANSWER" = sent ]
}

heard() {
	ask "$1" heard
	# shellcheck disable=SC2053
	[[ $ANSWER == $2 ]]
}

# settled NAME: nothing more arrives; $N is how many have
settled() {
	local before
	ask "$1" heard
	before=$ANSWER
	sleep 0.3
	ask "$1" heard
	N=${ANSWER#heard }
	N=${N%% *}
	[ "$ANSWER" = "$before" ]
}

# counter NAME WHICH: its value
counter() {
	ask "$1" counters
	sed -E "s/.* $2 (-?[0-9]+).*/\1/" <<<"$ANSWER"
}

# told NAME TEXT: the last line that it has said
told() {
	# shellcheck disable=SC2053
	[[ $(tail -n 1 "out.$1") == $2 ]]
}

@test "ten thousand datagrams of all lengths arrive whole at each host" {
	need_hosts 3
	for h in 1 2 3; do open $h; done
	send 1 "10000 0"
	for h in 2 3; do eventually heard $h "heard 10000 wrong 0 from 1"; done
	# it would be for nobody else of that host
	heard 1 "heard 0 wrong 0 from 0"
	# many as one packet, over the switch and back
	[ "$(counter 1 packets_out)" -lt 6000 ]
	[ "$(counter 2 packets_in)" -lt 6000 ]
}

@test "and so they do one by one, where nothing is offloaded" {
	need_hosts 3
	hosts offload no
	for h in 1 2 3; do open $h; done
	send 1 "10000 0"
	for h in 2 3; do eventually heard $h "heard 10000 wrong 0 from 1"; done
	[ "$(counter 2 packets_in)" = 10000 ]
	[ "$(counter 1 gso_error)" = 0 ]
}

@test "and by IPv6" {
	need_hosts 3
	for h in 1 2 3; do open $h $h "[ff15::4d01]:17077"; done
	send 1 "10000 0"
	for h in 2 3; do eventually heard $h "heard 10000 wrong 0 from 1"; done
	ask 2 own
	[[ $ANSWER == "own [fe80::"*"%eth0]:"* ]]
}

@test "two servers of one host and one of another hear each other" {
	need_hosts 2
	open 1 1
	open 1 3
	open 2 2
	# the first server of the host hears of the second one by what it sends
	send 3 "1 12"
	eventually heard 1 "heard 1 wrong 0 from 1"
	for name in 1 2 3; do ask $name forget; done
	for name in 1 2 3; do send $name "100 1000"; done
	for name in 1 3; do eventually heard $name "heard 300 wrong 0 from 3"; done
	eventually heard 2 "heard 200 wrong 0 from 2"
}

@test "an answer to one host is heard by it alone" {
	need_hosts 3
	for h in 1 2 3; do open $h; done
	ask 2 own
	send 1 "1000 0 ${ANSWER#own }"
	eventually heard 2 "heard 1000 wrong 0 from 1"
	heard 3 "heard 0 wrong 0 from 0"
}

@test "without a group single hosts are reached, and with multicast blocked" {
	need_hosts 2
	hosts multicast 2 no
	open 1
	open 2
	send 1 "100 1000"
	open 1 3 - ""
	open 2 4 - ""
	ask 4 own
	send 3 "1000 0 $(hosts ip 2):${ANSWER##*:}"
	eventually heard 4 "heard 1000 wrong 0 from 1"
	heard 2 "heard 0 wrong 0 from 0"
	hosts multicast 2 yes
	send 1 "100 1000"
	eventually heard 2 "heard 100 wrong 0 from 1"
}

@test "some get lost, and no other suffers" {
	need_hosts 3
	hosts offload no
	hosts loss 2 5
	hosts loss 3 0.5
	for h in 1 2 3; do open $h; done
	send 1 "20000 1000"
	eventually settled 3
	[ "$N" -gt 19800 ]
	[ "$N" -lt 20000 ]
	eventually settled 2
	[ "$N" -gt 18700 ]
	[ "$N" -lt 19300 ]
	heard 2 "heard $N wrong 0 from 1"
	hosts loss 2 100
	hosts loss 3 0
	for h in 2 3; do ask $h forget; done
	send 1 "100 1000"
	eventually heard 3 "heard 100 wrong 0 from 1"
	heard 2 "heard 0 wrong 0 from 0"
	hosts loss 2 0
	send 1 "100 1000"
	eventually heard 2 "heard 100 wrong 0 from 1"
}

@test "what is longer than the MTU is refused here, and lost on the way" {
	need_hosts 3
	hosts offload no
	for h in 1 2 3; do open $h; done
	hosts mtu 2 1300
	eventually told 2 "up eth0 10.77.0.2:* mtu 1300"
	send 2 "50 1273"
	[ "$(counter 2 too_big)" = 50 ]
	[ "$(counter 2 gso_error)" = 0 ]
	send 2 "50 1272"
	eventually heard 1 "heard 50 wrong 0 from 1"
	send 1 "50 1272"
	eventually heard 2 "heard 50 wrong 0 from 1"
	send 1 "50 1473"
	[ "$(counter 1 too_big)" = 50 ]
	send 1 "50 1472"
	eventually heard 3 "heard 150 wrong 0 from 2"
	heard 2 "heard 50 wrong 0 from 1"
	hosts mtu 2 9000
	eventually told 2 "up eth0 10.77.0.2:* mtu 9000"
}

@test "a host that the switch cuts off notices nothing, and is heard again" {
	need_hosts 2
	open 1
	open 2
	hosts cut 2
	send 1 "100 1000"
	heard 2 "heard 0 wrong 0 from 0"
	hosts heal 2
	send 1 "100 1000"
	eventually heard 2 "heard 100 wrong 0 from 1"
	[ "$(grep -cE '^(up|down)' out.2)" = 1 ]
}

@test "a cable is pulled and plugged in" {
	need_hosts 2
	open 1
	open 2
	hosts unplug 2
	eventually told 2 "down *no carrier"
	hosts plug 2
	eventually told 2 "up eth0 10.77.0.2:* mtu 1500"
	send 1 "100 1000"
	eventually heard 2 "heard 100 wrong 0 from 1"
	[ "$(grep -cE '^(up|down)' out.2)" = 3 ]
}

@test "an interface is taken down, and joined again when it is back" {
	need_hosts 2
	open 1
	open 2
	up=$(tail -n 1 out.2)
	hosts exec 2 ip link set eth0 down
	eventually told 2 'down interface "eth0" is down*'
	hosts exec 2 ip link set eth0 up
	eventually told 2 "$up"
	send 1 "100 1000"
	eventually heard 2 "heard 100 wrong 0 from 1"
}

@test "who is deaf to one host hears the others" {
	need_hosts 3
	for h in 1 2 3; do open $h; done
	hosts deaf 2 1 yes
	for h in 1 2 3; do send $h "100 1000"; done
	for h in 1 3; do eventually heard $h "heard 200 wrong 0 from 2"; done
	eventually heard 2 "heard 100 wrong 0 from 1"
	hosts deaf 2 1 no
	send 1 "100 1000"
	eventually heard 2 "heard 200 wrong 0 from 2"
}

@test "among several interfaces none is chosen, and they are listed" {
	need_hosts 1
	hosts exec 1 ip link add name eth1 type veth peer name other
	hosts exec 1 ip link set eth1 up
	hosts exec 1 ip address add 10.99.0.1/24 dev eth1
	open 1 1 "$GROUP" ""
	told 1 "error: several interfaces have an IPv4 address and multicast: eth0 (10.77.0.1), eth1 (10.99.0.1); one must*"
	open 1 2 "$GROUP" 10.99.0.0/24
	told 2 "down the interface has no carrier"
	open 1 3 "$GROUP" lo
	told 3 "up lo 127.0.0.1:* mtu 65536"
}

@test "hosts go with the process that they belong to, however it ends" {
	need_hosts 1
	sleep 1000 3>&- &
	owner=$!
	other=$(hosts up 2 $owner 3>&-)
	[ -e "/run/netns/$other-2" ]
	NET=$other hosts exec 2 sleep 1000 3>&- &
	kill -KILL $owner
	gone() { [ ! -e "/run/netns/$other-sw" ] && [ ! -e "/run/netns/$other-2" ]; }
	eventually gone
	[ -e "/run/netns/$NET-sw" ]
}
