/* SPDX-License-Identifier: GPL-2.0-only */
/* Scripts that are played on kernels, and what is wrong after their last operation. */
#ifndef TESTS_HAZARD_WORLD_H
#define TESTS_HAZARD_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mapsim/check.h>
#include <mapsim/hazard.h>
#include <mapsim/machine.h>
#include <mapsim/script.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* arm64 with FWB, and a CPU with DIC and IDC */
#define DIC(release) \
	"mapsim-recording 1\n" \
	"kernel " release " arm64\n" \
	"config page_size=4096 va_bits=48 ipa_bits=40 thp=always fwb=1 dic=1 idc=1\n" \
	"device big pa=0x8100000000 size=0x1000000 prefetchable=1\n" \
	"ram pa=0x40000000 size=0xc0000000\n"

#define PAGES_16K(release) \
	"mapsim-recording 1\n" \
	"kernel " release " arm64\n" \
	"config page_size=16384 va_bits=47 ipa_bits=40 thp=always fwb=1 dic=0 idc=0\n" \
	"device huge pa=0x8000000000 size=0x100000000 prefetchable=1\n" \
	"ram pa=0x40000000 size=0xc0000000\n"

/* A hazard as it is printed, without the words in brackets. */
static inline void print_hazard(const struct ms_machine *m, const struct ms_hazard *h, FILE *out)
{
	char *line = NULL;
	size_t size;
	FILE *text = open_memstream(&line, &size);

	assert_non_null(text);
	ms_hazard_print(m, h, text);
	assert_int_equal(fclose(text), 0);
	assert_string_equal(line + strlen(line) - 2, ")\n");
	*strstr(line, " (") = '\0';
	fprintf(out, "%s\n", line);
	free(line);
}

struct judged {
	struct ms_machine *m;
	FILE *out;
};

static inline void add_hazard(const struct ms_hazard *h, void *arg)
{
	const struct judged *j = arg;

	print_hazard(j->m, h, j->out);
}

/* The hazards after the last operation of the script, one a line. Freed by the caller. */
static inline char *judge(struct ms_script *script)
{
	struct ms_player *player = ms_player_new(script, NULL);
	struct judged j = { .m = ms_player_machine(player) };
	char *text = NULL;
	size_t size, found = 0, n;

	assert_non_null(player);
	for (size_t i = 0; i < ms_script_nr_ops(script); i++) {
		free(text);
		assert_non_null(ms_player_step(player, i));
		j.out = open_memstream(&text, &size);
		assert_non_null(j.out);
		found = ms_player_hazards(player, add_hazard, &j);
		assert_int_equal(fclose(j.out), 0);
	}
	n = 0;
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		n++;
	assert_int_equal(found, n);
	ms_player_free(player);
	return text;
}

/* The script begins with a header, or is played on a release of arm64 or x86_64. */
static inline void assert_hazards(const char *release, const char *arch, const char *text,
				  const char *hazards)
{
	const struct ms_script_kernel kernel = { release, arch };
	struct ms_script_error err;
	struct ms_script *script = ms_script_parse(text, strlen(text), &kernel, &err);
	char *found;

	if (!script)
		fail_msg("line %d: %s", (int)err.line, err.what);
	found = judge(script);
	assert_string_equal(found, hazards);
	free(found);
	ms_script_free(script);
}

#endif
