/* Metrics counted by hand, scores from logits, text on paper. */
#include "base/write.h"
#include "measure/metrics.h"
#include "tests/unit/check.h"

#include <math.h>
#include <stdlib.h>

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

/* gold \ answer   a b c
 *       a         2 1 0
 *       b         0 3 1
 *       c         1 0 0 */
static void counted(void)
{
    static const int64_t rows[][2] = {{0, 0}, {0, 0}, {0, 1}, {1, 1},
                                      {1, 1}, {1, 1}, {1, 2}, {2, 0}};
    ClassMetrics k[3];
    Metrics m = metrics_new(3);
    for (int i = 0; i < 8; i++)
        metrics_add(&m, rows[i][0], rows[i][1], i, 1);
    Summary s = metrics_sum(&m, k);
    CHECK(m.rows == 8 && near(s.loss, 3.5));
    CHECK(near(s.accuracy, 5 / 8.0) && near(s.micro_f1, 5 / 8.0));
    CHECK(near(k[0].precision, 2 / 3.0) && near(k[0].recall, 2 / 3.0) && near(k[0].f1, 2 / 3.0));
    CHECK(near(k[1].precision, 3 / 4.0) && near(k[1].recall, 3 / 4.0));
    CHECK(k[2].precision == 0 && k[2].recall == 0 && k[2].f1 == 0 && k[2].support == 1);
    CHECK(near(s.macro_f1, (2 / 3.0 + 3 / 4.0) / 3));
    CHECK(near(s.weighted_f1, (3 * 2 / 3.0 + 4 * 3 / 4.0) / 8));
    metrics_free(&m);
}

static void weighted(void)
{
    Metrics m = metrics_new(2);
    metrics_add(&m, 0, 0, 1, 3);
    metrics_add(&m, 1, 0, 5, 1);
    Summary s = metrics_sum(&m, NULL);
    CHECK(near(s.loss, 2) && near(s.accuracy, 0.75));
    metrics_add(&m, 1, 1, 7, 0); /* weight 0 counts a row and nothing else */
    CHECK(near(metrics_sum(&m, NULL).loss, 2) && m.rows == 3);
    metrics_free(&m);
}

static void nothing(void)
{
    ClassMetrics k[2];
    Metrics m = metrics_new(2);
    Summary s = metrics_sum(&m, k);
    CHECK(s.loss == 0 && s.accuracy == 0 && s.macro_f1 == 0 && s.weighted_f1 == 0);
    CHECK(!k[0].occurs && k[0].f1 == 0);
    metrics_free(&m);
}

static void scores(void)
{
    float logit[] = {1, 3, 3, -2};
    double score[4];
    int64_t order[4];
    class_scores(ONE_OF, logit, 4, score);
    double sum = exp(1) + 2 * exp(3) + exp(-2);
    CHECK(near(score[0], exp(1) / sum) && near(score[3], exp(-2) / sum));
    CHECK(near(score[0] + score[1] + score[2] + score[3], 1));
    CHECK(near(class_nll(logit, 4, 1), -log(exp(3) / sum)));
    class_scores(ANY_OF, logit, 4, score);
    CHECK(near(score[3], 1 / (1 + exp(2))));
    class_scores(VALUE, logit, 4, score);
    CHECK(score[3] == -2);
    class_top(logit, 4, 4, order);
    CHECK(order[0] == 1 && order[1] == 2 && order[2] == 0 && order[3] == 3);
}

static void classes(void)
{
    Classes c;
    Err e = {0};
    CHECK(classes_parse(&c, "[\"pos\", \"neg\", \"\", \"ne\"]", NULL, 4, &e) == 0);
    CHECK(classes_find(&c, str_of("neg!", 3)) == 1 && classes_find(&c, str_of("neg", 2)) == 3);
    CHECK(classes_find(&c, str_of("neu", 3)) == -1 && classes_find(&c, str_of("", 0)) == 2);
    char *list = classes_list(&c);
    CHECK_TEXT(list, "pos, neg, , ne");
    free(list);
    classes_clear(&c);
    CHECK(classes_parse(&c, "[\"a\", \"b\"", NULL, 2, &e) < 0);
    CHECK_TEXT(e.text, "no JSON array");
    CHECK(classes_parse(&c, NULL, "ranking", 2, &e) < 0);
    CHECK_TEXT(e.text, "unknown problem 'ranking'");
}

static const char *end_of(Buf *b)
{
    buf_add(b, "", 1);
    b->n = 0;
    return b->p;
}

static void paper(void)
{
    Buf b = {0};
    put_json(&b, str_of("a\"\\\n\x01\xc3\xa9\xff\xc3", 9));
    CHECK(strcmp(end_of(&b), "\"a\\\"\\\\\\n\\u0001\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\"") == 0);
    put_csv(&b, str_of("a,\"b\"", 5));
    CHECK(strcmp(end_of(&b), "\"a,\"\"b\"\"\"") == 0);
    put_csv(&b, str_of("plain", 5));
    CHECK(strcmp(end_of(&b), "plain") == 0);
    put_tsv(&b, str_of("a\tb\nc\\", 6));
    CHECK(strcmp(end_of(&b), "a\\tb\\nc\\\\") == 0);
    put_float(&b, 1);
    CHECK(strcmp(end_of(&b), "1.0") == 0);
    put_float(&b, NAN);
    CHECK(strcmp(end_of(&b), "null") == 0);
    for (int i = 0; i < 1000; i++) {
        float x = (float)i * 0.7310585f / 3;
        put_float(&b, x);
        CHECK(strtof(end_of(&b), NULL) == x);
    }
    free(b.p);
}

int main(void)
{
    counted();
    weighted();
    nothing();
    scores();
    classes();
    paper();
    return checked();
}
