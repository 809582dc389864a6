#include "rows/text_options.h"

#include <stdlib.h>
#include <string.h>

const TextOptions text_options_default = {
    .input = {.header = true, .delimiter = ','}, .rows = {.stride = -1}, .max = -1};

int text_options_kind(TextOptions *t, RecKind kind, const char *column, Err *e)
{
    if (t->input.kind != REC_LINES && t->input.kind != kind)
        return err_usage(e, "-c, -J, -0, -F and --conll exclude each other");
    t->input.kind = kind;
    if (column)
        t->fields.text = column;
    return 0;
}

int text_options_files(TextOptions *t, Err *e)
{
    return text_options_kind(t, REC_FILE, "text", e);
}

int text_options_delimiter(TextOptions *t, const char *text, Err *e)
{
    bool tab = strcmp(text, "\\t") == 0;
    if (!tab && (!text[0] || text[1] || strchr("\"\r\n", text[0]) || text[0] & 0x80))
        return err_usage(e, "-d: '%s' is no delimiter: one character of ASCII, or \\t", text);
    t->input.delimiter = tab ? '\t' : text[0];
    return 0;
}

int text_options_keep(TextOptions *t, const char *column, Err *e)
{
    if (fields_keep(&t->fields, column) < 0)
        return err_usage(e, "-k %s is there twice", column);
    return 0;
}

static int check_columns(const TextOptions *t, Err *e)
{
    const Fields *f = &t->fields;
    bool csv = t->input.kind == REC_CSV, conll = t->input.kind == REC_CONLL;
    if (!csv && (!t->input.header || t->input.delimiter != ','))
        return err_usage(e, "-H and -d are about CSV: name the text's column with -c");
    if (t->input.kind == REC_FILE && (f->pair || f->label || f->weight || f->start || f->keeps))
        return err_usage(e, "-F reads files whole, which have no columns: no -p, -l, -w, -k, "
                            "--start");
    if (t->label_dir && t->input.kind != REC_FILE)
        return err_usage(e, "--label-dir is about files that are a row each: -F");
    if (!f->text && (f->pair || f->label || f->weight || f->start || f->keeps))
        return err_usage(e, "-p, -l, -w, -k and --start name columns: say which the text is in, "
                            "with -c or -J");
    if (f->start && (!f->pair || !f->label))
        return err_usage(e, "--start is about the answer, -l COL, in the second text, -p COL");
    if (t->labels && !f->label && !conll && !t->label_dir)
        return err_usage(e,
                         "--labels needs the label's column: -l COL, or --label-dir, or --conll");
    return 0;
}

static int check_rows(const TextOptions *t, Err *e)
{
    bool prefix = t->rows.prefix || t->task, conll = t->input.kind == REC_CONLL;
    bool windows = t->rows.stride >= 0;
    if (t->ids && (t->fields.pair || prefix || conll || windows))
        return err_usage(e,
                         "--ids takes no -p, -S, --prefix and --conll: its rows are as they come");
    if (t->candidates && (t->fields.pair || t->ids || conll || windows || t->rows.trunc))
        return err_usage(
            e, "-z makes the pairs and cuts the first text: no -p, -S, --trunc, --ids, --conll");
    if (t->template && !t->candidates)
        return err_usage(e, "--template says how a candidate is put: give some with -z A,B,...");
    if (conll && prefix)
        return err_usage(e, "--conll takes no --prefix: its words stand by themselves");
    if (t->task && t->rows.prefix)
        return err_usage(e, "--task and --prefix both say what stands before the text: give one");
    return 0;
}

static int read_labels(TextOptions *t, Err *e)
{
    Err why = {0};
    if (!t->labels)
        return 0;
    if (labels_parse(&t->fields.labels, t->labels, &why) < 0)
        return err_usage(e, "--labels: %s", why.text);
    t->labels_json = labels_json(&t->fields.labels);
    return 0;
}

static int read_candidates(TextOptions *t, Err *e)
{
    Err why = {0};
    const char *template = t->template ? t->template : "This example is {}.";
    if (!t->candidates)
        return 0;
    if (candidates_parse(&t->classes, t->candidates, template, &why) < 0)
        return err_usage(e, "-z: %s", why.text);
    t->candidates_json = candidates_json(&t->classes);
    t->rows.candidate = t->classes.text;
    t->rows.candidates = t->classes.count;
    return 0;
}

int text_options_ready(TextOptions *t, Err *e)
{
    if (check_columns(t, e) < 0 || check_rows(t, e) < 0 || read_labels(t, e) < 0 ||
        read_candidates(t, e) < 0)
        return -1;
    if (t->label_dir)
        t->fields.label = "folder";
    fields_ask(&t->fields, &t->input, &t->rows);
    return 0;
}

int text_options_stream(const TextOptions *t, Err *e)
{
    if (t->input.kind == REC_LINES && !t->ids && !t->labels && !t->candidates)
        return 0; /* columns need -c or -J */
    return err_usage(e, "a stream has its texts, pairs and labels in its rows: of the options "
                        "about text it takes -n, --trunc, -S, --prefix and --task");
}

void text_options_clear(TextOptions *t)
{
    fields_clear(&t->fields);
    candidates_free(&t->classes);
    free(t->labels_json);
    free(t->candidates_json);
    free(t->input.column);
}
