#include "hub/cache.h"

#include "base/mem.h"
#include "store/mapfile.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { REF_MAX = 4096 };

bool cache_is_name(const char *s)
{
    size_t n = strcspn(s, "@");
    int slashes = 0;
    if (n == 0 || s[0] == '.' || s[0] == '/' || s[0] == '~' || s[n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++) {
        slashes += s[i] == '/';
        if (!isalnum((unsigned char)s[i]) && !strchr("-_./", s[i]))
            return false;
    }
    return slashes <= 1 && !strstr(s, "..") && (s[n] == '\0' || s[n + 1] != '\0');
}

char *cache_home(void)
{
    const char *s;
    if ((s = getenv("HF_HOME")) && *s)
        return mem_str(s);
    if ((s = getenv("XDG_CACHE_HOME")) && *s)
        return mem_fmt("%s/huggingface", s);
    s = getenv("HOME");
    return mem_fmt("%s/.cache/huggingface", s && *s ? s : ".");
}

char *cache_folder(void)
{
    const char *s = getenv("HF_HUB_CACHE");
    if (s && *s)
        return mem_str(s);
    char *home = cache_home(), *folder = mem_fmt("%s/hub", home);
    free(home);
    return folder;
}

char *cache_model(const char *name)
{
    return mem_strn(name, strcspn(name, "@"));
}

char *cache_revision(const char *name)
{
    const char *at = strchr(name, '@');
    return mem_str(at ? at + 1 : "main");
}

char *cache_repo(const char *name)
{
    char *cache = cache_folder();
    Buf repo = {0};
    buf_fmt(&repo, "%s/models--", cache);
    for (const char *p = name; *p && *p != '@'; p++)
        if (*p == '/')
            buf_str(&repo, "--");
        else
            buf_add(&repo, p, 1);
    buf_add(&repo, "", 1);
    free(cache);
    return repo.p;
}

/* One line in refs/REV. */
char *cache_commit(const char *repo, const char *rev)
{
    char *path = mem_fmt("%s/refs/%s", repo, rev);
    struct stat st;
    Buf b = {0};
    if (lstat(path, &st) < 0 && errno == ENOENT)
        buf_str(&b, rev); /* may be a commit itself */
    else if (file_read(path, REF_MAX, &b, NULL) < 0)
        b.n = 0;
    buf_add(&b, "", 1);
    b.p[strcspn(b.p, " \t\r\n")] = '\0';
    free(path);
    return b.p;
}

char *cache_snapshot(const char *name)
{
    struct stat st;
    char *repo = cache_repo(name), *rev = cache_revision(name);
    char *commit = cache_commit(repo, rev);
    char *folder = mem_fmt("%s/snapshots/%s", repo, commit);
    if (!*commit || strchr(commit, '/') || stat(folder, &st) < 0 || !S_ISDIR(st.st_mode)) {
        free(folder);
        folder = NULL;
    }
    free(commit);
    free(rev);
    free(repo);
    return folder;
}
