/* config_far.c - DeBERTa's disentangled attention, as DebertaV2Config and its modules read it. */
#include "model/config_in.h"

#include "store/jsonfile.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* One of pos_att_type, without the spaces around it. */
static int add_kind(Config *c, const char *s, size_t n, Err *e)
{
    for (; n && *s == ' '; s++)
        n--;
    while (n && s[n - 1] == ' ')
        n--;
    if (n == 3 && strncasecmp(s, "c2p", n) == 0)
        c->far.by_query = true;
    else if (n == 3 && strncasecmp(s, "p2c", n) == 0)
        c->far.by_key = true;
    else if (n)
        return err_set(e, "pos_att_type '%.*s' is not one that weft knows (c2p, p2c)",
                       n < 40 ? (int)n : 40, s);
    return 0;
}

/* "c2p|p2c", or a list. */
static int read_kinds(Config *c, const json_t *j, Err *e)
{
    const json_t *all = json_object_get(j, "pos_att_type");
    size_t i;
    json_t *v;
    json_array_foreach(all, i, v) {
        const char *s = json_is_string(v) ? json_string_value(v) : "?";
        if (add_kind(c, s, strlen(s), e) < 0)
            return -1;
    }
    if (json_is_array(all))
        return 0;
    for (const char *s = json_get_str(j, "pos_att_type", "", e); *s;) {
        size_t n = strcspn(s, "|");
        if (add_kind(c, s, n, e) < 0)
            return -1;
        s += n + (s[n] == '|');
    }
    return e->text[0] ? -1 : 0;
}

static int read_table(Config *c, const json_t *j, Err *e)
{
    Distances *f = &c->far;
    f->buckets = json_get_int(j, "position_buckets", -1, e);
    f->most = json_get_int(j, "max_relative_positions", -1, e);
    if (f->most < 1)
        f->most = c->positions;
    if (f->buckets < 1)
        f->buckets = 0;
    if (!e->text[0] && (f->most > 1 << 20 || f->buckets > 1 << 20 || f->buckets == 1 ||
                        (f->buckets && f->most - 1 <= f->buckets / 2)))
        return err_set(e,
                       "position_buckets %lld and max_relative_positions %lld do not go together",
                       (long long)f->buckets, (long long)f->most);
    f->entries = 2 * (f->buckets ? f->buckets : f->most);
    return e->text[0] ? -1 : 0;
}

int config_far(Config *c, const json_t *j, Err *e)
{
    Distances *f = &c->far;
    if (c->family->positions != POSITIONS_RELATIVE)
        return 0;
    c->unplaced = !json_get_bool(j, "position_biased_input", true, e);
    f->shared = json_get_bool(j, "share_att_key", false, e);
    bool there = json_get_bool(j, "relative_attention", false, e);
    const char *act = json_get_str(j, "pooler_hidden_act", "gelu", e);
    const char *norms = json_get_str(j, "norm_rel_ebd", "none", e);
    int64_t conv = json_get_int(j, "conv_kernel_size", 0, e);
    int64_t pooler = json_get_int(j, "pooler_hidden_size", c->hidden, e);
    if (e->text[0] || read_kinds(c, j, e) < 0 ||
        config_act("pooler_hidden_act", act, &c->pooler_act, e) < 0)
        return -1;
    if (pooler != c->hidden)
        return err_set(e, "pooler_hidden_size %lld is not supported for %s: only hidden_size",
                       (long long)pooler, c->family->type);
    if (conv > 0)
        return err_set(e, "conv_kernel_size %lld is not supported for %s: only 0", (long long)conv,
                       c->family->type);
    f->normed = strcasecmp(norms, "layer_norm") == 0;
    if (!f->normed && strcasecmp(norms, "none") != 0)
        return err_set(e, "norm_rel_ebd '%.40s' is not one that weft knows (layer_norm, none)",
                       norms);
    c->scale = 1 / sqrtf((float)(c->size * (1 + f->by_query + f->by_key)));
    if (!there)
        f->by_query = f->by_key = false;
    return there ? read_table(c, j, e) : 0;
}
