/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the header of a script. world.c makes a machine of it. */
#include "script/internal.h"

#include <stdlib.h>

/* The keys of the config line. */
enum config_key {
	CK_PAGE_SIZE,
	CK_VA_BITS,
	CK_IPA_BITS,
	CK_PA_BITS,
	CK_PAT,
	CK_THP,
	CK_CPU,
	CK_FWB,
	CK_DIC,
	CK_IDC,
	CK_PKU,
	CK_MMAP_MIN_ADDR,
	CK_HUGETLB_64K,
	CK_HUGETLB_2M,
	CK_HUGETLB_32M,
	CK_HUGETLB_1G,
	CK_KEYS
};
static const struct {
	const char *name;
	unsigned int least, most; /* of a number; both 0: the value is a word or free text */
} config_keys[CK_KEYS] = {
	[CK_PAGE_SIZE] = { "page_size", 4096, 65536 },
	[CK_VA_BITS] = { "va_bits", 36, 52 },
	[CK_IPA_BITS] = { "ipa_bits", 32, 52 },
	[CK_PA_BITS] = { "pa_bits", 32, 52 },
	[CK_PAT] = { "pat", 0, 0 },
	[CK_THP] = { "thp", 0, 0 },
	[CK_CPU] = { "cpu", 0, 0 },
	[CK_FWB] = { "fwb", 0, 1 },
	[CK_DIC] = { "dic", 0, 1 },
	[CK_IDC] = { "idc", 0, 1 },
	[CK_PKU] = { "pku", 0, 1 },
	[CK_MMAP_MIN_ADDR] = { "mmap_min_addr", 1, 1u << 30 },
	[CK_HUGETLB_64K] = { "hugetlb64k", 0, UINT32_MAX },
	[CK_HUGETLB_2M] = { "hugetlb2m", 0, UINT32_MAX },
	[CK_HUGETLB_32M] = { "hugetlb32m", 0, UINT32_MAX },
	[CK_HUGETLB_1G] = { "hugetlb1g", 0, UINT32_MAX },
};

/*
 * The pools of huge pages on the machines where the recordings were made. A machine ignores those
 * of sizes that it does not have.
 */
static const struct ms_hugetlb_pages recorders_pools[MS_HUGETLB_SIZES] = {
	{ 16 * MS_4K, 16 },
	{ MS_2M, 16 },
	{ 16 * MS_2M, 2 },
	{ MS_1G, 1 },
};

void ms_header_pools(struct ms_header *h)
{
	for (unsigned int i = 0; i < MS_HUGETLB_SIZES; i++) {
		if (!h->config.hugetlb[i].size)
			h->config.hugetlb[i] = recorders_pools[i];
	}
}

const struct ms_named ms_thp_modes[] = {
	{ "always", MS_THP_ALWAYS },
	{ "madvise", MS_THP_MADVISE },
	{ "never", MS_THP_NEVER },
	{ NULL, 0 },
};

const struct ms_named ms_shmem_modes[] = {
	{ "always", MS_THP_ALWAYS },
	{ "within_size", MS_THP_WITHIN_SIZE },
	{ "advise", MS_THP_MADVISE },
	{ "never", MS_THP_NEVER },
	{ "deny", MS_THP_DENY },
	{ "force", MS_THP_FORCE },
	{ NULL, 0 },
};

bool ms_arch_parse(struct ms_word word, enum ms_arch *arch)
{
	for (enum ms_arch a = MS_ARCH_ARM64; a <= MS_ARCH_X86_64; a++) {
		if (!ms_word_is(word, ms_arch_name(a)))
			continue;
		*arch = a;
		return true;
	}
	return false;
}

enum ms_header_line ms_header_which(const char *line)
{
	static const struct ms_named lines[] = {
		{ "mapsim-recording", MS_HL_MAGIC },
		{ "kernel", MS_HL_KERNEL },
		{ "config", MS_HL_CONFIG },
		{ "device", MS_HL_DEVICE },
		{ "bar", MS_HL_BAR },
		{ "ram", MS_HL_RAM },
		{ "mtrr", MS_HL_MTRR },
		{ NULL, 0 },
	};
	const struct ms_named *named =
		ms_named_find(lines, (struct ms_word){ line, strcspn(line, " ") });

	return named ? (enum ms_header_line)named->value : MS_HL_DONE;
}

/* Reads the number after a key of a header line. 0, or -EINVAL with *err. */
static int number(struct ms_word key, struct ms_word word, uint64_t least, uint64_t most,
		  uint64_t *value, uint64_t line, struct ms_script_error *err)
{
	int ret = ms_number(word.s, word.len, value);

	if (ret == -EINVAL)
		return ms_script_fail(err, line, "%.*s: not a number \"%.*s\"", MS_SHOWN(key),
				      MS_SHOWN(word));
	if (ret || *value < least || *value > most)
		return ms_script_fail(err, line, "%.*s: number out of range \"%.*s\"",
				      MS_SHOWN(key), MS_SHOWN(word));
	return 0;
}

/* Marks a key as seen; refuses it when it was seen before. */
static int once(uint32_t *seen, int bit, struct ms_word key, uint64_t line,
		struct ms_script_error *err)
{
	if (*seen & (1u << bit))
		return ms_script_fail(err, line, "%.*s twice", MS_SHOWN(key));
	*seen |= 1u << bit;
	return 0;
}

static int kernel_line(struct ms_header *h, struct ms_word rest, uint64_t line,
		       struct ms_script_error *err)
{
	struct ms_word release;

	if (!ms_word_next(&rest, ' ', &release) || !release.len || !rest.s)
		return ms_script_fail(err, line, "kernel: RELEASE and ARCH are needed");
	if (release.len >= sizeof(h->release))
		return ms_script_fail(err, line, "kernel: not a release \"%.*s\"",
				      MS_SHOWN(release));
	memcpy(h->release, release.s, release.len);
	h->release[release.len] = '\0';
	if (!ms_arch_parse(rest, &h->arch))
		return ms_script_fail(err, line, "kernel: unknown architecture \"%.*s\"",
				      MS_SHOWN(rest));
	return 0;
}

static enum ms_feature feature_of(bool present)
{
	return present ? MS_FEATURE_PRESENT : MS_FEATURE_ABSENT;
}

static int config_number(struct ms_header *h, int key, uint64_t value)
{
	switch (key) {
	case CK_PAGE_SIZE:
		h->config.page_size = value;
		return value == 4096 || value == 16384 || value == 65536 ? 0 : -EINVAL;
	case CK_VA_BITS:
		h->config.va_bits = (unsigned int)value;
		return 0;
	case CK_IPA_BITS:
		h->vm_ipa_bits = (unsigned int)value;
		return 0;
	case CK_PA_BITS:
		h->config.pa_bits = (unsigned int)value;
		return 0;
	case CK_FWB:
		h->config.fwb = feature_of(value);
		return 0;
	case CK_DIC:
		h->config.dic = feature_of(value);
		return 0;
	case CK_MMAP_MIN_ADDR:
		h->config.mmap_min_addr = value;
		return 0;
	case CK_PKU:
		h->config.pku = feature_of(value);
		return 0;
	case CK_HUGETLB_64K:
	case CK_HUGETLB_2M:
	case CK_HUGETLB_32M:
	case CK_HUGETLB_1G:
		h->config.hugetlb[key - CK_HUGETLB_64K] = (struct ms_hugetlb_pages){
			.size = recorders_pools[key - CK_HUGETLB_64K].size,
			.pages = value,
		};
		return 0;
	default:
		h->config.idc = feature_of(value);
		return 0;
	}
}

static int config_value(struct ms_header *h, int key, struct ms_word name, struct ms_word value,
			uint64_t line, struct ms_script_error *err)
{
	const struct ms_named *thp;
	struct ms_word feature;
	uint64_t n;
	int ret;

	switch (key) {
	case CK_CPU: // any text
		while (ms_word_next(&value, ',', &feature))
			h->svm |= ms_word_is(feature, "+svm");
		return 0;
	case CK_PAT:
		h->config.pat = feature_of(ms_word_is(value, "on"));
		if (ms_word_is(value, "on") || ms_word_is(value, "off"))
			return 0;
		break;
	case CK_THP:
		thp = ms_named_find(ms_thp_modes, value);
		if (!thp)
			break;
		h->config.thp = (enum ms_thp_mode)thp->value;
		return 0;
	default:
		ret = number(name, value, config_keys[key].least, config_keys[key].most, &n, line,
			     err);
		if (ret)
			return ret;
		if (!config_number(h, key, n))
			return 0;
	}
	return ms_script_fail(err, line, "config: unknown value \"%.*s\" of %s", MS_SHOWN(value),
			      config_keys[key].name);
}

/* The next key=value of a line named `line_name`: 1, 0 at the end of the line, or -EINVAL. */
static int next_pair(struct ms_word *rest, const char *line_name, struct ms_word *key,
		     struct ms_word *value, uint64_t line, struct ms_script_error *err)
{
	struct ms_word word;

	if (!ms_word_next(rest, ' ', &word))
		return 0;
	if (!ms_word_split(word, key, value))
		return ms_script_fail(err, line, "%s: not key=value \"%.*s\"", line_name,
				      MS_SHOWN(word));
	return 1;
}

static int config_line(struct ms_header *h, struct ms_word rest, uint64_t line,
		       struct ms_script_error *err)
{
	struct ms_word name, value;
	uint32_t seen = 0;
	int ret;

	while ((ret = next_pair(&rest, "config", &name, &value, line, err)) > 0) {
		int key = 0;

		while (key < CK_KEYS && !ms_word_is(name, config_keys[key].name))
			key++;
		if (key == CK_KEYS)
			return ms_script_fail(err, line, "config: unknown key \"%.*s\"",
					      MS_SHOWN(name));
		ret = once(&seen, key, name, line, err);
		if (!ret)
			ret = config_value(h, key, name, value, line, err);
		if (ret)
			return ret;
	}
	if (ret)
		return ret;
	if (!(seen & (1u << CK_PAGE_SIZE)))
		return ms_script_fail(err, line, "config: page_size is missing");
	return 0;
}

static int mtrr_type(struct ms_word value, int *type)
{
	enum ms_cache cache;

	*type = -1;
	if (ms_word_is(value, "mixed") || ms_word_is(value, "off"))
		return 0;
	// ms_cache_parse() takes NC, which is arm64's word for WC
	if (!ms_cache_parse(value, &cache) || ms_word_is(value, "NC") ||
	    cache == MS_CACHE_UC_MINUS || cache > MS_CACHE_WP)
		return -EINVAL;
	*type = cache;
	return 0;
}

/* Reads pa= or size=, which are bits 0 and 1 of *seen. */
static int place(struct ms_word name, struct ms_word value, uint64_t *pa, uint64_t *size,
		 uint32_t *seen, uint64_t line, struct ms_script_error *err)
{
	bool is_pa = ms_word_is(name, "pa");
	int ret = once(seen, is_pa ? 0 : 1, name, line, err);

	return ret ? ret : number(name, value, 0, UINT64_MAX, is_pa ? pa : size, line, err);
}

static int device_key(struct ms_header_device *dev, struct ms_word name, struct ms_word value,
		      uint32_t *seen, uint64_t line, struct ms_script_error *err)
{
	uint64_t n = 0;
	int ret;

	if (ms_word_is(name, "pa") || ms_word_is(name, "size"))
		return place(name, value, &dev->pa, &dev->size, seen, line, err);
	if (ms_word_is(name, "prefetchable")) {
		ret = once(seen, 2, name, line, err);
		if (!ret)
			ret = number(name, value, 0, 1, &n, line, err);
		dev->prefetchable = n;
		return ret;
	}
	if (!ms_word_is(name, "mtrr"))
		return ms_script_fail(err, line, "device: unknown key \"%.*s\"", MS_SHOWN(name));
	ret = once(seen, 3, name, line, err);
	dev->has_mtrr = true;
	if (!ret && mtrr_type(value, &dev->mtrr))
		ret = ms_script_fail(err, line, "device: unknown mtrr \"%.*s\"", MS_SHOWN(value));
	return ret;
}

/* Whether a device can have this name: an operation could not take it for another source. */
static bool device_name_ok(const struct ms_header *h, struct ms_word name)
{
	struct ms_op op = { 0 };
	struct ms_script_error ignored;
	struct ms_op_parser p = { .op = &op, .header = h, .name = "", .err = &ignored };

	for (size_t i = 0; i < name.len; i++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-",
			    name.s[i]))
			return false;
	}
	return name.len && ms_source_parse(&p, name);
}

static int device_line(struct ms_header *h, struct ms_word rest, uint64_t line,
		       struct ms_script_error *err)
{
	struct ms_word name, key, value;
	uint32_t seen = 0;
	int ret;

	if (h->nr_devices == MS_MAX_HEADER_ITEMS)
		return ms_script_fail(err, line, "more than %u devices", MS_MAX_HEADER_ITEMS);
	if (!ms_word_next(&rest, ' ', &name) || !device_name_ok(h, name))
		return ms_script_fail(err, line, "device: not a name, or one that is taken");
	struct ms_header_device dev = { .name = strndup(name.s, name.len) };
	if (!dev.name)
		return -ENOMEM;
	h->device[h->nr_devices++] = dev;
	while ((ret = next_pair(&rest, "device", &key, &value, line, err)) > 0) {
		ret = device_key(&h->device[h->nr_devices - 1], key, value, &seen, line, err);
		if (ret)
			return ret;
	}
	if (ret)
		return ret;
	return (seen & 3) == 3 ? 0 : ms_script_fail(err, line, "device: pa and size are needed");
}

static int bar_key(struct ms_header_bar *bar, struct ms_word key, struct ms_word value,
		   uint32_t *seen, uint64_t line, struct ms_script_error *err)
{
	uint64_t n = 0;
	int ret;

	if (ms_word_is(key, "pa") || ms_word_is(key, "size"))
		return place(key, value, &bar->pa, &bar->size, seen, line, err);
	if (!ms_word_is(key, "index"))
		return ms_script_fail(err, line, "bar: unknown key \"%.*s\"", MS_SHOWN(key));
	ret = once(seen, 2, key, line, err);
	if (!ret)
		ret = number(key, value, 0, 5, &n, line, err);
	bar->index = (unsigned int)n;
	return ret;
}

static int bar_line(struct ms_header *h, struct ms_word rest, uint64_t line,
		    struct ms_script_error *err)
{
	struct ms_word name, key, value;
	uint32_t seen = 0;
	size_t device = 0;
	int ret;

	if (h->nr_bars == MS_MAX_HEADER_ITEMS)
		return ms_script_fail(err, line, "more than %u other BARs", MS_MAX_HEADER_ITEMS);
	ms_word_next(&rest, ' ', &name);
	while (device < h->nr_devices && !ms_word_is(name, h->device[device].name))
		device++;
	if (device == h->nr_devices)
		return ms_script_fail(err, line, "bar: no such device \"%.*s\"", MS_SHOWN(name));
	struct ms_header_bar *bar = &h->bar[h->nr_bars++];
	bar->device = device;
	while ((ret = next_pair(&rest, "bar", &key, &value, line, err)) > 0) {
		ret = bar_key(bar, key, value, &seen, line, err);
		if (ret)
			return ret;
	}
	if (ret)
		return ret;
	return seen == 7 ? 0 : ms_script_fail(err, line, "bar: index, pa and size are needed");
}

static int ram_line(struct ms_header *h, struct ms_word rest, uint64_t line,
		    struct ms_script_error *err)
{
	struct ms_word word, key, value;
	uint32_t seen = 0;

	if (h->nr_ram == MS_MAX_HEADER_ITEMS)
		return ms_script_fail(err, line, "more than %u ranges of RAM", MS_MAX_HEADER_ITEMS);
	struct ms_header_ram *ram = &h->ram[h->nr_ram++];
	while (ms_word_next(&rest, ' ', &word)) {
		if (!ms_word_split(word, &key, &value) ||
		    (!ms_word_is(key, "pa") && !ms_word_is(key, "size")))
			return ms_script_fail(err, line, "ram: unknown key \"%.*s\"",
					      MS_SHOWN(word));
		int ret = place(key, value, &ram->pa, &ram->size, &seen, line, err);
		if (ret)
			return ret;
	}
	return seen == 3 ? 0 : ms_script_fail(err, line, "ram: pa and size are needed");
}

static int mtrr_key(struct ms_header_mtrr *mtrr, struct ms_word key, struct ms_word value,
		    uint32_t *seen, uint64_t line, struct ms_script_error *err)
{
	int ret;

	if (ms_word_is(key, "pa") || ms_word_is(key, "size"))
		return place(key, value, &mtrr->pa, &mtrr->size, seen, line, err);
	if (!ms_word_is(key, "type"))
		return ms_script_fail(err, line, "mtrr: unknown key \"%.*s\"", MS_SHOWN(key));
	ret = once(seen, 2, key, line, err);
	if (!ret && mtrr_type(value, &mtrr->type))
		ret = ms_script_fail(err, line, "mtrr: unknown type \"%.*s\"", MS_SHOWN(value));
	return ret;
}

static int mtrr_line(struct ms_header *h, struct ms_word rest, uint64_t line,
		     struct ms_script_error *err)
{
	struct ms_word key, value;
	uint32_t seen = 0;
	int ret;

	if (h->nr_mtrr == MS_MAX_HEADER_ITEMS)
		return ms_script_fail(err, line, "more than %u ranges of MTRRs",
				      MS_MAX_HEADER_ITEMS);
	struct ms_header_mtrr *mtrr = &h->mtrr[h->nr_mtrr++];
	while ((ret = next_pair(&rest, "mtrr", &key, &value, line, err)) > 0) {
		ret = mtrr_key(mtrr, key, value, &seen, line, err);
		if (ret)
			return ret;
	}
	if (ret)
		return ret;
	return seen == 7 ? 0 : ms_script_fail(err, line, "mtrr: pa, size and type are needed");
}

int ms_header_line(struct ms_header *h, enum ms_header_line which, const char *text, uint64_t line,
		   struct ms_script_error *err)
{
	struct ms_word rest = { text, strlen(text) }, name;

	ms_word_next(&rest, ' ', &name);
	switch (which) {
	case MS_HL_MAGIC:
		if (rest.s && ms_word_is(rest, "1"))
			return 0;
		return ms_script_fail(err, line, "not version 1 of the format");
	case MS_HL_KERNEL:
		return kernel_line(h, rest, line, err);
	case MS_HL_CONFIG:
		return config_line(h, rest, line, err);
	case MS_HL_DEVICE:
		return device_line(h, rest, line, err);
	case MS_HL_BAR:
		return bar_line(h, rest, line, err);
	case MS_HL_RAM:
		return ram_line(h, rest, line, err);
	case MS_HL_MTRR:
		return mtrr_line(h, rest, line, err);
	case MS_HL_DONE:
		break;
	}
	return ms_script_fail(err, line, "unknown line \"%.40s\"", text);
}

void ms_header_free(struct ms_header *h)
{
	free(h->rules);
	for (size_t i = 0; i < h->nr_devices; i++)
		free(h->device[i].name);
}
