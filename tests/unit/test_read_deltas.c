/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a chip would read if other bits had been stored (snn_readout_deltas), against a chip that is programmed with them: the same weights, over presets, widths, encodings, bits per cell, times and
 * every constant effect; from all threads at once; what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "read_test.h"

#include <time.h>

#define LAYERS                                                                                               \
    "{ name = \"conv\"; type = \"conv2d\"; channels = 4; kernel = 3; }, { name = \"flat\"; type = "          \
    "\"flatten\"; }, { name = \"fc\"; type = \"linear\"; outputs = 23; }, { name = \"out\"; type = "         \
    "\"linear\"; outputs = 5; }"
#define INPUT ((snn_shape){2, 7, 6})

/* ---- against a programmed chip ---- */

static size_t random_flips(const snn_weights *w, size_t n, uint64_t seed, snn_flip *flip) {
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 9);
    for (size_t i = 0; i < n; i++) {
        const uint32_t t = snn_random_below(&r, (uint32_t)w->tensors);
        flip[i] = (snn_flip){t, snn_random_below(&r, (uint32_t)w->tensor[t].bits),
                             snn_random_below(&r, (uint32_t)w->tensor[t].count)};
        if (i % 7 == 6) /* another bit of the same weight, or the same bit again */
            flip[i].tensor = flip[i - 1].tensor, flip[i].index = flip[i - 1].index,
            flip[i].bit %= (uint32_t)w->tensor[flip[i].tensor].bits;
    }
    return n;
}

/* The weights that a chip reads which was programmed with the flips. */
static snn_weights *read_programmed(const read_rig *r, const snn_flips *flips) {
    snn_error err = {0};
    snn_weights *stored = snn_weights_apply(r->weights, flips, &err);
    need(stored != NULL, &err);
    snn_chip *chip = snn_chip_program(r->map, &r->o, stored, snn_chip_number(r->chip), &err);
    need(chip != NULL, &err);
    snn_readout *x = snn_readout_new(chip, &r->o.condition, NULL, SNN_READ_FAST, r->net, NULL, 0, &err);
    need(x != NULL, &err);
    snn_weights *out = snn_weights_copy(snn_readout_weights(x), &err);
    need(out != NULL, &err);
    snn_readout_free(x);
    snn_chip_free(chip);
    snn_weights_free(stored);
    return out;
}

/* base + deltas = wanted, delta by delta ascending and never 0. Returns how many deltas. */
static size_t compare(const snn_weights *base, const snn_delta *delta, size_t n, const snn_weights *wanted) {
    size_t k = 0;
    for (uint32_t t = 0; t < (uint32_t)base->tensors; t++)
        for (uint64_t i = 0; i < base->tensor[t].count; i++) {
            const bool here = k < n && delta[k].tensor == t && delta[k].index == i;
            const int32_t dq = here ? delta[k++].dq : 0;
            assert_true(!here || dq != 0);
            assert_int_equal(snn_weight_q(&base->tensor[t], i) + dq, snn_weight_q(&wanted->tensor[t], i));
        }
    assert_int_equal(k, n); /* else out of order, or a weight twice */
    return n;
}

typedef struct {
    uint64_t deltas;
    uint64_t other; /* that are not what the flips do to ideal cells */
} seen;

static void check_set(const read_rig *r, const snn_readout *x, size_t n, uint64_t seed, seen *s) {
    static snn_flip flip[3000];
    static snn_delta delta[3000], ideal[3000];
    snn_error err = {0};
    const snn_flips flips = {random_flips(r->weights, n, seed, flip), flip};
    size_t deltas = n, ideals = n;
    need(snn_readout_deltas(x, &flips, delta, &deltas, &err), &err);
    need(snn_weights_deltas(r->weights, &flips, ideal, &ideals, &err), &err);
    snn_weights *wanted = read_programmed(r, &flips);
    s->deltas += compare(snn_readout_weights(x), delta, deltas, wanted);
    for (size_t i = 0; i < deltas; i++) {
        size_t k = 0;
        while (k < ideals && memcmp(&ideal[k], &delta[i], sizeof *delta) != 0)
            k++;
        s->other += k == ideals;
    }
    snn_weights_free(wanted);
}

static seen check_chip(const char *hw, const char *cell, int bits, snn_encoding encoding, uint64_t chip) {
    const size_t sizes[] = {0, 1, 2, 50, 1500};
    read_rig r = rig_open(LAYERS, INPUT, bits, encoding, hw, cell);
    seen s = {0};
    rig_program(&r, chip);
    snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        check_set(&r, x, sizes[k], 31 * chip + k, &s);
    snn_readout_free(x);
    rig_close(&r);
    return s;
}

/* ---- presets ---- */

static void presets(void **state) {
    (void)state;
    const struct {
        const char *name;
        int most_bits; /* of a cell */
        const char *time;
    } device[] = {{"ideal", 4, ""},
                  {"neurram", 4, ""},
                  {"neurram", 4, "time = 86400.0;"},
                  {"neurram_cubic", 4, "time = 3600.0;"},
                  {"neurosim22", 1, "time = 1e7; temperature = 358.0;"},
                  {"milo", 4, "time = 86400.0;"},
                  {"cmo", 4, "time = 1e5;"},
                  {"harsh", 1, "time = 1000.0;"}};
    seen sum = {0};
    int run = 0;
    for (size_t d = 0; d < sizeof device / sizeof *device; d++)
        for (int cell_bits = 1; cell_bits <= device[d].most_bits; cell_bits++)
            for (int bits = 1; bits <= 8; bits += d % 2 ? 3 : 7, run++) {
                char hw[300];
                snprintf(hw, sizeof hw,
                         "device = \"%s\"; %s cell_bits = %d; gray = %s; array = \"%s\"; first_chip = 3",
                         device[d].name, device[d].time, cell_bits, run % 2 ? "true" : "false",
                         run % 3 ? "64x128" : "20x33");
                const seen s = check_chip(hw, "", bits, (snn_encoding)(run % 3), (uint64_t)run % 5);
                sum.deltas += s.deltas, sum.other += s.other;
                if (d == 0)
                    assert_int_equal(s.other, 0);
            }
    assert_true(sum.deltas > 30000 && sum.other > 1000);
}

/* ---- every constant effect ---- */

static void effects(void **state) {
    (void)state;
    const char *cells[] = {
        "program = { sigma = [2.0]; }",
        "variation = { cell = 0.05; chip = 0.05; }",
        "retention = { form = \"log\"; t0 = 1.0; sigma_per_ln = 0.3; mean_per_ln = -0.2; }",
        "faults = { stuck_hrs = 0.02; stuck_lrs = 0.03; cluster = 4.0; }",
        "sense = { offset = 2.0; noise = 0.5; }",
        "disturb = { change = 0.02; reads = 100.0; }",
        "program = { sigma = [3.0]; }; noise = { white = 0.02; telegraph_share = 0.3; telegraph_amplitude = "
        "0.05; }"};
    for (size_t e = 0; e < sizeof cells / sizeof *cells; e++) {
        seen sum = {0};
        for (int cell_bits = 1; cell_bits <= 4; cell_bits++) {
            char hw[300], cell[400];
            snprintf(hw, sizeof hw,
                     "device = \"ideal\"; cell_bits = %d; time = 100.0; reads_before = 1000000; %s",
                     cell_bits, e == 0 ? "verify_window = 1.5; verify_pulses = 2" : "");
            snprintf(cell, sizeof cell, "g_min = 1.0; g_max = 41.0; levels = 16; %s", cells[e]);
            const seen s = check_chip(hw, cell, 8, (snn_encoding)(e % 3), 2);
            sum.deltas += s.deltas, sum.other += s.other;
        }
        assert_true(sum.deltas > 2000 && sum.other > 10);
    }
}

/* Errors by decree: the cells stay the same, and which neighbour of several levels they go to depends on what is stored. */
static void decree(void **state) {
    (void)state;
    for (int cell_bits = 1; cell_bits <= 4; cell_bits++)
        for (int noisy = 0; noisy < 2; noisy++) {
            char hw[200];
            snprintf(hw, sizeof hw, "device = \"ideal\"; cell_error = 0.2; cell_bits = %d; gray = %s",
                     cell_bits, noisy ? "true" : "false");
            const seen s =
                check_chip(hw,
                           noisy ? "g_min = 1.0; g_max = 41.0; levels = 16; program = { sigma = [4.0]; }"
                                 : "levels = 16",
                           noisy ? 8 : 7, (snn_encoding)(cell_bits % 3), 1);
            assert_true(s.deltas > 500);
            assert_true(s.other > 20);
        }
}

/* A stuck cell does not follow a flip; with the key, its bit comes out inverted. */
static void stuck_bits(void **state) {
    (void)state;
    snn_error err = {0};
    read_rig r = rig_open(LAYERS, INPUT, 8, SNN_TWOS_COMPLEMENT, "device = \"ideal\"",
                          "faults = { stuck_hrs = 0.1; stuck_lrs = 0.1; }");
    rig_program(&r, 0);
    snn_readout *plain = rig_read(&r, NULL, SNN_READ_FAST);
    int stuck = 0;
    for (uint64_t i = 0; i < r.weights->tensor[1].count; i++) {
        snn_cell cell;
        snn_flip flip = {1, 0, i}; /* the sign: -128 or 0 of the value */
        const snn_flips flips = {1, &flip};
        snn_delta delta;
        size_t n = 1;
        need(snn_map_cell(r.map, 1, i, 0, &cell, NULL, &err), &err);
        need(snn_readout_deltas(plain, &flips, &delta, &n, &err), &err);
        if (snn_chip_fault(r.chip, &cell) == SNN_CELL_WORKS) {
            assert_int_equal(n, 1);
            assert_int_equal(delta.dq, snn_weight_q(&r.weights->tensor[1], i) < 0 ? 128 : -128);
            continue;
        }
        assert_int_equal(n, 0);
        if (++stuck > 20)
            continue;
        /* The key's owner: stored inverted, read as stuck, inverted by the key. */
        snn_weights *stored = snn_weights_apply(r.weights, &flips, &err);
        snn_chip *chip = snn_chip_program(r.map, &r.o, stored, 0, &err);
        need(chip != NULL, &err);
        snn_readout *keyed =
            snn_readout_new(chip, &r.o.condition, &flips, SNN_READ_FAST, r.net, NULL, 0, &err);
        need(keyed != NULL, &err);
        const uint8_t without = snn_readout_weights(plain)->tensor[1].code8[i],
                      with = snn_readout_weights(keyed)->tensor[1].code8[i];
        assert_int_equal(without >> 7, snn_chip_fault(r.chip, &cell) == SNN_CELL_STUCK_LRS);
        assert_int_equal(without ^ with, 0x80);
        snn_readout_free(keyed);
        snn_chip_free(chip);
        snn_weights_free(stored);
    }
    assert_true(stuck > 100);
    snn_readout_free(plain);
    rig_close(&r);
}

/* ---- threads, speed ---- */

static void threads_and_speed(void **state) {
    (void)state;
    enum { SETS = 400, FLIPS = 200 };
    read_rig r = rig_open(LAYERS, INPUT, 8, SNN_SIGN_MAGNITUDE,
                          "device = \"neurram\"; time = 86400.0; cell_bits = 2", "");
    rig_program(&r, 7);
    snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
    static snn_delta one[SETS][FLIPS], many[SETS][FLIPS];
    size_t n_one[SETS], n_many[SETS];
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int pass = 0; pass < 2; pass++)
#pragma omp parallel for num_threads(pass ? 4 : 1) schedule(dynamic, 1)
        for (int i = 0; i < SETS; i++) {
            snn_flip flip[FLIPS];
            snn_error err = {0};
            const snn_flips flips = {random_flips(r.weights, FLIPS, (uint64_t)i, flip), flip};
            size_t *n = pass ? &n_many[i] : &n_one[i];
            *n = FLIPS;
            if (!snn_readout_deltas(x, &flips, pass ? many[i] : one[i], n, &err))
                *n = SIZE_MAX;
        }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    for (int i = 0; i < SETS; i++) {
        assert_true(n_one[i] <= FLIPS && n_one[i] == n_many[i]);
        for (size_t k = 0; k < n_one[i]; k++)
            assert_true(one[i][k].tensor == many[i][k].tensor && one[i][k].index == many[i][k].index &&
                        one[i][k].dq == many[i][k].dq);
    }
    const double seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
    print_message("%.0f ns a flip\n", 1e9 * seconds / (2.0 * SETS * FLIPS));
    snn_readout_free(x);
    rig_close(&r);
}

/* ---- what is refused ---- */

static void refused(void **state) {
    (void)state;
    const struct {
        const char *hw, *why;
    } one[] = {{"device = \"neurram\"; repair = { secded = 32; }", "SEC-DED"},
               {"device = \"harsh\"; repair = { spare_rows = 1; }", "spare_rows"},
               {"device = \"harsh\"; repair = { spare_columns = 1; }", "spare_columns"},
               {"device = \"harsh\"; repair = { msb_placement = true; }", "msb_placement"},
               {"device = \"neurram\"; readout = \"analog\"; analog = { adc_bits = 0; }", "hw.readout"}};
    snn_flip flip = {0, 0, 0};
    const snn_flips flips = {1, &flip};
    for (size_t i = 0; i < sizeof one / sizeof *one; i++) {
        snn_error err = {0};
        snn_delta delta;
        size_t n = 1;
        read_rig r = rig_open(LAYERS, INPUT, 8, SNN_TWOS_COMPLEMENT, one[i].hw, "");
        rig_program(&r, 0);
        snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
        assert_false(snn_readout_deltas(x, &flips, &delta, &n, &err));
        assert_int_equal(err.code, SNN_ERR_USAGE);
        assert_non_null(strstr(err.text, one[i].why));
        snn_readout_free(x);
        rig_close(&r);
    }
}

static void refused_flips(void **state) {
    (void)state;
    snn_flip flip = {0, 0, 0};
    const snn_flips flips = {1, &flip}, key = {1, &(snn_flip){0, 0, 1}}, no_key = {0, NULL};
    snn_delta delta;
    size_t n = 1;
    snn_error err = {0};
    read_rig r = rig_open(LAYERS, INPUT, 8, SNN_SIGN_MAGNITUDE, "device = \"neurram\"", "");
    rig_program(&r, 0);
    snn_readout *x = rig_read(&r, &key, SNN_READ_FAST);
    assert_false(snn_readout_deltas(x, &flips, &delta, &n, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "key"));
    snn_readout_free(x);
    x = rig_read(&r, &no_key, SNN_READ_FAST);
    need(snn_readout_deltas(x, &flips, &delta, &n, &err), &err);
    const snn_flip outside[] = {{3, 0, 0}, {0, 8, 0}, {0, 0, 72}, {2, 0, 115}};
    for (size_t i = 0; i < 4; i++) {
        flip = outside[i];
        n = 1;
        assert_false(snn_readout_deltas(x, &flips, &delta, &n, &err));
        assert_int_equal(err.code, SNN_ERR_DATA);
    }
    flip = (snn_flip){2, 7, 114}; /* the last bit */
    n = 0;
    assert_false(snn_readout_deltas(x, &flips, &delta, &n, &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    n = 1;
    need(snn_readout_deltas(x, &flips, &delta, &n, &err), &err);
    snn_readout_free(x);
    rig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets),       cmocka_unit_test(effects),           cmocka_unit_test(decree),
        cmocka_unit_test(stuck_bits),    cmocka_unit_test(threads_and_speed), cmocka_unit_test(refused),
        cmocka_unit_test(refused_flips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
