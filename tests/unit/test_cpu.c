/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the machine offers. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <snnsim/cpu.h>

/* Whether the kernel lists a CPU feature. */
static bool kernel_says(const char *flag) {
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[8192], word[64];
    bool found = false;
    snprintf(word, sizeof word, " %s ", flag);
    while (f && !found && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = ' ';
        found = strncmp(line, "flags", 5) == 0 && strstr(line, word);
    }
    if (f)
        fclose(f);
    return found;
}

static void simd_level_agrees_with_the_kernel(void **state) {
    (void)state;
    bool avx512 = kernel_says("avx512f") && kernel_says("avx512bw") && kernel_says("avx512dq") &&
                  kernel_says("avx512vl") && kernel_says("avx512_vnni");
    snn_simd want = !kernel_says("avx2") ? SNN_SIMD_PLAIN : avx512 ? SNN_SIMD_AVX512 : SNN_SIMD_AVX2;
    assert_int_equal(snn_simd_best(), want);
}

static void simd_names(void **state) {
    (void)state;
    snn_error e = {0};
    snn_simd level;
    assert_true(snn_simd_parse("auto", &level, &e));
    assert_int_equal(level, snn_simd_best());
    assert_true(snn_simd_parse("plain", &level, &e));
    assert_int_equal(level, SNN_SIMD_PLAIN);
    assert_string_equal(snn_simd_name(SNN_SIMD_PLAIN), "plain");
    assert_string_equal(snn_simd_name(SNN_SIMD_AVX2), "avx2");
    assert_string_equal(snn_simd_name(SNN_SIMD_AVX512), "avx512");
    assert_string_equal(snn_simd_name((snn_simd)7), "unknown");
    for (int i = 0; i < SNN_SIMD_LEVELS; i++) {
        bool ok = snn_simd_parse(snn_simd_name((snn_simd)i), &level, &e);
        assert_int_equal(ok, i <= (int)snn_simd_best());
        if (ok)
            assert_int_equal(level, i);
        else
            assert_non_null(strstr(e.text, "not available on this CPU"));
    }
    assert_false(snn_simd_parse("sse9", &level, &e));
    assert_int_equal(e.code, SNN_ERR_USAGE);
    assert_string_equal(e.text, "unknown SIMD level 'sse9' (auto, plain, avx2, avx512)");
}

/* Runs this program again with a bound set of CPUs or OMP_NUM_THREADS, as OpenMP reads both at its start. */
static int threads_in_child(int cpus, const char *omp) {
    int out[2];
    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        cpu_set_t set, all;
        sched_getaffinity(0, sizeof all, &all);
        CPU_ZERO(&set);
        for (int i = 0, n = 0; i < CPU_SETSIZE && n < cpus; i++)
            if (CPU_ISSET(i, &all))
                CPU_SET(i, &set), n++;
        if (cpus)
            sched_setaffinity(0, sizeof set, &set);
        if (omp)
            setenv("OMP_NUM_THREADS", omp, 1);
        else
            unsetenv("OMP_NUM_THREADS");
        dup2(out[1], 1);
        execl("/proc/self/exe", "test_cpu", "--threads", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    char text[32] = "";
    assert_true(read(out[0], text, sizeof text - 1) > 0);
    close(out[0]);
    int status;
    waitpid(child, &status, 0);
    return atoi(text);
}

static void threads(void **state) {
    (void)state;
    assert_int_equal(snn_threads(5), 5);
    assert_true(snn_threads(0) >= 1);
    assert_true(snn_threads(-3) >= 1);
    assert_int_equal(threads_in_child(1, NULL), 1);
    assert_int_equal(threads_in_child(0, "3"), 3);
    cpu_set_t all;
    sched_getaffinity(0, sizeof all, &all);
    assert_int_equal(threads_in_child(0, NULL), CPU_COUNT(&all));
}

static void clock_advances(void **state) {
    (void)state;
    double a = snn_now();
    usleep(20000);
    double b = snn_now();
    assert_true(b - a >= 0.019 && b - a < 5);
}

static void peak_memory_grows(void **state) {
    (void)state;
    size_t before = snn_peak_memory();
    assert_true(before > 100000);
    size_t size = before + ((size_t)50 << 20);
    volatile char *p = malloc(size);
    for (size_t i = 0; i < size; i += 1000)
        p[i] = 1;
    free((void *)p);
    size_t after = snn_peak_memory();
    assert_true(after >= size && after < 2 * size + ((size_t)100 << 20));
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--threads") == 0) {
        printf("%d\n", snn_threads(0));
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simd_level_agrees_with_the_kernel),
        cmocka_unit_test(simd_names),
        cmocka_unit_test(threads),
        cmocka_unit_test(clock_advances),
        cmocka_unit_test(peak_memory_grows),
    };
    return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
