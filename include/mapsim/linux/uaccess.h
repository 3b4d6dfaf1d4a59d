/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of the process for which driver code runs: <linux/uaccess.h>. It goes through the process's
 * page table, and faults as the CPU does. Pages of RAM have bytes: those that a driver's page_address()
 * shows, that such a call has stored, or zeroes. A device has none: what is read of it is all ones,
 * as of one that does not answer, and what is written goes nowhere.
 *
 * Where driver code holds the mmap lock, as in ->mmap, ->fault and vm_ops, an access may fault and
 * then waits for the lock that this thread holds: that is a violation, as for might_fault().
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_UACCESS_H)
#define MAPSIM_LINUX_UACCESS_H

/* 1: [addr, addr + size) is in user space. Up to 4.x there was an argument more. */
#define access_ok(addr, size) ms_linux_access_ok((uintptr_t)(addr), (size))

/* Answer how many bytes were not copied; what could not be had of the source is zeroed. */
static inline unsigned long __must_check copy_from_user(void *to, const void __user *from,
							unsigned long n)
{
	const unsigned long left = ms_linux_read_user(to, (uintptr_t)from, n, "copy_from_user");

	if (left)
		memset((char *)to + (n - left), 0, left);
	return left;
}

static inline unsigned long __must_check copy_to_user(void __user *to, const void *from,
						      unsigned long n)
{
	return ms_linux_write_user((uintptr_t)to, from, n, "copy_to_user");
}

static inline unsigned long __must_check clear_user(void __user *to, unsigned long n)
{
	return ms_linux_write_user((uintptr_t)to, NULL, n, "clear_user");
}

#define __copy_from_user(to, from, n) copy_from_user(to, from, n)
#define __copy_to_user(to, from, n) copy_to_user(to, from, n)
#define __clear_user(to, n) clear_user(to, n)

/* No fault is taken: what is not mapped is not copied, and no lock is asked for. */
static inline unsigned long __must_check copy_from_user_nofault(void *to, const void __user *from,
								unsigned long n)
{
	return ms_linux_read_user(to, (uintptr_t)from, n, NULL) ? (unsigned long)-EFAULT : 0;
}

#define get_user(x, ptr) \
	({ \
		__typeof__(*(ptr)) ms_value; \
		int ms_err = copy_from_user(&ms_value, (ptr), sizeof(ms_value)) ? -EFAULT : 0; \
		(x) = ms_value; \
		ms_err; \
	})
#define put_user(x, ptr) \
	({ \
		__typeof__(*(ptr)) ms_value = (__typeof__(*(ptr)))(x); \
		copy_to_user((ptr), &ms_value, sizeof(ms_value)) ? -EFAULT : 0; \
	})
#define __get_user(x, ptr) get_user(x, ptr)
#define __put_user(x, ptr) put_user(x, ptr)

/* The length of the string, without its end; count: it has no end in there; -EFAULT. */
static inline long __must_check strncpy_from_user(char *to, const char __user *from, long count)
{
	for (long i = 0; i < count; i++) {
		if (copy_from_user(&to[i], from + i, 1))
			return -EFAULT;
		if (!to[i])
			return i;
	}
	return count;
}

/* The size of the string with its end; more than n: it is longer; 0: a fault. */
static inline long __must_check strnlen_user(const char __user *s, long n)
{
	for (long i = 0; i < n; i++) {
		char c;

		if (copy_from_user(&c, s + i, 1))
			return 0;
		if (!c)
			return i + 1;
	}
	return n + 1;
}

/* A kmalloc with what user space has there, or an ERR_PTR. */
static inline void *memdup_user(const void __user *from, size_t n)
{
	void *p = kmalloc(n, GFP_USER);

	if (!p)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(p, from, n)) {
		kfree(p);
		return ERR_PTR(-EFAULT);
	}
	return p;
}

#define vmemdup_user(from, n) memdup_user(from, n)

static inline void *memdup_user_nul(const void __user *from, size_t n)
{
	char *p = (char *)kmalloc(n + 1, GFP_USER);

	if (!p)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(p, from, n)) {
		kfree(p);
		return ERR_PTR(-EFAULT);
	}
	p[n] = '\0';
	return p;
}

static inline char *strndup_user(const char __user *s, long n)
{
	const long len = strnlen_user(s, n);
	char *p;

	if (!len)
		return (char *)ERR_PTR(-EFAULT);
	if (len > n)
		return (char *)ERR_PTR(-EINVAL);
	p = (char *)memdup_user(s, (size_t)len);
	if (!IS_ERR(p))
		p[len - 1] = '\0';
	return p;
}

/* -E2BIG: bytes that this kernel does not know are not zero. */
static inline int __must_check copy_struct_from_user(void *to, size_t ksize,
						     const void __user *from, size_t usize)
{
	const size_t size = min(ksize, usize);

	for (size_t i = size; i < usize; i++) {
		char c;

		if (copy_from_user(&c, (const char __user *)from + i, 1))
			return -EFAULT;
		if (c)
			return -E2BIG;
	}
	memset((char *)to + size, 0, ksize - size);
	return copy_from_user(to, from, size) ? -EFAULT : 0;
}

/* <linux/compat.h>: a process of 64 bits */
typedef u32 compat_uptr_t;
typedef u32 compat_ulong_t;
typedef s32 compat_long_t;
typedef s32 compat_int_t;
#define compat_ptr(p) ((void __user *)(uintptr_t)(p))
#define in_compat_syscall() false

#define u64_to_user_ptr(x) ((void __user *)(uintptr_t)(u64)(x))

/* For ->read and ->write over a buffer of the driver's. */
static inline ssize_t simple_read_from_buffer(void __user *to, size_t count, loff_t *ppos,
					      const void *from, size_t available)
{
	const loff_t pos = *ppos;
	size_t left;

	if (pos < 0)
		return -EINVAL;
	if ((size_t)pos >= available || !count)
		return 0;
	count = min(count, available - (size_t)pos);
	left = copy_to_user(to, (const char *)from + pos, count);
	if (left == count)
		return -EFAULT;
	*ppos = pos + (loff_t)(count - left);
	return (ssize_t)(count - left);
}

static inline ssize_t simple_write_to_buffer(void *to, size_t available, loff_t *ppos,
					     const void __user *from, size_t count)
{
	const loff_t pos = *ppos;
	size_t left;

	if (pos < 0)
		return -EINVAL;
	if ((size_t)pos >= available || !count)
		return 0;
	count = min(count, available - (size_t)pos);
	left = copy_from_user((char *)to + pos, from, count);
	if (left == count)
		return -EFAULT;
	*ppos = pos + (loff_t)(count - left);
	return (ssize_t)(count - left);
}

#endif
