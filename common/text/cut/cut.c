#include "text/cut/cut_in.h"
#include "text/cut/cut_tables.h"

#include "base/utf8.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

static void add_word(WordList *l, size_t begin, size_t end)
{
    if (begin == end)
        return;
    if (l->n == l->room) {
        l->room = 2 * l->room + 16;
        l->word = mem_resize(l->word, l->room, sizeof *l->word);
    }
    l->word[l->n++] = (Word){begin, end};
}

static void add_piece(CutWork *w, size_t begin, size_t end, bool match)
{
    if (w->pieces == w->room) {
        w->room = 2 * w->room + 16;
        w->piece = mem_resize(w->piece, w->room, sizeof *w->piece);
    }
    w->piece[w->pieces++] = (CutPiece){begin, end, match};
}

/* ---- matches ---- */

static bool matches(const Cut *c, uint32_t cp)
{
    if (c->kind == CUT_SPACES)
        return uni_class(cp) & UNI_SPACE;
    if (c->kind == CUT_PUNCT)
        return uni_class(cp) & UNI_PUNCT;
    return c->kind == CUT_DIGITS ? uni_is_numeric(cp) : cp == c->at;
}

/* Characters that match stand each for itself, others in runs. */
static void find_characters(const Cut *c, CutWork *w, const char *text, Word x)
{
    for (size_t at = x.begin, next; at < x.end; at = next) {
        int len;
        bool match = matches(c, utf8_get(text + at, &len));
        for (next = at + (size_t)len; !match && next < x.end; next += (size_t)len)
            if (matches(c, utf8_get(text + next, &len)))
                break;
        add_piece(w, at, next, match);
    }
}

static void add_match(CutWork *w, Word x, size_t *done, size_t begin, size_t end)
{
    if (*done < x.begin + begin)
        add_piece(w, *done, x.begin + begin, false);
    add_piece(w, x.begin + begin, x.begin + end, true);
    *done = x.begin + end;
}

static void find_text(const Cut *c, CutWork *w, const char *text, Word x)
{
    size_t n = x.end - x.begin, m = strlen(c->text), done = x.begin, at = 0;
    const char *p = text + x.begin, *found;
    while ((found = memmem(p + at, n - at, c->text, m))) {
        size_t begin = (size_t)(found - p);
        add_match(w, x, &done, begin, begin + m);
        at = begin + m;
    }
    if (done < x.end)
        add_piece(w, done, x.end, false);
}

static void find_regex(const Cut *c, CutWork *w, const char *text, Word x)
{
    RegexScan scan = {0};
    size_t done = x.begin, begin, end;
    Str word = str_of(text + x.begin, x.end - x.begin);
    if (!w->regex)
        w->regex = regexwork_new();
    while (regex_next(c->regex, w->regex, word, &scan, &begin, &end) > 0)
        add_match(w, x, &done, begin, end);
    if (done < x.end)
        add_piece(w, done, x.end, false);
}

/* ---- and what becomes of them ---- */

/* A match goes to the piece before, unless that is a match; told from the end where it goes to the
 * next one. */
static void merge(const CutWork *w, bool backward, WordList *out)
{
    size_t first = out->n;
    bool before = false;
    for (size_t i = 0; i < w->pieces; i++) {
        const CutPiece *p = w->piece + (backward ? w->pieces - 1 - i : i);
        Word *last = out->n > first ? out->word + out->n - 1 : NULL;
        if (p->match && !before && last && backward)
            last->begin = p->begin;
        else if (p->match && !before && last)
            last->end = p->end;
        else
            add_word(out, p->begin, p->end);
        before = p->match;
    }
    for (size_t i = first, k = out->n; backward && i + 1 < k--; i++) {
        Word x = out->word[i];
        out->word[i] = out->word[k];
        out->word[k] = x;
    }
}

static void join(const CutWork *w, WordList *out)
{
    size_t first = out->n;
    bool before = false;
    for (size_t i = 0; i < w->pieces; i++) {
        const CutPiece *p = w->piece + i;
        if (p->match == before && out->n > first)
            out->word[out->n - 1].end = p->end;
        else
            add_word(out, p->begin, p->end);
        before = p->match;
    }
}

static void keep(const CutWork *w, bool matches_too, WordList *out)
{
    for (size_t i = 0; i < w->pieces; i++)
        if (matches_too || !w->piece[i].match)
            add_word(out, w->piece[i].begin, w->piece[i].end);
}

/* Runs of word characters, and of others. */
static void cut_words(const char *text, Word w, WordList *out)
{
    enum { NOTHING, SPACE, IN, OUT } was = NOTHING;
    for (size_t at = w.begin; at < w.end;) {
        int len;
        uint32_t cp = utf8_get(text + at, &len);
        size_t next = at + (size_t)len;
        int is = uni_is_word(cp) ? IN : uni_class(cp) & UNI_SPACE ? SPACE : OUT;
        if (is != SPACE && is == (int)was)
            out->word[out->n - 1].end = next;
        else if (is != SPACE)
            add_word(out, at, next);
        was = is;
        at = next;
    }
}

static void cut_lengths(int64_t length, const char *text, Word w, WordList *out)
{
    for (size_t at = w.begin, next = at; at < w.end; at = next) {
        for (int64_t i = 0; i < length && next < w.end; i++)
            for (next++; next < w.end && ((unsigned char)text[next] & 0xc0) == 0x80; next++)
                ;
        add_word(out, at, next);
    }
}

/* 0: any. */
static int script_of(uint32_t cp)
{
    size_t low = 0, high = sizeof scripts / sizeof *scripts;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (cp > scripts[mid].last)
            low = mid + 1;
        else
            high = mid;
    }
    return low < sizeof scripts / sizeof *scripts && cp >= scripts[low].first ? scripts[low].script
                                                                              : 0;
}

/* Where the script changes; what is of any belongs to what is before it, and goes where that is
 * nothing, as in the reference. */
static void cut_scripts(const char *text, Word w, WordList *out)
{
    int before = 0;
    size_t begin = w.end;
    for (size_t at = w.begin; at < w.end;) {
        int len, script = script_of(utf8_get(text + at, &len));
        if (script && script != before) {
            if (before)
                add_word(out, begin, at);
            begin = at;
        }
        before = script ? script : before;
        at += (size_t)len;
    }
    add_word(out, begin, w.end);
}

static void cut_word(const Cut *c, CutWork *w, const char *text, Word x, WordList *out)
{
    if (c->kind == CUT_WORDS) {
        cut_words(text, x, out);
        return;
    }
    if (c->kind == CUT_LENGTH) {
        cut_lengths(c->length, text, x, out);
        return;
    }
    if (c->kind == CUT_SCRIPTS) {
        cut_scripts(text, x, out);
        return;
    }
    w->pieces = 0;
    if (c->kind == CUT_STRING)
        find_text(c, w, text, x);
    else if (c->kind == CUT_REGEX)
        find_regex(c, w, text, x);
    else
        find_characters(c, w, text, x);
    for (size_t i = 0; c->invert && i < w->pieces; i++)
        w->piece[i].match = !w->piece[i].match;
    switch (c->how) {
    case CUT_REMOVED:
    case CUT_ISOLATED: keep(w, c->how == CUT_ISOLATED, out); break;
    case CUT_TO_PREVIOUS:
    case CUT_TO_NEXT: merge(w, c->how == CUT_TO_NEXT, out); break;
    case CUT_CONTIGUOUS: join(w, out); break;
    }
}

const WordList *cuts_run(const Cuts *c, CutWork *w, const char *text, size_t begin, size_t end)
{
    w->words.n = 0;
    add_word(&w->words, begin, end);
    for (int i = 0; i < c->n; i++) {
        w->spare.n = 0;
        for (size_t k = 0; k < w->words.n; k++)
            cut_word(c->cut + i, w, text, w->words.word[k], &w->spare);
        WordList old = w->words;
        w->words = w->spare;
        w->spare = old;
    }
    return &w->words;
}

const char *cutwork_failed(const CutWork *w)
{
    return w->regex ? regexwork_failed(w->regex) : NULL;
}

CutWork *cutwork_new(void)
{
    return mem_zero(1, sizeof(CutWork));
}

void cutwork_free(CutWork *w)
{
    if (!w)
        return;
    free(w->words.word);
    free(w->spare.word);
    free(w->piece);
    regexwork_free(w->regex);
    free(w);
}
