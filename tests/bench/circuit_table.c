/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accuracy and speed of the wires of a crossbar (docs/circuit.md): `circuit_table [LARGEST]` prints its tables for arrays up to LARGEST rows (default 512).
 * Errors are relative errors in % of single columns' currents against the exact solution, median / worst over all columns of inputs with few to all rows
 * on, at 0.3 V.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <snnsim/circuit.h>
#include <snnsim/random.h>

#define READ_VOLT 0.3
#define FINE 1e-9        /* tolerance of transfer matrices: below the rounding of their floats */
#define MEASURE_NS 1e8   /* time that a figure is measured for, over all inputs */
#define REFERENCE_ON 0.5 /* activity for which effective conductances are computed */

static const double activity[] = {0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0};
#define INPUTS ((int)(sizeof activity / sizeof *activity))

typedef struct {
    int n; /* rows and columns */
    snn_wires wires;
    float *g;
    double *volts, *exact, *got, *scratch;
} bench;

typedef struct {
    double *error; /* [INPUTS * n] */
    int count;
} errors;

/* Time of this thread: others on the machine disturb it least. */
static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static void *reserve(size_t n, size_t size) {
    snn_error err = {0};
    void *p = snn_alloc(n, size, "circuit_table", &err);
    if (!p) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return p;
}

static void demand(bool ok, const snn_error *err) {
    if (!ok) {
        fprintf(stderr, "circuit_table: %s\n", err->text);
        exit(1);
    }
}

/* ---- errors ---- */

static void compare(errors *e, const bench *b) {
    for (int c = 0; c < b->n; c++)
        e->error[e->count++] = fabs(b->got[c] / b->exact[c] - 1);
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_errors(errors *e) {
    qsort(e->error, (size_t)e->count, sizeof *e->error, by_value);
    const double median = 100 * e->error[e->count / 2], worst = 100 * e->error[e->count - 1];
    printf(median < 10 ? " %.2g /" : " %.0f /", median);
    printf(worst < 10 ? " %.2g |" : " %.0f |", worst);
}

/* ---- one row of a table ---- */

static void draw_input(bench *b, int k) {
    snn_random random;
    snn_random_init(&random, 2, SNN_PURPOSE_TEST, (uint64_t)k);
    for (int r = 0; r < b->n; r++)
        b->volts[r] = snn_random_uniform(&random) < activity[k] ? READ_VOLT : 0.0;
    b->volts[k] = READ_VOLT; /* never an empty input */
}

typedef struct {
    double sum_ns, fast_ns, solve_ns,
        new_ns; /* plain sum; fast read; exact solution; factorisation and solution */
    double sweeps, bound;
} costs;

static void read_fast(const bench *b, const snn_circuit_fast *fast, costs *cost) {
    snn_circuit_stats stats;
    double start = now_ns(), spent = 0;
    int reads = 0;
    for (; spent < MEASURE_NS / INPUTS; reads++, spent = now_ns() - start)
        snn_circuit_fast_read(fast, b->volts, SNN_CIRCUIT_TOLERANCE, SNN_CIRCUIT_SWEEPS, b->scratch, b->got,
                              &stats);
    cost->fast_ns += spent / reads / INPUTS;
    cost->sweeps += (double)stats.sweeps / INPUTS;
    cost->bound = fmax(cost->bound, stats.imbalance);
}

static void read_ideal(const bench *b, costs *cost) {
    double start = now_ns(), spent = 0;
    int reads = 0;
    for (; spent < MEASURE_NS / INPUTS; reads++, spent = now_ns() - start)
        snn_circuit_ideal(b->n, b->n, b->g, b->volts, b->got);
    cost->sum_ns += spent / reads / INPUTS;
}

/* Effective conductances for the activity that the read-out expects, every row at its mean voltage; or the transfer matrix. */
static float *make_matrix(bench *b, snn_circuit *t, const snn_circuit_fast *fast, bool transfer) {
    snn_error err = {0};
    float *matrix = reserve((size_t)b->n * (size_t)b->n, sizeof *matrix);
    for (int r = 0; r < b->n; r++)
        b->volts[r] = REFERENCE_ON * READ_VOLT;
    demand(transfer ? snn_circuit_fast_transfer(fast, FINE, SNN_CIRCUIT_SWEEPS, matrix, NULL, &err)
                    : snn_circuit_effective(t, b->volts, matrix, &err),
           &err);
    return matrix;
}

static void measure(bench *b, snn_circuit *t, const snn_circuit_fast *fast, costs *cost, errors e[4]) {
    snn_error err = {0};
    float *effective = make_matrix(b, t, fast, false), *transfer = make_matrix(b, t, fast, true);
    for (int k = 0; k < INPUTS; k++) {
        draw_input(b, k);
        demand(snn_circuit_solve(t, b->volts, b->exact, NULL, &err),
               &err); /* with floating rows: factorises */
        const double start = now_ns();
        demand(snn_circuit_solve(t, b->volts, b->exact, NULL, &err), &err);
        cost->solve_ns += (now_ns() - start) / INPUTS;
        read_ideal(b, cost);
        compare(&e[0], b);
        read_fast(b, fast, cost);
        compare(&e[1], b);
        snn_circuit_ideal(b->n, b->n, effective, b->volts, b->got);
        compare(&e[2], b);
        snn_circuit_ideal(b->n, b->n, transfer, b->volts, b->got);
        compare(&e[3], b);
    }
    free(effective);
    free(transfer);
}

static void row(int n, double ohm, bool floating, bool all_low) {
    const size_t cells = (size_t)n * (size_t)n, width = (size_t)n;
    snn_error err = {0};
    snn_random random;
    snn_random_init(&random, 1, SNN_PURPOSE_TEST, (uint64_t)n);
    bench b = {.n = n, .wires = {ohm, ohm, 0, 0, floating}, .g = reserve(cells, sizeof(float))};
    b.volts = reserve(width, sizeof(double));
    b.exact = reserve(width, sizeof(double));
    b.got = reserve(width, sizeof(double));
    for (size_t i = 0; i < cells; i++)
        b.g[i] = all_low ? 40.0F : (float)(1 + 39 * snn_random_uniform(&random));
    draw_input(&b, INPUTS / 2);
    costs cost = {0};
    const double start = now_ns();
    snn_circuit *t = snn_circuit_new(n, n, b.g, &b.wires, &err);
    demand(t && snn_circuit_solve(t, b.volts, b.exact, NULL, &err), &err);
    cost.new_ns = now_ns() - start;
    snn_circuit_fast *fast = snn_circuit_fast_new(n, n, b.g, &b.wires, &err);
    demand(fast != NULL, &err);
    b.scratch = reserve(snn_circuit_fast_scratch(fast), sizeof(double));
    errors e[4];
    for (int i = 0; i < 4; i++)
        e[i] = (errors){reserve(INPUTS * width, sizeof(double)), 0};
    measure(&b, t, fast, &cost, e);
    printf("| %d x %d | %g |", n, n, ohm);
    print_errors(&e[0]);
    for (int i = 1; i < 4; i++)
        print_errors(&e[i]);
    printf(" %.1f | %.2g |", cost.sweeps, 100 * cost.bound);
    printf(" %.1f | %.1f | %.2f | %.1f | %.0f | %.0f |\n", cost.sum_ns / 1e3, cost.fast_ns / 1e3,
           cost.solve_ns / 1e6, cost.new_ns / 1e6, cost.solve_ns / cost.fast_ns, cost.new_ns / cost.fast_ns);
    fflush(stdout);
    for (int i = 0; i < 4; i++)
        free(e[i].error);
    snn_circuit_free(t);
    snn_circuit_fast_free(fast);
    free(b.g);
    free(b.volts);
    free(b.exact);
    free(b.got);
    free(b.scratch);
}

static void table(const char *what, int first, int last, bool floating, bool all_low) {
    static const double ohms[] = {0.5, 1, 2, 5};
    printf("\n%s\n\n"
           "| cells | Ohm | ideal | fast | effective | transfer | sweeps | bound | sum us | fast us | exact "
           "ms | "
           "new ms | exact / fast | new / fast |\n"
           "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
           what);
    for (int n = first; n <= last; n *= 2)
        for (int i = 0; i < 4; i++)
            row(n, ohms[i], floating, all_low);
}

/* Time and memory of the largest array alone. */
static void largest(int n) {
    snn_error err = {0};
    const snn_wires wires = {2, 2, 0, 0, false};
    float *g = reserve((size_t)n * (size_t)n, sizeof *g);
    double *volts = reserve((size_t)n, sizeof *volts), *current = reserve((size_t)n, sizeof *current);
    for (int i = 0; i < n * n; i++)
        g[i] = (float)(1 + i % 40);
    for (int i = 0; i < n; i++)
        volts[i] = READ_VOLT;
    size_t bytes, peak;
    struct rusage usage;
    const double start = now_ns();
    snn_circuit *t = snn_circuit_new(n, n, g, &wires, &err);
    demand(t != NULL, &err);
    const double made = now_ns();
    demand(snn_circuit_solve(t, volts, current, NULL, &err), &err);
    const double solved = now_ns();
    snn_circuit_memory(t, &bytes, &peak);
    getrusage(RUSAGE_SELF, &usage);
    printf("%d x %d cells, exact: factorised in %.2f s, solved in %.3f s, %.0f MB at most (the process: %.0f "
           "MB)\n",
           n, n, (made - start) / 1e9, (solved - made) / 1e9, (double)peak / 1e6,
           (double)usage.ru_maxrss * 1024 / 1e6);
    snn_circuit_free(t);
    free(g);
    free(volts);
    free(current);
}

int main(int argc, char **argv) {
    const int last = argc > 1 ? atoi(argv[1]) : 512;
    if (last < 32 || last > 4096) {
        fprintf(stderr, "usage: circuit_table [LARGEST]: 32 to 4096 rows\n");
        return 2;
    }
    largest(last);
    const int middle = last < 256 ? last : 256;
    table("Cells of 1 to 40 uS, rows without a spike at 0 V:", 32, last, false, false);
    table("All cells at 40 uS, rows without a spike at 0 V:", 64, middle, false, true);
    table("Cells of 1 to 40 uS, rows without a spike floating:", 64, middle, true, false);
    return 0;
}
