/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine's hook. Sparse errors are compared with a twin whose weights are physically changed; whole sums with the engine's own. What the hook is given
 * (order, counts), what it may leave out (silent tensors), its scratch memory, and what is refused.
 */
#include "engine_test.h"

/* ---- weights that are read wrongly ---- */

typedef struct {
    uint32_t o, c, ky, kx; /* linear: c is the input in C order */
    int32_t dq;
} wrong_weight;

typedef struct {
    const test_work *work;
    const snn_weights *weights;
    wrong_weight *wrong[TEST_TENSORS];
    size_t wrongs[TEST_TENSORS];
    snn_digest lists[TEST_TENSORS]; /* of the input lists */
    uint64_t calls[TEST_TENSORS], errors;
} chip;

/* One weight in 30 becomes another one in `to`; what changed is kept. */
static void spoil(chip *p, snn_weights *to, uint64_t seed) {
    snn_random r;
    snn_random_init(&r, 6, SNN_PURPOSE_TEST, seed);
    for (int i = 0; i < to->tensors; i++) {
        snn_tensor *t = &to->tensor[i];
        const snn_layer *l = &p->work->net->layer[p->work->layer_of[i]];
        const bool conv = l->type == SNN_LAYER_CONV2D;
        const uint32_t taps = conv ? l->kernel * l->kernel : 1, inputs = (uint32_t)(t->count / t->shape[0]);
        const int32_t most = (1 << (t->bits - 1)) - 1;
        p->wrong[i] = calloc(t->count, sizeof **p->wrong);
        for (uint32_t k = 0; k < t->count; k++) {
            const int32_t old = snn_weight_q(t, k),
                          q = (int32_t)snn_random_below(&r, 2 * (uint32_t)most + 1) - most;
            if (snn_random_below(&r, 30) || q == old)
                continue;
            t->code8[k] = (uint8_t)snn_value_code(t->encoding, t->bits, q);
            const uint32_t at = k % inputs, tap = at % taps;
            p->wrong[i][p->wrongs[i]++] = (wrong_weight){k / inputs, at / taps, conv ? tap / l->kernel : 0,
                                                         conv ? tap % l->kernel : 0, q - old};
        }
    }
}

static void chip_drop(chip *p) {
    for (int i = 0; i < TEST_TENSORS; i++)
        free(p->wrong[i]);
}

/* Output pixel that tap (ky, kx) of input pixel (y, x) adds to, or false. */
static bool output_pixel(const snn_layer *l, uint32_t y, uint32_t x, uint32_t ky, uint32_t kx,
                         uint32_t *pixel) {
    const int64_t py = (int64_t)y + l->padding - ky, px = (int64_t)x + l->padding - kx;
    *pixel = 0;
    if (l->type == SNN_LAYER_LINEAR)
        return true;
    if (py < 0 || px < 0 || py % l->stride || px % l->stride || py / l->stride >= l->out.height ||
        px / l->stride >= l->out.width)
        return false;
    *pixel = (uint32_t)(py / l->stride) * l->out.width + (uint32_t)(px / l->stride);
    return true;
}

static void add_error(snn_sum_errors *e, snn_sum_error x) {
    snn_error err = {0};
    assert_true(snn_grow((void **)&e->item, &e->capacity, e->n + 1, sizeof x, &err));
    e->item[e->n++] = x;
}

static void shuffle(snn_sum_errors *e, uint64_t seed) {
    snn_random r;
    snn_random_init(&r, 8, SNN_PURPOSE_TEST, seed);
    for (size_t i = e->n; i > 1; i--) {
        const size_t k = snn_random_below(&r, (uint32_t)i);
        const snn_sum_error x = e->item[k];
        e->item[k] = e->item[i - 1];
        e->item[i - 1] = x;
    }
}

/* The list's order: by index on the network's input, else by pixel and then channel of the plane (before a flatten). */
static void check_order(const chip *p, int tensor, const snn_spike *input, size_t n) {
    const snn_net *net = p->work->net;
    int l = p->work->layer_of[tensor], before = l - 1;
    const uint32_t size = snn_shape_size(net->layer[l].in);
    bool pools_only = true;
    for (int i = 0; i < l; i++)
        pools_only &= net->layer[i].tensor < 0;
    while (before >= 0 && net->layer[before].type == SNN_LAYER_FLATTEN)
        before--;
    const snn_shape plane = before >= 0 ? net->layer[before].out : net->input;
    const uint32_t area = plane.height * plane.width;
    uint64_t last = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t x = input[i].index;
        assert_true(x < size && input[i].count >= 1 && (pools_only || input[i].count <= 255));
        const uint64_t key = pools_only ? x : (uint64_t)(x % area) * plane.channels + x / area;
        assert_true(i == 0 || key > last);
        last = key;
    }
}

static void note_call(chip *p, void *scratch, int tensor, uint64_t sample, int step, const snn_spike *input,
                      size_t n) {
    assert_null(scratch);
    assert_int_equal(sample, 3);
    assert_int_equal(p->calls[tensor]++ % TEST_STEPS, step);
    check_order(p, tensor, input, n);
    if (p->calls[tensor] == 1)
        snn_digest_init(&p->lists[tensor]);
    for (size_t i = 0; i < n; i++)
        snn_digest_u32(&p->lists[tensor], (const uint32_t[]){(uint32_t)step, input[i].index, input[i].count},
                       3);
}

static bool read_wrong(void *context, void *scratch, int tensor, uint64_t sample, int step,
                       const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    chip *p = context;
    const snn_layer *l = &p->work->net->layer[p->work->layer_of[tensor]];
    const uint32_t area = l->in.height * l->in.width;
    const bool lin = l->type == SNN_LAYER_LINEAR;
    (void)err;
    assert_int_equal(errors->n, 0);
    note_call(p, scratch, tensor, sample, step, input, n);
    for (size_t i = 0; i < n; i++) {
        const uint32_t c = lin ? input[i].index : input[i].index / area, at = input[i].index % area;
        for (size_t k = 0; k < p->wrongs[tensor]; k++) {
            const wrong_weight *w = &p->wrong[tensor][k];
            snn_sum_error x = {.channel = w->o, .dsum = w->dq * (int32_t)input[i].count};
            if (w->c != c || !output_pixel(l, at / l->in.width, at % l->in.width, w->ky, w->kx, &x.pixel))
                continue;
            add_error(errors, x);
            if (k % 5 == 0) { /* in two parts */
                errors->item[errors->n - 1].dsum -= 1000;
                x.dsum = 1000;
                add_error(errors, x);
            }
        }
    }
    shuffle(errors, (uint64_t)step * 8 + (uint64_t)tensor);
    p->errors += errors->n;
    return true;
}

/* Every SIMD level and density gives what the changed weights give, and sees the same lists. */
static void check_errors(const test_work *k, uint64_t seed) {
    snn_error err = {0};
    char lists[TEST_TENSORS][SNN_DIGEST_HEX];
    bool first = true;
    snn_weights *wrong = snn_weights_copy(k->weights, &err);
    chip spoilt = {.work = k, .weights = k->weights};
    spoil(&spoilt, wrong, seed);
    for (int a = 0; a < 2; a++) {
        snn_engine_options o = {.arithmetic = (snn_arithmetic)a};
        const test_outcome clean = test_outcome_of(k, k->weights, &o), twin = test_outcome_of(k, wrong, &o);
        assert_true(twin.spikes > 0);
        assert_string_not_equal(clean.digest, twin.digest);
        for (int level = 0; level <= (int)snn_simd_best(); level++)
            for (int density = 0; density < 3; density++) {
                chip p = spoilt;
                const snn_hook hook = {.context = &p, .read = read_wrong};
                o = (snn_engine_options){.arithmetic = (snn_arithmetic)a,
                                         .simd = (snn_simd)level,
                                         .density = (snn_density)density,
                                         .hook = &hook};
                const test_outcome x = test_outcome_of(k, k->weights, &o);
                test_same(&x, &twin);
                assert_true(p.errors > 20);
                for (int t = 0; t < k->net->tensors; t++) {
                    uint8_t digest[SNN_DIGEST_BYTES];
                    char hex[SNN_DIGEST_HEX];
                    assert_int_equal(p.calls[t], TEST_STEPS);
                    snn_digest_final(&p.lists[t], digest);
                    snn_digest_hex(digest, hex);
                    if (first)
                        memcpy(lists[t], hex, sizeof hex);
                    /* fixed arithmetic may spike elsewhere, but in each of its own runs the same */
                    assert_string_equal(lists[t], hex);
                }
                first = level == (int)snn_simd_best() && density == 2;
            }
    }
    chip_drop(&spoilt);
    snn_weights_free(wrong);
}

static void test_errors(void **state) {
    (void)state;
    for (int i = 0; i < TEST_NETS; i++) {
        test_work k = test_make(&test_nets[i], i == 2 ? 5 : 8, i % 2, 100 + (uint64_t)i);
        check_errors(&k, (uint64_t)i);
        test_drop(&k);
    }
}

/* ---- whole sums ---- */

/* 64 times the exact sums. */
static bool exact_sums(void *context, void *scratch, int tensor, uint64_t sample, int step,
                       const snn_spike *input, size_t n, int32_t *sum, snn_error *err) {
    chip *p = context;
    const snn_layer *l = &p->work->net->layer[p->work->layer_of[tensor]];
    const snn_tensor *t = &p->weights->tensor[tensor];
    const uint32_t area = l->in.height * l->in.width, channels = l->out.channels;
    const bool lin = l->type == SNN_LAYER_LINEAR;
    const uint32_t kernel = lin ? 1 : l->kernel, lines = lin ? snn_shape_size(l->in) : l->in.channels;
    (void)err;
    note_call(p, scratch, tensor, sample, step, input, n);
    for (uint32_t i = 0; i < snn_shape_size(l->out); i++)
        assert_int_equal(sum[i], 0);
    for (size_t i = 0; i < n; i++) {
        const uint32_t c = lin ? input[i].index : input[i].index / area, at = input[i].index % area;
        for (uint32_t ky = 0; ky < kernel; ky++)
            for (uint32_t kx = 0; kx < kernel; kx++) {
                uint32_t pixel;
                if (!output_pixel(l, at / l->in.width, at % l->in.width, ky, kx, &pixel))
                    continue;
                for (uint32_t o = 0; o < channels; o++)
                    sum[pixel * channels + o] +=
                        64 * (int32_t)input[i].count *
                        snn_weight_q(t, (((uint64_t)o * lines + c) * kernel + ky) * kernel + kx);
            }
    }
    return true;
}

static void test_exact_sums(void **state) {
    (void)state;
    for (int i = 0; i < TEST_NETS; i++) {
        test_work k = test_make(&test_nets[i], 8, i % 2 == 0, 200 + (uint64_t)i);
        for (int a = 0; a < 2; a++)
            for (int level = 0; level <= (int)snn_simd_best(); level++) {
                chip p = {.work = &k, .weights = k.weights};
                const snn_hook hook = {.context = &p, .sums = exact_sums};
                snn_engine_options o = {
                    .arithmetic = (snn_arithmetic)a, .simd = (snn_simd)level, .count_operations = true};
                const test_outcome plain = test_outcome_of(&k, k.weights, &o);
                o.hook = &hook;
                const test_outcome x = test_outcome_of(&k, k.weights, &o);
                test_same(&x, &plain);
                assert_true(x.spikes > 0);
                for (int t = 0; t < k.net->tensors; t++)
                    assert_int_equal(p.calls[t], TEST_STEPS);
            }
        test_drop(&k);
    }
}

/* ---- one layer by hand ---- */

static const test_net two_outputs = {
    "{name=\"b\"; type=\"linear\"; outputs=2; neuron={type=\"if\"; threshold=1.0;};}",
    {1, 1, 1},
    1,
    1.0,
    1.0};
static const test_net small_conv = {
    "{name=\"a\"; type=\"conv2d\"; channels=3; kernel=2;}, {name=\"b\"; type=\"linear\"; outputs=2;}",
    {1, 4, 3},
    1,
    0.5,
    0.5};

typedef struct {
    int32_t sum[2];
    bool fail;
} fixed_sums;

static bool give_sums(void *context, void *scratch, int tensor, uint64_t sample, int step,
                      const snn_spike *input, size_t n, int32_t *sum, snn_error *err) {
    const fixed_sums *f = context;
    (void)scratch, (void)tensor, (void)sample, (void)step, (void)input, (void)n;
    sum[0] = f->sum[0];
    sum[1] = f->sum[1];
    return !f->fail || snn_fail(err, SNN_ERR_RUNTIME, "the converter is gone");
}

typedef struct {
    bool fixed;
    double first[2]; /* membranes of the first step, in weight * input */
} membranes;

static bool keep_first(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                       snn_error *err) {
    membranes *m = context;
    (void)layer, (void)spikes, (void)err;
    for (int i = 0; step == 0 && i < 2; i++)
        m->first[i] = m->fixed ? ((const int32_t *)membrane)[i] : (double)((const float *)membrane)[i];
    return true;
}

/* Fractions of a weight LSB count: 33/64 LSB of 1/4 each, in every step; the threshold 1 is 256/64 LSB. */
static void test_fractions(void **state) {
    (void)state;
    test_work k = test_make(&two_outputs, 8, false, 1);
    k.weights->tensor[0].scale[0] = 0.25f;
    fixed_sums f = {{33, -257}, false};
    for (int a = 0; a < 2; a++) {
        snn_error err = {0};
        const snn_hook hook = {.context = &f, .sums = give_sums};
        const snn_engine_options o = {
            .arithmetic = (snn_arithmetic)a, .simd = snn_simd_best(), .hook = &hook};
        snn_engine *e = test_engine(&k, k.weights, &o);
        snn_workspace *w = snn_workspace_new(e, &err);
        membranes m = {.fixed = a == 1};
        const snn_trace trace = {&m, (const bool[]){true}, keep_first};
        snn_result r;
        assert_true(snn_result_init(&r, k.net, TEST_STEPS, &err) &&
                    snn_engine_run(e, &k.x, 0, w, &trace, &r, &err));
        assert_true(m.first[0] == (a ? 33 : 33.0 / 256) && m.first[1] == (a ? -257 : -257.0 / 256));
        assert_true(r.out[0] == 0); /* 7 * 33 = 231 */
        f.sum[0] = 37;              /* 7 * 37 = 259 */
        assert_true(snn_engine_run(e, &k.x, 0, w, NULL, &r, &err));
        assert_true(r.out[0] == 1 && r.out_spikes[6 * 2] == 1);
        f.sum[0] = 33;
        snn_result_free(&r);
        snn_workspace_free(w);
        snn_engine_free(e);
    }
    test_drop(&k);
}

/* ---- refusals ---- */

static bool run_once(const test_work *k, snn_arithmetic a, const snn_hook *hook, snn_error *err) {
    const snn_engine_options o = {.arithmetic = a, .simd = snn_simd_best(), .hook = hook};
    snn_result r;
    *err = (snn_error){0};
    snn_engine *e = test_engine(k, k->weights, &o);
    snn_workspace *w = snn_workspace_new(e, err);
    assert_true(snn_result_init(&r, k->net, TEST_STEPS, err));
    const bool ok = snn_engine_run(e, &k->x, 0, w, NULL, &r, err);
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
    return ok;
}

static void expect(bool ok, const snn_error *err, snn_code code, const char *words) {
    assert_false(ok);
    assert_int_equal(err->code, code);
    if (!strstr(err->text, words))
        fail_msg("'%s' does not say '%s'", err->text, words);
}

static void test_sum_range(void **state) {
    (void)state;
    test_work k = test_make(&two_outputs, 8, false, 1);
    k.x.steps = 1;
    snn_error err;
    fixed_sums f = {{0}, false};
    const snn_hook hook = {.context = &f, .sums = give_sums};
    for (int i = 0; i < 2; i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            f.sum[i] = sign * (1 << 29);
            assert_true(run_once(&k, SNN_ARITHMETIC_FIXED, &hook, &err));
            f.sum[i] += sign;
            expect(run_once(&k, SNN_ARITHMETIC_FIXED, &hook, &err), &err, SNN_ERR_RUNTIME,
                   "analogue read-out drives a synaptic sum of layer b beyond 536870912 / 64");
            f.sum[i] = sign > 0 ? INT32_MAX : -INT32_MAX;
            assert_true(run_once(&k, SNN_ARITHMETIC_FLOAT, &hook, &err));
            f.sum[i] = INT32_MIN;
            expect(run_once(&k, SNN_ARITHMETIC_FLOAT, &hook, &err), &err, SNN_ERR_RUNTIME,
                   "beyond 2147483647 / 64");
            f.sum[i] = 0;
        }
    f.fail = true;
    expect(run_once(&k, SNN_ARITHMETIC_FLOAT, &hook, &err), &err, SNN_ERR_RUNTIME, "the converter is gone");
    test_drop(&k);
}

typedef struct {
    int tensor, step;
    snn_sum_error item;
} one_error;

static bool give_error(void *context, void *scratch, int tensor, uint64_t sample, int step,
                       const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    const one_error *x = context;
    (void)scratch, (void)sample, (void)input, (void)n, (void)err;
    if (tensor == x->tensor && step == x->step)
        add_error(errors, x->item);
    return true;
}

/* Outputs that a layer does not have; 3 x 2 pixels of 3 channels, then 2 neurons. */
static void test_places(void **state) {
    (void)state;
    test_work k = test_make(&small_conv, 8, false, 1);
    snn_error err;
    one_error x = {0, 0, {2, 5, 0}};
    const snn_hook hook = {.context = &x, .read = give_error};
    assert_true(run_once(&k, SNN_ARITHMETIC_FLOAT, &hook, &err));
    x.item = (snn_sum_error){3, 0, 0};
    expect(run_once(&k, SNN_ARITHMETIC_FLOAT, &hook, &err), &err, SNN_ERR_RUNTIME,
           "a read error names channel 3 of pixel 0 of layer a, which has 3 channels of 6 pixels");
    x.item = (snn_sum_error){0, 6, 0};
    expect(run_once(&k, SNN_ARITHMETIC_FLOAT, &hook, &err), &err, SNN_ERR_RUNTIME, "channel 0 of pixel 6");
    x.item = (snn_sum_error){UINT32_MAX, UINT32_MAX, 0};
    expect(run_once(&k, SNN_ARITHMETIC_FIXED, &hook, &err), &err, SNN_ERR_RUNTIME, "pixel 4294967295");
    x = (one_error){1, 6, {1, 0, 0}};
    assert_true(run_once(&k, SNN_ARITHMETIC_FIXED, &hook, &err));
    x.item = (snn_sum_error){2, 0, 0};
    expect(run_once(&k, SNN_ARITHMETIC_FIXED, &hook, &err), &err, SNN_ERR_RUNTIME,
           "channel 2 of pixel 0 of layer b, which has 2 channels of 1 pixels");
    x.item = (snn_sum_error){0, 1, 0};
    expect(run_once(&k, SNN_ARITHMETIC_FIXED, &hook, &err), &err, SNN_ERR_RUNTIME, "pixel 1 of layer b");
    test_drop(&k);
}

/* The last allowed sum and one more, on a line of its own and on the only line of a layer. No input, so that errors are all there is. */
static void test_error_range(void **state) {
    (void)state;
    test_work k = test_make(&small_conv, 8, false, 1);
    snn_error err;
    const snn_hook hook = {.context = &(one_error){0}, .read = give_error};
    one_error *x = hook.context;
    assert_true(snn_spikes_reset(&k.x, 12, TEST_STEPS, &err));
    for (int tensor = 0; tensor < 2; tensor++)
        for (int sign = -1; sign <= 1; sign += 2) {
            *x = (one_error){tensor, 2, {1, tensor ? 0 : 4, sign * (1 << 23)}};
            assert_true(run_once(&k, SNN_ARITHMETIC_FIXED, &hook, &err));
            x->item.dsum += sign;
            expect(run_once(&k, SNN_ARITHMETIC_FIXED, &hook, &err), &err, SNN_ERR_RUNTIME,
                   tensor ? "drive a synaptic sum of layer b beyond 8388608"
                          : "drive a synaptic sum of layer a beyond 8388608");
            x->item.dsum = sign > 0 ? INT32_MAX : -INT32_MAX;
            assert_true(run_once(&k, SNN_ARITHMETIC_FLOAT, &hook, &err));
        }
    x->item.dsum = INT32_MIN;
    expect(run_once(&k, SNN_ARITHMETIC_FLOAT, &hook, &err), &err, SNN_ERR_RUNTIME, "beyond 2147483647");
    test_drop(&k);
}

static void test_one_callback(void **state) {
    (void)state;
    test_work k = test_make(&small_conv, 8, false, 1), f = test_make(&small_conv, 0, false, 1);
    snn_error err = {0};
    snn_hook hook = {.read = give_error, .sums = give_sums};
    const snn_engine_options o = {.hook = &hook};
    assert_null(snn_engine_new(k.net, k.weights, &o, &err));
    expect(false, &err, SNN_ERR_USAGE, "either read errors or sums, not both");
    hook = (snn_hook){0};
    assert_null(snn_engine_new(k.net, k.weights, &o, &err));
    expect(false, &err, SNN_ERR_USAGE, "either read errors or sums, not neither");
    hook = (snn_hook){.sums = give_sums};
    assert_null(snn_engine_new(f.net, f.weights, &o, &err));
    expect(false, &err, SNN_ERR_USAGE, "layer a has float weights");
    hook = (snn_hook){.sums = give_sums, .silent = (const bool[]){true, false}};
    assert_null(snn_engine_new(f.net, f.weights, &o, &err));
    expect(false, &err, SNN_ERR_USAGE, "layer b has float weights");
    test_drop(&k);
    test_drop(&f);
}

/* ---- silent tensors ---- */

/* A silent tensor is as in an ideal engine and is not asked; the others are. `silent` is read once. */
static void test_silent(void **state) {
    (void)state;
    test_work k = test_make(&test_nets[2], 8, true, 300);
    snn_error err = {0};
    for (int quiet = 0; quiet < k.net->tensors; quiet++) {
        snn_weights *wrong = snn_weights_copy(k.weights, &err);
        chip p = {.work = &k, .weights = k.weights};
        spoil(&p, wrong, 9);
        snn_tensor *t = &wrong->tensor[quiet];
        memcpy(t->code8, k.weights->tensor[quiet].code8, t->count);
        bool silent[TEST_TENSORS] = {false};
        silent[quiet] = true;
        const snn_hook hook = {.context = &p, .read = read_wrong, .silent = silent};
        snn_engine_options o = {.simd = snn_simd_best()};
        const test_outcome twin = test_outcome_of(&k, wrong, &o);
        o.hook = &hook;
        snn_engine *e = test_engine(&k, k.weights, &o);
        memset(silent, 1, sizeof silent);
        snn_workspace *w = snn_workspace_new(e, &err);
        const test_outcome x = test_run(e, &k, w);
        test_same(&x, &twin);
        for (int i = 0; i < k.net->tensors; i++)
            assert_int_equal(p.calls[i], i == quiet ? 0 : TEST_STEPS);
        snn_workspace_free(w);
        snn_engine_free(e);
        chip_drop(&p);
        snn_weights_free(wrong);
    }
    test_drop(&k);
}

/* Sums of one tensor, exact arithmetic for the others; a float tensor that the hook is not asked about is fine. */
static void test_silent_sums(void **state) {
    (void)state;
    test_work k = test_make(&test_nets[1], 8, false, 301), f = test_make(&test_nets[1], 0, false, 301);
    for (int asked = 0; asked < k.net->tensors; asked++) {
        chip p = {.work = &k, .weights = k.weights};
        bool silent[TEST_TENSORS] = {true, true, true, true};
        silent[asked] = false;
        const snn_hook hook = {.context = &p, .sums = exact_sums, .silent = silent};
        snn_engine_options o = {.arithmetic = SNN_ARITHMETIC_FIXED, .simd = snn_simd_best()};
        const test_outcome plain = test_outcome_of(&k, k.weights, &o);
        o.hook = &hook;
        const test_outcome x = test_outcome_of(&k, k.weights, &o);
        test_same(&x, &plain);
        for (int i = 0; i < k.net->tensors; i++)
            assert_int_equal(p.calls[i], i == asked ? TEST_STEPS : 0);
    }
    chip p = {.work = &f};
    const snn_hook hook = {
        .context = &p, .sums = exact_sums, .silent = (const bool[TEST_TENSORS]){true, true, true, true}};
    snn_engine_options o = {.simd = snn_simd_best()};
    const test_outcome plain = test_outcome_of(&f, f.weights, &o);
    o.hook = &hook;
    const test_outcome x = test_outcome_of(&f, f.weights, &o);
    test_same(&x, &plain);
    test_drop(&k);
    test_drop(&f);
}

/* ---- scratch ---- */

enum { SCRATCH = 100 };

typedef struct {
    uint8_t *seen[2]; /* scratch of the current workspace */
    int current, calls[2];
} scratch_log;

static bool use_scratch(void *context, void *scratch, int tensor, uint64_t sample, int step,
                        const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    scratch_log *g = context;
    uint8_t *mine = scratch;
    (void)tensor, (void)sample, (void)step, (void)input, (void)n, (void)errors, (void)err;
    assert_non_null(mine);
    assert_int_equal((uintptr_t)mine % 64, 0);
    if (!g->seen[g->current])
        g->seen[g->current] = mine;
    assert_ptr_equal(g->seen[g->current], mine);
    /* kept from call to call, and touched by nobody else; zero at first */
    for (int i = 0; i < SCRATCH; i++)
        assert_int_equal(mine[i], g->calls[g->current]);
    memset(mine, ++g->calls[g->current], SCRATCH);
    return true;
}

static void test_scratch(void **state) {
    (void)state;
    test_work k = test_make(&test_nets[1], 8, false, 302);
    snn_error err = {0};
    scratch_log g = {0};
    const snn_hook hook = {.context = &g, .scratch_bytes = SCRATCH, .read = use_scratch};
    const snn_engine_options o = {.simd = snn_simd_best(), .hook = &hook};
    snn_engine *e = test_engine(&k, k.weights, &o);
    snn_workspace *w[2] = {snn_workspace_new(e, &err), snn_workspace_new(e, &err)};
    test_outcome x[5];
    for (int i = 0; i < 5; i++) {
        g.current = i % 2;
        x[i] = test_run(e, &k, w[g.current]);
        test_same(&x[i], &x[0]);
    }
    assert_ptr_not_equal(g.seen[0], g.seen[1]);
    assert_int_equal(g.calls[0], 3 * TEST_STEPS * k.net->tensors);
    assert_int_equal(g.calls[1], 2 * TEST_STEPS * k.net->tensors);
    snn_workspace_free(w[0]);
    snn_workspace_free(w[1]);
    snn_engine_free(e);
    test_drop(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),       cmocka_unit_test(test_exact_sums),
        cmocka_unit_test(test_fractions),    cmocka_unit_test(test_sum_range),
        cmocka_unit_test(test_places),       cmocka_unit_test(test_error_range),
        cmocka_unit_test(test_one_callback), cmocka_unit_test(test_silent),
        cmocka_unit_test(test_silent_sums),  cmocka_unit_test(test_scratch),
    };
    return cmocka_run_group_tests_name("engine_hook", tests, NULL, NULL);
}
