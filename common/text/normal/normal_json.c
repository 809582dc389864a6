/* normal_json.c - normalizers as tokenizer.json writes them. */
#include "store/jsonfile.h"
#include "text/normal/normal_in.h"

static const char *type_of(const json_t *o)
{
    return json_get_str(o, "type", "without a type", NULL);
}

static int read_charsmap(Normalizer *n, const json_t *o, Err *e)
{
    const json_t *map = json_object_get(o, "precompiled_charsmap");
    if (!json_is_string(map))
        return err_set(e, "normalizer Precompiled: no precompiled_charsmap");
    return normalizer_charsmap64(n, str_of(json_string_value(map), json_string_length(map)), e);
}

static int read_strip(Normalizer *n, const json_t *o, Err *e)
{
    bool left = json_get_bool(o, "strip_left", false, e);
    bool right = json_get_bool(o, "strip_right", false, e);
    if (e->text[0])
        return err_at(e, "normalizer Strip");
    normalizer_strip(n, left, right);
    return 0;
}

static int read_replace(Normalizer *n, const json_t *o, Err *e)
{
    const json_t *pattern = json_object_get(o, "pattern");
    const char *text = json_get_str(pattern, "String", NULL, e);
    const char *regex = json_get_str(pattern, "Regex", NULL, e);
    const char *content = json_get_str(o, "content", NULL, e);
    if (e->text[0] || !content || (!text && !regex))
        return err_set(e, "normalizer Replace: it wants a pattern and a content");
    if (text && *text) {
        normalizer_replace(n, text, content);
        return 0;
    }
    if (regex && strcmp(regex, " {2,}") == 0) {
        normalizer_replace_spaces(n, content);
        return 0;
    }
    if (!regex)
        return err_set(e, "normalizer Replace: the pattern '' is not supported");
    return normalizer_replace_regex(n, regex, content, e) < 0 ? err_at(e, "normalizer Replace") : 0;
}

static int read_prepend(Normalizer *n, const json_t *o, Err *e)
{
    const char *text = json_get_str(o, "prepend", NULL, e);
    if (!text)
        return err_set(e, "normalizer Prepend: it wants a text");
    normalizer_prepend(n, text);
    return 0;
}

static int read_sequence(Normalizer *n, const json_t *o, Err *e)
{
    const json_t *list = json_object_get(o, "normalizers");
    if (!json_is_array(list))
        return err_set(e, "normalizer Sequence: no normalizers");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (normalizer_read(n, json_array_get(list, i), e) < 0)
            return -1;
    return 0;
}

static const struct {
    const char *type;
    int (*read)(Normalizer *n, const json_t *o, Err *e);
} readers[] = {
    {"Precompiled", read_charsmap}, {"Strip", read_strip},       {"Replace", read_replace},
    {"Prepend", read_prepend},      {"Sequence", read_sequence},
};

static const char *const forms[] = {"NFC", "NFD", "NFKC", "NFKD"}; /* as NormalForm has them */

int normalizer_read(Normalizer *n, const json_t *o, Err *e)
{
    if (!o || json_is_null(o))
        return 0;
    const char *type = type_of(o);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (strcmp(type, readers[i].type) == 0)
            return readers[i].read(n, o, e);
    for (int i = 0; i < 4; i++)
        if (strcmp(type, forms[i]) == 0)
            return normalizer_form(n, (NormalForm)i), 0;
    if (strcmp(type, "Lowercase") == 0)
        return normalizer_lowercase(n), 0;
    if (strcmp(type, "StripAccents") == 0)
        return normalizer_strip_accents(n), 0;
    if (strcmp(type, "Nmt") == 0)
        return normalizer_nmt(n), 0;
    return err_set(e,
                   "normalizer '%s' is not supported: Precompiled, Nmt, NFC, NFD, NFKC, NFKD, "
                   "Lowercase, StripAccents, Strip, Replace, Prepend and Sequence are",
                   type);
}

int normalizer_read_apart(Normalizer *n, const json_t *o, Err *e)
{
    if (normalizer_read(n, o, e) < 0)
        return -1;
    for (int i = 0; i < n->steps; i++)
        if (n->step[i].kind == NORMAL_STEP_REPLACE_REGEX)
            return err_set(e,
                           "normalizer Replace: the pattern '%s' is not supported before "
                           "SentencePiece's kinds: a String and the Regex ' {2,}' are",
                           n->step[i].pattern);
    return 0;
}
