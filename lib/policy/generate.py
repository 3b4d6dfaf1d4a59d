#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes C and documentation from the rules.

    generate.py header|tables|document OUT LINES RULES...

header: mapsim/policy_rules.h, an enum a rule and the members of struct ms_policy.
tables: what the library knows about rules, their values, their cells, and each release's policy.
document: docs/rules.md.
"""

import sys
import textwrap

import rules as history

NOTE = 'Made from lib/policy/rules by lib/policy/generate.py'


def c_string(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def comment(text, indent=''):
    """A documentation comment of lines of at most 100 columns."""
    lines = textwrap.wrap(text, 96 - len(indent.expandtabs(8)), break_long_words=False, break_on_hyphens=False)
    if len(lines) == 1 and len(lines[0]) < 90:
        return f'{indent}/** {lines[0]} */\n'
    return f'{indent}/**\n' + ''.join(f'{indent} * {line}\n' for line in lines) + f'{indent} */\n'


def header(rules):
    out = [f'/* SPDX-License-Identifier: GPL-2.0-only */\n'
           f'/**\n * policy_rules.h - the rules in which kernels differ: an enum each, and a member of struct ms_policy.\n'
           f' * {NOTE}.\n */\n'
           '#ifndef MAPSIM_POLICY_RULES_H\n#define MAPSIM_POLICY_RULES_H\n']
    for group, title in enumerate(rules.groups):
        out.append(f'\n/* ---- {title} ---- */\n')
        for rule in (rule for rule in rules.rules if rule.group == group):
            out.append('\n' + comment(f'{rule.text} In: {rule.functions}'))
            out.append(f'enum ms_policy_{rule.name} {{\n')
            for value in rule.values:
                out.append(comment(value.text, '\t') + f'\t{rule.enumerator(value)},\n')
            out.append('};\n')
    out.append('\n/** The members of struct ms_policy that are rules, in this order. */\n#define MS_POLICY_RULES')
    for rule in rules.rules:
        out.append(f' \\\n\tenum ms_policy_{rule.name} {rule.name};')
    out.append('\n\n#endif\n')
    return ''.join(out)


def arch_bits(arches):
    return ' | '.join(f'1u << MS_ARCH_{arch.upper()}' for arch in arches)


def rule_tables(rules):
    for rule in rules.rules:
        yield f'static const struct ms_rule_value {rule.name}_values[] = {{\n'
        for value in rule.values:
            yield f'\t{{ {c_string(value.name)}, {c_string(value.text)}, {c_string(value.never) if value.never else "NULL"} }},\n'
        yield f'}};\nstatic const struct ms_rule_cell {rule.name}_cells[] = {{\n'
        for cell in rule.cells:
            how = history.EVIDENCE[cell.how()].upper()
            yield (f'\t{{ {c_string(cell.since())}, {arch_bits(cell.arches)}, MS_EVIDENCE_{how}, {cell.value},\n'
                   f'\t  {c_string(cell.evidence())} }},\n')
        yield '};\n'
    yield '\nconst struct ms_rule ms_rules[] = {\n'
    for rule in rules.rules:
        yield (f'\t{{ {c_string(rule.name)}, {c_string(rule.text)},\n\t  {c_string(rule.functions)},\n'
               f'\t  {c_string(rules.groups[rule.group])},\n'
               f'\t  {c_string(f"policy: rule {rule.name} has no such value")},\n'
               f'\t  {arch_bits(rule.arches)}, offsetof(struct ms_policy, {rule.name}),\n'
               f'\t  {len(rule.values)}, {len(rule.cells)}, {rule.name}_values, {rule.name}_cells }},\n')
    yield f'}};\nconst size_t ms_nr_rules = {len(rules.rules)};\n'


def policy(rules, arch, release):
    """The policy of a step, and for each rule which of its cells holds. Where a rule means nothing, its first value stands."""
    cells = [history.resolve(rule, arch, release) for rule in rules.rules]
    yield f'\t{{\n\t\t.from = {{ {release[0]}, {release[1]}, {release[2]} }},\n'
    yield f'\t\t.policy = {{\n\t\t\t.arch = MS_ARCH_{arch.upper()},\n'
    yield f'\t\t\t.release = {c_string(history.name_of(release))},\n'
    for rule, cell in zip(rules.rules, cells):
        yield f'\t\t\t.{rule.name} = {rule.enumerator(rule.values[cell.value if cell else 0])},\n'
    numbers = [str(rule.cells.index(cell)) if cell else 'MS_NO_CELL' for rule, cell in zip(rules.rules, cells)]
    yield '\t\t},\n\t\t.cell = (const uint8_t[]){ ' + ', '.join(numbers) + ' },\n\t},\n'


def release_tables(rules):
    steps = {arch: history.steps(rules, arch) for arch in history.ARCHES}
    for arch in history.ARCHES:
        yield f'\nstatic const struct ms_step {arch}_steps[] = {{\n'
        for release in steps[arch]:
            yield from policy(rules, arch, release)
        yield '};\n'
    yield '\nconst struct ms_step *const ms_steps[2] = {\n'
    for arch in history.ARCHES:
        yield f'\t[MS_ARCH_{arch.upper()}] = {arch}_steps,\n'
    yield '};\nconst size_t ms_nr_steps[2] = {\n'
    for arch in history.ARCHES:
        yield f'\t[MS_ARCH_{arch.upper()}] = {len(steps[arch])},\n'
    yield '};\n'
    yield 'const struct ms_branch ms_branches[] = {\n'
    yield f'\t{{ {{ {rules.end[0]}, {rules.end[1]}, 0 }}, {c_string(rules.looked[None])} }},\n'
    for (major, minor), point in sorted(rules.branches.items()):
        yield f'\t{{ {{ {major}, {minor}, {point} }}, {c_string(rules.looked[(major, minor)])} }},\n'
    yield f'}};\nconst size_t ms_nr_branches = {len(rules.branches) + 1};\n'
    yield 'const struct ms_recorded ms_recorded[] = {\n'
    for release, arches in rules.recorded:
        yield f'\t{{ {c_string(release)}, {arch_bits(arches)} }},\n'
    yield f'}};\nconst size_t ms_nr_recorded = {len(rules.recorded)};\n'


def tables(rules):
    return (f'/* SPDX-License-Identifier: GPL-2.0-only */\n/* {NOTE}. */\n#include "policy/internal.h"\n\n' +
            ''.join(rule_tables(rules)) + ''.join(release_tables(rules)))


def wrapped(text, first='', rest=''):
    return textwrap.fill(text, 120, initial_indent=first, subsequent_indent=rest, break_long_words=False,
                         break_on_hyphens=False) + '\n'


def lines_table(rules):
    yield '| line | looked through up to | in |\n|---|---|---|\n'
    yield f'| mainline | {rules.end[0]}.{rules.end[1]} | {rules.looked[None]} |\n'
    for (major, minor), point in sorted(rules.branches.items()):
        yield f'| {major}.{minor}.y | {major}.{minor}.{point} | {rules.looked[(major, minor)]} |\n'


def rule_document(rule):
    yield f'\n### {rule.name}\n\n' + wrapped(rule.text) + '\n' + wrapped(f'In {rule.functions}.'.replace('..', '.'))
    if len(rule.arches) == 1:
        yield f'Only on {rule.arches[0]}.\n'
    yield '\n'
    for number, value in enumerate(rule.values):
        yield wrapped(f'- **{value.name}**: {value.text}', rest='  ')
        if value.never:
            yield wrapped(f'- no kernel: {value.never}', '  ', '    ')
        for cell in (cell for cell in rule.cells if cell.value == number):
            arch = f'{cell.arches[0]}, ' if len(cell.arches) < len(rule.arches) else ''
            line = f'in {cell.release[0]}.{cell.release[1]}.y from' if cell.release[2] else 'from'
            yield wrapped(f'- {arch}{line} **{cell.since()}**: {cell.evidence()}', '  ', '    ')


def document(rules):
    counts = [sum(cell.how() == how for rule in rules.rules for cell in rule.cells) for how in range(4)]
    out = ['# The rules in which kernels differ\n\n',
           wrapped(f'{len(rules.rules)} rules with {sum(counts)} cells: a cell says from which release on, in its '
                   'line of releases, a rule has a value, and how that is known. '
                   f'{counts[3]} cells are recorded (a recording tells the value apart), {counts[2]} read in the source, '
                   f'{counts[1]} by the title of the commit in a changelog, {counts[0]} inferred. A release x.y.z has '
                   'the values of mainline x.y, and what its own branch took up to z. This file is made from '
                   '`lib/policy/rules` and compared with it by a test.'),
           '\n']
    out += lines_table(rules)
    out.append('\n' + wrapped('Recorded releases: ' + ', '.join(
        release + ('' if len(arches) == 2 else f' ({arches[0]})') for release, arches in rules.recorded) + '.'))
    for group, title in enumerate(rules.groups):
        out.append(f'\n## {title}\n')
        for rule in (rule for rule in rules.rules if rule.group == group):
            out += rule_document(rule)
    return ''.join(out)


def write_if_new(path, text):
    """A file that says the same stays as old as it is, so that what depends on it is not made anew."""
    try:
        with open(path, encoding='ascii') as old:
            if old.read() == text:
                return
    except OSError:
        pass
    with open(path, 'w', encoding='ascii') as out:
        out.write(text)


def main():
    kinds = {'header': header, 'tables': tables, 'document': document}
    if len(sys.argv) < 5 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    try:
        text = kinds[sys.argv[1]](history.read(sys.argv[3], sys.argv[4:]))
    except (history.Bad, OSError, UnicodeDecodeError) as error:
        sys.exit(f'{error}')
    write_if_new(sys.argv[2], text)


if __name__ == '__main__':
    main()
