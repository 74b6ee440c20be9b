/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Portable math: error in units of the last place against the C library's long double functions, exact bits by digest. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <snnsim/digest.h>
#include <snnsim/portable_math.h>
#include <snnsim/random.h>

/* |got - want| in units of the last place of the double nearest to want. */
static double ulps(double got, long double want) {
    double w = (double)want;
    if (w == got)
        return fabs((double)((got - want) / (nextafter(fabs(w), INFINITY) - fabs(w))));
    if (!isfinite(w) || !isfinite(got))
        return 1e9;
    return (double)(fabsl(got - want) / (nextafter(fabs(w), INFINITY) - fabs(w)));
}

typedef struct {
    const char *name;
    double (*f)(double);
    long double (*reference)(long double);
    double low, high;
    double limit; /* ulp */
} sweep;

static const sweep sweeps[] = {
    {"exp", snn_exp, expl, -1, 1, 1},        {"exp", snn_exp, expl, -708, 709.78, 1},
    {"exp", snn_exp, expl, -745, -708, 2},   {"log", snn_log, logl, 0, 2, 1},
    {"log", snn_log, logl, 0.7, 1.5, 1},     {"log", snn_log, logl, 0, 1e300, 1},
    {"log", snn_log, logl, 0, 2e-308, 1},    {"sin", snn_sin, sinl, -7, 7, 1},
    {"sin", snn_sin, sinl, -1e6, 1e6, 1},    {"cos", snn_cos, cosl, -7, 7, 1},
    {"cos", snn_cos, cosl, -1e6, 1e6, 1},    {"tanh", snn_tanh, tanhl, -1, 1, 1.5},
    {"tanh", snn_tanh, tanhl, -25, 25, 1.5}, {"tanh", snn_tanh, tanhl, -1e-4, 1e-4, 1},
};

static void errors_are_small(void **state) {
    (void)state;
    enum { N = 300000 };
    for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++) {
        const sweep *s = &sweeps[i];
        snn_random r;
        snn_random_init(&r, 1, SNN_PURPOSE_TEST, i);
        double worst = 0;
        for (int k = 0; k < N; k++) {
            double x = s->low + (s->high - s->low) * snn_random_uniform(&r);
            worst = fmax(worst, ulps(s->f(x), s->reference(x)));
        }
        print_message("%-5s %g .. %g: %.3f ulp\n", s->name, s->low, s->high, worst);
        assert_true(worst < s->limit);
    }
}

/* Near multiples of pi/2 the reduction must not lose the small difference. */
static void reduction_near_zeros(void **state) {
    (void)state;
    double worst = 0;
    for (int n = 1; n < 636000; n = n * 5 / 4 + 1) {
        double x = n * 1.5707963267948966;
        for (int k = -3; k <= 3; k++) {
            double y = x;
            for (int j = 0; j < abs(k); j++)
                y = nextafter(y, k < 0 ? 0 : INFINITY);
            worst = fmax(worst, ulps(snn_sin(y), sinl(y)));
            worst = fmax(worst, ulps(snn_cos(y), cosl(y)));
        }
    }
    print_message("sin, cos near multiples of pi/2: %.3f ulp\n", worst);
    assert_true(worst < 1);
}

static void pow_is_accurate(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 2, SNN_PURPOSE_TEST, 0);
    double worst = 0;
    for (int i = 0; i < 300000; i++) {
        double x = snn_exp(20 * snn_random_uniform(&r) - 10), y = 20 * snn_random_uniform(&r) - 10;
        long double want = powl(x, y);
        if (fabs(y * log(x)) < 100)
            worst = fmax(worst, (double)fabsl((snn_pow(x, y) - want) / want));
    }
    print_message("pow: relative error %.2g\n", worst);
    assert_true(worst < 1e-13);
    assert_true(snn_pow(0, 2) == 0 && snn_pow(0, -1) == INFINITY && snn_pow(0, 0) == 1);
    assert_true(snn_pow(1, 1e300) == 1 && snn_pow(5, 0) == 1);
    assert_true(isnan(snn_pow(-2, 0.5)));
}

static void special_values(void **state) {
    (void)state;
    assert_true(snn_exp(0) == 1 && snn_exp(-0.0) == 1);
    assert_true(snn_exp(710) == INFINITY && snn_exp(INFINITY) == INFINITY);
    assert_true(snn_exp(709.78) < INFINITY && snn_exp(709.782712893384) < INFINITY);
    assert_true(snn_exp(-746) == 0 && snn_exp(-INFINITY) == 0);
    assert_true(snn_exp(-745.13) == 4.9406564584124654e-324);
    assert_true(isnan(snn_exp(NAN)));
    assert_true(snn_log(1) == 0 && !signbit(snn_log(1)));
    assert_true(snn_log(0) == -INFINITY && snn_log(-0.0) == -INFINITY);
    assert_true(isnan(snn_log(-1)) && isnan(snn_log(NAN)) && snn_log(INFINITY) == INFINITY);
    assert_true(snn_log(4.9406564584124654e-324) == -744.4400719213812);
    assert_true(snn_sin(0) == 0 && signbit(snn_sin(-0.0)) && snn_cos(0) == 1);
    assert_true(snn_sin(1e-300) == 1e-300 && snn_cos(1e-9) == 1);
    assert_true(isnan(snn_sin(1.1e6)) && isnan(snn_cos(INFINITY)) && isnan(snn_sin(NAN)));
    assert_true(snn_sin(1e6) == -0.34999350217129294 && snn_cos(-1e6) == 0.93675212753314474);
    assert_true(snn_tanh(0) == 0 && signbit(snn_tanh(-0.0)));
    assert_true(snn_tanh(INFINITY) == 1 && snn_tanh(-30) == -1 && isnan(snn_tanh(NAN)));
    assert_true(snn_tanh(1e-10) == 1e-10);
}

/* The same bits on every machine, compiler and -O level. The digest was recorded once (gcc 12, -O3). */
static void bits_are_the_same_everywhere(void **state) {
    (void)state;
    snn_digest d;
    snn_digest_init(&d);
    for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++) {
        snn_random r;
        snn_random_init(&r, 9, SNN_PURPOSE_TEST, i);
        for (int k = 0; k < 20000; k++) {
            double x = sweeps[i].low + (sweeps[i].high - sweeps[i].low) * snn_random_uniform(&r);
            double y = sweeps[i].f(x);
            uint64_t bits;
            memcpy(&bits, &y, sizeof bits);
            snn_digest_u64(&d, bits);
        }
    }
    uint8_t bytes[SNN_DIGEST_BYTES];
    char hex[SNN_DIGEST_HEX];
    snn_digest_final(&d, bytes);
    snn_digest_hex(bytes, hex);
    assert_string_equal(hex, "db3f2e5c628960bc3ef3e9d14539ccb724eb7ba4b8d5a57a02fa53c68c1d400b");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_small),
        cmocka_unit_test(reduction_near_zeros),
        cmocka_unit_test(pow_is_accurate),
        cmocka_unit_test(special_values),
        cmocka_unit_test(bits_are_the_same_everywhere),
    };
    return cmocka_run_group_tests_name("portable_math", tests, NULL, NULL);
}
