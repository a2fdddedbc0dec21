# server.bash - what the tests of the daemon share: a directory, a server in it, and patience
#
# Each test has a directory of its own, $T, short enough for socket paths; its servers are $SERVER (the last one) and
# all in $PIDS, and are killed at the end of the test.

load ../patience

NCSERVER=${TOP_BUILDDIR:?}/ncserver/ncserver
AGENT=$TOP_BUILDDIR/t/server/agent
ACTIVATE=$TOP_BUILDDIR/t/server/activate

setup() {
	T=$(mktemp -d /tmp/nct.XXXXXX)
	PIDS=()
	unset NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID LISTEN_FDS LISTEN_PID LISTEN_FDNAMES JOURNAL_STREAM
	cd "$T" || return
}

teardown() {
	local pid
	for pid in "${PIDS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	if [ -n "${BATS_ERROR_STATUS:-}" ] && [ "${BATS_ERROR_STATUS:-0}" != 0 ]; then
		sed 's/^/# server: /' "$T"/log* 2>/dev/null || true
	fi
	cd /
	rm -rf "$T"
}

# conf FILE [LINE...]: a configuration whose sockets stand in $T, with these lines; channels A and B by default
conf() {
	local file=$1
	shift
	[ $# -gt 0 ] || set -- 'channels = { A = { propagatetochannels = "^B$"; }; B = { }; };'
	printf '%s\n' "socket = \"$T/%s.sock\";" "$@" >"$file"
}

# launch [ARGUMENT...]: starts a server and does not wait for it
launch() {
	"$NCSERVER" "$@" >>"$T/out" 2>>"$T/log" 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
}

# start [ARGUMENT...]: starts a server, and waits until it says that it is ready
start() {
	local ready=$T/ready.$RANDOM
	mkfifo "$ready"
	"$NCSERVER" --ready-fd 9 "$@" >>"$T/out" 2>>"$T/log" 3>&- 9>"$ready" &
	SERVER=$!
	PIDS+=("$SERVER")
	timeout 10 head -c 1 "$ready" >"$ready.said"
	[ -s "$ready.said" ]
	rm -f "$ready" "$ready.said"
	BASE=$(sockets)
}

# stop: SIGTERM, and the server's exit status must be 0
stop() {
	kill -TERM "$SERVER"
	wait "$SERVER"
}

# sockets: those that the server has open; $BASE of them when it has no client
sockets() {
	find "/proc/$SERVER/fd" -lname 'socket:*' 2>/dev/null | wc -l
}

# clients N: the server has at least N connections
clients() {
	[ $(($(sockets) - BASE)) -ge "$1" ]
}

# alone N: it has at most N
alone() {
	[ $(($(sockets) - BASE)) -le "$1" ]
}

# hear CHANNEL FILE: a plain listener, in the background; returns when the server has it, and nobody else comes or goes
# meanwhile. $HEARER is its pid.
hear() {
	local n=$(($(sockets) - BASE + 1))
	socat -u "UNIX-CONNECT:$T/$1.sock" "CREATE:$2" 3>&- &
	HEARER=$!
	PIDS+=("$HEARER")
	eventually clients $n
	decided
}

# decided: the server takes each connection that is silent for a JSON listener by now
decided() {
	local n
	n=$(sockets)
	eventually none_is_undecided
	# that question's own connection is gone again
	eventually has_sockets "$n"
}

none_is_undecided() {
	printf '{"event":"nc-control-clients","nc":{"id":1}}\0' | socat -t 5 - "UNIX-CONNECT:$T/control.sock" |
		tr '\0' '\n' | jq -se 'map(select(.nc.id == 1) | .data[].dialect) | length > 0 and all(. != "undecided")'
}

# has_sockets N: the server has at most N open
has_sockets() {
	[ "$(sockets)" -le "$1" ]
}

# switches: how often the server has gone to sleep
switches() {
	sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "/proc/$SERVER/status"
}

# ticks: the processor time that it has taken, in hundredths of a second
ticks() {
	awk '{ print $14 + $15 }' "/proc/$SERVER/stat"
}

# rests SECONDS SWITCHES TICKS: for so long it does nothing, but for a few wake-ups and ticks
rests() {
	local n t
	n=$(switches) t=$(ticks)
	sleep "$1"
	[ $(($(switches) - n)) -le "$2" ] && [ $(($(ticks) - t)) -le "$3" ]
}

# say CHANNEL PACKET...: a client that emits packets and goes
say() {
	local channel=$1
	shift
	printf '%s\0' "$@" | socat -u - "UNIX-CONNECT:$T/$channel.sock"
}

# heard FILE: packets, a line each
heard() {
	tr '\0' '\n' <"$1"
}

# has FILE TEXT
has() {
	grep -qF -- "$2" "$1"
}

is_gone() {
	! kill -0 "$1"
}

# Whether the server was built without sanitizers, which need memory of their own.
is_unsanitized() {
	! grep -q '^NC_CFLAGS=.*-fsanitize=' "$TOP_BUILDDIR/config.log"
}
