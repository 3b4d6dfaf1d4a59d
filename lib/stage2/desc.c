/* SPDX-License-Identifier: GPL-2.0-only */
/* Permissions and memory types to descriptor bits and back. */
#include "desc.h"

/* Device-nGnRE and Normal-NC have one encoding with and without FWB, Normal-WB has two. */
enum { MEMATTR_DEVICE = 0x1, MEMATTR_NC = 0x5, MEMATTR_WB = 0xf, MEMATTR_FWB_WB = 0x6 };

static uint64_t memattr(unsigned int value)
{
	return (uint64_t)value << DESC_MEMATTR_SHIFT;
}

static uint64_t bits(unsigned int from, unsigned int to)
{
	return (UINT64_C(1) << to) - (UINT64_C(1) << from);
}

// mirrors kvm_phys_to_pte(), arch/arm64/kvm/hyp/pgtable.c, 5.10 .. 6.1; kvm_phys_to_pte(),
// arch/arm64/include/asm/kvm_pgtable.h, 6.12+
static void place_address(struct s2_format *f, const struct s2_geometry *g)
{
	bool lpa2 = g->page_shift < 16 && g->ipa_limit > UINT64_C(1) << 48;

	f->pa_mask = bits(g->page_shift, lpa2 ? 50 : 48);
	f->plain_limit = UINT64_C(1) << (lpa2 ? 50 : 48);
	f->pa_limit = UINT64_C(1) << (lpa2 || g->page_shift == 16 ? 52 : 48);
	f->shareability = lpa2 ? 0 : DESC_SH_INNER;
	if (lpa2) {
		f->hi_from = 50;
		f->hi_to = 8;
		f->hi_mask = 0x3;
	} else if (g->page_shift == 16) {
		f->hi_from = 48;
		f->hi_to = 12;
		f->hi_mask = 0xf;
	}
}

struct s2_format ms_s2_format(const struct s2_geometry *g, bool fwb, bool xn_two_bits)
{
	struct s2_format f = {
		.xn_mask = xn_two_bits ? DESC_XN | DESC_XN0 : DESC_XN,
		.normal = memattr(fwb ? MEMATTR_FWB_WB : MEMATTR_WB),
		.normal_nc = memattr(MEMATTR_NC),
	};

	place_address(&f, g);
	f.perms = DESC_R | DESC_W | f.xn_mask;
	return f;
}

static bool executable_at_el1(unsigned int prot)
{
	return prot & (MS_PROT_X | MS_PROT_PX);
}

static bool executable_at_el0(unsigned int prot)
{
	return prot & (MS_PROT_X | MS_PROT_UX);
}

/* false: prot allows execution at one exception level only, and the table has one bit for both.
 * mirrors stage2_set_xn_attr(), arch/arm64/kvm/hyp/pgtable.c, 6.19+ */
static bool prot_to_xn(const struct s2_format *f, unsigned int prot, uint64_t *xn)
{
	bool px = executable_at_el1(prot), ux = executable_at_el0(prot);

	if (px != ux && f->xn_mask == DESC_XN)
		return false;
	if (px)
		*xn = ux ? 0 : DESC_XN | DESC_XN0;
	else
		*xn = ux ? DESC_XN0 : DESC_XN;
	return true;
}

// mirrors stage2_map_set_prot_attr(), arch/arm64/kvm/hyp/pgtable.c, 5.10 .. 5.10;
// stage2_set_prot_attr(), arch/arm64/kvm/hyp/pgtable.c, 6.1+
uint64_t ms_s2_prot_to_attr(const struct s2_format *f, unsigned int prot)
{
	unsigned int uncached = prot & (MS_PROT_DEVICE | MS_PROT_NORMAL_NC);
	uint64_t attr = f->normal, xn;

	if (uncached == (MS_PROT_DEVICE | MS_PROT_NORMAL_NC))
		return 0;
	if (uncached && (executable_at_el1(prot) || executable_at_el0(prot)))
		return 0;
	if (!prot_to_xn(f, prot, &xn))
		return 0;
	if (uncached)
		attr = uncached == MS_PROT_DEVICE ? memattr(MEMATTR_DEVICE) : f->normal_nc;
	attr |= xn | f->shareability | DESC_AF;
	if (prot & MS_PROT_R)
		attr |= DESC_R;
	if (prot & MS_PROT_W)
		attr |= DESC_W;
	return attr;
}

static unsigned int xn_to_prot(const struct s2_format *f, uint64_t d)
{
	uint64_t xn = d & f->xn_mask;

	if (xn == 0)
		return MS_PROT_X;
	if (xn == DESC_XN0)
		return MS_PROT_UX;
	return xn == DESC_XN ? 0 : MS_PROT_PX;
}

/* Unlike the kernel's function it also tells the memory type.
 * mirrors kvm_pgtable_stage2_pte_prot(), arch/arm64/kvm/hyp/pgtable.c, 6.1+ */
unsigned int ms_s2_desc_to_prot(const struct s2_format *f, uint64_t d)
{
	unsigned int prot = xn_to_prot(f, d);

	if (d & DESC_R)
		prot |= MS_PROT_R;
	if (d & DESC_W)
		prot |= MS_PROT_W;
	if ((d & DESC_MEMATTR) == f->normal_nc)
		prot |= MS_PROT_NORMAL_NC;
	else if ((d & DESC_MEMATTR) != f->normal)
		prot |= MS_PROT_DEVICE;
	return prot;
}
