/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Import of SLAYER's Loihi text weights: what becomes of layers, neurons and weights; layers given, listed and guessed; each broken file with its sentence. */
#include "published_test.h"

#include "../../sim/import_slayer.h"

#include <sys/stat.h>

static char folder[64];

/* A file in the folder; NULL removes it. */
static void put(const char *name, const char *text) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (text == NULL) {
        unlink(path);
        return;
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
}

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snnsim_slayer_XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

#define SIMULATION "simulation:\n  Ts: 2.0\n  tSample: 11\n"
#define NEURON "neuron:\n  type: LOIHI\n  vThMant: 80\n  vDecay: 128\n  iDecay: 1024\n"
#define LAYERS "layer:\n  - {dim: 4x2x1}\n  - {dim: 2c3}\n  - {dim: 2a}\n  - {dim: 2, wScale: 5}\n"
#define CONV "1\n-2\n3\n-4\n5\n-6\n7\n-8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n"
#define DENSE "-256 255\r\n-0\t+3\n\n  4 5\n6 7"

/* A good folder: input 1x2x4, conv 2x3x3, pool of 2, dense 2 of 2x1x2. */
static void put_good(void) {
    put("network.yaml", SIMULATION NEURON LAYERS);
    put("conv1.txt", CONV);
    put("pool1.txt", "28\n28\n28\n29\n");
    put("MyNetFc1.TXT", DENSE);
    put("notes.txt", "not weights\n");
    put("fc2.csv", "not weights\n");
}

static int32_t q(const snn_model *m, int tensor, uint64_t i) {
    return snn_weight_q(&m->weights->tensor[tensor], i);
}

static void check_neuron(const snn_layer *l) {
    const snn_neuron *n = &l->neuron;
    assert_int_equal(n->type, SNN_NEURON_CUBA);
    assert_true(n->decay == 3968 / 4096.0f && n->current_decay == 0.75f && n->threshold == 80);
    assert_true(n->gain == 1 && n->current_gain == 1 && !n->at_threshold && n->refractory == 0);
    assert_int_equal(n->reset, SNN_RESET_ZERO);
    assert_int_equal(l->delay, 1);
    assert_int_equal(l->start, 1);
}

static void becomes(void **state) {
    (void)state;
    snn_model m;
    snn_error err = {0};
    put_good();
    need(snn_import(&m, folder, NULL, &err), &err);
    const snn_net *net = m.net;
    assert_true(net->fixed && net->layers == 3 && net->tensors == 3 && net->classes == 2);
    assert_true(net->steps == 5 && net->step_us == 2000);
    assert_true(net->input.channels == 1 && net->input.height == 2 && net->input.width == 4);
    for (int i = 0; i < 3; i++)
        check_neuron(&net->layer[i]);
    const snn_layer *conv = &net->layer[0], *pool = &net->layer[1], *fc = &net->layer[2];
    assert_string_equal(conv->name, "conv1");
    assert_true(conv->type == SNN_LAYER_CONV2D && conv->kernel == 3 && conv->stride == 1 &&
                conv->padding == 1);
    assert_string_equal(pool->name, "pool1");
    assert_true(pool->type == SNN_LAYER_CONV2D && pool->kernel == 2 && pool->stride == 2 &&
                pool->padding == 0);
    assert_string_equal(fc->name, "fc1");
    assert_true(fc->type == SNN_LAYER_LINEAR && snn_shape_size(fc->in) == 4);
    static const int32_t kernels[16] = {28, 28, 28, 29, 0, 0, 0, 0, 0, 0, 0, 0, 28, 28, 28, 29};
    static const int32_t dense[8] = {-256, 255, 0, 3, 4, 5, 6, 7};
    for (int i = 0; i < 3; i++) {
        const snn_tensor *t = &m.weights->tensor[i];
        assert_true(t->type == SNN_CODE_16 && t->bits == 9 && t->encoding == SNN_TWOS_COMPLEMENT);
        assert_true(t->scales == 1 && t->scale[0] == 1);
    }
    for (uint64_t i = 0; i < 18; i++)
        assert_int_equal(q(&m, 0, i), i < 9 && i % 2 == 1 ? -(int)i - 1 : (int)i + 1);
    for (uint64_t i = 0; i < 16; i++)
        assert_int_equal(q(&m, 1, i), kernels[i]);
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(q(&m, 2, i), dense[i]);
    assert_non_null(m.record);
    snn_model_free(&m);
}

static void wide_weights(void **state) {
    (void)state;
    snn_model m;
    snn_error err = {0};
    static const char *const edge[] = {"256", "-257", "32767", "-32768"};
    for (int k = 0; k < 4; k++) {
        char text[64];
        put_good();
        snprintf(text, sizeof text, "1 2 3 4 5 6 7 %s", edge[k]);
        put("MyNetFc1.TXT", text);
        need(snn_import(&m, folder, NULL, &err), &err);
        assert_int_equal(m.weights->tensor[0].bits, 16); /* all alike */
        assert_int_equal(q(&m, 2, 7), atoi(edge[k]));
        snn_model_free(&m);
    }
}

/* The options' layers and step; a layer's own neuron, stride and padding. */
static void options(void **state) {
    (void)state;
    snn_model m;
    snn_error err = {0};
    put_good();
    put("network.yaml", SIMULATION NEURON);
    const snn_import_options o = {.dt = 0.25, .layers = " 4x2x1, 2c3 2a-2"};
    need(snn_import(&m, folder, &o, &err), &err);
    assert_true(m.net->layers == 3 && m.net->steps == 5 && m.net->step_us == 250000);
    snn_model_free(&m);

    put("network.yaml",
        SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n- dim: 2c3\n  stride: 2\n  padding: 0x\n- {dim: 2}\n");
    assert_false(snn_import(&m, folder, NULL, &err));
    put("network.yaml", SIMULATION NEURON
        "layer:\n- {dim: 4x2x1}\n- dim: 2c3\n  stride: 2\n  padding: 2\n  dilation: 1\n  groups: 1\n"
        "  delay: False\n  maxDelay: 62\n  sigma: 0\n  neuron: {type: loihi, vThMant: 7, vDecay: 0, "
        "iDecay: 4096, refDelay: 1, wgtExp: 0, theta: 448, tauRho: 1, scaleRho: 1}\n- {dim: 2}\n");
    put("pool1.txt", NULL);
    put("MyNetFc1.TXT", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24");
    need(snn_import(&m, folder, NULL, &err), &err);
    const snn_layer *l = m.net->layer;
    assert_true(l[0].stride == 2 && l[0].padding == 2 && l[0].out.height == 2 && l[0].out.width == 3);
    assert_true(l[0].neuron.threshold == 7 && l[0].neuron.decay == 1 && l[0].neuron.current_decay == 0);
    assert_true(l[1].neuron.threshold == 80);
    snn_model_free(&m);
}

/* ---- layers that nobody says ---- */

static char *numbers(size_t n) {
    char *text = calloc(n * 2 + 1, 1);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = '1';
        text[2 * i + 1] = '\n';
    }
    return text;
}

/* Files with so many weights each; `shape`: the expected network, NULL: refused with `message`. */
static void guess(const char *const *name, const size_t *count, const char *shape, const char *message) {
    snn_slayer_files files = {0};
    snn_slayer_layers l;
    snn_error err = {0};
    char command[160], text[200];
    snprintf(command, sizeof command, "rm -f %s/*", folder);
    assert_int_equal(system(command), 0);
    for (int i = 0; name[i] != NULL; i++) {
        char *ones = numbers(count[i]);
        put(name[i], ones);
        free(ones);
    }
    need(snn_slayer_files_read(&files, folder, &err), &err);
    const bool ok = snn_slayer_layers_guess(&l, &files, folder, &err);
    if (shape == NULL) {
        assert_false(ok);
        assert_int_equal(err.code, SNN_ERR_DATA);
        assert_non_null(strstr(err.text, message));
    } else {
        need(ok, &err);
        int n = snprintf(text, sizeof text, "%ux%ux%u", l.input.width, l.input.height, l.input.channels);
        for (size_t i = 0; i < l.n; i++) {
            const snn_slayer_layer *x = &l.layer[i];
            n += x->kind == SNN_SLAYER_DENSE  ? snprintf(text + n, sizeof text - (size_t)n, "-%u", x->outputs)
                 : x->kind == SNN_SLAYER_POOL ? snprintf(text + n, sizeof text - (size_t)n, "-%ua", x->kernel)
                                              : snprintf(text + n, sizeof text - (size_t)n, "-%uc%u/%u+%u",
                                                         x->outputs, x->kernel, x->stride, x->padding);
            assert_int_equal(x->entry, -1);
        }
        assert_string_equal(text, shape);
    }
    snn_slayer_layers_free(&l);
    snn_slayer_files_free(&files);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define COUNTS(...) ((const size_t[]){__VA_ARGS__})

static void guesses(void **state) {
    (void)state;
    guess(NAMES("fc1.txt"), COUNTS(2312 * 3), "34x34x2-3", NULL);
    guess(NAMES("fc2.txt", "fc10.txt"), COUNTS(2312 * 7, 7 * 5), "34x34x2-7-5", NULL); /* by number */
    guess(NAMES("fc1.txt", "fc2.txt"), COUNTS(32768 * 3, 3 * 11), "128x128x2-3-11", NULL);
    guess(NAMES("fc1.txt"), COUNTS(2312 * 32768 / 8), NULL,
          "more than one usual network fits"); /* both sensors */
    guess(NAMES("fc1.txt", "fc2.txt"), COUNTS(2312 * 7, 7 * 5 + 1), NULL, "no usual network fits");
    guess(NAMES("fc1.txt"), COUNTS(2311), NULL, "no usual network fits");
    guess(NAMES("pool1.txt", "conv1.txt", "pool2.txt", "fc1.txt"),
          COUNTS(16, 16 * 2 * 25, 4, 16 * 16 * 16 * 11), "128x128x2-4a-16c5/1+2-2a-11", NULL);
    guess(NAMES("conv1.txt", "pool1.txt", "conv2.txt", "fc1.txt"),
          COUNTS(7 * 2 * 25, 4, 11 * 7 * 9, 11 * 17 * 17 * 3), "34x34x2-7c5/1+2-2a-11c3/1+1-3", NULL);
    guess(NAMES("conv1.txt", "fc1.txt"), COUNTS(7 * 2 * 9, 7 * 34 * 34 * 10), "34x34x2-7c3/1+1-10", NULL);
    /* Which comes first is not said. */
    guess(NAMES("conv1.txt", "pool1.txt", "fc1.txt"), COUNTS(7 * 2 * 9, 4, 7 * 17 * 17 * 3), NULL,
          "no usual network fits");
    /* A window that is no square, one that does not divide 34. */
    guess(NAMES("pool1.txt", "fc1.txt"), COUNTS(6, 17 * 17 * 2), NULL, "no usual network fits");
    guess(NAMES("pool1.txt", "fc1.txt"), COUNTS(9, 11 * 11 * 2), NULL, "no usual network fits");
}

static void notation(void **state) {
    (void)state;
    snn_slayer_layers l;
    snn_error err = {0};
    static const char *const bad[][2] = {
        {"", "expected an input and layers"},
        {"34x34x2", "expected an input and layers"},
        {"34x34x2x2-5", "'34x34x2x2' is no input"},
        {"0x34x2-5", "'0x34x2' is no input"},
        {"34x34x2-5d", "'5d' is no layer"},
        {"34x34x2-5c", "'5c' is no layer"},
        {"34x34x2-5c3c3", "'5c3c3' is no layer"},
        {"34x34x2-0", "'0' is no layer"},
        {"34x34x2-a", "'a' is no layer"},
        {"34x34x2-2x2a", "'2x2a' is no layer"},
        {"34x34x2-134217729", "'134217729' is no layer"},
        {"34x34x2-10o", "'10o' is no layer"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(snn_slayer_layers_parse(&l, bad[i][0], &err));
        assert_int_equal(err.code, SNN_ERR_USAGE);
        if (strstr(err.text, bad[i][1]) == NULL)
            fail_msg("%s: %s", bad[i][0], err.text);
        snn_slayer_layers_free(&l);
    }
    need(snn_slayer_layers_parse(&l, "7x5-134217728", &err), &err);
    assert_true(l.input.channels == 1 && l.input.height == 5 && l.input.width == 7 && l.n == 1);
    assert_int_equal(l.layer[0].outputs, 134217728);
    snn_slayer_layers_free(&l);
    need(snn_slayer_layers_parse(&l, "250-25-1", &err), &err);
    assert_true(l.input.channels == 250 && l.input.height == 1 && l.n == 2);
    snn_slayer_layers_free(&l);
}

/* ---- refusals ---- */

/* The good folder with one file changed. */
static void refused(const char *file, const char *text, const char *message) {
    snn_model m;
    snn_error err = {0};
    char command[160];
    snprintf(command, sizeof command, "rm -f %s/*", folder);
    assert_int_equal(system(command), 0);
    put_good();
    put(file, text);
    assert_false(snn_import_slayer(&m, folder, NULL, &err));
    assert_true(m.net == NULL && m.weights == NULL);
    assert_int_equal(err.code, SNN_ERR_DATA);
    if (strstr(err.text, message) == NULL)
        fail_msg("expected '%s' in '%s'", message, err.text);
    assert_non_null(strstr(err.text, folder));
}

static void weights_refused(void **state) {
    (void)state;
    refused("conv1.txt", NULL, "layer 1 has no weights: there are 0 files *conv*.txt");
    refused("conv1.txt", "", "conv1.txt: holds no weights");
    refused("conv1.txt", "1\n2\n", "conv1.txt: holds 2 weights, but its layer of 8 inputs has 18");
    refused("conv1.txt", CONV "19\n", "holds 19 weights");
    refused("pool1.txt", "28 28 28", "pool1.txt: holds 3 weights");
    refused("MyNetFc1.TXT", "1 2 3 4 5 6 7", "holds 7 weights, but its layer of 4 inputs has 8");
    refused("MyNetFc1.TXT", "1\n2\n0.5\n", "MyNetFc1.TXT:3: '0.5' is no weight");
    refused("MyNetFc1.TXT", "1\n2\n--3\n", "TXT:3: '--3' is no weight");
    refused("MyNetFc1.TXT", "1\n-\n", "TXT:2: '-' is no weight");
    refused("MyNetFc1.TXT", "1\n\nx2\n", "TXT:3: 'x2' is no weight");
    refused("MyNetFc1.TXT", "32768\n",
            "TXT:1: '32768' is no weight: expected a whole number from -32768 to 32767");
    refused("MyNetFc1.TXT", "1 -32769\n", "TXT:1: '-32769' is no weight");
    refused("MyNetFc1.TXT", "99999999999999999999\n", "TXT:1: '99999999999999999999' is no weight");
    refused("MyNetFc1.TXT", "1\n2,3\n", "TXT:2: '2,3' is no weight");
    refused("fc7.txt", "1\n", "fc7.txt: belongs to no layer");
    refused("pool7.txt", "1\n", "pool7.txt: belongs to no layer");
    refused("fc01.txt", "1\n", "is fc1, and so is");
}

static void settings_refused(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        {NULL, "network.yaml"},
        {"", "network.yaml:1: expected one list of settings"},
        {"- a\n", "network.yaml:1: expected one list of settings"},
        {"a: b: c\n", "network.yaml:1: is no YAML"},
        {"a: \x80\n", "is no YAML"},
        {"a: 1\nb: {c: 1\n", "is no YAML"},
        {"a: 1\na: 2\n", "network.yaml:2: the name is given twice"},
        {"a: {b: 1}\na: 2\n", "network.yaml:2: the name is given twice"},
        {"a: &x 1\n", "network.yaml:1: anchors, aliases and tags are not read"},
        {"a: 1\nb: *x\n", "network.yaml:2: anchors, aliases and tags are not read"},
        {"a: !!int 1\n", "anchors, aliases and tags are not read"},
        {"a: &x [1]\n", "anchors, aliases and tags are not read"},
        {"a: &x {b: 1}\n", "anchors, aliases and tags are not read"},
        {"a: [[[[[[[[[1]]]]]]]]]\n", "network.yaml:1: too many levels"},
        {"a: 1\n---\nb: 1\n", "network.yaml:2: expected one list of settings"},
        {"a: \"x\\0y\"\n", "network.yaml:1: a zero byte in a value"},
        {"? [a, b]\n: 1\n", "network.yaml:1: a name that is no plain text"},
        {"a.b: 1\n", "network.yaml:1: a name that is empty, has a '.' or is too long"},
        {"\"\": 1\n", "a name that is empty"},
        {NEURON LAYERS, "network.yaml: simulation.Ts is missing"},
        {"simulation: {Ts: 1}\n" NEURON LAYERS, "simulation.tSample is missing"},
        {"simulation: {Ts: 0, tSample: 1}\n" NEURON LAYERS, "are not 1 to 65535 steps"},
        {"simulation: {Ts: 1, tSample: 0.5}\n" NEURON LAYERS, "are not 1 to 65535 steps"},
        {"simulation: {Ts: 1, tSample: 65537}\n" NEURON LAYERS, "are not 1 to 65535 steps"},
        {"simulation: {Ts: nan, tSample: 5}\n" NEURON LAYERS,
         "network.yaml:1: simulation.Ts is 'nan': expected a number"},
        {"simulation: {Ts: 0x1, tSample: 5}\n" NEURON LAYERS, "simulation.Ts is '0x1': expected a number"},
        {"simulation: {Ts: 1e999, tSample: 5}\n" NEURON LAYERS,
         "simulation.Ts is '1e999': expected a number"},
        {"simulation: {Ts: , tSample: 5}\n" NEURON LAYERS, "simulation.Ts is '': expected a number"},
        {SIMULATION LAYERS, "network.yaml: neuron.type is missing"},
        {SIMULATION "neuron: {type: SRMALPHA, theta: 10}\n" LAYERS,
         "network.yaml:4: neuron.type is 'SRMALPHA': only neurons of type LOIHI can be carried over"},
        {SIMULATION "neuron: {type: LOIHI, vThMant: 80, vDecay: 128}\n" LAYERS, "neuron.iDecay is missing"},
        {SIMULATION NEURON "  refDelay: 2\n" LAYERS, "neuron: refDelay is 2"},
        {SIMULATION NEURON "  wgtExp: 1\n" LAYERS, "neuron: wgtExp is 1"},
        {SIMULATION NEURON "  theta: 5121\n" LAYERS, "neuron.theta is not 64 times vThMant"},
        {SIMULATION NEURON "  noise: 5121\n" LAYERS,
         "network.yaml:9: neuron.noise is '5121': this setting of a neuron is not known"},
        {SIMULATION "neuron: {type: LOIHI, vThMant: 80, vDecay: 4097, iDecay: 0}\n" LAYERS,
         "vDecay is 4097, expected 0 to 4096"},
        {SIMULATION "neuron: {type: LOIHI, vThMant: 80, vDecay: 4096, iDecay: -1}\n" LAYERS,
         "iDecay is -1, expected 0 to 4096"},
        {SIMULATION "neuron: {type: LOIHI, vThMant: 0, vDecay: 4096, iDecay: 1}\n" LAYERS,
         "vThMant is 0, expected 1 to 131071"},
        {SIMULATION "neuron: {type: LOIHI, vThMant: 131072, vDecay: 4096, iDecay: 1}\n" LAYERS,
         "vThMant is 131072"},
        {SIMULATION "neuron: {type: LOIHI, vThMant: 1.5, vDecay: 4096, iDecay: 1}\n" LAYERS,
         "expected a whole number"},
        {SIMULATION NEURON "layer: 5\n", "layer is no list of an input and at least one layer"},
        {SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n", "layer is no list of an input and at least one layer"},
        {SIMULATION NEURON "layer:\n- {dim: 2c3}\n- {dim: 2}\n",
         "network.yaml:10: layer.0.dim is '2c3': expected the input"},
        {SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n- {dam: 2}\n", "layer.1.dim is missing"},
        {SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n- {dim: 2avg}\n",
         "network.yaml:11: layer.1.dim is '2avg': expected"},
        {SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n- {dim: 2, delay: true}\n",
         "network.yaml:11: layer.1.delay is 'true': only false can be carried over"},
        {SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n- {dim: 2c3, groups: 2}\n",
         "layer.1.groups is '2': only 1 can"},
        {SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n- {dim: 2c3, dilation: 2}\n",
         "layer.1.dilation is '2': only 1 can"},
        {SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n- {dim: 2c3, sigma: 1}\n",
         "layer.1.sigma is '1': only 0 can"},
        {SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n- {dim: 2c3, padded: 1}\n",
         "layer.1.padded is '1': this setting of a layer is not known"},
        {SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n- {dim: 2c3, stride: 0}\n",
         "layer.1.stride is '0': expected a whole number from 1 to 1024"},
        {SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n- {dim: 2c3, padding: -1}\n",
         "layer.1.padding is '-1': expected a whole number from 0 to 1024"},
        {SIMULATION NEURON "layer:\n- {dim: 5x3x1}\n- {dim: 2c3}\n- {dim: 2a}\n- {dim: 2}\n",
         "pool1.txt: a pool of 2 x 2 does not divide its input of 3 x 5"},
        {SIMULATION NEURON "layer:\n- {dim: 8x1x1}\n- {dim: 2c3}\n- {dim: 2}\n",
         "over one dimension cannot be carried over"},
        {SIMULATION NEURON "layer:\n- {dim: 4x2x1}\n- {dim: 2c3, padding: 3}\n- {dim: 2}\n",
         "conv1.txt: layer 'conv1'"},
        {SIMULATION NEURON, "no usual network fits its weights"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused("network.yaml", bad[i][0], bad[i][1]);
    char *large = calloc(1 << 20, 8);
    assert_non_null(large);
    size_t n = 0;
    for (int i = 0; i < 8193; i++)
        n += (size_t)sprintf(large + n, "a%d: 1\n", i);
    refused("network.yaml", large, "network.yaml:8193: more settings than any network has");
    free(large);
}

static void folder_refused(void **state) {
    (void)state;
    snn_model m;
    snn_error err = {0};
    char command[160];
    snprintf(command, sizeof command, "rm -f %s/*", folder);
    assert_int_equal(system(command), 0);
    put("network.yaml", SIMULATION NEURON LAYERS);
    assert_false(snn_import_slayer(&m, folder, NULL, &err));
    assert_non_null(strstr(err.text, "has no weights: expected files like fc1.txt"));
    assert_false(snn_import_slayer(&m, "/nonexistent", NULL, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    const snn_import_options o = {.layers = "4x2x1-2c"};
    put_good();
    assert_false(snn_import_slayer(&m, folder, &o, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    /* A pipe, which would be waited for. */
    static const char *const file[] = {"conv1.txt", "network.yaml"};
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        char pipe[160];
        put_good();
        put(file[i], NULL);
        snprintf(pipe, sizeof pipe, "%s/%s", folder, file[i]);
        assert_int_equal(mkfifo(pipe, 0600), 0);
        assert_false(snn_import_slayer(&m, folder, NULL, &err));
        assert_non_null(strstr(err.text, file[i]));
        assert_non_null(strstr(err.text, ": not a file"));
        unlink(pipe);
    }
    /* Pools beyond what their kernels may take. */
    const int32_t tap = 1;
    assert_null(snn_loihi_pool(8193, 1, &tap, &err));
    assert_non_null(
        strstr(err.text, "a pool of 8193 channels with neurons needs more than 67108864 weights"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(becomes),          cmocka_unit_test(wide_weights),
        cmocka_unit_test(options),          cmocka_unit_test(guesses),
        cmocka_unit_test(notation),         cmocka_unit_test(weights_refused),
        cmocka_unit_test(settings_refused), cmocka_unit_test(folder_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
