/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EDF headers: good ones, and every field that lies; sizes; copies with changed line ends; samples in physical units. */
#include "edf_test.h"

#include <math.h>

static const edf_plan small = {.channels = 2, .samples = 8, .records = 3};

static bool open_bytes(const edf_bytes *f, snn_edf *e, snn_error *err) {
    snn_source s = {.memory = f->b, .size = f->n};
    return snn_edf_open(&s, e, err);
}

/* Opens and must fail with a DATA error that contains `part`; frees f. */
static void refuse(edf_bytes f, const char *part) {
    snn_edf e;
    snn_error err = {0};
    if (open_bytes(&f, &e, &err))
        fail_msg("opened, expected \"%s\"", part);
    snn_edf_free(&e);
    free(f.b);
    check_error(&err, SNN_ERR_DATA, part);
}

/* The small file with one field replaced. */
static edf_bytes with(size_t at, size_t width, const char *text) {
    edf_bytes f = edf_make(&small);
    edf_field(f.b + at, width, text);
    return f;
}

static edf_bytes with_signal(size_t before, size_t width, size_t signal, const char *text) {
    edf_bytes f = edf_make(&small);
    edf_field(f.b + edf_at(&f, before, width, signal), width, text);
    return f;
}

static void a_header_is_read(void **state) {
    (void)state;
    edf_plan p = small;
    p.duration = "0.25";
    p.label[1] = "Cz..";
    edf_bytes f = edf_make(&p);
    edf_field(f.b + edf_at(&f, 104, 8, 1), 8, "-12.5");
    edf_field(f.b + edf_at(&f, 112, 8, 1), 8, "+.75");
    edf_field(f.b + edf_at(&f, 120, 8, 1), 8, "-100");
    edf_field(f.b + edf_at(&f, 128, 8, 1), 8, "32767");
    snn_edf e;
    snn_error err = {0};
    assert_true(open_bytes(&f, &e, &err));
    assert_int_equal(e.signals, 3);
    assert_int_equal(e.records, 3);
    assert_int_equal(e.header_bytes, 1024);
    assert_int_equal(e.record_bytes, 112);
    assert_int_equal(e.record_ns, 250000000);
    assert_true(e.plus);
    assert_string_equal(e.signal[0].label, "C1..");
    assert_string_equal(e.signal[1].label, "Cz..");
    assert_string_equal(e.signal[1].unit, "uV");
    assert_true(e.signal[1].physical_min == -12.5 && e.signal[1].physical_max == 0.75);
    assert_int_equal(e.signal[1].digital_min, -100);
    assert_int_equal(e.signal[1].digital_max, 32767);
    assert_int_equal(e.signal[1].offset, 16);
    assert_int_equal(e.signal[1].samples, 8);
    assert_false(e.signal[1].annotations);
    assert_true(e.signal[2].annotations);
    assert_int_equal(e.signal[2].offset, 32);
    assert_int_equal(e.signal[2].samples, 40);
    snn_edf_free(&e);
    assert_null(e.signal);
    free(f.b);
}

static void the_fixed_header_is_checked(void **state) {
    (void)state;
    refuse(with(0, 8, "1"), "byte 0: version is \"1\", expected \"0\": not an EDF file");
    refuse(with(0, 8, ""), "version");
    refuse(with(0, 8, "00"), "version");
    refuse(with(0, 8,
                "\xff"
                "BIOSEMI"),
           "not an EDF file");
    refuse(with(192, 44, "EDF+D"), "byte 192: an EDF+D file");
    refuse(with(184, 8, "1023"), "byte 184: a header of 1023 bytes, with 3 signals it has 1024");
    refuse(with(184, 8, "1025"), "a header of 1025 bytes");
    refuse(with(184, 8, "x"), "byte 184: bytes in header is \"x\", expected a whole number");
    refuse(with(184, 8, "-1024"), "byte 184: bytes in header");
    refuse(with(236, 8, "-1"), "byte 236: number of data records is -1: a recording that was not finished");
    refuse(with(236, 8, "0"),
           "byte 236: number of data records is \"0\", expected a whole number of 1 .. 99999999");
    refuse(with(236, 8, "-2"), "number of data records is \"-2\"");
    refuse(with(236, 8, "3.5"), "number of data records is \"3.5\"");
    refuse(with(236, 8, "3x"), "number of data records is \"3x\"");
    refuse(with(236, 8, ""), "number of data records is \"\"");
    refuse(with(236, 8, "99999999"), "by its header it has 11200000912");
    refuse(with(244, 8, "-1"), "byte 244: duration of a data record is \"-1\", expected seconds, 0 .. 3600");
    refuse(with(244, 8, "3600.001"), "duration of a data record is \"3600.001\"");
    refuse(with(244, 8, "1e3"), "duration of a data record is \"1e3\"");
    refuse(with(244, 8, ""), "duration of a data record is \"\"");
    refuse(with(244, 8, "0"), "byte 244: data records of 0 s hold samples");
    refuse(with(252, 4, "0"), "byte 252: number of signals is \"0\", expected a whole number of 1 .. 9999");
    refuse(with(252, 4, "-3"), "number of signals");
    refuse(with(252, 4, "2"), "with 2 signals it has 768");
    refuse(with(252, 4, "9999"), "with 9999 signals it has 2560000");
    edf_bytes f = with(252, 4, "9999");
    edf_field(f.b + 184, 8, "2560000");
    refuse(f, "the file ends after 1360 bytes, 2560000 are needed here");
}

static void signal_fields_are_checked(void **state) {
    (void)state;
    refuse(with_signal(0, 16, 1, "C\x01"), "signal 2: byte 272: label is \"C?\", expected printable ASCII");
    refuse(with_signal(0, 16, 1, "C\x7f"), "label");
    refuse(with_signal(96, 8, 0, "\xb5V"), "signal 1: byte 544: physical dimension");
    refuse(with_signal(104, 8, 0, "one"),
           "signal 1: byte 568: physical minimum is \"one\", expected a number");
    refuse(with_signal(104, 8, 0, ""), "physical minimum");
    refuse(with_signal(104, 8, 0, "-"), "physical minimum");
    refuse(with_signal(104, 8, 0, "1.2.3"), "physical minimum");
    refuse(with_signal(112, 8, 1, "1e5"), "signal 2: byte 600: physical maximum");
    refuse(with_signal(112, 8, 1, "-8092.0"), "signal 2: physical minimum and maximum are both -8092");
    refuse(with_signal(120, 8, 0, "-32769"),
           "signal 1: byte 616: digital minimum is \"-32769\", expected a whole number of -32768 .. 32767");
    refuse(with_signal(128, 8, 2, "32768"), "signal 3: byte 656: digital maximum");
    refuse(with_signal(128, 8, 0, "-8092"),
           "signal 1: digital minimum -8092 is not below digital maximum -8092");
    refuse(with_signal(128, 8, 0, "-9000"), "is not below");
    refuse(with_signal(120, 8, 0, "1.5"), "digital minimum");
    refuse(with_signal(216, 8, 0, "0"),
           "signal 1: byte 904: samples in a data record is \"0\", expected a whole number of 1 .. 1048576");
    refuse(with_signal(216, 8, 0, "-8"), "samples in a data record");
    refuse(with_signal(216, 8, 0, "1048577"), "samples in a data record");
    refuse(with_signal(216, 8, 0, "1048576"), "by its header it has");
    refuse(with_signal(216, 8, 0, "9"), "1360 bytes, by its header it has 1366: cut off");
    refuse(with_signal(216, 8, 0, "7"),
           "1360 bytes, by its header it has 1354: something stands behind the last record");
}

static void cut_files_are_refused(void **state) {
    (void)state;
    static const size_t cuts[] = {0, 1, 255, 256, 300, 1023, 1024, 1025, 1135, 1359};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        edf_bytes f = edf_make(&small);
        f.n = cuts[i];
        refuse(f, cuts[i] < 1024 ? "the file ends after" : "cut off");
    }
    edf_bytes f = edf_make(&small);
    f.n++;
    refuse(f, "1361 bytes, by its header it has 1360: something stands behind the last record");
}

/* Samples of which some are line feeds: 0x0a in the low byte, never 0x0d. */
static int16_t feeds(int channel, int sample) {
    return (int16_t)(channel == 0 && sample % 5 == 0 ? 0x0a : 3);
}

static void changed_line_ends_are_recognised(void **state) {
    (void)state;
    edf_plan p = small;
    p.value = feeds;
    edf_bytes f = edf_make(&p), g = {calloc(f.n + 512, 1), 0};
    for (size_t i = 0; i < f.n; i++) {
        if (f.b[i] == '\n')
            g.b[g.n++] = '\r';
        g.b[g.n++] = f.b[i];
    }
    assert_int_equal(g.n, f.n + 5);
    edf_bytes lone = {calloc(g.n + 512, 1), g.n}; /* as long, but one feed is alone */
    memcpy(lone.b, g.b, g.n);
    for (size_t i = 0; i < lone.n; i++)
        if (lone.b[i] == '\r') {
            lone.b[i] = 7;
            break;
        }
    refuse(g, "a damaged copy: every line feed (5 of them) was expanded to CR LF, as git and FTP do to text, "
              "which made 1365 bytes out of 1360");
    refuse(lone, "something stands behind the last record");
    f.n -= 3;
    refuse(f, "1357 bytes, by its header it has 1360: cut off, or a copy in which CR LF was shortened to LF");
    f = edf_make(&p);
    f.n -= 6; /* more than there are feeds */
    f.b[f.n] = 0;
    refuse(f, "1354 bytes, by its header it has 1360: cut off");
}

/* A pair across the border of the chunks in which a file is searched. */
static int16_t border(int channel, int sample) {
    (void)channel;
    return (int16_t)(sample == (65536 - 256 * 3 - 2 * 40) / 2 - 1 ? 0x0a00 : 0);
}

static void pairs_across_chunks_count(void **state) {
    (void)state;
    edf_plan p = {.channels = 1, .samples = 40000, .records = 1, .value = border};
    edf_bytes f = edf_make(&p);
    size_t at = (size_t)((uint8_t *)memchr(f.b, '\n', f.n) - f.b);
    edf_bytes g = {calloc(f.n + 512, 1), f.n + 1};
    memcpy(g.b, f.b, at);
    g.b[at] = '\r';
    memcpy(g.b + at + 1, f.b + at, f.n - at);
    /* moved so that LF is the first byte of the second chunk */
    assert_true(at < 65536);
    memmove(g.b + 1024 + (65535 - at), g.b + 1024, at + 2 - 1024);
    memset(g.b + 1024, 0, 65535 - at);
    assert_int_equal(g.b[65535], '\r');
    assert_int_equal(g.b[65536], '\n');
    refuse(g, "every line feed (1 of them)");
    free(f.b);
}

/* 2048 signals of 2^20 samples: one record of 2^32 bytes. */
static void very_large_records_are_refused(void **state) {
    (void)state;
    edf_plan p = {.channels = 2048, .samples = 1 << 20, .records = 1};
    edf_bytes f = {calloc(256 * 2050, 1), 256 * 2050};
    edf_header(&p, f.b, 2049, 40);
    refuse(f, "signal 2048: a data record of more than 4 GiB");
}

static void very_long_recordings_are_refused(void **state) {
    (void)state;
    edf_plan p = {.channels = 0, .samples = 1, .records = 1, .note_samples = 1, .duration = "3600"};
    edf_bytes f = edf_make(&p);
    edf_field(f.b + 236, 8, "277777");
    refuse(f, "by its header it has");
    f = edf_make(&p);
    edf_field(f.b + 236, 8, "277778"); /* 1e18 / 3.6e12 = 277777.8 */
    refuse(f, "byte 236: 277778 records of 3600 s are more than 31 years");
}

static void plain_edf_has_no_annotations(void **state) {
    (void)state;
    edf_plan p = small;
    p.kind = "";
    edf_bytes f = edf_make(&p);
    snn_edf e;
    snn_edf_notes notes;
    snn_error err = {0};
    snn_source s = {.memory = f.b, .size = f.n};
    assert_true(snn_edf_open(&s, &e, &err));
    assert_false(e.plus);
    assert_false(e.signal[2].annotations);
    assert_false(snn_edf_annotations(&s, &e, &notes, &err));
    check_error(&err, SNN_ERR_DATA, "a plain EDF file, without annotations; expected EDF+C");
    snn_edf_notes_free(&notes);
    snn_edf_free(&e);
    free(f.b);
    p.kind = "EDF+C";
    p.no_notes = true;
    f = edf_make(&p);
    s = (snn_source){.memory = f.b, .size = f.n};
    assert_true(snn_edf_open(&s, &e, &err));
    assert_false(snn_edf_annotations(&s, &e, &notes, &err));
    check_error(&err, SNN_ERR_DATA, "no signal \"EDF Annotations\"");
    snn_edf_notes_free(&notes);
    snn_edf_free(&e);
    free(f.b);
}

static void samples_become_physical(void **state) {
    (void)state;
    snn_edf_signal g = {.physical_min = -10,
                        .physical_max = 20,
                        .digital_min = -100,
                        .digital_max = 200,
                        .samples = 4,
                        .offset = 2};
    static const uint8_t record[] = {9, 9, 0, 0, 0x9c, 0xff, 200, 0, 0xff, 0x7f};
    double out[8] = {0};
    snn_edf_physical(&g, record, out, 2);
    static const double expected[] = {0, -10, 20, 3276.7};
    for (int i = 0; i < 4; i++) {
        assert_true(fabs(out[2 * i] - expected[i]) < 1e-12);
        assert_true(out[2 * i + 1] == 0);
    }
}

static void decimals_become_nanoseconds(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool sign;
        int64_t ns;
    } good[] = {{"+4.2", true, 4200000000},
                {"-0.5", true, -500000000},
                {"4.1", false, 4100000000},
                {"+1000000000", true, 1000000000000000000},
                {".5", false, 500000000},
                {"7.", false, 7000000000},
                {"0.000000001", false, 1},
                {"1.5000000000000", false, 1500000000},
                {"-1000000000.0", true, -1000000000000000000},
                {"9.", false, 9000000000},
                {"0", false, 0}};
    static const struct {
        const char *text;
        bool sign;
    } bad[] = {{"4.2", true},
               {"", false},
               {"+", true},
               {"+.", true},
               {"1000000000.1", false},
               {"1000000001", false},
               {"0.0000000001", false},
               {"1.2.3", false},
               {"1 ", false},
               {"1:2", false},
               {"/1", false},
               {"99999999999999999999", false},
               {"--1", true}};
    int64_t ns;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!snn_edf_nanoseconds(good[i].text, strlen(good[i].text), good[i].sign, &ns) || ns != good[i].ns)
            fail_msg("\"%s\" gives %lld", good[i].text, (long long)ns);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (snn_edf_nanoseconds(bad[i].text, strlen(bad[i].text), bad[i].sign, &ns))
            fail_msg("\"%s\" is taken", bad[i].text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read),
        cmocka_unit_test(the_fixed_header_is_checked),
        cmocka_unit_test(signal_fields_are_checked),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(changed_line_ends_are_recognised),
        cmocka_unit_test(pairs_across_chunks_count),
        cmocka_unit_test(very_large_records_are_refused),
        cmocka_unit_test(very_long_recordings_are_refused),
        cmocka_unit_test(plain_edf_has_no_annotations),
        cmocka_unit_test(samples_become_physical),
        cmocka_unit_test(decimals_become_nanoseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
