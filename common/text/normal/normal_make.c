/* normal_make.c - putting a normalizer together. */
#include "text/normal/normal_in.h"

#include "base/hash.h"

#include <stdlib.h>

Normalizer *normalizer_new(void)
{
    return mem_zero(1, sizeof(Normalizer));
}

void normalizer_free(Normalizer *n)
{
    if (!n)
        return;
    for (int i = 0; i < n->steps; i++) {
        charsmap_free(&n->step[i].map);
        free(n->step[i].pattern);
        free(n->step[i].content);
        regex_free(n->step[i].regex);
    }
    free(n->step);
    free(n);
}

static NormalStep *add(Normalizer *n, NormalStepKind kind)
{
    n->step = mem_resize(n->step, (size_t)n->steps + 1, sizeof *n->step);
    n->step[n->steps] = (NormalStep){.kind = kind};
    return n->step + n->steps++;
}

int normalizer_charsmap(Normalizer *n, Str bytes, Err *e)
{
    return charsmap_read(&add(n, NORMAL_STEP_CHARSMAP)->map, bytes, e);
}

int normalizer_charsmap64(Normalizer *n, Str base64, Err *e)
{
    return charsmap_read64(&add(n, NORMAL_STEP_CHARSMAP)->map, base64, e);
}

void normalizer_nmt(Normalizer *n)
{
    add(n, NORMAL_STEP_NMT);
}

void normalizer_form(Normalizer *n, NormalForm form)
{
    add(n, NORMAL_STEP_FORM)->form = form;
}

void normalizer_lowercase(Normalizer *n)
{
    add(n, NORMAL_STEP_LOWERCASE);
}

void normalizer_strip_accents(Normalizer *n)
{
    add(n, NORMAL_STEP_STRIP_ACCENTS);
}

void normalizer_strip(Normalizer *n, bool left, bool right)
{
    NormalStep *s = add(n, NORMAL_STEP_STRIP);
    s->left = left;
    s->right = right;
}

static void set_content(NormalStep *s, const char *content)
{
    s->content = mem_str(content);
    s->content_bytes = strlen(content);
}

void normalizer_replace(Normalizer *n, const char *pattern, const char *content)
{
    NormalStep *s = add(n, NORMAL_STEP_REPLACE);
    s->pattern = mem_str(pattern);
    s->pattern_bytes = strlen(pattern);
    set_content(s, content);
}

void normalizer_replace_spaces(Normalizer *n, const char *content)
{
    set_content(add(n, NORMAL_STEP_REPLACE_SPACES), content);
}

int normalizer_replace_regex(Normalizer *n, const char *pattern, const char *content, Err *e)
{
    NormalStep *s = add(n, NORMAL_STEP_REPLACE_REGEX);
    s->pattern = mem_str(pattern);
    set_content(s, content);
    s->regex = regex_new(pattern, e);
    return s->regex ? 0 : -1;
}

void normalizer_prepend(Normalizer *n, const char *text)
{
    set_content(add(n, NORMAL_STEP_PREPEND), text);
}

void normalizer_describe(const Normalizer *n, Buf *to)
{
    static const char *const names[] = {"charsmap",      "nmt",    "form",    "lowercase",
                                        "strip-accents", "strip",  "replace", "replace-spaces",
                                        "replace-regex", "prepend"};
    for (int i = 0; i < n->steps; i++) {
        const NormalStep *s = n->step + i;
        char map[HASH_TEXT] = "";
        if (s->kind == NORMAL_STEP_CHARSMAP) {
            Hash *h = hash_new();
            hash_add(h, s->map.unit, s->map.units * sizeof *s->map.unit);
            hash_add(h, s->map.text, s->map.n);
            hash_end(h, map);
        }
        buf_fmt(to, " %s%s %d%d%d '%s' '%s'", names[s->kind], map, s->form, s->left, s->right,
                s->pattern ? s->pattern : "", s->content ? s->content : "");
    }
}
