/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files of `snnsim run --out`: predictions.csv and traces grow while samples come in, confusion.csv and report.json follow at the end. All are temporary
 * files until cli_outputs_commit gives them their names, so that a failed or interrupted run leaves nothing.
 */
#include "json.h"
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef struct {
    int layer;
    size_t neurons;
    snn_file *spikes, *membrane; /* membrane: NULL for layers without neurons */
} traced_layer;

struct cli_outputs {
    char *folder;
    bool made; /* the folder was not there before */
    snn_file *report, *predictions, *confusion;
    snn_file *chips;     /* NULL without chips */
    traced_layer *trace; /* [traces] */
    size_t traces;
    bool *traced; /* [layers] */
};

static snn_file *create(const cli_outputs *o, const char *name, const char *ending, snn_error *err) {
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s%s", o->folder, name, ending);
    if (n < 0 || (size_t)n >= sizeof path) {
        snn_fail(err, SNN_ERR_USAGE, "--out: the path of the folder is too long");
        return NULL;
    }
    return snn_file_create(path, 0644, err);
}

cli_outputs *cli_outputs_open(const char *folder, snn_error *err) {
    if (!*folder) {
        snn_fail(err, SNN_ERR_USAGE, "--out: the name of the folder is empty");
        return NULL;
    }
    cli_outputs *o = snn_alloc(1, sizeof *o, "outputs", err);
    if (!o)
        return NULL;
    o->folder = strdup(folder);
    o->made = access(folder, F_OK) != 0;
    if (!o->folder)
        snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    else if (snn_folder_create(folder, err) && (o->report = create(o, "report", ".json", err)) &&
             (o->predictions = create(o, "predictions", ".csv", err)) &&
             (o->confusion = create(o, "confusion", ".csv", err)))
        return o;
    cli_outputs_free(o);
    return NULL;
}

/* ---- traces ---- */

static bool has_membrane(const snn_layer *layer) {
    return layer->neuron.type != SNN_NEURON_NONE;
}

/* Bytes of both files of a layer. */
static double trace_bytes(const cli_run *run, const snn_layer *layer) {
    double items = (double)run->samples * run->about->steps * snn_shape_size(layer->out);
    return items * (has_membrane(layer) ? 5 : 1);
}

static bool unknown_layer(const snn_net *net, const char *name, snn_error *err) {
    char names[512] = "";
    size_t used = 0;
    for (int l = 0; l < net->layers && used < sizeof names; l++)
        used +=
            (size_t)snprintf(names + used, sizeof names - used, "%s%s", l ? ", " : "", net->layer[l].name);
    return snn_fail(err, SNN_ERR_USAGE, "--trace: there is no layer '%s'; the layers are: %s", name, names);
}

/* Marks the layers, says how large their files will be, and compares that to the space that is left. */
static bool plan_traces(cli_outputs *o, const cli_run *run, snn_error *err) {
    const snn_net *net = run->model.net;
    double total = 0;
    char size[32], left[32];
    for (size_t i = 0; i < run->traces; i++) {
        int l = snn_net_find(net, run->trace[i]);
        if (l < 0)
            return unknown_layer(net, run->trace[i], err);
        if (o->traced[l])
            continue;
        o->traced[l] = true;
        o->trace[o->traces++] = (traced_layer){.layer = l, .neurons = snn_shape_size(net->layer[l].out)};
        total += trace_bytes(run, &net->layer[l]);
        if (!run->common.quiet)
            fprintf(stderr, "trace %s: %s\n", run->trace[i],
                    cli_size(trace_bytes(run, &net->layer[l]), size, sizeof size));
    }
    struct statvfs fs;
    if (statvfs(o->folder, &fs))
        return snn_fail_errno(err, "%s: cannot tell how much space is left", o->folder);
    double bytes_left = (double)fs.f_bavail * (double)fs.f_frsize;
    if (total > bytes_left)
        return snn_fail(err, SNN_ERR_RUNTIME, "the traces need %s, but %s has only %s left",
                        cli_size(total, size, sizeof size), o->folder,
                        cli_size(bytes_left, left, sizeof left));
    return true;
}

bool cli_outputs_trace(cli_outputs *o, const cli_run *run, snn_error *err) {
    const snn_net *net = run->model.net;
    if (!run->traces)
        return true;
    o->traced = snn_alloc((size_t)net->layers, sizeof *o->traced, "traces", err);
    o->trace = snn_alloc((size_t)net->layers, sizeof *o->trace, "traces", err);
    if (!o->traced || !o->trace || !plan_traces(o, run, err))
        return false;
    for (size_t i = 0; i < o->traces; i++) {
        traced_layer *t = &o->trace[i];
        const snn_layer *layer = &net->layer[t->layer];
        uint64_t shape[3] = {run->samples, (uint64_t)run->about->steps, t->neurons};
        snn_npy_type type =
            run->engine_options.arithmetic == SNN_ARITHMETIC_FIXED ? SNN_NPY_I32 : SNN_NPY_F32;
        t->spikes = create(o, layer->name, "_spikes.npy", err);
        if (!t->spikes || !snn_npy_write_header(t->spikes, SNN_NPY_U8, 3, shape, err))
            return false;
        if (!has_membrane(layer))
            continue;
        t->membrane = create(o, layer->name, "_membrane.npy", err);
        if (!t->membrane || !snn_npy_write_header(t->membrane, type, 3, shape, err))
            return false;
    }
    return true;
}

const bool *cli_outputs_traced(const cli_outputs *o) {
    return o->traced;
}

static bool write_items(const cli_outputs *o, const char *layer, snn_file *f, const void *data, size_t size,
                        size_t n, snn_error *err) {
    if (fwrite(data, size, n, snn_file_stream(f)) != n)
        return snn_fail_errno(err, "%s: cannot write the trace of %s", o->folder, layer);
    return true;
}

bool cli_outputs_layer(cli_outputs *o, const cli_run *run, int layer, const uint8_t *spikes,
                       const void *membrane, snn_error *err) {
    const char *name = run->model.net->layer[layer].name;
    for (size_t i = 0; i < o->traces; i++) {
        const traced_layer *t = &o->trace[i];
        size_t items = (size_t)run->about->steps * t->neurons;
        if (t->layer != layer)
            continue;
        if (!write_items(o, name, t->spikes, spikes, 1, items, err) ||
            (t->membrane && !write_items(o, name, t->membrane, membrane, 4, items, err)))
            return false;
    }
    return true;
}

/* ---- tables ---- */

bool cli_outputs_begin(cli_outputs *o, const cli_run *run, snn_error *err) {
    FILE *f = snn_file_stream(o->predictions);
    if (run->chips.wanted && !(o->chips = create(o, "chips", ".csv", err)))
        return false;
    fprintf(f, "%ssample,label,predicted", run->chips.wanted ? "chip," : "");
    for (uint32_t c = 0; c < run->model.net->classes; c++)
        fprintf(f, ",out%u", c);
    return fputc('\n', f) != EOF || snn_fail_errno(err, "%s: cannot write predictions.csv", o->folder);
}

bool cli_outputs_sample(cli_outputs *o, const cli_run *run, size_t i, int label, const snn_result *r,
                        snn_error *err) {
    FILE *f = snn_file_stream(o->predictions);
    char name[256];
    if (run->chips.wanted)
        fprintf(f, "%llu,", (unsigned long long)run->chips.result.chip[i / run->samples].chip);
    cli_csv_field(f, snn_dataset_sample(run->data, i % run->samples, name, sizeof name));
    fprintf(f, ",%d,%d", label, r->predicted);
    for (int c = 0; c < r->classes; c++)
        fprintf(f, ",%.9g", r->out[c]);
    fputc('\n', f);
    return !ferror(f) || snn_fail_errno(err, "%s: cannot write predictions.csv", o->folder);
}

static void print_confusion(FILE *f, const cli_run *run) {
    const snn_metrics *m = run->result.metrics;
    char buf[32];
    fputs("label", f);
    for (int c = 0; c < m->classes; c++) {
        fputc(',', f);
        cli_csv_field(f, cli_class_name(run, c, buf, sizeof buf));
    }
    fputc('\n', f);
    for (int c = 0; c < m->classes; c++) {
        cli_csv_field(f, cli_class_name(run, c, buf, sizeof buf));
        for (int p = 0; p < m->classes; p++)
            fprintf(f, ",%llu", (unsigned long long)m->confusion[(size_t)c * (size_t)m->classes + (size_t)p]);
        fputc('\n', f);
    }
}

/* ---- the end ---- */

static bool commit(snn_file **f, snn_error *err) {
    snn_file *file = *f;
    *f = NULL;
    return !file || snn_file_commit(file, err);
}

bool cli_outputs_commit(cli_outputs *o, const cli_run *run, const json_t *report, snn_error *err) {
    print_confusion(snn_file_stream(o->confusion), run);
    if (o->chips && !cli_chips_table(&run->chips, snn_file_stream(o->chips), err))
        return snn_error_context(err, "%s", o->folder);
    FILE *f = snn_file_stream(o->report);
    if (json_dumpf(report, f, CLI_JSON_FORMAT) || fputc('\n', f) == EOF)
        return snn_fail_errno(err, "%s: cannot write report.json", o->folder);
    for (size_t i = 0; i < o->traces; i++)
        if (!commit(&o->trace[i].spikes, err) || !commit(&o->trace[i].membrane, err))
            return false;
    return commit(&o->predictions, err) && commit(&o->confusion, err) && commit(&o->chips, err) &&
           commit(&o->report, err);
}

void cli_outputs_free(cli_outputs *o) {
    if (!o)
        return;
    snn_file_abandon(o->report);
    snn_file_abandon(o->predictions);
    snn_file_abandon(o->confusion);
    snn_file_abandon(o->chips);
    for (size_t i = 0; i < o->traces; i++) {
        snn_file_abandon(o->trace[i].spikes);
        snn_file_abandon(o->trace[i].membrane);
    }
    if (o->made)
        rmdir(o->folder); /* does nothing unless it is empty */
    free(o->folder);
    free(o->trace);
    free(o->traced);
    free(o);
}
