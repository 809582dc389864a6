/* http.h - requests over HTTP(S), by libcurl: one connection kept for many, and answers as they
 * come. */
#ifndef WEFT_HTTP_H
#define WEFT_HTTP_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>

typedef struct Http Http;

/* What was asked. A body of status 200 or 206 goes to `take`, which returns -1 to stop. */
typedef struct HttpAsk HttpAsk;
struct HttpAsk {
    const char *url;
    bool head;    /* the headers alone, of this answer: a redirect is not followed */
    int64_t from; /* > 0: only the bytes from there on */
    int (*take)(void *to, const HttpAsk *ask, long status, const void *p, size_t n);
    void *to;
    void (*progress)(void *to, int64_t now); /* bytes of this answer so far; NULL: not told */
};

/* What came. Header values are "" where they were absent. */
typedef struct HttpReply {
    long status;         /* 0: no answer at all */
    bool broken;         /* the connection failed or broke off: worth another try */
    int64_t size;        /* X-Linked-Size, else Content-Length; -1: not said */
    long wait;           /* seconds of Retry-After; -1: not said */
    char commit[72];     /* X-Repo-Commit */
    char etag[136];      /* X-Linked-Etag, else ETag: without W/ and quotes */
    char location[1024]; /* of a redirect that was not followed */
    char code[64];       /* X-Error-Code */
    char said[256];      /* X-Error-Message */
} HttpReply;

/* What a redirect of this URL may lead to: never from https to what anybody can read and change. */
const char *http_redirects(const char *url);
/* NULL: libcurl cannot be begun. token: sent as `Authorization: Bearer` to the first host alone;
 * NULL: none. */
Http *http_new(const char *token);
void http_free(Http *h);
/* 0 where an answer came whole, whatever its status; -1 where none did or it broke off, or take()
 * stopped it. What *e said of a request before is forgotten: this one may be its second try. */
int http_ask(Http *h, const HttpAsk *ask, HttpReply *r, Err *e);
/* s with everything escaped that a path in a URL cannot hold; '/' too unless `path`. */
char *http_escape(const char *s, bool path);

#endif
