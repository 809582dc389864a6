/* safetensors_test - headers good and bad, files and shards. */
#include "store/safetensors.h"

#include "check.h"

#include <stdlib.h>
#include <unistd.h>

static void refused(const char *json, const char *why)
{
    StHeader h;
    Err e = {0};
    CHECK(st_parse(json, strlen(json), &h, &e) < 0);
    CHECK_TEXT(e.text, why);
}

#define T(offsets) "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" offsets "}"

static void test_bad(void)
{
    refused("", "begins with '{'");
    refused("[]", "begins with '{'");
    refused(" {}", "begins with '{'");
    refused("{", "begins with '{'"); /* too short for any JSON */
    refused("{\"", "JSON");
    refused("{} x", "JSON");
    refused("{\"a\":" T("[0,8]") ",\"a\":" T("[8,16]") "}", "duplicate");
    refused("{\"a\":" T("[0,8]") ",\"b\":" T("[4,12]") "}", "b begins at byte 4");
    refused("{\"a\":" T("[0,8]") ",\"b\":" T("[9,17]") "}", "b begins at byte 9");
    refused("{\"a\":" T("[1,9]") "}", "a begins at byte 1");
    refused("{\"a\":" T("[0,7]") "}", "takes 8 bytes");
    refused("{\"a\":" T("[8,0]") "}", "data_offsets");
    refused("{\"a\":" T("[-8,0]") "}", "data_offsets");
    refused("{\"a\":" T("[0.0,8]") "}", "data_offsets");
    refused("{\"a\":" T("[0]") "}", "data_offsets");
    refused("{\"a\":" T("[0,18446744073709551615]") "}", "data_offsets");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "data_offsets");
    refused("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", "shape");
    refused("{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", "dtype");
    refused("{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}", "F33");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,8]}}", "count");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}",
            "more than 8 axes");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],"
            "\"data_offsets\":[0,0]}}",
            "too large");
    refused("{\"a\":{\"dtype\":\"F64\",\"shape\":[999999999999999999,2],"
            "\"data_offsets\":[0,0]}}",
            "too large");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1099511627776,1099511627776,0],"
            "\"data_offsets\":[0,0]}}",
            "too large"); /* empty, but what of it is multiplied overflows */
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[0,9223372036854775808],"
            "\"data_offsets\":[0,0]}}",
            "count");
    refused("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            "duplicate");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,],\"data_offsets\":[0,8]}}", "count");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],}}", "JSON");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", "JSON");
    refused("{\"a\\u0000b\":" T("[0,8]") "}", "NUL");
    refused("{\"a\":" T("[0,8]") ",\"\\u0061\":" T("[8,16]") "}", "duplicate");
    refused("{\"a\":[[],[],[[[[[[[[]]]]]]]]]}", "no object");
    refused("{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", "duplicate");
    refused("{\"__metadata__\":{},\"__metadata__\":{}}", "duplicate");
    refused("{\"__metadata__\":{\"a\":\"\\ud800\"}}", "JSON");
    refused("{\"a\":3}", "dtype");
    refused("{\"__metadata__\":{\"a\":1}}", "no string");
    refused("{\"__metadata__\":[]}", "no object");
    refused("{\"__metadata__\":nul}", "no object");
    refused("{\"__metadata__\":null,\"__metadata__\":{}}", "duplicate");
}

static void test_good(void)
{
    static const char json[] =
        "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[8,9]},"
        "\"__metadata__\":{\"z\":\"1\",\"a\":\"2\"},"
        "\"none\":{\"dtype\":\"F32\",\"shape\":[0,99999999,9],"
        "\"new\":[{\"a\":[]},1],\"data_offsets\":[8,8]},"
        "\"one\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}   ";
    StHeader h;
    Err e = {0};
    CHECK(st_parse(json, strlen(json), &h, &e) == 0);
    CHECK_TEXT(e.text, "");
    CHECK(h.count == 3 && h.data == 9 && h.keys == 2);
    CHECK(strcmp(h.tensor[0].name, "one") == 0 && h.tensor[0].rank == 0);
    CHECK(strcmp(h.tensor[1].name, "none") == 0 && strcmp(h.tensor[2].name, "b") == 0);
    CHECK(strcmp(h.key[0], "z") == 0 && strcmp(h.value[1], "2") == 0);
    st_clear(&h);
    CHECK(st_parse("{}", 2, &h, &e) == 0 && h.count == 0 && h.data == 0);
    st_clear(&h);
    CHECK(st_parse("{\"__metadata__\":null}", 21, &h, &e) == 0 && h.keys == 0);
    st_clear(&h);
}

/* More tensors, or keys, than a header may have. */
static void test_many(void)
{
    Buf t = {0}, k = {0};
    buf_str(&t, "{\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");
    for (int i = 0; i < ST_TENSORS_MAX; i++)
        buf_fmt(&t, ",\"%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", i);
    buf_str(&t, "}");
    buf_str(&k, "{\"__metadata__\":{\"x\":\"\"");
    for (int i = 0; i < ST_KEYS_MAX; i++)
        buf_fmt(&k, ",\"%d\":\"\"", i);
    buf_add(&k, "}}", 3);
    refused(k.p, "more than 10000 keys");
    buf_add(&t, "", 1);
    refused(t.p, "more than 1000000 tensors");
    free(t.p);
    free(k.p);
}

static void test_names(void)
{
    char *key[] = {"quote\" \\ \n"}, *value[] = {"caf\xc3\xa9 \xff|"};
    StTensor t = {.name = "\xe2\x82\xac", .type = DT_BF16, .rank = 1, .shape = {3}, .end = 6};
    StHeader h = {.tensor = &t, .count = 1, .key = key, .value = value, .keys = 1}, back;
    Buf b = {0};
    Err e = {0};
    st_format(&h, &b);
    CHECK(b.n % 8 == 0 && (size_t)(unsigned char)b.p[0] == b.n - 8);
    CHECK(strncmp(b.p + 8, "{\"__metadata__\":{", 17) == 0);
    CHECK(st_parse(b.p + 8, b.n - 8, &back, &e) == 0);
    CHECK(strcmp(back.key[0], key[0]) == 0);
    CHECK(strcmp(back.value[0], "caf\xc3\xa9 \xef\xbf\xbd|") == 0);
    CHECK(strcmp(back.tensor[0].name, t.name) == 0 && back.tensor[0].type == DT_BF16);
    st_clear(&back);
    free(b.p);
}

static void put_file(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(p, 1, n, f) == n);
    if (f)
        fclose(f);
}

static void test_file(void)
{
    static const float f[] = {1, 2, 3};
    static const uint8_t u[] = {7};
    StView v,
        t[] = {{"u", DT_U8, 1, (int64_t[]){1}, u, 1}, {"f", DT_F32, 1, (int64_t[]){3}, f, 12}};
    Err e = {0};
    CHECK(st_write("a.safetensors", t, 2, (char *[]){"k"}, (char *[]){"v"}, 1, &e) == 0);
    StFile *s = st_open("a.safetensors", &e);
    CHECK(s && st_count(s) == 2);
    CHECK_TEXT(e.text, "");
    if (!s)
        return;
    CHECK(strcmp(st_at(s, 0).name, "f") == 0); /* falling size of elements */
    CHECK(st_find(s, "u", &v) == 0 && v.bytes == 1 && *(const uint8_t *)v.data == 7);
    CHECK(st_find(s, "f", &v) == 0 && memcmp(v.data, f, 12) == 0 && v.shape[0] == 3);
    CHECK(st_find(s, "x", &v) < 0);
    CHECK(strcmp(st_meta(s, "k"), "v") == 0 && !st_meta(s, "x"));
    uint64_t size = st_bytes(s);
    st_close(s);
    for (uint64_t n = 0; n < size; n++) { /* cut anywhere, it is refused */
        CHECK(truncate("a.safetensors", (off_t)(size - 1 - n)) == 0);
        e.text[0] = '\0';
        CHECK(!st_open("a.safetensors", &e));
        CHECK_TEXT(e.text, "a.safetensors: ");
    }
    CHECK(!st_open("none.safetensors", &e));
    CHECK_TEXT(e.text, "No such file");
    CHECK(!st_open(".", &e));
}

static void write_index(const char *json)
{
    put_file("m.safetensors.index.json", json, strlen(json));
}

static void bad_index(const char *json, const char *why)
{
    Err e = {0};
    write_index(json);
    CHECK(!st_open("m.safetensors.index.json", &e));
    CHECK_TEXT(e.text, why);
}

#define BOTH(a, b) "\"weight_map\":{\"a\":\"" a ".safetensors\",\"b\":\"" b ".safetensors\"}"

static void test_shards(void)
{
    static const float f[] = {1, 2};
    StView v, a = {"a", DT_F32, 1, (int64_t[]){1}, f, 4};
    StView b = {"b", DT_F32, 1, (int64_t[]){1}, f + 1, 4};
    Err e = {0};
    CHECK(st_write("m-1.safetensors", &b, 1, NULL, NULL, 0, &e) == 0);
    CHECK(st_write("m-2.safetensors", &a, 1, NULL, NULL, 0, &e) == 0);
    write_index("{\"metadata\":{}," BOTH("m-2", "m-1") "}");
    StFile *s = st_open("m.safetensors.index.json", &e);
    CHECK(s && st_count(s) == 2 && strcmp(st_at(s, 0).name, "b") == 0);
    CHECK_TEXT(e.text, "");
    CHECK(s && st_find(s, "a", &v) == 0 && *(const float *)v.data == 1);
    st_close(s);
    bad_index("{\"weight_map\":{\"a\":\"../m-2.safetensors\"}}", "not one of this folder");
    bad_index("{\"weight_map\":{\"a\":3}}", "not one of this folder");
    bad_index("{\"weight_map\":{\"c\":\"m-2.safetensors\"}}", "c is not in m-2");
    bad_index("{" BOTH("m-1", "m-2") "}", "is not in");
    bad_index("{\"weight_map\":{\"a\":\"m-3.safetensors\"}}", "m-3.safetensors: cannot open");
    bad_index("{\"weight_map\":{}}", "no weight_map");
    bad_index("{", "m.safetensors.index.json: ");
    CHECK(st_write("m-1.safetensors", &a, 1, NULL, NULL, 0, &e) == 0);
    bad_index("{" BOTH("m-2", "m-1") "}", "and in");
}

int main(void)
{
    own_folder();
    test_bad();
    test_good();
    test_many();
    test_names();
    test_file();
    test_shards();
    return checked();
}
