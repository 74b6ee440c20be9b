/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes a problem for SNNGX's genetic search, and what our search does with it, for an independent twin (tests/golden/snngx_twin.py):
 *
 *     snngx_trace FOLDER SEED GENERATIONS EPS           a small network of random weights, both layers keyed
 *     snngx_trace FOLDER SEED GENERATIONS EPS CONFIG    a config's model and 16 random training samples, the last layer keyed
 *
 * FOLDER gets problem.json, weights<layer>.npy (raw codes), input.npy (counts [sample][step][line]), label.npy, trajectory.csv (the best individual after each generation) and best.csv (the
 * flips at the end).
 */
#include <snnsim/snnsim.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 16, INPUTS = 24, STEPS = 15, MOST_TENSORS = 8 };

static const char small[] =
    "network = { layers = ({name=\"a\"; type=\"linear\"; outputs=40;}, {name=\"b\"; type=\"linear\"; "
    "outputs=6;}); neuron = { type=\"lif\"; decay=0.3; threshold=0.3; }; };";

typedef struct {
    const char *folder;
    snn_net *net;
    snn_weights *weights;
    snn_subset set;
    bool searched[MOST_TENSORS];
    snn_search_options options;
    snn_error err;
} trace;

/* ---- problems ---- */

/* Weights of both signs with some zeros, which cannot be keyed. */
static bool draw_weights(trace *t, snn_random *r) {
    snn_weights *w = snn_weights_new(t->net, &t->err);
    for (int i = 0; w && i < w->tensors; i++)
        for (uint64_t k = 0; k < w->tensor[i].count; k++)
            if (snn_random_below(r, 8) > 0)
                w->tensor[i].value[k] = (float)(snn_random_uniform(r) - 0.42) * 0.5f;
    const snn_quantisation q = {.bits = 8, .encoding = SNN_SIGN_MAGNITUDE};
    t->weights = w ? snn_weights_quantise(w, &q, NULL, &t->err) : NULL;
    snn_weights_free(w);
    return t->weights != NULL;
}

/* Each sample prefers half of the lines, so that classes differ. */
static bool draw_sample(snn_spikes *x, snn_random *r, snn_error *err) {
    const uint32_t offset = snn_random_below(r, INPUTS);
    bool ok = snn_spikes_reset(x, INPUTS, STEPS, err);
    for (int t = 0; ok && t < STEPS; t++)
        for (uint32_t i = 0; ok && i < INPUTS; i++)
            if (snn_random_uniform(r) < ((i + offset) % INPUTS < INPUTS / 2 ? 0.5 : 0.1)) {
                const snn_spike s = {i, 1 + snn_random_below(r, 3)};
                ok = snn_spikes_append(x, t, &s, 1, err);
            }
    return ok;
}

/* Labels are what the plain network says. */
static bool label(trace *t) {
    snn_probe_result r = {0};
    const snn_probe_options o = {.twin = true};
    snn_probe *p = snn_probe_new(t->net, t->weights, NULL, &o, t->set.sample, NULL, t->set.n, &t->err);
    snn_probe_workspace *w = p ? snn_probe_workspace_new(p, &t->err) : NULL;
    const bool ok = w && snn_probe_result_init(&r, t->set.n, t->net->classes, &t->err) &&
                    snn_probe_eval(p, NULL, 0, w, &r, &t->err);
    for (size_t i = 0; ok && i < t->set.n; i++)
        t->set.label[i] = r.predicted[i];
    snn_probe_result_free(&r);
    snn_probe_workspace_free(w);
    snn_probe_free(p);
    return ok;
}

static bool make_small(trace *t) {
    snn_random r;
    snn_random_init(&r, t->options.seed, SNN_PURPOSE_TEST, 0);
    snn_config *c = snn_config_parse(small, "small", &t->err);
    t->net = c ? snn_net_from_config(c, (snn_shape){1, 1, INPUTS}, &t->err) : NULL;
    snn_config_free(c);
    snn_subset *s = &t->set;
    s->sample = snn_alloc(SAMPLES, sizeof *s->sample, "samples", &t->err);
    s->label = snn_alloc(SAMPLES, sizeof *s->label, "labels", &t->err);
    bool ok = t->net && s->sample && s->label && draw_weights(t, &r);
    for (; ok && s->n < SAMPLES; s->n++)
        ok = draw_sample(&s->sample[s->n], &r, &t->err);
    t->searched[0] = t->searched[1] = true;
    return ok && label(t);
}

static bool read_config(trace *t, const char *name) {
    snn_model m = {0};
    snn_config *c = snn_config_load(name, &t->err);
    snn_dataset *d = c ? snn_dataset_open(c, SNN_SPLIT_TRAIN, &t->err) : NULL;
    const bool ok = d && snn_model_load(&m, snn_config_string(c, "model.path"), &t->err) &&
                    m.weights->tensors <= MOST_TENSORS &&
                    snn_subset_draw(&t->set, d, 0, SAMPLES, t->options.seed, &t->err);
    t->net = m.net;
    t->weights = m.weights;
    free(m.record);
    snn_dataset_free(d);
    snn_config_free(c);
    if (ok)
        t->searched[t->weights->tensors - 1] = true;
    return ok;
}

/* ---- files ---- */

static FILE *create(const trace *t, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    FILE *f = fopen(path, "wb");
    if (!f) {
        perror(path);
        exit(4);
    }
    return f;
}

static void finish(FILE *f) {
    if (ferror(f) | fclose(f)) {
        perror("snngx_trace");
        exit(4);
    }
}

/* Bytes as a NumPy array, format 1.0: the header is padded to 128 bytes in all. */
static void put_npy(const trace *t, const char *name, const char *shape, const uint8_t *data, size_t n) {
    char text[119];
    snprintf(text, sizeof text, "{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }", shape);
    FILE *f = create(t, name);
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, f);
    fprintf(f, "%-117s\n", text);
    fwrite(data, 1, n, f);
    finish(f);
}

static bool put_samples(trace *t) {
    const size_t steps = (size_t)t->set.sample[0].steps, size = t->set.sample[0].size;
    uint8_t *dense = snn_alloc(t->set.n * steps * size, 1, "counts", &t->err);
    uint8_t *labels = snn_alloc(t->set.n, 1, "labels", &t->err);
    char shape[64];
    bool ok = dense && labels;
    for (size_t i = 0; ok && i < t->set.n; i++) {
        const snn_spikes *x = &t->set.sample[i];
        labels[i] = (uint8_t)t->set.label[i];
        for (size_t s = 0; ok && s < steps; s++)
            for (size_t k = x->first[s]; ok && k < x->first[s + 1]; k++) {
                ok = x->spike[k].count <= UINT8_MAX;
                dense[(i * steps + s) * size + x->spike[k].index] = (uint8_t)x->spike[k].count;
            }
    }
    if (ok) {
        snprintf(shape, sizeof shape, "%zu, %zu, %zu", t->set.n, steps, size);
        put_npy(t, "input.npy", shape, dense, t->set.n * steps * size);
        snprintf(shape, sizeof shape, "%zu,", t->set.n);
        put_npy(t, "label.npy", shape, labels, t->set.n);
    }
    free(dense);
    free(labels);
    return ok;
}

static void put_problem(const trace *t) {
    FILE *f = create(t, "problem.json");
    fprintf(f, "{\"seed\": %" PRIu64 ", \"generations\": %u, \"eps\": %u, \"layers\": [", t->options.seed,
            t->options.generations, t->options.eps);
    for (int i = 0; i < t->weights->tensors; i++) {
        const snn_tensor *x = &t->weights->tensor[i];
        char name[32], shape[64];
        snprintf(name, sizeof name, "weights%d.npy", i);
        snprintf(shape, sizeof shape, "%" PRIu64 ", %" PRIu64, x->shape[0], x->shape[1]);
        put_npy(t, name, shape, x->code8, x->count);
        fprintf(f, "%s{\"scale\": %.9g, \"searched\": %s}", i ? ", " : "", (double)x->scale[0],
                t->searched[i] ? "true" : "false");
    }
    fputs("]}\n", f);
    finish(f);
}

/* ---- the search ---- */

static void note(void *file, const snn_search_progress *p) {
    fprintf(file, "%" PRIu64 ",%u,%u,%.17g,%" PRIu64 "\n", p->step, p->bits, p->score.correct, p->score.lead,
            p->evaluations);
}

static bool search(trace *t) {
    /* All weights but zeros, as published. */
    const snn_candidate_options co = {.tensor = t->searched, .bits = 1, .eligible = 1, .any_value = true};
    const snn_objective_options oo = {.net = t->net,
                                      .weights = t->weights,
                                      .searched = t->searched,
                                      .simd = snn_simd_best(),
                                      .threads = 1,
                                      .goal = {.largest = (uint32_t)t->set.n}};
    snn_candidates *c = snn_candidates_new(t->weights, &co, &t->err);
    snn_objective *o = c ? snn_objective_new(&oo, c, t->set.sample, t->set.label, t->set.n, &t->err) : NULL;
    snn_search_result r = {0};
    FILE *f = create(t, "trajectory.csv");
    const snn_search_hooks hooks = {.context = f, .progress = note};
    const bool ok = o && snn_search(o, &t->options, &hooks, &r, &t->err);
    finish(f);
    f = create(t, "best.csv");
    for (size_t i = 0; ok && i < r.flips.n; i++)
        fprintf(f, "%u,%" PRIu64 ",%u\n", r.flips.flip[i].tensor, r.flips.flip[i].index, r.flips.flip[i].bit);
    finish(f);
    snn_search_free(&r);
    snn_objective_free(o);
    snn_candidates_free(c);
    return ok;
}

int main(int argc, char **argv) {
    if (argc < 5 || argc > 6) {
        fputs("usage: snngx_trace FOLDER SEED GENERATIONS EPS [CONFIG]\n", stderr);
        return 2;
    }
    trace t = {.folder = argv[1],
               .options = {.kind = SNN_SEARCH_SNNGX,
                           .seed = strtoull(argv[2], NULL, 10),
                           .generations = (uint32_t)strtoul(argv[3], NULL, 10),
                           .eps = (uint32_t)strtoul(argv[4], NULL, 10)}};
    bool ok = argc == 6 ? read_config(&t, argv[5]) : make_small(&t);
    ok = ok && put_samples(&t);
    if (ok)
        put_problem(&t);
    ok = ok && search(&t);
    snn_subset_free(&t.set);
    snn_weights_free(t.weights);
    snn_net_free(t.net);
    if (!ok)
        fprintf(stderr, "snngx_trace: %s\n", t.err.text);
    return ok ? 0 : 1;
}
