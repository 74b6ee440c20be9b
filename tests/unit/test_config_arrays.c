/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration with a table of its own: the kinds of keys that the real table has little or nothing of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <snnsim/config.h>

/* Stands in for the table of base/config_keys.c, which the linker then leaves out. */
const snn_config_key snn_config_keys[] = {
    {"ints", SNN_KEY_INTS, "1, -2,3", -10, 5000000000.0, NULL, "Integers."},
    {"any", SNN_KEY_INT, "0", 1, -1, NULL, "No limits."},
    {"floats", SNN_KEY_FLOATS, "0.5", 0, 10, NULL, "Numbers."},
    {"texts", SNN_KEY_STRINGS, "a, b", 1, -1, NULL, "Texts."},
    {"empty", SNN_KEY_INTS, "", 1, -1, NULL, "Integers without default."},
    {"none", SNN_KEY_FLOATS, NULL, 1, -1, NULL, "Numbers without default."},
    {"outer", SNN_KEY_LIST, NULL, 1, -1, NULL, "List of groups with lists of groups."},
    {"outer[].inner", SNN_KEY_LIST, NULL, 1, -1, NULL, "Inner list."},
    {"outer[].inner[].sizes", SNN_KEY_INTS, "7", 0, 100, NULL, "Integers inside."},
    {NULL, SNN_KEY_INT, NULL, 0, 0, NULL, NULL},
};

static snn_config *parse(const char *text) {
    snn_error e = {0};
    snn_config *c = snn_config_parse(text, "t.cfg", &e);
    if (!c)
        fail_msg("%s", e.text);
    return c;
}

static void expect_error(const char *text, const char *want) {
    snn_error e = {0};
    assert_null(snn_config_parse(text, "t.cfg", &e));
    assert_string_equal(e.text, want);
    assert_int_equal(e.code, SNN_ERR_USAGE);
}

static void defaults_of_arrays(void **state) {
    (void)state;
    snn_config *c = parse("");
    assert_int_equal(snn_config_count(c, "ints"), 3);
    assert_int_equal(snn_config_int_at(c, "ints", 0), 1);
    assert_int_equal(snn_config_int_at(c, "ints", 1), -2);
    assert_int_equal(snn_config_int_at(c, "ints", 2), 3);
    assert_int_equal(snn_config_count(c, "floats"), 1);
    assert_true(snn_config_float_at(c, "floats", 0) == 0.5);
    assert_int_equal(snn_config_count(c, "texts"), 1);
    assert_string_equal(snn_config_string_at(c, "texts", 0), "a, b");
    assert_int_equal(snn_config_count(c, "empty"), 0);
    assert_int_equal(snn_config_count(c, "none"), 0);
    assert_int_equal(snn_config_count(c, "outer"), 0);
    snn_config_free(c);
}

static void given_arrays(void **state) {
    (void)state;
    snn_config *c = parse("ints = [4, 5000000000, -10]; floats = [1, 2.5, 1e1]; texts = (\"x\", \"y\");"
                          "empty = 8; none = 3; any = -9223372036854775808;"
                          "outer = ( { }, { inner = ( { }, { sizes = [1, 2]; } ); } );");
    assert_int_equal(snn_config_count(c, "ints"), 3);
    assert_true(snn_config_int_at(c, "ints", 1) == 5000000000);
    assert_int_equal(snn_config_count(c, "floats"), 3); /* integers among the numbers */
    assert_true(snn_config_float_at(c, "floats", 0) == 1);
    assert_true(snn_config_float_at(c, "floats", 1) == 2.5);
    assert_string_equal(snn_config_string_at(c, "texts", 1), "y");
    assert_int_equal(snn_config_count(c, "empty"), 1); /* a single value counts as one */
    assert_int_equal(snn_config_int_at(c, "empty", 0), 8);
    assert_true(snn_config_float_at(c, "none", 0) == 3);
    assert_true(snn_config_int(c, "any") == INT64_MIN);
    assert_int_equal(snn_config_count(c, "outer[1].inner"), 2);
    assert_int_equal(snn_config_count(c, "outer[1].inner[1].sizes"), 2);
    assert_int_equal(snn_config_int_at(c, "outer[1].inner[1].sizes", 1), 2);
    assert_int_equal(snn_config_int_at(c, "outer[1].inner[0].sizes", 0), 7);
    char *text = snn_config_text(c, NULL);
    assert_non_null(strstr(text, "ints = (4, 5000000000L, -10);")); /* libconfig's arrays want one type */
    assert_non_null(strstr(text, "floats = (1, 2.5, 10.0);"));
    assert_non_null(strstr(text, "texts = [\"x\", \"y\"];"));
    assert_non_null(strstr(text, "sizes = [1, 2];"));
    snn_config *again = parse(text);
    char *second = snn_config_text(again, NULL);
    assert_string_equal(text, second);
    free(text);
    free(second);
    snn_config_free(again);
    snn_config_free(c);
    c = parse("ints = []; floats = (); outer = ();");
    assert_int_equal(snn_config_count(c, "ints"), 0);
    assert_int_equal(snn_config_count(c, "floats"), 0);
    assert_true(snn_config_given(c, "ints"));
    text = snn_config_text(c, NULL);
    assert_string_equal(text, "ints = ();\nfloats = ();\nouter = ();\n");
    free(text);
    snn_config_free(c);
}

static void bad_items(void **state) {
    (void)state;
    expect_error("ints = [1, 2.5];", "t.cfg:1: ints[1]: expected an integer, found the number 2.5");
    expect_error("ints = [1,\n -11];", "t.cfg:1: ints[1]: -11 is out of range (-10 to 5000000000)");
    expect_error("ints = 5000000001;", "t.cfg:1: ints: 5000000001 is out of range (-10 to 5000000000)");
    expect_error("ints = \"1\";", "t.cfg:1: ints: expected an integer, found the text \"1\"");
    expect_error("ints = [[1], [2]];", "t.cfg:1: ints[0]: expected an integer, found a list");
    expect_error("floats = [1, true];", "t.cfg:1: floats[1]: expected a number, found true");
    expect_error("floats = [10.5];", "t.cfg:1: floats[0]: 10.5 is out of range (0 to 10)");
    expect_error("floats = {};", "t.cfg:1: floats: expected a number, found a group");
    expect_error("texts = [\"a\", 1];",
                 "t.cfg:1: texts[1]: expected a text in double quotes, found the integer 1");
    expect_error("texts = [a];", "t.cfg:1: 'a' must stand in double quotes");
    expect_error("outer = ( { inner = ( { size = 1; } ); } );",
                 "t.cfg:1: unknown key 'outer[0].inner[0].size' (did you mean 'outer[0].inner[0].sizes'?)");
    expect_error("outer = ( { inner = ( { },\n { sizes = 101; } ); } );",
                 "t.cfg:2: outer[0].inner[1].sizes: 101 is out of range (0 to 100)");
}

static void set_arrays(void **state) {
    (void)state;
    snn_config *c = parse("outer = ( { inner = ( { sizes = 1; } ); } );");
    snn_error e = {0};
    assert_true(snn_config_set(c, "ints=[1,5000000000]", &e));
    assert_int_equal(snn_config_count(c, "ints"), 2);
    assert_true(snn_config_int_at(c, "ints", 1) == 5000000000);
    assert_true(snn_config_set(c, "ints=9", &e));
    assert_int_equal(snn_config_int_at(c, "ints", 0), 9);
    assert_true(snn_config_set(c, "texts=word", &e));
    assert_string_equal(snn_config_string_at(c, "texts", 0), "word");
    assert_true(snn_config_set(c, "texts=[\"a\", \"b c\"]", &e));
    assert_string_equal(snn_config_string_at(c, "texts", 1), "b c");
    assert_true(snn_config_set(c, "texts=\"q\"", &e));
    assert_string_equal(snn_config_string_at(c, "texts", 0), "q");
    assert_true(snn_config_set(c, "outer[0].inner[0].sizes=[3,4]", &e));
    assert_int_equal(snn_config_int_at(c, "outer[0].inner[0].sizes", 1), 4);
    assert_false(snn_config_set(c, "outer[0].inner[1].sizes=5", &e));
    assert_string_equal(e.text,
                        "--set: outer[0].inner[1].sizes: 'outer[0].inner' has 1 element, numbered from 0");
    assert_false(snn_config_set(c, "ints=[1,2", &e));
    assert_string_equal(e.text, "--set: ints: 1 bracket is not closed at the end");
    assert_true(snn_config_set(c, "outer=( { }, { inner = ( { sizes = [1, 2.0e0, 3]; } ); } )", &e) == false);
    assert_string_equal(e.text, "--set: outer[1].inner[0].sizes[1]: expected an integer, found the number 2");
    snn_config_free(c);
}

static void expect_texts(snn_config *c, const char *assignment, int n, const char *const *want) {
    snn_error e = {0};
    if (!snn_config_set(c, assignment, &e))
        fail_msg("%s", e.text);
    assert_int_equal(snn_config_count(c, "texts"), n);
    for (int i = 0; i < n; i++)
        assert_string_equal(snn_config_string_at(c, "texts", i), want[i]);
}

/* Words of an array may go without quotes. */
static void words_of_arrays(void **state) {
    (void)state;
    snn_config *c = parse("");
    snn_error e = {0};
    expect_texts(c, "texts=[a]", 1, (const char *[]){"a"});
    expect_texts(c, "texts=[a,bc, d ]", 3, (const char *[]){"a", "bc", "d"});
    expect_texts(c, "texts=( one , \"t w,o\",three)", 3, (const char *[]){"one", "t w,o", "three"});
    expect_texts(c, "texts=[\"\", \"[x]\", \"a\\\"b\", 1e3, ./f.cfg]", 5,
                 (const char *[]){"", "[x]", "a\"b", "1e3", "./f.cfg"});
    expect_texts(c, "texts=[]", 0, NULL);
    assert_true(snn_config_set(c, "floats=", &e) && snn_config_count(c, "floats") == 0);
    assert_true(snn_config_set(c, "ints=", &e) && snn_config_count(c, "ints") == 0);
    assert_false(snn_config_set(c, "any=", &e));
    assert_false(snn_config_set(c, "texts=[a", &e));
    assert_false(snn_config_set(c, "texts=[a,b", &e));
    assert_false(snn_config_set(c, "texts=[a\"b]", &e));
    assert_int_equal(snn_config_count(c, "texts"), 0);
    snn_config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_of_arrays), cmocka_unit_test(given_arrays),    cmocka_unit_test(bad_items),
        cmocka_unit_test(set_arrays),         cmocka_unit_test(words_of_arrays),
    };
    return cmocka_run_group_tests_name("config_arrays", tests, NULL, NULL);
}
