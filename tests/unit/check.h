/* check.h - for unit tests: CHECK tells what does not hold, and the test goes on;
 * `return checked();` from main. */
#ifndef WEFT_CHECK_H
#define WEFT_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int checks, failures;

#define CHECK(what)                                                                                \
    do {                                                                                           \
        checks++;                                                                                  \
        if (!(what)) {                                                                             \
            failures++;                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                     \
        }                                                                                          \
    } while (0)

#define CHECK_TEXT(got, want)                                                                      \
    do {                                                                                           \
        checks++;                                                                                  \
        if (!strstr(got, want)) {                                                                  \
            failures++;                                                                            \
            fprintf(stderr, "%s:%d: '%s' lacks '%s'\n", __FILE__, __LINE__, got, want);            \
        }                                                                                          \
    } while (0)

/* Into a new, empty folder in this one: tests that make files do not meet. */
static inline void own_folder(void)
{
    char name[] = "unit.XXXXXX";
    if (!mkdtemp(name) || chdir(name) < 0)
        perror(name);
}

static inline int checked(void)
{
    printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}

#endif
