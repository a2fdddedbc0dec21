# mesh_core.bash - what hosts promise one another, as functions: mesh*.bats run them by multicast, and by a list of hosts

# A busy machine must not make a client, or a host, one that is too slow.
PATIENT='block_timeout = "1 min";'
PATIENT_NET='net_block_timeout = "1 min";'

# lost NAME: messages, according to the listener
lost() {
	sed -nE 's/^listen: (about )?([0-9]+) messages lost here.*/\2/p' "lost.$1" | awk '{ n += $1 } END { print n + 0 }'
}

# sum NAME: how many messages were heard, and how many are known to be lost
sum() {
	echo $(($(wc -l <"heard.$1") + $(lost "$1")))
}

# data NAME EVENT: what it bore, a line each
data() {
	grep -P "^\w+/$2\t" "heard.$1" | cut -f 3
}

# is_seq NAME EVENT FROM TO: these numbers, each once, in order
is_seq() {
	cmp <(data "$1" "$2") <(seq "$3" "$4")
}

# --- events --------------------------------------------------------------------------------------------------------

every_dialect_is_heard_once() {
	local h
	need_mesh 3
	serve 3 'channels = { A = { propagatetonet = true; fifo = true; }; P = { fifo = true; }; };'
	for h in 2 3; do
		hear $h $h A
		hear P$h $h P
	done
	socat -u "UNIX-CONNECT:$T/2/A.sock" CREATE:json.A 3>&- &
	socat -u "UNIX-CONNECT:$T/2/control.sock" CREATE:json.control 3>&- &
	eventually at_least 1 tell 2 clients '[.[] | select(.channel == "A" and .dialect == "json")] | length'
	eventually at_least 2 tell 2 clients '[.[] | select(.channel == "control" and .dialect == "json")] | length'
	emit 1 P inside 1
	json 1 control '{"event":"c","data":1}'
	emit 1 A native '{"x":[1,2]}'
	json 1 A '{"event":"json","data":"ä\u0000"}'
	echo '{"event":"fifo","data":3}' >"$T/1/A.fifo"
	for h in 2 3; do for e in native json fifo; do eventually is 1 heard $h $e; done; done
	emit 1 A end
	for h in 2 3; do
		eventually is 1 heard $h end
		[ "$(wc -l <heard.$h)" = 4 ]
		[ "$(data $h native)" = '{"x":[1,2]}' ]
		[ "$(data $h json)" = '"ä\u0000"' ]
		[ "$(data $h fifo)" = 3 ]
		[ ! -s heard.P$h ]
		is 4 tell $h net .session.messages_in
		is 0 tell $h net .session.messages_out
	done
	eventually grep -q '"end"' json.A
	[ "$(tr '\0' '\n' <json.A | jq -r .event | sort | tr '\n' ' ')" = "end fifo json native " ]
	[ ! -s json.control ]
	is 4 tell 1 net .session.messages_out
	# by which way they came
	is "$([ -n "${MESH_PEERS-}" ] && echo null || echo 239.77.0.88:17088)" tell 1 net .group
	is "$([ -n "${MESH_PEERS-}" ] && echo 0 || echo 2)" tell 1 probe .by_multicast
}

rules_cannot_amplify() {
	local h c n=$1 rule='{ propagatetonet = true; propagatetochannels = ".*"; propagatefromnet = true; }'
	need_mesh "$n"
	serve "$n" "channels = { A = $rule; B = $rule; };"
	for ((h = 1; h <= n; h++)); do for c in A B; do hear $c$h "$h" $c; done; done
	numbered 1 A x 1 50 &
	numbered 2 B y 1 50
	wait $!
	for ((h = 1; h <= n; h++)); do for c in A B; do
		eventually is 100 sum $c$h
		is_seq $c$h x 1 50
		is_seq $c$h y 1 50
	done; done
	for ((h = 1; h <= n; h++)); do
		is $((h < 3 ? 50 : 0)) tell "$h" net .session.messages_out
		is $((h < 3 ? 50 : 100)) tell "$h" net .session.messages_in
		for c in A B; do [ "$(wc -l <heard.$c$h)" = 100 ]; done
	done
}

strangers_hear_nothing() {
	local h
	need_mesh 4
	"$NCSERVER" --keygen "$T/other" >/dev/null
	configure 1
	configure 2
	configure 3 'cluster = "other";' "$CHANNELS"
	configure 4 "keys = [ \"$T/other\" ];" "$CHANNELS"
	for h in 1 2 3 4; do start $h; done
	wait_for 20 sees 1 1
	for h in 2 3 4; do hear $h $h A; done
	numbered 1 A x 1 100
	eventually is 100 sum 2
	is_seq 2 x 1 100
	for h in 3 4; do
		[ ! -s heard.$h ]
		is 0 tell $h peers length
	done
	is 1 tell 1 peers length
	at_least 1 tell 3 net .session.dropped.auth
	at_least 1 tell 4 net .session.dropped.key
	for h in 3 4; do refute log_has $h 'level=warning'; done
}

is_heard() {
	[ "$(heard "$1" "$2")" -gt 0 ]
}

best_effort_tells_what_is_missing() {
	local last k=0 n=20000
	need_mesh 2
	hosts offload no
	serve 2 'channels = { A = { propagatetonet = "best-effort"; }; };'
	hear 2 2 A
	hosts loss 2 5
	# hundreds of datagrams: that none is lost does not happen
	numbered 1 A x 1 $n
	until is_heard 2 end; do
		[ $((++k)) -lt 200 ]
		emit 1 A end $k
		sleep 0.05
	done
	hosts loss 2 0
	# the last one that was emitted may still be on its way
	adds_up() {
		last=$(data 2 end | tail -n 1)
		[ "$(sum 2)" = $((n + last)) ]
	}
	eventually adds_up
	[ "$(data 2 x | wc -l)" -lt $n ]
	refute grep -q about lost.2
	data 2 x | sort -n -C -u
}

an_answer_comes_back() {
	need_mesh 2
	serve 2 "$PATIENT_NET channels = { A = { propagatetonet = true; }; };"
	"$NCBENCH" -s "$T/1/%s.sock" --far="$T/2/A.sock" -c A -n 300 latency
	"$NCBENCH" -s "$T/2/%s.sock" --far="$T/1/A.sock" -c A -n 300 -b 100000 latency
	"$NCBENCH" -s "$T/1/%s.sock" --far="$T/2/A.sock" -c A -n 300 --to=json latency
	is 0 tell 1 net .session.gaps
	is 0 tell 2 net .session.gaps
}

# --- loss ----------------------------------------------------------------------------------------------------------

# Twenty thousand messages of three sizes at once, of as many publishers, to each host; what comes back is lost as well.
survives_loss() {
	local h b pids=()
	need_mesh 3
	hosts offload no
	serve 3 "$PATIENT_NET" "channels = { A = { propagatetonet = true; $PATIENT }; };"
	for h in 1 2 3; do hosts loss $h "$1"; done
	for b in 64:12000 1024:7000 9000:1000; do
		load_of 1 "2 3" -e "of-${b%:*}" -b "${b%:*}" -n "${b#*:}" throughput >"load.$b" 2>&1 &
		pids+=($!)
	done
	for h in "${pids[@]}"; do wait "$h" || { cat load.*; return 1; }; done
	cat load.*
	at_least 1 tell 1 net .session.repairs_out
	for h in 2 3; do is 0 tell $h net .session.gaps; done
}

# --- hosts that come and go ----------------------------------------------------------------------------------------

# Who is gone is known to be, soon.
QUICK='net_announce = "250 ms"; net_liveness = "2 s"; net_block_timeout = "1 s";'

a_host_is_cut_off_and_returns() {
	need_mesh 3
	serve 3 "$QUICK" "$CHANNELS"
	hear 2 2 A
	hear 3 3 A
	numbered 1 A x 1 100
	eventually is 100 sum 2
	hosts cut 2
	numbered 1 A x 101 300
	wait_for 20 is gone state 1 2
	wait_for 20 is gone state 2 1
	numbered 1 A x 301 400
	hosts heal 2
	wait_for 30 sees 1 2
	numbered 1 A x 401 500
	eventually is 500 sum 3
	is_seq 3 x 1 500
	eventually is 500 sum 2
	[ "$(grep -c 'lost here' lost.2)" = 1 ]
	refute grep -q about lost.2
	cmp <(data 2 x) <(seq 1 100; seq 401 500)
}

# is_connected NAME: the listener
is_connected() {
	tail -n 1 "lost.$1" | grep -q 'connected to'
}

a_host_is_killed_and_restarted() {
	need_mesh 3
	serve 3 "$QUICK" "$CHANNELS"
	hear 2 2 A
	hear 3 3 A
	numbered 1 A x 1 1000
	eventually is 1000 sum 3
	slay 2
	# while it is away
	numbered 1 A x 1001 1100
	start 2
	wait_for 30 sees 1 2
	wait_for 30 sees 2 2
	eventually is_connected 2
	slay 1
	start 1
	wait_for 30 sees 1 2
	numbered 1 A y 1 100
	for h in 2 3; do
		eventually is 100 heard $h y
		is_seq $h y 1 100
	done
	is_seq 3 x 1 1100
	is_seq 2 x 1 "$(data 2 x | tail -n 1)"
	is 1 tell 3 peers '[.[] | select(.host == "host1" and .state == "up")] | length'
}

a_clean_stop_drains() {
	need_mesh 3
	serve 3 'net_rate = "2 Mbit"; drain_timeout = "1 min";' "$PATIENT_NET" "$CHANNELS"
	hear 2 2 A
	hear 3 3 A
	numbered 1 A x 1 4000
	stop 1
	for h in 2 3; do
		eventually is 4000 sum $h
		is_seq $h x 1 4000
		eventually is left state $h 1
	done
}

another_mtu_is_refused() {
	need_mesh 3
	hosts offload no
	hosts mtu 1 9000
	hosts mtu 3 9000
	for h in 1 2 3; do configure $h; done
	for h in 1 2 3; do start $h; done
	wait_for 20 sees 1 1
	wait_for 20 grep -E 'host=host2 state="refused: MTU".* passes=1472' out.1
	wait_for 20 grep -E 'host=host1 state="refused: MTU".* passes=1472' out.2
	hear 2 2 A
	hear 3 3 A
	emit 1 A x 1
	eventually is 1 heard 3 x
	[ ! -s heard.2 ]
	tell 1 probe '.advice[]' | grep -F 'net_mtu'
	# and so they are taken
	for h in 1 3; do
		stop $h
		configure $h 'net_mtu = 1472;' "$CHANNELS"
		start $h
	done
	wait_for 20 sees 1 2
	eventually is_connected 3
	emit 1 A y 1
	for h in 2 3; do eventually is 1 heard $h y; done
}

a_tiny_socket_buffer_will_do() {
	need_mesh 3
	serve 3 "$PATIENT_NET" 'net_rcvbuf = 8192;' "channels = { A = { propagatetonet = true; $PATIENT }; };"
	load_of 1 "2 3" -b 1024 -n 20000 throughput
	for h in 2 3; do is 0 tell $h net .session.gaps; done
}

eight_hosts() {
	local h e
	need_mesh 8
	serve 8 "$PATIENT_NET" "channels = { A = { propagatetonet = true; $PATIENT }; };"
	for ((h = 1; h <= 8; h++)); do hear $h $h A; done
	for ((e = 1; e <= 8; e++)); do numbered $e A from$e 1 50 & done
	for ((h = 1; h <= 8; h++)); do
		wait_for 20 is 400 sum $h
		for ((e = 1; e <= 8; e++)); do is_seq $h from$e 1 50; done
	done
	load_of 1 "2 3 4 5 6 7 8" -e load -b 1024 -n 2000 throughput
}
