/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim hw cosim: the runs. Two circuits stand beside their C models: the one with the decryptor, and pass-through over the decrypted array; both get the same traffic. */
#include "hw_cosim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DECRYPTOR, PASS };

/* ---- opening ---- */

static bool find_layer(cli_cosim *c, snn_error *err) {
    c->only = -1;
    for (int t = 0; c->layer && t < c->tile.rows->tensors; t++)
        if (!strcmp(c->layer, c->tile.rows->tensor[t].name))
            c->only = t;
    return !c->layer || c->only >= 0 ||
           snn_fail(err, SNN_ERR_USAGE, "--layer %s: no layer with weights has that name", c->layer);
}

/* Each row once, ascending, as the bits are sorted by row. */
static bool list_keyed(cli_cosim *c, snn_error *err) {
    const cli_tile *t = &c->tile;
    uint8_t *is = snn_alloc(t->rows->rows, 1, "keyed rows", err);
    c->keyed = is ? snn_alloc(t->keys, sizeof *c->keyed, "keyed rows", err) : NULL;
    for (size_t i = 0; c->keyed && i < t->keys; i++) {
        if (!is[t->bit[i].row])
            c->keyed[c->keyed_rows++] = t->bit[i].row;
        is[t->bit[i].row] = 1;
    }
    free(is);
    return c->keyed != NULL;
}

/* Without bits or cipher there is nothing to be wrong. */
static bool check_wrong(const cli_tile *t, snn_error *err) {
    const snn_decryptor_kind kind = t->shape.decryptor.kind;
    if (kind == SNN_DEC_PASS)
        return snn_fail(err, SNN_ERR_USAGE, "--wrong-key: decryptor pass has no key");
    return t->keys > 0 || (kind != SNN_DEC_CAM && kind != SNN_DEC_TABLE) ||
           snn_fail(err, SNN_ERR_USAGE, "--wrong-key needs --key FILE: as many bits are drawn as it has");
}

/* As many other bits as the key has, or other keys of a cipher. */
static bool make_wrong(cli_cosim *c, snn_error *err) {
    const cli_tile *t = &c->tile;
    const snn_decryptor_shape *s = &t->shape.decryptor;
    if (!check_wrong(t, err))
        return false;
    snn_random r;
    snn_random_init(&r, c->wrong_key, SNN_PURPOSE_TRAFFIC, 2);
    snn_row_bit *bit = snn_alloc(t->keys, sizeof *bit, "a wrong key", err);
    uint8_t *taken = bit ? snn_alloc(t->rows->rows, 1, "a wrong key", err) : NULL;
    for (size_t i = 0; taken && i < t->keys;) { /* a bit of a row: no slot is asked for twice */
        bit[i] = (snn_row_bit){snn_random_below(&r, t->rows->rows), snn_random_below(&r, s->lanes),
                               snn_random_below(&r, s->keyable)};
        const bool fresh = !taken[bit[i].row] || t->keys > t->rows->rows / 2;
        taken[bit[i].row] = 1;
        i += fresh;
    }
    const bool ok = taken && snn_provision_make(&c->wrong, s, bit, t->keys, c->wrong_key, err);
    free(taken);
    free(bit);
    return ok;
}

static bool open_circuit(cli_cosim *c, int which, const char *path, snn_error *err) {
    cli_circuit *x = &c->circuit[which];
    snn_rtl_options build = c->build;
    if (which == PASS)
        build.top = NULL;
    if (!path && !(path = x->path = snn_rtl_build(&x->shape, &build, err)))
        return false;
    return (x->library = snn_rtl_open(path, &x->shape, err));
}

bool cli_cosim_open(cli_cosim *c, snn_error *err) {
    cli_tile *t = &c->tile;
    c->differs = -1;
    c->build =
        (snn_rtl_options){.folder = c->verilog, .top = c->top, .gated = !c->ungated, .latches = c->latches};
    if (!cli_tile_open(t, err) || !find_layer(c, err) || (c->wrong_key && !make_wrong(c, err)) ||
        !list_keyed(c, err))
        return false;
    const bool stolen = t->shape.decryptor.kind == SNN_DEC_PASS;
    c->plain = snn_rows_fill(t->rows, stolen ? t->model.weights : t->plain, err);
    c->part = snn_alloc((size_t)t->rows->tensors, sizeof *c->part, "layers", err);
    if (!c->plain || !c->part)
        return false;
    c->circuit[DECRYPTOR] = (cli_circuit){.role = "the decryptor",
                                          .shape = t->shape,
                                          .provision = c->wrong_key ? &c->wrong : &t->provision,
                                          .stored = t->stored,
                                          .plain = c->plain};
    c->circuit[PASS] =
        (cli_circuit){.role = "pass-through", .shape = t->shape, .stored = c->plain, .plain = c->plain};
    c->circuit[PASS].shape.decryptor.kind = SNN_DEC_PASS;
    return open_circuit(c, DECRYPTOR, c->rtl, err) && open_circuit(c, PASS, NULL, err);
}

void cli_cosim_free(cli_cosim *c) {
    for (int i = 0; i < 2; i++) {
        snn_cosim_free(c->circuit[i].cosim);
        snn_rtl_close(c->circuit[i].library);
        free(c->circuit[i].path);
    }
    snn_provision_free(&c->wrong);
    free(c->plain);
    free(c->keyed);
    free(c->part);
    cli_tile_free(&c->tile);
}

/* ---- running ---- */

static double cpu_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* trace: NULL, or the file for the waveforms of circuit c->differs, from cycle `from` on. */
static bool start(cli_cosim *c, const char *trace, uint64_t from, snn_error *err) {
    memset(c->part, 0, (size_t)c->tile.rows->tensors * sizeof *c->part);
    memset(&c->drawn, 0, sizeof c->drawn);
    for (int t = 0; t < c->tile.rows->tensors; t++)
        c->part[t].same_stamps = true;
    c->samples = 0;
    for (int i = 0; i < 2; i++) {
        cli_circuit *x = &c->circuit[i];
        const snn_cosim_options o = {.seed = (uint64_t)snn_config_int(c->tile.config, "seed"),
                                     .plain = x->plain,
                                     .trace = i == c->differs ? trace : NULL,
                                     .trace_from = from};
        snn_cosim_free(x->cosim);
        x->seconds = x->cpu_seconds = 0;
        x->cosim =
            snn_cosim_new(snn_rtl_face_of(x->library), &x->shape, x->stored, c->tile.rows->rows, &o, err);
        if (!x->cosim)
            return false;
        snprintf(c->where, sizeof c->where, "provisioning of %s", x->role);
        if (x->provision && !snn_cosim_provision(x->cosim, x->provision->write, x->provision->writes, err))
            return false;
    }
    return true;
}

static bool drawn_reads(cli_cosim *c, snn_error *err) {
    for (int i = 0; c->reads && i < 2; i++) {
        cli_circuit *x = &c->circuit[i];
        const snn_cosim_stats before = snn_cosim_stats_of(x->cosim);
        const double from = snn_now(), cpu = cpu_now();
        snprintf(c->where, sizeof c->where, "drawn reads through %s", x->role);
        const bool ok = snn_cosim_reads(x->cosim, c->reads, c->keyed, c->keyed_rows, err);
        x->seconds += snn_now() - from;
        x->cpu_seconds += cpu_now() - cpu;
        if (!ok)
            return false;
        c->drawn.stats[i] = snn_cosim_stats_of(x->cosim);
        c->drawn.cycles[i] = c->drawn.stats[i].cycles - before.cycles;
    }
    c->drawn.ran = c->reads > 0;
    c->drawn.same_stamps = !strcmp(c->drawn.stats[0].stamps, c->drawn.stats[1].stamps);
    return true;
}

static uint64_t spikes_that_differ(const snn_spikes *a, const snn_spikes *b) {
    uint64_t n = 0;
    for (int step = 0; step < a->steps; step++) {
        size_t i = a->first[step], j = b->first[step];
        while (i < a->first[step + 1] || j < b->first[step + 1]) {
            const uint32_t x = i < a->first[step + 1] ? a->spike[i].index : UINT32_MAX,
                           y = j < b->first[step + 1] ? b->spike[j].index : UINT32_MAX;
            n += x != y;
            i += x <= y;
            j += y <= x;
        }
    }
    return n;
}

/* One layer of the sample at hand on both circuits. */
static bool layer(cli_cosim *c, int tensor, bool pressed, snn_spikes out[2], snn_error *err) {
    cli_cosim_part *p = &c->part[tensor];
    const snn_rows_tensor *about = &c->tile.rows->tensor[tensor];
    char stamps[2][65];
    p->ran = true;
    p->whole = c->tile.traffic[tensor].whole;
    for (int i = 0; i < 2; i++) {
        cli_circuit *x = &c->circuit[i];
        snprintf(c->where, sizeof c->where, "sample %zu, layer %s, %s%s", c->samples, about->name, x->role,
                 pressed ? ", under back-pressure" : "");
        snn_cosim_pressure(x->cosim, pressed);
        snn_cosim_mark(x->cosim);
        const double from = snn_now(), cpu = cpu_now();
        const bool ok =
            snn_cosim_layer(x->cosim, snn_tile_network_layer(c->tile.network, tensor), about->outputs,
                            snn_tile_network_events(c->tile.network, tensor), p->whole ? &out[i] : NULL, NULL,
                            pressed ? &p->pressed[i] : &p->counts[i], err);
        x->seconds += snn_now() - from;
        x->cpu_seconds += cpu_now() - cpu;
        if (!ok)
            return false;
        memcpy(stamps[i], snn_cosim_stats_of(x->cosim).stamps, sizeof stamps[i]);
    }
    p->same_stamps &= !strcmp(stamps[0], stamps[1]);
    if (p->whole)
        p->wrong_spikes += spikes_that_differ(&out[0], &out[1]);
    return true;
}

static bool sample(cli_cosim *c, snn_dataset_buffer *buffer, snn_spikes *x, snn_spikes out[2],
                   snn_error *err) {
    cli_tile *t = &c->tile;
    int predicted;
    if (!snn_dataset_frames(t->data, c->samples, buffer, x, err) ||
        !snn_tile_network_run(t->network, x, c->samples, NULL, NULL, t->traffic, &predicted, err))
        return false;
    for (int tensor = 0; tensor < t->rows->tensors; tensor++) {
        if (t->traffic[tensor].differences > 0)
            return snn_fail(err, SNN_ERR_RUNTIME,
                            "sample %zu, layer %s: membranes and spikes of the C model are not the engine's",
                            c->samples, t->rows->tensor[tensor].name);
        if (c->only >= 0 && c->only != tensor)
            continue;
        if (!layer(c, tensor, false, out, err))
            return false;
        if (c->samples < c->patterns && !layer(c, tensor, true, out, err))
            return false;
    }
    return true;
}

static bool all_samples(cli_cosim *c, volatile sig_atomic_t *stop, snn_error *err) {
    snn_dataset_buffer buffer = {0};
    snn_spikes x = {0}, out[2] = {{0}, {0}};
    snn_progress *p = snn_progress_begin("hw cosim", "samples", c->tile.samples, !c->tile.common.quiet);
    bool ok = true;
    while (ok && c->samples < c->tile.samples) {
        ok =
            (!*stop || snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted")) && sample(c, &buffer, &x, out, err);
        c->samples += ok;
        snn_progress_update(p, c->samples);
    }
    snn_progress_end(p);
    snn_spikes_free(&x);
    snn_spikes_free(&out[0]);
    snn_spikes_free(&out[1]);
    snn_dataset_buffer_free(&buffer);
    return ok;
}

static bool run_once(cli_cosim *c, const char *trace, uint64_t from, volatile sig_atomic_t *stop,
                     snn_error *err) {
    return start(c, trace, from, err) && drawn_reads(c, err) && all_samples(c, stop, err);
}

/* All but AES promise none. With a wrong key there are other spikes, so other cycles. */
static bool check_added(const cli_cosim *c, snn_error *err) {
    bool same = !c->drawn.ran || (c->drawn.same_stamps && c->drawn.cycles[0] == c->drawn.cycles[1]);
    for (int t = 0; t < c->tile.rows->tensors; t++)
        same &= c->part[t].same_stamps && c->part[t].counts[0].cycles == c->part[t].counts[1].cycles;
    return same || c->wrong_key || c->tile.shape.decryptor.kind == SNN_DEC_AES ||
           snn_fail(err, SNN_ERR_RUNTIME, "decryptor %s adds cycles to those of pass-through",
                    snn_decryptor_name(c->tile.shape.decryptor.kind));
}

/* What no single cycle shows: another word than the plain weights have, another spike, added cycles. */
static bool check_all(const cli_cosim *c, snn_error *err) {
    const bool wrong = c->wrong_key != 0;
    if (c->stats[DECRYPTOR].wrong > 0 && !wrong)
        return snn_fail(err, SNN_ERR_RUNTIME, "%" PRIu64 " decrypted row words are not the plain weights",
                        c->stats[DECRYPTOR].wrong);
    for (int t = 0; t < c->tile.rows->tensors; t++)
        if (c->part[t].wrong_spikes > 0 && !wrong)
            return snn_fail(err, SNN_ERR_RUNTIME, "layer %s: %" PRIu64 " spikes differ from pass-through's",
                            c->tile.rows->tensor[t].name, c->part[t].wrong_spikes);
    return check_added(c, err);
}

bool cli_cosim_run(cli_cosim *c, snn_error *err) {
    volatile sig_atomic_t *stop = cli_catch_interrupts();
    const bool ok = run_once(c, NULL, 0, stop, err);
    for (int i = 0; i < 2; i++)
        if (c->circuit[i].cosim) {
            c->stats[i] = snn_cosim_stats_of(c->circuit[i].cosim);
            if (snn_cosim_diff_of(c->circuit[i].cosim)->found)
                c->differs = i;
        }
    if (ok)
        return check_all(c, err);
    if (c->differs < 0)
        return false;
    c->diff = *snn_cosim_diff_of(c->circuit[c->differs].cosim);
    /* The run is the same each time: once more, with the waveforms of its last cycles. */
    const uint64_t from = c->diff.cycle > c->window ? c->diff.cycle - c->window : 0;
    const size_t samples = c->samples;
    snn_error again = {0};
    run_once(c, c->vcd_path, from, stop, &again);
    snn_cosim_free(c->circuit[c->differs].cosim); /* closes the file */
    c->circuit[c->differs].cosim = NULL;
    c->samples = samples;
    return snn_error_context(err, "%s", c->where);
}
