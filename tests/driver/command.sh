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
expect 2 '--depth: 0 to 16, not "deep"' --depth deep "$good"
expect 2 '--only: list or search, not "both"' --only both "$good"
expect 2 '--bar: not INDEX=ADDRESS+SIZE' --bar 6=0+4K "$good"
expect 2 '--bar: there is a BAR 0 already' --bar 0=0xfd000000+4K --bar 0=0xfd000000+4K "$good"
expect 2 '--resource: neither mem=ADDRESS+SIZE nor irq=NUMBER "dma=1"' --resource dma=1 "$good"
expect 2 'no number of an interrupt' --resource irq=0 "$good"
expect 2 'No such file' no-such-file.c
expect 2 'the driver has no module_param "x"' --param x=1 "$good"
expect 2 'no value for a ulong' --param base=one "$revocable"
expect 2 'module_init() answers: Invalid argument' --param size=1 "$revocable"
expect 1 '[all kernels]' --kernel 6.12.117,7.3.4 --play "$private" "$good"
expect 0 '0 mistakes; played 1 times on 1 kernels (0 arm64, 1 x86_64), 3 steps, 1 mappings made, 0 refused' \
	--kernel 7.3.4 --arch x86_64 --play "$shared" "$good"
expect 0 '0 mistakes;' --kernel 6.12.117 --param base=0xfd000000 --param size=65536 --revoke 0 \
	--play "$shared; revoke; read" "$revocable"
expect 1 '"function":"not_shared_fault","line":' --json --kernel 7.3.4 --play "$private" "$good"

# a driver without a mistake: nothing, but what was done, which is no part of the answer
said=$("$mapsim" driver --only search --depth 3 --kernel 7.3.4 --arch x86_64 --define FIXED "$good" 2>/dev/null)
[ $? = 0 ] && [ -z "$said" ] || { echo "FAILED a driver without a mistake: $said"; failed=$((failed + 1)); }

# a search: deeper finds what is further away, and no depth nothing
fork=$drivers/forgets_fork.c
expect 0 'all of 3 steps' --kernel 7.3.4 --arch x86_64 --only search --depth 3 --revoke 0 "$fork"
expect 1 'steps: open; map shared rw; read first; move; revoke; read first' --kernel 7.3.4 --arch x86_64 --only search \
	--depth 6 --revoke 0 "$fork"
expect 0 '0 mistakes; played 0 times' --kernel 7.3.4 --only search --depth 0 "$fork"

# what ends the driver's process does not end a search
expect 1 'a bad address is accessed (SIGSEGV)' --kernel 7.3.4 --arch x86_64 --only search "$drivers/crashes.c"
expect 1 'a recursion without end' --kernel 7.3.4 --arch x86_64 --only search --define RECURSION "$drivers/crashes.c"
expect 1 'it hangs' --kernel 7.3.4 --arch x86_64 --only search --define HANG "$drivers/crashes.c"

# a bus: what the device has
expect 2 'the probe of its device answers: No such device or address' --kernel 7.3.4 --resource mem=0xfd000000+4K \
	"$drivers/platform_remap.c"
expect 0 '0 mistakes' --kernel 7.3.4 --resource mem=0xfd000000+4K --resource irq=7 --play open --define FIXED \
	"$drivers/platform_remap.c"
expect 1 'steps: open; map shared rw; unbind; read' --kernel 7.3.4 --bar 0=0xe0000000+8K \
	--play 'open; map shared rw; unbind; read' "$drivers/pci_unbind.c"
expect 0 '0 mappings made, 2 refused' --kernel 7.3.4 --bar 0=0xe0000000+8K --play 'open; map shared rw 3' "$drivers/pci_unbind.c"

# names of versions
expect 0 'compiles with the names of 7.3.4 and later; with those of others: implicit declaration of function' \
	--kernel 6.1.176,7.3.4 --play "$shared" "$good"
printf '#include <linux/version.h>\n#if LINUX_VERSION_CODE != KERNEL_VERSION(6, 12, 117)\n#error "another"\n#endif\n' >one.c
cat "$drivers/not_shared.c" >>one.c
expect 0 '3 steps' --kernel 6.12.117 --arch arm64 --play "$shared" one.c
expect 0 'compiles with the names of up to 6.12.117; with those of others: #error "another"' --kernel 6.12.117,7.3.4 \
	--play "$shared" one.c
expect 0 'there it was not played' --kernel 6.12.117,7.3.4 --play "$shared" one.c
mkdir headers
printf '#define PART 1\n' >headers/part.h
printf '#include "part.h"\n' >part.c
cat "$drivers/not_shared.c" >>part.c
expect 0 '3 steps' --kernel 7.3.4 --arch arm64 --include headers --play "$shared" part.c

# what a compiler says, and what it is about
printf '#include <linux/module.h>\nint f(void) { return no_such_name(1); }\n' >missing.c
expect 2 "the kernel's function no_such_name is none that mapsim has" missing.c
printf '#include <linux/no_such_header.h>\n' >header.c
expect 2 "the kernel's header linux/no_such_header.h is none that mapsim has" header.c
printf '#include <linux/module.h>\n' >empty.c
expect 2 'there is no module_init()' empty.c
exit $failed
