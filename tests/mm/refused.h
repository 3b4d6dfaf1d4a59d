/* SPDX-License-Identifier: GPL-2.0-only */
/* What a call was refused for. It is included after the header that has struct world. */
#ifndef TEST_MM_REFUSED_H
#define TEST_MM_REFUSED_H

#include "core/core.h"

/* The last call answered `err`, and this is its reason. */
static inline void assert_refused(struct world *w, int64_t answer, int err, const char *reason)
{
	assert_int_equal(answer, err);
	assert_string_equal(ms_last_reason(w->m), reason);
	assert_int_equal(ms_last_refusal(w->m).err, err);
	// what follows has to say something itself
	ms_refuse(w->m, -EPERM, "nothing was said");
}

/* The same of an access, and of the errno that it has. */
static inline void assert_access(struct world *w, enum ms_access ended, enum ms_access as, int err,
				 const char *reason)
{
	assert_int_equal(ended, as);
	assert_refused(w, err, err, reason);
}

static inline void assert_null_refused(struct world *w, const void *object, int err,
				       const char *reason)
{
	assert_null(object);
	assert_refused(w, -errno, err, reason);
}

#endif
