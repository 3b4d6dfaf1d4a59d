#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mapsim explore: shards that are joined, a search that a signal stops and that goes on, races, --diff, and bad input of each.
# usage: test_command.sh MAPSIM FOLDER_OF_WORLDS
set -u
mapsim=$(realpath "$1")
worlds=$(realpath "$2")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "FAILED $*"
	failed=$((failed + 1))
}

# expect NAME CODE WORDS ARGUMENT...: exit code and words of what mapsim explore says.
expect() {
	local name=$1 code=$2 words=$3
	shift 3
	"$mapsim" explore "$@" >out 2>err
	local got=$?
	if [ "$got" != "$code" ] || { [ -n "$words" ] && ! cat out err | grep -qF -- "$words"; }; then
		fail "$name: exit code $got, expected $code and \"$words\":"
		head -n 5 out err
	fi
}

same() {
	cmp -s "$2" "$3" || fail "$1: $(diff "$2" "$3" | head -n 5)"
}

# ---- shards ----

whole() {
	"$mapsim" explore --quiet --kernel "$1" --depth "$2" "${@:4}" "$worlds/$3"
}
# Joined they are the whole, in whatever order; an empty part adds nothing.
for world in vfio-fork.world claim.world race-arm64.world; do
	depth=4
	extra= kernel=6.1.192
	[ $world = race-arm64.world ] && extra=--race kernel=5.15.100
	whole $kernel $depth $world $extra >want
	[ -s want ] || fail "$world: the whole search finds nothing, so that nothing is compared"
	for parts in 1 2 3 7; do
		rm -rf part-*
		for i in $(seq $parts); do
			whole $kernel $depth $world $extra --shard "$i/$parts" --out part-"$i" >/dev/null
		done
		expect "merge of $parts parts of $world" 1 '# ' --merge part-*
		sort out >got
		sort want >sorted
		same "$parts parts of $world" got sorted
	done
done
# Two kernels that find the same are joined in one finding.
whole 6.1.192 4 vfio-fork.world --out first >/dev/null
whole 6.1.176 4 vfio-fork.world --out second >/dev/null
expect 'a kernel of each' 1 '# ' --merge first second
mkdir empty
expect 'nothing to join' 0 '' --merge empty
expect 'a folder that is not there' 2 'none: No such file or directory' --merge none
expect 'merge of nothing' 2 '--merge: a folder is missing' --merge
echo 'something else' >empty/other.ms
expect 'a script that is no finding' 0 '' --merge empty

# ---- a signal ----

# A search long enough to be stopped: it grows until it is.
stopped=
for depth in 5 6 7 8 9; do
	rm -rf standing
	"$mapsim" explore --quiet --kernel 6.1.192 --depth $depth --states 400000 --out standing "$worlds/vfio-arm64.world" >out 2>err &
	search=$!
	sleep 0.3
	kill -INT $search 2>kill-err
	wait $search
	if [ $? = 3 ]; then
		stopped=$depth
		break
	fi
done
if [ -z "$stopped" ]; then
	fail 'no search was stopped'
else
	[ -s standing/6.1.192-arm64.standing ] || fail 'a search that was stopped leaves no standing'
	# once more, by the other signal; it may have come to its end before
	"$mapsim" explore --quiet --kernel 6.1.192 --depth "$stopped" --states 400000 --out standing --resume "$worlds/vfio-arm64.world" >out 2>err &
	search=$!
	sleep 0.2
	kill -TERM $search 2>kill-err
	wait $search
	code=$?
	[ $code = 3 ] || [ $code = 1 ] || fail "SIGTERM: exit code $code"
	cp -r standing broken
	"$mapsim" explore --quiet --kernel 6.1.192 --depth "$stopped" --states 400000 --out standing --resume "$worlds/vfio-arm64.world" >got
	[ $? = 1 ] || fail 'a search that goes on does not come to its end'
	"$mapsim" explore --quiet --kernel 6.1.192 --depth "$stopped" --states 400000 "$worlds/vfio-arm64.world" >want
	same 'a search that was stopped twice finds what another finds' got want
	[ -s want ] || fail 'nothing was found, so that nothing was compared'
	# a standing of something else, and one that is cut short
	expect 'another world' 2 'standing' --quiet --kernel 6.1.192 --depth "$stopped" --states 400000 --out broken --resume \
		"$worlds/vfio-fork.world" --arch arm64
	expect 'another bound' 2 'standing' --quiet --kernel 6.1.192 --depth 3 --out broken --resume "$worlds/vfio-arm64.world"
	head -c 100 standing/6.1.192-arm64.standing >broken/6.1.192-arm64.standing
	expect 'half a standing' 2 'standing' --quiet --kernel 6.1.192 --depth "$stopped" --states 400000 --out broken --resume \
		"$worlds/vfio-arm64.world"
fi
expect 'resume without a folder' 2 '--resume: --out says where' --resume "$worlds/vfio-arm64.world"
expect 'resume where nothing was stopped' 1 'device-off' --quiet --kernel 6.1.192 --depth 4 --out new --resume "$worlds/vfio-fork.world"
touch file
expect 'a folder that is a file' 2 'file' --quiet --kernel 6.1.192 --depth 1 --out file "$worlds/vfio-fork.world"

# ---- races ----

expect 'a race' 1 'at s2-' --race --quiet --kernel 5.15.100 --depth 4 "$worlds/race-arm64.world"
grep '^> at s2-' out >at || fail 'no script has an operation in the middle of another'
expect 'none without --race' 0 '' --quiet --kernel 5.15.100 --depth 3 "$worlds/race-arm64.world"
! grep -q '^> at' out || fail 'a race that was not asked for'
# What the race prints can be played.
"$mapsim" explore --race --quiet --kernel 5.15.100 --depth 4 --out races "$worlds/race-arm64.world" >out
for script in races/*.ms; do
	"$mapsim" run "$script" >answers || fail "$script cannot be played"
	grep -q '^> at ' "$script" || fail "$script has no race"
done

# ---- two kernels ----

expect 'two kernels' 0 '### vfio' --diff --quiet --depth 3 --arch arm64 6.1.192 6.12.117 "$worlds/vfio-fork.world"
grep -qE '^[1-9][0-9]* rules differ, [1-9][0-9]* have a script' out || fail 'no rule has a script'
grep -q '^No script: none up to the bound' out || fail 'no rule is without a script'
cat >seed.ms <<'END'
> fork
> mmap vfio:big off=0 at=32T len=4M prot=rw flags=shared
> mmap anon off=0 at=33T len=4M prot=rw flags=private
> touch at=32T access=r
> child exit
> vfio-memory big off
END
expect 'a script' 0 '### vfio' --diff --arch arm64 6.1.192 6.12.117 seed.ms
sed -n '/^### vfio$/,/^$/d; /mapsim run/,/^$/p' out >scripts
! grep -q '33T\|0x210000000000' scripts || fail 'an operation that does not matter was kept'
mkdir folder
cp seed.ms folder/b.ms
cp "$worlds/vfio-fork.world" folder
echo 'no script' >folder/without
expect 'a folder' 0 '### vfio' --diff --depth 2 --arch arm64 6.1.192 6.12.117 folder
expect 'one release' 2 '--diff: two releases and a PATH are needed' --diff 6.1.192 folder
expect 'a release that there is not' 2 '--diff 1.0: ' --diff 1.0 6.12.117 folder
expect 'a path that there is not' 2 'none: No such file' --diff 6.1.192 6.12.117 none
echo '> frob' >bad.ms
expect 'a bad script' 2 'bad.ms' --diff 6.1.192 6.12.117 bad.ms

# ---- bad numbers ----

for shard in 0/2 3/2 2 1/0 -1/2 1/2x x; do
	expect "--shard $shard" 2 '--shard: not I/N' --shard $shard "$worlds/claim.world"
done
expect '--depth 0' 2 '--depth: at least 1' --depth 0 "$worlds/claim.world"
expect '--depth 65' 2 '--depth: not a number' --depth 65 "$worlds/claim.world"
expect '--jobs x' 2 '--jobs: not a number' --jobs x "$worlds/claim.world"
expect '--states -1' 2 '--states: not a number' --states -1 "$worlds/claim.world"
expect 'no world' 2 'a WORLD is missing' --race
expect 'two worlds' 2 'one WORLD at a time' "$worlds/claim.world" "$worlds/fork.world"
expect 'a kernel that there is not' 2 '--kernel 1.0' --kernel 1.0 "$worlds/claim.world"

[ $failed = 0 ] && echo 'all as expected'
exit $((failed > 0))
