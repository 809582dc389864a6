#include "filter/tokenise_texts.h"

#include "base/msg.h"
#include "model/find.h"
#include "model/model_tokenizer.h"
#include "model/modules.h"
#include "model/task_prefix.h"
#include "rows/tokenise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How many of a row's tokens are the prefix's, as sentence-transformers counts them: those of the
 * prefix alone, without what may end a row. */
static int64_t prompt_tokens(const Tokenizer *t, const char *prefix)
{
    const Template *row = tokenizer_template(t, false);
    TokWork *w = tokwork_new(t);
    Tokens out = {0};
    tokenizer_encode(t, w, str_of(prefix, strlen(prefix)), 0, &out);
    int64_t n = (int64_t)out.n + row->specials;
    if (row->count && row->item[row->count - 1].kind == ITEM_SPECIAL)
        n--;
    tokens_free(&out);
    tokwork_free(w);
    return n;
}

/* What stands before each text: what the task wants, or the model by itself. */
static int set_prefix(TokeniseTexts *t, Err *e)
{
    TextOptions *o = t->options;
    RowSpec *r = &o->rows;
    Modules m;
    if (o->task) {
        r->prefix = t->prefix = task_prefix(t->folder, o->task, e);
    } else if (!r->prefix && !r->pair && !r->candidates && !o->ids && o->input.kind != REC_CONLL) {
        r->prefix = t->prefix = default_prefix(t->folder, e);
        if (t->prefix && *t->prefix)
            msg_note("each text begins with the model's '%s' (--prefix '' for none)", t->prefix);
    }
    if (e->text[0] || !t->tokenizer || !r->prefix || !*r->prefix)
        return e->text[0] ? -1 : 0;
    int bad = modules_read(t->folder, &m, e);
    if (m.count)
        snprintf(t->prompt, sizeof t->prompt, "%" PRId64, prompt_tokens(t->tokenizer, r->prefix));
    modules_clear(&m);
    return bad;
}

/* The tokenizer and the model's name. Rows of ids need no model, but name the one given. */
static int load(TokeniseTexts *t, Err *e)
{
    TextOptions *o = t->options;
    const char *given = t->common->model, *env = getenv("WEFT_MODEL");
    if (o->ids && !given && !(env && *env))
        return 0;
    t->folder = model_find(given, e);
    char *from = t->folder ? model_tokenizer_folder(t->folder, e) : NULL;
    if (from) {
        t->model_name = model_name(given, t->folder);
        t->tokenizer = o->ids ? NULL : model_tokenizer(from, e);
    }
    bool bad = !from || (!o->ids && !t->tokenizer);
    int32_t id = t->tokenizer ? tokenizer_special(t->tokenizer, TOK_MASK) : -1;
    if (id >= 0) /* `head` need not read the tokenizer for it */
        snprintf(t->mask, sizeof t->mask, "%" PRId32, id);
    free(from);
    return bad ? -1 : 0;
}

/* How long a row may be, once the model is known. */
static int set_length(TokeniseTexts *t, Err *e)
{
    TextOptions *o = t->options;
    RowSpec *r = &o->rows;
    r->tokenizer = t->tokenizer;
    r->max = o->max >= 0 ? o->max : t->tokenizer ? tokenizer_max_length(t->tokenizer) : 0;
    if (!t->tokenizer)
        return 0;
    int own = tokenizer_template(t->tokenizer, r->pair || r->candidates)->specials;
    if (r->max && r->max <= own)
        return err_usage(e, "-n %" PRId64 " leaves no room for text: special tokens alone are %d",
                         r->max, own);
    if (r->stride >= 0 && !r->max)
        return err_usage(e, "-S needs a length of windows: the model has no maximum, give -n N");
    return 0;
}

/* transformers' class refuses words without the space that they have within texts, too. */
static int check_words(const TokeniseTexts *t, Err *e)
{
    if (t->options->input.kind != REC_CONLL || !tokenizer_bare_words(t->tokenizer))
        return 0;
    return err_set(e,
                   "%s: its tokenizer puts no space before words that come by themselves, which "
                   "its model has not seen so: say add_prefix_space true in "
                   "tokenizer_config.json",
                   t->model_name);
}

int tokenise_texts_open(TokeniseTexts *t, Err *e)
{
    return load(t, e) < 0 ? -1 : check_words(t, e);
}

int tokenise_texts_fit(TokeniseTexts *t, Err *e)
{
    return t->folder && set_prefix(t, e) < 0 ? -1 : set_length(t, e);
}

/* A table whose lines are taken for texts, header and commas included. */
static void note_table(const TextOptions *o, char **files, int nfiles)
{
    for (int i = 0; o->input.kind == REC_LINES && !o->ids && i < nfiles; i++) {
        const char *dot = strrchr(files[i], '.');
        bool csv = dot && strcasecmp(dot, ".csv") == 0, tsv = dot && strcasecmp(dot, ".tsv") == 0;
        if (!csv && !tsv)
            continue;
        msg_note("%s: each line is a row, whole: -c COLUMN%s reads a column of the table", files[i],
                 tsv ? " -d '\\t'" : "");
        return;
    }
}

/* Key and value of what each frame says. */
static void list_meta(const TokeniseTexts *t, const char *meta[TOKENISE_META][2])
{
    const TextOptions *o = t->options;
    const char *const said[TOKENISE_META][2] = {
        {"model", t->model_name},
        {"vocab", t->tokenizer ? tokenizer_fingerprint(t->tokenizer) : NULL},
        {"mask", *t->mask ? t->mask : NULL},
        {"labels", o->labels_json},
        {"candidates", o->candidates_json},
        {"prompt", *t->prompt ? t->prompt : NULL},
        {"prefix", o->rows.prefix && *o->rows.prefix ? o->rows.prefix : NULL},
        {"task", o->task}};
    memcpy(meta, said, sizeof said);
}

void tokenise_texts_tell(const TokeniseTexts *t, Frame *f)
{
    const char *meta[TOKENISE_META][2];
    list_meta(t, meta);
    for (int i = 0; i < TOKENISE_META; i++)
        if (meta[i][1])
            frame_set_meta(f, meta[i][0], meta[i][1]);
}

void tokenise_texts_told_cut(const TokeniseTexts *t, int64_t rows)
{
    if (rows)
        msg_note("%" PRId64 " row%s cut to %" PRId64 " tokens", rows, rows == 1 ? "" : "s",
                 t->options->rows.max);
}

int tokenise_texts_run(const TokeniseTexts *t, char **files, int nfiles, Out *out, Err *e)
{
    const TextOptions *o = t->options;
    int64_t n = 0;
    note_table(o, files, nfiles);
    Tokenise in = {.files = files,
                   .nfiles = nfiles,
                   .input = &o->input,
                   .rows = &o->rows,
                   .fields = &o->fields,
                   .threads = t->common->threads};
    list_meta(t, in.meta);
    if (tokenise_run(&in, out, &n, e) < 0)
        return -1;
    tokenise_texts_told_cut(t, n);
    return 0;
}

void tokenise_texts_close(TokeniseTexts *t)
{
    tokenizer_free(t->tokenizer);
    free(t->folder);
    free(t->model_name);
    free(t->prefix);
}
