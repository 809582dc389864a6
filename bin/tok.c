/* tok - text to ids. */
#include "base/msg.h"
#include "base/opt.h"
#include "bin/programs.h"
#include "filter/detokenise.h"
#include "filter/retokenise.h"

#include <string.h>
#include <unistd.h>

typedef struct Tok {
    TextOptions text;
    bool decode, raw, stream, json;
} Tok;

enum { KEY_CONLL = OPT_LONG, KEY_DECODE, KEY_RAW, KEY_STREAM, KEY_JSON };

static const char *const truncs[] = {"longest", "first", "second", NULL};

static const Opt options[] = {
    {'c', "column", "COL", "CSV: the text is in COL, a name or a number from 1", OPT_KEY},
    {'H', "no-header", NULL, "the CSV has no header line", OPT_KEY},
    {'d', "delimiter", "C", "the CSV's delimiter (\\t: a tab)", OPT_KEY},
    {'J', "json", "FIELD", "JSON lines: the text is in FIELD", OPT_KEY},
    {'0', NULL, NULL, "texts end in NUL, not in a newline", OPT_KEY},
    {'F', "files", NULL, "a file each row: operands, or lines of stdin, name them", OPT_KEY},
    {0, "label-dir", NULL, "with -F: the folder's name is the label",
     OPT_FLAG(Tok, text.label_dir)},
    {KEY_CONLL, "conll", NULL, "a word and its tag a line, an empty line behind a sentence",
     OPT_KEY},
    {0, "ids", NULL, "rows of ids as numbers instead of texts", OPT_FLAG(Tok, text.ids)},
    {'p', "pair", "COL", "the second text", OPT_TEXT(Tok, text.fields.pair)},
    {'l', "label", "COL", "the label", OPT_TEXT(Tok, text.fields.label)},
    {'w', "weight", "COL", "the row's weight", OPT_TEXT(Tok, text.fields.weight)},
    {0, "start", "COL", "where the label, an answer, starts in the pair, in characters",
     OPT_TEXT(Tok, text.fields.start)},
    {'k', "keep", "COL", "carry this column along (repeatable)", OPT_KEY},
    {0, "labels", "A,B|0=A,4=B", "the classes in their order, raw values renamed",
     OPT_TEXT(Tok, text.labels)},
    {'n', "max-length", "N", "most tokens a row (the model's maximum; 0: no limit)",
     OPT_INT(Tok, text.max, 0, INT32_MAX)},
    {0, "trunc", "longest|first|second", "which text of a pair is cut (longest)",
     OPT_WORD(Tok, text.rows.trunc, TRUNC_LONGEST, truncs)},
    {'S', "stride", "N", "windows that overlap by N tokens instead of cutting",
     OPT_INT(Tok, text.rows.stride, 0, INT32_MAX)},
    {'z', "candidates", "A,B", "zero-shot classification: a row for each of these",
     OPT_TEXT(Tok, text.candidates)},
    {0, "template", "T", "what is said with a candidate (This example is {}.)",
     OPT_TEXT(Tok, text.template)},
    {0, "prefix", "T", "put T before each text", OPT_TEXT(Tok, text.rows.prefix)},
    {0, "task", "NAME", "put before each text what the model wants for this task",
     OPT_TEXT(Tok, text.task)},
    {KEY_DECODE, "decode", NULL, "the other way: ids to texts, or with --json to objects",
     OPT_FLAG(Tok, decode)},
    {KEY_RAW, "raw", NULL, "with --decode: special tokens too", OPT_FLAG(Tok, raw)},
    {KEY_STREAM, "stream", NULL, "with --decode: no row waits for another, on a terminal",
     OPT_FLAG(Tok, stream)},
    {0},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const Opt decode_json = {KEY_JSON, "json", NULL, "an object a row", OPT_FLAG(Tok, json)};

/* The list where ids are read: --json names no field then. */
static const Opt *decode_options(void)
{
    static Opt list[OPTIONS + 1];
    for (int i = 0; i < OPTIONS; i++) {
        list[i] = options[i];
        if (list[i].key == 'J')
            list[i].name = NULL;
    }
    list[OPTIONS - 1] = decode_json;
    return list;
}

/* Is --decode among the arguments? What they mean depends on it. */
static bool decodes(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--decode") == 0)
            return true;
    return false;
}

static int set_option(TextOptions *t, int key, const char *value, Err *e)
{
    switch (key) {
    case 'c': return text_options_kind(t, REC_CSV, value, e);
    case 'J': return text_options_kind(t, REC_JSON, value, e);
    case '0': return text_options_kind(t, REC_NUL, NULL, e);
    case KEY_CONLL: return text_options_kind(t, REC_CONLL, NULL, e);
    case 'F': return text_options_files(t, e);
    case 'd': return text_options_delimiter(t, value, e);
    case 'k': return text_options_keep(t, value, e);
    default: t->input.header = false; return 0;
    }
}

/* Was any option given that says how text is read? --decode reads none. */
static bool reads_text(const Args *a)
{
    for (const Opt *o = a->own; o->help; o++)
        if (args_given(a, o) && o->key != '0' && o->key < KEY_DECODE)
            return true;
    return false;
}

static Args read_options(Tok *t, int argc, char **argv)
{
    Err e = {0};
    const Opt *own = decodes(argc, argv) ? decode_options() : options;
    Args a = args_begin(PROGRAM(tok), own, t, argc, argv);
    for (int k; (k = args_next(&a)) != -1;)
        if (set_option(&t->text, k, a.value, &e) < 0)
            die(&e);
    if (t->decode && reads_text(&a))
        die_usage("--decode reads ids: of the options about text it takes -0, --raw, --json and "
                  "--stream");
    if ((t->raw || t->stream) && !t->decode)
        die_usage("%s is about --decode", t->raw ? "--raw" : "--stream");
    if (t->json && t->text.input.kind == REC_NUL)
        die_usage("--json writes a line a row: not with -0");
    if (text_options_ready(&t->text, &e) < 0)
        die(&e);
    return a;
}

/* Texts, or rows of a stream that have some; the program's exit status. */
static int encode(Tok *t, const Args *a)
{
    Err e = {0}, unsaid = {0};
    TokeniseTexts texts = {.common = &a->common, .options = &t->text};
    int bad = tokenise_texts_open(&texts, &e), streams = 0;
    if (!bad && (streams = streams_given(a->files, a->nfiles, &e)) > 0)
        bad = text_options_stream(&t->text, &e);
    if (!bad && streams > 0) {
        int status = retokenise_run(&texts, a->files, a->nfiles);
        tokenise_texts_close(&texts);
        return status;
    }
    bad = bad || streams < 0 || tokenise_texts_fit(&texts, &e) < 0 ? -1 : 0;
    if (bad && e.usage)
        die(&e);
    Out *out = out_open();
    if (bad || (bad = tokenise_texts_run(&texts, a->files, a->nfiles, out, &e)) < 0)
        out_fail(out);
    if (out_close(out, bad ? &unsaid : &e) < 0 || bad)
        die(&e);
    tokenise_texts_close(&texts);
    return 0;
}

static void decode(const Tok *t, const Args *a)
{
    Err e = {0};
    bool nul = t->text.input.kind == REC_NUL;
    Detokenise texts = {.from.model = a->common.model,
                        .raw = t->raw,
                        .nul = nul,
                        .json = t->json,
                        .stream = t->stream && isatty(STDOUT_FILENO)};
    In *in = in_open(a->files, a->nfiles);
    if (detokenise_run(&texts, in, &e) < 0)
        die(&e);
    in_close(in);
    detokenise_clear(&texts);
}

int main(int argc, char **argv)
{
    Tok t = {.text = text_options_default};
    Args a = read_options(&t, argc, argv);
    int status = 0;
    if (t.decode)
        decode(&t, &a);
    else
        status = encode(&t, &a);
    text_options_clear(&t.text);
    return status;
}
