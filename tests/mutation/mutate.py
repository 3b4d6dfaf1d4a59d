#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Do the tests notice when a rule is wrong? Changes one place of the library at a time (a comparison,
an operator, a constant, a statement dropped), compiles that file, and runs the tests until one
fails. A change that no test notices is printed: a rule without a test, code that nobody needs, or
a change that means the same. The last kind is kept in the file `equivalent` and is not counted.

    tests/mutation/mutate.py BUILD [--rooms pat,stage2,kvm] [--sample N] [--seed S]
                                   [--minutes N] [--within SECONDS]
                                   [--only lib/kvm/arm64/block.c[:LINE],...]

BUILD: a folder that `meson setup` and `ninja` have made of this tree, without sanitizers (it is
only read). One process at a time. When interrupted it says what it has found so far.
Exit code: 0 where at least --least percent (95) were noticed.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
MEMORY = 4 << 30  # a mutant that takes more is noticed

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

# number: of the line, from 0; what: the change in a word; after: the whole line.
Mutant = collections.namedtuple('Mutant', 'source number what before after')
Test = collections.namedtuple('Test', 'name command folder seconds')


def blank(match):
    return ' ' * len(match.group())


def code_lines(text):
    """The lines with comments and strings blanked, so that only code is changed."""
    text = re.sub(r'/\*.*?\*/', lambda m: re.sub(r'[^\n]', ' ', m.group()), text, flags=re.S)
    return [PLAIN.sub(blank, line) for line in text.split('\n')]


def mutants_of(source):
    text = pathlib.Path(source).read_text()
    inside = False
    for number, (line, code) in enumerate(zip(text.split('\n'), code_lines(text))):
        # Only functions' bodies: a closing brace in column one ends them.
        if code.startswith('{'):
            inside = True
        elif code.startswith('}'):
            inside = False
        if not inside:
            continue
        if STATEMENT.match(code.rstrip()):
            yield Mutant(source, number, 'drop', line, re.sub(r'\S.*', ';', line))
        for pattern, with_ in SWAPS:
            for m in re.finditer(pattern, code):
                what = f'{m.group().strip()} -> {with_.strip() or "nothing"}'
                yield Mutant(source, number, what, line, line[:m.start()] + with_ + line[m.end():])


def name_of(source):
    return str(pathlib.Path(source).relative_to(SOURCE))


def room_of(source):
    return pathlib.Path(name_of(source)).parts[1]


def equivalence(mutant):
    """What a line of the file `equivalent` begins with."""
    return name_of(mutant.source), mutant.before.strip(), mutant.after.strip()


def read_equivalents():
    path = pathlib.Path(__file__).with_name('equivalent')
    entries = set()
    for number, line in enumerate(path.read_text().split('\n') if path.exists() else []):
        if not line or line.startswith('#'):
            continue
        fields = line.split('\t')
        if len(fields) != 4 or not all(fields):
            sys.exit(f'{path}:{number + 1}: not file, line, changed line and reason')
        entries.add(tuple(fields[:3]))
    return entries


class Build:
    """The library as one shared object with every symbol, and the tests linked with it once."""

    def __init__(self, meson, folder):
        self.meson, self.dir = meson, folder
        self.lib = folder / 'libmutant.so'
        self.env = {'LD_LIBRARY_PATH': str(folder), 'PATH': '/usr/bin:/bin'}
        targets = self.introspect('--targets')
        self.objects, self.parameters, self.code = {}, {}, {}
        for target in targets:
            if target['name'] == 'mapsim' and target['type'] == 'shared library':
                self.take_library(target)
        self.link()
        self.programs = {}
        for target in targets:
            if target['type'] == 'executable' and 'bench' not in target['defined_in']:
                self.link_program(target['filename'][0])
        self.kills = collections.Counter()
        self.tests = list(self.find_tests())

    def introspect(self, what):
        out = subprocess.run(['meson', 'introspect', what, self.meson], check=True,
                             capture_output=True, text=True).stdout
        return json.loads(out)

    def take_library(self, target):
        top = pathlib.Path(target['defined_in']).parent
        for group in target['target_sources']:
            for source in group.get('sources', []):
                path = str(pathlib.Path(source).relative_to(top)).replace('/', '_') + '.o'
                self.objects[source] = pathlib.Path(target['filename'][0] + '.p') / path
                self.parameters[source] = group['parameters']
        self.generated = sorted(pathlib.Path(target['filename'][0] + '.p').glob('meson-generated_*.o'))

    def link(self, changed=None, object_=None):
        objects = [object_ if source == changed else out for source, out in self.objects.items()]
        subprocess.run(['gcc', '-shared', '-s', '-Wl,--no-undefined', '-o', self.lib, *objects,
                        *self.generated], check=True)

    def link_program(self, filename):
        program = self.dir / ('program_' + re.sub(r'\W', '_', filename))
        objects = sorted(pathlib.Path(filename + '.p').glob('*.o'))
        linked = subprocess.run(['gcc', '-s', '-o', program, *objects, self.lib, '-lcmocka'],
                                capture_output=True)
        if linked.returncode == 0:
            self.programs[filename] = str(program)

    def compile(self, source, text):
        """The object of a source file with this text; None: it is not C."""
        changed, out = self.dir / 'changed.c', self.dir / 'changed.o'
        changed.write_text(text)
        keep = []
        for before, p in zip([''] + self.parameters[source], self.parameters[source]):
            if p.startswith(('-I', '-D', '-std', '-isystem')) or before == '-isystem':
                keep.append(p)
        # From the folder of the build: include paths may be relative to it.
        command = ['gcc', *keep, '-O1', '-fPIC', '-w', '-I', str(pathlib.Path(source).parent),
                   '-c', changed, '-o', out]
        done = subprocess.run(command, cwd=self.meson, capture_output=True)
        return out if done.returncode == 0 else None

    def find_tests(self):
        for test in self.introspect('--tests'):
            command = [self.programs.get(word, word) for word in test['cmd']]
            if command[0] == test['cmd'][0]:
                continue
            began = time.monotonic()
            test = Test(test['name'], command, test['workdir'] or self.meson, 60)
            if self.notices(test):
                print(f'not used, fails by itself: {test.name}')
            else:
                yield test._replace(seconds=time.monotonic() - began)

    def notices(self, test):
        """A mutant that runs much longer than the library did hangs."""
        try:
            done = subprocess.run(test.command, cwd=test.folder, env=self.env,
                                  timeout=5 + 10 * test.seconds, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return True
        return done.returncode != 0

    def in_order(self, source):
        """The room's own tests, then the recordings, then the rest; of these, those that noticed
        most in this file, and the quick."""
        own = room_of(source) + '_', {'stage2': 's2_'}.get(room_of(source), '?')

        def rank(test):
            kind = 0 if test.name.startswith(own) else 1 if 'recordings' in test.name else 2
            return kind, -self.kills[source, test.name], test.seconds
        return sorted(self.tests, key=rank)

    def means_the_same(self, source, text, object_):
        """The compiler makes the same of both: nothing that a test could see."""
        changed = object_.read_bytes()
        if source not in self.code:
            self.code[source] = self.compile(source, text).read_bytes()
        return changed == self.code[source]

    def try_mutant(self, mutant):
        """The name of the test that notices; '': none; None: not C any more, or the same."""
        text = pathlib.Path(mutant.source).read_text()
        lines = text.split('\n')
        lines[mutant.number] = mutant.after
        object_ = self.compile(mutant.source, '\n'.join(lines))
        if not object_:
            return None
        own = self.dir / 'mutant.o'
        object_.rename(own)
        if self.means_the_same(mutant.source, text, own):
            return None
        self.link(mutant.source, own)
        for test in self.in_order(mutant.source):
            if self.notices(test):
                self.kills[mutant.source, test.name] += 1
                return test.name
        return ''


class Room:
    def __init__(self, name, todo):
        self.name, self.todo, self.possible = name, todo, len(todo)
        self.noticed = self.survived = self.equivalent = 0

    def tried(self):
        return self.noticed + self.survived

    def __str__(self):
        return (f'{self.name}: {self.noticed} of {self.tried()} noticed, {percent([self]):.1f} %; '
                f'{self.equivalent} equivalent; {self.possible} changes possible')


def percent(rooms):
    tried = sum(room.tried() for room in rooms)
    return 100 * sum(room.noticed for room in rooms) / tried if tried else 0


def print_survivor(mutant):
    print(f'survived {name_of(mutant.source)}:{mutant.number + 1}: {mutant.what}\n'
          f'    -{mutant.before}\n    +{mutant.after}', flush=True)


def run(build, rooms, equivalents, sample, verbose):
    """One of each room in turn, so that an end that comes early is fair to all."""
    open_rooms = list(rooms)
    while open_rooms:
        room = open_rooms.pop(0)
        if not room.todo or (sample and room.tried() >= sample):
            continue
        open_rooms.append(room)
        mutant = room.todo.pop()
        if equivalence(mutant) in equivalents:
            room.equivalent += 1
            continue
        by = build.try_mutant(mutant)
        if by == '':
            room.survived += 1
            print_survivor(mutant)
        elif by:
            room.noticed += 1
            if verbose:
                print(f'noticed {name_of(mutant.source)}:{mutant.number + 1}: {mutant.what}: {by}',
                      flush=True)


def stop(*_):
    raise KeyboardInterrupt


def choose(args, build, equivalents):
    """The mutants of each room, in an order that the seed says, to be taken from the end."""
    found = collections.defaultdict(list)
    for source in sorted(build.objects):
        found[room_of(source)] += mutants_of(source)
    known = {equivalence(m) for mutants in found.values() for m in mutants}
    for entry in sorted(equivalents - known):
        sys.exit('equivalent: there is no such change any more: ' + '\t'.join(entry))
    only = args.only.split(',') if args.only else []
    names = sorted({place.split('/')[1] for place in only}) or args.rooms.split(',')
    rooms = []
    for name in names:
        todo = [m for m in found[name] if not only or name_of(m.source) in only or
                f'{name_of(m.source)}:{m.number + 1}' in only]
        random.Random(args.seed).shuffle(todo)
        rooms.append(Room(name, todo))
    return rooms


def main():
    parser = argparse.ArgumentParser(description='Changes the library; do the tests notice?')
    parser.add_argument('build')
    parser.add_argument('--rooms', default='pat,stage2,kvm')
    parser.add_argument('--sample', type=int, default=0, help='so many of each room, 0: all')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--minutes', type=float, default=0, help='ends after that, 0: never')
    parser.add_argument('--within', type=float, default=60, help='without tests that take longer')
    parser.add_argument('--only', help='lib/ROOM/FILE.c or lib/ROOM/FILE.c:LINE,...')
    parser.add_argument('--least', type=float, default=95, help='percent that must be noticed')
    parser.add_argument('--verbose', action='store_true', help='also says who noticed what')
    args = parser.parse_args()

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGALRM:
        signal.signal(number, stop)
    signal.setitimer(signal.ITIMER_REAL, 60 * args.minutes)
    memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    rooms = []
    try:
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            equivalents = read_equivalents()
            build = Build(str(pathlib.Path(args.build).resolve()), pathlib.Path(folder))
            build.tests = [t for t in build.tests if t.seconds <= args.within]
            rooms = choose(args, build, equivalents)
            print(f'{len(build.tests)} tests', flush=True)
            run(build, rooms, equivalents, args.sample, args.verbose)
    except KeyboardInterrupt:
        print('interrupted')
    for room in rooms:
        print(room)
    print(f'total: {sum(room.noticed for room in rooms)} of {sum(room.tried() for room in rooms)} '
          f'noticed, {percent(rooms):.1f} %')
    return 0 if percent(rooms) >= args.least else 1


if __name__ == '__main__':
    sys.exit(main())
