# pairs.sh - what programs share that measure side by side: runs that alternate, and the median of the pairs' ratios
#
# Sourced by bash. Who sources it brings `program WHO`, which prints the command of a program, one word a line, and its
# options. Who is called `ours` is one of ours.
# shellcheck shell=bash
# who sources it sets `here`, its folder, `tmp`, and in a row `way`, and reads the rest
# shellcheck disable=SC2034,SC2154

pairs=9 seconds=0.6 json=false with_peers=true build='' wanted=() me=${0##*/}
limit_s=90 # no run takes longer

die() {
	echo "$me: $*" >&2
	exit 2
}

# take_option ARG: one that all have. Returns 1 where it is not.
take_option() {
	case $1 in
	--quick) pairs=3 seconds=0.15 ;;
	--json) json=true ;;
	--no-peers) with_peers=false ;;
	--pairs=*) pairs=${1#*=} ;;
	--seconds=*) seconds=${1#*=} ;;
	--build=*) build=${1#*=} ;;
	-h | --help)
		sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
		exit 0
		;;
	-*) return 1 ;;
	*) wanted+=("$1") ;;
	esac
}

# after the options: checks them, and finds the build tree
prepare() {
	local dir row
	for row in "${wanted[@]}"; do
		grep -q "^row $row " "$0" || die "there is no row $row"
	done
	[[ $pairs =~ ^[1-9][0-9]*$ ]] || die "--pairs: a number expected"
	command -v jq >/dev/null || die "jq is needed"
	if [ -z "$build" ]; then
		for dir in . "$here/../b" "$here/../build"; do
			if [ -x "$dir/bench/ncbench" ]; then build=$dir && break; fi
		done
	fi
	if [ ! -x "$build/bench/ncbench" ] || [ ! -x "$build/ncserver/ncserver" ]; then
		die "no build tree found (--build=DIR)"
	fi
	build=$(cd "$build" && pwd)
}

# --- one run -------------------------------------------------------------------------------------------------------

# run WHO ARG...: prints the result as JSON; fails where a message was lost or wrong, or where it can't run
run() {
	local cmd
	mapfile -t cmd < <(program "$1")
	timeout "$limit_s" "${cmd[@]}" --json "${@:2}" 2>"$tmp/err" && return
	if [ $? = 124 ]; then echo "no result within $limit_s s" >>"$tmp/err"; fi
	return 1
}

# How many messages arrive in the time that a run is to last: found out once for each program and kind of load, and kept
# in a file, since whoever asks is a subshell.
count_of() {
	local key="$*" file
	file=$tmp/count-${key//[^[:alnum:]@%.-]/_}
	if [ ! -e "$file" ]; then
		run "$@" --cut="$(ms 1)" throughput | jq '.received / .subscribers / .publishers | ceil' >"$file.new" || return
		if [ "$(cat "$file.new")" = 0 ]; then
			echo "nothing arrived within $(ms 1) ms" >>"$tmp/err"
			return 1
		fi
		mv "$file.new" "$file"
	fi
	cat "$file"
}

# ms FACTOR: so many times the time of a run, in milliseconds
ms() { awk -v s="$seconds" -v f="$1" 'BEGIN { printf "%d", s * f * 1000 }'; }

# measure FIELD WHO WORK ARG...: prints the figure. A run of throughput that takes five times as long as it should is cut off,
# and what came until then counts.
measure() {
	local field=$1 who=$2 work=$3 count n=()
	shift 3
	if [ "$work" = throughput ] && [[ " $* " != *" -n "* ]]; then
		count=$(count_of "$who" "$@") || return
		n=(-n "$count" --cut="$(ms 5)")
	fi
	run "$who" "$@" "${n[@]}" "$work" | jq -e "if .ok then .$field else empty end"
}

median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) printf "%.6g\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# --- one row -------------------------------------------------------------------------------------------------------

# against US WHO FIELD WORK OURS... -- THEIRS...: alternates, and sets ours, theirs and ratio to medians ("" where it can't
# run, and then $why says why); where WHO is none, ours only
against() {
	local us=$1 who=$2 field=$3 work=$4 a=() b=() x y i
	shift 4
	while [ "$1" != -- ]; do a+=("$1") && shift; done
	b=("${@:2}")
	ours='' theirs='' ratio='' why=''
	rm -f "$tmp/a" "$tmp/b" "$tmp/r"
	touch "$tmp/a" "$tmp/b" "$tmp/r"
	for ((i = 0; i < pairs; i++)); do
		if ! x=$(measure "$field" "$us" "$work" "${a[@]}") || [ -z "$x" ]; then
			why=$(tail -n 1 "$tmp/err")
			echo "$me: $us: $work ${a[*]}: $why" >&2
			# what can't run once is not asked nine times
			if [ "$i" = 0 ]; then break; fi
			continue
		fi
		echo "$x" >>"$tmp/a"
		[ "$who" = none ] && continue
		if ! y=$(measure "$field" "$who" "$work" "${b[@]}") || [ -z "$y" ]; then
			why=$(tail -n 1 "$tmp/err")
			echo "$me: $who: $work ${b[*]}: $why" >&2
			if [ "$i" = 0 ]; then break; fi
			continue
		fi
		echo "$y" >>"$tmp/b"
		awk -v x="$x" -v y="$y" 'BEGIN { if (y > 0) print x / y }' >>"$tmp/r"
	done
	ours=$(median <"$tmp/a") theirs=$(median <"$tmp/b") ratio=$(median <"$tmp/r")
}

is_wanted() {
	local w
	[ ${#wanted[@]} -gt 0 ] || return 0
	for w in "${wanted[@]}"; do
		if [ "$w" = "$1" ]; then return; fi
	done
	return 1
}

# whether A is better than B: more, or with "less" less
better() { awk -v a="$1" -v b="$2" -v way="$way" 'BEGIN { exit !(b == "" || (way == "less" ? a + 0 < b + 0 : a + 0 > b + 0)) }'; }

# reached VALUE GOAL: true, false, or null where one of them is not there
reached() {
	if [ -z "$2" ]; then echo true && return; fi
	if [ -z "$1" ]; then echo null && return; fi
	awk -v v="$1" -v g="$2" -v way="$way" 'BEGIN { print (way == "less" ? v + 0 <= g + 0 : v + 0 >= g + 0) ? "true" : "false" }'
}

