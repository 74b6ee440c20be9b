/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EDF+ annotations: lists that are right, and every way in which one can be broken. */
#include "edf_test.h"

/* Parses one block; `text` as in edf_text, filled up with zeros to `size`. */
static bool block(const char *text, size_t size, bool keeper, int64_t *start, snn_edf_notes *notes,
                  snn_error *err) {
    uint8_t *b = calloc(size, 1); /* exactly so long, for the sanitizer */
    uint8_t whole[256] = {0};
    edf_text(whole, text);
    memcpy(b, whole, size);
    *notes = (snn_edf_notes){.n = 0};
    *start = -7;
    bool ok = snn_edf_block(b, size, 1000, 4, keeper ? start : NULL, notes, err);
    free(b);
    return ok;
}

static void check_note(const snn_edf_notes *n, size_t i, int64_t onset, int64_t duration, const char *text) {
    assert_true(i < n->n);
    assert_int_equal(n->note[i].onset_ns, onset);
    assert_int_equal(n->note[i].duration_ns, duration);
    assert_int_equal(n->note[i].record, 4);
    assert_string_equal(n->text + n->note[i].text, text);
}

static void good_blocks_are_read(void **state) {
    (void)state;
    snn_edf_notes n;
    snn_error err = {0};
    int64_t start;
    assert_true(block("+12@@|+12.5%4.1@T1@|-3@a@b@|+9%0@@|", 60, true, &start, &n, &err));
    assert_int_equal(start, 12000000000);
    assert_int_equal(n.n, 4);
    check_note(&n, 0, 12500000000, 4100000000, "T1");
    check_note(&n, 1, -3000000000, -1, "a");
    check_note(&n, 2, -3000000000, -1, "b");
    check_note(&n, 3, 9000000000, 0, "");
    snn_edf_notes_free(&n);
    assert_true(block("+12@@|", 6, true, &start, &n, &err)); /* full to the last byte */
    assert_int_equal(n.n, 0);
    snn_edf_notes_free(&n);
    assert_true(block("+2@@T0@|", 10, true, &start, &n, &err)); /* a text in the TAL that keeps the time */
    check_note(&n, 0, 2000000000, -1, "T0");
    snn_edf_notes_free(&n);
    assert_true(block("", 10, false, &start, &n, &err)); /* further annotation signals may be empty */
    assert_int_equal(n.n, 0);
    snn_edf_notes_free(&n);
    assert_true(block("+2@@|", 10, false, &start, &n, &err)); /* there, an empty text is an annotation */
    assert_int_equal(n.n, 1);
    assert_int_equal(start, -7);
    snn_edf_notes_free(&n);
}

static void bad(const char *text, size_t size, bool keeper, const char *part) {
    snn_edf_notes n;
    snn_error err = {0};
    int64_t start;
    if (block(text, size, keeper, &start, &n, &err))
        fail_msg("\"%s\" is read", text);
    snn_edf_notes_free(&n);
    check_error(&err, SNN_ERR_DATA, part);
}

static void broken_blocks_are_refused(void **state) {
    (void)state;
    bad("", 8, true, "byte 1000: record 5 does not say when it begins");
    bad("+0@@|+1%4.1@T1@", 15, true, "byte 1005: annotation \"+1?4.1?T1?\": has no end");
    bad("+0@@|+1%4.1@T1", 14, true, "has no end");
    bad("+0@@|+1%4.1@T1", 20, true, "has no end");
    bad("+0@@|+1%4.1@", 12, true, "has no end");
    bad("+0@@|+1%4.1", 11, true, "ends within its duration");
    bad("+0@@|+1%4.1", 15, true, "ends within its duration");
    bad("+0@@|+1%", 8, true, "ends within its duration");
    bad("+0@@|+1", 7, true, "byte 1005: annotation \"+1\": ends within its onset");
    bad("+0@@|+1", 12, true, "ends within its onset");
    bad("+0@@", 4, true, "has no end");
    bad("+0@", 3, true, "has no end");
    bad("+0@@|1@x@|", 12, true, "its onset is no number with + or - in front");
    bad("+0@@|+@x@|", 12, true, "its onset is no number");
    bad("+0@@|+1e3@x@|", 14, true, "its onset is no number");
    bad("+0@@|+1%@x@|", 14, true, "its duration is no number of seconds");
    bad("+0@@|+1%-2@x@|", 16, true, "its duration is no number of seconds");
    bad("+0@@|+1%a@x@|", 16, true, "its duration is no number of seconds");
    bad("+0@T0@|", 12, true, "does not say when the record begins (its first text is not empty)");
    bad("+0@@||+1@x@|", 14, true, "byte 1006: something stands behind the annotations");
    bad("|x", 6, false, "byte 1001: something stands behind the annotations");
    bad("x", 6, false, "ends within its onset");
}

static void annotations_have_a_largest_number(void **state) {
    (void)state;
    enum { TAL = 6 };
    size_t n = SNN_EDF_ANNOTATIONS_MAX + 1;
    uint8_t *b = calloc(n, TAL);
    for (size_t i = 0; i < n; i++)
        edf_text(b + TAL * i, "+0@x@|");
    snn_edf_notes notes = {.n = 0};
    snn_error err = {0};
    assert_true(snn_edf_block(b, (n - 1) * TAL, 0, 0, NULL, &notes, &err));
    assert_int_equal(notes.n, SNN_EDF_ANNOTATIONS_MAX);
    snn_edf_notes_free(&notes);
    assert_null(notes.note);
    assert_false(snn_edf_block(b, n * TAL, 0, 0, NULL, &notes, &err));
    check_error(&err, SNN_ERR_DATA, "more than 1048576 annotations");
    snn_edf_notes_free(&notes);
    free(b);
}

static bool notes_of(const edf_plan *p, snn_edf_notes *n, snn_error *err) {
    edf_bytes f = edf_make(p);
    snn_edf e;
    snn_source s = {.memory = f.b, .size = f.n};
    *n = (snn_edf_notes){.n = 0};
    bool ok = snn_edf_open(&s, &e, err) && snn_edf_annotations(&s, &e, n, err);
    snn_edf_free(&e);
    free(f.b);
    return ok;
}

static void annotations_of_all_records_are_read(void **state) {
    (void)state;
    edf_plan p = {.channels = 1, .samples = 10, .records = 3, .tal = {"+0%4.2@T0@|", "", "+2.5%0.5@T2@|"}};
    snn_edf_notes n;
    snn_error err = {0};
    assert_true(notes_of(&p, &n, &err));
    assert_int_equal(n.n, 2);
    assert_int_equal(n.note[0].record, 0);
    assert_int_equal(n.note[1].record, 2);
    assert_int_equal(n.note[1].onset_ns, 2500000000);
    snn_edf_notes_free(&n);
}

/* Patches the time of record 1, "+1@@|", in a file of 1-s records with `samples` samples. */
static bool with_start(const char *first, const char *second, int samples, snn_edf_notes *n, snn_error *err) {
    edf_plan p = {.channels = 1, .samples = samples, .records = 2};
    edf_bytes f = edf_make(&p);
    size_t record = 2 * (size_t)samples + 80, at = 768 + 2 * (size_t)samples;
    memset(f.b + at, 0, 80);
    edf_text(f.b + at, first);
    memset(f.b + at + record, 0, 80);
    edf_text(f.b + at + record, second);
    snn_edf e;
    snn_source s = {.memory = f.b, .size = f.n};
    *n = (snn_edf_notes){.n = 0};
    bool ok = snn_edf_open(&s, &e, err) && snn_edf_annotations(&s, &e, n, err);
    snn_edf_free(&e);
    free(f.b);
    return ok;
}

static void records_must_follow_one_another(void **state) {
    (void)state;
    snn_edf_notes n;
    snn_error err = {0};
    /* a start within the first second is subtracted everywhere */
    assert_true(with_start("+0.75@@|+1%2@T1@|", "+1.75@@|", 10, &n, &err));
    assert_int_equal(n.note[0].onset_ns, 250000000);
    assert_int_equal(n.note[0].duration_ns, 2000000000);
    snn_edf_notes_free(&n);
    /* half a sample of 0.1 s is rounding, more is a gap */
    assert_true(with_start("+0@@|", "+1.05@@|", 10, &n, &err));
    snn_edf_notes_free(&n);
    assert_true(with_start("+0@@|", "+0.95@@|", 10, &n, &err));
    snn_edf_notes_free(&n);
    assert_false(with_start("+0@@|", "+1.050000001@@|", 10, &n, &err));
    check_error(&err, SNN_ERR_DATA, "byte 888: record 2 begins at 1.05 s, not right after the one before it");
    snn_edf_notes_free(&n);
    assert_false(with_start("+0@@|", "+0.949999999@@|", 10, &n, &err));
    snn_edf_notes_free(&n);
    assert_false(with_start("+0@@|", "", 10, &n, &err));
    check_error(&err, SNN_ERR_DATA, "record 2 does not say when it begins");
    snn_edf_notes_free(&n);
}

static void files_of_annotations_only_are_read(void **state) {
    (void)state;
    edf_plan p = {.records = 2, .duration = "0", .tal = {"+3@a@|", "+5@b@|"}};
    snn_edf_notes n;
    snn_error err = {0};
    assert_true(notes_of(&p, &n, &err));
    assert_int_equal(n.n, 2);
    assert_int_equal(n.note[1].onset_ns, 5000000000);
    snn_edf_notes_free(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_blocks_are_read),
        cmocka_unit_test(broken_blocks_are_refused),
        cmocka_unit_test(annotations_have_a_largest_number),
        cmocka_unit_test(annotations_of_all_records_are_read),
        cmocka_unit_test(records_must_follow_one_another),
        cmocka_unit_test(files_of_annotations_only_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
