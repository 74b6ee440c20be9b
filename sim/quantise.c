/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quantising float weights to integer codes.
 *
 * bits = 2..8: q = round(w / scale), |q| <= M = 2^(bits-1)-1. The power-of-two scale is the smallest one with scale * M >= max|w|, found from
 * mantissas and exponents without a logarithm; the free one is max|w| / M, rounded down in its last bit so that the largest weight keeps the code M
 * even when rounding is toward zero. The quotient is taken in double: exact for powers of two.
 * bits = 1: q = -1 for w < 0, else +1. The free scale is mean|w|, which minimises the squared error (Rastegari et al., XNOR-Net, ECCV 2016); the
 * power of two is the one nearest to it (on a linear axis, the smaller one in a tie).
 */
#include "weights_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

static int32_t largest_code(int bits) {
    return bits == 1 ? 1 : (INT32_C(1) << (bits - 1)) - 1;
}

/* 2^e as a normal float: scales beyond that would vanish or overflow in products. */
static float power_of_two(int e) {
    if (e < FLT_MIN_EXP - 1)
        e = FLT_MIN_EXP - 1;
    if (e > FLT_MAX_EXP - 1)
        e = FLT_MAX_EXP - 1;
    return ldexpf(1.0f, e);
}

/* Smallest power of two p with p * m >= top. */
static float power_of_two_above(float top, int32_t m) {
    int et, em;
    double ft = frexp(top, &et), fm = frexp(m, &em); /* top/m = (ft/fm) 2^(et-em), with 1/2 < ft/fm < 2 */
    return power_of_two(et - em + (ft > fm));
}

/* max|w|/m rounded down, so that max|w|/scale >= m. */
static float free_scale(float top, int32_t m) {
    float s = (float)((double)top / m);
    if ((double)s * m > (double)top)
        s = nextafterf(s, 0);
    return s < FLT_MIN ? FLT_MIN : s;
}

/* ---- scales ---- */

/* What a scale depends on: the largest |w| and the sum of all, over as many weights as are added. */
typedef struct {
    float top;
    double sum;
    uint64_t n;
} spread;

static void spread_add(spread *s, const float *w, uint64_t n, uint64_t stride) {
    for (uint64_t i = 0; i < n; i++) {
        float a = fabsf(w[i * stride]);
        s->top = a > s->top ? a : s->top;
        s->sum += (double)a;
    }
    s->n += n;
}

static float one_bit_scale(const snn_quantisation *q, double mean) {
    if (!(mean > 0))
        return 1;
    if (q->free_scale)
        return mean < FLT_MIN ? FLT_MIN : (float)mean;
    int e;
    double f = frexp(mean, &e); /* between 2^(e-1) and 2^e, whose middle is 0.75 * 2^e */
    return power_of_two(f > 0.75 ? e : e - 1);
}

static float spread_scale(const snn_quantisation *q, const spread *s) {
    if (s->n == 0 || s->top == 0)
        return 1;
    if (q->bits == 1)
        return one_bit_scale(q, s->sum / (double)s->n);
    return q->free_scale ? free_scale(s->top, largest_code(q->bits))
                         : power_of_two_above(s->top, largest_code(q->bits));
}

float snn_quantisation_scale(const snn_quantisation *q, const float *w, uint64_t n, uint64_t stride) {
    spread s = {0, 0, 0};
    spread_add(&s, w, n, stride);
    return spread_scale(q, &s);
}

bool snn_quantisation_from_config(const snn_config *c, snn_quantisation *q, snn_error *err) {
    q->bits = (int)snn_config_int(c, "quant.bits");
    q->per_channel = snn_config_bool(c, "quant.per_channel");
    q->free_scale = strcmp(snn_config_string(c, "quant.scale"), "free") == 0;
    q->truncate = strcmp(snn_config_string(c, "quant.rounding"), "truncate") == 0;
    return snn_encoding_parse(snn_config_string(c, "quant.encoding"), &q->encoding, err);
}

/* Quantises n weights that share one scale; adds to the counts. */
static void quantise_row(const snn_quantisation *q, const float *w, uint64_t n, float scale, uint8_t *code,
                         uint64_t *saturated, double *squares) {
    int32_t m = largest_code(q->bits);
    for (uint64_t i = 0; i < n; i++) {
        double x = (double)w[i] / (double)scale;
        double r = q->truncate ? trunc(x) : rint(x); /* rint: to nearest, ties to even */
        if (fabs(r) > m) {
            ++*saturated;
            r = r < 0 ? -m : m;
        }
        if (q->bits == 1)
            r = w[i] < 0 ? -1 : 1;
        *squares += (r - x) * (r - x);
        code[i] = (uint8_t)snn_value_code(q->encoding, q->bits, (int32_t)r);
    }
}

static uint32_t rows_of(const snn_tensor *t, const snn_quantisation *q) {
    return q->per_channel ? (uint32_t)t->shape[0] : 1;
}

/* Weights that can be quantised, and room for their codes. */
static bool prepare(const snn_tensor *from, const snn_quantisation *q, snn_tensor *to, snn_error *err) {
    if (from->type != SNN_FLOAT32)
        return snn_fail(err, SNN_ERR_DATA, "layer '%s': weights are codes of %d bits already", from->name,
                        from->bits);
    return snn_tensor_check(from, err) &&
           snn_tensor_alloc(to, SNN_CODE_8, q->bits, q->encoding, rows_of(from, q), err);
}

/* Scales of n tensors [1 or 2] with as many rows: each from the rows of that number of all of them. */
static void common_scales(const snn_quantisation *q, const snn_tensor *from, int n, snn_tensor *to) {
    uint32_t rows = rows_of(from, q);
    for (uint32_t r = 0; r < rows; r++) {
        spread s = {0, 0, 0};
        for (int k = 0; k < n; k++)
            spread_add(&s, from[k].value + from[k].count / rows * r, from[k].count / rows, 1);
        for (int k = 0; k < n; k++)
            to[k].scale[r] = spread_scale(q, &s);
    }
}

static void quantise_tensor(const snn_tensor *from, const snn_quantisation *q, snn_tensor *to,
                            snn_quantisation_stats *stats) {
    uint64_t n = from->count / to->scales, saturated = 0;
    double squares = 0;
    for (uint32_t r = 0; r < to->scales; r++)
        quantise_row(q, from->value + r * n, n, to->scale[r], to->code8 + r * n, &saturated, &squares);
    if (stats != NULL)
        *stats = (snn_quantisation_stats){saturated, sqrt(squares / (double)from->count)};
}

/* 2 for a recurrent layer, whose first tensor is number i. */
static int tensors_of_layer(const snn_weights *w, int i) {
    return i + 1 < w->tensors && w->tensor[i + 1].recurrent ? 2 : 1;
}

snn_weights *snn_weights_quantise(const snn_weights *w, const snn_quantisation *q,
                                  snn_quantisation_stats *stats, snn_error *err) {
    if (q->bits < 1 || q->bits > 8) {
        snn_fail(err, SNN_ERR_USAGE, "quantisation to %d bits: expected 1 to 8", q->bits);
        return NULL;
    }
    snn_weights *out = snn_weights_shell(w, err);
    for (int i = 0; out != NULL && i < w->tensors; i++) {
        if (!prepare(&w->tensor[i], q, &out->tensor[i], err)) {
            snn_weights_free(out);
            return NULL;
        }
    }
    for (int i = 0, n; out != NULL && i < w->tensors; i += n) {
        n = tensors_of_layer(w, i);
        common_scales(q, &w->tensor[i], n, &out->tensor[i]);
        for (int k = i; k < i + n; k++)
            quantise_tensor(&w->tensor[k], q, &out->tensor[k], stats ? &stats[k] : NULL);
    }
    return out;
}

bool snn_weights_quantise_floats(snn_weights *w, const snn_quantisation *q, snn_error *err) {
    for (int i = 0, n; i < w->tensors; i += n) {
        n = tensors_of_layer(w, i);
        if (w->tensor[i].type != SNN_FLOAT32 || w->tensor[i + n - 1].type != SNN_FLOAT32)
            continue;
        const snn_weights layer = {n, &w->tensor[i]};
        snn_weights *coded = snn_weights_quantise(&layer, q, NULL, err);
        if (coded == NULL)
            return false;
        for (int k = 0; k < n; k++) {
            const snn_tensor swap = w->tensor[i + k];
            w->tensor[i + k] = coded->tensor[k];
            coded->tensor[k] = swap;
        }
        snn_weights_free(coded);
    }
    return true;
}

snn_weights *snn_weights_dequantise(const snn_weights *w, snn_error *err) {
    snn_weights *out = snn_weights_shell(w, err);
    for (int i = 0; out != NULL && i < w->tensors; i++) {
        snn_tensor *t = &out->tensor[i];
        if (!snn_tensor_alloc(t, SNN_FLOAT32, 32, SNN_SIGN_MAGNITUDE, 0, err)) {
            snn_weights_free(out);
            return NULL;
        }
        for (uint64_t k = 0; k < t->count; k++)
            t->value[k] = snn_weight_value(&w->tensor[i], k);
    }
    return out;
}
