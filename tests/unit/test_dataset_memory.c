/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory runs out at every single allocation of opening, reading, framing and verifying, one after the other: each time the call fails with a
 * sentence, and nothing crashes. malloc and its kin are replaced by versions that fail on command (glibc only, not under the address sanitizer).
 */
#include "aedat_test.h"

#if defined(__SANITIZE_ADDRESS__)
#define REPLACED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REPLACED 0
#endif
#endif
#if !defined(REPLACED) && defined(__GLIBC__)
#define REPLACED 1
#endif

static long left = -1; /* allocations until one fails; negative: none fails */
static bool failed;

#if REPLACED
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static bool fails(void) {
    if (left < 0 || left-- > 0)
        return false;
    failed = true;
    return true;
}

void *malloc(size_t size) {
    return fails() ? NULL : __libc_malloc(size);
}
void *calloc(size_t n, size_t size) {
    return fails() ? NULL : __libc_calloc(n, size);
}
void *realloc(void *p, size_t size) {
    return fails() ? NULL : __libc_realloc(p, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : __libc_memalign(alignment, size);
}
int posix_memalign(void **p, size_t alignment, size_t size) {
    *p = fails() ? NULL : __libc_memalign(alignment, size);
    return *p == NULL ? 12 : 0; /* ENOMEM */
}
#endif

/* Opens, reads and frames everything; the error says why not. */
static bool use(const snn_config *c, snn_error *err) {
    snn_dataset *d = snn_dataset_open(c, SNN_SPLIT_ALL, err);
    snn_dataset_buffer b = {0};
    snn_spikes x = {0};
    bool ok = d != NULL;
    for (size_t i = 0; ok && i < snn_dataset_count(d); i++)
        ok = snn_dataset_frames(d, i, &b, &x, err);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
    return ok;
}

static bool verify(const snn_config *c, snn_error *err) {
    size_t findings;
    FILE *nowhere = fopen("/dev/null", "w");
    if (nowhere != NULL)
        setvbuf(nowhere, NULL, _IONBF, 0); /* its buffer would be one more allocation, but not ours */
    bool ok = nowhere != NULL ? snn_dataset_verify(c, nowhere, &findings, NULL, NULL, err)
                              : snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    if (nowhere != NULL)
        fclose(nowhere);
    return ok;
}

static bool only_open(const snn_config *c, snn_error *err) {
    snn_dataset *d = snn_dataset_open(c, SNN_SPLIT_ALL, err);
    snn_dataset_free(d);
    return d != NULL;
}

/* Lets allocation 0, 1, 2, ... fail until none is left to fail. */
static void fail_each(const char *format, bool (*job)(const snn_config *, snn_error *), long at_least) {
    char text[1024];
    snn_error err = {0};
    snprintf(text, sizeof text, format, temp);
    snn_config *c = snn_config_parse(text, "test.cfg", &err);
    assert_non_null(c);
    if (!job(c, &err))
        fail_msg("%s", err.text);
    long n = 0;
    for (failed = REPLACED; failed; n++) {
        err = (snn_error){0};
        failed = false;
        left = n;
        bool ok = job(c, &err);
        left = -1;
        if (failed && ok)
            fail_msg("allocation %ld failed, but the call did not", n);
        if (!ok && (err.code == SNN_OK || err.text[0] == '\0'))
            fail_msg("no error when allocation %ld failed", n);
        if (!ok && !failed)
            fail_msg("%s", err.text);
    }
    if (REPLACED)
        assert_true(n > at_least);
    snn_config_free(c);
}

static void write_many(const char *name) { /* 120 events of which one runs back */
    uint8_t b[600] = {0};
    for (int i = 0; i < 120; i++)
        b[5 * i + 4] = (uint8_t)(i == 60 ? 3 : i);
    write_file(name, b, sizeof b);
}

static void write_npy(const char *name, const char *descr, const char *shape, const void *data, size_t size) {
    char head[128], all[4096];
    int n =
        snprintf(head, sizeof head, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    memset(head + n, ' ', sizeof head - (size_t)n);
    head[117] = '\n';
    memcpy(all, "\x93NUMPY\x01\x00\x76\x00", 10); /* 118 bytes of header: data begins at byte 128 */
    memcpy(all + 10, head, 118);
    memcpy(all + 128, data, size);
    write_file(name, all, 128 + size);
}

static void nmnist_folders(void **state) {
    (void)state;
    make_folder("Train");
    make_folder("Train/4");
    make_folder("Test");
    make_folder("Test/5");
    write_many("Train/4/00001.bin");
    write_many("Test/5/00001.bin");
    fail_each("dataset = { name = \"nmnist\"; path = \"%s\"; };", use, 8);
}

static void lists_and_folds(void **state) {
    (void)state;
    write_many("1.bs2");
    write_many("2.bin");
    write_file("3.bs3", "\0\0\0\0\0\0\0", 7);
    write_text("train.txt", "1 1\n2 2\n3 3\n");
    fail_each("dataset = { name = \"nmnist\"; path = \"%s\"; train_list = \"train.txt\"; folds = 2; };", use,
              8);
}

static void trials(void **state) {
    (void)state;
    static aedat_bytes a;
    aedat_text(&a, AEDAT_TEXT);
    aedat_packet(&a, 1000, 100, 20);
    write_file("user01_led.aedat", a.b, a.n);
    write_text("user01_led_labels.csv", "1,1000,2000\n2,2000,2500\n");
    write_file("user24_led.aedat", a.b, a.n);
    write_text("user24_led_labels.csv", "1,1000,2000\n2,2000,2500\n");
    fail_each("dataset = { name = \"dvs128_gesture\"; path = \"%s\"; };", use, 8);
    write_text("trials_to_train.txt", "user01_led.aedat\n");
    write_text("trials_to_test.txt", "user24_led.aedat\n");
    fail_each("dataset = { name = \"dvs128_gesture\"; path = \"%s\"; };", use, 8);
    fail_each("dataset = { name = \"dvs128_gesture\"; path = \"%s\"; };", verify, 8);
    write_text("trials_to_train.txt", "user02_led.aedat\n"); /* the parts are opened one by one */
    fail_each("dataset = { name = \"dvs128_gesture\"; path = \"%s\"; };", verify, 8);
}

static void tonic(void **state) {
    (void)state;
    const double v[8] = {1, 2, 1, 5, 3, 4, 0, 6};
    make_folder("ibmGestureTrain");
    make_folder("ibmGestureTrain/user01_lab");
    make_folder("ibmGestureTest");
    make_folder("ibmGestureTest/user24_lab");
    write_npy("ibmGestureTrain/user01_lab/0.npy", "<f8", "(2, 4)", v, sizeof v);
    fail_each("dataset = { name = \"dvs128_gesture\"; path = \"%s\"; };", use, 8);
}

static void frames(void **state) {
    (void)state;
    write_npy("x.npy", "|u1", "(2, 1, 1, 1, 2)", "\0\1\2\3", 4);
    write_npy("tx.npy", "<f4", "(1, 1, 1, 1, 2)", (float[]){1, 2}, 8);
    write_npy("y.npy", "|u1", "(2,)", "\0\1", 2);
    write_npy("ty.npy", "|u1", "(1,)", "\2", 1);
    fail_each("dataset = { name = \"npy\"; path = \"%s\"; frames = \"x.npy\"; labels = \"y.npy\"; "
              "train_frames = \"tx.npy\"; "
              "train_labels = \"ty.npy\"; };",
              use, 8);
}

static void camera_table(void **state) {
    (void)state;
    fail_each("dataset = { name = \"dvs128_gesture\"; camera = { takes = 1; }; };", only_open, 2);
}

static void events(void **state) {
    (void)state;
    snn_error err = {0};
    snn_events e = {0};
    for (int i = 0; i < 200; i++)
        assert_true(snn_events_append(&e, (snn_event){.t = i == 7 || i == 100 ? 2 : i}, &err));
    e.n = e.capacity;
    for (left = 0; left >= 0 && REPLACED; left = -1)
        assert_false(snn_events_append(&e, (snn_event){.t = 1000}, &err));
    e.n = 200;
    for (long n = 0; n < 2 && REPLACED; n++) {
        left = n;
        assert_false(snn_events_sort(&e, "x", &err));
        left = -1;
        assert_int_equal(err.code, SNN_ERR_RUNTIME);
    }
    assert_true(snn_events_sort(&e, "x", &err));
    snn_events_free(&e);
}

#define IN_TEMP(test) cmocka_unit_test_setup_teardown(test, temp_setup, temp_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_TEMP(nmnist_folders), IN_TEMP(lists_and_folds),       IN_TEMP(trials),          IN_TEMP(tonic),
        IN_TEMP(frames),         cmocka_unit_test(camera_table), cmocka_unit_test(events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
