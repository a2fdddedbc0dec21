#!/usr/bin/env bats
# The control channel as nc-protocol(7) describes it: every question is answered, and the objects of the answers have
# exactly the members that the page lists.

setup() {
	page=$TOP_SRCDIR/man/nc-protocol.7
	cd "$BATS_TEST_TMPDIR" || return
	cat >server.conf <<-'END'
		channels = {
			A = { propagatetochannels = "B"; fifo = true; };
			B = { };
			D = { policy = "drop-oldest"; queue_messages = 16; };
		};
	END
	mkfifo ready
	"$TOP_BUILDDIR/ncserver/ncserver" --socket "$PWD/%s.sock" --ready-fd 4 server.conf \
		2>server.log 3>&- 4>ready &
	server=$!
	read -r -t 20 <ready || { cat server.log && false; }
}

teardown() {
	local pid
	for pid in ${stopped-} ${server-}; do
		kill -CONT "$pid" 2>/dev/null
		kill "$pid" 2>/dev/null && wait "$pid"
	done
	return 0
}

# ask QUESTION [DATA]: the packet that answers it
ask() {
	printf '{"event":"nc-control-%s","data":%s,"nc":{"id":1}}\0' "$1" "${2-null}" |
		socat -t 20 - "UNIX-CONNECT:$PWD/control.sock" | tr '\0' '\n'
}

# wait_for_one QUESTION [DATA]: until the answer's list has a member, at most 20 s
wait_for_one() {
	for _ in {1..200}; do
		ask "$@" | jq -e '.data[0]' && return
		sleep 0.1
	done
	return 1
}

# members_listed TITLE: those that the page lists under a .Ss, with those of the flow where it is a part
members_listed() {
	local text
	text=$(awk -v title=".Ss $1" '$0 == title { found = 1 } found && /^\.Ed/ { exit } found' "$page")
	[ -n "$text" ]
	{
		grep -oE '(^|[{, ])"[a-z_]+"' <<<"$text" | grep -oE '[a-z_]+'
		if [ "$1" != Flow ] && grep -q flow <<<"$text"; then
			members_listed Flow
		fi
	} | sort -u
}

# check TITLE QUESTION FILTER: what jq's FILTER finds in the answer has the members that the page lists
check() {
	local listed answered
	listed=$(members_listed "$1")
	answered=$(ask "$2" "${4-null}" | jq -r ".data | $3 | [.. | objects | keys[]] | unique[]")
	[ -n "$answered" ]
	diff <(echo "$listed") <(sort -u <<<"$answered")
}

@test "a client has the members of the client object" {
	check "Client object" clients '.[0]'
}

@test "a channel has the members of the channel object" {
	check "Channel object" channels '.[0]'
}

@test "a rule has the members of the rule object" {
	check "Rule object" rules '.[0]'
}

@test "stats have the members of the stats object" {
	check "Stats object" stats 'del(.channels)' |& tee diff
	# but for those of its channels, which have an object of their own
	[ "$(grep '^[<>]' diff)" = '< channels' ]
}

@test "a slow client has the members of the slow object" {
	mkfifo in
	exec 6<>in
	socat - "UNIX-CONNECT:$PWD/D.sock" <&6 >/dev/null 3>&- 6>&- &
	stopped=$!
	printf '{"event":"nc.listen","data":">"}\0' >&6
	wait_for_one showchannel '"D"'
	kill -STOP "$stopped"
	seq -f '{"event":"n","data":%.0f}' 1000 | tr '\n' '\0' |
		socat -t 20 -u - "UNIX-CONNECT:$PWD/D.sock"
	wait_for_one slow
	check "Slow object" slow '.[0]'
	ask slow | jq -e '.data[0] | .reason == "dropping" and .dropped_total > 0'
}

@test "every question that the page lists is answered" {
	local question n=0
	while read -r question; do
		case $question in
		showchannel) ask "$question" '"A"' ;;
		showclient) ask "$question" '{"channel":"A","client":"none"}' ;;
		trace) ask "$question" '{"channel":"A","event":"x"}' ;;
		*) ask "$question" ;;
		esac >answer
		cat answer
		jq -e --arg event "nc-control-$question-response" '.event == $event and .nc.id == 1' answer
		# 20: nobody answers
		jq -e '.nc.code != 20' answer
		n=$((n + 1))
	done < <(sed -n '/^\.Ss Questions$/,/^\.El$/s/^\.It Ql nc-control-//p' "$page")
	[ $n = 18 ]
}

@test "what fails is told with a code, and without an id with an error as data" {
	ask showchannel '"none"' | jq -e '.data == null and .nc.code == 8 and (.nc.error | length > 0)'
	ask showclient '{"channel":"A","client":"none"}' | jq -e '.nc.code == 8'
	ask no-such-question | jq -e '.nc.code == 20'
	printf '{"event":"nc-control-showchannel","data":"none"}\0' |
		socat -t 20 - "UNIX-CONNECT:$PWD/control.sock" | tr -d '\0' | jq -e '.data.error | length > 0'
}

@test "trace names the channels that a rule reaches" {
	ask trace '{"channel":"A","event":"x"}' | jq -e '.data.channels == ["A", "B"]'
}
