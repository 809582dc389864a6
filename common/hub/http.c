#include "hub/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#ifndef WEFT_VERSION
#define WEFT_VERSION "0"
#endif

enum { CONNECT_S = 10, STALL_S = 30, REDIRECTS = 8 };

struct Http {
    CURL *curl;
    char *token;
    char why[CURL_ERROR_SIZE];
};

/* One request on its way. */
typedef struct Going {
    Http *http;
    const HttpAsk *ask;
    HttpReply *reply;
    int64_t linked; /* X-Linked-Size */
    bool linked_tag, stopped;
} Going;

static void *resize(void *p, size_t n)
{
    return mem_resize(p, n, 1);
}

Http *http_new(const char *token)
{
    Http *h = mem_zero(1, sizeof *h);
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, free, resize, mem_str, mem_zero) == 0)
        h->curl = curl_easy_init();
    if (!h->curl) {
        free(h);
        return NULL;
    }
    h->token = mem_str(token);
    return h;
}

void http_free(Http *h)
{
    if (!h)
        return;
    curl_easy_cleanup(h->curl);
    curl_global_cleanup();
    free(h->token);
    free(h);
}

char *http_escape(const char *s, bool path)
{
    static const char plain[] =
        "-_.~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    Buf b = {0};
    for (; *s; s++)
        if (strchr(plain, *s) || (path && *s == '/'))
            buf_add(&b, s, 1);
        else
            buf_fmt(&b, "%%%02X", (unsigned char)*s);
    buf_add(&b, "", 1);
    return b.p;
}

/* The value of header `name` in line p, or NULL. */
static const char *value_of(const char *p, const char *name)
{
    size_t n = strlen(name);
    if (strncasecmp(p, name, n) != 0 || p[n] != ':')
        return NULL;
    return p + n + 1 + strspn(p + n + 1, " \t");
}

static void copy(char *to, size_t size, const char *from)
{
    size_t n = strcspn(from, "\r\n");
    if (n >= size)
        n = size - 1;
    memcpy(to, from, n);
    to[n] = '\0';
}

/* W/"abc" and "abc" are abc. */
static void copy_tag(HttpReply *r, const char *from)
{
    if (strncmp(from, "W/", 2) == 0)
        from += 2;
    from += *from == '"';
    copy(r->etag, sizeof r->etag, from);
    r->etag[strcspn(r->etag, "\" ")] = '\0';
}

static void take_header(Going *g, const char *line)
{
    HttpReply *r = g->reply;
    const char *v;
    if (strncmp(line, "HTTP/", 5) ==
        0) { /* another answer: what a redirect said of the file stays */
        r->wait = -1;
        if (!g->linked_tag)
            r->etag[0] = '\0';
    } else if ((v = value_of(line, "X-Repo-Commit"))) {
        copy(r->commit, sizeof r->commit, v);
    } else if ((v = value_of(line, "X-Linked-Etag"))) {
        copy_tag(r, v);
        g->linked_tag = true;
    } else if ((v = value_of(line, "ETag"))) {
        if (!g->linked_tag)
            copy_tag(r, v);
    } else if ((v = value_of(line, "X-Linked-Size"))) {
        g->linked = strtoll(v, NULL, 10);
    } else if ((v = value_of(line, "Retry-After"))) {
        r->wait = strtol(v, NULL, 10);
    } else if ((v = value_of(line, "Location"))) {
        copy(r->location, sizeof r->location, v);
    } else if ((v = value_of(line, "X-Error-Code"))) {
        copy(r->code, sizeof r->code, v);
    } else if ((v = value_of(line, "X-Error-Message"))) {
        copy(r->said, sizeof r->said, v);
    }
}

static size_t on_header(char *p, size_t size, size_t n, void *going)
{
    char line[1100];
    size_t len = size * n < sizeof line - 1 ? size * n : sizeof line - 1;
    memcpy(line, p, len);
    line[len] = '\0';
    take_header(going, line);
    return size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *going)
{
    Going *g = going;
    long status = 0;
    curl_easy_getinfo(g->http->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 && status != 206)
        return size * n; /* what an error page says is in its headers too */
    if (g->ask->take && g->ask->take(g->ask->to, g->ask, status, p, size * n) < 0) {
        g->stopped = true;
        return 0;
    }
    return size * n;
}

static int on_progress(void *going, curl_off_t all, curl_off_t now, curl_off_t up_all,
                       curl_off_t up)
{
    Going *g = going;
    (void)all, (void)up_all, (void)up;
    g->ask->progress(g->ask->to, now);
    return 0;
}

const char *http_redirects(const char *url)
{
    return strncasecmp(url, "https:", 6) == 0 ? "https" : "http,https";
}

/* The parts of a request that change from one to the next. 0, or libcurl's code. */
static int set_up(Going *g)
{
    CURL *c = g->http->curl;
    const HttpAsk *a = g->ask;
    char range[32];
    int bad = 0;
#define SET(option, value)                                                                         \
    if (!bad)                                                                                      \
    bad = (int)curl_easy_setopt(c, option, value)
    curl_easy_reset(c);
    SET(CURLOPT_URL, a->url);
    SET(CURLOPT_USERAGENT, "weft/" WEFT_VERSION);
    SET(CURLOPT_ERRORBUFFER, g->http->why);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, http_redirects(a->url));
    SET(CURLOPT_FOLLOWLOCATION, a->head ? 0L : 1L);
    SET(CURLOPT_MAXREDIRS, (long)REDIRECTS);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, g);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, g);
    if (a->head)
        SET(CURLOPT_NOBODY, 1L);
    if (a->from > 0) {
        snprintf(range, sizeof range, "%lld-", (long long)a->from);
        SET(CURLOPT_RANGE, range);
    }
    if (a->progress) {
        SET(CURLOPT_NOPROGRESS, 0L);
        SET(CURLOPT_XFERINFOFUNCTION, on_progress);
        SET(CURLOPT_XFERINFODATA, g);
    }
    if (g->http->token) { /* libcurl keeps it from other hosts */
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        SET(CURLOPT_XOAUTH2_BEARER, g->http->token);
    }
#undef SET
    return bad;
}

int http_ask(Http *h, const HttpAsk *ask, HttpReply *r, Err *e)
{
    Going g = {.http = h, .ask = ask, .reply = r, .linked = -1};
    curl_off_t length = -1;
    *r = (HttpReply){.size = -1, .wait = -1};
    h->why[0] = '\0';
    *e = (Err){0};
    CURLcode code = (CURLcode)set_up(&g);
    if (code == CURLE_OK)
        code = curl_easy_perform(h->curl);
    curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &r->status);
    curl_easy_getinfo(h->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    r->size = g.linked >= 0 ? g.linked : length;
    if (code == CURLE_OK)
        return 0;
    if (g.stopped)
        return -1; /* take() has said why */
    r->broken = code != CURLE_UNSUPPORTED_PROTOCOL && code != CURLE_URL_MALFORMAT &&
                code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_TOO_MANY_REDIRECTS;
    return err_set(e, "%s", h->why[0] ? h->why : curl_easy_strerror(code));
}
