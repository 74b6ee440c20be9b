/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fitness probe for convolutions: memory for what is kept of the unchanged network. */
#include "probe_planes.h"
#include "weights_internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = SNN_PLANES_BLOCK, TILE_LANES = 1024, LARGEST_INPUT = UINT16_MAX, LARGE_PAGE = 2 << 20 };

static size_t rounded(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

/* As snn_alloc. Evaluations touch a little of all that is kept: large pages save them misses of the address cache (measured: 3 to 8 % of the time). */
static void *alloc_large(size_t n, size_t size, snn_error *err) {
    const char *what = "sums of a probe";
#ifdef MADV_HUGEPAGE
    size_t bytes;
    if (!__builtin_mul_overflow(n, size, &bytes) && bytes >= LARGE_PAGE && bytes < PTRDIFF_MAX - LARGE_PAGE) {
        bytes = rounded(bytes, LARGE_PAGE);
        void *p = aligned_alloc(LARGE_PAGE, bytes);
        if (p) {
            (void)madvise(p, bytes, MADV_HUGEPAGE); /* a wish */
            return memset(p, 0, bytes);
        }
    }
#endif
    return snn_alloc(n, size, what, err);
}

/* ---- signals ---- */

static bool make_signal(planes *p, planes_signal *g, snn_shape shape, bool counted, snn_error *err) {
    const size_t steps = p->first_step[p->samples];
    *g = (planes_signal){.shape = shape, .pixels = (size_t)shape.height * shape.width, .counted = counted};
    g->words = (shape.channels + BLOCK - 1) / BLOCK;
    g->active = snn_alloc(p->samples, sizeof *g->active, "spikes of a probe", err);
    if (counted)
        g->count = snn_alloc(steps, g->pixels * shape.channels * sizeof *g->count, "spikes of a probe", err);
    else
        g->bits = snn_alloc(steps, g->pixels * g->words * sizeof *g->bits, "spikes of a probe", err);
    return g->active && (g->count || g->bits);
}

/* The network's input behind its pools, as planes; a linear layer reads it as one pixel. */
static void fill_input(planes *p, size_t sample, const snn_spikes *x) {
    planes_signal *g = &p->signal[0];
    const uint32_t channels = g->shape.channels;
    for (int t = 0; t < x->steps; t++) {
        uint16_t *to = g->count + (p->first_step[sample] + (size_t)t) * g->pixels * channels;
        for (size_t i = x->first[t]; i < x->first[t + 1]; i++) {
            const size_t index = x->spike[i].index;
            to[index % g->pixels * channels + index / g->pixels] = (uint16_t)x->spike[i].count;
            g->active[sample] += (x->spike[i].count + SNN_PLANES_COUNT - 1) / SNN_PLANES_COUNT;
        }
    }
}

/* ---- weights ---- */

planes_weight snn_planes_locate(const planes_stage *g, uint64_t index) {
    const uint32_t output = (uint32_t)(index / g->inputs), i = (uint32_t)(index % g->inputs),
                   row = g->row_of[i];
    if (g->s->type == SNN_LAYER_LINEAR)
        return (planes_weight){output, row, 0, 0, row};
    const uint32_t taps = g->s->kernel * g->s->kernel, tap = i % taps;
    return (planes_weight){output, i / taps, tap / g->s->kernel, tap % g->s->kernel, row};
}

/* Rows of the inputs, which PyTorch orders by channel and here are ordered by pixel. */
static bool order_rows(planes_stage *g, const planes_signal *in, snn_error *err) {
    const uint32_t taps = g->s->type == SNN_LAYER_LINEAR ? (uint32_t)in->pixels : g->s->kernel * g->s->kernel;
    g->row_of = snn_alloc(g->inputs, sizeof *g->row_of, "weights of a probe", err);
    for (uint32_t i = 0; g->row_of && i < g->inputs; i++)
        g->row_of[i] = i % taps * g->lines + i / taps;
    return g->row_of != NULL;
}

void snn_planes_patch(const planes *p, int stage, planes_deltas d, int32_t sign, uint8_t *rows8,
                      int16_t *rows16) {
    const planes_stage *g = &p->stage[stage];
    uint64_t first = 0; /* weight of `output` */
    uint32_t output = 0;
    for (size_t i = 0; i < d.n; i++) {
        if (d.delta[i].index >= first + g->inputs) {
            output = (uint32_t)(d.delta[i].index / g->inputs);
            first = (uint64_t)output * g->inputs;
        }
        const size_t at = (output / BLOCK * g->rows + g->row_of[d.delta[i].index - first]) * BLOCK;
        const uint32_t j = output % BLOCK;
        if (rows16) {
            rows16[at + j] = (int16_t)(rows16[at + j] + sign * d.delta[i].dq);
        } else {
            uint8_t *to = &rows8[at + g->position[j]];
            *to = (uint8_t)(*to + sign * d.delta[i].dq);
        }
    }
}

static bool pack(planes *p, int stage, snn_error *err) {
    planes_stage *g = &p->stage[stage];
    const snn_tensor *t = &p->probe->weights->tensor[g->s->tensor];
    const size_t n = g->blocks * g->rows * BLOCK;
    if (t->type == SNN_CODE_16)
        g->rows16 = snn_alloc(n, sizeof *g->rows16, "weights of a probe", err);
    else
        g->rows8 = snn_alloc(n, 1, "weights of a probe", err);
    if (!g->rows8 && !g->rows16)
        return false;
    if (g->rows8)
        memset(g->rows8, 128, n);
    for (uint32_t o = 0; o < g->outputs; o++)
        for (uint32_t i = 0; i < g->inputs; i++) {
            const size_t at = (o / BLOCK * g->rows + g->row_of[i]) * BLOCK;
            const int32_t q = snn_weight_q(t, (uint64_t)o * g->inputs + i);
            if (g->rows16)
                g->rows16[at + o % BLOCK] = (int16_t)q;
            else
                g->rows8[at + g->position[o % BLOCK]] = (uint8_t)(q + 128);
        }
    return true;
}

/* ---- neurons: the engine's, padded to whole blocks ---- */

static void *padded_copy(const void *from, size_t n, size_t room, snn_error *err) {
    void *to = snn_alloc(room, 4, "neurons of a probe", err);
    if (to && from)
        memcpy(to, from, 4 * n);
    return to;
}

static bool make_neuron(planes_stage *g, snn_arithmetic a, snn_error *err) {
    const snn_stage *s = g->s;
    const size_t room = (size_t)g->blocks * BLOCK;
    const bool fixed = a == SNN_ARITHMETIC_FIXED;
    int32_t *threshold = padded_copy(s->threshold_fixed, s->outputs, room, err);
    g->neuron = (snn_planes_neuron){
        .fixed = fixed,
        .subtract = s->neuron.reset == SNN_RESET_SUBTRACT,
        .at_threshold = s->neuron.at_threshold,
        .spiking = s->neuron.type != SNN_NEURON_LI,
        .decay = s->neuron.decay,
        .threshold = s->neuron.threshold,
        .decay_fixed = s->decay_fixed,
        .factor = padded_copy(s->factor, s->outputs, room, err),
        .bias = s->bias ? padded_copy(s->bias, s->outputs, room, err) : NULL,
        .threshold_fixed = threshold,
        .bias_fixed = s->bias ? padded_copy(s->bias_fixed, s->outputs, room, err) : NULL,
    };
    for (size_t j = s->outputs; threshold && j < room; j++)
        threshold[j] = INT32_MAX; /* padding never fires */
    return g->neuron.factor && threshold && (!s->bias || (g->neuron.bias && g->neuron.bias_fixed));
}

/* ---- lanes ---- */

static void place_lanes(planes *p, planes_stage *g, const planes_signal *in) {
    planes_near *n = &g->near;
    const bool linear = g->s->type == SNN_LAYER_LINEAR;
    const uint32_t stride = linear ? 1 : g->stride;
    n->phases = stride * stride;
    n->width = linear ? 1 : (in->shape.width + 2 * g->padding + stride - 1) / stride;
    n->sample_lanes = linear ? 1 : (in->shape.height + 2 * g->padding + stride - 1) / stride * n->width;
    n->tile_samples = n->sample_lanes > TILE_LANES ? 1 : TILE_LANES / n->sample_lanes;
    n->tiles = (p->samples + n->tile_samples - 1) / n->tile_samples;
}

static void place_tile(const planes *p, const planes_stage *g, planes_near *n, planes_tile *tile) {
    const snn_shape out = g->s->out;
    const uint32_t reach = g->s->type == SNN_LAYER_LINEAR ? 0 : (g->s->kernel - 1) / g->stride;
    tile->samples = p->samples - tile->first < n->tile_samples ? p->samples - tile->first : n->tile_samples;
    for (size_t s = tile->first; s < tile->first + tile->samples; s++)
        tile->steps = planes_steps(p, s) > tile->steps ? planes_steps(p, s) : tile->steps;
    const size_t used =
        (tile->samples - 1) * n->sample_lanes + (size_t)(out.height - 1) * n->width + out.width;
    tile->lanes = (uint32_t)rounded(used, BLOCK);
    const size_t reached = tile->lanes + (size_t)reach * n->width + reach,
                 filled = tile->samples * n->sample_lanes;
    tile->input_lanes = (uint32_t)rounded(reached > filled ? reached : filled, 32);
    tile->at = n->lanes;
    tile->input_at = n->input_lanes;
    tile->part = n->parts;
    n->parts += tile->lanes / BLOCK;
    n->lanes += (size_t)tile->steps * tile->lanes;
    n->input_lanes += (size_t)tile->steps * tile->input_lanes;
}

/* Pixel and sample of each lane, as in the first tile, the largest one. */
static void name_lanes(const planes_stage *g, planes_near *n) {
    const snn_shape out = g->s->out;
    for (uint32_t i = 0; i < n->tile[0].lanes; i++) {
        const uint32_t y = i % n->sample_lanes / n->width, x = i % n->sample_lanes % n->width;
        n->sample[i] = i / n->sample_lanes;
        n->pixel[i] = y < out.height && x < out.width ? y * out.width + x : UINT32_MAX;
    }
}

static void mark_alive(const planes *p, planes_near *n) {
    for (size_t k = 0; k < n->tiles; k++) {
        const planes_tile *tile = &n->tile[k];
        for (uint32_t i = 0; i < tile->lanes; i++) {
            if (n->pixel[i] == UINT32_MAX || n->sample[i] >= tile->samples)
                continue;
            for (int t = 0; t < planes_steps(p, tile->first + n->sample[i]); t++) {
                const size_t at = planes_lane_at(tile, i, t);
                n->alive[at / BLOCK] |= UINT64_C(1) << at % BLOCK;
            }
        }
    }
}

static bool make_sums(planes_sums *s, size_t n, size_t parts, snn_error *err) {
    s->narrow = alloc_large(n, sizeof *s->narrow, err);
    s->wide = snn_alloc(parts, sizeof *s->wide, "sums of a probe", err);
    s->parts = parts;
    return s->narrow && s->wide;
}

static bool make_near(planes *p, int stage, snn_error *err) {
    const char *what = "sums of a probe";
    planes_stage *g = &p->stage[stage];
    planes_near *n = &g->near;
    place_lanes(p, g, &p->signal[stage]);
    n->tile = snn_alloc(n->tiles, sizeof *n->tile, what, err);
    if (!n->tile)
        return false;
    for (size_t k = 0; k < n->tiles; k++) {
        n->tile[k].first = k * n->tile_samples;
        place_tile(p, g, n, &n->tile[k]);
    }
    const size_t lines = g->s->type == SNN_LAYER_LINEAR ? g->rows : (size_t)g->lines * n->phases;
    n->bits = alloc_large(g->outputs, n->lanes / 8, err);
    n->alive = snn_alloc(n->lanes / 8, 1, what, err);
    n->input = alloc_large(lines, n->input_lanes * sizeof *n->input, err);
    n->pixel = snn_alloc(n->tile[0].lanes, sizeof *n->pixel, what, err);
    n->sample = snn_alloc(n->tile[0].lanes, sizeof *n->sample, what, err);
    if (!make_sums(&n->sums, g->outputs * n->lanes, g->outputs * n->parts, err) || !n->bits || !n->alive ||
        !n->input || !n->pixel || !n->sample)
        return false;
    name_lanes(g, n);
    mark_alive(p, n);
    return true;
}

/* ---- stages ---- */

static bool make_stage(planes *p, int stage, const snn_stage *s, bool kept, snn_error *err) {
    planes_stage *g = &p->stage[stage];
    const planes_signal *in = &p->signal[stage];
    const bool linear = s->type == SNN_LAYER_LINEAR;
    *g = (planes_stage){.s = s, .pool = s->tensor < 0};
    g->kernel_height = linear ? in->shape.height : s->kernel;
    g->kernel_width = linear ? in->shape.width : s->kernel;
    g->stride = linear ? 1 : s->stride;
    g->padding = linear ? 0 : s->padding;
    g->lines = in->shape.channels;
    g->outputs = s->out.channels;
    g->blocks = (g->outputs + BLOCK - 1) / BLOCK;
    const bool counted = g->pool && (in->counted || s->type != SNN_LAYER_POOL_MAX);
    if (!make_signal(p, &p->signal[stage + 1], s->out, counted, err))
        return false;
    if (g->pool)
        return true;
    g->inputs = snn_layer_fan_in(&p->engine->net->layer[s->layer]);
    for (uint32_t j = 0; j < BLOCK; j++)
        g->position[j] = (uint8_t)p->kernels->position(j);
    g->rows = (size_t)g->kernel_height * g->kernel_width * g->lines;
    const uint32_t largest = !in->counted                           ? 1
                             : s->source.largest < SNN_PLANES_COUNT ? s->source.largest
                                                                    : SNN_PLANES_COUNT;
    g->piece = 254 / largest & ~UINT32_C(1); /* |value| <= 128: 254 times that fits 16 bits */
    g->kept = kept;
    g->searched = p->probe->searched[s->tensor];
    if (kept) {
        const size_t pixels = (size_t)s->out.height * s->out.width;
        if (!make_sums(&g->sums, p->first_step[p->samples] * pixels * g->blocks * BLOCK, p->samples * pixels,
                       err))
            return false;
    }
    return order_rows(g, in, err) && pack(p, stage, err) && make_neuron(g, p->engine->arithmetic, err) &&
           (!g->searched || make_near(p, stage, err));
}

/* Bytes for each step of what is kept of a stage: sums (make_stage), and lanes where it is searched (make_near). */
static double sum_bytes(const snn_stage *s) {
    return sizeof(int16_t) * (double)s->out.height * s->out.width * (double)rounded(s->out.channels, BLOCK);
}

static double lane_bytes(const planes *p, const snn_stage *s) {
    const bool linear = s->type == SNN_LAYER_LINEAR;
    const size_t stride = linear ? 1 : s->stride, padding = linear ? 0 : 2 * (size_t)s->padding,
                 each = linear ? 1
                               : (s->in.height + padding + stride - 1) / stride *
                                     ((s->in.width + padding + stride - 1) / stride),
                 most = each > TILE_LANES ? 1 : TILE_LANES / each,
                 samples = p->samples < most ? p->samples : most;
    const double lines = linear ? snn_shape_size(s->in) : (double)s->in.channels * (double)(stride * stride),
                 lanes = (double)rounded(samples * each, BLOCK) / (double)samples;
    return lanes * (s->out.channels * (sizeof(int16_t) + 1.0 / CHAR_BIT) + lines * sizeof(uint16_t));
}

/* And of the spikes of a signal (make_signal). */
static double signal_bytes(snn_shape shape, bool counted) {
    return (double)shape.height * shape.width *
           (counted ? sizeof(uint16_t) * (double)shape.channels
                    : (double)rounded(shape.channels, BLOCK) / CHAR_BIT);
}

/* Bytes that are kept of the stages from `first` on: by far the most of what a probe takes. */
static double bytes_kept(const planes *p, int first) {
    double bytes = signal_bytes(p->engine->stage[first].in, true);
    bool kept = false;
    for (int i = first; i < p->engine->stages; i++) {
        const snn_stage *s = &p->engine->stage[i];
        bytes += signal_bytes(s->out, s->tensor < 0 && s->type != SNN_LAYER_POOL_MAX);
        if (s->tensor < 0)
            continue;
        const bool searched = p->probe->searched[s->tensor];
        bytes += (kept ? sum_bytes(s) : 0) + (searched ? lane_bytes(p, s) : 0);
        kept |= searched;
    }
    return bytes * (double)p->first_step[p->samples];
}

/* Half of the memory: the rest of the program and other programs need some, and a machine that swaps is of no use. */
static bool check_memory(const planes *p, int first, snn_error *err) {
    const double bytes = bytes_kept(p, first),
                 memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    return bytes <= memory / 2 ||
           snn_fail(
               err, SNN_ERR_RUNTIME,
               "what the probe keeps of %zu samples would take %.1f GB, more than half of this machine's "
               "%.1f GB: take fewer samples (encrypt.samples, encrypt.variants) or search later layers",
               p->samples, bytes * 1e-9, memory * 1e-9);
}

static bool make_stages(planes *p, int first, snn_error *err) {
    bool kept = false;
    if (!check_memory(p, first, err))
        return false;
    p->stages = p->engine->stages - first;
    p->stage = snn_alloc((size_t)p->stages, sizeof *p->stage, "a probe", err);
    p->signal = snn_alloc((size_t)p->stages + 1, sizeof *p->signal, "a probe", err);
    if (!p->stage || !p->signal)
        return false;
    const snn_stage *s = &p->engine->stage[first];
    const snn_shape in = s->type == SNN_LAYER_LINEAR ? (snn_shape){snn_shape_size(s->in), 1, 1} : s->in;
    if (!make_signal(p, &p->signal[0], in, true, err))
        return false;
    for (int i = 0; i < p->stages; i++) {
        if (!make_stage(p, i, s + i, kept, err))
            return false;
        kept |= p->stage[i].searched;
    }
    return true;
}

/* ---- what is too large for this way is left to the plain twin ---- */

/* Largest possible sum of a stage, whatever its weights become. */
static uint64_t largest_sum(const planes *p, const snn_stage *s, uint32_t largest_count, uint64_t busiest) {
    const uint64_t weight = UINT64_C(1) << (p->probe->weights->tensor[s->tensor].bits - 1),
                   fan_in = snn_layer_fan_in(&p->engine->net->layer[s->layer]);
    const uint64_t counts = fan_in * (s->from_input ? largest_count : s->source.largest);
    return weight * (s->from_input && busiest < counts ? busiest : counts);
}

static uint64_t largest_bias(const snn_stage *s) {
    uint64_t most = 0;
    for (uint32_t j = 0; s->bias_fixed && j < s->outputs; j++)
        most = (uint64_t)abs(s->bias_fixed[j]) > most ? (uint64_t)abs(s->bias_fixed[j]) : most;
    return most;
}

static bool fits(const planes *p, const snn_spikes *x) {
    uint64_t busiest = 0;
    uint32_t largest = 0;
    for (size_t i = 0; i < p->samples; i++)
        for (int t = 0; t < x[i].steps; t++) {
            const size_t first = x[i].first[t];
            const snn_list_extent e =
                p->engine->kernels->list_extent(x[i].spike + first, x[i].first[t + 1] - first);
            busiest = e.total > busiest ? e.total : busiest;
            largest = e.largest_count > largest ? e.largest_count : largest;
        }
    for (int i = 0; i < p->engine->stages; i++) {
        const snn_stage *s = &p->engine->stage[i];
        if (s->tensor < 0)
            continue;
        const uint64_t sum = largest_sum(p, s, largest, busiest);
        const bool fixed = p->engine->arithmetic == SNN_ARITHMETIC_FIXED;
        if (sum > (uint64_t)p->engine->sum_limit ||
            snn_layer_fan_in(&p->engine->net->layer[s->layer]) > 1 << 25)
            return false;
        if (fixed && (64 * sum + largest_bias(s)) * (uint64_t)p->most_steps > SNN_FIXED_MEMBRANE)
            return false;
    }
    return largest <= LARGEST_INPUT;
}

/* ---- building ---- */

/* The samples behind the pools that stand in front of the first synaptic layer. x [samples] in: the network's input. Returns the first stage after them, -1 on failure. */
static int pool_inputs(const planes *p, snn_spikes *x, snn_error *err) {
    snn_workspace *w = snn_workspace_new(p->engine, err);
    int i = 0;
    for (; w && i < p->engine->stages && p->engine->stage[i].tensor < 0; i++)
        for (size_t k = 0; k < p->samples; k++) {
            snn_spikes pooled = {0};
            if (!snn_pool_list(&p->engine->stage[i], &x[k], &pooled, w, err)) {
                snn_spikes_free(&pooled);
                snn_workspace_free(w);
                return -1;
            }
            snn_spikes_free(&x[k]);
            x[k] = pooled;
        }
    snn_workspace_free(w);
    return w ? i : -1;
}

static bool build_from(planes *p, snn_spikes *x, bool *suits, snn_error *err) {
    const int first = pool_inputs(p, x, err);
    if (first < 0)
        return false;
    *suits = fits(p, x);
    if (!*suits)
        return true;
    if (!make_stages(p, first, err))
        return false;
    for (size_t i = 0; i < p->samples; i++)
        fill_input(p, i, &x[i]);
    snn_planes_keep_input(p);
    return true;
}

bool snn_planes_build(planes *p, const snn_probe_setup *s, bool *suits, snn_error *err) {
    p->samples = s->n;
    p->first_step = snn_alloc(s->n + 1, sizeof *p->first_step, "a probe", err);
    snn_spikes *x = snn_alloc(s->n, sizeof *x, "samples of a probe", err);
    bool ok = p->first_step && x;
    for (size_t i = 0; ok && i < s->n; i++) {
        p->first_step[i + 1] = p->first_step[i] + (size_t)s->sample[i].steps;
        p->most_steps = s->sample[i].steps > p->most_steps ? s->sample[i].steps : p->most_steps;
        ok = snn_spikes_copy(&x[i], &s->sample[i], err);
    }
    ok = ok && build_from(p, x, suits, err);
    for (size_t i = 0; x && i < s->n; i++)
        snn_spikes_free(&x[i]);
    free(x);
    return ok;
}

static void clear_sums(planes_sums *s) {
    for (size_t i = 0; s->wide && i < s->parts; i++)
        free(s->wide[i]);
    free(s->wide);
    free(s->narrow);
}

static void clear_stage(planes_stage *g) {
    free(g->rows8);
    free(g->rows16);
    free(g->row_of);
    free((void *)g->neuron.factor);
    free((void *)g->neuron.bias);
    free((void *)g->neuron.threshold_fixed);
    free((void *)g->neuron.bias_fixed);
    clear_sums(&g->sums);
    free(g->near.tile);
    clear_sums(&g->near.sums);
    free(g->near.bits);
    free(g->near.alive);
    free(g->near.input);
    free(g->near.pixel);
    free(g->near.sample);
}

void snn_planes_clear(planes *p) {
    for (int i = 0; p->stage && i < p->stages; i++)
        clear_stage(&p->stage[i]);
    for (int i = 0; p->signal && i <= p->stages; i++) {
        free(p->signal[i].bits);
        free(p->signal[i].count);
        free(p->signal[i].active);
    }
    free(p->stage);
    free(p->signal);
    free(p->first_step);
    free(p->out);
    snn_engine_free(p->engine);
}
