/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Training: epochs over batches, first with float weights, then (if asked for) quantisation-aware from the best float weights on. The order of samples,
 * their augmentation, the step size and all sums are functions of (settings, epoch, batch), so that a run can stop after any batch and go on.
 */
#include "train_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Epochs of a small network take less time than writing and syncing their checkpoint: write no more often than this. A crash then loses
 * no more than this either; a stop always saves. */
#define SECONDS_BETWEEN_CHECKPOINTS 2.0

typedef struct {
    const snn_train_options *o;
    const snn_train_hooks *hooks;
    train_data data;
    train_plan plan;
    train_block block;
    augment augment;
    train_state state;
    float *g, *effective, *wt; /* gradient, weights to run with (quantised phase), transposed weights */
    double *chunk;
    uint32_t *order; /* [trains] of the epoch at hand */
    int threads;
    double saved_at; /* time of the last checkpoint; 0: none yet */
    bool unsaved;    /* epochs were run since */
} trainer;

/* ---- set-up ---- */

/* Uniform in +-gain sqrt(3 / fan-in), which has the standard deviation gain / sqrt(fan-in). */
static void draw_weights(const snn_net *net, const snn_train_options *o, snn_weights *w) {
    for (int i = 0; i < net->tensors; i++) {
        bool recurrent;
        const snn_layer *l = snn_net_tensor_layer(net, i, &recurrent);
        snn_tensor *t = &w->tensor[i];
        double bound = recurrent ? o->init_recurrent * sqrt(3.0 / l->out.channels)
                                 : o->init_gain * sqrt(3.0 / snn_layer_fan_in(l));
        snn_random r;
        snn_random_init(&r, o->seed, SNN_PURPOSE_WEIGHTS, (uint64_t)i);
        for (uint64_t k = 0; k < t->count; k++)
            t->value[k] = (float)((2 * snn_random_uniform(&r) - 1) * bound);
    }
}

static bool start_weights(trainer *t, const snn_weights *initial, snn_error *err) {
    if (initial != NULL) {
        if (!snn_train_check_weights(initial, t->plan.net, err))
            return snn_error_context(err, "initial weights");
        snn_train_pack(&t->plan, initial, t->plan.net, t->state.w);
        return true;
    }
    snn_weights *w = snn_weights_new(t->plan.net, err);
    if (w == NULL)
        return false;
    draw_weights(t->plan.net, t->o, w);
    snn_train_pack(&t->plan, w, t->plan.net, t->state.w);
    snn_weights_free(w);
    return true;
}

static float *floats(size_t n, snn_error *err) {
    return snn_alloc(n, sizeof(float), "training parameters", err);
}

static bool allocate(trainer *t, snn_error *err) {
    size_t n = t->plan.parameters;
    train_state *s = &t->state;
    s->plan = &t->plan;
    s->w = floats(n, err);
    s->m = floats(n, err);
    s->v = floats(n, err);
    s->best[0] = floats(n, err);
    s->best[1] = floats(n, err);
    t->g = floats(n, err);
    t->effective = floats(n, err);
    t->wt = floats(t->plan.transposed, err);
    t->chunk = snn_alloc(snn_train_adam_chunks(&t->plan), sizeof *t->chunk, "training parameters", err);
    t->order = snn_alloc(t->data.trains, sizeof *t->order, "the order of samples", err);
    return s->w && s->m && s->v && s->best[0] && s->best[1] && t->g && t->effective && t->wt && t->chunk &&
           t->order;
}

static bool set_up(trainer *t, const snn_net *net, const snn_dataset *data, const snn_weights *initial,
                   snn_error *err) {
    const snn_train_options *o = t->o;
    if (!snn_train_data_load(&t->data, data, net, o, err) ||
        !snn_train_plan(&t->plan, net, t->data.steps, o, err) || !allocate(t, err) ||
        !start_weights(t, initial, err))
        return false;
    size_t most = (size_t)o->batch > t->data.validations ? (size_t)o->batch : t->data.validations;
    if (!snn_train_block_new(&t->block, &t->plan, most < TRAIN_BLOCK ? (int)most : TRAIN_BLOCK, t->threads,
                             err))
        return false;
    t->block.data = t->data.x;
    t->block.g = t->g;
    t->block.wt = t->wt;
    snn_augment_init(&t->augment, t->data.shape, o->shift, o->drop, o->rotate, o->zoom, o->time_jitter);
    return true;
}

static void tear_down(trainer *t) {
    if (t->plan.stage != NULL)
        snn_train_block_free(&t->block);
    snn_train_plan_free(&t->plan);
    snn_train_data_free(&t->data);
    train_state *s = &t->state;
    float *array[] = {s->w, s->m, s->v, s->best[0], s->best[1], t->g, t->effective, t->wt};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        free(array[i]);
    free(s->history);
    free(t->chunk);
    free(t->order);
}

/* ---- batches ---- */

/* After every change of the weights: what the pass runs with. */
static bool refresh(trainer *t, snn_error *err) {
    const float *w = t->state.w;
    if (t->state.at.quantised) {
        if (!snn_train_effective(&t->plan, &t->o->quant, t->threads, w, t->effective, err))
            return false;
        w = t->effective;
    }
    t->block.w = w;
    snn_train_transpose_all(&t->plan, w, t->wt, t->threads);
    return true;
}

static bool diverged(const trainer *t, const char *what, snn_error *err) {
    return snn_fail(err, SNN_ERR_RUNTIME,
                    "training diverged in epoch %d, batch %" PRIu64
                    ": %s is not a finite number (try a smaller train.learning_rate, or train.clip)",
                    t->state.at.epoch + 1, t->state.at.batch + 1, what);
}

/* Samples order[first] .. order[first+n-1] through the block, loss and hits added up in that order. */
static bool run_samples(trainer *t, const uint32_t *order, size_t n, bool backward, double *loss,
                        uint64_t *hits, snn_error *err) {
    train_block *b = &t->block;
    b->weight = 1.0 / (double)n;
    b->augment = backward && snn_augment_active(&t->augment) ? &t->augment : NULL;
    for (size_t first = 0; first < n; first += (size_t)b->samples) {
        b->samples = n - first < (size_t)b->capacity ? (int)(n - first) : b->capacity;
        for (int k = 0; k < b->samples; k++) {
            train_sample *s = &b->sample[k];
            s->sample = order[first + (size_t)k];
            s->label = t->data.label[s->sample];
            s->stream = (uint64_t)t->state.at.epoch * t->data.samples + s->sample;
        }
        if (!snn_train_block_run(b, backward, first == 0, err))
            return false;
        for (int k = 0; k < b->samples; k++) {
            *loss += b->sample[k].loss;
            *hits += b->sample[k].predicted == b->sample[k].label;
        }
    }
    return true;
}

static uint64_t batches(const trainer *t) {
    return (t->data.trains + (size_t)t->o->batch - 1) / (size_t)t->o->batch;
}

/* Step size of a batch of the epoch at hand: the schedule at the middle of the batch. */
static double rate_of(const trainer *t, uint64_t batch) {
    const train_progress *at = &t->state.at;
    double progress = at->phase_epoch + ((double)batch + 0.5) / (double)batches(t);
    return snn_train_rate(t->o, at->quantised, progress);
}

static bool run_batch(trainer *t, snn_error *err) {
    const snn_train_options *o = t->o;
    train_state *s = &t->state;
    size_t first = s->at.batch * (size_t)o->batch, left = t->data.trains - first;
    size_t n = left < (size_t)o->batch ? left : (size_t)o->batch;
    double loss = 0;
    train_adam a = {.rate = rate_of(t, s->at.batch),
                    .weight_decay = o->weight_decay,
                    .beta1 = o->beta1,
                    .beta2 = o->beta2,
                    .epsilon = o->epsilon,
                    .step = s->at.step + 1,
                    .clip = o->clip};
    train_update u = {.w = s->w, .m = s->m, .v = s->v};
    snn_train_adam_begin(&a, 1, &u);
    /* When the whole gradient is there at once and nothing depends on its norm, each task updates its own parameters. */
    bool at_once = n <= (size_t)t->block.capacity && o->clip == 0;
    t->block.update = at_once ? &u : NULL;
    bool ran = run_samples(t, t->order + first, n, true, &loss, &s->at.hits, err);
    t->block.update = NULL;
    if (!ran)
        return false;
    if (!isfinite(loss))
        return diverged(t, "the loss", err);
    if (at_once ? t->block.diverged
                : !snn_train_adam(&t->plan, &a, t->threads, s->w, s->m, s->v, t->g, t->chunk))
        return diverged(t, "a gradient or weight", err);
    s->at.loss_sum += loss;
    s->at.seen += n;
    s->at.step++;
    s->at.batch++;
    return refresh(t, err);
}

static bool stop_asked(const trainer *t) {
    return t->hooks->stop != NULL && *t->hooks->stop;
}

static bool save(trainer *t, snn_error *err) {
    if (t->hooks->checkpoint != NULL && !snn_train_checkpoint_save(&t->state, t->hooks->checkpoint, err))
        return false;
    t->saved_at = snn_now();
    t->unsaved = false;
    return true;
}

static bool interrupted(trainer *t, snn_error *err) {
    if (!save(t, err))
        return false;
    const train_progress *at = &t->state.at;
    if (t->hooks->checkpoint == NULL)
        return snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted in epoch %d; nothing saved", at->epoch + 1);
    return snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted in epoch %d, batch %" PRIu64 "; saved in '%s'",
                    at->epoch + 1, at->batch + 1, t->hooks->checkpoint);
}

/* ---- epochs ---- */

static void shuffle(trainer *t) {
    snn_random r;
    uint32_t n = (uint32_t)t->data.trains;
    snn_random_init(&r, t->o->seed, SNN_PURPOSE_SHUFFLE, (uint64_t)t->state.at.epoch);
    snn_random_permutation(&r, t->order, n);
    for (uint32_t i = 0; i < n; i++)
        t->order[i] = t->data.train[t->order[i]];
}

static void keep_best(trainer *t, const snn_train_epoch *e) {
    train_state *s = &t->state;
    int phase = s->at.quantised;
    s->at.best[phase] = (train_best){true, e->epoch, e->validation_accuracy, e->validation_loss};
    memcpy(s->best[phase], s->w, t->plan.parameters * sizeof *s->w);
}

/* Validation, the best so far, the record of the epoch. */
static bool end_epoch(trainer *t, double rate, snn_error *err) {
    train_state *s = &t->state;
    train_progress *at = &s->at;
    snn_train_epoch e = {.epoch = at->epoch + 1,
                         .quantised = at->quantised,
                         .learning_rate = rate,
                         .loss = at->loss_sum / (double)at->seen,
                         .accuracy = (double)at->hits / (double)at->seen,
                         .validation_loss = -1,
                         .validation_accuracy = -1,
                         .best = true};
    double start = snn_now();
    if (t->data.validations > 0) {
        double loss = 0;
        uint64_t hits = 0;
        if (!run_samples(t, t->data.validation, t->data.validations, false, &loss, &hits, err))
            return false;
        e.validation_loss = loss / (double)t->data.validations;
        e.validation_accuracy = (double)hits / (double)t->data.validations;
        const train_best *best = &at->best[at->quantised];
        e.best = !best->kept || e.validation_accuracy > best->accuracy ||
                 (e.validation_accuracy == best->accuracy && e.validation_loss < best->loss);
        if (e.best)
            keep_best(t, &e);
    }
    at->epoch_seconds += snn_now() - start;
    e.seconds = at->epoch_seconds;
    at->since_best = e.best ? 0 : at->since_best + 1;
    if (!snn_grow((void **)&s->history, &s->history_capacity, (size_t)at->epoch + 1, sizeof e, err))
        return false;
    s->history[at->epoch++] = e;
    at->phase_epoch++;
    at->seconds += at->epoch_seconds;
    at->batch = at->seen = at->hits = 0;
    at->loss_sum = at->epoch_seconds = 0;
    if (t->hooks->epoch != NULL)
        t->hooks->epoch(t->hooks->context, &e);
    return true;
}

static bool run_epoch(trainer *t, snn_error *err) {
    train_progress *at = &t->state.at;
    double rate = rate_of(t, 0);
    shuffle(t);
    for (uint64_t n = batches(t); at->batch < n;) {
        if (stop_asked(t))
            return interrupted(t, err);
        double start = snn_now();
        if (!run_batch(t, err))
            return false;
        at->epoch_seconds += snn_now() - start;
        if (t->hooks->progress != NULL)
            t->hooks->progress(t->hooks->context, at->epoch + 1, at->seen, t->data.trains);
    }
    return end_epoch(t, rate, err);
}

/* Is the phase at hand over? Then its last weights stand for it where nothing better was kept. */
static bool phase_over(trainer *t) {
    train_progress *at = &t->state.at;
    int epochs = at->quantised ? t->o->quant_epochs : t->o->epochs;
    bool tired = t->o->patience > 0 && at->since_best >= t->o->patience;
    if (at->phase_epoch < epochs && !tired)
        return false;
    if (!at->best[at->quantised].kept)
        keep_best(t,
                  &(snn_train_epoch){.epoch = at->epoch, .validation_accuracy = -1, .validation_loss = -1});
    return true;
}

/* From float to quantised weights: on from the best ones, with a fresh optimiser. */
static bool enter_quantised(trainer *t, snn_error *err) {
    train_state *s = &t->state;
    size_t bytes = t->plan.parameters * sizeof(float);
    memcpy(s->w, s->best[0], bytes);
    memset(s->m, 0, bytes);
    memset(s->v, 0, bytes);
    s->at.quantised = true;
    s->at.phase_epoch = s->at.since_best = 0;
    s->at.step = 0;
    return refresh(t, err);
}

static bool run_epochs(trainer *t, snn_error *err) {
    if (!refresh(t, err))
        return false;
    for (;;) {
        if (phase_over(t)) {
            if (t->state.at.quantised || t->o->quant_epochs == 0)
                return !t->unsaved || save(t, err);
            if (!enter_quantised(t, err))
                return false;
            continue;
        }
        if (!run_epoch(t, err))
            return false;
        t->unsaved = true;
        if ((t->saved_at == 0 || snn_now() - t->saved_at >= SECONDS_BETWEEN_CHECKPOINTS) && !save(t, err))
            return false;
    }
}

/* ---- the whole ---- */

static bool resume(trainer *t, snn_error *err) {
    if (!snn_train_checkpoint_load(&t->state, t->hooks->checkpoint, err))
        return false;
    for (int i = 0; i < t->state.at.epoch && t->hooks->epoch != NULL; i++)
        t->hooks->epoch(t->hooks->context, &t->state.history[i]);
    return true;
}

static bool make_result(trainer *t, snn_train_result *r, snn_error *err) {
    const snn_net *net = t->plan.net;
    const train_state *s = &t->state;
    int phase = s->at.quantised;
    r->best = snn_weights_new(net, err);
    r->best_net = snn_net_copy(net, err);
    r->quantised_net = snn_net_copy(net, err);
    snn_weights *w = snn_weights_new(net, err);
    if (r->best != NULL && r->best_net != NULL && r->quantised_net != NULL && w != NULL) {
        snn_train_unpack(&t->plan, s->best[0], r->best, r->best_net);
        snn_train_unpack(&t->plan, s->best[phase], w, r->quantised_net);
        r->quantised = snn_weights_quantise(w, &t->o->quant, NULL, err);
    }
    snn_weights_free(w);
    r->best_epoch = s->at.best[0].epoch;
    r->best_validation = s->at.best[0].accuracy;
    r->quantised_epoch = s->at.best[phase].epoch;
    r->quantised_validation = phase ? s->at.best[1].accuracy : -1;
    r->epochs = s->at.epoch;
    r->seconds = s->at.seconds;
    return r->quantised != NULL;
}

bool snn_train(const snn_net *net, const snn_dataset *data, const snn_weights *initial,
               const snn_train_options *o, const snn_train_hooks *hooks, snn_train_result *result,
               snn_error *err) {
    static const snn_train_hooks none = {0};
    memset(result, 0, sizeof *result);
    trainer *t = snn_alloc(1, sizeof *t, "training", err);
    if (t == NULL)
        return false;
    t->o = o;
    t->hooks = hooks != NULL ? hooks : &none;
    t->threads = snn_threads(o->threads);
    int blas = snn_train_blas_single();
    bool ok = set_up(t, net, data, initial, err);
    if (ok && t->hooks->checkpoint != NULL)
        ok = snn_train_fingerprint(&t->plan, &t->data, initial, t->state.fingerprint, err) &&
             (!t->hooks->resume || resume(t, err));
    ok = ok && run_epochs(t, err) && make_result(t, result, err);
    if (!ok)
        snn_train_result_free(result);
    snn_train_blas_restore(blas);
    tear_down(t);
    free(t);
    return ok;
}

void snn_train_result_free(snn_train_result *r) {
    snn_weights_free(r->best);
    snn_weights_free(r->quantised);
    snn_net_free(r->best_net);
    snn_net_free(r->quantised_net);
    memset(r, 0, sizeof *r);
}
