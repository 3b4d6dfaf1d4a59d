/* SPDX-License-Identifier: GPL-2.0-only */
/* Answers questions about a world, and makes a script of it. */
#include "explore/internal.h"

#include <stdlib.h>
#include <string.h>

bool ms_world_has_arch(const struct ms_world *w, enum ms_arch arch)
{
	return w && (arch == MS_ARCH_ARM64 || arch == MS_ARCH_X86_64) && w->arch[arch];
}

const char *ms_world_kernel(const struct ms_world *w, size_t i)
{
	return w && i < w->kernels.nr ? w->kernels.text[i] : NULL;
}

unsigned int ms_world_depth(const struct ms_world *w)
{
	return w ? w->depth : 0;
}

uint64_t ms_world_states(const struct ms_world *w)
{
	return w ? w->states : 0;
}

size_t ms_world_nr_letters(const struct ms_world *w)
{
	return w ? w->letters.nr : 0;
}

const char *ms_world_letter(const struct ms_world *w, size_t i)
{
	return w && i < w->letters.nr ? w->letters.text[i] : NULL;
}

static bool has_machine(const struct ms_world *w)
{
	for (size_t i = 0; i < w->header.nr; i++) {
		if (w->header.text[i][0] != '#')
			return true;
	}
	return false;
}

/* Writes a line of the script, and keeps where in the world it comes from. */
struct writer {
	FILE *out;
	uint64_t *line; /* of the world, by line of the script; 0: of none */
	size_t nr;
};

static void write_line(struct writer *w, const char *before, const char *text, uint64_t line)
{
	fprintf(w->out, "%s%s\n", before, text);
	w->line[w->nr++] = line;
}

static void write_texts(struct writer *w, const char *before, const struct ms_texts *texts)
{
	for (size_t i = 0; i < texts->nr; i++)
		write_line(w, before, texts->text[i], texts->line[i]);
}

/* What can be seen of a state without changing it. */
static const char *const looks[] = {
	"show vmas at=0x100000000000 len=0x400000000000",
	"show ptes at=0x100000000000 len=0x400000000000",
	"child show vmas at=0x100000000000 len=0x400000000000",
	"child show ptes at=0x100000000000 len=0x400000000000",
	"show s2 gpa=0x0 len=0x10000000000",
	"show memtypes",
};

const char *ms_world_look(size_t i)
{
	return i < sizeof(looks) / sizeof(looks[0]) ? looks[i] : NULL;
}

static void write_script(const struct ms_world *world, const struct ms_script_kernel *kernel,
			 struct writer *w)
{
	char line[80];

	// a machine of its own needs a whole header; without one the reader makes it
	if (has_machine(world)) {
		size_t i = 0;

		while (ms_release_recorded(i + 1, MS_ARCH_ARM64))
			i++;
		write_line(w, "", "mapsim-recording 1", 0);
		snprintf(line, sizeof(line), "kernel %s %s",
			 kernel->release ? kernel->release : ms_release_recorded(i, MS_ARCH_ARM64),
			 kernel->arch);
		write_line(w, "", line, 0);
	}
	write_texts(w, "", &world->header);
	write_texts(w, "> ", &world->setup);
	write_texts(w, "> ", &world->letters);
	for (size_t i = 0; ms_world_look(i); i++)
		write_line(w, "> ", ms_world_look(i), 0);
}

struct ms_script *ms_world_script(const struct ms_world *world,
				  const struct ms_script_kernel *kernel,
				  struct ms_script_error *err)
{
	struct ms_script *script = NULL;
	char *text = NULL;
	size_t size;
	struct writer w = {
		.out = open_memstream(&text, &size),
		.line = calloc(8 + world->header.nr + world->setup.nr + world->letters.nr,
			       sizeof(*w.line)),
	};
	struct ms_script_error why = { .line = 0 };
	int saved = ENOMEM;

	if (w.out && w.line)
		write_script(world, kernel, &w);
	if (w.out && !fclose(w.out) && w.line) {
		script = ms_script_parse(text, size, kernel, &why);
		saved = errno;
	} else {
		snprintf(why.what, sizeof(why.what), "no memory");
	}
	if (why.line && why.line <= w.nr)
		why.line = w.line[why.line - 1];
	if (err && !script)
		*err = why;
	free(text);
	free(w.line);
	errno = saved;
	return script;
}
