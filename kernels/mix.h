/* mix.h - weighted sum of two matrices, with conversion and dropout.
 *
 * y = a * dropout(x) + b * r      [rows, cols] of any types; r {0}: none; y may be x or r
 * dropout(x) = x / (1 - drop) where kept, else 0. Which elements are kept is a function of
 * seed, site and the element's place alone (counter generator Philox4x32-10, Salmon et al. 2011):
 * row0 + i is the row's number in the whole, so that neither packing nor device shows.
 * Within 1e-6 max(1, |y|), a bf16 or f16 y rounded once.
 *
 * Column c of row r is kept where word c / 16 % 4 of the block with the key {seed} and the
 * counter {c / 64 * 16 + c % 16, site, r}, low halves first, is at least drop * 2^32. */
#ifndef WEFT_MIX_H
#define WEFT_MIX_H

typedef struct Mix {
    View x, r, y;
    float a, b;
    float drop;    /* 0: none */
    uint64_t seed; /* of the run and the step */
    uint32_t site; /* which dropout of the network */
    uint64_t row0;
    const int64_t *rows; /* each row's number, instead of row0 + i; NULL: row0 + i */
} Mix;

#endif
