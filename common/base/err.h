/* err.h - what went wrong, as a value: library code returns it, programs print it.
 *
 *     Err e = {0};
 *     if (thing(&e) < 0)
 *         die(&e);
 *
 * A function that can fail returns -1 (or NULL) and has filled its Err, whose text reads
 * "what: remedy", without program or place; callers nearer to the user put the place before
 * it with err_at(). An Err that failed with an empty text is to be passed on in silence
 * (somebody before us has already said it). What is wrong with what was asked for, not with the
 * data, is told by err_usage(). */
#ifndef WEFT_ERR_H
#define WEFT_ERR_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Err {
    char text[1024]; /* NUL-terminated, no newline */
    int64_t row;     /* 1 + the frame's row that is at fault; 0: no row in particular */
    bool usage;      /* the command line is at fault: die() ends with EXIT_USAGE */
} Err;

/* Sets the text (truncated with "..." when it does not fit) and returns -1. e may be NULL. */
int err_set(Err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_usage(Err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts "PLACE: " before the text unless the text is empty; returns -1. */
int err_at(Err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* err_set() with ": strerror(errno)" behind it. */
int err_sys(Err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
