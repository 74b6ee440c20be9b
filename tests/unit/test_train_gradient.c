/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gradients against finite differences, for every kind of layer and neuron, with the smooth surrogate, whose forward pass is differentiable.
 *
 * The loss is a double but the forward pass is float: its noise (a few 1e-7) over the step h = 1/32 is about 1e-5; the error of the difference with one
 * step of Richardson's extrapolation is of order h^4 = 1e-6 times a fifth derivative. TOLERANCE is 2e-3 of the largest gradient of a tensor, which in these
 * networks lies between 1e-2 and 1: a few times the noise, and far below what a missing term would do.
 */
#include "train_test.h"

#include <math.h>

#define STEP 0.03125
#define TOLERANCE 2e-3
#define SAMPLES 3
#define STEPS 4
#define PROBES 25 /* weights of a tensor that are tried */

typedef struct {
    snn_net *net, *bias_gradient;
    snn_weights *w, *gradient;
    snn_train_options o;
    snn_spikes *x;
    int label[SAMPLES];
    double step; /* of the differences */
} problem;

static double loss_at(problem *p, snn_weights *gradient, snn_net *biases) {
    snn_error err = {0};
    double loss;
    if (!snn_train_gradient_with(p->net, p->w, &p->o, NULL, p->x, p->label, SAMPLES, &loss, gradient, biases,
                                 &err))
        fail_msg("%s", err.text);
    return loss;
}

/* dL/d*w by central differences of two step widths. */
static double difference(problem *p, snn_weights *scratch, float *w) {
    float at = *w;
    double slope[2];
    for (int k = 0; k < 2; k++) {
        double h = p->step / (k + 1), up, down;
        *w = (float)(at + h);
        double hi = *w;
        up = loss_at(p, scratch, NULL);
        *w = (float)(at - h);
        down = loss_at(p, scratch, NULL);
        slope[k] = (up - down) / (hi - (double)*w);
        *w = at;
    }
    return (4 * slope[1] - slope[0]) / 3;
}

static void probe(problem *p, const char *what, float *w, const float *gradient, uint64_t n) {
    snn_error err = {0};
    snn_weights *scratch = snn_weights_new(p->net, &err);
    double top = 0;
    for (uint64_t i = 0; i < n; i++)
        top = fabs((double)gradient[i]) > top ? fabs((double)gradient[i]) : top;
    if (!(top > 1e-4))
        fail_msg("%s: largest gradient is %g, nothing to compare", what, top);
    uint64_t stride = n / PROBES + 1;
    for (uint64_t i = 0; i < n; i += stride) {
        double expected = difference(p, scratch, &w[i]);
        if (!(fabs((double)gradient[i] - expected) <= TOLERANCE * top))
            fail_msg("%s[%d]: gradient %.6g, finite difference %.6g (largest %.3g)", what, (int)i,
                     (double)gradient[i], expected, top);
    }
    snn_weights_free(scratch);
}

typedef struct {
    const char *layers, *network, *loss; /* network: other settings of that section */
    snn_shape input;
    double bound, share, step;
    bool each; /* parameters of each neuron */
} trial;

static void check_trial(const trial *c) {
    char text[2048];
    snn_error err = {0};
    snprintf(text, sizeof text,
             "dataset = { bins = %d; }; network = { layers = ( %s ); %s };"
             "train = { surrogate = \"smooth\"; surrogate_width = 1.0; %s };",
             STEPS, c->layers, c->network, c->loss);
    snn_config *config = test_config(text);
    problem p = {.net = test_net(config, c->input), .o = test_options(config), .step = c->step};
    if (c->each)
        test_vary_parameters(p.net);
    p.o.threads = 1;
    p.w = test_weights(p.net, c->bound, 1);
    p.x = test_inputs(p.net, STEPS, SAMPLES, c->share, 2);
    p.gradient = snn_weights_new(p.net, &err);
    p.bias_gradient = snn_net_copy(p.net, &err);
    for (int s = 0; s < SAMPLES; s++)
        p.label[s] = s % (int)p.net->classes;
    for (int sparse = 0; sparse < 2; sparse++) {
        p.o.sparse = sparse;
        loss_at(&p, p.gradient, p.bias_gradient);
        for (int i = 0; i < p.w->tensors; i++)
            probe(&p, p.w->tensor[i].name, p.w->tensor[i].value, p.gradient->tensor[i].value,
                  p.w->tensor[i].count);
        for (int i = 0; i < p.net->layers; i++)
            if (p.net->layer[i].bias != NULL)
                probe(&p, "bias", p.net->layer[i].bias, p.bias_gradient->layer[i].bias,
                      p.net->layer[i].out.channels);
    }
    snn_net_free(p.net);
    snn_net_free(p.bias_gradient);
    snn_weights_free(p.w);
    snn_weights_free(p.gradient);
    test_inputs_free(p.x, SAMPLES);
    snn_config_free(config);
}

static void check_step(const char *layers, const char *loss, snn_shape input, double bound, double share,
                       double step) {
    check_trial(&(trial){layers, "", loss, input, bound, share, step, false});
}

static void check_net(const char *layers, const char *loss, snn_shape input, double bound, double share) {
    check_step(layers, loss, input, bound, share, STEP);
}

#define MSE "loss = \"mse\";"
#define ENTROPY "loss = \"cross_entropy\"; loss_scale = 4.0;"
#define FC(name, n, neuron)                                                                                  \
    "{ name = \"" name "\"; type = \"linear\"; outputs = " #n "; neuron = { " neuron " }; }"
#define LIF "decay = 0.6; threshold = 0.4;"

static void linear_lif_reset_to_zero(void **state) {
    (void)state;
    check_net(FC("fc1", 9, LIF) "," FC("fc2", 4, LIF), MSE, (snn_shape){2, 3, 3}, 0.5, 0.4);
}

static void linear_lif_reset_by_subtraction(void **state) {
    (void)state;
    check_net(FC("fc1", 9, LIF "reset = \"subtract\";") "," FC("fc2", 4, LIF "reset = \"subtract\";"),
              ENTROPY, (snn_shape){2, 3, 3}, 0.5, 0.4);
}

static void integrate_and_fire(void **state) {
    (void)state;
    check_net(FC("fc1", 9, "type = \"if\"; threshold = 0.4;") "," FC("fc2", 4,
                                                                     "type = \"if\"; reset = \"subtract\";"),
              MSE, (snn_shape){2, 3, 3}, 0.3, 0.4);
}

static void membrane_readout(void **state) {
    (void)state;
    check_net(FC("fc1", 9, LIF) "," FC("fc2", 4, "type = \"li\"; decay = 0.7;"), ENTROPY,
              (snn_shape){2, 3, 3}, 0.5, 0.4);
    check_net(FC("fc2", 4, "type = \"li\"; decay = 0.7;"), MSE, (snn_shape){2, 3, 3}, 0.5, 0.4);
}

static void biases_and_gain(void **state) {
    (void)state;
    check_net("{ name = \"fc1\"; type = \"linear\"; outputs = 9; bias = true; neuron = { gain = 1.7; decay = "
              "0.6; }; },"
              "{ name = \"fc2\"; type = \"linear\"; outputs = 4; bias = true; neuron = { gain = 0.6; decay = "
              "0.6; }; }",
              ENTROPY, (snn_shape){2, 3, 3}, 0.5, 0.4);
}

static void convolution_with_padding_and_stride(void **state) {
    (void)state;
    check_net(
        "{ name = \"c1\"; type = \"conv2d\"; channels = 5; kernel = 3; padding = 1; bias = true; },"
        "{ name = \"c2\"; type = \"conv2d\"; channels = 4; kernel = 3; stride = 2; },"
        "{ name = \"c3\"; type = \"conv2d\"; channels = 3; kernel = 2; padding = 1; }," FC("fc", 3, LIF),
        MSE, (snn_shape){2, 7, 8}, 0.4, 0.3);
}

/* The last layer may be a convolution: classes count [channel][y][x]. */
static void convolution_as_readout(void **state) {
    (void)state;
    check_net("{ name = \"c1\"; type = \"conv2d\"; channels = 17; kernel = 2; },"
              "{ name = \"c2\"; type = \"conv2d\"; channels = 2; kernel = 3; }",
              ENTROPY, (snn_shape){1, 5, 5}, 0.4, 0.5);
}

/* Inputs are dense, so that no two elements of a window tie; the step is small, so that few maxima change places within it. */
static void pools(void **state) {
    (void)state;
    check_step("{ name = \"c1\"; type = \"conv2d\"; channels = 5; kernel = 2; },"
               "{ name = \"p1\"; type = \"pool_max\"; kernel = 2; },"
               "{ name = \"c2\"; type = \"conv2d\"; channels = 4; kernel = 2; padding = 1; },"
               "{ name = \"p2\"; type = \"pool_average\"; kernel = 3; stride = 1; },"
               "{ name = \"p3\"; type = \"pool_max\"; kernel = 2; stride = 1; },"
               "{ name = \"flat\"; type = \"flatten\"; }," FC("fc", 3, LIF),
               ENTROPY, (snn_shape){2, 9, 9}, 0.6, 0.95, STEP / 32);
    check_net("{ name = \"p0\"; type = \"pool_sum\"; kernel = 2; },"
              "{ name = \"c1\"; type = \"conv2d\"; channels = 5; kernel = 2; },"
              "{ name = \"p1\"; type = \"pool_sum\"; kernel = 2; }," FC("fc", 3, LIF),
              MSE, (snn_shape){2, 6, 6}, 0.2, 0.5);
}

/* More outputs than a panel has lanes, and pitches of every remainder. */
static void several_panels(void **state) {
    (void)state;
    check_net(FC("fc1", 70, LIF) "," FC("fc2", 130, LIF) "," FC("fc3", 20, LIF), ENTROPY,
              (snn_shape){1, 4, 4}, 0.3, 0.4);
    check_net("{ name = \"c1\"; type = \"conv2d\"; channels = 33; kernel = 2; },"
              "{ name = \"c2\"; type = \"conv2d\"; channels = 65; kernel = 2; }," FC("fc", 3, LIF),
              MSE, (snn_shape){1, 4, 4}, 0.3, 0.4);
}

/* ---- recurrent layers, delays, more state ---- */

#define REC(name, n, more, neuron)                                                                           \
    "{ name = \"" name "\"; type = \"linear\"; outputs = " #n "; recurrent = true; " more                    \
    " neuron = { " neuron " }; }"
#define CUBA                                                                                                 \
    "type = \"cuba_lif\"; decay = 0.7; threshold = 0.4; current_decay = 0.6; current_gain = 0.7; gain = "    \
    "0.8;"
#define ALIF "type = \"alif\"; decay = 0.7; threshold = 0.3; adapt_decay = 0.6; adapt = 0.9; gain = 0.8;"

static void check_layers(const char *layers, const char *loss, bool each) {
    check_trial(&(trial){layers, "", loss, {2, 3, 3}, 0.5, 0.4, STEP, each});
}

static void recurrent_lif(void **state) {
    (void)state;
    check_layers(REC("fc1", 9, "bias = true;", LIF) "," FC("fc2", 4, LIF), MSE, false);
    check_layers(REC("fc1", 9, "", LIF "reset = \"subtract\";") "," REC("fc2", 4, "", LIF), ENTROPY, false);
    check_layers(REC("fc1", 70, "", LIF) "," REC("fc2", 17, "", LIF) "," FC("fc3", 4, LIF), ENTROPY, false);
}

/* A recurrent layer behind an average pool: its factor is of the layer's whole sum. */
static void recurrent_behind_a_pool(void **state) {
    (void)state;
    check_trial(&(trial){"{ name = \"c1\"; type = \"conv2d\"; channels = 5; kernel = 2; },"
                         "{ name = \"p1\"; type = \"pool_average\"; kernel = 2; }," REC(
                             "fc1", 7, "bias = true;", LIF "gain = 1.3;"),
                         "",
                         MSE,
                         {2, 5, 5},
                         0.8,
                         0.5,
                         STEP,
                         false});
}

static void currents(void **state) {
    (void)state;
    check_layers(FC("fc1", 9, CUBA) "," FC("fc2", 4, CUBA "reset = \"subtract\";"), MSE, false);
    check_layers(
        REC("fc1", 9, "bias = true;", CUBA "reset = \"subtract\";") "," REC("fc2", 4, "bias = true;", CUBA),
        ENTROPY, false);
    check_layers(REC("fc1", 9, "bias = true;",
                     CUBA "membrane_bias = true;") ","
                                                   "{ name = \"fc2\"; type = \"linear\"; outputs = 4; bias = "
                                                   "true; neuron = { type = \"li\"; }; }",
                 ENTROPY, false);
}

static void adaptive_thresholds(void **state) {
    (void)state;
    check_layers(FC("fc1", 9, ALIF) "," FC("fc2", 4, LIF), MSE, false);
    check_layers(REC("fc1", 9, "bias = true;", ALIF) "," REC("fc2", 4, "bias = true;", ALIF), ENTROPY, false);
}

static void delays_and_starts(void **state) {
    (void)state;
    check_layers(REC("fc1", 9, "delay = 1;", LIF) "," REC("fc2", 7, "start = 1;", CUBA) "," FC("fc3", 4, LIF),
                 MSE, false);
    check_layers(REC("fc1", 9, "start = 1; delay = 1;", ALIF) "," REC("fc2", 4, "start = 1;", LIF), ENTROPY,
                 false);
    check_trial(
        &(trial){"{ name = \"c1\"; type = \"conv2d\"; channels = 5; kernel = 2; delay = 1; start = 1; },"
                 "{ name = \"p1\"; type = \"pool_sum\"; kernel = 2; }," FC("fc1", 7, LIF),
                 "",
                 MSE,
                 {2, 5, 5},
                 0.8,
                 0.5,
                 STEP,
                 false});
    check_layers(REC("fc1", 9, "", LIF) "," REC("fc2", 4, "delay = 1; start = 1;", LIF), MSE, false);
}

static void parameters_of_each_neuron(void **state) {
    (void)state;
    check_layers(REC("fc1", 9, "bias = true;", LIF) "," FC("fc2", 4, LIF "reset = \"subtract\";"), MSE, true);
    check_layers(REC("fc1", 9, "bias = true;",
                     CUBA) "," FC("fc2", 7, ALIF) "," FC("fc3", 4, "type = \"li\"; decay = 0.8;"),
                 ENTROPY, true);
    check_trial(
        &(trial){"{ name = \"c1\"; type = \"conv2d\"; channels = 3; kernel = 2; bias = true; neuron = { " CUBA
                 " }; }, { name = \"c2\"; type = \"conv2d\"; channels = 4; kernel = 2; bias = true; neuron = "
                 "{ " ALIF " }; }," FC("fc1", 3, LIF),
                 "",
                 MSE,
                 {2, 4, 4},
                 0.8,
                 0.5,
                 STEP,
                 true});
}

static void softmax_readout(void **state) {
    (void)state;
    check_trial(&(trial){
        REC("fc1", 9, "", LIF) ","
                               "{ name = \"fc2\"; type = \"linear\"; outputs = 4; bias = true; start "
                               "= 1; neuron = { type = \"li\"; decay = 0.8; }; }",
        "readout = \"softmax\";",
        ENTROPY,
        {2, 3, 3},
        0.5,
        0.4,
        STEP,
        false});
    check_trial(&(trial){
        "{ name = \"c1\"; type = \"conv2d\"; channels = 3; kernel = 2; neuron = { type = \"li\"; decay = "
        "0.8; }; }",
        "readout = \"softmax\";",
        MSE,
        {2, 3, 3},
        0.8,
        0.4,
        STEP,
        true});
}

/* Penalties on firing rates, of simple, of recurrent and of convolutional layers. Their slope has kinks at the bounds: a smaller step. */
static void rate_penalty(void **state) {
    (void)state;
    check_trial(&(trial){REC("fc1", 9, "", CUBA) "," FC("fc2", 7, LIF) "," FC("fc3", 4, LIF),
                         "",
                         MSE "rate_weight = 3.0; rate_low = 0.3; rate_high = 0.35;",
                         {2, 3, 3},
                         0.5,
                         0.4,
                         STEP / 4,
                         false});
    check_trial(&(trial){"{ name = \"c1\"; type = \"conv2d\"; channels = 5; kernel = 2; delay = 1; },"
                         "{ name = \"p1\"; type = \"pool_sum\"; kernel = 2; }," FC("fc1", 7, LIF),
                         "",
                         MSE "rate_weight = 5.0; rate_high = 0.3;",
                         {2, 5, 5},
                         0.8,
                         0.5,
                         STEP / 4,
                         false});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_lif_reset_to_zero),
        cmocka_unit_test(linear_lif_reset_by_subtraction),
        cmocka_unit_test(integrate_and_fire),
        cmocka_unit_test(membrane_readout),
        cmocka_unit_test(biases_and_gain),
        cmocka_unit_test(convolution_with_padding_and_stride),
        cmocka_unit_test(convolution_as_readout),
        cmocka_unit_test(pools),
        cmocka_unit_test(several_panels),
        cmocka_unit_test(recurrent_lif),
        cmocka_unit_test(recurrent_behind_a_pool),
        cmocka_unit_test(currents),
        cmocka_unit_test(adaptive_thresholds),
        cmocka_unit_test(delays_and_starts),
        cmocka_unit_test(parameters_of_each_neuron),
        cmocka_unit_test(softmax_readout),
        cmocka_unit_test(rate_penalty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
