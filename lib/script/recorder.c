/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of recordings that mean something else than they say. */
#include "script/internal.h"

/* No kernel maps 0 bytes: only the name of this event fitted into the recorder's buffer. */
bool ms_recorder_lost_events(const char *answer)
{
	return !strcmp(answer, "s2.map ipa=0x0 size=0x0 pa=0x0 prot=-");
}

bool ms_recorder_comment(const char *comment)
{
	static const char *const begins[] = {
		"# kernel log: ", "# debian kernel ", "# revoke: ", MS_LEFT_BEHIND, "# memtype ",
		MS_WHY,           MS_HAZARD_LINE,
	};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		if (!strncmp(comment, begins[i], strlen(begins[i])))
			return true;
	}
	return false;
}
