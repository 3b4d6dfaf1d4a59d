#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The README's "Test your driver's mmap" shows the files that are compiled and run here, and what they say.
#
# check.sh README DIRECTORY BEFORE-PROGRAM
set -u
dir=$2
before=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

awk '/^## / { on = ($0 == "## Test your driver'"'"'s mmap") } on' "$1" >"$tmp/section"
lines=$(wc -l <"$tmp/section")
if [ "$lines" = 0 ] || [ "$lines" -ge 60 ]; then
	echo "the section has $lines lines: there must be some, and less than 60"
	failed=1
fi

# NAME N: the N-th block of code is what is in $tmp/expected.
same() {
	awk -v n="$2" '/^```/ { open = !open; if (open) k++; next } open && k == n' "$tmp/section" >"$tmp/block"
	diff -u "$tmp/expected" "$tmp/block" && return
	echo "the section's block $2 is not $1"
	failed=1
}

tail -n +2 "$dir/before/scratch.c" >"$tmp/expected"
same before/scratch.c 1
tail -n +2 "$dir/scratch_test.c" >"$tmp/expected"
same scratch_test.c 2
"$before" 2>&1 >/dev/null | grep '^mapsim:' >"$tmp/expected"
same "what it says" 4
diff -U0 "$dir/before/scratch.c" "$dir/after/scratch.c" | grep '^+[^+]' >"$tmp/expected"
same "the fix" 5
exit $failed
