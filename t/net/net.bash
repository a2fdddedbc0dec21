# net.bash - what the tests with several hosts share (t/net/hosts.sh)
#
# `load net.bash` in a file of tests; `need_hosts N` at the head of a test makes hosts 1 to N, whose NET is exported; they
# go with the test.

load ../patience

HOSTS=${TOP_SRCDIR:?}/t/net/hosts.sh

# hosts COMMAND...
hosts() {
	"$HOSTS" "$@"
}

# need_hosts N: makes them, or skips the test
need_hosts() {
	local why
	why=$(hosts check) || skip "$why"
	NET=$(hosts up "$1" $$ 3>&-)
	export NET
}

# Clients of this side, which would wait for their server for ever: they go with the test.
CLIENTS=()

setup() {
	T=$(mktemp -d /tmp/nct.XXXXXX)
	unset NET
	cd "$T" || return
}

teardown() {
	local pid
	for pid in "${CLIENTS[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
	[ -z "${NET-}" ] || hosts down
	if [ -z "${BATS_TEST_COMPLETED-}" ]; then
		tail -n 20 "$T"/out.* 2>/dev/null | sed 's/^/# /' || true
	fi
	cd /
	rm -rf "$T"
}
