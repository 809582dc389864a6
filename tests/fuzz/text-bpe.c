/* text-bpe - texts through byte-level BPE; GPT-2's gives back every text. */
#include "tests/fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const model[] = {"bpe-gpt2", "bpe-roberta", "bpe-gpt2-files",
                                        "bpe-roberta-files"};
    text_of_models(model, sizeof model / sizeof *model, "bpe-gpt2", p, n);
    return 0;
}
