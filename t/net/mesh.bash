# mesh.bash - hosts with a server each, whose clients hear each other (t/net/net.bash makes the hosts)
#
# `load net.bash` and `load mesh.bash`. Host H has its configuration in $T/H.conf, its sockets in $T/H/, and what its server
# logs in $T/out.H. Where MESH_PEERS is not empty, multicast is blocked in all hosts, and the servers reach one another one
# by one. Clients are processes of this side: only sockets are in the hosts.

NCSERVER=${TOP_BUILDDIR:?}/ncserver/ncserver
NCCLIENT=$TOP_BUILDDIR/ncclient/ncclient
NCBENCH=$TOP_BUILDDIR/bench/ncbench
LISTEN=$TOP_BUILDDIR/examples/listen

# What channels there are, unless a test says so.
CHANNELS='channels = { A = { propagatetonet = true; }; };'

# need_mesh N: N hosts and their key; and without multicast if the file says so
need_mesh() {
	local h
	need_hosts "$1"
	N_HOSTS=$1
	"$NCSERVER" --keygen "$T/key" >"$T/key.id"
	[ -z "${MESH_PEERS-}" ] || for ((h = 1; h <= $1; h++)); do hosts multicast "$h" no; done
}

# configure H [LINE...]: host H's configuration, with these lines; channel A by default
configure() {
	local h=$1 p peers=()
	shift
	[ $# -gt 0 ] || set -- "$CHANNELS"
	mkdir -p "$T/$h"
	for ((p = 1; p <= N_HOSTS; p++)); do [ "$p" = "$h" ] || peers+=("\"10.77.0.$p\""); done
	{
		printf '%s\n' "socket = \"$T/$h/%s.sock\";" "host = \"host$h\";" 'interface = "eth0";' 'port = 17088;' \
			"quota = { bytes = 1099511627776L; connection_rate = 1000; };" "$@"
		[[ "$*" == *keys* ]] || echo "keys = [ \"$T/key\" ];"
		[[ "$*" == *addr\ =* ]] || echo 'addr = "239.77.0.88";'
		if [ -n "${MESH_PEERS-}" ]; then
			printf 'peers = [ %s ];\n' "$(IFS=, && echo "${peers[*]}")"
		fi
	} >"$T/$h.conf"
}

# start H: its server, which is ready then; its process is ${SERVER[H]}
start() {
	local h=$1
	rm -f "$T/ready.$h"
	mkfifo "$T/ready.$h"
	"$HOSTS" exec "$h" "$NCSERVER" --ready-fd 9 "$T/$h.conf" >>"$T/out.$h" 2>&1 3>&- 9>"$T/ready.$h" &
	SERVER[h]=$!
	timeout 20 head -c 1 "$T/ready.$h" >"$T/said.$h"
	[ -s "$T/said.$h" ]
}

# stop H: it ends well
stop() {
	kill -TERM "${SERVER[$1]}"
	wait "${SERVER[$1]}"
}

# slay H: SIGKILL
slay() {
	kill -KILL "${SERVER[$1]}"
	wait "${SERVER[$1]}" || true
}

# serve N [LINE...]: hosts 1 to N with these lines, that hear one another
serve() {
	local h n=$1
	shift
	for ((h = 1; h <= n; h++)); do configure "$h" "$@"; done
	for ((h = 1; h <= n; h++)); do start "$h"; done
	for ((h = 1; h <= n; h++)); do wait_for 20 sees "$h" $((n - 1)); done
}

# ask H QUESTION [DATA]: the server's answer, as JSON
ask() {
	printf '{"event":"nc-control-%s","data":%s,"nc":{"id":1}}\0' "$2" "${3-null}" |
		socat -t 5 - "UNIX-CONNECT:$T/$1/control.sock" | tr '\0' '\n' | jq -c 'select(.nc.id == 1) | .data'
}

# tell H QUESTION FILTER [DATA]: what jq makes of the answer
tell() {
	ask "$1" "$2" ${4+"$4"} | jq -r "$3"
}

# is VALUE COMMAND...: that is what the command prints
is() {
	[ "$("${@:2}")" = "$1" ]
}

# at_least VALUE COMMAND...
at_least() {
	local value
	value=$("${@:2}")
	[[ $value =~ ^[0-9]+$ ]] && [ "$value" -ge "$1" ]
}

# sees H N: N hosts are up for it, and each of its reliable lanes has been joined by all of them that bridge the channel
sees() {
	is "$2" tell "$1" peers '[.[] | select(.state == "up")] | length' &&
		is 0 tell "$1" lanes "[.[] | select(.host == null and .class == \"reliable\" and .members < $2)] | length"
}

# knows H OF: the peer that host H has for host OF is the server that runs there now
knows() {
	is "$(tell "$2" net .addr)" tell "$1" peers "[.[] | select(.state == \"up\" and .host == \"host$2\") | .addr] | last"
}

# state H OF: what host OF is for host H
state() {
	tell "$1" peers "[.[] | select(.host == \"host$2\") | .state] | last"
}

# hear NAME H CHANNEL [EVENT]: a native listener; what it hears is in heard.NAME, what it lost in lost.NAME
hear() {
	local n
	n=$(listeners "$2" "$3")
	NC_SOCKET=$T/$2/%s.sock "$LISTEN" "$3" "${4:->}" >"heard.$1" 2>"lost.$1" 3>&- &
	HEARER[$1]=$!
	CLIENTS+=("$!")
	eventually at_least $((n + 1)) listeners "$2" "$3"
}
declare -A HEARER

# listeners H CHANNEL: how many there are
listeners() {
	tell "$1" clients "[.[] | select(.channel == \"$2\" and (.patterns | length) > 0)] | length"
}

# heard NAME EVENT: how often
heard() {
	cut -f 1 "heard.$1" | grep -c "/$2\$" || true
}

# emit H CHANNEL EVENT [DATA]
emit() {
	"$NCCLIENT" -s "$T/$1/%s.sock" emit "$2" "$3" ${4+"$4"}
}

# json H CHANNEL PACKET...: by a JSON client that emits and goes
json() {
	printf '%s\0' "${@:3}" | socat -u - "UNIX-CONNECT:$T/$1/$2.sock"
}

# numbered H CHANNEL EVENT FROM TO: native messages with these numbers
numbered() {
	seq "$4" "$5" | "$NCCLIENT" -s "$T/$1/%s.sock" emit --lines "$2" "$3"
}

# load_of FROM "TO..." [ARGUMENT...]: ncbench between hosts, which checks order and content of every message
load_of() {
	local far=() h
	for h in $2; do far+=("--far=$T/$h/A.sock"); done
	"$NCBENCH" -s "$T/$1/%s.sock" "${far[@]}" -c A -S "${#far[@]}" "${@:3}"
}

# log_has H TEXT
log_has() {
	grep -qF -- "$2" "$T/out.$1"
}

# rss H: the server's resident memory in KiB
rss() {
	awk '/^VmRSS/ { print $2 }' "/proc/${SERVER[$1]}/status"
}

# Whether the server was built without sanitizers, which need memory of their own.
is_unsanitized() {
	! grep -q '^NC_CFLAGS=.*-fsanitize=' "$TOP_BUILDDIR/config.log"
}
