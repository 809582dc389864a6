#include "filter/stream_tokenizer.h"

#include "model/find.h"

#include <stdlib.h>
#include <string.h>

Tokenizer *lexicon_load(const char *model, const char *vocab, Err *e)
{
    char *folder = model_find(model, e), *inner = NULL;
    Tokenizer *t = NULL;
    if (folder && (inner = model_tokenizer_folder(folder, e)))
        t = tokenizer_load(inner, e);
    if (t && vocab && strcmp(vocab, tokenizer_fingerprint(t)) != 0) {
        err_set(e, "the stream's vocabulary is %s, that of %s is %s: give its own model by -m",
                vocab, inner, tokenizer_fingerprint(t));
        tokenizer_free(t);
        t = NULL;
    }
    free(folder);
    free(inner);
    return t;
}

int lexicon_open(Lexicon *l, const Frame *f, Err *e)
{
    if (l->tokenizer)
        return 0;
    const char *model = l->model ? l->model : frame_meta(f, "model");
    l->tokenizer = lexicon_load(model, frame_meta(f, "vocab"), e);
    if (!l->tokenizer)
        return -1;
    l->work = tokwork_new(l->tokenizer);
    return 0;
}

void lexicon_close(Lexicon *l)
{
    tokwork_free(l->work);
    if (l->tokenizer)
        tokenizer_free(l->tokenizer);
    *l = (Lexicon){0};
}

static bool begins_char(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

int64_t chars_before(CharAt *at, Str text, size_t to)
{
    if (at->byte > text.n) /* another text */
        *at = (CharAt){0};
    for (; at->byte < to; at->byte++)
        at->chars += begins_char(text.p[at->byte]);
    while (at->byte > to)
        at->chars -= begins_char(text.p[--at->byte]);
    return at->chars;
}
