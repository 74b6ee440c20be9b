/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MPI ranks: the only file that knows MPI. Without SNN_MPI (make MPI=1) there is one rank. */
#include <snnsim/ranks.h>

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void snn_rank_part(size_t n, size_t *first, size_t *end) {
    const size_t rank = (size_t)snn_rank(), ranks = (size_t)snn_ranks();
    const size_t each = n / ranks, more = n % ranks; /* the first `more` ranks do one more */
    *first = rank * each + (rank < more ? rank : more);
    *end = *first + each + (rank < more);
}

#ifndef SNN_MPI

snn_ranks_program *snn_ranks_begin(int *argc, char ***argv) {
    (void)argc, (void)argv;
    return NULL;
}
int snn_ranks_end(snn_ranks_program *p, int code) {
    (void)p;
    return code;
}
bool snn_ranks_check(snn_error *err) {
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE" /* Open MPI */,
                                        "PMI_SIZE" /* MPICH and its kin */};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const char *size = getenv(sizes[i]);
        if (size && strcmp(size, "1") != 0 && strcmp(size, "0") != 0)
            return snn_fail(err, SNN_ERR_USAGE,
                            "this snnsim was built without MPI, but mpirun started %.9s of it: build it with "
                            "make MPI=1",
                            size);
    }
    return true;
}
int snn_rank(void) {
    return 0;
}
int snn_ranks(void) {
    return 1;
}
bool snn_rank_all(bool ok, snn_error *err) {
    (void)err;
    return ok;
}
bool snn_rank_any(bool mine) {
    return mine;
}
bool snn_rank_share(void *data, size_t n, size_t size, snn_error *err) {
    (void)data, (void)n, (void)size, (void)err;
    return true;
}
bool snn_rank_broadcast(void *data, size_t bytes, snn_error *err) {
    (void)data, (void)bytes, (void)err;
    return true;
}

#else

#include <mpi.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

bool snn_ranks_check(snn_error *err) {
    (void)err;
    return true;
}

/* ---- who ---- */

/* Is there more than one process? Not before begin, and not in programs that do not begin (tests). */
static bool several(void) {
    int begun = 0, ended = 0, ranks = 1;
    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    if (!begun || ended)
        return false;
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    return ranks > 1;
}

int snn_rank(void) {
    int rank = 0;
    if (several())
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

int snn_ranks(void) {
    int ranks = 1;
    if (several())
        MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    return ranks;
}

/* ---- together ---- */

bool snn_rank_all(bool ok, snn_error *err) {
    if (!several())
        return ok;
    const int mine = ok ? snn_ranks() : snn_rank();
    int first = mine;
    MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (first == snn_ranks())
        return true;
    snn_error e = {SNN_ERR_RUNTIME, "failed"};
    if (first == snn_rank() && err)
        e = *err;
    MPI_Bcast(&e, (int)sizeof e, MPI_BYTE, first, MPI_COMM_WORLD);
    if (err)
        *err = e;
    return false;
}

bool snn_rank_any(bool mine) {
    int any = mine;
    if (several())
        MPI_Allreduce(MPI_IN_PLACE, &any, 1, MPI_INT, MPI_LOR, MPI_COMM_WORLD);
    return any;
}

static bool in_range(size_t n, size_t size, snn_error *err) {
    return (n <= INT_MAX && size <= INT_MAX) ||
           snn_fail(err, SNN_ERR_RUNTIME, "%zu items of %zu bytes are too many for one MPI message", n, size);
}

bool snn_rank_share(void *data, size_t n, size_t size, snn_error *err) {
    if (!several() || n == 0)
        return true;
    const int ranks = snn_ranks();
    int *count = snn_alloc((size_t)ranks * 2, sizeof *count, "parts of ranks", err), *at = count + ranks;
    if (!snn_rank_all(count && in_range(n, size, err), err)) {
        free(count);
        return false;
    }
    for (int r = 0; r < ranks; r++) {
        const size_t each = n / (size_t)ranks, more = n % (size_t)ranks;
        count[r] = (int)(each + ((size_t)r < more));
        at[r] = r ? at[r - 1] + count[r - 1] : 0;
    }
    MPI_Datatype item;
    MPI_Type_contiguous((int)size, MPI_BYTE, &item);
    MPI_Type_commit(&item);
    MPI_Allgatherv(MPI_IN_PLACE, 0, item, data, count, at, item, MPI_COMM_WORLD);
    MPI_Type_free(&item);
    free(count);
    return true;
}

bool snn_rank_broadcast(void *data, size_t bytes, snn_error *err) {
    if (!several())
        return true;
    if (!snn_rank_all(in_range(1, bytes, err), err))
        return false;
    MPI_Bcast(data, (int)bytes, MPI_BYTE, 0, MPI_COMM_WORLD);
    return true;
}

/* ---- the program ---- */

enum { PATIENCE = 10 /* s that a failed rank waits for the others, which may be within an evaluation */ };

struct snn_ranks_program {
    MPI_Comm ending; /* so that the end is never taken for a step of a search */
    int error;       /* descriptor of the real standard error; -1: rank 0, which writes to it */
    FILE *kept;      /* what this rank would have printed there */
};

/* Ranks other than 0 print nothing; what goes to standard error is kept for the end. */
static void silence(snn_ranks_program *p) {
    fflush(NULL);
    if (!freopen("/dev/null", "w", stdout))
        fclose(stdout);
    p->kept = tmpfile();
    p->error = dup(STDERR_FILENO);
    if (p->kept)
        dup2(fileno(p->kept), STDERR_FILENO);
}

snn_ranks_program *snn_ranks_begin(int *argc, char ***argv) {
    int level;
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &level); /* ends the program itself when it fails */
    if (!several()) {
        MPI_Finalize();
        return NULL;
    }
    snn_ranks_program *p = snn_alloc(1, sizeof *p, "ranks", NULL);
    if (!p)
        MPI_Abort(MPI_COMM_WORLD, SNN_ERR_RUNTIME);
    p->error = -1;
    MPI_Comm_dup(MPI_COMM_WORLD, &p->ending);
    if (snn_rank() != 0)
        silence(p);
    return p;
}

/* What was kept goes to the real standard error. */
static void speak(snn_ranks_program *p) {
    char buf[4096];
    size_t n;
    if (!p->kept || p->error < 0)
        return;
    fflush(stderr);
    rewind(p->kept);
    while ((n = fread(buf, 1, sizeof buf, p->kept)) > 0)
        if (write(p->error, buf, n) < 0)
            return;
}

/* code [ranks] of all; false: others did not come. A rank that succeeded waits as long as it takes. */
static bool gather(snn_ranks_program *p, int mine, int *code) {
    const struct timespec pause = {0, 1000000};
    struct timespec now, start;
    MPI_Request request;
    int done = 0;
    MPI_Iallgather(&mine, 1, MPI_INT, code, 1, MPI_INT, p->ending, &request);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (done || (mine && now.tv_sec - start.tv_sec > PATIENCE))
            return done;
        nanosleep(&pause, NULL);
    }
}

int snn_ranks_end(snn_ranks_program *p, int code) {
    if (!p)
        return code;
    int *codes = snn_alloc((size_t)snn_ranks(), sizeof *codes, "exit codes", NULL), first = 0;
    if (!codes || !gather(p, code, codes)) {
        speak(p);
        MPI_Abort(MPI_COMM_WORLD, code ? code : SNN_ERR_RUNTIME);
    }
    while (first < snn_ranks() - 1 && codes[first] == 0)
        first++;
    code = codes[first];
    if (code && first == snn_rank())
        speak(p);
    free(codes);
    if (p->kept)
        fclose(p->kept);
    if (p->error >= 0)
        close(p->error);
    MPI_Comm_free(&p->ending);
    free(p);
    MPI_Finalize();
    return code;
}

#endif
