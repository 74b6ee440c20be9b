/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chips: targets, conductances from their definition, one by one and in bulk, what is stuck, what programming cost, whatever the order and number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <snnsim/portable_math.h>

#include "../../hw/chip_internal.h"
#include "../golden/chip_vectors.h"
#include "chip_test.h"

/* ---- the definition, from the headers' words alone ---- */

static double word_uniform(uint64_t seed, snn_purpose purpose, uint64_t chip, uint64_t n) {
    snn_random r;
    snn_random_init(&r, seed, purpose, chip);
    r.counter[0] = (uint32_t)(n / 4);
    uint32_t w = 0;
    for (uint64_t i = 0; i <= n % 4; i++)
        w = snn_random_u32(&r);
    return ((double)w + 0.5) / 4294967296.0;
}

static double word_normal(uint64_t seed, snn_purpose purpose, uint64_t chip, uint64_t n) {
    return snn_normal_quantile(word_uniform(seed, purpose, chip, n));
}

/* Effects of every kind at once. */
static void spread(chip_rig *r) {
    snn_device *d = &r->o.device;
    d->sigma_program = (snn_polynomial){2, {0.5, 0.02}};
    d->cell_variation = 0.03;
    d->chip_variation = 0.05;
    d->retention = SNN_RETENTION_LOG;
    d->mean_per_ln = -0.1;
    d->sigma_per_ln = 0.02;
    d->sigma_0 = 0.3;
    d->stuck_hrs = 0.02;
    d->stuck_lrs = 0.03;
    d->disturb = -0.01;
    d->disturb_reads = 100;
    r->o.condition.seconds = 3600;
    r->o.condition.reads = 1000;
}

/* Level of a data or check cell, from the map's public functions. */
static int level_of(const chip_rig *r, const snn_cell *cell) {
    const snn_map *m = r->map;
    uint32_t tensor, first, n;
    uint64_t index;
    if (!snn_map_weight(m, cell, &tensor, &index, &first, &n))
        return 0;
    const uint32_t code = r->weights->tensor[tensor].code8[index];
    if (m->options.cell_bits == 0) {
        int q = snn_code_value(SNN_SIGN_MAGNITUDE, r->weights->tensor[tensor].bits, code);
        return first == 0 ? (q > 0 ? q : 0) : (q < 0 ? -q : 0);
    }
    uint32_t bits = code >> ((uint32_t)r->weights->tensor[tensor].bits - first - n) & ((1u << n) - 1);
    return (int)snn_map_level(m, bits, (int)n);
}

static double target_of(const chip_rig *r, const snn_cell *cell) {
    const snn_device *d = &r->o.device;
    const snn_map_tensor *t = &r->map->tensor[snn_map_tile_at(r->map, cell->tile).tensor];
    const int k = level_of(r, cell);
    int steps = 1 << (t->bits - 1); /* differential pairs */
    if (r->map->options.cell_bits != 0) {
        const uint32_t step = (uint32_t)r->map->options.cell_bits, from = cell->column % t->cells * step;
        steps = (1 << ((uint32_t)t->bits - from < step ? (uint32_t)t->bits - from : step)) - 1;
    }
    return d->g_min + (d->g_max - d->g_min) * k / steps;
}

/* Conductance of a cell, for devices of spread(). */
static double defined(const chip_rig *r, uint64_t chip, const snn_cell *logical, const snn_cell *physical) {
    const snn_device *d = &r->o.device;
    const uint64_t n = snn_map_cell_number(r->map, physical), seed = r->o.seed;
    const double target = target_of(r, logical), x = snn_log(r->o.condition.seconds);
    const double stuck = word_uniform(seed, SNN_PURPOSE_CELL_STUCK, chip, n);
    if (stuck < d->stuck_hrs + d->stuck_lrs)
        return stuck < d->stuck_hrs ? d->g_min : d->g_max;
    double g = target + (d->sigma_program.c[0] + d->sigma_program.c[1] * target) *
                            word_normal(seed, SNN_PURPOSE_CELL_PROGRAM, chip, n);
    g *= 1 + d->cell_variation * word_normal(seed, SNN_PURPOSE_CELL_VARIATION, chip, n);
    g *= 1 + d->chip_variation * word_normal(seed, SNN_PURPOSE_DEVICE, chip, 0);
    g *= 1 + d->disturb * snn_log(1 + (double)r->o.condition.reads / d->disturb_reads);
    g += d->mean_per_ln * x +
         (d->sigma_per_ln * x + d->sigma_0) * word_normal(seed, SNN_PURPOSE_CELL_RELAX, chip, n);
    return g > 0 ? g : 0;
}

/* Every data cell, asked for alone and with its array. */
static void check_conductances(const chip_rig *r, uint64_t number) {
    snn_chip *c = rig_chip(r, number);
    float *g = rig_conductances(r, c), *at = g;
    for (uint32_t t = 0; t < r->map->tiles; t++)
        for (uint32_t row = 0; row < r->map->options.rows; row++)
            for (uint32_t column = 0; column < r->map->options.columns; column++, at++) {
                const snn_cell cell = {t, row, column}, place = snn_chip_place(c, &cell);
                double one, want = defined(r, number, &cell, &place);
                assert_int_equal(snn_chip_level(c, &cell), level_of(r, &cell));
                assert_true(snn_chip_conductance(c, &r->o.condition, &cell, &one, NULL));
                assert_true(fabs(one - want) <= 1e-12 * want);
                assert_true(*at == (float)one);
            }
    free(g);
    snn_chip_free(c);
}

static void conductances_follow_their_definition(void **state) {
    (void)state;
    static const struct {
        int cell_bits, bits;
        bool gray;
    } cases[] = {{1, 8, true}, {1, 1, true}, {2, 8, true}, {3, 8, true}, {3, 8, false},
                 {4, 6, true}, {0, 8, true}, {0, 1, true}, {0, 4, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        chip_rig r;
        snn_map_options o = rig_options(20, 37);
        o.cell_bits = cases[i].cell_bits;
        o.gray = cases[i].gray;
        rig_init(&r, 7, 11, cases[i].bits, 13, o);
        spread(&r);
        check_conductances(&r, i);
        rig_free(&r);
    }
}

/* The same chip computed by NumPy and SciPy (tests/golden/make_chip_vectors.py). */
static void cells_are_those_of_numpy(void **state) {
    (void)state;
    for (int lognormal = 0; lognormal < 2; lognormal++) {
        chip_rig r;
        snn_map_options o = rig_options(20, 37);
        rig_init(&r, 7, 11, 8, 13, o);
        snn_map_free(r.map);
        o.spare_rows = 2, o.spare_columns = 3;
        r.map = test_map(r.net, r.weights, o);
        spread(&r);
        r.o.seed = CHIP_SEED;
        r.o.device.stuck_cluster = 3;
        r.o.device.lognormal = lognormal;
        r.o.device.lognormal_hrs = 0.9;
        r.o.device.lognormal_sigma = 0.1;
        snn_chip *c = rig_chip(&r, CHIP_NUMBER);
        assert_true(snn_chip_stats(c)->stuck_hrs == CHIP_USED_HRS &&
                    snn_chip_stats(c)->stuck_lrs == CHIP_USED_LRS);
        double sum = 0, g;
        uint64_t count[3] = {0};
        size_t k = 0;
        for (uint64_t n = 0; n < r.map->array_cells; n++) {
            const snn_cell cell = {(uint32_t)(n / 40 / 22), (uint32_t)(n / 40 % 22), (uint32_t)(n % 40)};
            const snn_cell_fault fault = snn_chip_fault(c, &cell);
            count[fault]++;
            if (!snn_map_weight(r.map, &cell, NULL, NULL, NULL, NULL))
                continue;
            snn_level l;
            assert_true(snn_chip_level_of(c, &r.o.condition, 1, snn_chip_level(c, &cell), &l, NULL));
            g = fault == SNN_CELL_WORKS       ? snn_chip_cell_conductance(c, &l, n)
                : fault == SNN_CELL_STUCK_HRS ? 1
                                              : 41;
            sum += g;
            if (k < sizeof chip_vectors / sizeof *chip_vectors && chip_vectors[k].number == n) {
                double want = lognormal ? chip_vectors[k].lognormal : chip_vectors[k].normal;
                assert_int_equal(fault, chip_vectors[k].stuck);
                assert_true(fabs(g - want) <= 1e-9 * fmax(1, want));
                k++;
            }
        }
        assert_int_equal(k, sizeof chip_vectors / sizeof *chip_vectors);
        assert_true(count[1] == CHIP_STUCK_HRS && count[2] == CHIP_STUCK_LRS);
        double want = lognormal ? CHIP_LOGNORMAL_SUM : CHIP_NORMAL_SUM;
        assert_true(fabs(sum - want) <= 1e-9 * want);
        snn_chip_free(c);
        rig_free(&r);
    }
}

static void lognormal_and_cut_off(void **state) {
    (void)state;
    chip_rig r;
    rig_init(&r, 4, 8, 8, 13, rig_options(20, 37));
    r.o.device.lognormal = true;
    r.o.device.lognormal_hrs = 0.9;
    r.o.device.lognormal_sigma = 0.1;
    snn_chip *c = rig_chip(&r, 2);
    for (uint32_t row = 0; row < 16; row++) {
        const snn_cell cell = {0, row, 5};
        double g, z = word_normal(7, SNN_PURPOSE_CELL_PROGRAM, 2, snn_map_cell_number(r.map, &cell));
        assert_true(snn_chip_conductance(c, &r.o.condition, &cell, &g, NULL));
        double want = level_of(&r, &cell) == 0 ? exp(0.9 * z) : 41 * exp(0.1 * z);
        assert_true(fabs(g - want) < 1e-12 * want);
    }
    snn_chip_free(c);
    r.o.device.lognormal = false;
    r.o.device.sigma_program = (snn_polynomial){1, {3}}; /* a third of the cells at 1 uS would be negative */
    c = rig_chip(&r, 2);
    float *g = rig_conductances(&r, c);
    int zeros = 0;
    for (uint32_t i = 0; i < 20 * 37; i++) {
        assert_true(g[i] >= 0);
        zeros += g[i] == 0;
    }
    assert_true(zeros > 20);
    free(g);
    snn_chip_free(c);
    rig_free(&r);
}

static void effects_act_only_where_the_condition_has_them(void **state) {
    (void)state;
    chip_rig r;
    rig_init(&r, 7, 11, 8, 13, rig_options(20, 37));
    spread(&r);
    snn_chip *c = rig_chip(&r, 0);
    snn_condition none = r.o.condition;
    none.effects = 0;
    double g;
    for (uint32_t column = 0; column < 37; column++)
        for (uint32_t row = 0; row < 20; row++) {
            const snn_cell cell = {0, row, column};
            assert_true(snn_chip_conductance(c, &none, &cell, &g, NULL));
            assert_true(g == target_of(&r, &cell));
        }
    /* the array too */
    float *all = malloc(20 * 37 * sizeof *all);
    assert_true(snn_chip_conductances(c, &none, 0, all, NULL));
    for (uint32_t i = 0; i < 20 * 37; i++)
        assert_true(all[i] == target_of(&r, &(snn_cell){0, i / 37, i % 37}));
    free(all);
    snn_chip_free(c);
    rig_free(&r);
}

static void reads_of_the_chip_come_on_top(void **state) {
    (void)state;
    chip_rig r;
    rig_init(&r, 7, 11, 8, 13, rig_options(20, 37));
    spread(&r);
    snn_chip *a = rig_chip(&r, 0), *b = rig_chip(&r, 0);
    assert_true(snn_chip_reads(a) == 0);
    snn_chip_add_reads(a, 300);
    snn_chip_add_reads(a, 200);
    assert_true(snn_chip_reads(a) == 500);
    snn_condition more = r.o.condition;
    more.reads += 500;
    int changed = 0;
    for (uint32_t i = 0; i < 20; i++) {
        const snn_cell cell = {1, i, i};
        double x, y, z;
        assert_true(snn_chip_conductance(a, &r.o.condition, &cell, &x, NULL));
        assert_true(snn_chip_conductance(b, &more, &cell, &y, NULL));
        assert_true(snn_chip_conductance(b, &r.o.condition, &cell, &z, NULL));
        assert_true(x == y && (x != z || x == 0 || x == 1 || x == 41));
        changed += x != z;
    }
    assert_true(changed >= 10);
    snn_chip_add_reads(a, UINT64_MAX);
    assert_true(snn_chip_reads(a) == UINT64_MAX);
    assert_true(snn_chip_condition(a, &more).reads == UINT64_MAX);
    snn_chip_free(a);
    snn_chip_free(b);
    rig_free(&r);
}

static void the_same_chip_in_any_order_from_any_thread(void **state) {
    (void)state;
    chip_rig r;
    rig_init(&r, 16, 11, 8, 13, rig_options(20, 37));
    spread(&r);
    snn_chip *c = rig_chip(&r, 5);
    const size_t array = 20 * 37, n = r.map->tiles * array;
    float *want = rig_conductances(&r, c), *got = malloc(n * sizeof *got);
    assert_non_null(got);
    snn_chip_free(c);
    c = rig_chip(&r, 5);
#pragma omp parallel for num_threads(4) schedule(dynamic)
    for (uint32_t i = 0; i < r.map->tiles; i++) {
        uint32_t t = r.map->tiles - 1 - i;
        if (!snn_chip_conductances(c, &r.o.condition, t, got + t * array, NULL))
            got[t * array] = -1;
    }
    assert_memory_equal(got, want, n * sizeof *got);
#pragma omp parallel for num_threads(4)
    for (int k = 0; k < 8; k++) {
        snn_chip *own = snn_chip_program(r.map, &r.o, r.weights, 5, NULL);
        if (own != NULL)
            snn_chip_conductances(own, &r.o.condition, (uint32_t)k % r.map->tiles,
                                  got + (size_t)k % r.map->tiles * array, NULL);
        snn_chip_free(own);
    }
    assert_memory_equal(got, want, n * sizeof *got);
    free(want);
    free(got);
    snn_chip_free(c);
    rig_free(&r);
}

/* ---- statistics ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov, looked at every `step` conductances, of n conductances against a level's distribution, which is continuous but for what is cut off at 0; 1.95 is the 0.1 % point. */
static double kolmogorov(double *g, size_t n, size_t step, const snn_level *l) {
    double worst = 0;
    qsort(g, n, sizeof *g, by_value);
    for (size_t i = 0; i < n; i += step) {
        if (g[i] == 0 && i + 1 < n && g[i + 1] == 0)
            continue;
        double f = snn_level_cdf(l, 0, g[i]);
        worst = fmax(worst, fabs((double)(i + 1) / (double)n - f));
        if (g[i] > 0)
            worst = fmax(worst, fabs(f - (double)i / (double)n));
    }
    return worst * sqrt((double)n);
}

/* Cells of level k of a chip, in their order. */
static size_t collect(const chip_rig *r, const snn_chip *c, int k, double *g, size_t most) {
    float *all = rig_conductances(r, c);
    size_t n = 0, i = 0;
    for (uint32_t t = 0; t < r->map->tiles; t++)
        for (uint32_t row = 0; row < r->map->options.rows; row++)
            for (uint32_t column = 0; column < r->map->options.columns; column++, i++)
                if (n < most && level_of(r, &(snn_cell){t, row, column}) == k)
                    g[n++] = all[i];
    free(all);
    return n;
}

/* Presets after 1 s and a day, each level that a one-bit cell has; what has no spread is at its mean. */
static void conductances_have_the_distribution_of_the_device(void **state) {
    (void)state;
    enum { N = 1200 };
    static const char *const names[] = {"neurram", "neurram_cubic", "neurosim22", "milo", "cmo", "harsh"};
    double *g = malloc(N * sizeof *g);
    assert_non_null(g);
    for (size_t p = 0; p < sizeof names / sizeof *names; p++) {
        chip_rig r;
        snn_error err = {0};
        rig_init(&r, 16, 40, 8, 37, rig_options(256, 320));
        char text[120];
        snprintf(text, sizeof text, "hw = { device = \"%s\"; };\n", names[p]);
        snn_config *config = snn_config_parse(text, "test.cfg", &err);
        if (config == NULL || !snn_device_from_config(config, &r.o.device, &err))
            fail_msg("%s", err.text);
        r.o.condition.kelvin = r.o.device.reference_kelvin;
        r.o.condition.effects &= ~(1u << SNN_EFFECT_STUCK | 1u << SNN_EFFECT_CHIP_VARIATION);
        for (int day = 0; day < 2; day++) {
            r.o.condition.seconds = day ? 86400 : 1;
            snn_chip *c = rig_chip(&r, p);
            for (int k = 0; k < 2; k++) {
                snn_level l;
                double mean, sigma;
                assert_true(snn_device_level(&r.o.device, &r.o.condition, 2, k, &l, NULL));
                snn_level_moments(&l, &mean, &sigma);
                size_t n = collect(&r, c, k, g, N);
                assert_int_equal(n, N);
                if (sigma > 0) {
                    assert_true(kolmogorov(g, n, 1, &l) < 1.95);
                    continue;
                }
                for (size_t i = 0; i < n; i++)
                    assert_true(g[i] == (float)mean);
            }
            snn_chip_free(c);
        }
        snn_config_free(config);
        snn_device_free(&r.o.device);
        rig_free(&r);
    }
    free(g);
}

/* One cell over many chips has the distribution with chip-to-chip variation; cells of one chip share its part. */
static void chips_differ_as_the_device_says(void **state) {
    (void)state;
    enum { CHIPS = 2500 };
    double *g = malloc(2 * CHIPS * sizeof *g);
    assert_non_null(g);
    chip_rig r;
    rig_init(&r, 4, 8, 8, 13, rig_options(16, 64));
    r.o.device.sigma_program = (snn_polynomial){1, {0.8}};
    r.o.device.cell_variation = 0.02;
    r.o.device.chip_variation = 0.04;
    r.o.reference = 0.5;
    snn_cell cell[2] = {{0, 3, 0}, {0, 0, 0}};
    int found = 0; /* two cells of level 1 */
    for (uint32_t i = 0; found < 2; i++)
        if (level_of(&r, &(snn_cell){0, i / 64, i % 64}) == 1)
            cell[found++] = (snn_cell){0, i / 64, i % 64};
    for (uint64_t chip = 0; chip < CHIPS; chip++) {
        snn_chip *c = rig_chip(&r, chip);
        for (int k = 0; k < 2; k++)
            assert_true(snn_chip_conductance(c, &r.o.condition, &cell[k], &g[k * CHIPS + (int)chip], NULL));
        snn_chip_free(c);
    }
    /* shared part: variance (41 * 0.04)^2 of all */
    const double own = 0.8 * 0.8 + 41 * 41 * 0.02 * 0.02, shared = 41 * 41 * 0.04 * 0.04;
    const double rho = correlation(g, g + CHIPS, CHIPS), expected = shared / (own + shared);
    assert_true(fabs(rho - expected) < 4.5 * (1 - expected * expected) / sqrt(CHIPS));
    snn_level l;
    assert_true(snn_device_level(&r.o.device, &r.o.condition, 2, 1, &l, NULL));
    assert_true(kolmogorov(g, CHIPS, 10, &l) < 1.95);
    free(g);
    rig_free(&r);
}

static void cells_and_chips_are_independent(void **state) {
    (void)state;
    chip_rig r;
    rig_init(&r, 32, 40, 8, 0, rig_options(256, 320)); /* all codes 0: all cells at the lowest level */
    r.o.device.g_min = 20;
    r.o.device.sigma_program = (snn_polynomial){1, {1}};
    r.o.device.retention = SNN_RETENTION_LOG;
    r.o.device.sigma_0 = 1;
    enum { N = 256 * 320 };
    double *x = malloc(3 * N * sizeof *x);
    assert_non_null(x);
    for (int chip = 0; chip < 3; chip++) {
        snn_chip *c = rig_chip(&r, (uint64_t)chip);
        float *g = rig_conductances(&r, c);
        for (int i = 0; i < N; i++)
            x[chip * N + i] = g[(chip == 2 ? N : 0) + i]; /* the last: another array of a third chip */
        free(g);
        snn_chip_free(c);
    }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < i; j++)
            assert_true(fabs(correlation(x + i * N, x + j * N, N)) < 4.5 / sqrt(N));
    static const int lags[] = {1, 2, 3, 4, 8, 320, 640};
    for (size_t k = 0; k < sizeof lags / sizeof *lags; k++)
        assert_true(fabs(correlation(x, x + lags[k], N - 700)) < 4.5 / sqrt(N - 700));
    free(x);
    rig_free(&r);
}

/* ---- what programming found and cost ---- */

static bool is_used(const chip_rig *r, uint32_t t, uint32_t row, uint32_t column) {
    const snn_map *m = r->map;
    const snn_map_tile tile = snn_map_tile_at(m, t);
    if (column < m->options.columns)
        return snn_map_weight(m, &(snn_cell){t, row, column}, NULL, NULL, NULL, NULL);
    const uint32_t check = column - m->options.columns;
    return check < m->check_columns && row < tile.rows &&
           snn_secded_word_bits(m, &tile, check / m->check_bits) > 0;
}

/* Counts of the cells in use, by visiting each. */
static void expected_stats(const chip_rig *r, const snn_chip *c, snn_program_stats *s) {
    *s = (snn_program_stats){0};
    const snn_condition *when = &r->o.condition;
    uint64_t most = 0; /* pulses of a cell of the row so far */
    for (uint32_t t = 0; t < r->map->tiles; t++)
        for (uint32_t row = 0; row < r->map->options.rows; row++)
            for (uint32_t column = 0; column < r->map->options.columns + r->map->check_columns; column++) {
                if (!is_used(r, t, row, column))
                    continue;
                if (column == 0)
                    most = 0; /* column 0 is used in every row that is */
                const snn_cell cell = {t, row, column}, place = snn_chip_place(c, &cell);
                const uint64_t n = snn_map_cell_number(r->map, &place);
                s->cells++;
                s->stuck_hrs += snn_chip_fault(c, &cell) == SNN_CELL_STUCK_HRS;
                s->stuck_lrs += snn_chip_fault(c, &cell) == SNN_CELL_STUCK_LRS;
                const snn_map_tensor *tensor = &r->map->tensor[0];
                snn_level l;
                assert_true(snn_chip_level_of(c, when, snn_chip_kind(r->map, tensor, column % tensor->cells),
                                              snn_chip_level(c, &cell), &l, NULL));
                int pulses;
                double z = snn_level_program(
                    &l, word_uniform(r->o.seed, SNN_PURPOSE_CELL_PROGRAM, snn_chip_number(c), n),
                    word_uniform(r->o.seed, SNN_PURPOSE_CELL_PULSES, snn_chip_number(c), n), &pulses);
                bool verified = snn_level_verified(&l, z);
                const snn_cell_fault fault = snn_chip_fault(c, &place);
                if (fault != SNN_CELL_WORKS && when->verify_window > 0) {
                    double g = fault == SNN_CELL_STUCK_HRS ? r->o.device.g_min : r->o.device.g_max;
                    verified = fabs(g - l.target) <= when->verify_window;
                    pulses = verified ? 1 : when->verify_pulses;
                }
                s->pulses += (uint64_t)pulses;
                if ((uint64_t)pulses > most) {
                    s->row_pulses += (uint64_t)pulses - most;
                    most = (uint64_t)pulses;
                }
                s->unverified += !verified;
                s->worn += r->o.device.endurance > 0 && pulses > r->o.device.endurance;
            }
}

static void check_stats(const chip_rig *r, uint64_t number, snn_program_stats *s) {
    snn_program_stats want;
    snn_chip *c = rig_chip(r, number);
    *s = *snn_chip_stats(c);
    expected_stats(r, c, &want);
    assert_true(s->cells == want.cells);
    assert_true(s->pulses == want.pulses);
    assert_true(s->row_pulses == want.row_pulses);
    assert_true(s->unverified == want.unverified);
    assert_true(s->worn == want.worn);
    assert_true(s->stuck_hrs == want.stuck_hrs);
    assert_true(s->stuck_lrs == want.stuck_lrs);
    snn_chip_free(c);
}

static void without_verification_a_cell_takes_one_pulse(void **state) {
    (void)state;
    chip_rig r;
    snn_program_stats s;
    rig_init(&r, 7, 11, 8, 13, rig_options(20, 37));
    spread(&r);
    check_stats(&r, 3, &s);
    assert_true(s.cells == 49 * 11 * 8 && s.pulses == s.cells && s.unverified == 0 && s.worn == 0);
    assert_true(s.row_pulses == 49 * 3); /* 11 lanes, 4 in an array of 37 columns */
    assert_true(s.stuck_hrs > 0 && s.stuck_lrs > 0);
    r.o.condition.effects = 0;
    check_stats(&r, 3, &s);
    assert_true(s.stuck_hrs == 0 && s.stuck_lrs == 0);
    rig_free(&r);
}

static void pulses_are_those_of_every_cell(void **state) {
    (void)state;
    static const struct {
        int cell_bits, bits, pulses;
        double window, endurance;
        uint32_t code_bits;
    } cases[] = {{1, 8, 20, 1, 0, 0},   {1, 8, 3, 0.2, 2, 0},        {3, 8, 50, 0.5, 5, 0},
                 {0, 6, 20, 1, 19, 0},  {1, 8, 20, 45, 1, 0},        {1, 8, 20, 1, 3, 8},
                 {1, 8, 1, 1, 0.5, 64}, {1, 8, 100000, 0.01, 300, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        chip_rig r;
        snn_program_stats s;
        snn_map_options o = rig_options(20, 37);
        o.cell_bits = cases[i].cell_bits;
        o.code_bits = cases[i].code_bits;
        rig_init(&r, 7, 11, cases[i].bits, 13, o);
        spread(&r);
        r.o.condition.verify_window = cases[i].window;
        r.o.condition.verify_pulses = cases[i].pulses;
        r.o.device.endurance = cases[i].endurance;
        check_stats(&r, i, &s);
        assert_true(s.pulses >= s.cells);
        rig_free(&r);
    }
}

static void verified_cells_are_within_the_window(void **state) {
    (void)state;
    chip_rig r;
    rig_init(&r, 16, 40, 8, 37, rig_options(256, 320));
    r.o.device.g_min = 21; /* nothing is cut off at 0 */
    r.o.device.sigma_program = (snn_polynomial){1, {2}};
    r.o.condition.verify_window = 1;
    r.o.condition.verify_pulses = 4;
    snn_chip *c = rig_chip(&r, 0);
    const snn_program_stats *s = snn_chip_stats(c);
    float *g = rig_conductances(&r, c);
    uint64_t outside = 0;
    for (uint32_t i = 0; i < 256 * 320; i++)
        outside += fabs(g[i] - target_of(&r, &(snn_cell){0, i / 320, i % 320})) > 1;
    /* P(|z| > 1/2) = 0.6171 per pulse: 0.6171^4 = 0.1450 in the end; 1 + 0.6171 + 0.3808 + 0.2350 = 2.2329 pulses */
    const double n = (double)s->cells, p = 0.14500, mean = 2.23291;
    assert_true(fabs((double)s->unverified - n * p) < 4.5 * sqrt(n * p * (1 - p)));
    assert_true(fabs((double)s->pulses - n * mean) < 4.5 * sqrt(n) * 1.3);
    assert_true(outside == s->unverified);
    free(g);
    snn_chip_free(c);
    rig_free(&r);
}

static void check_cells_hold_the_code_words(void **state) {
    (void)state;
    chip_rig r;
    snn_map_options o = rig_options(20, 37);
    o.code_bits = 16;
    rig_init(&r, 7, 11, 8, 13, o);
    snn_chip *c = rig_chip(&r, 0);
    snn_secded code;
    assert_true(snn_secded_init(&code, 16, NULL));
    assert_int_equal(r.map->check_bits, 6);
    uint64_t ones = 0, used = 0;
    for (uint32_t t = 0; t < r.map->tiles; t++) {
        uint8_t *check = malloc(20 * r.map->check_columns);
        snn_chip_tile_checks(c, t, check);
        for (uint32_t row = 0; row < 20; row++)
            for (uint32_t word = 0; word < r.map->words; word++) {
                uint8_t bit[16];
                uint32_t n = 0, got = 0;
                for (uint32_t i = 0; i < 16 && word * 16 + i < 37; i++)
                    if (snn_map_weight(r.map, &(snn_cell){t, row, word * 16 + i}, NULL, NULL, NULL, NULL))
                        bit[n++] = (uint8_t)level_of(&r, &(snn_cell){t, row, word * 16 + i});
                for (uint32_t i = 0; i < 6; i++) {
                    const snn_cell cell = {t, row, 37 + word * 6 + i};
                    int level = snn_chip_level(c, &cell);
                    assert_int_equal(check[row * r.map->check_columns + word * 6 + i], level);
                    got |= (uint32_t)level << i;
                    double g;
                    assert_true(snn_chip_conductance(c, &r.o.condition, &cell, &g, NULL));
                    assert_true(g == (level ? 41 : 1));
                }
                assert_int_equal(got, n ? snn_secded_encode(&code, bit, n) : 0);
                used += n ? 6 : 0;
                ones += got != 0;
            }
        free(check);
    }
    assert_true(ones > 0 && snn_chip_stats(c)->cells == r.map->weight_cells + used);
    snn_chip_free(c);
    rig_free(&r);
}

static void repaired_chips_move_cells_with_their_deviates(void **state) {
    (void)state;
    chip_rig r;
    snn_map_options o = rig_options(20, 37);
    o.spare_rows = 2;
    o.spare_columns = 3;
    rig_init(&r, 7, 11, 8, 13, o);
    spread(&r);
    r.o.msb_placement = true;
    snn_chip *c = rig_chip(&r, 1);
    const snn_program_stats s = *snn_chip_stats(c);
    assert_true(s.rows_replaced > 0 && s.columns_replaced > 0 && s.lanes_permuted > 0);
    uint32_t moved = 0;
    for (uint32_t t = 0; t < r.map->tiles; t++)
        for (uint32_t i = 0; i < 20 * 37; i++) {
            const snn_cell cell = {t, i / 37, i % 37}, place = snn_chip_place(c, &cell);
            assert_true(place.tile == t && place.row < r.map->all_rows && place.column < r.map->all_columns);
            moved += place.row != cell.row || place.column != cell.column;
        }
    assert_true(moved > 0);
    snn_chip_free(c);
    check_conductances(&r, 1);
    r.o.condition.verify_window = 1;
    snn_program_stats verified;
    check_stats(&r, 1, &verified);
    assert_true(verified.rows_replaced == s.rows_replaced && verified.stuck_hrs == s.stuck_hrs);
    rig_free(&r);
}

/* ---- what it says, what it refuses ---- */

static void a_chip_knows_what_it_is(void **state) {
    (void)state;
    chip_rig r;
    rig_init(&r, 7, 11, 8, 13, rig_options(20, 37));
    snn_chip *c = rig_chip(&r, 9);
    assert_true(snn_chip_map(c) == r.map && snn_chip_number(c) == 9 && snn_chip_seed(c) == 7);
    assert_true(snn_chip_stored(c) != r.weights); /* a copy */
    r.weights->tensor[0].code8[5] ^= 1;
    assert_memory_not_equal(snn_chip_stored(c)->tensor[0].code8, r.weights->tensor[0].code8, 49 * 11);
    r.weights->tensor[0].code8[5] ^= 1;
    assert_memory_equal(snn_chip_stored(c)->tensor[0].code8, r.weights->tensor[0].code8, 49 * 11);
    snn_chip_free(c);
    snn_chip_free(NULL);
    rig_free(&r);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    chip_rig r, other;
    snn_error err = {0};
    rig_init(&r, 7, 11, 8, 13, rig_options(20, 37));
    rig_init(&other, 7, 10, 8, 13, rig_options(20, 37));
    assert_null(snn_chip_program(r.map, &r.o, other.weights, 0, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    r.o.fault_map = "/nonexistent/map.npy";
    assert_null(snn_chip_program(r.map, &r.o, r.weights, 0, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    r.o.fault_map = NULL;
    r.o.device.retention = SNN_RETENTION_LOG;
    r.o.condition.kelvin = 400; /* no activation energy */
    assert_null(snn_chip_program(r.map, &r.o, r.weights, 0, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    r.o.condition.verify_window = 1;
    assert_null(snn_chip_program(r.map, &r.o, r.weights, 0, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    r.o.condition.kelvin = 300;
    snn_chip *c = rig_chip(&r, 0);
    snn_condition hot = r.o.condition;
    hot.kelvin = 400;
    float g[20 * 37];
    double one;
    assert_false(snn_chip_conductances(c, &hot, 0, g, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_false(snn_chip_conductance(c, &hot, &(snn_cell){0, 0, 0}, &one, &err));
    snn_chip_free(c);
    snn_map huge = *r.map;
    huge.array_cells = SNN_CELLS_MAX + 1;
    assert_null(snn_chip_program(&huge, &r.o, r.weights, 0, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "17179869185 cells"));
    rig_free(&r);
    rig_free(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conductances_follow_their_definition),
        cmocka_unit_test(cells_are_those_of_numpy),
        cmocka_unit_test(lognormal_and_cut_off),
        cmocka_unit_test(effects_act_only_where_the_condition_has_them),
        cmocka_unit_test(reads_of_the_chip_come_on_top),
        cmocka_unit_test(the_same_chip_in_any_order_from_any_thread),
        cmocka_unit_test(conductances_have_the_distribution_of_the_device),
        cmocka_unit_test(chips_differ_as_the_device_says),
        cmocka_unit_test(cells_and_chips_are_independent),
        cmocka_unit_test(without_verification_a_cell_takes_one_pulse),
        cmocka_unit_test(pulses_are_those_of_every_cell),
        cmocka_unit_test(verified_cells_are_within_the_window),
        cmocka_unit_test(check_cells_hold_the_code_words),
        cmocka_unit_test(repaired_chips_move_cells_with_their_deviates),
        cmocka_unit_test(a_chip_knows_what_it_is),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests_name("chip", tests, NULL, NULL);
}
