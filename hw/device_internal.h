/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of the device share; nobody else includes this.
 *
 *   device.c        the device file and what the configuration overrides
 *   device_check.c  what cannot be
 *   device_level.c  a level under a condition; one cell from its random deviates; noise
 *   device_stats.c  distribution and moments over cells and chips
 */
#ifndef SNN_DEVICE_INTERNAL_H
#define SNN_DEVICE_INTERNAL_H

#include <snnsim/device.h>

/* Where keys come from: the main configuration wins over the device file. */
typedef struct {
    const snn_config *main, *file;
} snn_device_source;

/* The configuration that gives a key (the file's, with its default, when neither does). */
const snn_config *snn_device_owner(const snn_device_source *s, const char *path);
bool snn_device_check(const snn_device_source *s, const snn_device *d, snn_error *err);

/* Deviates z_program at which programming ends within the window: [*low, *high], which holds 0. false: no verification. */
bool snn_level_window(const snn_level *l, double *low, double *high);
/* Conductance [uS] from what programming left: variation, retention, cut off at 0. Inline for who computes whole arrays. */
static inline double snn_level_settle(const snn_level *l, double g, double z_relax, double z_cell,
                                      double z_chip) {
    g = g * (1 + l->cell_variation * z_cell) * (1 + l->chip_variation * z_chip);
    g = l->scale * g + l->shift + l->sigma_relax * z_relax;
    return g > 0 ? g : 0;
}

/* sigma_program, or with log-normal spread the logarithmic one. */
double snn_level_start(const snn_level *l, double z_program);

#endif
