/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "curve.h"

#include <stdlib.h>
#include <string.h>

static const char header[] =
    "epoch,quantised,learning_rate,loss,accuracy,validation_loss,validation_accuracy,seconds,best\n";

static bool append(cli_curve *c, const char *text, size_t size, snn_error *err) {
    void *array = c->text;
    if (!snn_grow(&array, &c->capacity, c->size + size, 1, err))
        return false;
    c->text = array;
    memcpy(c->text + c->size, text, size);
    c->size += size;
    return true;
}

/* An absent value (-1) is an empty field. */
static int print_optional(char *buf, size_t size, double value) {
    return value < 0 ? snprintf(buf, size, ",") : snprintf(buf, size, ",%.6g", value);
}

bool cli_curve_add(cli_curve *c, const snn_train_epoch *e, snn_error *err) {
    char line[256];
    int n = snprintf(line, sizeof line, "%d,%d,%.6g,%.6g,%.6g", e->epoch, e->quantised, e->learning_rate,
                     e->loss, e->accuracy);
    n += print_optional(line + n, sizeof line - (size_t)n, e->validation_loss);
    n += print_optional(line + n, sizeof line - (size_t)n, e->validation_accuracy);
    n += snprintf(line + n, sizeof line - (size_t)n, ",%.3f,%d\n", e->seconds, e->best);
    if (!append(c, line, (size_t)n, err))
        return false;
    return snn_now() - c->saved_at < 1 || cli_curve_save(c, err);
}

bool cli_curve_save(cli_curve *c, snn_error *err) {
    if (c->saved == c->size)
        return true;
    snn_file *f = snn_file_create(c->path, 0644, err);
    if (!f)
        return false;
    fputs(header, snn_file_stream(f));
    fwrite(c->text, 1, c->size, snn_file_stream(f));
    if (!snn_file_commit(f, err))
        return false;
    c->saved = c->size;
    c->saved_at = snn_now();
    return true;
}

void cli_curve_free(cli_curve *c) {
    free(c->text);
    *c = (cli_curve){0};
}
