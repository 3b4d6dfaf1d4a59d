/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The iomem resource tree, as far as mappings depend on it: who holds which physical range, and the
 * end of user mappings when a driver takes one. Mirrors kernel/resource.c with
 * CONFIG_IO_STRICT_DEVMEM, which 5.10 has in drivers/char/mem.c.
 */
#include "drivers/internal.h"

static int claim_cmp(const struct ms_claim *a, const struct ms_claim *b)
{
	return a->end <= b->start ? -1 : a->start >= b->end;
}

RB_GENERATE_INTERNAL(ms_claims, ms_claim, node, claim_cmp, static __attribute__((unused)))

// Claims never overlap, so that one which overlaps [start, end) compares as equal to it.
static struct ms_claim *claim_find(const struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	struct ms_claim key = { .start = start, .end = end };

	return RB_FIND(ms_claims, &m->drivers->claims, &key);
}

bool ms_iomem_next_claim(const struct ms_machine *m, ms_pa_t pa, struct ms_claimed *claim)
{
	const struct ms_claim *at = m ? RB_ROOT(&m->drivers->claims) : NULL, *found = NULL;

	*claim = (struct ms_claimed){ 0, 0 };
	while (at) {
		if (at->end > pa) {
			found = at;
			at = RB_LEFT(at, node);
		} else {
			at = RB_RIGHT(at, node);
		}
	}
	if (found)
		*claim = (struct ms_claimed){ found->start, found->end };
	return found;
}

bool ms_iomem_is_file(const struct ms_file *file)
{
	const struct ms_iomem_file *f;

	if (!file)
		return false;
	LIST_FOREACH (f, &ms_file_machine(file)->drivers->iomem_files, link)
		if (f->file == file)
			return true;
	return false;
}

// A BAR is a resource that is not busy: a claim goes inside of it, never across its border.
static int check_border(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	const struct ms_device *dev = ms_device_after(m->phys, start);
	const ms_pa_t dev_start = ms_device_pa(dev), dev_end = dev_start + ms_device_size(dev);

	if (!dev || end <= dev_start || (start >= dev_start && end <= dev_end))
		return 0;
	return ms_refuse(m, -EBUSY, "%x-%x crosses a border of device %s (%x-%x)", start, end,
			 ms_refusal_text(ms_device_name(dev)), dev_start, dev_end);
}

// mirrors iomem_is_exclusive(), kernel/resource.c, 5.10+
bool ms_iomem_is_exclusive(const struct ms_machine *m, ms_pa_t pa)
{
	if (!m)
		return false;
	const ms_pa_t start = ms_align_down(pa, m->page_size);

	if (m->drivers->strict != MS_IOMEM_STRICT)
		return false;
	return claim_find(m, start, start + m->page_size) ||
	       ms_pfn_is_ram(m, pa >> m->page_shift); // System RAM is a busy resource
}

bool ms_iomem_in_use(const struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	if (m->drivers->strict == MS_IOMEM_STRICT && claim_find(m, start, end))
		return true;
	return ms_range_has_ram(m, start, end);
}

int ms_iomem_refuse(struct ms_machine *m, int err, ms_pa_t start, ms_pa_t end)
{
	const struct ms_claim *claim = claim_find(m, start, end);

	if (claim && !ms_range_has_ram(m, start, end))
		return ms_refuse(m, err, "%x-%x: %x-%x is claimed", start, end, claim->start,
				 claim->end);
	return ms_refuse(m, err, "%x-%x: System RAM is in it", start, end);
}

// Any file of the address_space that revoke_iomem() empties; NULL: none is open.
static struct ms_file *any_revocable_file(const struct ms_machine *m)
{
	return ms_file_of_mapping(m, &m->drivers->iomem_files);
}

// mirrors revoke_devmem(), drivers/char/mem.c, 5.10 .. 5.11; revoke_iomem(), kernel/resource.c,
// 5.12+
static void revoke_iomem(struct ms_machine *m, ms_pa_t pa, uint64_t len)
{
	struct ms_file *file = any_revocable_file(m);

	if (!file || m->drivers->strict == MS_IOMEM_OPEN)
		return;
	// iomem=relaxed, and the first megabyte of x86; the kernel, too, looks at both ends only
	if (ms_devmem_is_allowed(m, pa >> m->page_shift) &&
	    ms_devmem_is_allowed(m, (pa + len - 1) >> m->page_shift))
		return;
	ms_unmap_mapping_range(file, pa, len, true);
}

// mirrors __request_region(), kernel/resource.c, 5.10+
int ms_iomem_claim(struct ms_machine *m, ms_pa_t pa, uint64_t len)
{
	struct ms_claim *claim;
	int err;

	if (!m)
		return -EINVAL;
	// no resource holds such a range: the same NULL as for one that is taken
	if (!len || pa + len < pa)
		return ms_refuse(m, -EBUSY, "%x bytes at %x are none, or wrap around", len, pa);
	if (claim_find(m, pa, pa + len) || ms_range_has_ram(m, pa, pa + len))
		return ms_iomem_refuse(m, -EBUSY, pa, pa + len);
	err = check_border(m, pa, pa + len);
	if (err)
		return err;
	claim = ms_zalloc(&m->alloc, sizeof(*claim));
	if (!claim)
		return ms_refuse(m, -ENOMEM, "no memory");
	claim->start = pa;
	claim->end = pa + len;
	RB_INSERT(ms_claims, &m->drivers->claims, claim);
	revoke_iomem(m, pa, len);
	return 0;
}

// mirrors __release_region(), kernel/resource.c, 5.10+: only exactly what was requested
int ms_iomem_release(struct ms_machine *m, ms_pa_t pa, uint64_t len)
{
	if (!m)
		return -EINVAL;
	struct ms_claim *claim = len && pa + len > pa ? claim_find(m, pa, pa + len) : NULL;

	if (!claim)
		return ms_refuse(m, -EINVAL, "nothing is claimed in the %x bytes at %x", len, pa);
	if (claim->start != pa || claim->end != pa + len)
		return ms_refuse(m, -EINVAL, "no claim is %x-%x, one is %x-%x", pa, pa + len,
				 claim->start, claim->end);
	RB_REMOVE(ms_claims, &m->drivers->claims, claim);
	ms_free(&m->alloc, claim);
	return 0;
}

void ms_iomem_set_strict(struct ms_machine *m, enum ms_iomem_strict strict)
{
	if (m)
		m->drivers->strict = strict;
}

struct ms_iomem_file *ms_iomem_file_open(struct ms_machine *m, const struct ms_file_ops *ops,
					 unsigned int fmode, uint64_t max_bytes, const void *key)
{
	struct ms_iomem_file *f = ms_zalloc(&m->alloc, sizeof(*f));

	if (!f)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	f->file = ms_file_new(m, ops, fmode, max_bytes, key ? key : &m->drivers->iomem_files, f);
	if (!f->file) {
		ms_free(&m->alloc, f);
		return NULL;
	}
	LIST_INSERT_HEAD(&m->drivers->iomem_files, f, link);
	return f;
}

void ms_iomem_file_release(struct ms_file *file)
{
	struct ms_iomem_file *f = ms_file_priv(file);

	LIST_REMOVE(f, link);
	if (f->shared)
		ms_shared_file_forget(f);
	ms_free(&ms_file_machine(file)->alloc, f);
}

void ms_claims_destroy(struct ms_machine *m)
{
	struct ms_claim *claim;

	while ((claim = RB_MIN(ms_claims, &m->drivers->claims))) {
		RB_REMOVE(ms_claims, &m->drivers->claims, claim);
		ms_free(&m->alloc, claim);
	}
}
