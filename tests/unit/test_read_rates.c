/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bit error rates of scanned chips against numerical integration of the same distributions (snn_level_cdf), for every preset and for cells of several bits, down to 1e-6: binomial
 * bounds at 1e-5 (the seeds are fixed). References are moved towards a level until integration says that rate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "read_test.h"

#define LAYER "{ name = \"fc\"; type = \"linear\"; outputs = 128; }"
enum { CELLS = 28 * 28 * 128 * 8 };

static snn_level level_of(const read_rig *r, int levels, int k) {
    snn_level l;
    snn_error err = {0};
    need(snn_device_level(&r->o.device, &r->o.condition, levels, k, &l, &err), &err);
    return l;
}

static double threshold(const read_rig *r, int levels, int k) {
    const double low = level_of(r, levels, k).target, high = level_of(r, levels, k + 1).target;
    return low + r->o.reference * (high - low);
}

/* P(a working cell of level k reads level j), with normal noise on top. */
static double chance(const read_rig *r, int levels, int k, int j, double noise) {
    const snn_level l = level_of(r, levels, k);
    if (j > k)
        return snn_level_above(&l, noise, threshold(r, levels, j - 1)) -
               (j < levels - 1 ? snn_level_above(&l, noise, threshold(r, levels, j)) : 0);
    return snn_level_cdf(&l, noise, threshold(r, levels, j)) -
           (j > 0 ? snn_level_cdf(&l, noise, threshold(r, levels, j - 1)) : 0);
}

static int level_at(const read_rig *r, int levels, double g) {
    int level = 0;
    while (level < levels - 1 && g > threshold(r, levels, level))
        level++;
    return level;
}

/* Expected share of cells read wrong, and of wrong bits per cell, with all 2^n levels equally likely. */
static double expected_share(const read_rig *r, int n, double noise, double *bits) {
    const int levels = 1 << n;
    const snn_device *d = &r->o.device;
    double share = 0;
    *bits = 0;
    for (int k = 0; k < levels; k++)
        for (int j = 0; j < levels; j++) {
            double p = j == k ? 0 : chance(r, levels, k, j, noise);
            p *= 1 - d->stuck_hrs - d->stuck_lrs;
            if (j != k)
                p += d->stuck_hrs * (level_at(r, levels, d->g_min) == j) +
                     d->stuck_lrs * (level_at(r, levels, d->g_max) == j);
            share += p / levels;
            *bits += p / levels *
                     __builtin_popcount(snn_map_bits(r->map, (uint32_t)k, n) ^
                                        snn_map_bits(r->map, (uint32_t)j, n));
        }
    return share;
}

/* Equal numbers of all codes, so that levels are equally likely exactly. */
static void even_codes(read_rig *r) {
    snn_tensor *t = &r->weights->tensor[0];
    for (uint64_t i = 0; i < t->count; i++)
        t->code8[i] = (uint8_t)(i * 167 + i / 256 * 13);
}

/* P(a Poisson count is at least as far from its mean) > 1e-5, both sides. */
static bool plausible(double count, double mean) {
    const double below = count <= mean ? gsl_cdf_poisson_P((unsigned)count, mean) : 1;
    const double above = count >= mean ? (count > 0 ? gsl_cdf_poisson_Q((unsigned)count - 1, mean) : 1) : 1;
    return fmin(below, above) > 1e-5;
}

/* Chips' wrong cells against the integral. */
static void compare_rates(read_rig *r, int cell_bits, int chips) {
    double bits, wrong = 0, wrong_bits = 0;
    const double share = expected_share(r, cell_bits, 0, &bits), cells = (double)CELLS / cell_bits * chips;
    for (int chip = 0; chip < chips; chip++) {
        rig_program(r, (uint64_t)chip);
        snn_readout *x = rig_read(r, NULL, SNN_READ_FAST);
        wrong += (double)snn_readout_about(x)->wrong_cells;
        wrong_bits += (double)snn_readout_about(x)->wrong_bits;
        snn_readout_free(x);
    }
    /* a binomial of a small share is narrower than a Poisson count */
    if (share < 0.01)
        assert_true(plausible(wrong, share * cells));
    else
        assert_true(fabs(wrong - share * cells) < 4.5 * sqrt(share * (1 - share) * cells));
    assert_true(fabs(wrong_bits - bits * cells) < 5 * sqrt(cell_bits * bits * cells) + 5);
}

/* Moves the reference until integration says `rate`; false: no place between the levels does. */
static bool aim(read_rig *r, double rate) {
    double low = 1e-6, high = 0.5, bits;
    for (int side = 0; side < 2; side++) {
        low = side ? 0.5 : 1e-6, high = side ? 1 - 1e-6 : 0.5;
        for (int i = 0; i < 60; i++) {
            r->o.reference = (low + high) / 2;
            const bool more = expected_share(r, 1, 0, &bits) > rate;
            *(more == !side ? &low : &high) = r->o.reference;
        }
        const double share = expected_share(r, 1, 0, &bits);
        if (share > rate * 0.5 && share < rate * 2)
            return true;
    }
    return false;
}

static void presets(void **state) {
    (void)state;
    const char *names[] = {"neurram", "neurram_cubic", "neurosim22", "milo", "cmo", "harsh"};
    const double rates[] = {1e-6, 1e-4, 1e-2};
    int aimed = 0;
    for (int p = 0; p < 6; p++)
        for (int day = 0; day < 2; day++) {
            char hw[200];
            snprintf(hw, sizeof hw,
                     "device = \"%s\"; without = [\"chip_variation\", \"sense\", \"stuck\"]; time = %s",
                     names[p], day ? "86400.0" : "1.0");
            read_rig r = rig_open(LAYER, (snn_shape){1, 28, 28}, 8, SNN_SIGN_MAGNITUDE, hw, "");
            even_codes(&r);
            r.o.device.stuck_hrs = r.o.device.stuck_lrs = 0;
            for (int k = 0; k < 3; k++)
                if (aim(&r, rates[k])) {
                    compare_rates(&r, 1, k == 0 ? 24 : k == 1 ? 2 : 1);
                    aimed++;
                }
            rig_close(&r);
        }
    assert_true(aimed >= 30);
}

/* Stuck cells come on top. */
static void stuck(void **state) {
    (void)state;
    read_rig r = rig_open(LAYER, (snn_shape){1, 28, 28}, 8, SNN_SIGN_MAGNITUDE,
                          "device = \"harsh\"; without = [\"chip_variation\", \"sense\"]", "");
    even_codes(&r);
    compare_rates(&r, 1, 2);
    rig_close(&r);
}

static void several_bits(void **state) {
    (void)state;
    for (int n = 2; n <= 4; n *= 2)
        for (int gray = 0; gray < 2; gray++) {
            char hw[200], cell[50];
            snprintf(
                hw, sizeof hw,
                "device = \"neurram\"; cell_bits = %d; gray = %s; without = [\"chip_variation\", \"sense\"]",
                n, gray ? "true" : "false");
            snprintf(cell, sizeof cell, "levels = %d", 1 << n);
            read_rig r = rig_open(LAYER, (snn_shape){1, 28, 28}, 8, SNN_SIGN_MAGNITUDE, hw, cell);
            even_codes(&r);
            compare_rates(&r, n, 1);
            rig_close(&r);
        }
}

/* Amplifiers with offsets: another normal deviate. Cells of a column share it, so arrays have two rows: a cell's errors go with at most one other's. */
static void offsets(void **state) {
    (void)state;
    read_rig r = rig_open(LAYER, (snn_shape){1, 28, 28}, 8, SNN_SIGN_MAGNITUDE,
                          "device = \"ideal\"; array = \"1x1024\"",
                          "program = { sigma = [3.0]; }; sense = { offset = 4.0; }");
    even_codes(&r);
    double bits, wrong = 0;
    const double share = expected_share(&r, 1, 4, &bits), cells = 2.0 * CELLS;
    for (uint64_t chip = 0; chip < 2; chip++) {
        rig_program(&r, chip);
        snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
        wrong += (double)snn_readout_about(x)->wrong_cells;
        snn_readout_free(x);
    }
    assert_true(share * cells > 20);
    assert_true(plausible(wrong, share * cells));
    rig_close(&r);
}

/* Reads with white noise, wrong against what was stored: the lists' probabilities against the integral with that noise, and the reported rate. */
static void noisy_reads(void **state) {
    (void)state;
    read_rig r = rig_open(LAYER, (snn_shape){1, 28, 28}, 8, SNN_SIGN_MAGNITUDE,
                          "device = \"neurram\"; without = [\"sense\", \"chip_variation\"]",
                          "noise = { white = 0.03; }");
    even_codes(&r);
    const double rates[] = {1e-6, 1e-5, 1e-3};
    for (int k = 0; k < 3; k++) {
        double sum = 0, squares = 0, bits;
        const int chips = k == 0 ? 12 : 3;
        assert_true(aim(&r, rates[k]));
        const double white = 0.03 * r.o.device.g_max, share = expected_share(&r, 1, white, &bits);
        for (int chip = 0; chip < chips; chip++) {
            snn_read_plan p;
            snn_error err = {0};
            double reported = 0;
            rig_program(&r, (uint64_t)chip);
            need(snn_read_plan_init(&p, r.chip, &r.o.condition, r.net, &err), &err);
            need(snn_read_scan_fast(&p, &err) && snn_read_fold(&p, NULL, &err), &err);
            const snn_read_tensor *t = &p.tensor[0];
            size_t next = 0;
            for (uint32_t row = 0; row < t->channels; row++)
                for (uint32_t i = t->weak.first[row]; i < t->weak.first[row + 1]; i++) {
                    const snn_read_entry *e = &t->weak.entry[i];
                    const double before = i > t->weak.first[row] ? t->weak.entry[i - 1].upto : 0,
                                 q = -expm1(before - e->upto);
                    const snn_read_wrong *w = t->wrong.wrong;
                    while (next < t->wrong.n &&
                           (w[next].row < row || (w[next].row == row && w[next].position < e->position)))
                        next++, sum += 1, squares += 1; /* always wrong, never right */
                    const bool wrong =
                        next < t->wrong.n && w[next].row == row && w[next].position == e->position;
                    next += wrong;
                    sum += wrong ? 1 - q : q, squares += wrong ? (1 - q) * (1 - q) : q * q;
                    reported += q;
                }
            sum += (double)(t->wrong.n - next), squares += (double)(t->wrong.n - next);
            assert_true(fabs(reported / CELLS - p.stats.read_error_rate) <
                        1e-6 * p.stats.read_error_rate + 1e-15);
            snn_read_plan_free(&p);
        }
        /* sums of independent chances of rare cells: variance about the sum of their squares */
        assert_true(squares > 0 && fabs(sum - share * CELLS * chips) < 5 * sqrt(squares));
    }
    rig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets), cmocka_unit_test(stuck),       cmocka_unit_test(several_bits),
        cmocka_unit_test(offsets), cmocka_unit_test(noisy_reads),
    };
    return cmocka_run_group_tests_name("read_rates", tests, NULL, NULL);
}
