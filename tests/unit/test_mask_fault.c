/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults of the decryptor: stuck mask bits by nested loops; upsets against the only corrections that can be, and how often they come. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <snnsim/mask_fault.h>

#include "hw_test.h"

#define ROWS 64

static void stuck_bits(void **state) {
    (void)state;
    uint8_t sound[ROWS * 4], array[ROWS * 4];
    const snn_rows r = {.lanes = 4, .bits = 6, .rows = ROWS};
    const snn_row_bit keyed[] = {{3, 2, 0}, {7, 2, 0}, {7, 2, 1}, {9, 1, 0}};
    for (size_t i = 0; i < sizeof sound; i++)
        sound[i] = (uint8_t)(i % 64);
    for (int level = 0; level < 2; level++)
        for (uint32_t bit = 0; bit < 2; bit++) {
            memcpy(array, sound, sizeof array);
            snn_mask_stuck(&r, array, keyed, 4, 2, bit, level);
            for (uint32_t row = 0; row < ROWS; row++)
                for (uint32_t lane = 0; lane < 4; lane++) {
                    const bool key = bit == 0 ? row == 3 || row == 7 : row == 7;
                    const uint8_t wrong = lane == 2 && key != level ? (bit == 0 ? 32 : 16) : 0;
                    assert_int_equal(array[row * 4 + lane], sound[row * 4 + lane] ^ wrong);
                }
            snn_mask_stuck(&r, array, keyed, 4, 2, bit, level);
            assert_memory_equal(array, sound, sizeof array);
        }
    snn_mask_lost(&r, array, &keyed[2]);
    assert_int_equal(array[7 * 4 + 2], sound[7 * 4 + 2] ^ 16);
    array[7 * 4 + 2] ^= 16;
    assert_memory_equal(array, sound, sizeof array);
}

/* What one wrong bit of weight i does. */
static int32_t change(const snn_tensor *t, uint64_t i, int bit) {
    return snn_code_value(t->encoding, t->bits, t->code8[i] ^ 1u << (t->bits - 1 - bit)) - snn_weight_q(t, i);
}

/* Reads of one step through weight i and bit: how often must each correction come? expected [pixels][channels] of a tensor whose weights differ enough to tell lines apart only by dsum. */
static double reads_of(const snn_layer *l, const snn_tensor *t, const snn_spike *input, size_t n,
                       const snn_sum_error *e, int keyable) {
    double reads = 0;
    const uint32_t fan = (uint32_t)(t->count / t->shape[0]), k = l->type == SNN_LAYER_CONV2D ? l->kernel : 1;
    for (size_t s = 0; s < n; s++)
        for (uint32_t line = 0; line < fan; line++) {
            if (l->type == SNN_LAYER_LINEAR) {
                if (line != input[s].index)
                    continue;
            } else {
                const int c = (int)(line / (k * k)), ky = (int)(line / k % k), kx = (int)(line % k);
                const int y = (int)(e->pixel / l->out.width * l->stride) + ky - (int)l->padding;
                const int x = (int)(e->pixel % l->out.width * l->stride) + kx - (int)l->padding;
                if (y < 0 || x < 0 || y >= (int)l->in.height || x >= (int)l->in.width ||
                    (uint32_t)((c * (int)l->in.height + y) * (int)l->in.width + x) != input[s].index)
                    continue;
            }
            for (int bit = 0; bit < keyable; bit++)
                if (change(t, (uint64_t)e->channel * fan + line, bit) == e->dsum)
                    reads += input[s].count;
        }
    return reads;
}

static void check_upsets(const char *layers, snn_shape shape, uint32_t lanes, const snn_spike *input,
                         size_t n, double reads, uint32_t keyable) {
    snn_error err = {0};
    snn_net *net = test_net(layers, shape);
    snn_weights *w = test_codes(net, 6, SNN_TWOS_COMPLEMENT, 7);
    const snn_upsets u = {net, w, lanes, keyable, 0.01, 42};
    const snn_hook hook = snn_upsets_hook(&u);
    snn_sum_errors e = {0};
    double mean = reads * (double)w->tensor[0].shape[0] * keyable * u.rate;
    size_t all = 0;
    const size_t samples = 4000;
    for (uint64_t sample = 0; sample < samples; sample++) {
        e.n = 0;
        assert_true(hook.read(hook.context, NULL, 0, sample, 3, input, n, &e, &err));
        for (size_t i = 0; i < e.n; i++)
            assert_true(reads_of(&net->layer[0], &w->tensor[0], input, n, &e.item[i], (int)keyable) > 0);
        all += e.n;
    }
    assert_true(fabs((double)all - mean * (double)samples) < 5 * sqrt(mean * (double)samples));
    snn_sum_errors again = {0};
    assert_true(hook.read(hook.context, NULL, 0, samples - 1, 3, input, n, &again, &err));
    assert_int_equal(again.n, e.n);
    if (e.n > 0)
        assert_memory_equal(again.item, e.item, e.n * sizeof *e.item);
    e.n = 0;
    assert_true(hook.read(hook.context, NULL, 0, 1, 3, input, 0, &e, &err));
    assert_int_equal(e.n, 0);
    free(e.item);
    free(again.item);
    snn_weights_free(w);
    snn_net_free(net);
}

static void upsets(void **state) {
    (void)state;
    const snn_spike few[] = {{1, 2}, {5, 1}};
    check_upsets("{ name = \"a\"; type = \"linear\"; outputs = 10; }", (snn_shape){8, 1, 1}, 4, few, 2, 3, 1);
    check_upsets("{ name = \"a\"; type = \"linear\"; outputs = 10; }", (snn_shape){8, 1, 1}, 4, few, 2, 3, 2);
    /* 2 x 4 x 5, 3x3, stride 2, padding 1: outputs 2 x 3. Input (0, 0, 1) is tap (1, 2) of pixel 0 and (1, 0) of pixel 1; (1, 1, 1): (2, 2) of 0, (0, 2) of row 1, (2, 0), (0, 0). */
    const snn_spike conv[] = {{1, 3}, {26, 1}};
    check_upsets("{ name = \"a\"; type = \"conv2d\"; channels = 5; kernel = 3; stride = 2; padding = 1; }",
                 (snn_shape){2, 4, 5}, 4, conv, 2, 3 * 2 + 4, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stuck_bits),
        cmocka_unit_test(upsets),
    };
    return cmocka_run_group_tests_name("mask_fault", tests, NULL, NULL);
}
