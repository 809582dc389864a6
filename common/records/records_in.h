/* records_in.h - what the files of the records reader share; for records*.c alone. */
#ifndef WEFT_RECORDS_IN_H
#define WEFT_RECORDS_IN_H

#include "records/records.h"

typedef struct Csv Csv;
typedef struct Conll Conll;
typedef struct Files Files;

/* The bytes of one file after another, read on and moved along. */
typedef struct Window {
    char **files;
    int nfiles, at; /* at: the file being read */
    int fd;         /* -1: none is open */
    const char *place;
    bool fresh;     /* nothing of this file has been taken yet */
    bool eof;       /* no more bytes come from this file */
    bool idle_told; /* REC_IDLE was returned since the last bytes came */
    bool nul_ends;  /* a NUL byte is no fault */
    bool suspect;   /* among the bytes of this file is one that no text has */
    char *p;
    size_t begin, end, cap; /* p[begin, end) waits to be taken */
    size_t checked;         /* p[.., checked) has been looked through for such bytes; before
                               begin where a character is not whole yet */
} Window;

/* The next file: 1, 0 after the last one, -1. */
int window_open(Window *s, Err *e);
/* More bytes behind p[end): 1, REC_IDLE, 0 at the end of the file, -1. They may move. */
int window_fill(Window *s, Err *e);
/* The next line (up to `end`, which is taken but not part of it): 1, REC_IDLE, 0, -1. */
int window_line(Window *s, char end, Str *line, Err *e);

struct Records {
    RecSpec spec;
    Window in;
    int64_t number, in_file; /* of the record last given out; in_file 0: none yet */
    Str *field;
    bool *null;
    Csv *csv;
    Conll *conll;
    Files *files;
    void *object;            /* JSON: the record being given out */
    char (*number_text)[40]; /* JSON: text of numbers, one a field */
    bool failed;
    Err fault; /* what rec_next goes on to say once it failed */
};

int rec_text(Str s, Err *e); /* is it UTF-8 without NUL? Not asked where the file is not suspect */

Csv *rec_csv_open(const RecSpec *spec);
void rec_csv_close(Csv *c);
void rec_csv_begin(Csv *c); /* a new file */
bool rec_csv_in_header(const Csv *c);
/* The next record's fields: 1, REC_IDLE, 0, -1 (the text without place). */
int rec_csv_next(Csv *c, Window *in, Str *field, Err *e);

Conll *rec_conll_open(void);
void rec_conll_close(Conll *c);
void rec_conll_begin(Conll *c); /* a new file */
/* The next sentence: 1, REC_IDLE, 0, -1. */
int rec_conll_next(Records *r, Err *e);
/* Its words, and how many. */
const RecWord *rec_conll_words(const Conll *c, size_t *n);

/* Whole files, those that `in` was to read, and for "-" those that standard input names. */
Files *rec_files_open(Window *in);
void rec_files_close(Files *f);
/* The next of them into r->in: 1, REC_IDLE, 0 after the last, -1: *e with place. */
int rec_files_begin(Records *r, Err *e);
/* Says of a fault in it which one it is, where the place does not. */
void rec_files_at(const Files *f, Err *e);
/* All of it into r->field, once: 1, REC_IDLE, 0 the second time, -1. */
int rec_files_next(Records *r, Err *e);

/* One line's object into r->field and r->null; they live until the next call. 0 or -1. */
int rec_json(Records *r, Str line, Err *e);
void rec_json_release(Records *r);

#endif
