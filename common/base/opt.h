/* opt.h - the command line. A program lists its own options once; parser and usage text are
 * both made from that list, and the options that mean the same everywhere are added to it.
 *
 *     static const Opt options[] = {
 *         {'L', "layer", "N", "stop after layer N (0 is embed)"},
 *         {OPT_LONG + 0, "attention", NULL, "add the attention weights"},
 *         {0},
 *     };
 *     Args a = args_begin(PROGRAM(encode), options, argc, argv);
 *     for (int k; (k = args_next(&a)) != -1;)
 *         switch (k) {
 *         case 'L': layer = args_int(&a, 0, 1000); break;
 *         }
 *     // now a.files, a.nfiles and a.common
 *
 * Everything wrong with a command line ends the program with EXIT_USAGE and says why; -h and
 * -V print on standard output and exit 0. Long names must be written out. */
#ifndef WEFT_OPT_H
#define WEFT_OPT_H

#include <stdbool.h>
#include <stdint.h>

enum { OPT_LONG = 1000, OPT_COMMON = 2000 }; /* keys of options without a letter, from here */

typedef struct Opt {
    int key;          /* its letter, or OPT_LONG + n; '0' is a letter too; {0} ends the list */
    const char *name; /* long name without "--"; NULL for a letter alone */
    const char *arg;  /* what the argument is called in the usage text; NULL: none */
    const char *help; /* one line */
} Opt;

/* What a program is called and what it is for; bin/programs.h has them all. */
typedef struct Program {
    const char *name;
    const char *file;     /* what is run under that name */
    const char *synopsis; /* its arguments, as the usage line has them */
    const char *about;    /* what it does: one line */
    const char *more;     /* what the usage text tells besides; NULL: nothing */
} Program;

/* The options of every program (INTERFACE "Everywhere"). */
typedef struct Common {
    const char *model;  /* -m as given, else NULL */
    const char *device; /* -D, else $WEFT_DEVICE: "cpu", "cuda", "cuda:N"; else NULL: any */
    int threads;        /* -j, else $WEFT_THREADS, else the cores we may run on; >= 1 */
    bool bf16, f16;     /* -t bf16, -t f16; neither: f32 */
    uint64_t seed;      /* -s, 42 */
    bool quiet, progress;
} Common;

typedef struct Args {
    Common common;
    char **files; /* operands; the argv they stand in outlives Args */
    int nfiles;
    const char *value; /* the current option's argument */
    /* private */
    const Program *program;
    const char *option;
    const Opt *own;
    void *longs;
    char *shorts;
    int argc;
    char **argv;
} Args;

Args args_begin(const Program *program, const Opt *own, int argc, char **argv);
int args_next(Args *a); /* the next own option's key, or -1 at the end */

/* The current option's argument as a number within bounds. */
int64_t args_int(const Args *a, int64_t min, int64_t max);
double args_real(const Args *a, double min, double max);
/* The index of the current argument in words (NULL-terminated), or a usage error naming them. */
int args_word(const Args *a, const char *const *words);

#endif
