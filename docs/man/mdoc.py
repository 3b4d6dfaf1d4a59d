# SPDX-License-Identifier: GPL-2.0-only
"""What the makers of manual pages have in common: a page of mdoc(7), written from top to bottom."""

import re
import textwrap

# A sentence ends here, and the next one begins: mdoc wants it on a new line.
SENTENCE = re.compile(r'(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!\.\.)(?<! \d\.) +(?=[A-Z"\'(0-9])')
# The name of a function among other words.
FUNCTION = re.compile(r'(?:(?<=^)|(?<= ))(\w+)\(\)([.,:;)]*)(?: |$)')
# Words of one line of a macro that mdoc(7) would take for punctuation or for macros of its own.
WORD_MACRO = re.compile(r'^(?:[A-Z][a-z]|[.,:;()\[\]?!|])$')


def escape(text):
    """Text that stands for itself: no escape sequence, no request at the start of a line."""
    text = text.replace('\\', '\\e')
    return '\\&' + text if text[:1] in ('.', "'") else text


def argument(text):
    """One argument of a macro."""
    return '"' + escape(text).replace('"', '\\(dq') + '"' if re.search(r'[\s"]', text) or WORD_MACRO.match(text) \
        else escape(text)


def wrapped(text):
    """Lines of words, as long as mandoc(1) likes them."""
    return [escape(line) for line in textwrap.wrap(text, 78, break_long_words=False, break_on_hyphens=False)]


class Page:
    def __init__(self, name, section, title, date):
        self.lines = [f'.Dd {date}', f'.Dt {name.upper()} {section}', '.Os']
        self.section('NAME')
        self.macro('Nm', name)
        self.macro('Nd', title)
        self.fresh = True  # nothing stands yet below the last heading

    def macro(self, name, arguments=''):
        self.lines.append(f'.{name} {arguments}'.rstrip())
        self.fresh = name in ('Sh', 'Ss')

    def section(self, title):
        self.macro('Sh', title)

    def subsection(self, title):
        self.macro('Ss', argument(title) if ' ' not in title else title)

    def paragraph(self):
        if not self.fresh:
            self.macro('Pp')

    def item(self, term):
        self.macro('It', 'Sy ' + argument(term))

    def prose(self, words):
        """One paragraph, each sentence on lines of its own."""
        for sentence in SENTENCE.split(' '.join(words.split())):
            self.sentence(sentence)

    def sentence(self, text):
        """Functions' names are marked up, each on a line of its own."""
        before, *found = FUNCTION.split(text)
        self.wrap(before)
        while found:
            name, punctuation, after, *found = found
            self.macro('Fn', ' '.join([name, *punctuation]))
            self.wrap(after)

    def wrap(self, text):
        for line in wrapped(text):
            self.lines.append(line)
            self.fresh = False

    def display(self, lines):
        """Lines as they are."""
        while lines and not lines[-1].strip():
            lines = lines[:-1]
        self.macro('Bd', '-literal -offset indent')
        for line in lines:
            text = escape(line.expandtabs(8))
            self.lines.append(text)
        self.macro('Ed')

    def literal_line(self, text):
        """A line that the reader types, broken where it is too long."""
        words = text.split(' ')
        if not self.fresh:
            self.macro('Pp')
        self.macro('Ic', ' '.join(argument(word) for word in words[:2]))
        if words[2:]:
            self.prose(' '.join(words[2:]))
        self.fresh = False

    def see_also(self, pages):
        """pages: NAME.SECTION each."""
        if not pages:
            return
        self.section('SEE ALSO')
        for i, name in enumerate(pages):
            name, section = name.rsplit('.', 1)
            self.macro('Xr', f'{name} {section}' + (' ,' if i + 1 < len(pages) else ''))

    def text(self):
        return '\n'.join(self.lines) + '\n'
