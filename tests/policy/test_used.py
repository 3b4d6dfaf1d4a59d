#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Does the library know every rule, and tell its values apart?

test_used.py LIB LINES RULES...: a rule that no source reads does nothing, and of its values all but one have to be named,
or a new one would silently be taken for another.
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
lib = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(lib / 'policy'))
import rules  # noqa: E402

# Rules of which the model does the same with two values, and why.
ALIKE = {
    's2_device_upgrade': 'where pages are forced the first choice is a page, too',
    's2_device_test': 'the model has no RAM outside of the linear map, and no page frames for anything else',
    's2_lock': 'one thread waits for nobody: only a fault of the log that takes it for reading is told apart',
}


def main():
    text = '\n'.join(path.read_text() for path in sorted(lib.rglob('*.[ch]')) if path.parent.name != 'policy')
    words = set(re.findall(r'\w+', text))
    members = set(re.findall(r'(?:->|\.)(\w+)', text))
    wrong = 0
    for rule in rules.read(sys.argv[2], sys.argv[3:]).rules:
        missing = [value.name for value in rule.values if rule.enumerator(value) not in words]
        if rule.name not in members:
            print(f'rule {rule.name}: nothing in lib reads it')
        elif len(missing) > 1 and rule.name not in ALIKE:
            print(f'rule {rule.name}: of {", ".join(missing)} only one may be named nowhere in lib')
        else:
            continue
        wrong += 1
    print(f'{wrong} rules that the library does not tell apart')
    return wrong > 0


if __name__ == '__main__':
    sys.exit(main())
