#include "io/jsonfile.h"

#include "base/mem.h"

#include <stdlib.h>
#include <unistd.h>

bool file_exists(const char *folder, const char *name)
{
    char *path = mem_fmt("%s/%s", folder, name);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

json_t *jsonfile_load(const char *folder, const char *name, bool optional, Err *e)
{
    char *path = mem_fmt("%s/%s", folder, name);
    json_error_t why;
    json_t *j = NULL;
    if (access(path, R_OK) != 0) {
        if (!optional || file_exists(folder, name))
            err_sys(e, "%s", path);
    } else if (!(j = json_load_file(path, JSON_REJECT_DUPLICATES, &why))) {
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
