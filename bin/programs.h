/* programs.h - the programs, each said once: `weft` runs and lists them by this list, make builds
 * them by it, and each begins its --help with its line of it. What else a program has, and has to
 * say the same, tests/programs.bats looks for (CONTRIBUTING.md, "To add a program").
 *
 *     P(NAME, FILE, SYNOPSIS, ABOUT, MORE)
 *
 * FILE is what `weft NAME` runs: bin/NAME.c is built as that, but for `head` (see the Makefile).
 * SYNOPSIS stands behind the name in the usage line, ABOUT is one line, MORE is what --help tells
 * besides, or NULL. */
#ifndef WEFT_PROGRAMS_H
#define WEFT_PROGRAMS_H

#include "base/opt.h"

#include <stddef.h>

#define PROGRAMS(P)                                                                                \
    P(tok, "tok", "[option ...] [file ...]", "text to ids, and back", NULL)                        \
    P(embed, "embed", "[option ...] [file ...]", "ids to the hidden states of layer 0", NULL)      \
    P(encode, "encode", "[option ...] [file ...]",                                                 \
      "ids to the hidden states of the last layer, or any", NULL)                                  \
    P(pool, "pool", "[option ...] [file ...]", "hidden states to one vector a row",                \
      "Default: what the model's folder says, else its family's way.")                             \
    P(head, "weft-head", "[option ...] [file ...]", "hidden states or vectors to logits", NULL)    \
    P(score, "score", "[option ...] [file ...]", "logits to answers, or to metrics",               \
      "Answers are labels, words, entities or pieces of text, as the head was.")                   \
    P(train, "train", "-o DIR [option ...] [file ...]", "a labelled stream to a model folder",     \
      NULL)                                                                                        \
    P(ppl, "ppl", "[option ...] [file ...]", "ids to how likely a language model finds them",      \
      "A line a row: row, tokens, mean negative log likelihood, perplexity; then a line `all`.")   \
    P(gen, "gen", "[option ...] [file ...]", "ids to the ids that a model writes next", NULL)      \
    P(deal, "deal", "[--by label] [--group COLUMN] [-n N:FILE] PART:FILE ...",                     \
      "a stream to several files, in exact shares", NULL)                                          \
    P(show, "show", "[option ...] [file ... | folder | --machine]",                                \
      "a stream, a model folder or this machine, to read", NULL)                                   \
    P(near, "near", "[-k N] [option ...] CORPUS", "vectors to the nearest rows of a corpus",       \
      "By cosine, a line each: row, rank, cosine, text.")                                          \
    P(plot, "plot", "[-x COL] -y COL[,COL...] | --WHAT [option ...] [file ...]",                   \
      "logs, reports and streams to a picture", "Without -o it is drawn in the terminal.")         \
    P(get, "get", "[option ...] [ORG/]NAME[@REV] ...", "a model into the Hugging Face cache",      \
      "Fetches what weft needs of it and prints the folder where it lies.")

#define PROGRAM_INDEX(name, file, synopsis, about, more) PROGRAM_##name,
#define PROGRAM_LINE(name, file, synopsis, about, more) {#name, file, synopsis, about, more},

enum { PROGRAMS(PROGRAM_INDEX) PROGRAM_COUNT };
static const Program programs[] = {PROGRAMS(PROGRAM_LINE)};

/* That of a name, for args_begin. */
#define PROGRAM(name) (&programs[PROGRAM_##name])

#endif
