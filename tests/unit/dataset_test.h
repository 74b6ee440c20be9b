/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For the tests of the readers: a temporary folder, files written by hand, errors compared, the folder with real recordings. */
#ifndef SNNSIM_DATASET_TEST_H
#define SNNSIM_DATASET_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../datasets/internal.h"

static char temp[64]; /* the test's own folder */

__attribute__((unused)) static int temp_setup(void **state) {
    (void)state;
    strcpy(temp, "/tmp/snnsim-test-XXXXXX");
    return mkdtemp(temp) == NULL;
}

__attribute__((unused)) static int temp_teardown(void **state) {
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", temp, temp);
    return system(command);
}

/* Path below the temporary folder; good until the eighth next call. */
__attribute__((unused)) static const char *in_temp(const char *name) {
    static char path[8][512];
    static int next;
    char *p = path[next++ % 8];
    snprintf(p, sizeof path[0], "%s/%s", temp, name);
    return p;
}

__attribute__((unused)) static void make_folder(const char *name) {
    assert_int_equal(mkdir(in_temp(name), 0755), 0);
}

__attribute__((unused)) static void write_file(const char *name, const void *data, size_t size) {
    FILE *f = fopen(in_temp(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

__attribute__((unused)) static void write_text(const char *name, const char *text) {
    write_file(name, text, strlen(text));
}

/* An error of this code whose sentence contains `part`. */
__attribute__((unused)) static void check_error(const snn_error *err, snn_code code, const char *part) {
    if (err->code != code || strstr(err->text, part) == NULL)
        fail_msg("error %d \"%s\", expected %d with \"%s\"", (int)err->code, err->text, (int)code, part);
}

__attribute__((unused)) static void check_event(const snn_event *e, int64_t t, int x, int y, int polarity) {
    if (e->t != t || e->x != x || e->y != y || e->polarity != polarity)
        fail_msg("event t %lld x %d y %d p %d, expected %lld %d %d %d", (long long)e->t, e->x, e->y,
                 e->polarity, (long long)t, x, y, polarity);
}

/* Opens a data set by the text of a config; `format` may take the temporary folder once as %s. */
__attribute__((unused)) static snn_dataset *open_text(const char *format, snn_split split, snn_error *err) {
    char text[2048];
    snprintf(text, sizeof text, format, temp);
    snn_config *c = snn_config_parse(text, "test.cfg", err);
    if (c == NULL)
        fail_msg("%s", err->text);
    snn_dataset *d = snn_dataset_open(c, split, err);
    snn_config_free(c);
    return d;
}

__attribute__((unused)) static snn_dataset *open_ok(const char *format, snn_split split) {
    snn_error err = {0};
    snn_dataset *d = open_text(format, split, &err);
    if (d == NULL)
        fail_msg("%s", err.text);
    return d;
}

__attribute__((unused)) static void open_fails(const char *format, snn_split split, snn_code code,
                                               const char *part) {
    snn_error err = {0};
    assert_null(open_text(format, split, &err));
    check_error(&err, code, part);
}

/* Folder of the real recordings; skips the test when `file` is not there. */
__attribute__((unused)) static const char *data_folder(const char *file) {
    const char *data = getenv("SNNSIM_DATA");
    data = data != NULL && *data != '\0' ? data : "../shared/data";
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", data, file);
    if (access(path, R_OK) != 0) {
        print_message("skipped (no data)\n");
        skip();
    }
    return data;
}

#endif
