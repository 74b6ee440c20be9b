/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Searching networks that only the engine knows: the probe, input rates of recurrent weights, candidates by tensor, encrypt.layers, a search from end to end; weights from NumPy. */
#include "search_test.h"

#include "../../crypto/order.h"

#include <unistd.h>

#define REC                                                                                                  \
    "{name=\"a\"; type=\"linear\"; outputs=18; recurrent=true; neuron={type=\"cuba_lif\";};}, {name=\"b\"; " \
    "type=\"linear\"; outputs=4; recurrent=true; delay=1;}"

static const snn_shape input = {12, 1, 1};

/* Every kind of network that is not plain goes through the twin, with the results of a new engine, and rebased too. */
static void probe(void **state) {
    (void)state;
    static const char *const nets[] = {
        REC,
        "{name=\"a\"; type=\"linear\"; outputs=18; delay=2;}, {name=\"b\"; type=\"linear\"; outputs=4;}",
        "{name=\"a\"; type=\"linear\"; outputs=18; start=2;}, {name=\"b\"; type=\"linear\"; outputs=4;}",
        "{name=\"a\"; type=\"linear\"; outputs=18; neuron={refractory=1;};}, {name=\"b\"; type=\"linear\"; "
        "outputs=4;}",
        "{name=\"c\"; type=\"conv2d\"; channels=3; kernel=1; neuron={type=\"alif\";};}, {name=\"b\"; "
        "type=\"linear\"; outputs=4;}",
    };
    for (size_t k = 0; k < sizeof nets / sizeof *nets; k++) {
        snn_error err = {0};
        search_rig g = rig_make(nets[k], input, 12, 6, SNN_TWOS_COMPLEMENT, k);
        const snn_probe_options o = {.simd = snn_simd_best()};
        snn_probe *p = snn_probe_new(g.net, g.weights, NULL, &o, g.sample, NULL, g.n, &err);
        must(p != NULL, &err);
        assert_true(!strcmp(snn_probe_kind(p), "twin") || !strcmp(snn_probe_kind(p), "tail"));
        snn_probe_workspace *w = snn_probe_workspace_new(p, &err);
        must(w != NULL, &err);
        int changed = 0;
        for (int round = 0; round < 12; round++) {
            snn_flip flip[3];
            for (int i = 0; i < 3; i++) {
                const uint32_t t = (uint32_t)(round + i) % (uint32_t)g.net->tensors;
                flip[i] = (snn_flip){t, 0, (uint64_t)(round * 37 + i * 11) % g.weights->tensor[t].count};
            }
            const snn_flips flips = {1 + (size_t)round % 3, flip};
            snn_weights *flipped = snn_weights_apply(g.weights, &flips, &err);
            snn_delta delta[3];
            size_t n = 3;
            must(flipped && snn_weights_deltas(g.weights, &flips, delta, &n, &err), &err);
            snn_probe_result expected = rig_run(&g, flipped, SNN_ARITHMETIC_FLOAT),
                             plain = rig_run(&g, g.weights, SNN_ARITHMETIC_FLOAT), got;
            must(snn_probe_result_init(&got, g.n, g.net->classes, &err) &&
                     snn_probe_eval(p, delta, n, w, &got, &err),
                 &err);
            assert_memory_equal(got.out, expected.out, g.n * g.net->classes * sizeof *got.out);
            assert_memory_equal(got.predicted, expected.predicted, g.n * sizeof *got.predicted);
            changed += memcmp(got.out, plain.out, g.n * g.net->classes * sizeof *got.out) != 0;
            if (round % 4 == 3) { /* the flipped weights are the base from now on */
                must(snn_probe_rebase(p, delta, n, &err) && snn_probe_eval(p, NULL, 0, w, &got, &err), &err);
                assert_memory_equal(got.out, expected.out, g.n * g.net->classes * sizeof *got.out);
                snn_weights_free(g.weights);
                g.weights = snn_weights_copy(flipped, &err);
            }
            snn_weights_free(flipped);
            snn_probe_result_free(&expected);
            snn_probe_result_free(&plain);
            snn_probe_result_free(&got);
        }
        assert_true(changed > 3);
        snn_probe_workspace_free(w);
        snn_probe_free(p);
        rig_close(&g);
    }
}

/* Rates of the layer's own spikes, counted here from a trace. */
typedef struct {
    double spikes[18];
} counted;

static bool count_step(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                       snn_error *err) {
    counted *c = context;
    (void)step, (void)membrane, (void)err;
    for (int i = 0; layer == 0 && i < 18; i++)
        c->spikes[i] += spikes[i];
    return true;
}

static void rates(void **state) {
    (void)state;
    snn_error err = {0};
    search_rig g = rig_make(REC, input, 12, 6, SNN_TWOS_COMPLEMENT, 1);
    rig_open(&g, 0, false, (snn_goal){.target = 3, .margin = 1}, 1);
    counted c = {{0}};
    const snn_engine_options o = {0};
    snn_engine *e = snn_engine_new(g.net, g.weights, &o, &err);
    snn_workspace *w = snn_workspace_new(e, &err);
    snn_result r;
    const bool layer[] = {true, false};
    const snn_trace trace = {&c, layer, count_step};
    must(snn_result_init(&r, g.net, RIG_STEPS, &err), &err);
    for (size_t i = 0; i < g.n; i++)
        must(snn_engine_run(e, &g.sample[i], i, w, &trace, &r, &err), &err);
    snn_rates x;
    must(snn_rates_new(&x, g.objective, &err), &err);
    double all = 0;
    for (uint64_t j = 0; j < 18; j++) {
        const double rate = c.spikes[j] / (12.0 * RIG_STEPS);
        assert_true(snn_rate_at(&x, &g.weights->tensor[1], 1, 5 * 18 + j) == rate); /* a_rec: from a to a */
        assert_true(snn_rate_at(&x, &g.weights->tensor[2], 2, 3 * 18 + j) == rate); /* b: from a */
        all += rate;
    }
    assert_true(all > 0);
    snn_rates_free(&x);
    assert_true(snn_rules_have_classes(g.objective)); /* though b_rec is behind b */
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
    rig_close(&g);
}

/* A greedy and a genetic search find bits, in recurrent weights too, and their verdict is the engine's. */
static void searches(void **state) {
    (void)state;
    static const snn_search_kind kinds[] = {SNN_SEARCH_GREEDY, SNN_SEARCH_GENETIC, SNN_SEARCH_SALIENCY,
                                            SNN_SEARCH_RANDOM};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        snn_error err = {0};
        search_rig g = rig_make(REC, input, 12, 6, SNN_TWOS_COMPLEMENT, 2);
        rig_open(&g, 0, false, (snn_goal){.target = 4, .margin = 0, .largest = 12}, 2);
        const snn_search_options o = {
            .kind = kinds[k], .rule = SNN_RULE_RATE, .seed = 5, .prune = true, .evaluations = 600};
        snn_search_result r;
        must(snn_search(g.objective, &o, NULL, &r, &err), &err);
        snn_weights *w = snn_weights_apply(g.weights, &r.flips, &err);
        must(w != NULL, &err);
        snn_probe_result out = rig_run(&g, w, SNN_ARITHMETIC_FLOAT);
        uint32_t right = 0;
        for (size_t i = 0; i < g.n; i++)
            right += out.predicted[i] == g.label[i];
        assert_int_equal(right, r.score.correct);
        assert_true(right < 12);
        snn_probe_result_free(&out);
        snn_weights_free(w);
        snn_search_free(&r);
        rig_close(&g);
    }
}

static void layers(void **state) {
    (void)state;
    static const struct {
        const char *section;
        int tensor; /* bits; -1: refused */
        const char *sentence;
    } given[] = {
        {"", 15, NULL},
        {"layers = [\"a\"];", 1, NULL},
        {"layers = [\"a_rec\"];", 2, NULL},
        {"layers = [\"b_rec\", \"a\"];", 9, NULL},
        {"layers = [\"a_rec\", \"a_rec\"];", -1, "layer a_rec is named twice"},
        {"layers = [\"c_rec\"];", -1,
         "there is no layer 'c_rec' with weights; expected all, or some of: a, a_rec, b, b_rec"},
    };
    snn_net *net = rig_net(REC, input);
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        char text[256];
        snn_error err = {0};
        snn_encrypt_options o;
        snprintf(text, sizeof text, "encrypt = { %s };\n", given[i].section);
        snn_config *c = snn_config_parse(text, "layers.cfg", &err);
        must(c != NULL, &err);
        const bool ok = snn_encrypt_options_from_config(&o, c, net, &err);
        assert_true(ok == (given[i].tensor >= 0));
        for (int t = 0; ok && t < 4; t++)
            assert_int_equal(o.tensor[t], given[i].tensor >> t & 1);
        if (ok) {
            assert_int_equal(o.samples, 10); /* no convolution */
            snn_encrypt_options_free(&o);
        } else if (!strstr(err.text, given[i].sentence)) {
            fail_msg("'%s' is not in '%s'", given[i].sentence, err.text);
        }
        snn_config_free(c);
    }
    snn_net_free(net);
}

/* Recurrent weights have a file of their own. */
static void from_numpy(void **state) {
    (void)state;
    snn_error err = {0};
    char path[] = "/tmp/snnsim_rec_XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    float value[18 * 18];
    for (int i = 0; i < 18 * 18; i++)
        value[i] = (float)(i % 19 - 9) / 16;
    snn_file *f = snn_file_create(path, 0600, &err);
    must(f && snn_npy_write_header(f, SNN_NPY_F32, 2, (uint64_t[]){18, 18}, &err), &err);
    assert_int_equal(fwrite(value, sizeof *value, 18 * 18, snn_file_stream(f)), 18 * 18);
    must(snn_file_commit(f, &err), &err);
    snn_model m = {.net = rig_net(REC, input)};
    must(snn_model_import_npy(&m, "a_rec", path, NULL, NULL, &err), &err);
    assert_memory_equal(m.weights->tensor[1].value, value, sizeof value);
    assert_false(snn_model_import_npy(&m, "a", path, NULL, NULL, &err));
    assert_non_null(strstr(err.text, "has shape 18 x 18, layer 'a' needs 18 x 12"));
    assert_false(snn_model_import_npy(&m, "c_rec", path, NULL, NULL, &err));
    assert_non_null(strstr(err.text, "the network has no layer 'c_rec'"));
    snn_model_free(&m);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probe),  cmocka_unit_test(rates),      cmocka_unit_test(searches),
        cmocka_unit_test(layers), cmocka_unit_test(from_numpy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
