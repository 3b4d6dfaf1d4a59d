// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of a platform device, which is found by the device tree's word. Its registers stay
 * remapped when it goes; FIXED lets the device take them back.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>

struct remap {
	struct miscdevice misc;
	struct resource *res;
	void __iomem *regs;
	int irq;
};

static int platform_remap_open(struct inode *inode, struct file *file)
{
	return 0;
}

static const struct file_operations platform_remap_fops = {
	.owner = THIS_MODULE,
	.open = platform_remap_open,
};

static int platform_remap_probe(struct platform_device *pdev)
{
	struct remap *remap = devm_kzalloc(&pdev->dev, sizeof(*remap), GFP_KERNEL);

	if (!remap)
		return -ENOMEM;
	remap->irq = platform_get_irq(pdev, 0);
	if (remap->irq < 0)
		return remap->irq;
	remap->res = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	if (!remap->res)
		return -ENODEV;
#ifdef FIXED
	remap->regs = devm_ioremap(&pdev->dev, remap->res->start, resource_size(remap->res));
#else
	remap->regs = ioremap(remap->res->start, resource_size(remap->res));
#endif
	if (!remap->regs)
		return -ENOMEM;
	remap->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR, .name = "platform_remap", .fops = &platform_remap_fops
	};
	platform_set_drvdata(pdev, remap);
	return misc_register(&remap->misc);
}

static void platform_remap_remove(struct platform_device *pdev)
{
	struct remap *remap = platform_get_drvdata(pdev);

	misc_deregister(&remap->misc);
}

static const struct of_device_id platform_remap_of[] = {
	{ .compatible = "acme,remap" },
	{},
};
MODULE_DEVICE_TABLE(of, platform_remap_of);

static struct platform_driver platform_remap_driver = {
	.probe = platform_remap_probe,
	.remove = platform_remap_remove,
	.driver = {
		.name = "platform_remap",
		.of_match_table = platform_remap_of,
	},
};
module_platform_driver(platform_remap_driver);

MODULE_LICENSE("GPL");
