/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fault maps of any bytes, arrays and text, for 3 arrays of 4 x 6 cells: what is accepted gives the same faults cell by cell and row by row. */
#include "../../hw/faults.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const snn_faults *f) {
    for (uint32_t tile = 0; tile < f->map->tiles; tile++) {
        snn_fault_list list = {0};
        size_t k = 0;
        if (!snn_faults_of_rows(f, tile, 0, f->map->all_rows, &list, NULL))
            abort();
        for (uint32_t row = 0; row < f->map->all_rows; row++)
            for (uint32_t column = 0; column < f->map->all_columns; column++) {
                snn_cell_fault fault = snn_faults_at(f, &(snn_cell){tile, row, column});
                if (fault == SNN_CELL_WORKS)
                    continue;
                if (k == list.n || list.cell[k].row != row || list.cell[k].column != column ||
                    list.cell[k].fault != fault || fault > SNN_CELL_STUCK_LRS)
                    abort();
                k++;
            }
        if (k != list.n)
            abort();
        free(list.cell);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const snn_map map = {.tiles = 3, .all_rows = 4, .all_columns = 6, .array_cells = 72};
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC); /* a file that needs no disk */
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    snn_error e = {0};
    snn_faults f = {.map = &map};
    if (snn_faults_read(&f, path, &e))
        compare(&f);
    else if (e.code != SNN_ERR_DATA || e.text[0] == '\0')
        abort();
    snn_faults_free(&f);
    close(fd);
    return 0;
}
