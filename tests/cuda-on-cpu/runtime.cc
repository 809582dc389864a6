/* runtime.cc - the CUDA runtime's functions that we use. A stream is a list of what is to be
 * done; it is done when somebody waits for it: for the stream, for an event recorded behind it,
 * or by freeing memory. Until what is waited for is done, other streams run too, as far as the
 * events that they wait for allow and chance will have it: what is not ordered by an event comes
 * in any order. One device, one thread of the host at a time. */
#include "inside.h"

#include <cstdio>
#include <cstdlib>
#include <deque>

typedef struct Task {
    std::function<void()> run;
    CUstream_st *behind; /* comes when so many tasks of this stream are done; or NULL */
    uint64_t at;
} Task;

/* What was asked for while a stream recorded it, in order. */
struct CUgraph_st {
    std::deque<std::function<void()>> tasks;
};
struct CUgraphExec_st {
    CUgraph_st graph;
};
struct CUstream_st {
    std::deque<Task> todo;
    uint64_t asked, done;
    CUgraph_st *records; /* NULL: it does not */
};
struct CUevent_st {
    CUstream_st *stream;
    uint64_t at; /* so many must be done */
};

static cudaError_t last;
static size_t shared_allowed = 48 << 10;
static CUstream_st *streams[4];

static cudaError_t result(cudaError_t e)
{
    if (e != cudaSuccess)
        last = e;
    return e;
}

static bool may_run(const CUstream_st *s)
{
    if (!s || s->todo.empty())
        return false;
    const Task &t = s->todo.front();
    return !t.behind || t.behind->done >= t.at;
}

static void run_next(CUstream_st *s)
{
    Task next = std::move(s->todo.front());
    s->todo.pop_front();
    next.run();
    s->done++;
}

/* The stream that is wanted, or whom it waits for; others by chance. */
static CUstream_st *choose(CUstream_st *s, bool others)
{
    CUstream_st *other = streams[chance(sizeof streams / sizeof *streams)];
    if (others && may_run(other))
        return other;
    while (!may_run(s))
        s = s->todo.front().behind;
    return s;
}

static void work(CUstream_st *s, uint64_t until)
{
    bool others = chance(2);
    while (s->done < until)
        run_next(choose(s, others));
}

static cudaError_t enqueue(CUstream_st *s, std::function<void()> what, CUstream_st *behind = NULL,
                           uint64_t at = 0)
{
    if (!s)
        standin_fault("the default stream is not to be used");
    if (s->records && behind)
        standin_fault("a stream that records waits for another");
    if (s->records) {
        s->records->tasks.push_back(std::move(what));
        return cudaSuccess;
    }
    s->todo.push_back({std::move(what), behind, at});
    s->asked++;
    return cudaSuccess;
}

cudaError_t standin_enqueue(cudaStream_t s, std::function<void()> what)
{
    return enqueue(s, std::move(what));
}

static void work_all(void)
{
    for (CUstream_st *s : streams)
        if (s)
            work(s, s->asked);
}

/* ---- launches ---- */

static bool fits(dim3 g, dim3 b, size_t shared_bytes)
{
    return g.x >= 1 && g.x <= 0x7fffffff && g.y >= 1 && g.y <= 65535 && g.z >= 1 && g.z <= 65535 &&
           b.x >= 1 && b.y >= 1 && b.z >= 1 && b.z <= 64 &&
           (uint64_t)b.x * b.y * b.z <= MOST_THREADS && shared_bytes <= shared_allowed;
}

cudaError_t standin_launch(const char *kernel, dim3 grid, dim3 block, size_t shared_bytes,
                           cudaStream_t stream, std::function<void()> body)
{
    if (!fits(grid, block, shared_bytes))
        return cudaErrorInvalidConfiguration;
    return enqueue(stream, [=] { grid_run(kernel, grid, block, shared_bytes, body); });
}

cudaError_t cudaFuncSetAttribute(const void *, cudaFuncAttribute what, int value)
{
    if (what != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 || value > 227 << 10)
        return result(cudaErrorInvalidValue);
    if ((size_t)value > shared_allowed)
        shared_allowed = (size_t)value;
    return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *a, const void *)
{
    memset(a, 0, sizeof *a);
    a->maxThreadsPerBlock = MOST_THREADS;
    a->ptxVersion = a->binaryVersion = 80;
    return cudaSuccess;
}

cudaError_t cudaGetLastError(void)
{
    cudaError_t e = last;
    last = cudaSuccess;
    return e;
}

static const struct {
    cudaError_t error;
    const char *name, *text;
} errors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration",
     "invalid configuration argument"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
};

const char *cudaGetErrorName(cudaError_t e)
{
    for (const auto &known : errors)
        if (known.error == e)
            return known.name;
    return "cudaErrorUnknown";
}

const char *cudaGetErrorString(cudaError_t e)
{
    for (const auto &known : errors)
        if (known.error == e)
            return known.text;
    return "unknown error";
}

/* ---- the device ---- */

cudaError_t cudaGetDeviceCount(int *n)
{
    *n = 1;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int i)
{
    return i == 0 ? cudaSuccess : result(cudaErrorInvalidDevice);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int i)
{
    if (i != 0)
        return result(cudaErrorInvalidDevice);
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "CPU in a GPU's stead");
    p->major = 8;
    p->multiProcessorCount = 1;
    p->totalGlobalMem = (size_t)DEVICE_MEMORY_MB << 20;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *v)
{
    *v = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *spare, size_t *all)
{
    *spare = memory_left();
    *all = (size_t)DEVICE_MEMORY_MB << 20;
    return cudaSuccess;
}

/* ---- streams and events ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned)
{
    for (CUstream_st *&slot : streams)
        if (!slot) {
            *s = slot = new CUstream_st{};
            return cudaSuccess;
        }
    return result(cudaErrorMemoryAllocation);
}

cudaError_t cudaStreamSynchronize(cudaStream_t s)
{
    if (s && s->records)
        standin_fault("a stream that records is waited for");
    if (s)
        work(s, s->asked);
    return s ? cudaSuccess : result(cudaErrorInvalidValue);
}

cudaError_t cudaStreamDestroy(cudaStream_t s)
{
    for (CUstream_st *&slot : streams)
        if (s && slot == s) {
            work_all(); /* nobody waits for it any more */
            slot = NULL;
            delete s;
        }
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned)
{
    *e = new CUevent_st{};
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t e)
{
    delete e;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s)
{
    *e = {s, s->asked};
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned)
{
    return enqueue(
        s, [] {}, e->stream, e->at);
}

cudaError_t cudaEventSynchronize(cudaEvent_t e)
{
    if (e->stream)
        work(e->stream, e->at);
    return cudaSuccess;
}

/* ---- graphs ---- */

cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode)
{
    if (s->records)
        return result(cudaErrorInvalidValue);
    s->records = new CUgraph_st{};
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *graph)
{
    *graph = s->records;
    s->records = NULL;
    return *graph ? cudaSuccess : result(cudaErrorInvalidValue);
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *exec, cudaGraph_t graph,
                                          unsigned long long)
{
    *exec = new CUgraphExec_st{*graph};
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t s)
{
    for (const auto &task : exec->graph.tasks)
        enqueue(s, task);
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    delete exec;
    return cudaSuccess;
}

/* ---- memory ---- */

cudaError_t cudaMalloc(void **p, size_t bytes)
{
    *p = memory_new(bytes);
    return *p || bytes == 0 ? cudaSuccess : result(cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void *p)
{
    work_all(); /* as the runtime does */
    return !p || memory_drop(p) ? cudaSuccess : result(cudaErrorInvalidValue);
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
    if (posix_memalign(p, 4096, bytes ? bytes : 1) != 0)
        return result(cudaErrorMemoryAllocation);
    memset(*p, 0xff, bytes);
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *p)
{
    work_all();
    free(p);
    return cudaSuccess;
}

static bool on_device(const void *p, size_t bytes)
{
    return memory_from(p) >= bytes;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t n, cudaMemcpyKind kind,
                            cudaStream_t s)
{
    bool into = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool out = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    if (n > 0 && (into != (memory_from(to) > 0) || out != (memory_from(from) > 0) ||
                  (into && !on_device(to, n)) || (out && !on_device(from, n))))
        return result(cudaErrorInvalidValue);
    return enqueue(s, [=] {
        memory_open("cudaMemcpyAsync");
        memmove(to, from, n);
        memory_close();
    });
}

cudaError_t cudaMemsetAsync(void *p, int byte, size_t n, cudaStream_t s)
{
    if (n > 0 && !on_device(p, n))
        return result(cudaErrorInvalidValue);
    return enqueue(s, [=] {
        memory_open("cudaMemsetAsync");
        memset(p, byte, n);
        memory_close();
    });
}
