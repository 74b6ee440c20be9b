/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Device files: presets, what the main configuration overrides, where files are looked for, what is refused; the support matrix. */
#include "device_test.h"

#include <snnsim/output.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/snnsim-device-XXXXXX";
static char file[64]; /* the device file that tests write */

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof file, "%s/my.cfg", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(file);
    return rmdir(folder);
}

static void write_device(const char *text) {
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Reads the written device file; `main_text` are further sections of the main configuration. */
static bool read_mine(const char *main_text, snn_device *d, snn_error *err) {
    char text[1024];
    snprintf(text, sizeof text, "hw = { device = \"%s\"; };\n%s", file, main_text);
    return device_of(text, d, err);
}

/* The device file `text` is refused with the sentence `want`, %F standing for its path. */
static void refused_with(const char *text, const char *main_text, const char *want) {
    char expected[1024], *to = expected;
    for (const char *from = want; *from; from++) {
        if (from[0] == '%' && from[1] == 'F') {
            to += sprintf(to, "%s", file);
            from++;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    snn_device d = {0};
    snn_error err = {0};
    write_device(text);
    assert_false(read_mine(main_text, &d, &err));
    assert_string_equal(err.text, expected);
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_null(d.source);
}

static void refused(const char *text, const char *want) {
    refused_with(text, "", want);
}

/* ---- presets ---- */

static void presets_say_what_they_cite(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double g_min, g_max;
        int levels;
        snn_retention_form retention;
        double white, stuck_hrs, stuck_lrs, read_volt, write_ns;
    } want[] = {
        {"ideal", 1, 40, 16, SNN_RETENTION_NONE, 0, 0, 0, 0, 0},
        {"neurram", 1, 40, 16, SNN_RETENTION_TABLE, 0.01, 0, 0, 0.5, 8520},
        {"neurram_cubic", 1, 39.26, 16, SNN_RETENTION_NONE, 0.01, 0, 0, 0.5, 8520},
        {"neurosim22", 1e6 / 1.7e6, 10, 2, SNN_RETENTION_NONE, 0, 0, 0, 0.5, 50},
        {"milo", 50, 225, 16, SNN_RETENTION_NONE, 0, 0, 0, 0, 0},
        {"cmo", 8, 90, 16, SNN_RETENTION_LOG, 0, 0, 0, 0, 0},
        {"harsh", 2.3988329190194904, 45.708818961487495, 2, SNN_RETENTION_NONE, 0.01, 0.0904, 0.0175, 0.3,
         10},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        snn_device d = {0};
        preset(want[i].name, &d);
        assert_string_equal(d.name, want[i].name);
        assert_true(d.source && strlen(d.source) > 20);
        close_to(d.g_min, want[i].g_min, 1e-14, want[i].name);
        close_to(d.g_max, want[i].g_max, 1e-14, want[i].name);
        assert_int_equal(d.levels, want[i].levels);
        assert_int_equal(d.retention, want[i].retention);
        assert_true(d.white == want[i].white && d.stuck_hrs == want[i].stuck_hrs &&
                    d.stuck_lrs == want[i].stuck_lrs);
        assert_true(d.read_volt == want[i].read_volt && d.write_ns == want[i].write_ns);
        assert_true(d.stuck_cluster == 1 && d.disturb == 0 && d.sense_offset == 0 && d.sense_noise == 0);
        assert_true(d.activation_ev == 0 && d.reference_kelvin == 300);
        snn_device_free(&d);
        assert_null(d.source);
    }
}

static void every_key_is_read(void **state) {
    (void)state;
    write_device(
        "cell = {\n"
        "  unit = \"uS\"; source = \"a test\"; g_min = 0.5; g_max = 20; levels = 8;\n"
        "  program = { form = \"normal\"; sigma = [1.5, 0.25, 0.125]; };\n"
        "  variation = { cell = 0.01; chip = 0.02; };\n"
        "  retention = { form = \"log\"; t0 = 3.0; mean_per_ln = -0.5; sigma_per_ln = 0.6; sigma_0 = 0.7;\n"
        "    activation_ev = 1.25; kelvin = 358.0; };\n"
        "  noise = { white = 0.03; telegraph_share = 0.4; telegraph_step = 0.05; telegraph_amplitude = "
        "0.06;\n"
        "    one_over_f = 0.07; one_over_f_log = 0.08; one_over_f_time = 1e-5; };\n"
        "  faults = { stuck_hrs = 0.09; stuck_lrs = 0.1; cluster = 2.5; };\n"
        "  disturb = { change = -0.11; reads = 1200.0; };\n"
        "  sense = { offset = 0.13; noise = 0.14; };\n"
        "  read_volt = 0.15; read_ns = 16.0; write_volt = 1.7; write_ns = 18.0; endurance = 1.9e6;\n"
        "  node_nm = 23.0; row_ohm = 2.1; column_ohm = 2.2;\n"
        "};\n");
    snn_device d = {0};
    snn_error err = {0};
    assert_true(read_mine("", &d, &err));
    assert_string_equal(d.name, "my");
    assert_string_equal(d.source, "a test");
    const double got[] = {d.g_min,
                          d.g_max,
                          d.cell_variation,
                          d.chip_variation,
                          d.t0,
                          d.mean_per_ln,
                          d.sigma_per_ln,
                          d.sigma_0,
                          d.activation_ev,
                          d.reference_kelvin,
                          d.white,
                          d.telegraph_share,
                          d.telegraph_step,
                          d.telegraph_amplitude,
                          d.one_over_f,
                          d.one_over_f_log,
                          d.one_over_f_time,
                          d.stuck_hrs,
                          d.stuck_lrs,
                          d.stuck_cluster,
                          d.disturb,
                          d.disturb_reads,
                          d.sense_offset,
                          d.sense_noise,
                          d.read_volt,
                          d.read_ns,
                          d.write_volt,
                          d.write_ns,
                          d.endurance,
                          d.node_nm,
                          d.row_ohm,
                          d.column_ohm,
                          d.sigma_program.c[0],
                          d.sigma_program.c[1],
                          d.sigma_program.c[2]};
    const double want[] = {0.5,  20,   0.01, 0.02, 3,     -0.5, 0.6, 0.7, 1.25,  358,  0.03, 0.4,
                           0.05, 0.06, 0.07, 0.08, 1e-5,  0.09, 0.1, 2.5, -0.11, 1200, 0.13, 0.14,
                           0.15, 16,   1.7,  18,   1.9e6, 23,   2.1, 2.2, 1.5,   0.25, 0.125};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (got[i] != want[i])
            fail_msg("value %zu: got %g, want %g", i, got[i], want[i]);
    assert_int_equal(d.levels, 8);
    assert_int_equal(d.sigma_program.terms, 3);
    assert_false(d.lognormal);
    assert_int_equal(d.retention, SNN_RETENTION_LOG);
    snn_device_free(&d);
}

static void lognormal_takes_one_or_two_numbers(void **state) {
    (void)state;
    snn_device d = {0};
    snn_error err = {0};
    write_device("cell = { g_min = 1; g_max = 10; program = { form = \"lognormal\"; sigma = 0.3; }; };");
    assert_true(read_mine("", &d, &err));
    assert_true(d.lognormal && d.lognormal_hrs == 0.3 && d.lognormal_sigma == 0.3);
    snn_device_free(&d);
    write_device(
        "cell = { g_min = 1; g_max = 10; program = { form = \"lognormal\"; sigma = [0.5, 0.125]; }; };");
    assert_true(read_mine("", &d, &err));
    assert_true(d.lognormal && d.lognormal_hrs == 0.5 && d.lognormal_sigma == 0.125);
    snn_device_free(&d);
}

static void the_main_configuration_wins(void **state) {
    (void)state;
    snn_device d = {0};
    snn_error err = {0};
    assert_true(
        device_of("hw = { device = \"neurram\"; }; cell = { g_max = 20.0; source = \"mine\"; levels = 4; "
                  "program = { sigma = [0.5]; }; noise = { white = 0.25; }; };",
                  &d, &err));
    assert_true(d.g_min == 1 && d.g_max == 20 && d.white == 0.25 && d.read_volt == 0.5 && d.levels == 4);
    assert_string_equal(d.source, "mine");
    assert_int_equal(d.sigma_program.terms, 1);
    assert_int_equal(d.points, 3);
    assert_true(d.point[1].seconds == 86400 && d.point[1].sigma.c[0] == 0.701);
    snn_device_free(&d);
    /* A list is taken whole. */
    assert_true(
        device_of("hw = { device = \"neurram\"; }; cell = { retention = { points = ( { seconds = 5.0; "
                  "shift = [-0.5, 0.25]; sigma = 4.0; } ); }; };",
                  &d, &err));
    assert_int_equal(d.points, 1);
    assert_true(d.point[0].seconds == 5 && d.point[0].sigma.terms == 1 && d.point[0].sigma.c[0] == 4);
    assert_true(d.point[0].shift.terms == 2 && d.point[0].shift.c[0] == -0.5 &&
                d.point[0].shift.c[1] == 0.25);
    snn_device_free(&d);
    /* Switching a form off leaves the file's numbers of that form unused, without complaint. */
    assert_true(
        device_of("hw = { device = \"cmo\"; }; cell = { retention = { form = \"none\"; }; };", &d, &err));
    assert_int_equal(d.retention, SNN_RETENTION_NONE);
    snn_device_free(&d);
}

/* ---- where files are ---- */

static void files_are_found(void **state) {
    (void)state;
    snn_device d = {0};
    snn_error err = {0};
    write_device("cell = { g_min = 2; g_max = 10; };");
    setenv("SNNSIM_DEVICES", folder, 1);
    preset("my", &d); /* by name, from the installed folder */
    assert_true(d.g_min == 2);
    snn_device_free(&d);
    preset("ideal", &d); /* ./hw/devices comes first */
    snn_device_free(&d);
    char here[512];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    preset("my.cfg", &d); /* a file in the current folder */
    assert_string_equal(d.name, "my");
    snn_device_free(&d);
    assert_false(device_of("hw = { device = \"other\"; };", &d, &err));
    assert_string_equal(err.text, "main.cfg:1: hw.device: 'other' is neither a preset (my) nor a file");
    setenv("SNNSIM_DEVICES", "/nowhere", 1);
    assert_false(device_of("hw = { device = \"my\"; };", &d, &err));
    assert_string_equal(
        err.text,
        "main.cfg:1: hw.device: 'my' is no file, and there are no presets in ./hw/devices and /nowhere");
    assert_int_equal(chdir(here), 0);
    unsetenv("SNNSIM_DEVICES");
    assert_false(device_of("hw = { device = \"neuram\"; };", &d, &err));
    assert_string_equal(err.text,
                        "main.cfg:1: hw.device: 'neuram' is neither a preset (cmo, harsh, ideal, milo, "
                        "neurosim22, neurram, neurram_cubic) nor a file");
    assert_false(device_of("hw = { device = \"neuram.cfg\"; };", &d, &err));
    assert_string_equal(err.text, "main.cfg:1: hw.device: there is no file 'neuram.cfg'");
    assert_false(device_of("hw = { device = \"hw/devices\"; };", &d, &err));
    assert_string_equal(err.text, "main.cfg:1: hw.device: there is no file 'hw/devices'");
    assert_false(device_of("seed = 1;", &d, &err));
    assert_string_equal(
        err.text, "default: hw.device: no device is set; give a preset such as neurram, or a device file");
}

/* ---- what is refused ---- */

#define RANGE "cell = { g_min = 1.0; g_max = 40.0;\n"

static void sections_and_keys(void **state) {
    (void)state;
    refused("seed = 1;\n" RANGE "};", "%F:1: seed: a device file has only the section 'cell'");
    refused(RANGE "};\nhw = { device = \"ideal\"; };", "%F:3: hw: a device file has only the section 'cell'");
    refused("\n", "%F: a device file needs the section 'cell'");
    refused(RANGE " g_mxa = 3.0; };", "%F:2: unknown key 'cell.g_mxa' (did you mean 'cell.g_max'?)");
    refused(RANGE " noise = { white = \"1 %\"; }; };",
            "%F:2: cell.noise.white: expected a number, found the text \"1 %\"");
}

static void ranges(void **state) {
    (void)state;
    refused("cell = { g_max = 40.0; };", "%F: cell.g_min is missing");
    refused("cell = { g_min = 40.0; };", "%F: cell.g_max is missing");
    refused("cell = {\n g_min = -1.0; g_max = 40.0; };",
            "%F:2: cell.g_min: -1 is out of range (0 to 1000000)");
    refused("cell = {\n g_min = 50.0;\n g_max = 40.0; };",
            "%F:2: cell.g_min: is 50 uS: the high-resistance state must conduct less than the low-resistance "
            "state "
            "(cell.g_max = 40 uS)");
    refused("cell = { g_min = 40.0; g_max = 40.0; };",
            "%F:1: cell.g_min: is 40 uS: the high-resistance state must conduct less than the low-resistance "
            "state "
            "(cell.g_max = 40 uS)");
    refused_with(RANGE "};", "cell = { g_max = 0.5; };",
                 "%F:1: cell.g_min: is 1 uS: the high-resistance state must conduct less than the "
                 "low-resistance state "
                 "(cell.g_max = 0.5 uS)");
    for (int levels = 2; levels <= 16; levels++) {
        char text[80];
        snprintf(text, sizeof text, RANGE " levels = %d; };", levels);
        snn_device d = {0};
        snn_error err = {0};
        write_device(text);
        bool power = levels == 2 || levels == 4 || levels == 8 || levels == 16;
        assert_int_equal(read_mine("", &d, &err), power);
        if (power) {
            assert_int_equal(d.levels, levels);
            snn_device_free(&d);
        }
    }
    refused(RANGE " levels = 3; };", "%F:2: cell.levels: is 3, must be 2, 4, 8 or 16");
    refused(RANGE " levels = 17; };", "%F:2: cell.levels: 17 is out of range (2 to 16)");
}

static void units(void **state) {
    (void)state;
    refused(
        RANGE " unit = \"S\"; };",
        "%F:2: cell.unit: is 'S', but conductances are given in uS (microsiemens): multiply siemens by 1e6");
    refused("cell = { g_min = 1e-6; g_max = 40e-6; };",
            "%F:1: cell.g_max: is 4e-05 uS, which is more than 1 GOhm: conductances are in uS, was it given "
            "in siemens?");
    refused("cell = { g_min = 1000; g_max = 25000; };",
            "%F:1: cell.g_max: is 25000 uS, which is less than 100 Ohm: conductances are in uS, was a "
            "resistance given?");
    snn_device d = {0};
    snn_error err = {0};
    write_device("cell = { g_min = 0; g_max = 1e-3; };");
    assert_true(read_mine("", &d, &err));
    snn_device_free(&d);
    write_device("cell = { g_min = 0; g_max = 1e4; };");
    assert_true(read_mine("", &d, &err));
    snn_device_free(&d);
}

static void spreads(void **state) {
    (void)state;
    refused(RANGE " program = {\n sigma = [1.0, -0.05]; }; };",
            "%F:3: cell.program.sigma: is negative at 40 uS (-1 uS); a spread must not be, from g_min = 1 to "
            "g_max = 40 "
            "uS");
    /* Below zero only between 20 and 20.02 uS: (g - 20) (g - 20.02). */
    refused(RANGE " program = { sigma = [400.4, -40.02, 1.0]; }; };",
            "%F:2: cell.program.sigma: is negative at 20.01 uS (-0.0001 uS); a spread must not be, from "
            "g_min = 1 to "
            "g_max = 40 uS");
    /* Zero at 20 uS, negative outside the range only. */
    snn_device d = {0};
    snn_error err = {0};
    write_device(RANGE " program = { sigma = [400.0, -40.0, 1.0]; }; };");
    if (!read_mine("", &d, &err))
        fail_msg("%s", err.text);
    snn_device_free(&d);
    write_device(RANGE " program = { sigma = [-1.0, 1.0]; }; };");
    assert_true(read_mine("", &d, &err));
    snn_device_free(&d);
    refused(RANGE " program = { sigma = [1, 2, 3, 4, 5, 6, 7]; }; };",
            "%F:2: cell.program.sigma: has 7 coefficients, at most 6 are possible");
    write_device(RANGE " program = { sigma = [1, 2, 3, 4, 5, 6]; }; };");
    assert_true(read_mine("", &d, &err));
    assert_int_equal(d.sigma_program.terms, 6);
    assert_true(d.sigma_program.c[5] == 6);
    snn_device_free(&d);
    refused(RANGE " program = { sigma = [0.0, 0.0, 0.0, 0.0, 0.0, 1e308]; }; };",
            "%F:2: cell.program.sigma: is not finite at 1.15234 uS");
    refused(RANGE " program = { form = \"weibull\"; }; };",
            "%F:2: cell.program.form: 'weibull' is not one of normal, lognormal");
    refused(RANGE " program = { form = \"lognormal\"; }; };",
            "%F:2: cell.program.form: 'lognormal' needs cell.program.sigma");
    refused(RANGE " program = { form = \"lognormal\"; sigma = [1, 2, 3]; }; };",
            "%F:2: cell.program.sigma: has 3 numbers; form 'lognormal' takes one, or two (at g_min and at "
            "g_max)");
    refused(RANGE " program = { form = \"lognormal\"; sigma = [0.1, -0.1]; }; };",
            "%F:2: cell.program.sigma: is negative");
    refused(RANGE " program = { form = \"lognormal\"; sigma = [-0.1, 0.1]; }; };",
            "%F:2: cell.program.sigma: is negative");
    refused(RANGE " program = { form = \"lognormal\"; sigma = 10.5; }; };",
            "%F:2: cell.program.sigma: is above 10: form 'lognormal' takes the standard deviation of ln g");
    refused("cell = { g_min = 0; g_max = 40; program = { form = \"lognormal\"; sigma = 0.5; }; };",
            "%F:1: cell.g_min: is 0, which has no logarithm: form 'lognormal' needs more");
}

static void retention_tables(void **state) {
    (void)state;
#define POINTS(list) RANGE " retention = { form = \"table\"; points = (\n" list "); }; };"
    refused(
        POINTS("{ seconds = 10.0; sigma = 1.0; },\n{ seconds = 1.0; sigma = 1.0; }"),
        "%F:4: cell.retention.points[1].seconds: is 1 s, but the point before is at 10 s: times must ascend");
    refused(POINTS("{ seconds = 10.0; sigma = 1.0; },\n{ seconds = 10.0; sigma = 1.0; }"),
            "%F:4: cell.retention.points[1].seconds: is 10 s, but the point before is at 10 s: times must "
            "ascend");
    refused(POINTS("{ seconds = 0.0; sigma = 1.0; }"),
            "%F:3: cell.retention.points[0].seconds: is 0 s, must be above 0");
    refused(POINTS("{ sigma = 1.0; }"), "%F:2: cell.retention.points: point 0 (from 0) has no 'seconds'");
    refused(POINTS("{ seconds = 1.0; sigma = [1.0, -0.1]; }"),
            "%F:3: cell.retention.points[0].sigma: is negative at 40 uS (-3 uS); a spread must not be, from "
            "g_min = 1 to "
            "g_max = 40 uS");
    refused(POINTS("{ seconds = 1.0; shift = [0, 0, 0, 0, 0, 1e308]; }"),
            "%F:3: cell.retention.points[0].shift: is not finite at 1.15234 uS");
    refused(POINTS("{ seconds = 1.0; shift = [0, 0, 0, 0, 0, 0, 1]; }"),
            "%F:3: cell.retention.points[0].shift: has 7 coefficients, at most 6 are possible");
    /* total spreads hold that of programming */
#define PROGRAMMED(spread, list)                                                                             \
    RANGE " program = { sigma = " spread "; }; retention = { form = \"table\"; points = (\n" list "); }; };"
    refused(
        PROGRAMMED("[1.0, 0.05]", "{ seconds = 1.0; sigma = [1.0, 0.05]; },\n{ seconds = 9.0; sigma = "
                                  "[2.0, 0.024]; }"),
        "%F:2: cell.retention.points: point 1 (from 0) has a total spread (sigma) of 2.96 uS at 40 uS, below "
        "the programming spread of 3 uS there (cell.program.sigma), which it includes");
    refused(
        PROGRAMMED("1.0", "{ seconds = 1.0; }"),
        "%F:2: cell.retention.points: point 0 (from 0) has a total spread (sigma) of 0 uS at 1 uS, below the "
        "programming spread of 1 uS there (cell.program.sigma), which it includes");
    /* below within the range only */
    refused(
        PROGRAMMED("1.0", "{ seconds = 1.0; sigma = [5.0, -0.4, 0.009]; }"),
        "%F:2: cell.retention.points: point 0 (from 0) has a total spread (sigma) of 0.5556 uS at 22.22 uS, "
        "below the programming spread of 1 uS there (cell.program.sigma), which it includes");
    refused_with(PROGRAMMED("1.0", "{ seconds = 5.0; sigma = 1.0; }"),
                 "cell = { program = { sigma = 1.5; }; };",
                 "main.cfg:2: cell.program.sigma: is 1.5 uS at 1 uS, more than the total spread of 1 uS that "
                 "point 0 (from 0) of cell.retention.points gives at 5 s, programming included");
    refused(RANGE " retention = { form = \"table\"; }; };",
            "%F:2: cell.retention.form: 'table' needs at least one of cell.retention.points");
    refused("cell = { g_min = 1; g_max = 40; program = { form = \"lognormal\"; sigma = 0.5; };\n retention = "
            "{ form = "
            "\"table\"; points = ( { seconds = 1.0; } ); }; };",
            "%F:2: cell.retention.points: form 'table' gives spreads in uS; it does not go with "
            "cell.program.form "
            "'lognormal'");
    char text[1024] = RANGE " retention = { form = \"table\"; points = (";
    for (int i = 1; i <= SNN_RETENTION_POINTS; i++)
        sprintf(text + strlen(text), "%s{ seconds = %d.0; }", i > 1 ? ", " : "", i);
    size_t length = strlen(text);
    snn_device d = {0};
    snn_error err = {0};
    strcat(text, "); }; };");
    write_device(text);
    assert_true(read_mine("", &d, &err));
    assert_int_equal(d.points, SNN_RETENTION_POINTS);
    snn_device_free(&d);
    strcpy(text + length, ", { seconds = 17.0; }); }; };");
    refused(text, "%F:2: cell.retention.points: has 17 points, at most 16 are possible");
}

static void keys_of_other_forms(void **state) {
    (void)state;
    refused(RANGE " retention = { form = \"log\"; exponent = 0.1; }; };",
            "%F:2: cell.retention.exponent: belongs to cell.retention.form 'power', but the form is 'log'");
    refused(RANGE " retention = { sigma_0 = 0.1; }; };",
            "%F:2: cell.retention.sigma_0: belongs to cell.retention.form 'log', but the form is 'none'");
    refused(
        RANGE " retention = { form = \"power\"; mean_per_ln = 0.1; }; };",
        "%F:2: cell.retention.mean_per_ln: belongs to cell.retention.form 'log', but the form is 'power'");
    refused(RANGE " retention = { form = \"power\"; points = ( { seconds = 1.0; } ); }; };",
            "%F:2: cell.retention.points: belongs to cell.retention.form 'table', but the form is 'power'");
    refused(
        RANGE " retention = { form = \"none\"; sigma_per_ln = 1.0; }; };",
        "%F:2: cell.retention.sigma_per_ln: belongs to cell.retention.form 'log', but the form is 'none'");
    refused(
        RANGE " retention = { form = \"table\"; t0 = 2.0; points = ( { seconds = 1.0; } ); }; };",
        "%F:2: cell.retention.t0: belongs to cell.retention.form 'log' or 'power', but the form is 'table'");
    static const char *const temperature[] = {"activation_ev", "kelvin"};
    for (int i = 0; i < 2; i++) {
        char text[200], want[200];
        snprintf(text, sizeof text, RANGE " retention = { %s = 299.0; }; };", temperature[i]);
        if (i == 0)
            snprintf(text, sizeof text, RANGE " retention = { activation_ev = 1.0; }; };");
        snprintf(
            want, sizeof want,
            "%%F:2: cell.retention.%s: belongs to cell.retention.form 'table', 'log' or 'power', but the "
            "form is 'none'",
            temperature[i]);
        refused(text, want);
    }
    /* in the main configuration whatever file the form stands in */
    refused_with(
        RANGE " retention = { form = \"log\"; sigma_0 = 0.1; }; };",
        "cell = { retention = { exponent = 0.1; }; };",
        "main.cfg:2: cell.retention.exponent: belongs to cell.retention.form 'power', but the form is "
        "'log'");
}

static void noise_and_faults(void **state) {
    (void)state;
    refused(RANGE " noise = { one_over_f_log = -0.1; }; };",
            "%F:2: cell.noise.one_over_f_log: makes the 1/f noise negative at 40 uS: one_over_f + "
            "one_over_f_log log10(g) "
            "must not be, from g_min to g_max");
    refused("cell = { g_min = 0.5; g_max = 40; noise = { one_over_f_log = 0.1; }; };",
            "%F:1: cell.noise.one_over_f_log: makes the 1/f noise negative at 0.5 uS: one_over_f + "
            "one_over_f_log "
            "log10(g) must not be, from g_min to g_max");
    refused(
        "cell = { g_min = 0; g_max = 40; noise = { one_over_f_log = 0.1; }; };",
        "%F:1: cell.noise.one_over_f_log: makes the 1/f noise negative at 0 uS: one_over_f + one_over_f_log "
        "log10(g) must not be, from g_min to g_max");
    refused(RANGE " noise = { one_over_f = -0.1; }; };",
            "%F:2: cell.noise.one_over_f: makes the 1/f noise negative at 1 uS: one_over_f + one_over_f_log "
            "log10(g) must "
            "not be, from g_min to g_max");
    refused(RANGE " faults = { stuck_hrs = 0.625; stuck_lrs = 0.5; }; };",
            "%F:2: cell.faults.stuck_lrs: and cell.faults.stuck_hrs are shares of the same cells: 0.5 + "
            "0.625 is above 1");
    snn_device d = {0};
    snn_error err = {0};
    write_device(
        RANGE
        " noise = { one_over_f = 0.1; one_over_f_log = -0.05; }; faults = { stuck_hrs = 0.5; stuck_lrs = "
        "0.5; }; };");
    assert_true(read_mine("", &d, &err)); /* 0.1 - 0.05 log10(40) = 0.02 */
    snn_device_free(&d);
    write_device("cell = { g_min = 0; g_max = 40; noise = { one_over_f = 0.1; }; };");
    assert_true(read_mine("", &d, &err));
    snn_device_free(&d);
}

static void support(void **state) {
    (void)state;
    static const char *const names[SNN_EFFECTS] = {
        "programming", "relaxation",     "white_noise",    "telegraph", "one_over_f", "stuck",
        "disturb",     "cell_variation", "chip_variation", "sense",     "wire",       "adc"};
    for (int e = 0; e < SNN_EFFECTS; e++) {
        assert_string_equal(snn_effect_name((snn_effect)e), names[e]);
        const char *digital = snn_effect_support((snn_effect)e, SNN_READOUT_DIGITAL);
        const char *analog = snn_effect_support((snn_effect)e, SNN_READOUT_ANALOG);
        assert_int_equal(digital != NULL, e != SNN_EFFECT_WIRE && e != SNN_EFFECT_ADC);
        assert_int_equal(analog != NULL, e != SNN_EFFECT_SENSE);
        if (digital)
            assert_true(digital[strlen(digital) - 1] == '.');
        if (analog)
            assert_true(analog[strlen(analog) - 1] == '.');
    }
    assert_null(snn_effect_name(SNN_EFFECTS));
    assert_null(snn_effect_support(SNN_EFFECTS, SNN_READOUT_DIGITAL));
    assert_null(snn_effect_support(SNN_EFFECT_STUCK, (snn_readout_mode)2));
}

/* docs/devices.md holds the matrix that the code has. */
static void the_page_has_the_matrix(void **state) {
    (void)state;
    uint8_t *page;
    size_t size;
    snn_error err = {0};
    if (!snn_file_read("docs/devices.md", 1 << 20, &page, &size, &err))
        fail_msg("%s", err.text);
    for (int e = 0; e < SNN_EFFECTS; e++) {
        char row[600];
        const char *digital = snn_effect_support((snn_effect)e, SNN_READOUT_DIGITAL);
        const char *analog = snn_effect_support((snn_effect)e, SNN_READOUT_ANALOG);
        snprintf(row, sizeof row, "\n| `%s` | %s | %s |\n", snn_effect_name((snn_effect)e),
                 digital ? digital : "not supported", analog ? analog : "not supported");
        if (!memmem(page, size, row, strlen(row)))
            fail_msg("docs/devices.md lacks%s", row);
    }
    free(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_say_what_they_cite),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(lognormal_takes_one_or_two_numbers),
        cmocka_unit_test(the_main_configuration_wins),
        cmocka_unit_test(files_are_found),
        cmocka_unit_test(sections_and_keys),
        cmocka_unit_test(ranges),
        cmocka_unit_test(units),
        cmocka_unit_test(spreads),
        cmocka_unit_test(retention_tables),
        cmocka_unit_test(keys_of_other_forms),
        cmocka_unit_test(noise_and_faults),
        cmocka_unit_test(support),
        cmocka_unit_test(the_page_has_the_matrix),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
