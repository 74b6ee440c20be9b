/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the SHD reader on bytes in memory: binned recordings, times and units, HDF5's global heaps. */
#include "dataset_test.h"

#include "../../datasets/shd.h"

#include <math.h>

/* ---- binned recordings ---- */

static void trace(void **state) {
    (void)state;
    static const char text[] = "19\n0,\n1,1,2,700\r\n2\n3,5,699,\n";
    snn_events e = {.width = 700, .height = 1, .channels = 1};
    snn_error err = {0};
    int label = -1;
    assert_true(snn_trace_class((const uint8_t *)text, sizeof text - 1, &label, &err));
    assert_int_equal(label, 19);
    assert_true(snn_trace_class((const uint8_t *)text, 3, &label, &err)); /* the rest is not looked at */
    assert_true(snn_trace_class((const uint8_t *)"0", 1, &label, &err));
    assert_int_equal(label, 0);
    if (!snn_trace_decode((const uint8_t *)text, sizeof text - 1, &e, &err))
        fail_msg("%s", err.text);
    assert_int_equal(e.n, 5);
    check_event(&e.event[0], 5000, 699, 0, 0);
    check_event(&e.event[1], 5000, 698, 0, 0);
    check_event(&e.event[2], 5000, 0, 0, 0);
    check_event(&e.event[3], 25000, 695, 0, 0);
    check_event(&e.event[4], 25000, 1, 0, 0);
    e.n = 0;
    assert_true(snn_trace_decode((const uint8_t *)"3\n0,7,8\n", 8, &e, &err)); /* bin 0: time 0 */
    assert_int_equal(e.n, 2);
    check_event(&e.event[0], 0, 693, 0, 0);
    snn_events_free(&e);
}

static void bad_traces(void **state) {
    (void)state;
    static const struct {
        const char *text, *error;
    } bad[] = {{"", "line 1: expected the class, a number"},
               {"\n0,1", "line 1: expected the class"},
               {"x\n0,1", "line 1: expected the class"},
               {"1 \n0,1", "line 1: expected the class"},
               {"20\n0,1", "line 1: class 20 is not in 0 .. 19"},
               {"1234567\n0,1", "line 1: expected the class"},
               {"1", "line 2: there are no bins"},
               {"1\n", "line 2: there are no bins"},
               {"1\n1,5\n", "line 2: expected the line of bin 0"},
               {"1\n0,5\n2,5\n", "line 3: expected the line of bin 1"},
               {"1\n0,5\n\n", "line 3: expected the line of bin 1"},
               {"1\n0,5\n,5\n", "line 3: expected the line of bin 1"},
               {"1\n0,5\n1;5\n", "line 3: expected `bin,channel,channel,...`"},
               {"1\n0,5 \n", "line 2: expected `bin,channel,channel,...`"},
               {"1\n0,5,,6\n", "line 2: expected a channel behind the comma"},
               {"1\n0,-5\n", "line 2: expected a channel behind the comma"},
               {"1\n0,5,\r\n", NULL},
               {"1\n0,5,\r", "line 2: the file is cut off: its last line has no end"},
               {"1\n0,5\n1,34", "line 3: the file is cut off: its last line has no end"},
               {"1\n0", "line 2: the file is cut off: its last line has no end"},
               {"1\n0,5,\rx", "line 2: expected a channel behind the comma"},
               {"1\n0,0\n", "line 2: channel 0 is not in 1 .. 700"},
               {"1\n0,701\n", "line 2: channel 701 is not in 1 .. 700"},
               {"1\n0,1\n1,5,5\n", "line 3: channel 5 behind channel 5"},
               {"1\n0,6,5\n", "line 2: channel 5 behind channel 6"},
               {"1\n0,1234567\n", "line 2: channel 123456 is not in"}};
    snn_events e = {.width = 700, .height = 1, .channels = 1};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snn_error err = {0};
        size_t size = strlen(bad[i].text);
        uint8_t *copy = malloc(size + 1); /* so that sanitizers see what reads beyond the end */
        memcpy(copy, bad[i].text, size);
        bool ok = snn_trace_decode(copy, size, &e, &err);
        assert_int_equal(ok, bad[i].error == NULL);
        if (!ok)
            check_error(&err, SNN_ERR_DATA, bad[i].error);
        free(copy);
    }
    snn_events_free(&e);
}

static void longest_trace(void **state) {
    (void)state;
    size_t size = 0;
    char *text = malloc(8 * 65540);
    size += (size_t)sprintf(text, "1\n");
    for (int bin = 0; bin < 65536; bin++)
        size += (size_t)sprintf(text + size, "%d\n", bin);
    snn_events e = {0};
    snn_error err = {0};
    assert_true(snn_trace_decode((uint8_t *)text, size, &e, &err));
    size += (size_t)sprintf(text + size, "65536\n");
    assert_false(snn_trace_decode((uint8_t *)text, size, &e, &err));
    check_error(&err, SNN_ERR_DATA, "line 65538: expected the line of bin 65536");
    free(text);
    snn_events_free(&e);
}

/* ---- times and units ---- */

static void every_half(void **state) {
    (void)state;
    for (unsigned bits = 0; bits < 65536; bits++) {
        unsigned exponent = bits >> 10 & 31, mantissa = bits & 1023;
        double value = exponent ? ldexp(1024 + mantissa, (int)exponent - 25) : ldexp(mantissa, -24);
        int64_t expected = exponent == 31 || (bits >= 0x8000 && value != 0) ? -1 : (int64_t)rint(value * 1e6);
        if (snn_half_micro((uint16_t)bits) != expected)
            fail_msg("%04x: %lld, expected %lld", bits, (long long)snn_half_micro((uint16_t)bits),
                     (long long)expected);
    }
    assert_int_equal(snn_half_micro(0x3c00), 1000000);     /* 1 */
    assert_int_equal(snn_half_micro(0x7bff), 65504000000); /* the largest */
    assert_int_equal(snn_half_micro(0x211f), 10002);       /* 0.01 is 0.01000213623 */
}

static bool decode(const void *times, unsigned time_bytes, const void *units, unsigned unit_bytes, size_t n,
                   snn_events *e, snn_error *err) {
    e->n = 0;
    return snn_shd_decode(times, time_bytes, units, unit_bytes, n, e, err);
}

static void types(void **state) {
    (void)state;
    snn_events e = {0};
    snn_error err = {0};
    static const uint16_t half[] = {0x3800, 0x3c00, 0}, unit16[] = {699, 0, 7};
    static const float single[] = {0.5f, 65504.0f, 0.0000015f};
    static const double wide[] = {0.25e-6, 65504.0, 1.5e-6};
    static const uint8_t unit8[] = {255, 0, 7};
    static const int32_t unit32[] = {699, 0, 7};
    static const int64_t unit64[] = {699, 0, 7};
    assert_true(decode(half, 2, unit16, 2, 3, &e, &err));
    assert_int_equal(e.n, 3);
    check_event(&e.event[0], 500000, 699, 0, 0);
    check_event(&e.event[1], 1000000, 0, 0, 0);
    check_event(&e.event[2], 0, 7, 0, 0);
    assert_true(snn_shd_decode((const uint8_t *)half, 2, unit8, 1, 1, &e, &err)); /* appends */
    assert_int_equal(e.n, 4);
    check_event(&e.event[3], 500000, 255, 0, 0);
    assert_true(decode(single, 4, unit32, 4, 3, &e, &err));
    check_event(&e.event[0], 500000, 699, 0, 0);
    check_event(&e.event[1], 65504000000, 0, 0, 0);
    check_event(&e.event[2], 2, 7, 0, 0); /* float32 of 1.5e-6 is a little above */
    assert_true(decode(wide, 8, unit64, 8, 3, &e, &err));
    check_event(&e.event[0], 0, 699, 0, 0);
    check_event(&e.event[1], 65504000000, 0, 0, 0);
    check_event(&e.event[2], 2, 7, 0, 0); /* half to even */
    assert_true(decode(half, 2, unit16, 2, 0, &e, &err));
    assert_int_equal(e.n, 0);
    snn_events_free(&e);
}

static void bad_events(void **state) {
    (void)state;
    snn_events e = {0};
    snn_error err = {0};
    static const uint16_t unit[] = {0, 700}, high[] = {0, 65535}, zero[] = {0, 0};
    static const uint16_t half[][2] = {{0, 0xbc00}, {0, 0x7c00}, {0, 0x7e00}, {0, 0xfc00}, {0, 0x8001}};
    static const float single[][2] = {{0, -1}, {0, NAN}, {0, INFINITY}, {0, 65505}};
    static const double wide[][2] = {{0, -1e-300}, {0, NAN}, {0, 65504.0000001}};
    static const int32_t negative[] = {0, -1};
    for (size_t i = 0; i < sizeof half / sizeof *half; i++) {
        assert_false(decode(half[i], 2, zero, 2, 2, &e, &err));
        check_error(&err, SNN_ERR_DATA, "event 1: its time is not in 0 .. 65504 s");
    }
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        assert_false(decode(single[i], 4, zero, 2, 2, &e, &err));
        check_error(&err, SNN_ERR_DATA, "event 1: its time");
    }
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        assert_false(decode(wide[i], 8, zero, 2, 2, &e, &err));
        check_error(&err, SNN_ERR_DATA, "event 1: its time");
    }
    assert_false(decode(zero, 2, unit, 2, 2, &e, &err));
    check_error(&err, SNN_ERR_DATA, "event 1: its unit is not in 0 .. 699");
    assert_false(decode(zero, 2, high, 2, 2, &e, &err));
    assert_false(decode(zero, 2, negative, 4, 2, &e, &err));
    check_error(&err, SNN_ERR_DATA, "event 1: its unit");
    const uint16_t minus_zero[] = {0x8000};
    assert_true(decode(minus_zero, 2, zero, 2, 1, &e, &err));
    check_event(&e.event[0], 0, 0, 0, 0);
    snn_events_free(&e);
}

/* ---- heaps ---- */

static uint8_t image[20000];

static void put_number(size_t at, uint64_t v, int bytes) {
    for (int i = 0; i < bytes; i++)
        image[at + (size_t)i] = (uint8_t)(v >> 8 * i);
}

static size_t put_heap(size_t at, uint64_t size) {
    memcpy(image + at, "GCOL\1\0\0\0", 8);
    put_number(at + 8, size, 8);
    return at + 16;
}

static size_t put_object(size_t at, unsigned index, uint64_t size) {
    put_number(at, index, 2);
    put_number(at + 2, 1, 2);
    put_number(at + 4, 0, 4);
    put_number(at + 8, size, 8);
    return at + 16 + ((size_t)size + 7) / 8 * 8;
}

/* Two heaps: at 96 with objects 1 (5 bytes), 3 (8), 2 (1); at 10000 with object 1 (6000), object 9 (16) behind the window of the first read. */
static void make_heaps(void) {
    memset(image, 0, sizeof image);
    size_t at = put_heap(96, 4096);
    at = put_object(at, 1, 5);
    at = put_object(at, 3, 8);
    at = put_object(at, 2, 1);
    put_object(at, 0, 96 + 4096 - at - 16);
    at = put_heap(10000, 6064); /* ends with its last object */
    at = put_object(at, 1, 6000);
    at = put_object(at, 9, 16);
    assert_int_equal(at, 16064);
}

static bool find(uint64_t size, uint64_t base, snn_heap_item *item, size_t n, snn_error *err) {
    uint8_t *copy = malloc((size_t)size);
    memcpy(copy, image, (size_t)size);
    snn_source s = {.memory = copy, .size = size};
    bool ok = snn_heap_find(&s, base, item, n, err);
    free(copy);
    return ok;
}

static void find_fails(uint64_t size, uint64_t base, const snn_heap_item *item, size_t n, const char *error) {
    snn_heap_item copy[8];
    snn_error err = {0};
    memcpy(copy, item, n * sizeof *item);
    assert_false(find(size, base, copy, n, &err));
    check_error(&err, SNN_ERR_DATA, error);
}

static const snn_heap_item wanted[] = {
    {.heap = 10000, .index = 9, .bytes = 16, .item = 0},
    {.heap = 77777, .index = 5, .bytes = 0, .item = 1}, /* empty: anything goes */
    {.heap = 96, .index = 2, .bytes = 1, .item = 2},
    {.heap = 96, .index = 1, .bytes = 4, .item = 3},
    {.heap = 96, .index = 3, .bytes = 8, .item = 4},
    {.heap = 10000, .index = 1, .bytes = 6000, .item = 5},
    {.heap = 96, .index = 3, .bytes = 2, .item = 6}}; /* twice the same object */
#define WANTED (sizeof wanted / sizeof *wanted)

static void heaps(void **state) {
    (void)state;
    static const uint64_t place[] = {16048, 0, 176, 128, 152, 10032, 152};
    snn_heap_item item[WANTED];
    snn_error err = {0};
    make_heaps();
    for (uint64_t base = 0; base < 2; base++) {
        memcpy(item, wanted, sizeof item);
        if (!find(16064 + base, base, item, WANTED, &err))
            fail_msg("%s", err.text);
        for (size_t i = 0; i < WANTED; i++)
            assert_int_equal(item[i].at, place[item[i].item] ? place[item[i].item] + base : 0);
        uint64_t seen = 0;
        for (size_t i = 0; i < WANTED; i++)
            seen |= (uint64_t)1 << item[i].item;
        assert_int_equal(seen, 127);
        memmove(image + 1, image, sizeof image - 1);
    }
    assert_true(find(0, 0, item, 0, &err));
}

static void bad_heaps(void **state) {
    (void)state;
    make_heaps();
    find_fails(16063, 0, wanted, WANTED, "byte 10000: there is no heap, where item 5 should be");
    find_fails(10015, 0, wanted, WANTED, "the file ends after 10015 bytes");
    find_fails(16064, 1, wanted, WANTED, "byte 97: there is no heap, where item 3 should be");
    find_fails(16064, UINT64_MAX, wanted, WANTED, "heaps overlap");
    snn_heap_item one = wanted[2];
    one.bytes = 2;
    find_fails(16064, 0, &one, 1, "byte 176: item 2 has 2 bytes, its heap object 1");
    one.bytes = 1;
    one.index = 4;
    find_fails(16064, 0, &one, 1, "byte 96: item 2 is not in its heap, object 4");
    one.index = 0; /* free space is no object */
    find_fails(16064, 0, &one, 1, "item 2 is not in its heap");
    one.heap = 30000;
    find_fails(16064, 0, &one, 1, "the file ends after 16064 bytes");
    one.heap = UINT64_MAX;
    find_fails(16064, 0, &one, 1, "the file ends after 16064 bytes");
    image[96] = 'X';
    find_fails(16064, 0, wanted, WANTED, "byte 96: there is no heap");
    make_heaps();
    image[100] = 2; /* version */
    find_fails(16064, 0, wanted, WANTED, "byte 96: there is no heap");
    make_heaps();
    put_number(104, 15, 8); /* the heap is shorter than its header */
    find_fails(16064, 0, wanted, WANTED, "byte 96: there is no heap");
    put_number(104, 16, 8);
    find_fails(16064, 0, wanted, WANTED, "byte 96: item 3 is not in its heap");
    put_number(104, UINT64_MAX - 50, 8);
    find_fails(16064, 0, wanted, WANTED, "byte 96: there is no heap");
    put_number(104, 9905, 8); /* reaches into the next heap by one byte */
    find_fails(16064, 0, wanted, WANTED, "byte 10000: heaps overlap");
    put_number(104, 9904, 8);
    snn_heap_item copy[WANTED];
    snn_error err = {0};
    memcpy(copy, wanted, sizeof copy);
    assert_true(find(16064, 0, copy, WANTED, &err));
    make_heaps();
    put_number(112 + 8, UINT64_MAX - 3, 8); /* size of object 1 */
    find_fails(16064, 0, wanted, WANTED, "byte 112: heap object 1 reaches beyond its heap");
    put_number(112 + 8, 4096 - 32 + 1, 8);
    find_fails(16064, 0, wanted, WANTED, "byte 112: heap object 1 reaches beyond its heap");
    put_number(112 + 8, 4096 - 32, 8); /* fills the heap: the others are gone */
    find_fails(16064, 0, wanted, WANTED, "item 2 is not in its heap");
}

/* An object whose padding would reach beyond its heap, at the end of the file. */
static void padding_at_the_end(void **state) {
    (void)state;
    snn_heap_item item = {.heap = 0, .index = 1, .bytes = 3, .item = 0};
    snn_error err = {0};
    memset(image, 0, sizeof image);
    put_heap(0, 35);
    put_object(16, 1, 3);
    assert_true(find(35, 0, &item, 1, &err));
    assert_int_equal(item.at, 32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trace),      cmocka_unit_test(bad_traces), cmocka_unit_test(longest_trace),
        cmocka_unit_test(every_half), cmocka_unit_test(types),      cmocka_unit_test(bad_events),
        cmocka_unit_test(heaps),      cmocka_unit_test(bad_heaps),  cmocka_unit_test(padding_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
