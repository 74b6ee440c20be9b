/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digital read-out: what is known of a chip before its cells are looked at: references, amplifiers, layouts, tables. */
#include "read_internal.h"

#include <math.h>
#include <stdlib.h>

/* ---- references ---- */

static bool make_class(snn_read_plan *p, int n, snn_error *err) {
    snn_read_class *c = &p->class[n];
    if (c->levels)
        return true;
    c->levels = 1 << n;
    double below = 0;
    for (int k = 0; k < c->levels; k++) {
        snn_level l;
        if (!snn_device_level(&p->options->device, &p->when, c->levels, k, &l, err))
            return false;
        if (k > 0)
            c->threshold[k - 1] = below + p->options->reference * (l.target - below);
        below = l.target;
        c->bits[k] = (uint8_t)snn_map_bits(p->map, (uint32_t)k, n);
        c->level[c->bits[k]] = (uint8_t)k;
    }
    return true;
}

/* ---- amplifiers ---- */

/* One for each physical column of each array; word (array * all_columns + column) of the chip's stream. */
static bool make_offsets(snn_read_plan *p, snn_error *err) {
    const double sigma = p->options->device.sense_offset;
    const size_t n = (size_t)p->map->tiles * p->map->all_columns;
    if (!(p->when.effects >> SNN_EFFECT_SENSE & 1) || !(sigma > 0))
        return true;
    const snn_cell_stream s = snn_chip_stream(p->chip, SNN_PURPOSE_SENSE);
    p->offset = snn_alloc(n, sizeof *p->offset, "sense amplifiers", err);
    if (!p->offset)
        return false;
    snn_cell_normals(&s, 0, n, p->offset);
    for (size_t i = 0; i < n; i++)
        p->offset[i] *= sigma;
    return true;
}

/* ---- the plan ---- */

static bool make_tensor(snn_read_plan *p, int i, const snn_net *net, snn_error *err) {
    snn_read_tensor *t = &p->tensor[i];
    const snn_map_tensor *m = &p->map->tensor[i];
    const snn_layer layer = snn_net_tensor_view(net, m->tensor);
    if (!snn_read_layout(t, p->map, i, &layer, err))
        return false;
    for (uint32_t c = 0; c < t->cells; c++)
        if (!make_class(p, t->cell_n[c], err))
            return false;
    if (p->map->options.code_bits && !make_class(p, 1, err))
        return false;
    snn_random r; /* a seed for the tensor, so that (sample, step) has the index for itself */
    snn_random_init(&r, p->chip->seed, SNN_PURPOSE_READ, p->chip->number);
    for (int k = 0; k <= i; k++)
        t->stream = snn_random_u64(&r);
    const uint32_t inputs = snn_shape_size(t->in);
    p->most_inputs = inputs > p->most_inputs ? inputs : p->most_inputs;
    t->weak.first = snn_alloc((size_t)t->channels + 1, sizeof *t->weak.first, "weak cells", err);
    t->weak.rate = snn_alloc(t->channels, sizeof *t->weak.rate, "weak cells", err);
    t->slow.first = snn_alloc((size_t)t->channels + 1, sizeof *t->slow.first, "weak cells", err);
    return t->weak.first && t->weak.rate && t->slow.first;
}

static bool make_gaps(snn_read_plan *p, snn_error *err) {
    p->unit = snn_alloc(1, sizeof *p->unit, "read errors", err);
    p->uniform = snn_alloc(1, sizeof *p->uniform, "read errors", err);
    if (!p->unit || !p->uniform)
        return false;
    snn_gap_table_init(p->unit, 1);
    if (p->read_error > 0)
        snn_gap_table_init(p->uniform, snn_read_rate(p->read_error));
    return true;
}

bool snn_read_plan_init(snn_read_plan *p, const snn_chip *chip, const snn_condition *when, const snn_net *net,
                        snn_error *err) {
    const snn_hw_options *o = chip->o;
    *p = (snn_read_plan){.chip = chip,
                         .map = chip->map,
                         .options = o,
                         .condition = *when,
                         .when = snn_chip_condition(chip, when)};
    p->read_error = snn_read_rate(o->read_error) >= SNN_GAP_LEAST_RATE ? o->read_error : 0;
    const double device = snn_device_white(&o->device, &p->when);
    const double amplifier = p->when.effects >> SNN_EFFECT_SENSE & 1 ? o->device.sense_noise : 0;
    p->white = sqrt(device * device + amplifier * amplifier);
    p->slow_seed = snn_slow_seed(chip->seed, chip->number);
    p->secded = chip->secded;
    p->tensor = snn_alloc((size_t)p->map->tensors, sizeof *p->tensor, "read-out", err);
    bool ok = p->tensor != NULL && snn_chip_levels_init(&p->levels, chip, when, err) &&
              make_offsets(p, err) && make_gaps(p, err);
    for (; ok && p->tensors < p->map->tensors; p->tensors++)
        ok = make_tensor(p, p->tensors, net, err);
    if (!ok)
        snn_read_plan_free(p);
    return ok;
}

void snn_read_plan_free(snn_read_plan *p) {
    for (int i = 0; p->tensor && i < p->map->tensors; i++) {
        snn_read_tensor *t = &p->tensor[i];
        free(t->tap);
        free(t->wrong.wrong);
        free(t->decreed.cell);
        free(t->weak.first);
        free(t->weak.rate);
        free(t->weak.entry);
        free(t->slow.first);
        free(t->slow.cell);
        free(t->slow.ready);
        if (t->cells_code != t->code)
            free(t->cells_code);
        free(t->code);
    }
    free(p->tensor);
    snn_chip_levels_free(&p->levels);
    free(p->offset);
    free(p->unit);
    free(p->uniform);
    snn_weights_free(p->weights);
    *p = (snn_read_plan){0};
}
