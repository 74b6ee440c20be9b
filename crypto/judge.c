/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an encryption is worth: the plain network and the thief's on the same recordings. Each recording is framed once and run by both. Samples are worked on in chunks by all
 * threads and delivered in their order, so that digests do not depend on the number of threads.
 */
#include <snnsim/encrypt.h>

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { NETWORKS = 2, CHUNK_PER_THREAD = 64 }; /* plain, thief */

typedef struct {
    snn_result result[NETWORKS];
    bool done, failed;
    snn_error error;
} slot;

typedef struct {
    snn_dataset_buffer buffer;
    snn_spikes x;
    snn_workspace *workspace[NETWORKS];
} worker;

typedef struct {
    const snn_dataset *data;
    const snn_evaluate_hooks *hooks;
    snn_engine *engine[NETWORKS];
    size_t *index, total; /* samples to judge */
    slot *slot;
    size_t slots;
    worker *worker;
    int workers;
    uint64_t done; /* atomic */
    snn_digest digest[NETWORKS];
} judging;

/* ---- set-up ---- */

static bool list_samples(judging *j, size_t limit, const size_t *skip, size_t skips, snn_error *err) {
    size_t count = snn_dataset_count(j->data), s = 0;
    if (limit && limit < count)
        count = limit;
    j->index = snn_alloc(count, sizeof *j->index, "numbers of samples", err);
    for (size_t i = 0; j->index && i < count; i++) {
        while (s < skips && skip[s] < i)
            s++;
        if (s == skips || skip[s] != i)
            j->index[j->total++] = i;
    }
    return j->index != NULL;
}

static bool make_workers(judging *j, const snn_net *net, int threads, snn_error *err) {
    size_t workers = (size_t)threads < j->total ? (size_t)threads : j->total ? j->total : 1;
    j->worker = snn_alloc(workers, sizeof *j->worker, "workers", err);
    j->workers = j->worker ? (int)workers : 0;
    for (int i = 0; i < j->workers; i++)
        for (int k = 0; k < NETWORKS; k++)
            if (!(j->worker[i].workspace[k] = snn_workspace_new(j->engine[k], err)))
                return false;
    j->slots = workers * CHUNK_PER_THREAD;
    j->slot = snn_alloc(j->slots, sizeof *j->slot, "results", err);
    for (size_t i = 0; j->slot && i < j->slots; i++)
        for (int k = 0; k < NETWORKS; k++)
            if (!snn_result_init(&j->slot[i].result[k], net, snn_dataset_about(j->data)->steps, err))
                return false;
    return j->worker && j->slot;
}

static void judging_free(judging *j) {
    for (size_t i = 0; j->slot && i < j->slots; i++)
        for (int k = 0; k < NETWORKS; k++)
            snn_result_free(&j->slot[i].result[k]);
    free(j->slot);
    for (int i = 0; i < j->workers; i++) {
        for (int k = 0; k < NETWORKS; k++)
            snn_workspace_free(j->worker[i].workspace[k]);
        snn_dataset_buffer_free(&j->worker[i].buffer);
        snn_spikes_free(&j->worker[i].x);
    }
    free(j->worker);
    for (int k = 0; k < NETWORKS; k++)
        snn_engine_free(j->engine[k]);
    free(j->index);
}

/* ---- running ---- */

static bool run_sample(const judging *j, size_t i, slot *s, worker *w) {
    char name[256];
    if (!snn_dataset_frames(j->data, i, &w->buffer, &w->x, &s->error))
        return false;
    for (int k = 0; k < NETWORKS; k++)
        if (!snn_engine_run(j->engine[k], &w->x, i, w->workspace[k], NULL, &s->result[k], &s->error))
            return snn_error_context(&s->error, "sample %s",
                                     snn_dataset_sample(j->data, i, name, sizeof name));
    return true;
}

static void run_chunk(judging *j, size_t first, size_t n) {
#pragma omp parallel for num_threads(j->workers) schedule(dynamic, 1)
    for (size_t k = 0; k < n; k++) {
        slot *s = &j->slot[k];
        s->done = s->failed = false;
        if (j->hooks->stop && *j->hooks->stop)
            continue;
        s->failed = !run_sample(j, j->index[first + k], s, &j->worker[omp_get_thread_num()]);
        s->done = true;
        uint64_t done = __atomic_add_fetch(&j->done, 1, __ATOMIC_RELAXED);
        if (j->hooks->progress)
            j->hooks->progress(j->hooks->context, done, j->total);
    }
}

static bool deliver(judging *j, size_t i, const slot *s, snn_verdict *out, snn_error *err) {
    if (s->failed) {
        if (err)
            *err = s->error;
        return false;
    }
    if (!s->done)
        return snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted after %llu of %zu samples",
                        (unsigned long long)out->samples, j->total);
    int label = snn_dataset_label(j->data, i);
    snn_metrics_add(out->plain.metrics, &s->result[0], label);
    snn_metrics_add(out->thief.metrics, &s->result[1], label);
    for (int k = 0; k < NETWORKS; k++)
        snn_evaluate_digest(&j->digest[k], i, &s->result[k]);
    out->agree += s->result[0].predicted == s->result[1].predicted;
    out->samples++;
    return true;
}

/* ---- figures ---- */

static bool part_init(snn_verdict_part *p, int classes, int layers, int steps, snn_error *err) {
    p->metrics = snn_metrics_new(classes, layers, steps, err);
    p->predicted = snn_alloc((size_t)classes, sizeof *p->predicted, "histogram of classes", err);
    return p->metrics && p->predicted;
}

static bool verdict_init(snn_verdict *v, int classes, int layers, int steps, snn_error *err) {
    *v = (snn_verdict){.classes = classes};
    return part_init(&v->plain, classes, layers, steps, err) &&
           part_init(&v->thief, classes, layers, steps, err);
}

static void part_finish(snn_verdict_part *p) {
    const snn_metrics *m = p->metrics;
    size_t classes = (size_t)m->classes;
    p->accuracy = snn_metrics_accuracy(m);
    p->balanced = snn_metrics_balanced(m);
    for (size_t i = 0; i < classes * classes; i++)
        p->predicted[i % classes] += m->confusion[i];
}

static void verdict_finish(snn_verdict *v) {
    part_finish(&v->plain);
    part_finish(&v->thief);
    v->agreement = snn_wilson(v->agree, v->samples);
}

static void digests(judging *j, snn_verdict *v) {
    char *hex[NETWORKS] = {v->plain.digest, v->thief.digest};
    uint8_t bytes[SNN_DIGEST_BYTES];
    for (int k = 0; k < NETWORKS; k++) {
        snn_digest_final(&j->digest[k], bytes);
        snn_digest_hex(bytes, hex[k]);
    }
}

/* ---- the whole ---- */

static bool judge_all(judging *j, snn_verdict *out, snn_error *err) {
    for (int k = 0; k < NETWORKS; k++)
        snn_digest_init(&j->digest[k]);
    for (size_t first = 0; first < j->total; first += j->slots) {
        size_t n = j->total - first < j->slots ? j->total - first : j->slots;
        run_chunk(j, first, n);
        for (size_t k = 0; k < n; k++)
            if (!deliver(j, j->index[first + k], &j->slot[k], out, err))
                return false;
    }
    digests(j, out);
    verdict_finish(out);
    return true;
}

bool snn_judge(const snn_net *net, const snn_weights *plain, const snn_weights *encrypted,
               const snn_engine_options *engine, const snn_dataset *data, size_t limit, const size_t *skip,
               size_t skips, int threads, const snn_evaluate_hooks *hooks, snn_verdict *out, snn_error *err) {
    const snn_evaluate_hooks none = {0};
    const snn_dataset_info *about = snn_dataset_about(data);
    judging j = {.data = data, .hooks = hooks ? hooks : &none};
    *out = (snn_verdict){0};
    bool ok = snn_evaluate_fits(net, about, err) && list_samples(&j, limit, skip, skips, err) &&
              (j.engine[0] = snn_engine_new(net, plain, engine, err)) &&
              (j.engine[1] = snn_engine_new(net, encrypted, engine, err)) &&
              make_workers(&j, net, threads, err) &&
              verdict_init(out, (int)net->classes, net->layers, about->steps, err) && judge_all(&j, out, err);
    judging_free(&j);
    if (!ok)
        snn_verdict_free(out);
    return ok;
}

bool snn_verdict_merge(const snn_verdict *a, const snn_verdict *b, snn_verdict *out, snn_error *err) {
    const snn_metrics *m = a->plain.metrics;
    if (!verdict_init(out, m->classes, m->layers, m->steps, err)) {
        snn_verdict_free(out);
        return false;
    }
    const snn_verdict *from[] = {a, b};
    for (int i = 0; i < 2; i++) {
        snn_metrics_merge(out->plain.metrics, from[i]->plain.metrics);
        snn_metrics_merge(out->thief.metrics, from[i]->thief.metrics);
        out->samples += from[i]->samples;
        out->agree += from[i]->agree;
    }
    verdict_finish(out);
    return true;
}

static void part_free(snn_verdict_part *p) {
    snn_metrics_free(p->metrics);
    free(p->predicted);
}

void snn_verdict_free(snn_verdict *v) {
    part_free(&v->plain);
    part_free(&v->thief);
    *v = (snn_verdict){0};
}
