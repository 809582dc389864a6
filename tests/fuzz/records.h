/* records.h - records of a file: every field is UTF-8 without NUL, and how the bytes come makes no
 * difference. */
#ifndef WEFT_FUZZ_RECORDS_H
#define WEFT_FUZZ_RECORDS_H

#include "base/utf8.h"
#include "records/records.h"
#include "tests/fuzz/fuzz.h"

static inline void records_field(Str s)
{
    MUST(utf8_check(s.p, s.n) == s.n && (!s.n || !memchr(s.p, '\0', s.n)));
}

static inline void records_words(const Record *rec)
{
    for (size_t i = 0; i < rec->words; i++) {
        const RecWord *w = &rec->word[i];
        MUST(w->text[0] >= 0 && w->text[0] <= w->text[1] && (size_t)w->text[1] <= rec->field[0].n);
        MUST(w->tag[0] >= 0 && w->tag[0] <= w->tag[1] && (size_t)w->tag[1] <= rec->field[1].n);
        MUST(i == 0 || rec->word[i - 1].text[1] <= w->text[0]);
    }
}

/* All of it on paper, the fault included. */
static inline char *records_read(char *path, const RecSpec *spec)
{
    Buf b = {0};
    Record rec;
    Err e = {0};
    int k;
    Records *r = rec_open(&path, 1, spec);
    while ((k = rec_next(r, &rec, &e)) > 0) {
        if (k != REC_GOT)
            continue;
        for (int i = 0; i < (spec->columns ? spec->columns : 1); i++) {
            records_field(rec.field[i]);
            buf_fmt(&b, "%zu%s:", rec.field[i].n, rec.null[i] ? "null" : "");
            buf_add(&b, rec.field[i].p, rec.field[i].n);
        }
        if (spec->kind == REC_CONLL)
            records_words(&rec);
    }
    MUST((k == 0) == !e.text[0]);
    buf_fmt(&b, "!%s", e.text);
    buf_add(&b, "", 1);
    rec_close(r);
    return b.p;
}

static inline void records_any(const RecSpec *spec, unsigned chunk, const uint8_t *p, size_t n)
{
    char *path = fuzz_file("in", p, n), *whole = records_read(path, spec);
    fuzz_chunk(chunk + 1);
    char *cut = records_read(path, spec);
    fuzz_chunk(0);
    MUST(strcmp(whole, cut) == 0);
    free(whole);
    free(cut);
}

#endif
