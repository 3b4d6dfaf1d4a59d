#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Do the tests notice when a rule is wrong? Changes one place of the library at a time (a comparison,
an operator, a constant, a statement dropped), compiles that file, and runs the tests until one
fails. A change that no test notices is printed: a rule without a test, or a change that means the
same.

    tests/mutation/mutate.py BUILD [--rooms pat,pfnmap,stage2,kvm] [--sample N] [--seed S]

BUILD: a folder that `meson setup` and `ninja` have made of this tree (it is only read).
Exit code: 0 where at least --least percent (95) were noticed.
"""
import argparse
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 30  # a mutant that runs longer than this hangs: noticed

SWAPS = [
    (r' < ', ' <= '), (r' <= ', ' < '), (r' > ', ' >= '), (r' >= ', ' > '),
    (r' == ', ' != '), (r' != ', ' == '), (r' && ', ' || '), (r' \|\| ', ' && '),
    (r' \+ ', ' - '), (r' - ', ' + '), (r' \+= ', ' -= '), (r' -= ', ' += '),
    (r'\+\+', '--'), (r'(?<!-)--(?!-)', '++'),
    (r'(?<=[(\s&|])!(?=[\w(])', ''),
    (r'\btrue\b', 'false'), (r'\bfalse\b', 'true'),
    (r'(?<![\w.])0(?![\w.])', '1'), (r'(?<![\w.])1(?![\w.])', '0'),
]
# A whole statement on one line: a call or an assignment, a break or a continue.
STATEMENT = re.compile(r'^\t+(?!return\b|goto\b|static\b|const\b|enum\b|struct\b|else\b|case\b)'
                       r'(?:\*?[\w.\->\[\]]+(?: [+\-|&]?= .*|\(.*\)|\+\+|--)|break|continue);$')
PLAIN = re.compile(r'/\*.*?\*/|//.*|"(?:\\.|[^"\\])*"')


def blank(match):
    return ' ' * len(match.group())


def code_lines(text):
    """The lines with comments and strings blanked, so that only code is changed."""
    text = re.sub(r'/\*.*?\*/', lambda m: re.sub(r'[^\n]', ' ', m.group()), text, flags=re.S)
    return [PLAIN.sub(blank, line) for line in text.split('\n')]


def mutants_of(path):
    text = path.read_text()
    lines = text.split('\n')
    inside = False
    for number, code in enumerate(code_lines(text)):
        # Only functions' bodies: a closing brace in column one ends them.
        if code.startswith('{'):
            inside = True
        elif code.startswith('}'):
            inside = False
        if not inside:
            continue
        if STATEMENT.match(code.rstrip()):
            yield number, 'drop', re.sub(r'\S.*', ';', lines[number])
        for pattern, with_ in SWAPS:
            for m in re.finditer(pattern, code):
                line = lines[number]
                yield (number, f'{m.group().strip() or pattern} -> {with_.strip() or "nothing"}',
                       line[:m.start()] + with_ + line[m.end():])


class Build:
    """The library as one shared object with every symbol, and the tests linked with it once."""

    def __init__(self, meson, folder):
        self.meson, self.dir = meson, folder
        self.lib = folder / 'libmutant.so'
        self.env = {'LD_LIBRARY_PATH': str(folder), 'PATH': '/usr/bin:/bin'}
        targets = self.introspect('--targets')
        self.objects = {}
        for target in targets:
            if target['name'] == 'mapsim' and target['type'] in ('static library', 'shared library',
                                                                 'library'):
                self.add_library(target)
                break
        self.link()
        self.programs = {}
        for target in targets:
            if target['type'] == 'executable' and 'bench' not in target['defined_in']:
                self.add_program(target)
        self.tests = self.find_tests()

    def introspect(self, what):
        out = subprocess.run(['meson', 'introspect', what, self.meson], check=True,
                             capture_output=True, text=True).stdout
        return json.loads(out)

    def compile(self, source, parameters, out, input_=None):
        keep = []
        for before, p in zip([''] + parameters, parameters):
            if p.startswith(('-I', '-D', '-std', '-isystem')) or before == '-isystem':
                keep.append(p)
        # From the folder of the build: include paths may be relative to it.
        command = ['gcc', *keep, '-O1', '-fPIC', '-w', '-I', str(pathlib.Path(source).parent),
                   '-c', input_ or source, '-o', str(out)]
        return subprocess.run(command, cwd=self.meson, capture_output=True).returncode == 0

    def add_library(self, target):
        for group in target['target_sources']:
            for source in group.get('sources', []):
                if source.endswith('.c'):
                    out = self.dir / (re.sub(r'\W', '_', source) + '.o')
                    if not self.compile(source, group['parameters'], out):
                        sys.exit(f'{source}: cannot be compiled')
                    self.objects[source] = (out, group['parameters'])

    def link(self):
        subprocess.run(['gcc', '-shared', '-o', str(self.lib),
                        *[str(o) for o, _ in self.objects.values()], '-lbsd'], check=True)

    def add_program(self, target):
        program = self.dir / ('program_' + re.sub(r'\W', '_', target['filename'][0]))
        objects = []
        for group in target['target_sources']:
            for source in group.get('sources', []):
                if source.endswith('.c'):
                    out = self.dir / (program.name + re.sub(r'\W', '_', source) + '.o')
                    if self.compile(source, group['parameters'], out):
                        objects.append(str(out))
        linked = subprocess.run(['gcc', '-o', str(program), *objects, str(self.lib), '-lcmocka',
                                 '-lbsd'], capture_output=True)
        if linked.returncode == 0:
            self.programs[target['filename'][0]] = str(program)

    def find_tests(self):
        """Those that pass, the quick ones first."""
        tests = []
        for test in self.introspect('--tests'):
            command = [self.programs.get(word, word) for word in test['cmd']]
            if command[0] != test['cmd'][0]:
                tests.append((test['name'], command, test['workdir']))
        timed = []
        for test in tests:
            began = time.monotonic()
            if not self.notices(test):
                timed.append((time.monotonic() - began, test))
        return [test for _, test in sorted(timed, key=lambda pair: pair[0])]

    def notices(self, test):
        name, command, workdir = test
        try:
            done = subprocess.run(command, cwd=workdir or self.meson, env=self.env,
                                  timeout=SECONDS, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return True
        return done.returncode != 0


def room_of(source):
    return pathlib.Path(source).relative_to(SOURCE / 'lib').parts[0]


def in_order(tests, room):
    """The room's own tests, then the recordings, then the rest."""
    prefix = {'stage2': 's2_'}.get(room, room + '_')

    def rank(test):
        return 0 if test[0].startswith((prefix, room + '_')) else 1 if 'recordings' in test[0] else 2
    return sorted(tests, key=rank)


def run_one(build, source, mutant):
    """The name of the test that notices; '': none; None: not C any more."""
    number, _, line = mutant
    lines = pathlib.Path(source).read_text().split('\n')
    lines[number] = line
    changed = build.dir / 'mutant.c'
    changed.write_text('\n'.join(lines))
    out, parameters = build.objects[source]
    saved = out.with_suffix('.saved')
    shutil.copy(out, saved)
    try:
        if not build.compile(source, parameters, out, str(changed)):
            return None
        if out.read_bytes() == saved.read_bytes():
            return None
        build.link()
        for test in in_order(build.tests, room_of(source)):
            if build.notices(test):
                return test[0]
        return ''
    finally:
        shutil.copy(saved, out)


def main():
    parser = argparse.ArgumentParser(description='Changes the library; do the tests notice?')
    parser.add_argument('build')
    parser.add_argument('--rooms', default='pat,pfnmap,stage2,kvm')
    parser.add_argument('--sample', type=int, default=0, help='so many of them, 0: all')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--least', type=float, default=95, help='percent that must be noticed')
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        build = Build(str(pathlib.Path(args.build).resolve()), pathlib.Path(folder))
        print(f'{len(build.tests)} tests', flush=True)
        todo = [(s, m) for s in sorted(build.objects) if room_of(s) in args.rooms.split(',')
                for m in mutants_of(pathlib.Path(s))]
        all_of_them = len(todo)
        if args.sample and args.sample < len(todo):
            todo = random.Random(args.seed).sample(todo, args.sample)
        counts = {}
        for source, mutant in todo:
            by = run_one(build, source, mutant)
            if by is None:
                continue
            killed, total = counts.get(room_of(source), (0, 0))
            counts[room_of(source)] = (killed + (by != ''), total + 1)
            if by == '':
                name = pathlib.Path(source).relative_to(SOURCE)
                print(f'survived {name}:{mutant[0] + 1}: {mutant[1]}: {mutant[2].strip()}', flush=True)
    killed = sum(k for k, _ in counts.values())
    total = sum(t for _, t in counts.values())
    for room, (k, t) in sorted(counts.items()):
        print(f'{room}: {k} of {t} noticed')
    percent = 100 * killed / total if total else 0
    print(f'total: {killed} of {total} noticed, {percent:.1f} %, of {all_of_them} changes possible')
    return 0 if percent >= args.least else 1


if __name__ == '__main__':
    sys.exit(main())
