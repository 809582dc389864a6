/* fiber.cc - switching between stacks: by hand on x86-64, by ucontext elsewhere. Each stack has
 * a page before it that nobody may touch. ASan is told of every switch. */
#include "inside.h"

#include <cstdlib>
#include <sys/mman.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifndef __x86_64__
#include <ucontext.h>
#endif

static const size_t STACK = 256 << 10, GUARD = 4096;
enum { SCHEDULER = MOST_THREADS };

#ifdef __x86_64__
typedef void *Context; /* the stack pointer; the rest lies on the stack */

asm(".text\n"
    ".type standin_switch, @function\n"
    "standin_switch:\n" /* (Context *from, Context to) */
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n"
    ".size standin_switch, . - standin_switch\n");
extern "C" void standin_switch(Context *from, Context to);

static void context_make(Context *c, char *stack, void (*fn)(void))
{
    void **top = (void **)(stack + STACK);
    *--top = NULL; /* fn's frame begins 8 bytes off 16 */
    *--top = (void *)fn;
    *c = top - 6;
}
static void context_switch(Context *from, Context *to)
{
    standin_switch(from, *to);
}
#else
typedef ucontext_t Context;

static void context_make(Context *c, char *stack, void (*fn)(void))
{
    getcontext(c);
    c->uc_stack.ss_sp = stack;
    c->uc_stack.ss_size = STACK;
    c->uc_link = NULL;
    makecontext(c, fn, 0);
}
static void context_switch(Context *from, Context *to)
{
    swapcontext(from, to);
}
#endif

static Context context[MOST_THREADS + 1];
static char *stacks;
static int now = SCHEDULER;
static void (*first[MOST_THREADS])(void);

static char *stack_of(int i)
{
    return stacks + (size_t)i * (STACK + GUARD) + GUARD;
}

#ifdef __SANITIZE_ADDRESS__
static const void *main_stack;
static size_t main_size;
static void *fake[MOST_THREADS + 1];

static void switch_to(int to, bool for_good)
{
    int from = now;
    const void *bottom = to == SCHEDULER ? main_stack : stack_of(to);
    size_t size = to == SCHEDULER ? main_size : STACK;
    __sanitizer_start_switch_fiber(for_good ? NULL : &fake[from], bottom, size);
    now = to;
    context_switch(&context[from], &context[to]);
    __sanitizer_finish_switch_fiber(fake[now], NULL, NULL);
}
static void begin(void)
{
    __sanitizer_finish_switch_fiber(NULL, &main_stack, &main_size);
    first[now]();
}
static void clean(int i)
{
    fake[i] = NULL;
    __asan_unpoison_memory_region(stack_of(i), STACK);
}
#else
static void switch_to(int to, bool)
{
    int from = now;
    now = to;
    context_switch(&context[from], &context[to]);
}
static void begin(void)
{
    first[now]();
}
static void clean(int)
{
}
#endif

static void make_stacks(void)
{
    size_t size = (size_t)MOST_THREADS * (STACK + GUARD);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED)
        standin_fault("no memory for stacks");
    stacks = (char *)p;
    for (int i = 0; i < MOST_THREADS; i++)
        mprotect(stack_of(i) - GUARD, GUARD, PROT_NONE);
}

void fiber_make(int i, void (*fn)(void))
{
    if (!stacks)
        make_stacks();
    clean(i);
    first[i] = fn;
    context_make(&context[i], stack_of(i), begin);
}

void fiber_go(int i)
{
    switch_to(i, false);
}

void fiber_stop(void)
{
    switch_to(SCHEDULER, false);
}

void fiber_leave(void)
{
    switch_to(SCHEDULER, true);
    abort();
}

bool fiber_guards(const void *p)
{
    const char *at = (const char *)p, *end = stacks + (size_t)MOST_THREADS * (STACK + GUARD);
    return stacks && at >= stacks && at < end && (size_t)(at - stacks) % (STACK + GUARD) < GUARD;
}
