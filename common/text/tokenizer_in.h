/* tokenizer_in.h - what a tokenizer is made of; for tokenizer*.c alone. */
#ifndef WEFT_TOKENIZER_IN_H
#define WEFT_TOKENIZER_IN_H

#include "base/hash.h"
#include "io/jsonfile.h"
#include "text/added.h"
#include "text/merges.h"
#include "text/tokmodel.h"

struct Tokenizer {
    Vocab vocab;  /* the model's own */
    Vocab extra;  /* added tokens that it lacks */
    TokModel *model;
    AddedSet plain, normalised; /* sought in the text, in the normalised text */
    Template single, pair;
    char fingerprint[HASH_TEXT];
    int64_t max_length;
    bool types;
    bool prefix; /* the model marks pieces inside a word */
    int32_t special[TOK_SPECIALS];
};

/* tokenizer.json in parts. What is large has been read and left out of the objects: entries are
 * in Tokenizer.vocab, merges and scores here. A part that the file lacks is NULL. */
typedef struct TokFile {
    const json_t *model, *normalizer, *words, *processor, *decoder; /* words: pre_tokenizer */
    MergeList merges; /* BPE's */
    double *score;    /* Unigram's, by id */
} TokFile;            /* all of it is there for the time of the call */

/* One a kind: make t->model of a file's parts, or name the part that is not supported; and of
 * the files that stand in a tokenizer.json's place (vocab.json and merges.txt; spiece.model,
 * sentencepiece.bpe.model, tokenizer.model), whose templates, special and added tokens they
 * set too: t->usual, then tokenizer_add_said(), then the templates, and the decoder by
 * tokenizer_set_decoder(). After a tokenizer.json all that is the loader's. */
int bert_from_json(Tokenizer *t, const TokFile *f, Err *e);
int bpe_from_json(Tokenizer *t, const TokFile *f, Err *e); /* byte-level, or SentencePiece's */
int unigram_from_json(Tokenizer *t, const TokFile *f, Err *e);
int bpe_from_files(Tokenizer *t, const char *folder, const json_t *config, const json_t *map,
                   Err *e);
int spiece_from_file(Tokenizer *t, const char *path, const json_t *config, const json_t *map,
                     Err *e);

/* The fingerprint: the vocabulary, the rules in words, and what else the ids depend on (merges,
 * scores). */
void tokenizer_identify(Tokenizer *t, const char *rules, const void *more, size_t bytes);

/* Fills vocab, model, added tokens and templates, from tokenizer.json's object or from
 * vocab.txt, tokenizer_config.json and special_tokens_map.json (the last two may be NULL). */
int tokenizer_from_json(Tokenizer *t, const json_t *root, Err *e);
int tokenizer_from_vocab(Tokenizer *t, const char *folder, const json_t *config,
                         const json_t *map, Err *e);

/* The tokens that tokenizer_config.json and special_tokens_map.json name, added_tokens_decoder's
 * and added_tokens.json's. */
int tokenizer_add_said(Tokenizer *t, const char *folder, const json_t *config,
                       const json_t *map, Err *e);
/* What tokenizer_decode() goes by: a decoder as tokenizer.json has it, as text for folders
 * without one: "{\"type\": \"ByteLevel\"}". */
int tokenizer_set_decoder(Tokenizer *t, const char *json, Err *e);

/* What the two say of a special token, a text or an object (NULL: nothing); and its text, at
 * last BERT's usual one. */
const json_t *special_said(const json_t *config, const json_t *map, Special s);
const char *special_text(const json_t *config, const json_t *map, Special s);

/* Makes the model, whose rules the fingerprint then covers. `unknown` is the unknown word's
 * text, which must be in the vocabulary. */
int tokenizer_set_bert(Tokenizer *t, BertRules rules, const char *unknown, Err *e);
/* An added token: an object of tokenizer.json's kind (content, lstrip, ...), or a text. Its id
 * is the vocabulary's, else the one given, else (-1) the next that is free. */
int tokenizer_add(Tokenizer *t, const json_t *token, int64_t id, bool special, Err *e);
void template_add(Template *t, int kind, int32_t id, int type);
/* [CLS] A [SEP], [CLS] A [SEP] B [SEP] */
void tokenizer_bert_templates(Tokenizer *t, int32_t cls, int32_t sep);

#endif
