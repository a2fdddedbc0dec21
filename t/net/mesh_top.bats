#!/usr/bin/env bats
# ncclient top on a host that hears others: who they are, on a screen of 80x24, and in batches.

load net.bash
load mesh.bash
load mesh_core.bash

eval "$(declare -f teardown | sed '1s/teardown/end_hosts/')"
teardown() {
	[ ! -e "$T/tmux" ] || tmux -S "$T/tmux" kill-server
	end_hosts
}

# on_screen ARGUMENT...: top of host 1 in a terminal
on_screen() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	NC_SOCKET=$T/1/%s.sock TERM=xterm LC_ALL=C.UTF-8 tmux -S "$T/tmux" -f /dev/null new-session -d -x 80 -y 24 \
		"$NCCLIENT" top -d 200ms "$@" 3>&-
}

keys() {
	tmux -S "$T/tmux" send-keys "$@"
}

# line N PATTERN: the Nth line of the screen is such a one, within ten seconds
line() {
	eventually line_is "$@" || {
		tmux -S "$T/tmux" capture-pane -p
		return 1
	}
}

line_is() {
	tmux -S "$T/tmux" capture-pane -p | sed -n "$1p" | grep -Eq -- "$2"
}

# traffic: until $T/enough is there
traffic() {
	(
		i=0
		until [ -e "$T/enough" ]; do
			echo $((++i))
			sleep 0.02
		done | "$NCCLIENT" -s "$T/1/%s.sock" emit --lines A x
	) 3>&- &
	TRAFFIC=$!
}

@test "a screen of 80x24 shows the other hosts, how they are and what passes" {
	need_mesh 3
	serve 3 "$QUICK" "$CHANNELS"
	hear 2 2 A
	on_screen
	line 24 '^q quit .* m hosts .*help$'
	line 1 ' hosts 2 '
	traffic
	keys m
	line 4 '^HOST  *STATE  *RTTus  *INB/s  *OUTB/s  *LOST  *NAKS  *REPAIR  *WINDOW  *HEARD'
	keys n
	line 5 '^host2  *up  *[0-9.k]+  *[1-9][0-9.]*k?B  *[1-9][0-9.]*k?B  *[0-9]+  *[0-9]+  *[0-9]+  *[0-9.k]+  *[0-9.]+m?s'
	line 6 '^host3  *up '
	refute line_is 7 .
	# nothing is wider than the screen
	refute grep -q '.\{81\}' <(tmux -S "$T/tmux" capture-pane -p)
	# one goes, one falls silent
	stop 3
	line 6 '^host3  *left '
	line 1 ' hosts 1 '
	hosts cut 2
	line 5 '^host2  *(suspect|one-way|gone) '
	hosts heal 2
	line 5 '^host2  *up '
	# and back to the channels, by the keys for them
	keys Tab
	line 4 '^CHANNEL '
	keys Tab Tab
	line 4 '^HOST '
	keys c
	line 4 '^CHANNEL '
	touch enough
	wait $TRAFFIC
	keys q
}

@test "where nothing is bridged there are no hosts to show" {
	need_mesh 1
	configure 1 'channels = { A = { }; };'
	start 1
	on_screen
	line 24 '^q quit .*help$'
	refute line_is 24 hosts
	refute line_is 1 hosts
	keys m
	keys Tab Tab
	line 4 '^CHANNEL '
	keys l
	line 4 COMMAND
	keys q
	tmux -S "$T/tmux" kill-server 2>/dev/null || true
	rm -f tmux
	on_screen --view hosts
	line 5 'takes part in no network'
	keys q
}

@test "a batch has the hosts: as text, in JSON and in CSV" {
	need_mesh 2
	serve 2 "$QUICK" "$CHANNELS"
	hear 2 2 A
	traffic
	eventually is_heard 2 x
	top() { "$NCCLIENT" -s "$T/1/%s.sock" top "$@"; }
	top -b -n 1 -d 500ms --view hosts --sort lost >text
	grep -E '^HOST  *STATE .*IN/s .*OUT/s ' text
	grep -E '^host2  *up ' text
	top --json -n 1 -d 1s >json
	jq -e '.hosts | length == 1 and (.[0] | .name == "host2" and .state == "up" and .in_per_s > 0 and
		.out_per_s > 10 and .out_bytes_per_s > .out_per_s * 50 and .rtt_us > 0 and .window > 0 and .lost == 0)' json
	top --csv --view hosts -n 2 -d 200ms >csv
	[ "$(head -n 1 csv | tr -d '\r')" = "at_ms,name,boot,state,in_per_s,in_bytes_per_s,out_per_s,out_bytes_per_s,rtt_us,lost,naks,repairs,window,heard_ms" ]
	[ "$(grep -c ',host2,[0-9a-f]\{32\},up,' csv)" = 2 ]
	run -64 top -b --csv --view hosts --sort queued
	touch enough
	wait $TRAFFIC
}
bats_require_minimum_version 1.5.0
