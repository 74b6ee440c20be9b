/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Energy of netlists small enough to calculate by hand (the library stands in power_test.h: 2 V, so a change of 1 pF costs 2 pJ), and what is refused. */
#include "power_test.h"

#include <snnsim/power.h>

#define VCD "$timescale 1ns $end $scope module tb $end $scope module dut $end\n"
#define END " $upscope $end $upscope $end $enddefinitions $end\n"

typedef struct {
    const char *netlist, *vcd;
    snn_power_options o;
} job;

static bool run(job *j, snn_power_report *r, snn_error *e) {
    test_file library = test_write(TEST_LIBRARY), netlist = test_write(j->netlist), vcd = test_write(j->vcd);
    const char *path = library.path;
    j->o.liberty = &path;
    j->o.liberties = 1;
    j->o.netlist = netlist.path;
    j->o.vcd = vcd.path;
    if (!j->o.scope)
        j->o.scope = "tb.dut";
    if (!j->o.clock)
        j->o.clock = 10e-9;
    bool ok = snn_power(&j->o, r, e);
    fclose(library.f);
    fclose(netlist.f);
    fclose(vcd.f);
    return ok;
}

/* Energies in pJ, leakage in fJ. */
static void expect(job *j, double switching, double internal, double leakage) {
    snn_power_report r;
    snn_error e = {0};
    if (!run(j, &r, &e))
        fail_msg("%s", e.text);
    if (fabs(r.energy.switching * 1e12 - switching) > 1e-9 ||
        fabs(r.energy.internal * 1e12 - internal) > 1e-9 || fabs(r.energy.leakage * 1e15 - leakage) > 1e-9)
        fail_msg("switching %.12g, internal %.12g pJ, leakage %.12g fJ; expected %.12g, %.12g, %.12g",
                 r.energy.switching * 1e12, r.energy.internal * 1e12, r.energy.leakage * 1e15, switching,
                 internal, leakage);
    snn_power_report_free(&r);
}

/* a -> INV -> y */
#define ONE_INVERTER                                                                                         \
    "{\"modules\": {\"m\": {\"ports\": {\"a\": {\"direction\": \"input\", \"bits\": [2]}, \"y\": "           \
    "{\"direction\": "                                                                                       \
    "\"output\", \"bits\": [3]}},"                                                                           \
    "\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"A\": [2], \"Y\": [3]}}},"                    \
    "\"netnames\": {\"a\": {\"bits\": [2]}, \"y\": {\"bits\": [3]}}}}}"
#define ONE_DUMP                                                                                             \
    VCD "$var wire 1 ! a $end $var wire 1 \" y $end" END "#0 0! 1\"\n#10 1!\n#11 0\"\n#20 0!\n#21 1\"\n"

static void inverter(void **state) {
    (void)state;
    job j = {.netlist = ONE_INVERTER, .vcd = ONE_DUMP};
    /* a: 0.5 pF, twice. A 0.01 each, Y falls 0.05 and rises 0.1 without load. 1 uW for 10 ns, 5 uW for 10 ns, 1 uW for 1 ns */
    expect(&j, 2.0, 0.17, 61);
    /* a wire of length 1 for one pin, 0.5 pF */
    j.o.wire_load = "w";
    expect(&j, 4.0, 0.17, 61);
    j.o.wire_load = NULL;
    /* only the second half: a and y once each; leakage from 15 to 21 */
    j.o.from = 15e-9;
    expect(&j, 1.0, 0.11, 26);
    /* a window beyond the last change: 20 .. 30 ns */
    j.o.from = 20e-9, j.o.to = 30e-9;
    expect(&j, 1.0, 0.11, 10);
}

/* a -> INV -> n -> INV -> y and n -> clock of D; n's load: 0.5 + 0.1 pF. */
static void transitions(void **state) {
    (void)state;
    job j = {
        .netlist = "{\"modules\": {\"m\": {\"attributes\": {\"top\": \"00000000000000000000000000000001\"}, "
                   "\"ports\": {\"a\": "
                   "{\"direction\": \"input\", \"bits\": [2]}},"
                   "\"cells\": {\"u1\": {\"type\": \"INV\", \"connections\": {\"A\": [2], \"Y\": [3]}}, "
                   "\"u2\": {\"type\": \"INV\", "
                   "\"connections\": {\"A\": [3], \"Y\": [4]}},"
                   "\"r\": {\"type\": \"D\", \"connections\": {\"C\": [3], \"D\": [\"1\"], \"Q\": [5]}}},"
                   "\"netnames\": {\"a\": {\"bits\": [2]}, \"b.n\": {\"bits\": [3]}, \"b.c.y\": {\"bits\": "
                   "[4]}, \"q\": {\"bits\": [5], "
                   "\"offset\": 3}}}, \"other\": {}}}",
        .vcd = VCD
        "$var wire 1 ! a $end $var wire 1 \" b.n $end $var wire 1 # b.c.y $end $var wire 1 $ q [3] $end" END
        "#0 1! 0\" 1# 0$\n#10 0!\n#11 1\"\n#12 0#\n#13 1$\n"};
    j.o.transition = 0.2e-9;
    j.o.depth = 2;
    snn_power_report r;
    snn_error e = {0};
    assert_true(run(&j, &r, &e));
    /* n's rise: load 0.6 pF between 0.2 + 0.6 * 0.4 and 0.4 + 0.6 * 0.4, a's fall 0.2 ns: 0.44 + 0.2 * 0.2 = 0.48 ns.
     * u1: A 0.01, Y rises 0.1 + 2 * 0.6. u2: A 0.01, Y falls 0.05. r: C rises with D ^ Q: 1 + 2 * 0.48 */
    assert_true(fabs(r.energy.internal * 1e12 - (0.01 + 1.3 + 0.01 + 0.05 + 1.96)) < 1e-9);
    assert_true(fabs(r.energy.switching * 1e12 - (1.0 + 1.2)) < 1e-9 && fabs(r.ports * 1e12 - 1.0) < 1e-9);
    assert_true(r.cells == 3 && r.area == 16 && r.nets == 4 && r.annotated == 4 && r.silent == 0 &&
                r.toggles == 4 && r.voltage == 2);
    assert_true(fabs(r.seconds - 13e-9) < 1e-18 && fabs(r.cycles - 1.3) < 1e-9);
    assert_string_equal(r.module, "m");
    assert_int_equal(r.parts, 3);
    assert_string_equal(r.part[0].name, "");
    assert_string_equal(r.part[1].name, "b");
    assert_string_equal(r.part[2].name, "b.c");
    assert_true(r.part[0].cells == 1 && fabs(r.part[0].energy.internal * 1e12 - 1.96) < 1e-9);
    assert_true(fabs(r.part[1].energy.switching * 1e12 - 1.2) < 1e-9 && r.part[1].area == 3);
    snn_power_report_free(&r);
    j.o.depth = 1;
    assert_true(run(&j, &r, &e));
    assert_int_equal(r.parts, 2);
    assert_true(r.part[1].cells == 2 && fabs(r.part[1].energy.internal * 1e12 - 1.37) < 1e-9);
    snn_power_report_free(&r);
}

static void last_input_counts(void **state) {
    (void)state;
    job j = {
        .netlist =
            "{\"modules\": {\"m\": {\"ports\": {\"i\": {\"direction\": \"input\", \"bits\": [2, 3]}},"
            "\"cells\": {\"u\": {\"type\": \"N2\", \"connections\": {\"A\": [2], \"B\": [3], \"Y\": [4]}}},"
            "\"netnames\": {\"i\": {\"bits\": [2, 3]}, \"y\": {\"bits\": [4]}}}}}",
        .vcd = VCD "$var wire 2 ! i [1:0] $end $var wire 1 \" y $end" END
                   "#0 b01 ! 1\"\n#10 b11 !\n#11 0\"\n#20 b10 !\n#21 1\"\n#30 b11 !\n#31 "
                   "0\"\n#40 b00 !\n#41 1\"\n#50 b11 !\n#51 0\"\n#60 b1x !\n#61 1\"\n"};
    /* B last with A: 3. A last with B: 1. Both hold, A last: 1. Neither: 9. Both at once: (1 + 3) / 2. A unknown: (1 + 3 + 9) / 3.
     * 7 changes of 0.25 pF; x is none */
    expect(&j, 3.5, 3 + 1 + 1 + 9 + 2 + 13.0 / 3, 0);
}

/* Two related pins with different transitions: a has 0.2 ns, b = !a with 0.25 pF rises in 0.3 + 0.2 * 0.2 = 0.34 and falls in 0.1 ns; 9 + 2 * (0.2 + 0.22) / 2.
 * A register clocked by another's output: that output has 0.3 ns, from the clock's edge and not from the arc of D. */
static void mean_transitions(void **state) {
    (void)state;
    job j = {.netlist =
                 "{\"modules\": {\"m\": {\"ports\": {\"a\": {\"direction\": \"input\", \"bits\": [2]}},"
                 "\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"A\": [2], \"Y\": [3]}}, \"v\": "
                 "{\"type\": \"N2\", "
                 "\"connections\": {\"A\": [2], \"B\": [3], \"Y\": [4]}}},"
                 "\"netnames\": {\"a\": {\"bits\": [2]}, \"b\": {\"bits\": [3]}, \"y\": {\"bits\": [4]}}}}}",
             .vcd = VCD "$var wire 1 aa a $end $var wire 1 ab b $end $var wire 1 ba y $end" END
                        "#0 1aa 0ab 1ba\n#10 0aa\n#11 0ba\n",
             .o = {.transition = 0.2e-9}};
    expect(&j, 1.5, 0.01 + 9.42, 5 * 10 + 1);
    j.netlist = "{\"modules\": {\"m\": {\"ports\": {\"c\": {\"direction\": \"input\", \"bits\": [2]}},"
                "\"cells\": {\"r\": {\"type\": \"D\", \"connections\": {\"C\": [2], \"D\": [\"1\"], \"Q\": "
                "[3]}}, \"s\": {\"type\": \"D\", "
                "\"connections\": {\"C\": [3], \"D\": [\"1\"], \"Q\": [4]}}},"
                "\"netnames\": {\"c\": {\"bits\": [2]}, \"q\": {\"bits\": [3]}, \"y\": {\"bits\": [4]}}}}}";
    j.vcd = VCD "$var wire 1 aa c $end $var wire 1 ab q $end $var wire 1 ba y $end" END
                "#0 0aa 0ab 0ba\n#10 1ab\n";
    /* 0.1 pF; D differs from Q: 1 + 2 * 0.3; two registers with Q = 0 for 10 ns */
    expect(&j, 0.2, 1.6, 80);
}

#define REGISTER                                                                                             \
    "{\"modules\": {\"m\": {\"ports\": {\"c\": {\"direction\": \"input\", \"bits\": [2]}, \"d\": "           \
    "{\"direction\": "                                                                                       \
    "\"input\", \"bits\": [3]}},"                                                                            \
    "\"cells\": {\"r\": {\"type\": \"D\", \"connections\": {\"C\": [2], \"D\": [3], \"Q\": [4], \"QN\": "    \
    "[]}}},"                                                                                                 \
    "\"netnames\": {\"c\": {\"bits\": [2]}, \"d\": {\"bits\": [3]}, \"q\": {\"bits\": [4]}}}}}"
#define REGISTER_DUMP                                                                                        \
    VCD "$var wire 1 ! c $end $var wire 1 \" d $end $var wire 1 # q $end" END                                \
        "#0 0! 0\" 0#\n#5 1!\n#7 0!\n#8 1\"\n#10 1!\n#11 1#\n#12 0!\n#14 0\"\n#15 1!\n#16 0!\n#17 0#\n#20 "  \
        "1\"\n"

static void register_states(void **state) {
    (void)state;
    job j = {.netlist = REGISTER, .vcd = REGISTER_DUMP};
    /* C rises: D = Q 0.2, then D != Q 1 twice; falls: 0.5 where D != Q still. QN is Q's complement: 4 uW for 11 + 3 ns, 7 uW for 6 ns.
     * 6 and 3 changes of 0.1 pF */
    expect(&j, 1.8, 2.7, 98);
    j.o.from = 8e-9, j.o.to = 16e-9;
    expect(&j, 1.0, 2.0, 47);
}

static void traces_cycles(void **state) {
    (void)state;
    char path[] = "/tmp/snnsim-power-XXXXXX", text[128] = "";
    close(mkstemp(path));
    job j = {.netlist = REGISTER,
             .vcd = REGISTER_DUMP,
             .o = {.clock = 4e-9, .from = 8e-9, .to = 20e-9, .trace = path}};
    /* 8 .. 12: d, c with 1. 12 .. 16: c, d, c with 1. 16 .. 20: c with 0.5; d at 20 is not in it */
    expect(&j, 1.2, 2.5, 4 * 3 + 7 * 6 + 4 * 3);
    FILE *f = fopen(path, "r");
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    assert_string_equal(text, "cycle,joule\n0,1.4e-12\n1,1.6e-12\n2,7e-13\n");
    unlink(path);
}

/* A dump without time 0, values that go over x: still one change; a constant net and a pin left open. */
static void odd_dumps(void **state) {
    (void)state;
    job j = {.netlist = ONE_INVERTER,
             .vcd = VCD "$var wire 1 ! a $end $var wire 1 \" y $end" END
                        "#100 0! 1\"\n#110 x!\n#112 1! 0\"\n#113 z\"\n"};
    /* a once, y once: A 0.01, Y 0.05. 1 uW for 10 ns, unknown 2 uW for 2 ns, 5 uW for 1 ns */
    expect(&j, 1.0, 0.06, 19);
    j.netlist = "{\"modules\": {\"m\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"A\": "
                "[\"1\"], \"Y\": [3]}}}, \"netnames\": {\"y\": "
                "{\"bits\": [3]}}}}}";
    j.vcd = VCD "$var wire 1 \" y $end" END "#0 0\"\n#10 0\"\n";
    expect(&j, 0, 0, 50);
}

/* ---- what is refused ---- */

static void refuse(job j, snn_code code, const char *says) {
    snn_power_report r;
    snn_error e = {0};
    if (run(&j, &r, &e))
        fail_msg("accepted, expected: %s", says);
    if (e.code != code || !strstr(e.text, says))
        fail_msg("%s (%d), expected %s", e.text, (int)e.code, says);
}

static void refuses_netlists(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"{", ":1: "},
        {"{}", ": no module has cells"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {}}}, \"b\": {\"cells\": {\"u\": {}}}}}",
         ": several modules have cells and none is marked as top"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {}}}}}", ": u: a cell needs a type and connections"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"X\", \"connections\": {}}}}}}",
         ": cell u: no Liberty file has a cell 'X'"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"B\": [2]}}}}}}",
         ": u: cell INV has no pin 'B'"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"A\": [2, "
         "3]}}}}}}",
         ": u: a pin with more than one bit"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"A\": [-2]}}}}}}",
         ": u: a bit is neither a number"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"A\": "
         "[67108864]}}}}}}",
         ": u: a bit is neither a number"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"A\": "
         "[\"01\"]}}}}}}",
         ": u: a bit is neither a number"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"A\": [2]}}}, "
         "\"netnames\": {\"n\": {\"bits\": [2]}}}}}",
         ": n: nothing drives it"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"Y\": [2]}}, "
         "\"v\": {\"type\": \"INV\", \"connections\": "
         "{\"Y\": [2]}}}, \"netnames\": {\"n\": {\"bits\": [2]}}}}}",
         ": v: pin Y drives a net that has a driver"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"Y\": "
         "[\"0\"]}}}}}}",
         ": u: pin Y drives a net that has a driver"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {\"Y\": [2]}}}, "
         "\"ports\": {\"p\": {\"direction\": \"input\", "
         "\"bits\": [2]}}, \"netnames\": {\"p\": {\"bits\": [2]}}}}}",
         ": u: pin Y drives a net that has a driver"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {}}}, \"ports\": "
         "{\"p\": {\"direction\": \"input\", \"bits\": "
         "[7]}}}}}",
         ": p: a port's bit has no name"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {}}}, \"netnames\": "
         "{\"n\": {\"bits\": [2, 3]}, \"n[1]\": "
         "{\"bits\": [4]}}}}}",
         ": two nets are called 'n[1]'"},
        {"{\"modules\": {\"a\": {\"cells\": {\"u\": {\"type\": \"INV\", \"connections\": {}}}, \"netnames\": "
         "{\"n\": {}}}}}",
         ": n: a net's name needs"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse((job){.netlist = bad[i].text, .vcd = ONE_DUMP}, SNN_ERR_DATA, bad[i].says);
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.module = "k"}}, SNN_ERR_DATA,
           ": there is no module 'k'");
    job named = {.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.module = "m"}};
    expect(&named, 2.0, 0.17, 61);
}

static void refuses_dumps(void **state) {
    (void)state;
    refuse((job){.netlist = ONE_INVERTER, .vcd = VCD "$var wire 1 ! a $end" END "#0 0!"}, SNN_ERR_DATA,
           "scope tb.dut lacks 1 nets of the netlist: y");
    refuse((job){.netlist = ONE_INVERTER, .vcd = VCD END "#0"}, SNN_ERR_DATA,
           "scope tb.dut lacks 2 nets of the netlist: a, y");
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.from = 21e-9}}, SNN_ERR_DATA,
           "the dump ends before the window begins");
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.scope = "tb.other"}}, SNN_ERR_DATA,
           "there is no scope 'tb.other'");
}

static void refuses_options(void **state) {
    (void)state;
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.clock = -1}}, SNN_ERR_USAGE,
           "the clock's period");
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.clock = 1}}, SNN_ERR_USAGE,
           "the clock's period");
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.transition = -1}}, SNN_ERR_USAGE,
           "the ports' transition");
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.from = -1}}, SNN_ERR_USAGE,
           "the window begins or ends before 0");
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.to = 1e300}}, SNN_ERR_USAGE,
           "the window lies beyond");
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.from = 15e-9, .to = 5e-9}}, SNN_ERR_USAGE,
           "the window ends at 5 ns: expected a time after its begin, 15 ns");
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.from = 5e-9, .to = 5e-9}}, SNN_ERR_USAGE,
           "the window ends at 5 ns");
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.clock = 0.9e-9}}, SNN_ERR_USAGE,
           "the clock's period is 0.9 ns, the dump's unit of time 1 ns");
    job least = {.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.clock = 1e-9}};
    expect(&least, 2.0, 0.17, 61);
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.wire_load = "v"}}, SNN_ERR_USAGE,
           "no wire_load 'v'");
    refuse((job){.netlist = ONE_INVERTER, .vcd = ONE_DUMP, .o = {.trace = "/nowhere/t.csv"}}, SNN_ERR_RUNTIME,
           "/nowhere/t.csv");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inverter),          cmocka_unit_test(transitions),
        cmocka_unit_test(last_input_counts), cmocka_unit_test(mean_transitions),
        cmocka_unit_test(register_states),   cmocka_unit_test(traces_cycles),
        cmocka_unit_test(odd_dumps),         cmocka_unit_test(refuses_netlists),
        cmocka_unit_test(refuses_dumps),     cmocka_unit_test(refuses_options)};
    return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
