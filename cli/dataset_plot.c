/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * snnsim dataset show --plot: one sample as SVG. Events against time, coloured by polarity; of cameras also frames.
 *
 * Events are collected in a grid of at most 900 x 400 cells, and runs of filled cells become one stroke, so that a recording of any length gives a file of at most a few
 * MB that every viewer opens.
 */
#include "dataset.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEFT = 64,
    TOP = 48,
    WIDTH = 900,  /* of the raster, px: one cell each */
    HEIGHT = 400, /* at most so many rows of cells */
    FRAMES = 6,
    FRAME_SIDE = 140, /* px */
    FRAME_CELLS = 48, /* along the longer side, at most */
    LEVELS = 4,       /* shades of a frame */
    GAP = 12,
    TICKS = 5
};

/* Colours that are told apart by people with any colour vision (Okabe and Ito 2008). */
static const char *const colour[2] = {"#0072b2", "#d55e00"}; /* OFF, ON */
static const char *const one_colour = "#222222";

typedef struct {
    FILE *f;
    const snn_dataset_info *about;
    bool polar;
    bool polar_frames; /* frames have ON and OFF, too (not merged) */
    uint32_t lines;    /* without polarity */
    uint32_t rows;     /* of cells */
    unsigned row_size; /* px */
    double end;        /* of the time axis: s, or steps when there are no events */
} plot;

/* ---- text ---- */

static void escaped(FILE *f, const char *text) {
    for (; *text; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", f);
            break;
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        default:
            fputc((unsigned char)*text < ' ' ? '?' : *text, f);
        }
}

static void label(const plot *p, double x, double y, const char *anchor, const char *text) {
    fprintf(p->f, "<text x=\"%g\" y=\"%g\" text-anchor=\"%s\">", x, y, anchor);
    escaped(p->f, text);
    fputs("</text>\n", p->f);
}

static void title(const plot *p, const snn_dataset *d, size_t i) {
    char name[256];
    fprintf(p->f, "<text x=\"%d\" y=\"20\" font-size=\"15\">", LEFT);
    escaped(p->f, p->about->name);
    fprintf(p->f, " %zu: ", i);
    escaped(p->f, snn_dataset_sample(d, i, name, sizeof name));
    fprintf(p->f, ", class %d (", snn_dataset_label(d, i));
    escaped(p->f, p->about->class_name[snn_dataset_label(d, i)]);
    fputs(")</text>\n", p->f);
}

/* ---- raster ---- */

/* Row of an event, and whether it is ON. */
static uint32_t line_of(const plot *p, const snn_event *e) {
    return p->about->pairs ? e->x / 2u : (uint32_t)e->y * p->about->sensor[2] + e->x;
}

static void mark(const plot *p, uint8_t *cell, double when, uint32_t line, bool on) {
    double x = when / p->end * WIDTH;
    size_t column = x < 0 ? 0 : x >= WIDTH ? WIDTH - 1 : (size_t)x;
    size_t row = (size_t)((uint64_t)line * p->rows / p->lines);
    cell[row * WIDTH + column] |= (uint8_t)(on ? 2 : 1);
}

/* Horizontal runs of cells that have the bit, as one path. */
static void runs(const plot *p, const uint8_t *cell, uint8_t bit, const char *stroke) {
    fprintf(p->f, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"%u\" d=\"", stroke, p->row_size);
    for (uint32_t row = 0; row < p->rows; row++)
        for (int column = 0; column < WIDTH; column++) {
            int end = column;
            while (end < WIDTH && cell[(size_t)row * WIDTH + (size_t)end] & bit)
                end++;
            if (end == column)
                continue;
            fprintf(p->f, "M%d %gh%d", LEFT + column, TOP + (row + 0.5) * p->row_size, end - column);
            column = end;
        }
    fputs("\"/>\n", p->f);
}

static void axes(const plot *p) {
    char text[64];
    unsigned height = p->rows * p->row_size;
    fprintf(p->f, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%u\" fill=\"none\" stroke=\"#888\"/>\n",
            LEFT, TOP, WIDTH, height);
    for (int i = 0; i <= TICKS; i++) {
        snprintf(text, sizeof text, "%.3g", p->end * i / TICKS);
        label(p, LEFT + (double)WIDTH * i / TICKS, TOP + height + 16, "middle", text);
    }
    label(p, LEFT + WIDTH / 2.0, TOP + height + 34, "middle",
          p->about->has_events ? "time (s)" : "time step");
    label(p, LEFT - 6, TOP + 10, "end", "0");
    snprintf(text, sizeof text, "%" PRIu32, p->lines - 1);
    label(p, LEFT - 6, TOP + height, "end", text);
    fprintf(p->f, "<text transform=\"translate(16 %g) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
            TOP + height / 2.0, cli_dataset_camera(p->about) ? "pixel" : "input line");
    for (int on = 0; p->polar && on < 2; on++)
        fprintf(p->f, "<text x=\"%d\" y=\"40\" fill=\"%s\">%s</text>\n", LEFT + 40 * !on, colour[on],
                on ? "ON" : "OFF");
}

static bool raster(const plot *p, const snn_events *e, const snn_spikes *x, snn_error *err) {
    uint8_t *cell = snn_alloc(p->rows, WIDTH, "drawing", err);
    if (!cell)
        return false;
    if (p->about->has_events)
        for (size_t i = 0; i < e->n; i++)
            mark(p, cell, (double)e->event[i].t * 1e-6, line_of(p, &e->event[i]),
                 cli_dataset_on(p->about, &e->event[i]));
    else
        for (int t = 0; t < x->steps; t++)
            for (size_t k = x->first[t]; k < x->first[t + 1]; k++)
                mark(p, cell, t, x->spike[k].index % p->lines, x->spike[k].index / p->lines == 1);
    if (p->polar) {
        runs(p, cell, 1, colour[0]);
        runs(p, cell, 2, colour[1]);
    } else {
        runs(p, cell, 3, one_colour);
    }
    axes(p);
    free(cell);
    return true;
}

/* ---- frames of a camera ---- */

typedef struct {
    size_t n; /* frames, at most one for each step */
    uint32_t columns, rows;
    double size;     /* of a cell, px */
    uint32_t most;   /* largest count of a cell */
    uint32_t *count; /* [n][rows][columns][2] OFF, ON */
} frames;

static void collect(frames *f, const plot *p, const snn_spikes *x) {
    const uint32_t *input = p->about->input;
    uint32_t pixels = input[1] * input[2];
    for (int t = 0; t < x->steps; t++) {
        size_t frame = (size_t)t * f->n / (size_t)x->steps;
        for (size_t k = x->first[t]; k < x->first[t + 1]; k++) {
            uint32_t i = x->spike[k].index, pixel = i % pixels;
            size_t row = (size_t)((uint64_t)(pixel / input[2]) * f->rows / input[1]);
            size_t column = (size_t)((uint64_t)(pixel % input[2]) * f->columns / input[2]);
            uint32_t *c = &f->count[((frame * f->rows + row) * f->columns + column) * 2];
            c[i / pixels % 2] += x->spike[k].count;
            f->most = c[0] + c[1] > f->most ? c[0] + c[1] : f->most;
        }
    }
}

/* Shade 1..LEVELS of a cell of this polarity; 0: it is of the other one, or empty. */
static uint32_t shade(const frames *f, const plot *p, const uint32_t *c, uint32_t on) {
    uint32_t sum = c[0] + c[1];
    if (sum == 0 || f->most == 0 || (p->polar_frames && (c[1] >= c[0]) != on))
        return 0;
    return (uint32_t)(1 + (uint64_t)(sum - 1) * LEVELS / f->most);
}

static void draw_frame(const frames *f, const plot *p, size_t frame, double left, double top) {
    fprintf(p->f, "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" fill=\"none\" stroke=\"#888\"/>\n",
            left, top, f->columns * f->size, f->rows * f->size);
    for (uint32_t on = 0; on < (p->polar_frames ? 2u : 1u); on++)
        for (uint32_t level = 1; level <= LEVELS; level++) {
            fprintf(p->f, "<path fill=\"none\" stroke=\"%s\" stroke-opacity=\"%g\" stroke-width=\"%g\" d=\"",
                    p->polar_frames ? colour[on] : one_colour, (double)level / LEVELS, f->size);
            for (uint32_t row = 0; row < f->rows; row++)
                for (uint32_t column = 0; column < f->columns; column++) {
                    const uint32_t *c = &f->count[((frame * f->rows + row) * f->columns + column) * 2];
                    if (shade(f, p, c, on) == level)
                        fprintf(p->f, "M%g %gh%g", left + column * f->size, top + (row + 0.5) * f->size,
                                f->size);
                }
            fputs("\"/>\n", p->f);
        }
}

static bool draw_frames(const plot *p, const snn_spikes *x, double top, snn_error *err) {
    const uint32_t *input = p->about->input;
    uint32_t longer = input[1] > input[2] ? input[1] : input[2];
    uint32_t cells = longer < FRAME_CELLS ? longer : FRAME_CELLS;
    frames f = {.n = x->steps < FRAMES ? (size_t)x->steps : FRAMES,
                .columns = (input[2] * cells + longer - 1) / longer,
                .rows = (input[1] * cells + longer - 1) / longer,
                .size = (double)FRAME_SIDE / cells};
    f.count = snn_alloc(f.n * f.rows * f.columns * 2, sizeof *f.count, "drawing", err);
    if (!f.count)
        return false;
    collect(&f, p, x);
    for (size_t i = 0; i < f.n; i++) {
        char text[64];
        double left = LEFT + (double)i * (FRAME_SIDE + GAP);
        draw_frame(&f, p, i, left, top);
        snprintf(text, sizeof text, "steps %zu..%zu", (i * (size_t)x->steps + f.n - 1) / f.n,
                 ((i + 1) * (size_t)x->steps + f.n - 1) / f.n - 1);
        label(p, left, top + FRAME_SIDE + 14, "start", text);
    }
    free(f.count);
    return true;
}

/* ---- the file ---- */

static void set_up(plot *p, const snn_events *e, const snn_spikes *x) {
    const snn_dataset_info *a = p->about;
    p->polar = cli_dataset_polar(a);
    p->polar_frames = p->polar && a->input[0] % 2 == 0;
    p->lines = a->has_events ? (a->pairs ? (a->sensor[2] + 1) / 2 : a->sensor[1] * a->sensor[2])
                             : x->size / (p->polar ? 2 : 1);
    p->rows = p->lines < HEIGHT ? p->lines : HEIGHT;
    p->row_size = HEIGHT / p->rows;
    p->end = a->has_events && e->n > 0 ? (double)e->event[e->n - 1].t * 1e-6 : 0;
    if (!a->has_events)
        p->end = x->steps;
    if (p->end <= 0)
        p->end = 1;
}

bool cli_dataset_plot(const snn_dataset *d, size_t i, const char *path, snn_error *err) {
    plot p = {.about = snn_dataset_about(d)};
    snn_dataset_buffer buffer = {0};
    snn_spikes x = {0};
    snn_file *file = NULL;
    bool ok = snn_dataset_frames(d, i, &buffer, &x, err) && (file = snn_file_create(path, 0644, err)) != NULL;
    if (ok) {
        p.f = snn_file_stream(file);
        set_up(&p, &buffer.events, &x);
        bool camera = cli_dataset_camera(p.about);
        unsigned bottom = TOP + p.rows * p.row_size + 44;
        unsigned width = LEFT + WIDTH + 20, height = bottom + (camera ? FRAME_SIDE + 24 : 0);
        fprintf(p.f,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" "
                "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" "
                "fill=\"#fff\"/>\n",
                width, height, width, height);
        title(&p, d, i);
        ok = raster(&p, &buffer.events, &x, err) && (!camera || draw_frames(&p, &x, bottom, err));
        fputs("</svg>\n", p.f);
    }
    if (ok)
        ok = snn_file_commit(file, err);
    else
        snn_file_abandon(file);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&buffer);
    return ok;
}
