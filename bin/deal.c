/* deal - a stream to several files, in exact shares. */
#include "base/msg.h"
#include "base/num.h"
#include "base/opt.h"
#include "bin/programs.h"
#include "deal/row_groups.h"
#include "io/recut.h"
#include "io/spool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BY = OPT_LONG, KEY_GROUP, KEY_FIRST, MAX_PARTS = 32 };

static const Opt options[] = {
    {'n', "rows", "N:FILE", "exactly N rows to FILE (repeatable)", OPT_KEY},
    {KEY_BY, "by", "label", "keep the shares within each label", OPT_KEY},
    {KEY_GROUP, "group", "text|COLUMN", "rows that are equal there go to one file", OPT_KEY},
    {KEY_FIRST, "first", NULL, "in the order they come, not at random", OPT_KEY},
    {0},
};

typedef struct Deal {
    Share share[MAX_PARTS];
    const char *file[MAX_PARTS]; /* "-": thrown away */
    Out *out[MAX_PARTS];
    Recut cut[MAX_PARTS];
    int parts;
    bool by_label, first;
    char *group; /* the tensor's name; NULL: none */
} Deal;

/* "80:train.weft" or, `exact`, "500:train.weft". */
static void add_part(Deal *d, const char *text, bool exact)
{
    Err e = {0};
    Share *s = &d->share[d->parts];
    const char *colon = strchr(text, ':');
    if (!colon || !colon[1] || colon == text)
        die_usage("'%s' is not %s:FILE", text, exact ? "N" : "PART");
    if (d->parts == MAX_PARTS)
        die_usage("more than %d parts", MAX_PARTS);
    char *number = mem_strn(text, (size_t)(colon - text));
    *s = (Share){.exact = -1};
    if (exact ? num_int(number, 0, INT64_MAX, &s->exact, &e) < 0
              : num_real(number, 1e-9, 1e9, &s->weight, &e) < 0)
        die_usage("'%s': %s", text, e.text);
    free(number);
    for (int p = 0; p < d->parts; p++)
        if (strcmp(d->file[p], colon + 1) == 0 && strcmp(colon + 1, "-") != 0)
            die_usage("two parts go to %s", colon + 1);
    d->file[d->parts++] = colon + 1;
}

/* text, pair and label are the stream's own; others `tok -k` carries. */
static char *group_tensor(const char *column)
{
    static const char *const own[] = {"text", "pair", "label"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(column, own[i]) == 0)
            return mem_fmt("row.%s", column);
    return mem_fmt("row.keep.%s", column);
}

static Deal read_options(Args *a)
{
    static const char *const columns[] = {"label", NULL};
    Deal d = {0};
    bool rest = false;
    for (int k; (k = args_next(a)) != -1;) {
        if (k == 'n')
            add_part(&d, a->value, true);
        else if (k == KEY_BY)
            d.by_label = args_word(a, columns) == 0;
        else if (k == KEY_FIRST)
            d.first = true;
        else if (k == KEY_GROUP) {
            free(d.group);
            d.group = group_tensor(a->value);
        }
    }
    if (d.first && d.group)
        die_usage("--first keeps the order, and --group does not");
    for (int i = 0; i < a->nfiles; i++, rest = true)
        add_part(&d, a->files[i], false);
    if (!rest)
        die_usage(d.parts ? "no part takes the rest: add 1:FILE, or 1:- to throw it away"
                          : "deal to which files? Say PART:FILE, as in 80:a.weft 20:b.weft");
    return d;
}

static Frame *frame_of(const Spool *s, int i)
{
    Err e = {0};
    Frame *f = spool_frame(s, i, &e);
    if (!f)
        die(&e);
    return f;
}

/* Which part each unit goes to. */
static uint8_t *assign(const Deal *d, const Spool *s, uint64_t seed)
{
    Err e = {0};
    RowGroups u = {0};
    int64_t total[MAX_PARTS];
    Rand r = rand_new(seed);
    for (int i = 0; i < spool_frames(s); i++) {
        Frame *f = frame_of(s, i);
        if (d->by_label && f->rows && !frame_get(f, "row.label"))
            dief("stdin: --by label, but the rows have no label: name its column with `tok -l`");
        if (d->group && f->rows && !frame_get(f, d->group))
            dief("stdin: --group: the rows have no such column: carry it along with `tok -k`");
        row_groups_add(&u, f, d->by_label, d->group);
        frame_free(f);
    }
    if (share_totals(d->share, d->parts, u.records, total, &e) < 0) {
        err_at(&e, "stdin");
        die(&e);
    }
    uint8_t *part = row_groups_deal(&u, total, d->parts, d->first ? NULL : &r);
    for (int64_t i = 0; i < u.records; i++)
        total[part[i]]--;
    for (int p = 0; p < d->parts; p++)
        if (d->share[p].exact >= 0 && total[p] != 0)
            dief("stdin: -n %" PRId64 ":%s: the groups do not add up to it", d->share[p].exact,
                 d->file[p]);
    row_groups_free(&u);
    return part;
}

/* A frame's rows to their parts, in their order; an end to every part. */
static void deal_frame(Deal *d, const Frame *f, RecordCursor *at, const uint8_t *part)
{
    Err e = {0};
    int64_t *row = mem_array((size_t)f->rows, sizeof *row);
    uint8_t *to = mem_alloc((size_t)f->rows);
    for (int64_t i = 0; i < f->rows; i++)
        to[i] = part[record_step(at, f, i)];
    record_end(at, f);
    for (int p = 0; p < d->parts; p++) {
        int64_t n = 0;
        for (int64_t i = 0; i < f->rows; i++)
            if (to[i] == p)
                row[n++] = i;
        if (!d->out[p] || (n == 0 && f->end == END_NONE))
            continue;
        Frame *piece = frame_select(f, row, n);
        piece->end = f->end;
        if (recut_write(&d->cut[p], piece, &e) < 0)
            die(&e);
    }
    free(row);
    free(to);
}

static void write_parts(Deal *d, const Spool *s, const uint8_t *part)
{
    Err e = {0};
    RecordCursor at = {0};
    for (int p = 0; p < d->parts; p++) {
        if (strcmp(d->file[p], "-") != 0 && !(d->out[p] = out_file(d->file[p], &e)))
            die(&e);
        d->cut[p].to = d->out[p];
    }
    for (int i = 0; i < spool_frames(s); i++) {
        Frame *f = frame_of(s, i);
        deal_frame(d, f, &at, part);
        frame_free(f);
    }
    for (int p = 0; p < d->parts; p++)
        recut_clear(&d->cut[p]);
    if (out_close_all(d->out, d->parts, &e) < 0)
        die(&e);
}

int main(int argc, char **argv)
{
    Err e = {0};
    Args a = args_begin(PROGRAM(deal), options, NULL, argc, argv);
    Deal d = read_options(&a);
    In *in = in_open(NULL, 0);
    Spool *s = spool_in(in, &e);
    if (!s)
        die(&e);
    uint8_t *part = assign(&d, s, a.common.seed);
    write_parts(&d, s, part);
    free(part);
    free(d.group);
    spool_free(s);
    in_close(in);
    return 0;
}
