/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes a machine from a header, and the header of a script that has none. */
#include "script/internal.h"

#include <stdlib.h>

#define LAPIC_PA UINT64_C(0xfee00000)
#define LAPIC_SIZE UINT64_C(0x1000)

/*
 * The machines on which the recordings were made, as header lines: a script without a header is
 * played on these. The config line is in two parts, between which the value of thp is put.
 */
static const char *const arm64_lines[] = {
	"config page_size=4096 va_bits=48 ipa_bits=40 thp=",
	" cpu=max,lpa2=off,sve=off,pauth-impdef=on fwb=1 dic=0 idc=0 mmap_min_addr=32768"
	" hugetlb64k=16 hugetlb2m=16 hugetlb32m=2 hugetlb1g=1",
	"device huge pa=0x8000000000 size=0x100000000 prefetchable=1",
	"device big pa=0x8100000000 size=0x1000000 prefetchable=1",
	"device small pa=0x8101000000 size=0x10000 prefetchable=1",
	"ram pa=0x40000000 size=0xc0000000",
	NULL,
};

static const char *const x86_64_lines[] = {
	"config page_size=4096 va_bits=48 pa_bits=40 pat=on thp=",
	" cpu=max,la57=off,+svm,+npt pku=1 mmap_min_addr=65536 hugetlb2m=16 hugetlb1g=1",
	"device big pa=0x180000000 size=0x800000 prefetchable=1 mtrr=WB",
	"device small pa=0x180800000 size=0x10000 prefetchable=1 mtrr=WB",
	"device regs pa=0xfea00000 size=0x100000 prefetchable=0 mtrr=UC",
	"device huge pa=0x100000000 size=0x80000000 prefetchable=1 mtrr=WB",
	"bar big index=0 pa=0xfeb00000 size=0x100",
	"bar small index=0 pa=0xfeb01000 size=0x100",
	"bar huge index=0 pa=0xfeb02000 size=0x100",
	"ram pa=0x1000 size=0x9ec00",
	"ram pa=0x100000 size=0x3fee0000",
	"mtrr pa=0x0 size=0x10000000000 type=WB",
	"mtrr pa=0xc0000000 size=0x40000000 type=UC",
	"mtrr pa=0xa0000 size=0x60000 type=WP",
	"mtrr pa=0xa0000 size=0x20000 type=UC",
	NULL,
};

/*
 * Each device of the x86 recordings has another BAR, which the headers of the earliest ones do not
 * name. The firmware put them one page after the other, in the order of the devices; only the
 * second was seen in a recording, the others follow from it.
 */
static const struct recorder_bar {
	const char *device;
	ms_pa_t device_pa, pa;
} recorder_bars[] = {
	{ "big", 0x180000000, 0xfeb00000 },
	{ "small", 0x180800000, 0xfeb01000 },
	{ "huge", 0x100000000, 0xfeb02000 },
};

/* The largest IPA space of the CPU that recorded; no header says it. */
#define HOST_IPA_BITS 48u
#define DEFAULT_VM_IPA_BITS 40u

/* The newest release that was recorded. */
static const char *newest_release(enum ms_arch arch)
{
	size_t n = 0;

	while (ms_release_recorded(n + 1, arch))
		n++;
	return ms_release_recorded(n, arch);
}

char *ms_header_default(enum ms_arch arch, enum ms_thp_mode thp)
{
	const char *const *line = arch == MS_ARCH_ARM64 ? arm64_lines : x86_64_lines;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "mapsim-recording 1\nkernel %s %s\n", newest_release(arch),
		ms_arch_name(arch));
	fprintf(out, "%s%s%s", line[0], ms_named_of(ms_thp_modes, thp ? thp : MS_THP_ALWAYS),
		line[1]);
	for (line += 2; *line; line++)
		fprintf(out, "\n%s", *line);
	fprintf(out, "\n");
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

int ms_header_kernel(struct ms_header *h, const struct ms_script_kernel *kernel,
		     struct ms_script_error *err)
{
	if (!kernel)
		return 0;
	if (kernel->arch &&
	    !ms_arch_parse((struct ms_word){ kernel->arch, strlen(kernel->arch) }, &h->arch))
		return ms_script_fail(err, 0, "unknown architecture \"%.40s\"", kernel->arch);
	if (!kernel->release)
		return 0;
	if (strlen(kernel->release) >= sizeof(h->release))
		return ms_script_fail(err, 0, "not a release \"%.40s\"", kernel->release);
	strcpy(h->release, kernel->release);
	return 0;
}

static void add_recorder_bars(struct ms_header *h)
{
	for (size_t i = 0; i < sizeof(recorder_bars) / sizeof(recorder_bars[0]); i++) {
		const struct recorder_bar *known = &recorder_bars[i];

		for (size_t k = 0; k < h->nr_devices; k++) {
			if (!strcmp(h->device[k].name, known->device) &&
			    h->device[k].pa == known->device_pa)
				h->bar[h->nr_bars++] = (struct ms_header_bar){
					.device = k,
					.pa = known->pa,
					.size = 0x100,
					.assumed = true,
				};
		}
	}
}

int ms_header_finish(struct ms_header *h, uint64_t line, struct ms_script_error *err)
{
	const struct ms_machine_config *config = &h->config;

	struct ms_release known = ms_release_known(h->release, h->arch);

	if (!known.policy)
		return ms_script_fail(err, line, "kernel %s: %s", h->release, known.text);
	h->policy = *known.policy;
	if (h->rules)
		ms_policy_set_lines(&h->policy, h->rules, NULL); // the reader has tried each
	if (!h->nr_bars && h->arch == MS_ARCH_X86_64)
		add_recorder_bars(h);
	ms_header_pools(h);
	if (!h->vm_ipa_bits)
		h->vm_ipa_bits = DEFAULT_VM_IPA_BITS;
	h->config.ipa_bits = h->vm_ipa_bits > HOST_IPA_BITS ? h->vm_ipa_bits : HOST_IPA_BITS;
	snprintf(h->label, sizeof(h->label), "%s %s%s%s%s", h->release, ms_arch_name(h->arch),
		 config->page_size == 16384   ? " 16k"
		 : config->page_size == 65536 ? " 64k"
					      : "",
		 config->dic == MS_FEATURE_PRESENT ? " dic" : "",
		 h->svm && h->arch == MS_ARCH_X86_64 ? " kvm" : "");
	return 0;
}

static int add_device(struct ms_machine *m, const struct ms_header_device *header,
		      struct ms_script_error *err)
{
	struct ms_device *dev = ms_device_add(m, header->name, header->pa, header->size);

	if (!dev)
		return ms_script_fail(err, 0, "device %.40s is refused: %s", header->name,
				      ms_last_reason(m));
	ms_device_set_prefetchable(dev, header->prefetchable);
	if (header->has_mtrr)
		ms_device_set_mtrr(dev, header->mtrr);
	return 0;
}

/* Adds another BAR as a device. Its name has a blank, so that no operation can name it. */
static int add_bar(struct ms_machine *m, const struct ms_header *h, const struct ms_header_bar *bar,
		   struct ms_script_error *err)
{
	struct ms_device *of = ms_device_find(m, h->device[bar->device].name), *dev;
	char name[32];

	snprintf(name, sizeof(name), "BAR at 0x%llx", (unsigned long long)bar->pa);
	dev = ms_device_add(m, name, bar->pa, bar->size);
	if (dev && !ms_vfio_add_bar(of, bar->index, dev))
		return 0;
	if (bar->assumed)
		return 0;
	return ms_script_fail(err, 0, "%s is refused: %s", name, ms_last_reason(m));
}

/* x86: claims the registers of the local APIC, on kernels that have them as a busy resource. */
static int claim_lapic(struct ms_machine *m, const struct ms_header *h, struct ms_script_error *err)
{
	if (h->arch != MS_ARCH_X86_64 || h->policy.lapic_resource != MS_LAPIC_RESOURCE_BUSY)
		return 0;
	// where the header has something else at that address, that counts
	if (ms_iomem_claim(m, LAPIC_PA, LAPIC_SIZE) != -ENOMEM)
		return 0;
	return ms_script_no_memory(err);
}

static int populate(struct ms_machine *m, const struct ms_header *h, struct ms_script_error *err)
{
	for (size_t i = 0; i < h->nr_devices; i++) {
		int ret = add_device(m, &h->device[i], err);

		if (ret)
			return ret;
	}
	for (size_t i = 0; i < h->nr_ram; i++) {
		if (ms_ram_add(m, h->ram[i].pa, h->ram[i].size))
			return ms_script_fail(err, 0, "ram at 0x%llx is refused: %s",
					      (unsigned long long)h->ram[i].pa, ms_last_reason(m));
	}
	for (size_t i = 0; i < h->nr_bars; i++) {
		int ret = add_bar(m, h, &h->bar[i], err);

		if (ret)
			return ret;
	}
	for (size_t i = 0; i < h->nr_mtrr; i++) {
		if (ms_mtrr_add(m, h->mtrr[i].pa, h->mtrr[i].size, h->mtrr[i].type))
			return ms_script_fail(err, 0, "mtrr at 0x%llx is refused: %s",
					      (unsigned long long)h->mtrr[i].pa, ms_last_reason(m));
	}
	return claim_lapic(m, h, err);
}

struct ms_machine *ms_header_machine(const struct ms_header *h, struct ms_script_error *err)
{
	struct ms_machine *m = ms_machine_new_config(&h->policy, &h->config);
	const char *why;
	int ret;

	if (!m) {
		why = ms_machine_refusal(&h->policy, &h->config);
		if (!why)
			return ms_script_null(ms_script_no_memory(err));
		return ms_script_null(ms_script_fail(err, 0, "the header's config: %s", why));
	}
	if (!populate(m, h, err))
		return m;
	ret = ms_last_refusal(m).err;
	ms_machine_free(m);
	return ms_script_null(ret);
}
