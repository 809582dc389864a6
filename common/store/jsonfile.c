#include "store/jsonfile.h"

#include "base/mem.h"
#include "store/mapfile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool file_exists(const char *folder, const char *name)
{
    char *path = mem_fmt("%s/%s", folder, name);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

enum { LONG_MAX_DIGITS = 18, FILE_BYTES = 1 << 28 };

/* Copies JSON; whole numbers too long for an integer go on as ".0" and are real numbers then
 * (tokenizer_config.json says "no limit" by one of 31 digits). */
static void copy_long_numbers(Str in, Buf *out)
{
    const char *p = in.p, *end = in.p + in.n, *q;
    for (; p < end; p = q) {
        bool number = *p >= '0' && *p <= '9', whole = number;
        q = p + 1;
        if (number) {
            for (; q < end && *q && strchr("0123456789.eE+-", *q); q++)
                whole = whole && *q >= '0' && *q <= '9';
        } else if (*p == '"') {
            while (q < end && *q != '"')
                q += *q == '\\' && q + 1 < end ? 2 : 1;
            q += q < end;
        }
        buf_add(out, p, (size_t)(q - p));
        if (whole && q - p > LONG_MAX_DIGITS)
            buf_str(out, ".0");
    }
}

static json_t *load_file(const char *path, json_error_t *why)
{
    Buf b = {0};
    Str file;
    json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, why);
    if (j || json_error_code(why) != json_error_numeric_overflow ||
        mapfile_open(path, FILE_BYTES, &file, NULL) < 0)
        return j;
    copy_long_numbers(file, &b);
    j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, why);
    mapfile_close(&file);
    free(b.p);
    return j;
}

json_t *jsonfile_load(const char *folder, const char *name, bool optional, Err *e)
{
    char *path = mem_fmt("%s/%s", folder, name);
    json_error_t why;
    json_t *j = NULL;
    if (access(path, R_OK) != 0) {
        if (!optional || file_exists(folder, name))
            err_sys(e, "%s", path);
    } else if (!(j = load_file(path, &why))) {
        err_set(e, "%s: line %d: %s", path, why.line, why.text);
    }
    free(path);
    return j;
}

static const json_t *value(const json_t *obj, const char *key)
{
    const json_t *v = json_object_get(obj, key);
    return json_is_null(v) ? NULL : v;
}

int64_t json_get_int(const json_t *obj, const char *key, int64_t other, Err *e)
{
    const json_t *v = value(obj, key);
    if (!v)
        return other;
    if (json_is_integer(v))
        return json_integer_value(v);
    err_set(e, "%s is not a whole number", key);
    return other;
}

double json_get_real(const json_t *obj, const char *key, double other, Err *e)
{
    const json_t *v = value(obj, key);
    if (!v)
        return other;
    if (json_is_number(v))
        return json_number_value(v);
    err_set(e, "%s is not a number", key);
    return other;
}

const char *json_get_str(const json_t *obj, const char *key, const char *other, Err *e)
{
    const json_t *v = value(obj, key);
    if (!v)
        return other;
    if (json_is_string(v))
        return json_string_value(v);
    err_set(e, "%s is not a string", key);
    return other;
}

bool json_get_bool(const json_t *obj, const char *key, bool other, Err *e)
{
    const json_t *v = value(obj, key);
    if (!v)
        return other;
    if (json_is_boolean(v))
        return json_is_true(v);
    err_set(e, "%s is neither true nor false", key);
    return other;
}
