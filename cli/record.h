/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The training record that a model carries: where its weights come from, as JSON. It holds no times, so that the same training gives the same file. */
#ifndef SNNSIM_CLI_RECORD_H
#define SNNSIM_CLI_RECORD_H

#include <snnsim/snnsim.h>

/* Of `snnsim train`; free() it. */
char *cli_training_record(const snn_config *config, const snn_dataset *data, const snn_train_options *options,
                          const snn_train_result *result, snn_error *err);
/* Of quantisation: what `snnsim model quantise` and `import` did, added to the record `before` (NULL: none); free() it. */
char *cli_quantisation_record(const char *before, const char *command, const snn_weights *weights,
                              const snn_quantisation_stats *stats, snn_error *err);

#endif
