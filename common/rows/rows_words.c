/* rows_words.c - sentences that come as words with tags. A word is tokenised as if it stood
 * alone (transformers' is_split_into_words), and its first token has its tag. */
#include "rows/rows_in.h"

#include <string.h>

enum { KNOWN = 64 }; /* tags of a frame that are looked for before a new one is written */

typedef struct Range {
    int64_t begin, end;
} Range;

/* Where in the frame's bytes this tag stands, which is added if need be. */
static Range place(Tags *t, Str tag)
{
    const Range *known = (const Range *)t->known.p;
    size_t n = t->known.n / sizeof *known;
    if (!tag.n)
        return (Range){0};
    for (size_t i = 0; i < n; i++)
        if ((size_t)(known[i].end - known[i].begin) == tag.n &&
            memcmp(t->bytes.p + known[i].begin, tag.p, tag.n) == 0)
            return known[i];
    Range r = {(int64_t)t->bytes.n, (int64_t)(t->bytes.n + tag.n)};
    buf_add(&t->bytes, tag.p, tag.n);
    if (n < KNOWN)
        buf_add(&t->known, &r, sizeof r);
    return r;
}

static int name_tags(Rows *r, const RowIn *in, Err *e)
{
    Tags *t = &r->tags;
    t->any = true;
    t->word.n = 0;
    for (size_t i = 0; i < in->words; i++) {
        const int32_t *at = in->word[i].tag;
        Str tag = str_of(in->tags.p + at[0], (size_t)(at[1] - at[0]));
        if (r->spec.labels && labels_name(r->spec.labels, tag, &tag, e) < 0)
            return err_at(e, "word %zu", i + 1);
        Range where = place(t, tag);
        buf_add(&t->word, &where, sizeof where);
    }
    return 0;
}

int words_tokenise(Rows *r, const RowIn *in, Str text, size_t limit, Err *e)
{
    Tokens *out = &r->first;
    Buf *begins = &r->tags.begins;
    if (in->tags.p && name_tags(r, in, e) < 0)
        return -1;
    begins->n = 0;
    for (size_t i = 0; i < in->words && (!limit || out->n <= limit); i++) {
        const int32_t *at = in->word[i].text;
        size_t before = out->n;
        tokenizer_encode(r->spec.tokenizer, r->work,
                         str_of(text.p + at[0], (size_t)(at[1] - at[0])), limit, out);
        for (size_t k = before; k < out->n; k++) {
            int64_t word = k == before ? (int64_t)i : -1;
            out->span[k][0] += at[0];
            out->span[k][1] += at[0];
            buf_add(begins, &word, sizeof word);
        }
    }
    return 0;
}

void words_tag_none(Rows *r, size_t n)
{
    size_t bytes = n * sizeof(Range);
    memset(buf_room(&r->tags.ranges, bytes), 0, bytes);
    r->tags.ranges.n += bytes;
}

void words_tag(Rows *r, Slice first)
{
    const int64_t *begins = (const int64_t *)r->tags.begins.p;
    const Range *tag = (const Range *)r->tags.word.p;
    for (size_t i = first.at; i < first.at + first.n; i++)
        if (begins[i] < 0)
            words_tag_none(r, 1);
        else
            buf_add(&r->tags.ranges, &tag[begins[i]], sizeof *tag);
}
