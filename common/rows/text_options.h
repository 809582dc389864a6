/* text_options.h - what `tok` is asked to do with texts: its options, what they mean together, and
 * what is made of them for readers and rows. What is wrong with them is a usage error.
 *
 *     TextOptions t = text_options_default;
 *     // each option sets a field, or text_options_kind(&t, REC_CSV, "text", &e) and the like
 *     text_options_ready(&t, &e);
 *     // t.input, t.rows and t.fields are for rows/tokenise.h, but that rows.tokenizer, rows.max
 * and
 *     // the prefix of a task are the model's to tell: filter/tokenise_texts.h */
#ifndef WEFT_TEXT_OPTIONS_H
#define WEFT_TEXT_OPTIONS_H

#include "rows/candidates.h"
#include "rows/fields.h"

typedef struct TextOptions {
    RecSpec input;
    Fields fields;
    RowSpec rows;
    const char *labels, *candidates, *template, *task; /* as given; NULL: not */
    int64_t max;                                       /* most tokens a row; -1: the model's */
    bool ids;                                          /* rows of ids as numbers */
    bool label_dir;                                    /* files: the folder's name is the label */
    /* made by text_options_ready */
    Candidates classes;
    char *labels_json, *candidates_json; /* for the stream's metadata, or NULL */
} TextOptions;

extern const TextOptions text_options_default;

/* What the texts are: one kind of records, with the text's column where they have some. */
int text_options_kind(TextOptions *t, RecKind kind, const char *column, Err *e);
int text_options_files(TextOptions *t, Err *e);                       /* whole files */
int text_options_delimiter(TextOptions *t, const char *text, Err *e); /* a character, or \t */
int text_options_keep(TextOptions *t, const char *column, Err *e);    /* one more column to keep */

/* After the last option. */
int text_options_ready(TextOptions *t, Err *e);
/* The texts are those of a stream's rows: -1 where an option says how others are read. */
int text_options_stream(const TextOptions *t, Err *e);
void text_options_clear(TextOptions *t);

#endif
