#!/usr/bin/env bats
# ncclient emit and listen.

load cli

@test "what is emitted is heard, with its type, on every channel it reaches" {
	serve
	hear a A 'log.*' --count 5 --json
	A=$HEARER
	hear b B '>' --count 5 --json
	ncclient emit A log.json '{"x": [1, 2],
	"y": "z"}'
	ncclient emit A log.text --text 'say "hé"'
	ncclient emit A log.int --int -9223372036854775808
	ncclient emit A log.double --double 0.1
	ncclient emit A log.none
	ended 0
	wait "$A"
	for file in a b; do
		[ "$(jq -c '[.event, .type, .data]' "$file")" = '["log.json","json",{"x":[1,2],"y":"z"}]
["log.text","text","say \"hé\""]
["log.int","int",-9223372036854775808]
["log.double","double",0.1]
["log.none","empty",null]' ] || grep -q -- '"data":-9223372036854775808,' "$file"
		[ "$(jq -c .channel "$file" | sort -u)" = '"A"' ]
		jq -e '.sender.uid == '"$(id -u)"' and (.sender.host | length > 0) and .at_ms > 1e12' "$file" >/dev/null
	done
}

@test "integers of 64 bits are printed in full" {
	serve
	hear out A '>' --count 3
	ncclient emit A x --int 9223372036854775807
	ncclient emit A x 18446744073709551615
	ncclient emit A x --int 0x7f
	ended 0
	[ "$(cut -d' ' -f2- out)" = 'A x 9223372036854775807
A x 18446744073709551615
A x 127' ]
}

@test "bytes come from a word, a file, or standard input, and back out as they were" {
	serve
	hear out A 'b' --count 3 --raw
	head -c 100000 /dev/urandom >blob
	ncclient emit A b --bytes @blob
	ncclient emit A b --bytes - <blob
	ncclient emit A b --bytes @@x
	ended 0
	cat blob blob <(printf @x) | cmp - out
}

@test "bytes are base64 in JSON" {
	serve
	hear out A 'b' --count 3 --json
	for text in M Ma Man; do printf %s "$text" | ncclient emit A b --bytes -; done
	ended 0
	[ "$(jq -r '.data["$bytes"]' out | paste -sd' ')" = "TQ== TWE= TWFu" ]
}

@test "text from standard input loses its last newline and nothing else" {
	serve
	hear out A 't' --count 2 --json
	printf 'a\n\n' | ncclient emit A t --text -
	printf 'b' | ncclient emit A t --text -
	ended 0
	[ "$(jq -c .data out | paste -sd' ')" = '"a\n" "b"' ]
}

@test "each line of standard input becomes an event, in order and without loss" {
	serve
	hear out A 'n' --count 20001 --raw --reliable
	{
		seq 1 20000
		printf '\n{"last": true}'
	} | ncclient emit A n --lines
	ended 0
	{
		seq 1 20000
		echo '{"last":true}'
	} | cmp - out
}

@test "lines are emitted as they come" {
	serve
	hear out A 'n' --raw
	mkfifo in
	"$NCCLIENT" emit A n -l --text <in 3>&- &
	PIDS+=($!)
	exec 8>in
	echo one >&8
	eventually n_lines out 1
	echo two >&8
	eventually n_lines out 2
	exec 8>&-
	wait "${PIDS[-1]}"
	[ "$(cat out)" = $'one\ntwo' ]
}

@test "a bad line is told with its number and ends it, or is left out with -k" {
	serve
	hear out A 'n' --raw
	run ncclient emit A n -l <<<$'1\n{"a" 2}\n3'
	[ "$status" -eq 65 ]
	[ "$output" = "ncclient: line 2: column 6: expected ':', not '2'" ]
	eventually n_lines out 1
	run ncclient emit A n -l -k <<<$'4\nx\n5'
	[ "$status" -eq 65 ]
	eventually n_lines out 3
	[ "$(paste -sd' ' out)" = "1 4 5" ]
}

@test "data that is not what it should be is refused before it is sent" {
	serve
	check() {
		run ncclient emit A x "$@"
		[ "$status" -eq 65 ]
		[[ $output == "ncclient: data: "* ]]
	}
	check '{"a":1,}'
	check "'single'"
	check "{a:1}"
	check --int 1.5
	check --int 9223372036854775808
	check --int ''
	check --double 1x
	check --bool yes
	check --text $'\xff'
	run ncclient emit A x '{"a":
  nope}'
	[ "$output" = "ncclient: data: line 2, column 3: expected a value (text needs quotes), not 'nope'" ]
	run ncclient emit A x @missing
	[ "$status" -eq 66 ]
	[ "$(ncclient --json channels | jq '.[0].published')" = 0 ]
}

@test "illegal names and reserved events are data errors" {
	serve
	# shellcheck disable=SC2016 # a name that is refused
	for event in '' 'a b' 'a..b' 'a.*' 'nc.gap' '$x'; do
		run ncclient emit A "$event"
		[ "$status" -eq 65 ]
	done
	run ncclient emit 'a/b' x
	[ "$status" -eq 65 ]
	run ncclient listen A 'a.>.b'
	[ "$status" -eq 65 ]
}

@test "data that is too large is refused with its limit" {
	serve 'max_message = 4096; channels = { A = { }; };'
	head -c 4096 /dev/zero | tr '\0' x >fits
	ncclient emit A x --bytes @fits
	echo x >>fits
	run ncclient emit A x --bytes @fits
	[ "$status" -eq 65 ]
	[[ $output == *4096* ]]
	run ncclient emit A x --lines --text <fits
	[ "$status" -eq 65 ]
	[[ $output == *4096* ]]
}

@test "what the server refuses is told when the command ends" {
	[ "$(id -u)" = 0 ] || skip "only root can emit as another user"
	serve 'channels = { A = { mode = "0666"; emit = ["root"]; }; };'
	chmod 755 "$T"
	run setpriv --reuid=65534 --clear-groups "$NCCLIENT" emit A x 1
	[ "$status" -eq 77 ]
	[ "$(ncclient --json channels | jq '.[0].published')" = 0 ]
}

@test "listen ends after its count, or with a timeout before it" {
	serve
	run --separate-stderr ncclient listen A --count 1 -t 200ms
	[ "$status" -eq 75 ]
	[[ $stderr == *"heard 0 of 1 in time"* ]]
	run ncclient listen A -t 200ms
	[ "$status" -eq 0 ]
	hear out A '>' --count 2
	seq 1 10 | ncclient emit A x -l
	ended 0
	n_lines out 2
}

@test "listen ends quietly when nobody reads its output" {
	serve
	mkfifo pipe
	head -1 pipe >first 3>&- &
	reader=$!
	hear pipe A
	ncclient emit A x 1
	wait "$reader"
	# even if nothing is ever heard again
	wait "$HEARER" || [ $? -eq 141 ]
	[ "$(cut -d' ' -f2- first)" = "A x 1" ]
	[ ! -s pipe.err ]
}

@test "emit needs nobody to read its output" {
	serve
	hear out A n --raw
	seq 3 | ncclient emit A n -l | true
	eventually n_lines out 3
}

@test "SIGINT ends listen with status 130, SIGTERM with 143, and what was heard is written" {
	serve
	for pair in INT:130 TERM:143; do
		# a shell lets its background jobs ignore SIGINT
		env --default-signal=INT "$NCCLIENT" listen A >out 2>err 3>&- &
		HEARER=$!
		PIDS+=("$HEARER")
		eventually n_patterns A 1
		ncclient emit A x 1
		eventually n_lines out 1
		kill -"${pair%:*}" "$HEARER"
		ended "${pair#*:}"
		[ ! -s err ]
		eventually n_patterns A 0
	done
}

# last_is FILE TEXT: its last line
last_is() {
	[ "$(tail -n 1 "$1")" = "$2" ]
}

@test "a listener that is stopped does not hold up the others, and is told what it lost" {
	serve 'channels = { A = { queue_messages = 100; }; };'
	hear out A 'n' --raw
	kill -STOP "$HEARER"
	seq 1 100000 | timeout 20 "$NCCLIENT" emit A n -l -t 10s
	kill -CONT "$HEARER"
	eventually has out.err "messages lost here"
	eventually last_is out 100000
	lost=$(sed -n 's/.*: \([0-9]*\) messages lost here.*/\1/p' out.err | awk '{ n += $1 } END { print n + 0 }')
	eventually n_lines out $((100000 - lost))
}

@test "listen comes back with the server, unless told not to" {
	serve
	hear out A '>'
	stays=$HEARER
	hear out2 A '>' --no-reconnect
	kill -TERM "$SERVER"
	wait "$SERVER"
	ended 69
	[ -s out2.err ]
	eventually has out.err reconnecting
	serve
	eventually n_patterns A 1
	has out.err "connected again"
	ncclient emit A back 1
	eventually has out "A back 1"
	kill -0 "$stays"
}

@test "CSV of what is heard has titles and quotes" {
	serve
	hear out A '>' --count 1 --csv
	ncclient emit A x '{"a": "b,c"}'
	ended 0
	[ "$(head -1 out)" = $'at_ms,channel,event,type,sender,seq,pid,uid,host,data\r' ]
	[[ $(tail -1 out) == *',A,x,json,'*',"{""a"":""b,c""}"'$'\r' ]]
}

@test "a terminal is not steered by what others send" {
	serve
	hear out A '>' --count 2
	ncclient emit A x --text $'\033[2J\u009b'
	printf '{"event":"y","data":"\302\233\177"}\0' | socat -u - "UNIX-CONNECT:$T/A.sock"
	ended 0
	has out 'A x "\u001b[2J\u009b"'
	has out 'A y "\u009b\u007f"'
	refute grep -q $'\033' out
}

@test "netcluster's own packets are heard, and its broadcast mark is carried" {
	serve
	hear out A '>' --count 2 --json
	printf '{"channel":"A","broadcast":true,"event":"old","data":{"n":1}}\0' | socat -u - "UNIX-CONNECT:$T/A.sock"
	ncclient emit A new --broadcast 2
	ended 0
	[ "$(jq -c '[.event, .broadcast, .data]' out)" = '["old",true,{"n":1}]
["new",true,2]' ]
}
