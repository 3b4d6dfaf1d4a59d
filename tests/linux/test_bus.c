/* SPDX-License-Identifier: GPL-2.0-only */
/* Drivers whose devices a test makes: PCI and platform devices, probed and removed. */
#include "world.h"

#include <linux/cdev.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include <mapsim/state.h>

struct lab {
	struct pci_dev *pdev;
	void __iomem *regs;
};

static int lab_fails;

static int lab_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct lab *lab = devm_kzalloc(&pdev->dev, sizeof(*lab), GFP_KERNEL);
	int err;

	if (!lab)
		return -ENOMEM;
	if (id->driver_data != 77)
		return -ENODEV;
	err = pcim_enable_device(pdev);
	if (err)
		return err;
	err = pcim_request_region(pdev, 0, "lab");
	if (err)
		return err;
	lab->regs = pcim_iomap(pdev, 0, 0);
	if (!lab->regs)
		return -ENOMEM;
	if (lab_fails)
		return -EIO;
	lab->pdev = pdev;
	pci_set_drvdata(pdev, lab);
	pci_info(pdev, "%llu bytes", (unsigned long long)pci_resource_len(pdev, 0));
	return 0;
}

static int removed;

static void lab_remove(struct pci_dev *pdev)
{
	const struct lab *lab = pci_get_drvdata(pdev);

	assert_ptr_equal(lab->pdev, pdev);
	removed++;
}

static const struct pci_device_id lab_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8), .driver_data = 77 },
	{ 0 },
};

static struct pci_driver lab_driver = {
	.name = "lab", .id_table = lab_ids, .probe = lab_probe, .remove = lab_remove
};

static struct pci_dev *lab_device(struct world *w, unsigned int device)
{
	struct pci_dev *pdev = ms_linux_pci_device(w->m, 0x1234, device);

	assert_non_null(pdev);
	assert_int_equal(
		ms_linux_pci_bar(pdev, 0, BAR, BAR_PAGES * PAGE_SIZE, IORESOURCE_MEM), 0);
	return pdev;
}

static void a_driver_is_probed_for_its_device(void **state)
{
	static const char *const release[] = { "5.10.223", "6.12.117", "7.3.4" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct world w = world(release[i]);
		struct pci_dev *other = lab_device(&w, 1), *pdev = lab_device(&w, 0x11e8);

		removed = lab_fails = 0;
		assert_int_equal(ms_linux_pci_found(other), 0);
		assert_int_equal(pci_register_driver(&lab_driver), 0);
		assert_null(other->driver);
		assert_int_equal(ms_linux_pci_found(pdev), 0);
		assert_string_equal(last_log(&w), "0000:00:01.0: 65536 bytes");
		assert_true(pci_is_enabled(pdev));
		assert_null(request_mem_region(BAR, PAGE_SIZE, "somebody else"));
		assert_int_equal(pci_request_region(pdev, 0, "again"), -EBUSY);
		pci_unregister_driver(&lab_driver);
		assert_int_equal(removed, 1);
		assert_false(pci_is_enabled(pdev));
		ms_linux_pci_free(pdev);
		ms_linux_pci_free(other);
		assert_int_equal(ms_linux_leaks(w.m), 0);
		world_end(&w);
	}
}

static void a_probe_that_fails_leaves_nothing(void **state)
{
	struct world w = world("6.12.117");
	struct pci_dev *pdev = lab_device(&w, 0x11e8);

	(void)state;
	removed = 0;
	lab_fails = 1;
	assert_int_equal(pci_register_driver(&lab_driver), 0);
	assert_int_equal(pci_register_driver(&lab_driver), -EBUSY);
	assert_int_equal(ms_linux_pci_found(pdev), -EIO);
	assert_null(pdev->driver);
	assert_false(pci_is_enabled(pdev));
	assert_int_equal(ms_linux_allocated(w.m), 0);
	assert_int_equal(ms_linux_leaks(w.m), 1);
	assert_string_equal(violation(&w, 0), "PCI driver lab is never unregistered");
	pci_unregister_driver(&lab_driver);
	assert_int_equal(removed, 0);
	pci_unregister_driver(&lab_driver);
	assert_string_equal(violation(&w, 1), "pci_unregister_driver of what is not registered");
	world_end(&w);
}

/* What is registered, and what the bus knows of its devices, is of the machine's state. */
static void the_bus_is_of_the_state(void **state)
{
	struct world w = world("6.12.117");
	struct pci_dev *pdev = lab_device(&w, 0x11e8);
	uint64_t before, probed;

	(void)state;
	removed = lab_fails = 0;
	before = ms_machine_hash(w.m);
	assert_int_equal(ms_linux_pci_found(pdev), 0);
	assert_int_not_equal(ms_machine_hash(w.m), before);
	before = ms_machine_hash(w.m);
	assert_int_equal(pci_register_driver(&lab_driver), 0);
	probed = ms_machine_hash(w.m);
	assert_int_not_equal(probed, before);
	pci_set_master(pdev);
	assert_int_not_equal(ms_machine_hash(w.m), probed);
	pci_clear_master(pdev);
	assert_int_equal(ms_machine_hash(w.m), probed);
	pci_release_region(pdev, 0);
	assert_int_not_equal(ms_machine_hash(w.m), probed);
	assert_int_equal(pci_request_region(pdev, 0, "lab"), 0);
	assert_int_equal(ms_machine_hash(w.m), probed);
	pci_unregister_driver(&lab_driver);
	assert_int_equal(ms_machine_hash(w.m), before);
	ms_linux_pci_bar(pdev, 0, BAR, PAGE_SIZE, IORESOURCE_MEM);
	assert_int_not_equal(ms_machine_hash(w.m), before);
	ms_linux_pci_free(pdev);
	world_end(&w);
}

static void character_devices_are_of_the_state(void **state)
{
	static const struct file_operations fops = { .owner = THIS_MODULE };
	struct world w = world("6.12.117");
	const uint64_t nothing = ms_machine_hash(w.m);
	struct cdev one, two;
	struct device named = { .devt = MKDEV(300, 1), .init_name = "lab1" };
	uint64_t hash[3];

	(void)state;
	assert_int_equal(register_chrdev_region(MKDEV(300, 0), 2, "lab"), 0);
	hash[0] = ms_machine_hash(w.m);
	assert_int_not_equal(hash[0], nothing);
	cdev_init(&one, &fops);
	cdev_init(&two, &fops);
	assert_int_equal(cdev_add(&one, MKDEV(300, 0), 1), 0);
	hash[1] = ms_machine_hash(w.m);
	assert_int_not_equal(hash[1], hash[0]);
	assert_int_equal(cdev_add(&two, MKDEV(300, 1), 1), 0);
	hash[2] = ms_machine_hash(w.m);
	assert_int_not_equal(hash[2], hash[1]);
	// who came first decides nothing
	cdev_del(&one);
	assert_int_equal(cdev_add(&one, MKDEV(300, 0), 1), 0);
	assert_int_equal(ms_machine_hash(w.m), hash[2]);
	assert_int_equal(device_register(&named), 0);
	assert_int_not_equal(ms_machine_hash(w.m), hash[2]);
	device_del(&named);
	cdev_del(&two);
	assert_int_equal(ms_machine_hash(w.m), hash[1]);
	cdev_del(&one);
	assert_int_equal(ms_machine_hash(w.m), hash[0]);
	unregister_chrdev_region(MKDEV(300, 0), 2);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

static int uart_probe(struct platform_device *pdev)
{
	void __iomem *regs = devm_platform_ioremap_resource(pdev, 1);

	return IS_ERR(regs) ? (int)PTR_ERR(regs) : 0;
}

static void a_platform_driver_maps_its_registers(void **state)
{
	struct resource res[] = {
		{ .start = BAR, .end = BAR + 0xfff, .flags = IORESOURCE_MEM },
		{ .start = 5, .end = 5, .flags = IORESOURCE_IRQ },
		{ .start = BAR + 0x1000, .end = BAR + 0x1fff, .flags = IORESOURCE_MEM, .name = "regs" },
	};
	struct platform_device pdev = { .name = "uart", .num_resources = 3, .resource = res };
	struct platform_driver driver = { .probe = uart_probe };
	struct world w = world("6.12.117");

	(void)state;
	assert_ptr_equal(platform_get_resource(&pdev, IORESOURCE_IRQ, 0), &res[1]);
	assert_ptr_equal(platform_get_resource_byname(&pdev, IORESOURCE_MEM, "regs"), &res[2]);
	assert_int_equal(ms_linux_platform_probe(&pdev, &driver), 0);
	assert_null(request_mem_region(BAR + 0x1000, 0x1000, "x"));
	assert_non_null(request_mem_region(BAR, 0x1000, "x"));
	release_mem_region(BAR, 0x1000);
	ms_linux_platform_remove(&pdev, &driver);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	pdev.num_resources = 1;
	assert_int_equal(ms_linux_platform_probe(&pdev, &driver), -EINVAL);
	world_end(&w);
}

static int uart_removed;

static int uart_found(struct platform_device *pdev)
{
	if (platform_get_irq(pdev, 1) != -ENXIO || platform_get_irq(pdev, 0) != 5)
		return -EINVAL;
	return uart_probe(pdev);
}

#if MS_LINUX_BEFORE(6, 11)
static int uart_remove(struct platform_device *pdev)
{
	uart_removed++;
	return 0;
}
#else
static void uart_remove(struct platform_device *pdev)
{
	uart_removed++;
}
#endif

static const struct of_device_id uart_of[] = { { .compatible = "acme,uart" }, {} };
static const struct platform_device_id uart_ids[] = { { "uart0", 1 }, { "uart1", 2 }, {} };

static struct platform_driver uart_driver = {
	.probe = uart_found,
	.remove = uart_remove,
	.driver = { .name = "uart", .of_match_table = of_match_ptr(uart_of) },
};

/* By the device tree's word, by the table of names, or by the driver's own name. */
static void a_platform_driver_is_found_by_its_tables(void **state)
{
	struct resource res[] = {
		{ .start = BAR, .end = BAR + 0xfff, .flags = IORESOURCE_MEM },
		{ .start = BAR + 0x1000, .end = BAR + 0x1fff, .flags = IORESOURCE_MEM },
		{ .start = 5, .end = 5, .flags = IORESOURCE_IRQ },
	};
	struct platform_device pdev[4];
	static const struct {
		const char *name, *compatible;
		const struct platform_device_id *ids;
		unsigned long data;
		bool found;
	} cases[] = {
		{ "x", "acme,uart", NULL, 0, true }, { "uart", NULL, NULL, 0, true },
		{ "uart1", NULL, uart_ids, 2, true }, { "uart2", "acme,spi", uart_ids, 0, false },
	};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct world w = world("6.12.117");
		const uint64_t before = ms_machine_hash(w.m);

		uart_removed = 0;
		pdev[i] = (struct platform_device){ .name = cases[i].name, .id = -1,
						    .ms_compatible = cases[i].compatible,
						    .num_resources = 3, .resource = res };
		uart_driver.id_table = cases[i].ids;
		assert_int_equal(platform_driver_register(&uart_driver), 0);
		assert_int_not_equal(ms_machine_hash(w.m), before);
		assert_ptr_equal(ms_linux_platform_driver_at(w.m, 0), &uart_driver.ms_entry);
		assert_null(ms_linux_platform_driver_at(w.m, 1));
		assert_int_equal(platform_driver_register(&uart_driver), -EBUSY);
		assert_int_equal(ms_linux_platform_found(&pdev[i]), 0);
		assert_int_equal(ms_linux_platform_found(&pdev[i]), -EINVAL);
		assert_int_equal(!!pdev[i].ms_entry, cases[i].found);
		assert_string_equal(dev_name(&pdev[i].dev), cases[i].name);
		if (cases[i].data)
			assert_int_equal(pdev[i].id_entry->driver_data, cases[i].data);
		if (i & 1)
			platform_driver_unregister(&uart_driver);
		ms_linux_platform_gone(&pdev[i]);
		assert_int_equal(uart_removed, cases[i].found);
		assert_int_equal(ms_linux_leaks(w.m), !(i & 1));
		if (!(i & 1))
			assert_string_equal(violation(&w, 0), "platform driver uart is never unregistered");
		world_end(&w);
	}
	uart_driver.id_table = NULL;
}

static int uart_open(struct inode *inode, struct file *file)
{
	file->private_data = inode->i_cdev;
	return 0;
}

/* As mknod makes it, where no device has the cdev's number. */
static void a_character_device_without_a_name_is_opened_by_its_number(void **state)
{
	static const struct file_operations fops = { .owner = THIS_MODULE, .open = uart_open };
	struct device named = { .devt = MKDEV(300, 0), .init_name = "lab0" };
	struct world w = world("6.12.117");
	struct cdev cdev[2];
	struct file *file;

	(void)state;
	assert_int_equal(register_chrdev_region(MKDEV(300, 0), 8, "lab"), 0);
	for (int i = 0; i < 2; i++) {
		cdev_init(&cdev[i], &fops);
		assert_int_equal(cdev_add(&cdev[i], MKDEV(300, 4 * i), 4), 0);
	}
	assert_string_equal(ms_linux_device(w.m, 0), "300:0");
	assert_int_equal(device_register(&named), 0);
	assert_string_equal(ms_linux_device(w.m, 0), "lab0");
	assert_string_equal(ms_linux_device(w.m, 1), "300:4");
	assert_null(ms_linux_device(w.m, 2));
	file = ms_linux_open(w.m, "300:5", O_RDWR);
	assert_ptr_equal(file->private_data, &cdev[1]);
	ms_linux_close(file);
	assert_null(ms_linux_open(w.m, "301:0", O_RDWR));
	assert_null(ms_linux_open(w.m, "300:4x", O_RDWR));
	device_del(&named);
	cdev_del(&cdev[0]);
	cdev_del(&cdev[1]);
	unregister_chrdev_region(MKDEV(300, 0), 8);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

static void null_is_harmless_on_a_bus(void **state)
{
	struct world w = world("6.12.117");
	struct pci_dev *pdev = ms_linux_pci_device(w.m, 1, 2);

	(void)state;
	assert_null(ms_linux_pci_device(NULL, 1, 2));
	assert_int_equal(ms_linux_pci_bar(NULL, 0, BAR, 1, IORESOURCE_MEM), -EINVAL);
	assert_int_equal(ms_linux_pci_bar(pdev, 6, BAR, 1, IORESOURCE_MEM), -EINVAL);
	assert_int_equal(ms_linux_pci_found(NULL), -EINVAL);
	ms_linux_pci_free(NULL);
	assert_int_equal(ms_linux_pci_register_driver(NULL), -EINVAL);
	ms_linux_pci_unregister_driver(NULL);
	assert_int_equal(ms_linux_pci_enable(NULL, false), -EINVAL);
	ms_linux_pci_disable(NULL);
	assert_int_equal(ms_linux_pci_claim(NULL, 1, "x", false), -EINVAL);
	ms_linux_pci_unclaim(NULL, 1);
	ms_linux_pci_disable(pdev);
	assert_string_equal(violation(&w, 0), "disabling already-disabled device");
	assert_null(pci_iomap(pdev, 0, 0));
	assert_int_equal(ms_linux_platform_probe(NULL, NULL), -EINVAL);
	ms_linux_platform_remove(NULL, NULL);
	assert_int_equal(PTR_ERR(devm_platform_ioremap_resource(NULL, 0)), -EINVAL);
	assert_int_equal(PTR_ERR(devm_platform_get_and_ioremap_resource(NULL, 0, NULL)), -EINVAL);
	ms_linux_pci_free(pdev);
	assert_null(ms_linux_pci_driver_at(NULL, 0));
	assert_null(ms_linux_platform_driver_at(NULL, 0));
	assert_int_equal(ms_linux_platform_found(NULL), -EINVAL);
	ms_linux_platform_gone(NULL);
	assert_int_equal(ms_linux_platform_register(NULL), -EINVAL);
	ms_linux_platform_unregister(NULL);
	assert_int_equal(platform_driver_register(NULL), -EINVAL);
	platform_driver_unregister(NULL);
	assert_int_equal(platform_get_irq(NULL, 0), -ENXIO);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_driver_is_probed_for_its_device),
		cmocka_unit_test(a_probe_that_fails_leaves_nothing),
		cmocka_unit_test(the_bus_is_of_the_state),
		cmocka_unit_test(character_devices_are_of_the_state),
		cmocka_unit_test(a_platform_driver_maps_its_registers),
		cmocka_unit_test(a_platform_driver_is_found_by_its_tables),
		cmocka_unit_test(a_character_device_without_a_name_is_opened_by_its_number),
		cmocka_unit_test(null_is_harmless_on_a_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
