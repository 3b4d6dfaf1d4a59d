#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The mapsim command: exit codes, what is printed where, and bad input of every kind.
set -u
mapsim=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

# expect NAME CODE WORDS COMMAND...: exit code and words in the output, and no signal.
expect() {
	local name=$1 code=$2 words=$3
	shift 3
	"$@" >out 2>err
	local got=$?
	if [ "$got" != "$code" ] || ! cat out err | grep -qF -- "$words"; then
		echo "FAILED $name: exit code $got, expected $code and \"$words\":"
		head -n 5 out err
		failed=$((failed + 1))
	fi
}

header='mapsim-recording 1
kernel 6.12.107 arm64
config page_size=4096 va_bits=48 ipa_bits=40 thp=never
device bar pa=0x8000000000 size=0x200000 prefetchable=1
ram pa=0x40000000 size=0x10000000'
mkdir -p folder/b folder/a
printf '%s\n> fork\n< ret 0\n' "$header" >folder/b/good.rec
printf '%s\n> fork\n< ret 0\n> exit\n< ret EINVAL\n' "$header" >folder/a/other.rec
echo 'not a recording' >folder/a/notes.txt

echo '> fork' >script
# said_on OUTPUT WORDS: out or err has these words, and the other is empty.
said_on() {
	local other=out
	[ "$1" = err ] || other=err
	if [ -s "$other" ] || ! grep -qF -- "$2" "$1"; then
		echo "FAILED not on std$1 alone: $2"
		failed=$((failed + 1))
	fi
}
expect 'no command' 2 'usage: mapsim' "$mapsim"
said_on err 'usage: mapsim'
expect 'unknown command' 2 'unknown command "frob"' "$mapsim" frob
expect 'help' 0 'usage: mapsim' "$mapsim" --help
said_on out 'exit codes:'
for command in run check kernels explore driver; do
	expect "help of $command" 0 "usage: mapsim $command" "$mapsim" $command --help
	said_on out 'exit codes:'
	cp out help
	expect "help of $command behind a file" 0 "usage: mapsim $command" "$mapsim" $command script -h
	cmp -s out help || failed=$((failed + 1))
	expect "help $command" 0 "usage: mapsim $command" "$mapsim" help $command
	cmp -s out help || failed=$((failed + 1))
	expect "an option that $command has not" 2 "mapsim $command: unrecognized option '--frob'" \
		"$mapsim" $command --frob script
	said_on err "Try 'mapsim $command --help'."
	expect "help of $command on a full disk" 2 "mapsim $command: standard output: No space" \
		sh -c '"$@" >/dev/full' sh "$mapsim" $command --help
done
expect 'help of all' 0 'mapsim help [COMMAND]' "$mapsim" help
expect 'help of nothing' 2 'mapsim: unknown command "frob"' "$mapsim" help frob
expect 'help of two' 2 'one command at a time' "$mapsim" help run check
expect 'version' 0 'mapsim ' "$mapsim" --version
expect 'kernels' 0 '6.12.107   arm64' "$mapsim" kernels
expect 'kernels of one architecture' 0 '6.19       x86_64' "$mapsim" kernels --arch x86_64
expect 'one release' 0 '6.12.116 arm64: its line' "$mapsim" kernels 6.12.116
expect 'one rule of it' 0 's2_pfnmap_block          FROM_HOST_TABLE ' "$mapsim" kernels 6.12.116
expect 'its evidence' 0 'known by: ' "$mapsim" kernels --explain 6.12.116
expect 'a release that is too new' 0 'all are inferred' "$mapsim" kernels 9.1
expect 'kernels differ' 0 's2_pfnmap_block: FROM_VM_PGOFF -> FROM_HOST_TABLE' \
	"$mapsim" kernels --diff 6.12.107 6.12.117
expect 'kernels differ, as what they were taken' 0 '6.12.117 arm64: its line' \
	"$mapsim" kernels --diff 6.12.107 6.12.117
expect 'kernel unknown' 2 'mapsim kernels: 1.0: older than 5.10' "$mapsim" kernels --diff 1.0 6.12.117
expect 'kernel of a distribution' 2 '/proc/version_signature' "$mapsim" kernels 6.8.0-45-generic
expect 'kernel of a distribution to play on' 2 'uname -v' "$mapsim" run --kernel 6.1.0-50-amd64 script
expect 'kernels with two releases' 2 'one release at a time' "$mapsim" kernels 6.12 6.13
expect 'a policy of nothing' 2 'take a release' "$mapsim" kernels --policy

full() { "$@" >/dev/full; }
closed() { "$@" >&-; }
expect 'kernels on a full disk' 2 'standard output' full "$mapsim" kernels
expect 'a policy on a full disk' 2 'standard output' full "$mapsim" kernels 6.12 --policy
expect 'help on a full disk' 2 'standard output' full "$mapsim" --help
expect 'a list without an end' 2 'not a file of at most' "$mapsim" check --known /dev/zero folder
expect 'a list that is a folder' 2 'not a file of at most' "$mapsim" check --known folder folder

# rules by hand
printf '> mmap vfio:big off=0 at=0x200000000000 len=0x2000 prot=rw flags=shared\n> touch at=0x200000000000 access=r\n> munmap at=0x200000000000 len=0x1000\n' >parts
"$mapsim" kernels 6.6.9 --arch x86_64 --policy >policy
printf 's2_lock=SPIN\n# a comment\n\n  s2_age=RANGE # why\nnot a rule\n' >bad-policy
printf 's2_lock=\0SPIN\n' >zero-policy
expect 'a policy file' 0 'vma_merge_close=' cat policy
expect 'a policy file to play by' 0 'ret 0' "$mapsim" run --arch x86_64 --policy policy script
expect 'a bad line of it' 2 'bad-policy: line 5: not: no such rule' "$mapsim" run --policy bad-policy script
expect 'a policy file that is no text' 2 'not a text' "$mapsim" run --policy zero-policy script
expect 'no policy file' 2 'nowhere: No such file' "$mapsim" check --policy nowhere folder
expect 'a difference explained' 0 '6.12.117: FROM_HOST_TABLE: ' "$mapsim" kernels --diff --explain 6.12.107 6.12.117
expect 'the kernel that cannot be played on' 2 'mapsim run: --kernel 5.4: older' "$mapsim" run --kernel 5.4 script
expect 'a policy of the other architecture' 2 'other architecture' "$mapsim" run --arch arm64 --policy policy script
expect 'what is set is in what is printed' 0 '#!rule=s2_lock=SPIN' "$mapsim" run --set s2_lock=SPIN script
"$mapsim" run --kernel 6.12.107 --set s2_lock=SPIN script >set.rec
expect 'and is read again' 0 '1 of 1 recordings identical' "$mapsim" check set.rec
printf '#!rule=s2_lock=NONE\n> fork\n' >bad-rule
expect 'a rule in a script that is none' 2 'line 1: no such rule or value' "$mapsim" run bad-rule
expect 'every rule that counts' 0 'rests on munmap_split_new=DYING_PART, since 5.10' "$mapsim" run --arch x86_64 --kernel 6.1.192 --rules parts
"$mapsim" run --arch x86_64 --kernel 6.1.192 --rules parts >rules.txt
expect 'and no other' 0 '6' grep -c '^# rests on' rules.txt
expect 'no such rule' 2 'mapsim run: --set: s2_loc=SPIN: no such rule' "$mapsim" run --set s2_loc=SPIN script
expect 'no such value' 2 'the values of s2_lock are SPIN' "$mapsim" run --set s2_lock=NONE script
expect 'a rule set for a recording' 0 '1 of 1 recordings identical' "$mapsim" check --set s2_lock=SPIN folder/b
expect 'a rule of a kernel that is too new' 0 '# 9.1: the rules of ' "$mapsim" run --kernel 9.1 --explain script

expect 'same' 0 'same folder/b/good.rec' "$mapsim" check --verbose folder/b
expect 'what is the same is not told' 0 'total' "$mapsim" check folder/b
if grep -q folder out; then
	echo 'FAILED an identical recording is named'
	failed=$((failed + 1))
fi
expect 'differs' 1 'differs folder/a/other.rec: line 9: kernel said "ret EINVAL", model said "ret 0"' \
	"$mapsim" check folder
printf '%s\n> munmap at=0x200000000000 len=0x0\n< ret ENODEV\n' "$header" >refused.rec
expect 'why the model refuses' 1 'kernel said "ret ENODEV", model said "ret EINVAL" (the length is 0)' \
	"$mapsim" check refused.rec
expect 'why it does, with its events' 1 '    because refused: the length is 0' "$mapsim" check --verbose refused.rec
expect 'why a script is refused' 0 '# why: refused: the length is 0' "$mapsim" run --explain refused.rec
expect 'numbers of a kernel' 1 '6.12.107 arm64: 1 of 2 recordings identical, 2 of 3 answers' \
	"$mapsim" check --quiet folder
expect 'total' 1 'total: 1 of 2 recordings identical, 2 of 3 answers' "$mapsim" check folder
expect 'quiet is quiet' 1 'total' "$mapsim" check --quiet folder
if grep -q folder out; then
	echo 'FAILED quiet names recordings'
	failed=$((failed + 1))
fi
expect 'sorted' 1 'total' "$mapsim" check --verbose folder
if [ "$(grep folder out | cut -d: -f1 | paste -sd ' ')" != \
	'differs folder/a/other.rec same folder/b/good.rec' ]; then
	echo 'FAILED folders are walked in order'
	failed=$((failed + 1))
fi
expect 'verbose' 1 '    kernel  ret EINVAL' "$mapsim" check --verbose folder
expect 'verbose and quiet' 2 'exclude each other' "$mapsim" check -q -v folder
expect 'nothing to check' 2 'mapsim check: a PATH is missing' "$mapsim" check
expect 'a new list of none' 2 'goes with --known' "$mapsim" check --write-known folder
expect 'no such path' 2 'No such file' "$mapsim" check folder/c

echo 'other: arm64/6.12.107: exit is refused' >known
expect 'known difference' 0 'known differences: 1, unexpected: 0' "$mapsim" check --known known folder
echo 'good: arm64/6.12.107: nothing' >>known
expect 'identical now' 1 'good: is identical now' "$mapsim" check --known known folder
: >known
expect 'unlisted' 1 'other: differs, and is not on the list' "$mapsim" check --known known folder
expect 'written list' 0 'other: arm64/6.12.107: not looked into' \
	"$mapsim" check --known known --write-known folder
echo 'what' >known
expect 'bad list' 2 'line 1' "$mapsim" check --known known folder

# what is played prints itself
for file in folder/*/*.rec; do
	"$mapsim" run "$file" >once && "$mapsim" run once >twice && cmp once twice || failed=$((failed + 1))
done
echo '> fork' >script
expect 'standard input' 0 '< ret 0' "$mapsim" run - <script
expect 'another kernel' 0 'kernel 6.1.176 x86_64' "$mapsim" run --kernel 6.1.176 --arch x86_64 script
expect 'a kernel that is not known' 2 'kernel 0.1: older than 5.10' "$mapsim" run --kernel 0.1 script
expect 'an architecture that is not known' 2 'unknown architecture "vax"' "$mapsim" run --arch vax script
expect 'two files' 2 'mapsim run: one FILE at a time' "$mapsim" run script script
expect 'nothing to run' 2 'mapsim run: a FILE is missing' "$mapsim" run
expect 'no file' 2 'No such file' "$mapsim" run nothing
expect 'a folder' 2 'folder' "$mapsim" run folder
expect 'a script is no recording' 2 'not a recording' "$mapsim" check script

# output that cannot be written, by every command
for command in 'run script' 'run --explain script' 'check folder/b' 'kernels' 'kernels 6.12 --explain' \
	'kernels --diff 6.6 6.12' 'check --known empty --write-known folder'; do
	: >empty
	name=${command%% *}
	# shellcheck disable=SC2086
	expect "$command on a full disk" 2 "mapsim $name: standard output: No space left" full "$mapsim" $command
	[ "$(wc -l <err)" = 1 ] || { echo "FAILED $command says more than that"; failed=$((failed + 1)); }
	# shellcheck disable=SC2086
	expect "$command to nowhere" 2 "mapsim $name: standard output: Bad file" closed "$mapsim" $command
done

# violations
cat >private <<'END'
> mmap driver:big off=0 at=32T len=64K prot=r flags=private pieces=0+64K lazy
> touch at=32T access=r
END
expect 'a violation is not asked for' 0 '< ret ' "$mapsim" run private
said_on out '< ret '
printf '%s\n' '> mmap driver:big off=0 at=32T len=2M prot=rw flags=shared type=nGnRE pieces=0x0+0x200000' \
	'> mprotect at=32T len=2M prot=r' >cacheable
expect 'hazards' 0 '# hazard: device-cacheable mm=1 addr=0x200000000000 ' "$mapsim" run --hazards cacheable
expect 'a violation' 1 'mapsim run: private: line 2: violation addr=0x200000000000 ' "$mapsim" run --exit-code private
expect 'no violation' 0 '< ret 0' "$mapsim" run --exit-code script
said_on out '< ret 0'
expect 'a violation on a full disk' 2 'No space left' full "$mapsim" run --exit-code private

# sizes, and no end of the last line
printf '> munmap at=32T len=2M' >sizes
expect 'sizes' 0 '> munmap at=0x200000000000 len=0x200000' "$mapsim" run sizes
"$mapsim" run sizes | head -c -1 >sizes.rec
expect 'no end of the last line' 0 '1 of 1 recordings identical' "$mapsim" check sizes.rec

# one thing wrong each: run and check name the file and say what
bad() {
	local name=$1 words=$2
	expect "run: $name" 2 "bad.rec: $words" "$mapsim" run bad.rec
	expect "check: $name" 2 "bad.rec: $words" "$mapsim" check bad.rec
}
printf '%s\n> frobnicate at=0\n< ret 0\n' "$header" >bad.rec
bad 'unknown operation' 'line 6: unknown operation "frobnicate at=0"'
printf '%s\n> munmap at=0x1ffffffffffffffff len=1\n< ret 0\n' "$header" >bad.rec
bad 'address out of range' 'line 6: munmap: number out of range "0x1ffffffffffffffff"'
printf '%s\n> munmap at=0x200000000000 le' "$header" >bad.rec
bad 'cut in half' 'line 6: munmap: unknown word "le"'
{ printf '# '; head -c 10485760 /dev/zero | tr '\0' a; echo; } >bad.rec
bad 'a line of 10 MB' 'line 1: line longer than 4096 bytes'
head -c 10485760 /dev/zero >bad.rec
bad '10 MB of zeros' 'line 1: line longer than 4096 bytes'
printf '> fork\n\0\0\0\n' >bad.rec
bad 'zeros' 'line 2: not text: byte 0x00 in column 1'
printf '\177ELF\002\001\001\000\377\376 noise\n' >bad.rec
bad 'binary noise' 'line 1: not text: byte 0x7f'
: >bad.rec
bad 'an empty file' 'empty'
printf '%s\ndevice low pa=0x8000000000 size=0x1000\n> fork\n< ret 0\n' "$header" >bad.rec
bad 'header out of order' 'line 6: header out of order'
printf 'mapsim-recording 1\nkernel 6.12.107 arm64\nconfig page_size=4096\nram pa=0xfffffffffffff000 size=0x2000\n> fork\n< ret 0\n' >bad.rec
bad 'memory that wraps' 'ram at 0xfffffffffffff000 is refused'
head -c 70000000 /dev/zero | tr '\0' '\n' >bad.rec
bad 'too much' 'too large'

[ "$failed" = 0 ] && echo 'all as expected'
exit $((failed > 0))
