/* frame_test - frames in memory: texts, checks, rows cut out and put together. */
#include "io/frame.h"

#include "check.h"

#include <stdlib.h>

static bool text_is(const Frame *f, const char *name, int64_t i, const char *want)
{
    Str s = frame_text(f, name, i);
    return s.n == strlen(want) && memcmp(s.p, want, s.n) == 0;
}

static void *put(Frame *f, const char *name, DType type, int rank, const int64_t *shape,
                 const void *data)
{
    void *p = frame_add(f, name, type, rank, shape);
    return memcpy(p, data, frame_get(f, name)->bytes);
}

/* Three rows of 2, 0 and 3 tokens; rows 0 and 1 are windows of one text. */
static Frame *sample(void)
{
    Frame *f = frame_new(3, 5);
    Str one = {"one long text", 13}, two = {"two", 3}, label[3] = {{"b", 1}, {"", 0}, {"a", 1}};
    Str tag[5] = {{"B", 1}, {"", 0}, {"O", 1}, {"O", 1}, {"I", 1}};
    put(f, "row.tokens", DT_I64, 1, (int64_t[]){4}, (int64_t[]){0, 2, 2, 5});
    put(f, "token.id", DT_I32, 1, (int64_t[]){5}, (int32_t[]){10, 11, 20, 21, 22});
    put(f, "token.part", DT_U8, 1, (int64_t[]){5}, (uint8_t[]){0, 255, 0, 0, 0});
    put(f, "token.span", DT_I32, 2, (int64_t[]){5, 2}, (int32_t[]){0, 13, 0, 0, 0, 1, 1, 2, 2, 3});
    put(f, "pick.token", DT_I64, 1, (int64_t[]){3}, (int64_t[]){4, 0, 2});
    put(f, "pick.logit", DT_F32, 2, (int64_t[]){3, 1}, (float[]){4, 0, 2});
    put(f, "row.new", DT_I16, 2, (int64_t[]){3, 2}, (int16_t[]){1, 2, 3, 4, 5, 6});
    put(f, "scale", DT_F64, 0, NULL, (double[]){0.5});
    frame_add_text(f, "row.text", (Str[]){one, one, two}, 3);
    frame_add_text(f, "row.label", label, 3);
    frame_add_text(f, "token.label", tag, 5);
    frame_set_meta(f, "model", "/m");
    return f;
}

static void test_text(void)
{
    Frame *f = sample();
    Err e = {0};
    CHECK(frame_check(f, &e) == 0 && f->rows == 3 && f->tokens == 5);
    CHECK_TEXT(e.text, "");
    CHECK(frame_get(f, "text.utf8")->bytes == 16); /* windows share their text */
    CHECK(text_is(f, "row.text", 1, "one long text") && text_is(f, "row.text", 2, "two"));
    CHECK(text_is(f, "row.label", 0, "b") && text_is(f, "row.label", 1, ""));
    CHECK(text_is(f, "token.label", 0, "B") && text_is(f, "token.label", 4, "I"));
    CHECK(frame_text(f, "row.pair", 0).p == NULL);
    CHECK(tensor_bytes(f, frame_get(f, "token.label")) == frame_get(f, "label.utf8"));
    CHECK(!tensor_bytes(f, frame_get(f, "token.id")));
    frame_add_text(f, "row.label", (Str[]){{"x", 1}, {"y", 1}, {"z", 1}}, 3);
    CHECK(text_is(f, "row.label", 2, "z") && text_is(f, "token.label", 4, "I"));
    CHECK(frame_check(f, &e) == 0);
    frame_free(f);
}

static void test_meta(void)
{
    Frame *f = frame_new(0, 0);
    frame_set_meta(f, "a", "1");
    frame_set_meta(f, "b", "2");
    frame_set_meta(f, "a", frame_meta(f, "b"));
    CHECK(strcmp(frame_meta(f, "a"), "2") == 0 && f->keys == 2);
    frame_set_meta(f, "a", NULL);
    CHECK(!frame_meta(f, "a") && f->keys == 1 && strcmp(f->key[0], "b") == 0);
    frame_free(f);
}

static void test_need(void)
{
    Frame *f = sample();
    Err e = {0};
    CHECK(frame_need(f, "token.id", DT_I32, 1, &e) != NULL);
    CHECK(!frame_need(f, "token.hidden", DT_F32, 2, &e));
    CHECK_TEXT(e.text, "`encode`");
    CHECK(!frame_need(f, "token.id", DT_I64, 1, &e));
    CHECK_TEXT(e.text, "token.id is I32");
    CHECK(!frame_need(f, "token.id", DT_I32, 2, &e));
    frame_free(f);
}

static void test_select(void)
{
    Frame *f = sample(), *g = frame_select(f, (int64_t[]){2, 0, 2}, 3);
    Err e = {0};
    CHECK(frame_check(g, &e) == 0 && g->rows == 3 && g->tokens == 8);
    CHECK_TEXT(e.text, "");
    const int64_t *at = frame_get(g, "row.tokens")->data;
    const int32_t *id = frame_get(g, "token.id")->data;
    const int16_t *new = frame_get(g, "row.new")->data;
    CHECK(at[1] == 3 && at[2] == 5 && at[3] == 8);
    CHECK(id[0] == 20 && id[3] == 10 && id[7] == 22 && new[0] == 5 && new[3] == 2);
    CHECK(text_is(g, "row.text", 0, "two") && text_is(g, "row.text", 1, "one long text"));
    CHECK(text_is(g, "row.label", 1, "b") && text_is(g, "token.label", 7, "I"));
    CHECK(*(double *)frame_get(g, "scale")->data == 0.5);
    CHECK(strcmp(frame_meta(g, "model"), "/m") == 0);
    /* row 2's picks, in their order, then row 0's, then row 2's */
    const int64_t *pick = frame_get(g, "pick.token")->data;
    const float *logit = frame_get(g, "pick.logit")->data;
    CHECK(frame_get(g, "pick.token")->shape[0] == 5);
    CHECK(pick[0] == 2 && pick[1] == 0 && pick[2] == 3 && pick[3] == 7 && pick[4] == 5);
    CHECK(logit[0] == 4 && logit[1] == 2 && logit[2] == 0 && logit[3] == 4);
    frame_free(g);
    g = frame_select(f, (int64_t[]){2}, 1); /* the other text stays behind */
    CHECK(frame_get(g, "text.utf8")->bytes == 3 && text_is(g, "row.text", 0, "two"));
    CHECK(frame_check(g, &e) == 0);
    frame_free(g);
    g = frame_select(f, NULL, 0);
    CHECK(frame_check(g, &e) == 0 && g->rows == 0 && g->tokens == 0);
    CHECK(frame_get(g, "label.utf8")->bytes == 0);
    frame_free(g);
    frame_free(f);
}

static void test_replace(void)
{
    Frame *f = sample(), *g = frame_select(f, (int64_t[]){2}, 1);
    Err e = {0};
    f->end = END_OK;
    f->end_rows = 3;
    g->end = END_FAILED;
    frame_set_meta(g, "model", "/n");
    frame_replace(f, g);
    CHECK(frame_check(f, &e) == 0 && f->rows == 1 && f->tokens == 3);
    CHECK(text_is(f, "row.text", 0, "two") && strcmp(frame_meta(f, "model"), "/n") == 0);
    CHECK(f->end == END_OK && f->end_rows == 3);
    frame_free(f);
}

/* What an axis cuts is no bytes to point into: "row.row.x" is two numbers a row, like any other. */
static void test_nested(void)
{
    Frame *f = sample();
    Err e = {0};
    put(f, "row.row.x", DT_I64, 2, (int64_t[]){3, 2}, (int64_t[]){0, 3, 0, 3, 0, 99});
    put(f, "row.x.utf8", DT_U8, 1, (int64_t[]){3}, "abc");
    CHECK(frame_check(f, &e) == 0 && !tensor_bytes(f, frame_get(f, "row.row.x")));
    CHECK_TEXT(e.text, "");
    Frame *g = frame_select(f, (int64_t[]){2}, 1);
    CHECK(frame_check(g, &e) == 0 && frame_get(g, "row.x.utf8")->bytes == 1);
    CHECK(*(char *)frame_get(g, "row.x.utf8")->data == 'c');
    CHECK(((int64_t *)frame_get(g, "row.row.x")->data)[1] == 99);
    CHECK(frame_text(g, "row.row.x", 0).p == NULL);
    frame_free(g);
    frame_free(f);
}

/* As many tensors as a frame may have, all ranges: work is as much as there are, not its square. */
static void test_many(void)
{
    enum { MANY = 5000, SECONDS = 60 };
    Frame *f = frame_new(2, 0), *part[2];
    Str two[] = {{"a", 1}, {"bc", 2}};
    Err e = {0};
    char name[32];
    alarm(SECONDS);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "row.%d", i * 7919 % MANY);
        frame_add_text(f, name, two, 2);
        frame_set_meta(f, name, "x");
    }
    CHECK(frame_check(f, &e) == 0 && f->count == 2 * MANY && f->keys == MANY);
    for (int64_t i = 0; i < 2; i++)
        part[i] = frame_select(f, &i, 1);
    CHECK(text_is(part[1], "row.77", 0, "bc") && frame_get(part[1], "77.utf8")->bytes == 2);
    CHECK(frame_agree(part[0], part[1]));
    Frame *g = frame_join(part, 2);
    CHECK(frame_agree(f, g) && text_is(g, "row.4999", 1, "bc"));
    frame_drop(g, "row.0");
    frame_set_meta(g, "row.1", NULL);
    CHECK(!frame_get(g, "row.0") && text_is(g, "row.1", 0, "a") && !frame_meta(g, "row.1"));
    CHECK(strcmp(frame_meta(g, "row.2"), "x") == 0 && g->keys == MANY - 1);
    frame_drop_prefix(g, "row.");
    CHECK(g->count == MANY && !frame_get(g, "row.7") && frame_get(g, "7.utf8"));
    alarm(0);
    frame_free(g);
    frame_free(f);
}

static void test_join(void)
{
    Frame *f = sample(), *part[3];
    Err e = {0};
    for (int64_t i = 0; i < 3; i++)
        part[i] = frame_select(f, &i, 1);
    CHECK(frame_agree(part[0], part[1]) && frame_agree(f, part[2]));
    part[2]->end = END_OK;
    Frame *g = frame_join(part, 3);
    CHECK(frame_check(g, &e) == 0 && g->rows == 3 && g->tokens == 5 && g->end == END_OK);
    CHECK_TEXT(e.text, "");
    CHECK(memcmp(frame_get(g, "row.tokens")->data, frame_get(f, "row.tokens")->data, 32) == 0);
    CHECK(memcmp(frame_get(g, "token.id")->data, frame_get(f, "token.id")->data, 20) == 0);
    const int64_t *pick = frame_get(g, "pick.token")->data; /* in order of rows */
    CHECK(pick[0] == 0 && pick[1] == 4 && pick[2] == 2);
    CHECK(text_is(g, "row.text", 1, "one long text") && text_is(g, "row.text", 2, "two"));
    CHECK(text_is(g, "token.label", 2, "O") && text_is(g, "row.label", 2, "a"));
    CHECK(frame_get(g, "scale")->rank == 0);
    frame_free(g);
    frame_free(f);
}

static void test_agree(void)
{
    Frame *f = sample(), *g = frame_copy(f);
    CHECK(frame_agree(f, g));
    frame_set_meta(g, "model", "/n");
    CHECK(!frame_agree(f, g));
    frame_free(g);
    g = frame_copy(f);
    frame_add(g, "scale", DT_F64, 0, NULL);
    *(double *)frame_get(g, "scale")->data = 2;
    CHECK(!frame_agree(f, g)); /* nobody can lay two of them end to end */
    frame_free(g);
    g = frame_copy(f);
    frame_drop(g, "row.new");
    frame_add(g, "row.new", DT_I16, 2, (int64_t[]){3, 3});
    CHECK(!frame_agree(f, g));
    frame_drop_prefix(g, "token.");
    CHECK(!frame_get(g, "token.id") && frame_get(g, "row.new"));
    CHECK(frame_get(f, "token.id") != NULL);
    frame_free(g);
    frame_free(f);
}

/* A sample with one tensor replaced does not pass, and the message names what. */
static void refused(const char *name, DType type, int rank, const int64_t *shape, const void *data,
                    const char *why)
{
    Frame *f = sample();
    Err e = {0};
    put(f, name, type, rank, shape, data);
    CHECK(frame_check(f, &e) < 0);
    CHECK_TEXT(e.text, why);
    frame_free(f);
}

static void test_check(void)
{
    int64_t two[] = {2}, three[] = {3}, four[] = {4}, five[] = {5}, pair[] = {3, 2}, none[] = {0};
    int64_t ends[] = {0, 2, 1, 5}, late[] = {1, 2, 2, 5}, fall[] = {0, 2, 2, -5};
    int64_t out[] = {0, 13, 13, 17, 0, 0}, back[] = {5, 2, 0, 0, 0, 0};
    int64_t under[] = {-1, 2, 0, 0, 0, 0};
    int64_t picks[] = {0, 1, 5}, zero[8] = {0};
    int32_t span[] = {0, 14, 0, 0, 0, 1, 1, 2, 2, 3};
    refused("row.tokens", DT_I64, 1, four, ends, "falls");
    refused("row.tokens", DT_I64, 1, four, late, "begins with 1");
    refused("row.tokens", DT_I64, 1, four, fall, "falls");
    refused("row.tokens", DT_I64, 1, none, "", "empty");
    refused("row.tokens", DT_I64, 1, five, zero, "holds");
    refused("row.tokens", DT_I32, 1, four, zero, "I32");
    refused("token.id", DT_I32, 1, four, zero, "token.id holds 4 tokens");
    refused("token.id", DT_I64, 1, five, zero, "token.id must not be of type I64");
    refused("token.type", DT_U8, 2, pair, zero, "token.type has 2 axes");
    refused("token.x", DT_U8, 0, NULL, zero, "no axis of tokens");
    refused("row.x", DT_U8, 1, four, zero, "row.x holds 4 rows");
    refused("row.text", DT_I64, 2, pair, out, "not in text.utf8");
    refused("row.text", DT_I64, 2, pair, back, "row.text");
    refused("row.text", DT_I64, 2, pair, under, "row.text");
    refused("row.keep.x", DT_I64, 2, pair, zero, "keep.x.utf8");
    refused("row.pair", DT_I64, 2, (int64_t[]){3, 1}, zero, "not 2");
    refused("pick.token", DT_I64, 1, three, picks, "pick.token: 5");
    refused("pick.logit", DT_F32, 2, (int64_t[]){2, 1}, zero, "pick.logit holds 2");
    refused("token.span", DT_I32, 2, (int64_t[]){5, 2}, span, "token.span");
    refused("row.score", DT_F64, 1, three, zero, "row.score must not be of type F64");
    refused("row.finish", DT_I64, 1, three, zero, "row.finish must not be of type I64");
    refused("row.finish", DT_U8, 1, three, (uint8_t[]){0, 2, 3}, "row.finish: 3 of row 3");
    refused("token.logprob", DT_F32, 2, (int64_t[]){5, 1}, zero, "token.logprob has 2 axes");
    refused("text.utf8", DT_I8, 1, (int64_t[]){16}, "0123456789abcdef", "text.utf8 is I8");
    Frame *f = sample();
    Err e = {0};
    frame_drop(f, "pick.token");
    put(f, "pick.logit", DT_F32, 2, (int64_t[]){0, 1}, "");
    CHECK(frame_check(f, &e) < 0 && strstr(e.text, "pick.logit is without pick.token"));
    frame_free(f);
    e = (Err){0};
    f = frame_new(0, 0);
    frame_add(f, "token.id", DT_I32, 1, five);
    CHECK(frame_check(f, &e) < 0); /* tokens of no row */
    frame_drop(f, "token.id");
    frame_add(f, "row.nothing", DT_U8, 2, (int64_t[]){UINT32_MAX, 0});
    CHECK(frame_check(f, &e) < 0);
    CHECK_TEXT(e.text, "claims 4294967295 rows");
    frame_add(f, "row.more", DT_F32, 1, two); /* holds something, but of two rows */
    CHECK(frame_check(f, &e) < 0);
    CHECK_TEXT(e.text, "claims 4294967295 rows");
    frame_drop_prefix(f, "row.");
    put(f, "row.tokens", DT_I64, 1, two, (int64_t[]){0, INT64_MAX});
    CHECK(frame_check(f, &e) < 0);
    CHECK_TEXT(e.text, "claims 9223372036854775807 tokens");
    frame_drop_tokens(f);
    frame_add(f, "row.vector", DT_F32, 2, (int64_t[]){3, 4});
    CHECK(frame_check(f, &e) == 0 && f->rows == 3 && f->tokens == 0);
    frame_free(f);
}

/* A block is its users' own until the last has dropped it, whatever is given again. */
static void test_blocks(void)
{
    enum { SIZE = 3 << 20, BLOCKS = 5 };
    Block *b[BLOCKS];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            b[i] = block_new((size_t)SIZE - 1000 * (size_t)(i + round));
            CHECK((uintptr_t)b[i]->p % 64 == 0);
            memset(b[i]->p, 10 * round + i, b[i]->size);
        }
        block_drop(block_share(b[0]));
        for (int i = 0; i < BLOCKS; i++) {
            const unsigned char *p = b[i]->p;
            CHECK(p[0] == 10 * round + i && p[b[i]->size - 1] == p[0]);
        }
        for (int i = 0; i < BLOCKS; i++)
            block_drop(b[i]);
    }
}

int main(void)
{
    test_blocks();
    test_text();
    test_meta();
    test_need();
    test_select();
    test_replace();
    test_nested();
    test_many();
    test_join();
    test_agree();
    test_check();
    return checked();
}
