/* bag - static embeddings: config.json, a line "%%", modules.json, a line "%%", model.safetensors.
 */
#include "model/bag.h"
#include "model/head/pooling.h"
#include "tests/fuzz/fuzz.h"

enum { WIDE = 1 << 12 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static Device *dev;
    static const int64_t starts[] = {0, 0, 3};
    static const int32_t id[] = {0, 1, 0};
    BagIn in = {.id = id, .starts = starts, .rows = 2, .tokens = 3};
    Str rest = str_of((const char *)p, n);
    fuzz_file_or_none("config.json", fuzz_part(&rest));
    fuzz_file_or_none("modules.json", fuzz_part(&rest));
    fuzz_file("model.safetensors", rest.p, rest.n);
    BagFacts facts = {0};
    Pooling pooling;
    Err e = {0}, why = {0};
    int is = bag_is(fuzz_folder(), &facts, &e);
    MUST((is < 0) == (e.text[0] != '\0'));
    int pools = pooling_of_bag(fuzz_folder(), facts.normalize, &pooling, &why);
    MUST((pools < 0) == (why.text[0] != '\0'));
    MUST(pools < 0 || pooling_name(&pooling));
    if (!dev)
        MUST(dev = device_cpu(1));
    e.text[0] = '\0';
    Bag *b = bag_load(fuzz_folder(), dev, &e);
    MUST((b != NULL) == !e.text[0]);
    if (b && bag_check(b, &in, &e) == 0 && bag_width(b) <= WIDE) {
        float *out = mem_array((size_t)(3 * bag_width(b)), sizeof *out);
        MUST(bag_means(b, &in, out, &e) == 0);
        for (int64_t i = 0; i < bag_width(b); i++)
            MUST(out[i] == 0);
        MUST(bag_tokens(b, &in, K_F32, out, &e) == 0);
        fuzz_touch(out, (size_t)(3 * bag_width(b)) * sizeof *out);
        free(out);
    }
    bag_free(b);
    return 0;
}
