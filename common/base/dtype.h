/* dtype.h - types of elements, with safetensors' names. */
#ifndef WEFT_DTYPE_H
#define WEFT_DTYPE_H

#include <stddef.h>
#include <stdint.h>

typedef enum DType {
    DT_BOOL,
    DT_U8,
    DT_I8,
    DT_I16,
    DT_U16,
    DT_F16,
    DT_BF16,
    DT_I32,
    DT_U32,
    DT_F32,
    DT_I64,
    DT_U64,
    DT_F64,
    DT_COUNT
} DType;

const char *dtype_name(DType t);            /* "F32" */
size_t dtype_size(DType t);                 /* bytes an element */
int dtype_find(const char *name, size_t n); /* a DType, or -1 */

/* Bytes of a tensor of this shape. -1: they do not fit into 63 bits; or it is empty, but what its
 * lengths without those of 0 would take does not fit into 32: no product of some of the lengths is
 * to be trusted then, nor a sum of such lengths. */
int64_t shape_bytes(DType t, int rank, const int64_t *shape);

/* Element i of a buffer of type t, widened exactly (I64 beyond 2^53 rounds). */
double dtype_get(DType t, const void *p, int64_t i);

float f32_from_f16(uint16_t h);
static inline float f32_from_bf16(uint16_t h)
{
    union {
        uint32_t u;
        float f;
    } x = {(uint32_t)h << 16};
    return x.f;
}
/* Round to nearest, ties to even; NaN stays NaN. */
static inline uint16_t bf16_from_f32(float f)
{
    union {
        float f;
        uint32_t u;
    } x = {f};
    if ((x.u & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(x.u >> 16 | 64);
    return (uint16_t)((x.u + 0x7fff + (x.u >> 16 & 1)) >> 16);
}

#endif
