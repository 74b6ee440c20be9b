/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lock around libhdf5, which Debian builds without threads: one thread at a time, as often within itself as it likes. */
#ifndef SNNSIM_HDF5_LOCK_H
#define SNNSIM_HDF5_LOCK_H

void snn_hdf5_lock(void);
void snn_hdf5_unlock(void);

#endif
