/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of sections hw and cell that are given and would do nothing, and what makes them act. */
#include "hw_options_test.h"

typedef struct {
    const char *key, *hw, *cell, *needs;
} idle_case;

static void refuse_idle(const idle_case *k) {
    char sentence[500];
    snprintf(sentence, sizeof sentence, "t.cfg:%d: %s: is given but would do nothing: it needs %s",
             k->key[0] == 'c' ? 2 : 1, k->key, k->needs);
    refuse_with(k->hw, k->cell, sentence);
}

static void accept(const char *hw, const char *cell) {
    snn_hw_options o = accept_with(hw, cell);
    snn_hw_options_free(&o);
}

#define AGED "retention = { form = \"power\"; exponent = -0.1; }; "
#define WARM                                                                                                 \
    "effect relaxation (cell.retention.form), or with hw.readout = \"analog\" effect wire (cell.row_ohm, "   \
    "cell.column_ohm)"
#define STUCK "stuck cells that act (cell.faults.stuck_hrs, cell.faults.stuck_lrs or hw.fault_map)"
#define CODES "hw.analog.adc_bits above 0: an ideal conversion has no codes"
#define SHARES "random stuck cells, but hw.fault_map says which cells are stuck"
#define CLUSTERS "random stuck cells (cell.faults.stuck_hrs or stuck_lrs, no hw.fault_map)"

static void conditions_that_nothing_feels(void **state) {
    (void)state;
    static const idle_case cases[] = {
        {"hw.temperature", IDEAL "temperature = 300;", "", WARM},
        {"hw.temperature", IDEAL "temperature = 350; without = \"relaxation\";", AGED, WARM},
        {"hw.temperature", IDEAL "temperature = 350;", "row_ohm = 1.0;", WARM},
        {"hw.temperature", ANALOG "temperature = 350; without = \"wire\";", "row_ohm = 1.0;", WARM},
        {"hw.temperature", ANALOG "temperature = 350; analog = { driver_ohm = 1; };", "", WARM},
        {"hw.reads_before", IDEAL "reads_before = 1;", "", "effect disturb (cell.disturb.change)"},
        {"hw.reads_before", IDEAL "reads_before = 1; without = \"disturb\";", "disturb = { change = 0.1; };",
         "effect disturb (cell.disturb.change)"},
        {"hw.verify_window", IDEAL "verify_window = 1;", "", "effect programming (cell.program.sigma)"},
        {"hw.verify_window", IDEAL "verify_window = 1; without = \"programming\";",
         "program = { sigma = 0.1; };", "effect programming (cell.program.sigma)"},
        {"hw.verify_pulses", IDEAL "verify_pulses = 5;", "program = { sigma = 0.1; };",
         "hw.verify_window above 0"},
        {"hw.reference", ANALOG "reference = 0.5;", "", "hw.readout = \"digital\""},
        {"hw.gray", IDEAL "gray = true;", "", "hw.cell_bits above 1: two levels have no order"},
        {"hw.gray", ANALOG "gray = false; weights = \"differential\";", "",
         "hw.cell_bits above 1: two levels have no order"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_idle(&cases[i]);
    accept(IDEAL "temperature = 300;", AGED);
    accept(ANALOG "temperature = 350;", "row_ohm = 1.0;");
    accept(ANALOG "temperature = 350;", "column_ohm = 1.0;");
    accept(IDEAL "reads_before = 0; verify_window = 0;", "");
    /* a grid may begin at zero */
    accept(IDEAL "reads_before = 5;", "disturb = { change = 0.0; };");
    accept(IDEAL "verify_window = 1; verify_pulses = 5;", "program = { sigma = 0.0; };");
    accept(IDEAL "verify_window = 0; verify_pulses = 5;", "");
    accept(IDEAL "temperature = 350;", "retention = { form = \"none\"; };");
}

static void repairs_and_files_that_do_nothing(void **state) {
    (void)state;
    static const idle_case cases[] = {
        {"hw.repair.spare_rows", IDEAL "repair = { spare_rows = 1; };", "", STUCK},
        {"hw.repair.spare_columns", IDEAL "repair = { spare_columns = 1; };", "", STUCK},
        {"hw.repair.msb_placement", IDEAL "repair = { msb_placement = true; };", "", STUCK},
        {"hw.repair.spare_rows", IDEAL "repair = { spare_rows = 1; }; effects = \"none\";",
         "faults = { stuck_hrs = 0.1; };", STUCK},
        {"hw.first_chip", IDEAL "chip_file = \"c.h5\"; first_chip = 0;", "",
         "a chip that is programmed, but hw.chip_file has its own number"},
        {"hw.fault_map", IDEAL "chip_file = \"c.h5\"; fault_map = \"m.npy\";", "",
         "a chip that is programmed, but hw.chip_file has its own stuck cells"},
        {"cell.faults.stuck_hrs", IDEAL "fault_map = \"m.npy\";", "faults = { stuck_hrs = 0.1; };", SHARES},
        {"cell.faults.stuck_lrs", IDEAL "fault_map = \"m.npy\";", "faults = { stuck_lrs = 0.1; };", SHARES},
        {"cell.faults.cluster", "device = \"harsh\"; fault_map = \"m.npy\";", "faults = { cluster = 2; };",
         CLUSTERS},
        {"cell.faults.cluster", IDEAL, "faults = { cluster = 2; };", CLUSTERS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_idle(&cases[i]);
    static const char repair[] =
        IDEAL "repair = { spare_rows = 1; spare_columns = 2; msb_placement = true; secded = 8; }; ";
    char with[300];
    snprintf(with, sizeof with, "%s fault_map = \"m.npy\";", repair);
    accept(with, "");
    accept(repair, "faults = { stuck_lrs = 0.1; };");
    accept(repair, "faults = { stuck_hrs = 0.0; };");
    accept(repair, "faults = { stuck_lrs = 0.0; };");
    accept(IDEAL "repair = { spare_rows = 0; spare_columns = 0; msb_placement = false; secded = 8; };", "");
    accept("device = \"harsh\"; fault_map = \"m.npy\";", ""); /* instead of the shares of a device file */
    accept("device = \"harsh\"; fault_map = \"m.npy\";", "faults = { stuck_hrs = 0.0; };");
    accept("device = \"harsh\";", "faults = { cluster = 2; };");
    accept(IDEAL, "faults = { stuck_lrs = 0.0; cluster = 2; };");
    /* a saved chip was programmed and repaired before, whatever acts now */
    snprintf(with, sizeof with,
             "%s chip_file = \"c.h5\"; effects = \"none\"; verify_window = 1; verify_pulses = 5;", repair);
    accept(with, "");
    accept(IDEAL "chip_file = \"c.h5\"; chips = 1;", "");
}

static void analog_keys_that_do_nothing(void **state) {
    (void)state;
    for (const snn_config_key *key = snn_config_keys; key->path != NULL; key++) {
        if (strncmp(key->path, "hw.analog.", 10) != 0)
            continue;
        char hw[200];
        snprintf(hw, sizeof hw,
                 key->type == SNN_KEY_CHOICE ? IDEAL "analog = { %s = \"%s\"; };"
                                             : IDEAL "analog = { %s = %s; };",
                 key->path + 10, key->initial);
        refuse_idle(&(idle_case){key->path, hw, "", "hw.readout = \"analog\""});
    }
    static const idle_case cases[] = {
        {"hw.analog.adc_range", ANALOG "analog = { adc_bits = 0; adc_range = 1; };", "", CODES},
        {"hw.analog.adc_offset", ANALOG "analog = { adc_bits = 0; adc_offset = 1; };", "", CODES},
        {"hw.analog.adc_gain", ANALOG "analog = { adc_bits = 0; adc_gain = 1; };", "", CODES},
        {"hw.analog.adc_inl", ANALOG "analog = { adc_bits = 0; adc_inl = 1; };", "", CODES},
        {"hw.analog.driver_ohm", ANALOG "analog = { wire = \"none\"; driver_ohm = 1; };", "",
         "hw.analog.wire other than \"none\""},
        {"hw.analog.sense_ohm", ANALOG "analog = { wire = \"none\"; sense_ohm = 1; };", "",
         "hw.analog.wire other than \"none\""},
        {"hw.analog.baseline", ANALOG "weights = \"differential\"; analog = { baseline = \"reference\"; };",
         "", "hw.weights = \"bits\": what both cells of a pair add is gone in their difference"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_idle(&cases[i]);
    accept(ANALOG "analog = { adc_bits = 0; adc_range = 0; adc_offset = 0; adc_gain = 0; adc_inl = 0; };",
           "");
    accept(ANALOG "analog = { wire = \"none\"; driver_ohm = 0; sense_ohm = 0; };", "row_ohm = 1.0;");
    accept(ANALOG "analog = { wire = \"exact\"; };", ""); /* of no resistance */
    /* an effect that is switched off by name keeps its parameters */
    accept(ANALOG "without = [\"adc\", \"wire\"]; analog = { adc_gain = 0.1; driver_ohm = 1; };", "");
}

static void cells_with_half_an_effect(void **state) {
    (void)state;
    static const idle_case cases[] = {
        {"cell.noise.telegraph_share", IDEAL, "noise = { telegraph_share = 0.1; };",
         "cell.noise.telegraph_step or cell.noise.telegraph_amplitude"},
        {"cell.noise.telegraph_step", IDEAL, "noise = { telegraph_step = 0.1; };",
         "cell.noise.telegraph_share"},
        {"cell.noise.telegraph_amplitude", IDEAL, "noise = { telegraph_amplitude = 0.1; };",
         "cell.noise.telegraph_share"},
        {"cell.noise.one_over_f_time", IDEAL, "noise = { one_over_f_time = 1e-5; };",
         "cell.noise.one_over_f or one_over_f_log"},
        {"cell.disturb.reads", IDEAL, "disturb = { reads = 10.0; };", "cell.disturb.change"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_idle(&cases[i]);
    accept("device = \"harsh\";", "noise = { telegraph_share = 0.1; };");
    accept("device = \"harsh\";", "noise = { telegraph_step = 0.1; };");
    accept("device = \"cmo\";", "noise = { one_over_f_time = 1e-5; };");
    accept(IDEAL, "noise = { one_over_f = 0.0; one_over_f_time = 1e-5; };");
    accept(IDEAL, "noise = { one_over_f_log = 0.0; one_over_f_time = 1e-5; };");
    accept(IDEAL, "noise = { telegraph_share = 0.0; telegraph_step = 0.1; };");
    accept(IDEAL, "noise = { telegraph_share = 0.1; telegraph_amplitude = 0.0; };");
    accept(IDEAL, "disturb = { change = 0.0; reads = 10.0; };");
    accept(IDEAL, "disturb = { change = -0.1; reads = 10.0; };");
}

static bool idle_time(const char *hw, const char *cell) {
    snn_hw_options o = accept_with(hw, cell);
    bool idle = o.time_idle;
    snn_hw_options_free(&o);
    return idle;
}

static void time_may_be_idle(void **state) {
    (void)state;
    assert_false(idle_time(IDEAL, ""));
    assert_true(idle_time(IDEAL "time = 1.0;", ""));
    assert_true(idle_time(IDEAL "time = 5.0;", "noise = { white = 0.1; };"));
    assert_false(idle_time(IDEAL "time = 5.0;", AGED));
    assert_true(idle_time(IDEAL "time = 5.0; without = \"relaxation\";", AGED));
    assert_false(idle_time(IDEAL "time = 5.0;", "noise = { one_over_f = 0.1; };"));
}

static void wires_have_temperatures(void **state) {
    (void)state;
    static const char *const bad[] = {"199.9", "500.1", "77"}, *const good[] = {"200", "500"};
    char hw[200], sentence[300];
    for (size_t i = 0; i < 3; i++) {
        snprintf(hw, sizeof hw, ANALOG "temperature = %s;", bad[i]);
        snprintf(sentence, sizeof sentence,
                 "t.cfg:1: hw.temperature: %s K: resistances of wires are known from 200 to 500 K; leave the "
                 "effect 'wire' out for others",
                 bad[i]);
        refuse_with(hw, i == 0 ? "row_ohm = 1.0;" : "column_ohm = 1.0;", sentence);
    }
    for (size_t i = 0; i < 2; i++) {
        snprintf(hw, sizeof hw, ANALOG "temperature = %s;", good[i]);
        accept(hw, "row_ohm = 1.0;");
    }
    /* drivers are not wires, and digital read-out has none */
    static const char warm[] =
        "row_ohm = 1.0; retention = { form = \"power\"; exponent = 0.1; activation_ev = 1; };";
    accept(IDEAL "temperature = 77;", warm);
    accept(ANALOG "temperature = 77; without = \"wire\";", warm);
    accept(ANALOG "temperature = 77; analog = { driver_ohm = 1; };",
           "retention = { form = \"power\"; exponent = 0.1; activation_ev = 1; };");
}

/* Keys of a chip without a chip. */
static void nothing_without_a_device(void **state) {
    (void)state;
    static const struct {
        const char *hw, *cell, *at;
    } cases[] = {{"chips = 3;", "", "t.cfg:1: hw.chips"},
                 {"repair = { secded = 0; };", "", "t.cfg:1: hw.repair.secded"},
                 {"", "levels = 4;", "t.cfg:2: cell.levels"},
                 {"", "retention = { points = ( { seconds = 1.0; } ); };", "t.cfg:2: cell.retention.points"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snn_config *c = config_of(cases[i].hw, cases[i].cell);
        snn_error err = {0};
        char sentence[300];
        snprintf(
            sentence, sizeof sentence,
            "%s: is given but would do nothing: it needs a chip: name its cells in hw.device (hw.device = "
            "\"\" says that there is none)",
            cases[i].at);
        assert_false(snn_hw_check_none(c, &err));
        assert_string_equal(err.text, sentence);
        assert_int_equal(err.code, SNN_ERR_USAGE);
        assert_true(snn_config_set(c, "hw.device=", &err));
        assert_true(snn_hw_check_none(c, &err));
        snn_config_free(c);
    }
    snn_config *c = config_of("", "");
    snn_error err = {0};
    assert_true(snn_hw_check_none(c, &err));
    snn_config_free(c);
}

/* A map of the arrays is asked for without programming anything. */
static void layouts_take_what_chips_refuse(void **state) {
    (void)state;
    snn_config *c = config_of(IDEAL "repair = { spare_rows = 2; }; gray = false;", "");
    snn_hw_options o;
    snn_error err = {0};
    assert_false(snn_hw_options_from_config(c, &o, &err));
    assert_true(snn_hw_layout_from_config(c, &o, &err));
    assert_int_equal(o.map.spare_rows, 2);
    snn_hw_options_free(&o);
    snn_config_free(c);
    c = config_of(IDEAL "repair = { secded = 9; };", "");
    assert_false(snn_hw_layout_from_config(c, &o, &err));
    snn_config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_that_nothing_feels),
        cmocka_unit_test(repairs_and_files_that_do_nothing),
        cmocka_unit_test(analog_keys_that_do_nothing),
        cmocka_unit_test(cells_with_half_an_effect),
        cmocka_unit_test(time_may_be_idle),
        cmocka_unit_test(wires_have_temperatures),
        cmocka_unit_test(nothing_without_a_device),
        cmocka_unit_test(layouts_take_what_chips_refuse),
    };
    return cmocka_run_group_tests_name("hw_given", tests, NULL, NULL);
}
