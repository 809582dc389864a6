/* parts_test.c - parts of a tokenizer.json put together anew (tests/golden/tok/parts.json): ids,
 * spans and words against what the reference said (tests/oracle/parts.py).
 *
 *     parts_test [NAME]...     those alone
 */
#include "tests/unit/drawn.h"

#include "model/model_tokenizer.h"

#include <inttypes.h>
#include <sys/stat.h>

enum { WORDS = 2000 };

/* The base's tokenizer.json with the members set, as ./NAME/tokenizer.json. */
static char *compose(const json_t *spec)
{
    const char *name = json_string_value(json_object_get(spec, "name"));
    const char *base = json_string_value(json_object_get(spec, "base")), *key;
    char *part = mem_fmt("models/%s/tokenizer.json", base), *path = golden(part);
    char *file = mem_fmt("%s/tokenizer.json", name);
    json_t *t = json_load_file(path, 0, NULL), *value;
    json_object_foreach(json_object_get(spec, "set"), key, value) {
        if (strcmp(key, "model") == 0)
            json_object_update(json_object_get(t, key), value);
        else
            json_object_set(t, key, value);
    }
    json_object_set_new(t, "truncation", json_null());
    mkdir(name, 0777);
    CHECK(json_dump_file(t, file, JSON_COMPACT) == 0);
    json_decref(t);
    free(file);
    free(path);
    free(part);
    return mem_str(name);
}

static void digest_words(Digest *d, const Pool *p)
{
    Buf b = {0};
    for (uint64_t i = 0; i < WORDS; i++) {
        Tokens *k = &d->tokens;
        int32_t span[2];
        draw(p, i, &b);
        k->n = 0;
        tokenizer_encode(d->t, d->w, str_of(b.p, b.n), 0, k);
        for (size_t j = 0; j < k->n; j++) {
            if (k->span[j][0] >= k->span[j][1])
                continue;
            tokenizer_word(d->t, d->w, str_of(b.p, b.n), k->span[j][0], k->span[j][1], span);
            d->hash = fnv(fnv(d->hash, span[0]), span[1]);
        }
    }
    free(b.p);
}

static void compare(const json_t *spec, const Pool *pool)
{
    char *folder = compose(spec), *path = golden("tok/parts-digests.tsv"), name[64], set[16];
    Err e = {0};
    Tokenizer *t = model_tokenizer(folder, &e);
    FILE *f = fopen(path, "re");
    uint32_t first;
    uint64_t want;
    int blocks = 0;
    CHECK_TEXT(e.text, "");
    if (!t)
        fprintf(stderr, "%s\n", e.text);
    CHECK(t != NULL);
    Digest d = {.t = t, .w = t ? tokwork_new(t) : NULL};
    while (t && f && fscanf(f, "%63s %15s %" SCNx32 " %" SCNx64, name, set, &first, &want) == 4) {
        if (strcmp(name, folder) != 0)
            continue;
        d.hash = 0xcbf29ce484222325u;
        if (strcmp(set, "points") == 0)
            digest_points(&d, first);
        else if (strcmp(set, "drawn") == 0)
            digest_drawn(&d, pool, first);
        else
            digest_words(&d, pool);
        if (d.hash != want)
            fprintf(stderr, "%s: %s from %" PRIx32 " differ\n", name, set, first);
        CHECK(d.hash == want);
        blocks++;
    }
    CHECK(!t || blocks > 0);
    if (f)
        fclose(f);
    tokens_free(&d.tokens);
    tokwork_free(d.w);
    tokenizer_free(t);
    free(path);
    free(folder);
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    bool wanted = argc < 2;
    for (int i = 1; i < argc; i++)
        wanted |= strcmp(argv[i], name) == 0;
    return wanted;
}

int main(int argc, char **argv)
{
    char *path = golden("tok/parts.json");
    json_t *specs = json_load_file(path, 0, NULL);
    Pool pool = pool_read();
    own_folder();
    CHECK(json_array_size(specs) > 0);
    for (size_t i = 0; i < json_array_size(specs); i++) {
        const json_t *spec = json_array_get(specs, i);
        if (is_wanted(json_string_value(json_object_get(spec, "name")), argc, argv))
            compare(spec, &pool);
    }
    json_decref(pool.list);
    json_decref(specs);
    free(path);
    return checked();
}
