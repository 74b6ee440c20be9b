/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The converters' range, from training samples (hw.analog.adc_range = 0): the chip runs them with ideal converters, and for each layer a histogram is taken of what its converters would see. Full scale is
 * then where the expected squared error of the layer's sums is least,
 *
 *     sum over currents I of significance^2 * (LSB^2 / 12 where I is within range, (I - full scale)^2 beyond),   LSB = full scale / highest code
 *
 * so that rare large currents are clipped where that costs less than a coarser LSB for all. Significance of a column is the factor of its bits in the weight. A layer that no training sample reaches
 * gets the largest possible current.
 */
#include "analog_internal.h"

#include <math.h>
#include <stdlib.h>

#define BINS 4096 /* of current, up to the largest possible one */
/* Noise of calibration is not that of any sample of a run. */
#define FIRST_SAMPLE UINT32_MAX

typedef struct {
    const snn_analog *a;
    uint64_t **histogram; /* [tensors] [inputs of an output][BINS] */
} calibration;

static void observe(void *context, const snn_analog_tensor *t, const int32_t *current, uint32_t rows) {
    const calibration *k = context;
    const double most = snn_analog_most(t), scale = ldexp(BINS / most, -t->exponent),
                 pedestal = rows * t->pedestal * (BINS / most);
    const bool bipolar = t->low < 0;
    for (uint32_t o = 0, i = 0; o < t->map->outputs; o++)
        for (uint32_t j = 0; j < t->code.inputs; j++, i++) {
            double at = current[i] * scale + pedestal;
            at = bipolar ? fabs(at) : at;
            at = at > 0 ? at : 0;
            k->histogram[t->map->tensor][j * BINS + (at < BINS - 1 ? (size_t)at : BINS - 1)]++;
        }
}

static bool sums(void *context, void *scratch, int tensor, uint64_t sample, int step, const snn_spike *input,
                 size_t n, int32_t *sum, snn_error *err) {
    calibration *k = context;
    return snn_analog_read(k->a, scratch, tensor, sample, step, input, n, sum, observe, k, err);
}

/* Full scale with the least error [units], 0: nothing was seen. */
static double best_range(const snn_analog_tensor *t, const uint64_t *histogram) {
    const double width = snn_analog_most(t) / BINS, codes = (double)t->high;
    double weight[BINS], all = 0;
    for (int i = 0; i < BINS; i++) {
        weight[i] = 0;
        for (uint32_t j = 0; j < t->code.inputs; j++)
            weight[i] += (double)t->code.factor[j] * t->code.factor[j] * (double)histogram[j * BINS + i];
        all += weight[i];
    }
    /* From the largest full scale down: moments of the currents beyond it. */
    double beyond = 0, first = 0, second = 0, best = 0, least = INFINITY;
    for (int i = BINS - 1; i >= 0 && all > 0; i--) {
        const double full = (i + 1) * width, lsb = full / codes, middle = (i + 0.5) * width;
        const double error =
            (all - beyond) * lsb * lsb / 12 + second - 2 * full * first + full * full * beyond;
        if (error < least) {
            least = error;
            best = full;
        }
        beyond += weight[i];
        first += weight[i] * middle;
        second += weight[i] * middle * middle;
    }
    return best;
}

static bool run_all(const snn_analog *a, const snn_engine *engine, const snn_spikes *training, size_t n,
                    snn_error *err) {
    int steps = 0;
    for (size_t i = 0; i < n; i++)
        steps = training[i].steps > steps ? training[i].steps : steps;
    snn_result result = {0};
    snn_workspace *w = snn_workspace_new(engine, err);
    bool ok = w != NULL && snn_result_init(&result, a->net, steps, err);
    for (size_t i = 0; ok && i < n; i++)
        ok = snn_engine_run(engine, &training[i], FIRST_SAMPLE - i, w, NULL, &result, err);
    snn_result_free(&result);
    snn_workspace_free(w);
    return ok || snn_error_context(err, "calibration of the converters");
}

static bool watch(calibration *k, const snn_spikes *training, size_t n, snn_error *err) {
    const snn_analog *a = k->a;
    const snn_hook hook = {.context = k, .scratch_bytes = a->hook.scratch_bytes, .sums = sums};
    const snn_engine_options options = {
        .arithmetic = SNN_ARITHMETIC_FLOAT, .simd = snn_simd_best(), .hook = &hook};
    for (int i = 0; i < a->tensors; i++)
        if ((k->histogram[i] = snn_alloc((size_t)a->tensor[i].code.inputs * BINS, sizeof **k->histogram,
                                         "calibration", err)) == NULL)
            return false;
    snn_engine *engine = snn_engine_new(a->net, snn_chip_stored(a->chip), &options, err);
    const bool ok = engine != NULL && run_all(a, engine, training, n, err);
    snn_engine_free(engine);
    return ok;
}

bool snn_analog_calibrate(snn_analog *a, const snn_spikes *training, size_t n, snn_error *err) {
    if (n == 0)
        return snn_fail(
            err, SNN_ERR_USAGE,
            "hw.analog.adc_range = 0 calibrates the converters on training samples, but there are none: "
            "expected a range, such as 1 for the largest current that the parallel rows can give");
    calibration k = {.a = a,
                     .histogram = snn_alloc((size_t)a->tensors, sizeof *k.histogram, "calibration", err)};
    if (k.histogram == NULL)
        return false;
    const bool ok = watch(&k, training, n, err);
    for (int i = 0; i < a->tensors; i++) {
        snn_analog_tensor *t = &a->tensor[i];
        const double range = ok ? best_range(t, k.histogram[i]) : 0;
        if (ok)
            snn_analog_set_range(t, range > 0 ? range : snn_analog_most(t));
        free(k.histogram[i]);
    }
    free(k.histogram);
    return ok;
}
