# cli.bash - what the tests of ncclient share: a directory, a server in it, a terminal, and patience
#
# Each test has a directory of its own, $T, short enough for socket paths. NC_SOCKET names the sockets in it, so that
# `ncclient` alone reaches the server of the test, and none else.

load ../patience

NCSERVER=${TOP_BUILDDIR:?}/ncserver/ncserver
NCCLIENT=$TOP_BUILDDIR/ncclient/ncclient

setup() {
	set_up
}

# needs PROGRAM: without it the test is skipped
needs() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

set_up() {
	bats_require_minimum_version 1.5.0
	T=$(mktemp -d /tmp/nct.XXXXXX)
	PIDS=()
	unset NO_COLOR COLUMNS NOTIFY_SOCKET LISTEN_FDS LISTEN_PID
	export NC_SOCKET="$T/%s.sock" HOME=$T XDG_STATE_HOME=$T/state LC_ALL=C.UTF-8 TERM=xterm TZ=UTC
	cd "$T" || return
}

teardown() {
	local pid
	[ -n "${T-}" ] || return 0
	[ ! -e "$T/tmux" ] || close_terminals
	for pid in "${PIDS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	cd /
	rm -rf "$T"
}

# serve [LINE...]: starts a server with these lines of configuration (A, which reaches B, by default), and waits until it
# is ready. $SERVER is its pid.
serve() {
	[ $# -gt 0 ] || set -- 'channels = { A = { propagatetochannels = "^B$"; }; B = { }; };'
	printf '%s\n' "socket = \"$T/%s.sock\";" "$@" >"$T/conf"
	mkfifo "$T/ready"
	"$NCSERVER" --ready-fd 9 "$T/conf" >>"$T/log" 2>&1 3>&- 9>"$T/ready" &
	SERVER=$!
	PIDS+=("$SERVER")
	timeout 10 head -c 1 "$T/ready" >"$T/said"
	[ -s "$T/said" ]
	rm "$T/ready" "$T/said"
}

ncclient() {
	"$NCCLIENT" "$@"
}

# has FILE TEXT
has() {
	grep -qF -- "$2" "$1"
}

# n_lines FILE N: there are exactly so many
n_lines() {
	[ "$(wc -l <"$1")" = "$2" ]
}

# n_patterns CHANNEL N: clients of the channel that have declared interest
n_patterns() {
	[ "$(ncclient -q clients "$1" --json | jq '[.[] | select(.patterns != [])] | length')" = "$2" ]
}

# hear FILE ARGUMENT...: ncclient listen with these arguments in the background, its output in FILE, its complaints in
# FILE.err; returns when the server knows its pattern. $HEARER is its pid.
hear() {
	local file=$1 channel=$2 before
	shift
	before=$(ncclient clients "$channel" --json | jq '[.[] | select(.patterns != [])] | length')
	"$NCCLIENT" listen "$@" >"$file" 2>"$file.err" 3>&- &
	HEARER=$!
	PIDS+=("$HEARER")
	eventually n_patterns "$channel" $((before + 1))
}

# ended STATUS: the last hear ends by itself, with this status
ended() {
	local status=0
	wait "$HEARER" || status=$?
	[ "$status" = "$1" ]
}

# ---- a terminal of 80x24

# What runs there may write its history at its end, which must come before that of the directory.
close_terminals() {
	local pid pids shells
	shells=$(tmux -S "$T/tmux" list-panes -a -F '#{pane_pid}' 2>/dev/null) || return 0
	pids=$(pgrep -d' ' -P "${shells//$'\n'/,}") || true
	pids+=" $(tmux -S "$T/tmux" display -p '#{pid}')"
	tmux -S "$T/tmux" kill-server || true
	for pid in $shells $pids; do
		eventually is_gone "$pid"
	done
}

# terminal ARGUMENT...: ncclient in it
terminal() {
	# shellcheck disable=SC2016
	tmux -S "$T/tmux" -f /dev/null new-session -d -x 80 -y 24 \
		sh -c 'status=$1; shift; "$@"; echo $? >"$status"; sleep 60' sh "$T/status" "$NCCLIENT" "$@" 3>&-
}

keys() {
	tmux -S "$T/tmux" send-keys "$@"
}

# screen: what stands there
screen() {
	tmux -S "$T/tmux" capture-pane -p
}

# shows TEXT: the screen, within ten seconds
shows() {
	eventually screen_has "$1" || {
		screen
		return 1
	}
}

screen_has() {
	screen | grep -qF -- "$1"
}

# line N: the Nth line of the screen
line() {
	screen | sed -n "$1p"
}

# prompted: the command line waits for the next line
prompted() {
	eventually last_line_is "NC-#:"
}

last_line_is() {
	[ "$(screen | grep . | tail -1)" = "$1" ]
}

# died STATUS: the program in the terminal ends, with this status
died() {
	eventually grep -qx "$1" "$T/status"
}

is_gone() {
	! kill -0 "$1"
}
