/* spiece - SentencePiece's file, and a text through what it holds. */
#include "tests/fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const config[] = {"{\"model_type\":\"t5\"}", "{\"model_type\":\"albert\"}",
                                         "{\"model_type\":\"xlm-roberta\"}",
                                         "{\"model_type\":\"llama\"}"};
    Str text =
        str_of("The cat's  caf\xc3\xa9 \xef\xbc\xa1\xef\xbc\xa2 12,345 \xf0\x9f\x98\x80.", 35);
    const char *c = config[fuzz_byte(&p, &n) % 4];
    Err e = {0};
    fuzz_file("config.json", c, strlen(c));
    fuzz_file("spiece.model", p, n);
    Tokenizer *t = model_tokenizer(fuzz_folder(), &e);
    MUST(t || e.text[0]);
    if (t)
        text_tokens(t, text);
    tokenizer_free(t);
    return 0;
}
