/* spiece - SentencePiece's file, and a text through what it holds; as marian's source and target,
 * too. */
#include "tests/fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const config[] = {"{\"model_type\":\"t5\"}", "{\"model_type\":\"albert\"}",
                                         "{\"model_type\":\"xlm-roberta\"}",
                                         "{\"model_type\":\"llama\"}",
                                         "{\"model_type\":\"marian\"}"};
    static const char vocab[] =
        "{\"</s>\":0,\"<unk>\":1,\"\xe2\x96\x81the\":2,\"s\":3,\"<0xE2>\":4,"
        "\"caf\":5,\"\xe2\x96\x81\":6,\"<pad>\":7}";
    Str text =
        str_of("The cat's  caf\xc3\xa9 \xef\xbc\xa1\xef\xbc\xa2 12,345 \xf0\x9f\x98\x80.", 35);
    const char *c = config[fuzz_byte(&p, &n) % 5];
    Err e = {0};
    fuzz_file("config.json", c, strlen(c));
    fuzz_file("spiece.model", p, n);
    fuzz_file("source.spm", p, n);
    fuzz_file("target.spm", p, n);
    fuzz_file("vocab.json", vocab, sizeof vocab - 1);
    Tokenizer *t = model_tokenizer(fuzz_folder(), &e);
    MUST(t || e.text[0]);
    if (t)
        text_tokens(t, text);
    tokenizer_free(t);
    return 0;
}
