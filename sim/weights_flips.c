/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bit flips on stored codes, and what they do to values. */
#include "weights_internal.h"

#include <inttypes.h>
#include <stdlib.h>

static bool check_flip(const snn_weights *w, const snn_flip *f, size_t i, snn_error *err) {
    if (f->tensor >= (uint32_t)w->tensors)
        return snn_fail(err, SNN_ERR_DATA, "flip %zu is in tensor %u, but there are only %d", i, f->tensor,
                        w->tensors);
    const snn_tensor *t = &w->tensor[f->tensor];
    if (t->type == SNN_FLOAT32)
        return snn_fail(err, SNN_ERR_DATA,
                        "flip %zu is in layer '%s', whose weights are floats and have no code", i, t->name);
    if (f->index >= t->count)
        return snn_fail(err, SNN_ERR_DATA,
                        "flip %zu is at weight %" PRIu64 " of layer '%s', which has %" PRIu64, i, f->index,
                        t->name, t->count);
    if (f->bit >= (uint32_t)t->bits)
        return snn_fail(err, SNN_ERR_DATA, "flip %zu is at bit %u of layer '%s', whose codes have %d bits", i,
                        f->bit, t->name, t->bits);
    return true;
}

/* The flipped bit in its place in the code: bit 0 of an address is the most significant one. */
static uint32_t flip_mask(const snn_tensor *t, uint32_t bit) {
    return UINT32_C(1) << ((uint32_t)t->bits - 1 - bit);
}

snn_weights *snn_weights_apply(const snn_weights *w, const snn_flips *flips, snn_error *err) {
    for (size_t i = 0; i < flips->n; i++)
        if (!check_flip(w, &flips->flip[i], i, err))
            return NULL;
    snn_weights *out = snn_weights_copy(w, err);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < flips->n; i++) {
        const snn_flip *f = &flips->flip[i];
        snn_tensor *t = &out->tensor[f->tensor];
        if (t->type == SNN_CODE_8)
            t->code8[f->index] ^= (uint8_t)flip_mask(t, f->bit);
        else
            t->code16[f->index] ^= (uint16_t)flip_mask(t, f->bit);
    }
    return out;
}

static int by_address(const void *a, const void *b) {
    const snn_delta *x = a, *y = b;
    if (x->tensor != y->tensor)
        return x->tensor < y->tensor ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

bool snn_weights_flip_masks(const snn_weights *w, const snn_flips *flips, snn_delta *delta, size_t *n,
                            snn_error *err) {
    if (*n < flips->n)
        return snn_fail(err, SNN_ERR_RUNTIME, "room for %zu deltas, but there are %zu flips", *n, flips->n);
    bool sorted = true; /* searches mostly hand them in so */
    for (size_t i = 0; i < flips->n; i++) {
        const snn_flip *f = &flips->flip[i];
        if (!check_flip(w, f, i, err))
            return false;
        delta[i] = (snn_delta){f->tensor, (int32_t)flip_mask(&w->tensor[f->tensor], f->bit), f->index};
        sorted = sorted && (i == 0 || by_address(&delta[i - 1], &delta[i]) <= 0);
    }
    if (!sorted)
        qsort(delta, flips->n, sizeof *delta, by_address);
    /* Masks of one weight merge by XOR, so that their order does not matter. */
    size_t out = 0;
    for (size_t i = 0; i < flips->n;) {
        snn_delta d = delta[i];
        for (i++; i < flips->n && by_address(&delta[i], &d) == 0; i++)
            d.dq ^= delta[i].dq;
        if (d.dq != 0)
            delta[out++] = d;
    }
    *n = out;
    return true;
}

bool snn_weights_deltas(const snn_weights *w, const snn_flips *flips, snn_delta *delta, size_t *n,
                        snn_error *err) {
    size_t weights = *n, out = 0;
    if (!snn_weights_flip_masks(w, flips, delta, &weights, err))
        return false;
    for (size_t i = 0; i < weights; i++) {
        snn_delta d = delta[i];
        const snn_tensor *t = &w->tensor[d.tensor];
        uint32_t code = snn_tensor_code(t, d.index);
        d.dq = snn_code_value(t->encoding, t->bits, code ^ (uint32_t)d.dq) -
               snn_code_value(t->encoding, t->bits, code);
        if (d.dq != 0)
            delta[out++] = d;
    }
    *n = out;
    return true;
}
