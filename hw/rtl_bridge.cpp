/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A Verilated tile behind the plain C face of rtl_bridge.h. Compiled by verilog/cosim.sh into one shared object per parameter set; the parameters come as macros SNN_RTL_<NAME>. The array of
 * memory cells is behavioural: it gives the word whose address the circuit latched at the last edge.
 */
#include "rtl_bridge.h"

#include "Vtile.h"
#include <verilated.h>
#include <verilated_vcd_c.h>

#include <cstring>
#include <memory>
#include <new>

#ifndef SNN_RTL_MUTANTS
#define SNN_RTL_MUTANTS 0
#endif

namespace {

constexpr uint32_t items(uint32_t bits) {
    return (bits + 31) / 32;
}
constexpr uint32_t LANES = SNN_RTL_LANES, WORD_ITEMS = items(SNN_RTL_LANES * SNN_RTL_BITS);
constexpr int RESET_CYCLES = 2;
constexpr uint64_t HALF = 5; /* VCD: time units of half a cycle */

/* Ports up to 64 bits are integers, wider ones arrays of items. */
template <std::size_t N> const uint32_t *vector(const VlWide<N> &port, uint32_t *) {
    return port.data();
}
template <typename T> const uint32_t *vector(const T &port, uint32_t *copy) {
    copy[0] = static_cast<uint32_t>(port);
    copy[1] = static_cast<uint32_t>(static_cast<uint64_t>(port) >> 32);
    return copy;
}
template <std::size_t N> void assign(VlWide<N> &port, const uint32_t *from) {
    std::memcpy(port.data(), from, N * sizeof *from);
}
template <typename T> void assign(T &port, const uint32_t *from) {
    uint64_t value = from[0];
    if (sizeof(T) > sizeof *from)
        value |= static_cast<uint64_t>(from[1]) << 32;
    port = static_cast<T>(value);
}
/* A value into a port of whatever width. */
template <typename T> void set(T &port, uint64_t value) {
    port = static_cast<T>(value);
}
template <std::size_t N> void clear(VlWide<N> &port) {
    std::memset(port.data(), 0, N * sizeof(uint32_t));
}
template <typename T> void clear(T &port) {
    port = 0;
}

} // namespace

struct snn_rtl {
    VerilatedContext context;
    std::unique_ptr<Vtile> tile;
    std::unique_ptr<VerilatedVcdC> trace;
    const uint32_t *array;
    uint32_t rows;
    uint64_t cycles = 0;
    uint32_t sensed[2], word[2], membrane[2], spikes[2];

    void show(uint64_t half) {
        if (trace)
            trace->dump(cycles * 2 * HALF + half);
    }
    void edge() {
        const bool read = tile->array_read_o;
        const uint32_t addr = tile->array_addr_o;
        tile->clk_i = 1;
        tile->eval();
        show(HALF);
        cycles++;
        /* The address was latched at this edge: the array senses in the cycle that begins. */
        if (read && addr < rows)
            assign(tile->array_data_i, array + static_cast<std::size_t>(addr) * WORD_ITEMS);
        else if (read)
            clear(tile->array_data_i);
    }
    void settle() {
        tile->clk_i = 0;
        tile->eval();
        show(0);
    }
    void cycle() {
        settle();
        edge();
    }
    void quiet() {
        tile->aer_valid_i = tile->clear_i = tile->tamper_i = tile->par_valid_i = tile->prov_valid_i = 0;
        tile->spk_ready_i = 0;
    }
};

namespace {

void reset(snn_rtl *r) {
    r->quiet();
    r->tile->rst_ni = 1;
    r->tile->clk_i = 0;
    r->tile->eval(); /* asynchronous resets act at a falling edge, also the first one */
    r->tile->rst_ni = 0;
    for (int i = 0; i < RESET_CYCLES; i++)
        r->cycle();
    r->tile->rst_ni = 1;
}

snn_rtl *make(const uint32_t *array, uint32_t rows, uint32_t seed) {
    snn_rtl *r = new (std::nothrow) snn_rtl;
    if (!r)
        return nullptr;
    r->array = array;
    r->rows = rows;
    r->context.randReset(2); /* registers and what is not initialised hold random bits, by the seed */
    r->context.randSeed(static_cast<int>(seed % 0x7fffffffU) + 1);
    r->context.traceEverOn(true);
    r->tile.reset(new (std::nothrow) Vtile(&r->context));
    if (!r->tile) {
        delete r;
        return nullptr;
    }
#if SNN_RTL_MUTANTS
    r->tile->mutant_i = 0;
#endif
    clear(r->tile->array_data_i);
    r->tile->cfg_words_i = 1;
    reset(r);
    return r;
}

void release(snn_rtl *r) {
    if (r && r->trace)
        r->trace->close();
    delete r;
}

void configure(snn_rtl *r, const snn_rtl_layer *l, const int32_t *threshold, const int32_t *bias) {
    Vtile &t = *r->tile;
    r->quiet();
    set(t.cfg_base_i, l->base);
    set(t.cfg_stride_i, l->stride);
    set(t.cfg_words_i, l->words);
    set(t.cfg_decay_i, l->decay);
    t.cfg_subtract_i = l->subtract;
    t.cfg_at_threshold_i = l->at_threshold;
    t.cfg_spiking_i = l->spiking;
    for (uint32_t w = 0; w < l->words; w++) {
        const std::size_t first = static_cast<std::size_t>(w) * LANES;
        t.par_valid_i = 1;
        set(t.par_word_i, w);
        assign(t.par_threshold_i, reinterpret_cast<const uint32_t *>(threshold + first));
        assign(t.par_bias_i, reinterpret_cast<const uint32_t *>(bias + first));
        r->cycle();
    }
    t.par_valid_i = 0;
}

void present(snn_rtl *r, const snn_rtl_inputs *in, snn_rtl_outputs *out) {
    Vtile &t = *r->tile;
    t.aer_valid_i = in->aer_valid;
    t.aer_end_i = in->aer_end;
    set(t.aer_line_i, in->aer_line);
    set(t.aer_count_i, in->aer_count);
    t.spk_ready_i = in->spk_ready;
    t.clear_i = in->clear;
    t.tamper_i = in->tamper;
    t.prov_valid_i = in->prov_valid;
    t.prov_addr_i = in->prov_addr;
    t.prov_data_i = in->prov_data;
    r->settle();
    out->time = r->cycles * 2 * HALF;
    out->idle = t.idle_o;
    out->aer_ready = t.aer_ready_o;
    out->array_read = t.array_read_o;
    out->array_addr = t.array_addr_o;
    out->spk_valid = t.spk_valid_o;
    out->spk_end = t.spk_end_o;
    out->spk_line = t.spk_line_o;
    out->hold = t.obs_hold_o;
    out->word_valid = t.obs_word_valid_o;
    out->addr = t.obs_addr_o;
    out->sensed = vector(t.obs_sensed_o, r->sensed);
    out->word = vector(t.obs_word_o, r->word);
    out->fire = t.obs_fire_o;
    out->fire_word = t.obs_fire_word_o;
    out->membrane = vector(t.obs_membrane_o, r->membrane);
    out->spikes = vector(t.obs_spikes_o, r->spikes);
}

void clock(snn_rtl *r) {
    r->edge();
}

int trace(snn_rtl *r, const char *path) {
    if (r->trace)
        r->trace->close();
    r->trace.reset();
    if (!path)
        return 1;
    r->trace.reset(new (std::nothrow) VerilatedVcdC);
    if (!r->trace)
        return 0;
    r->tile->trace(r->trace.get(), 99); /* all levels */
    r->trace->open(path);
    if (!r->trace->isOpen()) {
        r->trace.reset();
        return 0;
    }
    return 1;
}

void mutant(snn_rtl *r, uint32_t n) {
#if SNN_RTL_MUTANTS
    set(r->tile->mutant_i, n);
#else
    (void)r;
    (void)n;
#endif
}

const snn_rtl_face face = {SNN_RTL_ABI,
                           {SNN_RTL_ADDR, SNN_RTL_LANES, SNN_RTL_BITS, SNN_RTL_KEYABLE, SNN_RTL_KEYS,
                            SNN_RTL_WAYS, SNN_RTL_ENCODING, SNN_RTL_WORDS, SNN_RTL_QUEUE, SNN_RTL_COUNT,
                            SNN_RTL_LINE},
                           SNN_RTL_DECRYPTOR,
                           SNN_RTL_DIGEST,
                           SNN_RTL_MUTANTS,
                           make,
                           release,
                           reset,
                           configure,
                           present,
                           clock,
                           trace,
                           mutant};

} // namespace

#ifndef SNN_RTL_EXPORT
#define SNN_RTL_EXPORT
#endif
extern "C" SNN_RTL_EXPORT const snn_rtl_face *snn_rtl_bridge(void) {
    return &face;
}
