#!/usr/bin/env bats
# README.md: its program runs, its shell lines work; the links of all documents lead somewhere.

setup() {
	readme=$TOP_SRCDIR/README.md
	cd "$BATS_TEST_TMPDIR" || return
}

# start_server: ncserver with the channel "events" in this test's directory; its messages in server.log
start_server() {
	printf 'channels = { events = { }; };\n' >server.conf
	mkfifo ready
	# opening the FIFO waits for the other side; the server's end closes it where it fails
	"$TOP_BUILDDIR/ncserver/ncserver" --socket "$PWD/%s.sock" --ready-fd 4 server.conf \
		2>server.log 3>&- 4>ready &
	server=$!
	read -r -t 20 <ready || { cat server.log && false; }
}

teardown() {
	local pid
	for pid in ${program-} ${server-}; do
		kill "$pid" 2>/dev/null && wait "$pid"
	done
	return 0
}

# wait_for FILE TEXT: until the text stands in the file, at most 20 s
wait_for() {
	for _ in {1..200}; do
		grep -qF -- "$2" "$1" && return
		sleep 0.1
	done
	echo "$1 has no '$2' but:"
	cat "$1"
	return 1
}

@test "the program hears what another client emits" {
	start_server
	NC_SOCKET="$PWD/%s.sock" stdbuf -oL "$TOP_BUILDDIR/t/docs/readme" >heard 2>&1 3>&- &
	program=$!
	wait_for heard 'load.hello: from C'
	printf '{"event":"load.now","data":1}\0{"event":"other","data":2}\0{"event":"load.end"}\0' |
		socat -u - "UNIX-CONNECT:$PWD/events.sock"
	wait_for heard 'load.end: '
	[ "$(cat heard)" = $'load.hello: from C\nload.now: 1\nload.end: ' ]
}

@test "the C program is what a reader sees" {
	[ "$(grep -cx '[`]*c' "$readme")" = 1 ]
	awk '/^```/ { in_c = $0 == "```c"; next } in_c' "$readme" | cmp - "$TOP_BUILDDIR/t/docs/readme.c"
}

@test "the lines for a shell do what they say" {
	# as they stand in the page, but for the place of the sockets; between them what a person would wait for
	mapfile -t lines < <(sed -n '/^## In a shell$/,/^The last line/{s/^    //p}' "$readme")
	[ ${#lines[@]} = 4 ]
	cat >script <<-END
		trap exit TERM
		trap 'kill \$(jobs -p) 2>&-' EXIT
		export PATH="$TOP_BUILDDIR/ncserver:$TOP_BUILDDIR/ncclient:\$PATH" NC_SOCKET="$PWD/%s.sock"
		cd "$TOP_SRCDIR"
		${lines[0]/ncserver /ncserver --socket "$PWD/%s.sock" }
		until ncclient -q ping; do sleep 0.1; done
		${lines[1]}
		until ncclient showchannel watch | grep -q .; do sleep 0.1; done
		${lines[2]}
		${lines[3]/\/run\/netcluster/"$PWD"}
		until grep -q load.later "$PWD/heard"; do sleep 0.1; done
	END
	timeout 60 bash -m script >heard 2>script.log 3>&- </dev/null || { cat script script.log heard && false; }
	cat heard script.log
	[ "$(grep -c 'load\.now.*0\.5' heard)" = 1 ]
	[ "$(grep -c 'load\.later.*2' heard)" = 1 ]
}

# with_key FILE: the configuration on standard input, with a key of this test and the loopback interface
with_key() {
	[ -e mesh.key ] || "$TOP_BUILDDIR/ncserver/ncserver" --keygen mesh.key
	sed -e "s|/etc/netcluster/mesh.key|$PWD/mesh.key|" -e 's|^interface = .*|interface = "lo";|' >"$1"
	grep -qF "$PWD/mesh.key" "$1"
	grep -q '^interface = "lo";$' "$1"
}

@test "the configuration between hosts is right, and so is conf/hosts.conf" {
	awk '/^## / { between = $0 == "## Between hosts" } /^```/ { code = !code; next } between && code' "$readme" |
		with_key readme.conf
	[ "$(wc -l <readme.conf)" = 5 ]
	with_key hosts.conf <"$TOP_SRCDIR/conf/hosts.conf"
	for file in readme.conf hosts.conf; do
		"$TOP_BUILDDIR/ncserver/ncserver" --check-config "$file" >said 2>&1 || { cat said && false; }
		"$TOP_BUILDDIR/ncserver/ncserver" --print-config "$file" >printed
		grep -q 'propagatetonet' printed
	done
	sed 's/^keys = .*//' hosts.conf >keyless.conf
	run "$TOP_BUILDDIR/ncserver/ncserver" --check-config keyless.conf
	[ "$status" = 78 ]
}

@test "links between the documents lead somewhere" {
	local file link missing=0
	for file in "$TOP_SRCDIR"/*.md "$TOP_SRCDIR"/doc/*.md "$TOP_SRCDIR"/doc/decisions/*.md; do
		while read -r link; do
			if [ ! -e "$(dirname "$file")/$link" ]; then
				echo "$file: $link is not there"
				missing=1
			fi
		done < <(grep -oE '\]\([^):]+\)' "$file" | sed 's/^](//; s/)$//; s/#.*//')
	done
	[ $missing = 0 ]
}

@test "every page of decisions is listed" {
	local page
	for page in "$TOP_SRCDIR"/doc/decisions/*.md; do
		[ "${page##*/}" = README.md ] || grep -qF "(${page##*/})" "$TOP_SRCDIR/doc/decisions/README.md"
	done
}

@test "every test that doc/tests.md names is there" {
	local name missing=0
	# C writes a long name in several pieces
	find "$TOP_SRCDIR/t" \( -name '*.[ch]' -o -name '*.bats' \) -exec cat {} + | tr -s '\n\t ' ' ' | sed 's/" "//g' >sources
	while read -r name; do
		if ! grep -qF -- "$name" sources; then
			echo "$name is nowhere"
			missing=1
		fi
	done < <(grep -oE '"[^"]+"' "$TOP_SRCDIR/doc/tests.md")
	[ $missing = 0 ]
}
