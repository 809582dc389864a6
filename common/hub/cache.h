/* cache.h - the Hugging Face cache, in its own layout:
 *     CACHE/models--ORG--NAME/blobs/ETAG           files by what they hold
 *                            /refs/REV             the commit of a branch or tag
 *                            /snapshots/COMMIT/... links into blobs
 * CACHE is HF_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub or
 * ~/.cache/huggingface/hub. */
#ifndef WEFT_CACHE_H
#define WEFT_CACHE_H

#include <stdbool.h>

/* A model's name there: NAME or ORG/NAME, with an optional @REV. */
bool cache_is_name(const char *s);

/* All are the caller's to free. */
char *cache_folder(void);
char *cache_home(void);                 /* what tokens lie in: HF_HOME and its defaults */
char *cache_repo(const char *name);     /* CACHE/models--ORG--NAME; @REV is left aside */
char *cache_model(const char *name);    /* "ORG/NAME" */
char *cache_revision(const char *name); /* what stands behind '@', else "main" */
/* The commit that a branch or tag stands for there, else rev itself; "" where it cannot be read. */
char *cache_commit(const char *repo, const char *rev);
/* The snapshot's folder, or NULL where it is not there. */
char *cache_snapshot(const char *name);

#endif
