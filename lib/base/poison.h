/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the address sanitizer is told of memory that is handed out in parts: an access to what is
 * not handed out is reported, as with memory of malloc. Without the sanitizer nothing of it is
 * there.
 */
#ifndef MS_BASE_POISON_H
#define MS_BASE_POISON_H

#include <stddef.h>
#include <string.h>

/* gcc defines a macro when it builds with the address sanitizer, clang has a feature test. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define MS_SANITIZED
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define MS_SANITIZED
#endif

#ifdef MS_SANITIZED
#include <sanitizer/asan_interface.h>
/* For a function that looks at memory which is not handed out. */
#define MS_LOOKS_AT_POISON __attribute__((no_sanitize_address, noinline))
#else
#define MS_LOOKS_AT_POISON
#endif

/* Copies bytes of a page of which a part may be not handed out: whoever has mapped the page sees all
 * of it. */
#ifdef MS_SANITIZED
__attribute__((unused)) static MS_LOOKS_AT_POISON void ms_copy_page_bytes(void *to,
									   const void *from,
									   size_t n)
{
	const volatile unsigned char *source = from;
	volatile unsigned char *bytes = to;

	while (n--)
		*bytes++ = *source++;
}
#else
static inline void ms_copy_page_bytes(void *to, const void *from, size_t n)
{
	memcpy(to, from, n);
}
#endif

static inline void ms_poison(const void *p, size_t size)
{
#ifdef MS_SANITIZED
	__asan_poison_memory_region(p, size);
#else
	(void)p, (void)size;
#endif
}

static inline void ms_unpoison(const void *p, size_t size)
{
#ifdef MS_SANITIZED
	__asan_unpoison_memory_region(p, size);
#else
	(void)p, (void)size;
#endif
}

#endif
