/* text-unigram - texts through Unigram. */
#include "tests/fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const model[] = {"unigram-albert", "unigram-xlmr", "unigram-odd",
                                        "unigram-old"};
    text_of_models(model, sizeof model / sizeof *model, NULL, p, n);
    return 0;
}
