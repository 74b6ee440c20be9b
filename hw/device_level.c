/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A level under a condition: where programming, retention and disturb put it; one cell of it from its random deviates; read noise. */
#include "device_internal.h"

#include <snnsim/portable_math.h>

#include <math.h>
#include <string.h>

/* Boltzmann's constant over the elementary charge, exact by definition of the SI since 2019. */
static const double BOLTZMANN_EV = 1.380649e-23 / 1.602176634e-19; /* [eV/K] */
static const double LN10 = 2.302585092994045684;

double snn_polynomial_at(const snn_polynomial *p, double g) {
    double y = 0;
    for (int k = p->terms; k-- > 0;)
        y = y * g + p->c[k];
    return y;
}

static bool acts(const snn_condition *c, snn_effect e) {
    return c->effects >> e & 1;
}

/* ---- retention ---- */

/* What the table says at a time: linear in ln t between its rows and beyond the last, the first row before it. */
static void table_at(const snn_device *d, double seconds, double target, double *shift, double *total) {
    const snn_retention_point *p = d->point;
    int i = 0;
    while (i + 2 < d->points && seconds > p[i + 1].seconds)
        i++;
    *shift = snn_polynomial_at(&p[i].shift, target);
    *total = snn_polynomial_at(&p[i].sigma, target);
    if (d->points < 2 || seconds <= p[0].seconds)
        return;
    double part = snn_log(seconds / p[i].seconds) / snn_log(p[i + 1].seconds / p[i].seconds);
    *shift += part * (snn_polynomial_at(&p[i + 1].shift, target) - *shift);
    *total += part * (snn_polynomial_at(&p[i + 1].sigma, target) - *total);
    *total = *total > 0 ? *total : 0;
}

static void retain(const snn_device *d, double seconds, snn_level *l) {
    if (d->retention == SNN_RETENTION_TABLE) {
        double total, programmed = snn_polynomial_at(&d->sigma_program, l->target);
        table_at(d, seconds, l->target, &l->shift, &total);
        double rest = total * total - programmed * programmed;
        l->sigma_relax = rest > 0 ? sqrt(rest) : 0;
    } else if (d->retention != SNN_RETENTION_NONE && seconds >= d->t0) {
        double x = snn_log(seconds / d->t0);
        if (d->retention == SNN_RETENTION_POWER) {
            l->scale = snn_exp(d->exponent * x);
        } else {
            l->shift = d->mean_per_ln * x;
            l->sigma_relax = d->sigma_per_ln * x + d->sigma_0;
        }
    }
}

/* The time at the temperature of the retention data that does what `seconds` do at the temperature of the condition. */
static bool equivalent_time(const snn_device *d, const snn_condition *c, double *seconds, snn_error *err) {
    *seconds = c->seconds;
    if (c->kelvin == d->reference_kelvin)
        return true;
    if (!(d->activation_ev > 0))
        return snn_fail(err, SNN_ERR_USAGE,
                        "device '%s' at %g K: its retention is known at %g K only; give "
                        "cell.retention.activation_ev, or leave the effect 'relaxation' out",
                        d->name, c->kelvin, d->reference_kelvin);
    *seconds *= snn_exp(d->activation_ev / BOLTZMANN_EV * (1 / d->reference_kelvin - 1 / c->kelvin));
    return true;
}

/* ---- a level ---- */

/* Logarithmic spread of a target: linear in its logarithm from g_min to g_max. */
static double lognormal_at(const snn_device *d, double target) {
    double part = snn_log(target / d->g_min) / snn_log(d->g_max / d->g_min);
    return d->lognormal_hrs + (d->lognormal_sigma - d->lognormal_hrs) * part;
}

static bool check_condition(const snn_condition *c, snn_error *err) {
    if (!(c->seconds >= 0) || isinf(c->seconds))
        return snn_fail(err, SNN_ERR_USAGE, "time since programming is %g s, must be 0 or more", c->seconds);
    if (!(c->kelvin > 0) || isinf(c->kelvin))
        return snn_fail(err, SNN_ERR_USAGE, "temperature is %g K, must be above 0", c->kelvin);
    if (!(c->verify_window >= 0) || (c->verify_window > 0 && c->verify_pulses < 1))
        return snn_fail(
            err, SNN_ERR_USAGE,
            "write-and-verify with a window of %g uS and %d pulses: the window must be 0 or more and "
            "needs at least one pulse",
            c->verify_window, c->verify_pulses);
    return true;
}

/* The level with a target between g_min and g_max (up to rounding). */
static bool level_with(const snn_device *d, const snn_condition *c, double target, snn_level *out,
                       snn_error *err) {
    if (!check_condition(c, err))
        return false;
    snn_level l = {.target = target, .scale = 1};
    if (acts(c, SNN_EFFECT_PROGRAMMING)) {
        l.lognormal = d->lognormal;
        l.sigma_program =
            d->lognormal ? lognormal_at(d, l.target) : snn_polynomial_at(&d->sigma_program, l.target);
        if (l.sigma_program > 0 && c->verify_window > 0) {
            l.verify_window = c->verify_window;
            l.verify_pulses = c->verify_pulses;
        }
    }
    if (acts(c, SNN_EFFECT_CELL_VARIATION))
        l.cell_variation = d->cell_variation;
    if (acts(c, SNN_EFFECT_CHIP_VARIATION))
        l.chip_variation = d->chip_variation;
    if (acts(c, SNN_EFFECT_RELAXATION) && d->retention != SNN_RETENTION_NONE) {
        double seconds;
        if (!equivalent_time(d, c, &seconds, err))
            return false;
        retain(d, seconds, &l);
    }
    if (acts(c, SNN_EFFECT_DISTURB) && d->disturb != 0) {
        double left = 1 + d->disturb * snn_log(1 + (double)c->reads / d->disturb_reads);
        l.scale *= left > 0 ? left : 0;
    }
    *out = l;
    return true;
}

bool snn_device_level(const snn_device *d, const snn_condition *c, int levels, int k, snn_level *out,
                      snn_error *err) {
    if (levels < 2 || levels > d->levels)
        return snn_fail(err, SNN_ERR_USAGE, "device '%s' holds 2 to %d levels per cell, not %d", d->name,
                        d->levels, levels);
    if (k < 0 || k >= levels)
        return snn_fail(err, SNN_ERR_USAGE, "level %d is not one of 0..%d", k, levels - 1);
    return level_with(d, c, d->g_min + (d->g_max - d->g_min) * k / (levels - 1), out, err);
}

bool snn_device_target(const snn_device *d, const snn_condition *c, double target, snn_level *out,
                       snn_error *err) {
    if (!(target >= d->g_min && target <= d->g_max))
        return snn_fail(err, SNN_ERR_USAGE, "device '%s' has conductances of %g to %g uS, not %g", d->name,
                        d->g_min, d->g_max, target);
    return level_with(d, c, target, out, err);
}

double snn_level_start(const snn_level *l, double z_program) {
    return l->lognormal ? l->target * snn_exp(l->sigma_program * z_program)
                        : l->target + l->sigma_program * z_program;
}

double snn_level_conductance(const snn_level *l, double z_program, double z_relax, double z_cell,
                             double z_chip) {
    return snn_level_settle(l, snn_level_start(l, z_program), z_relax, z_cell, z_chip);
}

/* ---- write-and-verify ---- */

bool snn_level_window(const snn_level *l, double *low, double *high) {
    if (!(l->verify_window > 0) || !(l->sigma_program > 0))
        return false;
    if (l->lognormal) {
        double w = l->verify_window / l->target;
        *low = w < 1 ? snn_log(1 - w) / l->sigma_program : -INFINITY;
        *high = snn_log(1 + w) / l->sigma_program;
    } else {
        *high = l->verify_window / l->sigma_program;
        *low = -*high;
    }
    return true;
}

bool snn_level_verified(const snn_level *l, double z_program) {
    double low, high;
    return !snn_level_window(l, &low, &high) || (z_program >= low && z_program <= high);
}

/* z of an accepted cell: the quantile of u between low and high. */
static double inside(double low, double high, double u) {
    double below = snn_normal_cdf(low), above = snn_normal_tail(high);
    double z = u < 0.5 ? snn_normal_quantile(below + u * (1 - below - above))
                       : -snn_normal_quantile(above + (1 - u) * (1 - below - above));
    return z < low ? low : z > high ? high : z;
}

/* z of a cell that never was accepted: the quantile of u outside. */
static double outside(double low, double high, double u) {
    double below = snn_normal_cdf(low), above = snn_normal_tail(high);
    if (u * (below + above) < below) {
        double z = snn_normal_quantile(u * (below + above));
        return z < low ? z : nextafter(low, -INFINITY);
    }
    double z = -snn_normal_quantile((1 - u) * (below + above));
    return z > high ? z : nextafter(high, INFINITY);
}

double snn_level_program(const snn_level *l, double u_program, double u_pulse, int *pulses) {
    double low, high;
    *pulses = 1;
    if (!snn_level_window(l, &low, &high))
        return snn_normal_quantile(u_program);
    double miss = snn_normal_cdf(low) + snn_normal_tail(high);
    if (miss > 0) {
        /* The first accepted pulse is number n with probability miss^(n-1) (1 - miss). */
        double n = miss < 1 ? ceil(snn_log(1 - u_pulse) / snn_log(miss)) : INFINITY;
        if (!(n <= l->verify_pulses)) {
            *pulses = l->verify_pulses;
            return outside(low, high, u_program);
        }
        *pulses = n > 1 ? (int)n : 1;
    }
    return inside(low, high, u_program);
}

/* ---- read noise ---- */

double snn_device_white(const snn_device *d, const snn_condition *c) {
    return acts(c, SNN_EFFECT_WHITE_NOISE) ? d->white * d->g_max : 0;
}

double snn_device_slow(const snn_device *d, const snn_condition *c, double g) {
    if (!acts(c, SNN_EFFECT_ONE_OVER_F) || !(g > 0) || (d->one_over_f == 0 && d->one_over_f_log == 0))
        return 0;
    double decades = snn_log((c->seconds + d->one_over_f_time) / (2 * d->one_over_f_time));
    double factor = d->one_over_f + d->one_over_f_log * (snn_log(g) / LN10);
    return decades > 0 && factor > 0 ? factor * sqrt(decades) : 0;
}

double snn_device_telegraph(const snn_device *d, const snn_condition *c, double g) {
    if (!acts(c, SNN_EFFECT_TELEGRAPH) || !(g > 0))
        return 0;
    double step = d->telegraph_step + d->telegraph_amplitude * g;
    return step < g ? step : g;
}
