/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constants of the ledger by name; the table stands in constants.c. */
#ifndef SNNSIM_HW_CONSTANTS_H
#define SNNSIM_HW_CONSTANTS_H

#include <snnsim/ledger.h>

/* Indices into snn_constants. */
typedef enum {
    SNN_CONSTANT_ADD16,
    SNN_CONSTANT_ADD32,
    SNN_CONSTANT_MULTIPLY32,
    SNN_CONSTANT_SRAM64,
    SNN_CONSTANT_XOR,
    SNN_CONSTANT_XOR_AREA,
    SNN_CONSTANT_CELL_AREA,
    SNN_CONSTANT_WIRE,
    SNN_CONSTANT_SENSE,                        /* the first of the sense amplifiers' rows: 22, 65, 130 nm */
    SNN_CONSTANT_ADC = SNN_CONSTANT_SENSE + 3, /* the first of the converters' rows */
    SNN_CONSTANT_ADC_AREA = SNN_CONSTANT_ADC + 12
} snn_constant_index;

/* Row of the sense amplifier for the tabulated node nearest to node_nm (0: 22 nm); *tabulated: the node is known and one of them. */
int snn_constant_sense(double node_nm, bool *tabulated);
/* Energy of one conversion [fJ] of a SAR converter with `bits`, for the tabulated node nearest to node_nm (0: 22 nm); linear in bits between the tabulated ones. *index: a row of the table it comes
 * from; *tabulated: bits lie inside the table, and the node is known and one of its nodes. */
double snn_constant_adc(int bits, double node_nm, int *index, bool *tabulated);

#endif
