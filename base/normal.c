/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The standard normal distribution with the same bits everywhere: its distribution function, its tail, its quantile.
 *
 * Distribution function: the near-minimax rational approximations of W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23
 * (1969) 631-637, in the form for the normal distribution of his SPECFUN (Algorithm 715, ACM TOMS 19 (1993) 22-30), function ANORM.
 * Quantile: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37 (1988) 477-484, PPND16.
 */
#include "normal.h"

#include <snnsim/portable_math.h>

#include <math.h>
#include <string.h>

#define INVERSE_SQRT_2_PI 0.39894228040143267794

/* Borders of Cody's three ranges: the upper quartile, and sqrt(32). */
#define CENTRE_BELOW 0.67448975
#define TAIL_FROM 5.656854249492380195

/* P(0 <= Z <= x), |x| below the first border (odd in x). */
static double centre(double x) {
    static const double a[5] = {2.2352520354606839287, 161.02823106855587881, 1067.6894854603709582,
                                18154.981253343561249, .065682337918207449113};
    static const double b[4] = {47.20258190468824187, 976.09855173777669322, 10260.932208618978205,
                                45507.789335026729956};
    double s = x * x, over = a[4] * s, under = s;
    for (int i = 0; i < 3; i++) {
        over = (over + a[i]) * s;
        under = (under + b[i]) * s;
    }
    return x * (over + a[3]) / (under + b[3]);
}

/* exp(-x^2 / 2) without the error that rounding x^2 brings: x = 1/16 of an integer + rest. */
static double bell(double x) {
    double coarse = floor(x * 16) / 16, rest = (x - coarse) * (x + coarse);
    return snn_exp(-coarse * coarse * 0.5) * snn_exp(-rest * 0.5);
}

/* P(Z > x) / exp(-x^2/2), x between the borders. */
static double middle_ratio(double x) {
    static const double c[9] = {.39894151208813466764, 8.8831497943883759412, 93.506656132177855979,
                                597.27027639480026226, 2494.5375852903726711, 6848.1904505362823326,
                                11602.651437647350124, 9842.7148383839780218, 1.0765576773720192317e-8};
    static const double d[8] = {22.266688044328115691, 235.38790178262499861, 1519.377599407554805,
                                6485.558298266760755,  18615.571640885098091, 34900.952721145977266,
                                38912.003286093271411, 19685.429676859990727};
    double over = c[8] * x, under = x;
    for (int i = 0; i < 7; i++) {
        over = (over + c[i]) * x;
        under = (under + d[i]) * x;
    }
    return (over + c[7]) / (under + d[7]);
}

/* The same, x beyond the second border. */
static double far_ratio(double x) {
    static const double p[6] = {.21589853405795699,     .1274011611602473639,  .022235277870649807,
                                .001421619193227893466, 2.9112874951168792e-5, .02307344176494017303};
    static const double q[5] = {1.28426009614491121, .468238212480865118, .0659881378689285515,
                                .00378239633202758244, 7.29751555083966205e-5};
    double s = 1 / (x * x), over = p[5] * s, under = s;
    for (int i = 0; i < 4; i++) {
        over = (over + p[i]) * s;
        under = (under + q[i]) * s;
    }
    double correction = s * (over + p[4]) / (under + q[4]);
    return (INVERSE_SQRT_2_PI - correction) / x;
}

double snn_normal_tail(double x) {
    if (x != x)
        return x;
    if (x < CENTRE_BELOW)
        return x > -CENTRE_BELOW ? 0.5 - centre(x) : 1 - snn_normal_tail(-x);
    if (x > 39) /* exp(-39^2/2) / (39 sqrt(2 pi)) is below half of the smallest double */
        return 0;
    return bell(x) * (x < TAIL_FROM ? middle_ratio(x) : far_ratio(x));
}

double snn_normal_cdf(double x) {
    return snn_normal_tail(-x);
}

/* ---- quantile ---- */

/* p - 1/2 beyond +-0.425: `tail` is the smaller of p and 1 - p; the quantile of 1 - tail. */
static double outer_quantile(double tail) {
    static const double c[8] = {1.42343711074968357734,  4.63033784615654529590,  5.76949722146069140550,
                                3.64784832476320460504,  1.27045825245236838258,  .241780725177450611770,
                                .0227238449892691845833, 7.7454501427834140764e-4};
    static const double d[7] = {2.05319162663775882187,   1.67638483018380384940,  .689767334985100004550,
                                .148103976427480074590,   .0151986665636164571966, 5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    static const double e[8] = {6.65790464350110377720,    5.46378491116411436990,
                                1.78482653991729133580,    .296560571828504891230,
                                .0265321895265761230930,   1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[7] = {.599832206555887937690,    .136929880922735805310,
                                .0148753612908506148525,   7.86869131145613259100e-4,
                                1.84631831751005468180e-5, 1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    double r = sqrt(-snn_log(tail));
    const double *up = r <= 5 ? c : e, *down = r <= 5 ? d : f;
    r -= r <= 5 ? 1.6 : 5;
    double over = up[7], under = down[6];
    for (int i = 6; i >= 0; i--)
        over = over * r + up[i];
    for (int i = 5; i >= 0; i--)
        under = under * r + down[i];
    return over / (under * r + 1);
}

double snn_normal_quantile(double p) {
    if (!(p > 0 && p < 1))
        return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
    double q = p - 0.5;
    if (fabs(q) <= SNN_NORMAL_CENTRE)
        return snn_normal_centre_quantile(q);
    return q < 0 ? -outer_quantile(p) : outer_quantile(1 - p);
}
