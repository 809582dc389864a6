/* marian.c - source.spm, target.spm and vocab.json, as transformers' MarianTokenizer reads them:
 * SentencePiece cuts texts, vocab.json numbers what comes out. It has no twin in `tokenizers`. */
#include "base/utf8.h"
#include "text/jsontables.h"
#include "text/sentencepiece/spdecode.h"
#include "text/sentencepiece/spencode.h"
#include "text/tokenizer_in.h"
#include "text/unicode.h"

#include <stdlib.h>

enum { LENGTH = 512 }; /* the class's, where the folder says none */

typedef struct Marian {
    TokModel base;
    const Tokenizer *t;
    Spiece source, target;
    SpEncoder *encoder;
    SpDecoder *decoder;
    int32_t unknown;
} Marian;

/* ---- text to ids ---- */

/* How long the language code (">>fra<<") is that the text begins with; 0: it has none. */
static size_t code_of(Str text)
{
    if (text.n < 4 || memcmp(text.p, ">>", 2) != 0)
        return 0;
    const char *end = memmem(text.p, text.n, "<<", 2);
    return end ? (size_t)(end - text.p) + 2 : 0;
}

static void encode(const TokModel *base, void *work, Str text, int32_t at, size_t limit,
                   Tokens *out)
{
    const Marian *m = (const Marian *)base;
    size_t code = code_of(text);
    if (code) {
        int32_t id = vocab_find(&m->t->vocab, str_of(text.p, code));
        tokens_add(out, id < 0 ? m->unknown : id, at, at + (int32_t)code);
    }
    spencoder_encode(m->encoder, work, str_of(text.p + code, text.n - code), at + (int32_t)code,
                     limit, out);
}

/* ---- tokens to text ---- */

/* Python's str.isspace(). */
static bool is_space(uint32_t cp)
{
    return (uni_class(cp) & UNI_SPACE) || (cp >= 0x1c && cp <= 0x1f);
}

/* b from `from` on: marks become spaces, and white space at both ends goes. */
static void tidy(Buf *b, size_t from)
{
    size_t put = from, begin, end;
    int len;
    for (size_t i = from; i < b->n; i++, put++) {
        bool mark = b->n - i >= 3 && memcmp(b->p + i, "\xe2\x96\x81", 3) == 0;
        b->p[put] = mark ? ' ' : b->p[i];
        i += mark ? 2 : 0;
    }
    for (begin = from; begin < put && is_space(utf8_get(b->p + begin, &len)); begin += (size_t)len)
        ;
    for (end = put; end > begin; end = put) {
        for (put--; put > begin && ((unsigned char)b->p[put] & 0xc0) == 0x80; put--)
            ;
        if (!is_space(utf8_get(b->p + put, &len)))
            break;
    }
    if (end > begin)
        memmove(b->p + from, b->p + begin, end - begin);
    b->n = from + (end - begin);
}

/* What the class adds around runs of pieces: a space behind a special token among them, and one
 * between them and an added one. */
static void put_run(const Marian *m, const Str *token, size_t n, Buf *out)
{
    size_t from = out->n, done = 0;
    for (size_t i = 0; i <= n; i++) {
        bool special = i < n && vocab_find(&m->t->given, token[i]) >= 0;
        if (i < n && !special)
            continue;
        spdecoder_decode(m->decoder, token + done, i - done, out);
        if (special) {
            buf_add(out, token[i].p, token[i].n);
            buf_add(out, " ", 1);
        }
        done = i + 1;
    }
    tidy(out, from);
}

/* Is it an added token that is not special, or that vocab.json lacks? */
static bool is_added(const Tokenizer *t, Str token)
{
    int32_t place = vocab_find(&t->given, token);
    return place >= 0 && (!t->added[place].special || t->added[place].id >= t->vocab.count);
}

static void join(const TokModel *base, const Str *token, size_t n, Buf *out)
{
    const Marian *m = (const Marian *)base;
    Buf part = {0};
    size_t done = 0, parts = 0;
    for (size_t i = 0; i <= n; i++) {
        bool added = i < n && is_added(m->t, token[i]);
        if (i < n && !added)
            continue;
        part.n = 0;
        put_run(m, token + done, i - done, &part);
        if (i > done && (part.n || i == n)) {
            buf_add(out, " ", parts++ > 0);
            buf_add(out, part.p, part.n);
        }
        if (added) {
            buf_add(out, " ", parts++ > 0);
            buf_add(out, token[i].p, token[i].n);
        }
        done = i + 1;
    }
    free(part.p);
}

/* ---- making it ---- */

static void *work_new(const TokModel *base)
{
    (void)base;
    return spwork_new();
}

static void work_free(void *work)
{
    spwork_free(work);
}

static void marian_free(TokModel *base)
{
    Marian *m = (Marian *)base;
    spencoder_free(m->encoder);
    spdecoder_free(m->decoder);
    spiece_free(&m->source);
    spiece_free(&m->target);
    free(m);
}

static int read_spiece(Spiece *s, const TokFolder *from, const char *name, Err *e)
{
    char *path = mem_fmt("%s/%s", from->path, name);
    int bad = spiece_read(s, path, e);
    if (bad)
        *s = (Spiece){0};
    free(path);
    return bad ? err_at(e, "%s", name) : 0;
}

static int read_vocab(Tokenizer *t, const TokFolder *from, Err *e)
{
    char *path = mem_fmt("%s/vocab.json", from->path);
    int bad = jsontables_file(path, &t->vocab, e);
    free(path);
    for (int i = 0; i < 2 && !bad; i++) {
        const char *text = special_text(t, from, i ? TOK_PAD : TOK_UNK);
        if (!text || vocab_find(&t->vocab, str_of(text, strlen(text))) < 0)
            bad = err_set(e, "no '%s' in it", text ? text : i ? "<pad>" : "<unk>");
    }
    return bad ? err_at(e, "vocab.json") : 0;
}

static int set_model(Tokenizer *t, const TokFolder *from, Err *e)
{
    Marian *m = mem_zero(1, sizeof *m);
    const char *unknown = special_text(t, from, TOK_UNK);
    m->base = (TokModel){.work_new = work_new,
                         .work_free = work_free,
                         .encode = encode,
                         .join = join,
                         .free = marian_free};
    m->t = t;
    m->unknown = vocab_find(&t->vocab, str_of(unknown, strlen(unknown)));
    t->model = &m->base;
    if (read_spiece(&m->source, from, "source.spm", e) < 0 ||
        read_spiece(&m->target, from, "target.spm", e) < 0)
        return -1;
    if (!(m->encoder = spencoder_new(&m->source, e)))
        return err_at(e, "source.spm");
    if (!(m->decoder = spdecoder_new(&m->target, e)))
        return err_at(e, "target.spm");
    spencoder_ids(m->encoder, &t->vocab, m->unknown);
    tokenizer_identify(t, "Marian", m->source.bytes.p, m->source.bytes.n);
    return 0;
}

/* The text, and the end. */
static int add_templates(Tokenizer *t, const TokFolder *from, Err *e)
{
    const char *said = tokenizer_said(from, "eos_token"), *text = said ? said : "</s>";
    int32_t end = tokenizer_find(t, str_of(text, strlen(text)));
    if (!said || end < 0) {
        json_t *o = json_string(text);
        int bad = tokenizer_add(t, o, -1, true, e);
        json_decref(o);
        if (bad)
            return -1;
        end = tokenizer_find(t, str_of(text, strlen(text)));
    }
    for (int pair = 0; pair < 2; pair++) {
        Template *to = pair ? &t->pair : &t->single;
        template_add(to, ITEM_FIRST, -1, 0);
        if (pair)
            template_add(to, ITEM_SECOND, -1, 0);
        template_add(to, ITEM_SPECIAL, end, 0);
    }
    return 0;
}

int marian_from_files(Tokenizer *t, const TokFolder *from, Err *e)
{
    if (json_get_bool(from->config, "separate_vocabs", false, e))
        err_set(e, "separate_vocabs is not supported: one vocabulary for both languages is");
    if (json_object_size(json_object_get(from->config, "sp_model_kwargs")))
        err_set(e, "sp_model_kwargs are not supported");
    if (e->text[0])
        return err_at(e, "tokenizer_config.json");
    if (!json_object_get(from->config, "model_max_length"))
        t->max_length = LENGTH;
    return read_vocab(t, from, e) < 0 || set_model(t, from, e) < 0 ||
                   tokenizer_add_said(t, from, e) < 0
               ? -1
               : add_templates(t, from, e);
}
