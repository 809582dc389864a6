#include "base/dtype.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[DT_COUNT] = {
    [DT_BOOL] = {"BOOL", 1}, [DT_U8] = {"U8", 1},   [DT_I8] = {"I8", 1},     [DT_I16] = {"I16", 2},
    [DT_U16] = {"U16", 2},   [DT_F16] = {"F16", 2}, [DT_BF16] = {"BF16", 2}, [DT_I32] = {"I32", 4},
    [DT_U32] = {"U32", 4},   [DT_F32] = {"F32", 4}, [DT_I64] = {"I64", 8},   [DT_U64] = {"U64", 8},
    [DT_F64] = {"F64", 8},
};

const char *dtype_name(DType t)
{
    return types[t].name;
}

size_t dtype_size(DType t)
{
    return types[t].size;
}

int dtype_find(const char *name, size_t n)
{
    for (int t = 0; t < DT_COUNT; t++)
        if (strlen(types[t].name) == n && memcmp(types[t].name, name, n) == 0)
            return t;
    return -1;
}

int64_t shape_bytes(DType t, int rank, const int64_t *shape)
{
    int64_t n = (int64_t)dtype_size(t);
    bool empty = false;
    for (int i = 0; i < rank; i++)
        if (shape[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(n, shape[i], &n))
            return -1;
    if (!empty)
        return n;
    return n <= UINT32_MAX ? 0 : -1;
}

float f32_from_f16(uint16_t h)
{
    int sign = h >> 15, exponent = h >> 10 & 31, fraction = h & 1023;
    float f = exponent == 31  ? (fraction ? NAN : INFINITY)
              : exponent == 0 ? ldexpf((float)fraction, -24)
                              : ldexpf((float)(fraction + 1024), exponent - 25);
    return sign ? -f : f;
}

double dtype_get(DType t, const void *p, int64_t i)
{
    switch (t) {
    case DT_BOOL:
    case DT_U8: return ((const uint8_t *)p)[i];
    case DT_I8: return ((const int8_t *)p)[i];
    case DT_I16: return ((const int16_t *)p)[i];
    case DT_U16: return ((const uint16_t *)p)[i];
    case DT_F16: return f32_from_f16(((const uint16_t *)p)[i]);
    case DT_BF16: return f32_from_bf16(((const uint16_t *)p)[i]);
    case DT_I32: return ((const int32_t *)p)[i];
    case DT_U32: return ((const uint32_t *)p)[i];
    case DT_F32: return ((const float *)p)[i];
    case DT_I64: return (double)((const int64_t *)p)[i];
    case DT_U64: return (double)((const uint64_t *)p)[i];
    case DT_F64: return ((const double *)p)[i];
    case DT_COUNT: break;
    }
    return 0;
}
