/* filter_device.h - which device a filter computes on. */
#ifndef WEFT_FILTER_DEVICE_H
#define WEFT_FILTER_DEVICE_H

#include "base/err.h"
#include "base/opt.h"
#include "kernels/device.h"

/* The device that -D asks for; without it a GPU if one answers and the work is worth waking it
 * (a GPU takes longer to start than a head to run), else the CPU. */
Device *filter_device(const Common *c, bool worth, Err *e);

#endif
