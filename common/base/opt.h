/* opt.h - the command line. A program lists its own options once, each with what becomes of it;
 * parser and usage text are both made from that list, and the options that mean the same
 * everywhere are added to it.
 *
 *     typedef struct Will {
 *         int64_t layer;
 *         bool attention;
 *         Shape shape;
 *     } Will;
 *     enum { KEY_SHAPE = OPT_LONG };
 *     static const Opt options[] = {
 *         {'L', "layer", "N", "stop after layer N (0 is embed)", OPT_INT(Will, layer, 0, 1000)},
 *         {0, "attention", NULL, "add the attention weights", OPT_FLAG(Will, attention)},
 *         {KEY_SHAPE, "shape", "N[,N...]", "the layers' widths", OPT_KEY},
 *         {0},
 *     };
 *     Will w = {.layer = -1};
 *     Args a = args_begin(PROGRAM(encode), options, &w, argc, argv);
 *     for (int k; (k = args_next(&a)) != -1;) // KEY_SHAPE
 *         read_shape(&w.shape, a.value);
 *     // now a.files, a.nfiles and a.common
 *
 * Everything wrong with a command line ends the program with EXIT_USAGE and says why; -h and
 * -V print on standard output and exit 0. Long names must be written out. */
#ifndef WEFT_OPT_H
#define WEFT_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPT_LONG = 1000, OPT_MOST = 64 }; /* keys without a letter, from here; a program's options */

/* What becomes of an option: a field of the structure that args_begin is given takes it, unless
 * the program asks for its key. Made by the macros below. */
typedef struct OptField {
    enum { FIELD_NONE, FIELD_FLAG, FIELD_TEXT, FIELD_INT, FIELD_REAL, FIELD_WORD } kind;
    size_t at;                /* where the field is */
    int64_t min, max;         /* of FIELD_INT; min: the first word's value */
    double least, most;       /* of FIELD_REAL */
    const char *const *words; /* of FIELD_WORD, NULL behind the last */
} OptField;

typedef struct Opt {
    int key;          /* its letter ('0' is one), or OPT_LONG + n, or 0 where nobody asks for it */
    const char *name; /* long name without "--"; NULL for a letter alone; {0} ends the list */
    const char *arg;  /* what the argument is called in the usage text; NULL: none */
    const char *help; /* one line */
    OptField field;
} Opt;

/* What stands behind an option's line of help. A member of another type does not compile. */
#define OPT_KEY .field = {.kind = FIELD_NONE} /* args_next returns its key */
#define OPT_FLAG(type, member) .field = {.kind = FIELD_FLAG, .at = OPT_AT(type, member, bool)}
#define OPT_TEXT(type, member)                                                                     \
    .field = {.kind = FIELD_TEXT, .at = OPT_AT(type, member, const char *)}
#define OPT_INT(type, member, lo, hi)                                                              \
    .field = {.kind = FIELD_INT, .at = OPT_AT(type, member, int64_t), .min = lo, .max = hi}
#define OPT_REAL(type, member, lo, hi)                                                             \
    .field = {.kind = FIELD_REAL, .at = OPT_AT(type, member, double), .least = lo, .most = hi}
/* int or an enum: `first` and so many as the argument is words into the list. */
#define OPT_WORD(type, member, first, list)                                                        \
    .field = {.kind = FIELD_WORD, .at = OPT_AT_ENUM(type, member), .min = first, .words = list}

#define OPT_AT(type, member, ctype) _Generic(((type *)0)->member, ctype : offsetof(type, member))
#define OPT_AT_ENUM(type, member)                                                                  \
    _Generic(((type *)0)->member, int : offsetof(type, member), unsigned : offsetof(type, member))

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
    bool int8;          /* -t int8, of gen alone */
    uint64_t seed;      /* -s, 42 */
    bool quiet, progress;
} Common;

typedef struct Args {
    Common common;
    char **files; /* operands; the argv they stand in outlives Args */
    int nfiles;
    const char *value;  /* the current option's argument */
    const char *option; /* and as it was given, for messages: "-L", "--layer" */
    /* private */
    const Program *program;
    const Opt *own;
    void *into;
    uint64_t given; /* bits, by the option's place in `own` */
    void *longs;
    char *shorts;
    int argc;
    char **argv;
} Args;

/* into: what the options' fields are of; NULL where none has one. */
Args args_begin(const Program *program, const Opt *own, void *into, int argc, char **argv);
/* The key of the next own option that has no field, or -1 at the end. */
int args_next(Args *a);
/* Both, where every option has its field. */
Args args_read(const Program *program, const Opt *own, void *into, int argc, char **argv);
/* Was this option of the program's list given? After the last args_next. */
bool args_given(const Args *a, const Opt *o);

/* The current option's argument as a number within bounds. */
int64_t args_int(const Args *a, int64_t min, int64_t max);
double args_real(const Args *a, double min, double max);
/* The index of the current argument in words (NULL-terminated), or a usage error naming them. */
int args_word(const Args *a, const char *const *words);

const char *opt_version(void); /* of the program: "0.1.0" */

#endif
