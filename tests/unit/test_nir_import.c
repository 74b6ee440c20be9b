/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Import of NIR graphs: what each primitive becomes, number by number; orders of nodes, recurrent loops and sub-graphs; what is refused, and how. */
#include "nir_test.h"

#include <math.h>

static const int64_t four[] = {4}, three[] = {3}, two[] = {2};

/* input 4 -> fc (3) -> ... */
static nir_node *behind_weights(const char *type) {
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    return node("n", type);
}

static snn_model finish(void) {
    ends("output", "Output", 1, three);
    return import_it();
}

static void refused_end(const char *words) {
    ends("output", "Output", 1, three);
    refused(words);
}

/* ---- neurons ---- */

static void leaky(void **state) {
    (void)state;
    behind_weights("LIF");
    nir_node *n = &nir.root.node[2];
    each(n, "tau", 3, 0.002);
    each(n, "r", 3, 3);
    each(n, "v_threshold", 3, 0.5);
    snn_model m = finish();
    const snn_layer *l = &m.net->layer[0];
    assert_int_equal(m.net->layers, 1);
    assert_string_equal(l->name, "fc");
    assert_int_equal(l->type, SNN_LAYER_LINEAR);
    assert_int_equal(l->neuron.type, SNN_NEURON_LIF);
    const double tau = (double)0.002F, dt = 1e-4;
    assert_true(l->neuron.decay == (float)(1 - dt / tau));
    assert_true(l->neuron.gain == (float)(3 * dt / tau));
    assert_true(l->neuron.threshold == 0.5F && l->neuron.reset == SNN_RESET_ZERO && !l->neuron.at_threshold);
    assert_true(l->bias == NULL && fabs(m.net->step_us - 100) < 1e-9);
    for (int i = 0; i < 12; i++)
        assert_true(m.weights->tensor[0].value[i] == (float)(((i * 37 % 101) - 50) / 64.0));
    snn_model_free(&m);

    const snn_import_options o = {.dt = 5e-4, .reset = SNN_RESET_SUBTRACT, .at_threshold = true};
    m = import_with(&o);
    assert_true(m.net->layer[0].neuron.decay == (float)(1 - 5e-4 / tau));
    assert_true(m.net->layer[0].neuron.reset == SNN_RESET_SUBTRACT && m.net->layer[0].neuron.at_threshold);
    assert_true(fabs(m.net->step_us - 500) < 1e-9);
    snn_model_free(&m);

    nir.dt = 2e-4; /* as snnsim writes it */
    m = import_it();
    assert_true(m.net->layer[0].neuron.decay == (float)(1 - 2e-4 / tau));
    snn_model_free(&m);

    const snn_import_options unit = {.dt = 1e-4, .unit_gain = true};
    m = import_with(&unit);
    assert_true(m.net->layer[0].neuron.gain == 1);
    assert_true(m.net->layer[0].neuron.threshold == (float)(0.5 / (3 * dt / tau)));
    snn_model_free(&m);
}

/* tau of a step: no memory; shorter ones are refused. */
static void short_times(void **state) {
    (void)state;
    nir_node *n = behind_weights("LIF");
    each(n, "tau", 1, 1e-4); /* as float32 a little less than dt */
    each(n, "r", 1, 1);
    each(n, "v_threshold", 1, 1);
    snn_model m = finish();
    assert_true(m.net->layer[0].neuron.decay < 1e-6F && m.net->layer[0].neuron.decay >= 0);
    snn_model_free(&m);
    n = behind_weights("LIF");
    each(n, "tau", 1, 0.9e-4);
    each(n, "r", 1, 1);
    each(n, "v_threshold", 1, 1);
    refused_end("node 'n' (LIF): tau is 9e-05 s, which is shorter than the time step, 0.0001 s (see --dt)");
}

static void own_parameters(void **state) {
    (void)state;
    nir_node *n = behind_weights("LIF");
    nir_field *tau = each(n, "tau", 3, 0.002);
    tau->number[1] = (double)0.004F;
    each(n, "r", 3, 3);
    each(n, "v_threshold", 3, 0.5)->number[2] = 0.75;
    snn_model m = finish();
    const snn_layer *l = &m.net->layer[0];
    assert_non_null(l->each[SNN_PARAM_DECAY]);
    assert_non_null(l->each[SNN_PARAM_GAIN]);
    assert_null(l->each[SNN_PARAM_CURRENT_DECAY]);
    assert_true(l->each[SNN_PARAM_DECAY][1] == (float)(1 - 1e-4 / (double)0.004F));
    assert_true(l->each[SNN_PARAM_DECAY][2] == (float)(1 - 1e-4 / (double)(float)0.002));
    assert_true(l->each[SNN_PARAM_THRESHOLD][1] == 0.5F && l->each[SNN_PARAM_THRESHOLD][2] == 0.75F);
    snn_model_free(&m);
}

static void integrate(void **state) {
    (void)state;
    const double r[] = {1, 2, 1e4}, expected[] = {1, 2, 1}; /* 1/dt: SpikingJelly's way of saying 1 */
    for (int i = 0; i < 3; i++) {
        nir_node *n = behind_weights("IF");
        each(n, "r", 3, r[i]);
        each(n, "v_threshold", 3, 1);
        snn_model m = finish();
        assert_int_equal(m.net->layer[0].neuron.type, SNN_NEURON_IF);
        assert_true(m.net->layer[0].neuron.gain == (float)expected[i]);
        assert_true(m.net->layer[0].neuron.decay == 1);
        snn_model_free(&m);
    }
    each(behind_weights("I"), "r", 3, 2);
    snn_model m = finish();
    assert_true(m.net->layer[0].neuron.type == SNN_NEURON_LI && m.net->layer[0].neuron.decay == 1 &&
                m.net->layer[0].neuron.gain == 2);
    snn_model_free(&m);
    nir_node *n = behind_weights("LI");
    each(n, "tau", 3, 0.01);
    each(n, "r", 3, 1);
    m = finish();
    assert_true(m.net->layer[0].neuron.type == SNN_NEURON_LI &&
                m.net->layer[0].neuron.decay == (float)(1 - 1e-4 / (double)0.01F));
    snn_model_free(&m);
    each(behind_weights("Threshold"), "threshold", 3, 2);
    m = finish();
    assert_true(m.net->layer[0].neuron.type == SNN_NEURON_LIF && m.net->layer[0].neuron.decay == 0 &&
                m.net->layer[0].neuron.threshold == 2);
    snn_model_free(&m);
}

static nir_node *cuba(const char *type) {
    nir_node *n = behind_weights(type);
    each(n, "tau_mem", 3, 0.004);
    each(n, "tau_syn", 3, 0.001);
    each(n, "r", 3, 2);
    return n;
}

static void currents(void **state) {
    (void)state;
    nir_node *n = cuba("CubaLIF");
    each(n, "w_in", 3, 5);
    each(n, "v_threshold", 3, 1);
    each(n, "v_leak", 3, 0);
    snn_model m = finish();
    const snn_neuron *p = &m.net->layer[0].neuron;
    const double syn = (double)0.001F, mem = (double)0.004F;
    assert_int_equal(p->type, SNN_NEURON_CUBA);
    assert_true(p->current_decay == (float)(1 - 1e-4 / syn) && p->current_gain == (float)(5 * 1e-4 / syn));
    assert_true(p->decay == (float)(1 - 1e-4 / mem) && p->gain == (float)(2 * 1e-4 / mem) &&
                !p->membrane_bias);
    snn_model_free(&m);
    n = cuba("CubaLIF"); /* without w_in and v_leak, but with a leak towards 0.5 */
    each(n, "v_threshold", 3, 1);
    each(n, "v_leak", 3, 0.5);
    m = finish();
    p = &m.net->layer[0].neuron;
    assert_true(p->current_gain == (float)(1e-4 / syn) && p->membrane_bias);
    assert_true(m.net->layer[0].bias[2] == (float)(0.5 * 1e-4 / mem));
    snn_model_free(&m);
    cuba("CubaLI");
    refused_end("node 'n' (CubaLI): its current has a memory");
    n = behind_weights("CubaLI");
    each(n, "tau_mem", 3, 0.004);
    each(n, "tau_syn", 3, 1.0 / 8192);
    each(n, "r", 3, 2);
    each(n, "w_in", 3, 3);
    nir.dt = 1.0 / 8192;
    m = finish();
    p = &m.net->layer[0].neuron;
    assert_true(p->type == SNN_NEURON_LI && p->gain == (float)(2 / 8192.0 / mem) * 3);
    snn_model_free(&m);
}

/* The membrane is shifted by v_reset; what is left of v_leak becomes a bias. */
static void leaks(void **state) {
    (void)state;
    nir_node *n = behind_weights("LIF");
    each(n, "tau", 3, 0.002);
    each(n, "r", 3, 4);
    each(n, "v_threshold", 3, 1);
    each(n, "v_reset", 3, -0.25);
    each(n, "v_leak", 3, -0.25);
    snn_model m = finish();
    assert_true(m.net->layer[0].neuron.threshold == 1.25F && m.net->layer[0].bias == NULL);
    snn_model_free(&m);
    n = &nir.root.node[2];
    for (int j = 0; j < 3; j++)
        n->field[4].number[j] = 0.5; /* v_leak */
    m = import_it();
    assert_true(m.net->layer[0].neuron.threshold == 1.25F && m.net->layer[0].bias[1] == 0.75F / 4);
    snn_model_free(&m);
    snn_model bad;
    const snn_import_options subtract = {.reset = SNN_RESET_SUBTRACT};
    assert_false(snn_import(&bad, at("t.nir"), &subtract, &error));
    assert_non_null(strstr(error.text, "v_reset is not 0, but neurons are to be reset by subtraction"));
}

static void bad_neurons(void **state) {
    (void)state;
    nir_node *n = behind_weights("LIF");
    each(n, "r", 3, 1);
    each(n, "v_threshold", 3, 1);
    refused_end("node 'n' (LIF): has no tau");
    n = behind_weights("IF");
    each(n, "r", 2, 1);
    each(n, "v_threshold", 3, 1);
    refused_end("node 'n' (IF): r has 2 values for 3 neurons");
    n = behind_weights("IF");
    assert_true(snn_nir_add_text(n, "r", "one", &error));
    each(n, "v_threshold", 3, 1);
    refused_end("node 'n' (IF): r has 1 values for 3 neurons");
    n = behind_weights("IF");
    each(n, "r", 3, 1);
    each(n, "v_threshold", 3, 0);
    refused_end("layer 'fc': threshold is 0, expected a positive number");
    n = behind_weights("IF");
    each(n, "r", 3, -1);
    each(n, "v_threshold", 3, 1);
    refused_end("layer 'fc': gain is -1, expected a positive number");
    behind_weights("Izhikevich");
    refused_end("node 'n' (Izhikevich): is a type of node that snnsim does not know");
    n = behind_weights("I");
    each(n, "r", 3, 1);
    linear("more", 3, 3);
    each(node("m", "I"), "r", 3, 1);
    refused_end("li neurons, which never spike: it must be the last layer");
}

/* ---- maps ---- */

static void biases_and_names(void **state) {
    (void)state;
    begin();
    ends("input", "Input", 1, four);
    nir_node *a = node("a.b:c d", "Affine");
    weights(a, 2, (uint64_t[]){3, 4});
    each(a, "bias", 3, 0.125)->number[1] = -2;
    lif("x", 3);
    linear("a b c.d", 2, 3);
    lif("y", 2);
    linear("a_very_long_name_of_a_layer_that_no_model_can_carry", 2, 2);
    lif("z", 2);
    ends("output", "Output", 1, two);
    snn_model m = import_it();
    assert_string_equal(m.net->layer[0].name, "a_b_c_d");
    assert_string_equal(m.net->layer[1].name, "a_b_c_d_2");
    assert_string_equal(m.net->layer[2].name, "a_very_long_name_of_a_l");
    assert_true(m.net->layer[0].bias[0] == 0.125F && m.net->layer[0].bias[1] == -2);
    assert_null(m.net->layer[1].bias);
    snn_model_free(&m);
}

static void scales(void **state) {
    (void)state;
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    each(node("s", "Scale"), "scale", 3, 2)->number[2] = 8;
    lif("n", 3);
    ends("output", "Output", 1, three);
    snn_model m = import_it();
    const double gain = 3 * 1e-4 / (double)0.002F;
    assert_true(m.net->layer[0].each[SNN_PARAM_GAIN][0] == (float)(gain * 2));
    assert_true(m.net->layer[0].each[SNN_PARAM_GAIN][2] == (float)(gain * 8));
    assert_non_null(m.origin);
    snn_model_free(&m);

    begin(); /* before the weights: into them, and the graph cannot be given back */
    ends("input", "Input", 1, four);
    each(node("s", "Scale"), "scale", 4, 2)->number[3] = -4;
    linear("fc", 3, 4);
    lif("n", 3);
    ends("output", "Output", 1, three);
    m = import_it();
    assert_true(m.weights->tensor[0].value[4] == (float)((4 * 37 % 101 - 50) / 64.0 * 2));
    assert_true(m.weights->tensor[0].value[7] == (float)((7 * 37 % 101 - 50) / 64.0 * -4));
    assert_null(m.origin);
    snn_model_free(&m);

    begin(); /* without weights: an identity, whose neurons take the scale */
    ends("input", "Input", 1, three);
    each(node("s", "Scale"), "scale", 1, 0.5);
    lif("n", 3);
    ends("output", "Output", 1, three);
    m = import_it();
    assert_string_equal(m.net->layer[0].name, "n");
    for (int i = 0; i < 9; i++)
        assert_true(m.weights->tensor[0].value[i] == (i % 4 == 0 ? 1 : 0));
    assert_true(m.net->layer[0].neuron.gain == (float)(gain * 0.5));
    snn_model_free(&m);

    begin(); /* at the end: the sum itself, scaled */
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    each(node("s", "Scale"), "scale", 1, 0.5);
    ends("output", "Output", 1, three);
    m = import_it();
    assert_true(m.net->layer[0].neuron.type == SNN_NEURON_LI && m.net->layer[0].neuron.decay == 0);
    assert_true(snn_layer_param(&m.net->layer[0], SNN_PARAM_GAIN, 1) == 0.5F);
    snn_model_free(&m);

    begin();
    ends("input", "Input", 1, four);
    each(node("s", "Scale"), "scale", 5, 1);
    linear("fc", 3, 4);
    refused_end("node 's' (Scale): has no scale that fits 4 x 1 x 1 lines");
}

static void bad_maps(void **state) {
    (void)state;
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 5);
    lif("n", 3);
    refused_end("node 'fc' (Linear): has weights for 5 inputs, but 4 x 1 x 1 come in");
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    linear("fd", 3, 3);
    refused_end("node 'fd' (Linear): comes right behind 'fc': there are no neurons between them");
    begin();
    ends("input", "Input", 1, four);
    weights(node("fc", "Linear"), 3, (uint64_t[]){1, 3, 4});
    refused_end("node 'fc' (Linear): has no weights in two dimensions");
    begin();
    ends("input", "Input", 1, four);
    nir_node *a = node("fc", "Affine");
    weights(a, 2, (uint64_t[]){3, 4});
    each(a, "bias", 4, 1);
    lif("n", 3);
    refused_end("node 'fc' (Affine): has 4 biases for 3 outputs");
    begin(); /* an identity, in front of neurons or of nothing, is not made at any size */
    ends("input", "Input", 1, (int64_t[]){4097});
    lif("n", 1);
    refused_end("node 'n' (LIF): 4097 neurons without weights before them, expected at most 4096");
    begin();
    ends("input", "Input", 1, (int64_t[]){4097});
    refused_end("node 'output' (Output): 4097 neurons without weights before them, expected at most 4096");
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 2, 4);
    lif("n", 2);
    refused_end("node 'output' (Output): has 3 outputs, but 2 come");
}

/* ---- windows ---- */

typedef struct {
    const char *type;
    uint64_t outputs, inputs, groups, kernel[2];
    int64_t stride, padding[2], dilation[2];
    snn_shape in;
} convolution;

/* Output o at (y, x) of the node's own convolution. */
static double by_definition(const convolution *c, const double *w, const double *image, uint64_t o, int64_t y,
                            int64_t x) {
    const uint64_t per_group = c->inputs / c->groups, group = o / (c->outputs / c->groups);
    double sum = 0;
    for (uint64_t i = 0; i < per_group; i++)
        for (uint64_t ky = 0; ky < c->kernel[0]; ky++)
            for (uint64_t kx = 0; kx < c->kernel[1]; kx++) {
                const int64_t iy = y * c->stride - c->padding[0] + (int64_t)ky * c->dilation[0],
                              ix = x * c->stride - c->padding[1] + (int64_t)kx * c->dilation[1];
                if (iy >= 0 && ix >= 0 && iy < c->in.height && ix < c->in.width)
                    sum += w[((o * per_group + i) * c->kernel[0] + ky) * c->kernel[1] + kx] *
                           image[((group * per_group + i) * c->in.height + (uint64_t)iy) * c->in.width +
                                 (uint64_t)ix];
            }
    return sum;
}

/* The same by the square kernel of the layer. */
static double by_layer(const snn_layer *l, const float *w, const double *image, uint32_t o, int64_t y,
                       int64_t x) {
    double sum = 0;
    for (uint32_t i = 0; i < l->in.channels; i++)
        for (uint32_t ky = 0; ky < l->kernel; ky++)
            for (uint32_t kx = 0; kx < l->kernel; kx++) {
                const int64_t iy = y * l->stride - l->padding + ky, ix = x * l->stride - l->padding + kx;
                if (iy >= 0 && ix >= 0 && iy < l->in.height && ix < l->in.width)
                    sum += (double)w[((o * l->in.channels + i) * l->kernel + ky) * l->kernel + kx] *
                           image[(i * l->in.height + (uint64_t)iy) * l->in.width + (uint64_t)ix];
            }
    return sum;
}

static void add_convolution(const convolution *c) {
    const bool row = strcmp(c->type, "Conv1d") == 0;
    const int64_t shape[] = {(int64_t)c->inputs, c->in.height, c->in.width}, flat[] = {shape[0], shape[2]};
    begin();
    ends("input", "Input", row ? 2 : 3, row ? flat : shape);
    nir_node *n = node("conv", c->type);
    const uint64_t per_group = c->inputs / c->groups;
    if (row)
        weights(n, 3, (uint64_t[]){c->outputs, per_group, c->kernel[1]});
    else
        weights(n, 4, (uint64_t[]){c->outputs, per_group, c->kernel[0], c->kernel[1]});
    each(n, "bias", c->outputs, 0);
    integers(n, "stride", row ? 1 : 2, (int64_t[]){c->stride, c->stride});
    integers(n, "padding", row ? 1 : 2, row ? &c->padding[1] : c->padding);
    integers(n, "dilation", row ? 1 : 2, row ? &c->dilation[1] : c->dilation);
    integer(n, "groups", (int64_t)c->groups);
    lif("n", 1);
    node("output", "Output");
}

static void check_convolution(const convolution *c, uint32_t height, uint32_t width) {
    add_convolution(c);
    snn_model m = import_it();
    const snn_layer *l = &m.net->layer[0];
    assert_int_equal(l->type, SNN_LAYER_CONV2D);
    assert_int_equal(l->out.channels, c->outputs);
    assert_int_equal(l->out.height, height);
    assert_int_equal(l->out.width, width);
    assert_null(l->bias);
    double image[512];
    for (int i = 0; i < 512; i++)
        image[i] = i * 29 % 31;
    const double *w = snn_nir_find(&nir.root.node[1], "weight")->number;
    for (uint32_t o = 0; o < l->out.channels; o++)
        for (uint32_t y = 0; y < height; y++)
            for (uint32_t x = 0; x < width; x++)
                assert_true(by_definition(c, w, image, o, y, x) ==
                            by_layer(l, m.weights->tensor[0].value, image, o, y, x));
    snn_model_free(&m);
}

static void windows(void **state) {
    (void)state;
    const snn_shape in = {4, 8, 9}, line = {3, 1, 11};
    check_convolution(&(convolution){"Conv2d", 6, 4, 1, {3, 3}, 1, {1, 1}, {1, 1}, in}, 8, 9);
    check_convolution(&(convolution){"Conv2d", 6, 4, 1, {4, 4}, 2, {1, 1}, {1, 1}, in}, 4, 4);
    check_convolution(&(convolution){"Conv2d", 6, 4, 2, {3, 3}, 1, {0, 0}, {1, 1}, in}, 6, 7);
    check_convolution(&(convolution){"Conv2d", 8, 4, 4, {3, 3}, 2, {1, 1}, {1, 1}, in}, 4, 5);
    check_convolution(&(convolution){"Conv2d", 2, 4, 1, {3, 3}, 1, {1, 1}, {2, 2}, in}, 6, 7);
    check_convolution(&(convolution){"Conv2d", 2, 4, 1, {3, 5}, 1, {1, 2}, {1, 1}, in}, 8, 9);
    check_convolution(&(convolution){"Conv2d", 2, 4, 1, {5, 2}, 1, {2, 1}, {1, 2}, in}, 8, 9);
    check_convolution(&(convolution){"Conv1d", 2, 3, 1, {1, 5}, 1, {0, 2}, {1, 1}, line}, 1, 11);
    check_convolution(&(convolution){"Conv1d", 3, 3, 3, {1, 3}, 3, {0, 1}, {1, 1}, line}, 1, 4);
    check_convolution(&(convolution){"Conv1d", 2, 3, 1, {1, 1}, 2, {0, 0}, {1, 1}, line}, 1, 6);
}

static void bad_windows(void **state) {
    (void)state;
    const snn_shape in = {4, 8, 9}, line = {3, 1, 11};
    add_convolution(&(convolution){"Conv2d", 2, 4, 1, {3, 5}, 1, {1, 1}, {1, 1}, in});
    refused("node 'conv' (Conv2d): a window of 3 x 5, stride 1 x 1 and padding 1 x 1 (y, x) has no square "
            "that does the same");
    add_convolution(&(convolution){"Conv1d", 2, 3, 1, {1, 3}, 1, {0, 0}, {1, 1}, line});
    refused("node 'conv' (Conv1d): a window of 1 x 3");
    add_convolution(&(convolution){"Conv2d", 2, 4, 1, {9, 9}, 1, {0, 0}, {1, 1}, in});
    refused("node 'conv' (Conv2d): a kernel of 9 x 9 does not fit into its input of 8 x 9");
    add_convolution(&(convolution){"Conv2d", 3, 4, 2, {3, 3}, 1, {1, 1}, {1, 1}, in});
    refused(
        "node 'conv' (Conv2d): weights for 2 channels in 2 groups do not fit the 4 channels that come in");
    add_convolution(&(convolution){"Conv2d", 2, 4, 1, {3, 3}, 0, {1, 1}, {1, 1}, in});
    refused("node 'conv' (Conv2d): a kernel of 3 taps, stride 0 and dilation 1: expected 1 to 1024 of each");
    add_convolution(&(convolution){"Conv2d", 2, 4, 1, {3, 3}, 1, {-1, -1}, {1, 1}, in});
    refused("node 'conv' (Conv2d): padding is -1, expected 0 to 1024");
    add_convolution(&(convolution){"Conv2d", 2, 4, 1, {3, 3}, 1, {1, 1}, {1, 1}, in});
    integers(&nir.root.node[1], "input_shape", 2, (int64_t[]){9, 8});
    refused("node 'conv' (Conv2d): input_shape does not fit what comes in, 8 x 9");
}

static void named_padding(const char *word, int64_t stride, uint64_t kernel) {
    begin();
    ends("input", "Input", 3, (int64_t[]){1, 6, 6});
    nir_node *n = node("conv", "Conv2d");
    weights(n, 4, (uint64_t[]){1, 1, kernel, kernel});
    integer(n, "stride", stride);
    assert_true(snn_nir_add_text(n, "padding", word, &error));
    lif("n", 1);
    node("output", "Output");
}

static void words(void **state) {
    (void)state;
    named_padding("same", 1, 3);
    snn_model m = import_it();
    assert_int_equal(m.net->layer[0].padding, 1);
    assert_int_equal(m.net->layer[0].out.height, 6);
    snn_model_free(&m);
    named_padding("valid", 2, 2);
    m = import_it();
    assert_int_equal(m.net->layer[0].padding, 0);
    assert_int_equal(m.net->layer[0].out.height, 3);
    snn_model_free(&m);
    named_padding("same", 1, 2);
    refused("padding 'same' needs stride 1 and a kernel of odd extent");
    named_padding("same", 2, 3);
    refused("padding 'same' needs stride 1 and a kernel of odd extent");
    named_padding("reflect", 1, 3);
    refused("padding is 'reflect', expected numbers, 'same' or 'valid'");
}

/* ---- pools, flattening, delays ---- */

static void images(void) {
    begin();
    ends("input", "Input", 3, (int64_t[]){2, 6, 6});
}

static nir_node *pool(const char *name, const char *type) {
    nir_node *n = node(name, type);
    integers(n, "kernel_size", 2, (int64_t[]){2, 2});
    integers(n, "stride", 2, (int64_t[]){2, 2});
    integers(n, "padding", 2, (int64_t[]){0, 0});
    return n;
}

static void pools(void **state) {
    (void)state;
    begin();
    ends("input", "Input", 3, (int64_t[]){2, 8, 8});
    pool("p", "AvgPool2d");
    lif("n", 1);
    pool("q", "SumPool2d");
    each(node("t", "Threshold"), "threshold", 1, 0.5);
    nir_node *f = node("f", "Flatten");
    integer(f, "start_dim", 0);
    integer(f, "end_dim", -1);
    linear("fc", 3, 8);
    lif("m", 3);
    ends("output", "Output", 1, three);
    snn_model m = import_it();
    static const snn_layer_type type[] = {SNN_LAYER_POOL_AVERAGE, SNN_LAYER_CONV2D, SNN_LAYER_POOL_MAX,
                                          SNN_LAYER_FLATTEN, SNN_LAYER_LINEAR};
    assert_int_equal(m.net->layers, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(m.net->layer[i].type, type[i]);
    assert_int_equal(m.net->layer[1].kernel, 1); /* an identity of two channels */
    assert_int_equal(m.weights->tensor[0].count, 4);
    assert_true(m.weights->tensor[0].value[0] == 1 && m.weights->tensor[0].value[1] == 0 &&
                m.weights->tensor[0].value[3] == 1);
    snn_model_free(&m);

    images(); /* of counts: no maximum */
    pool("q", "SumPool2d");
    each(node("t", "Threshold"), "threshold", 1, 0.5);
    node("output", "Output");
    m = import_it();
    assert_int_equal(m.net->layers, 2);
    assert_int_equal(m.net->layer[0].type, SNN_LAYER_POOL_SUM);
    assert_true(m.net->layer[1].type == SNN_LAYER_CONV2D && m.net->layer[1].neuron.decay == 0 &&
                m.net->layer[1].neuron.threshold == 0.5F);
    snn_model_free(&m);

    images(); /* of spikes, but two of them are asked for */
    lif("n", 1);
    pool("q", "SumPool2d");
    each(node("t", "Threshold"), "threshold", 1, 1);
    node("output", "Output");
    m = import_it();
    assert_int_equal(m.net->layer[1].type, SNN_LAYER_POOL_SUM);
    snn_model_free(&m);

    images(); /* one integer for both directions; no stride: the kernel's */
    nir_node *n = node("p", "AvgPool2d");
    integer(n, "kernel_size", 3);
    lif("n", 1);
    node("output", "Output");
    m = import_it();
    assert_true(m.net->layer[0].kernel == 3 && m.net->layer[0].stride == 3 && m.net->layer[0].out.width == 2);
    snn_model_free(&m);
}

static void bad_pools(void **state) {
    (void)state;
    images();
    integers(node("p", "SumPool2d"), "kernel_size", 2, (int64_t[]){2, 3});
    lif("n", 1);
    refused_end("node 'p' (SumPool2d): kernel_size differs in its two directions");
    images();
    node("p", "SumPool2d");
    lif("n", 1);
    refused_end("node 'p' (SumPool2d): has no kernel_size that is one integer or two");
    images();
    nir_node *n = node("p", "SumPool2d");
    integer(n, "kernel_size", 2);
    integer(n, "padding", 1);
    refused_end("node 'p' (SumPool2d): has a padding of 1, expected 0");
    images();
    integer(node("p", "SumPool2d"), "kernel_size", 7);
    lif("n", 1);
    refused_end("a kernel of 7x7 does not fit");
    images();
    n = node("f", "Flatten");
    integer(n, "start_dim", 2);
    refused_end("node 'f' (Flatten): flattens dimensions 2 to -1, expected all of them");
}

static void delayed(double first, double second) {
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    lif("n", 3);
    nir_node *d = node("d", "Delay");
    each(d, "delay", 3, first)->number[1] = second;
    linear("fd", 3, 3);
    lif("m", 3);
}

static void delays(void **state) {
    (void)state;
    delayed(7e-4, 7e-4);
    snn_model m = finish();
    assert_int_equal(m.net->layer[0].delay, 7);
    assert_int_equal(m.net->layer[1].delay, 0);
    snn_model_free(&m);
    delayed(0, 0);
    m = finish();
    assert_int_equal(m.net->layer[0].delay, 0);
    snn_model_free(&m);
    delayed(7e-4, 8e-4);
    refused_end("node 'd' (Delay): delays differ, snnsim has one for each layer");
    delayed(7.5e-4, 7.5e-4);
    refused_end("node 'd' (Delay): a delay of 0.00075 s is not 0 to 255 time steps of 0.0001 s");
    delayed(0.0256, 0.0256);
    refused_end("node 'd' (Delay): a delay of 0.0256 s is not 0 to 255 time steps");
    delayed(-1e-4, -1e-4);
    refused_end("node 'd' (Delay): a delay of -0.0001 s is not 0 to 255 time steps");
    begin();
    ends("input", "Input", 1, four);
    each(node("d", "Delay"), "delay", 4, 1e-4);
    linear("fc", 3, 4);
    lif("n", 3);
    refused_end("node 'd' (Delay): delays the input; snnsim delays spikes");
}

/* ---- order ---- */

/* A recurrent layer: as lava, Norse and the published networks write it, or in a sub-graph as snnTorch does. */
static void recurrent(bool inside, bool with_bias) {
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    if (!inside) {
        lif("lif1.lif", 3);
        nir_node *w = side("lif1.w_rec", with_bias ? "Affine" : "Linear");
        weights(w, 2, (uint64_t[]){3, 3});
        if (with_bias)
            each(w, "bias", 3, 0.25);
        edge("lif1.w_rec", "lif1.lif");
        edge("lif1.lif", "lif1.w_rec");
        edge("lif1.lif", "lif1.w_rec"); /* snnTorch has written edges twice */
    } else {
        nir_node *g = node("lif1", "NIRGraph"), all = nir.root;
        char outer[256];
        strcpy(outer, last);
        nir.root = *g; /* what follows goes into the sub-graph */
        last[0] = 0;
        ends("input", "Input", 1, three);
        lif("lif", 3);
        ends("output", "Output", 1, three);
        nir_node *w = side("w_rec", with_bias ? "Affine" : "Linear");
        weights(w, 2, (uint64_t[]){3, 3});
        if (with_bias)
            each(w, "bias", 3, 0.25);
        edge("lif", "w_rec");
        edge("w_rec", "lif");
        *g = nir.root;
        nir.root = all;
        strcpy(last, outer);
    }
    linear("fd", 2, 3);
    lif("n", 2);
    ends("output", "Output", 1, two);
}

static void loops(void **state) {
    (void)state;
    for (int bias = 0; bias < 2; bias++) {
        recurrent(false, bias);
        snn_model a = import_it();
        recurrent(true, bias);
        snn_model b = import_it();
        assert_int_equal(a.net->layers, 2);
        assert_int_equal(a.net->tensors, 3);
        assert_true(a.net->layer[0].recurrent);
        assert_string_equal(a.weights->tensor[1].name, "fc_rec");
        assert_int_equal(a.weights->tensor[1].shape[0], 3);
        for (int i = 0; i < 9; i++)
            assert_true(a.weights->tensor[1].value[i] == (float)(((i * 37 % 101) - 50) / 64.0));
        assert_int_equal(a.net->layer[0].bias != NULL, bias);
        assert_true(!bias || a.net->layer[0].bias[2] == 0.25F);
        if (!snn_net_equal(a.net, b.net, &error))
            fail_msg("%s", error.text);
        assert_string_equal(a.digest, b.digest);
        snn_model_free(&a);
        snn_model_free(&b);
    }
}

static void bad_loops(void **state) {
    (void)state;
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    lif("n", 3);
    edge("n", "n");
    refused_end("node 'n' (LIF): its spikes come back without weights");
    recurrent(false, false);
    weights(side("w2", "Linear"), 2, (uint64_t[]){3, 3});
    edge("lif1.lif", "w2");
    edge("w2", "lif1.lif");
    refused("node 'lif1.lif' (LIF): has two recurrent connections");
    recurrent(false, false);
    edge("fc", "fd");
    refused("node 'fc' (Linear): goes to two nodes");
    recurrent(false, false);
    edge("n", "lif1.lif");
    refused("node 'lif1.lif' (LIF): takes the sum of two nodes");
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    lif("n", 3);
    weights(side("w", "Linear"), 2, (uint64_t[]){3, 2});
    edge("n", "w");
    edge("w", "n");
    refused_end("node 'w' (Linear): has weights [3][2], expected [3][3] to bring spikes back");
    images();
    lif("n", 72);
    weights(side("w", "Linear"), 2, (uint64_t[]){72, 72});
    edge("n", "w");
    edge("w", "n");
    node("output", "Output");
    refused("node 'n' (LIF): is recurrent behind a convolution or a pool");
}

static void bad_graphs(void **state) {
    (void)state;
    begin();
    linear("fc", 3, 4);
    refused_end("the graph has 0 Input nodes, expected one");
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    refused("the graph has 0 Output nodes, expected one");
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    edge("fc", "nowhere");
    refused_end("an edge names 'nowhere', which is no node of the graph");
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    lif("n", 3);
    last[0] = 0;
    refused_end("node 'n' (LIF): leads nowhere");
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    lif("n", 3);
    weights(side("alone", "Linear"), 2, (uint64_t[]){1, 1});
    refused_end("node 'alone' (Linear): is not on the path from the Input to the Output");
    begin();
    ends("input", "Input", 1, four);
    linear("fc", 3, 4);
    lif("n", 3);
    edge("input", "n");
    refused_end("node 'input' (Input): goes to two nodes");
    begin();
    ends("input", "Input", 1, (int64_t[]){0});
    linear("fc", 3, 4);
    refused_end("node 'input' (Input): shape is not 1 to 3 sizes of 1 to 134217728");
    begin();
    node("input", "Input");
    refused_end("node 'input' (Input): has no shape");
    recurrent(true, false);
    nir_node *g = &nir.root.node[2];
    assert_string_equal(g->type, "NIRGraph");
    assert_non_null(snn_nir_add_node(g, "second", "Output", &error));
    refused("node 'lif1' (NIRGraph): has 2 Output nodes, expected one");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(leaky),          cmocka_unit_test(short_times),
                                       cmocka_unit_test(own_parameters), cmocka_unit_test(integrate),
                                       cmocka_unit_test(currents),       cmocka_unit_test(leaks),
                                       cmocka_unit_test(bad_neurons),    cmocka_unit_test(biases_and_names),
                                       cmocka_unit_test(scales),         cmocka_unit_test(bad_maps),
                                       cmocka_unit_test(windows),        cmocka_unit_test(bad_windows),
                                       cmocka_unit_test(words),          cmocka_unit_test(pools),
                                       cmocka_unit_test(bad_pools),      cmocka_unit_test(delays),
                                       cmocka_unit_test(loops),          cmocka_unit_test(bad_loops),
                                       cmocka_unit_test(bad_graphs)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
