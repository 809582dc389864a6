/* text-wordpiece - texts through WordPiece, cased and not, and with added tokens. */
#include "tests/fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const model[] = {"wordpiece-uncased", "wordpiece-cased", "wordpiece-added"};
    text_of_models(model, sizeof model / sizeof *model, NULL, p, n);
    return 0;
}
