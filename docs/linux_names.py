#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Which of the kernel's names drivers find in <mapsim/linux.h>, and in which versions.

linux_names.py ROOT            prints docs/linux-names.md
linux_names.py ROOT DOCUMENT   fails where the document says what the headers do not, and lists what it
                               has not

Names are those of functions, macros, structures and types in include/mapsim/linux; those that begin
with ms_ or MS_ are the library's own. The versions come from the MS_LINUX_SINCE() and
MS_LINUX_BEFORE() around a name.
"""
import difflib
import pathlib
import re
import sys

OWN = re.compile(r'(?i)^_*(class_)?(ms|mapsim)_|^_')
CONDITION = re.compile(r'#\s*(?:el)?if\s+MS_LINUX_(SINCE|BEFORE)\((\d+), (\d+)\)')
FUNCTION = re.compile(r'^(?:static inline )?[a-z][\w \t*]*?\b(\w+)\(')
STRUCT = re.compile(r'^(?:typedef )?(?:struct|enum|union) (\w+) \{')
TYPE = re.compile(r'^(?:typedef .*?|\} )\*?(\w+);')
REFUSED = re.compile(r'#error "mapsim does not model (.*) \(<(.*)>\)"')


def strip(text):
    """Without comments, their lines kept."""
    return re.sub(r'/\*.*?\*/', lambda found: '\n' * found[0].count('\n'), text, flags=re.S)


def versions(conditions):
    since = [c[1:] for c in conditions if c and c[0] == 'SINCE']
    before = [c[1:] for c in conditions if c and c[0] == 'BEFORE']
    words = [f'from {a}.{b}' for a, b in since] + [f'before {a}.{b}' for a, b in before]
    return ', '.join(words)


def names_of(path):
    """[(name, what, versions)] of a header, in its order."""
    found, conditions, continued = {}, [], False
    for line in strip(path.read_text()).splitlines():
        line = re.sub(r'//.*', '', line)
        if continued:
            continued = line.endswith('\\')
            continue
        directive = line.lstrip()
        if directive.startswith('#if'):
            match = CONDITION.match(directive)
            conditions.append((match[1], int(match[2]), int(match[3])) if match else None)
        elif re.match(r'#\s*else', directive):
            last = conditions.pop()
            other = {'SINCE': 'BEFORE', 'BEFORE': 'SINCE'}
            conditions.append((other[last[0]], *last[1:]) if last else None)
        elif re.match(r'#\s*elif', directive):
            conditions[-1] = None
        elif directive.startswith('#endif'):
            conditions.pop()
        entry = None
        macro = re.match(r'#\s*define (\w+)', directive)
        if macro:
            entry = macro[1], 'macro'
            continued = line.endswith('\\')
        elif STRUCT.match(line):
            entry = STRUCT.match(line)[1], line.split(' {')[0].replace('typedef ', '').split()[0]
        elif FUNCTION.match(line) and not line.startswith(('typedef', '#', 'return', 'DEFINE')):
            entry = FUNCTION.match(line)[1], 'function'
        elif TYPE.match(line):
            entry = TYPE.match(line)[1], 'type'
        elif line.endswith('\\'):
            continued = False
        if entry and not OWN.match(entry[0]):
            found.setdefault(entry[0], (entry[1], versions(conditions)))
    return [(name, *what) for name, what in found.items()]


def document(root):
    include = root / 'include' / 'mapsim'
    headers = sorted(p for p in include.rglob('*.h') if p.parent != include)
    lines = ['# The kernel\'s names in `<mapsim/linux.h>`', '',
             'What a driver finds, where it stands, and the versions that have it where not all do (of',
             '`MS_LINUX_VERSION_CODE`; without it everything is there). What is not here does not compile. Made from',
             'the headers by `docs/linux_names.py`; each header\'s first comment says what is left out.', '']
    refused = []
    for header in headers:
        text = header.read_text()
        refusal = REFUSED.search(text)
        if refusal:
            refused.append((refusal[2], refusal[1]))
            continue
        names = names_of(header)
        if not names:
            continue
        lines += [f'## {header.relative_to(include)}', '', '| name | | versions |', '|---|---|---|']
        lines += [f'| `{name}` | {what} | {where} |' for name, what, where in names]
        lines.append('')
    lines += ['## Refused', '', 'These headers end the compilation, and say why.', '',
              '| header | not modelled |', '|---|---|']
    lines += [f'| `<{header}>` | {why} |' for header, why in sorted(refused)]
    return '\n'.join(lines) + '\n'


def main():
    made = document(pathlib.Path(sys.argv[1]))
    if len(sys.argv) == 2:
        sys.stdout.write(made)
        return 0
    stands = pathlib.Path(sys.argv[2]).read_text()
    diff = list(difflib.unified_diff(stands.splitlines(True), made.splitlines(True), sys.argv[2],
                                     'as the headers are', n=0))
    sys.stdout.writelines(diff)
    # a name that is not listed yet is told; one that is listed and wrong is an error
    return any(re.match(r'-\|', line) for line in diff[2:])


sys.exit(main())
