#!/usr/bin/env bats
# ncclient top: in a terminal of 80x24, and in batches.

load cli

in_terminal() {
	needs tmux
	serve
	terminal top -d 200ms
	shows "q quit"
}

# traffic: ten events each tenth of a second on channel A. What feeds it ends with it.
traffic() {
	"$NCCLIENT" -q emit A n -l < <(while seq 10; do sleep 0.1; done) 3>&- &
	PIDS+=($!)
}

@test "the screen has totals, titles, a row for each channel, and the keys" {
	in_terminal
	traffic
	hear out B '>'
	eventually bash -c "tmux -S '$T/tmux' capture-pane -p | grep -Eq '^B .* [1-9][0-9.]*k? '"
	line 1 | grep -Eq 'ncserver .* on .* up .*channels 3 '
	eventually bash -c "tmux -S '$T/tmux' capture-pane -p | sed -n 2p | grep -Eq '^in [1-9].*/s .*out [1-9]'"
	line 4 | grep -q '^CHANNEL  *CLNT  *IN/s  *INB/s OUT/s OUTB/s QUEUE DROP/s DROPD STALL'
	eventually bash -c "tmux -S '$T/tmux' capture-pane -p | sed -n 5p | grep -Eq '^A  *[01]  *[1-9]'"
	line 24 | grep -q '^q quit'
	shows "█"
}

@test "keys change the view" {
	in_terminal
	hear out B 'x'
	keys l
	shows "COMMAND"
	shows "ncclient li"
	keys Tab
	shows "CLNT"
	keys '?'
	shows "turn the order round"
	keys '?'
	shows "CLNT"
	keys n r
	eventually bash -c "tmux -S '$T/tmux' capture-pane -p | sed -n 5p | grep -q ^control"
	keys r
	eventually bash -c "tmux -S '$T/tmux' capture-pane -p | sed -n 5p | grep -q '^A '"
}

@test "it follows the size of the terminal" {
	in_terminal
	tmux -S "$T/tmux" resize-window -x 120 -y 30
	eventually bash -c "tmux -S '$T/tmux' capture-pane -p | sed -n 4p | grep -q QBYTES"
	eventually bash -c "tmux -S '$T/tmux' capture-pane -p | sed -n 30p | grep -q '^q quit'"
	tmux -S "$T/tmux" resize-window -x 50 -y 8
	eventually bash -c "tmux -S '$T/tmux' capture-pane -p | sed -n 8p | grep -q '^q quit'"
	refute screen_has QBYTES
	tmux -S "$T/tmux" resize-window -x 30 -y 4
	shows "needs 40x6"
	tmux -S "$T/tmux" resize-window -x 80 -y 24
	shows "q quit"
}

@test "it waits for a server that goes, and shows the next one" {
	in_terminal
	kill -TERM "$SERVER"
	wait "$SERVER"
	shows "the server is gone"
	screen_has "CHANNEL"
	serve 'channels = { Z = { }; };'
	eventually bash -c "tmux -S '$T/tmux' capture-pane -p | sed -n 5p | grep -q ^Z"
	refute screen_has "is gone"
}

@test "the terminal is given back, however it ends" {
	needs tmux
	serve
	# a sanitizer would take the signal for a finding of its own
	export ASAN_OPTIONS="handle_segv=0:${ASAN_OPTIONS-}"
	tmux -S "$T/tmux" -f /dev/null new-session -d -x 80 -y 24 bash --norc 3>&-
	shell=$(tmux -S "$T/tmux" list-panes -F '#{pane_pid}')
	ends=(q INT:0 TERM:143 HUP:143 ABRT:134)
	# a sanitizer takes this one for itself
	grep -q '^NC_CFLAGS = .*-fsanitize' "$TOP_BUILDDIR/Makefile" || ends+=(SEGV:139)
	for end in "${ends[@]}"; do
		keys "clear; $NCCLIENT top; echo status \$?; stty -a >stty" Enter
		shows "q quit"
		if [ "$end" = q ]; then
			keys q
			end=q:0
		else
			pkill -"${end%:*}" -P "$shell"
		fi
		shows "status ${end#*:}"
		refute screen_has "q quit"
		[ "$(tmux -S "$T/tmux" display -p '#{alternate_on}#{cursor_flag}#{wrap_flag}')" = 011 ]
		eventually grep -q ' icanon.* echo ' stty
		rm stty
	done
}

@test "Ctrl-Z gives the terminal back, and fg takes it again" {
	needs tmux
	serve
	tmux -S "$T/tmux" -f /dev/null new-session -d -x 80 -y 24 bash --norc 3>&-
	keys "$NCCLIENT top" Enter
	shows "q quit"
	keys C-z
	shows "Stopped"
	refute screen_has "q quit"
	keys fg Enter
	shows "q quit"
	keys q
	eventually bash -c "! tmux -S '$T/tmux' capture-pane -p | grep -q 'q quit'"
}

@test "without UTF-8 the bars are ASCII" {
	LC_ALL=C in_terminal
	traffic
	hear out B '>'
	eventually bash -c "tmux -S '$T/tmux' capture-pane -p | sed -n 5p | grep -q '[*#=+]'"
	refute grep -q '[^ -~]' <(screen)
}

@test "a batch prints blocks of text" {
	serve
	traffic
	eventually bash -c "[ \$('$NCCLIENT' --json channels | jq '.[0].published') -gt 0 ]"
	ncclient top -b -n 2 -d 300ms >out
	[ "$(grep -c '^CHANNEL ' out)" -eq 2 ]
	[ "$(grep -c '^A ' out)" -eq 2 ]
	[ "$(grep -Ec '^in [1-9][0-9.]*k?/s' out)" -eq 2 ]
	refute grep -q $'\033' out
}

@test "a batch in JSON has rates that add up" {
	serve
	hear out B '>'
	traffic
	eventually n_lines out 30
	# shellcheck disable=SC2094 # top is a command and a file
	ncclient top --json -n 2 -d 500ms >top
	n_lines top 2
	jq -e 'select(.channels[0].in_per_s < 20 or .channels[0].in_per_s > 200)' top >bad || true
	[ ! -s bad ]
	# A's events reach B's listener and no other
	jq -es 'all(.channels[1].out_per_s > 0 and .channels[0].out_per_s == 0)' top
	jq -es 'all((.clients | length) >= 2)' top
}

@test "a batch in CSV has one line of titles" {
	serve
	ncclient top -b --csv -n 2 -d 200ms >out
	[ "$(grep -c ^at_ms out)" -eq 1 ]
	[ "$(grep -c ',control,' out)" -eq 2 ]
	ncclient top -b --csv --view clients -n 1 -d 200ms | head -1 | grep -q '^at_ms,channel,id,pid,user,name,'
}

@test "rows are sorted as told" {
	serve
	first() {
		ncclient top -b -n 1 -d 100ms --csv --sort "$1" | sed -n 2p | cut -d, -f2
	}
	[ "$(first name)" = A ]
	[ "$(first -name)" = control ]
	[ "$(first clients)" = control ]
	run ncclient top -b --sort nonsense
	[ "$status" -eq 64 ]
}

@test "without a server, or a terminal, it says so" {
	run ncclient top -b
	[ "$status" -eq 69 ]
	run ncclient top </dev/null
	[ "$status" -eq 64 ]
	[[ $output == *"-b prints"* ]]
}

@test "a batch ends quietly when nobody reads it" {
	serve
	timeout 10 "$NCCLIENT" top -b -d 100ms 2>err | head -1 >/dev/null
	[ ! -s err ]
}
