/* inside.h - what the stand-in's own files share. */
#ifndef STANDIN_INSIDE_H
#define STANDIN_INSIDE_H

#include "standin.h"

/* Ends the program: names the kernel, block and thread that run, or the host's call. */
[[noreturn]] void standin_fault(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- fiber.cc: stacks to run on, numbered; one runs at a time ---- */

enum { MOST_THREADS = 1024 };
/* fn() will run on stack i when it is first gone to; it must not return but leave for good. */
void fiber_make(int i, void (*fn)(void));
void fiber_go(int i);  /* from the scheduler; returns when the fiber stops or leaves */
void fiber_stop(void); /* back to the scheduler, until gone to again */
[[noreturn]] void fiber_leave(void);
bool fiber_guards(const void *p); /* is p beyond the end of a stack? */

/* ---- block.cc: a launch, and the threads of a block ---- */

unsigned chance(unsigned n); /* 0 .. n - 1, as WEFT_STANDIN_SEED has it */
void grid_run(const char *kernel, dim3 grid, dim3 block, size_t shared_bytes,
              const std::function<void()> &body);
/* Writes where we are into text: "kernel, block (x, y, z), thread (x, y, z)"; false: no kernel.
 */
bool grid_where(char *text, size_t n);

/* ---- memory.cc: device memory ---- */

enum { DEVICE_MEMORY_MB = 8192 };
void *memory_new(size_t bytes); /* NULL: no more */
bool memory_drop(void *p);
size_t memory_left(void);
/* The bytes from p to the end of the allocation that it lies in; 0: it is not device memory. */
size_t memory_from(const void *p);
/* Between these two, what device memory is touched opens itself; then all of it is closed and
 * looked at for bytes written beside allocations. `who` is told in faults; kernels: NULL. */
void memory_open(const char *who);
void memory_close(void);

#endif
