/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: walks one sample through the stages, chunk of time steps by chunk. */
#include "engine_internal.h"

#include <stdlib.h>
#include <string.h>

/* What one run carries along. */
typedef struct {
    const snn_engine *e;
    const snn_spikes *x; /* input lists, pooled if the network starts with pools */
    uint64_t sample;
    snn_workspace *w;
    const snn_trace *trace;
    snn_result *r;
    snn_error *err;
    uint32_t largest_count; /* of any input of the sample */
    int chunk_start;        /* first step of the chunk */
} snn_walk;

/* ---- checks ---- */

/* All steps in one scan: the lists lie one behind the other. */
static snn_list_extent measure_input(const snn_walk *k) {
    const size_t first = k->x->first[0];
    return k->e->kernels->list_extent(k->x->spike + first, k->x->first[k->x->steps] - first);
}

/* Largest sum of counts of one step. */
static uint64_t busiest_step(const snn_walk *k) {
    uint64_t most = 0;
    for (int t = 0; t < k->x->steps; t++) {
        const size_t first = k->x->first[t];
        const snn_list_extent step =
            k->e->kernels->list_extent(k->x->spike + first, k->x->first[t + 1] - first);
        most = step.total > most ? step.total : most;
    }
    return most;
}

static bool check_indices(const snn_walk *k, const snn_list_extent *x) {
    if (x->largest_index >= k->x->size)
        return snn_fail(k->err, SNN_ERR_DATA, "a sample has a spike at input %u of %u", x->largest_index,
                        k->x->size);
    return true;
}

/* What the inputs of this sample can do to the first layer's sums must fit the arithmetic. */
static bool check_sums(const snn_walk *k, const snn_list_extent *x) {
    const snn_engine *e = k->e;
    for (int i = 0; i < e->stages; i++) {
        const snn_stage *s = &e->stage[i];
        if (s->tensor < 0 || !s->from_input || s->code_type == SNN_FLOAT32 || s->analogue)
            continue;
        /* Any bound will do: the largest count on every input; all counts, or those of one step, on the heaviest weight. */
        const uint64_t limit = (uint64_t)e->sum_limit - (s->back && !s->back->analogue ? s->back->norm : 0);
        const uint64_t events = limit / (uint64_t)s->magnitude;
        if (x->largest_count <= limit / s->norm || x->total <= events)
            return true;
        const uint64_t most = busiest_step(k);
        return most <= events ||
               snn_fail(k->err, SNN_ERR_DATA,
                        "%llu events in one time step could drive the sums of the first layer beyond %d",
                        (unsigned long long)most, e->sum_limit);
    }
    return true;
}

/* Fixed membranes that leave their range could overflow in the next step. */
static bool check_fixed(const snn_walk *k, const snn_stage *s, bool beyond, int step) {
    const int32_t *v = k->w->state[s - k->e->stage].membrane;
    const uint32_t n = s->single ? 0 : s->neurons_padded; /* these have looked already */
    int32_t most = 0;
    for (uint32_t j = 0; j < n; j++)
        most = abs(v[j]) > most ? abs(v[j]) : most;
    if (beyond || most > SNN_FIXED_MEMBRANE)
        return snn_fail(k->err, SNN_ERR_DATA,
                        "step %d: a membrane%s of layer number %d leaves the range of fixed arithmetic", step,
                        s->neuron.type == SNN_NEURON_CUBA ? " or current" : "", s->layer + 1);
    return true;
}

/* ---- neurons ---- */

typedef struct {
    uint8_t *spike;
    void *membrane; /* trace, or NULL */
    uint64_t *changed;
} snn_line;

/* n outputs from position `first` of the stage; sum or current. */
static uint32_t fire(const snn_engine *e, const snn_stage *s, void *membrane, uint32_t first,
                     const int32_t *sum, const float *current, snn_line l) {
    const snn_neuron *p = &s->neuron;
    const bool subtract = p->reset == SNN_RESET_SUBTRACT, spiking = p->type != SNN_NEURON_LI;
    if (e->arithmetic == SNN_ARITHMETIC_FIXED) {
        const snn_lif_fixed f = {s->decay_fixed, s->threshold_fixed, s->bias_fixed,
                                 subtract,       p->at_threshold,    spiking};
        return (s->fine ? snn_plain_lif_fine : e->kernels->lif_fixed)(
            &f, s->outputs, sum, (int32_t *)membrane + first, l.spike, l.membrane, l.changed);
    }
    const snn_lif_float f = {p->decay, p->threshold, s->fine ? s->factor_fine : s->factor,
                             s->bias,  subtract,     p->at_threshold,
                             spiking};
    if (current)
        return snn_plain_lif_current(&f, s->outputs, current, (float *)membrane + first, l.spike, l.membrane,
                                     l.changed);
    return e->kernels->lif_float(&f, s->outputs, sum, (float *)membrane + first, l.spike, l.membrane,
                                 l.changed);
}

/* Neurons of output line y. Returns spikes. */
static uint32_t fire_line(const snn_walk *k, const snn_stage *s, uint8_t *plane, uint32_t y,
                          const float *current, uint64_t *changed, bool *beyond) {
    const snn_state *state = &k->w->state[s - k->e->stage];
    const bool traced = k->trace && k->trace->layer[s->layer];
    uint8_t *spike =
        plane + ((size_t)(y + s->target.border) * s->target.width + s->target.border) * s->target.pitch;
    uint32_t spikes = 0;
    for (uint32_t x = 0; x < s->out.width; x++, spike += s->target.pitch) {
        const uint32_t first = (y * s->out.width + x) * s->outputs;
        const snn_line l = {spike, traced ? (char *)k->w->trace_membrane + 4 * (size_t)first : NULL, changed};
        const int32_t *sum = k->w->sum + (size_t)x * s->outputs;
        const float *currents = current ? current + first : NULL;
        if (s->single)
            spikes +=
                snn_fire_each(k->e, s, state, first, sum, currents, l.spike, l.membrane, l.changed, beyond);
        else
            spikes += fire(k->e, s, state->membrane, first, sum, currents, l);
    }
    return spikes;
}

/* ---- one step of one stage ---- */

static const snn_spike *input_step(const snn_walk *k, int step, size_t *n) {
    *n = k->x->first[step + 1] - k->x->first[step];
    return k->x->spike + k->x->first[step];
}

static bool use_dense(const snn_engine *e, const snn_stage *s, uint32_t nonzero) {
    if (!s->dense || e->density == SNN_DENSITY_SPARSE)
        return false;
    const uint64_t inputs = (uint64_t)snn_shape_size(s->in);
    return e->density == SNN_DENSITY_DENSE || (float)nonzero > e->kernels->dense_above * (float)inputs;
}

/* Synaptic sums of output line y in w->sum (float tensors: the whole step was summed before). */
static bool sum_line(const snn_walk *k, const snn_stage *s, const uint8_t *from, bool dense, uint32_t y) {
    if (s->rows_float)
        return true;
    if (s->analogue)
        return snn_hook_sum_line(s, y, k->w, k->err);
    if (dense)
        snn_sum_line_dense(k->e, s, from, y, k->w);
    else
        snn_sum_line_list(k->e, s, &k->w->list, y, k->w);
    return !s->read || snn_hook_correct_line(s, y, k->w, k->err);
}

static bool prepare_plane(const snn_walk *k, const snn_stage *s, int step, const uint8_t *from, bool dense);

/* Where the plane of `before` steps before `step` stands. Without a tail the ring is the chunk, which steps fill from its start: no division. */
static inline size_t ring_slot(const snn_walk *k, const snn_stage *s, int step, int before) {
    return (size_t)(s->tail == 0 ? step - k->chunk_start : (step + s->ring - before) % s->ring);
}

static bool refuse_back(const snn_walk *k, const snn_stage *s) {
    return snn_fail(k->err, SNN_ERR_RUNTIME, "read errors drive a synaptic sum of layer %s beyond %d%s",
                    k->e->net->layer[s->layer].name, s->fine ? k->e->fine_limit : k->e->sum_limit,
                    s->fine ? " / 64" : "");
}

/* w->sum += the sums of the feed-forward weights, in the neurons' unit. */
static bool add_sums(const snn_walk *k, const snn_stage *s) {
    const int64_t limit = s->fine ? k->e->fine_limit : k->e->sum_limit;
    const int64_t forward = s->fine && !s->analogue ? 64 : 1, back = s->fine && !s->back->analogue ? 64 : 1;
    int32_t *sum = k->w->sum;
    bool beyond = false;
    for (uint32_t j = 0; j < s->outputs; j++) {
        const int64_t total = forward * k->w->sum_back[j] + back * sum[j];
        beyond |= total > limit || total < -limit;
        sum[j] = (int32_t)total;
    }
    return !beyond || refuse_back(k, s);
}

/* Recurrent sums of the step are added to those of the feed-forward weights, in w->sum or w->sum_float. */
static bool add_back(const snn_walk *k, const snn_stage *s, int step) {
    const snn_stage *b = s->back;
    const size_t i = (size_t)(s - k->e->stage), slot = ring_slot(k, s, step, 1), border = s->target.border;
    const uint8_t *own =
        k->w->plane[i] + slot * s->target.bytes + (border * s->target.width + border) * s->target.pitch;
    snn_workspace *w = k->w;
    snn_layer_activity *a = &k->r->activity[s->layer];
    const uint64_t words = a->row_words;
    a->inputs += w->nonzero[i][slot];
    a->recurrent_inputs += w->nonzero[i][slot];
    if (k->e->count_operations)
        snn_count_plane(b, k->e->kernels, own, w->scratch, a);
    a->recurrent_words += a->row_words - words;
    int32_t *sum = w->sum;
    float *sum_float = w->sum_float;
    w->sum = w->sum_back; /* the kernels write to w->sum */
    w->sum_back = sum;
    if (b->rows_float) {
        w->sum_float = w->sum_float_back;
        w->sum_float_back = sum_float;
    }
    if (!prepare_plane(k, b, step, own, false) || !sum_line(k, b, own, false, 0))
        return false;
    if (!b->rows_float)
        return add_sums(k, s);
    for (uint32_t j = 0; j < s->outputs; j++)
        w->sum_float[j] = w->sum_float_back[j] + w->sum_float[j];
    return true;
}

static bool sum_and_fire(const snn_walk *k, const snn_stage *s, const uint8_t *from, uint8_t *to, int step,
                         bool dense, uint32_t *spikes) {
    snn_layer_activity *a = &k->r->activity[s->layer];
    uint64_t *changed = k->e->count_operations && step > s->start ? &a->membrane_updates : NULL;
    bool beyond = false;
    *spikes = 0;
    for (uint32_t y = 0; y < s->out.height; y++) {
        if (!sum_line(k, s, from, dense, y) || (s->back && !add_back(k, s, step)))
            return false;
        *spikes += fire_line(k, s, to, y, s->rows_float ? k->w->sum_float : NULL, changed, &beyond);
    }
    if (k->e->count_operations && step == s->start)
        a->membrane_updates += snn_shape_size(s->out);
    return k->e->arithmetic == SNN_ARITHMETIC_FLOAT || check_fixed(k, s, beyond, step);
}

/* What the step's sums need: spikes from the network's input ... */
static bool prepare_input(const snn_walk *k, const snn_stage *s, int step, const snn_spike *spike, size_t n) {
    if (s->rows_float)
        snn_sum_step_float(s, spike, n, k->w->sum_float);
    else if (!s->analogue && !snn_list_from_input(&k->w->list, s, spike, n, k->largest_count, k->err))
        return false;
    return (!s->read && !s->analogue) || snn_hook_ask(s, k->sample, step, spike, n, k->w, k->err);
}

/* ... or from a plane. */
static bool prepare_plane(const snn_walk *k, const snn_stage *s, int step, const uint8_t *from, bool dense) {
    const snn_kernels *kernels = k->e->kernels;
    const bool listed = !dense && !s->analogue && !s->rows_float;
    const snn_spike *spike;
    size_t n;
    if (s->rows_float) {
        if (!snn_input_spikes(s, kernels, from, k->w, &spike, &n, k->err))
            return false;
        snn_sum_step_float(s, spike, n, k->w->sum_float);
    }
    if (listed && !snn_list_from_plane(&k->w->list, s, kernels, from, k->err))
        return false;
    if ((s->read || s->analogue) && (!snn_hook_input(s, kernels, from, listed, k->w, &spike, &n, k->err) ||
                                     !snn_hook_ask(s, k->sample, step, spike, n, k->w, k->err)))
        return false;
    return !listed || s->source.largest == 1 || snn_list_add_counts(&k->w->list, s, from, k->err);
}

static bool synapse_step(const snn_walk *k, const snn_stage *s, const uint8_t *from, uint32_t nonzero,
                         uint8_t *to, int step, uint32_t *spikes) {
    snn_layer_activity *a = &k->r->activity[s->layer];
    const bool dense = use_dense(k->e, s, nonzero);
    if (s->from_input) {
        size_t n;
        const snn_spike *spike = input_step(k, step, &n);
        a->inputs += n;
        if (k->e->count_operations)
            snn_count_list(s, spike, n, a);
        if (!prepare_input(k, s, step, spike, n))
            return false;
    } else {
        a->inputs += nonzero;
        if (k->e->count_operations)
            snn_count_plane(s, k->e->kernels, from, k->w->scratch, a);
        if (!prepare_plane(k, s, step, from, dense))
            return false;
    }
    return sum_and_fire(k, s, from, to, step, dense, spikes);
}

/* ---- traces ---- */

static bool trace_reserve(snn_workspace *w, const snn_engine *e, const snn_trace *trace, snn_error *err) {
    size_t most = 0;
    for (int i = 0; i < e->stages; i++)
        if (trace->layer[e->stage[i].layer] && e->stage[i].neurons_padded > most)
            most = e->stage[i].neurons_padded;
    if (most <= w->trace_size)
        return true;
    free(w->trace_membrane);
    free(w->trace_ordered);
    free(w->trace_spikes);
    w->trace_size = 0;
    w->trace_membrane = snn_alloc(most, 4, "trace", err);
    w->trace_ordered = snn_alloc(most, 4, "trace", err);
    w->trace_spikes = snn_alloc(most, 1, "trace", err);
    if (!w->trace_membrane || !w->trace_ordered || !w->trace_spikes)
        return false;
    w->trace_size = most;
    return true;
}

/* Puts a plane and its membranes into C order and hands them over. */
static bool trace_plane(const snn_walk *k, const snn_stage *s, const uint8_t *plane, int step) {
    uint8_t *spikes = k->w->trace_spikes;
    const int32_t *from = k->w->trace_membrane;
    int32_t *to = k->w->trace_ordered; /* floats are moved as words too */
    size_t at = 0;
    for (uint32_t c = 0; c < s->out.channels; c++)
        for (uint32_t y = 0; y < s->out.height; y++)
            for (uint32_t x = 0; x < s->out.width; x++, at++) {
                spikes[at] = plane[((size_t)(y + s->target.border) * s->target.width + x + s->target.border) *
                                       s->target.pitch +
                                   c];
                if (s->tensor >= 0)
                    to[at] = from[(size_t)(y * s->out.width + x) * s->outputs + c];
            }
    return k->trace->step(k->trace->context, s->layer, step, spikes, s->tensor >= 0 ? to : NULL, k->err);
}

static bool trace_list(const snn_walk *k, const snn_stage *s, const snn_spikes *pooled) {
    for (int t = 0; t < pooled->steps; t++) {
        memset(k->w->trace_spikes, 0, snn_shape_size(s->out));
        for (size_t i = pooled->first[t]; i < pooled->first[t + 1]; i++)
            k->w->trace_spikes[pooled->spike[i].index] =
                (uint8_t)(pooled->spike[i].count > 255 ? 255 : pooled->spike[i].count);
        if (!k->trace->step(k->trace->context, s->layer, t, k->w->trace_spikes, NULL, k->err))
            return false;
    }
    return true;
}

/* ---- the walk ---- */

/* A layer that has not started: silent, its neurons as they were. */
static void rest(const snn_walk *k, const snn_stage *s, uint8_t *to) {
    memset(to, 0, s->target.bytes);
    if (k->trace && k->trace->layer[s->layer])
        memset(k->w->trace_membrane, 0, 4 * (size_t)s->neurons_padded);
}

static bool stage_step(const snn_walk *k, int i, int step) {
    const snn_engine *e = k->e;
    const snn_stage *s = &e->stage[i];
    const size_t slot = ring_slot(k, s, step, 0), late = ring_slot(k, s, step, s->delay);
    const size_t feed = s->from_input ? 0 : ring_slot(k, s - 1, step, s[-1].delay);
    const uint8_t *from = s->from_input ? NULL : k->w->plane[i - 1] + feed * s->source.bytes;
    const uint32_t nonzero = s->from_input ? 0 : k->w->nonzero[i - 1][feed];
    uint8_t *to = k->w->plane[i] + slot * s->target.bytes;
    uint32_t spikes = 0;
    if (step < s->start)
        rest(k, s, to);
    else if (s->tensor < 0)
        spikes = snn_pool_plane(s, e->kernels, from, to);
    else if (!synapse_step(k, s, from, nonzero, to, step, &spikes))
        return false;
    k->w->nonzero[i][slot] = spikes;
    k->r->activity[s->layer].spikes += spikes;
    if (i + 1 == e->stages)
        snn_read_out(e, s, k->w, k->w->plane[i] + late * s->target.bytes, k->w->nonzero[i][late], step, k->r);
    return !k->trace || !k->trace->layer[s->layer] || trace_plane(k, s, to, step);
}

/* Pools in front of the first synaptic layer work on the lists, all steps at once. Returns the first stage after them, -1 on failure. */
static int pool_input(snn_walk *k) {
    int i = 0;
    for (; i < k->e->stages && k->e->stage[i].tensor < 0 && k->e->stage[i].from_input; i++) {
        const snn_stage *s = &k->e->stage[i];
        snn_spikes *pooled = &k->w->pooled[i & 1];
        if (!snn_pool_list(s, k->x, pooled, k->w, k->err) ||
            (k->trace && k->trace->layer[s->layer] && !trace_list(k, s, pooled)))
            return -1;
        k->r->activity[s->layer].spikes = pooled->first[pooled->steps];
        k->x = pooled;
    }
    return i;
}

static bool start(const snn_engine *e, const snn_spikes *x, snn_workspace *w, const snn_trace *trace,
                  snn_result *r, snn_error *err) {
    if (!e->loaded)
        return snn_fail(err, SNN_ERR_RUNTIME, "the engine has no weights since setting them failed");
    if (x->size != snn_shape_size(e->net->input))
        return snn_fail(err, SNN_ERR_DATA, "a sample has %u inputs, the network %u", x->size,
                        snn_shape_size(e->net->input));
    if (r->classes != (int)e->classes || r->layers != e->net->layers)
        return snn_fail(err, SNN_ERR_DATA,
                        "the result was made for another network (%d classes, %d layers instead of %u, %d)",
                        r->classes, r->layers, e->classes, e->net->layers);
    if (x->steps > r->steps)
        return snn_fail(err, SNN_ERR_DATA, "a sample has %d time steps, %d were expected", x->steps,
                        r->steps);
    memset(r->out, 0, e->classes * sizeof *r->out);
    memset(r->activity, 0, (size_t)e->net->layers * sizeof *r->activity);
    memset(r->out_spikes, 0, (size_t)r->steps * e->classes * sizeof *r->out_spikes);
    memset(r->predicted_by_step, 0, (size_t)r->steps * sizeof *r->predicted_by_step);
    r->predicted = 0;
    for (int i = 0; i < e->stages; i++) {
        const snn_stage *s = &e->stage[i];
        snn_state_reset(&w->state[i], s);
        for (int slot = e->chunk; slot < s->ring; slot++) { /* the steps before the first one */
            memset(w->plane[i] + (size_t)slot * s->target.bytes, 0, s->target.bytes);
            w->nonzero[i][slot] = 0;
        }
    }
    return !trace || trace_reserve(w, e, trace, err);
}

bool snn_engine_run(const snn_engine *engine, const snn_spikes *x, uint64_t sample, snn_workspace *w,
                    const snn_trace *trace, snn_result *r, snn_error *err) {
    snn_walk k = {engine, x, sample, w, trace, r, err, 0, 0};
    if (!start(engine, x, w, trace, r, err))
        return false;
    snn_list_extent extent = measure_input(&k);
    if (!check_indices(&k, &extent))
        return false;
    const int first = pool_input(&k);
    if (first < 0)
        return false;
    if (first > 0) /* pools change counts */
        extent = measure_input(&k);
    k.largest_count = extent.largest_count;
    if (!check_sums(&k, &extent))
        return false;
    for (int t0 = 0; t0 < x->steps; t0 += engine->chunk) {
        const int steps = x->steps - t0 < engine->chunk ? x->steps - t0 : engine->chunk;
        k.chunk_start = t0;
        for (int i = first; i < engine->stages; i++)
            for (int t = 0; t < steps; t++)
                if (!stage_step(&k, i, t0 + t))
                    return false;
    }
    for (int t = x->steps; t < r->steps; t++) /* a shorter sample keeps its last answer */
        r->predicted_by_step[t] = r->predicted;
    return true;
}
