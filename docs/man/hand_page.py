#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
A manual page that is written by hand, with what others know filled in.

    hand_page.py FILE.in DATE MAPSIM ROOT HEADER...    writes it on standard output

@DATE@, @COMMANDS@ (references to the pages of all commands), @HEADERS@ (what each header is) and @EXAMPLE@ (the README's
first program) are filled in; every other line stands as it is.
"""

import pathlib
import re
import sys

import command_page
import header_page
import mdoc


def headers(paths):
    lines = []
    for path in paths:
        (about, _), *_ = header_page.read(path)
        title, _ = header_page.opening(about)
        lines += [f'.It Xr mapsim_{pathlib.Path(path).stem} 3', *mdoc.wrapped(title)]
    return lines


def example(root):
    readme = (pathlib.Path(root) / 'README.md').read_text(encoding='utf-8')
    return [mdoc.escape(line.expandtabs(8)) for line in re.search(r'```c\n([\s\S]*?)\n```', readme).group(1).split('\n')]


def main(argv):
    if len(argv) < 6:
        sys.exit(__doc__.strip())
    path, date, program, root, *paths = argv[1:]
    fills = {
        '@COMMANDS@': lambda: [f'.Xr mapsim-{command} 1 ,' for command in sorted(command_page.commands(program))
                               if command != 'help'],
        '@HEADERS@': lambda: headers(paths),
        '@EXAMPLE@': lambda: example(root),
    }
    for line in pathlib.Path(path).read_text(encoding='utf-8').split('\n')[:-1]:
        for filled in fills[line]() if line in fills else [line.replace('@DATE@', date)]:
            print(filled)


if __name__ == '__main__':
    main(sys.argv)
