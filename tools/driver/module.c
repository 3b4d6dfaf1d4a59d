/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver as a shared object: compiled, loaded, its parameters, and lines of its source. */
#define _GNU_SOURCE /* dl_iterate_phdr */
#include "driver.h"

#include "../tool.h"

#include <mapsim/linux/ms_calls.h>

#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static void show_messages(const char *path, bool failed)
{
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

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

static int compile(struct drv_module *module, const struct drv_config *config)
{
	const char *cc = getenv("CC");
	struct words words = { 0 };
	struct dirs dirs = { 0 };
	char messages[96], source[96];
	FILE *out;
	int ret;

	if (find_dirs(&dirs)) {
		warnx("the headers of mapsim are not there: include/mapsim beside the command's bin");
		return -1;
	}
	snprintf(messages, sizeof(messages), "%s/messages", module->dir);
	snprintf(source, sizeof(source), "%s/glue.c", module->dir);
	out = fopen(source, "we");
	if (!out || fputs(drv_glue, out) < 0 || fclose(out)) {
		warn("%s", source);
		return -1;
	}
	add_words(&words, cc && *cc ? cc : "cc");
	add_flags(&words, &dirs);
	for (char **define = config->defines; define && *define; define++)
		add_word(&words, "-D%s", *define);
	if (config->cflags)
		add_words(&words, config->cflags);
	add_word(&words, "-o");
	add_word(&words, "%s", module->path);
	add_word(&words, "%s", config->source);
	add_word(&words, "%s", source);
	ret = run_compiler(words.word, messages);
	show_messages(messages, ret);
	if (ret)
		warnx("%s is not compiled", config->source);
	free_words(&words);
	return ret;
}

/* ---- loading ---- */

static int find_range(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct drv_module *module = arg;
	uintptr_t data = 0, end = 0, read_only = 0;

	(void)size;
	if (strcmp(info->dlpi_name, module->path))
		return 0;
	module->base = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		const uintptr_t start = module->base + ph->p_vaddr;

		if (ph->p_type == PT_GNU_RELRO)
			read_only = start + ph->p_memsz;
		if (ph->p_type != PT_LOAD)
			continue;
		if (ph->p_flags & PF_X) {
			module->start = start;
			module->end = start + ph->p_memsz;
		} else if (ph->p_flags & PF_W) {
			data = start;
			end = start + ph->p_memsz;
		}
	}
	// what the loader writes, and nobody after it, is the beginning of the segment
	if (read_only > data && read_only <= end)
		data = read_only;
	module->data = (char *)data;
	module->data_size = end - data;
	return 1;
}

static void *symbol(const struct drv_module *module, const char *name)
{
	return dlsym(module->handle, name);
}

static int load(struct drv_module *module, const struct drv_config *config)
{
	module->handle = dlopen(module->path, RTLD_NOW | RTLD_LOCAL);
	if (!module->handle) {
		const char *why = dlerror(), *at = strstr(why, "undefined symbol: ");

		warnx("%s: %s", config->source, at ? at : why);
		return -1;
	}
	*(void **)&module->init = symbol(module, "ms_module_init");
	*(void **)&module->exit = symbol(module, "ms_module_exit");
	*(void **)&module->ioctl = symbol(module, "ms_driver_ioctl");
	*(void **)&module->params = symbol(module, "ms_driver_params");
	*(void **)&module->find = symbol(module, "ms_driver_find");
	*(void **)&module->unbind = symbol(module, "ms_driver_unbind");
	dl_iterate_phdr(find_range, module);
	if (module->init)
		return 0;
	warnx("%s: there is no module_init(): what would be played?", config->source);
	return -1;
}

int drv_module_load(struct drv_module *module, const struct drv_config *config)
{
	const char *tmp = getenv("TMPDIR");

	*module = (struct drv_module){ 0 };
	snprintf(module->dir, sizeof(module->dir), "%.40s/mapsim-driver-XXXXXX",
		 tmp && *tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(module->dir)) {
		warn("%s", module->dir);
		return -1;
	}
	snprintf(module->path, sizeof(module->path), "%s/driver.so", module->dir);
	return compile(module, config) || load(module, config) ? -1 : 0;
}

void drv_module_unload(struct drv_module *module)
{
	static const char *const names[] = { "glue.c", "messages", "driver.so" };
	char path[96];

	if (module->handle)
		dlclose(module->handle);
	if (!*module->dir)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", module->dir, names[i]);
		unlink(path);
	}
	rmdir(module->dir);
}

/* ---- parameters ---- */

static int set_param(const struct ms_module_param *param, const char *value)
{
	const bool is_bool = !strcmp(param->type, "bool");
	char *end;
	uint64_t number = strtoull(value, &end, 0);

	if (!strcmp(param->type, "charp")) {
		*(const char **)param->address = value;
		return 0;
	}
	if (is_bool && (*value == 'y' || *value == 'Y' || *value == 'n' || *value == 'N') &&
	    !value[1])
		number = *value == 'y' || *value == 'Y';
	else if (end == value || *end || (is_bool && number > 1))
		return -1;
	switch (param->size) {
	case 1:
		*(uint8_t *)param->address = (uint8_t)number;
		return 0;
	case 2:
		*(uint16_t *)param->address = (uint16_t)number;
		return 0;
	case 4:
		*(uint32_t *)param->address = (uint32_t)number;
		return 0;
	case 8:
		*(uint64_t *)param->address = number;
		return 0;
	default:
		return -1;
	}
}

int drv_module_set_params(const struct drv_module *module, const struct drv_config *config,
			  char *wrong, size_t size)
{
	size_t nr = 0;
	const struct ms_module_param *param = module->params ? module->params(&nr) : NULL;

	for (size_t i = 0; i < config->nr_params; i++) {
		const char *equals = strchr(config->param[i], '=');
		const size_t len = equals ? (size_t)(equals - config->param[i]) : 0;
		size_t j = 0;

		while (j < nr &&
		       (strncmp(param[j].name, config->param[i], len) || param[j].name[len]))
			j++;
		if (j == nr) {
			snprintf(wrong, size, "the driver has no module_param \"%.*s\"", (int)len,
				 config->param[i]);
			return -1;
		}
		if (set_param(&param[j], equals + 1)) {
			snprintf(wrong, size, "%s: no value for a %s", config->param[i],
				 param[j].type);
			return -1;
		}
	}
	return 0;
}

/* ---- lines ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Reads pairs of lines, a function and its file:line, the innermost (inlined) first. */
static bool read_place(FILE *in, const char *source, struct drv_place *place)
{
	char function[256], line[PATH_MAX];

	while (fgets(function, sizeof(function), in) && fgets(line, sizeof(line), in)) {
		char *colon = strrchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		if (strcmp(base_name(line), base_name(source)))
			continue;
		function[strcspn(function, "\n")] = '\0';
		snprintf(place->function, sizeof(place->function), "%.63s", function);
		snprintf(place->file, sizeof(place->file), "%.95s", base_name(line));
		place->line = (unsigned int)strtoul(colon + 1, NULL, 10);
		return true;
	}
	return false;
}

bool drv_module_place(const struct drv_module *module, const struct drv_config *config,
		      const uint64_t *frame, size_t nr, struct drv_place *place)
{
	char command[160 + DRV_MAX_FRAMES * 20];
	int len = snprintf(command, sizeof(command), "addr2line -f -i -e %s", module->path);
	bool found;
	FILE *in;

	if (!nr)
		return false;
	for (size_t i = 0; i < nr; i++)
		len += snprintf(command + len, sizeof(command) - (size_t)len, " 0x%" PRIx64,
				frame[i]);
	snprintf(command + len, sizeof(command) - (size_t)len, " 2>/dev/null");
	in = popen(command, "re");
	if (!in)
		return false;
	found = read_place(in, config->source, place);
	while (fgets(command, sizeof(command), in))
		; // or it would write to nobody
	pclose(in);
	return found;
}
