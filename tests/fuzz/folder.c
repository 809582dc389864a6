/* folder - a model folder as `show` tells of it: config.json and model.safetensors with a line "%%"
 * between them. */
#include "report/folder.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    Str rest = str_of((const char *)p, n), config = fuzz_part(&rest);
    Buf b = {0};
    Err e = {0};
    fuzz_file("config.json", config.p, config.n);
    fuzz_file("model.safetensors", rest.p, rest.n);
    MUST((folder_put(&b, fuzz_folder(), &e) == 0) == !e.text[0]);
    free(b.p);
    return 0;
}
