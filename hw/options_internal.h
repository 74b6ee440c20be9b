/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of the options of section `hw`: reading them (options.c) and deciding which effects act (options_effects.c). */
#ifndef SNNSIM_HW_OPTIONS_INTERNAL_H
#define SNNSIM_HW_OPTIONS_INTERNAL_H

#include <snnsim/hw.h>

/* Sets o->condition.effects from hw.effects and hw.without; device, read-out mode, fault map and analogue options stand already. Errors: USAGE. */
bool snn_hw_effects(const snn_config *config, snn_hw_options *o, snn_error *err);

#endif
