/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks with recurrent layers, delays, later starts, cuba_lif and alif neurons and parameters of each neuron: from configs, from and to JSON, their tensors, comparison and copies. */
#include <snnsim/snnsim.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static snn_net *build(const char *layers, const char *rest, snn_error *err) {
    char text[8192];
    snprintf(text, sizeof text,
             "dataset = { name = \"nmnist\"; bins = 7; bin_us = 1000; };\nnetwork = { layers = (%s); %s };\n",
             layers, rest);
    snn_config *c = snn_config_parse(text, "t.cfg", err);
    snn_net *net = c ? snn_net_from_config(c, (snn_shape){2, 3, 3}, err) : NULL;
    snn_config_free(c);
    return net;
}

static snn_net *must_build(const char *layers, const char *rest) {
    snn_error err = {0};
    snn_net *net = build(layers, rest, &err);
    if (!net)
        fail_msg("%s", err.text);
    return net;
}

static void refused(const char *layers, const char *rest, const char *sentence) {
    snn_error err = {0};
    if (build(layers, rest, &err))
        fail_msg("accepted: %s", layers);
    if (!strstr(err.text, sentence) || !strstr(err.text, "t.cfg"))
        fail_msg("expected '%s' in '%s'", sentence, err.text);
    assert_int_equal(err.code, SNN_ERR_USAGE);
}

#define FC "{ name = \"fc1\"; type = \"linear\"; outputs = 5; "
#define OUT "{ name = \"out\"; type = \"linear\"; outputs = 3; }"
#define LI "{ name = \"out\"; type = \"linear\"; outputs = 3; neuron = { type = \"li\"; }; }"

static void defaults(void **state) {
    (void)state;
    snn_net *net = must_build(FC "neuron = { type = \"cuba_lif\"; }; }, { name = \"b\"; type = \"linear\"; "
                                 "outputs = 2; neuron = { type = \"alif\"; }; }," OUT,
                              "");
    const snn_layer *l = net->layer;
    assert_int_equal(l[0].neuron.type, SNN_NEURON_CUBA);
    assert_true(l[0].neuron.current_decay == 0.5f && l[0].neuron.current_gain == 1 &&
                !l[0].neuron.membrane_bias);
    assert_true(l[1].neuron.type == SNN_NEURON_ALIF && l[1].neuron.adapt_decay == 0.95f &&
                l[1].neuron.adapt == 1.8f);
    for (int i = 0; i < 3; i++)
        assert_true(!l[i].recurrent && l[i].delay == 0 && l[i].start == 0 && l[i].neuron.refractory == 0);
    assert_true(net->readout == SNN_READOUT_SUM && !net->fixed);
    assert_false(snn_net_plain(net));
    snn_net_free(net);
    net = must_build(FC "}," OUT, "");
    assert_true(snn_net_plain(net));
    snn_net_free(net);
}

static void every_key(void **state) {
    (void)state;
    snn_net *net = must_build(
        FC "recurrent = true; delay = 255; start = 65535; bias = true; neuron = { type = \"cuba_lif\"; "
           "current_decay = 0.25; membrane_bias = true; refractory = 7; }; },"
           "{ name = \"b\"; type = \"linear\"; outputs = 2; delay = 1; neuron = { type = \"alif\"; "
           "adapt_decay = 0.5; adapt = 0; }; }," LI,
        "neuron = { current_gain = 2.0; refractory = 9; }; readout = \"softmax\";");
    const snn_layer *l = net->layer;
    assert_true(l[0].recurrent && l[0].delay == 255 && l[0].start == 65535);
    assert_true(l[0].neuron.current_decay == 0.25f && l[0].neuron.current_gain == 2 &&
                l[0].neuron.membrane_bias && l[0].neuron.refractory == 7);
    assert_true(l[1].delay == 1 && l[1].neuron.adapt_decay == 0.5f && l[1].neuron.adapt == 0);
    assert_int_equal(l[1].neuron.refractory, 0); /* inherited by those that have it */
    assert_int_equal(l[2].neuron.refractory, 0);
    assert_int_equal(net->readout, SNN_READOUT_SOFTMAX);
    snn_net_free(net);
}

/* Keys that would do nothing, and what cannot be. */
static void refusals(void **state) {
    (void)state;
    static const char *const cuba[] = {"current_decay = 0.5", "current_gain = 1.0", "membrane_bias = true"},
                             *const alif[] = {"adapt_decay = 0.5", "adapt = 1.0"};
    static const char *const others[] = {"lif", "if", "li", "alif"};
    char text[300], sentence[80];
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 4; i++) {
            snprintf(text, sizeof text, FC "neuron = { type = \"%s\"; %s; }; }", others[i], cuba[k]);
            snprintf(sentence, sizeof sentence, "a `%s` neuron has no `%.*s`", others[i],
                     (int)strcspn(cuba[k], " "), cuba[k]);
            refused(text, "", sentence);
        }
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 4; i++) {
            const char *type = i == 3 ? "cuba_lif" : others[i];
            snprintf(text, sizeof text, FC "neuron = { type = \"%s\"; %s; }; }", type, alif[k]);
            snprintf(sentence, sizeof sentence, "a `%s` neuron has no `%.*s`", type,
                     (int)strcspn(alif[k], " "), alif[k]);
            refused(text, "", sentence);
        }
    refused(FC "neuron = { type = \"li\"; refractory = 1; }; }", "", "a `li` neuron has no `refractory`");
    refused(FC "neuron = { type = \"alif\"; refractory = 1; }; }", "", "a `alif` neuron has no `refractory`");
    refused(FC "neuron = { type = \"alif\"; reset = \"zero\"; }; }", "", "a `alif` neuron has no `reset`");
    refused(FC "neuron = { type = \"alif\"; at_threshold = true; }; }", "",
            "a `alif` neuron has no `at_threshold`");
    refused(FC "}", "neuron = { adapt = 1.0; };", "a `lif` neuron has no `adapt`");
    snn_net_free(must_build(FC "neuron = { type = \"if\"; }; }, { name = \"b\"; type = \"linear\"; outputs = "
                               "3; neuron = { type = \"alif\"; }; }",
                            "neuron = { adapt = 1.0; };")); /* meant for b */
    refused("{ name = \"c\"; type = \"conv2d\"; channels = 2; kernel = 2; recurrent = true; }", "",
            "a conv2d layer has no `recurrent`");
    refused("{ name = \"p\"; type = \"pool_max\"; kernel = 2; delay = 1; }," OUT, "",
            "a pool_max layer has no `delay`");
    refused("{ name = \"p\"; type = \"flatten\"; start = 1; }," OUT, "", "a flatten layer has no `start`");
    refused(
        "{ name = \"out\"; type = \"linear\"; outputs = 3; recurrent = true; neuron = { type = \"li\"; }; }",
        "", "only linear layers that spike are recurrent");
    refused("{ name = \"out\"; type = \"linear\"; outputs = 3; delay = 1; neuron = { type = \"li\"; }; }", "",
            "delay is 1, expected 0");
    refused(FC "delay = 256; }", "", "256");
    refused(FC "start = 65536; }", "", "65536");
    refused(FC "}", "readout = \"softmax\";", "a softmax is read out of li neurons only");
    refused(FC "recurrent = true; }, { name = \"fc1_rec\"; type = \"linear\"; outputs = 3; }", "", "'_rec'");
    refused("{ name = \"abcdefghijklmnopqrstuvwxyz01\"; type = \"linear\"; outputs = 3; recurrent = true; }",
            "", "at most 27 characters");
    refused("{ name = \"a\"; type = \"linear\"; outputs = 46341; recurrent = true; }", "",
            "46341 recurrent neurons need more than 2147483647 weights");
}

/* ---- tensors ---- */

static void tensors(void **state) {
    (void)state;
    snn_net *net =
        must_build(FC "recurrent = true; }, { name = \"f\"; type = \"linear\"; outputs = 4; }," OUT, "");
    char name[SNN_NAME];
    static const char *const names[] = {"fc1", "fc1_rec", "f", "out"};
    static const uint64_t shapes[][2] = {{5, 18}, {5, 5}, {4, 5}, {3, 4}};
    assert_int_equal(net->tensors, 4);
    for (int t = 0; t < 4; t++) {
        int dims;
        uint64_t shape[4];
        bool recurrent;
        assert_string_equal(snn_net_tensor_name(net, t, name), names[t]);
        assert_int_equal(snn_net_find_tensor(net, names[t]), t);
        assert_int_equal(snn_net_tensor_weights(net, t, &dims, shape), shapes[t][0] * shapes[t][1]);
        assert_true(dims == 2 && shape[0] == shapes[t][0] && shape[1] == shapes[t][1]);
        assert_ptr_equal(snn_net_tensor_layer(net, t, &recurrent), &net->layer[t == 0 ? 0 : t - 1]);
        assert_int_equal(recurrent, t == 1);
        const snn_layer view = snn_net_tensor_view(net, t);
        assert_int_equal(snn_shape_size(view.in), shape[1]);
        assert_int_equal(snn_shape_size(view.out), shape[0]);
        assert_int_equal(view.tensor, t);
        assert_false(view.recurrent);
    }
    assert_int_equal(snn_net_find_tensor(net, "f_rec"), -1);
    assert_int_equal(snn_layer_recurrent_tensor(&net->layer[0]), 1);
    assert_int_equal(snn_layer_recurrent_tensor(&net->layer[1]), -1);
    snn_net_free(net);
}

/* ---- JSON ---- */

#define NEURON                                                                                               \
    "\"neuron\":{\"type\":\"%s\",\"decay\":0.5,\"threshold\":%s,\"reset\":\"zero\",\"at_threshold\":false,"  \
    "\"gain\":1%s}"
#define HEAD                                                                                                 \
    "{\"format\":%d,\"input\":[4,1,1],\"steps\":0,\"step_us\":0,\"layers\":[{\"name\":\"a\",\"type\":"       \
    "\"linear\",\"outputs\":3%s," NEURON "}]%s}"
#define LAYER ",\"recurrent\":false,\"delay\":0,\"start\":0"
#define NET ",\"readout\":\"sum\",\"fixed\":false"

static snn_net *parse(int format, const char *layer, const char *type, const char *threshold,
                      const char *more, const char *rest, snn_error *err) {
    char text[2000];
    snprintf(text, sizeof text, HEAD, format, layer, type, threshold, more, rest);
    return snn_net_from_json(text, "x.h5", err);
}

static void json_refused(int format, const char *layer, const char *type, const char *threshold,
                         const char *more, const char *rest, const char *sentence) {
    snn_error err = {0};
    if (parse(format, layer, type, threshold, more, rest, &err))
        fail_msg("accepted, expected: %s", sentence);
    if (!strstr(err.text, sentence) || strncmp(err.text, "x.h5: network", 13) != 0)
        fail_msg("expected '%s' in '%s'", sentence, err.text);
    assert_int_equal(err.code, SNN_ERR_DATA);
}

static void json_hostile(void **state) {
    (void)state;
    snn_error err = {0};
    snn_net *net = parse(1, "", "lif", "1", "", "", &err);
    assert_non_null(net);
    snn_net_free(net);
    net = parse(2, LAYER, "lif", "[1,2,3]", ",\"refractory\":65535", NET, &err);
    if (!net)
        fail_msg("%s", err.text);
    assert_true(snn_layer_param(&net->layer[0], SNN_PARAM_THRESHOLD, 2) == 3 &&
                net->layer[0].neuron.refractory == 65535);
    snn_net_free(net);
    /* nothing of format 2 in format 1 */
    json_refused(1, ",\"delay\":1", "lif", "1", "", "", "layer 1: 'delay': expected no such key here");
    json_refused(1, "", "lif", "1", ",\"refractory\":1", "", "'refractory': expected no such key here");
    json_refused(1, "", "lif", "[1,1,1]", "", "", "'threshold': expected a number");
    json_refused(1, "", "cuba_lif", "1", "", "", "'type': expected lif, if or li");
    json_refused(1, "", "alif", "1", "", "", "'type': expected lif, if or li");
    json_refused(1, "", "lif", "1", "", ",\"fixed\":true", "'fixed': expected no such key here");
    /* everything of it in format 2 */
    json_refused(2, LAYER, "lif", "1", ",\"refractory\":0", "", "'readout': expected a string");
    json_refused(2, LAYER, "lif", "1", ",\"refractory\":0", ",\"readout\":\"max\",\"fixed\":false",
                 "'readout': expected sum or softmax");
    json_refused(2, LAYER, "lif", "1", ",\"refractory\":0", ",\"readout\":\"sum\",\"fixed\":1",
                 "'fixed': expected true or false");
    json_refused(2, LAYER, "lif", "1", ",\"refractory\":0", ",\"readout\":\"softmax\",\"fixed\":false",
                 "a softmax is read out of li");
    json_refused(2, "", "lif", "1", ",\"refractory\":0", NET, "'recurrent': expected true or false");
    json_refused(2, ",\"recurrent\":0,\"delay\":0,\"start\":0", "lif", "1", ",\"refractory\":0", NET,
                 "'recurrent': expected true or false");
    json_refused(2, ",\"recurrent\":true,\"delay\":256,\"start\":0", "lif", "1", ",\"refractory\":0", NET,
                 "'delay': expected a whole number from 0 to 255");
    json_refused(2, ",\"recurrent\":true,\"delay\":0,\"start\":65536", "lif", "1", ",\"refractory\":0", NET,
                 "'start': expected a whole number from 0 to 65535");
    json_refused(2, ",\"recurrent\":true,\"delay\":0", "lif", "1", ",\"refractory\":0", NET, "'start'");
    json_refused(2, LAYER, "lif", "1", "", NET, "'refractory': expected a whole number");
    json_refused(2, LAYER, "lif", "1", ",\"refractory\":65536", NET, "'refractory'");
    json_refused(2, LAYER, "li", "1", ",\"refractory\":0", NET, "'refractory': expected no such key");
    json_refused(2, LAYER, "elif", "1", ",\"refractory\":0", NET,
                 "'type': expected lif, if, li, cuba_lif or alif");
    json_refused(2, LAYER, "lif", "[1,2]", ",\"refractory\":0", NET,
                 "'threshold': expected one number per neuron");
    json_refused(2, LAYER, "lif", "[1,2,3,4]", ",\"refractory\":0", NET,
                 "'threshold': expected one number per neuron");
    json_refused(2, LAYER, "lif", "[]", ",\"refractory\":0", NET,
                 "'threshold': expected one number per neuron");
    json_refused(2, LAYER, "lif", "[1,\"2\",3]", ",\"refractory\":0", NET,
                 "'threshold': expected numbers within float32");
    json_refused(2, LAYER, "lif", "[1,1e300,3]", ",\"refractory\":0", NET,
                 "'threshold': expected numbers within float32");
    json_refused(2, LAYER, "lif", "[1,-2,3]", ",\"refractory\":0", NET, "threshold of a neuron is -2");
    json_refused(2, LAYER, "cuba_lif", "1", ",\"refractory\":0,\"membrane_bias\":false,\"current_gain\":1",
                 NET, "'current_decay': expected a number");
    json_refused(2, LAYER, "cuba_lif", "1",
                 ",\"refractory\":0,\"membrane_bias\":false,\"current_gain\":1,\"current_decay\":1.5", NET,
                 "current_decay is 1.5");
    json_refused(2, LAYER, "cuba_lif", "1",
                 ",\"refractory\":0,\"membrane_bias\":false,\"current_gain\":[1,0,1],\"current_decay\":1",
                 NET, "current_gain of a neuron is 0");
    json_refused(2, LAYER, "cuba_lif", "1", ",\"refractory\":0,\"current_gain\":1,\"current_decay\":1", NET,
                 "'membrane_bias': expected true or false");
    json_refused(2, LAYER, "alif", "1", ",\"adapt\":1", NET, "'adapt_decay': expected a number");
    json_refused(2, LAYER, "alif", "1", ",\"adapt\":-1,\"adapt_decay\":0.5", NET, "adapt is -1");
    json_refused(2, LAYER, "alif", "1", ",\"adapt\":[1,1,1],\"adapt_decay\":0.5", NET,
                 "'adapt': expected a number");
    json_refused(2, LAYER, "alif", "1", ",\"adapt\":1,\"adapt_decay\":0.5,\"refractory\":0", NET,
                 "'refractory': expected no such key");
}

/* The whole network through JSON and back, and its copy; each difference is found. */
static void round_trip(void **state) {
    (void)state;
    snn_error err = {0};
    snn_net *net = must_build(
        "{ name = \"c\"; type = \"conv2d\"; channels = 2; kernel = 2; start = 2; delay = 3; neuron = { "
        "refractory = 4; }; }," FC
        "recurrent = true; bias = true; neuron = { type = \"cuba_lif\"; membrane_bias = true; }; },"
        "{ name = \"b\"; type = \"linear\"; outputs = 2; neuron = { type = \"alif\"; adapt = 0.7; }; }," LI,
        "readout = \"softmax\";");
    net->fixed = true;
    net->layer[1].bias[3] = 0.1f;
    snn_layer *conv = &net->layer[0], *cuba = &net->layer[1];
    conv->each[SNN_PARAM_THRESHOLD] = snn_alloc(8, sizeof(float), "test", &err);
    cuba->each[SNN_PARAM_CURRENT_DECAY] = snn_alloc(5, sizeof(float), "test", &err);
    for (int j = 0; j < 8; j++)
        conv->each[SNN_PARAM_THRESHOLD][j] = 0.1f * (float)(j + 1);
    for (int j = 0; j < 5; j++)
        cuba->each[SNN_PARAM_CURRENT_DECAY][j] = 0.1f * (float)j;
    char *text = snn_net_to_json(net, &err);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"format\":2,"));
    snn_net *back = snn_net_from_json(text, "x", &err), *copy = snn_net_copy(net, &err);
    if (!back)
        fail_msg("%s", err.text);
    snn_net *twin[] = {back, copy};
    for (int i = 0; i < 2; i++) {
        assert_true(snn_net_equal(net, twin[i], &err));
        assert_true(twin[i]->fixed);
        char *again = snn_net_to_json(twin[i], &err);
        assert_string_equal(text, again);
        free(again);
    }
    const struct {
        void *at;
        size_t size;
        const char *sentence;
    } change[] = {
        {&back->layer[0].delay, 4, "delay"},
        {&back->layer[0].start, 4, "start"},
        {&back->layer[0].neuron.refractory, 4, "refractory"},
        {&back->layer[0].each[SNN_PARAM_THRESHOLD][7], 4, "threshold"},
        {&back->layer[1].each[SNN_PARAM_CURRENT_DECAY][4], 4, "current_decay"},
        {&back->layer[1].neuron.current_gain, 4, "current_gain"},
        {&back->layer[1].neuron.membrane_bias, 1, "membrane_bias"},
        {&back->layer[1].recurrent, 1, "one is recurrent"},
        {&back->layer[2].neuron.adapt, 4, "adapt"},
        {&back->layer[2].neuron.adapt_decay, 4, "adapt_decay"},
        {&back->readout, 4, "softmax"},
    };
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        char kept[4];
        memcpy(kept, change[i].at, change[i].size);
        memset(change[i].at, 0, change[i].size);
        assert_false(snn_net_equal(net, back, &err));
        if (!strstr(err.text, change[i].sentence))
            fail_msg("expected '%s' in '%s'", change[i].sentence, err.text);
        memcpy(change[i].at, kept, change[i].size);
        assert_true(snn_net_equal(net, back, &err));
    }
    free(text);
    snn_net_free(back);
    snn_net_free(copy);
    snn_net_free(net);
}

/* What any one new thing asks for; networks of before stay with format 1. */
static void formats(void **state) {
    (void)state;
    static const char *const layer[] = {"",
                                        "recurrent = true;",
                                        "delay = 1;",
                                        "start = 1;",
                                        "neuron = { refractory = 1; };",
                                        "neuron = { type = \"cuba_lif\"; };",
                                        "neuron = { type = \"alif\"; };"};
    for (size_t i = 0; i < sizeof layer / sizeof *layer + 3; i++) {
        snn_error err = {0};
        char text[300];
        const size_t n = sizeof layer / sizeof *layer;
        snprintf(text, sizeof text, FC "%s}," LI, i < n ? layer[i] : "");
        snn_net *net = must_build(text, i == n ? "readout = \"softmax\";" : "");
        net->fixed = i == n + 1;
        if (i == n + 2)
            net->layer[0].each[SNN_PARAM_GAIN] = calloc(5, sizeof(float));
        char *json = snn_net_to_json(net, &err);
        assert_non_null(json);
        assert_int_equal(strncmp(json, i ? "{\"format\":2," : "{\"format\":1,", 12), 0);
        free(json);
        snn_net_free(net);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults), cmocka_unit_test(every_key),    cmocka_unit_test(refusals),
        cmocka_unit_test(tensors),  cmocka_unit_test(json_hostile), cmocka_unit_test(round_trip),
        cmocka_unit_test(formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
