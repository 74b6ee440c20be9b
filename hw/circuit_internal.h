/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resistive network: what its files share. */
#ifndef SNN_CIRCUIT_INTERNAL_H
#define SNN_CIRCUIT_INTERNAL_H

#include <snnsim/circuit.h>

/* Checks the inputs of a read: error DATA naming the row of a voltage that is not a number or beyond SNN_CIRCUIT_VOLT_MAX. */
bool snn_circuit_check_volts(int rows, const double *volts, snn_error *err);

/*
 * Elimination order for `rows` word lines and `columns` bit lines with a node at both ends of every cell: node r * columns + c on the word line,
 * rows * columns + r * columns + c on the bit line. order [2 * rows * columns] lists the nodes in the order of their elimination.
 */
void snn_circuit_order(int rows, int columns, long *order);

#endif
