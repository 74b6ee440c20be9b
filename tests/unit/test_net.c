/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Building networks from configs and JSON: shapes, defaults, every refusal with its sentence, round trips. */
#include <snnsim/net.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const snn_shape dvs = {2, 32, 32};

/* The network of `layers` (the text between the brackets of network.layers) and `rest` of section network. */
static snn_net *build(const char *layers, const char *rest, snn_shape input, snn_error *err) {
    char text[8192];
    snprintf(
        text, sizeof text,
        "dataset = { name = \"nmnist\"; bins = 7; bin_us = 1000; };\nnetwork = { layers = (\n%s\n); %s };\n",
        layers, rest);
    snn_config *c = snn_config_parse(text, "t.cfg", err);
    if (c == NULL)
        return NULL;
    snn_net *net = snn_net_from_config(c, input, err);
    snn_config_free(c);
    return net;
}

static void refused(const char *layers, const char *rest, snn_shape input, const char *sentence) {
    snn_error err = {0};
    snn_net *net = build(layers, rest, input, &err);
    if (net != NULL)
        fail_msg("accepted: %s", layers);
    if (strstr(err.text, sentence) == NULL)
        fail_msg("expected '%s' in '%s'", sentence, err.text);
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_null(strchr(err.text, '\n'));
}

#define CONV "{ name = \"conv1\"; type = \"conv2d\"; channels = 64; kernel = 3; padding = 1; },\n"
#define POOL "{ name = \"pool1\"; type = \"pool_max\"; kernel = 2; },\n"
#define FLAT "{ name = \"flat\"; type = \"flatten\"; },\n"
#define FC "{ name = \"fc1\"; type = \"linear\"; outputs = 11; }"
#define LI "{ name = \"out\"; type = \"linear\"; outputs = 5; neuron = { type = \"li\"; decay = 0.9; }; }"

static void check_shape(snn_shape s, uint32_t c, uint32_t h, uint32_t w) {
    assert_int_equal(s.channels, c);
    assert_int_equal(s.height, h);
    assert_int_equal(s.width, w);
}

static void gesture_config(void **state) {
    (void)state;
    snn_error err;
    snn_config *c = snn_config_load("configs/gesture.cfg", &err);
    assert_non_null(c);
    snn_net *net = snn_net_from_config(c, dvs, &err);
    float decay = (float)snn_config_float(c, "network.neuron.decay");
    float threshold = (float)snn_config_float(c, "network.neuron.threshold");
    int bins = (int)snn_config_int(c, "dataset.bins");
    snn_config_free(c);
    assert_non_null(net);
    assert_int_equal(net->layers, 10);
    assert_int_equal(net->tensors, 6);
    assert_int_equal(net->classes, 11);
    assert_int_equal(net->steps, bins);
    assert_true(net->step_us == 0);
    check_shape(net->layer[0].out, 64, 32, 32);
    check_shape(net->layer[1].out, 64, 16, 16);
    check_shape(net->layer[6].out, 256, 4, 4);
    check_shape(net->layer[7].out, 4096, 1, 1);
    check_shape(net->layer[8].out, 1024, 1, 1);
    uint64_t weights = 0, shape[4];
    int dims;
    for (int i = 0; i < net->layers; i++)
        weights += snn_layer_weights(&net->layer[i], &dims, shape);
    assert_int_equal(weights, 4722816); /* as the paper's repository says */
    assert_int_equal(snn_layer_weights(&net->layer[2], &dims, shape), 128 * 64 * 9);
    assert_int_equal(dims, 4);
    assert_true(shape[0] == 128 && shape[1] == 64 && shape[2] == 3 && shape[3] == 3);
    assert_int_equal(snn_layer_fan_in(&net->layer[0]), 18);
    assert_int_equal(snn_layer_fan_in(&net->layer[1]), 4);
    assert_int_equal(snn_layer_fan_in(&net->layer[7]), 1);
    assert_int_equal(snn_layer_fan_in(&net->layer[8]), 4096);
    const int tensor[] = {0, -1, 1, -1, 2, -1, 3, -1, 4, 5};
    for (int i = 0; i < net->layers; i++)
        assert_int_equal(net->layer[i].tensor, tensor[i]);
    assert_int_equal(snn_net_find(net, "fc2"), 9);
    assert_int_equal(snn_net_find(net, "fc3"), -1);
    const snn_neuron *n = &net->layer[9].neuron;
    assert_true(n->type == SNN_NEURON_LIF && n->decay == decay && n->threshold == threshold && n->gain == 1);
    assert_int_equal(net->layer[1].neuron.type, SNN_NEURON_NONE);
    assert_null(net->layer[0].bias);
    snn_net_free(net);
}

/* out = floor((in + 2 padding - kernel) / stride) + 1, for windows that do and do not divide the input. */
static void window_shapes(void **state) {
    (void)state;
    const struct {
        const char *layer;
        uint32_t in, out;
    } cases[] = {
        {"type = \"conv2d\"; channels = 3; kernel = 3;", 7, 5},
        {"type = \"conv2d\"; channels = 3; kernel = 3; stride = 2;", 7, 3},
        {"type = \"conv2d\"; channels = 3; kernel = 3; stride = 2;", 8, 3},
        {"type = \"conv2d\"; channels = 3; kernel = 3; stride = 2; padding = 2;", 8, 5},
        {"type = \"conv2d\"; channels = 3; kernel = 7;", 7, 1},
        {"type = \"conv2d\"; channels = 3; kernel = 1; stride = 8;", 7, 1},
        {"type = \"pool_max\"; kernel = 2;", 7, 3},
        {"type = \"pool_sum\"; kernel = 4;", 7, 1},
        {"type = \"pool_average\"; kernel = 3; stride = 2;", 7, 3},
        {"type = \"pool_max\"; kernel = 7;", 7, 1},
        {"type = \"pool_max\"; kernel = 2; stride = 3;", 8, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snn_error err;
        char text[512];
        snprintf(text, sizeof text, "{ name = \"x\"; %s }, " FC, cases[i].layer);
        snn_net *net = build(text, "", (snn_shape){2, cases[i].in, cases[i].in + 1}, &err);
        assert_non_null(net);
        bool pool = strstr(cases[i].layer, "pool") != NULL;
        assert_int_equal(net->layer[0].out.height, cases[i].out);
        uint32_t k = net->layer[0].kernel;
        assert_int_equal(snn_layer_fan_in(&net->layer[0]), pool ? k * k : 2 * k * k);
        assert_int_equal(net->layer[0].out.channels, pool ? 2 : 3);
        assert_int_equal(net->layer[1].in.channels, pool ? 2 : 3);
        assert_int_equal(net->steps, 7);
        assert_true(net->step_us == 1000);
        snn_net_free(net);
    }
}

static void neuron_defaults_and_overrides(void **state) {
    (void)state;
    snn_error err;
    snn_net *net = build("{ name = \"a\"; type = \"linear\"; outputs = 4; bias = true; neuron = { threshold "
                         "= 2; reset = \"subtract\"; }; },"
                         "{ name = \"b\"; type = \"linear\"; outputs = 4; neuron = { type = \"if\"; "
                         "at_threshold = true; gain = 0.25; }; },"
                         "{ name = \"c\"; type = \"linear\"; outputs = 4; neuron = { type = \"li\"; }; }",
                         "neuron = { decay = 0.5; threshold = 0.75; };", dvs, &err);
    assert_non_null(net);
    const snn_neuron *a = &net->layer[0].neuron, *b = &net->layer[1].neuron, *c = &net->layer[2].neuron;
    assert_true(a->type == SNN_NEURON_LIF && a->decay == 0.5f && a->threshold == 2 &&
                a->reset == SNN_RESET_SUBTRACT);
    assert_true(b->type == SNN_NEURON_IF && b->decay == 1 && b->threshold == 0.75f &&
                b->reset == SNN_RESET_ZERO);
    assert_true(b->at_threshold && b->gain == 0.25f && !a->at_threshold && a->gain == 1);
    assert_true(c->type == SNN_NEURON_LI && c->decay == 0.5f);
    assert_non_null(net->layer[0].bias);
    for (int i = 0; i < 4; i++)
        assert_true(net->layer[0].bias[i] == 0);
    assert_null(net->layer[1].bias);
    snn_net_free(net);
    net = build(FC, "neuron = { type = \"if\"; };", dvs, &err);
    assert_true(net != NULL && net->layer[0].neuron.decay == 1);
    snn_net_free(net);
}

static void refuses_bad_layers(void **state) {
    (void)state;
    refused(CONV FLAT FC "," FC, "", dvs, "layer 4: the name 'fc1' is used twice");
    refused("{ name = \"a b\"; type = \"flatten\"; }, " FC, "", dvs,
            "'a b' is no name: expected 1 to 31 letters, digits, '_' and '-'");
    refused("{ name = \"\"; type = \"flatten\"; }, " FC, "", dvs, "'' is no name");
    refused("{ name = \"abcdefghijklmnopqrstuvwxyz012345\"; type = \"flatten\"; }, " FC, "", dvs,
            "is no name");
    refused("{ type = \"flatten\"; }, " FC, "", dvs, "needs `name`");
    refused("{ name = \"a\"; }, " FC, "", dvs, "needs `type`");
    refused("{ name = \"a\"; type = \"linear\"; }", "", dvs, "a linear layer needs `outputs`");
    refused("{ name = \"a\"; type = \"conv2d\"; kernel = 3; }", "", dvs, "a conv2d layer needs `channels`");
    refused("{ name = \"a\"; type = \"conv2d\"; channels = 3; }", "", dvs, "a conv2d layer needs `kernel`");
    refused("{ name = \"a\"; type = \"pool_max\"; }, " FC, "", dvs, "a pool_max layer needs `kernel`");
    refused("{ name = \"a\"; type = \"linear\"; outputs = 3; kernel = 3; }", "", dvs,
            "a linear layer has no `kernel`");
    refused("{ name = \"a\"; type = \"pool_max\"; kernel = 2; padding = 1; }, " FC, "", dvs,
            "a pool_max layer has no `padding`");
    refused("{ name = \"a\"; type = \"pool_sum\"; kernel = 2; neuron = { decay = 0.5; }; }, " FC, "", dvs,
            "a pool_sum layer has no `neuron");
    refused("{ name = \"a\"; type = \"flatten\"; bias = true; }, " FC, "", dvs,
            "a flatten layer has no `bias`");
    refused("{ name = \"a\"; type = \"flatten\"; }, { name = \"c\"; type = \"conv2d\"; channels = 2; kernel "
            "= 1; }",
            "", dvs, "layer 'c' (conv2d): 'a' has flattened its input");
    refused("{ name = \"a\"; type = \"flatten\"; }, { name = \"p\"; type = \"pool_sum\"; kernel = 1; }, " FC,
            "", dvs, "layer 'p' (pool_sum): 'a' has flattened its input");
    refused("", "", dvs, "the network has no layers");
    refused(FC "," POOL "{ name = \"x\"; type = \"flatten\"; }", "", (snn_shape){2, 2, 2},
            "layer 'pool1' (pool_max): a kernel of 2x2 does not fit into its input of 1x1");
    refused(CONV "{ name = \"p\"; type = \"pool_max\"; kernel = 2; }", "", dvs,
            "the last layer, 'p' (pool_max), has no neurons to read out");
    refused(LI "," FC, "", dvs,
            "layer 'out' has li neurons, which never spike: it must be the last layer, but 'fc1'");
    refused("{ name = \"a\"; type = \"linear\"; outputs = 3; neuron = { type = \"if\"; decay = 0.5; }; }", "",
            dvs, "an `if` neuron does not leak");
    refused(FC, "neuron = { type = \"if\"; decay = 0.5; };", dvs, "an `if` neuron does not leak");
}

static void errors_name_the_line(void **state) {
    (void)state;
    refused(CONV "{ name = \"big\"; type = \"conv2d\"; channels = 2; kernel = 35; },\n" FC, "", dvs,
            "t.cfg:4");
    refused(CONV "{ name = \"big\"; type = \"conv2d\"; channels = 2; kernel = 35; },\n" FC, "", dvs,
            "a kernel of 35x35 does not fit into its input of 32x32");
    refused("{ name = \"c\"; type = \"conv2d\"; channels = 2; kernel = 7; padding = 2; }", "",
            (snn_shape){1, 2, 9}, "a kernel of 7x7 does not fit into its input of 6x13 (padding included)");
    refused("{ name = \"c\"; type = \"conv2d\"; channels = 2; kernel = 3; padding = 3; }", "", dvs,
            "padding 3 must be smaller than the kernel, 3");
}

/* Exactly at the limits of 2^27 neurons and 2^31-1 weights, and one beyond. */
static void size_limits(void **state) {
    (void)state;
    snn_error err;
    snn_net *net = build("{ name = \"a\"; type = \"linear\"; outputs = 134217728; },"
                         "{ name = \"b\"; type = \"linear\"; outputs = 15; }",
                         "", (snn_shape){15, 1, 1}, &err);
    assert_non_null(net);
    uint64_t n = snn_layer_weights(&net->layer[0], NULL, NULL);
    assert_int_equal(n, 2013265920);
    snn_net_free(net);
    refused("{ name = \"a\"; type = \"linear\"; outputs = 134217728; }", "", (snn_shape){16, 1, 1},
            "134217728 outputs with 16 inputs each need more than 2147483647 weights");
    /* 2^31-1 is a prime, so it can only be reached as 1 x (2^31-1): 46340 x 46341 is the nearest product of two. */
    net = build("{ name = \"a\"; type = \"linear\"; outputs = 46340; }", "", (snn_shape){46341, 1, 1}, &err);
    assert_non_null(net);
    snn_net_free(net);
    refused("{ name = \"a\"; type = \"linear\"; outputs = 46341; }", "", (snn_shape){46341, 1, 1},
            "more than 2147483647");
    refused("{ name = \"a\"; type = \"conv2d\"; channels = 65536; kernel = 1024; }", "",
            (snn_shape){65536, 1024, 1}, "does not fit");
    refused("{ name = \"a\"; type = \"conv2d\"; channels = 65536; kernel = 1; }", "", (snn_shape){1, 2049, 1},
            "output of 65536 x 2049 x 1, expected 1 to 134217728 neurons");
    refused("{ name = \"a\"; type = \"conv2d\"; channels = 2048; kernel = 1024; }", "",
            (snn_shape){2, 1024, 1024}, "more than 2147483647 weights");
    refused(FC, "", (snn_shape){0, 1, 1}, "t.cfg: input of 0 x 1 x 1");
    refused(FC, "", (snn_shape){65536, 65536, 65536}, "expected 1 to 134217728 input lines");
    refused(FC, "", (snn_shape){1, 1, 134217729}, "expected 1 to 134217728 input lines");
}

/* ---- JSON ---- */

static snn_net *example(void) {
    snn_error err;
    snn_net *net = build("{ name = \"c-1\"; type = \"conv2d\"; channels = 4; kernel = 3; stride = 2; padding "
                         "= 1; bias = true; },"
                         "{ name = \"p_1\"; type = \"pool_average\"; kernel = 3; stride = 2; }, " FLAT
                         "{ name = \"f\"; type = \"linear\"; outputs = 6; neuron = { type = \"if\"; reset = "
                         "\"subtract\"; at_threshold = true; }; }," LI,
                         "neuron = { decay = 0.1; threshold = 0.7; gain = 3.3; };", dvs, &err);
    assert_non_null(net);
    const float biases[] = {0.1f, -3.4028234e38f, 1.1754944e-38f, 0};
    memcpy(net->layer[0].bias, biases, sizeof biases);
    return net;
}

static void json_round_trip(void **state) {
    (void)state;
    snn_error err;
    snn_net *net = example();
    char *json = snn_net_to_json(net, &err);
    assert_non_null(json);
    assert_null(strchr(json, '\n'));
    snn_net *back = snn_net_from_json(json, "x.h5", &err);
    assert_non_null(back);
    assert_true(snn_net_equal(net, back, &err));
    assert_int_equal(back->classes, 5);
    assert_int_equal(back->tensors, 3);
    assert_int_equal(back->steps, 7);
    assert_true(back->step_us == 1000);
    for (int i = 0; i < net->layers; i++) {
        assert_string_equal(net->layer[i].name, back->layer[i].name);
        assert_int_equal(net->layer[i].tensor, back->layer[i].tensor);
        assert_memory_equal(&net->layer[i].neuron.decay, &back->layer[i].neuron.decay, sizeof(float));
    }
    assert_memory_equal(net->layer[0].bias, back->layer[0].bias, 4 * sizeof(float));
    char *again = snn_net_to_json(back, &err);
    assert_string_equal(json, again);
    free(again);
    free(json);
    snn_net_free(back);
    net->layer[0].bias[2] = NAN;
    assert_null(snn_net_to_json(net, &err));
    assert_non_null(strstr(err.text, "layer 'c-1': bias 2 is nan"));
    snn_net_free(net);
}

static void json_refused(const char *json, const char *sentence) {
    snn_error err = {0};
    snn_net *net = snn_net_from_json(json, "x.h5", &err);
    if (net != NULL)
        fail_msg("accepted: %s", json);
    if (strstr(err.text, sentence) == NULL)
        fail_msg("expected '%s' in '%s'", sentence, err.text);
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_true(strncmp(err.text, "x.h5: ", 6) == 0);
}

#define HEAD "{\"format\":1,\"input\":[2,4,4],\"steps\":0,\"step_us\":0,\"layers\":["
#define NEURON                                                                                               \
    "\"neuron\":{\"type\":\"lif\",\"decay\":0.5,\"threshold\":1,\"reset\":\"zero\",\"at_threshold\":false,"  \
    "\"gain\":1}"
#define LAST "{\"name\":\"z\",\"type\":\"linear\",\"outputs\":3," NEURON "}]}"

static void json_hostile(void **state) {
    (void)state;
    snn_error err;
    snn_net *net = snn_net_from_json(HEAD LAST, "x.h5", &err); /* the base of all that follows is fine */
    assert_non_null(net);
    snn_net_free(net);
    net = snn_net_from_json("{\"format\":1,\"input\":[1,1,1],\"steps\":65535,\"step_us\":0,\"layers\":[" LAST,
                            "x.h5", &err);
    assert_true(net != NULL && net->steps == 65535);
    snn_net_free(net);
    net = snn_net_from_json("{\"format\":1,\"input\":[1,1024,1024],\"steps\":0,\"step_us\":0,\"layers\":["
                            "{\"name\":\"a\",\"type\":\"pool_max\",\"kernel\":1024,\"stride\":1024}," LAST,
                            "x.h5", &err);
    assert_true(net != NULL && net->layer[0].out.height == 1);
    snn_net_free(net);
    json_refused("", "not JSON");
    json_refused("{\"format\":1,\"format\":1}", "not JSON");
    json_refused("[]", "expected an object");
    json_refused("{}", "'format': expected a whole number");
    json_refused("{\"format\":3}", "format 3 is not known");
    json_refused("{\"format\":-1}", "'format': expected a whole number from 0");
    json_refused("{\"format\":1.0}", "'format': expected a whole number");
    json_refused("{\"format\":1,\"x\":2}", "'x': expected no such key here");
    json_refused("{\"format\":1,\"input\":[2,4],\"steps\":0,\"step_us\":0,\"layers\":[]}",
                 "'input': expected [");
    json_refused("{\"format\":1,\"input\":[2,4,0],\"steps\":0,\"step_us\":0,\"layers\":[]}",
                 "'input': expected [");
    json_refused("{\"format\":1,\"input\":[2,4,4294967296],\"steps\":0,\"step_us\":0,\"layers\":[]}",
                 "'input': expected [");
    json_refused("{\"format\":1,\"input\":[65536,65536,1],\"steps\":0,\"step_us\":0,\"layers\":[]}",
                 "input of 65536 x 65536");
    json_refused("{\"format\":1,\"input\":[1,1,1],\"steps\":65536,\"step_us\":0,\"layers\":[]}", "'steps'");
    json_refused("{\"format\":1,\"input\":[1,1,1],\"steps\":0,\"step_us\":-1,\"layers\":[]}",
                 "time steps of -1 us");
    json_refused("{\"format\":1,\"input\":[1,1,1],\"steps\":0,\"step_us\":\"0\",\"layers\":[]}",
                 "'step_us': expected a number");
    json_refused("{\"format\":1,\"input\":[1,1,1],\"steps\":0,\"step_us\":1e999,\"layers\":[]}", "not JSON");
    json_refused("{\"format\":1,\"input\":[1,1,1],\"steps\":0,\"step_us\":0,\"layers\":7}",
                 "'layers': expected a list");
    json_refused(HEAD "]}", "the network has no layers");
    json_refused(HEAD "7]}", "layer 1: 'layers': expected objects");
    json_refused(HEAD "{\"name\":7}]}", "layer 1: 'name': expected a string");
    json_refused(HEAD "{\"name\":\"a/b\",\"type\":\"flatten\"}," LAST, "'name': expected 1 to 31 letters");
    json_refused(HEAD "{\"name\":\"..\",\"type\":\"flatten\"}," LAST, "'name': expected 1 to 31 letters");
    json_refused(HEAD "{\"name\":\"z\",\"type\":\"flatten\"}," LAST, "layer 2: the name 'z' is used twice");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"dense\"}," LAST,
                 "layer 1: 'type': expected linear, conv2d");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"flatten\",\"kernel\":2}," LAST,
                 "'kernel': expected no such key");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"pool_max\",\"kernel\":2}," LAST,
                 "'stride': expected a whole number");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"pool_max\",\"kernel\":2,\"stride\":0}," LAST,
                 "'stride': expected at least 1");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"pool_max\",\"kernel\":0,\"stride\":1}," LAST,
                 "kernel is 0, expected 1 to 1024");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"pool_max\",\"kernel\":1025,\"stride\":1}," LAST,
                 "from 0 to 1024");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"pool_max\",\"kernel\":5,\"stride\":1}," LAST,
                 "5x5 does not fit into its input of 4x4");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"linear\",\"outputs\":0," NEURON "}]}",
                 "output of 0 x 1 x 1");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"linear\",\"outputs\":134217729," NEURON "}]}",
                 "from 0 to 134217728");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"linear\",\"outputs\":134217728," NEURON "}]}",
                 "more than 2147483647 weights");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"linear\",\"outputs\":3}]}", "'neuron': expected an object");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"linear\",\"outputs\":3,\"bias\":[1,2]," NEURON "}]}",
                 "'bias': expected one number per output");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"linear\",\"outputs\":3,\"bias\":3," NEURON "}]}",
                 "'bias': expected one number per output");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"linear\",\"outputs\":2,\"bias\":[1,\"2\"]," NEURON "}]}",
                 "'bias': expected numbers");
    json_refused(HEAD "{\"name\":\"a\",\"type\":\"linear\",\"outputs\":2,\"bias\":[1,1e39]," NEURON "}]}",
                 "'bias': expected numbers within float32");
}

/* One field of the neuron replaced. */
static void json_bad_neuron(const char *from, const char *to, const char *sentence) {
    char text[1024], *at = NULL;
    snprintf(text, sizeof text, "%s", HEAD LAST);
    at = strstr(text, from);
    assert_non_null(at);
    char rest[1024];
    snprintf(rest, sizeof rest, "%s", at + strlen(from));
    snprintf(at, sizeof text - (size_t)(at - text), "%s%s", to, rest);
    json_refused(text, sentence);
}

static void json_hostile_neurons(void **state) {
    (void)state;
    json_bad_neuron("\"lif\"", "\"none\"", "'type': expected lif, if or li");
    json_bad_neuron("\"lif\"", "7", "'type': expected a string");
    json_bad_neuron("\"lif\"", "\"if\"", "'decay': expected 1");
    json_bad_neuron("\"decay\":0.5", "\"decay\":1.0000001", "decay is 1, expected 0 to 1");
    json_bad_neuron("\"decay\":0.5", "\"decay\":-0.1", "decay is -0.1");
    json_bad_neuron("\"decay\":0.5", "\"decay\":\"x\"", "'decay': expected a number");
    json_bad_neuron("\"decay\":0.5,", "", "'decay': expected a number");
    json_bad_neuron("\"threshold\":1", "\"threshold\":0", "threshold is 0, expected a positive number");
    json_bad_neuron("\"threshold\":1", "\"threshold\":1e39", "'threshold': expected a number within float32");
    json_bad_neuron("\"zero\"", "\"one\"", "'reset': expected zero or subtract");
    json_bad_neuron("false", "0", "'at_threshold': expected true or false");
    json_bad_neuron("\"gain\":1", "\"gain\":-1", "gain is -1, expected a positive number");
    json_bad_neuron("\"gain\":1", "\"gain\":1,\"tau\":3", "'tau': expected no such key");
}

static void json_too_deep_or_long(void **state) {
    (void)state;
    enum { DEEP = 100000 };
    char *text = malloc(DEEP + 1);
    assert_non_null(text);
    memset(text, '[', DEEP);
    text[DEEP] = '\0';
    json_refused(text, "not JSON");
    free(text);
    /* 1024 layers are the most. */
    const char *flat = "{\"name\":\"l%d\",\"type\":\"flatten\"},";
    size_t size = 1100 * 48, at = 0;
    text = malloc(size);
    assert_non_null(text);
    at = (size_t)snprintf(text, size, "%s", HEAD);
    for (int i = 0; i < 1024; i++)
        at += (size_t)snprintf(text + at, size - at, flat, i);
    snprintf(text + at, size - at, "%s", LAST);
    json_refused(text, "more than 1024 layers");
    free(text);
}

/* ---- equality ---- */

static void equality(void **state) {
    (void)state;
    snn_error err;
    snn_net *a = example();
    struct {
        size_t offset; /* of the field in layer `layer` */
        int layer;
        uint32_t value;
        const char *what;
    } cases[] = {
        {offsetof(snn_layer, kernel), 0, 5, "layer 1 ('c-1'): kernel 3 against 5"},
        {offsetof(snn_layer, stride), 0, 5, "stride 2 against 5"},
        {offsetof(snn_layer, padding), 0, 2, "padding 1 against 2"},
        {offsetof(snn_layer, out.channels), 3, 7, "layer 4 ('f'): output 6x1x1 against 7x1x1"},
        {offsetof(snn_layer, type), 1, SNN_LAYER_POOL_SUM, "layer 2 ('p_1'): pool_average against pool_sum"},
        {offsetof(snn_layer, neuron.type), 0, SNN_NEURON_IF, "neuron lif against if"},
        {offsetof(snn_layer, neuron.reset), 3, SNN_RESET_ZERO, "reset subtract against zero"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snn_net *b = snn_net_copy(a, &err);
        assert_non_null(b);
        assert_true(snn_net_equal(a, b, &err));
        memcpy((char *)&b->layer[cases[i].layer] + cases[i].offset, &cases[i].value, sizeof(uint32_t));
        assert_false(snn_net_equal(a, b, &err));
        assert_non_null(strstr(err.text, cases[i].what));
        assert_int_equal(err.code, SNN_ERR_DATA);
        snn_net_free(b);
    }
    snn_net *b = snn_net_copy(a, &err);
    assert_ptr_not_equal(a->layer[0].bias, b->layer[0].bias);
    assert_memory_equal(a->layer[0].bias, b->layer[0].bias, 4 * sizeof(float));
    strcpy(b->layer[0].name, "other"); /* names and values of biases are not topology */
    b->layer[0].bias[1] = 7;
    b->layer[4].neuron.threshold = 9; /* nor is the threshold of an li neuron */
    assert_true(snn_net_equal(a, b, &err));
    const size_t floats[] = {offsetof(snn_neuron, decay), offsetof(snn_neuron, threshold),
                             offsetof(snn_neuron, gain)};
    for (int i = 0; i < 3; i++) {
        float *field = (float *)(void *)((char *)&b->layer[0].neuron + floats[i]), old = *field;
        *field = nextafterf(old, 2);
        assert_false(snn_net_equal(a, b, &err));
        *field = old;
    }
    b->layer[0].neuron.at_threshold = true;
    assert_false(snn_net_equal(a, b, &err));
    b->layer[0].neuron.at_threshold = false;
    b->input.width++;
    assert_false(snn_net_equal(a, b, &err));
    b->input.width--;
    free(b->layer[0].bias);
    b->layer[0].bias = NULL;
    assert_false(snn_net_equal(a, b, &err));
    assert_non_null(strstr(err.text, "one has biases"));
    b->layers--;
    assert_false(snn_net_equal(a, b, &err));
    assert_non_null(strstr(err.text, "5 layers against 4"));
    snn_net_free(b);
    snn_net_free(a);
    snn_net_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gesture_config),
        cmocka_unit_test(window_shapes),
        cmocka_unit_test(neuron_defaults_and_overrides),
        cmocka_unit_test(refuses_bad_layers),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(size_limits),
        cmocka_unit_test(json_round_trip),
        cmocka_unit_test(json_hostile),
        cmocka_unit_test(json_hostile_neurons),
        cmocka_unit_test(json_too_deep_or_long),
        cmocka_unit_test(equality),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
