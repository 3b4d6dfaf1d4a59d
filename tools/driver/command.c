/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim driver: plays with a driver what processes, guests and kernels do with its mapping. */
#include "driver.h"

#include "../tool.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char driver_help[] =
	"usage: mapsim driver [OPTION...] FILE.c\n"
	"\n"
	"Compiles a driver's source as it stands in a kernel tree, loads it on every recorded kernel of\n"
	"both architectures, opens each device that it registers, and plays what processes, guests and\n"
	"the kernel do with a mapping: maps it shared, private, read-only, at odd offsets, beyond its\n"
	"end, touches every page, unmaps parts, mprotect, mremap, fork, both orders of exiting and\n"
	"closing, memslots, get_user_pages, and every allocation that fails. Prints each mistake once:\n"
	"where it is in the source, what it is, on which kernels, and the fewest steps that show it.\n"
	"A driver that crashes, hangs or recurses without end is one such line.\n"
	"\n"
	"  --kernel R[,R...]      these upstream releases, in place of the recorded ones\n"
	"  --arch ARCH            arm64 or x86_64 alone\n"
	"  --device NAME=PA+SIZE  the device's memory, which its driver maps; any number of these. If\n"
	"                         none is said: bar=0xfd000000+64K. 64M of RAM are at 0x40000000.\n"
	"  --param NAME=VALUE     sets a module_param\n"
	"  --revoke NUMBER        the ioctl by which the driver takes all mappings away: it is played,\n"
	"                         too, and after it the devices' memory is off\n"
	"  --play STEPS           plays these alone; see below. Any number of these.\n"
	"  --define NAME[=VALUE]  a macro for the compiler, as its -D\n"
	"  --cflags WORDS         options for the compiler, which is $CC, or cc\n"
	"  --quick                lets allocations fail on the newest kernels only\n"
	"  --all                  prints also what is not the driver's: what a kernel brings about by\n"
	"                         itself\n"
	"  --json                 prints one JSON object: all findings, with numbers\n"
	"  -h, --help             prints this\n"
	"\n"
	"steps, with ';' between them; 'child: ' before one is of the forked child:\n"
	"  open [read|write] [sync], close, ioctl NUMBER [ARG], revoke, fork, exit\n"
	"  map [shared|private] [r|w|rw|rx|none] [PAGES] [at PAGE|at end-N]\n"
	"  read|write|unmap [first|middle|last|all], protect r|w|rw|none [first|middle|last|all]\n"
	"  grow, shrink, move [keep], zap, pin [write]\n"
	"  guest [readonly], guest-read|guest-write [first|middle|last|all]\n"
	"\n"
	"exit codes:\n"
	"  0  nothing was found that is the driver's\n"
	"  1  something was found\n"
	"  2  the command line is wrong, or the driver is not compiled or not loaded\n"
	"\n"
	"examples:\n"
	"  mapsim driver scratch.c\n"
	"  mapsim driver --device regs=0xfd000000+1M --param base=0xfd000000 --revoke 0 revocable.c\n"
	"  mapsim driver --kernel 6.12.117 --play 'open; map private rw; write' scratch.c\n";

#define MAX_PLAYS 32
#define DEFAULT_DEPTH 6u
/* So that all kernels take some seconds: what a search finds is played on all of them. */
#define STATES_OF_NEWEST 20000u
#define STATES_OF_OTHERS 2000u
#define MAX_HANGS 3 /* each takes seconds: more tell nothing new */

struct command {
	struct drv_config config;
	const char *kernels, *arch;
	struct drv_play play[MAX_PLAYS]; /* of --play */
	size_t nr_plays;
	const char *only; /* "list" or "search": that alone; NULL: both */
	char *defines[33], *includes[33];
	size_t nr_defines, nr_includes;
	struct drv_modules modules;
	struct drv_findings findings;
};

/* ---- the command line ---- */

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

	if (c->nr_plays == MAX_PLAYS)
		return misused("--play: at most %d", MAX_PLAYS);
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

static int parse(struct command *c, int argc, char **argv)
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
	c->config.defines = c->defines;
	c->config.includes = c->includes;
	default_hardware(&c->config);
	return choose_kernels(c);
}

/* ---- playing ---- */

struct now {
	struct command *command;
	const struct drv_play *play;
	size_t kernel, device;
};

static void found(const struct drv_report *report, void *arg)
{
	struct now *now = arg;

	now->command->findings.hangs += report->hangs;
	drv_findings_add(&now->command->findings, &now->command->config,
			 now->play, now->kernel, now->device, report);
}

static int play_on(struct command *c, const struct drv_play *play, size_t kernel, size_t device,
		   struct drv_outcome *outcome)
{
	struct now now = { c, play, kernel, device };

	if (c->findings.hangs >= MAX_HANGS || !c->config.kernel[kernel].module)
		return 0;
	if (drv_run(&c->config, &c->config.kernel[kernel], device, play, outcome, found,
		    &now)) {
		warn("a process");
		return EXIT_TROUBLE;
	}
	c->findings.plays++;
	c->findings.steps += outcome->steps;
	c->findings.mapped += outcome->mapped;
	c->findings.refused += outcome->refused;
	return 0;
}

static int play_everywhere(struct command *c, const struct drv_play *play, size_t device)
{
	struct drv_outcome outcome;
	int ret = 0;

	if (!drv_play_fits(play, &c->config))
		return 0;
	for (size_t i = 0; !ret && i < c->config.nr_kernels; i++)
		ret = play_on(c, play, i, device, &outcome);
	return ret;
}

static bool is_newest(const struct drv_config *config, size_t kernel)
{
	return kernel + 1 == config->nr_kernels ||
	       config->kernel[kernel + 1].arch != config->kernel[kernel].arch;
}

/* Each allocation of the play, the model's own included, fails once. */
static int play_failing(struct command *c, const char *text, size_t device)
{
	struct drv_outcome outcome = { 0 };
	struct drv_play play;
	char wrong[64];
	int ret = 0;

	drv_play_parse(&play, text, wrong, sizeof(wrong));
	for (size_t i = 0; !ret && i < c->config.nr_kernels; i++) {
		if (c->config.quick && !is_newest(&c->config, i))
			continue;
		play.fail_alloc = 0;
		ret = play_on(c, &play, i, device, &outcome);
		for (uint64_t n = outcome.allocs; !ret && n; n--) {
			play.fail_alloc = n;
			ret = play_on(c, &play, i, device, &outcome);
		}
	}
	return ret;
}

/* All sequences of the letters, on each kernel. */
static int search_on(struct command *c, size_t device)
{
	struct drv_letters letters;
	int ret = 0;

	drv_letters(&letters, &c->config);
	for (size_t i = 0; !ret && i < c->config.nr_kernels; i++) {
		struct drv_search search = { .letters = &letters, .device = device };

		search.depth = c->config.depth;
		search.states = c->config.depth_is_said        ? UINT32_MAX
				: is_newest(&c->config, i) ? STATES_OF_NEWEST
							   : STATES_OF_OTHERS;
		struct now now = { c, NULL, i, device };

		if (c->findings.hangs >= MAX_HANGS)
			break;
		if (!c->config.kernel[i].module)
			continue;
		ret = drv_search(&c->config, &c->config.kernel[i], &search, found,
				 &now);
		if (ret) {
			warn("a process");
			return EXIT_TROUBLE;
		}
		c->findings.states += search.states;
		c->findings.sequences += search.operations;
		c->findings.mapped += search.mapped;
		c->findings.refused += search.refused;
		if (!i || search.depth < c->findings.depth)
			c->findings.depth = search.depth;
		if (search.depth > c->findings.deepest)
			c->findings.deepest = search.depth;
	}
	return ret;
}

static int play_list(struct command *c, size_t device)
{
	const char *text;
	char wrong[256];
	int ret = 0;

	for (size_t i = 0; !ret && i < c->nr_plays; i++)
		ret = play_everywhere(c, &c->play[i], device);
	if (c->nr_plays)
		return ret;
	if (!ret && c->config.depth)
		ret = search_on(c, device);
	if (c->only && strcmp(c->only, "list"))
		return ret;
	for (size_t i = 0; !ret && (text = drv_fixed_play(i)); i++) {
		struct drv_play play;

		if (drv_play_parse(&play, text, wrong, sizeof(wrong))) {
			warnx("%s: %s", text, wrong);
			return EXIT_TROUBLE;
		}
		ret = play_everywhere(c, &play, device);
	}
	for (size_t i = 0; !ret && (text = drv_failing_play(i)); i++)
		ret = play_failing(c, text, device);
	return ret;
}

/* ---- making examples short ---- */

struct wanted {
	struct command *command;
	const struct drv_finding *finding;
	struct now now;
	struct drv_findings seen;
};

static void look_for(const struct drv_report *report, void *arg)
{
	struct wanted *wanted = arg;

	drv_findings_add(&wanted->seen, &wanted->command->config,
			 wanted->now.play, wanted->now.kernel, wanted->now.device, report);
}

/* Does the play show what the finding says? Answers that of the play; freed by the caller. */
static bool shows(struct command *c, const struct drv_finding *finding, const struct drv_play *play,
		  struct drv_finding *shown)
{
	struct wanted wanted = { .command = c,
				 .finding = finding,
				 .now = { c, play, finding->kernel, finding->device } };
	struct drv_outcome outcome;
	bool is = false;

	if (drv_run(&c->config, &c->config.kernel[finding->kernel], finding->device,
		    play, &outcome, look_for, &wanted))
		return false;
	for (size_t i = 0; i < wanted.seen.nr && !is; i++) {
		is = drv_finding_like(&wanted.seen.finding[i], finding);
		if (is)
			*shown = wanted.seen.finding[i];
	}
	drv_findings_free(&wanted.seen);
	return is;
}

/* A play that was found on one kernel shows the same on others, which the search cut short. */
static void try_on_others(struct command *c, struct drv_finding *f)
{
	struct drv_finding there = *f, shown;

	for (size_t i = 0; !f->hangs && i < c->config.nr_kernels; i++) {
		there.kernel = i;
		if (!(f->kernels >> i & 1) && c->config.kernel[i].module && shows(c, &there, &f->play, &shown))
			f->kernels |= UINT64_C(1) << i;
	}
}

static void shorten(struct command *c, struct drv_finding *f)
{
	struct drv_finding shown;

	// another number would fail, or it takes too long
	if (f->play.fail_alloc || f->hangs)
		return;
	f->play.nr = f->steps;
	for (size_t i = f->play.nr; i-- > 0;) {
		struct drv_play less = f->play;

		memmove(&less.step[i], &less.step[i + 1], (less.nr - i - 1) * sizeof(less.step[0]));
		less.nr--;
		if (!shows(c, f, &less, &shown))
			continue;
		shown.kernels = f->kernels;
		shown.play.nr = shown.steps;
		*f = shown;
		if (i > f->play.nr)
			i = f->play.nr;
	}
}

/* ---- all of it ---- */

/* Loads the module once, to see what it registers. */
static int probe(struct command *c, struct drv_outcome *outcome)
{
	const struct drv_play nothing = { 0 };
	struct drv_config *config = &c->config;
	struct now now = { c, &nothing, config->nr_kernels - 1, 0 };
	char wrong[256];

	while (!config->kernel[now.kernel].module)
		now.kernel--;

	if (drv_module_set_params(config->kernel[now.kernel].module, config, wrong, sizeof(wrong))) {
		warnx("--param: %s", wrong);
		return EXIT_TROUBLE;
	}
	if (drv_run(config, &config->kernel[now.kernel], 0, &nothing, outcome, found,
		    &now))
		return EXIT_TROUBLE;
	if (outcome->refused_init) {
		warnx("%s: %s (--device, --bar, --resource and --param say what there is)",
		      config->source, outcome->why);
		return EXIT_TROUBLE;
	}
	config->on_bus = outcome->on_bus;
	if (!outcome->nr_devices && !c->findings.nr) {
		warnx("%s: module_init() registers no device that could be opened", config->source);
		return EXIT_TROUBLE;
	}
	return 0;
}

static int play_all(struct command *c)
{
	struct drv_outcome outcome;
	int ret = probe(c, &outcome);

	for (size_t i = 0; !ret && i < (outcome.nr_devices ? outcome.nr_devices : 1); i++)
		ret = play_list(c, i);
	for (size_t i = 0; !ret && i < c->findings.nr; i++)
		shorten(c, &c->findings.finding[i]);
	for (size_t i = 0; !ret && i < c->findings.nr; i++)
		try_on_others(c, &c->findings.finding[i]);
	return ret;
}

static int answer(const struct command *c)
{
	int code = EXIT_DONE;

	if (c->config.json)
		drv_print_json(&c->findings, &c->config);
	else
		drv_print(&c->findings, &c->config, c->modules.why);
	for (size_t i = 0; i < c->findings.nr; i++)
		if (drv_finding_counts(&c->findings.finding[i]))
			code = EXIT_FOUND;
	return code;
}

int driver_command(int argc, char **argv)
{
	struct command c = { 0 };
	int code = parse(&c, argc, argv);

	if (!code) {
		code = drv_modules_load(&c.modules, &c.config) ? EXIT_TROUBLE : play_all(&c);
		if (!code)
			code = answer(&c);
		drv_modules_unload(&c.modules);
	}
	drv_findings_free(&c.findings);
	return code;
}
