/* Sentences with a word a line, as CoNLL-2003 and its kin have them: the word in the first
 * column, its tag in the last, an empty line behind each sentence. Columns stand between tabs,
 * in a line without any between spaces. Lines that begin with -DOCSTART- end a sentence too. */
#include "records/records_in.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct Conll {
    Buf text, tags, words; /* of the sentence that is being read; words: RecWord */
    int columns;           /* of every line of this file; 0: none has come yet */
    enum { UNKNOWN, UNTAGGED, TAGGED } kind; /* of all files */
    int64_t line;                            /* of this file */
    bool given;                              /* the sentence has been given out */
};

Conll *rec_conll_open(void)
{
    return mem_zero(1, sizeof(Conll));
}

void rec_conll_close(Conll *c)
{
    if (!c)
        return;
    free(c->text.p);
    free(c->tags.p);
    free(c->words.p);
    free(c);
}

void rec_conll_begin(Conll *c)
{
    c->line = c->columns = 0;
}

const RecWord *rec_conll_words(const Conll *c, size_t *n)
{
    *n = c->words.n / sizeof(RecWord);
    return (const RecWord *)c->words.p;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool ends_sentence(Str line)
{
    static const char mark[] = "-DOCSTART-";
    size_t i = 0;
    while (i < line.n && is_space(line.p[i]))
        i++;
    return i == line.n || (line.n >= strlen(mark) && memcmp(line.p, mark, strlen(mark)) == 0);
}

/* The next column from *at on; false behind the last. Between tabs one may be empty. */
static bool next_column(Str line, bool tabs, size_t *at, Str *column)
{
    size_t i = *at;
    while (!tabs && i < line.n && line.p[i] == ' ')
        i++;
    if (i > line.n || (!tabs && i == line.n))
        return false;
    const char *p = line.p + i, *end = memchr(p, tabs ? '\t' : ' ', line.n - i);
    *column = str_of(p, end ? (size_t)(end - p) : line.n - i);
    *at = i + column->n + 1;
    return true;
}

static void add_range(Buf *b, Str s, int32_t range[2])
{
    range[0] = (int32_t)b->n;
    buf_add(b, s.p, s.n);
    range[1] = (int32_t)b->n;
}

static int add_word(Conll *c, Str line, Err *e)
{
    bool tabs = memchr(line.p, '\t', line.n) != NULL;
    Str first = {0}, column;
    RecWord w = {0};
    int n = 0;
    for (size_t at = 0; next_column(line, tabs, &at, &column); n++)
        if (n == 0)
            first = column;
    if (!c->columns) {
        c->columns = n;
        if (c->kind && (n > 1) != (c->kind == TAGGED))
            return err_set(e, "a word %s tag, but the files before have %s: read them apart",
                           n > 1 ? "with its" : "without a", n > 1 ? "none" : "tags");
        c->kind = n > 1 ? TAGGED : UNTAGGED;
    }
    if (n != c->columns)
        return err_set(e,
                       "%d column%s, but the first line has %d: a word, what is between, "
                       "its tag",
                       n, n == 1 ? "" : "s", c->columns);
    if (!first.n)
        return err_set(e, "no word in the first column");
    if (c->text.n + c->tags.n + line.n > REC_MAX)
        return err_set(e, "a sentence of more than %d bytes: put empty lines between sentences",
                       REC_MAX);
    if (c->text.n)
        buf_add(&c->text, " ", 1);
    add_range(&c->text, first, w.text);
    if (n > 1)
        add_range(&c->tags, column, w.tag);
    buf_add(&c->words, &w, sizeof w);
    return 0;
}

int rec_conll_next(Records *r, Err *e)
{
    Conll *c = r->conll;
    Str line;
    int k;
    if (c->given)
        c->text.n = c->tags.n = c->words.n = 0;
    c->given = false;
    while ((k = window_line(&r->in, '\n', &line, e)) == 1) {
        c->line++;
        if (ends_sentence(line)) {
            if (c->words.n)
                break;
        } else if ((r->in.suspect && rec_text(line, e) < 0) || add_word(c, line, e) < 0) {
            return err_at(e, "line %" PRId64, c->line);
        }
    }
    if (k < 0 || k == REC_IDLE || !c->words.n)
        return k;
    c->given = true;
    r->field[0] = str_of(c->text.p, c->text.n);
    r->field[1] = str_of(c->tags.p ? c->tags.p : "", c->tags.n);
    r->null[1] = c->columns == 1;
    return 1;
}
