/* stream_test - what no shell can see of streams: when frames are handed on, that bytes which
 * are changed at random are refused or read but never crash, and that large frames are cut. */
#include "io/spool.h"
#include "io/wire.h"

#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static Frame *sample(int64_t rows)
{
    Frame *f = frame_new(rows, 2 * rows);
    int64_t *at = frame_add(f, "row.tokens", DT_I64, 1, (int64_t[]){rows + 1});
    int32_t *id = frame_add(f, "token.id", DT_I32, 1, (int64_t[]){2 * rows});
    Str *text = mem_array((size_t)rows, sizeof *text);
    for (int64_t i = 0; i <= rows; i++)
        at[i] = 2 * i;
    for (int64_t i = 0; i < 2 * rows; i++)
        id[i] = (int32_t)i;
    for (int64_t i = 0; i < rows; i++)
        text[i] = str_of("a text, and some of it", (size_t)(i % 22));
    frame_add_text(f, "row.text", text, rows);
    frame_add_text(f, "row.keep.x", text, rows);
    frame_set_meta(f, "model", "/m");
    free(text);
    return f;
}

static void send_frame(int fd, Frame *f, End end)
{
    f->end = end;
    CHECK(wire_write(fd, f) == 0);
    frame_free(f);
}

static In *in_fd(int fd, char *name, size_t size)
{
    static char *files[1];
    snprintf(name, size, "/proc/self/fd/%d", fd);
    files[0] = name;
    return in_open(files, 1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Frames that wait are joined; one that is half there does not hold up what was whole. */
static void test_join(void)
{
    int p[2];
    char name[32];
    Err e = {0};
    Frame *f;
    CHECK(pipe(p) == 0);
    In *in = in_fd(p[0], name, sizeof name);
    in_want(in, 1000);
    for (int i = 0; i < 3; i++)
        send_frame(p[1], sample(4), END_NONE);
    CHECK(write(p[1], "\1", 1) == 1); /* the beginning of a length */
    double start = now();
    CHECK(in_next(in, &f, &e) == 1 && f->rows == 12 && f->end == END_NONE);
    CHECK(now() - start < 5); /* 10 ms, on a machine that does nothing else */
    frame_free(f);
    char rest[7] = {0}; /* a header of one byte is none */
    CHECK(write(p[1], rest, 7) == 7);
    CHECK(in_next(in, &f, &e) == -1 && !f);
    CHECK_TEXT(e.text, "after 12 rows: not a weft stream");
    CHECK(in_next(in, &f, &e) == -1); /* and so it stays */
    in_close(in);
    close(p[0]);
    close(p[1]);
}

static void test_end_joins(void)
{
    int p[2];
    char name[32];
    Err e = {0};
    Frame *f, *other = sample(2);
    CHECK(pipe(p) == 0);
    In *in = in_fd(p[0], name, sizeof name);
    in_want(in, 1000);
    send_frame(p[1], sample(4), END_NONE);
    send_frame(p[1], frame_new(0, 0), END_OK); /* taken in by the frame before */
    send_frame(p[1], sample(1), END_NONE);
    frame_set_meta(other, "labels", "a"); /* does not agree: comes next */
    send_frame(p[1], other, END_OK);
    close(p[1]);
    CHECK(in_next(in, &f, &e) == 1 && f->rows == 4 && f->end == END_OK);
    frame_free(f);
    CHECK(in_next(in, &f, &e) == 1 && f->rows == 1 && f->end == END_NONE);
    frame_free(f);
    CHECK(in_next(in, &f, &e) == 1 && f->rows == 2 && f->end == END_OK);
    frame_free(f);
    CHECK(in_next(in, &f, &e) == 0 && in_rows(in) == 7);
    in_close(in);
    close(p[0]);
}

static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    return *x ^= *x << 5;
}

/* Reads what there is, uses it, and expects no more than that nothing crashes. */
static void read_all(int fd)
{
    char name[32];
    Err e = {0};
    Frame *f;
    In *in = in_fd(fd, name, sizeof name);
    in_want(in, 50);
    while (in_next(in, &f, &e) == 1) {
        int64_t *row = mem_array((size_t)f->rows + 1, sizeof *row);
        for (int64_t i = 0; i < f->rows; i++)
            row[i] = f->rows - 1 - i;
        Frame *g = frame_select(f, row, f->rows);
        CHECK(frame_check(g, &e) == 0);
        CHECK(frame_agree(f, g));
        frame_free(g);
        frame_free(f);
        free(row);
    }
    in_close(in);
}

static void test_changed_bytes(void)
{
    enum { MOST = 8192, TRIES = 4000 };
    static char whole[MOST], changed[MOST];
    uint32_t x = 20240229;
    int fd = memfd_create("stream", 0);
    send_frame(fd, sample(5), END_NONE);
    Frame *f = sample(3);
    f->end_rows = 8;
    send_frame(fd, f, END_OK);
    ssize_t n = pread(fd, whole, MOST, 0);
    CHECK(n > 0 && n < MOST);
    for (int i = 0; i < TRIES; i++) {
        memcpy(changed, whole, MOST);
        for (uint32_t k = next_random(&x) % 3 + 1; k--;)
            changed[next_random(&x) % (uint32_t)n] =
                "0123456789-\"[]{},:z\0\1\377"[next_random(&x) % 22];
        CHECK(pwrite(fd, changed, (size_t)n, 0) == n);
        read_all(fd);
    }
    close(fd);
}

/* A header may announce anything: memory follows what comes. */
static void test_lies(void)
{
    static const char json[] = "{\"x\":{\"dtype\":\"U8\",\"shape\":[1000000000000],"
                               "\"data_offsets\":[0,1000000000000]}}";
    char name[32];
    Err e = {0};
    Frame *f;
    int fd = memfd_create("lie", 0);
    uint64_t n = sizeof json - 1;
    CHECK(write(fd, &n, 8) == 8 && write(fd, json, n) == (ssize_t)n);
    CHECK(write(fd, json, 10) == 10);
    In *in = in_fd(fd, name, sizeof name);
    CHECK(in_next(in, &f, &e) == -1);
    CHECK_TEXT(e.text, "ends early after 0 rows");
    in_close(in);
    close(fd);
}

/* 24 rows of 4 MB: no frame holds more than FRAME_BYTES, and every row arrives. */
static void test_cut(void)
{
    enum { ROWS = 24, WIDTH = 1 << 20 };
    Err e = {0};
    Frame *f = frame_new(ROWS, 0);
    float *v = frame_add(f, "row.vector", DT_F32, 2, (int64_t[]){ROWS, WIDTH});
    for (int64_t i = 0; i < (int64_t)ROWS * WIDTH; i++)
        v[i] = (float)(i / WIDTH);
    Out *out = out_file("large.weft", &e);
    f->end = END_OK;
    CHECK(out && out_write(out, f, &e) == 0 && out_close(out, &e) == 0);
    In *in = in_open((char *[]){"large.weft"}, 1);
    int64_t rows = 0, frames = 0;
    while (in_next(in, &f, &e) == 1) {
        CHECK(frame_bytes(f) <= FRAME_BYTES);
        v = frame_get(f, "row.vector")->data;
        for (int64_t i = 0; i < f->rows; i++) {
            float want = (float)(rows + i);
            CHECK(v[i * WIDTH] == want && v[(i + 1) * WIDTH - 1] == want);
        }
        rows += f->rows;
        frames++;
        frame_free(f);
    }
    CHECK(rows == ROWS && frames == 2);
    CHECK_TEXT(e.text, "");
    in_close(in);
    unlink("large.weft");
}

static void test_spool(void)
{
    char name[32];
    Err e = {0};
    int fd = memfd_create("stream", 0);
    for (int i = 0; i < 3; i++)
        send_frame(fd, sample(2000), i == 2 ? END_OK : END_NONE);
    lseek(fd, 0, SEEK_SET);
    In *in = in_fd(fd, name, sizeof name);
    Spool *s = spool_in(in, &e);
    CHECK(s && spool_rows(s) == 6000);
    for (int again = 0; s && again < 2; again++) {
        int64_t rows = 0;
        for (int i = 0; i < spool_frames(s); i++) {
            Frame *f = spool_frame(s, i, &e);
            CHECK(f && f->rows == spool_frame_rows(s, i));
            CHECK(f && (f->end == END_OK) == (i == spool_frames(s) - 1));
            int32_t *id = frame_get(f, "token.id")->data;
            CHECK(id[1] == 1);
            id[1] = 7; /* the caller's copy, not the spool's */
            rows += f->rows;
            frame_free(f);
        }
        CHECK(rows == 6000);
    }
    CHECK_TEXT(e.text, "");
    spool_free(s);
    in_close(in);
    close(fd);
}

static int64_t two_rows(void *ctx, const Frame *f, int64_t first, Err *e)
{
    (void)ctx, (void)e;
    return f->rows - first < 2 ? f->rows - first : 2;
}

/* Adds the number of its call to each row; fails at the row whose first id is *ctx. */
static int tag(void *ctx, Frame *f, Err *e)
{
    static float calls;
    const int32_t *id = frame_get(f, "token.id")->data;
    for (int64_t i = 0; i < f->rows; i++)
        if (id[2 * i] == *(int32_t *)ctx) {
            e->row = i + 1;
            return err_set(e, "no");
        }
    float *v = frame_add(f, "row.weight", DT_F32, 1, &f->rows);
    for (int64_t i = 0; i < f->rows; i++)
        v[i] = calls;
    calls++;
    return 0;
}

/* A frame of five rows in parts of two: all arrive in order, and the last part ends. */
static void test_parts(void)
{
    char name[32];
    Err e = {0};
    Frame *f;
    int32_t never = -1, fourth = 6;
    int fd = memfd_create("five", 0);
    send_frame(fd, sample(5), END_OK);
    In *in = in_fd(fd, name, sizeof name);
    CHECK(stream_run_parts(in, out_file("parts.weft", &e), two_rows, tag, &never) == 0);
    in = in_open((char *[]){"parts.weft"}, 1);
    for (int32_t row = 0; in_next(in, &f, &e) == 1; row += 2) {
        CHECK(f->rows == (row < 4 ? 2 : 1) && f->end == (row < 4 ? END_NONE : END_OK));
        CHECK(*(int32_t *)frame_get(f, "token.id")->data == 2 * row);
        CHECK(*(float *)frame_get(f, "row.weight")->data == (float)row / 2);
        frame_free(f);
    }
    CHECK(in_rows(in) == 5);
    in_close(in);
    unlink("parts.weft");

    /* A fault in the second part is told by its place in the frame. */
    int err = dup(STDERR_FILENO), said = memfd_create("said", 0);
    char text[128] = {0};
    dup2(said, STDERR_FILENO);
    in = in_fd(fd, name, sizeof name);
    CHECK(stream_run_parts(in, out_file("parts.weft", &e), two_rows, tag, &fourth) != 0);
    dup2(err, STDERR_FILENO);
    CHECK(pread(said, text, sizeof text - 1, 0) > 0);
    CHECK_TEXT(text, "row 4: no");
    close(err);
    close(said);
    close(fd);
}

/* What `choose` does with which frame. */
typedef struct Choice {
    int frames;        /* so far */
    int all, at_fault; /* this one loses all its rows; this one's fifth row is at fault */
} Choice;

/* Keeps every other row. */
static int choose(void *ctx, Frame *f, Err *e)
{
    Choice *c = ctx;
    int64_t row[5], n = 0;
    int frame = c->frames++;
    if (frame == c->at_fault && f->rows == 5) {
        e->row = 5;
        return err_set(e, "no");
    }
    for (int64_t i = 1; frame != c->all && i < f->rows; i += 2)
        row[n++] = i;
    frame_replace(f, frame_select(f, row, n));
    return 0;
}

/* What comes out of choose when three frames of five rows go in: a frame's first ids, and how the
 * stream ends. That ends count right is in_next's to find. */
static const char *chosen(Choice c)
{
    static char text[2048];
    char name[32], to[32];
    int p[2], fd = memfd_create("rows", 0), n = 0, k;
    Err e = {0};
    Frame *f;
    for (int i = 0; i < 3; i++)
        send_frame(fd, sample(5), i == 2 ? END_OK : END_NONE);
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && pipe(p) == 0);
    snprintf(to, sizeof to, "/proc/self/fd/%d", p[1]);
    int status = stream_run(in_fd(fd, name, sizeof name), out_file(to, &e), choose, &c);
    close(p[1]);
    In *in = in_fd(p[0], name, sizeof name);
    while ((k = in_next(in, &f, &e)) == 1) {
        for (int64_t i = 0; i < f->rows; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%d ",
                          ((int32_t *)frame_get(f, "token.id")->data)[2 * i]);
        n += snprintf(text + n, sizeof text - (size_t)n, f->end == END_OK ? "end " : "| ");
        frame_free(f);
    }
    snprintf(text + n, sizeof text - (size_t)n, "%d %d%s", status, k, e.text);
    in_close(in);
    close(p[0]);
    close(fd);
    return text;
}

static void test_fewer_rows(void)
{
    CHECK(strcmp(chosen((Choice){0, -1, -1}), "2 6 | 2 6 | 2 6 end 0 0") == 0);
    CHECK(strcmp(chosen((Choice){0, 1, -1}), "2 6 | 2 6 end 0 0") == 0);
    CHECK(strcmp(chosen((Choice){0, 2, -1}), "2 6 | 2 6 | end 0 0") == 0);
    /* Those before a fault are chosen from, too; its number is that among the rows that came. */
    int err = dup(STDERR_FILENO), said = memfd_create("said", 0);
    char text[128] = {0};
    dup2(said, STDERR_FILENO);
    const char *got = chosen((Choice){0, -1, 1});
    dup2(err, STDERR_FILENO);
    CHECK(strcmp(got, "2 6 | 2 6 | 1 -1") == 0);
    CHECK(pread(said, text, sizeof text - 1, 0) > 0);
    CHECK_TEXT(text, "row 10: no");
    close(err);
    close(said);
}

/* A thread whose stack no machine has room for: told by out_write and again by out_close. */
static void test_no_thread(void)
{
    Err e = {0};
    pthread_attr_t attr, usual;
    pthread_getattr_default_np(&usual);
    pthread_attr_init(&attr);
    CHECK(pthread_attr_setstacksize(&attr, (size_t)1 << 50) == 0);
    CHECK(pthread_setattr_default_np(&attr) == 0);
    Out *out = out_file("none.weft", &e);
    pthread_setattr_default_np(&usual);
    CHECK(out && out_write(out, sample(3), &e) < 0);
    CHECK_TEXT(e.text, "none.weft: cannot start a thread: ");
    e = (Err){0};
    CHECK(out && out_close(out, &e) < 0);
    CHECK_TEXT(e.text, "none.weft: cannot start a thread: ");
    CHECK(access("none.weft", F_OK) < 0);
    pthread_attr_destroy(&attr);
    pthread_attr_destroy(&usual);
}

int main(void)
{
    own_folder();
    test_join();
    test_end_joins();
    test_changed_bytes();
    test_lies();
    test_cut();
    test_parts();
    test_spool();
    test_fewer_rows();
    test_no_thread();
    return checked();
}
