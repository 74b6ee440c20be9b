/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Braille letters as the official release has them (Mueller-Cleve et al., Frontiers in Neuroscience 2022, doi:10.3389/fnins.2022.951164; Zenodo 7050094): a
 * pickled list of { letter, events }, events being [12 taxels][ON, OFF] lists of seconds. The tree of the pickle becomes one array of times and one of
 * input lines, sorted by time within each trial.
 */
#include "braille.h"
#include "pickle.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POLARITIES 2 /* ON, OFF */
/* A trial has 54 samples at 40 Hz: 1.35 s. */
#define SECONDS_MAX 60.0

const char *const snn_braille_letter[SNN_BRAILLE_LETTERS] = {"Space", "A", "B", "C", "D", "E", "F", "G", "H",
                                                             "I",     "J", "K", "L", "M", "N", "O", "P", "Q",
                                                             "R",     "S", "T", "U", "V", "W", "X", "Y", "Z"};

/* One event while its trial is sorted. */
typedef struct {
    double time;
    uint8_t line;
} timed;

typedef struct {
    struct snn_braille *out;
    const snn_pickle *tree;
    size_t trial;
    timed *event; /* [n] of this trial */
    size_t n, capacity;
} parser;

static bool unexpected(const parser *p, uint32_t node, const char *expected, snn_error *err) {
    char text[SNN_NODE_TEXT];
    return snn_fail(err, SNN_ERR_DATA, "trial %zu: %s, expected %s", p->trial,
                    snn_pickle_text(p->tree, node, text), expected);
}

static bool is_list(const parser *p, uint32_t node, unsigned size) {
    return node != 0 && p->tree->node[node].kind == SNN_NODE_LIST && p->tree->node[node].size == size;
}

static bool take_times(parser *p, uint32_t list, unsigned line, snn_error *err) {
    const snn_pickle *t = p->tree;
    if (t->node[list].kind != SNN_NODE_LIST)
        return unexpected(p, list, "a list of times", err);
    if (!snn_grow((void **)&p->event, &p->capacity, p->n + t->node[list].size, sizeof *p->event, err))
        return false;
    for (uint32_t k = t->node[list].value.child.first; k != 0; k = t->node[k].next) {
        double v = t->node[k].value.number;
        if (t->node[k].kind != SNN_NODE_FLOAT || !(v >= 0 && v <= SECONDS_MAX))
            return unexpected(p, k, "a time of 0 .. 60 s", err);
        p->event[p->n++] = (timed){.time = v, .line = (uint8_t)line};
    }
    return true;
}

static int by_time(const void *a, const void *b) {
    const timed *p = a, *q = b;
    return p->time != q->time ? (p->time > q->time) - (p->time < q->time) : (int)p->line - (int)q->line;
}

/* Moves the sorted events of a trial into the arrays. */
static bool store(parser *p, int32_t label, snn_error *err) {
    struct snn_braille *b = p->out;
    size_t n = b->events + p->n;
    if (p->n > 1)
        qsort(p->event, p->n, sizeof *p->event, by_time);
    if (!snn_grow((void **)&b->time, &b->time_capacity, n, sizeof *b->time, err) ||
        !snn_grow((void **)&b->line, &b->line_capacity, n, sizeof *b->line, err) ||
        !snn_grow((void **)&b->first, &b->first_capacity, b->trials + 2, sizeof *b->first, err) ||
        !snn_grow((void **)&b->label, &b->label_capacity, b->trials + 1, sizeof *b->label, err))
        return false;
    for (size_t i = 0; i < p->n; i++) {
        b->time[b->events + i] = p->event[i].time;
        b->line[b->events + i] = p->event[i].line;
    }
    b->label[b->trials] = label;
    b->first[b->trials++] = b->events;
    b->first[b->trials] = b->events = n;
    return true;
}

static bool take_letter(const parser *p, uint32_t node, int32_t *label, snn_error *err) {
    for (int c = 0; c < SNN_BRAILLE_LETTERS; c++)
        if (snn_pickle_is(p->tree, node, SNN_NODE_STRING, snn_braille_letter[c])) {
            *label = c;
            return true;
        }
    return unexpected(p, node, "a letter A .. Z or Space", err);
}

static bool take_trial(parser *p, uint32_t node, snn_error *err) {
    const snn_pickle *t = p->tree;
    uint32_t letter = snn_pickle_value(t, node, "letter"), events = snn_pickle_value(t, node, "events");
    int32_t label = 0;
    if (snn_pickle_value(t, node, "taxel_data") != 0)
        return snn_fail(err, SNN_ERR_DATA,
                        "trial %zu: taxel_data: this is the file of raw pressures; the events are in "
                        "data_braille_letters_th_1.pkl, 2, 5 or 10",
                        p->trial);
    if (letter == 0 || events == 0 || t->node[node].size != 4)
        return unexpected(p, node, "a dictionary of letter and events", err);
    if (!take_letter(p, letter, &label, err))
        return false;
    if (!is_list(p, events, SNN_BRAILLE_TAXELS))
        return unexpected(p, events, "a list of 12 taxels", err);
    p->n = 0;
    unsigned line = 0;
    for (uint32_t taxel = t->node[events].value.child.first; taxel != 0; taxel = t->node[taxel].next) {
        if (!is_list(p, taxel, POLARITIES))
            return unexpected(p, taxel, "a list of ON and OFF events", err);
        for (uint32_t list = t->node[taxel].value.child.first; list != 0; list = t->node[list].next)
            if (!take_times(p, list, line++, err))
                return snn_error_context(err, "taxel %u, %s", (line - 1) / 2, line % 2 ? "ON" : "OFF");
    }
    return store(p, label, err);
}

static bool take_all(parser *p, snn_error *err) {
    const snn_pickle *t = p->tree;
    if (t->node[t->root].kind != SNN_NODE_LIST) {
        char text[SNN_NODE_TEXT];
        return snn_fail(err, SNN_ERR_DATA, "the pickle holds %s, expected a list of trials",
                        snn_pickle_text(t, t->root, text));
    }
    for (uint32_t k = t->node[t->root].value.child.first; k != 0; k = t->node[k].next, p->trial++)
        if (!take_trial(p, k, err))
            return false;
    return true;
}

bool snn_braille_parse(struct snn_braille *b, const uint8_t *bytes, size_t size, snn_error *err) {
    *b = (struct snn_braille){.trials = 0};
    snn_pickle tree;
    bool ok = snn_pickle_parse(&tree, SNN_PICKLE_LETTERS, bytes, size, err);
    if (ok) {
        parser p = {.out = b, .tree = &tree};
        ok = take_all(&p, err);
        free(p.event);
    }
    snn_pickle_free(&tree);
    return ok;
}

void snn_braille_free(struct snn_braille *b) {
    if (b == NULL)
        return;
    free(b->first);
    free(b->time);
    free(b->line);
    free(b->label);
    free(b);
}

/*
 * A quarter of the times in the published files lie in the middle between two multiples of 5 ms, and the networks were trained on what NumPy's round makes
 * of t * 1000 / 5 in float64, where the noise of the last bit decides. In whole us these are exact ties; so they are moved off the middle.
 */
int64_t snn_braille_us(double seconds, const snn_framing *f) {
    int64_t us = (int64_t)rint(seconds * 1e6), w = f->bin_us;
    if (f->mode != SNN_FRAME_WIDTH || f->rounding != SNN_ROUND_NEAREST || !f->from_zero || w % 2 != 0 ||
        us % w != w / 2)
        return us;
    double bin = rint(seconds * 1000 / ((double)w / 1000));
    return (int64_t)bin > us / w ? us + 1 : us - 1;
}

bool snn_braille_events(const struct snn_braille *b, size_t i, const snn_framing *f, snn_events *out,
                        snn_error *err) {
    size_t n = b->first[i + 1] - b->first[i];
    if (!snn_grow((void **)&out->event, &out->capacity, out->n + n, sizeof *out->event, err))
        return false;
    for (size_t k = b->first[i]; k < b->first[i + 1]; k++)
        out->event[out->n++] = (snn_event){.t = snn_braille_us(b->time[k], f), .x = b->line[k]};
    return true;
}
