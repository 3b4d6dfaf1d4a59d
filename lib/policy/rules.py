# SPDX-License-Identifier: GPL-2.0-only
"""Reads the rules of lib/policy/rules and resolves them for each release. README.md there describes the files."""

import re

ARCHES = ('arm64', 'x86_64')
# From weak to strong, as enum ms_evidence.
EVIDENCE = ('inferred', 'changelog', 'source', 'recorded')

RULE = re.compile(r'rule ([a-z][a-z0-9_]*)$')
VALUE = re.compile(r'([A-Z0-9_]+) -- (.+)$')
NUMBER = r'(?:0|[1-9]\d{0,5})'  # as release.c reads them
CELL = re.compile(r'(?:(arm64|x86_64) )?(NUMBER)\.(NUMBER)(?:\.(NUMBER))?: (.+)$'.replace('NUMBER', NUMBER))
MAX_CELLS = 254  # their numbers are bytes, of which one is MS_NO_CELL
ITEM = re.compile(r'(inferred .+|changelog ".+|source \d.+|recorded (?:arm64|x86_64)/\S+/\S+)$')
MAINLINE = re.compile(r'mainline (NUMBER)\.(NUMBER) to (NUMBER)\.(NUMBER) -- (.+)$'.replace('NUMBER', NUMBER))
BRANCH = re.compile(r'branch (NUMBER)\.(NUMBER)\.y to \1\.\2\.(NUMBER) -- (.+)$'.replace('NUMBER', NUMBER))
RECORDED = re.compile(r'recorded (NUMBER\.NUMBER(?:\.NUMBER)?): (arm64 x86_64|arm64|x86_64)$'.replace('NUMBER', NUMBER))


# Other members of struct ms_policy; words of C are refused by the compiler.
TAKEN = ('arch', 'release', 'choose_block', 'choose_block_arg')


class Bad(Exception):
    """What is wrong in a file of rules, and where."""


class Cell:
    """From `release` on, in its line, a rule has `value`. release: (major, minor, point); point 0: mainline."""

    def __init__(self, value, arches, release, where):
        self.value, self.arches, self.release, self.where = value, arches, release, where
        self.items = []  # [kind, text]

    def how(self):
        return max((EVIDENCE.index(kind) for kind, _ in self.items), default=0)

    def since(self):
        return name_of(self.release)

    def evidence(self):
        return '; '.join(f'{kind} {text}' for kind, text in self.items)


class Value:
    def __init__(self, name, text):
        self.name, self.text, self.never = name, text, None


class Rule:
    def __init__(self, name, group, where):
        self.name, self.group, self.where = name, group, where
        self.text, self.functions, self.arches = '', '', ARCHES
        self.values, self.cells = [], []

    def enumerator(self, value):
        return f'MS_{self.name}_{value.name}'.upper()


class Rules:
    def __init__(self):
        self.groups = []  # titles
        self.rules = []
        self.first = self.end = None  # of mainline, (major, minor)
        self.branches = {}  # (major, minor): the last point release that was looked through
        self.looked = {}  # of a branch, or None for mainline: in what
        self.recorded = []  # (release as text, architectures)


def lines_of(path):
    """The lines of a file, which is ASCII."""
    with open(path, 'rb') as text:
        for number, line in enumerate(text, 1):
            try:
                yield line.decode('ascii').rstrip('\r\n')
            except UnicodeDecodeError as error:
                raise Bad(f'{path}:{number}: not ASCII: {error.object[error.start:error.start + 4]}') from error


def name_of(release):
    major, minor, point = release
    return f'{major}.{minor}.{point}' if point else f'{major}.{minor}'


class Reader:
    """
    One file. How many tabs a line begins with says what it is: a rule, what belongs to it, a cell, more evidence. Blanks
    behind the tabs: the line goes on with the one before.
    """

    def __init__(self, rules, path):
        self.rules, self.path = rules, path
        self.number = 0
        self.rule = self.value = None
        self.add = None  # takes a continuation

    def fail(self, what):
        raise Bad(f'{self.path}:{self.number}: {what}')

    def read(self):
        title = None
        for self.number, line in enumerate(lines_of(self.path), 1):
            if line.startswith('# ') and not line.startswith('# SPDX') and title is None:
                title = line[2:].rstrip('.')
                self.rules.groups.append(title)
            if line.startswith('#') or not line.strip():
                continue
            if title is None:
                self.fail('a file of rules begins with a title, "# Title."')
            self.line(line)
        if not self.rule:
            self.fail('no rules')
        self.end()

    def line(self, line):
        text = line.strip()
        if '*/' in text or '\0' in text:
            self.fail('a text may not have "*/" or NUL')
        depth = len(line) - len(line.lstrip('\t'))
        if depth and line[depth] == ' ':
            self.go_on(text)
        elif depth == 0:
            self.begin(line)
        elif not self.rule:
            self.fail('a rule begins with "rule NAME"')
        elif depth == 1:
            self.of_rule(text)
        elif depth == 2 and self.value:
            self.of_value(text)
        elif depth == 3 and self.value and self.rule.cells and self.rule.cells[-1].value == len(self.rule.values) - 1:
            self.new_item(self.rule.cells[-1], text)
        else:
            self.fail(f'too many tabs in front of "{text}"')

    def go_on(self, text):
        if not self.add:
            self.fail('nothing goes on here')
        self.add(text)

    def of_rule(self, text):
        if text.startswith('in: ') and not self.rule.functions:
            self.rule.functions = text[4:]
            self.add = lambda more: setattr(self.rule, 'functions', f'{self.rule.functions} {more}')
        elif text.startswith('only: '):
            if text[6:] not in ARCHES:
                self.fail(f'unknown architecture {text[6:]}')
            if len(self.rule.arches) == 1 or self.rule.values:
                self.fail('"only:" stands once, before the values')
            self.rule.arches = (text[6:],)
        elif VALUE.match(text):
            self.new_value(*VALUE.match(text).groups())
        elif self.rule.functions:
            self.fail(f'not "NAME -- what the kernel does": {text}')
        else:
            self.rule.text = f'{self.rule.text} {text}'.strip()

    def of_value(self, text):
        if CELL.match(text):
            self.new_cell(CELL.match(text))
        elif text.startswith('never: ') and not self.value.never:
            self.value.never = text[7:]
            self.add = lambda more: setattr(self.value, 'never', f'{self.value.never} {more}')
        else:
            self.fail(f'not "RELEASE: evidence" and not "never: why": {text}')

    def begin(self, text):
        match = RULE.match(text)
        if not match:
            self.fail(f'not "rule NAME": {text}')
        if self.rule:
            self.end()
        if any(rule.name == match.group(1) for rule in self.rules.rules):
            self.fail(f'rule {match.group(1)} twice')
        if match.group(1) in TAKEN:
            self.fail(f'{match.group(1)} is no name for a rule')
        self.rule, self.value = Rule(match.group(1), len(self.rules.groups) - 1, self.number), None
        self.rules.rules.append(self.rule)
        self.add = None

    def new_value(self, name, text):
        value = Value(name, text)
        if any(other.name == name for other in self.rule.values):
            self.fail(f'value {name} twice')
        self.rule.values.append(value)
        self.value = value
        self.add = lambda more: setattr(value, 'text', f'{value.text} {more}')

    def new_cell(self, match):
        arch, major, minor, point, evidence = match.groups()
        arches = (arch,) if arch else self.rule.arches
        if point == '0':
            self.fail('mainline releases have two numbers')
        if not set(arches) <= set(self.rule.arches):
            self.fail(f'the rule is only for {self.rule.arches[0]}')
        cell = Cell(len(self.rule.values) - 1, arches, (int(major), int(minor), int(point or 0)), self.number)
        if cell.release[:2] < self.rules.first:
            self.fail(f'older than {name_of(self.rules.first + (0,))}, where mainline begins')
        if len(self.rule.cells) == MAX_CELLS:
            self.fail(f'more than {MAX_CELLS} cells')
        for other in self.rule.cells:
            if other.release == cell.release and set(other.arches) & set(arches):
                self.fail(f'{cell.since()} has two values')
        self.rule.cells.append(cell)
        self.new_item(cell, evidence)

    def new_item(self, cell, text):
        if not ITEM.match(text):
            self.fail('evidence is \'recorded ARCH/KERNEL/NAME\', \'source RELEASE...\', \'changelog "TITLE"\' or '
                      f'\'inferred WHY\', not: {text}')
        item = text.split(' ', 1)
        cell.items.append(item)

        def more(text):
            item[1] = f'{item[1]} {text}'
        self.add = more

    def end(self):
        rule = self.rule
        where = f'{self.path}:{rule.where}: rule {rule.name}'
        if not rule.text:
            raise Bad(f'{where}: does not say what it decides')
        if not rule.functions:
            raise Bad(f'{where}: does not say "in:" which functions it is')
        if len(rule.values) < 2:
            raise Bad(f'{where}: fewer than two values')
        for number, value in enumerate(rule.values):
            has_cell = any(cell.value == number for cell in rule.cells)
            if not value.never and not has_cell:
                raise Bad(f'{where}: {value.name} has no cell, and no "never:" that says why')
            if value.never and has_cell:
                raise Bad(f'{where}: {value.name} has cells, and "never:", too')
        for arch in rule.arches:
            if not any(cell.release[2] == 0 and arch in cell.arches and
                       cell.release[:2] == self.rules.first for cell in rule.cells):
                raise Bad(f'{where}: no value for {name_of(self.rules.first + (0,))} {arch}')


class Lines:
    """The file `lines`: how far mainline and each branch were looked through, and which releases are recorded."""

    def __init__(self, rules, path):
        self.rules, self.path, self.last, self.recorded = rules, path, None, []

    def read(self):
        for number, line in enumerate(lines_of(self.path), 1):
            if line.startswith('\t') and self.last in self.rules.looked:
                self.rules.looked[self.last] += ' ' + line.strip()
            elif line and not line.startswith('#') and not self.line(line):
                raise Bad(f'{self.path}:{number}: not "mainline", "branch" or "recorded", twice, or out of order: {line}')
        if not self.rules.first:
            raise Bad(f'{self.path}: no line "mainline"')

    def line(self, line):
        if match := MAINLINE.match(line):
            numbers = [int(n) for n in match.groups()[:4]]
            self.rules.first, self.rules.end, self.last = tuple(numbers[:2]), tuple(numbers[2:]), None
            self.rules.looked[None] = match.group(5)
            return self.rules.first < self.rules.end
        elif match := BRANCH.match(line):
            self.last = tuple(int(n) for n in match.groups()[:2])
            if self.last in self.rules.branches:
                return False
            self.rules.branches[self.last] = int(match.group(3))
            self.rules.looked[self.last] = match.group(4)
        elif match := RECORDED.match(line):
            numbers = [int(n) for n in match.group(1).split('.')]
            if numbers <= self.recorded:
                return False
            self.recorded = numbers
            self.rules.recorded.append((match.group(1), match.group(2).split()))
        else:
            return False
        return True


def read(lines, files):
    """All rules: from the file `lines`, and files of rules, each of which is a group."""
    rules = Rules()
    Lines(rules, lines).read()
    for path in files:
        Reader(rules, path).read()
    return rules


def resolve(rule, arch, release):
    """The cell that holds for a release (major, minor, point) on an architecture; None: the rule means nothing there."""
    best = None
    for cell in rule.cells:
        if arch not in cell.arches:
            continue
        own_branch = cell.release[2] and cell.release[:2] == release[:2] and cell.release[2] <= release[2]
        mainline = not cell.release[2] and cell.release[:2] <= release[:2]
        # a cell of the branch comes after all of mainline that the branch began with
        if (own_branch or mainline) and (best is None or cell.release > best.release):
            best = cell
    return best


def steps(rules, arch):
    """The releases at which a cell of the architecture begins, rising; those of branches behind their x.y."""
    return sorted({cell.release for rule in rules.rules for cell in rule.cells if arch in cell.arches})
