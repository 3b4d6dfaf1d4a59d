/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls into a driver: all calls of vm_ops and file operations are made here. During each call the
 * machine says for which process and under which mmap lock the driver's code runs; lib/linux and
 * the checks of what a driver does rely on that. What a function may change is handler.c's. A hook,
 * or the function that was called before, may have taken the operation away that is to be called:
 * then the answer is that of a driver without it.
 */
#include "mm/handler.h"
#include "mm/memfile.h"

/* ---- where violations happen ---- */

static struct ms_where place_of(const struct ms_vma *vma, const char *callback)
{
	return (struct ms_where){
		.driver = ms_file_driver(vma->vm_file),
		.callback = callback,
		.mm = vma->vm_mm->id,
		.start = vma->vm_start,
		.end = vma->vm_end,
	};
}

void ms_vma_violation(const struct ms_vma *vma, enum ms_violation_class whose,
		      const char *condition, ms_hva_t addr, ms_pa_t pa)
{
	struct ms_machine *m = ms_vma_machine(vma);
	struct ms_where place = place_of(vma, NULL);

	if (place.mm == m->call.place.mm && place.start == m->call.place.start)
		place = m->call.place; // which knows the function
	ms_violation_at(m, whose, condition, addr, pa, &place);
}

void ms_mm_violation(struct ms_mm *mm, enum ms_violation_class whose, const char *condition,
		     ms_hva_t addr, ms_pa_t pa)
{
	const struct ms_vma *vma = ms_vma_lookup(mm, addr);
	const struct ms_where none = { .mm = mm->id };

	if (vma)
		ms_vma_violation(vma, whose, condition, addr, pa);
	else
		ms_violation_at(mm->machine, whose, condition, addr, pa, &none);
}

struct ms_where ms_where_enter(struct ms_machine *m, const struct ms_vma *vma)
{
	const struct ms_where outer = m->call.place;

	if (vma)
		m->call.place = place_of(vma, NULL);
	return outer;
}

void ms_where_leave(struct ms_machine *m, const struct ms_where *outer)
{
	m->call.place = *outer;
}

/* ---- entering and leaving ---- */

static bool enter_vma(struct ms_handler *h, struct ms_vma *vma, const char *callback)
{
	const struct ms_where place = place_of(vma, callback);

	return ms_handler_enter(h, ms_vma_machine(vma), vma->vm_mm, vma, &place);
}

/* For a fault's handlers, which run with the mmap lock held for reading. */
static bool enter_fault(struct ms_handler *h, struct ms_vm_fault *vmf, const char *callback)
{
	struct ms_mm *mm = vmf->vma->vm_mm;

	ms_mmap_pin(mm);
	if (enter_vma(h, vmf->vma, callback)) {
		// whoever populates may hold it for writing; a fault changes no flags nevertheless
		h->flags_may_change = h->machine->policy.vma_flags_lock ==
				      MS_VMA_FLAGS_LOCK_UNCHECKED;
		h->fault = *vmf;
		h->vmf = vmf;
		return true;
	}
	ms_mmap_unpin(mm);
	return false;
}

/*
 * A handler that asks for another try drops the mmap lock, so that others get on meanwhile; who may
 * not wait (RETRY_NOWAIT) keeps it.
 * mirrors handle_mm_fault(), mm/memory.c, 5.10+: of its result
 */
static void check_retry(const struct ms_handler *h, const struct ms_vm_fault *vmf)
{
	const struct ms_file *file = vmf->vma->vm_file;
	struct ms_mm *mm = h->mm;
	struct ms_machine *m = h->machine;

	if (!(vmf->flags & MS_FAULT_FLAG_ALLOW_RETRY) && !m->in_hook)
		ms_violation(m, "VM_FAULT_RETRY without FAULT_FLAG_ALLOW_RETRY", vmf->address);
	if (!file || !file->ops || !file->ops->locks || (vmf->flags & MS_FAULT_FLAG_RETRY_NOWAIT))
		return;
	if (mm->mmap_readers == h->hold.readers - 1)
		mm->mmap_readers++;
	else if (mm->mmap_readers == h->hold.readers)
		ms_violation(m,
			     "VM_FAULT_RETRY while the mmap lock is still held: nobody releases it",
			     vmf->address);
}

static void leave_fault(struct ms_handler *h, struct ms_vm_fault *vmf, ms_vm_fault_t ret)
{
	struct ms_mm *mm = h->mm;

	ms_handlers_verify(h->machine);
	if (ret & MS_VM_FAULT_RETRY)
		check_retry(h, vmf);
	ms_handler_leave(h, vmf->address);
	ms_mmap_unpin(mm);
}

static int answered(const struct ms_handler *h, const struct ms_file *file, const char *callback,
		    int err)
{
	return ms_answered_by(h->machine, h->refusals, file, callback, err);
}

static void tell_fault(const struct ms_handler *h, const struct ms_vm_fault *vmf,
		       const char *callback, ms_vm_fault_t ret)
{
	if (ret & (MS_VM_FAULT_ERROR | MS_VM_FAULT_RETRY))
		ms_fault_answered_by(vmf, h->refusals, callback, ret);
}

/* Functions call each other without end, and no more of them are called. */
static int refuse_call(struct ms_machine *m)
{
	return ms_refuse(m, -EBUSY, "driver functions call each other without end");
}

static ms_vm_fault_t refuse_fault_call(const struct ms_vm_fault *vmf)
{
	return ms_refuse_fault(ms_vma_machine(vmf->vma),
			       "driver functions call each other without end", vmf->address);
}

/* ---- the life of a VMA ---- */

#define MS_VMA_HAS(vma, name) ((vma)->vm_ops && (vma)->vm_ops->name)

void ms_vma_call_open(struct ms_vma *vma)
{
	struct ms_mm *mm = vma->vm_mm;
	const bool writer = mm->mmap_writer;
	struct ms_handler h;

	if (!MS_VMA_HAS(vma, open))
		return;
	MS_EMIT(ms_vma_machine(vma), .type = MS_EV_VMA_OPEN, .mm = mm->id, .va = vma->vm_start,
		.size = ms_vma_size(vma));
	ms_vma_hook(mm, MS_HOOK_DRIVER_OPEN, vma->vm_start);
	mm->mmap_writer = true; // fork holds the child's lock as well
	if (MS_VMA_HAS(vma, open) && enter_vma(&h, vma, "open")) {
		vma->vm_ops->open(vma);
		ms_handler_leave(&h, h.before.vm_start);
	}
	mm->mmap_writer = writer;
}

// mirrors vma_close(), mm/internal.h, 6.12+
void ms_vma_call_close(struct ms_vma *vma)
{
	struct ms_handler h;

	if (!MS_VMA_HAS(vma, close))
		return;
	MS_EMIT(ms_vma_machine(vma), .type = MS_EV_VMA_CLOSE, .mm = vma->vm_mm->id,
		.va = vma->vm_start, .size = ms_vma_size(vma));
	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_CLOSE, vma->vm_start);
	if (MS_VMA_HAS(vma, close) && enter_vma(&h, vma, "close")) {
		h.flags_may_change = true;
		vma->vm_ops->close(vma);
		ms_handler_leave(&h, h.before.vm_start);
	}
}

int ms_vma_call_may_split(struct ms_vma *vma, ms_hva_t addr)
{
	struct ms_handler h;
	int err;

	if (!MS_VMA_HAS(vma, may_split))
		return 0;
	if (!enter_vma(&h, vma, "may_split"))
		return refuse_call(ms_vma_machine(vma));
	err = vma->vm_ops->may_split(vma, addr);
	ms_handler_leave(&h, h.before.vm_start);
	return answered(&h, vma->vm_file, "may_split", err);
}

int ms_vma_call_mremap(const struct ms_vma *source, struct ms_vma *copy)
{
	struct ms_handler h;
	int err;

	if (!MS_VMA_HAS(source, mremap))
		return 0;
	if (!enter_vma(&h, copy, "mremap"))
		return refuse_call(ms_vma_machine(copy));
	err = source->vm_ops->mremap(copy);
	ms_handler_leave(&h, h.before.vm_start);
	return answered(&h, copy->vm_file, "mremap", err);
}

int ms_vma_call_mprotect(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t newflags)
{
	struct ms_handler h;
	int err;

	if (!MS_VMA_HAS(vma, mprotect))
		return 0;
	if (!enter_vma(&h, vma, "mprotect"))
		return refuse_call(ms_vma_machine(vma));
	err = vma->vm_ops->mprotect(vma, start, end, newflags);
	ms_handler_leave(&h, h.before.vm_start);
	return answered(&h, vma->vm_file, "mprotect", err);
}

/* The function sees the VMA, and may not change it. */
uint64_t ms_vma_call_pagesize(const struct ms_vma *seen)
{
	struct ms_vma *vma = (struct ms_vma *)(uintptr_t)seen;
	struct ms_machine *m = ms_vma_machine(vma);
	uint64_t size = m->page_size;
	struct ms_handler h;

	if (!MS_VMA_HAS(vma, pagesize) || !enter_vma(&h, vma, "pagesize"))
		return size;
	size = vma->vm_ops->pagesize(vma);
	ms_handler_leave(&h, h.before.vm_start);
	return size;
}

int ms_vma_call_access(struct ms_vma *vma, ms_hva_t addr, void *buf, int len, bool write)
{
	struct ms_handler h;
	int bytes;

	if (!MS_VMA_HAS(vma, access) || !enter_vma(&h, vma, "access"))
		return 0;
	bytes = vma->vm_ops->access(vma, addr, buf, len, write);
	ms_handler_leave(&h, h.before.vm_start);
	if (bytes <= len)
		return bytes;
	ms_vma_violation(vma, MS_VIOLATION_DRIVER, "->access answers more than it was asked for",
			 addr, 0);
	return 0;
}

struct ms_struct_page *ms_vma_call_find_special_page(struct ms_vma *vma, ms_hva_t addr)
{
	struct ms_struct_page *page;
	struct ms_handler h;

	if (!MS_VMA_HAS(vma, find_special_page) || !enter_vma(&h, vma, "find_special_page"))
		return NULL;
	page = vma->vm_ops->find_special_page(vma, addr);
	ms_handler_leave(&h, h.before.vm_start);
	return page;
}

// mirrors call_mmap(), include/linux/fs.h, 5.10 .. 6.12; mmap_file(), mm/internal.h, 6.12+
int ms_file_call_mmap(struct ms_file *file, struct ms_vma *vma)
{
	struct ms_handler h;
	int err;

	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_MMAP, vma->vm_start);
	if (!enter_vma(&h, vma, "mmap"))
		return refuse_call(ms_vma_machine(vma));
	h.is_mmap = h.flags_may_change = true;
	err = file->ops->mmap(file, vma);
	ms_handler_leave(&h, h.before.vm_start);
	return answered(&h, file, "mmap", err);
}

/* What the description says where and of whom the mapping will be stays as it was, and what it is
 * to become must be possible. */
static void verify_desc(struct ms_machine *m, struct ms_vma_desc *desc,
			const struct ms_vma_desc *was)
{
	const uint64_t npages = (was->end - was->start) >> m->page_shift;

	if (desc->mm != was->mm || desc->start != was->start || desc->end != was->end) {
		ms_violation(m, "mmap_prepare changes where the VMA will be", was->start);
		desc->mm = was->mm;
		desc->start = was->start;
		desc->end = was->end;
	}
	if (!ms_pgprot_is_valid(m, desc->page_prot)) {
		ms_violation(m, "mmap_prepare sets page_prot to bits that no protection has",
			     was->start);
		desc->page_prot = was->page_prot;
	}
	if (!ms_vma_flags_are_valid(m, was->vm_flags, desc->vm_flags)) {
		ms_violation(m, "mmap_prepare changes flags of a VMA that are the kernel's",
			     was->start);
		desc->vm_flags = was->vm_flags;
	}
	if (desc->pgoff + (npages - 1) < desc->pgoff) {
		ms_violation(m, "mmap_prepare sets a pgoff from which the VMA's pages wrap",
			     was->start);
		desc->pgoff = was->pgoff;
	}
}

// mirrors call_mmap_prepare(), mm/vma.c, 7.2+
int ms_file_call_mmap_prepare(struct ms_file *file, struct ms_vma_desc *desc)
{
	const struct ms_vma_desc was = *desc;
	const struct ms_where place = {
		.driver = ms_file_driver(file),
		.callback = "mmap_prepare",
		.mm = desc->mm->id,
		.start = desc->start,
		.end = desc->end,
	};
	struct ms_handler h;
	int err;

	if (!ms_handler_enter(&h, file->machine, desc->mm, NULL, &place))
		return refuse_call(file->machine);
	err = file->ops->mmap_prepare(file, desc);
	verify_desc(file->machine, desc, &was);
	ms_note_ops(file->machine, desc->vm_ops);
	ms_handler_leave(&h, was.start);
	return answered(&h, file, "mmap_prepare", err);
}

/* ---- faults ---- */

/*
 * A page that a handler gives as a struct page comes with a reference, which is put when the fault
 * is over (ms_put_given_page()): the mapping has one of its own by then. The page lock that may
 * come with it goes at once, as nobody else could want it meanwhile.
 */
static void look_at_page(struct ms_vm_fault *vmf, ms_vm_fault_t ret)
{
	const ms_vm_fault_t none =
		MS_VM_FAULT_ERROR | MS_VM_FAULT_NOPAGE | MS_VM_FAULT_RETRY | MS_VM_FAULT_FALLBACK;
	struct ms_machine *m = ms_vma_machine(vmf->vma);
	struct ms_page *page;

	if (ret & none)
		vmf->page = NULL; // whatever was put there is still the handler's
	if (!vmf->page)
		return;
	vmf->pfn = ms_page_struct_to_pfn(m, vmf->page);
	page = ms_pfn_is_ram(m, vmf->pfn) ? ms_pfn_to_page(m, ms_page_head(m, vmf->pfn)) : NULL;
	if (!page)
		return;
	if (!page->refcount && !(page->flags & MS_PG_RESERVED))
		ms_violation_entry(m, "fault handler gives a page without a reference",
				   vmf->address, vmf->pfn << m->page_shift);
	// the slab's own counts lie where a mapping counts; later get_page() has said it already
	if (page->slab && m->policy.page_get_kmalloc == MS_PAGE_GET_KMALLOC_COUNTED)
		ms_violation_entry(m, "fault handler gives a page of a slab (kmalloc)",
				   vmf->address, vmf->pfn << m->page_shift);
	if (page->locked && !(ret & MS_VM_FAULT_LOCKED))
		ms_violation_entry(m,
				   "fault handler gives a page that is locked, and does not say "
				   "VM_FAULT_LOCKED: the kernel waits for ever",
				   vmf->address, vmf->pfn << m->page_shift);
	page->locked = false;
}

void ms_put_given_page(struct ms_vm_fault *vmf)
{
	if (vmf->page)
		ms_page_put(ms_vma_machine(vmf->vma), vmf->pfn, 1);
	vmf->page = NULL;
}

/* A memory file's page comes in a folio that is locked. */
static void hook_with_folio(struct ms_vm_fault *vmf)
{
	struct ms_mapping *mapping = vmf->vma->vm_file->mapping;
	struct ms_machine *m = mapping->machine;
	const uint64_t first = vmf->pgoff - (vmf->pfn - ms_folio_head(m, vmf->pfn));
	const struct ms_folio_lock lock = {
		.outer = m->processes->folio_locks,
		.mapping = mapping,
		.first = first,
		.end = first + (UINT64_C(1) << ms_folio_order(m, vmf->pfn)),
	};

	m->processes->folio_locks = &lock;
	ms_vma_hook(vmf->vma->vm_mm, MS_HOOK_DRIVER_FAULT_DONE, vmf->address);
	m->processes->folio_locks = lock.outer;
}

ms_vm_fault_t ms_vma_call_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	const bool in_memory = vma->vm_ops == &ms_shmem_vm_ops;
	const ms_hva_t addr = vmf->address;
	struct ms_handler h;
	ms_vm_fault_t ret;

	vmf->pfn = 0;
	vmf->page = NULL;
	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_FAULT, addr);
	if (!MS_VMA_HAS(vma, fault))
		return ms_refuse_fault(ms_vma_machine(vma), "the VMA has no ->fault", addr);
	if (!enter_fault(&h, vmf, "fault"))
		return refuse_fault_call(vmf);
	ret = vma->vm_ops->fault(vmf);
	leave_fault(&h, vmf, ret);
	tell_fault(&h, vmf, "fault", ret);
	if (in_memory && ret == MS_VM_FAULT_LOCKED)
		hook_with_folio(vmf);
	else
		ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_FAULT_DONE, addr);
	look_at_page(vmf, ret);
	return ret;
}

ms_vm_fault_t ms_vma_call_huge_fault(struct ms_vm_fault *vmf, unsigned int order)
{
	struct ms_vma *vma = vmf->vma;
	const ms_hva_t addr = vmf->address;
	struct ms_handler h;
	ms_vm_fault_t ret;

	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_FAULT, addr);
	if (!MS_VMA_HAS(vma, huge_fault))
		return MS_VM_FAULT_FALLBACK;
	if (!enter_fault(&h, vmf, "huge_fault"))
		return refuse_fault_call(vmf);
	ret = vma->vm_ops->huge_fault(vmf, order);
	leave_fault(&h, vmf, ret);
	tell_fault(&h, vmf, "huge_fault", ret);
	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_FAULT_DONE, addr);
	return ret;
}

ms_vm_fault_t ms_vma_call_map_pages(struct ms_vm_fault *vmf, uint64_t first, uint64_t last)
{
	struct ms_machine *m = ms_vma_machine(vmf->vma);
	const bool outer = m->call.rcu;
	struct ms_handler h;
	ms_vm_fault_t ret;

	if (!enter_fault(&h, vmf, "map_pages"))
		return refuse_fault_call(vmf);
	m->call.rcu = m->policy.map_pages == MS_MAP_PAGES_ANSWER_UNDER_RCU;
	ret = vmf->vma->vm_ops->map_pages(vmf, first, last);
	m->call.rcu = outer;
	if (m->policy.map_pages == MS_MAP_PAGES_NO_ANSWER)
		ret = 0; // nobody knows what stands there
	leave_fault(&h, vmf, ret);
	tell_fault(&h, vmf, "map_pages", ret);
	return ret;
}

ms_vm_fault_t ms_vma_call_pfn_mkwrite(struct ms_vm_fault *vmf)
{
	struct ms_handler h;
	ms_vm_fault_t ret;

	if (!MS_VMA_HAS(vmf->vma, pfn_mkwrite))
		return 0;
	if (!enter_fault(&h, vmf, "pfn_mkwrite"))
		return refuse_fault_call(vmf);
	ret = vmf->vma->vm_ops->pfn_mkwrite(vmf);
	leave_fault(&h, vmf, ret);
	tell_fault(&h, vmf, "pfn_mkwrite", ret);
	return ret;
}

/*
 * The kernel takes a page without page->mapping for one that was truncated meanwhile. It knows that
 * of every page; here the pages of memory files, and those that are no driver's, have theirs.
 */
static bool has_mapping(const struct ms_machine *m, ms_pfn_t pfn)
{
	const ms_pfn_t head = ms_page_head(m, pfn);
	const struct ms_page *page = ms_page_look(m, head);
	const struct ms_struct_page *as_seen = ms_page_struct_look(m, head);

	return !page || !page->driver || (as_seen && as_seen->mapping);
}

/* The handler sees the page that is to be written.
 * mirrors do_page_mkwrite(), mm/memory.c, 5.10+ */
static ms_vm_fault_t call_page_mkwrite(struct ms_vm_fault *vmf)
{
	struct ms_machine *m = ms_vma_machine(vmf->vma);
	struct ms_struct_page *given = vmf->page;
	struct ms_handler h;
	ms_vm_fault_t ret;

	if (!vmf->page)
		vmf->page = ms_pfn_to_page_struct(m, vmf->pfn);
	if (!vmf->page)
		return ms_refuse_page(m);
	if (!enter_fault(&h, vmf, "page_mkwrite")) {
		vmf->page = given;
		return refuse_fault_call(vmf);
	}
	ret = vmf->vma->vm_ops->page_mkwrite(vmf);
	leave_fault(&h, vmf, ret);
	vmf->page = given;
	tell_fault(&h, vmf, "page_mkwrite", ret);
	return ret;
}

ms_vm_fault_t ms_do_page_mkwrite(struct ms_vm_fault *vmf, bool *retry)
{
	struct ms_machine *m = ms_vma_machine(vmf->vma);
	const ms_pfn_t head = ms_page_head(m, vmf->pfn);
	const unsigned int flags = vmf->flags;
	struct ms_page *page;
	ms_vm_fault_t ret;

	vmf->flags = MS_FAULT_FLAG_WRITE | MS_FAULT_FLAG_MKWRITE;
	ms_page_get(m, head, 1);
	ret = call_page_mkwrite(vmf);
	vmf->flags = flags;
	page = ms_pfn_to_page(m, head);
	*retry = false;
	if (ret & (MS_VM_FAULT_ERROR | MS_VM_FAULT_NOPAGE)) {
		ret &= MS_VM_FAULT_ERROR | MS_VM_FAULT_NOPAGE;
	} else if (ret & MS_VM_FAULT_LOCKED) {
		page->locked = false;
		ret = 0;
	} else {
		if (page->locked)
			ms_violation(m,
				     "page_mkwrite leaves the page locked, and does not say "
				     "VM_FAULT_LOCKED: the kernel waits for ever",
				     vmf->address);
		*retry = !has_mapping(m, head);
		m->processes->endless_mkwrite |= *retry;
		ret = 0;
	}
	ms_page_put(m, head, 1);
	return ret;
}

/* ---- what a driver does under a lock that does not suffice ---- */

// mirrors vm_flags_set(), include/linux/mm.h, 6.3+: what it asserts about the mmap lock
bool ms_vma_flags_assert_locked(struct ms_vma *vma)
{
	struct ms_machine *m = ms_vma_machine(vma);

	if (!ms_mmap_only_read(vma->vm_mm) ||
	    m->policy.vma_flags_lock == MS_VMA_FLAGS_LOCK_UNCHECKED)
		return true;
	ms_vma_violation(vma, MS_VIOLATION_DRIVER, "mmap lock not held for writing", vma->vm_start,
			 0);
	return false;
}
