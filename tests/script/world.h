/* SPDX-License-Identifier: GPL-2.0-only */
/* Scripts in tests: their headers, and playing them. */
#ifndef TESTS_SCRIPT_WORLD_H
#define TESTS_SCRIPT_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <mapsim/machine.h>
#include <mapsim/script.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARM64 \
	"mapsim-recording 1\n" \
	"kernel 6.12.107 arm64\n" \
	"config page_size=4096 va_bits=48 ipa_bits=40 thp=never\n" \
	"device bar pa=0x8000000000 size=0x200000 prefetchable=1\n" \
	"device odd pa=0x8000200000 size=0x200000\n" \
	"ram pa=0x40000000 size=0x10000000\n"

#define X86(release) \
	"mapsim-recording 1\n" \
	"kernel " release " x86_64\n" \
	"config page_size=4096 va_bits=48 pa_bits=40 pat=on thp=never\n" \
	"device bar pa=0x100000000 size=0x10000 prefetchable=1 mtrr=WB\n" \
	"ram pa=0x100000 size=0x10000000\n"

static inline struct ms_script *parsed(const char *text)
{
	struct ms_script_error err;
	struct ms_script *script = ms_script_parse(text, strlen(text), NULL, &err);

	if (!script)
		fail_msg("line %d: %s", (int)err.line, err.what);
	return script;
}

/* Playing what is before the answers gives exactly `text`. */
static inline void assert_plays_as(const char *text)
{
	struct ms_script *script = parsed(text);
	struct ms_script_error err;
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_non_null(out);
	assert_int_equal(ms_script_run(script, 0, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(printed, text);
	free(printed);
	ms_script_free(script);
}

#endif
