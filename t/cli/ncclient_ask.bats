#!/usr/bin/env bats
# ncclient's questions to the server: their answers in every form, and what can go wrong.

load cli

@test "without a server it names the socket that it tried and how to start one" {
	run --separate-stderr ncclient channels
	[ "$status" -eq 69 ]
	[ -z "$output" ]
	[[ ${stderr_lines[0]} == "ncclient: no server of channel \"control\" at $T/control.sock" ]]
	[[ $stderr == *"Start one with 'ncserver'"* ]]
	run --separate-stderr ncclient -q channels
	[ "$status" -eq 69 ]
	[ -z "$stderr" ]
}

@test "without -s and NC_SOCKET it names the usual places" {
	unset NC_SOCKET
	[ "$(id -u)" = 0 ] || skip "another server of this user may be there"
	chmod 755 "$T"
	run --separate-stderr setpriv --reuid=65534 --clear-groups env XDG_RUNTIME_DIR="$T" "$NCCLIENT" channels
	[ "$status" -eq 69 ]
	[[ ${stderr_lines[0]} == *" at $T/netcluster/control.sock, "*"/run/netcluster/control.sock, /var/run/netcluster-control" ]]
	run --separate-stderr ncclient -s "$T/none/%s" channels
	[ "$status" -eq 69 ]
	[[ $stderr == *"$T/none/control"* ]]
}

@test "channels are a table in the order of their names" {
	serve
	run ncclient channels
	[ "$status" -eq 0 ]
	[[ ${lines[0]} =~ ^CHANNEL\ +CLIENTS\ +SUBS\ +PUBL\ +BYTES ]]
	[[ ${lines[1]} == "A "* ]]
	[[ ${lines[2]} == "B "* ]]
	[[ ${lines[3]} == "control "* ]]
	[ "${#lines[@]}" -eq 4 ]
}

# named: the server knows whose client asks it
named() {
	[ "$(ncclient clients control --json | jq -r '.[0].user')" = "$(id -un)" ]
}

@test "clients are shown by the names of their users" {
	serve
	eventually named
	ncclient clients control | grep -qw "$(id -un)"
}

# on_terminal ARGUMENT...: what ncclient prints to a terminal of 80 columns, on which nobody types: script(1) may end before
# its program where its input ends
on_terminal() {
	[ -p silence ] || mkfifo silence
	TERM=dumb script -qec "stty cols 80 rows 24; exec '$NCCLIENT' $*" /dev/null <>silence | tr -d '\r'
}

@test "all tables fit a terminal of 80 columns, and are whole in a file or pipe" {
	serve
	hear out A 'a.rather.long.pattern.that.takes.room.*' --reliable
	for what in channels clients rules stats slow; do
		on_terminal "$what" >table
		[ "$(wc -L <table)" -le 80 ]
	done
	on_terminal clients >table
	cat table
	# it may be cut, but is there
	grep -q '^A .* nccl' table
	refute has table a.rather.long.pattern.that.takes.room
	for what in "on_terminal --wide" ncclient; do
		$what clients >table
		has table a.rather.long.pattern.that.takes.room
	done
}

@test "JSON is the server's answer on one line" {
	serve
	for what in channels clients rules stats slow showconfig "trace A x" "showchannel A"; do
		# shellcheck disable=SC2086
		ncclient --json $what >answer
		n_lines answer 1
		jq -e . answer >/dev/null
	done
	[ "$(ncclient --json channels | jq -c '[.[].name]')" = '["A","B","control"]' ]
	[ "$(ncclient --json trace A x | jq -c .channels)" = '["A","B"]' ]
}

@test "CSV has titles, CRLF, and the same number of fields in each row" {
	serve
	hear out A 'x'
	for what in channels clients rules slow; do
		ncclient --csv "$what" >answer
		[ "$(tr -dc '\r' <answer | wc -c)" = "$(wc -l <answer)" ]
		awk -F, 'NR == 1 { n = NF } NF != n { bad = 1 } END { exit bad }' answer
	done
	[[ $(ncclient --csv channels | head -1) == name,clients,subscriptions,published,* ]]
	[[ $(ncclient --csv stats | tr -d '\r') == *$'\ntotals.flow.dropped_total,0\n'* ]]
	[[ $(ncclient --csv showconfig | tr -d '\r') == *$'\nchannels.A.propagatetochannels,^B$\n'* ]]
}

@test "showconfig prints JSON with tabs, as netcluster's does" {
	serve
	ncclient showconfig >out
	has out $'\t"channels": {'
	jq -e '.channels.A.propagatetochannels == "^B$"' out
}

@test "a client is found by the beginning of its id" {
	serve
	hear out A 'log.>'
	id=$(ncclient showchannel A)
	[ "${#id}" -eq 36 ]
	ncclient showclient A "${id:0:8}" >shown
	has shown "$id"
	has shown "log.>"
	has shown "ncclient listen"
	ncclient showclient A "$id" --json | jq -e '.policy == "drop-oldest"'
	run ncclient showclient A ffff
	[ "$status" -eq 1 ]
	[ "$output" = "ncclient: no client of channel A has the id ffff" ]
	hear out2 A 'y'
	run ncclient showclient A ""
	[ "$status" -eq 1 ]
	[[ $output == *"the ids of 2 clients"* ]]
}

@test "the server's refusal is told, with status 1" {
	serve
	run --separate-stderr ncclient clients nowhere
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ $stderr == *nowhere* ]]
	run ncclient trace A 'a b'
	[ "$status" -eq 65 ]
}

@test "a channel that is not there is told from a server that is not" {
	serve
	run ncclient emit nowhere x
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = "ncclient: no channel nowhere; the server has:" ]
	[ "${lines[1]}" = "  A" ]
}

@test "reloadconfig without a file has the server read its own again" {
	serve
	sed -i 's/B = { };/B = { }; C = { };/' conf
	[ "$(ncclient reloadconfig)" = 'done' ]
	ncclient channels | grep -q '^C '
}

@test "reloadconfig sends the file, in either format, or standard input" {
	serve
	printf 'socket = "%s/%%s.sock";\n/* two */ channels = { A = { }; D = { }; };\n' "$T" >new
	[ "$(ncclient reloadconfig new)" = 'done' ]
	[ "$(ncclient --json channels | jq -c '[.[].name]')" = '["A","D","control"]' ]
	printf '// netcluster\n{"socket":"%s/%%s.sock","channels":{"A":{},"E":{}}}\n' "$T" >new
	[ "$(ncclient reloadconfig - <new)" = 'done' ]
	[ "$(ncclient --json channels | jq -c '[.[].name]')" = '["A","E","control"]' ]
}

@test "a configuration that is refused is told with every problem, and changes nothing" {
	serve
	printf 'chanels = { };\nchannels = { A = { polcy = "block"; }; };\n' >bad
	run --separate-stderr ncclient reloadconfig bad
	[ "$status" -eq 1 ]
	[[ $stderr == *"bad:1:"*chanels* ]]
	[[ $stderr == *"bad:2:"*polcy* ]]
	[ "$(ncclient --json channels | jq -c '[.[].name]')" = '["A","B","control"]' ]
	run ncclient reloadconfig missing
	[ "$status" -eq 66 ]
	printf 'a\0b' >bad
	run ncclient reloadconfig bad
	[ "$status" -eq 65 ]
}

@test "ping tells who answers" {
	serve
	ncclient ping >out
	has out "$T/control.sock"
	ncclient ping A --json | jq -e '.channel == "A" and .round_trip_ms > 0'
}

@test "what one may not ask is denied with status 77" {
	[ "$(id -u)" = 0 ] || skip "only root can ask as another user"
	serve 'channels = { A = { mode = "0600"; }; control = { mode = "0666"; }; };'
	chmod 755 "$T"
	run setpriv --reuid=65534 --clear-groups "$NCCLIENT" emit A x
	[ "$status" -eq 77 ]
	run setpriv --reuid=65534 --clear-groups "$NCCLIENT" channels
	[ "$status" -eq 77 ]
}

@test "a server that does not answer is a timeout" {
	socat UNIX-LISTEN:"$T/control.sock",fork SYSTEM:'sleep 10' 3>&- &
	PIDS+=($!)
	eventually test -S control.sock
	run ncclient -t 200ms channels
	[ "$status" -eq 75 ]
}

@test "wrong usage is told, with status 64" {
	for words in nonsense "channels x" "emit A" "emit" "--jsn channels" "channels --count 3" "-e a() channels" \
		"top" "-o xml channels" "emit A x --text --int 5" "emit A x --lines y" "emit A x --int" "set output json"; do
		# shellcheck disable=SC2086
		run --separate-stderr ncclient $words
		[ "$status" -eq 64 ]
		[ -z "$output" ]
		[[ $stderr == "ncclient: "* ]]
	done
	run ncclient chanels
	[ "$output" = "ncclient: no command chanels; did you mean channels?" ]
}

@test "help and version need no server" {
	ncclient --help >out
	has out "usage: ncclient"
	[[ $(ncclient -V) == "ncclient "[0-9]* ]]
	# shellcheck disable=SC2013 # commands are words
	for command in $(sed -n '/^commands:/,/^$/s/^  \([a-z]*\).*/\1/p' out); do
		ncclient help "$command" >one
		has one "ncclient $command"
		ncclient "$command" --help | cmp - one
	done
	run ncclient help nonsense
	[ "$status" -eq 64 ]
}

@test "an output that cannot be written is an error" {
	serve
	run bash -c "'$NCCLIENT' stats >/dev/full"
	[ "$status" -eq 74 ]
	[ "$output" = "ncclient: cannot write: No space left on device" ]
}

@test "a reader that goes before the answer comes ends it as by SIGPIPE, without a word" {
	serve
	run bash -c "exec 8> >(true); wait \$!; '$NCCLIENT' stats >&8"
	[ "$status" -eq 141 ]
	[ "$output" = "" ]
}

@test "text has escape sequences on a terminal only, and not with NO_COLOR" {
	needs script
	serve
	mkfifo silence
	refute grep -q $'\033' <(ncclient channels)
	script -qec "'$NCCLIENT' channels" /dev/null <>silence | grep -q $'\033\[1m'
	refute grep -q $'\033' <(NO_COLOR=1 script -qec "'$NCCLIENT' channels" /dev/null <>silence)
	refute grep -q $'\033' <(TERM=dumb script -qec "'$NCCLIENT' channels" /dev/null <>silence)
}
