# patience.bash - waiting for a condition, and its opposite: what the process tests of all folders share
#
# A busy machine makes everything late: a test waits for what it needs, and never for a time. How long it waits is only how
# long a failure takes.

# wait_for SECONDS COMMAND...: within so many seconds the command succeeds
wait_for() {
	local end=$((SECONDS + $1))
	shift
	while [ $SECONDS -lt $end ]; do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.02
	done
	echo "never: $*"
	return 1
}

# eventually COMMAND...: within twenty seconds the command succeeds
eventually() {
	wait_for 20 "$@"
}

# refute COMMAND...: the command fails (in bash a plain "! command" would never fail a test)
refute() {
	if "$@"; then
		echo "unexpectedly true: $*"
		return 1
	fi
}
