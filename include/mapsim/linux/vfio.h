/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/vfio.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model vfio from a driver below it; ms_vfio_open() is vfio-pci (<linux/vfio.h>)"
