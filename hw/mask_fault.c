/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults of the decryptor: stuck mask bits, lost entries, upsets. */
#include <snnsim/mask_fault.h>
#include <snnsim/random.h>

/* ---- lasting faults ---- */

static void invert(const snn_rows *r, uint8_t *array, uint32_t row, uint32_t lane, uint32_t bit) {
    array[(size_t)row * r->lanes + lane] ^= (uint8_t)(1u << (r->bits - 1 - bit));
}

void snn_mask_lost(const snn_rows *r, uint8_t *array, const snn_row_bit *keyed) {
    invert(r, array, keyed->row, keyed->lane, keyed->bit);
}

void snn_mask_stuck(const snn_rows *r, uint8_t *array, const snn_row_bit *keyed, size_t keys, uint32_t lane,
                    uint32_t bit, bool level) {
    for (uint32_t row = 0; level && row < r->rows; row++)
        invert(r, array, row, lane, bit);
    for (size_t i = 0; i < keys; i++) /* at 1 they were right, so this takes the inversion back */
        if (keyed[i].lane == lane && keyed[i].bit == bit)
            snn_mask_lost(r, array, &keyed[i]);
}

/* ---- upsets ---- */

/* A row line and the output pixel that its read goes to. */
typedef struct {
    uint32_t line, pixel;
} place;

/* Tap number `tap` of an input of a convolution: which line, and for which output. False when there is no such output, so no such read. */
static bool place_tap(const snn_layer *l, uint32_t input, uint32_t tap, place *p) {
    const uint32_t area = l->in.height * l->in.width, c = input / area, ky = tap / l->kernel,
                   kx = tap % l->kernel;
    const uint32_t y = input % area / l->in.width + l->padding, x = input % area % l->in.width + l->padding;
    if (y < ky || x < kx || (y - ky) % l->stride || (x - kx) % l->stride)
        return false;
    const uint32_t oy = (y - ky) / l->stride, ox = (x - kx) / l->stride;
    *p = (place){(c * l->kernel + ky) * l->kernel + kx, oy * l->out.width + ox};
    return oy < l->out.height && ox < l->out.width;
}

/* The input that holds count number n of a step. */
static uint32_t input_of(const snn_spike *input, uint64_t n) {
    for (; n >= input->count; input++)
        n -= input->count;
    return input->index;
}

/* Mask bit `bit` of output channel `channel` is wrong as line p is read. */
static bool upset(const snn_tensor *t, const place *p, uint32_t channel, uint32_t bit, snn_sum_errors *errors,
                  snn_error *err) {
    const uint64_t i = (uint64_t)channel * (t->count / t->shape[0]) + p->line;
    const uint32_t code = t->type == SNN_CODE_8 ? t->code8[i] : t->code16[i];
    const int32_t q = snn_code_value(t->encoding, t->bits, code ^ 1u << (t->bits - 1 - (int)bit));
    if (!snn_grow((void **)&errors->item, &errors->capacity, errors->n + 1, sizeof *errors->item, err))
        return false;
    errors->item[errors->n++] = (snn_sum_error){channel, p->pixel, q - snn_weight_q(t, i)};
    return true;
}

/* Mask bits are as many in each word, so where and when an upset falls is drawn uniformly over (count of an input, tap, word, lane, bit); taps without output and lanes without neuron are no reads. */
static bool read_upsets(void *context, void *scratch, int tensor, uint64_t sample, int step,
                        const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    (void)scratch;
    const snn_upsets *u = context;
    const snn_tensor *t = &u->weights->tensor[tensor];
    bool recurrent;
    const snn_layer *l = snn_net_tensor_layer(u->net, tensor, &recurrent);
    const bool conv = l->type == SNN_LAYER_CONV2D;
    const uint32_t taps = conv ? l->kernel * l->kernel : 1, outputs = (uint32_t)t->shape[0];
    const uint32_t words = (outputs + u->lanes - 1) / u->lanes;
    uint64_t counts = 0;
    for (size_t i = 0; i < n; i++)
        counts += input[i].count;
    if (counts == 0)
        return true;
    snn_random r;
    snn_random_init(&r, u->seed, SNN_PURPOSE_UPSET, (sample << 24 | (uint64_t)step) << 8 | (uint64_t)tensor);
    const double mean = u->rate * (double)counts * taps * words * u->lanes * u->keyable;
    for (uint32_t k = snn_random_poisson(&r, mean); k > 0; k--) {
        const uint64_t at = snn_random_u64(&r) % counts; /* below 2^40: no bias to be seen */
        const uint32_t tap = snn_random_below(&r, taps);
        const uint32_t channel = snn_random_below(&r, words * u->lanes),
                       bit = snn_random_below(&r, u->keyable);
        place p = {input_of(input, at), 0};
        if (conv && !place_tap(l, p.line, tap, &p))
            continue;
        if (channel < outputs && !upset(t, &p, channel, bit, errors, err))
            return false;
    }
    return true;
}

snn_hook snn_upsets_hook(const snn_upsets *u) {
    return (snn_hook){.context = (void *)(uintptr_t)u, .read = read_upsets};
}
