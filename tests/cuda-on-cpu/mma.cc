/* mma.cc - tensor cores: what a warp does together in mma.m16n8k16 and ldmatrix.x4, with the
 * elements in the lanes and registers where the PTX ISA says they are. */
#include "inside.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

enum { M = 16, N = 8, K = 16, SIDE = 8 /* of ldmatrix's */ };

typedef struct Product {
    float *d;
    const uint32_t *a, *b;
    bool f16;
} Product;

/* Element `half` (0, 1) of a register. */
static float element(uint32_t u, int half, bool f16)
{
    uint16_t bits = (uint16_t)(half ? u >> 16 : u);
    if (f16)
        return __half2float(__half(__half_raw{bits}));
    return __bfloat162float(__nv_bfloat16(__nv_bfloat16_raw{bits}));
}

static void multiply(void *const lane[warpSize])
{
    float a[M][K], b[K][N];
    for (int l = 0; l < warpSize; l++) {
        const Product *p = static_cast<const Product *>(lane[l]);
        int g = l / 4, i = l % 4 * 2;
        for (int h = 0; h < 2; h++) {
            for (int r = 0; r < 4; r++)
                a[g + r % 2 * 8][i + h + r / 2 * 8] = element(p->a[r], h, p->f16);
            for (int r = 0; r < 2; r++)
                b[i + h + r * 8][g] = element(p->b[r], h, p->f16);
        }
    }
    for (int l = 0; l < warpSize; l++) {
        const Product *p = static_cast<const Product *>(lane[l]);
        for (int r = 0; r < 4; r++) {
            float sum = p->d[r];
            for (int k = 0; k < K; k++)
                sum += a[l / 4 + r / 2 * 8][k] * b[k][l % 4 * 2 + r % 2];
            p->d[r] = sum;
        }
    }
}

void standin_mma(bool f16, float d[4], const uint32_t a[4], const uint32_t b[2])
{
    Product p = {d, a, b, f16};
    standin_together(f16 ? "mma f16" : "mma bf16", &p, multiply);
}

typedef struct Load {
    uint32_t *r;
    const char *row;
    bool turned;
} Load;

static void load(void *const lane[warpSize])
{
    uint16_t m[4][SIDE][SIDE];
    for (int l = 0; l < warpSize; l++)
        memcpy(m[l / SIDE][l % SIDE], static_cast<const Load *>(lane[l])->row, sizeof m[0][0]);
    for (int l = 0; l < warpSize; l++) {
        const Load *p = static_cast<const Load *>(lane[l]);
        int g = l / 4, i = l % 4 * 2;
        for (int k = 0; k < 4; k++)
            p->r[k] = p->turned ? m[k][i][g] | (uint32_t)m[k][i + 1][g] << 16
                                : m[k][g][i] | (uint32_t)m[k][g][i + 1] << 16;
    }
}

void standin_ldmatrix(bool turned, uint32_t r[4], const void *row)
{
    Load p = {r, static_cast<const char *>(row), turned};
    if ((uintptr_t)row % 16 || !standin_is_shared(row, 16))
        standin_fault("ldmatrix: a row's address is not one of shared memory on 16 bytes");
    standin_together(turned ? "ldmatrix.trans" : "ldmatrix", &p, load);
}
