#include "base/mem.h"
#include "base/rand.h"
#include "tests/bench/gpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

STAGE(attend, Attend)
STAGE(attend_bwd, AttendBwd)
STAGE(act, Activate)
STAGE(act_bwd, ActivateBwd)
STAGE(mix, Mix)
STAGE(gather, Gather)
STAGE(colsum, Colsum)
STAGE(norm_dw, NormDw)

/* Training on tweets: TWEETS rows of 5 to 67 tokens, 29 on average, of which the first and the last
 * are always the same. */
enum { TWEETS = 256, LONGEST = 67, WORDS = 8000 };

typedef struct Tweets {
    int64_t starts[TWEETS + 1], tokens;
    int64_t *number, *token, *first, *out, words;   /* tokens by word, where each word's begin */
    int64_t *place, *place_first, *places, nplaces; /* likewise by place in the row */
} Tweets;

/* Tokens in the order of key[i] < n; where those of each key that there is begin, and which it is.
 * How many. */
static int64_t by_key(const int64_t *key, int64_t tokens, int64_t n, int64_t *token, int64_t *first,
                      int64_t *out)
{
    int64_t at = 0, m = 0;
    for (int64_t k = 0; k < n; k++) {
        int64_t from = at;
        for (int64_t i = 0; i < tokens; i++)
            if (key[i] == k)
                token[at++] = i;
        if (at > from) {
            first[m] = from;
            out[m++] = k;
        }
    }
    first[m] = tokens;
    return m;
}

static Tweets tweets_new(void)
{
    Tweets t = {.tokens = 0};
    Rand r = rand_new(4);
    int64_t most = TWEETS * LONGEST, *word = mem_array((size_t)most, 8);
    int64_t *place = mem_array((size_t)most, 8);
    for (int64_t i = 0; i < TWEETS; i++) {
        double u = rand_unit(&r), v = rand_unit(&r);
        int64_t len = 5 + (int64_t)(62 * (0.2 + 0.8 * u) * (0.3 + 0.7 * v));
        for (int64_t j = 0; j < len; j++) {
            double z = pow(rand_unit(&r), 4); /* few words make most of a text */
            word[t.tokens] = j == 0 ? 0 : j == len - 1 ? 1 : 2 + (int64_t)(z * (WORDS - 2));
            place[t.tokens++] = j;
        }
        t.starts[i + 1] = t.tokens;
    }
    size_t n = (size_t)t.tokens;
    int64_t **all[] = {&t.number, &t.token, &t.first, &t.out, &t.place, &t.place_first, &t.places};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = mem_array(n + 1, sizeof **all[i]);
    for (size_t i = 0; i < n; i++)
        t.number[i] = (int64_t)i;
    t.words = by_key(word, t.tokens, WORDS, t.token, t.first, t.out);
    t.nplaces = by_key(place, t.tokens, LONGEST + 1, t.place, t.place_first, t.places);
    free(word);
    free(place);
    return t;
}

static const int64_t *held(const int64_t *p, int64_t n)
{
    return gpu_dev->hold(gpu_dev, p, (size_t)n * sizeof *p);
}

static void tweets_attend(const Tweets *t, KType type, int64_t size)
{
    int64_t h = HEADS * size;
    View x = gpu_noise(type, t->tokens, 3 * h), y = gpu_noise(type, t->tokens, h);
    View dx = gpu_noise(type, t->tokens, 3 * h), dy = gpu_noise(type, t->tokens, h);
    View lse = gpu_noise(K_F32, t->tokens, HEADS);
    const int64_t *starts = held(t->starts, TWEETS + 1), *numbers = held(t->number, t->tokens);
    Batch b = {.tokens = t->tokens,
               .rows = TWEETS,
               .starts = starts,
               .host_starts = t->starts,
               .heads = HEADS};
    double flops = 0, bytes = (double)(t->tokens * h) * (double)ktype_size(type);
    for (int i = 0; i < TWEETS; i++)
        flops += 4 * pow((double)(t->starts[i + 1] - t->starts[i]), 2) * (double)h;
    for (int drop = 0; drop < 2; drop++) {
        Attend a = {.q = view_cols(x, 0, h),
                    .k = view_cols(x, h, 2 * h),
                    .v = view_cols(x, 2 * h, 3 * h),
                    .y = y,
                    .batch = &b,
                    .size = (int)size,
                    .scale = 1 / sqrtf((float)size),
                    .lse = lse.p,
                    .drop = drop ? 0.1f : 0,
                    .seed = 1,
                    .numbers = numbers};
        AttendBwd back = {.of = a,
                          .dy = dy,
                          .dq = view_cols(dx, 0, h),
                          .dk = view_cols(dx, h, 2 * h),
                          .dv = view_cols(dx, 2 * h, 3 * h)};
        char shape[64];
        snprintf(shape, sizeof shape, "%lld tokens, heads of %lld%s", (long long)t->tokens,
                 (long long)size, drop ? ", dropout" : "");
        gpu_line("attend, tweets", type, shape, gpu_seconds(run_attend, &a), flops, 4 * bytes);
        gpu_line("attend back, tweets", type, shape, gpu_seconds(run_attend_bwd, &back),
                 2.5 * flops, 8 * bytes);
    }
    gpu_dev->release(gpu_dev, starts);
    gpu_dev->release(gpu_dev, numbers);
    View all[] = {x, y, dx, dy, lse};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        gpu_free(all[i]);
}

/* Sums over tokens: of the gradients of tables, by word, place and kind, and of columns. */
static void tweets_sums(const Tweets *t, int64_t h)
{
    double n = 4 * (double)(t->tokens * h);
    View dy = gpu_noise(K_F32, t->tokens, h), s = gpu_noise(K_F32, t->tokens, h);
    View table = gpu_noise(K_F32, WORDS, h), sums = gpu_noise(K_F32, 2, h);
    View stats = gpu_noise(K_F32, t->tokens, 2);
    int64_t all[] = {0, t->tokens}, none[] = {0};
    const struct {
        const char *what;
        const int64_t *starts, *index, *out;
        int64_t rows;
    } by[] = {{"words", t->first, t->token, t->out, t->words},
              {"places", t->place_first, t->place, t->places, t->nplaces},
              {"one kind", all, t->token, none, 1}};
    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        const int64_t *starts = held(by[i].starts, by[i].rows + 1);
        const int64_t *index = held(by[i].index, t->tokens), *out = held(by[i].out, by[i].rows);
        char shape[64];
        snprintf(shape, sizeof shape, "%lld tokens of %lld by %lld", (long long)t->tokens,
                 (long long)h, (long long)by[i].rows);
        Gather g = {.x = dy,
                    .y = table,
                    .starts = starts,
                    .index = index,
                    .out = out,
                    .rows = by[i].rows,
                    .add = true};
        gpu_line("gather (gradients)", K_F32, shape, gpu_seconds(run_gather, &g), 0,
                 n + 8 * (double)(by[i].rows * h));
        gpu_dev->release(gpu_dev, starts);
        gpu_dev->release(gpu_dev, index);
        gpu_dev->release(gpu_dev, out);
    }
    char shape[64];
    snprintf(shape, sizeof shape, "%lld x %lld", (long long)t->tokens, (long long)h);
    gpu_line("colsum", K_F32, shape,
             gpu_seconds(run_colsum, &(Colsum){.x = dy, .y = sums.p, .hi = h}), 0, n);
    gpu_line("norm_dw", K_F32, shape,
             gpu_seconds(run_norm_dw, &(NormDw){.dy = dy,
                                                .s = s,
                                                .stats = stats.p,
                                                .dgamma = sums.p,
                                                .dbeta = (float *)sums.p + h,
                                                .hi = h}),
             0, 2 * n);
    View drops[] = {dy, s, table, sums, stats};
    for (size_t i = 0; i < sizeof drops / sizeof *drops; i++)
        gpu_free(drops[i]);
}

static void tweets_passes(const Tweets *t, KType type, int64_t h)
{
    double e = (double)ktype_size(type), n = (double)(t->tokens * h), wide = 4 * n;
    View x = gpu_noise(type, t->tokens, 4 * h), y = gpu_noise(type, t->tokens, 4 * h);
    View dy = gpu_noise(K_F32, t->tokens, 4 * h), z = gpu_noise(K_F32, t->tokens, h);
    const int64_t *numbers = held(t->number, t->tokens);
    char shape[64];
    snprintf(shape, sizeof shape, "%lld x %lld", (long long)t->tokens, (long long)(4 * h));
    gpu_line("act (GELU)", type, shape,
             gpu_seconds(run_act, &(Activate){.x = x, .y = y, .act = ACT_GELU}), 0, wide * 2 * e);
    gpu_line("act back (GELU)", type, shape,
             gpu_seconds(run_act_bwd, &(ActivateBwd){.x = x, .dy = dy, .dx = y, .act = ACT_GELU}),
             0, wide * (2 * e + 4));
    View db = gpu_noise(K_F32, 1, 4 * h);
    gpu_line("colsum", type, shape,
             gpu_seconds(run_colsum, &(Colsum){.x = x, .y = db.p, .hi = 4 * h}), 0, wide * e);
    snprintf(shape, sizeof shape, "%lld x %lld", (long long)t->tokens, (long long)h);
    gpu_line("mix (dropout, in place)", K_F32, shape,
             gpu_seconds(run_mix, &(Mix){.x = z, .y = z, .a = 0.9f, .drop = 0.1f, .rows = numbers}),
             0, 8 * n);
    gpu_dev->release(gpu_dev, numbers);
    View all[] = {x, y, dy, z, db};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        gpu_free(all[i]);
}

void gpu_tweets(void)
{
    Tweets t = tweets_new();
    for (int type = 0; type < K_TYPES; type++) {
        tweets_attend(&t, type, 64);
        tweets_attend(&t, type, 32);
        tweets_passes(&t, type, 768);
    }
    tweets_sums(&t, 768);
    int64_t *all[] = {t.number, t.token, t.first, t.out, t.place, t.place_first, t.places};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}
