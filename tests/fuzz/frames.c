/* frames - a stream: what comes off the wire, and that cutting, joining and writing keep it. */
#include "io/wire.h"
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

static void same(Frame **a, int na, Frame **b, int nb)
{
    char *x = fuzz_digest(a, na), *y = fuzz_digest(b, nb);
    MUST(strcmp(x, y) == 0);
    free(x);
    free(y);
}

/* A line a tensor, whatever it is called. */
static void lines(Frame *f)
{
    char *x = fuzz_digest(&f, 1);
    int n = 0;
    for (const char *p = x; (p = strchr(p, '\n')); p++)
        n++;
    MUST(n <= 1 + f->count);
    free(x);
}

/* All rows as they are: picks then stand in order of their rows, which they need not before. */
static Frame *in_order(Frame *f)
{
    const Tensor *pick = frame_get(f, "pick.token");
    const int64_t *token = pick ? pick->data : NULL;
    bool rises = true;
    int64_t *row = mem_array((size_t)f->rows, sizeof *row);
    for (int64_t i = 0; i < f->rows; i++)
        row[i] = i;
    for (int64_t i = 1; pick && i < pick->shape[0]; i++)
        rises &= token[i - 1] <= token[i];
    Frame *all = frame_select(f, row, f->rows);
    if (rises)
        same(&f, 1, &all, 1);
    free(row);
    return all;
}

/* The rows last to first, and back. */
static void turn(Frame *f)
{
    int64_t *row = mem_array((size_t)f->rows, sizeof *row);
    for (int64_t i = 0; i < f->rows; i++)
        row[i] = f->rows - 1 - i;
    Frame *back = frame_select(f, row, f->rows), *again = frame_select(back, row, f->rows);
    Err e = {0};
    MUST(frame_check(back, &e) == 0 && back->rows == f->rows && back->tokens == f->tokens);
    MUST(frame_check(again, &e) == 0);
    same(&f, 1, &again, 1);
    frame_free(back);
    frame_free(again);
    free(row);
}

/* "text.utf8", where there is a range tensor "row.text" or "token.text". */
static bool has_ranges(const Frame *f, const char *bytes)
{
    static const char *const axis[] = {"row.", "token."};
    size_t n = strlen(bytes);
    bool any = false;
    for (int i = 0; i < 2 && n > 5 && strcmp(bytes + n - 5, ".utf8") == 0; i++) {
        char *name = mem_fmt("%s%.*s", axis[i], (int)(n - 5), bytes);
        const Tensor *t = frame_get(f, name);
        any |= t && t->type == DT_I64 && t->rank == 2 && t->shape[1] == 2;
        free(name);
    }
    return any;
}

/* Do rows and tokens own all of it? What else a frame has goes along with each of its parts. */
static bool parts_add_up(const Frame *f)
{
    for (int i = 0; i < f->count; i++)
        if (tensor_axis(f->tensor[i].name) == AXIS_OTHER && !has_ranges(f, f->tensor[i].name))
            return false;
    return true;
}

static void cut_and_join(Frame *f)
{
    Err e = {0};
    int64_t half = f->rows / 2;
    Frame *part[] = {frame_slice(f, 0, half), frame_slice(f, half, f->rows - half)};
    MUST(frame_check(part[0], &e) == 0 && frame_check(part[1], &e) == 0);
    bool adds = parts_add_up(f);
    if (adds)
        same(&f, 1, part, 2);
    if (!frame_agree(part[0], part[1])) {
        frame_free(part[0]);
        frame_free(part[1]);
        return;
    }
    Frame *all = frame_join(part, 2);
    MUST(frame_check(all, &e) == 0);
    if (adds)
        same(&f, 1, &all, 1);
    frame_free(all);
}

static void write_and_read(Frame *f)
{
    Err e = {0};
    Frame *g = NULL;
    bool foreign;
    int fd = fuzz_fd("", 0);
    MUST(wire_write(fd, f) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    Source *s = source_open(fd);
    MUST(source_next(s, NULL, &g, &foreign, &e) == SOURCE_FRAME && frame_check(g, &e) == 0);
    MUST(!foreign && g->keys == f->keys && g->end == f->end);
    same(&f, 1, &g, 1);
    frame_free(g);
    MUST(source_next(s, NULL, &g, &foreign, &e) == SOURCE_END);
    source_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    int apart, joined, end[2];
    Str s = fuzz_stream(p, n);
    Frame **a = fuzz_frames(s, 0, &apart, &end[0]);
    fuzz_chunk(n % 509 + 1);
    Frame **j = fuzz_frames(s, 8192, &joined, &end[1]);
    fuzz_chunk(0);
    MUST(end[0] == end[1] && joined <= apart);
    same(a, apart, j, joined);
    for (int i = 0; i < apart; i++) {
        Frame *all = in_order(a[i]);
        lines(a[i]);
        turn(all);
        cut_and_join(all);
        write_and_read(a[i]);
        frame_free(all);
    }
    fuzz_frames_free(a, apart);
    fuzz_frames_free(j, joined);
    free((char *)s.p);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t most, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t most, unsigned seed)
{
    return fuzz_mutate_stream(p, n, most, seed, 0);
}
