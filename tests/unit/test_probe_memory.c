/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a probe of convolutions keeps of its samples: it says beforehand how much that would be, close to what it then takes, and refuses more than half of the machine's memory. */
#include "probe_test.h"

#include <malloc.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
enum { COUNTED = 0 }; /* mallinfo knows nothing of the sanitizer's memory */
#else
enum { COUNTED = 1 };
#endif

enum { SAMPLES = 4 };

static double in_use(void) {
    const struct mallinfo2 m = mallinfo2();
    return (double)m.uordblks + (double)m.hblkhd;
}

/* SAMPLES samples without a spike. */
static snn_probe *open_probe(const snn_net *net, const snn_weights *w, const bool *searched, int steps,
                             snn_error *err) {
    snn_spikes x[SAMPLES] = {{0}};
    const snn_probe_options o = {.simd = snn_simd_best()};
    for (int i = 0; i < SAMPLES; i++)
        if (!snn_spikes_reset(&x[i], snn_shape_size(net->input), steps, err))
            fail_msg("%s", err->text);
    snn_probe *p = snn_probe_new(net, w, searched, &o, x, NULL, SAMPLES, err);
    for (int i = 0; i < SAMPLES; i++)
        snn_spikes_free(&x[i]);
    return p;
}

/* GB that so many steps of each sample would take, as the refusal says. */
static double announced(const snn_net *net, const snn_weights *w, const bool *searched, int steps) {
    snn_error err = {0};
    double bytes, memory;
    size_t samples;
    assert_null(open_probe(net, w, searched, steps, &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    const int found = sscanf(err.text,
                             "what the probe keeps of %zu samples would take %lf GB, more than half of this "
                             "machine's %lf GB: take fewer samples (encrypt.samples, encrypt.variants)",
                             &samples, &bytes, &memory);
    if (found != 3 || !strstr(err.text, "or search later layers"))
        fail_msg("%s", err.text);
    assert_int_equal(samples, SAMPLES);
    assert_true(bytes > memory / 2);
    const double physical = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) * 1e-9;
    assert_true(fabs(memory - physical) < 0.051);
    return bytes;
}

static double taken_by(const snn_net *net, const snn_weights *w, const bool *searched, int steps) {
    snn_error err = {0};
    const double before = in_use();
    snn_probe *p = open_probe(net, w, searched, steps, &err);
    if (!p)
        fail_msg("%s", err.text);
    const double bytes = in_use() - before;
    snn_probe_free(p);
    return bytes;
}

static void refusal(void **state) {
    (void)state;
    static const char *const layers[] = {
        "{name=\"a\"; type=\"conv2d\"; channels=40; kernel=3; padding=1;}, {name=\"p\"; type=\"pool_max\"; "
        "kernel=4;}, {name=\"b\"; type=\"conv2d\"; channels=70; kernel=3; stride=2; padding=1;}, "
        "{name=\"q\"; type=\"pool_sum\"; kernel=8;}, {name=\"f\"; type=\"flatten\";}, {name=\"c\"; "
        "type=\"linear\"; outputs=4;}",
        "{name=\"a\"; type=\"conv2d\"; channels=3; kernel=5; stride=2; padding=2;}, {name=\"b\"; "
        "type=\"conv2d\"; channels=5; kernel=3; padding=1;}, {name=\"f\"; type=\"flatten\";}, {name=\"c\"; "
        "type=\"linear\"; outputs=4;}"};
    snn_random r;
    snn_random_init(&r, 1, SNN_PURPOSE_TEST, 8);
    for (int k = 0; k < 2; k++) {
        snn_net *net = probe_net(layers[k], (snn_shape){2, 128, 128});
        snn_weights *w = probe_weights(net, 8, SNN_SIGN_MAGNITUDE, false, 1, &r);
        for (int all = 0; all < 2; all++) {
            const bool first[] = {true, false, false};
            const bool *searched = all ? NULL : first;
            const int few = 12, many = 1000000;
            const double each = announced(net, w, searched, many) * 1e9 / many / SAMPLES;
            /* Twice as much: so it is proportional. */
            assert_true(fabs(announced(net, w, searched, 2 * many) * 1e9 / many / SAMPLES / 2 / each - 1) <
                        1e-3);
            /* What each further step takes; large arrays are rounded up to pages of 2 MB. */
            const double taken =
                (taken_by(net, w, searched, 2 * few) - taken_by(net, w, searched, few)) / few / SAMPLES;
            print_message("%.0f bytes a step announced, %.0f taken\n", each, taken);
            const double rounding = 2.0 * (2 << 20) / few / SAMPLES; /* two such pages more, or less */
            assert_true(!COUNTED || fabs(taken - each) < 0.1 * each + rounding);
        }
        snn_weights_free(w);
        snn_net_free(net);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(refusal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
