/* shards - the index of a checkpoint in several files, and what its files then hold: a part is the
 * index, the next one a-00001.safetensors. */
#include "store/shards.h"
#include "store/safetensors.h"
#include "tests/fuzz/fuzz.h"

static void list(const char *path)
{
    Shards s;
    Err e = {0};
    int status = shards_read(path, &s, &e);
    MUST((status == 0) == !e.text[0]);
    for (int i = 0; status == 0 && i < s.count; i++) {
        MUST(i == 0 || strcmp(s.name[i - 1], s.name[i]) < 0);
        MUST(!strstr(s.name[i], "..") || !strchr(s.name[i], '/'));
    }
    shards_clear(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    Str rest = str_of((const char *)p, n), index = fuzz_part(&rest);
    Err e = {0};
    fuzz_file("a-00001.safetensors", rest.p, rest.n);
    char *path = fuzz_file("model.safetensors.index.json", index.p, index.n);
    list(path);
    StFile *s = st_open(path, &e);
    MUST(s || e.text[0]);
    if (s)
        st_close(s);
    return 0;
}
