/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages and complaints: <linux/printk.h>, <linux/bug.h>, <linux/dev_printk.h>. A message is an
 * MS_EV_LOG event, without its level and its newline; a complaint is an MS_EV_VIOLATION. An address
 * (%p, %px, %pK, %pS and its kin) reads "(ptr)", so that runs can be compared; %pV, %pe, %pa, %ph
 * and %pb print what they print in the kernel. A line is cut off behind 1023 bytes. A conversion
 * that the kernel does not have (%f, %n), or that is not modelled (%pI4, %pOF), ends it and is a
 * violation that names it.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_PRINTK_H)
#define MAPSIM_LINUX_PRINTK_H

#define KERN_SOH "\001"
#define KERN_EMERG KERN_SOH "0"
#define KERN_ALERT KERN_SOH "1"
#define KERN_CRIT KERN_SOH "2"
#define KERN_ERR KERN_SOH "3"
#define KERN_WARNING KERN_SOH "4"
#define KERN_NOTICE KERN_SOH "5"
#define KERN_INFO KERN_SOH "6"
#define KERN_DEBUG KERN_SOH "7"
#define KERN_CONT KERN_SOH "c"

#ifndef pr_fmt
#define pr_fmt(format) format
#endif

#define printk(...) ms_linux_printk(__VA_ARGS__)
#define pr_emerg(format, ...) ms_linux_printk(KERN_EMERG pr_fmt(format), ##__VA_ARGS__)
#define pr_alert(format, ...) ms_linux_printk(KERN_ALERT pr_fmt(format), ##__VA_ARGS__)
#define pr_crit(format, ...) ms_linux_printk(KERN_CRIT pr_fmt(format), ##__VA_ARGS__)
#define pr_err(format, ...) ms_linux_printk(KERN_ERR pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...) ms_linux_printk(KERN_WARNING pr_fmt(format), ##__VA_ARGS__)
#define pr_notice(format, ...) ms_linux_printk(KERN_NOTICE pr_fmt(format), ##__VA_ARGS__)
#define pr_info(format, ...) ms_linux_printk(KERN_INFO pr_fmt(format), ##__VA_ARGS__)

/* Compiled and checked, printed only with DEBUG, as in a kernel without dynamic debug. */
#ifdef DEBUG
#define MS_LINUX_DEBUG 1
#else
#define MS_LINUX_DEBUG 0
#endif
#define pr_debug(format, ...) \
	do { \
		if (MS_LINUX_DEBUG) \
			ms_linux_printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__); \
	} while (0)

#define pr_devel(format, ...) pr_debug(format, ##__VA_ARGS__)
#define pr_cont(format, ...) ms_linux_printk(KERN_CONT format, ##__VA_ARGS__)
#define pr_warning(format, ...) pr_warn(format, ##__VA_ARGS__)
#define pr_debug_ratelimited(format, ...) pr_debug(format, ##__VA_ARGS__)
#define pr_notice_ratelimited(format, ...) pr_notice(format, ##__VA_ARGS__)
#define printk_ratelimited(...) printk(__VA_ARGS__)
#define printk_once(...) MS_LINUX_ONCE(printk(__VA_ARGS__))
#define printk_ratelimit() true
#define pr_notice_once(format, ...) MS_LINUX_ONCE(pr_notice(format, ##__VA_ARGS__))
#define no_printk(format, ...) \
	do { \
		if (0) \
			ms_linux_printk(format, ##__VA_ARGS__); \
	} while (0)

/* Once on each machine. */
#define MS_LINUX_ONCE(call) \
	do { \
		static const char ms_place = 0; \
		if (ms_linux_first_time(&ms_place)) \
			call; \
	} while (0)
#define pr_err_once(format, ...) MS_LINUX_ONCE(pr_err(format, ##__VA_ARGS__))
#define pr_warn_once(format, ...) MS_LINUX_ONCE(pr_warn(format, ##__VA_ARGS__))
#define pr_info_once(format, ...) MS_LINUX_ONCE(pr_info(format, ##__VA_ARGS__))
/* Time does not pass: nothing is held back. */
#define pr_err_ratelimited(format, ...) pr_err(format, ##__VA_ARGS__)
#define pr_warn_ratelimited(format, ...) pr_warn(format, ##__VA_ARGS__)
#define pr_info_ratelimited(format, ...) pr_info(format, ##__VA_ARGS__)

/* ---- <linux/device.h>, as far as messages and drvdata need it ---- */

struct kobject {
	const char *name;
	struct kobject *parent;
};

struct device_driver;
struct class;
struct attribute_group;
struct ms_devres;

struct device {
	struct kobject kobj;
	struct device *parent;
	const char *init_name;
	void *driver_data;
	/* The device sees what is in the CPU's caches. Without it, as in a struct device that is
	 * zeroed, coherent DMA memory is uncached on arm64. On x86 every device is coherent. */
	bool dma_coherent;
	bool dma_iommu; // its addresses are those of an IOMMU
	void *platform_data;
	struct device_driver *driver;
	const struct class *class;
	void *of_node;
	dev_t devt;
	u64 *dma_mask, coherent_dma_mask;
	const struct attribute_group **groups;
	void (*release)(struct device *dev);
	char ms_name[32];
	struct ms_devres *ms_devres; // what goes with the driver, the last first
	unsigned int ms_users, ms_awake;
};

static inline const char *dev_name(const struct device *dev)
{
	if (!dev)
		return "(NULL device *)";
	return dev->ms_name[0] ? dev->ms_name : dev->init_name ? dev->init_name : "";
}

static inline void *dev_get_drvdata(const struct device *dev)
{
	return dev ? dev->driver_data : NULL;
}

static inline void dev_set_drvdata(struct device *dev, void *data)
{
	if (dev)
		dev->driver_data = data;
}

#define dev_printk(level, dev, format, ...) \
	ms_linux_printk(level "%s: " format, dev_name(dev), ##__VA_ARGS__)
#define dev_emerg(dev, format, ...) dev_printk(KERN_EMERG, dev, format, ##__VA_ARGS__)
#define dev_alert(dev, format, ...) dev_printk(KERN_ALERT, dev, format, ##__VA_ARGS__)
#define dev_crit(dev, format, ...) dev_printk(KERN_CRIT, dev, format, ##__VA_ARGS__)
#define dev_err(dev, format, ...) dev_printk(KERN_ERR, dev, format, ##__VA_ARGS__)
#define dev_warn(dev, format, ...) dev_printk(KERN_WARNING, dev, format, ##__VA_ARGS__)
#define dev_notice(dev, format, ...) dev_printk(KERN_NOTICE, dev, format, ##__VA_ARGS__)
#define dev_info(dev, format, ...) dev_printk(KERN_INFO, dev, format, ##__VA_ARGS__)
#define dev_dbg(dev, format, ...) \
	do { \
		if (MS_LINUX_DEBUG) \
			dev_printk(KERN_DEBUG, dev, format, ##__VA_ARGS__); \
	} while (0)
#define dev_err_once(dev, format, ...) MS_LINUX_ONCE(dev_err(dev, format, ##__VA_ARGS__))
#define dev_warn_once(dev, format, ...) MS_LINUX_ONCE(dev_warn(dev, format, ##__VA_ARGS__))
#define dev_info_once(dev, format, ...) MS_LINUX_ONCE(dev_info(dev, format, ##__VA_ARGS__))
#define dev_err_ratelimited(dev, format, ...) dev_err(dev, format, ##__VA_ARGS__)
#define dev_warn_ratelimited(dev, format, ...) dev_warn(dev, format, ##__VA_ARGS__)
#define dev_notice_ratelimited(dev, format, ...) dev_notice(dev, format, ##__VA_ARGS__)
#define dev_info_ratelimited(dev, format, ...) dev_info(dev, format, ##__VA_ARGS__)
#define dev_dbg_ratelimited(dev, format, ...) dev_dbg(dev, format, ##__VA_ARGS__)
#define dev_notice_once(dev, format, ...) MS_LINUX_ONCE(dev_notice(dev, format, ##__VA_ARGS__))
#define dev_vdbg(dev, format, ...) dev_dbg(dev, format, ##__VA_ARGS__)
/* Says it, and is the error. */
#define dev_err_probe(dev, err, format, ...) \
	({ \
		int ms_err = (int)(err); \
		if (ms_err != -EPROBE_DEFER) \
			dev_err(dev, "error %d: " format, ms_err, ##__VA_ARGS__); \
		ms_err; \
	})

/* ---- <linux/bug.h> ---- */

#define BUG() ms_linux_violation("BUG()")
#define BUG_ON(condition) \
	do { \
		if (unlikely(condition)) \
			ms_linux_violation("BUG_ON(" #condition ")"); \
	} while (0)

#define WARN_ON(condition) \
	({ \
		bool ms_warn = !!(condition); \
		if (unlikely(ms_warn)) \
			ms_linux_violation("WARN_ON(" #condition ")"); \
		unlikely(ms_warn); \
	})
#define WARN_ON_ONCE(condition) \
	({ \
		static const char ms_place = 0; \
		bool ms_warn = !!(condition); \
		if (unlikely(ms_warn)) \
			ms_linux_violation_once("WARN_ON_ONCE(" #condition ")", &ms_place); \
		unlikely(ms_warn); \
	})
#define WARN(condition, ...) \
	({ \
		bool ms_warn = !!(condition); \
		if (unlikely(ms_warn)) \
			ms_linux_violation_printf(__VA_ARGS__); \
		unlikely(ms_warn); \
	})
#define WARN_ONCE(condition, ...) \
	({ \
		static const char ms_place = 0; \
		bool ms_warn = !!(condition); \
		if (unlikely(ms_warn) && ms_linux_first_time(&ms_place)) \
			ms_linux_violation_printf(__VA_ARGS__); \
		unlikely(ms_warn); \
	})
#define dev_WARN(dev, format, ...) WARN(1, "%s: " format, dev_name(dev), ##__VA_ARGS__)

#define WARN_RATELIMIT(condition, ...) WARN(condition, __VA_ARGS__)
#define trace_printk(...) printk(__VA_ARGS__)

#define WARN_TAINT(condition, taint, ...) WARN(condition, __VA_ARGS__)
#define WARN_TAINT_ONCE(condition, taint, ...) WARN_ONCE(condition, __VA_ARGS__)
#define WARN_ON_SMP(condition) WARN_ON(condition)
#define dev_WARN_ONCE(dev, condition, format, ...) \
	WARN_ONCE(condition, "%s: " format, dev_name(dev), ##__VA_ARGS__)

/* Debug kernels only, and here. */
#define VM_BUG_ON_PAGE(condition, page) VM_BUG_ON(condition)
#define VM_BUG_ON_VMA(condition, vma) VM_BUG_ON(condition)
#define VM_BUG_ON_MM(condition, mm) VM_BUG_ON(condition)
#define VM_WARN_ONCE(condition, ...) WARN_ONCE(condition, __VA_ARGS__)
#define VM_BUG_ON(condition) BUG_ON(condition)
#define VM_WARN_ON(condition) ((void)WARN_ON(condition))
#define VM_WARN_ON_ONCE(condition) WARN_ON_ONCE(condition)

static inline void dump_stack(void)
{
}

#endif
