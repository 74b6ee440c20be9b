/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of checking a data set: verify.c walks over samples, verify_official.c knows what the releases contain. Not a public header. */
#ifndef SNNSIM_DATASETS_VERIFY_H
#define SNNSIM_DATASETS_VERIFY_H

#include "internal.h"

#include <stdio.h>

#define SNN_PARTS 2 /* training, test */

typedef struct {
    FILE *out;
    size_t findings;
    bool (*progress)(void *context, uint64_t done, uint64_t total); /* false: stop; may be NULL */
    void *context;
    bool content_only; /* has been said */
} snn_verifier;

/* One line. */
void snn_verify_finding(snn_verifier *v, const char *fmt, ...) SNN_PRINTF(2, 3);
/* Compares what there is with the official release; opened: parts that were meant to be there. Of sets that the user chose (lists, arrays) it says that they have none.
 * False when it cannot be told (no memory). */
bool snn_verify_official(snn_verifier *v, const snn_dataset *d, const bool opened[SNN_PARTS], snn_error *err);
/* Numbers 0 .. n-1 with missing[i], as "3, 5..9, every 3rd of 12..30" behind `text`. */
void snn_verify_numbers(snn_verifier *v, const char *text, const bool *missing, size_t n);

#endif
