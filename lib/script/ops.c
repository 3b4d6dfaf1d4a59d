/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads operations: which there are, and which words belong to each. */
#include "script/internal.h"

#define BIT(key) (1u << (key))
#define RANGE (BIT(MS_K_AT) | BIT(MS_K_LEN))

/* The architecture that has an operation or a key. */
enum only { BOTH, ONLY_ARM64, ONLY_X86 };

static const struct {
	const char *name;
	unsigned int value; /* of a key that stands alone, without "="; 0: it must have a value */
	enum only only;
} keys[MS_OP_KEYS] = {
	[MS_K_OFF] = { "off", 0 },
	[MS_K_AT] = { "at", 0 },
	[MS_K_LEN] = { "len", 0 },
	[MS_K_NEWLEN] = { "newlen", 0 },
	[MS_K_TO] = { "to", 0 },
	[MS_K_DONTUNMAP] = { "dontunmap", 1 },
	[MS_K_PROT] = { "prot", 0 },
	[MS_K_MAP_FLAGS] = { "flags", 0 },
	[MS_K_PIECES] = { "pieces", 0 },
	[MS_K_TYPE] = { "type", 0 },
	[MS_K_LAZY] = { "lazy", MS_PIECES_LAZY },
	[MS_K_ADVICE] = { "advice", 0 },
	[MS_K_ACCESS] = { "access", 0 },
	[MS_K_ON] = { "on", 1 },
	[MS_K_OFF_WORD] = { "off", 1 },
	[MS_K_ID] = { "id", 0 },
	[MS_K_DIRTY] = { "dirty", 0 },
	[MS_K_IPA] = { "ipa", 0, ONLY_ARM64 },
	[MS_K_SPLIT] = { "split", 0, ONLY_ARM64 },
	[MS_K_GPA] = { "gpa", 0 },
	[MS_K_SIZE] = { "size", 0 },
	[MS_K_HVA] = { "hva", 0 },
	[MS_K_SLOT_FLAGS] = { "flags", 0 },
	[MS_K_GUEST_ACCESS] = { "access", 0 },
	[MS_K_GET] = { "get", 1 },
	[MS_K_CLEAR] = { "clear", 1 },
	[MS_K_FIRST] = { "first", 0 },
	[MS_K_PAGES] = { "pages", 0 },
	[MS_K_ZAP] = { "zap", 0, ONLY_X86 },
	[MS_K_NX] = { "nx", 0, ONLY_X86 },
	[MS_K_NX_HUGE_PAGES] = { "nx_huge_pages", 0 },
	[MS_K_EAGER_PAGE_SPLIT] = { "eager_page_split", 0 },
};

/* What stands between the operation's name and its keys. */
enum noun { NO_NOUN, NOUN_SOURCE, NOUN_DEVICE, NOUN_DEVICE_OR_DRIVER };

static const struct spec {
	const char *name; /* one word or two */
	enum noun noun;
	bool child; /* a child can do it */
	uint32_t required, optional;
	uint32_t one_of; /* exactly one of these, if any */
	enum only only;
} specs[MS_OP_KINDS] = {
	[MS_OP_MMAP] = { "mmap", NOUN_SOURCE, true,
			 RANGE | BIT(MS_K_OFF) | BIT(MS_K_PROT) | BIT(MS_K_MAP_FLAGS),
			 BIT(MS_K_PIECES) | BIT(MS_K_TYPE) | BIT(MS_K_LAZY), 0 },
	[MS_OP_MUNMAP] = { "munmap", NO_NOUN, true, RANGE, 0, 0 },
	[MS_OP_MPROTECT] = { "mprotect", NO_NOUN, true, RANGE | BIT(MS_K_PROT), 0, 0 },
	[MS_OP_MREMAP] = { "mremap", NO_NOUN, true, RANGE | BIT(MS_K_NEWLEN),
			   BIT(MS_K_TO) | BIT(MS_K_DONTUNMAP), 0 },
	[MS_OP_MADVISE] = { "madvise", NO_NOUN, true, RANGE | BIT(MS_K_ADVICE), 0, 0 },
	[MS_OP_MLOCK] = { "mlock", NO_NOUN, true, RANGE, 0, 0 },
	[MS_OP_MUNLOCK] = { "munlock", NO_NOUN, true, RANGE, 0, 0 },
	[MS_OP_TOUCH] = { "touch", NO_NOUN, true, BIT(MS_K_AT) | BIT(MS_K_ACCESS), 0, 0 },
	[MS_OP_SHOW_VMAS] = { "show vmas", NO_NOUN, true, RANGE, 0, 0 },
	[MS_OP_SHOW_PTES] = { "show ptes", NO_NOUN, true, RANGE, 0, 0 },
	[MS_OP_SHOW_PRESENT] = { "show present", NO_NOUN, true, RANGE, 0, 0 },
	[MS_OP_EXIT] = { "exit", NO_NOUN, true, 0, 0, 0 },
	[MS_OP_FORK] = { "fork", NO_NOUN, false, 0, 0, 0 },
	[MS_OP_CLOSE] = { "close", NOUN_SOURCE, false, 0, 0, 0 },
	[MS_OP_VFIO_MEMORY] = { "vfio-memory", NOUN_DEVICE, false, 0, 0,
				BIT(MS_K_ON) | BIT(MS_K_OFF_WORD) },
	[MS_OP_REVOKE] = { "revoke", NOUN_DEVICE_OR_DRIVER, false, 0, BIT(MS_K_OFF) | BIT(MS_K_LEN),
			   0 },
	[MS_OP_CLAIM] = { "claim", NOUN_DEVICE, false, 0, BIT(MS_K_OFF) | BIT(MS_K_LEN), 0 },
	[MS_OP_RELEASE] = { "release", NOUN_DEVICE, false, 0, BIT(MS_K_OFF) | BIT(MS_K_LEN), 0 },
	[MS_OP_IOREMAP] = { "ioremap", NOUN_DEVICE, false, BIT(MS_K_ID) | BIT(MS_K_TYPE),
			    BIT(MS_K_OFF) | BIT(MS_K_LEN), 0 },
	[MS_OP_IOUNMAP] = { "iounmap", NOUN_DEVICE, false, BIT(MS_K_ID), 0, 0 },
	[MS_OP_SHOW_MEMTYPES] = { "show memtypes", NO_NOUN, true, 0, 0, 0 },
	[MS_OP_VM_CREATE] = { "vm create", NO_NOUN, false, 0,
			      BIT(MS_K_DIRTY) | BIT(MS_K_IPA) | BIT(MS_K_SPLIT) | BIT(MS_K_ZAP) |
				      BIT(MS_K_NX),
			      0 },
	[MS_OP_VM_DESTROY] = { "vm destroy", NO_NOUN, false, 0, 0, 0 },
	[MS_OP_SLOT] = { "slot", NO_NOUN, false,
			 BIT(MS_K_ID) | BIT(MS_K_GPA) | BIT(MS_K_SIZE) | BIT(MS_K_HVA),
			 BIT(MS_K_SLOT_FLAGS), 0 },
	[MS_OP_GUEST] = { "guest", NO_NOUN, false, BIT(MS_K_GUEST_ACCESS) | BIT(MS_K_GPA), 0, 0 },
	[MS_OP_DIRTY] = { "dirty", NO_NOUN, false, BIT(MS_K_ID), BIT(MS_K_FIRST) | BIT(MS_K_PAGES),
			  BIT(MS_K_GET) | BIT(MS_K_CLEAR) },
	[MS_OP_SHOW_S2] = { "show s2", NO_NOUN, false, BIT(MS_K_GPA) | BIT(MS_K_LEN), 0, 0 },
	[MS_OP_PREFAULT] = { "prefault", NO_NOUN, false, BIT(MS_K_GPA) | BIT(MS_K_SIZE), 0, 0,
			     ONLY_X86 },
	[MS_OP_KVM] = { "kvm", NO_NOUN, false, 0, 0,
			BIT(MS_K_NX_HUGE_PAGES) | BIT(MS_K_EAGER_PAGE_SPLIT), ONLY_X86 },
	[MS_OP_NX_RECOVER] = { "nx-recover", NO_NOUN, false, 0, 0, 0, ONLY_X86 },
	[MS_OP_AGE] = { "age", NO_NOUN, false, RANGE, 0, 0, ONLY_X86 },
	[MS_OP_TEST_AGE] = { "test-age", NO_NOUN, false, RANGE, 0, 0, ONLY_X86 },
};

static bool takes(const struct spec *spec, enum ms_op_key key)
{
	return (spec->required | spec->optional | spec->one_of) & BIT(key);
}

/* Refuses an operation, or a key of it, that the header's architecture does not have. */
static int check_arch(struct ms_op_parser *p, enum only only, const char *name, const char *key)
{
	const enum ms_arch arch = only == ONLY_X86 ? MS_ARCH_X86_64 : MS_ARCH_ARM64;

	if (only == BOTH || p->header->arch == arch)
		return 0;
	return ms_script_fail(p->err, p->line, "%s%s%s: only %s has it, and the kernel is of %s",
			      name, key ? ": " : "", key ? key : "", ms_arch_name(arch),
			      ms_arch_name(p->header->arch));
}

/* Finds the operation that *rest begins with, and takes its name off. NULL: there is none. */
static const struct spec *find_spec(struct ms_word *rest)
{
	struct ms_word first, second, after = *rest;

	ms_word_next(&after, ' ', &first);
	struct ms_word after_second = after;
	struct ms_word both = first;
	if (ms_word_next(&after_second, ' ', &second))
		both.len += 1 + second.len;
	for (size_t i = 0; i < MS_OP_KINDS; i++) {
		bool two = strchr(specs[i].name, ' ');

		if (!ms_word_is(two ? both : first, specs[i].name))
			continue;
		*rest = two ? after_second : after;
		return &specs[i];
	}
	return NULL;
}

static int parse_noun(struct ms_op_parser *p, enum noun noun, struct ms_word *rest)
{
	struct ms_word word;

	if (noun == NO_NOUN)
		return 0;
	if (!ms_word_next(rest, ' ', &word))
		return ms_script_fail(p->err, p->line, "%s: what?", p->name);
	int err = ms_source_parse(p, word);
	if (err || noun == NOUN_SOURCE)
		return err;
	enum ms_source_kind source = p->op->source;
	if (source == MS_SRC_RESOURCE || (source == MS_SRC_DRIVER && noun == NOUN_DEVICE_OR_DRIVER))
		return 0;
	return ms_script_fail(p->err, p->line, "%s: not a device \"%.*s\"", p->name,
			      MS_SHOWN(word));
}

/* Reads key=value, or a key that stands alone. */
static int parse_key(struct ms_op_parser *p, const struct spec *spec, struct ms_word word)
{
	struct ms_op *op = p->op;
	struct ms_word name = word, value = { NULL, 0 };
	bool has_value = ms_word_split(word, &name, &value);

	for (int key = 0; key < MS_OP_KEYS; key++) {
		if (!takes(spec, key) || !ms_word_is(name, keys[key].name))
			continue;
		if (ms_op_has(op, key))
			return ms_script_fail(p->err, p->line, "%s: %s twice", p->name,
					      keys[key].name);
		int err = check_arch(p, keys[key].only, p->name, keys[key].name);
		if (err)
			return err;
		op->has |= BIT(key);
		op->value[key] = 0;
		if (has_value)
			return ms_value_parse(p, key, value);
		op->value[key] = keys[key].value;
		if (keys[key].value)
			return 0;
		return ms_script_fail(p->err, p->line, "%s: %s without a value", p->name,
				      keys[key].name);
	}
	return ms_script_fail(p->err, p->line, "%s: unknown %s \"%.*s\"", p->name,
			      has_value ? "key" : "word", MS_SHOWN(name));
}

/* Refuses an operation in which a key is missing. */
static int check_keys(struct ms_op_parser *p, const struct spec *spec)
{
	struct ms_op *op = p->op;

	for (int key = 0; key < MS_OP_KEYS; key++) {
		if ((spec->required & ~op->has) & BIT(key))
			return ms_script_fail(p->err, p->line, "%s: %s is missing", p->name,
					      keys[key].name);
	}
	uint32_t chosen = op->has & spec->one_of;
	if (spec->one_of && (!chosen || (chosen & (chosen - 1))))
		return ms_script_fail(p->err, p->line, "%s: exactly one of two words is needed",
				      p->name);
	return 0;
}

/* Refuses keys that do not fit together, in the operations where that can be. */
static int check_kind(struct ms_op_parser *p)
{
	const struct ms_op *op = p->op;
	uint64_t flags = op->value[MS_K_MAP_FLAGS];
	uint32_t range = op->has & (BIT(MS_K_FIRST) | BIT(MS_K_PAGES));
	uint32_t driver = op->has & (BIT(MS_K_PIECES) | BIT(MS_K_TYPE) | BIT(MS_K_LAZY));

	switch (op->kind) {
	case MS_OP_MMAP:
		if (!(flags & MS_MAP_SHARED) == !(flags & MS_MAP_PRIVATE))
			return ms_script_fail(p->err, p->line, "mmap: shared or private?");
		if (op->source == MS_SRC_DRIVER ? !ms_op_has(op, MS_K_PIECES) : driver != 0)
			return ms_script_fail(
				p->err, p->line,
				"mmap: pieces belong to driver:NAME, and to it alone");
		return 0;
	case MS_OP_DIRTY:
		if (ms_op_has(op, MS_K_GET) ? range != 0
					    : range != (BIT(MS_K_FIRST) | BIT(MS_K_PAGES)))
			return ms_script_fail(p->err, p->line,
					      "dirty: first and pages belong to clear");
		return 0;
	default:
		return 0;
	}
}

/* What ends a process or a VM waits for what is under way in it: no hook can do that. */
bool ms_op_can_interrupt(enum ms_op_kind kind)
{
	return kind != MS_OP_EXIT && kind != MS_OP_VM_CREATE && kind != MS_OP_VM_DESTROY;
}

/* Takes "at POINT: " or "at POINT#N: " off *text. */
static int parse_at(struct ms_op *op, const char **text, uint64_t line, struct ms_script_error *err)
{
	const char *point = *text + 3, *end = strchr(point, ':');
	struct ms_word nth = { NULL, 0 };
	uint64_t n = 1;

	if (!end || end[1] != ' ')
		return ms_script_fail(err, line, "at: not \"at POINT: OPERATION\"");
	struct ms_word name = { point, (size_t)(end - point) };
	const char *number = memchr(point, '#', name.len);
	if (number) {
		nth = (struct ms_word){ number + 1, (size_t)(end - number) - 1 };
		name.len = (size_t)(number - point);
	}
	if (number && (ms_number(nth.s, nth.len, &n) || !n || n > UINT32_MAX))
		return ms_script_fail(err, line, "at: not a number from 1 on \"%.*s\"",
				      MS_SHOWN(nth));
	for (unsigned int i = 0; i < MS_HOOK_POINTS; i++) {
		if (ms_word_is(name, ms_hook_name((enum ms_hook_point)i)))
			op->at = i + 1;
	}
	if (!op->at)
		return ms_script_fail(err, line, "at: unknown hook point \"%.*s\"", MS_SHOWN(name));
	op->at_nth = (unsigned int)n;
	*text = end + 2;
	return 0;
}

int ms_op_parse(struct ms_op *op, const char *text, const struct ms_header *header, uint64_t line,
		struct ms_script_error *err)
{
	static const char child[] = "child ";
	struct ms_op_parser p = { .op = op, .header = header, .line = line, .err = err };

	if (!strncmp(text, "at ", 3)) {
		int bad = parse_at(op, &text, line, err);

		if (bad)
			return bad;
	}
	struct ms_word rest = { text, strlen(text) }, word;
	op->child = !strncmp(text, child, sizeof(child) - 1);
	if (op->child)
		rest = (struct ms_word){ text + sizeof(child) - 1, rest.len - sizeof(child) + 1 };
	const struct spec *spec = find_spec(&rest);
	if (!spec)
		return ms_script_fail(err, line, "unknown operation \"%.40s\"", text);
	if (op->child && !spec->child)
		return ms_script_fail(err, line, "%s: not an operation of a child", spec->name);
	op->kind = (enum ms_op_kind)(spec - specs);
	p.name = spec->name;
	if (op->at && !ms_op_can_interrupt(op->kind))
		return ms_script_fail(err, line, "%s: not in the middle of another operation",
				      spec->name);
	int ret = check_arch(&p, spec->only, spec->name, NULL);
	if (!ret)
		ret = parse_noun(&p, spec->noun, &rest);
	while (!ret && ms_word_next(&rest, ' ', &word))
		ret = word.len ? parse_key(&p, spec, word)
			       : ms_script_fail(err, line, "%s: words are separated by one space",
						spec->name);
	if (!ret)
		ret = check_keys(&p, spec);
	return ret ? ret : check_kind(&p);
}
