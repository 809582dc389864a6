/* clip.h - how much a gradient is to be shortened, without the host:
 * torch.nn.utils.clip_grad_norm_.
 *
 * square [n]: norm[0] = root of their sum, added in order, in double: exact to its rounding
 * factor[0] = most / (norm + 1e-6) where that is below 1 and most is not 0, else 1 */
#ifndef WEFT_CLIP_H
#define WEFT_CLIP_H

typedef struct Clip {
    const double *square; /* [n], as sqnorm leaves them; device memory, as all of these */
    int64_t n;
    double most;
    float *factor;
    double *norm;
} Clip;

#endif
