/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine against PyTorch: spikes of all layers, membranes and output counts of the SNNGX gesture network, bit for bit, at every SIMD level of this
 * CPU, with dense kernels always, never and by choice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "golden_gesture.h"

enum { LAYERS = 10, SPIKING = 6 };
static const int spiking_layer[SPIKING] = {0, 2, 4, 6, 8, 9}; /* conv1..conv4, fc1, fc2 */
static const uint32_t neurons[SPIKING] = {65536, 32768, 8192, 4096, 1024, 11};

typedef struct {
    snn_net *net;
    snn_weights *weights[2]; /* two encodings of the same values */
    snn_spikes input[GOLDEN_SAMPLES];
    uint32_t *layer_counts; /* [15][16][6] */
    uint8_t *packed[5];     /* [15][neurons / 8] of sample 0 */
    float *fc1_volt;        /* [15][1024] of sample 0 */
    float *out_volt;        /* [15][16][11] */
    uint8_t *out_spikes, *out_counts;
} golden;

static const char *folder(void) {
    static char path[512];
    const char *data = getenv("SNNSIM_DATA");
    snprintf(path, sizeof path, "%s/models/snngx_pytorch_gesture", data && *data ? data : "../shared/data");
    return path;
}

static void *load(const char *name, uint64_t count) {
    char path[640];
    snn_npy h;
    snn_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    if (!snn_npy_open(path, &h, &err) || h.count != count)
        fail_msg("%s: %s", path, err.text);
    void *data = malloc((size_t)h.count * snn_npy_item_size(h.type));
    assert_non_null(data);
    if (!snn_npy_read(path, &h, 0, h.count, data, &err))
        fail_msg("%s", err.text);
    return data;
}

static int setup(void **state) {
    char path[640];
    snprintf(path, sizeof path, "%s/gesture_out_counts_u8.npy", folder());
    FILE *f = fopen(path, "rb");
    *state = NULL;
    if (!f)
        return 0;
    fclose(f);
    snn_error err = {0};
    golden *g = calloc(1, sizeof *g);
    g->net = golden_net(&err);
    assert_non_null(g->net);
    g->weights[0] = golden_weights(g->net, SNN_SIGN_MAGNITUDE, &err);
    g->weights[1] = golden_weights(g->net, SNN_TWOS_COMPLEMENT, &err);
    assert_true(g->weights[0] && g->weights[1]);
    for (int s = 0; s < GOLDEN_SAMPLES; s++)
        assert_true(golden_input(s, &g->input[s], &err));
    static const char *const packed_name[5] = {"conv0", "conv1", "conv2", "conv3", "fc1"};
    for (int l = 0; l < 5; l++) {
        char name[64];
        snprintf(name, sizeof name, "gesture_%s_spikes_packed_s0_u8.npy", packed_name[l]);
        g->packed[l] = load(name, 15 * neurons[l] / 8);
    }
    g->layer_counts = load("gesture_layer_spike_counts_u32.npy", 15 * 16 * 6);
    g->fc1_volt = load("gesture_fc1_volt_s0_f32.npy", 15 * 1024);
    g->out_volt = load("gesture_out_volt_f32.npy", 15 * 16 * 11);
    g->out_spikes = load("gesture_out_spikes_u8.npy", 15 * 16 * 11);
    g->out_counts = load("gesture_out_counts_u8.npy", 16 * 11);
    *state = g;
    return 0;
}

static int teardown(void **state) {
    golden *g = *state;
    if (!g)
        return 0;
    for (int l = 0; l < 5; l++)
        free(g->packed[l]);
    for (int s = 0; s < GOLDEN_SAMPLES; s++)
        snn_spikes_free(&g->input[s]);
    free(g->layer_counts);
    free(g->fc1_volt);
    free(g->out_volt);
    free(g->out_spikes);
    free(g->out_counts);
    snn_weights_free(g->weights[0]);
    snn_weights_free(g->weights[1]);
    snn_net_free(g->net);
    free(g);
    return 0;
}

static golden *need(void **state) {
    if (!*state) {
        print_message("skipped (no data)\n");
        skip();
    }
    return *state;
}

/* The generator itself, against the published weights and input. */
static void test_generator(void **state) {
    golden *g = need(state);
    static const struct {
        const char *file;
        int tensor;
    } check[3] = {
        {"gesture_conv0_w_int8.npy", 0}, {"gesture_conv1_w_int8.npy", 1}, {"gesture_fc2_w_int8.npy", 5}};
    for (int i = 0; i < 3; i++) {
        const snn_tensor *t = &g->weights[0]->tensor[check[i].tensor];
        int8_t *w = load(check[i].file, t->count);
        for (uint64_t k = 0; k < t->count; k++)
            assert_int_equal(w[k], snn_weight_q(t, k));
        free(w);
    }
    uint8_t *x = load("gesture_input_u8.npy", 15 * 16 * 2048);
    for (int s = 0; s < GOLDEN_SAMPLES; s++)
        for (int t = 0; t < 15; t++) {
            uint64_t expected = 0, sum = 0;
            for (int i = 0; i < 2048; i++)
                expected += x[(t * 16 + s) * 2048 + i];
            for (size_t i = g->input[s].first[t]; i < g->input[s].first[t + 1]; i++) {
                sum += g->input[s].spike[i].count;
                assert_int_equal(g->input[s].spike[i].count,
                                 x[(t * 16 + s) * 2048 + g->input[s].spike[i].index]);
            }
            assert_int_equal(sum, expected);
        }
    free(x);
}

typedef struct {
    const golden *g;
    int sample;
    int steps_seen;
} trace_context;

static bool check_step(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                       snn_error *err) {
    (void)err;
    trace_context *c = context;
    int l = 0;
    while (spiking_layer[l] != layer)
        l++;
    uint32_t total = 0;
    for (uint32_t i = 0; i < neurons[l]; i++)
        total += spikes[i];
    assert_int_equal(total, c->g->layer_counts[(step * 16 + c->sample) * 6 + l]);
    if (l < 5 && c->sample == 0)
        for (uint32_t i = 0; i < neurons[l]; i++)
            assert_int_equal(spikes[i],
                             c->g->packed[l][(uint32_t)step * neurons[l] / 8 + i / 8] >> (7 - i % 8) & 1);
    if (l == 4 && c->sample == 0)
        assert_memory_equal(membrane, c->g->fc1_volt + step * 1024, 1024 * sizeof(float));
    if (l == 5)
        assert_memory_equal(membrane, c->g->out_volt + (step * 16 + c->sample) * 11, 11 * sizeof(float));
    c->steps_seen++;
    return true;
}

static void run_all(golden *g, snn_simd simd, int force_dense, int encoding, int samples) {
    snn_error err = {0};
    const snn_engine_options o = {
        .simd = simd, .density = (snn_density)force_dense, .count_operations = force_dense == 0};
    snn_engine *e = snn_engine_new(g->net, g->weights[encoding], &o, &err);
    if (!e)
        fail_msg("%s", err.text);
    snn_workspace *w = snn_workspace_new(e, &err);
    snn_result r;
    assert_true(w && snn_result_init(&r, g->net, 15, &err));
    bool traced[LAYERS] = {false};
    for (int l = 0; l < SPIKING; l++)
        traced[spiking_layer[l]] = true;
    for (int s = 0; s < samples; s++) {
        trace_context c = {g, s, 0};
        const snn_trace trace = {&c, traced, check_step};
        assert_true(snn_engine_run(e, &g->input[s], (uint64_t)s, w, &trace, &r, &err));
        assert_int_equal(c.steps_seen, 15 * SPIKING);
        for (int k = 0; k < 11; k++) {
            assert_int_equal((int)r.out[k], g->out_counts[s * 11 + k]);
            for (int t = 0; t < 15; t++)
                assert_int_equal(r.out_spikes[t * 11 + k], g->out_spikes[(t * 16 + s) * 11 + k]);
        }
    }
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
}

static void test_plain(void **state) {
    golden *g = need(state);
    run_all(g, SNN_SIMD_PLAIN, 0, 0, 4);
    run_all(g, SNN_SIMD_PLAIN, 1, 1, 1);
}

static void test_level(void **state, snn_simd level) {
    golden *g = need(state);
    if (snn_simd_best() < level) {
        print_message("skipped (this CPU has no %s)\n", snn_simd_name(level));
        skip();
    }
    run_all(g, level, 0, 0, GOLDEN_SAMPLES);
    run_all(g, level, 1, 1, 4);
    run_all(g, level, 2, 0, 4);
}

static void test_avx2(void **state) {
    test_level(state, SNN_SIMD_AVX2);
}
static void test_avx512(void **state) {
    test_level(state, SNN_SIMD_AVX512);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_generator), cmocka_unit_test(test_plain),
                                       cmocka_unit_test(test_avx2), cmocka_unit_test(test_avx512)};
    return cmocka_run_group_tests_name("engine_golden", tests, setup, teardown);
}
