/* conll - sentences with a word a line. */
#include "tests/fuzz/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *names[] = {"words", "tags"};
    RecSpec spec = {.kind = REC_CONLL, .column = names, .columns = 2};
    records_any(&spec, fuzz_byte(&p, &n), p, n);
    return 0;
}
