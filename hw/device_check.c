/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a device cannot be. Single values are checked by the table of keys; here is what they must be to each other. */
#include "device_internal.h"

#include <snnsim/portable_math.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Conductances of cells lie far within these; what lies outside was meant in another unit. */
#define SMALLEST_LRS 1e-3 /* [uS] 1 GOhm */
#define LARGEST_LRS 1e4   /* [uS] 100 Ohm */
#define SAMPLES 1024      /* intervals in which a polynomial's least value is looked for */
#define ROUNDING 1e-12    /* of g_max: what differences of equal polynomials may leave */

static const double LN10 = 2.302585092994045684;

static bool check_unit(const snn_device_source *s, snn_error *err) {
    const snn_config *c = snn_device_owner(s, "cell.unit");
    const char *unit = snn_config_string(c, "cell.unit");
    return strcmp(unit, "uS") == 0 ||
           snn_config_fail(
               c, "cell.unit", err,
               "is '%.40s', but conductances are given in uS (microsiemens): multiply siemens by 1e6", unit);
}

static bool check_range(const snn_device_source *s, const snn_device *d, snn_error *err) {
    const char *paths[] = {"cell.g_min", "cell.g_max"};
    for (int i = 0; i < 2; i++)
        if (!snn_config_given(s->main, paths[i]) && !snn_config_given(s->file, paths[i]))
            return snn_fail(err, SNN_ERR_USAGE, "%s: %s is missing", snn_config_path(s->file), paths[i]);
    const snn_config *c = snn_device_owner(s, "cell.g_max");
    if (d->g_max < SMALLEST_LRS)
        return snn_config_fail(
            c, "cell.g_max", err,
            "is %g uS, which is more than 1 GOhm: conductances are in uS, was it given in siemens?",
            d->g_max);
    if (d->g_max > LARGEST_LRS)
        return snn_config_fail(
            c, "cell.g_max", err,
            "is %g uS, which is less than 100 Ohm: conductances are in uS, was a resistance given?",
            d->g_max);
    if (!(d->g_min < d->g_max))
        return snn_config_fail(
            snn_device_owner(s, "cell.g_min"), "cell.g_min", err,
            "is %g uS: the high-resistance state must conduct less than the low-resistance state "
            "(cell.g_max = %g uS)",
            d->g_min, d->g_max);
    if (d->levels != 2 && d->levels != 4 && d->levels != 8 && d->levels != 16)
        return snn_config_fail(snn_device_owner(s, "cell.levels"), "cell.levels", err,
                               "is %d, must be 2, 4, 8 or 16", d->levels);
    return true;
}

/* The least value of a polynomial between g_min and g_max, and where; the first that is not finite, if there is one. */
static double least(const snn_polynomial *p, const snn_device *d, double *where) {
    double best = INFINITY, step = (d->g_max - d->g_min) / SAMPLES;
    for (int i = 0; i <= SAMPLES; i++) {
        double g = d->g_min + i * step, y = snn_polynomial_at(p, g);
        if (y < best || !isfinite(y)) {
            best = y;
            *where = g;
        }
        if (!isfinite(y))
            return y;
    }
    double low = fmax(*where - step, d->g_min), high = fmin(*where + step, d->g_max);
    for (int i = 0; i < 60; i++) {
        double a = low + (high - low) / 3, b = high - (high - low) / 3;
        if (snn_polynomial_at(p, a) < snn_polynomial_at(p, b))
            high = b;
        else
            low = a;
    }
    double y = snn_polynomial_at(p, low);
    if (y < best) {
        best = y;
        *where = low;
    }
    return best;
}

static bool check_spread(const snn_config *c, const char *path, const snn_polynomial *p, const snn_device *d,
                         snn_error *err) {
    double where = d->g_min, y = least(p, d, &where);
    if (!isfinite(y))
        return snn_config_fail(c, path, err, "is not finite at %g uS", where);
    return y >= 0 ||
           snn_config_fail(c, path, err,
                           "is negative at %.4g uS (%.3g uS); a spread must not be, from g_min = %g to "
                           "g_max = %g uS",
                           where, y, d->g_min, d->g_max);
}

static bool check_program(const snn_device_source *s, const snn_device *d, snn_error *err) {
    const char *path = "cell.program.sigma";
    const snn_config *c = snn_device_owner(s, path);
    if (!d->lognormal)
        return check_spread(c, path, &d->sigma_program, d, err);
    if (d->lognormal_hrs < 0 || d->lognormal_sigma < 0)
        return snn_config_fail(c, path, err, "is negative");
    if (d->lognormal_hrs > 10 || d->lognormal_sigma > 10)
        return snn_config_fail(c, path, err,
                               "is above 10: form 'lognormal' takes the standard deviation of ln g");
    if (!(d->g_min > 0))
        return snn_config_fail(snn_device_owner(s, "cell.g_min"), "cell.g_min", err,
                               "is 0, which has no logarithm: form 'lognormal' needs more");
    return true;
}

/* ---- retention ---- */

/* Total spreads hold the programming spread: what is left of them below it would be the square root of less than nothing. Rounding of equal polynomials may leave a trifle. */
static bool check_total(const snn_device_source *s, const snn_device *d, int i, snn_error *err) {
    const char *program = "cell.program.sigma";
    const snn_polynomial *total = &d->point[i].sigma, *programmed = &d->sigma_program;
    snn_polynomial rest = {.terms = SNN_TERMS};
    for (int k = 0; k < SNN_TERMS; k++)
        rest.c[k] = (k < total->terms ? total->c[k] : 0) - (k < programmed->terms ? programmed->c[k] : 0);
    double where = d->g_min, y = least(&rest, d, &where);
    if (y >= -ROUNDING * d->g_max)
        return true;
    double all = snn_polynomial_at(total, where), part = snn_polynomial_at(programmed, where);
    if (snn_config_given(s->main, program))
        return snn_config_fail(s->main, program, err,
                               "is %.4g uS at %.4g uS, more than the total spread of %.4g uS that point %d "
                               "(from 0) of cell.retention.points gives at %g s, programming included",
                               part, where, all, i, d->point[i].seconds);
    return snn_config_fail(snn_device_owner(s, "cell.retention.points"), "cell.retention.points", err,
                           "point %d (from 0) has a total spread (sigma) of %.4g uS at %.4g uS, below the "
                           "programming spread of %.4g uS there (%s), which it includes",
                           i, all, where, part, program);
}

static bool check_points(const snn_device_source *s, const snn_device *d, snn_error *err) {
    const char *list = "cell.retention.points";
    const snn_config *c = snn_device_owner(s, list);
    char path[96];
    if (d->lognormal)
        return snn_config_fail(c, list, err,
                               "form 'table' gives spreads in uS; it does not go with cell.program.form "
                               "'lognormal'");
    for (int i = 0; i < d->points; i++) {
        double seconds = d->point[i].seconds;
        snprintf(path, sizeof path, "%s[%d].seconds", list, i);
        if (!(seconds > 0))
            return snn_config_fail(c, path, err, "is %g s, must be above 0", seconds);
        if (i > 0 && !(seconds > d->point[i - 1].seconds))
            return snn_config_fail(c, path, err,
                                   "is %g s, but the point before is at %g s: times must ascend", seconds,
                                   d->point[i - 1].seconds);
        snprintf(path, sizeof path, "%s[%d].sigma", list, i);
        if (!check_spread(c, path, &d->point[i].sigma, d, err) || !check_total(s, d, i, err))
            return false;
        double where = d->g_min;
        snprintf(path, sizeof path, "%s[%d].shift", list, i);
        double shift = least(&d->point[i].shift, d, &where);
        if (!isfinite(shift))
            return snn_config_fail(c, path, err, "is not finite at %g uS", where);
    }
    return true;
}

/* A key of another form, in the same file as the form or in the main configuration, would do nothing. The main configuration may well switch off a form whose numbers stand in the device file. */
static bool check_form(const snn_device_source *s, const snn_device *d, snn_error *err) {
    static const struct {
        const char *path, *forms;
        unsigned of; /* bit f: form f has it */
    } keys[] = {
        {"cell.retention.points", "'table'", 1U << SNN_RETENTION_TABLE},
        {"cell.retention.mean_per_ln", "'log'", 1U << SNN_RETENTION_LOG},
        {"cell.retention.sigma_per_ln", "'log'", 1U << SNN_RETENTION_LOG},
        {"cell.retention.sigma_0", "'log'", 1U << SNN_RETENTION_LOG},
        {"cell.retention.exponent", "'power'", 1U << SNN_RETENTION_POWER},
        {"cell.retention.t0", "'log' or 'power'", 1U << SNN_RETENTION_LOG | 1U << SNN_RETENTION_POWER},
        {"cell.retention.activation_ev", "'table', 'log' or 'power'", ~(1U << SNN_RETENTION_NONE)},
        {"cell.retention.kelvin", "'table', 'log' or 'power'", ~(1U << SNN_RETENTION_NONE)},
    };
    static const char *const names[] = {"none", "table", "log", "power"};
    const snn_config *form_owner = snn_device_owner(s, "cell.retention.form");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const snn_config *c = snn_device_owner(s, keys[i].path);
        if (!(keys[i].of >> d->retention & 1) && (c == form_owner || c == s->main) &&
            snn_config_given(c, keys[i].path))
            return snn_config_fail(c, keys[i].path, err,
                                   "belongs to cell.retention.form %s, but the form is '%s'", keys[i].forms,
                                   names[d->retention]);
    }
    return true;
}

static bool check_retention(const snn_device_source *s, const snn_device *d, snn_error *err) {
    return check_form(s, d, err) && (d->retention != SNN_RETENTION_TABLE || check_points(s, d, err));
}

/* ---- noise and faults ---- */

static bool check_noise(const snn_device_source *s, const snn_device *d, snn_error *err) {
    if (d->one_over_f == 0 && d->one_over_f_log == 0)
        return true;
    const char *path = d->one_over_f_log != 0 ? "cell.noise.one_over_f_log" : "cell.noise.one_over_f";
    const snn_config *c = snn_device_owner(s, path);
    double ends[] = {d->g_min, d->g_max};
    for (int i = 0; i < 2; i++) {
        double y = d->one_over_f + (d->one_over_f_log != 0 ? d->one_over_f_log * snn_log(ends[i]) / LN10 : 0);
        if (!(y >= 0) || isinf(y))
            return snn_config_fail(
                c, path, err,
                "makes the 1/f noise negative at %g uS: one_over_f + one_over_f_log log10(g) must "
                "not be, from g_min to g_max",
                ends[i]);
    }
    return true;
}

static bool check_faults(const snn_device_source *s, const snn_device *d, snn_error *err) {
    const char *path = "cell.faults.stuck_lrs";
    return d->stuck_hrs + d->stuck_lrs <= 1 ||
           snn_config_fail(snn_device_owner(s, path), path, err,
                           "and cell.faults.stuck_hrs are shares of the same cells: %g + %g is above 1",
                           d->stuck_lrs, d->stuck_hrs);
}

bool snn_device_check(const snn_device_source *s, const snn_device *d, snn_error *err) {
    return check_unit(s, err) && check_range(s, d, err) && check_program(s, d, err) &&
           check_retention(s, d, err) && check_noise(s, d, err) && check_faults(s, d, err);
}
