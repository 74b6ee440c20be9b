/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim hw: the chip before any run: where weight bits stand, one programmed chip, cells and effects. */
#include "hw.h"
#include "hw_power.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim hw ACTION ...\n"
    "  map CONFIG                  where the weight bits stand: arrays, rows, columns\n"
    "  program CONFIG -o CHIP      program one chip and save it\n"
    "  device CONFIG               what the memory cells do: levels, spread, bit error rate\n"
    "  support                     which effect acts in which read-out mode\n"
    "  efficiency                  the energy model against a published chip\n"
    "  power                       energy of a gate-level netlist from a simulation's dump\n"
    "  run CONFIG                  cycles, stalls, energy and time of the tile with its decryptor\n"
    "  line CONFIG                 plain, stolen, with key: accuracy, added cycles and energy in one table\n"
    "  compare CONFIG              what decryption costs, against AES under several accountings\n"
    "  fault CONFIG                what one faulted bit of the decryptor does to accuracy\n"
    "  cosim CONFIG                the Verilog beside its model in C, cycle by cycle (needs Verilator)\n"
    "  snnsim hw ACTION --help tells more.\n";

static const char map_help[] =
    "Usage: snnsim hw map CONFIG [OPTION]...\n"
    "Cuts the network's weights into arrays of cells as section hw of the config says, and prints the\n"
    "table. Weights have the bits and encoding of the model; with model.path empty those of section\n"
    "quant, for the network of section network.\n"
    "\n"
    "  --csv FILE                one line per array: what it holds\n"
    "  --cell LAYER,INDEX,BIT    the cell of one weight bit (INDEX in PyTorch's order, BIT 0: the most\n"
    "                            significant; differential pairs: BIT 0 positive, 1 negative)\n"
    "  --at ARRAY,ROW,COLUMN     the weight bits of one cell\n"
    "  --model FILE              the model (default: model.path)\n"
    "  --set KEY=VALUE           override a key of the config\n"
    "\n"
    "Example: snnsim hw map nmnist.cfg --set hw.array=128x128 --cell fc2,36,0\n"
    "docs/crossbar.md describes the layout.\n";

static const char program_help[] =
    "Usage: snnsim hw program CONFIG -o CHIP [OPTION]...\n"
    "Programs one chip with the model's weights, tells what that took, and saves it for\n"
    "snnsim run CONFIG --chip CHIP.\n"
    "\n"
    "  -o, --output CHIP  the file to write\n"
    "  --chip N           the same as --set hw.first_chip=N: which chip\n"
    "  --model FILE       the model (default: model.path)\n"
    "  --seed N           the same as --set seed=N\n"
    "  --set KEY=VALUE    override a key of the config\n"
    "\n"
    "Example: snnsim hw program nmnist.cfg --set hw.device=neurram --chip 7 -o chip7.h5\n";

static const char device_help[] =
    "Usage: snnsim hw device CONFIG [--set KEY=VALUE]...\n"
    "Prints mean and spread of each level of the memory cells (hw.device) as programmed, after 1 s,\n"
    "after 1 day and at hw.time, and with digital read-out how often single reads go wrong, over all\n"
    "cells and chips. Errors by decree (hw.read_error, hw.cell_error) and fault maps are left out.\n"
    "\n"
    "Example: snnsim hw device nmnist.cfg --set hw.device=neurram --set hw.cell_bits=2\n";

static const char support_help[] = "Usage: snnsim hw support\n"
                                   "Prints which effect acts in which read-out mode, and how.\n";

static const char efficiency_help[] =
    "Usage: snnsim hw efficiency\n"
    "Fits two constants of the energy model, an input pulse and a bit of the output's conversion, to\n"
    "two published efficiencies of NeuRRAM, and predicts the others (docs/energy.md).\n";

enum { OPTION_CSV = CLI_OWN, OPTION_CELL, OPTION_AT, OPTION_MODEL, OPTION_CHIP, OPTION_OUTPUT };

static bool take_chip(cli_hw *hw, const char *value, snn_error *err) {
    uint64_t n;
    if (!cli_number("--chip", value, 0, 1000000000, &n, err)) /* range of hw.first_chip */
        return false;
    snprintf(hw->chip, sizeof hw->chip, "hw.first_chip=%" PRIu64, n);
    return true;
}

static bool take(void *context, int option, const char *value, snn_error *err) {
    cli_hw *hw = context;
    switch (option) {
    case OPTION_CSV:
        hw->csv = value;
        return true;
    case OPTION_CELL:
        hw->cell = value;
        return true;
    case OPTION_AT:
        hw->at = value;
        return true;
    case OPTION_MODEL:
        hw->model_option = value;
        return true;
    case OPTION_CHIP:
        return take_chip(hw, value, err);
    default:
        hw->output = value;
        return true;
    }
}

/* ---- from config to map ---- */

/* Codes of the network's shapes, as section quant says; their values do not matter. */
static bool blank_model(cli_hw *hw, snn_error *err) {
    snn_quantisation q;
    snn_weights *w = NULL;
    bool ok = (hw->model.net = cli_net(hw->config, err)) &&
              snn_quantisation_from_config(hw->config, &q, err) &&
              (w = snn_weights_new(hw->model.net, err)) &&
              (hw->model.weights = snn_weights_quantise(w, &q, NULL, err));
    snn_weights_free(w);
    return ok;
}

/* Options, weights as the cells hold them, map. */
static bool make_map(cli_hw *hw, bool blank, snn_error *err) {
    const char *path;
    bool without = blank && !hw->model_option && !*snn_config_string(hw->config, "model.path");
    /* a map is the same whatever cells do, and no chip is programmed for it */
    if (!(blank ? snn_hw_layout_from_config : snn_hw_options_from_config)(hw->config, &hw->options, err) ||
        !(without ? blank_model(hw, err)
                  : cli_model_load(hw->config, hw->model_option, &hw->model, &path, err)))
        return false;
    hw->stored = hw->options.readout == SNN_READOUT_ANALOG
                     ? snn_analog_weights(hw->model.weights, &hw->options.map, err)
                     : snn_weights_copy(hw->model.weights, err);
    return hw->stored && (hw->map = snn_map_new(hw->model.net, hw->stored, &hw->options.map, err));
}

static void free_all(cli_hw *hw) {
    snn_map_free(hw->map);
    snn_weights_free(hw->stored);
    snn_model_free(&hw->model);
    snn_hw_options_free(&hw->options);
    snn_config_free(hw->config);
    cli_common_free(&hw->common);
}

/* Parses and loads the config; hw->config stays NULL when there is nothing left to do. */
static bool begin(cli_syntax syntax, int argc, char **argv, cli_hw *hw, snn_error *err) {
    int first;
    syntax.letters = ":ho:";
    syntax.positional_min = syntax.positional_max = 1;
    syntax.positional = "CONFIG";
    syntax.own = take;
    syntax.context = hw;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &hw->common, &first, err);
    if (parsed != CLI_GO)
        return parsed == CLI_DONE;
    hw->config = cli_config(&hw->common, err);
    return hw->config && (!*hw->chip || snn_config_set(hw->config, hw->chip, err));
}

/* ---- map ---- */

static bool write_csv(const cli_hw *hw, snn_error *err) {
    snn_file *f = snn_file_create(hw->csv, 0644, err);
    if (!f)
        return false;
    if (!snn_map_csv(hw->map, snn_file_stream(f), err)) {
        snn_file_abandon(f);
        return snn_error_context(err, "%s", hw->csv);
    }
    return snn_file_commit(f, err);
}

static bool map(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"csv", required_argument, NULL, OPTION_CSV},
                                            {"cell", required_argument, NULL, OPTION_CELL},
                                            {"at", required_argument, NULL, OPTION_AT},
                                            {"model", required_argument, NULL, OPTION_MODEL},
                                            {0}};
    cli_hw hw = {0};
    bool ok =
        begin((cli_syntax){.name = "hw map", .help = map_help, .options = options}, argc, argv, &hw, err);
    if (ok && hw.config) {
        /* the layout does not depend on the kind of cell */
        ok = (snn_hw_wanted(hw.config) || snn_config_set(hw.config, "hw.device=ideal", err)) &&
             make_map(&hw, true, err) && (!hw.csv || write_csv(&hw, err)) &&
             (!hw.cell || cli_hw_cell(&hw, stdout, err)) && (!hw.at || cli_hw_at(&hw, stdout, err)) &&
             (hw.csv || hw.cell || hw.at || snn_map_print(hw.map, stdout, err));
    }
    free_all(&hw);
    return ok;
}

/* ---- program ---- */

static void print_programmed(const cli_hw *hw, const snn_program_stats *s) {
    const snn_map_options *m = &hw->options.map;
    printf("chip %u of seed %" PRIu64 ", device %s: %u arrays\n", hw->options.first_chip, hw->options.seed,
           hw->options.device.name, hw->map->tiles);
    printf("  programmed  %" PRIu64 " cells with %" PRIu64 " pulses", s->cells, s->pulses);
    if (hw->options.condition.verify_window > 0)
        printf(", %" PRIu64 " never within hw.verify_window", s->unverified);
    if (s->worn)
        printf(", %" PRIu64 " beyond their endurance", s->worn);
    printf("\n  stuck       %" PRIu64 " at HRS, %" PRIu64 " at LRS, among the cells in use\n", s->stuck_hrs,
           s->stuck_lrs);
    if (m->spare_rows || m->spare_columns || hw->options.msb_placement)
        printf("  repaired    %" PRIu64 " rows and %" PRIu64 " columns replaced, order of %" PRIu64
               " lanes changed\n",
               s->rows_replaced, s->columns_replaced, s->lanes_permuted);
}

static bool program_chip(cli_hw *hw, snn_error *err) {
    if (*snn_config_string(hw->config, "hw.chip_file"))
        return snn_config_fail(hw->config, "hw.chip_file", err, "is a chip that is programmed already");
    if (!make_map(hw, false, err) || !cli_hw_target(hw->output, err))
        return false;
    snn_chip *chip = snn_chip_program(hw->map, &hw->options, hw->stored, hw->options.first_chip, err);
    bool ok = chip && snn_chip_save(chip, hw->output, err);
    if (ok)
        print_programmed(hw, snn_chip_stats(chip));
    snn_chip_free(chip);
    return ok;
}

static bool program(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"seed", required_argument, NULL, CLI_SEED},
                                            {"output", required_argument, NULL, OPTION_OUTPUT},
                                            {"chip", required_argument, NULL, OPTION_CHIP},
                                            {"model", required_argument, NULL, OPTION_MODEL},
                                            {0}};
    cli_hw hw = {0};
    bool ok = begin((cli_syntax){.name = "hw program", .help = program_help, .options = options}, argc, argv,
                    &hw, err);
    if (ok && hw.config && (!hw.output || !*hw.output))
        ok = snn_fail(err, SNN_ERR_USAGE, "hw program: -o CHIP is missing (see snnsim hw program --help)");
    else if (ok && hw.config)
        ok = program_chip(&hw, err);
    free_all(&hw);
    return ok;
}

/* ---- device, support, efficiency ---- */

static bool device(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {
        {"help", no_argument, NULL, CLI_HELP}, {"set", required_argument, NULL, CLI_SET}, {0}};
    cli_hw hw = {0};
    bool ok = begin((cli_syntax){.name = "hw device", .help = device_help, .options = options}, argc, argv,
                    &hw, err);
    if (ok && hw.config)
        ok = snn_hw_options_from_config(hw.config, &hw.options, err) &&
             cli_hw_device(&hw.options, snn_config_given(hw.config, "hw.time"), stdout, err);
    free_all(&hw);
    return ok;
}

/* An action that takes nothing and prints one table. */
static bool table(const char *name, const char *text, void (*print)(FILE *), int argc, char **argv,
                  snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP}, {0}};
    cli_syntax syntax = {.name = name, .help = text, .letters = ":h", .options = options};
    cli_common common = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, err);
    cli_common_free(&common);
    if (parsed == CLI_GO)
        print(stdout);
    return parsed != CLI_FAILED;
}

static bool support(int argc, char **argv, snn_error *err) {
    return table("hw support", support_help, cli_hw_support, argc, argv, err);
}

static bool efficiency(int argc, char **argv, snn_error *err) {
    return table("hw efficiency", efficiency_help, cli_hw_efficiency, argc, argv, err);
}

int snn_cmd_hw(int argc, char **argv) {
    static const cli_subcommand actions[] = {{"map", map},
                                             {"program", program},
                                             {"device", device},
                                             {"support", support},
                                             {"efficiency", efficiency},
                                             {"power", cli_hw_power},
                                             {"run", cli_hw_run},
                                             {"compare", cli_hw_compare},
                                             {"fault", cli_hw_fault},
                                             {"cosim", cli_hw_cosim},
                                             {"line", cli_hw_line},
                                             {NULL, NULL}};
    return cli_dispatch("hw", help, actions, argc, argv);
}
