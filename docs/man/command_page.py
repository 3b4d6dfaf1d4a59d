#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
The manual page of a command, made from what it prints with --help, so that the two say the same.

    command_page.py MAPSIM COMMAND DATE SEE-ALSO...    writes mapsim-COMMAND(1) on standard output

A help is blocks with an empty line between them:

    usage: ...            the synopsis
    words.                prose
      --option  meaning   a list: two blanks, the term, two blanks or more, what it means
    title:                a section of its own, with such a list or with commands to type
"""

import re
import subprocess
import sys

import mdoc


def usages(block):
    """The forms of the command: a list of strings, continuation lines joined."""
    forms = []
    for line in block.split('\n'):
        text = re.sub(r'^usage:', '      ', line)
        if re.match(r'^ {7}\S', text):
            forms.append(text.strip())
        else:
            forms[-1] += ' ' + text.strip()
    return forms


def entries(lines):
    """(term, words) of each entry of a list; words are empty where a line is a command to type."""
    found = []
    for line in lines:
        if match := re.match(r'^  (\S(?:.*?\S)??)(?: {2,}(\S.*))?$', line):
            found.append([match.group(1), match.group(2) or ''])
        else:
            found[-1][1] += ' ' + line.strip()
    return found


def itemized(out, lines):
    out.macro('Bl', '-tag -width Ds')
    for term, words in entries(lines):
        out.item(term)
        out.prose(words)
    out.macro('El')


def page(name, command, help_text, date, title, also):
    out = mdoc.Page(f'{name}-{command}', 1, title, date)
    out.section('SYNOPSIS')
    described = False
    for block in help_text.strip('\n').split('\n\n'):
        lines = block.split('\n')
        if block.startswith('usage:'):
            for form in usages(block):
                out.literal_line(form)
            continue
        if not described:
            described = True
            out.section('DESCRIPTION')
        if lines[0].endswith(':') and not lines[0].startswith(' '):
            title, _, note = lines.pop(0)[:-1].partition(' (')
            out.section({'exit codes': 'EXIT STATUS'}.get(title, title.upper()))
            if title == 'examples':
                out.display([line[2:] for line in lines])
                continue
            if note:
                out.prose(note[:1].upper() + note[1:-1] + '.')
        prose = [line for line in lines if not line.startswith('  ')]
        if prose and not lines[0].startswith('  '):
            out.paragraph()
            out.prose(' '.join(prose))
        listed = [line for line in lines if line.startswith('  ')]
        if listed:
            itemized(out, listed)
    out.see_also(also)
    return out.text()


def commands(program):
    """What each command does, in the words of 'mapsim help'."""
    said = subprocess.run([program, 'help'], check=True, capture_output=True, text=True).stdout
    block = next(block for block in said.split('\n\n') if block.startswith('commands:'))
    return dict(entries(block.split('\n')[1:]))


def main(argv):
    if len(argv) < 4:
        sys.exit(__doc__.strip())
    program, command, date, *also = argv[1:]
    said = subprocess.run([program, command, '--help'], check=True, capture_output=True, text=True).stdout
    sys.stdout.write(page('mapsim', command, said, date, commands(program)[command], also))


if __name__ == '__main__':
    main(sys.argv)
