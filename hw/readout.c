/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Read-out of a chip: the digital or the analogue way to weights and a hook. */
#include "analog.h"
#include "read_hook.h"

#include <stdlib.h>

struct snn_readout {
    snn_read_plan plan; /* digital */
    snn_read_twin *twin;
    snn_analog *analog;
    snn_weights *weights; /* analogue: as stored */
    bool *silent;         /* [tensors] */
    bool varies, keyed;
    snn_hook hook;
    snn_readout_stats stats;
};

/* ---- digital ---- */

static bool make_hook(snn_readout *r, const snn_flips *key, snn_read_path path, snn_error *err) {
    snn_read_plan *p = &r->plan;
    r->silent = snn_alloc((size_t)p->tensors, sizeof *r->silent, "read-out", err);
    if (!r->silent)
        return false;
    for (int i = 0; i < p->tensors; i++) {
        r->silent[i] = !snn_read_varies(p, &p->tensor[i]);
        r->varies |= !r->silent[i];
    }
    snn_read_hook_layout(p);
    r->hook = (snn_hook){
        .context = p, .scratch_bytes = p->scratch_bytes, .read = snn_read_hook, .silent = r->silent};
    if (path == SNN_READ_FAST || !r->varies)
        return true;
    r->twin = snn_read_twin_new(p, key, err);
    r->hook = (snn_hook){.context = r->twin, .read = snn_read_twin_hook, .silent = r->silent};
    return r->twin != NULL;
}

static bool make_digital(snn_readout *r, const snn_chip *chip, const snn_condition *when,
                         const snn_flips *key, snn_read_path path, const snn_net *net, snn_error *err) {
    if (chip->map->options.cell_bits == 0)
        return snn_fail(err, SNN_ERR_USAGE, "differential pairs of conductances cannot be read digitally");
    if (!snn_read_plan_init(&r->plan, chip, when, net, err))
        return false;
    if (!(path == SNN_READ_FAST ? snn_read_scan_fast(&r->plan, err) : snn_read_scan_plain(&r->plan, err)) ||
        !snn_read_fold(&r->plan, key, err) || !make_hook(r, key, path, err))
        return false;
    r->stats = r->plan.stats;
    r->keyed = key && key->n;
    return true;
}

/* ---- analogue ---- */

static bool make_analog(snn_readout *r, const snn_chip *chip, const snn_condition *when, const snn_flips *key,
                        const snn_net *net, const snn_spikes *training, size_t n, snn_error *err) {
    if (key && key->n)
        return snn_fail(err, SNN_ERR_USAGE,
                        "analogue read-out sums currents and sees no bits, so it cannot flip a key's: use "
                        "hw.readout = \"digital\"");
    r->weights = snn_weights_copy(chip->stored, err);
    r->analog = r->weights ? snn_analog_new(chip, chip->o, when, net, training, n, err) : NULL;
    if (!r->analog)
        return false;
    r->varies = true;
    r->hook = *snn_analog_hook(r->analog);
    for (int i = 0; i < chip->map->tensors; i++)
        r->stats.bits += chip->stored->tensor[i].count * (uint64_t)chip->stored->tensor[i].bits;
    return true;
}

/* ---- both ---- */

snn_readout *snn_readout_new(const snn_chip *chip, const snn_condition *when, const snn_flips *key,
                             snn_read_path path, const snn_net *net, const snn_spikes *training, size_t n,
                             snn_error *err) {
    snn_readout *r = snn_alloc(1, sizeof *r, "read-out", err);
    if (!r)
        return NULL;
    if (chip->o->readout == SNN_READOUT_DIGITAL ? make_digital(r, chip, when, key, path, net, err)
                                                : make_analog(r, chip, when, key, net, training, n, err))
        return r;
    snn_readout_free(r);
    return NULL;
}

void snn_readout_free(snn_readout *r) {
    if (!r)
        return;
    snn_read_twin_free(r->twin);
    if (r->plan.tensor)
        snn_read_plan_free(&r->plan);
    if (r->analog)
        snn_analog_free(r->analog);
    snn_weights_free(r->weights);
    free(r->silent);
    free(r);
}

const snn_weights *snn_readout_weights(const snn_readout *r) {
    return r->analog ? r->weights : r->plan.weights;
}
const snn_hook *snn_readout_hook(const snn_readout *r) {
    return r->varies ? &r->hook : NULL;
}
const snn_readout_stats *snn_readout_about(const snn_readout *r) {
    return &r->stats;
}

/* ---- other bits stored ---- */

/* May each cell be looked at alone? */
static bool check_cells_alone(const snn_readout *r, snn_error *err) {
    const char *why =
        r->analog  ? "analogue read-out sums currents and reads no weights (hw.readout = \"analog\")"
        : r->keyed ? "the read-out flips the bits of a key, but flips change what a thief reads, who has none"
        : r->plan.secded ? "SEC-DED corrects a cell by the others of its code word (hw.repair.secded)"
        : r->plan.chip->repair.row
            ? "repair depends on the stored weights (hw.repair.spare_rows, spare_columns, msb_placement)"
            : NULL;
    return !why ||
           snn_fail(err, SNN_ERR_USAGE, "what flipped bits change cannot be told cell by cell: %s", why);
}

bool snn_readout_deltas(const snn_readout *r, const snn_flips *flips, snn_delta *delta, size_t *n,
                        snn_error *err) {
    return check_cells_alone(r, err) && snn_read_deltas(&r->plan, flips, delta, n, err);
}

void snn_readout_analog(const snn_readout *r, snn_analog_stats *s) {
    *s = (snn_analog_stats){0};
    if (r->analog)
        snn_analog_total(r->analog, s);
}
