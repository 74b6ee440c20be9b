/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Elementary functions with the same bits everywhere: only + - * / on doubles, each rounded on its own, and bit
 * operations. Argument reductions and polynomials are those of Sun's fdlibm 5.3 (e_exp.c, e_log.c, k_sin.c, k_cos.c),
 * under its notice:
 *
 *   Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 *   Developed at SunSoft, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this
 *   software is freely granted, provided that this notice is preserved.
 */
#include <snnsim/portable_math.h>

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

_Static_assert(FLT_EVAL_METHOD == 0, "doubles must be rounded after every operation");
#ifdef __FAST_MATH__
#error "portable math must not be compiled with fast-math"
#endif

/* log 2 in two pieces, the first with 20 zero bits at its end, so that k * LN2_HIGH is exact. */
static const double LN2_HIGH = 6.93147180369123816490e-01, LN2_LOW = 1.90821492927058770002e-10;
static const double INVERSE_LN2 = 1.44269504088896338700e+00;
/* Adding and subtracting this rounds a double of magnitude < 2^51 to the nearest integer. */
static const double ROUNDER = 0x1.8p52;

static double from_bits(uint64_t u) {
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static uint64_t to_bits(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static double nearest(double x) {
    double shifted = x + ROUNDER;
    return shifted - ROUNDER;
}

/* x * 2^k for k in -1100 .. 1024 and x near 1; the last step rounds into the subnormals once. */
static double scale(double x, int k) {
    if (k > 1023)
        return x * 2.0 * 0x1p1023;
    if (k >= -1022)
        return x * from_bits((uint64_t)(k + 1023) << 52);
    return x * from_bits((uint64_t)(k + 1023 + 200) << 52) * 0x1p-200;
}

double snn_exp(double x) {
    if (x != x)
        return x;
    if (x > 7.09782712893383973096e+02)
        return INFINITY;
    if (x < -7.45133219101941108420e+02)
        return 0;
    double k = nearest(x * INVERSE_LN2);
    double high = x - k * LN2_HIGH, low = k * LN2_LOW;
    double r = high - low, t = r * r;
    /* r (e^r + 1) / (e^r - 1) = 2 + t P(t) on |r| <= log(2)/2 (Remez). */
    double c = r - t * (1.66666666666666019037e-01 +
                        t * (-2.77777777770155933842e-03 +
                             t * (6.61375632143793436117e-05 +
                                  t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
    double y = 1 - ((low - (r * c) / (2 - c)) - high);
    return scale(y, (int)k);
}

double snn_log(double x) {
    if (x != x || x == INFINITY)
        return x;
    if (x <= 0)
        return x == 0 ? -INFINITY : NAN;
    int k = 0;
    if (x < 0x1p-1022) { /* subnormal */
        x *= 0x1p54;
        k = -54;
    }
    /* x = 2^k (1 + f) with sqrt(2)/2 < 1 + f < sqrt(2) */
    uint64_t u = to_bits(x) + (0x3ff0000000000000u - 0x3fe6a09e00000000u);
    k += (int)(u >> 52) - 1023;
    u = (u & 0x000fffffffffffffu) + 0x3fe6a09e00000000u;
    double f = from_bits(u) - 1.0;
    double square = 0.5 * f * f, s = f / (2.0 + f), z = s * s, w = z * z;
    /* log(1+f) = f - f^2/2 + s (f^2/2 + R), R = odd part of 2 atanh(s) beyond 2s (Remez). */
    double even =
        w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    double odd =
        z * (6.666666666666735130e-01 +
             w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    double r = odd + even;
    return s * (square + r) + k * LN2_LOW - square + f + k * LN2_HIGH;
}

double snn_pow(double x, double y) {
    if (y == 0 || x == 1)
        return 1;
    return snn_exp(y * snn_log(x));
}

/* sin and cos of r + c, |r| <= pi/4, c the tail of r. */
static double sin_kernel(double r, double c) {
    double z = r * r, v = z * r;
    double p = 8.33333333332248946124e-03 +
               z * (-1.98412698298579493134e-04 +
                    z * (2.75573137070700676789e-06 +
                         z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)));
    return r - ((z * (0.5 * c - v * p) - c) + v * 1.66666666666666324348e-01);
}

static double cos_kernel(double r, double c) {
    double z = r * r;
    double p = z * (4.16666666666666019037e-02 +
                    z * (-1.38888888888741095749e-03 +
                         z * (2.48015872894767294178e-05 +
                              z * (-2.75573143513906633035e-07 +
                                   z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
    double half = 0.5 * z, w = 1 - half;
    return w + (((1 - w) - half) + (z * p - r * c));
}

/* x - n pi/2 as r + c, n nearest. pi/2 in pieces of 33 bits: n (below 2^20) times a piece is exact. */
static int reduce(double x, double *r, double *c) {
    static const double piece1 = 1.57079632673412561417e+00, piece2 = 6.07710050630396597660e-11,
                        piece3 = 2.02226624871116645580e-21, tail = 8.47842766036889956997e-32;
    double n = nearest(x * 6.36619772367581382433e-01);
    double a = x - n * piece1; /* exact: cancellation */
    double w = n * piece2, b = a - w;
    double lost = (a - b) - w; /* rounding of b */
    double v = n * piece3, e = lost - v;
    double lost2 = (lost - e) - v - n * tail;
    *r = b + e;
    *c = ((b - *r) + e) + lost2;
    return (int)((int64_t)n & 3);
}

double snn_sin(double x) {
    double r, c;
    if (!(fabs(x) <= 1e6))
        return NAN;
    if (fabs(x) < 0x1p-27)
        return x;
    switch (reduce(x, &r, &c)) {
    case 0:
        return sin_kernel(r, c);
    case 1:
        return cos_kernel(r, c);
    case 2:
        return -sin_kernel(r, c);
    default:
        return -cos_kernel(r, c);
    }
}

double snn_cos(double x) {
    double r, c;
    if (!(fabs(x) <= 1e6))
        return NAN;
    switch (reduce(x, &r, &c)) {
    case 0:
        return cos_kernel(r, c);
    case 1:
        return -sin_kernel(r, c);
    case 2:
        return -cos_kernel(r, c);
    default:
        return sin_kernel(r, c);
    }
}

double snn_tanh(double x) {
    double a = fabs(x);
    if (x != x || a < 0x1p-28) /* keeps -0 */
        return x;
    if (a < 0.625) {
        /* Rational approximation of Moshier's Cephes library (tanh.c), relative error 3e-17 on this range. */
        double z = x * x;
        double p =
            (-9.64399179425052238628e-1 * z + -9.92877231001918586564e1) * z + -1.61468768441708447952e3;
        double q =
            ((z + 1.12811678491632931402e2) * z + 2.23548839060100448583e3) * z + 4.84406305325125486048e3;
        return x * z * (p / q) + x;
    }
    double y =
        a >= 22 ? 1 : 1 - 2 / (snn_exp(2 * a) + 1); /* beyond 22 the difference to 1 is below rounding */
    return x < 0 ? -y : y;
}
