/* Tokens that stand beside the model's vocabulary: tokenizer.json's added_tokens, and what
 * tokenizer_config.json, special_tokens_map.json and added_tokens.json say, as transformers'
 * fast tokenizers take it. */
#include "text/tokenizer_in.h"

#include "base/utf8.h"
#include "text/unicode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* The members that name special tokens, in the order in which new ones get their ids. */
static const struct {
    const char *key;
    int special; /* TOK_SPECIALS: none that we ask for */
} members[] = {
    {"bos_token", TOK_SPECIALS}, {"eos_token", TOK_SPECIALS}, {"unk_token", TOK_UNK},
    {"sep_token", TOK_SEP},      {"pad_token", TOK_PAD},      {"cls_token", TOK_CLS},
    {"mask_token", TOK_MASK},
};
enum { MEMBERS = sizeof members / sizeof *members };

static const char *content(const json_t *o)
{
    return json_is_string(o) ? json_string_value(o) : json_get_str(o, "content", NULL, NULL);
}

/* A member of the two. What config says is final where it lists the added tokens too, as new
 * ones do; else it is older than the map. */
static const json_t *said(const TokFolder *from, const char *key)
{
    const json_t *o = NULL;
    if (!json_object_get(from->config, "added_tokens_decoder"))
        o = json_object_get(from->map, key);
    return o ? o : json_object_get(from->config, key);
}

const char *tokenizer_said(const TokFolder *from, const char *key)
{
    return content(said(from, key));
}

static int member_of(Special s)
{
    int i = 0;
    while (members[i].special != (int)s)
        i++;
    return i;
}

static const char *member_text(const Tokenizer *t, const TokFolder *from, int member)
{
    const json_t *o = said(from, members[member].key);
    int s = members[member].special;
    if (o)
        return content(o); /* null: expressly none */
    return t->usual && s < TOK_SPECIALS ? t->usual[s] : NULL;
}

const char *special_text(const Tokenizer *t, const TokFolder *from, Special s)
{
    return member_text(t, from, member_of(s));
}

/* ---- one token ---- */

static int by_id(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void hide(Tokenizer *t, int32_t id)
{
    t->hidden = mem_resize(t->hidden, (size_t)t->hiddens + 1, sizeof *t->hidden);
    t->hidden[t->hiddens++] = id;
}

/* The id of a text that may be new. */
static int take_id(Tokenizer *t, Str text, int64_t given, int32_t *id, Err *e)
{
    *id = tokenizer_find(t, text);
    bool known = *id >= 0;
    if (!known)
        *id = t->extra.count > t->vocab.entries ? t->extra.count : t->vocab.entries;
    if (given < 0 || given == *id)
        return known ? 0 : vocab_add(&t->extra, *id, text, e);
    if (known)
        return err_set(e, "'%.*s' has id %" PRId64 " here and %" PRId32 " in the vocabulary",
                       (int)text.n, text.p, given, *id);
    return err_set(e, "'%.*s' has id %" PRId64 ", but %" PRId32 " is the next behind the last",
                   (int)text.n, text.p, given, *id);
}

int tokenizer_add(Tokenizer *t, const json_t *token, int64_t id, bool special, Err *e)
{
    const json_t *o = json_is_object(token) ? token : NULL;
    const char *text = content(token);
    if (!text || !*text)
        return 0;
    Str s = str_of(text, strlen(text));
    Added a = {.n = s.n,
               .special = special,
               .single_word = json_get_bool(o, "single_word", false, NULL),
               .lstrip = json_get_bool(o, "lstrip", false, NULL),
               .rstrip = json_get_bool(o, "rstrip", false, NULL),
               .normalized = json_get_bool(o, "normalized", !special, NULL)};
    if (take_id(t, s, id, &a.id, e) < 0)
        return -1;
    int32_t place = vocab_find(&t->given, s);
    if (place < 0) {
        place = t->given.count;
        if (vocab_add(&t->given, place, s, e) < 0)
            return -1;
        if ((place & (place - 1)) == 0) /* room doubles */
            t->added = mem_resize(t->added, place ? (size_t)place * 2 : 1, sizeof *t->added);
    }
    t->added[place] = a;
    if (special)
        hide(t, a.id);
    return 0;
}

/* ---- what is to be found in texts, once all is known ---- */

/* Room for the bytes that a character may become. */
static void room_for(Normal *n, size_t more)
{
    if (n->n + more <= n->cap)
        return;
    n->cap = 2 * (n->n + more) + 64;
    n->p = mem_resize(n->p, n->cap, 1);
    n->span = mem_resize(n->span, n->cap, sizeof *n->span);
}

void tokenizer_lower(Str text, int32_t at, Normal *out)
{
    for (size_t i = 0; i < text.n;) {
        int len;
        char put[8];
        uint32_t more = 0, cp = uni_lower(utf8_get(text.p + i, &len), &more);
        int n = utf8_put(cp, put);
        n += more ? utf8_put(more, put + n) : 0;
        room_for(out, (size_t)n);
        for (int k = 0; k < n; k++, out->n++) {
            out->p[out->n] = put[k];
            out->span[out->n][0] = at + (int32_t)i;
            out->span[out->n][1] = at + (int32_t)i + len;
        }
        i += (size_t)len;
    }
}

static char *normalised_text(const Tokenizer *t, void *work, Normal *n, Str text)
{
    n->n = 0;
    t->model->normalise(t->model, work, text, 0, n);
    return n->n ? mem_strn(n->p, n->n) : NULL;
}

void tokenizer_added_ready(Tokenizer *t)
{
    void *work = NULL;
    Normal normal = {0};
    for (int32_t i = 0; i < t->given.count; i++) {
        Added a = t->added[i];
        Str text = vocab_text(&t->given, i);
        Normal low = {0};
        if (a.normalized && t->lower) {
            tokenizer_lower(text, 0, &low);
            text = str_of(low.p, low.n);
            a.n = low.n;
        }
        if (a.normalized && t->model->normalise) {
            if (!work)
                work = t->model->work_new(t->model);
            a.text = normalised_text(t, work, &normal, text);
            a.n = normal.n;
        } else {
            a.text = mem_strn(text.p, text.n);
        }
        free(low.p);
        free(low.span);
        if (a.n) /* else nothing of it is left to be found */
            added_add(a.normalized ? &t->normalised : &t->plain, a);
    }
    if (work)
        t->model->work_free(work);
    free(normal.p);
    free(normal.span);
    added_ready(&t->plain);
    added_ready(&t->normalised);
    if (t->hiddens)
        qsort(t->hidden, (size_t)t->hiddens, sizeof *t->hidden, by_id);
}

bool tokenizer_is_special(const Tokenizer *t, int32_t id)
{
    return t->hiddens &&
           bsearch(&id, t->hidden, (size_t)t->hiddens, sizeof *t->hidden, by_id) != NULL;
}

/* ---- what the folder's files say ---- */

/* RoBERTa's, ALBERT's ... class gives the mask token the space before it where the files have but
 * its text, or not even that. */
static json_t *mask_token(const Tokenizer *t, const char *text)
{
    return json_pack("{s:s, s:b, s:b}", "content", text, "lstrip", 1, "normalized",
                     (int)t->class->normalized);
}

static bool is_given(const Tokenizer *t, const char *text)
{
    return vocab_find(&t->given, str_of(text, strlen(text))) >= 0;
}

static int add_special(Tokenizer *t, const TokFolder *from, int member, Err *e)
{
    const json_t *o = said(from, members[member].key);
    const char *text = member_text(t, from, member);
    if (!text || (!o && tokenizer_find(t, str_of(text, strlen(text))) < 0))
        return 0; /* a usual one need not be there */
    if (json_is_object(o))
        return tokenizer_add(t, o, -1, true, e);
    bool strips = members[member].special == TOK_MASK && t->class->lstrip;
    if (is_given(t, text) && (o || !strips)) /* the class's own goes before the file's */
        return 0;
    json_t *token = strips ? mask_token(t, text) : json_string(text);
    int bad = tokenizer_add(t, token, -1, true, e);
    json_decref(token);
    return bad;
}

static int add_one_more(Tokenizer *t, const json_t *o, Err *e)
{
    const char *text = content(o);
    return text && (json_is_object(o) || !is_given(t, text)) ? tokenizer_add(t, o, -1, true, e) : 0;
}

/* A list, or an object whose values are tokens. */
static int add_more(Tokenizer *t, const json_t *more, Err *e)
{
    const char *name;
    json_t *o;
    for (size_t i = 0; i < json_array_size(more); i++)
        if (add_one_more(t, json_array_get(more, i), e) < 0)
            return -1;
    json_object_foreach((json_t *)more, name, o) {
        if (add_one_more(t, o, e) < 0)
            return -1;
    }
    return 0;
}

static int add_specials(Tokenizer *t, const TokFolder *from, Err *e)
{
    for (int i = 0; i < MEMBERS; i++)
        if (add_special(t, from, i, e) < 0)
            return -1;
    /* What transformers 5 calls the first is a list as the second; by names before. */
    static const char *const more[] = {"additional_special_tokens", "extra_special_tokens",
                                       "model_specific_special_tokens"};
    for (int i = 0; i < 3; i++)
        if (add_more(t, said(from, more[i]), e) < 0)
            return -1;
    return 0;
}

static bool is_special(const Tokenizer *t, const TokFolder *from, const char *text)
{
    for (int i = 0; i < MEMBERS; i++) {
        const char *name = member_text(t, from, i);
        if (name && strcmp(name, text) == 0)
            return true;
    }
    return false;
}

/* An id as the key of an object; -1. */
static int64_t key_id(const char *key)
{
    char *end;
    errno = 0;
    long long id = strtoll(key, &end, 10);
    return errno || *end || end == key || id < 0 || id > INT32_MAX ? -1 : id;
}

typedef struct Listed { /* an added token with its id */
    int64_t id;
    const char *text;
    const json_t *token;
} Listed;

static int by_listed_id(const void *a, const void *b)
{
    const Listed *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* added_tokens_decoder, {"100": {"content": "[UNK]", ...}, ...}, in the order of ids. */
static int add_decoder(Tokenizer *t, const TokFolder *from, Err *e)
{
    json_t *all = json_object_get(from->config, "added_tokens_decoder"), *o;
    Listed *list = mem_array(json_object_size(all) + 1, sizeof *list);
    size_t n = 0;
    int bad = 0;
    const char *key;
    json_object_foreach(all, key, o) {
        list[n] = (Listed){key_id(key), content(o), o};
        if (list[n++].id < 0)
            bad = err_set(e, "tokenizer_config.json: '%s' is no id", key);
    }
    qsort(list, n, sizeof *list, by_listed_id);
    for (size_t i = 0; i < n && !bad; i++) {
        bool special = json_get_bool(list[i].token, "special", false, NULL);
        if (list[i].text)
            bad = tokenizer_add(t, list[i].token, list[i].id,
                                special || is_special(t, from, list[i].text), e);
        if (bad)
            err_at(e, "tokenizer_config.json: added_tokens_decoder");
    }
    free(list);
    return bad;
}

/* added_tokens.json, {"text": id}, in the order of ids. */
static int add_listed(Tokenizer *t, const TokFolder *from, Err *e)
{
    json_t *all = jsonfile_load(from->path, "added_tokens.json", true, e), *id;
    if (!all)
        return e->text[0] ? -1 : 0;
    Listed *list = mem_array(json_object_size(all) + 1, sizeof *list);
    size_t n = 0;
    int bad = 0;
    const char *text;
    json_object_foreach(all, text, id) {
        list[n] = (Listed){json_is_integer(id) ? json_integer_value(id) : -1, text, NULL};
        if (list[n].id < 0 || list[n].id > INT32_MAX)
            bad = err_set(e, "'%s' has no proper id", text);
        n++;
    }
    qsort(list, n, sizeof *list, by_listed_id);
    for (size_t i = 0; i < n && !bad; i++) {
        json_t *s = json_string(list[i].text);
        if (!is_given(t, list[i].text))
            bad = tokenizer_add(t, s, list[i].id, is_special(t, from, list[i].text), e);
        json_decref(s);
    }
    free(list);
    json_decref(all);
    return bad ? err_at(e, "added_tokens.json") : 0;
}

int tokenizer_add_said(Tokenizer *t, const TokFolder *from, Err *e)
{
    bool listed = json_object_get(from->config, "added_tokens_decoder") != NULL;
    int bad = listed ? add_decoder(t, from, e) : add_listed(t, from, e);
    return bad ? -1 : add_specials(t, from, e);
}
