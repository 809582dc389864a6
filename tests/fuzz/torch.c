/* torch - pytorch_model.bin: archive, pickle and numbers. */
#include "store/torchfile.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    Err e = {0};
    TorchFile *f = torch_open(fuzz_file("pytorch_model.bin", p, n), &e);
    MUST(f || e.text[0]);
    for (int i = 0; f && i < torch_count(f); i++) {
        StView v = torch_at(f, i), found;
        e.text[0] = '\0';
        MUST(torch_find(f, v.name, &found) == 0);
        if (torch_read(f, &v, &e) < 0) {
            MUST(e.text[0]);
            continue;
        }
        MUST(v.data || !v.bytes);
        fuzz_touch(v.data, v.bytes);
    }
    if (f)
        torch_close(f);
    return 0;
}
