/* jsontables.h - the tables of a tokenizer.json: entries, scores, merges, read as they stand. */
#ifndef WEFT_JSONTABLES_H
#define WEFT_JSONTABLES_H

#include "store/jsoncut.h"
#include "text/merges.h"

/* {"text": id, ...}, or Unigram's [["text", score], ...], whose scores by id are then in *score
 * (the caller frees it). Errors say the line. */
int jsontables_vocab(const JsonCut *c, Vocab *v, double **score, Err *e);
/* The same of a file, vocab.json, that is such an object. */
int jsontables_file(const char *path, Vocab *v, Err *e);
/* ["a b", ...] or [["a", "b"], ...] */
int jsontables_merges(const JsonCut *c, const Vocab *v, MergeList *m, Err *e);

#endif
