/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * ms_calls.h - the functions of the library that the inline functions and macros of linux.h call.
 * Drivers and tests use those of linux.h, not these.
 *
 * Nothing in here needs linux.h, so that the library's own files can include it. What a NULL
 * argument does is said in linux.h.
 */
#ifndef MAPSIM_LINUX_MS_CALLS_H
#define MAPSIM_LINUX_MS_CALLS_H

#include <mapsim/mm.h>

#include <stdarg.h>

struct file_operations;
struct address_space;
struct inode;

/* ---- which machine (lib/linux/state.c) ---- */

struct ms_machine *ms_linux_machine(void);
struct ms_machine *ms_linux_set_machine(struct ms_machine *m);
/** The process for which driver code runs; NULL: none. */
struct ms_mm *ms_linux_current_mm(void);
/** From now on driver code of m runs for mm; NULL: for no process. Answers the former one. */
struct ms_mm *ms_linux_set_current_mm(struct ms_machine *m, struct ms_mm *mm);

struct task_struct;
/** current, never NULL; the task of a process, NULL: no process (lib/linux/task.c). */
struct task_struct *ms_linux_current(void);
struct task_struct *ms_linux_task(struct ms_mm *mm);
/** capable(), and what it answers from now on (lib/linux/rcu.c). */
bool ms_linux_is_capable(void);
bool ms_linux_set_capable(struct ms_machine *m, bool capable);
/** A violation: driver code waits for what nobody makes true. */
void ms_linux_wait_for_ever(const char *condition);

/* ---- work that runs later, and timers (lib/linux/work.c) ---- */

enum ms_linux_pending_kind { MS_LINUX_PENDING_WORK = 0x3042, MS_LINUX_PENDING_TIMER };

/** The part that a work and a timer have; all of it is of work.c. */
struct ms_linux_pending {
	struct ms_linux_pending *next;
	const void *wq;
	unsigned long due; ///< jiffies from now on
	enum ms_linux_pending_kind kind;
	bool queued;
};

/** move: also what is queued already gets the new time. true: it was not queued. */
bool ms_linux_queue_pending(struct ms_linux_pending *p, const void *wq, unsigned long due,
			    bool move);
bool ms_linux_cancel_pending(struct ms_linux_pending *p);
bool ms_linux_run_one_pending(struct ms_linux_pending *p);
/** What is due within so many jiffies; answers how many ran. */
size_t ms_linux_run_pending(struct ms_machine *m, unsigned long due);
/** What is queued there without a delay. */
void ms_linux_flush_pending(const void *wq);
void ms_linux_queue_is_gone(const void *wq);
/** Driver code sleeps, so many jiffies at most: what is due runs meanwhile. */
void ms_linux_sleeps(const char *what, unsigned long jiffies_at_most);

/* ---- RCU (lib/linux/rcu.c): an rcu_head has two words ---- */

void ms_linux_rcu_read_lock(void);
void ms_linux_rcu_read_unlock(void);
unsigned int ms_linux_rcu_depth(void);
void ms_linux_call_rcu(void *rcu_head, void (*func)(void *head));
/** rcu_head NULL: waits, and frees. */
void ms_linux_kfree_rcu(void *rcu_head, const void *object);
void ms_linux_synchronize_rcu(const char *what);

/* ---- user memory (lib/linux/user.c, access.c) ---- */

bool ms_linux_access_ok(unsigned long addr, unsigned long size);
/**
 * Of the process for which driver code runs; answer how many bytes were not copied. what: who
 * copies, NULL: without faults. from NULL: zeroes.
 */
unsigned long ms_linux_read_user(void *to, unsigned long from, unsigned long n, const char *what);
unsigned long ms_linux_write_user(unsigned long to, const void *from, unsigned long n,
				  const char *what);
/** As the process itself: answer how many bytes were not reached. */
unsigned long ms_linux_load(struct ms_mm *mm, void *to, unsigned long addr, unsigned long n);
unsigned long ms_linux_store(struct ms_mm *mm, unsigned long addr, const void *from,
			     unsigned long n);
/** access_remote_vm: answers how many bytes were reached. */
int ms_access_remote_vm(struct ms_mm *mm, ms_hva_t addr, void *buf, int len, bool write);
/** generic_access_phys: len, -EINVAL, -ENOMEM. */
int ms_generic_access_phys(struct ms_vma *vma, ms_hva_t addr, void *buf, int len, bool write);

/** The same, as access_process_vm does it; force: FOLL_FORCE. */
int ms_linux_access_vm(struct ms_mm *mm, unsigned long addr, void *buf, int len, bool write,
		       bool force);

/* ---- pages of a process (lib/linux/gup.c) ---- */

#define MS_LINUX_FOLL_WRITE 0x1u
#define MS_LINUX_FOLL_GET 0x4u
#define MS_LINUX_FOLL_FORCE 0x10u
#define MS_LINUX_FOLL_LONGTERM 0x10000u
#define MS_LINUX_FOLL_PIN 0x40000u

enum ms_linux_gup_way {
	MS_LINUX_GUP_PIN = 1,
	MS_LINUX_GUP_REMOTE = 2,
	MS_LINUX_GUP_UNLOCKED = 4, ///< it takes the mmap lock
	MS_LINUX_GUP_FAST = 8,     ///< and perhaps takes no lock at all
	MS_LINUX_GUP_ONLY = 16,    ///< where the page tables do not suffice it ends
};
/** flags: MS_LINUX_FOLL_ bits, way: those of ms_linux_gup_way. How many; of none a negative errno.
 * pages and vmas may be NULL. */
long ms_linux_gup(struct ms_mm *mm, unsigned long addr, unsigned long npages, unsigned int flags,
		  unsigned int way, struct ms_struct_page **pages, struct ms_vma **vmas);
void ms_linux_unpin(struct ms_struct_page *page);
bool ms_linux_maybe_pinned(const struct ms_struct_page *page);
int ms_linux_fixup_user_fault(struct ms_mm *mm, unsigned long addr, bool write);
/** filemap_map_pages of [first, last], inclusive: MS_VM_FAULT_ bits. */
unsigned int ms_linux_filemap_map_pages(struct ms_vm_fault *vmf, unsigned long first,
					unsigned long last);

/** A folio of 2^order pages as one leaf: MS_VM_FAULT_ bits. */
unsigned int ms_linux_insert_folio(struct ms_vm_fault *vmf, struct ms_struct_page *page,
				   unsigned int order, bool write);
int ms_linux_do_munmap(struct ms_mm *mm, unsigned long start, unsigned long len);
/** The entry of a page at addr, and the lock of its table; NULL: there is none. */
struct ms_linux_lock;
uint64_t *ms_linux_pte_at(struct ms_mm *mm, unsigned long addr, struct ms_linux_lock **lock);

/* ---- entries by index (lib/linux/xarray.c): *head NULL is empty ---- */

/** NULL: none. */
void *ms_linux_xa_load(void *const *head, unsigned long index);
/** entry NULL: erases. -ENOMEM. */
int ms_linux_xa_store(void **head, unsigned long index, void *entry, unsigned int gfp);
/** The first entry of [from, max]; false: none. */
bool ms_linux_xa_next(void *const *head, unsigned long from, unsigned long max,
		      unsigned long *index, void **entry);
/** The first index of [min, max] without an entry; false: none. */
bool ms_linux_xa_unused(void *const *head, unsigned long min, unsigned long max,
			unsigned long *index);
void ms_linux_xa_destroy(void **head);

/* ---- page-table entries (lib/linux/pte.c) ---- */

int ms_linux_apply_to_page_range(struct ms_mm *mm, unsigned long addr, unsigned long size,
				 bool create, int (*fn)(void *pte, unsigned long addr, void *data),
				 void *data);
uint64_t ms_linux_mk_pte(unsigned long pfn, ms_pgprot_t prot);
ms_pgprot_t ms_linux_page_prot(uint64_t vm_flags);
void ms_linux_zap_range(struct ms_vma *vma, unsigned long addr, unsigned long size);
ms_pfn_t ms_linux_zero_pfn(void);

/** Makes mm the process for which driver code runs, as a system call does for which the library has
 * no function (ioctl); NULL: none. Answers the former one. Nothing is done on a machine that is
 * NULL. */
struct ms_mm *ms_linux_set_current_mm(struct ms_machine *m, struct ms_mm *mm);

/* ---- memory (lib/linux/memory.c) ---- */

#define MS_LINUX_GFP_ZERO 0x100u
#define MS_LINUX_GFP_MAY_SLEEP 0x400u /* __GFP_DIRECT_RECLAIM */
#define MS_LINUX_GFP_COMP 0x40000u

/** kmalloc_array: n * size bytes; NULL: no memory, the product overflows, no machine. */
void *ms_linux_alloc(size_t n, size_t size, unsigned int gfp);
void ms_linux_free(const void *p);
/** vmalloc of n * size bytes; user: of vmalloc_user(). */
void *ms_linux_vmalloc(size_t n, size_t size, unsigned int gfp, bool user);
void ms_linux_vfree(const void *p);
bool ms_linux_is_vmalloc(const void *p);
/** NULL, and a violation: p is not of vmalloc. */
struct ms_struct_page *ms_linux_vmalloc_to_page(const void *p);
/** Bytes of the area at p that remap_vmalloc_range() may map; 0: it is none. */
uint64_t ms_linux_vmalloc_area(const void *p);
size_t ms_linux_live(const struct ms_machine *m);
/** Reports what is left (lib/linux/leaks.c). */
size_t ms_linux_report_leaks(struct ms_machine *m);

/** vmap of so many pages; usermap: VM_USERMAP. NULL: refused, or no memory (lib/linux/vmap.c). */
void *ms_linux_vmap(struct ms_struct_page **page, unsigned int count, bool usermap);
void ms_linux_vunmap(const void *at);

/* ---- coherent DMA memory (lib/linux/dma.c) ---- */

enum ms_linux_dma_how { MS_LINUX_DMA_COHERENT = 1, MS_LINUX_DMA_IOMMU = 2 };
/** how: ms_linux_dma_how bits. NULL: no memory. */
void *ms_linux_dma_alloc(size_t size, unsigned int how, unsigned long long *handle,
			 unsigned int gfp);
void ms_linux_dma_free(size_t size, void *addr, unsigned int how);
/** The address by which a device reaches physical memory. */
uint64_t ms_linux_dma_map(uint64_t pa, size_t size, unsigned int how);
int ms_linux_dma_mmap(struct ms_vma *vma, void *addr, uint64_t handle, size_t size,
		      unsigned int how);

/* ---- pages (lib/linux/pages.c) ---- */

/** alloc_pages: System RAM of the machine. NULL: none left. */
struct ms_struct_page *ms_linux_alloc_pages(unsigned int gfp, unsigned int order);
/** __free_pages */
void ms_linux_free_pages(struct ms_struct_page *page, unsigned int order);
void ms_linux_split_page(struct ms_struct_page *page, unsigned int order);
struct ms_struct_page *ms_linux_pfn_to_page(unsigned long pfn);
unsigned long ms_linux_page_to_pfn(const struct ms_struct_page *page);
/** n references of the page, of the compound page that it is in; they are taken, or put. */
void ms_linux_get_page(struct ms_struct_page *page, unsigned int n);
void ms_linux_put_page(struct ms_struct_page *page, unsigned int n);
int ms_linux_page_count(const struct ms_struct_page *page);
int ms_linux_page_mapcount(const struct ms_struct_page *page);

enum ms_linux_page_is {
	MS_LINUX_PAGE_HEAD = 1,
	MS_LINUX_PAGE_TAIL = 2,
	MS_LINUX_PAGE_RESERVED = 4,
	MS_LINUX_PAGE_SLAB = 8,
	MS_LINUX_PAGE_LARGE = 16, ///< of a kmalloc that is too large for a slab
	MS_LINUX_PAGE_LOCKED = 32,
	MS_LINUX_PAGE_ANON = 64,
	MS_LINUX_PAGE_HUGETLB = 128,
};
/** Bits of the above. */
unsigned int ms_linux_page_is(const struct ms_struct_page *page);
unsigned int ms_linux_compound_order(const struct ms_struct_page *page);
struct ms_struct_page *ms_linux_compound_head(const struct ms_struct_page *page);
void ms_linux_page_reserve(struct ms_struct_page *page, bool reserved);
/** lock_page, trylock_page. false: it is locked already, which is a violation where wait. */
bool ms_linux_trylock_page(struct ms_struct_page *page, bool wait);
void ms_linux_unlock_page(struct ms_struct_page *page);
/** page_address: the page's bytes for the driver, made when first asked for. 0: no memory. */
unsigned long ms_linux_page_address(struct ms_struct_page *page);
/** virt_to_page of an address inside of such bytes; NULL, and a violation: it is not. */
struct ms_struct_page *ms_linux_virt_to_page(unsigned long addr);
bool ms_linux_pfn_valid(unsigned long pfn);

/* ---- messages (lib/linux/report.c) ---- */

__attribute__((format(printf, 1, 2))) void ms_linux_printk(const char *format, ...);
/** A violation; text is static. */
void ms_linux_violation(const char *text);
/** The same, but on each machine only the first time that it comes by this place. */
void ms_linux_violation_once(const char *text, const void *place);
__attribute__((format(printf, 1, 2))) void ms_linux_violation_printf(const char *format, ...);
/** What %pV prints: a message inside of another. */
struct va_format {
	const char *fmt;
	va_list *va;
};

/** Why a call of the driver's is refused: text is static. Answers err. */
int ms_linux_refuse(int err, const char *text);
/** Does this machine come by this place for the first time? */
bool ms_linux_first_time(const void *place);

/* ---- modules ---- */

/** A parameter, as module_param() leaves it in the section ms_module_params. */
struct ms_module_param {
	const char *name;
	const char *type; ///< "ulong", "bool" …
	void *address;
	size_t size; ///< bytes of the variable
};

/* ---- locks (lib/linux/lock.c) ---- */

enum ms_linux_lock_kind { MS_LINUX_LOCK_SLEEPING, MS_LINUX_LOCK_SPINNING };

/** The part that every kind of lock has. Locks that are initialised at the same place of the
 * driver's source are of one class, as for lockdep. */
struct ms_linux_lock {
	unsigned int magic;
	enum ms_linux_lock_kind kind;
	const char *name, *file; ///< static texts
	unsigned int line;
	unsigned int readers; ///< how many hold it for reading
	unsigned int writers; ///< 0 or 1; more: it was taken again while it was held
};

#define MS_LINUX_LOCK_MAGIC 0x10c4u
#define MS_LINUX_LOCK_INITIALIZER(lock_kind, lock_name) \
	{ \
		.magic = MS_LINUX_LOCK_MAGIC, .kind = lock_kind, .name = lock_name, \
		.file = __FILE__, .line = __LINE__ \
	}

enum ms_linux_lock_how {
	MS_LINUX_LOCK_READ = 1,
	MS_LINUX_LOCK_TRY = 2,
	MS_LINUX_LOCK_NESTED = 4, ///< another lock of the same class may be held
};

/** how: ms_linux_lock_how bits. false: a try that failed. */
bool ms_linux_lock(struct ms_linux_lock *lock, unsigned int how);
void ms_linux_unlock(struct ms_linux_lock *lock, bool read);
/** downgrade_write */
void ms_linux_lock_downgrade(struct ms_linux_lock *lock);
bool ms_linux_lock_is_held(const struct ms_linux_lock *lock);
void ms_linux_lock_assert(const struct ms_linux_lock *lock, bool write);
/** might_sleep: a violation while a spinlock is held. */
void ms_linux_might_sleep(const char *what);

bool ms_linux_mmap_lock(struct ms_mm *mm, unsigned int how);
void ms_linux_mmap_unlock(struct ms_mm *mm, bool read);
void ms_linux_mmap_downgrade(struct ms_mm *mm);
void ms_linux_mmap_assert(const struct ms_mm *mm, bool write);
/** vma_start_write, as vm_flags_set and its kin begin. */
void ms_linux_vma_start_write(struct ms_vma *vma);

/* ---- mappings (lib/linux/mapping.c) ---- */

int ms_linux_remap_pfn_range(struct ms_vma *vma, unsigned long addr, unsigned long pfn,
			     unsigned long size, ms_pgprot_t prot);
int ms_linux_vm_iomap_memory(struct ms_vma *vma, uint64_t start, unsigned long len);
int ms_linux_vm_insert_page(struct ms_vma *vma, unsigned long addr, struct ms_struct_page *page);
/** unmap_mapping_range of the address_space `key` of m. */
void ms_linux_unmap_mapping(struct ms_machine *m, const void *key, uint64_t off, uint64_t len,
			    bool even_cows);

/* ---- physical ranges (lib/linux/io.c) ---- */

/** request_mem_region. NULL: busy; else a pointer that says so, and that points to nothing. */
void *ms_linux_request_region(uint64_t start, uint64_t len);
void ms_linux_release_region(uint64_t start, uint64_t len);
/** An address that only iounmap() understands: no registers stand there. NULL: refused. */
void *ms_linux_ioremap(uint64_t start, uint64_t len, enum ms_cache type);
void ms_linux_iounmap(const volatile void *cookie);
/** arch_io_reserve_memtype_wc and its end: x86 alone. 0, -EBUSY, -EINVAL, -ENOMEM. */
int ms_linux_io_memtype_wc(uint64_t start, uint64_t size);
void ms_linux_io_memtype_free(uint64_t start, uint64_t size);
/** set_pages_array_wc and its kin: the type of one page of RAM; WB ends another one. x86 alone. */
int ms_linux_set_page_type(unsigned long pfn, enum ms_cache type);

/* ---- files and devices (lib/linux/file.c, mapping.c) ---- */

struct ms_file *ms_linux_open_device(struct ms_machine *m, const char *name, int flags);
struct ms_file *ms_linux_open_fops(struct ms_machine *m, const struct file_operations *fops,
				   int flags, void *private_data, unsigned int page_shift);
/** What violations call the file's driver by; of a path its last part. Copied; without memory, and
 * of a file that is NULL or an ERR_PTR, nothing is done. */
void ms_linux_name_file(struct ms_file *file, const char *name);
/** Name of the i-th device that is registered on m, from 0 on: misc devices in the order in which
 * they came, then other character devices in theirs, then those that have no name but a number, as
 * "MAJOR:MINOR"; ms_linux_open_device() takes any of these. NULL: there are no more. Valid until the device is deregistered. */
const char *ms_linux_device(struct ms_machine *m, size_t i);
/**
 * Gives the file a descriptor, the lowest that is free: it is the process's from then on, whose close
 * ms_file_put() is. -EINVAL: NULL; -ENOMEM. And the file of a descriptor; NULL, and errno says why:
 * EBADF, EINVAL (no machine). The file is about to go.
 */
int ms_linux_fd_install(struct ms_file *file);
struct ms_file *ms_linux_fd_file(struct ms_machine *m, int fd);
void ms_linux_fd_forget(const struct ms_file *file);
void ms_linux_get_file(struct ms_file *file);
void ms_linux_fput(struct ms_file *file);

#endif
