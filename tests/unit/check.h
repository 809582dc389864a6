/* check.h - for unit tests: CHECK tells what does not hold, and the test goes on;
 * `return checked();` from main. */
#ifndef WEFT_CHECK_H
#define WEFT_CHECK_H

#include <stdio.h>
#include <string.h>

static int checks, failures;

#define CHECK(what)                                                                            \
    do {                                                                                       \
        checks++;                                                                              \
        if (!(what)) {                                                                         \
            failures++;                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                 \
        }                                                                                      \
    } while (0)

#define CHECK_TEXT(got, want)                                                                  \
    do {                                                                                       \
        checks++;                                                                              \
        if (!strstr(got, want)) {                                                              \
            failures++;                                                                        \
            fprintf(stderr, "%s:%d: '%s' lacks '%s'\n", __FILE__, __LINE__, got, want);        \
        }                                                                                      \
    } while (0)

static inline int checked(void)
{
    printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}

#endif
