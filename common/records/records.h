/* records.h - text comes in as records: lines, NUL-separated pieces, CSV (libcsv), JSON lines,
 * sentences with a word a line (CoNLL), whole files.
 *
 *     RecSpec spec = {.kind = REC_CSV, .header = true, .delimiter = ',',
 *                     .column = names, .columns = 2};
 *     Records *r = rec_open(files, nfiles, &spec);
 *     Record rec;
 *     while ((k = rec_next(r, &rec, &e)) > 0)
 *         if (k == REC_GOT) use(rec.field[0], rec.field[1]);
 *         else flush();                       // REC_IDLE: nothing came for 10 ms
 *
 * Every field is checked to be UTF-8 without NUL bytes. A byte order mark at a file's beginning
 * is skipped. CRLF ends a line as LF does; the last record needs no newline. */
#ifndef WEFT_RECORDS_H
#define WEFT_RECORDS_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>

typedef enum RecKind { REC_LINES, REC_NUL, REC_CSV, REC_JSON, REC_CONLL, REC_FILE } RecKind;

typedef struct RecSpec {
    RecKind kind;
    bool header;         /* CSV: each file's first record names its columns */
    char delimiter;      /* CSV */
    const char **column; /* CSV: a header name, or a number from 1; JSON: a field's name.
                            LINES and NUL have the one field and need no names. CONLL has
                            two: the sentence, its words joined by a space, and their tags,
                            one behind the other; null where the file has no tags.
                            FILE: the text, and where a second column is asked for the name of
                            the folder that the file is in. */
    int columns;
    int needed; /* JSON: a record that lacks one of the first so many is a fault */
} RecSpec;

/* CONLL: bytes [start, end) of the sentence, and of the tags, that a word takes in. */
typedef struct RecWord {
    int32_t text[2], tag[2];
} RecWord;

typedef struct Record {
    const Str *field;    /* one per column asked for; valid until the next call */
    const bool *null;    /* JSON: the field was null or absent (field is empty then) */
    const RecWord *word; /* CONLL */
    size_t words;
    int64_t number;    /* 0-based over all files */
    int64_t in_file;   /* from 1 within its file, a CSV header not counted */
    const char *place; /* "stdin" or the file's name */
} Record;

typedef struct Records Records;
enum { REC_GOT = 1, REC_IDLE = 2 };

Records *rec_open(char **files, int nfiles, const RecSpec *spec);
/* REC_GOT, REC_IDLE, 0 at the end of the last file, or -1: *e with place and record
 * ("reviews.csv: record 7: 2 fields, but the header has 15: quote fields that hold commas").
 * Faults: a file that cannot be read, a missing column (message lists those there), a short or
 * long row, a quote left open, broken JSON, or more than JSON_VALUES of it, a field that is no
 * string (numbers and booleans are taken as their text), a line of a sentence with other columns
 * than the first, bytes that are not UTF-8 (byte offset in the field; remedy: iconv), a NUL byte,
 * more than REC_MAX or REC_COLUMNS. */
int rec_next(Records *r, Record *rec, Err *e);
void rec_close(Records *r);

enum {
    REC_MAX = 1 << 30,     /* bytes a record */
    REC_COLUMNS = 1 << 14, /* columns that a CSV header names */
};

#endif
