/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The work of an encryption: search, key and model, what the result is worth, how much other seeds would have differed. */
#include "encrypt.h"
#include "key.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- search ---- */

typedef struct {
    const cli_encryption *e;
    snn_progress *line;
    const char *what; /* "search", "other seed 2 of 3" */
} live;

static void on_step(void *context, const snn_search_progress *p) {
    const live *l = context;
    char label[64];
    snprintf(label, sizeof label, "%s: %s, %u bits, %u of %zu right", l->what, p->phase, p->bits,
             p->score.right, l->e->subset.n * cli_encrypt_views(l->e));
    snn_progress_label(l->line, label);
    snn_progress_update(l->line, p->evaluations);
}

static bool run_search(const cli_encryption *e, const snn_search_options *o, snn_objective *objective,
                       const char *what, snn_search_result *out, snn_error *err) {
    live l = {e, snn_progress_begin(what, "evaluations", o->evaluations, !e->common.quiet && snn_rank() == 0),
              what};
    snn_search_hooks hooks = {.context = &l, .progress = on_step, .stop = e->stop};
    bool ok = snn_search(objective, o, &hooks, out, err);
    snn_progress_end(l.line);
    return ok;
}

bool cli_encrypt_search(cli_encryption *e, snn_error *err) {
    snn_search_options o = e->options.search;
    o.checkpoint = e->checkpoint;
    o.resume = e->resume;
    o.keep = true; /* until key and model are written */
    if (!run_search(e, &o, e->objective, "search", &e->result, err)) {
        if (err->code == SNN_ERR_INTERRUPTED)
            snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted; saved to %s; continue with --resume",
                     e->checkpoint);
        return false;
    }
    if (e->result.met && !e->result.flips.n) {
        if (snn_rank() == 0)
            unlink(e->checkpoint);
        return snn_fail(err, SNN_ERR_CRITERION,
                        "there is nothing to encrypt: the plain network already has only %u of %zu samples "
                        "right (goal: %u)",
                        e->result.plain.right, e->subset.n, e->goal.target);
    }
    return true;
}

/* ---- a goal that was not met ---- */

/* Keyed bits of each (array, row) that stand at the limit: the first one into *full. */
static bool full_word(const cli_encryption *e, snn_cell *full, const char **layer) {
    const snn_flips *f = &e->result.flips;
    const snn_map *map = e->hardware.map;
    uint32_t limit = e->options.word_limit, *rows = NULL;
    bool found = false;
    if (!limit || !map ||
        !(rows = snn_alloc((size_t)map->tiles * map->options.rows, sizeof *rows, "rows", NULL)))
        return false;
    for (size_t i = 0; i < f->n && !found; i++) {
        snn_cell cell;
        int place;
        if (!snn_map_cell(map, f->flip[i].tensor, f->flip[i].index, f->flip[i].bit, &cell, &place, NULL))
            continue;
        found = ++rows[(size_t)cell.tile * map->options.rows + cell.row] == limit;
        if (found) {
            *full = cell;
            *layer = map->tensor[f->flip[i].tensor].name;
        }
    }
    free(rows);
    return found;
}

bool cli_encrypt_missed(const cli_encryption *e, snn_error *err) {
    const snn_search_result *r = &e->result;
    char why[256] = "";
    snn_cell cell;
    const char *layer = NULL;
    if (full_word(e, &cell, &layer))
        snprintf(why, sizeof why, "; row %u of array %u (layer %s) has no place for more than %u keyed bits",
                 cell.row, cell.tile, layer, e->options.word_limit);
    else if (r->stopped)
        snprintf(why, sizeof why,
                 "; its budget ended it after %llu evaluations (with a larger one, --resume goes on)",
                 (unsigned long long)r->evaluations);
    else if (e->rotation)
        snprintf(why, sizeof why, "; the %zu bits of %s were excluded", e->rotation->spent.n,
                 e->rotation->old->versions ? "earlier keys" : "the old key");
    return snn_fail(err, SNN_ERR_CRITERION,
                    "the goal was not met, and neither model nor key is written: the best %zu bits leave %u "
                    "of %zu samples right, %u are allowed%s",
                    r->flips.n, r->score.right, e->subset.n * cli_encrypt_views(e),
                    e->goal.target * cli_encrypt_views(e), why);
}

/* ---- key and model ---- */

/* A key that stands there already must be the one that this very search had written before it was killed: the seed is drawn anew for each search. */
static bool check_own_key(const cli_encryption *e, const snn_key *key, snn_error *err) {
    if (access(e->key_path, F_OK))
        return true;
    snn_key *there = snn_key_load(e->key_path, &e->passphrase, err);
    if (!there)
        return false;
    bool own = there->seed == key->seed && !strcmp(there->plain, key->plain) &&
               !strcmp(there->encrypted, key->encrypted);
    snn_key_free(there);
    return own ||
           snn_fail(err, SNN_ERR_USAGE, "%s: holds another key, which is not overwritten", e->key_path);
}

/*
 * The key is written first. Whatever happens between the two (power, kill, a full disk), there is never an encrypted model without a key: at worst a key without a model, and the plain model
 * (or, rotating, the old version and its key) is still there, as neither command touches it before.
 */
static bool write_both(const cli_encryption *e, const snn_key *key, snn_error *err) {
    snn_model stored = {.net = e->model.net,
                        .weights = e->stored, /* no record: it tells of the plain network */
                        .origin = e->model.origin};
    const bool there =
        !access(e->key_path, F_OK); /* of this search, which had been killed; its model may be there too */
    if (!cli_key_save(key, e->key_path, &e->passphrase, e->kdf, err))
        return snn_error_context(err, "nothing is written");
    if (snn_model_save(&stored, e->output, err))
        return true;
    if (there)
        return snn_error_context(err, "the model is not written");
    unlink(e->key_path); /* of a model that does not exist */
    return snn_error_context(err, "neither model nor key is written");
}

bool cli_encrypt_save(cli_encryption *e, snn_error *err) {
    snn_key *key = NULL;
    if (!e->result.flips.n)
        return true; /* the search found nothing that does damage */
    e->stored = snn_encrypt(e->model.weights, &e->result.flips, e->options.search.seed, &key, err);
    bool ok = e->stored && snn_key_bind(key, e->model.net, err) &&
              (!e->rotation || snn_key_retire(&key, e->rotation->old, err));
    if (ok)
        snn_weights_digest(e->stored, e->digest);
    if (ok && snn_rank() == 0 && e->result.met) {
        ok = check_own_key(e, key, err) && write_both(e, key, err);
        if (ok)
            unlink(e->checkpoint);
        e->saved = ok;
    }
    snn_key_free(key);
    snn_secret_free(&e->passphrase); /* there is nothing left to seal */
    return snn_rank_all(ok, err);
}

/* ---- what it is worth ---- */

static void on_sample(void *context, uint64_t done, uint64_t total) {
    (void)total;
    snn_progress_update(context, done);
}

static bool judge(cli_encryption *e, const char *what, const snn_dataset *data, const size_t *skip,
                  size_t skips, snn_verdict *out, snn_error *err) {
    const size_t limit = (size_t)snn_config_int(e->config, "run.limit"), count = snn_dataset_count(data);
    size_t total = limit && limit < count ? limit : count;
    for (size_t i = 0, end = total; i < skips && skip[i] < end; i++)
        total--;
    snn_progress *line = snn_progress_begin(what, "samples", total, !e->common.quiet);
    snn_evaluate_hooks hooks = {.context = line, .progress = on_sample, .stop = e->stop};
    snn_engine_options engine = e->engine;
    engine.count_operations = false;
    bool ok = snn_judge(e->model.net, e->model.weights, e->stored, &engine, data, limit, skip, skips,
                        e->threads, &hooks, out, err);
    snn_progress_end(line);
    return ok;
}

/* The files are written: whoever stops now loses only figures. */
static bool later(const cli_encryption *e, snn_error *err) {
    if (err->code == SNN_ERR_INTERRUPTED && e->saved)
        snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted; %s and %s are written, only the report is not",
                 e->output, e->key_path);
    return false;
}

bool cli_encrypt_judge(cli_encryption *e, snn_error *err) {
    cli_encrypt_verdict *v = &e->verdict;
    if (snn_rank() != 0 || !e->stored)
        return true;
    if (!judge(e, "test part", e->test, NULL, 0, &v->test, err) ||
        !judge(e, "training part", e->training, e->subset.index, e->subset.drawn, &v->training, err) ||
        !snn_verdict_merge(&v->test, &v->training, &v->all, err))
        return later(e, err);
    v->judged = true;
    return true;
}

/* ---- how much other seeds would have differed ---- */

/* With a share of eligible bits each search has candidates of its own. */
static bool other_search(cli_encryption *e, uint32_t i, snn_search_result *out, snn_error *err) {
    snn_search_options o = e->options.search;
    char what[64];
    o.seed = snn_encrypt_other_seed(e->options.search.seed, i);
    o.checkpoint = NULL;
    snprintf(what, sizeof what, "other seed %u of %u", i + 1, e->options.variation);
    if (e->options.eligible == 1)
        return run_search(e, &o, e->objective, what, out, err);
    cli_encryption other = *e; /* borrows all but these two */
    other.candidates = NULL;
    other.objective = NULL;
    other.options.search.seed = o.seed;
    bool ok = cli_encrypt_choose(&other, err) && run_search(e, &o, other.objective, what, out, err);
    snn_objective_free(other.objective);
    snn_candidates_free(other.candidates);
    return ok;
}

bool cli_encrypt_vary(cli_encryption *e, snn_error *err) {
    uint32_t n = e->options.variation;
    cli_encrypt_variation *v = &e->variation;
    snn_search_result *result = snn_alloc(n, sizeof *result, "results of searches", err);
    snn_flips *set = snn_alloc(n, sizeof *set, "results of searches", err);
    bool ok = result && set;
    double start = snn_now();
    for (uint32_t i = 0; ok && i < n; i++) {
        if (!other_search(e, i, &result[i], err)) {
            ok = later(e, err);
            break;
        }
        v->searches++;
        if (result[i].met)
            set[v->met++] = result[i].flips; /* borrowed */
    }
    ok = ok && snn_variation_of(set, v->met, &v->of, err);
    v->seconds = snn_now() - start;
    for (uint32_t i = 0; result && i < v->searches; i++)
        snn_search_free(&result[i]);
    free(result);
    free(set);
    return ok;
}
