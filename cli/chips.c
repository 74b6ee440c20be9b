/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network on chips, step by step: options, map, calibration samples, run, ledger, warnings. */
#include "chips.h"

#include <stdlib.h>
#include <string.h>

bool cli_engine_options(const snn_config *config, snn_engine_options *o, snn_error *err) {
    *o = (snn_engine_options){.arithmetic = snn_arithmetic_of(config, NULL),
                              .count_operations = snn_config_bool(config, "run.operations")};
    return snn_simd_parse(snn_config_string(config, "run.simd"), &o->simd, err) ||
           snn_config_fail(config, "run.simd", err, "%s", err->text);
}

bool cli_check_network(const snn_config *config, const snn_dataset_info *about, const snn_model *model,
                       const char *path, snn_error *err) {
    if (!snn_config_count(config, "network.layers"))
        return true;
    snn_net *net =
        snn_net_from_config(config, (snn_shape){about->input[0], about->input[1], about->input[2]}, err);
    if (!net)
        return false;
    bool same = snn_net_equal(net, model->net, err);
    snn_net_free(net);
    return same || snn_error_context(err, "model %s does not fit %s", path, snn_config_path(config));
}

void cli_csv_field(FILE *f, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (; *text; text++)
        fprintf(f, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', f);
}

/* ---- set-up ---- */

bool cli_chips_options(cli_chips *c, const snn_config *config, snn_error *err) {
    c->wanted = snn_hw_wanted(config);
    return c->wanted ? snn_hw_options_from_config(config, &c->options, err) : snn_hw_check_none(config, err);
}

/* Training samples, evenly spread over the list. */
static bool frame_training(cli_chips *c, const snn_dataset *data, snn_error *err) {
    size_t count = snn_dataset_count(data),
           n = count < CLI_CALIBRATION_SAMPLES ? count : CLI_CALIBRATION_SAMPLES;
    snn_dataset_buffer buffer = {0};
    bool ok = (c->training = snn_alloc(n, sizeof *c->training, "calibration samples", err)) != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        c->trainings++;
        ok = snn_dataset_frames(data, i * count / n, &buffer, &c->training[i], err);
    }
    snn_dataset_buffer_free(&buffer);
    return ok;
}

static bool calibrate(cli_chips *c, const snn_config *config, snn_error *err) {
    snn_dataset *data = snn_dataset_open(config, SNN_SPLIT_TRAIN, err);
    bool ok = data && frame_training(c, data, err);
    snn_dataset_free(data);
    return ok || snn_error_context(err, "training samples, which calibrate the analogue read-out");
}

bool cli_chips_map(cli_chips *c, const snn_config *config, const snn_model *model, snn_error *err) {
    if (!c->wanted)
        return true;
    bool analog = c->options.readout == SNN_READOUT_ANALOG;
    c->stored = analog ? snn_analog_weights(model->weights, &c->options.map, err)
                       : snn_weights_copy(model->weights, err);
    return c->stored && (c->map = snn_map_new(model->net, c->stored, &c->options.map, err)) &&
           (!analog || c->training || calibrate(c, config, err));
}

bool cli_chips_place(const cli_chips *c, const snn_config *config, snn_error *err) {
    int64_t limit = snn_config_int(config, "encrypt.word_limit");
    if (!c->map || !c->key || !limit || snn_flips_place(c->map, c->key, (uint32_t)limit, err))
        return true;
    /* the sentence for searches names a row: of a key it would tell where bits are */
    return err->code == SNN_ERR_CRITERION
               ? snn_fail(
                     err, SNN_ERR_CRITERION,
                     "the key does not fit the decryptor: it has more keyed bits in a row word than the %lld "
                     "of encrypt.word_limit",
                     (long long)limit)
               : false;
}

void cli_chips_free(cli_chips *c) {
    snn_ledger_free(&c->ledger);
    snn_chips_free(&c->result);
    for (size_t i = 0; i < c->trainings; i++)
        snn_spikes_free(&c->training[i]);
    free(c->training);
    snn_map_free(c->map);
    snn_weights_free(c->stored);
    if (c->wanted)
        snn_hw_options_free(&c->options);
    *c = (cli_chips){0};
}

/* ---- the run ---- */

bool cli_chips_run(cli_chips *c, const snn_model *model, snn_frames *frames, const snn_engine_options *engine,
                   int threads, bool ideal, const snn_evaluate_hooks *hooks, snn_error *err) {
    snn_chips_options options = {.threads = threads,
                                 .engine = *engine,
                                 .key = c->key,
                                 .ideal = ideal || !c->wanted,
                                 .training = c->training,
                                 .trainings = c->trainings};
    const snn_hw_options *hw = c->wanted ? &c->options : NULL;
    const snn_weights *stored = c->wanted ? c->stored : model->weights;
    if (!snn_chips_run(c->map, hw, model->net, stored, frames, &options, hooks, &c->result, err))
        return false;
    /* costs are counted operations times constants: there are none without run.operations or samples */
    if (!c->wanted || !engine->count_operations || !c->result.samples)
        return true;
    c->accounted = snn_ledger_fill(&c->result, model->net, c->map, hw, stored, &c->ledger, err);
    return c->accounted;
}

/* ---- warnings ---- */

static bool acts(const cli_chips *c, snn_effect e) {
    return c->options.condition.effects >> e & 1;
}

static void warn_retention(const cli_chips *c, json_t *warnings) {
    const snn_device *d = &c->options.device;
    double seconds = c->options.condition.seconds;
    if (d->retention != SNN_RETENTION_TABLE || !d->points || !acts(c, SNN_EFFECT_RELAXATION) ||
        seconds <= d->point[d->points - 1].seconds)
        return;
    char now[32], last[32];
    json_array_append_new(
        warnings, json_sprintf("%s after programming is beyond the last measurement of %s (%s): its trend is "
                               "continued",
                               cli_seconds(seconds, now, sizeof now), d->name,
                               cli_seconds(d->point[d->points - 1].seconds, last, sizeof last)));
}

static void warn_time(const cli_chips *c, json_t *warnings) {
    if (c->options.time_idle)
        json_array_append_new(
            warnings,
            json_sprintf("hw.time (%g s) changes nothing: neither retention nor 1/f noise of %s acts",
                         c->options.condition.seconds, c->options.device.name));
}

static void warn_programming(const cli_chips *c, json_t *warnings) {
    const snn_program_stats *p = &c->result.program;
    const snn_device *d = &c->options.device;
    if (c->options.condition.verify_window > 0 && p->unverified)
        json_array_append_new(
            warnings,
            json_sprintf("%llu of %llu cells never came within hw.verify_window of their target in %d pulses",
                         (unsigned long long)p->unverified, (unsigned long long)p->cells,
                         c->options.condition.verify_pulses));
    if (p->worn)
        json_array_append_new(warnings, json_sprintf("%llu cells took more pulses than %s endures (%g)",
                                                     (unsigned long long)p->worn, d->name, d->endurance));
}

void cli_chips_warn(const cli_chips *c, json_t *warnings) {
    char text[512];
    if (!c->wanted)
        return;
    if (c->options.readout == SNN_READOUT_ANALOG &&
        snn_analog_warning(&c->result.analog, &c->options, c->map, text, sizeof text))
        json_array_append_new(warnings, json_string(text));
    warn_time(c, warnings);
    warn_retention(c, warnings);
    warn_programming(c, warnings);
}
