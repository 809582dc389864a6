/* prefixes - runs a program on every prefix of a stream but the whole of it, and tells which of
 * them did not end as they must: exit 1 and one line on standard error that begins with the
 * program's name and says that the stream ends early (or, for no byte at all, is empty).
 *
 *     prefixes STREAM PROGRAM [ARGUMENT ...]
 *
 * The program's standard output is thrown away. JOBS run at a time. */
#include "base/mem.h"
#include "base/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS = 4 };

extern char **environ;

typedef struct Job {
    pid_t pid;  /* 0: free */
    size_t n;   /* bytes of the prefix */
    int errors; /* what it wrote to standard error */
} Job;

static int memory(const void *p, size_t n)
{
    int fd = memfd_create("prefixes", MFD_CLOEXEC);
    if (fd < 0 || write(fd, p, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)
        dief("cannot make a file: %s", strerror(errno));
    return fd;
}

static Job start(const char *stream, size_t n, char **argv)
{
    posix_spawn_file_actions_t act;
    Job job = {.n = n, .errors = memory("", 0)};
    int in = memory(stream, n);
    posix_spawn_file_actions_init(&act);
    posix_spawn_file_actions_adddup2(&act, in, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&act, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&act, job.errors, STDERR_FILENO);
    int error = posix_spawnp(&job.pid, argv[0], &act, NULL, argv, environ);
    if (error)
        dief("%s: %s", argv[0], strerror(error));
    posix_spawn_file_actions_destroy(&act);
    close(in);
    return job;
}

static bool as_it_must(const Job *job, int status, const char *said)
{
    const char *newline = strchr(said, '\n'), *colon = strstr(said, ": ");
    return WIFEXITED(status) && WEXITSTATUS(status) == 1 && newline && !newline[1] && colon &&
           strstr(said, job->n ? "stdin: stream ends early after " : "stdin: empty input");
}

/* Waits for one of them; 1 if it did wrong. */
static int finish(Job *jobs)
{
    int status, i = 0;
    pid_t pid = wait(&status);
    while (i < JOBS && jobs[i].pid != pid)
        i++;
    if (i == JOBS)
        dief("wait: a child that nobody started");
    char said[1024];
    ssize_t n = pread(jobs[i].errors, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    close(jobs[i].errors);
    jobs[i].pid = 0;
    if (as_it_must(&jobs[i], status, said))
        return 0;
    printf("%zu bytes: wait status %d, said: %s\n", jobs[i].n, status, said);
    return 1;
}

static Buf whole(const char *path)
{
    Buf b = {0};
    FILE *f = fopen(path, "rb");
    if (!f)
        dief("%s: %s", path, strerror(errno));
    for (int c; (c = getc(f)) != EOF;)
        buf_add(&b, &(char){(char)c}, 1);
    fclose(f);
    return b;
}

int main(int argc, char **argv)
{
    Job jobs[JOBS] = {0};
    int wrong = 0, running = 0;
    msg_prog = "prefixes";
    if (argc < 3)
        die_usage("usage: prefixes STREAM PROGRAM [ARGUMENT ...]");
    Buf b = whole(argv[1]);
    for (size_t n = 0; n < b.n; n++) {
        if (running == JOBS) {
            wrong += finish(jobs);
            running--;
        }
        int i = 0;
        while (jobs[i].pid)
            i++;
        jobs[i] = start(b.p, n, argv + 2);
        running++;
    }
    for (; running; running--)
        wrong += finish(jobs);
    printf("%zu prefixes, %d wrong\n", b.n, wrong);
    free(b.p);
    return wrong != 0;
}
