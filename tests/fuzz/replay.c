/* replay.c - NAME FILE...: the harness NAME on files in place of libFuzzer's bytes. Says which file
 * it was that took more than REPLAY_S seconds of the processor, or ended the program. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__
enum { REPLAY_S = 10 };

/* What libFuzzer's -malloc_limit_mb is. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "max_allocation_size_mb=1024:allocator_may_return_null=1:detect_leaks=0";
}

static void limit_memory(void)
{
}
#else
enum { REPLAY_S = 2 };

static void limit_memory(void)
{
    struct rlimit most = {(rlim_t)1 << 31, (rlim_t)1 << 31};
    setrlimit(RLIMIT_AS, &most);
}
#endif

static const char *now;
static bool done;

static void tell(const char *what)
{
    char line[600];
    int n = snprintf(line, sizeof line, "%s: %s\n", now, what);
    if (write(STDERR_FILENO, line, (size_t)n) < 0)
        return;
}

static void on_signal(int sig)
{
    tell(sig == SIGPROF ? "takes too long" : "ended by a signal");
    signal(sig, SIG_DFL);
    raise(sig);
}

static void on_exit_of_target(void)
{
    if (!done)
        tell("the program was ended by exit()");
}

static void run(const char *path)
{
    struct stat st;
    struct itimerval limit = {.it_value.tv_sec = REPLAY_S}, none = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0 && fstat(fd, &st) == 0);
    uint8_t *p = malloc((size_t)st.st_size + !st.st_size); /* exactly: what reads beyond is seen */
    MUST(p && read(fd, p, (size_t)st.st_size) == st.st_size);
    close(fd);
    now = path;
    setitimer(ITIMER_PROF, &limit, NULL);
    LLVMFuzzerTestOneInput(p, (size_t)st.st_size);
    setitimer(ITIMER_PROF, &none, NULL);
    free(p);
}

int main(int argc, char **argv)
{
    limit_memory();
    atexit(on_exit_of_target);
    signal(SIGPROF, on_signal);
#if !defined __SANITIZE_ADDRESS__
    static const int deaths[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++)
        signal(deaths[i], on_signal);
#endif
    for (int i = 1; i < argc; i++)
        run(argv[i]);
    done = true;
    return argc < 2;
}
