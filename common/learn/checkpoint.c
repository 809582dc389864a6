#include "learn/checkpoint.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/outfile.h"
#include "learn/train_record.h"
#include "store/jsonfile.h"
#include "store/safetensors.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char state_json[] = "state.json", state_tensors[] = "state.safetensors";

/* ---- which there are ---- */

/* N of "checkpoint-N"; -1: it is called otherwise. */
static int64_t number_of(const char *name)
{
    static const char start[] = "checkpoint-";
    int64_t step;
    return strncmp(name, start, sizeof start - 1) == 0 &&
                   num_int(name + sizeof start - 1, 0, INT64_MAX, &step, NULL) == 0
               ? step
               : -1;
}

/* The same of one whose state is there. */
static int64_t step_of(const char *dir, const char *name)
{
    int64_t step = number_of(name);
    if (step < 0)
        return -1;
    char *folder = mem_fmt("%s/%s", dir, name);
    bool is = file_exists(folder, state_json);
    free(folder);
    return is ? step : -1;
}

static int falling(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

/* Their steps, the newest first, to be freed. */
static int64_t *steps_of(const char *dir, int64_t *n)
{
    int64_t *step = NULL, room = 0;
    DIR *d = opendir(dir);
    *n = 0;
    for (struct dirent *it; d && (it = readdir(d));) {
        int64_t s = step_of(dir, it->d_name);
        if (s < 0)
            continue;
        if (*n == room) {
            room = room ? 2 * room : 16;
            step = mem_resize(step, (size_t)room, sizeof *step);
        }
        step[(*n)++] = s;
    }
    if (d)
        closedir(d);
    if (*n)
        qsort(step, (size_t)*n, sizeof *step, falling);
    return step;
}

static char *path_of(const char *dir, int64_t step)
{
    return mem_fmt("%s/checkpoint-%lld", dir, (long long)step);
}

char *checkpoint_newest(const char *dir)
{
    int64_t n, *step = steps_of(dir, &n);
    char *path = n ? path_of(dir, step[0]) : NULL;
    free(step);
    return path;
}

bool checkpoint_any(const char *dir)
{
    char *path = checkpoint_newest(dir);
    free(path);
    return path != NULL;
}

/* A folder and its files; one that is half gone is no checkpoint, its state goes first. */
static int remove_folder(const char *folder, Err *e)
{
    char *state = mem_fmt("%s/%s", folder, state_json);
    int status = unlink(state) < 0 && errno != ENOENT ? err_sys(e, "%s", state) : 0;
    DIR *d = status == 0 ? opendir(folder) : NULL;
    free(state);
    for (struct dirent *it; d && (it = readdir(d));) {
        char *path = mem_fmt("%s/%s", folder, it->d_name);
        if (strcmp(it->d_name, ".") != 0 && strcmp(it->d_name, "..") != 0 && unlink(path) < 0)
            status = err_sys(e, "%s", path);
        free(path);
    }
    if (d)
        closedir(d);
    return status == 0 && rmdir(folder) < 0 ? err_sys(e, "%s", folder) : status;
}

int checkpoint_clear(const char *dir, int64_t keep, Err *e)
{
    int64_t n, *step = steps_of(dir, &n);
    int status = 0;
    for (int64_t i = keep; i < n && status == 0; i++) {
        char *path = path_of(dir, step[i]);
        status = remove_folder(path, e);
        free(path);
    }
    free(step);
    return status;
}

int checkpoint_sweep(const char *dir, Err *e)
{
    DIR *d = opendir(dir);
    int status = 0;
    for (struct dirent *it; d && status == 0 && (it = readdir(d));) {
        bool begun = fnmatch("checkpoint-*.tmp.*", it->d_name, 0) == 0;
        bool half_gone = number_of(it->d_name) >= 0 && step_of(dir, it->d_name) < 0;
        if (!begun && !half_gone)
            continue;
        char *path = mem_fmt("%s/%s", dir, it->d_name);
        status = remove_folder(path, e);
        free(path);
    }
    if (d)
        closedir(d);
    return status;
}

/* ---- writing ---- */

static StView flat(const char *name, DType type, const void *p, const int64_t *n)
{
    return (StView){.name = name,
                    .type = type,
                    .rank = 1,
                    .shape = n,
                    .data = p,
                    .bytes = (size_t)*n * dtype_size(type)};
}

static int64_t table_rows(const Learner *l)
{
    return l->seen ? l->params->param[l->table].rows : 0;
}

static int write_tensors(const char *path, Learner *l, Fit *f, const FitState *s, Err *e)
{
    static const char *const names[] = {"m", "v"};
    float *piece[2] = {0}, *host[2] = {0};
    int64_t numbers = l->params->numbers, rows = table_rows(l), trained;
    StView v[4];
    int n = 0, pieces = optim_state(fit_optim(f), piece, &trained), status = 0;
    for (int i = 0; i < pieces && status == 0; i++) {
        if (!(host[i] = learner_bring(l, piece[i], trained, e)))
            status = -1;
        v[n++] = flat(names[i], DT_F32, host[i], &trained);
    }
    if (s->has_best)
        v[n++] = flat("best", DT_F32, s->best_param, &numbers);
    if (rows)
        v[n++] = flat("seen", DT_U8, l->seen, &rows);
    if (status == 0)
        status = st_write(path, v, n, NULL, NULL, 0, e);
    free(host[0]);
    free(host[1]);
    return status;
}

static int write_state(const char *path, const Fit *f, const FitState *s, const json_t *record,
                       Err *e)
{
    json_t *best = s->has_best ? json_pack("{s:I, s:f, s:I}", "step", (json_int_t)s->best_step,
                                           "value", s->best, "worse", (json_int_t)s->worse)
                               : NULL;
    json_t *o = json_pack("{s:I, s:I, s:I, s:b, s:f, s:f, s:I, s:f, s:o*, s:O}", "step",
                          (json_int_t)s->step, "of", (json_int_t)fit_steps(f), "taken",
                          (json_int_t)optim_taken(fit_optim((Fit *)(uintptr_t)f)), "due", s->due,
                          "seconds", s->seconds, "loss", s->loss, "losses", (json_int_t)s->losses,
                          "norm", s->norm, "best", best, "training", record);
    char *text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(o);
    int status = outfile_text(path, text, e);
    free(text);
    return status;
}

static int write_files(OutFolder *o, Learner *l, Fit *f, const ModelFiles *files,
                       const json_t *record, Err *e)
{
    FitState s = fit_state(f);
    float *numbers = learner_numbers(l, e);
    char *training = json_dumps(record, JSON_REAL_PRECISION(RECORD_DIGITS));
    int status = numbers ? files->write(files->ctx, numbers, training, o, e) : -1;
    if (status == 0 && files->beside)
        status = files->beside(files->ctx, numbers, o, e);
    free(numbers);
    free(training);
    if (status == 0)
        status = write_tensors(outfolder_file(o, state_tensors), l, f, &s, e);
    return status == 0 ? write_state(outfolder_file(o, state_json), f, &s, record, e) : -1;
}

static bool never(const char *folder)
{
    (void)folder;
    return false;
}

int checkpoint_write(const char *dir, Learner *l, Fit *f, const ModelFiles *files,
                     const json_t *record, int64_t keep, Err *e)
{
    static const char *const own[] = {NULL};
    static const FolderKind kind = {"train", own, never};
    if (mkdir(dir, 0777) < 0 && errno != EEXIST)
        return err_sys(e, "%s", dir);
    char *path = path_of(dir, fit_state(f).step);
    OutFolder *o = outfolder_new(&kind, path, false, e);
    int status = o ? write_files(o, l, f, files, record, e) : -1;
    if (status == 0)
        status = outfolder_commit(o, e);
    else
        outfolder_abort(o);
    free(path);
    return status == 0 ? checkpoint_clear(dir, keep, e) : -1;
}

/* ---- reading ---- */

static int take_tensor(const StFile *file, const char *name, int64_t n, DType type, void *to,
                       Err *e)
{
    StView v;
    size_t bytes = (size_t)n * dtype_size(type);
    if (st_find(file, name, &v) < 0 || v.type != type || v.bytes != bytes)
        return err_set(e, "%s: no %s of %lld numbers", state_tensors, name, (long long)n);
    memcpy(to, v.data, bytes);
    return 0;
}

static int read_tensors(const char *path, Learner *l, Fit *f, FitState *s, Err *e)
{
    static const char *const names[] = {"m", "v"};
    int64_t numbers = l->params->numbers, rows = table_rows(l), trained;
    float *piece[2] = {0}, *host = mem_array((size_t)numbers, sizeof *host);
    char *name = mem_fmt("%s/%s", path, state_tensors), why[256];
    StFile *file = st_open(name, e);
    int status = file ? 0 : -1, pieces = optim_state(fit_optim(f), piece, &trained);
    for (int i = 0; i < pieces && status == 0; i++) {
        status = take_tensor(file, names[i], trained, DT_F32, host, e);
        l->dev->put(l->dev, piece[i], host, (size_t)trained * sizeof *host);
        if (l->dev->wait(l->dev, why, sizeof why) < 0)
            status = err_set(e, "%s", why);
    }
    if (status == 0 && s->has_best)
        status = take_tensor(file, "best", numbers, DT_F32, s->best_param = host, e);
    if (status == 0 && rows)
        status = take_tensor(file, "seen", rows, DT_U8, l->seen, e);
    if (status == 0)
        fit_go_on(f, s);
    if (file)
        st_close(file);
    free(name);
    free(host);
    return status;
}

static int read_state(const json_t *o, FitState *s, Fit *f, Err *e)
{
    const json_t *best = json_object_get(o, "best");
    Err why = {0};
    *s = (FitState){.step = json_get_int(o, "step", -1, &why),
                    .due = json_get_bool(o, "due", false, &why),
                    .seconds = json_get_real(o, "seconds", 0, &why),
                    .loss = json_get_real(o, "loss", 0, &why),
                    .losses = json_get_int(o, "losses", 0, &why),
                    .norm = json_get_real(o, "norm", 0, &why),
                    .has_best = best != NULL};
    if (best) {
        s->best_step = json_get_int(best, "step", 0, &why);
        s->best = json_get_real(best, "value", 0, &why);
        s->worse = json_get_int(best, "worse", 0, &why);
    }
    optim_set_taken(fit_optim(f), json_get_int(o, "taken", 0, &why));
    return *why.text || s->step < 0 ? err_set(e, "%s: it is no state of a training", state_json)
                                    : 0;
}

static int read_numbers(const char *path, Learner *l, const ModelFiles *files, Err *e)
{
    size_t bytes = (size_t)l->params->numbers * sizeof(float);
    float *numbers = learner_numbers(l, e);
    char why[256];
    int status = numbers ? files->read(files->ctx, path, numbers, e) : -1;
    if (status == 0) {
        l->dev->put(l->dev, l->param, numbers, bytes);
        status = l->dev->wait(l->dev, why, sizeof why) < 0 ? err_set(e, "%s", why) : 0;
    }
    if (status == 0)
        l->kind->changed(l);
    free(numbers);
    return status;
}

int checkpoint_read(const char *path, Learner *l, Fit *f, const ModelFiles *files,
                    const json_t *record, Err *e)
{
    FitState s;
    json_t *o = jsonfile_load(path, state_json, false, e);
    int status = o ? read_state(o, &s, f, e) : -1;
    if (status == 0)
        status = train_record_agrees(json_object_get(o, "training"), record, e);
    if (status == 0)
        status = read_numbers(path, l, files, e);
    if (status == 0)
        status = read_tensors(path, l, f, &s, e);
    json_decref(o);
    return status < 0 ? err_at(e, "%s", path) : 0;
}
