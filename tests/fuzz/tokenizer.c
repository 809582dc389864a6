/* tokenizer - tokenizer.json and, behind a line "%%" each, tokenizer_config.json, config.json and a
 * text. */
#include "tests/fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char usual[] =
        "The cat's  12,345 caf\xc3\xa9 \xe4\xbd\xa0\xe5\xa5\xbd [MASK]<mask>\t\xf0\x9f\x98\x80.";
    Str rest = str_of((const char *)p, n), json = fuzz_part(&rest);
    Err e = {0};
    fuzz_file("tokenizer.json", json.p, json.n);
    fuzz_file_or_none("tokenizer_config.json", fuzz_part(&rest));
    fuzz_file_or_none("config.json", fuzz_part(&rest));
    Tokenizer *t = model_tokenizer(fuzz_folder(), &e);
    MUST(t || e.text[0]);
    if (!t)
        return 0;
    Str text = rest.n ? fuzz_text(rest.p, rest.n) : fuzz_text(usual, sizeof usual - 1);
    text_tokens(t, text);
    free((char *)text.p);
    tokenizer_free(t);
    return 0;
}
