/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ledger of analogue read-out, which counts its own events (snn_analog_stats), over all layers. */
#include "ledger.h"

typedef struct {
    double conversions, turns, rows, siemens;
} events;

static events per_inference(const snn_ledger_job *j) {
    events e = {0};
    for (uint32_t i = 0; i < j->run->chips; i++) {
        const snn_analog_stats *a = &j->run->chip[i].analog;
        e.conversions += (double)a->conversions / j->inferences;
        e.turns += (double)a->turns / j->inferences;
        e.rows += (double)a->row_pulses / j->inferences;
        e.siemens += a->cell_siemens_reads / j->inferences;
    }
    return e;
}

static bool converter_energy(const snn_ledger_job *j, double conversions) {
    const snn_analog_options *a = &j->options->analog;
    int index;
    bool tabulated;
    const double fj = snn_constant_adc(a->adc_bits, j->options->device.node_nm, &index, &tabulated),
                 add = snn_ledger_constant(SNN_CONSTANT_ADD32);
    snn_ledger_row adc =
        snn_ledger_energy("ADC", -1, conversions, "conversions", a->adc_bits ? fj * SNN_LEDGER_FJ : 0);
    adc.assumption = !tabulated;
    return snn_ledger_add(j->ledger, adc, j->err, "%d bit: %.4g fJ, %s, %s%s (%s)", a->adc_bits, fj,
                          snn_constants[index].node, snn_constants[index].condition,
                          tabulated ? "" : "; extrapolated in bits or node (assumed)",
                          snn_constants[index].source) &&
           snn_ledger_add(j->ledger,
                          snn_ledger_energy("adders", -1, conversions, "shift-and-add of a conversion",
                                            add * SNN_LEDGER_FJ),
                          j->err, "one 32-bit addition per conversion, %g fJ at 45 nm (%s)", add,
                          snn_ledger_source(SNN_CONSTANT_ADD32));
}

bool snn_ledger_analog(const snn_ledger_job *j) {
    const snn_device *d = &j->options->device;
    const events e = per_inference(j);
    const double cells = e.siemens * d->read_volt * d->read_volt * d->read_ns * 1e-9 * 1e12;
    snn_ledger_row time = snn_ledger_latency("ADC", -1, e.turns, "conversions in turn", d->read_ns);
    time.assumption = true;
    return snn_ledger_add(j->ledger, snn_ledger_energy("array", -1, 1, "inference", cells), j->err,
                          "sum over cells and reads of G = %.6g S, x (%g V)^2 x %g ns (device %s)", e.siemens,
                          d->read_volt, d->read_ns, d->name) &&
           snn_ledger_drivers(j, "all", -1, e.rows) && converter_energy(j, e.conversions) &&
           snn_ledger_add(
               j->ledger, time, j->err,
               "groups of rows, input pulses, output pixels, arrays below each other and layers in "
               "turn; arrays beside each other at once, the columns of a converter (%u%s) in turn; "
               "one read time per conversion (assumed)",
               j->options->analog.columns_per_adc,
               j->map->options.cell_bits == 0 ? ", two of a pair at once" : "");
}
