/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: checks a network and its weights, and builds the stages that engine_run.c walks through. */
#include "engine_internal.h"
#include "weights_internal.h"

#include <stdlib.h>
#include <string.h>

/* Planes of a chunk should stay in a core's second-level cache (measured: 128 KiB to 1 MiB are equally fast on Zen 5). */
enum { CHUNK_BYTES = 256 * 1024, CHUNK_STEPS = 64, LARGEST_PLANE_COUNT = 255 };

static uint32_t padded(uint32_t n) {
    return (n + SNN_PAD - 1) / SNN_PAD * SNN_PAD;
}

static bool is_pool(snn_layer_type t) {
    return t == SNN_LAYER_POOL_MAX || t == SNN_LAYER_POOL_SUM || t == SNN_LAYER_POOL_AVERAGE;
}

static bool make_plane(snn_plane *p, snn_shape shape, uint32_t border, uint32_t largest, snn_error *err) {
    p->shape = shape;
    p->border = border;
    p->pitch = padded(shape.channels);
    p->width = shape.width + 2 * border;
    p->height = shape.height + 2 * border;
    p->largest = largest;
    const uint64_t bytes = (uint64_t)p->pitch * p->width * p->height;
    p->bytes = (size_t)bytes;
    if ((uint64_t)p->width * p->height > INT32_MAX || bytes > INT32_MAX)
        return snn_fail(err, SNN_ERR_DATA, "%ux%ux%u with padding %u is too large for one layer",
                        shape.channels, shape.height, shape.width, border);
    return true;
}

/* Padding of the layer that reads layer i's output (flatten reads nothing). */
static uint32_t reader_border(const snn_net *net, int i) {
    for (i++; i < net->layers; i++)
        if (net->layer[i].type != SNN_LAYER_FLATTEN)
            return net->layer[i].type == SNN_LAYER_CONV2D ? net->layer[i].padding : 0;
    return 0;
}

static bool largest_after_pool(const snn_stage *s, const char *name, uint32_t *largest, snn_error *err) {
    const uint64_t sum = (uint64_t)s->kernel * s->kernel * s->source.largest;
    *largest = s->type == SNN_LAYER_POOL_MAX
                   ? s->source.largest
                   : (uint32_t)(sum > LARGEST_PLANE_COUNT ? LARGEST_PLANE_COUNT : sum);
    if (s->type != SNN_LAYER_POOL_MAX && sum > LARGEST_PLANE_COUNT && !s->from_input)
        return snn_fail(err, SNN_ERR_USAGE,
                        "layer %s: sums of %ux%u counts can exceed 255, the most that a layer inside the "
                        "network passes on",
                        name, s->kernel, s->kernel);
    return true;
}

/* Geometry of a stage; `before` is the stage that feeds it (NULL: the network's input). */
static bool place_stage(snn_stage *s, const snn_net *net, int layer, const snn_stage *before,
                        snn_error *err) {
    const snn_layer *l = &net->layer[layer];
    s->layer = layer;
    s->type = l->type;
    s->in = l->in;
    s->out = l->out;
    s->kernel = l->kernel;
    s->stride = l->stride;
    s->padding = l->padding;
    s->tensor = l->tensor;
    s->from_input = !before || (is_pool(before->type) && before->from_input);
    uint32_t largest = 1;
    if (s->from_input) {
        if (!make_plane(&s->source, l->in, l->type == SNN_LAYER_CONV2D ? l->padding : 0, LARGEST_PLANE_COUNT,
                        err))
            return snn_error_context(err, "layer %s", l->name);
    } else {
        s->source = before->target;
        s->in = before->out; /* a flattened layer still lies in the plane of the layer before it */
    }
    if (is_pool(l->type) && !largest_after_pool(s, l->name, &largest, err))
        return false;
    if (!make_plane(&s->target, l->out, reader_border(net, layer), largest, err))
        return snn_error_context(err, "layer %s", l->name);
    s->outputs = s->target.pitch;
    s->neurons_padded = s->outputs * l->out.height * l->out.width;
    s->start = (int)l->start;
    s->delay = (int)l->delay;
    s->tail = l->recurrent && l->delay == 0 ? 1 : (int)l->delay;
    s->single = l->tensor >= 0 && snn_layer_single(l);
    return true;
}

/* The stage of a layer's recurrent weights: linear, from the layer's one pixel to itself. */
static bool place_back(snn_stage *s, const snn_layer *l, snn_error *err) {
    snn_stage *b = s->back = snn_alloc(1, sizeof *b, "engine", err);
    if (!b)
        return false;
    b->layer = s->layer;
    b->type = SNN_LAYER_LINEAR;
    b->in = b->out = l->out;
    b->tensor = snn_layer_recurrent_tensor(l);
    b->outputs = s->outputs;
    b->neurons_padded = s->neurons_padded;
    if (!make_plane(&b->source, l->out, 0, 1, err))
        return snn_error_context(err, "layer %s", l->name);
    b->target = b->source;
    return true;
}

/* Sums over a full fan-in of the largest counts that planes can carry must fit; input lists are checked as they come. */
static bool check_sums(const snn_engine *e, const snn_stage *s, const char *name, snn_error *err) {
    uint64_t most = s->back && !s->back->analogue ? s->back->norm : 0;
    if (!s->from_input && !s->analogue)
        most += s->norm * s->source.largest;
    if (s->code_type != SNN_FLOAT32 && most > (uint64_t)e->sum_limit)
        return snn_fail(err, SNN_ERR_DATA, "layer %s: synaptic sums could exceed %d", name, e->sum_limit);
    return true;
}

static bool check_tensor(const snn_engine *e, const snn_stage *s, const snn_tensor *t, snn_error *err) {
    const snn_layer *l = &e->net->layer[s->layer];
    if (t->type == SNN_FLOAT32 && e->arithmetic == SNN_ARITHMETIC_FIXED)
        return snn_fail(
            err, SNN_ERR_USAGE,
            "layer %s has float weights: fixed arithmetic needs integer codes (quantise the model first)",
            l->name);
    if (t->type == SNN_FLOAT32 && (s->read || s->analogue))
        return snn_fail(
            err, SNN_ERR_USAGE,
            "layer %s has float weights: read errors need integer codes (quantise the model first)", l->name);
    return true;
}

static bool load_back(const snn_engine *e, snn_stage *b, const snn_tensor *t, const snn_tensor *back,
                      snn_error *err) {
    if (!check_tensor(e, b, back, err) || !snn_tensor_check_pair(t, back, err) ||
        !snn_stage_pack(b, back, e, false, err))
        return false;
    return !e->count_operations || snn_stage_count_fan_out(b, err);
}

static bool load_stage(snn_engine *e, snn_stage *s, const snn_tensor *t, float input_factor, snn_error *err) {
    const snn_layer *l = &e->net->layer[s->layer];
    if (!check_tensor(e, s, t, err))
        return false;
    if (s->back && !load_back(e, s->back, t, t + 1, err))
        return false;
    /* The dense kernel reads planes, not lists. */
    const bool dense = !s->from_input && l->type == SNN_LAYER_CONV2D;
    if (!snn_stage_pack(s, t, e, dense, err) || !check_sums(e, s, l->name, err) ||
        !snn_stage_pack_neurons(s, l, t, input_factor, e->arithmetic, err))
        return false;
    return !e->count_operations || snn_stage_count_fan_out(s, err);
}

bool snn_engine_set_weights(snn_engine *e, const snn_weights *weights, snn_error *err) {
    float input_factor = 1.0f; /* 1/k^2 of average pools since the last synaptic layer */
    e->loaded = false;
    if (!snn_weights_fit(weights, e->net, err))
        return false;
    for (int i = 0; i < e->stages; i++) {
        snn_stage *s = &e->stage[i];
        if (s->type == SNN_LAYER_POOL_AVERAGE)
            input_factor /= (float)((uint64_t)s->kernel * s->kernel);
        if (s->tensor < 0)
            continue;
        if (!load_stage(e, s, &weights->tensor[s->tensor], input_factor, err))
            return false;
        input_factor = 1.0f;
    }
    e->loaded = true;
    return true;
}

static bool place_stages(snn_engine *e, snn_error *err) {
    const snn_stage *before = NULL;
    for (int i = 0; i < e->net->layers; i++) {
        if (e->net->layer[i].type == SNN_LAYER_FLATTEN)
            continue;
        snn_stage *s = &e->stage[e->stages++];
        if (!place_stage(s, e->net, i, before, err) || !snn_stage_hook(s, &e->hook, err))
            return false;
        s->fine = s->analogue;
        before = s;
        if (!e->net->layer[i].recurrent)
            continue;
        if (!place_back(s, &e->net->layer[i], err) || !snn_stage_hook(s->back, &e->hook, err))
            return false;
        s->fine |= s->back->analogue;
    }
    return true;
}

static int chunk_steps(const snn_engine *e) {
    size_t largest = 1;
    for (int i = 0; i < e->stages; i++)
        if (e->stage[i].target.bytes > largest)
            largest = e->stage[i].target.bytes;
    const size_t steps = CHUNK_BYTES / largest;
    return steps < 1 ? 1 : steps > CHUNK_STEPS ? CHUNK_STEPS : (int)steps;
}

snn_engine *snn_engine_new(const snn_net *net, const snn_weights *weights, const snn_engine_options *options,
                           snn_error *err) {
    if (!snn_weights_fit(weights, net, err))
        return NULL;
    if (options->simd < SNN_SIMD_PLAIN || options->simd > snn_simd_best()) {
        snn_fail(err, SNN_ERR_USAGE, "this CPU lacks the instructions of SIMD level %d", (int)options->simd);
        return NULL;
    }
    if (options->hook && !options->hook->read == !options->hook->sums) {
        snn_fail(err, SNN_ERR_USAGE, "a hook has either read errors or sums, not %s",
                 options->hook->read ? "both" : "neither");
        return NULL;
    }
    for (int i = 0; options->arithmetic == SNN_ARITHMETIC_FIXED && i < net->layers; i++)
        if (net->layer[i].neuron.type == SNN_NEURON_ALIF) {
            snn_fail(err, SNN_ERR_USAGE,
                     "layer %s: alif neurons have no fixed arithmetic (run.arithmetic = \"float\")",
                     net->layer[i].name);
            return NULL;
        }
    snn_engine *e = snn_alloc(1, sizeof *e, "engine", err);
    if (!e)
        return NULL;
    e->arithmetic = options->arithmetic;
    e->kernels = snn_kernels_for(options->simd);
    if (options->hook)
        e->hook = *options->hook;
    e->sum_limit = e->arithmetic == SNN_ARITHMETIC_FIXED ? SNN_FIXED_SUM : INT32_MAX;
    e->fine_limit = e->arithmetic == SNN_ARITHMETIC_FIXED ? 64 * SNN_FIXED_SUM : INT32_MAX;
    e->count_operations = options->count_operations;
    e->density = options->density;
    e->classes = net->classes;
    e->membrane_readout = net->layer[net->layers - 1].neuron.type == SNN_NEURON_LI;
    e->stage = snn_alloc((size_t)net->layers, sizeof *e->stage, "engine", err);
    e->net = snn_net_copy(net, err);
    if (!e->stage || !e->net || !place_stages(e, err) || !snn_engine_set_weights(e, weights, err)) {
        snn_engine_free(e);
        return NULL;
    }
    e->hook.silent = NULL; /* the caller's, read */
    e->chunk = chunk_steps(e);
    for (int i = 0; i < e->stages; i++)
        e->stage[i].ring = e->chunk + e->stage[i].tail;
    return e;
}

static void clear_stage(snn_stage *s) {
    free(s->rows);
    free(s->dense);
    free(s->rows16);
    free(s->rows_float);
    free(s->row_of);
    free(s->input_index);
    free(s->factor_fine);
    free(s->factor);
    free(s->bias);
    free(s->threshold_fixed);
    free(s->bias_fixed);
    free(s->fan_out);
    free(s->fan_out_nonzero);
    snn_each_free(&s->each);
}

void snn_engine_free(snn_engine *e) {
    if (!e)
        return;
    for (int i = 0; e->stage && i < e->stages; i++) {
        if (e->stage[i].back)
            clear_stage(e->stage[i].back);
        free(e->stage[i].back);
        clear_stage(&e->stage[i]);
    }
    free(e->stage);
    snn_net_free(e->net);
    free(e);
}

/* ---- workspace ---- */

typedef struct {
    size_t line, step, source_pixels, source_line;
    uint32_t kernel;
    bool floats, back, floats_back;
} workspace_sizes;

static void fit(size_t *size, size_t need) {
    *size = need > *size ? need : *size;
}

static workspace_sizes measure(const snn_engine *e) {
    workspace_sizes z = {.line = 1, .step = 1, .source_pixels = 1, .source_line = 1, .kernel = 1};
    for (int i = 0; i < e->stages; i++) {
        const snn_stage *s = &e->stage[i];
        fit(&z.source_pixels, (size_t)s->source.width * s->source.height);
        fit(&z.source_line, (size_t)s->source.width * s->source.pitch);
        fit(&z.step, s->neurons_padded);
        if (s->tensor < 0)
            continue;
        fit(&z.line, (size_t)s->out.width * s->outputs);
        z.kernel = s->kernel > z.kernel ? s->kernel : z.kernel;
        z.floats |= s->rows_float != NULL;
        if (!s->back)
            continue;
        fit(&z.source_line, s->back->source.pitch);
        z.back = true;
        z.floats_back |= s->rows_float != NULL;
    }
    return z;
}

static bool allocate(snn_workspace *w, const snn_engine *e, snn_error *err) {
    const workspace_sizes z = measure(e);
    const size_t stages = (size_t)e->stages;
    w->plane = snn_alloc(stages, sizeof *w->plane, "workspace", err);
    w->nonzero = snn_alloc(stages, sizeof *w->nonzero, "workspace", err);
    w->state = snn_alloc(stages, sizeof *w->state, "workspace", err);
    w->sum = snn_alloc(z.line, sizeof *w->sum, "workspace", err);
    w->list.first = snn_alloc(z.source_pixels + 1, sizeof *w->list.first, "workspace", err);
    w->segment = snn_alloc(z.kernel, sizeof *w->segment, "workspace", err);
    w->scratch = snn_alloc(z.source_line + SNN_PAD, sizeof *w->scratch, "workspace", err);
    if (!w->plane || !w->nonzero || !w->state || !w->sum || !w->list.first || !w->segment || !w->scratch)
        return false;
    if ((z.floats && !(w->sum_float = snn_alloc(z.step, sizeof *w->sum_float, "workspace", err))) ||
        (z.back && !(w->sum_back = snn_alloc(z.line, sizeof *w->sum_back, "workspace", err))) ||
        (z.floats_back &&
         !(w->sum_float_back = snn_alloc(z.step, sizeof *w->sum_float_back, "workspace", err))))
        return false;
    if (e->net->readout == SNN_READOUT_SOFTMAX &&
        !(w->softmax = snn_alloc(e->classes, sizeof *w->softmax, "workspace", err)))
        return false;
    for (size_t i = 0; i < stages; i++) {
        const snn_stage *s = &e->stage[i];
        if (s->tensor < 0 && s->from_input)
            continue; /* pooled as lists */
        w->plane[i] = snn_alloc((size_t)s->ring, s->target.bytes, "workspace", err);
        w->nonzero[i] = snn_alloc((size_t)s->ring, sizeof **w->nonzero, "workspace", err);
        if (!w->plane[i] || !w->nonzero[i])
            return false;
        if (s->tensor >= 0 && !snn_state_new(&w->state[i], s, err))
            return false;
    }
    return snn_workspace_hook(w, err);
}

snn_workspace *snn_workspace_new(const snn_engine *engine, snn_error *err) {
    snn_workspace *w = snn_alloc(1, sizeof *w, "workspace", err);
    if (!w)
        return NULL;
    w->engine = engine;
    if (!allocate(w, engine, err)) {
        snn_workspace_free(w);
        return NULL;
    }
    return w;
}

void snn_workspace_free(snn_workspace *w) {
    if (!w)
        return;
    for (int i = 0; i < w->engine->stages; i++) {
        if (w->plane)
            free(w->plane[i]);
        if (w->nonzero)
            free(w->nonzero[i]);
        if (w->state)
            snn_state_free(&w->state[i]);
    }
    free(w->plane);
    free(w->nonzero);
    free(w->state);
    free(w->sum);
    free(w->sum_float);
    free(w->sum_back);
    free(w->sum_float_back);
    free(w->softmax);
    free(w->trace_membrane);
    free(w->trace_ordered);
    free(w->trace_spikes);
    free(w->list.entry);
    free(w->list.count);
    free(w->list.first);
    free(w->segment);
    free(w->pool_key);
    free(w->ordered);
    free(w->scratch);
    snn_workspace_unhook(w);
    snn_spikes_free(&w->pooled[0]);
    snn_spikes_free(&w->pooled[1]);
    free(w);
}
