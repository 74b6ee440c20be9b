/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The trainer's forward pass against the inference engine: on weights that are codes times a power of two, sums are exact in both, so every layer must
 * spike the same, whatever the order of summation. What training optimises is then what runs.
 */
#include "train_test.h"

#include <snnsim/engine.h>

#define STEPS 6
#define SAMPLES 6

/* Runs the samples through the trainer's pass; the block keeps what it needs to look inside. */
static void run_trainer(const train_plan *plan, train_block *b, const snn_weights *w, const snn_net *net,
                        const snn_spikes *x) {
    snn_error err = {0};
    float *parameters = calloc(plan->parameters, sizeof *parameters);
    snn_train_pack(plan, w, net, parameters);
    assert_true(snn_train_block_new(b, plan, SAMPLES, 1, &err));
    b->w = parameters;
    b->data = x;
    b->weight = 1;
    b->samples = SAMPLES;
    for (int k = 0; k < SAMPLES; k++)
        b->sample[k].sample = (size_t)k;
    assert_true(snn_train_block_run(b, false, false, &err));
    b->w = NULL;
    free(parameters);
}

static uint64_t check_sample(const snn_net *net, const train_plan *plan, const train_sample *s,
                             const snn_result *r, bool last_is_li) {
    uint64_t spikes = 0;
    for (uint32_t c = 0; c < net->classes; c++) {
        if (last_is_li)
            assert_true(s->sum[c] - r->out[c] < 1e-5 &&
                        r->out[c] - s->sum[c] < 1e-5); /* sums over steps: float here, double there */
        else
            assert_true(s->sum[c] == r->out[c]);
        spikes += s->sum[c] != 0;
    }
    assert_int_equal(s->predicted, r->predicted);
    /* What every synaptic layer reads: as many nonzero inputs from its first step on, of its own spikes too. */
    for (int i = 0; i < plan->stages; i++) {
        const train_stage *st = &plan->stage[i];
        const size_t own = st->recurrent ? s->layer[i].own.n : 0;
        const train_csr *in = &s->layer[i].in;
        const size_t lost = in->first[st->layer->start * (in->rows + 1)];
        assert_int_equal(in->n - lost + own, r->activity[st->layer - net->layer].inputs);
        assert_true(!st->recurrent || own > 0);
    }
    return spikes;
}

static void compare_with(const char *layers, const char *network, snn_shape input, double bound, double share,
                         int bits, bool each) {
    char text[2048];
    snn_error err = {0};
    snprintf(text, sizeof text, "dataset = { bins = %d; }; network = { layers = ( %s ); %s };", STEPS, layers,
             network);
    snn_config *c = test_config(text);
    snn_net *net = test_net(c, input);
    if (each)
        test_vary_parameters(net);
    snn_train_options o = test_options(c);
    snn_quantisation q = {.bits = bits, .encoding = SNN_SIGN_MAGNITUDE};
    snn_weights *w = test_weights(net, bound, 6), *codes = snn_weights_quantise(w, &q, NULL, &err);
    snn_weights *values = snn_weights_dequantise(codes, &err);
    snn_spikes *x = test_inputs(net, STEPS, SAMPLES, share, 7);
    snn_engine_options eo = {
        .arithmetic = SNN_ARITHMETIC_FLOAT, .simd = snn_simd_best(), .count_operations = true};
    snn_engine *engine = snn_engine_new(net, codes, &eo, &err);
    if (engine == NULL)
        fail_msg("%s", err.text);
    snn_workspace *workspace = snn_workspace_new(engine, &err);
    snn_result r;
    assert_true(snn_result_init(&r, net, STEPS, &err));
    bool last_is_li = net->layer[net->layers - 1].neuron.type == SNN_NEURON_LI;
    for (int sparse = 0; sparse < 2; sparse++) {
        train_plan plan;
        train_block b;
        o.sparse = sparse;
        assert_true(snn_train_plan(&plan, net, STEPS, &o, &err));
        run_trainer(&plan, &b, values, net, x);
        uint64_t spikes = 0;
        for (int k = 0; k < SAMPLES; k++) {
            assert_true(snn_engine_run(engine, &x[k], (uint64_t)k, workspace, NULL, &r, &err));
            spikes += check_sample(net, &plan, &b.sample[k], &r, last_is_li);
        }
        assert_true(spikes > 0);
        snn_train_block_free(&b);
        snn_train_plan_free(&plan);
    }
    snn_result_free(&r);
    snn_workspace_free(workspace);
    snn_engine_free(engine);
    test_inputs_free(x, SAMPLES);
    snn_weights_free(w);
    snn_weights_free(codes);
    snn_weights_free(values);
    snn_net_free(net);
    snn_config_free(c);
}

static void compare(const char *layers, snn_shape input, double bound, double share, int bits) {
    compare_with(layers, "", input, bound, share, bits, false);
}

static void linear(void **state) {
    (void)state;
    for (int bits = 2; bits <= 8; bits += 3)
        compare("{ name = \"fc1\"; type = \"linear\"; outputs = 70; },"
                "{ name = \"fc2\"; type = \"linear\"; outputs = 10; }",
                (snn_shape){2, 6, 6}, 0.25, 0.2, bits);
}

static void convolutions(void **state) {
    (void)state;
    compare("{ name = \"c1\"; type = \"conv2d\"; channels = 18; kernel = 3; padding = 1; },"
            "{ name = \"p1\"; type = \"pool_max\"; kernel = 2; },"
            "{ name = \"c2\"; type = \"conv2d\"; channels = 9; kernel = 3; padding = 1; stride = 2; },"
            "{ name = \"flat\"; type = \"flatten\"; },"
            "{ name = \"fc\"; type = \"linear\"; outputs = 5; }",
            (snn_shape){2, 12, 10}, 0.4, 0.2, 8);
}

static void pools_and_resets(void **state) {
    (void)state;
    compare("{ name = \"p0\"; type = \"pool_max\"; kernel = 2; },"
            "{ name = \"c1\"; type = \"conv2d\"; channels = 6; kernel = 2; bias = true; neuron = { reset = "
            "\"subtract\"; }; },"
            "{ name = \"p1\"; type = \"pool_sum\"; kernel = 2; },"
            "{ name = \"c2\"; type = \"conv2d\"; channels = 7; kernel = 2; neuron = { type = \"if\"; "
            "at_threshold = true; }; },"
            "{ name = \"p2\"; type = \"pool_average\"; kernel = 2; stride = 1; },"
            "{ name = \"fc\"; type = \"linear\"; outputs = 5; bias = true; neuron = { gain = 1.5; decay = "
            "0.7; }; }",
            (snn_shape){2, 16, 14}, 0.4, 0.3, 6);
}

static void membrane_readout(void **state) {
    (void)state;
    compare("{ name = \"fc1\"; type = \"linear\"; outputs = 30; },"
            "{ name = \"fc2\"; type = \"linear\"; outputs = 4; neuron = { type = \"li\"; decay = 0.9; }; }",
            (snn_shape){1, 6, 6}, 0.3, 0.2, 8);
}

#define CUBA                                                                                                 \
    "type = \"cuba_lif\"; decay = 0.8; threshold = 0.4; current_decay = 0.6; current_gain = 0.7; gain = "    \
    "0.9;"
#define ALIF "type = \"alif\"; decay = 0.8; threshold = 0.2; adapt_decay = 0.7; adapt = 1.1; gain = 0.9;"

/* Recurrent layers wider than a panel, delays, starts, all neurons, with scalar parameters and with those of each neuron. */
static void recurrent_with_more_state(void **state) {
    (void)state;
    for (int each = 0; each < 2; each++) {
        compare_with(
            "{ name = \"fc1\"; type = \"linear\"; outputs = 70; recurrent = true; bias = true; delay = 1; },"
            "{ name = \"fc2\"; type = \"linear\"; outputs = 20; recurrent = true; bias = true; neuron = "
            "{ " CUBA " reset = \"subtract\"; membrane_bias = true; }; },"
            "{ name = \"fc3\"; type = \"linear\"; outputs = 12; recurrent = true; bias = true; start = 1; "
            "neuron = { " ALIF " }; },"
            "{ name = \"fc4\"; type = \"linear\"; outputs = 9; delay = 1; bias = true; neuron = { " CUBA
            " }; }",
            "", (snn_shape){1, 6, 6}, 0.4, 0.4, 7, each == 1);
        compare_with(
            "{ name = \"c1\"; type = \"conv2d\"; channels = 3; kernel = 3; bias = true; delay = 1; neuron = "
            "{ " CUBA " }; }, { name = \"p1\"; type = \"pool_average\"; kernel = 2; },"
            "{ name = \"fc1\"; type = \"linear\"; outputs = 12; recurrent = true; neuron = { " ALIF " }; },"
            "{ name = \"fc2\"; type = \"linear\"; outputs = 5; start = 2; neuron = { type = \"li\"; }; }",
            "", (snn_shape){2, 8, 8}, 0.8, 0.4, 8, each == 1);
    }
}

static void softmax_readout(void **state) {
    (void)state;
    compare_with("{ name = \"fc1\"; type = \"linear\"; outputs = 30; recurrent = true; },"
                 "{ name = \"fc2\"; type = \"linear\"; outputs = 4; start = 1; neuron = { type = \"li\"; "
                 "decay = 0.9; }; }",
                 "readout = \"softmax\";", (snn_shape){1, 6, 6}, 0.3, 0.2, 8, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(pools_and_resets),
        cmocka_unit_test(membrane_readout),
        cmocka_unit_test(recurrent_with_more_state),
        cmocka_unit_test(softmax_readout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
