/* choices.h - answers of which one is to be given: a tree of their tokens. */
#ifndef WEFT_CHOICES_H
#define WEFT_CHOICES_H

#include "generate/settings.h"
#include "text/tokenizer.h"

typedef struct Choices Choices;

/* given: "A,B", as candidates.h has it. */
Choices *choices_new(const char *given, const Tokenizer *t, Err *e);
void choices_free(Choices *c); /* NULL is fine */
/* What may follow the tokens of an answer so far: into `next`, with room for choices_most(); how
 * many. *whole: the answer may end here. */
int64_t choices_next(const Choices *c, const int32_t *id, int64_t n, int32_t *next, bool *whole);
int64_t choices_most(const Choices *c);

#endif
