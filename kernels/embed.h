/* embed.h - the sum of up to three table rows a token.
 *
 * y[i] = sum over j of table[j][index[j][i]]     tables f32 [entries, cols], y [rows, cols]
 * index[j] is I32 [rows] in device memory, already checked against the table's entries;
 * a table of {0} ends the list. 4 cols bytes read a table and token.
 * Within 1e-6 max(1, |y|), a bf16 or f16 y rounded once. */
#ifndef WEFT_EMBED_H
#define WEFT_EMBED_H

typedef struct Embed {
    View table[3];
    const int32_t *index[3];
    View y; /* f32, bf16 or f16 */
} Embed;

#endif
