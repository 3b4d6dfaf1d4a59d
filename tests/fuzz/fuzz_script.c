/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes are the text of a script or a recording; its header names the kernel.
 *
 * - A text is refused with a sentence, or read.
 * - What was read and played is printed, and what was printed can be read; played again it says
 *   the same, line by line.
 * - After every operation the machine is in order, also when memory runs out in the middle.
 */
#include "fuzz.h"

#include <mapsim/mapsim.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST_OPS 64
#define MOST_BYTES (UINT64_C(256) << 20) /* of one operation: a kernel would need time for more */

/* NULL: refused. */
static struct ms_script *read_text(const char *text, size_t size, struct ms_script_error *err)
{
	struct ms_script *script = ms_script_parse(text, size, NULL, err);

	if (!script && (!err->what[0] || strchr(err->what, '\n')))
		fuzz_fail("a text is refused, and the message is \"%s\"", err->what);
	return script;
}

/* The script with the model's answers, and the reasons as comments; NULL: no such machine. */
static char *play_and_print(const struct ms_script *script, size_t *size)
{
	struct ms_script_error err;
	char *text = NULL;
	FILE *out = open_memstream(&text, size);
	int ret;

	if (!out)
		return NULL;
	ret = ms_script_run(script, MS_SCRIPT_EXPLAIN, out, &err);
	fclose(out);
	if (ret && (ret != -EINVAL || !err.what[0]))
		fuzz_fail("playing answers %d", ret);
	if (!ret)
		return text;
	free(text);
	return NULL;
}

static void differs(const struct ms_script_difference *diff, void *arg)
{
	fuzz_fail("line %llu said \"%s\", and played again \"%s\"", (unsigned long long)diff->line,
		  diff->kernel ? diff->kernel : "", diff->model ? diff->model : "");
}

static void check_printed(const char *text, size_t size)
{
	struct ms_script_error err;
	struct ms_script_count count;
	struct ms_script *script = read_text(text, size, &err);

	if (!script)
		fuzz_fail("what was printed is refused: line %llu, %s",
			  (unsigned long long)err.line, err.what);
	if (ms_script_nr_ops(script) && ms_script_check(script, differs, NULL, &count, &err))
		fuzz_fail("what was printed is no recording: %s", err.what);
	ms_script_free(script);
}

/* Step by step; seed: makes allocations fail now and then, 0: none does. */
static void play_steps(const struct ms_script *script, uint64_t seed)
{
	struct ms_script_error err;
	struct ms_player *player = ms_player_new(script, &err);
	struct ms_machine *m;

	if (!player)
		return;
	m = ms_player_machine(player);
	for (size_t i = 0; i < ms_script_nr_ops(script); i++) {
		const char *answer;

		if (seed && fuzz_random(&seed) % 2)
			ms_machine_fail_alloc(m, 1 + fuzz_random(&seed) % 12);
		answer = ms_player_step(player, i);
		ms_machine_fail_alloc(m, 0);
		if (!answer || strncmp(answer, "ret ", 4))
			fuzz_fail("\"%s\" has no answer", ms_script_get_op(script, i).text);
		if (strncmp(answer, "ret 0", 5) && !ms_player_reason(player))
			fuzz_fail("\"%s\" is refused for no reason",
				  ms_script_get_op(script, i).text);
		if (ms_machine_check(m, stderr))
			fuzz_fail("after \"%s\" the machine is not whole",
				  ms_script_get_op(script, i).text);
	}
	ms_player_free(player);
}

static uint64_t hash(const uint8_t *data, size_t size)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * UINT64_C(0x100000001b3);
	return h | 1;
}

/* Whether a number that follows `before` is too large. */
static bool asks_too_much(const char *text, const char *before)
{
	while ((text = strstr(text, before))) {
		text += strlen(before);
		if (strtoull(text, NULL, 0) > MOST_BYTES)
			return true;
	}
	return false;
}

static bool is_small(const struct ms_script *script)
{
	for (size_t i = 0; i < ms_script_nr_ops(script); i++) {
		const char *op = ms_script_get_op(script, i).text;

		if (strstr(op, "show "))
			continue;
		if (asks_too_much(op, "len=") || asks_too_much(op, "size="))
			return false;
	}
	return ms_script_nr_ops(script) <= MOST_OPS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ms_script_error err;
	struct ms_script *script = read_text((const char *)data, size, &err);
	size_t printed_size;
	char *printed;

	if (!script)
		return 0;
	if (!is_small(script)) {
		ms_script_free(script);
		return -1;
	}
	printed = play_and_print(script, &printed_size);
	if (printed) {
		check_printed(printed, printed_size);
		play_steps(script, 0);
		play_steps(script, hash(data, size));
	}
	free(printed);
	ms_script_free(script);
	return 0;
}
