#include "kernels/vec.h"

#include <math.h>

void K(clip)(Piece *p, const Clip *a)
{
    (void)p;
    double sum = 0;
    for (int64_t i = 0; i < a->n; i++)
        sum += a->square[i];
    double norm = sqrt(sum), factor = a->most / (norm + 1e-6);
    a->norm[0] = norm;
    a->factor[0] = a->most > 0 && factor < 1 ? (float)factor : 1;
}
