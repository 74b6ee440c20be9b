/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Read errors, one by one, into corrections of sums: through the code words, where there are any, then weight by weight. */
#include "read_step.h"

#include <string.h>

/* The weight that errors are gathered for. */
typedef struct {
    const snn_read_step *step;
    bool open;
    uint64_t read;
    uint32_t spike, output;
    uint16_t tap;
    uint8_t mask; /* of its code */
} weight_errors;

static bool flush_weight(weight_errors *g, snn_error *err) {
    const snn_read_step *s = g->step;
    const snn_read_tensor *t = s->tensor;
    if (!g->open)
        return true;
    g->open = false;
    const uint32_t index = s->input[g->spike].index, channel = snn_read_channel(t, index);
    uint32_t pixel = 0;
    if (t->convolution && !snn_read_pixel(t, index - channel * t->by_area.divisor, g->tap, &pixel))
        return true;
    const uint8_t code = t->code[((size_t)channel * t->taps + g->tap) * t->outputs + g->output];
    const int32_t change = t->value[code ^ g->mask] - t->value[code];
    if (change == 0)
        return true;
    if (!snn_grow((void **)&s->errors->item, &s->errors->capacity, s->errors->n + 1, sizeof *s->errors->item,
                  err))
        return false;
    s->errors->item[s->errors->n++] = (snn_sum_error){g->output, pixel, change};
    return true;
}

static bool add_to_weight(weight_errors *g, const snn_read_error *e, uint32_t output, uint8_t mask,
                          snn_error *err) {
    if (!g->open || e->read != g->read || output != g->output) {
        if (!flush_weight(g, err))
            return false;
        g->open = true;
        g->read = e->read;
        g->spike = e->spike;
        g->tap = e->tap;
        g->output = output;
        g->mask = 0;
    }
    g->mask ^= mask;
    return true;
}

/* ---- code words ---- */

typedef struct {
    bool open;
    snn_read_error first; /* for the read */
    uint32_t word, n;
    uint16_t bit[SNN_READ_WORD];
} word_errors;

/* Constant errors of code word `word` of a row. */
static size_t wrong_of_word(const snn_read_tensor *t, uint32_t row, uint32_t word, size_t *n) {
    const uint64_t first = (uint64_t)row << 32 | word * t->word_width, end = first + t->word_width;
    size_t low = 0, high = t->wrong.n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const snn_read_wrong *x = &t->wrong.wrong[middle];
        if (((uint64_t)x->row << 32 | x->position) < first)
            low = middle + 1;
        else
            high = middle;
    }
    for (*n = 0; low + *n < t->wrong.n; ++*n) {
        const snn_read_wrong *x = &t->wrong.wrong[low + *n];
        if (((uint64_t)x->row << 32 | x->position) >= end)
            break;
    }
    return low;
}

void snn_read_decode(const snn_secded *code, uint32_t used, uint8_t *wrong) {
    uint32_t syndrome = 0, position;
    for (uint32_t i = 0; i < used; i++)
        syndrome ^= wrong[i] ? code->column[i] : 0;
    for (uint32_t i = 0; i < code->check_bits; i++)
        syndrome ^= (uint32_t)wrong[code->data_bits + i] << i;
    if (snn_secded_judge(code, syndrome, used, &position) == SNN_SECDED_CORRECTED)
        wrong[position] ^= 1;
}

static bool flush_word(word_errors *w, weight_errors *g, snn_error *err) {
    const snn_read_step *s = g->step;
    const snn_read_tensor *t = s->tensor;
    if (!w->open)
        return true;
    w->open = false;
    const uint32_t used = snn_read_word_bits(t, w->word);
    if (!used)
        return true;
    const uint32_t row = snn_read_channel(t, s->input[w->first.spike].index) * t->taps + w->first.tap;
    size_t n;
    const size_t first = wrong_of_word(t, row, w->word, &n);
    if (n == 0 && w->n == 1)
        return true; /* nearly always: one error, which is corrected */
    uint8_t always[SNN_READ_WORD] = {0}, now[SNN_READ_WORD];
    for (size_t i = first; i < first + n; i++)
        always[t->wrong.wrong[i].position - w->word * t->word_width] = 1;
    memcpy(now, always, sizeof now);
    for (uint32_t i = 0; i < w->n; i++)
        now[w->bit[i]] ^= 1;
    snn_read_decode(s->plan->secded, used, always);
    snn_read_decode(s->plan->secded, used, now);
    const uint32_t tile = w->word / t->tile_words, column = w->word % t->tile_words * t->code_bits;
    for (uint32_t i = 0; i < used; i++) {
        const uint32_t lane = (column + i) / t->cells, cell = (column + i) % t->cells;
        if (now[i] != always[i] && !add_to_weight(g, &w->first, tile * t->map->lanes + lane,
                                                  (uint8_t)(1u << t->cell_shift[cell]), err))
            return false;
    }
    return true;
}

static bool add_to_word(word_errors *w, weight_errors *g, const snn_read_error *e, snn_error *err) {
    const snn_read_tensor *t = g->step->tensor;
    const uint32_t word = (uint32_t)snn_divide(t->by_word, e->position);
    if (!w->open || e->read != w->first.read || word != w->word) {
        if (!flush_word(w, g, err))
            return false;
        w->open = true;
        w->first = *e;
        w->word = word;
        w->n = 0;
    }
    w->bit[w->n++] = (uint16_t)(e->position - word * t->word_width);
    return true;
}

/* ---- walks ---- */

static bool before(const snn_read_error *a, const snn_read_error *b) {
    return a->read != b->read ? a->read < b->read : a->position < b->position;
}

bool snn_read_collect(const snn_read_step *s, snn_read_walk *const *walk, int walks, snn_error *err) {
    const snn_read_tensor *t = s->tensor;
    weight_errors g = {.step = s};
    word_errors w = {.open = false};
    snn_read_error head[2];
    bool has[2] = {false, false};
    for (int i = 0; i < walks; i++)
        has[i] = walk[i]->next(walk[i], &head[i]);
    while (has[0] || has[1]) {
        const int i = !has[0] || (has[1] && before(&head[1], &head[0]));
        const snn_read_error *e = &head[i];
        if (t->words) {
            if (!add_to_word(&w, &g, e, err))
                return false;
        } else {
            const uint32_t output = (uint32_t)snn_divide(t->by_cells, e->position),
                           cell = e->position - output * t->cells;
            if (!add_to_weight(&g, e, output, (uint8_t)(e->mask << t->cell_shift[cell]), err))
                return false;
        }
        has[i] = walk[i]->next(walk[i], &head[i]);
    }
    return (!t->words || flush_word(&w, &g, err)) && flush_weight(&g, err);
}
