#include "base/msg.h"

#include "base/tidy.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *msg_prog = "weft";
bool msg_quiet;
static bool progress_open; /* a progress line without its newline stands on the terminal */

void msg_begin(const char *prog)
{
    static const int contrary[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    msg_prog = prog;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) {
            int at = open("/dev/null", contrary[fd]); /* the lowest number that is free: fd */
            if (at < 0)
                dief("/dev/null: %s", strerror(errno));
        }
}

/* The text as it may be shown, up to its NUL; how many bytes. `to` has room for 4 of each. */
static size_t plain(const char *text, char *to)
{
    size_t n = 0, left = strlen(text), len;
    for (const char *p = text; left; left -= len, p += len) {
        size_t control = utf8_control(p, left, &len);
        if (control) {
            n += utf8_escape(p, control, to + n);
            len = control;
        } else {
            memcpy(to + n, p, len);
            n += len;
        }
    }
    return n;
}

/* One write(2) a message, so that programs of one pipeline do not mix their lines. Without memory
 * from elsewhere: there may be none. */
static void put(const char *end, const char *fmt, va_list ap)
{
    char text[2048], line[4 * sizeof text + 64];
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        return;
    int n = snprintf(line, 64, "%s%.40s: ", progress_open ? "\n" : "", msg_prog);
    size_t len = (size_t)n + plain(text, line + n);
    line[len++] = *end;
    progress_open = false;
    if (write(STDERR_FILENO, line, len) < 0)
        return; /* nobody is left to tell */
}

#define PUT(end)                                                                                   \
    do {                                                                                           \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        put(end, fmt, ap);                                                                         \
        va_end(ap);                                                                                \
    } while (0)

void msg_error(const char *fmt, ...)
{
    PUT("\n");
}

void msg_note(const char *fmt, ...)
{
    if (!msg_quiet)
        PUT("\n");
}

void msg_progress(const char *fmt, ...)
{
    if (!isatty(STDERR_FILENO)) {
        PUT("\n");
        return;
    }
    if (progress_open && write(STDERR_FILENO, "\r\033[K", 4) < 0)
        return;
    progress_open = false;
    PUT(" ");
    progress_open = true;
}

noreturn void die_in_handler(const char *name, const char *text)
{
    const char *const part[] = {progress_open ? "\n" : "", msg_prog, ": ", name, ": ", text};
    char line[1024];
    size_t n = 0;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        for (const char *p = part[i]; p && *p && n < sizeof line - 1; p++)
            line[n++] = (unsigned char)*p < ' ' && i > 0 ? '?' : *p;
    line[n++] = '\n';
    ssize_t told = write(STDERR_FILENO, line, n);
    (void)told; /* nobody may be left to tell */
    tidy_now();
    _exit(EXIT_DATA);
}

/* What was already put out stays. Nothing is taken down behind other threads, which may be at work.
 */
static noreturn void end(int status)
{
    tidy_now();
    fflush(stdout);
    _exit(status);
}

static noreturn void end_usage(void)
{
    msg_error("see '%s --help' or 'man weft-%s'", msg_prog, msg_prog);
    end(EXIT_USAGE);
}

noreturn void die(const Err *e)
{
    if (e->text[0])
        msg_error("%s", e->text);
    if (e->usage)
        end_usage();
    end(EXIT_DATA);
}

noreturn void dief(const char *fmt, ...)
{
    PUT("\n");
    end(EXIT_DATA);
}

noreturn void die_usage(const char *fmt, ...)
{
    PUT("\n");
    end_usage();
}
