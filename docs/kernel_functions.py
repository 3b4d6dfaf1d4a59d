#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Which function of the library mirrors which of the kernel: made from the comments that say so.

    kernel_functions.py document ROOT           writes docs/kernel-functions.md on standard output
    kernel_functions.py compare ROOT            does the committed file say the same?
    kernel_functions.py verify ROOT X.Y=DIR...  are the kernel's functions in these kernel sources?

A comment directly above a definition has a line that begins with the word "mirrors":

    mirrors NAME()[, NAME()]... [and NAME()], PATH, VERSIONS[; NAME()..., PATH, VERSIONS]...[. or : any words]

PATH is a file of the kernel's tree. VERSIONS is "5.10+", or "5.10 .. 6.11" with both ends included.
"""

import difflib
import pathlib
import re
import sys
import textwrap

NAME = r'[A-Za-z_]\w*(?:\(\))?'
PATH = r'[\w-]+(?:/[\w.-]+)*\.[chS]'
RELEASE = r'\d+\.\d+(?:\.\d+)?'
CLAUSE = re.compile(rf'((?:{NAME}, )*?{NAME}(?: and {NAME})?), ({PATH}), ({RELEASE})(?: \.\. ({RELEASE})|(\+))')
COMMENT = re.compile(r'(?P<comment>(?:[ \t]*//[^\n]*\n?)+|/\*[\s\S]*?\*/)|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
STATEMENT = re.compile(r'(?m)^mirrors\b')
ATTRIBUTE = re.compile(r'__attribute__\(\(.*?\)\)', re.S)
LAST_MINOR = 19  # 5.19 is followed by 6.0, 6.19 by 7.0


class Bad(Exception):
    """What is wrong in a comment, and where."""


class Mirror:
    """One function of the library mirrors one of the kernel, in releases from first to last; last None: the newest."""

    def __init__(self, name, path, first, last, ours, file):
        self.name, self.path, self.first, self.last = name, path, first, last
        self.ours, self.file = ours, file

    def releases(self):
        first, last = ('.'.join(map(str, end or ())) for end in (self.first, self.last))
        if first == last:
            return first
        return f'{first} .. {last}' if last else f'{first}+'


def release(text, newest):
    numbers = tuple(map(int, text.split('.')))
    if numbers[1] > LAST_MINOR or not (5, 10) <= numbers[:2] <= newest:
        raise Bad(f'no release from 5.10 to {newest[0]}.{newest[1]}: {text}')
    return numbers


def defined_after(text, end):
    """The name of what is defined right behind a comment, or None."""
    code = ATTRIBUTE.sub('', text[end:end + 2000]).lstrip()
    if match := re.match(r'#\s*define\s+(\w+)(\()?', code):
        return match.group(1)
    head, stop = re.match(r'([^{;=]*)([{;=]?)', code).groups()
    if stop == '{' and (match := re.search(r'(\w+)\s*\(', head)):
        return match.group(1) + '()'
    if match := re.match(r'(?:static\s+)?(?:struct|enum)\s+(\w+)\s*$', head):
        return match.group(1) if stop == '{' else None
    match = re.search(r'(\w+)\s*(?:\[[^]]*\]\s*)*$', head)
    return match.group(1) if match and stop == '=' else None


def words_of(comment):
    """A comment without its marks, line by line."""
    if comment.startswith('/*'):
        comment = comment.rstrip()[2:-2]
        return '\n'.join(re.sub(r'^\s*\*+ ?', '', line).strip() for line in comment.lstrip('*').split('\n'))
    return '\n'.join(line.strip()[2:].strip() for line in comment.splitlines())


def clauses(statement, newest):
    """(names, path, first, last) of each clause of what follows the word "mirrors"."""
    text = ' '.join(statement.split())
    while True:
        match = CLAUSE.match(text)
        if not match:
            raise Bad(f'not "NAME(), PATH, VERSIONS": {text[:60]}')
        first, last = release(match.group(3), newest), match.group(4) and release(match.group(4), newest)
        if last and (last < first or last[:2] == newest):
            raise Bad(f'not first .. last, or last is the newest ("{match.group(3)}+"): {match.group(0)}')
        yield re.split(r', | and ', match.group(1)), match.group(2), first, last
        text = text[match.end():]
        if not text.startswith('; '):
            break
        text = text[2:]
    if text and text != '.' and not re.match(r'[.:] ', text):
        raise Bad(f'the clauses end with ". " or ": ", or go on with "; ", not: {text[:60]}')


def mirrors_of_comment(text, end, comment, file, newest):
    words = words_of(comment)
    starts = [match.end() for match in STATEMENT.finditer(words)]
    if len(starts) != len(re.findall(r'\bmirrors\b', words)):
        raise Bad('the word "mirrors" begins a line')
    if not starts:
        return
    ours = defined_after(text, end)
    if not ours:
        raise Bad('no definition follows that could mirror anything')
    for start, stop in zip(starts, starts[1:] + [None]):
        statement = words[start:stop and stop - len('mirrors')]
        for names, path, first, last in clauses(statement, newest):
            for name in names:
                yield Mirror(name, path, first, last, ours, file)


def mirrors_of_file(text, file, newest):
    """(mirrors, None) or (None, what is wrong) of each comment."""
    for match in COMMENT.finditer(text):
        if not match.group('comment'):
            continue
        try:
            yield list(mirrors_of_comment(text, match.end(), match.group(0).lstrip(), file, newest)), None
        except Bad as bad:
            word = re.search(r'\bmirrors\b', match.group(0))
            line = text.count('\n', 0, match.start() + word.start()) + 1
            yield None, f'{file}:{line}: {bad}'


def read(root, newest):
    """All mirrors, in the order of the document, and what is wrong."""
    found, wrong = [], []
    paths = [path for pattern in ('lib/**/*.[ch]', 'include/mapsim/linux*', 'include/mapsim/linux/**/*.h')
             for path in root.glob(pattern) if path.is_file()]
    for path in sorted(paths):
        for mirrors, error in mirrors_of_file(path.read_text(encoding='utf-8'), str(path.relative_to(root)), newest):
            if error:
                wrong.append(error)
            else:
                found += mirrors
    found.sort(key=lambda m: (m.path, m.name, m.first, m.file, m.ours))
    return found, wrong


def named_by_rules(rules):
    """The kernel's functions that rules say they are in: the words with an underscore outside of parentheses."""
    parts = re.split('[;,]', ';'.join(re.sub(r'\([^)]*\)', '', rule.functions) for rule in rules.rules))
    words = re.findall(r'[\w./]+', ' '.join(part for part in parts if "recorder's" not in part))
    return {word for word in words if re.fullmatch(r'_*[a-z0-9]+_[a-z0-9_]+', word)}


def document(rules, mirrors):
    functions = {(m.name, m.path) for m in mirrors}
    text = (f'{len(functions)} functions and constants of the kernel, in {len({m.path for m in mirrors})} files, and '
            'what mirrors them in the library. The releases are those for which the mirror stands, both ends included. '
            'Names were looked up in the sources of 5.10, 6.1, 6.12, 7.2 and 7.3, and between these releases are as '
            '[rules.md](rules.md) says: where it does not say when a name changed, the old one ends with the last of '
            'the five that has it and the new one begins with the first. This file is made by '
            '`docs/kernel_functions.py` from the comments above the functions, and compared with them by a test.')
    yield '# Kernel functions and their mirrors\n\n'
    yield textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) + '\n'
    path = None
    for m in mirrors:
        if m.path != path:
            path = m.path
            yield f'\n## {path}\n\n| kernel | releases | mapsim | in |\n|---|---|---|---|\n'
        yield f'| `{m.name}` | {m.releases()} | `{m.ours}` | `{m.file}` |\n'
    missing = sorted(named_by_rules(rules) - {m.name.rstrip('()') for m in mirrors})
    yield ('\n## Named by a rule, and by no function\n\n'
           'The library does what these do as part of something else.\n\n')
    yield ''.join(f'- `{name}`\n' for name in missing)


def compare(root, text):
    path = root / 'docs/kernel-functions.md'
    old = path.read_text(encoding='ascii') if path.exists() else ''
    diff = list(difflib.unified_diff(old.splitlines(), text.splitlines(), str(path), 'made from lib', lineterm=''))
    if diff:
        print('\n'.join(diff))
        print('docs/kernel_functions.py document . > docs/kernel-functions.md writes it anew')
    return bool(diff)


def is_defined(path, name):
    """Does a file of the kernel define this function or macro?"""
    if not path.exists():
        return False
    text, word = path.read_text(encoding='utf-8', errors='replace'), re.escape(name.rstrip('()'))
    if re.search(rf'(?m)^\s*#\s*define\s+{word}\b|^SYSCALL_DEFINE\d\({word},', text):
        return True
    return bool(re.search(rf'(?m)^(?:[\w*][\w \t*]*)?\b{word}\([^;{{}}]*\{{', text))


def verify(mirrors, sources):
    """Has each release X.Y the functions that the comments say? Files that no folder has are left out."""
    wrong = 0
    folders = [source.split('=', 1) for source in sources]
    mirrors = [m for m in mirrors if any(pathlib.Path(folder, m.path).exists() for _, folder in folders)]
    for number, folder in folders:
        at = tuple(map(int, number.split('.')))
        said = {}
        for m in mirrors:
            inside = m.first[:2] <= at and (not m.last or at <= m.last[:2])
            said[m.name, m.path] = said.get((m.name, m.path), False) or inside
        for (name, path), inside in sorted(said.items()):
            if name.endswith('()') and is_defined(pathlib.Path(folder, path), name) != inside:
                print(f'{number}: {path} {"does not define" if inside else "defines, and none says so:"} {name}')
                wrong += 1
    return wrong > 0


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ('document', 'compare', 'verify'):
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[2])
    folder = root / 'lib/policy'
    sys.path.insert(0, str(folder))
    import rules as history  # pylint: disable=import-outside-toplevel
    rules = history.read(folder / 'rules/lines', sorted(folder.glob('rules/*.rules')))
    mirrors, wrong = read(root, rules.end)
    if wrong:
        sys.exit('\n'.join(wrong))
    if sys.argv[1] == 'verify':
        return verify(mirrors, sys.argv[3:])
    text = ''.join(document(rules, mirrors))
    if sys.argv[1] == 'compare':
        return compare(root, text)
    sys.stdout.write(text)
    return 0


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    sys.exit(main())
