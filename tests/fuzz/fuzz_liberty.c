/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Liberty files of any bytes: what is accepted has cells whose tables, conditions and wires can be asked for anything. */
#include "../../hw/liberty.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CELLS 16 /* of a file that are looked at */

static void expect_error(const snn_error *e) {
    if ((e->code != SNN_ERR_DATA && e->code != SNN_ERR_USAGE) || !e->text[0])
        abort();
}

/* Returns a sum of everything, so that all is read. */
static double look_at_cell(const snn_lib_cell *c) {
    double sum = c->average;
    for (size_t s = 0; s < (size_t)1 << c->pins; s++)
        sum += c->leakage[s];
    for (unsigned p = 0; p < c->pins; p++) {
        if (c->pin[p].inverse >= (int)c->pins)
            abort();
        for (size_t k = 0; k < c->pin[p].powers; k++) {
            const snn_lib_power *w = &c->pin[p].power[k];
            if (w->related >> c->pins)
                abort();
            sum += snn_lib_table_at(&w->rise, 1e-14, 1e-10) + snn_lib_table_at(&w->fall, -1, 1);
            sum += w->when ? (double)w->when[snn_lib_words(c->pins) - 1] : 0;
        }
        for (size_t k = 0; k < c->pin[p].arcs; k++)
            sum += snn_lib_table_at(&c->pin[p].arc[k].rise, 0, 0) +
                   snn_lib_table_at(&c->pin[p].arc[k].fall, 1, -1);
    }
    return sum;
}

static void look_at_library(snn_library *l) {
    volatile double sum = 0;
    const snn_lib_node *n = l->tree[0].root->child;
    for (int cells = 0; n && cells < CELLS; n = n->next) {
        char name[200];
        snn_error e = {0};
        if (!n->args || n->arg[0].size >= sizeof name)
            continue;
        memcpy(name, n->arg[0].at, n->arg[0].size);
        name[n->arg[0].size] = '\0';
        if (snn_lib_is(n->name, "cell")) {
            const snn_lib_cell *c = snn_library_cell(l, name, &e);
            if (c)
                sum = sum + look_at_cell(c);
            else
                expect_error(&e);
            cells++;
        } else if (snn_lib_is(n->name, "wire_load")) {
            snn_lib_wires w;
            if (snn_library_wires(l, name, &w, &e)) {
                sum = sum + snn_lib_wires_load(&w, 3) + snn_lib_wires_load(&w, 1e6);
            } else {
                expect_error(&e);
            }
            snn_lib_wires_free(&w);
            cells++;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    const char *paths = path;
    snn_error e = {0};
    int fd = memfd_create("fuzz", MFD_CLOEXEC); /* a file that needs no disk */
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    snn_library *l = snn_library_load(&paths, 1, &e);
    if (l)
        look_at_library(l);
    else
        expect_error(&e);
    snn_library_free(l);
    close(fd);
    return 0;
}
