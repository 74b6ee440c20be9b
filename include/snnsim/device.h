/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One kind of memory cell: which conductances programming aims at, how far cells end from them, how they move with time, and how they are read.
 *
 * Conductances in microsiemens (uS), times in seconds since programming, temperatures in kelvin. A device file (hw/devices/NAME.cfg) is a configuration with
 * a section `cell`; its keys are in the table of keys, so that any of them can also be set in the main configuration, which then wins.
 *
 * A cell at level k with target L (uS) has, at time t and temperature T,
 *     g0 = L + sigma_p(L) z_program           normal programming spread, or
 *     g0 = L exp(s z_program)                 log-normal
 *     g1 = g0 (1 + v_cell z_cell) (1 + v_chip z_chip)
 *     g  = scale(t) g1 + shift(L, t) + sigma_r(L, t) z_relax, cut off at 0
 * with independent standard normal z of the cell (z_chip: of the chip). With write-and-verify g0 is drawn again, pulse by pulse, until |g0 - L| <= window
 * or the pulses are used up. A stuck cell has the target of its stuck state instead, at all times.
 */
#ifndef SNNSIM_DEVICE_H
#define SNNSIM_DEVICE_H

#include <snnsim/config.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SNN_LEVELS 16           /* most levels of a cell (4 bits) */
#define SNN_TERMS 6             /* most coefficients of a polynomial */
#define SNN_RETENTION_POINTS 16 /* most rows of a retention table */

/* ---- effects ---- */

typedef enum {
    SNN_EFFECT_PROGRAMMING,    /* programming spread */
    SNN_EFFECT_RELAXATION,     /* relaxation and drift with time and temperature */
    SNN_EFFECT_WHITE_NOISE,    /* independent at each read */
    SNN_EFFECT_TELEGRAPH,      /* two-state noise: frozen within a sample, drawn anew for each */
    SNN_EFFECT_ONE_OVER_F,     /* 1/f noise: frozen within a sample, drawn anew for each */
    SNN_EFFECT_STUCK,          /* stuck cells */
    SNN_EFFECT_DISTURB,        /* reads that came before shift the conductance */
    SNN_EFFECT_CELL_VARIATION, /* cells differ */
    SNN_EFFECT_CHIP_VARIATION, /* chips differ */
    SNN_EFFECT_SENSE,          /* offset and noise of sense amplifiers (digital read-out) */
    SNN_EFFECT_WIRE,           /* wire resistance */
    SNN_EFFECT_ADC, /* offset, gain and non-linearity of converters (analogue read-out); resolution always acts */
    SNN_EFFECTS
} snn_effect;

typedef enum { SNN_READOUT_DIGITAL, SNN_READOUT_ANALOG } snn_readout_mode;

const char *snn_effect_name(snn_effect e); /* "programming", "white_noise", ... */
/* The support matrix of docs/devices.md: how an effect acts in a read-out mode, as one sentence; NULL: not supported there. */
const char *snn_effect_support(snn_effect e, snn_readout_mode mode);

/* ---- the device ---- */

typedef struct {
    int terms;           /* 0: the zero polynomial */
    double c[SNN_TERMS]; /* sum of c[k] g^k; g and result in uS */
} snn_polynomial;
double snn_polynomial_at(const snn_polynomial *p, double g);

typedef enum {
    SNN_RETENTION_NONE,
    SNN_RETENTION_TABLE, /* shift and total sigma as polynomials at some times, linear in ln t between them and beyond the last */
    SNN_RETENTION_LOG,  /* shift = mean_per_ln * ln(t/t0), sigma_r = sigma_per_ln * ln(t/t0) + sigma_0 */
    SNN_RETENTION_POWER /* scale = (t/t0)^exponent */
} snn_retention_form;

typedef struct {
    double seconds;
    snn_polynomial shift,
        sigma; /* sigma: of programming and relaxation together, sqrt(sigma_p^2 + sigma_r^2) */
} snn_retention_point;

typedef struct {
    char name[64]; /* preset or file name without .cfg */
    char *source;  /* where the numbers come from, one sentence */
    /* levels */
    double g_min,
        g_max;  /* [uS] targets of the lowest (HRS) and highest level (LRS); between them evenly spaced */
    int levels; /* most levels that a cell of this kind can hold: 2, 4, 8 or 16 */
    /* programming */
    bool lognormal;
    snn_polynomial sigma_program; /* [uS] of the target (normal) */
    double lognormal_hrs,
        lognormal_sigma; /* of ln g at g_min and at g_max (log-normal); linear in ln of the target between */
    double cell_variation, chip_variation; /* relative */
    /* retention */
    snn_retention_form retention;
    int points;
    snn_retention_point point[SNN_RETENTION_POINTS];
    double t0;                                 /* [s] of LOG and POWER: no shift before */
    double mean_per_ln, sigma_per_ln, sigma_0; /* [uS] LOG */
    double exponent;                           /* POWER */
    double activation_ev,
        reference_kelvin; /* Arrhenius: t at T counts as t exp(E/k (1/T0 - 1/T)) at T0; 0: not known */
    /* read noise */
    double white; /* standard deviation of one read, relative to g_max */
    double
        telegraph_share; /* share of cells that have it: each is at g or at g - step, half of the time each */
    double telegraph_step,
        telegraph_amplitude; /* step [uS] = telegraph_step + telegraph_amplitude g, at most g */
    double one_over_f, one_over_f_log,
        one_over_f_time; /* sigma[uS] = (one_over_f + one_over_f_log log10(g/uS)) sqrt(ln((t + t_r)/(2 t_r))), t_r = one_over_f_time */
    /* faults */
    double stuck_hrs, stuck_lrs; /* share of cells */
    double stuck_cluster;        /* mean cells of a cluster along a row; 1: independent */
    /* read disturb: after n reads of its row a cell's conductance is g (1 + disturb ln(1 + n / disturb_reads)) */
    double disturb, disturb_reads;
    /* sense amplifier, as conductance at the read voltage */
    double sense_offset, sense_noise; /* [uS] standard deviation: of each amplifier (fixed), of each read */
    /* electrical, for ledger and circuit */
    double read_volt, read_ns, write_volt, write_ns, endurance; /* 0: not known */
    double node_nm; /* technology node of the published chip, selects constants of the ledger; 0: not known */
    double row_ohm, column_ohm; /* wire per cell at 300 K */
} snn_device;

/* The device that hw.device names (a preset in ./hw/devices or the installed ones, or a path), with what section `cell` of the configuration overrides. Errors: USAGE
 * with file:line; what cannot be (HRS above LRS, a spread that turns negative between g_min and g_max, times that do not ascend, shares above 1, ...) is refused. */
bool snn_device_from_config(const snn_config *config, snn_device *d, snn_error *err);
void snn_device_free(snn_device *d);

/* ---- statistics ---- */

typedef struct {
    double seconds, kelvin;
    uint64_t reads;   /* of each row before this time (disturb) */
    uint32_t effects; /* bit e: effect e acts */
    double
        verify_window; /* [uS] write-and-verify: accepted distance from the target; 0: one pulse without verification */
    int verify_pulses; /* most pulses */
} snn_condition;

/* A level under a condition: what the formula above needs. */
typedef struct {
    double target; /* L [uS] */
    bool lognormal;
    double sigma_program; /* [uS], or of ln g */
    double verify_window;
    int verify_pulses;
    double cell_variation, chip_variation;
    double scale, shift, sigma_relax; /* of retention; scale includes disturb */
} snn_level;

/* Level k of `levels` (<= device's). Errors: USAGE for more levels than the device has, a temperature other than reference_kelvin without an activation energy, negative time. */
bool snn_device_level(const snn_device *d, const snn_condition *c, int levels, int k, snn_level *out,
                      snn_error *err);
/* The same for any target [uS] from g_min to g_max: analogue cells. Errors: USAGE for others, and as above. */
bool snn_device_target(const snn_device *d, const snn_condition *c, double target, snn_level *out,
                       snn_error *err);
/* g [uS] from standard normal deviates (portable, the same bits everywhere). z_program is the accepted one. */
double snn_level_conductance(const snn_level *l, double z_program, double z_relax, double z_cell,
                             double z_chip);
/* Accepted z_program and number of pulses of a cell from its uniform deviates in (0, 1): u_program (quantile), u_pulse (pulses). Without verification z = quantile(u), 1 pulse. */
double snn_level_program(const snn_level *l, double u_program, double u_pulse, int *pulses);
/* Is a cell with this z_program within the window? Always without verification. */
bool snn_level_verified(const snn_level *l, double z_program);
/* Mean and standard deviation of g over cells and chips (cut-off at 0 included). */
void snn_level_moments(const snn_level *l, double *mean, double *sigma);
/* P(g + noise <= x), noise normal with standard deviation noise >= 0 [uS]; by integration, relative error <= 1e-6 down to 1e-12. */
double snn_level_cdf(const snn_level *l, double noise, double x);
/* P(g + noise > x), as accurate: 1 - snn_level_cdf() where that would cancel. */
double snn_level_above(const snn_level *l, double noise, double x);
/* Standard deviations of noise of a cell with conductance g at this condition: per read, and frozen within a sample without telegraph noise. [uS] */
double snn_device_white(const snn_device *d, const snn_condition *c);
double snn_device_slow(const snn_device *d, const snn_condition *c, double g);
/* Step of telegraph noise [uS] of a cell that has it; 0 when the effect does not act. */
double snn_device_telegraph(const snn_device *d, const snn_condition *c, double g);

#ifdef __cplusplus
}
#endif
#endif
