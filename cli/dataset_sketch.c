/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim dataset show --sample: one sample in characters, as maps of pixels (cameras) or as lines against time (all other sensors). */
#include "dataset.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool cli_dataset_polar(const snn_dataset_info *a) {
    return a->pairs || a->sensor[0] == 2;
}

bool cli_dataset_on(const snn_dataset_info *a, const snn_event *e) {
    return a->pairs ? e->x % 2 == 0 : e->polarity == 1;
}

/* ---- cameras: maps of pixels ---- */

/* Three moments beside each other, in 110 columns. */
enum { PANELS = 3, PANEL_WIDTH = 36, PANEL_HEIGHT = 18 };

typedef struct {
    uint32_t channels, height, width; /* of the input */
    uint32_t columns, rows;           /* characters of a panel; a character is about twice as high as wide */
    unsigned *count;                  /* [PANELS][rows][columns][2] inputs with polarity OFF, ON */
} sketch;

static void collect(sketch *s, const snn_spikes *x) {
    for (int t = 0; t < x->steps; t++) {
        size_t panel = (size_t)t * PANELS / (size_t)x->steps;
        for (size_t k = x->first[t]; k < x->first[t + 1]; k++) {
            uint32_t i = x->spike[k].index, pixel = i % (s->height * s->width);
            size_t row = (size_t)(pixel / s->width) * s->rows / s->height;
            size_t column = (size_t)(pixel % s->width) * s->columns / s->width;
            size_t on = i / (s->height * s->width) == 1;
            s->count[((panel * s->rows + row) * s->columns + column) * 2 + on] += x->spike[k].count;
        }
    }
}

/* Cells with less than the mean are left blank, so that noise does not hide the shape. */
static char symbol(const unsigned *c, double mean) {
    if (c[0] + c[1] == 0 || c[0] + c[1] < mean)
        return ' ';
    if (c[1] > 2 * c[0])
        return '+';
    return c[0] > 2 * c[1] ? '-' : '#';
}

static double mean_count(const sketch *s, size_t panel) {
    size_t cells = (size_t)s->rows * s->columns;
    double sum = 0;
    for (size_t i = 0; i < cells * 2; i++)
        sum += s->count[panel * cells * 2 + i];
    return sum / (double)cells;
}

static void draw(const sketch *s, FILE *out) {
    double mean[PANELS];
    for (size_t panel = 0; panel < PANELS; panel++)
        mean[panel] = mean_count(s, panel);
    for (uint32_t row = 0; row < s->rows; row++) {
        for (size_t panel = 0; panel < PANELS; panel++) {
            for (uint32_t column = 0; column < s->columns; column++)
                fputc(symbol(&s->count[((panel * s->rows + row) * s->columns + column) * 2], mean[panel]),
                      out);
            fputs(panel + 1 < PANELS ? "|" : "\n", out);
        }
    }
}

static bool sketch_camera(const snn_dataset_info *a, const snn_spikes *x, FILE *out, snn_error *err) {
    sketch s = {.channels = a->input[0], .height = a->input[1], .width = a->input[2]};
    s.columns = s.width < PANEL_WIDTH ? s.width : PANEL_WIDTH;
    s.rows = (s.height + 1) / 2 < PANEL_HEIGHT ? (s.height + 1) / 2 : PANEL_HEIGHT;
    s.count = snn_alloc((size_t)PANELS * s.rows * s.columns * 2, sizeof *s.count, "drawing", err);
    if (!s.count)
        return false;
    collect(&s, x);
    draw(&s, out);
    free(s.count);
    return true;
}

/* ---- other sensors: input lines against time steps ---- */

enum { RASTER_WIDTH = 100, RASTER_HEIGHT = 24 };

/* Without polarity: how much of the fullest cell. */
static char amount(unsigned n, unsigned most) {
    return n == 0 ? ' ' : 3 * n > 2 * most ? '#' : 3 * n > most ? '+' : '.';
}

typedef struct {
    bool polar, pairs;
    uint32_t lines, rows, columns; /* input lines without polarity; characters */
    unsigned *count;               /* [rows][columns][2] inputs with polarity OFF, ON */
} raster;

static void collect_raster(raster *r, const snn_spikes *x) {
    for (int t = 0; t < x->steps; t++)
        for (size_t k = x->first[t]; k < x->first[t + 1]; k++) {
            uint32_t i = x->spike[k].index;
            uint32_t line = r->pairs ? i / 2 : i % r->lines, on = r->pairs ? i % 2 == 0 : i / r->lines == 1;
            size_t row = (size_t)line * r->rows / r->lines;
            size_t column = (size_t)t * r->columns / (size_t)x->steps;
            r->count[(row * r->columns + column) * 2 + on] += x->spike[k].count;
        }
}

static void draw_raster(const raster *r, int steps, FILE *out) {
    unsigned most = 0;
    double mean = 0;
    size_t cells = (size_t)r->rows * r->columns;
    for (size_t i = 0; i < cells; i++) {
        unsigned n = r->count[2 * i] + r->count[2 * i + 1];
        most = n > most ? n : most;
        mean += n / (double)cells;
    }
    for (uint32_t row = 0; row < r->rows; row++) {
        fprintf(out, "%5u |", (uint32_t)(((uint64_t)row * r->lines + r->rows - 1) / r->rows));
        for (uint32_t column = 0; column < r->columns; column++) {
            const unsigned *c = &r->count[((size_t)row * r->columns + column) * 2];
            fputc(r->polar ? symbol(c, mean) : amount(c[0] + c[1], most), out);
        }
        fputs("|\n", out);
    }
    /* "%5u |" and the columns are as long as foot and number */
    static const char foot[] = "      step 0";
    int width = 7 + (int)r->columns - (int)strlen(foot);
    fprintf(out, "%s%*d\n", foot, width > 0 ? width : 0, steps - 1);
}

static bool sketch_lines(const snn_dataset_info *a, const snn_spikes *x, FILE *out, snn_error *err) {
    raster r = {.pairs = a->pairs && a->input[2] == a->sensor[2]};
    r.polar = r.pairs || (a->sensor[0] == 2 && a->input[0] % 2 == 0);
    r.lines = r.pairs ? (x->size + 1) / 2 : r.polar ? a->input[1] * a->input[2] : x->size;
    r.rows = r.lines < RASTER_HEIGHT ? r.lines : RASTER_HEIGHT;
    r.columns = x->steps < RASTER_WIDTH ? (uint32_t)x->steps : RASTER_WIDTH;
    r.count = snn_alloc((size_t)r.rows * r.columns * 2, sizeof *r.count, "drawing", err);
    if (!r.count)
        return false;
    collect_raster(&r, x);
    draw_raster(&r, x->steps, out);
    free(r.count);
    return true;
}

/* ---- one sample ---- */

bool cli_dataset_camera(const snn_dataset_info *a) {
    return a->input[1] > 1;
}

static bool sketch_sample(const snn_dataset *d, size_t i, FILE *out, snn_error *err) {
    const snn_dataset_info *a = snn_dataset_about(d);
    snn_dataset_buffer buffer = {0};
    snn_spikes x = {0};
    bool ok = snn_dataset_frames(d, i, &buffer, &x, err);
    if (ok) {
        char name[256];
        fprintf(out, "sample %zu: %s, class %d (%s), %" PRIu64 " inputs in %d steps\n", i,
                snn_dataset_sample(d, i, name, sizeof name), snn_dataset_label(d, i),
                a->class_name[snn_dataset_label(d, i)], snn_spikes_total(&x), x.steps);
        ok = cli_dataset_camera(a) ? sketch_camera(a, &x, out, err) : sketch_lines(a, &x, out, err);
    }
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&buffer);
    return ok;
}

bool cli_dataset_sample(const snn_config *config, uint64_t n, const char *plot, FILE *out, snn_error *err) {
    snn_dataset *d = snn_dataset_open(config, cli_split(config), err);
    if (!d)
        return false;
    size_t count = snn_dataset_count(d);
    bool ok = n < count || snn_fail(err, SNN_ERR_USAGE,
                                    "--sample %" PRIu64 ": the %s part has %zu samples, numbered from 0", n,
                                    snn_config_string(config, "dataset.split"), count);
    ok = ok && sketch_sample(d, (size_t)n, out, err) &&
         (plot == NULL || cli_dataset_plot(d, (size_t)n, plot, err));
    snn_dataset_free(d);
    return ok;
}
