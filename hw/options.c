/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Section `hw` of the configuration: read, and every combination refused that no chip here can be. */
#include "options_internal.h"

#include <stdlib.h>
#include <string.h>

bool snn_hw_wanted(const snn_config *config) {
    return snn_config_string(config, "hw.device")[0] != '\0';
}

void snn_hw_options_free(snn_hw_options *o) {
    if (o == NULL)
        return;
    snn_device_free(&o->device);
    free(o->fault_map);
    free(o->chip_file);
    *o = (snn_hw_options){0};
}

/* ---- the array ---- */

/* Decimal number 1..SNN_ARRAY_MAX up to `end`; 0: something else stands there. */
static uint32_t parse_lines(const char *text, const char *end) {
    uint32_t n = 0;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return 0;
        n = n * 10 + (uint32_t)(*text - '0');
        if (n > SNN_ARRAY_MAX)
            return 0;
    }
    return n;
}

static bool read_array(const snn_config *config, snn_map_options *m, snn_error *err) {
    const char *text = snn_config_string(config, "hw.array"), *x = strchr(text, 'x');
    if (x != NULL) {
        m->rows = parse_lines(text, x);
        m->columns = parse_lines(x + 1, text + strlen(text));
    }
    if (x == NULL || m->rows == 0 || m->columns == 0)
        return snn_config_fail(config, "hw.array", err,
                               "'%.40s': expected ROWSxCOLUMNS, each from 1 to %d, such as 256x1024", text,
                               SNN_ARRAY_MAX);
    return true;
}

static bool read_map(const snn_config *config, snn_map_options *m, snn_error *err) {
    if (!read_array(config, m, err))
        return false;
    bool differential = strcmp(snn_config_string(config, "hw.weights"), "differential") == 0;
    int cell_bits = (int)snn_config_int(config, "hw.cell_bits");
    if (differential && cell_bits != 1)
        return snn_config_fail(config, "hw.cell_bits", err,
                               "%d bits per cell: with hw.weights = \"differential\" a pair of cells holds a "
                               "whole weight, leave it out",
                               cell_bits);
    m->cell_bits = differential ? 0 : cell_bits;
    /* Currents add up levels by their number, so Gray code is the default of digital read-out only. */
    bool analog = strcmp(snn_config_string(config, "hw.readout"), "analog") == 0;
    m->gray = snn_config_bool(config, "hw.gray") && (!analog || snn_config_given(config, "hw.gray"));
    if (analog && m->gray && cell_bits > 1)
        return snn_config_fail(
            config, "hw.gray", err,
            "levels in Gray code do not add up as currents: with hw.readout = \"analog\" leave it out");
    m->spare_rows = (uint32_t)snn_config_int(config, "hw.repair.spare_rows");
    m->spare_columns = (uint32_t)snn_config_int(config, "hw.repair.spare_columns");
    m->code_bits = (uint32_t)snn_config_int(config, "hw.repair.secded");
    if (m->code_bits != 0 && (m->code_bits < 8 || (m->code_bits & (m->code_bits - 1)) != 0))
        return snn_config_fail(config, "hw.repair.secded", err,
                               "%u: expected 8, 16, 32, 64, 128 or 256 data bits per word, or 0 for none",
                               m->code_bits);
    if (m->code_bits != 0 && cell_bits != 1)
        return snn_config_fail(config, "hw.repair.secded", err,
                               "SEC-DED needs hw.cell_bits = 1: an error in a cell of %d bits is no single "
                               "error",
                               cell_bits);
    return true;
}

/* Can the device's cells hold that many levels? */
static bool check_levels(const snn_config *config, const snn_hw_options *o, snn_error *err) {
    int bits = o->map.cell_bits;
    if (bits > 0 && 1 << bits > o->device.levels)
        return snn_config_fail(config, "hw.cell_bits", err,
                               "%d bits need %d levels, the cells of device '%s' have %d (cell.levels)", bits,
                               1 << bits, o->device.name, o->device.levels);
    return true;
}

/* ---- analogue read-out ---- */

/* Below, one code of a converter would be far less than a cell's conductance, and numbers would leave their range. */
#define LEAST_ADC_RANGE 1e-6

static bool check_range(const snn_config *config, const snn_analog_options *a, snn_error *err) {
    return a->adc_range == 0 || a->adc_range >= LEAST_ADC_RANGE ||
           snn_config_fail(config, "hw.analog.adc_range", err, "%g: expected 0 (calibrated) or at least %g",
                           a->adc_range, LEAST_ADC_RANGE);
}

static snn_wire_model wire_model(const snn_config *config) {
    static const char *const names[] = {[SNN_WIRE_NONE] = "none",
                                        [SNN_WIRE_STATIC] = "static",
                                        [SNN_WIRE_SWEEPS] = "sweeps",
                                        [SNN_WIRE_EXACT] = "exact"};
    int i = SNN_WIRE_EXACT; /* config has checked that it is one of them */
    while (i > 0 && strcmp(snn_config_string(config, "hw.analog.wire"), names[i]) != 0)
        i--;
    return (snn_wire_model)i;
}

static bool read_analog(const snn_config *config, const snn_map_options *m, snn_analog_options *a,
                        snn_error *err) {
    *a = (snn_analog_options){
        .parallel_rows = (uint32_t)snn_config_int(config, "hw.analog.parallel_rows"),
        .adc_bits = (int)snn_config_int(config, "hw.analog.adc_bits"),
        .adc_range = snn_config_float(config, "hw.analog.adc_range"),
        .adc_offset = snn_config_float(config, "hw.analog.adc_offset"),
        .adc_gain = snn_config_float(config, "hw.analog.adc_gain"),
        .adc_inl = snn_config_float(config, "hw.analog.adc_inl"),
        .columns_per_adc = (uint32_t)snn_config_int(config, "hw.analog.columns_per_adc"),
        .wire = wire_model(config),
        .driver_ohm = snn_config_float(config, "hw.analog.driver_ohm"),
        .sense_ohm = snn_config_float(config, "hw.analog.sense_ohm"),
        .nominal_baseline = strcmp(snn_config_string(config, "hw.analog.baseline"), "nominal") == 0,
    };
    if (a->parallel_rows > m->rows)
        return snn_config_fail(config, "hw.analog.parallel_rows", err,
                               "%u rows at once: an array has %u (hw.array); 0 means all", a->parallel_rows,
                               m->rows);
    return check_range(config, a, err);
}

/* What only digital read-out has must not be asked of the analogue one, nor the other way round. */
static bool check_mode(const snn_config *config, const snn_hw_options *o, snn_error *err) {
    if (o->readout == SNN_READOUT_DIGITAL)
        return o->map.cell_bits != 0 ||
               snn_config_fail(
                   config, "hw.weights", err,
                   "\"differential\" needs hw.readout = \"analog\": a sense amplifier reads bits");
    const struct {
        const char *path;
        bool set;
    } digital[] = {{"hw.read_error", o->read_error > 0},
                   {"hw.cell_error", o->cell_error > 0},
                   {"hw.repair.secded", o->map.code_bits != 0},
                   {"hw.repair.msb_placement", o->msb_placement},
                   {"hw.repair.spare_rows", o->map.spare_rows != 0},
                   {"hw.repair.spare_columns", o->map.spare_columns != 0}};
    for (size_t i = 0; i < sizeof digital / sizeof *digital; i++)
        if (digital[i].set)
            return snn_config_fail(config, digital[i].path, err,
                                   "needs hw.readout = \"digital\": analogue read-out reads sums, not bits");
    return true;
}

/* ---- errors and faults ---- */

static bool acts(const snn_hw_options *o, snn_effect e) {
    return o->condition.effects >> e & 1;
}

/* Read errors by decree stand in place of the noise of device and amplifier, not beside it. */
static bool check_read_error(const snn_config *config, const snn_hw_options *o, snn_error *err) {
    if (!(o->read_error > 0))
        return true;
    static const snn_effect noise[] = {SNN_EFFECT_WHITE_NOISE, SNN_EFFECT_TELEGRAPH, SNN_EFFECT_ONE_OVER_F,
                                       SNN_EFFECT_SENSE};
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++)
        if (acts(o, noise[i]) && (noise[i] != SNN_EFFECT_SENSE || o->device.sense_noise > 0))
            return snn_config_fail(config, "hw.read_error", err,
                                   "stands in place of noise, but %s of device '%s' acts: add \"%s\" to "
                                   "hw.without%s",
                                   snn_effect_name(noise[i]), o->device.name, snn_effect_name(noise[i]),
                                   noise[i] == SNN_EFFECT_SENSE ? ", or set cell.sense.noise = 0" : "");
    return true;
}

static bool check_files(const snn_config *config, const snn_hw_options *o, snn_error *err) {
    if (o->fault_map != NULL && !acts(o, SNN_EFFECT_STUCK))
        return snn_config_fail(config, "hw.fault_map", err,
                               "is given, but stuck cells do not act (hw.effects, hw.without)");
    if (o->chip_file != NULL && o->chips != 1)
        return snn_config_fail(config, "hw.chip_file", err, "is one chip, but hw.chips = %u", o->chips);
    return true;
}

/* ---- all of it ---- */

/* String key into memory of its own, NULL for an empty one. */
static bool read_path(const snn_config *config, const char *path, char **out, snn_error *err) {
    const char *text = snn_config_string(config, path);
    if (text[0] == '\0')
        return true;
    *out = strdup(text);
    return *out != NULL || snn_fail(err, SNN_ERR_RUNTIME, "out of memory for %s", path);
}

static bool read_plain(const snn_config *config, snn_hw_options *o, snn_error *err) {
    o->readout = strcmp(snn_config_string(config, "hw.readout"), "analog") == 0 ? SNN_READOUT_ANALOG
                                                                                : SNN_READOUT_DIGITAL;
    o->condition = (snn_condition){.seconds = snn_config_float(config, "hw.time"),
                                   .kelvin = snn_config_float(config, "hw.temperature"),
                                   .reads = (uint64_t)snn_config_int(config, "hw.reads_before"),
                                   .verify_window = snn_config_float(config, "hw.verify_window"),
                                   .verify_pulses = (int)snn_config_int(config, "hw.verify_pulses")};
    o->reference = snn_config_float(config, "hw.reference");
    o->read_error = snn_config_float(config, "hw.read_error");
    o->cell_error = snn_config_float(config, "hw.cell_error");
    o->msb_placement = snn_config_bool(config, "hw.repair.msb_placement");
    o->chips = (uint32_t)snn_config_int(config, "hw.chips");
    o->first_chip = (uint32_t)snn_config_int(config, "hw.first_chip");
    o->seed = (uint64_t)snn_config_int(config, "seed");
    return read_path(config, "hw.fault_map", &o->fault_map, err) &&
           read_path(config, "hw.chip_file", &o->chip_file, err);
}

/* Do wires and device know what they are under the condition (time, temperature)? */
static bool check_condition(const snn_config *config, const snn_hw_options *o, snn_error *err) {
    double kelvin = o->condition.kelvin;
    if (acts(o, SNN_EFFECT_WIRE) && (o->device.row_ohm > 0 || o->device.column_ohm > 0) &&
        !(kelvin >= SNN_WIRE_KELVIN_MIN && kelvin <= SNN_WIRE_KELVIN_MAX))
        return snn_config_fail(
            config, "hw.temperature", err,
            "%g K: resistances of wires are known from %g to %g K; leave the effect 'wire' "
            "out for others",
            kelvin, SNN_WIRE_KELVIN_MIN, SNN_WIRE_KELVIN_MAX);
    snn_level level;
    char where[256];
    return snn_device_level(&o->device, &o->condition, 2, 0, &level, err) ||
           snn_error_context(err, "%s", snn_config_where(config, "hw.temperature", where, sizeof where));
}

static bool read_all(const snn_config *config, snn_hw_options *o, bool layout, snn_error *err) {
    if (!read_plain(config, o, err) || !read_map(config, &o->map, err) ||
        !read_analog(config, &o->map, &o->analog, err) || !check_mode(config, o, err) ||
        !snn_device_from_config(config, &o->device, err) || !check_levels(config, o, err) ||
        !snn_hw_effects(config, o, err) || !(layout || snn_hw_check_given(config, o, err)))
        return false;
    if (!acts(o, SNN_EFFECT_WIRE))
        o->analog.wire = SNN_WIRE_NONE;
    if (!acts(o, SNN_EFFECT_ADC))
        o->analog.adc_offset = o->analog.adc_gain = o->analog.adc_inl = 0;
    return check_read_error(config, o, err) && check_files(config, o, err) && check_condition(config, o, err);
}

static bool from_config(const snn_config *config, snn_hw_options *o, bool layout, snn_error *err) {
    *o = (snn_hw_options){0};
    if (!snn_hw_wanted(config))
        return snn_config_fail(config, "hw.device", err,
                               "is empty: name a preset (such as neurram) or a device file");
    if (read_all(config, o, layout, err))
        return true;
    snn_hw_options_free(o);
    return false;
}

bool snn_hw_options_from_config(const snn_config *config, snn_hw_options *o, snn_error *err) {
    return from_config(config, o, false, err);
}

bool snn_hw_layout_from_config(const snn_config *config, snn_hw_options *o, snn_error *err) {
    return from_config(config, o, true, err);
}
