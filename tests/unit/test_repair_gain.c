/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What each repair buys: harm (sum of |change of q|) that random stuck cells do to arrays of the trained N-MNIST network, with each repair as a share of that without any.
 * SNNSIM_SHOW=1 prints the table of docs/crossbar.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <snnsim/model.h>

#include "repair_test.h"

static const struct {
    const char *name;
    uint32_t spare_rows, spare_columns, code_bits;
    bool msb;
} repairs[] = {
    {"none", 0, 0, 0, false},
    {"8 spare rows", 8, 0, 0, false},
    {"32 spare columns", 0, 32, 0, false},
    {"8 spare rows, 32 columns", 8, 32, 0, false},
    {"msb_placement", 0, 0, 0, true},
    {"msb_placement, 8 rows, 32 columns", 8, 32, 0, true},
    {"secded 64", 0, 0, 64, false},
    {"secded 16", 0, 0, 16, false},
    {"secded 64, 8 rows, 32 columns", 8, 32, 64, false},
};
enum { REPAIRS = sizeof repairs / sizeof *repairs, RATES = 5 };
static const double rate[RATES] = {0.001, 0.003, 0.01, 0.03, 0.1};

/* Harm of some arrays of fc1 after a repair. Every setting sees the same share of stuck cells, in its own larger array. */
static double harm_of(const snn_model *model, int k, double share, uint32_t tiles) {
    snn_map *m = test_map(model->net, model->weights,
                          (snn_map_options){.rows = 256,
                                            .columns = 1024,
                                            .cell_bits = 1,
                                            .spare_rows = repairs[k].spare_rows,
                                            .spare_columns = repairs[k].spare_columns,
                                            .code_bits = repairs[k].code_bits});
    snn_repair r;
    assert_true(snn_repair_init(&r, m, true, NULL)); /* tables in any case, so that harm is counted */
    for (uint32_t tile = 0; tile < tiles; tile++) {
        size_t n;
        snn_faulty_cell *f = random_faults(m, 11 + tile, share, &n);
        assert_true(snn_repair_array(&r, m, model->weights, repairs[k].msb, tile * 13, f, n, NULL));
        free(f);
    }
    double harm = (double)r.harm_after;
    snn_repair_free(&r);
    snn_map_free(m);
    return harm;
}

static void repairs_buy_what_the_page_says(void **state) {
    (void)state;
    snn_model model;
    snn_error err = {0};
    if (!snn_model_load(&model, "models/nmnist.h5", &err)) {
        print_message("skipped (no data): %s\n", err.text);
        skip();
    }
    bool show = getenv("SNNSIM_SHOW") != NULL;
    double harm[REPAIRS][RATES] = {{0}};
    for (int k = 0; k < REPAIRS; k++) {
        if (show)
            print_message("| %s |", repairs[k].name);
        for (int i = 0; i < RATES;
             i += show ? 1 : 2) { /* the test looks at 0.1 % and 1 % of one array only */
            if (!show && rate[i] > 0.02)
                continue;
            harm[k][i] = harm_of(&model, k, rate[i], show ? 3 : 1);
            if (show)
                print_message(" %.3g |", k == 0 ? harm[0][i] : harm[k][i] / harm[0][i]);
        }
        if (show)
            print_message("\n");
    }
    snn_model_free(&model);
    static const double most[REPAIRS][2] = {
        {1, 1},   {0.85, 0.96}, {0.45, 0.85}, {0.3, 0.8}, {0.01, 0.2},
        {0, 0.2}, {0.1, 0.4},   {0.05, 0.15}, {0, 0.2}}; /* at 0.1 % and 1 % */
    for (int k = 0; k < REPAIRS; k++) {
        assert_true(harm[k][0] <= most[k][0] * harm[0][0]);
        assert_true(harm[k][2] <= most[k][1] * harm[0][2]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(repairs_buy_what_the_page_says)};
    return cmocka_run_group_tests_name("repair_gain", tests, NULL, NULL);
}
