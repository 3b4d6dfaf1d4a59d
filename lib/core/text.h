/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts with numbers in them, which live as long as the machine: what violations and messages say.
 */
#ifndef MS_CORE_TEXT_H
#define MS_CORE_TEXT_H

#include <stdarg.h>

struct ms_machine;

/* A text made from printf's format; NULL: no memory. Equal texts are one. */
__attribute__((format(printf, 2, 3))) const char *ms_text(struct ms_machine *m, const char *format,
							  ...);
__attribute__((format(printf, 2, 0))) const char *ms_text_va(struct ms_machine *m,
							     const char *format, va_list args);
void ms_texts_destroy(struct ms_machine *m);

#endif
