#!/usr/bin/env bats
# ncclient's command line, in a terminal of 80x24.

load cli

setup() {
	needs tmux
	set_up
}

@test "it greets, runs functions, and leaves" {
	serve
	terminal
	prompted
	line 1 | grep -qF "channel control at $T/control.sock"
	keys 'channels()' Enter
	shows "CHANNEL"
	prompted
	keys C-d
	died 0
}

@test "without a server it says so and stays" {
	terminal
	shows 'no server of channel "control" at '
	prompted
	serve
	keys 'ping()' Enter
	shows "round trip"
}

@test "Tab completes functions, channels, clients, events, files and settings" {
	serve
	hear out A 'x'
	terminal
	prompted
	keys 'rul' Tab
	shows "NC-#: rules()"
	keys C-c
	prompted
	keys 'showcl' Tab
	shows 'NC-#: showclient('
	keys 'A' Tab
	shows 'showclient("A",'
	keys Tab
	shows "showclient(\"A\", \"$(ncclient showchannel A)\")"
	keys C-c
	prompted
	keys "clients('" Tab
	shows "A        B        control"
	keys C-c
	prompted
	keys 'reloadconfig("'"$T/conf" Tab
	shows "reloadconfig(\"$T/conf\")"
	keys C-c
	prompted
	keys 'set("ou' Tab ',"js' Tab
	shows 'set("output","json")'
	keys C-c
	prompted
	keys 'help("ch' Tab
	shows 'help("channels")'
	keys C-c
	prompted
	keys 'watch("A")' Enter
	eventually n_patterns A 2
	ncclient emit A some.event 1
	shows "A some.event 1"
	keys 'emit("A","so' Tab
	shows 'emit("A","some.event'
}

@test "what is heard is printed above the line that is being edited" {
	serve
	terminal
	prompted
	keys 'watch("A","log.>")' Enter
	eventually n_patterns A 1
	keys 'emit("B","half a l'
	shows 'NC-#: emit("B","half a l'
	ncclient emit A log.one 1
	ncclient emit control log '"from control"'
	shows 'control log "from control"'
	shows 'A log.one 1'
	[ "$(screen | grep -c half)" -eq 1 ]
	[ "$(screen | grep . | tail -1)" = 'NC-#: emit("B","half a l' ]
	keys 'ine")' Enter
	eventually test "$(ncclient --json channels | jq '.[1].published')" -ge 0
	keys 'unwatch()' Enter
	eventually n_patterns A 0
}

@test "a line that wraps survives what is printed above it" {
	serve
	terminal
	prompted
	keys 'watch("A")' Enter
	eventually n_patterns A 1
	long=$(printf '@%.0s' {1..150})
	keys "emit(\"A\",\"$long"
	shows "@@@@@@@@@@"
	ncclient emit A e 1
	shows "A e 1"
	[ "$(screen | tr -dc @ | wc -c)" -eq 150 ]
}

@test "Ctrl-C gives up a line and ends a listen, and the command line stays" {
	serve
	terminal
	prompted
	keys 'nonsense('
	shows "nonsense("
	keys C-c
	shows "nonsense(^C"
	keys 'listen("A","x")' Enter
	eventually n_patterns A 1
	ncclient emit A x 42
	shows "A x 42"
	keys C-c
	eventually n_patterns A 0
	keys 'ping("B")' Enter
	shows "$T/B.sock"
}

@test "errors point into the line" {
	terminal -s "$T/%s"
	prompted
	keys 'emit("A", log)' Enter
	shows "column 11: expected a value (text needs quotes)"
	[ "$(screen | grep -B1 '\^' | head -1)" = '  emit("A", log)' ]
	[ "$(screen | grep '\^')" = '            ^' ]
}

@test "the history is kept for the user alone" {
	terminal -s "$T/%s"
	prompted
	keys 'help("emit")' Enter
	shows "send an event"
	prompted
	keys 'quit()' Enter
	died 0
	[ "$(stat -c %a state/netcluster/history)" = 600 ]
	[ "$(stat -c %a state/netcluster)" = 700 ]
	has state/netcluster/history 'help("emit")'
	close_terminals
	terminal -s "$T/%s"
	prompted
	keys Up Up
	shows 'NC-#: help("emit")'
}

@test "Ctrl-Z stops it, and it goes on with its line" {
	serve
	tmux -S "$T/tmux" -f /dev/null new-session -d -x 80 -y 24 bash --norc 3>&-
	keys "$NCCLIENT" Enter
	prompted
	keys 'pin'
	shows "NC-#: pin"
	keys C-z
	shows "Stopped"
	keys 'fg' Enter
	eventually last_line_is "NC-#: pin"
	keys 'g()' Enter
	shows "round trip"
}

@test "SIGTERM ends it with the terminal in order" {
	serve
	tmux -S "$T/tmux" -f /dev/null new-session -d -x 80 -y 24 bash --norc 3>&-
	keys "$NCCLIENT; echo status \$?" Enter
	prompted
	pkill -TERM -P "$(tmux -S "$T/tmux" list-panes -F '#{pane_pid}')"
	shows "status 143"
	keys 'stty -a | grep -c " icanon"' Enter
	eventually bash -c "tmux -S '$T/tmux' capture-pane -p | grep -qx 1"
}

@test "top runs from the command line and gives the screen back" {
	serve
	terminal
	prompted
	keys 'top()' Enter
	shows "q quit"
	keys q
	shows 'NC-#: top()'
	keys 'ping()' Enter
	shows "round trip"
}
