/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Section `hw` of the configuration as one struct: what chip, under what condition, read how. */
#ifndef SNNSIM_HW_H
#define SNNSIM_HW_H

#include <snnsim/device.h>
#include <snnsim/map.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { SNN_WIRE_NONE, SNN_WIRE_STATIC, SNN_WIRE_SWEEPS, SNN_WIRE_EXACT } snn_wire_model;
typedef enum { SNN_FAULTS_DEVICE, SNN_FAULTS_FILE } snn_fault_source;

typedef struct {
    uint32_t parallel_rows; /* rows that conduct at once; 0: all of the array */
    int adc_bits;           /* 1..16; 0: ideal conversion */
    double
        adc_range; /* full scale as a share of the largest current the active rows can give; 0: what calibration on training inputs finds */
    double adc_offset; /* standard deviation over converters [LSB of the converter] */
    double adc_gain;   /* standard deviation over converters, relative */
    double adc_inl;    /* peak of a bowed characteristic [LSB of the converter] */
    uint32_t columns_per_adc;
    snn_wire_model wire;
    double driver_ohm, sense_ohm;
    /* What conducting rows add whatever their weights are is taken off by its nominal value, not by a reference lane. */
    bool nominal_baseline;
} snn_analog_options;

typedef struct {
    snn_device device;
    snn_readout_mode readout;
    snn_map_options map;
    snn_condition condition;
    /* digital sensing */
    double
        reference; /* 0..1: place of the reference between two neighbouring levels' targets (0.5: middle) */
    /* errors by decree */
    double read_error;  /* per cell and read, in place of noise: none of device and amplifier may act */
    double cell_error;  /* per cell, constant over the run */
    char *fault_map;    /* file, NULL: by the device's shares */
    bool msb_placement; /* repair: most significant bits away from faulty cells */
    snn_analog_options analog;
    uint32_t chips, first_chip;
    uint64_t seed;
    char *chip_file; /* use this saved chip instead of programming; NULL */
    bool time_idle;  /* hw.time is given, but nothing here changes with time: worth a warning */
} snn_hw_options;

/* Temperatures at which wires are modelled [K]: our choice. NeuroSim's rho (1 + 0.00451 (T - 300 K)) is a law about room temperature; it reaches 0 at 78 K, where copper does not. */
#define SNN_WIRE_KELVIN_MIN 200.0
#define SNN_WIRE_KELVIN_MAX 500.0

/* Is hw.device set? */
bool snn_hw_wanted(const snn_config *config);
/* For who runs without a chip, as hw.device is not given: refuses keys of sections hw and cell, which would do nothing. hw.device = "" that is given says that they are not wanted. Errors: USAGE with file:line. */
bool snn_hw_check_none(const snn_config *config, snn_error *err);
/* Errors: USAGE with file:line. Refuses every combination that the support matrix does not have: an effect that is named in hw.effects but that the device does not have or the read-out
 * mode does not support; with "all", an effect of the device that the mode does not support unless hw.without names it; analogue read-out with SEC-DED, repair of bits, read_error; differential pairs
 * with digital read-out; a key that is given and would change nothing (the table of options_given.c), but for hw.time. */
bool snn_hw_options_from_config(const snn_config *config, snn_hw_options *o, snn_error *err);
/* The same for who asks only where cells stand: keys that would change nothing on a chip are allowed, as none is programmed. */
bool snn_hw_layout_from_config(const snn_config *config, snn_hw_options *o, snn_error *err);
void snn_hw_options_free(snn_hw_options *o);

/* ---- what to expect of single cells, before any chip is drawn ---- */

typedef struct {
    double target, mean, sigma; /* [uS] of working cells over cells and chips, without read noise */
    double misread;             /* probability that one digital read of a cell gives another level */
    double wrong_bits;          /* mean number of bits of the cell that are wrong in one read */
} snn_hw_level;

/* Level k of the 2^cell_bits levels of a cell (2 for differential pairs), at o's condition but `seconds` after programming. Over all cells: constant errors, stuck cells by the device's
 * shares, and noise; errors by decree (hw.read_error, hw.cell_error) and fault maps are left out. Errors: USAGE (time, temperature). */
bool snn_hw_expect(const snn_hw_options *o, double seconds, int k, snn_hw_level *out, snn_error *err);
/* Wrong bits per bit and read, mean over all levels. */
bool snn_hw_bit_error_rate(const snn_hw_options *o, double seconds, double *rate, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
