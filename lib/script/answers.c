/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks answer lines: which kinds there are, and which words each consists of. */
#include "script/internal.h"

/*
 * The words after the name, in their order: "*" is any one word without a '=', "key=" is a word
 * that begins so, and a word in brackets may be missing. Where a name stands twice the second is
 * x86's: it tells of entries, and has leaf= or bits=.
 */
static const struct {
	const char *name;
	const char *words;
} answers[] = {
	{ "ret", "*" },
	{ "young", "*" },
	{ "left", "*" },
	{ "dirty", "first= pages=" },
	{ "s2.map", "ipa= size= pa= prot= [ret=]" },
	{ "s2.relax", "ipa= prot= [ret=]" },
	{ "s2.unmap", "ipa= size=" },
	{ "s2.wrprotect", "ipa= size=" },
	{ "s2.split", "ipa= size= [ret=]" },
	{ "s2.young", "ipa=" },
	{ "s2.map", "ipa= size= pa= prot= type= bits= leaf=" },
	{ "s2.relax", "ipa= size= prot= bits= leaf=" },
	{ "s2.wrprotect", "ipa= size= prot= bits= leaf=" },
	{ "s2.split", "ipa= size= leaf=" },
	{ "s2.zap", "ipa= size= leaf=" },
	{ "s2.fast", "ipa= prot= bits=" },
	{ "s2.change", "ipa= size= prot= bits= leaf=" },
	{ "s2.mmio", "ipa= size= leaf=" },
	{ "s2.zap-all", "" },
	{ "s2.age", "ipa= size=" },
	{ "s2.test-age", "ipa= size=" },
	{ "s2.change-pte", "ipa= size=" },
	{ "pat.reserve", "start= end= type= [ret=]" },
	{ "pat.free", "start= end= [ret=]" },
	{ "pat.untrack", "va= pfn= size= [mm=]" },
	{ "pat.clear", "va= [mm=]" },
	{ "zap", "va= size= [mm=]" },
	{ "vma", "* * * * *" },
	{ "memtype", "* * *" },
	{ "present", "* *" },
	{ "pte", "* * pa= type= prot= size=" },
	{ "s2", "* * pa= prot= size=" },
	{ "s2", "* * pa= type= prot= size= bits=" },
	{ "s2-mmio", "* *" },
};
#define NR_ANSWERS (sizeof(answers) / sizeof(answers[0]))

/* The words that belong to a line of this name; NULL: there is no such line. */
static const char *words_of(struct ms_word name, const char *text)
{
	const bool of_entries = strstr(text, " leaf=") || strstr(text, " bits=");
	const char *words = NULL;

	for (size_t i = 0; i < NR_ANSWERS; i++) {
		if (ms_word_is(name, answers[i].name) && (!words || of_entries))
			words = answers[i].words;
	}
	return words;
}

/* Whether `word` matches `pattern`, one word of the table without its brackets. */
static bool fits(struct ms_word pattern, struct ms_word word)
{
	if (ms_word_is(pattern, "*"))
		return word.len > 0 && !memchr(word.s, '=', word.len);
	return word.len > pattern.len && !memcmp(word.s, pattern.s, pattern.len);
}

/* What an operation in the middle of another has answered: "at POINT " and a line of an answer. */
static int check_at(struct ms_word rest, uint64_t line, struct ms_script_error *err)
{
	struct ms_word point;

	if (!ms_word_next(&rest, ' ', &point) || !rest.s)
		return ms_script_fail(err, line, "at: POINT and an answer are needed");
	if (ms_word_is(rest, "not-reached"))
		return 0;
	if (!strncmp(rest.s, "at ", 3))
		return ms_script_fail(err, line, "at: one in the middle of one");
	return ms_answer_check(rest.s, !strncmp(rest.s, "ret ", 4), line, err);
}

int ms_answer_check(const char *text, bool first, uint64_t line, struct ms_script_error *err)
{
	struct ms_word rest = { text, strlen(text) }, name;

	ms_word_next(&rest, ' ', &name);
	if (!first && ms_word_is(name, "at"))
		return check_at(rest, line, err);
	if (first != ms_word_is(name, "ret"))
		return ms_script_fail(err, line,
				      first ? "an answer begins with \"< ret\", not with \"%.*s\""
					    : "second \"%.*s\" in one answer",
				      MS_SHOWN(name));
	const char *words = words_of(name, text);
	if (!words)
		return ms_script_fail(err, line, "unknown answer \"%.*s\"", MS_SHOWN(name));
	struct ms_word patterns = { words, strlen(words) }, pattern, word;
	while (patterns.len && ms_word_next(&patterns, ' ', &pattern)) {
		bool optional = pattern.s[0] == '[';

		if (optional)
			pattern = (struct ms_word){ pattern.s + 1, pattern.len - 2 };
		if (!ms_word_next(&rest, ' ', &word)) {
			if (optional)
				return 0;
			return ms_script_fail(err, line, "%.*s: \"%.*s\" is missing",
					      MS_SHOWN(name), MS_SHOWN(pattern));
		}
		if (!fits(pattern, word))
			return ms_script_fail(err, line, "%.*s: \"%.*s\" where \"%.*s\" belongs",
					      MS_SHOWN(name), MS_SHOWN(word), MS_SHOWN(pattern));
	}
	if (rest.s)
		return ms_script_fail(err, line, "%.*s: more than belongs to it: \"%.*s\"",
				      MS_SHOWN(name), MS_SHOWN(rest));
	return 0;
}
