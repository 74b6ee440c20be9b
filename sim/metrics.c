/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a run is judged by. Everything is kept as integer sums over samples, so that the order of samples and the number of threads cannot change a
 * figure; ratios are formed only when asked for. Definitions with their sources: docs/metrics.md.
 */
#include <snnsim/metrics.h>

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* Quantile of the standard normal distribution at 0.975: two-sided 95 %. */
static const double Z95 = 1.959963984540054;

/* Bytes of one membrane: float32, or int32 in fixed arithmetic. Biases and scales are float32. */
enum { MEMBRANE_BYTES = 4, BIAS_BYTES = 4, SCALE_BYTES = 4 };

snn_interval snn_wilson(uint64_t hits, uint64_t n) {
    if (n == 0)
        return (snn_interval){0, 0, 1};
    assert(hits <= n);
    double p = (double)hits / (double)n;
    double z2n = Z95 * Z95 / (double)n;
    double centre = (p + z2n / 2) / (1 + z2n);
    double half = Z95 / (1 + z2n) * sqrt(p * (1 - p) / (double)n + z2n / (4 * (double)n));
    snn_interval i = {p, centre - half, centre + half};
    /* At the ends the formula gives exactly 0 and 1; rounding must not lead outside. */
    if (hits == 0 || i.low < 0)
        i.low = 0;
    if (hits == n || i.high > 1)
        i.high = 1;
    return i;
}

snn_metrics *snn_metrics_new(int classes, int layers, int steps, snn_error *err) {
    assert(classes >= 1 && layers >= 1 && steps >= 1);
    snn_metrics *m = snn_alloc(1, sizeof *m, "metrics", err);
    if (!m)
        return NULL;
    size_t cells;
    m->classes = classes;
    m->layers = layers;
    m->steps = steps;
    if (__builtin_mul_overflow((size_t)classes, (size_t)classes, &cells)) {
        snn_fail(err, SNN_ERR_RUNTIME, "%d classes are too many for a confusion matrix", classes);
        goto failed;
    }
    m->confusion = snn_alloc(cells, sizeof *m->confusion, "confusion matrix", err);
    if (!m->confusion)
        goto failed;
    m->correct_by_step = snn_alloc((size_t)steps, sizeof *m->correct_by_step, "accuracy by step", err);
    if (!m->correct_by_step)
        goto failed;
    m->activity = snn_alloc((size_t)layers, sizeof *m->activity, "layer activity", err);
    if (!m->activity)
        goto failed;
    return m;
failed:
    snn_metrics_free(m);
    return NULL;
}

void snn_metrics_free(snn_metrics *m) {
    if (!m)
        return;
    free(m->confusion);
    free(m->correct_by_step);
    free(m->activity);
    free(m);
}

static void add_activity(snn_layer_activity *to, const snn_layer_activity *from) {
    to->inputs += from->inputs;
    to->input_counts += from->input_counts;
    to->row_words += from->row_words;
    to->recurrent_inputs += from->recurrent_inputs;
    to->recurrent_words += from->recurrent_words;
    to->spikes += from->spikes;
    to->synops += from->synops;
    to->effective_macs += from->effective_macs;
    to->effective_acs += from->effective_acs;
    to->membrane_updates += from->membrane_updates;
}

void snn_metrics_add(snn_metrics *m, const snn_result *r, int label) {
    assert(label >= 0 && label < m->classes && r->predicted >= 0 && r->predicted < m->classes);
    assert(r->layers == m->layers && r->steps >= m->steps);
    m->samples++;
    m->correct += r->predicted == label;
    m->confusion[(size_t)label * (size_t)m->classes + (size_t)r->predicted]++;
    for (int t = 0; t < m->steps; t++)
        m->correct_by_step[t] += r->predicted_by_step[t] == label;
    for (int l = 0; l < m->layers; l++)
        add_activity(&m->activity[l], &r->activity[l]);
}

void snn_metrics_merge(snn_metrics *to, const snn_metrics *from) {
    assert(to->classes == from->classes && to->layers == from->layers && to->steps == from->steps);
    size_t cells = (size_t)to->classes * (size_t)to->classes;
    to->samples += from->samples;
    to->correct += from->correct;
    for (size_t i = 0; i < cells; i++)
        to->confusion[i] += from->confusion[i];
    for (int t = 0; t < to->steps; t++)
        to->correct_by_step[t] += from->correct_by_step[t];
    for (int l = 0; l < to->layers; l++)
        add_activity(&to->activity[l], &from->activity[l]);
}

snn_interval snn_metrics_accuracy(const snn_metrics *m) {
    return snn_wilson(m->correct, m->samples);
}

snn_interval snn_metrics_balanced(const snn_metrics *m) {
    double sum = 0, below = 0, above = 0; /* squared distances to the limits of each recall */
    int occurring = 0;
    for (int c = 0; c < m->classes; c++) {
        const uint64_t *row = m->confusion + (size_t)c * (size_t)m->classes;
        uint64_t n = 0;
        for (int k = 0; k < m->classes; k++)
            n += row[k];
        if (n == 0)
            continue;
        const snn_interval recall = snn_wilson(row[c], n);
        occurring++;
        sum += recall.value;
        below += (recall.value - recall.low) * (recall.value - recall.low);
        above += (recall.high - recall.value) * (recall.high - recall.value);
    }
    if (occurring == 0)
        return (snn_interval){0, 0, 1};
    const double mean = sum / occurring;
    return (snn_interval){mean, fmax(mean - sqrt(below) / occurring, 0),
                          fmin(mean + sqrt(above) / occurring, 1)};
}

/* Kernel positions that fall on real inputs, summed over the outputs of one axis: padding is no synapse. */
static double taps(uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride, uint32_t padding) {
    double sum = 0;
    for (uint32_t o = 0; o < out; o++) {
        int64_t first = (int64_t)o * stride - padding, last = first + kernel;
        first = first < 0 ? 0 : first;
        last = last > (int64_t)in ? (int64_t)in : last;
        sum += last > first ? (double)(last - first) : 0;
    }
    return sum;
}

double snn_layer_dense_operations(const snn_layer *l) {
    switch (l->type) {
    case SNN_LAYER_LINEAR:
        return ((double)snn_shape_size(l->in) + (l->recurrent ? (double)l->out.channels : 0)) *
               (double)snn_shape_size(l->out);
    case SNN_LAYER_CONV2D:
        return (double)l->in.channels * (double)l->out.channels *
               taps(l->in.height, l->out.height, l->kernel, l->stride, l->padding) *
               taps(l->in.width, l->out.width, l->kernel, l->stride, l->padding);
    default:
        return 0; /* pooling and flatten are no connections in NeuroBench */
    }
}

uint64_t snn_tensor_zeros(const snn_tensor *t) {
    uint64_t zeros = 0;
    if (t->type == SNN_FLOAT32) {
        for (uint64_t i = 0; i < t->count; i++)
            zeros += t->value[i] == 0;
        return zeros;
    }
    for (uint64_t i = 0; i < t->count; i++)
        zeros += snn_weight_q(t, i) == 0;
    return zeros;
}

static uint64_t footprint(const snn_net *net, const snn_weights *w) {
    uint64_t bytes = 0;
    for (int i = 0; i < w->tensors; i++) {
        const snn_tensor *t = &w->tensor[i];
        bytes += t->count / 8 * (uint64_t)t->bits + (t->count % 8 * (uint64_t)t->bits + 7) / 8;
        bytes += (uint64_t)t->scales * SCALE_BYTES;
    }
    for (int l = 0; l < net->layers; l++) {
        const snn_layer *layer = &net->layer[l];
        if (layer->bias)
            bytes += (uint64_t)layer->out.channels * BIAS_BYTES;
        if (layer->neuron.type !=
            SNN_NEURON_NONE) /* synaptic currents and growing thresholds are states too */
            bytes += (uint64_t)snn_shape_size(layer->out) * MEMBRANE_BYTES *
                     (layer->neuron.type == SNN_NEURON_CUBA || layer->neuron.type == SNN_NEURON_ALIF ? 2 : 1);
    }
    return bytes;
}

void snn_metrics_neurobench(const snn_metrics *m, const snn_net *net, const snn_weights *w,
                            snn_neurobench *out) {
    assert(m->layers == net->layers);
    *out = (snn_neurobench){.footprint_bytes = footprint(net, w)};
    double samples = m->samples ? (double)m->samples : 1; /* no sample: all sums are 0 */
    double zeros = 0, weights = 0;
    for (int i = 0; i < w->tensors; i++) {
        zeros += (double)snn_tensor_zeros(&w->tensor[i]);
        weights += (double)w->tensor[i].count;
    }
    out->connection_sparsity = weights > 0 ? zeros / weights : 0;
    double spikes = 0, activations = 0;
    for (int l = 0; l < net->layers; l++) {
        const snn_layer *layer = &net->layer[l];
        const snn_layer_activity *a = &m->activity[l];
        if (layer->neuron.type != SNN_NEURON_NONE && layer->neuron.type != SNN_NEURON_LI) {
            spikes += (double)a->spikes;
            activations += (double)snn_shape_size(layer->out) * m->steps * (double)m->samples;
        }
        out->effective_macs += (double)a->effective_macs;
        out->effective_acs += (double)a->effective_acs;
        out->membrane_updates += (double)a->membrane_updates;
        out->dense_step += snn_layer_dense_operations(layer);
    }
    out->activation_sparsity = activations > 0 ? 1 - spikes / activations : 0;
    out->effective_macs /= samples;
    out->effective_acs /= samples;
    out->membrane_updates /= samples;
    out->dense_operations = out->dense_step * m->steps;
    out->effective_macs_step = out->effective_macs / m->steps;
    out->effective_acs_step = out->effective_acs / m->steps;
}
