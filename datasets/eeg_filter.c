/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Butterworth filters (Butterworth 1930) as second-order sections: analogue prototype, frequency transformation, bilinear transform with
 * pre-warped edges, as scipy.signal.butter does, with the same bits on every machine.
 *
 * Each pair of conjugate poles is a section with its own share of the gain; a band-pass section has one zero at +1 and one at -1. Sections stand in
 * ascending distance of their poles from 0, so that the sharpest comes last.
 */
#include "eeg.h"

#include <snnsim/portable_math.h>

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
/* The bilinear transform s = 4 (z - 1) / (z + 1): sampling frequency 2, as in scipy. Any other constant gives the same filter. */
static const double BILINEAR = 4;

typedef struct {
    double re, im;
} point;

/* Square root in the right half plane without cancellation. */
static point root(point z) {
    double size = sqrt(z.re * z.re + z.im * z.im), sign = z.im < 0 ? -1 : 1;
    if (size == 0)
        return (point){0, 0};
    if (z.re >= 0) {
        double re = sqrt((size + z.re) / 2);
        return (point){re, z.im / (2 * re)};
    }
    double im = sqrt((size - z.re) / 2);
    return (point){sign * z.im / (2 * im), sign * im};
}

/* Keeps the sections in order of a2, the squared distance of the poles (of real ones: their product). */
static void insert(snn_butterworth *f, snn_biquad s) {
    int at = f->sections++;
    for (; at > 0 && f->section[at - 1].a2 > s.a2; at--)
        f->section[at] = f->section[at - 1];
    f->section[at] = s;
}

/* A section of the analogue poles p and its conjugate (p.im > 0), or p and q on the real axis, with numerator b and gain `gain` for s = BILINEAR. */
static void add_pair(snn_butterworth *f, point p, double q, const double b[3], double gain) {
    snn_biquad s;
    double divisor;
    if (p.im > 0) {
        divisor = (BILINEAR - p.re) * (BILINEAR - p.re) + p.im * p.im;
        s.a1 = -2 * (BILINEAR * BILINEAR - p.re * p.re - p.im * p.im) / divisor;
        s.a2 = ((BILINEAR + p.re) * (BILINEAR + p.re) + p.im * p.im) / divisor;
    } else {
        double z = (BILINEAR + p.re) / (BILINEAR - p.re), y = (BILINEAR + q) / (BILINEAR - q);
        divisor = (BILINEAR - p.re) * (BILINEAR - q);
        s.a1 = -(z + y);
        s.a2 = z * y;
    }
    gain /= divisor;
    s.b0 = gain * b[0];
    s.b1 = gain * b[1];
    s.b2 = gain * b[2];
    insert(f, s);
}

/* The one real pole of an odd order (low-pass, high-pass): a section with one pole and one zero. */
static void add_single(snn_butterworth *f, double p, double zero, double gain) {
    gain /= BILINEAR - p;
    insert(f, (snn_biquad){.b0 = gain, .b1 = -zero * gain, .a1 = -(BILINEAR + p) / (BILINEAR - p)});
}

/* Prototype pole p (p.im >= 0) of a band-pass between the warped edges w1 and w2: s -> (s^2 + w1 w2) / ((w2 - w1) s). */
static void add_band(snn_butterworth *f, point p, double w1, double w2) {
    static const double b[3] = {1, 0, -1};
    double width = w2 - w1, gain = width * BILINEAR;
    point half = {p.re * width / 2, p.im * width / 2};
    point r = root((point){half.re * half.re - half.im * half.im - w1 * w2, 2 * half.re * half.im});
    point above = {half.re + r.re, half.im + r.im}, below = {half.re - r.re, half.im - r.im};
    if (p.im == 0) { /* one pair: conjugate, or both on the real axis */
        add_pair(f, above.im < 0 ? below : above, below.re, b, gain);
        return;
    }
    add_pair(f, (point){above.re, fabs(above.im)}, 0, b, gain);
    add_pair(f, (point){below.re, fabs(below.im)}, 0, b, gain);
}

static void add_edge(snn_butterworth *f, point p, bool high_pass, double w) {
    static const double low_pass_b[3] = {1, 2, 1}, high_pass_b[3] = {1, -2, 1};
    point q = {w * p.re, w * p.im}; /* s -> s / w; s -> w / s mirrors p, of radius 1, to its conjugate */
    if (p.im == 0)
        add_single(f, q.re, high_pass ? 1 : -1, high_pass ? BILINEAR : w);
    else if (high_pass)
        add_pair(f, q, 0, high_pass_b, BILINEAR * BILINEAR);
    else
        add_pair(f, q, 0, low_pass_b, w * w);
}

static bool check_edges(int order, double low, double high, double rate, snn_error *err) {
    if (order < 0 || order > SNN_EEG_ORDER_MAX)
        return snn_fail(err, SNN_ERR_USAGE, "a filter of order %d; possible are 0 .. %d", order,
                        SNN_EEG_ORDER_MAX);
    if (!(low >= 0) || !(high >= 0) || low >= rate / 2 || high >= rate / 2)
        return snn_fail(err, SNN_ERR_USAGE,
                        "filter edges of %g and %g Hz must be below %g Hz, half the sampling rate", low, high,
                        rate / 2);
    if (high > 0 && low >= high)
        return snn_fail(err, SNN_ERR_USAGE, "the lower filter edge, %g Hz, is not below the upper one, %g Hz",
                        low, high);
    return true;
}

bool snn_butterworth_design(snn_butterworth *f, int order, double low, double high, double rate,
                            snn_error *err) {
    f->sections = 0;
    if (!check_edges(order, low, high, rate, err))
        return false;
    if (low == 0 && high == 0)
        return true;
    double x1 = PI * low / rate, x2 = PI * high / rate;
    double w1 = BILINEAR * snn_sin(x1) / snn_cos(x1), w2 = BILINEAR * snn_sin(x2) / snn_cos(x2);
    for (int k = 0; k < (order + 1) / 2; k++) { /* prototype poles with im >= 0, of radius 1 */
        double angle = PI * (order - 1 - 2 * k) / (2 * order);
        point p = {-snn_cos(angle), 2 * k == order - 1 ? 0 : snn_sin(angle)};
        if (low > 0 && high > 0)
            add_band(f, p, w1, w2);
        else
            add_edge(f, p, low > 0, low > 0 ? w1 : w2);
    }
    for (int k = 0; k < f->sections; k++) {
        const snn_biquad *s = &f->section[k];
        if (!(s->a2 < 1) || !(fabs(s->a1) < 1 + s->a2))
            return snn_fail(err, SNN_ERR_USAGE,
                            "a filter of order %d from %g to %g Hz at %g Hz is too narrow to be computed",
                            order, low, high, rate);
    }
    return true;
}

void snn_butterworth_run(const snn_butterworth *f, double *x, size_t n, size_t channels, double *state) {
    if (f->sections == 0)
        return;
    memset(state, 0, 2 * (size_t)f->sections * channels * sizeof *state);
    for (size_t i = 0; i < n; i++) {
        double *restrict v = x + i * channels;
        for (int k = 0; k < f->sections; k++) { /* transposed direct form II */
            const snn_biquad s = f->section[k];
            double *restrict first = state + 2 * (size_t)k * channels, *restrict second = first + channels;
            for (size_t c = 0; c < channels; c++) {
                double in = v[c], out = s.b0 * in + first[c];
                first[c] = s.b1 * in - s.a1 * out + second[c];
                second[c] = s.b2 * in - s.a2 * out;
                v[c] = out;
            }
        }
    }
}
