/* SPDX-License-Identifier: GPL-2.0-only */
/* Files, their address spaces with the VMAs that map them (i_mmap), and the page caches of memory
 * files. */
#include "mm/handler.h"

/* ---- files ---- */

static int key_cmp(const struct ms_mapping *a, const struct ms_mapping *b)
{
	const uintptr_t a_key = (uintptr_t)a->key, b_key = (uintptr_t)b->key;

	return a_key < b_key ? -1 : a_key > b_key;
}

RB_GENERATE_INTERNAL(ms_mappings_by_key, ms_mapping, by_key, key_cmp,
		     static __attribute__((unused)))

static struct ms_mapping *mapping_find(const struct ms_machine *m, const void *key)
{
	return key ? RB_FIND(ms_mappings_by_key, &m->processes->mappings_by_key,
			     &(struct ms_mapping){ .key = key })
		   : NULL;
}

static struct ms_mapping *mapping_get(struct ms_machine *m, const void *key)
{
	struct ms_mapping *mapping = mapping_find(m, key);

	if (mapping) {
		mapping->refcount++;
		return mapping;
	}
	mapping = ms_zalloc(&m->alloc, sizeof(*mapping));
	if (!mapping)
		return NULL;
	mapping->machine = m;
	mapping->key = key;
	mapping->refcount = 1;
	LIST_INIT(&mapping->files);
	LIST_INSERT_HEAD(&m->processes->mappings, mapping, link);
	if (key)
		RB_INSERT(ms_mappings_by_key, &m->processes->mappings_by_key, mapping);
	return mapping;
}

static void mapping_put(struct ms_mapping *mapping)
{
	struct ms_machine *m = mapping->machine;
	uint64_t nr_present = 0;

	if (--mapping->refcount)
		return;
	for (size_t i = 0; i < mapping->nr_chunks; i++) {
		for (unsigned int j = 0; mapping->chunk[i] && j < MS_CACHE_CHUNK; j++) {
			if (!mapping->chunk[i][j])
				continue;
			ms_page_put(m, mapping->chunk[i][j], 1);
			nr_present++;
		}
		ms_free(&m->alloc, mapping->chunk[i]);
	}
	// pagevec_release(), folio_batch_release(): of what was found in the cache
	if (nr_present)
		ms_lru_drain(m);
	if (mapping->order)
		ms_hugetlb_evict(mapping, nr_present);
	ms_free(&m->alloc, mapping->chunk);
	LIST_REMOVE(mapping, link);
	if (mapping->key)
		RB_REMOVE(ms_mappings_by_key, &m->processes->mappings_by_key, mapping);
	ms_free(&m->alloc, mapping);
}

#define MOST_REOPENED 64u /* files that the ->release of one make */

static bool may_open(struct ms_machine *m)
{
	if (m->ending)
		ms_violation(m, "driver opens a file while its machine ends", 0);
	else if (m->processes->releasing && m->processes->reopened++ >= MOST_REOPENED)
		ms_violation(m, "->release opens files without end", 0);
	else
		return true;
	return false;
}

static struct ms_file *file_new(struct ms_machine *m, enum ms_file_kind kind,
				const struct ms_file_ops *ops, const void *key)
{
	struct ms_file *file = may_open(m) ? ms_zalloc(&m->alloc, sizeof(*file)) : NULL;

	if (!file)
		return NULL;
	file->mapping = mapping_get(m, key);
	if (!file->mapping) {
		ms_free(&m->alloc, file);
		return NULL;
	}
	LIST_INSERT_HEAD(&file->mapping->files, file, of_mapping);
	file->machine = m;
	file->kind = kind;
	file->ops = ops;
	file->fmode = MS_FMODE_READ | MS_FMODE_WRITE;
	file->refcount = 1;
	LIST_INSERT_HEAD(&m->processes->files, file, link);
	return file;
}

/* What the user of the library has opened; NULL: no memory. */
static struct ms_file *opened(struct ms_machine *m, struct ms_file *file)
{
	if (!file)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	file->user_ref = true;
	return file;
}

struct ms_file *ms_file_new(struct ms_machine *m, const struct ms_file_ops *ops, unsigned int fmode,
			    uint64_t max_bytes, const void *key, void *priv)
{
	if (!m)
		return ms_refusal_null(-EINVAL);
	struct ms_file *file = opened(m, file_new(m, MS_FILE_DRIVER, ops, key));

	if (!file)
		return NULL;
	file->fmode = fmode;
	file->max_bytes = max_bytes;
	file->priv = priv;
	return file;
}

void ms_file_set_ops(struct ms_file *file, const struct ms_file_ops *ops)
{
	file->ops = ops;
}

void ms_file_set_name(struct ms_file *file, const char *name)
{
	file->name = name;
}

const char *ms_file_driver(const struct ms_file *file)
{
	if (!file || file->kind != MS_FILE_DRIVER)
		return NULL;
	return file->name || !file->ops ? file->name : file->ops->name;
}

int ms_file_set_mapping(struct ms_file *file, const void *key)
{
	struct ms_mapping *mapping = mapping_get(file->machine, key);

	if (!mapping)
		return -ENOMEM;
	LIST_REMOVE(file, of_mapping);
	mapping_put(file->mapping);
	file->mapping = mapping;
	LIST_INSERT_HEAD(&mapping->files, file, of_mapping);
	return 0;
}

/* A memory file of `size` bytes, in pages of 2^order base pages. What limits its offsets is the
 * page cache. */
static struct ms_file *memory_file_new(struct ms_machine *m, enum ms_file_kind kind, uint64_t size,
				       unsigned int order)
{
	struct ms_file *file = file_new(m, kind, NULL, NULL);
	unsigned int shift = m->page_shift + order;
	uint64_t pages = (size >> shift) + !ms_aligned(size, UINT64_C(1) << shift);

	if (!file)
		return NULL;
	file->max_bytes = INT64_MAX;
	file->mapping->size = size;
	file->mapping->order = order;
	if (ms_cache_reserve(file->mapping, pages)) {
		ms_file_drop(file);
		return NULL;
	}
	return file;
}

// mirrors __shmem_file_setup(), mm/shmem.c, 5.10+
struct ms_file *ms_shmem_file_new(struct ms_machine *m, uint64_t size)
{
	return memory_file_new(m, MS_FILE_SHMEM, size, 0);
}

struct ms_file *ms_memfd_new(struct ms_machine *m, uint64_t size)
{
	return m ? opened(m, ms_shmem_file_new(m, size)) : ms_refusal_null(-EINVAL);
}

/*
 * A huge page has the size of a block entry, or of a contiguous run of entries (arm64).
 * mirrors arch_hugetlb_valid_size(), arch/x86/mm/hugetlbpage.c, 5.10+; arch_hugetlb_valid_size(),
 * arch/arm64/mm/hugetlbpage.c, 5.10+
 */
bool ms_huge_page_order(const struct ms_machine *m, uint64_t size, unsigned int *order)
{
	static const unsigned int cont_pte[] = { [12] = 4, [14] = 7, [16] = 5 };
	static const unsigned int cont_pmd[] = { [12] = 4, [14] = 5, [16] = 5 };
	const unsigned int shifts[] = { m->pmd_shift, m->pud_shift,
					m->page_shift + cont_pte[m->page_shift],
					m->pmd_shift + cont_pmd[m->page_shift] };

	for (unsigned int i = 0; i < (ms_is_x86(m) ? 2 : 4); i++) {
		if (i == 1 && m->page_shift != 12)
			continue;
		if (size == UINT64_C(1) << shifts[i]) {
			*order = shifts[i] - m->page_shift;
			return true;
		}
	}
	return false;
}

struct ms_file *ms_memfd_hugetlb_new(struct ms_machine *m, uint64_t size, uint64_t huge_page_size)
{
	unsigned int order;

	if (!m)
		return ms_refusal_null(-EINVAL);
	if (!ms_huge_page_order(m, huge_page_size, &order))
		return ms_refuse_null(m, -EINVAL, "the machine has no huge pages of %x bytes",
				      huge_page_size);
	return opened(m, memory_file_new(m, MS_FILE_HUGETLB, size, order));
}

// mirrors get_file(), include/linux/fs.h, 5.10+
void ms_file_get(struct ms_file *file)
{
	file->refcount++;
}

/* The last reference went. ->release runs with a reference that nobody has, so that what takes and
 * drops one meanwhile does not come here again.
 * mirrors __fput(), fs/file_table.c, 5.10+ */
static void file_free(struct ms_file *file)
{
	struct ms_machine *m = file->machine;
	const struct ms_where place = { .driver = ms_file_driver(file), .callback = "release" };
	struct ms_handler h;
	bool entered;

	file->refcount = 1;
	if (file->ops && file->ops->release) {
		entered = ms_handler_enter(&h, m, NULL, NULL, &place);
		file->ops->release(file);
		if (entered)
			ms_handler_leave(&h, 0);
	}
	LIST_REMOVE(file, of_mapping);
	mapping_put(file->mapping);
	LIST_REMOVE(file, link);
	ms_free(&m->alloc, file);
}

/* What is given up in a ->release is released when that is back, as the kernel delays it.
 * mirrors fput(), fs/file_table.c, 5.10+ */
void ms_file_drop(struct ms_file *file)
{
	struct ms_processes *p = file->machine->processes;

	if (--file->refcount)
		return;
	file->going = true;
	SLIST_INSERT_HEAD(&p->delayed, file, delayed);
	if (p->releasing)
		return;
	p->releasing = true;
	p->reopened = 0;
	while ((file = SLIST_FIRST(&p->delayed))) {
		SLIST_REMOVE_HEAD(&p->delayed, delayed);
		file_free(file);
	}
	p->releasing = false;
}

/* ---- references of driver code ---- */

void ms_file_driver_get(struct ms_file *file)
{
	if (file->going) {
		ms_violation(file->machine, "get_file of a file that is being released", 0);
		return;
	}
	file->driver_refs++;
	ms_file_get(file);
}

/* Does driver code give up the reference of the VMA that its ->mmap is making? It has to put
 * another file in its place. */
static bool gives_away(const struct ms_file *file)
{
	const struct ms_handler *h = file->machine->call.handlers;

	return h && h->is_mmap && h->was_file == file && !file->driver_refs;
}

void ms_file_driver_put(struct ms_file *file)
{
	struct ms_machine *m = file->machine;

	if (file->going) {
		ms_violation(m, "fput of a file that is being released", 0);
	} else if (file->driver_refs > 0 || gives_away(file)) {
		file->driver_refs--;
		ms_file_drop(file);
	} else if (file->user_ref && !ms_is_called(m)) {
		ms_file_put(file); // a test closes it
	} else {
		ms_violation(m, "fput of a file of which driver code has no reference", 0);
	}
}

static void make_good(struct ms_file *file)
{
	if (file->driver_refs >= 0)
		return;
	ms_violation(file->machine, "->mmap leaves vm_file without a reference of the VMA's", 0);
	for (; file->driver_refs < 0; file->driver_refs++)
		ms_file_get(file);
}

void ms_file_handed_over(struct ms_file *was, struct ms_file *now)
{
	if (was != now) {
		was->driver_refs++;
		now->driver_refs--;
	}
	make_good(was);
	make_good(now);
}

void ms_file_put(struct ms_file *file)
{
	if (!file || !file->user_ref)
		return;
	file->user_ref = false;
	ms_file_drop(file);
}

// a VMA keeps its file
struct ms_file *ms_file_of_mapping(const struct ms_machine *m, const void *key)
{
	const struct ms_mapping *mapping = mapping_find(m, key);

	return mapping ? LIST_FIRST(&mapping->files) : NULL;
}

void ms_files_destroy(struct ms_machine *m)
{
	struct ms_file *file;

	// No VMA is left: the user of the library holds what is still there.
	while ((file = LIST_FIRST(&m->processes->files))) {
		file->refcount = 1; // whatever a driver has taken and not given back
		ms_file_drop(file);
	}
}

void *ms_file_priv(const struct ms_file *file)
{
	return file ? file->priv : NULL;
}

struct ms_machine *ms_file_machine(const struct ms_file *file)
{
	return file ? file->machine : NULL;
}

struct ms_file *ms_file_next(const struct ms_machine *m, const struct ms_file *file)
{
	if (!m)
		return NULL;
	return file ? LIST_NEXT(file, link) : LIST_FIRST(&m->processes->files);
}

const char *ms_file_name(const struct ms_file *file)
{
	return file && file->ops ? file->ops->name : NULL;
}

/* ---- the page cache ---- */

ms_pfn_t ms_cache_find(const struct ms_mapping *mapping, uint64_t index)
{
	size_t i = index / MS_CACHE_CHUNK;

	if (i >= mapping->nr_chunks || !mapping->chunk[i])
		return 0;
	return mapping->chunk[i][index % MS_CACHE_CHUNK];
}

int ms_cache_set(struct ms_mapping *mapping, uint64_t index, ms_pfn_t pfn)
{
	size_t i = index / MS_CACHE_CHUNK;

	if (i >= mapping->nr_chunks)
		return -EINVAL;
	if (!mapping->chunk[i]) {
		if (!pfn)
			return 0;
		mapping->chunk[i] =
			ms_calloc(&mapping->machine->alloc, MS_CACHE_CHUNK, sizeof(ms_pfn_t));
		if (!mapping->chunk[i])
			return -ENOMEM;
	}
	mapping->chunk[i][index % MS_CACHE_CHUNK] = pfn;
	return 0;
}

int ms_cache_reserve(struct ms_mapping *mapping, uint64_t nr)
{
	struct ms_machine *m = mapping->machine;
	size_t nr_chunks = nr / MS_CACHE_CHUNK + !!(nr % MS_CACHE_CHUNK);
	ms_pfn_t **chunk;

	if (nr_chunks <= mapping->nr_chunks)
		return 0;
	chunk = ms_calloc(&m->alloc, nr_chunks, sizeof(*chunk));
	if (!chunk)
		return -ENOMEM;
	if (mapping->nr_chunks)
		memcpy(chunk, mapping->chunk, mapping->nr_chunks * sizeof(*chunk));
	ms_free(&m->alloc, mapping->chunk);
	mapping->chunk = chunk;
	mapping->nr_chunks = nr_chunks;
	return 0;
}

const struct ms_file *ms_file_each(const struct ms_machine *m, const struct ms_file *file)
{
	return file ? LIST_NEXT(file, link) : LIST_FIRST(&m->processes->files);
}

bool ms_file_is(const struct ms_file *file, const struct ms_file_ops *ops)
{
	return file->ops == ops;
}
