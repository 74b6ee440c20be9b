/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Value change dumps: declarations, scopes, values, and the sentences about files that are wrong. */
#include "../../hw/vcd.h"

#include "power_test.h"

/* Everything that was heard, as text: "a[1] b | 0: 0=1 1=x | 5: ..." */
typedef struct {
    char text[4096];
    uint32_t slots;
    double tick;
    const char *deaf; /* a bit that nobody wants to hear */
} heard;

static void note(heard *h, const char *fmt, ...) {
    size_t used = strlen(h->text);
    va_list list;
    va_start(list, fmt);
    vsnprintf(h->text + used, sizeof h->text - used, fmt, list);
    va_end(list);
}

static uint32_t declare(void *context, const char *bit) {
    heard *h = context;
    if (h->deaf && strcmp(bit, h->deaf) == 0)
        return SNN_VCD_NO_SLOT;
    note(h, "%s ", bit);
    return h->slots++;
}

static bool begin(void *context, double tick, snn_error *err) {
    heard *h = context;
    (void)err;
    h->tick = tick;
    note(h, "|");
    return true;
}

static bool advance(void *context, uint64_t time, snn_error *err) {
    note(context, " %llu:", (unsigned long long)time);
    return time < 900 || snn_fail(err, SNN_ERR_RUNTIME, "enough");
}

static void change(void *context, uint32_t slot, snn_vcd_value value) {
    note(context, " %u=%c", slot, "01x"[value]);
}

static bool read_text(const char *text, heard *h, snn_error *e) {
    test_file f = test_write(text);
    const char *deaf = h->deaf;
    *h = (heard){.deaf = deaf};
    snn_vcd_listener to = {h, "tb.dut", declare, begin, advance, change};
    bool ok = snn_vcd_read(f.path, &to, e);
    fclose(f.f);
    return ok;
}

#define HEAD "$timescale 1ps $end $scope module tb $end $scope module dut $end\n"
#define TAIL "$upscope $end $upscope $end $enddefinitions $end\n"

static void expect(const char *text, const char *wanted, double tick) {
    heard h = {.deaf = NULL};
    snn_error e = {0};
    if (!read_text(text, &h, &e))
        fail_msg("%s", e.text);
    assert_string_equal(h.text, wanted);
    assert_true(h.tick == tick);
}

static void hears_a_scope(void **state) {
    (void)state;
    expect("$date today $end $version x $end $comment a b $end\n$timescale\n 10 ns\n$end\n"
           "$scope module tb $end $var wire 1 ! clk $end $scope module dut $end\n"
           "$var wire 1 \" a $end $var reg 3 # b [2:0] $end $var wire 2 $ c[0:1] $end $var real 64 % r $end\n"
           "$scope module inner $end $var wire 1 & d $end $upscope $end $var wire 1 ' \\e[7] $end $var wire "
           "2 ( f $end $var wire 1 ) g [4] $end\n"
           "$upscope $end $upscope $end $enddefinitions $end\n"
           "#0 $dumpvars 1! x\" b01x # b1 $ r1.5 % 1& 0' bz ( 1) $end\n"
           "#7\n0\"\nb100 #\n$comment hi $end #7 1' b11 (\n",
           "a b[2] b[1] b[0] c[0] c[1] e[7] f[1] f[0] g[4] |"
           " 0: 0=x 1=0 2=1 3=x 4=0 5=1 6=0 7=x 8=x 9=1 7: 0=0 1=1 2=0 3=0 7: 6=1 7=1 8=1",
           10 * 1e-9);
}

/* One identifier for several names; another that nobody hears; a vector of which one bit is not wanted. */
static void shares_identifiers(void **state) {
    (void)state;
    heard h = {.deaf = "c[0]"};
    snn_error e = {0};
    assert_true(read_text(
        HEAD
        "$var wire 1 ! a $end $var wire 1 ! b $end $var wire 2 # c [1:0] $end $var wire 1 ! d $end\n" TAIL
        "#1 1! b10 # #2 0!",
        &h, &e));
    assert_string_equal(h.text, "a b c[1] d | 1: 0=1 3=1 1=1 2=1 2: 0=0 3=0 1=0");
    h.deaf = "a";
    assert_true(read_text(HEAD "$var wire 1 ! a $end\n" TAIL "#1 1! 0?", &h, &e));
    assert_string_equal(h.text, "| 1:");
}

static void knows_units(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double tick;
    } unit[] = {{"1s", 1},      {"100 ms", 100 * 1e-3}, {"10us", 10 * 1e-6},
                {"1 ns", 1e-9}, {"100ps", 100 * 1e-12}, {"1fs", 1e-15}};
    for (size_t i = 0; i < sizeof unit / sizeof *unit; i++) {
        char text[256];
        snprintf(text, sizeof text, "$timescale %s $end $scope module tb $end $scope module dut $end " TAIL,
                 unit[i].text);
        expect(text, "|", unit[i].tick);
    }
}

static void refuses(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", ":1: the file ends where $enddefinitions is expected"},
        {"$date a\n\n", ":3: the file ends where $end is expected"},
        {"\n hello", ":2: expected a declaration, found 'hello'"},
        {"$timescale 2ns $end", ":1: a time scale begins with 1, 10 or 100"},
        {"$timescale 1000ns $end", ":1: a time scale begins with 1, 10 or 100"},
        {"$timescale 1 fortnight $end", ":1: unknown unit of time 'fortnight'"},
        {"$upscope $end", ":1: $upscope without $scope"},
        {"$timescale 1ps $end $scope module tb $end $upscope $end\n$enddefinitions $end",
         ":2: there is no scope 'tb.dut'"},
        {"$scope module tb $end $scope module dut $end " TAIL, ": $timescale is missing"},
        {HEAD "$var wire 0 ! a $end", ":2: a width of 1 to 65536 is expected"},
        {HEAD "$var wire 65537 ! a $end", ":2: a width of 1 to 65536 is expected"},
        {HEAD "$var wire 1x ! a $end", ":2: a width of 1 to 65536 is expected"},
        {HEAD "$var wire 2 ! a [2:0] $end", ":2: a: the range [2:0] does not have 2 bits"},
        {HEAD "$var wire 2 ! a 2:0 $end", ":2: '2:0' is no range"},
        {HEAD "$var wire 1 123456789 a $end", ":2: an identifier needs 1 to 8 characters"},
        {HEAD "$var wire 1 ! a $end $var wire 2 ! b $end\n" TAIL,
         "one identifier for variables of 1 and 2 bits"},
        {HEAD "$var wire 1 ! a $end\n" TAIL "#1\n2!", ":5: '2' is no value"},
        {HEAD "$var wire 1 ! a $end\n" TAIL "#1 0", ":4: an identifier needs 1 to 8 characters"},
        {HEAD "$var wire 1 ! a $end\n" TAIL "#1 b !", ":4: a vector without digits, or with more than 65536"},
        {HEAD "$var wire 1 ! a $end\n" TAIL "#1 b012 !", ":4: '2' is no value"},
        {HEAD "$var wire 1 ! a $end\n" TAIL "#1 b01 !", ":4: a value of 2 bits for a variable of 1"},
        {HEAD "$var wire 1 ! a $end\n" TAIL "#1 b01\n", ":5: the file ends where an identifier is expected"},
        {HEAD TAIL "#1x", ":3: '#1x' is no time"},
        {HEAD TAIL "#", ":3: '#' is no time"},
        {HEAD TAIL "#99999999999999999999", ":3: '#99999999999999999999' is no time"},
        {HEAD TAIL "#5\n#4", ":4: time goes back from 5 to 4"},
        {HEAD TAIL "$huh", ":3: unknown command '$huh'"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        heard h = {.deaf = NULL};
        snn_error e = {0};
        if (read_text(bad[i].text, &h, &e))
            fail_msg("accepted: %s", bad[i].text);
        assert_int_equal(e.code, SNN_ERR_DATA);
        if (!strstr(e.text, bad[i].says))
            fail_msg("%s, expected %s", e.text, bad[i].says);
    }
    heard h = {.deaf = NULL};
    snn_error e = {0};
    assert_false(read_text(HEAD TAIL "#899 #900 #901", &h, &e));
    assert_string_equal(e.text, "enough");
    snn_vcd_listener to = {&h, "tb.dut", declare, begin, advance, change};
    assert_false(snn_vcd_read("/nowhere/a.vcd", &to, &e));
    assert_non_null(strstr(e.text, "/nowhere/a.vcd: cannot be opened"));
}

static void limits_scopes(void **state) {
    (void)state;
    char text[8192] = "$timescale 1ns $end ";
    heard h = {.deaf = NULL};
    snn_error e = {0};
    for (int i = 0; i < SNN_VCD_MAX_SCOPES; i++)
        strcat(text, "$scope module m $end ");
    assert_false(read_text(text, &h, &e));
    assert_non_null(strstr(e.text, "the file ends where"));
    strcat(text, "$scope module m $end ");
    assert_false(read_text(text, &h, &e));
    assert_non_null(strstr(e.text, "scopes are nested too deeply"));
}

/* Blocks of the reader end in the middle of words. */
static void reads_long_files(void **state) {
    (void)state;
    size_t size = 400000;
    char *text = malloc(size), *at = text;
    heard *h = calloc(1, sizeof *h);
    snn_error e = {0};
    at += sprintf(at, HEAD "$var wire 300 ! a [299:0] $end\n" TAIL);
    h->deaf = "none";
    for (int i = 0; i < 800; i++) {
        at += sprintf(at, "#%d\nb", i);
        for (int b = 0; b < 300; b++)
            *at++ = b == i % 300 ? '1' : '0';
        at += sprintf(at, " !\n");
    }
    sprintf(at, "2!");
    assert_false(read_text(text, h, &e));
    /* 3 lines of declarations, 2 of each value */
    assert_non_null(strstr(e.text, ":1604: '2' is no value"));
    free(text);
    free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(hears_a_scope), cmocka_unit_test(shares_identifiers),
                                       cmocka_unit_test(knows_units),   cmocka_unit_test(refuses),
                                       cmocka_unit_test(limits_scopes), cmocka_unit_test(reads_long_files)};
    return cmocka_run_group_tests_name("vcd", tests, NULL, NULL);
}
