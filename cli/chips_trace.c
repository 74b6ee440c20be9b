/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traces of a single chip: it is programmed and read once more and run by the loop of the plain network, which knows traces. */
#include "chips.h"

#include <string.h>

static bool run_engine(const cli_chips *c, const snn_readout *readout, const snn_model *model,
                       const snn_dataset *data, const snn_engine_options *engine,
                       const snn_evaluate_options *options, const snn_evaluate_hooks *hooks, snn_error *err) {
    snn_engine_options hooked = *engine;
    snn_evaluation result;
    hooked.hook = snn_readout_hook(readout);
    snn_engine *e = snn_engine_new(model->net, snn_readout_weights(readout), &hooked, err);
    bool ok = e && snn_evaluate(e, model->net, data, options, hooks, &result, err);
    if (ok && strcmp(result.digest, c->result.chip[0].digest) != 0)
        ok = snn_fail(err, SNN_ERR_RUNTIME,
                      "the traced run differs from the run of the chip (a bug: please report it)");
    if (e && ok)
        snn_evaluation_free(&result);
    snn_engine_free(e);
    return ok;
}

bool cli_chips_trace(const cli_chips *c, const snn_model *model, const snn_dataset *data,
                     const snn_engine_options *engine, const snn_evaluate_options *options,
                     const snn_evaluate_hooks *hooks, snn_error *err) {
    const snn_hw_options *o = &c->options;
    snn_chip *chip = o->chip_file ? snn_chip_load(c->map, o, o->chip_file, err)
                                  : snn_chip_program(c->map, o, c->stored, o->first_chip, err);
    snn_readout *readout = chip ? snn_readout_new(chip, &o->condition, c->key, SNN_READ_FAST, model->net,
                                                  c->training, c->trainings, err)
                                : NULL;
    bool ok = readout && run_engine(c, readout, model, data, engine, options, hooks, err);
    snn_readout_free(readout);
    snn_chip_free(chip);
    return ok;
}
