/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event lists: growing, stable sorting, and the limit of 1 %. */
#include "dataset_test.h"

static void fill(snn_events *e, size_t n) {
    snn_error err = {0};
    for (size_t i = 0; i < n; i++)
        assert_true(snn_events_append(e, (snn_event){.t = (int64_t)i, .x = (uint16_t)i}, &err));
}

static void append_grows(void **state) {
    (void)state;
    snn_events e = {0};
    fill(&e, 1000);
    assert_int_equal(e.n, 1000);
    assert_true(e.capacity >= 1000);
    for (size_t i = 0; i < 1000; i++)
        check_event(&e.event[i], (int64_t)i, (int)i, 0, 0);
    e.width = 3;
    snn_events_free(&e);
    assert_int_equal(e.width, 0);
    assert_null(e.event);
    assert_int_equal(e.n, 0);
    assert_int_equal(e.capacity, 0);
}

static void sorted_stays(void **state) {
    (void)state;
    snn_events e = {.out_of_order = 99};
    snn_error err = {0};
    assert_true(snn_events_sort(&e, "x", &err)); /* empty */
    assert_int_equal(e.out_of_order, 0);
    fill(&e, 3);
    e.event[0].t = e.event[1].t; /* equal times are in order */
    e.out_of_order = 99;
    assert_true(snn_events_sort(&e, "x", &err));
    assert_int_equal(e.out_of_order, 0);
    check_event(&e.event[0], 1, 0, 0, 0);
    check_event(&e.event[1], 1, 1, 0, 0);
    snn_events_free(&e);
}

/* snn_events_order has no limit: a list that runs backwards all the way. */
static void any_order(void **state) {
    (void)state;
    snn_events e = {.out_of_order = 99};
    snn_error err = {0};
    assert_true(snn_events_order(&e, &err)); /* empty */
    assert_int_equal(e.out_of_order, 0);
    fill(&e, 7);
    for (int i = 0; i < 7; i++)
        e.event[i].t = (6 - i) / 2; /* 3 2 2 1 1 0 0 */
    assert_true(snn_events_order(&e, &err));
    assert_int_equal(e.out_of_order, 3);
    static const int from[] = {5, 6, 3, 4, 1, 2, 0};
    for (int i = 0; i < 7; i++)
        check_event(&e.event[i], i / 2, from[i], 0, 0);
    assert_true(snn_events_order(&e, &err));
    assert_int_equal(e.out_of_order, 0);
    snn_events_free(&e);
}

static void limit_is_one_percent(void **state) {
    (void)state;
    snn_events e = {0};
    snn_error err = {0};
    fill(&e, 100);
    e.event[50].t = 40; /* 1 of 100: just allowed */
    assert_true(snn_events_sort(&e, "rec.bin", &err));
    assert_int_equal(e.out_of_order, 1);
    check_event(&e.event[40], 40, 40, 0, 0);
    check_event(&e.event[41], 40, 50, 0, 0); /* behind its equal */
    check_event(&e.event[42], 41, 41, 0, 0);
    check_event(&e.event[99], 99, 99, 0, 0);
    e.n = 99;
    e.event[60].t = 7;
    assert_false(snn_events_sort(&e, "rec.bin", &err)); /* 1 of 99 */
    check_error(&err, SNN_ERR_DATA, "rec.bin: event 60 has time 7 us after 59 us; 1 of 99 events");
    assert_false(snn_events_sort(&e, NULL, &err));
    assert_int_equal(strncmp(err.text, "event 60", 8), 0);
    snn_events_free(&e);
}

/* First place of an event that runs back is the one named, even when it is event 1. */
static void first_place_is_named(void **state) {
    (void)state;
    snn_events e = {0};
    snn_error err = {0};
    fill(&e, 4);
    e.event[0].t = 5;
    e.event[3].t = 0;
    assert_false(snn_events_sort(&e, "r", &err));
    check_error(&err, SNN_ERR_DATA, "event 1 has time 1 us after 5 us; 2 of 4");
    e.event[0].t = 0;
    e.event[1].t = 10;
    e.event[2].t = 5; /* not before the last but one */
    e.event[3].t = 20;
    assert_false(snn_events_sort(&e, "r", &err));
    check_error(&err, SNN_ERR_DATA, "event 2 has time 5 us after 10 us; 1 of 4");
    snn_events_free(&e);
}

/* Many runs, odd and even numbers of them, against a sort by insertion. */
static void merges_any_number_of_runs(void **state) {
    (void)state;
    for (size_t breaks = 1; breaks <= 9; breaks++) {
        snn_events e = {0};
        snn_error err = {0};
        fill(&e, 1000);
        for (size_t i = 0; i < 1000; i++)
            e.event[i].t = (int64_t)(i / 7);
        for (size_t k = 1; k <= breaks; k++) /* an event jumps back by a different span each time */
            e.event[k * 100].t -= (int64_t)(k * k);
        snn_event *expected = malloc(1000 * sizeof *expected);
        for (size_t i = 0; i < 1000; i++) {
            size_t k = i;
            for (; k > 0 && expected[k - 1].t > e.event[i].t; k--)
                expected[k] = expected[k - 1];
            expected[k] = e.event[i];
        }
        assert_true(snn_events_sort(&e, "r", &err));
        assert_int_equal(e.out_of_order, breaks);
        assert_int_equal(e.n, 1000);
        for (size_t i = 0; i < 1000; i++)
            check_event(&e.event[i], expected[i].t, expected[i].x, 0, 0);
        free(expected);
        snn_events_free(&e);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(append_grows),
        cmocka_unit_test(sorted_stays),
        cmocka_unit_test(any_order),
        cmocka_unit_test(limit_is_one_percent),
        cmocka_unit_test(first_place_is_named),
        cmocka_unit_test(merges_any_number_of_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
