#!/usr/bin/env bats
# Sockets that a service manager hands over.

load server.bash

# activated PATH... : starts a server on the configuration c with these sockets
activated() {
	"$ACTIVATE" "$@" -- "$NCSERVER" c >>out 2>>log 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	eventually has log msg=ready
	BASE=$(sockets)
}

@test "a socket that was handed over is used, by its path, and never changed" {
	conf c 'channels = { A = { mode = "0666"; }; B = { }; };'
	activated "$T/A.sock"
	inode=$(stat -c %i A.sock)
	[ "$(stat -c %a A.sock)" = 600 ]
	[ -S B.sock ]
	hear A heard.A
	say A '{"event":"x"}'
	eventually has heard.A '"x"'
	# a reload leaves it alone too
	conf c 'channels = { A = { mode = "0600"; }; C = { }; };'
	kill -HUP "$SERVER"
	eventually test -S C.sock
	[ "$(stat -c %i A.sock)" = "$inode" ]
	stop
	[ -S A.sock ]
	[ ! -e B.sock ]
	[ ! -e C.sock ]
	[ "$(stat -c %i A.sock)" = "$inode" ]
}

@test "a socket by another name of its directory is the same" {
	mkdir real
	ln -s real link
	printf 'socket = "%s/link/%%s.sock"; channels = { A = { }; };\n' "$T" >c
	activated "$T/real/A.sock"
	[ "$(stat -c %a real/A.sock)" = 600 ]
	eventually socat -u OPEN:/dev/null "UNIX-CONNECT:$T/link/A.sock"
	stop
	[ -S real/A.sock ]
}

@test "what no channel has, or can use, is told and closed" {
	conf c
	activated "$T/A.sock" "$T/other.sock" tcp
	has log 'a socket that was handed over is not used'
	grep -q "name=name1 path=$T/other.sock why=\"no channel has this path\"" log
	grep -q 'name=name2 .*why="not a Unix socket"' log
	refute grep -q 'name=name0' log
	[ "$(find "/proc/$SERVER/fd" -lname "socket:*" | wc -l)" -ge 3 ]
	# closed: nobody can connect any more
	refute socat -u OPEN:/dev/null "UNIX-CONNECT:$T/other.sock"
	[ -S other.sock ]
	stop
}

@test "what is meant for another process is not touched" {
	conf c
	LISTEN_PID=1 LISTEN_FDS=3 start c
	[ -S A.sock ]
	stop
	[ ! -e A.sock ]
}

@test "with all sockets handed over their directory need not be writable" {
	[ "$(id -u)" = 0 ] || skip "needs root, to become another user"
	printf 'startcontrol = false; channels = { A = { socket = "%s/A.sock"; }; };\n' "$T" >c
	chmod 0755 .
	chmod 0644 c
	"$ACTIVATE" "$T/A.sock" -- "$(command -v setpriv)" --reuid=65534 --regid=65534 --clear-groups "$NCSERVER" c \
		>>out 2>>log 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	eventually has log msg=ready
	socat -u OPEN:/dev/null "UNIX-CONNECT:$T/A.sock"
	stop
	[ -S A.sock ]
}
