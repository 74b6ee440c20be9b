/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tile: its ports cycle by cycle; membranes and spikes of whole layers against sim's engine in fixed arithmetic; back-pressure; every decryptor; events of convolutions. */
#include "decryptor_test.h"

#include <snnsim/dataset.h>
#include <snnsim/model.h>
#include <snnsim/tile.h>

/* ---- cycle by cycle ---- */

static const snn_tile_shape tiny = {
    .decryptor = {.kind = SNN_DEC_PASS, .address = 5, .lanes = 4, .bits = 4, .keyable = 1},
    .words = 2,
    .queue = 2};

/* 3 lines x 2 words from row 1: row 1 + 3 w + r. Lane l of word w on line r: code 2 r + 4 w + l: small positive numbers. */
static void fill(uint8_t array[8 * 4]) {
    memset(array, 0, 8 * 4);
    for (uint32_t w = 0; w < 2; w++)
        for (uint32_t r = 0; r < 3; r++)
            for (uint32_t l = 0; l < 4; l++)
                array[(1 + 3 * w + r) * 4 + l] = (uint8_t)((2 * r + w + l) & 7);
}

typedef struct {
    snn_tile_inputs in;
    const char *shows; /* ports of the cycle, as `ports` writes them */
} script;

/* What the ports show, as text: queue full, read row, X: read row or fire word, hold, spike line, idle. */
static const char *ports(const snn_tile_outputs *o, char *buf, size_t size) {
    char a[16] = "-", x[16] = "-", s[16] = "-";
    if (o->array_read)
        snprintf(a, sizeof a, "%u", o->array_addr);
    if (o->word_valid)
        snprintf(x, sizeof x, "r%u", o->addr);
    if (o->fire)
        snprintf(x, sizeof x, "f%u", o->fire_word);
    if (o->spk_valid && o->spk_end)
        snprintf(s, sizeof s, "end");
    else if (o->spk_valid)
        snprintf(s, sizeof s, "%u", o->spk_line);
    snprintf(buf, size, "%s A %s X %s%s S %s",
             o->idle        ? "idle"
             : o->aer_ready ? "ready"
                            : "full",
             a, x, o->hold ? " hold" : "", s);
    return buf;
}

static void play(snn_tile *t, const script *line, size_t n) {
    for (size_t i = 0; i < n; i++) {
        snn_tile_outputs out;
        char buf[100];
        snn_tile_cycle(t, &line[i].in, &out);
        ports(&out, buf, sizeof buf);
        if (strcmp(buf, line[i].shows) != 0)
            fail_msg("cycle %zu shows '%s', expected '%s'", i, buf, line[i].shows);
        assert_int_equal(out.cycle, i);
        assert_true((out.word != NULL) == out.word_valid && (out.membrane != NULL) == out.fire);
    }
}

static snn_tile *make_tile(const snn_tile_shape *s, const uint8_t *array, uint32_t rows) {
    snn_error err = {0};
    snn_tile *t = snn_tile_new(s, array, rows, &err);
    if (!t)
        fail_msg("%s", err.text);
    return t;
}

static void configure(snn_tile *t, const snn_tile_layer *l) {
    snn_error err = {0};
    if (!snn_tile_configure(t, l, &err))
        fail_msg("%s", err.text);
}

#define EVENT(line, count) .aer_valid = true, .aer_line = line, .aer_count = count
#define END .aer_valid = true, .aer_end = true
#define TAKE .spk_ready = true

static void stages(void **state) {
    (void)state;
    uint8_t array[8 * 4];
    fill(array);
    snn_tile *t = make_tile(&tiny, array, 8);
    /* sums: line 1 twice: word 0: 4 6 8 10, word 1: 6 8 10 12 (x 64) */
    const int32_t threshold[8] = {256, 383, 512, 639, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX},
                  bias[8] = {0};
    const snn_tile_layer layer = {.base = 1,
                                  .stride = 3,
                                  .words = 2,
                                  .decay = 2048,
                                  .spiking = true,
                                  .threshold = threshold,
                                  .bias = bias};
    configure(t, &layer);
    /* the queue has two entries: the third event waits until the first one's last read */
    const script lines[] = {
        {{EVENT(1, 2), TAKE}, "idle A - X - S -"},
        {{END, TAKE}, "ready A 2 X - S -"},
        {{EVENT(2, 1), TAKE}, "full A 5 X - S -"},
        {{EVENT(2, 1), TAKE}, "full A 2 X r2 S -"},
        {{EVENT(2, 1), TAKE}, "full A 5 X r5 S -"},
        {{EVENT(2, 1), TAKE}, "ready A - X r2 S -"},
        {{END, TAKE}, "full A - X r5 S -"},
        {{END, TAKE}, "ready A 3 X f0 S -"}, /* lanes 1 and 3 fire */
        {{TAKE}, "full A - X f1 hold S 1"},  /* FIRE 1 is the step's last: it waits for the encoder */
        {{0}, "full A - X f1 hold S 3"},     /* not taken */
        {{TAKE}, "full A - X f1 hold S 3"},
        {{TAKE}, "full A 6 X f1 S -"},
        {{TAKE}, "ready A - X r3 S end"},
        {{TAKE}, "ready A - X r6 S -"},
        {{TAKE}, "ready A - X f0 S -"}, /* v' = old / 2 + 64 x (4 5 6 7); lanes 1 and 3 were reset */
        {{TAKE}, "ready A - X f1 hold S 0"},
        {{TAKE}, "ready A - X f1 hold S 2"},
        {{TAKE}, "ready A - X f1 S -"},
        {{0}, "ready A - X - S end"},
        {{TAKE}, "ready A - X - S end"},
        {{TAKE}, "idle A - X - S -"},
    };
    (void)lines;
    play(t, lines, sizeof lines / sizeof *lines);
    snn_tile_free(t);
}

/* Values on the ports: words before and after decryption, membranes before the reset, both resets. */
static void values(void **state) {
    (void)state;
    uint8_t array[8 * 4];
    fill(array);
    snn_tile_shape s = tiny;
    s.decryptor.kind = SNN_DEC_CAM;
    s.decryptor.keys = 4;
    s.decryptor.ways = 2;
    const int32_t threshold[4] = {-100, 100, 128, 193}, bias[4] = {0, 5, 0, -7};
    for (int way = 0; way < 4; way++) {
        snn_tile *t = make_tile(&s, array, 8);
        const bool subtract = way & 1, at = way & 2;
        const snn_tile_layer layer = {.base = 1,
                                      .stride = 3,
                                      .words = 1,
                                      .decay = 2730,
                                      .subtract = subtract,
                                      .at_threshold = at,
                                      .spiking = true,
                                      .threshold = threshold,
                                      .bias = bias};
        configure(t, &layer);
        snn_tile_cycle(t, &(snn_tile_inputs){.prov_valid = true, .prov = {1, 1 << 7 | 1 << 2 | 3}},
                       NULL); /* row 1, lane 3: the sign */
        snn_tile_cycle(t, &(snn_tile_inputs){EVENT(0, 1)}, NULL);
        snn_tile_cycle(t, &(snn_tile_inputs){END}, NULL);
        snn_tile_outputs out;
        snn_tile_cycle(t, &(snn_tile_inputs){0}, &out);
        snn_tile_cycle(t, &(snn_tile_inputs){0}, &out);
        assert_true(out.word_valid && out.keyed && out.addr == 1);
        const uint8_t sensed[4] = {0, 1, 2, 3}, word[4] = {0, 1, 2, 11};
        assert_memory_equal(out.sensed, sensed, 4);
        assert_memory_equal(out.word, word, 4);
        snn_tile_cycle(t, &(snn_tile_inputs){0}, &out);
        assert_true(out.fire && !out.word_valid && !out.keyed);
        const int32_t v[4] = {0, 69, 128, -199};
        const uint8_t spikes[4] = {1, 0, at, 0};
        assert_memory_equal(out.membrane, v, sizeof v);
        assert_memory_equal(out.spikes, spikes, 4);
        for (int i = 0; i < 8; i++)
            snn_tile_cycle(t, &(snn_tile_inputs){.spk_ready = true}, &out);
        assert_true(out.idle);
        snn_tile_cycle(t, &(snn_tile_inputs){END}, NULL);
        for (int i = 0; i < 2; i++)
            snn_tile_cycle(t, &(snn_tile_inputs){0}, NULL);
        snn_tile_cycle(t, &(snn_tile_inputs){0}, &out);
        assert_true(out.fire);
        /* trunc(v x 2730 / 4096) + bias: 69 -> 45.99, 128 -> 85.3, -199 -> -132.6; lane 0: 0 + 100 -> 66.65 */
        const int32_t next[4] = {subtract ? 66 : 0, 45 + 5, at ? 0 : 85, -132 - 7};
        assert_memory_equal(out.membrane, next, sizeof next);
        snn_tile_free(t);
    }
}

/* An event of count 0 costs a cycle and reads nothing; clear zeroes sums and membranes; tamper empties the key store at once. */
static void odd_inputs(void **state) {
    (void)state;
    uint8_t array[8 * 4];
    fill(array);
    snn_tile_shape s = tiny;
    s.decryptor.kind = SNN_DEC_CAM;
    s.decryptor.keys = s.decryptor.ways = 2;
    snn_tile *t = make_tile(&s, array, 8);
    const int32_t threshold[4] = {1000, 1000, 1000, 1000}, bias[4] = {0};
    const snn_tile_layer layer = {.base = 1,
                                  .stride = 3,
                                  .words = 1,
                                  .decay = 4096,
                                  .spiking = true,
                                  .threshold = threshold,
                                  .bias = bias};
    configure(t, &layer);
    const script lines[] = {
        {{EVENT(1, 0)}, "idle A - X - S -"},
        {{EVENT(2, 1)}, "ready A - X - S -"},
        {{.prov_valid = true, .prov = {0, 1 << 7 | 3 << 2 | 0}}, "ready A 3 X - S -"},
        {{EVENT(2, 1)}, "ready A - X - S -"}, /* the store is written before the mask is looked up */
        {{END}, "ready A 3 X r3 S -"},
        {{.tamper = true}, "ready A - X - S -"},
        {{EVENT(0, 1)}, "ready A - X r3 S -"},
        {{.clear = true}, "ready A 1 X f0 S -"},
        {{END}, "ready A - X - S end"},
        {{0}, "ready A - X r1 S end"},
        {{0}, "ready A - X - S end"}};
    snn_tile_outputs out;
    char buf[100];
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        snn_tile_cycle(t, &lines[i].in, &out);
        if (strcmp(ports(&out, buf, sizeof buf), lines[i].shows) != 0)
            fail_msg("cycle %zu shows '%s', expected '%s'", i, buf, lines[i].shows);
        if (i == 4)
            assert_int_equal(out.word[0], 4 ^ 8);
        if (i == 6)
            assert_true(out.word[0] == 4 &&
                        !out.keyed); /* the look-up and the tamper input fell into one cycle */
        if (i == 7)                  /* v' = 64 (-4 + 4), 64 (5 + 5), ... */
            assert_true(out.membrane[0] == 0 && out.membrane[1] == 640);
    }
    for (int i = 0; i < 3 && !out.fire; i++)
        snn_tile_cycle(t, &(snn_tile_inputs){TAKE}, &out);
    snn_tile_reset(t);
    snn_tile_cycle(t, &(snn_tile_inputs){0}, &out);
    assert_true(out.idle && out.aer_ready && !out.spk_valid);
    snn_tile_free(t);
}

/* ---- whole layers against the engine ---- */

typedef struct {
    int32_t *membrane; /* [steps][outputs] of the traced layer */
    uint8_t *spikes;
    uint32_t outputs;
} traced;

static bool keep(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                 snn_error *err) {
    (void)err;
    traced *t = (traced *)context + layer;
    memcpy(t->membrane + (size_t)step * t->outputs, membrane, t->outputs * sizeof *t->membrane);
    memcpy(t->spikes + (size_t)step * t->outputs, spikes, t->outputs);
    return true;
}

/* A fully connected network: engine with traces of all layers. */
typedef struct {
    const snn_net *net;
    const snn_weights *weights; /* plain */
    snn_map *map;
    snn_rows *rows;
    uint8_t *plain; /* array without encryption */
    snn_engine *engine;
    snn_workspace *workspace;
    snn_result result;
    traced trace[3];
    bool which[3];
} work;

static void work_open(work *w, const snn_net *net, const snn_weights *weights, uint32_t columns, int steps) {
    snn_error err = {0};
    *w = (work){.net = net, .weights = weights, .which = {true, true, true}};
    assert_true(net->layers <= 3);
    const snn_map_options o = {.rows = 256, .columns = columns, .cell_bits = 1};
    const snn_engine_options e = {.arithmetic = SNN_ARITHMETIC_FIXED};
    const bool ok =
        (w->map = snn_map_new(net, weights, &o, &err)) && (w->rows = snn_rows_new(w->map, &err)) &&
        (w->plain = snn_rows_fill(w->rows, weights, &err)) &&
        (w->engine = snn_engine_new(net, weights, &e, &err)) &&
        (w->workspace = snn_workspace_new(w->engine, &err)) && snn_result_init(&w->result, net, steps, &err);
    if (!ok)
        fail_msg("%s", err.text);
    for (int i = 0; i < net->layers; i++) {
        const uint32_t n = snn_shape_size(net->layer[i].out);
        w->trace[i] = (traced){calloc((size_t)steps * n, sizeof(int32_t)), calloc((size_t)steps, n), n};
        assert_true(w->trace[i].membrane && w->trace[i].spikes);
    }
}

static void work_close(work *w) {
    for (int i = 0; i < w->net->layers; i++) {
        free(w->trace[i].membrane);
        free(w->trace[i].spikes);
    }
    snn_result_free(&w->result);
    snn_workspace_free(w->workspace);
    snn_engine_free(w->engine);
    free(w->plain);
    snn_rows_free(w->rows);
    snn_map_free(w->map);
}

static snn_tile_shape shape_for(const work *w, snn_decryptor_kind kind) {
    snn_tile_shape s = {.decryptor = {.kind = kind,
                                      .address = w->rows->address_bits,
                                      .lanes = w->rows->lanes,
                                      .bits = w->rows->bits,
                                      .keyable = 1,
                                      .keys = 64,
                                      .ways = 4},
                        .encoding = w->rows->tensor[0].encoding,
                        .queue = 16};
    for (int t = 0; t < w->rows->tensors; t++)
        s.words = w->rows->tensor[t].words > s.words ? w->rows->tensor[t].words : s.words;
    return s;
}

/* Runs x through all layers on the tile, spikes of one being events of the next. Returns membranes and spikes that differ from the engine's. */
static uint64_t run_tile(work *w, snn_tile *t, const snn_spikes *x, const snn_tile_hooks *hooks,
                         snn_tile_counts *counts) {
    snn_error err = {0};
    const snn_trace trace = {w->trace, w->which, keep};
    uint64_t differ = 0;
    if (!snn_engine_run(w->engine, x, 0, w->workspace, &trace, &w->result, &err))
        fail_msg("%s", err.text);
    snn_spikes layer_in = {0}, layer_out = {0};
    assert_true(snn_spikes_copy(&layer_in, x, &err));
    for (int i = 0; i < w->rows->tensors; i++) {
        const snn_rows_tensor *r = &w->rows->tensor[i];
        const traced *e = &w->trace[r->layer];
        const size_t outputs = (size_t)r->words * w->rows->lanes;
        int32_t *membrane = calloc((size_t)x->steps * outputs, sizeof *membrane);
        snn_tile_layer l;
        assert_non_null(membrane);
        if (!snn_tile_layer_init(&l, w->engine, w->rows, i, &err) ||
            !snn_tile_run(t, &l, r->outputs, &layer_in, hooks, &layer_out, membrane, &counts[i], &err))
            fail_msg("%s", err.text);
        for (int step = 0; step < x->steps; step++) {
            for (uint32_t o = 0; o < r->outputs; o++)
                differ += membrane[(size_t)step * outputs + o] != e->membrane[(size_t)step * e->outputs + o];
            size_t next = layer_out.first[step];
            for (uint32_t o = 0; o < r->outputs; o++) {
                const bool fired = next < layer_out.first[step + 1] && layer_out.spike[next].index == o;
                next += fired;
                differ += fired != (e->spikes[(size_t)step * e->outputs + o] != 0);
            }
        }
        free(membrane);
        snn_tile_layer_free(&l);
        const snn_spikes swap = layer_in;
        layer_in = layer_out;
        layer_out = swap;
    }
    snn_spikes_free(&layer_in);
    snn_spikes_free(&layer_out);
    return differ;
}

static snn_net *parse_net(const char *text, snn_shape input) {
    snn_error err = {0};
    snn_config *c = snn_config_parse(text, "test", &err);
    snn_net *net = c ? snn_net_from_config(c, input, &err) : NULL;
    if (!net)
        fail_msg("%s", err.text);
    snn_config_free(c);
    return net;
}

static snn_weights *random_weights(const snn_net *net, int bits, snn_encoding encoding, uint64_t seed) {
    snn_error err = {0};
    snn_weights *f = snn_weights_new(net, &err);
    assert_non_null(f);
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 1);
    for (int t = 0; t < f->tensors; t++)
        for (uint64_t i = 0; i < f->tensor[t].count; i++)
            f->tensor[t].value[i] = (float)(snn_random_uniform(&r) - 0.45) * 0.1f;
    const snn_quantisation q = {
        .bits = bits, .encoding = encoding, .per_channel = seed % 2, .free_scale = seed % 3 == 0};
    snn_weights *w = snn_weights_quantise(f, &q, NULL, &err);
    assert_non_null(w);
    /* every code there is, minus zero and the value without a counterpart included */
    for (int t = 0; t < w->tensors; t++)
        for (uint32_t i = 0; i < 1U << bits && i < w->tensor[t].count; i++)
            w->tensor[t].code8[i] = (uint8_t)i;
    snn_weights_free(f);
    return w;
}

static void random_input(snn_spikes *x, uint32_t size, int steps, uint32_t most, uint64_t seed) {
    snn_error err = {0};
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 2);
    assert_true(snn_spikes_reset(x, size, steps, &err));
    for (int step = 0; step < steps; step++)
        for (uint32_t i = 0; i < size; i++)
            if (snn_random_uniform(&r) < (step == 2 ? 0 : 0.3)) /* a silent step */
                assert_true(
                    snn_spikes_append(x, step, &(snn_spike){i, 1 + snn_random_below(&r, most)}, 1, &err));
}

static const char *const kinds_of_net[] = {
    "network = { layers = ({name=\"a\"; type=\"linear\"; outputs=37;}, {name=\"b\"; type=\"linear\"; "
    "outputs=5;}); neuron = { type = \"lif\"; decay = 0.3; threshold = 0.3; }; };",
    "network = { layers = ({name=\"a\"; type=\"linear\"; outputs=40; bias=true;}, {name=\"b\"; "
    "type=\"linear\"; outputs=9;}); neuron = { type = \"lif\"; decay = 0.9; threshold = 0.2; reset = "
    "\"subtract\"; at_threshold = true; gain = 0.5; }; };",
    "network = { layers = ({name=\"a\"; type=\"linear\"; outputs=16;}, {name=\"b\"; type=\"linear\"; "
    "outputs=17; neuron = { type = \"li\"; }; }); neuron = { type = \"if\"; threshold = 1.5; }; };",
};
enum { KINDS_OF_NET = sizeof kinds_of_net / sizeof *kinds_of_net };

static bool sometimes(void *context, uint64_t cycle) {
    return (cycle * 2654435761U >> 7) % 3 != (uint64_t) * (int *)context % 3;
}

static void layers(void **state) {
    (void)state;
    uint64_t stalls = 0;
    for (uint64_t run = 0; run < 24; run++) {
        const int bits = (int)(run % 8) + 1;
        snn_net *net = parse_net(kinds_of_net[run % KINDS_OF_NET], (snn_shape){1, 5, 11});
        for (int i = 0; i < net->layers; i++)
            for (uint32_t o = 0; net->layer[i].bias && o < net->layer[i].out.channels; o++)
                net->layer[i].bias[o] = 0.01f * (float)((int)o - 11);
        snn_weights *weights = random_weights(net, bits, (snn_encoding)(run / 8), run);
        snn_spikes x = {0};
        random_input(&x, 55, 6, 3, run);
        work w;
        work_open(&w, net, weights, 16 * (uint32_t)bits, 6);
        const snn_tile_shape s = shape_for(&w, SNN_DEC_PASS);
        snn_tile *t = make_tile(&s, w.plain, w.rows->rows);
        snn_tile_counts a[2] = {{0}}, b[2] = {{0}};
        assert_int_equal(run_tile(&w, t, &x, NULL, a), 0);
        /* events come, spikes go when they like: the same membranes and spikes, more cycles */
        int phase = (int)run;
        const snn_tile_hooks hooks = {.context = &phase, .offer = sometimes, .take = sometimes};
        assert_int_equal(run_tile(&w, t, &x, &hooks, b), 0);
        for (int i = 0; i < 2; i++) {
            const snn_rows_tensor *r = &w.rows->tensor[i];
            assert_int_equal(a[i].fires, 6 * r->words);
            assert_int_equal(a[i].reads, b[i].reads);
            assert_int_equal(a[i].spikes, b[i].spikes);
            assert_int_equal(a[i].keyed, 0);
            assert_int_equal(a[i].spk_stalls, 0);
            assert_true(b[i].cycles >= a[i].cycles);
            stalls += b[i].spk_stalls;
            assert_int_equal(a[i].cycles, a[i].reads + a[i].fires + a[i].hold_encoder + a[i].bubbles);
            assert_int_equal(b[i].cycles, b[i].reads + b[i].fires + b[i].hold_encoder + b[i].bubbles);
            assert_int_equal(a[i].hold_decryptor, 0);
        }
        assert_int_equal(a[0].reads, snn_spikes_total(&x) * w.rows->tensor[0].words);
        assert_int_equal(a[1].reads, a[0].spikes * w.rows->tensor[1].words);
        assert_true(a[0].aer_stalls > 0);
        snn_tile_free(t);
        work_close(&w);
        snn_spikes_free(&x);
        snn_weights_free(weights);
        snn_net_free(net);
    }
    assert_true(stalls > 100);
}

/* Each decryptor with the right key: the same spikes in the same cycles (aes: 11 more for each block), with a wrong one errors. */
static void decrypt_network(work *w, const snn_spikes *x, size_t n_keys) {
    snn_tile_counts pass[3] = {{0}};
    for (int kind = 0; kind < SNN_DECS; kind++) {
        snn_error err = {0};
        const snn_tile_shape s = shape_for(w, (snn_decryptor_kind)kind);
        snn_row_bit *bit = test_bits(&s.decryptor, w->rows->rows, n_keys, 4, 5),
                    *wrong = test_bits(&s.decryptor, w->rows->rows, n_keys, 4, 6);
        snn_provision good, bad;
        assert_true(snn_provision_make(&good, &s.decryptor, bit, n_keys, 1, &err) &&
                    snn_provision_make(&bad, &s.decryptor, wrong, n_keys, 2, &err));
        uint8_t *stored = malloc((size_t)w->rows->rows * w->rows->lanes);
        assert_non_null(stored);
        memcpy(stored, w->plain, (size_t)w->rows->rows * w->rows->lanes);
        snn_tile *t = make_tile(&s, stored, w->rows->rows);
        snn_provision_load(&good, snn_tile_decryptor(t));
        snn_provision_cipher(snn_tile_decryptor(t), stored, w->rows->rows);
        snn_tile_counts c[3] = {{0}}, wrong_counts[3] = {{0}};
        assert_int_equal(run_tile(w, t, x, NULL, c), 0);
        const uint64_t blocks = (w->rows->lanes * w->rows->bits + 127) / 128;
        for (int i = 0; i < w->rows->tensors; i++) {
            if (kind == SNN_DEC_PASS)
                pass[i] = c[i];
            assert_int_equal(c[i].reads, pass[i].reads);
            assert_int_equal(c[i].spikes, pass[i].spikes);
            if (kind != SNN_DEC_AES)
                assert_memory_equal(&c[i].cycles, &pass[i].cycles, sizeof c[i].cycles);
            else
                assert_true(c[i].hold_decryptor >= c[i].reads * (blocks * 11 - 2) &&
                            c[i].cycles > pass[i].cycles);
            assert_int_equal(c[i].cycles, c[i].reads + c[i].fires + c[i].hold_encoder + c[i].hold_decryptor +
                                              c[i].bubbles);
            assert_int_equal(c[i].keyed == c[i].reads, kind >= SNN_DEC_PRINCE);
        }
        assert_int_equal(c[0].keyed > 0, kind != SNN_DEC_PASS);
        snn_decryptor_clear(snn_tile_decryptor(t));
        snn_provision_load(&bad, snn_tile_decryptor(t));
        assert_int_equal(run_tile(w, t, x, NULL, wrong_counts) > 0, kind != SNN_DEC_PASS);
        snn_tile_free(t);
        free(stored);
        snn_provision_free(&good);
        snn_provision_free(&bad);
        free(bit);
        free(wrong);
    }
}

static void decryptors(void **state) {
    (void)state;
    snn_net *net = parse_net(kinds_of_net[0], (snn_shape){1, 5, 11});
    snn_weights *weights = random_weights(net, 8, SNN_SIGN_MAGNITUDE, 4);
    snn_spikes x = {0};
    random_input(&x, 55, 6, 3, 9);
    work w;
    work_open(&w, net, weights, 128, 6);
    decrypt_network(&w, &x, 50);
    work_close(&w);
    snn_spikes_free(&x);
    snn_weights_free(weights);
    snn_net_free(net);
}

static void nmnist(void **state) {
    (void)state;
    snn_error err = {0};
    const char *data = getenv("SNNSIM_DATA");
    char path[4096], text[8300];
    snprintf(path, sizeof path, "%s/nmnist/test_first50.txt", data ? data : "../shared/data");
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("skipped (no data)\n");
        skip();
    }
    fclose(f);
    snprintf(text, sizeof text,
             "dataset = { name = \"nmnist\"; path = \"%s/nmnist\"; train_list = \"train1K.txt\"; test_list = "
             "\"test_first50.txt\"; bins = 15; };",
             data ? data : "../shared/data");
    snn_config *c = snn_config_parse(text, "test", &err);
    assert_non_null(c);
    snn_dataset *set = snn_dataset_open(c, SNN_SPLIT_TEST, &err);
    snn_model model = {0};
    if (!set || !snn_model_load(&model, "models/nmnist.h5", &err))
        fail_msg("%s", err.text);
    work w;
    work_open(&w, model.net, model.weights, 1024, 15);
    snn_spikes x = {0};
    snn_dataset_buffer buffer = {0};
    for (size_t i = 0; i < 2; i++) {
        if (!snn_dataset_frames(set, i, &buffer, &x, &err))
            fail_msg("%s", err.text);
        decrypt_network(&w, &x, 50);
    }
    snn_dataset_buffer_free(&buffer);
    snn_spikes_free(&x);
    work_close(&w);
    snn_model_free(&model);
    snn_dataset_free(set);
    snn_config_free(c);
}

/* ---- events ---- */

/* As loops over outputs: output (oy, ox) reads input (c, y, x) through tap (ky, kx) where y = oy * stride + ky - padding. */
static void conv_events(void **state) {
    (void)state;
    for (uint32_t kernel = 1; kernel <= 4; kernel++)
        for (uint32_t stride = 1; stride <= 2; stride++)
            for (uint32_t padding = 0; padding < kernel; padding++) {
                snn_error err = {0};
                snn_layer l = {.name = "c",
                               .type = SNN_LAYER_CONV2D,
                               .in = {2, 6, 5},
                               .kernel = kernel,
                               .stride = stride,
                               .padding = padding};
                l.out = (snn_shape){3, (6 + 2 * padding - kernel) / stride + 1,
                                    (5 + 2 * padding - kernel) / stride + 1};
                snn_spikes x = {0}, e = {0};
                random_input(&x, 60, 4, 5, kernel);
                assert_true(snn_tile_events(&l, &x, &e, &err));
                assert_int_equal(e.steps, 4);
                assert_int_equal(e.size, 2 * kernel * kernel);
                for (int step = 0; step < 4; step++) {
                    uint32_t count[32] = {0}, expected[32] = {0};
                    for (size_t i = e.first[step]; i < e.first[step + 1]; i++)
                        count[e.spike[i].index] += e.spike[i].count;
                    for (size_t i = x.first[step]; i < x.first[step + 1]; i++)
                        for (uint32_t oy = 0; oy < l.out.height; oy++)
                            for (uint32_t ox = 0; ox < l.out.width; ox++)
                                for (uint32_t ky = 0; ky < kernel; ky++)
                                    for (uint32_t kx = 0; kx < kernel; kx++) {
                                        const uint32_t at = x.spike[i].index, ch = at / 30, y = at % 30 / 5,
                                                       xx = at % 5;
                                        if (oy * stride + ky == y + padding &&
                                            ox * stride + kx == xx + padding)
                                            expected[(ch * kernel + ky) * kernel + kx] += x.spike[i].count;
                                    }
                    assert_memory_equal(count, expected, sizeof count);
                }
                snn_spikes_free(&x);
                snn_spikes_free(&e);
            }
}

static void linear_events(void **state) {
    (void)state;
    snn_error err = {0};
    const snn_layer l = {.name = "fc", .type = SNN_LAYER_LINEAR, .in = {1, 5, 11}, .out = {4, 1, 1}};
    snn_spikes x = {0}, e = {0};
    random_input(&x, 55, 4, 5, 1);
    assert_true(snn_tile_events(&l, &x, &e, &err));
    assert_memory_equal(e.first, x.first, 5 * sizeof *x.first);
    assert_memory_equal(e.spike, x.spike, x.first[4] * sizeof *x.spike);
    x.size = 54;
    assert_false(snn_tile_events(&l, &x, &e, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_non_null(strstr(err.text, "layer 'fc' has 55 inputs, but spikes are of 54"));
    snn_spikes_free(&x);
    snn_spikes_free(&e);
}

/* ---- refusals, large counts ---- */

static void refuses_shape(snn_tile_shape s, const char *part) {
    snn_error err = {0};
    assert_null(snn_tile_new(&s, NULL, 0, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    if (!strstr(err.text, part))
        fail_msg("'%s' is not in: %s", part, err.text);
}

static bool stop_at_4(void *context, const snn_tile_inputs *in, const snn_tile_outputs *out, snn_error *err) {
    (void)context;
    (void)in;
    return out->cycle < 4 || snn_fail(err, SNN_ERR_INTERRUPTED, "enough");
}

static void refusals(void **state) {
    (void)state;
    snn_tile_shape s = tiny;
    s.words = 0;
    refuses_shape(s, "0 row words of a line");
    s.words = 256;
    refuses_shape(s, "256 row words of a line");
    s = tiny;
    s.queue = 3;
    refuses_shape(s, "queue cannot have 3");
    s.queue = 1;
    refuses_shape(s, "queue cannot have 1");
    s.queue = 2048;
    refuses_shape(s, "queue cannot have 2048");
    s = tiny;
    s.decryptor.lanes = 0;
    refuses_shape(s, "0 lanes");
    snn_tile_free(NULL);

    uint8_t array[8 * 4];
    fill(array);
    snn_tile *t = make_tile(&tiny, array, 8);
    const int32_t threshold[12] = {0}, bias[12] = {0};
    snn_tile_layer l = {.base = 1, .stride = 3, .words = 3, .decay = 0, .threshold = threshold, .bias = bias};
    snn_error err = {0};
    assert_false(snn_tile_configure(t, &l, &err));
    assert_non_null(strstr(err.text, "a line has 3 row words, the tile takes 1 to 2"));
    l.words = 0;
    assert_false(snn_tile_configure(t, &l, &err));
    l.words = 2;
    l.base = 3;
    assert_false(snn_tile_configure(t, &l, &err));
    assert_non_null(strstr(err.text, "row words 3 to 9 of a layer are outside the array, which has 8"));
    l.base = 2;
    configure(t, &l);
    l.decay = 4097;
    assert_false(snn_tile_configure(t, &l, &err));
    l.decay = -1;
    assert_false(snn_tile_configure(t, &l, &err));
    assert_non_null(strstr(err.text, "-1/4096"));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    l.decay = 4096;

    snn_spikes x = {0};
    snn_tile_counts c = {0};
    assert_true(snn_spikes_reset(&x, 4, 1, &err));
    assert_true(snn_spikes_append(&x, 0, &(snn_spike){3, 1}, 1, &err));
    assert_false(snn_tile_run(t, &l, 8, &x, NULL, NULL, NULL, &c, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_non_null(strstr(err.text, "a spike on line 3 of a layer with 3"));
    /* counts beyond the queue's 16 bits go in parts */
    x.spike[0] = (snn_spike){2, 65535 + 7};
    assert_true(snn_tile_run(t, &l, 8, &x, NULL, NULL, NULL, &c, &err));
    assert_int_equal(c.reads, 2 * (65535 + 7));
    const snn_tile_hooks h = {.cycle = stop_at_4};
    snn_tile_reset(t);
    snn_tile *fresh = make_tile(&tiny, array, 8);
    assert_false(snn_tile_run(fresh, &l, 8, &x, &h, NULL, NULL, &c, &err));
    assert_int_equal(err.code, SNN_ERR_INTERRUPTED);
    /* neurons that a layer does not have */
    const int32_t low[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
    l.threshold = low;
    l.spiking = true;
    snn_spikes out = {0};
    x.spike[0].count = 1;
    assert_false(snn_tile_run(t, &l, 5, &x, NULL, &out, NULL, &c, &err));
    assert_non_null(strstr(err.text, "neuron 5 of a layer of 5 fired"));
    snn_spikes_free(&out);
    snn_spikes_free(&x);
    snn_tile_free(fresh);
    snn_tile_free(t);
}

/* A float engine has no fixed thresholds; pools have no neurons. */
static void not_fixed(void **state) {
    (void)state;
    snn_error err = {0};
    snn_net *net = parse_net("network = { layers = ({name=\"p\"; type=\"pool_max\"; kernel=2;}, {name=\"a\"; "
                             "type=\"linear\"; outputs=3;}); };",
                             (snn_shape){1, 4, 4});
    snn_weights *w = random_weights(net, 8, SNN_SIGN_MAGNITUDE, 1);
    snn_fixed_neurons n;
    for (int a = 0; a < 2; a++) {
        const snn_engine_options o = {.arithmetic = (snn_arithmetic)a};
        snn_engine *e = snn_engine_new(net, w, &o, &err);
        assert_non_null(e);
        assert_int_equal(snn_engine_fixed(e, 1, &n, &err), a == SNN_ARITHMETIC_FIXED);
        assert_false(snn_engine_fixed(e, 0, &n, &err));
        assert_int_equal(err.code, SNN_ERR_USAGE);
        snn_engine_free(e);
    }
    assert_int_equal(n.channels, 3);
    assert_int_equal(n.decay, 1229); /* 0.3 x 4096 = 1228.8 */
    assert_null(n.bias);
    snn_weights_free(w);
    snn_net_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages),      cmocka_unit_test(values),        cmocka_unit_test(odd_inputs),
        cmocka_unit_test(layers),      cmocka_unit_test(decryptors),    cmocka_unit_test(nmnist),
        cmocka_unit_test(conv_events), cmocka_unit_test(linear_events), cmocka_unit_test(refusals),
        cmocka_unit_test(not_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
