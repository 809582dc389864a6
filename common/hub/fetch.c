/* fetch.c - which commit, which files, one after another, and the ref at last. */
#include "hub/fetch.h"

#include "base/mem.h"
#include "base/msg.h"
#include "base/outfile.h"
#include "hub/cache.h"
#include "hub/fetch_in.h"
#include "store/jsonfile.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { TRIES = 5, WAIT_MAX_S = 60, INFO_MAX = 16 << 20 };

static const char *env_or(const char *name, const char *other)
{
    const char *s = getenv(name);
    return s && *s ? s : other;
}

static bool env_on(const char *name)
{
    const char *s = env_or(name, "0");
    return strcmp(s, "1") == 0 || strcasecmp(s, "true") == 0 || strcasecmp(s, "yes") == 0 ||
           strcasecmp(s, "on") == 0;
}

/* The first line of a file. 0, too, where there is no such file. */
static int read_line(const char *path, char *line, int size, Err *e)
{
    FILE *in = fopen(path, "re");
    if (!in)
        return errno == ENOENT ? 0 : err_sys(e, "%s", path);
    if (!fgets(line, size, in))
        line[0] = '\0';
    int status = ferror(in) ? err_sys(e, "%s: cannot read", path) : 0;
    fclose(in);
    return status;
}

/* $HF_TOKEN, else the file that `hf auth login` writes; *to NULL: none. */
static int find_token(char **to, Err *e)
{
    const char *s = getenv("HF_TOKEN");
    char line[512] = "";
    *to = NULL;
    if (s && *s) {
        *to = mem_str(s);
        return 0;
    }
    char *home = cache_home(), *path = mem_fmt("%s/token", home);
    int status = read_line(env_or("HF_TOKEN_PATH", path), line, sizeof line, e);
    free(path);
    free(home);
    line[strcspn(line, " \t\r\n")] = '\0';
    if (status == 0 && *line)
        *to = mem_str(line);
    return status;
}

static int refused(const Fetch *f, const HttpReply *r, Err *e)
{
    const char *said = r->said[0] ? r->said : "";
    const char *sep = *said ? ": " : "";
    switch (r->status) {
    case 401:
        return err_set(e,
                       "%s does not let us in (401%s%s): there is no such model, or it is "
                       "private: set HF_TOKEN to a token that may read it",
                       f->endpoint, sep, said);
    case 403:
        return err_set(e,
                       "%s refuses it (403%s%s): accept the model's terms on its page, and "
                       "set HF_TOKEN to your token",
                       f->endpoint, sep, said);
    case 404:
        return err_set(e, "%s has no such %s (404%s%s)", f->endpoint,
                       strcmp(r->code, "RevisionNotFound") == 0 ? "revision"
                       : strcmp(r->code, "EntryNotFound") == 0  ? "file"
                                                                : "model, revision or file",
                       sep, said);
    case 429:
        return err_set(e,
                       "%s asks for fewer requests (429%s%s): try again later, or set "
                       "HF_TOKEN",
                       f->endpoint, sep, said);
    default: return err_set(e, "%s answers with status %ld%s%s", f->endpoint, r->status, sep, said);
    }
}

/* Waits before try number `tries` + 1: what the server asked for, else 1, 2, 4, 8 s. */
static void pause_before(const Fetch *f, int tries, const HttpReply *r, const Err *e)
{
    long s = r->wait >= 0 ? r->wait : 1L << (tries - 1);
    struct timespec t = {.tv_sec = s > WAIT_MAX_S ? WAIT_MAX_S : s};
    char status[32] = "";
    if (r->status)
        snprintf(status, sizeof status, "status %ld", r->status);
    msg_note("%s: %s: again in %ld s (try %d of %d)", f->endpoint, *status ? status : e->text,
             (long)t.tv_sec, tries + 1, TRIES);
    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

int fetch_ask(Fetch *f, const HttpAsk *ask, HttpReply *r, Err *e)
{
    for (int tries = 1;; tries++) {
        bool answered = http_ask(f->http, ask, r, e) == 0;
        bool again = (r->broken && r->status == 0) || r->status == 429 || r->status >= 500;
        if (answered && r->status < 400)
            return 0;
        if (!again || tries == TRIES)
            return r->status >= 400 ? refused(f, r, e) : err_at(e, "%s", f->endpoint);
        pause_before(f, tries, r, e);
    }
}

/* ---- what the hub says of the model ---- */

static int take_info(void *to, const HttpAsk *ask, long status, const void *p, size_t n)
{
    Buf *b = to;
    (void)ask, (void)status;
    if (b->n + n > INFO_MAX)
        return -1;
    buf_add(b, p, n);
    return 0;
}

static bool is_commit(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]))
            return false;
    return n >= 7 && n < 72;
}

static int read_info(Fetch *f, const Buf *b, Err *e)
{
    json_error_t why;
    json_t *info = json_read(str_of(b->p, b->n), JSON_REJECT_DUPLICATES, &why);
    if (!info)
        return err_set(e, "what %s says of it is no JSON: %s", f->endpoint, why.text);
    const char *sha = "";
    json_t *value = json_object_get(info, "sha");
    if (json_is_string(value))
        sha = json_string_value(value);
    int status = 0;
    if (!is_commit(sha))
        status = err_set(e, "%s does not say which commit '%s' is", f->endpoint, f->revision);
    else if (repo_files_listed(&f->all, info, e) < 0 || repo_files_wanted(&f->want, &f->all, e) < 0)
        status = -1;
    else
        snprintf(f->commit, sizeof f->commit, "%s", sha);
    json_decref(info);
    return status;
}

static int ask_info(Fetch *f, Err *e)
{
    char *rev = http_escape(f->revision, false);
    char *url = mem_fmt("%s/api/models/%s/revision/%s", f->endpoint, f->model, rev);
    Buf b = {0};
    HttpReply r;
    int status = -1;
    for (int tries = 0; tries < TRIES && status < 0; tries++) {
        HttpAsk ask = {.url = url, .take = take_info, .to = &b};
        b.n = 0;
        status = fetch_ask(f, &ask, &r, e);
        if (!r.broken || r.status == 0)
            break; /* no answer at all has been waited for already */
    }
    if (status < 0 && !e->text[0])
        err_set(e, "%s says more than %d MB of it", f->endpoint, INFO_MAX >> 20);
    status = status < 0 ? -1 : read_info(f, &b, e);
    free(b.p);
    free(url);
    free(rev);
    return status;
}

/* ---- the cache ---- */

/* Nothing that we write in the cache may lead out of it. */
static int check_folder(const char *path, Err *e)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return err_sys(e, "%s", path);
    return S_ISDIR(st.st_mode) ? 0 : err_set(e, "%s is no folder: remove it", path);
}

int fetch_folders(const char *root, const char *path, Err *e)
{
    char *p = mem_str(path);
    size_t n = strlen(root);
    int status = 0;
    for (char *slash = strchr(p + 1, '/'); slash && status == 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(p, 0777) < 0 && errno != EEXIST)
            status = err_sys(e, "cannot make the folder %s", p);
        else if ((size_t)(slash - p) > n)
            status = check_folder(p, e);
        *slash = '/';
    }
    free(p);
    return status;
}

/* refs/REV, where REV is no commit itself. */
static int write_ref(const Fetch *f, Err *e)
{
    if (strcmp(f->revision, f->commit) == 0)
        return 0;
    struct stat st;
    char *path = mem_fmt("%s/refs/%s", f->repo, f->revision);
    OutFile *o = NULL;
    if (fetch_folders(f->repo, path, e) == 0) {
        if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
            err_set(e, "%s is no file: remove it", path);
        else
            o = outfile_open(path, e);
    }
    int status = o ? outfile_write(o, f->commit, strlen(f->commit), e) : -1;
    if (o && status < 0)
        outfile_abort(o);
    else if (o)
        status = outfile_commit(o, e);
    free(path);
    return status;
}

static int sync_folder_with(const char *folder, const char *name, Err *e)
{
    char *path = mem_fmt("%s/%s", folder, name);
    int status = sync_folder_of(path) < 0 ? err_sys(e, "%s", path) : 0;
    free(path);
    return status;
}

/* What the ref is to stand for is on the disk before it is there. */
static int sync_folders(const Fetch *f, Err *e)
{
    int status = f->files ? sync_folder_with(f->repo, "blobs/", e) : 0;
    for (int i = 0; i < f->want.n && status == 0; i++)
        if (i == 0 || strchr(f->want.name[i], '/'))
            status = sync_folder_with(f->snapshot, f->want.name[i], e);
    return status;
}

static int bring(Fetch *f, Err *e)
{
    if (ask_info(f, e) < 0)
        return -1;
    f->snapshot = mem_fmt("%s/snapshots/%s", f->repo, f->commit);
    for (int i = 0; i < f->want.n; i++) /* the list grows by what indices name */
        if (fetch_file(f, f->want.name[i], e) < 0 ||
            repo_files_more(&f->want, &f->all, f->snapshot, f->want.name[i], e) < 0)
            return -1;
    return sync_folders(f, e) < 0 ? -1 : write_ref(f, e);
}

static char *offline(const char *name, Err *e)
{
    char *folder = cache_snapshot(name);
    if (!folder)
        err_set(e, "%s: not in the cache, and HF_HUB_OFFLINE is set: unset it to fetch", name);
    return folder;
}

char *fetch_model(const char *name, bool shown, Err *e)
{
    if (!cache_is_name(name)) {
        err_set(e, "'%s' is no model's name: NAME, ORG/NAME or ORG/NAME@REV", name);
        return NULL;
    }
    if (env_on("HF_HUB_OFFLINE"))
        return offline(name, e);
    char *secret;
    if (find_token(&secret, e) < 0)
        return NULL;
    char *endpoint = mem_str(env_or("HF_ENDPOINT", "https://huggingface.co"));
    for (size_t n = strlen(endpoint); n && endpoint[n - 1] == '/'; n--)
        endpoint[n - 1] = '\0';
    Fetch f = {.http = http_new(secret),
               .endpoint = endpoint,
               .model = cache_model(name),
               .revision = cache_revision(name),
               .repo = cache_repo(name),
               .shown = shown};
    int status = strstr(f.revision, "..") || f.revision[0] == '/'
                     ? err_set(e, "'%s' is no revision", f.revision)
                 : f.http ? bring(&f, e)
                          : err_set(e, "libcurl cannot be begun");
    if (status < 0)
        err_at(e, "%s", name);
    else
        msg_note("%s: %d file%s, %.1f MB fetched", name, f.files, f.files == 1 ? "" : "s",
                 (double)f.came / 1e6);
    http_free(f.http);
    names_free(&f.all);
    names_free(&f.want);
    free(secret);
    free(f.endpoint);
    free(f.model);
    free(f.revision);
    free(f.repo);
    if (status < 0) {
        free(f.snapshot);
        f.snapshot = NULL;
    }
    return f.snapshot;
}
