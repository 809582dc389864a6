#include "learn/model_objective.h"

#include "learn/objective.h"
#include "model/config.h"
#include "model/find.h"

#include <stdlib.h>
#include <string.h>

int model_objective(const char *given, const Frame *f)
{
    Err none = {0};
    Config c;
    if (frame_get(f, "row.vector") || frame_get(f, "token.label") || frame_get(f, "row.start"))
        return -1;
    const char *name = given ? given : frame_meta(f, "model");
    char *folder = name ? model_find(name, &none) : NULL;
    int objective = -1;
    if (folder && config_load(folder, &c, &none) == 0) {
        objective = strcmp(c.problem, "multi_label_classification") == 0 ? LEARN_MULTI
                    : strcmp(c.problem, "regression") == 0               ? LEARN_REGRESSION
                                                                         : -1;
        config_clear(&c);
    }
    free(folder);
    return objective;
}
