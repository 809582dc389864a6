/* fields.h - which columns of the input mean what, and records as rows of them. */
#ifndef WEFT_FIELDS_H
#define WEFT_FIELDS_H

#include "records/records.h"
#include "rows/labels.h"
#include "rows/rows.h"

typedef struct Fields {
    const char *text, *pair, *label, *weight, *start; /* columns' names; NULL: not asked for */
    const char **keep;
    int keeps;
    Labels labels;
} Fields;

/* One more kept column; -1: it is there already. */
int fields_keep(Fields *f, const char *column);
/* What the reader and the rows need to know of it. in->column is then the caller's to free. */
void fields_ask(const Fields *f, RecSpec *in, RowSpec *rows);
/* A record as fields_ask() has asked for it. Valid until the next record. */
int fields_row(const Fields *f, const RecSpec *in, const Record *rec, RowIn *row, Err *e);
void fields_clear(Fields *f);

#endif
