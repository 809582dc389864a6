#include "base/opt.h"

#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "base/progress.h"

#include <getopt.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef WEFT_VERSION
#define WEFT_VERSION "0"
#endif

enum { MAX_THREADS = 1024 };

/* What getopt_long calls options without a letter: one of these and their place in the list. */
enum { CALLED_OWN = 1000, CALLED_COMMON = 2000 };

static const Opt common_options[] = {
    {'m', "model", "M", "model folder, or ORG/NAME[@REV] in the Hugging Face cache",
     OPT_TEXT(Common, model)},
    {'j', "threads", "N", "threads (default $WEFT_THREADS, else the cores allowed)", OPT_KEY},
    {'D', "device", "cpu|cuda[:N]", "where to compute", OPT_TEXT(Common, device)},
    {'t', "dtype", "f32|bf16|f16", "type of the arithmetic (f32)", OPT_KEY},
    {'s', "seed", "N", "seed of everything random (42)", OPT_KEY},
    {'q', "quiet", NULL, "no notices", OPT_KEY},
    {0, "progress", NULL, "tell how far it is on standard error", OPT_FLAG(Common, progress)},
    {'h', "help", NULL, "this text", OPT_KEY},
    {'V', "version", NULL, "the version", OPT_KEY},
    {0},
};

static bool has_letter(const Opt *o)
{
    return o->key > 0 && o->key < OPT_LONG;
}

static int count(const Opt *o)
{
    int n = 0;
    while (o[n].key || o[n].name)
        n++;
    return n;
}

static int cores_allowed(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : n;
}

static void help_lines(const Opt *o)
{
    for (int i = count(o); i > 0; i--, o++) {
        char left[64];
        bool letter = has_letter(o);
        int n = snprintf(left, sizeof left, "  %c%c%s", letter ? '-' : ' ', letter ? o->key : ' ',
                         !o->name ? ""
                         : letter ? ", "
                                  : "  ");
        snprintf(left + n, sizeof left - (size_t)n, "%s%s%s%s", o->name ? "--" : "",
                 o->name ? o->name : "", o->arg ? " " : "", o->arg ? o->arg : "");
        printf("%-32s %s\n", left, o->help);
    }
}

static noreturn void finish_stdout(void)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        dief("standard output: cannot write");
    exit(0);
}

static noreturn void help(const Args *a)
{
    const Program *p = a->program;
    printf("usage: %s %s\n%s\n", p->name, p->synopsis, p->about);
    if (p->more)
        printf("%s\n", p->more);
    if (count(a->own)) {
        printf("\noptions:\n");
        help_lines(a->own);
    }
    printf("\noptions of every program:\n");
    help_lines(common_options);
    printf("\nMore: man weft-%s\n", p->name);
    finish_stdout();
}

/* WEFT_THREADS and WEFT_DEVICE are defaults that scripts set once. */
static void defaults(Common *c)
{
    const char *threads = getenv("WEFT_THREADS"), *device = getenv("WEFT_DEVICE");
    Err e = {0};
    int64_t n = cores_allowed();
    if (threads && *threads && num_int(threads, 1, MAX_THREADS, &n, &e) < 0)
        die_usage("WEFT_THREADS: %s", e.text);
    *c = (Common){.device = device && *device ? device : NULL, .threads = (int)n, .seed = 42};
}

/* Adds a list to getopt_long's two, from where they end now. */
static void add_options(Args *a, const Opt *list, int called)
{
    struct option *at = a->longs;
    char *shorts = a->shorts + strlen(a->shorts);
    while (at->name)
        at++;
    for (const Opt *o = list; o < list + count(list); o++) {
        int k = has_letter(o) ? o->key : called + (int)(o - list);
        if (o->name)
            *at++ = (struct option){o->name, o->arg != NULL, NULL, k};
        if (has_letter(o)) {
            *shorts++ = (char)o->key;
            if (o->arg)
                *shorts++ = ':';
        }
    }
}

Args args_begin(const Program *program, const Opt *own, void *into, int argc, char **argv)
{
    Args a = {.program = program, .own = own, .into = into, .argc = argc, .argv = argv};
    msg_begin(program->name);
    json_set_alloc_funcs(mem_alloc, free); /* jansson leaves out what it has no memory for */
    defaults(&a.common);
    int n = count(own), m = count(common_options);
    if (n > OPT_MOST)
        dief("%d options are more than opt.h has bits for", n);
    a.longs = mem_zero((size_t)(n + m + 1), sizeof(struct option));
    a.shorts = mem_zero((size_t)(n + m) * 2 + 2, 1);
    a.shorts[0] = ':'; /* a missing argument is told from an unknown letter */
    add_options(&a, own, CALLED_OWN);
    add_options(&a, common_options, CALLED_COMMON);
    optind = 1;
    opterr = 0;
    return a;
}

/* getopt_long takes any prefix of a long name; scripts that use one would break when a
 * name is added, so the whole name is asked for. */
static void whole_name(const Args *a, const char *name, int at)
{
    const char *given = a->argv[at];
    if (strncmp(given, "--", 2) != 0)
        return;
    size_t n = strcspn(given + 2, "=");
    if (strlen(name) != n || strncmp(given + 2, name, n) != 0)
        die_usage("unknown option '--%.*s' (long names are not abbreviated)", (int)n, given + 2);
}

/* The option of a list that getopt_long calls so; NULL: it is none of these. */
static const Opt *find(const Opt *list, int k, int called)
{
    for (const Opt *o = list; o < list + count(list); o++)
        if (k == (has_letter(o) ? o->key : called + (int)(o - list)))
            return o;
    return NULL;
}

static void set_field(const Args *a, const OptField *f, void *into)
{
    void *at = (char *)into + f->at;
    switch (f->kind) {
    case FIELD_NONE: break;
    case FIELD_FLAG: *(bool *)at = true; break;
    case FIELD_TEXT: *(const char **)at = a->value; break;
    case FIELD_INT: *(int64_t *)at = args_int(a, f->min, f->max); break;
    case FIELD_REAL: *(double *)at = args_real(a, f->least, f->most); break;
    case FIELD_WORD: *(int *)at = (int)f->min + args_word(a, f->words); break;
    }
}

static void set_common(Args *a, const Opt *o)
{
    static const char *const types[] = {"f32", "bf16", "f16", "int8", NULL};
    Common *c = &a->common;
    set_field(a, &o->field, c);
    if (c->progress)
        progress_begin();
    switch (o->key) {
    case 'j': c->threads = (int)args_int(a, 1, MAX_THREADS); break;
    case 't': {
        int type = args_word(a, types);
        c->bf16 = type == 1;
        c->f16 = type == 2;
        c->int8 = type == 3;
        if (c->int8 && strcmp(a->program->name, "gen") != 0)
            die_usage("-t int8 is for gen: %s takes f32, bf16 and f16", a->program->name);
        break;
    }
    case 's': c->seed = (uint64_t)args_int(a, 0, INT64_MAX); break;
    case 'q': c->quiet = msg_quiet = true; break;
    case 'h': help(a);
    case 'V': printf("weft-%s %s\n", a->program->name, WEFT_VERSION); finish_stdout();
    }
}

static void check_device(const char *d)
{
    Err e = {0};
    int64_t n;
    if (!d || strcmp(d, "cpu") == 0 || strcmp(d, "cuda") == 0)
        return;
    if (strncmp(d, "cuda:", 5) != 0)
        die_usage("-D: '%s' is no device: cpu, cuda or cuda:N", d);
    if (num_int(d + 5, 0, 1023, &n, &e) < 0)
        die_usage("-D: %s", e.text);
}

/* What getopt_long calls the next option, whose name and argument are then in *a; or -1. */
static int next_given(Args *a)
{
    int index = -1, at = optind;
    int k = getopt_long(a->argc, a->argv, a->shorts, a->longs, &index);
    if (k == -1) {
        a->files = a->argv + optind;
        a->nfiles = a->argc - optind;
        free(a->longs);
        free(a->shorts);
        check_device(a->common.device);
        return -1;
    }
    /* getopt_long permutes: the word just read ends before optind, its argument may be one. */
    a->value = optarg;
    a->option = a->argv[optind - 1 < at ? at : optind - 1];
    if (optarg && a->option == optarg && optind >= 2)
        a->option = a->argv[optind - 2];
    if (k == ':')
        die_usage("option '%s' needs an argument", a->argv[optind - 1]);
    if (k == '?') {
        if (optopt > 0 && optopt < OPT_LONG)
            die_usage("unknown option '-%c'", optopt);
        if (optopt >= OPT_LONG)
            die_usage("option '%s' takes no argument", a->argv[optind - 1]);
        die_usage("unknown option '%s'", a->argv[optind - 1]);
    }
    if (index >= 0) {
        const struct option *o = (const struct option *)a->longs + index;
        bool apart = o->has_arg && a->argv[optind - 1] == optarg;
        whole_name(a, o->name, optind - 1 - apart);
    }
    return k;
}

int args_next(Args *a)
{
    for (int k; (k = next_given(a)) != -1;) {
        const Opt *o = find(a->own, k, CALLED_OWN);
        if (!o) {
            set_common(a, find(common_options, k, CALLED_COMMON));
            continue;
        }
        a->given |= UINT64_C(1) << (o - a->own);
        if (o->field.kind == FIELD_NONE)
            return o->key;
        set_field(a, &o->field, a->into);
    }
    return -1;
}

Args args_read(const Program *program, const Opt *own, void *into, int argc, char **argv)
{
    Args a = args_begin(program, own, into, argc, argv);
    while (args_next(&a) != -1)
        ;
    return a;
}

bool args_given(const Args *a, const Opt *o)
{
    return a->given >> (o - a->own) & 1;
}

int64_t args_int(const Args *a, int64_t min, int64_t max)
{
    Err e = {0};
    int64_t v = 0;
    if (num_int(a->value, min, max, &v, &e) < 0)
        die_usage("%s: %s", a->option, e.text);
    return v;
}

double args_real(const Args *a, double min, double max)
{
    Err e = {0};
    double v = 0;
    if (num_real(a->value, min, max, &v, &e) < 0)
        die_usage("%s: %s", a->option, e.text);
    return v;
}

int args_word(const Args *a, const char *const *words)
{
    Buf all = {0};
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], a->value) == 0) {
            free(all.p);
            return i;
        }
        buf_fmt(&all, "%s%s", i ? ", " : "", words[i]);
    }
    die_usage("%s: '%s' is not one of %.*s", a->option, a->value, (int)all.n, all.p);
}

const char *opt_version(void)
{
    return WEFT_VERSION;
}
