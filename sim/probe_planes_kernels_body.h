/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inner loops of the fitness probe for convolutions, written once for all instruction sets. A file that includes this defines
 *   WIDTH                      neurons of a vector
 *   vector                     WIDTH words: sums, or membranes of either arithmetic
 *   zero, add, load, store     of such vectors; widen: from 16-bit sums; scaled: 16-bit inputs times dq
 *   copy16                     copies 16 entries, adding `shift`
 *   fire_float, fire_fixed     one step of WIDTH neurons: a mask of those that spike; join: the masks of 64 neurons as one word
 *   sum_rows8                  adds the rows of entries [first, end) of a step to `blocks` x 64 sums
 *   KERNELS, LEVEL, POSITION   the table's name, level, and order of outputs within rows
 */
#include "kernel_pair.h"
#include "probe_planes_kernels.h"

enum { VECTORS = SNN_PLANES_BLOCK / WIDTH };

/* One step of 64 neurons. */
INLINE uint64_t fire_block(const snn_planes_neuron *p, uint32_t first, const vector *sum, vector *v) {
    mask fired[VECTORS];
#pragma GCC unroll 8
    for (int k = 0; k < VECTORS; k++) {
        const uint32_t j = first + (uint32_t)k * WIDTH;
        fired[k] = p->fixed ? fire_fixed(p, j, sum[k], &v[k]) : fire_float(p, j, sum[k], &v[k]);
    }
    return join(fired);
}

/* ---- outputs of one pixel ---- */

/* Codes of more than 8 bits. */
INLINE void sum_rows16(const snn_planes_unit *u, uint32_t first, uint32_t end, vector *sum,
                       const int blocks) {
    int32_t part[2 * SNN_PLANES_BLOCK] = {0};
    for (uint32_t i = first; i < end; i++)
        for (int b = 0; b < blocks; b++) {
            const int16_t *row = u->rows16 + u->entry[i] + (size_t)b * u->block_step;
            for (int j = 0; j < SNN_PLANES_BLOCK; j++)
                part[b * SNN_PLANES_BLOCK + j] += row[j] * u->count[i];
        }
    for (int k = 0; k < blocks * VECTORS; k++)
        sum[k] = add(sum[k], load(part + k * WIDTH));
}

INLINE void base_sums(const snn_planes_unit *u, int step, vector *sum, const int vectors) {
    const size_t at = (size_t)step * u->stride;
    if (u->narrow) {
#pragma GCC unroll 16
        for (int k = 0; k < vectors; k++)
            sum[k] = widen(u->narrow + at + (size_t)k * WIDTH);
    } else if (u->wide) {
#pragma GCC unroll 16
        for (int k = 0; k < vectors; k++)
            sum[k] = load(u->wide + at + (size_t)k * WIDTH);
    } else {
#pragma GCC unroll 16
        for (int k = 0; k < vectors; k++)
            sum[k] = zero();
    }
}

INLINE void store_all(int32_t *to, int step, const vector *x, const int vectors) {
    for (int k = 0; to && k < vectors; k++)
        store(to + ((size_t)step * (size_t)vectors + (size_t)k) * WIDTH, x[k]);
}

/* Asks for the rows of the next step's first entries: they come from the second-level cache, and the branch at the end of a step's entries is often guessed wrong. There is room to read
 * behind the last entry. */
INLINE void fetch_rows(const snn_planes_unit *u, uint32_t next, const int blocks) {
    enum { AHEAD = 4 };
    for (int i = 0; u->rows8 && i < AHEAD; i++)
        for (int b = 0; b < blocks; b++)
            __builtin_prefetch(u->rows8 + u->entry[next + (uint32_t)i] + (size_t)b * u->block_step);
}

/* Takes copies of what it is told, so that they can stay in registers. */
INLINE void walk_unit(const snn_planes_unit u, const snn_planes_neuron n, uint64_t *any, const int blocks) {
    vector v[2 * VECTORS], sum[2 * VECTORS];
    uint64_t changed[2] = {0, 0};
#pragma GCC unroll 16
    for (int k = 0; k < blocks * VECTORS; k++)
        v[k] = zero();
    for (int t = 0; t < u.steps; t++) {
        const uint32_t first = u.start[t], end = u.start[t + 1];
        base_sums(&u, t, sum, blocks * VECTORS);
        fetch_rows(&u, end, blocks);
        if (u.rows16)
            sum_rows16(&u, first, end, sum, blocks);
        else if (end > first)
            sum_rows8(&u, t, first, end, sum, blocks);
        store_all(u.sum, t, sum, blocks * VECTORS);
#pragma GCC unroll 2
        for (int b = 0; b < blocks; b++) {
            const size_t at = (size_t)t * u.word_step + (size_t)b;
            const uint64_t now =
                fire_block(&n, u.first + (uint32_t)b * SNN_PLANES_BLOCK, sum + b * VECTORS, v + b * VECTORS) ^
                u.before[at];
            u.changed[at] = now;
            changed[b] |= now;
        }
        store_all(u.membrane, t, v, blocks * VECTORS);
    }
    any[0] = changed[0];
    any[1] = changed[1];
}

/* The neurons that most networks have, so that what they leave out is not asked at every step. */
INLINE bool is_usual(const snn_planes_neuron *n) {
    return !n->fixed && !n->bias && !n->subtract && !n->at_threshold && n->spiking;
}

INLINE snn_planes_neuron usual(const snn_planes_neuron *n) {
    return (snn_planes_neuron){
        .spiking = true, .decay = n->decay, .threshold = n->threshold, .factor = n->factor};
}

INLINE void walk_blocks(const snn_planes_unit *u, uint64_t *any, const int blocks) {
    snn_planes_neuron n = *u->neuron;
    if (is_usual(&n) && !u->rows16 && !u->sum && !u->membrane) {
        snn_planes_unit w = *u;
        w.rows16 = NULL;
        w.sum = w.membrane = NULL;
        walk_unit(w, usual(&n), any, blocks);
    } else if (n.fixed) {
        walk_unit(*u, n, any, blocks);
    } else {
        n.fixed = false;
        walk_unit(*u, n, any, blocks);
    }
}

static void fire_unit(const snn_planes_unit *u, uint64_t *any) {
    if (u->blocks == 2)
        walk_blocks(u, any, 2);
    else
        walk_blocks(u, any, 1);
}

/* ---- pixels of one output ---- */

/* Does any changed weight see an input in these 64 lanes? Where there is none, nothing changes. */
INLINE bool sees_input(const snn_planes_lanes *l, uint32_t first) {
    enum { FEW = 4 }; /* with more it is not worth asking */
    if (l->shifts > FEW)
        return true;
    uint16_t any[SNN_PLANES_BLOCK] = {0};
    for (size_t i = 0; i < l->shifts; i++)
        for (int t = 0; t < l->steps; t++)
            for (int j = 0; j < SNN_PLANES_BLOCK; j++)
                any[j] |= l->shift[i].input[(size_t)t * l->input_lanes + first + (uint32_t)j];
    uint16_t all = 0;
    for (int j = 0; j < SNN_PLANES_BLOCK; j++)
        all |= any[j];
    return all != 0;
}

INLINE uint64_t walk_lanes(const snn_planes_lanes l, const snn_planes_neuron n, uint32_t first) {
    const int32_t *wide = l.wide[first / SNN_PLANES_BLOCK];
    vector v[VECTORS], sum[VECTORS];
    uint64_t any = 0;
#pragma GCC unroll 8
    for (int k = 0; k < VECTORS; k++)
        v[k] = zero();
    for (int t = 0; t < l.steps; t++) {
        const size_t word = (size_t)(first / SNN_PLANES_BLOCK) * (size_t)l.steps + (size_t)t,
                     at = word * SNN_PLANES_BLOCK;
#pragma GCC unroll 8
        for (int k = 0; k < VECTORS; k++)
            sum[k] = wide ? load(wide + (size_t)t * SNN_PLANES_BLOCK + k * WIDTH)
                          : widen(l.narrow + at + k * WIDTH);
        for (size_t i = 0; i < l.shifts; i++) {
            const uint16_t *input = l.shift[i].input + (size_t)t * l.input_lanes + first;
#pragma GCC unroll 8
            for (int k = 0; k < VECTORS; k++)
                sum[k] = add(sum[k], scaled(input + k * WIDTH, l.shift[i].dq));
        }
        const uint64_t now = (fire_block(&n, 0, sum, v) ^ l.before[word]) & l.alive[word];
        l.changed[word] = now;
        any |= now;
        for (int k = 0; l.membrane && k < VECTORS; k++)
            store(l.membrane + at + k * WIDTH, v[k]);
    }
    return any;
}

/* Asks for the base sums of 64 lanes. */
INLINE void fetch_lanes(const snn_planes_lanes *l, uint32_t first) {
    const size_t n = (size_t)l->steps * SNN_PLANES_BLOCK;
    const int32_t *wide = l->wide[first / SNN_PLANES_BLOCK];
    const char *base =
        wide ? (const char *)wide : (const char *)(l->narrow + (size_t)first * (size_t)l->steps);
    for (size_t i = 0; i < n * (wide ? sizeof *wide : sizeof *l->narrow); i += 64)
        __builtin_prefetch(base + i);
}

static uint64_t fire_lanes(const snn_planes_lanes *l) {
    snn_planes_neuron n = *l->neuron;
    const bool plain = is_usual(&n) && !l->membrane;
    uint64_t any = 0;
    bool next = sees_input(l, 0);
    for (uint32_t first = 0; first < l->lanes; first += SNN_PLANES_BLOCK) {
        const bool now = next || l->membrane;
        next = first + SNN_PLANES_BLOCK < l->lanes && sees_input(l, first + SNN_PLANES_BLOCK);
        if (next)
            fetch_lanes(l, first + SNN_PLANES_BLOCK);
        if (!now) {
            memset(l->changed + (size_t)(first / SNN_PLANES_BLOCK) * (size_t)l->steps, 0,
                   (size_t)l->steps * sizeof *l->changed);
        } else if (plain) {
            snn_planes_lanes w = *l;
            w.membrane = NULL;
            any |= walk_lanes(w, usual(&n), first);
        } else if (n.fixed) {
            any |= walk_lanes(*l, n, first);
        } else {
            n.fixed = false;
            any |= walk_lanes(*l, n, first);
        }
    }
    return any;
}

/* ---- windows ---- */

static size_t gather(const snn_planes_field *f, uint32_t *entry, int8_t *count, size_t n, uint32_t *start,
                     int32_t *total) {
    const uint32_t *first = f->first;
    const int32_t *before = f->before;
    for (int t = 0; t < f->steps; t++, first += f->step, before += f->step) {
        uint32_t shift = f->shift, line = 0;
        int32_t sum = 0;
        start[t] = (uint32_t)n;
        for (uint32_t y = 0; y < f->lines; y++, shift += f->line_shift, line += f->line) {
            const uint32_t from = first[line], entries = first[line + f->width] - from;
            uint32_t i = 0;
            do { /* mostly once: no branch for none */
                copy16(f->entry + from + i, f->count + from + i, shift, entry + n + i, count + n + i);
                i += 16;
            } while (__builtin_expect(i < entries, 0));
            n += entries;
            sum += before[line + f->width] - before[line];
        }
        total[t] = sum;
        entry[n] = 0;
        count[n] = 0;
        n += (n - start[t]) & 1;
    }
    start[f->steps] = (uint32_t)n;
    return n;
}

/* ---- pools ---- */

/* Words of a row of windows of a 2 x 2 pool: without branches, because which ones change cannot be guessed. */
static uint64_t pool_pairs(const snn_planes_pool *p) {
    uint64_t any = 0;
    const uint64_t *a = p->bits, *b = p->bits + p->line, *x = p->changed, *y = p->changed + p->line;
    for (uint32_t i = 0; i < p->windows; i++) {
        const uint64_t now = (a[2 * i] ^ x[2 * i]) | (a[2 * i + 1] ^ x[2 * i + 1]) | (b[2 * i] ^ y[2 * i]) |
                             (b[2 * i + 1] ^ y[2 * i + 1]);
        any |= p->to[i] = now ^ p->before[i];
    }
    return any;
}

static void correct(int32_t *extra, const uint16_t *input, int32_t dq, size_t n) {
    for (size_t i = 0; i < n; i++)
        extra[i] += dq * input[i];
}

const snn_planes_kernels KERNELS = {LEVEL, POSITION, fire_unit, fire_lanes, gather, pool_pairs, correct};
