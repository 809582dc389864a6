#include "filter/retokenise.h"

#include "base/msg.h"
#include "base/utf8.h"
#include "filter/texts_alone.h"
#include "io/begins.h"
#include "rows/record_batch.h"

#include <stdlib.h>
#include <string.h>

int streams_given(char **files, int nfiles, Err *e)
{
    static char *standard[] = {"-"};
    int streams = 0;
    for (int i = 0; i < (nfiles ? nfiles : 1); i++) {
        const char *name = nfiles ? files[i] : standard[0];
        bool is = strcmp(name, "-") == 0 ? stdin_is_stream() : file_is_stream(name);
        if (i && is != (streams > 0))
            return err_usage(e, "%s is %sa stream, %s is %s: tokenise them apart", files[0],
                             streams ? "" : "not ", name, is ? "one" : "not");
        streams += is;
    }
    return streams > 0;
}

typedef struct Retokenise {
    TokeniseTexts *texts;
    Rows *rows;                  /* NULL: before the first row */
    bool usage;                  /* what is wrong is the command line */
    int64_t before, came, first; /* rows before this frame, its own, those before this part of it */
} Retokenise;

static int begin(Retokenise *r, const Frame *f, Err *e)
{
    RowSpec *spec = &r->texts->options->rows;
    spec->pair = frame_get(f, "row.pair") != NULL;
    if (tokenise_texts_fit(r->texts, e) < 0) {
        r->usage = e->usage;
        return -1;
    }
    r->rows = rows_new(spec);
    return 0;
}

static int check_frame(Retokenise *r, const Frame *f, Err *e)
{
    bool pair = frame_get(f, "row.pair");
    if (!frame_need(f, "row.text", DT_I64, 2, e))
        return -1;
    if (frame_get(f, "token.label"))
        return err_set(e, "its labels are of words, which another model cuts otherwise: tokenise "
                          "the sentences themselves with --conll");
    if (!r->rows)
        return begin(r, f, e);
    if (pair != r->texts->options->rows.pair)
        return err_set(e,
                       "rows with%s a second text behind rows with%s: tokenise the streams apart",
                       pair ? "" : "out", pair ? "out" : "");
    return 0;
}

static bool same_range(const Frame *f, const char *name, int64_t i)
{
    const Tensor *t = frame_get(f, name);
    const int64_t *at = t ? (const int64_t *)t->data + 2 * i : NULL;
    return !at || (at[0] == at[-2] && at[1] == at[-1]);
}

/* Is row i one more window of the text that the row before it is of? They share its bytes. */
static bool is_window(const Frame *f, int64_t i)
{
    const Tensor *t = frame_get(f, "row.source");
    const int64_t *source = t ? t->data : NULL;
    const char *longer = frame_get(f, "row.pair") ? "row.pair" : "row.text";
    return i && source && source[i] == source[i - 1] && frame_get(f, "row.tokens") &&
           same_range(f, "row.text", i) && same_range(f, "row.pair", i) &&
           frame_text(f, longer, i).n;
}

/* As many rows as make about a frame of ids, whole records of them. */
static int64_t part(void *ctx, const Frame *f, int64_t first, Err *e)
{
    Retokenise *r = ctx;
    if (first == 0) {
        r->before += r->came;
        r->came = f->rows;
        if (check_frame(r, f, e) < 0)
            return -1;
    }
    r->first = first;
    size_t bytes = 0;
    int64_t i = first;
    for (; i < f->rows && i - first < FRAME_ROWS && bytes < RECORD_BATCH_BYTES; i++)
        bytes += frame_text(f, "row.text", i).n + frame_text(f, "row.pair", i).n;
    while (i < f->rows && is_window(f, i))
        i++;
    return i - first;
}

/* What records are checked for when they are read. */
static int check_text(Str s, Err *e)
{
    size_t bad = utf8_check(s.p, s.n);
    if (s.n > REC_MAX)
        return err_set(e, "its text is longer than %d bytes", REC_MAX);
    const char *nul = s.n ? memchr(s.p, '\0', s.n) : NULL;
    if (bad < s.n)
        return err_set(e, "its text is not UTF-8: byte %zu", bad + 1);
    return nul ? err_set(e, "its text has a NUL: byte %zu", (size_t)(nul - s.p) + 1) : 0;
}

static int add_row(Rows *rows, const Frame *f, int64_t i, Err *e)
{
    RowIn in = {
        .text = frame_text(f, "row.text", i), .pair = frame_text(f, "row.pair", i), .source = i};
    if (check_text(in.text, e) < 0 || check_text(in.pair, e) < 0 || rows_add(rows, &in, e) < 0) {
        e->row = i + 1;
        return -1;
    }
    return 0;
}

/* The rows of f that the new ones are of, with the tokens that these have. */
static Frame *joined(const Retokenise *r, Frame *f, const Frame *made)
{
    const int64_t *of = frame_get(made, "row.source")->data;
    bool sources = frame_get(f, "row.source");
    texts_alone(f);
    Frame *g = frame_select(f, of, made->rows);
    int64_t *source = sources ? NULL : frame_add(g, "row.source", DT_I64, 1, &made->rows);
    for (int64_t i = 0; source && i < made->rows; i++)
        source[i] = r->before + r->first + of[i];
    for (int i = 0; i < made->count; i++) {
        const Tensor *t = &made->tensor[i];
        if (strcmp(t->name, "row.source") != 0)
            frame_adopt(g, t->name, t->type, t->rank, t->shape, block_share(t->block), t->data);
    }
    g->tokens = made->tokens;
    return g;
}

static int retokenise(void *ctx, Frame *f, Err *e)
{
    Retokenise *r = ctx;
    int bad = 0;
    texts_plain(f); /* harmless to do again */
    for (int64_t i = 0; !bad && i < f->rows; i++)
        if (!is_window(f, i))
            bad = add_row(r->rows, f, i, e);
    Frame *made = rows_take(r->rows);
    if (!bad) {
        frame_replace(f, joined(r, f, made));
        tokenise_texts_tell(r->texts, f);
        if (r->texts->options->rows.stride >= 0) /* a group may have more rows than it had */
            frame_set_meta(f, "group", NULL);
    }
    frame_free(made);
    return bad ? -1 : 0;
}

int retokenise_run(TokeniseTexts *texts, char **files, int nfiles)
{
    Retokenise r = {.texts = texts};
    int status = stream_run_parts(in_open(files, nfiles), out_open(), part, retokenise, &r);
    if (status == 0 && r.rows)
        tokenise_texts_told_cut(texts, rows_cut(r.rows));
    rows_free(r.rows);
    return r.usage ? EXIT_USAGE : status;
}
