/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checkpoints of a search, for 50 candidates. Files that start with the magic are read as they are; other bytes stand for the state in a file whose head and digest fit, because no fuzzer finds a digest.
 * What is accepted holds only items that are there, in order, and a front that descends.
 */
#include "../../crypto/search_internal.h"

#include <snnsim/digest.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CANDIDATES = 50, PHASES = 2 };
static const uint8_t fingerprint[SNN_DIGEST_BYTES] = "a fingerprint of thirty-two byte";

static void put(int fd, const void *data, size_t size, snn_digest *d) {
    snn_digest_bytes(d, data, size);
    if (write(fd, data, size) != (ssize_t)size)
        abort();
}

/* The file around a state. */
static void wrap(int fd, const uint8_t *data, size_t size) {
    const uint32_t head[2] = {1, UINT32_C(0x01020304)};
    uint8_t digest[SNN_DIGEST_BYTES];
    snn_digest d;
    snn_digest_init(&d);
    put(fd, "SNNSRCH\n", 8, &d);
    put(fd, head, sizeof head, &d);
    put(fd, fingerprint, sizeof fingerprint, &d);
    put(fd, data, size, &d);
    snn_digest_final(&d, digest);
    if (write(fd, digest, sizeof digest) != sizeof digest)
        abort();
}

static void check_set(const snn_set *s) {
    for (uint32_t i = 0; i < s->n; i++)
        if (s->item[i] >= CANDIDATES || (i > 0 && s->item[i] <= s->item[i - 1]))
            abort();
    if (isnan(s->score.loss) || isnan(s->score.lead))
        abort();
}

static void check(const snn_search_state *st) {
    if (st->phase >= PHASES || !st->best.scored || st->searched > st->evaluations)
        abort();
    check_set(&st->best);
    for (uint32_t i = 0; i < st->sets; i++)
        check_set(&st->set[i]);
    for (uint32_t i = 0; i < st->points; i++) {
        check_set(&st->front[i]);
        if (i > 0 && (st->front[i].n <= st->front[i - 1].n ||
                      !(st->front[i].score.loss < st->front[i - 1].score.loss)))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const snn_candidates candidates = {.n = CANDIDATES};
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC); /* a file that needs no disk */
    if (fd < 0)
        abort();
    if (size >= 8 && memcmp(data, "SNNSRCH\n", 8) == 0) {
        if (write(fd, data, size) != (ssize_t)size)
            abort();
    } else {
        wrap(fd, data, size);
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    snn_error e = {0};
    snn_search_state st;
    bool found;
    uint64_t seed;
    if (snn_checkpoint_load(&st, fingerprint, &candidates, PHASES, path, &found, &e)) {
        if (!found || !snn_search_checkpoint_seed(path, &seed, &found, &e) || seed != st.seed)
            abort();
        check(&st);
    } else if (e.code != SNN_ERR_DATA || e.text[0] == '\0') {
        abort();
    }
    snn_search_state_free(&st);
    close(fd);
    return 0;
}
