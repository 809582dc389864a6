/* frame_check.c - everything that a reader relies on, so that programs need not look again. */
#include "io/frame.h"

#include <inttypes.h>
#include <string.h>

#define BIT(t) (1u << (t))

/* Known tensors (weft-stream(5)); the first axis is checked by name. */
static const struct {
    const char *name; /* or a prefix, when it ends in '.' */
    unsigned types;
    int rank;
    bool range; /* the second axis is [start, end) */
} known[] = {
    {"row.tokens", BIT(DT_I64), 1, false},
    {"row.text", BIT(DT_I64), 2, true},
    {"row.pair", BIT(DT_I64), 2, true},
    {"row.label", BIT(DT_I64), 2, true},
    {"row.keep.", BIT(DT_I64), 2, true},
    {"row.source", BIT(DT_I64), 1, false},
    {"row.start", BIT(DT_I64), 1, false},
    {"row.weight", BIT(DT_F32), 1, false},
    {"row.target", BIT(DT_F32), 2, false},
    {"row.vector", BIT(DT_F32), 2, false},
    {"row.logit", BIT(DT_F32), 2, false},
    {"row.score", BIT(DT_F32), 1, false},
    {"row.finish", BIT(DT_U8), 1, false},
    {"token.id", BIT(DT_I32), 1, false},
    {"token.part", BIT(DT_U8), 1, false},
    {"token.type", BIT(DT_U8), 1, false},
    {"token.span", BIT(DT_I32), 2, true},
    {"token.label", BIT(DT_I64), 2, true},
    {"token.hidden", BIT(DT_F32) | BIT(DT_BF16), 2, false},
    {"token.logit", BIT(DT_F32), 2, false},
    {"token.logprob", BIT(DT_F32), 1, false},
    {"pick.token", BIT(DT_I64), 1, false},
    {"pick.logit", BIT(DT_F32), 2, false},
};

static bool is(const char *name, const char *pattern)
{
    size_t n = strlen(pattern);
    return pattern[n - 1] == '.' ? strncmp(name, pattern, n) == 0 : strcmp(name, pattern) == 0;
}

/* Type, rank and bytes of a known tensor. */
static int check_known(const Frame *f, const Tensor *t, Err *e)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!is(t->name, known[i].name))
            continue;
        if (!(known[i].types & BIT(t->type)))
            return err_set(e, "%.100s must not be of type %s", t->name, dtype_name(t->type));
        if (t->rank != known[i].rank)
            return err_set(e, "%.100s has %d axes, not %d", t->name, t->rank, known[i].rank);
        if (known[i].range && t->shape[1] != 2)
            return err_set(e, "%.100s holds %" PRId64 " numbers a place, not 2", t->name,
                           t->shape[1]);
        if (known[i].range && t->type == DT_I64 && !tensor_bytes(f, t))
            return err_set(e, "%.100s has no bytes to point into (%.100s.utf8)", t->name,
                           strchr(t->name, '.') + 1);
        return 0;
    }
    return 0;
}

/* n and t, from row.tokens if it is there, else n from the first row tensor. */
static int find_axes(Frame *f, Err *e)
{
    f->rows = f->tokens = 0;
    const Tensor *ends = frame_get(f, "row.tokens");
    for (int i = 0; !ends && i < f->count; i++)
        if (tensor_axis(f->tensor[i].name) == AXIS_ROW && f->tensor[i].rank > 0) {
            f->rows = f->tensor[i].shape[0];
            return 0;
        }
    if (!ends)
        return 0;
    if (check_known(f, ends, e) < 0)
        return -1;
    if (ends->shape[0] < 1)
        return err_set(e, "row.tokens is empty: it holds one number more than there are rows");
    const int64_t *at = ends->data;
    f->rows = ends->shape[0] - 1;
    if (at[0] != 0)
        return err_set(e, "row.tokens begins with %" PRId64 ", not 0", at[0]);
    for (int64_t i = 0; i < f->rows; i++)
        if (at[i + 1] < at[i])
            return err_set(e, "row.tokens falls at row %" PRId64, i + 1);
    f->tokens = at[f->rows];
    return 0;
}

/* A header of a hundred bytes may claim any number of rows of nothing, and who reads them would be
 * long about it: each row, and each token, stands in a tensor that holds something of it. */
static int check_claim(const Frame *f, int64_t n, bool tokens, Err *e)
{
    for (int i = 0; i < f->count; i++) {
        const Tensor *t = &f->tensor[i];
        Axis axis = tensor_axis(t->name);
        bool counts = tokens ? axis == AXIS_TOKEN : axis == AXIS_ROW || axis == AXIS_ROW1;
        if (counts && t->bytes && t->shape[0] - (axis == AXIS_ROW1) == n)
            return 0;
    }
    const char *what = tokens ? "tokens" : "rows";
    return n ? err_set(e, "it claims %" PRId64 " %s, but no tensor of %s holds anything", n, what,
                       what)
             : 0;
}

static int check_axis(const Frame *f, const Tensor *t, int64_t picks, Err *e)
{
    static const char *const what[] = {"rows", "ends of rows", "tokens", "picked tokens"};
    int64_t n[] = {f->rows, f->rows + 1, f->tokens, picks};
    Axis axis = tensor_axis(t->name);
    if (axis == AXIS_OTHER)
        return 0;
    if (t->rank < 1)
        return err_set(e, "%.100s has no axis of %s", t->name, what[axis]);
    if (axis == AXIS_PICK && picks < 0)
        return err_set(e, "%.100s is without pick.token", t->name);
    if (t->shape[0] != n[axis])
        return err_set(e, "%.100s holds %" PRId64 " %s, the frame %" PRId64, t->name, t->shape[0],
                       what[axis], n[axis]);
    return 0;
}

/* Ranges lie in their bytes. */
static int check_ranges(const Frame *f, const Tensor *t, Err *e)
{
    const Tensor *bytes = tensor_bytes(f, t);
    if (!bytes)
        return 0;
    if (bytes->type != DT_U8 || bytes->rank != 1)
        return err_set(e, "%.100s is %s of %d axes, not U8 of 1", bytes->name,
                       dtype_name(bytes->type), bytes->rank);
    const int64_t *range = t->data;
    for (int64_t i = 0; i < t->shape[0]; i++) {
        int64_t a = range[2 * i], b = range[2 * i + 1];
        if (a < 0 || b < a || b > bytes->shape[0])
            return err_set(e,
                           "%.100s: range [%" PRId64 ", %" PRId64 ") at %" PRId64
                           " is not in %.100s, which has %" PRId64 " bytes",
                           t->name, a, b, i, bytes->name, bytes->shape[0]);
    }
    return 0;
}

/* The spans of row i's tokens lie in the row's texts, where those are there. */
static int check_row_spans(const Frame *f, int64_t i, const int64_t *at, const int32_t *span,
                           const uint8_t *part, Err *e)
{
    static const char *const names[] = {"row.text", "row.pair"};
    int64_t most[2];
    for (int k = 0; k < 2; k++)
        most[k] = frame_get(f, names[k]) ? (int64_t)frame_text(f, names[k], i).n : INT32_MAX;
    for (int64_t t = at[i]; t < at[i + 1]; t++) {
        int64_t a = span[2 * t], b = span[2 * t + 1];
        int64_t end = !part || part[t] == 0 ? most[0] : part[t] == 1 ? most[1] : INT32_MAX;
        if (a < 0 || b < a || b > end)
            return err_set(
                e, "token.span: [%" PRId64 ", %" PRId64 ") of row %" PRId64 " is not in its text",
                a, b, i + 1);
    }
    return 0;
}

static int check_spans(const Frame *f, Err *e)
{
    const Tensor *span = frame_get(f, "token.span"), *part = frame_get(f, "token.part");
    const Tensor *ends = frame_get(f, "row.tokens");
    for (int64_t i = 0; span && ends && i < f->rows; i++)
        if (check_row_spans(f, i, ends->data, span->data, part ? part->data : NULL, e) < 0)
            return -1;
    return 0;
}

static int check_picks(const Frame *f, const Tensor *pick, Err *e)
{
    const int64_t *token = pick->data;
    for (int64_t i = 0; i < pick->shape[0]; i++)
        if (token[i] < 0 || token[i] >= f->tokens)
            return err_set(e, "pick.token: %" PRId64 " is not one of %" PRId64 " tokens", token[i],
                           f->tokens);
    return 0;
}

static int check_finish(const Frame *f, Err *e)
{
    const Tensor *t = frame_get(f, "row.finish");
    const uint8_t *finish = t ? t->data : NULL;
    for (int64_t i = 0; finish && i < f->rows; i++)
        if (finish[i] >= FINISHES)
            return err_set(e, "row.finish: %d of row %" PRId64 " is none of 0 to %d", finish[i],
                           i + 1, FINISHES - 1);
    return 0;
}

int frame_check(Frame *f, Err *e)
{
    if (find_axes(f, e) < 0 || check_claim(f, f->rows, false, e) < 0)
        return -1;
    const Tensor *pick = frame_get(f, "pick.token");
    int64_t picks = pick && pick->rank > 0 ? pick->shape[0] : -1;
    for (int i = 0; i < f->count; i++) {
        const Tensor *t = &f->tensor[i];
        if (check_known(f, t, e) < 0 || check_axis(f, t, picks, e) < 0 || check_ranges(f, t, e) < 0)
            return -1;
    }
    if (check_finish(f, e) < 0 || check_claim(f, f->tokens, true, e) < 0 ||
        (pick && check_picks(f, pick, e) < 0))
        return -1;
    return check_spans(f, e);
}
