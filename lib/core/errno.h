/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_CORE_ERRNO_H
#define MS_CORE_ERRNO_H

/* "EINVAL" of -EINVAL; NULL: no error, or one that Linux's headers for programs do not name. */
const char *ms_errno_name(int err);

#endif
