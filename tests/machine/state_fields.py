#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Is every member of every structure that a machine consists of in the table of what is hashed?

state_fields.py TABLE SOURCE-DIRECTORY

The table has a line `struct NAME FILE` for a structure, and below it a line for each member:
`MEMBER: hashed`, `MEMBER: derived: from what`, or `MEMBER: not: why it is no state`. The functions
that hash a structure (`hashed`) must name the member: it has to stand in a file hash.c, or in one of
those that HASHING names.
"""
import pathlib
import re
import sys

HASHING = ('hash.c', 'hash.h', 'each.c', 'hugetlb_pool.c', 'pieces.c', 'pin.c', 'lazy.c')
KINDS = ('hashed', 'derived', 'not')


def without_comments(text):
    text = re.sub(r'/\*.*?\*/', ' ', text, flags=re.S)
    text = re.sub(r'//[^\n]*', '', text)
    return re.sub(r'^#(?:.*\\\n)*.*$', '', text, flags=re.M)


def body_of(text, name):
    """What stands between the braces of a structure's definition."""
    start = re.search(r'\bstruct ' + name + r'\s*\{', text)
    if not start:
        return None
    depth, at = 1, start.end()
    while depth:
        depth += {'{': 1, '}': -1}.get(text[at], 0)
        at += 1
    return text[start.end():at - 1]


def members(body):
    """The names of a structure's members; those of a structure or union inside of it as one or, if
    it has no name, as its own."""
    names = []
    while '{' in body:
        inner = re.search(r'\{([^{}]*)\}\s*([^;]*);', body)
        outer = inner[2].strip()
        keep = outer + ';' if outer else inner[1]
        body = body[:inner.start()] + ' ' + keep + body[inner.end():]
    for line in body.split(';'):
        line = re.sub(r'_Alignas\([^)]*\)|__extension__|MS_VM_FLAGS_CONST', '', line)
        line = re.sub(r'\b(?:RB|LIST|TAILQ|SLIST)_(?:ENTRY|HEAD)\([^)]*\)', 'X', line)
        line = re.sub(r':\s*\d+', '', re.sub(r'\[[^\]]*\]', '', line)).strip()
        for part in line.split(','):
            name = re.search(r'(\w+)\s*$', part)
            if name and part.strip():
                names.append(name[1])
    return [name for name in names if name not in ('struct', 'union')]


def read_table(path):
    table, current = {}, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line or line.startswith('#'):
            continue
        found = re.match(r'struct (\w+) (\S+)$', line)
        if found:
            current = table.setdefault((found[1], found[2]), {})
            continue
        found = re.match(r'\t(\w+): (\w+)(?:: (.+))?$', line)
        if not found or current is None or found[2] not in KINDS or \
                (found[2] != 'hashed') != bool(found[3]):
            sys.exit(f'{path}:{number}: not a line of the table')
        current[found[1]] = found[2]
    return table


def main():
    table_path, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    table = read_table(table_path)
    hashing = ''.join(without_comments(path.read_text()) for path in sorted((source / 'lib').rglob('*.[ch]'))
                      if path.name in HASHING)
    wrong = []
    if len(table) < 40:
        wrong.append('the table has lost structures')
    for (name, file), fields in table.items():
        body = body_of(without_comments((source / file).read_text()), name)
        if body is None:
            wrong.append(f'{file} has no struct {name}')
            continue
        there = members(body)
        wrong += [f'struct {name}: {field} is not in the table' for field in there if field not in fields]
        wrong += [f'struct {name} has no {field}' for field in fields if field not in there]
        wrong += [f'struct {name}: {field} is said to be hashed, and no function does'
                  for field, kind in fields.items()
                  if kind == 'hashed' and not re.search(r'(?:\.|->)' + field + r'\b|\b' + field + r'\)', hashing)]
    print(*wrong, sep='\n')
    sys.exit(bool(wrong))


if __name__ == '__main__':
    main()
