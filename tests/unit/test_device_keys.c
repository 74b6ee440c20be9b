/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every key of section cell in the table of keys reaches the device: from the file, and from the main configuration. */
#include "device_test.h"

#include <unistd.h>

static char path[] = "/tmp/snnsim-device-keys-XXXXXX.cfg";

static int make_file(void **state) {
    (void)state;
    int f = mkstemps(path, 4);
    return f < 0 ? -1 : close(f);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

/* Devices in which every key has a meaning in at least one. */
static const char *const forms[] = {
    "retention = { form = \"none\"; }; ",
    "retention = { form = \"log\"; }; ",
    "retention = { form = \"power\"; }; ",
    "retention = { form = \"table\"; points = ( { seconds = 10.0; shift = 0.5; sigma = 1.0; } ); }; ",
};

static void base_text(const char *form, char *text, size_t size) {
    snprintf(text, size,
             "cell = { unit = \"uS\"; source = \"base\"; g_min = 1.0; g_max = 40.0; levels = 2; "
             "program = { form = \"normal\"; sigma = 0.125; }; %s};",
             form);
}

static const char *last_name(const snn_config_key *key) {
    return strrchr(key->path, '.') + 1;
}

/* A value that differs from the base's and from the default, as text of libconfig. */
static void other_value(const snn_config_key *key, char *text, size_t size) {
    switch (key->type) {
    case SNN_KEY_INT:
        snprintf(text, size, "4");
        break;
    case SNN_KEY_FLOAT: {
        double initial = key->initial ? strtod(key->initial, NULL) : 10;
        snprintf(text, size, "%.17g", initial > 0 ? 2 * initial : 0.25);
        break;
    }
    case SNN_KEY_FLOATS:
        snprintf(text, size, "[0.25, 0.5]");
        break;
    case SNN_KEY_CHOICE: { /* the last */
        const char *last = strrchr(key->choices, '|');
        snprintf(text, size, "\"%s\"", last + 1);
        break;
    }
    case SNN_KEY_STRING:
        snprintf(text, size, "\"other\"");
        break;
    default:
        fail_msg("%s: a type of key that this test does not know", key->path);
    }
}

/* One row of a retention table in which the named column has another value. */
static void other_points(const snn_config_key *key, char *text, size_t size) {
    const char *name = last_name(key);
    snprintf(text, size, "( { seconds = %s; shift = %s; sigma = %s; } )",
             strcmp(name, "seconds") == 0 ? "20.0" : "10.0",
             strcmp(name, "shift") == 0 ? "[0.25, 0.5]" : "0.5",
             strcmp(name, "sigma") == 0 ? "[0.25, 0.5]" : "1.0");
}

/* "cell.x=value" for a key, false for what is no value of its own. */
static bool assignment(const snn_config_key *key, char *text, size_t size) {
    char value[200];
    if (strncmp(key->path, "cell.", 5) != 0 || key->type == SNN_KEY_GROUP)
        return false;
    if (strstr(key->path, "[]") || key->type == SNN_KEY_LIST) {
        other_points(key, value, sizeof value);
        snprintf(text, size, "cell.retention.points=%s", value);
        return key->type != SNN_KEY_LIST; /* its items are tried */
    }
    other_value(key, value, sizeof value);
    snprintf(text, size, "%s=%s", key->path, value);
    return true;
}

/* The device of a file with the text, and of a main configuration that names the file and sets one more key. false: refused. */
static bool device_from(const char *file_text, const char *set, snn_device *d) {
    snn_error err = {0};
    char text[200];
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(file_text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    snprintf(text, sizeof text, "hw = { device = \"%s\"; };", path);
    snn_config *c = snn_config_parse(text, "main.cfg", &err);
    assert_non_null(c);
    bool ok = (!set || snn_config_set(c, set, &err)) && snn_device_from_config(c, d, &err);
    snn_config_free(c);
    return ok;
}

static bool same(const snn_device *a, const snn_device *b) {
    snn_device x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    x.source = y.source = NULL;
    return memcmp(&x, &y, sizeof x) == 0 && strcmp(a->source, b->source) == 0;
}

/* The text of a device file in which one more key is set; free() it. NULL: the table of keys does not allow it. */
static char *file_with(const char *text, const char *set) {
    snn_error err = {0};
    snn_config *c = snn_config_parse(text, "base.cfg", &err);
    assert_non_null(c);
    char *all = snn_config_set(c, set, &err) ? snn_config_text(c, &err) : NULL;
    snn_config_free(c);
    return all;
}

/* Does the key change the device with this form of retention? In the file, and in the main configuration, alike. */
static bool arrives(const char *form, const char *set) {
    char text[600];
    snn_device base = {0}, again = {0}, file = {0}, set_in_main = {0};
    base_text(form, text, sizeof text);
    assert_true(device_from(text, NULL, &base));
    assert_true(device_from(text, NULL, &again));
    assert_true(same(&base, &again)); /* bytes between the fields do not make a difference */
    char *all = file_with(text, set);
    assert_non_null(all);
    bool read = device_from(all, NULL, &file), changed = read && !same(&base, &file);
    if (read) {
        assert_true(device_from(text, set, &set_in_main));
        assert_true(same(&file, &set_in_main));
    }
    free(all);
    snn_device_free(&base);
    snn_device_free(&again);
    snn_device_free(&file);
    snn_device_free(&set_in_main);
    return changed;
}

static void every_key_of_the_table(void **state) {
    (void)state;
    int keys = 0;
    for (const snn_config_key *key = snn_config_keys; key->path; key++) {
        char set[300];
        if (!assignment(key, set, sizeof set) || strcmp(key->path, "cell.unit") == 0)
            continue;
        bool found = false;
        for (size_t f = 0; f < sizeof forms / sizeof *forms && !found; f++)
            found = arrives(forms[f], set);
        if (!found)
            fail_msg("%s: set to another value, the device stays as it is", set);
        keys++;
    }
    assert_true(keys > 35);
}

static void the_unit_is_checked(void **state) {
    (void)state;
    char text[600];
    snn_device d = {0};
    base_text(forms[0], text, sizeof text);
    assert_true(device_from(text, NULL, &d));
    snn_device_free(&d);
    assert_false(device_from(text, "cell.unit=mS", &d));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_the_table),
        cmocka_unit_test(the_unit_is_checked),
    };
    return cmocka_run_group_tests_name("device_keys", tests, make_file, remove_file);
}
