/* tidy.h - files half made are removed when the program fails or is told to stop.
 *
 *     tidy_add("out.tmp.123");   before the file is created
 *     rename(...);
 *     tidy_forget("out.tmp.123");
 *
 * SIGINT, SIGTERM, SIGHUP and SIGPIPE remove what is registered, then kill the program as if nobody
 * had listened, so that the shell sees the signal. At most TIDY_MAX paths at a time. */
#ifndef WEFT_TIDY_H
#define WEFT_TIDY_H

enum { TIDY_MAX = 64 };

void tidy_add(const char *path); /* path is copied (no memory is asked for); installs the handlers
                                    on first use */
void tidy_forget(const char *path);
void tidy_now(void); /* remove everything registered */
/* Between these two none of those signals is heard, in whatever thread; one that comes is then.
 * They nest. */
void tidy_hold(void);
void tidy_release(void);
int tidy_waiting(void); /* the signal that has come meanwhile; 0: none */
/* Removes everything, and kills the program by this signal, also where somebody has it ignored or
 * blocked. For handlers, and for who finds that a pipe's reader has gone. */
void tidy_raise(int sig);

#endif
