/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Augmentation: where events go, how many stay, and that the result is a proper spike list. */
#include "train_test.h"

#include <math.h>

#define W 7
#define H 5

static snn_random stream(uint64_t index) {
    snn_random r;
    snn_random_init(&r, 3, SNN_PURPOSE_AUGMENT, index);
    return r;
}

/* One event (channel 1) at (x, y) of step t, `count` times. */
static snn_spikes single(int x, int y, int t, int steps, uint32_t count) {
    snn_spikes s = {0};
    snn_error err = {0};
    snn_spike e = {(uint32_t)(W * H + y * W + x), count};
    assert_true(snn_spikes_reset(&s, 2 * W * H, steps, &err));
    assert_true(snn_spikes_append(&s, t, &e, 1, &err));
    return s;
}

static void check_list(const snn_spikes *s) {
    for (int t = 0; t < s->steps; t++)
        for (size_t i = s->first[t]; i < s->first[t + 1]; i++) {
            assert_true(s->spike[i].index < s->size && s->spike[i].count > 0);
            assert_true(i == s->first[t] || s->spike[i - 1].index < s->spike[i].index);
        }
}

static const snn_shape shape = {2, H, W};

/* Over many draws a pixel visits exactly the square of +-shift around it, evenly, and vanishes when that is outside. */
static void shift_is_uniform_and_drops_what_leaves(void **state) {
    (void)state;
    augment a;
    augment_scratch scratch = {0};
    snn_spikes y = {0}, x = single(1, 3, 0, 2, 5);
    snn_error err = {0};
    snn_augment_init(&a, shape, 2, 0, 0, 0, 0);
    int seen[H][W] = {{0}}, gone = 0, draws = 5000;
    for (int k = 0; k < draws; k++) {
        snn_random r = stream((uint64_t)k);
        assert_true(snn_augment_apply(&a, &x, &r, &scratch, &y, &err));
        check_list(&y);
        if (y.first[2] == 0) {
            gone++;
            continue;
        }
        assert_int_equal(y.first[1], 1);
        assert_int_equal(y.spike[0].count, 5);
        uint32_t at = y.spike[0].index - W * H;
        seen[at / W][at % W]++;
    }
    int inside = 0;
    for (int py = 0; py < H; py++)
        for (int px = 0; px < W; px++) {
            bool reachable = abs(px - 1) <= 2 && abs(py - 3) <= 2;
            inside += reachable;
            /* 200 expected of 25 places; 5 standard deviations are 69 */
            assert_true(reachable ? abs(seen[py][px] - 200) < 70 : seen[py][px] == 0);
        }
    assert_int_equal(inside, 4 * 4); /* x 0..3, y 1..4 */
    assert_true(abs(gone - 200 * 9) < 180);
    snn_spikes_free(&x);
    snn_spikes_free(&y);
    snn_augment_scratch_free(&scratch);
}

/* The share of dropped events is uniform in 0 .. drop: mean drop / 2, never above drop. */
static void drop_takes_a_uniform_share(void **state) {
    (void)state;
    augment a;
    augment_scratch scratch = {0};
    snn_spikes y = {0}, x = single(2, 2, 1, 2, 10000);
    snn_error err = {0};
    snn_augment_init(&a, shape, 0, 0.4, 0, 0, 0);
    double sum = 0, most = 0;
    for (int k = 0; k < 400; k++) {
        snn_random r = stream((uint64_t)k);
        assert_true(snn_augment_apply(&a, &x, &r, &scratch, &y, &err));
        assert_int_equal(y.spike[0].index, x.spike[0].index);
        double share = 1 - (double)snn_spikes_total(&y) / 10000;
        sum += share;
        most = share > most ? share : most;
    }
    assert_true(fabs(sum / 400 - 0.2) < 0.03); /* standard error 0.006 */
    assert_true(most > 0.38 && most < 0.42);
    /* all of a single event dropped: no entry with count 0 remains */
    snn_spikes_free(&x);
    x = single(2, 2, 1, 2, 1);
    snn_augment_init(&a, shape, 0, 0.99, 0, 0, 0);
    size_t kept = 0;
    for (int k = 0; k < 200; k++) {
        snn_random r = stream((uint64_t)k);
        assert_true(snn_augment_apply(&a, &x, &r, &scratch, &y, &err));
        check_list(&y);
        kept += y.first[2];
    }
    assert_true(kept > 60 && kept < 140);
    snn_spikes_free(&x);
    snn_spikes_free(&y);
    snn_augment_scratch_free(&scratch);
}

/* Moves in time are a rounded normal number, cut off at the ends of the sample. */
static void jitter_is_a_rounded_normal(void **state) {
    (void)state;
    augment a;
    augment_scratch scratch = {0};
    enum { STEPS = 21, EVENTS = 200000 };
    snn_spikes y = {0}, x = single(2, 2, 10, STEPS, EVENTS);
    snn_error err = {0};
    snn_random r = stream(1);
    snn_augment_init(&a, shape, 0, 0, 0, 0, 1.3);
    assert_true(snn_augment_apply(&a, &x, &r, &scratch, &y, &err));
    check_list(&y);
    assert_int_equal(snn_spikes_total(&y), EVENTS);
    for (int t = 0; t < STEPS; t++) {
        double low = (t - 10 - 0.5) / 1.3, high = (t - 10 + 0.5) / 1.3;
        double p = 0.5 * (erfc(low / sqrt(2)) - erfc(high / sqrt(2)));
        double n = y.first[t + 1] > y.first[t] ? y.spike[y.first[t]].count : 0;
        assert_true(fabs(n - p * EVENTS) < 5 * sqrt(p * EVENTS) + 1);
    }
    snn_spikes_free(&x);
    x = single(2, 2, 0, 3, 1000);
    assert_true(snn_augment_apply(&a, &x, &r, &scratch, &y, &err));
    assert_int_equal(snn_spikes_total(&y), 1000); /* clipped, not lost */
    assert_true(y.spike[0].count > 500);
    /* A tiny deviation moves nothing, a huge one stays within the table. */
    snn_augment_init(&a, shape, 0, 0, 0, 0, 0.01);
    assert_true(snn_augment_apply(&a, &x, &r, &scratch, &y, &err));
    assert_int_equal(y.spike[0].count, 1000);
    snn_augment_init(&a, shape, 0, 0, 0, 0, 500);
    assert_int_equal(a.reach, AUGMENT_JITTER_MAX);
    assert_true(snn_augment_apply(&a, &x, &r, &scratch, &y, &err));
    assert_int_equal(snn_spikes_total(&y), 1000);
    snn_spikes_free(&x);
    snn_spikes_free(&y);
    snn_augment_scratch_free(&scratch);
}

/* Rotation and zoom keep the centre where it is, and move a pixel by no more than the angle and the zoom allow. */
static void rotation_and_zoom_are_about_the_centre(void **state) {
    (void)state;
    augment a;
    augment_scratch scratch = {0};
    snn_error err = {0};
    snn_spikes y = {0}, centre = single(3, 2, 0, 1, 1), edge = single(6, 2, 0, 1, 1);
    bool up = false, down = false, in = false;
    for (int k = 0; k < 300; k++) {
        snn_random r = stream((uint64_t)k);
        snn_augment_init(&a, shape, 0, 0, 45, 0, 0);
        assert_true(snn_augment_apply(&a, &centre, &r, &scratch, &y, &err));
        assert_int_equal(y.spike[0].index, centre.spike[0].index);
        assert_true(snn_augment_apply(&a, &edge, &r, &scratch, &y, &err));
        check_list(&y);
        if (y.first[1] == 1) { /* (3, 0) off the centre, turned by up to 45 degrees */
            int at = (int)y.spike[0].index - W * H, dx = at % W - 3, dy = at / W - 2;
            assert_true(dx >= 2 && dy >= -2 && dy <= 2);
            assert_true(fabs(sqrt(dx * dx + dy * dy) - 3) <= 0.75);
            up |= dy == -2;
            down |= dy == 2;
        }
        r = stream((uint64_t)k);
        snn_augment_init(&a, shape, 0, 0, 0, 0.5, 0);
        assert_true(snn_augment_apply(&a, &edge, &r, &scratch, &y, &err));
        if (y.first[1] == 1) {
            int at = (int)y.spike[0].index - W * H;
            assert_true(at / W == 2 && at % W >= 3 + 1 && at % W <= 6);
            in |= at % W == 5;
        }
    }
    assert_true(up && down && in);
    snn_spikes_free(&y);
    snn_spikes_free(&centre);
    snn_spikes_free(&edge);
    snn_augment_scratch_free(&scratch);
}

/* The quick path for shifts and the one for everything give the same list. */
static void both_paths_agree(void **state) {
    (void)state;
    snn_config *c =
        test_config("network = { layers = ( { name = \"a\"; type = \"linear\"; outputs = 2; } ); };");
    snn_net *net = test_net(c, shape);
    snn_spikes *x = test_inputs(net, 4, 1, 0.4, 5), quick = {0}, full = {0};
    augment a;
    augment_scratch scratch = {0};
    snn_error err = {0};
    for (int k = 0; k < 50; k++) {
        snn_random r = stream((uint64_t)k), same = stream((uint64_t)k);
        snn_augment_init(&a, shape, 2, 0, 0, 0, 0);
        assert_true(snn_augment_apply(&a, x, &r, &scratch, &quick, &err));
        a.zoom = 1e-9;
        assert_true(snn_augment_apply(&a, x, &same, &scratch, &full, &err));
        check_list(&quick);
        assert_memory_equal(quick.first, full.first, 5 * sizeof *quick.first);
        if (quick.first[4] > 0)
            assert_memory_equal(quick.spike, full.spike, quick.first[4] * sizeof *quick.spike);
    }
    snn_spikes_free(&quick);
    snn_spikes_free(&full);
    test_inputs_free(x, 1);
    snn_net_free(net);
    snn_config_free(c);
    snn_augment_scratch_free(&scratch);
}

/* One line of pixels (SHD) moves along itself only, a single pixel with many channels (Braille) not at all; rotation needs two directions. */
static void lines_and_single_pixels(void **state) {
    (void)state;
    const snn_shape shapes[] = {{1, 1, 700}, {1, 700, 1}, {24, 1, 1}};
    for (int k = 0; k < 3; k++) {
        augment a;
        augment_scratch scratch = {0};
        snn_spikes x = {0}, y = {0};
        snn_error err = {0};
        const uint32_t size = snn_shape_size(shapes[k]), from = size / 2;
        const snn_spike e = {from, 1};
        bool seen[7] = {false};
        assert_true(snn_spikes_reset(&x, size, 1, &err) && snn_spikes_append(&x, 0, &e, 1, &err));
        snn_augment_init(&a, shapes[k], 3, 0, 40, 0, 0);
        for (uint64_t draw = 0; draw < 300; draw++) {
            snn_random r = stream(draw);
            assert_true(snn_augment_apply(&a, &x, &r, &scratch, &y, &err));
            assert_int_equal(y.first[1], 1);
            const int moved = (int)y.spike[0].index - (int)from;
            assert_true(moved >= -3 && moved <= 3);
            seen[moved + 3] = true;
        }
        for (int m = 0; m < 7; m++)
            assert_true(seen[m] == (k < 2 || m == 3));
        snn_spikes_free(&x);
        snn_spikes_free(&y);
        snn_augment_scratch_free(&scratch);
    }
}

static void active_when_anything_is_on(void **state) {
    (void)state;
    augment a;
    snn_augment_init(&a, shape, 0, 0, 0, 0, 0);
    assert_false(snn_augment_active(&a));
    snn_augment_init(&a, shape, 1, 0, 0, 0, 0);
    assert_true(snn_augment_active(&a));
    snn_augment_init(&a, shape, 0, 0.1, 0, 0, 0);
    assert_true(snn_augment_active(&a));
    snn_augment_init(&a, shape, 0, 0, 1, 0, 0);
    assert_true(snn_augment_active(&a));
    snn_augment_init(&a, shape, 0, 0, 0, 0.1, 0);
    assert_true(snn_augment_active(&a));
    snn_augment_init(&a, shape, 0, 0, 0, 0, 0.1);
    assert_true(snn_augment_active(&a));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shift_is_uniform_and_drops_what_leaves),
        cmocka_unit_test(drop_takes_a_uniform_share),
        cmocka_unit_test(jitter_is_a_rounded_normal),
        cmocka_unit_test(rotation_and_zoom_are_about_the_centre),
        cmocka_unit_test(both_paths_agree),
        cmocka_unit_test(lines_and_single_pixels),
        cmocka_unit_test(active_when_anything_is_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
