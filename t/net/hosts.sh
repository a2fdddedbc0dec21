#!/bin/bash
# usage: t/net/hosts.sh COMMAND [ARGUMENT ...]
#
# Hosts for tests: network namespaces joined by a bridge, as machines by a switch. Host H (1, 2, ...) has the interface
# eth0 with the addresses 10.77.0.H and fd77::H and the MAC 02:00:00:77:00:H; link-local addresses can be used at once.
#
#   check                    nothing, or why there can be no hosts here, with status 1
#   run COMMAND...           runs it where there can be hosts, in a user namespace of its own
#   up N OWNER               makes N hosts, and prints their NET; they go when the process OWNER has ended
#
# The others find the hosts by the variable NET. What they set stays until it is set again.
#
#   down                     ends what runs in the hosts, and removes them
#   ip HOST                  prints 10.77.0.HOST
#   exec HOST COMMAND...     runs it there; HOST may be sw, the switch with its bridge br0
#   loss HOST PERCENT        loses so many (0, 5, 0.5, 100) of the UDP packets that arrive, at random
#   deaf HOST FROM yes|no    HOST hears nothing of what FROM sends; it hears HOST
#   multicast HOST yes|no    whether UDP to groups arrives
#   mtu HOST BYTES           at both ends of its link; what is longer is lost on the way
#   cut HOST | heal HOST     the switch does not forward: the host notices nothing
#   unplug HOST | plug HOST  the link is gone: the host has no carrier
#   snooping                 the switch forwards a group only where somebody has asked for it within the last second, and
#                            does not ask who still wants it: as one with IGMP snooping where there is no querier
#   offload yes|no           of all hosts: without, each datagram is a packet of its own, as on a wire
#
# With offload the packets that are lost, or too long, are those of the kernel, of up to 64 datagrams each: for loss of
# single datagrams, and for an MTU on the way, switch it off.

set -euo pipefail

die() {
	printf 'hosts.sh: %s\n' "$*" >&2
	exit 1
}

net() {
	[ -n "${NET-}" ] || die "NET is not set: NET=\$(t/net/hosts.sh up N \$\$)"
	printf '%s' "$NET"
}

# in_host HOST COMMAND...; the switch is host "sw"
in_host() {
	local host=$1
	shift
	ip netns exec "$(net)-$host" "$@"
}

is_host() {
	if ! [[ ${1-} =~ ^[1-9][0-9]*$ ]] || ! [ -e "/run/netns/$(net)-$1" ]; then
		die "there is no host '${1-}'"
	fi
}

# hosts: their numbers
hosts() {
	local file
	for file in "/run/netns/$(net)-"[0-9]*; do
		[ ! -e "$file" ] || printf '%s\n' "${file##*-}"
	done
}

check() {
	local program name=ncchk$$ why
	for program in ip nft ethtool; do
		command -v $program >/dev/null || {
			echo "no hosts: the program $program is missing"
			return 1
		}
	done
	if why=$(ip netns add $name 2>&1) && why=$(ip -n $name link add name v1 type veth peer name v2 2>&1) &&
		why=$(ip -n $name link add name br0 type bridge 2>&1) && why=$(ip netns exec $name nft add table inet x 2>&1); then
		ip netns del $name
		return 0
	fi
	ip netns del $name 2>/dev/null || true
	echo "no hosts: $(head -n 1 <<<"$why") (without root: t/net/hosts.sh run COMMAND)"
	return 1
}

run() {
	# /run/netns is to be writable; what else is in /run is hidden
	# shellcheck disable=SC2016
	exec unshare --user --map-root-user --net --mount sh -c 'mount -t tmpfs run /run && exec "$@"' sh "$@"
}

add_host() {
	local host=$1 ns=$NET-$1
	ip netns add "$ns"
	ip link add eth0 netns "$ns" address "$(printf '02:00:00:77:00:%02x' "$host")" \
		type veth peer name "p$host" netns "$NET-sw"
	ip netns exec "$ns" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad'
	ip -n "$ns" link set lo up
	ip -n "$NET-sw" link set "p$host" master br0 up
	ip -n "$ns" link set eth0 up
	ip -n "$ns" address add "10.77.0.$host/24" dev eth0
	ip -n "$ns" address add "fd77::$(printf '%x' "$host")/64" dev eth0 nodad
}

# await_ready HOST: the switch forwards to it, and its link-local address is there, which the kernel does a little later
await_ready() {
	local i
	for ((i = 0; i < 1000; i++)); do
		if ip -n "$NET-$1" -6 address show dev eth0 -tentative | grep -q fe80 &&
			ip -n "$NET-sw" -d link show "p$1" | grep -q 'state forwarding'; then
			return
		fi
		sleep 0.01
	done
	die "host $1 does not come up"
}

# watch OWNER: in the background, without a descriptor of the caller's
watch() {
	local fd
	(
		for fd in /proc/self/fd/*; do
			fd=${fd##*/}
			[ "$fd" -le 2 ] || eval "exec $fd>&-"
		done
		trap '' HUP INT TERM
		while [ -d "/proc/$1" ] && [ -e "/run/netns/$NET-sw" ]; do
			sleep 0.5
		done
		down
	) </dev/null >/dev/null 2>&1 &
}

up() {
	local n=${1-} owner=${2-} host
	[[ $n =~ ^[1-9][0-9]*$ && $n -le 250 ]] || die "up N OWNER: 1 to 250 hosts"
	[[ $owner =~ ^[1-9][0-9]*$ && -d /proc/$owner ]] || die "up N OWNER: the process whose end is theirs (\$\$)"
	NET=nc$$-$RANDOM
	trap 'down' EXIT
	ip netns add "$NET-sw"
	ip -n "$NET-sw" link add br0 type bridge mcast_snooping 0
	ip -n "$NET-sw" link set br0 up
	for ((host = 1; host <= n; host++)); do
		add_host "$host"
	done
	for ((host = 1; host <= n; host++)); do
		await_ready "$host"
	done
	trap - EXIT
	watch "$owner"
	printf '%s\n' "$NET"
}

down() {
	local file pids
	for file in "/run/netns/$(net)-"*; do
		[ -e "$file" ] || continue
		pids=$(ip netns pids "${file##*/}" 2>/dev/null) || true
		# shellcheck disable=SC2086
		[ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
		ip netns del "${file##*/}" 2>/dev/null || true
	done
}

# filter HOST CHAIN [RULE...]: the only rules of a chain for what arrives at a host
filter() {
	local host=$1 chain=$2
	shift 2
	is_host "$host"
	{
		echo "add table inet net"
		echo "add chain inet net $chain { type filter hook input priority 0; }"
		echo "flush chain inet net $chain"
		[ $# = 0 ] || printf "add rule inet net $chain %s\n" "$@"
	} | in_host "$host" nft -f -
}

loss() {
	local host=${1-} percent=${2-} per_100000
	[[ $percent =~ ^[0-9]+(\.[0-9]+)?$ ]] || die "loss HOST PERCENT"
	per_100000=$(awk -v p="$percent" 'BEGIN { printf "%.0f", p * 1000 }')
	[ "$per_100000" -le 100000 ] || die "loss HOST PERCENT: at most 100"
	if [ "$per_100000" = 0 ]; then
		filter "$host" loss
	elif [ "$per_100000" = 100000 ]; then
		filter "$host" loss "meta l4proto udp counter drop"
	else
		filter "$host" loss "meta l4proto udp numgen random mod 100000 < $per_100000 counter drop"
	fi
}

yes_or_no() {
	[[ ${1-} =~ ^(yes|no)$ ]] || die "yes or no, not '${1-}'"
	[ "$1" = yes ]
}

deaf() {
	local mac
	is_host "${2-}"
	mac=$(printf '02:00:00:77:00:%02x' "$2")
	if yes_or_no "${3-}"; then
		filter "$1" "deaf$2" "ether saddr $mac counter drop"
	else
		filter "$1" "deaf$2"
	fi
}

multicast() {
	if yes_or_no "${2-}"; then
		filter "$1" multicast
	else
		filter "$1" multicast "meta l4proto udp ip daddr 224.0.0.0/4 counter drop" \
			"meta l4proto udp ip6 daddr ff00::/8 counter drop"
	fi
}

mtu() {
	is_host "${1-}"
	in_host sw ip link set "p$1" mtu "$2"
	in_host "$1" ip link set eth0 mtu "$2"
}

# port HOST WORD...: at the switch
port() {
	is_host "${1-}"
	in_host sw ip link set "p$1" "${@:2}"
}

# A bridge without a querier forwards to all, which switches do not; so it is one that asks once, and forgets. It acts
# upon it 10 s after it was told to ask.
snooping() {
	in_host sw ip link set br0 type bridge mcast_snooping 1 mcast_startup_query_count 1 mcast_query_response_interval 10 \
		mcast_membership_interval 100 mcast_query_interval 360000
	in_host sw ip link set br0 type bridge mcast_querier 1
}

offload() {
	local to=on host
	yes_or_no "${1-}" || to=off
	set -- gso $to tso $to gro $to tx-udp-segmentation $to
	# what a device does not have, it refuses, and does not do; what all have is looked at
	for host in $(hosts); do
		in_host "$host" ethtool -K eth0 "$@" >/dev/null 2>&1 || is_offload "$host" eth0 $to
		in_host sw ethtool -K "p$host" "$@" >/dev/null 2>&1 || is_offload sw "p$host" $to
		is_offload "$host" eth0 $to
		is_offload sw "p$host" $to
	done
	in_host sw ethtool -K br0 "$@" >/dev/null 2>&1 || is_offload sw br0 $to
}

# is_offload HOST DEVICE on|off: dies where segments are made, or joined, otherwise
is_offload() {
	local what
	for what in generic-segmentation-offload generic-receive-offload; do
		in_host "$1" ethtool -k "$2" | grep "^$what: $3" >/dev/null || die "$1: $what of $2 is not $3"
	done
}

command=${1-}
[ $# = 0 ] || shift
case $command in
check | run | up | down | loss | deaf | multicast | mtu | snooping | offload) $command "$@" ;;
ip)
	is_host "${1-}"
	printf '10.77.0.%s\n' "$1"
	;;
exec)
	[ "${1-}" = sw ] || is_host "${1-}"
	exec ip netns exec "$(net)-$1" "${@:2}"
	;;
cut) port "${1-}" nomaster ;;
heal) port "${1-}" master br0 ;;
unplug) port "${1-}" down ;;
plug) port "${1-}" up ;;
*) die "there is no command '$command'; the head of this file lists them" ;;
esac
