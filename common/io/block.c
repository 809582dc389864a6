#include "io/block.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Blocks that wait to be used again, the one that came last first. Smaller ones malloc keeps
 * itself. A checker of addresses is to see what is used after it was freed. */
enum { LEAST = 1 << 20 };
#ifdef __SANITIZE_ADDRESS__
enum { KEPT = 0 };
#else
enum { KEPT = 2 };
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    void *p;
    size_t room;
} kept[KEPT + 1];
static int n;

/* A quarter more at most: that frames are not quite alike does not matter then. */
static size_t rounded(size_t size)
{
    size_t step = 64;
    while (step < size / 8)
        step *= 2;
    size_t up = size + step - 1;
    return up < size ? size : up / step * step; /* no memory is that large */
}

static void *take(int i)
{
    void *p = kept[i].p;
    for (n--; i < n; i++)
        kept[i] = kept[i + 1];
    return p;
}

/* One that fits, and not by wasting half of it. */
static void *again(size_t size, size_t *room)
{
    void *p = NULL;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < n && !p; i++)
        if (kept[i].room >= size && kept[i].room / 2 <= size) {
            *room = kept[i].room;
            p = take(i);
        }
    pthread_mutex_unlock(&lock);
    return p;
}

/* What goes instead is returned. */
static void *keep(void *p, size_t room)
{
    void *old = NULL;
    if (KEPT == 0)
        return p;
    pthread_mutex_lock(&lock);
    if (n == KEPT)
        old = take(n - 1);
    for (int i = n++; i > 0; i--)
        kept[i] = kept[i - 1];
    kept[0].p = p;
    kept[0].room = room;
    pthread_mutex_unlock(&lock);
    return old;
}

Block *block_new(size_t size)
{
    size_t room = 0;
    void *p = size >= LEAST ? again(size, &room) : NULL;
    if (!p) {
        room = size >= LEAST ? rounded(size) : size;
        p = mem_aligned(room);
    }
    Block *b = mem_alloc(sizeof *b);
    *b = (Block){.users = 1, .size = size, .room = room, .p = p};
    return b;
}

Block *block_of(void *p, size_t size)
{
    Block *b = mem_alloc(sizeof *b);
    *b = (Block){.users = 1, .size = size, .p = p};
    return b;
}

Block *block_share(Block *b)
{
    atomic_fetch_add(&b->users, 1);
    return b;
}

void block_drop(Block *b)
{
    if (!b || atomic_fetch_sub(&b->users, 1) > 1)
        return;
    if (b->mapping)
        mapping_free(b->mapping);
    else
        free(b->room >= LEAST ? keep(b->p, b->room) : b->p);
    free(b);
}
