/* window.h - the answers that a window of a text holds, as transformers' question-answering
 * pipeline finds them: of its likeliest spans, widened to whole words, those that differ. */
#ifndef WEFT_WINDOW_H
#define WEFT_WINDOW_H

#include "base/utf8.h"
#include "measure/answerset.h"
#include "measure/spans.h"
#include "text/tokenizer.h"

/* A row: n tokens, what they are of, and its second text, whole. */
typedef struct AnswerWindow {
    const int32_t *id, (*span)[2];
    const uint8_t *part;
    const float *logit; /* [n, 2] start and end */
    int64_t n;
    Str text;
} AnswerWindow;

/* A tokenizer that cuts words, and what a caller has among windows. */
typedef struct WindowWork {
    const Tokenizer *tokenizer;
    TokWork *words;
    SpanWork spans;
    Span *best;
    bool *allowed;
    Str seen; /* the part of the text that the window's tokens take in */
} WindowWork;

enum { WINDOW_LONGEST = 15 }; /* tokens of an answer, where nothing else is asked for */

/* Adds the `top` likeliest answers (0: all) of at most `longest` tokens to the set; *null is how
 * likely it is that there is none. `at` counts characters of the text. */
int window_answers(WindowWork *w, const AnswerWindow *x, int64_t longest, int64_t top,
                   AnswerSet *to, CharAt *at, double *null, Err *e);
void window_free(WindowWork *w); /* but not the tokenizer and its work */

#endif
