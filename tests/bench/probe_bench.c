/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Speed of the fitness probe, one thread: probe_bench [SECONDS [SAMPLES [twin]]]
 * Sets of random sign flips of 1, 17, 50, 500 weights and half of a layer, and single flips added to a base that moves (greedy search): N-MNIST's two layers on real training samples (when
 * $SNNSIM_DATA has them), the gesture network's first convolution with the trained model on the synthetic camera and with the golden traces' random weights.
 * Lines `probe NETWORK LAYER FLIPS WAY us evaluations/s`; FLIPS half, rebase. twin: the plain twin everywhere.
 */
#include "../unit/golden_gesture.h"

#include <string.h>

static snn_error err;

static void *must(void *p) {
    if (!p) {
        fprintf(stderr, "probe_bench: %s\n", err.text);
        exit(1);
    }
    return p;
}

static void check(bool ok) {
    must(ok ? &err : NULL);
}

typedef struct {
    const char *name, *layer;
    const snn_net *net;
    const snn_weights *weights;
    const snn_spikes *x;
    size_t n;
    double seconds;
    bool twin;
} work;

/* A set of n distinct weights of tensor t whose signs flip; weights of value 0 do not change. */
static size_t random_set(const work *k, int t, uint64_t n, uint64_t seed, snn_delta *delta) {
    const snn_tensor *x = &k->weights->tensor[t];
    snn_random r;
    snn_random_init(&r, 1, SNN_PURPOSE_TEST, seed);
    size_t found = 0;
    /* Selection sampling: ascending, each set equally likely. */
    for (uint64_t i = 0, left = n; i < x->count && left > 0; i++) {
        if (snn_random_below(&r, (uint32_t)(x->count - i)) >= left)
            continue;
        left--;
        delta[found++] = (snn_delta){(uint32_t)t, -2 * snn_weight_q(x, i), i};
    }
    return found;
}

static void print(const work *k, const snn_probe *p, const char *flips, double us) {
    printf("probe %-16s %-6s %-7s %-7s %10.2f us %12.1f /s\n", k->name, k->layer, flips, snn_probe_kind(p),
           us, 1e6 / us);
    fflush(stdout);
}

/* Median over rounds of the time of one evaluation, each of another set. */
static int by_time(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

enum { SETS = 32, ROUNDS = 15 };

static void measure_sets(const work *k, const snn_probe *p, int t, uint64_t flips, const char *text) {
    snn_delta *delta[SETS];
    size_t n[SETS], sets = flips > 10000 ? 2 : SETS;
    snn_probe_workspace *w = must(snn_probe_workspace_new(p, &err));
    snn_probe_result r;
    check(snn_probe_result_init(&r, k->n, k->net->classes, &err));
    for (size_t i = 0; i < sets; i++) {
        delta[i] = must(malloc(flips * sizeof **delta));
        n[i] = random_set(k, t, flips, i, delta[i]);
        check(snn_probe_eval(p, delta[i], n[i], w, &r, &err)); /* warm */
    }
    double start = snn_now();
    check(snn_probe_eval(p, delta[0], n[0], w, &r, &err));
    const double once = snn_now() - start, each = k->seconds / ROUNDS;
    const size_t repeats = once > each ? 1 : (size_t)(each / (once + 1e-9)) + 1;
    double time[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        start = snn_now();
        for (size_t i = 0; i < repeats; i++)
            check(snn_probe_eval(p, delta[i % sets], n[i % sets], w, &r, &err));
        time[round] = (snn_now() - start) / (double)repeats;
    }
    qsort(time, ROUNDS, sizeof *time, by_time);
    print(k, p, text, time[ROUNDS / 2] * 1e6);
    for (size_t i = 0; i < sets; i++)
        free(delta[i]);
    snn_probe_result_free(&r);
    snn_probe_workspace_free(w);
}

/* Moving the base by one flip. */
static void measure_rebase(const work *k, snn_probe *p, int t) {
    const snn_tensor *x = &k->weights->tensor[t];
    enum { MOVES = 64 };
    snn_delta delta[MOVES];
    const size_t n = random_set(k, t, x->count < MOVES ? x->count : MOVES, 99, delta);
    double time[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        const double start = snn_now();
        for (size_t i = 0; i < n; i++) {
            check(snn_probe_rebase(p, &delta[i], 1, &err));
            delta[i].dq = -delta[i].dq;
        }
        time[round] = (snn_now() - start) / (double)n;
    }
    qsort(time, ROUNDS, sizeof *time, by_time);
    print(k, p, "rebase", time[ROUNDS / 2] * 1e6);
}

static void measure(const work *k) {
    int t = 0;
    while (strcmp(k->weights->tensor[t].name, k->layer) != 0)
        t++;
    bool *searched = must(calloc((size_t)k->weights->tensors, sizeof *searched));
    searched[t] = true;
    const snn_probe_options o = {.simd = snn_simd_best(), .twin = k->twin};
    snn_probe *p = must(snn_probe_new(k->net, k->weights, searched, &o, k->x, NULL, k->n, &err));
    static const uint64_t flips[] = {1, 17, 50, 500};
    const uint64_t half = k->weights->tensor[t].count / 2;
    for (size_t i = 0; i < sizeof flips / sizeof *flips && flips[i] < half; i++) {
        char text[24];
        snprintf(text, sizeof text, "%llu", (unsigned long long)flips[i]);
        measure_sets(k, p, t, flips[i], text);
    }
    measure_sets(k, p, t, half, "half");
    measure_rebase(k, p, t);
    snn_probe_free(p);
    free(searched);
}

/* n framed training samples, spread over the whole list. */
static snn_spikes *framed(const snn_config *config, size_t n) {
    snn_dataset *data = must(snn_dataset_open(config, SNN_SPLIT_TRAIN, &err));
    snn_spikes *x = must(calloc(n, sizeof *x));
    snn_dataset_buffer buffer = {0};
    for (size_t i = 0; i < n; i++)
        check(snn_dataset_frames(data, i * snn_dataset_count(data) / n, &buffer, &x[i], &err));
    snn_dataset_buffer_free(&buffer);
    snn_dataset_free(data);
    return x;
}

static void drop(snn_spikes *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        snn_spikes_free(&x[i]);
    free(x);
}

static void measure_model(const char *config, const char *name, const char *const *layer, size_t n,
                          double seconds, bool twin) {
    snn_config *c = must(snn_config_load(config, &err));
    snn_model model;
    check(snn_model_load(&model, snn_config_string(c, "model.path"), &err));
    snn_spikes *x = framed(c, n);
    for (; *layer; layer++)
        measure(&(work){name, *layer, model.net, model.weights, x, n, seconds, twin});
    drop(x, n);
    snn_model_free(&model);
    snn_config_free(c);
}

static void measure_golden(double seconds, bool twin) {
    snn_net *net = must(golden_net(&err));
    snn_weights *w = must(golden_weights(net, SNN_SIGN_MAGNITUDE, &err));
    snn_spikes *x = must(calloc(GOLDEN_SAMPLES, sizeof *x));
    for (int i = 0; i < GOLDEN_SAMPLES; i++)
        check(golden_input(i, &x[i], &err));
    measure(&(work){"gesture-golden", "conv1", net, w, x, GOLDEN_SAMPLES, seconds, twin});
    drop(x, GOLDEN_SAMPLES);
    snn_weights_free(w);
    snn_net_free(net);
}

int main(int argc, char **argv) {
    const double seconds = argc > 1 ? atof(argv[1]) : 1;
    const size_t n = argc > 2 ? (size_t)atol(argv[2]) : 16;
    const bool twin = argc > 3 && strcmp(argv[3], "twin") == 0;
    if (seconds <= 0 || n < 1 || argc > 4 || (argc == 4 && !twin))
        return fprintf(stderr, "probe_bench [SECONDS [SAMPLES [twin]]]\n"), 2;
    if (getenv("SNNSIM_DATA"))
        measure_model("nmnist.cfg", "nmnist", (const char *const[]){"fc2", "fc1", NULL}, n, seconds, twin);
    measure_model("gesture.cfg", "gesture", (const char *const[]){"conv1", NULL}, n, seconds, twin);
    measure_golden(seconds, twin);
    return 0;
}
