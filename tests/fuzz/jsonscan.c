/* jsonscan - JSON as it stands: what jansson reads, the scanner reads, and as the same. */
#include "store/jsonscan.h"
#include "tests/fuzz/fuzz.h"

#include <jansson.h>

static int walk(JsonScan *s, const json_t *j);

static int walk_object(JsonScan *s, const json_t *j)
{
    Err e = {0};
    bool first = true;
    Str key;
    int more;
    MUST(scan_take(s, '{', &e) == 0);
    while ((more = scan_more(s, '}', &first, &e)) > 0) {
        MUST(scan_string(s, &key, &e) == 0);
        char *name = mem_strn(key.p, key.n);
        const json_t *value = strlen(name) == key.n ? json_object_get(j, name) : NULL;
        free(name);
        MUST(value && scan_take(s, ':', &e) == 0);
        if (walk(s, value) < 0)
            return -1;
    }
    MUST(more == 0);
    return 0;
}

static int walk_array(JsonScan *s, const json_t *j)
{
    Err e = {0};
    bool first = true;
    size_t i = 0;
    int more;
    MUST(scan_take(s, '[', &e) == 0);
    for (; (more = scan_more(s, ']', &first, &e)) > 0; i++)
        if (walk(s, json_array_get(j, i)) < 0)
            return -1;
    MUST(more == 0 && i == json_array_size(j));
    return 0;
}

/* -1: a number longer than the scanner takes. */
static int walk_number(JsonScan *s, const json_t *j)
{
    Err e = {0};
    int64_t whole;
    double real;
    if (json_is_real(j)) {
        if (scan_real(s, &real, &e) < 0)
            return -1;
        MUST(real == json_real_value(j));
        return 0;
    }
    if (scan_int(s, &whole, &e) < 0)
        return -1;
    MUST(whole == json_integer_value(j));
    return 0;
}

static int walk(JsonScan *s, const json_t *j)
{
    Err e = {0};
    Str text;
    switch (json_typeof(j)) {
    case JSON_OBJECT: return walk_object(s, j);
    case JSON_ARRAY: return walk_array(s, j);
    case JSON_STRING:
        MUST(scan_string(s, &text, &e) == 0 && text.n == json_string_length(j));
        MUST(memcmp(text.p, json_string_value(j), text.n) == 0);
        return 0;
    case JSON_INTEGER:
    case JSON_REAL: return walk_number(s, j);
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL: break;
    }
    MUST(scan_skip(s, &e) == 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    Err e = {0};
    json_t *j = json_loadb((const char *)p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    JsonScan s = scan_of((const char *)p, n);
    int status = scan_skip(&s, &e);
    MUST(s.p <= s.end && scan_line(&s, s.p) >= 1 && (status == 0) == !e.text[0]);
    if (j && !memchr(p, '\0', n)) { /* behind a number jansson passes over NUL bytes */
        MUST(status == 0 && scan_next(&s) == 0);
        scan_free(&s);
        s = scan_of((const char *)p, n);
        if (walk(&s, j) == 0)
            MUST(scan_next(&s) == 0);
    }
    scan_free(&s);
    json_decref(j);
    return 0;
}
