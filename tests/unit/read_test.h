/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of digital read-out share: small networks with random codes on chips, plans of both scans, statistics. */
#ifndef READ_TEST_H
#define READ_TEST_H

#include "hw_test.h"

#include "../../hw/read_hook.h"
#include "../../hw/read_step.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <snnsim/snnsim.h>
#include <string.h>

static inline void need(bool ok, const snn_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

typedef struct {
    snn_net *net;
    snn_weights *weights;
    snn_hw_options o;
    snn_map *map;
    snn_chip *chip;
} read_rig;

/* All codes equally likely, -0 among them. */
static inline void random_codes(snn_weights *w, uint64_t seed) {
    for (int t = 0; t < w->tensors; t++) {
        snn_random r;
        snn_random_init(&r, seed, SNN_PURPOSE_TEST, (uint64_t)t);
        for (uint64_t i = 0; i < w->tensor[t].count; i++)
            w->tensor[t].code8[i] = (uint8_t)snn_random_below(&r, 1u << w->tensor[t].bits);
    }
}

/* `hw`: lines of section hw, with the device; `cell`: of section cell. Leaves the chip to rig_program. */
static inline read_rig rig_open(const char *layers, snn_shape input, int bits, snn_encoding encoding,
                                const char *hw, const char *cell) {
    read_rig r = {0};
    char text[2000];
    snn_error err = {0};
    snprintf(text, sizeof text, "hw = { %s };\ncell = { %s };\n", hw, cell);
    snn_config *c = snn_config_parse(text, "test.cfg", &err);
    need(c != NULL, &err);
    need(snn_hw_layout_from_config(c, &r.o, &err), &err);
    snn_config_free(c);
    r.net = test_net(layers, input);
    r.weights = test_codes(r.net, bits, encoding, 1);
    random_codes(r.weights, 3);
    r.map = test_map(r.net, r.weights, r.o.map);
    return r;
}

static inline void rig_program(read_rig *r, uint64_t chip) {
    snn_error err = {0};
    snn_chip_free(r->chip);
    r->chip = snn_chip_program(r->map, &r->o, r->weights, chip, &err);
    need(r->chip != NULL, &err);
}

static inline void rig_close(read_rig *r) {
    snn_chip_free(r->chip);
    snn_map_free(r->map);
    snn_weights_free(r->weights);
    snn_net_free(r->net);
    snn_hw_options_free(&r->o);
}

static inline snn_readout *rig_read(const read_rig *r, const snn_flips *key, snn_read_path path) {
    snn_error err = {0};
    snn_readout *out = snn_readout_new(r->chip, &r->o.condition, key, path, r->net, NULL, 0, &err);
    need(out != NULL, &err);
    return out;
}

static inline bool same_weights(const snn_weights *a, const snn_weights *b) {
    char x[65], y[65];
    snn_weights_digest(a, x);
    snn_weights_digest(b, y);
    return strcmp(x, y) == 0;
}

/* ---- sums of one step ---- */

/* Calls the hook for one step of a tensor and adds up what it says, [channel * pixels + pixel]. scratch: of the hook. */
static inline void hook_sums(const snn_hook *h, void *scratch, int tensor, uint64_t sample, int step,
                             const snn_spike *input, size_t n, uint32_t pixels, size_t outputs,
                             int32_t *sum) {
    snn_sum_errors e = {0};
    snn_error err = {0};
    memset(sum, 0, outputs * sizeof *sum);
    need(h->read(h->context, scratch, tensor, sample, step, input, n, &e, &err), &err);
    for (size_t i = 0; i < e.n; i++) {
        const size_t at = (size_t)e.item[i].channel * pixels + e.item[i].pixel;
        assert_true(e.item[i].pixel < pixels && at < outputs);
        sum[at] += e.item[i].dsum;
    }
    free(e.item);
}

/* ---- statistics ---- */

/* Two-sample G-test on counts a and b over n classes (with the classes whose expectation is below 5 pooled): returns the p-value. */
static inline double g_test(const double *a, const double *b, size_t n) {
    double sum_a = 0, sum_b = 0, g = 0, rest[2] = {0, 0};
    int used = 0;
    for (size_t i = 0; i < n; i++)
        sum_a += a[i], sum_b += b[i];
    for (size_t i = 0; i <= n; i++) {
        double x = i < n ? a[i] : rest[0], y = i < n ? b[i] : rest[1];
        const double least = (x + y) * fmin(sum_a, sum_b) / (sum_a + sum_b);
        if (i < n && least < 5) {
            rest[0] += x, rest[1] += y;
            continue;
        }
        if (x + y == 0)
            continue;
        used++;
        g += x > 0 ? 2 * x * log(x / ((x + y) * sum_a / (sum_a + sum_b))) : 0;
        g += y > 0 ? 2 * y * log(y / ((x + y) * sum_b / (sum_a + sum_b))) : 0;
    }
    return used < 2 ? 1 : gsl_cdf_chisq_Q(g, used - 1);
}

/* Goodness of fit of counts to expectations that have the same sum: Pearson's p-value over classes with expectation >= 5. */
static inline double chi_square(const double *count, const double *expected, size_t n) {
    double x = 0, rest = 0, expected_rest = 0;
    int used = 0;
    for (size_t i = 0; i < n; i++)
        if (expected[i] >= 5) {
            x += (count[i] - expected[i]) * (count[i] - expected[i]) / expected[i];
            used++;
        } else {
            rest += count[i], expected_rest += expected[i];
        }
    if (expected_rest >= 5) {
        x += (rest - expected_rest) * (rest - expected_rest) / expected_rest;
        used++;
    }
    return used < 2 ? 1 : gsl_cdf_chisq_Q(x, used - 1);
}

#endif
