/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ZIP archives of stored members: members found, each structure spoilt, truncation everywhere. */
#include "braille_test.h"

static snn_zip zip;

static bool open_zip(const void *data, size_t size, snn_error *err) {
    static uint8_t *copy;
    free(copy);
    copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    free(zip.member);
    return snn_zip_open(&zip, &(snn_source){.memory = copy, .size = size}, err);
}

static void refused(const bytes *p, const char *part) {
    snn_error err = {0};
    if (open_zip(p->b, p->n, &err))
        fail_msg("accepted, expected \"%s\"", part);
    check_error(&err, SNN_ERR_DATA, part);
}

static const zip_entry three[] = {
    {"archive/data.pkl", "pickle", 6}, {"archive/data/0", "0123456789", 10}, {"archive/empty", "", 0}};
static zip_places at;

static bytes *good(void) {
    static bytes p;
    p.n = 0;
    put_zip(&p, three, 3, &at);
    return &p;
}

/* The good archive with n bytes at `place` changed. */
static const bytes *spoilt(size_t place, const void *data, size_t n) {
    bytes *p = good();
    memcpy(p->b + place, data, n);
    return p;
}

static void members(void **state) {
    (void)state;
    snn_error err = {0};
    const bytes *p = good();
    assert_true(open_zip(p->b, p->n, &err));
    assert_int_equal(zip.n, 3);
    snn_source s = {.memory = p->b, .size = p->n};
    for (int i = 0; i < 3; i++) {
        const snn_zip_member *m = snn_zip_find(&zip, three[i].name);
        uint8_t *data = NULL;
        assert_ptr_equal(m, &zip.member[i]);
        assert_int_equal(m->first, at.data[i]);
        assert_int_equal(m->size, three[i].size);
        assert_true(snn_zip_read(&s, m, three[i].size, &data, &err));
        assert_memory_equal(data, three[i].data, three[i].size);
        assert_true(snn_zip_check(&s, m, &err));
        free(data);
    }
    assert_null(snn_zip_find(&zip, "archive/data"));
    /* larger than allowed, damaged */
    uint8_t *data = NULL;
    assert_false(snn_zip_read(&s, &zip.member[1], 9, &data, &err));
    check_error(&err, SNN_ERR_DATA, "archive/data/0 has 10 bytes, expected at most 9");
    assert_null(data);
    ((bytes *)p)->b[at.data[1] + 9] ^= 1;
    assert_false(snn_zip_read(&s, &zip.member[1], 10, &data, &err));
    check_error(&err, SNN_ERR_DATA, "archive/data/0 has checksum ");
    check_error(&err, SNN_ERR_DATA, ", the archive says a684c7c6: it is damaged");
    free(data);
    assert_false(snn_zip_check(&s, &zip.member[1], &err));
    check_error(&err, SNN_ERR_DATA, "it is damaged");
}

/* Checksums of members larger than one piece. */
static void pieces(void **state) {
    (void)state;
    static uint8_t large[200000];
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t size = 65535; size <= 196609; size += size == 65535 || size == 65536 ? 1 : 65536) {
        snn_zip_member m = {
            .name = "m", .first = 100, .size = size, .crc = (uint32_t)crc32(0, large + 100, (uInt)size)};
        snn_source s = {.memory = large, .size = sizeof large};
        snn_error err = {0};
        assert_true(snn_zip_check(&s, &m, &err));
        large[100 + size - 1]++;
        assert_false(snn_zip_check(&s, &m, &err));
        large[100 + size - 1]--;
    }
}

static void end_record(void **state) {
    (void)state;
    bytes *p = good();
    snn_error err = {0};
    /* a comment, and a ZIP64 record as torch.save writes it */
    put(p, "comment", 7);
    refused(p, "the archive is cut off: no end record of a ZIP archive in its last ");
    p->b[at.end + 20] = 7;
    assert_true(open_zip(p->b, p->n, &err));
    assert_int_equal(zip.n, 3);
    p = good();
    memmove(p->b + at.end + 76, p->b + at.end, 22);
    memset(p->b + at.end, 0, 76);
    memcpy(p->b + at.end, "PK\6\6", 4);
    p->n += 76;
    assert_true(open_zip(p->b, p->n, &err));
    p->b[at.end] = 'Q';
    refused(p, "does not reach to the end record");
    p = good();
    memmove(p->b + at.end + 3, p->b + at.end, 22);
    p->n += 3;
    refused(p, "does not reach to the end record");
    p = good();
    p->n = 21;
    refused(p, "21 bytes are too few for a ZIP archive");
    refused(spoilt(at.end + 4, "\1", 1), "the archive is one part of several");
    refused(spoilt(at.end + 6, "\1", 1), "the archive is one part of several");
    refused(spoilt(at.end + 8, "\2", 1), "the archive is one part of several");
    refused(spoilt(at.end + 12, "\xff\xff\xff\xff", 4),
            "an archive beyond 4 GiB or 4096 members is not read");
    refused(spoilt(at.end + 16, "\xff\xff\xff\xff", 4),
            "an archive beyond 4 GiB or 4096 members is not read");
    refused(spoilt(at.end + 8, "\1\x10\1\x10", 4), "an archive beyond 4 GiB or 4096 members is not read");
    refused(spoilt(at.end + 8, "\0\x10\0\x10", 4), "no entry of a central directory stands here");
    refused(spoilt(at.end + 12, "\0\0\0\x10", 4), "does not reach to the end record");
    refused(spoilt(at.end + 8, "\2\0\2\0", 4), "the central directory has 59 bytes behind its 2 members");
    refused(spoilt(at.end + 8, "\4\0\4\0", 4), "no entry of a central directory stands here");
}

static void central_directory(void **state) {
    (void)state;
    good();
    refused(spoilt(at.entry[1], "Q", 1), "no entry of a central directory stands here");
    refused(spoilt(at.entry[2] + 28, "\xff\xff", 2), "the entry reaches beyond the central directory");
    refused(spoilt(at.entry[2] + 30, "\1", 1), "the entry reaches beyond the central directory");
    refused(spoilt(at.entry[2] + 32, "\1", 1), "the entry reaches beyond the central directory");
    refused(spoilt(at.entry[1] + 46 + 3, "\0", 1), "a member's name of 14 bytes, expected 1 .. 255");
    refused(spoilt(at.entry[0] + 28, "\0\0\x10\0", 4), "a member's name of 0 bytes, expected 1 .. 255");
    refused(spoilt(at.entry[1] + 8, "\x09", 1), "archive/data/0 is compressed or encrypted");
    refused(spoilt(at.entry[1] + 10, "\x08", 1), "archive/data/0 is compressed or encrypted");
    refused(spoilt(at.entry[1] + 20, "\x0b", 1),
            "archive/data/0 is stored, but its sizes are 11 and 10 bytes");
    refused(spoilt(at.entry[1] + 20, "\xff\xff\xff\xff\xff\xff\xff\xff", 8),
            "archive/data/0 is stored, but its sizes are 4294967295 and 4294967295 bytes");
    bytes p = {.n = 0};
    const zip_entry twice[] = {{"a/b", "1", 1}, {"a/b", "2", 1}};
    put_zip(&p, twice, 2, &at);
    refused(&p, "a second member a/b");
    /* names of 255 and 256 bytes */
    static char name[257];
    memset(name, 'n', 255);
    const zip_entry named = {name, "1", 1};
    snn_error err = {0};
    p.n = 0;
    put_zip(&p, &named, 1, &at);
    assert_true(open_zip(p.b, p.n, &err));
    name[255] = 'n';
    p.n = 0;
    put_zip(&p, &named, 1, &at);
    refused(&p, "a member's name of 256 bytes, expected 1 .. 255");
}

static void local_headers(void **state) {
    (void)state;
    uint8_t place[4];
    good();
    refused(spoilt(at.local[1], "Q", 1), "no local header of the stored member archive/data/0 stands here");
    refused(spoilt(at.local[1] + 8, "\x08", 1),
            "no local header of the stored member archive/data/0 stands here");
    refused(spoilt(at.local[1] + 26, "\x0d", 1),
            "no local header of the stored member archive/data/0 stands here");
    refused(spoilt(at.local[1] + 30, "b", 1), "the local header of archive/data/0 has another name");
    good();
    /* the last place where header and name end before the directory, and the one behind it */
    for (int k = 0; k < 2; k++) {
        size_t local = at.directory - 30 - 14 + (size_t)k;
        for (int i = 0; i < 4; i++)
            place[i] = (uint8_t)(local >> 8 * i);
        refused(spoilt(at.entry[1] + 42, place, 4),
                k ? "the local header of archive/data/0 lies outside the archive"
                  : "no local header of the stored member archive/data/0");
    }
    refused(spoilt(at.entry[1] + 42, "\0\0\0\xff", 4),
            "the local header of archive/data/0 lies outside the archive");
    refused(spoilt(at.local[2] + 28, "\xff\xff", 2), "archive/empty has 0 bytes, more than there are");
    /* a member that reaches up to the directory, and one byte further */
    size_t room = at.directory - at.data[1];
    uint8_t size[8] = {(uint8_t)room, (uint8_t)(room >> 8), 0, 0, (uint8_t)room, (uint8_t)(room >> 8)};
    snn_error err = {0};
    const bytes *p = spoilt(at.entry[1] + 20, size, 8);
    assert_true(open_zip(p->b, p->n, &err));
    size[0]++, size[4]++;
    refused(spoilt(at.entry[1] + 20, size, 8), "archive/data/0 has ");
}

static void cut_off_anywhere(void **state) {
    (void)state;
    const bytes *p = good();
    for (size_t n = 0; n < p->n; n++) {
        snn_error err = {0};
        assert_false(open_zip(p->b, n, &err));
        assert_int_equal(err.code, SNN_ERR_DATA);
    }
    free(zip.member);
    zip.member = NULL;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),       cmocka_unit_test(pieces),
        cmocka_unit_test(end_record),    cmocka_unit_test(central_directory),
        cmocka_unit_test(local_headers), cmocka_unit_test(cut_off_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
