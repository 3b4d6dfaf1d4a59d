/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixed list of plays: what processes, guests and the kernel do with a driver's mapping, each
 * as short as shows it. At the end of each everything is closed and the module is unloaded. And
 * the letters of a search.
 */
#include "driver.h"

static const char *const fixed[] = {
	/* loading, opening, refusing */
	"",
	"open",
	"open; open; close; close",
	"open read; map shared r; read",
	"open read; map private rw; write",
	"open write; map shared w; write",
	"open sync; map shared rw; write",
	/* every kind of mapping, every page of it */
	"open; map shared rw; read; write",
	"open; map shared rw; write; read",
	"open; map shared rw 4; read all; write all",
	"open; map shared r 4; read all",
	"open; map shared w 4; write all",
	"open; map shared rx 4; read all",
	"open; map shared none 4; protect rw; write all",
	"open; map private r 4; read all",
	"open; map private rw 4; read all; write all",
	"open; map private rw 4; write all",
	"open; map private none; protect rw; write",
	"open; map shared rw; map shared rw; write",
	"open; map shared rw; open; map shared rw; write",
	/* sizes and offsets: odd, beyond the end, huge, wrapping */
	"open; map shared rw 1 at 1; read",
	"open; map shared rw 3 at 1; read all",
	"open; map shared rw 1 at end-1; read",
	"open; map shared rw 1 at end-0; read",
	"open; map shared rw 4 at end-1; read all",
	"open; map shared rw 1 at 0x100000; read",
	"open; map private r 1 at 0x100000; read",
	"open; map shared rw 1 at 0xfffffffffffff; read",
	"open; map shared rw 2 at 0xffffffffffffe; read all",
	"open; map shared rw 4 at 0x7ffffffffffff; read all",
	"open; map shared rw 512; read all",
	"open; map shared rw 262144; read first",
	/* parts that go */
	"open; map shared rw 4; write all; unmap first; read all",
	"open; map shared rw 4; write all; unmap middle; read all",
	"open; map shared rw 4; write all; unmap last; read all",
	"open; map shared rw 4; unmap middle; write all; unmap all",
	"open; map shared rw 4; write all; zap; read all",
	"open; map private rw 4; write all; zap; read all",
	/* protections */
	"open; map shared rw 4; write all; protect r; read all; protect rw; write all",
	"open; map shared rw 4; protect r middle; write all",
	"open; map shared rw 4; write all; protect none; protect rw; read all",
	"open read; map shared r 4; protect rw; write all",
	/* mremap */
	"open; map shared rw 4; write all; grow; read all",
	"open; map shared rw 4; grow; write all",
	"open; map shared rw 4; write all; shrink; read all",
	"open; map shared rw 4; write all; move; read all",
	"open; map shared rw 4; write all; move keep; read all",
	"open; map private rw 4; write all; move; write all",
	/* fork: both ends go, in either order */
	"open; map shared rw 4; write all; fork; child: read all; child: exit; read all",
	"open; map shared rw 4; write all; fork; exit; child: read all; child: write all",
	"open; map shared rw 4; fork; child: write all; child: unmap all; write all",
	"open; map shared rw 4; write all; fork; unmap all; child: read all",
	"open; map shared rw 4; write all; fork; child: unmap middle; child: read all; read all",
	"open; map private rw 4; write all; fork; child: write all; write all",
	"open; map private rw 4; read all; fork; child: write all; exit; child: read all",
	/* closing before unmapping */
	"open; map shared rw 4; close; write all",
	"open; map shared rw 4; close; write all; unmap middle; unmap all",
	"open; map shared rw 4; write all; close; fork; exit; child: read all",
	"open; map shared rw; open; close; close; write",
	/* others who use the mapping: guests, get_user_pages */
	"open; map shared rw 4; guest; guest-read all; guest-write all",
	"open; map shared rw 4; write all; guest; guest-write all; unmap all",
	"open; map shared r 4; guest readonly; guest-read all",
	"open; map shared rw 4; guest; guest-write all; protect r; guest-write all",
	"open; map shared rw 512; guest; guest-write all; unmap middle; guest-read all",
	"open; map private rw 4; guest; guest-read all; guest-write all",
	"open; map shared rw 4; pin; pin write; unmap all",
	"open; map private rw 4; pin; pin write; fork; child: write all",
	/* unbinding while it is mapped */
	"open; map shared rw 4; write all; revoke; read all",
	"open; map shared rw 4; revoke; write all",
	"open; map shared rw 4; write all; fork; revoke; read all; child: read all",
	"open; map shared rw 4; fork; child: write all; revoke; child: read all",
	"open; map shared rw 4; write all; fork; exit; revoke; child: read all",
	"open; map shared rw 4; write all; move; revoke; read all",
	"open; map shared rw 4; write all; unmap middle; revoke; read all",
	"open; map private rw 4; read all; revoke; read all",
	"open; map shared rw 4; guest; guest-write all; revoke; guest-read all",
	"open; map shared rw 4; write all; close; open; revoke; read all",
	"open; unbind",
	"open; unbind; map shared rw; read",
	"open; map shared rw 4; write all; unbind; read all",
	"open; map shared rw 4; unbind; write all",
	"open; map shared rw 4; write all; fork; unbind; child: read all",
	"open; map shared rw 4; guest; guest-write all; unbind; guest-read all",
};

/* Together they come by every place at which a driver of a mapping takes memory. */
static const char *const failing[] = {
	"open; map shared rw 4; write all; fork; child: read all; child: exit; unmap middle; close",
	"open; map private rw 4; write all; fork; child: write all",
	"open; open; map shared rw 4; read all; move; guest; guest-read all",
};

/* A search tries all sequences of these. */
static const char *const letters[] = {
	"open",
	"open read",
	"close",
	"map shared rw",
	"map shared rw 4",
	"map shared r 4",
	"map private rw 4",
	"map shared rw 1 at 1",
	"map shared rw 2 at end-1",
	"map private r 1 at 0x100000",
	"read first",
	"read all",
	"write all",
	"unmap middle",
	"unmap all",
	"protect r",
	"protect none",
	"protect rw",
	"zap",
	"grow",
	"move",
	"fork",
	"exit",
	"revoke",
	"unbind",
	"child: read all",
	"child: write all",
	"child: unmap middle",
	"child: unmap all",
	"child: move",
	"child: exit",
	"guest",
	"guest-read all",
	"guest-write all",
};

const char *drv_letter(size_t i)
{
	return i < sizeof(letters) / sizeof(letters[0]) ? letters[i] : NULL;
}

const char *drv_fixed_play(size_t i)
{
	return i < sizeof(fixed) / sizeof(fixed[0]) ? fixed[i] : NULL;
}

const char *drv_failing_play(size_t i)
{
	return i < sizeof(failing) / sizeof(failing[0]) ? failing[i] : NULL;
}
