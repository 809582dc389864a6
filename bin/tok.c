/* tok - text to ids. */
#include "base/msg.h"
#include "base/opt.h"
#include "io/records.h"
#include "io/stream.h"
#include "model/find.h"
#include "text/fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_IDS = OPT_LONG, KEY_LABELS, KEY_TRUNC, KEY_PREFIX, KEY_TEMPLATE, KEY_CONLL, KEY_DECODE,
    KEY_RAW
};

static const Opt options[] = {
    {'c', "column", "COL", "CSV: the text is in COL, a name or a number from 1"},
    {'H', "no-header", NULL, "the CSV has no header line"},
    {'d', "delimiter", "C", "the CSV's delimiter (\\t: a tab)"},
    {'J', "json", "FIELD", "JSON lines: the text is in FIELD"},
    {'0', NULL, NULL, "texts end in NUL, not in a newline"},
    {KEY_IDS, "ids", NULL, "rows of ids as numbers instead of texts"},
    {'p', "pair", "COL", "the second text"},
    {'l', "label", "COL", "the label"},
    {'w', "weight", "COL", "the row's weight"},
    {'k', "keep", "COL", "carry this column along (repeatable)"},
    {KEY_LABELS, "labels", "A,B|0=A,4=B", "the classes in their order, raw values renamed"},
    {'n', "max-length", "N", "most tokens a row (the model's maximum; 0: no limit)"},
    {KEY_TRUNC, "trunc", "longest|first|second", "which text of a pair is cut (longest)"},
    {'S', "stride", "N", "windows that overlap by N tokens instead of cutting"},
    {KEY_PREFIX, "prefix", "T", "put T before each text"},
    {'z', "candidates", "A,B", "zero-shot classification (with a later version)"},
    {KEY_TEMPLATE, "template", "T", "how a candidate is put (with a later version)"},
    {KEY_CONLL, "conll", NULL, "words and their tags (with a later version)"},
    {KEY_DECODE, "decode", NULL, "ids to text (with a later version)"},
    {KEY_RAW, "raw", NULL, "special tokens stay in the text (with a later version)"},
    {0},
};

typedef struct Tok {
    Args args;
    RecSpec input;
    Fields fields;
    RowSpec spec;
    const char *labels; /* as given */
    int64_t max;        /* -1: the model's */
    bool ids;
    char *model_name, *labels_json;
    Tokenizer *tokenizer;
    Records *records;
    Rows *rows;
    Out *out;
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
        die_usage("-c, -J and -0 exclude each other");
    t->input.kind = kind;
    if (kind != REC_NUL)
        t->fields.text = t->args.value;
}

static void set_option(Tok *t, int key)
{
    static const char *const truncs[] = {"longest", "first", "second", NULL};
    Args *a = &t->args;
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
    case KEY_PREFIX: t->fields.prefix = a->value; break;
    case KEY_IDS: t->ids = true; break;
    case 'z': die_usage("--candidates comes with a later version of weft");
    case KEY_TEMPLATE: die_usage("--template comes with a later version of weft");
    case KEY_CONLL: die_usage("--conll comes with a later version of weft");
    case KEY_DECODE: die_usage("--decode comes with a later version of weft");
    case KEY_RAW: die_usage("--raw comes with a later version of weft");
    }
}

static void check_options(const Tok *t)
{
    const Fields *f = &t->fields;
    bool csv = t->input.kind == REC_CSV;
    if (!csv && (!t->input.header || t->input.delimiter != ','))
        die_usage("-H and -d are about CSV: name the text's column with -c");
    if (!f->text && (f->pair || f->label || f->weight || f->keeps))
        die_usage("-p, -l, -w and -k name columns: say which the text is in, with -c or -J");
    if (t->labels && !f->label)
        die_usage("--labels needs the label's column: -l COL");
    if (t->ids && (f->pair || f->prefix || t->spec.stride >= 0))
        die_usage("--ids takes no -p, -S and --prefix: its rows are as they come");
}

static void read_options(Tok *t, int argc, char **argv)
{
    Err e = {0};
    t->args = args_begin("tok", "[option ...] [file ...]", "text to ids", options, argc, argv);
    for (int k; (k = args_next(&t->args)) != -1;)
        set_option(t, k);
    check_options(t);
    if (t->labels && labels_parse(&t->fields.labels, t->labels, &e) < 0)
        die_usage("--labels: %s", e.text);
    if (t->labels)
        t->labels_json = labels_json(&t->fields.labels);
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
        t->tokenizer = t->ids ? NULL : tokenizer_load(from, e);
    }
    bool bad = !from || (!t->ids && !t->tokenizer);
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
    int own = tokenizer_template(t->tokenizer, t->spec.pair)->specials;
    if (t->spec.max && t->spec.max <= own)
        die_usage("-n %" PRId64 " leaves no room for text: special tokens alone are %d",
                  t->spec.max, own);
    if (t->spec.stride >= 0 && !t->spec.max)
        die_usage("-S needs a length of windows: the model has no maximum, give -n N");
}

/* Sends the rows that wait; with `end` even if there are none. 0 or -1. */
static int send(Tok *t, bool end, Err *e)
{
    if (!end && !rows_waiting(t->rows))
        return 0;
    Frame *f = rows_take(t->rows);
    f->end = end ? END_OK : END_NONE;
    if (t->model_name)
        frame_set_meta(f, "model", t->model_name);
    if (t->tokenizer)
        frame_set_meta(f, "vocab", tokenizer_fingerprint(t->tokenizer));
    if (t->labels_json)
        frame_set_meta(f, "labels", t->labels_json);
    return out_write(t->out, f, e);
}

/* A record into the rows. */
static int put(Tok *t, const Record *rec, Err *e)
{
    RowIn row;
    if (fields_row(&t->fields, &t->input, rec, &row, e) == 0 &&
        rows_add(t->rows, &row, e) == 0)
        return 0;
    return err_at(e, "%s: record %" PRId64, rec->place, rec->in_file);
}

/* All records to the stream. 0, or -1 after what came before the fault was sent. */
static int run(Tok *t, Err *e)
{
    Record rec;
    Err unsent = {0};
    int k;
    while ((k = rec_next(t->records, &rec, e)) > 0) {
        if (k == REC_GOT && (k = put(t, &rec, e)) < 0)
            break;
        if ((k == REC_IDLE || rows_full(t->rows)) && send(t, false, e) < 0)
            return -1;
    }
    if (k == 0)
        return send(t, true, e);
    if (send(t, false, &unsent) < 0)
        *e = unsent;
    return -1;
}

static void tell_cut(const Tok *t)
{
    int64_t n = rows_cut(t->rows);
    if (n)
        msg_note("%" PRId64 " row%s cut to %" PRId64 " tokens", n, n == 1 ? "" : "s",
                 t->spec.max);
}

static void clear(Tok *t)
{
    rec_close(t->records);
    rows_free(t->rows);
    tokenizer_free(t->tokenizer);
    fields_clear(&t->fields);
    free(t->model_name);
    free(t->labels_json);
    free(t->input.column);
}

int main(int argc, char **argv)
{
    Tok t = {.input = {.header = true, .delimiter = ','}, .spec = {.stride = -1}, .max = -1};
    Err e = {0};
    read_options(&t, argc, argv);
    t.out = out_open();
    int bad = load(&t, &e);
    if (!bad) {
        set_length(&t);
        t.records = rec_open(t.args.files, t.args.nfiles, &t.input);
        t.rows = rows_new(&t.spec);
        bad = run(&t, &e);
    }
    if (bad)
        out_fail(t.out);
    if (out_close(t.out, bad ? &(Err){0} : &e) < 0 || bad)
        die(&e);
    tell_cut(&t);
    clear(&t);
    return 0;
}
