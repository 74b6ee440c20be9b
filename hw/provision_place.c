/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Provisioning: places for keyed bits. Slots of a CAM by dealing them out, places of a hashed table by matching. */
#include "provision.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void wipe(uint32_t *p, size_t n) {
    if (p)
        sodium_memzero(p, n * sizeof *p);
    free(p);
}

void snn_placement_free(snn_placement *p, size_t n) {
    wipe(p->place, n);
    free(p->matrix);
    *p = (snn_placement){0};
}

/* ---- slots ---- */

/*
 * Sorted by row and dealt out in turn: bit i takes entry i, which stands in slot i mod ways. At most `ways` neighbours are of one row, so they get different slots, and as long as there are
 * entries none of a slot runs out.
 */
bool snn_place_slots(snn_placement *p, const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n,
                     snn_error *err) {
    (void)s;
    (void)bit;
    p->place = snn_alloc(n, sizeof *p->place, "places of keyed bits", err);
    for (size_t i = 0; p->place && i < n; i++)
        p->place[i] = (uint32_t)i;
    return p->place != NULL;
}

/* ---- matching: each bit to one of its `ways` places, by augmenting paths ---- */

typedef struct {
    uint32_t ways, sets;
    size_t n;
    uint32_t *choice; /* [n][ways] places that a bit may take */
    uint32_t *owner;  /* [ways * sets] bit that has a place; NOBODY */
    uint32_t *seen;   /* [ways * sets] last search that looked at a place */
    uint32_t *stack;  /* [n] bits of the path, from the one that has no place */
    uint32_t *next;   /* [n] way that the bit at this depth tries next */
} matching;

static const uint32_t NOBODY = UINT32_MAX;

static uint32_t set_of(const uint32_t *matrix, uint32_t index_bits, uint32_t row) {
    uint32_t set = row & ((UINT32_C(1) << index_bits) - 1);
    for (uint32_t i = 0; i < index_bits; i++)
        set ^= (uint32_t)__builtin_parity(matrix[i] & row >> index_bits) << i;
    return set;
}

/* Everybody on the path moves to the place that was found for him. */
static void shift(matching *m, uint32_t depth) {
    for (uint32_t i = depth + 1; i-- > 0;)
        m->owner[m->choice[(size_t)m->stack[i] * m->ways + m->next[i] - 1]] = m->stack[i];
}

/* Depth first without recursion: a path alternates between a bit's other places and the bits that have them. */
static bool augment(matching *m, uint32_t first, uint32_t search) {
    uint32_t depth = 0;
    m->stack[0] = first;
    m->next[0] = 0;
    for (;;) {
        if (m->next[depth] == m->ways) {
            if (depth == 0)
                return false;
            depth--;
            continue;
        }
        const uint32_t place = m->choice[(size_t)m->stack[depth] * m->ways + m->next[depth]++];
        if (m->seen[place] == search)
            continue;
        m->seen[place] = search;
        if (m->owner[place] == NOBODY) {
            shift(m, depth);
            return true;
        }
        m->stack[depth + 1] = m->owner[place];
        m->next[++depth] = 0;
    }
}

static bool match(matching *m, const snn_decryptor_shape *s, const snn_row_bit *bit, const uint32_t *matrix) {
    const uint32_t index_bits = snn_decryptor_index_bits(s);
    for (size_t i = 0; i < m->n; i++)
        for (uint32_t way = 0; way < m->ways; way++)
            m->choice[i * m->ways + way] =
                way * m->sets + set_of(matrix + (size_t)way * index_bits, index_bits, bit[i].row);
    for (uint32_t k = 0; k < m->ways * m->sets; k++) {
        m->owner[k] = NOBODY;
        m->seen[k] = 0;
    }
    for (size_t i = 0; i < m->n; i++)
        if (!augment(m, (uint32_t)i, (uint32_t)i + 1))
            return false;
    return true;
}

static bool matching_init(matching *m, const snn_decryptor_shape *s, size_t n, snn_error *err) {
    const char *what = "places of keyed bits";
    *m = (matching){.ways = s->ways, .sets = s->keys / s->ways, .n = n};
    /* a path may end at a bit that is new to it: one more than bits with places */
    return (m->choice = snn_alloc(n, s->ways * sizeof *m->choice, what, err)) &&
           (m->owner = snn_alloc(s->keys, sizeof *m->owner, what, err)) &&
           (m->seen = snn_alloc(s->keys, sizeof *m->seen, what, err)) &&
           (m->stack = snn_alloc(n + 1, sizeof *m->stack, what, err)) &&
           (m->next = snn_alloc(n + 1, sizeof *m->next, what, err));
}

static void matching_free(matching *m) {
    wipe(m->choice, m->n * m->ways);
    wipe(m->owner, (size_t)m->ways * m->sets);
    free(m->seen);
    free(m->stack);
    free(m->next);
}

/* ---- hash matrices ---- */

static void draw(uint32_t *matrix, uint32_t rows, uint32_t tag_bits, uint64_t seed, uint32_t number) {
    snn_random random;
    snn_random_init(&random, seed, SNN_PURPOSE_KEY_STORE, SNN_STREAM_HASH + number);
    for (uint32_t i = 0; i < rows; i++)
        matrix[i] = snn_random_u32(&random) & ((UINT32_C(1) << tag_bits) - 1);
}

static bool find(snn_placement *p, matching *m, const snn_decryptor_shape *s, const snn_row_bit *bit,
                 uint64_t seed) {
    const uint32_t index_bits = snn_decryptor_index_bits(s);
    for (p->draws = 1; p->draws <= SNN_PROVISION_DRAWS; p->draws++) {
        draw(p->matrix, s->ways * index_bits, s->address - index_bits, seed, p->draws - 1);
        if (!match(m, s, bit, p->matrix))
            continue;
        for (uint32_t k = 0; k < s->keys; k++)
            if (m->owner[k] != NOBODY)
                p->place[m->owner[k]] = k;
        return true;
    }
    return false;
}

bool snn_place_table(snn_placement *p, const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n,
                     uint64_t seed, snn_error *err) {
    matching m;
    const uint32_t rows = s->ways * snn_decryptor_index_bits(s);
    bool ok = matching_init(&m, s, n, err) &&
              (p->place = snn_alloc(n, sizeof *p->place, "places of keyed bits", err)) &&
              (p->matrix = snn_alloc(rows, sizeof *p->matrix, "hash matrices", err));
    if (ok && !find(p, &m, s, bit, seed))
        ok = snn_fail(
            err, SNN_ERR_CRITERION,
            "no place for %zu keyed bits in a key table of %u ways x %u entries: %d hash functions were "
            "tried; give it more entries",
            n, s->ways, m.sets, SNN_PROVISION_DRAWS);
    matching_free(&m);
    return ok;
}
