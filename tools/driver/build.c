/* SPDX-License-Identifier: GPL-2.0-only */
/* Compiles the driver with what the command needs to call it: with the names of one version, or all. */
#define _GNU_SOURCE /* vasprintf */
#include "driver.h"

#include "../tool.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- where the headers are ---- */

#define MAX_DIRS 3
struct dirs {
	char dir[MAX_DIRS][PATH_MAX];
	size_t nr;
};

static void add_dir(struct dirs *dirs, const char *dir)
{
	if (dirs->nr < MAX_DIRS)
		snprintf(dirs->dir[dirs->nr++], PATH_MAX, "%s", dir);
}

/* Beside the command in the folder where it was built is a list; installed, they are in ../include.
 */
static int find_dirs(struct dirs *dirs)
{
	char exe[PATH_MAX - 32], path[PATH_MAX], *slash, line[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	FILE *list;

	if (len <= 0)
		return -1;
	exe[len] = '\0';
	slash = strrchr(exe, '/');
	if (slash)
		*slash = '\0';
	snprintf(path, sizeof(path), "%s/include-folders", exe);
	list = fopen(path, "re");
	if (!list) {
		snprintf(path, sizeof(path), "%s/../include", exe);
		add_dir(dirs, path);
		snprintf(path, sizeof(path), "%s/../include/mapsim/linux.h", exe);
		return access(path, R_OK);
	}
	while (fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = '\0';
		add_dir(dirs, line);
	}
	fclose(list);
	return 0;
}

/* ---- compiling ---- */

#define MAX_WORDS 128
struct words {
	char *word[MAX_WORDS + 1];
	size_t nr;
};

static void add_word(struct words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add_word(struct words *words, const char *format, ...)
{
	va_list args;

	if (words->nr == MAX_WORDS)
		return;
	va_start(args, format);
	if (vasprintf(&words->word[words->nr], format, args) < 0)
		err(EXIT_TROUBLE, NULL);
	va_end(args);
	words->nr++;
}

static void add_words(struct words *words, const char *text)
{
	char *copy = strdup(text), *save = NULL;

	for (char *word = copy ? strtok_r(copy, " \t\n", &save) : NULL; word;
	     word = strtok_r(NULL, " \t\n", &save))
		add_word(words, "%s", word);
	free(copy);
}

static void free_words(struct words *words)
{
	for (size_t i = 0; i < words->nr; i++)
		free(words->word[i]);
}

static int run_compiler(char **argv, const char *messages)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		setenv("LC_ALL", "C", 1);
		if (!freopen(messages, "w", stderr))
			_exit(126);
		execvp(argv[0], argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return status ? -1 : 0;
}

/* Explains a line of the compiler that is about a name or a header which is not there. */
static void explain(const char *line)
{
	static const struct {
		const char *before, *after, *what;
	} forms[] = {
		{ "implicit declaration of function ", "'", "function" },
		{ "call to undeclared function ", "'", "function" },
		{ "use of undeclared identifier ", "'", "name" },
		{ "fatal error: ", ":", "header" },
	};
	const char *at;

	if (!strstr(line, "error"))
		return;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		at = strstr(line, forms[i].before);
		if (!at)
			continue;
		at += strlen(forms[i].before);
		while (*at && !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", *at))
			at++; // the quotation mark, of whichever kind
		if (i == 3 && !strstr(at, "No such file") && !strstr(at, "not found"))
			continue;
		warnx("the kernel's %s %.*s is none that mapsim has: what is needed of it may be "
		      "given by --define or by a header of your own (--cflags -I...)",
		      forms[i].what,
		      (int)strspn(at,
				  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
				  "/.-"),
		      at);
		return;
	}
}

void drv_build_messages(const struct drv_build *build, bool failed)
{
	char path[128];
	char *line = NULL;
	size_t size = 0;
	FILE *in;

	snprintf(path, sizeof(path), "%s/messages", build->dir);
	in = fopen(path, "re");
	while (in && getline(&line, &size, in) > 0)
		fputs(line, stderr);
	if (in && failed) {
		rewind(in);
		while (getline(&line, &size, in) > 0)
			explain(line);
	}
	free(line);
	if (in)
		fclose(in);
}

static void add_flags(struct words *words, const struct dirs *dirs)
{
	// as a kernel is compiled, and so that each function and line is found
	add_words(words, "-std=gnu11 -gdwarf-4 -O1 -fno-omit-frame-pointer -fno-inline "
			 "-fno-optimize-sibling-calls -fno-strict-aliasing -fwrapv "
			 "-fasynchronous-unwind-tables -fPIC -shared -Wl,-Bsymbolic "
			 "-Werror=implicit-function-declaration -Wno-unused-parameter");
	for (size_t i = 0; i < dirs->nr; i++) {
		add_word(words, "-I%s/mapsim", dirs->dir[i]);
		add_word(words, "-I%s", dirs->dir[i]);
	}
}

/* The compiler with all options but what it shall write. */
static void compiler(struct words *words, const struct drv_build *build,
		     const struct drv_config *config, unsigned int code)
{
	const char *cc = getenv("CC");
	struct dirs dirs = { 0 };

	find_dirs(&dirs);
	add_words(words, cc && *cc ? cc : "cc");
	for (char **dir = config->includes; dir && *dir; dir++)
		add_word(words, "-I%s", *dir);
	add_flags(words, &dirs);
	if (code)
		add_word(words, "-DMS_LINUX_VERSION_CODE=%u", code);
	for (char **define = config->defines; define && *define; define++)
		add_word(words, "-D%s", *define);
	if (config->cflags)
		add_words(words, config->cflags);
	(void)build;
}

static int run(const struct drv_build *build, struct words *words)
{
	char messages[128];
	int ret;

	snprintf(messages, sizeof(messages), "%s/messages", build->dir);
	ret = run_compiler(words->word, messages);
	free_words(words);
	return ret;
}

int drv_build_begin(struct drv_build *build)
{
	const char *tmp = getenv("TMPDIR");
	struct dirs dirs = { 0 };
	char source[128];
	FILE *out;

	*build = (struct drv_build){ 0 };
	if (find_dirs(&dirs)) {
		warnx("the headers of mapsim are not there: include/mapsim beside the command's bin");
		return -1;
	}
	snprintf(build->dir, sizeof(build->dir), "%.40s/mapsim-driver-XXXXXX",
		 tmp && *tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(build->dir)) {
		warn("%s", build->dir);
		*build->dir = '\0';
		return -1;
	}
	snprintf(source, sizeof(source), "%s/glue.c", build->dir);
	out = fopen(source, "we");
	if (out && fputs(drv_glue, out) >= 0 && !fclose(out))
		return 0;
	warn("%s", source);
	return -1;
}

void drv_build_end(struct drv_build *build, size_t nr)
{
	char path[128];

	if (!*build->dir)
		return;
	for (size_t i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/driver%zu.so", build->dir, i);
		unlink(path);
		snprintf(path, sizeof(path), "%s/driver%zu.i", build->dir, i);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/glue.c", build->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/messages", build->dir);
	unlink(path);
	rmdir(build->dir);
}

static void output(char path[128], const struct drv_build *build, size_t i, const char *ending)
{
	snprintf(path, 128, "%s/driver%zu.%s", build->dir, i, ending);
}

int drv_build_preprocess(const struct drv_build *build, const struct drv_config *config,
			 unsigned int code, size_t i)
{
	struct words words = { 0 };
	char path[128];

	output(path, build, i, "i");
	compiler(&words, build, config, code);
	add_words(&words, "-E -P -o");
	add_word(&words, "%s", path);
	add_word(&words, "%s", config->source);
	return run(build, &words);
}

bool drv_build_same(const struct drv_build *build, size_t i, size_t j)
{
	char path[2][128];
	FILE *in[2];
	bool same;
	int c;

	output(path[0], build, i, "i");
	output(path[1], build, j, "i");
	in[0] = fopen(path[0], "re");
	in[1] = fopen(path[1], "re");
	same = in[0] && in[1];
	while (same && (c = getc(in[0])) == getc(in[1]) && c != EOF)
		continue;
	same = same && feof(in[0]) && feof(in[1]);
	for (int k = 0; k < 2; k++)
		if (in[k])
			fclose(in[k]);
	return same;
}

int drv_build_compile(const struct drv_build *build, const struct drv_config *config,
		      unsigned int code, size_t i)
{
	struct words words = { 0 };
	char path[128];

	output(path, build, i, "so");
	compiler(&words, build, config, code);
	add_word(&words, "-o");
	add_word(&words, "%s", path);
	add_word(&words, "%s", config->source);
	add_word(&words, "%s/glue.c", build->dir);
	return run(build, &words);
}

void drv_build_why(const struct drv_build *build, char *why, size_t size)
{
	static const char *const ends[] = { "\n", "; did you mean", " [-W" };
	char path[128], *line = NULL, *end;
	size_t len = 0;
	FILE *in;

	snprintf(path, sizeof(path), "%s/messages", build->dir);
	in = fopen(path, "re");
	*why = '\0';
	while (in && !*why && getline(&line, &len, in) > 0) {
		const char *at = strstr(line, "error: ");

		if (!at)
			continue;
		snprintf(why, size, "%s", at + strlen("error: "));
		// without advice, and without the warning's option
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			if ((end = strstr(why, ends[i])))
				*end = '\0';
	}
	free(line);
	if (in)
		fclose(in);
}
