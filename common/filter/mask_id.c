#include "filter/mask_id.h"

#include "base/num.h"
#include "model/model_tokenizer.h"

int mask_id(const Frame *f, const char *folder, const char *name, int32_t *id, Err *e)
{
    const char *said = frame_meta(f, "mask");
    int64_t n;
    if (said && num_int(said, 0, INT32_MAX, &n, NULL) == 0) {
        *id = (int32_t)n;
        return 0;
    }
    Tokenizer *t = model_tokenizer(folder, e);
    if (!t)
        return err_at(e, "cannot tell which token is the mask");
    *id = tokenizer_special(t, TOK_MASK);
    tokenizer_free(t);
    return *id < 0 ? err_set(e, "the tokenizer of %s has no mask token", name) : 0;
}
