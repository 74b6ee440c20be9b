/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ZIP archives of stored members, read from the end: end record -> central directory -> local headers (PKWARE APPNOTE 6.3).
 *
 * Sizes come from the central directory, since torch.save writes zeros into local headers and the numbers behind the data. Compressed or encrypted
 * members, archives in several parts and sizes beyond 4 GiB are refused.
 */
#include "pt_zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define END_SIZE 22
#define END_SIGNATURE 0x06054b50u
#define COMMENT_MAX 65535
#define ZIP64_END_SIGNATURE 0x06064b50u
#define CENTRAL_SIZE 46
#define CENTRAL_SIGNATURE 0x02014b50u
#define LOCAL_SIZE 30
#define LOCAL_SIGNATURE 0x04034b50u
#define FLAG_ENCRYPTED 1u
#define SATURATED 0xffffffffu /* the number stands in a ZIP64 field */
/* A TensorDataset has four members. */
#define MEMBERS_MAX 4096
#define PIECE 65536

static uint32_t u16(const uint8_t *b) {
    return (uint32_t)b[0] | (uint32_t)b[1] << 8;
}
static uint32_t u32(const uint8_t *b) {
    return u16(b) | u16(b + 2) << 16;
}

typedef struct {
    uint64_t at;        /* byte of the end record */
    uint64_t directory; /* byte of the central directory */
    uint64_t size;      /* of the central directory */
    uint32_t members;
} end_record;

/* The last place whose comment reaches exactly to the end of the file. */
static bool find_end(const snn_source *s, uint8_t *tail, uint64_t first, size_t n, size_t *at,
                     snn_error *err) {
    if (!snn_source_read(s, first, n, tail, err))
        return false;
    for (size_t i = n - END_SIZE + 1; i-- > 0;)
        if (u32(tail + i) == END_SIGNATURE && u16(tail + i + 20) == n - i - END_SIZE) {
            *at = i;
            return true;
        }
    return snn_fail(err, SNN_ERR_DATA,
                    "the archive is cut off: no end record of a ZIP archive in its last %zu bytes", n);
}

/* Nothing but ZIP64 records may stand between the central directory and the end record. */
static bool check_gap(const snn_source *s, const end_record *e, snn_error *err) {
    uint8_t b[4];
    uint64_t end = e->directory + e->size;
    if (end == e->at)
        return true;
    if (end > e->at || e->at - end < sizeof b || !snn_source_read(s, end, sizeof b, b, err) ||
        u32(b) != ZIP64_END_SIGNATURE)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu64 ": the central directory, %" PRIu64 " bytes from byte %" PRIu64
                        ", does not reach to the end record",
                        e->at, e->size, e->directory);
    return true;
}

static bool parse_end(const snn_source *s, const uint8_t *b, uint64_t at, end_record *e, snn_error *err) {
    *e = (end_record){.at = at, .members = u16(b + 10), .size = u32(b + 12), .directory = u32(b + 16)};
    if (u16(b + 4) != 0 || u16(b + 6) != 0 || u16(b + 8) != e->members)
        return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": the archive is one part of several", at);
    if (e->size == SATURATED || e->directory == SATURATED || e->members > MEMBERS_MAX)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu64 ": an archive beyond 4 GiB or %d members is not read", at,
                        MEMBERS_MAX);
    return check_gap(s, e, err);
}

static bool read_end(const snn_source *s, end_record *e, snn_error *err) {
    if (s->size < END_SIZE)
        return snn_fail(err, SNN_ERR_DATA, "%" PRIu64 " bytes are too few for a ZIP archive", s->size);
    size_t n = s->size < END_SIZE + COMMENT_MAX ? (size_t)s->size : END_SIZE + COMMENT_MAX, at = 0;
    uint64_t first = s->size - n;
    uint8_t *tail = snn_alloc(n, 1, "end of a ZIP archive", err);
    bool ok =
        tail != NULL && find_end(s, tail, first, n, &at, err) && parse_end(s, tail + at, first + at, e, err);
    free(tail);
    return ok;
}

/* Finds where a member's content begins; `local` is the byte of its local header, which must agree with the central directory. */
static bool read_local(const snn_source *s, uint64_t local, uint64_t limit, snn_zip_member *m,
                       snn_error *err) {
    uint8_t b[LOCAL_SIZE], name[SNN_ZIP_NAME];
    size_t n = strlen(m->name);
    if (local > limit || limit - local < LOCAL_SIZE + n)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu64 ": the local header of %s lies outside the archive", local, m->name);
    if (!snn_source_read(s, local, LOCAL_SIZE, b, err))
        return false;
    if (u32(b) != LOCAL_SIGNATURE || u16(b + 8) != 0 || u16(b + 26) != n)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu64 ": no local header of the stored member %s stands here", local,
                        m->name);
    if (!snn_source_read(s, local + LOCAL_SIZE, n, name, err))
        return false;
    if (memcmp(name, m->name, n) != 0)
        return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": the local header of %s has another name", local,
                        m->name);
    m->first = local + LOCAL_SIZE + n + u16(b + 28);
    if (m->first > limit || m->size > limit - m->first)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu64 ": %s has %" PRIu64
                        " bytes, more than there are before the central directory",
                        m->first, m->name, m->size);
    return true;
}

/* One entry of the central directory at b; *used: its bytes. `at` is its byte in the file. */
static bool read_entry(const snn_source *s, const uint8_t *b, size_t left, uint64_t at, uint64_t limit,
                       snn_zip_member *m, size_t *used, snn_error *err) {
    if (left < CENTRAL_SIZE || u32(b) != CENTRAL_SIGNATURE)
        return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": no entry of a central directory stands here",
                        at);
    size_t n = u16(b + 28), whole = CENTRAL_SIZE + n + u16(b + 30) + u16(b + 32);
    if (whole > left)
        return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": the entry reaches beyond the central directory",
                        at);
    if (n == 0 || n >= SNN_ZIP_NAME || memchr(b + CENTRAL_SIZE, 0, n) != NULL)
        return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": a member's name of %zu bytes, expected 1 .. %d",
                        at, n, SNN_ZIP_NAME - 1);
    memcpy(m->name, b + CENTRAL_SIZE, n);
    m->name[n] = '\0';
    m->crc = u32(b + 16);
    m->size = u32(b + 24);
    if (u16(b + 8) & FLAG_ENCRYPTED || u16(b + 10) != 0)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu64 ": %s is compressed or encrypted; torch.save stores its members", at,
                        m->name);
    if (m->size == SATURATED || u32(b + 20) != m->size)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu64 ": %s is stored, but its sizes are %" PRIu32 " and %" PRIu64 " bytes",
                        at, m->name, u32(b + 20), m->size);
    *used = whole;
    return read_local(s, u32(b + 42), limit, m, err);
}

static bool read_directory(snn_zip *z, const snn_source *s, const end_record *e, const uint8_t *b,
                           snn_error *err) {
    size_t size = (size_t)e->size, at = 0;
    for (uint32_t i = 0; i < e->members; i++) {
        snn_zip_member m;
        size_t used = 0;
        if (!read_entry(s, b + at, size - at, e->directory + at, e->directory, &m, &used, err) ||
            (snn_zip_find(z, m.name) != NULL &&
             !snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": a second member %s", e->directory + at,
                       m.name)) ||
            !snn_push((void **)&z->member, &z->capacity, &z->n, &m, sizeof m, err))
            return false;
        at += used;
    }
    return at == size ||
           snn_fail(err, SNN_ERR_DATA,
                    "byte %" PRIu64 ": the central directory has %zu bytes behind its %" PRIu32 " members",
                    e->directory + at, size - at, e->members);
}

bool snn_zip_open(snn_zip *z, const snn_source *s, snn_error *err) {
    end_record e = {.at = 0};
    *z = (snn_zip){.member = NULL};
    if (!read_end(s, &e, err))
        return false;
    uint8_t *b = snn_alloc((size_t)e.size, 1, "central directory", err);
    bool ok = b != NULL && snn_source_read(s, e.directory, (size_t)e.size, b, err) &&
              read_directory(z, s, &e, b, err);
    free(b);
    return ok;
}

const snn_zip_member *snn_zip_find(const snn_zip *z, const char *name) {
    for (size_t i = 0; i < z->n; i++)
        if (strcmp(z->member[i].name, name) == 0)
            return &z->member[i];
    return NULL;
}

static bool compare(const snn_zip_member *m, uLong crc, snn_error *err) {
    return crc == m->crc ||
           snn_fail(err, SNN_ERR_DATA,
                    "byte %" PRIu64 ": %s has checksum %08lx, the archive says %08" PRIx32 ": it is damaged",
                    m->first, m->name, crc, m->crc);
}

bool snn_zip_read(const snn_source *s, const snn_zip_member *member, size_t limit, uint8_t **data,
                  snn_error *err) {
    *data = NULL;
    if (member->size > limit)
        return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": %s has %" PRIu64 " bytes, expected at most %zu",
                        member->first, member->name, member->size, limit);
    *data = snn_alloc((size_t)member->size, 1, "member of a ZIP archive", err);
    return *data != NULL && snn_source_read(s, member->first, (size_t)member->size, *data, err) &&
           compare(member, crc32(0, *data, (uInt)member->size), err);
}

bool snn_zip_check(const snn_source *s, const snn_zip_member *member, snn_error *err) {
    uint8_t *piece = snn_alloc(PIECE, 1, "piece of a ZIP archive", err);
    uLong crc = crc32(0, NULL, 0);
    bool ok = piece != NULL;
    for (uint64_t done = 0; ok && done < member->size;) {
        size_t n = member->size - done < PIECE ? (size_t)(member->size - done) : PIECE;
        ok = snn_source_read(s, member->first + done, n, piece, err);
        if (ok)
            crc = crc32(crc, piece, (uInt)n);
        done += n;
    }
    free(piece);
    return ok && compare(member, crc, err);
}
