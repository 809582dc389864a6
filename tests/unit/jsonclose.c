/* jsonclose - do two files of JSON lines say the same?
 *
 *     jsonclose WANT GOT TOLERANCE
 *
 * Lines, kinds, keys, strings and whole numbers must be equal, reals within TOLERANCE; the
 * order of keys is nothing. Exit 1 and the first difference where they are not. */
#include "base/msg.h"
#include "base/num.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double tolerance;

static bool same(const json_t *a, const json_t *b);

static bool same_array(const json_t *a, const json_t *b)
{
    size_t n = json_array_size(a);
    bool ok = n == json_array_size(b);
    for (size_t i = 0; ok && i < n; i++)
        ok = same(json_array_get(a, i), json_array_get(b, i));
    return ok;
}

static bool same_object(json_t *a, const json_t *b)
{
    const char *key;
    json_t *value;
    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach(a, key, value) {
        const json_t *other = json_object_get(b, key);
        if (!other || !same(value, other))
            return false;
    }
    return true;
}

static bool same(const json_t *a, const json_t *b)
{
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_object(a))
        return same_object((json_t *)a, b);
    if (json_is_array(a))
        return same_array(a, b);
    if (json_is_real(a))
        return fabs(json_real_value(a) - json_real_value(b)) <= tolerance;
    return json_equal(a, b);
}

static json_t *next_value(FILE *f, const char *path, char **line, size_t *room)
{
    json_error_t e;
    if (getline(line, room, f) < 0)
        return NULL;
    json_t *value = json_loads(*line, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &e);
    if (!value)
        dief("%s: %s: %s", path, e.text, *line);
    return value;
}

int main(int argc, char **argv)
{
    Err e = {0};
    char *line[2] = {NULL, NULL};
    size_t room[2] = {0, 0};
    FILE *f[2];
    msg_prog = "jsonclose";
    if (argc != 4 || num_real(argv[3], 0, 1, &tolerance, &e) < 0)
        dief("usage: jsonclose WANT GOT TOLERANCE");
    for (int i = 0; i < 2; i++)
        if (!(f[i] = fopen(argv[i + 1], "re")))
            dief("%s: cannot be read", argv[i + 1]);
    for (int n = 1;; n++) {
        json_t *a = next_value(f[0], argv[1], &line[0], &room[0]);
        json_t *b = next_value(f[1], argv[2], &line[1], &room[1]);
        if (!a && !b)
            break;
        if (!a || !b)
            dief("%s ends at line %d", argv[a ? 2 : 1], n);
        if (!same(a, b))
            dief("line %d differs\nwant: %sgot:  %s", n, line[0], line[1]);
        json_decref(a);
        json_decref(b);
    }
    for (int i = 0; i < 2; i++) {
        free(line[i]);
        fclose(f[i]);
    }
    return 0;
}
