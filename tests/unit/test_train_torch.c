/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loss and gradients against vectors from PyTorch (tests/golden/make_train_vectors.py): every kind of layer and neuron, sparse and dense, each
 * instruction set.
 *
 * PyTorch computed in double, we compute in float. A sum of n float products is off by about sqrt(n) 6e-8 of its largest partial sums; here n reaches
 * 6 steps x 49 pixels x 5 samples, and errors pass through up to 4 layers: 2e-5 of the largest gradient of a tensor is a few times that. A wrong term
 * anywhere is off by orders of magnitude more.
 */
#include "train_test.h"

#include <math.h>
#include <snnsim/output.h>

#define FOLDER "tests/golden/train/"
#define TOLERANCE 2e-5

/* Whole .npy file; type and count are checked. */
static void *load(const char *net, const char *file, snn_npy_type type, snn_npy *header) {
    char path[256];
    snn_error err = {0};
    snprintf(path, sizeof path, FOLDER "%s/%s.npy", net, file);
    if (!snn_npy_open(path, header, &err))
        fail_msg("%s", err.text);
    assert_int_equal(header->type, type);
    void *data = malloc(header->count * snn_npy_item_size(type));
    if (!snn_npy_read(path, header, 0, header->count, data, &err))
        fail_msg("%s", err.text);
    return data;
}

static void load_floats(const char *net, const char *file, float *to, size_t n) {
    snn_npy header;
    float *data = load(net, file, SNN_NPY_F32, &header);
    assert_int_equal(header.count, n);
    memcpy(to, data, n * sizeof *to);
    free(data);
}

static void compare(const char *net, const char *layer, const char *what, const float *ours,
                    const float *torch, size_t n) {
    float top = 0;
    for (size_t i = 0; i < n; i++)
        top = fabsf(torch[i]) > top ? fabsf(torch[i]) : top;
    assert_true(top > 0);
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(ours[i] - torch[i]) <= TOLERANCE * top))
            fail_msg("%s, layer %s, %s[%zu]: %.9g, PyTorch has %.9g (largest %.3g)", net, layer, what, i,
                     (double)ours[i], (double)torch[i], (double)top);
}

typedef struct {
    snn_net *net, *bias_gradient;
    snn_weights *w, *gradient;
    snn_train_options o;
    snn_spikes *x;
    int *label, samples;
} golden;

static golden open_golden(const char *name) {
    golden g;
    snn_error err = {0};
    char path[256], file[64];
    snprintf(path, sizeof path, FOLDER "%s/net.cfg", name);
    snn_config *c = snn_config_load(path, &err);
    if (c == NULL)
        fail_msg("%s", err.text);
    snn_npy h, hl;
    uint8_t *frames = load(name, "x", SNN_NPY_U8, &h);
    int32_t *label = load(name, "label", SNN_NPY_I32, &hl);
    g.net = test_net(c, (snn_shape){(uint32_t)h.shape[2], (uint32_t)h.shape[3], (uint32_t)h.shape[4]});
    g.o = test_options(c);
    snn_config_free(c);
    g.samples = (int)h.shape[0];
    uint32_t size = snn_shape_size(g.net->input);
    int steps = (int)h.shape[1];
    g.x = calloc((size_t)g.samples, sizeof *g.x);
    g.label = malloc((size_t)g.samples * sizeof *g.label);
    for (int s = 0; s < g.samples; s++) {
        assert_true(
            snn_spikes_from_counts(&g.x[s], size, steps, frames + (size_t)s * (size_t)steps * size, &err));
        g.label[s] = label[s];
    }
    free(frames);
    free(label);
    g.w = snn_weights_new(g.net, &err);
    g.gradient = snn_weights_new(g.net, &err);
    g.bias_gradient = snn_net_copy(g.net, &err);
    for (int i = 0; i < g.w->tensors; i++)
        load_floats(name, g.w->tensor[i].name, g.w->tensor[i].value, g.w->tensor[i].count);
    for (int i = 0; i < g.net->layers; i++) {
        snn_layer *l = &g.net->layer[i];
        snprintf(file, sizeof file, "%s_bias", l->name);
        if (l->bias != NULL)
            load_floats(name, file, l->bias, l->out.channels);
    }
    return g;
}

static void close_golden(golden *g) {
    test_inputs_free(g->x, g->samples);
    free(g->label);
    snn_weights_free(g->w);
    snn_weights_free(g->gradient);
    snn_net_free(g->net);
    snn_net_free(g->bias_gradient);
}

static void check_gradients(const char *name, golden *g) {
    char file[64];
    float torch[8192];
    for (int i = 0; i < g->gradient->tensors; i++) {
        const snn_tensor *t = &g->gradient->tensor[i];
        assert_true(t->count <= sizeof torch / sizeof *torch);
        snprintf(file, sizeof file, "%s_grad", t->name);
        load_floats(name, file, torch, t->count);
        compare(name, t->name, "weight", t->value, torch, t->count);
    }
    for (int i = 0; i < g->net->layers; i++) {
        const snn_layer *l = &g->net->layer[i];
        if (l->bias == NULL)
            continue;
        snprintf(file, sizeof file, "%s_bias_grad", l->name);
        load_floats(name, file, torch, l->out.channels);
        compare(name, l->name, "bias", g->bias_gradient->layer[i].bias, torch, l->out.channels);
    }
}

static void against_torch(const char *name) {
    golden g = open_golden(name);
    snn_npy h;
    double *expected = load(name, "loss", SNN_NPY_F64, &h), loss;
    snn_error err = {0};
    for (int level = 0; level <= (int)snn_simd_best(); level++)
        for (int sparse = 0; sparse < 2; sparse++) {
            g.o.sparse = sparse;
            if (!snn_train_gradient_with(g.net, g.w, &g.o, snn_train_kernels_for((snn_simd)level), g.x,
                                         g.label, g.samples, &loss, g.gradient, g.bias_gradient, &err))
                fail_msg("%s", err.text);
            assert_true(fabs(loss - *expected) <= 1e-6 * *expected);
            check_gradients(name, &g);
        }
    free(expected);
    close_golden(&g);
}

static void linear(void **state) {
    (void)state;
    against_torch("linear");
}
static void conv(void **state) {
    (void)state;
    against_torch("conv");
}
static void strided(void **state) {
    (void)state;
    against_torch("strided");
}
static void membrane(void **state) {
    (void)state;
    against_torch("membrane");
}

static void recurrent(void **state) {
    (void)state;
    against_torch("recurrent");
}
static void adaptive(void **state) {
    (void)state;
    against_torch("adaptive");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),   cmocka_unit_test(conv),      cmocka_unit_test(strided),
        cmocka_unit_test(membrane), cmocka_unit_test(recurrent), cmocka_unit_test(adaptive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
