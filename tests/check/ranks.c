/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ranks of MPI at work, for check_mpi.sh. `ranks` shares and agrees and prints what came out; `ranks fail R`: rank R fails, the others are told; `ranks alone R`: rank R leaves with an error of
 * its own while the others wait for it.
 */
#include <snnsim/ranks.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Items i * i of every size up to 40, as if each took work. */
static bool shares(snn_error *err) {
    for (size_t n = 0; n <= 40; n++)
        for (size_t size = 1; size <= 24; size += 23) {
            uint8_t data[40 * 24] = {0};
            size_t first, end;
            snn_rank_part(n, &first, &end);
            for (size_t i = first; i < end; i++)
                memset(data + i * size, (int)(i * i + 1), size);
            if (!snn_rank_share(data, n, size, err))
                return false;
            for (size_t i = 0; i < n * size; i++)
                if (data[i] != (uint8_t)((i / size) * (i / size) + 1))
                    return snn_fail(err, SNN_ERR_DATA, "item %zu of %zu is wrong", i / size, n);
        }
    return true;
}

static bool agrees(snn_error *err) {
    const int last = snn_ranks() - 1;
    return (!snn_rank_any(false) && snn_rank_any(snn_rank() == last) && snn_rank_all(true, err)) ||
           snn_fail(err, SNN_ERR_DATA, "ranks do not agree");
}

static bool broadcasts(snn_error *err) {
    uint64_t secret = snn_rank() == 0 ? UINT64_C(0x123456789abcdef0) : 0;
    return snn_rank_broadcast(&secret, sizeof secret, err) &&
           snn_rank_all(secret == UINT64_C(0x123456789abcdef0) ||
                            snn_fail(err, SNN_ERR_DATA, "the secret did not arrive"),
                        err);
}

static bool work(int argc, char **argv, snn_error *err) {
    const int who = argc > 2 ? atoi(argv[2]) : -1;
    if (argc > 1 && !strcmp(argv[1], "fail")) {
        const bool ok = snn_rank() != who || snn_fail(err, SNN_ERR_DATA, "rank %d met bad data", who);
        return snn_rank_all(ok, err);
    }
    if (argc > 1 && !strcmp(argv[1], "alone")) {
        if (snn_rank() == who)
            return snn_fail(err, SNN_ERR_CRITERION, "rank %d left", who);
        return snn_rank_all(true, err);
    }
    return shares(err) && agrees(err) && broadcasts(err);
}

int main(int argc, char **argv) {
    snn_ranks_program *p = snn_ranks_begin(&argc, &argv);
    snn_error err = {0};
    int code = 0;
    if (work(argc, argv, &err)) {
        printf("%d ranks agree\n", snn_ranks());
    } else {
        fprintf(stderr, "ranks: %s\n", err.text);
        code = (int)err.code;
    }
    return snn_ranks_end(p, code);
}
