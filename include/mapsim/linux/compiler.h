/* SPDX-License-Identifier: GPL-2.0-only */
/* Types and annotations: <linux/types.h>, <linux/compiler.h>, <linux/init.h>'s sections. */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_COMPILER_H)
#define MAPSIM_LINUX_COMPILER_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/*
 * What is not provided fails here, by its name, and not when the program is linked; and a handler
 * of another shape is none. Kernels are compiled with these, too.
 */
#pragma GCC diagnostic error "-Wimplicit-function-declaration"
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#pragma GCC diagnostic error "-Wint-conversion"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

typedef u64 phys_addr_t;
typedef phys_addr_t resource_size_t;
typedef u64 dma_addr_t;
typedef unsigned long pgoff_t;
typedef long loff_t; // glibc says the same, musl nothing
typedef unsigned int gfp_t;
typedef unsigned int fmode_t;
typedef unsigned short umode_t;

#define U8_MAX ((u8)~0u)
#define U16_MAX ((u16)~0u)
#define U32_MAX ((u32)~0u)
#define U64_MAX ((u64)~0ull)
#define S32_MAX ((s32)(U32_MAX >> 1))
#define S64_MAX ((s64)(U64_MAX >> 1))

#define __user
#define __kernel
#define __iomem
#define __force
#define __rcu
#define __percpu
#ifndef __init
#define __init
#define __exit
#define __initdata
#define __exitdata
#endif
#ifndef __must_check
#define __must_check __attribute__((__warn_unused_result__))
#endif
#ifndef __maybe_unused
#define __maybe_unused __attribute__((__unused__))
#endif
#ifndef __always_unused
#define __always_unused __attribute__((__unused__))
#endif
#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif
#ifndef __packed
#define __packed __attribute__((__packed__))
#endif
#ifndef __aligned
#define __aligned(x) __attribute__((__aligned__(x)))
#endif
#ifndef __cold
#define __cold __attribute__((__cold__))
#endif
#ifndef __printf
#define __printf(a, b) __attribute__((__format__(printf, a, b)))
#endif
#ifndef __weak
#define __weak __attribute__((__weak__))
#endif
#ifndef __pure
#define __pure __attribute__((__pure__))
#endif
#ifndef noinline
#define noinline __attribute__((__noinline__))
#endif
#ifndef __used
#define __used __attribute__((__used__))
#endif
#define asmlinkage
#define __visible
#define __ref
#define __refdata
#define __devinit
#define __private
#define __safe
#define __nocast
#define __nonstring
#define __acquires(lock)
#define __releases(lock)
#define __must_hold(lock)
#define __acquire(lock) (void)0
#define __release(lock) (void)0
#define __counted_by(member)
#define __counted_by_ptr(member)
#define __counted_by_le(member)
#define __cacheline_aligned
#define ____cacheline_aligned_in_smp
#define ____cacheline_internodealigned_in_smp
#define __initconst
#define __net_init
#define __net_exit
#define noinline_for_stack noinline
#define __function_aligned
#define uninitialized_var(x) x = x
#define __stringify_1(...) #__VA_ARGS__
#define __stringify(...) __stringify_1(__VA_ARGS__)
#define __ro_after_init
#define __read_mostly
#define ____cacheline_aligned
#define fallthrough __attribute__((__fallthrough__))

/* For the variables of macros, which may stand in one another's arguments. */
#define MS_LINUX_PASTE_(a, b) a##b
#define MS_LINUX_PASTE(a, b) MS_LINUX_PASTE_(a, b)
#define MS_LINUX_UNIQUE(name) MS_LINUX_PASTE(name, __COUNTER__)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#define barrier() __asm__ __volatile__("" : : : "memory")
/* One thread, one CPU: what is ordered for the compiler is ordered. */
#define mb() barrier()
#define rmb() barrier()
#define wmb() barrier()
#define smp_mb() barrier()
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define dma_rmb() barrier()
#define dma_wmb() barrier()
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, value) WRITE_ONCE(*(p), value)
#define smp_store_mb(var, value) WRITE_ONCE(var, value)
#define data_race(expression) (expression)
#define cpu_relax() barrier()

/* Errors that user space never sees. */
#define ERESTARTSYS 512
#define ENOIOCTLCMD 515
#define EPROBE_DEFER 517
#define ENOTSUPP 524
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

/* ---- <linux/err.h> ---- */

#define MAX_ERRNO 4095
#define IS_ERR_VALUE(x) unlikely((unsigned long)(void *)(x) >= (unsigned long)-MAX_ERRNO)

static inline void *__must_check ERR_PTR(long error)
{
	return (void *)error;
}

static inline long __must_check PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool __must_check IS_ERR(const void *ptr)
{
	return IS_ERR_VALUE((unsigned long)ptr);
}

static inline bool __must_check IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR(ptr);
}

static inline void *__must_check ERR_CAST(const void *ptr)
{
	return (void *)(unsigned long)ptr;
}

static inline int __must_check PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? (int)PTR_ERR(ptr) : 0;
}

/* ---- <linux/container_of.h> ---- */

#define typeof_member(type, member) __typeof__(((type *)0)->member)
#define offsetofend(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))
#ifndef typeof
#define typeof __typeof__
#endif

#define MS_LINUX_CONTAINER_OF(ptr, type, member, p) \
	({ \
		const __typeof__(((type *)0)->member) *p = (ptr); \
		(type *)((char *)(unsigned long)p - offsetof(type, member)); \
	})
#define container_of_const(ptr, type, member) container_of(ptr, type, member)
#define container_of(ptr, type, member) \
	MS_LINUX_CONTAINER_OF(ptr, type, member, MS_LINUX_UNIQUE(ms_member))

/* ---- <linux/kconfig.h>: an option counts when it is defined as 1 ---- */

#define MS_KCONFIG_1 0,
#define MS_KCONFIG_SECOND(ignored, value, ...) value
#define MS_KCONFIG_TEST(zero_if_set) MS_KCONFIG_SECOND(zero_if_set 1, 0)
#define MS_KCONFIG_VALUE(value) MS_KCONFIG_TEST(MS_KCONFIG_##value)
#define MS_KCONFIG(option) MS_KCONFIG_VALUE(option)
#define IS_ENABLED(option) MS_KCONFIG(option)
#define IS_BUILTIN(option) MS_KCONFIG(option)
#define IS_REACHABLE(option) MS_KCONFIG(option)

/*
 * What kernels for arm64 and x86 are built with, as far as it decides what of a driver is compiled:
 * the options of the mapping core. Others are the driver's, to be given with -D. Which of the two
 * architectures a driver is compiled for does not show: it runs on machines of both.
 */
#define CONFIG_MMU 1
#define CONFIG_64BIT 1
#define CONFIG_HAVE_IOREMAP_PROT 1
#define CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE 1
#define CONFIG_TRANSPARENT_HUGEPAGE 1
#define CONFIG_ARCH_HAS_PTE_SPECIAL 1
#define CONFIG_MMU_NOTIFIER 1
#define CONFIG_HAS_IOMEM 1
#define CONFIG_HAS_DMA 1
#define CONFIG_PCI 1
#define CONFIG_SYSFS 1
#define CONFIG_PRINTK 1
#define CONFIG_ARCH_HAS_PTE_DEVMAP 1
#define CONFIG_ZONE_DEVICE 1
#define CONFIG_PHYS_ADDR_T_64BIT 1

#ifdef MS_LINUX_VERSION_CODE
#if MS_LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP 1
#define CONFIG_ARCH_SUPPORTS_PMD_PFNMAP 1
#define CONFIG_ARCH_SUPPORTS_PUD_PFNMAP 1
#endif
#else
#define CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP 1
#define CONFIG_ARCH_SUPPORTS_PMD_PFNMAP 1
#define CONFIG_ARCH_SUPPORTS_PUD_PFNMAP 1
#endif

#endif
