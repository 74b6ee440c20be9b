/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Distributions of levels: every preset against the figures that tests/golden/device_stats.py computes from the cited formulas, further cases against brute force and GSL,
 * samples against their own distribution (Kolmogorov-Smirnov at fixed seeds).
 *
 * With SNNSIM_DEVICE_CSV=FILE the samples are written there, for `tests/golden/device_stats.py --check FILE`.
 */
#include "device_test.h"
#include "golden_device.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <snnsim/random.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void presets_have_the_cited_statistics(void **state) {
    (void)state;
    snn_device d = {0};
    for (size_t i = 0; i < COUNT(golden_level); i++) {
        if (strcmp(d.name, golden_level[i].preset) != 0) {
            snn_device_free(&d);
            preset(golden_level[i].preset, &d);
        }
        snn_condition c = after(golden_level[i].seconds);
        snn_level l = level_of(&d, &c, golden_level[i].levels, golden_level[i].k);
        double mean, sigma;
        snn_level_moments(&l, &mean, &sigma);
        char what[200];
        snprintf(what, sizeof what, "%s, %g s, level %d of %d", d.name, golden_level[i].seconds,
                 golden_level[i].k, golden_level[i].levels);
        close_to(l.target, golden_level[i].target, 1e-13, what);
        close_to(mean, golden_level[i].mean, 1e-9, what);
        close_to(sigma, golden_level[i].sigma, 1e-8, what);
    }
    snn_device_free(&d);
}

static void presets_have_the_cited_error_rates(void **state) {
    (void)state;
    snn_device d = {0};
    double least = 1;
    for (size_t i = 0; i < COUNT(golden_wrong); i++) {
        if (strcmp(d.name, golden_wrong[i].preset) != 0) {
            snn_device_free(&d);
            preset(golden_wrong[i].preset, &d);
        }
        snn_condition c = after(golden_wrong[i].seconds);
        snn_level l = level_of(&d, &c, golden_wrong[i].levels, golden_wrong[i].k);
        double p = golden_wrong[i].k == 0 ? snn_level_above(&l, golden_wrong[i].noise, golden_wrong[i].x)
                                          : snn_level_cdf(&l, golden_wrong[i].noise, golden_wrong[i].x);
        char what[200];
        snprintf(what, sizeof what, "%s, %g s, level %d of %d, noise %g uS, reference %g uS", d.name,
                 golden_wrong[i].seconds, golden_wrong[i].k, golden_wrong[i].levels, golden_wrong[i].noise,
                 golden_wrong[i].x);
        close_to(p, golden_wrong[i].p, 1e-7, what);
        least = p < least ? p : least;
    }
    snn_device_free(&d);
    assert_true(least < 1e-9); /* the table reaches down far enough */
}

static void cases_match_brute_force(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(golden_case); i++) {
        const snn_level l = {.target = golden_case[i].target,
                             .lognormal = golden_case[i].lognormal,
                             .sigma_program = golden_case[i].sigma,
                             .verify_window = golden_case[i].window,
                             .verify_pulses = golden_case[i].pulses,
                             .cell_variation = golden_case[i].cell,
                             .chip_variation = golden_case[i].chip,
                             .scale = golden_case[i].scale,
                             .shift = golden_case[i].shift,
                             .sigma_relax = golden_case[i].relax};
        char what[40];
        snprintf(what, sizeof what, "case %zu", i);
        double mean, sigma;
        snn_level_moments(&l, &mean, &sigma);
        close_to(mean, golden_case[i].mean, 1e-8, what);
        close_to(sigma, golden_case[i].spread, 1e-7, what);
        close_to(snn_level_cdf(&l, golden_case[i].noise, golden_case[i].x), golden_case[i].cdf, 1e-7, what);
        if (golden_case[i].above > 1e-13)
            close_to(snn_level_above(&l, golden_case[i].noise, golden_case[i].x), golden_case[i].above, 1e-7,
                     what);
    }
}

/* ---- closed forms ---- */

static void steps_without_noise(void **state) {
    (void)state;
    snn_level l = {.target = 5, .scale = 1};
    assert_true(snn_level_cdf(&l, 0, 5) == 1 && snn_level_cdf(&l, 0, 4.999) == 0 &&
                snn_level_cdf(&l, 0, -1) == 0);
    assert_true(snn_level_above(&l, 0, 5) == 0 && snn_level_above(&l, 0, 4.999) == 1 &&
                snn_level_above(&l, 0, -1) == 1);
    l.shift = -7; /* cut off: 0 */
    assert_true(snn_level_cdf(&l, 0, 0) == 1 && snn_level_cdf(&l, 0, -1e-9) == 0);
    double mean, sigma;
    snn_level_moments(&l, &mean, &sigma);
    assert_true(mean == 0 && sigma == 0);
    close_to(snn_level_cdf(&l, 0.5, 1), gsl_cdf_ugaussian_P(2), 1e-13, "noise about 0");
    close_to(snn_level_above(&l, 0.5, 1), gsl_cdf_ugaussian_Q(2), 1e-13, "noise about 0");
    l.shift = 1;
    close_to(snn_level_cdf(&l, 0.5, 5), gsl_cdf_ugaussian_P(-2), 1e-13, "noise only");
    l.sigma_relax = 0.25;
    close_to(snn_level_cdf(&l, 0, 5), gsl_cdf_ugaussian_P(-4), 1e-13, "relaxation only");
    assert_true(snn_level_cdf(&l, 0, -0.001) == 0 && snn_level_above(&l, 0, -0.001) == 1);
    close_to(snn_level_cdf(&l, 0, 0), gsl_cdf_ugaussian_P(-24), 1e-11, "nothing below 0 but the cut");
    l.shift = -8; /* 12 standard deviations below 0: all of it is cut off, what is read is noise */
    close_to(snn_level_cdf(&l, 0.5, 1), gsl_cdf_ugaussian_P(2), 1e-12, "all cut off");
    close_to(snn_level_above(&l, 0.5, 1), gsl_cdf_ugaussian_Q(2), 1e-12, "all cut off");
}

static void exact_distributions(void **state) {
    (void)state;
    snn_level l = {.target = 8, .lognormal = true, .sigma_program = 0.25, .scale = 0.5, .shift = 1};
    for (int i = 0; i < 25; i++) {
        double x = 1.5 + 0.75 * i;
        double z = log((x - 1) / 4) / 0.25;
        close_to(snn_level_cdf(&l, 0, x), gsl_cdf_ugaussian_P(z), 1e-12, "log-normal");
        close_to(snn_level_above(&l, 0, x), gsl_cdf_ugaussian_Q(z), 1e-12, "log-normal");
    }
    assert_true(snn_level_cdf(&l, 0, 1) == 0 && snn_level_above(&l, 0, 1) == 1);
    assert_true(snn_level_cdf(&l, 0, -1) == 0 && snn_level_above(&l, 0, -1) == 1);
    l.scale = 0;
    assert_true(snn_level_cdf(&l, 0, 1) == 1 && snn_level_cdf(&l, 0, 0.99) == 0 &&
                snn_level_above(&l, 0, 0.99) == 1);
    l.shift = -1;
    assert_true(snn_level_cdf(&l, 0, 0) == 1 && snn_level_above(&l, 0, 0) == 0);
    /* Variation alone: 8 (1 + 0.125 z). */
    l = (snn_level){.target = 8, .scale = 1, .cell_variation = 0.125};
    close_to(snn_level_cdf(&l, 0, 5), gsl_cdf_ugaussian_P(-3), 1e-8, "cell variation");
    close_to(snn_level_above(&l, 0, 14), gsl_cdf_ugaussian_Q(6), 1e-7, "cell variation");
    l = (snn_level){.target = 8, .scale = 1, .chip_variation = 0.125};
    close_to(snn_level_cdf(&l, 0, 5), gsl_cdf_ugaussian_P(-3), 1e-8, "chip variation");
    double mean, sigma;
    snn_level_moments(&l, &mean, &sigma);
    close_to(mean, 8, 1e-9, "mean");
    close_to(sigma, 1, 1e-8, "spread");
}

/* Write-and-verify without any noise, from its definition with GSL. */
static void exact_verification(void **state) {
    (void)state;
    for (int n = 1; n <= 30; n += 7) {
        snn_level l = {.target = 10, .sigma_program = 2, .scale = 1, .verify_window = 1, .verify_pulses = n};
        double p = gsl_cdf_ugaussian_P(0.5) - gsl_cdf_ugaussian_P(-0.5), never = pow(1 - p, n);
        for (int i = 0; i < 64; i++) {
            double x = 2 + 0.25 * i;
            double z = (x - 10) / 2, low = -0.5, want;
            if (z < low)
                want = never * gsl_cdf_ugaussian_P(z) / (1 - p);
            else if (z < 0.5)
                want = never / 2 + (1 - never) * (gsl_cdf_ugaussian_P(z) - gsl_cdf_ugaussian_P(low)) / p;
            else
                want = 1 - never * gsl_cdf_ugaussian_Q(z) / (1 - p);
            close_to(snn_level_cdf(&l, 0, x), want, 1e-10, "below");
            /* the same distribution from the other side */
            close_to(snn_level_above(&l, 0, 20 - x), want, 1e-10, "above");
        }
        double mean, sigma, cut = 2 * (gsl_ran_ugaussian_pdf(5) - 5 * gsl_cdf_ugaussian_Q(5)); /* below 0 */
        snn_level_moments(&l, &mean, &sigma);
        close_to(mean, 10 + cut * never / (1 - p), 1e-11, "mean");
    }
    /* A window too narrow to be hit leaves the normal distribution, whatever the number of pulses. */
    snn_level l = {
        .target = 10, .sigma_program = 2, .scale = 1, .verify_window = 1e-17, .verify_pulses = 1000};
    close_to(snn_level_cdf(&l, 0, 6), gsl_cdf_ugaussian_P(-2), 1e-9, "narrow window");
    l.verify_window = 1e-9; /* 1000 pulses hit it once in 2.5 million cells */
    close_to(snn_level_cdf(&l, 0, 6), gsl_cdf_ugaussian_P(-2), 1e-5, "narrow window");
    l.verify_window = 1e3; /* always hit at once */
    close_to(snn_level_cdf(&l, 0, 6), gsl_cdf_ugaussian_P(-2), 1e-9, "wide window");
}

static void sides_are_complements(void **state) {
    (void)state;
    snn_level l = {.target = 3, .sigma_program = 1, .scale = 1, .sigma_relax = 0.5, .cell_variation = 0.05};
    double before = 0;
    for (int i = -2; i < 18; i++) {
        double x = 0.5 * i;
        double below = snn_level_cdf(&l, 0.3, x), above = snn_level_above(&l, 0.3, x);
        if (fabs(below + above - 1) > 1e-8)
            fail_msg("at %g: %.12g + %.12g", x, below, above);
        assert_true(below >= before);
        before = below;
    }
}

/* These bits must not depend on compiler, optimisation, or CPU. */
static void same_bits_everywhere(void **state) {
    (void)state;
    const snn_level l = {.target = 2.4,
                         .lognormal = true,
                         .sigma_program = 0.875,
                         .verify_window = 1,
                         .verify_pulses = 5,
                         .cell_variation = 0.05,
                         .scale = 0.9,
                         .shift = 0.1,
                         .sigma_relax = 0.2};
    double mean, sigma, below = snn_level_cdf(&l, 0.3, 1.5), above = snn_level_above(&l, 0.3, 12);
    snn_level_moments(&l, &mean, &sigma);
    int pulses;
    double z = snn_level_program(&l, 0.3, 0.7, &pulses), g = snn_level_conductance(&l, z, 0.5, -1.5, 0);
    const double got[] = {mean, sigma, below, above, z, g};
    static const double want[] = {0x1.26b583d63a39ep+1, 0x1.70e797ff3480ep+0,  0x1.784cc3b57a8fp-3,
                                  0x1.e10785b3b0663p-9, -0x1.2c421bc9cfaa2p-2, 0x1.bef079c1f9228p+0};
    for (size_t i = 0; i < COUNT(want); i++)
        if (got[i] != want[i])
            fail_msg("value %zu: %a, want %a", i, got[i], want[i]);
    assert_int_equal(pulses, 3);
}

/* ---- samples ---- */

#define SAMPLES 20000

static double draw(const snn_level *l, snn_random *r) {
    int pulses;
    double u = snn_random_uniform(r) + 0x1p-54, v = snn_random_uniform(r) + 0x1p-54;
    double z = snn_level_program(l, u, v, &pulses), relax = snn_random_normal(r), cell = snn_random_normal(r);
    return snn_level_conductance(l, z, relax, cell, snn_random_normal(r));
}

/* Largest distance of the empirical distribution of sorted g from snn_level_cdf, times sqrt(n); at 0 the cut makes a step, which does not count. */
static double kolmogorov(const snn_level *l, const double *g, size_t n) {
    double worst = 0;
    for (size_t i = 0; i < n; i += 50) {
        size_t first = i, last = i;
        while (first > 0 && g[first - 1] == g[i])
            first--;
        while (last + 1 < n && g[last + 1] == g[i])
            last++;
        double p = snn_level_cdf(l, 0, g[i]), above = (double)(last + 1) / (double)n - p;
        double below = g[i] > 0 ? p - (double)first / (double)n : 0;
        worst = fmax(worst, fmax(above, below));
    }
    return worst * sqrt((double)n);
}

static void check_samples(const snn_level *l, uint64_t seed, const char *what, FILE *csv, const char *row) {
    static double g[SAMPLES];
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 0);
    double sum = 0, squares = 0, mean, sigma;
    for (int i = 0; i < SAMPLES; i++) {
        g[i] = draw(l, &r);
        if (csv)
            fprintf(csv, "%s,%.17g\n", row, g[i]);
        sum += g[i];
    }
    double average = sum / SAMPLES;
    for (int i = 0; i < SAMPLES; i++)
        squares += (g[i] - average) * (g[i] - average);
    snn_level_moments(l, &mean, &sigma);
    if (fabs(average - mean) > 4 * sigma / sqrt(SAMPLES) + 1e-12)
        fail_msg("%s: mean %g, want %g +- %g", what, average, mean, sigma / sqrt(SAMPLES));
    if (sigma == 0) {
        assert_true(squares < 1e-18);
        return;
    }
    /* heavy tails widen the estimate of a spread: 10 % covers the worst preset */
    if (fabs(sqrt(squares / SAMPLES) / sigma - 1) > 0.1)
        fail_msg("%s: spread %g, want %g", what, sqrt(squares / SAMPLES), sigma);
    gsl_sort(g, 1, SAMPLES);
    double distance = kolmogorov(l, g, SAMPLES);
    if (distance > 2.4) /* exceeded once in 50,000: 44 times, once in 1000 */
        fail_msg("%s: Kolmogorov-Smirnov statistic %g", what, distance);
}

static void samples_follow_the_distribution(void **state) {
    (void)state;
    static const char *const names[] = {"ideal", "neurram", "neurram_cubic", "neurosim22",
                                        "milo",  "cmo",     "harsh"};
    static const double times[] = {0, 1, 86400};
    const char *path = getenv("SNNSIM_DEVICE_CSV");
    FILE *csv = path && *path ? fopen(path, "w") : NULL;
    if (csv)
        fprintf(csv, "preset,seconds,level,levels,g\n");
    for (size_t n = 0; n < COUNT(names); n++) {
        snn_device d;
        preset(names[n], &d);
        for (size_t t = 0; t < COUNT(times); t++)
            for (int k = 0; k < 2; k++) {
                snn_condition c = after(times[t]);
                snn_level l = level_of(&d, &c, 2, k);
                char what[80], row[80];
                snprintf(what, sizeof what, "%s at %g s, level %d", names[n], times[t], k);
                snprintf(row, sizeof row, "%s,%g,%d,2", names[n], times[t], k);
                check_samples(&l, 1000 + n * 10 + t * 2 + (unsigned)k, what, csv, row);
            }
        snn_device_free(&d);
    }
    if (csv)
        assert_int_equal(fclose(csv), 0);
}

static void verified_samples_follow_the_distribution(void **state) {
    (void)state;
    snn_level l = {.target = 20,
                   .sigma_program = 2,
                   .verify_window = 1,
                   .verify_pulses = 3,
                   .scale = 0.9,
                   .shift = -1,
                   .sigma_relax = 0.4,
                   .cell_variation = 0.01};
    check_samples(&l, 7, "normal", NULL, NULL);
    l.lognormal = true;
    l.sigma_program = 0.25;
    check_samples(&l, 8, "log-normal", NULL, NULL);
}

static void pulses_are_geometric(void **state) {
    (void)state;
    snn_level l = {.target = 20, .sigma_program = 2, .verify_window = 1, .verify_pulses = 6, .scale = 1};
    double p = gsl_cdf_ugaussian_P(0.5) - gsl_cdf_ugaussian_P(-0.5), squares = 0;
    int n = 40000, count[8] = {0};
    snn_random r;
    snn_random_init(&r, 9, SNN_PURPOSE_TEST, 0);
    for (int i = 0; i < n; i++) {
        int pulses;
        double z = snn_level_program(&l, snn_random_uniform(&r) + 0x1p-54, snn_random_uniform(&r) + 0x1p-54,
                                     &pulses);
        count[snn_level_verified(&l, z) ? pulses : 7]++;
    }
    for (int i = 1; i <= 7; i++) { /* 7: never */
        double want = n * (i < 7 ? p * pow(1 - p, i - 1) : pow(1 - p, 6));
        squares += (count[i] - want) * (count[i] - want) / want;
    }
    assert_int_equal(count[0], 0);
    assert_true(squares < 22.5); /* chi-square, 6 degrees of freedom, once in 1000 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_have_the_cited_statistics),
        cmocka_unit_test(presets_have_the_cited_error_rates),
        cmocka_unit_test(cases_match_brute_force),
        cmocka_unit_test(steps_without_noise),
        cmocka_unit_test(exact_distributions),
        cmocka_unit_test(exact_verification),
        cmocka_unit_test(sides_are_complements),
        cmocka_unit_test(same_bits_everywhere),
        cmocka_unit_test(samples_follow_the_distribution),
        cmocka_unit_test(verified_samples_follow_the_distribution),
        cmocka_unit_test(pulses_are_geometric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
