/* train_spec.h - what `train` is asked to do, and whether it goes together. Where that is wrong it
 * is a usage error. */
#ifndef WEFT_TRAIN_SPEC_H
#define WEFT_TRAIN_SPEC_H

#include "kernels/device.h"
#include "learn/fit.h"
#include "model/head/headfile.h"
#include "model/head/pooling.h"

#define STEPS_MOST (INT64_C(1) << 50)
enum { COUNT_MOST = 1 << 24 }; /* epochs, rows of a batch, batches of a step */

/* What stays as it is. */
typedef enum Freeze { FREEZE_NONE, FREEZE_ENCODER, FREEZE_EMBEDDINGS, FREEZE_LAYERS } Freeze;

typedef enum HeadWish { HEAD_BY_LEARNER, HEAD_WISH_FAMILY, HEAD_WISH_STACK } HeadWish;

typedef struct TrainSpec {
    FitSpec fit;
    const char *output;          /* the folder to make */
    const char *valid, *log;     /* a stream to evaluate on, a file to write; or NULL */
    const char *teacher;         /* a file of soft targets, or NULL */
    const char *class_weight;    /* as class_weights() reads it, or NULL */
    const char *model, *scratch; /* -m; a config.json to begin from; or NULL */
    int objective;               /* an Objective; -1: as the stream or the model tells */
    HeadWish head;
    int layers;                    /* Linear layers of the head */
    int64_t size[HEAD_LAYERS + 1]; /* their widths; the ends are known once the rows are read */
    int pool;                      /* a PoolKind; -1: the family's */
    Freeze freeze;
    int64_t freeze_layers; /* FREEZE_LAYERS: embeddings and so many */
    double dropout;        /* every rate; below 0: the model's own, of heads on vectors none */
    double mask_ratio;
    bool whole_word;
    int64_t lora; /* rank of adapters; 0: none */
    double lora_alpha;
    bool lora_all, lora_only;
    bool again; /* what layers leave for the way back is made again there */
    bool force, init_only, skip, resume;
    int64_t keep; /* checkpoints */
    KType type;
    char **words; /* the command line, for the record */
} TrainSpec;

extern const TrainSpec train_spec_default;

/* The layers of --head: "family", "linear", or "mlp:N[,N...]", hidden ones of N. */
int train_spec_head(TrainSpec *t, const char *text, Err *e);
/* --warmup: a whole number of steps, or a ratio of all steps. */
int train_spec_warmup(TrainSpec *t, const char *text, Err *e);
/* --freeze: "encoder", "embeddings", or a number of layers. */
int train_spec_freeze(TrainSpec *t, const char *text, Err *e);
/* --lora: a rank, or "rank:alpha". */
int train_spec_lora(TrainSpec *t, const char *text, Err *e);
int train_spec_check(const TrainSpec *t, Err *e);
/* What was not given takes the learner's default: of heads on vectors, or of whole models. An
 * option of whole models is refused for vectors. */
int train_spec_settle(TrainSpec *t, bool vectors, Err *e);

#endif
