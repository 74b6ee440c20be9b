/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fitness probe's way for linear layers against its plain twin, which rewrites the weights and runs the engine: random networks of every kind, and the peer's network on real samples. */
#include "probe_test.h"

enum { MOST_SAMPLES = 40, MOST_LAYERS = 4, MOST_STEPS = 9, SETUPS = 1200, SETS = 16 };

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
    uint32_t searched; /* bits of tensors */
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
    u.searched = (1u << u.weights->tensors) - 1;
    if (snn_random_below(r, 3) == 0) /* only the last ones, or perhaps none */
        u.searched &= snn_random_u32(r);
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
        const uint32_t one = 1u << snn_random_below(r, (uint32_t)u->weights->tensors),
                       tensors = u->searched & (snn_random_below(r, 3) ? one : snn_random_u32(r));
        const size_t n = probe_deltas(u->weights, tensors, share[snn_random_below(r, 4)], u->delta, r);
        const bool ok = probe_agree(a, b, u->delta, n);
        compared += n > 0;
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
        bool searched[MOST_LAYERS];
        for (int t = 0; t < MOST_LAYERS; t++)
            searched[t] = u.searched >> t & 1;
        probe_side lanes = probe_open_searched(u.net, u.weights, searched,
                                               (snn_probe_options){.arithmetic = a, .simd = level}, u.x, u.n),
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

/* ---- the range of fixed arithmetic ---- */

typedef struct {
    snn_net *net;
    snn_weights *weights;
    snn_spikes x[2];
} range_work;

/* Sample 0 has `steps` steps, sample 1 two; each step has `count` at input 0. All weights 0 but those of input 0 of layer a, of 16 bits: q. */
static range_work make_range(const char *layers, uint32_t inputs, int steps, uint32_t count, int32_t q) {
    snn_error err = {0};
    snn_random r;
    snn_random_init(&r, 12, SNN_PURPOSE_TEST, 0);
    range_work k = {.net = probe_net(layers, (snn_shape){inputs, 1, 1})};
    k.weights = probe_weights(k.net, 16, SNN_TWOS_COMPLEMENT, false, 1, &r);
    for (int t = 0; t < k.weights->tensors; t++) {
        memset(k.weights->tensor[t].data, 0, 2 * k.weights->tensor[t].count);
        k.weights->tensor[t].scale[0] = 1;
    }
    for (uint64_t o = 0; o < k.weights->tensor[0].shape[0]; o++)
        snn_tensor_add(&k.weights->tensor[0], o * inputs, q);
    for (int i = 0; i < 2; i++) {
        assert_true(snn_spikes_reset(&k.x[i], inputs, i ? 2 : steps, &err));
        for (int t = 0; t < k.x[i].steps; t++)
            assert_true(snn_spikes_append(&k.x[i], t, &(snn_spike){0, count}, 1, &err));
    }
    return k;
}

static void drop_range(range_work *k) {
    snn_spikes_free(&k->x[0]);
    snn_spikes_free(&k->x[1]);
    snn_weights_free(k->weights);
    snn_net_free(k->net);
}

static void open_both(const range_work *k, const snn_spikes *x, size_t n, probe_side *a, probe_side *b) {
    *a = probe_open(k->net, k->weights,
                    (snn_probe_options){.arithmetic = SNN_ARITHMETIC_FIXED, .simd = snn_simd_best()}, x, n);
    *b = probe_open(k->net, k->weights, (snn_probe_options){.arithmetic = SNN_ARITHMETIC_FIXED, .twin = true},
                    x, n);
}

static void rebase_both(probe_side *a, probe_side *b, const snn_delta *delta, size_t n) {
    snn_error err = {0};
    assert_true(snn_probe_rebase(a->probe, delta, n, &err));
    assert_true(snn_probe_rebase(b->probe, delta, n, &err));
}

static void expect_refused(probe_side *a, probe_side *b, const snn_delta *delta, size_t n, const char *text) {
    snn_error err = {0};
    assert_false(probe_agree(a, b, delta, n));
    assert_false(snn_probe_eval(a->probe, delta, n, a->w, &a->r, &err));
    assert_string_equal(err.text, text);
}

static const char slow[] =
    "{name=\"a\"; type=\"linear\"; outputs=3; neuron={type=\"if\"; decay=1.0; threshold=1e9;};}, "
    "{name=\"b\"; type=\"linear\"; outputs=2;}";
static const char too_far[] = "step 3: a membrane of layer number 1 leaves the range of fixed arithmetic";

/* 2^30 are 64 x 32767 x 512 (plus 2^15): four steps of 128 x 32767 stay 32768 below, those of 128 x -32768 reach it exactly, of 129 x -32768 exceed it. */
static void membranes_in_range(void **state) {
    (void)state;
    range_work k = make_range(slow, 2, 4, 128, 0);
    probe_side a, b;
    const snn_delta up = {0, 32767, 2}, down = {0, -32768, 2};
    open_both(&k, k.x, 2, &a, &b);
    assert_true(probe_agree(&a, &b, &up, 1));
    assert_true(probe_agree(&a, &b, &down, 1));
    probe_close(&a);
    probe_close(&b);
    for (int i = 0; i < 2; i++)
        for (size_t e = 0; e < k.x[i].first[k.x[i].steps]; e++)
            k.x[i].spike[e].count = 129;
    open_both(&k, k.x, 2, &a, &b);
    expect_refused(&a, &b, &up, 1, too_far);
    expect_refused(&a, &b, &down, 1, too_far);
    probe_close(&a);
    probe_close(&b);
    open_both(&k, &k.x[1], 1, &a, &b); /* the short sample alone stays inside */
    assert_true(probe_agree(&a, &b, &up, 1));
    probe_close(&a);
    probe_close(&b);
    drop_range(&k);
}

/* A sample that has ended cannot leave the range any more, however its neighbour's steps go on. */
static void ended_samples_are_silent(void **state) {
    (void)state;
    static const char biased[] = "{name=\"a\"; type=\"linear\"; outputs=2; bias=true; neuron={type=\"if\"; "
                                 "decay=1.0; threshold=1e9;};}, "
                                 "{name=\"b\"; type=\"linear\"; outputs=2;}";
    range_work k = make_range(biased, 2, 9, 128, 0);
    probe_side a, b;
    snn_error err = {0};
    k.net->layer[0].bias[1] = 1 << 21; /* 2^27 a step: 2^30 after 8 steps */
    assert_true(snn_spikes_reset(&k.x[0], 2, 9, &err));
    for (int t = 0; t < 9; t++) /* balances the bias from the second step on */
        assert_true(snn_spikes_append(&k.x[0], t, &(snn_spike){1, t ? 64 : 1}, 1, &err));
    const snn_delta against[] = {{0, -32768, 3}}, with[] = {{0, 32767, 2}, {0, -32768, 3}};
    open_both(&k, k.x, 2, &a, &b);
    expect_refused(&a, &b, NULL, 0,
                   "step 8: a membrane of layer number 1 leaves the range of fixed arithmetic");
    assert_true(probe_agree(&a, &b, against, 1));
    assert_true(probe_agree(&a, &b, with, 2));
    rebase_both(&a, &b, with, 2);
    assert_true(probe_agree(&a, &b, NULL, 0));
    probe_close(&a);
    probe_close(&b);
    drop_range(&k);
}

/* Neurons of the base that leave the range: refused until a change takes them back, also after rebases. */
static void base_out_of_range(void **state) {
    (void)state;
    range_work k = make_range(slow, 2, 4, 129, 0);
    probe_side a, b;
    const snn_delta up[] = {{0, 32767, 0}, {0, 32767, 2}}, one = {0, -32767, 0}, rest = {0, -20000, 2},
                    both[] = {{0, -1000, 0}, {0, -20000, 2}}, other = {1, 5, 0};
    open_both(&k, k.x, 2, &a, &b);
    rebase_both(&a, &b, up, 2);
    expect_refused(&a, &b, NULL, 0, too_far);
    expect_refused(&a, &b, &one, 1, too_far);
    expect_refused(&a, &b, &other, 1, too_far);
    assert_true(probe_agree(&a, &b, both, 2));
    rebase_both(&a, &b, &one, 1);
    expect_refused(&a, &b, NULL, 0, too_far);
    assert_true(probe_agree(&a, &b, &rest, 1));
    rebase_both(&a, &b, &rest, 1);
    assert_true(probe_agree(&a, &b, NULL, 0));
    assert_true(probe_agree(&a, &b, &other, 1));
    probe_close(&a);
    probe_close(&b);
    drop_range(&k);
}

/* Sums beyond 2^23: by counts at the input, by the fan-in of a later layer. 256 x 32768 are 2^23. */
static void sums_in_range(void **state) {
    (void)state;
    static const char wide[] =
        "{name=\"a\"; type=\"linear\"; outputs=260;}, {name=\"b\"; type=\"linear\"; outputs=2;}";
    range_work k = make_range(wide, 2, 2, 257, 0);
    probe_side a, b;
    snn_delta d[260];
    /* 257 x 32640 are just below 2^23; a small weight more makes the heaviest output too heavy, but not the heaviest weight. */
    const snn_delta in[] = {{0, -32640, 0}, {0, 1, 1}}, heavy = {0, -32641, 0};
    open_both(&k, k.x, 2, &a, &b);
    assert_true(probe_agree(&a, &b, in, 1));
    assert_true(probe_agree(&a, &b, in, 2));
    expect_refused(&a, &b, &heavy, 1,
                   "257 events in one time step could drive the sums of the first layer beyond 8388608");
    for (uint32_t i = 0; i < 260; i++)
        d[i] = (snn_delta){1, -32768, 260 + i};
    assert_true(probe_agree(&a, &b, d, 256));
    expect_refused(&a, &b, d, 257, "layer b: synaptic sums could exceed 8388608");
    rebase_both(&a, &b, d, 256);
    const snn_delta more = {1, 1, 516}, less[] = {{1, 1, 260}, {1, 1, 516}}, other = {1, 9, 3};
    expect_refused(&a, &b, &more, 1, "layer b: synaptic sums could exceed 8388608");
    assert_true(probe_agree(&a, &b, less, 2));
    rebase_both(&a, &b, &more, 1);
    expect_refused(&a, &b, NULL, 0, "layer b: synaptic sums could exceed 8388608");
    expect_refused(&a, &b, &other, 1, "layer b: synaptic sums could exceed 8388608");
    assert_true(probe_agree(&a, &b, less, 1));
    rebase_both(&a, &b, less, 1);
    assert_true(probe_agree(&a, &b, &other, 1));
    probe_close(&a);
    probe_close(&b);
    drop_range(&k);
}

/* ---- many samples, odd samples ---- */

static void many_and_odd_samples(void **state) {
    (void)state;
    enum { MANY = 100 };
    snn_random r;
    snn_random_init(&r, 13, SNN_PURPOSE_TEST, 0);
    snn_net *net =
        probe_net("{name=\"a\"; type=\"linear\"; outputs=9; bias=true;}, {name=\"b\"; type=\"linear\"; "
                  "outputs=4; bias=true;}",
                  (snn_shape){12, 1, 1});
    for (uint32_t o = 0; o < 9; o++)
        net->layer[0].bias[o] = 0.02f * (float)o;
    snn_weights *w = probe_weights(net, 8, SNN_SIGN_MAGNITUDE, false, 1, &r);
    snn_spikes x[MANY] = {0};
    snn_delta delta[9 * 16];
    for (int i = 0; i < MANY;
         i++) /* no steps at all, silent ones, steps until beyond a multiple of 64 lanes */
        probe_sample(&x[i], 12, i % 7, i % 3 ? 0.4 : 0, 3, &r);
    static const size_t first[] = {0, 0, 7, 21, 98, 0}, n[] = {MANY, 1, 1, 17, 2, 16};
    for (size_t k = 0; k < sizeof n / sizeof *n; k++) {
        probe_side a = probe_open(net, w, (snn_probe_options){.simd = snn_simd_best()}, x + first[k], n[k]),
                   b = probe_open(net, w, (snn_probe_options){.twin = true}, x + first[k], n[k]);
        for (int i = 0; i < 20; i++)
            assert_true(probe_agree(&a, &b, delta, probe_deltas(w, 3, 0.05 * i, delta, &r)));
        probe_close(&a);
        probe_close(&b);
    }
    for (int i = 0; i < MANY; i++)
        snn_spikes_free(&x[i]);
    snn_weights_free(w);
    snn_net_free(net);
}

/* So many changes and samples that the twin does the work. */
static void large_sets_of_many_samples(void **state) {
    (void)state;
    enum { MANY = 1000, WEIGHTS = 2400 };
    static const double share[] = {0.001, 0.1, 0.5, 1};
    snn_random r;
    snn_random_init(&r, 16, SNN_PURPOSE_TEST, 0);
    snn_net *net = probe_net("{name=\"a\"; type=\"linear\"; outputs=40;}", (snn_shape){60, 1, 1});
    snn_weights *w = probe_weights(net, 6, SNN_OFFSET_BINARY, true, 1, &r);
    snn_spikes *x = calloc(MANY, sizeof *x);
    snn_delta delta[WEIGHTS];
    for (int i = 0; i < MANY; i++)
        probe_sample(&x[i], 60, 1, 0.1, 3, &r);
    probe_side a = probe_open(net, w, (snn_probe_options){.simd = snn_simd_best()}, x, MANY),
               b = probe_open(net, w, (snn_probe_options){.twin = true}, x, MANY);
    for (int i = 0; i < 4; i++) {
        const size_t n = probe_deltas(w, 1, share[i], delta, &r);
        assert_true(probe_agree(&a, &b, delta, n));
        rebase_both(&a, &b, delta, n);
        for (size_t k = 0; k < n; k++)
            snn_tensor_add(&w->tensor[0], delta[k].index, delta[k].dq);
        assert_true(probe_agree(&a, &b, NULL, 0));
    }
    probe_close(&a);
    probe_close(&b);
    for (int i = 0; i < MANY; i++)
        snn_spikes_free(&x[i]);
    free(x);
    snn_weights_free(w);
    snn_net_free(net);
}

/* ---- the peer's network ---- */

enum { REAL = 16, REAL_SETS = 96 };

static void digits(void **state) {
    (void)state;
    const char *data = getenv("SNNSIM_DATA") ? getenv("SNNSIM_DATA") : "../shared/data";
    char path[4096], set[4200];
    snn_error err = {0};
    snprintf(path, sizeof path, "%s/nmnist", data);
    snn_config *c = snn_config_load("nmnist.cfg", &err);
    assert_non_null(c);
    snprintf(set, sizeof set, "dataset.path=%s", path);
    assert_true(snn_config_set(c, set, &err));
    FILE *there = fopen(strcat(path, "/train1K.txt"), "r");
    if (!there) {
        print_message("skipped (no data)\n");
        snn_config_free(c);
        skip();
    }
    fclose(there);
    snn_model model;
    if (!snn_model_load(&model, "models/nmnist.h5", &err))
        fail_msg("%s", err.text);
    snn_dataset *d = snn_dataset_open(c, SNN_SPLIT_TRAIN, &err);
    if (!d)
        fail_msg("%s", err.text);
    snn_dataset_buffer buffer = {0};
    snn_spikes x[REAL] = {0};
    for (size_t i = 0; i < REAL; i++)
        assert_true(snn_dataset_frames(d, i * snn_dataset_count(d) / REAL, &buffer, &x[i], &err));
    static const double share[] = {2e-6, 2e-5, 2e-4, 0.01, 0.5};
    snn_delta *delta =
        malloc((model.weights->tensor[0].count + model.weights->tensor[1].count) * sizeof *delta);
    for (int fixed = 0; fixed < 2; fixed++) {
        snn_random r;
        snn_random_init(&r, 14, SNN_PURPOSE_TEST, (uint64_t)fixed);
        const snn_arithmetic a = fixed ? SNN_ARITHMETIC_FIXED : SNN_ARITHMETIC_FLOAT;
        probe_side lanes = probe_open(model.net, model.weights,
                                      (snn_probe_options){.arithmetic = a, .simd = snn_simd_best()}, x, REAL),
                   twin = probe_open(
                       model.net, model.weights,
                       (snn_probe_options){.arithmetic = a, .simd = snn_simd_best(), .twin = true}, x, REAL);
        for (int i = 0; i < REAL_SETS; i++)
            assert_true(probe_agree(
                &lanes, &twin, delta,
                probe_deltas(model.weights, 1 + (uint32_t)i % 3,
                             i % 3 == 1 && i % 5 < 3 ? 0.01 : share[i % 40 == 4 ? 4 : i % 4], delta, &r)));
        probe_close(&lanes);
        probe_close(&twin);
    }
    free(delta);
    for (size_t i = 0; i < REAL; i++)
        snn_spikes_free(&x[i]);
    snn_dataset_buffer_free(&buffer);
    snn_dataset_free(d);
    snn_model_free(&model);
    snn_config_free(c);
}

/* ---- threads ---- */

static void threads_agree(void **state) {
    (void)state;
    enum { SETS_EACH = 64 };
    snn_random r;
    snn_random_init(&r, 15, SNN_PURPOSE_TEST, 0);
    setup u = random_setup(&r, SNN_ARITHMETIC_FLOAT);
    probe_side a = probe_open(u.net, u.weights, (snn_probe_options){.simd = snn_simd_best()}, u.x, u.n);
    const size_t size = u.n * u.net->classes;
    double *out = calloc(SETS_EACH * size, sizeof *out);
    uint64_t all = 0;
    for (int t = 0; t < u.weights->tensors; t++)
        all += u.weights->tensor[t].count;
    snn_delta *delta[SETS_EACH];
    size_t n[SETS_EACH];
    for (int i = 0; i < SETS_EACH; i++) {
        delta[i] = malloc((size_t)all * sizeof **delta);
        n[i] = probe_deltas(u.weights, (1u << u.weights->tensors) - 1, 0.01 * i, delta[i], &r);
    }
    int failures = 0;
#pragma omp parallel num_threads(4) reduction(+ : failures)
    {
        snn_error err = {0};
        snn_probe_workspace *w = snn_probe_workspace_new(a.probe, &err);
        snn_probe_result p;
        snn_probe_result_init(&p, u.n, u.net->classes, &err);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < SETS_EACH; i++) {
            failures += !snn_probe_eval(a.probe, delta[i], n[i], w, &p, &err);
            memcpy(out + (size_t)i * size, p.out, size * sizeof *out);
        }
        snn_probe_result_free(&p);
        snn_probe_workspace_free(w);
    }
    assert_int_equal(failures, 0);
    snn_error err = {0};
    for (int i = SETS_EACH - 1; i >= 0; i--) {
        assert_true(snn_probe_eval(a.probe, delta[i], n[i], a.w, &a.r, &err));
        assert_memory_equal(a.r.out, out + (size_t)i * size, size * sizeof *out);
        free(delta[i]);
    }
    free(out);
    probe_close(&a);
    drop_setup(&u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_networks),
        cmocka_unit_test(membranes_in_range),
        cmocka_unit_test(ended_samples_are_silent),
        cmocka_unit_test(base_out_of_range),
        cmocka_unit_test(sums_in_range),
        cmocka_unit_test(many_and_odd_samples),
        cmocka_unit_test(large_sets_of_many_samples),
        cmocka_unit_test(digits),
        cmocka_unit_test(threads_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
