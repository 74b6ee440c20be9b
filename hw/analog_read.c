/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Analogue read-out of one layer and time step: from spikes to synaptic sums.
 *
 * For each output pixel (linear layers: once) the inputs that spike are the rows that conduct. An input of count c is c pulses, as on a chip whose drivers know only on and off: pulse k drives the rows with
 * count >= k. The rows of one array and pulse conduct in groups of at most parallel_rows, in ascending order, arrays beside each other at once. Codes of all reads of a column are summed
 * before they are scaled and put together (shift and add), which is exact, as scaling is linear.
 */
#include "analog_internal.h"

#include <snnsim/random.h>

#include <math.h>
#include <string.h>

typedef struct {
    const snn_analog *a;
    const snn_analog_tensor *t;
    char *scratch;
    uint64_t sample, stream; /* stream: index of the noise */
    uint64_t block;          /* of the stream, next to use */
    snn_analog_observer *observe;
    void *context;
    /* of the output pixel */
    uint64_t pulses;  /* rows driven so far */
    int32_t pending;  /* reads since the last take_over */
    int32_t capacity; /* reads that 32-bit sums hold */
    /* counted */
    uint64_t conversions, clipped, reads, driven, siemens, sums;
    double sum, square, error;
    uint32_t most_rows;
} call;

#define AT(type, c, field) ((type *)(void *)((c)->scratch + (c)->a->at.field))

/* ---- one read ---- */

/* 32-bit sums of codes and currents into the values of outputs. Products and sums stay below 2^53: exact. */
static void take_over(call *c) {
    const snn_analog_code *code = &c->t->code;
    int32_t *codes = AT(int32_t, c, code_sum), *currents = AT(int32_t, c, current_sum);
    double *value = AT(double, c, value), *ideal = AT(double, c, ideal);
    if (c->pending == 0)
        return;
    for (uint32_t o = 0, i = 0; o < c->t->map->outputs; o++) {
        double v = 0, w = 0;
        for (uint32_t j = 0; j < code->inputs; j++, i++) {
            v += (double)code->factor[j] * codes[i];
            w += (double)code->factor[j] * currents[i];
        }
        value[o] += v;
        ideal[o] += w;
    }
    memset(codes, 0, c->t->width * sizeof *codes);
    memset(currents, 0, c->t->width * sizeof *currents);
    c->pending = 0;
}

static void sum_currents(call *c, uint32_t row_tile, const uint32_t *row, uint32_t n, int32_t *current) {
    const snn_analog_tensor *t = c->t;
    const uint32_t first = row_tile * c->a->map->options.rows;
    if (t->circuit != NULL) {
        snn_analog_wire_read(c->a, t, row_tile, row, n, AT(double, c, volts), AT(double, c, microamp),
                             AT(double, c, circuit), current);
        return;
    }
    const int16_t **at = AT(const int16_t *, c, row_at);
    for (uint32_t i = 0; i < n; i++)
        at[i] = t->slow.acts ? snn_analog_slow_row(c->a, t, c->sample, first + row[i], c->scratch)
                             : t->cell + (size_t)(first + row[i]) * t->pitch;
    c->a->kernels->sum(at, n, t->width, current);
}

static void add_noise(call *c, uint32_t n, int32_t *current) {
    const size_t words = 2 * (((size_t)c->t->width + 1) / 2), blocks = (words + 3) / 4;
    uint32_t *word = AT(uint32_t, c, word);
    snn_random_fill(c->a->read_seed, SNN_PURPOSE_READ, c->stream, c->block, blocks, word);
    c->block += blocks;
    c->a->kernels->noise(word, c->t->width, c->t->white * sqrtf((float)n), current);
}

static void convert(call *c, uint32_t row_tile, uint32_t n, const int32_t *current) {
    const snn_analog_tensor *t = c->t;
    int32_t *currents = AT(int32_t, c, current_sum);
    if (!(t->step > 0)) {
        c->a->kernels->add(current, t->width, currents);
        return;
    }
    const size_t first = (size_t)row_tile * t->width;
    const snn_analog_conversion k = {.lsb = (float)(ldexp(1.0, -t->exponent) / t->step),
                                     .pedestal = (float)(n * t->pedestal / t->step),
                                     .low = t->low,
                                     .high = t->high,
                                     .bow = t->bow,
                                     .gain = t->gain != NULL ? t->gain + first : NULL,
                                     .offset = t->offset != NULL ? t->offset + first : NULL};
    c->clipped += c->a->kernels->convert(&k, current, t->width, AT(int32_t, c, code_sum), currents);
}

static void add_baseline(call *c, uint32_t first, const uint32_t *row, uint32_t n) {
    const uint32_t tiles = c->t->map->column_tiles;
    double *lost = AT(double, c, lost);
    for (uint32_t i = 0; i < n; i++) {
        const double *baseline = c->t->baseline + (size_t)(first + row[i]) * tiles;
        for (uint32_t k = 0; k < tiles; k++)
            lost[k] += baseline[k];
    }
}

/* A group of n rows of row tile `row_tile`, numbered within their arrays. */
static void read_group(call *c, uint32_t row_tile, const uint32_t *row, uint32_t n) {
    const snn_analog_tensor *t = c->t;
    const uint64_t *siemens = t->siemens + (size_t)row_tile * c->a->map->options.rows;
    int32_t *current = AT(int32_t, c, current);
    if (c->pending == c->capacity)
        take_over(c);
    sum_currents(c, row_tile, row, n, current);
    if (t->white > 0)
        add_noise(c, n, current);
    if (c->observe != NULL)
        c->observe(c->context, t, current, n);
    convert(c, row_tile, n, current);
    if (t->baseline != NULL)
        add_baseline(c, row_tile * c->a->map->options.rows, row, n);
    c->pending++;
    c->pulses += n;
    c->reads += t->map->column_tiles;
    c->driven += (uint64_t)n * t->map->column_tiles;
    c->conversions += t->width;
    c->most_rows = n > c->most_rows ? n : c->most_rows;
    for (uint32_t i = 0; i < n; i++)
        c->siemens += siemens[row[i]];
}

/* ---- one output pixel ---- */

/* The spiking rows of one row of arrays, ascending. */
static void read_tile(call *c, uint32_t row_tile, const snn_spike *line, size_t n) {
    const uint32_t first = row_tile * c->a->map->options.rows;
    uint32_t *row = AT(uint32_t, c, row);
    for (uint32_t pulse = 1;; pulse++) {
        uint32_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (line[i].count >= pulse)
                row[m++] = line[i].index - first;
        if (m == 0)
            return;
        for (uint32_t done = 0; done < m; done += c->t->parallel)
            read_group(c, row_tile, row + done, m - done < c->t->parallel ? m - done : c->t->parallel);
    }
}

static bool finish(call *c, int32_t *sum, snn_error *err) {
    const snn_analog_tensor *t = c->t;
    const double *value = AT(double, c, value), *ideal = AT(double, c, ideal), *lost = AT(double, c, lost);
    const double divisor = t->code.divisor, grid = ldexp(1.0, -t->exponent), n = (double)c->pulses;
    const double pedestal = n * t->pedestal * t->code.factors, nominal = n * t->code.per_pulse;
    for (uint32_t o = 0; o < t->map->outputs; o++) {
        const double always = nominal + lost[o / t->map->lanes];
        const double exact = ideal[o] * grid / divisor + always;
        const double q = t->step > 0 ? (value[o] * t->step - pedestal) / divisor + always : exact;
        const double fine = floor(64.0 * q + 0.5);
        if (!(fabs(fine) <= INT32_MAX))
            return snn_fail(err, SNN_ERR_RUNTIME,
                            "analogue read-out drives a synaptic sum of layer %s beyond %d / 64",
                            t->map->name, INT32_MAX);
        sum[o] = (int32_t)fine;
        c->sum += exact;
        c->square += exact * exact;
        c->error += (q - exact) * (q - exact);
    }
    c->sums += t->map->outputs;
    return true;
}

/* line [n]: rows that conduct, ascending, with counts; sum [outputs]. */
static bool read_pixel(call *c, const snn_spike *line, size_t n, int32_t *sum, snn_error *err) {
    const uint32_t rows = c->a->map->options.rows;
    memset(AT(double, c, value), 0, c->t->map->outputs * sizeof(double));
    memset(AT(double, c, ideal), 0, c->t->map->outputs * sizeof(double));
    memset(AT(double, c, lost), 0, c->t->map->column_tiles * sizeof(double));
    c->pulses = 0;
    for (size_t from = 0, to; from < n; from = to) {
        const uint32_t row_tile = line[from].index / rows;
        for (to = from + 1; to < n && line[to].index / rows == row_tile; to++)
            ;
        read_tile(c, row_tile, line + from, to - from);
    }
    take_over(c);
    return finish(c, sum, err);
}

/* ---- which rows conduct ---- */

/* The inputs in ascending order. */
static const snn_spike *in_order(call *c, const snn_spike *input, size_t n) {
    uint32_t *count = AT(uint32_t, c, count);
    uint64_t *mark = AT(uint64_t, c, mark);
    snn_spike *list = AT(snn_spike, c, list);
    size_t sorted = 1;
    while (sorted < n && input[sorted - 1].index < input[sorted].index)
        sorted++;
    if (sorted >= n)
        return input;
    for (size_t i = 0; i < n; i++) {
        count[input[i].index] = input[i].count;
        mark[input[i].index / 64] |= UINT64_C(1) << input[i].index % 64;
    }
    size_t listed = 0;
    const size_t words = ((size_t)snn_shape_size(c->t->layer->in) + 63) / 64;
    for (size_t w = 0; w < words; w++) {
        for (uint64_t m = mark[w]; m != 0; m &= m - 1) {
            const uint32_t index = (uint32_t)(64 * w) + (uint32_t)__builtin_ctzll(m);
            list[listed++] = (snn_spike){index, count[index]};
        }
        mark[w] = 0;
    }
    return list;
}

/* Where the inputs of each line (channel, y) begin in the list: line [channels * height + 1]. */
static void find_lines(call *c, const snn_spike *list, size_t n) {
    const snn_shape in = c->t->layer->in;
    uint32_t *line = AT(uint32_t, c, line);
    size_t i = 0;
    for (uint32_t l = 0; l < in.channels * in.height; l++) {
        line[l] = (uint32_t)i;
        while (i < n && list[i].index < (l + 1) * in.width)
            i++;
    }
    line[in.channels * in.height] = (uint32_t)n;
}

/* Appends the inputs of one line to the patches of the output pixels of a line, as row channel * kernel^2 + ky * kernel + kx. */
static void spread_line(call *c, const snn_spike *from, const snn_spike *to, uint32_t line, uint32_t tap) {
    const snn_layer *l = c->t->layer;
    const uint32_t fan_in = c->t->map->fan_in;
    snn_spike *patch = AT(snn_spike, c, patch);
    uint32_t *patch_n = AT(uint32_t, c, patch_n);
    for (; from < to; from++) {
        const uint32_t x = from->index - line * l->in.width + l->padding;
        for (uint32_t kx = 0; kx < l->kernel && kx <= x; kx++) {
            const uint32_t ox = (x - kx) / l->stride;
            if ((x - kx) % l->stride == 0 && ox < l->out.width)
                patch[(size_t)ox * fan_in + patch_n[ox]++] = (snn_spike){tap + kx, from->count};
        }
    }
}

static bool read_line(call *c, const snn_spike *list, uint32_t oy, int32_t *sum, snn_error *err) {
    const snn_layer *l = c->t->layer;
    const uint32_t *first = AT(uint32_t, c, line);
    const snn_spike *patch = AT(snn_spike, c, patch);
    uint32_t *patch_n = AT(uint32_t, c, patch_n);
    memset(patch_n, 0, l->out.width * sizeof *patch_n);
    for (uint32_t channel = 0; channel < l->in.channels; channel++)
        for (uint32_t ky = 0; ky < l->kernel; ky++) {
            const uint32_t y = oy * l->stride + ky - l->padding; /* wraps above the image */
            const uint32_t line = channel * l->in.height + y;
            if (y < l->in.height)
                spread_line(c, list + first[line], list + first[line + 1], line,
                            (channel * l->kernel + ky) * l->kernel);
        }
    for (uint32_t ox = 0; ox < l->out.width; ox++)
        if (patch_n[ox] > 0 && !read_pixel(c, patch + (size_t)ox * c->t->map->fan_in, patch_n[ox],
                                           sum + (size_t)ox * l->out.channels, err))
            return false;
    return true;
}

static bool read_layer(call *c, const snn_spike *input, size_t n, int32_t *sum, snn_error *err) {
    const snn_layer *l = c->t->layer;
    const snn_spike *list = in_order(c, input, n);
    if (l->type == SNN_LAYER_LINEAR)
        return read_pixel(c, list, n, sum, err);
    find_lines(c, list, n);
    for (uint32_t oy = 0; oy < l->out.height; oy++)
        if (!read_line(c, list, oy, sum + (size_t)oy * l->out.width * l->out.channels, err))
            return false;
    return true;
}

/* ---- the hook ---- */

/* Into a counter of 2^-6 LSB^2, which holds 2^58 LSB^2. */
static uint64_t whole(double square) {
    return (uint64_t)(square * 64.0 + 0.5);
}

static void count(const call *c) {
    snn_analog_counters *k = c->t->counters;
    atomic_fetch_add_explicit(&k->conversions, c->conversions, memory_order_relaxed);
    atomic_fetch_add_explicit(&k->clipped, c->clipped, memory_order_relaxed);
    atomic_fetch_add_explicit(&k->reads, c->reads, memory_order_relaxed);
    atomic_fetch_add_explicit(&k->pulses, c->driven, memory_order_relaxed);
    atomic_fetch_add_explicit(&k->siemens, c->siemens, memory_order_relaxed);
    atomic_fetch_add_explicit(&k->sums, c->sums, memory_order_relaxed);
    atomic_fetch_add_explicit(&k->sum, (int64_t)floor(64.0 * c->sum + 0.5), memory_order_relaxed);
    atomic_fetch_add_explicit(&k->square, whole(c->square), memory_order_relaxed);
    atomic_fetch_add_explicit(&k->error, whole(c->error), memory_order_relaxed);
    uint_least32_t most = atomic_load_explicit(&k->most_rows, memory_order_relaxed);
    while (most < c->most_rows &&
           !atomic_compare_exchange_weak_explicit(&k->most_rows, &most, c->most_rows, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
}

/* Layers below 2^8, samples below 2^32, steps below 2^24: streams are never shared. */
static uint64_t stream_of(int tensor, uint64_t sample, int step) {
    return (uint64_t)tensor << 56 ^ sample << 24 ^ (uint64_t)step;
}

bool snn_analog_read(const snn_analog *a, void *scratch, int tensor, uint64_t sample, int step,
                     const snn_spike *input, size_t n, int32_t *sum, snn_analog_observer *observe,
                     void *context, snn_error *err) {
    const snn_analog_tensor *t = &a->tensor[tensor];
    call c = {.a = a,
              .t = t,
              .scratch = scratch,
              .sample = sample,
              .stream = stream_of(tensor, sample, step),
              .observe = observe,
              .context = context,
              .capacity = INT32_MAX / (t->bound > 1 << 16 ? t->bound : 1 << 16)};
    if (n == 0)
        return true;
    memset(AT(int32_t, &c, code_sum), 0, t->width * sizeof(int32_t));
    memset(AT(int32_t, &c, current_sum), 0, t->width * sizeof(int32_t));
    if (!read_layer(&c, input, n, sum, err))
        return false;
    count(&c);
    return true;
}

/* ---- scratch ---- */

static bool room(size_t *end, size_t *at, uint64_t n, size_t size) {
    const uint64_t most = SIZE_MAX / 4;
    if (n > most / size || *end > most)
        return false;
    *at = *end;
    *end += ((size_t)n * size + 63) / 64 * 64;
    return true;
}

/* The largest of each kind of buffer that any tensor needs. */
static void measure(const snn_analog *a, uint64_t *in, uint64_t *lines, uint64_t *patch, uint64_t *out_width,
                    uint64_t *width, uint64_t *outputs, uint64_t *circuit) {
    for (int i = 0; i < a->tensors; i++) {
        const snn_analog_tensor *t = &a->tensor[i];
        const snn_layer *l = t->layer;
        const bool flat = l->type == SNN_LAYER_LINEAR;
        const uint64_t most[] = {snn_shape_size(l->in),
                                 flat ? 0 : (uint64_t)l->in.channels * l->in.height + 1,
                                 flat ? 0 : (uint64_t)l->out.width * t->map->fan_in,
                                 l->out.width,
                                 t->width,
                                 t->map->outputs,
                                 t->circuit != NULL ? snn_circuit_fast_scratch(t->circuit[0]) : 0};
        uint64_t *to[] = {in, lines, patch, out_width, width, outputs, circuit};
        for (size_t k = 0; k < sizeof most / sizeof *most; k++)
            *to[k] = most[k] > *to[k] ? most[k] : *to[k];
    }
}

bool snn_analog_scratch_size(snn_analog *a, snn_error *err) {
    const snn_map_options *o = &a->map->options;
    uint64_t in = 0, lines = 0, patch = 0, out_width = 0, width = 0, outputs = 0, circuit = 0;
    measure(a, &in, &lines, &patch, &out_width, &width, &outputs, &circuit);
    snn_analog_scratch *s = &a->at;
    size_t *end = &s->end;
    *end = 0;
    bool ok =
        room(end, &s->count, in, sizeof(uint32_t)) && room(end, &s->mark, in / 64 + 1, sizeof(uint64_t)) &&
        room(end, &s->list, in, sizeof(snn_spike)) && room(end, &s->line, lines, sizeof(uint32_t)) &&
        room(end, &s->patch, patch, sizeof(snn_spike)) &&
        room(end, &s->patch_n, out_width, sizeof(uint32_t)) &&
        room(end, &s->row, o->rows, sizeof(uint32_t)) && room(end, &s->row_at, o->rows, sizeof(void *)) &&
        room(end, &s->current, width, sizeof(int32_t)) && room(end, &s->code_sum, width, sizeof(int32_t)) &&
        room(end, &s->current_sum, width, sizeof(int32_t)) && room(end, &s->value, outputs, sizeof(double)) &&
        room(end, &s->ideal, outputs, sizeof(double)) && room(end, &s->lost, outputs, sizeof(double)) &&
        room(end, &s->word, width + 8, sizeof(uint32_t)) && room(end, &s->volts, o->rows, sizeof(double)) &&
        room(end, &s->microamp, o->columns, sizeof(double)) &&
        room(end, &s->circuit, circuit, sizeof(double));
    for (int i = 0; ok && i < a->tensors; i++)
        ok = room(end, &a->tensor[i].slow.scratch_at, a->tensor[i].slow.scratch, 1);
    a->hook.scratch_bytes = *end;
    return ok || snn_fail(err, SNN_ERR_RUNTIME,
                          "analogue read-out of this network needs more memory than can be addressed");
}
