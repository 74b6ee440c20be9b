/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The judge on a network that can be followed by hand: which samples count, what both networks call them, digests, merging, errors, any number of threads. */
#include "encrypt_test.h"

#include <math.h>

/* The thief's network: the weight from input 1 to class 1 has changed its sign, so that what was called 1 is now silent. */
static snn_weights *stolen(const tiny *s) {
    snn_error err = {0};
    snn_flip flip = {0, 0, 1 * INPUTS + 1};
    snn_weights *w = snn_weights_apply(s->weights, &(snn_flips){1, &flip}, &err);
    need(w != NULL, &err);
    return w;
}

static int plain_call(size_t i) {
    return i % INPUTS < CLASSES ? (int)(i % INPUTS) : 0;
}

static int thief_call(size_t i) {
    return i % INPUTS == 1 ? 0 : plain_call(i);
}

/* Output spikes of one sample. */
static void add_spikes(snn_digest *d, size_t i, bool thief) {
    if (i % INPUTS == CLASSES || (thief && i % INPUTS == 1))
        return;
    for (uint32_t t = 0; t < STEPS; t++) {
        uint32_t word[3] = {(uint32_t)i, t, (uint32_t)(i % INPUTS)};
        snn_digest_u32(d, word, 3);
    }
}

static bool skipped(size_t i, const size_t *skip, size_t skips) {
    for (size_t k = 0; k < skips; k++)
        if (skip[k] == i)
            return true;
    return false;
}

static void check_part(const snn_verdict_part *p, bool thief, size_t count, const size_t *skip,
                       size_t skips) {
    uint64_t n = 0, correct = 0, predicted[CLASSES] = {0}, hits[CLASSES] = {0}, all[CLASSES] = {0};
    snn_digest d;
    uint8_t bytes[SNN_DIGEST_BYTES];
    char hex[SNN_DIGEST_HEX];
    snn_digest_init(&d);
    for (size_t i = 0; i < count; i++) {
        int call = thief ? thief_call(i) : plain_call(i), label = (int)(i % CLASSES);
        if (skipped(i, skip, skips))
            continue;
        n++;
        correct += call == label;
        hits[label] += call == label;
        all[label]++;
        predicted[call]++;
        add_spikes(&d, i, thief);
    }
    snn_digest_final(&d, bytes);
    snn_digest_hex(bytes, hex);
    assert_int_equal(p->metrics->samples, n);
    assert_int_equal(p->metrics->correct, correct);
    assert_memory_equal(p->predicted, predicted, sizeof predicted);
    assert_string_equal(p->digest, hex);
    snn_interval w = snn_wilson(correct, n);
    assert_true(p->accuracy.value == w.value && p->accuracy.low == w.low && p->accuracy.high == w.high);
    double balanced = 0;
    int classes = 0;
    for (int c = 0; c < CLASSES; c++)
        if (all[c]) {
            balanced += (double)hits[c] / (double)all[c];
            classes++;
        }
    assert_true(fabs(p->balanced.value - balanced / classes) < 1e-12);
}

static void check_verdict(const snn_verdict *v, size_t count, const size_t *skip, size_t skips) {
    uint64_t agree = 0;
    for (size_t i = 0; i < count; i++)
        agree += !skipped(i, skip, skips) && plain_call(i) == thief_call(i);
    assert_int_equal(v->classes, CLASSES);
    assert_int_equal(v->samples, v->plain.metrics->samples);
    assert_int_equal(v->agree, agree);
    assert_true(v->agreement.value == snn_wilson(agree, v->samples).value);
    check_part(&v->plain, false, count, skip, skips);
    check_part(&v->thief, true, count, skip, skips);
}

static snn_verdict judged(const tiny *s, const snn_weights *thief, size_t limit, const size_t *skip,
                          size_t skips, int threads, const snn_evaluate_hooks *hooks) {
    snn_error err = {0};
    snn_verdict v;
    snn_engine_options o = {.simd = snn_simd_best()};
    need(snn_judge(s->net, s->weights, thief, &o, s->test, limit, skip, skips, threads, hooks, &v, &err),
         &err);
    return v;
}

static void counts_by_hand(void **state) {
    (void)state;
    tiny s = open_tiny("");
    snn_weights *thief = stolen(&s);
    static const size_t none[1] = {0}, edges[] = {0, 1, 63, 64, 65, 199}, beyond[] = {150, 200, 4000};
    static const struct {
        size_t limit;
        const size_t *skip;
        size_t skips;
    } part[] = {{0, none, 0},  {0, edges, 6},  {0, beyond, 3},  {1, none, 0},  {64, edges, 6},
                {65, none, 0}, {200, none, 0}, {201, edges, 6}, {199, none, 0}};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        for (int threads = 1; threads <= 5; threads += 2) {
            size_t count = part[i].limit && part[i].limit < TESTS ? part[i].limit : TESTS;
            snn_verdict v = judged(&s, thief, part[i].limit, part[i].skip, part[i].skips, threads, NULL);
            check_verdict(&v, count, part[i].skip, part[i].skips);
            snn_verdict_free(&v);
            assert_null(v.plain.metrics);
        }
    snn_weights_free(thief);
    close_tiny(&s);
}

static void nothing_left(void **state) {
    (void)state;
    tiny s = open_tiny("");
    const size_t skip[] = {0};
    snn_verdict v = judged(&s, s.weights, 1, skip, 1, 2, NULL);
    assert_int_equal(v.samples, 0);
    assert_true(v.agreement.low == 0 && v.agreement.high == 1);
    snn_verdict_free(&v);
    close_tiny(&s);
}

static void same_network(void **state) {
    (void)state;
    tiny s = open_tiny("");
    snn_verdict v = judged(&s, s.weights, 0, NULL, 0, 2, NULL);
    assert_int_equal(v.agree, TESTS);
    assert_string_equal(v.plain.digest, v.thief.digest);
    /* as a run of the whole part has it */
    snn_error err = {0};
    snn_engine_options o = {.simd = snn_simd_best()};
    snn_engine *engine = snn_engine_new(s.net, s.weights, &o, &err);
    snn_evaluation e;
    need(engine && snn_evaluate(engine, s.net, s.test, &(snn_evaluate_options){.threads = 1}, NULL, &e, &err),
         &err);
    assert_string_equal(v.plain.digest, e.digest);
    snn_evaluation_free(&e);
    snn_engine_free(engine);
    snn_verdict_free(&v);
    close_tiny(&s);
}

static void merging(void **state) {
    (void)state;
    tiny s = open_tiny("");
    snn_error err = {0};
    snn_weights *thief = stolen(&s);
    snn_verdict a = judged(&s, thief, 80, NULL, 0, 1, NULL), whole = judged(&s, thief, 0, NULL, 0, 1, NULL),
                b, sum;
    static size_t early[80];
    for (size_t i = 0; i < 80; i++)
        early[i] = i;
    b = judged(&s, thief, 0, early, 80, 1, NULL);
    check_verdict(&b, TESTS, early, 80);
    need(snn_verdict_merge(&a, &b, &sum, &err), &err);
    assert_int_equal(sum.samples, TESTS);
    assert_int_equal(sum.agree, whole.agree);
    assert_int_equal(sum.classes, CLASSES);
    assert_memory_equal(sum.thief.predicted, whole.thief.predicted, CLASSES * sizeof(uint64_t));
    assert_memory_equal(sum.plain.predicted, whole.plain.predicted, CLASSES * sizeof(uint64_t));
    assert_memory_equal(&sum.thief.balanced, &whole.thief.balanced, sizeof sum.thief.balanced);
    assert_memory_equal(&sum.plain.accuracy, &whole.plain.accuracy, sizeof sum.plain.accuracy);
    assert_memory_equal(&sum.agreement, &whole.agreement, sizeof sum.agreement);
    assert_string_equal(sum.thief.digest, ""); /* of two data sets there is none */
    snn_verdict_free(&a);
    snn_verdict_free(&b);
    snn_verdict_free(&sum);
    snn_verdict_free(&whole);
    snn_weights_free(thief);
    close_tiny(&s);
}

typedef struct {
    uint64_t most, total;
} progress_book;

static void on_progress(void *context, uint64_t done, uint64_t total) {
    progress_book *b = context;
    b->most = done > b->most ? done : b->most;
    b->total = total;
}

static void hooks(void **state) {
    (void)state;
    tiny s = open_tiny("");
    progress_book book = {0};
    const size_t skip[] = {7, 9};
    snn_evaluate_hooks h = {.context = &book, .progress = on_progress};
    snn_verdict v = judged(&s, s.weights, 0, skip, 2, 1, &h), left;
    assert_int_equal(book.most, TESTS - 2);
    assert_int_equal(book.total, TESTS - 2);
    snn_verdict_free(&v);
    volatile sig_atomic_t stop = 1;
    snn_error err = {0};
    snn_engine_options o = {.simd = snn_simd_best()};
    h.stop = &stop;
    assert_false(snn_judge(s.net, s.weights, s.weights, &o, s.test, 0, skip, 2, 2, &h, &left, &err));
    check_error(&err, SNN_ERR_INTERRUPTED, "interrupted after 0 of 198 samples");
    assert_null(left.plain.metrics);
    close_tiny(&s);
}

static void errors(void **state) {
    (void)state;
    tiny s = open_tiny("");
    snn_error err = {0};
    snn_verdict v;
    snn_engine_options o = {.simd = snn_simd_best()};
    snn_net *other = snn_net_from_config(s.config, (snn_shape){1, 1, 5}, &err);
    need(other != NULL, &err);
    assert_false(snn_judge(other, s.weights, s.weights, &o, s.test, 0, NULL, 0, 1, NULL, &v, &err));
    check_error(&err, SNN_ERR_DATA, "the network takes inputs of 1x1x5 but data set npy gives 1x1x4");
    assert_null(v.thief.metrics);
    snn_weights *wrong = snn_weights_new(other, &err);
    assert_false(snn_judge(s.net, s.weights, wrong, &o, s.test, 0, NULL, 0, 1, NULL, &v, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    snn_weights_free(wrong);
    snn_net_free(other);
    /* a file that ends too early is found while samples are read, and the sample is named */
    char path[128];
    snprintf(path, sizeof path, "%s/tx.npy", folder);
    assert_int_equal(truncate(path, 128 + 50 * STEPS * INPUTS), 0);
    assert_false(snn_judge(s.net, s.weights, s.weights, &o, s.test, 0, NULL, 0, 2, NULL, &v, &err));
    check_error(&err, SNN_ERR_DATA, "tx.npy");
    assert_null(v.plain.metrics);
    write_part("tx.npy", "ty.npy", TESTS);
    close_tiny(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_hand), cmocka_unit_test(nothing_left), cmocka_unit_test(same_network),
        cmocka_unit_test(merging),        cmocka_unit_test(hooks),        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
