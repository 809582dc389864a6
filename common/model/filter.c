#include "model/filter.h"

Device *filter_device(const Common *c, Err *e)
{
    char why[512];
    Device *d = device_open(c->device, c->threads, why, sizeof why);
    if (!d)
        err_set(e, "%s", why);
    return d;
}
