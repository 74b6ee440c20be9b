/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AEDAT 3.1: text, packets, overflow, and headers that lie. */
#include "aedat_test.h"

static bool index_bytes(const aedat_bytes *a, snn_aedat_packet **p, size_t *n, snn_error *err) {
    snn_source s = {.memory = a->b, .size = a->n};
    return snn_aedat_index(&s, p, n, err);
}

static void index_fails(const aedat_bytes *a, const char *part) {
    snn_aedat_packet *p;
    size_t n;
    snn_error err = {0};
    assert_false(index_bytes(a, &p, &n, &err));
    free(p);
    check_error(&err, SNN_ERR_DATA, part);
}

static bool decode(const uint8_t *b, size_t n, uint64_t offset, int64_t start, int64_t end, snn_events *e,
                   snn_error *err) {
    *e = (snn_events){.width = 128, .height = 128, .channels = 2};
    return snn_aedat_decode(b, n, offset, start, end, e, err);
}

static void packets_are_indexed(void **state) {
    (void)state;
    aedat_bytes a = {.n = 0};
    snn_aedat_packet *p;
    size_t n;
    snn_error err = {0};
    aedat_text(&a, AEDAT_TEXT);
    aedat_header(&a, 0, 12, 0, 2, 1, 1); /* another type: passed over by eventNumber, not eventCapacity */
    aedat_little(&a, 0, 4);
    aedat_little(&a, 0, 4);
    aedat_little(&a, 0, 4);
    size_t first = a.n;
    aedat_packet(&a, 100, 10, 3);
    aedat_header(&a, 1, 8, 0, 5, 0, 0); /* empty */
    size_t second = a.n;
    aedat_header(&a, 1, 8, 2, 1, 1, 1); /* 2 << 31 us later; ends with the file */
    aedat_event(&a, 7, 0, 0, 0, 1);
    assert_true(index_bytes(&a, &p, &n, &err));
    assert_int_equal(n, 2);
    assert_int_equal(p[0].first, first);
    assert_int_equal(p[0].end, first + 28 + 24);
    assert_int_equal(p[0].events, 3);
    assert_int_equal(p[0].t_first, 100);
    assert_int_equal(p[0].t_last, 120);
    assert_int_equal(p[1].first, second);
    assert_int_equal(p[1].end, a.n);
    assert_true(p[1].t_first == ((int64_t)2 << 31) + 7);
    assert_true(p[1].t_last == ((int64_t)2 << 31) + 7);
    free(p);
}

static void text_may_end_without_a_mark(void **state) {
    (void)state;
    aedat_bytes a = {.n = 0};
    snn_aedat_packet *p;
    size_t n;
    snn_error err = {0};
    aedat_text(&a, "#!AER-DAT3.1\n#hello\n");
    size_t first = a.n;
    aedat_packet(&a, 1, 1, 1);
    assert_true(index_bytes(&a, &p, &n, &err));
    assert_int_equal(n, 1);
    assert_int_equal(p[0].first, first);
    free(p);
    /* behind the mark a '#' is a packet (of type 35) */
    a.n = 0;
    aedat_text(&a, AEDAT_TEXT);
    aedat_header(&a, 35, 8, 0, 1, 1, 1);
    aedat_event(&a, 1, 1, 1, 1, 1);
    aedat_packet(&a, 5, 1, 1);
    assert_true(index_bytes(&a, &p, &n, &err));
    assert_int_equal(n, 1);
    assert_int_equal(p[0].first, AEDAT_TEXT_SIZE + 36);
    free(p);
    /* a line as long as the mark that is another */
    a.n = 0;
    aedat_text(&a, "#!AER-DAT3.1\r\n#!END-HEADE?\r\n#!END-HEADERS\r\n#x\r\n");
    assert_true(index_bytes(&a, &p, &n, &err));
    assert_int_equal(n, 0);
    free(p);
}

static void bad_text(void **state) {
    (void)state;
    aedat_bytes a = {.n = 0};
    index_fails(&a, "byte 0: not an AEDAT 3.1 file");
    aedat_text(&a, "#!AER-DAT3.0\r\n");
    index_fails(&a, "byte 0: not an AEDAT 3.1 file");
    a.n = 0;
    aedat_text(&a, "#!AER-DAT3.10\r\n");
    index_fails(&a, "byte 0: not an AEDAT 3.1 file");
    a.n = 0;
    aedat_text(&a, "#!AER-DAT3.1\r\n#");
    memset(a.b + a.n, 'x', sizeof a.b - a.n);
    a.n = sizeof a.b; /* exactly the longest text */
    index_fails(&a, "byte 65536: the text in front of the packets does not end");
    a.n--; /* the whole file is text: no packets */
    snn_aedat_packet *p;
    size_t n;
    snn_error err = {0};
    assert_true(index_bytes(&a, &p, &n, &err));
    assert_int_equal(n, 0);
    free(p);
}

/* Puts a value into the header of the first packet. */
static void poke(aedat_bytes *a, size_t field, uint32_t v) {
    for (size_t i = 0; i < 4; i++)
        a->b[AEDAT_TEXT_SIZE + field + i] = (uint8_t)(v >> (8 * i));
}

static void both_fail(const aedat_bytes *a, const char *part) {
    char text[256];
    snn_events e;
    snn_error err = {0};
    index_fails(a, part);
    assert_false(decode(a->b + AEDAT_TEXT_SIZE, a->n - AEDAT_TEXT_SIZE, AEDAT_TEXT_SIZE, 0, 1000, &e, &err));
    snprintf(text, sizeof text, "%s", part);
    check_error(&err, SNN_ERR_DATA, text);
    snn_events_free(&e);
}

static void lying_headers(void **state) {
    (void)state;
    /* AEDAT_TEXT_SIZE = 60 */
    static const struct {
        size_t field;
        uint32_t value;
        const char *part;
    } lie[] = {
        {4, 7, "byte 64: packet header with eventSize 7, expected 8"},
        {4, 9, "byte 64: packet header with eventSize 9, expected 8"},
        {8, 0, "byte 68: packet header with eventTSOffset 0, expected 4"},
        {12, 0x80000000u, "byte 72: packet header with eventTSOverflow -2147483648, expected 0 or more"},
        {16, 2, "byte 80: packet header with eventNumber 3, expected 0 .. eventCapacity"},
        {16, 0xffffffffu, "byte 80: packet header with eventNumber 3"},
        {20, 0xffffffffu, "byte 80: packet header with eventNumber -1"},
        {24, 4, "byte 84: packet header with eventValid 4, expected 0 .. eventNumber"},
        {24, 0xffffffffu, "byte 84: packet header with eventValid -1"}};
    assert_int_equal(AEDAT_TEXT_SIZE, 60);
    for (size_t i = 0; i < sizeof lie / sizeof *lie; i++) {
        aedat_bytes a = {.n = 0};
        aedat_text(&a, AEDAT_TEXT);
        aedat_packet(&a, 10, 1, 3);
        poke(&a, lie[i].field, lie[i].value);
        both_fail(&a, lie[i].part);
    }
    aedat_bytes a = {.n = 0};
    aedat_text(&a, AEDAT_TEXT);
    aedat_packet(&a, 10, 1, 3);
    poke(&a, 16, 0x7fffffffu); /* as much as can be announced */
    poke(&a, 20, 0x7fffffffu);
    both_fail(&a, "byte 60: packet of 2147483647 events of 8 bytes, but only 24 bytes follow: the recording "
                  "is cut off");
    poke(&a, 16, 4);
    poke(&a, 20, 4);
    both_fail(&a, "byte 60: packet of 4 events of 8 bytes, but only 24 bytes follow");
    poke(&a, 0, 0x00010002); /* type 2 may have any event size, but not none or a negative one */
    poke(&a, 20, 3);
    poke(&a, 4, 0);
    both_fail(&a, "byte 64: packet header with eventSize 0, expected 1 or more");
    poke(&a, 4, 0x80000000u);
    both_fail(&a, "byte 64: packet header with eventSize -2147483648");
    poke(&a, 4, 9);
    both_fail(&a, "byte 60: packet of 3 events of 9 bytes, but only 24 bytes follow");
}

static void largest_event_size(void **state) {
    (void)state;
    aedat_bytes a = {.n = 0};
    snn_events e;
    snn_error err = {0};
    aedat_header(&a, 2, 0x7fffffff, 0, 0, 0, 0); /* none there, so any size will do */
    aedat_packet(&a, 1, 1, 2);
    assert_true(decode(a.b, a.n, 0, 0, 10, &e, &err));
    assert_int_equal(e.n, 2);
    snn_events_free(&e);
}

static void cut_off(void **state) {
    (void)state;
    aedat_bytes a = {.n = 0};
    aedat_text(&a, AEDAT_TEXT);
    aedat_packet(&a, 10, 1, 3);
    a.n--;
    both_fail(&a, "byte 60: packet of 3 events of 8 bytes, but only 23 bytes follow");
    a.n = AEDAT_TEXT_SIZE + 27;
    both_fail(&a, "byte 60: the recording is cut off inside a packet header");
    a.n = AEDAT_TEXT_SIZE + 28; /* a header whose events are all missing */
    both_fail(&a, "byte 60: packet of 3 events of 8 bytes, but only 0 bytes follow");
}

static void negative_times(void **state) {
    (void)state;
    aedat_bytes a = {.n = 0};
    snn_events e;
    snn_error err = {0};
    aedat_text(&a, AEDAT_TEXT);
    aedat_header(&a, 1, 8, 0, 3, 3, 3);
    aedat_event(&a, 1, 1, 1, 1, 1);
    aedat_event(&a, 0x80000000u, 1, 1, 1, 1);
    aedat_event(&a, 3, 1, 1, 1, 1);
    assert_false(decode(a.b + 60, a.n - 60, 60, 0, INT64_MAX, &e, &err));
    check_error(&err, SNN_ERR_DATA, "byte 100: event with negative time -2147483648");
    snn_events_free(&e);
    a.n = AEDAT_TEXT_SIZE;
    aedat_packet(&a, 0x80000001u, 0x7fffffffu, 2); /* the first event */
    both_fail(&a, "byte 92: event with negative time -2147483647");
    a.n = AEDAT_TEXT_SIZE;
    aedat_packet(&a, 0x7fffffffu, 1, 2); /* the last one; 2^31 - 1 is fine */
    both_fail(&a, "byte 100: event with negative time -2147483648");
}

static void events_are_decoded(void **state) {
    (void)state;
    aedat_bytes a = {.n = 0};
    snn_events e;
    snn_error err = {0};
    aedat_header(&a, 1, 8, 0, 5, 4, 3); /* room for five, four there */
    aedat_event(&a, 99, 1, 1, 1, 1);    /* before the start */
    aedat_event(&a, 100, 127, 0, 1, 1);
    aedat_event(&a, 100, 500, 600, 1, 0); /* not valid: wherever it lies */
    aedat_event(&a, 150, 0, 127, 0, 1);
    aedat_header(&a, 3, 4, 0, 1, 1, 1);
    aedat_little(&a, 0xffffffff, 4);
    aedat_header(&a, 1, 8, 0, 2, 2, 2);
    aedat_event(&a, 199, 3, 4, 1, 1);
    aedat_event(&a, 200, 5, 6, 1, 1); /* at the end */
    assert_true(decode(a.b, a.n, 0, 100, 200, &e, &err));
    assert_int_equal(e.n, 3);
    check_event(&e.event[0], 0, 127, 0, 1); /* times count from the start */
    check_event(&e.event[1], 50, 0, 127, 0);
    check_event(&e.event[2], 99, 3, 4, 1);
    snn_events_free(&e);
    assert_true(decode(a.b, 0, 0, 100, 200, &e, &err));
    assert_int_equal(e.n, 0);
    snn_events_free(&e);
}

static void overflow_counts(void **state) {
    (void)state;
    aedat_bytes a = {.n = 0};
    snn_events e;
    snn_error err = {0};
    aedat_header(&a, 1, 8, 0, 1, 1, 1);
    aedat_event(&a, 0x7fffffff, 1, 1, 1, 1);
    aedat_header(&a, 1, 8, 1, 1, 1, 1);
    aedat_event(&a, 0, 1, 1, 1, 1);
    aedat_header(&a, 1, 8, 0x7fffffff, 1, 1, 1);
    aedat_event(&a, 0x7fffffff, 1, 1, 1, 1);
    assert_true(decode(a.b, a.n, 0, 0, INT64_MAX, &e, &err));
    assert_int_equal(e.n, 3);
    assert_true(e.event[0].t == 0x7fffffffLL);
    assert_true(e.event[1].t == 0x80000000LL);
    assert_true(e.event[2].t == (0x7fffffffLL << 31) + 0x7fffffffLL);
    snn_events_free(&e);
}

static void outside_the_sensor(void **state) {
    (void)state;
    static const uint32_t place[3][2] = {{128, 0}, {0, 128}, {0x7fff, 0x7fff}};
    for (int i = 0; i < 3; i++) {
        aedat_bytes a = {.n = 0};
        snn_events e;
        snn_error err = {0};
        aedat_header(&a, 1, 8, 0, 2, 2, 2);
        aedat_event(&a, 1, 127, 127, 1, 1);
        aedat_event(&a, 2, place[i][0], place[i][1], 1, 1);
        char text[128];
        snprintf(text, sizeof text, "byte 1036: event at x = %u, y = %u lies outside the sensor of 128 x 128",
                 place[i][0], place[i][1]);
        assert_false(decode(a.b, a.n, 1000, 0, 10, &e, &err));
        check_error(&err, SNN_ERR_DATA, text);
        snn_events_free(&e);
        assert_true(decode(a.b, a.n, 1000, 0, 2, &e, &err)); /* not of this gesture: not looked at */
        assert_int_equal(e.n, 1);
        snn_events_free(&e);
    }
    aedat_bytes a = {.n = 0};
    aedat_packet(&a, 1, 1, 1);
    snn_events e = {.width = 128, .height = 128, .channels = 1};
    snn_error err = {0};
    assert_false(snn_aedat_decode(a.b, a.n, 0, 0, 10, &e, &err));
    snn_events_free(&e);
}

static void sources_are_bounded(void **state) {
    (void)state;
    const uint8_t b[4] = {1, 2, 3, 4};
    uint8_t out[4] = {0};
    snn_source s = {.memory = b, .size = 4};
    snn_error err = {0};
    assert_true(snn_source_read(&s, 0, 4, out, &err));
    assert_memory_equal(out, b, 4);
    assert_true(snn_source_read(&s, 4, 0, out, &err));
    assert_true(snn_source_read(&s, 3, 1, out, &err));
    assert_int_equal(out[0], 4);
    assert_false(snn_source_read(&s, 3, 2, out, &err));
    check_error(&err, SNN_ERR_DATA, "byte 3: the file ends after 4 bytes, 2 are needed here");
    assert_false(snn_source_read(&s, 5, 0, out, &err));
    assert_false(snn_source_read(&s, UINT64_MAX, 2, out, &err));
    /* a file */
    write_file("four", b, 4);
    FILE *f = fopen(in_temp("four"), "rb");
    s = (snn_source){.fd = fileno(f), .size = 4};
    memset(out, 0, 4);
    assert_true(snn_source_read(&s, 1, 3, out, &err));
    assert_memory_equal(out, b + 1, 3);
    assert_true(snn_source_read(&s, 3, 1, out, &err)); /* a single byte */
    assert_int_equal(out[0], 4);
    s.size = 5; /* it was longer once */
    assert_false(snn_source_read(&s, 2, 3, out, &err));
    check_error(&err, SNN_ERR_DATA, "byte 4: the file became shorter");
    s.size = 6;
    assert_false(snn_source_read(&s, 4, 2, out, &err)); /* nothing is left at all */
    check_error(&err, SNN_ERR_DATA, "byte 4: the file became shorter");
    fclose(f);
    s.fd = -1;
    assert_false(snn_source_read(&s, 2, 3, out, &err));
    check_error(&err, SNN_ERR_RUNTIME, "byte 2: cannot read: Bad file descriptor");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_indexed),
        cmocka_unit_test(text_may_end_without_a_mark),
        cmocka_unit_test(bad_text),
        cmocka_unit_test(lying_headers),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(largest_event_size),
        cmocka_unit_test(negative_times),
        cmocka_unit_test(events_are_decoded),
        cmocka_unit_test(overflow_counts),
        cmocka_unit_test(outside_the_sensor),
        cmocka_unit_test_setup_teardown(sources_are_bounded, temp_setup, temp_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
