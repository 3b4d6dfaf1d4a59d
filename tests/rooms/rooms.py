#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds the library to lib/rooms: which room includes whose headers, and which calls whose functions.

usage: rooms.py NM ARCHIVE LIB_FOLDER"""

import collections
import glob
import os
import re
import subprocess
import sys

LINE = re.compile(r'(\w+):\s+([a-z0-9 ]*?)\s*\[(.*)\]$')
INCLUDE = re.compile(r'#include (?:"([^"]+)"|<mapsim/([^>]+)>)')


def read_rooms(path):
    """{room: (rooms that it may call, headers that it may include)}, in the file's order."""
    rooms = {}
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            line = line.split('#')[0].strip()
            if not line:
                continue
            found = LINE.match(line)
            if not found:
                sys.exit(f'{path}:{number}: not a line "ROOM: ROOM... [HEADER...]"')
            below = found[2].split()
            unknown = [room for room in below if room not in rooms]
            if unknown:
                sys.exit(f'{path}:{number}: {found[1]} may call {unknown[0]}, which is no room below it')
            rooms[found[1]] = below, found[3].split()
    return rooms


def allowed(room, header, headers):
    folder = header.split('/')[0]
    return folder == room or header in headers or folder + '/*' in headers


def wrong_includes(lib, rooms):
    used = collections.defaultdict(set)
    for room, (_, headers) in rooms.items():
        for path in sorted(glob.glob(os.path.join(lib, room, '**', '*.[ch]'), recursive=True)):
            with open(path, encoding='utf-8') as file:
                for number, line in enumerate(file, 1):
                    found = INCLUDE.match(line)
                    if not found:
                        continue
                    header = found[1] or f'<{found[2]}>'
                    if found[1] and '/' not in header:
                        header = f'{room}/{header}'
                    used[room].add(header)
                    used[room].add(header.split('/')[0] + '/*')
                    if not allowed(room, header, headers):
                        yield f'{path}:{number}: {room} may not include {header}'
        for header in headers:
            if header not in used[room]:
                yield f'lib/rooms: {room} includes no {header}'
    folders = {name for name in os.listdir(lib) if glob.glob(os.path.join(lib, name, '*.c'))}
    for name in sorted(folders - set(rooms)):
        yield f'lib/rooms: {name} is no room'


def room_of(member, rooms):
    """The room of an object: Meson names it by its source's path."""
    return next((room for room in rooms if f'_{room}_' in f'_{member}'), None)


def symbols(nm, archive, rooms):
    """{symbol: room that has it}, [(room, object, symbol that it uses)]."""
    text = subprocess.run([nm, '-A', archive], check=True, stdout=subprocess.PIPE,
                          universal_newlines=True).stdout
    home, uses = {}, []
    for line in text.splitlines():
        where, _, rest = line.rpartition(':')
        member = where.split(':')[-1]
        words = rest.split()
        room = room_of(member, rooms)
        if not words[-1].startswith('ms_'):
            continue
        if not room:
            sys.exit(f'{archive}: {member} is of no room')
        if words[-2] == 'U':
            uses.append((room, member, words[-1]))
        else:
            home[words[-1]] = room
    return home, uses


def wrong_calls(nm, archive, rooms):
    home, uses = symbols(nm, archive, rooms)
    if len(home) < 100:
        sys.exit(f'{archive}: {len(home)} symbols: not the library')
    called = collections.defaultdict(set)
    for room, member, symbol in uses:
        called[room].add(home.get(symbol))
        # machine/rooms.c alone names each room
        if home.get(symbol) not in (None, room) and home[symbol] not in rooms[room][0]:
            yield f'{member}: {room} may not call {symbol}() of {home[symbol]}'
    for room, (below, _) in rooms.items():
        for other in below:
            if other not in called[room]:
                yield f'lib/rooms: {room} calls nothing of {other}'


def main():
    nm, archive, lib = sys.argv[1:]
    rooms = read_rooms(os.path.join(lib, 'rooms'))
    wrong = [*wrong_includes(lib, rooms), *wrong_calls(nm, archive, rooms)]
    print(*wrong, sep='\n')
    sys.exit(bool(wrong))


if __name__ == '__main__':
    main()
