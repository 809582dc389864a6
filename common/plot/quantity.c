#include "plot/quantity.h"

#include "plot/chart.h"

#include <stdlib.h>
#include <string.h>

static const Quantity known[] = {
    {"step", "Iterations", "step", false},
    {"epoch", "Epoch", "epoch", false},
    {"loss", "Cross-entropy Loss", "loss", false},
    {"valid_loss", "Cross-entropy Loss", "loss", false},
    {"lr", "Learning Rate", "lr", false},
    {"grad_norm", "Gradient Norm", "grad_norm", false},
    {"rows_per_s", "Rows per Second", "rows_per_s", false},
    {"tokens_per_s", "Tokens per Second", "tokens_per_s", false},
    {"seconds", "Seconds", "seconds", false},
    {"accuracy", "Accuracy", "share", false},
    {"valid_accuracy", "Accuracy", "share", false},
    {"macro_f1", "Macro F1", "share", false},
    {"valid_macro_f1", "Macro F1", "share", false},
    {"micro_f1", "Micro F1", "share", false},
    {"valid_micro_f1", "Micro F1", "share", false},
};

Quantity quantity_of(const char *column)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].column, column) == 0)
            return known[i];
    return (Quantity){column, column, column, false};
}

char *quantity_label(const char *column)
{
    const char *label = quantity_of(column).label;
    return chart_text(str_of(label, strlen(label)), 0);
}

char *quantities_label(const Quantity *q, int n, bool right)
{
    Buf b = {0};
    for (int i = 0; i < n; i++) {
        bool twice = false;
        for (int k = 0; k < i; k++)
            twice |= q[k].right == right && strcmp(q[k].label, q[i].label) == 0;
        if (q[i].right == right && !twice)
            buf_fmt(&b, "%s%s", b.n ? ", " : "", q[i].label);
    }
    char *label = b.n ? chart_text(str_of(b.p, b.n), 0) : NULL;
    free(b.p);
    return label;
}
