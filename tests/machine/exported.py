#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Does the shared library export what the headers declare, and nothing else?

exported.py NM LIBRARY INCLUDE-DIRECTORY MAP SOVERSION: names are compared with lib/mapsim.map, and that with what NM
finds. The map has a node for the soname's version.
"""
import pathlib
import re
import subprocess
import sys

# at the beginning of a line: a type, maybe with attributes before it, the name, its parameters
DECLARED = re.compile(r'^(?!static|typedef|#)(?:__attribute__\(\(.*?\)\) )?[a-z][\w *]*?\b(ms_[a-z0-9_]+)\(', re.M)


def declared(include):
    """Names of the functions that headers declare and do not define."""
    text = ''
    for header in sorted(pathlib.Path(include).rglob('*.h')):
        text += re.sub(r'//.*', '', re.sub(r'/\*.*?\*/', ' ', header.read_text(), flags=re.S))
    return set(DECLARED.findall(text))


def main():
    nm, library, include, script, soversion = sys.argv[1:]
    said = subprocess.run([nm, '-D', '--defined-only', library], check=True, capture_output=True, text=True).stdout
    exported = {line.split()[-1].split('@')[0] for line in said.splitlines() if ' A ' not in line}
    script = pathlib.Path(script).read_text()
    listed = set(re.findall(r'^\t\t(\w+);$', script, re.M))
    public = declared(include)
    wrong = [f'{name}: listed in the map, and no header declares it' for name in sorted(listed - public)]
    wrong += [f'{name}: a header declares it, and the map does not list it' for name in sorted(public - listed)]
    wrong += [f'{name}: listed in the map, and not there' for name in sorted(listed - exported)]
    wrong += [f'{name}: exported, and not listed' for name in sorted(exported - listed)]
    if f'\nMAPSIM_{soversion} {{' not in script:
        wrong.append(f'MAPSIM_{soversion}: the map has no node of the soname')
    print(f'{len(exported)} symbols are exported')
    print(*wrong, sep='\n')
    return bool(wrong)


sys.exit(main())
