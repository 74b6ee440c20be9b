/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Modelled chips for a search: they read what programmed chips read, with or without what varies from read to read, for any number of threads; what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "read_test.h"

#define LAYERS                                                                                               \
    "{ name = \"fc\"; type = \"linear\"; outputs = 23; }, { name = \"out\"; type = \"linear\"; outputs = "   \
    "5; }"
#define INPUT ((snn_shape){2, 5, 6})

static snn_noisy_readouts *make(const read_rig *r, uint32_t chips, bool read_noise, int threads) {
    snn_error err = {0};
    snn_noisy_readouts *n =
        snn_noisy_readouts_new(r->map, &r->o, r->weights, r->net, chips, read_noise, threads, &err);
    need(n != NULL, &err);
    assert_int_equal(snn_noisy_readouts_count(n), chips + 1);
    return n;
}

/* The constant part is that of the chip with all of its noise; hooks only where noise is asked for. */
static void chips(void **state) {
    (void)state;
    enum { CHIPS = 6 };
    const char *devices[] = {"device = \"neurram\"; time = 86400.0; cell_bits = 3",
                             "device = \"harsh\"; reference = 0.9",
                             "device = \"ideal\"; cell_error = 0.01; read_error = 0.001"};
    for (int d = 0; d < 3; d++) {
        read_rig r = rig_open(LAYERS, INPUT, 8, SNN_SIGN_MAGNITUDE, devices[d], "");
        snn_noisy_readouts *quiet = make(&r, CHIPS, false, 3), *noisy = make(&r, CHIPS, true, 1);
        for (uint32_t i = 0; i < CHIPS; i++) {
            const snn_readout *q = snn_noisy_readouts_all(quiet)[i], *n = snn_noisy_readouts_all(noisy)[i];
            rig_program(&r, (UINT64_C(1) << 32) + i);
            snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
            assert_true(same_weights(snn_readout_weights(q), snn_readout_weights(x)));
            assert_true(same_weights(snn_readout_weights(n), snn_readout_weights(x)));
            assert_null(snn_readout_hook(q));
            assert_non_null(snn_readout_hook(n));
            if (i > 0)
                assert_false(same_weights(snn_readout_weights(q),
                                          snn_readout_weights(snn_noisy_readouts_all(quiet)[i - 1])));
            snn_readout_free(x);
        }
        /* the last one has no errors */
        for (int k = 0; k < 2; k++) {
            const snn_readout *x = snn_noisy_readouts_all(k ? noisy : quiet)[CHIPS];
            assert_true(same_weights(snn_readout_weights(x), r.weights));
            assert_null(snn_readout_hook(x));
        }
        snn_noisy_readouts_free(quiet);
        snn_noisy_readouts_free(noisy);
        rig_close(&r);
    }
    snn_noisy_readouts_free(NULL);
}

static void refused(void **state) {
    (void)state;
    const struct {
        const char *hw, *why;
    } one[] = {{"device = \"neurram\"; readout = \"analog\"; analog = { adc_bits = 0; }", "hw.readout"},
               {"device = \"neurram\"; repair = { secded = 32; }", "encrypt.chips"},
               {"device = \"neurram\"; chip_file = \"a.h5\"", "hw.chip_file"}};
    for (size_t i = 0; i < sizeof one / sizeof *one; i++) {
        snn_error err = {0};
        read_rig r = rig_open(LAYERS, INPUT, 8, SNN_TWOS_COMPLEMENT, one[i].hw, "");
        assert_null(snn_noisy_readouts_new(r.map, &r.o, r.weights, r.net, 3, false, 2, &err));
        assert_int_equal(err.code, SNN_ERR_USAGE);
        assert_non_null(strstr(err.text, one[i].why));
        rig_close(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chips),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
