/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One cycle of co-simulation: which ports of C model and circuit must agree, and telling where they do not. Valid bits are compared in every cycle, what they guard only when they are set; the decrypted
 * word only when the decryptor does not hold it back.
 */
#include "cosim_internal.h"

#include <inttypes.h>
#include <string.h>

/* Codes of 8 bits stand in memory as in the vector. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTES_ARE_VECTOR 1
#else
#define BYTES_ARE_VECTOR 0
#endif

typedef struct {
    uint32_t differ;
    uint64_t compared;
    snn_cosim_diff *d;
} findings;

static snn_cosim_item *add(findings *f, const char *stage, const char *signal) {
    static const snn_cosim_item none = {0};
    f->differ++;
    if (!f->d || f->d->items == SNN_COSIM_ITEMS)
        return NULL;
    snn_cosim_item *i = &f->d->item[f->d->items++];
    *i = none;
    i->stage = stage;
    i->signal = signal;
    return i;
}

static inline void scalar(findings *f, const char *stage, const char *signal, uint32_t bits,
                          uint64_t expected, uint64_t got) {
    f->compared++;
    if (expected == got)
        return;
    snn_cosim_item *i = add(f, stage, signal);
    if (i) {
        i->expected = expected;
        i->got = got;
        i->bits = bits;
    }
}

/* `bits` <= 32 bits of a vector from bit `first` on. */
static uint32_t slice(const uint32_t *vector, uint64_t first, uint32_t bits) {
    uint64_t item = vector[first / 32];
    if (first % 32 + bits > 32)
        item |= (uint64_t)vector[first / 32 + 1] << 32;
    return (uint32_t)(item >> first % 32 & ((UINT64_C(1) << bits) - 1));
}

/* Two vectors that are not the same: which lane, how many. */
static void vectors(findings *f, const char *stage, const char *signal, uint32_t lanes, uint32_t bits,
                    const uint32_t *expected, const uint32_t *got) {
    snn_cosim_item *item = add(f, stage, signal);
    if (!item)
        return;
    item->vector = true;
    item->bits = bits;
    for (uint32_t l = lanes; l-- > 0;) {
        uint32_t e = slice(expected, (uint64_t)l * bits, bits), g = slice(got, (uint64_t)l * bits, bits);
        if (e == g)
            continue;
        item->lanes++;
        item->lane = l;
        item->expected = e;
        item->got = g;
    }
}

static void codes(struct snn_cosim *c, findings *f, const char *signal, const uint8_t *expected,
                  const uint32_t *got) {
    const uint32_t lanes = c->codes.lanes, bits = c->codes.bits;
    f->compared++;
    if (BYTES_ARE_VECTOR && bits == 8 && !memcmp(expected, got, lanes))
        return;
    snn_rows_pack(&c->codes, expected, c->scratch);
    for (uint64_t i = 0; i * 32 < (uint64_t)lanes * bits; i++)
        if (c->scratch[i] != got[i]) {
            vectors(f, "X", signal, lanes, bits, c->scratch, got);
            return;
        }
}

static void fires(struct snn_cosim *c, findings *f, const snn_tile_outputs *m, const snn_rtl_outputs *r) {
    const uint32_t lanes = c->codes.lanes, items = (lanes + 31) / 32;
    scalar(f, "X", "obs_fire_word_o", 8, m->fire_word, r->fire_word);
    f->compared += 2;
    if (memcmp(m->membrane, r->membrane, lanes * sizeof *m->membrane) != 0)
        vectors(f, "X", "obs_membrane_o", lanes, 32, (const uint32_t *)m->membrane, r->membrane);
    memset(c->scratch, 0, items * sizeof *c->scratch);
    for (uint32_t l = 0; l < lanes; l++)
        c->scratch[l / 32] |= (uint32_t)m->spikes[l] << l % 32;
    if (memcmp(c->scratch, r->spikes, items * sizeof *c->scratch) != 0)
        vectors(f, "X", "obs_spikes_o", lanes, 1, c->scratch, r->spikes);
}

uint32_t snn_cosim_compare(struct snn_cosim *c, const snn_tile_outputs *m, const snn_rtl_outputs *r,
                           uint64_t *compared, snn_cosim_diff *d) {
    const uint32_t address = c->shape.decryptor.address;
    findings f = {.d = d};
    scalar(&f, "A", "aer_ready_o", 1, m->aer_ready, r->aer_ready);
    scalar(&f, "A", "array_read_o", 1, m->array_read, r->array_read);
    if (m->array_read)
        scalar(&f, "A", "array_addr_o", address, m->array_addr, r->array_addr);
    scalar(&f, "X", "obs_hold_o", 1, m->hold, r->hold);
    scalar(&f, "X", "obs_word_valid_o", 1, m->word_valid, r->word_valid);
    if (m->word_valid) {
        scalar(&f, "X", "obs_addr_o", address, m->addr, r->addr);
        codes(c, &f, "obs_sensed_o", m->sensed, r->sensed);
        if (!m->hold)
            codes(c, &f, "obs_word_o", m->word, r->word);
    }
    scalar(&f, "X", "obs_fire_o", 1, m->fire, r->fire);
    if (m->fire)
        fires(c, &f, m, r);
    scalar(&f, "encoder", "spk_valid_o", 1, m->spk_valid, r->spk_valid);
    if (m->spk_valid) {
        scalar(&f, "encoder", "spk_end_o", 1, m->spk_end, r->spk_end);
        if (!m->spk_end)
            scalar(&f, "encoder", "spk_line_o", 20, m->spk_line, r->spk_line);
    }
    scalar(&f, "tile", "idle_o", 1, m->idle, r->idle);
    *compared += f.compared;
    return f.differ;
}

/* ---- telling ---- */

static void print_item(const snn_cosim_item *i, FILE *out) {
    const int digits = (int)((i->bits + 3) / 4);
    fprintf(out, "  %-8s %-17s", i->stage, i->signal);
    if (i->vector)
        fprintf(out, " lane %-5" PRIu32, i->lane);
    else
        fprintf(out, "           ");
    fprintf(out, "  expected 0x%0*" PRIx64 "  got 0x%0*" PRIx64, digits, i->expected, digits, i->got);
    if (i->vector && i->lanes > 1)
        fprintf(out, "  (%" PRIu32 " lanes differ)", i->lanes);
    fputc('\n', out);
}

void snn_cosim_diff_print(const snn_cosim_diff *d, FILE *out) {
    if (!d->found)
        return;
    fprintf(out, "cycle %" PRIu64 ": %" PRIu32 " signal%s of the circuit differ%s from the C model\n",
            d->cycle, d->items, d->items == 1 ? "" : "s", d->items == 1 ? "s" : "");
    for (uint32_t i = 0; i < d->items; i++)
        print_item(&d->item[i], out);
    const snn_tile_inputs *in = &d->in;
    fprintf(out,
            "  inputs   aer_valid %d end %d line %" PRIu32 " count %" PRIu32
            ", spk_ready %d, clear %d, tamper %d, prov_valid %d\n",
            in->aer_valid, in->aer_end, in->aer_line, in->aer_count, in->spk_ready, in->clear, in->tamper,
            in->prov_valid);
    const snn_tile_outputs *m = &d->model;
    fprintf(out, "  model    A: ");
    if (m->array_read)
        fprintf(out, "read of row %" PRIu32, m->array_addr);
    else
        fputs("no read", out);
    fputs("; X: ", out);
    if (m->word_valid)
        fprintf(out, "row %" PRIu32, m->addr);
    else if (m->fire)
        fprintf(out, "end of step, word %" PRIu32, m->fire_word);
    else
        fputs("nothing", out);
    fprintf(out, "%s\n", m->hold ? "; hold" : "");
}
