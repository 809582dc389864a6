/* token.c - token-classification: a label for each token, and entities made of them; --eval
 * measures entities against the words' own labels. */
#include "base/utf8.h"
#include "base/write.h"
#include "measure/entity_counts.h"
#include "task/entities.h"
#include "task/group.h"
#include "task/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PART_SPECIAL = 255 };

typedef struct Token {
    Classes classes;
    /* of this frame */
    const int64_t *end;
    const int32_t *id, (*span)[2];
    const uint8_t *part;
    const float *logit;
    /* of the open record */
    Group group;
    int64_t windows;
    Entities entities;
    CharAt at[2];        /* in its first and second text */
    int32_t measured[2]; /* --eval: bytes of them that windows before have covered */
    /* of a row */
    Entities tokens;
    double *score; /* [tokens, classes] */
    EntityCounts chunks;
    int64_t records;
} Token;

static void close_token(void *state)
{
    Token *t = state;
    classes_clear(&t->classes);
    entities_clear(&t->entities);
    entities_clear(&t->tokens);
    entity_counts_free(&t->chunks);
    free(t->score);
    free(t);
}

static const Tensor *logits_of(const Frame *f, Err *e)
{
    const Tensor *logit = frame_need(f, "token.logit", DT_F32, 2, e);
    if (logit && logit->shape[1] < 1) {
        err_set(e, "token.logit has no logits");
        return NULL;
    }
    return logit;
}

static void *open_token(Scorer *s, const Frame *f, Err *e)
{
    Token *t = mem_zero(1, sizeof *t);
    bool eval = s->asked.given & ASK_EVAL;
    const Tensor *logit = logits_of(f, e);
    if (!logit || classes_read(&t->classes, f, logit->shape[1], e) < 0 ||
        (!eval && stream_tokenizer_open(&s->stream_tokenizer, f, e) < 0)) {
        close_token(t);
        return NULL;
    }
    t->chunks = entity_counts_new(&t->classes);
    return t;
}

static int same_classes(const Token *t, const Frame *f, int64_t n, Err *e)
{
    Classes c;
    if (classes_read(&c, f, n, e) < 0)
        return -1;
    bool same = c.n == t->classes.n;
    for (int64_t i = 0; same && i < c.n; i++)
        same = strcmp(c.name[i], t->classes.name[i]) == 0;
    classes_clear(&c);
    return same ? 0 : err_set(e, "the classes change: score the streams apart");
}

static int frame_token(void *state, Scorer *s, const Frame *f, Err *e)
{
    Token *t = state;
    const Tensor *logit = logits_of(f, e), *end, *id, *part, *span;
    if (!logit || same_classes(t, f, logit->shape[1], e) < 0 ||
        !(end = frame_need(f, "row.tokens", DT_I64, 1, e)) ||
        !(id = frame_need(f, "token.id", DT_I32, 1, e)) ||
        !(part = frame_need(f, "token.part", DT_U8, 1, e)) ||
        !(span = frame_need(f, "token.span", DT_I32, 2, e)))
        return -1;
    if ((s->asked.given & ASK_EVAL) && !frame_get(f, "token.label"))
        return err_set(e, "no labels of words to measure against: read them with `tok --conll`");
    t->end = end->data;
    t->id = id->data;
    t->part = part->data;
    t->span = span->data;
    t->logit = logit->data;
    return answer_columns(&s->answers, f, "start,end,group,score,word", e);
}

/* ---- answers ---- */

static int64_t count_chars(Str s)
{
    CharAt at = {0};
    return chars_before(&at, s, s.n);
}

/* Does this token go on the word before it? Marked pieces are shorter or longer than what they
 * stand for; without marks only a blank tells. */
static bool goes_on(const Tokenizer *tok, Str word, Str ref, Str text)
{
    if (tokenizer_has_prefix(tok))
        return count_chars(word) != count_chars(ref);
    size_t start = (size_t)(ref.p - text.p);
    return start > 0 && text.p[start - 1] != ' ' && (start == text.n || text.p[start] != ' ');
}

static int add_token(Token *t, const Tokenizer *tok, const Frame *f, int64_t row, int64_t i, Err *e)
{
    int part = t->part[i] == 1;
    Str text = frame_text(f, part ? "row.pair" : "row.text", row);
    Str word = tokenizer_text(tok, t->id[i]);
    const int32_t *span = t->span[i];
    if (span[0] < 0 || span[1] < span[0] || (size_t)span[1] > text.n)
        return err_set(e, "token.span: [%d, %d) is not in the row's text", (int)span[0],
                       (int)span[1]);
    if (!word.p)
        return err_set(e, "no token has the id %d: is -m the model that made it?", (int)t->id[i]);
    Str ref = str_of(text.n ? text.p + span[0] : "", (size_t)(span[1] - span[0]));
    bool unknown = t->id[i] == tokenizer_special(tok, TOK_UNK);
    Entity x = {.inside = !unknown && text.n && goes_on(tok, word, ref, text)};
    if (unknown)
        word = ref;
    x.word = mem_strn(word.p, word.n);
    x.word_n = word.n;
    x.start = chars_before(&t->at[part], text, (size_t)span[0]);
    x.end = chars_before(&t->at[part], text, (size_t)span[1]);
    x.index = i - t->end[row];
    entities_add(&t->tokens, &x);
    return 0;
}

/* The row's tokens but special ones, each with its scores. */
static int read_tokens(Token *t, const Tokenizer *tok, const Frame *f, int64_t row, Err *e)
{
    int64_t c = t->classes.n, n = 0;
    t->score = mem_resize(t->score, (size_t)(t->end[row + 1] - t->end[row] + 1),
                          (size_t)c * sizeof *t->score);
    for (int64_t i = t->end[row]; i < t->end[row + 1]; i++) {
        if (t->part[i] == PART_SPECIAL)
            continue;
        if (class_finite(t->logit + i * c, c, e) < 0 || add_token(t, tok, f, row, i, e) < 0)
            return -1;
        Entity *x = &t->tokens.item[t->tokens.n - 1];
        double *score = t->score + n++ * c;
        class_scores(ONE_OF, t->logit + i * c, c, score);
        class_top(t->logit + i * c, c, 1, &x->label);
        x->scores = score;
        x->score = score[x->label];
    }
    return 0;
}

static void put_json_entity(const Token *t, Buf *b, const Entity *x, bool group, bool first)
{
    put_json_key(b, first ? "{" : ", {", group ? "entity_group" : "entity");
    put_json(b, entity_name(&t->classes, x->label, group));
    put_json_key(b, ", ", "score");
    put_float(b, (float)x->score);
    if (!group)
        buf_fmt(b, ", \"index\": %lld", (long long)x->index);
    put_json_key(b, ", ", "word");
    put_json(b, str_of(x->word, x->word_n));
    buf_fmt(b, ", \"start\": %lld, \"end\": %lld}", (long long)x->start, (long long)x->end);
}

static void put_entity(const Token *t, Answers *a, const Entity *x, bool group)
{
    answer_line(a,
                (Cell[]){cell_count(x->start), cell_count(x->end),
                         cell_text(entity_name(&t->classes, x->label, group)), cell_score(x->score),
                         cell_text(str_of(x->word, x->word_n))},
                5, NAN);
}

static int by_score(const void *a, const void *b)
{
    const Entity *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->start < y->start ? -1 : x->start > y->start;
}

static int flush_token(void *state, Scorer *s, Err *e)
{
    Token *t = state;
    Answers *a = &s->answers;
    Entities *list = &t->entities;
    bool group = s->asked.aggregate != AGG_NONE;
    (void)e;
    if (!t->group.open)
        return 0;
    group_close(&t->group);
    if (s->asked.given & ASK_EVAL) {
        entity_counts_end(&t->chunks);
        return 0;
    }
    if (t->windows > 1)
        entities_merge(list);
    int64_t n = answer_count(a, list->n, list->n);
    if (a->top > 0 && n)
        qsort(list->item, (size_t)list->n, sizeof *list->item, by_score);
    if (a->format == FORMAT_JSON)
        buf_str(&a->out, "[");
    for (int64_t i = 0; i < n; i++)
        if (a->format == FORMAT_JSON)
            put_json_entity(t, &a->out, &list->item[i], group, i == 0);
        else
            put_entity(t, a, &list->item[i], group);
    if (a->format == FORMAT_JSON)
        buf_str(&a->out, "]\n");
    entities_clear(list);
    return 0;
}

/* ---- metrics ---- */

/* Words of a second window that the first had already are not counted again. */
static bool is_new(Token *t, int64_t i)
{
    int32_t *done = &t->measured[t->part[i] == 1];
    if (t->windows > 1 && t->span[i][0] < *done)
        return false;
    *done = t->span[i][1];
    return true;
}

static int measure(Token *t, const Frame *f, int64_t row, Err *e)
{
    int64_t c = t->classes.n, best;
    for (int64_t i = t->end[row]; i < t->end[row + 1]; i++) {
        Str label = frame_text(f, "token.label", i);
        if (t->part[i] == PART_SPECIAL || !label.n || !is_new(t, i))
            continue;
        const float *logit = t->logit + i * c;
        int64_t gold = class_gold(&t->classes, label, e);
        if (gold < 0 || class_finite(logit, c, e) < 0)
            return -1;
        class_top(logit, c, 1, &best);
        entity_counts_add(&t->chunks, gold, best, class_nll(logit, c, gold));
    }
    return 0;
}

static int report_token(void *state, Scorer *s, Err *e)
{
    const Token *t = state;
    if (!t->chunks.words)
        return err_set(e, "no row has a word with a label to measure against");
    entity_counts_put(&s->answers.out, &t->chunks, t->records, s->answers.format == FORMAT_JSON);
    return 0;
}

/* ---- rows ---- */

static int begin_record(Token *t, Scorer *s, const Frame *f, int64_t row, Err *e)
{
    if (flush_token(t, s, e) < 0)
        return -1;
    group_open(&t->group);
    t->windows = 0;
    t->records++;
    memset(t->at, 0, sizeof t->at);
    memset(t->measured, 0, sizeof t->measured);
    answer_row(&s->answers, f, row);
    return 0;
}

static int row_token(void *state, Scorer *s, const Frame *f, int64_t row, Err *e)
{
    Token *t = state;
    if (group_turns(&t->group, f, row) && begin_record(t, s, f, row, e) < 0)
        return -1;
    t->windows++;
    if (s->asked.given & ASK_EVAL)
        return measure(t, f, row, e);
    entities_clear(&t->tokens);
    if (read_tokens(t, s->stream_tokenizer.tokenizer, f, row, e) < 0)
        return -1;
    entities_group(&t->tokens, &t->classes, s->asked.aggregate, s->stream_tokenizer.tokenizer);
    for (int64_t i = 0; i < t->tokens.n; i++)
        entities_add(&t->entities, &t->tokens.item[i]);
    t->tokens.n = 0; /* their words are the list's now */
    return group_ends(f, row, "row.text", 0) ? flush_token(t, s, e) : 0;
}

const Task task_token = {"token",      ASK_AGGREGATE | ASK_EVAL,
                         open_token,   frame_token,
                         row_token,    flush_token,
                         report_token, close_token};
