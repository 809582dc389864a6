/* examples.h - labelled rows to learn from: all rows of a stream, vectors that `pool` wrote or ids
 * that `tok` did, where they can be read in any order.
 *
 *     Examples x;
 *     Classes c;
 *     if (examples_read(&x, &spec, files, n, &e) < 0 || examples_classes(&x, &c, &e) < 0 ||
 *         examples_number(&x, &c, &e) < 0)
 *         return -1;
 *     // x.id[x.starts[i] .. x.starts[i + 1]) are row i's tokens, x.target[i] is its class
 *
 * Numbers and ids lie in unlinked files in $TMPDIR, mapped: memory grows by some bytes a row. */
#ifndef WEFT_EXAMPLES_H
#define WEFT_EXAMPLES_H

#include "base/err.h"
#include "base/mem.h"
#include "learn/objective.h"
#include "measure/classes.h"
#include "text/tokenizer.h"

#include <stdbool.h>

enum { EXAMPLES_CLASSES = 4096 }; /* more different labels than this are no classes */

typedef struct ExamplesSpec {
    int objective;       /* an Objective, or -1: as the stream tells, or the model */
    bool skip;           /* rows without a label are left out */
    bool texts;          /* LEARN_SPAN: keep what answers are measured by */
    const char *teacher; /* a file of soft targets, as `score -k 0 --json` writes it; or NULL */
    const char *model;   /* that is to learn and may ask for an objective; NULL: the stream's */
} ExamplesSpec;

/* A row's texts: bytes of them, the second text and behind it the answer. */
typedef struct ExampleText {
    int64_t text, text_n, gold, gold_n;
    bool joins; /* the row before is a window of the same record */
} ExampleText;

/* Of rows whose answers are to be measured. */
typedef struct ExampleTexts {
    const char *bytes;
    ExampleText *of;          /* [rows] */
    const int32_t (*span)[2]; /* [tokens] bytes of the token's text */
    const uint8_t *part;      /* [tokens] as token.part */
    bool unanswered;          /* a row has no answer */
} ExampleTexts;

typedef struct Examples {
    Objective objective;
    int64_t rows, skipped;
    const float *x; /* [rows, width], or NULL, and then: */
    int64_t width;
    const int32_t *id;   /* [tokens] */
    const uint8_t *kind; /* [tokens] token_type_ids; NULL: all 0 */
    int64_t *starts;     /* [rows + 1] */
    int64_t tokens;
    int32_t *target; /* [rows] LEARN_CLASS */
    float *number;   /* [rows, numbers] LEARN_MULTI (0 and 1), LEARN_REGRESSION, or soft */
    bool soft;       /* LEARN_CLASS: shares of the classes `target` the largest */
    int64_t numbers;
    const int32_t *token_target; /* [tokens] LEARN_TOKEN: classes; LEARN_MLM of a stream that has
                                    its masks: ids; -1: none. NULL: none at all */
    int32_t (*answer)[2];        /* [rows] LEARN_SPAN: its first and last token of the row */
    ExampleTexts texts;          /* of LEARN_SPAN, where asked for */
    float *weight;               /* [rows], of row.weight; NULL: the stream has none */
    char *place;                 /* where it was read: "stdin", or the first file's name */
    char *model, *encoder, *vocab, *pool, *layer; /* metadata; "" where absent */
    char *labels;                /* JSON array: the order given to `tok`, or a teacher's; or NULL */
    char digest[33];             /* of all of this, as `show --digest` has its hashes */
    struct LabelIds *labels_met; /* private, as what follows: the labels met */
    Buf several, ends;           /* LEARN_MULTI: ids of labels, and where each row's end */
} Examples;

/* Reads to the end, which must be there. Fails on a row without a label (unless it is to be left
 * out) where the objective has labels, on a vector, number or weight that is not finite, and on a
 * change of width, pool or layer. */
int examples_read(Examples *x, const ExamplesSpec *spec, char **files, int nfiles, Err *e);
void examples_free(Examples *x); /* after a failure too */

/* The second text of a row that has been read with its texts, and its answer. */
Str examples_context(const Examples *x, int64_t row);
Str examples_gold(const Examples *x, int64_t row);
/* The classes of these rows: those of `labels` in its order, else the labels met, sorted. */
int examples_classes(const Examples *x, Classes *c, Err *e);
/* Turns labels into indices of c. A label that is none of them is an error that names the first
 * row which has it. */
int examples_number(Examples *x, const Classes *c, Err *e);
/* Turns labels under masks into ids: they are tokens as the vocabulary has them, or, where all of
 * them are numbers, ids already. */
int examples_words(Examples *x, const Tokenizer *t, int64_t vocab, Err *e);
/* What a row's logits of n classes lose: -log softmax(logit)[target]; of soft ones -sum p log
 * softmax(logit). */
double examples_nll(const Examples *x, int64_t row, const float *logit, int64_t n);
/* Label smoothing of soft rows: shares (1 - smooth) p + smooth / classes. */
void examples_smooth(Examples *x, double smooth);
/* Do b's rows come from where a's do? */
int examples_agree(const Examples *a, const Examples *b, Err *e);

#endif
