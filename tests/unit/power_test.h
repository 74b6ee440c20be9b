/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of Liberty, dumps and power share: files in a folder of their own, and a library small enough to calculate with by hand. */
#ifndef SNN_POWER_TEST_H
#define SNN_POWER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One file in memory, named as long as it is open. */
typedef struct {
    char path[64];
    FILE *f;
} test_file;

static inline test_file test_write(const char *text) {
    test_file t;
    t.f = tmpfile();
    assert_non_null(t.f);
    assert_true(fputs(text, t.f) >= 0 && fflush(t.f) == 0);
    snprintf(t.path, sizeof t.path, "/proc/self/fd/%d", fileno(t.f));
    return t;
}

/* 1 V, ns, pF: energies are pJ. Y = !A with an internal energy of 0.1 + 2 load for a rise and 0.05 for a fall; A's own energy of 0.01 for both edges.
 * N2: Y = !(A B), tables for each input; A's counts with B, B's with A, and 9 with neither. D: flip-flop with Q and QN, clock energy depending on D and Q. */
#define TEST_LIBRARY                                                                                         \
    "library (tiny) {\n"                                                                                     \
    "  time_unit : \"1ns\"; voltage_unit : \"1V\"; leakage_power_unit : \"1uW\";\n"                          \
    "  capacitive_load_unit (1, pf); nom_voltage : 2.0;\n"                                                   \
    "  wire_load (\"w\") { capacitance : 0.5; slope : 0.25; fanout_length (1, 1); fanout_length (3, 2); }\n" \
    "  power_lut_template (p) { variable_1 : input_transition_time; variable_2 : "                           \
    "total_output_net_capacitance;\n"                                                                        \
    "    index_1 (\"0, 1\"); index_2 (\"0, 1\"); }\n"                                                        \
    "  power_lut_template (i) { variable_1 : input_transition_time; index_1 (\"0, 1\"); }\n"                 \
    "  lu_table_template (t) { variable_1 : total_output_net_capacitance; variable_2 : "                     \
    "input_net_transition;\n"                                                                                \
    "    index_1 (\"0, 1\"); index_2 (\"0, 1\"); }\n"                                                        \
    "  cell (INV) { area : 3; cell_leakage_power : 2;\n"                                                     \
    "    leakage_power () { value : 1; when : \"!A\"; } leakage_power () { value : 5; when : \"A\"; }\n"     \
    "    pin (A) { direction : input; capacitance : 0.5;\n"                                                  \
    "      internal_power () { power (scalar) { values (\"0.01\"); } } }\n"                                  \
    "    pin (Y) { direction : output; function : \"!A\";\n"                                                 \
    "      timing () { related_pin : \"A\"; timing_sense : negative_unate;\n"                                \
    "        rise_transition (t) { values (\"0.2, 0.4\", \"0.6, 0.8\"); }\n"                                 \
    "        fall_transition (t) { values (\"0.1, 0.1\", \"0.1, 0.1\"); } }\n"                               \
    "      internal_power () { related_pin : \"A\"; rise_power (p) { values (\"0.1, 2.1\", \"0.1, 2.1\"); "  \
    "}\n"                                                                                                    \
    "        fall_power (scalar) { values (\"0.05\"); } } } }\n"                                             \
    "  cell (N2) { area : 4;\n"                                                                              \
    "    pin (A) { direction : input; capacitance : 0.25; }\n"                                               \
    "    pin (B) { direction : input; capacitance : 0.25; }\n"                                               \
    "    pin (Y) { direction : output; function : \"(A B)'\";\n"                                             \
    "      timing () { related_pin : \"A B\"; timing_sense : negative_unate;\n"                              \
    "        rise_transition (scalar) { values (\"0.5\"); } fall_transition (scalar) { values (\"0.5\"); } " \
    "}\n"                                                                                                    \
    "      internal_power () { related_pin : \"A\"; when : \"B\"; power (scalar) { values (\"1\"); } }\n"    \
    "      internal_power () { related_pin : \"B\"; when : \"A\"; power (scalar) { values (\"3\"); } }\n"    \
    "      internal_power () { related_pin : \"A B\"; when : \"!A & !B\"; power (i) { values (\"9, 11\"); "  \
    "} } } }\n"                                                                                              \
    "  cell (D) { area : 10; ff (IQ, IQN) { next_state : \"D\"; clocked_on : \"C\"; }\n"                     \
    "    leakage_power () { value : 7; when : \"Q !QN\"; } leakage_power () { value : 4; }\n"                \
    "    pin (C) { direction : input; capacitance : 0.1;\n"                                                  \
    "      internal_power () { when : \"D ^ Q\"; rise_power (i) { values (\"1, 3\"); } fall_power (scalar) " \
    "{ values (\"0.5\"); } }\n"                                                                              \
    "      internal_power () { when : \"!(D ^ Q) & (QN + Q)\"; rise_power (i) { values (\"0.2, 0.4\"); } "   \
    "}\n"                                                                                                    \
    "    }\n"                                                                                                \
    "    pin (D) { direction : input; capacitance : 0.1; }\n"                                                \
    "    pin (Q) { direction : output; function : \"IQ\";\n"                                                 \
    "      timing () { related_pin : \"C\"; timing_type : rising_edge;\n"                                    \
    "        rise_transition (i2) { values (\"0.3\"); } fall_transition (i2) { values (\"0.3\"); } }\n"      \
    "      timing () { related_pin : \"D\"; rise_transition (scalar) { values (\"9\"); } fall_transition "   \
    "(scalar) { values (\"9\"); } } }\n"                                                                     \
    "    pin (QN) { direction : output; function : \"IQN\"; } }\n"                                           \
    "  lu_table_template (i2) { variable_1 : input_net_transition; index_1 (\"0\"); }\n"                     \
    "}\n"

#endif
