/* tokenizer.h - text to ids, as the files of a model folder say.
 *
 *     Tokenizer *t = tokenizer_load(folder, &facts, &e);
 *     TokWork *w = tokwork_new(t);                // one a thread
 *     Tokens out = {0};
 *     tokenizer_encode(t, w, str_of("I like it.", 10), 0, &out);
 *     // out.id[0 .. out.n), out.span: bytes of the text each came from
 *
 * tokenizer.json is read where the folder has one, else vocab.txt, vocab.json with merges.txt, or
 * spiece.model, with what tokenizer_config.json and its like say. The reference is the Rust library
 * `tokenizers`: ids and spans are its own, for every text. */
#ifndef WEFT_TOKENIZER_H
#define WEFT_TOKENIZER_H

#include "base/err.h"
#include "text/tokens.h"

#include <stdbool.h>

typedef struct Tokenizer Tokenizer; /* shared by threads: nothing changes it */
typedef struct TokWork TokWork;     /* what one thread needs beside it: buffers, a cache */

/* What a row is made of: texts and special tokens in their order. */
typedef struct TemplateItem {
    enum { ITEM_FIRST, ITEM_SECOND, ITEM_SPECIAL } kind;
    int32_t id; /* ITEM_SPECIAL */
    uint8_t type;
} TemplateItem;

typedef struct Template {
    TemplateItem *item;
    int count, specials;
} Template;

/* What the folder's model says of its tokenizer, of which text/ knows nothing by itself. */
typedef struct TokFacts {
    const char *class;  /* transformers' class for models of its kind; NULL: not known */
    const char *named;  /* the class that it names itself, or NULL */
    const char *kind;   /* its kind in words, for messages: "model_type 'bert'" */
    int64_t max_length; /* tokens a row; 0: it says none */
    bool types;         /* it wants token types */
    bool typed;         /* config.json says a model_type, known or not */
    bool alone;         /* tokenizer.json stands alone: no class, nothing beside it, and no special
                           tokens around a text */
    bool known;         /* with `alone`: as model2vec has it, what is unknown is left out once a row
                           is cut, and before that a text has no more characters than tokens of
                           middling length would */
} TokFacts;

/* A component of tokenizer.json that is not known is an error that names it. What programs call
 * is model_tokenizer() (model/model_tokenizer.h), which knows the facts. */
Tokenizer *tokenizer_load(const char *folder, const TokFacts *facts, Err *e);
void tokenizer_free(Tokenizer *t);

const Template *tokenizer_template(const Tokenizer *t, bool pair);
const char *tokenizer_fingerprint(const Tokenizer *t); /* of vocabulary and rules */
const char *tokenizer_kind(const Tokenizer *t);        /* WordPiece, BPE, Unigram, SentencePiece */
int64_t tokenizer_max_length(const Tokenizer *t);      /* tokens a row; 0: it says none */
/* Of TokFacts.known: the id that is left out of rows, else -1; and how many characters of a text
 * count for each token that a row may have, else 0. */
int32_t tokenizer_left_out(const Tokenizer *t);
int64_t tokenizer_characters(const Tokenizer *t);
bool tokenizer_has_types(const Tokenizer *t); /* the model wants token types */
bool tokenizer_cuts_left(const Tokenizer *t); /* too long a text loses its beginning */
/* Words that come by themselves would be other pieces than in a text, which transformers' class
 * refuses. */
bool tokenizer_bare_words(const Tokenizer *t);
int32_t tokenizer_special(const Tokenizer *t, Special s); /* -1: it has none */
bool tokenizer_is_special(const Tokenizer *t, int32_t id);
bool tokenizer_has_prefix(const Tokenizer *t);      /* ## or the like marks pieces inside a word */
int32_t tokenizer_size(const Tokenizer *t);         /* ids are below */
Str tokenizer_text(const Tokenizer *t, int32_t id); /* an entry; {NULL, 0}: no such id */
int32_t tokenizer_find(const Tokenizer *t, Str text); /* -1: not there */

TokWork *tokwork_new(const Tokenizer *t);
void tokwork_free(TokWork *w);

/* Appends the text's tokens, without the template. The text is UTF-8. Stops soon after
 * out->n exceeds limit (0: never). */
void tokenizer_encode(const Tokenizer *t, TokWork *w, Str text, size_t limit, Tokens *out);
/* The bytes [span[0], span[1]) of the word, as the pre-tokenizer cuts words, that holds the
 * token of bytes [start, end): what `tokenizers` calls token_to_word and word_to_chars. */
void tokenizer_word(const Tokenizer *t, TokWork *w, Str text, int32_t start, int32_t end,
                    int32_t span[2]);

/* Appends the text of n ids, as transformers' decode() gives it: without special tokens unless
 * `raw`, by the rules of the model's decoder, cleaned up where its configuration says so. Ids
 * that the vocabulary lacks give nothing. */
void tokenizer_decode(const Tokenizer *t, const int32_t *id, size_t n, bool raw, Buf *out);
/* The same, cleaned up where the caller says so. */
void tokenizer_decode_as(const Tokenizer *t, const int32_t *id, size_t n, bool raw, bool clean,
                         Buf *out);

/* Appends what the model's decoder makes of the texts of n tokens, which need not be in the
 * vocabulary: "Ber", "##lin" give "Berlin" (transformers' convert_tokens_to_string). */
void tokenizer_join(const Tokenizer *t, const Str *token, size_t n, Buf *out);

#endif
