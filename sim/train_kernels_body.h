/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The code of the training kernels. A unit defines VECTOR_FLOATS (lanes of a register), PASS_LANES (lanes of sums that fit its registers), KERNELS
 * (the table's name) and KERNELS_TEXT, and includes this file. Plain loops are vectorised by the compiler; where sums must stay in registers,
 * GCC's vector types say so.
 */
#include "train_kernels.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(VECTOR_FLOATS * 4), may_alias));
#define GROUP (16 / VECTOR_FLOATS) /* registers of 16 lanes */
#define PASS_GROUPS (PASS_LANES / 16)

/* Range of pixels [*from, *to) of a line of `size` that a window starting at `start` covers. */
INLINE void window(int start, int kernel, int size, int *from, int *to) {
    *from = start < 0 ? 0 : start;
    *to = start + kernel > size ? size : start + kernel;
}

/* ---- forward: sums of weight rows ---- */

INLINE void gather_lanes(const train_geometry *g, const train_csr *x, const float *w, size_t width,
                         float *out, size_t pitch, const int registers) {
    for (int t = 0; t < g->steps; t++) {
        const uint32_t *first = x->first + (size_t)t * (x->rows + 1);
        for (int oy = 0; oy < g->out_height; oy++) {
            int y0 = oy * g->stride - g->padding, ya, yb;
            window(y0, g->kernel, g->height, &ya, &yb);
            for (int ox = 0; ox < g->out_width; ox++, out += pitch) {
                int x0 = ox * g->stride - g->padding, xa, xb;
                window(x0, g->kernel, g->width, &xa, &xb);
                vector sum[GROUP * PASS_GROUPS];
                for (int k = 0; k < registers; k++)
                    sum[k] = (vector){0};
                for (int y = ya; y < yb && xa < xb; y++) {
                    /* entry column c meets weight row c + shift */
                    ptrdiff_t shift = ((ptrdiff_t)(y - y0) * g->kernel - x0) * g->channels;
                    const uint32_t *row = first + (size_t)y * (size_t)g->width;
                    for (uint32_t e = row[xa], end = row[xb]; e < end; e++) {
                        const vector *r =
                            (const vector *)(const void *)(w + (size_t)(x->col[e] + shift) * width);
                        float value = x->value[e];
                        for (int k = 0; k < registers; k++)
                            sum[k] += value * r[k];
                    }
                }
                for (int k = 0; k < registers; k++)
                    ((vector *)(void *)out)[k] = sum[k];
            }
        }
    }
}

static void gather(const train_geometry *g, const train_csr *x, const float *w, uint32_t width, float *out,
                   size_t pitch) {
    for (uint32_t lane = 0; lane < width; lane += PASS_LANES) {
        switch ((width - lane) / 16) {
        case 1:
            gather_lanes(g, x, w + lane, width, out + lane, pitch, GROUP);
            break;
#if PASS_GROUPS > 2
        case 2:
            gather_lanes(g, x, w + lane, width, out + lane, pitch, 2 * GROUP);
            break;
        case 3:
            gather_lanes(g, x, w + lane, width, out + lane, pitch, 3 * GROUP);
            break;
#endif
        default:
            gather_lanes(g, x, w + lane, width, out + lane, pitch, PASS_GROUPS * GROUP);
        }
    }
}

/* ---- weight gradient: rows of the output's gradient added to weight rows ---- */

INLINE void scatter_lanes(const train_geometry *g, const train_csr *x, int ky, const float *delta,
                          size_t pitch, const uint8_t *active, size_t active_pitch, float *dw, size_t width,
                          const int registers) {
    for (int t = 0; t < g->steps; t++) {
        const uint32_t *first = x->first + (size_t)t * (x->rows + 1);
        for (int oy = 0; oy < g->out_height; oy++) {
            int y = oy * g->stride - g->padding + ky;
            bool inside = y >= 0 && y < g->height;
            const uint32_t *row = first + (size_t)(inside ? y : 0) * (size_t)g->width;
            for (int ox = 0; ox < g->out_width; ox++, delta += pitch, active += active_pitch) {
                int x0 = ox * g->stride - g->padding, xa, xb;
                window(x0, g->kernel, g->width, &xa, &xb);
                if (!inside || !*active || xa >= xb)
                    continue;
                vector d[GROUP * PASS_GROUPS];
                for (int k = 0; k < registers; k++)
                    d[k] = ((const vector *)(const void *)delta)[k];
                ptrdiff_t shift = -(ptrdiff_t)x0 * g->channels;
                for (uint32_t e = row[xa], end = row[xb]; e < end; e++) {
                    vector *r = (vector *)(void *)(dw + (size_t)(x->col[e] + shift) * width);
                    float value = x->value[e];
                    for (int k = 0; k < registers; k++)
                        r[k] += value * d[k];
                }
            }
        }
    }
}

static void scatter(const train_geometry *g, const train_csr *x, int ky, const float *delta, size_t pitch,
                    const uint8_t *active, size_t active_pitch, float *dw, uint32_t width) {
    for (uint32_t lane = 0; lane < width; lane += PASS_LANES) {
        const float *d = delta + lane;
        switch ((width - lane) / 16) {
        case 1:
            scatter_lanes(g, x, ky, d, pitch, active, active_pitch, dw + lane, width, GROUP);
            break;
#if PASS_GROUPS > 2
        case 2:
            scatter_lanes(g, x, ky, d, pitch, active, active_pitch, dw + lane, width, 2 * GROUP);
            break;
        case 3:
            scatter_lanes(g, x, ky, d, pitch, active, active_pitch, dw + lane, width, 3 * GROUP);
            break;
#endif
        default:
            scatter_lanes(g, x, ky, d, pitch, active, active_pitch, dw + lane, width, PASS_GROUPS * GROUP);
        }
    }
}

/* ---- neurons (formulas: train_neuron.c) ---- */

/* x where the condition holds, else 0; by a mask, which compilers vectorise on every instruction set (a conditional they may turn into a branch). */
INLINE float where(int condition, float x) {
    union {
        float value;
        uint32_t bits;
    } u = {x};
    u.bits &= 0u - (uint32_t)condition;
    return u.value;
}

INLINE void forward_reset(const train_neuron *p, size_t n, const float *restrict before, float *restrict v,
                          float *restrict s, const int reset) {
    float d = p->decay, theta = p->threshold, above = p->above;
    for (size_t i = 0; i < n; i++) {
        float old = before[i];
        int spiked = old > above;
        float kept = reset == SNN_RESET_ZERO ? where(!spiked, d * old) : d * (old - where(spiked, theta));
        float now = kept + v[i];
        v[i] = now;
        s[i] = where(now > above, 1.0f);
    }
}

static void neuron_forward(const train_neuron *p, size_t n, const float *before, float *v, float *s) {
    float above = p->above;
    if (p->type == SNN_NEURON_LI) {
        float d = p->decay;
        for (size_t i = 0; before != NULL && i < n; i++)
            v[i] = d * before[i] + v[i];
        for (size_t i = 0; i < n; i++)
            s[i] = v[i];
    } else if (before == NULL) {
        for (size_t i = 0; i < n; i++)
            s[i] = where(v[i] > above, 1.0f);
    } else if (p->reset == SNN_RESET_ZERO) {
        forward_reset(p, n, before, v, s, SNN_RESET_ZERO);
    } else {
        forward_reset(p, n, before, v, s, SNN_RESET_SUBTRACT);
    }
}

INLINE float surrogate_slope(float x, float width, float height, const int kind) {
    float a = fabsf(x), r = a * height;
    if (kind == SNN_SURROGATE_RECTANGLE)
        return where(a < 0.5f * width, height);
    if (kind == SNN_SURROGATE_TRIANGLE)
        return where(r < 1.0f, height * (1.0f - r));
    float z = 3.14159265f * r;
    return height / (1.0f + z * z);
}

INLINE void backward_loop(const train_neuron *p, size_t n, const float *restrict ds, float *restrict carry,
                          float *restrict v, const int reset, const int kind) {
    float d = p->decay, theta = p->threshold, above = p->above, to_sum = p->gain * p->factor;
    float width = p->width, height = 1.0f / p->width;
    for (size_t i = 0; i < n; i++) {
        float m = v[i], next = carry[i], through, dv;
        if (reset == SNN_RESET_ZERO) {
            dv = ds[i] - next * (d * m);
            through = where(!(m > above), next * d);
        } else {
            through = next * d;
            dv = ds[i] - through * theta;
        }
        dv = dv * surrogate_slope(m - theta, width, height, kind) + through;
        carry[i] = dv;
        v[i] = dv * to_sum;
    }
}

INLINE void backward_reset(const train_neuron *p, size_t n, const float *ds, float *carry, float *v,
                           const int reset) {
    switch (p->surrogate) {
    case SNN_SURROGATE_RECTANGLE:
        backward_loop(p, n, ds, carry, v, reset, SNN_SURROGATE_RECTANGLE);
        break;
    case SNN_SURROGATE_TRIANGLE:
        backward_loop(p, n, ds, carry, v, reset, SNN_SURROGATE_TRIANGLE);
        break;
    default:
        backward_loop(p, n, ds, carry, v, reset, SNN_SURROGATE_ARCTAN);
    }
}

static void neuron_backward(const train_neuron *p, size_t n, const float *ds, float *carry, float *v) {
    if (p->type == SNN_NEURON_LI) {
        float d = p->decay, to_sum = p->gain * p->factor;
        for (size_t i = 0; i < n; i++) {
            float dv = ds[i] + carry[i] * d;
            carry[i] = dv;
            v[i] = dv * to_sum;
        }
    } else if (p->reset == SNN_RESET_ZERO) {
        backward_reset(p, n, ds, carry, v, SNN_RESET_ZERO);
    } else {
        backward_reset(p, n, ds, carry, v, SNN_RESET_SUBTRACT);
    }
}

#include "train_kernels_lanes.h"

/* ---- pools ---- */

static void maximum(size_t n, const float *x, float *best, uint32_t *arg, uint32_t number) {
    for (size_t i = 0; i < n; i++) {
        uint32_t more = 0u - (uint32_t)(x[i] > best[i]);
        best[i] = x[i] > best[i] ? x[i] : best[i];
        arg[i] ^= (arg[i] ^ number) & more;
    }
}

static void route(size_t n, const float *dy, const uint32_t *arg, uint32_t number, float *dx) {
    for (size_t i = 0; i < n; i++)
        dx[i] += where(arg[i] == number, dy[i]);
}

static void add(size_t n, const float *from, float *to) {
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* ---- sparse rows ---- */

static size_t compress(size_t n, const float *x, uint32_t first, uint32_t *col, float *value) {
    size_t found = 0, i = 0;
#ifdef __AVX512F__
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (; i + 16 <= n; i += 16) {
        __m512 a = _mm512_loadu_ps(x + i);
        __mmask16 m = _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_NEQ_UQ);
        /* Compress in the register and store all of it: there is room for n more. A masked store would be far slower. */
        __m512i c = _mm512_add_epi32(lane, _mm512_set1_epi32((int)(first + (uint32_t)i)));
        _mm512_storeu_ps(value + found, _mm512_maskz_compress_ps(m, a));
        _mm512_storeu_si512(col + found, _mm512_maskz_compress_epi32(m, c));
        found += (unsigned)__builtin_popcount(m);
    }
#endif
    for (; i < n; i++) { /* without a branch: half of the lanes may be nonzero */
        col[found] = first + (uint32_t)i;
        value[found] = x[i];
        found += x[i] != 0;
    }
    return found;
}

static bool any(size_t n, const float *x) {
    uint32_t found = 0;
    for (size_t i = 0; i < n; i++) {
        union {
            float value;
            uint32_t bits;
        } u = {x[i]};
        found |= u.bits << 1; /* without the sign: -0 is zero */
    }
    return found != 0;
}

/* ---- parameters ---- */

static bool adam(const train_adam_step *a, size_t n, float *restrict w, float *restrict m, float *restrict v,
                 const float *restrict g) {
    const train_adam_step c = *a;
    int bad = 0;
    for (size_t i = 0; i < n; i++) {
        float gi = g[i] * c.scale;
        float mi = c.beta1 * m[i] + c.rest1 * gi;
        float vi = c.beta2 * v[i] + c.rest2 * (gi * gi);
        float wi = c.keep * w[i] - c.step * (mi / (sqrtf(vi) * c.root + c.epsilon));
        m[i] = mi;
        v[i] = vi;
        w[i] = wi;
        bad |= !(fabsf(wi) <= FLT_MAX) | !(vi <= FLT_MAX);
    }
    return !bad;
}

INLINE void round_loop(size_t n, const float *x, const float *scale, float limit, const bool truncate,
                       float *y) {
    double most = (double)limit;
    for (size_t i = 0; i < n; i++) {
        double r = (double)x[i] / (double)scale[i];
        r = truncate ? trunc(r) : rint(r);
        r = r > most ? most : r;
        r = r < -most ? -most : r;
        y[i] = (float)r * scale[i];
    }
}

static void round_to(size_t n, const float *x, const float *scale, float limit, bool truncate, float *y) {
    if (truncate)
        round_loop(n, x, scale, limit, true, y);
    else
        round_loop(n, x, scale, limit, false, y);
}

const train_kernels KERNELS = {.gather = gather,
                               .scatter = scatter,
                               .neuron_forward = neuron_forward,
                               .neuron_backward = neuron_backward,
                               .current_forward = current_forward,
                               .current_backward = current_backward,
                               .adaptive_forward = adaptive_forward,
                               .adaptive_backward = adaptive_backward,
                               .maximum = maximum,
                               .route = route,
                               .add = add,
                               .compress = compress,
                               .any = any,
                               .adam = adam,
                               .round_to = round_to,
                               .name = KERNELS_TEXT};
