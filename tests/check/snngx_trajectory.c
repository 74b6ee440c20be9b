/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The populations that search snngx goes through, and the problem, for its NumPy twin (tests/golden/snngx_twin.py): snngx_trajectory FOLDER SEED EPS POPULATION GENERATIONS [CONFIG]
 * With CONFIG: 16 training samples and the sign bits of the model's last layer, as the published settings have it; without: a random network.
 * Files: problem.txt (sizes and neuron), label, hidden (spikes in front of the layer, uint8 [samples][steps][inputs]), weight (int8 [classes][inputs]), candidate (uint32: weight of each),
 * population (bits, packed as numpy.packbits does, [generations + 1][population]), fitness (float64).
 */
#include "../../crypto/search_internal.h"

#include <snnsim/snnsim.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 16, STEPS = 12 };

static snn_error err;
static const char *folder;

static void check(bool ok) {
    if (ok)
        return;
    fprintf(stderr, "snngx_trajectory: %s\n", err.text);
    exit(1);
}

static FILE *file(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f) {
        perror(path);
        exit(1);
    }
    return f;
}

/* ---- problem ---- */

typedef struct {
    snn_net *net;
    snn_weights *weights;
    snn_spikes sample[SAMPLES];
    int label[SAMPLES];
} problem;

static problem from_config(const char *path, uint64_t seed) {
    problem p = {0};
    snn_config *c = snn_config_load(path, &err);
    check(c != NULL);
    snn_model m;
    check(snn_model_load(&m, snn_config_string(c, "model.path"), &err));
    snn_dataset *d = snn_dataset_open(c, SNN_SPLIT_TRAIN, &err);
    check(d != NULL);
    snn_subset s;
    check(snn_subset_draw(&s, d, 0, SAMPLES, seed, &err));
    p.net = m.net;
    p.weights = m.weights;
    memcpy(p.sample, s.sample, sizeof p.sample);
    memcpy(p.label, s.label, sizeof p.label);
    return p;
}

/* Labels are what the network says, so that it is right at first. */
static problem from_random(uint64_t seed) {
    problem p = {0};
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 77);
    snn_config *c =
        snn_config_parse("network = { layers = ({ name = \"a\"; type = \"linear\"; outputs = 40; }, { name = "
                         "\"b\"; type = \"linear\"; outputs = 6; }); };",
                         "random network", &err);
    check(c != NULL);
    p.net = snn_net_from_config(c, (snn_shape){1, 8, 8}, &err);
    check(p.net != NULL);
    snn_weights *w = snn_weights_new(p.net, &err);
    check(w != NULL);
    for (int t = 0; t < w->tensors; t++)
        for (uint64_t i = 0; i < w->tensor[t].count; i++)
            w->tensor[t].value[i] = (float)(snn_random_uniform(&r) - 0.4) * 0.4f;
    const snn_quantisation q = {.bits = 8};
    p.weights = snn_weights_quantise(w, &q, NULL, &err);
    check(p.weights != NULL);
    snn_weights_free(w);
    for (int i = 0; i < SAMPLES; i++) {
        check(snn_spikes_reset(&p.sample[i], 64, STEPS, &err));
        const uint32_t from = snn_random_below(&r, 64);
        for (int t = 0; t < STEPS; t++)
            for (uint32_t k = 0; k < 64; k++)
                if (snn_random_uniform(&r) < ((k + from) % 64 < 20 ? 0.7 : 0.05)) {
                    const snn_spike s = {k, 1};
                    check(snn_spikes_append(&p.sample[i], t, &s, 1, &err));
                }
    }
    return p;
}

/* ---- what is in front of the last layer ---- */

typedef struct {
    FILE *out;
    uint32_t neurons;
    int layer;
} tracer;

static bool on_step(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                    snn_error *e) {
    const tracer *t = context;
    (void)step, (void)membrane, (void)e;
    if (layer == t->layer)
        fwrite(spikes, 1, t->neurons, t->out);
    return true;
}

static void write_problem(problem *p, bool label_all, const snn_candidates *c) {
    const int last = p->net->layers - 1;
    tracer t = {file("hidden"), snn_shape_size(p->net->layer[last].in), last - 1};
    bool layer[64] = {false};
    layer[last - 1] = true;
    const snn_trace trace = {&t, layer, on_step};
    const snn_engine_options eo = {.simd = snn_simd_best()};
    snn_engine *e = snn_engine_new(p->net, p->weights, &eo, &err);
    check(e != NULL);
    snn_workspace *w = snn_workspace_new(e, &err);
    snn_result r;
    check(w && snn_result_init(&r, p->net, p->sample[0].steps, &err));
    FILE *label = file("label");
    for (int i = 0; i < SAMPLES; i++) {
        check(snn_engine_run(e, &p->sample[i], 0, w, &trace, &r, &err));
        if (label_all)
            p->label[i] = r.predicted;
        fputc(p->label[i], label);
    }
    fclose(label);
    fclose(t.out);
    const snn_tensor *x = &p->weights->tensor[p->net->layer[last].tensor];
    FILE *f = file("weight");
    for (uint64_t i = 0; i < x->count; i++)
        fputc((int)(uint8_t)(int8_t)snn_weight_q(x, i), f);
    fclose(f);
    f = file("candidate");
    for (uint32_t i = 0; i < c->n; i++) {
        const uint32_t index = (uint32_t)c->flip[i].index;
        fwrite(&index, sizeof index, 1, f);
    }
    fclose(f);
    const snn_neuron *n = &p->net->layer[last].neuron;
    f = file("problem.txt");
    fprintf(f,
            "samples %d\nsteps %d\ninputs %u\nclasses %u\ncandidates %u\nscale %.9g\ndecay %.9g\nthreshold "
            "%.9g\n",
            SAMPLES, p->sample[0].steps, t.neurons, p->net->classes, c->n, (double)x->scale[0],
            (double)n->decay, (double)n->threshold);
    fclose(f);
}

/* ---- populations ---- */

static void write_population(const snn_search_job *job, FILE *bits, FILE *fitness) {
    const uint32_t bytes = (job->candidates->n + 7) / 8;
    uint8_t *row = calloc(bytes, 1);
    for (uint32_t i = 0; row && i < job->state->sets; i++) {
        const snn_set *s = &job->state->set[i];
        memset(row, 0, bytes);
        for (uint32_t k = 0; k < s->n; k++)
            row[s->item[k] / 8] |= (uint8_t)(0x80 >> s->item[k] % 8);
        fwrite(row, 1, bytes, bits);
        const double x = snn_snngx_fitness(job, s);
        fwrite(&x, sizeof x, 1, fitness);
    }
    free(row);
}

int main(int argc, char **argv) {
    if (argc < 6)
        return fprintf(stderr, "snngx_trajectory FOLDER SEED EPS POPULATION GENERATIONS [CONFIG]\n"), 2;
    folder = argv[1];
    snn_search_options o = {.kind = SNN_SEARCH_SNNGX,
                            .seed = strtoull(argv[2], NULL, 0),
                            .eps = (uint32_t)atoi(argv[3]),
                            .population = (uint32_t)atoi(argv[4]),
                            .generations = (uint32_t)atoi(argv[5])};
    problem p = argc > 6 ? from_config(argv[6], o.seed) : from_random(o.seed);
    bool tensor[64] = {false};
    tensor[p.net->layer[p.net->layers - 1].tensor] = true;
    const snn_candidate_options co = {.tensor = tensor, .bits = 1, .eligible = 1};
    snn_candidates *c = snn_candidates_new(p.weights, &co, &err);
    check(c != NULL);
    write_problem(&p, argc <= 6, c);
    const snn_objective_options oo = {.net = p.net,
                                      .weights = p.weights,
                                      .searched = tensor,
                                      .simd = snn_simd_best(),
                                      .threads = 2,
                                      .goal = {.target = 1, .largest = SAMPLES}};
    snn_search_state st = {.seed = o.seed};
    snn_search_job job = {.candidates = c, .options = &o, .state = &st};
    check((job.objective = snn_objective_new(&oo, c, p.sample, p.label, SAMPLES, &err)) != NULL);
    check((job.placer = snn_placer_new(c, &err)) != NULL);
    FILE *bits = file("population"), *fitness = file("fitness");
    check(snn_searcher_snngx.start(&job, &err));
    write_population(&job, bits, fitness);
    for (bool done = false; !done; st.step++) {
        check(snn_searcher_snngx.step(&job, &done, &err));
        write_population(&job, bits, fitness);
    }
    fclose(bits);
    fclose(fitness);
    printf("%u bits, %u of %d right\n", st.best.n, st.best.score.correct, SAMPLES);
    return 0;
}
