/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the machine offers: SIMD level, CPUs, clock, memory. */
#include <snnsim/cpu.h>

#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

snn_simd snn_simd_best(void) {
#if defined(__x86_64__)
    /* These checks include the operating system's support for the wide registers (XGETBV). */
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2"))
        return SNN_SIMD_PLAIN;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vnni"))
        return SNN_SIMD_AVX512;
    return SNN_SIMD_AVX2;
#else
    return SNN_SIMD_PLAIN;
#endif
}

const char *snn_simd_name(snn_simd level) {
    static const char *const names[SNN_SIMD_LEVELS] = {"plain", "avx2", "avx512"};
    return (unsigned)level < SNN_SIMD_LEVELS ? names[level] : "unknown";
}

bool snn_simd_parse(const char *name, snn_simd *level, snn_error *err) {
    snn_simd best = snn_simd_best();
    if (strcmp(name, "auto") == 0) {
        *level = best;
        return true;
    }
    for (int i = 0; i < SNN_SIMD_LEVELS; i++) {
        if (strcmp(name, snn_simd_name((snn_simd)i)) != 0)
            continue;
        if (i > (int)best)
            return snn_fail(err, SNN_ERR_USAGE, "SIMD level '%s' is not available on this CPU (best: %s)",
                            name, snn_simd_name(best));
        *level = (snn_simd)i;
        return true;
    }
    return snn_fail(err, SNN_ERR_USAGE, "unknown SIMD level '%s' (auto, plain, avx2, avx512)", name);
}

int snn_threads(int requested) {
    if (requested > 0)
        return requested;
    /* OMP_NUM_THREADS when set, else the CPUs of the affinity mask. */
    int n = omp_get_max_threads();
    return n > 0 ? n : 1;
}

double snn_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

size_t snn_peak_memory(void) {
    /* Not ru_maxrss first: it is inherited over exec, so a small program started by a large one looks large. */
    FILE *f = fopen("/proc/self/status", "r");
    if (f) {
        char line[256];
        size_t kib = 0;
        while (fgets(line, sizeof line, f))
            if (sscanf(line, "VmHWM: %zu kB", &kib) == 1)
                break;
        fclose(f);
        if (kib)
            return kib * 1024;
    }
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (size_t)usage.ru_maxrss * 1024 : 0;
}
