/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of drivers an operation can notice. Files have their numbers already, where somebody can
 * reach them; devices have theirs from lib/phys. The order of these lists is nobody's, but for the
 * VMAs of a vfio device, which are zapped in the order of their list.
 */
#include "core/hash.h"
#include "drivers/internal.h"

static void add_iomem_files(struct ms_hash *h, const struct ms_drivers *d)
{
	const struct ms_iomem_file *f;
	uint64_t sum = 0;

	LIST_FOREACH (f, &d->iomem_files, link) {
		const uint64_t outer = ms_hash_apart(h);

		ms_hash_known(h, ms_hash_object(f->file));
		ms_hash_known(h, ms_hash_object(f->bar));
		ms_hash_add(h, f->write_combine << 2 | f->shared << 1 | f->o_sync);
		sum += ms_hash_apart_end(h, outer);
	}
	ms_hash_add(h, sum);
}

static void add_vfio(struct ms_hash *h, const struct ms_vfio *dev)
{
	const struct ms_vfio_vma *v;

	ms_hash_known(h, ms_hash_object(dev->bar));
	ms_hash_add(h, (uint64_t)dev->index << 32 | dev->opened);
	ms_hash_add(h, (uint64_t)(uint32_t)dev->map_error << 8 | dev->memory_enabled << 4 |
			       dev->prepopulate << 3 | dev->mapped << 2 | dev->memory_locked << 1 |
			       dev->vma_locked);
	ms_hash_add(h, dev->memory_readers);
	TAILQ_FOREACH (v, &dev->vmas, link)
		ms_hash_known(h, ms_hash_object(v->vma));
}

static void add_vfio_devices(struct ms_hash *h, const struct ms_drivers *d)
{
	const struct ms_vfio_file *f;
	const struct ms_vfio_bar *b;
	const struct ms_vfio *dev;
	uint64_t sum = 0, outer;

	LIST_FOREACH (dev, &d->vfio_devices, link) {
		outer = ms_hash_apart(h);
		add_vfio(h, dev);
		sum += ms_hash_apart_end(h, outer);
	}
	LIST_FOREACH (f, &d->vfio_files, link) {
		outer = ms_hash_apart(h);
		ms_hash_known(h, ms_hash_object(f->file));
		ms_hash_known(h, ms_hash_object(f->dev->bar));
		sum += ms_hash_apart_end(h, outer);
	}
	LIST_FOREACH (b, &d->vfio_bars, link) {
		outer = ms_hash_apart(h);
		ms_hash_known(h, ms_hash_object(b->of));
		ms_hash_known(h, ms_hash_object(b->bar));
		ms_hash_add(h, (uint64_t)b->index << 1 | b->mapped);
		sum += ms_hash_apart_end(h, outer);
	}
	ms_hash_add(h, sum);
}

static void add_claims(struct ms_hash *h, const struct ms_claim *claim)
{
	if (!claim)
		return;
	add_claims(h, RB_LEFT(claim, node));
	ms_hash_add(h, claim->start);
	ms_hash_add(h, claim->end);
	add_claims(h, RB_RIGHT(claim, node));
}

void ms_drivers_hash(struct ms_hash *h)
{
	const struct ms_drivers *d = h->machine->drivers;

	add_iomem_files(h, d);
	add_vfio_devices(h, d);
	ms_pieces_hash(h);
	ms_lazy_hash(h);
	add_claims(h, RB_ROOT(&d->claims));
	ms_hash_add(h, d->strict);
}
