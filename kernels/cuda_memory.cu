/* cuda_memory.cu - device memory and the way to and from it.
 *
 * What is freed is kept for the next who asks for about as much: cudaMalloc waits for the device
 * and is never called where a loop has come to its stride. Everything runs on one stream, so
 * memory that a waiting kernel still reads may be handed on: what its new owner asks for comes
 * later on the same stream.
 *
 * put copies into one half of a pinned buffer, from which the device fetches, while the other
 * half may still be on its way. get asks for a copy into one of a ring of pinned slots; the host
 * has it after `wait`, or earlier when its slot comes round, so the copy from slot to host runs
 * while the device works on what was asked since. */
#include "kernels/cuda.h"

#include <cstdlib>
#include <cstring>

enum { ROUND = 512, SLOTS = 4 };
static const size_t HALF = (size_t)8 << 20, SLOT = (size_t)16 << 20;

typedef struct Block {
    struct Block *next;
    void *p;
    size_t size;
    bool used;
} Block;

typedef struct Loose {
    struct Loose *next;
    void *p;
} Loose;

typedef struct Slot {
    char *p; /* pinned */
    size_t size;
    cudaEvent_t there; /* the copy has arrived */
    void *host;        /* whom it is for; NULL: nobody is waiting */
    size_t bytes;
} Slot;

struct CudaMemory {
    Block *blocks;
    /* Temporary memory of a stage: one block, and loose ones until it has grown to fit. */
    char *arena;
    size_t size, used, wanted;
    Loose *loose;
    /* Staging */
    char *half[2]; /* pinned */
    cudaEvent_t fetched[2];
    size_t half_used;
    int now; /* the half being filled */
    Slot slot[SLOTS];
    int next; /* slot */
};

CudaMemory *cuda_memory_new(Cuda *c)
{
    CudaMemory *m = (CudaMemory *)calloc(1, sizeof *m);
    if (!m)
        abort();
    for (int i = 0; i < 2; i++)
        cuda_check(c, cudaEventCreateWithFlags(&m->fetched[i], cudaEventDisableTiming), "event");
    for (int i = 0; i < SLOTS; i++)
        cuda_check(c, cudaEventCreateWithFlags(&m->slot[i].there, cudaEventDisableTiming),
                   "event");
    return m;
}

static void drop_loose(Device *d)
{
    CudaMemory *m = cuda_of(d)->memory;
    for (Loose *l; (l = m->loose) != NULL;) {
        m->loose = l->next;
        cuda_free(d, l->p);
        free(l);
    }
}

void cuda_memory_free(Cuda *c)
{
    CudaMemory *m = c->memory;
    drop_loose(&c->table);
    for (Block *b; (b = m->blocks) != NULL;) {
        m->blocks = b->next;
        cudaFree(b->p);
        free(b);
    }
    for (int i = 0; i < 2; i++) {
        cudaFreeHost(m->half[i]);
        cudaEventDestroy(m->fetched[i]);
    }
    for (int i = 0; i < SLOTS; i++) {
        cudaFreeHost(m->slot[i].p);
        cudaEventDestroy(m->slot[i].there);
    }
    free(m);
}

/* Device memory */

/* The smallest unused block that fits without waste. */
static Block *kept_block(CudaMemory *m, size_t bytes)
{
    Block *best = NULL;
    for (Block *b = m->blocks; b; b = b->next)
        if (!b->used && b->size >= bytes && b->size - bytes <= bytes / 2 &&
            (!best || b->size < best->size))
            best = b;
    return best;
}

static void return_unused(CudaMemory *m)
{
    for (Block **at = &m->blocks; *at;) {
        Block *b = *at;
        if (b->used) {
            at = &b->next;
            continue;
        }
        *at = b->next;
        cudaFree(b->p);
        free(b);
    }
}

void *cuda_alloc(Device *d, size_t bytes)
{
    CudaMemory *m = cuda_of(d)->memory;
    bytes = (bytes + ROUND) / ROUND * ROUND; /* no block is empty */
    Block *b = kept_block(m, bytes);
    if (b) {
        b->used = true;
        return b->p;
    }
    void *p = NULL;
    if (cudaMalloc(&p, bytes) != cudaSuccess) {
        return_unused(m);
        if (cudaMalloc(&p, bytes) != cudaSuccess) {
            cudaGetLastError(); /* the caller tells it, not the next launch */
            return NULL;
        }
    }
    b = (Block *)malloc(sizeof *b);
    if (!b) {
        cudaFree(p);
        return NULL;
    }
    *b = {m->blocks, p, bytes, true};
    m->blocks = b;
    return p;
}

void cuda_free(Device *d, void *p)
{
    for (Block *b = p ? cuda_of(d)->memory->blocks : NULL; b; b = b->next)
        if (b->p == p)
            b->used = false;
}

const void *cuda_hold(Device *d, const void *host, size_t bytes)
{
    void *p = cuda_alloc(d, bytes);
    if (p)
        cuda_put(d, p, host, bytes);
    return p;
}

void cuda_release(Device *d, const void *held)
{
    cuda_free(d, const_cast<void *>(held));
}

/* The arena */

void cuda_arena_reset(Cuda *c)
{
    CudaMemory *m = c->memory;
    drop_loose(&c->table);
    if (m->wanted > m->size) {
        cuda_free(&c->table, m->arena);
        m->arena = (char *)cuda_alloc(&c->table, m->wanted);
        m->size = m->arena ? m->wanted : 0;
    }
    m->used = m->wanted = 0;
}

void *cuda_temp(Piece *p, size_t bytes)
{
    Cuda *c = cuda_of(p->dev);
    CudaMemory *m = c->memory;
    bytes = (bytes + ROUND) / ROUND * ROUND;
    m->wanted += bytes;
    if (m->size - m->used >= bytes) {
        m->used += bytes;
        return m->arena + m->used - bytes;
    }
    Loose *l = (Loose *)malloc(sizeof *l);
    void *room = l ? cuda_alloc(p->dev, bytes) : NULL;
    if (!room) {
        free(l);
        char why[64];
        snprintf(why, sizeof why, "out of memory (%zu bytes asked for)", bytes);
        cuda_fail(c, "temporary memory", why); /* and nothing is launched any more */
        return NULL;
    }
    *l = {m->loose, room};
    m->loose = l;
    return room;
}

/* To and fro */

static bool pinned(Cuda *c, char **p, size_t bytes)
{
    return *p || cuda_check(c, cudaMallocHost((void **)p, bytes), "pinned memory");
}

/* Turns to the other half, when what it held is on the device. */
static bool turn_half(Cuda *c)
{
    CudaMemory *m = c->memory;
    if (!cuda_check(c, cudaEventRecord(m->fetched[m->now], c->stream), "put"))
        return false;
    m->now = !m->now;
    m->half_used = 0;
    return cuda_check(c, cudaEventSynchronize(m->fetched[m->now]), "put");
}

void cuda_put(Device *d, void *dst, const void *host, size_t bytes)
{
    Cuda *c = cuda_of(d);
    CudaMemory *m = c->memory;
    const char *from = (const char *)host;
    char *to = (char *)dst;
    while (bytes > 0 && cuda_fine(c)) {
        if (m->half_used >= HALF && !turn_half(c))
            return;
        if (!pinned(c, &m->half[m->now], HALF))
            return;
        char *stage = m->half[m->now] + m->half_used;
        size_t n = HALF - m->half_used < bytes ? HALF - m->half_used : bytes;
        memcpy(stage, from, n);
        cuda_check(c, cudaMemcpyAsync(to, stage, n, cudaMemcpyHostToDevice, c->stream), "put");
        m->half_used += (n + 63) / 64 * 64;
        from += n;
        to += n;
        bytes -= n;
    }
}

/* Waits for a slot and gives its copy to whom it is for. */
static void empty_slot(Cuda *c, Slot *s)
{
    if (!s->host)
        return;
    if (cuda_check(c, cudaEventSynchronize(s->there), "get"))
        memcpy(s->host, s->p, s->bytes);
    else
        memset(s->host, 0, s->bytes); /* `wait` tells; until then nothing is left to chance */
    s->host = NULL;
}

static bool slot_room(Cuda *c, Slot *s, size_t bytes)
{
    empty_slot(c, s);
    if (s->size < bytes) {
        cudaFreeHost(s->p);
        s->p = NULL;
        s->size = pinned(c, &s->p, bytes) ? bytes : 0;
    }
    return cuda_fine(c);
}

void cuda_get(Device *d, void *host, const void *src, size_t bytes)
{
    Cuda *c = cuda_of(d);
    CudaMemory *m = c->memory;
    const char *from = (const char *)src;
    char *to = (char *)host;
    while (bytes > 0) {
        Slot *s = &m->slot[m->next];
        size_t n = bytes < SLOT ? bytes : SLOT;
        if (!slot_room(c, s, n) ||
            !cuda_check(c, cudaMemcpyAsync(s->p, from, n, cudaMemcpyDeviceToHost, c->stream),
                        "get") ||
            !cuda_check(c, cudaEventRecord(s->there, c->stream), "get")) {
            memset(to, 0, bytes);
            return;
        }
        s->host = to;
        s->bytes = n;
        m->next = (m->next + 1) % SLOTS;
        from += n;
        to += n;
        bytes -= n;
    }
}

void cuda_fill(Device *d, void *dst, int byte, size_t bytes)
{
    Cuda *c = cuda_of(d);
    if (bytes > 0 && cuda_fine(c))
        cuda_check(c, cudaMemsetAsync(dst, byte, bytes, c->stream), "fill");
}

void cuda_settle(Cuda *c)
{
    CudaMemory *m = c->memory;
    for (int i = 0; i < SLOTS; i++) /* in the order in which they were asked for */
        empty_slot(c, &m->slot[(m->next + i) % SLOTS]);
    if (cuda_fine(c))
        cuda_check(c, cudaStreamSynchronize(c->stream), "wait");
}
