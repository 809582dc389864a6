/* msg.h - the one place that writes to standard error. A message is one line:
 * "prog: text", whatever names and texts of others it quotes: control characters in it, and bytes
 * that are no UTF-8, stand as \t, \n or \xNN. Only programs call die(). */
#ifndef WEFT_MSG_H
#define WEFT_MSG_H

#include "base/err.h"

#include <stdbool.h>
#include <stdnoreturn.h>

enum { EXIT_DATA = 1, EXIT_USAGE = 2 };

extern const char *msg_prog; /* this program's name, as messages begin */
extern bool msg_quiet;       /* -q: notices (msg_note) are held back, errors are not */

/* What every program does before anything else (args_begin does it for those with options):
 * messages begin with its name, and standard input, output and error are open from here on. One
 * that was closed is /dev/null the wrong way round, so that no file gets its number, and using it
 * fails. */
void msg_begin(const char *prog);
/* An error, not the end: the caller still has something to deliver. */
void msg_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A notice for people: rows cut, files written. Silent under -q. */
void msg_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Progress: overwrites one line on a terminal; a line each otherwise. */
void msg_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints the error unless its text is empty, and exits with EXIT_DATA; or as die_usage() does,
 * where e->usage. */
noreturn void die(const Err *e);
noreturn void dief(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* die() from a signal handler, "prog: NAME: text": nothing but write(2), and no control characters.
 */
noreturn void die_in_handler(const char *name, const char *text);
/* A wrong command line: message, where to read on, EXIT_USAGE. */
noreturn void die_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
