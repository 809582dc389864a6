#include "records/records_in.h"

#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 1 << 18, IDLE_MS = 10, PIPE_BYTES = 1 << 20 };

int window_open(Window *s, Err *e)
{
    if (s->at + 1 >= s->nfiles)
        return 0;
    const char *name = s->files[++s->at];
    bool in = strcmp(name, "-") == 0;
    s->place = in ? "stdin" : name;
    s->fd = in ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0)
        return err_sys(e, "%s", name);
    fcntl(s->fd, F_SETPIPE_SZ, PIPE_BYTES); /* only pipes have it, and they do without too */
    s->fresh = true;
    s->eof = s->suspect = false;
    s->begin = s->end = s->checked = 0;
    return 1;
}

static void window_shut(Window *s)
{
    if (s->fd > STDIN_FILENO)
        close(s->fd);
    s->fd = -1;
}

/* Room for a read behind p[end): what is left moves to the front when it is the smaller part,
 * and the window grows when it is nearly full. What is left is also a character whose first bytes
 * are taken and have not been looked at, since the others are still to come. */
static int make_room(Window *s, Err *e)
{
    size_t from = s->begin < s->checked ? s->begin : s->checked, left = s->end - from;
    if (s->end - s->begin > REC_MAX)
        return err_set(e, "longer than %d bytes: cut it up first", REC_MAX);
    if (from >= left) {
        if (left)
            memmove(s->p, s->p + from, left);
        s->checked -= from;
        s->begin -= from;
        s->end = left;
    }
    if (s->cap - s->end < WINDOW / 2) {
        s->cap = s->cap ? s->cap * 2 : WINDOW;
        s->p = mem_resize(s->p, s->cap, 1);
    }
    return 0;
}

/* Looks through what has come since the last time. A character that is not whole yet waits for
 * its other bytes, which at the end of the file do not come. */
static void check_bytes(Window *s)
{
    const char *p = s->p + s->checked;
    size_t n = s->end - s->checked, good = s->suspect ? n : utf8_check(p, n);
    if (good < n && (s->eof || n - good > 3 || !utf8_begins(p + good, n - good)))
        s->suspect = true;
    if (!s->nul_ends && good && memchr(p, '\0', good))
        s->suspect = true;
    s->checked += good;
}

int window_fill(Window *s, Err *e)
{
    if (s->eof)
        return 0;
    if (make_room(s, e) < 0)
        return -1;
    if (!s->idle_told) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, IDLE_MS) == 0) {
            s->idle_told = true;
            return REC_IDLE;
        }
    }
    ssize_t n;
    do
        n = read(s->fd, s->p + s->end, s->cap - s->end);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_sys(e, "cannot read");
    s->idle_told = false;
    s->eof = n == 0;
    s->end += (size_t)n;
    check_bytes(s);
    return n > 0;
}

/* What Excel calls Unicode text: two bytes a character, with a mark or, in ASCII, without. *more:
 * that is not to be seen yet, and no line is whole. */
static const char *wide(const Window *s, bool *more)
{
    const unsigned char *p = (const unsigned char *)s->p + s->begin;
    size_t n = s->end - s->begin;
    *more = false;
    if (n && p[0] >= 0xfe) { /* as no UTF-8 begins */
        *more = n < 2;
        return n >= 2 && p[0] + p[1] == 0xff + 0xfe ? "utf16" : NULL;
    }
    if (!n || p[0] == '\n' || s->nul_ends)
        return NULL;
    bool little = true, big = true;
    for (size_t i = 0; i < n && i < 4; i++) {
        little &= (p[i] != 0) == (i % 2 == 0);
        big &= (p[i] != 0) == (i % 2 == 1);
    }
    *more = n < 4 && (little || big);
    return n < 4 ? NULL : little ? "utf16le" : big ? "utf16be" : NULL;
}

/* Skips a byte order mark at the beginning of a file: 1 when it is clear that none is left. */
static int skip_mark(Window *s, Err *e)
{
    static const char mark[3] = {'\xef', '\xbb', '\xbf'};
    for (;;) {
        size_t n = s->end - s->begin;
        if (n && memcmp(s->p + s->begin, mark, n < 3 ? n : 3) != 0)
            break;
        if (n >= 3) {
            s->begin += 3;
            s->fresh = false;
            return 1;
        }
        int k = window_fill(s, e);
        if (k == 0)
            break;
        if (k != 1)
            return k;
    }
    for (bool more = true; more;) {
        const char *code = wide(s, &more);
        if (code)
            return err_set(e, "this is UTF-16, not UTF-8: convert it first (iconv -f %s -t utf8)",
                           code);
        int k = more ? window_fill(s, e) : 0;
        if (k == 0)
            break;
        if (k != 1)
            return k;
    }
    s->fresh = false;
    return 1;
}

int window_line(Window *s, char end, Str *line, Err *e)
{
    for (size_t seen = 0;;) {
        size_t n = s->end - s->begin;
        char *from = s->p + s->begin, *stop = n ? memchr(from + seen, end, n - seen) : NULL;
        if (stop || (s->eof && n)) {
            size_t len = stop ? (size_t)(stop - from) : n;
            s->begin += len + (stop != NULL);
            if (end == '\n' && len && from[len - 1] == '\r')
                len--;
            *line = str_of(from, len);
            return 1;
        }
        seen = n;
        int k = window_fill(s, e);
        if (k != 1 && !(k == 0 && n))
            return k;
    }
}

int rec_text(Str s, Err *e)
{
    size_t bad = utf8_check(s.p, s.n);
    if (bad < s.n)
        return err_set(e, "byte %zu is not UTF-8: convert it first (iconv -f latin1 -t utf8)",
                       bad + 1);
    const char *nul = s.n ? memchr(s.p, '\0', s.n) : NULL;
    if (nul)
        return err_set(e, "byte %zu is NUL, which no text has: remove it (tr -d '\\0')",
                       (size_t)(nul - s.p) + 1);
    return 0;
}

Records *rec_open(char **files, int nfiles, const RecSpec *spec)
{
    static char *stdin_only[] = {"-"};
    Records *r = mem_zero(1, sizeof *r);
    int columns = spec->kind == REC_CONLL ? 2 : spec->columns > 0 ? spec->columns : 1;
    r->spec = *spec;
    r->in = (Window){.files = nfiles ? files : stdin_only,
                     .nfiles = nfiles ? nfiles : 1,
                     .at = -1,
                     .fd = -1,
                     .nul_ends = spec->kind == REC_NUL};
    r->field = mem_zero((size_t)columns, sizeof *r->field);
    r->null = mem_zero((size_t)columns, sizeof *r->null);
    r->number = -1;
    if (spec->kind == REC_CSV)
        r->csv = rec_csv_open(&r->spec);
    if (spec->kind == REC_CONLL)
        r->conll = rec_conll_open();
    if (spec->kind == REC_FILE)
        r->files = rec_files_open(&r->in);
    if (spec->kind == REC_JSON)
        r->number_text = mem_zero((size_t)columns, sizeof *r->number_text);
    return r;
}

/* An empty line between JSON records is nobody's record. */
static bool blank(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr(" \t\r", s.p[i]) || !s.p[i])
            return false;
    return true;
}

/* A record of this file into r->field: 1, REC_IDLE, 0 at its end, -1. */
static int next_here(Records *r, Err *e)
{
    Str line;
    int k;
    if (r->spec.kind == REC_CSV)
        return rec_csv_next(r->csv, &r->in, r->field, e);
    if (r->spec.kind == REC_CONLL)
        return rec_conll_next(r, e);
    if (r->spec.kind == REC_FILE)
        return rec_files_next(r, e);
    do
        k = window_line(&r->in, r->spec.kind == REC_NUL ? '\0' : '\n', &line, e);
    while (k == 1 && r->spec.kind == REC_JSON && blank(line));
    if (k != 1)
        return k;
    if (r->in.suspect && rec_text(line, e) < 0)
        return -1;
    if (r->spec.kind == REC_JSON)
        return rec_json(r, line, e) < 0 ? -1 : 1;
    r->field[0] = line;
    return 1;
}

/* As next_here(), opening files as needed; 0 at the end of the last one. */
static int next_anywhere(Records *r, Err *e)
{
    for (;;) {
        int k = 1;
        if (r->in.fd < 0) {
            r->in_file = 0;
            k = r->files ? rec_files_begin(r, e) : window_open(&r->in, e);
            if (k != 1)
                return k;
            if (r->csv)
                rec_csv_begin(r->csv);
            if (r->conll)
                rec_conll_begin(r->conll);
        }
        if (r->in.fresh)
            k = skip_mark(&r->in, e);
        if (k == 1)
            k = next_here(r, e);
        if (k < 0) {
            if (r->files)
                rec_files_at(r->files, e);
            if (r->csv && rec_csv_in_header(r->csv))
                return err_at(e, "%s: header", r->in.place);
            return err_at(e, "%s: record %" PRId64, r->in.place, r->in_file + 1);
        }
        if (k != 0)
            return k;
        window_shut(&r->in);
    }
}

int rec_next(Records *r, Record *rec, Err *e)
{
    if (r->failed) {
        *e = r->fault;
        return -1;
    }
    int k = next_anywhere(r, e);
    if (k < 0) {
        r->failed = true;
        r->fault = *e;
    }
    if (k == REC_GOT) {
        *rec = (Record){.field = r->field,
                        .null = r->null,
                        .number = ++r->number,
                        .in_file = ++r->in_file,
                        .place = r->in.place};
        if (r->conll)
            rec->word = rec_conll_words(r->conll, &rec->words);
    }
    return k;
}

void rec_close(Records *r)
{
    if (!r)
        return;
    window_shut(&r->in);
    rec_csv_close(r->csv);
    rec_conll_close(r->conll);
    rec_files_close(r->files);
    rec_json_release(r);
    free(r->in.p);
    free(r->field);
    free(r->null);
    free(r->number_text);
    free(r);
}
