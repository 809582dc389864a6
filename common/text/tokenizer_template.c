/* What a row is made of: post_processor of tokenizer.json, and BERT's templates. */
#include "text/tokenizer_in.h"

#include <limits.h>

void template_add(Template *t, int kind, int32_t id, int type)
{
    t->item = mem_resize(t->item, (size_t)t->count + 1, sizeof *t->item);
    t->item[t->count++] = (TemplateItem){kind, id, (uint8_t)type};
    t->specials += kind == ITEM_SPECIAL;
}

void tokenizer_bert_templates(Tokenizer *t, int32_t cls, int32_t sep)
{
    for (int pair = 0; pair < 2; pair++) {
        Template *to = pair ? &t->pair : &t->single;
        template_add(to, ITEM_SPECIAL, cls, 0);
        template_add(to, ITEM_FIRST, -1, 0);
        template_add(to, ITEM_SPECIAL, sep, 0);
        if (pair) {
            template_add(to, ITEM_SECOND, -1, 1);
            template_add(to, ITEM_SPECIAL, sep, 1);
        }
    }
}

void tokenizer_roberta_templates(Tokenizer *t, int32_t cls, int32_t sep)
{
    for (int pair = 0; pair < 2; pair++) {
        Template *to = pair ? &t->pair : &t->single;
        template_add(to, ITEM_SPECIAL, cls, 0);
        template_add(to, ITEM_FIRST, -1, 0);
        template_add(to, ITEM_SPECIAL, sep, 0);
        if (pair) {
            template_add(to, ITEM_SPECIAL, sep, 0);
            template_add(to, ITEM_SECOND, -1, 0);
            template_add(to, ITEM_SPECIAL, sep, 0);
        }
    }
}

void tokenizer_bare_templates(Tokenizer *t)
{
    template_add(&t->single, ITEM_FIRST, -1, 0);
    template_add(&t->pair, ITEM_FIRST, -1, 0);
    template_add(&t->pair, ITEM_SECOND, -1, 1);
}

static int read_id(const json_t *o, int32_t *id)
{
    if (!json_is_integer(o) || json_integer_value(o) < 0 || json_integer_value(o) > INT_MAX)
        return -1;
    *id = (int32_t)json_integer_value(o);
    return 0;
}

/* ["[SEP]", 102] */
static int read_pair(const json_t *o, const char *key, int32_t *id, Err *e)
{
    if (read_id(json_array_get(json_object_get(o, key), 1), id) < 0)
        return err_set(e, "'%s' has no proper id", key);
    return 0;
}

static int read_special(Template *t, const json_t *o, const json_t *specials, int type, Err *e)
{
    const char *name = json_get_str(o, "id", "", NULL);
    const json_t *ids = json_object_get(json_object_get(specials, name), "ids");
    int32_t id;
    if (!json_array_size(ids))
        return err_set(e, "special token '%s' has no ids", name);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (read_id(json_array_get(ids, i), &id) < 0)
            return err_set(e, "special token '%s' has no proper id", name);
        template_add(t, ITEM_SPECIAL, id, type);
    }
    return 0;
}

static int read_template(Template *t, const json_t *list, const json_t *specials, bool pair, Err *e)
{
    int seen[2] = {0, 0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        const json_t *text = json_object_get(o, "Sequence");
        const json_t *special = json_object_get(o, "SpecialToken");
        int64_t type = json_get_int(text ? text : special, "type_id", 0, NULL);
        if (type < 0 || type > UINT8_MAX)
            return err_set(e, "type_id %lld is out of range: 0 to 255", (long long)type);
        if (text) {
            int kind = strcmp(json_get_str(text, "id", "A", NULL), "A") != 0;
            seen[kind]++;
            template_add(t, kind ? ITEM_SECOND : ITEM_FIRST, -1, (int)type);
        } else if (read_special(t, special, specials, (int)type, e) < 0) {
            return -1;
        }
    }
    if (seen[0] != 1 || seen[1] != pair)
        return err_set(e, "a template that has each text once is needed");
    return 0;
}

static int read_one(Tokenizer *t, const json_t *o, Err *e);

/* One of them makes the template, beside a ByteLevel, which has none. */
static int read_sequence(Tokenizer *t, const json_t *list, Err *e)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (read_one(t, json_array_get(list, i), e) < 0)
            return -1;
    return 0;
}

static int read_one(Tokenizer *t, const json_t *o, Err *e)
{
    const char *type = tokenizer_part(o);
    int32_t cls, sep;
    if (strcmp(type, "ByteLevel") == 0)
        return 0;
    if (strcmp(type, "Sequence") == 0)
        return read_sequence(t, json_object_get(o, "processors"), e);
    if (t->single.count)
        return err_set(e, "a Sequence with two templates is not supported");
    if (strcmp(type, "TemplateProcessing") == 0) {
        const json_t *specials = json_object_get(o, "special_tokens");
        if (read_template(&t->single, json_object_get(o, "single"), specials, false, e) < 0)
            return -1;
        return read_template(&t->pair, json_object_get(o, "pair"), specials, true, e);
    }
    bool roberta = strcmp(type, "RobertaProcessing") == 0;
    if (!roberta && strcmp(type, "BertProcessing") != 0)
        return err_set(e,
                       "'%s' is not supported: BertProcessing, RobertaProcessing, "
                       "TemplateProcessing, ByteLevel and Sequence are",
                       type);
    if (read_pair(o, "cls", &cls, e) < 0 || read_pair(o, "sep", &sep, e) < 0)
        return err_at(e, "%s", type);
    (roberta ? tokenizer_roberta_templates : tokenizer_bert_templates)(t, cls, sep);
    return 0;
}

int tokenizer_read_processor(Tokenizer *t, const json_t *o, Err *e)
{
    if (o && !json_is_null(o) && read_one(t, o, e) < 0)
        return err_at(e, "post_processor");
    if (!t->single.count)
        tokenizer_bare_templates(t);
    return 0;
}
