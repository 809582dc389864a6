/* weft - run a program of the toolkit by its name, wherever the toolkit lies. */
#include "base/mem.h"
#include "base/msg.h"
#include "bin/programs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef WEFT_VERSION
#define WEFT_VERSION "0"
#endif

static char *folder; /* where the programs are */

static bool runnable(const char *dir, const char *file)
{
    char *path = mem_fmt("%s/%s", dir, file);
    bool is = access(path, X_OK) == 0;
    free(path);
    return is;
}

/* The programs lie beside this one (where it was built), or in ../libexec/weft (installed). Our
 * `head` tells which: a bin/ shared with other programs has a show or a score of its own. */
static void find_folder(void)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        dief("/proc/self/exe: %s", strerror(errno));
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    folder = mem_str(self);
    if (runnable(folder, "weft-head"))
        return;
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    free(folder);
    folder = mem_fmt("%s/libexec/weft", self);
    if (access(folder, X_OK) < 0)
        dief("%s: %s: the programs lie neither there nor beside weft", folder, strerror(errno));
}

static noreturn void usage(const char *what, const char *word)
{
    msg_error("%s%s: 'weft --list' names the programs, 'man weft' has the rest", what, word);
    exit(EXIT_USAGE);
}

static int finish(void)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        dief("standard output: %s", strerror(errno));
    return 0;
}

static int list(void)
{
    for (int i = 0; i < PROGRAM_COUNT; i++)
        if (runnable(folder, programs[i].file))
            printf("%-8s %s\n", programs[i].name, programs[i].about);
    return finish();
}

/* In single quotes, so that the shell takes any path as it is. */
static void put_quoted(const char *s)
{
    putchar('\'');
    for (; *s; s++)
        fputs(*s == '\'' ? "'\\''" : (char[]){*s, '\0'}, stdout);
    putchar('\'');
}

/* An empty piece of MANPATH stands for the usual places. */
static int env(void)
{
    char *pages = mem_fmt("%s/../../share/man", folder);
    printf("export PATH=");
    put_quoted(folder);
    puts(":\"$PATH\"");
    if (access(pages, R_OK) == 0) {
        printf("export MANPATH=");
        put_quoted(pages);
        puts(":\"${MANPATH-}\"");
    }
    free(pages);
    return finish();
}

static int help(void)
{
    puts("usage: weft NAME [argument ...]\n"
         "       weft env | --list | --help | --version\n"
         "runs the program NAME of the toolkit; `eval \"$(weft env)\"` puts them all on PATH\n");
    return list();
}

static int version(void)
{
    puts("weft " WEFT_VERSION);
    return finish();
}

static noreturn void run(char **argv)
{
    for (int i = 0; i < PROGRAM_COUNT; i++)
        if (strcmp(programs[i].name, argv[0]) == 0) {
            char *path = mem_fmt("%s/%s", folder, programs[i].file);
            execv(path, argv);
            dief("%s: %s", path, strerror(errno));
        }
    msg_error("no program is called '%s'; there are:", argv[0]);
    for (int i = 0; i < PROGRAM_COUNT; i++)
        msg_error("%-8s %s", programs[i].name, programs[i].about);
    exit(EXIT_USAGE);
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    msg_begin("weft");
    if (!*word)
        usage("no program named", "");
    if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0)
        return version();
    find_folder();
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
        return help();
    if (strcmp(word, "--list") == 0)
        return list();
    if (strcmp(word, "env") == 0)
        return env();
    if (*word == '-')
        usage("unknown option ", word);
    run(argv + 1);
}
