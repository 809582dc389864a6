#include "rows/candidates.h"

#include "base/utf8.h"
#include "rows/quoted.h"
#include "text/unicode.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char place[] = "{}";

/* The text without white space around it. */
static Str trimmed(const char *p, const char *end)
{
    const char *last = p += quoted_spaces(p, end);
    for (const char *q = p; q < end;) {
        int len;
        bool space = uni_class(utf8_get(q, &len)) & UNI_SPACE;
        q += len;
        if (!space)
            last = q;
    }
    return str_of(p, (size_t)(last - p));
}

static void add(Candidates *c, Str name, const char *template)
{
    Buf text = {0};
    for (const char *p = template, *q;; p = q + strlen(place)) {
        q = strstr(p, place);
        buf_add(&text, p, q ? (size_t)(q - p) : strlen(p));
        if (!q)
            break;
        buf_add(&text, name.p, name.n);
    }
    c->name = mem_resize(c->name, (size_t)c->count + 1, sizeof *c->name);
    c->text = mem_resize(c->text, (size_t)c->count + 1, sizeof *c->text);
    c->name[c->count] = mem_strn(name.p, name.n);
    c->text[c->count++] = str_of(text.p, text.n);
}

static bool is_text(const char *s)
{
    return utf8_check(s, strlen(s)) == strlen(s);
}

int candidates_parse(Candidates *c, const char *given, const char *template, Err *e)
{
    const char *p = given, *end = given + strlen(given);
    if (!is_text(given) || !is_text(template))
        return err_set(e, "not UTF-8");
    if (!strstr(template, place))
        return err_set(e, "--template '%s' has no {} where the candidate goes", template);
    for (;; p++) {
        Buf name = {0};
        p += quoted_spaces(p, end);
        int bad = *p == '"' ? quoted_name(&name, &p, ",", e) : 0;
        size_t n = strcspn(p, ","); /* 0 behind a quoted one */
        Str plain = trimmed(p, p + n);
        if (!bad && (name.n || plain.n))
            add(c, name.n ? str_of(name.p, name.n) : plain, template);
        free(name.p);
        if (bad)
            return -1;
        p += n;
        if (!*p)
            break;
    }
    return c->count ? 0 : err_set(e, "no candidates: write A,B,...");
}

char *candidates_json(const Candidates *c)
{
    json_t *list = json_array();
    for (int i = 0; i < c->count; i++)
        json_array_append_new(list, json_string(c->name[i]));
    char *s = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return s;
}

void candidates_free(Candidates *c)
{
    for (int i = 0; i < c->count; i++) {
        free(c->name[i]);
        free((char *)c->text[i].p);
    }
    free(c->name);
    free(c->text);
    *c = (Candidates){0};
}
