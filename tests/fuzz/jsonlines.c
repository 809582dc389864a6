/* jsonlines - JSON lines, lines, NUL-separated pieces and whole files. */
#include "tests/fuzz/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *names[] = {"text", "label"};
    unsigned how = fuzz_byte(&p, &n), chunk = fuzz_byte(&p, &n);
    RecSpec spec = {.kind = REC_JSON, .column = names, .columns = 2, .needed = how >> 2 & 1};
    if (how % 4 == 1)
        spec = (RecSpec){.kind = REC_LINES};
    if (how % 4 == 2)
        spec = (RecSpec){.kind = REC_NUL};
    if (how % 8 == 7)
        spec = (RecSpec){.kind = REC_FILE};
    records_any(&spec, chunk, p, n);
    return 0;
}
