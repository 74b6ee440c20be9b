/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static json_t *real(double x) {
    return isfinite(x) ? json_real(x) : json_null();
}

/* An accuracy; -1 stands for none. */
static json_t *share(double x) {
    return x < 0 ? json_null() : real(x);
}

/* [{layer, saturated, error_rms}, ...]: what quantising cost each tensor. */
static json_t *quantisation(const snn_weights *w, const snn_quantisation_stats *stats) {
    json_t *list = json_array();
    for (int i = 0; i < w->tensors; i++)
        json_array_append_new(list, json_pack("{s:s, s:I, s:o}", "layer", w->tensor[i].name, "saturated",
                                              (json_int_t)stats[i].saturated, "error_rms",
                                              real(stats[i].error_rms)));
    return list;
}

static char *dump(json_t *record, snn_error *err) {
    char *text = record ? json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(record);
    if (!text)
        snn_fail(err, SNN_ERR_RUNTIME, "the training record cannot be written as JSON");
    return text;
}

/* Statistics of quantising the best float weights; NULL when that fails. After quantisation-aware epochs there is nothing to tell: the float weights behind
 * the codes are not those. */
static json_t *cost(const snn_train_options *o, const snn_train_result *r, snn_error *err) {
    if (o->quant_epochs > 0)
        return json_array();
    snn_quantisation_stats *stats = snn_alloc((size_t)r->best->tensors, sizeof *stats, "statistics", err);
    snn_weights *codes = stats ? snn_weights_quantise(r->best, &o->quant, stats, err) : NULL;
    json_t *list = codes ? quantisation(codes, stats) : NULL;
    snn_weights_free(codes);
    free(stats);
    return list;
}

char *cli_training_record(const snn_config *config, const snn_dataset *data, const snn_train_options *o,
                          const snn_train_result *r, snn_error *err) {
    const snn_dataset_info *about = snn_dataset_about(data);
    char *text = snn_config_text(config, err);
    json_t *list = text ? cost(o, r, err) : NULL;
    if (!list) {
        free(text);
        return NULL;
    }
    json_t *record = json_pack(
        "{s:s, s:s, s:s, s:i, s:b, s:I, s:i, s:i, s:i, s:o, s:o, s:o, s:s}", "made_by", "snnsim train",
        "version", SNN_VERSION, "dataset", about->name, "samples", (int)snn_dataset_count(data), "synthetic",
        !*about->folder, "seed", (json_int_t)o->seed, "epochs", r->epochs, "float_epoch", r->best_epoch,
        "quantised_epoch", r->quantised_epoch, "float_validation", share(r->best_validation),
        "quantised_validation", share(r->quantised_validation), "quantisation", list, "config", text);
    free(text);
    return dump(record, err);
}

char *cli_quantisation_record(const char *before, const char *command, const snn_weights *w,
                              const snn_quantisation_stats *stats, snn_error *err) {
    json_t *record = before ? json_loads(before, 0, NULL) : NULL;
    if (!json_is_object(record)) {
        json_decref(record);
        record = json_object();
    }
    if (!before) {
        json_object_set_new(record, "made_by", json_string(command));
        json_object_set_new(record, "version", json_string(SNN_VERSION));
    }
    json_object_set_new(record, "quantisation", quantisation(w, stats));
    return dump(record, err);
}
