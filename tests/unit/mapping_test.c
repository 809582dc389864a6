/* mapping_test.c - a mapped file that is cut short ends the program with a message that names it,
 * and any other SIGBUS does what it does without us. */
#include "base/mapping.h"

#include "base/msg.h"
#include "base/tidy.h"
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PAGES = 3 };

static size_t bytes_of(int pages)
{
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int make(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)bytes_of(PAGES) - 1) == 0);
    return fd;
}

static Mapping *map(int fd, const char *name)
{
    Mapping *m = mapping_new(fd, 0, bytes_of(PAGES) - 1, PROT_READ, MAP_SHARED, name);
    CHECK(m && mapping_find(mapping_bytes(m)) == m);
    return m;
}

static void touch(const void *p, size_t at)
{
    volatile char c = ((const volatile char *)p)[at];
    (void)c;
}

/* What runs in a process of its own. */
static void cut_short(void)
{
    int one = make("one"), two = make("two");
    Mapping *gone = map(one, "gone"), *m;
    void *p = mapping_bytes(gone);
    mapping_free(gone);
    m = map(one, "o\nne");
    CHECK(mapping_find(p) == NULL || mapping_find(p) == m);
    map(two, "two");
    tidy_add("half");
    close(open("half", O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
    CHECK(ftruncate(one, (off_t)bytes_of(1)) == 0);
    touch(mapping_bytes(m), bytes_of(1) - 1); /* what is left of it is there */
    touch(mapping_bytes(m), bytes_of(PAGES) - 2);
}

static void of_another(void)
{
    int fd = make("other");
    map(make("one"), "one");
    char *p = mmap(NULL, bytes_of(PAGES), PROT_READ, MAP_SHARED, fd, 0);
    CHECK(ftruncate(fd, 0) == 0);
    touch(p, 0);
}

static void sent(void)
{
    map(make("one"), "one");
    raise(SIGBUS);
}

static void freed(void)
{
    int fd = make("one");
    Mapping *m = map(fd, "one");
    char *p = mapping_bytes(m);
    mapping_free(m);
    CHECK(mmap(p, bytes_of(PAGES), PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == p);
    CHECK(ftruncate(fd, 0) == 0);
    touch(p, 0);
}

/* Its wait status; what it said is in `said`. */
static int run(void (*what)(void), char *said, size_t size)
{
    int fd = open("said", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd, STDERR_FILENO);
        signal(SIGBUS, SIG_DFL); /* a sanitizer has its own */
        what();
        _exit(42);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    ssize_t n = pread(fd, said, size - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    close(fd);
    return status;
}

int main(void)
{
    char said[1024];
    void (*const others[])(void) = {of_another, sent, freed};
    own_folder();
    msg_prog = "test";
    int status = run(cut_short, said, sizeof said);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DATA);
    CHECK(strcmp(said, "test: o?ne: it was cut short, or cannot be read, while it was in use\n") ==
          0);
    CHECK(access("half", F_OK) < 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        status = run(others[i], said, sizeof said);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS && !*said);
    }
    return checked();
}
