/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The block at the start of our HDF5 files: a line that says what the file is, the digest of what follows, zeros. */
#include <snnsim/hdf5_file.h>

#include <snnsim/digest.h>

#include <stdio.h>
#include <string.h>

void snn_hdf5_block_fill(uint8_t *image, size_t size, const char *line) {
    snn_digest d;
    uint8_t out[SNN_DIGEST_BYTES];
    char hex[SNN_DIGEST_HEX];
    snn_digest_init(&d);
    snn_digest_bytes(&d, image + SNN_HDF5_BLOCK, size - SNN_HDF5_BLOCK);
    snn_digest_final(&d, out);
    snn_digest_hex(out, hex);
    memset(image, 0, SNN_HDF5_BLOCK);
    snprintf((char *)image, SNN_HDF5_BLOCK, "%s%s\n", line, hex);
}

/* Digest of the rest of the file; false when it cannot be read. */
static bool digest_rest(FILE *f, char hex[SNN_DIGEST_HEX]) {
    uint8_t buf[65536], out[SNN_DIGEST_BYTES];
    snn_digest d;
    size_t n;
    snn_digest_init(&d);
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        snn_digest_bytes(&d, buf, n);
    snn_digest_final(&d, out);
    snn_digest_hex(out, hex);
    return !ferror(f);
}

bool snn_hdf5_block_check(const char *path, const char *line, bool *found, snn_error *err) {
    size_t length = strlen(line);
    char block[SNN_HDF5_BLOCK], hex[SNN_DIGEST_HEX];
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return snn_fail_errno(err, "%s: cannot be opened", path);
    size_t n = fread(block, 1, sizeof block, f);
    *found = !ferror(f) && n >= length && memcmp(block, line, length) == 0;
    if (!*found) {
        bool ok = ferror(f) ? snn_fail_errno(err, "%s: cannot be read", path) : true;
        fclose(f);
        return ok;
    }
    bool ok = digest_rest(f, hex);
    fclose(f);
    if (!ok)
        return snn_fail_errno(err, "%s: cannot be read", path);
    if (n < sizeof block || memcmp(block + length, hex, SNN_DIGEST_HEX - 1) != 0)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: the file was damaged, cut short or changed: its bytes do not match their digest",
                        path);
    return true;
}
