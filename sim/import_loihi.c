/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the importers of Loihi networks share (import_loihi.h). */
#include "import_loihi.h"
#include "weights_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#define DECAY_ONE 4096       /* of Loihi's 12-bit decays */
#define THRESHOLD_MAX 131071 /* vThMant has 17 bits */
#define BITS_LOIHI 9         /* -256..255 */
#define BITS_MOST 16
#define POOL_WEIGHTS_MAX (1u << 26) /* of a pool's kernels, nearly all of them 0: 256 MiB while it is built */

/* ---- neurons ---- */

static bool within(int64_t x, int64_t least, int64_t most, const char *name, const char *where,
                   snn_error *err) {
    if (x >= least && x <= most)
        return true;
    return snn_fail(err, SNN_ERR_DATA, "%s: %s is %" PRId64 ", expected %" PRId64 " to %" PRId64, where, name,
                    x, least, most);
}

bool snn_loihi_to_neuron(const snn_loihi_neuron *from, const char *where, snn_neuron *to, snn_error *err) {
    if (!within(from->i_decay, 0, DECAY_ONE, "iDecay", where, err) ||
        !within(from->v_decay, 0, DECAY_ONE, "vDecay", where, err) ||
        !within(from->v_threshold, 1, THRESHOLD_MAX, "vThMant", where, err))
        return false;
    /* SLAYER's and lava-dl's simulators leave a longer one out, the chip does not. */
    if (from->refractory != 1)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: refDelay is %" PRId64 ": only 1 (no pause after a spike) can be carried over",
                        where, from->refractory);
    if (from->weight_exponent != 0)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: wgtExp is %" PRId64 ": only weight exponent 0 can be carried over exactly",
                        where, from->weight_exponent);
    *to = (snn_neuron){.type = SNN_NEURON_CUBA,
                       .decay = (float)(DECAY_ONE - from->v_decay) / DECAY_ONE,
                       .current_decay = (float)(DECAY_ONE - from->i_decay) / DECAY_ONE,
                       .threshold = (float)from->v_threshold,
                       .reset = SNN_RESET_ZERO,
                       .gain = 1,
                       .current_gain = 1,
                       .membrane_bias = true};
    return true;
}

/* ---- the network ---- */

bool snn_loihi_begin(snn_loihi_net *n, snn_shape input, int64_t steps, double step_us, snn_error *err) {
    *n = (snn_loihi_net){0};
    const int checked = steps < 0 || steps > SNN_STEPS_MAX ? SNN_STEPS_MAX + 1 : (int)steps;
    n->net = snn_net_begin(input, checked, step_us, SNN_ERR_DATA, err);
    if (n->net != NULL)
        n->net->fixed = true;
    return n->net != NULL;
}

bool snn_loihi_append(snn_loihi_net *n, const snn_layer *spec, int32_t *value, int32_t *recurrent, bool bias,
                      snn_error *err) {
    void *list = n->value;
    bool ok = snn_grow(&list, &n->capacity, (size_t)n->net->tensors + 2, sizeof *n->value, err);
    n->value = list;
    const int first = n->net->tensors;
    ok = ok && snn_net_append(n->net, spec, bias, SNN_ERR_DATA, err);
    if (!ok) {
        free(value);
        free(recurrent);
        return false;
    }
    n->value[first] = value;
    if (spec->recurrent)
        n->value[first + 1] = recurrent;
    return true;
}

int32_t *snn_loihi_pool(uint32_t channels, uint32_t window, const int32_t *tap, snn_error *err) {
    uint64_t taps, count;
    if (__builtin_mul_overflow((uint64_t)window, window, &taps) ||
        __builtin_mul_overflow(taps, channels, &count) || __builtin_mul_overflow(count, channels, &count) ||
        count > POOL_WEIGHTS_MAX) {
        snn_fail(err, SNN_ERR_DATA, "a pool of %u channels with neurons needs more than %u weights", channels,
                 POOL_WEIGHTS_MAX);
        return NULL;
    }
    int32_t *value = snn_alloc(count, sizeof *value, "weights", err);
    for (uint32_t c = 0; value != NULL && c < channels; c++)
        memcpy(value + ((size_t)c * channels + c) * taps, tap, taps * sizeof *tap);
    return value;
}

/* Do all values have a code of so many bits in two's complement? */
static bool fit(const int32_t *value, uint64_t n, int bits) {
    const int32_t most = (1 << (bits - 1)) - 1;
    for (uint64_t i = 0; i < n; i++)
        if (value[i] > most || value[i] < -most - 1)
            return false;
    return true;
}

static bool fill(snn_tensor *t, const int32_t *value, int bits, snn_error *err) {
    if (!fit(value, t->count, BITS_MOST))
        return snn_fail(err, SNN_ERR_DATA, "layer '%s': a weight is outside -32768..32767", t->name);
    if (!snn_tensor_alloc(t, snn_code_type_of(bits), bits, SNN_TWOS_COMPLEMENT, 1, err))
        return false;
    t->scale[0] = 1;
    for (uint64_t i = 0; i < t->count; i++)
        t->code16[i] = (uint16_t)snn_value_code(SNN_TWOS_COMPLEMENT, bits, value[i]);
    return true;
}

bool snn_loihi_finish(snn_loihi_net *n, const char *record, snn_model *m, snn_error *err) {
    *m = (snn_model){0};
    if (!snn_net_finish(n->net, SNN_ERR_DATA, err))
        return false;
    snn_weights *w = snn_weights_shell_for(n->net, err);
    bool ok = w != NULL;
    int bits = BITS_LOIHI;
    for (int i = 0; ok && i < w->tensors; i++)
        if (!fit(n->value[i], w->tensor[i].count, bits))
            bits = BITS_MOST;
    for (int i = 0; ok && i < w->tensors; i++)
        ok = fill(&w->tensor[i], n->value[i], bits, err);
    char *copy = ok ? strdup(record) : NULL;
    if (copy == NULL) {
        snn_weights_free(w);
        return ok ? snn_fail(err, SNN_ERR_RUNTIME, "out of memory") : false;
    }
    m->net = n->net;
    m->weights = w;
    m->record = copy;
    snn_weights_digest(w, m->digest);
    for (int i = 0; i < w->tensors; i++)
        free(n->value[i]);
    free(n->value);
    *n = (snn_loihi_net){0};
    return true;
}

void snn_loihi_free(snn_loihi_net *n) {
    for (int i = 0; n->net != NULL && n->value != NULL && i < n->net->tensors; i++)
        free(n->value[i]);
    free(n->value);
    snn_net_free(n->net);
    *n = (snn_loihi_net){0};
}
