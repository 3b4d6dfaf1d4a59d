#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What docs/kernel_functions.py reads in a comment, what it refuses, and how it looks into a kernel's sources."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv.pop(1))
import kernel_functions  # noqa: E402

FUNCTION = '\nstatic int ms_f(int a)\n{\n}\n'


def read(text):
    """(all mirrors as text, all errors) of a file with this text."""
    found, errors = [], []
    for mirrors, error in kernel_functions.mirrors_of_file(text, 'f.c', (7, 3)):
        if error:
            errors.append(error)
        else:
            found += [f'{m.name} {m.path} {m.releases()} {m.ours}' for m in mirrors]
    return found, errors


class Reading(unittest.TestCase):
    def mirrors(self, comment, *lines, code=FUNCTION):
        self.assertEqual(read(comment + code), (list(lines), []))

    def refused(self, comment, words, code=FUNCTION):
        found, errors = read(comment + code)
        self.assertEqual((found, len(errors)), ([], 1))
        self.assertIn(words, errors[0])

    def test_one_function(self):
        self.mirrors('// mirrors f(), mm/a.c, 5.10+', 'f() mm/a.c 5.10+ ms_f()')
        self.mirrors('/* mirrors f(), mm/a.c, 5.10 .. 6.15 */', 'f() mm/a.c 5.10 .. 6.15 ms_f()')

    def test_words_before_and_behind(self):
        self.mirrors('// What it does.\n// mirrors f(), mm/a.c, 5.10+: but not g().', 'f() mm/a.c 5.10+ ms_f()')
        self.mirrors('/*\n * What it does.\n *\n * mirrors f(), mm/a.c,\n * 6.12.113+. And more.\n */',
                     'f() mm/a.c 6.12.113+ ms_f()')

    def test_names_that_changed_over_time(self):
        self.mirrors('/* mirrors f(), mm/a.c, 5.10 .. 6.11; g(), h() and MACRO,\n * mm/b.h, 6.12+ */',
                     'f() mm/a.c 5.10 .. 6.11 ms_f()', 'g() mm/b.h 6.12+ ms_f()', 'h() mm/b.h 6.12+ ms_f()',
                     'MACRO mm/b.h 6.12+ ms_f()')

    def test_what_may_follow(self):
        comment = '// mirrors f(), mm/a.c, 5.10+'
        self.mirrors(comment, 'f() mm/a.c 5.10+ MS_LIMIT', code='\n#define MS_LIMIT 3\n')
        self.mirrors(comment, 'f() mm/a.c 5.10+ names', code='\nstatic const char *const names[2] = { 0 };\n')
        self.mirrors(comment, 'f() mm/a.c 5.10+ ms_f()',
                     code='\n__attribute__((noinline)) static struct s\nms_f(int a)\n{\n')
        self.refused(comment, 'no definition follows', '\nint ms_f(int a);\n')
        self.refused(comment, 'no definition follows', '\n#include "a.h"\n')
        self.refused(comment, 'no definition follows', '')

    def test_other_comments_are_left_alone(self):
        self.mirrors('// Mirrors mm/a.c as a whole.')
        self.mirrors('const char *s = "/* mirrors nothing */";')
        self.mirrors('char c = \'"\'; // mirrors f(), mm/a.c, 5.10+', 'f() mm/a.c 5.10+ ms_f()')

    def test_what_is_wrong_is_named_with_its_line(self):
        self.refused('\n/* What.\n * mirrors f() */', 'f.c:3: not "NAME(), PATH, VERSIONS": f()')
        self.refused('// mirrors f(), mm/a, 5.10+', 'not "NAME')
        self.refused('// mirrors f() of mm/a.c, 5.10+', 'not "NAME')
        self.refused('// mirrors f(), mm/a.c', 'not "NAME')
        self.refused('// mirrors f(), mm/a.c, 5.10 - 6.1', 'not "NAME')
        self.refused('// mirrors f(), mm/a.c, 5.10+; g()', 'not "NAME')
        self.refused('// mirrors f(), mm/a.c, 5.10+ but not g()', 'the clauses end with')
        self.refused('// mirrors f(), mm/a.c, 5.10+, later g()', 'the clauses end with')
        self.refused('// It mirrors f(), mm/a.c, 5.10+', 'begins a line')
        self.refused('// mirrors f(), mm/a.c, 5.9+', 'no release')
        self.refused('// mirrors f(), mm/a.c, 5.20+', 'no release')
        self.refused('// mirrors f(), mm/a.c, 7.4+', 'no release')
        self.refused('// mirrors f(), mm/a.c, 6.1 .. 5.15', 'not first .. last')
        self.refused('// mirrors f(), mm/a.c, 5.10 .. 7.3', 'not first .. last')


class Rule:
    functions = "f_one, g_two (mm/a.c, up to 5.14); _h_three in mremap (mm/b.c); k_four of the recorder's module"


class Rules:
    rules = [Rule]


class Document(unittest.TestCase):
    def test_functions_of_rules(self):
        self.assertEqual(kernel_functions.named_by_rules(Rules), {'f_one', 'g_two', '_h_three'})

    def test_rows_and_what_has_none(self):
        code = '// mirrors g_two(), mm/a.c, 5.10 .. 5.10; f_one(), mm/a.c, 6.1+' + FUNCTION
        (mirrors, _), = kernel_functions.mirrors_of_file(code, 'lib/f.c', (7, 3))
        text = ''.join(kernel_functions.document(Rules, mirrors))
        self.assertIn('| `g_two()` | 5.10 | `ms_f()` | `lib/f.c` |\n', text)
        self.assertIn('| `f_one()` | 6.1+ | `ms_f()` | `lib/f.c` |\n', text)
        self.assertIn('\n- `_h_three`\n', text)
        self.assertNotIn('- `f_one`', text)


class Sources(unittest.TestCase):
    def defines(self, text, name):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'a.c')
            path.write_text(text, encoding='utf-8')
            return kernel_functions.is_defined(path, name)

    def test_definitions(self):
        self.assertTrue(self.defines('static inline struct s *f(int a,\n\t int b)\n{\n', 'f()'))
        self.assertTrue(self.defines('unsigned long\nf(int a)\n{\n', 'f()'))
        self.assertTrue(self.defines('# define f(a) (a)\n', 'f()'))
        self.assertTrue(self.defines('SYSCALL_DEFINE2(f, int, a, int, b)\n{\n', 'f()'))

    def test_uses_are_none(self):
        self.assertFalse(self.defines('int f(int a);\nint g(void)\n{\n\tif (f(1)) {\n\t}\n}\n', 'f()'))
        self.assertFalse(self.defines('int gf(int a)\n{\n}\n', 'f()'))
        self.assertFalse(kernel_functions.is_defined(pathlib.Path('/nowhere'), 'f()'))


if __name__ == '__main__':
    unittest.main()
