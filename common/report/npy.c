#include "report/npy.h"

#include "base/write.h"
#include "io/spool.h"

#include <stdlib.h>
#include <string.h>

typedef struct Npy {
    const char *name;
    Tensor like;           /* type, rank and shape; shape[0] of all frames so far */
    bool found, empty;     /* empty: only in frames without rows so far */
    int64_t tokens, bytes; /* before the frame whose data are put */
    int64_t pad;           /* tokens a row, 0 the longest's; -1: rows lie end to end */
    int64_t rows, longest; /* of all frames so far, where rows are padded */
} Npy;

/* Row i's tokens in a frame. */
static int64_t row_tokens(const Frame *f, int64_t i, int64_t *from)
{
    const int64_t *at = frame_get(f, "row.tokens")->data;
    *from = at[i];
    return at[i + 1] - at[i];
}

/* How many rows there are, and how long they are. -1: they cannot be padded, or not to that. */
static int count_rows(Npy *n, const Frame *f, const Tensor *t, Err *e)
{
    if (tensor_axis(n->name) != AXIS_TOKEN || tensor_counts(f, t) != COUNTS_NOTHING)
        return err_set(e, "%s is not padded: --pad is for numbers of tokens, such as token.hidden",
                       n->name);
    if (f->rows && !frame_need(f, "row.tokens", DT_I64, 1, e))
        return -1;
    for (int64_t i = 0, from; i < f->rows; i++, n->rows++) {
        int64_t len = row_tokens(f, i, &from);
        if (n->pad > 0 && len > n->pad)
            return err_set(e, "row %lld: %lld tokens, more than %lld: cut them with `tok -n %lld`",
                           (long long)n->rows + 1, (long long)len, (long long)n->pad,
                           (long long)n->pad);
        n->longest = len > n->longest ? len : n->longest;
    }
    return 0;
}

/* -1: its type or shape changes midway. */
static int count(Npy *n, const Frame *f, Err *e)
{
    const Tensor *t = frame_get(f, n->name);
    bool starts = tensor_axis(n->name) == AXIS_ROW1;
    if (!t || (f->rows == 0 && n->found))
        return 0;
    if (n->pad >= 0 && count_rows(n, f, t, e) < 0)
        return -1;
    if (!n->found || n->empty) {
        n->like = *t;
        n->found = true;
        n->empty = f->rows == 0;
        if (n->empty && t->rank > 0)
            n->like.shape[0] = starts;
        return 0;
    }
    bool same = t->type == n->like.type && t->rank == n->like.rank && t->rank > 0;
    for (int i = 1; same && i < t->rank; i++)
        same = t->shape[i] == n->like.shape[i];
    if (!same)
        return err_set(e, "%s changes its type or shape midway: one array cannot hold it", n->name);
    /* row.tokens has one more than there are rows, in each frame and in all together. */
    if (n->like.shape[0] > INT64_MAX - t->shape[0]) /* of what is empty there may be any number */
        return err_set(e, "%s is too long for one array", n->name);
    n->like.shape[0] += t->shape[0] - starts;
    return 0;
}

static const char *descr(DType t)
{
    switch (t) {
    case DT_BOOL: return "|b1";
    case DT_U8: return "|u1";
    case DT_I8: return "|i1";
    case DT_I16: return "<i2";
    case DT_U16: return "<u2";
    case DT_F16: return "<f2";
    case DT_I32: return "<i4";
    case DT_U32: return "<u4";
    case DT_I64: return "<i8";
    case DT_U64: return "<u8";
    case DT_F64: return "<f8";
    case DT_BF16: /* NumPy has none: they go out widened */
    case DT_F32: return "<f4";
    case DT_COUNT: break;
    }
    return NULL;
}

/* -1: no frame had it. */
static int put_header(const Npy *n, Buf *b, Err *e)
{
    enum { BEFORE = 10, ALIGN = 64 };
    Buf h = {0};
    if (!n->found)
        return err_set(e, "no tensor '%s' in the stream: `show` lists those there", n->name);
    buf_fmt(&h, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr(n->like.type));
    if (n->pad >= 0)
        buf_fmt(&h, "%lld, %lld", (long long)n->rows, (long long)n->pad);
    for (int i = n->pad >= 0; i < n->like.rank; i++)
        buf_fmt(&h, "%s%lld", i ? ", " : "", (long long)n->like.shape[i]);
    buf_str(&h, n->like.rank == 1 && n->pad < 0 ? ",), }" : "), }");
    size_t all = (BEFORE + h.n + 1 + ALIGN - 1) / ALIGN * ALIGN, pad = all - BEFORE - h.n - 1;
    char first[BEFORE] = "\x93NUMPY\x01";
    first[8] = (char)((all - BEFORE) & 0xff);
    first[9] = (char)((all - BEFORE) >> 8);
    buf_add(b, first, BEFORE);
    buf_add(b, h.p, h.n);
    buf_fmt(b, "%*s\n", (int)pad, "");
    if (tensor_axis(n->name) == AXIS_ROW1)
        buf_add(b, (char[8]){0}, 8); /* the first row's beginning; put_data adds the ends */
    free(h.p);
    return 0;
}

static void put_bf16(Buf *b, const uint16_t *v, size_t n)
{
    char *to = buf_room(b, n * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        float x = f32_from_bf16(v[i]);
        memcpy(to + i * sizeof x, &x, sizeof x);
    }
    b->n += n * sizeof(float);
}

static void put_shifted(Buf *b, const int64_t *v, size_t n, int64_t by)
{
    for (size_t i = 0; i < n; i++) {
        int64_t x = v[i] + by;
        buf_add(b, &x, sizeof x);
    }
}

/* Each row, and zeros up to what rows are padded to. */
static void put_padded(const Npy *n, const Frame *f, const Tensor *t, Buf *b)
{
    size_t numbers = 1, size = dtype_size(t->type);
    for (int i = 1; i < t->rank; i++)
        numbers *= (size_t)t->shape[i];
    for (int64_t i = 0, from; i < f->rows; i++) {
        int64_t len = row_tokens(f, i, &from);
        const char *p = (const char *)t->data + (size_t)from * numbers * size;
        size_t zeros = (size_t)(n->pad - len) * numbers * (t->type == DT_BF16 ? 4 : size);
        if (t->type == DT_BF16)
            put_bf16(b, (const uint16_t *)(const void *)p, (size_t)len * numbers);
        else
            buf_add(b, p, (size_t)len * numbers * size);
        memset(buf_room(b, zeros), 0, zeros);
        b->n += zeros;
    }
}

static void put_data(Npy *n, const Frame *f, Buf *b)
{
    const Tensor *t = frame_get(f, n->name);
    if (!t || (f->rows == 0 && !(n->empty && t->rank == 0)))
        return;
    n->empty =
        false; /* a number without axes is there in a frame without rows too, and goes out once */
    const Tensor *bytes = tensor_bytes(f, t);
    size_t numbers = t->bytes / dtype_size(t->type), ends = tensor_axis(n->name) == AXIS_ROW1;
    if (n->pad >= 0)
        put_padded(n, f, t, b);
    else if (tensor_counts(f, t) != COUNTS_NOTHING)
        put_shifted(b, (const int64_t *)t->data + ends, numbers - ends,
                    bytes ? n->bytes : n->tokens);
    else if (t->type == DT_BF16)
        put_bf16(b, t->data, numbers);
    else
        buf_add(b, t->data, t->bytes);
    n->tokens += f->tokens;
    n->bytes += bytes ? (int64_t)bytes->bytes : 0;
}

/* The header is made between two passes over all frames: the first counts, the second writes. */
static int put_all(Npy *n, const Spool *s, Buf *b, Err *e)
{
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1 && n->pad == 0)
            n->pad = n->longest;
        if (pass == 1 && put_header(n, b, e) < 0)
            return -1;
        for (int i = 0; i < spool_frames(s); i++) {
            Frame *f = spool_frame(s, i, e);
            if (!f)
                return -1;
            int bad = pass == 0 ? count(n, f, e) : 0;
            if (pass == 1)
                put_data(n, f, b);
            frame_free(f);
            if (bad || put_out(b, e) < 0)
                return -1;
        }
    }
    return 0;
}

int npy_stream(const char *name, int64_t pad, In *in, Err *e)
{
    Npy n = {.name = name, .pad = pad};
    Buf b = {0};
    Spool *s = spool_in(in, e);
    int status = s ? put_all(&n, s, &b, e) : -1;
    free(b.p);
    spool_free(s);
    return status;
}
