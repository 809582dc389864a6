/* toktime FOLDER FILE [ROUNDS]: how fast the lines of a file become ids and spans in memory, on
 * one thread: the first time, and the fastest of all rounds, in MB (10^6) of text a second of
 * CPU time; the tokens. */
#include "base/msg.h"
#include "base/num.h"
#include "model/model_tokenizer.h"
#include "store/mapfile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* All lines once; how many tokens. */
static size_t encode(const Tokenizer *t, TokWork *w, Str file, Tokens *out)
{
    size_t tokens = 0;
    for (size_t at = 0; at < file.n;) {
        const char *p = file.p + at, *stop = memchr(p, '\n', file.n - at);
        size_t n = stop ? (size_t)(stop - p) : file.n - at;
        out->n = 0;
        tokenizer_encode(t, w, str_of(p, n), 0, out);
        tokens += out->n;
        at += n + 1;
    }
    return tokens;
}

int main(int argc, char **argv)
{
    Err e = {0};
    Str file;
    int64_t rounds = 20;
    msg_prog = "toktime";
    if (argc < 3)
        die_usage("usage: toktime FOLDER FILE [ROUNDS]");
    if (argc > 3 && num_int(argv[3], 1, 1000000, &rounds, &e) < 0)
        die(&e);
    Tokenizer *t = model_tokenizer(argv[1], &e);
    if (!t || mapfile_open(argv[2], SIZE_MAX / 2, &file, &e) < 0)
        die(&e);
    TokWork *w = tokwork_new(t);
    Tokens out = {0};
    double first = 0, best = 0;
    size_t tokens = 0;
    for (int64_t i = 0; i < rounds; i++) {
        double begin = cpu_seconds();
        tokens = encode(t, w, file, &out);
        double seconds = cpu_seconds() - begin;
        first = i ? first : seconds;
        best = i && best < seconds ? best : seconds;
    }
    double mb = (double)file.n * 1e-6;
    printf("%.1f %.1f %zu\n", mb / first, mb / best, tokens);
    tokens_free(&out);
    tokwork_free(w);
    mapfile_close(&file);
    tokenizer_free(t);
    return 0;
}
