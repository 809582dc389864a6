/* chisq - are the tokens of a stream drawn with these probabilities?
 *
 *     chisq STREAM PROBABILITIES
 *
 * STREAM's token.id are counted; PROBABILITIES is a safetensors file with p, F32 [vocabulary].
 * Prints Pearson's statistic, its degrees of freedom, and by how many standard deviations it is
 * too large, as Wilson and Hilferty (PNAS 17, 1931) make a normal number of it. Exit 1 where that
 * is over 4, which chance does once in 30,000 times, and where a token came that cannot.
 * Tokens that are expected less than 5 times are counted as one. */
#include "base/msg.h"
#include "io/stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double BOUND = 4, FEW = 5;

/* The tokens of all frames, counted: [n]; ends the program at one that is not below n. */
static int64_t *count_tokens(char *path, int64_t n, int64_t *total)
{
    int64_t *count = mem_array((size_t)n, sizeof *count);
    Err e = {0};
    Frame *f;
    In *in = in_open(&path, 1);
    int k;
    for (int64_t i = 0; i < n; i++)
        count[i] = 0;
    *total = 0;
    while ((k = in_next(in, &f, &e)) > 0) {
        const Tensor *t = frame_get(f, "token.id");
        for (int64_t i = 0; t && i < t->shape[0]; i++, ++*total) {
            double id = dtype_get(t->type, t->data, i);
            if (id < 0 || id >= (double)n)
                dief("%s: token %.0f is none of %lld", path, id, (long long)n);
            count[(int64_t)id]++;
        }
        frame_free(f);
    }
    if (k < 0)
        die(&e);
    in_close(in);
    return count;
}

/* Room for `n` numbers, those of the tensor p. */
static double *read_probabilities(char *path, int64_t *n)
{
    Err e = {0};
    Frame *f;
    In *in = in_open(&path, 1);
    if (in_next(in, &f, &e) <= 0)
        die(&e);
    const Tensor *t = frame_get(f, "p");
    if (!t || t->rank != 1)
        dief("%s: no tensor p of one axis", path);
    *n = t->shape[0];
    double *p = mem_array((size_t)*n, sizeof *p);
    for (int64_t i = 0; i < *n; i++)
        p[i] = dtype_get(t->type, t->data, i);
    frame_free(f);
    in_close(in);
    return p;
}

int main(int argc, char **argv)
{
    msg_prog = "chisq";
    if (argc != 3)
        die_usage("usage: chisq STREAM PROBABILITIES");
    int64_t n, total;
    double *p = read_probabilities(argv[2], &n);
    int64_t *count = count_tokens(argv[1], n, &total);
    double statistic = 0, few = 0, few_seen = 0;
    int64_t cells = 0;
    for (int64_t i = 0; i < n; i++) {
        double want = p[i] * (double)total, seen = (double)count[i];
        if (p[i] <= 0 && count[i] > 0)
            dief("token %lld came %lld times; it never should", (long long)i, (long long)count[i]);
        if (want < FEW) {
            few += want;
            few_seen += seen;
        } else {
            statistic += (seen - want) * (seen - want) / want;
            cells++;
        }
    }
    if (few > 0) {
        statistic += (few_seen - few) * (few_seen - few) / few;
        cells++;
    }
    if (cells < 2)
        dief("%lld tokens are too few to tell", (long long)total);
    double k = (double)(cells - 1), w = 2 / (9 * k);
    double far = (cbrt(statistic / k) - (1 - w)) / sqrt(w);
    printf("%lld tokens, chi-square %.4g, %.0f degrees of freedom, %.3g deviations\n",
           (long long)total, statistic, k, far);
    free(p);
    free(count);
    return !(far <= BOUND);
}
