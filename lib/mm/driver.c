/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls into a driver: all calls of vm_ops and file operations are made here. During each call the
 * machine says for which process and under which mmap lock the driver's code runs; lib/linux and
 * the checks of what a driver does rely on that.
 */
#include "mm/lock.h"
#include "mm/memfile.h"

struct call {
	struct ms_machine *machine, *outer_machine;
	struct ms_mm *mm, *outer_mm;
	struct ms_where outer_place;
	uint64_t refusals; // before it
	unsigned int mmap_readers, driver_locks;
	bool mmap_writer;
};

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

/* Entering does not change how the mmap lock is held. */
static struct call enter(struct ms_mm *mm, const struct ms_where *place)
{
	struct ms_machine *m = mm->machine;
	struct call call = {
		.machine = m,
		.outer_machine = ms_set_current_machine(m),
		.mm = mm,
		.outer_mm = m->call.mm,
		.outer_place = m->call.place,
		.refusals = ms_refusals(m),
		.mmap_readers = mm->mmap_readers,
		.driver_locks = m->call.locks,
		.mmap_writer = mm->mmap_writer,
	};

	// At fork ->open gets a VMA of the child, but runs in the parent.
	if (!m->call.mm)
		m->call.mm = mm;
	m->call.place = *place;
	return call;
}

static struct call enter_vma(const struct ms_vma *vma, const char *callback)
{
	const struct ms_where place = place_of(vma, callback);

	return enter(vma->vm_mm, &place);
}

static void leave(const struct call *call, ms_hva_t addr)
{
	struct ms_machine *m = call->machine;
	struct ms_mm *mm = call->mm;

	if (mm->mmap_readers != call->mmap_readers || mm->mmap_writer != call->mmap_writer ||
	    m->call.mmap_again)
		ms_violation(m, "driver returns with the mmap lock not as it was", addr);
	if (m->call.locks > call->driver_locks)
		ms_violation(m, "driver returns with a lock held", addr);
	mm->mmap_readers = call->mmap_readers;
	mm->mmap_writer = call->mmap_writer;
	m->call.mmap_again = 0;
	m->call.mm = call->outer_mm;
	m->call.place = call->outer_place;
	ms_set_current_machine(call->outer_machine);
}

/* For a fault's handlers, which run with the mmap lock held for reading. */
static struct call enter_fault(const struct ms_vma *vma, const char *callback)
{
	ms_mmap_pin(vma->vm_mm);
	return enter_vma(vma, callback);
}

/*
 * A handler that asks for another try drops the mmap lock, so that others get on meanwhile; who may
 * not wait (RETRY_NOWAIT) keeps it.
 * mirrors handle_mm_fault(), mm/memory.c, 5.10+: of its result
 */
static void check_retry(const struct call *call, const struct ms_vm_fault *vmf)
{
	struct ms_mm *mm = call->mm;
	struct ms_machine *m = call->machine;

	if (!(vmf->flags & MS_FAULT_FLAG_ALLOW_RETRY) && !m->in_hook)
		ms_violation(m, "VM_FAULT_RETRY without FAULT_FLAG_ALLOW_RETRY", vmf->address);
	if (!vmf->vma->vm_file || !vmf->vma->vm_file->ops || !vmf->vma->vm_file->ops->locks ||
	    (vmf->flags & MS_FAULT_FLAG_RETRY_NOWAIT))
		return;
	if (mm->mmap_readers == call->mmap_readers - 1)
		mm->mmap_readers++;
	else if (mm->mmap_readers == call->mmap_readers)
		ms_violation(m,
			     "VM_FAULT_RETRY while the mmap lock is still held: nobody releases it",
			     vmf->address);
}

static void leave_fault(const struct call *call, const struct ms_vm_fault *vmf, ms_vm_fault_t ret)
{
	if (ret & MS_VM_FAULT_RETRY)
		check_retry(call, vmf);
	leave(call, vmf->address);
	ms_mmap_unpin(call->mm);
}

static int answered(const struct call *call, const struct ms_file *file, const char *callback,
		    int err)
{
	return ms_answered_by(call->machine, call->refusals, file, callback, err);
}

static void tell_fault(const struct call *call, const struct ms_vm_fault *vmf, const char *callback,
		       ms_vm_fault_t ret)
{
	if (ret & (MS_VM_FAULT_ERROR | MS_VM_FAULT_RETRY))
		ms_fault_answered_by(vmf, call->refusals, callback, ret);
}

/* ---- the life of a VMA ---- */

void ms_vma_call_open(struct ms_vma *vma)
{
	struct ms_mm *mm = vma->vm_mm;
	const bool writer = mm->mmap_writer;
	struct call call;

	if (!vma->vm_ops || !vma->vm_ops->open)
		return;
	MS_EMIT(ms_vma_machine(vma), .type = MS_EV_VMA_OPEN, .mm = mm->id, .va = vma->vm_start,
		.size = ms_vma_size(vma));
	ms_vma_hook(mm, MS_HOOK_DRIVER_OPEN, vma->vm_start);
	mm->mmap_writer = true; // fork holds the child's lock as well
	call = enter_vma(vma, "open");
	vma->vm_ops->open(vma);
	leave(&call, vma->vm_start);
	mm->mmap_writer = writer;
}

// mirrors vma_close(), mm/internal.h, 6.12+
void ms_vma_call_close(struct ms_vma *vma)
{
	struct call call;

	if (!vma->vm_ops || !vma->vm_ops->close)
		return;
	MS_EMIT(ms_vma_machine(vma), .type = MS_EV_VMA_CLOSE, .mm = vma->vm_mm->id,
		.va = vma->vm_start, .size = ms_vma_size(vma));
	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_CLOSE, vma->vm_start);
	call = enter_vma(vma, "close");
	vma->vm_ops->close(vma);
	leave(&call, vma->vm_start);
}

int ms_vma_call_may_split(struct ms_vma *vma, ms_hva_t addr)
{
	struct call call = enter_vma(vma, "may_split");
	int err = vma->vm_ops->may_split(vma, addr);

	leave(&call, vma->vm_start);
	return answered(&call, vma->vm_file, "may_split", err);
}

int ms_vma_call_mremap(const struct ms_vma *source, struct ms_vma *copy)
{
	struct call call = enter_vma(copy, "mremap");
	int err = source->vm_ops->mremap(copy);

	leave(&call, copy->vm_start);
	return answered(&call, copy->vm_file, "mremap", err);
}

int ms_vma_call_mprotect(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t newflags)
{
	struct call call = enter_vma(vma, "mprotect");
	int err = vma->vm_ops->mprotect(vma, start, end, newflags);

	leave(&call, vma->vm_start);
	return answered(&call, vma->vm_file, "mprotect", err);
}

/* The function sees the VMA, and may not change it. */
uint64_t ms_vma_call_pagesize(const struct ms_vma *vma)
{
	struct call call = enter_vma(vma, "pagesize");
	uint64_t size = vma->vm_ops->pagesize((struct ms_vma *)(uintptr_t)vma);

	leave(&call, vma->vm_start);
	return size;
}

int ms_vma_call_access(struct ms_vma *vma, ms_hva_t addr, void *buf, int len, bool write)
{
	struct call call = enter_vma(vma, "access");
	int bytes = vma->vm_ops->access(vma, addr, buf, len, write);

	leave(&call, vma->vm_start);
	return bytes;
}

struct ms_struct_page *ms_vma_call_find_special_page(struct ms_vma *vma, ms_hva_t addr)
{
	struct call call = enter_vma(vma, "find_special_page");
	struct ms_struct_page *page = vma->vm_ops->find_special_page(vma, addr);

	leave(&call, vma->vm_start);
	return page;
}

// mirrors call_mmap(), include/linux/fs.h, 5.10 .. 6.12; mmap_file(), mm/internal.h, 6.12+
int ms_file_call_mmap(struct ms_file *file, struct ms_vma *vma)
{
	struct call call;
	int err;

	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_MMAP, vma->vm_start);
	call = enter_vma(vma, "mmap");
	err = file->ops->mmap(file, vma);
	leave(&call, vma->vm_start);
	return answered(&call, file, "mmap", err);
}

// mirrors call_mmap_prepare(), mm/vma.c, 7.2+
int ms_file_call_mmap_prepare(struct ms_file *file, struct ms_vma_desc *desc)
{
	const struct ms_where place = {
		.driver = ms_file_driver(file),
		.callback = "mmap_prepare",
		.mm = desc->mm->id,
		.start = desc->start,
		.end = desc->end,
	};
	struct call call = enter(desc->mm, &place);
	int err = file->ops->mmap_prepare(file, desc);

	leave(&call, desc->start);
	return answered(&call, file, "mmap_prepare", err);
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
	struct call call;
	ms_vm_fault_t ret;

	vmf->pfn = 0;
	vmf->page = NULL;
	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_FAULT, addr);
	call = enter_fault(vma, "fault");
	ret = vma->vm_ops->fault(vmf);
	leave_fault(&call, vmf, ret);
	tell_fault(&call, vmf, "fault", ret);
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
	struct call call;
	ms_vm_fault_t ret;

	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_FAULT, addr);
	call = enter_fault(vma, "huge_fault");
	ret = vma->vm_ops->huge_fault(vmf, order);
	leave_fault(&call, vmf, ret);
	tell_fault(&call, vmf, "huge_fault", ret);
	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_FAULT_DONE, addr);
	return ret;
}

ms_vm_fault_t ms_vma_call_map_pages(struct ms_vm_fault *vmf, uint64_t first, uint64_t last)
{
	struct ms_machine *m = ms_vma_machine(vmf->vma);
	struct call call = enter_fault(vmf->vma, "map_pages");
	const bool outer = m->call.rcu;
	ms_vm_fault_t ret;

	m->call.rcu = m->policy.map_pages == MS_MAP_PAGES_ANSWER_UNDER_RCU;
	ret = vmf->vma->vm_ops->map_pages(vmf, first, last);
	m->call.rcu = outer;
	if (m->policy.map_pages == MS_MAP_PAGES_NO_ANSWER)
		ret = 0; // nobody knows what stands there
	leave_fault(&call, vmf, ret);
	tell_fault(&call, vmf, "map_pages", ret);
	return ret;
}

ms_vm_fault_t ms_vma_call_pfn_mkwrite(struct ms_vm_fault *vmf)
{
	struct call call = enter_fault(vmf->vma, "pfn_mkwrite");
	ms_vm_fault_t ret = vmf->vma->vm_ops->pfn_mkwrite(vmf);

	leave_fault(&call, vmf, ret);
	tell_fault(&call, vmf, "pfn_mkwrite", ret);
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
	struct call call;
	ms_vm_fault_t ret;

	if (!vmf->page)
		vmf->page = ms_pfn_to_page_struct(m, vmf->pfn);
	if (!vmf->page)
		return ms_refuse_page(m);
	call = enter_fault(vmf->vma, "page_mkwrite");
	ret = vmf->vma->vm_ops->page_mkwrite(vmf);
	leave_fault(&call, vmf, ret);
	vmf->page = given;
	tell_fault(&call, vmf, "page_mkwrite", ret);
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
