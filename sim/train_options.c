/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of training from the config, and the course of the step size. */
#include "train_internal.h"

#include <snnsim/portable_math.h>

#include <string.h>

static bool choice(const snn_config *c, const char *key, const char *value) {
    return strcmp(snn_config_string(c, key), value) == 0;
}

static void read_optimiser(const snn_config *c, snn_train_options *o) {
    o->epochs = (int)snn_config_int(c, "train.epochs");
    o->batch = (int)snn_config_int(c, "train.batch");
    o->learning_rate = snn_config_float(c, "train.learning_rate");
    o->final_rate = snn_config_float(c, "train.final_rate");
    o->warmup = (int)snn_config_int(c, "train.warmup");
    o->schedule = choice(c, "train.schedule", "constant") ? SNN_SCHEDULE_CONSTANT
                  : choice(c, "train.schedule", "cosine") ? SNN_SCHEDULE_COSINE
                                                          : SNN_SCHEDULE_STEP;
    o->step_every = (int)snn_config_int(c, "train.step_every");
    o->step_factor = snn_config_float(c, "train.step_factor");
    o->beta1 = snn_config_float(c, "train.beta1");
    o->beta2 = snn_config_float(c, "train.beta2");
    o->epsilon = snn_config_float(c, "train.epsilon");
    o->weight_decay = snn_config_float(c, "train.weight_decay");
    o->clip = snn_config_float(c, "train.clip");
    o->validation = snn_config_float(c, "train.validation");
    o->patience = (int)snn_config_int(c, "train.patience");
    o->quant_epochs = (int)snn_config_int(c, "train.quant_epochs");
    o->quant_rate = snn_config_float(c, "train.quant_rate");
    o->init_gain = snn_config_float(c, "train.init_gain");
    o->init_recurrent = snn_config_float(c, "train.init_recurrent");
    o->sparse = snn_config_bool(c, "train.sparse");
}

static void read_loss(const snn_config *c, snn_train_options *o) {
    o->loss = choice(c, "train.loss", "mse") ? SNN_LOSS_RATE_MSE : SNN_LOSS_CROSS_ENTROPY;
    o->loss_scale = snn_config_float(c, "train.loss_scale");
    o->rate_low = snn_config_float(c, "train.rate_low");
    o->rate_high = snn_config_float(c, "train.rate_high");
    o->rate_weight = snn_config_float(c, "train.rate_weight");
    o->surrogate = choice(c, "train.surrogate", "rectangle")  ? SNN_SURROGATE_RECTANGLE
                   : choice(c, "train.surrogate", "triangle") ? SNN_SURROGATE_TRIANGLE
                   : choice(c, "train.surrogate", "arctan")   ? SNN_SURROGATE_ARCTAN
                                                              : SNN_SURROGATE_SMOOTH;
    o->surrogate_width = snn_config_float(c, "train.surrogate_width");
}

static void read_augmentation(const snn_config *c, snn_train_options *o) {
    o->shift = (int)snn_config_int(c, "train.shift");
    o->time_jitter = snn_config_float(c, "train.time_jitter");
    o->drop = snn_config_float(c, "train.drop");
    o->rotate = snn_config_float(c, "train.rotate");
    o->zoom = snn_config_float(c, "train.zoom");
    o->flip_pairs = false;
}

bool snn_train_options_from_config(const snn_config *c, snn_train_options *o, snn_error *err) {
    memset(o, 0, sizeof *o);
    o->seed = (uint64_t)snn_config_int(c, "seed");
    o->threads = (int)snn_config_int(c, "run.threads");
    read_optimiser(c, o);
    read_loss(c, o);
    read_augmentation(c, o);
    if (o->warmup > o->epochs)
        return snn_config_fail(c, "train.warmup", err, "%d epochs of warm-up, but only %d epochs", o->warmup,
                               o->epochs);
    if (o->patience > 0 && o->validation == 0)
        return snn_config_fail(c, "train.patience", err,
                               "early stopping needs validation data: set train.validation");
    if (o->final_rate > o->learning_rate && o->schedule == SNN_SCHEDULE_COSINE)
        return snn_config_fail(c, "train.final_rate", err, "%g is above train.learning_rate, %g",
                               o->final_rate, o->learning_rate);
    if (o->rate_low > o->rate_high)
        return snn_config_fail(c, "train.rate_low", err, "%g is above train.rate_high, %g", o->rate_low,
                               o->rate_high);
    return snn_quantisation_from_config(c, &o->quant, err);
}

double snn_train_rate(const snn_train_options *o, bool quantised, double progress) {
    const double pi = 3.14159265358979323846;
    if (quantised)
        return o->quant_rate * 0.5 * (1 + snn_cos(pi * progress / o->quant_epochs));
    if (progress < o->warmup)
        return o->learning_rate * progress / o->warmup;
    switch (o->schedule) {
    case SNN_SCHEDULE_STEP: {
        double rate = o->learning_rate;
        for (int e = o->step_every; e <= (int)progress; e += o->step_every)
            rate *= o->step_factor;
        return rate;
    }
    case SNN_SCHEDULE_COSINE: {
        double share = (progress - o->warmup) / (o->epochs - o->warmup);
        return o->final_rate + (o->learning_rate - o->final_rate) * 0.5 * (1 + snn_cos(pi * share));
    }
    default:
        return o->learning_rate;
    }
}
