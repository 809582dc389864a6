/* words_cut.c - pre-tokenizers: where a text is cut into words. */
#include "text/wordpiece/words.h"

#include "base/utf8.h"
#include "text/unicode.h"

void words_add(WordList *l, size_t begin, size_t end)
{
    if (l->n == l->room) {
        l->room = 2 * l->room + 16;
        l->word = mem_resize(l->word, l->room, sizeof *l->word);
    }
    l->word[l->n++] = (Word){begin, end};
}

static bool matches(const Cut *c, uint32_t cp)
{
    switch (c->kind) {
    case CUT_SPACES:
    case CUT_WORDS: return uni_class(cp) & UNI_SPACE;
    case CUT_PUNCT: return uni_class(cp) & UNI_PUNCT;
    case CUT_DIGITS: return uni_is_numeric(cp);
    case CUT_CHARACTER: return cp == c->at;
    }
    return false;
}

/* One word at `how`: characters that match stand each for itself, others in runs. */
static void cut_at(const Cut *c, const char *text, Word w, WordList *out)
{
    size_t first = out->n;
    bool before = false; /* the piece before was a match */
    for (size_t at = w.begin, next; at < w.end; at = next) {
        int len;
        bool match = matches(c, utf8_get(text + at, &len));
        for (next = at + (size_t)len; !match && next < w.end; next += (size_t)len)
            if (matches(c, utf8_get(text + next, &len)))
                break;
        Word *last = out->n > first ? &out->word[out->n - 1] : NULL;
        bool joins = (c->how == CUT_TO_PREVIOUS && match && !before) ||
                     (c->how == CUT_CONTIGUOUS && match == before);
        if (joins && last)
            last->end = next;
        else if (c->how != CUT_REMOVED || !match)
            words_add(out, at, next);
        before = match;
    }
}

/* A match goes to what follows it, unless that is a match: told from the end. */
static void cut_to_next(const Cut *c, const char *text, Word w, WordList *out)
{
    size_t first = out->n, kept = first;
    cut_at(&(Cut){c->kind, CUT_ISOLATED, c->at}, text, w, out);
    bool joins = false; /* what stands before in `kept` is a match that waits */
    for (size_t i = first; i < out->n; i++) {
        int len;
        Word x = out->word[i];
        bool match = matches(c, utf8_get(text + x.begin, &len));
        if (joins && !match)
            out->word[kept - 1].end = x.end;
        else
            out->word[kept++] = x;
        joins = match;
    }
    out->n = kept;
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
            words_add(out, at, next);
        was = is;
        at = next;
    }
}

void words_cut(const Cut *c, const char *text, WordList *words, WordList *spare)
{
    spare->n = 0;
    for (size_t i = 0; i < words->n; i++) {
        if (c->kind == CUT_WORDS)
            cut_words(text, words->word[i], spare);
        else if (c->how == CUT_TO_NEXT)
            cut_to_next(c, text, words->word[i], spare);
        else
            cut_at(c, text, words->word[i], spare);
    }
    WordList old = *words;
    *words = *spare;
    *spare = old;
}
