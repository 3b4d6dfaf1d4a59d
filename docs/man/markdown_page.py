#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
A manual page from a document in Markdown: lowdown(1) does the work, and what mandoc(1) would complain about is mended.

    markdown_page.py FILE PAGE.SECTION DATE TITLE    writes it on standard output

The document's own title becomes the line under NAME, its first paragraphs stand under DESCRIPTION.
"""

import re
import subprocess
import sys
import textwrap

DISPLAYS = {'.EX': '.EE', '.nf': '.fi', '.TS': '.TE'}


def troff(path):
    return subprocess.run(['lowdown', '-s', '-Tman', '--parse-no-intraemph', path],
                          check=True, capture_output=True, text=True).stdout.split('\n')


def wrapped(line):
    """A line of words, not longer than 80 bytes."""
    if line.startswith('.') or len(line.encode()) <= 80:
        return [line]
    lines = textwrap.wrap(line, 76, break_long_words=False, break_on_hyphens=False)
    return ['\\&' + part if part[:1] in ('.', "'") else part for part in lines]


def mended(lines):
    """The body below the title, a heading on the line of its macro."""
    out, until, heading = [], None, False
    for line in lines:
        line = line.replace('\\fC', '\\fB').replace('\\e|', '|')
        if until:
            out.append(line)
            until = None if line.startswith(until) else until
        elif line in ('.SH', '.SS'):
            heading = line
        elif heading:
            out.append(f'{heading} {line.upper() if heading == ".SH" else line}')
            heading = False
        elif line in ('.PP', '.LP') and out and re.match(r'\.S[HS] ', out[-1]):
            continue
        else:
            until = next((end for start, end in DISPLAYS.items() if line.startswith(start)), None)
            out += wrapped(line)
    return out


def page(path, name, section, date, title):
    lines = troff(path)
    start = lines.index('.SH')  # the document's title, on the next line
    body = mended(lines[start + 2:])
    while body and body[0] in ('.PP', '.LP', ''):
        body.pop(0)
    head = [f'.TH {name.upper()} {section} "{date}" "mapsim" ""', '.SH NAME', f'{name} \\- {title}', '.SH DESCRIPTION']
    return '\n'.join(head + body).rstrip('\n') + '\n'


def main(argv):
    if len(argv) != 5:
        sys.exit(__doc__.strip())
    name, section = argv[2].rsplit('.', 1)
    sys.stdout.write(page(argv[1], name, section, argv[3], argv[4]))


if __name__ == '__main__':
    main(sys.argv)
