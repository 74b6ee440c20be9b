/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of the options of section `hw`: reading them (options.c), deciding which effects act (options_effects.c), finding keys that cannot act (options_given.c). */
#ifndef SNNSIM_HW_OPTIONS_INTERNAL_H
#define SNNSIM_HW_OPTIONS_INTERNAL_H

#include <snnsim/hw.h>

/* Sets o->condition.effects from hw.effects and hw.without; device, read-out mode, fault map and analogue options stand already. Errors: USAGE. */
bool snn_hw_effects(const snn_config *config, snn_hw_options *o, snn_error *err);
/* Does the chip have an effect at all, in any read-out mode? */
bool snn_hw_has(const snn_hw_options *o, snn_effect e);
/* Refuses every key that is given and would change nothing; sets o->time_idle. Everything else of o stands already, analogue options as they were given. Errors: USAGE. */
bool snn_hw_check_given(const snn_config *config, snn_hw_options *o, snn_error *err);

#endif
