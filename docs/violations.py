#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Every violation that the library reports, and whose doing it is: made from the calls that report them.

    violations.py document ROOT     writes docs/violations.md on standard output
    violations.py compare ROOT      does the committed file say the same?

A call of ms_violation(), ms_violation_entry() or ms_linux_violation() is of the driver's class, the others name it.
The condition is a text in the call, or in the call of a function that is named in HELPERS and passes it on.
"""

import difflib
import pathlib
import re
import sys

HELPERS = {'bug', 'bug_of_page'}  # lib/mm/insert.c
DRIVER = {'ms_violation', 'ms_violation_entry', 'ms_linux_violation', 'ms_linux_violation_once'} | HELPERS
NAMED = {'ms_violation_by', 'ms_violation_at', 'ms_vma_violation', 'ms_mm_violation'}
CALL = re.compile(r'\b(' + '|'.join(sorted(DRIVER | NAMED, key=len, reverse=True)) + r')\(')
COMMENT = re.compile(r'/\*[\s\S]*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*")')
TEXT = re.compile(r'"((?:\\.|[^"\\\n])*)"')
CLASS = re.compile(r'\bMS_VIOLATION_(DRIVER|KERNEL|HARDWARE|TEST)\b')
# A text that is no literal: the caller's own words.
FORWARDED = {'lib/core/violation.c', 'lib/linux/report.c', 'lib/mm/driver.c', 'lib/machine/trace.c'}

INTRODUCTION = '''\
# Violations

What a kernel would BUG, WARN or complain about, and what it does not notice and should, is a violation (`<mapsim/trace.h>`).
Its class says whose doing it is: `driver`, a mistake of the driver's; `kernel`, what a kernel brings about by itself,
whatever the driver does; `hardware`, a limit of the hardware that nobody asks about; `test`, a misuse of this library.
`fatal_violations` in a machine's configuration ends the program for those of the driver, `fatal_classes` for others.

The driver's own `WARN`s and `BUG`s are of its class. `%s` and numbers stand for names and sizes. This page is made from the
sources: `python3 -B docs/violations.py document . > docs/violations.md`.

| class | condition | in |
|---|---|---|
'''


def arguments(text, start):
    """The text between the parenthesis that opens at `start` and the one that closes it."""
    depth, i = 0, start
    while True:
        if text[i] == '"':
            i = TEXT.match(text, i).end()
            continue
        depth += {'(': 1, ')': -1}.get(text[i], 0)
        if not depth:
            return text[start + 1:i]
        i += 1


def conditions(args):
    """The literals of a call: neighbours are one text, those with code between them are several."""
    found, end = [], None
    for literal in TEXT.finditer(args):
        if end is not None and not args[end:literal.start()].strip():
            found[-1] += literal[1]
        else:
            found.append(literal[1])
        end = literal.end()
    return [text for text in found if ' ' in text]


def calls(path, name):
    text = COMMENT.sub(lambda found: found[1] or ' ', path.read_text())
    for call in CALL.finditer(text):
        line = text[text.rfind('\n', 0, call.start()) + 1:call.start()]
        args = arguments(text, call.end() - 1)
        if re.match(r'^(?:static |const |void|int|ms_vm_fault_t|__attribute__)', line) or '#define' in line:
            continue  # the function itself
        found = conditions(args)
        if not found:
            if name in FORWARDED or call[1] not in NAMED | DRIVER or re.search(r'\b(condition|text)\b', args):
                continue
            if 'BUG' in args or 'WARN' in args:
                continue
            sys.exit(f'{name}: {call[1]}({args.strip()}): its condition is no text in the call')
        if re.search(r'\bms_(linux_)?text\(', args) and '?' in args:
            found = found[:1]  # the others are words that become parts of it
        whose = 'driver'
        if call[1] in NAMED:
            classes = CLASS.findall(args)
            if len(classes) != 1:
                sys.exit(f'{name}: {call[1]}({args.strip()}): it names no class, or several')
            whose = classes[0].lower()
        for condition in found:
            yield whose, condition, name


def document(root):
    rows = set()
    for top in 'lib', 'include':
        for path in sorted(pathlib.Path(root, top).rglob('*.[ch]')):
            rows.update(calls(path, str(path.relative_to(root))))
    order = ['driver', 'kernel', 'hardware', 'test']
    text = INTRODUCTION
    for whose, condition, name in sorted(rows, key=lambda row: (order.index(row[0]), row[1].lower(), row[2])):
        condition = condition.replace('%llu', '%u').replace('|', r'\|')
        text += f'| {whose} | {condition} | `{name}` |\n'
    return text


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ('document', 'compare'):
        sys.exit(__doc__)
    made = document(sys.argv[2])
    if sys.argv[1] == 'document':
        sys.stdout.write(made)
        return
    committed = pathlib.Path(sys.argv[2], 'docs/violations.md').read_text()
    if made != committed:
        sys.stdout.writelines(difflib.unified_diff(committed.splitlines(True), made.splitlines(True),
                                                   'docs/violations.md', 'as the sources say'))
        sys.exit('docs/violations.md is not what the sources say: '
                 'python3 -B docs/violations.py document . > docs/violations.md')


main()
