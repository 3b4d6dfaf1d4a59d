#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The documents of what changes between two kernels are what mapsim explore --diff prints.
#     changes.sh MAPSIM ROOT           compares them
#     changes.sh MAPSIM ROOT write     writes them
failed=0
for kernels in '6.1.192 6.12.117' '6.12.117 7.3.4'; do
	first=${kernels% *} second=${kernels#* }
	short=${first%.*}-${second%.*}
	# shellcheck disable=SC2086
	text=$("$1" explore --diff $kernels "$2/tests/witnesses") || exit 1
	if [ "$3" = write ]; then
		printf '%s\n' "$text" >"$2/docs/changes-$short.md"
	else
		printf '%s\n' "$text" | diff -u "$2/docs/changes-$short.md" - || failed=1
	fi
done
exit $failed
