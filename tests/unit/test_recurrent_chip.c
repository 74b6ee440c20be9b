/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recurrent weights on the chip: an ideal one is the plain engine bit for bit in both ways of read-out; a recurrent tensor is read as the same matrix in a layer of its own
 * would be; constant errors, the ledger, what the tile refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "read_test.h"

#include <snnsim/ledger.h>

/* Fewer and more neurons than inputs; a convolution in front; states of every kind. */
static const struct {
    const char *layers;
    snn_shape input;
} nets[] = {
    {"{ name = \"fc\"; type = \"linear\"; outputs = 9; recurrent = true; },"
     "{ name = \"out\"; type = \"linear\"; outputs = 4; }",
     {1, 6, 10}},
    {"{ name = \"fc\"; type = \"linear\"; outputs = 70; recurrent = true; delay = 2; neuron = { type = "
     "\"cuba_lif\"; decay = 0.8; }; },"
     "{ name = \"out\"; type = \"linear\"; outputs = 5; recurrent = true; }",
     {1, 2, 3}},
    {"{ name = \"c\"; type = \"conv2d\"; channels = 3; kernel = 3; padding = 1; start = 1; },"
     "{ name = \"f\"; type = \"flatten\"; },"
     "{ name = \"fc\"; type = \"linear\"; outputs = 21; recurrent = true; neuron = { refractory = 1; }; },"
     "{ name = \"out\"; type = \"linear\"; outputs = 4; neuron = { type = \"li\"; }; }",
     {2, 4, 4}},
};
enum { NETS = sizeof nets / sizeof *nets, STEPS = 8 };

static void random_input(snn_spikes *x, uint32_t size, uint64_t seed) {
    snn_error err = {0};
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 1);
    need(snn_spikes_reset(x, size, STEPS, &err), &err);
    for (int t = 0; t < STEPS; t++)
        for (uint32_t i = 0; i < size; i++)
            if (snn_random_below(&r, 3) == 0) {
                const snn_spike s = {i, 1 + snn_random_below(&r, 2)};
                need(snn_spikes_append(x, t, &s, 1, &err), &err);
            }
}

static bool add_trace(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                      snn_error *err) {
    const snn_net *net = ((void **)context)[0];
    snn_digest *d = ((void **)context)[1];
    const uint32_t n = snn_shape_size(net->layer[layer].out);
    (void)step, (void)err;
    snn_digest_bytes(d, spikes, n);
    if (membrane)
        snn_digest_u32(d, membrane, n);
    return true;
}

/* Spikes, membranes and outputs of some samples. Returns the spikes of recurrent layers that went back. */
static uint64_t digest_run(const snn_net *net, const snn_weights *w, const snn_hook *hook,
                           snn_arithmetic arithmetic, char hex[65]) {
    snn_error err = {0};
    const snn_engine_options o = {
        .arithmetic = arithmetic, .simd = snn_simd_best(), .hook = hook, .count_operations = true};
    snn_engine *e = snn_engine_new(net, w, &o, &err);
    need(e != NULL, &err);
    snn_workspace *space = snn_workspace_new(e, &err);
    snn_result r;
    snn_digest d;
    uint64_t back = 0;
    bool layer[8] = {true, true, true, true, true, true, true, true};
    void *context[] = {(void *)(uintptr_t)net, &d};
    const snn_trace trace = {context, layer, add_trace};
    need(space != NULL && snn_result_init(&r, net, STEPS, &err), &err);
    snn_digest_init(&d);
    for (uint64_t i = 0; i < 4; i++) {
        snn_spikes x = {0};
        random_input(&x, snn_shape_size(net->input), i);
        need(snn_engine_run(e, &x, i, space, &trace, &r, &err), &err);
        snn_evaluate_digest(&d, i, &r);
        for (int l = 0; l < net->layers; l++) {
            back += r.activity[l].recurrent_inputs;
            assert_int_equal(r.activity[l].recurrent_inputs, r.activity[l].recurrent_words);
        }
        snn_spikes_free(&x);
    }
    uint8_t out[SNN_DIGEST_BYTES];
    snn_digest_final(&d, out);
    snn_digest_hex(out, hex);
    snn_result_free(&r);
    snn_workspace_free(space);
    snn_engine_free(e);
    return back;
}

/* Scales for spikes at about every third chance. */
static read_rig open_net(int i, const char *hw) {
    read_rig r = rig_open(nets[i].layers, nets[i].input, 6, SNN_TWOS_COMPLEMENT, hw, "");
    for (int t = 0; t < r.weights->tensors; t++)
        r.weights->tensor[t].scale[0] = 0x1p-5f;
    return r;
}

static void ideal_is_exact(void **state) {
    (void)state;
    static const char *const hw[] = {"device = \"ideal\"", "device = \"ideal\"; array = \"7x16\"",
                                     "device = \"ideal\"; readout = \"analog\"; analog = { adc_bits = 0; }",
                                     "device = \"ideal\"; readout = \"analog\"; array = \"7x16\"; analog = { "
                                     "adc_bits = 0; parallel_rows = 3; }"};
    for (int i = 0; i < NETS; i++)
        for (int fixed = 0; fixed < 2; fixed++) {
            char plain[65], chip[65];
            for (size_t k = 0; k < sizeof hw / sizeof *hw; k++) {
                read_rig r = open_net(i, hw[k]);
                rig_program(&r, 4);
                assert_true(digest_run(r.net, r.weights, NULL, (snn_arithmetic)fixed, plain) > 20);
                snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
                assert_true((snn_readout_hook(x) != NULL) == (k >= 2));
                digest_run(r.net, snn_readout_weights(x), snn_readout_hook(x), (snn_arithmetic)fixed, chip);
                assert_string_equal(plain, chip);
                snn_readout_free(x);
                rig_close(&r);
            }
        }
}

/* The hook about one tensor only, as if the others were exact (digital) or read out by another chip: sums of different units meet in one neuron. */
static void one_of_two_tensors(void **state) {
    (void)state;
    for (int i = 0; i < NETS; i++)
        for (int fixed = 0; fixed < 2; fixed++) {
            char plain[65], chip[65];
            read_rig r = open_net(i, "device = \"ideal\"; readout = \"analog\"; analog = { adc_bits = 0; }");
            rig_program(&r, 4);
            snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
            digest_run(r.net, r.weights, NULL, (snn_arithmetic)fixed, plain);
            for (int t = 0; t < r.net->tensors; t++) {
                bool silent[8] = {false};
                snn_hook hook = *snn_readout_hook(x);
                silent[t] = true;
                hook.silent = silent;
                digest_run(r.net, r.weights, &hook, (snn_arithmetic)fixed, chip);
                assert_string_equal(plain, chip);
                for (int other = 0; other < r.net->tensors; other++)
                    silent[other] = other != t;
                digest_run(r.net, r.weights, &hook, (snn_arithmetic)fixed, chip);
                assert_string_equal(plain, chip);
            }
            snn_readout_free(x);
            rig_close(&r);
        }
}

/* fc and fc_rec of the first network stand in the same cells as two layers in a row, and must be read alike. */
static void read_as_a_layer_of_its_own(void **state) {
    (void)state;
    static const char *const hw[] = {
        "device = \"harsh\"", "device = \"ideal\"; array = \"7x48\"; read_error = 0.02",
        "device = \"harsh\"; readout = \"analog\"; array = \"64x48\"; analog = { "
        "adc_bits = 8; adc_range = 0.3; }"};
    static const char twins[][200] = {
        "{ name = \"fc\"; type = \"linear\"; outputs = 9; }, { name = \"fc_rec\"; type = \"linear\"; outputs "
        "= 9; }, { name = \"out\"; type = \"linear\"; outputs = 4; }",
        "{ name = \"fc\"; type = \"linear\"; outputs = 70; }, { name = \"fc_rec\"; type = \"linear\"; "
        "outputs "
        "= 70; }, { name = \"out\"; type = \"linear\"; outputs = 5; }"};
    for (size_t k = 0; k < sizeof hw / sizeof *hw; k++) {
        uint64_t seen = 0;
        for (int i = 0; i < 2; i++) {
            const uint32_t n = i == 0 ? 9 : 70;
            read_rig a = rig_open(nets[i].layers, nets[i].input, 6, SNN_TWOS_COMPLEMENT, hw[k], ""),
                     b = rig_open(twins[i], nets[i].input, 6, SNN_TWOS_COMPLEMENT, hw[k], "");
            rig_program(&a, 1);
            rig_program(&b, 1);
            snn_readout *x = rig_read(&a, NULL, SNN_READ_FAST), *y = rig_read(&b, NULL, SNN_READ_FAST);
            const snn_hook *h[2] = {snn_readout_hook(x), snn_readout_hook(y)};
            assert_true(h[0] != NULL && h[1] != NULL);
            int32_t sum[2][70];
            for (int step = 0; step < 40; step++)
                for (int tensor = 0; tensor < 2; tensor++) {
                    const uint32_t inputs = tensor ? n : snn_shape_size(nets[i].input);
                    snn_spike list[70];
                    size_t found = 0;
                    for (uint32_t j = 0; j < inputs; j++)
                        if ((j * 7 + (uint32_t)step) % 3 == 0 || j + 1 == inputs)
                            list[found++] = (snn_spike){j, 1};
                    for (int s = 0; s < 2; s++) {
                        snn_error err = {0};
                        void *scratch =
                            h[s]->scratch_bytes ? snn_alloc(h[s]->scratch_bytes, 1, "t", &err) : NULL;
                        if (h[s]->scratch_bytes)
                            memset(scratch, 0, h[s]->scratch_bytes);
                        memset(sum[s], 0, sizeof sum[s]);
                        if (h[s]->sums)
                            need(h[s]->sums(h[s]->context, scratch, tensor, 5, step, list, found, sum[s],
                                            &err),
                                 &err);
                        else
                            hook_sums(h[s], scratch, tensor, 5, step, list, found, 1, n, sum[s]);
                        free(scratch);
                    }
                    assert_memory_equal(sum[0], sum[1], n * sizeof **sum);
                    for (uint32_t j = 0; j < n; j++)
                        seen += tensor == 1 && sum[0][j] != 0;
                }
            snn_readout_free(x);
            snn_readout_free(y);
            rig_close(&a);
            rig_close(&b);
        }
        assert_true(seen > 0);
    }
}

/* The definition, cell by cell, finds the same constant errors; both tensors have some. */
static void constant_errors(void **state) {
    (void)state;
    for (int i = 0; i < NETS; i++) {
        read_rig r = open_net(i, "device = \"ideal\"; cell_error = 0.05; array = \"16x64\"");
        rig_program(&r, 2);
        snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST), *twin = rig_read(&r, NULL, SNN_READ_TWIN);
        assert_true(same_weights(snn_readout_weights(x), snn_readout_weights(twin)));
        for (int t = 0; t < r.net->tensors; t++) {
            const snn_tensor *read = &snn_readout_weights(x)->tensor[t], *stored = &r.weights->tensor[t];
            uint64_t differ = 0;
            for (uint64_t k = 0; k < read->count; k++)
                differ += read->code8[k] != stored->code8[k];
            assert_true(differ > 0 && differ < read->count);
        }
        snn_readout_free(x);
        snn_readout_free(twin);
        rig_close(&r);
    }
}

/* Each tensor pays for its own reads, and neurons are paid for once. */
static void ledger(void **state) {
    (void)state;
    snn_error err = {0};
    read_rig r = open_net(0, "device = \"neurram\"");
    snn_chip_result chip = {0};
    snn_layer_activity layer[2] = {
        {.inputs = 50, .input_counts = 60, .row_words = 60, .recurrent_inputs = 20, .recurrent_words = 20},
        {.inputs = 7, .input_counts = 7, .row_words = 7}};
    const snn_chips_result run = {
        .chips = 1, .samples = 1, .steps = 8, .chip = &chip, .layers = 2, .layer = layer};
    snn_ledger l;
    need(snn_ledger_fill(&run, r.net, r.map, &r.o, r.weights, &l, &err), &err);
    double reads[3] = {0}, queued[3] = {0}, updates = 0;
    for (size_t i = 0; i < l.rows; i++) {
        const char *text = l.row[i].derivation;
        const int t = !strncmp(text, "layer fc_rec:", 13) ? 1 : !strncmp(text, "layer fc:", 9) ? 0 : 2;
        if (!strcmp(l.row[i].counted, "row reads in turn"))
            reads[t] += l.row[i].count;
        if (!strcmp(l.row[i].counted, "spikes queued and taken"))
            queued[t] += l.row[i].count;
        if (!strcmp(l.row[i].counted, "membrane updates"))
            updates += l.row[i].count;
    }
    assert_true(reads[0] == 40 && reads[1] == 20 && reads[2] == 7);
    assert_true(queued[0] == 30 && queued[1] == 20 && queued[2] == 7);
    assert_true(updates == 8 * (9 + 4));
    snn_ledger_free(&l);
    rig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ideal_is_exact),
        cmocka_unit_test(one_of_two_tensors),
        cmocka_unit_test(read_as_a_layer_of_its_own),
        cmocka_unit_test(constant_errors),
        cmocka_unit_test(ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
