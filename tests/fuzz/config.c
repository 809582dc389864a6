/* config - config.json of a model. */
#include "model/config.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    Config c = {0};
    Err e = {0};
    fuzz_file("config.json", p, n);
    int status = config_load(fuzz_folder(), &c, &e);
    MUST((status == 0) == !e.text[0]);
    if (status == 0) {
        MUST(c.family && c.vocab > 0 && c.hidden > 0 && c.heads > 0 && c.size > 0 && c.inner > 0);
        MUST(c.layers >= c.decoders && c.decoders >= 0 && c.labels > 0);
        for (int64_t i = 0; i < c.labels; i++)
            MUST(c.label[i]);
        for (int64_t i = 0; i < c.layers && i < 4; i++)
            (void)config_attend_scale(&c, i);
    }
    config_clear(&c);
    return 0;
}
