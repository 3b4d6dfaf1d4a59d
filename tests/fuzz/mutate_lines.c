/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes to scripts that leave most of them readable: lines come, go and move, an operation is
 * written after a pattern, numbers become numbers that the text has elsewhere.
 */
#include "fuzz.h"

#include <mapsim/policy.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* N: a number; other words stand for themselves. */
static const char *const patterns[] = {
	"> mmap anon off=0 at=N len=N prot=rw flags=private",
	"> mmap anon off=0 at=N len=N prot=r flags=shared,fixed",
	"> mmap memfd off=N at=N len=N prot=rw flags=shared",
	"> mmap memfd off=N at=N len=N prot=rw flags=private,populate",
	"> mmap hugetlb2m off=0 at=N len=N prot=rw flags=shared",
	"> mmap hugetlb64k off=0 at=N len=N prot=rw flags=private",
	"> mmap big off=N at=N len=N prot=rw flags=shared",
	"> mmap huge off=N at=N len=N prot=rw flags=private,fixed",
	"> mmap big_wc off=N at=N len=N prot=rwx flags=shared",
	"> mmap vfio:huge off=N at=N len=N prot=rw flags=shared",
	"> mmap vfio:big off=N at=N len=N prot=r flags=shared",
	"> mmap devmem off=N at=N len=N prot=rw flags=shared",
	"> mmap devmem off=@big+4K at=32T len=@big.size prot=rw flags=shared",
	"> mmap driver:big off=64K at=N len=2M prot=rw flags=shared pieces=4K+N,N+1M:-4K",
	"> mmap devmem_nosync off=N at=N len=N prot=rw flags=private",
	"> mmap driver:huge off=N at=N len=N prot=rw flags=shared pieces=N+N type=WB lazy=huge",
	"> mmap driver:big off=N at=N len=N prot=rw flags=shared pieces=N+N,N+N:-N lazy",
	"> mmap driver:huge off=0 at=N len=N prot=rw flags=shared pieces=0+N,N+N type=UC",
	"> munmap at=N len=N",
	"> mprotect at=N len=N prot=r",
	"> mprotect at=N len=N prot=rw",
	"> mprotect at=N len=N prot=-",
	"> mremap at=N len=N newlen=N",
	"> mremap at=N len=N newlen=N to=N",
	"> mremap at=N len=N newlen=N to=N dontunmap",
	"> madvise at=N len=N advice=hugepage",
	"> madvise at=N len=N advice=nohugepage",
	"> madvise at=N len=N advice=dontneed",
	"> madvise at=N len=N advice=free",
	"> madvise at=N len=N advice=remove",
	"> madvise at=N len=N advice=collapse",
	"> madvise at=N len=N advice=populate_read",
	"> madvise at=N len=N advice=populate_write",
	"> madvise at=N len=N advice=dontfork",
	"> mlock at=N len=N",
	"> munlock at=N len=N",
	"> touch at=N access=r",
	"> touch at=N access=w",
	"> fork",
	"> exit",
	"> child exit",
	"> child munmap at=N len=N",
	"> child touch at=N access=w",
	"> child mmap anon off=0 at=N len=N prot=rw flags=private,fixed",
	"> child mremap at=N len=N newlen=N to=N",
	"> child madvise at=N len=N advice=dontneed",
	"> show vmas at=N len=N",
	"> show ptes at=N len=N",
	"> show present at=N len=N",
	"> show memtypes",
	"> close big",
	"> close memfd",
	"> close vfio:huge",
	"> vfio-memory huge off",
	"> vfio-memory huge on",
	"> claim big",
	"> claim huge off=N len=N",
	"> release big",
	"> release huge off=N len=N",
	"> revoke big",
	"> revoke driver:huge off=N len=N",
	"> ioremap big id=0 type=WC",
	"> ioremap huge id=1 off=N len=N type=UC-",
	"> iounmap big id=0",
	"> iounmap huge id=1",
	"> vm create",
	"> vm create dirty=manual-initset split=N",
	"> vm create dirty=manual ipa=N",
	"> vm destroy",
	"> slot id=1 gpa=N size=N hva=N",
	"> slot id=1 gpa=N size=N hva=N flags=log",
	"> slot id=2 gpa=N size=N hva=N flags=log,ro",
	"> slot id=1 gpa=N size=0 hva=N",
	"> guest access=r gpa=N",
	"> guest access=w gpa=N",
	"> guest access=x gpa=N",
	"> dirty id=1 get",
	"> dirty id=1 clear first=0 pages=N",
	"> show s2 gpa=N len=N",
	"> vm create zap=slot",
	"> vm create dirty=manual nx=off",
	"> prefault gpa=N size=N",
	"> kvm nx_huge_pages=force",
	"> kvm nx_huge_pages=off",
	"> kvm nx_huge_pages=auto",
	"> kvm eager_page_split=Y",
	"> nx-recover",
	"> age at=N len=N",
	"> test-age at=N len=N",
};

struct text {
	char *s; /* room for `most` bytes */
	size_t len, most;
	uint64_t seed;
};

static size_t below(struct text *t, size_t n)
{
	return n ? fuzz_random(&t->seed) % n : 0;
}

/* Puts s in place of [at, at + len); nothing when there is no room. */
static void replace(struct text *t, size_t at, size_t len, const char *s, size_t s_len)
{
	if (t->len - len + s_len > t->most)
		return;
	memmove(t->s + at + s_len, t->s + at + len, t->len - at - len);
	memcpy(t->s + at, s, s_len);
	t->len += s_len - len;
}

static size_t line_start(const struct text *t, size_t at)
{
	while (at && t->s[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(const struct text *t, size_t at)
{
	const char *end = at < t->len ? memchr(t->s + at, '\n', t->len - at) : NULL;

	return end ? (size_t)(end - t->s) + 1 : t->len;
}

/* The first place of word in the text from `from` on; SIZE_MAX: none. */
static size_t find(const struct text *t, size_t from, const char *word)
{
	size_t len = strlen(word);

	for (; from + len <= t->len; from++)
		if (!memcmp(t->s + from, word, len))
			return from;
	return SIZE_MAX;
}

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == 'x';
}

/* A number in the text: *at, *len; false: the first tries met none. */
static bool some_number(struct text *t, size_t *at, size_t *len)
{
	for (int tries = 0; tries < 20; tries++) {
		size_t i = below(t, t->len);

		while (i < t->len &&
		       !(i && strchr("=+-,:", t->s[i - 1]) && t->s[i] >= '0' && t->s[i] <= '9'))
			i++;
		for (*at = i; i < t->len && is_digit(t->s[i]);)
			i++;
		*len = i - *at;
		if (*len && *len < 20)
			return true;
	}
	return false;
}

static uint64_t draw_number(struct text *t)
{
	static const uint64_t near[] = {
		0, 0,       0,          0x1000,  -UINT64_C(0x1000), 0x200000, -UINT64_C(0x200000),
		1, 0x10000, 0x40000000, 0x100000
	};
	static const uint64_t plain[] = { 0,          0x1000,     0x2000,
					  0x10000,    0x200000,   0x400000,
					  0x600000,   0x1000000,  0x200000000000,
					  0x80000000, 0x40000000, 40 };
	char number[24] = { 0 };
	size_t at, len;

	if (!below(t, 4) || !some_number(t, &at, &len))
		return plain[below(t, sizeof(plain) / sizeof(plain[0]))];
	memcpy(number, t->s + at, len);
	return strtoull(number, NULL, 0) + near[below(t, sizeof(near) / sizeof(near[0]))];
}

static void change_number(struct text *t)
{
	char number[24];
	size_t at, len;
	int n = snprintf(number, sizeof(number), "0x%" PRIx64, draw_number(t));

	if (some_number(t, &at, &len))
		replace(t, at, len, number, (size_t)n);
}

static void drop_line(struct text *t)
{
	size_t start = line_start(t, below(t, t->len));

	replace(t, start, line_end(t, start) - start, "", 0);
}

static void copy_line(struct text *t)
{
	size_t start = line_start(t, below(t, t->len)), len = line_end(t, start) - start;
	size_t to = line_start(t, below(t, t->len));
	char *line = malloc(len + 1);

	if (!line)
		return;
	memcpy(line, t->s + start, len);
	if (below(t, 2))
		replace(t, start, len, "", 0);
	if (to <= t->len)
		replace(t, to, 0, line, len);
	free(line);
}

static void add_operation(struct text *t)
{
	const char *pattern = patterns[below(t, sizeof(patterns) / sizeof(patterns[0]))];
	char line[512];
	size_t len = 0;

	for (const char *c = pattern; *c; c++) {
		bool number = *c == 'N' && (c[1] == ' ' || c[1] == '\0' || c[1] == '+' ||
					    c[1] == ':' || c[1] == ',');

		if (number)
			len += (size_t)snprintf(line + len, sizeof(line) - len, "0x%" PRIx64,
						draw_number(t));
		else
			line[len++] = *c;
	}
	line[len++] = '\n';
	// mostly behind
	replace(t, below(t, 2) ? t->len : line_end(t, below(t, t->len)), 0, line, len);
}

static void change_kernel(struct text *t)
{
	const struct ms_policy *policy;
	size_t n = 0, start = find(t, 0, "\nkernel ");
	char line[64];

	if (start == SIZE_MAX)
		return;
	while (ms_policy_get(n))
		n++;
	policy = ms_policy_get(below(t, n));
	start++;
	n = (size_t)snprintf(line, sizeof(line), "kernel %s %s\n", policy->release,
			     policy->arch == MS_ARCH_X86_64 ? "x86_64" : "arm64");
	replace(t, start, line_end(t, start) - start, line, n);
}

/* What a script says without its answers. */
static void drop_answers(struct text *t)
{
	for (size_t at = 0; at < t->len;) {
		size_t end = line_end(t, at);

		if (t->s[at] == '<')
			replace(t, at, end - at, "", 0);
		else
			at = end;
	}
}

/* A word takes the place of another that begins with the same key. */
static void swap_values(struct text *t)
{
	static const char *const keys[] = { " prot=", " flags=", " type=",   " advice=",
					    " thp=",  " pat=",   " access=", " page_size=",
					    " fwb=",  " mtrr=",  " dirty=",  " eager_page_split=" };
	static const char *const values[] = { "r",    "rw",     "rwx",     "-",        "w",
					      "x",    "shared", "private", "WB",       "WC",
					      "UC",   "UC-",    "NC",      "nGnRE",    "on",
					      "off",  "0",      "1",       "always",   "never",
					      "4096", "16384",  "65536",   "dontneed", "log",
					      "ro",   "Y",      "N",       "manual" };
	const char *key = keys[below(t, sizeof(keys) / sizeof(keys[0]))];
	const char *value = values[below(t, sizeof(values) / sizeof(values[0]))];
	size_t from = find(t, below(t, t->len), key), len;

	if (from == SIZE_MAX)
		return;
	from += strlen(key);
	for (len = 0; from + len < t->len && !strchr(" ,\n", t->s[from + len]);)
		len++;
	replace(t, from, len, value, strlen(value));
}

static void change(struct text *t)
{
	switch (below(t, 16)) {
	case 0:
		t->len = LLVMFuzzerMutate((uint8_t *)t->s, t->len, t->most);
		break;
	case 1:
	case 2:
		drop_line(t);
		break;
	case 3:
	case 4:
		copy_line(t);
		break;
	case 5:
		change_kernel(t);
		break;
	case 6:
	case 7:
		swap_values(t);
		break;
	case 8:
	case 9:
	case 10:
	case 11:
		add_operation(t);
		break;
	default:
		change_number(t);
		break;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed)
{
	struct text t = { (char *)data, size, most, (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) };

	if (below(&t, 4))
		drop_answers(&t);
	for (size_t n = 1 + below(&t, 4); n; n--)
		change(&t);
	return t.len ? t.len : LLVMFuzzerMutate(data, 0, most);
}

/* The first lines of a, then the last operations of b. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
				 uint8_t *out, size_t most, unsigned int seed)
{
	struct text t = { (char *)out, a_size < most ? a_size : most, most, seed + UINT64_C(1) };
	struct text from = { NULL, 0, b_size, 1 };
	size_t start;

	from.s = malloc(b_size + 1);
	if (!from.s)
		return 0;
	memcpy(from.s, b, b_size);
	from.len = b_size;
	memcpy(out, a, t.len);
	drop_answers(&from);
	t.len = line_end(&t, below(&t, t.len));
	start = line_start(&from, below(&t, from.len));
	while (start < from.len && from.s[start] != '>')
		start = line_end(&from, start);
	replace(&t, t.len, 0, from.s + start, from.len - start);
	free(from.s);
	return t.len;
}
