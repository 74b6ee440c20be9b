/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A level under a condition: retention in its forms, temperature, disturb, which effect does what; write-and-verify; read noise. */
#include "device_test.h"

#include <gsl/gsl_cdf.h>
#include <snnsim/portable_math.h>

/* A device with every effect. */
static snn_device rich(void) {
    return (snn_device){.name = "rich",
                        .g_min = 2,
                        .g_max = 18,
                        .levels = 8,
                        .sigma_program = {2, {0.5, 0.05}},
                        .cell_variation = 0.01,
                        .chip_variation = 0.02,
                        .retention = SNN_RETENTION_LOG,
                        .t0 = 10,
                        .mean_per_ln = -0.25,
                        .sigma_per_ln = 0.125,
                        .sigma_0 = 0.5,
                        .reference_kelvin = 300,
                        .white = 0.03,
                        .telegraph_share = 1,
                        .telegraph_step = 0.25,
                        .telegraph_amplitude = 0.125,
                        .one_over_f = 0.01,
                        .one_over_f_log = 0.04,
                        .one_over_f_time = 1e-3,
                        .disturb = -0.05,
                        .disturb_reads = 100};
}

static void polynomials(void **state) {
    (void)state;
    snn_polynomial p = {4, {3, -2, 0.5, 0.25}};
    assert_true(snn_polynomial_at(&p, 0) == 3);
    assert_true(snn_polynomial_at(&p, 2) == 3);
    assert_true(snn_polynomial_at(&p, -4) == 3 + 8 + 8 - 16);
    p.terms = 0;
    assert_true(snn_polynomial_at(&p, 7) == 0);
}

static void targets(void **state) {
    (void)state;
    snn_device d = rich();
    snn_condition c = after(0);
    for (int levels = 2; levels <= 8; levels++)
        for (int k = 0; k < levels; k++) {
            snn_level l = level_of(&d, &c, levels, k);
            close_to(l.target, 2 + 16.0 * k / (levels - 1), 1e-15, "target");
            close_to(l.sigma_program, 0.5 + 0.05 * l.target, 1e-15, "spread");
        }
}

static void any_target(void **state) {
    (void)state;
    snn_device d = rich();
    snn_condition c = after(1000);
    snn_level a, b = level_of(&d, &c, 5, 1);
    snn_error err = {0};
    assert_true(snn_device_target(&d, &c, 6, &a, &err));
    assert_true(a.target == b.target && a.sigma_program == b.sigma_program && a.shift == b.shift &&
                a.sigma_relax == b.sigma_relax && a.cell_variation == b.cell_variation);
    assert_true(snn_device_target(&d, &c, 2, &a, &err) && snn_device_target(&d, &c, 18, &a, &err));
    assert_false(snn_device_target(&d, &c, 1.999, &a, &err));
    assert_string_equal(err.text, "device 'rich' has conductances of 2 to 18 uS, not 1.999");
    assert_false(snn_device_target(&d, &c, 18.001, &a, &err));
    c.seconds = -1;
    assert_false(snn_device_target(&d, &c, 6, &a, &err));
}

static void refused_conditions(void **state) {
    (void)state;
    snn_device d = rich();
    snn_level l;
    const struct {
        snn_condition c;
        int levels, k;
        const char *want;
    } bad[] = {
        {after(1), 9, 0, "device 'rich' holds 2 to 8 levels per cell, not 9"},
        {after(1), 1, 0, "device 'rich' holds 2 to 8 levels per cell, not 1"},
        {after(1), 4, 4, "level 4 is not one of 0..3"},
        {after(1), 4, -1, "level -1 is not one of 0..3"},
        {after(-1), 2, 0, "time since programming is -1 s, must be 0 or more"},
        {after(NAN), 2, 0, "time since programming is nan s, must be 0 or more"},
        {after(INFINITY), 2, 0, "time since programming is inf s, must be 0 or more"},
        {{.seconds = 1, .kelvin = 0, .effects = 0}, 2, 0, "temperature is 0 K, must be above 0"},
        {{.seconds = 1, .kelvin = 300, .verify_window = -1, .verify_pulses = 1},
         2,
         0,
         "write-and-verify with a window of -1 uS and 1 pulses: the window must be 0 or more and needs at "
         "least one "
         "pulse"},
        {{.seconds = 1, .kelvin = 300, .verify_window = 1, .verify_pulses = 0},
         2,
         0,
         "write-and-verify with a window of 1 uS and 0 pulses: the window must be 0 or more and needs at "
         "least one "
         "pulse"},
        {{.seconds = 1, .kelvin = 301, .effects = EVERY_EFFECT},
         2,
         0,
         "device 'rich' at 301 K: its retention is known at 300 K only; give cell.retention.activation_ev, "
         "or leave the "
         "effect 'relaxation' out"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snn_error err = {0};
        assert_false(snn_device_level(&d, &bad[i].c, bad[i].levels, bad[i].k, &l, &err));
        assert_string_equal(err.text, bad[i].want);
        assert_int_equal(err.code, SNN_ERR_USAGE);
    }
    /* Another temperature is of no concern where nothing relaxes. */
    snn_condition warm = {
        .seconds = 1, .kelvin = 358, .effects = EVERY_EFFECT & ~(1u << SNN_EFFECT_RELAXATION)};
    level_of(&d, &warm, 2, 0);
    warm.effects = EVERY_EFFECT;
    d.retention = SNN_RETENTION_NONE;
    level_of(&d, &warm, 2, 0);
}

static void every_effect_has_its_switch(void **state) {
    (void)state;
    snn_device d = rich();
    snn_condition c = after(1000);
    c.reads = 500;
    c.verify_window = 0.5;
    c.verify_pulses = 7;
    snn_level all = level_of(&d, &c, 2, 1);
    double x = log(100.0), left = 1 - 0.05 * log(6.0);
    close_to(all.shift, -0.25 * x, 1e-14, "shift");
    close_to(all.sigma_relax, 0.125 * x + 0.5, 1e-14, "relaxation");
    close_to(all.scale, left, 1e-14, "disturb");
    assert_true(all.cell_variation == 0.01 && all.chip_variation == 0.02 && all.verify_window == 0.5);
    assert_int_equal(all.verify_pulses, 7);
    for (int e = 0; e < SNN_EFFECTS; e++) {
        c.effects = EVERY_EFFECT & ~(1u << e);
        snn_level l = level_of(&d, &c, 2, 1), want = all;
        if (e == SNN_EFFECT_PROGRAMMING)
            want.sigma_program = want.verify_window = 0, want.verify_pulses = 0;
        if (e == SNN_EFFECT_RELAXATION)
            want.shift = want.sigma_relax = 0;
        if (e == SNN_EFFECT_DISTURB)
            want.scale = 1;
        if (e == SNN_EFFECT_CELL_VARIATION)
            want.cell_variation = 0;
        if (e == SNN_EFFECT_CHIP_VARIATION)
            want.chip_variation = 0;
        assert_true(l.target == want.target && l.sigma_program == want.sigma_program &&
                    l.lognormal == want.lognormal && l.verify_window == want.verify_window &&
                    l.verify_pulses == want.verify_pulses);
        assert_true(l.shift == want.shift && l.sigma_relax == want.sigma_relax && l.scale == want.scale &&
                    l.cell_variation == want.cell_variation && l.chip_variation == want.chip_variation);
        assert_true((snn_device_white(&d, &c) == 0) == (e == SNN_EFFECT_WHITE_NOISE));
        assert_true((snn_device_slow(&d, &c, 10) == 0) == (e == SNN_EFFECT_ONE_OVER_F));
        assert_true((snn_device_telegraph(&d, &c, 10) == 0) == (e == SNN_EFFECT_TELEGRAPH));
    }
}

/* ---- retention ---- */

static void tables_are_linear_in_ln_t(void **state) {
    (void)state;
    snn_device d = {.g_min = 2,
                    .g_max = 4,
                    .levels = 2,
                    .sigma_program = {1, {0.5}},
                    .reference_kelvin = 300,
                    .retention = SNN_RETENTION_TABLE,
                    .points = 3,
                    .point = {{1, {2, {0.5, 0.25}}, {1, {1.0}}},
                              {100, {1, {3.0}}, {2, {1.0, 0.5}}},
                              {10000, {1, {2.0}}, {1, {1.0}}}}};
    /* target 4: shifts 1.5, 3, 2; total spreads 1, 3, 1 */
    const struct {
        double seconds, shift, total;
    } want[] = {{0, 1.5, 1},   {0.5, 1.5, 1},  {1, 1.5, 1},   {10, 2.25, 2},
                {100, 3, 3},   {1000, 2.5, 2}, {10000, 2, 1}, {31622.7766016838, 1.75, 0.5},
                {1e5, 1.5, 0}, {1e9, -0.5, 0}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        snn_condition c = after(want[i].seconds);
        snn_level l = level_of(&d, &c, 2, 1);
        double rest = want[i].total * want[i].total - 0.25;
        close_to(l.shift, want[i].shift, 1e-12, "shift");
        if (fabs(l.sigma_relax - sqrt(rest > 0 ? rest : 0)) > 1e-7)
            fail_msg("%g s: %g, want the root of %g", want[i].seconds, l.sigma_relax, rest);
        assert_true(l.scale == 1);
    }
    d.points = 1;
    snn_condition c = after(1e6);
    assert_true(level_of(&d, &c, 2, 1).shift == 1.5);
    d.points = 2; /* beyond the last of two: 1.5 + 1.5 * 1.5 */
    c = after(1000);
    close_to(level_of(&d, &c, 2, 1).shift, 3.75, 1e-12, "beyond two points");
}

static void nothing_shifts_before_t0(void **state) {
    (void)state;
    snn_device d = rich();
    snn_condition c = after(9.999);
    snn_level l = level_of(&d, &c, 2, 0);
    assert_true(l.shift == 0 && l.sigma_relax == 0 && l.scale == 1);
    c = after(10);
    l = level_of(&d, &c, 2, 0);
    assert_true(l.shift == 0 && l.sigma_relax == 0.5);
    d.retention = SNN_RETENTION_POWER;
    d.exponent = -0.125;
    c = after(9.999);
    assert_true(level_of(&d, &c, 2, 0).scale == 1);
    c = after(2560);
    l = level_of(&d, &c, 2, 0);
    close_to(l.scale, 0.5, 1e-14, "power"); /* 256^(-1/8) */
    assert_true(l.shift == 0 && l.sigma_relax == 0);
}

static void temperature_changes_time(void **state) {
    (void)state;
    snn_device d = rich();
    d.activation_ev = 1.1;
    /* e^(E/k (1/300 - 1/358)) with k = 8.617333262e-5 eV/K */
    double factor = exp(1.1 / 8.617333262145179e-5 * (1 / 300.0 - 1 / 358.0));
    snn_condition warm = after(50), later = after(50 * factor);
    warm.kelvin = 358;
    snn_level a = level_of(&d, &warm, 2, 1), b = level_of(&d, &later, 2, 1);
    close_to(a.shift, b.shift, 1e-12, "warm");
    close_to(a.shift, -0.25 * log(5 * factor), 1e-10, "factor");
    warm.kelvin = 250; /* cold: long before t0 */
    assert_true(level_of(&d, &warm, 2, 1).shift == 0);
}

static void disturb_never_turns_conductances_over(void **state) {
    (void)state;
    snn_device d = rich();
    d.disturb = -1;
    snn_condition c = after(0);
    c.reads = 100;
    close_to(level_of(&d, &c, 2, 0).scale, 1 - log(2.0), 1e-14, "one scale of reads");
    c.reads = UINT64_MAX;
    assert_true(level_of(&d, &c, 2, 0).scale == 0);
    c.reads = 0;
    assert_true(level_of(&d, &c, 2, 0).scale == 1);
}

/* ---- one cell ---- */

static void conductance_formula(void **state) {
    (void)state;
    snn_level l = {.target = 10,
                   .sigma_program = 2,
                   .cell_variation = 0.125,
                   .chip_variation = 0.25,
                   .scale = 0.5,
                   .shift = -1,
                   .sigma_relax = 0.5};
    assert_true(snn_level_conductance(&l, 0, 0, 0, 0) == 4);
    assert_true(snn_level_conductance(&l, 1, 0, 0, 0) == 5);
    assert_true(snn_level_conductance(&l, -1, 2, 0, 0) == 4);
    assert_true(snn_level_conductance(&l, 1, 0, 2, 0) == 12 * 1.25 * 0.5 - 1);
    assert_true(snn_level_conductance(&l, 1, 0, 2, -1) == 12 * 1.25 * 0.75 * 0.5 - 1);
    assert_true(snn_level_conductance(&l, -4.5, 0, 0, 0) == 0); /* cut off: -0.5 */
    l.lognormal = true;
    l.sigma_program = 0.5;
    close_to(snn_level_conductance(&l, 2, 0, 0, 0), 10 * exp(1.0) * 0.5 - 1, 1e-14, "log-normal");
}

static void windows(void **state) {
    (void)state;
    snn_level l = {.target = 10, .sigma_program = 2, .scale = 1, .verify_window = 1, .verify_pulses = 3};
    assert_true(snn_level_verified(&l, 0.5) && snn_level_verified(&l, -0.5));
    assert_false(snn_level_verified(&l, 0.5001) || snn_level_verified(&l, -0.5001));
    l.lognormal = true;
    l.sigma_program = 0.25;
    double low = log(0.9) / 0.25, high = log(1.1) / 0.25;
    assert_true(snn_level_verified(&l, low + 1e-9) && snn_level_verified(&l, high - 1e-9));
    assert_false(snn_level_verified(&l, low - 1e-9) || snn_level_verified(&l, high + 1e-9));
    l.verify_window = 10; /* as wide as the target: nothing is too low */
    assert_true(snn_level_verified(&l, -300) && !snn_level_verified(&l, 2.8));
    l.verify_window = 0;
    assert_true(snn_level_verified(&l, 300));
    int pulses = 0;
    close_to(snn_level_program(&l, 0.975, 0.5, &pulses), 1.959963984540054, 1e-8, "no verification");
    assert_int_equal(pulses, 1);
}

/* What programming gives for (u, v) against GSL: pulse n is the first that hits with probability p (1 - p)^(n - 1). */
static void programming_inverts_its_distribution(void **state) {
    (void)state;
    snn_level l = {.target = 10, .sigma_program = 2, .scale = 1, .verify_window = 1, .verify_pulses = 4};
    double p = gsl_cdf_ugaussian_P(0.5) - gsl_cdf_ugaussian_P(-0.5), miss = 1 - p;
    for (int i = 0; i < 1000; i++) {
        double v = (i + 0.5) / 1000, u = ((i * 37) % 1000 + 0.5) / 1000;
        int pulses, want = 1;
        while (want <= 4 && v > 1 - pow(miss, want))
            want++;
        double z = snn_level_program(&l, u, v, &pulses);
        assert_int_equal(pulses, want > 4 ? 4 : want);
        assert_int_equal(snn_level_verified(&l, z), want <= 4);
        double below = gsl_cdf_ugaussian_P(z), edge = gsl_cdf_ugaussian_P(-0.5);
        double got = want <= 4 ? (below - edge) / p
                     : z < 0   ? below / miss
                               : 1 - gsl_cdf_ugaussian_Q(z) / miss;
        if (fabs(got - u) > 1e-8)
            fail_msg("u = %g, v = %g: z = %g lies at %g", u, v, z, got);
    }
}

static void programming_at_the_ends(void **state) {
    (void)state;
    snn_level l = {.target = 10, .sigma_program = 2, .scale = 1, .verify_window = 1, .verify_pulses = 4};
    int pulses;
    double z = snn_level_program(&l, 1e-300, 1e-300, &pulses);
    assert_true(z >= -0.5 && z < -0.4999999);
    assert_int_equal(pulses, 1);
    z = snn_level_program(&l, 1 - 0x1p-53, 1e-300, &pulses);
    assert_true(z <= 0.5 && z > 0.4999999);
    z = snn_level_program(&l, 1e-300, 1 - 0x1p-53, &pulses);
    assert_true(z < -30 && pulses == 4);
    /* next to the gap: outside stays outside */
    for (int i = -3; i <= 3; i++) {
        z = snn_level_program(&l, 0.5 + i * 0x1p-53, 1 - 0x1p-53, &pulses);
        assert_false(snn_level_verified(&l, z));
        assert_true(fabs(fabs(z) - 0.5) < 1e-6);
    }
    l.verify_window = 100; /* always hit */
    z = snn_level_program(&l, 0.975, 1 - 0x1p-53, &pulses);
    close_to(z, 1.959963984540054, 1e-8, "wide window");
    assert_int_equal(pulses, 1);
    l.verify_window = 1e-17; /* never hit */
    z = snn_level_program(&l, 0.975, 0.5, &pulses);
    close_to(z, 1.959963984540054, 1e-8, "narrow window");
    assert_int_equal(pulses, 4);
}

/* ---- read noise ---- */

static void noise(void **state) {
    (void)state;
    snn_device d = rich();
    snn_condition c = after(2);
    close_to(snn_device_white(&d, &c), 0.54, 1e-15, "white");
    double root = sqrt(log(2.001 / 0.002));
    close_to(snn_device_slow(&d, &c, 10), 0.05 * root, 1e-13, "1/f at 10 uS");
    close_to(snn_device_slow(&d, &c, 100), 0.09 * root, 1e-13, "1/f at 100 uS");
    assert_true(snn_device_slow(&d, &c, 0.1) == 0); /* 0.01 - 0.04 */
    assert_true(snn_device_slow(&d, &c, 0) == 0);
    c = after(1e-3); /* ln 1 */
    assert_true(snn_device_slow(&d, &c, 10) == 0);
    c = after(0); /* ln 1/2 */
    assert_true(snn_device_slow(&d, &c, 10) == 0);
    d.one_over_f_log = 0;
    c = after(2);
    close_to(snn_device_slow(&d, &c, 0.1), 0.01 * root, 1e-13, "1/f without a slope");
    d.one_over_f = 0;
    assert_true(snn_device_slow(&d, &c, 10) == 0);
    assert_true(snn_device_telegraph(&d, &c, 10) == 1.5);
    assert_true(snn_device_telegraph(&d, &c, 0.25) == 0.25); /* never more than there is */
    assert_true(snn_device_telegraph(&d, &c, 0) == 0);
    assert_true(snn_device_telegraph(&d, &c, -1) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polynomials),
        cmocka_unit_test(targets),
        cmocka_unit_test(any_target),
        cmocka_unit_test(refused_conditions),
        cmocka_unit_test(every_effect_has_its_switch),
        cmocka_unit_test(tables_are_linear_in_ln_t),
        cmocka_unit_test(nothing_shifts_before_t0),
        cmocka_unit_test(temperature_changes_time),
        cmocka_unit_test(disturb_never_turns_conductances_over),
        cmocka_unit_test(conductance_formula),
        cmocka_unit_test(windows),
        cmocka_unit_test(programming_inverts_its_distribution),
        cmocka_unit_test(programming_at_the_ends),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
