/* near_pairs.h - queries and the rows of a corpus that are nearest to them, as pairs of texts for
 * a model that reads both: what `near --pairs` does to a frame.
 *
 *     NearPairs p = {.corpus = c, .k = 10};
 *     stream_run_parts(in, out, near_pairs_part, near_pairs_frame, &p);
 *     near_pairs_clear(&p);
 *
 * A query makes min(k, corpus_rows) rows, nearest first: row.text its own, row.pair the
 * candidate's, row.source its number over all input, from 0, so that they are a group;
 * row.keep.candidate the candidate's row in the corpus, from 1, and row.keep.cosine. The metadata's
 * `group` is how many rows that makes, so that the last is known when it has come. What else a
 * query's row has goes along with each, but for what its model made of it. */
#ifndef WEFT_NEAR_PAIRS_H
#define WEFT_NEAR_PAIRS_H

#include "filter/nearest.h"

typedef struct NearPairs {
    Corpus *corpus;
    int k;
    /* private */
    Near *near;                    /* of the frame that came: [queries, k] */
    int64_t queries, known, first; /* known: of them, before a fault; first: of the part */
    int64_t source;                /* of the frame's first query */
    Err why;                       /* the fault */
} NearPairs;

/* A part has rows for a frame. The search is over all queries of the frame that came. */
int64_t near_pairs_part(void *pairs, const Frame *f, int64_t first, Err *e);
/* -1: no texts, vectors that do not fit the corpus, or (e->row) one that is not finite. */
int near_pairs_frame(void *pairs, Frame *f, Err *e);
void near_pairs_clear(NearPairs *p);

#endif
