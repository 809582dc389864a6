#include "text/normal/normal_in.h"

#include "text/unicode.h"

#include <stdlib.h>

struct NormalWork {
    Normal one, two; /* before and after a step */
    Composing *composing;
    RegexWork *regex; /* made when first asked for */
};

/* ---- the steps: false where the text stays ---- */

typedef struct Run {
    const NormalStep *step;
    NormalWork *work;
    const NormalPart *part;
    const Normal *from;
    Normal *to;
    bool in_step; /* with the origins; see normalizer_part() */
} Run;

static uint32_t char_at(const Normal *t, size_t i, size_t *len)
{
    int n;
    uint32_t cp = utf8_get(t->p + i, &n);
    *len = (size_t)n;
    return cp;
}

static size_t count_chars(Str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

/* A character is held back until it is known how many go behind it. */
typedef struct Held {
    Edit edit;
    uint32_t cp;
    int change;
    bool any;
} Held;

static void held_put(Held *h, uint32_t cp, int change)
{
    if (h->any)
        edit_put(&h->edit, h->cp, h->change);
    h->cp = cp;
    h->change = change;
    h->any = true;
}

static void held_end(Held *h)
{
    if (h->any)
        edit_put(&h->edit, h->cp, h->change);
}

/* `from` has become `to`. False: nothing stands before it that could tell what is dropped. */
static bool held_replace(Held *h, Str from, Str to)
{
    int more = (int)count_chars(to), fewer = (int)count_chars(from) - more;
    int kept = more + fewer, k = 0;
    for (size_t i = 0; i < to.n; k++) {
        int len;
        uint32_t cp = utf8_get(to.p + i, &len);
        held_put(h, cp, k >= kept);
        i += (size_t)len;
    }
    if (fewer <= 0)
        return true;
    if (!h->any)
        return false;
    h->change -= fewer;
    return true;
}

/* By grapheme if that has less than 6 bytes, else by character. */
static bool run_charsmap(Run *r)
{
    enum { WHOLE = 6 };
    const Charsmap *map = &r->step->map;
    const Normal *t = r->from;
    Held h = {.edit = {t, r->to, 0}};
    for (size_t i = 0; i < t->n;) {
        size_t size = grapheme_size(t->p + i, t->n - i), end = i + size, len;
        Str to;
        if (size < WHOLE && charsmap_find(map, str_of(t->p + i, size), &to)) {
            r->in_step = held_replace(&h, str_of(t->p + i, size), to) && r->in_step;
            i = end;
        }
        for (; i < end; i += len) {
            uint32_t cp = char_at(t, i, &len);
            Str one = str_of(t->p + i, len);
            if (charsmap_find(map, one, &to))
                r->in_step = held_replace(&h, one, to) && r->in_step;
            else
                held_put(&h, cp, 0);
        }
    }
    held_end(&h);
    return true;
}

static bool nmt_drops(uint32_t cp)
{
    return (cp >= 1 && cp <= 8) || cp == 0xb || (cp >= 0xe && cp <= 0x1f) || cp == 0x7f ||
           cp == 0x8f || cp == 0x9f;
}

static uint32_t nmt_maps(uint32_t cp)
{
    switch (cp) {
    case 0x9:
    case 0xa:
    case 0xc:
    case 0xd:
    case 0x1680:
    case 0x200b:
    case 0x200c:
    case 0x200d:
    case 0x200e:
    case 0x200f:
    case 0x2028:
    case 0x2029:
    case 0x2581:
    case 0xfeff:
    case 0xfffd: return ' ';
    default: return cp;
    }
}

static uint32_t same(uint32_t cp)
{
    return cp;
}

/* Drops characters and maps the others. */
static bool filter(Run *r, bool (*drops)(uint32_t), uint32_t (*map)(uint32_t))
{
    const Normal *t = r->from;
    Held h = {.edit = {t, r->to, 0}};
    size_t len;
    for (size_t i = 0; i < t->n; i += len) {
        uint32_t cp = char_at(t, i, &len);
        if (!drops(cp))
            held_put(&h, map(cp), 0);
        else if (h.any)
            h.change--;
        else
            edit_skip(&h.edit, 1);
    }
    held_end(&h);
    return true;
}

static bool run_form(Run *r)
{
    Edit x = {r->from, r->to, 0};
    normal_form(r->work->composing, r->step->form, &x);
    return true;
}

static bool run_lowercase(Run *r)
{
    const Normal *t = r->from;
    Edit x = {t, r->to, 0};
    for (size_t i = 0, len; i < t->n; i += len) {
        uint32_t more = 0, cp = char_at(t, i, &len);
        if (uni_class(cp) & UNI_LOWER)
            cp = uni_lower(cp, &more);
        edit_put(&x, cp, 0);
        if (more)
            edit_put(&x, more, 1);
    }
    return true;
}

/* Appends [begin, end) of the text as it is. */
static void copy(Run *r, size_t begin, size_t end)
{
    size_t n = end - begin;
    if (!n)
        return;
    normal_room(r->to, n);
    memcpy(r->to->p + r->to->n, r->from->p + begin, n);
    memcpy(r->to->span + r->to->n, r->from->span + begin, n * sizeof *r->to->span);
    r->to->n += n;
}

static bool is_space(uint32_t cp)
{
    return uni_class(cp) & UNI_SPACE;
}

static bool run_strip(Run *r)
{
    const Normal *t = r->from;
    size_t begin = 0, end = t->n, len;
    if (r->step->left && r->part->first)
        while (begin < end && is_space(char_at(t, begin, &len)))
            begin += len;
    while (r->step->right && r->part->last && end > begin) {
        size_t i = end - 1;
        while (((unsigned char)t->p[i] & 0xc0) == 0x80)
            i--;
        if (!is_space(char_at(t, i, &len)))
            break;
        end = i;
    }
    if (begin == 0 && end == t->n)
        return false;
    copy(r, begin, end);
    return true;
}

/* [begin, end) becomes the step's content, which is where its last character was. */
static void replace(Run *r, size_t *done, size_t begin, size_t end)
{
    copy(r, *done, begin);
    normal_add(r->to, r->step->content, r->step->content_bytes, r->from->span[end - 1][0],
               r->from->span[end - 1][1]);
    *done = end;
}

static bool run_replace(Run *r)
{
    const Normal *t = r->from;
    const NormalStep *s = r->step;
    size_t done = 0, i = 0;
    const char *p;
    while (i < t->n && (p = memmem(t->p + i, t->n - i, s->pattern, s->pattern_bytes))) {
        i = (size_t)(p - t->p) + s->pattern_bytes;
        replace(r, &done, i - s->pattern_bytes, i);
    }
    if (!done)
        return false;
    copy(r, done, t->n);
    return true;
}

static bool run_replace_spaces(Run *r)
{
    const Normal *t = r->from;
    size_t done = 0, i = 0;
    const char *p;
    while (i < t->n && (p = memmem(t->p + i, t->n - i, "  ", 2))) {
        size_t begin = (size_t)(p - t->p);
        for (i = begin + 2; i < t->n && t->p[i] == ' '; i++)
            ;
        replace(r, &done, begin, i);
    }
    if (!done)
        return false;
    copy(r, done, t->n);
    return true;
}

/* What is replaced may be nothing. */
static bool run_replace_regex(Run *r)
{
    const Normal *t = r->from;
    const NormalStep *s = r->step;
    RegexScan scan = {0};
    size_t done = 0, begin, end;
    if (!r->work->regex)
        r->work->regex = regexwork_new();
    while (regex_next(s->regex, r->work->regex, str_of(t->p, t->n), &scan, &begin, &end) > 0) {
        int32_t nothing[2] = {r->part->at, r->part->at}, *span = end ? t->span[end - 1] : nothing;
        copy(r, done, begin);
        normal_add(r->to, s->content, s->content_bytes, span[0], span[1]);
        done = end;
    }
    if (!scan.any)
        return false;
    copy(r, done, t->n);
    return true;
}

static bool run_prepend(Run *r)
{
    if (!r->part->first || !r->from->n)
        return false;
    normal_add(r->to, r->step->content, r->step->content_bytes, r->from->span[0][0],
               r->from->span[0][1]);
    copy(r, 0, r->from->n);
    return true;
}

static bool run_step(Run *r)
{
    switch (r->step->kind) {
    case NORMAL_STEP_CHARSMAP: return run_charsmap(r);
    case NORMAL_STEP_NMT: return filter(r, nmt_drops, nmt_maps);
    case NORMAL_STEP_FORM: return run_form(r);
    case NORMAL_STEP_LOWERCASE: return run_lowercase(r);
    case NORMAL_STEP_STRIP_ACCENTS: return filter(r, normal_is_mark, same);
    case NORMAL_STEP_STRIP: return run_strip(r);
    case NORMAL_STEP_REPLACE: return run_replace(r);
    case NORMAL_STEP_REPLACE_SPACES: return run_replace_spaces(r);
    case NORMAL_STEP_REPLACE_REGEX: return run_replace_regex(r);
    case NORMAL_STEP_PREPEND: return run_prepend(r);
    }
    return false;
}

/* ---- all of them ---- */

void normal_room(Normal *t, size_t more)
{
    if (t->n + more <= t->cap)
        return;
    size_t enough = t->cap + t->cap / 2;
    t->cap = t->n + more > enough ? t->n + more : enough;
    t->p = mem_resize(t->p, t->cap, 1);
    t->span = mem_resize(t->span, t->cap, sizeof *t->span);
}

NormalWork *normalwork_new(void)
{
    NormalWork *w = mem_zero(1, sizeof *w);
    w->composing = composing_new();
    return w;
}

void normalwork_free(NormalWork *w)
{
    if (!w)
        return;
    free(w->one.p);
    free(w->one.span);
    free(w->two.p);
    free(w->two.span);
    composing_free(w->composing);
    regexwork_free(w->regex);
    free(w);
}

const char *normalwork_failed(const NormalWork *w)
{
    return w->regex ? regexwork_failed(w->regex) : NULL;
}

static void fill(Normal *t, Str text, int32_t at)
{
    t->n = 0;
    normal_room(t, text.n);
    for (size_t i = 0, len; i < text.n; i += len) {
        int32_t start = at + (int32_t)i;
        int n;
        utf8_get(text.p + i, &n);
        len = (size_t)n;
        normal_add(t, text.p + i, len, start, start + n);
    }
}

const Normal *normalizer_part(const Normalizer *n, NormalWork *w, NormalPart part, bool *in_step)
{
    Run r = {.work = w, .part = &part, .in_step = true};
    Normal *from = &w->one, *to = &w->two;
    fill(from, part.text, part.at);
    for (int i = 0; i < n->steps && from->n; i++) {
        r.step = n->step + i;
        r.from = from;
        r.to = to;
        to->n = 0;
        if (run_step(&r)) {
            Normal *t = from;
            from = to;
            to = t;
        }
    }
    *in_step = r.in_step;
    return from;
}

void normalizer_run(const Normalizer *n, NormalWork *w, NormalPart part, Normal *out)
{
    bool in_step;
    const Normal *t = normalizer_part(n, w, part, &in_step);
    Run r = {.from = t, .to = out};
    copy(&r, 0, t->n);
}

void normalizer_bytes(const Normalizer *n, char byte[128])
{
    NormalWork *w = normalwork_new();
    Normal t = {0};
    for (int c = 0; c < 128; c++) {
        char text[3] = {'a', (char)c, 'a'};
        byte[c] = NORMAL_ELSE;
        t.n = 0;
        normalizer_run(n, w, (NormalPart){str_of(text, 3), 0, false, false}, &t);
        bool plain = t.n == 3 && (unsigned char)t.p[1] < 128;
        for (int i = 0; plain && i < 3; i++)
            plain = t.span[i][0] == i && t.span[i][1] == i + 1;
        if (plain)
            byte[c] = t.p[1];
    }
    free(t.p);
    free(t.span);
    normalwork_free(w);
}

bool normalizer_prepends(const Normalizer *n)
{
    for (int i = 0; i < n->steps; i++)
        if (n->step[i].kind == NORMAL_STEP_PREPEND)
            return true;
    return false;
}

bool normalizer_may_replace(const Normalizer *n, char c)
{
    for (int i = 0; i < n->steps; i++)
        if (n->step[i].kind == NORMAL_STEP_REPLACE && n->step[i].pattern_bytes > 1 &&
            memchr(n->step[i].pattern, c, n->step[i].pattern_bytes))
            return true;
    return false;
}

bool normalizer_replaces(const Normalizer *n, Str text)
{
    for (int i = 0; i < n->steps; i++) {
        const NormalStep *s = n->step + i;
        if (s->kind == NORMAL_STEP_REPLACE && s->pattern_bytes > 1 && text.n >= s->pattern_bytes &&
            memcmp(s->pattern, text.p, s->pattern_bytes) == 0)
            return true;
    }
    return false;
}
