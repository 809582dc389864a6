/* cut.h - pre-tokenizers of tokenizer.json that cut a text into words, one behind the other:
 * BertPreTokenizer, Whitespace, WhitespaceSplit, Punctuation, Digits, CharDelimiterSplit, Split,
 * FixedLength, UnicodeScripts. */
#ifndef WEFT_CUT_H
#define WEFT_CUT_H

#include "base/err.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>

/* [begin, end) of a text's bytes. */
typedef struct Word {
    size_t begin, end;
} Word;

typedef struct WordList {
    Word *word;
    size_t n, room;
} WordList;

typedef struct Cuts Cuts;       /* shared by threads */
typedef struct CutWork CutWork; /* one a thread */

Cuts *cuts_new(void); /* which cut nothing yet; those added cut behind one another */
void cuts_free(Cuts *c);
/* A part of tokenizer.json, which is no Sequence; 1: it is none of ours. */
int cuts_add(Cuts *c, const json_t *o, Err *e);
int cuts_count(const Cuts *c);

CutWork *cutwork_new(void);
void cutwork_free(CutWork *w);
/* The words of text[begin, end), there until the next call. */
const WordList *cuts_run(const Cuts *c, CutWork *w, const char *text, size_t begin, size_t end);
/* Why a text was not cut to its end, or NULL. */
const char *cutwork_failed(const CutWork *w);

#endif
