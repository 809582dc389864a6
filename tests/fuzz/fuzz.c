/* fuzz.c - what the harnesses share: files, parts, streams. */
#include "tests/fuzz/fuzz.h"

#include "base/utf8.h"
#include "io/stream.h"
#include "model/model_tokenizer.h"
#include "report/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

_Noreturn void fuzz_broken(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    abort();
}

/* ---- files ---- */

const char *fuzz_folder(void)
{
    static char *folder;
    if (!folder) {
        const char *at = getenv("TMPDIR");
        folder = mem_fmt("%s/fuzz.XXXXXX", at ? at : "/tmp");
        MUST(mkdtemp(folder));
    }
    return folder;
}

static void put_all(int fd, const char *p, size_t n)
{
    for (ssize_t k; n; p += k, n -= (size_t)k)
        MUST((k = write(fd, p, n)) > 0);
}

char *fuzz_file(const char *name, const void *p, size_t n)
{
    static char *path;
    free(path);
    path = mem_fmt("%s/%s", fuzz_folder(), name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    MUST(fd >= 0);
    put_all(fd, p, n);
    close(fd);
    return path;
}

void fuzz_file_or_none(const char *name, Str s)
{
    if (s.n) {
        fuzz_file(name, s.p, s.n);
        return;
    }
    char *path = mem_fmt("%s/%s", fuzz_folder(), name);
    MUST(unlink(path) == 0 || errno == ENOENT);
    free(path);
}

char *fuzz_golden(const char *name)
{
    const char *top = getenv("TOP");
    return mem_fmt("%s/tests/golden/%s", top ? top : ".", name);
}

Tokenizer *fuzz_tokenizer(const char *model, Tokenizer **loaded)
{
    Err e = {0};
    char *folder = *loaded ? NULL : fuzz_golden(model);
    if (folder)
        *loaded = model_tokenizer(folder, &e);
    MUST(*loaded);
    free(folder);
    return *loaded;
}

int fuzz_fd(const void *p, size_t n)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    MUST(fd >= 0);
    put_all(fd, p, n);
    MUST(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static size_t chunk;

void fuzz_chunk(size_t most)
{
    chunk = most;
}

/* In the C library's place, for the library under test too. */
ssize_t read(int fd, void *p, size_t n)
{
    return syscall(SYS_read, fd, p, chunk && n > chunk ? chunk : n);
}

/* ---- inputs ---- */

unsigned fuzz_byte(const uint8_t **p, size_t *n)
{
    if (!*n)
        return 0;
    --*n;
    return *(*p)++;
}

Str fuzz_part(Str *rest)
{
    static const char line[] = "\n%%\n";
    const char *at = rest->n ? memmem(rest->p, rest->n, line, sizeof line - 1) : NULL;
    Str part = at ? str_of(rest->p, (size_t)(at - rest->p)) : *rest;
    *rest = at ? str_of(at + sizeof line - 1, rest->n - part.n - (sizeof line - 1)) : str_of("", 0);
    return part;
}

Str fuzz_text(const void *p, size_t n)
{
    char *s = mem_strn(p, n);
    for (size_t i = 0; (i += utf8_check(s + i, n - i)) < n;)
        s[i] = ' ';
    for (size_t i = 0; i < n; i++)
        if (!s[i])
            s[i] = ' ';
    return str_of(s, n);
}

void fuzz_plain(const Buf *b)
{
    for (size_t i = 0; i < b->n; i++)
        MUST(((unsigned char)b->p[i] >= ' ' && b->p[i] != 0x7f) || b->p[i] == '\t' ||
             b->p[i] == '\n');
}

void fuzz_touch(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)((const volatile unsigned char *)p)[i];
}

/* ---- streams ---- */

Frame **fuzz_frames(Str stream, int64_t want, int *n, int *ended)
{
    char *files[] = {fuzz_file("stream", stream.p, stream.n)};
    In *in = in_open(files, 1);
    Frame **all = NULL, *f;
    Err e = {0};
    *n = 0;
    in_want(in, want);
    while ((*ended = in_next(in, &f, &e)) == 1) {
        all = mem_resize(all, (size_t)*n + 1, sizeof *all);
        all[(*n)++] = f;
    }
    in_close(in);
    return all;
}

void fuzz_frames_free(Frame **f, int n)
{
    for (int i = 0; i < n; i++)
        frame_free(f[i]);
    free(f);
}

char *fuzz_digest(Frame **f, int n)
{
    Digest *d = digest_new();
    Buf b = {0};
    for (int i = 0; i < n; i++)
        digest_add(d, f[i]);
    digest_end(d, &b);
    buf_add(&b, "", 1);
    return b.p;
}

/* ---- mutation ---- */

/* Only libFuzzer has it. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *p, size_t n, size_t most);

static uint64_t get_length(const uint8_t *p)
{
    uint64_t n;
    memcpy(&n, p, sizeof n);
    return n;
}

/* One of the numbers in the header becomes another, which may be longer or shorter. */
static size_t other_number(char *p, size_t n, size_t most, unsigned seed)
{
    static const char *const odd[] = {"0",
                                      "1",
                                      "2",
                                      "3",
                                      "4",
                                      "8",
                                      "64",
                                      "255",
                                      "1024",
                                      "65536",
                                      "2147483647",
                                      "2147483648",
                                      "4294967296",
                                      "1099511627776",
                                      "4611686018427387904",
                                      "9223372036854775807",
                                      "9223372036854775808",
                                      "18446744073709551615",
                                      "-1",
                                      "1e3"};
    size_t at[256], found = 0;
    for (size_t i = 1; i < n && found < 256; i++)
        if (p[i] >= '0' && p[i] <= '9' && !(p[i - 1] >= '0' && p[i - 1] <= '9'))
            at[found++] = i;
    if (!found)
        return n;
    size_t i = at[seed % found], end = i;
    char number[32];
    while (end < n && p[end] >= '0' && p[end] <= '9')
        end++;
    seed /= 256;
    if (seed % 3 == 0)
        snprintf(number, sizeof number, "%llu", strtoull(p + i, NULL, 10) + (seed & 4) / 2 - 1);
    else
        snprintf(number, sizeof number, "%s", odd[seed / 3 % (sizeof odd / sizeof *odd)]);
    size_t m = strlen(number);
    if (n - (end - i) + m > most)
        return n;
    memmove(p + i + m, p + end, n - end);
    memcpy(p + i, number, m);
    return n - (end - i) + m;
}

size_t fuzz_mutate_stream(uint8_t *p, size_t n, size_t most, unsigned seed, size_t skip)
{
    unsigned how = seed % 4;
    skip++;
    if (n < skip + 8 || p[skip - 1] || get_length(p + skip) > n - skip - 8 || how == 0)
        return LLVMFuzzerMutate(p, n, most);
    size_t begin = skip, length = (size_t)get_length(p + begin);
    for (unsigned turn = seed >> 28; turn; turn--) { /* one of the frames; data count as none */
        size_t next = begin + 8 + length;
        while (next + 10 < n && !(p[next + 8] == '{' && p[next + 9] == '"'))
            next++;
        if (next + 10 >= n || get_length(p + next) > n - next - 8)
            break;
        begin = next;
        length = (size_t)get_length(p + next);
    }
    uint8_t *header = p + begin + 8;
    size_t behind = n - (begin + 8 + length), room = most - (n - length);
    if (how == 1) { /* the data */
        size_t to = LLVMFuzzerMutate(header + length, behind, most - (n - behind));
        return n - behind + to;
    }
    char *own = mem_alloc(room + 1);
    memcpy(own, header, length);
    own[length] = '\0';
    size_t to = how == 2 ? LLVMFuzzerMutate((uint8_t *)own, length, room)
                         : other_number(own, length, room, seed >> 2);
    memmove(header + to, header + length, behind);
    memcpy(header, own, to);
    free(own);
    memcpy(p + begin, &(uint64_t){to}, 8);
    return n - length + to;
}
