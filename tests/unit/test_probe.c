/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fitness probe's public face, and its plain twin against engines built from rewritten weights. */
#include "probe_test.h"

#define CHECK_ERROR(call, expected_code, expected_text)                                                      \
    do {                                                                                                     \
        snn_error err = {0};                                                                                 \
        assert_false(call);                                                                                  \
        assert_int_equal(err.code, expected_code);                                                           \
        assert_string_equal(err.text, expected_text);                                                        \
    } while (0)

static const char two_layers[] =
    "{name=\"a\"; type=\"linear\"; outputs=6;}, {name=\"b\"; type=\"linear\"; outputs=4;}";
enum { SAMPLES = 21, INPUTS = 8 };

typedef struct {
    snn_net *net;
    snn_weights *weights;
    snn_spikes x[SAMPLES];
} work;

static work make(const char *layers, snn_shape input, int bits, snn_encoding encoding, uint64_t seed) {
    snn_random r;
    snn_random_init(&r, 21, SNN_PURPOSE_TEST, seed);
    work k = {.net = probe_net(layers, input)};
    k.weights = probe_weights(k.net, bits, encoding, false, 1.5, &r);
    for (int i = 0; i < SAMPLES; i++)
        probe_sample(&k.x[i], snn_shape_size(input), 5, 0.4, 3, &r);
    return k;
}

static work make_two(int bits, snn_encoding encoding) {
    return make(two_layers, (snn_shape){INPUTS, 1, 1}, bits, encoding, 1);
}

static void drop(work *k) {
    for (int i = 0; i < SAMPLES; i++)
        snn_spikes_free(&k->x[i]);
    snn_weights_free(k->weights);
    snn_net_free(k->net);
}

/* ---- making ---- */

static snn_probe *try_new(const work *k, const snn_weights *w, const snn_spikes *x, size_t n,
                          snn_arithmetic a, snn_error *err) {
    const snn_probe_options o = {.arithmetic = a, .simd = SNN_SIMD_PLAIN};
    return snn_probe_new(k->net, w, NULL, &o, x, NULL, n, err);
}

static void refuses_what_does_not_fit(void **state) {
    (void)state;
    work k = make_two(8, SNN_SIGN_MAGNITUDE),
         other = make(two_layers, (snn_shape){9, 1, 1}, 8, SNN_SIGN_MAGNITUDE, 2);
    snn_error e = {0};
    snn_weights *floats = snn_weights_new(k.net, &e);
    const snn_arithmetic a = SNN_ARITHMETIC_FLOAT;
    CHECK_ERROR(try_new(&k, k.weights, k.x, 0, a, &err), SNN_ERR_USAGE, "a probe needs at least one sample");
    CHECK_ERROR(try_new(&k, k.weights, other.x, SAMPLES, a, &err), SNN_ERR_DATA,
                "sample 0 of the probe has 9 inputs, the network 8");
    CHECK_ERROR(try_new(&k, other.weights, k.x, SAMPLES, a, &err), SNN_ERR_DATA,
                "weights of layer 'a' have shape 6 x 9, the network needs 6 x 8");
    CHECK_ERROR(try_new(&k, floats, k.x, SAMPLES, SNN_ARITHMETIC_FIXED, &err), SNN_ERR_USAGE,
                "layer a has float weights: fixed arithmetic needs integer codes (quantise the model first)");
    k.x[3].spike[k.x[3].first[5] - 1].index = INPUTS;
    CHECK_ERROR(try_new(&k, k.weights, k.x, SAMPLES, a, &err), SNN_ERR_DATA,
                "sample 3 of the probe has a spike at input 8 of 8");
    k.x[3].spike[k.x[3].first[5] - 1].index = INPUTS - 1;
    snn_probe *p = try_new(&k, k.weights, k.x, SAMPLES, a, &e);
    assert_non_null(p);
    assert_int_equal(snn_probe_samples(p), SAMPLES);
    assert_int_equal(snn_probe_classes(p), 4);
    snn_probe_free(p);
    snn_probe_free(NULL);
    snn_probe_workspace_free(NULL);
    snn_weights_free(floats);
    drop(&k);
    drop(&other);
}

static bool no_errors(void *context, void *scratch, int tensor, uint64_t sample, int step,
                      const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    (void)context, (void)scratch, (void)tensor, (void)sample, (void)step, (void)input, (void)n, (void)errors,
        (void)err;
    return true;
}

static const char *kind(const snn_net *net, const snn_weights *w, const snn_probe_options *o,
                        const snn_spikes *x) {
    snn_error err = {0};
    snn_probe *p = snn_probe_new(net, w, NULL, o, x, NULL, SAMPLES, &err);
    if (!p)
        fail_msg("%s", err.text);
    const char *name = snn_probe_kind(p);
    snn_probe_free(p);
    return name;
}

static void picks_a_way(void **state) {
    (void)state;
    const snn_hook hook = {.read = no_errors};
    snn_error err = {0};
    work k = make_two(8, SNN_SIGN_MAGNITUDE),
         flat = make("{name=\"f\"; type=\"flatten\";}, {name=\"a\"; type=\"linear\"; outputs=6;}",
                     (snn_shape){2, 3, 4}, 8, SNN_SIGN_MAGNITUDE, 3);
    snn_weights *floats = snn_weights_new(k.net, &err);
    assert_string_equal(kind(k.net, k.weights, &(snn_probe_options){0}, k.x), "lanes");
    assert_string_equal(kind(flat.net, flat.weights, &(snn_probe_options){0}, flat.x), "lanes");
    assert_string_equal(kind(k.net, k.weights, &(snn_probe_options){.twin = true}, k.x), "twin");
    assert_string_equal(kind(k.net, k.weights, &(snn_probe_options){.hook = &hook}, k.x), "twin");
    assert_string_equal(kind(k.net, floats, &(snn_probe_options){0}, k.x), "twin");
    snn_weights_free(floats);
    drop(&k);
    drop(&flat);
}

/* ---- deltas ---- */

static bool eval(const probe_side *p, const snn_delta *delta, size_t n, snn_probe_result *r, snn_error *err) {
    return snn_probe_eval(p->probe, delta, n, p->w, r, err);
}

/* Tensor b is not searched. */
static void refuses_bad_deltas(void **state) {
    (void)state;
    work k = make_two(8, SNN_TWOS_COMPLEMENT);
    const bool searched[] = {true, false};
    snn_error e = {0};
    probe_side p = {0};
    p.probe = snn_probe_new(k.net, k.weights, searched, &(snn_probe_options){0}, k.x, NULL, SAMPLES, &e);
    p.w = snn_probe_workspace_new(p.probe, &e);
    assert_true(snn_probe_result_init(&p.r, SAMPLES, 4, &e));
    const snn_delta twice[] = {{0, 0, 4}, {0, 0, 4}}, back[] = {{0, 0, 4}, {0, 0, 3}},
                    next[] = {{0, 0, 46}, {0, 0, 47}}, outside[] = {{0, 0, 0}, {0, 0, 48}},
                    other[] = {{0, 0, 5}, {1, 0, 0}}, none[] = {{2, 0, 0}}, late[] = {{0, 0, 48}, {1, 0, 0}};
    assert_true(eval(&p, next, 2, &p.r, &e));
    CHECK_ERROR(eval(&p, twice, 2, &p.r, &err), SNN_ERR_DATA, "delta 1 is not behind the one before it");
    CHECK_ERROR(eval(&p, back, 2, &p.r, &err), SNN_ERR_DATA, "delta 1 is not behind the one before it");
    CHECK_ERROR(eval(&p, outside, 2, &p.r, &err), SNN_ERR_DATA,
                "delta 1 is at weight 48 of layer 'a', which has 48 codes");
    CHECK_ERROR(eval(&p, late, 2, &p.r, &err), SNN_ERR_DATA,
                "delta 0 is at weight 48 of layer 'a', which has 48 codes");
    CHECK_ERROR(eval(&p, other, 2, &p.r, &err), SNN_ERR_DATA,
                "delta 1 is in tensor 1, which is not searched");
    CHECK_ERROR(eval(&p, none, 1, &p.r, &err), SNN_ERR_DATA, "delta 0 is in tensor 2, which is not searched");
    CHECK_ERROR(snn_probe_rebase(p.probe, back, 2, &err), SNN_ERR_DATA,
                "delta 1 is not behind the one before it");
    snn_probe_result wrong;
    assert_true(snn_probe_result_init(&wrong, SAMPLES - 1, 4, &e));
    CHECK_ERROR(eval(&p, next, 2, &wrong, &err), SNN_ERR_DATA, "the result was made for another probe");
    snn_probe_result_free(&wrong);
    assert_true(snn_probe_result_init(&wrong, SAMPLES, 5, &e));
    CHECK_ERROR(eval(&p, next, 2, &wrong, &err), SNN_ERR_DATA, "the result was made for another probe");
    snn_probe_result_free(&wrong);
    probe_close(&p);
    drop(&k);
}

/* Deltas that go back to an earlier tensor, and those of float tensors. */
static void refuses_tensors(void **state) {
    (void)state;
    work k = make_two(8, SNN_OFFSET_BINARY);
    snn_error e = {0};
    snn_weights *floats = snn_weights_new(k.net, &e);
    probe_side p = probe_open(k.net, k.weights, (snn_probe_options){0}, k.x, SAMPLES),
               f = probe_open(k.net, floats, (snn_probe_options){0}, k.x, SAMPLES);
    const snn_delta back[] = {{1, 0, 23}, {0, 0, 3}}, both[] = {{0, 0, 47}, {1, 0, 0}};
    assert_true(eval(&p, both, 2, &p.r, &e));
    CHECK_ERROR(eval(&p, back, 2, &p.r, &err), SNN_ERR_DATA, "delta 1 is not behind the one before it");
    CHECK_ERROR(eval(&f, both, 2, &f.r, &err), SNN_ERR_DATA,
                "delta 0 is at weight 47 of layer 'a', which has 0 codes");
    probe_close(&p);
    probe_close(&f);
    snn_weights_free(floats);
    drop(&k);
}

/* Every value of every width and encoding: exactly those that have a code are taken. */
static void knows_the_values(void **state) {
    (void)state;
    for (int bits = 1; bits <= 16; bits++)
        for (snn_encoding encoding = 0; encoding <= SNN_OFFSET_BINARY; encoding++) {
            work k = make_two(bits, encoding);
            probe_side p = probe_open(k.net, k.weights, (snn_probe_options){0}, k.x, 1);
            const int32_t half = INT32_C(1) << (bits - 1);
            const int32_t highest = bits == 1 ? 1 : half - 1, lowest = bits == 1 ? -1
                                                                       : encoding == SNN_SIGN_MAGNITUDE
                                                                           ? 1 - half
                                                                           : -half;
            for (uint64_t i = 0; i < 4; i++) {
                const int32_t q = snn_weight_q(&k.weights->tensor[0], i);
                for (int32_t v = -half - 2; v <= half + 1;
                     v += bits > 6 && v > -half + 1 && v < half - 4 ? half / 16 : 1) {
                    const bool has = v >= lowest && v <= highest && (bits > 1 || v != 0);
                    const snn_delta d = {0, v - q, i};
                    snn_error err = {0};
                    char text[100];
                    assert_int_equal(has, eval(&p, &d, 1, &p.r, &err));
                    snprintf(text, sizeof text,
                             "delta 0 gives weight %d of layer 'a' the value %d, which has no code", (int)i,
                             (int)v);
                    assert_string_equal(err.text, has ? "" : text);
                }
                const snn_delta far[] = {{0, INT32_MAX, i}, {0, INT32_MIN, i}};
                snn_error err = {0};
                assert_false(eval(&p, &far[0], 1, &p.r, &err));
                assert_false(eval(&p, &far[1], 1, &p.r, &err));
            }
            probe_close(&p);
            drop(&k);
        }
}

/* ---- answers ---- */

/* What an engine built from these weights answers. */
static void run_engine(const work *k, const snn_weights *w, const snn_engine_options *o, double *out) {
    snn_error err = {0};
    snn_engine *e = snn_engine_new(k->net, w, o, &err);
    snn_workspace *space = snn_workspace_new(e, &err);
    snn_result r;
    assert_true(snn_result_init(&r, k->net, 5, &err));
    for (size_t i = 0; i < SAMPLES; i++) {
        if (!snn_engine_run(e, &k->x[i], 100 + i, space, NULL, &r, &err))
            fail_msg("%s", err.text);
        for (uint32_t c = 0; c < k->net->classes; c++)
            out[c * SAMPLES + i] = r.out[c];
    }
    snn_result_free(&r);
    snn_workspace_free(space);
    snn_engine_free(e);
}

/* The lowest class of the best ones. */
static void check_predicted(const snn_probe_result *r) {
    for (size_t i = 0; i < r->samples; i++) {
        uint32_t best = 0;
        for (uint32_t c = 1; c < r->classes; c++)
            best = r->out[c * r->samples + i] > r->out[best * r->samples + i] ? c : best;
        assert_int_equal(r->predicted[i], best);
    }
}

/* Sums change with the sample's number and the tensor. */
static bool shift_sums(void *context, void *scratch, int tensor, uint64_t sample, int step,
                       const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    (void)context, (void)scratch, (void)input, (void)n, (void)err;
    if (!snn_grow((void **)&errors->item, &errors->capacity, errors->n + 1, sizeof *errors->item, err))
        return false;
    errors->item[errors->n++] =
        (snn_sum_error){(uint32_t)(sample + (uint64_t)step) % 3, 0, 60 * (tensor + 1)};
    return true;
}

static void compare_engine(const work *k, snn_probe_options o, uint64_t seed) {
    snn_error err = {0};
    snn_random r;
    uint64_t number[SAMPLES];
    double *out = calloc((size_t)k->net->classes * SAMPLES, sizeof *out);
    const snn_engine_options e = {.arithmetic = o.arithmetic, .simd = snn_simd_best(), .hook = o.hook};
    for (size_t i = 0; i < SAMPLES; i++)
        number[i] = 100 + i;
    probe_side p = {.probe = snn_probe_new(k->net, k->weights, NULL, &o, k->x, number, SAMPLES, &err)};
    p.w = snn_probe_workspace_new(p.probe, &err);
    assert_true(snn_probe_result_init(&p.r, SAMPLES, k->net->classes, &err));
    snn_random_init(&r, 22, SNN_PURPOSE_TEST, seed);
    snn_flip flip[40];
    snn_delta delta[40];
    for (int set = 0; set < 20; set++) {
        snn_flips flips = {(size_t)set * 2, flip};
        for (size_t i = 0; i < flips.n; i++) {
            const uint32_t t = snn_random_below(&r, (uint32_t)k->weights->tensors);
            const snn_tensor *x = &k->weights->tensor[t];
            flip[i] = (snn_flip){t, snn_random_below(&r, (uint32_t)x->bits),
                                 snn_random_below(&r, (uint32_t)x->count)};
        }
        snn_weights *changed = snn_weights_apply(k->weights, &flips, &err);
        size_t n = 40;
        assert_true(snn_weights_deltas(k->weights, &flips, delta, &n, &err));
        run_engine(k, changed, &e, out);
        assert_true(eval(&p, delta, n, &p.r, &err));
        assert_memory_equal(p.r.out, out, (size_t)k->net->classes * SAMPLES * sizeof *out);
        check_predicted(&p.r);
        snn_weights_free(changed);
    }
    free(out);
    probe_close(&p);
}

static void answers_as_an_engine(void **state) {
    (void)state;
    static const char conv[] = "{name=\"a\"; type=\"conv2d\"; channels=5; kernel=3; padding=1;}, "
                               "{name=\"p\"; type=\"pool_max\"; kernel=2;}, "
                               "{name=\"f\"; type=\"flatten\";}, {name=\"b\"; type=\"linear\"; outputs=3;}";
    static const char many[] =
        "{name=\"a\"; type=\"linear\"; outputs=9;}, {name=\"b\"; type=\"linear\"; outputs=19; "
        "neuron={type=\"li\"; decay=0.3; threshold=1.0;};}";
    static const char *const nets[] = {two_layers, conv, many};
    const snn_shape shapes[] = {{INPUTS, 1, 1}, {2, 6, 4}, {INPUTS, 1, 1}};
    const snn_hook hook = {.read = shift_sums};
    for (int i = 0; i < 3; i++)
        for (int o = 0; o < 8; o++) {
            work k = make(nets[i], shapes[i], 4 + i, (snn_encoding)i, (uint64_t)i);
            compare_engine(
                &k,
                (snn_probe_options){.arithmetic = o & 1 ? SNN_ARITHMETIC_FIXED : SNN_ARITHMETIC_FLOAT,
                                    .simd = snn_simd_best(),
                                    .twin = o & 2,
                                    .hook = o & 4 ? &hook : NULL},
                (uint64_t)(8 * i + o));
            drop(&k);
        }
}

/* All outputs equal: the first class; one of the last in lead: that one, in every sample. */
static void lowest_class_wins(void **state) {
    (void)state;
    snn_error err = {0};
    work k = make("{name=\"a\"; type=\"linear\"; outputs=4;}", (snn_shape){INPUTS, 1, 1}, 8,
                  SNN_TWOS_COMPLEMENT, 5);
    memset(k.weights->tensor[0].data, 0, k.weights->tensor[0].count);
    k.weights->tensor[0].scale[0] = 1;
    probe_side p = probe_open(k.net, k.weights, (snn_probe_options){0}, k.x, SAMPLES);
    assert_true(eval(&p, NULL, 0, &p.r, &err));
    for (int i = 0; i < SAMPLES; i++)
        assert_int_equal(p.r.predicted[i], 0);
    snn_delta d[2 * INPUTS];
    for (uint32_t i = 0; i < INPUTS; i++) { /* classes 2 and 3 alike */
        d[i] = (snn_delta){0, 1, 2 * INPUTS + i};
        d[INPUTS + i] = (snn_delta){0, 1, 3 * INPUTS + i};
    }
    assert_true(eval(&p, d, 2 * INPUTS, &p.r, &err));
    for (int i = 0; i < SAMPLES; i++)
        assert_int_equal(p.r.predicted[i], 2);
    probe_close(&p);
    drop(&k);
}

/* A base moved step by step answers as one made there; what has a code counts from the moved base; the caller's things may be gone. */
static void moves_its_base(void **state) {
    (void)state;
    for (int twin = 0; twin < 2; twin++) {
        snn_error err = {0};
        work k = make_two(4, SNN_TWOS_COMPLEMENT);
        const int32_t q = snn_weight_q(&k.weights->tensor[1], 7);
        const snn_delta up = {1, 7 - q, 7}, down = {1, -15, 7}, more = {1, 1, 7};
        probe_side a = probe_open(k.net, k.weights, (snn_probe_options){.twin = twin}, k.x, SAMPLES);
        snn_tensor_add(&k.weights->tensor[1], 7, 7 - q);
        probe_side b = probe_open(k.net, k.weights, (snn_probe_options){.twin = true}, k.x, SAMPLES);
        drop(&k);
        assert_true(snn_probe_rebase(a.probe, &up, 1, &err));
        probe_agree(&a, &b, NULL, 0);
        probe_agree(&a, &b, &down, 1);
        CHECK_ERROR(eval(&a, &more, 1, &a.r, &err), SNN_ERR_DATA,
                    "delta 0 gives weight 7 of layer 'b' the value 8, which has no code");
        probe_agree(&a, &b, NULL, 0);
        probe_close(&a);
        probe_close(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_does_not_fit), cmocka_unit_test(picks_a_way),
        cmocka_unit_test(refuses_bad_deltas),        cmocka_unit_test(refuses_tensors),
        cmocka_unit_test(knows_the_values),          cmocka_unit_test(answers_as_an_engine),
        cmocka_unit_test(lowest_class_wins),         cmocka_unit_test(moves_its_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
