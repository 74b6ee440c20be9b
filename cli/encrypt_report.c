/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report.json and front.csv of an encryption. Fields are described in docs/encryption.md.
 *
 * Left out, because a thief who finds the report must not be helped: positions and what they are counted by (layers, classes), the seed of the search, and every digest by which a guessed key could be
 * checked (of the plain weights, of the plain network's spikes; loss and lead are sums over all samples, which are as good as digests).
 */
#include "encrypt.h"
#include "json.h"
#include "key.h"

#include <stdlib.h>
#include <string.h>

static size_t scored_samples(const cli_encryption *e) {
    return e->subset.n * cli_encrypt_views(e);
}

/* ---- what was asked for ---- */

static json_t *data_section(const cli_encryption *e) {
    const snn_dataset_info *a = snn_dataset_about(e->training);
    json_t *names = json_array();
    for (int c = 0; c < a->classes; c++)
        json_array_append_new(names, cli_json_text(a->class_name[c]));
    return json_pack("{s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:i}", "name", cli_json_text(a->name), "folder",
                     cli_json_text(a->folder), "training_samples",
                     cli_json_count(snn_dataset_count(e->training)), "test_samples",
                     cli_json_count(snn_dataset_count(e->test)), "classes", a->classes, "class_names", names,
                     "input", cli_json_shape(a->input[0], a->input[1], a->input[2]), "steps", a->steps);
}

static uint64_t weight_bits(const snn_weights *w) {
    uint64_t bits = 0;
    for (int t = 0; t < w->tensors; t++)
        bits += w->tensor[t].count * (uint64_t)w->tensor[t].bits;
    return bits;
}

static json_t *model_section(const cli_encryption *e) {
    const snn_weights *w = e->model.weights;
    json_t *layers = json_array();
    for (int t = 0; t < w->tensors; t++)
        json_array_append_new(layers, json_pack("{s:o, s:o, s:i, s:s, s:b}", "name",
                                                cli_json_text(w->tensor[t].name), "weights",
                                                cli_json_count(w->tensor[t].count), "bits", w->tensor[t].bits,
                                                "encoding", snn_encoding_name(w->tensor[t].encoding),
                                                "searched", (int)e->options.tensor[t]));
    return json_pack("{s:o, s:o, s:o}", "path", cli_json_text(e->model_path), "weight_bits",
                     cli_json_count(weight_bits(w)), "layers", layers);
}

static json_t *subset_section(const cli_encryption *e) {
    const snn_encrypt_options *o = &e->options;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "samples", cli_json_count(e->subset.n), "recordings",
                     cli_json_count(e->subset.drawn), "per_class",
                     o->random_samples ? json_null() : cli_json_count(o->samples), "drawn_by_seed",
                     json_integer(snn_config_int(e->config, "seed")), "chips", cli_json_count(o->chips));
}

static json_t *goal_section(const cli_encryption *e) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "target", cli_json_real(e->options.target),
                     "target_used", cli_json_real(e->target_used), "samples", cli_json_count(e->goal.target),
                     "of_recordings", cli_json_count(e->subset.drawn), "of_variants",
                     cli_json_count(e->subset.n - e->subset.drawn), "margin", cli_json_real(e->goal.margin),
                     "largest_class",
                     e->goal.largest < e->subset.n ? cli_json_count(e->goal.largest) : json_null());
}

static json_t *search_section(const cli_encryption *e) {
    const snn_encrypt_options *o = &e->options;
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:i}", "name",
        snn_search_name(o->search.kind), "seed", o->seed_given ? "given" : "system", "bits_per_weight",
        o->bits ? json_integer(o->bits) : json_null(), "bits_considered",
        cli_json_count(e->candidates->considered), "pool", cli_json_count(e->candidates->pool), "candidates",
        cli_json_count(e->candidates->n), "eligible", cli_json_real(o->eligible), "word_limit",
        o->word_limit ? cli_json_count(o->word_limit) : json_null(), "prune", (int)o->search.prune,
        "most_bits", o->search.most_bits ? cli_json_count(o->search.most_bits) : json_null(), "evaluations",
        o->search.evaluations ? cli_json_count(o->search.evaluations) : json_null(), "threads", e->threads);
}

/* ---- what was found ---- */

static json_t *score(const cli_encryption *e, const snn_score *s) {
    double n = (double)scored_samples(e);
    return json_pack("{s:o, s:o, s:o, s:o}", "correct", cli_json_count(s->correct), "accuracy",
                     cli_json_real(s->correct / n), "right", cli_json_count(s->right), "largest_class",
                     cli_json_count(s->largest));
}

static json_t *front(const cli_encryption *e) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < e->result.points; i++) {
        json_t *point = score(e, &e->result.front[i].score);
        json_object_set_new(point, "bits", cli_json_count(e->result.front[i].bits));
        json_array_append_new(list, point);
    }
    return list;
}

static json_t *result_section(const cli_encryption *e) {
    const snn_search_result *r = &e->result;
    return json_pack(
        "{s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "met", (int)r->met, "stopped",
        (int)r->stopped, "minimal", (int)r->minimal, "bits", cli_json_count(r->flips.n), "share_of_bits",
        cli_json_real((double)r->flips.n / (double)weight_bits(e->model.weights)), "entropy_bound_bits",
        cli_json_real(snn_log2_choose(e->candidates->pool, r->flips.n)), "seed_bits",
        json_integer(cli_encrypt_seed_bits(e)), "evaluations", cli_json_count(r->evaluations), "searched",
        cli_json_count(r->searched), "seconds", cli_json_real(r->seconds), "plain", score(e, &r->plain),
        "encrypted", score(e, &r->score), "front", front(e));
}

static json_t *verdict_part(const snn_verdict_part *p, int classes) {
    json_t *histogram = json_array();
    for (int c = 0; c < classes; c++)
        json_array_append_new(histogram, cli_json_count(p->predicted[c]));
    return json_pack("{s:o, s:o, s:o, s:o}", "correct", cli_json_count(p->metrics->correct), "accuracy",
                     cli_json_interval(p->accuracy), "balanced_accuracy", cli_json_interval(p->balanced),
                     "predicted", histogram);
}

static json_t *verdict(const snn_verdict *v) {
    return json_pack("{s:o, s:o, s:o, s:o}", "samples", cli_json_count(v->samples), "plain",
                     verdict_part(&v->plain, v->classes), "without_key", verdict_part(&v->thief, v->classes),
                     "agreement", cli_json_interval(v->agreement));
}

static json_t *verdict_section(const cli_encryption *e) {
    const cli_encrypt_verdict *v = &e->verdict;
    if (!v->judged)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "test", verdict(&v->test), "training", verdict(&v->training), "all",
                     verdict(&v->all));
}

static json_t *variation_section(const cli_encryption *e) {
    const cli_encrypt_variation *v = &e->variation;
    const snn_variation *of = &v->of;
    if (!v->searches)
        return json_null();
    bool some = v->met > 0, pairs = v->met > 1;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "searches", cli_json_count(v->searches),
                     "met", cli_json_count(v->met), "bits_mean",
                     some ? cli_json_real(of->bits_mean) : json_null(), "bits_least",
                     some ? cli_json_real(of->bits_least) : json_null(), "bits_most",
                     some ? cli_json_real(of->bits_most) : json_null(), "overlap",
                     pairs ? cli_json_real(of->overlap) : json_null(), "guess",
                     pairs ? cli_json_real(of->guess) : json_null(), "constant",
                     pairs ? json_boolean(of->constant) : json_null(), "seconds", cli_json_real(v->seconds));
}

static json_t *files_section(const cli_encryption *e) {
    return json_pack("{s:o, s:o, s:b, s:o}", "model", e->saved ? cli_json_text(e->output) : json_null(),
                     "key", e->saved ? cli_json_text(e->key_path) : json_null(), "sealed", (int)e->sealed,
                     "kdf", e->sealed ? cli_json_text(snn_kdf_name(e->kdf)) : json_null());
}

/* Of what a thief has anyhow. */
static json_t *digests(const cli_encryption *e) {
    bool judged = e->verdict.judged;
    return json_pack("{s:o, s:o}", "weights", e->stored ? cli_json_text(e->digest) : json_null(),
                     "output_spikes", judged ? cli_json_text(e->verdict.test.thief.digest) : json_null());
}

json_t *cli_encrypt_report(const cli_encryption *e, snn_error *err) {
    char *config = snn_config_text(e->config, err);
    if (!config)
        return NULL;
    json_t *report = json_pack(
        "{s:i, s:s, s:s, s:s, s:O, s:{s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:O}",
        "schema", SNN_REPORT_SCHEMA, "program", "snnsim", "version", SNN_VERSION, "command", e->command,
        "command_line", e->command_line, "config", "path", cli_json_text(snn_config_path(e->config)), "text",
        cli_json_text(config), "dataset", data_section(e), "model", model_section(e), "subset",
        subset_section(e), "goal", goal_section(e), "search", search_section(e), "result", result_section(e),
        "unseen", verdict_section(e), "variation", variation_section(e), "files", files_section(e), "digests",
        digests(e), "warnings", e->warnings);
    free(config);
    if (report && e->rotation)
        json_object_set_new(report, "rotation", cli_rotation_report(e));
    if (!report)
        snn_fail(err, SNN_ERR_RUNTIME, "out of memory for the report");
    return report;
}

/* ---- front.csv ---- */

void cli_encrypt_front(const cli_encryption *e, FILE *out) {
    double n = (double)scored_samples(e);
    fputs("bits,right,share_right,correct,accuracy\n", out);
    for (uint32_t i = 0; i < e->result.points; i++) {
        const snn_score *s = &e->result.front[i].score;
        fprintf(out, "%u,%u,%.9g,%u,%.9g\n", e->result.front[i].bits, s->right, s->right / n, s->correct,
                s->correct / n);
    }
}
