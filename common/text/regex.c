#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/regex.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STEPS = 10000000, /* of a search, as Oniguruma has it; ... */
    HEAP = 1 << 16,   /* ... and KiB that it may take */
    STACK = 1 << 20,  /* bytes of what machine code may take, beyond which it is interpreted */
    STACK_LEAST = 1 << 15,
};

struct Regex {
    pcre2_code *code;
};

struct RegexWork {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    char failed[192];
};

static Regex *compile(const char *pattern, Str text, Err *e)
{
    int number;
    PCRE2_SIZE at;
    PCRE2_UCHAR why[128];
    pcre2_compile_context *c = pcre2_compile_context_create(NULL);
    if (!c || pcre2_set_newline(c, PCRE2_NEWLINE_LF) != 0)
        mem_got(NULL, sizeof(Regex));
    pcre2_code *code = pcre2_compile(
        (PCRE2_SPTR)text.p, text.n,
        PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &number, &at, c);
    pcre2_compile_context_free(c);
    if (!code) {
        pcre2_get_error_message(number, why, sizeof why);
        err_set(e, "the regular expression '%.200s': %s", pattern, (const char *)why);
        return NULL;
    }
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* where the machine has none, it is read */
    Regex *r = mem_zero(1, sizeof *r);
    r->code = code;
    return r;
}

Regex *regex_new(const char *pattern, Err *e)
{
    Buf text = {0};
    Regex *r = NULL;
    if (regex_translate(pattern, &text, e) == 0)
        r = compile(pattern, str_of(text.p, text.n), e);
    free(text.p);
    return r;
}

void regex_free(Regex *r)
{
    if (!r)
        return;
    pcre2_code_free(r->code);
    free(r);
}

RegexWork *regexwork_new(void)
{
    RegexWork *w = mem_zero(1, sizeof *w);
    w->data = pcre2_match_data_create(1, NULL);
    w->context = pcre2_match_context_create(NULL);
    if (!w->data || !w->context)
        mem_got(NULL, sizeof(Regex));
    w->stack = pcre2_jit_stack_create(STACK_LEAST, STACK, NULL); /* NULL: there is no such code */
    pcre2_set_match_limit(w->context, STEPS);
    pcre2_set_heap_limit(w->context, HEAP);
    if (w->stack)
        pcre2_jit_stack_assign(w->context, NULL, w->stack);
    return w;
}

void regexwork_free(RegexWork *w)
{
    if (!w)
        return;
    pcre2_match_data_free(w->data);
    pcre2_match_context_free(w->context);
    if (w->stack)
        pcre2_jit_stack_free(w->stack);
    free(w);
}

const char *regexwork_failed(const RegexWork *w)
{
    return *w->failed ? w->failed : NULL;
}

static int fail(RegexWork *w, int number)
{
    PCRE2_UCHAR why[128];
    pcre2_get_error_message(number, why, sizeof why);
    snprintf(w->failed, sizeof w->failed,
             "a regular expression of tokenizer.json gives up on the text: %s", (const char *)why);
    return -1;
}

int regex_find(const Regex *r, RegexWork *w, Str text, size_t from, size_t *begin, size_t *end)
{
    PCRE2_SPTR p = (PCRE2_SPTR)(text.p ? text.p : "");
    int n = pcre2_match(r->code, p, text.n, from, PCRE2_NO_UTF_CHECK, w->data, w->context);
    if (n == PCRE2_ERROR_JIT_STACKLIMIT)
        n = pcre2_match(r->code, p, text.n, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, w->data,
                        w->context);
    if (n == PCRE2_ERROR_NOMATCH)
        return 0;
    if (n < 0)
        return fail(w, n);
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(w->data);
    *begin = at[0] < at[1] ? at[0] : at[1];
    *end = at[1];
    return 1;
}

int regex_next(const Regex *r, RegexWork *w, Str text, RegexScan *s, size_t *begin, size_t *end)
{
    while (s->at <= text.n) {
        int found = regex_find(r, w, text, s->at, begin, end);
        if (found <= 0)
            return found;
        if (*begin < *end || !s->any || s->last != *end) {
            s->at = s->last = *end;
            s->any = true;
            return 1;
        }
        s->at++; /* over a character */
        while (s->at < text.n && ((unsigned char)text.p[s->at] & 0xc0) == 0x80)
            s->at++;
    }
    return 0;
}
