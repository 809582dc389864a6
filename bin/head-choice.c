/* head - logits from hidden states, or the first lines of a file: decides which `head` is
 * meant and becomes it. Ours is weft-head beside this program; the other is the next head on
 * PATH. Nothing is read from standard input to find out. */
#include "base/mem.h"
#include "base/msg.h"
#include "io/begins.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Is there nothing but streams to read, and -q, which is ours too? */
static bool all_are_streams(char **argv)
{
    int operands = 0;
    bool options = true;
    for (char **a = argv + 1; *a; a++) {
        if (options && (strcmp(*a, "-q") == 0 || strcmp(*a, "--quiet") == 0))
            continue;
        if (options && strcmp(*a, "--") == 0) {
            options = false;
            continue;
        }
        bool standard = strcmp(*a, "-") == 0;
        if (!(standard ? stdin_begins_stream() : file_begins_stream(*a)))
            return false;
        operands++;
    }
    return operands || stdin_begins_stream();
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
    (void)argc;
    msg_begin("head");
    if (has_our_option(argv) || all_are_streams(argv))
        run_ours(argv);
    run_other(argv);
}
