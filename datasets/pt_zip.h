/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ZIP archives whose members are stored as they are: what torch.save writes (pt_zip.c). Not a public header.
 * Format: PKWARE APPNOTE 6.3, sections 4.3 and 4.4.
 */
#ifndef SNNSIM_DATASETS_PT_ZIP_H
#define SNNSIM_DATASETS_PT_ZIP_H

#include "internal.h"

#define SNN_ZIP_NAME 256

typedef struct {
    char name[SNN_ZIP_NAME];
    uint64_t first; /* byte of the file where its content begins */
    uint64_t size;
    uint32_t crc;
} snn_zip_member;

typedef struct {
    snn_zip_member *member; /* [n] in the order of the central directory */
    size_t n, capacity;
} snn_zip;

/* Reads the central directory and each member's local header. DATA errors name the byte. z->member is freed by the caller, also after an error. */
bool snn_zip_open(snn_zip *z, const snn_source *s, snn_error *err);
/* NULL when there is none. */
const snn_zip_member *snn_zip_find(const snn_zip *z, const char *name);
/* Reads a whole member and compares its checksum; *data is freed by the caller. At most `limit` bytes. */
bool snn_zip_read(const snn_source *s, const snn_zip_member *member, size_t limit, uint8_t **data,
                  snn_error *err);
/* Compares the checksum only, in pieces. */
bool snn_zip_check(const snn_source *s, const snn_zip_member *member, snn_error *err);

#endif
