/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Encryption and back: decrypt(encrypt(W)) == W over random models of every width and encoding; what a key refuses, and why. */
#include "key_test.h"

/* n random bits of w, each once. */
static snn_flips random_flips(const snn_weights *w, size_t n, snn_random *r) {
    uint32_t bits = 0, first[2];
    for (int t = 0; t < w->tensors; t++) {
        first[t] = bits;
        bits += (uint32_t)(w->tensor[t].count * (uint64_t)w->tensor[t].bits);
    }
    uint32_t *order = malloc(bits * sizeof *order);
    snn_flips flips = {n, calloc(n, sizeof(snn_flip))};
    assert_true(order && flips.flip && n <= bits);
    snn_random_permutation(r, order, bits);
    for (size_t i = 0; i < n; i++) {
        uint32_t t = w->tensors > 1 && order[i] >= first[1], at = order[i] - first[t];
        flips.flip[i] = (snn_flip){t, at % (uint32_t)w->tensor[t].bits, at / (uint32_t)w->tensor[t].bits};
    }
    free(order);
    return flips;
}

static uint64_t ones(const snn_tensor *a, const snn_tensor *b) {
    uint64_t n = 0;
    for (uint64_t i = 0; i < a->count; i++)
        n += (uint64_t)__builtin_popcount(a->type == SNN_CODE_8 ? a->code8[i] ^ b->code8[i]
                                                                : a->code16[i] ^ b->code16[i]);
    return n;
}

static void round_trip(const snn_weights *w, size_t n, snn_random *r) {
    snn_error err = {0};
    char before[65], after[65], between[65];
    snn_key *k;
    snn_flips flips = random_flips(w, n, r);
    snn_weights_digest(w, before);
    snn_weights *e = snn_encrypt(w, &flips, 9, &k, &err);
    assert_non_null(e);
    snn_weights_digest(e, between);
    assert_string_equal(k->plain, before);
    assert_string_equal(k->encrypted, between);
    assert_string_not_equal(before, between);
    assert_int_equal(k->flips.n, n);
    assert_int_equal(k->seed, 9);
    uint64_t differ = 0;
    for (int t = 0; t < w->tensors; t++) {
        differ += ones(&w->tensor[t], &e->tensor[t]);
        assert_int_equal(ones(&w->tensor[t], &e->tensor[t]), k->tensor[t].keyed);
    }
    assert_int_equal(differ, n);
    snn_weights *d = snn_decrypt(e, k, &err);
    assert_non_null(d);
    snn_weights_digest(d, after);
    assert_string_equal(after, before);
    for (int t = 0; t < w->tensors; t++)
        assert_memory_equal(d->tensor[t].data, w->tensor[t].data,
                            w->tensor[t].count * (w->tensor[t].type == SNN_CODE_8 ? 1 : 2));
    snn_weights_digest(w, after); /* untouched */
    assert_string_equal(after, before);
    snn_weights_free(e);
    snn_weights_free(d);
    snn_key_free(k);
    free(flips.flip);
}

static void every_width_and_encoding(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 11, SNN_PURPOSE_TEST, 0);
    for (int bits = 1; bits <= 16; bits++)
        for (int e = SNN_SIGN_MAGNITUDE; e <= SNN_OFFSET_BINARY; e++)
            for (uint64_t seed = 0; seed < 40; seed++) {
                snn_weights *w = small_weights((snn_encoding)e, bits, seed);
                size_t all = (size_t)(15 * bits + 28 * 8);
                round_trip(w, seed == 0 ? 1 : seed == 1 ? all : 1 + snn_random_below(&r, (uint32_t)all), &r);
                snn_weights_free(w);
            }
}

static void a_bit_is_counted_from_the_top(void **state) {
    (void)state;
    snn_error err = {0};
    snn_weights *w = small_weights(SNN_TWOS_COMPLEMENT, 12, 3);
    snn_flip flip[] = {{0, 0, 4}, {0, 11, 6}, {1, 1, 2}};
    snn_flips flips = {3, flip};
    snn_key *k;
    snn_weights *e = snn_encrypt(w, &flips, 0, &k, &err);
    assert_int_equal(e->tensor[0].code16[4] ^ w->tensor[0].code16[4], 0x800);
    assert_int_equal(e->tensor[0].code16[6] ^ w->tensor[0].code16[6], 0x001);
    assert_int_equal(e->tensor[1].code8[2] ^ w->tensor[1].code8[2], 0x40);
    snn_weights_free(e);
    snn_weights_free(w);
    snn_key_free(k);
}

static void what_cannot_be_encrypted(void **state) {
    (void)state;
    snn_error err = {0};
    snn_key *k = (snn_key *)&err; /* must become NULL */
    snn_weights *w = small_weights(SNN_SIGN_MAGNITUDE, 8, 1);
    snn_flip twice[] = {{0, 0, 4}, {1, 0, 4}, {0, 0, 4}}, outside[] = {{0, 8, 0}};
    assert_null(snn_encrypt(w, &(snn_flips){0, NULL}, 1, &k, &err));
    assert_string_equal(err.text, "no bits to encrypt: a key needs at least one");
    assert_null(k);
    assert_null(snn_encrypt(w, &(snn_flips){3, twice}, 1, &k, &err));
    assert_string_equal(err.text, "bit 1 of the key is given twice");
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_null(snn_encrypt(w, &(snn_flips){1, outside}, 1, &k, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_null(k);
    snn_weights_free(w);
    w = small_weights(SNN_SIGN_MAGNITUDE, 32, 1);
    assert_null(snn_encrypt(w, &(snn_flips){1, twice}, 1, &k, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_non_null(strstr(err.text, "floats"));
    snn_weights_free(w);
}

/* Decrypting w fails with this sentence. */
static void refuses(const snn_key *k, const snn_weights *w, const char *text) {
    snn_error err = {0};
    assert_null(snn_decrypt(w, k, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_string_equal(err.text, text);
}

static void a_key_refuses_other_weights(void **state) {
    (void)state;
    snn_error err = {0};
    snn_weights *w = small_weights(SNN_SIGN_MAGNITUDE, 8, 1), *more;
    snn_flip flip[] = {{0, 0, 4}, {1, 3, 9}};
    snn_key *k;
    snn_weights *e = snn_encrypt(w, &(snn_flips){2, flip}, 1, &k, &err);
    assert_true(snn_key_fits(k, e, &err));
    refuses(k, w, "these weights are not encrypted: they are the plain ones of this key");
    static const char changed[] =
        "the key does not belong to these weights: it is another model's, or the model was "
        "changed after encryption";
    e->tensor[1].code8[27] ^= 1;
    refuses(k, e, changed);
    e->tensor[1].code8[27] ^= 1;
    *e->tensor[1].scale *= 2;
    refuses(k, e, changed);
    *e->tensor[1].scale /= 2;
    assert_true(snn_key_fits(k, e, &err));
    e->tensor[1].encoding = SNN_OFFSET_BINARY;
    refuses(k, e, "the key belongs to another model: layer 'fc' has other encoding");
    e->tensor[1].encoding = SNN_SIGN_MAGNITUDE;
    e->tensor[0].bits = 7;
    refuses(k, e, "the key belongs to another model: layer 'conv' has other bits");
    e->tensor[0].bits = 8;
    e->tensor[0].count = 14;
    refuses(k, e, "the key belongs to another model: layer 'conv' has other dimensions");
    e->tensor[0].count = 15;
    strcpy(e->tensor[1].name, "fc1");
    refuses(k, e, "the key belongs to another model: its layer of weights 2 is 'fc', here 'fc1'");
    strcpy(e->tensor[1].name, "fc");
    e->tensors = 1;
    refuses(k, e, "the key belongs to another model: it has 2 layers of weights, this one 1");
    e->tensors = 2;
    more = small_weights(SNN_SIGN_MAGNITUDE, 32, 1);
    refuses(k, more, "the key belongs to another model: layer 'conv' has other bits");
    snn_weights_free(more);
    snn_weights_free(w);
    snn_weights_free(e);
    snn_key_free(k);
}

/* A key in clear can be changed with a new digest: the bits no longer give the plain weights. */
static void a_changed_key_is_noticed(void **state) {
    (void)state;
    snn_error err = {0};
    snn_weights *w = small_weights(SNN_SIGN_MAGNITUDE, 8, 1);
    snn_flip flip[] = {{0, 0, 4}, {1, 3, 9}};
    snn_key *k;
    snn_weights *e = snn_encrypt(w, &(snn_flips){2, flip}, 1, &k, &err);
    k->flips.flip[1].index = 10;
    refuses(k, e, "the key's bits do not give the plain weights: the key was changed");
    k->flips.flip[1].index = 9;
    snn_weights *d = snn_decrypt(e, k, &err);
    assert_non_null(d);
    snn_weights_free(d);
    snn_weights_free(w);
    snn_weights_free(e);
    snn_key_free(k);
}

/* Thresholds, biases and steps are not encrypted, but a key knows them. */
static void a_key_refuses_another_network(void **state) {
    (void)state;
    static const char json[] =
        "{\"format\":1,\"input\":[1,1,15],\"steps\":%d,\"step_us\":0,\"layers\":[{\"name\":"
        "\"conv\",\"type\":\"linear\",\"outputs\":1,\"bias\":[%g],\"neuron\":{\"type\":"
        "\"lif\",\"decay\":0.5,\"threshold\":%g,\"reset\":\"subtract\",\"at_threshold\":"
        "false,\"gain\":1.0}}]}";
    const struct {
        int steps;
        double bias, threshold;
    } nets[] = {{5, 0.25, 1.5}, {5, 0.25, 1.5}, {6, 0.25, 1.5}, {5, 0.5, 1.5}, {5, 0.25, 1.75}};
    snn_error err = {0};
    snn_weights *w = small_weights(SNN_SIGN_MAGNITUDE, 8, 1);
    snn_flip flip[] = {{0, 0, 4}, {1, 3, 9}};
    snn_key *k;
    snn_weights *e = snn_encrypt(w, &(snn_flips){2, flip}, 1, &k, &err);
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        char text[512];
        snprintf(text, sizeof text, json, nets[i].steps, nets[i].bias, nets[i].threshold);
        snn_net *net = snn_net_from_json(text, "test", &err);
        if (!net)
            fail_msg("%s", err.text);
        const snn_model m = {.net = net, .weights = e};
        static const char other[] =
            "the key does not belong to this network: its layers, thresholds, leaks, biases or steps are not "
            "those that it was encrypted with";
        if (i == 0) {
            assert_null(snn_decrypt_model(&m, k, &err)); /* not bound to any yet */
            assert_string_equal(err.text, other);
            assert_true(snn_key_bind(k, net, &err));
        }
        snn_weights *d = snn_decrypt_model(&m, k, &err);
        assert_true((d != NULL) == (i < 2));
        if (!d) {
            assert_int_equal(err.code, SNN_ERR_DATA);
            assert_string_equal(err.text, other);
        }
        snn_weights_free(d);
        snn_net_free(net);
    }
    snn_weights_free(w);
    snn_weights_free(e);
    snn_key_free(k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_and_encoding), cmocka_unit_test(a_bit_is_counted_from_the_top),
        cmocka_unit_test(what_cannot_be_encrypted), cmocka_unit_test(a_key_refuses_other_weights),
        cmocka_unit_test(a_changed_key_is_noticed), cmocka_unit_test(a_key_refuses_another_network),
    };
    return cmocka_run_group_tests_name("encrypt", tests, NULL, NULL);
}
