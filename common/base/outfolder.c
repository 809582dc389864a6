#include "base/outfolder.h"

#include "base/mem.h"
#include "base/outfile.h"
#include "base/tidy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct OutFolder {
    const FolderKind *kind;
    char *place, *made;
    bool replace;
    char *file[FOLDER_FILES];
    int files;
};

/* The place without slashes at its end; behind a symbolic link where one is there. */
static char *place_of(const char *folder)
{
    char *real = realpath(folder, NULL);
    if (real || errno == ENOMEM)
        return mem_got(real, PATH_MAX);
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/')
        n--;
    return mem_strn(folder, n);
}

static int parent_writable(const char *place, Err *e)
{
    const char *slash = strrchr(place, '/');
    char *parent = !slash ? mem_str(".") : mem_strn(place, slash == place ? 1 : slash - place);
    int status = access(parent, W_OK | X_OK);
    if (status < 0)
        err_sys(e, "%s: no folder can be made there", parent);
    free(parent);
    return status;
}

int outfolder_check(const FolderKind *k, const char *folder, bool replace, Err *e)
{
    struct stat st;
    char *place = place_of(folder);
    int status;
    if (!*folder)
        status = err_set(e, "the output folder has no name");
    else if (lstat(place, &st) < 0)
        status = errno == ENOENT ? parent_writable(place, e) : err_sys(e, "%s", folder);
    else if (!replace)
        status = err_set(e, "%s is there already: remove it, or --force", folder);
    else if (!k->is(place))
        status = err_set(e, "%s is no folder that %s made, so --force leaves it alone", folder,
                         k->maker);
    else
        status = parent_writable(place, e);
    free(place);
    return status;
}

static bool is_own(const FolderKind *k, const char *name)
{
    for (int i = 0; k->own[i]; i++)
        if (strcmp(k->own[i], name) == 0)
            return true;
    return false;
}

typedef int EntryFn(const char *from, const char *to, bool ours, Err *e);

/* fn for each entry of the folder, with what it would be called in folder `to`; stops at -1. */
static int each_entry(const FolderKind *k, const char *folder, const char *to, EntryFn *fn, Err *e)
{
    DIR *d = opendir(folder);
    int status = d ? 0 : err_sys(e, "%s", folder);
    for (struct dirent *it; status == 0 && (it = readdir(d));) {
        bool ours = is_own(k, it->d_name);
        if (strcmp(it->d_name, ".") == 0 || strcmp(it->d_name, "..") == 0)
            continue;
        char *a = mem_fmt("%s/%s", folder, it->d_name), *b = mem_fmt("%s/%s", to, it->d_name);
        status = fn(a, b, ours, e);
        free(a);
        free(b);
    }
    if (d)
        closedir(d);
    return status;
}

static int keep_mode(const char *new, mode_t old, Err *e)
{
    struct stat is;
    if (stat(new, &is) < 0 || ((is.st_mode ^ old) & 07777) == 0)
        return 0;
    return chmod(new, old & 07777) < 0 ? err_sys(e, "%s", new) : 0;
}

/* The modes of the old folder's files are the new ones'. */
static int keep_modes(const FolderKind *k, const char *place, const char *made, Err *e)
{
    int status = 0;
    struct stat was;
    for (int i = 0; k->own[i] && status == 0; i++) {
        char *old = mem_fmt("%s/%s", place, k->own[i]), *new = mem_fmt("%s/%s", made, k->own[i]);
        if (stat(old, &was) == 0)
            status = keep_mode(new, was.st_mode, e);
        free(old);
        free(new);
    }
    return status;
}

/* What lies in an old folder besides our own is in the new one before that takes its place, so that
 * nothing is lost whenever the program ends. A folder cannot be in two: it moves over later. */
static int share(const char *from, const char *to, bool ours, Err *e)
{
    bool both = ours || link(from, to) == 0;
    (void)both, (void)e; /* what is not in both move_over() moves */
    return 0;
}

static int unshare(const char *from, const char *to, bool ours, Err *e)
{
    (void)from, (void)e;
    if (!ours)
        unlink(to);
    return 0;
}

static int move_over(const char *from, const char *to, bool ours, Err *e)
{
    struct stat a, b;
    bool shared =
        lstat(from, &a) == 0 && lstat(to, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    if ((ours || shared ? unlink(from) : rename(from, to)) < 0)
        return err_sys(e, "%s", from);
    return 0;
}

/* The old folder lies at `old`: our files of it go, others are in the new folder or move there,
 * whose mode then is the old one's. */
static int clear_away(const FolderKind *k, const char *old, const char *place, Err *e)
{
    struct stat was;
    int status = stat(old, &was) < 0 ? err_sys(e, "%s", old) : keep_mode(old, 0700, e);
    if (status == 0)
        status = each_entry(k, old, place, move_over, e);
    if (status == 0 && rmdir(old) < 0)
        status = err_sys(e, "%s", old);
    if (status < 0)
        return err_at(e, "what lay beside the old files stays in %s", old);
    return keep_mode(place, was.st_mode, e);
}

static int put_back(const char *old, const char *place, Err *e)
{
    err_sys(e, "%s", place);
    return rename(old, place) < 0 ? err_set(e, "%s: what was there is now %s", place, old) : -1;
}

static int replace_old(const FolderKind *k, const char *made, const char *place, Err *e)
{
    char *old = mem_fmt("%s.old", made);
    int status = 0;
    bool exchanged = false;
    if (keep_modes(k, place, made, e) < 0 || each_entry(k, place, made, share, e) < 0)
        status = -1;
    else if (renameat2(AT_FDCWD, made, AT_FDCWD, place, RENAME_EXCHANGE) == 0)
        exchanged = true;
    else if (rename(place, old) < 0)
        status = err_sys(e, "%s", place);
    else if (rename(made, place) < 0)
        status = put_back(old, place, e);
    if (status < 0)
        each_entry(k, place, made, unshare, NULL);
    else
        status = clear_away(k, exchanged ? made : old, place, e);
    free(old);
    return status;
}

/* Puts the folder `made` at `place`. */
static int put_in_place(const FolderKind *k, const char *made, const char *place, bool replace,
                        Err *e)
{
    if (replace && k->is(place)) {
        tidy_hold();
        int status = replace_old(k, made, place, e);
        tidy_release();
        return status;
    }
    if (renameat2(AT_FDCWD, made, AT_FDCWD, place, RENAME_NOREPLACE) == 0)
        return 0;
    bool no_promise = errno == EINVAL; /* a file system that does not know that */
    if (no_promise && access(place, F_OK) < 0 && rename(made, place) == 0)
        return 0;
    return err_sys(e, "%s", place);
}

/* A new folder beside the place, whose name nobody has, not even a run that was killed. It is
 * nobody else's as long as an old one's mode may have to be kept. */
static char *make_folder(const char *place, bool old, Err *e)
{
    for (int i = 0;; i++) {
        char *made = mem_fmt("%s.tmp.%ld.%d", place, (long)getpid(), i);
        tidy_add(made);
        if (mkdir(made, old ? 0700 : 0777) == 0)
            return made;
        int saved = errno;
        tidy_forget(made);
        errno = saved;
        if (errno != EEXIST) {
            err_sys(e, "%s", made);
            free(made);
            return NULL;
        }
        free(made);
    }
}

OutFolder *outfolder_new(const FolderKind *k, const char *folder, bool replace, Err *e)
{
    OutFolder *o = mem_zero(1, sizeof *o);
    o->kind = k;
    o->place = place_of(folder);
    o->replace = replace;
    o->made = make_folder(o->place, replace && access(o->place, F_OK) == 0, e);
    if (o->made)
        return o;
    free(o->place);
    free(o);
    return NULL;
}

const char *outfolder_file(OutFolder *o, const char *name)
{
    char *path = mem_fmt("%s/%s", o->made, name);
    o->file[o->files++] = path;
    tidy_add(path); /* behind its folder, and so removed before it */
    return path;
}

static void release(OutFolder *o, bool remove)
{
    for (int i = 0; i < o->files; i++) {
        if (remove)
            unlink(o->file[i]);
        tidy_forget(o->file[i]);
        free(o->file[i]);
    }
    if (remove)
        rmdir(o->made);
    tidy_forget(o->made);
    free(o->made);
    free(o->place);
    free(o);
}

int outfolder_commit(OutFolder *o, Err *e)
{
    int status = put_in_place(o->kind, o->made, o->place, o->replace, e);
    if (status == 0 && sync_folder_of(o->place) < 0)
        status = err_sys(e, "%s", o->place);
    release(o, status < 0);
    return status;
}

void outfolder_abort(OutFolder *o)
{
    if (o)
        release(o, true);
}
