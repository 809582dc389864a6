/* checkpoint.h - a training on the disk: DIR/checkpoint-N is a model folder as it would be if step
 * N were the last, and beside that
 *
 *     state.json           where the run stands, what is best so far, what it was asked for
 *     state.safetensors    the optimizer's moments `m` and `v`, F32 [those that are trained], and
 *                          `best`, F32 [numbers], the parameters one behind the other; `seen` U8
 *                          [rows] of a table
 *
 * What is drawn (orders of rows, masks, dropout) is drawn by seed and step, and drawn again. A
 * checkpoint is there whole or not at all. */
#ifndef WEFT_CHECKPOINT_H
#define WEFT_CHECKPOINT_H

#include "base/outfolder.h"
#include "learn/fit.h"

#include <jansson.h>

/* How a learner's parameters are written and read, by whoever knows the folder's format. */
typedef struct ModelFiles {
    /* Into the folder; `training` is a JSON object for config.json. */
    int (*write)(void *ctx, const float *numbers, const char *training, OutFolder *o, Err *e);
    /* What a checkpoint has beside that, to be read again; NULL: nothing. */
    int (*beside)(void *ctx, const float *numbers, OutFolder *o, Err *e);
    /* Into the numbers that the run began with. */
    int (*read)(void *ctx, const char *folder, float *numbers, Err *e);
    void *ctx;
} ModelFiles;

/* The newest of a folder, to be freed; NULL: it has none. */
char *checkpoint_newest(const char *dir);
bool checkpoint_any(const char *dir);

/* Writes DIR/checkpoint-STEP, for which DIR is made, and removes all but the newest `keep`. */
int checkpoint_write(const char *dir, Learner *l, Fit *f, const ModelFiles *files,
                     const json_t *record, int64_t keep, Err *e);
/* Puts learner and fit where the checkpoint is; fails where its record is of another run. */
int checkpoint_read(const char *path, Learner *l, Fit *f, const ModelFiles *files,
                    const json_t *record, Err *e);
/* Removes a folder's checkpoints, all but the newest `keep`. */
int checkpoint_clear(const char *dir, int64_t keep, Err *e);
/* Removes what a run that was killed had half written, or half removed. */
int checkpoint_sweep(const char *dir, Err *e);

#endif
