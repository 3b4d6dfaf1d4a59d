/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads a world: what each line is. The format is described in docs/worlds.md. */
#include "explore/internal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DEPTH 5u
#define DEFAULT_STATES UINT64_C(10000000)
#define MAX_STATES (UINT64_C(1) << 31)

int ms_world_fail(struct ms_script_error *err, uint64_t line, const char *format, ...)
{
	va_list args;

	if (!err)
		return -EINVAL;
	err->line = line;
	va_start(args, format);
	vsnprintf(err->what, sizeof(err->what), format, args);
	va_end(args);
	return -EINVAL;
}

int ms_explore_grow(void **array, size_t *capacity, size_t n, size_t size)
{
	if (n < *capacity)
		return 0;
	size_t more = *capacity ? *capacity * 2 : 16;
	void *bigger = reallocarray(*array, more, size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*capacity = more;
	return 0;
}

int ms_texts_add(struct ms_texts *t, char *text, uint64_t line)
{
	if (!text || ms_explore_grow((void **)&t->text, &t->capacity, t->nr, sizeof(*t->text)) ||
	    ms_explore_grow((void **)&t->line, &t->line_capacity, t->nr, sizeof(*t->line))) {
		free(text);
		return -ENOMEM;
	}
	t->text[t->nr] = text;
	t->line[t->nr++] = line;
	return 0;
}

void ms_texts_free(struct ms_texts *t)
{
	for (size_t i = 0; i < t->nr; i++)
		free(t->text[i]);
	free(t->text);
	free(t->line);
}

/* ---- lines ---- */

struct reader {
	struct ms_world *world;
	struct ms_script_error *err;
	uint64_t line;
	bool any; /* the first line was read */
};

static int bound(struct reader *r, const char *name, const char *rest, uint64_t most,
		 uint64_t *value)
{
	int ret = ms_world_sum(r->world, rest, strlen(rest), r->line, value, r->err);

	if (!ret && (!*value || *value > most))
		return ms_world_fail(r->err, r->line, "%s: a number from 1 to %llu", name,
				     (unsigned long long)most);
	return ret;
}

static int depth_line(struct reader *r, const char *rest)
{
	uint64_t value;
	int ret = bound(r, "depth", rest, MS_EXPLORE_MAX_DEPTH, &value);

	if (!ret)
		r->world->depth = (unsigned int)value;
	return ret;
}

static int states_line(struct reader *r, const char *rest)
{
	return bound(r, "states", rest, MAX_STATES, &r->world->states);
}

/* Calls `one` for each word of a line that has at least one. */
static int words(struct reader *r, const char *rest,
		 int (*one)(struct reader *r, const char *word, size_t len))
{
	int ret = 0;

	if (!*rest)
		return ms_world_fail(r->err, r->line, "nothing is named");
	while (!ret && *(rest += strspn(rest, " "))) {
		size_t len = strcspn(rest, " ");

		ret = one(r, rest, len);
		rest += len;
	}
	return ret;
}

static int one_arch(struct reader *r, const char *word, size_t len)
{
	for (enum ms_arch a = MS_ARCH_ARM64; a <= MS_ARCH_X86_64; a++) {
		const char *name = ms_arch_name(a);

		if (strlen(name) != len || memcmp(name, word, len))
			continue;
		r->world->arch[a] = true;
		return 0;
	}
	return ms_world_fail(r->err, r->line, "arch: unknown architecture \"%.*s\"",
			     (int)(len > 40 ? 40 : len), word);
}

static int arch_line(struct reader *r, const char *rest)
{
	return words(r, rest, one_arch);
}

static int one_kernel(struct reader *r, const char *word, size_t len)
{
	char release[40];

	snprintf(release, sizeof(release), "%.*s", (int)(len > 39 ? 39 : len), word);
	struct ms_release known = ms_release_known(release, MS_ARCH_ARM64);
	if (!known.policy)
		return ms_world_fail(r->err, r->line, "kernels: %s: %s", release, known.text);
	return ms_texts_add(&r->world->kernels, strndup(word, len), r->line);
}

static int kernels_line(struct reader *r, const char *rest)
{
	return words(r, rest, one_kernel);
}

static int ignore_line(struct reader *r, const char *rest)
{
	if (!*rest)
		return ms_world_fail(r->err, r->line, "ignore: what?");
	return ms_texts_add(&r->world->ignore, strdup(rest), r->line);
}

static int go_on_line(struct reader *r, const char *rest)
{
	if (!*rest)
		return ms_world_fail(r->err, r->line, "go-on: from what?");
	return ms_texts_add(&r->world->go_on, strdup(rest), r->line);
}

/* let NAME = SUM */
static int let_line(struct reader *r, const char *rest)
{
	struct ms_world *w = r->world;
	size_t len = 0;
	uint64_t value;

	while (isalnum((unsigned char)rest[len]) || rest[len] == '_')
		len++;
	const char *sum = rest + len + strspn(rest + len, " ");
	if (!len || isdigit((unsigned char)rest[0]) || *sum != '=')
		return ms_world_fail(r->err, r->line,
				     "let: not NAME = VALUE; a name is of letters, "
				     "digits and _, a letter first");
	for (size_t i = 0; i < w->nr_names; i++) {
		if (strlen(w->names[i].name) == len && !memcmp(w->names[i].name, rest, len))
			return ms_world_fail(r->err, r->line, "let: %s twice", w->names[i].name);
	}
	sum += 1 + strspn(sum + 1, " ");
	int ret = ms_world_sum(w, sum, strlen(sum), r->line, &value, r->err);
	if (!ret)
		ret = ms_explore_grow((void **)&w->names, &w->names_capacity, w->nr_names,
				      sizeof(*w->names));
	if (ret)
		return ret;
	char *name = strndup(rest, len);
	if (!name)
		return -ENOMEM;
	w->names[w->nr_names++] = (struct ms_world_name){ name, value };
	return 0;
}

static int header_line(struct reader *r, const char *text)
{
	if (r->world->setup.nr || r->world->letters.nr)
		return ms_world_fail(r->err, r->line, "the machine stands before the operations");
	return ms_texts_add(&r->world->header, strdup(text), r->line);
}

static int setup_line(struct reader *r, const char *text)
{
	if (strpbrk(text, "{}"))
		return ms_world_fail(r->err, r->line, "a set can stand in a letter, after '*'");
	if (r->world->letters.nr)
		return ms_world_fail(r->err, r->line, "the setup stands before the letters");
	// what it stands for is one operation, but it may be there several times
	struct ms_texts one = { 0 };
	int ret = ms_world_expand(r->world, text, r->line, &one, r->err);
	if (!ret) {
		char *written = one.text[0];

		one.nr = 0;
		ret = ms_texts_add(&r->world->setup, written, r->line);
	}
	ms_texts_free(&one);
	return ret;
}

static int other_line(struct reader *r, const char *text)
{
	static const struct {
		const char *name;
		int (*read)(struct reader *r, const char *rest);
	} lines[] = {
		{ "arch", arch_line },     { "kernels", kernels_line }, { "depth", depth_line },
		{ "states", states_line }, { "ignore", ignore_line },   { "go-on", go_on_line },
		{ "let", let_line },
	};
	static const char *const header[] = { "config", "device", "bar", "ram", "mtrr" };
	size_t len = strcspn(text, " ");

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (strlen(lines[i].name) == len && !memcmp(lines[i].name, text, len))
			return lines[i].read(r, text + len + strspn(text + len, " "));
	}
	for (size_t i = 0; i < sizeof(header) / sizeof(header[0]); i++) {
		if (strlen(header[i]) == len && !memcmp(header[i], text, len))
			return header_line(r, text);
	}
	return ms_world_fail(r->err, r->line, "unknown line \"%.40s\"", text);
}

static int one_line(struct reader *r, const char *text)
{
	if (text[0] == '#' && text[1] == '!')
		return header_line(r, text);
	if (text[0] == '#' || !text[0])
		return 0;
	if (!r->any) {
		r->any = true;
		if (strcmp(text, "mapsim-world 1"))
			return ms_world_fail(r->err, r->line,
					     "a world begins with the line \"mapsim-world 1\"");
		return 0;
	}
	if (text[0] != '>' && text[0] != '*')
		return other_line(r, text);
	if (text[1] != ' ')
		return ms_world_fail(r->err, r->line, "no blank after '%c'", text[0]);
	return text[0] == '>'
		       ? setup_line(r, text + 2)
		       : ms_world_expand(r->world, text + 2, r->line, &r->world->letters, r->err);
}

/* Operations must be ASCII; a comment may be anything. */
static int check_bytes(struct reader *r, const char *text)
{
	if (strlen(text) > MS_SCRIPT_MAX_LINE)
		return ms_world_fail(r->err, r->line, "line longer than %u bytes",
				     MS_SCRIPT_MAX_LINE);
	for (const char *c = text; text[0] != '#' && *c; c++) {
		if (*c < ' ' || *c > '~')
			return ms_world_fail(r->err, r->line, "not text: byte 0x%02x in column %zu",
					     (unsigned char)*c, (size_t)(c - text) + 1);
	}
	return 0;
}

static int all_lines(struct reader *r, char *text, size_t size)
{
	for (size_t at = 0; at < size;) {
		char *end = memchr(text + at, '\n', size - at);
		size_t len = end ? (size_t)(end - text) - at : size - at;

		r->line++;
		text[at + len] = '\0';
		if (strlen(text + at) != len)
			return ms_world_fail(r->err, r->line, "not text: a zero byte");
		int ret = check_bytes(r, text + at);
		if (!ret)
			ret = one_line(r, text + at);
		if (ret)
			return ret;
		at += len + 1;
	}
	return 0;
}

/* Whether operations are right is known once they are read for an architecture. */
static int try_scripts(const struct ms_world *w, struct ms_script_error *err)
{
	for (enum ms_arch a = MS_ARCH_ARM64; a <= MS_ARCH_X86_64; a++) {
		const struct ms_script_kernel kernel = { ms_world_kernel(w, 0), ms_arch_name(a) };

		if (!w->arch[a])
			continue;
		struct ms_script *script = ms_world_script(w, &kernel, err);
		if (!script)
			return -errno;
		ms_script_free(script);
	}
	return 0;
}

static int parse(struct ms_world *w, char *text, size_t size, struct ms_script_error *err)
{
	struct reader r = { .world = w, .err = err };
	int ret = all_lines(&r, text, size);

	if (ret)
		return ret;
	if (!r.any)
		return ms_world_fail(err, 0,
				     "empty: a world begins with the line "
				     "\"mapsim-world 1\"");
	if (!w->arch[MS_ARCH_ARM64] && !w->arch[MS_ARCH_X86_64])
		w->arch[MS_ARCH_ARM64] = w->arch[MS_ARCH_X86_64] = true;
	for (size_t i = 0; i < w->letters.nr; i++)
		w->has_vfio |= strstr(w->letters.text[i], " vfio:") != NULL;
	for (size_t i = 0; i < w->setup.nr; i++)
		w->has_vfio |= strstr(w->setup.text[i], " vfio:") != NULL;
	return try_scripts(w, err);
}

struct ms_world *ms_world_parse(const char *text, size_t size, struct ms_script_error *err)
{
	int ret = -ENOMEM;

	if (err)
		*err = (struct ms_script_error){ .line = 0 };
	if ((size && !text) || size > MS_SCRIPT_MAX_SIZE) {
		ms_world_fail(err, 0, text ? "too large" : "no text");
		errno = EINVAL;
		return NULL;
	}
	struct ms_world *w = calloc(1, sizeof(*w));
	char *copy = malloc(size + 1);
	if (w && copy) {
		w->depth = DEFAULT_DEPTH;
		w->states = DEFAULT_STATES;
		if (size)
			memcpy(copy, text, size);
		ret = parse(w, copy, size, err);
	}
	free(copy);
	if (!ret)
		return w;
	if (ret == -ENOMEM)
		ms_world_fail(err, 0, "no memory");
	ms_world_free(w);
	errno = -ret;
	return NULL;
}

struct ms_world *ms_world_read(FILE *in, struct ms_script_error *err)
{
	char *text = NULL;
	size_t size = 0, capacity = 0, got = 1;
	struct ms_world *w = NULL;

	if (!in)
		return ms_world_parse(NULL, 1, err);
	while (got && size <= MS_SCRIPT_MAX_SIZE) {
		if (size == capacity) {
			char *bigger = realloc(text, capacity = capacity ? 2 * capacity : 16384);

			if (!bigger)
				break;
			text = bigger;
		}
		got = fread(text + size, 1, capacity - size, in);
		size += got;
	}
	if (ferror(in)) {
		ms_world_fail(err, 0, "cannot be read");
		errno = EIO;
	} else if (size == capacity && got && size <= MS_SCRIPT_MAX_SIZE) {
		ms_world_fail(err, 0, "no memory");
		errno = ENOMEM;
	} else {
		w = ms_world_parse(text, size, err);
	}
	int saved = errno;
	free(text);
	errno = saved;
	return w;
}

void ms_world_free(struct ms_world *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->nr_names; i++)
		free(w->names[i].name);
	free(w->names);
	ms_texts_free(&w->header);
	ms_texts_free(&w->setup);
	ms_texts_free(&w->letters);
	ms_texts_free(&w->kernels);
	ms_texts_free(&w->ignore);
	ms_texts_free(&w->go_on);
	free(w);
}
