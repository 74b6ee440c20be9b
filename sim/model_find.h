/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim/: where a model file is. */
#ifndef SNNSIM_SIM_MODEL_FIND_H
#define SNNSIM_SIM_MODEL_FIND_H

#include <snnsim/error.h>

/* Path of the model `name` into path[size]. A bare name (no '/') is looked up in the current folder, in ./models, then in the installed models
 * folder (compiled in as SNN_MODEL_DIR; environment SNNSIM_MODELS overrides). Errors: DATA naming where it was looked for. */
bool snn_model_find(const char *name, char *path, size_t size, snn_error *err);

#endif
