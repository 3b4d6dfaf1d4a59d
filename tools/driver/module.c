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

static void unload(struct drv_module *module)
{
	if (module->handle)
		dlclose(module->handle);
	module->handle = NULL;
}

/* ---- one for each version ---- */

/* "6.12.117" as LINUX_VERSION_CODE has it. */
static unsigned int code_of(const char *release)
{
	unsigned int part[3] = { 0 };

	sscanf(release, "%u.%u.%u", &part[0], &part[1], &part[2]);
	return (part[0] << 16) + (part[1] << 8) + (part[2] > 255 ? 255 : part[2]);
}

/* Compiled and loaded, as number i. 0; 1: it does not compile; -1: it is no module, after a
 * message. */
static int make(struct drv_modules *all, const struct drv_config *config, unsigned int code,
		size_t i)
{
	const struct drv_build build = all->build;
	struct drv_module *module = &all->module[i];

	module->code = code;
	snprintf(module->path, sizeof(module->path), "%s/driver%zu.so", build.dir, i);
	if (drv_build_compile(&all->build, config, code, i)) {
		drv_build_why(&all->build, module->why, sizeof(module->why));
		return 1;
	}
	return load(module, config);
}

/* The module of a version: that of another one with the same text, or a new one. NULL: it is no
 * module. */
static struct drv_module *module_of(struct drv_modules *all, const struct drv_config *config,
				    unsigned int code)
{
	const size_t i = all->nr;

	for (size_t j = 0; j < i; j++)
		if (all->module[j].code == code)
			return all->module[j].same ? all->module[j].same : &all->module[j];
	all->nr++;
	if (drv_build_preprocess(&all->build, config, code, i)) {
		all->module[i].code = code;
		drv_build_why(&all->build, all->module[i].why, sizeof(all->module[i].why));
		return &all->module[i];
	}
	for (size_t j = 0; j < i; j++)
		if (drv_build_same(&all->build, i, j))
			return all->module[j].same ? all->module[j].same
						   : (all->module[i].same = &all->module[j]);
	return make(all, config, code, i) < 0 ? NULL : &all->module[i];
}

/* Of the kernels for which it does not compile: with the names of all versions. */
static int load_rest(struct drv_modules *all, struct drv_config *config, size_t nr_without)
{
	struct drv_module *with_all = &all->module[all->nr++];
	int err;

	if (!nr_without)
		return 0;
	err = make(all, config, 0, all->nr - 1);
	if (err < 0)
		return -1;
	if (err && nr_without == config->nr_kernels) {
		drv_build_messages(&all->build, true);
		warnx("%s is not compiled", config->source);
		return -1;
	}
	for (size_t i = 0; i < config->nr_kernels; i++)
		if (!config->kernel[i].module && !err)
			config->kernel[i].module = with_all;
	return 0;
}

int drv_modules_load(struct drv_modules *all, struct drv_config *config)
{
	size_t nr_without = 0;

	*all = (struct drv_modules){ 0 };
	if (drv_build_begin(&all->build))
		return -1;
	for (size_t i = 0; i < config->nr_kernels; i++) {
		struct drv_kernel *kernel = &config->kernel[i];
		struct drv_module *module = module_of(all, config, code_of(kernel->release));

		if (!module)
			return -1;
		kernel->module = module->handle ? module : NULL;
		kernel->compiles = module->handle;
		if (!module->handle && !*all->why)
			snprintf(all->why, sizeof(all->why), "%s", module->why);
		nr_without += !module->handle;
	}
	return load_rest(all, config, nr_without);
}

void drv_modules_unload(struct drv_modules *all)
{
	for (size_t i = 0; i < all->nr; i++)
		unload(&all->module[i]);
	drv_build_end(&all->build, all->nr);
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
