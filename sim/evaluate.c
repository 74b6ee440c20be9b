/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loop of `snnsim run`: dataset -> frames -> engine -> metrics.
 *
 * A chunk of samples is worked on by all threads, each with its own buffers; every sample has a slot for its result and traces. When the chunk is done
 * its slots are delivered one after the other by the calling thread. A chunk is long enough that threads seldom wait for each other, and short enough
 * for its slots to stay below CHUNK_BYTES.
 */
#include <snnsim/evaluate.h>

#include <assert.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_PER_THREAD = 512, CHUNK_BYTES = 64 << 20 };

typedef struct {
    uint8_t *spikes;   /* [steps][neurons], NULL: not traced */
    uint8_t *membrane; /* [steps][neurons] of 4 bytes, NULL: not traced or no neurons */
    size_t neurons;
} slot_trace;

/* One sample of a chunk. */
typedef struct {
    snn_result result;
    slot_trace *trace; /* [layers], NULL without traces */
    int layers;
    int label;
    bool done, failed, empty;
    snn_error error;
} slot;

/* One thread's own things. */
typedef struct {
    snn_dataset_buffer buffer;
    snn_spikes x;
    snn_workspace *workspace;
    double simulate_seconds;
} worker;

typedef struct {
    const snn_engine *engine;
    const snn_net *net;
    const snn_dataset *data;
    const snn_evaluate_options *options;
    const snn_evaluate_hooks *hooks;
    int steps;
    size_t total, slots;
    slot *slot;
    int workers;
    worker *worker;
    uint64_t done; /* samples simulated, atomic */
    snn_digest digest;
} job;

static bool stopped(const job *j) {
    return j->hooks->stop && *j->hooks->stop;
}

/* ---- set-up ---- */

/* Does the network take its input as a list of lines, whatever their shape? */
static bool reads_lines(const snn_net *net) {
    return net->layer[0].type == SNN_LAYER_LINEAR || net->layer[0].type == SNN_LAYER_FLATTEN;
}

bool snn_evaluate_fits(const snn_net *net, const snn_dataset_info *info, snn_error *err) {
    const bool same = net->input.channels == info->input[0] && net->input.height == info->input[1] &&
                      net->input.width == info->input[2];
    if (!same &&
        !(reads_lines(net) && snn_shape_size(net->input) == info->input[0] * info->input[1] * info->input[2]))
        return snn_fail(err, SNN_ERR_DATA,
                        "the network takes inputs of %ux%ux%u but data set %s gives %ux%ux%u "
                        "(channels x height x width)",
                        net->input.channels, net->input.height, net->input.width, info->name, info->input[0],
                        info->input[1], info->input[2]);
    if (info->classes < 1 || (uint32_t)info->classes > net->classes)
        return snn_fail(err, SNN_ERR_DATA, "the network has %u outputs but data set %s has %d classes",
                        net->classes, info->name, info->classes);
    return true;
}

/* The engine has no stage for flatten layers: there is nothing to trace. */
static bool check_traces(const snn_net *net, const bool *trace, snn_error *err) {
    for (int l = 0; trace && l < net->layers; l++)
        if (trace[l] && net->layer[l].type == SNN_LAYER_FLATTEN)
            return snn_fail(err, SNN_ERR_USAGE,
                            "layer %s only flattens: it cannot be traced, trace the layer before it",
                            net->layer[l].name);
    return true;
}

static bool traced(const job *j, int layer) {
    return j->options->trace && j->options->trace[layer];
}

static bool slot_init(const job *j, slot *s, snn_error *err) {
    if (!snn_result_init(&s->result, j->net, j->steps, err))
        return false;
    if (!j->options->trace)
        return true;
    s->layers = j->net->layers;
    s->trace = snn_alloc((size_t)s->layers, sizeof *s->trace, "traces", err);
    if (!s->trace)
        return false;
    for (int l = 0; l < s->layers; l++) {
        slot_trace *t = &s->trace[l];
        if (!traced(j, l))
            continue;
        t->neurons = snn_shape_size(j->net->layer[l].out);
        t->spikes = snn_alloc((size_t)j->steps, t->neurons, "spike trace", err);
        if (!t->spikes)
            return false;
        if (j->net->layer[l].neuron.type == SNN_NEURON_NONE)
            continue;
        t->membrane = snn_alloc((size_t)j->steps * t->neurons, 4, "membrane trace", err);
        if (!t->membrane)
            return false;
    }
    return true;
}

static void slot_free(slot *s) {
    snn_result_free(&s->result);
    for (int l = 0; s->trace && l < s->layers; l++) {
        free(s->trace[l].spikes);
        free(s->trace[l].membrane);
    }
    free(s->trace);
}

/* Rough bytes of one slot, for the length of a chunk. */
static double slot_bytes(const job *j) {
    double bytes = sizeof(slot) + (double)j->steps * (j->net->classes * 4.0 + 4.0) + j->net->classes * 8.0;
    for (int l = 0; l < j->net->layers; l++)
        if (traced(j, l))
            bytes += 5.0 * j->steps * snn_shape_size(j->net->layer[l].out);
    return bytes;
}

static bool job_init(job *j, snn_error *err) {
    double fit = CHUNK_BYTES / slot_bytes(j);
    size_t workers = (size_t)j->options->threads;
    if (workers > j->total)
        workers = j->total ? j->total : 1;
    j->slots = workers * CHUNK_PER_THREAD;
    if ((double)j->slots > fit)
        j->slots = fit > (double)workers ? (size_t)fit : workers;
    if (j->slots > j->total)
        j->slots = j->total;
    j->slot = snn_alloc(j->slots, sizeof *j->slot, "results", err);
    if (!j->slot)
        return false;
    for (size_t i = 0; i < j->slots; i++)
        if (!slot_init(j, &j->slot[i], err))
            return false;
    j->worker = snn_alloc(workers, sizeof *j->worker, "workers", err);
    if (!j->worker)
        return false;
    j->workers = (int)workers;
    for (int i = 0; i < j->workers; i++) {
        j->worker[i].workspace = snn_workspace_new(j->engine, err);
        if (!j->worker[i].workspace)
            return false;
    }
    snn_digest_init(&j->digest);
    return true;
}

static void job_free(job *j) {
    for (size_t i = 0; j->slot && i < j->slots; i++)
        slot_free(&j->slot[i]);
    free(j->slot);
    for (int i = 0; j->worker && i < j->workers; i++) {
        snn_dataset_buffer_free(&j->worker[i].buffer);
        snn_spikes_free(&j->worker[i].x);
        snn_workspace_free(j->worker[i].workspace);
    }
    free(j->worker);
}

/* ---- one sample, by any thread ---- */

static bool keep_trace(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                       snn_error *err) {
    (void)err;
    const slot_trace *t = &((slot *)context)->trace[layer];
    memcpy(t->spikes + (size_t)step * t->neurons, spikes, t->neurons);
    if (t->membrane) {
        assert(membrane);
        memcpy(t->membrane + (size_t)step * t->neurons * 4, membrane, t->neurons * 4);
    }
    return true;
}

static bool run_sample(job *j, size_t i, slot *s, worker *w) {
    if (!snn_dataset_frames(j->data, i, &w->buffer, &w->x, &s->error))
        return false;
    s->empty = w->x.first[w->x.steps] == 0;
    snn_trace trace = {s, j->options->trace, keep_trace};
    double start = snn_now();
    bool ok =
        snn_engine_run(j->engine, &w->x, i, w->workspace, s->trace ? &trace : NULL, &s->result, &s->error);
    w->simulate_seconds += snn_now() - start;
    if (!ok) {
        char name[256];
        snn_error_context(&s->error, "sample %s", snn_dataset_sample(j->data, i, name, sizeof name));
    }
    return ok;
}

static void run_chunk(job *j, size_t first, size_t n) {
#pragma omp parallel for num_threads(j->workers) schedule(dynamic, 1)
    for (size_t k = 0; k < n; k++) {
        slot *s = &j->slot[k];
        s->done = s->failed = false;
        if (stopped(j))
            continue;
        s->label = snn_dataset_label(j->data, first + k);
        s->failed = !run_sample(j, first + k, s, &j->worker[omp_get_thread_num()]);
        s->done = true;
        uint64_t done = __atomic_add_fetch(&j->done, 1, __ATOMIC_RELAXED);
        if (j->hooks->progress)
            j->hooks->progress(j->hooks->context, done, j->total);
    }
}

/* ---- delivery, in order ---- */

/* Outputs that are no counts of spikes: the read-out is of membranes. */
static void digest_membranes(snn_digest *d, size_t i, const snn_result *r) {
    for (int c = 0; c < r->classes; c++) {
        uint64_t bits;
        memcpy(&bits, &r->out[c], sizeof bits);
        uint32_t word[4] = {(uint32_t)i, (uint32_t)c, (uint32_t)bits, (uint32_t)(bits >> 32)};
        if (r->out[c] != 0)
            snn_digest_u32(d, word, 4);
    }
}

void snn_evaluate_digest(snn_digest *d, size_t i, const snn_result *r) {
    bool spikes = false;
    for (int t = 0; t < r->steps; t++)
        for (int c = 0; c < r->classes; c++)
            if (r->out_spikes[(size_t)t * (size_t)r->classes + (size_t)c]) {
                uint32_t word[3] = {(uint32_t)i, (uint32_t)t, (uint32_t)c};
                snn_digest_u32(d, word, 3);
                spikes = true;
            }
    if (!spikes)
        digest_membranes(d, i, r);
}

static bool deliver(job *j, size_t i, slot *s, snn_evaluation *out, snn_error *err) {
    if (s->failed) {
        if (err)
            *err = s->error;
        return false;
    }
    if (!s->done)
        return snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted after %zu of %zu samples", out->samples,
                        j->total);
    const snn_evaluate_hooks *h = j->hooks;
    for (int l = 0; s->trace && h->trace && l < j->net->layers; l++)
        if (traced(j, l) && !h->trace(h->context, i, l, s->trace[l].spikes, s->trace[l].membrane, err))
            return false;
    if (h->sample && !h->sample(h->context, i, s->label, &s->result, err))
        return false;
    snn_metrics_add(out->metrics, &s->result, s->label);
    snn_evaluate_digest(&j->digest, i, &s->result);
    out->samples++;
    out->empty_samples += s->empty;
    return true;
}

static void collect(job *j, snn_evaluation *out, double start) {
    for (int i = 0; i < j->workers; i++) {
        const worker *w = &j->worker[i];
        out->read_seconds += w->buffer.read_seconds / j->workers;
        out->frame_seconds += w->buffer.frame_seconds / j->workers;
        out->simulate_seconds += w->simulate_seconds / j->workers;
        out->events += w->buffer.events_read;
        out->events_dropped += w->buffer.events_dropped;
        out->events_out_of_order += w->buffer.events_out_of_order;
    }
    out->wall_seconds = snn_now() - start;
    double busy = out->read_seconds + out->frame_seconds + out->simulate_seconds;
    out->other_seconds = out->wall_seconds > busy ? out->wall_seconds - busy : 0;
    uint8_t digest[SNN_DIGEST_BYTES];
    snn_digest_final(&j->digest, digest);
    snn_digest_hex(digest, out->digest);
}

static bool run_all(job *j, snn_evaluation *out, snn_error *err) {
    for (size_t first = 0; first < j->total; first += j->slots) {
        size_t n = j->total - first < j->slots ? j->total - first : j->slots;
        run_chunk(j, first, n);
        for (size_t k = 0; k < n; k++)
            if (!deliver(j, first + k, &j->slot[k], out, err))
                return false;
    }
    return true;
}

bool snn_evaluate(const snn_engine *engine, const snn_net *net, const snn_dataset *data,
                  const snn_evaluate_options *options, const snn_evaluate_hooks *hooks, snn_evaluation *out,
                  snn_error *err) {
    const snn_evaluate_hooks none = {0};
    const snn_dataset_info *info = snn_dataset_about(data);
    double start = snn_now();
    *out = (snn_evaluation){0};
    assert(options->threads >= 1);
    if (!snn_evaluate_fits(net, info, err) || !check_traces(net, options->trace, err))
        return false;
    job j = {.engine = engine,
             .net = net,
             .data = data,
             .options = options,
             .hooks = hooks ? hooks : &none,
             .steps = info->steps,
             .total = snn_dataset_count(data)};
    if (options->limit && options->limit < j.total)
        j.total = options->limit;
    out->metrics = snn_metrics_new((int)net->classes, net->layers, j.steps, err);
    bool ok = out->metrics && job_init(&j, err) && run_all(&j, out, err);
    if (ok)
        collect(&j, out, start);
    else
        snn_evaluation_free(out);
    job_free(&j);
    return ok;
}

void snn_evaluation_free(snn_evaluation *e) {
    snn_metrics_free(e->metrics);
    *e = (snn_evaluation){0};
}
