/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an encryption came to, for people: warnings and the table at its end. */
#include "encrypt.h"

#include <inttypes.h>
#include <string.h>

/* Above this share of one class the thief's network answers nothing but that class; accuracy alone cannot tell that from one that guesses. */
#define COLLAPSED 0.9

/* ---- warnings ---- */

static int most_frequent(const snn_verdict *v) {
    int most = 0;
    for (int c = 1; c < v->classes; c++)
        if (v->thief.predicted[c] > v->thief.predicted[most])
            most = c;
    return most;
}

static const char *class_name(const cli_encryption *e, int c, char *buf, size_t size) {
    const snn_dataset_info *a = snn_dataset_about(e->training);
    if (c < a->classes)
        return a->class_name[c];
    snprintf(buf, size, "%d", c);
    return buf;
}

static void warn_collapse(cli_encryption *e) {
    const snn_verdict *v = &e->verdict.all;
    char name[32];
    if (!e->verdict.judged || !v->samples)
        return;
    int most = most_frequent(v);
    double share = (double)v->thief.predicted[most] / (double)v->samples;
    if (share > COLLAPSED)
        json_array_append_new(
            e->warnings, json_sprintf("without the key %.1f %% of the recordings are called %s: who sees "
                                      "that knows that the network is encrypted (see encrypt.collapse)",
                                      100 * share, class_name(e, most, name, sizeof name)));
}

/* A network that knows nothing has nothing to lose. */
static void warn_plain(cli_encryption *e) {
    const snn_verdict *v = &e->verdict.all;
    if (e->verdict.judged && v->samples && v->plain.accuracy.low <= v->thief.accuracy.value)
        json_array_append_new(
            e->warnings,
            json_sprintf(
                "on recordings that the search has not seen the plain network itself has only %.2f %% right, "
                "the encrypted one %.2f %%: encryption takes nothing away there",
                100 * v->plain.accuracy.value, 100 * v->thief.accuracy.value));
}

static void warn_variation(cli_encryption *e) {
    const cli_encrypt_variation *v = &e->variation;
    if (v->met > 1 && v->of.constant)
        json_array_append_new(
            e->warnings,
            json_sprintf("all %u searches with other seeds came to the same bits: who runs this search "
                         "needs no key; set encrypt.eligible below 1 or use another search",
                         v->met));
    if (v->searches > v->met)
        json_array_append_new(e->warnings,
                              json_sprintf("%u of %u searches with other seeds did not meet the goal",
                                           v->searches - v->met, v->searches));
}

static void warn_rounding(cli_encryption *e) {
    if (e->options.target - e->target_used > 1e-9)
        json_array_append_new(
            e->warnings,
            json_sprintf("the target of %.4g %% was rounded down to %u of %zu samples (%.4g %%)",
                         100 * e->options.target, e->goal.target, e->subset.n, 100 * e->target_used));
}

/* Asked for, but there is nothing to augment by. */
static void warn_variants(cli_encryption *e) {
    if (snn_config_given(e->config, "encrypt.variants") && e->options.variants > 0 &&
        e->subset.n == e->subset.drawn)
        json_array_append_new(
            e->warnings,
            json_string("encrypt.variants does nothing, as there is no augmentation: train.shift, drop, "
                        "rotate, zoom and time_jitter are all 0"));
}

void cli_encrypt_warn(cli_encryption *e) {
    e->warnings = json_array();
    warn_rounding(e);
    warn_variants(e);
    warn_plain(e);
    warn_collapse(e);
    warn_variation(e);
    if (e->rotation)
        cli_rotation_warn(e);
}

/* ---- the table ---- */

static void print_head(const cli_encryption *e, FILE *out) {
    const snn_dataset_info *a = snn_dataset_about(e->training);
    const snn_weights *w = e->model.weights;
    uint64_t bits = 0;
    for (int t = 0; t < w->tensors; t++)
        bits += w->tensor[t].count * (uint64_t)w->tensor[t].bits;
    char n[32];
    fprintf(out, "data set    %s (%s): %zu training samples drawn", a->name, cli_source(a), e->subset.drawn);
    if (!e->options.random_samples)
        fprintf(out, ", %u of each of %d classes", e->options.samples, a->classes);
    if (e->subset.n > e->subset.drawn)
        fprintf(out, "; with variants %zu samples", e->subset.n);
    fprintf(out, "\nmodel       %s: %s weight bits\n", e->model_path, cli_count((double)bits, n, sizeof n));
    fprintf(out, "search      %s over %u bits of", snn_search_name(e->options.search.kind), e->candidates->n);
    for (int t = 0; t < w->tensors; t++)
        if (e->options.tensor[t])
            fprintf(out, " %s", w->tensor[t].name);
    if (e->options.bits)
        fprintf(out, " (%d most significant)", e->options.bits);
    fprintf(out, ", seed secret (%s)\n", e->options.seed_given ? "given" : "system");
}

static void print_goal(const cli_encryption *e, FILE *out) {
    fprintf(out, "goal        at most %u of %zu samples right (%.4g %%; asked for %.4g %%), margin %g",
            e->goal.target, e->subset.n, 100 * e->target_used, 100 * e->options.target, e->goal.margin);
    if (e->subset.n > e->subset.drawn)
        fprintf(out, "; %zu of these are recordings, %zu variants of them", e->subset.drawn,
                e->subset.n - e->subset.drawn);
    if (e->options.chips)
        fprintf(out, ", on each of %u chips and on one without errors", e->options.chips);
    fputc('\n', out);
}

static void print_result(const cli_encryption *e, FILE *out) {
    const snn_search_result *r = &e->result;
    char seconds[32];
    fprintf(out, "%s     %zu bits leave %u of %zu right (plain: %u)%s%s; %" PRIu64 " evaluations, %s\n",
            r->met ? "found " : "missed", r->flips.n, r->score.right, e->subset.n * cli_encrypt_views(e),
            r->plain.right, r->minimal ? ", every one of them is needed" : "",
            r->stopped ? ", stopped by its budget" : "", r->evaluations,
            cli_seconds(r->seconds, seconds, sizeof seconds));
    fprintf(out,
            "positions   at most %.1f bits of entropy if all sets of that size were as likely; at most %d "
            "for who "
            "can repeat the search (its seed)\n",
            snn_log2_choose(e->candidates->pool, r->flips.n), cli_encrypt_seed_bits(e));
}

static void print_interval(FILE *out, snn_interval i) {
    fprintf(out, "  %6.2f (%5.2f .. %6.2f)", 100 * i.value, 100 * i.low, 100 * i.high);
}

static void print_part(FILE *out, const char *name, const snn_verdict *v) {
    fprintf(out, "%-20s %7" PRIu64, name, v->samples);
    print_interval(out, v->plain.accuracy);
    print_interval(out, v->thief.accuracy);
    print_interval(out, v->thief.balanced);
    print_interval(out, v->agreement);
    fputc('\n', out);
}

static void print_verdict(const cli_encryption *e, FILE *out) {
    const cli_encrypt_verdict *v = &e->verdict;
    char name[32];
    if (!v->judged)
        return;
    fprintf(out, "\n%-20s %7s  %-24s  %-24s  %-24s  %-24s\n", "not seen by search", "samples",
            "plain accuracy %", "without key %", "balanced %", "agreement with plain %");
    print_part(out, "test part", &v->test);
    if (v->training.samples) {
        print_part(out, "rest of training", &v->training);
        print_part(out, "both", &v->all);
    }
    fprintf(out, "called      ");
    for (int c = 0; c < v->all.classes; c++)
        fprintf(out, "%s%s %" PRIu64, c ? ", " : "", class_name(e, c, name, sizeof name),
                v->all.thief.predicted[c]);
    fputs("  (without the key)\n\n", out);
}

static void print_variation(const cli_encryption *e, FILE *out) {
    const cli_encrypt_variation *v = &e->variation;
    const snn_variation *of = &v->of;
    if (!v->searches)
        return;
    fprintf(out, "variation   %u of %u throw-away seeds met the goal", v->met, v->searches);
    if (v->met)
        fprintf(out, " with %g to %g bits (mean %.4g)", of->bits_least, of->bits_most, of->bits_mean);
    if (v->met > 1)
        fprintf(out,
                "; two of them share %.1f %% of their bits, one has %.1f %% of its bits from the others (who "
                "runs "
                "more searches finds more)",
                100 * of->overlap, 100 * of->guess);
    fputc('\n', out);
}

static void print_files(const cli_encryption *e, FILE *out) {
    if (!e->saved)
        return;
    fprintf(out, "wrote       %s and %s (%s%s)\n", e->output, e->key_path,
            e->sealed ? "sealed, " : "in clear", e->sealed ? snn_kdf_name(e->kdf) : "");
    fprintf(out, "try it      snnsim run %s --model %s --key %s\n", snn_config_path(e->config), e->output,
            e->key_path);
}

void cli_encrypt_summary(const cli_encryption *e, FILE *out) {
    print_head(e, out);
    print_goal(e, out);
    print_result(e, out);
    print_verdict(e, out);
    print_variation(e, out);
    if (e->rotation)
        cli_rotation_summary(e, out);
    print_files(e, out);
    for (size_t i = 0; i < json_array_size(e->warnings); i++)
        fprintf(out, "warning     %s\n", json_string_value(json_array_get(e->warnings, i)));
}
