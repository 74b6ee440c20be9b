/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests of section hw share: options from configuration text, accepted or refused with a sentence. */
#ifndef HW_OPTIONS_TEST_H
#define HW_OPTIONS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <snnsim/hw.h>

/* A configuration "t.cfg" with the given lines: `hw` from line 1, `cell` on line 2. */
__attribute__((unused)) static snn_config *config_of(const char *hw, const char *cell) {
    char text[4000];
    snn_error err = {0};
    snprintf(text, sizeof text, "hw = { %s };\ncell = { %s };\n", hw, cell);
    snn_config *c = snn_config_parse(text, "t.cfg", &err);
    if (c == NULL)
        print_error("%s\n", err.text);
    assert_non_null(c);
    return c;
}

__attribute__((unused)) static snn_hw_options accept_with(const char *hw, const char *cell) {
    snn_config *c = config_of(hw, cell);
    snn_hw_options o;
    snn_error err = {0};
    bool ok = snn_hw_options_from_config(c, &o, &err);
    if (!ok)
        print_error("%s\n", err.text);
    assert_true(ok);
    snn_config_free(c);
    return o;
}

__attribute__((unused)) static void refuse_with(const char *hw, const char *cell, const char *sentence) {
    snn_config *c = config_of(hw, cell);
    snn_hw_options o;
    snn_error err = {0};
    assert_false(snn_hw_options_from_config(c, &o, &err));
    assert_string_equal(err.text, sentence);
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_null(o.fault_map);
    assert_null(o.device.source);
    snn_config_free(c);
}

#define IDEAL "device = \"ideal\"; "
#define ANALOG IDEAL "readout = \"analog\"; "

#endif
