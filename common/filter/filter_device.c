#include "filter/filter_device.h"

Device *filter_device(const Common *c, bool worth, Err *e)
{
    char why[512];
    const char *name = c->device ? c->device : worth ? NULL : "cpu";
    Device *d = device_open(name, c->threads, why, sizeof why);
    if (!d)
        err_set(e, "%s", why);
    return d;
}
