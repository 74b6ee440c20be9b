/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Times of digital read-out, one thread: read_bench CONFIG [KEY=VALUE]...
 * For the given hw.* settings: programming and scan of a chip; reading files, framing, simulating with and without the hook, the errors drawn and what one costs; with
 * SNN_TWIN=n the plain twin on n samples.
 */
#include "../../hw/read_hook.h"

#include <snnsim/snnsim.h>

#include <stdio.h>
#include <stdlib.h>

static snn_error err;

static void stop(void) {
    fprintf(stderr, "%s\n", err.text);
    exit(1);
}

static uint64_t errors_drawn, changes;

typedef struct {
    const snn_hook *hook;
} counted;

static bool count_read(void *context, void *scratch, int tensor, uint64_t sample, int step,
                       const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *e) {
    const counted *c = context;
    const bool ok = c->hook->read(c->hook->context, scratch, tensor, sample, step, input, n, errors, e);
    errors_drawn += errors->n;
    for (size_t i = 0; i < errors->n; i++)
        changes += errors->item[i].dsum != 0;
    return ok;
}

/* Seconds per sample of simulating n framed samples, best of `rounds`. */
static double simulate(const snn_net *net, const snn_weights *w, const snn_hook *hook, const snn_spikes *x,
                       size_t n, int steps, int rounds) {
    snn_engine_options o = {.simd = snn_simd_best(), .hook = hook};
    snn_engine *e = snn_engine_new(net, w, &o, &err);
    if (!e)
        stop();
    snn_workspace *space = snn_workspace_new(e, &err);
    snn_result r;
    if (!space || !snn_result_init(&r, net, steps, &err))
        stop();
    double best = 1e9;
    for (int k = 0; k < rounds; k++) {
        const double start = snn_now();
        for (size_t i = 0; i < n; i++)
            if (!snn_engine_run(e, &x[i], i, space, NULL, &r, &err))
                stop();
        const double t = (snn_now() - start) / (double)n;
        best = t < best ? t : best;
    }
    snn_result_free(&r);
    snn_workspace_free(space);
    snn_engine_free(e);
    return best;
}

int main(int argc, char **argv) {
    if (argc < 2)
        return fprintf(stderr, "read_bench CONFIG [KEY=VALUE]...\n"), 2;
    snn_config *config = snn_config_load(argv[1], &err);
    for (int i = 2; config && i < argc; i++)
        if (!snn_config_set(config, argv[i], &err))
            stop();
    snn_model model;
    snn_hw_options o;
    if (!config || !snn_model_load(&model, snn_config_string(config, "model.path"), &err) ||
        !snn_hw_options_from_config(config, &o, &err))
        stop();
    snn_map *map = snn_map_new(model.net, model.weights, &o.map, &err);
    if (!map)
        stop();
    snn_readout *readout = NULL;
    double program = 0, scan = 1e9;
    snn_chip *chip = NULL;
    for (uint64_t k = 0; k < 5; k++) {
        snn_readout_free(readout);
        snn_chip_free(chip);
        const double start = snn_now();
        chip = snn_chip_program(map, &o, model.weights, k, &err);
        const double programmed = snn_now();
        readout =
            chip ? snn_readout_new(chip, &o.condition, NULL, SNN_READ_FAST, model.net, NULL, 0, &err) : NULL;
        if (!readout)
            stop();
        program = programmed - start;
        const double t = snn_now() - programmed;
        scan = t < scan ? t : scan;
    }
    const snn_readout_stats *s = snn_readout_about(readout);
    printf("%s: program %.1f ms, read-out %.1f ms; wrong bits %llu of %llu (%.3g), weak cells %llu, read "
           "errors %.3g per bit\n",
           o.device.name, program * 1e3, scan * 1e3, (unsigned long long)s->wrong_bits,
           (unsigned long long)s->bits, (double)s->wrong_bits / (double)s->bits,
           (unsigned long long)s->weak_cells, s->read_error_rate);

    snn_dataset *data = snn_dataset_open(config, SNN_SPLIT_TEST, &err);
    if (!data)
        stop();
    const size_t all = snn_dataset_count(data), n = all < 50 ? all : 50;
    snn_spikes *x = calloc(n, sizeof *x);
    snn_dataset_buffer buffer = {0};
    for (int k = 0; k < 3; k++) {
        buffer.read_seconds = buffer.frame_seconds = 0;
        for (size_t i = 0; i < n; i++)
            if (!snn_dataset_frames(data, i, &buffer, &x[i], &err))
                stop();
    }
    const double read = buffer.read_seconds / (double)n, frame = buffer.frame_seconds / (double)n;
    const int steps = snn_dataset_about(data)->steps,
              rounds = getenv("SNN_ROUNDS") ? atoi(getenv("SNN_ROUNDS")) : 40;
    const double plain = simulate(model.net, snn_readout_weights(readout), NULL, x, n, steps, rounds);
    printf("per sample: read %.1f us, frame %.1f us, simulate %.1f us\n", read * 1e6, frame * 1e6,
           plain * 1e6);
    const snn_hook *hook = snn_readout_hook(readout);
    if (!hook)
        return puts("no hook"), 0;
    const double noisy = simulate(model.net, snn_readout_weights(readout), hook, x, n, steps, rounds);
    counted c = {hook};
    snn_hook counting = *hook;
    counting.context = &c;
    counting.read = count_read;
    simulate(model.net, snn_readout_weights(readout), &counting, x, n, steps, 1);
    const double errors = (double)errors_drawn / (double)n;
    printf("with the hook %.1f us: %.0f changed sums (%.0f of them not 0), %.1f ns each; run %.2f x the "
           "ideal one, without reading and framing %.2f x\n",
           noisy * 1e6, errors, (double)changes / (double)n, (noisy - plain) / errors * 1e9,
           (read + frame + noisy) / (read + frame + plain), noisy / plain);
    const char *twins = getenv("SNN_TWIN");
    if (twins) {
        const size_t m = (size_t)atoi(twins) < n ? (size_t)atoi(twins) : n;
        snn_readout *twin =
            snn_readout_new(chip, &o.condition, NULL, SNN_READ_TWIN, model.net, NULL, 0, &err);
        if (!twin)
            stop();
        const double slow =
            simulate(model.net, snn_readout_weights(twin), snn_readout_hook(twin), x, m, steps, 1);
        const double fast = simulate(model.net, snn_readout_weights(readout), hook, x, m, steps, 5);
        printf("plain twin %.4g s per sample: %.0f times as long (reads alone: %.0f times)\n", slow,
               slow / fast, (slow - plain) / (fast - plain));
        snn_readout_free(twin);
    }
    return 0;
}
