/* sweep - a program whose calls fail one after another, or that is killed at one moment after
 * another, in the folder where this is run. That folder is small: it is put back before each run
 * and looked at behind it.
 *
 *     sweep [-aklrt] [-i STDIN] [-x FILE]... NAME PROGRAM [ARG...]
 *
 * -k kills it (SIGKILL) instead; -r runs it once more behind each run that failed, which then has
 * to come to its end; -a a file may be away where it is killed; -l what it leaves behind is meant
 * to be there; -t it may do without what it could not read if it says why; -i standard input; -x a
 * file that is no two times the same.
 *
 * What holds, whatever fails: no death by a signal; exit 0 with the same bytes or another exit with
 * a message; a short read or write, or one that is interrupted, changes nothing; files are the old
 * ones or the new ones, whole, never some of each; nothing else is left behind. $FAULTS_ALL sets
 * out to do it with every call; else it is some, by $FAULTS_SEED. A line of figures goes to
 * standard output, what does not hold to standard error with where it was (addr2line -e
 * bin/PROGRAM). */
#include "tests/faults/inject.h"
#include "tests/faults/tree.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ONCE = 1,
    ON = 2,
    MUST = 4,
    STRIDE = 7,
    SAMPLES = 24,
    KILLS = 20,
    ALL_KILLS = 200,
    HANG_S = 60
};

static const struct {
    Call call;
    int error, how;
    const char *name;
} faults[] = {
    {CALL_ALLOC, ENOMEM, ONCE | ON, "alloc"},
    {CALL_READ, EIO, ONCE | ON, "read"},
    {CALL_READ, EINTR, ONCE | MUST, "read interrupted"},
    {CALL_READ, ERROR_SHORT, ONCE | ON | MUST, "read short"},
    {CALL_WRITE, ENOSPC, ONCE | ON, "write"},
    {CALL_WRITE, EPIPE, ONCE | ON, "write to nobody"},
    {CALL_WRITE, EINTR, ONCE | MUST, "write interrupted"},
    {CALL_WRITE, ERROR_SHORT, ONCE | ON | MUST, "write short"},
    {CALL_OPEN, EMFILE, ONCE | ON, "open"},
    {CALL_OPEN, EACCES, ONCE, "open denied"},
    {CALL_CLOSE, EIO, ONCE | ON, "close"},
    {CALL_SYNC, EIO, ONCE | ON, "fsync"},
    {CALL_RENAME, EACCES, ONCE | ON, "rename"},
    {CALL_FOLDER, ENOSPC, ONCE | ON, "folder"},
    {CALL_TRUNCATE, EIO, ONCE, "ftruncate"},
    {CALL_MMAP, ENOMEM, ONCE | ON, "mmap"},
    {CALL_THREAD, EAGAIN, ONCE | ON, "thread"},
};

/* What became of a run. */
typedef enum Fate {
    SAME,   /* exit 0, and all is as it should be */
    TOLD,   /* failed, and said so */
    MISSED, /* the call never came */
    MUTE,
    OTHER,   /* exit 0 with other bytes */
    GAVE_UP, /* for a thing that is no failure */
    SIGNAL,
    HANG,
    TORN,  /* a file is neither the old nor the new one */
    MIXED, /* some are old and some are new */
    LEFT,
    AGAIN, /* once more, and it failed */
    FATES
} Fate;
static const char *const fate_name[FATES] = {"same",        "told",    "missed", "mute",
                                             "other bytes", "gave up", "signal", "hang",
                                             "torn",        "mixed",   "left",   "not again"};

static struct {
    const char *name, *in;
    char **argv;
    const char *unlike[8];
    int unlikes;
    bool kill, again, away, leaves, tells;
    Inject *will;
    int out, err; /* files */
    Tree before, after;
    char *want; /* standard output */
    size_t wants;
    long fate[FATES], behind; /* behind: runs that left something behind, meant or not */
} s;

/* ---- a run ---- */

static volatile pid_t child;
static volatile sig_atomic_t hung;

static void on_alarm(int sig)
{
    (void)sig;
    hung = 1;
    kill(child, SIGKILL);
}

static void start(void)
{
    struct rlimit none = {0, 0};
    int in = open(s.in, O_RDONLY);
    setrlimit(RLIMIT_CORE, &none);
    if (in < 0 || dup2(in, 0) < 0 || dup2(s.out, 1) < 0 || dup2(s.err, 2) < 0)
        _exit(126);
    close(in);
    setenv("LD_PRELOAD", getenv("FAULTS_LIB"), 1);
    s.will->who = getpid();
    execvp(s.argv[0], s.argv);
    _exit(127);
}

/* Its wait status. */
static int run(void)
{
    int status;
    if (ftruncate(s.out, 0) < 0 || ftruncate(s.err, 0) < 0)
        exit(2);
    lseek(s.out, 0, SEEK_SET);
    lseek(s.err, 0, SEEK_SET);
    hung = 0;
    child = fork();
    if (child == 0)
        start();
    alarm(HANG_S);
    while (waitpid(child, &status, 0) < 0)
        ;
    alarm(0);
    return status;
}

static char *bytes_of(int fd, size_t *n)
{
    *n = (size_t)lseek(fd, 0, SEEK_END);
    char *p = mem_alloc(*n + 1);
    if (pread(fd, p, *n, 0) != (ssize_t)*n)
        exit(2);
    p[*n] = '\0';
    return p;
}

static bool same_output(void)
{
    size_t n;
    char *p = bytes_of(s.out, &n);
    bool same = n == s.wants && memcmp(p, s.want, n) == 0;
    free(p);
    return same;
}

static void clear(Call call, long at, bool on, int error, long moment)
{
    memset(s.will, 0, sizeof *s.will);
    s.will->call = call;
    s.will->at = at;
    s.will->on = on;
    s.will->error = error;
    s.will->kill = moment;
}

static void put_back(void)
{
    Tree now = tree_read(".");
    tree_restore(".", &now, &s.before);
    tree_free(&now);
}

/* ---- what is left ---- */

static bool is_unlike(const char *path)
{
    for (int i = 0; i < s.unlikes; i++)
        if (strcmp(s.unlike[i], path) == 0)
            return true;
    return false;
}

/* All of `after` is there. */
static bool all_new(const Tree *now)
{
    for (int i = 0; i < s.after.count; i++) {
        const char *path = s.after.leaf[i].path;
        if (!is_unlike(path) && !leaf_same(&s.after.leaf[i], tree_find(now, path)))
            return false;
    }
    return true;
}

/* SAME, or what is wrong with the files; *path. */
static Fate old_or_new(const Tree *now, const char **path)
{
    const char *old = NULL, *new = NULL;
    const Tree *both[] = {&s.before, &s.after};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < both[k]->count; i++) {
            *path = both[k]->leaf[i].path;
            const Leaf *b = tree_find(&s.before, *path), *a = tree_find(&s.after, *path);
            const Leaf *n = tree_find(now, *path);
            if (is_unlike(*path) || leaf_same(a, b))
                continue;
            if (!leaf_same(n, a) && !leaf_same(n, b) && (n || !s.away))
                return TORN;
            if (n && b && leaf_same(n, b))
                old = *path;
            else if (n)
                new = *path;
        }
    *path = new;
    return old && new ? MIXED : SAME;
}

static const char *left_behind(const Tree *now)
{
    for (int i = 0; i < now->count; i++) {
        const char *path = now->leaf[i].path;
        if (!tree_find(&s.before, path) && !tree_find(&s.after, path))
            return path;
    }
    return NULL;
}

/* Does it say why, among its results or beside them? */
static bool says_why(void)
{
    size_t n;
    bool says = false;
    const char *why = strerror(s.will->error);
    int files[] = {s.out, s.err};
    for (int i = 0; i < 2; i++) {
        char *p = bytes_of(files[i], &n);
        says |= memmem(p, n, why, strlen(why)) != NULL;
        free(p);
    }
    return says;
}

/* ---- judging ---- */

static void tell(Fate f, const char *what, long at, long of, const char *how, const char *more)
{
    fprintf(stderr, "%s: %s %ld of %ld%s: %s%s%s\n", s.name, what, at, of, how, fate_name[f],
            *more ? ": " : "", more);
    const char *sep = "    ";
    for (int i = 0; i < INJECT_TRACE && s.will->where[i][0]; i++, sep = " < ")
        fprintf(stderr, "%s%s", sep, s.will->where[i]);
    if (s.will->where[0][0])
        fprintf(stderr, "\n");
}

/* Of an ending that was no death. */
static Fate judge_exit(int status, bool must, const Tree *now, char *more, size_t size)
{
    const char *path;
    size_t n;
    char *said = bytes_of(s.err, &n);
    snprintf(more, size, "exit %d: %.*s", WEXITSTATUS(status), (int)strcspn(said, "\n"), said);
    free(said);
    if (WEXITSTATUS(status) == 0)
        return same_output() && all_new(now) ? SAME : s.tells && says_why() ? TOLD : OTHER;
    if (must)
        return GAVE_UP;
    if (n == 0)
        return MUTE;
    Fate f = old_or_new(now, &path);
    if (f != SAME)
        snprintf(more, size, "%s", path);
    return f == SAME ? TOLD : f;
}

static Fate judge(int status, bool must, bool pipe, char *more, size_t size)
{
    const char *path;
    Tree now = tree_read(".");
    Fate f;
    if (hung)
        f = HANG;
    else if (!s.will->fired && !s.kill)
        f = MISSED;
    else if (WIFEXITED(status))
        f = judge_exit(status, must, &now, more, size);
    else if (s.kill || (pipe && WTERMSIG(status) == SIGPIPE))
        f = old_or_new(&now, &path);
    else
        f = SIGNAL;
    if (!WIFEXITED(status))
        snprintf(more, size, "signal %d%s%s", WTERMSIG(status), f == TORN || f == MIXED ? ": " : "",
                 f == TORN || f == MIXED ? path : "");
    bool tidy = !s.leaves && !s.kill && s.will->call != CALL_FOLDER;
    if ((path = left_behind(&now))) {
        s.behind++;
        if (f <= TOLD && tidy) {
            snprintf(more, size, "%s", path);
            f = LEFT;
        }
    }
    tree_free(&now);
    return f;
}

static Fate once_more(char *more, size_t size)
{
    clear(0, 0, false, 0, 0);
    int status = run();
    Tree now = tree_read(".");
    bool same = WIFEXITED(status) && WEXITSTATUS(status) == 0 && same_output() && all_new(&now);
    size_t n;
    char *said = bytes_of(s.err, &n);
    snprintf(more, size, "%.*s", (int)strcspn(said, "\n"), said);
    free(said);
    tree_free(&now);
    return same ? SAME : AGAIN;
}

/* One run, judged and counted. */
static void one(Call call, int error, bool on, bool must, long at, long of, const char *what)
{
    char more[400] = "";
    clear(call, s.kill ? 0 : at, on, error, s.kill ? at : 0);
    put_back();
    int status = run();
    Fate f = judge(status, must, error == EPIPE, more, sizeof more);
    Inject was = *s.will;
    if (s.again && f <= TOLD && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
        Fate again = once_more(more, sizeof more);
        f = again == SAME ? f : again;
        *s.will = was;
    }
    s.fate[f]++;
    if (f > MISSED)
        tell(f, what, at, of, on ? " on" : "", more);
}

/* ---- all of them ---- */

static void learn(void)
{
    clear(0, 0, false, 0, 0);
    s.before = tree_read(".");
    int status = run();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        size_t n;
        fprintf(stderr, "%s: fails by itself: %s\n", s.name, bytes_of(s.err, &n));
        exit(2);
    }
    s.want = bytes_of(s.out, &s.wants);
    s.after = tree_read(".");
}

static void sweep_kind(size_t k, long total, long seed)
{
    bool all = getenv("FAULTS_ALL") != NULL;
    const char *few = getenv("FAULTS_SAMPLES");
    long samples = few ? strtol(few, NULL, 10) : SAMPLES;
    long stride = total / samples > STRIDE ? total / samples : STRIDE;
    long first = all ? 1 : 1 + seed % (total < stride ? total : stride), turn = seed;
    for (long at = first; at <= total; at += all ? 1 : stride, turn++)
        for (int how = ONCE; how <= ON; how <<= 1) {
            bool both = (faults[k].how & (ONCE | ON)) == (ONCE | ON);
            if (!(faults[k].how & how) || (!all && both && (how == ON) != turn % 2))
                continue;
            one(faults[k].call, faults[k].error, how == ON, faults[k].how & MUST, at, total,
                faults[k].name);
        }
}

static void sweep(long seed)
{
    long calls[CALLS], moments = s.will->moments;
    for (int i = 0; i < CALLS; i++)
        calls[i] = s.will->calls[i];
    if (!s.kill) {
        for (size_t k = 0; k < sizeof faults / sizeof *faults; k++)
            if (calls[faults[k].call])
                sweep_kind(k, calls[faults[k].call], seed + (long)k);
        return;
    }
    long most = getenv("FAULTS_ALL") ? ALL_KILLS : KILLS;
    long n = moments < most ? moments : most, off = seed % (moments / (n ? n : 1) + 1);
    for (long i = 0; i < n; i++) {
        long at = 1 + (i * moments / n + off) % moments;
        one(0, 0, false, false, at, moments, "killed at moment");
    }
}

static int parse(int argc, char **argv)
{
    int k;
    s.in = "/dev/null";
    while ((k = getopt(argc, argv, "+aklrti:x:")) != -1)
        switch (k) {
        case 'k': s.kill = true; break;
        case 'r': s.again = true; break;
        case 'a': s.away = true; break;
        case 'l': s.leaves = true; break;
        case 't': s.tells = true; break;
        case 'i': s.in = optarg; break;
        case 'x':
            if (s.unlikes < 8)
                s.unlike[s.unlikes++] = optarg;
            break;
        default: return -1;
        }
    if (argc - optind < 2 || !getenv("FAULTS_LIB"))
        return -1;
    s.name = argv[optind];
    s.argv = argv + optind + 1;
    return 0;
}

int main(int argc, char **argv)
{
    if (parse(argc, argv) < 0) {
        fprintf(stderr,
                "usage: FAULTS_LIB=inject.so sweep [-aklrt] [-i STDIN] [-x FILE] NAME PROGRAM "
                "[ARG...]\n");
        return 2;
    }
    int fd = memfd_create("faults", 0);
    s.out = memfd_create("out", 0);
    s.err = memfd_create("err", 0);
    if (fd < 0 || s.out < 0 || s.err < 0 || ftruncate(fd, sizeof *s.will) < 0)
        return 2;
    s.will = mmap(NULL, sizeof *s.will, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *path = mem_fmt("/proc/%ld/fd/%d", (long)getpid(), fd);
    setenv("FAULTS", path, 1);
    setenv("TMPDIR", ".", 1);
    signal(SIGALRM, on_alarm);
    learn();
    sweep(getenv("FAULTS_SEED") ? strtol(getenv("FAULTS_SEED"), NULL, 10) : 1);
    put_back();
    printf("%s%s", s.name, s.kill ? " -9" : "");
    long bad = 0;
    for (int f = 0; f < FATES; f++) {
        printf("\t%s %ld", fate_name[f], s.fate[f]);
        bad += f > MISSED ? s.fate[f] : 0;
    }
    printf("\tleft something %ld\n", s.behind);
    return bad != 0;
}
