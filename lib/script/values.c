/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads what stands after key= in an operation, and the source of a mapping. */
#include "script/internal.h"

#include <limits.h>
#include <stdlib.h>

enum value_type {
	VT_NUMBER,
	VT_NUMBER32,
	VT_ONE,  /* one name of the table */
	VT_SET,  /* names of the table, with commas between them, none twice */
	VT_PROT, /* letters of r, w, x, none twice; or "-" */
	VT_CACHE,
	VT_PIECES,
	VT_WORD, /* a key that stands alone: a value is refused */
};

static const struct ms_named map_flags[] = {
	{ "shared", MS_MAP_SHARED },
	{ "private", MS_MAP_PRIVATE },
	{ "fixed", MS_MAP_FIXED },
	{ "populate", MS_MAP_POPULATE },
	{ NULL, 0 },
};

static const struct ms_named slot_flags[] = {
	{ "log", MS_SLOT_LOG_DIRTY },
	{ "ro", MS_SLOT_READONLY },
	{ NULL, 0 },
};

static const struct ms_named advices[] = {
	{ "hugepage", MS_MADV_HUGEPAGE },
	{ "nohugepage", MS_MADV_NOHUGEPAGE },
	{ "dontneed", MS_MADV_DONTNEED },
	{ "free", MS_MADV_FREE },
	{ "remove", MS_MADV_REMOVE },
	{ "collapse", MS_MADV_COLLAPSE },
	{ "populate_read", MS_MADV_POPULATE_READ },
	{ "populate_write", MS_MADV_POPULATE_WRITE },
	{ "dontfork", MS_MADV_DONTFORK },
	{ "dofork", MS_MADV_DOFORK },
	{ "dontdump", MS_MADV_DONTDUMP },
	{ "dodump", MS_MADV_DODUMP },
	{ NULL, 0 },
};

static const struct ms_named host_accesses[] = {
	{ "r", MS_PROT_R },
	{ "w", MS_PROT_W },
	{ NULL, 0 },
};

static const struct ms_named guest_accesses[] = {
	{ "r", MS_PROT_R },
	{ "w", MS_PROT_W },
	{ "x", MS_PROT_X },
	{ NULL, 0 },
};

static const struct ms_named dirty_modes[] = {
	{ "manual", MS_DIRTY_MANUAL },
	{ "manual-initset", MS_DIRTY_MANUAL | MS_DIRTY_INITSET },
	{ NULL, 0 },
};

static const struct ms_named zap_modes[] = {
	{ "slot", 1 },
	{ NULL, 0 },
};

static const struct ms_named nx_modes[] = {
	{ "off", 1 },
	{ NULL, 0 },
};

static const struct ms_named nx_huge_pages[] = {
	{ "off", MS_NX_HUGE_PAGES_OFF },
	{ "force", MS_NX_HUGE_PAGES_FORCE },
	{ "auto", MS_NX_HUGE_PAGES_AUTO },
	{ NULL, 0 },
};

static const struct ms_named booleans[] = {
	{ "Y", 1 },
	{ "N", 0 },
	{ NULL, 0 },
};

static const struct ms_named lazy_modes[] = {
	{ "huge", MS_PIECES_LAZY_HUGE },
	{ NULL, 0 },
};

/* The names of both architectures; MS_CACHE_WC has two, WC on x86 and NC on arm64. */
static const struct ms_named caches[] = {
	{ "WB", MS_CACHE_WB },        { "WC", MS_CACHE_WC },
	{ "UC-", MS_CACHE_UC_MINUS }, { "UC", MS_CACHE_UC },
	{ "WT", MS_CACHE_WT },        { "WP", MS_CACHE_WP },
	{ "nGnRE", MS_CACHE_NGNRE },  { "nGnRnE", MS_CACHE_NGNRNE },
	{ "NC", MS_CACHE_WC },        { NULL, 0 },
};

static const struct {
	enum value_type type;
	const struct ms_named *table;
} values[MS_OP_KEYS] = {
	[MS_K_OFF] = { VT_NUMBER, NULL },
	[MS_K_AT] = { VT_NUMBER, NULL },
	[MS_K_LEN] = { VT_NUMBER, NULL },
	[MS_K_NEWLEN] = { VT_NUMBER, NULL },
	[MS_K_TO] = { VT_NUMBER, NULL },
	[MS_K_DONTUNMAP] = { VT_WORD, NULL },
	[MS_K_PROT] = { VT_PROT, NULL },
	[MS_K_MAP_FLAGS] = { VT_SET, map_flags },
	[MS_K_PIECES] = { VT_PIECES, NULL },
	[MS_K_TYPE] = { VT_CACHE, NULL },
	[MS_K_LAZY] = { VT_ONE, lazy_modes },
	[MS_K_ADVICE] = { VT_ONE, advices },
	[MS_K_ACCESS] = { VT_ONE, host_accesses },
	[MS_K_ON] = { VT_WORD, NULL },
	[MS_K_OFF_WORD] = { VT_WORD, NULL },
	[MS_K_ID] = { VT_NUMBER32, NULL },
	[MS_K_DIRTY] = { VT_ONE, dirty_modes },
	[MS_K_IPA] = { VT_NUMBER32, NULL },
	[MS_K_SPLIT] = { VT_NUMBER, NULL },
	[MS_K_GPA] = { VT_NUMBER, NULL },
	[MS_K_SIZE] = { VT_NUMBER, NULL },
	[MS_K_HVA] = { VT_NUMBER, NULL },
	[MS_K_SLOT_FLAGS] = { VT_SET, slot_flags },
	[MS_K_GUEST_ACCESS] = { VT_ONE, guest_accesses },
	[MS_K_GET] = { VT_WORD, NULL },
	[MS_K_CLEAR] = { VT_WORD, NULL },
	[MS_K_FIRST] = { VT_NUMBER, NULL },
	[MS_K_PAGES] = { VT_NUMBER, NULL },
	[MS_K_ZAP] = { VT_ONE, zap_modes },
	[MS_K_NX] = { VT_ONE, nx_modes },
	[MS_K_NX_HUGE_PAGES] = { VT_ONE, nx_huge_pages },
	[MS_K_EAGER_PAGE_SPLIT] = { VT_ONE, booleans },
};

bool ms_cache_parse(struct ms_word word, enum ms_cache *cache)
{
	const struct ms_named *named = ms_named_find(caches, word);

	if (!named)
		return false;
	*cache = (enum ms_cache)named->value;
	return true;
}

static int bad(struct ms_op_parser *p, const char *what, struct ms_word word)
{
	return ms_script_fail(p->err, p->line, "%s: %s \"%.*s\"", p->name, what, MS_SHOWN(word));
}

static int number(struct ms_op_parser *p, struct ms_word word, uint64_t max, uint64_t *value)
{
	int err = ms_number(word.s, word.len, value);

	if (err == -ERANGE || (!err && *value > max))
		return bad(p, "number out of range", word);
	return err ? bad(p, "not a number", word) : 0;
}

static int set(struct ms_op_parser *p, const struct ms_named *table, struct ms_word rest,
	       uint64_t *value)
{
	struct ms_word word;

	while (ms_word_next(&rest, ',', &word)) {
		const struct ms_named *named = ms_named_find(table, word);

		if (!named)
			return bad(p, "unknown flag", word);
		if (*value & named->value)
			return bad(p, "flag twice", word);
		*value |= named->value;
	}
	return 0;
}

static int prot(struct ms_op_parser *p, struct ms_word word, uint64_t *value)
{
	static const struct ms_named letters[] = {
		{ "r", MS_PROT_R }, { "w", MS_PROT_W }, { "x", MS_PROT_X }, { NULL, 0 }
	};

	if (ms_word_is(word, "-"))
		return 0;
	for (size_t i = 0; i < word.len; i++) {
		const struct ms_named *letter =
			ms_named_find(letters, (struct ms_word){ word.s + i, 1 });

		if (!letter || (*value & letter->value))
			return bad(p, "not a protection", word);
		*value |= letter->value;
	}
	return word.len ? 0 : bad(p, "not a protection", word);
}

/* Reads OFF+LEN or OFF+LEN:SHIFT; SHIFT may begin with a minus. */
static int parse_piece(struct ms_op_parser *p, struct ms_word word, struct ms_piece *piece)
{
	struct ms_word rest = word, off, len;
	uint64_t shift = 0;

	if (!ms_word_next(&rest, '+', &off) || !rest.s)
		return bad(p, "not a piece OFF+LEN[:SHIFT]", word);
	ms_word_next(&rest, ':', &len);
	bool negative = rest.s && rest.len && rest.s[0] == '-';
	if (negative)
		rest = (struct ms_word){ rest.s + 1, rest.len - 1 };
	int err = number(p, off, UINT64_MAX, &piece->off);
	if (!err)
		err = number(p, len, UINT64_MAX, &piece->len);
	if (!err && rest.s)
		err = number(p, rest, INT64_MAX, &shift);
	piece->shift = negative ? -(int64_t)shift : (int64_t)shift;
	return err;
}

static int pieces(struct ms_op_parser *p, struct ms_word rest)
{
	struct ms_op *op = p->op;
	struct ms_word word;

	if (!rest.len)
		return 0;
	size_t n = 1;
	for (size_t i = 0; i < rest.len; i++)
		n += rest.s[i] == ',';
	op->pieces = calloc(n, sizeof(*op->pieces));
	if (!op->pieces)
		return -ENOMEM;
	while (ms_word_next(&rest, ',', &word)) {
		int err = parse_piece(p, word, &op->pieces[op->npieces]);

		if (err)
			return err;
		op->npieces++;
	}
	return 0;
}

int ms_value_parse(struct ms_op_parser *p, enum ms_op_key key, struct ms_word word)
{
	uint64_t *value = &p->op->value[key];
	const struct ms_named *named;
	enum ms_cache cache;

	switch (values[key].type) {
	case VT_NUMBER:
		return number(p, word, UINT64_MAX, value);
	case VT_NUMBER32:
		return number(p, word, UINT_MAX, value);
	case VT_ONE:
		named = ms_named_find(values[key].table, word);
		if (!named)
			return bad(p, "unknown value", word);
		*value = named->value;
		return 0;
	case VT_SET:
		return set(p, values[key].table, word, value);
	case VT_PROT:
		return prot(p, word, value);
	case VT_CACHE:
		if (!ms_cache_parse(word, &cache))
			return bad(p, "unknown memory type", word);
		*value = cache;
		return 0;
	case VT_PIECES:
		return pieces(p, word);
	case VT_WORD:
		break;
	}
	return bad(p, "word that takes no value, but has", word);
}

static bool find_device(const struct ms_header *header, struct ms_word name, size_t *index)
{
	for (size_t i = 0; i < header->nr_devices; i++) {
		if (ms_word_is(name, header->device[i].name)) {
			*index = i;
			return true;
		}
	}
	return false;
}

static const struct ms_named plain_sources[] = {
	{ "anon", MS_SRC_ANON },
	{ "memfd", MS_SRC_MEMFD },
	{ "hugetlb64k", MS_SRC_HUGETLB_64K },
	{ "hugetlb2m", MS_SRC_HUGETLB_2M },
	{ "hugetlb32m", MS_SRC_HUGETLB_32M },
	{ "hugetlb1g", MS_SRC_HUGETLB_1G },
	{ "devmem", MS_SRC_DEVMEM },
	{ "devmem_nosync", MS_SRC_DEVMEM_NOSYNC },
	{ NULL, 0 },
};

static const struct ms_named device_sources[] = {
	{ "vfio", MS_SRC_VFIO },
	{ "driver", MS_SRC_DRIVER },
	{ NULL, 0 },
};

int ms_source_parse(struct ms_op_parser *p, struct ms_word word)
{
	struct ms_op *op = p->op;
	const struct ms_named *named = ms_named_find(plain_sources, word);

	if (named) {
		op->source = (enum ms_source_kind)named->value;
		return 0;
	}
	struct ms_word name = word, prefix;
	op->source = MS_SRC_RESOURCE;
	if (memchr(word.s, ':', word.len)) {
		ms_word_next(&name, ':', &prefix);
		named = ms_named_find(device_sources, prefix);
		if (!named)
			return bad(p, "unknown source", word);
		op->source = (enum ms_source_kind)named->value;
	}
	if (find_device(p->header, name, &op->device))
		return 0;
	if (op->source == MS_SRC_RESOURCE && name.len > 3 &&
	    !memcmp(name.s + name.len - 3, "_wc", 3)) {
		op->source = MS_SRC_RESOURCE_WC;
		name.len -= 3;
		if (find_device(p->header, name, &op->device))
			return 0;
	}
	return bad(p, "no such source or device", word);
}
