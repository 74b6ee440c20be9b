/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy weights in and out: types, scales, shapes, round trips, refusals. */
#include <snnsim/model.h>
#include <snnsim/output.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static const char *at(const char *name) {
    static char path[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snnsim_import_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* conv 3x2x2x2 = 24 and fc 5x12 = 60 weights. */
static snn_model empty_model(void) {
    static const char text[] =
        "dataset = { name = \"nmnist\"; };\n"
        "network = { layers = ( { name = \"conv\"; type = \"conv2d\"; channels = 3; kernel = 2; },\n"
        " { name = \"pool\"; type = \"pool_max\"; kernel = 2; }, { name = \"fc\"; type = \"linear\"; outputs "
        "= 5; } ); };\n";
    snn_error err;
    snn_config *c = snn_config_parse(text, "t.cfg", &err);
    assert_non_null(c);
    snn_model m = {.net = snn_net_from_config(c, (snn_shape){2, 5, 5}, &err)};
    snn_config_free(c);
    assert_non_null(m.net);
    return m;
}

static const uint64_t fc_shape[] = {5, 12};

static void write_npy(const char *path, snn_npy_type type, int dims, const uint64_t *shape,
                      const void *data) {
    snn_error err;
    uint64_t n = 1;
    for (int i = 0; i < dims; i++)
        n *= shape[i];
    snn_file *f = snn_file_create(path, 0644, &err);
    assert_non_null(f);
    assert_true(snn_npy_write_header(f, type, dims, shape, &err));
    assert_int_equal(fwrite(data, snn_npy_item_size(type), n, snn_file_stream(f)), n);
    assert_true(snn_file_commit(f, &err));
}

static void floats_are_quantised_or_kept(void **state) {
    (void)state;
    snn_error err;
    snn_model m = empty_model();
    float value[60];
    for (int i = 0; i < 60; i++)
        value[i] = (float)(i - 30) / 64; /* max 30/64: scale 2^-8 for 8 bits, and every value is a code */
    write_npy(at("fc.npy"), SNN_NPY_F32, 2, fc_shape, value);
    snn_quantisation q = {.bits = 8, .encoding = SNN_TWOS_COMPLEMENT};
    assert_true(snn_model_import_npy(&m, "fc", at("fc.npy"), NULL, &q, &err));
    const snn_tensor *t = &m.weights->tensor[1];
    assert_true(t->type == SNN_CODE_8 && t->bits == 8 && t->encoding == SNN_TWOS_COMPLEMENT &&
                t->scales == 1);
    assert_true(t->scale[0] == 0x1p-8f);
    for (int i = 0; i < 60; i++)
        assert_int_equal(snn_weight_q(t, (uint64_t)i), (i - 30) * 4);
    /* The other layer stands at float zeros. */
    assert_int_equal(m.weights->tensor[0].type, SNN_FLOAT32);
    assert_true(snn_model_import_npy(&m, "fc", at("fc.npy"), NULL, NULL, &err));
    assert_int_equal(t->type, SNN_FLOAT32);
    assert_memory_equal(t->value, value, sizeof value);
    assert_true(snn_weights_fit(m.weights, m.net, &err));
    snn_model_free(&m);
}

static void scales_as_text(void **state) {
    (void)state;
    const struct {
        const char *text;
        float scale;
    } good[] = {{"2^-11", 0x1p-11f},   {"2^0", 1}, {"2^+3", 8},     {"2^127", 0x1p127f},
                {"2^-126", 0x1p-126f}, {"1", 1},   {"0.25", 0.25f}, {".5", 0.5f},
                {"1e-3", 1e-3f},       {"+2", 2},  {"0.1", 0.1f},   {"2E+1", 20},
                {"3e38", 3e38f}};
    const char *bad[] = {"",        "0",      "-1",  "2^",  "2^x",   "2^1.5", "2^128", "2^-127",
                         "2^99999", "2^-11 ", "nan", "inf", "0x1p3", "1e39",  "1e-39", "1 ",
                         " 1",      "1e",     "1,5", "--1", "2^--1", "2^-",   "e",     "1e999"};
    int8_t value[60] = {1, -127, 0, 127};
    snn_error err;
    snn_model m = empty_model();
    write_npy(at("fc.npy"), SNN_NPY_I8, 2, fc_shape, value);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!snn_model_import_npy(&m, "fc", at("fc.npy"), good[i].text, NULL, &err))
            fail_msg("%s: %s", good[i].text, err.text);
        assert_true(m.weights->tensor[1].scale[0] == good[i].scale);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (snn_model_import_npy(&m, "fc", at("fc.npy"), bad[i], NULL, &err))
            fail_msg("accepted scale '%s'", bad[i]);
        assert_int_equal(err.code, SNN_ERR_USAGE);
        assert_non_null(strstr(err.text, "/fc.npy: weights of layer 'fc': scale '"));
        assert_true(m.weights->tensor[1].scale[0] == 3e38f); /* what was there stays */
    }
    snn_model_free(&m);
}

static void values_become_codes(void **state) {
    (void)state;
    snn_error err;
    snn_model m = empty_model();
    int8_t value[60] = {1, -127, 0, 127, -1};
    write_npy(at("fc.npy"), SNN_NPY_I8, 2, fc_shape, value);
    assert_true(snn_model_import_npy(&m, "fc", at("fc.npy"), "2^-7", NULL, &err));
    const snn_tensor *t = &m.weights->tensor[1];
    assert_true(t->bits == 8 && t->encoding == SNN_SIGN_MAGNITUDE);
    const uint8_t codes[] = {0x01, 0xff, 0x00, 0x7f, 0x81};
    assert_memory_equal(t->code8, codes, sizeof codes);
    snn_quantisation q = {.bits = 8, .encoding = SNN_TWOS_COMPLEMENT};
    value[7] = -128;
    write_npy(at("low.npy"), SNN_NPY_I8, 2, fc_shape, value);
    assert_false(snn_model_import_npy(&m, "fc", at("low.npy"), "1", NULL, &err));
    assert_non_null(strstr(err.text, "low.npy: weight 7 is -128, which 8 bits (sign_magnitude) do not hold"));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_memory_equal(t->code8, codes, sizeof codes); /* what was there stays */
    assert_true(snn_model_import_npy(&m, "fc", at("low.npy"), "1", &q, &err));
    assert_int_equal(t->code8[7], 0x80);
    q.bits = 7;
    assert_false(snn_model_import_npy(&m, "fc", at("low.npy"), "1", &q, &err));
    assert_non_null(strstr(err.text, "weight 1 is -127, which 7 bits"));
    q.bits = 1;
    assert_false(snn_model_import_npy(&m, "fc", at("fc.npy"), "1", &q, &err));
    assert_non_null(strstr(err.text, "weight 1 is -127, which 1 bits"));
    for (int i = 0; i < 60; i++)
        value[i] = i % 3 ? -1 : 1;
    write_npy(at("fc.npy"), SNN_NPY_I8, 2, fc_shape, value);
    assert_true(snn_model_import_npy(&m, "fc", at("fc.npy"), "1", &q, &err));
    assert_true(t->bits == 1 && t->code8[0] == 0 && t->code8[1] == 1);
    value[9] = 0;
    write_npy(at("fc.npy"), SNN_NPY_I8, 2, fc_shape, value);
    assert_false(snn_model_import_npy(&m, "fc", at("fc.npy"), "1", &q, &err));
    assert_non_null(strstr(err.text, "weight 9 is 0, which 1 bits"));
    snn_model_free(&m);
}

static void scales_from_a_file(void **state) {
    (void)state;
    snn_error err;
    snn_model m = empty_model();
    int8_t value[60] = {1};
    float scale[] = {1, 2, 4, 0.3f, 8}, bad[] = {1, 2, -4, 3, 8};
    write_npy(at("fc.npy"), SNN_NPY_I8, 2, fc_shape, value);
    write_npy(at("s.npy"), SNN_NPY_F32, 1, fc_shape, scale);
    write_npy(at("bad.npy"), SNN_NPY_F32, 1, fc_shape, bad);
    write_npy(at("long.npy"), SNN_NPY_F32, 1, (uint64_t[]){6}, (float[6]){1, 1, 1, 1, 1, 1});
    write_npy(at("f64.npy"), SNN_NPY_F64, 1, fc_shape, (double[5]){1, 1, 1, 1, 1});
    assert_true(snn_model_import_npy(&m, "fc", at("fc.npy"), at("s.npy"), NULL, &err));
    assert_int_equal(m.weights->tensor[1].scales, 5);
    assert_memory_equal(m.weights->tensor[1].scale, scale, sizeof scale);
    assert_false(snn_model_import_npy(&m, "fc", at("fc.npy"), at("bad.npy"), NULL, &err));
    assert_non_null(strstr(err.text, "bad.npy: layer 'fc': scale 2 is -4"));
    assert_false(snn_model_import_npy(&m, "fc", at("fc.npy"), at("long.npy"), NULL, &err));
    assert_non_null(strstr(err.text, "expected float32 scales of shape 5 for layer 'fc', found shape 6"));
    assert_false(snn_model_import_npy(&m, "fc", at("fc.npy"), at("f64.npy"), NULL, &err));
    assert_non_null(strstr(err.text, "found another type, shape 5"));
    assert_false(snn_model_import_npy(&m, "fc", at("fc.npy"), at("none.npy"), NULL, &err));
    assert_memory_equal(m.weights->tensor[1].scale, scale, sizeof scale);
    snn_model_free(&m);
}

static void refused(snn_model *m, const char *layer, const char *path, const char *scale, snn_code code,
                    const char *sentence) {
    snn_error err = {0};
    snn_quantisation q = {.bits = 8};
    assert_false(snn_model_import_npy(m, layer, path, scale, &q, &err));
    if (strstr(err.text, sentence) == NULL)
        fail_msg("expected '%s' in '%s'", sentence, err.text);
    assert_int_equal(err.code, code);
}

static void refusals(void **state) {
    (void)state;
    snn_model m = empty_model(), none = {0};
    float value[60] = {0};
    write_npy(at("fc.npy"), SNN_NPY_F32, 2, fc_shape, value);
    write_npy(at("i8.npy"), SNN_NPY_I8, 2, fc_shape, value);
    write_npy(at("f64.npy"), SNN_NPY_F64, 2, fc_shape, (double[60]){0});
    write_npy(at("u8.npy"), SNN_NPY_U8, 2, fc_shape, value);
    write_npy(at("turned.npy"), SNN_NPY_F32, 2, (uint64_t[]){12, 5}, value);
    write_npy(at("flat.npy"), SNN_NPY_F32, 1, (uint64_t[]){60}, value);
    write_npy(at("conv.npy"), SNN_NPY_F32, 4, (uint64_t[]){3, 2, 2, 2}, value);
    write_npy(at("conv3.npy"), SNN_NPY_F32, 4, (uint64_t[]){3, 2, 2, 3}, value);
    value[7] = INFINITY;
    write_npy(at("inf.npy"), SNN_NPY_F32, 2, fc_shape, value);
    refused(&none, "fc", at("fc.npy"), NULL, SNN_ERR_USAGE, "there is no network to import weights into");
    refused(&m, "fc2", at("fc.npy"), NULL, SNN_ERR_USAGE, "the network has no layer 'fc2' for ");
    refused(&m, "pool", at("fc.npy"), NULL, SNN_ERR_USAGE, "layer 'pool' has no weights for ");
    refused(&m, "fc", at("missing.npy"), NULL, SNN_ERR_DATA, "missing.npy");
    refused(&m, "fc", at("turned.npy"), NULL, SNN_ERR_DATA,
            "turned.npy: has shape 12 x 5, layer 'fc' needs 5 x 12 (PyTorch's axis order)");
    refused(&m, "fc", at("flat.npy"), NULL, SNN_ERR_DATA, "has shape 60, layer 'fc' needs 5 x 12");
    refused(&m, "fc", at("conv.npy"), NULL, SNN_ERR_DATA, "has shape 3 x 2 x 2 x 2, layer 'fc' needs 5 x 12");
    refused(&m, "conv", at("conv3.npy"), NULL, SNN_ERR_DATA,
            "has shape 3 x 2 x 2 x 3, layer 'conv' needs 3 x 2 x 2 x 2");
    refused(&m, "conv", at("fc.npy"), NULL, SNN_ERR_DATA,
            "has shape 5 x 12, layer 'conv' needs 3 x 2 x 2 x 2");
    refused(&m, "fc", at("f64.npy"), NULL, SNN_ERR_DATA,
            "weights of layer 'fc': expected float32, or int8 to int64");
    refused(&m, "fc", at("u8.npy"), "1", SNN_ERR_DATA, "expected float32, or int8 to int64 with a scale");
    refused(&m, "fc", at("i8.npy"), NULL, SNN_ERR_USAGE,
            "integer weights of layer 'fc' need a scale, like fc=");
    refused(&m, "fc", at("fc.npy"), "2^-3", SNN_ERR_USAGE,
            "has float32 weights; a scale goes with int8 ones");
    refused(&m, "fc", at("inf.npy"), NULL, SNN_ERR_DATA, "inf.npy: layer 'fc': weight 7 is inf");
    snn_error err;
    assert_false(snn_model_import_npy(&m, "fc", at("inf.npy"), NULL, NULL, &err));
    assert_non_null(strstr(err.text, "inf.npy: layer 'fc': weight 7 is inf"));
    for (int i = 0; i < 60; i++)
        assert_true(m.weights->tensor[1].value[i] == 0);
    snn_model_free(&m);
}

/* ---- export ---- */

/* A model with codes of `bits` bits in one tensor; the other is float. Every code occurs, except -0. */
static snn_model coded_model(int bits, snn_encoding encoding, bool per_channel) {
    snn_error err;
    snn_model m = empty_model();
    m.weights = snn_weights_new(m.net, &err);
    assert_non_null(m.weights);
    snn_tensor *t = &m.weights->tensor[1];
    m.weights->tensor[0].value[5] = 0.1f;
    free(t->data);
    t->type = bits > 8 ? SNN_CODE_16 : SNN_CODE_8;
    t->bits = bits;
    t->encoding = encoding;
    t->scales = per_channel ? 5 : 1;
    t->scale = calloc(5, sizeof(float));
    t->data = calloc(60, 2);
    assert_true(t->scale != NULL && t->data != NULL);
    for (int i = 0; i < 5; i++)
        t->scale[i] = 0.1f * (float)(i + 1);
    for (uint32_t i = 0; i < 60; i++) {
        uint32_t code = (i * (bits > 8 ? 1093 : 13) + 200) & ((1u << bits) - 1);
        if (encoding == SNN_SIGN_MAGNITUDE && bits > 1 && code == 1u << (bits - 1))
            code = 0;
        if (bits > 8)
            t->code16[i] = (uint16_t)code;
        else
            t->code8[i] = (uint8_t)code;
    }
    return m;
}

static void export_and_import_keep_codes(void **state) {
    (void)state;
    for (int e = 0; e < 3; e++) {
        for (int k = 1; k <= 9; k++) {
            int bits = k == 9 ? 16 : k;
            bool per_channel = k & 1;
            snn_error err;
            snn_model m = coded_model(bits, (snn_encoding)e, per_channel), back = empty_model();
            char out[256], scale[32];
            snprintf(out, sizeof out, "%s/out/%d/%d", folder, e, bits);
            if (!snn_model_export_npy(&m, out, &err))
                fail_msg("%s", err.text);
            char npy[300], scales[300];
            snprintf(npy, sizeof npy, "%s/fc.npy", out);
            snprintf(scales, sizeof scales, "%s/fc.scale.npy", out);
            snprintf(scale, sizeof scale, "%.9g", (double)m.weights->tensor[1].scale[0]);
            snn_quantisation q = {.bits = bits, .encoding = (snn_encoding)e};
            if (!snn_model_import_npy(&back, "fc", npy, per_channel ? scales : scale, &q, &err))
                fail_msg("%s", err.text);
            assert_int_equal(access(scales, F_OK), per_channel ? 0 : -1);
            snprintf(npy, sizeof npy, "%s/conv.npy", out);
            assert_true(snn_model_import_npy(&back, "conv", npy, NULL, NULL, &err));
            char a[65], b[65];
            snn_weights_digest(m.weights, a);
            snn_weights_digest(back.weights, b);
            assert_string_equal(a, b);
            snn_model_free(&m);
            snn_model_free(&back);
        }
    }
}

static void export_writes_the_scales(void **state) {
    (void)state;
    snn_error err;
    snn_model m = coded_model(4, SNN_OFFSET_BINARY, true);
    uint8_t *text;
    size_t n;
    assert_true(snn_model_export_npy(&m, at("scales"), &err));
    assert_true(snn_file_read(at("scales/scales.csv"), 4096, &text, &n, &err));
    assert_string_equal((char *)text, "layer,channel,bits,encoding,scale\nconv,,32,float32,1\n"
                                      "fc,0,4,offset_binary,0.100000001\nfc,1,4,offset_binary,0.200000003\n"
                                      "fc,2,4,offset_binary,0.300000012\nfc,3,4,offset_binary,0.400000006\n"
                                      "fc,4,4,offset_binary,0.5\n");
    free(text);
    snn_model_free(&m);
    m = coded_model(8, SNN_SIGN_MAGNITUDE, false);
    m.weights->tensor[1].code8[0] = 0x80; /* -0 is exported as 0 */
    assert_true(snn_model_export_npy(&m, at("scales"), &err));
    assert_true(snn_file_read(at("scales/scales.csv"), 4096, &text, &n, &err));
    assert_non_null(strstr((char *)text, "fc,,8,sign_magnitude,0.100000001\n"));
    free(text);
    snn_npy h;
    int8_t value[60];
    assert_true(snn_npy_open(at("scales/fc.npy"), &h, &err));
    assert_true(h.type == SNN_NPY_I8 && h.dims == 2 && h.shape[0] == 5 && h.shape[1] == 12);
    assert_true(snn_npy_read(at("scales/fc.npy"), &h, 0, 60, value, &err));
    assert_int_equal(value[0], 0);
    for (uint64_t i = 0; i < 60; i++)
        assert_int_equal(value[i], snn_weight_q(&m.weights->tensor[1], i));
    snn_model_free(&m);
}

static void export_fails_clearly(void **state) {
    (void)state;
    snn_error err;
    snn_model m = coded_model(4, SNN_OFFSET_BINARY, true), none = {0};
    assert_false(snn_model_export_npy(&none, at("x"), &err));
    assert_string_equal(err.text, "the model has no weights to export");
    write_npy(at("file"), SNN_NPY_U8, 1, (uint64_t[]){1}, "x");
    assert_false(snn_model_export_npy(&m, at("file/sub"), &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    assert_non_null(strstr(err.text, "file"));
    snn_model_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_quantised_or_kept),
        cmocka_unit_test(scales_as_text),
        cmocka_unit_test(values_become_codes),
        cmocka_unit_test(scales_from_a_file),
        cmocka_unit_test(refusals),
        cmocka_unit_test(export_and_import_keep_codes),
        cmocka_unit_test(export_writes_the_scales),
        cmocka_unit_test(export_fails_clearly),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
