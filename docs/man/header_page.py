#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
The manual page of a public header, made from the header, whose comments are its documentation.

    header_page.py HEADER DATE SEE-ALSO...    writes mapsim_NAME(3) of include/mapsim/NAME.h on standard output
"""

import pathlib
import re
import sys

import mdoc

IGNORED = re.compile(r'#\s*(?:ifndef|ifdef|if|else|endif|include|undef|error)\b|extern "C"|}$|#define MAPSIM_\w+_H$')
COMMENT = re.compile(r'\s*/\*[\s\S]*?\*/')


def words_of(comment):
    """The lines of a comment without its marks."""
    if comment.startswith('///'):
        return [line.strip()[3:].strip() for line in comment.splitlines()]
    body = comment.strip()[2:-2].lstrip('*')
    return [re.sub(r'^\s*\* ?', '', line).rstrip() for line in body.strip().split('\n')]


def end_of_declaration(text, start):
    """Where the declaration that begins at `start` is over."""
    if text.startswith('#', start):
        return re.compile(r'(?:\\\n|[^\n])*').match(text, start).end()
    depth = 0
    for match in re.compile(r'/\*[\s\S]*?\*/|//[^\n]*|[{};]').finditer(text, start):
        depth += {'{': 1, '}': -1}.get(match.group(), 0)
        inline = match.group() == '}' and text.startswith('static inline', start)
        if not depth and (match.group() == ';' or inline):
            return re.compile(r'[ \t]*(?:///<[^\n]*(?:\n\s*///<[^\n]*)*)?').match(text, match.end()).end()
    raise SystemExit(f'no end of a declaration: {text[start:start + 60]}')


def groups(text):
    """(comment or None, [declarations]) from top to bottom; a comment is for all up to the next empty line."""
    found = []
    at, open_group = 0, False
    while at < len(text):
        line = text[at:text.find('\n', at)] if '\n' in text[at:] else text[at:]
        if not line.strip():
            open_group = False
        elif line.startswith('/**') or line.startswith('///'):
            end = text.index('*/', at) + 2 if line.startswith('/**') else \
                re.compile(r'(?:///[^\n]*\n)+').match(text, at).end() - 1
            found.append((words_of(text[at:end]), []))
            open_group, at = True, end + 1
            continue
        elif match := COMMENT.match(text, at):
            at = match.end() + 1
            continue
        elif not IGNORED.match(line):
            end = end_of_declaration(text, at)
            if not open_group:
                found.append((None, []))
                open_group = True
            found[-1][1].append(text[at:end].rstrip())
            at = end + 1
            continue
        at += len(line) + 1
    return found


def without_body(declaration):
    """What an inline function is, not how."""
    if not declaration.startswith('static inline'):
        return declaration
    return re.sub(r'\s*\{[\s\S]*$', ';', declaration)


def comments(out, lines):
    """A comment: paragraphs, lists of lines that begin with "- ", and code that is indented."""
    block, kind = [], 'prose'

    def flush():
        nonlocal block
        if block and kind == 'code':
            out.display(block)
        elif block:
            out.paragraph()
            out.prose(' '.join(block))
        block = []

    for line in lines + ['']:
        now = 'code' if line.startswith('    ') else 'item' if line.startswith('- ') else kind if line else 'prose'
        if kind == 'code' and line and not line.startswith('    '):
            now = 'prose'
        if not line and kind != 'code' or now != kind or now == 'item' and line.startswith('- '):
            flush()
        kind = now
        if line:
            block.append(line[4:] if now == 'code' else line.strip())
    flush()


def opening(lines):
    """(what a header is, in one sentence without its point; the other lines) of its first comment."""
    first, *others = lines
    while others and others[0]:  # "name.h - what it is." goes on up to the first empty line
        first += ' ' + others.pop(0)
    title, more = re.match(r'(.*?(?:\.|(?<=\?)) )(.*)', first.partition(' - ')[2] + ' ').groups()
    return title.rstrip('.? '), [more.strip()] * bool(more.strip()) + others


def read(path):
    """The groups of a header; the first has the comment that describes it."""
    text = pathlib.Path(path).read_text(encoding='utf-8')
    return groups(re.sub(r'^/\* SPDX[^\n]*\n', '', text))


def page(path, date, also):
    (about, _), *rest = read(path)
    title, more = opening(about)
    name = pathlib.Path(path).stem
    out = mdoc.Page(f'mapsim_{name}', 3, title, date)
    out.section('SYNOPSIS')
    out.macro('In', f'mapsim/{name}.h')
    out.section('DESCRIPTION')
    comments(out, more)
    if out.fresh:
        out.prose(title[:1].upper() + title[1:] + '.')
    out.section('TYPES AND FUNCTIONS')
    for comment, declarations in rest:
        if not declarations:
            continue
        out.display('\n'.join(without_body(text) for text in declarations).split('\n'))
        if comment:
            comments(out, comment)
    out.see_also(also)
    return out.text()


def main(argv):
    if len(argv) < 3:
        sys.exit(__doc__.strip())
    sys.stdout.write(page(argv[1], argv[2], argv[3:]))


if __name__ == '__main__':
    main(sys.argv)
