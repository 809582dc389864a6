#include "base/tidy.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A slot's pointer changes in one store, so the handler sees a whole path or none. */
static _Atomic(char *) paths[TIDY_MAX];

void tidy_now(void)
{
    for (int i = TIDY_MAX - 1; i >= 0; i--) { /* what lies in a folder was added after it */
        char *p = atomic_exchange(&paths[i], NULL);
        if (p && unlink(p) < 0)
            rmdir(p); /* a folder still being filled: gone if it is empty */
    }
}

void tidy_raise(int sig)
{
    sigset_t set;
    tidy_now();
    signal(sig, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, sig);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(sig);
}

static atomic_int holding;
static atomic_int waiting; /* the signal that came meanwhile */

static void on_signal(int sig)
{
    if (atomic_load(&holding))
        atomic_store(&waiting, sig);
    else
        tidy_raise(sig);
}

static void listen_once(void)
{
    static bool done;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

    if (done)
        return;
    done = true;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction now, act = {.sa_handler = on_signal};
        sigaction(signals[i], NULL, &now);
        if (now.sa_handler != SIG_IGN) /* nohup stays nohup */
            sigaction(signals[i], &act, NULL);
    }
}

void tidy_add(const char *path)
{
    listen_once();
    char *copy = strdup(path); /* without memory it is left, as what has no slot is */
    for (int i = 0; copy && i < TIDY_MAX; i++) {
        char *none = NULL;
        if (atomic_compare_exchange_strong(&paths[i], &none, copy))
            return;
    }
    free(copy);
}

void tidy_forget(const char *path)
{
    for (int i = 0; i < TIDY_MAX; i++) {
        char *p = atomic_load(&paths[i]);
        if (p && strcmp(p, path) == 0 && atomic_compare_exchange_strong(&paths[i], &p, NULL)) {
            free(p);
            return;
        }
    }
}

void tidy_hold(void)
{
    listen_once();
    atomic_fetch_add(&holding, 1);
}

void tidy_release(void)
{
    if (atomic_fetch_sub(&holding, 1) > 1)
        return;
    int sig = atomic_exchange(&waiting, 0);
    if (sig)
        tidy_raise(sig);
}

int tidy_waiting(void)
{
    return atomic_load(&waiting);
}
