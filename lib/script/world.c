/* SPDX-License-Identifier: GPL-2.0-only */
/* From a header to a machine: the kernel, the header of a script that has none, devices and RAM. */
#include "script/internal.h"

#include <stdlib.h>

/* The recorders' machines, which a script without a header is played on: the config line before and
 * after the value of thp, then the rest. */
static const char *const arm64_lines[] = {
	"config page_size=4096 va_bits=48 ipa_bits=40 thp=",
	" cpu=max,lpa2=off,sve=off,pauth-impdef=on fwb=1 dic=0 idc=0",
	"device huge pa=0x8000000000 size=0x100000000 prefetchable=1",
	"device big pa=0x8100000000 size=0x1000000 prefetchable=1",
	"device small pa=0x8101000000 size=0x10000 prefetchable=1",
	"ram pa=0x40000000 size=0xc0000000",
	NULL,
};

static const char *const x86_64_lines[] = {
	"config page_size=4096 va_bits=48 pa_bits=40 pat=on thp=",
	" cpu=max,la57=off",
	"device big pa=0x180000000 size=0x800000 prefetchable=1 mtrr=WB",
	"device small pa=0x180800000 size=0x10000 prefetchable=1 mtrr=WB",
	"device regs pa=0xfea00000 size=0x100000 prefetchable=0 mtrr=UC",
	"device huge pa=0x100000000 size=0x80000000 prefetchable=1 mtrr=WB",
	"ram pa=0x1000 size=0x9ec00",
	"ram pa=0x100000 size=0x3fee0000",
	NULL,
};

/* The largest IPA space of the recorders' CPUs, which the header does not tell. */
#define HOST_IPA_BITS 48u
#define DEFAULT_VM_IPA_BITS 40u

static const char *newest_release(enum ms_arch arch)
{
	const struct ms_policy *policy;
	const char *release = NULL;

	for (size_t i = 0; (policy = ms_policy_get(i)); i++) {
		if (policy->arch == arch)
			release = policy->release;
	}
	return release;
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
	fprintf(out, "%s%s%s", line[0], ms_named_of(ms_thp_modes, thp), line[1]);
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

int ms_header_finish(struct ms_header *h, uint64_t line, struct ms_script_error *err)
{
	const struct ms_machine_config *config = &h->config;

	h->policy = ms_policy_linux(h->release, h->arch);
	if (!h->policy)
		return ms_script_fail(err, line, "kernel: no rules are known for %s %s", h->release,
				      ms_arch_name(h->arch));
	ms_header_pools(h);
	if (!h->vm_ipa_bits)
		h->vm_ipa_bits = DEFAULT_VM_IPA_BITS;
	h->config.ipa_bits = h->vm_ipa_bits > HOST_IPA_BITS ? h->vm_ipa_bits : HOST_IPA_BITS;
	snprintf(h->label, sizeof(h->label), "%s %s%s%s", h->release, ms_arch_name(h->arch),
		 config->page_size == 16384   ? " 16k"
		 : config->page_size == 65536 ? " 64k"
					      : "",
		 config->dic ? " dic" : "");
	return 0;
}

static int add_device(struct ms_machine *m, const struct ms_header_device *header,
		      struct ms_script_error *err)
{
	struct ms_device *dev = ms_device_add(m, header->name, header->pa, header->size);

	if (!dev)
		return ms_script_fail(err, 0,
				      "device %.40s is empty, wraps, overlaps, or lies too high",
				      header->name);
	ms_device_set_prefetchable(dev, header->prefetchable);
	if (header->has_mtrr)
		ms_device_set_mtrr(dev, header->mtrr);
	return 0;
}

static int populate(struct ms_machine *m, const struct ms_header *h, struct ms_script_error *err)
{
	for (size_t i = 0; i < h->nr_devices; i++) {
		int ret = add_device(m, &h->device[i], err);

		if (ret)
			return ret;
	}
	for (size_t i = 0; i < h->nr_ram; i++) {
		int ret = ms_ram_add(m, h->ram[i].pa, h->ram[i].size);

		if (ret)
			return ms_script_fail(err, 0, "ram at 0x%llx is refused: %s",
					      (unsigned long long)h->ram[i].pa, strerror(-ret));
	}
	return 0;
}

struct ms_machine *ms_header_machine(const struct ms_header *h, struct ms_script_error *err)
{
	struct ms_machine *m = ms_machine_new_config(h->policy, &h->config);

	if (!m) {
		ms_script_fail(err, 0, "the header's config is not one of a machine");
		return NULL;
	}
	if (!populate(m, h, err))
		return m;
	ms_machine_free(m);
	return NULL;
}
