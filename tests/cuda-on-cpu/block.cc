/* block.cc - a kernel's blocks, one after the other, and their threads, in an order by chance.
 * A thread runs until it waits; then one of those that may go on is chosen. */
#include "inside.h"

#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

typedef enum State { READY, AT_BARRIER, IN_WARP, GONE } State;

typedef struct Thread {
    State state;
    uint3 index;
    int line;         /* of the barrier */
    const char *what; /* the warp operation, its mask, what is brought, from whom, what is got */
    unsigned mask;
    uint64_t value;
    int source;
    uint64_t got;
    unsigned votes;
    void *brought; /* to what the whole warp does together */
    void (*together)(void *const lane[warpSize]);
} Thread;

typedef struct Warp {
    unsigned waiting, gone; /* lanes */
} Warp;

static struct Block {
    const char *kernel; /* NULL: none runs */
    const std::function<void()> *body;
    int threads, at_barrier, gone, now;
    int ready[MOST_THREADS], readies;
    char *shared;
    size_t shared_bytes;
} block;
static Thread thread[MOST_THREADS];
static Warp warp[MOST_THREADS / warpSize];

extern char __start_standin_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_standin_shared[] __attribute__((weak, visibility("hidden")));

bool grid_where(char *text, size_t n)
{
    if (!block.kernel)
        return false;
    snprintf(text, n, "%s, block (%u, %u, %u), thread (%u, %u, %u)", block.kernel, blockIdx.x,
             blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
    return true;
}

/* xorshift64*. */
unsigned chance(unsigned n)
{
    static uint64_t state;
    if (!state) {
        const char *seed = getenv("WEFT_STANDIN_SEED");
        state = (seed ? strtoull(seed, NULL, 10) : 1) * 0x9e3779b97f4a7c15u + 0x1234567;
    }
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned)((state * 0x2545f4914f6cdd1du >> 32) * n >> 32);
}

static void wake(int t)
{
    thread[t].state = READY;
    block.ready[block.readies++] = t;
}

/* ---- barriers ---- */

static void release_barrier(void)
{
    if (block.at_barrier == 0 || block.at_barrier + block.gone < block.threads)
        return;
    int line = 0;
    for (int t = 0; t < block.threads; t++) {
        if (thread[t].state != AT_BARRIER)
            continue;
        if (line && thread[t].line != line)
            standin_fault("divergent barrier: some threads of the block wait at line %d, some at "
                          "line %d",
                          line, thread[t].line);
        line = thread[t].line;
        wake(t);
    }
    block.at_barrier = 0;
}

void standin_barrier(int line)
{
    Thread *me = &thread[block.now];
    me->line = line;
    me->state = AT_BARRIER;
    block.at_barrier++;
    release_barrier();
    fiber_stop();
}

/* ---- warps ---- */

int standin_lane(void)
{
    return block.now % warpSize;
}

static void same_meeting(const Thread *a, const Thread *b)
{
    if (strcmp(a->what, b->what) != 0 || a->mask != b->mask)
        standin_fault("divergent warp: lanes meet in %s with mask %08x and in %s with mask %08x",
                      a->what, a->mask, b->what, b->mask);
}

/* If all that are asked for have come, exchanges and lets them go. */
static void release_warp(int w, const Thread *asked)
{
    unsigned there = asked->mask & ~warp[w].gone, votes = 0;
    Thread *lane = &thread[w * warpSize];
    if (there == 0 || (warp[w].waiting & there) != there)
        return;
    for (int i = 0; i < warpSize; i++)
        if (there >> i & 1) {
            same_meeting(&lane[i], asked);
            votes |= (unsigned)(lane[i].value != 0) << i;
        }
    if (asked->together) {
        void *all[warpSize];
        if (there != 0xffffffffu)
            standin_fault("%s: only the lanes %08x of the warp are there", asked->what, there);
        for (int i = 0; i < warpSize; i++)
            all[i] = lane[i].brought;
        asked->together(all);
    }
    for (int i = 0; i < warpSize; i++)
        if (there >> i & 1) {
            lane[i].got = there >> lane[i].source & 1 ? lane[lane[i].source].value : ~0ull;
            lane[i].votes = votes;
        }
    for (int i = 0; i < warpSize; i++)
        if (there >> i & 1)
            wake(w * warpSize + i);
    warp[w].waiting &= ~there;
}

static Thread *meet(const char *what, unsigned mask, uint64_t mine, int source,
                    void *brought = NULL, void (*fn)(void *const lane[warpSize]) = NULL)
{
    Thread *me = &thread[block.now];
    int w = block.now / warpSize;
    unsigned bit = 1u << standin_lane();
    if (!(mask & bit))
        standin_fault("%s: lane %d is not in its own mask %08x", what, standin_lane(), mask);
    me->what = what;
    me->mask = mask;
    me->value = mine;
    me->source = source;
    me->together = fn;
    me->brought = brought;
    me->state = IN_WARP;
    warp[w].waiting |= bit;
    release_warp(w, me);
    fiber_stop();
    return me;
}

uint64_t standin_meet(const char *what, unsigned mask, uint64_t mine, int source)
{
    return meet(what, mask, mine, source)->got;
}

unsigned standin_vote(const char *what, unsigned mask, bool mine)
{
    return meet(what, mask, mine, standin_lane())->votes;
}

void standin_together(const char *what, void *mine, void (*fn)(void *const lane[warpSize]))
{
    meet(what, 0xffffffffu, 0, standin_lane(), mine, fn);
}

/* ---- threads ---- */

static void one_thread(void)
{
    (*block.body)();
    int w = block.now / warpSize;
    thread[block.now].state = GONE;
    block.gone++;
    warp[w].gone |= 1u << standin_lane();
    release_barrier();
    for (int i = 0; i < warpSize; i++)
        if (warp[w].waiting >> i & 1)
            release_warp(w, &thread[w * warpSize + i]);
    fiber_leave();
}

static void run_thread(int t)
{
    block.now = t;
    threadIdx = thread[t].index;
    fiber_go(t);
}

/* Nobody can go on: tells of one at a barrier and one in a warp operation. */
[[noreturn]] static void stuck(void)
{
    const Thread *b = NULL, *w = NULL;
    for (int t = 0; t < block.threads; t++) {
        if (thread[t].state == AT_BARRIER)
            b = &thread[t];
        if (thread[t].state == IN_WARP)
            w = &thread[t];
    }
    threadIdx = (w ? w : b)->index;
    if (w && b)
        standin_fault("divergent barrier: waits in %s with mask %08x, others at the barrier of "
                      "line %d",
                      w->what, w->mask, b->line);
    standin_fault("divergent warp: waits in %s with mask %08x for lanes that wait elsewhere",
                  w->what, w->mask);
}

static void poison(size_t shared_bytes)
{
    size_t fixed = (size_t)(__stop_standin_shared - __start_standin_shared);
    if (fixed)
        memset(__start_standin_shared, 0xff, fixed);
    memset(block.shared, 0xff, shared_bytes);
}

static void run_block(size_t shared_bytes)
{
    block.at_barrier = block.gone = block.readies = 0;
    memset(warp, 0, sizeof warp);
    poison(shared_bytes);
    for (int t = 0; t < block.threads; t++) {
        unsigned u = (unsigned)t, x = blockDim.x, y = blockDim.y;
        thread[t].index = {u % x, u / x % y, u / x / y};
        fiber_make(t, one_thread);
        wake(t);
    }
    for (int t = block.threads; t % warpSize; t++)
        warp[t / warpSize].gone |= 1u << t % warpSize; /* lanes that never were */
    while (block.gone < block.threads) {
        if (block.readies == 0)
            stuck();
        unsigned i = chance((unsigned)block.readies);
        int t = block.ready[i];
        block.ready[i] = block.ready[--block.readies];
        run_thread(t);
    }
}

/* Dynamic shared memory ends at the end of a page, and the next nobody may touch. */
static char *shared_room(size_t bytes)
{
    enum { PAGE = 4096, MOST = 256 << 10 };
    static char *room;
    if (!room) {
        void *p =
            mmap(NULL, MOST + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            standin_fault("no shared memory");
        room = (char *)p;
        mprotect(room + MOST, PAGE, PROT_NONE);
    }
    return room + MOST - (bytes + 15) / 16 * 16;
}

bool standin_is_shared(const void *p, size_t bytes)
{
    const char *at = (const char *)p;
    return (at >= block.shared && at + bytes <= block.shared + block.shared_bytes) ||
           (at >= __start_standin_shared && at + bytes <= __stop_standin_shared);
}

void *standin_shared(void)
{
    return block.shared;
}

void grid_run(const char *kernel, dim3 grid, dim3 shape, size_t shared_bytes,
              const std::function<void()> &body)
{
    block.shared = shared_room(shared_bytes);
    block.shared_bytes = shared_bytes;
    block.threads = (int)(shape.x * shape.y * shape.z);
    block.body = &body;
    gridDim = grid;
    blockDim = shape;
    block.kernel = kernel;
    memory_open(NULL);
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x; x++) {
                blockIdx = {x, y, z};
                run_block(shared_bytes);
            }
    memory_close();
    block.kernel = NULL;
}
