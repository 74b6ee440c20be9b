/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training kernels: known answers for the plain ones, and the same bits from every instruction set. */
#include "train_test.h"

#include <math.h>

#define N 77 /* not a multiple of any register */

static void fill(float *x, size_t n, uint64_t index, double zero_share) {
    snn_random r;
    snn_random_init(&r, 11, SNN_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++) {
        double u = snn_random_uniform(&r), v = 2 * snn_random_uniform(&r) - 1;
        x[i] = u < zero_share ? 0.0f : (float)v;
    }
}

#define FOR_EACH_SET(k)                                                                                      \
    for (int level_ = 0; level_ <= (int)snn_simd_best(); level_++)                                           \
        for (const train_kernels *k = snn_train_kernels_for((snn_simd)level_); k != NULL; k = NULL)

static void sets_have_names(void **state) {
    (void)state;
    for (int level = 0; level <= (int)snn_simd_best(); level++)
        assert_string_equal(snn_train_kernels_for((snn_simd)level)->name, snn_simd_name((snn_simd)level));
}

static void compress_keeps_the_nonzero(void **state) {
    (void)state;
    float x[N], value[2 * N];
    uint32_t col[2 * N];
    FOR_EACH_SET(k) {
        for (int share = 0; share <= 4; share++) {
            fill(x, N, (uint64_t)share, share / 4.0);
            size_t expected = 0, n = k->compress(N, x, 100, col, value);
            for (uint32_t i = 0; i < N; i++)
                if (x[i] != 0) {
                    assert_int_equal(col[expected], 100 + i);
                    assert_true(value[expected++] == x[i]);
                }
            assert_int_equal(n, expected);
        }
        float nan[16] = {0, NAN};
        assert_int_equal(k->compress(16, nan, 0, col, value), 1); /* what is not a number is not lost */
    }
}

static void any_sees_every_lane(void **state) {
    (void)state;
    float x[64] = {0};
    FOR_EACH_SET(k) {
        assert_false(k->any(64, x));
        for (int i = 0; i < 64; i++) {
            x[i] = -1e-30f;
            assert_true(k->any(64, x));
            x[i] = 0;
        }
    }
}

static void maximum_and_route_take_the_first(void **state) {
    (void)state;
    FOR_EACH_SET(k) {
        float best[3] = {1, 1, 1}, x[3] = {1, 2, 0}, dy[3] = {10, 20, 30}, dx[3] = {1, 1, 1};
        uint32_t arg[3] = {0, 0, 0};
        k->maximum(3, x, best, arg, 5);
        assert_true(best[0] == 1 && best[1] == 2 && best[2] == 1);
        assert_true(arg[0] == 0 && arg[1] == 5 && arg[2] == 0);
        k->route(3, dy, arg, 5, dx);
        assert_true(dx[0] == 1 && dx[1] == 21 && dx[2] == 1);
        k->add(3, dy, dx);
        assert_true(dx[0] == 11 && dx[1] == 41 && dx[2] == 31);
    }
}

/* Against snn_weights_quantise's rule, written down again. */
static void rounding(void **state) {
    (void)state;
    float x[] = {0.5f, 1.5f, 2.5f, -0.5f, -2.5f, 2.4f, 100, -100, 0, 7.49f};
    float nearest[] = {0, 2, 2, 0, -2, 2, 7, -7, 0, 7}, truncated[] = {0, 1, 2, 0, -2, 2, 7, -7, 0, 7};
    FOR_EACH_SET(k) {
        float scale[10], y[10], in[10];
        for (int i = 0; i < 10; i++) {
            scale[i] = i % 2 ? 0.25f : 2;
            in[i] = x[i] * scale[i];
        }
        k->round_to(10, in, scale, 7, false, y);
        for (int i = 0; i < 10; i++)
            assert_true(y[i] == nearest[i] * scale[i]);
        k->round_to(10, in, scale, 7, true, y);
        for (int i = 0; i < 10; i++)
            assert_true(y[i] == truncated[i] * scale[i]);
    }
}

/* Two updates by hand, in double. */
static void adam_known_answer(void **state) {
    (void)state;
    FOR_EACH_SET(k) {
        float w[17], m[17] = {0}, v[17] = {0}, g[17];
        double wd = 0.5, md = 0, vd = 0, rate = 0.01;
        for (int i = 0; i < 17; i++)
            w[i] = 0.5f;
        for (int t = 1; t <= 2; t++) {
            double gd = t == 1 ? 0.2 : -0.6;
            for (int i = 0; i < 17; i++)
                g[i] = (float)(2 * gd);
            train_adam_step a = {.beta1 = 0.9f,
                                 .rest1 = 0.1f,
                                 .beta2 = 0.999f,
                                 .rest2 = 0.001f,
                                 .step = (float)(rate / (1 - pow(0.9, t))),
                                 .root = (float)(1 / sqrt(1 - pow(0.999, t))),
                                 .epsilon = 1e-8f,
                                 .keep = (float)(1 - rate * 0.1),
                                 .scale = 0.5f};
            assert_true(k->adam(&a, 17, w, m, v, g));
            md = 0.9 * md + 0.1 * gd;
            vd = 0.999 * vd + 0.001 * gd * gd;
            wd = wd * (1 - rate * 0.1) -
                 rate * (md / (1 - pow(0.9, t))) / (sqrt(vd / (1 - pow(0.999, t))) + 1e-8);
        }
        for (int i = 0; i < 17; i++)
            assert_true(fabs((double)w[i] - wd) < 1e-6 && fabs((double)m[i] - md) < 1e-6);
        train_adam_step a = {.beta1 = 0.9f,
                             .rest1 = 0.1f,
                             .beta2 = 0.999f,
                             .rest2 = 0.001f,
                             .step = 1,
                             .root = 1,
                             .epsilon = 1e-8f,
                             .keep = 1,
                             .scale = 1};
        g[16] = INFINITY;
        assert_false(k->adam(&a, 17, w, m, v, g));
        g[16] = 0;
        w[3] = NAN;
        assert_false(k->adam(&a, 17, w, m, v, g));
    }
}

/* Neurons of every kind: one step forward and backward, each set against the plain one, which the gradient tests check. */
static void neurons_agree(void **state) {
    (void)state;
    float before[N], in[N], ds[N], next[N];
    fill(before, N, 20, 0.1);
    fill(in, N, 21, 0.1);
    fill(ds, N, 22, 0.1);
    fill(next, N, 23, 0.1);
    for (int kind = 0; kind < 3; kind++)
        for (int reset = 0; reset < 2; reset++)
            for (int type = 0; type < 2; type++) {
                train_neuron n = {.type = type ? SNN_NEURON_LI : SNN_NEURON_LIF,
                                  .reset = (snn_reset)reset,
                                  .decay = 0.3f,
                                  .threshold = 0.3f,
                                  .above = 0.3f,
                                  .surrogate = (snn_surrogate)kind,
                                  .width = 0.5f,
                                  .factor = 0.25f,
                                  .gain = 1.5f};
                float v0[N], s0[N], c0[N], v[N], s[N], c[N];
                FOR_EACH_SET(k) {
                    memcpy(v, in, sizeof v);
                    memcpy(c, next, sizeof c);
                    k->neuron_forward(&n, N, before, v, s);
                    k->neuron_backward(&n, N, ds, c, v);
                    if (k == &snn_train_kernels_plain) {
                        memcpy(v0, v, sizeof v);
                        memcpy(s0, s, sizeof s);
                        memcpy(c0, c, sizeof c);
                    }
                    assert_memory_equal(v, v0, sizeof v);
                    assert_memory_equal(s, s0, sizeof s);
                    assert_memory_equal(c, c0, sizeof c);
                }
            }
}

/* Spike at the threshold or above it, and edges of the rectangle. */
static void boundaries(void **state) {
    (void)state;
    FOR_EACH_SET(k) {
        train_neuron n = {.type = SNN_NEURON_LIF,
                          .decay = 0.5f,
                          .threshold = 0.5f,
                          .above = 0.5f,
                          .width = 0.5f,
                          .factor = 1,
                          .gain = 1};
        float v[5] = {0.5f, 0.50001f, 0.25f, 0.75f, 0.74f}, s[5], ds[5] = {1, 1, 1, 1, 1}, c[5] = {0};
        k->neuron_forward(&n, 5, NULL, v, s);
        assert_true(s[0] == 0 && s[1] == 1 && s[2] == 0 && s[3] == 1);
        k->neuron_backward(&n, 5, ds, c, v);
        assert_true(v[0] == 2 && v[1] == 2 && v[2] == 0 && v[3] == 0 && v[4] == 2);
        n.above = nextafterf(0.5f, -1); /* spike at the threshold too */
        float at[2] = {0.5f, 0.49999f}, before[2] = {0.5f, 0.49999f};
        k->neuron_forward(&n, 2, before, at, s);
        assert_true(s[0] == 1 && s[1] == 1);
        assert_true(at[0] == 0.5f && at[1] == 0.49999f * 0.5f + 0.49999f); /* the first was reset */
    }
}

static void run_net(const char *layers, const char *train, snn_shape input, double share) {
    char text[2048];
    snn_error err = {0};
    snprintf(text, sizeof text, "dataset = { bins = 3; }; network = { layers = ( %s ); }; train = { %s };",
             layers, train);
    snn_config *c = test_config(text);
    snn_net *net = test_net(c, input);
    snn_train_options o = test_options(c);
    snn_weights *w = test_weights(net, 0.5, 3), *g = snn_weights_new(net, &err),
                *plain = snn_weights_new(net, &err);
    snn_spikes *x = test_inputs(net, 3, 5, share, 4);
    int label[5] = {0, 1, 2, 0, 1};
    double loss, first = 0;
    FOR_EACH_SET(k) {
        for (o.threads = 1; o.threads <= 3; o.threads++) {
            bool reference = k == &snn_train_kernels_plain && o.threads == 1;
            if (!snn_train_gradient_with(net, w, &o, k, x, label, 5, &loss, reference ? plain : g, NULL,
                                         &err))
                fail_msg("%s", err.text);
            if (reference)
                first = loss;
            assert_true(loss == first);
            assert_true(reference || test_same_weights(g, plain));
        }
    }
    test_inputs_free(x, 5);
    snn_weights_free(w);
    snn_weights_free(g);
    snn_weights_free(plain);
    snn_net_free(net);
    snn_config_free(c);
}

/* Whole passes: each set and each number of threads gives the same bits, for all widths of panels. */
static void passes_agree(void **state) {
    (void)state;
    for (int n = 3; n < 100; n += 16) {
        char text[256];
        snprintf(text, sizeof text,
                 "{ name = \"a\"; type = \"linear\"; outputs = %d; }, { name = \"b\"; type = \"linear\"; "
                 "outputs = 3; }",
                 n);
        run_net(text, "", (snn_shape){2, 4, 4}, 0.3);
        snprintf(text, sizeof text,
                 "{ name = \"a\"; type = \"conv2d\"; channels = %d; kernel = 3; padding = 1; },"
                 "{ name = \"p\"; type = \"pool_max\"; kernel = 2; },"
                 "{ name = \"b\"; type = \"conv2d\"; channels = %d; kernel = 2; },"
                 "{ name = \"c\"; type = \"linear\"; outputs = 3; }",
                 n, 102 - n);
        run_net(text, "", (snn_shape){2, 6, 5}, 0.3);
    }
}

/* The same for neurons with more state: every reset and surrogate, recurrent, on a plane of pixels too. */
static void passes_with_more_state_agree(void **state) {
    (void)state;
    const char *surrogate[] = {"rectangle", "triangle", "arctan"};
    for (int n = 3, k = 0; n < 100; n += 16, k++) {
        char text[1024], train[64];
        const char *reset = k % 2 ? "subtract" : "zero";
        snprintf(train, sizeof train, "surrogate = \"%s\";", surrogate[k % 3]);
        snprintf(text, sizeof text,
                 "{ name = \"a\"; type = \"linear\"; outputs = %d; recurrent = true; bias = true; neuron = { "
                 "type = "
                 "\"cuba_lif\"; decay = 0.7; reset = \"%s\"; }; },"
                 "{ name = \"b\"; type = \"linear\"; outputs = %d; recurrent = true; bias = true; neuron = { "
                 "type = "
                 "\"alif\"; threshold = 0.1; decay = 0.7; }; },"
                 "{ name = \"c\"; type = \"linear\"; outputs = 3; recurrent = true; neuron = { reset = "
                 "\"%s\"; }; }",
                 n, reset, 102 - n, reset);
        run_net(text, train, (snn_shape){2, 4, 4}, 0.3);
        snprintf(text, sizeof text,
                 "{ name = \"a\"; type = \"conv2d\"; channels = %d; kernel = 3; neuron = { type = "
                 "\"cuba_lif\"; reset = "
                 "\"%s\"; }; }, { name = \"b\"; type = \"conv2d\"; channels = 5; kernel = 2; bias = true; "
                 "neuron = { "
                 "type = \"alif\"; threshold = 0.1; }; }, { name = \"c\"; type = \"linear\"; outputs = 3; }",
                 n, reset);
        run_net(text, train, (snn_shape){2, 6, 5}, 0.3);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_with_more_state_agree),
        cmocka_unit_test(sets_have_names),
        cmocka_unit_test(compress_keeps_the_nonzero),
        cmocka_unit_test(any_sees_every_lane),
        cmocka_unit_test(maximum_and_route_take_the_first),
        cmocka_unit_test(rounding),
        cmocka_unit_test(adam_known_answer),
        cmocka_unit_test(neurons_agree),
        cmocka_unit_test(boundaries),
        cmocka_unit_test(passes_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
