/* plugin.c - devices by name. CUDA is a plug-in, weft-cuda.so beside the programs (or
 * $WEFT_CUDA_LIB): the same programs run on machines that have none of it. */
#include "kernels/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef Device *OpenFn(int index, int threads, char *why, size_t n);
typedef TableBuild BuildFn(void);

/* 0, or -1 where no path is to be had. */
static int plugin_path(char *path, size_t n)
{
    char self[PATH_MAX];
    const char *given = getenv("WEFT_CUDA_LIB");
    if (given && *given)
        return (size_t)snprintf(path, n, "%s", given) < n ? 0 : -1;
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0)
        return -1;
    self[len] = '\0';
    return (size_t)snprintf(path, n, "%s/weft-cuda.so", dirname(self)) < n ? 0 : -1;
}

static bool of_this_build(void *lib)
{
    BuildFn *build;
    TableBuild ours = table_build();
    *(void **)&build = dlsym(lib, "weft_cuda_build"); /* as POSIX has it */
    TableBuild its = build ? build() : (TableBuild){0};
    return its.version == ours.version && its.hash == ours.hash;
}

/* Loaded once and never let go: the CUDA runtime outlives what uses it. */
static OpenFn *plugin_load(char *why, size_t n)
{
    char path[PATH_MAX];
    if (plugin_path(path, sizeof path) < 0) {
        snprintf(why, n, "the path of weft-cuda.so is too long: set WEFT_CUDA_LIB to it");
        return NULL;
    }
    if (access(path, R_OK) < 0) {
        snprintf(why, n, "%s: %s: build weft where nvcc is, or set WEFT_CUDA_LIB", path,
                 strerror(errno));
        return NULL;
    }
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    OpenFn *open = NULL;
    if (lib)
        *(void **)&open = dlsym(lib, "weft_cuda_open");
    if (!open)
        snprintf(why, n, "%s: is the CUDA toolkit's lib64 in LD_LIBRARY_PATH?", dlerror());
    else if (!of_this_build(lib)) {
        snprintf(why, n, "%s is of another build than this program: `make` builds both", path);
        return NULL;
    }
    return open;
}

static Device *cuda_open(const char *name, int threads, char *why, size_t n)
{
    char *end = (char *)name + 4;
    long index = *end == ':' ? strtol(end + 1, &end, 10) : 0;
    if (*end || index < 0 || index > 1023) {
        snprintf(why, n, "-D %s: no such device: cpu, cuda or cuda:N", name);
        return NULL;
    }
    char reason[PATH_MAX + 128];
    OpenFn *open = plugin_load(reason, sizeof reason);
    Device *d = open ? open((int)index, threads, reason, sizeof reason) : NULL;
    if (!d)
        snprintf(why, n, "-D %s: %s; -D cpu computes without CUDA", name, reason);
    return d;
}

/* Asked before the plug-in is: where there is no GPU nothing is loaded. */
static bool gpu_in_sight(void)
{
    return access("/dev/nvidiactl", F_OK) == 0 || access("/dev/dxg", F_OK) == 0;
}

Device *device_open(const char *name, int threads, char *why, size_t n)
{
    if (name && strcmp(name, "cpu") != 0)
        return cuda_open(name, threads, why, n);
    Device *d = NULL;
    if (!name && gpu_in_sight())
        d = cuda_open("cuda", threads, why, n);
    if (!d && !(d = device_cpu(threads)))
        snprintf(why, n, "out of memory");
    return d;
}
