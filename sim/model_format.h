/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim/: constants of the model file, for who writes and who reads it. */
#ifndef SNNSIM_SIM_MODEL_FORMAT_H
#define SNNSIM_SIM_MODEL_FORMAT_H

#include <snnsim/hdf5_file.h>

#include <hdf5.h>

#define SNN_MODEL_LINE "snnsim model 1\n" /* in the block at the start */
#define SNN_MODEL_FORMAT 1                /* of /snnsim */
#define SNN_MODEL_TEXT_MAX (64u << 20)    /* bytes of the network's or the record's JSON */

#endif
