/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The worlds that are shipped: what is known to be wrong with some kernels is found in them, and
 * not on a kernel that is free of it. The only argument is their folder.
 */
#include <mapsim/explore.h>

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *folder;

static struct ms_world *read_world(const char *name)
{
	struct ms_script_error err;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	struct ms_world *w = ms_world_read(in, &err);
	fclose(in);
	if (!w)
		print_error("%s: line %llu: %s\n", name, (unsigned long long)err.line, err.what);
	assert_non_null(w);
	return w;
}

/* How many letters the shortest script has for a finding that begins so; 0: there is none. */
static unsigned int letters_to(const char *world, const char *arch, const char *release,
			       unsigned int depth, const char *finding)
{
	const struct ms_explore_config config = {
		.release = release,
		.arch = arch,
		.depth = depth,
	};
	struct ms_world *w = read_world(world);
	struct ms_explore *x = ms_explore_new(w, &config, NULL);
	unsigned int letters = 0;
	struct ms_finding f;

	assert_non_null(x);
	assert_int_equal(ms_explore_run(x), 0);
	for (size_t i = 0; !letters && (f = ms_explore_finding(x, i)).signature; i++) {
		if (!strncmp(f.signature, finding, strlen(finding)))
			letters = f.letters;
	}
	ms_explore_free(x);
	ms_world_free(w);
	return letters;
}

static void is_on(const char *world, const char *arch, const char *release, unsigned int depth,
		  const char *finding)
{
	assert_int_equal(letters_to(world, arch, release, depth, finding), depth);
}

static void is_not_on(const char *world, const char *arch, const char *release, unsigned int depth,
		      const char *finding)
{
	assert_int_equal(letters_to(world, arch, release, depth, finding), 0);
}

static void a_block_beyond_the_vma(void **state)
{
	is_on("block-arm64.world", "arm64", "6.12.107", 3, "guest-beyond-vma: ");
	is_not_on("block-arm64.world", "arm64", "6.12.117", 3, "guest-beyond-vma: ");
}

#define OFF "device-off: the device's memory is turned off, and still mapped (device, "

static void a_vfio_child_that_keeps_its_bar(void **state)
{
	is_on("vfio-fork.world", "arm64", "6.1.192", 4, OFF "child, ");
	is_not_on("vfio-fork.world", "arm64", "6.12.117", 4, OFF);
}

static void a_moved_vfio_mapping(void **state)
{
	is_on("vfio-move.world", "arm64", "6.1.192", 4, OFF "process, ");
	is_on("vfio-move.world", "x86_64", "5.10.223", 4, OFF "process, ");
	is_not_on("vfio-move.world", "arm64", "6.12.117", 4, OFF);
	is_not_on("vfio-move.world", "x86_64", "7.3.4", 4, OFF);
}

static void the_prot_none_livelock(void **state)
{
	is_on("prot-none-arm64-16k.world", "arm64", "6.12.117", 5, "endless: ");
	is_not_on("prot-none-arm64-16k.world", "arm64", "6.12.107", 5, "endless: ");
}

static void the_cacheable_alias(void **state)
{
	is_on("pieces-arm64-dic.world", "arm64", "7.2.13", 3, "types: ");
	is_not_on("pieces-arm64-dic.world", "arm64", "6.12.117", 3, "types: ");
}

static void the_split_of_a_leaf_of_1g(void **state)
{
	is_on("pud-x86.world", "x86_64", "6.12.117", 3, "crash: ");
	is_not_on("pud-x86.world", "x86_64", "6.1.192", 3, "crash: ");
}

static void a_child_that_has_the_bar_where_it_has_no_vma(void **state)
{
	is_on("pud-x86.world", "x86_64", "6.12.117", 4,
	      "host-beyond-vma: mapped where there is no "
	      "VMA (device, child, ");
	is_on("pud-x86.world", "x86_64", "7.3.4", 4, "host-beyond-vma: ");
	is_not_on("pud-x86.world", "x86_64", "6.1.192", 3, "host-beyond-vma: ");
}

/* No kernel is free of these two. */
static void a_bar_of_which_a_part_is_claimed(void **state)
{
	is_on("claim.world", "arm64", "7.3.4", 2, "device-claimed: ");
	is_on("claim.world", "x86_64", "5.10.223", 2, "device-claimed: ");
}

static void two_memory_types_of_one_page(void **state)
{
	is_on("pieces-x86.world", "x86_64", "5.10.223", 2, "types: ");
	is_on("pieces-x86.world", "x86_64", "7.3.4", 2, "types: ");
}

/* The letters of every world are operations of a script, and some of them do something. */
static void each_world_can_be_searched(void **state)
{
	DIR *dir = opendir(folder);
	unsigned int worlds = 0;
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		const struct ms_explore_config config = { .depth = 1 };
		struct ms_explore *x;

		if (entry->d_name[0] == '.')
			continue;
		struct ms_world *w = read_world(entry->d_name);
		x = ms_explore_new(w, &config, NULL);
		assert_non_null(x);
		assert_int_equal(ms_explore_run(x), 0);
		assert_true(ms_explore_progress(x).states > 2);
		ms_explore_free(x);
		ms_world_free(w);
		worlds++;
	}
	closedir(dir);
	assert_true(worlds >= 12);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_beyond_the_vma),
		cmocka_unit_test(a_vfio_child_that_keeps_its_bar),
		cmocka_unit_test(a_moved_vfio_mapping),
		cmocka_unit_test(the_prot_none_livelock),
		cmocka_unit_test(the_cacheable_alias),
		cmocka_unit_test(the_split_of_a_leaf_of_1g),
		cmocka_unit_test(a_child_that_has_the_bar_where_it_has_no_vma),
		cmocka_unit_test(a_bar_of_which_a_part_is_claimed),
		cmocka_unit_test(two_memory_types_of_one_page),
		cmocka_unit_test(each_world_can_be_searched),
	};

	assert_int_equal(argc, 2);
	folder = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
