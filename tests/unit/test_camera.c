/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The synthetic event camera: same bits everywhere, the pixel model alone, the gestures' paths, whole recordings. */
#include "dataset_test.h"
#include <math.h>
#include <snnsim/digest.h>

#include "../../datasets/camera_internal.h"

static const snn_camera camera = {
    .seed = 2026, .subjects_train = 23, .subjects_test = 6, .takes = 4, .seconds = 1.5};

static void record(const snn_camera *c, int subject, int gesture, int take, snn_events *e) {
    snn_error err = {0};
    if (!snn_camera_record(c, subject, gesture, take, e, &err))
        fail_msg("%s", err.text);
}

static void digest_of(const snn_events *e, char hex[SNN_DIGEST_HEX]) {
    snn_digest d;
    uint8_t sum[SNN_DIGEST_BYTES];
    snn_digest_init(&d);
    for (size_t i = 0; i < e->n; i++) {
        const snn_event *v = &e->event[i];
        uint32_t word[2] = {(uint32_t)v->t, (uint32_t)(v->x | v->y << 8 | v->polarity << 16)};
        snn_digest_u32(&d, word, 2);
    }
    snn_digest_final(&d, sum);
    snn_digest_hex(sum, hex);
}

/* Models are trained on these bits: the constant must not change any more. It holds at every -O level and for every compiler. */
static void bits_are_the_same_everywhere(void **state) {
    (void)state;
    snn_camera c = camera;
    snn_events e = {0};
    char hex[SNN_DIGEST_HEX];
    c.seconds = 0.3;
    record(&c, 3, 4, 0, &e);
    digest_of(&e, hex);
    assert_string_equal(hex, "cec368b79415fe499d3b2964d6a8d474777b6f7285b4bad469a99fe037ca8988");
    record(&c, 24, 9, 3, &e); /* the buffer is reused, other recordings lie between */
    digest_of(&e, hex);
    assert_string_equal(hex, "067c003b6eed4d2d79f609e281f7f7b0c850a1472563a356da62163ef6d6900e");
    record(&c, 3, 4, 0, &e);
    digest_of(&e, hex);
    assert_string_equal(hex, "cec368b79415fe499d3b2964d6a8d474777b6f7285b4bad469a99fe037ca8988");
    snn_events_free(&e);
}

static void recordings_are_valid(void **state) {
    (void)state;
    snn_camera c = camera;
    c.seconds = 0.5; /* short: sanitizers and valgrind run this, too */
    snn_events e = {0};
    for (int g = 0; g < SNN_GESTURES; g++) {
        record(&c, 1 + 2 * g, g, g % 4, &e);
        assert_int_equal(e.width, 128);
        assert_int_equal(e.height, 128);
        assert_int_equal(e.channels, 2);
        assert_int_equal(e.out_of_order, 0);
        assert_in_range(e.n, 5000, 130000); /* a third of the real ones: 21,000 to 60,000 */
        size_t on = 0;
        for (size_t i = 0; i < e.n; i++) {
            const snn_event *v = &e.event[i];
            if (v->t < (i ? v[-1].t : 0) || v->t >= 500000 || v->x >= 128 || v->y >= 128 || v->polarity > 1)
                fail_msg("gesture %d: event %zu is not valid", g, i);
            on += v->polarity;
        }
        double share = (double)on / (double)e.n; /* real ones: 0.49 to 0.55 */
        assert_true(share > 0.4 && share < 0.6);
        assert_true(e.event[0].t < 5000 && e.event[e.n - 1].t > 490000);
    }
    snn_events_free(&e);
}

static bool same(const snn_events *a, const snn_events *b) {
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->event[i].t != b->event[i].t || a->event[i].x != b->event[i].x ||
            a->event[i].y != b->event[i].y || a->event[i].polarity != b->event[i].polarity)
            return false;
    return true;
}

static void settings_are_respected(void **state) {
    (void)state;
    snn_camera c = {.seed = 2026, .subjects_train = 23, .subjects_test = 6, .takes = 4, .seconds = 0.1};
    snn_events a = {0}, b = {0};
    record(&c, 1, 0, 0, &a);
    c.takes = 9; /* how many there are does not change a recording */
    c.subjects_train = 2;
    record(&c, 1, 0, 0, &b);
    assert_true(same(&a, &b));
    record(&c, 1, 0, 1, &b);
    assert_false(same(&a, &b));
    record(&c, 1, 1, 0, &b);
    assert_false(same(&a, &b));
    record(&c, 2, 0, 0, &b);
    assert_false(same(&a, &b));
    c.seed++;
    record(&c, 1, 0, 0, &b);
    assert_false(same(&a, &b));
    c.seconds = 4.3; /* beyond 2^22 us: an odd number of the sort's passes */
    record(&c, 1, 3, 0, &b);
    assert_in_range(b.event[b.n - 1].t, 4250000, 4299999);
    for (size_t i = 1; i < b.n; i++)
        assert_true(b.event[i].t >= b.event[i - 1].t);
    snn_events_free(&a);
    snn_events_free(&b);
}

static void refuses(snn_camera c, int subject, int gesture, int take, const char *part) {
    snn_error err = {0};
    snn_events e = {0};
    assert_false(snn_camera_record(&c, subject, gesture, take, &e, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    if (!strstr(err.text, part))
        fail_msg("\"%s\" does not say \"%s\"", err.text, part);
}

static void wrong_numbers_are_refused(void **state) {
    (void)state;
    snn_camera c = camera;
    refuses(c, 0, 0, 0, "subject 0");
    refuses(c, 1, -1, 0, "gesture -1");
    refuses(c, 1, 11, 0, "gesture 11");
    refuses(c, 1, 0, -1, "take -1");
    c.seconds = 0.04;
    refuses(c, 1, 0, 0, "0.05 to 60 seconds, not 0.04");
    c.seconds = 60.5;
    refuses(c, 1, 0, 0, "not 60.5");
    c.seconds = NAN;
    refuses(c, 1, 0, 0, "0.05 to 60 seconds");
}

static void config_is_read(void **state) {
    (void)state;
    snn_error err = {0};
    snn_camera c;
    snn_config *given =
        snn_config_parse("dataset = { name = \"dvs128_gesture\"; camera = { seed = 5; train_subjects = 3; "
                         "test_subjects = 2; takes = 7; seconds = 0.5; }; };",
                         "test", &err);
    assert_non_null(given);
    assert_true(snn_camera_from_config(given, &c, &err));
    assert_int_equal(c.seed, 5);
    assert_int_equal(c.subjects_train, 3);
    assert_int_equal(c.subjects_test, 2);
    assert_int_equal(c.takes, 7);
    assert_true(c.seconds == 0.5);
    snn_config_free(given);
    snn_config *plain = snn_config_parse("dataset = { name = \"dvs128_gesture\"; };", "test", &err);
    assert_true(snn_camera_from_config(plain, &c, &err));
    assert_int_equal(c.seed, camera.seed); /* the numbers of subjects are those of the real set */
    assert_int_equal(c.subjects_train, 23);
    assert_int_equal(c.subjects_test, 6);
    assert_int_equal(c.takes, 4);
    assert_true(c.seconds == 1.5);
    snn_config_free(plain);
}

/* ---- the pixel model alone ---- */

typedef struct {
    snn_random noise;
    snn_events events;
    snn_sensor *sensor;
} bench;

static void bench_begin(bench *b) {
    snn_error err = {0};
    *b = (bench){.events = {.width = 128, .height = 128, .channels = 2}};
    snn_random_init(&b->noise, 1, SNN_PURPOSE_TEST, 0);
    b->sensor = snn_sensor_new(&camera, &b->noise, &b->events, &err);
    assert_non_null(b->sensor);
}

static void bench_end(bench *b) {
    snn_sensor_free(b->sensor);
    snn_events_free(&b->events);
}

static void fill(float tile[SNN_TILE_PIXELS], float v) {
    for (int i = 0; i < SNN_TILE_PIXELS; i++)
        tile[i] = v;
}

/* Light of one tile runs exponentially from `from` to `to` within `us`, in steps of 2 ms, and then stays for 200 ms. */
static void ramp(bench *b, int tile, double from, double to, int32_t us) {
    float light[SNN_TILE_PIXELS];
    snn_error err = {0};
    fill(light, (float)from);
    snn_sensor_adapt(b->sensor, tile, light, 0);
    for (int32_t t = 2000; t <= us + 200000; t += 2000) {
        double share = t < us ? (double)t / us : 1;
        fill(light, (float)(from * pow(to / from, share)));
        assert_true(snn_sensor_expose(b->sensor, tile, light, 0, t, &err));
    }
}

static size_t count(const bench *b, int polarity) {
    size_t n = 0;
    for (size_t i = 0; i < b->events.n; i++)
        n += b->events.event[i].polarity == polarity;
    return n;
}

/* ln(0.51 / 0.11) = 1.534 (with the dark current) make 1.534 / 0.155 = 9.9 ON events at each pixel, and 1.39 times as many with double acknowledgement; the
 * other way 1.534 / 0.13 = 11.8 OFF events. While a pixel is blind for 0.25 ms of 20 ms between events, it misses about 1 %. */
static void contrast_makes_events(void **state) {
    (void)state;
    bench b;
    bench_begin(&b);
    for (int tile = 0; tile < 64; tile++)
        ramp(&b, tile, 0.1, 0.5, 200000);
    double on = (double)count(&b, 1) / (64 * 64), off = (double)count(&b, 0) / (64 * 64);
    assert_true(on > 9.4 * 1.39 && on < 10.2 * 1.39);
    assert_true(off > 0.14 * 9.4 && off < 0.15 * 10.2); /* reset kicks: 36 of 256 */
    bench_end(&b);
    bench_begin(&b);
    for (int tile = 0; tile < 64; tile++)
        ramp(&b, tile, 0.5, 0.1, 200000);
    on = (double)count(&b, 1) / (64 * 64);
    off = (double)count(&b, 0) / (64 * 64);
    assert_true(off > 11.2 && off < 12.2);
    assert_true(on < 0.02); /* leak only: 0.4 s x 0.02 Hz */
    bench_end(&b);
}

/* Steady light: nothing but leak. In 2 s it moves the memory by 0.04 ON thresholds, which reach the threshold from 0.04 * ON / (ON + OFF) of all places
 * between the two thresholds. */
static void steady_light_is_silent(void **state) {
    (void)state;
    bench b;
    float light[SNN_TILE_PIXELS];
    snn_error err = {0};
    bench_begin(&b);
    fill(light, 0.4f);
    for (int tile = 0; tile < SNN_TILES; tile++) {
        snn_sensor_adapt(b.sensor, tile, light, 0);
        for (int32_t t = 16000; t <= 2000000; t += 16000)
            assert_true(snn_sensor_expose(b.sensor, tile, light, 0, t, &err));
    }
    double expected = 0.02 * 2 * SNN_CAMERA_PIXELS * 0.155 / (0.155 + 0.130),
           on = (double)count(&b, 1) / 1.39;
    assert_true(fabs(on - expected) < 5 * sqrt(expected));
    assert_true((double)count(&b, 0) < 0.2 * on);
    bench_end(&b);
}

/* Same pixel: 150 us or more apart, but for an ON event that is acknowledged twice (the same polarity within 3 us). */
static void refractory_period_is_respected(void **state) {
    (void)state;
    bench b;
    static int64_t last[SNN_CAMERA_PIXELS];
    bench_begin(&b);
    for (int tile = 0; tile < 16; tile++)
        ramp(&b, tile, 0.02, 0.9, 4000); /* 3.4 in log intensity within 4 ms: 22 thresholds */
    for (int i = 0; i < SNN_CAMERA_PIXELS; i++)
        last[i] = -1000;
    size_t twice = 0, close = 0;
    for (size_t i = 0; i < b.events.n; i++) { /* in order of time at each pixel */
        const snn_event *e = &b.events.event[i];
        int64_t *l = &last[e->y * 128 + e->x], gap = e->t - *l;
        if (e->polarity == 1 && gap <= 3)
            twice++;
        else if (gap < 150)
            fail_msg("two events %d us apart", (int)gap);
        else
            close += gap < 400;
        *l = e->t;
    }
    assert_true(twice > 1000);
    assert_true(close > 500); /* the period is what limits the rate here */
    bench_end(&b);
}

/* A dark pixel's photoreceptor is slow: after a step by the same factor its ON events come later. */
static void dark_pixels_are_slow(void **state) {
    (void)state;
    double mean[2];
    for (int k = 0; k < 2; k++) {
        bench b;
        bench_begin(&b);
        ramp(&b, 7, k ? 0.4 : 0.04, k ? 0.8 : 0.08, 2000);
        double sum = 0;
        for (size_t i = 0; i < b.events.n; i++)
            sum += (double)b.events.event[i].t;
        assert_true(b.events.n > 100);
        mean[k] = sum / (double)b.events.n;
        bench_end(&b);
    }
    assert_true(mean[0] > 2 * mean[1]);
}

/* Ripple of the lamp shifts log intensity for all. */
static void ripple_is_light(void **state) {
    (void)state;
    bench b;
    float light[SNN_TILE_PIXELS];
    snn_error err = {0};
    bench_begin(&b);
    fill(light, 0.5f);
    snn_sensor_adapt(b.sensor, 3, light, 0);
    for (int32_t t = 2000; t <= 100000; t += 2000)
        assert_true(snn_sensor_expose(b.sensor, 3, light, 0.31f, t, &err)); /* two thresholds up */
    assert_in_range(count(&b, 1), 64 * 3 / 2, 64 * 4);
    bench_end(&b);
}

/* Noise: rate of the real recordings' empty corner (0.11 to 0.23 Hz), most pixels silent, the same noisy pixels in every recording. */
static void noise_belongs_to_the_sensor(void **state) {
    (void)state;
    int worst[2];
    static int n[SNN_CAMERA_PIXELS];
    for (int k = 0; k < 2; k++) {
        bench b;
        float light[SNN_TILE_PIXELS];
        snn_error err = {0};
        bench_begin(&b);
        snn_random_init(&b.noise, 1, SNN_PURPOSE_TEST, (uint64_t)k); /* another recording */
        fill(light, 0.5f);
        for (int tile = 0; tile < SNN_TILES; tile++)
            snn_sensor_adapt(b.sensor, tile, light, 0);
        assert_true(snn_sensor_noise(b.sensor, 10000000, &err));
        memset(n, 0, sizeof n);
        int loud = 0, active = 0;
        for (size_t i = 0; i < b.events.n; i++) {
            const snn_event *e = &b.events.event[i];
            assert_true(e->t >= 0 && e->t < 10000000 && e->x < 128 && e->y < 128);
            n[e->y * 128 + e->x]++;
        }
        for (int i = 0; i < SNN_CAMERA_PIXELS; i++) {
            loud = n[i] > n[loud] ? i : loud;
            active += n[i] > 0;
        }
        double hz = (double)b.events.n / 10 / SNN_CAMERA_PIXELS;
        assert_true(hz > 0.08 && hz < 0.25);
        assert_true(active < SNN_CAMERA_PIXELS / 4);
        assert_in_range(n[loud], 100, 300); /* a hot pixel, 10 to 20 Hz and more when two coincide */
        double on = (double)count(&b, 1) / (double)b.events.n;
        assert_true(on > 0.36 && on < 0.42);
        worst[k] = n[loud];
        if (k == 1) /* the loudest of the second recording is loud in the first, too */
            assert_true(worst[0] > 100);
        bench_end(&b);
    }
}

/* ---- gestures ---- */

static snn_body body_of(int subject) {
    snn_body b;
    snn_body_draw_traits(&camera, subject, &b);
    return b;
}

/* Twice the area that a wrist's path runs around within `seconds`, positive when clockwise in the image (y down). */
static double turned(const snn_performance *p, int arm, double seconds) {
    double area = 0;
    snn_pose before, now;
    snn_gesture_pose(p, 0, &before);
    double cx = (arm == SNN_ARM_RIGHT ? -1 : 1) * p->arm[arm].centre.x, cy = p->arm[arm].centre.y;
    for (double t = 0.01; t < seconds; t += 0.01) {
        snn_gesture_pose(p, t, &now);
        snn_vec a = before.arm[arm].wrist, b = now.arm[arm].wrist;
        area += (a.x - cx) * (b.y - cy) - (b.x - cx) * (a.y - cy);
        before = now;
    }
    return area;
}

/* Clockwise is meant as the subject sees it, as in the real recordings: it runs counter clockwise in the image. */
static void circles_turn_the_right_way(void **state) {
    (void)state;
    for (int subject = 1; subject <= 29; subject++) {
        snn_body body = body_of(subject);
        for (int take = 0; take < 4; take++)
            for (int g = 3; g <= 6; g++) {
                snn_performance p;
                snn_gesture_draw(&camera, &body, subject, g, take, &p);
                int arm = g <= 4 ? SNN_ARM_RIGHT : SNN_ARM_LEFT;
                double area = turned(&p, arm, 1.5);
                assert_true(g == 3 || g == 5 ? area < -0.03 : area > 0.03);
                assert_true(fabs(turned(&p, 1 - arm, 1.5)) < 0.001); /* the other arm hangs */
            }
    }
}

/* The moving arm of the waves, and both arms of the two-handed gestures. */
static void the_right_arms_move(void **state) {
    (void)state;
    static const bool moves[SNN_GESTURES][2] = {{1, 1}, {1, 0}, {0, 1}, {1, 0}, {1, 0}, {0, 1},
                                                {0, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0}};
    for (int subject = 1; subject <= 29; subject++) {
        snn_body body = body_of(subject);
        for (int g = 0; g < 10; g++) {
            snn_performance p;
            snn_pose pose;
            double low[2] = {9, 9}, high[2] = {-9, -9};
            snn_gesture_draw(&camera, &body, subject, g, 0, &p);
            for (int k = 0; k < 150; k++) {
                snn_gesture_pose(&p, 0.01 * k, &pose);
                for (int arm = 0; arm < 2; arm++) {
                    double v = pose.arm[arm].wrist.x + pose.arm[arm].wrist.y;
                    low[arm] = v < low[arm] ? v : low[arm];
                    high[arm] = v > high[arm] ? v : high[arm];
                }
            }
            for (int arm = 0; arm < 2; arm++)
                if (g != 9) /* a hand on the frets may rest */
                    assert_true(moves[g][arm] ? high[arm] - low[arm] > 0.02 : high[arm] - low[arm] < 0.012);
        }
    }
}

/* Limbs keep their lengths (seen in perspective they only get shorter, or larger when near), and nothing is out of bounds. */
static void bodies_are_drawn(void **state) {
    (void)state;
    for (int subject = 1; subject <= 29; subject++) {
        snn_body body = body_of(subject);
        for (int g = 0; g < SNN_GESTURES; g++) {
            snn_performance p;
            snn_pose pose;
            snn_capsule c[SNN_CAPSULES];
            snn_stance stance = {70, 80, body.stature, 1.5, 0.1, 0.2};
            snn_gesture_draw(&camera, &body, subject, g, 1, &p);
            for (int k = 0; k < 30; k++) {
                snn_gesture_pose(&p, 0.05 * k, &pose);
                int n = snn_body_place(&body, &stance, &pose, c);
                assert_in_range(n, 10, SNN_CAPSULES - 1); /* one free: none was lost */
                for (int i = 0; i < n; i++) {
                    double length = hypot(c[i].bx - c[i].ax, c[i].by - c[i].ay);
                    assert_true(length < 0.5 * body.stature && c[i].ra > 0 && c[i].rb > 0);
                    assert_true(fabs(c[i].ax) < 400 && fabs(c[i].ay) < 400);
                    assert_true(c[i].albedo >= 0 && c[i].albedo < 1);
                }
            }
        }
    }
}

/* ---- what recordings must have in common ---- */

/* Clockwise and counter clockwise cannot be told by their number of events: |t| < 3 over 24 pairs. */
static void senses_have_the_same_counts(void **state) {
    (void)state;
    snn_camera c = camera;
    c.seconds = 0.3;
    snn_events e = {0};
    double sum = 0, squares = 0;
    int n = 0;
    for (int subject = 1; subject <= 12; subject++)
        for (int g = 3; g <= 5; g += 2) {
            record(&c, subject, g, 0, &e);
            double clockwise = log((double)e.n);
            record(&c, subject, g + 1, 0, &e);
            double d = clockwise - log((double)e.n);
            sum += d;
            squares += d * d;
            n++;
        }
    double mean = sum / n, error = sqrt((squares / n - mean * mean) / (n - 1));
    assert_true(fabs(mean) < 3 * error && fabs(mean) < 0.3);
    snn_events_free(&e);
}

static double middle_x(const snn_events *e) {
    double sum = 0;
    for (size_t i = 0; i < e->n; i++)
        sum += e->event[i].x;
    return sum / (double)e->n;
}

/* The subject faces the camera: the right hand is at the left of the image. */
static void right_is_left_in_the_image(void **state) {
    (void)state;
    snn_camera c = camera;
    c.seconds = 0.3;
    snn_events e = {0};
    for (int subject = 1; subject <= 6; subject++) {
        record(&c, subject, 1, 0, &e);
        double right = middle_x(&e);
        record(&c, subject, 2, 0, &e);
        assert_true(right + 10 < middle_x(&e));
    }
    snn_events_free(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_the_same_everywhere),
        cmocka_unit_test(recordings_are_valid),
        cmocka_unit_test(settings_are_respected),
        cmocka_unit_test(wrong_numbers_are_refused),
        cmocka_unit_test(config_is_read),
        cmocka_unit_test(contrast_makes_events),
        cmocka_unit_test(steady_light_is_silent),
        cmocka_unit_test(refractory_period_is_respected),
        cmocka_unit_test(dark_pixels_are_slow),
        cmocka_unit_test(ripple_is_light),
        cmocka_unit_test(noise_belongs_to_the_sensor),
        cmocka_unit_test(circles_turn_the_right_way),
        cmocka_unit_test(the_right_arms_move),
        cmocka_unit_test(bodies_are_drawn),
        cmocka_unit_test(senses_have_the_same_counts),
        cmocka_unit_test(right_is_left_in_the_image),
    };
    return cmocka_run_group_tests_name("camera", tests, NULL, NULL);
}
