/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors and the allocation helpers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <snnsim/error.h>

static void fail_sets_code_and_sentence(void **state) {
    (void)state;
    snn_error e = {0};
    assert_false(snn_fail(&e, SNN_ERR_DATA, "%s: byte %d", "a.bin", 17));
    assert_int_equal(e.code, SNN_ERR_DATA);
    assert_string_equal(e.text, "a.bin: byte 17");
    assert_false(snn_fail(NULL, SNN_ERR_DATA, "x"));
    assert_false(snn_fail_errno(NULL, "x"));
    assert_false(snn_error_context(NULL, "x"));
}

static void control_characters_do_not_reach_the_terminal(void **state) {
    (void)state;
    snn_error e = {0};
    snn_fail(&e, SNN_ERR_DATA, "%s", "a\nb\x1b[31m\x7f");
    assert_string_equal(e.text, "a?b?[31m?");
}

static void errno_is_appended_and_kept(void **state) {
    (void)state;
    snn_error e = {0};
    errno = ENOSPC;
    assert_false(snn_fail_errno(&e, "cannot write '%s'", "x"));
    assert_int_equal(e.code, SNN_ERR_RUNTIME);
    assert_string_equal(e.text, "cannot write 'x': No space left on device");
    assert_int_equal(errno, ENOSPC);
}

static void long_messages_are_cut_but_keep_the_reason(void **state) {
    (void)state;
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    snn_error e = {0};
    errno = ENOENT;
    snn_fail_errno(&e, "%s", text);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_non_null(strstr(e.text, "x: No such file or directory"));
    snn_error_context(&e, "file");
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_memory_equal(e.text, "file: xxx", 9);
}

static void context_stands_in_front(void **state) {
    (void)state;
    snn_error e = {0};
    snn_fail(&e, SNN_ERR_USAGE, "too large");
    assert_false(snn_error_context(&e, "layer %d", 3));
    assert_string_equal(e.text, "layer 3: too large");
    assert_int_equal(e.code, SNN_ERR_USAGE);
}

static void alloc_is_zeroed_and_aligned(void **state) {
    (void)state;
    snn_error e = {0};
    for (size_t n = 0; n < 200; n += 7) {
        uint8_t *p = snn_alloc(n, 3, "bytes", &e);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < 3 * n; i++)
            assert_int_equal(p[i], 0);
        free(p);
    }
}

static void alloc_refuses_what_cannot_be(void **state) {
    (void)state;
    snn_error e = {0};
    assert_null(snn_alloc(SIZE_MAX / 2, 3, "weights", &e));
    assert_int_equal(e.code, SNN_ERR_RUNTIME);
    assert_non_null(strstr(e.text, "weights"));
    assert_null(snn_alloc((size_t)PTRDIFF_MAX, 1, "weights", &e));
    assert_null(snn_alloc((size_t)1 << 62, 1, "weights", &e));
    assert_non_null(strstr(e.text, "weights: out of memory"));
}

static void grow_doubles_and_keeps(void **state) {
    (void)state;
    snn_error e = {0};
    uint32_t *a = NULL;
    size_t capacity = 0, grown = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        size_t before = capacity;
        assert_true(snn_grow((void **)&a, &capacity, i + 1, sizeof *a, &e));
        assert_true(capacity >= i + 1);
        grown += capacity != before;
        a[i] = i;
    }
    assert_true(grown < 16); /* amortised */
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(a[i], i);
    assert_true(snn_grow((void **)&a, &capacity, 100000, sizeof *a, &e));
    assert_true(capacity >= 100000);
    size_t same = capacity;
    uint32_t *before = a;
    assert_true(snn_grow((void **)&a, &capacity, same, sizeof *a, &e));
    assert_ptr_equal(a, before);
    assert_int_equal(capacity, same);
    free(a);
}

static void grow_refuses_overflow_and_keeps_the_array(void **state) {
    (void)state;
    snn_error e = {0};
    void *a = NULL;
    size_t capacity = 0;
    assert_true(snn_grow(&a, &capacity, 0, 8, &e)); /* never NULL afterwards */
    assert_non_null(a);
    size_t kept = capacity;
    void *before = a;
    assert_false(snn_grow(&a, &capacity, SIZE_MAX / 4, 8, &e));
    assert_int_equal(e.code, SNN_ERR_RUNTIME);
    assert_false(snn_grow(&a, &capacity, (size_t)1 << 59, 8, &e));
    assert_non_null(strstr(e.text, "out of memory"));
    assert_ptr_equal(a, before);
    assert_int_equal(capacity, kept);
    free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail_sets_code_and_sentence),
        cmocka_unit_test(control_characters_do_not_reach_the_terminal),
        cmocka_unit_test(errno_is_appended_and_kept),
        cmocka_unit_test(long_messages_are_cut_but_keep_the_reason),
        cmocka_unit_test(context_stands_in_front),
        cmocka_unit_test(alloc_is_zeroed_and_aligned),
        cmocka_unit_test(alloc_refuses_what_cannot_be),
        cmocka_unit_test(grow_doubles_and_keeps),
        cmocka_unit_test(grow_refuses_overflow_and_keeps_the_array),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
