/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Solves the crossbars of a text file, for check_ngspice.sh: `circuit_currents FILE`. Numbers apart by white space; a crossbar is
 *     rows columns row_ohm column_ohm driver_ohm sense_ohm floating   volts [rows]   conductances in uS [rows][columns]
 * Prints a line for each column: its current in uA, exact and by the fast solver at its finest tolerance.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <snnsim/circuit.h>

#define FINEST 1e-14

static bool fail(const char *what) {
    fprintf(stderr, "circuit_currents: %s\n", what);
    return false;
}

static bool solve(int rows, int columns, const snn_wires *wires, const float *g, const double *volts) {
    snn_error err = {0};
    snn_circuit_fast *fast = snn_circuit_fast_new(rows, columns, g, wires, &err);
    double *exact = calloc((size_t)columns, sizeof *exact), *near = calloc((size_t)columns, sizeof *near);
    double *scratch = fast ? calloc(snn_circuit_fast_scratch(fast), sizeof *scratch) : NULL;
    bool ok =
        scratch && exact && near && snn_circuit_exact(rows, columns, g, volts, wires, exact, NULL, &err);
    if (ok) {
        snn_circuit_fast_read(fast, volts, FINEST, SNN_CIRCUIT_SWEEPS, scratch, near, NULL);
        for (int c = 0; c < columns; c++)
            printf("%.17g %.17g\n", exact[c], near[c]);
    }
    snn_circuit_fast_free(fast);
    free(scratch);
    free(exact);
    free(near);
    return ok || fail(err.text);
}

static bool read_one(FILE *file, int rows, int columns, const snn_wires *wires) {
    const size_t cells = (size_t)rows * (size_t)columns;
    double *volts = calloc((size_t)rows, sizeof *volts);
    float *g = calloc(cells, sizeof *g);
    bool ok = volts && g;
    for (int r = 0; r < rows && ok; r++)
        ok = fscanf(file, "%lf", &volts[r]) == 1;
    for (size_t i = 0; i < cells && ok; i++)
        ok = fscanf(file, "%f", &g[i]) == 1;
    ok = ok ? solve(rows, columns, wires, g, volts) : fail("a crossbar is cut short");
    free(volts);
    free(g);
    return ok;
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!file)
        return fail("expected a file that can be read"), 1;
    int rows, columns, floating;
    snn_wires wires;
    bool ok = true;
    while (ok && fscanf(file, "%d %d %lf %lf %lf %lf %d", &rows, &columns, &wires.row_ohm, &wires.column_ohm,
                        &wires.driver_ohm, &wires.sense_ohm, &floating) == 7) {
        wires.floating = floating != 0;
        ok = snn_circuit_check(rows, columns, NULL, &wires, NULL) ? read_one(file, rows, columns, &wires)
                                                                  : fail("bad sizes or resistances");
    }
    ok = ok && (feof(file) || fail("a crossbar's line is not understood"));
    fclose(file);
    return ok ? 0 : 1;
}
