/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Monte Carlo run: chips in batches, samples in chunks, results in order.
 *
 *     for each batch of chips:   program, read, fill the engine      one chip a thread
 *         for each chunk:        (chip, sample) -> slot              all threads
 *                                slots -> metrics, digests, hooks    the calling thread, in order
 */
#include "chips_internal.h"

#include <assert.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_PER_THREAD = 512, CHUNK_BYTES = 64 << 20 };
enum { CHIPS_PER_THREAD = 2 };        /* of a batch: chips that took longer are made up for */
#define BATCH_BYTES ((size_t)2 << 30) /* of the chips in a batch, roughly */

/* One sample of one chip. */
typedef struct {
    snn_result result;
    int label;
    bool done, failed;
    snn_error error;
} slot;

/* One thread's own things. */
typedef struct {
    snn_dataset_buffer buffer;
    snn_spikes own;
    snn_chips_seconds seconds;
    double simulate_seconds;
} worker;

typedef struct {
    snn_chips_plan plan;
    snn_frames *frames;
    const snn_evaluate_hooks *hooks;
    int threads, steps;
    size_t samples; /* of each chip */
    uint32_t chips;
    uint32_t units; /* in a batch */
    snn_chips_unit *unit;
    size_t slots;
    slot *slot;
    worker *worker;       /* [threads] */
    uint64_t done, total; /* samples of all chips; done: atomic */
    snn_chips_result *out;
} job;

static bool stopped(const job *j) {
    return j->hooks->stop && *j->hooks->stop;
}

static bool interrupted(const job *j, snn_error *err) {
    return snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted after %llu of %llu samples",
                    (unsigned long long)j->done, (unsigned long long)j->total);
}

/* ---- set-up ---- */

/* Chips whose stored and effective weights, packed rows and lists of weak cells are in memory at once. */
static uint32_t batch_size(const job *j) {
    size_t bytes = 0, most = (size_t)j->threads * CHIPS_PER_THREAD;
    for (int i = 0; i < j->plan.stored->tensors; i++) {
        const snn_tensor *t = &j->plan.stored->tensor[i];
        bytes += (size_t)t->count * (4 * (size_t)(t->bits > 8 ? 2 : 1) + (size_t)t->bits);
    }
    if (bytes && most > BATCH_BYTES / bytes)
        most = BATCH_BYTES / bytes;
    if (most > j->chips)
        most = j->chips;
    return most ? (uint32_t)most : 1;
}

static bool make_slots(job *j, snn_error *err) {
    const uint32_t classes = j->plan.net->classes;
    double bytes = sizeof(slot) + (double)j->steps * (classes * 4.0 + 4.0) + classes * 8.0;
    double fit = CHUNK_BYTES / bytes;
    j->slots = (size_t)j->threads * CHUNK_PER_THREAD;
    if ((double)j->slots > fit)
        j->slots = fit > j->threads ? (size_t)fit : (size_t)j->threads;
    if (j->slots > j->samples * j->units)
        j->slots = j->samples * j->units;
    j->slot = snn_alloc(j->slots, sizeof *j->slot, "results", err);
    for (size_t i = 0; j->slot && i < j->slots; i++)
        if (!snn_result_init(&j->slot[i].result, j->plan.net, j->steps, err))
            return false;
    return j->slot != NULL;
}

static bool job_init(job *j, snn_error *err) {
    snn_chips_result *out = j->out;
    const snn_net *net = j->plan.net;
    j->units = batch_size(j);
    j->unit = snn_alloc(j->units, sizeof *j->unit, "chips", err);
    j->worker = snn_alloc((size_t)j->threads, sizeof *j->worker, "workers", err);
    if (!j->unit || !j->worker || !make_slots(j, err))
        return false;
    out->chip = snn_alloc(j->chips, sizeof *out->chip, "chips", err);
    if (!out->chip)
        return false;
    out->metrics = snn_metrics_new((int)net->classes, net->layers, j->steps, err);
    if (out->metrics && j->plan.options->ideal)
        out->ideal.metrics = snn_metrics_new((int)net->classes, net->layers, j->steps, err);
    return out->metrics && (out->ideal.metrics || !j->plan.options->ideal);
}

static void job_free(job *j) {
    for (uint32_t i = 0; j->unit && i < j->units; i++)
        snn_chips_unit_free(&j->unit[i], j->threads);
    free(j->unit);
    for (size_t i = 0; j->slot && i < j->slots; i++)
        snn_result_free(&j->slot[i].result);
    free(j->slot);
    for (int i = 0; j->worker && i < j->threads; i++) {
        snn_dataset_buffer_free(&j->worker[i].buffer);
        snn_spikes_free(&j->worker[i].own);
    }
    free(j->worker);
}

/* ---- samples ---- */

static bool sample_context(const job *j, const snn_chips_unit *u, size_t i, snn_error *err) {
    char name[256], chip[32] = "";
    if (u->chip)
        snprintf(chip, sizeof chip, "chip %llu, ", (unsigned long long)snn_chip_number(u->chip));
    return snn_error_context(err, "%ssample %s", chip,
                             snn_dataset_sample(snn_frames_data(j->frames), i, name, sizeof name));
}

static bool run_sample(job *j, snn_chips_unit *u, size_t i, slot *s, int thread) {
    worker *w = &j->worker[thread];
    const snn_spikes *x;
    if (!snn_frames_get(j->frames, i, &w->buffer, &w->own, &x, &s->error))
        return false;
    double start = snn_now();
    snn_workspace *workspace = snn_chips_unit_workspace(u, thread, &s->error);
    bool ok = workspace && snn_engine_run(u->engine, x, i, workspace, NULL, &s->result, &s->error);
    w->simulate_seconds += snn_now() - start;
    return ok || sample_context(j, u, i, &s->error);
}

/* Pairs first .. first + n - 1 of (unit, sample). */
static void run_chunk(job *j, size_t first, size_t n) {
#pragma omp parallel for num_threads(j->threads) schedule(dynamic, 1)
    for (size_t k = 0; k < n; k++) {
        slot *s = &j->slot[k];
        size_t i = (first + k) % j->samples;
        s->done = s->failed = false;
        if (stopped(j))
            continue;
        s->label = snn_dataset_label(snn_frames_data(j->frames), i);
        s->failed = !run_sample(j, &j->unit[(first + k) / j->samples], i, s, omp_get_thread_num());
        s->done = true;
        uint64_t done = __atomic_add_fetch(&j->done, 1, __ATOMIC_RELAXED);
        if (j->hooks->progress)
            j->hooks->progress(j->hooks->context, done, j->total);
    }
}

static bool check_slot(const job *j, const slot *s, snn_error *err) {
    if (!s->failed)
        return s->done || interrupted(j, err);
    if (err)
        *err = s->error;
    return false;
}

/* result NULL: of the ideal run. */
static bool deliver(job *j, uint32_t chip, snn_chip_result *result, snn_digest *digest, size_t i,
                    const slot *s, snn_error *err) {
    const snn_evaluate_hooks *h = j->hooks;
    if (!check_slot(j, s, err))
        return false;
    snn_evaluate_digest(digest, i, &s->result);
    if (!result) {
        snn_metrics_add(j->out->ideal.metrics, &s->result, s->label);
        return true;
    }
    snn_metrics_add(j->out->metrics, &s->result, s->label);
    result->correct += s->result.predicted == s->label;
    return !h->sample || h->sample(h->context, (size_t)chip * j->samples + i, s->label, &s->result, err);
}

/* The samples of units 0 .. units - 1, which hold chips first_chip and following (results NULL: the ideal network). */
static bool run_units(job *j, uint32_t units, uint32_t first_chip, snn_chip_result *results, snn_error *err) {
    const size_t total = units * j->samples;
    for (size_t first = 0; first < total; first += j->slots) {
        size_t n = total - first < j->slots ? total - first : j->slots;
        run_chunk(j, first, n);
        for (size_t k = 0; k < n; k++) {
            uint32_t u = (uint32_t)((first + k) / j->samples);
            if (!deliver(j, first_chip + u, results ? &results[u] : NULL, &j->unit[u].digest,
                         (first + k) % j->samples, &j->slot[k], err))
                return false;
        }
    }
    return true;
}

/* ---- chips ---- */

static void load_units(job *j, uint32_t units, uint32_t first_chip) {
#pragma omp parallel for num_threads(j->threads) schedule(dynamic, 1)
    for (uint32_t i = 0; i < units; i++) {
        snn_chips_unit *u = &j->unit[i];
        u->done = u->failed = false;
        if (stopped(j))
            continue;
        u->failed = !snn_chips_unit_load(u, &j->plan, first_chip + i, &j->out->chip[first_chip + i],
                                         &j->worker[omp_get_thread_num()].seconds, &u->error);
        u->done = true;
    }
}

static bool check_units(const job *j, uint32_t units, snn_error *err) {
    for (uint32_t i = 0; i < units; i++) {
        const snn_chips_unit *u = &j->unit[i];
        if (!u->failed && u->done)
            continue;
        if (!u->failed)
            return interrupted(j, err);
        if (err)
            *err = u->error;
        return false;
    }
    return true;
}

static void finish_unit(job *j, snn_chips_unit *u, snn_chip_result *r, snn_digest *all) {
    uint8_t digest[SNN_DIGEST_BYTES];
    snn_digest_final(&u->digest, digest);
    snn_digest_hex(digest, r->digest);
    snn_digest_bytes(all, digest, sizeof digest);
    r->accuracy = j->samples ? (double)r->correct / (double)j->samples : 0;
    snn_readout_analog(u->readout,
                       &r->analog); /* the chip stays until the next one, or the end, takes its place */
}

static bool run_ideal(job *j, snn_error *err) {
    uint8_t digest[SNN_DIGEST_BYTES];
    if (!snn_chips_unit_ideal(&j->unit[0], &j->plan, err) || !run_units(j, 1, 0, NULL, err))
        return false;
    snn_digest_final(&j->unit[0].digest, digest);
    snn_digest_hex(digest, j->out->ideal.digest);
    return true;
}

static bool run_chips(job *j, snn_error *err) {
    snn_digest all;
    snn_digest_init(&all);
    for (uint32_t first = 0; first < j->chips; first += j->units) {
        uint32_t n = j->chips - first < j->units ? j->chips - first : j->units;
        load_units(j, n, first);
        if (!check_units(j, n, err) || !run_units(j, n, first, &j->out->chip[first], err))
            return false;
        for (uint32_t i = 0; i < n; i++)
            finish_unit(j, &j->unit[i], &j->out->chip[first + i], &all);
    }
    uint8_t digest[SNN_DIGEST_BYTES];
    snn_digest_final(&all, digest);
    snn_digest_hex(digest, j->out->digest);
    return true;
}

static void collect(job *j, double start) {
    snn_chips_result *out = j->out;
    for (int i = 0; i < j->threads; i++) {
        const worker *w = &j->worker[i];
        out->read_seconds += w->buffer.read_seconds / j->threads;
        out->frame_seconds += w->buffer.frame_seconds / j->threads;
        out->program_seconds += w->seconds.program / j->threads;
        out->readout_seconds += w->seconds.readout / j->threads;
        out->pack_seconds += w->seconds.pack / j->threads;
        out->simulate_seconds += w->simulate_seconds / j->threads;
    }
    out->chips = j->chips;
    out->samples = j->samples;
    out->steps = j->steps;
    out->layers = j->plan.net->layers;
    out->layer = out->metrics->activity;
    snn_frames_about(j->frames, &out->events);
    out->wall_seconds = snn_now() - start;
}

bool snn_chips_run(const snn_map *map, const snn_hw_options *o, const snn_net *net, const snn_weights *stored,
                   snn_frames *frames, const snn_chips_options *options, const snn_evaluate_hooks *hooks,
                   snn_chips_result *out, snn_error *err) {
    const snn_evaluate_hooks none = {0};
    const snn_dataset_info *info = snn_dataset_about(snn_frames_data(frames));
    double start = snn_now();
    *out = (snn_chips_result){0};
    assert(options->threads >= 1 && (o || options->ideal));
    if (!snn_evaluate_fits(net, info, err))
        return false;
    if (o && o->chip_file && o->chips != 1)
        return snn_fail(err, SNN_ERR_USAGE, "%s holds one chip: it cannot stand for hw.chips = %u",
                        o->chip_file, o->chips);
    snn_faults faults = {.map = map};
    const bool by_map = o && o->fault_map && !o->chip_file;
    if (by_map && !snn_faults_read(&faults, o->fault_map, err))
        return false;
    job j = {.plan = {map, o, net, stored, options, by_map ? &faults : NULL},
             .frames = frames,
             .hooks = hooks ? hooks : &none,
             .threads = options->threads,
             .steps = info->steps,
             .samples = snn_frames_count(frames),
             .chips = o ? o->chips : 0,
             .out = out};
    j.total = (uint64_t)(j.chips + (uint32_t)options->ideal) * j.samples;
    bool ok = job_init(&j, err) && (!options->ideal || run_ideal(&j, err)) && run_chips(&j, err);
    if (ok) {
        collect(&j, start);
        ok = snn_chips_statistics(out, err);
    }
    job_free(&j);
    snn_faults_free(&faults);
    if (!ok)
        snn_chips_free(out);
    return ok;
}
