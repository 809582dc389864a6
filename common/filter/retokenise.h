/* retokenise.h - the texts of a stream's rows to ids, by the tokenizer of a model: what `tok` does
 * where it is given a stream.
 *
 *     if (streams_given(files, nfiles, &e) > 0)
 *         return retokenise_run(&texts, files, nfiles);   // texts: opened, see tokenise_texts.h
 *
 * Rows keep what they had, but for what another model made of them: labels, weights, kept columns,
 * and the row.source of a group. */
#ifndef WEFT_RETOKENISE_H
#define WEFT_RETOKENISE_H

#include "filter/tokenise_texts.h"

/* 1: what is given (no files: standard input) are streams; 0: it is something else; -1: some of it
 * is the one, some the other, a usage error. Nothing is read of it. */
int streams_given(char **files, int nfiles, Err *e);

/* All rows of all streams to standard output. Returns the program's exit status; messages have been
 * printed. */
int retokenise_run(TokeniseTexts *texts, char **files, int nfiles);

#endif
