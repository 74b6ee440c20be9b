/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim hw power: energy of a gate-level netlist from a simulation's dump and Liberty files. */
#include "cli.h"
#include "hw_power.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char power_help[] =
    "Usage: snnsim hw power --netlist FILE --vcd FILE --scope SCOPE --liberty FILE... [OPTION]...\n"
    "Energy of a circuit: switching of its nets, internal power and leakage of its cells. All nets of\n"
    "the netlist must be in the dump.\n"
    "\n"
    "  --netlist FILE       flat netlist of Yosys (write_json), mapped to the library's cells\n"
    "  --module NAME        its module (default: the top module)\n"
    "  --vcd FILE           dump of a gate-level simulation, .gz or not\n"
    "  --scope SCOPE        where the module's nets stand in it (tb.dut)\n"
    "  --liberty FILE       library, .gz or not; several times for several files\n"
    "  --clock-ns T         clock period (default 10)\n"
    "  --from-ns T          count from this time on, --to-ns T up to that (default: the whole dump)\n"
    "  --to-ns T\n"
    "  --wire-load NAME     estimated wires: this wire_load of the library (default: none)\n"
    "  --transition-ns T    transition of the ports' signals (default 0.1)\n"
    "  --depth N            levels of hierarchy in the table (default 2)\n"
    "  --trace FILE         CSV: energy of each clock cycle, without leakage\n"
    "  --json               print JSON\n"
    "\n"
    "Example: snnsim hw power --netlist readout.json --vcd rows.vcd --scope tb.dut --liberty my.lib.gz\n"
    "docs/power.md tells how it is computed.\n";

enum {
    OPTION_NETLIST = CLI_OWN,
    OPTION_MODULE,
    OPTION_VCD,
    OPTION_SCOPE,
    OPTION_LIBERTY,
    OPTION_CLOCK,
    OPTION_FROM,
    OPTION_TO,
    OPTION_WIRES,
    OPTION_TRANSITION,
    OPTION_DEPTH,
    OPTION_TRACE
};

typedef struct {
    cli_common common;
    snn_power_options o;
    const char **liberty;
    size_t capacity;
} request;

/* Nanoseconds as seconds. */
static bool nanoseconds(const char *option, const char *text, double *out, snn_error *err) {
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= 0) || !(v <= 1e15))
        return snn_fail(err, SNN_ERR_USAGE, "%s: '%s' is no time in ns", option, text);
    *out = v * 1e-9;
    return true;
}

static bool add_liberty(request *r, const char *path, snn_error *err) {
    if (!snn_grow((void **)&r->liberty, &r->capacity, r->o.liberties + 1, sizeof *r->liberty, err))
        return false;
    r->liberty[r->o.liberties++] = path;
    return true;
}

static bool take(void *context, int option, const char *value, snn_error *err) {
    request *r = context;
    uint64_t n;
    switch (option) {
    case OPTION_NETLIST:
        r->o.netlist = value;
        return true;
    case OPTION_MODULE:
        r->o.module = value;
        return true;
    case OPTION_VCD:
        r->o.vcd = value;
        return true;
    case OPTION_SCOPE:
        r->o.scope = value;
        return true;
    case OPTION_LIBERTY:
        return add_liberty(r, value, err);
    case OPTION_CLOCK:
        return nanoseconds("--clock-ns", value, &r->o.clock, err);
    case OPTION_FROM:
        return nanoseconds("--from-ns", value, &r->o.from, err);
    case OPTION_TO:
        return nanoseconds("--to-ns", value, &r->o.to, err);
    case OPTION_WIRES:
        r->o.wire_load = value;
        return true;
    case OPTION_TRANSITION:
        return nanoseconds("--transition-ns", value, &r->o.transition, err);
    case OPTION_DEPTH:
        if (!cli_number("--depth", value, 0, 100, &n, err))
            return false;
        r->o.depth = (unsigned)n;
        return true;
    default:
        r->o.trace = value;
        return true;
    }
}

static bool complete(const snn_power_options *o, snn_error *err) {
    const char *missing = !o->netlist     ? "--netlist"
                          : !o->vcd       ? "--vcd"
                          : !o->scope     ? "--scope"
                          : !o->liberties ? "--liberty"
                                          : NULL;
    return !missing ||
           snn_fail(err, SNN_ERR_USAGE, "hw power: %s is missing (see snnsim hw power --help)", missing);
}

/* ---- output ---- */

static json_t *energy_json(const snn_energy *e) {
    json_t *o = json_object();
    json_object_set_new(o, "switching", cli_json_real(e->switching));
    json_object_set_new(o, "internal", cli_json_real(e->internal));
    json_object_set_new(o, "leakage", cli_json_real(e->leakage));
    return o;
}

static json_t *report_json(const snn_power_report *r) {
    json_t *o = json_object(), *parts = json_array();
    json_object_set_new(o, "module", cli_json_text(r->module));
    json_object_set_new(o, "voltage", cli_json_real(r->voltage));
    json_object_set_new(o, "cells", cli_json_count(r->cells));
    json_object_set_new(o, "area", cli_json_real(r->area));
    json_object_set_new(o, "nets", cli_json_count(r->nets));
    json_object_set_new(o, "annotated", cli_json_count(r->annotated));
    json_object_set_new(o, "silent", cli_json_count(r->silent));
    json_object_set_new(o, "toggles", cli_json_count(r->toggles));
    json_object_set_new(o, "seconds", cli_json_real(r->seconds));
    json_object_set_new(o, "cycles", cli_json_real(r->cycles));
    json_object_set_new(o, "energy_J", energy_json(&r->energy));
    json_object_set_new(o, "ports_J", cli_json_real(r->ports));
    json_object_set_new(o, "leakage_W", cli_json_real(r->energy.leakage / r->seconds));
    for (size_t i = 0; i < r->parts; i++) {
        json_t *p = json_object();
        json_object_set_new(p, "name", cli_json_text(r->part[i].name));
        json_object_set_new(p, "cells", cli_json_count(r->part[i].cells));
        json_object_set_new(p, "area", cli_json_real(r->part[i].area));
        json_object_set_new(p, "energy_J", energy_json(&r->part[i].energy));
        json_array_append_new(parts, p);
    }
    json_object_set_new(o, "parts", parts);
    return o;
}

static bool print_json(const snn_power_report *r, snn_error *err) {
    json_t *o = report_json(r);
    bool ok = json_dumpf(o, stdout, CLI_JSON_FORMAT) == 0 && putchar('\n') != EOF;
    json_decref(o);
    return ok || snn_fail_errno(err, "standard output");
}

static void row(const char *name, uint64_t cells, const snn_energy *e, double cycles) {
    const double pj = 1e12 / cycles;
    printf("  %-28s %7" PRIu64 " %11.4f %11.4f %11.6f %11.4f\n", name, cells, e->switching * pj,
           e->internal * pj, e->leakage * pj, (e->switching + e->internal + e->leakage) * pj);
}

static void print_table(const snn_power_report *r) {
    snn_energy ports = {r->ports, 0, 0};
    printf("%s: %" PRIu64 " cells, area %.6g, %.4g V\n", r->module, r->cells, r->area, r->voltage);
    printf("  activity   %" PRIu64 " of %" PRIu64 " nets annotated, %" PRIu64 " of them silent, %" PRIu64
           " toggles in %.6g cycles\n",
           r->annotated, r->nets, r->silent, r->toggles, r->cycles);
    printf("  leakage    %.6g uW\n\n", r->energy.leakage / r->seconds * 1e6);
    printf("  %-28s %7s %11s %11s %11s %11s\n", "pJ per cycle", "cells", "switching", "internal", "leakage",
           "sum");
    for (size_t i = 0; i < r->parts; i++)
        row(*r->part[i].name ? r->part[i].name : "(top)", r->part[i].cells, &r->part[i].energy, r->cycles);
    row("(nets of ports)", 0, &ports, r->cycles);
    row("all", r->cells, &r->energy, r->cycles);
}

/* ---- command ---- */

bool cli_hw_power(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"json", no_argument, NULL, CLI_JSON},
                                            {"netlist", required_argument, NULL, OPTION_NETLIST},
                                            {"module", required_argument, NULL, OPTION_MODULE},
                                            {"vcd", required_argument, NULL, OPTION_VCD},
                                            {"scope", required_argument, NULL, OPTION_SCOPE},
                                            {"liberty", required_argument, NULL, OPTION_LIBERTY},
                                            {"clock-ns", required_argument, NULL, OPTION_CLOCK},
                                            {"from-ns", required_argument, NULL, OPTION_FROM},
                                            {"to-ns", required_argument, NULL, OPTION_TO},
                                            {"wire-load", required_argument, NULL, OPTION_WIRES},
                                            {"transition-ns", required_argument, NULL, OPTION_TRANSITION},
                                            {"depth", required_argument, NULL, OPTION_DEPTH},
                                            {"trace", required_argument, NULL, OPTION_TRACE},
                                            {0}};
    request r = {.o = {.clock = 10e-9, .transition = 0.1e-9, .depth = 2}};
    cli_syntax syntax = {.name = "hw power",
                         .help = power_help,
                         .letters = ":h",
                         .options = options,
                         .own = take,
                         .context = &r};
    snn_power_report report;
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &r.common, &first, err);
    bool ok = parsed == CLI_DONE;
    if (parsed == CLI_GO) {
        r.o.liberty = r.liberty;
        ok = complete(&r.o, err) && snn_power(&r.o, &report, err);
        if (ok) {
            if (r.common.json)
                ok = print_json(&report, err);
            else
                print_table(&report);
            snn_power_report_free(&report);
        }
    }
    free(r.liberty);
    cli_common_free(&r.common);
    return ok;
}
