/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of the greedy search: greedy.c (pool, one bit after the other), greedy_stuck.c (what is done when no bit helps). */
#ifndef SNNSIM_CRYPTO_GREEDY_H
#define SNNSIM_CRYPTO_GREEDY_H

#include "search_internal.h"

/* Sets of the state: the current set; the best one that was current (the best of all may be a leap of hundreds of bits that was only tried); single candidates, the pool. The score of a single candidate
 * is the gain that was last seen: (loss, lead) before less after it was added. */
enum { CURRENT, KEPT, SINGLES };
/* Registers: next of the order to screen; is there more to screen?; restarts since the best set became better, and all; bits added in a row that did not lower the loss. */
enum { SCREEN_NEXT, SCREENING, RESTARTS, ALL_RESTARTS, IDLE };

/* Follows from candidates, network and samples. */
typedef struct {
    uint32_t *order; /* [n] candidates to screen; NULL: all are in the pool */
    uint32_t n;
    uint32_t **list; /* [lists][length] orders by rules: of each class, of all */
    uint32_t *length;
    uint32_t lists;
} snn_greedy_plan;

/* Moves item from the pool to the current set (score forgotten), and back. */
bool snn_greedy_take(snn_search_job *job, uint32_t item, snn_error *err);
bool snn_greedy_drop(snn_search_job *job, uint32_t item, snn_error *err);
/* Makes `to` the current set. */
bool snn_greedy_become(snn_search_job *job, const snn_set *to, snn_error *err);

/* No single bit improves (loss, lead): tries several at once. *moved: one of these did. */
bool snn_greedy_leap(snn_search_job *job, bool *moved, snn_error *err);
/* Starts again from a part of what was found. *moved false: it did so often enough. */
bool snn_greedy_restart(snn_search_job *job, bool *moved, snn_error *err);

#endif
