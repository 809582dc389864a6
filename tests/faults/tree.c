#include "tests/faults/tree.h"

#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool so, const char *path)
{
    if (!so) {
        perror(path);
        exit(2);
    }
}

static void read_file(const char *full, Leaf *f, size_t size)
{
    int fd = open(full, O_RDONLY | O_CLOEXEC);
    must(fd >= 0, full);
    f->p = mem_alloc(size);
    for (ssize_t k; f->n < size && (k = read(fd, f->p + f->n, size - f->n)) > 0;)
        f->n += (size_t)k;
    close(fd);
}

static void add(Tree *t, const char *folder, const char *below)
{
    char *at = mem_fmt("%s/%s", folder, below);
    DIR *d = opendir(at);
    free(at);
    for (struct dirent *x; d && (x = readdir(d));) {
        struct stat st;
        if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0)
            continue;
        Leaf f = {.path = mem_fmt("%s%s%s", below, *below ? "/" : "", x->d_name)};
        char *full = mem_fmt("%s/%s", folder, f.path);
        must(lstat(full, &st) == 0, full);
        f.mode = st.st_mode;
        if (S_ISREG(st.st_mode)) {
            read_file(full, &f, (size_t)st.st_size);
        } else if (S_ISLNK(st.st_mode)) {
            f.p = mem_zero((size_t)st.st_size + 1, 1);
            f.n = (size_t)readlink(full, f.p, (size_t)st.st_size);
        }
        t->leaf = mem_resize(t->leaf, (size_t)t->count + 1, sizeof *t->leaf);
        t->leaf[t->count++] = f;
        if (S_ISDIR(st.st_mode))
            add(t, folder, t->leaf[t->count - 1].path);
        free(full);
    }
    if (d)
        closedir(d);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const Leaf *)a)->path, ((const Leaf *)b)->path);
}

Tree tree_read(const char *folder)
{
    Tree t = {0};
    add(&t, folder, "");
    if (t.count)
        qsort(t.leaf, (size_t)t.count, sizeof *t.leaf, by_path);
    return t;
}

const Leaf *tree_find(const Tree *t, const char *path)
{
    Leaf like = {.path = (char *)path};
    return t->count ? bsearch(&like, t->leaf, (size_t)t->count, sizeof like, by_path) : NULL;
}

bool leaf_same(const Leaf *a, const Leaf *b)
{
    if (!a || !b)
        return a == b;
    return (a->mode & S_IFMT) == (b->mode & S_IFMT) && a->n == b->n &&
           (!a->n || memcmp(a->p, b->p, a->n) == 0);
}

static void put(const char *full, const Leaf *f)
{
    if (S_ISDIR(f->mode)) {
        must(mkdir(full, f->mode & 07777) == 0, full);
    } else if (S_ISLNK(f->mode)) {
        must(symlink(f->p, full) == 0, full);
    } else {
        int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, f->mode & 07777);
        must(fd >= 0 && write(fd, f->p, f->n) == (ssize_t)f->n && close(fd) == 0, full);
    }
}

void tree_restore(const char *folder, const Tree *now, const Tree *want)
{
    for (int i = now->count; i-- > 0;) {
        const Leaf *f = &now->leaf[i];
        if (leaf_same(f, tree_find(want, f->path)))
            continue;
        char *full = mem_fmt("%s/%s", folder, f->path);
        must(remove(full) == 0, full);
        free(full);
    }
    for (int i = 0; i < want->count; i++) {
        const Leaf *f = &want->leaf[i];
        if (leaf_same(f, tree_find(now, f->path)))
            continue;
        char *full = mem_fmt("%s/%s", folder, f->path);
        put(full, f);
        free(full);
    }
}

void tree_free(Tree *t)
{
    for (int i = 0; i < t->count; i++) {
        free(t->leaf[i].path);
        free(t->leaf[i].p);
    }
    free(t->leaf);
    *t = (Tree){0};
}
