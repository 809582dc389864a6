/* squad.h - how well an answer agrees with the gold one, as SQuAD's own script measures it: in
 * lower case, without punctuation, articles and repeated blanks. */
#ifndef WEFT_SQUAD_H
#define WEFT_SQUAD_H

#include "base/mem.h"

#include <stdbool.h>

bool squad_exact(Str gold, Str answer);
/* F1 of the words both have. Where one of them is empty: whether both are. */
double squad_f1(Str gold, Str answer);
/* Appends the text in lower case, as Python's str.lower gives it but for a final sigma. The
 * text is UTF-8. */
void squad_lower(Buf *to, Str s);

#endif
