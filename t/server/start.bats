#!/usr/bin/env bats
# How a server starts, who may start beside it, and what it leaves behind.

load server.bash

@test "a server has a socket for each channel, and leaves nothing behind" {
	conf c 'channels = { A = { mode = "0600"; }; B = { fifo = true; mode = "0622"; }; };'
	start c
	[ -S A.sock ]
	[ -S B.sock ]
	[ -S control.sock ]
	[ -p B.fifo ]
	[ "$(stat -c %a A.sock)" = 600 ]
	[ "$(stat -c %a B.fifo)" = 622 ]
	[ "$(stat -c %a control.sock)" = 660 ]
	stop
	rm c log out
	[ -z "$(ls -A .)" ]
}

@test "packets pass from channel to channel as the rules say" {
	conf c
	start c
	hear A heard.A
	hear B heard.B
	say A '{"event":"x","data":1}'
	eventually has heard.A '"x"'
	eventually has heard.B '"x"'
	say B '{"event":"y","data":2}'
	eventually has heard.B '"y"'
	stop
	[ "$(heard heard.A)" = '{"event":"x","data":1}' ]
	[ "$(heard heard.B)" = '{"event":"x","data":1}
{"event":"y","data":2}' ]
}

@test "without a file the user's runtime directory is served" {
	unset NCSERVER_CONF
	mkdir run home
	XDG_RUNTIME_DIR=$T/run XDG_CONFIG_HOME=$T/home HOME=$T/home start -s "$T/run/netcluster/%s.sock"
	[ -S run/netcluster/control.sock ]
	[ "$(stat -c %a run/netcluster)" = 700 ]
	stop
}

@test "the command line's template stands above the file's" {
	conf c
	mkdir other
	start -s "$T/other/nc-%s" c
	[ -S other/nc-A ]
	[ -S other/nc-control ]
	[ ! -e A.sock ]
	stop
}

@test "a server needs no standard descriptors" {
	conf c
	"$NCSERVER" c <&- >&- 2>&- 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	eventually test -S control.sock
	BASE=$(sockets)
	for fd in 0 1 2; do
		[ "$(readlink "/proc/$SERVER/fd/$fd")" = /dev/null ]
	done
	hear A heard.A
	say A '{"event":"x"}'
	eventually has heard.A '"x"'
	stop
}

@test "a second server is told who serves, and the first goes on" {
	conf c
	start c
	first=$SERVER
	inode=$(stat -c %i A.sock)
	run "$NCSERVER" c
	[ "$status" = 75 ]
	[[ $output == *"another server (pid $first) serves channel A at $T/A.sock"* ]]
	[ "$(stat -c %i A.sock)" = "$inode" ]
	hear A heard.A
	say A '{"event":"x"}'
	eventually has heard.A '"x"'
	stop
}

@test "a server that was killed is succeeded at once" {
	conf c 'channels = { A = { fifo = true; }; B = { }; };'
	start c
	kill -KILL "$SERVER"
	wait "$SERVER" || true
	[ -S A.sock ]
	[ -p A.fifo ]
	start c
	hear A heard.A
	say A '{"event":"x"}'
	echo '{"event":"y"}' >A.fifo
	eventually has heard.A '"y"'
	[ "$(find . -name '.*' -type s -o -name '.nc*' | wc -l)" = 0 ]
	stop
	[ ! -e A.sock ]
	[ ! -e control.sock ]
}

@test "of servers that start at once exactly one serves" {
	conf c
	for round in 1 2 3 4 5 6 7 8 9 10; do
		started=()
		for i in 1 2 3 4; do
			launch c
			started+=("$SERVER")
		done
		eventually test -S control.sock
		living() {
			local n=0 pid
			for pid in "${started[@]}"; do
				if kill -0 "$pid" 2>/dev/null; then n=$((n + 1)); fi
			done
			[ $n = 1 ]
		}
		eventually living
		for pid in "${started[@]}"; do
			if kill -0 "$pid" 2>/dev/null; then
				SERVER=$pid
			else
				status=0
				wait "$pid" || status=$?
				[ "$status" = 75 ]
			fi
		done
		# every socket is the survivor's
		for s in A B control; do
			socat -u OPEN:/dev/null "UNIX-CONNECT:$T/$s.sock"
		done
		stop
		[ ! -e A.sock ]
		[ ! -e B.sock ]
		[ ! -e .ncserver.lock ]
		# after a clean end, and after a kill
		if [ $((round % 2)) = 0 ]; then
			start c
			kill -KILL "$SERVER"
			wait "$SERVER" || true
		fi
	done
}

@test "all sockets or none: what can't be made leaves nothing" {
	conf c
	mkdir B.sock
	run "$NCSERVER" c
	[ "$status" = 73 ]
	[[ $output == *"channel B: $T/B.sock exists and is no socket"* ]]
	[ ! -e A.sock ]
	[ ! -e control.sock ]
	[ -d B.sock ]
	[ "$(find . -name '.*.sock.*' | wc -l)" = 0 ]
}

@test "a failed start brings a dead server's socket back" {
	conf c
	start c
	kill -KILL "$SERVER"
	wait "$SERVER" || true
	inode=$(stat -c %i A.sock)
	rm B.sock
	echo precious >B.sock
	run "$NCSERVER" c
	[ "$status" = 73 ]
	[ "$(stat -c %i A.sock)" = "$inode" ]
	[ "$(cat B.sock)" = precious ]
}

@test "exit statuses are those of sysexits.h" {
	conf good
	conf bad 'channels = { A = { propagatetochannels = "("; polcy = "block"; }; };'
	conf nowhere "socket = \"$T/no/such/%s.sock\";"
	sed -i 1d nowhere
	run "$NCSERVER" --nonsense
	[ "$status" = 64 ]
	run "$NCSERVER" missing
	[ "$status" = 66 ]
	[[ $output == *missing* ]]
	run "$NCSERVER" --check-config missing
	[ "$status" = 66 ]
	mkdir folder
	for file in folder /dev/null "$T"; do
		run "$NCSERVER" "$file"
		[ "$status" = 66 ]
		run "$NCSERVER" --check-config "$file"
		[ "$status" = 66 ]
		NCSERVER_CONF=$file run "$NCSERVER" --print-config
		[ "$status" = 66 ]
	done
	# what a file that is there includes is a part of what it says
	echo '@include "folder"' >includes
	run "$NCSERVER" --check-config includes
	[ "$status" = 78 ]
	run "$NCSERVER" nowhere
	[ "$status" = 73 ]
	run "$NCSERVER" bad
	[ "$status" = 78 ]
	run "$NCSERVER" --check-config bad
	[ "$status" = 78 ]
	run "$NCSERVER" --check-config good
	[ "$status" = 0 ]
	run "$NCSERVER" --print-config bad
	[ "$status" = 78 ]
}

@test "a directory that may not be written to is exit status 77" {
	[ "$(id -u)" = 0 ] || skip "needs root, to become another user"
	conf c
	chmod 0755 .
	chmod 0644 c
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$NCSERVER" c
	[ "$status" = 77 ]
	[[ $output == *"Permission denied"* ]]
}

@test "--check-config tells all that is wrong at once, by file and line" {
	conf bad 'channels = {' '  A = { propagatetochannels = "("; };' '  B = { polcy = "block"; };' '};'
	run "$NCSERVER" --check-config bad
	[ "$status" = 78 ]
	[[ $output == *"bad:3: error: "* ]]
	[[ $output == *"bad:4: error: "*"did you mean \"policy\""* ]]
	[ ! -e A.sock ]
}

@test "--print-config prints a configuration that reads back as the same" {
	conf c
	"$NCSERVER" --print-config c >1.json
	"$NCSERVER" --print-config=libconfig c >1.conf
	"$NCSERVER" --print-config=json 1.json >2.json
	"$NCSERVER" --print-config 1.conf >3.json
	cmp 1.json 2.json
	cmp 1.json 3.json
	has 1.json '"propagatetochannels"'
	# to be read by people, and by --check-config
	[ "$(wc -l <1.json)" -gt 20 ]
	for file in 1.json 1.conf; do
		run "$NCSERVER" --check-config "$file"
		[ "$status" = 0 ]
		[[ $output == *"$file: good, 3 channels" ]]
	done
	[ ! -e A.sock ]
}

@test "help and version" {
	run "$NCSERVER" --help
	[ "$status" = 0 ]
	[[ $output == "usage: ncserver "* ]]
	run "$NCSERVER" --version
	[ "$status" = 0 ]
	[[ $output =~ ^ncserver\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "an output that takes nothing is an error of printing" {
	conf c
	run bash -c "'$NCSERVER' --print-config c >/dev/full"
	[ "$status" = 74 ]
}

@test "sockets belong to the owner and group that are asked for" {
	[ "$(id -u)" = 0 ] || skip "needs root, to give files away"
	conf c 'channels = { A = { owner = "nobody"; group = "nogroup"; mode = "0640"; fifo = true; }; };'
	start c
	[ "$(stat -c %U:%G:%a A.sock)" = nobody:nogroup:640 ]
	[ "$(stat -c %U:%G:%a A.fifo)" = nobody:nogroup:640 ]
	stop
}

@test "an owner that can't be given is no start" {
	[ "$(id -u)" = 0 ] || skip "needs root, to become another user"
	conf c 'channels = { A = { owner = "root"; }; };'
	chmod 0777 .
	chmod 0644 c
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$NCSERVER" c
	[ "$status" = 77 ]
	[ "$(find . -type s | wc -l)" = 0 ]
}

@test "two channels can't have one path" {
	conf c 'channels = { A = { socket = "'"$T"'/x"; }; B = { socket = "'"$T"'/x"; }; };'
	run "$NCSERVER" c
	[ "$status" = 78 ]
	[ ! -e x ]
}

@test "ncserver(8) names every option of --help" {
	for option in $("$NCSERVER" --help | grep -oE -- '--[a-z-]+'); do
		grep -qE -- "Fl -${option#--}( |$)|, -${option#--}( |$)" "$TOP_SRCDIR/man/ncserver.8"
	done
}
