#include "store/filekind.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool begins_with(Str s, const char *p, size_t n)
{
    return s.n >= n && memcmp(s.p, p, n) == 0;
}

/* A page's first tag, in letters of either case. */
static bool is_page(Str s)
{
    static const char *const tags[] = {"<!doctype html", "<html", "<?xml"};
    while (s.n && strchr(" \t\r\n", *s.p) && *s.p)
        s.p++, s.n--;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        size_t n = strlen(tags[i]);
        if (s.n >= n && strncasecmp(s.p, tags[i], n) == 0)
            return true;
    }
    return false;
}

int filekind_check(Str s, Err *e)
{
    static const char lfs[] = "version https://git-lfs.github.com/spec/";
    if (begins_with(s, lfs, sizeof lfs - 1))
        return err_set(e, "a pointer of git-lfs, which stands for the file: bring the file itself "
                          "with git lfs pull, or the model with weft get");
    if (is_page(s))
        return err_set(e, "a page of a web server, not the file: fetch it anew");
    return 0;
}

const char *filekind_weights(Str s)
{
    static const struct {
        const char *begins;
        size_t n;
        const char *what;
    } kinds[] = {
        {"PK\3\4", 4, "a zip archive, as torch.save writes: call it pytorch_model.bin"},
        {"\x89HDF\r\n", 6, "an HDF5 file of TensorFlow's weights (tf_model.h5)"},
        {"GGUF", 4, "a GGUF file of llama.cpp"},
        {"\x1f\x8b", 2, "packed by gzip: unpack it"},
        {"\x28\xb5\x2f\xfd", 4, "packed by zstd: unpack it"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (begins_with(s, kinds[i].begins, kinds[i].n))
            return kinds[i].what;
    if (s.n > 2 && s.p[0] == '\x80' && s.p[1] >= 2 && s.p[1] <= 5)
        return "a pickle, as torch.save writes: call it pytorch_model.bin";
    if (s.n > 9 && s.p[8] == '{')
        return "a safetensors file: call it model.safetensors";
    return NULL;
}
