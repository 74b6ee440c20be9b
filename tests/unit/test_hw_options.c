/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Section hw: what its keys become, which effects act, and every combination that is refused. */
#include "hw_options_test.h"

/* Every effect that a device file can have. */
#define FULL                                                                                                 \
    "program = { sigma = [0.1]; }; variation = { cell = 0.01; chip = 0.02; }; "                              \
    "retention = { form = \"power\"; exponent = -0.01; }; "                                                  \
    "noise = { white = 0.01; telegraph_share = 0.1; telegraph_amplitude = 0.1; one_over_f = 0.03; }; "       \
    "faults = { stuck_hrs = 0.001; }; disturb = { change = 0.01; }; sense = { offset = 0.1; }; "             \
    "row_ohm = 1.0; "
enum { DEVICE_EFFECTS = (1 << SNN_EFFECT_SENSE) - 1, BIT_SENSE = 1 << SNN_EFFECT_SENSE };

static void defaults(void **state) {
    (void)state;
    snn_config *none = config_of("", "");
    snn_hw_options o;
    snn_error err;
    assert_false(snn_hw_wanted(none));
    assert_false(snn_hw_options_from_config(none, &o, &err));
    assert_string_equal(err.text,
                        "default: hw.device: is empty: name a preset (such as neurram) or a device file");
    snn_config_free(none);
    none = config_of(IDEAL, "");
    assert_true(snn_hw_wanted(none));
    snn_config_free(none);
    o = accept_with(IDEAL, "");
    assert_int_equal(o.readout, SNN_READOUT_DIGITAL);
    assert_int_equal(o.map.rows, 256);
    assert_int_equal(o.map.columns, 1024);
    assert_int_equal(o.map.cell_bits, 1);
    assert_true(o.map.gray);
    assert_int_equal(o.map.spare_rows + o.map.spare_columns + o.map.code_bits, 0);
    assert_int_equal(o.condition.effects, 0);
    assert_true(o.condition.seconds == 1 && o.condition.kelvin == 300 && o.condition.reads == 0);
    assert_true(o.condition.verify_window == 0 && o.condition.verify_pulses == 20);
    assert_true(o.reference == 0.5 && o.read_error == 0 && o.cell_error == 0 && !o.msb_placement);
    assert_null(o.fault_map);
    assert_null(o.chip_file);
    assert_int_equal(o.chips, 1);
    assert_int_equal(o.first_chip, 0);
    assert_int_equal(o.seed, 1);
    assert_string_equal(o.device.name, "ideal");
    snn_hw_options_free(&o);
    assert_null(o.device.source);
    snn_hw_options_free(NULL);
}

static void every_key_arrives(void **state) {
    (void)state;
    snn_hw_options o = accept_with(
        IDEAL
        "array = \"100x77\"; cell_bits = 1; chips = 12; first_chip = 34; time = 86400.0; "
        "temperature = 310; reads_before = 5000; verify_window = 0.5; verify_pulses = 7; reference = 0.25; "
        "read_error = 0.001; cell_error = 0.002; fault_map = \"map.npy\"; "
        "repair = { spare_rows = 3; spare_columns = 4; msb_placement = true; secded = 64; };",
        "program = { sigma = 0.1; }; disturb = { change = 0.1; }; "
        "retention = { form = \"power\"; exponent = 0.1; activation_ev = 1; };");
    assert_int_equal(o.map.rows, 100);
    assert_int_equal(o.map.columns, 77);
    assert_int_equal(o.map.spare_rows, 3);
    assert_int_equal(o.map.spare_columns, 4);
    assert_int_equal(o.map.code_bits, 64);
    assert_true(o.msb_placement);
    assert_true(o.condition.seconds == 86400 && o.condition.kelvin == 310 && o.condition.reads == 5000);
    assert_true(o.condition.verify_window == 0.5 && o.condition.verify_pulses == 7 && o.reference == 0.25);
    assert_true(o.read_error == 0.001 && o.cell_error == 0.002);
    assert_string_equal(o.fault_map, "map.npy");
    assert_int_equal(o.condition.effects, 1 << SNN_EFFECT_STUCK | 1 << SNN_EFFECT_PROGRAMMING |
                                              1 << SNN_EFFECT_RELAXATION | 1 << SNN_EFFECT_DISTURB);
    assert_int_equal(o.chips, 12);
    assert_int_equal(o.first_chip, 34);
    assert_false(o.time_idle);
    snn_hw_options_free(&o);
    o = accept_with(IDEAL "cell_bits = 2; gray = false;", "");
    assert_int_equal(o.map.cell_bits, 2);
    assert_false(o.map.gray);
    snn_hw_options_free(&o);
    snn_config *c = config_of(IDEAL "chip_file = \"c.h5\";", "");
    snn_error err;
    assert_true(snn_config_set(c, "seed=9007199254740992", &err));
    assert_true(snn_hw_options_from_config(c, &o, &err));
    assert_true(o.seed == 9007199254740992);
    assert_string_equal(o.chip_file, "c.h5");
    assert_int_equal(o.condition.effects, 1 << SNN_EFFECT_STUCK); /* it may have stuck cells */
    snn_hw_options_free(&o);
    snn_config_free(c);
}

static void analog_keys_arrive(void **state) {
    (void)state;
    static const char *const wires[] = {"none", "static", "sweeps", "exact"};
    for (int i = 0; i < 4; i++) {
        char hw[400];
        snprintf(hw, sizeof hw,
                 ANALOG
                 "analog = { parallel_rows = 256; adc_bits = 5; adc_range = 0.5; "
                 "adc_offset = 0.1; adc_gain = 0.2; adc_inl = 0.3; columns_per_adc = 16; wire = \"%s\"; "
                 "%s baseline = \"%s\"; };",
                 wires[i], i > 0 ? "driver_ohm = 10; sense_ohm = 20;" : "", i % 2 ? "nominal" : "reference");
        snn_hw_options o = accept_with(hw, "");
        const snn_analog_options *a = &o.analog;
        assert_int_equal(o.readout, SNN_READOUT_ANALOG);
        assert_int_equal(a->wire, i);
        assert_int_equal(a->parallel_rows, 256);
        assert_int_equal(a->adc_bits, 5);
        assert_int_equal(a->columns_per_adc, 16);
        assert_true(a->adc_range == 0.5 && a->adc_offset == 0.1 && a->adc_gain == 0.2 && a->adc_inl == 0.3);
        assert_true(a->driver_ohm == (i > 0 ? 10 : 0) && a->sense_ohm == (i > 0 ? 20 : 0));
        assert_int_equal(a->nominal_baseline, i % 2);
        assert_int_equal(o.condition.effects, 1 << SNN_EFFECT_ADC | (i > 0) << SNN_EFFECT_WIRE);
        snn_hw_options_free(&o);
    }
    snn_hw_options o = accept_with(ANALOG "weights = \"differential\";", "");
    assert_int_equal(o.map.cell_bits, 0);
    snn_hw_options_free(&o);
}

/* Gray code is the default where bits are read, and cannot be where currents are summed. */
static void levels_of_analog_cells(void **state) {
    (void)state;
    snn_hw_options o = accept_with(ANALOG "cell_bits = 2;", "levels = 4;");
    assert_false(o.map.gray);
    assert_false(o.analog.nominal_baseline);
    snn_hw_options_free(&o);
    o = accept_with(IDEAL "cell_bits = 2;", "levels = 4;");
    assert_true(o.map.gray);
    snn_hw_options_free(&o);
    refuse_with(ANALOG "cell_bits = 2; gray = true;", "levels = 4;",
                "t.cfg:1: hw.gray: levels in Gray code do not add up as currents: with hw.readout = "
                "\"analog\" leave it out");
}

/* ---- effects ---- */

static uint32_t effects_of(const char *hw, const char *cell) {
    snn_hw_options o = accept_with(hw, cell);
    uint32_t effects = o.condition.effects;
    snn_hw_options_free(&o);
    return effects;
}

/* One parameter at a time switches its effect on, and no other. */
static void a_parameter_brings_its_effect(void **state) {
    (void)state;
    static const struct {
        snn_effect effect;
        const char *cell;
    } cases[] = {
        {SNN_EFFECT_PROGRAMMING, "program = { sigma = [0.0, 0.01]; };"},
        {SNN_EFFECT_PROGRAMMING, "g_min = 1.0; program = { form = \"lognormal\"; sigma = [0.1]; };"},
        {SNN_EFFECT_RELAXATION, "retention = { form = \"power\"; exponent = 0.01; };"},
        {SNN_EFFECT_WHITE_NOISE, "noise = { white = 0.01; };"},
        {SNN_EFFECT_TELEGRAPH, "noise = { telegraph_share = 0.1; telegraph_amplitude = 0.1; };"},
        {SNN_EFFECT_TELEGRAPH, "noise = { telegraph_share = 0.1; telegraph_step = 0.1; };"},
        {SNN_EFFECT_ONE_OVER_F, "noise = { one_over_f = 0.1; };"},
        {SNN_EFFECT_STUCK, "faults = { stuck_hrs = 0.1; };"},
        {SNN_EFFECT_STUCK, "faults = { stuck_lrs = 0.1; };"},
        {SNN_EFFECT_DISTURB, "disturb = { change = -0.1; };"},
        {SNN_EFFECT_CELL_VARIATION, "variation = { cell = 0.1; };"},
        {SNN_EFFECT_CHIP_VARIATION, "variation = { chip = 0.1; };"},
        {SNN_EFFECT_SENSE, "sense = { offset = 0.1; };"},
        {SNN_EFFECT_SENSE, "sense = { noise = 0.1; };"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(effects_of(IDEAL, cases[i].cell), 1 << cases[i].effect);
        assert_int_equal(effects_of(IDEAL "effects = \"none\";", cases[i].cell), 0);
        char hw[200];
        snprintf(hw, sizeof hw, IDEAL "effects = \"%s\";", snn_effect_name(cases[i].effect));
        assert_int_equal(effects_of(hw, cases[i].cell), 1 << cases[i].effect);
        snprintf(hw, sizeof hw, IDEAL "without = [\"%s\"];", snn_effect_name(cases[i].effect));
        assert_int_equal(effects_of(hw, cases[i].cell), 0);
    }
    assert_int_equal(effects_of(IDEAL, "program = { sigma = [0.0, 0.0]; };"), 0);
    for (int i = 0; i < 2; i++) /* spread of HRS or LRS only */
        assert_int_equal(
            effects_of(IDEAL, i ? "g_min = 1.0; program = { form = \"lognormal\"; sigma = [0.1, 0.0]; };"
                                : "g_min = 1.0; program = { form = \"lognormal\"; sigma = [0.0, 0.1]; };"),
            1 << SNN_EFFECT_PROGRAMMING);
    assert_int_equal(effects_of(IDEAL, "noise = { telegraph_share = 0.1; telegraph_step = 0.0; };"), 0);
    assert_int_equal(effects_of(IDEAL, "noise = { telegraph_share = 0.0; telegraph_amplitude = 0.1; };"), 0);
    static const char *const analog[][2] = {{"analog = { adc_offset = 0.1; };", ""},
                                            {"analog = { adc_gain = 0.1; };", ""},
                                            {"analog = { adc_inl = 0.1; };", ""},
                                            {"analog = { driver_ohm = 1; };", ""},
                                            {"analog = { sense_ohm = 1; };", ""},
                                            {"", "row_ohm = 1.0;"},
                                            {"", "column_ohm = 1.0;"}};
    for (size_t i = 0; i < sizeof analog / sizeof *analog; i++) {
        char hw[200];
        snprintf(hw, sizeof hw, ANALOG "%s", analog[i][0]);
        assert_int_equal(effects_of(hw, analog[i][1]), 1 << (i < 3 ? SNN_EFFECT_ADC : SNN_EFFECT_WIRE));
    }
    assert_int_equal(effects_of(ANALOG "analog = { wire = \"none\"; };", "row_ohm = 1.0;"), 0);
}

static void all_means_what_the_mode_has(void **state) {
    (void)state;
    assert_int_equal(effects_of(IDEAL, FULL),
                     DEVICE_EFFECTS | BIT_SENSE); /* wire is no part of digital read-out */
    assert_int_equal(effects_of(IDEAL "without = [\"sense\", \"white_noise\", \"wire\"];", FULL),
                     DEVICE_EFFECTS & ~(1 << SNN_EFFECT_WHITE_NOISE));
    assert_int_equal(effects_of(ANALOG "without = \"sense\";", FULL), DEVICE_EFFECTS | 1 << SNN_EFFECT_WIRE);
    assert_int_equal(effects_of(ANALOG "effects = [\"stuck\", \"wire\"];", FULL),
                     1 << SNN_EFFECT_STUCK | 1 << SNN_EFFECT_WIRE);
    assert_int_equal(effects_of(IDEAL "effects = [\"stuck\", \"sense\"]; without = [\"sense\"];", FULL),
                     1 << SNN_EFFECT_STUCK);
    assert_int_equal(effects_of(IDEAL "effects = [];", FULL), 0);
    refuse_with(ANALOG, FULL,
                "default: hw.effects: device 'ideal' has effect sense, which has no place in hw.readout = "
                "\"analog\": "
                "set hw.without = \"sense\" (in a list with what stands there already) to leave it out");
}

/* What does not act has no parameters left, so that nobody can use them by mistake. */
static void what_does_not_act_is_off(void **state) {
    (void)state;
    snn_hw_options o = accept_with(
        ANALOG
        "effects = \"stuck\"; analog = { adc_offset = 1; adc_gain = 0.1; adc_inl = 1; wire = \"exact\"; };",
        "row_ohm = 1.0; faults = { stuck_hrs = 0.1; };");
    assert_int_equal(o.analog.wire, SNN_WIRE_NONE);
    assert_true(o.analog.adc_offset == 0 && o.analog.adc_gain == 0 && o.analog.adc_inl == 0);
    snn_hw_options_free(&o);
}

#define NAMES                                                                                                \
    "programming, relaxation, white_noise, telegraph, one_over_f, stuck, disturb, cell_variation, "          \
    "chip_variation, sense, wire, adc"

static void wrong_effects_are_refused(void **state) {
    (void)state;
    refuse_with(IDEAL "effects = \"stuk\";", "",
                "t.cfg:1: hw.effects: unknown effect 'stuk': expected all, none or one of " NAMES);
    refuse_with(IDEAL "without = [\"all\"];", "",
                "t.cfg:1: hw.without: unknown effect 'all': expected one of " NAMES);
    refuse_with(IDEAL "effects = [\"stuck\", \"all\"];", FULL,
                "t.cfg:1: hw.effects: \"all\" stands alone: expected it without other names");
    refuse_with(IDEAL "effects = [\"none\", \"all\"];", FULL,
                "t.cfg:1: hw.effects: \"none\" stands alone: expected it without other names");
    refuse_with(IDEAL "effects = [\"telegraph\"];", "",
                "t.cfg:1: hw.effects: device 'ideal' has no effect telegraph: it would need "
                "cell.noise.telegraph_share with telegraph_step or telegraph_amplitude");
    refuse_with(
        IDEAL "effects = \"wire\";", FULL,
        "t.cfg:1: hw.effects: effect wire has no place in hw.readout = \"digital\" (see the support matrix: "
        "snnsim hw support)");
    refuse_with(
        IDEAL "effects = \"adc\";", FULL,
        "t.cfg:1: hw.effects: effect adc has no place in hw.readout = \"digital\" (see the support matrix: "
        "snnsim hw support)");
    refuse_with(
        ANALOG "effects = \"sense\";", FULL,
        "t.cfg:1: hw.effects: effect sense has no place in hw.readout = \"analog\" (see the support matrix: "
        "snnsim hw support)");
    refuse_with(
        ANALOG "effects = \"wire\"; analog = { wire = \"none\"; };", FULL,
        "t.cfg:1: hw.effects: device 'ideal' has no effect wire: it would need hw.analog.wire and row_ohm, "
        "column_ohm (cell) or driver_ohm, sense_ohm (hw.analog)");
    static const struct {
        const char *name, *needs;
    } missing[] = {{"programming", "cell.program.sigma"},
                   {"relaxation", "cell.retention.form"},
                   {"white_noise", "cell.noise.white"},
                   {"one_over_f", "cell.noise.one_over_f or one_over_f_log"},
                   {"stuck", "cell.faults.stuck_hrs, cell.faults.stuck_lrs or hw.fault_map"},
                   {"disturb", "cell.disturb.change"},
                   {"cell_variation", "cell.variation.cell"},
                   {"chip_variation", "cell.variation.chip"},
                   {"sense", "cell.sense.offset or cell.sense.noise"}};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        char hw[100], sentence[300];
        snprintf(hw, sizeof hw, IDEAL "effects = \"%s\";", missing[i].name);
        snprintf(sentence, sizeof sentence,
                 "t.cfg:1: hw.effects: device 'ideal' has no effect %s: it would need %s", missing[i].name,
                 missing[i].needs);
        refuse_with(hw, "", sentence);
    }
    refuse_with(ANALOG "effects = \"adc\";", "",
                "t.cfg:1: hw.effects: device 'ideal' has no effect adc: it would need hw.analog.adc_offset, "
                "adc_gain or adc_inl, and adc_bits above 0");
    refuse_with(ANALOG "effects = \"adc\"; analog = { adc_bits = 0; adc_gain = 0.1; };", "",
                "t.cfg:1: hw.effects: device 'ideal' has no effect adc: it would need hw.analog.adc_offset, "
                "adc_gain or adc_inl, and adc_bits above 0");
}

/* ---- arrays and cells ---- */

static void arrays(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "256",       "256*1024",   "x1024",   "256x",    "0x1024",
        "256x0",     "256x-1",     "65537x1", "1x65537", "256x10x2",
        " 256x1024", "256 x 1024", "2.5x10",  "0x10x2",  "99999999999999999999x1",
        ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char hw[100], sentence[300];
        snprintf(hw, sizeof hw, IDEAL "array = \"%s\";", wrong[i]);
        snprintf(sentence, sizeof sentence,
                 "t.cfg:1: hw.array: '%s': expected ROWSxCOLUMNS, each from 1 to 65536, such as 256x1024",
                 wrong[i]);
        refuse_with(hw, "", sentence);
    }
    snn_hw_options o = accept_with(IDEAL "array = \"65536x1\";", "");
    assert_int_equal(o.map.rows, 65536);
    assert_int_equal(o.map.columns, 1);
    snn_hw_options_free(&o);
    o = accept_with(IDEAL "array = \"007x65536\";", "");
    assert_int_equal(o.map.rows, 7);
    assert_int_equal(o.map.columns, 65536);
    snn_hw_options_free(&o);
}

static void levels_must_suffice(void **state) {
    (void)state;
    for (int bits = 1; bits <= 4; bits++) {
        char hw[100], cell[100], sentence[200];
        snprintf(hw, sizeof hw, IDEAL "cell_bits = %d;", bits);
        snprintf(cell, sizeof cell, "levels = %d;", 1 << bits);
        snn_hw_options o = accept_with(hw, cell);
        assert_int_equal(o.map.cell_bits, bits);
        snn_hw_options_free(&o);
        if (bits == 1)
            continue;
        snprintf(cell, sizeof cell, "levels = %d;", 1 << (bits - 1));
        snprintf(sentence, sizeof sentence,
                 "t.cfg:1: hw.cell_bits: %d bits need %d levels, the cells of device 'ideal' have %d "
                 "(cell.levels)",
                 bits, 1 << bits, 1 << (bits - 1));
        refuse_with(hw, cell, sentence);
    }
    refuse_with(
        ANALOG "weights = \"differential\"; cell_bits = 2;", "",
        "t.cfg:1: hw.cell_bits: 2 bits per cell: with hw.weights = \"differential\" a pair of cells holds a "
        "whole weight, leave it out");
}

static void code_words(void **state) {
    (void)state;
    static const int good[] = {0, 8, 16, 32, 64, 128, 256}, bad[] = {1, 4, 7, 12, 72, 255};
    char hw[200], sentence[300];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(hw, sizeof hw, IDEAL "repair = { secded = %d; };", good[i]);
        snn_hw_options o = accept_with(hw, "");
        assert_int_equal(o.map.code_bits, good[i]);
        snn_hw_options_free(&o);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(hw, sizeof hw, IDEAL "repair = { secded = %d; };", bad[i]);
        snprintf(sentence, sizeof sentence,
                 "t.cfg:1: hw.repair.secded: %d: expected 8, 16, 32, 64, 128 or 256 data bits per word, or 0 "
                 "for none",
                 bad[i]);
        refuse_with(hw, "", sentence);
    }
    refuse_with(IDEAL "cell_bits = 2; repair = { secded = 8; };", "",
                "t.cfg:1: hw.repair.secded: SEC-DED needs hw.cell_bits = 1: an error in a cell of 2 bits is "
                "no single "
                "error");
}

/* ---- combinations ---- */

static void modes_do_not_mix(void **state) {
    (void)state;
    static const char *const digital[][2] = {
        {"read_error = 0.1;", "hw.read_error"},
        {"cell_error = 0.1;", "hw.cell_error"},
        {"repair = { secded = 8; };", "hw.repair.secded"},
        {"repair = { msb_placement = true; };", "hw.repair.msb_placement"},
        {"repair = { spare_rows = 1; };", "hw.repair.spare_rows"},
        {"repair = { spare_columns = 1; };", "hw.repair.spare_columns"},
    };
    for (size_t i = 0; i < sizeof digital / sizeof *digital; i++) {
        char hw[200], sentence[300];
        snprintf(hw, sizeof hw, ANALOG "%s", digital[i][0]);
        snprintf(sentence, sizeof sentence,
                 "t.cfg:1: %s: needs hw.readout = \"digital\": analogue read-out reads sums, not bits",
                 digital[i][1]);
        refuse_with(hw, "", sentence);
    }
    refuse_with(
        IDEAL "weights = \"differential\";", "",
        "t.cfg:1: hw.weights: \"differential\" needs hw.readout = \"analog\": a sense amplifier reads bits");
    refuse_with(ANALOG "array = \"8x1024\"; analog = { parallel_rows = 9; };", "",
                "t.cfg:1: hw.analog.parallel_rows: 9 rows at once: an array has 8 (hw.array); 0 means all");
    snn_hw_options o = accept_with(ANALOG "array = \"8x1024\"; analog = { parallel_rows = 8; };", "");
    assert_int_equal(o.analog.parallel_rows, 8);
    snn_hw_options_free(&o);
}

static void decreed_errors_exclude_noise(void **state) {
    (void)state;
    static const char *const noise[][2] = {
        {"white_noise", "noise = { white = 0.01; };"},
        {"telegraph", "noise = { telegraph_share = 0.1; telegraph_step = 0.1; };"},
        {"one_over_f", "noise = { one_over_f_log = 0.1; };"}};
    for (size_t i = 0; i < 3; i++) {
        char sentence[300], hw[100];
        snprintf(
            sentence, sizeof sentence,
            "t.cfg:1: hw.read_error: stands in place of noise, but %s of device 'ideal' acts: add \"%s\" to "
            "hw.without",
            noise[i][0], noise[i][0]);
        refuse_with(IDEAL "read_error = 0.01;", noise[i][1], sentence);
        snprintf(hw, sizeof hw, IDEAL "read_error = 0.01; without = \"%s\";", noise[i][0]);
        assert_int_equal(effects_of(hw, noise[i][1]), 0);
        assert_int_not_equal(effects_of(IDEAL "cell_error = 0.01;", noise[i][1]), 0);
    }
    refuse_with(IDEAL "read_error = 0.01;", "sense = { noise = 0.1; };",
                "t.cfg:1: hw.read_error: stands in place of noise, but sense of device 'ideal' acts: add "
                "\"sense\" to "
                "hw.without, or set cell.sense.noise = 0");
    assert_int_equal(effects_of(IDEAL "read_error = 0.01;", "sense = { offset = 0.1; };"), BIT_SENSE);
    assert_int_equal(effects_of(IDEAL "read_error = 0.01;", "faults = { stuck_lrs = 0.1; };"),
                     1 << SNN_EFFECT_STUCK);
}

static void files_and_conditions(void **state) {
    (void)state;
    refuse_with(IDEAL "fault_map = \"m.npy\"; without = \"stuck\";", "",
                "t.cfg:1: hw.fault_map: is given, but stuck cells do not act (hw.effects, hw.without)");
    refuse_with(IDEAL "chip_file = \"c.h5\"; chips = 2;", "",
                "t.cfg:1: hw.chip_file: is one chip, but hw.chips = 2");
    static const char aged[] = "retention = { form = \"power\"; exponent = -0.1; };";
    snn_config *c = config_of(IDEAL "temperature = 350;", aged);
    snn_hw_options o;
    snn_error err = {0};
    assert_false(snn_hw_options_from_config(c, &o, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "t.cfg:1: "));
    assert_non_null(strstr(err.text, "activation"));
    snn_config_free(c);
}

static void presets_are_accepted(void **state) {
    (void)state;
    static const char *const presets[] = {"ideal", "neurram", "neurosim22", "milo", "cmo", "harsh"};
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        char hw[100];
        snprintf(hw, sizeof hw, "device = \"%s\";", presets[i]);
        snn_hw_options o = accept_with(hw, "");
        assert_string_equal(o.device.name, presets[i]);
        snn_hw_options_free(&o);
    }
    snn_config *c = config_of("device = \"no-such\";", "");
    snn_hw_options o;
    snn_error err = {0};
    assert_false(snn_hw_options_from_config(c, &o, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "no-such"));
    snn_config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_key_arrives),
        cmocka_unit_test(analog_keys_arrive),
        cmocka_unit_test(levels_of_analog_cells),
        cmocka_unit_test(a_parameter_brings_its_effect),
        cmocka_unit_test(all_means_what_the_mode_has),
        cmocka_unit_test(what_does_not_act_is_off),
        cmocka_unit_test(wrong_effects_are_refused),
        cmocka_unit_test(arrays),
        cmocka_unit_test(levels_must_suffice),
        cmocka_unit_test(code_words),
        cmocka_unit_test(modes_do_not_mix),
        cmocka_unit_test(decreed_errors_exclude_noise),
        cmocka_unit_test(files_and_conditions),
        cmocka_unit_test(presets_are_accepted),
    };
    return cmocka_run_group_tests_name("hw_options", tests, NULL, NULL);
}
