#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test_completion.sh MAPSIM COMPLETION: what bash offers for beginnings of command lines.
set -u
mapsim=$(realpath "$1")
failed=0
# shellcheck source=/dev/null
. "$2"

# Completes the last of the words, which are split as bash does it, at blanks and "=".
complete_words() {
	COMP_WORDS=("$mapsim" "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_mapsim
}

# expect OFFERED WORDS...: exactly these are offered.
expect() {
	local wanted=$1
	shift
	complete_words "$@"
	if [ "${COMPREPLY[*]}" != "$wanted" ]; then
		echo "FAILED mapsim $*: offers \"${COMPREPLY[*]}\", not \"$wanted\""
		failed=$((failed + 1))
	fi
}

# expect_some OFFERED WORDS...: this is among what is offered.
expect_some() {
	local wanted=$1
	shift
	complete_words "$@"
	if [[ " ${COMPREPLY[*]} " != *" $wanted "* ]]; then
		echo "FAILED mapsim $*: \"$wanted\" is not offered"
		failed=$((failed + 1))
	fi
}

expect '--help --version check draw driver explore help kernels run' ''
expect 'check' ch
expect 'kernels' help k
expect '--exit-code --explain' run --ex
expect '--quiet' check --q
expect '--arch --diff --explain --help --policy' kernels -
for option in kernel arch explain hazards rules exit-code help set policy; do
	expect_some --$option run -
done
for option in kernel arch step output help set policy; do
	expect_some --$option draw -
done
for option in verbose quiet known write-known help set policy; do
	expect_some --$option check -
done
for option in kernel merge race; do
	expect_some --$option explore -
done
for option in kernel revoke json; do
	expect_some --$option driver -
done
expect 'arm64 x86_64' run --arch ''
expect 'x86_64' kernels --arch x
expect 'arm64' run --arch = a
expect 'arm64 x86_64' run --arch =
expect_some 6.12.117 run --kernel ''
expect '6.12.107 6.12.117' kernels 6.12
expect '6.12.107 6.12.117' run --kernel = 6.12
expect 's2_log_pfnmap= s2_log_topup=' run --set s2_log
expect_some vma_merge_close= check --set vma
expect_some SPIN run --set s2_lock = ''
expect_some SPIN run --set s2_lock =
expect 'SPIN' check --set s2_lock = SP
expect '' run --policy ''
expect '' check ''
expect '' run ''

[ "$failed" = 0 ] && echo 'all as expected'
exit $((failed > 0))
