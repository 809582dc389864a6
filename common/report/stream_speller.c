#include "report/stream_speller.h"

#include "base/msg.h"
#include "filter/stream_tokenizer.h"
#include "model/find.h"

#include <stdlib.h>

static Str spell(const void *tokenizer, int64_t id)
{
    bool fits = id >= 0 && id < tokenizer_size(tokenizer);
    return fits ? tokenizer_text(tokenizer, (int32_t)id) : str_of(NULL, 0);
}

/* A model that is not there tells nothing. One that is there and of no use: say why. */
static void tell_unspelt(const char *model, const char *why)
{
    Err e = {0};
    char *folder = model_find(model, &e);
    if (folder)
        msg_note("ids are shown without their tokens: %s", why);
    free(folder);
}

int stream_speller_find(StreamSpeller *s, const Frame *f, Err *e)
{
    Err none = {0};
    const char *model = s->model ? s->model : frame_meta(f, "model");
    if (s->looked || !frame_get(f, "token.id"))
        return 0;
    s->looked = true;
    s->tokenizer = stream_tokenizer_load(model, frame_meta(f, "vocab"), s->model ? e : &none);
    if (!s->tokenizer && s->model)
        return -1;
    if (!s->tokenizer) {
        tell_unspelt(model, none.text);
        return 0;
    }
    int32_t pad = tokenizer_special(s->tokenizer, TOK_PAD);
    s->speller = (Speller){spell, s->tokenizer, pad < 0 ? 0 : pad};
    return 0;
}

void stream_speller_clear(StreamSpeller *s)
{
    if (s->tokenizer)
        tokenizer_free(s->tokenizer);
}
