#include "filter/generate_open.h"

#include "base/msg.h"
#include "filter/filter_device.h"
#include "filter/same_vocab.h"
#include "model/find.h"
#include "model/model_tokenizer.h"
#include "records/records.h"

#include <stdlib.h>
#include <string.h>

/* ---- texts as tokens ---- */

static int add_bad_words(GenerateOpen *o, const char *path, Err *e)
{
    char *files[] = {(char *)(uintptr_t)path};
    RecSpec lines = {.kind = REC_LINES};
    Records *in = rec_open(files, 1, &lines);
    TokWork *w = tokwork_new(o->tokenizer);
    Record r;
    int k;
    while ((k = rec_next(in, &r, e)) > 0) {
        if (k != REC_GOT)
            continue;
        Tokens t = {0};
        tokenizer_encode(o->tokenizer, w, r.field[0], 0, &t);
        Ids ids = {mem_array(t.n + 1, sizeof *ids.id), (int64_t)t.n};
        for (size_t i = 0; i < t.n; i++)
            ids.id[i] = t.id[i];
        tokens_free(&t);
        if (ids.n)
            settings_bad(&o->settings, ids);
        else
            free(ids.id);
    }
    tokwork_free(w);
    rec_close(in);
    return k;
}

static int set_texts(GenerateOpen *o, const GenerateFilter *f, Err *e)
{
    for (int i = 0; i < f->asked.stops; i++)
        settings_stop(&o->settings, f->asked.stop[i]);
    if (!o->settings.stops && !f->bad_words && !f->choices)
        return 0;
    if (!(o->tokenizer = model_tokenizer(o->folder, e)))
        return -1;
    if (f->choices && !(o->choices = choices_new(f->choices, o->tokenizer, e)))
        return -1;
    return f->bad_words ? add_bad_words(o, f->bad_words, e) : 0;
}

/* ---- the model ---- */

static const char *task_of(const Frame *frame)
{
    return frame ? frame_meta(frame, "task") : NULL;
}

static void set_task(GenerateOpen *o, const char *asked)
{
    bool known =
        asked && (strcmp(asked, "summarization") == 0 || strncmp(asked, "translation", 11) == 0);
    o->task = mem_str(known                       ? asked
                      : speaker_reads(o->speaker) ? "text2text-generation"
                                                  : "text-generation");
}

static int load(GenerateOpen *o, const GenerateFilter *f, const Frame *frame, Err *e)
{
    const Common *c = f->common;
    const char *given = c->model ? c->model : frame_meta(frame, "model");
    char *found = model_find(given, e);
    if (!found || !(o->folder = model_encoder_folder(found, e)) ||
        !(o->dev = filter_device(c, true, e))) {
        free(found);
        return -1;
    }
    o->name = model_name(given, found);
    free(found);
    if (c->f16)
        return err_usage(e, "-t f16: gen takes f32, bf16 and int8");
    ThinForm form = c->int8 ? THIN_I8 : c->bf16 ? THIN_BF16 : THIN_F32;
    if (!(o->speaker = speaker_load(o->folder, o->dev, form, e)))
        return -1;
    const char *type = speaker_config(o->speaker)->family->type;
    if (settings_load(o->folder, type, task_of(frame), &o->settings, e) < 0)
        return -1;
    settings_replace(&o->settings, &f->asked);
    return set_texts(o, f, e);
}

/* What prompts begin with, from an earlier run. */
static int open_cache(GenerateOpen *o, const char *path, Err *e)
{
    if (speaker_reads(o->speaker))
        return err_usage(e,
                         "--cache: %s reads a text and writes another, so rows have no beginning "
                         "in common",
                         o->name);
    int found = prefix_load(path, o->speaker, &o->prefix, e);
    o->keeps = found == 0;
    return found < 0 ? -1 : 0;
}

int generate_keep(GenerateOpen *o, const GenerateFilter *f, Err *e)
{
    const Prefix *p = o->keeps ? generator_common(o->generator) : NULL;
    if (!p)
        return 0;
    return prefix_save(f->cache, o->speaker, p, e);
}

static int begin(GenerateOpen *o, const GenerateFilter *f, const Frame *frame, Err *e)
{
    if (load(o, f, frame, e) < 0)
        return -1;
    if (f->prompt && speaker_reads(o->speaker))
        return err_usage(e,
                         "--prompt: %s reads a text and writes another, so there is no prompt to "
                         "keep",
                         o->name);
    if (!o->settings.eos.n)
        msg_note("%s has no end token: each answer goes on to its greatest length", o->name);
    set_task(o, task_of(frame));
    if (f->cache && open_cache(o, f->cache, e) < 0)
        return -1;
    GenerateWith with = {.tokenizer = o->tokenizer,
                         .choices = o->choices,
                         .prefix = o->prefix.ids.n ? &o->prefix : NULL,
                         .keep = o->keeps,
                         .seed = f->common->seed,
                         .batch = f->batch};
    o->generator = generator_new(o->speaker, &o->settings, &with, e);
    return o->generator ? 0 : -1;
}

int generate_open(GenerateOpen *o, const GenerateFilter *f, const Frame *frame, Err *e)
{
    if (!o->generator && begin(o, f, frame, e) < 0)
        return -1;
    if (o->checked || !frame)
        return 0;
    o->checked = true;
    return same_vocab(frame, o->name, o->folder, e);
}

void generate_tell(const GenerateOpen *o, const GenerateFilter *f, Frame *frame)
{
    if (f->common->model || !frame_meta(frame, "model"))
        frame_set_meta(frame, "model", o->name);
    frame_set_meta(frame, "task", o->task);
}

void generate_close(GenerateOpen *o)
{
    generator_free(o->generator);
    prefix_clear(&o->prefix);
    speaker_free(o->speaker);
    settings_clear(&o->settings);
    choices_free(o->choices);
    tokenizer_free(o->tokenizer);
    if (o->dev)
        o->dev->close(o->dev);
    free(o->name);
    free(o->folder);
    free(o->task);
}
