/* model_setup.h - which model is trained, with which head: what the options, the rows and the
 * checkpoint say together. */
#ifndef WEFT_MODEL_SETUP_H
#define WEFT_MODEL_SETUP_H

#include "learn/model_learner.h"
#include "learn/train_data.h"
#include "text/tokenizer.h"

typedef struct ModelSetup {
    ModelSpec spec;
    char *folder,
        *name; /* of the model (of a new one: that its tokenizer comes from); as streams say */
    Weights *weights; /* the transformer's; NULL: a new model */
    HeadTask task;
    bool goes_on;  /* the checkpoint's head does */
    bool stack;    /* the head is Linear layers of ours */
    PoolKind pool; /* of it */
    int64_t outputs;
    uint8_t *special, *inside; /* by id */
    Tokenizer *tokenizer;      /* where masks are drawn */
} ModelSetup;

/* d->classes is set where the checkpoint's head goes on; then train_data_number() is called.
 * Nothing has been read of the weights yet. */
int model_setup(ModelSetup *m, const TrainSpec *t, TrainData *d, Device *dev, Err *e);
/* Does the parameter learn beside adapters? They do, the head, and what the checkpoint lacks; of
 * masked and next words the head is the model's. */
bool model_setup_adapts(const ModelSetup *m, const Param *p);
/* Its name as the family's class for the objective has it, to be freed; stack: as its class without
 * a head does. */
char *model_setup_name(const ModelSetup *m, const Param *p, bool stack);
void model_setup_clear(ModelSetup *m); /* but not what the learner has taken */

#endif
