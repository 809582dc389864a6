#include "text/decode.h"

#include "base/utf8.h"
#include "store/jsonfile.h"
#include "text/bytechars.h"
#include "text/regex.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 64 };

/* What the steps hand on: texts, end to end. */
typedef struct Pieces {
    Buf text;
    size_t *end;
    size_t n, cap;
} Pieces;

typedef struct Step Step;
typedef void Run(const Step *s, Pieces *in, Pieces *out);

struct Step {
    Run *run;
    char *from, *to; /* what is sought; what takes its place */
    size_t nfrom, nto;
    Regex *regex;        /* in the place of `from` */
    bool flag;           /* clean up; leave out in the first piece */
    int64_t start, stop; /* how many to strip at most */
};

struct Decoder {
    Step step[STEPS_MAX];
    int steps;
};

/* ---- pieces ---- */

static void add(Pieces *p, const char *text, size_t n)
{
    buf_add(&p->text, text, n);
}

static void end_piece(Pieces *p)
{
    if (p->n == p->cap) {
        p->cap = p->cap * 2 + 64;
        p->end = mem_resize(p->end, p->cap, sizeof *p->end);
    }
    p->end[p->n++] = p->text.n;
}

static Str piece(const Pieces *p, size_t i)
{
    size_t begin = i ? p->end[i - 1] : 0;
    return str_of(p->text.p ? p->text.p + begin : "", p->end[i] - begin);
}

/* Adds t with `from` replaced, wherever it is. */
static void add_replaced(Pieces *out, Str t, Str from, Str to)
{
    const char *p = t.p, *end = t.p + t.n, *at;
    while ((at = memmem(p, (size_t)(end - p), from.p, from.n))) {
        add(out, p, (size_t)(at - p));
        add(out, to.p, to.n);
        p = at + from.n;
    }
    add(out, p, (size_t)(end - p));
}

/* ---- cleaning ---- */

static const char *const contractions[][2] = {
    {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
    {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
    {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
};
enum { CONTRACTIONS = sizeof contractions / sizeof *contractions, DO_NOT = 7 };

/* Replaces in place: nothing grows. The new length. */
static size_t replace(char *p, size_t n, const char *from, const char *to)
{
    size_t nfrom = strlen(from), nto = strlen(to);
    char *put = p, *get = p, *end = p + n, *at;
    while ((at = memmem(get, (size_t)(end - get), from, nfrom))) {
        memmove(put, get, (size_t)(at - get));
        put += at - get;
        memcpy(put, to, nto);
        put += nto;
        get = at + nfrom;
    }
    memmove(put, get, (size_t)(end - get));
    return n - (size_t)(get - put);
}

static void clean(Buf *b, size_t from, bool do_not)
{
    if (b->n == from)
        return;
    for (int i = 0; i < CONTRACTIONS; i++)
        if (do_not || i != DO_NOT)
            b->n = from + replace(b->p + from, b->n - from, contractions[i][0], contractions[i][1]);
}

void decode_clean(Buf *b, size_t from)
{
    clean(b, from, false); /* `tokenizers` knows one rule more than transformers */
}

/* ---- the steps ---- */

static void word_piece(const Step *s, Pieces *in, Pieces *out)
{
    for (size_t i = 0; i < in->n; i++) {
        Str t = piece(in, i);
        size_t begin = out->text.n;
        if (i && t.n >= s->nfrom && memcmp(t.p, s->from, s->nfrom) == 0) {
            t.p += s->nfrom;
            t.n -= s->nfrom;
        } else if (i) {
            add(out, " ", 1);
        }
        add(out, t.p, t.n);
        if (s->flag)
            clean(&out->text, begin, true);
        end_piece(out);
    }
}

/* The bytes that t's characters stand for. False: one stands for none. */
static bool add_bytes(Pieces *out, Str t)
{
    size_t begin = out->text.n;
    int len;
    for (size_t i = 0; i < t.n; i += (size_t)len) {
        int byte = char_byte(utf8_get(t.p + i, &len));
        char c = (char)byte;
        if (byte < 0) {
            out->text.n = begin;
            return false;
        }
        add(out, &c, 1);
    }
    return true;
}

/* Bytes that are no UTF-8 at s: as many as could have begun a character (Unicode 3.9, "maximal
 * subpart"). */
static size_t broken(const unsigned char *s, size_t n)
{
    size_t want = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2, i = 1;
    unsigned char low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 1;
    for (; i < want && i < n && s[i] >= low && s[i] <= high; i++) {
        low = 0x80;
        high = 0xbf;
    }
    return i;
}

static void add_lossy(Pieces *out, const char *p, size_t n)
{
    while (n) {
        size_t good = utf8_check(p, n);
        add(out, p, good);
        p += good;
        n -= good;
        if (n) {
            size_t bad = broken((const unsigned char *)p, n);
            add(out, "\xef\xbf\xbd", 3);
            p += bad;
            n -= bad;
        }
    }
}

static void byte_level(const Step *s, Pieces *in, Pieces *out)
{
    Pieces bytes = {0};
    (void)s;
    for (size_t i = 0; i < in->n; i++) {
        Str t = piece(in, i);
        if (!add_bytes(&bytes, t))
            add(&bytes, t.p, t.n);
    }
    add_lossy(out, bytes.text.p, bytes.text.n);
    end_piece(out);
    free(bytes.text.p);
}

static void metaspace(const Step *s, Pieces *in, Pieces *out)
{
    Str from = str_of(s->from, s->nfrom);
    for (size_t i = 0; i < in->n; i++) {
        add_replaced(out, piece(in, i), from, str_of(" ", i || !s->flag));
        end_piece(out);
    }
}

static void suffix(const Step *s, Pieces *in, Pieces *out)
{
    Str from = str_of(s->from, s->nfrom);
    for (size_t i = 0; i < in->n; i++) {
        add_replaced(out, piece(in, i), from, str_of(" ", i + 1 < in->n));
        end_piece(out);
    }
}

static void replaced_regex(const Step *s, Pieces *in, Pieces *out)
{
    RegexWork *w = regexwork_new();
    for (size_t i = 0; i < in->n; i++) {
        RegexScan scan = {0};
        Str t = piece(in, i);
        size_t done = 0, begin, end;
        while (regex_next(s->regex, w, t, &scan, &begin, &end) > 0) {
            add(out, t.p + done, begin - done);
            add(out, s->to, s->nto);
            done = end;
        }
        add(out, t.p + done, t.n - done);
        end_piece(out);
    }
    regexwork_free(w);
}

static void replaced(const Step *s, Pieces *in, Pieces *out)
{
    for (size_t i = 0; i < in->n; i++) {
        add_replaced(out, piece(in, i), str_of(s->from, s->nfrom), str_of(s->to, s->nto));
        end_piece(out);
    }
}

/* The byte that <0x0A> stands for, or -1. */
static int named_byte(Str t)
{
    static const char hex[] = "0123456789abcdef0123456789ABCDEF";
    const char *high, *low;
    if (t.n != 6 || memcmp(t.p, "<0x", 3) != 0 || t.p[5] != '>' || !t.p[3] || !t.p[4])
        return -1;
    high = t.p[3] == '+' ? hex : strchr(hex, t.p[3]); /* the reference's numbers have signs */
    low = strchr(hex, t.p[4]);
    return high && low ? (int)((high - hex) % 16 * 16 + (low - hex) % 16) : -1;
}

/* Ends a run of bytes: the text they are, or a replacement character for each. */
static void end_bytes(Buf *bytes, Pieces *out)
{
    if (bytes->n && utf8_check(bytes->p, bytes->n) == bytes->n) {
        add(out, bytes->p, bytes->n);
        end_piece(out);
    } else {
        for (size_t i = 0; i < bytes->n; i++) {
            add(out, "\xef\xbf\xbd", 3);
            end_piece(out);
        }
    }
    bytes->n = 0;
}

static void byte_fallback(const Step *s, Pieces *in, Pieces *out)
{
    Buf bytes = {0};
    (void)s;
    for (size_t i = 0; i < in->n; i++) {
        Str t = piece(in, i);
        int byte = named_byte(t);
        if (byte >= 0) {
            char c = (char)byte;
            buf_add(&bytes, &c, 1);
            continue;
        }
        end_bytes(&bytes, out);
        add(out, t.p, t.n);
        end_piece(out);
    }
    end_bytes(&bytes, out);
    free(bytes.p);
}

static void fuse(const Step *s, Pieces *in, Pieces *out)
{
    (void)s;
    add(out, in->text.p, in->text.n);
    end_piece(out);
}

static void strip(const Step *s, Pieces *in, Pieces *out)
{
    for (size_t i = 0; i < in->n; i++) {
        Str t = piece(in, i);
        for (int64_t k = 0; k < s->start && t.n >= s->nfrom; k++) {
            if (memcmp(t.p, s->from, s->nfrom) != 0)
                break;
            t.p += s->nfrom;
            t.n -= s->nfrom;
        }
        for (int64_t k = 0; k < s->stop && t.n >= s->nfrom; k++) {
            if (memcmp(t.p + t.n - s->nfrom, s->from, s->nfrom) != 0)
                break;
            t.n -= s->nfrom;
        }
        add(out, t.p, t.n);
        end_piece(out);
    }
}

/* ---- from tokenizer.json ---- */

/* What is sought, which must be something; `one`: a single character. */
static int sought(Step *s, const char *text, const char *key, bool one, Err *e)
{
    int len = 0;
    if (e->text[0])
        return -1;
    if (!text || !*text || (one && (utf8_get(text, &len), text[len])))
        return err_set(e, "%s is not %s", key, one ? "one character" : "a text");
    s->from = mem_str(text);
    s->nfrom = strlen(text);
    return 0;
}

static int read_wordpiece(Step *s, const json_t *o, Err *e)
{
    s->run = word_piece;
    s->from = mem_str(json_get_str(o, "prefix", "##", e));
    s->nfrom = strlen(s->from);
    s->flag = json_get_bool(o, "cleanup", true, e);
    return 0;
}

static int read_metaspace(Step *s, const json_t *o, Err *e)
{
    s->run = metaspace;
    s->flag = json_get_bool(o, "add_prefix_space", true, e) &&
              strcmp(json_get_str(o, "prepend_scheme", "always", e), "never") != 0;
    return sought(s, json_get_str(o, "replacement", "\xe2\x96\x81", e), "replacement", true, e);
}

static int read_bpe(Step *s, const json_t *o, Err *e)
{
    s->run = suffix;
    return sought(s, json_get_str(o, "suffix", "</w>", e), "suffix", false, e);
}

static int read_replace(Step *s, const json_t *o, Err *e)
{
    const json_t *pattern = json_object_get(o, "pattern");
    const char *regex = json_get_str(pattern, "Regex", NULL, e);
    s->run = regex ? replaced_regex : replaced;
    s->to = mem_str(json_get_str(o, "content", "", e));
    s->nto = strlen(s->to);
    if (regex)
        return (s->regex = regex_new(regex, e)) ? 0 : -1;
    return sought(s, json_get_str(pattern, "String", NULL, e), "pattern", false, e);
}

static int read_strip(Step *s, const json_t *o, Err *e)
{
    s->run = strip;
    s->start = json_get_int(o, "start", 0, e);
    s->stop = json_get_int(o, "stop", 0, e);
    return sought(s, json_get_str(o, "content", NULL, e), "content", true, e);
}

static const struct {
    const char *type;
    Run *run;
    int (*read)(Step *s, const json_t *o, Err *e);
} kinds[] = {
    {"WordPiece", NULL, read_wordpiece},
    {"ByteLevel", byte_level, NULL},
    {"Metaspace", NULL, read_metaspace},
    {"BPEDecoder", NULL, read_bpe},
    {"Replace", NULL, read_replace},
    {"ByteFallback", byte_fallback, NULL},
    {"Fuse", fuse, NULL},
    {"Strip", NULL, read_strip},
};

static int read_decoder(Decoder *d, const json_t *o, Err *e);

static int read_sequence(Decoder *d, const json_t *list, Err *e)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (read_decoder(d, json_array_get(list, i), e) < 0)
            return -1;
    return 0;
}

static int read_decoder(Decoder *d, const json_t *o, Err *e)
{
    const char *type = json_get_str(o, "type", "without a type", NULL);
    if (strcmp(type, "Sequence") == 0)
        return read_sequence(d, json_object_get(o, "decoders"), e);
    if (d->steps == STEPS_MAX)
        return err_set(e, "a decoder of over %d steps is not supported", STEPS_MAX);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].type, type) != 0)
            continue;
        Step *s = &d->step[d->steps++];
        s->run = kinds[i].run;
        int bad = kinds[i].read && kinds[i].read(s, o, e) < 0;
        return bad || e->text[0] ? err_at(e, "decoder %s", type) : 0;
    }
    return err_set(e,
                   "decoder '%s' is not supported: WordPiece, ByteLevel, Metaspace, "
                   "BPEDecoder, Replace, ByteFallback, Fuse, Strip and Sequence are",
                   type);
}

int decoder_new(Decoder **d, const json_t *o, Err *e)
{
    *d = NULL;
    if (!o || json_is_null(o))
        return 0;
    *d = mem_zero(1, sizeof **d);
    return read_decoder(*d, o, e);
}

void decoder_free(Decoder *d)
{
    for (int i = 0; d && i < d->steps; i++) {
        free(d->step[i].from);
        free(d->step[i].to);
        regex_free(d->step[i].regex);
    }
    free(d);
}

void decoder_run(const Decoder *d, const Str *token, size_t n, Buf *out)
{
    Pieces a = {0}, b = {0}, *in = &a, *to = &b;
    for (size_t i = 0; i < n; i++) {
        if (!d && i)
            add(in, " ", 1);
        add(in, token[i].p, token[i].n);
        end_piece(in);
    }
    for (int i = 0; d && i < d->steps; i++) {
        Pieces *done = in;
        to->n = to->text.n = 0;
        d->step[i].run(&d->step[i], in, to);
        in = to;
        to = done;
    }
    buf_add(out, in->text.p, in->text.n);
    free(a.text.p);
    free(b.text.p);
    free(a.end);
    free(b.end);
}
