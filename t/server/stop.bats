#!/usr/bin/env bats
# How a server stops: what was sent is delivered, within a time.

load server.bash

@test "what was sent before SIGTERM is delivered after it" {
	conf c
	start c
	"$AGENT" listen "$T/A.sock" 20000 100 >listened 3>&- &
	listener=$!
	eventually clients 1
	decided
	"$AGENT" flood "$T/A.sock" 20000 20 400
	stop
	wait $listener
	has listened packets=20000
	has log msg=stopped
	refute has log 'not everything was delivered'
}

@test "SIGINT does the same" {
	conf c
	start c
	kill -INT "$SERVER"
	wait "$SERVER"
	[ ! -e A.sock ]
}

@test "who connected before the signal is served" {
	conf c
	start c
	hear A heard.A
	kill -STOP "$SERVER"
	say A '{"event":"late"}' &
	sayer=$!
	# written into a connection that nobody has accepted yet
	wait $sayer
	kill -TERM "$SERVER"
	kill -CONT "$SERVER"
	wait "$SERVER"
	eventually has heard.A '"late"'
}

@test "nobody is accepted after it, and the next server starts at once" {
	conf c 'drain_timeout = 30000;' 'channels = { A = { block_timeout = 60000; }; };'
	start c
	first=$SERVER
	stuck
	kill -TERM "$first"
	eventually test ! -e A.sock
	kill -0 "$first"
	start c
	hear A heard.A
	say A '{"event":"new"}'
	eventually has heard.A '"new"'
	stop
	[ ! -e A.sock ]
	kill -KILL "$first"
	wait "$first" 2>/dev/null || true
}

# stuck: a listener on A that reads nothing, with more queued for it than its socket takes
stuck() {
	socat -u "UNIX-CONNECT:$T/A.sock" "CREATE:$T/stuck" 3>&- &
	stuck=$!
	PIDS+=("$stuck")
	eventually clients 1
	decided
	kill -STOP $stuck
	"$AGENT" flood "$T/A.sock" 3000 1000 1000
}

@test "a client that reads nothing holds up the end for drain_timeout only" {
	conf c 'drain_timeout = 300;' 'channels = { A = { block_timeout = 60000; }; };'
	start c
	stuck
	before=$(date +%s%N)
	stop
	took=$((($(date +%s%N) - before) / 1000000))
	[ "$took" -ge 290 ]
	[ "$took" -lt 3000 ]
	has log 'not everything was delivered in time'
}

@test "a second SIGTERM ends it at once" {
	conf c 'drain_timeout = 60000;' 'channels = { A = { block_timeout = 60000; }; };'
	start c
	stuck
	kill -TERM "$SERVER"
	eventually has log msg=stopping
	kill -0 "$SERVER"
	kill -TERM "$SERVER"
	wait "$SERVER"
	has log 'stopping at once'
	[ ! -e A.sock ]
}

@test "a client that goes on sending does not hold up the end" {
	conf c 'drain_timeout = 60000;' 'channels = { A = { }; };'
	start c
	(yes '{"event":"x"}' | tr '\n' '\0' | socat -u - "UNIX-CONNECT:$T/A.sock" 2>/dev/null || true) 3>&- &
	eventually clients 1
	stop
	refute has log 'not everything was delivered'
}

@test "what was written into a FIFO before the signal is delivered" {
	conf c 'channels = { A = { fifo = true; }; };'
	start c
	hear A heard.A
	kill -STOP "$SERVER"
	echo '{"event":"late"}' >A.fifo
	kill -TERM "$SERVER"
	kill -CONT "$SERVER"
	wait "$SERVER"
	eventually has heard.A '"late"'
	[ ! -e A.fifo ]
}
