/* tokenizer_class.h - what transformers' tokenizer classes add to what the files of a folder say:
 * a row each. */
#ifndef WEFT_TOKENIZER_CLASS_H
#define WEFT_TOKENIZER_CLASS_H

#include "text/tokens.h"

#include <stdbool.h>

/* Names of special tokens, in the order of Special; NULL: there is no such token. */
extern const char *const names_bert[TOK_SPECIALS];    /* [CLS] [SEP] [PAD] [MASK] [UNK] */
extern const char *const names_roberta[TOK_SPECIALS]; /* <s> </s> <pad> <mask> <unk> */
extern const char *const names_gpt2[TOK_SPECIALS];    /* <|endoftext|> for unknown */
extern const char *const names_t5[TOK_SPECIALS];      /* <pad> <unk> */
extern const char *const names_albert[TOK_SPECIALS];  /* [CLS] [SEP] <pad> [MASK] <unk> */
extern const char *const names_llama[TOK_SPECIALS];   /* <unk> */
extern const char *const names_qwen2[TOK_SPECIALS];   /* <|endoftext|> for padding, too */
extern const char *const names_mpnet[TOK_SPECIALS];   /* <s> </s> <pad> <mask> [UNK] */

/* What a class makes of SentencePiece's file: sentencepiece/spiece_layouts.c. */
typedef struct SpieceLayout SpieceLayout;
extern const SpieceLayout spiece_t5, spiece_xlmr, spiece_camembert, spiece_albert, spiece_llama,
    spiece_deberta;

typedef struct TokClass {
    const char *name;           /* without "Fast" at its end */
    const char *const *special; /* names_... */
    bool lstrip, normalized;    /* of a mask token that the files give as a text alone */
    const SpieceLayout *spiece; /* NULL: not known */
} TokClass;

/* The class of that name, which may end in "Fast". One that is not known has no name and adds
 * nothing. */
const TokClass *tokclass_find(const char *name);

#endif
