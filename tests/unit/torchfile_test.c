/* torchfile_test - archives of torch.save, good and bad. */
#include "base/mem.h"
#include "store/pickle.h"
#include "store/torchfile.h"

#include "check.h"

#include <stdbool.h>
#include <zip.h>

/* ---- the dictionary ---- */

#define TEXT(length, text) "X" length "\0\0\0" text
#define STORAGE(type, key, count)                                                                  \
    "(" TEXT("\7", "storage") "ctorch\n" type "\n" TEXT("\1", key) TEXT("\3", "cpu") count "tQ"
#define REBUILD "ctorch._utils\n_rebuild_tensor_v2\n"
#define DICT "ccollections\nOrderedDict\n)R"
/* 4 numbers, of which the tensor [2, 2] is all */
#define TENSOR                                                                                     \
    REBUILD "(" STORAGE("FloatStorage", "0", "K\4") "K\0K\2K\2\206K\2K\1\206\211" DICT "tR"
#define HEAD "\200\2"

static void refused_bytes(const char *bytes, size_t n, const char *why)
{
    PickleDict d;
    Err e = {0};
    CHECK(pickle_read(bytes, n, &d, &e) < 0);
    CHECK_TEXT(e.text, why);
    pickle_clear(&d);
}

#define REFUSED(bytes, why) refused_bytes(bytes, sizeof(bytes) - 1, why)
/* A tensor [shape] with these strides and this offset, of 4 numbers. */
#define SHAPED(offset, shape, stride)                                                              \
    HEAD "}" TEXT("\1", "a") REBUILD "(" STORAGE("FloatStorage", "0", "K\4") offset shape stride   \
        "\211" DICT "tRs."

static void test_bad(void)
{
    REFUSED("", "broken");
    REFUSED(HEAD, "broken");
    REFUSED(HEAD ".", "broken");
    REFUSED(HEAD "}.", "no tensors");
    REFUSED(HEAD "K\1.", "broken");
    REFUSED("\200\4}.", "protocol 4");
    REFUSED(HEAD "cposix\nsystem\n.", "posix.system is not part of a tensor dictionary");
    REFUSED(HEAD "c__builtin__\neval\n.", "__builtin__.eval is not part");
    REFUSED(HEAD "ctorch\nload\n.", "torch.load is not part");
    REFUSED(HEAD "cposix", "broken");
    REFUSED(HEAD "iposix\nsystem\n.", "instruction 0x69");
    REFUSED(HEAD "}\201.", "instruction 0x81");
    REFUSED(HEAD "\202\1.", "instruction 0x82");
    REFUSED(HEAD "P1\n.", "instruction 0x50");
    REFUSED(HEAD "ccollections\nOrderedDict\nK\1\205R.", "OrderedDict with these arguments");
    REFUSED(HEAD "ctorch\nFloatStorage\n)R.", "FloatStorage with these arguments");
    REFUSED(HEAD "K\1)R.", "broken");
    REFUSED(HEAD "t.", "broken");
    REFUSED(HEAD "(Q.", "broken");
    REFUSED(HEAD "K\1\207.", "broken");
    REFUSED(HEAD "h\0.", "broken");
    REFUSED(HEAD "}r\377\377\377\377.", "broken");
    REFUSED(HEAD "}X\377\377\377\377a", "broken");
    REFUSED(HEAD "}" TEXT("\3", "a\0b") "K\1s.", "broken");
    REFUSED(HEAD "}(K\1u.", "broken");
    REFUSED(HEAD "\212\11\1\1\1\1\1\1\1\1\1.", "broken");
    REFUSED(HEAD "}" TEXT("\1", "a") TENSOR "s" TEXT("\1", "a") TENSOR "s.", "a is there twice");
    REFUSED(HEAD "}" TEXT("\1", "a") TENSOR "s" STORAGE("FloatStorage", "0", "K\5") "0.", "broken");
    REFUSED(HEAD "}" TEXT("\1", "a") TENSOR "s" STORAGE("HalfStorage", "0", "K\4") "0.", "broken");
    REFUSED(SHAPED("K\1", "K\2K\2\206", "K\2K\1\206"), "beyond its storage");
    REFUSED(SHAPED("K\0", "K\2K\2\206", "K\3K\1\206"), "beyond its storage");
    REFUSED(SHAPED("K\0", "K\5\205", "K\0\205"), "beyond its storage");
    REFUSED(SHAPED("J\377\377\377\377", "K\1\205", "K\1\205"), "beyond its storage");
    REFUSED(SHAPED("K\0", "K\2K\2\206", "K\1\205"), "broken");
    REFUSED(SHAPED("K\0", "J\377\377\377\377\205", "K\1\205"), "broken");
    REFUSED(SHAPED("K\0", "K\2\205", "J\377\377\377\377\205"), "broken");
    REFUSED(SHAPED("K\0", "\212\10\377\377\377\377\377\377\377\177K\2\206", "K\2K\1\206"),
            "beyond its storage");
    REFUSED(SHAPED("K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t"),
            "9 axes");
}

static void test_good(void)
{
    static const char bytes[] = HEAD "}q\0(" TEXT("\1", "a") "q\1" TENSOR "q\2" TEXT(
        "\1", "b") "h\2" TEXT("\4", "step") "M\1\1u}" TEXT("\4", "_met") DICT "sb.";
    PickleDict d;
    Err e = {0};
    CHECK(pickle_read(bytes, sizeof bytes - 1, &d, &e) == 0);
    CHECK_TEXT(e.text, "");
    CHECK(d.tensors == 2 && d.storages == 1 && strcmp(d.tensor[1].name, "b") == 0);
    CHECK(d.tensor[0].rank == 2 && d.tensor[0].shape[0] == 2 && d.tensor[0].stride[0] == 2);
    CHECK(d.storage[0].count == 4 && d.storage[0].type == DT_F32);
    pickle_clear(&d);
    for (size_t n = 0; n + 1 < sizeof bytes - 1; n++) { /* every way to end early */
        CHECK(pickle_read(bytes, n, &d, &e) < 0);
        pickle_clear(&d);
    }
}

/* Storages and look-ups of them by the tens of thousands: each by its name, in no long time. */
static void test_many(void)
{
    enum { STORAGES = 60000, AGAIN = 100000, STEPS = 1 << 21 };
    Buf b = {0};
    PickleDict d;
    Err e = {0};
    buf_add(&b, HEAD "}", 3);
    for (int i = 0; i < STORAGES + AGAIN; i++) {
        int n = i < STORAGES ? i : STORAGES - 1;
        char key[16];
        int len = snprintf(key, sizeof key, "%d", n);
        buf_add(&b, "(X\7\0\0\0storagectorch\nFloatStorage\nX", 34);
        buf_add(&b, (char[]){(char)len, 0, 0, 0}, 4);
        buf_add(&b, key, (size_t)len);
        buf_add(&b, "X\3\0\0\0cpuK\1tQ", 12);
    }
    CHECK(pickle_read(b.p, b.n, &d, &e) < 0 && d.storages == STORAGES);
    CHECK_TEXT(e.text, "broken"); /* it has no end */
    pickle_clear(&d);
    b.n = 2;
    memset(buf_room(&b, STEPS), ')', STEPS);
    b.n += STEPS - 1;
    refused_bytes(b.p, b.n, "broken");
    b.n++;
    refused_bytes(b.p, b.n, "more than 2097152 instructions");
    free(b.p);
}

/* One long name for many tensors is refused before it is copied for each. */
static void test_long_name(void)
{
    enum { LONG = 1 << 20, ITEMS = 1 << 16 };
    Buf b = {0};
    buf_add(&b, HEAD "}X\0\0\20\0", 8);
    memset(buf_room(&b, LONG), 'n', LONG);
    b.n += LONG;
    buf_add(&b, "q\0" TENSOR "q\1s(", sizeof TENSOR + 5);
    for (int i = 0; i < ITEMS; i++)
        buf_add(&b, "h\0h\1", 4);
    buf_add(&b, "u.", 2);
    refused_bytes(b.p, b.n, "nnn is there twice");
    free(b.p);
}

/* ---- archives ---- */

static const char one[] = HEAD "}" TEXT("\1", "a") TENSOR "s.";

typedef struct Member {
    const char *name, *bytes;
    size_t n;
    bool compressed;
} Member;

static void archive(const char *path, const Member *m, int n)
{
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    for (int i = 0; i < n; i++) {
        zip_source_t *from = zip_source_buffer(z, m[i].bytes, m[i].n, 0);
        zip_uint64_t at = (zip_uint64_t)zip_file_add(z, m[i].name, from, 0);
        zip_set_file_compression(z, at, m[i].compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
    }
    CHECK(zip_close(z) == 0);
}

static void refused(const char *path, const char *why)
{
    Err e = {0};
    TorchFile *f = torch_open(path, &e);
    CHECK(!f);
    CHECK_TEXT(e.text, path);
    CHECK_TEXT(e.text, why);
    torch_close(f);
}

static void test_archives(void)
{
    static const char four[16] = "";
    const Member data = {"x/data.pkl", one, sizeof one - 1, false};
    const Member numbers = {"x/data/0", four, 16, false}, few = {"x/data/0", four, 12, false};
    const Member packed = {"x/data/0", four, 16, true}, big = {"x/byteorder", "big", 3, false};
    Err e = {0};
    StView v;
    archive("good.bin", (Member[]){data, numbers}, 2);
    TorchFile *f = torch_open("good.bin", &e);
    CHECK(f && torch_count(f) == 1 && torch_find(f, "a", &v) == 0 && torch_find(f, "b", &v) < 0);
    CHECK(f && v.bytes == 16 && torch_read(f, &v, &e) == 0 && memcmp(v.data, four, 16) == 0);
    torch_close(f);
    archive("bad.bin", &data, 1);
    refused("bad.bin", "it has no data/0");
    archive("bad.bin", &numbers, 1);
    refused("bad.bin", "it has no data.pkl");
    archive("bad.bin", (Member[]){data, few}, 2);
    refused("bad.bin", "data/0 has 12 bytes, but is to hold 4 numbers of type F32");
    archive("bad.bin", (Member[]){data, packed}, 2);
    refused("bad.bin", "data/0 is compressed");
    archive("bad.bin", (Member[]){data, numbers, big}, 3);
    refused("bad.bin", "byte order 'big'");
    refused("absent.bin", "cannot open");
    archive("part.bin", (Member[]){data, numbers}, 2);
    FILE *o = fopen("x.bin.index.json", "w");
    fputs("{\"weight_map\": {\"a\": \"good.bin\", \"b\": \"part.bin\"}}", o);
    fclose(o);
    CHECK(!torch_open("x.bin.index.json", &e));
    CHECK_TEXT(e.text, "a is in good.bin and in part.bin");
    o = fopen("x.bin.index.json", "w");
    fputs("{\"weight_map\": {\"a\": \"good.bin\", \"b\": \"good.bin\"}}", o);
    fclose(o);
    CHECK(!torch_open("x.bin.index.json", &e));
    CHECK_TEXT(e.text, "b is not in good.bin");
}

/* ---- what torch wrote ---- */

static char *golden(const char *name)
{
    const char *top = getenv("TOP");
    return mem_fmt("%s/tests/golden/torch/%s", top ? top : ".", name);
}

static void test_mixed(const char *name)
{
    char *path = golden(name), *same = golden("mixed.safetensors");
    Err e = {0};
    TorchFile *f = torch_open(path, &e);
    StFile *s = st_open(same, &e);
    CHECK_TEXT(e.text, "");
    CHECK(f && s && torch_count(f) == st_count(s) && torch_count(f) == 18);
    for (int i = 0; f && s && i < torch_count(f); i++) {
        StView got = torch_at(f, i), want;
        CHECK(st_find(s, got.name, &want) == 0);
        CHECK(got.type == want.type && got.rank == want.rank && got.bytes == want.bytes);
        CHECK(memcmp(got.shape, want.shape, (size_t)got.rank * sizeof *got.shape) == 0);
        CHECK(torch_read(f, &got, &e) == 0 && memcmp(got.data, want.data, want.bytes) == 0);
    }
    st_close(s);
    torch_close(f);
    free(path);
    free(same);
}

static void store(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

static void test_refused(void)
{
    /* how a file of PyTorch before 1.6 begins: the magic number, pickled */
    static const char old[] = "\200\2\212\nl\374\234F\371 j\250P\31.\200\2M\351\3.";
    char *evil = golden("evil.bin");
    store("old.bin", old, sizeof old - 1);
    refused("old.bin", "the dictionary of tensors is broken");
    store("old.bin", old, 15); /* its number alone */
    refused("old.bin", "another pickle");
    refused(evil, "posix.system is not part of a tensor dictionary");
    free(evil);
}

/* Cut short it is refused; with a byte changed it is refused or read, whatever it then says. */
static void test_damage(const char *name)
{
    char *path = golden(name), *bytes = mem_alloc(1 << 16);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(bytes, 1, 1 << 16, f) : 0;
    CHECK(n > 1000 && n < 1 << 16);
    for (size_t cut = 0; cut < n; cut += 61) {
        store("cut.bin", bytes, cut);
        refused("cut.bin", "cut.bin");
    }
    for (size_t at = 0; at < n; at += 3) {
        Err e = {0};
        bytes[at] ^= (char)(1 << at % 8);
        store("changed.bin", bytes, n);
        bytes[at] ^= (char)(1 << at % 8);
        TorchFile *t = torch_open("changed.bin", &e);
        for (int i = 0; t && i < torch_count(t); i++) {
            StView v = torch_at(t, i);
            CHECK(torch_read(t, &v, &e) == 0 || e.text[0]);
        }
        CHECK(t || e.text[0]);
        torch_close(t);
    }
    if (f)
        fclose(f);
    free(bytes);
    free(path);
}

int main(void)
{
    own_folder();
    test_bad();
    test_good();
    test_many();
    test_long_name();
    test_archives();
    test_mixed("mixed.bin");
    test_mixed("old.bin");
    test_refused();
    test_damage("mixed.bin");
    test_damage("old.bin");
    return checked();
}
