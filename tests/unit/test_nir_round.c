/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NIR -> snnsim -> NIR keeps every number in its type, of the published files and of graphs with all that may stand in one; what is exported without an origin comes back
 * as the same network; encrypted and quantised models keep their nodes; hostile files are refused.
 */
#include "nir_test.h"

#include <hdf5.h>
#include <math.h>

/* ---- comparing ---- */

static void same_field(const nir_field *a, const nir_field *b) {
    if (b == NULL)
        fail_msg("field %s is lost", a->name);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->dims, b->dims);
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->shape, b->shape, (size_t)a->dims * sizeof *a->shape);
    if (a->kind == NIR_TEXT)
        assert_string_equal(a->text, b->text);
    else if (a->kind == NIR_FLOAT)
        assert_memory_equal(a->number, b->number, a->count * sizeof *a->number);
    else
        assert_memory_equal(a->integer, b->integer, a->count * sizeof *a->integer);
}

static void same_node(const nir_node *a, const nir_node *b) {
    assert_string_equal(a->type, b->type);
    assert_int_equal(a->fields, b->fields);
    assert_int_equal(a->nodes, b->nodes);
    assert_int_equal(a->edges, b->edges);
    for (size_t i = 0; i < a->fields; i++)
        same_field(&a->field[i], snn_nir_find(b, a->field[i].name));
    for (size_t i = 0; i < a->edges; i++) {
        assert_string_equal(a->edge[i].from, b->edge[i].from);
        assert_string_equal(a->edge[i].to, b->edge[i].to);
    }
    for (size_t i = 0; i < a->nodes; i++) {
        assert_string_equal(a->node[i].name, b->node[i].name);
        same_node(&a->node[i], &b->node[i]);
    }
}

static void same_files(const char *x, const char *y) {
    nir_file a = {0}, b = {0};
    if (!snn_nir_read(&a, x, &error) || !snn_nir_read(&b, y, &error))
        fail_msg("%s", error.text);
    assert_string_equal(a.version, b.version);
    assert_true(memcmp(&a.dt, &b.dt, sizeof a.dt) == 0);
    same_node(&a.root, &b.root);
    snn_nir_file_free(&a);
    snn_nir_file_free(&b);
}

/* Through a model file, as the commands do it. */
static void there_and_back(const char *path, const snn_import_options *o) {
    snn_model m, again;
    if (!snn_import(&m, path, o, &error) || !snn_model_save(&m, at("m.h5"), &error) ||
        !snn_model_load(&again, at("m.h5"), &error) || !snn_model_export_nir(&again, at("back.nir"), &error))
        fail_msg("%s", error.text);
    assert_non_null(m.origin);
    assert_string_equal(m.origin, again.origin);
    same_files(path, at("back.nir"));
    snn_model_free(&m);
    snn_model_free(&again);
}

/* ---- round trips ---- */

static void published(void **state) {
    static const char *const file[] = {"nir_braille/braille_noDelay_bias_zero.nir",
                                       "nir_nmnist_cnn/cnn_sinabs.nir", "nir_lif/lif_norse.nir"};
    const snn_import_options sinabs = {.reset = SNN_RESET_SUBTRACT, .at_threshold = true};
    const char *data = getenv("SNNSIM_DATA");
    char path[512];
    (void)state;
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/models/%s", data && *data ? data : "../shared/data", file[i]);
        if (access(path, R_OK) != 0) {
            print_message("skipped (no data)\n");
            skip();
        }
        there_and_back(path, i == 1 ? &sinabs : NULL);
    }
}

/* All types, odd numbers, metadata, unknown fields, groups of kernels, a sub-graph. */
static void odd_graph(void) {
    begin();
    nir_field *f;
    ends("in put", "Input", 3, (int64_t[]){4, 5, 5});
    nir_node *n = node("conv.0", "Conv2d");
    weights(n, 4, (uint64_t[]){4, 2, 2, 3})->bytes = 8;
    each(n, "bias", 4, 0)->number[2] = -0.0;
    integer(n, "groups", 2);
    fill(n, "stride", NIR_UINT, 4, 0, NULL, 1);
    fill(n, "dilation", NIR_INT, 2, 1, (uint64_t[]){2}, 1)->integer[0] = 2;
    fill(n, "padding", NIR_INT, 8, 1, (uint64_t[]){2}, 1);
    n = node("lif \xc3\xa9", "LIF");
    f = fill(n, "tau", NIR_FLOAT, 8, 3, (uint64_t[]){4, 5, 5}, 0.002);
    for (int i = 0; i < 100; i++)
        f->number[i] += i * 1e-7 / 3;
    fill(n, "r", NIR_FLOAT, 2, 0, NULL, 1.5);
    fill(n, "v_threshold", NIR_INT, 1, 1, (uint64_t[]){1}, 2);
    assert_true(snn_nir_add_text(n, "metadata/author", "A \"B\" \xc3\xa9", &error));
    fill(n, "metadata/more/beta", NIR_FLOAT, 8, 1, (uint64_t[]){3}, 0.1)->number[1] = 1e-300;
    fill(n, "input_type/input", NIR_INT, 8, 1, (uint64_t[]){3}, 5);
    n = node("flat", "Flatten");
    integer(n, "start_dim", 0);
    integer(n, "end_dim", -1);
    n = node("fc", "Affine");
    weights(n, 2, (uint64_t[]){3, 100})->bytes = 2;
    fill(n, "bias", NIR_FLOAT, 8, 1, (uint64_t[]){3}, 0.1);
    n = node("o", "CubaLIF");
    for (int i = 0; i < 5; i++)
        fill(n, (const char *[]){"tau_mem", "tau_syn", "r", "w_in", "v_threshold"}[i], NIR_FLOAT, 8, 1,
             (uint64_t[]){3}, i < 2 ? 0.00123456789 : 1.0 / 3);
    ends("output", "Output", 1, (int64_t[]){3});
    nir.dt = 1.25e-4;
}

static void everything(void **state) {
    (void)state;
    odd_graph();
    /* In the file, members are in the order of their names. */
    there_and_back(write_nir("odd.nir"), NULL);
}

/* Half floats and doubles that float32 holds come back from a model of other codes as close as they can. */
static void quantised(void **state) {
    (void)state;
    odd_graph();
    snn_model m = import_it();
    snn_quantisation q = {.bits = 8, .encoding = SNN_SIGN_MAGNITUDE};
    snn_weights *codes = snn_weights_quantise(m.weights, &q, NULL, &error);
    assert_non_null(codes);
    snn_weights_free(m.weights);
    m.weights = codes;
    for (int flip = 0; flip < 2; flip++) { /* as it is, and "encrypted" */
        nir_file f = {0};
        codes->tensor[0].code8[20] ^= (uint8_t)(flip ? 0x80 : 0);
        assert_true(snn_model_export_nir(&m, at("q.nir"), &error) && snn_nir_read(&f, at("q.nir"), &error));
        const nir_field *w = snn_nir_find(&f.root.node[0], "weight");
        assert_string_equal(f.root.node[0].name, "conv.0");
        assert_int_equal(w->bytes, 8);
        const nir_stage s = {&f.root.node[0], "conv.0", NULL, NULL};
        nir_window window;
        assert_true(snn_nir_window_of(&window, &s, m.net->layer[0].in, "q.nir", &error));
        for (uint64_t i = 0; i < w->count; i++)
            assert_true(w->number[i] ==
                        (double)snn_weight_value(&codes->tensor[0], snn_nir_window_index(&window, i)));
        snn_nir_file_free(&f);
    }
    snn_model_free(&m);
}

/* A network that has changed since has no origin any more. */
static void changed(void **state) {
    (void)state;
    begin();
    ends("input", "Input", 1, (int64_t[]){4});
    linear("a b", 3, 4);
    lif("n", 3);
    ends("output", "Output", 1, (int64_t[]){3});
    snn_model m = import_it();
    m.net->layer[0].neuron.threshold = 1;
    nir_file f = {0};
    assert_true(snn_model_export_nir(&m, at("c.nir"), &error) && snn_nir_read(&f, at("c.nir"), &error));
    assert_string_equal(f.root.node[0].name, "a_b");
    snn_nir_file_free(&f);
    snn_model_free(&m);
    begin(); /* an identity that is none any more */
    ends("input", "Input", 1, (int64_t[]){3});
    lif("the neuron", 3);
    ends("output", "Output", 1, (int64_t[]){3});
    m = import_it();
    assert_true(snn_model_export_nir(&m, at("c.nir"), &error));
    same_files(at("t.nir"), at("c.nir"));
    m.weights->tensor[0].value[1] = 0.5F;
    assert_true(snn_model_export_nir(&m, at("c.nir"), &error) && snn_nir_read(&f, at("c.nir"), &error));
    assert_int_equal(f.root.nodes, 4);
    snn_nir_file_free(&f);
    snn_model_free(&m);
}

static void damaged_origin(void **state) {
    (void)state;
    static const char *const from[] = {"\"f4\"", "[3],\"data\"", "\"tensor\":\"fc\"", "\"shape\":[3,4]",
                                       "\"name\":\"tau\""},
                             *const to[] = {"\"f3\"", "[9],\"data\"", "\"tensor\":\"fx\"", "\"shape\":[3,5]",
                                            "\"nome\":\"tau\""};
    begin();
    ends("input", "Input", 1, (int64_t[]){4});
    linear("fc", 3, 4);
    snn_nir_find(lif("n", 3), "tau")->number[1] = 0.003;
    ends("output", "Output", 1, (int64_t[]){3});
    for (int i = 0; i < 5; i++) {
        snn_model m = import_it();
        char *text = malloc(strlen(m.origin) + 64), *place = strstr(m.origin, from[i]);
        assert_true(text != NULL && place != NULL);
        sprintf(text, "%.*s%s%s", (int)(place - m.origin), m.origin, to[i], place + strlen(from[i]));
        free(m.origin);
        m.origin = text;
        assert_false(snn_model_export_nir(&m, at("d.nir"), &error));
        assert_int_equal(error.code, SNN_ERR_DATA);
        assert_non_null(strstr(error.text, "the model's origin is damaged"));
        snn_model_free(&m);
    }
}

/* ---- export of what was not imported ---- */

/* 4 -> 3 recurrent cuba_lif, delay 5 -> 2 lif with parameters of their own -> 2 li. */
static void exported(void **state) {
    (void)state;
    begin();
    nir.dt = 2e-4;
    ends("input", "Input", 1, (int64_t[]){4});
    linear("fc", 3, 4);
    nir_node *c = node("c", "CubaLIF");
    each(c, "tau_mem", 3, 0.004)->number[1] = 0.006;
    each(c, "tau_syn", 3, 0.001);
    each(c, "r", 3, 2);
    each(c, "w_in", 3, 5);
    each(c, "v_leak", 3, 0.25)->number[0] = 0;
    each(c, "v_threshold", 3, 1);
    weights(side("w", "Linear"), 2, (uint64_t[]){3, 3});
    edge("c", "w");
    edge("w", "c");
    each(node("d", "Delay"), "delay", 3, 1e-3);
    linear("fd", 2, 3);
    snn_nir_find(lif("n", 2), "v_threshold")->number[0] = 0.25;
    linear("fe", 2, 2);
    nir_node *l = node("l", "LI");
    each(l, "tau", 2, 0.01);
    each(l, "r", 2, 1);
    ends("output", "Output", 1, (int64_t[]){2});
    snn_model a = import_it(), b;
    free(a.origin);
    a.origin = NULL;
    assert_true(snn_model_export_nir(&a, at("e.nir"), &error));
    if (!snn_import(&b, at("e.nir"), NULL, &error))
        fail_msg("%s", error.text);
    assert_string_equal(a.digest, b.digest);
    assert_int_equal(b.net->layers, 3);
    for (int i = 0; i < 3; i++) {
        const snn_layer *x = &a.net->layer[i], *y = &b.net->layer[i];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->neuron.type, y->neuron.type);
        assert_int_equal(x->recurrent, y->recurrent);
        assert_int_equal(x->delay, y->delay);
        assert_int_equal(x->neuron.membrane_bias, y->neuron.membrane_bias);
        for (uint32_t j = 0; j < snn_shape_size(x->out); j++) {
            for (int p = 0; p < SNN_PARAMS; p++) /* through tau and back in float32: rounded */
                assert_float_equal(snn_layer_param(x, (snn_param)p, j), snn_layer_param(y, (snn_param)p, j),
                                   2e-6);
            if (x->bias != NULL)
                assert_float_equal(x->bias[j], y->bias[j], 1e-7);
        }
    }
    assert_int_equal(a.net->layer[0].delay, 5);
    assert_true(a.net->layer[0].bias[0] == 0 && a.net->layer[0].bias[2] > 0);
    snn_model_free(&b);
    a.net->layer[0].start = 1;
    assert_false(snn_model_export_nir(&a, at("e.nir"), &error));
    assert_non_null(strstr(error.text, "layer 'fc' starts later than the input, which NIR cannot say"));
    a.net->layer[0].start = 0;
    a.net->layer[1].neuron.refractory = 1;
    assert_false(snn_model_export_nir(&a, at("e.nir"), &error));
    assert_non_null(strstr(error.text, "layer 'fd' has a refractory time, which NIR cannot say"));
    a.net->layer[1].neuron.refractory = 0;
    a.net->layer[0].neuron.current_decay = 1;
    assert_false(snn_model_export_nir(&a, at("e.nir"), &error));
    assert_non_null(
        strstr(error.text, "layer 'fc' has cuba_lif neurons whose current or membrane does not leak"));
    snn_model_free(&a);
}

/* ---- hostile files ---- */

static void simple(void) {
    begin();
    ends("input", "Input", 1, (int64_t[]){4});
    linear("fc", 3, 4);
    lif("n", 3);
    ends("output", "Output", 1, (int64_t[]){3});
}

/* Opens the simple graph to be changed. */
static hid_t open_simple(void) {
    simple();
    hid_t f = H5Fopen(write_nir("h.nir"), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(f >= 0);
    return f;
}

static void refused_file(hid_t file, const char *words) {
    snn_model m;
    assert_true(H5Fclose(file) >= 0);
    assert_false(snn_import(&m, at("h.nir"), NULL, &error));
    assert_int_equal(error.code, SNN_ERR_DATA);
    if (strstr(error.text, words) == NULL || strstr(error.text, at("h.nir")) == NULL)
        fail_msg("'%s', expected '%s'", error.text, words);
}

/* A scalar data set in place of another. */
static void replace(hid_t file, const char *name, hid_t type, const void *value) {
    H5Ldelete(file, name, H5P_DEFAULT);
    hid_t space = H5Screate(H5S_SCALAR),
          d = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(d >= 0 && H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0);
    H5Dclose(d);
    H5Sclose(space);
}

static void replace_text(hid_t file, const char *name, const char *text) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(text));
    replace(file, name, type, text);
    H5Tclose(type);
}

static void hostile(void **state) {
    (void)state;
    const double nan_value = NAN, number = 1;
    const uint64_t huge = UINT64_MAX;
    hid_t f = open_simple();
    H5Ldelete(f, "/node/nodes/fc/type", H5P_DEFAULT);
    refused_file(f, "/node/nodes/fc/type: is missing");
    f = open_simple();
    replace(f, "/node/nodes/fc/type", H5T_NATIVE_DOUBLE, &number);
    refused_file(f, "/node/nodes/fc/type: is not text");
    f = open_simple();
    replace_text(f, "/node/nodes/fc/type", "AffineAffineAffineAffineAffine");
    refused_file(f, "/node/nodes/fc/type: is too long");
    f = open_simple();
    replace_text(f, "/node/type", "Affine");
    refused_file(f, "/node is a 'Affine', expected a NIRGraph");
    f = open_simple();
    H5Ldelete(f, "/node/edges", H5P_DEFAULT);
    refused_file(f, "/node/edges: is missing");
    f = open_simple();
    replace_text(f, "/node/edges", "fc");
    refused_file(f, "/node/edges: is no list of pairs of names");
    f = open_simple();
    replace(f, "/node/nodes/n/tau", H5T_NATIVE_DOUBLE, &nan_value);
    refused_file(f, "/node/nodes/n/tau: holds a number that is not finite");
    f = open_simple();
    replace(f, "/node/nodes/n/tau", H5T_NATIVE_UINT64, &huge);
    refused_file(f, "/node/nodes/n/tau: holds a number that is too large");
    f = open_simple();
    replace(f, "/node/nodes/n/tau", H5T_STD_REF_OBJ, &number);
    refused_file(f, "/node/nodes/n/tau: is no array of numbers, and no text");
    f = open_simple();
    H5Ldelete(f, "/node/nodes/n/tau", H5P_DEFAULT);
    H5Lcreate_soft("/node/nodes/n/r", f, "/node/nodes/n/tau", H5P_DEFAULT, H5P_DEFAULT);
    refused_file(f, "/node/nodes/n/tau: is a soft or external link, which a NIR graph must not have");
    f = open_simple();
    H5Lcreate_external("/etc/passwd", "/", f, "/node/nodes/x", H5P_DEFAULT, H5P_DEFAULT);
    refused_file(f, "/node/nodes/x: is a soft or external link");
    f = open_simple();
    hid_t g = H5Gcreate2(f, "/node/nodes/n/x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(g);
    H5Lcreate_hard(f, "/node/nodes/n/x", f, "/node/nodes/n/x/x", H5P_DEFAULT, H5P_DEFAULT); /* a circle */
    refused_file(f, "lies too deep");
    f = open_simple();
    replace_text(f, "/node/nodes/n/type", "NIRGraph");
    H5Lcreate_hard(f, "/node/nodes", f, "/node/nodes/n/nodes", H5P_DEFAULT, H5P_DEFAULT);
    refused_file(f, ""); /* too deep, or something missing on the way */
    f = open_simple();
    g = H5Gcreate2(f, "/node/nodes/a\nb", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(g);
    refused_file(f, "/node/nodes: has a member with a control character in its name");
    f = open_simple();
    hsize_t shape[] = {1 << 20, 1 << 10};
    hid_t space = H5Screate_simple(2, shape, NULL);
    H5Ldelete(f, "/node/nodes/fc/weight", H5P_DEFAULT);
    hid_t d =
        H5Dcreate2(f, "/node/nodes/fc/weight", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(d);
    H5Sclose(space);
    refused_file(f, "/node/nodes/fc/weight: holds less data than its shape asks for");
}

/* Bits that are wrong, anywhere: refused, or harmless; never a crash. */
static void bits(void **state) {
    (void)state;
    odd_graph();
    FILE *f = fopen(write_nir("good.nir"), "rb");
    static uint8_t image[1 << 18];
    size_t n = f ? fread(image, 1, sizeof image, f) : 0;
    fclose(f);
    assert_true(n > 4096 && n < sizeof image);
    int refusals = 0;
    for (int i = 0; i < 60; i++) {
        const size_t place = (size_t)i * 7919 * 13 % (n > 0 ? n : 1);
        image[place] ^= (uint8_t)(1 << i % 8);
        f = fopen(at("bits.nir"), "wb");
        assert_true(f != NULL && fwrite(image, 1, n, f) == n);
        fclose(f);
        image[place] ^= (uint8_t)(1 << i % 8);
        snn_model m;
        if (!snn_import(&m, at("bits.nir"), NULL, &error)) {
            assert_int_equal(error.code, SNN_ERR_DATA);
            refusals++;
        }
        snn_model_free(&m);
    }
    assert_true(refusals > 0);
}

/* None of them is taken for a graph. */
static void unknown(void **state) {
    (void)state;
    snn_model m;
    FILE *f = fopen(at("text"), "w");
    fputs("\x89HDF\r\n\x1a\n is how it starts\n", f);
    fclose(f);
    assert_int_equal(snn_import_recognise(at("text"), &error), SNN_IMPORT_NONE);
    assert_int_equal(error.code, SNN_ERR_DATA);
    assert_non_null(strstr(error.text, "is no HDF5 file, or a damaged one"));
    assert_int_equal(snn_import_recognise(at("missing"), &error), SNN_IMPORT_NONE);
    assert_non_null(strstr(error.text, "No such file"));
    assert_int_equal(snn_import_recognise(folder, &error), SNN_IMPORT_NONE);
    assert_non_null(strstr(error.text, "is no network that snnsim knows: expected a NIR graph"));
    assert_false(snn_import(&m, "/dev/null", NULL, &error));
    simple();
    m = import_it();
    assert_true(snn_model_save(&m, at("model.h5"), &error));
    assert_int_equal(snn_import_recognise(at("model.h5"), &error), SNN_IMPORT_NONE);
    assert_non_null(strstr(error.text, "is a model of snnsim already"));
    assert_string_equal(snn_import_format_name(SNN_IMPORT_NIR), "NIR graph");
    assert_string_equal(snn_import_format_name(SNN_IMPORT_NONE), "unknown");
    snn_model_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published), cmocka_unit_test(everything),     cmocka_unit_test(quantised),
        cmocka_unit_test(changed),   cmocka_unit_test(damaged_origin), cmocka_unit_test(exported),
        cmocka_unit_test(hostile),   cmocka_unit_test(bits),           cmocka_unit_test(unknown)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
