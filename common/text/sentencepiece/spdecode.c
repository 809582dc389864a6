/* spdecode.c - pieces to text (SentencePieceProcessor::Decode). */
#include "text/sentencepiece/spdecode.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

static const Str mark = {"\xe2\x96\x81", 3}; /* a space, in pieces */

struct SpDecoder {
    const Spiece *s;
    Vocab pieces;
};

SpDecoder *spdecoder_new(const Spiece *s, Err *e)
{
    SpDecoder *d = mem_zero(1, sizeof *d);
    d->s = s;
    int bad = s->back.n ? err_set(e, "its denormalizer_spec is not supported") : 0;
    for (size_t i = 0; i < s->n && !bad; i++)
        bad = vocab_add(&d->pieces, (int32_t)i, s->piece[i].text, e);
    if (!bad)
        return d;
    spdecoder_free(d);
    return NULL;
}

void spdecoder_free(SpDecoder *d)
{
    if (!d)
        return;
    vocab_free(&d->pieces);
    free(d);
}

/* The byte that <0x0A> stands for. */
static char byte_of(Str t)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *high = t.n == 6 ? strchr(hex, t.p[3]) : NULL;
    const char *low = high ? strchr(hex, t.p[4]) : NULL;
    return low ? (char)((high - hex) * 16 + (low - hex)) : 0;
}

/* The text that bytes are, a replacement character for each that is none. */
static void put_bytes(Buf *bytes, Buf *out)
{
    for (size_t i = 0; i < bytes->n;) {
        size_t good = utf8_check(bytes->p + i, bytes->n - i);
        buf_add(out, bytes->p + i, good);
        i += good;
        if (i < bytes->n) {
            buf_add(out, "\xef\xbf\xbd", 3);
            i++;
        }
    }
    bytes->n = 0;
}

static void put_spaced(Str t, Buf *out)
{
    const char *end = t.p + t.n, *at;
    while ((at = memmem(t.p, (size_t)(end - t.p), mark.p, mark.n))) {
        buf_add(out, t.p, (size_t)(at - t.p));
        buf_add(out, " ", 1);
        t.p = at + mark.n;
    }
    buf_add(out, t.p, (size_t)(end - t.p));
}

/* One piece that is no byte. *begins: nothing has come before it yet, and a mark that it begins
 * with is none of the text's. */
static void put_piece(const SpDecoder *d, Str t, int type, bool *begins, Buf *out)
{
    const Spiece *s = d->s;
    bool marked = t.n >= mark.n && memcmp(t.p, mark.p, mark.n) == 0;
    if (type == SPIECE_UNKNOWN) {
        buf_add(out, s->unknown_shown.p, s->unknown_shown.n);
    } else if (type < 0) {
        buf_add(out, t.p, t.n);
    } else {
        bool cut = *begins && marked && (s->prefix || s->trim);
        put_spaced(cut ? str_of(t.p + mark.n, t.n - mark.n) : t, out);
    }
    if (*begins && marked && s->prefix && !s->trim)
        *begins = false;
}

void spdecoder_decode(const SpDecoder *d, const Str *piece, size_t n, Buf *out)
{
    Buf bytes = {0};
    size_t first = out->n;
    bool begins = true;
    for (size_t i = 0; i < n; i++) {
        int32_t id = vocab_find(&d->pieces, piece[i]);
        int type = id < 0 ? -1 : d->s->piece[id].type;
        if (type == SPIECE_BYTE) {
            char c = byte_of(piece[i]);
            buf_add(&bytes, &c, 1);
            continue;
        }
        put_bytes(&bytes, out);
        begins = begins && out->n == first;
        if (type != SPIECE_CONTROL)
            put_piece(d, piece[i], type, &begins, out);
    }
    put_bytes(&bytes, out);
    free(bytes.p);
}
