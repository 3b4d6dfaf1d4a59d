/* SPDX-License-Identifier: GPL-2.0-only */
/* The two formats of an entry. Of EPT everything here is from the kernel's sources alone. */
#include "mmu.h"

enum { EPT_UC = 0, EPT_WC = 1, EPT_WT = 4, EPT_WP = 5, EPT_WB = 6 };

#define EPT_X TDP_BIT(2)
#define EPT_ACCESSED TDP_BIT(8)
#define EPT_DIRTY TDP_BIT(9)
#define EPT_USER_X TDP_BIT(10)
#define EPT_SUPPRESS_VE TDP_BIT(63)
#define EPT_AD_DISABLED TDP_BIT(60)

// mirrors kvm_mmu_reset_all_pte_masks(), arch/x86/kvm/mmu/spte.c, 6.1+
static void format_npt(struct tdp_format *f, const struct ms_tdp_config *config)
{
	f->leaf = TDP_PRESENT | TDP_R | NPT_USER;
	f->table = f->leaf | TDP_W | NPT_ACCESSED;
	f->nx = NPT_NX;
	f->host_writable = NPT_HOST_WRITABLE;
	f->mmu_writable = NPT_MMU_WRITABLE;
	f->accessed = NPT_ACCESSED;
	f->dirty = NPT_DIRTY;
	if (config->pa_bits < 52) // else no address bit is free
		f->mmio_value = TDP_BIT(51) | TDP_R;
	f->mmio_mask = f->mmio_value;
	f->mmio_rights = TDP_W | NPT_USER;
}

/* Where the CPU has no accessed bits, rights are the accessed bit: they are put by, and come back
 * with the next access. */
static void track_accesses(struct tdp_format *f, const struct ms_tdp_config *config)
{
	f->leaf |= EPT_AD_DISABLED;
	f->table |= EPT_AD_DISABLED;
	f->track = TDP_R | TDP_W | f->x;
	f->saved = TDP_R | f->x;
	f->saved_shift = config->user_exec ? 52 : 54;
}

// mirrors kvm_mmu_set_ept_masks(), arch/x86/kvm/mmu/spte.c, 6.1+
static void format_ept(struct tdp_format *f, const struct ms_tdp_config *config)
{
	uint64_t always = TDP_PRESENT | TDP_R | (config->suppress_ve ? EPT_SUPPRESS_VE : 0);

	f->ept = true;
	f->leaf = always;
	f->x = EPT_X | (config->user_exec ? EPT_USER_X : 0);
	f->table = always | TDP_W | f->x;
	f->host_writable = TDP_BIT(config->user_exec ? 53 : 57);
	f->mmu_writable = TDP_BIT(config->user_exec ? 55 : 58);
	if (config->ad_bits || config->keeps_ad) {
		f->accessed = EPT_ACCESSED;
		f->dirty = EPT_DIRTY;
	}
	if (config->ad_bits)
		f->table |= EPT_ACCESSED;
	else
		track_accesses(f, config);
	f->mmio_value = TDP_W | EPT_X; // writable and not readable: the CPU calls it misconfigured
	f->mmio_mask = TDP_R | TDP_W | EPT_X | (config->suppress_ve ? EPT_SUPPRESS_VE : 0);
}

/* How marks hold an address: as it is, but for the bits that keep the CPU from looking into its
 * caches; those are set, and what they hide stands five bits further up. */
static void format_marks(struct tdp_format *f, const struct ms_tdp_config *config)
{
	unsigned int low_bits = config->l1tf_bits ? config->l1tf_bits - 5 : config->pa_bits;

	f->gen_low_bits = config->user_exec ? 7 : 8;
	f->mmio_low_gpa = TDP_FIELD(12, low_bits - 1);
	if (config->l1tf_bits)
		f->mmio_l1tf = TDP_FIELD(low_bits, config->l1tf_bits - 1);
}

/* A leaf without address and memory type; UINT64_MAX: there is no such leaf.
 * mirrors make_spte(), arch/x86/kvm/mmu/spte.c, 6.1+: what an entry is made of
 * mirrors check_spte_writable_invariants(), arch/x86/kvm/mmu/spte.h, 6.1+ */
static uint64_t leaf_of(const struct tdp_format *f, unsigned int attr)
{
	bool host = attr & MS_TDP_HOST_WRITABLE, mmu = attr & MS_TDP_MMU_WRITABLE;
	uint64_t w = f->leaf;

	if (!(attr & MS_PROT_R) || ((attr & MS_PROT_W) && !mmu) || (mmu && !host))
		return UINT64_MAX;
	w |= attr & MS_PROT_X ? f->x : f->nx;
	if (attr & MS_PROT_W)
		w |= TDP_W;
	if (host)
		w |= f->host_writable;
	if (mmu)
		w |= f->mmu_writable;
	if (attr & MS_TDP_DIRTY)
		w |= f->dirty;
	return attr & MS_TDP_ACCESSED ? w | f->accessed : leaf_mark_old(f, w);
}

static void prepare_attributes(struct tdp_format *f)
{
	for (unsigned int i = 0; i < TDP_ATTR_VALUES; i++)
		f->attr[i] = leaf_of(f, (i & 7) | (i & 0x78) << 5);
}

// mirrors vmx_get_mt_mask(), arch/x86/kvm/vmx/vmx.c, 6.1+: what an entry can say
static void prepare_memory_types(struct tdp_format *f)
{
	static const uint8_t of_ept[] = {
		[MS_CACHE_WB] = EPT_WB, [MS_CACHE_WC] = EPT_WC, [MS_CACHE_UC] = EPT_UC,
		[MS_CACHE_WT] = EPT_WT, [MS_CACHE_WP] = EPT_WP,
	};

	for (unsigned int i = 0; i < TDP_MEMTYPE_VALUES; i++)
		f->memtype[i] = UINT64_MAX;
	if (!f->ept)
		f->memtype[MS_CACHE_WB] = 0;
	for (unsigned int i = 0; f->ept && i <= MS_CACHE_WP; i++) {
		if (i == MS_CACHE_UC_MINUS)
			continue;
		f->memtype[i] = (uint64_t)of_ept[i] << EPT_MEMTYPE_SHIFT;
		f->memtype[i | 8] = f->memtype[i] | EPT_IGNORE_PAT;
	}
}

struct tdp_format ms_tdp_format(const struct ms_tdp_config *config)
{
	struct tdp_format f = { .empty = config->suppress_ve ? EPT_SUPPRESS_VE : 0 };

	if (config->format == MS_TDP_NPT)
		format_npt(&f, config);
	else
		format_ept(&f, config);
	f.known = f.leaf | TDP_R | TDP_W | f.nx | f.x | f.host_writable | f.mmu_writable |
		  f.accessed | f.dirty | f.saved << f.saved_shift;
	if (f.ept)
		f.known |= EPT_MEMTYPE | EPT_IGNORE_PAT;
	format_marks(&f, config);
	prepare_attributes(&f);
	prepare_memory_types(&f);
	return f;
}

// mirrors make_mmio_spte(), arch/x86/kvm/mmu/spte.c, 6.1+
uint64_t ms_tdp_make_mark(const struct tdp_format *f, ms_ipa_t ipa, uint64_t generation)
{
	unsigned int low = f->gen_low_bits;

	return f->mmio_value | f->mmio_rights | (generation & (TDP_BIT(low) - 1)) << 3 |
	       (generation >> low & 0x7ff) << 52 | ipa | f->mmio_l1tf | (ipa & f->mmio_l1tf) << 5;
}

// mirrors get_mmio_spte_gfn(), arch/x86/kvm/mmu/mmu.c, 6.1+
ms_ipa_t ms_tdp_mark_ipa(const struct tdp_format *f, uint64_t w)
{
	return (w & f->mmio_low_gpa) | (w >> 5 & f->mmio_l1tf);
}

// mirrors get_mmio_spte_generation(), arch/x86/kvm/mmu/spte.h, 6.1+
uint64_t ms_tdp_mark_generation(const struct tdp_format *f, uint64_t w)
{
	unsigned int low = f->gen_low_bits;

	return (w >> 3 & (TDP_BIT(low) - 1)) | (w >> 52 & 0x7ff) << low;
}
