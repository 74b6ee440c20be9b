/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comparing two models: `snnsim model diff`. */
#include "weights_internal.h"

#include <snnsim/model.h>

#include <inttypes.h>
#include <string.h>

#define SHOWN 5 /* differing addresses that are printed per tensor */

/* "fc1[3][17]" style address of weight i. */
static void print_address(const snn_tensor *t, uint64_t i, FILE *out) {
    uint64_t at[4] = {0}, rest = i;
    for (int d = t->dims - 1; d >= 0; d--) {
        at[d] = rest % t->shape[d];
        rest /= t->shape[d];
    }
    fprintf(out, "%s", t->name);
    for (int d = 0; d < t->dims; d++)
        fprintf(out, "[%" PRIu64 "]", at[d]);
}

static bool same_kind(const snn_tensor *a, const snn_tensor *b) {
    if (a->type == SNN_FLOAT32 || b->type == SNN_FLOAT32)
        return a->type == b->type;
    return a->bits == b->bits && a->encoding == b->encoding;
}

static void print_kind(const snn_tensor *t, FILE *out) {
    if (t->type == SNN_FLOAT32)
        fprintf(out, "float32");
    else
        fprintf(out, "%d bits %s", t->bits, snn_encoding_name(t->encoding));
}

static bool diff_scales(const snn_tensor *a, const snn_tensor *b, FILE *out) {
    if (a->scales != b->scales) {
        fprintf(out, "%s: %u scales against %u\n", a->name, a->scales, b->scales);
        return false;
    }
    uint32_t differ = 0, first = 0;
    for (uint32_t i = 0; i < a->scales; i++)
        if (a->scale[i] != b->scale[i] && differ++ == 0)
            first = i;
    if (differ > 0)
        fprintf(out, "%s: %u of %u scales differ, first: %.9g against %.9g (scale %u)\n", a->name, differ,
                a->scales, (double)a->scale[first], (double)b->scale[first], first);
    return differ == 0;
}

/* Bits in which weight i differs (floats: 0 or 1). */
static int differing_bits(const snn_tensor *a, const snn_tensor *b, uint64_t i) {
    if (a->type == SNN_FLOAT32)
        return memcmp(&a->value[i], &b->value[i], sizeof(float)) != 0;
    return __builtin_popcount(snn_tensor_code(a, i) ^ snn_tensor_code(b, i));
}

static void print_difference(const snn_tensor *a, const snn_tensor *b, uint64_t i, FILE *out) {
    fprintf(out, "  ");
    print_address(a, i, out);
    if (a->type == SNN_FLOAT32) {
        fprintf(out, ": %.9g against %.9g\n", (double)a->value[i], (double)b->value[i]);
        return;
    }
    uint32_t x = snn_tensor_code(a, i), y = snn_tensor_code(b, i);
    fprintf(out, ": code 0x%02x (q = %" PRId32 ") against 0x%02x (q = %" PRId32 "), bits", x,
            snn_weight_q(a, i), y, snn_weight_q(b, i));
    for (int bit = 0; bit < a->bits; bit++)
        if ((x ^ y) >> (a->bits - 1 - bit) & 1)
            fprintf(out, " %d", bit);
    fprintf(out, "\n");
}

static bool diff_codes(const snn_tensor *a, const snn_tensor *b, FILE *out) {
    uint64_t weights = 0, bits = 0;
    for (uint64_t i = 0; i < a->count; i++) {
        int n = differing_bits(a, b, i);
        weights += n > 0;
        bits += (uint64_t)n;
    }
    if (weights == 0)
        return true;
    fprintf(out, "%s: %" PRIu64 " of %" PRIu64 " weights differ", a->name, weights, a->count);
    if (a->type != SNN_FLOAT32)
        fprintf(out, ", in %" PRIu64 " bits", bits);
    fprintf(out, "%s\n", weights > SHOWN ? "; the first:" : ":");
    for (uint64_t i = 0, shown = 0; i < a->count && shown < SHOWN; i++) {
        if (differing_bits(a, b, i) > 0) {
            print_difference(a, b, i, out);
            shown++;
        }
    }
    return false;
}

static bool diff_tensor(const snn_tensor *a, const snn_tensor *b, FILE *out) {
    if (!same_kind(a, b)) {
        fprintf(out, "%s: ", a->name);
        print_kind(a, out);
        fprintf(out, " against ");
        print_kind(b, out);
        fprintf(out, "\n");
        return false;
    }
    bool same = diff_scales(a, b, out);
    return diff_codes(a, b, out) && same;
}

/* What snn_net_equal leaves out: names, time steps, arithmetic, values of biases. */
static bool diff_details(const snn_net *a, const snn_net *b, FILE *out) {
    bool same = true;
    if (a->steps != b->steps || a->step_us != b->step_us) {
        fprintf(out, "time: %d steps of %g us against %d of %g us\n", a->steps, a->step_us, b->steps,
                b->step_us);
        same = false;
    }
    if (a->fixed != b->fixed) {
        fprintf(out, "arithmetic: only the %s is made for the fixed one\n", a->fixed ? "first" : "second");
        same = false;
    }
    for (int i = 0; i < a->layers; i++) {
        const snn_layer *x = &a->layer[i], *y = &b->layer[i];
        if (strcmp(x->name, y->name) != 0) {
            fprintf(out, "layer %d: named '%s' against '%s'\n", i + 1, x->name, y->name);
            same = false;
        }
        uint32_t differ = 0;
        for (uint32_t k = 0; x->bias != NULL && k < x->out.channels; k++)
            differ += x->bias[k] != y->bias[k];
        if (differ > 0) {
            fprintf(out, "%s: %u of %u biases differ\n", x->name, differ, x->out.channels);
            same = false;
        }
    }
    return same;
}

bool snn_model_diff(const snn_model *a, const snn_model *b, FILE *out, bool *same, snn_error *err) {
    const snn_model *model[] = {a, b};
    for (int i = 0; i < 2; i++) {
        const char *which = i == 0 ? "first" : "second";
        if (model[i]->net == NULL || model[i]->weights == NULL)
            return snn_fail(err, SNN_ERR_DATA, "the %s model has no %s to compare", which,
                            model[i]->net == NULL ? "network" : "weights");
        if (!snn_weights_fit(model[i]->weights, model[i]->net, err))
            return snn_error_context(err, "the %s model", which);
    }
    snn_error topology;
    *same = snn_net_equal(a->net, b->net, &topology);
    if (*same) {
        *same = diff_details(a->net, b->net, out);
        for (int i = 0; i < a->weights->tensors; i++)
            *same &= diff_tensor(&a->weights->tensor[i], &b->weights->tensor[i], out);
    } else {
        fprintf(out, "%s\n", topology.text);
    }
    if (*same)
        fprintf(out, "the models are the same\n");
    return ferror(out) ? snn_fail_errno(err, "cannot write the comparison") : true;
}
