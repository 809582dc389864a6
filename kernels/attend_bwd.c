/* Four queries at a time, as forward: their weights are made again, and what they add to the
 * gradients of keys and values gathers in temporary memory. With p the weights (softmax), m what
 * dropout multiplies them by, and D the sum over keys of p m (dy v'), which is dy y':
 *     dv = (p m)' dy     ds = p (m (dy v') - D)     dq = scale ds k     dk = scale ds' q */
#include "kernels/attend_tile.h"
#include "kernels/drop.h"

typedef struct Head {
    int64_t len, wide;  /* tokens; the same rounded up to VN */
    int64_t size, deep; /* size of the head; rounded up */
    int64_t from;       /* its row's first token */
    int head;
    float *kt, *vt;     /* [deep, wide] */
    float *k;           /* [len, deep] */
    float *dk, *dv;     /* [len, deep] */
    float *q, *dy, *dq; /* [QUERIES, deep] */
    float *p, *d;       /* [QUERIES, wide]: weights, and then p m; dy v', and then ds */
    float *m;           /* [wide] */
} Head;

/* Memory of the largest row so far, cut for this one. */
typedef struct Room {
    float *memory;
    size_t have;
} Room;

static void carve(Piece *p, Room *r, Head *h)
{
    size_t turned = (size_t)(h->deep * h->wide), plain = (size_t)(h->len * h->deep);
    size_t few = (size_t)(QUERIES * h->deep), scores = (size_t)(QUERIES * h->wide);
    size_t need = 2 * turned + 3 * plain + 3 * few + 2 * scores + (size_t)h->wide;
    if (need > r->have) {
        r->have = need;
        r->memory = p->dev->temp(p, need * sizeof *r->memory);
    }
    float **part[] = {&h->kt, &h->vt, &h->k, &h->dk, &h->dv, &h->q,
                      &h->dy, &h->dq, &h->p, &h->d,  &h->m};
    const size_t size[] = {turned, turned, plain, plain, plain, few, few, few, scores, scores, 0};
    float *at = r->memory;
    for (size_t i = 0; i < sizeof part / sizeof *part; at += size[i++])
        *part[i] = at;
}

/* x [len, size] turned, with zeros around it; `row` is of h->deep. */
static void turn(const Head *h, View x, float *to, float *row)
{
    memset(to, 0, (size_t)(h->deep * h->wide) * sizeof *to);
    for (int64_t j = 0; j < h->len; j++) {
        tile_row(VROW(x, j), x.type, h->size, row, h->deep);
        for (int64_t c = 0; c < h->size; c++)
            to[c * h->wide + j] = row[c];
    }
}

/* p = e^(s - lse) of a query's scores, 0 beyond those it sees. */
static void weights(float *s, int64_t seen, int64_t wide, float lse)
{
    vf l = vset(lse);
    for (int64_t j = seen; j < wide; j++)
        s[j] = -1e30f;
    for (int64_t j = 0; j < wide; j += VN)
        vstore(s + j, vexp(vload(s + j) - l));
}

/* What dropout multiplies query i's weights by. */
static void factors(const Attend *a, const Head *h, int64_t i, int64_t wide)
{
    uint64_t row = (uint64_t)a->numbers[h->from + i];
    Dropper d = drop_begin(a->drop, a->seed, a->site + (uint32_t)h->head, row);
    for (int64_t j = 0; j < wide; j += VN)
        vstore(h->m + j, drop_kept(&d, vset(1 / (1 - a->drop)), j));
}

static float dot(const float *a, const float *b, int64_t n)
{
    vf sum = vset(0);
    for (int64_t j = 0; j < n; j += VN)
        sum += vload(a + j) * vload(b + j);
    return vsum(sum);
}

/* ds in place of dy v', p m in place of p. */
static void through_softmax(const Attend *a, const Head *h, int64_t r, int64_t i, float total,
                            int64_t wide)
{
    float *p = h->p + r * h->wide, *d = h->d + r * h->wide;
    vf t = vset(total);
    if (a->drop > 0)
        factors(a, h, i, wide);
    for (int64_t j = 0; j < wide; j += VN) {
        vf w = vload(p + j), m = a->drop > 0 ? vload(h->m + j) : vset(1);
        vstore(d + j, w * (m * vload(d + j) - t));
        vstore(p + j, w * m);
    }
}

static void add_bias_gradient(float *dbias, const float *ds, int64_t i, int64_t n, int64_t reach)
{
    for (int64_t j = 0; j < n; j++) {
        int64_t far = j - i < -reach ? -reach : j - i > reach ? reach : j - i;
        dbias[far + reach] += ds[j];
    }
}

/* y's row of query i, widened into h->dq, which nothing needs yet. */
static float total_of(const Head *h, View y, int64_t r, int64_t i)
{
    tile_row(VROW(y, i), y.type, h->size, h->dq, h->deep);
    return dot(h->dq, h->dy + r * h->deep, h->deep);
}

static void four_queries(const Head *h, const AttendBwd *b, View q, View y, View dy, View dq,
                         int64_t i, const float *bias, float *dbias)
{
    const Attend *a = &b->of;
    int64_t count = h->len - i < QUERIES ? h->len - i : QUERIES;
    int64_t keys = a->causal ? i + count : h->len, wide = whole_vectors(keys);
    float total[QUERIES] = {0};

    memset(h->q, 0, (size_t)(QUERIES * h->deep) * sizeof *h->q);
    memset(h->dy, 0, (size_t)(QUERIES * h->deep) * sizeof *h->dy);
    for (int64_t r = 0; r < count; r++) {
        float *x = h->q + r * h->deep;
        tile_row(VROW(q, i + r), q.type, h->size, x, h->deep);
        for (int64_t c = 0; c < h->deep; c += VN)
            vstore(x + c, vload(x + c) * vset(a->scale));
        tile_row(VROW(dy, i + r), dy.type, h->size, h->dy + r * h->deep, h->deep);
        total[r] = total_of(h, y, r, i + r);
    }
    tile(h->q, h->deep, h->kt, h->wide, h->deep, wide, h->p, h->wide);
    tile(h->dy, h->deep, h->vt, h->wide, h->deep, wide, h->d, h->wide);
    for (int64_t r = 0; r < QUERIES; r++) {
        float *s = h->p + r * h->wide;
        int64_t seen = r >= count ? 0 : a->causal ? i + r + 1 : keys;
        if (bias && seen)
            tile_bias(s, i + r, seen, bias, a->reach);
        weights(s, seen, wide, seen ? a->lse[(h->from + i + r) * a->batch->heads + h->head] : 0);
        through_softmax(a, h, r, i + (r < count ? r : 0), total[r], wide);
        if (dbias && seen)
            add_bias_gradient(dbias, h->d + r * h->wide, i + r, seen, a->reach);
    }
    tile_add(h->p, h->wide, h->dy, h->deep, keys, h->deep, h->dv, h->deep);
    tile_add(h->d, h->wide, h->q, h->deep, keys, h->deep, h->dk, h->deep);
    tile(h->d, h->wide, h->k, h->deep, keys, h->deep, h->dq, h->deep);
    for (int64_t r = 0; r < count; r++)
        for (int64_t c = 0; c < h->size; c += VN)
            vput(VROW(dq, i + r), dq.type, c, vload(h->dq + r * h->deep + c) * vset(a->scale),
                 h->size - c);
}

static void one_head(const Head *h, const AttendBwd *b, const View part[8], const float *bias,
                     float *dbias)
{
    size_t plain = (size_t)(h->len * h->deep) * sizeof(float);
    View q = part[0], k = part[1], v = part[2], y = part[3];
    turn(h, k, h->kt, h->dq);
    turn(h, v, h->vt, h->dq);
    for (int64_t j = 0; j < h->len; j++)
        tile_row(VROW(k, j), k.type, h->size, h->k + j * h->deep, h->deep);
    memset(h->dk, 0, plain);
    memset(h->dv, 0, plain);
    if (dbias)
        memset(dbias, 0, (size_t)(2 * b->of.reach + 1) * sizeof *dbias);
    for (int64_t i = 0; i < h->len; i += QUERIES)
        four_queries(h, b, q, y, part[4], part[5], i, bias, dbias);
    for (int64_t j = 0; j < h->len; j++)
        for (int64_t c = 0; c < h->size; c += VN) {
            /* q was scaled, so dk is already. */
            vput(VROW(part[6], j), part[6].type, c, vload(h->dk + j * h->deep + c), h->size - c);
            vput(VROW(part[7], j), part[7].type, c, vload(h->dv + j * h->deep + c), h->size - c);
        }
}

void K(attend_bwd)(Piece *p, const AttendBwd *b)
{
    const Attend *a = &b->of;
    const Batch *batch = a->batch;
    int64_t span = 2 * a->reach + 1;
    Room room = {0};

    for (int64_t at = p->lo; at < p->hi; at++) {
        int64_t row = at / batch->heads, head = at % batch->heads;
        int64_t from = batch->starts[row], len = batch->starts[row + 1] - from;
        Head h = {.len = len,
                  .wide = whole_vectors(len),
                  .size = a->size,
                  .deep = whole_vectors(a->size),
                  .from = from,
                  .head = (int)head};
        View part[8] = {a->q, a->k, a->v, a->y, b->dy, b->dq, b->dk, b->dv};
        for (int i = 0; i < 8; i++)
            part[i] = view_cols(view_rows(part[i], from, from + len), head * a->size,
                                (head + 1) * a->size);
        carve(p, &room, &h);
        one_head(&h, b, part, a->bias ? a->bias + head * span : NULL,
                 b->dbias ? b->dbias + at * span : NULL);
    }
}
