/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_CORE_POINTER_H
#define MS_CORE_POINTER_H

#include <stdbool.h>
#include <stdint.h>

/* Does p point into the bytes [from, to)? */
static inline bool ms_lies_in(const void *p, uintptr_t from, uintptr_t to)
{
	return (uintptr_t)p >= from && (uintptr_t)p < to;
}

#endif
