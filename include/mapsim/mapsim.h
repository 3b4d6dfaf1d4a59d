/* SPDX-License-Identifier: GPL-2.0-only */
/** mapsim.h - everything. */
#ifndef MAPSIM_MAPSIM_H
#define MAPSIM_MAPSIM_H

#include <mapsim/check.h>
#include <mapsim/drivers.h>
#include <mapsim/explore.h>
#include <mapsim/hazard.h>
#include <mapsim/kvm.h>
#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/pat.h>
#include <mapsim/pfnmap.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>
#include <mapsim/script.h>
#include <mapsim/stage2.h>
#include <mapsim/state.h>
#include <mapsim/tdp.h>
#include <mapsim/trace.h>
#include <mapsim/types.h>

#endif
