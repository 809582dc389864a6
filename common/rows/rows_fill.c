/* rows_fill.c - a record's tokens into rows: the template around them, too long ones cut or made
 * several windows of. */
#include "rows/rows_in.h"

#include "base/num.h"

#include <string.h>

enum { DIGITS = 24 };

/* n of a text's `all` tokens: its first, or its last. */
static Slice kept(const Rows *r, size_t all, size_t n)
{
    return (Slice){r->left ? all - n : 0, n};
}

static void add_slice(Rows *r, const Tokens *from, Slice s)
{
    Tokens *to = &r->all;
    if (!s.n)
        return;
    tokens_room(to, s.n);
    memcpy(to->id + to->n, from->id + s.at, s.n * sizeof *to->id);
    memcpy(to->span + to->n, from->span + s.at, s.n * sizeof *to->span);
    to->n += s.n;
}

static void add_row(Rows *r, const RowIn *in, Slice first, const Tokens *b, Slice second)
{
    for (int i = 0; i < r->template->count; i++) {
        const TemplateItem *t = &r->template->item[i];
        if (t->kind == ITEM_SPECIAL)
            tokens_add(&r->all, t->id, 0, 0);
        else
            add_slice(r, t->kind == ITEM_FIRST ? &r->first : b,
                      t->kind == ITEM_FIRST ? first : second);
        if (r->tags.any && t->kind == ITEM_FIRST)
            words_tag(r, first);
        else if (r->tags.any)
            words_tag_none(r, 1);
    }
    rows_end(r, in, first.n, second.n);
}

/* What is left of texts of *n1 and *n2 tokens when both together have `room`. As the
 * reference does it: the longer one is cut to the other's length, then both in equal parts. */
static void cut_longest(size_t *n1, size_t *n2, size_t room)
{
    bool swap = *n1 > *n2;
    size_t small = swap ? *n2 : *n1, large;
    large = small > room || room - small < small ? small : room - small;
    if (small + large > room) {
        small = room / 2;
        large = small + room % 2;
    }
    *n1 = swap ? large : small;
    *n2 = swap ? small : large;
}

static int cut_one(size_t *n, size_t other, size_t room, const char *which, Err *e)
{
    if (other >= room)
        return err_set(e,
                       "%zu tokens are left for both texts, and the %s alone has %zu: "
                       "cut by --trunc longest",
                       room, which, other);
    *n = room - other;
    return 0;
}

static int add_cut(Rows *r, const RowIn *in, size_t room, Err *e)
{
    size_t n1 = r->first.n, n2 = r->second.n;
    Trunc trunc = r->spec.trunc;
    if (n1 + n2 > room) {
        if (!r->spec.pair)
            n1 = room;
        else if (trunc == TRUNC_LONGEST)
            cut_longest(&n1, &n2, room);
        else if (trunc == TRUNC_FIRST && cut_one(&n1, n2, room, "second", e) < 0)
            return -1;
        else if (trunc == TRUNC_SECOND && cut_one(&n2, n1, room, "first", e) < 0)
            return -1;
        r->cut++;
    }
    add_row(r, in, kept(r, r->first.n, n1), &r->second, kept(r, r->second.n, n2));
    return 0;
}

static int no_overlap(size_t width, size_t stride, Err *e)
{
    return err_set(e, "windows of %zu tokens cannot overlap by %zu: lower -S or raise -n", width,
                   stride);
}

/* Windows over one text, the other one whole in each. */
static int add_windows(Rows *r, const RowIn *in, size_t room, Err *e)
{
    bool second = r->spec.pair && r->spec.trunc != TRUNC_FIRST;
    size_t n = second ? r->second.n : r->first.n;
    size_t whole = second ? r->first.n : r->second.n;
    size_t width = whole < room ? room - whole : 0, stride = (size_t)r->spec.stride;
    if (whole + n <= room) {
        add_row(r, in, (Slice){0, r->first.n}, &r->second, (Slice){0, r->second.n});
        return 0;
    }
    if (width <= stride)
        return no_overlap(width, stride, e);
    for (size_t at = 0;; at += width - stride) { /* from the end where the left is cut */
        Slice part = {at, n - at < width ? n - at : width}, all = {0, whole};
        bool last = at + part.n == n;
        if (r->left)
            part.at = n - at - part.n;
        add_row(r, in, second ? all : part, &r->second, second ? part : all);
        if (last)
            return 0;
    }
}

/* A row a candidate, of which none is cut. */
static int add_candidates(Rows *r, const RowIn *in, size_t room, Err *e)
{
    if (r->longest >= room && r->first.n + r->longest > room)
        return err_set(e,
                       "%zu tokens are left for text and candidate, and one candidate has "
                       "%zu: raise -n, or shorten --template",
                       room, r->longest);
    r->pair->next[1] = 0;
    for (int i = 0; i < r->spec.candidates; i++) {
        size_t n1 = r->first.n, n2 = r->candidate[i].n;
        if (n1 + n2 > room) {
            n1 = room - n2;
            r->cut++;
        }
        r->pair->next[0] = r->pair->next[1];
        r->pair->next[1] += (int64_t)r->spec.candidate[i].n;
        add_row(r, in, kept(r, r->first.n, n1), &r->candidate[i], (Slice){0, n2});
    }
    return 0;
}

/* A single text that is cut, if need be, goes straight to the frame's tokens. */
static void add_single(Rows *r, const RowIn *in, Str text, size_t room)
{
    Tokens *all = &r->all;
    size_t n = 0;
    for (int i = 0; i < r->template->count; i++) {
        const TemplateItem *t = &r->template->item[i];
        if (t->kind == ITEM_SPECIAL) {
            tokens_add(all, t->id, 0, 0);
            continue;
        }
        size_t at = all->n;
        size_t limit = r->spec.max && !r->left ? at + room : 0;
        tokenizer_encode(r->spec.tokenizer, r->work, text, limit, all);
        n = all->n - at;
        if (n > room) {
            size_t from = at + kept(r, n, room).at;
            memmove(all->id + at, all->id + from, room * sizeof *all->id);
            memmove(all->span + at, all->span + from, room * sizeof *all->span);
            n = room;
            all->n = at + room;
            r->cut++;
        }
    }
    rows_end(r, in, n, 0);
}

/* How many windows n tokens make. */
static size_t count_windows(size_t n, size_t width, size_t stride)
{
    return n <= width ? 1 : 1 + (n - width + (width - stride) - 1) / (width - stride);
}

/* The n tokens behind `begin` become `count` windows with the template around each, where they lie:
 * from the last one on, each moves up to its place, over nothing that is still to move. */
static void spread(Rows *r, size_t begin, size_t n, size_t width, size_t step, size_t count)
{
    Tokens *all = &r->all;
    const Template *t = r->template;
    size_t lead = 0, most = width + (size_t)t->specials;
    while (t->item[lead].kind != ITEM_FIRST)
        lead++;
    all->n = begin;
    tokens_room(all, count * most);
    for (size_t i = count; i-- > 0;) {
        size_t from = begin + i * step, len = i + 1 < count ? width : n - i * step;
        size_t at = begin + i * most, to = at + lead;
        memmove(all->id + to, all->id + from, len * sizeof *all->id);
        memmove(all->span + to, all->span + from, len * sizeof *all->span);
        for (size_t k = 0; k < (size_t)t->count; k++) {
            size_t place = k <= lead ? at + k : at + len + k - 1;
            if (t->item[k].kind != ITEM_SPECIAL)
                continue;
            all->id[place] = t->item[k].id;
            memset(all->span[place], 0, sizeof *all->span);
        }
    }
}

/* Windows over a single text, which may be as long as it likes: its tokens are there once. */
static int add_text_windows(Rows *r, const RowIn *in, Str text, size_t room, Err *e)
{
    size_t begin = r->all.n, stride = (size_t)r->spec.stride;
    tokenizer_encode(r->spec.tokenizer, r->work, text, 0, &r->all);
    size_t n = r->all.n - begin;
    if (n > room && room <= stride) {
        r->all.n = begin;
        return no_overlap(room, stride, e);
    }
    size_t step = n > room ? room - stride : n, count = count_windows(n, room, stride);
    spread(r, begin, n, n > room ? room : n, step, count);
    for (size_t i = 0; i < count; i++) {
        size_t len = i + 1 < count ? room : n - i * step;
        r->all.n += len + (size_t)r->template->specials;
        rows_end(r, in, len, 0);
    }
    return 0;
}

/* The characters of a text that count. */
static Str counting(const Rows *r, Str text)
{
    size_t n = 0;
    for (int64_t left = r->characters; n < text.n; n++)
        if (((unsigned char)text.p[n] & 0xc0) != 0x80 && left-- == 0)
            break;
    return str_of(text.p, n);
}

static int fill(Rows *r, const RowIn *in, Str text, Err *e)
{
    const RowSpec *s = &r->spec;
    if (r->characters && s->stride < 0)
        text = counting(r, text);
    size_t room = s->max ? (size_t)(s->max - r->template->specials) : SIZE_MAX;
    bool single = !s->pair && !s->candidates && !in->word;
    if (single && s->stride >= 0 && !r->left && r->left_out < 0 &&
        r->template->count == r->template->specials + 1)
        return add_text_windows(r, in, text, room, e);
    if (single && s->stride < 0) {
        add_single(r, in, text, room);
        return 0;
    }
    /* What will be cut in any case need not be read to its end. */
    size_t limit = s->max && s->stride < 0 && !s->pair && !r->left ? room : 0;
    r->first.n = r->second.n = 0;
    if (!in->word)
        tokenizer_encode(s->tokenizer, r->work, text, limit, &r->first);
    else if (words_tokenise(r, in, text, limit, e) < 0)
        return -1;
    if (s->pair)
        tokenizer_encode(s->tokenizer, r->work, in->pair, 0, &r->second);
    if (s->candidates)
        return add_candidates(r, in, room, e);
    return s->stride < 0 ? add_cut(r, in, room, e) : add_windows(r, in, room, e);
}

int rows_fill(Rows *r, const RowIn *in, Str text, Err *e)
{
    const char *failed = NULL;
    for (int i = 0; i < r->spec.candidates && !failed; i++)
        failed = r->candidate[i].failed;
    int bad = fill(r, in, text, e);
    failed = failed ? failed : r->all.failed;
    failed = failed ? failed : r->first.failed;
    failed = failed ? failed : r->second.failed;
    return failed ? err_set(e, "%s", failed) : bad;
}

/* "101 7592 102": a row of ids as they are. */
int rows_fill_ids(Rows *r, const RowIn *in, Err *e)
{
    static const char apart[] = " \t,";
    const char *p = in->text.p, *end = p + in->text.n;
    size_t n = 0, max = r->spec.max ? (size_t)r->spec.max : SIZE_MAX, begin = r->all.n;
    while (p < end) {
        char number[DIGITS] = "";
        int64_t id;
        size_t len = 0;
        for (; p < end && !strchr(apart, *p); p++)
            if (len < sizeof number - 1)
                number[len++] = *p;
        if (len && num_int(number, 0, INT32_MAX, &id, e) < 0) {
            r->all.n = begin;
            return err_at(e, "id %zu", n + 1);
        }
        if (len && n++ < max)
            tokens_add(&r->all, (int32_t)id, 0, 0);
        p++;
    }
    r->cut += n > max;
    rows_end(r, in, r->all.n - begin, 0);
    return 0;
}
