#include "measure/metrics.h"

#include "base/write.h"

#include <stdlib.h>
#include <string.h>

int metrics_fit(int64_t classes, Err *e)
{
    return classes <= METRICS_CLASSES ? 0
                                      : err_set(e, "%lld classes: up to %d are measured",
                                                (long long)classes, METRICS_CLASSES);
}

Metrics metrics_new(int64_t classes)
{
    Metrics m = {.classes = classes};
    m.confusion = mem_zero((size_t)classes, (size_t)classes * sizeof *m.confusion);
    return m;
}

void metrics_add(Metrics *m, int64_t gold, int64_t answer, double nll, double weight)
{
    m->confusion[gold * m->classes + answer] += weight;
    m->loss += weight * nll;
    m->weight += weight;
    m->rows++;
}

int metrics_choice(Metrics *m, const Classes *c, const float *logit, Str label, double weight,
                   Err *e)
{
    int64_t gold = class_gold(c, label, e), best;
    if (gold < 0 || class_finite(logit, c->n, e) < 0)
        return -1;
    class_top(logit, c->n, 1, &best);
    metrics_add(m, gold, best, class_nll(logit, c->n, gold), weight);
    return 0;
}

void metrics_free(Metrics *m)
{
    free(m->confusion);
    *m = (Metrics){0};
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static ClassMetrics of_class(const Metrics *m, int64_t c)
{
    int64_t n = m->classes;
    double gold = 0, answers = 0, right = m->confusion[c * n + c];
    for (int64_t i = 0; i < n; i++) {
        gold += m->confusion[c * n + i];
        answers += m->confusion[i * n + c];
    }
    return (ClassMetrics){.precision = ratio(right, answers),
                          .recall = ratio(right, gold),
                          .f1 = ratio(2 * right, gold + answers),
                          .support = gold,
                          .occurs = gold > 0 || answers > 0};
}

Summary metrics_sum(const Metrics *m, ClassMetrics *per_class)
{
    double right = 0, f1 = 0, weighted = 0;
    int64_t occurring = 0;
    for (int64_t c = 0; c < m->classes; c++) {
        ClassMetrics k = of_class(m, c);
        right += m->confusion[c * m->classes + c];
        f1 += k.f1;
        weighted += k.f1 * k.support;
        occurring += k.occurs;
        if (per_class)
            per_class[c] = k;
    }
    /* One answer for one label a row: each wrong row is one false positive and one false
     * negative, so the micro average of precision, recall and f1 is the accuracy. */
    double accuracy = ratio(right, m->weight);
    return (Summary){.loss = ratio(m->loss, m->weight),
                     .accuracy = accuracy,
                     .macro_f1 = ratio(f1, (double)occurring),
                     .micro_f1 = accuracy,
                     .weighted_f1 = ratio(weighted, m->weight)};
}

static void put_name(Buf *b, const Classes *c, int64_t i)
{
    put_tsv(b, str_of(c->name[i], strlen(c->name[i])));
}

static void put_confusion_text(Buf *b, const Metrics *m, const Classes *c)
{
    buf_str(b, "gold");
    for (int64_t i = 0; i < m->classes; i++) {
        buf_str(b, "\t");
        put_name(b, c, i);
    }
    for (int64_t i = 0; i < m->classes; i++) {
        buf_str(b, "\n");
        put_name(b, c, i);
        for (int64_t j = 0; j < m->classes; j++) {
            buf_str(b, "\t");
            put_count(b, m->confusion[i * m->classes + j]);
        }
    }
    buf_str(b, "\n");
}

static void put_text(Buf *b, const Metrics *m, const Classes *c)
{
    ClassMetrics *k = mem_array((size_t)m->classes, sizeof *k);
    Summary s = metrics_sum(m, k);
    buf_fmt(b, "rows\t%lld\n", (long long)m->rows);
    put_score_line(b, "loss", s.loss);
    put_score_line(b, "accuracy", s.accuracy);
    put_score_line(b, "macro_f1", s.macro_f1);
    put_score_line(b, "micro_f1", s.micro_f1);
    put_score_line(b, "weighted_f1", s.weighted_f1);
    buf_str(b, "\nlabel\tprecision\trecall\tf1\tsupport\n");
    for (int64_t i = 0; i < m->classes; i++) {
        put_name(b, c, i);
        buf_fmt(b, "\t%.6f\t%.6f\t%.6f\t", k[i].precision, k[i].recall, k[i].f1);
        put_count(b, k[i].support);
        buf_str(b, "\n");
    }
    buf_str(b, "\n");
    put_confusion_text(b, m, c);
    free(k);
}

static void put_per_class_json(Buf *b, const Metrics *m, const Classes *c, const ClassMetrics *k)
{
    for (int64_t i = 0; i < m->classes; i++) {
        buf_str(b, i ? ", {\"label\": " : "{\"label\": ");
        put_json(b, str_of(c->name[i], strlen(c->name[i])));
        buf_fmt(b, ", \"precision\": %.9g, \"recall\": %.9g, \"f1\": %.9g, \"support\": ",
                k[i].precision, k[i].recall, k[i].f1);
        put_count(b, k[i].support);
        buf_str(b, "}");
    }
}

static void put_json_object(Buf *b, const Metrics *m, const Classes *c)
{
    ClassMetrics *k = mem_array((size_t)m->classes, sizeof *k);
    Summary s = metrics_sum(m, k);
    buf_fmt(b, "{\"rows\": %lld, \"loss\": %.9g, \"accuracy\": %.9g, \"macro_f1\": %.9g, ",
            (long long)m->rows, s.loss, s.accuracy, s.macro_f1);
    buf_fmt(b, "\"micro_f1\": %.9g, \"weighted_f1\": %.9g, \"labels\": [", s.micro_f1,
            s.weighted_f1);
    for (int64_t i = 0; i < m->classes; i++) {
        buf_str(b, i ? ", " : "");
        put_json(b, str_of(c->name[i], strlen(c->name[i])));
    }
    buf_str(b, "], \"per_class\": [");
    put_per_class_json(b, m, c, k);
    buf_str(b, "], \"confusion\": [");
    for (int64_t i = 0; i < m->classes * m->classes; i++) {
        buf_str(b, i % m->classes ? ", " : i ? "], [" : "[");
        put_count(b, m->confusion[i]);
    }
    buf_str(b, "]]}\n");
    free(k);
}

void metrics_put(Buf *b, const Metrics *m, const Classes *c, bool json)
{
    if (json)
        put_json_object(b, m, c);
    else
        put_text(b, m, c);
}
