/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * MPI ranks (make MPI=1, mpirun): processes that run the same search side by side, each evaluating a part of every batch. All ranks walk through the same steps with the same data, so
 * that results do not depend on their number; rank 0 alone prints, writes files and knows passphrases. Without MPI there is one rank, and all of this costs nothing.
 *
 * Collective: every rank must call it, at the same place. Nothing here may be called by two threads at once.
 */
#ifndef SNNSIM_RANKS_H
#define SNNSIM_RANKS_H

#include <snnsim/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* For a program's main: before anything else, and as its last act. From begin on ranks other than 0 print nothing. */
typedef struct snn_ranks_program snn_ranks_program;
/* NULL without MPI, or with one rank. */
snn_ranks_program *snn_ranks_begin(int *argc, char ***argv);
/* Exit code of the whole program from each rank's: that of the first rank that failed. A failure that rank 0 did not have is printed now. Ranks that do not come here within some
 * seconds after one has failed are ended. */
int snn_ranks_end(snn_ranks_program *p, int code);

/* Has this program been started as several ranks without being made for it? USAGE error: each would do all of the work. */
bool snn_ranks_check(snn_error *err);

int snn_rank(void);
int snn_ranks(void);

/* Part [first, end) of n items that this rank does. */
void snn_rank_part(size_t n, size_t *first, size_t *end);
/* Collective: did all ranks succeed? If not, all get false and the error of the first that failed. */
bool snn_rank_all(bool ok, snn_error *err);
/* Collective: is it so on any rank? (interrupts, clocks) */
bool snn_rank_any(bool mine);
/* Collective: each rank has filled its part of data [n], items of `size` bytes; afterwards all ranks have all. */
bool snn_rank_share(void *data, size_t n, size_t size, snn_error *err);
/* Collective: rank 0's bytes for all. */
bool snn_rank_broadcast(void *data, size_t bytes, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
