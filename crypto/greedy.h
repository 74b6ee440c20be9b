/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of the greedy search: greedy.c (pool, one bit after the other), greedy_stuck.c (what is done when no bit helps). */
#ifndef SNNSIM_CRYPTO_GREEDY_H
#define SNNSIM_CRYPTO_GREEDY_H

#include "search_internal.h"

/* Sets of the state: the current set, then single candidates, the pool. The score of a single candidate is the gain that was last seen: (loss, lead) before less after it was added. */
enum { CURRENT, SINGLES };
/* Registers. */
enum {
    SCREEN_NEXT,
    SCREENING,
    KICKS
}; /* next of the order to screen; is it still?; kicks since the best set was found last */

/* Follows from candidates, network and samples. */
typedef struct {
    uint32_t *order; /* [n] candidates to screen; NULL: all are in the pool */
    uint32_t n;
    bool lazy;
    uint32_t **list; /* [lists][length] orders by rules: of each class, of all */
    uint32_t *length;
    uint32_t lists;
} snn_greedy_plan;

/* Moves item from the pool to the current set (score forgotten), and back. */
bool snn_greedy_take(snn_search_job *job, uint32_t item, snn_error *err);
bool snn_greedy_drop(snn_search_job *job, uint32_t item, snn_error *err);
/* Makes `to` the current set. */
bool snn_greedy_become(snn_search_job *job, const snn_set *to, snn_error *err);

/* No single bit improves (loss, lead): tries several at once; failing that, goes back to the best set and takes a third of its bits out. *moved false: nothing is left to try. */
bool snn_greedy_unstick(snn_search_job *job, bool *moved, snn_error *err);

#endif
