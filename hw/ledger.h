/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of the ledger: the parts of a chip, each adding its rows. */
#ifndef SNNSIM_HW_LEDGER_H
#define SNNSIM_HW_LEDGER_H

#include <snnsim/ledger.h>

typedef struct {
    const snn_chips_result *run;
    const snn_net *net;
    const snn_map *map;
    const snn_hw_options *options;
    const snn_weights *stored;
    double inferences; /* chips x samples */
    snn_ledger *ledger;
    snn_error *err;
} snn_ledger_job;

/* Appends a row; total = count * unit_value, derivation from the format. */
bool snn_ledger_add(snn_ledger *l, snn_ledger_row row, snn_error *err, const char *derivation, ...)
    SNN_PRINTF(4, 5);

/* ledger_parts.c */
bool snn_ledger_layer(const snn_ledger_job *j, const snn_map_tensor *t);
bool snn_ledger_converters(const snn_ledger_job *j);
bool snn_ledger_programming(const snn_ledger_job *j);
bool snn_ledger_area(const snn_ledger_job *j);

#endif
