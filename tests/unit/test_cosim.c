/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Co-simulation without Verilator: a second C model behind the face of a circuit, which can be made to lie about any one port. */
#include "decryptor_test.h"

#include "../../hw/rtl_bridge.h"

#include <snnsim/cosim.h>

enum { LANES = 5, BITS = 6, ADDRESS = 5, ROWS = 1 << ADDRESS, WORDS = 2, ITEMS = (LANES * BITS + 31) / 32 };

/* ---- the circuit that is none ---- */

typedef enum {
    TRUE_PORTS,
    READY,
    READ,
    READ_ADDRESS,
    HOLD,
    WORD_VALID,
    WORD_ADDRESS,
    SENSED,
    WORD,
    FIRE,
    FIRE_WORD,
    MEMBRANE,
    SPIKES,
    SPIKE_VALID,
    SPIKE_END,
    SPIKE_LINE,
    IDLE,
    LIES
} lie;

struct snn_rtl {
    snn_tile *tile;
    uint8_t *array;
    uint64_t cycle;
    uint32_t sensed[ITEMS], word[ITEMS], membrane[LANES], spikes[1];
};

static snn_tile_shape shape_now; /* of what `make` makes */
static lie lie_now;
static bool lie_where_hidden; /* about what a valid bit says has no meaning */
static int traced, resets;

static uint32_t code_of(const uint32_t *vector, uint32_t lane) {
    uint32_t code = 0;
    for (uint32_t b = 0; b < BITS; b++) {
        const uint32_t at = lane * BITS + b;
        code |= (vector[at / 32] >> at % 32 & 1) << b;
    }
    return code;
}

static void pack(const uint8_t *code, uint32_t *vector) {
    memset(vector, 0, ITEMS * sizeof *vector);
    for (uint32_t at = 0; at < LANES * BITS; at++)
        vector[at / 32] |= (uint32_t)(code[at / BITS] >> at % BITS & 1) << at % 32;
}

static void fake_free(snn_rtl *r) {
    snn_tile_free(r->tile);
    free(r->array);
    free(r);
}

static snn_rtl *fake_make(const uint32_t *array, uint32_t rows, uint32_t seed) {
    snn_error err = {0};
    (void)seed;
    snn_rtl *r = calloc(1, sizeof *r);
    r->array = malloc((size_t)rows * LANES);
    for (uint32_t i = 0; i < rows * LANES; i++)
        r->array[i] = (uint8_t)code_of(array + (size_t)(i / LANES) * ITEMS, i % LANES);
    r->tile = snn_tile_new(&shape_now, r->array, rows, &err);
    assert_non_null(r->tile);
    return r;
}

static void fake_reset(snn_rtl *r) {
    resets++;
    snn_tile_reset(r->tile);
}

static void fake_configure(snn_rtl *r, const snn_rtl_layer *l, const int32_t *threshold,
                           const int32_t *bias) {
    snn_error err = {0};
    const snn_tile_layer layer = {.base = l->base,
                                  .stride = l->stride,
                                  .words = l->words,
                                  .decay = (int32_t)l->decay,
                                  .subtract = l->subtract,
                                  .at_threshold = l->at_threshold,
                                  .spiking = l->spiking,
                                  .threshold = threshold,
                                  .bias = bias};
    assert_true(snn_tile_configure(r->tile, &layer, &err));
}

/* Where the port means something, or just where it does not. */
static bool now(bool valid) {
    return valid != lie_where_hidden;
}

static void tell_lie(snn_rtl *r, snn_rtl_outputs *out) {
    out->aer_ready ^= lie_now == READY;
    out->hold ^= lie_now == HOLD;
    out->idle ^= lie_now == IDLE;
    out->array_addr ^= lie_now == READ_ADDRESS && now(out->array_read) ? 9 : 0;
    out->addr ^= lie_now == WORD_ADDRESS && now(out->word_valid);
    r->sensed[0] ^= lie_now == SENSED && now(out->word_valid) ? UINT32_C(3) << (2 * BITS) : 0;
    r->word[0] ^= lie_now == WORD && now(out->word_valid && !out->hold) ? UINT32_C(1) << (4 * BITS + 5) : 0;
    out->fire_word ^= lie_now == FIRE_WORD && now(out->fire);
    r->membrane[3] ^= lie_now == MEMBRANE && now(out->fire) ? UINT32_C(1) << 31 : 0;
    r->membrane[4] ^= lie_now == MEMBRANE && now(out->fire);
    r->spikes[0] ^= lie_now == SPIKES && now(out->fire) ? 16 : 0;
    out->spk_end ^= lie_now == SPIKE_END && now(out->spk_valid);
    out->spk_line ^= lie_now == SPIKE_LINE && now(out->spk_valid && !out->spk_end);
    out->array_read ^= lie_now == READ;
    out->word_valid ^= lie_now == WORD_VALID;
    out->fire ^= lie_now == FIRE;
    out->spk_valid ^= lie_now == SPIKE_VALID;
}

static void fake_present(snn_rtl *r, const snn_rtl_inputs *in, snn_rtl_outputs *out) {
    const snn_tile_inputs ports = {.aer_valid = in->aer_valid,
                                   .aer_end = in->aer_end,
                                   .aer_line = in->aer_line,
                                   .aer_count = in->aer_count,
                                   .spk_ready = in->spk_ready,
                                   .clear = in->clear,
                                   .tamper = in->tamper,
                                   .prov_valid = in->prov_valid,
                                   .prov = {in->prov_addr, in->prov_data}};
    snn_tile_outputs m;
    snn_tile_cycle(r->tile, &ports, &m);
    if (m.word_valid) {
        pack(m.sensed, r->sensed);
        pack(m.word, r->word);
    }
    r->spikes[0] = 0;
    for (uint32_t l = 0; m.fire && l < LANES; l++) {
        r->membrane[l] = (uint32_t)m.membrane[l];
        r->spikes[0] |= (uint32_t)m.spikes[l] << l;
    }
    *out = (snn_rtl_outputs){.idle = m.idle,
                             .aer_ready = m.aer_ready,
                             .array_read = m.array_read,
                             .spk_valid = m.spk_valid,
                             .spk_end = m.spk_end,
                             .hold = m.hold,
                             .word_valid = m.word_valid,
                             .fire = m.fire,
                             .array_addr = m.array_addr,
                             .spk_line = m.spk_line,
                             .addr = m.addr,
                             .fire_word = m.fire_word,
                             .time = 10 * r->cycle,
                             .sensed = r->sensed,
                             .word = r->word,
                             .membrane = r->membrane,
                             .spikes = r->spikes};
    tell_lie(r, out);
}

static void fake_clock(snn_rtl *r) {
    r->cycle++;
}

static int fake_trace(snn_rtl *r, const char *path) {
    traced = path ? (int)r->cycle : -1;
    return strcmp(path, "refused") != 0;
}

static void fake_mutant(snn_rtl *r, uint32_t n) {
    (void)r;
    (void)n;
}

static snn_rtl_face face_of(snn_decryptor_kind kind) {
    const bool store = kind == SNN_DEC_CAM || kind == SNN_DEC_TABLE;
    shape_now = (snn_tile_shape){.decryptor = {.kind = kind,
                                               .address = ADDRESS,
                                               .lanes = LANES,
                                               .bits = BITS,
                                               .keyable = 2,
                                               .keys = store ? 8 : 0,
                                               .ways = 2},
                                 .encoding = SNN_SIGN_MAGNITUDE,
                                 .words = WORDS,
                                 .queue = 4};
    lie_now = TRUE_PORTS;
    lie_where_hidden = false;
    return (snn_rtl_face){
        .abi = SNN_RTL_ABI,
        .parameters = {ADDRESS, LANES, BITS, 2, shape_now.decryptor.keys, 2, 0, WORDS, 4, 4, 9},
        .decryptor = "fake",
        .digest = "0",
        .mutants = 3,
        .make = fake_make,
        .free = fake_free,
        .reset = fake_reset,
        .configure = fake_configure,
        .present = fake_present,
        .clock = fake_clock,
        .trace = fake_trace,
        .mutant = fake_mutant};
}

static uint8_t array[ROWS * LANES];

static void draw_array(void) {
    snn_random r;
    snn_random_init(&r, 1, SNN_PURPOSE_TEST, 0);
    for (size_t i = 0; i < sizeof array; i++)
        array[i] = (uint8_t)snn_random_below(&r, 1U << BITS);
}

static snn_cosim *begin(const snn_rtl_face *face, const snn_cosim_options *o) {
    snn_error err = {0};
    draw_array();
    snn_cosim *c = snn_cosim_new(face, &shape_now, array, ROWS, o, &err);
    if (!c)
        fail_msg("%s", err.text);
    return c;
}

/* ---- tests ---- */

static void test_agreement(void **state) {
    (void)state;
    for (int kind = 0; kind < SNN_DECS; kind++) {
        const snn_rtl_face face = face_of((snn_decryptor_kind)kind);
        snn_error err = {0};
        snn_cosim *c = begin(&face, &(snn_cosim_options){.seed = 3});
        resets = 0;
        if (!snn_cosim_exercise(c, 60, &err))
            fail_msg("%s: %s", snn_decryptor_name((snn_decryptor_kind)kind), err.text);
        const snn_cosim_stats s = snn_cosim_stats_of(c);
        /* All that it should do has happened. */
        assert_true(s.cycles > 2000 && s.reads > 500 && s.fires > 100 && s.spikes > 50 && resets > 0);
        assert_true(s.compared > 7 * s.cycles);
        assert_true((s.keyed > 0) == (kind != SNN_DEC_PASS));
        assert_false(snn_cosim_diff_of(c)->found);
        snn_cosim_free(c);
    }
}

static void test_each_port(void **state) {
    (void)state;
    static const struct {
        const char *signal, *stage;
        int lane; /* -1: no vector */
        uint32_t lanes;
    } expect[LIES] = {[READY] = {"aer_ready_o", "A", -1, 0},
                      [READ] = {"array_read_o", "A", -1, 0},
                      [READ_ADDRESS] = {"array_addr_o", "A", -1, 0},
                      [HOLD] = {"obs_hold_o", "X", -1, 0},
                      [WORD_VALID] = {"obs_word_valid_o", "X", -1, 0},
                      [WORD_ADDRESS] = {"obs_addr_o", "X", -1, 0},
                      [SENSED] = {"obs_sensed_o", "X", 2, 1},
                      [WORD] = {"obs_word_o", "X", 4, 1},
                      [FIRE] = {"obs_fire_o", "X", -1, 0},
                      [FIRE_WORD] = {"obs_fire_word_o", "X", -1, 0},
                      [MEMBRANE] = {"obs_membrane_o", "X", 3, 2},
                      [SPIKES] = {"obs_spikes_o", "X", 4, 1},
                      [SPIKE_VALID] = {"spk_valid_o", "encoder", -1, 0},
                      [SPIKE_END] = {"spk_end_o", "encoder", -1, 0},
                      [SPIKE_LINE] = {"spk_line_o", "encoder", -1, 0},
                      [IDLE] = {"idle_o", "tile", -1, 0}};
    for (int l = TRUE_PORTS + 1; l < LIES; l++) {
        const snn_rtl_face face = face_of(SNN_DEC_CAM);
        snn_error err = {0};
        snn_cosim *c = begin(&face, &(snn_cosim_options){.seed = 3});
        lie_now = (lie)l;
        assert_false(snn_cosim_exercise(c, 60, &err));
        const snn_cosim_diff *d = snn_cosim_diff_of(c);
        assert_true(d->found);
        assert_int_equal(d->items, 1);
        assert_int_equal(err.code, SNN_ERR_RUNTIME);
        assert_non_null(strstr(err.text, expect[l].signal));
        assert_string_equal(d->item[0].signal, expect[l].signal);
        assert_string_equal(d->item[0].stage, expect[l].stage);
        assert_int_equal(d->item[0].vector, expect[l].lane >= 0);
        assert_int_equal(d->item[0].lane, expect[l].lane >= 0 ? expect[l].lane : 0);
        assert_int_equal(d->item[0].lanes, expect[l].lanes);
        assert_int_equal(d->time, 10 * d->cycle);
        assert_int_equal(snn_cosim_stats_of(c).cycles, d->cycle + 1);
        if (l == SENSED)
            assert_int_equal(d->item[0].expected ^ d->item[0].got, 3);
        if (l == WORD)
            assert_int_equal(d->item[0].expected ^ d->item[0].got, 32);
        if (l == MEMBRANE)
            assert_int_equal(d->item[0].expected ^ d->item[0].got, 0x80000000);
        snn_cosim_free(c);
    }
}

/* What has no meaning is nobody's difference: words that the decryptor holds back, addresses without reads, ... */
static void test_hidden(void **state) {
    (void)state;
    static const lie hidden[] = {READ_ADDRESS, WORD_ADDRESS, SENSED,    WORD,      FIRE_WORD,
                                 MEMBRANE,     SPIKES,       SPIKE_END, SPIKE_LINE};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        const snn_rtl_face face = face_of(SNN_DEC_AES);
        snn_error err = {0};
        snn_cosim *c = begin(&face, &(snn_cosim_options){.seed = 4});
        lie_now = hidden[i];
        lie_where_hidden = true;
        if (!snn_cosim_exercise(c, 20, &err))
            fail_msg("%s", err.text);
        snn_cosim_free(c);
    }
}

static void test_print(void **state) {
    (void)state;
    char *text = NULL;
    size_t size;
    snn_cosim_diff d = {
        .found = true, .cycle = 77, .time = 790, .items = 2, .in = {.aer_valid = true, .aer_line = 12}};
    d.item[0] = (snn_cosim_item){.signal = "obs_word_o",
                                 .stage = "X",
                                 .vector = true,
                                 .lane = 3,
                                 .lanes = 2,
                                 .expected = 0x5,
                                 .got = 0x85,
                                 .bits = 8};
    d.item[1] = (snn_cosim_item){.signal = "idle_o", .stage = "tile", .expected = 1, .bits = 1};
    d.model.word_valid = true;
    d.model.addr = 9;
    d.model.hold = true;
    FILE *f = open_memstream(&text, &size);
    snn_cosim_diff_print(&d, f);
    fclose(f);
    assert_string_equal(
        text, "cycle 77: 2 signals of the circuit differ from the C model\n"
              "  X        obs_word_o        lane 3      expected 0x05  got 0x85  (2 lanes differ)\n"
              "  tile     idle_o                        expected 0x1  got 0x0\n"
              "  inputs   aer_valid 1 end 0 line 12 count 0, spk_ready 0, clear 0, tamper 0, prov_valid 0\n"
              "  model    A: no read; X: row 9; hold\n");
    free(text);
}

static void provision(snn_cosim *c, const snn_row_bit *bit, size_t n) {
    snn_error err = {0};
    snn_provision p;
    assert_true(snn_provision_make(&p, &shape_now.decryptor, bit, n, 5, &err));
    assert_true(snn_cosim_provision(c, p.write, p.writes, &err));
    snn_provision_free(&p);
}

/* Rows 3, 10 and 20 have keyed bits. */
static const snn_row_bit some_bits[] = {{3, 1, 0}, {10, 0, 1}, {10, 4, 0}, {20, 2, 0}};
static const uint32_t some_rows[] = {3, 10, 20};

static snn_cosim_stats reads(snn_decryptor_kind kind, const snn_cosim_options *o, uint64_t n) {
    const snn_rtl_face face = face_of(kind);
    snn_error err = {0};
    snn_cosim *c = begin(&face, o);
    if (kind == SNN_DEC_CAM || kind == SNN_DEC_TABLE)
        provision(c, some_bits, 4);
    else
        provision(c, NULL, 0);
    if (!snn_cosim_reads(c, n, some_rows, 3, &err))
        fail_msg("%s", err.text);
    const snn_cosim_stats s = snn_cosim_stats_of(c);
    snn_cosim_free(c);
    return s;
}

static void test_reads(void **state) {
    (void)state;
    const snn_cosim_options o = {.seed = 8};
    const snn_cosim_stats pass = reads(SNN_DEC_PASS, &o, 4000), cam = reads(SNN_DEC_CAM, &o, 4000),
                          table = reads(SNN_DEC_TABLE, &o, 4000), prince = reads(SNN_DEC_PRINCE, &o, 4000),
                          aes = reads(SNN_DEC_AES, &o, 4000);
    assert_int_equal(pass.reads, 4000);
    assert_int_equal(pass.keyed, 0);
    assert_true(cam.keyed * 2 >= cam.reads && cam.keyed < cam.reads && cam.keyed == table.keyed);
    assert_true(pass.repeats > 1000 && pass.repeats < 2500);
    assert_string_equal(pass.stamps, cam.stamps);
    assert_string_equal(pass.stamps, table.stamps);
    assert_string_equal(pass.stamps, prince.stamps);
    assert_string_not_equal(pass.stamps, aes.stamps);
    assert_true(aes.cycles > pass.cycles + 11 * 4000);
    /* Clear; then one read a cycle, the first in stage A one cycle after it was offered; S, X, and the idle cycle after it. */
    assert_int_equal(pass.cycles, 1 + 4000 + 4);
    assert_string_not_equal(reads(SNN_DEC_PASS, &(snn_cosim_options){.seed = 9}, 4000).stamps, pass.stamps);
    /* Under back-pressure they take longer, but alike. */
    const snn_cosim_options pressed = {.seed = 8, .pressure = true};
    const snn_cosim_stats slow = reads(SNN_DEC_PASS, &pressed, 4000);
    assert_true(slow.cycles > 5000);
    assert_string_equal(slow.stamps, reads(SNN_DEC_CAM, &pressed, 4000).stamps);
}

static void test_plain(void **state) {
    (void)state;
    uint8_t plain[sizeof array];
    draw_array();
    memcpy(plain, array, sizeof plain);
    for (size_t i = 0; i < 4; i++)
        plain[some_bits[i].row * LANES + some_bits[i].lane] ^= (uint8_t)(1 << (BITS - 1 - some_bits[i].bit));
    snn_cosim_options o = {.seed = 8, .plain = plain};
    assert_int_equal(reads(SNN_DEC_CAM, &o, 500).wrong, 0);
    plain[20 * LANES] ^= 1;
    const snn_cosim_stats s = reads(SNN_DEC_CAM, &o, 500);
    assert_true(s.wrong > 50 && s.wrong < s.keyed);
}

static void test_trace(void **state) {
    (void)state;
    snn_error err = {0};
    const snn_rtl_face face = face_of(SNN_DEC_PASS);
    snn_cosim *c = begin(&face, &(snn_cosim_options){.seed = 1, .trace = "x.vcd", .trace_from = 12});
    traced = -1;
    assert_true(snn_cosim_reads(c, 20, NULL, 0, &err));
    assert_int_equal(traced, 12);
    snn_cosim_free(c);
    c = begin(&face, &(snn_cosim_options){.trace = "refused"});
    assert_false(snn_cosim_reads(c, 20, NULL, 0, &err));
    assert_string_equal(err.text, "refused: cannot be written");
    snn_cosim_free(c);
}

/* A layer gives the same spikes and membranes at any pace. */
static void test_layer(void **state) {
    (void)state;
    snn_error err = {0};
    int32_t threshold[WORDS * LANES], bias[WORDS * LANES], membrane[3][3 * WORDS * LANES];
    uint8_t count[3 * 12];
    for (int i = 0; i < WORDS * LANES; i++) {
        threshold[i] = 640;
        bias[i] = 10 * i;
    }
    for (size_t i = 0; i < sizeof count; i++)
        count[i] = (uint8_t)(i * 7 % 5 / 2);
    const snn_tile_layer l = {.base = 2,
                              .stride = 12,
                              .words = 2,
                              .decay = 1229,
                              .spiking = true,
                              .threshold = threshold,
                              .bias = bias};
    snn_spikes x = {0}, out[3] = {{0}};
    assert_true(snn_spikes_from_counts(&x, 12, 3, count, &err));
    const snn_rtl_face face = face_of(SNN_DEC_PASS);
    snn_tile_counts counts[3] = {{0}};
    snn_cosim *c = begin(&face, &(snn_cosim_options){.seed = 2});
    for (int i = 0; i < 2; i++) {
        snn_cosim_pressure(c, i == 1);
        snn_cosim_mark(c);
        if (!snn_cosim_layer(c, &l, WORDS * LANES, &x, &out[i], membrane[i], &counts[i], &err))
            fail_msg("%s", err.text);
    }
    snn_tile *t = snn_tile_new(&shape_now, array, ROWS, &err);
    assert_true(snn_tile_run(t, &l, WORDS * LANES, &x, NULL, &out[2], membrane[2], &counts[2], &err));
    snn_tile_free(t);
    assert_true(snn_spikes_total(&out[2]) > 0);
    assert_int_equal(counts[0].cycles, counts[2].cycles);
    assert_true(counts[1].cycles > counts[2].cycles);
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(membrane[i], membrane[2], sizeof membrane[2]);
        assert_int_equal(snn_spikes_total(&out[i]), snn_spikes_total(&out[2]));
        assert_memory_equal(out[i].spike, out[2].spike, out[2].first[3] * sizeof *out[2].spike);
    }
    snn_cosim_free(c);
    snn_spikes_free(&x);
    for (int i = 0; i < 3; i++)
        snn_spikes_free(&out[i]);
}

static void test_refusals(void **state) {
    (void)state;
    snn_error err = {0};
    snn_rtl_face face = face_of(SNN_DEC_PASS);
    assert_null(snn_cosim_new(&face, &shape_now, array, ROWS, &(snn_cosim_options){.mutant = 4}, &err));
    assert_string_equal(err.text, "co-simulation: the circuit has 3 changes, not 4");
    for (size_t i = 0; i < 9; i++) {
        uint32_t *parameter = &face.parameters.address + i;
        ++*parameter;
        assert_null(snn_cosim_new(&face, &shape_now, array, ROWS, &(snn_cosim_options){0}, &err));
        assert_int_equal(err.code, SNN_ERR_USAGE);
        --*parameter;
    }
    snn_cosim *c = begin(&face, &(snn_cosim_options){.mutant = 3});
    assert_false(snn_cosim_reads(c, 16000001, NULL, 0, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    snn_cosim_free(c);
}

static void test_objects(void **state) {
    (void)state;
    snn_error err = {0};
    assert_null(snn_rtl_open("/nowhere/tile.so", NULL, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_null(snn_rtl_open("Makefile", NULL, &err));
    assert_non_null(strstr(err.text, "Makefile: is no shared object of a circuit"));
    assert_null(snn_rtl_open("/lib/x86_64-linux-gnu/libz.so.1", NULL, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    const snn_rtl_options nowhere = {.folder = "tests"};
    face_of(SNN_DEC_PASS);
    assert_null(snn_rtl_build(&shape_now, &nowhere, &err));
    assert_string_equal(err.text, "tests: holds no cosim.sh, expected snnsim's folder verilog");
    assert_int_equal(err.code, SNN_ERR_USAGE);
    char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    const snn_rtl_options here = {.folder = "verilog"};
    assert_false(snn_rtl_available(&here, &err));
    assert_string_equal(err.text, "a co-simulation needs bash (Debian: apt-get install bash)");
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    setenv("PATH", path, 1);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agreement), cmocka_unit_test(test_each_port),
                                       cmocka_unit_test(test_hidden),    cmocka_unit_test(test_print),
                                       cmocka_unit_test(test_reads),     cmocka_unit_test(test_plain),
                                       cmocka_unit_test(test_trace),     cmocka_unit_test(test_layer),
                                       cmocka_unit_test(test_refusals),  cmocka_unit_test(test_objects)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
