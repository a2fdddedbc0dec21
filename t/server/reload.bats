#!/usr/bin/env bats
# Another configuration for a server that runs.

load server.bash

reload() {
	kill -HUP "$SERVER"
	eventually has log msg=reloaded
}

@test "SIGHUP adds and removes channels; the others keep their clients" {
	conf c
	start c
	hear A heard.A
	hear B heard.B
	conf c 'channels = { A = { propagatetochannels = "^C$"; }; C = { fifo = true; }; };'
	reload
	[ -S C.sock ]
	[ -p C.fifo ]
	[ ! -e B.sock ]
	# who was on B finds the end
	eventually is_gone "$HEARER"
	hear C heard.C
	say A '{"event":"x"}'
	eventually has heard.A '"x"'
	eventually has heard.C '"x"'
	# and back
	: >log
	conf c
	reload
	[ -S B.sock ]
	[ ! -e C.sock ]
	[ ! -e C.fifo ]
	hear B heard.B2
	say A '{"event":"y"}'
	eventually has heard.A '"y"'
	eventually has heard.B2 '"y"'
	refute has heard.B '"y"'
	stop
}

@test "a bad file changes nothing, and the log says why" {
	conf c
	start c
	hear A heard.A
	inode=$(stat -c %i A.sock)
	conf c 'channels = { A = { propagatetochannels = "("; }; C = { }; };'
	kill -HUP "$SERVER"
	eventually has log 'not reloaded'
	grep -q 'level=error msg=configuration .*line=2' log
	[ -S B.sock ]
	[ ! -e C.sock ]
	[ "$(stat -c %i A.sock)" = "$inode" ]
	rm c
	: >log
	kill -HUP "$SERVER"
	eventually has log 'not reloaded'
	say A '{"event":"x"}'
	eventually has heard.A '"x"'
	stop
}

@test "a socket that can't be made undoes the whole reload" {
	conf c
	start c
	hear A heard.A
	mkdir Z.sock
	before=$(ls -lAi --time-style=+ ./*.sock)
	conf c 'channels = { A = { mode = "0600"; }; C = { fifo = true; }; D = { }; Z = { }; };'
	kill -HUP "$SERVER"
	eventually has log 'not reloaded'
	has log "channel Z: $T/Z.sock exists and is no socket"
	[ "$(ls -lAi --time-style=+ ./*.sock)" = "$before" ]
	[ ! -e C.fifo ]
	[ "$(find . -name '.*' -type s | wc -l)" = 0 ]
	say A '{"event":"x"}'
	eventually has heard.A '"x"'
	say B '{"event":"x"}'
	stop
}

@test "the socket of another server undoes the whole reload" {
	mkdir other
	printf 'socket = "%s/other/%%s.sock"; channels = { X = { }; };\n' "$T" >o
	start o
	conf c
	start c
	conf c 'channels = { A = { }; C = { }; X = { socket = "'"$T"'/other/X.sock"; }; };'
	kill -HUP "$SERVER"
	eventually has log 'not reloaded'
	grep -q 'another server (pid .*) serves channel X' log
	[ ! -e C.sock ]
	[ -S B.sock ]
	socat -u OPEN:/dev/null "UNIX-CONNECT:$T/other/X.sock"
	stop
}

@test "another path or mode for a channel: its clients stay" {
	conf c
	start c
	hear A heard.A
	conf c 'channels = { A = { socket = "'"$T"'/moved"; }; B = { mode = "0600"; }; };'
	reload
	[ -S moved ]
	[ ! -e A.sock ]
	[ "$(stat -c %a B.sock)" = 600 ]
	printf '{"event":"x"}\0' | socat -u - "UNIX-CONNECT:$T/moved"
	eventually has heard.A '"x"'
	say B '{"event":"x"}'
	stop
	[ ! -e moved ]
}

@test "two channels may exchange their paths" {
	conf c 'channels = { A = { socket = "'"$T"'/1"; }; B = { socket = "'"$T"'/2"; }; };'
	start c
	conf c 'channels = { A = { socket = "'"$T"'/2"; }; B = { socket = "'"$T"'/1"; }; };'
	reload
	socat -u "UNIX-CONNECT:$T/2" CREATE:heard.A 3>&- &
	PIDS+=($!)
	eventually clients 1
	decided
	printf '{"event":"x","data":"for A"}\0' | socat -u - "UNIX-CONNECT:$T/2"
	printf '{"event":"x","data":"for B"}\0' | socat -u - "UNIX-CONNECT:$T/1"
	eventually has heard.A 'for A'
	refute has heard.A 'for B'
	stop
	[ ! -e 1 ]
	[ ! -e 2 ]
}

@test "a FIFO keeps its writers when its mode changes, and goes when it is not asked for" {
	conf c 'channels = { A = { fifo = true; }; };'
	start c
	hear A heard.A
	exec 7>A.fifo
	echo '{"event":"one"}' >&7
	conf c 'channels = { A = { fifo = true; mode = "0600"; }; };'
	reload
	[ "$(stat -c %a A.fifo)" = 600 ]
	echo '{"event":"two"}' >&7
	eventually has heard.A '"two"'
	: >log
	conf c 'channels = { A = { }; };'
	reload
	[ ! -e A.fifo ]
	has heard.A '"one"'
	refute bash -c 'echo x >&7' 2>/dev/null
	exec 7>&-
	stop
}

@test "the log's level follows the file, the command line's stays" {
	conf c 'log_level = "error";' 'channels = { A = { }; };'
	start c
	refute has log msg=ready
	conf c 'log_level = "info";' 'channels = { A = { }; };'
	reload
	stop
	rm log
	conf c 'log_level = "error";' 'channels = { A = { }; };'
	start -l debug c
	has log msg=ready
	kill -HUP "$SERVER"
	eventually has log msg=reloaded
	stop
}

@test "reloads under full load lose nothing and disturb nobody" {
	conf one 'channels = { A = { propagatetochannels = "^B$"; block_timeout = 60000; }; B = { block_timeout = 60000; }; C = { }; };'
	conf two 'channels = { A = { propagatetochannels = "^B$"; block_timeout = 50000; }; B = { mode = "0600"; block_timeout = 60000; }; D = { }; };'
	cp one c
	start c
	"$AGENT" listen "$T/B.sock" 200000 >listened 3>&- &
	listener=$!
	eventually clients 1
	decided
	"$AGENT" flood "$T/A.sock" 200000 20 1000 3>&- &
	flood=$!
	for i in 1 2 3 4 5 6 7 8 9 10; do
		if [ $((i % 2)) = 1 ]; then cp two c; else cp one c; fi
		kill -HUP "$SERVER"
		sleep 0.02
	done
	wait $flood
	wait $listener
	has listened packets=200000
	refute has log 'not reloaded'
	stop
}

# ask QUESTION DATA: what the control channel answers everybody
ask() {
	printf '{"event":"nc-control-%s","data":%s}\0' "$1" "$2" |
		timeout 5 socat -t 0.3 - "UNIX-CONNECT:$T/control.sock,shut-none" | tr '\0' '\n'
}

@test "a configuration that comes over the control channel is as good as a file" {
	conf c
	start c
	hear A heard.A
	conf new 'channels = { A = { propagatetochannels = "C"; }; C = { fifo = true; }; };'
	run ask reloadconfig "$("$NCSERVER" --print-config new | tr -d '\n')"
	[[ $output == *'"nc-control-reloadconfig-response"'*'"done"'* ]]
	[ -p C.fifo ]
	[ ! -e B.sock ]
	hear C heard.C
	say A '{"event":"x"}'
	eventually has heard.C '"x"'
	# its own file again
	run ask reloadconfig null
	[[ $output == *'"done"'* ]]
	[ -S B.sock ]
	[ ! -e C.sock ]
	stop
}

@test "netcluster's own object leaves the sockets where they are" {
	conf c "fifo_path = \"$T/in.%s\";" 'channels = { A = { fifo = true; }; B = { }; };'
	start c
	hear A heard.A
	inode=$(stat -c %i A.sock)
	run ask reloadconfig '{"addr":"239.192.44.54","port":4454,"channels":{"A":{"propagatetochannels":"^C$"},"C":{}}}'
	[[ $output == *'"done"'* ]]
	[ "$(stat -c %i A.sock)" = "$inode" ]
	[ -S C.sock ]
	[ ! -e B.sock ]
	hear C heard.C
	say A '{"event":"x"}'
	eventually has heard.A '"x"'
	eventually has heard.C '"x"'
	run ask reloadconfig '{"channels":{"C":{"fifo":true}}}'
	[[ $output == *'"done"'* ]]
	[ -p in.C ]
	# a text in its format, too
	run ask reloadconfig '{"format":"json","text":"{ \"channels\": { \"D\": {} } }"}'
	[[ $output == *'"done"'* ]]
	[ -S D.sock ]
	# and where it says something of sockets, that holds
	mkdir other
	run ask reloadconfig "{\"socket\":\"$T/other/%s\",\"channels\":{\"A\":{\"fifo\":true}}}"
	eventually test -S other/A
	[ -p other/A.fifo ]
	[ ! -e control.sock ]
	stop
}

@test "the asker hears what is wrong, and nothing changes" {
	conf c
	start c
	mkdir Z.sock
	run ask reloadconfig '{"channels":{"A":{"propagatetochannels":"("},"B":{"polcy":"block"}}}'
	[[ $output == *'"error":'* ]]
	[[ $output == *A.propagatetochannels* ]]
	[[ $output == *'did you mean'* ]]
	run ask reloadconfig "{\"socket\":\"$T/%s.sock\",\"channels\":{\"Z\":{}}}"
	[[ $output == *"Z.sock exists and is no socket"* ]]
	[ -S A.sock ]
	[ "$(grep -c 'not reloaded' log)" = 2 ]
	stop
}

@test "who asks for a configuration without the control channel is closed cleanly" {
	conf c
	start c
	hear A heard.A
	conf new 'startcontrol = false;' 'channels = { A = { }; };'
	run ask reloadconfig "$("$NCSERVER" --print-config new | tr -d '\n')"
	eventually test ! -e control.sock
	say A '{"event":"x"}'
	eventually has heard.A '"x"'
	stop
}

@test "who connected to a socket before it was replaced is served" {
	conf c 'channels = { A = { }; };'
	start c
	hear A heard.A
	kill -STOP "$SERVER"
	say A '{"event":"early"}'
	conf c 'channels = { A = { socket = "'"$T"'/moved"; }; };'
	kill -HUP "$SERVER"
	kill -CONT "$SERVER"
	eventually has log msg=reloaded
	eventually has heard.A '"early"'
	[ ! -e A.sock ]
	stop
}

@test "what is in a FIFO when it is taken away is emitted" {
	conf c 'channels = { A = { fifo = true; }; };'
	start c
	hear A heard.A
	for round in 1 2 3; do
		kill -STOP "$SERVER"
		for n in 1 2 3 4 5; do echo "{\"event\":\"r$round.$n\"}" >A.fifo; done
		conf c 'channels = { A = { }; };'
		kill -HUP "$SERVER"
		kill -CONT "$SERVER"
		eventually test ! -e A.fifo
		eventually has heard.A "r$round.5"
		conf c 'channels = { A = { fifo = true; }; };'
		kill -HUP "$SERVER"
		eventually test -p A.fifo
	done
	[ "$(heard heard.A | wc -l)" = 15 ]
	# over the control channel, in the middle of the bus's work
	kill -STOP "$SERVER"
	echo '{"event":"x"}' >A.fifo
	(ask reloadconfig "{\"socket\":\"$T/%s.sock\",\"channels\":{\"A\":{}}}" >answer) 3>&- &
	asker=$!
	sleep 0.1
	kill -CONT "$SERVER"
	wait $asker
	grep -q '"done"' answer
	eventually has heard.A '"x"'
	[ ! -e A.fifo ]
	stop
}

@test "pacing can be switched off and on under load" {
	conf on 'channels = { A = { block_timeout = 60000; }; };'
	conf off 'channels = { A = { block_timeout = 60000; agent_pacing = false; }; };'
	cp on c
	start c
	hear A heard.A
	"$AGENT" flood "$T/A.sock" 100000 20 2000 3>&- &
	flood=$!
	for i in 1 2 3 4 5 6 7 8 9 10; do
		if [ $((i % 2)) = 1 ]; then cp off c; else cp on c; fi
		kill -HUP "$SERVER"
		sleep 0.03
	done
	wait $flood
	all_there() { [ "$(heard heard.A | wc -l)" = 100000 ]; }
	eventually all_there
	stop
}
