#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# doc_code.sh PAGE EXAMPLES.c ROOT BUILD-ROOT LIBRARY: each block of C of the page stands in the examples; the command by which
# it compiles a test does that for the README's, where the headers and the library are as they are installed.
set -u
page=$1 examples=$2 root=$3 build=$4 library=$5
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# Writes the page's blocks of a language to $tmp/LANGUAGE.N.
awk -v dir="$tmp" '
	/^```/ { if (open) { open = 0; close(file) } else { open = 1; lang = substr($0, 4); file = dir "/" lang "." ++n } next }
	open && lang != "" { print >file }' "$page"

blocks=("$tmp"/c.*)
[ "${#blocks[@]}" -ge 7 ] || { echo "FAILED only ${#blocks[@]} blocks of C"; failed=1; }
for block in "${blocks[@]}"; do
	if [[ $'\n'$(<"$examples")$'\n' != *$'\n'"$(<"$block")"$'\n'* ]]; then
		echo "FAILED this is not in $examples:"
		cat "$block"
		failed=1
	fi
done

mkdir -p "$tmp/include" "$tmp/lib" "$tmp/test"
cp -r "$root/include/mapsim" "$tmp/include/"
cp -r "$build/include/mapsim" "$tmp/include/" || exit 1
cp "$library" "$tmp/lib/"
cp "$root/tests/linux/doc/scratch_test.c" "$root/tests/linux/doc/after/scratch.c" "$tmp/test/"
printf '%s\n' "prefix=$tmp" 'includedir=${prefix}/include' 'linux_includedir=${includedir}/mapsim' 'Name: mapsim' \
	'Description: mapsim' 'Version: 1' 'Libs: -L${prefix}/lib -lmapsim -pthread' 'Cflags: -I${includedir}' >"$tmp/mapsim.pc"
commands=("$tmp"/sh.*)
[ "${#commands[@]}" = 1 ] || { echo "FAILED there are ${#commands[@]} commands"; failed=1; }
cd "$tmp/test" || exit 1
if ! PKG_CONFIG_PATH=$tmp bash -eu "${commands[0]}" || ! ./scratch_test; then
	echo "FAILED to compile and run a test by:"
	cat "${commands[0]}"
	failed=1
fi
exit $failed
