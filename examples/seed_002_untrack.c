/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "mm/x86/pat: Only untrack the pfn range if unmap region" (2024): any zap of any part gives the
 * memory type of the whole mapping back. Moving that to the unmap helps a driver that maps the same
 * page again, and harms one that maps another page: the reservation is looked for under the page
 * that is there last.
 */
#include "seed.h"

#define PFN1 UINT64_C(0xfd000)

/* The driver maps pfn1 write-combining in mmap; its fault handler inserts whatever page it is told
 * to. */
static ms_vm_fault_t backend_fault(struct ms_vm_fault *vmf)
{
	const ms_pfn_t *pfn = vmf->vma->vm_private_data;

	return ms_vmf_insert_pfn(vmf->vma, vmf->address, *pfn);
}

static const struct ms_vm_ops backend_ops = { .fault = backend_fault };

static int backend_mmap(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_ops = &backend_ops;
	vma->vm_private_data = ms_file_priv(file);
	vma->vm_page_prot = ms_pgprot_writecombine(vma->vm_page_prot);
	return ms_remap_pfn_range(vma, vma->vm_start, PFN1, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static const struct ms_file_ops backend_fops = { .name = "backend", .mmap = backend_mmap };

struct outcome {
	enum ms_cache after_refault; /* of the entry */
	size_t leaked;
	int freed_wrong; /* errno of the last memtype_free */
};

static struct outcome play(const char *name, const struct ms_policy *policy, ms_pfn_t pfn2)
{
	static const char *const types[] = { "WB", "WC", "UC-", "UC", "WT", "WP" };
	struct seed s = seed_new(policy, NULL, PFN1 * PAGE, 4 * PAGE);
	struct ms_file *f =
		ms_file_new(s.m, &backend_fops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, &pfn2);
	struct ms_host_leaf leaf;
	struct ms_memtype entry;
	struct outcome out = { 0 };
	const struct ms_event *freed;

	printf("%s: map pfn %#" PRIx64 " WC, zap, %s, unmap\n", name, PFN1,
	       pfn2 == PFN1 ? "fault it in again"
	       : pfn2       ? "fault another page in"
			    : "touch nothing");
	seed_map(&s, f, 0, PAGE);
	ms_unmap_mapping_range(f, 0, 0, true);
	if (pfn2) {
		EXPECT(ms_touch(s.mm, HVA, MS_PROT_R) == MS_ACCESS_OK);
		EXPECT(ms_host_leaf(s.mm, HVA, &leaf));
		out.after_refault = ms_pgprot_cache(leaf.entry);
		printf("    pfn %#" PRIx64 " is mapped %s\n", pfn2, types[out.after_refault]);
	}
	EXPECT(!ms_munmap(s.mm, HVA, PAGE));
	freed = ms_trace_last(s.m, MS_EV_PAT_FREE);
	out.freed_wrong = freed ? freed->ret : 0;
	while (ms_memtype_get(s.m, out.leaked, &entry))
		out.leaked++;
	printf("    left on the memtype list: %zu%s\n", out.leaked,
	       out.freed_wrong ? ", after \"freeing invalid memtype\"" : "");
	ms_machine_free(s.m);
	return out;
}

int main(void)
{
	struct ms_policy proposed = *ms_policy_linux("6.12.117", MS_ARCH_X86_64);
	const char *release;
	struct outcome o;

	EXPECT(!ms_policy_set(&proposed, "untrack_at", "UNMAP_ONLY"));

	// the same page again: the proposal keeps the type
	EXPECT(play("proposed", &proposed, PFN1).after_refault == MS_CACHE_WC);
	// another page: it frees under the wrong address, and pfn1's type stays for ever
	o = play("proposed", &proposed, PFN1 + 1);
	EXPECT(o.leaked == 1 && o.freed_wrong);
	// no page: it finds nothing to go by
	EXPECT(play("proposed", &proposed, 0).leaked == 1);

	// kernels lose the type with the zap, or keep it as long as the VMA; none leaks it
	for (size_t i = 0; (release = ms_release_recorded(i, MS_ARCH_X86_64)); i++) {
		const struct ms_policy *k = ms_policy_linux(release, MS_ARCH_X86_64);

		EXPECT(play(release, k, PFN1).after_refault ==
		       (k->untrack_at == MS_UNTRACK_AT_ANY_ZAP ? MS_CACHE_UC_MINUS : MS_CACHE_WC));
		EXPECT(play(release, k, PFN1 + 1).leaked == 0);
		EXPECT(play(release, k, 0).leaked == 0);
	}
	return 0;
}
