/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: lays weights and neuron parameters out as the kernels read them. */
#include "engine_internal.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* Row of the packed weights that input i (C order) of a linear layer, or kernel tap (ky, kx) of channel c of a convolution, has. */
static size_t linear_row(const snn_stage *s, uint32_t i) {
    if (s->from_input)
        return i;
    const uint32_t pixels = s->in.height * s->in.width;
    return (size_t)(i % pixels) * s->source.pitch + i / pixels;
}

static size_t conv_row(const snn_stage *s, uint32_t c, uint32_t ky, uint32_t kx) {
    return (size_t)(ky * s->kernel + kx) * s->source.pitch + c;
}

/* Calls put(row, output, weight index) for each weight. */
typedef void put_weight(snn_stage *s, const snn_tensor *t, size_t row, uint32_t output, uint64_t index,
                        const snn_kernels *k);

static void each_weight(snn_stage *s, const snn_tensor *t, const snn_kernels *k, put_weight *put) {
    uint64_t index = 0;
    if (s->type == SNN_LAYER_LINEAR) {
        const uint32_t inputs = snn_shape_size(s->in);
        for (uint32_t o = 0; o < s->out.channels; o++)
            for (uint32_t i = 0; i < inputs; i++)
                put(s, t, linear_row(s, i), o, index++, k);
        return;
    }
    for (uint32_t o = 0; o < s->out.channels; o++)
        for (uint32_t c = 0; c < s->in.channels; c++)
            for (uint32_t ky = 0; ky < s->kernel; ky++)
                for (uint32_t kx = 0; kx < s->kernel; kx++)
                    put(s, t, conv_row(s, c, ky, kx), o, index++, k);
}

static void put_code8(snn_stage *s, const snn_tensor *t, size_t row, uint32_t output, uint64_t index,
                      const snn_kernels *k) {
    const int32_t q = snn_weight_q(t, index);
    s->rows[row * s->outputs + k->position(output, s->outputs)] = (int8_t)q;
    if (s->dense)
        s->dense[(row / 4 * s->outputs + output) * 4 + row % 4] = (int8_t)q;
}

static void put_code16(snn_stage *s, const snn_tensor *t, size_t row, uint32_t output, uint64_t index,
                       const snn_kernels *k) {
    (void)k;
    s->rows16[row * s->outputs + output] = (int16_t)snn_weight_q(t, index);
}

static void put_float(snn_stage *s, const snn_tensor *t, size_t row, uint32_t output, uint64_t index,
                      const snn_kernels *k) {
    (void)k;
    s->rows_float[row * s->outputs + output] = t->value[index];
}

/* Largest |q|, and the largest sum of |q| over the inputs of one output: they bound every sum. */
static void measure(snn_stage *s, const snn_tensor *t) {
    const uint64_t fan_in = t->count / t->shape[0];
    s->magnitude = 1;
    s->norm = 1;
    for (uint64_t o = 0, i = 0; o < t->shape[0]; o++) {
        uint64_t norm = 0;
        for (uint64_t k = 0; k < fan_in; k++, i++) {
            const int32_t q = abs(snn_weight_q(t, i));
            s->magnitude = q > s->magnitude ? q : s->magnitude;
            norm += (uint64_t)q;
        }
        s->norm = norm > s->norm ? norm : s->norm;
    }
}

bool snn_stage_pack(snn_stage *s, const snn_tensor *t, const snn_engine *e, bool dense, snn_error *err) {
    const size_t lines = s->type == SNN_LAYER_LINEAR
                             ? (s->from_input ? snn_shape_size(s->in) : s->source.bytes)
                             : (size_t)s->kernel * s->kernel * s->source.pitch;
    s->rows_count = (lines + 3) / 4 * 4;
    s->code_type = t->type;
    const size_t item = t->type == SNN_CODE_8 ? 1 : t->type == SNN_CODE_16 ? 2 : 4;
    s->row_bytes = s->outputs * item;
    void *rows = NULL;
    if (s->rows_count > SIZE_MAX / s->outputs ||
        !(rows = snn_alloc(s->rows_count * s->outputs, item, "packed weights", err)))
        return rows ? false : snn_error_context(err, "layer %s", t->name);
    switch (t->type) {
    case SNN_CODE_8:
        s->rows = rows;
        if (dense && !(s->dense = snn_alloc(s->rows_count * s->outputs, 1, "packed weights", err)))
            return snn_error_context(err, "layer %s", t->name);
        measure(s, t);
        each_weight(s, t, e->kernels, put_code8);
        break;
    case SNN_CODE_16:
        s->rows16 = rows;
        measure(s, t);
        each_weight(s, t, e->kernels, put_code16);
        break;
    case SNN_FLOAT32:
        s->rows_float = rows;
        each_weight(s, t, e->kernels, put_float);
        break;
    }
    return true;
}

/* theta in 1/64 of a weight LSB, rounded down; beyond 32 bit it can never be reached, so the largest number stands for it. */
static int32_t fixed_threshold(const snn_neuron *n, float lsb) {
    const double theta = floor(64.0 * (double)n->threshold / (double)lsb);
    return theta >= (double)INT32_MAX ? INT32_MAX : (int32_t)theta;
}

static bool fixed_bias(float bias, float lsb, int32_t *out) {
    const double b = nearbyint(64.0 * (double)bias / (double)lsb);
    *out = (int32_t)(fabs(b) <= SNN_FIXED_BIAS ? b : 0);
    return fabs(b) <= SNN_FIXED_BIAS;
}

bool snn_stage_pack_neurons(snn_stage *s, const snn_layer *layer, const snn_tensor *t, float input_factor,
                            snn_arithmetic a, snn_error *err) {
    const uint32_t n = s->outputs;
    s->neuron = layer->neuron;
    s->factor = snn_alloc(n, sizeof *s->factor, "neuron parameters", err);
    s->bias = layer->bias ? snn_alloc(n, sizeof *s->bias, "neuron parameters", err) : NULL;
    s->threshold_fixed = snn_alloc(n, sizeof *s->threshold_fixed, "neuron parameters", err);
    s->bias_fixed = layer->bias ? snn_alloc(n, sizeof *s->bias_fixed, "neuron parameters", err) : NULL;
    if (!s->factor || !s->threshold_fixed || (layer->bias && (!s->bias || !s->bias_fixed)))
        return false;
    s->decay_fixed = (int32_t)lrint(4096.0 * (double)layer->neuron.decay);
    for (uint32_t j = 0; j < n; j++) {
        s->threshold_fixed[j] = INT32_MAX; /* padding never fires */
        if (j >= s->out.channels)
            continue;
        const float scale = t->scales == 0 ? 1.0f : t->scale[t->scales == 1 ? 0 : j];
        const float lsb = scale * input_factor; /* what one unit of the sum is worth */
        s->factor[j] = lsb * layer->neuron.gain;
        if (layer->bias)
            s->bias[j] = layer->bias[j] * layer->neuron.gain;
        if (a == SNN_ARITHMETIC_FLOAT)
            continue;
        s->threshold_fixed[j] = fixed_threshold(&layer->neuron, s->factor[j]);
        if (layer->bias && !fixed_bias(layer->bias[j], lsb, &s->bias_fixed[j]))
            return snn_fail(
                err, SNN_ERR_DATA,
                "layer %s: bias %g of output %u is beyond 2^22 weight LSB, too large for fixed arithmetic",
                layer->name, (double)layer->bias[j], j);
    }
    return true;
}

/* Fan-out of every input of a convolution: the outputs whose windows contain it, one kernel tap each. */
static void count_conv(snn_stage *s, const snn_tensor *t, uint32_t *tap_nonzero) {
    const uint64_t taps = (uint64_t)s->kernel * s->kernel;
    for (uint64_t i = 0; i < t->count; i++) /* [out][c][ky][kx] -> [c][ky][kx] */
        tap_nonzero[i % (s->in.channels * taps)] +=
            t->type == SNN_FLOAT32 ? t->value[i] != 0 : snn_weight_q(t, i) != 0;
    for (uint32_t y = 0; y < s->in.height; y++)
        for (uint32_t x = 0; x < s->in.width; x++)
            for (uint32_t ky = 0; ky < s->kernel; ky++)
                for (uint32_t kx = 0; kx < s->kernel; kx++) {
                    const uint32_t py = y + s->padding, px = x + s->padding;
                    if (py < ky || px < kx || (py - ky) % s->stride || (px - kx) % s->stride ||
                        (py - ky) / s->stride >= s->out.height || (px - kx) / s->stride >= s->out.width)
                        continue;
                    for (uint32_t c = 0; c < s->in.channels; c++) {
                        const size_t at = s->from_input
                                              ? ((size_t)c * s->in.height + y) * s->in.width + x
                                              : ((size_t)py * s->source.width + px) * s->source.pitch + c;
                        s->fan_out[at] += s->out.channels;
                        s->fan_out_nonzero[at] += tap_nonzero[(c * s->kernel + ky) * s->kernel + kx];
                    }
                }
}

bool snn_stage_count_fan_out(snn_stage *s, const snn_tensor *t, snn_error *err) {
    const size_t positions = s->from_input ? snn_shape_size(s->in) : s->source.bytes;
    s->fan_out = snn_alloc(positions, sizeof *s->fan_out, "fan-out table", err);
    s->fan_out_nonzero = snn_alloc(positions, sizeof *s->fan_out_nonzero, "fan-out table", err);
    if (!s->fan_out || !s->fan_out_nonzero)
        return false;
    if (s->type == SNN_LAYER_CONV2D) {
        uint32_t *tap_nonzero = snn_alloc((size_t)s->in.channels * s->kernel * s->kernel, sizeof *tap_nonzero,
                                          "fan-out table", err);
        if (!tap_nonzero)
            return false;
        count_conv(s, t, tap_nonzero);
        free(tap_nonzero);
        return true;
    }
    const uint32_t inputs = snn_shape_size(s->in);
    for (uint32_t i = 0; i < inputs; i++) {
        const size_t at = linear_row(s, i);
        s->fan_out[at] = s->out.channels;
        for (uint32_t o = 0; o < s->out.channels; o++) {
            const uint64_t index = (uint64_t)o * inputs + i;
            s->fan_out_nonzero[at] +=
                t->type == SNN_FLOAT32 ? t->value[index] != 0 : snn_weight_q(t, index) != 0;
        }
    }
    return true;
}
