/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks on the tile: traffic against the engine's own counts, linear layers against its membranes and spikes, with right and wrong keys; section hw.decryptor. */
#include "decryptor_test.h"
#include "engine_test.h"

typedef struct {
    test_work k;
    snn_map *map;
    snn_rows *rows;
    snn_tile_shape shape;
    snn_row_bit *bit;
    snn_provision provision;
    uint8_t *stored;
    snn_tile_network *network;
    snn_tile_traffic traffic[TEST_TENSORS];
} job;

enum { KEYS = 20 };

/* stored = plain weights under the masks of a key drawn by `seed`; the tile gets the key drawn by `provisioned`. */
static job begin(const test_net *n, snn_decryptor_kind kind, uint64_t seed, uint64_t provisioned) {
    snn_error err = {0};
    job j = {.k = test_make(n, 8, false, 3)};
    const snn_map_options o = {.rows = 64, .columns = 128, .cell_bits = 1};
    snn_config *c = snn_config_parse("", "test", &err);
    const bool ok = c && (j.map = snn_map_new(j.k.net, j.k.weights, &o, &err)) &&
                    (j.rows = snn_rows_new(j.map, &err)) &&
                    snn_tile_shape_from_config(c, j.rows, NULL, 0, NULL, &j.shape, &err);
    if (!ok)
        fail_msg("%s", err.text);
    snn_config_free(c);
    j.shape.decryptor.kind = kind;
    j.shape.decryptor.keys = 32;
    snn_row_bit *bit = test_bits(&j.shape.decryptor, j.rows->rows, KEYS, 4, seed);
    j.bit = test_bits(&j.shape.decryptor, j.rows->rows, KEYS, 4, provisioned);
    snn_provision p;
    assert_true(snn_provision_make(&p, &j.shape.decryptor, bit, KEYS, seed, &err));
    assert_true(snn_provision_make(&j.provision, &j.shape.decryptor, j.bit, KEYS, provisioned, &err));
    snn_decryptor *d = test_decryptor(&j.shape.decryptor);
    snn_provision_load(&p, d);
    j.stored = snn_rows_fill(j.rows, j.k.weights, &err);
    snn_provision_cipher(d, j.stored, j.rows->rows);
    snn_decryptor_free(d);
    snn_provision_free(&p);
    free(bit);
    j.network = snn_tile_network_new(j.k.net, j.k.weights, j.rows, &j.shape, j.stored, &j.provision, &err);
    if (!j.network)
        fail_msg("%s", err.text);
    return j;
}

static void end(job *j) {
    snn_tile_network_free(j->network);
    free(j->stored);
    snn_provision_free(&j->provision);
    free(j->bit);
    snn_rows_free(j->rows);
    snn_map_free(j->map);
    test_drop(&j->k);
}

static bool same_weights(const snn_weights *a, const snn_weights *b) {
    for (int t = 0; t < a->tensors; t++)
        if (memcmp(a->tensor[t].code8, b->tensor[t].code8, a->tensor[t].count) != 0)
            return false;
    return true;
}

static bool count_reads(void *context, uint32_t row, snn_error *err) {
    uint64_t *count = context;
    (void)err;
    count[row]++;
    return true;
}

static void run(job *j, uint64_t sample, int *predicted, uint64_t *count) {
    snn_error err = {0};
    if (!snn_tile_network_run(j->network, &j->k.x, sample, count ? count_reads : NULL, count, j->traffic,
                              predicted, &err))
        fail_msg("%s", err.text);
}

static void traffic(void **state) {
    (void)state;
    for (int n = 0; n < TEST_NETS; n++)
        for (int kind = 0; kind < SNN_DECS; kind++) {
            job j = begin(&test_nets[n], (snn_decryptor_kind)kind, 4, 4);
            assert_true(same_weights(snn_tile_network_weights(j.network), j.k.weights));
            const snn_engine_options o = {.arithmetic = SNN_ARITHMETIC_FIXED, .count_operations = true};
            snn_error err = {0};
            snn_engine *e = test_engine(&j.k, j.k.weights, &o);
            snn_workspace *w = snn_workspace_new(e, &err);
            const test_outcome out = test_run(e, &j.k, w);
            uint64_t *count = calloc(j.rows->rows, sizeof *count), all = 0, expected = 0;
            int predicted = -1, again = -1;
            assert_non_null(count);
            run(&j, 3, &predicted, count);
            for (int t = 0; t < j.rows->tensors; t++) {
                const snn_rows_tensor *r = &j.rows->tensor[t];
                const snn_tile_traffic *x = &j.traffic[t];
                const bool linear = j.k.net->layer[r->layer].type == SNN_LAYER_LINEAR;
                uint64_t here = 0;
                for (uint32_t row = r->base; row < r->base + r->words * r->fan_in; row++)
                    here += count[row];
                assert_int_equal(x->whole, linear);
                assert_int_equal(x->differences, 0);
                assert_int_equal(x->tile.reads, out.activity[r->layer].row_words * r->words);
                assert_int_equal(x->plain.reads, x->tile.reads);
                assert_int_equal(here, x->tile.reads);
                assert_int_equal(x->tile.spikes, linear ? out.activity[r->layer].spikes : 0);
                assert_int_equal(x->plain.keyed, 0);
                assert_int_equal(x->tile.cycles > x->plain.cycles, kind == SNN_DEC_AES && x->tile.reads > 0);
                assert_true(snn_tile_network_layer(j.network, t)->base == r->base);
                assert_int_equal(snn_spikes_total(snn_tile_network_events(j.network, t)),
                                 out.activity[r->layer].row_words);
                all += here;
                expected += x->tile.reads;
            }
            assert_int_equal(all, expected);
            /* once more: twice the counts, the same prediction */
            const snn_tile_counts first = j.traffic[0].tile;
            run(&j, 3, &again, NULL);
            assert_int_equal(again, predicted);
            assert_int_equal(j.traffic[0].tile.reads, 2 * first.reads);
            assert_int_equal(j.traffic[0].tile.cycles, 2 * first.cycles);
            free(count);
            snn_workspace_free(w);
            snn_engine_free(e);
            end(&j);
        }
}

/* Another key: other weights; tile and engine still agree, as both have these. */
static void wrong_key(void **state) {
    (void)state;
    for (int kind = SNN_DEC_CAM; kind < SNN_DECS; kind++) {
        job j = begin(&test_nets[0], (snn_decryptor_kind)kind, 4, 5);
        int predicted;
        assert_false(same_weights(snn_tile_network_weights(j.network), j.k.weights));
        run(&j, 0, &predicted, NULL);
        for (int t = 0; t < 2; t++)
            assert_int_equal(j.traffic[t].differences, 0);
        end(&j);
    }
}

static bool stop(void *context, uint32_t row, snn_error *err) {
    (void)context;
    (void)row;
    return snn_fail(err, SNN_ERR_INTERRUPTED, "enough");
}

static void stops(void **state) {
    (void)state;
    job j = begin(&test_nets[0], SNN_DEC_CAM, 4, 4);
    snn_error err = {0};
    int predicted;
    assert_false(snn_tile_network_run(j.network, &j.k.x, 0, stop, NULL, j.traffic, &predicted, &err));
    assert_int_equal(err.code, SNN_ERR_INTERRUPTED);
    assert_non_null(strstr(err.text, "layer a: enough"));
    j.shape.queue = 5;
    assert_null(snn_tile_network_new(j.k.net, j.k.weights, j.rows, &j.shape, j.stored, NULL, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    end(&j);
    snn_tile_network_free(NULL);
}

/* ---- section hw.decryptor ---- */

static snn_tile_shape shape_of(const char *text, size_t n, const snn_row_bit *bit, const char *kind) {
    snn_error err = {0};
    snn_rows_tensor tensor[2] = {{.words = 3}, {.words = 5}};
    const snn_rows rows = {
        .lanes = 128, .bits = 8, .rows = 1000, .address_bits = 10, .tensors = 2, .tensor = tensor};
    snn_config *c = snn_config_parse(text, "test", &err);
    snn_tile_shape s = {0};
    if (!c || !snn_tile_shape_from_config(c, &rows, bit, n, kind, &s, &err))
        fail_msg("%s", err.text);
    snn_config_free(c);
    return s;
}

static void shapes(void **state) {
    (void)state;
    const snn_row_bit bit[3] = {{0, 0, 0}, {1, 0, 2}, {2, 0, 1}};
    snn_tile_shape s = shape_of("", 0, NULL, NULL);
    assert_true(s.decryptor.kind == SNN_DEC_TABLE && s.decryptor.ways == 4 && s.decryptor.keys == 8 &&
                s.decryptor.keyable == 1);
    assert_true(s.decryptor.address == 10 && s.decryptor.lanes == 128 && s.decryptor.bits == 8 &&
                s.words == 5 && s.queue == 16);
    s = shape_of("encrypt = { word_limit = 2; };", 3, bit, "cam");
    assert_true(s.decryptor.kind == SNN_DEC_CAM && s.decryptor.ways == 2 && s.decryptor.keys == 4 &&
                s.decryptor.keyable == 3);
    s = shape_of("encrypt = { word_limit = 2; }; hw = { decryptor = { kind = \"prince\"; ways = 3; keyable = "
                 "2; keys = 12; queue = 32; }; };",
                 3, bit, NULL);
    assert_true(s.decryptor.kind == SNN_DEC_PRINCE && s.decryptor.ways == 3 && s.decryptor.keys == 12 &&
                s.decryptor.keyable == 2 && s.queue == 32);

    snn_error err = {0};
    snn_rows_tensor tensor[2] = {{.name = "a"}, {.name = "b", .encoding = SNN_OFFSET_BINARY}};
    const snn_rows rows = {.lanes = 128, .bits = 8, .tensors = 2, .tensor = tensor};
    snn_config *c = snn_config_parse("", "test", &err);
    assert_false(snn_tile_shape_from_config(c, &rows, NULL, 0, NULL, &s, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_non_null(strstr(err.text, "'a' and 'b' have different encodings"));
    assert_false(snn_tile_shape_from_config(c, &rows, NULL, 0, "des", &s, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    snn_config_free(c);
}

/* What a search must keep to. */
static void limits(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t limit;
        int bits;
        const char *error;
    } is[] = {{"", 0, 1, NULL},
              {"hw = { decryptor = { ways = 3; }; };", 3, 1, NULL},
              {"encrypt = { word_limit = 2; }; hw = { decryptor = { ways = 3; }; };", 2, 1, NULL},
              {"encrypt = { word_limit = 3; }; hw = { decryptor = { ways = 3; }; };", 3, 1, NULL},
              {"encrypt = { word_limit = 4; }; hw = { decryptor = { ways = 3; }; };", 0, 0,
               "the decryptor takes 3 keyed bits of a row word"},
              {"encrypt = { word_limit = 4; }; hw = { decryptor = { ways = 3; kind = \"prince\"; }; };", 4, 1,
               NULL},
              {"encrypt = { bits = 2; }; hw = { decryptor = { keyable = 2; }; };", 0, 2, NULL},
              {"encrypt = { bits = 3; }; hw = { decryptor = { keyable = 2; }; };", 0, 0,
               "keys the 2 most significant bits"},
              {"encrypt = { bits = 0; }; hw = { decryptor = { keyable = 2; }; };", 0, 0,
               "is 0, but the decryptor keys"}};
    snn_net *net = test_parse("{name=\"a\"; type=\"linear\"; outputs=3;}", (snn_shape){1, 4, 4});
    for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
        snn_error err = {0};
        snn_encrypt_options o;
        snn_config *c = snn_config_parse(is[i].text, "test", &err);
        if (!c)
            fail_msg("%s", err.text);
        const bool ok = snn_encrypt_options_from_config(&o, c, net, &err);
        if (ok != (is[i].error == NULL) || (!ok && !strstr(err.text, is[i].error)))
            fail_msg("%s: %s", is[i].text, ok ? "accepted" : err.text);
        if (ok) {
            assert_int_equal(o.word_limit, is[i].limit);
            assert_int_equal(o.bits, is[i].bits);
            snn_encrypt_options_free(&o);
        } else {
            assert_int_equal(err.code, SNN_ERR_USAGE);
        }
        assert_true(snn_hw_check_none(c, &err)); /* needs no cells */
        snn_config_free(c);
    }
    snn_net_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traffic), cmocka_unit_test(wrong_key), cmocka_unit_test(stops),
        cmocka_unit_test(shapes),  cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
