#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check.sh MAPSIM DRIVER.c PLACE WORDS [OPTION...]: the driver's mistake is one line (a kernel), at PLACE (a function; -:
# nowhere in its source) and with WORDS in it; the same driver with FIXED defined has none, on any kernel.
set -u
mapsim=$1 driver=$2 place=$3 words=$4
shift 4
failed=0

said=$("$mapsim" driver --quick "$@" "$driver" 2>&1)
code=$?
name=$(basename "$driver")
[ "$place" = - ] && expected="^$name: $words" || expected="^$name:[0-9]+: $place: $words"
others=$(grep '^[^ ].*: .*\]$' <<<"$said" | grep -vcE "$expected")
if [ "$code" != 1 ] || [ "$others" != 0 ] || ! grep -qE "$expected" <<<"$said"; then
	echo "FAILED $driver: exit code $code, $others other lines; not one that begins with \"$expected\":"
	echo "$said"
	failed=1
fi

said=$("$mapsim" driver --quick --define FIXED "$@" "$driver" 2>&1)
code=$?
if [ "$code" != 0 ] || ! grep -q '^0 mistakes; ' <<<"$said"; then
	echo "FAILED $driver, fixed: exit code $code:"
	echo "$said"
	failed=1
fi
exit $failed
