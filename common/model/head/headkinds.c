#include "model/head/headkinds.h"

#include <stdio.h>
#include <string.h>

const char *const head_task_names[HEAD_TASKS + 1] = {"class", "mask", "next", "token",
                                                     "span",  "lm",   NULL};

#define ROBERTAS "camembert mpnet roberta xlm-roberta"
#define BARTS "bart mbart"
#define LLAMAS "llama mistral qwen2 qwen3"
#define BERT_WORDS                                                                                 \
    .dense = "cls.predictions.transform.dense", .act = ACT_CONFIG,                                 \
    .norm = "cls.predictions.transform.LayerNorm", .output = "cls.predictions.decoder",            \
    .words = true, .bias = "cls.predictions.bias"
#define ROBERTA_WORDS                                                                              \
    .dense = "lm_head.dense", .act = ACT_GELU, .norm = "lm_head.layer_norm",                       \
    .output = "lm_head.decoder", .words = true, .bias = "lm_head.bias"
#define ELECTRA_WORDS                                                                              \
    .dense = "generator_predictions.dense", .act = ACT_GELU, .narrow = true,                       \
    .norm = "generator_predictions.LayerNorm", .output = "generator_lm_head", .words = true
#define ALBERT_WORDS                                                                               \
    .dense = "predictions.dense", .act = ACT_CONFIG, .narrow = true,                               \
    .norm = "predictions.LayerNorm", .output = "predictions.decoder", .words = true,               \
    .bias = "predictions.bias"
/* Where config.json's `legacy` is false: the matrix is that of the embeddings, whatever is said. */
#define DEBERTA_WORDS                                                                              \
    .dense = "lm_predictions.lm_head.dense", .act = ACT_CONFIG,                                    \
    .norm = "lm_predictions.lm_head.LayerNorm", .output = "embeddings.word_embeddings",            \
    .words = true, .bias = "lm_predictions.lm_head.bias"
/* ModernBERT: every head has it, by one name. */
#define MODERN_DENSE .dense = "head.dense", .act = ACT_GELU, .norm = "head.norm"

static const HeadKind kinds[] = {
    {"albert bert", HEAD_CLASS, FROM_POOLER, .output = "classifier", .drops = HEAD_DROPS_LAST},
    {"deberta-v2", HEAD_CLASS, FROM_FIRST, .dense = "pooler.dense", .act = ACT_POOLER,
     .output = "classifier", .drops = HEAD_DROPS_LAST},
    {"distilbert", HEAD_CLASS, FROM_FIRST, .dense = "pre_classifier", .act = ACT_RELU,
     .output = "classifier", .drops = HEAD_DROPS_LAST},
    {ROBERTAS, HEAD_CLASS, FROM_FIRST, .dense = "classifier.dense", .act = ACT_TANH,
     .output = "classifier.out_proj", .drops = HEAD_DROPS_ALL},
    {"electra", HEAD_CLASS, FROM_FIRST, .dense = "classifier.dense", .act = ACT_GELU,
     .output = "classifier.out_proj", .drops = HEAD_DROPS_ALL},
    {"gpt2 opt " LLAMAS, HEAD_CLASS, FROM_LAST, .output = "score", .bare = true},
    {"modernbert", HEAD_CLASS, FROM_FIRST, MODERN_DENSE, .output = "classifier",
     .drops = HEAD_DROPS_LAST, .pooled = true},
    {BARTS, HEAD_CLASS, FROM_EOS, .dense = "classification_head.dense", .act = ACT_TANH,
     .output = "classification_head.out_proj", .drops = HEAD_DROPS_ALL},

    {"bert", HEAD_MASK, FROM_PICKS, BERT_WORDS},
    {ROBERTAS, HEAD_MASK, FROM_PICKS, ROBERTA_WORDS},
    {"distilbert", HEAD_MASK, FROM_PICKS, .dense = "vocab_transform", .act = ACT_CONFIG,
     .norm = "vocab_layer_norm", .output = "vocab_projector", .words = true},
    {"deberta-v2", HEAD_MASK, FROM_PICKS, BERT_WORDS, .narrow = true},
    {"deberta-v2", HEAD_MASK, FROM_PICKS, DEBERTA_WORDS},
    {"modernbert", HEAD_MASK, FROM_PICKS, .said = true, MODERN_DENSE, .output = "decoder",
     .words = true},
    {"electra", HEAD_MASK, FROM_PICKS, ELECTRA_WORDS},
    {"albert", HEAD_MASK, FROM_PICKS, ALBERT_WORDS},
    {BARTS, HEAD_MASK, FROM_PICKS, .said = true, .output = "lm_head", .words = true, .bare = true,
     .shift = "final_logits_bias"},

    {"bert", HEAD_NEXT, FROM_POOLER, .output = "cls.seq_relationship"},

    {"albert bert deberta-v2 distilbert", HEAD_TOKEN, FROM_TOKENS, .said = true,
     .output = "classifier", .drops = HEAD_DROPS_LAST},
    {"modernbert", HEAD_TOKEN, FROM_TOKENS, .said = true, MODERN_DENSE, .output = "classifier",
     .drops = HEAD_DROPS_LAST},
    {LLAMAS, HEAD_TOKEN, FROM_TOKENS, .said = true, .output = "score", .drops = HEAD_DROPS_LAST},
    {"electra gpt2 mt5 t5 " ROBERTAS, HEAD_TOKEN, FROM_TOKENS, .output = "classifier",
     .drops = HEAD_DROPS_LAST},

    {"albert bert deberta-v2 distilbert electra gpt2 opt " ROBERTAS " " BARTS, HEAD_SPAN,
     FROM_TOKENS, .output = "qa_outputs", .drops = HEAD_DROPS_LAST},

    {"bert", HEAD_LM, FROM_PICKS, .said = true, BERT_WORDS},
    {ROBERTAS, HEAD_LM, FROM_PICKS, .said = true, ROBERTA_WORDS},
    {"electra", HEAD_LM, FROM_PICKS, .said = true, ELECTRA_WORDS},
    {"gpt2 opt " LLAMAS, HEAD_LM, FROM_PICKS, .said = true, .output = "lm_head", .words = true,
     .bare = true},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

Act head_act(const HeadKind *k, const Config *c)
{
    return k->act == ACT_CONFIG ? c->act : k->act == ACT_POOLER ? c->pooler_act : (Act)k->act;
}

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; (p = strstr(p, word)); p += n)
        if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
            return true;
    return false;
}

static bool ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* What the architecture is for: a HeadTask, or -1 where its name says nothing of use here. */
static int task_said(const char *architecture)
{
    static const struct {
        const char *end;
        HeadTask task;
    } said[] = {{"ForSequenceClassification", HEAD_CLASS},
                {"ForMaskedLM", HEAD_MASK},
                {"ForConditionalGeneration", HEAD_MASK},
                {"ForTokenClassification", HEAD_TOKEN},
                {"ForQuestionAnswering", HEAD_SPAN},
                {"ForNextSentencePrediction", HEAD_NEXT},
                {"LMHeadModel", HEAD_LM},
                {"ForCausalLM", HEAD_LM},
                {"DoubleHeadsModel", HEAD_LM}};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (ends_in(architecture, said[i].end))
            return (int)said[i].task;
    return -1;
}

/* Does the checkpoint hold a tensor that only this head has? A matrix that is the embeddings'
 * need not be there, so the layer before it tells, or the architecture alone. */
static bool has_tensor(const HeadKind *k, const Weights *w)
{
    char name[128];
    if (k->words && !k->dense)
        return true;
    snprintf(name, sizeof name, "%s.weight", k->words ? k->dense : k->output);
    return weights_has(w, name);
}

/* Is there another head by these names, and the architecture says that it is that one? */
static bool is_other(const HeadKind *k, const char *family, int said)
{
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].said && (int)kinds[i].task == said && &kinds[i] != k &&
            has_word(kinds[i].families, family) && strcmp(kinds[i].output, k->output) == 0)
            return true;
    return false;
}

const HeadKind *headkind_of(const Config *c, HeadTask task)
{
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].task == task && !kinds[i].shift &&
            has_word(kinds[i].families, c->family->type))
            return &kinds[i];
    return NULL;
}

void headkinds_find(const Config *c, const Weights *w, const HeadKind *kind[HEAD_TASKS])
{
    const char *family = c->family->type;
    int said = task_said(c->architecture);
    for (int t = 0; t < HEAD_TASKS; t++)
        kind[t] = NULL;
    if (ends_in(c->architecture, "ForMultipleChoice")) /* a classifier of another sort */
        return;
    for (int i = 0; i < KINDS; i++) {
        const HeadKind *k = &kinds[i];
        if (has_word(k->families, family) && (!k->said || (int)k->task == said) &&
            !is_other(k, family, said) && has_tensor(k, w))
            kind[k->task] = k;
    }
}
