/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table that `snnsim run` prints at its end, for people. */
#include "run.h"

#include <string.h>

static void print_head(const cli_run *run, FILE *out) {
    const snn_dataset_info *a = run->about;
    const snn_weights *w = run->model.weights;
    uint64_t weights = 0;
    int low = 32, high = 0;
    for (int i = 0; i < w->tensors; i++) {
        weights += w->tensor[i].count;
        low = w->tensor[i].bits < low ? w->tensor[i].bits : low;
        high = w->tensor[i].bits > high ? w->tensor[i].bits : high;
    }
    fprintf(out, "data set    %s (%s), %s part: %zu samples of %d classes, %d steps of %ux%ux%u\n", a->name,
            cli_source(a), snn_config_string(run->config, "dataset.split"), run->samples, a->classes,
            a->steps, a->input[0], a->input[1], a->input[2]);
    char n[32];
    fprintf(out, "model       %s: %s weights of ", run->model_path, cli_count((double)weights, n, sizeof n));
    if (low != high)
        fprintf(out, "%d to ", low);
    fprintf(out, "%d bit%s, digest %.16s\n", high, high == 32 ? " (float)" : "", run->model.digest);
    if (run->key)
        fprintf(out, "key         used: encrypted bits are decrypted as they are read\n");
}

static void print_interval(FILE *out, const char *name, snn_interval i) {
    fprintf(out, "%-11s %.2f %%  (95 %% interval %.2f .. %.2f)", name, 100 * i.value, 100 * i.low,
            100 * i.high);
}

/* Accuracy after each step; of long runs about 16 of them. */
static void print_by_step(const snn_metrics *m, FILE *out) {
    int stride = (m->steps + 15) / 16;
    fprintf(out, "by step    ");
    for (int t = 0; t < m->steps; t++)
        if ((t + 1) % stride == 0 || t + 1 == m->steps)
            fprintf(out, " %d:%.1f", t + 1,
                    m->samples ? 100.0 * (double)m->correct_by_step[t] / (double)m->samples : 0);
    fprintf(out, " %%\n");
}

/* The pair of classes that is mistaken most often. */
static void print_worst(const cli_run *run, FILE *out) {
    const snn_metrics *m = run->result.metrics;
    size_t n = (size_t)m->classes, worst = 0;
    uint64_t most = 0;
    for (size_t i = 0; i < n * n; i++)
        if (i / n != i % n && m->confusion[i] > most) {
            most = m->confusion[i];
            worst = i;
        }
    char a[32], b[32];
    if (most)
        fprintf(out, "confused    %s taken for %s %llu times\n",
                cli_class_name(run, (int)(worst / n), a, sizeof a),
                cli_class_name(run, (int)(worst % n), b, sizeof b), (unsigned long long)most);
}

static void print_accuracy(const cli_run *run, FILE *out) {
    const snn_metrics *m = run->result.metrics;
    if (run->chips.wanted) { /* the samples of several chips are the same: no interval over all */
        fprintf(out, "balanced    %.2f %%\n", 100 * snn_metrics_balanced(m).value);
    } else {
        print_interval(out, "accuracy", snn_metrics_accuracy(m));
        fprintf(out, "  %llu of %llu\n", (unsigned long long)m->correct, (unsigned long long)m->samples);
        print_interval(out, "balanced", snn_metrics_balanced(m));
        fputc('\n', out);
    }
    print_by_step(m, out);
    print_worst(run, out);
}

static void print_layers(const cli_run *run, FILE *out) {
    const snn_net *net = run->model.net;
    const snn_metrics *m = run->result.metrics;
    double samples = m->samples ? (double)m->samples : 1;
    fprintf(out, "\n%-15s %-12s %9s %14s %8s %15s\n", "layer", "type", "neurons", "spikes/sample", "rate",
            "SynOps/sample");
    for (int l = 0; l < net->layers; l++) {
        const snn_layer *layer = &net->layer[l];
        const snn_layer_activity *a = &m->activity[l];
        double size = snn_shape_size(layer->out), spikes = (double)a->spikes / samples;
        char synops[32] = "-", n[32];
        if (layer->type == SNN_LAYER_FLATTEN)
            continue;
        if (layer->tensor >= 0 && run->engine_options.count_operations)
            cli_count((double)a->synops / samples, synops, sizeof synops);
        fprintf(out, "%-15s %-12s %9.0f %14s %8.4f %15s\n", layer->name, cli_layer_type(layer->type), size,
                cli_count(spikes, n, sizeof n), spikes / size / m->steps, synops);
    }
}

static void print_neurobench(const cli_run *run, FILE *out) {
    const snn_neurobench *n = &run->neurobench;
    char a[32], b[32], c[32];
    fprintf(out, "\nNeuroBench  footprint %s, connection sparsity %.4f, activation sparsity %.4f\n",
            cli_size((double)n->footprint_bytes, a, sizeof a), n->connection_sparsity,
            n->activation_sparsity);
    fprintf(out, "per sample  dense operations %s", cli_count(n->dense_operations, a, sizeof a));
    if (run->engine_options.count_operations)
        fprintf(out, ", effective MACs %s, effective ACs %s, membrane updates %s",
                cli_count(n->effective_macs, a, sizeof a), cli_count(n->effective_acs, b, sizeof b),
                cli_count(n->membrane_updates, c, sizeof c));
    fputc('\n', out);
}

static void print_time(const cli_run *run, FILE *out) {
    const snn_evaluation *e = &run->result;
    char all[32], read[32], frame[32], simulate[32], other[32], memory[32];
    fprintf(out, "time        %s: read %s, frame %s, simulate %s, other %s; %.5g samples/s\n",
            cli_seconds(e->wall_seconds, all, sizeof all), cli_seconds(e->read_seconds, read, sizeof read),
            cli_seconds(e->frame_seconds, frame, sizeof frame),
            cli_seconds(e->simulate_seconds, simulate, sizeof simulate),
            cli_seconds(e->other_seconds, other, sizeof other),
            e->wall_seconds > 0 ? (double)e->samples / e->wall_seconds : 0.0);
    if (run->chips.wanted) {
        const snn_chips_result *r = &run->chips.result;
        fprintf(out, "of other    program %s, read %s, fill the engine %s\n",
                cli_seconds(r->program_seconds, read, sizeof read),
                cli_seconds(r->readout_seconds, frame, sizeof frame),
                cli_seconds(r->pack_seconds, simulate, sizeof simulate));
    }
    fprintf(out, "run         seed %lld, %s arithmetic, %s, %d thread%s, peak memory %s\n",
            (long long)snn_config_int(run->config, "seed"),
            run->engine_options.arithmetic == SNN_ARITHMETIC_FIXED ? "fixed" : "float",
            snn_simd_name(run->engine_options.simd), run->threads, run->threads == 1 ? "" : "s",
            cli_size((double)snn_peak_memory(), memory, sizeof memory));
    fprintf(out, "digest      %s\n", e->digest);
}

void cli_summary(const cli_run *run, FILE *out) {
    print_head(run, out);
    if (run->chips.wanted)
        cli_chips_summary(&run->chips, out);
    print_accuracy(run, out);
    print_layers(run, out);
    print_neurobench(run, out);
    cli_chips_costs(&run->chips, out);
    print_time(run, out);
    for (size_t i = 0; i < json_array_size(run->warnings); i++)
        fprintf(out, "warning     %s\n", json_string_value(json_array_get(run->warnings, i)));
}
