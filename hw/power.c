/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Energy of a netlist from its activity, step by step: library, netlist, loads and transitions, dump, sums. */
#include "power_internal.h"

#include <snnsim/output.h>
#include <stdlib.h>

static bool check(const snn_power_options *o, snn_error *err) {
    if (!(o->clock > 0) || !(o->clock < 1))
        return snn_fail(err, SNN_ERR_USAGE, "the clock's period is not between 0 and 1 s");
    if (!(o->transition >= 0) || !(o->transition < 1e-3))
        return snn_fail(err, SNN_ERR_USAGE, "the ports' transition is not between 0 and 1 ms");
    if (!(o->from >= 0) || !(o->to >= 0))
        return snn_fail(err, SNN_ERR_USAGE, "the window begins or ends before 0");
    if (o->to > 0 && !(o->to > o->from))
        return snn_fail(err, SNN_ERR_USAGE,
                        "the window ends at %g ns: expected a time after its begin, %g ns", o->to * 1e9,
                        o->from * 1e9);
    return true;
}

static bool prepare(snn_power_run *p, snn_error *err) {
    const snn_netlist *n = p->n;
    if (!(p->net = snn_alloc(n->nets, sizeof *p->net, "nets", err)) ||
        !(p->cell = snn_alloc(n->instances, sizeof *p->cell, "cells", err)))
        return false;
    for (size_t net = 0; net < n->nets; net++)
        p->net[net].value = p->net[net].last = p->net[net].pending = SNN_VCD_X;
    return true;
}

/* Everything between opening the trace and closing it. */
static bool measure(snn_power_run *p, snn_power_report *report, snn_error *err) {
    snn_file *f = NULL;
    if (p->o->trace) {
        if (!(f = snn_file_create(p->o->trace, 0644, err)))
            return false;
        p->trace = snn_file_stream(f);
        fprintf(p->trace, "cycle,joule\n");
    }
    bool ok = snn_power_count(p, err) && snn_power_sum(p, report, err);
    if (f && !ok)
        snn_file_abandon(f);
    return ok && (!f || snn_file_commit(f, err));
}

bool snn_power(const snn_power_options *o, snn_power_report *report, snn_error *err) {
    snn_power_run p = {.o = o};
    snn_lib_wires wires = {0};
    snn_library *library = NULL;
    snn_netlist *netlist = NULL;
    *report = (snn_power_report){0};
    bool ok = check(o, err) && (library = snn_library_load(o->liberty, o->liberties, err)) &&
              (!o->wire_load || snn_library_wires(library, o->wire_load, &wires, err)) &&
              (netlist = snn_netlist_read(o->netlist, o->module, library, err));
    p.n = netlist;
    p.voltage = library ? library->voltage : 0;
    ok = ok && prepare(&p, err) && snn_power_nets(&p, &wires, err) && measure(&p, report, err);
    free(p.net);
    free(p.cell);
    free(p.energies);
    free(p.change);
    snn_netlist_free(netlist);
    snn_lib_wires_free(&wires);
    snn_library_free(library);
    if (!ok)
        snn_power_report_free(report);
    return ok;
}
