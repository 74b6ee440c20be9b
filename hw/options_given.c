/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys that were given and cannot act. What nobody gave has a default that does no harm; what somebody gave is wanted, so that a key which changes nothing here is an error
 * that names what would make it act. Two things are no demand: an off value (0, false, none) of a key that has one, and a parameter of an effect that hw.effects or
 * hw.without switches off by name. A parameter given as zero counts as there, so that a grid can begin at zero (cell.faults.stuck_hrs=0,0.01 with spare rows).
 *
 * hw.time is the exception: grids over devices and times are common, so that a device without retention says so in a warning (o->time_idle).
 */
#include "options_internal.h"

#include <string.h>

typedef struct {
    const snn_config *config;
    const snn_hw_options *o;
} given;

static bool acts(const given *g, snn_effect e) {
    return g->o->condition.effects >> e & 1;
}

/* Is one of the parameters given in the main configuration, be it as zero? */
static bool named(const given *g, const char *path) {
    return snn_config_given(g->config, path);
}

/* The effect acts, or is off only because its parameter was given as zero. */
static bool acts_or_zero(const given *g, snn_effect e, const char *parameter) {
    return acts(g, e) || (named(g, parameter) && !snn_hw_has(g->o, e));
}

/* ---- when a key acts ---- */

static bool is_digital(const given *g) {
    return g->o->readout == SNN_READOUT_DIGITAL;
}

static bool has_warm_wires(const given *g) {
    return acts(g, SNN_EFFECT_WIRE) && (g->o->device.row_ohm > 0 || g->o->device.column_ohm > 0);
}

static bool has_temperature(const given *g) {
    return acts_or_zero(g, SNN_EFFECT_RELAXATION, "cell.retention.form") || has_warm_wires(g);
}

static bool has_disturb(const given *g) {
    return acts_or_zero(g, SNN_EFFECT_DISTURB, "cell.disturb.change");
}

/* A saved chip is compared with how it was programmed and repaired, whatever acts when it is read. */
static bool is_saved(const given *g) {
    return g->o->chip_file != NULL;
}

static bool has_programming(const given *g) {
    return is_saved(g) || acts_or_zero(g, SNN_EFFECT_PROGRAMMING, "cell.program.sigma");
}

static bool has_window(const given *g) {
    return g->o->condition.verify_window > 0 || named(g, "hw.verify_window");
}

static bool has_order(const given *g) {
    return g->o->map.cell_bits > 1;
}

static bool has_stuck(const given *g) {
    return is_saved(g) || acts_or_zero(g, SNN_EFFECT_STUCK, "cell.faults.stuck_hrs") ||
           acts_or_zero(g, SNN_EFFECT_STUCK, "cell.faults.stuck_lrs");
}

static bool has_codes(const given *g) {
    return g->o->analog.adc_bits > 0;
}

static bool has_wire_model(const given *g) {
    return g->o->analog.wire != SNN_WIRE_NONE;
}

static bool has_pedestal(const given *g) {
    return g->o->map.cell_bits != 0;
}

static bool is_programmed(const given *g) {
    return !is_saved(g);
}

static bool has_shares(const given *g) {
    return g->o->fault_map == NULL;
}

static bool has_clusters(const given *g) {
    const snn_device *d = &g->o->device;
    return has_shares(g) && (d->stuck_hrs > 0 || d->stuck_lrs > 0 || named(g, "cell.faults.stuck_hrs") ||
                             named(g, "cell.faults.stuck_lrs"));
}

static bool has_telegraph_share(const given *g) {
    return g->o->device.telegraph_share > 0 || named(g, "cell.noise.telegraph_share");
}

static bool has_telegraph_step(const given *g) {
    const snn_device *d = &g->o->device;
    return d->telegraph_step > 0 || d->telegraph_amplitude > 0 || named(g, "cell.noise.telegraph_step") ||
           named(g, "cell.noise.telegraph_amplitude");
}

static bool has_slow_noise(const given *g) {
    return snn_hw_has(g->o, SNN_EFFECT_ONE_OVER_F) || named(g, "cell.noise.one_over_f") ||
           named(g, "cell.noise.one_over_f_log");
}

static bool has_disturbance(const given *g) {
    return snn_hw_has(g->o, SNN_EFFECT_DISTURB) || named(g, "cell.disturb.change");
}

/* ---- the table ---- */

#define STUCK_CELLS "stuck cells that act (cell.faults.stuck_hrs, cell.faults.stuck_lrs or hw.fault_map)"
#define CODES "hw.analog.adc_bits above 0: an ideal conversion has no codes"
#define SHARES "random stuck cells, but hw.fault_map says which cells are stuck"

static const struct {
    const char *path;
    bool off; /* 0, false, "" and "none" ask for nothing */
    bool (*acts)(const given *g);
    const char *needs;
} rules[] = {
    {"hw.gray", false, has_order, "hw.cell_bits above 1: two levels have no order"},
    {"hw.first_chip", false, is_programmed, "a chip that is programmed, but hw.chip_file has its own number"},
    {"hw.fault_map", true, is_programmed,
     "a chip that is programmed, but hw.chip_file has its own stuck cells"},
    {"hw.temperature", false, has_temperature,
     "effect relaxation (cell.retention.form), or with hw.readout = \"analog\" effect wire (cell.row_ohm, "
     "cell.column_ohm)"},
    {"hw.reads_before", true, has_disturb, "effect disturb (cell.disturb.change)"},
    {"hw.verify_window", true, has_programming, "effect programming (cell.program.sigma)"},
    {"hw.verify_pulses", false, has_window, "hw.verify_window above 0"},
    {"hw.reference", false, is_digital, "hw.readout = \"digital\""},
    {"hw.repair.spare_rows", true, has_stuck, STUCK_CELLS},
    {"hw.repair.spare_columns", true, has_stuck, STUCK_CELLS},
    {"hw.repair.msb_placement", true, has_stuck, STUCK_CELLS},
    {"hw.analog.adc_range", true, has_codes, CODES},
    {"hw.analog.adc_offset", true, has_codes, CODES},
    {"hw.analog.adc_gain", true, has_codes, CODES},
    {"hw.analog.adc_inl", true, has_codes, CODES},
    {"hw.analog.driver_ohm", true, has_wire_model, "hw.analog.wire other than \"none\""},
    {"hw.analog.sense_ohm", true, has_wire_model, "hw.analog.wire other than \"none\""},
    {"hw.analog.baseline", false, has_pedestal,
     "hw.weights = \"bits\": what both cells of a pair add is gone in their difference"},
    {"cell.faults.stuck_hrs", true, has_shares, SHARES},
    {"cell.faults.stuck_lrs", true, has_shares, SHARES},
    {"cell.faults.cluster", false, has_clusters,
     "random stuck cells (cell.faults.stuck_hrs or stuck_lrs, no hw.fault_map)"},
    {"cell.noise.telegraph_share", true, has_telegraph_step,
     "cell.noise.telegraph_step or cell.noise.telegraph_amplitude"},
    {"cell.noise.telegraph_step", true, has_telegraph_share, "cell.noise.telegraph_share"},
    {"cell.noise.telegraph_amplitude", true, has_telegraph_share, "cell.noise.telegraph_share"},
    {"cell.noise.one_over_f_time", false, has_slow_noise, "cell.noise.one_over_f or one_over_f_log"},
    {"cell.disturb.reads", false, has_disturbance, "cell.disturb.change"},
};

/* Does the key's value ask for nothing? */
static bool is_off(const snn_config *c, const snn_config_key *key) {
    switch (key->type) {
    case SNN_KEY_INT:
        return snn_config_int(c, key->path) == 0;
    case SNN_KEY_FLOAT:
        return !(snn_config_float(c, key->path) > 0);
    case SNN_KEY_BOOL:
        return !snn_config_bool(c, key->path);
    default:
        return snn_config_string(c, key->path)[0] == '\0';
    }
}

/* A key with a value of its own. */
static bool is_value(const snn_config_key *key) {
    return key->type != SNN_KEY_GROUP && strstr(key->path, "[]") == NULL;
}

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static bool fail(const snn_config *config, const char *path, const char *needs, snn_error *err) {
    return snn_config_fail(config, path, err, "is given but would do nothing: it needs %s", needs);
}

static bool check_key(const given *g, const snn_config_key *key, snn_error *err) {
    if (starts_with(key->path, "hw.analog.") && is_digital(g))
        return fail(g->config, key->path, "hw.readout = \"analog\"", err);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].path, key->path) == 0 && !(rules[i].off && is_off(g->config, key)) &&
            !rules[i].acts(g))
            return fail(g->config, key->path, rules[i].needs, err);
    return true;
}

bool snn_hw_check_given(const snn_config *config, snn_hw_options *o, snn_error *err) {
    given g = {config, o};
    for (const snn_config_key *key = snn_config_keys; key->path != NULL; key++)
        if (is_value(key) && named(&g, key->path) && !check_key(&g, key, err))
            return false;
    o->time_idle =
        named(&g, "hw.time") && !acts(&g, SNN_EFFECT_RELAXATION) && !acts(&g, SNN_EFFECT_ONE_OVER_F);
    return true;
}

bool snn_hw_check_none(const snn_config *config, snn_error *err) {
    if (snn_config_given(config, "hw.device"))
        return true;
    for (const snn_config_key *key = snn_config_keys; key->path != NULL; key++)
        if ((starts_with(key->path, "hw.") || starts_with(key->path, "cell.")) && is_value(key) &&
            !starts_with(key->path, "hw.decryptor.") && /* limits searches, and needs no cells */
            snn_config_given(config, key->path))
            return fail(config, key->path,
                        "a chip: name its cells in hw.device (hw.device = \"\" says that there is none)",
                        err);
    return true;
}
