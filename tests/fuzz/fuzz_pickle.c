/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pickles of any bytes, as Braille letters and as torch's data.pkl: what is accepted must be a tree inside the file, and trials must be sorted. */
#include <stdlib.h>
#include <string.h>

#include "../../datasets/braille.h"
#include "../../datasets/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
    if (!ok)
        abort();
}

/* Nodes reached from the root: each once, so never more than there are. */
static void walk(const snn_pickle *p) {
    uint32_t *todo = malloc(p->n * sizeof *todo);
    size_t left = 1, seen = 0;
    char text[SNN_NODE_TEXT];
    check(todo != NULL);
    todo[0] = p->root;
    while (left > 0) {
        uint32_t i = todo[--left], children = 0;
        check(i > 0 && i < p->n && ++seen < p->n);
        const snn_node *node = &p->node[i];
        check(strlen(snn_pickle_text(p, i, text)) < sizeof text);
        if (node->kind < SNN_NODE_LIST)
            continue;
        for (uint32_t k = node->value.child.first; k != 0; k = p->node[k].next, children++) {
            check(left < p->n);
            todo[left++] = k;
        }
        check(children == node->size);
    }
    free(todo);
}

static void as_letters(const uint8_t *data, size_t size) {
    struct snn_braille *b = calloc(1, sizeof *b);
    snn_error e = {0};
    snn_events out = {.event = NULL};
    const snn_framing f = {
        .mode = SNN_FRAME_WIDTH, .bin_us = 5000, .from_zero = true, .rounding = SNN_ROUND_NEAREST};
    check(b != NULL);
    bool ok = snn_braille_parse(b, data, size, &e);
    check(ok || (e.code == SNN_ERR_DATA && e.text[0] != '\0'));
    for (size_t i = 0; ok && i < b->trials; i++) {
        out.n = 0;
        check(snn_braille_events(b, i, &f, &out, &e));
        check(out.n <= size / 9 && b->label[i] >= 0 && b->label[i] < SNN_BRAILLE_LETTERS);
        for (size_t k = 0; k < out.n; k++)
            check(out.event[k].x < 24 && out.event[k].t >= 0 && out.event[k].t % 5000 != 2500 &&
                  (k == 0 || out.event[k].t >= out.event[k - 1].t));
    }
    snn_events_free(&out);
    snn_braille_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (int set = 0; set < 2; set++) {
        snn_pickle p;
        snn_error e = {0};
        if (snn_pickle_parse(&p, set ? SNN_PICKLE_TORCH : SNN_PICKLE_LETTERS, data, size, &e))
            walk(&p);
        else
            check(e.code == SNN_ERR_DATA && e.text[0] != '\0');
        snn_pickle_free(&p);
    }
    as_letters(data, size);
    return 0;
}
