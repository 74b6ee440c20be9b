/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One point of a sweep: its settings, what it may share with the points before it, its row. */
#include "sweep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char figures[] =
    "chips,samples,accuracy,accuracy_sd,accuracy_worst,accuracy_q05,accuracy_q25,accuracy_median,accuracy_"
    "q75,"
    "accuracy_q95,accuracy_best,balanced_accuracy,bit_error_rate,read_error_rate,pulses_per_cell,energy_pj,"
    "energy_sourced_pj,latency_ns,area_um2,programming_pj,warnings,digest,point,seconds\n";

char *cli_point_header(const cli_grid *g, snn_error *err) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    for (size_t i = 0; f && i < g->axes; i++) {
        cli_csv_field(f, g->axis[i].key);
        fputc(',', f);
    }
    if (!f || fputs(figures, f) == EOF || fclose(f) == EOF) {
        snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
        free(text);
        return NULL;
    }
    return text;
}

/* ---- settings ---- */

/* The sentences of snn_config_set begin with "--set", but that was not where the value came from. */
static void blame_over(snn_error *err) {
    static const char set[] = "--set", over[] = "--over";
    if (!err || strncmp(err->text, set, strlen(set)) != 0)
        return;
    snn_error blamed = *err;
    snprintf(blamed.text, sizeof blamed.text, "%s%s", over, err->text + strlen(set));
    *err = blamed;
}

static snn_config *config_of(const cli_sweeper *s, size_t point, snn_error *err) {
    snn_config *config = cli_config(s->common, err);
    for (size_t i = 0; config && i < s->grid->axes; i++) {
        const char *key = s->grid->axis[i].key, *value = cli_grid_value(s->grid, point, i);
        size_t size = strlen(key) + strlen(value) + 2;
        char *assignment = malloc(size);
        if (assignment)
            snprintf(assignment, size, "%s=%s", key, value);
        if (!assignment || !snn_config_set(config, assignment, err)) {
            if (!assignment)
                snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
            else
                blame_over(err);
            snn_config_free(config);
            config = NULL;
        }
        free(assignment);
    }
    return config;
}

/* An error of a key of the grid that was found later, by who uses the key: "--set: hw.device: ...". */
static void blame_axis(const cli_sweeper *s, snn_error *err) {
    static const char set[] = "--set: ";
    if (!err || strncmp(err->text, set, strlen(set)) != 0)
        return;
    for (size_t i = 0; i < s->grid->axes; i++) {
        const char *key = s->grid->axis[i].key, *said = err->text + strlen(set);
        if (!strncmp(said, key, strlen(key)) && said[strlen(key)] == ':') {
            blame_over(err);
            return;
        }
    }
}

/* Do two points have the same values of all keys that start with this? */
static bool same(const cli_grid *g, size_t a, size_t b, const char *prefix) {
    for (size_t i = 0; i < g->axes; i++)
        if (!strncmp(g->axis[i].key, prefix, strlen(prefix)) &&
            strcmp(cli_grid_value(g, a, i), cli_grid_value(g, b, i)) != 0)
            return false;
    return true;
}

/* ---- model ---- */

static bool load_model(cli_sweeper *s, const snn_config *config, snn_error *err) {
    const char *path = cli_model_path(config, s->model_option, err);
    if (!path)
        return false;
    if (s->model_path && !strcmp(s->model_path, path))
        return true;
    snn_model_free(&s->model);
    snn_weights_free(s->plain);
    free(s->model_path);
    s->model = (snn_model){0};
    s->plain = NULL;
    s->model_path = NULL;
    if (!cli_model_load(config, s->model_option, &s->model, &path, err))
        return false;
    if (s->key && !(s->plain = snn_decrypt_model(&s->model, s->key, err)))
        return snn_error_context(err, "model %s", path);
    s->model_path = strdup(path);
    return s->model_path || snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
}

static bool over_quant(const cli_grid *g) {
    for (size_t i = 0; i < g->axes; i++)
        if (!strncmp(g->axis[i].key, "quant.", 6))
            return true;
    return false;
}

/* A grid over quant.* quantises the model anew at each point, codes by way of the numbers that they stand for. NULL: weights as they are. */
static bool requantise(const cli_sweeper *s, const snn_config *config, snn_weights **out, snn_error *err) {
    *out = NULL;
    if (!over_quant(s->grid))
        return true;
    if (s->key)
        return snn_fail(
            err, SNN_ERR_USAGE,
            "sweep: --key belongs to the codes of the model, which a grid over section quant makes anew");
    snn_quantisation q;
    snn_weights *values = NULL;
    bool codes = s->model.weights->tensors && s->model.weights->tensor[0].type != SNN_FLOAT32;
    bool ok = snn_quantisation_from_config(config, &q, err) &&
              (!codes || (values = snn_weights_dequantise(s->model.weights, err))) &&
              (*out = snn_weights_quantise(codes ? values : s->model.weights, &q, NULL, err));
    snn_weights_free(values);
    return ok;
}

/* ---- what a row is computed from ---- */

static void digest_text(snn_digest *d, const char *text) {
    snn_digest_bytes(d, text, strlen(text) + 1);
}

static void digest_number(snn_digest *d, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    snn_digest_u64(d, bits);
}

/* The device as it behaves under the point's conditions, since its file may change. */
static bool digest_device(snn_digest *d, const snn_hw_options *o, snn_error *err) {
    const snn_device *v = &o->device;
    const double number[] = {v->stuck_hrs,     v->stuck_lrs,
                             v->stuck_cluster, v->sense_offset,
                             v->sense_noise,   v->telegraph_share,
                             v->read_volt,     v->read_ns,
                             v->write_volt,    v->write_ns,
                             v->node_nm,       v->row_ohm,
                             v->column_ohm,    snn_device_white(v, &o->condition)};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        digest_number(d, number[i]);
    for (int k = 0; k < v->levels; k++) {
        snn_level l;
        if (!snn_device_level(v, &o->condition, v->levels, k, &l, err))
            return false;
        const double level[] = {l.target,
                                l.sigma_program,
                                l.cell_variation,
                                l.chip_variation,
                                l.scale,
                                l.shift,
                                l.sigma_relax,
                                snn_device_slow(v, &o->condition, l.target),
                                snn_device_telegraph(v, &o->condition, l.target)};
        for (size_t i = 0; i < sizeof level / sizeof *level; i++)
            digest_number(d, level[i]);
    }
    return true;
}

/* Threads and SIMD level change nothing, so they are no part of it, unless the grid is over them. */
static bool compute_id(cli_sweeper *s, size_t point, snn_config *config, const snn_hw_options *o,
                       char id[CLI_POINT_ID], snn_error *err) {
    if (!snn_config_set(config, "run.threads=0", err) || !snn_config_set(config, "run.simd=auto", err))
        return false;
    char *text = snn_config_text(config, err), hex[SNN_DIGEST_HEX];
    if (!text)
        return false;
    snn_digest d;
    snn_digest_init(&d);
    digest_text(&d, SNN_VERSION);
    digest_text(&d, text);
    digest_text(&d, s->model.digest);
    if (s->key)
        digest_text(&d, "key"); /* nothing of it */
    for (size_t i = 0; i < s->grid->axes; i++) {
        digest_text(&d, s->grid->axis[i].key);
        digest_text(&d, cli_grid_value(s->grid, point, i));
    }
    free(text);
    if (o && !digest_device(&d, o, err))
        return false;
    uint8_t bytes[SNN_DIGEST_BYTES];
    snn_digest_final(&d, bytes);
    snn_digest_hex(bytes, hex);
    snprintf(id, CLI_POINT_ID, "%.*s", CLI_POINT_ID - 1, hex);
    return true;
}

bool cli_point_check(cli_sweeper *s, size_t point, char id[CLI_POINT_ID], snn_error *err) {
    cli_chips chips = {0};
    snn_engine_options engine;
    snn_config *config = config_of(s, point, err);
    bool ok = config && cli_engine_options(config, &engine, err) && cli_chips_options(&chips, config, err) &&
              load_model(s, config, err) &&
              compute_id(s, point, config, chips.wanted ? &chips.options : NULL, id, err);
    if (!ok)
        blame_axis(s, err);
    cli_chips_free(&chips);
    snn_config_free(config);
    return ok;
}

/* ---- data ---- */

static void drop_data(cli_sweeper *s) {
    for (size_t i = 0; i < s->trainings; i++)
        snn_spikes_free(&s->training[i]);
    free(s->training);
    snn_frames_free(s->frames);
    snn_dataset_free(s->data);
    s->training = NULL;
    s->trainings = 0;
    s->frames = NULL;
    s->data = NULL;
}

/* The data set is opened, and its samples are framed, once for all points that agree in what they depend on. */
static bool open_data(cli_sweeper *s, size_t point, const snn_config *config, snn_error *err) {
    const cli_grid *g = s->grid;
    if (s->data && same(g, point, s->data_point, "dataset.") && same(g, point, s->data_point, "seed") &&
        same(g, point, s->data_point, "run.limit"))
        return true;
    drop_data(s);
    s->data_point = point;
    s->data = snn_dataset_open(config, cli_split(config), err);
    if (s->data)
        s->frames =
            snn_frames_new(s->data, (size_t)snn_config_int(config, "run.limit"), SNN_FRAMES_BYTES, err);
    return s->frames != NULL;
}

/* ---- the row ---- */

static void print_real(FILE *f, bool known, double x) {
    fputc(',', f);
    if (known)
        fprintf(f, "%.9g", x);
}

static void print_accuracy(FILE *f, const snn_chips_result *r) {
    if (!r->chips) {
        const snn_metrics *m = r->ideal.metrics;
        double a = snn_metrics_accuracy(m).value;
        fprintf(f, "0,%" PRIu64 ",%.9g,0", m->samples, a);
        for (int i = 0; i < 7; i++)
            print_real(f, true, a);
        print_real(f, true, snn_metrics_balanced(m).value);
        return;
    }
    const double figure[] = {
        r->worst,       r->quantile[0], r->quantile[1], r->quantile[2],
        r->quantile[3], r->quantile[4], r->best,        snn_metrics_balanced(r->metrics).value};
    fprintf(f, "%u,%zu,%.9g,%.9g", r->chips, r->samples, r->mean, r->sd);
    for (size_t i = 0; i < sizeof figure / sizeof *figure; i++)
        print_real(f, true, figure[i]);
}

static void print_hardware(FILE *f, const cli_chips *c) {
    const snn_chips_result *r = &c->result;
    const snn_ledger *l = &c->ledger;
    bool bits = c->wanted && r->readout.bits && c->options.readout == SNN_READOUT_DIGITAL;
    print_real(f, bits, r->bit_error_rate);
    print_real(f, bits, r->readout.read_error_rate);
    print_real(f, c->wanted && r->program.cells,
               r->program.cells ? (double)r->program.pulses / (double)r->program.cells : 0);
    print_real(f, c->accounted && l->energy_pj > 0, l->energy_pj);
    print_real(f, c->accounted && l->energy_sourced_pj > 0, l->energy_sourced_pj);
    print_real(f, c->accounted && l->latency_ns > 0, l->latency_ns);
    print_real(f, c->accounted && l->area_um2 > 0, l->area_um2);
    print_real(f, c->accounted && l->programming_pj > 0, l->programming_pj);
}

/* All warnings in one field. */
static bool print_warnings(FILE *f, const cli_chips *c) {
    json_t *list = json_array();
    char *text = NULL;
    size_t size;
    FILE *joined = open_memstream(&text, &size);
    cli_chips_warn(c, list);
    for (size_t i = 0; joined && i < json_array_size(list); i++)
        fprintf(joined, "%s%s", i ? "; " : "", json_string_value(json_array_get(list, i)));
    bool ok = joined && fclose(joined) == 0;
    fputc(',', f);
    if (ok)
        cli_csv_field(f, text);
    free(text);
    json_decref(list);
    return ok;
}

static bool make_row(const cli_sweeper *s, size_t point, const char *id, const cli_chips *c, double seconds,
                     char **row, snn_error *err) {
    size_t size;
    *row = NULL;
    FILE *f = open_memstream(row, &size);
    if (!f)
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    for (size_t i = 0; i < s->grid->axes; i++) {
        cli_csv_field(f, cli_grid_value(s->grid, point, i));
        fputc(',', f);
    }
    print_accuracy(f, &c->result);
    print_hardware(f, c);
    bool ok = print_warnings(f, c);
    fprintf(f, ",%s,%s,%.3f\n", c->wanted ? c->result.digest : c->result.ideal.digest, id, seconds);
    ok &= fclose(f) == 0;
    if (ok)
        return true;
    free(*row);
    *row = NULL;
    return snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
}

/* ---- the run ---- */

static bool run_chips(cli_sweeper *s, const snn_config *config, cli_chips *c, const snn_model *model,
                      snn_error *err) {
    snn_engine_options engine;
    snn_evaluate_hooks hooks = {.stop = s->stop};
    c->key = s->key && c->wanted ? &s->key->flips : NULL;
    c->training = s->training; /* lent */
    c->trainings = s->trainings;
    bool ok = cli_engine_options(config, &engine, err);
    engine.arithmetic = snn_arithmetic_of(config, model->net);
    ok = ok && cli_chips_map(c, config, model, err) && cli_chips_place(c, config, err) &&
         cli_chips_run(c, model, s->frames, &engine, snn_threads((int)snn_config_int(config, "run.threads")),
                       false, &hooks, err);
    s->training = c->training;
    s->trainings = c->trainings;
    c->training = NULL;
    c->trainings = 0;
    return ok;
}

bool cli_point_run(cli_sweeper *s, size_t point, const char *id, char **row, snn_error *err) {
    double start = snn_now();
    cli_chips chips = {0};
    snn_weights *weights = NULL;
    snn_config *config = config_of(s, point, err);
    bool ok = config && cli_chips_options(&chips, config, err) && load_model(s, config, err) &&
              requantise(s, config, &weights, err) && open_data(s, point, config, err) &&
              cli_check_network(config, snn_dataset_about(s->data), &s->model, s->model_path, err);
    if (ok) {
        snn_model model = s->model; /* borrowed */
        if (weights)
            model.weights = weights;
        else if (s->plain && !chips.wanted)
            model.weights = s->plain;
        ok = run_chips(s, config, &chips, &model, err) &&
             make_row(s, point, id, &chips, snn_now() - start, row, err);
    }
    cli_chips_free(&chips);
    snn_weights_free(weights);
    snn_config_free(config);
    return ok;
}

void cli_sweeper_free(cli_sweeper *s) {
    drop_data(s);
    snn_model_free(&s->model);
    snn_weights_free(s->plain);
    snn_key_free(s->key);
    free(s->model_path);
}
