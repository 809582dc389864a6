#include "learn/train_output.h"

#include "base/mem.h"
#include "learn/model_adapter.h"
#include "learn/model_save.h"
#include "learn/train_record.h"
#include "store/jsonfile.h"

#include <stdlib.h>
#include <string.h>

json_t *train_output_record(const char *dir)
{
    Err e = {0};
    json_t *config = jsonfile_load(dir, "config.json", true, &e);
    json_t *record = json_incref(json_object_get(config, "training"));
    json_decref(config);
    return record;
}

/* Made by train: finished, or with checkpoints alone. */
static bool is_ours(const char *dir)
{
    json_t *record = train_output_record(dir);
    json_decref(record);
    return record || (checkpoint_any(dir) && !file_exists(dir, "config.json"));
}

static const char *const own[] = {"config.json",
                                  "model.safetensors",
                                  "head.safetensors",
                                  ADAPTER_CONFIG,
                                  ADAPTER_TENSORS,
                                  MODEL_FILES_COPIED,
                                  NULL};
static const FolderKind kind = {"train", own, is_ours};

static int cannot_go_on(const TrainSpec *t, Err *e)
{
    json_t *record = train_output_record(t->output);
    json_decref(record);
    if (record || checkpoint_any(t->output))
        return 0;
    return err_set(e, "%s has no checkpoint to go on from: leave --resume out", t->output);
}

int train_output_check(const TrainSpec *t, Err *e)
{
    if (t->resume)
        return cannot_go_on(t, e);
    if (!t->force && checkpoint_any(t->output))
        return err_set(e,
                       "%s holds checkpoints: --resume goes on from the newest, --force begins "
                       "anew",
                       t->output);
    return outfolder_check(&kind, t->output, t->force, e);
}

int train_output_write(const TrainSpec *t, const ModelFiles *files, const float *numbers,
                       const json_t *training, Err *e)
{
    bool replace = t->force || checkpoint_any(t->output);
    OutFolder *o = outfolder_new(&kind, t->output, replace, e);
    char *text = json_dumps(training, JSON_REAL_PRECISION(RECORD_DIGITS));
    int status = o ? files->write(files->ctx, numbers, text, o, e) : -1;
    free(text);
    if (status == 0)
        return outfolder_commit(o, e);
    outfolder_abort(o);
    return -1;
}
