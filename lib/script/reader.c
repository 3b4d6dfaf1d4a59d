/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads a text into a script: what each line is, and whether it may stand where it does. */
#include "script/internal.h"

#include <stdlib.h>

struct reader {
	struct ms_script *script;
	struct ms_script_error *err;
	const struct ms_script_kernel *kernel;
	enum ms_header_line last; /* the header line that was read last */
	bool any_header_line;
	enum ms_thp_mode thp; /* what the directive #!thp= says */
	bool short_forms;     /* it is a script, not a recording: short.c */
};

/* Makes room for one more element behind the n of an array. 0, -ENOMEM. */
static int grow(void **array, size_t *capacity, size_t n, size_t size)
{
	if (n < *capacity)
		return 0;
	size_t more = *capacity ? *capacity * 2 : 64;
	void *bigger = reallocarray(*array, more, size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*capacity = more;
	return 0;
}

static int add_item(struct ms_script *s, enum ms_item_kind kind, const char *text, uint64_t line)
{
	int err = grow((void **)&s->items, &s->items_capacity, s->nr_items, sizeof(*s->items));

	if (err)
		return err;
	s->items[s->nr_items++] = (struct ms_item){
		.text = text, .line = (uint32_t)line, .op = (uint32_t)s->nr_ops, .kind = kind
	};
	return 0;
}

/* Lets the script own `text`, which is freed here when that fails. 0, -ENOMEM. */
static int keep_made(struct ms_script *s, char *text)
{
	if (!text)
		return -ENOMEM;
	int err = grow((void **)&s->made, &s->made_capacity, s->nr_made, sizeof(*s->made));
	if (err)
		free(text);
	else
		s->made[s->nr_made++] = text;
	return err;
}

/* ---- bytes ---- */

/* Comments may hold tabs and any bytes from 0x80 on; other lines only printable ASCII. */
static int check_bytes(const char *text, size_t len, uint64_t line, struct ms_script_error *err)
{
	bool comment = text[0] == '#';

	if (len > MS_SCRIPT_MAX_LINE)
		return ms_script_fail(err, line, "line longer than %u bytes", MS_SCRIPT_MAX_LINE);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= ' ' && c < 0x7f)
			continue;
		if (!comment || (c < 0x80 && c != '\t'))
			return ms_script_fail(err, line, "not text: byte 0x%02x in column %zu", c,
					      i + 1);
	}
	return 0;
}

/* Checks the bytes of each line and replaces its '\n' by NUL. A NUL must follow the text. */
static int split_lines(char *text, size_t size, struct ms_script_error *err)
{
	uint64_t line = 1;

	for (size_t at = 0; at < size; line++) {
		char *end = memchr(text + at, '\n', size - at);
		size_t len = end ? (size_t)(end - text) - at : size - at;
		int ret = check_bytes(text + at, len, line, err);

		if (ret)
			return ret;
		if (end)
			*end = '\0';
		at += len + 1;
	}
	return 0;
}

/* ---- directives: comments that say how the host is set up ---- */

/* Keeps the RULE=VALUE of a directive #!rule=. */
static int rule_directive(struct reader *r, const char *setting, uint64_t line)
{
	struct ms_header *h = &r->script->header;
	struct ms_policy scratch = *ms_policy_get(0);
	size_t old = h->rules ? strlen(h->rules) : 0;
	char *rules;

	if (ms_policy_set_text(&scratch, setting))
		return ms_script_fail(r->err, line, "no such rule or value \"%.80s\"", setting);
	if (r->script->nr_ops)
		return ms_script_fail(r->err, line, "a directive stands before the operations");
	rules = realloc(h->rules, old + strlen(setting) + 2);
	if (!rules)
		return -ENOMEM;
	sprintf(rules + old, "%s\n", setting);
	h->rules = rules;
	return 0;
}

/* Reads a line that begins with "#!". One with an unknown key is a comment. */
static int directive(struct reader *r, const char *text, uint64_t line)
{
	struct ms_word word = { text + 2, strlen(text + 2) }, key, value;

	if (!strncmp(text, MS_RULE_DIRECTIVE, strlen(MS_RULE_DIRECTIVE)))
		return rule_directive(r, text + strlen(MS_RULE_DIRECTIVE), line);
	if (!ms_word_split(word, &key, &value))
		return 0;
	bool shmem = ms_word_is(key, "shmem");
	if (!shmem && !ms_word_is(key, "thp"))
		return 0;
	const struct ms_named *mode = ms_named_find(shmem ? ms_shmem_modes : ms_thp_modes, value);
	if (!mode)
		return ms_script_fail(r->err, line, "unknown mode \"%.40s\"", text);
	if (r->script->nr_ops)
		return ms_script_fail(r->err, line, "a directive stands before the operations");
	if (!shmem) {
		r->thp = (enum ms_thp_mode)mode->value;
		return 0;
	}
	r->script->header.config.shmem = (enum ms_thp_mode)mode->value;
	return 0;
}

/* ---- lines ---- */

/* Puts a line without its short forms in place of *text. */
static int write_out(struct reader *r, const char **text, uint64_t line)
{
	char *written;
	int err = ms_short_write_out(&r->script->header, *text, line, &written, r->err);

	if (err)
		return err;
	if (!strcmp(written, *text)) {
		free(written);
		return 0;
	}
	*text = written;
	return keep_made(r->script, written);
}

static int header_complete(struct reader *r, uint64_t line)
{
	if (r->last >= MS_HL_CONFIG)
		return 0;
	return ms_script_fail(r->err, line, "the header has no %s line",
			      r->last < MS_HL_KERNEL ? "kernel" : "config");
}

static int op_line(struct reader *r, const char *text, uint64_t line)
{
	struct ms_script *s = r->script;
	int err = header_complete(r, line);

	if (!err && !s->nr_ops)
		err = ms_header_finish(&s->header, line, r->err);
	if (!err && r->short_forms)
		err = write_out(r, &text, line);
	if (!err)
		err = grow((void **)&s->ops, &s->ops_capacity, s->nr_ops, sizeof(*s->ops));
	if (!err)
		err = add_item(s, MS_ITEM_OP, text, line);
	if (err)
		return err;
	struct ms_script_entry *entry = &s->ops[s->nr_ops++];
	*entry = (struct ms_script_entry){ .item = s->nr_items - 1, .first_answer = s->nr_answers };
	return ms_op_parse(&entry->op, text, &s->header, line, r->err);
}

static int answer_line(struct reader *r, const char *text, uint64_t line)
{
	struct ms_script *s = r->script;

	if (!s->nr_ops)
		return ms_script_fail(r->err, line, "an answer before the first operation");
	struct ms_script_entry *entry = &s->ops[s->nr_ops - 1];
	int err = ms_answer_check(text, entry->nr_answers == 0, line, r->err);
	if (!err)
		err = grow((void **)&s->answers, &s->answers_capacity, s->nr_answers,
			   sizeof(*s->answers));
	if (!err)
		err = add_item(s, MS_ITEM_ANSWER, text, line);
	if (err)
		return err;
	s->answers[s->nr_answers++] = s->nr_items - 1;
	entry->nr_answers++;
	return 0;
}

static int header_line(struct reader *r, const char *text, uint64_t line)
{
	enum ms_header_line which = ms_header_which(text);

	if (which == MS_HL_DONE)
		return ms_script_fail(r->err, line, "unknown line \"%.40s\"", text);
	if (r->script->nr_ops)
		return ms_script_fail(r->err, line, "a header line after the first operation");
	bool repeats = which >= MS_HL_DEVICE && which == r->last;
	bool follows = which == MS_HL_MAGIC   ? !r->any_header_line
		       : which > MS_HL_CONFIG ? r->last >= MS_HL_CONFIG && which > r->last
					      : r->any_header_line && which == r->last + 1;
	if (!repeats && !follows)
		return ms_script_fail(r->err, line, "header out of order: \"%.40s\"", text);
	r->any_header_line = true;
	r->last = which;
	int err = r->short_forms ? write_out(r, &text, line) : 0;
	if (!err)
		err = ms_header_line(&r->script->header, which, text, line, r->err);
	if (!err && which == MS_HL_KERNEL)
		err = ms_header_kernel(&r->script->header, r->kernel, r->err);
	return err ? err : add_item(r->script, MS_ITEM_HEADER, text, line);
}

static int one_line(struct reader *r, const char *text, uint64_t line)
{
	switch (text[0]) {
	case '\0':
		return add_item(r->script, MS_ITEM_BLANK, text, line);
	case '#':
		if (text[1] == '!') {
			int err = directive(r, text, line);

			if (err)
				return err;
		}
		return add_item(r->script, MS_ITEM_COMMENT, text, line);
	case '>':
	case '<':
		if (text[1] != ' ')
			return ms_script_fail(r->err, line, "no blank after '%c'", text[0]);
		return text[0] == '>' ? op_line(r, text + 2, line) : answer_line(r, text + 2, line);
	default:
		return header_line(r, text, line);
	}
}

static int all_lines(struct reader *r, const char *text, size_t size, bool numbered)
{
	uint64_t line = 1;

	for (size_t at = 0; at < size; at += strlen(text + at) + 1, line++) {
		int err = one_line(r, text + at, numbered ? line : 0);

		if (err)
			return err;
	}
	return 0;
}

/* ---- a script without a header ---- */

static bool begins_with_header(const char *text, size_t size)
{
	for (size_t at = 0; at < size; at += strlen(text + at) + 1) {
		if (text[at] != '#' && text[at] != '\0')
			return text[at] != '>';
	}
	return true;
}

static bool has_answers(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size && text[at] != '<')
		at += strlen(text + at) + 1;
	return at < size;
}

/* Reads the directives before the first operation: the header that is made needs #!thp=. */
static int directives_first(struct reader *r, const char *text, size_t size)
{
	uint64_t line = 1;

	for (size_t at = 0; at < size && text[at] != '>'; at += strlen(text + at) + 1, line++) {
		int err =
			text[at] == '#' && text[at + 1] == '!' ? directive(r, text + at, line) : 0;

		if (err)
			return err;
	}
	return 0;
}

static int make_header(struct reader *r, const char *text, size_t size)
{
	enum ms_arch arch = MS_ARCH_ARM64;
	int err = directives_first(r, text, size);

	if (err)
		return err;
	if (r->kernel && r->kernel->arch &&
	    !ms_arch_parse((struct ms_word){ r->kernel->arch, strlen(r->kernel->arch) }, &arch))
		return ms_script_fail(r->err, 0, "unknown architecture \"%.40s\"", r->kernel->arch);
	char *header = ms_header_default(arch, r->thp);
	size_t header_size = header ? strlen(header) : 0;
	err = keep_made(r->script, header);
	if (!err)
		err = split_lines(header, header_size, r->err);
	return err ? err : all_lines(r, header, header_size, false);
}

/* ---- the public functions ---- */

static int parse(struct reader *r, size_t size)
{
	struct ms_script *s = r->script;
	int err = split_lines(s->text, size, r->err);

	if (err)
		return err;
	bool has_header = begins_with_header(s->text, size);
	r->short_forms = !has_header || !has_answers(s->text, size);
	if (!has_header)
		err = make_header(r, s->text, size);
	if (!err)
		err = all_lines(r, s->text, size, true);
	if (!err && !r->any_header_line)
		err = ms_script_fail(r->err, 0, "empty: neither a header nor an operation");
	if (!err)
		err = header_complete(r, 0);
	return err || s->nr_ops ? err : ms_header_finish(&s->header, 0, r->err);
}

/* As ms_script_parse(), but the script owns `text`, which is freed here when it is refused. */
static struct ms_script *parse_owned(char *text, size_t size, const struct ms_script_kernel *kernel,
				     struct ms_script_error *err)
{
	struct reader r = { .kernel = kernel, .err = err };

	ms_script_no_error(err);
	r.script = calloc(1, sizeof(*r.script));
	if (!r.script) {
		free(text);
		return ms_script_null(ms_script_no_memory(err));
	}
	r.script->text = text;
	int ret = parse(&r, size);
	if (!ret)
		return r.script;
	if (ret == -ENOMEM)
		ms_script_no_memory(err);
	ms_script_free(r.script);
	return ms_script_null(ret);
}

struct ms_script *ms_script_parse(const char *text, size_t size,
				  const struct ms_script_kernel *kernel,
				  struct ms_script_error *err)
{
	if (size && !text)
		return ms_script_null(ms_script_fail(err, 0, "no text"));
	if (size > MS_SCRIPT_MAX_SIZE)
		return ms_script_null(ms_script_fail(err, 0, "more than %llu bytes",
						     (unsigned long long)MS_SCRIPT_MAX_SIZE));
	char *copy = malloc(size + 1);
	if (!copy)
		return ms_script_null(ms_script_no_memory(err));
	if (size)
		memcpy(copy, text, size);
	copy[size] = '\0';
	return parse_owned(copy, size, kernel, err);
}

struct ms_script *ms_script_read(FILE *in, const struct ms_script_kernel *kernel,
				 struct ms_script_error *err)
{
	char *text = NULL;
	size_t size = 0, capacity = 0;

	if (!in)
		return ms_script_null(ms_script_fail(err, 0, "no file"));
	ms_script_no_error(err);
	do {
		capacity = capacity ? capacity * 2 : 65536;
		char *bigger = realloc(text, capacity + 1);
		if (!bigger) {
			free(text);
			return ms_script_null(ms_script_no_memory(err));
		}
		text = bigger;
		size += fread(text + size, 1, capacity - size, in);
	} while (size == capacity && capacity <= MS_SCRIPT_MAX_SIZE);
	if (ferror(in) || size > MS_SCRIPT_MAX_SIZE) {
		int ret = ferror(in) ? -EIO : -EINVAL;

		ms_script_fail(err, 0, ferror(in) ? "cannot be read" : "too large");
		free(text);
		return ms_script_null(ret);
	}
	text[size] = '\0';
	return parse_owned(text, size, kernel, err);
}

void ms_script_free(struct ms_script *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr_ops; i++)
		free(s->ops[i].op.pieces);
	for (size_t i = 0; i < s->nr_made; i++)
		free(s->made[i]);
	ms_header_free(&s->header);
	free(s->made);
	free(s->ops);
	free(s->answers);
	free(s->items);
	free(s->text);
	free(s);
}
