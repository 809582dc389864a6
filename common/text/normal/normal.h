/* normal.h - the normalizers of tokenizer.json but BERT's: Precompiled,
 * Nmt, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Replace, Prepend, and Sequence.
 *
 * Every byte of the outcome says which bytes of the original it comes from, and says it as the
 * library `tokenizers` does, where characters are merged, added or dropped too. */
#ifndef WEFT_NORMAL_H
#define WEFT_NORMAL_H

#include "text/tokmodel.h"

#include <jansson.h>

typedef struct Normalizer Normalizer; /* shared by threads */
typedef struct NormalWork NormalWork; /* one a thread */

typedef enum NormalForm { FORM_NFC, FORM_NFD, FORM_NFKC, FORM_NFKD } NormalForm;

Normalizer *normalizer_new(void); /* changes nothing yet; steps are added behind one another */
void normalizer_free(Normalizer *n);
/* tokenizer.json's object (NULL or null: nothing), or the name of what is not supported. */
int normalizer_read(Normalizer *n, const json_t *o, Err *e);
/* The same for those who normalise a text part by part. */
int normalizer_read_apart(Normalizer *n, const json_t *o, Err *e);
int normalizer_charsmap(Normalizer *n, Str bytes, Err *e);
int normalizer_charsmap64(Normalizer *n, Str base64, Err *e);
void normalizer_nmt(Normalizer *n);
void normalizer_form(Normalizer *n, NormalForm form);
void normalizer_lowercase(Normalizer *n);
void normalizer_strip_accents(Normalizer *n);
void normalizer_strip(Normalizer *n, bool left, bool right);
void normalizer_replace(Normalizer *n, const char *pattern, const char *content);
void normalizer_replace_spaces(Normalizer *n, const char *content); /* two or more of them */
int normalizer_replace_regex(Normalizer *n, const char *pattern, const char *content, Err *e);
void normalizer_prepend(Normalizer *n, const char *text);

/* The steps in words, for the fingerprint. */
void normalizer_describe(const Normalizer *n, Buf *to);

NormalWork *normalwork_new(void);
void normalwork_free(NormalWork *w);

/* A text, or a part of one: what lies before or behind it is not to be stripped, and only the
 * first part is prepended to. */
typedef struct NormalPart {
    Str text;
    int32_t at; /* of the part's first byte, in the original */
    bool first, last;
} NormalPart;

/* What the part becomes; it is there until the next call. *in_step = false: characters dropped
 * at its beginning have put the origins of all that follows out of step, as they do in the
 * reference; so what follows in the text must be normalised together with it. */
const Normal *normalizer_part(const Normalizer *n, NormalWork *w, NormalPart part, bool *in_step);
/* Appends the same to `out`. */
void normalizer_run(const Normalizer *n, NormalWork *w, NormalPart part, Normal *out);

/* Is it sure that the text stays as it is? Told at a glance where NFC is all there is. */
bool normalizer_keeps(const Normalizer *n, Str text);

/* Where text may be cut and its parts normalised by themselves. byte[c]: what the ASCII
 * character c becomes between others of the kind, or NORMAL_ELSE; ' ' likewise, between two
 * such that are no spaces. */
enum { NORMAL_ELSE = 0 };
void normalizer_bytes(const Normalizer *n, char byte[128]);
/* Does a Replace of several ASCII characters begin with this one; does it match here? */
bool normalizer_may_replace(const Normalizer *n, char c);
bool normalizer_replaces(const Normalizer *n, Str text);
bool normalizer_prepends(const Normalizer *n);
/* Why a text was not normalised to its end, or NULL. */
const char *normalwork_failed(const NormalWork *w);

/* Room for `more` bytes. */
void normal_room(Normal *t, size_t more);
/* Appends n bytes that come from [start, end). */
static inline void normal_add(Normal *t, const char *p, size_t n, int32_t start, int32_t end)
{
    if (t->n + n > t->cap)
        normal_room(t, n);
    for (size_t i = 0; i < n; i++, t->n++) {
        t->p[t->n] = p[i];
        t->span[t->n][0] = start;
        t->span[t->n][1] = end;
    }
}

#endif
