/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of `mapsim driver`. */
#include "command.h"

#include "../tool.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char driver_help[] =
	"usage: mapsim driver [OPTION...] FILE.c\n"
	"\n"
	"Compiles a driver's source as it stands in a kernel tree, with the names of each kernel's\n"
	"version; loads it on every recorded kernel of both architectures; gives a driver of a PCI or\n"
	"platform device such a device, from its table of ids; and opens each character device that it\n"
	"registers. Then it plays what processes, guests and the kernel do with a mapping: first all\n"
	"sequences of steps up to a depth, then a list of longer ones (odd offsets, beyond the end, both\n"
	"orders of exiting and closing, memslots, get_user_pages), and every allocation that fails.\n"
	"Prints each mistake once: where it is in the source, what it is, on which kernels, and the\n"
	"fewest steps that show it; of a driver without a mistake nothing. What was done is said on the\n"
	"standard error. A driver that crashes, hangs or recurses without end is one such line.\n"
	"\n"
	"  --kernel R[,R...]      these upstream releases, in place of the recorded ones\n"
	"  --arch ARCH            arm64 or x86_64 alone\n"
	"  --depth N              tries all sequences of up to N steps, opening included, on each kernel;\n"
	"                         0: none. If it is not said: up to 6 steps, cut at 20000 states on the\n"
	"                         newest kernel of each architecture and at 2000 on the others. What was\n"
	"                         found on one kernel is tried on all.\n"
	"  --only WHAT            search: only all sequences; list: only the list\n"
	"  --device NAME=PA+SIZE  the device's memory, which its driver maps; any number of these. If\n"
	"                         none is said: bar=0xfd000000+64K. 64M of RAM are at 0x40000000.\n"
	"  --bar INDEX=PA+SIZE    a BAR of the PCI device that a PCI driver gets; NAME+OFFSET+SIZE: of\n"
	"                         that --device. If none is said each --device is one, from BAR 0 on.\n"
	"  --resource mem=PA+SIZE, --resource irq=NUMBER\n"
	"                         a resource of the device that a platform driver gets, in this order.\n"
	"                         If none is said: each --device, then irq=32.\n"
	"  --param NAME=VALUE     sets a module_param\n"
	"  --revoke NUMBER        the ioctl by which the driver takes all mappings away: it is played,\n"
	"                         too, and after it the devices' memory is off\n"
	"  --play STEPS           plays these alone; see below. Any number of these.\n"
	"  --define NAME[=VALUE]  a macro for the compiler, as its -D\n"
	"  --include FOLDER       where the driver's own headers are, as its -I\n"
	"  --cflags WORDS         options for the compiler, which is $CC, or cc\n"
	"  --quick                lets allocations fail on the newest kernels only\n"
	"  --all                  prints also what is not the driver's: what a kernel brings about by\n"
	"                         itself\n"
	"  --json                 prints one JSON object: all findings, with numbers\n"
	"  -h, --help             prints this\n"
	"\n"
	"steps, with ';' between them; 'child: ' before one is of the forked child:\n"
	"  open [read|write] [sync], close, ioctl NUMBER [ARG], revoke, unbind, fork, exit\n"
	"  map [shared|private] [r|w|rw|rx|none] [PAGES] [at PAGE|at end-N]\n"
	"  read|write|unmap [first|middle|last|all], protect r|w|rw|none [first|middle|last|all]\n"
	"  grow, shrink, move [keep], zap, pin [write]\n"
	"  guest [readonly], guest-read|guest-write [first|middle|last|all]\n"
	"unbind takes the PCI or platform device away: its driver's remove is called, and then the\n"
	"devices' memory is off.\n"
	"\n"
	"exit codes:\n"
	"  0  nothing was found that is the driver's\n"
	"  1  something was found\n"
	"  2  the command line is wrong, or the driver is not compiled or not loaded\n"
	"\n"
	"examples:\n"
	"  mapsim driver scratch.c\n"
	"  mapsim driver --kernel 6.12.117,7.3.4 --depth 7 scratch.c\n"
	"  mapsim driver --device regs=0xfd000000+1M --param base=0xfd000000 --revoke 0 revocable.c\n"
	"  mapsim driver --bar 0=0xfd000000+64K --bar 2=0x8000000000+256M gpu.c\n"
	"  mapsim driver --kernel 6.12.117 --play 'open; map private rw; write' scratch.c\n";

#define DEFAULT_DEPTH 6u

static int parse_size(const char *text, char **end, uint64_t *value)
{
	errno = 0;
	*value = strtoull(text, end, 0);
	if (errno || *end == text || *text == '-')
		return -1;
	if (**end && strchr("KMGT", **end)) {
		const unsigned int shift = **end == 'K'   ? 10
					   : **end == 'M' ? 20
					   : **end == 'G' ? 30
							  : 40;

		if (*value > UINT64_MAX >> shift)
			return -1;
		*value <<= shift;
		(*end)++;
	}
	return 0;
}

static int add_device(struct drv_config *config, char *text)
{
	struct drv_device *dev = &config->device[config->nr_devices];
	char *equals = strchr(text, '='), *end;

	if (config->nr_devices == DRV_MAX_DEVICES)
		return misused("--device: at most %d", DRV_MAX_DEVICES);
	if (!equals || equals == text || parse_size(equals + 1, &end, &dev->pa) || *end != '+' ||
	    parse_size(end + 1, &end, &dev->size) || *end || !dev->size)
		return misused("--device: not NAME=ADDRESS+SIZE \"%s\"", text);
	*equals = '\0';
	dev->name = text;
	config->nr_devices++;
	return 0;
}

/* [NAME+OFFSET] or an address. */
static int parse_place(const struct drv_config *config, const char *text, char **end,
		       uint64_t *value)
{
	for (size_t i = 0; i < config->nr_devices; i++) {
		const size_t len = strlen(config->device[i].name);

		if (strncmp(text, config->device[i].name, len) || text[len] != '+')
			continue;
		if (parse_size(text + len + 1, end, value) || *value >= config->device[i].size)
			return -1;
		*value += config->device[i].pa;
		return 0;
	}
	return parse_size(text, end, value);
}

static int add_bar(struct drv_config *config, const char *text)
{
	unsigned long long *bar = config->bar[config->nr_bars];
	uint64_t pa, size;
	char *end;

	if (*text < '0' || *text > '5' || text[1] != '=' ||
	    parse_place(config, text + 2, &end, &pa) || *end != '+' ||
	    parse_size(end + 1, &end, &size) || *end || !size)
		return misused("--bar: not INDEX=ADDRESS+SIZE, with an index up to 5: \"%s\"", text);
	for (size_t i = 0; i < config->nr_bars; i++)
		if (config->bar[i][0] == (unsigned int)(*text - '0'))
			return misused("--bar: there is a BAR %c already", *text);
	bar[0] = (unsigned int)(*text - '0');
	bar[1] = pa;
	bar[2] = size;
	config->nr_bars++;
	return 0;
}

static int add_resource(struct drv_config *config, const char *text)
{
	unsigned long long *res = config->resource[config->nr_resources];
	uint64_t start, size = 1;
	char *end;

	if (config->nr_resources == DRV_MAX_RESOURCES)
		return misused("--resource: at most %d", DRV_MAX_RESOURCES);
	if (!strncmp(text, "irq=", 4)) {
		if (parse_size(text + 4, &end, &start) || *end || !start)
			return misused("--resource: no number of an interrupt \"%s\"", text);
	} else if (strncmp(text, "mem=", 4) || parse_place(config, text + 4, &end, &start) ||
		   *end != '+' || parse_size(end + 1, &end, &size) || *end || !size) {
		return misused("--resource: neither mem=ADDRESS+SIZE nor irq=NUMBER \"%s\"", text);
	}
	res[0] = *text == 'i';
	res[1] = start;
	res[2] = size;
	config->nr_resources++;
	return 0;
}

/* What the command line says a device on a bus has is a device's memory, too. */
static void add_device_of(struct drv_config *config, uint64_t pa, uint64_t size)
{
	static const char *const names[DRV_MAX_DEVICES] = { "memory0", "memory1", "memory2",
							    "memory3", "memory4", "memory5",
							    "memory6", "memory7" };

	for (size_t i = 0; i < config->nr_devices; i++) {
		const struct drv_device *dev = &config->device[i];

		if (pa >= dev->pa && pa - dev->pa < dev->size)
			return;
	}
	if (config->nr_devices == DRV_MAX_DEVICES)
		return;
	config->device[config->nr_devices] =
		(struct drv_device){ names[config->nr_devices], pa, size };
	config->nr_devices++;
}

/* A device on a bus has the memory of --device, where nothing else is said. */
static void default_hardware(struct drv_config *config)
{
	const bool no_bars = !config->nr_bars, no_resources = !config->nr_resources;

	for (size_t i = 0; i < config->nr_bars; i++)
		add_device_of(config, config->bar[i][1], config->bar[i][2]);
	for (size_t i = 0; i < config->nr_resources; i++)
		if (!config->resource[i][0])
			add_device_of(config, config->resource[i][1], config->resource[i][2]);
	if (!config->nr_devices)
		config->device[config->nr_devices++] =
			(struct drv_device){ "bar", 0xfd000000, 64 << 10 };
	for (size_t i = 0; i < config->nr_devices; i++) {
		const struct drv_device *dev = &config->device[i];

		if (no_bars && i < 6)
			memcpy(config->bar[config->nr_bars++],
			       (unsigned long long[]){ i, dev->pa, dev->size },
			       sizeof(config->bar[0]));
		if (no_resources)
			memcpy(config->resource[config->nr_resources++],
			       (unsigned long long[]){ 0, dev->pa, dev->size },
			       sizeof(config->resource[0]));
	}
	if (no_resources)
		memcpy(config->resource[config->nr_resources++],
		       (unsigned long long[]){ 1, 32, 1 }, sizeof(config->resource[0]));
}

static int add_play(struct command *c, const char *text)
{
	char wrong[256] = "no memory";

	if (c->nr_plays == DRV_MAX_PLAYS)
		return misused("--play: at most %d", DRV_MAX_PLAYS);
	if (drv_play_parse(&c->play[c->nr_plays], text, wrong, sizeof(wrong)))
		return misused("--play \"%s\": %s", text, wrong);
	c->nr_plays++;
	return 0;
}

static int set_revoke(struct drv_config *config, const char *text)
{
	char *end;

	errno = 0;
	config->revoke = (unsigned int)strtoul(text, &end, 0);
	config->has_revoke = true;
	return errno || end == text || *end ? misused("--revoke: no number \"%s\"", text) : 0;
}

static int add_param(struct drv_config *config, const char *text)
{
	if (config->nr_params == DRV_MAX_PARAMS)
		return misused("--param: at most %d", DRV_MAX_PARAMS);
	if (!strchr(text, '='))
		return misused("--param: not NAME=VALUE \"%s\"", text);
	config->param[config->nr_params++] = text;
	return 0;
}

/* As deep as it is said, however many states that are. */
static int set_depth(struct command *c, const char *text)
{
	char *end;
	unsigned long depth = strtoul(text, &end, 10);

	if (end == text || *end || depth > DRV_MAX_STEPS)
		return misused("--depth: 0 to %d, not \"%s\"", DRV_MAX_STEPS, text);
	c->config.depth = (unsigned int)depth;
	c->config.depth_is_said = true;
	return 0;
}

static int one_option(struct command *c, int opt)
{
	struct drv_config *config = &c->config;

	switch (opt) {
	case 'k':
		c->kernels = optarg;
		return 0;
	case 'a':
		c->arch = optarg;
		return 0;
	case 'd':
		return add_device(config, optarg);
	case 'p':
		return add_param(config, optarg);
	case 'b':
		return add_bar(config, optarg);
	case 'R':
		return add_resource(config, optarg);
	case 'r':
		return set_revoke(config, optarg);
	case 'P':
		return add_play(c, optarg);
	case 'D':
		if (c->nr_defines == 32)
			return misused("--define: at most 32");
		c->defines[c->nr_defines++] = optarg;
		return 0;
	case 'I':
		if (c->nr_includes == 32)
			return misused("--include: at most 32");
		c->includes[c->nr_includes++] = optarg;
		return 0;
	case 'c':
		config->cflags = optarg;
		return 0;
	case 'n':
		return set_depth(c, optarg);
	case 'o':
		c->only = optarg;
		return strcmp(optarg, "list") && strcmp(optarg, "search")
			       ? misused("--only: list or search, not \"%s\"", optarg)
			       : 0;
	case 'q':
		config->quick = true;
		return 0;
	case 'A':
		config->all = true;
		return 0;
	case 'j':
		config->json = true;
		return 0;
	case 'h':
		return SHOW_HELP;
	default:
		return misused(NULL);
	}
}

static int add_kernel(struct drv_config *config, const char *release, enum ms_arch arch)
{
	struct drv_kernel *kernel = &config->kernel[config->nr_kernels];

	if (config->nr_kernels == DRV_MAX_KERNELS)
		return misused("--kernel: at most %d", DRV_MAX_KERNELS / 2);
	*kernel = (struct drv_kernel){ release, arch, ms_policy_linux(release, arch) };
	if (!kernel->policy) {
		warnx("--kernel %s: %s", release, ms_release_known(release, arch).text);
		return EXIT_TROUBLE;
	}
	config->nr_kernels++;
	return 0;
}

static int choose_kernels(struct command *c)
{
	enum ms_arch first = MS_ARCH_ARM64, last = MS_ARCH_X86_64;
	char *save = NULL, *names = c->kernels ? (char *)(uintptr_t)c->kernels : NULL;
	const char *release;
	int ret = 0;

	if (c->arch && !strcmp(c->arch, "arm64"))
		last = first;
	else if (c->arch && !strcmp(c->arch, "x86_64"))
		first = last;
	else if (c->arch)
		return misused("--arch: arm64 or x86_64, not \"%s\"", c->arch);
	if (!names) {
		for (enum ms_arch arch = first; arch <= last; arch++)
			for (size_t i = 0; !ret && (release = ms_release_recorded(i, arch)); i++)
				ret = add_kernel(&c->config, release, arch);
		return ret;
	}
	for (char *name = strtok_r(names, ",", &save); name && !ret;
	     name = strtok_r(NULL, ",", &save))
		for (enum ms_arch arch = first; !ret && arch <= last; arch++)
			ret = add_kernel(&c->config, name, arch);
	return ret ? ret : c->config.nr_kernels ? 0 : misused("--kernel: no release is named");
}

int drv_parse(struct command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "arch", required_argument, NULL, 'a' },
		{ "device", required_argument, NULL, 'd' },
		{ "param", required_argument, NULL, 'p' },
		{ "bar", required_argument, NULL, 'b' },
		{ "resource", required_argument, NULL, 'R' },
		{ "revoke", required_argument, NULL, 'r' },
		{ "play", required_argument, NULL, 'P' },
		{ "define", required_argument, NULL, 'D' },
		{ "include", required_argument, NULL, 'I' },
		{ "cflags", required_argument, NULL, 'c' },
		{ "depth", required_argument, NULL, 'n' },
		{ "only", required_argument, NULL, 'o' },
		{ "quick", no_argument, NULL, 'q' },
		{ "all", no_argument, NULL, 'A' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int opt, ret = 0;

	c->config.depth = DEFAULT_DEPTH;
	while (!ret && (opt = getopt_long(argc, argv, "h", options, NULL)) != -1)
		ret = one_option(c, opt);
	if (!ret && optind + 1 != argc)
		ret = misused(optind == argc ? "a FILE.c is missing" : "one FILE.c at a time");
	if (ret)
		return ret;
	if (c->only && !strcmp(c->only, "list"))
		c->config.depth = 0;
	c->config.source = argv[optind];
	if (access(c->config.source, R_OK)) {
		warn("%s", c->config.source);
		return EXIT_TROUBLE;
	}
	c->config.defines = c->defines;
	c->config.includes = c->includes;
	default_hardware(&c->config);
	return choose_kernels(c);
}
