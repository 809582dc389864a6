/* metaspace_json.c - words as tokenizer.json's pre_tokenizer says. */
#include "text/sentencepiece/metaspace.h"

#include "base/utf8.h"
#include "store/jsonfile.h"

static int read_metaspace(WordRules *r, const json_t *o, Err *e)
{
    const char *mark = json_get_str(o, "replacement", NULL, e);
    const char *put = json_get_str(o, "prepend_scheme", "always", e);
    bool prefix = json_get_bool(o, "add_prefix_space", true, e); /* of older files */
    r->split = json_get_bool(o, "split", true, e);
    int len = 0;
    if (mark && *mark)
        utf8_get(mark, &len);
    if (e->text[0] || !len || mark[len])
        return err_set(e, "pre_tokenizer Metaspace: its replacement is no single character");
    memcpy(r->mark, mark, (size_t)len + 1);
    r->metaspace = true;
    if (!prefix || strcmp(put, "never") == 0)
        r->put = MARK_NEVER;
    else if (strcmp(put, "first") == 0)
        r->put = MARK_FIRST;
    else if (strcmp(put, "always") == 0)
        r->put = MARK_ALWAYS;
    else
        return err_set(e,
                       "pre_tokenizer Metaspace: prepend_scheme '%s' is not supported: "
                       "always, first and never are",
                       put);
    return 0;
}

int words_read(WordRules *r, const json_t *o, Err *e)
{
    if (!o || json_is_null(o))
        return 0;
    const char *type = json_get_str(o, "type", "without a type", NULL);
    const json_t *list = json_object_get(o, "pretokenizers");
    if (strcmp(type, "Metaspace") == 0 && !r->metaspace)
        return read_metaspace(r, o, e);
    if (strcmp(type, "WhitespaceSplit") == 0 && !r->metaspace) {
        r->spaces = true;
        return 0;
    }
    if (strcmp(type, "Punctuation") == 0 && !r->metaspace &&
        strcmp(json_get_str(o, "behavior", "Isolated", NULL), "Isolated") == 0) {
        r->punct = true;
        return 0;
    }
    if (strcmp(type, "Sequence") != 0 || !json_is_array(list))
        return err_set(e,
                       "pre_tokenizer '%s' is not supported here: Metaspace, WhitespaceSplit "
                       "and Punctuation (Isolated) before it, and a Sequence of these are",
                       type);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (words_read(r, json_array_get(list, i), e) < 0)
            return -1;
    return 0;
}

void words_describe(const WordRules *r, Buf *to)
{
    buf_fmt(to, " words %d%d%d%d%d '%s'", r->spaces, r->metaspace, r->split, r->runs, r->put,
            r->mark);
    if (r->punct)
        buf_fmt(to, " punctuation");
}
