/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A map for people and as CSV. */
#include <snnsim/map.h>

#include <inttypes.h>

static uint64_t tiles_of(const snn_map_tensor *t) {
    return (uint64_t)t->row_tiles * t->column_tiles;
}

static bool finish(FILE *out, snn_error *err) {
    return ferror(out) ? snn_fail_errno(err, "cannot write the map") : true;
}

static void print_array(const snn_map *m, FILE *out) {
    const snn_map_options *o = &m->options;
    fprintf(out, "arrays of %u rows x %u columns, ", o->rows, o->columns);
    if (o->cell_bits == 0)
        fprintf(out, "weights as differential pairs of conductances\n");
    else
        fprintf(out, "%d weight bit%s per cell%s\n", o->cell_bits, o->cell_bits == 1 ? "" : "s",
                o->cell_bits > 1 ? o->gray ? " (levels in Gray code)" : " (levels in binary)" : "");
    if (o->code_bits != 0)
        fprintf(out, "SEC-DED: %u words of %u data and %u check bits per row, %u check columns per array\n",
                m->words, o->code_bits, m->check_bits, m->check_columns);
    if (o->spare_rows != 0 || o->spare_columns != 0)
        fprintf(out, "spare: %u rows, %u columns per array\n", o->spare_rows, o->spare_columns);
}

bool snn_map_print(const snn_map *m, FILE *out, snn_error *err) {
    print_array(m, out);
    fprintf(out, "\n  %-16s %9s %4s %-15s %5s %7s %13s %8s %13s %6s\n", "layer", "weights", "bits",
            "encoding", "cells", "lanes", "arrays", "first", "cells used", "used");
    uint64_t data = (uint64_t)m->options.rows * m->options.columns;
    for (int i = 0; i < m->tensors; i++) {
        const snn_map_tensor *t = &m->tensor[i];
        char arrays[32];
        uint64_t weights = (uint64_t)t->fan_in * t->outputs;
        snprintf(arrays, sizeof arrays, "%u x %u", t->row_tiles, t->column_tiles);
        fprintf(out, "  %-16s %9" PRIu64 " %4d %-15s %5u %7u %13s %8u %13" PRIu64 " %5.1f%%\n", t->name,
                weights, t->bits, snn_encoding_name(t->encoding), t->cells, t->lanes, arrays, t->first_tile,
                weights * t->cells,
                100 * (double)(weights * t->cells) / ((double)tiles_of(t) * (double)data));
    }
    fprintf(out, "\n%u arrays, %" PRIu64 " cells hold weights, %" PRIu64 " cells in all (%.1f%% used)\n",
            m->tiles, m->weight_cells, m->array_cells,
            m->array_cells != 0 ? 100 * (double)m->weight_cells / (double)m->array_cells : 0);
    return finish(out, err);
}

bool snn_map_csv(const snn_map *m, FILE *out, snn_error *err) {
    fprintf(out, "tile,tensor,first_row,rows,first_output,outputs,cells_used\n");
    for (uint32_t i = 0; i < m->tiles && !ferror(out); i++) {
        snn_map_tile tile = snn_map_tile_at(m, i);
        const snn_map_tensor *t = &m->tensor[tile.tensor];
        fprintf(out, "%u,%s,%u,%u,%u,%u,%" PRIu64 "\n", i, t->name, tile.first_row, tile.rows,
                tile.first_output, tile.outputs, (uint64_t)tile.rows * tile.outputs * t->cells);
    }
    return finish(out, err);
}
