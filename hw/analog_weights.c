/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which codes add up as currents. A read gives, for each column, the sum of the levels of the cells in the spiking rows. The sum of the weights follows from these only where a weight is a linear
 * function of the levels of its cells. That holds for two's complement with one bit a cell (the top bit counts -2^(b-1)), for offset binary, and for differential pairs; not for a sign bit, which
 * multiplies the others, nor for levels in Gray code.
 */
#include "analog_internal.h"

#include <assert.h>
#include <stdlib.h>

/* ---- from cells to values ---- */

static int32_t common_divisor(int32_t a, int32_t b) {
    while (b != 0) {
        const int32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static bool check_code(const snn_map *m, const snn_map_tensor *t, snn_error *err) {
    const bool several = m->options.cell_bits > 1 && t->bits > 1;
    if (t->bits == 1)
        return true;
    if (t->encoding == SNN_SIGN_MAGNITUDE)
        return snn_fail(err, SNN_ERR_USAGE,
                        "layer '%s' has sign_magnitude codes, whose sign bit no sum of currents can take "
                        "into account: analogue read-out "
                        "needs them as twos_complement or offset_binary (snn_analog_weights), or "
                        "differential pairs (hw.weights = "
                        "\"differential\")",
                        t->name);
    if (several && m->options.gray)
        return snn_fail(
            err, SNN_ERR_USAGE,
            "levels in Gray code do not add up: analogue read-out of %d bits per cell needs hw.gray = false",
            m->options.cell_bits);
    if (several && t->encoding == SNN_TWOS_COMPLEMENT)
        return snn_fail(err, SNN_ERR_USAGE,
                        "layer '%s' has twos_complement codes in cells of %d bits: the sign bit, which "
                        "counts negative, cannot share a "
                        "cell in analogue read-out; it needs offset_binary or hw.cell_bits = 1",
                        t->name, m->options.cell_bits);
    return true;
}

bool snn_analog_code_of(const snn_map *m, const snn_map_tensor *t, snn_analog_code *c, snn_error *err) {
    *c = (snn_analog_code){.inputs = 1, .factor = {1}, .factors = 1, .divisor = 1};
    if (m->options.cell_bits == 0) {
        c->level[0] = 1U << (t->bits - 1); /* the full range of a cell stands for 2^(bits-1) */
        return true;
    }
    if (!check_code(m, t, err))
        return false;
    /* Levels of every cell as multiples of one unit: the last cell may have fewer levels over the same range. */
    c->inputs = t->cells;
    for (uint32_t j = 0; j < t->cells; j++) {
        uint32_t first, n = snn_map_cell_bits(m, t, j, &first);
        const int32_t top = (1 << n) - 1;
        assert(top > 0);
        c->divisor = c->divisor / common_divisor(c->divisor, top) * top;
    }
    c->factors = 0;
    for (uint32_t j = 0; j < t->cells; j++) {
        uint32_t first, n = snn_map_cell_bits(m, t, j, &first);
        c->factor[j] = ((1 << n) - 1) << ((uint32_t)t->bits - first - n);
        if (t->bits == 1)
            c->factor[j] = -2; /* code 0 is +1, code 1 is -1 */
        else if (j == 0 && t->encoding == SNN_TWOS_COMPLEMENT)
            c->factor[j] = -c->factor[j];
        c->factors += c->factor[j];
        c->level[j] = (uint32_t)c->divisor;
    }
    if (t->bits == 1)
        c->per_pulse = 1;
    else if (t->encoding == SNN_OFFSET_BINARY)
        c->per_pulse = -(1 << (t->bits - 1));
    return true;
}

/* ---- weights for such cells ---- */

static snn_encoding encoding_for(const snn_tensor *t, const snn_map_options *o) {
    if (o->cell_bits == 0 || t->bits == 1 || t->encoding == SNN_OFFSET_BINARY)
        return t->encoding;
    return o->cell_bits > 1 ? SNN_OFFSET_BINARY : SNN_TWOS_COMPLEMENT;
}

static void encode(snn_tensor *t, snn_encoding to) {
    for (uint64_t i = 0; i < t->count; i++) {
        const uint32_t code = t->type == SNN_CODE_8 ? t->code8[i] : t->code16[i];
        const uint32_t other = snn_value_code(to, t->bits, snn_code_value(t->encoding, t->bits, code));
        if (t->type == SNN_CODE_8)
            t->code8[i] = (uint8_t)other;
        else
            t->code16[i] = (uint16_t)other;
    }
    t->encoding = to;
}

snn_weights *snn_analog_weights(const snn_weights *stored, const snn_map_options *o, snn_error *err) {
    snn_weights *w = snn_weights_copy(stored, err);
    for (int i = 0; w != NULL && i < w->tensors; i++) {
        snn_tensor *t = &w->tensor[i];
        if (t->type == SNN_FLOAT32) {
            snn_fail(err, SNN_ERR_DATA, "layer '%s' has float weights: cells hold integer codes", t->name);
            snn_weights_free(w);
            return NULL;
        }
        const snn_encoding to = encoding_for(t, o);
        if (to != t->encoding)
            encode(t, to);
    }
    return w;
}
