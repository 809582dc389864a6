/* text-spbpe - texts through SentencePiece's BPE. */
#include "tests/fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const model[] = {"spbpe-llama", "spbpe-first"};
    text_of_models(model, sizeof model / sizeof *model, NULL, p, n);
    return 0;
}
