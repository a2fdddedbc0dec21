#!/usr/bin/env bats
# Completion of ncclient in bash and zsh, and that all who speak of its commands and options know all of them.

load cli

BASH_FILE=$TOP_SRCDIR/completions/bash/ncclient
ZSH_FILE=$TOP_SRCDIR/completions/zsh/_ncclient
PAGE=$TOP_SRCDIR/man/ncclient.1

# completes WORD...: what bash offers for the last word of the command line
completes() {
	# shellcheck disable=SC2016
	PATH=$TOP_BUILDDIR/ncclient:$PATH bash --norc -c '
		compopt() { :; }
		. "$0"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_ncclient
		printf "%s\n" "${COMPREPLY[@]}"' "$BASH_FILE" "$@" | paste -sd' '
}

commands() {
	ncclient --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\).*/\1/p'
}

# options [COMMAND]: those of a command, or those that all take
options() {
	ncclient ${1:+help} "${1:---help}" | sed -n '/^options:/,/^$/s/^  *//p' | grep -o '^\(-[A-Za-z], \)\?--[a-z-]*' |
		tr -d ' ' | tr , '\n'
}

@test "bash takes the file, and knows the function" {
	bash -n "$BASH_FILE"
	run bash --norc -c ". '$BASH_FILE'; complete -p ncclient"
	[ "$output" = "complete -F _ncclient ncclient" ]
}

@test "bash completes commands and options" {
	[ "$(completes ncclient sho)" = "showconfig showchannel showclient" ]
	[ "$(completes ncclient '' | wc -w)" = "$(commands | wc -l)" ]
	[ "$(completes ncclient help st)" = stats ]
	[ "$(completes ncclient listen --re)" = --reliable ]
	[ "$(completes ncclient emit --li)" = --lines ]
	[ "$(completes ncclient stats --li)" = "" ]
	[ "$(completes ncclient -o j)" = json ]
	[ "$(completes ncclient --output = c)" = csv ]
	[ "$(completes ncclient top --sort queued)" = "queued queued_bytes" ]
}

@test "bash asks the server for channels and clients" {
	serve
	hear out A x
	[ "$(completes ncclient emit '')" = "A B control" ]
	[ "$(completes ncclient listen con)" = control ]
	[ "$(completes ncclient -o json trace B)" = B ]
	[ "$(completes ncclient showclient A '')" = "$(ncclient showchannel A)" ]
	unset NC_SOCKET
	[ "$(completes ncclient -s "$T/%s.sock" clients '')" = "A B control" ]
	[ "$(completes ncclient --socket = "$T/%s.sock" clients '')" = "A B control" ]
}

@test "bash completes files where files are meant" {
	touch one two
	[ "$(completes ncclient reloadconfig o)" = one ]
	[ "$(completes ncclient emit A x @t)" = @two ]
}

@test "without a server bash completes the rest, and complains about nothing" {
	run completes ncclient emit ''
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "zsh takes the file" {
	needs zsh
	zsh -n "$ZSH_FILE"
	head -1 "$ZSH_FILE" | grep -qx '#compdef ncclient'
}

@test "zsh completes commands, channels and options" {
	needs zsh
	needs tmux
	serve
	# shellcheck disable=SC2016 # for zsh to expand
	printf 'fpath=(%q $fpath)\nautoload -Uz compinit\ncompinit -u -d %q\nPS1="%%%% "\n' \
		"$(dirname "$ZSH_FILE")" "$T/dump" >.zshrc
	tmux -S "$T/tmux" -f /dev/null new-session -d -x 80 -y 24 \
		env PATH="$TOP_BUILDDIR/ncclient:$PATH" ZDOTDIR="$T" zsh -i 3>&-
	eventually last_line_is '%'
	keys 'ncclient showco' Tab
	shows 'ncclient showconfig'
	keys C-u 'ncclient emit con' Tab
	shows 'ncclient emit control'
	keys C-u 'ncclient listen --reli' Tab
	shows 'ncclient listen --reliable'
}

@test "both know all commands and all options" {
	for command in $(commands); do
		grep -qw "$command" "$BASH_FILE"
		grep -qw "^		'$command:.*" "$ZSH_FILE"
		for option in $(options "$command"); do
			[[ " $(completes ncclient "$command" -) " == *" $option "* ]]
			grep -qF -- "$option" "$ZSH_FILE"
		done
	done
	for option in $(options); do
		[[ " $(completes ncclient -) " == *" $option "* ]]
		grep -qF -- "$option" "$ZSH_FILE"
	done
}

@test "the manual page has a paragraph for every command, function and option" {
	for command in $(commands); do
		grep -q "^\.It Cm $command\b" "$PAGE"
	done
	for function in $(ncclient -e 'help()' | sed -n 's/^  \([a-z]*\)(.*/\1/p'); do
		grep -q "^\.It Fn $function\b" "$PAGE"
	done
	for option in $(options; for command in emit listen top; do options "$command"; done); do
		name=${option#-}
		grep -q "^\.It .*Fl ${name//-/\\\\*-*}\b" "$PAGE" || {
			echo "$option"
			return 1
		}
	done
}
