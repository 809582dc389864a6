#include "report/parameters.h"

#include <string.h>

static bool starts_with(const char *s, const char *begin)
{
    return strncmp(s, begin, strlen(begin)) == 0;
}

/* Is `end` the name's last components? */
static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0 && (n == m || name[n - m - 1] == '.');
}

static bool begins_as(const char *name, const char *const *words, int n)
{
    size_t length = strcspn(name, ".");
    for (int i = 0; i < n; i++)
        if (strlen(words[i]) == length && strncmp(name, words[i], length) == 0)
            return true;
    return false;
}

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static Part part_by_name(const char *name, const char *prefix)
{
    static const char *const layers[] = {"encoder", "decoder", "transformer", "h", "ln_f"};
    static const char *const embeddings[] = {"embeddings", "embeddings_project", "shared", "wte",
                                             "wpe"};
    static const char *const embedders[] = {"embed_tokens", "embed_positions",
                                            "layernorm_embedding"};
    static const char *const pooler[] = {"pooler"};
    bool inside = *prefix && starts_with(name, prefix);
    if (inside)
        name += strlen(prefix);
    const char *dot = strchr(name, '.');
    if (begins_as(name, embeddings, COUNT(embeddings)))
        return PART_EMBEDDINGS;
    if (begins_as(name, pooler, COUNT(pooler)))
        return PART_POOLER;
    if (begins_as(name, layers, COUNT(layers)))
        return dot && begins_as(dot + 1, embedders, COUNT(embedders)) ? PART_EMBEDDINGS
                                                                      : PART_LAYERS;
    return inside ? PART_LAYERS : PART_HEADS;
}

Part parameters_part(const Params *model, const char *name, const char *prefix)
{
    int i = params_find(model, name, prefix);
    return i >= 0 ? model->param[i].part : part_by_name(name, prefix);
}

static bool is_float(DType t)
{
    return t == DT_F32 || t == DT_F16 || t == DT_BF16 || t == DT_F64;
}

/* Positions, masks of old GPT-2 checkpoints, BART's bias for generation. */
static bool is_buffer(const StView *v)
{
    return !is_float(v->type) || (ends_in(v->name, "attn.bias") && v->rank == 4) ||
           ends_in(v->name, "attn.masked_bias") || ends_in(v->name, "final_logits_bias");
}

/* Matrices over the vocabulary: 0 the word embeddings, 1 what is the same in encoders and
 * decoders that have them in common, 2 the output's, 3 another tensor. */
static int vocabulary_rank(const StView *v)
{
    static const struct {
        const char *end;
        int rank;
    } names[] = {{"word_embeddings.weight", 0},
                 {"wte.weight", 0},
                 {"shared.weight", 0},
                 {"embed_tokens.weight", 1},
                 {"predictions.decoder.weight", 2},
                 {"lm_head.weight", 2},
                 {"lm_head.decoder.weight", 2},
                 {"vocab_projector.weight", 2},
                 {"generator_lm_head.weight", 2}};
    for (int i = 0; v->rank == 2 && i < COUNT(names); i++)
        if (ends_in(v->name, names[i].end))
            return names[i].rank;
    return 3;
}

static bool same_shape(const StView *a, const StView *b)
{
    return a->rank == b->rank &&
           memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0;
}

/* Is view[i] another name of a matrix that is counted already? */
static bool is_again(const StView *view, int n, int i, bool tied)
{
    int rank = vocabulary_rank(&view[i]);
    if (rank == 3 || (rank == 2 && !tied))
        return false;
    for (int j = 0; j < n; j++) {
        int other = vocabulary_rank(&view[j]);
        if ((other < rank || (other == rank && j < i)) && same_shape(&view[i], &view[j]))
            return true;
    }
    return false;
}

/* Heads over the vocabulary may have their bias twice: predictions.bias and .decoder.bias. */
static bool is_second_bias(const StView *view, int n, int i)
{
    static const char end[] = "decoder.bias";
    size_t length = strlen(view[i].name);
    if (!ends_in(view[i].name, end))
        return false;
    size_t kept = length - (sizeof end - 1);
    for (int j = 0; j < n; j++)
        if (strlen(view[j].name) == kept + 4 && strncmp(view[j].name, view[i].name, kept) == 0 &&
            strcmp(view[j].name + kept, "bias") == 0)
            return true;
    return false;
}

void parameters_count(const StView *view, int n, bool tied, int64_t *parameters)
{
    for (int i = 0; i < n; i++) {
        bool counts =
            !is_buffer(&view[i]) && !is_again(view, n, i, tied) && !is_second_bias(view, n, i);
        parameters[i] = counts;
        for (int k = 0; k < view[i].rank; k++)
            parameters[i] *= view[i].shape[k];
    }
}
