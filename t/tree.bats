#!/usr/bin/env bats
# The order of the source tree: who may include and call whom.

setup() {
	cd "$TOP_SRCDIR" || return
}

@test "no folder includes what stands above it" {
	scripts/check-includes
}

@test "the include checker finds violations that are planted" {
	scripts/check-includes --self-test
}

@test "the pure cores call no clock, socket, random source or environment" {
	scripts/check-pure "$TOP_BUILDDIR"
}

@test "the purity checker finds a call that is planted" {
	scripts/check-pure --self-test
}
