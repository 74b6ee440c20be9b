/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a chip was made with, as lines "name = value": the map, the device, how it was programmed; and the first difference between two such texts. */
#include "chip_file.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing lines ---- */

static void line(FILE *f, const char *name, const char *format, ...) SNN_PRINTF(3, 4);
static void line(FILE *f, const char *name, const char *format, ...) {
    va_list args;
    fprintf(f, "%s = ", name);
    va_start(args, format);
    vfprintf(f, format, args);
    va_end(args);
    fputc('\n', f);
}

/* Enough digits to be the same double again. */
static void number(FILE *f, const char *name, double x) {
    line(f, name, "%.17g", x);
}

static void polynomial(FILE *f, const char *name, const snn_polynomial *p) {
    fprintf(f, "%s =", name);
    for (int k = 0; k < p->terms; k++)
        fprintf(f, " %.17g", p->c[k]);
    fputc('\n', f);
}

static void write_map(FILE *f, const snn_map *m) {
    const snn_map_options *o = &m->options;
    line(f, "array", "%" PRIu32 "x%" PRIu32, o->rows, o->columns);
    line(f, "cell bits", "%d", o->cell_bits);
    /* only levels of several bits have an order: a chip of one-bit cells or pairs is the same whatever hw.gray says */
    line(f, "level numbering", "%s", o->cell_bits < 2 ? "none" : o->gray ? "gray" : "binary");
    line(f, "spare rows", "%" PRIu32, o->spare_rows);
    line(f, "spare columns", "%" PRIu32, o->spare_columns);
    line(f, "SEC-DED data bits", "%" PRIu32, o->code_bits);
    line(f, "layers of weights", "%d", m->tensors);
    for (int i = 0; i < m->tensors; i++) {
        const snn_map_tensor *t = &m->tensor[i];
        char name[SNN_NAME + 16];
        snprintf(name, sizeof name, "layer %d", i);
        line(f, name, "%s, %" PRIu32 " inputs, %" PRIu32 " outputs, %d-bit %s codes", t->name, t->fan_in,
             t->outputs, t->bits, snn_encoding_name(t->encoding));
    }
}

static void write_retention(FILE *f, const snn_device *d) {
    line(f, "retention form", "%d", (int)d->retention);
    for (int i = 0; i < d->points; i++) {
        number(f, "retention seconds", d->point[i].seconds);
        polynomial(f, "retention shift", &d->point[i].shift);
        polynomial(f, "retention sigma", &d->point[i].sigma);
    }
    number(f, "retention t0", d->t0);
    number(f, "retention mean_per_ln", d->mean_per_ln);
    number(f, "retention sigma_per_ln", d->sigma_per_ln);
    number(f, "retention sigma_0", d->sigma_0);
    number(f, "retention exponent", d->exponent);
    number(f, "activation_ev", d->activation_ev);
    number(f, "reference_kelvin", d->reference_kelvin);
}

static void write_device(FILE *f, const snn_device *d) {
    line(f, "device", "%s", d->name);
    number(f, "g_min", d->g_min);
    number(f, "g_max", d->g_max);
    line(f, "levels", "%d", d->levels);
    line(f, "programming form", "%s", d->lognormal ? "lognormal" : "normal");
    polynomial(f, "programming sigma", &d->sigma_program);
    number(f, "lognormal_hrs", d->lognormal_hrs);
    number(f, "lognormal_sigma", d->lognormal_sigma);
    number(f, "cell_variation", d->cell_variation);
    number(f, "chip_variation", d->chip_variation);
    write_retention(f, d);
    number(f, "white", d->white);
    number(f, "telegraph_share", d->telegraph_share);
    number(f, "telegraph_step", d->telegraph_step);
    number(f, "telegraph_amplitude", d->telegraph_amplitude);
    number(f, "one_over_f", d->one_over_f);
    number(f, "one_over_f_log", d->one_over_f_log);
    number(f, "one_over_f_time", d->one_over_f_time);
    number(f, "stuck_hrs", d->stuck_hrs);
    number(f, "stuck_lrs", d->stuck_lrs);
    number(f, "stuck_cluster", d->stuck_cluster);
    number(f, "disturb", d->disturb);
    number(f, "disturb_reads", d->disturb_reads);
    number(f, "sense_offset", d->sense_offset);
    number(f, "sense_noise", d->sense_noise);
}

/* Whether a condition of reading has an effect is not the chip's matter; how it was verified is. */
static void write_programming(FILE *f, const snn_hw_options *o) {
    number(f, "verify window", o->condition.verify_window);
    line(f, "verify pulses", "%d", o->condition.verify_window > 0 ? o->condition.verify_pulses : 0);
    line(f, "msb placement", "%s", o->msb_placement ? "true" : "false");
}

char *snn_chip_made(const snn_map *map, const snn_hw_options *o, snn_error *err) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f != NULL) {
        write_map(f, map);
        write_device(f, &o->device);
        write_programming(f, o);
        bool ok = !ferror(f);
        if (fclose(f) == 0 && ok)
            return text;
    }
    free(text);
    snn_fail(err, SNN_ERR_RUNTIME, "out of memory (description of a chip)");
    return NULL;
}

/* ---- comparing ---- */

/* A line without its end; at[0] is '\0' behind the last. */
typedef struct {
    const char *at;
    int length, name; /* name: characters before " = " or " =" */
} text_line;

static text_line take(const char **text) {
    text_line l = {.at = *text, .length = (int)strcspn(*text, "\n")};
    const char *sign = memchr(l.at, '=', (size_t)l.length);
    l.name = sign != NULL && sign > l.at ? (int)(sign - l.at) - 1 : l.length;
    *text += l.length + (l.at[l.length] == '\n');
    return l;
}

static int value_at(const text_line *l) {
    int at = l->name + 2;
    while (at < l->length && l->at[at] == ' ')
        at++;
    return at < l->length ? at : l->length;
}

bool snn_chip_made_same(const char *path, const char *file, const char *here, snn_error *err) {
    while (*file != '\0' || *here != '\0') {
        const text_line a = take(&file), b = take(&here);
        if (a.length == b.length && memcmp(a.at, b.at, (size_t)a.length) == 0)
            continue;
        if (a.name == 0 || b.name == 0 || a.name != b.name || memcmp(a.at, b.at, (size_t)a.name) != 0)
            return snn_fail(err, SNN_ERR_DATA, "%s: the chip was made with '%.*s', here is '%.*s'", path,
                            a.length > 200 ? 200 : a.length, a.at, b.length > 200 ? 200 : b.length, b.at);
        const int va = value_at(&a), vb = value_at(&b);
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: the chip was made with another %.*s: '%.*s', here it is '%.*s'", path, a.name,
                        a.at, a.length - va > 200 ? 200 : a.length - va, a.at + va,
                        b.length - vb > 200 ? 200 : b.length - vb, b.at + vb);
    }
    return true;
}
