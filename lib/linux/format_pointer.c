/* SPDX-License-Identifier: GPL-2.0-only */
/* What %p and the letters behind it print: pointer() of lib/vsprintf.c, all kernels. */
#include "core/errno.h"
#include "linux/format.h"

#define MAX_NESTED 8     /* %pV in %pV; more is a message that contains itself */
#define MAX_HEX_BYTES 64 /* that one %ph prints */

static void put_decimal(struct ms_output *out, unsigned long long value)
{
	ms_format_number(out, value, '\0',
			 &(struct ms_conversion){ .type = 'u', .width = -1, .precision = -1 });
}

static void put_hex(struct ms_output *out, unsigned long long value, int digits)
{
	ms_format_number(out, value, '\0',
			 &(struct ms_conversion){
				 .type = 'x', .zero = true, .width = digits, .precision = -1 });
}

static bool is_error(const void *p)
{
	return (uintptr_t)p >= (uintptr_t)-4095; /* MAX_ERRNO */
}

// mirrors check_pointer(), lib/vsprintf.c, 5.10+
bool ms_format_bad_pointer(struct ms_output *out, const void *p, const struct ms_conversion *conv)
{
	struct ms_conversion limited = *conv;

	if ((uintptr_t)p >= MS_4K && !is_error(p))
		return false;
	if (limited.precision < 0)
		limited.precision = 2 * sizeof(p);
	ms_format_text(out, p ? "(efault)" : "(null)", &limited);
	return true;
}

/* NULL and errors are no addresses, and are shown.
 * mirrors ptr_to_id(), lib/vsprintf.c, 5.10+ */
static void put_pointer(struct ms_output *out, const void *p, const struct ms_conversion *conv)
{
	struct ms_conversion shown = *conv;

	if (p && !is_error(p)) {
		ms_format_bytes(out, "(ptr)", strlen("(ptr)"));
		return;
	}
	shown.type = 'x';
	if (shown.width < 0) {
		shown.width = 2 * sizeof(p);
		shown.zero = true;
	}
	ms_format_number(out, (uintptr_t)p, '\0', &shown);
}

/* NULL: the error has no name.
 * mirrors errname(), lib/errname.c, 5.10+ */
static const char *error_name(int err)
{
	/* those that a user's program never sees */
	static const char *const kernel_names[] = {
		[0] = "ERESTARTSYS",
		[1] = "ERESTARTNOINTR",
		[2] = "ERESTARTNOHAND",
		[3] = "ENOIOCTLCMD",
		[4] = "ERESTART_RESTARTBLOCK",
		[5] = "EPROBE_DEFER",
		[6] = "EOPENSTALE",
		[7] = "ENOPARAM",
		[9] = "EBADHANDLE",
		[10] = "ENOTSYNC",
		[11] = "EBADCOOKIE",
		[12] = "ENOTSUPP",
		[13] = "ETOOSMALL",
		[14] = "ESERVERFAULT",
		[15] = "EBADTYPE",
		[16] = "EJUKEBOX",
		[17] = "EIOCBQUEUED",
		[18] = "ERECALLCONFLICT",
	};
	const size_t i = (size_t)err - 512;

	if (err < 512)
		return ms_errno_name(-err);
	return i < sizeof(kernel_names) / sizeof(kernel_names[0]) ? kernel_names[i] : NULL;
}

// mirrors err_ptr(), lib/vsprintf.c, 5.10+
static void put_error(struct ms_output *out, const void *p, const struct ms_conversion *conv)
{
	const int err = (int)(intptr_t)p;
	const char *name;
	char text[32];

	if (!is_error(p)) {
		put_pointer(out, p, conv);
		return;
	}
	name = error_name(-err);
	snprintf(text, sizeof(text), "-%s", name ? name : "");
	if (name)
		ms_format_text(out, text, conv);
	else
		ms_format_signed(out, err, conv);
}

/* The width is how many bytes there are.
 * mirrors hex_string(), lib/vsprintf.c, 5.10+ */
static void put_bytes_in_hex(struct ms_output *out, const unsigned char *bytes,
			     const struct ms_conversion *conv)
{
	const char how = *conv->letters ? conv->letters[1] : '\0';
	int n = conv->width < 0 ? 1 : conv->width;

	if (!n || ms_format_bad_pointer(out, bytes, conv))
		return;
	if (n > MAX_HEX_BYTES)
		n = MAX_HEX_BYTES;
	for (int i = 0; i < n; i++) {
		if (i && how != 'N')
			ms_format_char(out, how == 'C' ? ':' : how == 'D' ? '-' : ' ');
		put_hex(out, bytes[i], 2);
	}
}

static bool bit_of(const unsigned long *bitmap, int i)
{
	return bitmap[i / 64] >> i % 64 & 1;
}

/* 32 bits at a time, the highest first.
 * mirrors bitmap_string(), lib/vsprintf.c, 5.10+ */
static void put_bitmap(struct ms_output *out, const unsigned long *bitmap, int nr_bits)
{
	int n = nr_bits % 32 ? nr_bits % 32 : 32; /* bits of this chunk */

	for (int from = nr_bits - n; from >= 0; from -= n) {
		const unsigned long chunk = bitmap[from / 64] >> from % 64;

		if (from + n < nr_bits)
			ms_format_char(out, ',');
		put_hex(out, chunk & ((1ul << n) - 1), (n + 3) / 4);
		n = 32;
	}
}

/* Such as "0-2,7".
 * mirrors bitmap_list_string(), lib/vsprintf.c, 5.10+ */
static void put_bitmap_list(struct ms_output *out, const unsigned long *bitmap, int nr_bits)
{
	bool first = true;

	for (int from = 0, to; from < nr_bits; from = to + 1) {
		for (to = from; to < nr_bits && bit_of(bitmap, to);)
			to++;
		if (to == from)
			continue;
		if (!first)
			ms_format_char(out, ',');
		first = false;
		put_decimal(out, (unsigned int)from);
		if (to - from > 1) {
			ms_format_char(out, '-');
			put_decimal(out, (unsigned int)to - 1);
		}
	}
}

static void put_bits(struct ms_output *out, const void *bitmap, const struct ms_conversion *conv)
{
	const int nr_bits = conv->width < 0 ? 0 : conv->width;

	if (ms_format_bad_pointer(out, bitmap, conv))
		return;
	if (conv->letters[1] == 'l')
		put_bitmap_list(out, bitmap, nr_bits);
	else
		put_bitmap(out, bitmap, nr_bits);
}

/* A phys_addr_t or a dma_addr_t.
 * mirrors address_val(), lib/vsprintf.c, 5.10+ */
static void put_physical(struct ms_output *out, const uint64_t *pa,
			 const struct ms_conversion *conv)
{
	if (ms_format_bad_pointer(out, pa, conv))
		return;
	ms_format_bytes(out, "0x", 2);
	put_hex(out, *pa, 16);
}

static void refuse(struct ms_output *out, const struct ms_conversion *conv, const char *why)
{
	const size_t n =
		strspn(conv->letters, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789");

	ms_format_complain(out, "%%p%.*s in a format of printk: %s", (int)(n < 8 ? n : 8),
			   conv->letters, why);
	out->refused = true;
}

// mirrors va_format(), lib/vsprintf.c, 5.10+
static void put_message(struct ms_output *out, const struct va_format *message,
			const struct ms_conversion *conv)
{
	struct ms_output inner = *out;

	if (ms_format_bad_pointer(out, message, conv))
		return;
	if (!message->fmt || !message->va) {
		refuse(out, conv, "a struct va_format without a format or arguments");
		return;
	}
	if (++inner.nested > MAX_NESTED) {
		refuse(out, conv, "a message that contains itself");
		return;
	}
	va_copy(inner.args, *message->va);
	ms_format_print(&inner, message->fmt);
	va_end(inner.args);
	out->len = inner.len;
	out->refused = inner.refused;
}

// mirrors pointer(), lib/vsprintf.c, 5.10+
void ms_format_pointer(struct ms_output *out, const struct ms_conversion *conv)
{
	const void *p = va_arg(out->args, const void *);

	switch (*conv->letters) {
	case 'V':
		put_message(out, p, conv);
		break;
	case 'a':
		put_physical(out, p, conv);
		break;
	case 'b':
		put_bits(out, p, conv);
		break;
	case 'e':
		put_error(out, p, conv);
		break;
	case 'h':
		put_bytes_in_hex(out, p, conv);
		break;
	case 'S':
	case 's':
	case 'B': /* symbols: of a program their names are not known */
		ms_format_bytes(out, "(ptr)", strlen("(ptr)"));
		break;
	case '4':
	case 'A':
	case 'C':
	case 'D':
	case 'E':
	case 'G':
	case 'I':
	case 'M':
	case 'N':
	case 'O':
	case 'R':
	case 'U':
	case 'd':
	case 'f':
	case 'g':
	case 'i':
	case 'k':
	case 'm':
	case 'r':
	case 't':
	case 'u':
		refuse(out, conv, "not modelled");
		break;
	default: /* 'K' and 'x', and what the kernel does not know either */
		put_pointer(out, p, conv);
	}
}
