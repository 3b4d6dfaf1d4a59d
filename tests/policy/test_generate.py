#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Files of rules that are wrong are refused with the line; right ones are resolved along their lines of releases."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv.pop(1))
import rules  # noqa: E402

LINES = 'mainline 5.10 to 6.3 -- sources\nbranch 6.1.y to 6.1.9 -- a changelog\nrecorded 6.1.3: arm64\n'
RULE = ('# A title.\n\nrule one\n\tWhat it decides.\n\tin: f\n'
        '\tA -- first\n\t\t5.10: source 5.10\n'
        '\tB -- second\n\t\t6.2: source 6.2\n\t\t6.1.4: changelog "take B"\n\t\t    in two lines\n\t\t\tinferred no\n')


def read(rule=RULE, lines=LINES):
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ('lines', 'one.rules')]
        for path, text in zip(paths, (lines, rule)):
            with open(path, 'w', encoding='utf-8') as out:
                out.write(text)
        return rules.read(paths[0], paths[1:])


def value(read_rules, release, arch='arm64'):
    rule = read_rules.rules[0]
    return rule.values[rules.resolve(rule, arch, release).value].name


class Reading(unittest.TestCase):
    def refused(self, words, rule=RULE, lines=LINES):
        with self.assertRaises(rules.Bad) as caught:
            read(rule, lines)
        self.assertIn(words, str(caught.exception))

    def test_a_branch_has_what_mainline_had_and_what_it_took(self):
        read_rules = read()
        for release, name in (((5, 10, 0), 'A'), ((6, 1, 0), 'A'), ((6, 1, 3), 'A'), ((6, 1, 4), 'B'), ((6, 1, 100), 'B'),
                              ((6, 0, 9), 'A'), ((6, 2, 0), 'B'), ((6, 2, 1), 'B'), ((7, 0, 0), 'B')):
            self.assertEqual(value(read_rules, release), name, release)

    def test_steps_are_the_releases_of_cells(self):
        self.assertEqual(rules.steps(read(), 'arm64'), [(5, 10, 0), (6, 1, 4), (6, 2, 0)])
        split = RULE.replace('\t\t6.2: source 6.2\n', '\t\tx86_64 6.2: source 6.2\n')
        self.assertEqual(rules.steps(read(split), 'arm64'), [(5, 10, 0), (6, 1, 4)])

    def test_the_strongest_evidence_counts_and_lines_continue(self):
        cell = read().rules[0].cells[2]
        self.assertEqual(rules.EVIDENCE[cell.how()], 'changelog')
        self.assertEqual(cell.evidence(), 'changelog "take B" in two lines; inferred no')

    def test_cells_of_one_architecture(self):
        split = RULE.replace('\t\t6.2: source 6.2\n', '\t\tx86_64 6.2: source 6.2\n')
        self.assertEqual(value(read(split), (6, 2, 0)), 'A')
        self.assertEqual(value(read(split), (6, 2, 0), 'x86_64'), 'B')

    def test_what_is_wrong_is_named_with_its_line(self):
        self.refused('one.rules:9: mainline releases have two numbers', RULE.replace('6.2:', '6.2.0:'))
        self.refused('one.rules:8: value A twice', RULE.replace('\tB --', '\tA --'))
        self.refused('has two values', RULE.replace('6.2:', '5.10:'))
        self.refused('unknown architecture', RULE.replace('\tin: f\n', '\tin: f\n\tonly: vax\n'))
        self.refused('begins with a title', RULE.replace('# A title.\n', ''))
        self.refused('rule one twice', RULE + RULE[RULE.index('rule'):])
        self.refused('does not say "in:"', RULE.replace('\tin: f\n', ''))
        self.refused('does not say what it decides', RULE.replace('\tWhat it decides.\n', ''))
        self.refused('no cell, and no "never:"', RULE + '\tC -- third\n')
        self.refused('has cells, and "never:", too', RULE + '\t\tnever: no\n')
        self.refused('no value for 5.10 arm64', RULE.replace('5.10: s', '5.11: s'))
        self.refused('not "rule NAME"', RULE.replace('rule one', 'rule One'))
        self.refused('lines:3: not "mainline"', RULE, LINES.replace('recorded', 'seen'))
        self.refused('no line "mainline"', RULE, LINES.replace('mainline', '#'))
        self.refused('one.rules:9: older than 5.10', RULE.replace('6.2:', '5.4.9:'))
        self.refused('one.rules:9: not "RELEASE', RULE.replace('6.2:', '06.2:'))
        self.refused('one.rules:9: not "RELEASE', RULE.replace('6.2:', '99999999999.1.4:'))
        self.refused('one.rules:10: the rule is only for arm64',
                     RULE.replace('\tin: f\n', '\tin: f\n\tonly: arm64\n').replace('\t\t6.2', '\t\tx86_64 6.2'))
        self.refused('"only:" stands once', RULE + '\tonly: arm64\n')
        self.refused('a text may not have', RULE.replace('first', 'first */'))
        self.refused('is no name for a rule', RULE.replace('rule one', 'rule arch'))
        self.refused('no rules', '# A title.\n')
        self.refused('lines:4: not "mainline"', RULE, LINES + 'recorded 6.1.2: arm64\n')
        self.refused('lines:4: not "mainline"', RULE, LINES + 'branch 6.1.y to 6.1.9 -- again\n')
        self.refused('lines:2: not "mainline"', RULE, LINES.replace('to 6.1.9', 'to 6.2.9'))
        self.refused('one.rules:4: not ASCII', RULE.replace('What', 'Wh\u00e4t'))

    def test_a_mistyped_line_is_no_continuation(self):
        self.refused('one.rules:13: not "NAME --', RULE + '\tC - third\n\t\t6.3: source 6.3\n')
        self.refused('one.rules:13: not "NAME --', RULE + '\tNew_C -- third\n')
        self.refused('one.rules:13: not "RELEASE: evidence"', RULE + '\t\t6.3 source 6.3\n')
        self.refused('one.rules:13: not "RELEASE: evidence"', RULE + '\t\t6.3-rc1: source 6.3\n')
        self.refused('one.rules:13: evidence is', RULE + '\t\t\trecording arm64/6.1.3/x\n')
        self.refused('one.rules:9: evidence is', RULE.replace('source 6.2', 'source mm/x.c'))
        self.refused('one.rules:9: evidence is', RULE.replace('source 6.2', 'recorded x'))
        self.refused('one.rules:13: too many tabs', RULE + '\t\t\t\tsource 6.3\n')
        self.refused('one.rules:4: not "rule NAME"', RULE.replace('\tWhat', '        What'))
        self.refused('one.rules:4: nothing goes on', RULE.replace('\tWhat', '\t  What'))


if __name__ == '__main__':
    unittest.main()
