/* normal_keeps.c - texts that a normalizer leaves as they are, told at a glance. */
#include "text/normal/normal_in.h"

#include "text/unicode.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <utf8proc.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* One byte a code point: may NFC change it, or what stands before it? From pages that are filled
 * when first asked for. */
static _Atomic(const uint8_t *) pages[UNI_PAGES];

static bool stays_alone(Normalizer *nfc, NormalWork *w, uint32_t cp)
{
    char text[4];
    bool in_step;
    size_t n = (size_t)utf8_put(cp, text);
    const Normal *t =
        normalizer_part(nfc, w, (NormalPart){str_of(text, n), 0, true, true}, &in_step);
    return t->n == n && memcmp(t->p, text, n) == 0;
}

static uint8_t may_change(Normalizer *nfc, NormalWork *w, uint32_t cp)
{
    enum { JAMO = 0x1160, JAMO_END = 0x1200 }; /* vowels and finals, which join what is before */
    if (cp >= 0xd800 && cp <= 0xdfff)
        return 0;
    if (uni_class(cp) & UNI_MOVES)
        return 1;
    if (uni_category(cp) & (UNI_GC(MN) | UNI_GC(MC) | UNI_GC(ME)))
        return 1; /* some of them join what stands before */
    return (cp >= JAMO && cp < JAMO_END) || !stays_alone(nfc, w, cp);
}

static const uint8_t *fill_page(uint32_t page)
{
    uint8_t *made = mem_alloc(256);
    const uint8_t *there = NULL;
    Normalizer *nfc = normalizer_new();
    NormalWork *w = normalwork_new();
    normalizer_form(nfc, FORM_NFC);
    for (uint32_t i = 0; i < 256; i++)
        made[i] = may_change(nfc, w, page << 8 | i);
    normalwork_free(w);
    normalizer_free(nfc);
    if (atomic_compare_exchange_strong(&pages[page], &there, made))
        return made;
    free(made); /* another thread was first */
    return there;
}

/* The end of the plain ASCII at p. */
static const char *ascii_end(const char *p, const char *end)
{
#ifdef __SSE2__
    while (end - p >= 16 && !_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)p)))
        p += 16;
#endif
    while (p < end && (unsigned char)*p < 0x80)
        p++;
    return p;
}

static bool nfc_keeps(const char *p, const char *end)
{
    while ((p = ascii_end(p, end)) < end) {
        int len;
        uint32_t cp = utf8_get(p, &len);
        const uint8_t *page = pages[cp >> 8];
        if ((page ? page : fill_page(cp >> 8))[cp & 255])
            return false;
        p += len;
    }
    return true;
}

bool normalizer_keeps(const Normalizer *n, Str text)
{
    for (int i = 0; i < n->steps; i++)
        if (n->step[i].kind != NORMAL_STEP_FORM || n->step[i].form != FORM_NFC)
            return false;
    return !n->steps || nfc_keeps(text.p, text.p + text.n);
}
