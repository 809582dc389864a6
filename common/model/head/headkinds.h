/* headkinds.h - the heads that checkpoints have: a table of what each architecture calls their
 * weights, which hidden states they read, and what stands before their last matrix.
 *
 * The reference is transformers' classes of 4.57.6: BertForPreTraining, ...ForMaskedLM,
 * ...ForNextSentencePrediction, ...ForSequenceClassification, ...ForTokenClassification,
 * ...ForQuestionAnswering, ...LMHeadModel, ...ForCausalLM; BART's ...ForConditionalGeneration, by
 * which pipeline("fill-mask") fills masks. */
#ifndef WEFT_HEADKINDS_H
#define WEFT_HEADKINDS_H

#include "model/config.h"
#include "model/weights.h"

typedef enum HeadTask {
    HEAD_CLASS, /* a class for each row */
    HEAD_MASK,  /* words where mask tokens stand */
    HEAD_NEXT,  /* is the second text the first one's next sentence? */
    HEAD_TOKEN, /* a class for each token */
    HEAD_SPAN,  /* where an answer starts and ends */
    HEAD_LM,    /* the next word */
    HEAD_TASKS
} HeadTask;

/* As options and streams say them; NULL behind the last. */
extern const char *const head_task_names[HEAD_TASKS + 1];

/* Which hidden states a head reads. */
typedef enum HeadFrom {
    FROM_POOLER, /* of each row the first, through the encoder's pooler */
    FROM_FIRST,  /* of each row the first */
    FROM_MEAN,   /* of each row the mean */
    FROM_LAST,   /* of each row the last that is no padding */
    FROM_EOS,    /* of each row the last that ends a text */
    FROM_TOKENS, /* all */
    FROM_PICKS,  /* those of mask tokens; of each row the last */
} HeadFrom;

/* What dropout there is while a head learns: of what its last layer reads, of what each layer reads
 * (but a pooler). */
typedef enum HeadDrops { HEAD_DROPS_NONE, HEAD_DROPS_LAST, HEAD_DROPS_ALL } HeadDrops;

/* logits = output(norm(act(dense(x)))), without what is NULL. Names stand for NAME.weight and
 * NAME.bias. */
typedef struct HeadKind {
    const char *families; /* config.json's model_type, one of these words */
    HeadTask task;
    HeadFrom from;
    bool said; /* only where the architecture says so: the names are another's, too */
    const char *dense;
    int act;     /* an Act, or one of those below */
    bool narrow; /* the dense layer leads to the width of the embeddings */
    const char *norm;
    const char *output;
    bool words;        /* outputs are the vocabulary; the matrix may be that of the embeddings */
    bool bare;         /* no bias */
    const char *bias;  /* the bias's name where it is not output.bias alone */
    const char *shift; /* beside it: what is added to the logits, [1, vocabulary], and never learns;
                          absent: nothing */
    HeadDrops drops;
    bool pooled; /* FROM_MEAN where config.json's classifier_pooling says so */
} HeadKind;

/* The layers' activation; pooler_hidden_act. */
enum { ACT_CONFIG = -1, ACT_POOLER = -2 };
Act head_act(const HeadKind *k, const Config *c);

/* FROM_LAST, FROM_EOS: which of a row's n tokens is read, or -1. */
int64_t head_token_of(const Config *c, HeadFrom from, const int32_t *id, int64_t n);
/* The head that a family has for a task, as its class for that has it; NULL: it has none, or one
 * that does not learn. */
const HeadKind *headkind_of(const Config *c, HeadTask task);
/* The heads of a checkpoint, by task; NULL: it has none. */
void headkinds_find(const Config *c, const Weights *w, const HeadKind *kind[HEAD_TASKS]);

#endif
