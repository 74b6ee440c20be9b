/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests of devices share: devices from configuration text. */
#ifndef DEVICE_TEST_H
#define DEVICE_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <snnsim/device.h>

#define EVERY_EFFECT ((1u << SNN_EFFECTS) - 1)

/* Reads the device that a main configuration names; false with err. */
__attribute__((unused)) static bool device_of(const char *text, snn_device *d, snn_error *err) {
    snn_config *c = snn_config_parse(text, "main.cfg", err);
    bool ok = c && snn_device_from_config(c, d, err);
    snn_config_free(c);
    return ok;
}

__attribute__((unused)) static void preset(const char *name, snn_device *d) {
    char text[128];
    snn_error err = {0};
    *d = (snn_device){0};
    snprintf(text, sizeof text, "hw = { device = \"%s\"; };", name);
    if (!device_of(text, d, &err))
        fail_msg("%s", err.text);
}

/* At 300 K with every effect. */
__attribute__((unused)) static snn_condition after(double seconds) {
    return (snn_condition){.seconds = seconds, .kelvin = 300, .effects = EVERY_EFFECT};
}

__attribute__((unused)) static snn_level level_of(const snn_device *d, const snn_condition *c, int levels,
                                                  int k) {
    snn_level l;
    snn_error err = {0};
    if (!snn_device_level(d, c, levels, k, &l, &err))
        fail_msg("%s", err.text);
    return l;
}

__attribute__((unused)) static void close_to(double got, double want, double relative, const char *what) {
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%s: got %.17g, want %.17g (relative error %.2g, allowed %.2g)", what, got, want,
                 fabs(got - want) / fabs(want), relative);
}

#endif
