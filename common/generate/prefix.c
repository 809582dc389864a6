#include "generate/prefix.h"

#include "base/mem.h"
#include "store/safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME = 32 };

static void make(Prefix *p, const Speaker *s, int64_t n)
{
    *p = (Prefix){.layers = speaker_token_layers(s), .wide = speaker_token_wide(s)};
    p->ids = (Ids){mem_array((size_t)n + 1, sizeof(int32_t)), n};
    p->layer = mem_zero((size_t)p->layers + 1, sizeof *p->layer);
    for (int64_t i = 0; i < p->layers; i++)
        p->layer[i] = mem_array((size_t)(n * p->wide) + 1, sizeof(float));
}

void prefix_clear(Prefix *p)
{
    for (int64_t i = 0; p->layer && i < p->layers; i++)
        free(p->layer[i]);
    free(p->layer);
    free(p->ids.id);
    *p = (Prefix){0};
}

/* ---- the file ---- */

static int read_layer(const StFile *f, Prefix *p, int64_t i, Err *e)
{
    char name[NAME];
    StView v;
    snprintf(name, sizeof name, "layer.%" PRId64, i);
    if (st_find(f, name, &v) < 0 || v.type != DT_F32 || v.rank != 2 || v.shape[0] != p->ids.n ||
        v.shape[1] != p->wide)
        return err_set(e, "%s is not F32 [%" PRId64 ", %" PRId64 "]", name, p->ids.n, p->wide);
    memcpy(p->layer[i], v.data, v.bytes);
    return 0;
}

static int read_file(const StFile *f, const Speaker *s, Prefix *p, Err *e)
{
    char own[HASH_TEXT];
    StView v;
    const char *made = st_meta(f, "prefix");
    speaker_identity(s, own);
    if (!made || strcmp(made, own) != 0)
        return err_set(e, "%s: remove it, or give another file",
                       made ? "it was kept by another model, or in another -t"
                            : "it is no file that --cache has made");
    if (st_find(f, "token.id", &v) < 0 || v.type != DT_I32 || v.rank != 1)
        return err_set(e, "token.id is not I32 of one axis");
    make(p, s, v.shape[0]);
    memcpy(p->ids.id, v.data, v.bytes);
    for (int64_t i = 0; i < p->ids.n; i++)
        if (p->ids.id[i] < 0 || p->ids.id[i] >= speaker_config(s)->vocab)
            return err_set(e, "token.id: %d is outside the vocabulary", p->ids.id[i]);
    for (int64_t i = 0; i < p->layers; i++)
        if (read_layer(f, p, i, e) < 0)
            return -1;
    return 0;
}

int prefix_load(const char *path, const Speaker *s, Prefix *p, Err *e)
{
    struct stat st;
    *p = (Prefix){0};
    if (stat(path, &st) < 0)
        return 0;
    StFile *f = st_open(path, e);
    if (!f)
        return -1;
    int r = read_file(f, s, p, e);
    st_close(f);
    if (r == 0)
        return 1;
    prefix_clear(p);
    return err_at(e, "%s", path);
}

int prefix_save(const char *path, const Speaker *s, const Prefix *p, Err *e)
{
    char own[HASH_TEXT], *key[] = {"prefix"}, *value[] = {own};
    int64_t shape[] = {p->ids.n, p->wide};
    size_t n = (size_t)p->layers + 1;
    StView *v = mem_zero(n, sizeof *v);
    char(*name)[NAME] = mem_zero(n, sizeof *name);
    speaker_identity(s, own);
    for (int64_t i = 0; i < p->layers; i++) {
        snprintf(name[i], NAME, "layer.%" PRId64, i);
        v[i] = (StView){.name = name[i],
                        .type = DT_F32,
                        .rank = 2,
                        .shape = shape,
                        .data = p->layer[i],
                        .bytes = (size_t)(p->ids.n * p->wide) * sizeof(float)};
    }
    v[n - 1] = (StView){.name = "token.id",
                        .type = DT_I32,
                        .rank = 1,
                        .shape = shape,
                        .data = p->ids.id,
                        .bytes = (size_t)p->ids.n * sizeof(int32_t)};
    int r = st_write(path, v, (int)n, key, value, 1, e);
    free(name);
    free(v);
    return r;
}

/* ---- the store ---- */

int prefix_take(Prefix *p, Speaker *s, const int32_t *id, int64_t n, const Track *t, Err *e)
{
    make(p, s, n);
    memcpy(p->ids.id, id, (size_t)n * sizeof *id);
    for (int64_t i = 0; i < p->layers; i++)
        track_read(speaker_kept(s), t, i, n, p->layer[i]);
    return speaker_wait(s, e);
}

void prefix_put(const Prefix *p, Speaker *s, Track *t)
{
    track_append(speaker_kept(s), t, p->ids.n);
    for (int64_t i = 0; i < p->layers; i++)
        track_write(speaker_kept(s), t, i, p->ids.n, p->layer[i]);
}
