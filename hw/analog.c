/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Analogue read-out of a chip: putting its parts together. */
#include "analog_internal.h"
#include "read_internal.h"

#include <snnsim/random.h>

#include <stdlib.h>
#include <string.h>

static bool sums(void *context, void *scratch, int tensor, uint64_t sample, int step, const snn_spike *input,
                 size_t n, int32_t *sum, snn_error *err) {
    return snn_analog_read(context, scratch, tensor, sample, step, input, n, sum, NULL, NULL, err);
}

static uint32_t parallel_rows(const snn_analog *a, const snn_map_tensor *m) {
    const uint32_t rows = a->map->options.rows < m->fan_in ? a->map->options.rows : m->fan_in;
    const uint32_t asked = a->o->analog.parallel_rows;
    return asked == 0 || asked > rows ? rows : asked;
}

static bool make_tensor(snn_analog *a, int i, snn_error *err) {
    snn_analog_tensor *t = &a->tensor[i];
    t->map = &a->map->tensor[i];
    t->view = snn_net_tensor_view(a->net, t->map->tensor);
    t->layer = &t->view;
    t->parallel = parallel_rows(a, t->map);
    t->slow.acts = snn_analog_slow_acts(a);
    t->counters = snn_alloc(1, sizeof *t->counters, "counters", err);
    return t->counters != NULL && snn_analog_code_of(a->map, t->map, &t->code, err) &&
           snn_analog_cells(a, t, err) && snn_analog_baseline(a, t, err) && snn_analog_slow_init(a, t, err) &&
           snn_analog_converters(a, t, err);
}

static bool set_ranges(snn_analog *a, const snn_spikes *training, size_t n, snn_error *err) {
    const snn_analog_options *o = &a->o->analog;
    if (o->adc_bits == 0)
        return true;
    if (!(o->adc_range > 0)) {
        if (!snn_analog_calibrate(a, training, n, err))
            return false;
        for (int i = 0; i < a->tensors; i++)
            memset(a->tensor[i].counters, 0, sizeof *a->tensor[i].counters); /* nobody else has them yet */
        return true;
    }
    for (int i = 0; i < a->tensors; i++)
        snn_analog_set_range(&a->tensor[i], o->adc_range * snn_analog_most(&a->tensor[i]));
    return true;
}

static bool make(snn_analog *a, const snn_spikes *training, size_t n, snn_error *err) {
    a->tensor = snn_analog_wires_known(a, err)
                    ? snn_alloc((size_t)a->map->tensors, sizeof *a->tensor, "analogue read-out", err)
                    : NULL;
    if (a->tensor == NULL)
        return false;
    a->tensors = a->map->tensors;
    for (int i = 0; i < a->tensors; i++)
        if (!make_tensor(a, i, err))
            return false;
    a->hook.context = a;
    a->hook.sums = sums;
    return snn_analog_scratch_size(a, err) && set_ranges(a, training, n, err);
}

snn_analog *snn_analog_new(const snn_chip *chip, const snn_hw_options *o, const snn_condition *when,
                           const snn_net *net, const snn_spikes *training, size_t n, snn_error *err) {
    snn_analog *a = snn_alloc(1, sizeof *a, "analogue read-out", err);
    if (a == NULL)
        return NULL;
    a->chip = chip;
    a->map = snn_chip_map(chip);
    a->o = o;
    a->net = net;
    a->when = *when;
    a->kernels = snn_analog_kernels_for(snn_simd_best());
    a->slow_seed = snn_slow_seed(snn_chip_seed(chip), snn_chip_number(chip));
    snn_random r;
    snn_random_init(&r, snn_chip_seed(chip), SNN_PURPOSE_READ, snn_chip_number(chip));
    a->read_seed = snn_random_u64(&r);
    if (!make(a, training, n, err)) {
        snn_analog_free(a);
        return NULL;
    }
    return a;
}

static void free_tensor(snn_analog_tensor *t) {
    for (uint32_t i = 0; t->circuit != NULL && i < t->map->row_tiles * t->map->column_tiles; i++)
        snn_circuit_fast_free(t->circuit[i]);
    free(t->circuit);
    free(t->cell);
    free(t->siemens);
    free(t->gain);
    free(t->offset);
    free(t->baseline);
    free(t->counters);
    snn_analog_slow_free(&t->slow);
}

void snn_analog_free(snn_analog *a) {
    if (a == NULL)
        return;
    for (int i = 0; a->tensor != NULL && i < a->tensors; i++)
        free_tensor(&a->tensor[i]);
    free(a->tensor);
    free(a);
}

const snn_hook *snn_analog_hook(const snn_analog *a) {
    return &a->hook;
}
