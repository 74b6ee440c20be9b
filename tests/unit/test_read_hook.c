/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fast hook draws what its plain twin draws. Every test has fixed seeds, a level of 1e-4, and is shown to bite: a variant with a known fault must be rejected.
 *
 * uniform_masks, weak_cells   Pearson's chi-square of the changes of every weight, read by read, against their exact probabilities (both paths). With n errors in all over f
 *     degrees of freedom, a rate that is wrong by a share d gives a non-centrality of at least n d^2: the uniform case at 0.05 has n = 900 000 and f < 1400, so that d = 3 % gives 810, where
 *     the critical value lies 210 above the mean f and the statistic's standard deviation is sqrt(2 f + 4 * 810) = 78: power 1 - 1e-14. Each run checks that 3 % is
 *     rejected, and that errors that are not merged within a weight are.
 * sums_agree                  two-sample G-test on (output, sum of changes) of steps of many reads; SEC-DED, several bits a cell, convolutions with borders, strides and counts.
 * frozen_noise                two-sample G-test on the number of wrong reads within a sample: noise that is drawn anew for each step is rejected.
 * exactly_equal               where only slow noise acts, reads are functions of (cell, sample), and both paths must give the same sums, bit for bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "read_test.h"

#define LEVEL 1e-4

/* ---- one weight, one read ---- */

enum { ROWS = 9, OUTPUTS = 10, BITS = 4, MASKS = 1 << BITS, CLASSES = 2 * MASKS - 1 };
#define NARROW "{ name = \"fc\"; type = \"linear\"; outputs = 10; }"

/* Reads of one weight, by the change of its value (class change + 15), or their expected share. */
typedef double of_weight[CLASSES];

static uint32_t code_at(const snn_weights *w, uint32_t weight) { /* weight = row * OUTPUTS + output */
    return w->tensor[0].code8[weight % OUTPUTS * ROWS + weight / OUTPUTS];
}

static int class_of(snn_encoding encoding, uint32_t code, uint32_t mask) {
    return snn_code_value(encoding, BITS, code ^ mask) - snn_code_value(encoding, BITS, code) + MASKS - 1;
}

/* What forgetting to merge the errors of a weight does: each bit changes the value that was meant. */
static int class_unmerged(snn_encoding encoding, uint32_t code, uint32_t mask) {
    int sum = 0;
    for (uint32_t b = 0; b < BITS; b++)
        sum += mask >> b & 1 ? class_of(encoding, code, 1u << b) - (MASKS - 1) : 0;
    sum = sum < -MASKS + 1 ? -MASKS + 1 : sum > MASKS - 1 ? MASKS - 1 : sum;
    return sum + MASKS - 1;
}

typedef int classify(snn_encoding encoding, uint32_t code, uint32_t mask);

typedef struct {
    of_weight weight[ROWS * OUTPUTS];
    double changes[OUTPUTS + 1]; /* reads of a row with so many changed weights */
    double steps;
} tally;

/* Reads every row `reads` times, each in a step of its own. */
static void tally_hook(const snn_readout *x, const snn_weights *w, uint64_t reads, tally *t) {
    const snn_hook *h = snn_readout_hook(x);
    snn_error err = {0};
    void *scratch = snn_alloc(h->scratch_bytes, 1, "test", &err);
    snn_sum_errors e = {0};
    memset(t, 0, sizeof *t);
    (void)w;
    for (uint64_t k = 0; k < reads * ROWS; k++) {
        const uint32_t row = (uint32_t)(k % ROWS);
        const snn_spike spike = {row, 1};
        int32_t change[OUTPUTS] = {0};
        e.n = 0;
        need(h->read(h->context, scratch, 0, k / 1000, (int)(k % 1000), &spike, 1, &e, &err), &err);
        for (size_t i = 0; i < e.n; i++) {
            const snn_sum_error *x1 = &e.item[i];
            assert_true(x1->channel < OUTPUTS && x1->pixel == 0 && change[x1->channel] == 0 && x1->dsum != 0);
            change[x1->channel] = x1->dsum; /* one change per weight and read */
        }
        for (uint32_t o = 0; o < OUTPUTS; o++)
            t->weight[row * OUTPUTS + o][change[o] + MASKS - 1]++;
        t->changes[e.n]++;
        t->steps++;
    }
    free(e.item);
    free(scratch);
}

/* p-value of the counts of all weights: each is multinomial, Pearson's statistics add up. */
static double tally_fits(const tally *t, of_weight *p, double reads) {
    double x = 0;
    int freedom = 0;
    for (int w = 0; w < ROWS * OUTPUTS; w++) {
        double rest = 0, expected_rest = 0;
        for (int c = 0; c < CLASSES; c++) {
            const double count = t->weight[w][c], expected = reads * p[w][c];
            if (expected >= 5)
                x += (count - expected) * (count - expected) / expected, freedom++;
            else
                rest += count, expected_rest += expected;
        }
        if (expected_rest >= 5)
            x += (rest - expected_rest) * (rest - expected_rest) / expected_rest, freedom++;
        else if (rest > expected_rest + 10 * sqrt(expected_rest + 1))
            return 0;
        freedom--;
    }
    return freedom > 0 ? gsl_cdf_chisq_Q(x, freedom) : 1;
}

static void uniform_probabilities(const read_rig *r, double rate, classify *to, of_weight *p) {
    memset(p, 0, ROWS * OUTPUTS * sizeof *p);
    for (uint32_t w = 0; w < ROWS * OUTPUTS; w++)
        for (uint32_t m = 0; m < MASKS; m++)
            p[w][to(r->weights->tensor[0].encoding, code_at(r->weights, w), m)] +=
                pow(rate, __builtin_popcount(m)) * pow(1 - rate, BITS - __builtin_popcount(m));
}

static void uniform_case(double rate, snn_encoding encoding, snn_read_path path, uint64_t reads) {
    static tally t;
    static of_weight p[ROWS * OUTPUTS];
    char hw[100];
    snprintf(hw, sizeof hw, "device = \"ideal\"; read_error = %g", rate);
    read_rig r = rig_open(NARROW, (snn_shape){1, 3, 3}, BITS, encoding, hw, "");
    rig_program(&r, 2);
    snn_readout *x = rig_read(&r, NULL, path);
    assert_true(fabs(snn_readout_about(x)->read_error_rate - rate) < 1e-12);
    assert_int_equal(snn_readout_about(x)->weak_cells, ROWS * OUTPUTS * BITS);
    tally_hook(x, r.weights, reads, &t);
    uniform_probabilities(&r, rate, class_of, p);
    assert_true(tally_fits(&t, p, (double)reads) > LEVEL);
    if (encoding ==
        SNN_TWOS_COMPLEMENT) { /* changed weights of a row are binomial: the index of dispersion of Poisson errors less p, within 5 sigma */
        const double share = 1 - pow(1 - rate, BITS), n = OUTPUTS;
        double expected[OUTPUTS + 1];
        for (int i = 0; i <= OUTPUTS; i++)
            expected[i] = t.steps * exp(lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) + i * log(share) +
                                        (n - i) * log1p(-share));
        assert_true(chi_square(t.changes, expected, OUTPUTS + 1) > LEVEL);
    }
    if (path == SNN_READ_FAST && rate > 0.01) { /* the test bites */
        uniform_probabilities(&r, rate * 1.03, class_of, p);
        assert_true(rate > 0.4 || tally_fits(&t, p, (double)reads) < LEVEL);
        uniform_probabilities(&r, rate, class_unmerged, p);
        assert_true(encoding != SNN_SIGN_MAGNITUDE || tally_fits(&t, p, (double)reads) < LEVEL);
    }
    snn_readout_free(x);
    rig_close(&r);
}

static void uniform_masks(void **state) {
    (void)state;
    for (int encoding = 0; encoding < 3; encoding++) {
        uniform_case(0.5, (snn_encoding)encoding, SNN_READ_FAST, 5000);
        uniform_case(0.05, (snn_encoding)encoding, SNN_READ_FAST, 50000);
        uniform_case(0.002, (snn_encoding)encoding, SNN_READ_FAST, 50000);
    }
    uniform_case(0.5, SNN_SIGN_MAGNITUDE, SNN_READ_TWIN, 1000);
    uniform_case(0.05, SNN_SIGN_MAGNITUDE, SNN_READ_TWIN, 2000);
}

/* Exact probabilities of the changes of each weight with white noise: products over its cells of normal integrals between references. `read`: the weights without noise. */
static void white_probabilities(const read_rig *r, const snn_weights *read, double white, of_weight *p) {
    const int cell_bits = r->o.map.cell_bits;
    snn_error err = {0};
    memset(p, 0, ROWS * OUTPUTS * sizeof *p);
    for (uint32_t w = 0; w < ROWS * OUTPUTS; w++) {
        double of[MASKS] = {1};
        for (int first = 0; first < BITS; first += cell_bits) {
            const int n = BITS - first < cell_bits ? BITS - first : cell_bits, levels = 1 << n;
            snn_cell cell;
            double g, at[SNN_LEVELS] = {0}, to[MASKS] = {0};
            need(snn_map_cell(r->map, 0, (uint64_t)(w % OUTPUTS) * ROWS + w / OUTPUTS, (uint32_t)first, &cell,
                              NULL, &err),
                 &err);
            need(snn_chip_conductance(r->chip, &r->o.condition, &cell, &g, &err), &err);
            int here = 0; /* what it reads without noise */
            for (int k = 0; k < levels - 1; k++) {
                at[k] =
                    r->o.device.g_min + (r->o.device.g_max - r->o.device.g_min) * (k + 0.5) / (levels - 1);
                here += g > at[k];
            }
            for (int k = 0; k < levels; k++) {
                const double low = k ? gsl_cdf_ugaussian_Q((at[k - 1] - g) / white) : 1,
                             high = k < levels - 1 ? gsl_cdf_ugaussian_Q((at[k] - g) / white) : 0;
                const uint32_t mask =
                    (snn_map_bits(r->map, (uint32_t)k, n) ^ snn_map_bits(r->map, (uint32_t)here, n))
                    << (BITS - first - n);
                for (uint32_t m = 0; m < MASKS; m++)
                    to[m ^ mask] += of[m] * (low - high);
            }
            memcpy(of, to, sizeof to);
        }
        for (uint32_t m = 0; m < MASKS; m++)
            p[w][class_of(r->weights->tensor[0].encoding, code_at(read, w), m)] += of[m];
    }
}

#define NOISY                                                                                                \
    "g_min = 1.0; g_max = 41.0; levels = 16; program = { sigma = [%g]; }; noise = { white = 0.05; }; sense " \
    "= { noise = 1.0; }"

static void weak_case(int cell_bits, snn_read_path path, uint64_t reads) {
    static tally t;
    static of_weight p[ROWS * OUTPUTS];
    char hw[200], cell[300];
    snprintf(hw, sizeof hw, "device = \"ideal\"; cell_bits = %d; gray = %s", cell_bits,
             cell_bits == 3 ? "false" : "true");
    snprintf(cell, sizeof cell, NOISY, cell_bits == 1 ? 10.0 : 1.0);
    read_rig r = rig_open(NARROW, (snn_shape){1, 3, 3}, BITS, SNN_SIGN_MAGNITUDE, hw, cell);
    rig_program(&r, 1);
    snn_readout *x = rig_read(&r, NULL, path);
    const double white = sqrt(0.05 * 41 * 0.05 * 41 + 1);
    tally_hook(x, snn_readout_weights(x), reads, &t);
    white_probabilities(&r, snn_readout_weights(x), white, p);
    assert_true(tally_fits(&t, p, (double)reads) > LEVEL);
    if (path == SNN_READ_FAST) {
        white_probabilities(&r, snn_readout_weights(x), white * 1.03, p);
        assert_true(tally_fits(&t, p, (double)reads) < LEVEL);
    }
    snn_readout_free(x);
    rig_close(&r);
}

static void weak_cells(void **state) {
    (void)state;
    for (int cell_bits = 1; cell_bits <= 4; cell_bits++) {
        weak_case(cell_bits, SNN_READ_FAST, 25000);
        weak_case(cell_bits, SNN_READ_TWIN, 1500);
    }
}

/* ---- sums of steps ---- */

enum { CHANGES = 41 }; /* -20 .. 20 and beyond */

static void tally_sums(const snn_readout *x, const snn_net *net, const snn_spike *input, size_t n,
                       int samples, double *count) {
    const snn_hook *h = snn_readout_hook(x);
    const snn_shape out = net->layer[0].out;
    const uint32_t pixels = net->layer[0].type == SNN_LAYER_CONV2D ? out.height * out.width : 1;
    const size_t outputs = (size_t)out.channels * pixels;
    snn_error err = {0};
    void *scratch = snn_alloc(h->scratch_bytes, 1, "test", &err);
    int32_t *sum = snn_alloc(outputs, sizeof *sum, "test", &err);
    for (int s = 0; s < samples; s++)
        for (int step = 0; step < 4; step++) {
            hook_sums(h, scratch, 0, (uint64_t)s, step, input, n, pixels, outputs, sum);
            for (size_t i = 0; i < outputs; i++) {
                const int32_t c = sum[i] < -20 ? 0 : sum[i] > 20 ? CHANGES - 1 : sum[i] + 20;
                count[i * CHANGES + (size_t)c]++;
            }
        }
    free(sum);
    free(scratch);
}

typedef struct {
    const char *hw, *cell, *layers;
    snn_shape input;
    int bits;
    const char *biased; /* hw of a variant that must be rejected */
} sums_case;

#define CONV1 "{ name = \"c\"; type = \"conv2d\"; channels = 3; kernel = 3; padding = 1; }"
#define CONV2 "{ name = \"c\"; type = \"conv2d\"; channels = 2; kernel = 3; padding = 2; stride = 2; }"
#define LAST ", { name = \"f\"; type = \"flatten\"; }, { name = \"o\"; type = \"linear\"; outputs = 2; }"

/* p-values of the fast path, and of the biased variant, against the twin. */
static void sums_p(const sums_case *c, int samples, double p[2]) {
    static double count[3][64 * CHANGES];
    const char *hw[3] = {c->hw, c->biased, c->hw};
    memset(count, 0, sizeof count);
    for (int k = 0; k < 3; k++) {
        read_rig r = rig_open(c->layers, c->input, c->bits, SNN_SIGN_MAGNITUDE, hw[k], c->cell);
        rig_program(&r, 5);
        snn_readout *x = rig_read(&r, NULL, k == 2 ? SNN_READ_TWIN : SNN_READ_FAST);
        snn_spike input[64];
        size_t n = 0;
        for (uint32_t i = 0; i < snn_shape_size(c->input); i++)
            if (i % 3 != 1)
                input[n++] = (snn_spike){i, i % 5 == 2 ? 3 : 1};
        tally_sums(x, r.net, input, n, k == 2 ? samples : 4 * samples, count[k]);
        snn_readout_free(x);
        rig_close(&r);
    }
    for (int k = 0; k < 2; k++)
        p[k] = g_test(count[k], count[2], 64 * CHANGES);
}

static void sums_agree(void **state) {
    (void)state;
    const char *white =
        "g_min = 1.0; g_max = 41.0; levels = 4; program = { sigma = [12.0]; }; noise = { white = 0.03; }";
    /* half of the cells weak, half of them slow: errors of both kinds meet in code words */
    const char *both = "g_min = 1.0; g_max = 41.0; levels = 4; program = { sigma = [12.0]; }; "
                       "noise = { white = 0.1; telegraph_share = 0.5; telegraph_step = 4.0; }";
    const sums_case cases[] = {
        {"device = \"ideal\"; read_error = 0.01",
         "",
         NARROW,
         {1, 3, 4},
         6,
         "device = \"ideal\"; read_error = 0.0115"},
        {"device = \"ideal\"; read_error = 0.01",
         "",
         CONV1 LAST,
         {2, 3, 4},
         5,
         "device = \"ideal\"; read_error = 0.0115"},
        {"device = \"ideal\"; read_error = 0.01",
         "",
         CONV2 LAST,
         {2, 4, 3},
         5,
         "device = \"ideal\"; read_error = 0.0115"},
        {"device = \"ideal\"; read_error = 0.02; cell_bits = 2",
         "",
         CONV2 LAST,
         {2, 4, 3},
         5,
         "device = \"ideal\"; read_error = 0.023; cell_bits = 2"},
        {"device = \"ideal\"; read_error = 0.02; cell_bits = 3; gray = false",
         "",
         NARROW,
         {1, 3, 4},
         8,
         "device = \"ideal\"; read_error = 0.02; cell_bits = 3; gray = true"},
        {"device = \"ideal\"; read_error = 0.02; cell_error = 0.03; array = \"5x17\"; repair = { secded = 8; "
         "}",
         "",
         NARROW,
         {1, 3, 4},
         6,
         "device = \"ideal\"; read_error = 0.02; cell_error = 0.03; array = \"5x17\"; repair = { secded = "
         "16; }"},
        {"device = \"ideal\"; read_error = 0.02; array = \"64x64\"; repair = { secded = 32; }",
         "",
         CONV1 LAST,
         {2, 3, 4},
         5,
         "device = \"ideal\"; read_error = 0.023; array = \"64x64\"; repair = { secded = 32; }"},
        {"device = \"ideal\"", white, CONV1 LAST, {2, 3, 4}, 5, "device = \"ideal\"; reference = 0.51"},
        {"device = \"ideal\"; cell_bits = 2",
         white,
         NARROW,
         {1, 3, 4},
         7,
         "device = \"ideal\"; cell_bits = 2; reference = 0.51"},
        {"device = \"ideal\"; cell_error = 0.05; array = \"16x40\"; repair = { secded = 16; }",
         white,
         NARROW,
         {1, 3, 4},
         7,
         "device = \"ideal\"; cell_error = 0.05; array = \"16x40\"; reference = 0.51; repair = { secded = "
         "16; }"},
        {"device = \"ideal\"; array = \"16x40\"; repair = { secded = 16; }",
         both,
         NARROW,
         {1, 3, 4},
         7,
         "device = \"ideal\"; array = \"16x40\"; reference = 0.52; repair = { secded = 16; }"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double p[2];
        sums_p(&cases[i], 400, p);
        assert_true(p[0] > LEVEL);
        assert_true(p[1] < LEVEL);
    }
}

/* ---- noise that is frozen within a sample ---- */

#define SLOW                                                                                                 \
    "g_min = 1.0; g_max = 41.0; levels = 16; program = { sigma = [%g]; }; noise = { white = %g; "            \
    "one_over_f = %g; telegraph_share = 0.4; telegraph_amplitude = 0.3; }; sense = { offset = 1.0; }"

/* Of the four steps of a sample: in how many is a weight read wrong? Steps of other samples instead when `thawed`. */
static void tally_frozen(const snn_readout *x, int samples, bool thawed, double *count) {
    const snn_hook *h = snn_readout_hook(x);
    snn_error err = {0};
    void *scratch = snn_alloc(h->scratch_bytes, 1, "test", &err);
    int32_t sum[OUTPUTS];
    for (int s = 0; s < samples; s++)
        for (uint32_t row = 0; row < ROWS; row++) {
            int wrong[OUTPUTS] = {0};
            for (int step = 0; step < 4; step++) {
                const snn_spike spike = {row, 1};
                hook_sums(h, scratch, 0, (uint64_t)(thawed ? 4 * s + step : s), 10 * step + (int)row, &spike,
                          1, 1, OUTPUTS, sum);
                for (int o = 0; o < OUTPUTS; o++)
                    wrong[o] += sum[o] != 0;
            }
            for (int o = 0; o < OUTPUTS; o++)
                count[((size_t)row * OUTPUTS + (size_t)o) * 5 + (size_t)wrong[o]]++;
        }
    free(scratch);
}

static void frozen_noise(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++) { /* the last: telegraph noise alone */
        const int cell_bits = k < 3 ? k + 1 : 2;
        static double count[3][ROWS * OUTPUTS * 5];
        char hw[100], cell[400];
        memset(count, 0, sizeof count);
        snprintf(hw, sizeof hw, "device = \"ideal\"; cell_bits = %d; time = 100.0", cell_bits);
        snprintf(cell, sizeof cell, SLOW, cell_bits == 1 ? 9.0 : 2.0, 0.03, k < 3 ? 0.6 : 0.0);
        read_rig r = rig_open(NARROW, (snn_shape){1, 3, 3}, BITS, SNN_TWOS_COMPLEMENT, hw, cell);
        rig_program(&r, 1);
        double rate = 0;
        for (int path = 0; path < 3; path++) {
            snn_readout *x = rig_read(&r, NULL, path == 1 ? SNN_READ_TWIN : SNN_READ_FAST);
            tally_frozen(x, path == 1 ? 1500 : 4000, path == 2, count[path]);
            rate = snn_readout_about(x)->read_error_rate;
            snn_readout_free(x);
        }
        assert_true(g_test(count[0], count[1], ROWS * OUTPUTS * 5) > LEVEL);
        assert_true(g_test(count[2], count[1], ROWS * OUTPUTS * 5) < LEVEL);
        assert_true(rate > 1e-3);
        rig_close(&r);
    }
}

/* The expected rate of read errors with slow noise, against reads of the fast hook: weights with one bit, so that a change is a bit. */
static void expected_rate(void **state) {
    (void)state;
    char cell[400];
    snprintf(cell, sizeof cell, SLOW, 9.0, 0.03, 0.6);
    read_rig r = rig_open(NARROW, (snn_shape){1, 3, 3}, 1, SNN_SIGN_MAGNITUDE,
                          "device = \"ideal\"; time = 100.0", cell);
    double expected = 0, seen = 0, reads = 0;
    for (uint64_t chip = 0; chip < 40; chip++) {
        rig_program(&r, chip);
        snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
        const snn_hook *h = snn_readout_hook(x);
        assert_non_null(h);
        snn_error err = {0};
        void *scratch = snn_alloc(h->scratch_bytes, 1, "test", &err);
        int32_t sum[OUTPUTS];
        for (uint64_t s = 0; s < 1000; s++)
            for (uint32_t row = 0; row < ROWS; row++) {
                const snn_spike spike = {row, 1};
                hook_sums(h, scratch, 0, s, (int)row, &spike, 1, 1, OUTPUTS, sum);
                for (int o = 0; o < OUTPUTS; o++)
                    seen += sum[o] != 0;
                reads += OUTPUTS;
            }
        expected += snn_readout_about(x)->read_error_rate / 40;
        free(scratch);
        snn_readout_free(x);
    }
    /* binomial with the reads as if they were independent would be too narrow: telegraph and 1/f noise are shared by no two samples, so samples are the units */
    assert_true(fabs(seen / reads - expected) < 5 * sqrt(expected / reads));
    rig_close(&r);
}

/* ---- exactly ---- */

static void exactly_equal(void **state) {
    (void)state;
    const struct {
        const char *hw, *layers;
        snn_shape input;
        int bits;
        double spread;
    } cases[] = {
        {"device = \"ideal\"", NARROW, {1, 3, 4}, 8, 9},
        {"device = \"ideal\"; cell_bits = 3; gray = false", NARROW, {1, 3, 4}, 8, 2},
        {"device = \"ideal\"; cell_bits = 4", CONV1 LAST, {2, 3, 4}, 6, 2},
        {"device = \"ideal\"", CONV1 LAST, {2, 3, 4}, 7, 9},
        {"device = \"ideal\"; array = \"8x9\"", CONV2 LAST, {3, 5, 4}, 3, 9},
        {"device = \"ideal\"; cell_error = 0.1", CONV2 LAST, {3, 5, 4}, 3, 9},
        {"device = \"ideal\"; cell_error = 0.1; cell_bits = 2", CONV2 LAST, {3, 5, 4}, 6, 5},
        {"device = \"ideal\"; array = \"8x9\"; repair = { secded = 8; }", CONV2 LAST, {3, 5, 4}, 3, 9},
        {"device = \"ideal\"; array = \"7x33\"; cell_error = 0.05; repair = { secded = 16; spare_columns = "
         "3; }",
         NARROW,
         {1, 3, 4},
         5,
         9},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char cell[400];
        snprintf(cell, sizeof cell, SLOW, cases[k].spread, 0.0, k % 3 == 2 ? 0.0 : 0.6);
        read_rig r =
            rig_open(cases[k].layers, cases[k].input, cases[k].bits, SNN_SIGN_MAGNITUDE, cases[k].hw, cell);
        rig_program(&r, 8);
        snn_flip flip[4] = {{0, 0, 3}, {0, 1, 3}, {0, 0, 11}, {0, 2, 20}};
        const snn_flips key = {4, flip};
        snn_readout *fast = rig_read(&r, &key, SNN_READ_FAST), *twin = rig_read(&r, &key, SNN_READ_TWIN);
        assert_true(same_weights(snn_readout_weights(fast), snn_readout_weights(twin)));
        const snn_hook *h = snn_readout_hook(fast);
        assert_non_null(h);
        const snn_shape out = r.net->layer[0].out;
        const uint32_t pixels = r.net->layer[0].type == SNN_LAYER_CONV2D ? out.height * out.width : 1;
        const size_t outputs = (size_t)out.channels * pixels;
        snn_error err = {0};
        void *scratch = snn_alloc(h->scratch_bytes, 1, "test", &err);
        int32_t a[200], b[200];
        int changed = 0;
        snn_random random;
        snn_random_init(&random, k, SNN_PURPOSE_TEST, 3);
        for (uint64_t s = 0; s < 60; s++) {
            snn_spike input[64];
            size_t n = 0;
            for (uint32_t i = 0; i < snn_shape_size(cases[k].input); i++)
                if (snn_random_below(&random, 2))
                    input[n++] =
                        (snn_spike){i, snn_random_below(&random, 4) ? 1 : 1 + snn_random_below(&random, 200)};
            hook_sums(h, scratch, 0, s / 2, (int)s, input, n, pixels, outputs, a);
            hook_sums(snn_readout_hook(twin), NULL, 0, s / 2, (int)s, input, n, pixels, outputs, b);
            assert_memory_equal(a, b, outputs * sizeof *a);
            for (size_t i = 0; i < outputs; i++)
                changed += a[i] != 0;
        }
        assert_true(changed > 100);
        free(scratch);
        snn_readout_free(fast);
        snn_readout_free(twin);
        rig_close(&r);
    }
}

/* Counts so large that a workspace does not list their repetitions, and a mix of both kinds in one cursor. */
static void large_counts(void **state) {
    (void)state;
    const uint32_t counts[][4] = {{1, 1, 1, 1}, {2, 1, 5, 1}, {1, 6, 1, 1}, {1, 1, 1, 300}, {70000, 1, 2, 9},
                                  {3, 3, 3, 3}, {7, 9, 1, 1}, {5, 5, 1, 1}, {9, 1, 1, 1}};
    for (int k = 0; k < 9; k++) {
        snn_spike input[4];
        uint32_t words[24]; /* 12 and a guard */
        memset(words, 0xa5, sizeof words);
        assert_int_equal(snn_read_cursor_words(4), 12);
        uint64_t total = 0, seen[4] = {0};
        for (uint32_t i = 0; i < 4; i++)
            input[i] = (snn_spike){i, counts[k][i]}, total += counts[k][i];
        snn_read_cursor c;
        snn_read_cursor_init(&c, input, 4, words);
        assert_int_equal(c.total, total);
        assert_int_equal(c.listed, total <= 12);
        for (uint64_t i = 0; i < total; i++) {
            const uint32_t s = snn_read_spike(&c, i);
            assert_true(s < 4 && (i >= 4 || s == i));
            seen[s]++;
        }
        for (int i = 0; i < 4; i++)
            assert_int_equal(seen[i], counts[k][i]);
        for (int i = 12; i < 24; i++)
            assert_int_equal(words[i], 0xa5a5a5a5u);
    }
    read_rig r = rig_open(NARROW, (snn_shape){1, 3, 3}, 8, SNN_SIGN_MAGNITUDE,
                          "device = \"ideal\"; read_error = 0.01", "");
    rig_program(&r, 0);
    snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
    const snn_hook *h = snn_readout_hook(x);
    snn_error err = {0};
    void *scratch = snn_alloc(h->scratch_bytes, 1, "test", &err);
    snn_sum_errors e = {0};
    const snn_spike input[2] = {{2, 20000}, {5, 30000}};
    need(h->read(h->context, scratch, 0, 0, 0, input, 2, &e, &err), &err);
    /* weights with errors: 1 - 0.99^8 of 10 x 50000, less those whose value does not change (the sign of 0) */
    const double p = 1 - pow(0.99, 8), n = 10 * 50000;
    assert_true((double)e.n < p * n + 5 * sqrt(p * n) && (double)e.n > (p - 0.0101) * n - 5 * sqrt(p * n));
    snn_read_tensor wide = {.map = r.map->tensor, .width = 1u << 24, .taps = 4};
    uint64_t cells;
    assert_true(snn_read_axis(&wide, 4094, &cells, &err)); /* 2^64 / 2^52 */
    assert_true(cells == UINT64_C(4094) << 26);
    assert_false(snn_read_axis(&wide, 4095, &cells, &err));
    assert_string_equal(err.text,
                        "layer 'fc': a step with 4095 reads is beyond what read errors are drawn for");
    free(e.item);
    free(scratch);
    snn_readout_free(x);
    rig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_masks), cmocka_unit_test(weak_cells),    cmocka_unit_test(sums_agree),
        cmocka_unit_test(frozen_noise),  cmocka_unit_test(expected_rate), cmocka_unit_test(exactly_equal),
        cmocka_unit_test(large_counts),
    };
    return cmocka_run_group_tests_name("read_hook", tests, NULL, NULL);
}
