#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What compiles, and what is refused by its name: without a version everything, with one what that version has.
#
# spellings.sh COMPILER INCLUDE-DIRECTORY MADE-INCLUDE-DIRECTORY
compiler=$1
include=$2
made=$3
failed=0
number=0

# VERSION CODE [OPTION...]: what the compiler says of it ("" for VERSION: none)
try() {
	if [ -n "$1" ]; then
		version="#define MS_LINUX_VERSION_CODE KERNEL_VERSION($1, 0)"
	else
		version=
	fi
	printf '%s\n#include <linux/version.h>\n#include <linux/module.h>\n%s\n' "$version" "$2" |
		"$compiler" -std=gnu11 $3 -Wno-unused-parameter -Wno-unused-function -fsyntax-only \
			-I"$include" -I"$made" -I"$include/mapsim" -x c - 2>&1
}

takes() { # VERSION CODE
	number=$((number + 1))
	said=$(try "$1" "$2" "-Wall -Wextra -Werror") && return
	printf 'not taken%s: %s\n%s\n' "${1:+ by $1}" "$2" "$said"
	failed=1
}

# a refusal is no warning
refuses() { # VERSION NAME CODE
	number=$((number + 1))
	if said=$(try "$1" "$3" ""); then
		printf 'taken%s: %s\n' "${1:+ by $1}" "$3"
		failed=1
	elif ! printf '%s' "$said" | grep -q "$2"; then
		printf 'refused without the name %s: %s\n%s\n' "$2" "$3" "$said"
		failed=1
	fi
}

assign='static void f(struct vm_area_struct *vma) { vma->vm_flags |= VM_IO; }'
set='static void f(struct vm_area_struct *vma) { vm_flags_set(vma, VM_IO); }'
copy='static void f(struct vm_area_struct *vma) { struct vm_area_struct copy = *vma; zap_vma_ptes(&copy, 0, 0); }'
pfn_t='static vm_fault_t f(struct vm_fault *vmf) { return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(1), false); }'
pfn='static vm_fault_t f(struct vm_fault *vmf) { return vmf_insert_pfn_pmd(vmf, 1, false); }'
mixed='static vm_fault_t f(struct vm_fault *vmf) { return vmf_insert_mixed(vmf->vma, 0, __pfn_to_pfn_t(1, PFN_DEV)); }'
prepare='static int f(struct vm_area_desc *desc) { return 0; } const struct file_operations fops = { .mmap_prepare = f };'
action='static int f(struct vm_area_desc *desc) { mmap_action_remap_full(desc, 1); return 0; }'

order='static vm_fault_t f(struct vm_fault *vmf, unsigned int order) { return order == PMD_ORDER ? VM_FAULT_NOPAGE : VM_FAULT_FALLBACK; } const struct vm_operations_struct ops = { .huge_fault = f };'
pe_size='static vm_fault_t f(struct vm_fault *vmf, enum page_entry_size size) { return size == PE_SIZE_PMD ? VM_FAULT_NOPAGE : VM_FAULT_FALLBACK; } const struct vm_operations_struct ops = { .huge_fault = f };'

for code in "$order" "$pe_size" "$assign" "$set" "$copy" "$pfn_t" "$pfn" "$mixed" "$prepare" "$action"; do
	takes "" "$code"
done

takes "6, 1" "$assign"
refuses "6, 1" vm_flags_set "$set"
refuses "6, 3" vm_flags "$assign"
takes "6, 3" "$set"
takes "7, 2" "$copy"
takes "6, 12" "$pfn_t"
takes "6, 12" "$mixed"
refuses "6, 17" pfn_to_pfn_t "$pfn_t"
refuses "6, 17" __pfn_to_pfn_t "$mixed"
takes "7, 2" "$pfn"
refuses "6, 12" mmap_prepare "$prepare"
takes "6, 16" "$prepare"
refuses "6, 16" mmap_action_remap_full "$action"
takes "7, 2" 'static bool f(struct vm_area_struct *vma) { return vma_flags_test(&vma->flags, VMA_IO_BIT) || vma_test_any(vma, VMA_PFNMAP_BIT); }'
refuses "6, 12" flags 'static void f(struct vm_area_struct *vma) { vma->flags = vma->flags; }'
takes "7, 2" 'struct s { int n; u32 item[]; }; static void *f(void) { return kzalloc_flex(struct s, item, 3, GFP_ATOMIC); } static struct s *g(void) { return kmalloc_obj(struct s); }'
refuses "6, 12" kzalloc_obj 'struct s { int n; }; static struct s *g(void) { return kzalloc_obj(struct s); }'
takes "6, 12" 'static int f(struct vm_area_struct *vma) { struct follow_pfnmap_args args = { .vma = vma }; return follow_pfnmap_start(&args); }'
refuses "6, 12" follow_pfn 'static int f(struct vm_area_struct *vma) { unsigned long pfn; return follow_pfn(vma, 0, &pfn); }'
takes "6, 1" 'static int f(struct vm_area_struct *vma) { unsigned long pfn; return follow_pfn(vma, 0, &pfn); }'
takes "6, 12" 'static unsigned long f(u16 a, unsigned long b) { return min(a, b); }'
refuses "6, 12" signed 'static unsigned long f(int a, unsigned long b) { return min(a, b); }'
takes "6, 1" "$pe_size"
refuses "6, 12" PE_SIZE_PMD "$pe_size"
refuses "6, 12" mmap_action_remap_full "$action"
takes "7, 2" "$action"

# pages of processes
takes "6, 1" 'static long f(struct page **p, struct vm_area_struct **v) { return pin_user_pages(0, 1, FOLL_WRITE, p, v); }'
refuses "6, 12" pin_user_pages 'static long f(struct page **p) { return pin_user_pages(0, 1, FOLL_WRITE, p, NULL); }'
takes "6, 12" 'static long f(struct page **p) { return pin_user_pages(0, 1, FOLL_WRITE | FOLL_LONGTERM, p); }'
takes "" 'static long f(struct page **p) { return pin_user_pages(0, 1, 0, p) + get_user_pages(0, 1, 0, p, NULL); }'
takes "6, 1" 'static long f(struct mm_struct *mm, struct page **p, int *l) { return get_user_pages_remote(mm, 0, 1, 0, p, NULL, l); }'
takes "7, 3" 'static long f(struct mm_struct *mm, struct page **p, int *l) { return get_user_pages_remote(mm, 0, 1, 0, p, l); }'
refuses "5, 10" unpin_user_page_range_dirty_lock 'static void f(struct page *p) { unpin_user_page_range_dirty_lock(p, 1, true); }'
refuses "5, 15" FAULT_FLAG_UNSHARE 'static bool f(struct vm_fault *vmf) { return vmf->flags & FAULT_FLAG_UNSHARE; }'
takes "6, 1" 'static bool f(struct vm_fault *vmf) { return vmf->flags & FAULT_FLAG_UNSHARE; }'
refuses "6, 12" vmf_insert_page_mkwrite 'static vm_fault_t f(struct vm_fault *vmf) { return vmf_insert_page_mkwrite(vmf, vmf->page, true); }'
takes "7, 2" 'static vm_fault_t f(struct vm_fault *vmf) { return vmf_insert_page_mkwrite(vmf, vmf->page, true); }'
refuses "6, 12" vmf_insert_folio_pmd 'static vm_fault_t f(struct vm_fault *vmf, struct folio *o) { return vmf_insert_folio_pmd(vmf, o, true); }'
takes "7, 2" 'static vm_fault_t f(struct vm_fault *vmf, struct folio *o) { return vmf_insert_folio_pud(vmf, o, true); }'
takes "6, 1" 'static int f(struct mm_struct *mm, pte_t **e, spinlock_t **l) { return follow_pte(mm, 0, e, l); }'
takes "6, 11" 'static int f(struct vm_area_struct *vma, pte_t **e, spinlock_t **l) { return follow_pte(vma, 0, e, l); }'
refuses "6, 12" follow_pte 'static int f(struct vm_area_struct *vma, pte_t **e, spinlock_t **l) { return follow_pte(vma, 0, e, l); }'
takes "6, 12" '#include <linux/timer.h>
static void f(struct timer_list *t) { del_timer_sync(t); timer_delete(t); }'
refuses "7, 2" del_timer_sync '#include <linux/timer.h>
static void f(struct timer_list *t) { del_timer_sync(t); }'
refuses "6, 1" UIO_MEM_DMA_COHERENT '#include <linux/uio_driver.h>
static int f(struct uio_mem *m) { return m->memtype == UIO_MEM_DMA_COHERENT; }'

# each header of its own, in whatever order
for header in align anon_inodes bits bug cleanup container_of device dma-mapping err export fs gfp huge_mm init io ioport \
	kref list lockdep miscdevice mm mm_types mmap_lock moduleparam mutex overflow pfn pfn_t printk refcount rwsem \
	sched/mm sizes slab spinlock vmalloc bitmap bitops capability compat completion cred delay file highmem idr io-mapping \
	jiffies kernel kobject ktime mmu_notifier pagemap pm_runtime poll rcupdate scatterlist sched sched/signal srcu string \
	uaccess wait xarray dma-buf timer uio_driver workqueue; do
	number=$((number + 1))
	printf '#include <linux/%s.h>\nstatic inline void *f(void) { return kzalloc(PAGE_SIZE, GFP_KERNEL); }\n' "$header" |
		"$compiler" -std=gnu11 -Werror -fsyntax-only -I"$include" -I"$made" -I"$include/mapsim" -x c - || failed=1
done

# what the kernel has for modules says nothing
takes "" 'int x; EXPORT_SYMBOL(x); EXPORT_SYMBOL_GPL(x); EXPORT_SYMBOL_NS_GPL(x, LAB); MODULE_LICENSE("GPL"); MODULE_AUTHOR("N"); MODULE_DESCRIPTION("d"); MODULE_VERSION("1"); MODULE_ALIAS("a"); MODULE_IMPORT_NS(LAB); MODULE_DEVICE_TABLE(pci, x); module_param(x, int, 0644); MODULE_PARM_DESC(x, "d");'

# a handler of another shape is none
refuses "" mmap 'static int f(struct file *file) { return 0; } const struct file_operations fops = { .mmap = f };'
refuses "" fault 'static int f(struct vm_area_struct *vma, struct vm_fault *vmf) { return 0; } const struct vm_operations_struct ops = { .fault = f };'

# what is not modelled is refused by name, not ignored
refuses "" readl 'static u32 f(void *p) { return readl(p); }'
refuses "" get_unmapped_area 'static const struct file_operations fops = { .get_unmapped_area = NULL }; const void *p = &fops;'
refuses "" 'does not model DMA engines' '#include <linux/dmaengine.h>'
refuses "" 'does not model interrupts' '#include <linux/interrupt.h>'

number=$((number + 1))
if said=$(printf '#include <mapsim/mm.h>\n#include <mapsim/linux.h>\n' |
	"$compiler" -std=gnu11 -fsyntax-only -I"$include" -I"$made" -x c - 2>&1) || ! printf '%s' "$said" | grep -q 'before the other headers'; then
	echo "linux.h after another header of mapsim: not refused with its reason"
	failed=1
fi

[ $failed = 0 ] && echo "$number programs taken or refused as they should be"
exit $failed
