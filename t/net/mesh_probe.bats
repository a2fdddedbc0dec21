#!/usr/bin/env bats
# What an operator is told about the network: each thing that can be wrong with it, and what to do.

load net.bash
load mesh.bash
load mesh_core.bash

# probe H: what is said of the network, in out.probe
probe() {
	"$NCCLIENT" -s "$T/$1/%s.sock" probe >out.probe
}

# advised H TEXT...: within half a minute host H says that nothing works, with all of these in one advice
advised() {
	local h=$1 text end=$((SECONDS + 30)) line
	shift
	while [ $SECONDS -lt $end ]; do
		probe "$h"
		if grep -q '^works  *no' out.probe; then
			while read -r line; do
				for text in "$@"; do [[ $line == *"$text"* ]] || continue 2; done
				return 0
			done < <(grep '^- ' out.probe)
		fi
		sleep 0.2
	done
	cat out.probe
	return 1
}

# fine H N: host H says that all is well, with N others
fine() {
	local h=$1 end=$((SECONDS + 30))
	while [ $SECONDS -lt $end ]; do
		probe "$h"
		if grep -q '^works  *yes' out.probe && grep -q "^hosts  *$2" out.probe &&
			grep -q 'nothing is wrong' out.probe; then return 0; fi
	done
	cat out.probe
	return 1
}

# two: hosts 1 and 2, with a configuration each
two() {
	need_mesh 2
	hosts offload no
	for h in 1 2; do configure $h "$QUICK" "$CHANNELS"; done
}

# rule H [RULE]: what a firewall of host H stops of what comes; without a rule nothing
rule() {
	local h=$1
	shift
	hosts exec "$h" nft -f - <<-END
		add table inet fw
		add chain inet fw in { type filter hook input priority 0; }
		flush chain inet fw in
		${1:+add rule inet fw in $1}
	END
}

@test "where all is well it says so" {
	two
	for h in 1 2; do start $h; done
	for h in 1 2; do fine $h 1; done
	is 1 tell 1 probe .by_multicast
}

@test "soon after the start the log says how the network is" {
	two
	start 1
	eventually grep -q 'level=info msg="no other host is here yet" .*no other host is heard on eth0' out.1
	start 2
	eventually grep -q 'level=info msg="the network works" hosts=1 by_multicast=1' out.2
	for h in 1 2; do stop $h; done
	rule 2 "ip daddr 239.77.0.88 drop"
	for h in 1 2; do start $h; done
	eventually grep -q 'level=warning msg="the network does not work as it should" .*get through the firewall of this host' out.2
	eventually grep -q 'level=info msg="the network works" hosts=1 by_multicast=1' out.1
	refute grep -q 'does not work' out.1
}

@test "nobody else is there" {
	two
	start 1
	advised 1 "no other host is heard on eth0" "same addr, port, cluster and keys" "IGMP snooping" querier peers
	# that is no reason to suspect this host's own firewall
	refute grep -q firewall out.probe
}

@test "a switch with IGMP snooping, and no querier" {
	two
	for h in 1 2; do start $h; done
	fine 1 1
	hosts snooping
	for h in 1 2; do advised $h "host$((3 - h)) can be reached" "IGMP snooping and without a querier" \
		"give the network a querier" '"peers"'; done
	refute grep -q "firewall of this host" out.probe
	# and a querier mends it
	hosts exec sw ip link set br0 type bridge mcast_query_interval 50 mcast_membership_interval 1000 mcast_querier 0
	hosts exec sw ip link set br0 type bridge mcast_querier 1
	for h in 1 2; do fine $h 1; done
}

@test "an interface without an address, at the start and later" {
	two
	hosts exec 1 ip address del 10.77.0.1/24 dev eth0
	for h in 1 2; do start $h; done
	advised 1 'interface "eth0" has no IPv4 address'
	hosts exec 1 ip address add 10.77.0.1/24 dev eth0
	for h in 1 2; do fine $h 1; done
	hosts unplug 1
	advised 1 "no carrier"
	hosts plug 1
	for h in 1 2; do fine $h 1; done
}

@test "another interface than that of the others" {
	two
	hosts exec 1 ip link add eth1 type veth peer name far1
	hosts exec 1 ip address add 10.78.0.1/24 dev eth1
	for link in eth1 far1; do hosts exec 1 ip link set $link up; done
	sed -i 's/^interface = .*/interface = "eth1";/' 1.conf
	start 1
	advised 1 "no other host is heard on eth1" "other interfaces" "eth0 (10.77.0.1)"
	start 2
	advised 1 "239.77.0.88 is heard on the interface eth0 (10.77.0.1)" "speaks on eth1" 'set "interface"'
	advised 2 "no other host is heard on eth0"
	sed -i 's/^interface = .*/interface = "eth0";/' 1.conf
	stop 1
	start 1
	for h in 1 2; do fine $h 1; done
}

@test "a firewall that stops the group, or its port, but not what comes to the host alone" {
	two
	rule 2 "udp dport 17088 drop"
	for h in 1 2; do start $h; done
	advised 2 "does not get through the firewall of this host" "allow UDP to 239.77.0.88 port 17088 on eth0"
	is up state 2 1
	# the other way all comes
	fine 1 1
	rule 2 "ip daddr 239.77.0.88 drop"
	advised 2 "does not get through the firewall of this host"
	rule 2
	fine 2 1
}

@test "and with IPv6" {
	two
	for h in 1 2; do configure $h "$QUICK" 'addr = "ff15::7788";' "$CHANNELS"; done
	for h in 1 2; do start $h; done
	for h in 1 2; do fine $h 1; done
	rule 2 "ip6 daddr ff15::7788 drop"
	advised 2 "does not get through the firewall of this host" "allow UDP to ff15::7788 port 17088 on eth0"
	stop 1
	stop 2
	rule 2
	# the others are on another interface than this one
	hosts exec 1 ip link add eth1 type veth peer name far1
	hosts exec 1 ip address add fd78::1/64 dev eth1 nodad
	for link in eth1 far1; do hosts exec 1 ip link set $link up; done
	sed -i 's/^interface = .*/interface = "eth1";/' 1.conf
	for h in 1 2; do start $h; done
	advised 1 "ff15::7788 is heard on the interface eth0 (" "speaks on eth1" 'set "interface"'
}

@test "a firewall that stops everything that comes" {
	two
	rule 2 "meta l4proto udp drop"
	for h in 1 2; do start $h; done
	advised 2 "does not get through the firewall of this host"
	advised 1 "10.77.0.2:" "can be heard, but does not answer" firewall
	rule 2
	for h in 1 2; do fine $h 1; done
	# and when they know each other
	rule 2 "meta l4proto udp drop"
	advised 1 "host2 can be heard, but does not hear this host" "firewall there"
	advised 2 "does not get through the firewall of this host"
}

@test "a firewall that stops what this host sends" {
	two
	hosts exec 1 nft 'add table inet fw; add chain inet fw out { type filter hook output priority 0; };
		add rule inet fw out meta l4proto udp drop'
	for h in 1 2; do start $h; done
	advised 1 "a firewall of this host refuses what it sends" 239.77.0.88
	advised 2 "no other host is heard"
}

@test "a way that takes less than the hosts send" {
	two
	for h in 1 2; do hosts mtu $h 9000; done
	# the hosts know nothing of it
	hosts exec sw ip link set p2 mtu 1500
	for h in 1 2; do start $h; done
	advised 1 "datagrams of 8972 bytes do not pass between here and host2" MTU "net_mtu" "does pass, 1472, on all hosts"
	advised 2 "between here and host1" "does pass, 1472,"
	is "refused: MTU" state 1 2
	for h in 1 2; do
		stop $h
		configure $h "$QUICK" 'net_mtu = 1472;' "$CHANNELS"
		start $h
	done
	for h in 1 2; do fine $h 1; done
}

@test "another key, another cluster, and the same name" {
	need_mesh 3
	"$NCSERVER" --keygen "$T/other" >/dev/null
	configure 1 "$QUICK" "$CHANNELS"
	configure 2 "$QUICK" "keys = [ \"$T/other\" ];" "$CHANNELS"
	configure 3 "$QUICK" 'cluster = "other";' "$CHANNELS"
	for h in 1 2 3; do start $h; done
	advised 1 "a key that this host does not hold" "keys()"
	advised 1 "do not open with the key that they name" cluster
	stop 2
	stop 3
	configure 2 "$QUICK" "$CHANNELS"
	sed -i 's/host2/host1/' 2.conf
	start 2
	advised 1 "two hosts are named host1" '"host"'
	# what has passed is not complained of for ever
	refute grep -q 'a key that' out.probe
}

@test "a list of hosts, of which none answers" {
	need_mesh 2
	for h in 1 2; do
		configure $h "$QUICK" "$CHANNELS"
		echo "peers = [ \"10.77.0.$((3 - h))\" ];" >>$h.conf
	done
	start 1
	advised 1 'nothing comes from any of the "peers"' "with this host among theirs" "UDP to port 17088"
	start 2
	fine 1 1
	rule 2 "udp dport 17088 drop"
	advised 2 'nothing comes from any of the "peers"'
	advised 1 "host2 can be heard, but does not hear this host"
}

@test "a server that takes part in no network" {
	need_mesh 1
	configure 1 'channels = { A = { }; };'
	start 1
	advised 1 "takes part in no network"
	is false tell 1 probe .works
}
