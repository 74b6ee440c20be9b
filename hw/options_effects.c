/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which effects act. Nothing is left out silently: an effect that is named must be there and must be supported by the read-out mode, and with "all" an effect of the
 * device that the mode does not support must be named in hw.without. Wire and converters are no part of digital read-out at all, so that "all" does not mean them there.
 */
#include "options_internal.h"

#include <stdio.h>
#include <string.h>

/* What an effect that a device does not have would need. */
static const char *const needs[SNN_EFFECTS] = {
    [SNN_EFFECT_PROGRAMMING] = "cell.program.sigma",
    [SNN_EFFECT_RELAXATION] = "cell.retention.form",
    [SNN_EFFECT_WHITE_NOISE] = "cell.noise.white",
    [SNN_EFFECT_TELEGRAPH] = "cell.noise.telegraph_share with telegraph_step or telegraph_amplitude",
    [SNN_EFFECT_ONE_OVER_F] = "cell.noise.one_over_f or one_over_f_log",
    [SNN_EFFECT_STUCK] = "cell.faults.stuck_hrs, cell.faults.stuck_lrs or hw.fault_map",
    [SNN_EFFECT_DISTURB] = "cell.disturb.change",
    [SNN_EFFECT_CELL_VARIATION] = "cell.variation.cell",
    [SNN_EFFECT_CHIP_VARIATION] = "cell.variation.chip",
    [SNN_EFFECT_SENSE] = "cell.sense.offset or cell.sense.noise",
    [SNN_EFFECT_WIRE] =
        ("hw.analog.wire and row_ohm, column_ohm (cell) or driver_ohm, sense_ohm (hw.analog)"),
    [SNN_EFFECT_ADC] = "hw.analog.adc_offset, adc_gain or adc_inl, and adc_bits above 0"};

static bool any_term(const snn_polynomial *p) {
    for (int i = 0; i < p->terms; i++)
        if (p->c[i] > 0 || p->c[i] < 0)
            return true;
    return false;
}

static bool nonzero(double x) {
    return x > 0 || x < 0;
}

static bool has_wire(const snn_device *d, const snn_analog_options *a) {
    return a->wire != SNN_WIRE_NONE &&
           (d->row_ohm > 0 || d->column_ohm > 0 || a->driver_ohm > 0 || a->sense_ohm > 0);
}

bool snn_hw_has(const snn_hw_options *o, snn_effect e) {
    const snn_device *d = &o->device;
    const snn_analog_options *a = &o->analog;
    switch (e) {
    case SNN_EFFECT_PROGRAMMING:
        return d->lognormal ? d->lognormal_hrs > 0 || d->lognormal_sigma > 0 : any_term(&d->sigma_program);
    case SNN_EFFECT_RELAXATION:
        return d->retention != SNN_RETENTION_NONE;
    case SNN_EFFECT_WHITE_NOISE:
        return d->white > 0;
    case SNN_EFFECT_TELEGRAPH:
        return d->telegraph_share > 0 && (d->telegraph_step > 0 || d->telegraph_amplitude > 0);
    case SNN_EFFECT_ONE_OVER_F:
        return nonzero(d->one_over_f) || nonzero(d->one_over_f_log);
    case SNN_EFFECT_STUCK:
        /* a saved chip may hold those of a fault map */
        return d->stuck_hrs > 0 || d->stuck_lrs > 0 || o->fault_map != NULL || o->chip_file != NULL;
    case SNN_EFFECT_DISTURB:
        return nonzero(d->disturb);
    case SNN_EFFECT_CELL_VARIATION:
        return d->cell_variation > 0;
    case SNN_EFFECT_CHIP_VARIATION:
        return d->chip_variation > 0;
    case SNN_EFFECT_SENSE:
        return d->sense_offset > 0 || d->sense_noise > 0;
    case SNN_EFFECT_WIRE:
        return has_wire(d, a);
    case SNN_EFFECT_ADC:
        return a->adc_bits > 0 && (a->adc_offset > 0 || a->adc_gain > 0 || a->adc_inl > 0);
    default:
        return false;
    }
}

/* Parts of analogue read-out only: a device file may give its wire for both modes. */
static bool belongs_to_analog(snn_effect e) {
    return e == SNN_EFFECT_WIRE || e == SNN_EFFECT_ADC;
}

static const char *mode_name(snn_readout_mode mode) {
    return mode == SNN_READOUT_ANALOG ? "analog" : "digital";
}

/* ---- names ---- */

/* "programming, relaxation, ..." */
static void list_names(char *out, size_t size) {
    size_t used = 0;
    for (int e = 0; e < SNN_EFFECTS && used < size; e++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s", e ? ", " : "", snn_effect_name((snn_effect)e));
}

static bool parse_name(const snn_config *config, const char *path, const char *name, snn_effect *out,
                       snn_error *err) {
    for (int e = 0; e < SNN_EFFECTS; e++)
        if (strcmp(name, snn_effect_name((snn_effect)e)) == 0) {
            *out = (snn_effect)e;
            return true;
        }
    char names[256];
    list_names(names, sizeof names);
    return snn_config_fail(config, path, err, "unknown effect '%.40s': expected %sone of %s", name,
                           strcmp(path, "hw.effects") == 0 ? "all, none or " : "", names);
}

/* The effects in a list of names, as bits. */
static bool parse_names(const snn_config *config, const char *path, uint32_t *bits, snn_error *err) {
    *bits = 0;
    for (int i = 0; i < snn_config_count(config, path); i++) {
        snn_effect e;
        if (!parse_name(config, path, snn_config_string_at(config, path, i), &e, err))
            return false;
        *bits |= UINT32_C(1) << e;
    }
    return true;
}

/* ---- the rules ---- */

static bool check_named(const snn_config *config, const snn_hw_options *o, uint32_t named, snn_error *err) {
    for (int i = 0; i < SNN_EFFECTS; i++) {
        snn_effect e = (snn_effect)i;
        if (!(named >> i & 1))
            continue;
        if (!snn_effect_support(e, o->readout))
            return snn_config_fail(config, "hw.effects", err,
                                   "effect %s has no place in hw.readout = \"%s\" (see the support matrix: "
                                   "snnsim hw support)",
                                   snn_effect_name(e), mode_name(o->readout));
        if (!snn_hw_has(o, e))
            return snn_config_fail(config, "hw.effects", err,
                                   "device '%s' has no effect %s: it would need %s", o->device.name,
                                   snn_effect_name(e), needs[i]);
    }
    return true;
}

/* All effects of the device that are not in `without`. */
static bool collect_all(const snn_config *config, const snn_hw_options *o, uint32_t without, uint32_t *acting,
                        snn_error *err) {
    *acting = 0;
    for (int i = 0; i < SNN_EFFECTS; i++) {
        snn_effect e = (snn_effect)i;
        if (without >> i & 1 || !snn_hw_has(o, e))
            continue;
        if (snn_effect_support(e, o->readout))
            *acting |= UINT32_C(1) << i;
        else if (o->readout == SNN_READOUT_ANALOG || !belongs_to_analog(e))
            return snn_config_fail(
                config, "hw.effects", err,
                "device '%s' has effect %s, which has no place in hw.readout = \"%s\": set "
                "hw.without = \"%s\" (in a list with what stands there already) to leave it out",
                o->device.name, snn_effect_name(e), mode_name(o->readout), snn_effect_name(e));
    }
    return true;
}

bool snn_hw_effects(const snn_config *config, snn_hw_options *o, snn_error *err) {
    static const char path[] = "hw.effects";
    uint32_t named, without;
    if (!parse_names(config, "hw.without", &without, err))
        return false;
    int n = snn_config_count(config, path);
    for (int i = 0; i < n; i++) {
        const char *word = snn_config_string_at(config, path, i);
        bool all = strcmp(word, "all") == 0;
        if (!all && strcmp(word, "none") != 0)
            continue;
        if (n > 1)
            return snn_config_fail(config, path, err, "\"%s\" stands alone: expected it without other names",
                                   word);
        o->condition.effects = 0;
        return !all || collect_all(config, o, without, &o->condition.effects, err);
    }
    if (!parse_names(config, path, &named, err) || !check_named(config, o, named, err))
        return false;
    o->condition.effects = named & ~without;
    return true;
}
