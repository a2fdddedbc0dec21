# What quickstart, runtests and the checks share. Sourced by bash, from the top of the tree.
# shellcheck shell=bash

# say WORDS: what happens now, for the person who watches
say() {
	printf '==> %s\n' "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# packages GROUP...: the names that scripts/packages lists for the groups, each once
packages() {
	awk -v groups=" $* " -v arch="$(dpkg --print-architecture)" '
		/^[^#]/ && index(groups, " " $1 " ") && ($3 == "" || $3 == arch) && !seen[$2]++ { print $2 }
	' scripts/packages
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# as_root COMMAND...: runs it as root, by sudo where needed
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "packages are missing, and installing them takes root or sudo: $*"
	fi
}

# install_packages GROUP...: installs what is missing, and touches nothing when nothing is
install_packages() {
	local name missing=()

	if ! command -v apt-get >/dev/null; then
		say "This is not Debian: nothing is installed, and configure will name what is missing."
		return
	fi
	for name in $(packages "$@"); do
		is_installed "$name" || missing+=("$name")
	done
	if [ ${#missing[@]} = 0 ]; then
		say "All packages that are needed are installed."
		return
	fi
	say "Installing with apt-get: ${missing[*]}"
	as_root apt-get update -q
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# The number of compilations at a time.
jobs_at_once() {
	nproc
}

# The number of tests at a time: most wait most of the time.
tests_at_once() {
	echo $((2 * $(nproc)))
}

# prepare_tree: makes configure where it is missing; make itself notices later changes
prepare_tree() {
	if [ ! -x configure ] || [ ! -f Makefile.in ]; then
		say "Preparing the build system (autoreconf)."
		autoreconf -fi >/dev/null
	fi
}

# build_in FOLDER [CONFIGURE ARGUMENT...]: configures where the arguments are new, and runs make
build_in() {
	local folder=$1 arguments
	shift
	arguments=$(printf '%q ' "$@")
	mkdir -p "$folder"
	if [ ! -f "$folder/Makefile" ] || [ "$(cat "$folder/.configured" 2>/dev/null)" != "$arguments" ]; then
		(cd "$folder" && ../configure -q "$@")
		printf '%s\n' "$arguments" >"$folder/.configured"
	fi
	make -s -C "$folder" -j"$(jobs_at_once)" all
}

# source_files PATTERN...: the files of the project, as git knows them, or all when this is no clone
source_files() {
	# a release unpacked inside a clone is no clone
	if [ -e .git ]; then
		# what is about to be added counts, what is about to be removed does not
		git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
			[ ! -f "$file" ] || printf '%s\n' "$file"
		done
	else
		local pattern
		for pattern in "$@"; do
			find . \( -name '_*' -o -path './b-*' -o -path './build*' -o -name config.h \) -prune \
				-o -type f -path "./$pattern" -print | sed 's|^\./||'
		done
	fi
}

# runs PID: whether a process of the group is there, and not only waits for init to take note of its end
runs() {
	pgrep -g "$1" -r D,R,S,T >/dev/null
}

# stop PID...: ends process groups, and waits until they have gone
stop() {
	local pid i
	for pid; do
		kill -- "-$pid" 2>/dev/null || continue
		for i in {1..100}; do
			runs "$pid" || break
			[ "$i" != 80 ] || kill -KILL -- "-$pid" 2>/dev/null || break
			sleep 0.05
		done
	done
}
