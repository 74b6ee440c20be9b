/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim/: what model files and NIR files have in common, the group /snnsim. */
#ifndef SNNSIM_SIM_MODEL_WRITE_H
#define SNNSIM_SIM_MODEL_WRITE_H

#include "model_format.h"

#include <snnsim/model.h>

/* Can the model be saved? DATA error saying what is missing or wrong. */
bool snn_model_check(const snn_model *m, snn_error *err);

/* Puts /snnsim into the file; `network` is the network's JSON. False when libhdf5 failed. */
bool snn_model_write_group(hid_t file, const snn_model *m, const char *network);

#endif
