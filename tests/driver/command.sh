#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# command.sh MAPSIM ROOT: the command line of "mapsim driver", what it refuses, its exit codes.
set -u
mapsim=$(realpath "$1") drivers=$2/tests/driver revocable=$2/tests/linux/revocable.c
failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# expect CODE WORDS ARGUMENT...: exit code, and what is in the output or the errors.
expect() {
	local code=$1 words=$2 said
	shift 2
	said=$("$mapsim" driver "$@" 2>&1)
	local got=$?
	if [ "$got" != "$code" ] || [[ $said != *"$words"* ]]; then
		echo "FAILED mapsim driver $*: exit code $got, not $code, or no \"$words\" in:"
		echo "$said"
		failed=$((failed + 1))
	fi
}

good=$drivers/not_shared.c
private='open; map private rw; write'
shared='open; map shared rw; write'
expect 0 'usage: mapsim driver' --help
expect 2 'a FILE.c is missing'
expect 2 'one FILE.c at a time' "$good" "$good"
expect 2 '--arch: arm64 or x86_64, not "mips"' --arch mips "$good"
expect 2 '--kernel nine' --kernel nine "$good"
expect 2 'not NAME=ADDRESS+SIZE "bar"' --device bar "$good"
expect 2 'no step "jump"' --play 'open; jump' "$good"
expect 2 '"sideways" is none of it' --play 'open; map sideways' "$good"
expect 2 'the driver has no module_param "x"' --param x=1 "$good"
expect 2 'no value for a ulong' --param base=one "$revocable"
expect 2 'module_init() answers: Invalid argument' --param size=1 "$revocable"
expect 1 '[all kernels]' --kernel 6.12.117,7.3.4 --play "$private" "$good"
expect 0 '0 mistakes; played 1 times on 1 kernels (0 arm64, 1 x86_64), 3 steps, 1 mappings made, 0 refused' \
	--kernel 7.3.4 --arch x86_64 --play "$shared" "$good"
expect 0 '0 mistakes;' --kernel 6.12.117 --param base=0xfd000000 --param size=65536 --revoke 0 \
	--play "$shared; revoke; read" "$revocable"
expect 1 '"function":"not_shared_fault","line":' --json --kernel 7.3.4 --play "$private" "$good"

# what a compiler says, and what it is about
printf '#include <linux/module.h>\nint f(void) { return no_such_name(1); }\n' >missing.c
expect 2 "the kernel's function no_such_name is none that mapsim has" missing.c
printf '#include <linux/no_such_header.h>\n' >header.c
expect 2 "the kernel's header linux/no_such_header.h is none that mapsim has" header.c
printf '#include <linux/module.h>\n' >empty.c
expect 2 'there is no module_init()' empty.c
exit $failed
