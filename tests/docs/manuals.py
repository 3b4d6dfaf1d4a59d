#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
    manuals.py FOLDER MAPSIM INCLUDE

Has every command and every public header its manual page, is every public function in one, and does mandoc(1) find
nothing to complain about? A reference to a page is good if FOLDER has that page.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

FOLDER, MAPSIM, INCLUDE = (pathlib.Path(sys.argv.pop(1)) for _ in range(3))
PAGES = {path.name for path in FOLDER.glob('*.[1357]')} | {'mapsim-recording.5', 'mapsim-script.5', 'mapsim-world.5'}


class Pages(unittest.TestCase):
    def test_every_command_has_one(self):
        said = subprocess.run([MAPSIM, 'help'], check=True, capture_output=True, text=True).stdout
        block = said.split('\ncommands:\n')[1].split('\n\n')[0]
        commands = set(re.findall(r'^  (\w+) ', block, re.M)) - {'help'}
        self.assertGreater(len(commands), 2)
        self.assertEqual({f'mapsim-{command}.1' for command in commands} - PAGES, set())

    def test_every_header_has_one(self):
        headers = {path.stem for path in INCLUDE.glob('*.h')} - {'linux', 'mapsim'}
        self.assertEqual({f'mapsim_{header}.3' for header in headers} - PAGES, set())

    def test_every_function_is_in_its_headers_page(self):
        for header in INCLUDE.glob('*.h'):
            if f'mapsim_{header.stem}.3' not in PAGES:
                continue
            text = re.sub(r'/\*[\s\S]*?\*/|//.*', '', header.read_text(encoding='utf-8'))
            page = (FOLDER / f'mapsim_{header.stem}.3').read_text(encoding='utf-8')
            for name in set(re.findall(r'\b(ms_\w+)\(', text)):
                self.assertRegex(page, rf'(?m)^[^.].*\b{name}\(', f'{header.name}: {name}')

    def test_every_option_of_a_command_is_in_its_page(self):
        for page in FOLDER.glob('mapsim-*.1'):
            said = subprocess.run([MAPSIM, page.stem.split('-', 1)[1], '--help'], check=True, capture_output=True,
                                  text=True).stdout
            text = page.read_text(encoding='utf-8')
            for option in set(re.findall(r'--[a-z][a-z-]+', said)):
                self.assertIn(option, text, page.name)

    @unittest.skipUnless(shutil.which('mandoc'), 'mandoc is not installed')
    def test_mandoc_has_no_complaint(self):
        for page in sorted(FOLDER.glob('*.[1357]')):
            said = subprocess.run(['mandoc', '-T', 'lint', page], capture_output=True, text=True).stdout
            for line in said.splitlines():
                match = re.search(r'referenced manual not found: Xr (\S+) (\d)', line)
                self.assertTrue(match and f'{match.group(1)}.{match.group(2)}' in PAGES, line)


if __name__ == '__main__':
    unittest.main()
