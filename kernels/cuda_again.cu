/* cuda_again.cu - stages that come again. Once the same ones were asked for a few times they are
 * recorded as a graph, and from then on started all at once: a step of a few rows is a hundred
 * kernels of two microseconds each, and starting them one by one takes longer. Memory that was
 * taken or given back ends it, for the graph names addresses. */
#include "kernels/cuda.h"

#include <cstdlib>

enum { WAIT_FOR = 3 }; /* calls: what is recorded has to come again often */

struct CudaAgain {
    void *key;
    size_t bytes;
    int64_t era;           /* of memory, when it came last */
    int came;              /* so many times */
    bool never;            /* a recording failed */
    cudaGraphExec_t graph; /* NULL: not yet recorded */
};

static void forget(CudaAgain *a)
{
    if (a->graph)
        cudaGraphExecDestroy(a->graph);
    a->graph = NULL;
    a->came = 0;
}

void cuda_again_free(CudaAgain *a)
{
    if (!a)
        return;
    forget(a);
    free(a->key);
    free(a);
}

/* Counts the call; false: there is no memory to remember it. */
static bool recall_key(Cuda *c, const void *key, size_t bytes)
{
    CudaAgain *a = c->again;
    if (!a)
        a = c->again = (CudaAgain *)calloc(1, sizeof *a);
    if (!a)
        return false;
    bool same = a->key && a->bytes == bytes && memcmp(a->key, key, bytes) == 0;
    if (!same || a->era != cuda_era(c))
        forget(a);
    if (!same) {
        free(a->key);
        a->key = malloc(bytes);
        a->bytes = bytes;
        if (!a->key)
            return false;
        memcpy(a->key, key, bytes);
    }
    a->era = cuda_era(c);
    a->came++;
    return true;
}

/* What fn asks for is not done but kept, if all went well. */
static void record(Cuda *c, void (*fn)(void *ctx), void *ctx)
{
    CudaAgain *a = c->again;
    cudaGraph_t graph = NULL;
    if (cudaStreamBeginCapture(c->stream, cudaStreamCaptureModeRelaxed) == cudaSuccess) {
        fn(ctx);
        if (cudaStreamEndCapture(c->stream, &graph) == cudaSuccess && graph && cuda_fine(c) &&
            a->era == cuda_era(c) &&
            cudaGraphInstantiateWithFlags(&a->graph, graph, 0) != cudaSuccess)
            a->graph = NULL;
    }
    if (graph)
        cudaGraphDestroy(graph);
    a->never = !a->graph && a->era == cuda_era(c);
    cudaGetLastError(); /* it goes on without */
}

void cuda_again(Device *d, const void *key, size_t bytes, void (*fn)(void *ctx), void *ctx)
{
    Cuda *c = cuda_of(d);
    bool known = cuda_fine(c) && recall_key(c, key, bytes);
    CudaAgain *a = c->again;
    if (known && !a->graph && !a->never && a->came >= WAIT_FOR)
        record(c, fn, ctx);
    if (known && a->graph)
        cuda_check(c, cudaGraphLaunch(a->graph, c->stream), "graph");
    else
        fn(ctx);
}
