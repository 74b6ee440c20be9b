/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim hw power (hw_power.c). */
#ifndef SNNSIM_CLI_HW_POWER_H
#define SNNSIM_CLI_HW_POWER_H

#include "cli.h"

bool cli_hw_power(int argc, char **argv, snn_error *err);

#endif
