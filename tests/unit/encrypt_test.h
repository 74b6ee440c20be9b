/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For tests of encryption as a job: a network that can be followed by hand. Four inputs, three classes, class c reads input c alone with weight 7/8 and fires at every step in which its input
 * is on. Sample i has input i % 4 on at all of three steps; its label is i % 3. So the plain network calls a sample i % 4, and 0 (a tie of silent outputs) where that is 3.
 */
#ifndef SNNSIM_ENCRYPT_TEST_H
#define SNNSIM_ENCRYPT_TEST_H

#include <snnsim/snnsim.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { INPUTS = 4, CLASSES = 3, STEPS = 3, TRAININGS = 300, TESTS = 200 };

static char folder[64];

__attribute__((unused)) static void need(bool ok, const snn_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

__attribute__((unused)) static void check_error(const snn_error *err, snn_code code, const char *part) {
    if (err->code != code || !strstr(err->text, part))
        fail_msg("error %d \"%s\", expected %d with \"%s\"", (int)err->code, err->text, (int)code, part);
}

static void write_array(const char *name, snn_npy_type type, int dims, const uint64_t *shape,
                        const void *data, size_t size) {
    char path[128];
    snn_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snn_file *f = snn_file_create(path, 0600, &err);
    need(f && snn_npy_write_header(f, type, dims, shape, &err), &err);
    assert_int_equal(fwrite(data, 1, size, snn_file_stream(f)), size);
    need(snn_file_commit(f, &err), &err);
}

static void write_part(const char *frames, const char *labels, uint64_t samples) {
    uint64_t shape[5] = {samples, STEPS, 1, 1, INPUTS};
    uint8_t *x = calloc(samples, STEPS * INPUTS);
    int32_t *label = calloc(samples, sizeof *label);
    assert_true(x && label);
    for (size_t i = 0; i < samples; i++) {
        label[i] = (int32_t)(i % CLASSES);
        for (size_t t = 0; t < STEPS; t++)
            x[(i * STEPS + t) * INPUTS + i % INPUTS] = 1;
    }
    write_array(frames, SNN_NPY_U8, 5, shape, x, samples * STEPS * INPUTS);
    write_array(labels, SNN_NPY_I32, 1, shape, label, samples * sizeof *label);
    free(x);
    free(label);
}

__attribute__((unused)) static int folder_setup(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snnsim-encrypt-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    write_part("x.npy", "y.npy", TRAININGS);
    write_part("tx.npy", "ty.npy", TESTS);
    return 0;
}

__attribute__((unused)) static int folder_teardown(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

typedef struct {
    snn_config *config;
    snn_dataset *training, *test;
    snn_net *net;
    snn_weights *weights;
} tiny;

/* more: text behind the sections of data and network; without a folder (tests that need no recordings) nothing is opened. */
__attribute__((unused)) static tiny open_tiny(const char *more) {
    char text[4096];
    snn_error err = {0};
    snprintf(
        text, sizeof text,
        "dataset = { name = \"npy\"; path = \"%s\"; train_frames = \"x.npy\"; train_labels = \"y.npy\";\n"
        "  frames = \"tx.npy\"; labels = \"ty.npy\"; };\n"
        "network = { layers = ( { name = \"flat\"; type = \"flatten\"; },\n"
        "  { name = \"fc\"; type = \"linear\"; outputs = 3; } ); };\n"
        "%s",
        folder, more);
    tiny s = {.config = snn_config_parse(text, "tiny.cfg", &err)};
    need(s.config != NULL, &err);
    s.net = snn_net_from_config(s.config, (snn_shape){1, 1, INPUTS}, &err);
    need(s.net != NULL, &err);
    snn_weights *w = snn_weights_new(s.net, &err);
    need(w != NULL, &err);
    for (size_t c = 0; c < CLASSES; c++)
        w->tensor[0].value[c * INPUTS + c] = 0.875f;
    snn_quantisation q = {.bits = 4, .encoding = SNN_SIGN_MAGNITUDE};
    s.weights = snn_weights_quantise(w, &q, NULL, &err);
    need(s.weights != NULL, &err);
    snn_weights_free(w);
    if (*folder) {
        need((s.training = snn_dataset_open(s.config, SNN_SPLIT_TRAIN, &err)) != NULL, &err);
        need((s.test = snn_dataset_open(s.config, SNN_SPLIT_TEST, &err)) != NULL, &err);
    }
    return s;
}

__attribute__((unused)) static void close_tiny(tiny *s) {
    snn_weights_free(s->weights);
    snn_net_free(s->net);
    snn_dataset_free(s->test);
    snn_dataset_free(s->training);
    snn_config_free(s->config);
}

#endif
