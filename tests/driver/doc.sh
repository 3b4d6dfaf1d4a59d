#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# doc.sh MAPSIM ROOT PAGE...: what the pages show of "mapsim driver" is what it prints.
set -u
mapsim=$(realpath "$1") root=$2
shift 2
failed=0
shown=0

cd "$root" || exit 1
# whose messages the pages show
[ -z "$(command -v gcc)" ] || export CC=gcc
for page; do
	block=
	while IFS= read -r line; do
		if [[ $line = '$ mapsim driver '* ]]; then
			command=${line#'$ mapsim '}
			block=$(eval "\"\$mapsim\" $command" 2>&1)
			seen=
			shown=$((shown + 1))
		elif [[ -n $block && $line = '```' ]]; then
			if [ "$seen" != "$block" ]; then
				echo "FAILED $page: mapsim $command"
				diff <(echo "$seen") <(echo "$block")
				failed=1
			fi
			block=
		elif [ -n "$block" ]; then
			seen=${seen:+$seen$'\n'}$line
		fi
	done <"$page"
done
[ "$shown" -ge 2 ] || { echo "FAILED only $shown of them are shown"; failed=1; }
exit $failed
