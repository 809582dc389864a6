/* cuda_memory.cu - device memory and the way to and from it.
 *
 * What is freed is kept for the next who asks for about as much: cudaMalloc waits for the device
 * and is never called where a loop has come to its stride. Everything runs on one stream, so
 * memory that a waiting kernel still reads may be handed on: what its new owner asks for comes
 * later on the same stream.
 *
 * To and from the host go streams of their own, beside the one that computes, through staging on
 * both sides: put copies into pinned memory, from there to the device beside what is computed
 * now, and on the computing stream from there into place; get the other way about. So what is
 * put and got keeps its place in the order of what is asked for, whatever memory it names, while
 * the bus works beside the kernels. Staging of put is two halves, taken in turn; that of get as
 * many slots as are on their way. */
#include "kernels/cuda.h"

#include <cstdlib>
#include <cstring>

enum { ROUND = 512, SLOTS = 16 };
static const size_t HALF = (size_t)8 << 20, SLOT = (size_t)16 << 20, SLOT_MIN = (size_t)64 << 10;

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

/* Of put's staging. */
typedef struct Half {
    char *p, *there;         /* pinned; on the device */
    cudaEvent_t sent, taken; /* what was in p is there; what was there is in place */
} Half;

/* Of get's. */
typedef struct Slot {
    char *p, *there; /* pinned; on the device */
    size_t size;
    cudaEvent_t left, came; /* what is wanted stands there; it stands in p */
    void *host;             /* whom it is for; NULL: the slot is free */
    size_t bytes;
    int64_t number; /* slots are taken in this order */
} Slot;

struct CudaMemory {
    Block *blocks;
    int64_t era;
    /* Temporary memory of a stage: one block, and loose ones until it has grown to fit. */
    char *arena;
    size_t size, used, wanted;
    Loose *loose;
    /* Staging */
    Half half[2];
    cudaEvent_t sent; /* the last copy */
    size_t half_used;
    int now; /* the half being filled */
    Slot slot[SLOTS];
    int64_t asked; /* numbers of slots given so far */
};

static void new_event(Cuda *c, cudaEvent_t *e)
{
    cuda_check(c, cudaEventCreateWithFlags(e, cudaEventDisableTiming), "event");
}

CudaMemory *cuda_memory_new(Cuda *c)
{
    CudaMemory *m = (CudaMemory *)calloc(1, sizeof *m);
    if (!m) {
        cuda_fail(c, "memory", "out of memory");
        return NULL;
    }
    new_event(c, &m->sent);
    for (int i = 0; i < 2; i++) {
        new_event(c, &m->half[i].sent);
        new_event(c, &m->half[i].taken);
    }
    for (int i = 0; i < SLOTS; i++) {
        new_event(c, &m->slot[i].left);
        new_event(c, &m->slot[i].came);
    }
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
    cudaEventDestroy(m->sent);
    for (int i = 0; i < 2; i++) {
        cudaFreeHost(m->half[i].p);
        cudaEventDestroy(m->half[i].sent);
        cudaEventDestroy(m->half[i].taken);
    }
    for (int i = 0; i < SLOTS; i++) {
        cudaFreeHost(m->slot[i].p);
        cudaEventDestroy(m->slot[i].left);
        cudaEventDestroy(m->slot[i].came);
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
    m->era++;
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
    CudaMemory *m = cuda_of(d)->memory;
    m->era += p != NULL;
    for (Block *b = p ? m->blocks : NULL; b; b = b->next)
        if (b->p == p)
            b->used = false;
}

int64_t cuda_era(const Cuda *c)
{
    return c->memory->era;
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
    size_t asked = bytes;
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
        snprintf(why, sizeof why, "out of memory (%zu bytes asked for)", asked);
        cuda_fail(c, "temporary memory", why); /* and nothing is launched any more */
        return NULL;
    }
    *l = {m->loose, room};
    m->loose = l;
    return room;
}

/* To and fro */

static bool staging(Cuda *c, char **p, char **there, size_t bytes)
{
    if (!*p && !cuda_check(c, cudaMallocHost((void **)p, bytes), "pinned memory"))
        return false;
    if (!*there && !(*there = (char *)cuda_alloc(&c->table, bytes)))
        cuda_fail(c, "staging", "out of memory");
    return cuda_fine(c);
}

static bool copy(Cuda *c, void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                 cudaStream_t on, const char *who)
{
    return cuda_check(c, cudaMemcpyAsync(to, from, bytes, kind, on), who);
}

static bool sign(Cuda *c, cudaEvent_t e, cudaStream_t on, const char *who)
{
    return cuda_check(c, cudaEventRecord(e, on), who);
}

/* What is asked for on that stream from now on comes after the event. */
static bool after(Cuda *c, cudaEvent_t e, cudaStream_t on, const char *who)
{
    return cuda_check(c, cudaStreamWaitEvent(on, e, 0), who);
}

/* Turns to the other half, when the host may write where it was. */
static bool turn_half(Cuda *c)
{
    CudaMemory *m = c->memory;
    Half *was = &m->half[m->now], *now = &m->half[!m->now];
    m->now = !m->now;
    m->half_used = 0;
    return sign(c, was->sent, c->up, "put") && sign(c, was->taken, c->stream, "put") &&
           cuda_check(c, cudaEventSynchronize(now->sent), "put") &&
           after(c, now->taken, c->up, "put");
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
        Half *h = &m->half[m->now];
        if (!staging(c, &h->p, &h->there, HALF))
            return;
        char *stage = h->p + m->half_used, *there = h->there + m->half_used;
        size_t n = HALF - m->half_used < bytes ? HALF - m->half_used : bytes;
        memcpy(stage, from, n);
        if (!copy(c, there, stage, n, cudaMemcpyHostToDevice, c->up, "put") ||
            !sign(c, m->sent, c->up, "put") || !after(c, m->sent, c->stream, "put") ||
            !copy(c, to, there, n, cudaMemcpyDeviceToDevice, c->stream, "put"))
            return;
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
    if (cuda_check(c, cudaEventSynchronize(s->came), "get"))
        memcpy(s->host, s->p, s->bytes);
    else
        memset(s->host, 0, s->bytes); /* `wait` tells; until then nothing is left to chance */
    s->host = NULL;
}

/* The smallest free slot that is large enough, or any free one; else the one that was asked for
 * first. */
static Slot *next_slot(CudaMemory *m, size_t bytes)
{
    Slot *best = NULL, *oldest = &m->slot[0];
    for (int i = 0; i < SLOTS; i++) {
        Slot *s = &m->slot[i];
        bool fits = s->size >= bytes;
        if (!s->host &&
            (!best || (best->size >= bytes ? fits && s->size < best->size : s->size > best->size)))
            best = s;
        if (s->number < oldest->number)
            oldest = s;
    }
    return best ? best : oldest;
}

static bool slot_room(Cuda *c, Slot *s, size_t bytes)
{
    empty_slot(c, s);
    if (s->size < bytes) {
        cudaFreeHost(s->p);
        cuda_free(&c->table, s->there);
        s->p = s->there = NULL;
        for (s->size = SLOT_MIN; s->size < bytes;)
            s->size *= 2;
        if (!staging(c, &s->p, &s->there, s->size))
            s->size = 0;
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
        size_t n = bytes < SLOT ? bytes : SLOT;
        Slot *s = next_slot(m, n);
        if (!slot_room(c, s, n) ||
            !copy(c, s->there, from, n, cudaMemcpyDeviceToDevice, c->stream, "get") ||
            !sign(c, s->left, c->stream, "get") || !after(c, s->left, c->down, "get") ||
            !copy(c, s->p, s->there, n, cudaMemcpyDeviceToHost, c->down, "get") ||
            !sign(c, s->came, c->down, "get")) {
            memset(to, 0, bytes);
            return;
        }
        s->host = to;
        s->bytes = n;
        s->number = ++m->asked;
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

int64_t cuda_mark(Device *d)
{
    return cuda_of(d)->memory->asked;
}

void cuda_hand_over(Cuda *c, int64_t mark)
{
    for (Slot *s = c->memory->slot; s < c->memory->slot + SLOTS; s++)
        if (s->number <= mark)
            empty_slot(c, s);
}

void cuda_settle(Cuda *c)
{
    cuda_hand_over(c, c->memory->asked);
    if (cuda_fine(c))
        cuda_check(c, cudaStreamSynchronize(c->stream), "wait");
}
