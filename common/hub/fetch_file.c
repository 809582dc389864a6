/* fetch_file.c - one file: its headers, its bytes into blobs/ETAG.incomplete, its checksum, its
 * blob, and the link to it. */
#include "base/mem.h"
#include "base/msg.h"
#include "base/outfile.h"
#include "hub/cache.h"
#include "hub/fetch_in.h"
#include "hub/sums.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REDIRECTS = 5, ROUNDS = 3, LINK_TRIES = 10 };

typedef struct Going {
    Fetch *fetch;
    const char *name;
    char *url, *blob, *part; /* part: blob.incomplete */
    char etag[136];
    int64_t size; /* -1: not said */
    int fd;
    HttpAsk ask;
    struct timespec told;
    Err why; /* of take() */
} Going;

/* "https://host" of a URL, or as much as there is of it. */
static char *host_of(const char *url)
{
    const char *p = strstr(url, "://");
    return p ? mem_strn(url, (size_t)(p + 3 - url) + strcspn(p + 3, "/")) : mem_str("");
}

/* A repository that was renamed answers with another path of the same host. */
static bool follow(char **url, const HttpReply *r)
{
    if (r->status < 300 || r->status >= 400 || r->etag[0] || r->location[0] != '/' ||
        r->location[1] == '/')
        return false;
    char *host = host_of(*url), *to = mem_fmt("%s%s", host, r->location);
    free(host);
    free(*url);
    *url = to;
    return true;
}

/* Its ETag, which names the blob, and its size. */
static int ask_head(Going *g, Err *e)
{
    HttpReply r = {0};
    for (int i = 0; i < REDIRECTS; i++) {
        HttpAsk ask = {.url = g->url, .head = true};
        if (fetch_ask(g->fetch, &ask, &r, e) < 0)
            return -1;
        if (!follow(&g->url, &r))
            break;
    }
    if (r.commit[0] && strcmp(r.commit, g->fetch->commit) != 0)
        return err_set(e, "the hub answers with commit %s instead of %s", r.commit,
                       g->fetch->commit);
    if (!r.etag[0])
        return err_set(e, "the hub gives it no ETag: is HF_ENDPOINT a hub?");
    for (const char *p = r.etag; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_')
            return err_set(e, "the hub's ETag '%s' cannot name a file", r.etag);
    snprintf(g->etag, sizeof g->etag, "%s", r.etag);
    g->size = r.size;
    return 0;
}

/* The body's bytes, behind those that are there. A server that sends all of it again where a
 * part was asked for makes us begin anew. */
static int take_body(void *to, const HttpAsk *ask, long status, const void *p, size_t n)
{
    Going *g = to;
    if (status == 200 && ask->from > 0 && g->ask.from > 0) {
        if (ftruncate(g->fd, 0) < 0 || lseek(g->fd, 0, SEEK_SET) < 0)
            return err_sys(&g->why, "%s", g->part);
        g->ask.from = 0;
    }
    if (g->size >= 0 && lseek(g->fd, 0, SEEK_CUR) + (off_t)n > g->size)
        return err_set(&g->why, "more came than the %lld bytes that the hub said",
                       (long long)g->size);
    if (write_all(g->fd, p, n) < 0)
        return err_sys(&g->why, "%s", g->part);
    g->fetch->came += (int64_t)n;
    return 0;
}

static void show_progress(void *to, int64_t now)
{
    Going *g = to;
    struct timespec t;
    (void)now;
    clock_gettime(CLOCK_MONOTONIC, &t);
    double since =
        (double)(t.tv_sec - g->told.tv_sec) + (double)(t.tv_nsec - g->told.tv_nsec) * 1e-9;
    if (since < (isatty(STDERR_FILENO) ? 0.2 : 5))
        return;
    g->told = t;
    double have = (double)lseek(g->fd, 0, SEEK_CUR) / 1e6;
    if (g->size >= 0)
        msg_progress("%s: %.1f of %.1f MB", g->name, have, (double)g->size / 1e6);
    else
        msg_progress("%s: %.1f MB", g->name, have);
}

/* The bytes that are there; of more than there should be, none. */
static int64_t have_bytes(Going *g)
{
    int64_t have = lseek(g->fd, 0, SEEK_END);
    if (g->size >= 0 && have > g->size && ftruncate(g->fd, 0) == 0)
        have = lseek(g->fd, 0, SEEK_SET);
    return have;
}

/* Asks for what is still missing until it is all there, as long as more comes each time. An
 * answer that is whole and yet too short is no accident. */
static int ask_body(Going *g, Err *e)
{
    HttpReply r;
    for (int idle = 0; idle < ROUNDS;) {
        int64_t have = have_bytes(g);
        if (g->size >= 0 && have == g->size)
            return 0;
        g->ask = (HttpAsk){.url = g->url,
                           .take = take_body,
                           .to = g,
                           .from = have,
                           .progress = g->fetch->shown ? show_progress : NULL};
        int status = fetch_ask(g->fetch, &g->ask, &r, e);
        if (g->why.text[0]) {
            *e = g->why;
            return -1;
        }
        if (status == 0 && g->size < 0)
            return 0;
        if (status < 0 && (!r.broken || r.status == 0))
            return -1;
        *e = (Err){0}; /* it goes on where it broke off */
        idle = r.broken && have_bytes(g) > have ? 0 : idle + 1;
    }
    return err_set(e, "%lld bytes came instead of %lld: try again later", (long long)have_bytes(g),
                   (long long)g->size);
}

static bool is_hex(const char *s, size_t n)
{
    return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

/* An ETag of 64 digits is the file's SHA-256, one of 40 its git hash. */
static int check(Going *g, Err *e)
{
    char sum[SUM_TEXT];
    bool sha = is_hex(g->etag, 64);
    if (!sha && !is_hex(g->etag, 40))
        return 0;
    if (sum_file(g->fd, sha ? SUM_SHA256 : SUM_GIT_BLOB, sum, e) < 0)
        return err_at(e, "%s", g->part);
    if (strcmp(sum, g->etag) == 0)
        return 0;
    unlink(g->part);
    return err_set(e, "it came damaged: its %s is %s instead of %s: try again",
                   sha ? "SHA-256" : "git hash", sum, g->etag);
}

/* A file in the cache that is no other file as well, by whatever link. */
static int open_own(const char *path, Err *e)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (fd < 0 && errno == ELOOP)
        return err_set(e, "%s is a symbolic link: remove it", path);
    if (fd < 0)
        return err_sys(e, "%s", path);
    int status = fstat(fd, &st) < 0 ? err_sys(e, "%s", path) : 0;
    if (status == 0 && (!S_ISREG(st.st_mode) || st.st_nlink > 1))
        status = err_set(e, "%s is no file of its own: remove it", path);
    if (status == 0)
        return fd;
    close(fd);
    return -1;
}

static int download(Going *g, Err *e)
{
    g->fd = open_own(g->part, e);
    if (g->fd < 0)
        return -1;
    int status = ask_body(g, e) < 0 || check(g, e) < 0 ? -1 : 0;
    if (status == 0 && sync_fd(g->fd) < 0)
        status = err_sys(e, "%s", g->part);
    if (close(g->fd) < 0 && status == 0)
        status = err_sys(e, "%s", g->part);
    if (status == 0 && rename(g->part, g->blob) < 0)
        status = err_sys(e, "%s", g->blob);
    return status;
}

/* Whoever fetches the same file waits for us, huggingface_hub too, whose locks these are. */
static int lock(const Going *g, Err *e)
{
    char *cache = cache_folder();
    const char *repo = strrchr(g->fetch->repo, '/') + 1;
    char *path = mem_fmt("%s/.locks/%s/%s.lock", cache, repo, g->etag);
    int fd = fetch_folders(cache, path, e) < 0 ? -1 : open_own(path, e);
    while (fd >= 0 && flock(fd, LOCK_EX) < 0)
        if (errno != EINTR) { /* a file system without locks: nobody has one */
            if (errno == ENOSYS || errno == ENOTSUP || errno == ENOLCK)
                break;
            err_sys(e, "%s", path);
            close(fd);
            fd = -1;
        }
    free(path);
    free(cache);
    return fd;
}

static bool have_blob(const Going *g)
{
    struct stat st;
    return stat(g->blob, &st) == 0 && S_ISREG(st.st_mode) && (g->size < 0 || st.st_size == g->size);
}

static int bring_blob(Going *g, Err *e)
{
    int fd = fetch_folders(g->fetch->repo, g->blob, e) < 0 ? -1 : lock(g, e);
    if (fd < 0)
        return -1;
    int status = 0;
    if (!have_blob(g)) {
        status = download(g, e);
        g->fetch->files += status == 0;
    }
    close(fd);
    return status;
}

/* snapshots/COMMIT/a/b -> ../../../blobs/ETAG */
static int link_blob(const Going *g, const char *place, Err *e)
{
    Buf to = {0};
    buf_str(&to, "../../");
    for (const char *p = g->name; (p = strchr(p, '/')); p++)
        buf_str(&to, "../");
    buf_fmt(&to, "blobs/%s", g->etag);
    buf_add(&to, "", 1);
    int status = fetch_folders(g->fetch->repo, place, e);
    /* What is there leads to nothing that can be read, or somebody was faster. */
    for (int tries = 0; status == 0 && symlink(to.p, place) < 0; tries++)
        if (errno != EEXIST || tries == LINK_TRIES || (unlink(place) < 0 && errno != ENOENT))
            status = err_sys(e, "%s", place);
    free(to.p);
    return status;
}

int fetch_file(Fetch *f, const char *name, Err *e)
{
    char *place = mem_fmt("%s/%s", f->snapshot, name), *path = http_escape(name, true);
    Going g = {.fetch = f,
               .name = name,
               .url = mem_fmt("%s/%s/resolve/%s/%s", f->endpoint, f->model, f->commit, path)};
    int status = 0;
    if (access(place, R_OK) < 0) { /* a commit's files never change */
        status = ask_head(&g, e);
        if (status == 0) {
            g.blob = mem_fmt("%s/blobs/%s", f->repo, g.etag);
            g.part = mem_fmt("%s.incomplete", g.blob);
            status = bring_blob(&g, e) < 0 || link_blob(&g, place, e) < 0 ? -1 : 0;
        }
    }
    if (status < 0)
        err_at(e, "%s", name);
    free(g.url);
    free(g.blob);
    free(g.part);
    free(path);
    free(place);
    return status;
}
