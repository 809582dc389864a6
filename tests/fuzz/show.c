/* show - what `show` and `deal` make of a stream: rows as JSON, padded, short; lengths; NumPy
 * files; shares. */
#include "deal/row_groups.h"
#include "io/stream.h"
#include "report/npy.h"
#include "report/overview.h"
#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <unistd.h>

static Str spell(const void *vocab, int64_t id)
{
    (void)vocab;
    return id >= 0 && id < 4 ? str_of("tok\n\xc3\xa9", 6) : str_of(NULL, 0);
}

/* A line is a JSON value. */
static void is_json(Buf *b)
{
    MUST(b->n && b->p[b->n - 1] == '\n' && !memchr(b->p, '\n', b->n - 1));
    json_t *j =
        json_loadb(b->p, b->n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    MUST(j);
    json_decref(j);
    b->n = 0;
}

static void rows(const Frame *f)
{
    Speller s = {.token = spell, .pad = 1};
    Buf b = {0};
    Err e = {0};
    for (int64_t i = 0; i < f->rows; i++) {
        rows_put_json(&b, f, i, &s);
        is_json(&b);
        if (rows_put_padded(&b, f, i, 64, &s, &e) == 0)
            is_json(&b);
        b.n = 0;
    }
    free(b.p);
}

static void whole(Frame **f, int n)
{
    Speller s = {.token = spell};
    Overview *o = overview_new(&s);
    Lengths l = {0};
    Buf b = {0};
    for (int i = 0; i < n; i++) {
        overview_add(o, f[i]);
        for (int64_t r = 0; r < f[i]->rows; r++)
            lengths_add(&l, rows_length(f[i], r));
    }
    overview_end(o, true, &b);
    lengths_end(&l, &b);
    fuzz_plain(&b);
    free(b.p);
}

/* The file that goes to standard output is as long as its header says. */
static void npy(const char *stream, const Tensor *t, int64_t pad)
{
    char *files[] = {(char *)stream}, head[1024] = "";
    In *in = in_open(files, 1);
    Err e = {0};
    int status = npy_stream(t->name, pad, in, &e);
    off_t n = lseek(STDOUT_FILENO, 0, SEEK_END), bytes;
    in_close(in);
    MUST((status == 0) == !e.text[0] && (status == 0 || n == 0));
    if (status == 0) {
        MUST(pread(STDOUT_FILENO, head, sizeof head - 1, 0) > 10);
        const char *p = strstr(head + 10, "'descr': '");
        MUST(p); /* |u1: the type is that of the first frame with rows, which may be another's */
        bytes = strtoll(p + strlen("'descr': '|u"), NULL, 10);
        p = strstr(head + 10, "'shape': (");
        MUST(p);
        p += strlen("'shape': (");
        while (*p && *p != ')') {
            bytes *= strtoll(p, (char **)&p, 10);
            p += strspn(p, ", ");
        }
        MUST(n == bytes + 10 + (unsigned char)head[8] + 256 * (unsigned char)head[9]);
    }
    MUST(ftruncate(STDOUT_FILENO, 0) == 0 && lseek(STDOUT_FILENO, 0, SEEK_SET) == 0);
}

/* Every group goes to one part, and the parts have the sizes that were promised. */
static void deal(Frame **f, int n)
{
    static const Share share[] = {{.weight = 2, .exact = -1}, {.weight = 1, .exact = -1}};
    int64_t total[2], got[2] = {0};
    for (int by_label = 0; by_label < 2; by_label++) {
        RowGroups u = {0};
        Rand r = rand_new(1);
        Err e = {0};
        for (int i = 0; i < n; i++)
            if (!by_label || frame_get(f[i], "row.label") || !f[i]->rows)
                row_groups_add(&u, f[i], by_label, NULL);
        MUST(share_totals(share, 2, u.n, total, &e) == 0 && total[0] + total[1] == u.n);
        uint8_t *part = row_groups_deal(&u, total, 2, &r);
        got[0] = got[1] = 0;
        for (int64_t i = 0; i < u.n; i++)
            got[part[i]]++;
        MUST(got[0] == total[0] && got[1] == total[1]);
        free(part);
        row_groups_free(&u);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    int frames, end;
    static bool away;
    Str stream = fuzz_stream(p, n);
    if (!away)
        MUST(dup2(fuzz_fd("", 0), STDOUT_FILENO) == STDOUT_FILENO);
    away = true;
    Frame **f = fuzz_frames(stream, 0, &frames, &end);
    for (int i = 0; i < frames; i++)
        rows(f[i]);
    whole(f, frames);
    deal(f, frames);
    for (int i = 0; frames && i < f[0]->count; i++)
        npy(fuzz_file("stream", stream.p, stream.n), &f[0]->tensor[i], i % 2 ? 0 : -1);
    fuzz_frames_free(f, frames);
    free((char *)stream.p);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t most, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t most, unsigned seed)
{
    return fuzz_mutate_stream(p, n, most, seed, 0);
}
