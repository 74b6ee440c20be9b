/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The resistive network of one crossbar: cells between word lines (rows) and bit lines (columns), with the resistance of the wires ("IR drop").
 *
 *     volts[r] ──driver──row──●──row──●──row──●      word line r: one `row` segment in front of every cell
 *                             g       g       g      cell (r, c), conductance g_us[r * columns + c]
 *                             │       │       │      bit lines: one `column` segment behind every cell,
 *                          column  column  column    from row 0 down to the last row,
 *                             ⋮       ⋮       ⋮      then the sense resistance to a virtual ground (0 V)
 *                           sense   sense   sense ── current_ua[c]
 *
 * Three ways to the currents, from slow to fast:
 *   snn_circuit        exact: the nodal equations through a sparse factorisation (CHOLMOD), reused for every input vector
 *   snn_circuit_fast   to a given tolerance, with a bound of its error: line relaxation as the preconditioner of conjugate gradients
 *   snn_circuit_ideal  sum of products. Without wires, or with a matrix that has the wires in it: the network is linear, so that
 *                      snn_circuit_transfer's matrix in place of g_us gives the exact currents of every input
 *                      (unless rows float: then the matrix depends on which rows are driven, and snn_circuit_effective approximates it)
 *
 * Units: V, Ohm, uS, uA. Results are the same bits for any number of threads; of the fast and ideal currents on every machine, of the exact ones for a
 * given build of CHOLMOD.
 * Method, accuracy and speed: docs/circuit.md.
 */
#ifndef SNNSIM_CIRCUIT_H
#define SNNSIM_CIRCUIT_H

#include <stdbool.h>
#include <stddef.h>

#include <snnsim/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A resistance is 0 (ideal) or from SNN_CIRCUIT_OHM_MIN to SNN_CIRCUIT_OHM_MAX; a conductance is from 0 to SNN_CIRCUIT_US_MAX; a voltage is at most
 * SNN_CIRCUIT_VOLT_MAX in magnitude. Rows and columns are at least 1, and rows * columns at most SNN_CIRCUIT_CELLS_MAX. All are far beyond
 * any crossbar; they keep the equations solvable in double precision and all sizes countable. */
#define SNN_CIRCUIT_OHM_MIN 1e-3
#define SNN_CIRCUIT_OHM_MAX 1e12
#define SNN_CIRCUIT_US_MAX 1e9
#define SNN_CIRCUIT_VOLT_MAX 1e6
#define SNN_CIRCUIT_CELLS_MAX (1 << 24)

typedef struct {
    double row_ohm;    /* word line: between neighbouring cells, and from the driver to the first cell */
    double column_ohm; /* bit line: between neighbouring cells, and from the last cell to the sense end */
    double driver_ohm; /* output resistance of a row driver, in series with the first segment */
    double sense_ohm;  /* input resistance of the read-out, in series with the last segment */
    bool floating;     /* rows of exactly 0 V are cut off from their driver; otherwise they are held at 0 V */
} snn_wires;

typedef struct {
    /* How much current Kirchhoff's law finds missing at the nodes, at most, relative to the sum of |current_ua|. Of a current that is missing at a node
     * no more than itself can be missing at the sense ends: the sum over columns of |error of current_ua| is at most that share of the sum of
     * |current_ua|, rounding aside. */
    double imbalance;
    int sweeps;      /* snn_circuit_fast: sweeps over all lines; snn_circuit: steps of iterative refinement */
    double power_uw; /* snn_circuit: power that the drivers deliver, wires included; snn_circuit_fast: 0 */
} snn_circuit_stats;

/* ---- ideal wires ---- */

/* current_ua [columns] = sum over rows, ascending, of g_us [rows][columns] * volts [rows], each product and sum rounded to double. */
void snn_circuit_ideal(int rows, int columns, const float *g_us, const double *volts, double *current_ua);

/* Checks sizes, conductances and resistances as every function here does: error USAGE for sizes and resistances, DATA for a conductance that is
 * negative, not a number or too large (naming row and column). g_us may be NULL to check the rest only. */
bool snn_circuit_check(int rows, int columns, const float *g_us, const snn_wires *wires, snn_error *err);

/* ---- exact ---- */

/* A factorised network. Needs about 1 KB for each cell (512 x 512: docs/circuit.md). One thread at a time: it holds its own work space. */
typedef struct snn_circuit snn_circuit;

snn_circuit *snn_circuit_new(int rows, int columns, const float *g_us, const snn_wires *wires,
                             snn_error *err);
void snn_circuit_free(snn_circuit *circuit); /* NULL is fine */

/* Other conductances for the same sizes and wires: quicker than a new network, as the elimination order is kept. */
bool snn_circuit_set(snn_circuit *circuit, const float *g_us, snn_error *err);

/* volts [rows] to current_ua [columns]. With wires->floating, another set of rows at 0 V costs another factorisation. stats may be NULL. */
bool snn_circuit_solve(snn_circuit *circuit, const double *volts, double *current_ua,
                       snn_circuit_stats *stats, snn_error *err);

/* Voltages of the last snn_circuit_solve at both ends of every cell: word_v and bit_v [rows][columns], either may be NULL. */
void snn_circuit_voltages(const snn_circuit *circuit, double *word_v, double *bit_v);

/* transfer_us [rows][columns]: current of column c for 1 V at row r alone, other rows held at 0 V (also with wires->floating).
 * snn_circuit_ideal on it gives the exact currents of every input, rounded to float once a cell. */
bool snn_circuit_transfer(snn_circuit *circuit, float *transfer_us, snn_error *err);

/* effective_us [rows][columns]: cell current / volts[r] at the given operating point, for instance volts = read voltage * expected activity of the row.
 * snn_circuit_ideal on it gives the exact currents for these volts, and an approximation for others. No row may be at 0 V (error USAGE). */
bool snn_circuit_effective(snn_circuit *circuit, const double *volts, float *effective_us, snn_error *err);

/* All in one, for a single input. */
bool snn_circuit_exact(int rows, int columns, const float *g_us, const double *volts, const snn_wires *wires,
                       double *current_ua, snn_circuit_stats *stats, snn_error *err);

/* Memory that the factorised network holds, and the most that it ever held while it was built. */
void snn_circuit_memory(const snn_circuit *circuit, size_t *bytes, size_t *peak_bytes);

/* ---- fast ---- */

/* The lines of a network, factorised one by one: everything that depends on conductances only. Immutable during reads, so that any number of threads may
 * read at once, each with its own scratch. */
typedef struct snn_circuit_fast snn_circuit_fast;

snn_circuit_fast *snn_circuit_fast_new(int rows, int columns, const float *g_us, const snn_wires *wires,
                                       snn_error *err);
void snn_circuit_fast_free(snn_circuit_fast *fast); /* NULL is fine */

/* Other conductances for the same sizes and wires, without allocating. Not while another thread reads. */
bool snn_circuit_fast_set(snn_circuit_fast *fast, const float *g_us, snn_error *err);

/* Number of doubles that snn_circuit_fast_read needs as scratch (aligned as from snn_alloc; contents do not matter). */
size_t snn_circuit_fast_scratch(const snn_circuit_fast *fast);

/* Defaults for a read: a bound of the error, at which single columns are off by less than 1 % at 128 x 128 cells, and more sweeps than any array
 * of docs/circuit.md takes. */
#define SNN_CIRCUIT_TOLERANCE 1e-3
#define SNN_CIRCUIT_SWEEPS 50

/* volts [rows] to current_ua [columns], until the imbalance is at most `tolerance` (>= 0) or `sweeps` (>= 0) sweeps are done: compare stats->imbalance
 * with the tolerance to know. Neither allocates nor fails: volts must be finite and within limits. stats may be NULL. */
void snn_circuit_fast_read(const snn_circuit_fast *fast, const double *volts, double tolerance, int sweeps,
                           double *scratch, double *current_ua, snn_circuit_stats *stats);

/* As snn_circuit_transfer, every row to the given tolerance. *imbalance (may be NULL) is the largest that a row was left with. */
bool snn_circuit_fast_transfer(const snn_circuit_fast *fast, double tolerance, int sweeps, float *transfer_us,
                               double *imbalance, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
