/* ops_test [-D DEVICE] [-s SEED] [-v] [-x] [GROUP]...: every operation of the table against
 * double precision. `make unit` builds it; tests/ops.bats runs it for each kind of CPU,
 * tests/standin.bats on CUDA. -v prints what was worst, -x ends with the first case that fails. */
#include "base/opt.h"
#include "tests/ops/ops.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    void (*test)(void);
} groups[] = {
    {"memory", ops_memory},
    {"linear", ops_linear},
    {"thin", ops_thin},
    {"follow", ops_follow},
    {"gradients", ops_gradients},
    {"norm", ops_norm},
    {"sums", ops_sums},
    {"act", ops_act},
    {"mix", ops_mix},
    {"rows", ops_rows},
    {"attend", ops_attend},
    {"attend_bwd", ops_attend_bwd},
    {"recall", ops_recall},
    {"rotate", ops_rotate},
    {"learn", ops_learn},
    {"losses", ops_losses},
    {"vocab", ops_vocab},
};
enum { GROUPS = sizeof groups / sizeof *groups };

static const Opt options[] = {
    {'v', NULL, NULL, "print what was worst of each", OPT_KEY},
    {'x', NULL, NULL, "end with the first case that fails", OPT_KEY},
    {0},
};

void tally(bool print);
void all_had_cases(void);
int failed(void);

static bool chosen(const Args *a, const char *name)
{
    for (int i = 0; i < a->nfiles; i++)
        if (strcmp(a->files[i], name) == 0)
            return true;
    return a->nfiles == 0;
}

int main(int argc, char **argv)
{
    char why[512] = "";
    bool verbose = false;
    int ran = 0;
    static const Program ops_test = {.name = "ops_test",
                                     .synopsis = "[option ...] [group ...]",
                                     .about = "the operations against double precision"};
    Args a = args_begin(&ops_test, options, NULL, argc, argv);
    for (int k; (k = args_next(&a)) != -1;)
        *(k == 'x' ? &one_is_enough : &verbose) = true;
    dev = device_open(a.common.device, 2, why, sizeof why);
    if (!dev) {
        fprintf(stderr, "ops_test: %s\n", why);
        return 1;
    }
    rng = rand_new(a.common.seed);
    for (int i = 0; i < GROUPS; i++)
        if (chosen(&a, groups[i].name)) {
            groups[i].test();
            ran++;
        }
    if (ran == GROUPS)
        all_had_cases();
    printf("%s: %d groups\n", dev->name, ran);
    tally(verbose);
    dev->close(dev);
    return failed() || ran == 0;
}
