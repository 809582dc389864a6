/* tokens.c - the ids of a text. */
#include "text/tokens.h"

#include <stdlib.h>

void tokens_free(Tokens *t)
{
    free(t->id);
    free(t->span);
    *t = (Tokens){0};
}
