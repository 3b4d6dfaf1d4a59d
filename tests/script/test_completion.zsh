#!/usr/bin/env zsh
# SPDX-License-Identifier: GPL-2.0-only
# test_completion.zsh MAPSIM COMPLETION: what zsh is told to offer for beginnings of command lines. The builtins that
# exist during completion alone are functions here, which keep what they are told.
mapsim_path=${1:A}
completion=$2
failed=0
setopt extended_glob # as it is during completion

compadd() {
	offered+=(${@[${@[(i)--]} + 1, -1]})
}
_files() {
	offered+=(FILES)
}
compset() { # -P PATTERN
	PREFIX=${PREFIX#${~2}}
}

# expect OFFERED WORDS...: this is among what is offered for the last of the words.
expect() {
	local wanted=$1
	shift
	words=($mapsim_path "$@")
	CURRENT=$#words
	PREFIX=$words[-1]
	offered=()
	. $completion
	if ((!${offered[(Ie)$wanted]})); then
		print "FAILED mapsim $*: \"$wanted\" is not in \"$offered\""
		((failed++))
	fi
}

expect check ''
expect --version ''
expect kernels help ''
for option in kernel arch explain rules exit-code help set policy; do
	expect --$option run -
done
for option in verbose quiet known write-known help set policy; do
	expect --$option check --
done
expect x86_64 run --arch ''
expect arm64 run --arch=
expect 6.12.117 run --kernel ''
expect 6.12.117 kernels 6.12
expect 6.12.117 kernels --policy ''
expect s2_lock run --set s2_lo
expect vma_merge_close check --set ''
expect SPIN run --set s2_lock=
expect SPIN run --set=s2_lock=S
expect FILES run --policy ''
expect FILES check --known ''
expect FILES check ''

((failed)) || print 'all as expected'
exit $((failed > 0))
