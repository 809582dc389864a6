#include "store/jsonfile.h"

#include "store/mapfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LONG_MAX_DIGITS = 18, FILE_BYTES = 1 << 28 };

/* A link to nowhere is there, and so is what cannot be looked at: opening it says what is wrong. */
static bool there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool file_exists(const char *folder, const char *name)
{
    char *path = mem_fmt("%s/%s", folder, name);
    bool is = there(path);
    free(path);
    return is;
}

/* Where the value that is one too many begins: behind a comma, or as the first one in brackets.
 * NULL: there are not so many. */
static const char *beyond(Str text, int64_t most)
{
    const char *p = text.p, *end = p + text.n;
    if ((int64_t)(text.n / 2) < most)
        return NULL;
    for (; p < end; p++) {
        if (*p == '"')
            for (p++; p < end && *p != '"'; p++)
                p += *p == '\\';
        else if (*p == ',' ||
                 ((*p == '[' || *p == '{') && end - p > 1 && p[1] != ']' && p[1] != '}'))
            if (--most <= 0)
                return p + 1;
    }
    return NULL;
}

json_t *json_read(Str text, size_t flags, json_error_t *why)
{
    if (!text.p)
        text = str_of("", 0); /* for whom nothing came has no buffer */
    const char *p = beyond(text, JSON_VALUES);
    if (!p)
        return json_loadb(text.p, text.n, flags, why);
    *why = (json_error_t){.line = 1, .position = (int)(p - text.p)};
    snprintf(why->text, sizeof why->text - 1, "more than %d values", JSON_VALUES);
    for (const char *q = text.p; (q = memchr(q, '\n', (size_t)(p - q))); q++)
        why->line++;
    return NULL;
}

json_t *json_read_meta(const char *s)
{
    json_error_t why;
    return s ? json_read(str_of(s, strlen(s)), JSON_REJECT_DUPLICATES, &why) : NULL;
}

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

static json_t *parse(Str file, Err *e)
{
    json_error_t why;
    json_t *j = json_read(file, JSON_REJECT_DUPLICATES, &why);
    if (!j && json_error_code(&why) == json_error_numeric_overflow) {
        Buf b = {0};
        copy_long_numbers(file, &b);
        j = json_read(str_of(b.p, b.n), JSON_REJECT_DUPLICATES, &why);
        free(b.p);
    }
    if (!j)
        err_set(e, "line %d: %s", why.line, why.text);
    return j;
}

json_t *jsonfile_read(const char *path, Err *e)
{
    Str file;
    json_t *j = mapfile_open(path, FILE_BYTES, &file, e) < 0 ? NULL : parse(file, e);
    mapfile_close(&file);
    if (!j)
        err_at(e, "%s", path);
    return j;
}

json_t *jsonfile_load(const char *folder, const char *name, bool optional, Err *e)
{
    char *path = mem_fmt("%s/%s", folder, name);
    json_t *j = optional && !there(path) ? NULL : jsonfile_read(path, e);
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
