/* tok - text to ids. */
#include "base/msg.h"
#include "base/opt.h"
#include "filter/detokenise.h"
#include "model/find.h"
#include "model/model_tokenizer.h"
#include "model/task_prefix.h"
#include "rows/candidates.h"
#include "rows/tokenise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_IDS = OPT_LONG,
    KEY_LABELS,
    KEY_TRUNC,
    KEY_PREFIX,
    KEY_TASK,
    KEY_TEMPLATE,
    KEY_CONLL,
    KEY_DECODE,
    KEY_RAW
};

static const Opt options[] = {
    {'c', "column", "COL", "CSV: the text is in COL, a name or a number from 1"},
    {'H', "no-header", NULL, "the CSV has no header line"},
    {'d', "delimiter", "C", "the CSV's delimiter (\\t: a tab)"},
    {'J', "json", "FIELD", "JSON lines: the text is in FIELD"},
    {'0', NULL, NULL, "texts end in NUL, not in a newline"},
    {KEY_CONLL, "conll", NULL, "a word and its tag a line, an empty line behind a sentence"},
    {KEY_IDS, "ids", NULL, "rows of ids as numbers instead of texts"},
    {'p', "pair", "COL", "the second text"},
    {'l', "label", "COL", "the label"},
    {'w', "weight", "COL", "the row's weight"},
    {'k', "keep", "COL", "carry this column along (repeatable)"},
    {KEY_LABELS, "labels", "A,B|0=A,4=B", "the classes in their order, raw values renamed"},
    {'n', "max-length", "N", "most tokens a row (the model's maximum; 0: no limit)"},
    {KEY_TRUNC, "trunc", "longest|first|second", "which text of a pair is cut (longest)"},
    {'S', "stride", "N", "windows that overlap by N tokens instead of cutting"},
    {'z', "candidates", "A,B", "zero-shot classification: a row for each of these"},
    {KEY_TEMPLATE, "template", "T", "what is said with a candidate (This example is {}.)"},
    {KEY_PREFIX, "prefix", "T", "put T before each text"},
    {KEY_TASK, "task", "NAME", "put before each text what the model wants for this task"},
    {KEY_DECODE, "decode", NULL, "the other way: a stream of ids to texts"},
    {KEY_RAW, "raw", NULL, "with --decode: special tokens too"},
    {0},
};

typedef struct Tok {
    Args args;
    RecSpec input;
    Fields fields;
    RowSpec spec;
    const char *labels, *candidates, *template, *task; /* as given */
    int64_t max;                                       /* -1: the model's */
    bool ids, decode, raw, reads_text;
    char *model_name, *labels_json, *candidates_json, *task_prefix;
    Candidates classes; /* of -z */
    Tokenizer *tokenizer;
} Tok;

static char delimiter(const char *s)
{
    if (strcmp(s, "\\t") == 0)
        return '\t';
    if (!s[0] || s[1] || strchr("\"\r\n", s[0]) || s[0] & 0x80)
        die_usage("-d: '%s' is no delimiter: one character of ASCII, or \\t", s);
    return s[0];
}

/* One kind of records; -H and -d then say how CSV is. */
static void set_kind(Tok *t, RecKind kind)
{
    if (t->input.kind != REC_LINES && t->input.kind != kind)
        die_usage("-c, -J, -0 and --conll exclude each other");
    t->input.kind = kind;
    if (kind != REC_NUL)
        t->fields.text = t->args.value;
}

/* Options that say how text is read; --decode reads none. */
static void set_option(Tok *t, int key)
{
    static const char *const truncs[] = {"longest", "first", "second", NULL};
    Args *a = &t->args;
    t->reads_text |= key != KEY_DECODE && key != KEY_RAW && key != '0';
    switch (key) {
    case 'c': set_kind(t, REC_CSV); break;
    case 'J': set_kind(t, REC_JSON); break;
    case '0': set_kind(t, REC_NUL); break;
    case 'H': t->input.header = false; break;
    case 'd': t->input.delimiter = delimiter(a->value); break;
    case 'p': t->fields.pair = a->value; break;
    case 'l': t->fields.label = a->value; break;
    case 'w': t->fields.weight = a->value; break;
    case 'k':
        if (fields_keep(&t->fields, a->value) < 0)
            die_usage("-k %s is there twice", a->value);
        break;
    case 'n': t->max = args_int(a, 0, INT32_MAX); break;
    case 'S': t->spec.stride = args_int(a, 0, INT32_MAX); break;
    case KEY_TRUNC: t->spec.trunc = (Trunc)args_word(a, truncs); break;
    case KEY_LABELS: t->labels = a->value; break;
    case KEY_PREFIX: t->spec.prefix = a->value; break;
    case KEY_TASK: t->task = a->value; break;
    case KEY_IDS: t->ids = true; break;
    case KEY_CONLL: set_kind(t, REC_CONLL); break;
    case 'z': t->candidates = a->value; break;
    case KEY_TEMPLATE: t->template = a->value; break;
    case KEY_DECODE: t->decode = true; break;
    case KEY_RAW: t->raw = true; break;
    }
}

static void check_columns(const Tok *t)
{
    const Fields *f = &t->fields;
    bool csv = t->input.kind == REC_CSV, conll = t->input.kind == REC_CONLL;
    if (!csv && (!t->input.header || t->input.delimiter != ','))
        die_usage("-H and -d are about CSV: name the text's column with -c");
    if (!f->text && (f->pair || f->label || f->weight || f->keeps))
        die_usage("-p, -l, -w and -k name columns: say which the text is in, with -c or -J");
    if (t->labels && !f->label && !conll)
        die_usage("--labels needs the label's column: -l COL, or --conll");
}

static void check_options(const Tok *t)
{
    bool prefix = t->spec.prefix || t->task, conll = t->input.kind == REC_CONLL;
    if (t->decode && t->reads_text)
        die_usage("--decode reads ids: of the options about text it takes -0 and --raw");
    if (t->raw && !t->decode)
        die_usage("--raw is about --decode");
    check_columns(t);
    if (t->ids && (t->fields.pair || prefix || conll || t->spec.stride >= 0))
        die_usage("--ids takes no -p, -S, --prefix and --conll: its rows are as they come");
    if (t->candidates &&
        (t->fields.pair || t->ids || conll || t->spec.stride >= 0 || t->spec.trunc))
        die_usage("-z makes the pairs and cuts the first text: no -p, -S, --trunc, --ids, --conll");
    if (t->template && !t->candidates)
        die_usage("--template says how a candidate is put: give some with -z A,B,...");
    if (conll && prefix)
        die_usage("--conll takes no --prefix: its words stand by themselves");
    if (t->task && t->spec.prefix)
        die_usage("--task and --prefix both say what stands before the text: give one");
}

static void read_candidates(Tok *t)
{
    Err e = {0};
    const char *template = t->template ? t->template : "This example is {}.";
    if (!t->candidates)
        return;
    if (candidates_parse(&t->classes, t->candidates, template, &e) < 0)
        die_usage("-z: %s", e.text);
    t->candidates_json = candidates_json(&t->classes);
    t->spec.candidate = t->classes.text;
    t->spec.candidates = t->classes.count;
}

static void read_options(Tok *t, int argc, char **argv)
{
    Err e = {0};
    t->args =
        args_begin("tok", "[option ...] [file ...]", "text to ids, and back", options, argc, argv);
    for (int k; (k = args_next(&t->args)) != -1;)
        set_option(t, k);
    check_options(t);
    if (t->labels && labels_parse(&t->fields.labels, t->labels, &e) < 0)
        die_usage("--labels: %s", e.text);
    if (t->labels)
        t->labels_json = labels_json(&t->fields.labels);
    read_candidates(t);
    fields_ask(&t->fields, &t->input, &t->spec);
}

/* The tokenizer and the model's name. --ids needs no model, but names the one given. */
static int load(Tok *t, Err *e)
{
    const char *given = t->args.common.model, *env = getenv("WEFT_MODEL");
    if (t->ids && !given && !(env && *env))
        return 0;
    char *folder = model_find(given, e);
    char *from = folder ? model_tokenizer_folder(folder, e) : NULL;
    if (from) {
        t->model_name = model_name(given, folder);
        t->tokenizer = t->ids ? NULL : model_tokenizer(from, e);
    }
    if (from && t->task)
        t->spec.prefix = t->task_prefix = task_prefix(folder, t->task, e);
    bool bad = !from || (!t->ids && !t->tokenizer) || (t->task && !t->task_prefix);
    free(from);
    free(folder);
    return bad ? -1 : 0;
}

/* How long a row may be, once the model is known. */
static void set_length(Tok *t)
{
    t->spec.tokenizer = t->tokenizer;
    t->spec.max = t->max >= 0 ? t->max : t->tokenizer ? tokenizer_max_length(t->tokenizer) : 0;
    if (!t->tokenizer)
        return;
    bool pair = t->spec.pair || t->spec.candidates;
    int own = tokenizer_template(t->tokenizer, pair)->specials;
    if (t->spec.max && t->spec.max <= own)
        die_usage("-n %" PRId64 " leaves no room for text: special tokens alone are %d",
                  t->spec.max, own);
    if (t->spec.stride >= 0 && !t->spec.max)
        die_usage("-S needs a length of windows: the model has no maximum, give -n N");
}

static int run(const Tok *t, Out *out, Err *e)
{
    int64_t n = 0;
    char mask[16] = "";
    int32_t id = t->tokenizer ? tokenizer_special(t->tokenizer, TOK_MASK) : -1;
    if (id >= 0) /* `head` need not read the tokenizer for it */
        snprintf(mask, sizeof mask, "%" PRId32, id);
    Tokenise in = {.files = t->args.files,
                   .nfiles = t->args.nfiles,
                   .input = &t->input,
                   .rows = &t->spec,
                   .fields = &t->fields,
                   .threads = t->args.common.threads,
                   .meta = {{"model", t->model_name},
                            {"vocab", t->tokenizer ? tokenizer_fingerprint(t->tokenizer) : NULL},
                            {"mask", *mask ? mask : NULL},
                            {"labels", t->labels_json},
                            {"candidates", t->candidates_json}}};
    if (tokenise_run(&in, out, &n, e) < 0)
        return -1;
    if (n)
        msg_note("%" PRId64 " row%s cut to %" PRId64 " tokens", n, n == 1 ? "" : "s", t->spec.max);
    return 0;
}

static int encode(Tok *t)
{
    Err e = {0};
    Out *out = out_open();
    int bad = load(t, &e);
    if (!bad) {
        set_length(t);
        bad = run(t, out, &e);
    }
    if (bad)
        out_fail(out);
    if (out_close(out, bad ? &(Err){0} : &e) < 0 || bad)
        die(&e);
    return 0;
}

static int decode(const Tok *t)
{
    Err e = {0};
    Detokenise texts = {
        .from.model = t->args.common.model, .raw = t->raw, .nul = t->input.kind == REC_NUL};
    In *in = in_open(t->args.files, t->args.nfiles);
    if (detokenise_run(&texts, in, &e) < 0)
        die(&e);
    in_close(in);
    detokenise_clear(&texts);
    return 0;
}

static void clear(Tok *t)
{
    tokenizer_free(t->tokenizer);
    fields_clear(&t->fields);
    candidates_free(&t->classes);
    free(t->model_name);
    free(t->labels_json);
    free(t->candidates_json);
    free(t->task_prefix);
    free(t->input.column);
}

int main(int argc, char **argv)
{
    Tok t = {.input = {.header = true, .delimiter = ','}, .spec = {.stride = -1}, .max = -1};
    read_options(&t, argc, argv);
    int status = t.decode ? decode(&t) : encode(&t);
    clear(&t);
    return status;
}
