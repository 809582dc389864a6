/* hub - a model fetched from a hub that answers anything, without a network: libcurl's functions
 * are these. Parts with a line "%%" between them are answers, in turn: a line with the status (a
 * letter behind it breaks the connection), lines of headers, an empty line, the body. Nothing may
 * come to lie outside the cache. */
#include "base/msg.h"
#include "hub/fetch.h"
#include "tests/fuzz/fuzz.h"

#include <curl/curl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static Str answers;

typedef size_t Take(char *p, size_t size, size_t n, void *to);

/* What set_up() has said of the request. */
static struct {
    Take *header, *body;
    void *header_to, *body_to;
    bool head;
    long status, from;
    curl_off_t length;
} now;

#undef curl_easy_setopt
#undef curl_easy_getinfo

CURL *curl_easy_init(void)
{
    return (CURL *)&now;
}

void curl_easy_cleanup(CURL *c)
{
    (void)c;
}

void curl_easy_reset(CURL *c)
{
    (void)c;
    memset(&now, 0, sizeof now);
}

CURLcode curl_easy_setopt(CURL *c, CURLoption option, ...)
{
    va_list ap;
    (void)c;
    va_start(ap, option);
    if (option == CURLOPT_HEADERFUNCTION)
        now.header = va_arg(ap, Take *);
    else if (option == CURLOPT_WRITEFUNCTION)
        now.body = va_arg(ap, Take *);
    else if (option == CURLOPT_HEADERDATA)
        now.header_to = va_arg(ap, void *);
    else if (option == CURLOPT_WRITEDATA)
        now.body_to = va_arg(ap, void *);
    else if (option == CURLOPT_NOBODY)
        now.head = va_arg(ap, long) != 0;
    va_end(ap);
    return CURLE_OK;
}

CURLcode curl_easy_getinfo(CURL *c, CURLINFO info, ...)
{
    va_list ap;
    (void)c;
    va_start(ap, info);
    if (info == CURLINFO_RESPONSE_CODE)
        *va_arg(ap, long *) = now.status;
    if (info == CURLINFO_CONTENT_LENGTH_DOWNLOAD_T)
        *va_arg(ap, curl_off_t *) = now.length;
    va_end(ap);
    return CURLE_OK;
}

/* libcurl hands over bytes of its own, a line of headers at a time. */
static bool hand(Take *to, void *ctx, const char *p, size_t n)
{
    char *own = malloc(n + !n);
    memcpy(own, p, n);
    bool taken = !to || to(own, 1, n, ctx) == n;
    free(own);
    return taken;
}

static Str line_of(Str *s)
{
    const char *end = s->n ? memchr(s->p, '\n', s->n) : NULL;
    Str line = str_of(s->p, end ? (size_t)(end + 1 - s->p) : s->n);
    *s = str_of(s->p + line.n, s->n - line.n);
    return line;
}

CURLcode curl_easy_perform(CURL *c)
{
    Str a = fuzz_part(&answers), first = line_of(&a);
    char number[8] = "";
    (void)c;
    now.length = -1;
    if (!first.n)
        return CURLE_COULDNT_CONNECT;
    memcpy(number, first.p, first.n < 7 ? first.n : 7);
    now.status = strtol(number, NULL, 10) % 1000;
    if (!hand(now.header, now.header_to, "HTTP/1.1 200 OK\r\n", 17))
        return CURLE_WRITE_ERROR;
    for (Str line; (line = line_of(&a)).n > 1;)
        if (!hand(now.header, now.header_to, line.p, line.n))
            return CURLE_WRITE_ERROR;
    for (size_t n; a.n && !now.head; a = str_of(a.p + n, a.n - n)) {
        n = a.n < 512 ? a.n : 512;
        if (!hand(now.body, now.body_to, a.p, n))
            return CURLE_WRITE_ERROR;
    }
    return strpbrk(number, "abcdefgh") ? CURLE_RECV_ERROR : CURLE_OK;
}

/* Nobody has to wait between tries. */
int nanosleep(const struct timespec *want, struct timespec *left)
{
    (void)want, (void)left;
    return 0;
}

static int outside;

static int look(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind;
    outside += at->level == 1 && strcmp(path + at->base, "cache") != 0;
    return 0;
}

static int clear(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind;
    if (at->level > 0)
        remove(path);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static bool set;
    if (!set) {
        char *cache = mem_fmt("%s/cache", fuzz_folder());
        setenv("HF_HUB_CACHE", cache, 1);
        setenv("HF_HOME", cache, 1);
        setenv("HF_ENDPOINT", "http://hub", 1);
        unsetenv("HF_HUB_OFFLINE");
        free(cache);
        msg_quiet = true;
        set = true;
    }
    Err e = {0};
    answers = str_of((const char *)p, n);
    char *folder = fetch_model("org/tiny", false, &e);
    MUST((folder != NULL) == !e.text[0]);
    free(folder);
    MUST(nftw(fuzz_folder(), look, 16, FTW_PHYS) == 0 && outside == 0);
    nftw(fuzz_folder(), clear, 16, FTW_PHYS | FTW_DEPTH);
    return 0;
}
