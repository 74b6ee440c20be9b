/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Philox4x32-10 streams and the distributions drawn from them. Only integer arithmetic, portable math and sqrt, so the
 * same stream gives the same bits on every machine.
 */
#include "random_fill.h"

#include <snnsim/portable_math.h>

#include <assert.h>
#include <math.h>
#include <string.h>

void snn_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < SNN_PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)SNN_PHILOX_M0 * c0, p1 = (uint64_t)SNN_PHILOX_M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += SNN_PHILOX_W0;
        k1 += SNN_PHILOX_W1;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

void snn_random_init(snn_random *r, uint64_t seed, snn_purpose purpose, uint64_t index) {
    memset(r, 0, sizeof *r);
    r->key[0] = (uint32_t)seed;
    r->key[1] = (uint32_t)(seed >> 32);
    r->counter[1] = (uint32_t)purpose;
    r->counter[2] = (uint32_t)index;
    r->counter[3] = (uint32_t)(index >> 32);
}

uint32_t snn_random_u32(snn_random *r) {
    if (r->left == 0) {
        snn_philox4x32(r->counter, r->key, r->block);
        r->left = 4;
        /* Purposes are small: their upper half extends the block number, so a stream holds 2^50 words. */
        if (++r->counter[0] == 0)
            r->counter[1] += 0x10000u;
    }
    return r->block[4 - r->left--];
}

uint64_t snn_random_u64(snn_random *r) {
    uint64_t low = snn_random_u32(r);
    return low | (uint64_t)snn_random_u32(r) << 32;
}

double snn_random_uniform(snn_random *r) {
    return (double)(snn_random_u64(r) >> 11) * 0x1p-53;
}

uint32_t snn_random_below(snn_random *r, uint32_t n) {
    assert(n >= 1);
    /* Lemire (2019, doi:10.1145/3230636): the upper word of a product, rejecting the few words that would bias it. */
    uint64_t product = (uint64_t)snn_random_u32(r) * n;
    if ((uint32_t)product < n) {
        uint32_t threshold = -n % n;
        while ((uint32_t)product < threshold)
            product = (uint64_t)snn_random_u32(r) * n;
    }
    return (uint32_t)(product >> 32);
}

double snn_random_normal(snn_random *r) {
    double u = 1.0 - snn_random_uniform(r); /* (0, 1] */
    double angle = 6.283185307179586 * snn_random_uniform(r);
    return sqrt(-2.0 * snn_log(u)) * snn_cos(angle);
}

/* log(n!), exact table by summation below 10, Stirling's series above (error below 1e-13 there). */
static double log_factorial(double n) {
    if (n < 10) {
        double f = 1;
        for (int i = 2; i <= (int)n; i++)
            f *= i;
        return snn_log(f);
    }
    const double half_log_two_pi = 0.91893853320467274178;
    double x = n + 1, i = 1 / x, i2 = i * i;
    double series = i * (1.0 / 12 - i2 * (1.0 / 360 - i2 * (1.0 / 1260 - i2 * (1.0 / 1680 - i2 / 1188))));
    return (x - 0.5) * snn_log(x) - x + half_log_two_pi + series;
}

/* Transformed rejection, PTRS of Hoermann (1993, doi:10.1016/0167-6687(93)90997-4), exact for means from 10. */
static double poisson_rejection(snn_random *r, double mean) {
    double b = 0.931 + 2.53 * sqrt(mean);
    double a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    double v_r = 0.9277 - 3.6224 / (b - 2);
    double log_mean = snn_log(mean);
    for (;;) {
        double u = snn_random_uniform(r) - 0.5;
        double v = snn_random_uniform(r);
        double us = 0.5 - fabs(u);
        if (us <= 0)
            continue;
        double k = floor((2 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= v_r)
            return k;
        if (k < 0 || (us < 0.013 && v > us))
            continue;
        if (snn_log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_mean - mean - log_factorial(k))
            return k;
    }
}

uint32_t snn_random_poisson(snn_random *r, double mean) {
    assert(mean >= 0 && mean < 4e9);
    if (mean >= 10) {
        double k = poisson_rejection(r, mean);
        return k < (double)UINT32_MAX ? (uint32_t)k : UINT32_MAX;
    }
    /* Inversion: one uniform, the distribution function summed upward. */
    double u = snn_random_uniform(r);
    double p = snn_exp(-mean), sum = p;
    uint32_t k = 0;
    while (u >= sum && k < 200) { /* P(k > 200) is below 1e-170; the sum may end a rounding short of 1 */
        k++;
        p *= mean / k;
        sum += p;
    }
    return k;
}

void snn_random_permutation(snn_random *r, uint32_t *order, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = snn_random_below(r, i), swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}

/* ---- GSL ---- */

static void gsl_set(void *state, unsigned long seed) {
    snn_random_init(state, seed, SNN_PURPOSE_TEST, 0);
}
static unsigned long gsl_get(void *state) {
    return snn_random_u32(state);
}
static double gsl_get_double(void *state) {
    return snn_random_uniform(state);
}

static const gsl_rng_type philox_type = {
    .name = "philox4x32-10",
    .max = UINT32_MAX,
    .min = 0,
    .size = sizeof(snn_random),
    .set = gsl_set,
    .get = gsl_get,
    .get_double = gsl_get_double,
};
const gsl_rng_type *const snn_gsl_philox = &philox_type;

void snn_random_gsl_init(gsl_rng *rng, uint64_t seed, snn_purpose purpose, uint64_t index) {
    assert(rng->type == snn_gsl_philox);
    snn_random_init(rng->state, seed, purpose, index);
}
