/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory cells from any section `cell`: what is accepted must have finite statistics, and cells that lie where they say. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <snnsim/device.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_level(const snn_device *d, const snn_level *l) {
    /* Nested integrals take too long here: one deviate at a time. */
    snn_level one = *l;
    one.chip_variation = 0;
    if (one.verify_window > 0 || one.lognormal)
        one.cell_variation = 0;
    double mean, sigma, x = 0.5 * (d->g_min + d->g_max), noise = d->white * d->g_max;
    snn_level_moments(&one, &mean, &sigma);
    double below = snn_level_cdf(&one, noise, x), above = snn_level_above(&one, noise, x);
    if (isnan(mean) || isnan(sigma) || mean < 0 || sigma < 0)
        abort();
    if (!(below >= 0 && below <= 1 && above >= 0 && above <= 1 && fabs(below + above - 1) < 1e-4))
        abort();
    int pulses;
    double z = snn_level_program(l, 0.3, 0.6, &pulses), g = snn_level_conductance(l, z, 0.5, -0.5, 1);
    if (isnan(z) || isnan(g) || g < 0 || pulses < 1 || (l->verify_window > 0 && pulses > l->verify_pulses))
        abort();
}

static void check_device(const snn_device *d) {
    static const double times[] = {0, 1, 1e5, 1e10};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < d->levels; k += d->levels - 1) {
            snn_condition c = {.seconds = times[i],
                               .kelvin = d->reference_kelvin,
                               .reads = i % 2 ? 1000000 : 0,
                               .effects = ~0U,
                               .verify_window = i < 2 ? 0 : 0.05 * d->g_max,
                               .verify_pulses = 5};
            snn_level l;
            snn_error e = {0};
            if (!snn_device_level(d, &c, d->levels, k, &l, &e))
                abort();
            check_level(d, &l);
            if (!(snn_device_slow(d, &c, l.target) >= 0) ||
                !(snn_device_telegraph(d, &c, l.target) <= l.target))
                abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    snn_error e = {0};
    /* Included files and other devices would make the run depend on what lies on the disk. */
    snn_config *c = strstr(text, "@include") ? NULL : snn_config_parse(text, "fuzz", &e);
    if (c && !snn_config_given(c, "hw.device") && snn_config_set(c, "hw.device=ideal", &e)) {
        snn_device d;
        if (snn_device_from_config(c, &d, &e)) {
            check_device(&d);
            snn_device_free(&d);
        } else if (e.code != SNN_ERR_USAGE || e.text[0] == '\0') {
            abort();
        }
    }
    snn_config_free(c);
    free(text);
    return 0;
}
