/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Umbrella header of libsnnsim. */
#ifndef SNNSIM_SNNSIM_H
#define SNNSIM_SNNSIM_H

#include <snnsim/camera.h>
#include <snnsim/chip.h>
#include <snnsim/chips.h>
#include <snnsim/cipher.h>
#include <snnsim/compare.h>
#include <snnsim/config.h>
#include <snnsim/cosim.h>
#include <snnsim/cpu.h>
#include <snnsim/dataset.h>
#include <snnsim/decryptor.h>
#include <snnsim/device.h>
#include <snnsim/digest.h>
#include <snnsim/encrypt.h>
#include <snnsim/engine.h>
#include <snnsim/error.h>
#include <snnsim/evaluate.h>
#include <snnsim/events.h>
#include <snnsim/hdf5_file.h>
#include <snnsim/hw.h>
#include <snnsim/import.h>
#include <snnsim/ledger.h>
#include <snnsim/map.h>
#include <snnsim/mask_fault.h>
#include <snnsim/key.h>
#include <snnsim/metrics.h>
#include <snnsim/model.h>
#include <snnsim/net.h>
#include <snnsim/output.h>
#include <snnsim/portable_math.h>
#include <snnsim/probe.h>
#include <snnsim/power.h>
#include <snnsim/provision.h>
#include <snnsim/random.h>
#include <snnsim/ranks.h>
#include <snnsim/readout.h>
#include <snnsim/rows.h>
#include <snnsim/search.h>
#include <snnsim/spikes.h>
#include <snnsim/synthesis.h>
#include <snnsim/tile.h>
#include <snnsim/tile_network.h>
#include <snnsim/train.h>
#include <snnsim/version.h>
#include <snnsim/weights.h>

#endif
