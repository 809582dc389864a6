/* group.h - rows that belong to one record (windows of a long text, candidates) are neighbours
 * with the same row.source, also across frames; a stream's end closes a group. */
#ifndef WEFT_GROUP_H
#define WEFT_GROUP_H

#include "io/record_cursor.h"

typedef struct Group {
    RecordCursor at;
    int64_t unit; /* the record that is open, of those so far */
    bool open;
} Group;

/* Does this row begin another record? Then the one that is open is to be answered and closed,
 * and the row's to be opened. */
bool group_turns(Group *g, const Frame *f, int64_t row);
void group_open(Group *g);
void group_close(Group *g); /* whatever row comes next begins another record */
/* Is this surely its record's last window over `text` (row.text, row.pair), whose tokens are
 * those of `part`? So that a line that somebody types is answered before the next one comes. */
bool group_ends(const Frame *f, int64_t row, const char *text, int part);

#endif
