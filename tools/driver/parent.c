/* SPDX-License-Identifier: GPL-2.0-only */
/* Child processes, and what they have told: the lines are those of child.c. */
#include "driver.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct reading {
	drv_tell *tell;
	void *arg;
	const struct drv_play *plays; /* NULL: it is a search */
	size_t nr_plays, at;          /* which of them is played */
	struct drv_outcome *outcome;  /* of them */
	struct drv_search *search;    /* NULL: it is none */
	struct drv_play play;        /* the search's path */
	uint16_t path[DRV_MAX_STEPS];
	size_t nr_path;
	bool at_end; /* a crash: when all is closed */
	bool hangs;  /* it took all its time */
};

static void read_frames(char *text, struct drv_report *report)
{
	char *save = NULL;

	for (char *word = strtok_r(text, ",", &save); word && *word != '-';
	     word = strtok_r(NULL, ",", &save))
		if (report->nr_frames < DRV_MAX_FRAMES)
			report->frame[report->nr_frames++] = strtoull(word, NULL, 16);
}

static const struct drv_play *play_of(const struct reading *r)
{
	return r->search ? &r->play : &r->plays[r->at];
}

static void read_violation(char *line, struct reading *r)
{
	struct drv_report report = { .what = DRV_VIOLATION, .play = play_of(r) };
	struct ms_violation *v = &report.violation;
	char frames[DRV_MAX_FRAMES * 12] = "", *save = NULL;
	unsigned int whose;

	if (sscanf(line, "V %zu %u %u %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %287[^|]",
		   &report.step, &whose, &v->mm, &v->vma_start, &v->vma_end, &v->addr, &v->pa,
		   frames) != 8)
		return;
	v->whose = (enum ms_violation_class)whose;
	v->condition = v->driver = v->callback = "";
	strtok_r(line, "|", &save);
	v->condition = strsep(&save, "|");
	v->driver = save ? strsep(&save, "|") : "";
	v->callback = save ? save : "";
	read_frames(frames, &report);
	r->tell(&report, r->arg);
}

static void read_crash(char *line, struct reading *r)
{
	struct drv_report report = { .what = DRV_CRASH, .play = play_of(r) };
	char frames[DRV_MAX_FRAMES * 12] = "", *bar = strchr(line, '|');

	if (!bar || sscanf(line, "C %zu %287[^|]", &report.step, frames) != 2)
		return;
	r->at_end = report.step >= r->nr_path;
	if (!strcmp(bar + 1, "-"))
		return; // after a mistake that was told
	report.violation.condition = bar + 1;
	report.hangs = r->hangs = strstr(bar + 1, "hangs");
	report.violation.driver = report.violation.callback = "";
	read_frames(frames, &report);
	r->tell(&report, r->arg);
}

static void read_search(const char *line, struct drv_search *search)
{
	int whole;

	if (sscanf(line, "S %" SCNu64 " %" SCNu64 " %u %d %u %u", &search->states,
		   &search->operations, &search->depth, &whole, &search->mapped,
		   &search->refused) == 6)
		search->whole = whole;
}

static void read_outcome(char *line, struct drv_outcome *o)
{
	unsigned int steps, mapped, refusals;
	char *save = NULL, *word;
	int refused, on_bus;

	if (sscanf(line, "O %u %u %u %" SCNu64 " %d %d", &steps, &mapped, &refusals, &o->allocs,
		   &refused, &on_bus) != 6)
		return;
	o->plays++;
	o->steps += steps;
	o->mapped += mapped;
	o->refused += refusals;
	o->nr_devices = 0;
	o->refused_init = refused;
	o->on_bus = on_bus;
	save = strchr(line, '|');
	if (!save)
		return;
	save++;
	word = strsep(&save, "|");
	snprintf(o->why, sizeof(o->why), "%s", word);
	while (save && o->nr_devices < 16) {
		word = strsep(&save, "|");
		snprintf(o->device[o->nr_devices++], sizeof(o->device[0]), "%s", word);
	}
}

/* How the child ended, where it could not say so itself. */
static void tell_killed(int status, const struct reading *r)
{
	struct drv_report report = { .what = DRV_CRASH, .play = play_of(r) };

	report.violation.condition = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
					     ? "the driver's process is killed: it takes too much"
					     : "the driver's process ends by a signal";
	report.violation.driver = report.violation.callback = "";
	r->tell(&report, r->arg);
}

/* The steps of a search's path. */
static void read_path(const char *line, struct reading *r)
{
	const struct drv_letters *letters = r->search->letters;
	char *end;

	r->play.nr = r->nr_path = 0;
	for (const char *at = line + 1; *at == ' ' && r->nr_path < DRV_MAX_STEPS; at = end) {
		const unsigned long letter = strtoul(at, &end, 10);

		if (end == at || letter >= letters->nr)
			return;
		r->path[r->nr_path++] = (uint16_t)letter;
		r->play.step[r->play.nr++] = letters->step[letter];
	}
}

static void read_number(const char *line, struct reading *r)
{
	const size_t at = strtoull(line + 1, NULL, 10);

	if (at < r->nr_plays)
		r->at = at;
}

static bool read_lines(int fd, struct reading *r)
{
	struct drv_outcome *outcome = r->outcome;
	FILE *in = fdopen(fd, "r");
	bool crashed = false;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while (in && (len = getline(&line, &size, in)) > 0) {
		line[len - 1] = '\0';
		if (*line == 'V')
			read_violation(line, r);
		else if (*line == 'O' && outcome)
			read_outcome(line, outcome);
		else if (*line == 'B' && r->plays)
			read_number(line, r);
		else if (*line == 'P' && r->search)
			read_path(line, r);
		else if (*line == 'S' && r->search)
			read_search(line, r->search);
		else if (*line == 'C') {
			crashed = true;
			read_crash(line, r);
		}
	}
	free(line);
	if (in)
		fclose(in);
	return crashed;
}

/* A child process, and a pipe from it: 0 in the child, with *fd to write to. -1: there is none. */
static pid_t spawn(int *fd)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return -1;
	fflush(NULL);
	pid = fork();
	*fd = pid ? ends[0] : ends[1];
	close(pid ? ends[1] : ends[0]);
	if (pid < 0)
		close(ends[0]);
	return pid;
}

/* true: something has ended the child. */
static bool hear(pid_t pid, int fd, struct reading *r)
{
	bool crashed = read_lines(fd, r);
	int status = 0;

	waitpid(pid, &status, 0);
	if (!crashed && WIFSIGNALED(status)) {
		tell_killed(status, r);
		crashed = true;
	}
	return crashed;
}

int drv_run(const struct drv_config *config, const struct drv_kernel *kernel, size_t device,
	    const struct drv_play *play, size_t nr, struct drv_outcome *outcome, drv_tell *tell,
	    void *arg)
{
	struct reading r = {
		.tell = tell, .arg = arg, .plays = play, .nr_plays = nr, .outcome = outcome
	};
	bool ended = true;

	*outcome = (struct drv_outcome){ 0 };
	// a play that ends the process is not played again; each time that one hangs takes seconds
	for (size_t first = 0; ended && !r.hangs && first < nr; first = r.at + 1) {
		int fd;
		pid_t pid;

		r.at = first;
		pid = spawn(&fd);
		if (!pid)
			drv_child_play(config, kernel, device, play, first, nr, fd);
		if (pid < 0)
			return -1;
		ended = hear(pid, fd, &r);
		outcome->plays += ended;
	}
	return 0;
}

/* What ends the driver is left out from now on: the sequence, and the letter if it comes just after
 * opening, or was the last one of another such sequence. */
static void leave_out(struct drv_search *search, struct drv_letters *letters,
		      const struct reading *r)
{
	struct drv_skip *skip = &search->skip[search->nr_skips++];

	*skip = (struct drv_skip){ .nr = r->nr_path, .at_end = r->at_end };
	memcpy(skip->path, r->path, sizeof(skip->path));
	if (skip->nr && skip->nr <= 2 && !skip->at_end)
		letters->banned[skip->path[skip->nr - 1]] = true;
	for (size_t i = 0; i + 1 < search->nr_skips; i++) {
		const struct drv_skip *other = &search->skip[i];

		if (other->at_end && skip->at_end)
			search->no_end = true;
		else if (other->nr && skip->nr && !other->at_end && !skip->at_end &&
			 other->path[other->nr - 1] == skip->path[skip->nr - 1])
			letters->banned[skip->path[skip->nr - 1]] = true;
	}
}

int drv_search(const struct drv_config *config, const struct drv_kernel *kernel,
	       struct drv_search *search, drv_tell *tell, void *arg)
{
	struct drv_letters letters = *search->letters;
	const struct drv_search bounds = *search;
	bool ended = true, hangs = false;

	search->letters = &letters;
	search->nr_skips = 0;
	search->no_end = false;
	// each time that it hangs takes seconds
	while (ended && !hangs && search->nr_skips < DRV_MAX_SKIPS) {
		struct reading r = { .tell = tell, .arg = arg, .search = search };
		int fd;
		pid_t pid = spawn(&fd);

		if (!pid)
			drv_child_search(config, kernel, search, fd);
		if (pid < 0)
			return -1;
		ended = hear(pid, fd, &r);
		hangs = r.hangs;
		if (ended)
			leave_out(search, &letters, &r);
	}
	if (ended)
		search->states = search->operations = search->depth = 0;
	search->letters = bounds.letters;
	return 0;
}
