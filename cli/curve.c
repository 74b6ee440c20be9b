/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "curve.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char header[] =
    "epoch,quantised,learning_rate,loss,accuracy,validation_loss,validation_accuracy,seconds,best\n";

/* A curve of a million epochs has about 100 MB. */
enum { CURVE_MAX = 256 << 20 };

static bool append(cli_curve *c, const char *text, size_t size, snn_error *err) {
    void *array = c->text;
    if (!snn_grow(&array, &c->capacity, c->size + size, 1, err))
        return false;
    c->text = array;
    memcpy(c->text + c->size, text, size);
    c->size += size;
    return true;
}

bool cli_curve_begin(cli_curve *c, const char *path, bool resume, snn_error *err) {
    c->path = path;
    c->size = 0;
    if (!resume || access(path, F_OK))
        return append(c, header, strlen(header), err);
    uint8_t *data;
    size_t size;
    if (!snn_file_read(path, CURVE_MAX, &data, &size, err))
        return false;
    bool ours = size >= strlen(header) && !memcmp(data, header, strlen(header)) && data[size - 1] == '\n';
    bool ok = ours ? append(c, (const char *)data, size, err) : append(c, header, strlen(header), err);
    free(data);
    return ok;
}

/* Cuts the lines of this epoch and later ones off. */
static void cut(cli_curve *c, int epoch) {
    size_t line = strlen(header);
    while (line < c->size) {
        const char *end = memchr(c->text + line, '\n', c->size - line);
        if (!end || strtol(c->text + line, NULL, 10) >= epoch)
            break;
        line = (size_t)(end - c->text) + 1;
    }
    c->size = line;
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
    cut(c, e->epoch);
    if (!append(c, line, (size_t)n, err))
        return false;
    snn_file *f = snn_file_create(c->path, 0644, err);
    if (!f)
        return false;
    fwrite(c->text, 1, c->size, snn_file_stream(f));
    return snn_file_commit(f, err);
}

void cli_curve_free(cli_curve *c) {
    free(c->text);
    *c = (cli_curve){0};
}
