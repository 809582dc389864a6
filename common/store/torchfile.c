#include "store/torchfile.h"

#include "base/mem.h"
#include "store/filekind.h"
#include "store/mapfile.h"
#include "store/pickle.h"
#include "store/shards.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

enum { MOST_PICKLE = 8 << 20 }; /* bytes of a dictionary: some 50,000 tensors */

typedef struct Part {  /* one archive */
    char *path, *root; /* the folder that all its files are in */
    zip_t *zip;
    uint64_t size;
    PickleDict dict;
    void **data; /* of each storage, once it is read */
    Str old;     /* a file of PyTorch before 1.6, mapped: `data` points into it */
} Part;

typedef struct Entry {
    const PickleTensor *tensor;
    Part *part;
    void *dense; /* a copy of what does not lie so in its storage */
} Entry;

struct TorchFile {
    Part *part;
    int parts;
    Entry *entry; /* in order of names */
    int count;
};

/* ---- one archive ---- */

/* Where libzip has no memory nobody goes on without it, as where we have none. */
static void check_memory(int code)
{
    if (code == ZIP_ER_MEMORY || (code == ZIP_ER_OPEN && errno == ENOMEM))
        mem_got(NULL, 0);
}

static int zip_failed(Part *p, const char *what, Err *e)
{
    check_memory(zip_error_code_zip(zip_get_error(p->zip)));
    return err_set(e, "%s: %s", what, zip_strerror(p->zip));
}

/* What there is in the archive's place; 1: a file of PyTorch before 1.6. */
static int no_zip(int fd, Err *e)
{
    char begins[FILEKIND_BYTES];
    ssize_t n = pread(fd, begins, sizeof begins, 0);
    Str s = str_of(begins, n > 0 ? (size_t)n : 0);
    if (pickle_is_old(s.p, s.n))
        return 1;
    if (filekind_check(s, e) < 0)
        return -1;
    const char *other = filekind_weights(s);
    if (other && *begins != 'P') /* as archives begin: it is none to its end */
        return err_set(e,
                       "neither a zip archive of torch.save nor what it wrote before PyTorch "
                       "1.6, but %s",
                       *begins == '\x80' ? "another pickle: save the weights as safetensors"
                                         : other);
    return err_set(e, "no zip archive of torch.save (which PyTorch 1.6 and later write): was it "
                      "fetched in full?");
}

/* 1: a file of PyTorch before 1.6 */
static int open_zip(Part *p, const char *path, Err *e)
{
    int code = 0, fd = file_open(path, &p->size, e);
    if (fd < 0)
        return -1;
    p->zip = zip_fdopen(fd, ZIP_RDONLY, &code); /* closes it */
    if (p->zip)
        return 0;
    check_memory(code);
    int old =
        code == ZIP_ER_NOZIP || code == ZIP_ER_INCONS || code == ZIP_ER_EOF ? no_zip(fd, e) : 0;
    close(fd);
    if (old)
        return old;
    zip_error_t why;
    zip_error_init_with_code(&why, code);
    err_set(e, "%s", zip_error_strerror(&why));
    zip_error_fini(&why);
    return -1;
}

/* The place of ROOT/NAME, which lies there as it is; `bytes` is its size. */
static int64_t find_file(Part *p, const char *name, uint64_t *bytes, Err *e)
{
    zip_stat_t st;
    char *full = mem_fmt("%s/%s", p->root, name);
    int64_t at = zip_name_locate(p->zip, full, 0);
    free(full);
    if (at < 0) {
        check_memory(zip_error_code_zip(zip_get_error(p->zip)));
        return err_set(e, "it has no %.100s: was it fetched in full?", name);
    }
    if (zip_stat_index(p->zip, (zip_uint64_t)at, 0, &st) < 0)
        return zip_failed(p, name, e);
    if (st.comp_method != ZIP_CM_STORE || st.encryption_method != ZIP_EM_NONE)
        return err_set(e, "%.100s is compressed, which torch.save does not do: save it anew", name);
    if (st.size > p->size)
        return err_set(e, "%.100s would have %" PRIu64 " bytes, but the whole file has %" PRIu64,
                       name, st.size, p->size);
    *bytes = st.size;
    return at;
}

static int read_at(Part *p, int64_t at, void *to, uint64_t bytes, const char *name, Err *e)
{
    zip_file_t *f = zip_fopen_index(p->zip, (zip_uint64_t)at, 0);
    uint64_t got = 0;
    if (!f)
        return zip_failed(p, name, e);
    while (got <= bytes) { /* one read beyond, which checks the sum */
        zip_int64_t n = zip_fread(f, (char *)to + got, bytes > got ? bytes - got : 1);
        if (n <= 0)
            break;
        got += (uint64_t)n;
    }
    int code = zip_error_code_zip(zip_file_get_error(f));
    check_memory(code);
    const char *why = zip_error_strerror(zip_file_get_error(f));
    bool bad = code != ZIP_ER_OK;
    if (bad || got != bytes)
        err_set(e, "%.100s: %s", name, bad ? why : "it ends early: was it fetched in full?");
    zip_fclose(f);
    return bad || got != bytes ? -1 : 0;
}

/* ROOT/NAME into memory. */
static char *read_file(Part *p, const char *name, uint64_t most, uint64_t *bytes, Err *e)
{
    int64_t at = find_file(p, name, bytes, e);
    if (at < 0)
        return NULL;
    if (*bytes > most) {
        err_set(e, "%s has %" PRIu64 " bytes: at most %" PRIu64, name, *bytes, most);
        return NULL;
    }
    char *to = mem_alloc((size_t)*bytes + 1);
    if (read_at(p, at, to, *bytes, name, e) == 0)
        return to;
    free(to);
    return NULL;
}

/* The folder in the archive: whatever the file was called when it was saved. */
static int find_root(Part *p, Err *e)
{
    static const char tail[] = "/data.pkl";
    zip_int64_t n = zip_get_num_entries(p->zip, 0);
    for (zip_int64_t i = 0; i < n; i++) {
        const char *name = zip_get_name(p->zip, (zip_uint64_t)i, 0), *slash;
        if (name && (slash = strchr(name, '/')) && strcmp(slash, tail) == 0) {
            p->root = mem_strn(name, (size_t)(slash - name));
            return 0;
        }
        if (!name)
            check_memory(zip_error_code_zip(zip_get_error(p->zip)));
    }
    return err_set(e, "it has no data.pkl: no archive of torch.save");
}

static int check_order(Part *p, Err *e)
{
    uint64_t n;
    char *name = mem_fmt("%s/byteorder", p->root);
    bool there = zip_name_locate(p->zip, name, 0) >= 0; /* torch.save tells since 2.1 */
    free(name);
    if (!there && zip_error_code_zip(zip_get_error(p->zip)) != ZIP_ER_NOENT)
        return zip_failed(p, "byteorder", e);
    if (!there)
        return 0;
    char *order = read_file(p, "byteorder", 16, &n, e);
    int status = order ? 0 : -1;
    if (order && (n != 6 || memcmp(order, "little", 6) != 0))
        status =
            err_set(e, "its numbers have the byte order '%.*s': little is read", (int)n, order);
    free(order);
    return status;
}

/* Every storage is there in its length, and no byte of the file is two of them. */
static int check_storages(Part *p, Err *e)
{
    uint64_t all = 0;
    for (int i = 0; i < p->dict.storages; i++) {
        const PickleStorage *s = &p->dict.storage[i];
        uint64_t bytes;
        int64_t want;
        char *name = mem_fmt("data/%s", s->key);
        int status = find_file(p, name, &bytes, e) < 0 ? -1 : 0;
        if (status == 0 && (__builtin_mul_overflow(s->count, (int64_t)dtype_size(s->type), &want) ||
                            (uint64_t)want != bytes))
            status = err_set(
                e, "%.100s has %" PRIu64 " bytes, but is to hold %" PRId64 " numbers of type %s",
                name, bytes, s->count, dtype_name(s->type));
        all += status < 0 ? 0 : bytes;
        if (status == 0 && all > p->size)
            status = err_set(e, "its parts are larger than the file");
        free(name);
        if (status < 0)
            return -1;
    }
    p->data = mem_zero((size_t)p->dict.storages, sizeof *p->data);
    return 0;
}

/* The storages of an old file: 8 bytes with how many numbers, and these. */
static int place_storages(Part *p, size_t at, Err *e)
{
    p->data = mem_zero((size_t)p->dict.storages, sizeof *p->data);
    for (int i = 0; i < p->dict.storages; i++) {
        const PickleStorage *s = &p->dict.storage[p->dict.order[i]];
        size_t size = dtype_size(s->type), left = p->old.n - at;
        uint64_t count = 0;
        for (int k = 7; k >= 0 && left >= 8; k--)
            count = count << 8 | (unsigned char)p->old.p[at + (size_t)k];
        if (left < 8 || (left - 8) / size < (uint64_t)s->count)
            return err_set(e, "it ends within its numbers: was it fetched in full?");
        if (count != (uint64_t)s->count)
            return err_set(e, "a storage has %" PRIu64 " numbers, but is to hold %" PRId64, count,
                           s->count);
        p->data[p->dict.order[i]] = (void *)(uintptr_t)(p->old.p + at + 8);
        at += 8 + (size_t)count * size;
    }
    return 0;
}

static int open_old(Part *p, const char *path, Err *e)
{
    size_t used = 0;
    if (mapfile_open(path, (size_t)1 << 46, &p->old, e) < 0)
        return -1;
    size_t n = p->old.n < MOST_PICKLE ? p->old.n : MOST_PICKLE;
    return pickle_read_old(p->old.p, n, &p->dict, &used, e) < 0 ? -1 : place_storages(p, used, e);
}

static int open_part(Part *p, const char *path, Err *e)
{
    uint64_t n;
    int old = open_zip(p, path, e);
    if (old == 1)
        return open_old(p, path, e);
    if (old < 0 || find_root(p, e) < 0 || check_order(p, e) < 0)
        return -1;
    char *pickle = read_file(p, "data.pkl", MOST_PICKLE, &n, e);
    int status = pickle ? pickle_read(pickle, (size_t)n, &p->dict, e) : -1;
    free(pickle);
    return status < 0 ? -1 : check_storages(p, e);
}

static int add_part(TorchFile *f, const char *path, Err *e)
{
    f->part = mem_resize(f->part, (size_t)f->parts + 1, sizeof *f->part);
    Part *p = &f->part[f->parts++];
    *p = (Part){.path = mem_str(path)};
    if (open_part(p, path, e) < 0)
        return err_at(e, "%s", path);
    f->count += p->dict.tensors;
    return 0;
}

/* ---- all of them ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const Entry *)a)->tensor->name, ((const Entry *)b)->tensor->name);
}

static int list_tensors(TorchFile *f, Err *e)
{
    int n = 0;
    f->entry = mem_array((size_t)f->count, sizeof *f->entry);
    for (int i = 0; i < f->parts; i++)
        for (int k = 0; k < f->part[i].dict.tensors; k++)
            f->entry[n++] = (Entry){&f->part[i].dict.tensor[k], &f->part[i], NULL};
    qsort(f->entry, (size_t)n, sizeof *f->entry, by_name);
    for (int i = 1; i < n; i++)
        if (by_name(&f->entry[i - 1], &f->entry[i]) == 0)
            return err_set(e, "%.100s is in %.100s and in %.100s", f->entry[i].tensor->name,
                           f->entry[i - 1].part->path, f->entry[i].part->path);
    return 0;
}

static Entry *find(const TorchFile *f, const char *name)
{
    PickleTensor like = {.name = (char *)name};
    return bsearch(&(Entry){&like, NULL, NULL}, f->entry, (size_t)f->count, sizeof *f->entry,
                   by_name);
}

static int read_index(TorchFile *f, const char *path, Err *e)
{
    Shards s;
    const char *key;
    json_t *file;
    int status = shards_read(path, &s, e);
    for (int i = 0; i < s.count && status == 0; i++)
        status = add_part(f, s.path[i], e);
    if (status == 0)
        status = list_tensors(f, e);
    json_object_foreach(s.map, key, file) {
        if (status == 0 && !find(f, key))
            status = err_set(e, "%s: %.100s is not in %.100s", path, key, json_string_value(file));
    }
    shards_clear(&s);
    return status;
}

TorchFile *torch_open(const char *path, Err *e)
{
    static const char index[] = ".index.json";
    TorchFile *f = mem_zero(1, sizeof *f);
    size_t n = strlen(path), m = sizeof index - 1;
    int status;
    if (n > m && strcmp(path + n - m, index) == 0)
        status = read_index(f, path, e);
    else if ((status = add_part(f, path, e)) == 0)
        status = list_tensors(f, e);
    if (status == 0)
        return f;
    torch_close(f);
    return NULL;
}

int torch_count(const TorchFile *f)
{
    return f->count;
}

static DType type_of(const Entry *en)
{
    return en->part->dict.storage[en->tensor->storage].type;
}

StView torch_at(const TorchFile *f, int i)
{
    const PickleTensor *t = f->entry[i].tensor;
    StView v = {.name = t->name, .type = type_of(&f->entry[i]), .rank = t->rank, .shape = t->shape};
    v.bytes = dtype_size(v.type);
    for (int k = 0; k < v.rank; k++)
        v.bytes *= (size_t)v.shape[k];
    return v;
}

int torch_find(const TorchFile *f, const char *name, StView *v)
{
    const Entry *en = find(f, name);
    if (!en)
        return -1;
    *v = torch_at(f, (int)(en - f->entry));
    return 0;
}

/* ---- numbers ---- */

static void *read_storage(Part *p, int i, Err *e)
{
    const PickleStorage *s = &p->dict.storage[i];
    if (!p->data[i]) {
        uint64_t bytes;
        char *name = mem_fmt("data/%s", s->key);
        p->data[i] = read_file(p, name, UINT64_MAX, &bytes, e);
        free(name);
        if (!p->data[i])
            err_at(e, "%s", p->path);
    }
    return p->data[i];
}

static bool is_dense(const PickleTensor *t)
{
    int64_t next = 1;
    for (int i = t->rank; i-- > 0; next *= t->shape[i])
        if (t->shape[i] != 1 && t->stride[i] != next)
            return false;
    return true;
}

/* Its numbers one after the other, wherever they lie. */
static void *gather(const PickleTensor *t, const char *from, size_t size, size_t bytes)
{
    int64_t at[ST_RANKS] = {0}, place = t->offset;
    char *dense = mem_alloc(bytes);
    for (size_t to = 0; to < bytes; to += size) {
        memcpy(dense + to, from + (size_t)place * size, size);
        for (int i = t->rank; i-- > 0;) {
            place += t->stride[i];
            if (++at[i] < t->shape[i])
                break;
            place -= t->stride[i] * t->shape[i];
            at[i] = 0;
        }
    }
    return dense;
}

int torch_read(TorchFile *f, StView *v, Err *e)
{
    Entry *en = find(f, v->name);
    const PickleTensor *t = en->tensor;
    size_t size = dtype_size(v->type);
    char *storage = read_storage(en->part, t->storage, e);
    if (!storage)
        return -1;
    if (v->bytes && !is_dense(t) && !en->dense)
        en->dense = gather(t, storage, size, v->bytes);
    v->data = en->dense ? en->dense : v->bytes ? storage + (size_t)t->offset * size : storage;
    return 0;
}

uint64_t torch_bytes(const TorchFile *f)
{
    uint64_t n = 0;
    for (int i = 0; i < f->parts; i++)
        n += f->part[i].size;
    return n;
}

static void close_part(Part *p)
{
    for (int i = 0; p->data && !p->old.p && i < p->dict.storages; i++)
        free(p->data[i]);
    free(p->data);
    pickle_clear(&p->dict);
    mapfile_close(&p->old);
    if (p->zip)
        zip_discard(p->zip);
    free(p->root);
    free(p->path);
}

void torch_close(TorchFile *f)
{
    if (!f)
        return;
    for (int i = 0; f->entry && i < f->count; i++)
        free(f->entry[i].dense);
    for (int i = 0; i < f->parts; i++)
        close_part(&f->part[i]);
    free(f->part);
    free(f->entry);
    free(f);
}
