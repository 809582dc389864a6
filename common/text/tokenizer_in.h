/* tokenizer_in.h - what a tokenizer is made of. For text/ alone: for tokenizer*.c, and for the
 * kinds of tokenizers in its rooms, which make parts of it. */
#ifndef WEFT_TOKENIZER_IN_H
#define WEFT_TOKENIZER_IN_H

#include "base/hash.h"
#include "store/jsonfile.h"
#include "text/added.h"
#include "text/decode.h"
#include "text/merges.h"
#include "text/tokenizer.h"
#include "text/tokenizer_class.h"
#include "text/tokmodel.h"

struct Tokenizer {
    Vocab vocab;  /* the model's own */
    Vocab extra;  /* added tokens that it lacks */
    Vocab given;  /* added tokens' texts: their places in `added` */
    Added *added; /* as they were given */
    TokModel *model;
    const char *kind;           /* its name */
    AddedSet plain, normalised; /* sought in the text, in the normalised text */
    Template single, pair;
    char fingerprint[HASH_TEXT];
    int64_t max_length;
    bool types;
    bool lower;             /* texts are brought to lower case first (do_lower_case of
                               sentence_bert_config.json) */
    bool left;              /* what is too long is cut at its beginning */
    int32_t left_out;       /* tokenizer_left_out() */
    int64_t characters;     /* tokenizer_characters() */
    bool bare_words;        /* words by themselves would lack the space that they have in texts */
    bool prefix;            /* the model marks pieces inside a word */
    bool trim, trim_prefix; /* spans of added tokens: as BpeRules has them of others */
    int32_t special[TOK_SPECIALS];
    const TokClass *class;    /* as the files or the facts say */
    const char *const *usual; /* special tokens' names where the folder says none: names_... */
    Decoder *decoder;         /* NULL: entries with a space between */
    bool clean;               /* what was decoded is cleaned up then */
    int32_t *hidden;          /* ids of special tokens, left out of what is decoded; in order */
    int hiddens;
};

/* Where a tokenizer is read from. */
typedef struct TokFolder {
    const char *path;
    const json_t *config, *map; /* tokenizer_config.json, special_tokens_map.json, or NULL */
    const json_t *sentence;     /* sentence_bert_config.json or one of its like, or NULL */
    const TokFacts *facts;
} TokFolder;

/* tokenizer.json in parts. What is large has been read and left out of the objects: entries are
 * in Tokenizer.vocab, merges and scores here. A part that the file lacks is NULL. */
typedef struct TokFile {
    const json_t *model, *normalizer, *words, *processor, *decoder; /* words: pre_tokenizer */
    MergeList merges;                                               /* BPE's */
    double *score;                                                  /* Unigram's, by id */
} TokFile; /* all of it is there for the time of the call */

/* One a kind: make t->model of a file's parts, or name the part that is not supported; and of
 * the files that stand in a tokenizer.json's place (vocab.txt; vocab.json and merges.txt;
 * spiece.model, sentencepiece.bpe.model, tokenizer.model; source.spm, target.spm and vocab.json),
 * whose templates, special and added tokens they set too: t->usual, then tokenizer_add_said(), then
 * the templates, and the decoder by tokenizer_set_decoder(). After a tokenizer.json all that is the
 * loader's. */
int bert_from_json(Tokenizer *t, const TokFile *f, Err *e);
int words_from_json(Tokenizer *t, const TokFile *f, Err *e); /* WordPiece of other parts */
int level_from_json(Tokenizer *t, const TokFile *f, Err *e); /* WordLevel */
int bpe_from_json(Tokenizer *t, const TokFile *f, Err *e);   /* of bytes */
int spbpe_from_json(Tokenizer *t, const TokFile *f, Err *e); /* SentencePiece's */
int unigram_from_json(Tokenizer *t, const TokFile *f, Err *e);
int bert_from_files(Tokenizer *t, const TokFolder *from, Err *e);
int bpe_from_files(Tokenizer *t, const TokFolder *from, Err *e);
int spiece_from_file(Tokenizer *t, const TokFolder *from, const char *name, Err *e);
int marian_from_files(Tokenizer *t, const TokFolder *from, Err *e);

/* The fingerprint: the vocabulary, the rules in words, and what else the ids depend on (merges,
 * scores). */
void tokenizer_identify(Tokenizer *t, const char *rules, const void *more, size_t bytes);

/* Fills vocab, model, added tokens and templates of tokenizer.json, for which
 * tokenizer_config.json says what transformers lets it override. */
int tokenizer_from_json(Tokenizer *t, const TokFolder *from, Err *e);

/* A part's type, as messages name it; is it this one? */
const char *tokenizer_part(const json_t *o);
bool tokenizer_part_is(const json_t *o, const char *type);
/* The i-th of a Sequence's parts, which it has under `key`, a part by itself being the first; or
 * NULL. */
const json_t *tokenizer_part_at(const json_t *o, const char *key, size_t i);
/* That a part is not supported, but what is. */
int tokenizer_unsupported(const char *what, const json_t *o, const char *known, Err *e);
/* The templates that post_processor says. */
int tokenizer_read_processor(Tokenizer *t, const json_t *o, Err *e);

/* The tokens that tokenizer_config.json and special_tokens_map.json name, added_tokens_decoder's
 * and added_tokens.json's. */
int tokenizer_add_said(Tokenizer *t, const TokFolder *from, Err *e);
/* What tokenizer_decode() goes by: a decoder as tokenizer.json has it, as text for folders
 * without one: "{\"type\": \"ByteLevel\"}". */
int tokenizer_set_decoder(Tokenizer *t, const char *json, Err *e);

/* tokenizer_rules.c: what the class that the folder names makes of its files beside.
 * Is it one whose ids come from elsewhere? */
int rules_check(const TokFolder *from, Err *e);
int rules_check_vocab(const TokFolder *from, Err *e); /* does it read vocab.txt as BERT's does? */
/* Byte-level BPE: does it refuse words by themselves where no space is put before them? */
bool rules_want_space(const TokFolder *from);
bool rules_are_roberta(const TokFolder *from); /* it overrides RobertaProcessing's flags */
/* Is it Llama's, with a word on the space that goes first? */
bool rules_remake_llama(const TokFolder *from);
/* Does it make the template itself, whatever tokenizer.json has? Makes it, once all tokens are
 * there. */
bool rules_make_template(const TokFolder *from);
int rules_template(Tokenizer *t, const TokFolder *from, Err *e);

/* What the folder's files say is the text of a special token, at last t->usual's; NULL: it has no
 * such token. */
const char *special_text(const Tokenizer *t, const TokFolder *from, Special s);
/* The text of the token that they name by such a key ("eos_token"), or NULL. */
const char *tokenizer_said(const TokFolder *from, const char *key);

/* An added token: an object of tokenizer.json's kind (content, lstrip, ...), or a text. Its id
 * is the vocabulary's, else the next behind the last, which must be the one given (-1: any).
 * One that was given before takes on what is said now. */
int tokenizer_add(Tokenizer *t, const json_t *token, int64_t id, bool special, Err *e);
/* Once the model and all added tokens are there: what is sought, and where. */
void tokenizer_added_ready(Tokenizer *t);
/* Appends the text, which begins at byte `at` of the whole, in lower case, character by character.
 */
void tokenizer_lower(Str text, int32_t at, Normal *out);
void template_add(Template *t, int kind, int32_t id, int type);
/* [CLS] A [SEP], [CLS] A [SEP] B [SEP]; <s> A </s>, <s> A </s> </s> B </s>; A, A B. */
void tokenizer_bert_templates(Tokenizer *t, int32_t cls, int32_t sep);
void tokenizer_roberta_templates(Tokenizer *t, int32_t cls, int32_t sep);
void tokenizer_bare_templates(Tokenizer *t);

#endif
