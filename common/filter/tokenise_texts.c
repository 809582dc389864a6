#include "filter/tokenise_texts.h"

#include "base/msg.h"
#include "model/find.h"
#include "model/model_tokenizer.h"
#include "model/task_prefix.h"
#include "rows/tokenise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The tokenizer and the model's name. Rows of ids need no model, but name the one given. */
static int load(TokeniseTexts *t, Err *e)
{
    TextOptions *o = t->options;
    const char *given = t->common->model, *env = getenv("WEFT_MODEL");
    if (o->ids && !given && !(env && *env))
        return 0;
    char *folder = model_find(given, e);
    char *from = folder ? model_tokenizer_folder(folder, e) : NULL;
    if (from) {
        t->model_name = model_name(given, folder);
        t->tokenizer = o->ids ? NULL : model_tokenizer(from, e);
    }
    if (from && o->task)
        o->rows.prefix = t->task_prefix = task_prefix(folder, o->task, e);
    bool bad = !from || (!o->ids && !t->tokenizer) || (o->task && !t->task_prefix);
    free(from);
    free(folder);
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
    return load(t, e) < 0 || check_words(t, e) < 0 ? -1 : set_length(t, e);
}

int tokenise_texts_run(const TokeniseTexts *t, char **files, int nfiles, Out *out, Err *e)
{
    const TextOptions *o = t->options;
    int64_t n = 0;
    char mask[16] = "";
    int32_t id = t->tokenizer ? tokenizer_special(t->tokenizer, TOK_MASK) : -1;
    if (id >= 0) /* `head` need not read the tokenizer for it */
        snprintf(mask, sizeof mask, "%" PRId32, id);
    Tokenise in = {.files = files,
                   .nfiles = nfiles,
                   .input = &o->input,
                   .rows = &o->rows,
                   .fields = &o->fields,
                   .threads = t->common->threads,
                   .meta = {{"model", t->model_name},
                            {"vocab", t->tokenizer ? tokenizer_fingerprint(t->tokenizer) : NULL},
                            {"mask", *mask ? mask : NULL},
                            {"labels", o->labels_json},
                            {"candidates", o->candidates_json},
                            {"task", o->task}}};
    if (tokenise_run(&in, out, &n, e) < 0)
        return -1;
    if (n)
        msg_note("%" PRId64 " row%s cut to %" PRId64 " tokens", n, n == 1 ? "" : "s", o->rows.max);
    return 0;
}

void tokenise_texts_close(TokeniseTexts *t)
{
    tokenizer_free(t->tokenizer);
    free(t->model_name);
    free(t->task_prefix);
}
