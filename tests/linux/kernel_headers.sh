#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Compiles drivers, as they are, against the headers of Debian's kernel: those that are installed, or those of the
# package linux-headers-amd64, fetched into a directory of our own. Skipped (77) where neither is to be had.
#
# kernel_headers.sh COMPILER CACHE DRIVER...
set -eu
compiler=$1
cache=$2
shift 2

skip() {
	echo "skipped: $*"
	exit 77
}

# DIR: where usr/src is. Sets $arch and $common; false: not there.
find_headers() {
	for arch in "$1"/usr/src/linux-headers-*-amd64; do
		common=${arch%-amd64}-common
		[ -e "$arch/include/generated/autoconf.h" ] && [ -d "$common/include" ] && return 0
	done
	return 1
}

# The package is a name for the newest headers, which come in two parts.
depends_on() {
	apt-cache depends "$1" 2>/dev/null | awk -v what="$2" '/Depends: linux-headers/ && $2 ~ what { print $2; exit }'
}

fetch_headers() {
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "no apt-get to fetch kernel headers with"
	package=$(depends_on linux-headers-amd64 amd64)
	[ -n "$package" ] || skip "linux-headers-amd64 is not known to apt"
	mkdir -p "$cache/packages"
	(cd "$cache/packages" &&
		timeout 90 apt-get download "$package" "$(depends_on "$package" common)" >../apt.log 2>&1) ||
		skip "linux-headers-amd64 cannot be fetched: $(tail -n 1 "$cache/apt.log")"
	for deb in "$cache"/packages/*.deb; do
		dpkg-deb -x "$deb" "$cache"
	done
}

find_headers "" || find_headers "$cache" || fetch_headers
find_headers "" || find_headers "$cache" || skip "no kernel headers for amd64"

for driver; do
	name=$(basename "$driver" .c)
	# what Kbuild gives a module, as far as the headers ask for it
	"$compiler" -fsyntax-only -nostdinc \
		-I"$common/arch/x86/include" -I"$arch/arch/x86/include/generated" -I"$common/include" -I"$arch/include" \
		-I"$common/arch/x86/include/uapi" -I"$arch/arch/x86/include/generated/uapi" \
		-I"$common/include/uapi" -I"$arch/include/generated/uapi" \
		-include "$common/include/linux/compiler-version.h" -include "$common/include/linux/kconfig.h" \
		-include "$common/include/linux/compiler_types.h" \
		-D__KERNEL__ -DMODULE -DKBUILD_MODNAME="\"$name\"" -D__KBUILD_MODNAME="kmod_$name" \
		-DKBUILD_BASENAME="\"$name\"" -DKBUILD_MODFILE="\"$name\"" -DCC_USING_FENTRY \
		-std=gnu11 -O2 -m64 -mcmodel=kernel -mno-red-zone -mno-sse -fno-pie \
		-Wall -Wundef -Wstrict-prototypes -Wdeclaration-after-statement -Wno-pointer-sign -Wno-address-of-packed-member -Werror \
		"$driver"
	echo "$name: compiles against $(basename "$arch")"
done
