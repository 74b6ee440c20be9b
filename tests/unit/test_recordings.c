/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Headerless recordings (bs2, N-MNIST, bs3), text lines and label lists, all from memory. */
#include "dataset_test.h"

static snn_events nmnist(void) {
    return (snn_events){.width = 34, .height = 34, .channels = 2};
}

static void bs2_bits(void **state) {
    (void)state;
    const uint8_t b[] = {0,  33, 0x80, 0x00, 0x01,  /* ON, t = 1 */
                         33, 0,  0x7f, 0xff, 0xff,  /* OFF, largest time 2^23 - 1 */
                         1,  2,  0x81, 0x02, 0x03}; /* ON, t = 0x010203 */
    snn_events e = nmnist();
    snn_error err = {0};
    assert_true(snn_bs2_decode(b, sizeof b, true, &e, &err));
    assert_int_equal(e.n, 3);
    check_event(&e.event[0], 1, 0, 33, 1);
    check_event(&e.event[1], 8388607, 33, 0, 0);
    check_event(&e.event[2], 0x010203, 1, 2, 1);
    assert_true(snn_bs2_decode(b, 5, true, &e, &err)); /* appends */
    assert_int_equal(e.n, 4);
    check_event(&e.event[3], 1, 0, 33, 1);
    check_event(&e.event[2], 0x010203, 1, 2, 1);
    assert_true(snn_bs2_decode(b, 0, true, &e, &err)); /* an empty recording is fine */
    assert_int_equal(e.n, 4);
    snn_events_free(&e);
}

static void overflow_marker(void **state) {
    (void)state;
    const uint8_t b[] = {1, 1, 0, 0, 5, 0, 240, 0, 0, 0, 2, 2, 0, 0, 6, 99, 240, 0x80, 0, 9, 3, 3, 0, 0, 7};
    snn_events e = nmnist();
    snn_error err = {0};
    assert_true(snn_bs2_decode(b, sizeof b, true, &e, &err));
    assert_int_equal(e.n, 3);
    check_event(&e.event[0], 5, 1, 1, 0);
    check_event(&e.event[1], 6 + 8192, 2, 2, 0);
    check_event(&e.event[2], 7 + 16384, 3, 3, 0);
    e.n = 0;
    assert_false(snn_bs2_decode(b, sizeof b, false, &e, &err));
    check_error(&err, SNN_ERR_DATA,
                "byte 5: event at x = 0, y = 240, channel 0 lies outside the sensor of 34 x 34 x 2");
    snn_events_free(&e);
}

static void bs2_outside(void **state) {
    (void)state;
    snn_events e = nmnist();
    snn_error err = {0};
    const uint8_t x[] = {33, 33, 0, 0, 0, 34, 0, 0, 0, 0};
    assert_false(snn_bs2_decode(x, 10, true, &e, &err));
    check_error(&err, SNN_ERR_DATA, "byte 5: event at x = 34, y = 0");
    assert_int_equal(e.n, 0);
    const uint8_t y[] = {33, 34, 0, 0, 0};
    assert_false(snn_bs2_decode(y, 5, true, &e, &err));
    check_error(&err, SNN_ERR_DATA, "byte 0: event at x = 33, y = 34");
    e.channels = 1;
    const uint8_t on[] = {3, 3, 0x80, 0, 0};
    assert_false(snn_bs2_decode(on, 5, true, &e, &err));
    check_error(&err, SNN_ERR_DATA, "channel 1 lies outside the sensor of 34 x 34 x 1");
    snn_events_free(&e);
}

static void cut_off(void **state) {
    (void)state;
    const uint8_t b[16] = {0};
    snn_events e = nmnist();
    snn_error err = {0};
    assert_false(snn_bs2_decode(b, 12, true, &e, &err));
    check_error(&err, SNN_ERR_DATA,
                "byte 10: the recording is cut off inside an event (12 bytes are not a multiple of 5)");
    assert_false(snn_bs3_decode(b, 16, &e, &err));
    check_error(&err, SNN_ERR_DATA,
                "byte 14: the recording is cut off inside an event (16 bytes are not a multiple of 7)");
    snn_events_free(&e);
}

static void bs3_bits(void **state) {
    (void)state;
    const uint8_t b[] = {0x12, 0x34, 0x56, 0x01, 0x07, 0x08, 0x09,  /* x = 0x123, y = 0x456 */
                         0x07, 0xf3, 0xff, 0x02, 0xff, 0xff, 0xff}; /* x = 0x07f, y = 0x3ff */
    snn_events e = {.width = 0x124, .height = 0x457, .channels = 3};
    snn_error err = {0};
    assert_true(snn_bs3_decode(b, sizeof b, &e, &err));
    assert_int_equal(e.n, 2);
    check_event(&e.event[0], 0x070809, 0x123, 0x456, 1);
    check_event(&e.event[1], 0xffffff, 0x07f, 0x3ff, 2);
    assert_true(snn_bs3_decode(b + 7, 7, &e, &err));
    assert_int_equal(e.n, 3);
    check_event(&e.event[2], 0xffffff, 0x07f, 0x3ff, 2);
    e.channels = 2;
    assert_false(snn_bs3_decode(b, sizeof b, &e, &err));
    check_error(&err, SNN_ERR_DATA, "byte 7: event at x = 127, y = 1023, channel 2");
    e.channels = 3;
    e.width = 0x123;
    assert_false(snn_bs3_decode(b, sizeof b, &e, &err));
    check_error(&err, SNN_ERR_DATA, "byte 0: event at x = 291, y = 1110");
    e.width++;
    e.height--;
    assert_false(snn_bs3_decode(b, sizeof b, &e, &err));
    check_error(&err, SNN_ERR_DATA, "byte 0");
    snn_events_free(&e);
}

static void lines(void **state) {
    (void)state;
    const char text[] = "one \t\r\n\n 12,7\r\nlast";
    snn_lines l;
    uint64_t v;
    char quote[SNN_QUOTE];
    snn_lines_init(&l, text, sizeof text - 1);
    assert_true(snn_lines_next(&l));
    assert_int_equal(l.number, 1);
    assert_int_equal(l.size, 3);
    assert_false(snn_lines_number(&l, 100, &v));
    assert_true(snn_lines_next(&l));
    assert_int_equal(l.size, 0);
    assert_int_equal(snn_lines_blanks(&l), 0);
    assert_true(snn_lines_next(&l));
    assert_int_equal(l.number, 3);
    assert_int_equal(snn_lines_blanks(&l), 1);
    assert_true(snn_lines_number(&l, 12, &v));
    assert_int_equal(v, 12);
    assert_int_equal(*l.line, ',');
    assert_int_equal(l.size, 2);
    assert_true(snn_lines_next(&l));
    assert_string_equal(snn_lines_quote(&l, quote), "last");
    assert_false(snn_lines_next(&l));
    snn_lines_init(&l, "", 0);
    assert_false(snn_lines_next(&l));
    snn_lines_init(&l,
                   "\xef\xbb\xbf"
                   "12",
                   5); /* as Windows' editors save it */
    assert_true(snn_lines_next(&l));
    assert_int_equal(l.size, 2);
    assert_true(snn_lines_number(&l, 12, &v));
    snn_lines_init(&l, "\xef\xbb\xbf", 3);
    assert_false(snn_lines_next(&l));
    snn_lines_init(&l, "\xef\xbb", 2);
    assert_true(snn_lines_next(&l));
    assert_int_equal(l.size, 2);
}

static bool number(const char *text, uint64_t max, uint64_t *v) {
    snn_lines l;
    snn_lines_init(&l, text, strlen(text));
    return snn_lines_next(&l) && snn_lines_number(&l, max, v);
}

static void numbers_do_not_wrap(void **state) {
    (void)state;
    uint64_t v;
    assert_true(number("18446744073709551615", UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    assert_false(number("18446744073709551616", UINT64_MAX, &v));
    assert_false(number("99999999999999999999999", UINT64_MAX, &v));
    assert_true(number("0090", 90, &v));
    assert_int_equal(v, 90);
    assert_false(number("91", 90, &v));
    assert_false(number("-1", 90, &v));
    assert_false(number(":", 90, &v)); /* the characters beside the digits */
    assert_false(number("/", 90, &v));
    assert_true(number("9", 9, &v));
    assert_int_equal(v, 9);
    assert_false(number("", 9, &v));
}

static void quotes_are_short_and_printable(void **state) {
    (void)state;
    char text[100], quote[SNN_QUOTE];
    snn_lines l;
    memset(text, 'a', sizeof text);
    text[1] = '\x1b';
    text[2] = '\x7f';
    text[3] = '~';
    text[4] = ' ';
    snn_lines_init(&l, text, sizeof text);
    assert_true(snn_lines_next(&l));
    snn_lines_quote(&l, quote);
    assert_int_equal(strlen(quote), SNN_QUOTE - 1);
    assert_int_equal(strncmp(quote, "a??~ aaa", 8), 0);
    assert_string_equal(quote + SNN_QUOTE - 4, "...");
    l.size = SNN_QUOTE - 4; /* just fits */
    snn_lines_quote(&l, quote);
    assert_int_equal(strlen(quote), SNN_QUOTE - 4);
    assert_int_equal(quote[SNN_QUOTE - 5], 'a');
    snn_lines_init(&l, "1\t-1", 4);
    assert_true(snn_lines_next(&l));
    assert_string_equal(snn_lines_quote(&l, quote), "1<TAB>-1");
    memset(text, 'b', sizeof text);
    text[SNN_QUOTE - 9] = '\t'; /* just fits */
    snn_lines_init(&l, text, SNN_QUOTE - 8);
    assert_true(snn_lines_next(&l));
    assert_false(l.size == SNN_QUOTE - 8); /* a blank at the end is cut */
    l.size = SNN_QUOTE - 8;
    assert_string_equal(snn_lines_quote(&l, quote) + SNN_QUOTE - 9, "<TAB>");
    l.size = SNN_QUOTE - 7;
    assert_string_equal(snn_lines_quote(&l, quote) + SNN_QUOTE - 9, "<TAB>...");
    text[SNN_QUOTE - 9] = 'b';
    text[SNN_QUOTE - 8] = '\t'; /* does not */
    assert_string_equal(snn_lines_quote(&l, quote) + SNN_QUOTE - 9, "b...");
}

static void list_entries(void **state) {
    (void)state;
    const char text[] = "#sample #class\r\n1\t5\r\n\r\n 60001\t0\r\n 7 \t 9  \n999999999 3";
    snn_list_entry *e;
    size_t n;
    snn_error err = {0};
    assert_true(snn_list_parse(text, sizeof text - 1, 0, 10, &e, &n, &err));
    assert_int_equal(n, 4);
    const uint64_t expected[4][3] = {{1, 5, 2}, {60001, 0, 4}, {7, 9, 5}, {999999999, 3, 6}};
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(e[i].number, expected[i][0]);
        assert_int_equal(e[i].label, expected[i][1]);
        assert_int_equal(e[i].line, expected[i][2]);
    }
    free(e);
    /* classes from 1 on */
    assert_true(snn_list_parse("1 1\n2 11\n", 9, 1, 11, &e, &n, &err));
    assert_int_equal(e[0].label, 0);
    assert_int_equal(e[1].label, 10);
    free(e);
}

static void list_fails(const char *text, int base, const char *part) {
    snn_list_entry *e;
    size_t n;
    snn_error err = {0};
    assert_false(snn_list_parse(text, strlen(text), base, 10, &e, &n, &err));
    free(e);
    check_error(&err, SNN_ERR_DATA, part);
}

static void bad_lists(void **state) {
    (void)state;
    list_fails("", 0, "no line `number<TAB>class`");
    list_fails("# only a comment\n", 0, "no line");
    list_fails("1\t1\nfoo\t2\n", 0, "line 2: expected `number<TAB>class`, found \"foo<TAB>2\"");
    list_fails("1\n", 0, "line 1: expected");
    list_fails("12", 0, "line 1: expected");
    list_fails("1\t2 3", 0, "line 1: expected");
    list_fails("1\t-1", 0, "line 1: expected");
    list_fails("1000000000\t1", 0, "line 1: expected");
    list_fails("1\t4294967296", 0, "line 1: expected");
    list_fails("1\t10", 0, "line 1: class 10 is not in 0 .. 9");
    list_fails("1\t1\n2\t0", 1, "line 2: class 0 is not in 1 .. 10");
    list_fails("1\t11", 1, "line 1: class 11 is not in 1 .. 10");
    list_fails("5\t1\n6\t1\n\n5\t2", 0, "line 4: number 5 stands in line 1 already");
    list_fails("1\t1\n2\t1\n3\t1\n3\t1", 0, "line 4: number 3 stands in line 3 already");
    list_fails("7\t1\n5\t1\n6\t1\n05\t1", 0, "line 4: number 5 stands in line 2 already");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bs2_bits),     cmocka_unit_test(overflow_marker),
        cmocka_unit_test(bs2_outside),  cmocka_unit_test(cut_off),
        cmocka_unit_test(bs3_bits),     cmocka_unit_test(lines),
        cmocka_unit_test(list_entries), cmocka_unit_test(numbers_do_not_wrap),
        cmocka_unit_test(bad_lists),    cmocka_unit_test(quotes_are_short_and_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
