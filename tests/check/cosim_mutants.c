/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Co-simulation against changed circuits: cosim_mutants OBJECT.so KIND ROUNDS SEED [MUTANT...] exercises each change of a circuit that tests/mutate/rtl.sh has made (or those named) beside the C
 * model, up to ROUNDS rounds, and prints `MUTANT caught CYCLES: what differed` or `MUTANT survived CYCLES`. The circuit without a change must agree: exit status 1 otherwise.
 */
#include <snnsim/snnsim.h>

#include "../../hw/rtl_bridge.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 120, CAUGHT = 10, SURVIVED = 11 };

static snn_tile_shape shape_of(const snn_rtl_parameters *p, snn_decryptor_kind kind) {
    return (snn_tile_shape){.decryptor = {.kind = kind,
                                          .address = p->address,
                                          .lanes = p->lanes,
                                          .bits = p->bits,
                                          .keyable = p->keyable,
                                          .keys = p->keys,
                                          .ways = p->ways},
                            .encoding = (snn_encoding)p->encoding,
                            .words = p->words,
                            .queue = p->queue};
}

/* In a process of its own, as a changed circuit may oscillate, which ends Verilator's program. */
static int exercise(const snn_rtl_face *face, const snn_tile_shape *shape, uint32_t mutant, uint32_t rounds,
                    uint64_t seed) {
    const uint32_t rows = 1U << shape->decryptor.address;
    const size_t n = (size_t)rows * shape->decryptor.lanes;
    const snn_cosim_options o = {.seed = seed, .mutant = mutant};
    snn_error err = {0};
    snn_random r;
    uint8_t *array = snn_alloc(n, 1, "array", &err);
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 0);
    for (size_t i = 0; array && i < n; i++)
        array[i] = (uint8_t)snn_random_below(&r, 1U << shape->decryptor.bits);
    snn_cosim *c = array ? snn_cosim_new(face, shape, array, rows, &o, &err) : NULL;
    const bool agreed = c && snn_cosim_exercise(c, rounds, &err);
    const bool differed = c && snn_cosim_diff_of(c)->found;
    if (!agreed && !differed) {
        fprintf(stderr, "cosim_mutants: %s\n", err.text);
        return 1;
    }
    const uint64_t cycles = snn_cosim_stats_of(c).cycles;
    if (differed)
        printf("%" PRIu32 " caught %" PRIu64 ": %s\n", mutant, cycles, err.text);
    else
        printf("%" PRIu32 " survived %" PRIu64 "\n", mutant, cycles);
    snn_cosim_free(c);
    free(array);
    return differed ? CAUGHT : SURVIVED;
}

/* CAUGHT, SURVIVED, or 1. */
static int one(const snn_rtl_face *face, const snn_tile_shape *shape, uint32_t mutant, uint32_t rounds,
               uint64_t seed) {
    fflush(stdout);
    const pid_t pid = fork();
    int status;
    if (pid < 0)
        return 1;
    if (pid == 0) {
        setrlimit(RLIMIT_CPU, &(struct rlimit){SECONDS, SECONDS + 1});
        const int result = exercise(face, shape, mutant, rounds, seed);
        fflush(stdout);
        _exit(result);
    }
    if (waitpid(pid, &status, 0) < 0)
        return 1;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    printf("%" PRIu32 " caught 0: %s\n", mutant,
           WTERMSIG(status) == SIGXCPU ? "it hangs" : "it does not settle");
    return CAUGHT;
}

int main(int argc, char **argv) {
    snn_error err = {0};
    snn_decryptor_kind kind;
    snn_rtl_library *l = NULL;
    if (argc < 5) {
        fputs("usage: cosim_mutants OBJECT.so KIND ROUNDS SEED [MUTANT...]\n", stderr);
        return 2;
    }
    if (!snn_decryptor_parse(argv[2], &kind, &err) || !(l = snn_rtl_open(argv[1], NULL, &err))) {
        fprintf(stderr, "cosim_mutants: %s\n", err.text);
        return 1;
    }
    const snn_rtl_face *face = snn_rtl_face_of(l);
    const snn_tile_shape shape = shape_of(&face->parameters, kind);
    const uint32_t rounds = (uint32_t)strtoul(argv[3], NULL, 10);
    const uint64_t seed = strtoull(argv[4], NULL, 10);
    bool ok = one(face, &shape, 0, rounds, seed) == SURVIVED;
    for (int i = 5; ok && i < argc; i++)
        ok = one(face, &shape, (uint32_t)strtoul(argv[i], NULL, 10), rounds, seed) != 1;
    for (uint32_t m = 1; ok && argc == 5 && m <= face->mutants; m++)
        ok = one(face, &shape, m, rounds, seed) != 1;
    snn_rtl_close(l);
    return ok ? 0 : 1;
}
