#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
    test_draw.py MAPSIM SOURCES

What `mapsim draw` draws: boxes at the right places of a well-formed picture, a page that steps, and clear refusals.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

MAPSIM, SOURCES = pathlib.Path(sys.argv.pop(1)).resolve(), pathlib.Path(sys.argv.pop(1))
BEYOND = SOURCES / 'examples/beyond_the_vma.ms'
SVG = '{http://www.w3.org/2000/svg}'


class Drawing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_draw(self, *words, script=BEYOND, output='out.svg'):
        return subprocess.run([MAPSIM, 'draw', *words, '-o', self.folder / output, script], capture_output=True, text=True)

    def draw(self, *words, script=BEYOND, output='out.svg'):
        run = self.run_draw(*words, script=script, output=output)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, '', ''))
        return (self.folder / output).read_text(encoding='utf-8')

    def script(self, *lines):
        path = self.folder / 'script.ms'
        path.write_text('\n'.join(lines) + '\n', encoding='ascii')
        return path

    def boxes(self, svg):
        """(first line of the title, x, width, classes) of each box."""
        found = []
        for group in ElementTree.fromstring(svg).iter(SVG + 'g'):
            rect = group.find(SVG + 'rect')
            found.append((group.find(SVG + 'title').text.split('\n')[0], float(rect.get('x')), float(rect.get('width')),
                          rect.get('class').split()))
        return found

    def box(self, svg, start):
        found = [box for box in self.boxes(svg) if box[0].startswith(start)]
        self.assertEqual(len(found), 1, (start, self.boxes(svg)))
        return found[0]


class Picture(Drawing):
    def test_a_leaf_stands_below_the_vma_that_it_maps(self):
        svg = self.draw(script=self.script('> mmap big off=0 at=32T len=4M prot=rw flags=shared'))
        _, x, width, classes = self.box(svg, 'VMA 0x200000000000-0x200000400000')
        leaf = self.box(svg, 'page table: leaves of 4K, rw')
        self.assertEqual((leaf[1], leaf[2]), (x, width))
        self.assertIn('new', classes)

    def test_lengths_are_to_scale(self):
        svg = self.draw(script=self.script('> mmap anon off=0 at=32T len=2M prot=rw flags=private',
                                           '> mmap anon off=0 at=0x200000200000 len=4M prot=r flags=private'))
        short, long = self.box(svg, 'VMA 0x200000000000'), self.box(svg, 'VMA 0x200000200000')
        self.assertAlmostEqual(2 * short[2], long[2], delta=0.2)
        self.assertAlmostEqual(short[1] + short[2], long[1], delta=0.2)

    def test_a_page_beside_256m_is_seen(self):
        svg = self.draw(script=self.script('> mmap anon off=0 at=32T len=256M prot=rw flags=private',
                                           '> mprotect at=32T len=4K prot=r'))
        self.assertGreater(self.box(svg, 'VMA 0x200000000000-0x200000001000')[2], 5)

    def test_what_went_away_is_dashed(self):
        svg = self.draw(script=self.script('> mmap anon off=0 at=32T len=2M prot=rw flags=private',
                                           '> munmap at=32T len=2M'))
        self.assertIn('gone', self.box(svg, 'VMA 0x200000000000')[3])

    def test_a_step_is_the_state_after_so_many_operations(self):
        svg = self.draw('--step', '0')
        self.assertNotIn('VMA 0x200000000000', svg)
        self.assertIn('after: the start', svg)

    def test_what_is_wrong_is_marked_and_named(self):
        svg = self.draw('--kernel', '6.12.107', '--step', '5')
        self.assertIn('wrong', self.box(svg, 'guest: leaves of 2M')[3])
        self.assertIn('guest-beyond-vma', svg)
        self.assertNotIn('guest-beyond-vma', self.draw('--kernel', '6.12.117', '--step', '5'))

    def test_two_kernels_are_one_below_the_other(self):
        svg = self.draw('--kernel', '6.12.107', '--kernel', '6.12.117')
        names = [text.text for text in ElementTree.fromstring(svg).iter(SVG + 'text') if (text.text or '').startswith('Linux')]
        self.assertEqual([name.split()[1] for name in names], ['6.12.107', '6.12.117'])

    def test_a_guest_of_x86_has_its_leaves(self):
        svg = self.draw('--arch', 'x86_64', script=self.script(
            '> mmap anon off=0 at=32T len=2M prot=rw flags=private', '> vm create',
            '> slot id=1 gpa=0x100000000 size=2M hva=32T', '> guest access=w gpa=0x100000000'))
        self.box(svg, 'guest: leaves of 2M, rwx')

    def test_memory_types_and_claims_have_lanes(self):
        svg = self.draw('--arch', 'x86_64', script=self.script('> mmap vfio:big off=0 at=32T len=4M prot=rw flags=shared'))
        self.box(svg, 'claimed: 0x180000000-0x180800000')
        self.assertIn('memory types', svg)

    def test_the_picture_of_the_readme_is_what_is_drawn(self):
        svg = self.draw('--kernel', '6.12.107', '--kernel', '6.12.117', '--step', '5')
        self.assertEqual(svg, (SOURCES / 'docs/pictures/beyond_the_vma.svg').read_text(encoding='utf-8'))


class Page(Drawing):
    def test_each_operation_is_a_step_of_each_kernel(self):
        html = self.draw('--kernel', '6.12.107', '--kernel', '6.12.117', output='out.html')
        self.assertEqual(len(re.findall('<li class', html)), 9)
        self.assertEqual(len(re.findall('<div class="frame"', html)), 18)
        self.assertEqual(len(re.findall('<h2>', html)), 2)

    def test_it_needs_no_other_file(self):
        html = self.draw(output='out.html')
        self.assertIsNone(re.search(r'(?:src|href)=|@import|url\(|https?://', html))

    def test_text_of_a_script_is_no_markup(self):
        script = self.script('# <b>', '> vm create')
        named = script.with_name('<b>&.ms')
        script.rename(named)
        html = self.draw(script=named, output='out.html')
        self.assertIn('<h1>&lt;b&gt;&amp;.ms</h1>', html)

    @unittest.skipUnless(shutil.which('chromium'), 'chromium is not installed')
    def test_a_browser_opens_it_and_steps(self):
        self.draw(output='out.html')
        shown = subprocess.run(
            ['chromium', '--headless', '--no-sandbox', '--disable-gpu', f'--user-data-dir={self.folder}/profile', '--dump-dom',
             f'file://{self.folder}/out.html#5'], capture_output=True, text=True, timeout=120).stdout
        self.assertEqual(re.findall(r'<div class="frame now" data-step="(\d+)"', shown), ['5'])
        self.assertEqual(len(re.findall(r'<li class="[^"]*\bnow\b', shown)), 1)
        self.assertIn('>5 of 8</output>', shown)


class Refusals(Drawing):
    def refused(self, text, *words, **options):
        run = self.run_draw(*words, **options)
        self.assertEqual((run.returncode, run.stdout), (2, ''))
        self.assertIn(text, run.stderr)

    def test_they_say_what_is_wrong(self):
        self.refused('neither .svg nor .html', output='out.png')
        self.refused('--step x: not a number', '--step', 'x')
        self.refused('has 8 operations', '--step', '9')
        self.refused('only of an SVG', '--step', '1', output='out.html')
        self.refused('two at most', *['--kernel', '6.1.176'] * 3)
        self.refused('--kernel 4.0', '--kernel', '4.0')
        self.refused('No such file', script=self.folder / 'none.ms')
        self.refused('No such file', output='none/out.svg')
        self.refused('line 1', script=self.script('> mmap nothing'))


if __name__ == '__main__':
    unittest.main()
