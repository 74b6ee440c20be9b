/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells, levels and effects, told to people. */
#include "hw.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* ---- addresses ---- */

/* "a,b,c" into its three parts; false: it has others. */
static bool split3(const char *text, char part[3][SNN_NAME]) {
    for (int i = 0; i < 3; i++) {
        size_t n = strcspn(text, ",");
        if (n == 0 || n >= SNN_NAME || (text[n] == ',') != (i < 2))
            return false;
        memcpy(part[i], text, n);
        part[i][n] = 0;
        text += n + (i < 2);
    }
    return true;
}

/* A tensor by the name of its layer, or by its number. */
static bool find_tensor(const cli_hw *hw, const char *name, uint32_t *tensor, snn_error *err) {
    for (int i = 0; i < hw->map->tensors; i++)
        if (!strcmp(hw->map->tensor[i].name, name)) {
            *tensor = (uint32_t)i;
            return true;
        }
    uint64_t n;
    if (!cli_number("--cell", name, 0, (uint64_t)hw->map->tensors - 1, &n, NULL))
        return snn_fail(err, SNN_ERR_USAGE,
                        "--cell %s: no layer with weights has that name or number (numbers 0 to %d)", name,
                        hw->map->tensors - 1);
    *tensor = (uint32_t)n;
    return true;
}

/* "fc1 weight 5 (output 0, input 5)" */
static void print_weight(const cli_hw *hw, uint32_t tensor, uint64_t index, FILE *out) {
    const snn_map_tensor *t = &hw->map->tensor[tensor];
    const snn_layer *layer = &hw->model.net->layer[t->layer];
    uint32_t row = (uint32_t)(index % t->fan_in), kernel = layer->kernel;
    fprintf(out, "%s weight %" PRIu64 " (output %" PRIu64, t->name, index, index / t->fan_in);
    if (layer->type == SNN_LAYER_CONV2D)
        fprintf(out, ", channel %u, ky %u, kx %u)", row / (kernel * kernel), row / kernel % kernel,
                row % kernel);
    else
        fprintf(out, ", input %u)", row);
}

static void print_cell(const snn_cell *cell, FILE *out) {
    fprintf(out, "array %u, row %u, column %u", cell->tile, cell->row, cell->column);
}

bool cli_hw_cell(const cli_hw *hw, FILE *out, snn_error *err) {
    char part[3][SNN_NAME];
    uint32_t tensor = 0;
    uint64_t index, bit;
    snn_cell cell;
    int place;
    if (!split3(hw->cell, part))
        return snn_fail(err, SNN_ERR_USAGE, "--cell %s: expected LAYER,INDEX,BIT", hw->cell);
    if (!find_tensor(hw, part[0], &tensor, err) ||
        !cli_number("--cell, INDEX", part[1], 0, UINT32_MAX, &index, err) ||
        !cli_number("--cell, BIT", part[2], 0, UINT32_MAX, &bit, err))
        return false;
    if (!snn_map_cell(hw->map, tensor, index, (uint32_t)bit, &cell, &place, err)) {
        if (err->code == SNN_ERR_DATA)
            err->code = SNN_ERR_USAGE; /* it was asked for on the command line */
        return snn_error_context(err, "--cell %s", hw->cell);
    }
    print_weight(hw, tensor, index, out);
    if (hw->map->options.cell_bits == 0)
        fprintf(out, ", %s cell: ", bit ? "negative" : "positive");
    else
        fprintf(out, ", bit %" PRIu64 ": ", bit);
    print_cell(&cell, out);
    if (hw->map->options.cell_bits > 1)
        fprintf(out, ", bit %d of that cell", place);
    fprintf(out, "; cell number %" PRIu64 "\n", snn_map_cell_number(hw->map, &cell));
    return true;
}

/* What a cell without weight bits is for. */
static const char *other_use(const snn_map *m, const snn_cell *cell) {
    snn_map_tile tile = snn_map_tile_at(m, cell->tile);
    if (cell->row >= m->options.rows)
        return "spare row";
    if (cell->column >= m->options.columns + m->check_columns)
        return "spare column";
    if (cell->row < tile.rows && cell->column >= m->options.columns)
        return "check bit of a code word";
    return "not used";
}

bool cli_hw_at(const cli_hw *hw, FILE *out, snn_error *err) {
    const snn_map *m = hw->map;
    char part[3][SNN_NAME];
    uint64_t n[3];
    if (!split3(hw->at, part))
        return snn_fail(err, SNN_ERR_USAGE, "--at %s: expected ARRAY,ROW,COLUMN", hw->at);
    if (!cli_number("--at, ARRAY", part[0], 0, m->tiles - 1, &n[0], err) ||
        !cli_number("--at, ROW", part[1], 0, m->all_rows - 1, &n[1], err) ||
        !cli_number("--at, COLUMN", part[2], 0, m->all_columns - 1, &n[2], err))
        return false;
    snn_cell cell = {(uint32_t)n[0], (uint32_t)n[1], (uint32_t)n[2]};
    uint32_t tensor, first, bits;
    uint64_t index;
    print_cell(&cell, out);
    fputs(": ", out);
    if (!snn_map_weight(m, &cell, &tensor, &index, &first, &bits)) {
        fprintf(out, "%s\n", other_use(m, &cell));
        return true;
    }
    print_weight(hw, tensor, index, out);
    if (m->options.cell_bits == 0)
        fprintf(out, ", %s cell\n", first ? "negative" : "positive");
    else if (bits == 1)
        fprintf(out, ", bit %u\n", first);
    else
        fprintf(out, ", bits %u to %u\n", first, first + bits - 1);
    return true;
}

bool cli_hw_target(const char *path, snn_error *err) {
    static const char chip[] = "snnsim chip";
    char start[sizeof chip - 1];
    struct stat st;
    FILE *f = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    if (!f)
        return true; /* nothing there, or an error that writing will report */
    size_t n = fread(start, 1, sizeof start, f);
    fclose(f);
    if (!n || (n == sizeof start && !memcmp(start, chip, sizeof start)))
        return true;
    return snn_fail(err, SNN_ERR_USAGE, "%s: is no chip file, and is not replaced by one", path);
}

/* ---- device ---- */

static void print_acting(const snn_hw_options *o, FILE *out) {
    bool any = false;
    fprintf(out, "acting in %s read-out: ", o->readout == SNN_READOUT_ANALOG ? "analog" : "digital");
    for (int e = 0; e < SNN_EFFECTS; e++)
        if (o->condition.effects >> e & 1) {
            fprintf(out, "%s%s", any ? ", " : "", snn_effect_name((snn_effect)e));
            any = true;
        }
    fprintf(out, "%s\n", any ? "" : "nothing");
}

/* One table: all levels at one time. */
static bool print_levels(const snn_hw_options *o, double seconds, const char *title, FILE *out,
                         snn_error *err) {
    bool digital = o->readout == SNN_READOUT_DIGITAL;
    int bits = o->map.cell_bits > 0 ? o->map.cell_bits : 1;
    fprintf(out, "\n%s\n  level   target uS     mean uS       sd uS%s\n", title,
            digital ? "   read as another" : "");
    for (int k = 0; k < 1 << bits; k++) {
        snn_hw_level l;
        if (!snn_hw_expect(o, seconds, k, &l, err))
            return false;
        fprintf(out, "  %5d %11.4f %11.4f %11.4f", k, l.target, l.mean, l.sigma);
        if (digital)
            fprintf(out, "   %15.4g", l.misread);
        fputc('\n', out);
    }
    double rate;
    if (digital && !snn_hw_bit_error_rate(o, seconds, &rate, err))
        return false;
    if (digital)
        fprintf(out, "  bit error rate of one read, all levels alike: %.4g\n", rate);
    return true;
}

bool cli_hw_device(const snn_hw_options *o, bool at_time, FILE *out, snn_error *err) {
    const snn_device *d = &o->device;
    char buf[32], title[64];
    fprintf(out, "%s: %s\n", d->name, *d->source ? d->source : "no source given");
    fprintf(out, "%g to %g uS, up to %d levels; here %d bit%s per cell\n", d->g_min, d->g_max, d->levels,
            o->map.cell_bits > 0 ? o->map.cell_bits : 1, o->map.cell_bits > 1 ? "s" : "");
    print_acting(o, out);
    snn_hw_options fresh = *o; /* borrows; not freed */
    fresh.condition.effects &= ~(UINT32_C(1) << SNN_EFFECT_RELAXATION);
    if (!print_levels(&fresh, 0, "as programmed", out, err) || !print_levels(o, 1, "after 1 s", out, err) ||
        !print_levels(o, 86400, "after 1 day", out, err))
        return false;
    snprintf(title, sizeof title, "after %s (hw.time)", cli_seconds(o->condition.seconds, buf, sizeof buf));
    return !at_time || print_levels(o, o->condition.seconds, title, out, err);
}

/* ---- support ---- */

void cli_hw_support(FILE *out) {
    for (int i = 0; i < SNN_EFFECTS; i++) {
        snn_effect e = (snn_effect)i;
        const char *digital = snn_effect_support(e, SNN_READOUT_DIGITAL);
        const char *analog = snn_effect_support(e, SNN_READOUT_ANALOG);
        static const char none[] = "not supported, and an error when it is named";
        fprintf(out, "%s\n  digital  %s\n  analog   %s\n", snn_effect_name(e), digital ? digital : none,
                analog ? analog : none);
    }
}

/* ---- efficiency ---- */

void cli_hw_efficiency(FILE *out) {
    snn_efficiency row[SNN_NEURRAM_ROWS];
    double pulse, bit;
    snn_neurram_efficiency(row, &pulse, &bit);
    fprintf(out,
            "NeuRRAM (W. Wan et al., Nature 2022): an operation costs %.2f fJ per input pulse and %.2f fJ "
            "per output "
            "bit\n\n%10s %10s %8s %12s %12s %9s\n",
            pulse, bit, "bits out", "bits in", "phases", "TOPS/W", "model", "error");
    for (int i = 0; i < SNN_NEURRAM_ROWS; i++) {
        const snn_efficiency *r = &row[i];
        char error[16];
        snprintf(error, sizeof error, r->fitted ? "fitted" : "%+.1f %%", r->error * 100);
        fprintf(out, "%10d %10d %8d %12.2f %12.2f %9s\n", r->output_bits, r->input_bits, r->phases,
                r->published, r->predicted, error);
    }
}
