/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/module.h>, <linux/init.h>, <linux/export.h>. module_init(f) makes a function
 * ms_module_init() that calls f, module_exit(f) one ms_module_exit(): what ms_linux_insmod() and
 * ms_linux_rmmod() are given. When several drivers are linked into one program, each is compiled
 * with -DMS_MODNAME=its_name and has ms_module_init_its_name() and ms_module_exit_its_name().
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_MODULE_H)
#define MAPSIM_LINUX_MODULE_H

struct module {
	const char *name;
};

#define THIS_MODULE ((struct module *)0)

#ifdef MS_MODNAME
#define MS_MODULE_FUNCTION(what) MS_LINUX_PASTE(ms_module_##what##_, MS_MODNAME)
#define MS_LINUX_STRING_(text) #text
#define MS_LINUX_STRING(text) MS_LINUX_STRING_(text)
#define MS_LINUX_MODNAME MS_LINUX_STRING(MS_MODNAME)
#else
#define MS_MODULE_FUNCTION(what) ms_module_##what
#define MS_LINUX_MODNAME "module"
#endif
#ifndef KBUILD_MODNAME
#define KBUILD_MODNAME MS_LINUX_MODNAME
#endif

#define module_init(function) \
	int MS_MODULE_FUNCTION(init)(void); \
	int MS_MODULE_FUNCTION(init)(void) \
	{ \
		return function(); \
	} \
	struct ms_module_init_ends_with_a_semicolon

#define module_exit(function) \
	void MS_MODULE_FUNCTION(exit)(void); \
	void MS_MODULE_FUNCTION(exit)(void) \
	{ \
		function(); \
	} \
	struct ms_module_exit_ends_with_a_semicolon

/* A module that does nothing but register what a bus, or the list of misc devices, is given. */
#define module_driver(the_driver, register_it, unregister_it, ...) \
	static int ms_driver_init(void) \
	{ \
		return register_it(&(the_driver), ##__VA_ARGS__); \
	} \
	static void ms_driver_exit(void) \
	{ \
		unregister_it(&(the_driver), ##__VA_ARGS__); \
	} \
	module_init(ms_driver_init); \
	module_exit(ms_driver_exit)
#define module_misc_device(misc) module_driver(misc, misc_register, misc_deregister)

#define MS_LINUX_SAYS_NOTHING struct ms_linux_says_nothing
#define MODULE_LICENSE(text) MS_LINUX_SAYS_NOTHING
#define MODULE_AUTHOR(text) MS_LINUX_SAYS_NOTHING
#define MODULE_DESCRIPTION(text) MS_LINUX_SAYS_NOTHING
#define MODULE_VERSION(text) MS_LINUX_SAYS_NOTHING
#define MODULE_ALIAS(text) MS_LINUX_SAYS_NOTHING
#define MODULE_INFO(tag, text) MS_LINUX_SAYS_NOTHING
#define MODULE_SOFTDEP(text) MS_LINUX_SAYS_NOTHING
#define MODULE_IMPORT_NS(ns) MS_LINUX_SAYS_NOTHING
#define MODULE_FIRMWARE(name) MS_LINUX_SAYS_NOTHING
#define MODULE_DEVICE_TABLE(type, name) MS_LINUX_SAYS_NOTHING
#define MODULE_PARM_DESC(name, text) MS_LINUX_SAYS_NOTHING
/* A parameter is a variable that the test may set; `mapsim driver` finds it by its record. */
#define module_param(name, type, perm) module_param_named(name, name, type, perm)
#define module_param_named(name, variable, type, perm) \
	static const struct ms_module_param ms_module_param_##name \
		__attribute__((used, section("ms_module_params"))) = { #name, #type, &(variable), \
								       sizeof(variable) }
#define EXPORT_SYMBOL(symbol) MS_LINUX_SAYS_NOTHING
#define EXPORT_SYMBOL_GPL(symbol) MS_LINUX_SAYS_NOTHING
#define EXPORT_SYMBOL_NS(symbol, ns) MS_LINUX_SAYS_NOTHING
#define EXPORT_SYMBOL_NS_GPL(symbol, ns) MS_LINUX_SAYS_NOTHING

#endif
