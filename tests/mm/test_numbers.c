/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers that are Linux's own, so that a program may pass those of <sys/mman.h> as they are. */
#include "world.h"

#include <linux/mman.h>

static void protections_flags_and_advice_are_linuxs_numbers(void **state)
{
	static const unsigned int pairs[][2] = {
		{ MS_PROT_R, PROT_READ },
		{ MS_PROT_W, PROT_WRITE },
		{ MS_PROT_X, PROT_EXEC },
		{ MS_MAP_SHARED, MAP_SHARED },
		{ MS_MAP_PRIVATE, MAP_PRIVATE },
		{ MS_MAP_FIXED, MAP_FIXED },
		{ MS_MAP_FIXED_NOREPLACE, MAP_FIXED_NOREPLACE },
		{ MS_MAP_POPULATE, MAP_POPULATE },
		{ MS_MAP_NORESERVE, MAP_NORESERVE },
		{ MS_MAP_ANONYMOUS, MAP_ANONYMOUS },
		{ MS_MREMAP_MAYMOVE, MREMAP_MAYMOVE },
		{ MS_MREMAP_FIXED, MREMAP_FIXED },
		{ MS_MREMAP_DONTUNMAP, MREMAP_DONTUNMAP },
		{ MS_MADV_DONTNEED, MADV_DONTNEED },
		{ MS_MADV_FREE, MADV_FREE },
		{ MS_MADV_REMOVE, MADV_REMOVE },
		{ MS_MADV_DONTFORK, MADV_DONTFORK },
		{ MS_MADV_DOFORK, MADV_DOFORK },
		{ MS_MADV_HUGEPAGE, MADV_HUGEPAGE },
		{ MS_MADV_NOHUGEPAGE, MADV_NOHUGEPAGE },
		{ MS_MADV_DONTDUMP, MADV_DONTDUMP },
		{ MS_MADV_DODUMP, MADV_DODUMP },
		{ MS_MADV_WIPEONFORK, MADV_WIPEONFORK },
		{ MS_MADV_KEEPONFORK, MADV_KEEPONFORK },
		{ MS_MADV_COLD, MADV_COLD },
		{ MS_MADV_PAGEOUT, MADV_PAGEOUT },
		{ MS_MADV_POPULATE_READ, MADV_POPULATE_READ },
		{ MS_MADV_POPULATE_WRITE, MADV_POPULATE_WRITE },
		{ MS_MADV_COLLAPSE, MADV_COLLAPSE },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_int_equal(pairs[i][0], pairs[i][1]);
}

static void flags_without_effect_are_ignored_and_those_that_are_missing_refused(void **state)
{
	static const unsigned int ignored[] = { MAP_DENYWRITE, MAP_EXECUTABLE, MAP_NONBLOCK,
						MAP_STACK, 1u << 30 };
	static const unsigned int missing[] = { MAP_GROWSDOWN, MAP_LOCKED, MAP_HUGETLB, MAP_SYNC,
						0x40 /* MAP_32BIT */ };
	const unsigned int anon = MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED;

	struct world w = world("6.12.117");
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_RW, anon | ignored[i], NULL, 0), A);
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_RW, anon | missing[i], NULL, 0),
				 -EOPNOTSUPP);
	for (unsigned int advice = 0; advice < 4; advice++)
		assert_int_equal(ms_madvise(w.mm, A, PAGE, (enum ms_advice)advice), -EINVAL);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protections_flags_and_advice_are_linuxs_numbers),
		cmocka_unit_test(
			flags_without_effect_are_ignored_and_those_that_are_missing_refused),
	};

	return cmocka_run_group_tests_name("numbers", tests, NULL, NULL);
}
