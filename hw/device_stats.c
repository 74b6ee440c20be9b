/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Distribution and moments of a level over cells and chips. What is normal is done in closed form; products, log-normal spread and write-and-verify are integrated
 * adaptively over the deviates that make them, with portable arithmetic only, so that every machine gets the same bits.
 *
 *   over z_chip ── over z_cell ── over z_program ── relaxation and read noise (normal, cut off at 0)
 */
#include "device_internal.h"

#include <snnsim/portable_math.h>

#include <math.h>

#define PANELS 400     /* most intervals of one integral */
#define BREAKS 24      /* most points that an integral starts with */
#define REACH 9.0      /* deviates beyond have probability 1e-19 */
#define TOLERANCE 1e-9 /* relative, of an integral */
#define STEP_REACH 8.0 /* a smoothed step lies within so many of its widths */

static const double INVERSE_ROOT_2PI = 0.39894228040143267794;

typedef enum { BELOW, ABOVE, MEAN, VARIANCE } quantity;

typedef struct {
    const snn_level *level;
    quantity what;
    double noise;  /* [uS] BELOW, ABOVE: standard deviation of read noise */
    double x;      /* [uS] BELOW, ABOVE: threshold; VARIANCE: the mean */
    double factor; /* (1 + cell variation)(1 + chip variation) so far */
} query;

static double density(double z) {
    return INVERSE_ROOT_2PI * snn_exp(-0.5 * z * z);
}

/* ---- adaptive integration ---- */

typedef double integrand(const void *context, double z);

typedef struct {
    double from, to, value, error;
} panel;

/* Gauss-Kronrod 7/15 (QUADPACK dqk15). */
static panel measure(integrand *f, const void *context, double from, double to) {
    static const double x[7] = {0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
                                0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
                                0.586087235467691130294144838258730, 0.405845151377397166906606412076961,
                                0.207784955007898467600689403773245};
    static const double kronrod[8] = {
        0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
        0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
        0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
        0.204432940075298892414161999234649, 0.209482141084727828012999174891714};
    static const double gauss[4] = {0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
                                    0.381830050505118944950369775488975, 0.417959183673469387755102040816327};
    double middle = 0.5 * (from + to), half = 0.5 * (to - from);
    double y = f(context, middle), k = kronrod[7] * y, g = gauss[3] * y;
    for (int i = 0; i < 7; i++) {
        y = f(context, middle - half * x[i]) + f(context, middle + half * x[i]);
        k += kronrod[i] * y;
        if (i % 2)
            g += gauss[i / 2] * y;
    }
    return (panel){from, to, k * half, fabs((k - g) * half)};
}

/* From the first to the last of `breaks` (n >= 2, in any order): halves the interval with the largest error until the sum is good. */
static double integrate(integrand *f, const void *context, double *breaks, int n) {
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && breaks[j] < breaks[j - 1]; j--) {
            double t = breaks[j];
            breaks[j] = breaks[j - 1];
            breaks[j - 1] = t;
        }
    panel p[PANELS];
    int panels = 0;
    for (int i = 0; i + 1 < n; i++)
        if (breaks[i] < breaks[i + 1])
            p[panels++] = measure(f, context, breaks[i], breaks[i + 1]);
    if (panels == 0)
        return 0;
    for (;;) {
        double sum = 0, error = 0;
        int worst = 0;
        for (int i = 0; i < panels; i++) {
            sum += p[i].value;
            error += p[i].error;
            if (p[i].error > p[worst].error)
                worst = i;
        }
        double middle = 0.5 * (p[worst].from + p[worst].to);
        if (error <= TOLERANCE * fabs(sum) || panels == PANELS || middle <= p[worst].from ||
            middle >= p[worst].to)
            return sum;
        p[panels++] = measure(f, context, middle, p[worst].to);
        p[worst] = measure(f, context, p[worst].from, middle);
    }
}

/* Breaks -reach .. reach in threes; n of them. */
static int start_breaks(double *breaks, double reach) {
    int n = 0;
    while (n < 13 && -reach + 3 * n < reach) {
        breaks[n] = -reach + 3 * n;
        n++;
    }
    breaks[n++] = reach;
    return n;
}

static int add_break(double *breaks, int n, double reach, double z) {
    if (n < BREAKS && z > -reach && z < reach) /* false for NaN */
        breaks[n++] = z;
    return n;
}

/* ---- the innermost: X = m + r z, cut off at 0, plus noise ---- */

typedef struct {
    const query *q;
    double m, r;
} normal;

static double noisy_side(const void *context, double z) {
    const normal *n = context;
    double distance = (n->q->x - (n->m + n->r * z)) / n->q->noise;
    return density(z) * (n->q->what == BELOW ? snn_normal_cdf(distance) : snn_normal_tail(distance));
}

/* P(max(0, X) + noise <= x) or > x. */
static double side(const query *q, double m, double r) {
    bool below = q->what == BELOW;
    double s = q->noise, x = q->x;
    if (r == 0 || s == 0) {
        double floor_m = r == 0 && m < 0 ? 0 : m, spread = r + s;
        if (s == 0 && x < 0)
            return below ? 0 : 1;
        if (spread == 0)
            return (floor_m <= x) == below ? 1 : 0;
        double z = (x - floor_m) / spread;
        return below ? snn_normal_cdf(z) : snn_normal_tail(z);
    }
    double z = (x - m) / sqrt(r * r + s * s);
    double uncut = below ? snn_normal_cdf(z) : snn_normal_tail(z), cut = snn_normal_tail(m / r);
    /* The cut moves at most this much over the threshold: X < 0 and noise > x. */
    if (cut * snn_normal_tail(x / s) <= 1e-10 * uncut)
        return uncut;
    double at_zero = below ? snn_normal_cdf(x / s) : snn_normal_tail(x / s), first = -m / r;
    if (first >= REACH)
        return at_zero * cut;
    normal n = {q, m, r};
    double breaks[BREAKS], centre = (x - m) / r, width = STEP_REACH * s / r;
    double from = first > -REACH ? first : -REACH;
    int count = 0;
    breaks[count++] = from;
    for (int b = -6; b <= (int)REACH; b += 3)
        if (b > from)
            breaks[count++] = b;
    for (int i = -1; i <= 1; i++)
        if (centre + i * width > from && centre + i * width < REACH)
            breaks[count++] = centre + i * width;
    return at_zero * cut + integrate(noisy_side, &n, breaks, count);
}

static double innermost(const query *q, double m, double r) {
    if (q->what == BELOW || q->what == ABOVE)
        return side(q, m, r);
    double positive = m > 0 ? m : 0;
    if (r == 0)
        return q->what == MEAN ? positive : (positive - q->x) * (positive - q->x);
    double h = m / r, p = snn_normal_cdf(h), f = density(h);
    if (q->what == MEAN)
        return m * p + r * f;
    double d = m - q->x;
    return d * d * p + 2 * d * r * f + r * r * (p - h * f) + q->x * q->x * snn_normal_tail(h);
}

/* ---- programming ---- */

/* z_program has this multiple of the normal density inside the window, and outside. */
typedef struct {
    bool verified;
    double low, high, in, out;
} acceptance;

static acceptance accept_of(const snn_level *l) {
    acceptance a = {.in = 1, .out = 1};
    a.verified = snn_level_window(l, &a.low, &a.high);
    if (!a.verified)
        return a;
    double miss = snn_normal_cdf(a.low) + snn_normal_tail(a.high), hit = 1 - miss, n = l->verify_pulses;
    double all_miss = miss > 0 ? snn_exp(n * snn_log(miss)) : 0;
    a.in = hit * n < 1e-6 ? n : (1 - all_miss) / hit;
    a.out = miss > 0 ? all_miss / miss : 0;
    return a;
}

/* P(z_program <= z), P(z_program > z). */
static double program_cdf(const acceptance *a, double z, bool tail) {
    double p = tail ? snn_normal_tail(z) : snn_normal_cdf(z);
    if (!a->verified)
        return p;
    double edge = tail ? a->high : a->low;
    double beyond =
        tail ? snn_normal_tail(edge) : snn_normal_cdf(edge); /* outside, on the side of the tail */
    if (tail ? z >= edge : z < edge)
        return a->out * p;
    if (tail ? z >= a->low : z < a->high)
        return a->out * beyond + a->in * (p - beyond);
    return 1 - a->out * (tail ? snn_normal_cdf(z) : snn_normal_tail(z));
}

typedef struct {
    const query *q;
    acceptance accept;
} program;

static double over_program(const void *context, double z) {
    const program *p = context;
    const snn_level *l = p->q->level;
    bool in = !p->accept.verified || (z >= p->accept.low && z <= p->accept.high);
    double weight = density(z) * (in ? p->accept.in : p->accept.out);
    if (weight == 0)
        return 0;
    double m = l->scale * p->q->factor * snn_level_start(l, z) + l->shift;
    return weight * innermost(p->q, m, l->sigma_relax);
}

/* z_program that starts a cell at g, NaN when none does. */
static double start_deviate(const snn_level *l, double g) {
    return l->lognormal ? (g > 0 ? snn_log(g / l->target) / l->sigma_program : NAN)
                        : (g - l->target) / l->sigma_program;
}

/* Nothing normal is left over: the threshold lies at one z_program. */
static double exact_side(const query *q, const acceptance *a) {
    const snn_level *l = q->level;
    bool below = q->what == BELOW;
    double slope = l->scale * q->factor;
    if (q->x < 0)
        return below ? 0 : 1;
    if (slope == 0)
        return ((l->shift > 0 ? l->shift : 0) <= q->x) == below ? 1 : 0;
    double g = (q->x - l->shift) / slope;
    if (l->lognormal && g <= 0)
        return (slope < 0) == below ? 1 : 0;
    return program_cdf(a, start_deviate(l, g), slope > 0 ? !below : below);
}

static double stage_program(const query *q) {
    const snn_level *l = q->level;
    double slope = l->scale * q->factor;
    acceptance a = accept_of(l);
    if (!a.verified && !(l->lognormal && l->sigma_program > 0)) {
        double r = slope * l->sigma_program;
        r = l->sigma_relax == 0 ? fabs(r) : sqrt(r * r + l->sigma_relax * l->sigma_relax);
        return innermost(q, slope * l->target + l->shift, r);
    }
    bool is_side = q->what == BELOW || q->what == ABOVE;
    if (is_side && l->sigma_relax == 0 && q->noise == 0)
        return exact_side(q, &a);
    program p = {q, a};
    double reach = REACH + (!is_side && l->lognormal ? 2 * l->sigma_program : 0), breaks[BREAKS];
    int n = start_breaks(breaks, reach);
    if (a.verified) {
        n = add_break(breaks, n, reach, a.low);
        n = add_break(breaks, n, reach, a.high);
    }
    double width = STEP_REACH * sqrt(l->sigma_relax * l->sigma_relax + q->noise * q->noise);
    if (slope != 0)
        for (int i = -1; i <= 1; i++) {
            if (is_side)
                n = add_break(breaks, n, reach, start_deviate(l, (q->x + i * width - l->shift) / slope));
            n = add_break(breaks, n, reach, start_deviate(l, (i * width - l->shift) / slope));
        }
    return integrate(over_program, &p, breaks, n);
}

/* ---- variation of cells and chips ---- */

/* Breaks over a relative deviation of `variation`: where it turns conductances over, and where the level crosses the threshold. */
static int variation_breaks(const query *q, double variation, double *breaks) {
    const snn_level *l = q->level;
    int n = add_break(breaks, start_breaks(breaks, REACH), REACH, -1 / variation);
    double slope = l->scale * q->factor * l->target, spread = l->lognormal ? 0 : l->sigma_program * l->scale;
    double width = STEP_REACH * sqrt(spread * spread + l->sigma_relax * l->sigma_relax + q->noise * q->noise);
    if (slope != 0 && (q->what == BELOW || q->what == ABOVE))
        for (int i = -1; i <= 1; i++)
            n = add_break(breaks, n, REACH, ((q->x + i * width - l->shift) / slope - 1) / variation);
    return n;
}

static double over_cell(const void *context, double z) {
    query q = *(const query *)context;
    q.factor *= 1 + q.level->cell_variation * z;
    return density(z) * stage_program(&q);
}

static double stage_cell(const query *q) {
    if (q->level->cell_variation == 0)
        return stage_program(q);
    double breaks[BREAKS];
    int n = variation_breaks(q, q->level->cell_variation, breaks);
    return integrate(over_cell, q, breaks, n);
}

static double over_chip(const void *context, double z) {
    query q = *(const query *)context;
    q.factor *= 1 + q.level->chip_variation * z;
    return density(z) * stage_cell(&q);
}

static double answer(const snn_level *l, quantity what, double noise, double x) {
    query q = {l, what, noise, x, 1};
    if (l->chip_variation == 0)
        return stage_cell(&q);
    double breaks[BREAKS];
    int n = variation_breaks(&q, l->chip_variation, breaks);
    return integrate(over_chip, &q, breaks, n);
}

void snn_level_moments(const snn_level *l, double *mean, double *sigma) {
    *mean = answer(l, MEAN, 0, 0);
    double variance = answer(l, VARIANCE, 0, *mean);
    *sigma = variance > 0 ? sqrt(variance) : 0;
}

double snn_level_cdf(const snn_level *l, double noise, double x) {
    double p = answer(l, BELOW, noise, x);
    return p < 1 ? p : 1;
}

double snn_level_above(const snn_level *l, double noise, double x) {
    double p = answer(l, ABOVE, noise, x);
    return p < 1 ? p : 1;
}
