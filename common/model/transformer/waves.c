#include "model/transformer/waves.h"

#include "base/mem.h"

#include <math.h>

float *waves_new(int64_t rows, int64_t cols)
{
    int64_t sines = (cols + 1) / 2;
    float *t = mem_array((size_t)(rows * cols), sizeof *t);
    for (int64_t at = 0; at < rows; at++)
        for (int64_t i = 0; i < cols; i++) {
            int64_t k = i < sines ? i : i - sines;
            double x = (double)at / pow(10000, 2 * (double)k / (double)cols);
            t[at * cols + i] = (float)(i < sines ? sin(x) : cos(x));
        }
    return t;
}
