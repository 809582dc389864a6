#include "base/tidy.h"

#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* No memory is asked for: what is registered is removed where there is none left, too. A path is
 * whole before its slot's state says so, and the handler sees one or none. */
enum { FREE, TAKEN, SET };
static struct {
    atomic_int state;
    char path[PATH_MAX];
} slot[TIDY_MAX];

static bool change(int i, int from, int to)
{
    return atomic_compare_exchange_strong(&slot[i].state, &from, to);
}

/* Two threads may come here at once, and none may end the program before all is removed: a slot is
 * free only behind that. */
void tidy_now(void)
{
    for (int i = TIDY_MAX - 1; i >= 0; i--) { /* what lies in a folder was added after it */
        if (atomic_load(&slot[i].state) != SET)
            continue;
        if (unlink(slot[i].path) < 0)
            rmdir(slot[i].path); /* a folder still being filled: gone if it is empty */
        change(i, SET, FREE);
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
    size_t n = strlen(path);
    listen_once();
    for (int i = 0; n < PATH_MAX && i < TIDY_MAX; i++)
        if (change(i, FREE, TAKEN)) {
            memcpy(slot[i].path, path, n + 1);
            atomic_store(&slot[i].state, SET);
            return;
        }
}

void tidy_forget(const char *path)
{
    for (int i = 0; i < TIDY_MAX; i++)
        if (atomic_load(&slot[i].state) == SET && strcmp(slot[i].path, path) == 0 &&
            change(i, SET, FREE))
            return;
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
