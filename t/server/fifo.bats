#!/usr/bin/env bats
# FIFOs: a second way into a channel, for scripts.

load server.bash

@test "a shell emits by writing lines into the FIFO" {
	conf c 'channels = { A = { fifo = true; propagatetochannels = "^B$"; }; B = { }; };'
	start c
	hear A heard.A
	hear B heard.B
	echo '{"event":"one","data":{"a":1}}' >A.fifo
	printf '{"event":"two"}\n{"event":"three"}\0' >A.fifo
	eventually has heard.A '"three"'
	eventually has heard.B '"three"'
	stop
	[ "$(heard heard.A)" = '{"event":"one","data":{"a":1}}
{"event":"two"}
{"event":"three"}' ]
}

@test "many writers at once: each packet whole, each writer's in order" {
	conf c 'channels = { A = { fifo = true; }; };'
	start c
	hear A heard.A
	for w in 1 2 3 4; do
		(
			exec >A.fifo 3>&-
			for ((i = 0; i < 500; i++)); do
				echo "{\"event\":\"w$w\",\"data\":$i}"
			done
		) &
		writers+=($!)
	done
	wait "${writers[@]}"
	all_there() { [ "$(heard heard.A | wc -l)" = 2000 ]; }
	eventually all_there
	for w in 1 2 3 4; do
		heard heard.A | sed -n "s/{\"event\":\"w$w\",\"data\":\(.*\)}/\1/p" >got
		seq 0 499 | cmp - got
	done
	stop
}

@test "a packet that could be torn is refused, and the next one passes" {
	conf c 'channels = { A = { fifo = true; }; };'
	start c
	hear A heard.A
	long=$(head -c 5000 /dev/zero | tr '\0' x)
	echo "{\"event\":\"long\",\"data\":\"$long\"}" >A.fifo
	echo '{"event":"next"}' >A.fifo
	eventually has heard.A '"next"'
	refute has heard.A '"long"'
	[ -p A.fifo ]
	stop
}

@test "what is no packet does not close the FIFO" {
	conf c 'channels = { A = { fifo = true; }; };'
	start c
	hear A heard.A
	printf 'garbage\n\n{"event":1}\n[]\n{{{{\n' >A.fifo
	echo '{"event":"next"}' >A.fifo
	eventually has heard.A '"next"'
	stop
	[ "$(heard heard.A)" = '{"event":"next"}' ]
}

# is_read: all that was written to descriptor 7, which is a FIFO, has been read (FIONREAD)
is_read() {
	perl -e '$n = pack("i", 1); exit(!ioctl(STDIN, 0x541B, $n) || unpack("i", $n))' <&7
}

@test "a packet without an end is nobody else's" {
	conf c 'channels = { A = { fifo = true; }; };'
	start c
	hear A heard.A
	exec 7>A.fifo
	printf '{"event":"unended"}' >&7
	eventually is_read
	echo '{"event":"next"}' >A.fifo
	eventually has heard.A '"next"'
	# who writes a packet in pieces, alone, is understood
	printf '{"event":"pie' >&7
	eventually is_read
	printf 'ces"}\n' >&7
	eventually has heard.A '"pieces"'
	exec 7>&-
	stop
	[ "$(heard heard.A)" = '{"event":"next"}
{"event":"pieces"}' ]
	[ "$(grep -c 'a packet without an end' log)" = 1 ]
}

@test "a server that idles over a FIFO without writers sleeps" {
	conf c 'channels = { A = { fifo = true; }; };'
	start c
	echo '{"event":"x"}' >A.fifo
	eventually rests 1 2 1
	stop
}

@test "a path that is no FIFO stops the start" {
	conf c 'channels = { A = { fifo = true; }; };'
	echo precious >A.fifo
	run "$NCSERVER" c
	[ "$status" = 73 ]
	[[ $output == *"A.fifo exists and is no FIFO"* ]]
	[ "$(cat A.fifo)" = precious ]
	[ ! -e A.sock ]
}

@test "a FIFO that was there before is used and left" {
	conf c 'channels = { A = { fifo = true; }; };'
	mkfifo -m 0600 A.fifo
	inode=$(stat -c %i A.fifo)
	start c
	[ "$(stat -c %a A.fifo)" = 660 ]
	hear A heard.A
	echo '{"event":"x"}' >A.fifo
	eventually has heard.A '"x"'
	stop
	[ "$(stat -c %i A.fifo)" = "$inode" ]
}

@test "a FIFO that a killed server left is used by the next, and left to whoever knows whose it is" {
	conf c 'channels = { A = { fifo = true; }; };'
	start c
	kill -KILL "$SERVER"
	wait "$SERVER" || true
	[ -p A.fifo ]
	start c
	hear A heard.A
	echo '{"event":"x"}' >A.fifo
	eventually has heard.A '"x"'
	stop
	[ -p A.fifo ]
	[ ! -e A.sock ]
}
