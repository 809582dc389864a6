#include "base/progress.h"

#include "base/msg.h"

#include <inttypes.h>
#include <stdbool.h>
#include <time.h>

static bool wanted;
static double began, told;
static int64_t rows;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_begin(void)
{
    wanted = true;
    began = told = now();
}

static void tell(double t, void (*say)(const char *fmt, ...))
{
    say("%" PRId64 " rows, %.0f rows/s, %.0f s", rows, (double)rows / (t - began + 1e-9),
        t - began);
    told = t;
}

void progress_rows(int64_t more)
{
    rows += more;
    double t = wanted ? now() : 0;
    if (wanted && t - told >= 1)
        tell(t, msg_progress);
}

void progress_end(void)
{
    if (wanted)
        tell(now(), msg_note);
    wanted = false;
}
