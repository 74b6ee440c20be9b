/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy files of any bytes: what is accepted must be readable to its last item. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <snnsim/output.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC); /* a file that needs no disk */
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    snn_error e = {0};
    snn_npy h;
    if (snn_npy_open(path, &h, &e)) {
        uint64_t bytes = h.count * snn_npy_item_size(h.type);
        if (h.offset + bytes != size)
            abort();
        uint8_t *out = malloc((size_t)bytes + 1);
        if (!out || !snn_npy_read(path, &h, 0, h.count, out, &e))
            abort();
        if (h.count && !snn_npy_read(path, &h, h.count - 1, 1, out, &e))
            abort();
        if (snn_npy_read(path, &h, h.count, 1, out, &e))
            abort();
        free(out);
    } else if (e.code != SNN_ERR_DATA || e.text[0] == '\0') {
        abort();
    }
    close(fd);
    return 0;
}
