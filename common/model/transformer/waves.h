/* waves.h - positions that are not learnt: a sine and a cosine for each wavelength, from 2 pi to
 * 10000 times that, all sines, then all cosines (Vaswani et al. 2017, 3.5, which alternates
 * them). */
#ifndef WEFT_WAVES_H
#define WEFT_WAVES_H

#include <stdint.h>

/* The table [rows, cols]; release with free(). */
float *waves_new(int64_t rows, int64_t cols);

#endif
