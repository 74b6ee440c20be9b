/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of digital read-out: the two hooks, fast and plain. */
#ifndef SNNSIM_HW_READ_HOOK_H
#define SNNSIM_HW_READ_HOOK_H

#include "read_internal.h"

/* snn_hook.read of the fast path; context: the plan. */
bool snn_read_hook(void *context, void *scratch, int tensor, uint64_t sample, int step,
                   const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err);
/* Lays out the workspace that it needs: p->scratch_bytes. */
void snn_read_hook_layout(snn_read_plan *p);
/* Index of a step's random streams. Errors: RUNTIME beyond 2^44 samples or 2^20 steps. */
bool snn_read_stream(uint64_t sample, int step, uint64_t *index, snn_error *err);

/* The definition: every cell at every read, from conductances and deviates. The plan must outlive it. */
typedef struct snn_read_twin snn_read_twin;
snn_read_twin *snn_read_twin_new(const snn_read_plan *p, const snn_flips *key, snn_error *err);
void snn_read_twin_free(snn_read_twin *t);
/* snn_hook.read; context: the twin. */
bool snn_read_twin_hook(void *context, void *scratch, int tensor, uint64_t sample, int step,
                        const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err);

#endif
