#include "report/machine.h"

#include "kernels/device.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The units that matter to matrix products, as /proc/cpuinfo spells them (x86, then ARM). */
static const char *const units[] = {
    "sse4_1",   "avx",      "avx2",        "fma",         "f16c",        "avx512f",
    "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx_vnni",
    "amx_tile", "amx_bf16", "amx_int8",    "asimd",       "asimdhp",     "bf16",
    "sve",      "sve2",     "i8mm",        NULL};

/* The value of "KEY : VALUE" in a line, or NULL. */
static char *value_of(char *line, const char *key)
{
    size_t n = strlen(key);
    char *colon = strchr(line, ':');
    if (strncmp(line, key, n) != 0 || (line[n] != '\t' && line[n] != ' ' && line[n] != ':') ||
        !colon)
        return NULL;
    colon[strcspn(colon, "\n")] = '\0';
    return colon + 1 + strspn(colon + 1, " ");
}

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; (p = strstr(p, word)); p += n)
        if ((p == words || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

static void put_units(Buf *b, const char *flags)
{
    bool any = false;
    buf_str(b, "vector   ");
    for (int i = 0; units[i]; i++)
        if (has_word(flags, units[i])) {
            buf_fmt(b, "%s%s", any ? " " : "", units[i]);
            any = true;
        }
    buf_str(b, any ? "\n" : "none that is known\n");
}

static void put_cpu(Buf *b)
{
    char *line = NULL, *name = NULL, *flags = NULL, *v;
    size_t room = 0;
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f && getline(&line, &room, f) > 0) {
        if (!name && (v = value_of(line, "model name")))
            name = mem_str(v);
        else if (!flags && ((v = value_of(line, "flags")) || (v = value_of(line, "Features"))))
            flags = mem_str(v);
    }
    if (f)
        fclose(f);
    buf_fmt(b, "cpu      %s\n", name ? name : "unknown");
    put_units(b, flags ? flags : "");
    free(line);
    free(name);
    free(flags);
}

static double gib(int pages)
{
    return (double)sysconf(pages) * (double)sysconf(_SC_PAGESIZE) / (1 << 30);
}

/* A line a GPU, or why there is none. */
static void put_cuda(Buf *b, int threads)
{
    char name[32], why[512];
    for (int i = 0;; i++) {
        snprintf(name, sizeof name, "cuda:%d", i);
        Device *d = device_open(name, threads, why, sizeof why);
        if (!d && i == 0)
            buf_fmt(b, "cuda     none: %s\n", why);
        if (!d)
            return;
        buf_fmt(b, "%-8s %s\n", name, d->about);
        d->close(d);
    }
}

static void put_onednn(Buf *b)
{
    Device *d = mem_got(device_cpu(1), 0);
    buf_fmt(b, "onednn   %s\n", d->about);
    d->close(d);
}

void machine_put(Buf *b, int threads)
{
    put_cpu(b);
    buf_fmt(b, "threads  %d of %ld cores\n", threads, sysconf(_SC_NPROCESSORS_ONLN));
    buf_fmt(b, "memory   %.1f GiB, %.1f GiB free\n", gib(_SC_PHYS_PAGES), gib(_SC_AVPHYS_PAGES));
    put_onednn(b);
    put_cuda(b, threads);
}
