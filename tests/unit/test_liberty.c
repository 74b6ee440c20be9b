/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Liberty files: text to tree, conditions, tables, cells, and the sentences about files that are wrong. */
#include "../../hw/liberty.h"

#include "power_test.h"

#include <zlib.h>

static snn_library *load(const char *text, snn_error *e) {
    test_file f = test_write(text);
    const char *path = f.path;
    snn_library *l = snn_library_load(&path, 1, e);
    fclose(f.f);
    return l;
}

static snn_library *tiny(void) {
    snn_error e = {0};
    snn_library *l = load(TEST_LIBRARY, &e);
    if (!l)
        fail_msg("%s", e.text);
    return l;
}

/* ---- tree ---- */

static void reads_statements(void **state) {
    (void)state;
    static const char text[] =
        "/* a\n b */ library ( \"l x\" ) { // c\n a : 1 + 2 ;\n b : \"x;y\"\n c (1, \"2 3\", d) ;\n"
        "g (h) { e : f } k () \\\n {\n} ; };\n";
    snn_lib_tree t;
    snn_error e = {0};
    assert_true(snn_lib_parse(&t, text, strlen(text), "f.lib", &e));
    assert_true(snn_lib_is(t.root->arg[0], "l x"));
    assert_int_equal(t.root->line, 2);
    const snn_lib_node *n = t.root->child;
    assert_true(snn_lib_is(n->name, "a") && n->args == 1 && snn_lib_is(n->arg[0], "1 + 2") && n->line == 3);
    n = n->next;
    assert_true(snn_lib_is(n->name, "b") && snn_lib_is(n->arg[0], "x;y"));
    n = n->next;
    assert_true(snn_lib_is(n->name, "c") && !n->group && n->args == 3 && snn_lib_is(n->arg[1], "2 3"));
    n = n->next;
    assert_true(snn_lib_is(n->name, "g") && n->group && snn_lib_is(n->child->arg[0], "f") && n->line == 6);
    n = n->next;
    assert_true(snn_lib_is(n->name, "k") && n->group && n->args == 0 && !n->child && !n->next);
    snn_lib_free(&t);
}

static void refuses_text(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {{"", "f.lib:1: the file has no group 'library'"},
               {"\n/* x", "f.lib:2: this comment has no end"},
               {"library (a) {\n b : \"x\n", "f.lib:2: this text in quotes has no end"},
               {"library (a) {\n\n", "f.lib: the file ends inside the group of line 1"},
               {"library (a) {\n b }", "f.lib:2: expected ':' or '(' after a name"},
               {"library (a) {\n b : ; }", "f.lib:2: a value is missing after ':'"},
               {"library (a) {\n c (1, 2", "f.lib:2: ')' is missing"},
               {"library (a) {\n c ({) }", "f.lib:2: a name or value is missing here"},
               {"library (a) { } x", "f.lib:1: text after the end of the library"},
               {"cell (a) { }", "f.lib:1: expected the group 'library', found 'cell'"},
               {"library : 1;", "f.lib:1: expected the group 'library', found 'library'"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snn_lib_tree t;
        snn_error e = {0};
        assert_false(snn_lib_parse(&t, bad[i].text, strlen(bad[i].text), "f.lib", &e));
        assert_int_equal(e.code, SNN_ERR_DATA);
        assert_string_equal(e.text, bad[i].says);
        snn_lib_free(&t);
    }
}

static void limits_nesting(void **state) {
    (void)state;
    char text[1024] = "library (a) {";
    snn_lib_tree t;
    snn_error e = {0};
    for (int i = 1; i < SNN_LIB_MAX_DEPTH; i++) /* the library is the first group */
        strcat(text, "g(){");
    for (int i = 0; i < SNN_LIB_MAX_DEPTH; i++)
        strcat(text, "}");
    assert_true(snn_lib_parse(&t, text, strlen(text), "f.lib", &e));
    snn_lib_free(&t);
    *text = '\0';
    strcat(text, "library (a) {");
    for (int i = 0; i < SNN_LIB_MAX_DEPTH; i++)
        strcat(text, "g(){");
    assert_false(snn_lib_parse(&t, text, strlen(text), "f.lib", &e));
    assert_string_equal(e.text, "f.lib:1: groups are nested too deeply");
    snn_lib_free(&t);
}

static void reads_compressed(void **state) {
    (void)state;
    char path[] = "/tmp/snnsim-liberty-XXXXXX";
    int fd = mkstemp(path);
    snn_lib_tree t;
    snn_error e = {0};
    gzFile f = gzdopen(fd, "wb");
    assert_int_equal(gzputs(f, TEST_LIBRARY), (int)strlen(TEST_LIBRARY));
    gzclose(f);
    assert_true(snn_lib_read(&t, path, &e));
    assert_int_equal(t.size, strlen(TEST_LIBRARY));
    snn_lib_free(&t);
    assert_int_equal(truncate(path, 300), 0);
    assert_false(snn_lib_read(&t, path, &e));
    assert_int_equal(e.code, SNN_ERR_DATA);
    snn_lib_free(&t);
    unlink(path);
    assert_false(snn_lib_read(&t, path, &e));
    assert_non_null(strstr(e.text, "cannot be opened"));
    snn_lib_free(&t);
}

static void reads_numbers(void **state) {
    (void)state;
    static const char *const bad[] = {"", "nan", "inf", "0x10", "1e999", "1 2", "1..2", "--1", "e", "1e"};
    double v;
    assert_true(snn_lib_number((snn_lib_text){"-1.5e-3x", 7}, &v) && v == -1.5e-3);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(snn_lib_number((snn_lib_text){bad[i], strlen(bad[i])}, &v));
}

/* ---- conditions ---- */

static uint64_t truth(const char *text, bool *ok) {
    static const snn_lib_text pin[] = {{"A", 1}, {"B", 1}, {"C1", 2}};
    static const snn_lib_tree tree = {.label = (char *)(uintptr_t) "f.lib"};
    snn_lib_node node = {.line = 9};
    uint64_t table = 0;
    snn_error e = {0};
    *ok = snn_lib_truth(&tree, &node, (snn_lib_text){text, strlen(text)}, pin, 3, &table, &e);
    if (!*ok)
        assert_non_null(strstr(e.text, "f.lib:9: '"));
    return table & 0xFF;
}

/* Bit s of a table: state s, bit 0 of it A, bit 1 B, bit 2 C1. */
static void evaluates_conditions(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t table;
    } good[] = {{"A", 0xAA},          {"B", 0xCC},           {"C1", 0xF0},         {"!A", 0x55},
                {"A'", 0x55},         {"(A B)", 0x88},       {"A & B", 0x88},      {"A*B", 0x88},
                {"A + B", 0xEE},      {"A|B", 0xEE},         {"A ^ B", 0x66},      {"A ^ B C1", 0x60},
                {"A | B & C1", 0xEA}, {"!(A B)'", 0x88},     {"!!A", 0xAA},        {"(A | B) C1", 0xE0},
                {"!A !B", 0x11},      {"A B' + A' B", 0x66}, {"1", 0xFF},          {"0", 0x00},
                {"A & X", 0x00},      {"A | X", 0xAA},       {"!X", 0x00},         {"!(A & X)", 0x55},
                {"X ^ X", 0x00},      {"(A)(B)", 0x88},      {"A ^ B ^ C1", 0x96}, {"A'^B", 0x99},
                {"((((A))))", 0xAA},  {"!(A | X)", 0x00},    {"!(A + B)", 0x11},   {"( A )", 0xAA},
                {"A 1", 0xAA}};
    static const char *const bad[] = {"", "A &", "(A", "A)", "& A", "A + ", "!", "A $ B", "()"};
    bool ok;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t got = truth(good[i].text, &ok);
        if (!ok || got != good[i].table)
            fail_msg("%s: %02x, expected %02x", good[i].text, (unsigned)got, (unsigned)good[i].table);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        truth(bad[i], &ok);
        if (ok)
            fail_msg("'%s' was accepted", bad[i]);
    }
}

static void spans_words(void **state) {
    (void)state;
    static const snn_lib_text pin[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}, {"f", 1}, {"g", 1}};
    static const snn_lib_tree tree = {.label = (char *)(uintptr_t) "f.lib"};
    snn_lib_node node = {.line = 1};
    uint64_t table[2];
    assert_int_equal(snn_lib_words(6), 1);
    assert_int_equal(snn_lib_words(7), 2);
    assert_true(snn_lib_truth(&tree, &node, (snn_lib_text){"g & !a", 6}, pin, 7, table, NULL));
    assert_true(table[0] == 0 && table[1] == UINT64_C(0x5555555555555555));
}

/* ---- tables ---- */

static void interpolates(void **state) {
    (void)state;
    double x[] = {1, 2, 4}, y[] = {0, 10}, value[] = {0, 10, 1, 21, 5, 45};
    snn_lib_table t = {2, {true, false}, {3, 2}, {x, y}, value};
    assert_true(fabs(snn_lib_table_at(&t, 1, 0) - 0) < 1e-12);
    assert_true(fabs(snn_lib_table_at(&t, 2, 10) - 21) < 1e-12);
    assert_true(fabs(snn_lib_table_at(&t, 3, 5) - 18) <
                1e-12); /* (1 + 5) / 2 and (21 + 45) / 2, between: 3 and 33 */
    assert_true(fabs(snn_lib_table_at(&t, 6, 0) - 9) < 1e-12); /* slope 2 goes on */
    assert_true(fabs(snn_lib_table_at(&t, 0, 0) + 1) < 1e-12);
    assert_true(fabs(snn_lib_table_at(&t, 1, 20) - 20) < 1e-12);
    snn_lib_table swapped = {2, {false, true}, {3, 2}, {x, y}, value};
    assert_true(fabs(snn_lib_table_at(&swapped, 5, 3) - 18) < 1e-12);
    snn_lib_table line = {1, {false, false}, {3, 1}, {x, NULL}, value}; /* 0, 10, 1 at 1, 2, 4 */
    assert_true(fabs(snn_lib_table_at(&line, 99, 3) - 5.5) < 1e-12);
    snn_lib_table single = {0, {false, false}, {1, 1}, {NULL, NULL}, value + 1},
                  point = {1, {true, false}, {1, 1}, {x, NULL}, value + 1};
    assert_true(snn_lib_table_at(&single, 3, 3) == 10 && snn_lib_table_at(&point, 3, 3) == 10);
    assert_true(snn_lib_table_at(&(snn_lib_table){0}, 1, 1) == 0);
}

/* ---- cells ---- */

static void reads_cells(void **state) {
    (void)state;
    snn_error e = {0};
    snn_library *l = tiny();
    const snn_lib_cell *c = snn_library_cell(l, "INV", &e);
    assert_non_null(c);
    assert_ptr_equal(c, snn_library_cell(l, "INV", &e));
    assert_true(c->area == 3 && c->pins == 2 && c->pin[0].input && !c->pin[0].output && c->pin[1].output);
    assert_true(fabs(c->pin[0].capacitance - 0.5e-12) < 1e-24);
    assert_true(c->by_state && fabs(c->leakage[0] - 1e-6) < 1e-15 && fabs(c->leakage[1] - 5e-6) < 1e-15);
    assert_true(fabs(c->leakage[3] - 5e-6) < 1e-15 && fabs(c->average - 2e-6) < 1e-15);
    assert_int_equal(c->pin[1].arc[0].sense, SNN_ARC_NEGATIVE);
    assert_int_equal(c->pin[1].power[0].related, 1);
    assert_true(fabs(snn_lib_table_at(&c->pin[1].power[0].rise, 0.5e-12, 0) - 1.1e-12) < 1e-20);
    assert_true(fabs(snn_lib_table_at(&c->pin[1].power[0].fall, 0, 0) - 0.05e-12) < 1e-20);
    assert_true(fabs(snn_lib_table_at(&c->pin[0].power[0].fall, 0, 0) - 0.01e-12) < 1e-20);
    c = snn_library_cell(l, "N2", &e);
    assert_int_equal(c->pin[2].power[2].related, 3);
    assert_int_equal(c->pin[2].power[2].when[0], 0x11);
    assert_true(c->average == 0 && !c->by_state && c->leakage[3] == 0);
    c = snn_library_cell(l, "D", &e);
    assert_int_equal(c->pin[2].inverse, 3);
    assert_int_equal(c->pin[3].inverse, 2);
    assert_int_equal(c->pin[0].inverse, -1);
    assert_int_equal(c->pin[2].arc[0].sense, SNN_ARC_RISE_EDGE);
    assert_true(fabs(c->leakage[4] - 7e-6) < 1e-15 && fabs(c->leakage[8] - 4e-6) < 1e-15);
    assert_int_equal(snn_lib_pin_number(c, "QN"), 3);
    assert_int_equal(snn_lib_pin_number(c, "Z"), -1);
    assert_null(snn_library_cell(l, "NONE", &e));
    assert_string_equal(e.text, "no Liberty file has a cell 'NONE'");
    snn_library_free(l);
}

/* Supplies add up; a pin that is only state is none; a falling edge, positive and other arcs, checks that are no arcs. */
static void reads_rare_things(void **state) {
    (void)state;
    static const char text[] =
        "library (x) { capacitive_load_unit (2, ff); leakage_power_unit : 1nW; nom_voltage : 1; time_unit : "
        "10ps;\n"
        "cell (C) { leakage_power () { value : 1; related_pg_pin : VDD; } leakage_power () { value : 2; "
        "related_pg_pin : VSS; when : A; }\n"
        "  pin (M) { direction : internal; } pin (A) { direction : inout; capacitance : 3;\n"
        "    timing () { timing_type : falling_edge; related_pin : A; rise_transition (scalar) { values (1); "
        "} }\n"
        "    timing () { timing_type : setup_rising; } timing () { timing_sense : positive_unate; } timing "
        "() { } } } }";
    snn_error e = {0};
    snn_library *l = load(text, &e);
    assert_non_null(l);
    const snn_lib_cell *c = snn_library_cell(l, "C", &e);
    assert_non_null(c);
    assert_true(c->pins == 1 && c->pin[0].input && c->pin[0].output &&
                fabs(c->pin[0].capacitance - 6e-15) < 1e-27);
    assert_true(fabs(c->leakage[0] - 3e-9) < 1e-18 && fabs(c->leakage[1] - 3e-9) < 1e-18 &&
                fabs(c->average - 3e-9) < 1e-18);
    assert_int_equal(c->pin[0].arcs, 3);
    assert_int_equal(c->pin[0].arc[0].sense, SNN_ARC_FALL_EDGE);
    assert_true(fabs(c->pin[0].arc[0].rise.value[0] - 1e-11) < 1e-23);
    assert_int_equal(c->pin[0].arc[1].sense, SNN_ARC_POSITIVE);
    assert_int_equal(c->pin[0].arc[2].sense, SNN_ARC_EITHER);
    snn_library_free(l);
}

#define HEAD "library (x) {\ncapacitive_load_unit (1, pf); leakage_power_unit : \"1nW\"; nom_voltage : 1;\n"
#define CELL HEAD "cell (C) {\n"
#define PIN CELL "pin (A) { direction : input;\n"

static void refuses_cells(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {CELL "area : big; } }", ":4: area: expected a number"},
        {CELL "pin (A) { } } }", ":4: the pin's direction is missing or unknown"},
        {CELL "pin () { direction : input; } } }", ":4: a pin needs one name"},
        {CELL "leakage_power () { value : 1; when : \"A +\"; } } }", ":4: 'A +' is no Boolean expression"},
        {PIN "capacitance : 1 2; } } }", ":5: capacitance: expected a number"},
        {PIN "internal_power () { related_pin : Z; } } } }", ":5: related_pin: the cell has no pin 'Z'"},
        {PIN "internal_power () { rise_power (none) { values (1); } } } } }",
         ":5: there is no template 'none'"},
        {PIN "internal_power () { rise_power (scalar) { } } } } }", ":5: values are missing"},
        {PIN "internal_power () { rise_power (scalar) { values (1, 2); } } } } }",
         ":5: 2 values, expected 1"},
        {PIN "internal_power () { rise_power (scalar) { values (\"1 y\"); } } } } }",
         ":5: 'y' is no number"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snn_error e = {0};
        snn_library *l = load(bad[i].text, &e);
        if (!l)
            fail_msg("%s", e.text);
        assert_null(snn_library_cell(l, "C", &e));
        assert_int_equal(e.code, SNN_ERR_DATA);
        if (!strstr(e.text, bad[i].says))
            fail_msg("%s, expected %s", e.text, bad[i].says);
        snn_library_free(l);
    }
}

static void refuses_templates(void **state) {
    (void)state;
    static const struct {
        const char *body, *says;
    } bad[] = {{"variable_1 : fan;", ":2: variable_1: 'fan' is neither a load nor a transition"},
               {"variable_2 : input_net_transition;", ":2: variable_1 is missing"},
               {"variable_1 : input_net_transition;", ":4: index_1 is missing"},
               {"variable_1 : input_net_transition; index_1 (\"\");", ":2: index_1 has no values"},
               {"variable_1 : input_net_transition; index_1 (\"1, 1\");", ":2: index_1 does not ascend"},
               {"variable_3 : x;", ":2: tables of three variables are not supported"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[1024];
        snn_error e = {0};
        snprintf(
            text, sizeof text,
            "library (x) { capacitive_load_unit (1, pf); leakage_power_unit : \"1nW\"; nom_voltage : 1;\n"
            "power_lut_template (t) { %s }\n"
            "cell (C) { pin (A) { direction : input; internal_power () {\n rise_power (t) { values (1); } } "
            "} } }",
            bad[i].body);
        snn_library *l = load(text, &e);
        if (!l)
            fail_msg("%s", e.text);
        assert_null(snn_library_cell(l, "C", &e));
        /* the index is missing where the table stands */
        if (!strstr(e.text, strchr(bad[i].says + 1, ':')))
            fail_msg("%s, expected %s", e.text, bad[i].says);
        snn_library_free(l);
    }
}

static void refuses_libraries(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {{"library (x) { }", "capacitive_load_unit is missing"},
               {"library (x) { capacitive_load_unit (1, kg); }",
                "capacitive_load_unit: expected a number and pf or ff"},
               {"library (x) { capacitive_load_unit (0, pf); }",
                "capacitive_load_unit: expected a number and pf or ff"},
               {"library (x) { capacitive_load_unit (1, pf); }", "leakage_power_unit is missing"},
               {"library (x) { capacitive_load_unit (1, pf); leakage_power_unit : 1nJ; }",
                "leakage_power_unit: unknown unit"},
               {"library (x) { capacitive_load_unit (1, pf); time_unit : 1xs; }", "time_unit: unknown unit"},
               {HEAD "nom_voltage : 2; }", NULL},
               {"library (x) { capacitive_load_unit (1, pf); leakage_power_unit : 1nW; }",
                "nom_voltage is missing or not positive"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snn_error e = {0};
        snn_library *l = load(bad[i].text, &e);
        assert_true((l == NULL) == (bad[i].says != NULL));
        if (!l && !strstr(e.text, bad[i].says))
            fail_msg("%s, expected %s", e.text, bad[i].says);
        snn_library_free(l);
    }
}

static void joins_files(void **state) {
    (void)state;
    test_file a = test_write(TEST_LIBRARY), b = test_write(HEAD "cell (E) { } }");
    const char *const path[] = {a.path, b.path};
    snn_error e = {0};
    assert_null(snn_library_load(path, 2, &e));
    assert_non_null(strstr(e.text, "nom_voltage is 1 V, that of /proc/self/fd/"));
    assert_null(snn_library_load(path, 0, &e));
    assert_int_equal(e.code, SNN_ERR_USAGE);
    fclose(b.f);
    b = test_write("library (x) { capacitive_load_unit (1, ff); leakage_power_unit : \"1pW\"; nom_voltage : "
                   "2; cell (E) { pin (A) { direction : input; capacitance : 1; } } }");
    const char *const good[] = {a.path, b.path};
    snn_library *l = snn_library_load(good, 2, &e);
    assert_non_null(l);
    assert_true(fabs(snn_library_cell(l, "E", &e)->pin[0].capacitance - 1e-15) < 1e-27);
    assert_non_null(snn_library_cell(l, "D", &e));
    snn_library_free(l);
    fclose(a.f);
    fclose(b.f);
}

static void estimates_wires(void **state) {
    (void)state;
    static const double expected[] = {0,     0.5e-12,   0.75e-12,
                                      1e-12, 1.125e-12, 1.25e-12}; /* lengths 1, 1.5, 2, then 0.25 each */
    snn_error e = {0};
    snn_library *l = tiny();
    snn_lib_wires w;
    assert_true(snn_library_wires(l, "w", &w, &e));
    for (int i = 0; i < 6; i++)
        assert_true(fabs(snn_lib_wires_load(&w, i) - expected[i]) < 1e-24);
    snn_lib_wires_free(&w);
    assert_false(snn_library_wires(l, "v", &w, &e));
    assert_int_equal(e.code, SNN_ERR_USAGE);
    assert_non_null(strstr(e.text, "no wire_load 'v' (there is: w)"));
    snn_library_free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_statements),  cmocka_unit_test(refuses_text),
        cmocka_unit_test(limits_nesting),    cmocka_unit_test(reads_compressed),
        cmocka_unit_test(reads_numbers),     cmocka_unit_test(evaluates_conditions),
        cmocka_unit_test(spans_words),       cmocka_unit_test(interpolates),
        cmocka_unit_test(reads_cells),       cmocka_unit_test(reads_rare_things),
        cmocka_unit_test(refuses_cells),     cmocka_unit_test(refuses_templates),
        cmocka_unit_test(refuses_libraries), cmocka_unit_test(joins_files),
        cmocka_unit_test(estimates_wires)};
    return cmocka_run_group_tests_name("liberty", tests, NULL, NULL);
}
