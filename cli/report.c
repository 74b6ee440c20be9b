/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.json: everything a run found, for programs. Its fields are described in docs/metrics.md; SNN_REPORT_SCHEMA is raised when one changes. */
#include "json.h"
#include "run.h"

#include <stdlib.h>

/* ---- sections ---- */

static json_t *data_section(const cli_run *run) {
    const snn_dataset_info *a = run->about;
    const snn_evaluation *e = &run->result;
    json_t *names = json_array();
    char buf[32];
    for (int c = 0; c < a->classes; c++)
        json_array_append_new(names, cli_json_text(cli_class_name(run, c, buf, sizeof buf)));
    return json_pack("{s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o}", "name",
                     cli_json_text(a->name), "folder", cli_json_text(a->folder), "split",
                     cli_json_text(snn_config_string(run->config, "dataset.split")), "samples_present",
                     cli_json_count(snn_dataset_count(run->data)), "classes", a->classes, "class_names",
                     names, "sensor", cli_json_shape(a->sensor[0], a->sensor[1], a->sensor[2]), "input",
                     cli_json_shape(a->input[0], a->input[1], a->input[2]), "steps", a->steps, "events",
                     cli_json_count(e->events), "events_dropped", cli_json_count(e->events_dropped),
                     "events_out_of_order", cli_json_count(e->events_out_of_order), "empty_samples",
                     cli_json_count(e->empty_samples));
}

static json_t *tensor(const snn_tensor *t) {
    json_t *dims = json_array();
    for (int i = 0; i < t->dims; i++)
        json_array_append_new(dims, cli_json_count(t->shape[i]));
    return json_pack("{s:o, s:o, s:i, s:o, s:o}", "name", cli_json_text(t->name), "shape", dims, "bits",
                     t->bits, "encoding",
                     cli_json_text(t->type == SNN_FLOAT32 ? "float32" : snn_encoding_name(t->encoding)),
                     "zeros", cli_json_count(snn_tensor_zeros(t)));
}

static json_t *model_section(const cli_run *run) {
    json_t *tensors = json_array();
    uint64_t weights = 0;
    for (int i = 0; i < run->model.weights->tensors; i++) {
        json_array_append_new(tensors, tensor(&run->model.weights->tensor[i]));
        weights += run->model.weights->tensor[i].count;
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "path", cli_json_text(run->model_path), "digest",
                     cli_json_text(run->model.digest), "weights", cli_json_count(weights), "tensors",
                     tensors);
}

static json_t *run_section(const cli_run *run) {
    bool fixed = run->engine_options.arithmetic == SNN_ARITHMETIC_FIXED;
    return json_pack(
        "{s:o, s:o, s:o, s:i, s:b, s:b}", "seed", json_integer(snn_config_int(run->config, "seed")),
        "arithmetic", cli_json_text(fixed ? "fixed" : "float"), "simd",
        cli_json_text(snn_simd_name(run->engine_options.simd)), "threads", run->threads, "operations_counted",
        (int)run->engine_options.count_operations, "key", run->key != NULL);
}

static json_t *metrics_section(const snn_metrics *m) {
    json_t *by_step = json_array(), *confusion = json_array();
    for (int t = 0; t < m->steps; t++)
        json_array_append_new(
            by_step, cli_json_real(m->samples ? (double)m->correct_by_step[t] / (double)m->samples : 0));
    for (int c = 0; c < m->classes; c++) {
        json_t *row = json_array();
        for (int p = 0; p < m->classes; p++)
            json_array_append_new(row,
                                  cli_json_count(m->confusion[(size_t)c * (size_t)m->classes + (size_t)p]));
        json_array_append_new(confusion, row);
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "samples", cli_json_count(m->samples), "correct",
                     cli_json_count(m->correct), "accuracy", cli_json_interval(snn_metrics_accuracy(m)),
                     "balanced_accuracy", cli_json_interval(snn_metrics_balanced(m)), "accuracy_by_step",
                     by_step, "confusion", confusion);
}

/* Per sample, so that reports over different numbers of samples compare. */
static json_t *layers_section(const cli_run *run) {
    const snn_net *net = run->model.net;
    const snn_metrics *m = run->result.metrics;
    double samples = m->samples ? (double)m->samples : 1;
    json_t *layers = json_array();
    for (int l = 0; l < net->layers; l++) {
        const snn_layer *layer = &net->layer[l];
        const snn_layer_activity *a = &m->activity[l];
        double outputs = snn_shape_size(layer->out);
        json_t *row =
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", cli_json_text(layer->name), "type",
                      cli_json_text(cli_layer_type(layer->type)), "shape",
                      cli_json_shape(layer->out.channels, layer->out.height, layer->out.width), "neurons",
                      cli_json_count(layer->neuron.type != SNN_NEURON_NONE ? snn_shape_size(layer->out) : 0),
                      "spikes_per_sample", cli_json_real((double)a->spikes / samples), "rate",
                      cli_json_real((double)a->spikes / samples / outputs / m->steps), "inputs_per_sample",
                      cli_json_real((double)a->inputs / samples), "row_reads_per_sample",
                      cli_json_real((double)a->input_counts / samples));
        if (run->engine_options.count_operations) {
            json_object_set_new(row, "row_words_per_sample", cli_json_real((double)a->row_words / samples));
            json_object_set_new(row, "synaptic_operations_per_sample",
                                cli_json_real((double)a->synops / samples));
            json_object_set_new(row, "effective_macs_per_sample",
                                cli_json_real((double)a->effective_macs / samples));
            json_object_set_new(row, "effective_acs_per_sample",
                                cli_json_real((double)a->effective_acs / samples));
            json_object_set_new(row, "membrane_updates_per_sample",
                                cli_json_real((double)a->membrane_updates / samples));
        }
        json_array_append_new(layers, row);
    }
    return layers;
}

static json_t *neurobench_section(const cli_run *run) {
    const snn_neurobench *n = &run->neurobench;
    json_t *o = json_pack("{s:o, s:o, s:o, s:o}", "footprint_bytes", cli_json_count(n->footprint_bytes),
                          "connection_sparsity", cli_json_real(n->connection_sparsity), "activation_sparsity",
                          cli_json_real(n->activation_sparsity), "dense_operations",
                          cli_json_real(n->dense_operations));
    if (!run->engine_options.count_operations)
        return o;
    json_object_set_new(o, "effective_macs", cli_json_real(n->effective_macs));
    json_object_set_new(o, "effective_acs", cli_json_real(n->effective_acs));
    json_object_set_new(o, "membrane_updates", cli_json_real(n->membrane_updates));
    json_object_set_new(o, "per_step",
                        json_pack("{s:o, s:o, s:o}", "effective_macs", cli_json_real(n->effective_macs_step),
                                  "effective_acs", cli_json_real(n->effective_acs_step), "dense_operations",
                                  cli_json_real(n->dense_step)));
    return o;
}

static json_t *timing_section(const snn_evaluation *e) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "wall_seconds", cli_json_real(e->wall_seconds),
                     "read_seconds", cli_json_real(e->read_seconds), "frame_seconds",
                     cli_json_real(e->frame_seconds), "simulate_seconds", cli_json_real(e->simulate_seconds),
                     "other_seconds", cli_json_real(e->other_seconds), "samples_per_second",
                     cli_json_real(e->wall_seconds > 0 ? (double)e->samples / e->wall_seconds : 0),
                     "peak_memory_bytes", cli_json_count(snn_peak_memory()));
}

json_t *cli_report(const cli_run *run, snn_error *err) {
    char *config = snn_config_text(run->config, err);
    if (!config)
        return NULL;
    const snn_evaluation *e = &run->result;
    json_t *report = json_pack(
        "{s:i, s:s, s:s, s:s, s:O, s:{s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:s, s:s}, s:O}",
        "schema", SNN_REPORT_SCHEMA, "program", "snnsim", "version", SNN_VERSION, "command", "run",
        "command_line", run->command_line, "config", "path", cli_json_text(snn_config_path(run->config)),
        "text", cli_json_text(config), "dataset", data_section(run), "model", model_section(run), "run",
        run_section(run), "metrics", metrics_section(e->metrics), "layers", layers_section(run), "neurobench",
        neurobench_section(run), "timing", timing_section(e), "digests", "output_spikes", e->digest,
        "weights", run->model.digest, "warnings", run->warnings);
    free(config);
    if (report && run->chips.wanted)
        json_object_set_new(report, "hardware", cli_chips_report(&run->chips));
    if (!report)
        snn_fail(err, SNN_ERR_RUNTIME, "out of memory for the report");
    return report;
}
