/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expected bit error rates: against SciPy's integrals, and against chips that are programmed and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <snnsim/portable_math.h>
#include <snnsim/readout.h>

#include "hw_test.h"

#include "golden_expected.h"

static snn_hw_options options_of(const char *hw, const char *cell) {
    char text[3000];
    snn_hw_options o;
    snn_error err = {0};
    snprintf(text, sizeof text, "hw = { %s };\ncell = { %s };\n", hw, cell);
    snn_config *c = snn_config_parse(text, "t.cfg", &err);
    assert_non_null(c);
    bool ok = snn_hw_layout_from_config(c, &o, &err);
    if (!ok)
        print_error("%s\n", err.text);
    assert_true(ok);
    snn_config_free(c);
    return o;
}

static void near(double value, double expected, double relative) {
    if (!(value >= expected * (1 - relative) && value <= expected * (1 + relative)))
        fail_msg("%.12g is not %.12g", value, expected);
}

static void rates_are_scipys(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof golden_expected / sizeof *golden_expected; i++) {
        char hw[200], cell[500];
        double rate;
        snprintf(hw, sizeof hw, "device = \"ideal\"; cell_bits = %d; gray = %s;", golden_expected[i].bits,
                 golden_expected[i].gray ? "true" : "false");
        snprintf(cell, sizeof cell, "g_min = %.1f; g_max = 30.0; %s", golden_expected[i].g_min,
                 golden_expected[i].cell);
        snn_hw_options o = options_of(hw, cell);
        assert_true(snn_hw_bit_error_rate(&o, 1, &rate, NULL));
        near(rate, golden_expected[i].rate, 1e-7);
        snn_hw_options_free(&o);
    }
}

static void levels_tell_what_they_are(void **state) {
    (void)state;
    snn_hw_options o =
        options_of("device = \"ideal\"; cell_bits = 2;",
                   "g_min = 6.0; g_max = 30.0; program = { sigma = [1.0]; }; retention = { form = "
                   "\"log\"; mean_per_ln = -0.5; sigma_per_ln = 0.1; };");
    for (int k = 0; k < 4; k++) {
        snn_hw_level level;
        double t = snn_log(100), spread = 0.1 * t;
        assert_true(snn_hw_expect(&o, 100, k, &level, NULL));
        near(level.target, 6 + 8 * k, 1e-12);
        near(level.mean, 6 + 8 * k - 0.5 * t, 2e-4); /* the lowest level is cut off at 0 now and then */
        near(level.sigma * level.sigma, 1 + spread * spread, 2e-3);
    }
    snn_hw_level level;
    snn_error err = {0};
    assert_false(snn_hw_expect(&o, 100, 4, &level, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    snn_hw_options_free(&o);
    o = options_of("device = \"ideal\";", "");
    assert_true(snn_hw_expect(&o, 1, 1, &level, NULL));
    assert_true(level.misread == 0 && level.wrong_bits == 0 && level.sigma == 0);
    snn_hw_options_free(&o);
}

/* A differential pair has no levels to tell apart; its ends are those of a cell with one bit. */
static void pairs_are_taken_at_their_ends(void **state) {
    (void)state;
    static const char cell[] = "g_min = 10.0; g_max = 30.0; program = { sigma = [2.5]; };";
    snn_hw_options pair =
        options_of("device = \"ideal\"; readout = \"analog\"; weights = \"differential\";", cell);
    snn_hw_options bit = options_of("device = \"ideal\";", cell);
    double a, b;
    snn_hw_level level;
    assert_true(snn_hw_bit_error_rate(&pair, 1, &a, NULL) && snn_hw_bit_error_rate(&bit, 1, &b, NULL));
    assert_true(a == b && a > 0);
    assert_true(snn_hw_expect(&pair, 1, 1, &level, NULL));
    near(level.target, 30, 1e-12);
    snn_hw_options_free(&pair);
    snn_hw_options_free(&bit);
}

/* What chips of each preset read wrong, constantly and by noise, against the expected rate: within 5 standard deviations of a binomial count. Codes take all values evenly. */
static void chips_agree(void **state) {
    (void)state;
    static const char *const settings[] = {
        "device = \"neurram\"; cell_bits = 2; without = \"white_noise\";",
        "device = \"neurram\"; cell_bits = 3; gray = false; without = \"white_noise\";",
        "device = \"harsh\"; without = [\"white_noise\"];",
        "device = \"milo\"; cell_bits = 4; time = 86400.0; without = \"white_noise\";",
    };
    snn_net *net = test_net("{ name = \"fc\"; type = \"linear\"; outputs = 64; }", (snn_shape){1024, 1, 1});
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        snn_hw_options o = options_of(settings[i], "faults = { cluster = 1.0; };");
        int bits = o.map.cell_bits == 3 ? 6 : 8;
        snn_weights *w = test_codes(net, bits, SNN_SIGN_MAGNITUDE, 37);
        snn_map *m = test_map(net, w, o.map);
        snn_error err = {0};
        snn_chip *chip = snn_chip_program(m, &o, w, 3, &err);
        assert_non_null(chip);
        snn_readout *r = snn_readout_new(chip, &o.condition, NULL, SNN_READ_FAST, net, NULL, 0, &err);
        assert_non_null(r);
        const snn_readout_stats *about = snn_readout_about(r);
        double rate, n = (double)about->bits;
        assert_true(snn_hw_bit_error_rate(&o, o.condition.seconds, &rate, &err));
        assert_true(n == 64.0 * 1024 * bits);
        double sigma = 5 * sqrt(rate * n * (o.map.cell_bits > 1 ? 2 : 1)); /* bits of a cell go together */
        if (!((double)about->wrong_bits > rate * n - sigma && (double)about->wrong_bits < rate * n + sigma))
            fail_msg("%s: %lu wrong bits, expected %.1f +- %.1f", settings[i],
                     (unsigned long)about->wrong_bits, rate * n, sigma);
        assert_true(rate * n > 20); /* or the test says nothing */
        snn_readout_free(r);
        snn_chip_free(chip);
        snn_map_free(m);
        snn_weights_free(w);
        snn_hw_options_free(&o);
    }
    snn_net_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_scipys),
        cmocka_unit_test(levels_tell_what_they_are),
        cmocka_unit_test(pairs_are_taken_at_their_ends),
        cmocka_unit_test(chips_agree),
    };
    return cmocka_run_group_tests_name("hw_expected", tests, NULL, NULL);
}
