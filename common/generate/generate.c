#include "generate/generate_in.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_ROWS = 32,
    MOST_BYTES = 1 << 30, /* of keys and values, unless one row takes more */
};

/* ---- opening ---- */

Generator *generator_new(Speaker *s, const Settings *settings, const GenerateWith *with, Err *e)
{
    int64_t words = speaker_config(s)->vocab;
    if (settings_check(settings, words, e) < 0)
        return NULL;
    Generator *g = mem_zero(1, sizeof *g);
    g->speaker = s;
    g->settings = settings;
    g->with = *with;
    g->words = words;
    g->most = with->batch ? with->batch : MOST_ROWS;
    g->last = &g->first;
    g->likeliest = going_likeliest(g);
    g->heard.best = going_best(g);
    g->work = rulework_new(words, with->choices);
    g->score = mem_array((size_t)words, sizeof *g->score);
    g->prompt = mem_zero(PROMPTS, sizeof *g->prompt);
    g->prompts = mem_zero(PROMPTS, sizeof *g->prompts);
    return g;
}

static void free_row(Generator *g, Going *r)
{
    if (r->begun && !r->done)
        going_over(g, r);
    for (int i = 0; i < r->fins; i++)
        line_clear(g, &r->fin[i]);
    free(r->fin);
    free(r->answer);
    free(r->source);
    free(r->why);
    free(r);
}

void generator_free(Generator *g)
{
    if (!g)
        return;
    while (g->first) {
        Going *r = g->first;
        g->first = r->next;
        free_row(g, r);
    }
    prompts_forget(g);
    if (g->prefix.n)
        track_drop(speaker_kept(g->speaker), &g->prefix);
    prefix_clear(&g->common);
    free(g->first_prompt.id);
    free(g->prompt);
    free(g->prompts);
    rulework_free(g->work);
    free(g->heard.logits);
    free(g->heard.lse);
    free(g->heard.top);
    free(g->heard.word);
    free(g->heard.value);
    free(g->heard.whose);
    free(g->score);
    free(g->text.p);
    free(g);
}

/* ---- rows ---- */

/* Tokens that stand before an answer: the prompt, or what a decoder starts with. */
static int32_t start_of(const Generator *g)
{
    const Settings *s = g->settings;
    return speaker_reads(g->speaker) && s->start != UNSET ? s->start : s->bos;
}

/* Lengths as generate() has them: with what stands before the answer, never beyond the positions.
 */
static int set_lengths(const Generator *g, Going *r, Err *e)
{
    enum { USUAL = 20 };
    const Settings *s = g->settings;
    int64_t positions = speaker_config(g->speaker)->positions;
    r->max_length = s->max_new != UNSET      ? r->first + s->max_new
                    : s->max_length != UNSET ? s->max_length
                                             : r->first + USUAL;
    bool usual = s->max_new == UNSET && s->max_length == UNSET;
    if (positions && r->max_length > positions) {
        r->max_length = positions;
        r->cut = !usual;
    }
    if (r->first >= r->max_length)
        return positions && r->first >= positions
                   ? err_set(e,
                             "%" PRId64
                             " tokens leave no room for an answer: the model has %" PRId64
                             " positions (--trunc left keeps the end of a prompt)",
                             r->first, positions)
                   : err_set(e,
                             "%" PRId64 " tokens, but all may be %" PRId64
                             " (--max-length counts the prompt; --max-new does not)",
                             r->first, r->max_length);
    r->min_length = s->min_length;
    r->min_new = s->min_new != UNSET ? s->min_new : 0;
    if (s->min_new != UNSET)
        r->min_length = r->first + s->min_new;
    return 0;
}

static int check(const Generator *g, const int32_t *id, int64_t n, Err *e)
{
    const Config *c = speaker_config(g->speaker);
    bool reads = speaker_reads(g->speaker);
    if ((reads || !n) && start_of(g) < 0)
        return err_set(e, reads ? "the model's files say no token that an answer starts with "
                                  "(decoder_start_token_id)"
                                : "the row is empty, and the model has no token that begins a text "
                                  "(bos_token_id)");
    if (reads && c->positions && n > c->positions)
        return err_set(
            e, "%" PRId64 " tokens, but the model has %" PRId64 " positions: tok -n %" PRId64, n,
            c->positions, c->positions);
    for (int64_t i = 0; i < n; i++)
        if (id[i] < 0 || id[i] >= c->vocab)
            return err_set(e,
                           "token id %d is outside the model's vocabulary of %" PRId64
                           ": were the ids made for another model?",
                           id[i], c->vocab);
    return 0;
}

int generator_add(Generator *g, const int32_t *id, int64_t n, Err *e)
{
    Going *r = mem_zero(1, sizeof *r);
    int32_t start = start_of(g);
    bool begins = !speaker_reads(g->speaker) && n == 0;
    r->first = speaker_reads(g->speaker) || begins ? 1 : n;
    if (check(g, id, n, e) < 0 || set_lengths(g, r, e) < 0) {
        free(r);
        return -1;
    }
    r->sources = begins ? 1 : n;
    r->source = mem_array((size_t)r->sources + 1, sizeof *r->source);
    if (begins)
        r->source[0] = start;
    else if (n)
        memcpy(r->source, id, (size_t)n * sizeof *id);
    if (!g->rows && g->with.keep) {
        g->first_prompt = (Ids){mem_array((size_t)r->sources + 1, sizeof(int32_t)), r->sources};
        memcpy(g->first_prompt.id, r->source, (size_t)r->sources * sizeof(int32_t));
    }
    g->first_prompt.n =
        prompts_in_common(g->first_prompt.id, g->first_prompt.n, r->source, r->sources);
    r->row = g->rows++;
    r->open = true;
    *g->last = r;
    g->last = &r->next;
    g->waiting++;
    return 0;
}

int64_t generator_waiting(const Generator *g)
{
    return g->waiting;
}

int64_t generator_batch(const Generator *g)
{
    return g->most;
}

bool generator_busy(const Generator *g)
{
    return g->under_way || g->waiting;
}

const Done *generator_first(Generator *g)
{
    return g->first && g->first->done ? &g->first->result : NULL;
}

void generator_drop(Generator *g)
{
    Going *r = g->first;
    g->first = r->next;
    if (!g->first)
        g->last = &g->first;
    free_row(g, r);
}

const Prefix *generator_common(Generator *g)
{
    if (g->first_prompt.n < g->common.ids.n)
        g->common.ids.n = g->first_prompt.n;
    return g->common.ids.n ? &g->common : NULL;
}

/* ---- room ---- */

static int64_t lines_of(const Generator *g)
{
    return g->settings->beams > 1 ? g->settings->beams : g->settings->returns;
}

/* Slots that a row takes at most: beams, while one step's become the next one's, hold twice the
 * tokens that differ. */
static int64_t need_of(const Generator *g, const Going *r)
{
    return r->first + lines_of(g) * (r->max_length - r->first + 1);
}

/* Room for this row and as many like it as there may be. */
static int keep_for(Generator *g, const Going *r, Err *e)
{
    int64_t need = need_of(g, r), read = r->sources + 1, rows = g->most;
    int64_t token = speaker_token_wide(g->speaker) * speaker_token_layers(g->speaker);
    int64_t each = (need + read) * (token + 1) * (int64_t)sizeof(float);
    int64_t prefix = g->with.prefix ? g->with.prefix->ids.n : 0;
    prompts_forget(g);
    if (g->prefix.n)
        track_drop(speaker_kept(g->speaker), &g->prefix);
    if (rows > MOST_BYTES / each && !g->with.batch)
        rows = MOST_BYTES / each > 1 ? MOST_BYTES / each : 1;
    if (speaker_keep(g->speaker, need * rows + prefix, read * rows, e) < 0)
        return -1;
    if (prefix)
        prefix_put(g->with.prefix, g->speaker, &g->prefix);
    return 0;
}

static int64_t promised(const Generator *g)
{
    int64_t n = 0;
    for (const Going *r = g->first; r && r->begun; r = r->next)
        if (!r->done)
            n += need_of(g, r);
    return n;
}

/* reading: tokens that others are about to read. */
static bool fits(const Generator *g, const Going *r, int64_t reading)
{
    Kept *kept = speaker_kept(g->speaker), *memory = speaker_memory(g->speaker);
    int64_t prompts = g->prefix.n;
    for (int i = 0; i < g->prompt_count; i++)
        prompts += g->prompt[i].n;
    return kept && promised(g) + prompts + need_of(g, r) <= kept_slots(kept) &&
           (!memory || r->sources + reading <= kept_spare(memory));
}

/* ---- beginning ---- */

/* One line: others begin as copies of it, once the prompt's keys are there. */
static void begin(Generator *g, Going *r)
{
    bool reads = speaker_reads(g->speaker);
    Line *l = mem_zero(1, sizeof *l);
    int64_t n = 0;
    int32_t start = start_of(g);
    const Track *t = reads ? NULL : prompts_known(g, r, &n);
    for (int64_t i = 0; i < r->first; i++)
        line_add(l, reads ? start : r->source[i], 0);
    if (n)
        track_fork(speaker_kept(g->speaker), &l->track, t, n);
    r->line = l;
    r->lines = 1;
    r->begun = true;
    g->under_way++;
    g->waiting--;
}

static int read_rows(Generator *g, Going *const *row, int64_t rows, Err *e)
{
    int64_t *starts = mem_zero((size_t)rows + 1, sizeof *starts), n = 0;
    for (int64_t i = 0; i < rows; i++)
        starts[i + 1] = n += row[i]->sources;
    int32_t *id = mem_array((size_t)n, sizeof *id);
    Track *memory = mem_zero((size_t)rows + 1, sizeof *memory);
    for (int64_t i = 0; i < rows; i++)
        memcpy(id + starts[i], row[i]->source, (size_t)row[i]->sources * sizeof *id);
    TransformerIn in = {.id = id, .starts = starts, .rows = rows, .tokens = n};
    int r = rows ? speaker_read(g->speaker, &in, memory, e) : 0;
    for (int64_t i = 0; i < rows; i++)
        row[i]->memory = memory[i];
    free(memory);
    free(starts);
    free(id);
    return r;
}

/* Rows that wait begin, while there is room. */
static int let_in(Generator *g, Err *e)
{
    Going **fresh = mem_array((size_t)g->most, sizeof *fresh);
    int64_t n = 0, reading = 0;
    int status = 0;
    Going *r = g->first;
    while (r && r->begun)
        r = r->next;
    for (; r && g->under_way < g->most && status == 0; r = r->next) {
        int64_t have = 0;
        if (!fits(g, r, reading) && g->prompt_count)
            prompts_forget(g);
        if (!fits(g, r, reading) && (g->under_way || (status = keep_for(g, r, e)) < 0))
            break;
        if (!speaker_reads(g->speaker))
            prompts_known(g, r, &have);
        if (prompts_worth_a_wait(g, r, have))
            break;
        begin(g, r);
        fresh[n++] = r;
        reading += r->sources;
    }
    if (status == 0 && speaker_reads(g->speaker))
        status = read_rows(g, fresh, n, e);
    free(fresh);
    return status;
}

/* ---- a step ---- */

static void make_room(Generator *g, int64_t lines)
{
    if (lines <= g->room)
        return;
    Heard *h = &g->heard;
    g->room = lines;
    free(h->logits);
    h->logits =
        g->likeliest || h->best ? NULL : mem_array((size_t)(lines * g->words), sizeof *h->logits);
    h->value = mem_resize(h->value, (size_t)(lines * h->best), sizeof *h->value);
    h->whose = mem_resize(h->whose, (size_t)(lines * h->best), sizeof *h->whose);
    h->lse = mem_resize(h->lse, (size_t)lines, sizeof *h->lse);
    h->top = mem_resize(h->top, (size_t)lines, sizeof *h->top);
    h->word = mem_resize(h->word, (size_t)lines, sizeof *h->word);
}

/* What is new in the lines under way. */
typedef struct Fresh {
    int32_t *id;
    int64_t *starts, lines, tokens;
    const Track **track, **memory;
} Fresh;

static void gather(Generator *g, Fresh *f)
{
    int64_t most = g->under_way * lines_of(g), room = 0;
    f->starts = mem_zero((size_t)most + 1, sizeof *f->starts);
    f->track = mem_zero((size_t)most + 1, sizeof *f->track);
    f->memory = mem_zero((size_t)most + 1, sizeof *f->memory);
    for (Going *r = g->first; r && r->begun; r = r->next)
        for (int k = 0; !r->done && k < r->lines; k++) {
            Line *l = &r->line[k];
            if (l->done)
                continue;
            int64_t n = l->n - l->track.n;
            if (f->tokens + n > room) {
                room = 2 * (f->tokens + n) + 64;
                f->id = mem_resize(f->id, (size_t)room, sizeof *f->id);
            }
            memcpy(f->id + f->tokens, l->id + l->track.n, (size_t)n * sizeof *f->id);
            track_append(speaker_kept(g->speaker), &l->track, n);
            f->tokens += n;
            l->at = f->lines;
            f->track[f->lines] = &l->track;
            f->memory[f->lines] = &r->memory;
            f->starts[++f->lines] = f->tokens;
        }
}

/* Several answers are drawn: each goes on for itself from the prompt on. */
static void spread(Generator *g, Going *r)
{
    int64_t n = lines_of(g);
    if (g->settings->beams > 1 || n == 1 || r->lines > 1)
        return;
    Line *line = mem_zero((size_t)n, sizeof *line);
    line[0] = r->line[0];
    for (int64_t i = 1; i < n; i++) {
        line_copy(g, &line[i], &line[0], true);
        line[i].at = line[0].at;
    }
    free(r->line);
    r->line = line;
    r->lines = (int)n;
}

int generator_step(Generator *g, Err *e)
{
    if (let_in(g, e) < 0)
        return -1;
    Fresh f = {0};
    gather(g, &f);
    make_room(g, f.lines);
    Speech in = {f.lines, f.starts, f.id, f.track, f.memory};
    int status = f.lines ? speaker_run(g->speaker, &in, &g->heard, e) : 0;
    for (Going *r = g->first, *next; r && r->begun && status == 0; r = next) {
        next = r->next;
        if (r->done)
            continue;
        if (r->line[0].n == r->first && !r->fin) {
            if (!r->row && g->with.keep)
                status = prefix_take(&g->common, g->speaker, r->source, r->sources,
                                     &r->line[0].track, e);
            prompts_add(g, r);
            spread(g, r);
        }
        if (g->settings->beams > 1)
            beam_step(g, r);
        else
            going_step(g, r);
    }
    free(f.id);
    free(f.starts);
    free(f.track);
    free(f.memory);
    if (status == 0 && *g->lost.text) {
        *e = g->lost;
        status = -1;
    }
    return status;
}
