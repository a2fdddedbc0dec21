#!/usr/bin/env bats
# ncclient's functions: with -e, and in scripts.

load cli

@test "netcluster's functions are called as they were" {
	serve
	hear out A x
	id=$(ncclient showchannel A)
	ncclient -e 'showconfig()' | jq -e .channels.A
	[ "$(ncclient -e 'showchannel("A")')" = "$id" ]
	ncclient -e "showclient('A','$id')" | grep -q "$id"
	[ "$(ncclient -e "reloadconfig('$T/conf')")" = 'done' ]
	[ "$(ncclient -e "reloaconfig('$T/conf')")" = 'done' ]
}

@test "several functions run in their order" {
	serve
	hear out A '>' --count 3 --raw
	ncclient -e 'emit("A","x",{a:1}); emit("A","x","it'\''s")' -e "emit('A','x',[null,-1.5e3,'\"'])"
	ended 0
	[ "$(cat out)" = '{"a":1}
"it'\''s"
[null,-1.5e3,"\""]' ]
}

@test "an error points at its column" {
	run ncclient -e 'stats(' -e 'never()'
	[ "$status" -eq 64 ]
	[ "$output" = "ncclient: -e 1, column 7: expected a value, but the text ends here
  stats(
        ^" ]
	run ncclient -e 'emit("é", log)'
	[ "${lines[2]}" = '            ^' ]
	run ncclient -e 'shwoconfig()'
	[[ $output == *"did you mean showconfig()?"* ]]
}

@test "a script on standard input stops at its first error" {
	serve
	printf '# a comment\n\nchannels() // another\nclients("nowhere")\nstats()\n' >script
	run --separate-stderr ncclient <script
	[ "$status" -eq 1 ]
	[[ $output == CHANNEL* ]]
	[[ $output != *uptime* && $output != *version* ]]
	[[ $stderr == *nowhere* ]]
}

@test "with -k it goes on, and the status is that of the first error" {
	serve
	printf 'clients("nowhere")\nbad(\nping()\n' >script
	run --separate-stderr ncclient -k <script
	[ "$status" -eq 1 ]
	[[ $output == *"round trip"* ]]
	[[ $stderr == *"line 2, column 5"* ]]
}

@test "quit ends a script" {
	run ncclient -e 'quit()' -e 'bad('
	[ "$status" -eq 0 ]
	run ncclient <<<$'exit\nbad('
	[ "$status" -eq 0 ]
}

@test "set changes what follows" {
	serve
	ncclient -e 'set("output","json"); channels(); set("output","csv")' -e 'showchannel("A")' >out
	head -1 out | jq -e '.[0].name == "A"'
	[ "$(tail -1 out)" = $'id\r' ]
	ncclient -e 'set()' | grep -q '^timeout  *5.0s'
	run ncclient -e 'set("output","xml")'
	[ "$status" -eq 64 ]
	run ncclient -e 'set("colour")'
	[ "$status" -eq 64 ]
}

@test "help lists every function, and tells about one" {
	ncclient -e 'help()' >out
	has out 'showclient("channel", "client")'
	has out 'unwatch('
	ncclient -e 'help("emit")' | grep -qF 'emit("channel", "event"[, data])'
}

@test "listen in a script ends after its count" {
	serve
	"$NCCLIENT" -t 5s -e 'listen("A","x")' >out 3>&- &
	PIDS+=($!)
	eventually n_patterns A 1
	ncclient emit A x 1
	eventually has out "A x 1"
	wait "${PIDS[-1]}"
}

@test "the options of listen hold for the function" {
	serve
	"$NCCLIENT" --raw -n 2 -e 'listen("A","x"); ping()' >out 3>&- &
	PIDS+=($!)
	eventually n_patterns A 1
	seq 3 | ncclient emit A x -l
	wait "${PIDS[-1]}"
	[ "$(head -2 out)" = $'1\n2' ]
	has out "round trip"
	run ncclient --lines -e 'stats()'
	[ "$status" -eq 64 ]
}

@test "an empty script is no error" {
	ncclient </dev/null
	printf '\n;;\n// nothing\n' | ncclient
}
