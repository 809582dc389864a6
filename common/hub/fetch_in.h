/* fetch_in.h - one model on its way into the cache; for fetch*.c alone. */
#ifndef WEFT_FETCH_IN_H
#define WEFT_FETCH_IN_H

#include "hub/http.h"
#include "hub/repo_files.h"

typedef struct Fetch {
    Http *http;
    char *endpoint, *model, *revision; /* https://..., ORG/NAME, REV */
    char *repo, *snapshot;             /* folders */
    char commit[72];
    bool shown;
    int64_t came; /* bytes over the network */
    int files;
    NameList all, want;
} Fetch;

/* http_ask with up to five tries where no answer came, or 429 or 5xx. Any other status of 400 and
 * more is an error that says what to do; so is a body that broke off (r->broken). */
int fetch_ask(Fetch *f, const HttpAsk *ask, HttpReply *r, Err *e);

/* Brings snapshots/COMMIT/name, unless it is there already. */
int fetch_file(Fetch *f, const char *name, Err *e);

/* mkdir -p of the folder that path lies in. Below `root` none of them may be a symbolic link. */
int fetch_folders(const char *root, const char *path, Err *e);

#endif
