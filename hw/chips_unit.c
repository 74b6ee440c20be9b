/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One chip of a Monte Carlo run: programmed (or loaded), read, and its weights in an engine. */
#include "chip_internal.h"
#include "chips_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- the engine's hook hands on to the chip's ---- */

static bool hand_read(void *context, void *scratch, int tensor, uint64_t sample, int step,
                      const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    const snn_hook *h = ((const snn_chips_unit *)context)->target;
    return h->read(h->context, scratch, tensor, sample, step, input, n, errors, err);
}

static bool hand_sums(void *context, void *scratch, int tensor, uint64_t sample, int step,
                      const snn_spike *input, size_t n, int32_t *sum, snn_error *err) {
    const snn_hook *h = ((const snn_chips_unit *)context)->target;
    return h->sums(h->context, scratch, tensor, sample, step, input, n, sum, err);
}

/* May an engine that was built with u->hook be used with this hook? */
static bool same_kind(const snn_chips_unit *u, const snn_hook *hook, int tensors) {
    if (!hook)
        return !u->hook.read && !u->hook.sums;
    if (!hook->read != !u->hook.read || !hook->sums != !u->hook.sums ||
        hook->scratch_bytes > u->hook.scratch_bytes || !hook->silent != !u->silent)
        return false;
    return !u->silent || !memcmp(hook->silent, u->silent, (size_t)tensors * sizeof *u->silent);
}

static bool adopt_hook(snn_chips_unit *u, const snn_hook *hook, int tensors, snn_error *err) {
    free(u->silent);
    u->silent = NULL;
    u->hook = (snn_hook){0};
    if (!hook)
        return true;
    u->hook = (snn_hook){.context = u,
                         .scratch_bytes = hook->scratch_bytes,
                         .read = hook->read ? hand_read : NULL,
                         .sums = hook->sums ? hand_sums : NULL};
    if (!hook->silent)
        return true;
    u->silent = snn_alloc((size_t)tensors, sizeof *u->silent, "hook", err);
    if (!u->silent)
        return false;
    memcpy(u->silent, hook->silent, (size_t)tensors * sizeof *u->silent);
    u->hook.silent = u->silent;
    return true;
}

/* ---- engine ---- */

static void drop_workspaces(snn_chips_unit *u, int threads) {
    for (int i = 0; u->workspace && i < threads; i++) {
        snn_workspace_free(u->workspace[i]);
        u->workspace[i] = NULL;
    }
}

static void drop_engine(snn_chips_unit *u, int threads) {
    drop_workspaces(u, threads);
    snn_engine_free(u->engine);
    u->engine = NULL;
}

static bool load_engine(snn_chips_unit *u, const snn_chips_plan *p, const snn_weights *weights,
                        const snn_hook *hook, snn_error *err) {
    u->target = hook;
    if (u->engine && same_kind(u, hook, weights->tensors)) {
        /* in their scratch hooks keep noise that is frozen within a sample: it is that of the chip before */
        if (hook && hook->scratch_bytes)
            drop_workspaces(u, p->options->threads);
        return snn_engine_set_weights(u->engine, weights, err);
    }
    drop_engine(u, p->options->threads);
    if (!u->workspace)
        u->workspace = snn_alloc((size_t)p->options->threads, sizeof *u->workspace, "workspaces", err);
    if (!u->workspace || !adopt_hook(u, hook, weights->tensors, err))
        return false;
    snn_engine_options options = p->options->engine;
    options.hook = hook ? &u->hook : NULL;
    u->engine = snn_engine_new(p->net, weights, &options, err);
    return u->engine != NULL;
}

snn_workspace *snn_chips_unit_workspace(snn_chips_unit *u, int thread, snn_error *err) {
    if (!u->workspace[thread])
        u->workspace[thread] = snn_workspace_new(u->engine, err);
    return u->workspace[thread];
}

/* ---- from programming to the engine ---- */

/* Lets go of chip and read-out; the engine stays. */
static void unload(snn_chips_unit *u) {
    snn_readout_free(u->readout);
    snn_chip_free(u->chip);
    u->readout = NULL;
    u->chip = NULL;
}

/* A saved chip stands for the model of the run; results of other weights under its name would be wrong. */
static bool check_model(const snn_chip *chip, const snn_weights *stored, const char *path, snn_error *err) {
    char held[65], wanted[65];
    snn_weights_digest(snn_chip_stored(chip), held);
    snn_weights_digest(stored, wanted);
    return strcmp(held, wanted) == 0 ||
           snn_fail(err, SNN_ERR_DATA,
                    "%s: the chip holds the weights of another model (digest %.16s; this model's are %.16s)",
                    path, held, wanted);
}

static bool load_steps(snn_chips_unit *u, const snn_chips_plan *p, uint32_t index, snn_chip_result *result,
                       snn_chips_seconds *seconds, snn_error *err) {
    const snn_chips_options *options = p->options;
    double start = snn_now();
    unload(u); /* the chip before: letting go of much memory takes time, so every thread does its own */
    u->chip = p->o->chip_file ? snn_chip_load(p->map, p->o, p->o->chip_file, err)
                              : snn_chip_program_with(p->map, p->o, p->stored, p->faults,
                                                      (uint64_t)p->o->first_chip + index, err);
    if (!u->chip || (p->o->chip_file && !check_model(u->chip, p->stored, p->o->chip_file, err)))
        return false;
    result->chip = snn_chip_number(u->chip);
    result->program = *snn_chip_stats(u->chip);
    double programmed = snn_now();
    u->readout = snn_readout_new(u->chip, &p->o->condition, options->key, options->path, p->net,
                                 options->training, options->trainings, err);
    if (!u->readout)
        return false;
    result->readout = *snn_readout_about(u->readout);
    double read = snn_now();
    bool ok = load_engine(u, p, snn_readout_weights(u->readout), snn_readout_hook(u->readout), err);
    seconds->program += programmed - start;
    seconds->readout += read - programmed;
    seconds->pack += snn_now() - read;
    return ok;
}

bool snn_chips_unit_load(snn_chips_unit *u, const snn_chips_plan *p, uint32_t index, snn_chip_result *result,
                         snn_chips_seconds *seconds, snn_error *err) {
    snn_digest_init(&u->digest);
    if (load_steps(u, p, index, result, seconds, err))
        return true;
    /* what is wrong with the options is wrong with every chip */
    return (err && err->code == SNN_ERR_USAGE) || p->o->chip_file
               ? false
               : snn_error_context(err, "chip %llu", (unsigned long long)p->o->first_chip + index);
}

bool snn_chips_unit_ideal(snn_chips_unit *u, const snn_chips_plan *p, snn_error *err) {
    snn_digest_init(&u->digest);
    if (!p->options->key)
        return load_engine(u, p, p->stored, NULL, err);
    snn_weights *effective = snn_weights_apply(p->stored, p->options->key, err);
    bool ok = effective && load_engine(u, p, effective, NULL, err);
    snn_weights_free(effective);
    return ok;
}

void snn_chips_unit_free(snn_chips_unit *u, int threads) {
    unload(u);
    drop_engine(u, threads);
    free(u->workspace);
    free(u->silent);
    *u = (snn_chips_unit){0};
}
