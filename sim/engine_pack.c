/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: lays weights and neuron parameters out as the kernels read them. */
#include "engine_internal.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows that the inputs of one output have, in the tensor's order; a linear layer on the network's input needs no table. */
static bool order_rows(snn_stage *s, const snn_tensor *t, snn_error *err) {
    const uint32_t pixels = s->in.height * s->in.width, taps = s->kernel * s->kernel;
    const bool linear = s->type == SNN_LAYER_LINEAR;
    if (s->row_of || (linear && s->from_input))
        return true;
    const size_t inputs = (size_t)(t->count / t->shape[0]);
    s->row_of = snn_alloc(inputs, sizeof *s->row_of, "packed weights", err);
    if (!s->row_of)
        return false;
    for (size_t i = 0; i < inputs; i++) {
        const uint32_t at = (uint32_t)i;
        s->row_of[i] = linear ? at % pixels * s->source.pitch + at / pixels /* [c][y][x] -> [y][x][c] */
                              : at % taps * s->source.pitch + at / taps;    /* [c][ky][kx] -> [ky][kx][c] */
    }
    return true;
}

static inline size_t row_of(const snn_stage *s, size_t input) {
    return s->row_of ? s->row_of[input] : input;
}

/* Largest |q|, and the largest sum of |q| over the inputs of one output: they bound every sum. */
static void measure(snn_stage *s, int32_t largest, uint64_t norm) {
    s->magnitude = largest > s->magnitude ? largest : s->magnitude;
    s->norm = norm > s->norm ? norm : s->norm;
}

/* ---- 8-bit codes: decoded by blocks of outputs, then transposed by tiles ---- */

/* 64 bytes are a cache line: a block fills whole lines of `rows`. */
enum { BLOCK = 64, TILE = 8 };

typedef struct {
    int8_t value[256]; /* of each code */
    int8_t *q; /* [BLOCK][stride] values of one output each, in the order of the rows; unused rows are 0 */
    size_t
        stride; /* rows_count and more: an odd number of cache lines, lest 64 outputs meet in one cache set */
} code_block;

/* Values of one output's codes, and what they bound. */
static void decode_output(snn_stage *s, const code_block *b, const uint8_t *code, size_t inputs, int8_t *q) {
    if (s->row_of)
        for (size_t i = 0; i < inputs; i++)
            q[s->row_of[i]] = b->value[code[i]];
    else
        for (size_t i = 0; i < inputs; i++)
            q[i] = b->value[code[i]];
    uint8_t most = 0;
    uint64_t norm = 0;
    for (size_t i = 0; i < s->rows_count; i++) {
        const uint8_t magnitude = (uint8_t)abs(q[i]);
        most = magnitude > most ? magnitude : most;
        norm += magnitude;
    }
    measure(s, most, norm);
}

/* Byte k of memory in bits 8k..8k+7, on any machine. */
static inline uint64_t load8(const int8_t *p) {
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return le64toh(x);
}

static inline void store8(int8_t *p, uint64_t x) {
    x = htole64(x);
    memcpy(p, &x, sizeof x);
}

/* Exchanges the upper `bits` of each pair of bits-wide fields of a with the lower ones of b. */
static inline void exchange(uint64_t *a, uint64_t *b, int bits, uint64_t lower) {
    const uint64_t x = (*a >> bits ^ *b) & lower;
    *a ^= x << bits;
    *b ^= x;
}

/* rows[r][o] = q[o][r] for 8 outputs and `rows` <= 8 rows. */
static inline void transpose_tile(const int8_t *q, size_t stride, int8_t *to, size_t row_bytes, size_t rows) {
    uint64_t x[TILE];
    for (size_t o = 0; o < TILE; o++)
        x[o] = load8(q + o * stride);
    for (int i = 0; i < 4; i++)
        exchange(&x[i], &x[i + 4], 32, UINT64_C(0x00000000ffffffff));
    for (int i = 0; i < 8; i += 4)
        for (int k = 0; k < 2; k++)
            exchange(&x[i + k], &x[i + k + 2], 16, UINT64_C(0x0000ffff0000ffff));
    for (int i = 0; i < 8; i += 2)
        exchange(&x[i], &x[i + 1], 8, UINT64_C(0x00ff00ff00ff00ff));
    for (size_t r = 0; r < rows; r++)
        store8(to + r * row_bytes, x[r]);
}

static void store_block(snn_stage *s, const code_block *b, uint32_t first, uint32_t outputs,
                        const snn_kernels *k) {
    uint32_t position[BLOCK / TILE];
    for (uint32_t o = 0; o < outputs; o += TILE)
        position[o / TILE] = k->position(first + o, s->outputs);
    for (size_t row = 0; row < s->rows_count; row += TILE) {
        const size_t rows = s->rows_count - row < TILE ? s->rows_count - row : TILE;
        for (uint32_t o = 0; o < outputs; o += TILE)
            transpose_tile(b->q + o * b->stride + row, b->stride,
                           s->rows + row * s->outputs + position[o / TILE], s->outputs, rows);
    }
    if (!s->dense)
        return;
    for (size_t row = 0; row < s->rows_count; row += 4)
        for (uint32_t o = 0; o < outputs; o++)
            memcpy(s->dense + row * s->outputs + (first + o) * 4, b->q + o * b->stride + row, 4);
}

static bool pack8(snn_stage *s, const snn_tensor *t, const snn_kernels *k, snn_error *err) {
    code_block b = {.stride = ((s->rows_count + BLOCK - 1) / BLOCK | 1) * BLOCK};
    const size_t inputs = (size_t)(t->count / t->shape[0]);
    const uint32_t outputs = s->out.channels;
    b.q = snn_alloc(b.stride, BLOCK, "packed weights", err);
    if (!b.q)
        return false;
    for (uint32_t code = 0; code < UINT32_C(1) << t->bits; code++)
        b.value[code] = (int8_t)snn_code_value(t->encoding, t->bits, code);
    for (uint32_t first = 0; first < outputs; first += BLOCK) {
        const uint32_t n = outputs - first < BLOCK ? outputs - first : BLOCK,
                       tiled = (n + TILE - 1) / TILE * TILE;
        for (uint32_t o = 0; o < n; o++)
            decode_output(s, &b, t->code8 + (first + o) * inputs, inputs, b.q + o * b.stride);
        memset(b.q + n * b.stride, 0, (tiled - n) * b.stride);
        store_block(s, &b, first, tiled, k);
    }
    free(b.q);
    return true;
}

/* ---- wider codes and floats, for imported networks: as they come ---- */

static void pack16(snn_stage *s, const snn_tensor *t) {
    const size_t inputs = (size_t)(t->count / t->shape[0]);
    for (uint32_t o = 0; o < s->out.channels; o++) {
        uint64_t norm = 0;
        for (size_t i = 0; i < inputs; i++) {
            const int32_t q = snn_weight_q(t, o * inputs + i);
            s->rows16[row_of(s, i) * s->outputs + o] = (int16_t)q;
            norm += (uint64_t)abs(q);
            measure(s, abs(q), norm);
        }
    }
}

static void pack_float(snn_stage *s, const snn_tensor *t) {
    const size_t inputs = (size_t)(t->count / t->shape[0]);
    for (uint32_t o = 0; o < s->out.channels; o++)
        for (size_t i = 0; i < inputs; i++)
            s->rows_float[row_of(s, i) * s->outputs + o] = t->value[o * inputs + i];
}

static bool allocate_rows(snn_stage *s, const snn_tensor *t, bool dense, snn_error *err) {
    const size_t lines = s->type == SNN_LAYER_LINEAR
                             ? (s->from_input ? snn_shape_size(s->in) : s->source.bytes)
                             : (size_t)s->kernel * s->kernel * s->source.pitch;
    const size_t item = t->type == SNN_CODE_8 ? 1 : t->type == SNN_CODE_16 ? 2 : 4;
    s->rows_count = (lines + 3) / 4 * 4;
    s->code_type = t->type;
    s->row_bytes = s->outputs * item;
    void *rows = snn_alloc(s->rows_count, s->row_bytes, "packed weights", err);
    if (t->type == SNN_CODE_8)
        s->rows = rows;
    else if (t->type == SNN_CODE_16)
        s->rows16 = rows;
    else
        s->rows_float = rows;
    if (!rows)
        return false;
    if (dense && t->type == SNN_CODE_8)
        s->dense = snn_alloc(s->rows_count, s->row_bytes, "packed weights", err);
    return !dense || t->type != SNN_CODE_8 || s->dense;
}

bool snn_stage_pack(snn_stage *s, const snn_tensor *t, const snn_engine *e, bool dense, snn_error *err) {
    const bool again = s->rows || s->rows16 || s->rows_float;
    if (again && t->type != s->code_type)
        return snn_fail(err, SNN_ERR_DATA, "layer %s: weights of another type than the engine was built for",
                        t->name);
    if ((!again && !allocate_rows(s, t, dense, err)) || !order_rows(s, t, err))
        return snn_error_context(err, "layer %s", t->name);
    s->magnitude = 1;
    s->norm = 1;
    if (s->rows && !pack8(s, t, e->kernels, err))
        return snn_error_context(err, "layer %s", t->name);
    if (s->rows16)
        pack16(s, t);
    if (s->rows_float)
        pack_float(s, t);
    return true;
}

/* ---- neurons ---- */

/* Beyond 32 bit it can never be reached, so the largest number stands for it. */
int32_t snn_fixed_threshold(float theta, float unit) {
    const double t = floor(64.0 * (double)theta / (double)unit);
    return t >= (double)INT32_MAX ? INT32_MAX : (int32_t)t;
}

bool snn_fixed_bias(const snn_layer *layer, uint32_t c, float unit, int32_t *out, snn_error *err) {
    const double b = nearbyint(64.0 * (double)layer->bias[c] / (double)unit);
    *out = (int32_t)(fabs(b) <= SNN_FIXED_BIAS ? b : 0);
    return fabs(b) <= SNN_FIXED_BIAS ||
           snn_fail(
               err, SNN_ERR_DATA,
               "layer %s: bias %g of output %u is beyond 2^22 weight LSB, too large for fixed arithmetic",
               layer->name, (double)layer->bias[c], c);
}

static bool allocate_neurons(snn_stage *s, const snn_layer *layer, snn_error *err) {
    const char *what = "neuron parameters";
    const uint32_t n = s->outputs;
    return (s->factor = snn_alloc(n, sizeof *s->factor, what, err)) &&
           (!s->fine || (s->factor_fine = snn_alloc(n, sizeof *s->factor_fine, what, err))) &&
           (s->threshold_fixed = snn_alloc(n, sizeof *s->threshold_fixed, what, err)) &&
           (!layer->bias || ((s->bias = snn_alloc(n, sizeof *s->bias, what, err)) &&
                             (s->bias_fixed = snn_alloc(n, sizeof *s->bias_fixed, what, err))));
}

bool snn_stage_pack_neurons(snn_stage *s, const snn_layer *layer, const snn_tensor *t, float input_factor,
                            snn_arithmetic a, snn_error *err) {
    const uint32_t n = s->outputs;
    s->neuron = layer->neuron;
    if (s->single)
        return snn_stage_pack_each(s, layer, t, input_factor, a, err);
    if (!s->factor && !allocate_neurons(s, layer, err))
        return false;
    s->decay_fixed = (int32_t)lrint(4096.0 * (double)layer->neuron.decay);
    for (uint32_t j = 0; j < n; j++) {
        s->threshold_fixed[j] = INT32_MAX; /* padding never fires */
        if (j >= s->out.channels)
            continue;
        const float scale = t->scales == 0 ? 1.0f : t->scale[t->scales == 1 ? 0 : j];
        const float lsb = scale * input_factor; /* what one unit of the sum is worth */
        s->factor[j] = lsb * layer->neuron.gain;
        if (s->fine)
            s->factor_fine[j] = s->factor[j] / 64; /* exact */
        if (layer->bias)
            s->bias[j] = layer->bias[j] * layer->neuron.gain;
        if (a == SNN_ARITHMETIC_FLOAT)
            continue;
        s->threshold_fixed[j] = snn_fixed_threshold(layer->neuron.threshold, s->factor[j]);
        if (layer->bias && !snn_fixed_bias(layer, j, lsb, &s->bias_fixed[j], err))
            return false;
    }
    return true;
}

/* ---- fan-out ---- */

/* Synapses of one packed row that are not zero (padding is). */
static uint32_t row_nonzero(const snn_stage *s, size_t row) {
    const size_t first = row * s->outputs;
    uint32_t nonzero = 0;
    if (s->rows)
        for (uint32_t j = 0; j < s->outputs; j++)
            nonzero += s->rows[first + j] != 0;
    else if (s->rows16)
        for (uint32_t j = 0; j < s->outputs; j++)
            nonzero += s->rows16[first + j] != 0;
    else
        for (uint32_t j = 0; j < s->outputs; j++)
            nonzero += s->rows_float[first + j] != 0;
    return nonzero;
}

/* Fan-out of every input of a convolution: the outputs whose windows contain it, one kernel tap each. */
static void count_conv(snn_stage *s, const uint32_t *tap_nonzero) {
    const size_t area = (size_t)s->in.height * s->in.width;
    for (uint32_t y = 0; y < s->in.height; y++)
        for (uint32_t x = 0; x < s->in.width; x++)
            for (uint32_t ky = 0; ky < s->kernel; ky++)
                for (uint32_t kx = 0; kx < s->kernel; kx++) {
                    const uint32_t py = y + s->padding, px = x + s->padding;
                    if (py < ky || px < kx || (py - ky) % s->stride || (px - kx) % s->stride ||
                        (py - ky) / s->stride >= s->out.height || (px - kx) / s->stride >= s->out.width)
                        continue;
                    const uint32_t *tap = tap_nonzero + (size_t)(ky * s->kernel + kx) * s->source.pitch;
                    const size_t at = s->from_input ? (size_t)y * s->in.width + x
                                                    : ((size_t)py * s->source.width + px) * s->source.pitch,
                                 step = s->from_input ? area : 1;
                    for (uint32_t c = 0; c < s->in.channels; c++) {
                        s->fan_out[at + c * step] += s->out.channels;
                        s->fan_out_nonzero[at + c * step] += tap[c];
                    }
                }
}

bool snn_stage_count_fan_out(snn_stage *s, snn_error *err) {
    const size_t positions = s->from_input ? snn_shape_size(s->in) : s->source.bytes;
    if (!s->fan_out) {
        s->fan_out = snn_alloc(positions, sizeof *s->fan_out, "fan-out table", err);
        s->fan_out_nonzero = snn_alloc(positions, sizeof *s->fan_out_nonzero, "fan-out table", err);
    }
    uint32_t *nonzero = snn_alloc(s->rows_count, sizeof *nonzero, "fan-out table", err);
    if (!s->fan_out || !s->fan_out_nonzero || !nonzero) {
        free(nonzero);
        return false;
    }
    for (size_t row = 0; row < s->rows_count; row++)
        nonzero[row] = row_nonzero(s, row);
    memset(s->fan_out, 0, positions * sizeof *s->fan_out);
    memset(s->fan_out_nonzero, 0, positions * sizeof *s->fan_out_nonzero);
    if (s->type == SNN_LAYER_CONV2D)
        count_conv(s, nonzero);
    for (size_t i = 0; s->type == SNN_LAYER_LINEAR && i < snn_shape_size(s->in); i++) {
        s->fan_out[row_of(s, i)] = s->out.channels;
        s->fan_out_nonzero[row_of(s, i)] = nonzero[row_of(s, i)];
    }
    free(nonzero);
    return true;
}
