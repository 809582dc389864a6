/* headfile - the folder that `train` makes: config.json, a line "%%", model.safetensors. */
#include "model/head/headfile.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    Str rest = str_of((const char *)p, n), config = fuzz_part(&rest);
    HeadFile h;
    Err e = {0};
    fuzz_file("config.json", config.p, config.n);
    fuzz_file("model.safetensors", rest.p, rest.n);
    headfile_is(fuzz_folder());
    int status = headfile_load(fuzz_folder(), &h, &e);
    MUST((status == 0) == !e.text[0]);
    for (int i = 0; status == 0 && i < h.layers; i++) {
        fuzz_touch(h.weight[i], (size_t)(h.size[i + 1] * h.size[i]) * sizeof(float));
        fuzz_touch(h.bias[i], (size_t)h.size[i + 1] * sizeof(float));
    }
    if (status == 0)
        headfile_free(&h);
    return 0;
}
