/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digital read-out as a whole: an ideal chip is the plain engine, spike for spike; keys; constant errors and their correction; both scans give the same lists; the hook's
 * answers depend on chip, tensor, sample and step alone; errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "read_test.h"

#define SMALL                                                                                                \
    (snn_shape) {                                                                                            \
        2, 5, 6                                                                                              \
    }

/* ---- ideal ---- */

static void random_input(snn_spikes *x, uint32_t size, int steps, uint64_t seed) {
    snn_error err = {0};
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 1);
    need(snn_spikes_reset(x, size, steps, &err), &err);
    for (int t = 0; t < steps; t++)
        for (uint32_t i = 0; i < size; i++)
            if (snn_random_below(&r, 3) == 0) {
                const snn_spike s = {i, 1 + snn_random_below(&r, 3)};
                need(snn_spikes_append(x, t, &s, 1, &err), &err);
            }
}

static void digest_run(const snn_net *net, const snn_weights *w, const snn_hook *hook, snn_simd simd,
                       char hex[65]) {
    snn_error err = {0};
    const snn_engine_options o = {.simd = simd, .hook = hook};
    snn_engine *e = snn_engine_new(net, w, &o, &err);
    need(e != NULL, &err);
    snn_workspace *space = snn_workspace_new(e, &err);
    need(space != NULL, &err);
    snn_result r;
    need(snn_result_init(&r, net, 6, &err), &err);
    snn_digest d;
    snn_digest_init(&d);
    for (uint64_t i = 0; i < 4; i++) {
        snn_spikes x = {0};
        random_input(&x, snn_shape_size(net->input), 6, i);
        need(snn_engine_run(e, &x, i, space, NULL, &r, &err), &err);
        snn_evaluate_digest(&d, i, &r);
        for (int t = 0; t < r.layers; t++)
            snn_digest_u64(&d, r.activity[t].spikes);
        snn_spikes_free(&x);
    }
    uint8_t out[SNN_DIGEST_BYTES];
    snn_digest_final(&d, out);
    snn_digest_hex(out, hex);
    snn_result_free(&r);
    snn_workspace_free(space);
    snn_engine_free(e);
}

static void ideal_is_exact(void **state) {
    (void)state;
    const char *arrays[] = {"array = \"256x1024\"", "array = \"7x16\"", "array = \"1x8\"",
                            "array = \"64x65\""};
    for (int encoding = 0; encoding < 3; encoding++)
        for (int bits = 1; bits <= 8; bits++)
            for (int cell_bits = 1; cell_bits <= 4; cell_bits++)
                for (int a = 0; a < 4; a++) {
                    char hw[200], ideal[65], chip[65];
                    snprintf(hw, sizeof hw, "device = \"ideal\"; %s; cell_bits = %d; gray = %s", arrays[a],
                             cell_bits, (bits + a) % 2 ? "true" : "false");
                    read_rig r = rig_open(CONVS, SMALL, bits, (snn_encoding)encoding, hw, "");
                    rig_program(&r, 4);
                    snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
                    assert_null(snn_readout_hook(x));
                    assert_true(same_weights(snn_readout_weights(x), r.weights));
                    const snn_readout_stats *s = snn_readout_about(x);
                    assert_int_equal(
                        s->wrong_bits + s->wrong_cells + s->corrected + s->uncorrectable + s->weak_cells, 0);
                    assert_true(s->read_error_rate == 0);
                    assert_int_equal(s->bits, (uint64_t)bits * (3 * 2 * 9 + 5 * 3 * 4 + 4 * 10));
                    if (a == 0) {
                        digest_run(r.net, r.weights, NULL, snn_simd_best(), ideal);
                        digest_run(r.net, snn_readout_weights(x), snn_readout_hook(x), snn_simd_best(), chip);
                        assert_string_equal(ideal, chip);
                    }
                    snn_readout_free(x);
                    rig_close(&r);
                }
}

/* What a key flips after reading: the weights of snn_weights_apply, for any cells. */
static void keys(void **state) {
    (void)state;
    snn_flip flip[3] = {{0, 0, 5}, {1, 3, 17}, {2, 7, 0}};
    const snn_flips key = {3, flip};
    snn_error err = {0};
    for (int cell_bits = 1; cell_bits <= 4; cell_bits++) {
        char hw[100];
        snprintf(hw, sizeof hw, "device = \"ideal\"; cell_bits = %d", cell_bits);
        read_rig r = rig_open(CONVS, SMALL, 8, SNN_SIGN_MAGNITUDE, hw, "");
        rig_program(&r, 0);
        snn_readout *x = rig_read(&r, &key, SNN_READ_FAST);
        snn_weights *flipped = snn_weights_apply(r.weights, &key, &err);
        assert_true(same_weights(snn_readout_weights(x), flipped));
        assert_false(same_weights(snn_readout_weights(x), r.weights));
        assert_int_equal(snn_readout_about(x)->wrong_bits, 0);
        snn_weights_free(flipped);
        snn_readout_free(x);
        rig_close(&r);
    }
    read_rig r = rig_open(CONVS, SMALL, 8, SNN_SIGN_MAGNITUDE, "device = \"ideal\"", "");
    rig_program(&r, 0);
    flip[1].index = 1000000;
    assert_null(snn_readout_new(r.chip, &r.o.condition, &key, SNN_READ_FAST, r.net, NULL, 0, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    rig_close(&r);
}

/* ---- the scans ---- */

#define BIG                                                                                                  \
    "{ name = \"fc\"; type = \"linear\"; outputs = 40; }, { name = \"out\"; type = \"linear\"; outputs = "   \
    "7; }"

static void compare_lists(const snn_read_plan *a, const snn_read_plan *b) {
    for (int i = 0; i < a->tensors; i++) {
        const snn_read_tensor *s = &a->tensor[i], *t = &b->tensor[i];
        assert_int_equal(s->wrong.n, t->wrong.n);
        for (size_t k = 0; k < s->wrong.n; k++)
            assert_true(s->wrong.wrong[k].row == t->wrong.wrong[k].row &&
                        s->wrong.wrong[k].position == t->wrong.wrong[k].position &&
                        s->wrong.wrong[k].mask == t->wrong.wrong[k].mask);
        assert_int_equal(s->weak.n, t->weak.n);
        for (size_t k = 0; k < s->weak.n; k++)
            assert_true(s->weak.entry[k].upto == t->weak.entry[k].upto &&
                        s->weak.entry[k].position == t->weak.entry[k].position &&
                        s->weak.entry[k].tap == t->weak.entry[k].tap &&
                        s->weak.entry[k].mask == t->weak.entry[k].mask);
        assert_memory_equal(s->weak.first, t->weak.first, (s->channels + 1) * sizeof *s->weak.first);
        assert_int_equal(s->slow.n, t->slow.n);
        assert_int_equal(s->slow.room, t->slow.room);
        for (size_t k = 0; k < s->slow.n; k++)
            assert_true(s->slow.cell[k].sensed == t->slow.cell[k].sensed &&
                        s->slow.cell[k].sigma == t->slow.cell[k].sigma &&
                        s->slow.cell[k].step == t->slow.cell[k].step &&
                        s->slow.cell[k].cell == t->slow.cell[k].cell &&
                        s->slow.cell[k].position == t->slow.cell[k].position &&
                        s->slow.cell[k].first == t->slow.cell[k].first);
        assert_memory_equal(s->slow.first, t->slow.first, (s->channels + 1) * sizeof *s->slow.first);
    }
    assert_memory_equal(&a->stats, &b->stats, sizeof a->stats);
    assert_true(same_weights(a->weights, b->weights));
}

typedef struct {
    uint64_t wrong, weak, slow;
} listed;

static listed scans_agree(const char *hw, const char *cell, int bits, const char *layers, snn_shape input) {
    read_rig r = rig_open(layers, input, bits, SNN_SIGN_MAGNITUDE, hw, cell);
    listed n = {0};
    for (uint64_t chip = 0; chip < 2; chip++) {
        snn_read_plan plain, fast;
        snn_error err = {0};
        rig_program(&r, chip);
        need(snn_read_plan_init(&plain, r.chip, &r.o.condition, r.net, &err), &err);
        need(snn_read_plan_init(&fast, r.chip, &r.o.condition, r.net, &err), &err);
        need(snn_read_scan_plain(&plain, &err) && snn_read_fold(&plain, NULL, &err), &err);
        need(snn_read_scan_fast(&fast, &err) && snn_read_fold(&fast, NULL, &err), &err);
        compare_lists(&plain, &fast);
        for (int i = 0; i < plain.tensors; i++) {
            n.wrong += plain.tensor[i].wrong.n;
            n.weak += plain.tensor[i].weak.n;
            n.slow += plain.tensor[i].slow.n;
        }
        snn_read_plan_free(&plain);
        snn_read_plan_free(&fast);
    }
    rig_close(&r);
    return n;
}

static void scans_of_presets(void **state) {
    (void)state;
    const char *presets[] = {"neurram", "neurram_cubic", "neurosim22", "milo", "cmo", "harsh"};
    const char *more[] = {
        "",
        "time = 86400.0",
        "array = \"30x77\"; repair = { secded = 32; }",
        "array = \"30x64\"; repair = { spare_rows = 3; spare_columns = 2; msb_placement = true; }",
        "array = \"64x40\"; repair = { secded = 16; spare_columns = 3; spare_rows = 1; }",
        "reference = 0.1",
        "verify_window = 1.5; verify_pulses = 3"};
    listed sum = {0};
    for (int p = 0; p < 6; p++)
        for (int k = 0; k < 7; k++) {
            char hw[300];
            snprintf(hw, sizeof hw, "device = \"%s\"; first_chip = %d; %s", presets[p], p, more[k]);
            const listed n = scans_agree(hw, "", k % 2 ? 8 : 6, BIG, (snn_shape){1, 7, 9});
            sum.wrong += n.wrong, sum.weak += n.weak, sum.slow += n.slow;
        }
    assert_true(sum.wrong > 1000 && sum.weak > 1000 && sum.slow > 100);
}

/* A device that has everything, at spreads from harmless to hopeless, with cells of one to four bits. */
static void scans_of_spreads(void **state) {
    (void)state;
    const double spread[] = {0.3, 1, 2, 3, 5, 15};
    for (int k = 0; k < 6; k++)
        for (int bits = 1; bits <= 4; bits++) {
            char hw[200], cell[600];
            snprintf(hw, sizeof hw,
                     "device = \"ideal\"; cell_bits = %d; gray = %s; time = 100.0; temperature = 300.0", bits,
                     k % 2 ? "true" : "false");
            snprintf(cell, sizeof cell,
                     "g_min = 1.0; g_max = 41.0; levels = 16; program = { sigma = [%g]; }; variation = { "
                     "cell = 0.02; chip = "
                     "0.03; }; retention = { form = \"log\"; sigma_per_ln = %g; mean_per_ln = -0.05; }; "
                     "noise = { white = "
                     "0.01; telegraph_share = %g; telegraph_amplitude = 0.05; one_over_f = %g; "
                     "one_over_f_log = 0.02; }; "
                     "faults = { stuck_hrs = 0.002; stuck_lrs = 0.004; cluster = 3.0; }; sense = { offset = "
                     "0.4; noise = "
                     "0.2; }",
                     spread[k], spread[k] / 20, k > 2 ? 0.1 : 0, k > 3 ? 0.05 : 0);
            const listed n = scans_agree(hw, cell, 7, BIG, (snn_shape){1, 6, 6});
            assert_true(n.wrong > 0 && (n.weak + n.slow > 0 || (spread[k] < 4 && bits == 1)));
        }
}

/* Amplifiers so bad that they alone make cells wrong. */
static void scans_of_offsets(void **state) {
    (void)state;
    const listed n =
        scans_agree("device = \"ideal\"; array = \"9x64\"",
                    "program = { sigma = [2.0]; }; sense = { offset = 6.0; }", 8, BIG, (snn_shape){1, 8, 8});
    assert_true(n.wrong > 10);
}

static void scans_of_convolutions(void **state) {
    (void)state;
    const listed n = scans_agree("device = \"harsh\"; array = \"16x24\"", "", 8, CONVS, SMALL);
    assert_true(n.wrong > 50);
    scans_agree(
        "device = \"harsh\"; array = \"16x24\"; repair = { secded = 8; spare_rows = 2; spare_columns = 2; }",
        "", 8, CONVS, SMALL);
}

/* Workspaces have room for what slow cells can do at the farthest deviates. */
static void room_of_slow_cells(void **state) {
    (void)state;
    read_rig r = rig_open(LINEAR, (snn_shape){1, 6, 6}, 8, SNN_SIGN_MAGNITUDE,
                          "device = \"ideal\"; cell_bits = 4; time = 100.0",
                          "g_min = 1.0; g_max = 41.0; levels = 16; noise = { white = 0.01; one_over_f = 0.4; "
                          "telegraph_share = 0.5; telegraph_step = 3.0; }");
    snn_read_plan p;
    snn_error err = {0};
    rig_program(&r, 0);
    need(snn_read_plan_init(&p, r.chip, &r.o.condition, r.net, &err), &err);
    need(snn_read_scan_fast(&p, &err) && snn_read_fold(&p, NULL, &err), &err);
    const snn_slow_list *l = &p.tensor[0].slow;
    assert_true(l->n > 100);
    for (size_t i = 0; i < l->n; i++) {
        const snn_slow_cell *x = &l->cell[i];
        const size_t room = (i + 1 < l->n ? l->cell[i + 1].first : l->room) - x->first;
        for (int z = -93; z <= 93; z++)
            for (int lower = 0; lower < 2; lower++) {
                snn_read_chance chance[SNN_LEVELS];
                const int n =
                    snn_read_chances(&p.class[4], x -> sensed + 0.1 * z * x -> sigma - lower * x -> step,
                                     p.white, x->level, chance);
                assert_true((size_t)n <= room);
            }
    }
    snn_read_plan_free(&p);
    rig_close(&r);
}

/* ---- constant errors ---- */

/* hw.cell_error: the share of wrong bits, the same for the same chip, another for another; every bit of the weights hit alike. */
static void cell_errors(void **state) {
    (void)state;
    for (int cell_bits = 1; cell_bits <= 3; cell_bits += 2) {
        char hw[200];
        snprintf(hw, sizeof hw, "device = \"ideal\"; cell_error = 0.05; cell_bits = %d", cell_bits);
        read_rig r = rig_open(BIG, (snn_shape){1, 20, 20}, 6, SNN_OFFSET_BINARY, hw, "");
        snn_weights *first = NULL;
        snn_error err = {0};
        double cells = 0, wrong = 0;
        for (uint64_t chip = 0; chip < 10; chip++) {
            rig_program(&r, chip);
            snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST), *again = rig_read(&r, NULL, SNN_READ_TWIN);
            assert_null(snn_readout_hook(x));
            assert_true(same_weights(snn_readout_weights(x), snn_readout_weights(again)));
            uint64_t bits = 0;
            for (int t = 0; t < r.weights->tensors; t++)
                for (uint64_t i = 0; i < r.weights->tensor[t].count; i++)
                    bits += (uint64_t)__builtin_popcount(r.weights->tensor[t].code8[i] ^
                                                         snn_readout_weights(x)->tensor[t].code8[i]);
            const snn_readout_stats *s = snn_readout_about(x);
            assert_int_equal(s->wrong_bits, bits);
            if (cell_bits == 1 || r.o.map.gray)
                assert_int_equal(s->wrong_cells, bits); /* one bit a cell: neighbours differ in one */
            cells += (double)s->bits / cell_bits, wrong += (double)s->wrong_cells;
            if (!first)
                first = snn_weights_copy(snn_readout_weights(x), &err);
            else
                assert_false(same_weights(first, snn_readout_weights(x)));
            snn_readout_free(x);
            snn_readout_free(again);
        }
        assert_true(fabs(wrong - 0.05 * cells) < 5 * sqrt(0.05 * 0.95 * cells));
        snn_weights_free(first);
        rig_close(&r);
    }
    read_rig r = rig_open(LINEAR, (snn_shape){1, 4, 4}, 4, SNN_TWOS_COMPLEMENT,
                          "device = \"ideal\"; cell_error = 1.0", "");
    rig_program(&r, 0);
    snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
    for (uint64_t i = 0; i < r.weights->tensor[0].count; i++)
        assert_int_equal(snn_readout_weights(x)->tensor[0].code8[i], r.weights->tensor[0].code8[i] ^ 15);
    snn_readout_free(x);
    rig_close(&r);
}

/* On top of a device's errors: every bit inverted that the device reads, right or wrong. */
static void cell_errors_and_device(void **state) {
    (void)state;
    snn_weights *read[2];
    for (int k = 0; k < 2; k++) {
        read_rig r = rig_open(BIG, (snn_shape){1, 6, 6}, 5, SNN_TWOS_COMPLEMENT,
                              k ? "device = \"harsh\"; cell_error = 1.0" : "device = \"harsh\"", "");
        snn_error err = {0};
        rig_program(&r, 0);
        snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
        read[k] = snn_weights_copy(snn_readout_weights(x), &err);
        assert_false(same_weights(read[k], r.weights));
        snn_readout_free(x);
        rig_close(&r);
    }
    for (uint64_t i = 0; i < read[0]->tensor[0].count; i++)
        assert_int_equal(read[0]->tensor[0].code8[i], read[1]->tensor[0].code8[i] ^ 31);
    snn_weights_free(read[0]);
    snn_weights_free(read[1]);
}

/* SEC-DED: word by word, a real decoder on the bits that cells read gives the same weights; counts. */
static void corrected(void **state) {
    (void)state;
    const int words[] = {8, 16, 64, 256};
    for (int k = 0; k < 4; k++) {
        char hw[200];
        snprintf(hw, sizeof hw,
                 "device = \"ideal\"; cell_error = 0.01; array = \"32x%d\"; repair = { secded = %d; }",
                 k == 3 ? 500 : 67, words[k]);
        read_rig r = rig_open(BIG, (snn_shape){1, 10, 10}, 6, SNN_SIGN_MAGNITUDE, hw, "");
        rig_program(&r, 1);
        snn_error err = {0};
        snn_read_plan p;
        need(snn_read_plan_init(&p, r.chip, &r.o.condition, r.net, &err), &err);
        need(snn_read_scan_fast(&p, &err) && snn_read_fold(&p, NULL, &err), &err);
        uint64_t singles = 0, more = 0, left = 0;
        for (int i = 0; i < p.tensors; i++) {
            const snn_read_tensor *t = &p.tensor[i];
            size_t next = 0;
            for (uint32_t row = 0; row < t->map->fan_in; row++)
                for (uint32_t word = 0; word < t->words; word++) {
                    uint8_t bit[SNN_SECDED_MAX] = {0};
                    const uint32_t used = snn_read_word_bits(t, word);
                    const snn_map_tile tile = snn_map_tile_at(
                        r.map, t->map->first_tile + row / r.o.map.rows * t->map->column_tiles +
                                   word / t->tile_words);
                    uint32_t check = used ? snn_secded_word_check(p.secded, r.map, r.weights, &tile,
                                                                  row % r.o.map.rows, word % t->tile_words)
                                          : 0;
                    uint8_t *code = r.weights->tensor[i].code8;
                    uint64_t at[SNN_SECDED_MAX];
                    int shift[SNN_SECDED_MAX];
                    for (uint32_t b = 0; b < used; b++) {
                        const uint32_t column = word % t->tile_words * t->code_bits + b;
                        at[b] = (uint64_t)(tile.first_output + column / 6) * t->map->fan_in + row;
                        shift[b] = 5 - (int)(column % 6);
                        bit[b] = code[at[b]] >> shift[b] & 1;
                    }
                    uint32_t errors = 0, position = UINT32_MAX;
                    for (; next < t->wrong.n && t->wrong.wrong[next].row == row &&
                           t->wrong.wrong[next].position / t->word_width == word;
                         next++, errors++) {
                        const uint32_t b = t->wrong.wrong[next].position % t->word_width;
                        if (b < t->code_bits)
                            bit[b] ^= 1;
                        else
                            check ^= 1u << (b - t->code_bits);
                    }
                    singles += errors == 1, more += errors > 1;
                    if (used &&
                        snn_secded_decode(p.secded, bit, used, check, &position) == SNN_SECDED_CORRECTED &&
                        position < used)
                        bit[position] ^= 1;
                    for (uint32_t b = 0; b < used; b++) {
                        assert_int_equal(p.weights->tensor[i].code8[at[b]] >> shift[b] & 1, bit[b]);
                        left += bit[b] != (code[at[b]] >> shift[b] & 1);
                    }
                }
            assert_int_equal(next, t->wrong.n);
        }
        assert_int_equal(p.stats.corrected, singles);
        assert_int_equal(p.stats.uncorrectable, more);
        assert_int_equal(p.stats.wrong_bits, left);
        assert_true(singles > 20 && more > 0 && left > 0);
        snn_read_plan_free(&p);
        rig_close(&r);
    }
}

/* ---- the hook ---- */

/* The same answers from a fresh workspace, after other calls, from another read-out of the same chip; others for another chip, sample, step and tensor. */
static void keyed_draws(void **state) {
    (void)state;
    const char *kinds[] = {"device = \"ideal\"; read_error = 0.02",
                           "device = \"ideal\"; read_error = 0.02; repair = { secded = 16; }",
                           "device = \"harsh\"", "device = \"ideal\"; read_error = 0.02; cell_bits = 2"};
    const char *slow = "g_min = 1.0; g_max = 41.0; levels = 4; program = { sigma = [6.0]; }; noise = { white "
                       "= 0.02; one_over_f = 0.5; "
                       "telegraph_share = 0.3; telegraph_amplitude = 0.2; }";
    for (int k = 0; k < 5; k++) {
        read_rig r = rig_open(BIG, (snn_shape){1, 8, 8}, 8, SNN_SIGN_MAGNITUDE,
                              k < 4 ? kinds[k] : "device = \"ideal\"", k < 4 ? "" : slow);
        rig_program(&r, 3);
        snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST), *y = rig_read(&r, NULL, SNN_READ_FAST);
        const snn_hook *h = snn_readout_hook(x);
        assert_non_null(h);
        snn_error err = {0};
        void *mine = snn_alloc(h->scratch_bytes, 1, "test", &err),
             *other = snn_alloc(h->scratch_bytes, 1, "test", &err);
        snn_spike input[64];
        for (uint32_t i = 0; i < 64; i++)
            input[i] = (snn_spike){i, 1 + i % 5};
        int32_t a[40], b[40], c[40];
        hook_sums(h, mine, 0, 7, 2, input, 64, 1, 40, a);
        hook_sums(h, mine, 0, 8, 0, input, 64, 1, 40, b);
        assert_memory_not_equal(a, b, sizeof a);
        hook_sums(h, mine, 0, 7, 3, input, 64, 1, 40, b);
        assert_memory_not_equal(a, b, sizeof a);
        hook_sums(h, mine, 1, 7, 2, input, 40, 1, 7, b);
        hook_sums(h, mine, 0, 7, 2, input, 64, 1, 40, b);
        assert_memory_equal(a, b, sizeof a);
        hook_sums(snn_readout_hook(y), other, 0, 7, 2, input, 64, 1, 40, c);
        assert_memory_equal(a, c, sizeof a);
        snn_readout_free(y);
        snn_chip *third = r.chip; /* a chip outlives its read-out */
        r.chip = NULL;
        rig_program(&r, 4);
        y = rig_read(&r, NULL, SNN_READ_FAST);
        if (snn_readout_hook(y)->scratch_bytes <= h->scratch_bytes) {
            hook_sums(snn_readout_hook(y), mine, 0, 7, 2, input, 64, 1, 40, c);
            assert_memory_not_equal(a, c, sizeof a);
        }
        free(mine);
        free(other);
        snn_readout_free(x);
        snn_readout_free(y);
        snn_chip_free(third);
        rig_close(&r);
    }
}

/* Whole runs: the same digest at every SIMD level and from engines of their own. */
static void same_for_all_kernels(void **state) {
    (void)state;
    const char *kinds[] = {"device = \"ideal\"; read_error = 0.01", "device = \"harsh\"",
                           "device = \"neurram\"; time = 1e6; cell_bits = 2"};
    for (int k = 0; k < 3; k++) {
        read_rig r = rig_open(CONVS, SMALL, 8, SNN_SIGN_MAGNITUDE, kinds[k], k == 2 ? "levels = 4" : "");
        rig_program(&r, 0);
        snn_readout *x = rig_read(&r, NULL, SNN_READ_FAST);
        char plain[65], other[65], none[65];
        digest_run(r.net, snn_readout_weights(x), snn_readout_hook(x), SNN_SIMD_PLAIN, plain);
        for (int level = 1; level <= (int)snn_simd_best(); level++) {
            digest_run(r.net, snn_readout_weights(x), snn_readout_hook(x), (snn_simd)level, other);
            assert_string_equal(plain, other);
        }
        digest_run(r.net, snn_readout_weights(x), NULL, SNN_SIMD_PLAIN, none);
        if (snn_readout_about(x)->read_error_rate > 1e-3)
            assert_string_not_equal(plain, none);
        snn_readout_free(x);
        rig_close(&r);
    }
}

static void refused(void **state) {
    (void)state;
    snn_error err = {0};
    uint64_t index;
    assert_true(snn_read_stream(((uint64_t)1 << 44) - 1, (1 << 20) - 1, &index, &err));
    assert_true(index == UINT64_MAX);
    assert_false(snn_read_stream((uint64_t)1 << 44, 0, &index, &err));
    assert_false(snn_read_stream(0, 1 << 20, &index, &err));
    assert_false(snn_read_stream(0, -1, &index, &err));
    assert_string_equal(err.text, "read errors are drawn for up to 2^44 samples of 2^20 steps");

    read_rig r = rig_open(LINEAR, (snn_shape){1, 4, 4}, 4, SNN_SIGN_MAGNITUDE,
                          "device = \"ideal\"; readout = \"analog\"", "");
    rig_program(&r, 0);
    snn_flip flip = {0, 0, 0};
    const snn_flips key = {1, &flip};
    assert_null(snn_readout_new(r.chip, &r.o.condition, &key, SNN_READ_FAST, r.net, NULL, 0, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_string_equal(err.text,
                        "analogue read-out sums currents and sees no bits, so it cannot flip a key's: use "
                        "hw.readout = \"digital\"");
    rig_close(&r);
    snn_readout_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ideal_is_exact),
        cmocka_unit_test(keys),
        cmocka_unit_test(scans_of_presets),
        cmocka_unit_test(scans_of_spreads),
        cmocka_unit_test(scans_of_convolutions),
        cmocka_unit_test(scans_of_offsets),
        cmocka_unit_test(cell_errors),
        cmocka_unit_test(corrected),
        cmocka_unit_test(room_of_slow_cells),
        cmocka_unit_test(cell_errors_and_device),
        cmocka_unit_test(keyed_draws),
        cmocka_unit_test(same_for_all_kernels),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests_name("readout", tests, NULL, NULL);
}
