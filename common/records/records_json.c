/* JSON lines by jansson; in members that nobody asked for, what it does not take is no fault. */
#include "records/records_in.h"

#include "store/jsonfile.h"
#include "store/jsonloose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The shortest decimal that reads back as the same number. */
static int real_text(char *out, size_t size, double v)
{
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(out, size, "%.*g", digits, v);
        if (strtod(out, NULL) == v)
            break;
    }
    return n;
}

static int absent(const Records *r, const json_t *object, int i, Err *e)
{
    Buf list = {0};
    const char *key;
    json_t *value;
    if (i >= r->spec.needed)
        return 0;
    json_object_foreach((json_t *)object, key, value)
        buf_fmt(&list, "%s%s", list.n ? ", " : "", key);
    err_set(e, "no field '%s': there are %.*s", r->spec.column[i], (int)list.n,
            list.n ? list.p : "");
    free(list.p);
    return -1;
}

static int take(Records *r, const json_t *object, int i, Err *e)
{
    const json_t *v = json_object_get(object, r->spec.column[i]);
    char *text = r->number_text[i];
    size_t size = sizeof r->number_text[i];
    r->null[i] = !v || json_is_null(v);
    r->field[i] = str_of("", 0);
    if (!v)
        return absent(r, object, i, e);
    if (json_is_string(v)) {
        r->field[i] = str_of(json_string_value(v), json_string_length(v));
        return rec_text(r->field[i], e) < 0 ? err_at(e, "field '%s'", r->spec.column[i]) : 0;
    }
    if (json_is_boolean(v))
        r->field[i] = json_is_true(v) ? str_of("true", 4) : str_of("false", 5);
    else if (json_is_integer(v))
        r->field[i] = str_of(
            text, (size_t)snprintf(text, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v)));
    else if (json_is_real(v))
        r->field[i] = str_of(text, (size_t)real_text(text, size, json_real_value(v)));
    else if (!json_is_null(v))
        return err_set(e, "field '%s' is no text: choose a field with one", r->spec.column[i]);
    return 0;
}

/* Once more, where what nobody asked for may have been at fault. */
static json_t *read_loosely(const Records *r, Str line)
{
    Buf b = {0};
    Err unsaid = {0};
    json_error_t why;
    json_t *object = NULL;
    if (json_loose(line, r->spec.column, r->spec.columns, &b, &unsaid) == 0)
        object = json_read(str_of(b.p, b.n), JSON_ALLOW_NUL, &why);
    free(b.p);
    return object;
}

int rec_json(Records *r, Str line, Err *e)
{
    json_error_t err;
    rec_json_release(r);
    json_t *object = json_read(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &err);
    if (!object && json_error_code(&err) != json_error_unknown) /* but not for too many values */
        object = read_loosely(r, line);
    r->object = object;
    if (!object)
        return err_set(e, "byte %d: %s: give one JSON object a line", err.position, err.text);
    if (!json_is_object(object))
        return err_set(e, "no JSON object: give one a line");
    for (int i = 0; i < r->spec.columns; i++)
        if (take(r, object, i, e) < 0)
            return -1;
    return 0;
}

void rec_json_release(Records *r)
{
    json_decref(r->object);
    r->object = NULL;
}
