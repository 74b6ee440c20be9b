/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of analogue read-out share: a small network on a chip, its hook called directly, and the sums that it should give. */
#ifndef ANALOG_TEST_H
#define ANALOG_TEST_H

#include "../../hw/analog_internal.h"
#include "chip_test.h"

#include <snnsim/random.h>

typedef struct {
    snn_net *net;
    snn_weights *codes, *stored; /* as given; as analogue cells hold them */
    snn_map *map;
    snn_hw_options o;
    snn_chip *chip;
    snn_analog *analog;
    void *scratch;
} analog_rig;

/* Codes of all values. Cells at 1 and 41 uS without spread, ideal converters, no wires. */
static inline void analog_init(analog_rig *r, const char *layers, snn_shape input, int bits,
                               snn_encoding encoding, snn_map_options m) {
    snn_error err = {0};
    *r = (analog_rig){.net = test_net(layers, input)};
    r->codes = test_codes(r->net, bits, encoding, 1);
    for (int t = 0; t < r->codes->tensors; t++) /* scattered: no two columns or rows alike */
        for (uint64_t i = 0; i < r->codes->tensor[t].count; i++)
            r->codes->tensor[t].code8[i] =
                (uint8_t)((uint32_t)(i + (uint64_t)t) * 2654435761U >> 20 & ((1U << bits) - 1));
    r->stored = snn_analog_weights(r->codes, &m, &err);
    assert_non_null(r->stored);
    r->map = test_map(r->net, r->stored, m);
    r->o = (snn_hw_options){
        .map = m,
        .readout = SNN_READOUT_ANALOG,
        .seed = 7,
        .device = {.name = "test",
                   .g_min = 1,
                   .g_max = 41,
                   .levels = 16,
                   .t0 = 1,
                   .stuck_cluster = 1,
                   .reference_kelvin = 300},
        .condition = {.seconds = 1, .kelvin = 300, .effects = ALL_EFFECTS, .verify_pulses = 20},
        .analog = {.columns_per_adc = 8}};
}

/* Programs chip `number` and makes its read-out; r->analog is NULL after an error. */
static inline bool analog_build(analog_rig *r, uint64_t number, const snn_spikes *training, size_t n,
                                snn_error *err) {
    r->chip = snn_chip_program(r->map, &r->o, r->stored, number, err);
    assert_non_null(r->chip);
    r->analog = snn_analog_new(r->chip, &r->o, &r->o.condition, r->net, training, n, err);
    if (r->analog == NULL)
        return false;
    r->scratch = snn_alloc(snn_analog_hook(r->analog)->scratch_bytes, 1, "scratch", err);
    assert_non_null(r->scratch);
    return true;
}

static inline void analog_must_build(analog_rig *r) {
    snn_error err = {0};
    if (!analog_build(r, 0, NULL, 0, &err))
        fail_msg("%s", err.text);
}

static inline void analog_drop(analog_rig *r) {
    free(r->scratch);
    snn_analog_free(r->analog);
    snn_chip_free(r->chip);
    r->scratch = NULL, r->analog = NULL, r->chip = NULL;
}

static inline void analog_free(analog_rig *r) {
    analog_drop(r);
    snn_map_free(r->map);
    snn_weights_free(r->stored);
    snn_weights_free(r->codes);
    snn_net_free(r->net);
}

static inline const snn_layer *analog_layer(const analog_rig *r, int tensor) {
    return &r->net->layer[r->map->tensor[tensor].layer];
}

/* Sums of one step, [pixels][channels]; free() them. */
static inline int32_t *analog_sums(analog_rig *r, int tensor, uint64_t sample, int step,
                                   const snn_spike *input, size_t n) {
    snn_error err = {0};
    const snn_hook *h = snn_analog_hook(r->analog);
    int32_t *sum = calloc(snn_shape_size(analog_layer(r, tensor)->out), sizeof *sum);
    assert_non_null(sum);
    if (!h->sums(h->context, r->scratch, tensor, sample, step, input, n, sum, &err))
        fail_msg("%s", err.text);
    return sum;
}

/* Weight of output channel `o` from fan-in line `line`. */
static inline int32_t analog_q(const analog_rig *r, int tensor, uint32_t o, uint32_t line) {
    return snn_weight_q(&r->codes->tensor[tensor], (uint64_t)o * r->map->tensor[tensor].fan_in + line);
}

/* The plain sum of an output, straight from the definition of the layer; count [inputs]. */
static inline int64_t analog_plain(const analog_rig *r, int tensor, const uint32_t *count, uint32_t o,
                                   uint32_t oy, uint32_t ox) {
    const snn_layer *l = analog_layer(r, tensor);
    int64_t sum = 0;
    if (l->type == SNN_LAYER_LINEAR) {
        for (uint32_t i = 0; i < snn_shape_size(l->in); i++)
            sum += (int64_t)count[i] * analog_q(r, tensor, o, i);
        return sum;
    }
    for (uint32_t c = 0; c < l->in.channels; c++)
        for (uint32_t ky = 0; ky < l->kernel; ky++)
            for (uint32_t kx = 0; kx < l->kernel; kx++) {
                const int y = (int)(oy * l->stride + ky) - (int)l->padding,
                          x = (int)(ox * l->stride + kx) - (int)l->padding;
                if (y >= 0 && x >= 0 && y < (int)l->in.height && x < (int)l->in.width)
                    sum += (int64_t)count[(c * l->in.height + (uint32_t)y) * l->in.width + (uint32_t)x] *
                           analog_q(r, tensor, o, (c * l->kernel + ky) * l->kernel + kx);
            }
    return sum;
}

/* Random counts: share of the inputs that spike in 1/256, counts 1..most. Returns the list's length; count [size]. */
static inline size_t analog_input(uint64_t seed, uint32_t size, uint32_t share, uint32_t most,
                                  uint32_t *count, snn_spike *list) {
    snn_random r;
    size_t n = 0;
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 99);
    for (uint32_t i = 0; i < size; i++) {
        count[i] = snn_random_below(&r, 256) < share ? 1 + snn_random_below(&r, most) : 0;
        if (count[i] > 0)
            list[n++] = (snn_spike){i, count[i]};
    }
    return n;
}

#define BITWISE(r, c, per_cell) ((snn_map_options){.rows = (r), .columns = (c), .cell_bits = (per_cell)})

#endif
