#include "filter/stream_tokenizer.h"

#include "model/find.h"
#include "model/model_tokenizer.h"

#include <stdlib.h>
#include <string.h>

Tokenizer *stream_tokenizer_load(const char *model, const char *vocab, Err *e)
{
    char *folder = model_find(model, e);
    Tokenizer *t = folder ? model_tokenizer(folder, e) : NULL;
    if (t && vocab && strcmp(vocab, tokenizer_fingerprint(t)) != 0) {
        err_set(e, "the stream's vocabulary is %s, that of %s is %s: give its own model by -m",
                vocab, folder, tokenizer_fingerprint(t));
        tokenizer_free(t);
        t = NULL;
    }
    free(folder);
    return t;
}

int stream_tokenizer_open(StreamTokenizer *l, const Frame *f, Err *e)
{
    if (l->tokenizer)
        return 0;
    const char *model = l->model ? l->model : frame_meta(f, "model");
    l->tokenizer = stream_tokenizer_load(model, frame_meta(f, "vocab"), e);
    if (!l->tokenizer)
        return -1;
    l->work = tokwork_new(l->tokenizer);
    return 0;
}

void stream_tokenizer_close(StreamTokenizer *l)
{
    tokwork_free(l->work);
    tokenizer_free(l->tokenizer);
    *l = (StreamTokenizer){0};
}
