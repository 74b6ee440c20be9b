/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fitness probe's way for linear layers against its plain twin, which rewrites the weights and runs the engine: random networks of every kind, and the peer's network on real samples. */
#include "probe_test.h"

enum { MOST_SAMPLES = 40, MOST_LAYERS = 4, MOST_STEPS = 9, SETUPS = 700, SETS = 16 };

static size_t compared, refused,
    differing; /* flip sets; of them errors; of them with other outputs than the base */

/* ---- random networks ---- */

/* Thresholds, decays and (below) scales that are powers of two meet the threshold exactly now and then. */
static snn_net *random_net(snn_random *r, bool fixed) {
    static const char *const type[] = {"lif", "if", "li"};
    const int layers = 1 + (int)snn_random_below(r, MOST_LAYERS);
    char text[2048] = "";
    for (int l = 0; l < layers; l++) {
        const bool last = l + 1 == layers;
        const uint32_t kind = snn_random_below(r, last ? 3 : 2),
                       outputs = 1 + snn_random_below(r, snn_random_below(r, 3) ? 12 : 70);
        const double decay = kind == 1 ? 1 : snn_random_below(r, 2) ? 0.5 : 0.3;
        const double threshold = fixed && snn_random_below(r, 2) ? 0.5 : 0.25 + snn_random_uniform(r);
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "%s{name=\"l%d\"; type=\"linear\"; outputs=%u; bias=%s; neuron={type=\"%s\"; decay=%g; "
                 "threshold=%.7g; reset=\"%s\"; at_threshold=%s; gain=%g;};}",
                 l ? ", " : "", l, outputs, snn_random_below(r, 3) ? "false" : "true", type[kind], decay,
                 threshold, snn_random_below(r, 2) ? "zero" : "subtract",
                 snn_random_below(r, 2) ? "true" : "false", snn_random_below(r, 2) ? 1.0 : 0.75);
    }
    const snn_shape input = {1 + snn_random_below(r, 2), 1 + snn_random_below(r, 6),
                             1 + snn_random_below(r, 9)};
    snn_net *net = probe_net(text, input);
    for (int l = 0; l < net->layers; l++)
        for (uint32_t o = 0; net->layer[l].bias && o < net->layer[l].out.channels; o++)
            net->layer[l].bias[o] = (float)(snn_random_uniform(r) - 0.4) * 0.3f;
    return net;
}

static void snap_scales(snn_weights *w) {
    for (int t = 0; t < w->tensors; t++)
        for (uint32_t s = 0; s < w->tensor[t].scales; s++)
            w->tensor[t].scale[s] = ldexpf(1, (int)lrintf(log2f(w->tensor[t].scale[s])));
}

typedef struct {
    snn_net *net;
    snn_weights *weights;
    snn_spikes x[MOST_SAMPLES];
    size_t n;
    snn_delta *delta;
} setup;

static setup random_setup(snn_random *r, snn_arithmetic a) {
    setup u = {.net = random_net(r, a == SNN_ARITHMETIC_FIXED)};
    const int bits =
        snn_random_below(r, 8) ? 1 + (int)snn_random_below(r, 8) : 9 + (int)snn_random_below(r, 8);
    u.weights = probe_weights(u.net, bits, (snn_encoding)snn_random_below(r, 3), snn_random_below(r, 2),
                              0.3 + 2 * snn_random_uniform(r), r);
    if (snn_random_below(r, 2))
        snap_scales(u.weights);
    u.n = 1 + snn_random_below(r, snn_random_below(r, 4) ? 17 : MOST_SAMPLES);
    const int most = 1 + (int)snn_random_below(r, MOST_STEPS);
    const bool mixed = snn_random_below(r, 2);
    static const uint32_t counts[] = {1, 3, 127, 128, 300, 40000};
    const uint32_t count = counts[snn_random_below(r, 6)];
    for (size_t i = 0; i < u.n; i++)
        probe_sample(&u.x[i], snn_shape_size(u.net->input),
                     mixed ? 1 + (int)snn_random_below(r, (uint32_t)most) : most, 0.5 * snn_random_uniform(r),
                     count, r);
    uint64_t all = 0;
    for (int t = 0; t < u.weights->tensors; t++)
        all += u.weights->tensor[t].count;
    u.delta = malloc((size_t)all * sizeof *u.delta);
    assert_non_null(u.delta);
    return u;
}

static void drop_setup(setup *u) {
    for (size_t i = 0; i < u->n; i++)
        snn_spikes_free(&u->x[i]);
    snn_net_free(u->net);
    snn_weights_free(u->weights);
    free(u->delta);
}

static bool same_out(const probe_side *p, const double *out) {
    return memcmp(p->r.out, out, p->r.samples * p->r.classes * sizeof *out) == 0;
}

/* Sets from single weights to half of all, in one layer or several; now and then one becomes the base. */
static void compare_sets(setup *u, probe_side *a, probe_side *b, snn_random *r) {
    static const double share[] = {0.003, 0.02, 0.1, 0.5};
    snn_error err = {0};
    double *base = calloc(a->r.samples * a->r.classes, sizeof *base);
    if (probe_agree(a, b, NULL, 0))
        memcpy(base, a->r.out, a->r.samples * a->r.classes * sizeof *base);
    for (int i = 0; i < SETS; i++) {
        const uint32_t all = (1u << u->weights->tensors) - 1;
        const uint32_t tensors = snn_random_below(r, 3)
                                     ? 1u << snn_random_below(r, (uint32_t)u->weights->tensors)
                                     : 1 + snn_random_below(r, all);
        const size_t n = probe_deltas(u->weights, tensors, share[snn_random_below(r, 4)], u->delta, r);
        const bool ok = probe_agree(a, b, u->delta, n);
        compared++;
        refused += !ok;
        differing += ok && !same_out(a, base);
        if (snn_random_below(r, 4))
            continue;
        if (!snn_probe_rebase(a->probe, u->delta, n, &err) || !snn_probe_rebase(b->probe, u->delta, n, &err))
            fail_msg("%s", err.text);
        for (size_t k = 0; k < n; k++)
            snn_tensor_add(&u->weights->tensor[u->delta[k].tensor], u->delta[k].index, u->delta[k].dq);
        if (probe_agree(a, b, NULL, 0))
            memcpy(base, a->r.out, a->r.samples * a->r.classes * sizeof *base);
    }
    free(base);
}

static void test_random_networks(void **state) {
    (void)state;
    compared = refused = differing = 0;
    for (uint64_t k = 0; k < SETUPS; k++) {
        snn_random r;
        snn_random_init(&r, 11, SNN_PURPOSE_TEST, k);
        const snn_arithmetic a = k % 2 ? SNN_ARITHMETIC_FIXED : SNN_ARITHMETIC_FLOAT;
        const snn_simd level = (snn_simd)(k / 2 % ((uint64_t)snn_simd_best() + 1));
        setup u = random_setup(&r, a);
        probe_side lanes = probe_open(u.net, u.weights, (snn_probe_options){.arithmetic = a, .simd = level},
                                      u.x, u.n),
                   twin = probe_open(
                       u.net, u.weights,
                       (snn_probe_options){.arithmetic = a, .simd = snn_simd_best(), .twin = true}, u.x, u.n);
        assert_string_equal(snn_probe_kind(lanes.probe), "lanes");
        assert_string_equal(snn_probe_kind(twin.probe), "twin");
        compare_sets(&u, &lanes, &twin, &r);
        probe_close(&lanes);
        probe_close(&twin);
        drop_setup(&u);
    }
    print_message("%zu flip sets: %zu refused, %zu change outputs\n", compared, refused, differing);
    assert_true(compared >= 10000);
    assert_true(differing > compared / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
