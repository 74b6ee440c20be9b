/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What decryption costs an inference, and what ciphers would: traffic times results of synthesis. */
#include <snnsim/compare.h>
#include <snnsim/ledger.h>

#include <math.h>
#include <stdlib.h>

/* ---- traffic ---- */

bool snn_inference_of(const snn_tile_traffic *traffic, double samples, const snn_rows *rows,
                      const snn_map *map, const snn_hw_options *o, const snn_weights *stored, int tensor,
                      snn_inference *out, snn_error *err) {
    *out = (snn_inference){0};
    for (int t = 0; t < rows->tensors; t++) {
        const snn_rows_tensor *r = &rows->tensor[t];
        snn_ledger line;
        if (tensor >= 0 && t != tensor)
            continue;
        const double reads = (double)traffic[t].tile.reads / samples;
        out->reads += reads;
        out->keyed += (double)traffic[t].tile.keyed / samples;
        out->cycles += (double)traffic[t].tile.cycles / samples;
        out->plain_cycles += (double)traffic[t].plain.cycles / samples;
        out->rows += (double)r->words * r->fan_in;
        out->weight_bits += (double)r->outputs * r->fan_in * rows->bits;
        if (!(o->device.read_volt > 0 && o->device.read_ns > 0)) {
            out->array_pj = out->array_sourced_pj = NAN;
            continue;
        }
        if (!snn_ledger_read(map, o, stored, t, &line, err))
            return false;
        out->array_pj += reads / r->words * line.energy_pj; /* a line is `words` row words */
        out->array_sourced_pj += reads / r->words * line.energy_sourced_pj;
        snn_ledger_free(&line);
    }
    return true;
}

/* ---- one decryptor ---- */

/* uW x ns = fJ */
static double leaked(const snn_synthesis_design *d, double ns) {
    return snn_synthesis_leakage(d) * ns * 1e-3;
}

static const snn_synthesis_design *plain_of(const snn_synthesis *s, const snn_decryptor_shape *shape) {
    snn_decryptor_shape plain = *shape;
    plain.kind = SNN_DEC_PASS;
    return snn_synthesis_find(s, &plain, 0);
}

/* Share of keyed reads, which matters to a key store; NaN for circuits to which all rows are alike. */
static double share(const snn_decryptor_shape *s, const snn_inference *x) {
    const bool store = s->kind == SNN_DEC_CAM || s->kind == SNN_DEC_TABLE;
    return store && x->reads > 0 ? x->keyed / x->reads : NAN;
}

bool snn_decryption_of(const snn_synthesis *s, const snn_decryptor_shape *shape, uint32_t keys,
                       const snn_inference *x, snn_decryption *out) {
    *out = (snn_decryption){.plain = plain_of(s, shape), .with = snn_synthesis_find(s, shape, keys)};
    if (!out->plain || !out->with)
        return false;
    out->period_ns = out->plain->clock_ns;
    out->misses =
        out->with->clock_ns > out->period_ns || !(out->with->slack_ns >= 0); /* unknown is not met */
    const double period = out->with->clock_ns > out->period_ns ? out->with->clock_ns : out->period_ns,
                 plain_ns = x->plain_cycles * out->period_ns;
    out->ns = x->cycles * period;
    out->added_ns = out->ns - plain_ns;
    /* both at the same share: the rows of a stimulus with many keyed reads are fewer, which the plain read-out notices, too */
    const double keyed = share(shape, x);
    out->plain_pj = x->reads * snn_synthesis_pj(out->plain, keyed);
    out->added_pj = x->reads * snn_synthesis_pj(out->with, keyed) - out->plain_pj;
    out->plain_leakage_pj = leaked(out->plain, plain_ns);
    out->added_leakage_pj = leaked(out->with, out->ns) - out->plain_leakage_pj;
    return isfinite(out->added_pj) && isfinite(out->added_leakage_pj);
}

/* ---- against ciphers ---- */

const char *snn_accounting_name(snn_accounting a) {
    static const char *const names[SNN_ACCOUNTINGS] = {"aes_per_inference", "aes_per_row", "aes_per_row_msb",
                                                       "aes_per_power_up", "prince_msb"};
    return names[a];
}

/* An AES core beside plain read-out. */
typedef struct {
    const snn_synthesis_design *plain, *aes;
    double block_pj, block_ns, leakage_uw;
} core;

static bool core_of(const snn_synthesis *s, const snn_decryptor_shape *shape, core *c) {
    snn_decryptor_shape a = *shape;
    a.kind = SNN_DEC_AES;
    *c = (core){.plain = plain_of(s, shape), .aes = snn_synthesis_find(s, &a, 0)};
    if (!c->plain || !c->aes)
        return false;
    const double blocks = ceil((double)shape->lanes * shape->bits / 128);
    c->block_pj = (snn_synthesis_pj(c->aes, NAN) - snn_synthesis_pj(c->plain, NAN)) / blocks;
    c->block_ns = 11 * c->aes->clock_ns; /* whitening and ten rounds, a cycle each (verilog/rtl/aes128.v) */
    c->leakage_uw = snn_synthesis_leakage(c->aes) - snn_synthesis_leakage(c->plain);
    return true;
}

static double blocks_of(snn_accounting a, const snn_decryptor_shape *s, const snn_inference *x) {
    const double row = ceil((double)s->lanes * s->bits / 128),
                 msb = ceil((double)s->lanes * s->keyable / 128);
    switch (a) {
    case SNN_AES_ROW:
        return x->reads * row;
    case SNN_AES_ROW_MSB:
        return x->reads * msb;
    case SNN_PRINCE_MSB:
        return x->reads * ceil((double)s->lanes * s->keyable / 64);
    default:
        return ceil(x->weight_bits / 128);
    }
}

static void with_aes(const core *c, const snn_inference *x, snn_alternative *a) {
    a->known = true;
    a->pj = a->blocks * c->block_pj;
    a->ns = a->blocks * c->block_ns;
    /* the core leaks as long as an inference takes */
    a->leakage_pj = c->leakage_uw * (x->plain_cycles * c->plain->clock_ns + a->ns) * 1e-3;
}

static void with_prince(const snn_synthesis *s, const snn_decryptor_shape *shape, const snn_inference *x,
                        snn_alternative *a) {
    snn_decryptor_shape p = *shape;
    snn_inference y = *x;
    snn_decryption d;
    p.kind = SNN_DEC_PRINCE;
    y.cycles = y.plain_cycles;
    if (!snn_decryption_of(s, &p, 0, &y, &d))
        return;
    a->known = true;
    a->pj = d.added_pj;
    a->leakage_pj = d.added_leakage_pj;
    a->ns = d.added_ns;
}

void snn_compare(const snn_synthesis *s, const snn_decryptor_shape *shape, const snn_inference *x,
                 const snn_decryption *decryptor, snn_alternative out[SNN_ACCOUNTINGS]) {
    core c;
    const bool aes = core_of(s, shape, &c);
    for (int i = 0; i < SNN_ACCOUNTINGS; i++) {
        snn_alternative *a = &out[i];
        *a = (snn_alternative){.blocks = blocks_of((snn_accounting)i, shape, x), .break_even = NAN};
        if (i == SNN_PRINCE_MSB)
            with_prince(s, shape, x, a);
        else if (aes)
            with_aes(&c, x, a);
        if (!a->known)
            continue;
        const bool once = i == SNN_AES_POWER_UP;
        a->ratio = a->pj / decryptor->added_pj;
        a->ratio_leakage = (a->pj + a->leakage_pj) / (decryptor->added_pj + decryptor->added_leakage_pj);
        a->latency = once ? NAN : (x->plain_cycles * decryptor->period_ns + a->ns) / decryptor->ns;
        if (once)
            a->break_even = a->ratio;
    }
}

/* ---- area ---- */

static uint32_t most_of_an_array(const snn_map *map, const snn_rows *rows, const snn_row_bit *bit, size_t n) {
    uint32_t *count = calloc(map->tiles, sizeof *count), most = 0;
    for (size_t i = 0; count && i < n; i++)
        for (int t = 0; t < rows->tensors; t++) {
            const snn_rows_tensor *r = &rows->tensor[t];
            if (bit[i].row < r->base || bit[i].row - r->base >= r->words * r->fan_in)
                continue;
            const uint32_t word = (bit[i].row - r->base) / r->fan_in,
                           line = (bit[i].row - r->base) % r->fan_in;
            const uint32_t tile =
                map->tensor[t].first_tile + line / map->options.rows * map->tensor[t].column_tiles + word;
            count[tile]++;
            most = count[tile] > most ? count[tile] : most;
        }
    free(count);
    return most;
}

void snn_decryptor_area_of(const snn_synthesis *s, const snn_decryptor_shape *shape, const snn_map *map,
                           const snn_rows *rows, const snn_row_bit *bit, size_t n, snn_decryptor_area *out) {
    const snn_synthesis_design *plain = plain_of(s, shape);
    *out = (snn_decryptor_area){.arrays = map->tiles,
                                .most_keys = most_of_an_array(map, rows, bit, n),
                                .shared_um2 = NAN,
                                .each_um2 = NAN};
    out->shared = snn_synthesis_find(s, shape, (uint32_t)n);
    out->each = snn_synthesis_find(s, shape, out->most_keys);
    if (plain && out->shared)
        out->shared_um2 = out->shared->area_um2 - plain->area_um2;
    if (plain && out->each)
        out->each_um2 = out->arrays * (out->each->area_um2 - plain->area_um2);
}

/* ---- rewriting ---- */

void snn_rewrite_of(const snn_hw_options *o, double cells, double rows, snn_rewrite *out) {
    const snn_device *d = &o->device;
    const double g = (d->g_min + d->g_max) / 2;
    const bool known = d->write_volt > 0 && d->write_ns > 0;
    *out = (snn_rewrite){
        .cells = cells,
        .pj = known ? cells * g * 1e-6 * d->write_volt * d->write_volt * d->write_ns * 1e-9 * 1e12 : NAN,
        .ns = known ? rows * d->write_ns : NAN,
        .endurance = d->endurance > 0 ? d->endurance : NAN};
}
