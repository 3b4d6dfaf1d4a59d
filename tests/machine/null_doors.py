#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Is every public function given NULL by a test?

null_doors.py NM LIBRARY INCLUDE-DIRECTORY TEST.c...

Public is what a header declares and the library exports, and what a header defines inline. A
function counts when a NULL can be passed in place of an object: of the exported ones all that take
a pointer, of the inline ones those that take a structure of OBJECTS. Each has to be called in one of
the tests, or to stand in EXCEPTIONS with a reason.
"""
import pathlib
import re
import subprocess
import sys

OBJECTS = re.compile(r'struct (?:ms_machine|ms_policy|ms_mm|mm_struct|vm_area_struct|vm_area_desc|'
                     r'vm_fault|file|inode|address_space|miscdevice|device|resource) \*')

LOCK = 'a lock is the driver\'s own memory: linux.h'
TEXT = 'a text of the driver\'s, or the place of one'
PAGE = 'memory that may be freed as NULL, or a page by its number: nothing is looked through'
OWN = 'the driver\'s own array of entries'
INSIDE = 'the library calls it, with what it has made'
BUFFER = 'the only object is a device that is not looked at; the others are the driver\'s own'
EXCEPTIONS = {
    'ms_linux_lock': LOCK,
    'ms_linux_unlock': LOCK,
    'ms_linux_lock_downgrade': LOCK,
    'ms_linux_lock_is_held': LOCK,
    'ms_linux_lock_assert': LOCK,
    'ms_linux_might_sleep': TEXT,
    'ms_linux_printk': TEXT,
    'ms_linux_violation': TEXT,
    'ms_linux_violation_once': TEXT,
    'ms_linux_violation_printf': TEXT,
    'ms_linux_first_time': TEXT,
    'ms_linux_free': PAGE,
    'ms_linux_get_page': PAGE,
    'ms_linux_put_page': PAGE,
    'ms_linux_page_address': PAGE,
    'ms_linux_iounmap': PAGE,
    'ms_linux_read_user': TEXT,
    'ms_linux_write_user': TEXT,
    'ms_linux_wait_for_ever': TEXT,
    'ms_linux_synchronize_rcu': TEXT,
    'ms_linux_call_rcu': PAGE,
    'ms_linux_kfree_rcu': PAGE,
    'ms_linux_xa_destroy': OWN,
    'ms_linux_xa_load': OWN,
    'ms_linux_xa_next': OWN,
    'ms_linux_xa_store': OWN,
    'ms_linux_xa_unused': OWN,
    'ms_linux_compound_head': PAGE,
    'ms_linux_compound_order': PAGE,
    'ms_linux_free_pages': PAGE,
    'ms_linux_page_count': PAGE,
    'ms_linux_page_is': PAGE,
    'ms_linux_page_mapcount': PAGE,
    'ms_linux_page_reserve': PAGE,
    'ms_linux_page_to_pfn': PAGE,
    'ms_linux_split_page': PAGE,
    'ms_linux_trylock_page': PAGE,
    'ms_linux_unlock_page': PAGE,
    'ms_linux_vmalloc_to_page': PAGE,
    'ms_linux_vunmap': PAGE,
    'ms_linux_dma_free': PAGE,
    'ms_linux_dma_alloc': TEXT,
    'ms_linux_dma_how': BUFFER,
    'dma_map_page_attrs': BUFFER,
    'dma_map_single_attrs': BUFFER,
    'dma_map_sg_attrs': BUFFER,
    'dma_map_sgtable': BUFFER,
    'dma_alloc_noncontiguous': BUFFER,
    'dma_free_noncontiguous': BUFFER,
    'dma_vunmap_noncontiguous': BUFFER,
    'ms_linux_refuse': TEXT,
    'dma_alloc_coherent': BUFFER,
    'dma_free_coherent': BUFFER,
    'pci_resource_to_user': BUFFER,
    'ms_dma_buf_mmap': INSIDE,
    'ms_dma_buf_release': INSIDE,
    'ms_uio_fault': INSIDE,
    'ms_uio_mem': INSIDE,
    'ms_uio_mmap': INSIDE,
    'ms_uio_mmap_coherent': INSIDE,
    'ms_uio_mmap_locked': INSIDE,
    'ms_uio_mmap_logical': INSIDE,
    'ms_uio_mmap_physical': INSIDE,
    'ms_uio_open': INSIDE,
    'ms_uio_release': INSIDE,
    'ms_linux_follow_pte_of_mm': INSIDE,
    'ms_linux_follow_pte_of_vma': INSIDE,
}

# a name, its parameters (with those of functions among them), and `;` or a body
FUNCTION = re.compile(r'\b(\w+)\(((?:[^()]|\([^()]*\))*)\)\s*[;{]')
INLINE = re.compile(r'^static inline [^;{}()]*?\b(\w+)\(((?:[^()]|\([^()]*\))*)\)\s*\{', re.M)


def code(path):
    """A file's text without comments and preprocessor lines."""
    text = re.sub(r'/\*.*?\*/', ' ', path.read_text(), flags=re.S)
    text = re.sub(r'//.*', '', text)
    return re.sub(r'^#(?:.*\\\n)*.*$', '', text, flags=re.M)


def exported(nm, library):
    said = subprocess.run([nm, '-D', '--defined-only', library], check=True, capture_output=True,
                          text=True).stdout
    return {line.split()[-1].split('@')[0] for line in said.splitlines() if ' T ' in line}


def doors(symbols, include):
    """Names of the public functions that can be given NULL."""
    found = set()
    for header in sorted(include.rglob('*.h')):
        text = code(header)
        found |= {name for name, parameters in FUNCTION.findall(text)
                  if name in symbols and '*' in parameters}
        found |= {name for name, parameters in INLINE.findall(text) if OBJECTS.search(parameters)}
    return found


def main():
    nm, library, include, *tests = sys.argv[1:]
    public = doors(exported(nm, library), pathlib.Path(include))
    called = set(re.findall(r'\b(\w+)\(', ' '.join(code(pathlib.Path(test)) for test in tests)))
    wrong = [f'{name}: no test gives it NULL' for name in sorted(public - called - set(EXCEPTIONS))]
    wrong += [f'{name}: no exception any more' for name in sorted(set(EXCEPTIONS) - public)]
    wrong += [f'{name}: an exception, and tested' for name in sorted(set(EXCEPTIONS) & called)]
    print(f'{len(public)} public functions can be given NULL, {len(EXCEPTIONS)} are exceptions')
    print(*wrong, sep='\n')
    return bool(wrong)


sys.exit(main())
