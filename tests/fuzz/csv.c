/* csv - CSV with a header or without, by name and by number, whatever the delimiter. */
#include "tests/fuzz/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *names[] = {"text", "2"};
    unsigned how = fuzz_byte(&p, &n), chunk = fuzz_byte(&p, &n);
    RecSpec spec = {.kind = REC_CSV,
                    .header = !(how & 1),
                    .delimiter = ",\t;|"[how >> 1 & 3],
                    .column = how & 1 ? names + 1 : names,
                    .columns = how & 1 ? 1 : 1 + (how >> 3 & 1)};
    records_any(&spec, chunk, p, n);
    return 0;
}
