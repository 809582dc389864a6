/* cut_json.c - pre-tokenizers as tokenizer.json writes them. */
#include "text/cut/cut_in.h"

#include "base/utf8.h"
#include "store/jsonfile.h"

#include <stdlib.h>
#include <string.h>

Cuts *cuts_new(void)
{
    return mem_zero(1, sizeof(Cuts));
}

void cuts_free(Cuts *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->n; i++) {
        free(c->cut[i].text);
        regex_free(c->cut[i].regex);
    }
    free(c->cut);
    free(c);
}

int cuts_count(const Cuts *c)
{
    return c->n;
}

static Cut *add(Cuts *c, CutKind kind, CutHow how)
{
    c->cut = mem_resize(c->cut, (size_t)c->n + 1, sizeof *c->cut);
    c->cut[c->n] = (Cut){.kind = kind, .how = how};
    return c->cut + c->n++;
}

static int read_how(const json_t *o, CutHow *how, Err *e)
{
    static const char *const names[] = {"Removed", "Isolated", "MergedWithPrevious",
                                        "MergedWithNext", "Contiguous"};
    const char *name = json_get_str(o, "behavior", "Isolated", e);
    for (int i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0) {
            *how = (CutHow)i;
            return 0;
        }
    return err_set(e, "the behavior '%s' is not known", name);
}

static int read_split(Cuts *c, const json_t *o, Err *e)
{
    const json_t *pattern = json_object_get(o, "pattern");
    const char *text = json_get_str(pattern, "String", NULL, e);
    const char *regex = json_get_str(pattern, "Regex", NULL, e);
    CutHow how;
    bool invert = json_get_bool(o, "invert", false, e);
    if (e->text[0] || read_how(o, &how, e) < 0)
        return -1;
    if ((!text || !*text) && !regex)
        return err_set(e, "no pattern");
    Cut *cut = add(c, regex ? CUT_REGEX : CUT_STRING, how);
    cut->invert = invert;
    if (!regex)
        cut->text = mem_str(text);
    return regex && !(cut->regex = regex_new(regex, e)) ? -1 : 0;
}

static int read_delimiter(Cuts *c, const json_t *o, Err *e)
{
    int len;
    const char *text = json_get_str(o, "delimiter", "", e);
    if (!*text)
        return err_set(e, "no delimiter");
    add(c, CUT_CHARACTER, CUT_REMOVED)->at = utf8_get(text, &len);
    return 0;
}

static int read_length(Cuts *c, const json_t *o, Err *e)
{
    int64_t length = json_get_int(o, "length", 5, e);
    if (!e->text[0] && length < 1)
        err_set(e, "length %lld is out of range: 1 or more", (long long)length);
    add(c, CUT_LENGTH, CUT_ISOLATED)->length = length;
    return e->text[0] ? -1 : 0;
}

static int read_punctuation(Cuts *c, const json_t *o, Err *e)
{
    CutHow how = CUT_ISOLATED;
    int bad = read_how(o, &how, e);
    add(c, CUT_PUNCT, how);
    return bad;
}

static int read_digits(Cuts *c, const json_t *o, Err *e)
{
    bool each = json_get_bool(o, "individual_digits", false, e);
    add(c, CUT_DIGITS, each ? CUT_ISOLATED : CUT_CONTIGUOUS);
    return e->text[0] ? -1 : 0;
}

static int read_bert(Cuts *c, const json_t *o, Err *e)
{
    (void)o, (void)e;
    add(c, CUT_SPACES, CUT_REMOVED);
    add(c, CUT_PUNCT, CUT_ISOLATED);
    return 0;
}

static int read_words(Cuts *c, const json_t *o, Err *e)
{
    (void)o, (void)e;
    add(c, CUT_WORDS, CUT_REMOVED);
    return 0;
}

static int read_spaces(Cuts *c, const json_t *o, Err *e)
{
    (void)o, (void)e;
    add(c, CUT_SPACES, CUT_REMOVED);
    return 0;
}

static int read_scripts(Cuts *c, const json_t *o, Err *e)
{
    (void)o, (void)e;
    add(c, CUT_SCRIPTS, CUT_ISOLATED);
    return 0;
}

static const struct {
    const char *type;
    int (*read)(Cuts *c, const json_t *o, Err *e);
} readers[] = {
    {"BertPreTokenizer", read_bert},
    {"Whitespace", read_words},
    {"WhitespaceSplit", read_spaces},
    {"Punctuation", read_punctuation},
    {"Digits", read_digits},
    {"Split", read_split},
    {"CharDelimiterSplit", read_delimiter},
    {"FixedLength", read_length},
    {"UnicodeScripts", read_scripts},
};

int cuts_add(Cuts *c, const json_t *o, Err *e)
{
    const char *type = json_get_str(o, "type", "", NULL);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (strcmp(readers[i].type, type) == 0)
            return readers[i].read(c, o, e) < 0 ? err_at(e, "pre_tokenizer %s", type) : 0;
    return 1;
}
