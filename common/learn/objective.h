/* objective.h - what is learnt. */
#ifndef WEFT_OBJECTIVE_H
#define WEFT_OBJECTIVE_H

#include <stdbool.h>

typedef enum Objective {
    LEARN_CLASS,      /* a class for each row */
    LEARN_MULTI,      /* several, or none */
    LEARN_REGRESSION, /* numbers for each row */
    LEARN_TOKEN,      /* a class for each token that has a label */
    LEARN_SPAN,       /* where an answer begins and ends */
    LEARN_MLM,        /* words under masks */
    LEARN_CLM,        /* the next word */
    OBJECTIVES
} Objective;
extern const char *const objective_names[]; /* as options say them; NULL behind the last */

/* Does the objective tell classes apart? */
static inline bool has_classes(Objective o)
{
    return o == LEARN_CLASS || o == LEARN_MULTI || o == LEARN_TOKEN;
}

#endif
