/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Value change dumps of any bytes: slots that come back are those that were given out, time never goes back. */
#include "../../hw/vcd.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SLOTS 4096

typedef struct {
    uint32_t slots, declared;
    uint64_t now;
    bool begun;
} listener;

static uint32_t declare(void *context, const char *bit) {
    listener *l = context;
    if (!bit[0] || strlen(bit) > 8192 || l->begun)
        abort();
    /* every third bit is of no interest */
    return l->declared++ % 3 == 2 || l->slots == SLOTS ? SNN_VCD_NO_SLOT : l->slots++;
}

static bool begin(void *context, double tick, snn_error *err) {
    listener *l = context;
    (void)err;
    if (l->begun || !(tick >= 1e-15) || !(tick <= 100))
        abort();
    l->begun = true;
    return true;
}

static bool advance(void *context, uint64_t time, snn_error *err) {
    listener *l = context;
    (void)err;
    if (!l->begun || time < l->now)
        abort();
    l->now = time;
    return true;
}

static void change(void *context, uint32_t slot, snn_vcd_value value) {
    listener *l = context;
    if (!l->begun || slot >= l->slots || value > SNN_VCD_X)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    listener l = {0};
    snn_error e = {0};
    int fd = memfd_create("fuzz", MFD_CLOEXEC); /* a file that needs no disk */
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    snn_vcd_listener to = {&l, "tb.dut", declare, begin, advance, change};
    if (!snn_vcd_read(path, &to, &e) && (e.code != SNN_ERR_DATA || !e.text[0]))
        abort();
    close(fd);
    return 0;
}
