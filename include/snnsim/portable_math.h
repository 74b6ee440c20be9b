/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Elementary functions that give the same bits on every CPU and C library. glibc's exp/log/pow/sin/cos differ in
 * the last bit between CPUs with and without FMA; these use only +, -, *, / and bit operations on doubles
 * (compiled with -ffp-contract=off). Error below 2 units in the last place within the stated range.
 */
#ifndef SNNSIM_PORTABLE_MATH_H
#define SNNSIM_PORTABLE_MATH_H

#ifdef __cplusplus
extern "C" {
#endif

double snn_exp(double x); /* 0 below -745.2, +inf above 709.8 */
double snn_log(double x); /* natural; -inf at 0, NaN below */
double snn_pow(
    double x,
    double y); /* x > 0: exp(y log x), error grows with |y log x| (<= 1e-13 relative for |y log x| < 100) */
double snn_sin(double x); /* |x| <= 1e6 */
double snn_cos(double x); /* |x| <= 1e6 */
double snn_tanh(double x);
/* Standard normal: P(Z <= x), P(Z > x) with full relative accuracy in the tail (<= 1e-13 down to 1e-300), and the quantile of p in (0, 1) (absolute error <= 1e-9; -inf, +inf at 0, 1). */
double snn_normal_cdf(double x);
double snn_normal_tail(double x);
double snn_normal_quantile(double p);

#ifdef __cplusplus
}
#endif
#endif
