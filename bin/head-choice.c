/* head - logits from hidden states, or the first lines of a file: decides which `head` is
 * meant and becomes it. Ours is weft-head beside this program; the other is the next head on
 * PATH. Nothing is read from standard input to find out. */
#include "base/mem.h"
#include "base/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TELLS = 9, HEADER_MAX = 100000000 }; /* bytes that tell a stream; its longest header */

/* Letters that only ours has (head(1) has c n q v z and digits) and those of head(1) that take
 * an argument, which then is no option. */
static const char our_letters[] = "mTajDtshV";
static const char their_valued[] = "cn";
static const char *const our_names[] = {"model", "task", "all",      "threads", "device",
                                        "dtype", "seed", "progress", NULL};
static const char *const their_valued_names[] = {"bytes", "lines", NULL};

static bool among(const char *name, size_t n, const char *const *names)
{
    for (; *names; names++)
        if (strlen(*names) == n && memcmp(*names, name, n) == 0)
            return true;
    return false;
}

typedef enum Sign { SIGN_NONE, SIGN_SKIP, SIGN_OURS } Sign;

/* What one word that begins with "--" says; SIGN_SKIP: the next word is its argument. */
static Sign long_option(const char *name)
{
    size_t n = strcspn(name, "=");
    if (among(name, n, our_names))
        return SIGN_OURS;
    return !name[n] && among(name, n, their_valued_names) ? SIGN_SKIP : SIGN_NONE;
}

/* The same for letters behind one "-". -5, -5k and the like are head(1)'s of old. */
static Sign letters(const char *s)
{
    if (*s >= '0' && *s <= '9')
        return SIGN_NONE;
    for (; *s; s++) {
        if (strchr(our_letters, *s))
            return SIGN_OURS;
        if (strchr(their_valued, *s))
            return s[1] ? SIGN_NONE : SIGN_SKIP;
    }
    return SIGN_NONE;
}

static bool has_our_option(char **argv)
{
    for (char **a = argv + 1; *a; a++) {
        if (strcmp(*a, "--") == 0)
            return false;
        Sign sign = strncmp(*a, "--", 2) == 0 ? long_option(*a + 2)
                    : **a == '-'              ? letters(*a + 1)
                                              : SIGN_NONE;
        if (sign == SIGN_OURS)
            return true;
        if (sign == SIGN_SKIP && !*++a)
            return false;
    }
    return false;
}

/* Can these first n bytes of standard input begin a stream: a header's length in eight bytes,
 * then '{'? */
static bool like_stream(const unsigned char *p, size_t n)
{
    uint64_t length = 0;
    for (size_t i = 0; i < n && i < 8; i++)
        length |= (uint64_t)p[i] << 8 * i;
    return length <= HEADER_MAX && (n < TELLS || p[8] == '{');
}

/* The first bytes of a pipe, which stay in it. They may come one by one, and poll(2) cannot
 * wait for more than there is; so while they leave it open, look again after a growing nap. */
static bool pipe_begins_stream(void)
{
    int copy[2];
    unsigned char p[TELLS];
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    struct timespec nap = {.tv_nsec = 250000};
    if (pipe2(copy, O_CLOEXEC) < 0)
        return false;
    for (;;) {
        if (poll(&in, 1, -1) < 0 && errno != EINTR)
            return false;
        bool all = (in.revents & POLLHUP) != 0; /* seen before the copy, so nothing is missed */
        ssize_t n = tee(STDIN_FILENO, copy[1], TELLS, SPLICE_F_NONBLOCK);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n > 0 && read(copy[0], p, (size_t)n) != n)
            return false;
        if (n == TELLS || (n > 0 && !like_stream(p, (size_t)n)))
            return like_stream(p, (size_t)n);
        if (all)
            return false;
        nanosleep(&nap, NULL);
        if (nap.tv_nsec < 20000000)
            nap.tv_nsec *= 2;
    }
}

static bool stdin_begins_stream(void)
{
    struct stat st;
    unsigned char p[TELLS];
    if (fstat(STDIN_FILENO, &st) < 0)
        return false;
    if (S_ISFIFO(st.st_mode))
        return pipe_begins_stream();
    off_t at = S_ISREG(st.st_mode) ? lseek(STDIN_FILENO, 0, SEEK_CUR) : -1;
    return at >= 0 && pread(STDIN_FILENO, p, TELLS, at) == TELLS && like_stream(p, TELLS);
}

/* A file's identity as a word, " DEVICE:INODE ". */
static char *identity(const struct stat *st)
{
    return mem_fmt(" %llu:%llu ", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
}

/* Several copies of this program on PATH would hand over to each other for ever, so each leaves
 * its identity in the environment and passes over those that are there. */
static char *passed_and_self(void)
{
    struct stat self = {0};
    const char *passed = getenv("WEFT_HEAD_PASSED");
    stat("/proc/self/exe", &self);
    char *mine = identity(&self), *all = mem_fmt("%s%s", passed ? passed : "", mine);
    free(mine);
    setenv("WEFT_HEAD_PASSED", all, 1);
    return all;
}

static bool is_other(const char *path, const char *passed)
{
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) < 0)
        return false;
    char *id = identity(&st);
    bool other = !strstr(passed, id);
    free(id);
    return other;
}

static noreturn void run_other(char **argv)
{
    const char *path = getenv("PATH");
    char *passed = passed_and_self();
    argv[0] = "head";
    for (const char *p = path && *path ? path : "/usr/bin:/bin"; p;) {
        size_t n = strcspn(p, ":");
        char *head = n ? mem_fmt("%.*s/head", (int)n, p) : mem_str("./head");
        if (is_other(head, passed))
            execv(head, argv);
        free(head);
        p = p[n] ? p + n + 1 : NULL;
    }
    dief("no head(1) on PATH, and this is no call of weft's head: 'weft head' runs that always");
}

static noreturn void run_ours(char **argv)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        dief("/proc/self/exe: %s", strerror(errno));
    self[n] = '\0';
    char *ours = mem_fmt("%.*s/weft-head", (int)(strrchr(self, '/') - self), self);
    execv(ours, argv);
    dief("%s: %s", ours, strerror(errno));
}

int main(int argc, char **argv)
{
    msg_begin("head");
    if (has_our_option(argv) || (argc == 1 && stdin_begins_stream()))
        run_ours(argv);
    run_other(argv);
}
