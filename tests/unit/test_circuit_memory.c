/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory runs out at every single allocation of the wires' solvers, CHOLMOD's too, one after the other: each time the call fails with a sentence,
 * nothing crashes or leaks, and the network works again afterwards. malloc and its kin are replaced by versions that fail on command (glibc only, not under the address
 * sanitizer).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "circuit_test.h"

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

static long left = -1; /* allocations until one fails, and then all; negative: none fails */
static long alive;     /* allocations that were not freed */

#if REPLACED
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

static bool fails(void) {
    if (left > 0)
        left--;
    return left == 0;
}

static void *count(void *p) {
    alive += p != NULL;
    return p;
}

void *malloc(size_t size) {
    return fails() ? NULL : count(__libc_malloc(size));
}
void *calloc(size_t n, size_t size) {
    return fails() ? NULL : count(__libc_calloc(n, size));
}
void *realloc(void *p, size_t size) {
    if (fails())
        return NULL;
    void *moved = __libc_realloc(p, size);
    return p ? moved : count(moved);
}
void *aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : count(__libc_memalign(alignment, size));
}
int posix_memalign(void **p, size_t alignment, size_t size) {
    *p = fails() ? NULL : count(__libc_memalign(alignment, size));
    return *p == NULL ? 12 : 0; /* ENOMEM */
}
void free(void *p) {
    alive -= p != NULL;
    __libc_free(p);
}
#endif

/* What is tried with less and less memory; `circuit` is kept from try to try. */
typedef bool attempt(crossbar *x, snn_circuit **circuit, snn_error *err);

static bool all_in_one(crossbar *x, snn_circuit **circuit, snn_error *err) {
    (void)circuit;
    return snn_circuit_exact(x->rows, x->columns, x->g, x->volts, &x->wires, x->current, NULL, err);
}

static bool keep(crossbar *x, snn_circuit **circuit, snn_error *err) {
    if (!*circuit)
        *circuit = snn_circuit_new(x->rows, x->columns, x->g, &x->wires, err);
    return *circuit && snn_circuit_set(*circuit, x->g, err) &&
           snn_circuit_solve(*circuit, x->volts, x->current, NULL, err);
}

static bool matrices(crossbar *x, snn_circuit **circuit, snn_error *err) {
    float matrix[12 * 11];
    return keep(x, circuit, err) && snn_circuit_transfer(*circuit, matrix, err) &&
           (x->wires.floating || snn_circuit_effective(*circuit, x->volts, matrix, err));
}

static bool fast(crossbar *x, snn_circuit **circuit, snn_error *err) {
    (void)circuit;
    float matrix[12 * 11];
    snn_circuit_fast *f = snn_circuit_fast_new(x->rows, x->columns, x->g, &x->wires, err);
    const bool ok = f && snn_circuit_fast_transfer(f, 1e-6, 9, matrix, NULL, err);
    snn_circuit_fast_free(f);
    snn_circuit_ideal(x->rows, x->columns, matrix, x->volts, x->current);
    return ok;
}

static void starve(attempt *attempt, snn_wires wires) {
    const long before = alive;
    crossbar x = draw_crossbar(1, 12, 11, wires, 1.0);
    snn_circuit *circuit = NULL;
    snn_error err = {0};
    bool done = false;
    for (long n = 1; !done; n++) {
        assert_true(n < 10000);
        err = (snn_error){0};
        left = REPLACED ? n : -1;
        done = attempt(&x, &circuit, &err);
        left = -1;
        if (!done) {
            assert_int_equal(err.code, SNN_ERR_RUNTIME);
            if (!strstr(err.text, "memory"))
                fail_msg("'%s' does not speak of memory", err.text);
        }
        if (!done && n % 3 == 0) /* after a failure all is as before */
            assert_true(attempt(&x, &circuit, &err));
    }
    memcpy(x.other, x.current, 11 * sizeof *x.other);
    assert_true(attempt == fast || snn_circuit_exact(12, 11, x.g, x.volts, &x.wires, x.other, NULL, NULL));
    assert_true(relative_error(x.current, x.other, 11) < 1e-12);
    snn_circuit_free(circuit);
    free_crossbar(x);
    assert_int_equal(alive, before); /* nothing leaks, whichever allocation failed */
}

static const snn_wires held = {2, 3, 10, 10, false}, floating = {2, 3, 10, 10, true},
                       lumped = {0, 3, 10, 10, false};

static void starve_exact(void **state) {
    (void)state;
    starve(all_in_one, held);
    starve(all_in_one, lumped);
}

static void starve_kept(void **state) {
    (void)state;
    starve(keep, held);
    starve(keep, floating);
}

static void starve_matrices(void **state) {
    (void)state;
    starve(matrices, held);
    starve(matrices, floating);
}

static void starve_fast(void **state) {
    (void)state;
    starve(fast, held);
}

/* Allocations of a solution. */
static long price(snn_circuit *t, crossbar *x) {
    left = 1000000;
    const bool ok = snn_circuit_solve(t, x->volts, x->other, NULL, NULL);
    const long used = 1000000 - left;
    left = -1;
    assert_true(ok);
    return used;
}

/* Another input costs no factorisation, unless other rows float. */
static void inputs_are_cheap(void **state) {
    (void)state;
    if (!REPLACED)
        skip();
    crossbar x = draw_crossbar(2, 12, 11, floating, 1.0);
    snn_circuit *t = snn_circuit_new(12, 11, x.g, &x.wires, NULL);
    assert_true(t && snn_circuit_solve(t, x.volts, x.current, NULL, NULL));
    x.volts[3] *= 2;
    const long same = price(t, &x);
    x.volts[3] = 0;
    assert_true(price(t, &x) > same);
    assert_true(price(t, &x) == same);
    snn_circuit_free(t);
    free_crossbar(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starve_exact), cmocka_unit_test(starve_kept),      cmocka_unit_test(starve_matrices),
        cmocka_unit_test(starve_fast),  cmocka_unit_test(inputs_are_cheap),
    };
    return cmocka_run_group_tests_name("circuit_memory", tests, NULL, NULL);
}
