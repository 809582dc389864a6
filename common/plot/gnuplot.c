#include "plot/gnuplot.h"

#include "base/outfile.h"
#include "io/spool.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Its standard input, output and error. */
enum { FILES = 3 };

static int open_files(int fd[FILES], Err *e)
{
    for (int i = 0; i < FILES; i++)
        if ((fd[i] = spool_file(e)) < 0)
            return -1;
    return 0;
}

static int write_script(int fd, Str script, Err *e)
{
    if (write_all(fd, script.p, script.n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return err_sys(e, "gnuplot's script: cannot write");
    return 0;
}

/* The environment, with universal time: a PDF tells when it was made, in local time. */
static char **environment(void)
{
    static char utc[] = "TZ=UTC0";
    size_t n = 0, kept = 0;
    while (environ[n])
        n++;
    char **env = mem_array(n + 2, sizeof *env);
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], "TZ=", 3) != 0)
            env[kept++] = environ[i];
    env[kept++] = utc;
    env[kept] = NULL;
    return env;
}

static int start(const int fd[FILES], pid_t *child)
{
    static char name[] = "gnuplot", plain[] = "--default-settings";
    char *argv[] = {name, plain, NULL}, **env = environment();
    posix_spawn_file_actions_t to;
    int bad = posix_spawn_file_actions_init(&to);
    if (!bad) {
        for (int i = 0; !bad && i < FILES; i++)
            bad = posix_spawn_file_actions_adddup2(&to, fd[i], i);
        bad = bad ? bad : posix_spawnp(child, name, &to, NULL, argv, env);
        posix_spawn_file_actions_destroy(&to);
    }
    free(env);
    return bad;
}

/* All of a file behind what is in b. */
static int read_back(int fd, Buf *b, Err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_sys(e, "what gnuplot wrote");
    char *p = buf_room(b, (size_t)st.st_size + 1);
    for (off_t at = 0; at < st.st_size;) {
        ssize_t n = pread(fd, p + at, (size_t)(st.st_size - at), at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_sys(e, "what gnuplot wrote: cannot read");
        at += n;
    }
    b->n += (size_t)st.st_size;
    return 0;
}

/* The last line that says anything, in which gnuplot tells what is wrong. */
static Str last_line(const Buf *said)
{
    size_t end = said->n;
    while (end && strchr(" \t\n", said->p[end - 1]))
        end--;
    size_t from = end;
    while (from && said->p[from - 1] != '\n')
        from--;
    while (from < end && said->p[from] == ' ')
        from++;
    return str_of(said->p ? said->p + from : "", end - from);
}

static int tell(int status, int fd, Err *e)
{
    static const char silent[] = "it does not say why";
    Buf said = {0};
    if (read_back(fd, &said, e) < 0) {
        free(said.p);
        return -1;
    }
    Str why = last_line(&said);
    if (!why.n)
        why = str_of(silent, sizeof silent - 1);
    if (WIFSIGNALED(status))
        err_set(e, "gnuplot was ended by signal %d", WTERMSIG(status));
    else
        err_set(e, "gnuplot failed: %.*s", (int)(why.n < 500 ? why.n : 500), why.p);
    free(said.p);
    return -1;
}

static int wait_for(pid_t child, int *status, Err *e)
{
    while (waitpid(child, status, 0) < 0)
        if (errno != EINTR)
            return err_sys(e, "gnuplot");
    return 0;
}

static int draw(const int fd[FILES], Buf *picture, Err *e)
{
    pid_t child;
    int status = 0;
    struct sigaction was, act = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &act, &was); /* where it is ignored, nobody could wait */
    int bad = start(fd, &child), waited = bad ? -1 : wait_for(child, &status, e);
    sigaction(SIGCHLD, &was, NULL);
    if (bad == ENOENT)
        return err_set(e, "gnuplot is not on PATH: install it (Debian: gnuplot-nox), or leave out "
                          "-o to draw in the terminal");
    if (bad)
        return err_set(e, "gnuplot cannot be started: %s", strerror(bad));
    if (waited < 0)
        return -1;
    if (status != 0)
        return tell(status, fd[2], e);
    if (read_back(fd[1], picture, e) < 0)
        return -1;
    return picture->n ? 0 : tell(status, fd[2], e);
}

int gnuplot_run(Str script, Buf *picture, Err *e)
{
    int fd[FILES] = {-1, -1, -1};
    int status = open_files(fd, e);
    if (status == 0)
        status = write_script(fd[0], script, e);
    if (status == 0)
        status = draw(fd, picture, e);
    for (int i = 0; i < FILES; i++)
        if (fd[i] >= 0)
            close(fd[i]);
    return status;
}
