#include "filter/same_vocab.h"

#include "model/find.h"
#include "model/model_tokenizer.h"

#include <stdlib.h>
#include <string.h>

static bool is_folder(const char *model, const char *folder)
{
    Err none = {0};
    char *found = model_find(model, &none);
    char *theirs = found ? model_encoder_folder(found, &none) : NULL;
    bool same = theirs && strcmp(theirs, folder) == 0;
    free(found);
    free(theirs);
    return same;
}

int same_vocab(const Frame *f, const char *name, const char *folder, Err *e)
{
    const char *model = frame_meta(f, "model"), *vocab = frame_meta(f, "vocab");
    if (!model || !vocab || is_folder(model, folder))
        return 0;
    Tokenizer *t = model_tokenizer(folder, e);
    if (!t)
        return err_at(e, "cannot tell whether %s has the vocabulary of %s", name, model);
    bool same = strcmp(tokenizer_fingerprint(t), vocab) == 0;
    tokenizer_free(t);
    return same ? 0
                : err_set(e,
                          "the ids were made with the vocabulary of %s, but %s has "
                          "another: use one model in the whole pipeline",
                          model, name);
}
