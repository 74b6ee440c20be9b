/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is in an official SHD file, shd_train.h5 or shd_test.h5 (Cramer et al. 2022, doi:10.1109/TNNLS.2020.3044364):
 *   spikes/times   variable-length float16, seconds (float32 and float64 are read as well)
 *   spikes/units   variable-length integers 0 .. 699
 *   labels         integers 0 .. 19 of any type
 *   extra/speaker  integers (optional), extra/keys  20 texts (optional)
 */
#include "shd.h"

#include <snnsim/hdf5_file.h>

#include <fcntl.h>
#include <hdf5.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* An item in the data set: number of its elements (4 bytes), address of its heap (8), object in the heap (4). */
#define ITEM 16
#define CHUNK_ITEMS_MAX ((hsize_t)1 << 22)

typedef struct {
    snn_hdf5_reader r;
    snn_shd_index *x;
    snn_source source;
    uint64_t base; /* byte of the file at which HDF5's addresses start */
    bool
        structure; /* only what libhdf5 reads: heaps are walked by our own code, which needs no child process */
    hid_t file;
} reader;

/* ---- numbers ---- */

/* A data set of n integers, as int64; free *v also after an error. */
static bool read_integers(reader *f, hid_t parent, const char *group, const char *name, uint64_t n,
                          int64_t **v) {
    const snn_hdf5_reader *r = &f->r;
    hid_t d = snn_hdf5_open(r, parent, group, name, H5I_DATASET);
    if (d < 0)
        return false;
    hid_t type = H5Dget_type(d);
    bool ok = H5Tget_class(type) == H5T_INTEGER || snn_hdf5_fail(r, group, name, "are no integers");
    ok = ok && snn_hdf5_check_shape(r, d, group, name, 1, &n) &&
         snn_hdf5_check_storage(r, d, group, name, n * H5Tget_size(type));
    if (ok) {
        *v = snn_alloc((size_t)n, sizeof **v, name, r->err);
        ok = *v != NULL && (H5Dread(d, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, *v) >= 0 ||
                            snn_hdf5_fail(r, group, name, "cannot be read"));
    }
    H5Tclose(type);
    H5Dclose(d);
    return ok;
}

static bool read_labels(reader *f) {
    snn_shd_index *x = f->x;
    int64_t *label = NULL;
    bool ok = read_integers(f, f->file, "", "labels", x->n, &label);
    for (size_t i = 0; ok && i < x->n; i++) {
        if (label[i] < 0 || label[i] >= SNN_SHD_CLASSES)
            ok = snn_fail(f->r.err, SNN_ERR_DATA, "%s: labels: item %zu is %" PRId64 ", expected 0 .. %d",
                          f->r.path, i, label[i], SNN_SHD_CLASSES - 1);
        else
            x->recording[i].label = (int32_t)label[i];
    }
    free(label);
    return ok;
}

/* ---- speakers and names of classes ---- */

static bool read_speakers(reader *f, hid_t extra) {
    snn_shd_index *x = f->x;
    int64_t *speaker = NULL;
    if (H5Lexists(extra, "speaker", H5P_DEFAULT) == 0)
        return true;
    bool ok = read_integers(f, extra, "extra", "speaker", x->n, &speaker);
    for (size_t i = 0; ok && i < x->n; i++)
        x->recording[i].speaker = speaker[i];
    x->has_speakers = ok;
    free(speaker);
    return ok;
}

/* Texts of fixed length, as PyTables writes them; others are not looked at, names are for people only. */
static bool read_names(reader *f, hid_t extra) {
    static const uint64_t shape = SNN_SHD_CLASSES;
    const snn_hdf5_reader *r = &f->r;
    if (H5Lexists(extra, "keys", H5P_DEFAULT) == 0)
        return true;
    hid_t d = snn_hdf5_open(r, extra, "extra", "keys", H5I_DATASET);
    if (d < 0)
        return false;
    hid_t type = H5Dget_type(d);
    size_t size = H5Tget_size(type);
    bool fixed = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 && size < SNN_SHD_NAME;
    bool ok = !fixed || (snn_hdf5_check_shape(r, d, "extra", "keys", 1, &shape) &&
                         snn_hdf5_check_storage(r, d, "extra", "keys", size * SNN_SHD_CLASSES));
    if (ok && fixed) {
        char text[SNN_SHD_CLASSES * SNN_SHD_NAME];
        ok = H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0 ||
             snn_hdf5_fail(r, "extra", "keys", "cannot be read");
        for (size_t i = 0; ok && i < SNN_SHD_CLASSES; i++)
            for (size_t k = 0; k < size && text[i * size + k] != '\0'; k++) {
                char c = text[i * size + k];
                f->x->name[i][k] = c >= ' ' && c <= '~' ? c : '?';
            }
        f->x->has_names = ok;
    }
    H5Tclose(type);
    H5Dclose(d);
    return ok;
}

static bool read_extra(reader *f) {
    if (H5Lexists(f->file, "extra", H5P_DEFAULT) == 0)
        return true;
    hid_t extra = snn_hdf5_open(&f->r, f->file, "", "extra", H5I_GROUP);
    bool ok = extra >= 0 && read_speakers(f, extra) && read_names(f, extra);
    if (extra >= 0)
        H5Gclose(extra);
    return ok;
}

/* ---- variable-length items ---- */

/* Size of an IEEE float or an integer, little-endian, of 1, 2, 4 or 8 bytes; 0 for other types. */
static unsigned element_size(hid_t type, H5T_class_t class) {
    static const struct {
        size_t size, exponent_at, exponent_bits, bias;
    } ieee[] = {{2, 10, 5, 15}, {4, 23, 8, 127}, {8, 52, 11, 1023}};
    size_t size = H5Tget_size(type), sign, at, bits, fraction_at, fraction_bits;
    if (H5Tget_class(type) != class || (size > 1 && H5Tget_order(type) != H5T_ORDER_LE) ||
        H5Tget_offset(type) != 0 || H5Tget_precision(type) != 8 * size)
        return 0;
    if (class == H5T_INTEGER)
        return size == 1 || size == 2 || size == 4 || size == 8 ? (unsigned)size : 0;
    H5Tget_fields(type, &sign, &at, &bits, &fraction_at, &fraction_bits);
    for (size_t i = 0; i < sizeof ieee / sizeof *ieee; i++)
        if (size == ieee[i].size && at == ieee[i].exponent_at && bits == ieee[i].exponent_bits &&
            H5Tget_ebias(type) == ieee[i].bias && sign == 8 * size - 1 && fraction_at == 0 &&
            fraction_bits == at && H5Tget_norm(type) == H5T_NORM_IMPLIED)
            return (unsigned)size;
    return 0;
}

/* Undoes the filters of one chunk, which libhdf5 does only for items that it looks up itself. `mask`: filters that were not applied. With variable-length items libhdf5
 * leaves shuffle out and refuses fletcher32, so deflate is what is left. a, b: `room` bytes each, the chunk in a; returns where its `whole` bytes are, or NULL. */
static const uint8_t *unpack(hid_t create, uint32_t mask, uint8_t *a, uint8_t *b, size_t size, size_t room,
                             size_t whole) {
    for (int i = H5Pget_nfilters(create) - 1; i >= 0; i--) {
        unsigned flags, config;
        size_t values = 0;
        H5Z_filter_t id = H5Pget_filter2(create, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        uLongf n = (uLongf)room;
        if (i < 32 && mask >> i & 1)
            continue;
        if (id != H5Z_FILTER_DEFLATE || uncompress(b, &n, a, (uLong)size) != Z_OK)
            return NULL;
        uint8_t *swap = a;
        a = b;
        b = swap;
        size = (size_t)n;
    }
    return size == whole ? a : NULL;
}

/* The n items of a chunked data set as they are stored. */
static bool read_chunks(reader *f, hid_t d, hid_t create, uint64_t n, uint8_t *out) {
    hsize_t items = 0, size;
    if (H5Pget_chunk(create, 1, &items) != 1 || items < 1 || items > CHUNK_ITEMS_MAX)
        return false;
    size_t whole = (size_t)items * ITEM,
           room = 2 * whole + 4096; /* deflate adds little to what it cannot shrink */
    uint8_t *a = snn_alloc(room, 1, "chunk", f->r.err), *b = snn_alloc(room, 1, "chunk", f->r.err);
    bool ok = a != NULL && b != NULL;
    for (hsize_t at = 0; ok && at < n; at += items) {
        uint32_t mask = 0;
        const uint8_t *chunk = NULL;
        if (H5Dget_chunk_storage_size(d, &at, &size) >= 0 && size > 0 && size <= room &&
            H5Dread_chunk(d, H5P_DEFAULT, &at, &mask, a) >= 0)
            chunk = unpack(create, mask, a, b, (size_t)size, room, whole);
        ok = chunk != NULL;
        if (ok)
            memcpy(out + at * ITEM, chunk, (size_t)(n - at < items ? n - at : items) * ITEM);
    }
    free(b);
    free(a);
    return ok;
}

/* The n items of a data set as they are stored, 16 bytes each. */
static bool read_stored(reader *f, hid_t d, const char *name, uint64_t n, uint8_t *out) {
    hid_t create = H5Dget_create_plist(d);
    H5D_layout_t layout = H5Pget_layout(create);
    bool ok = false;
    if (layout == H5D_CHUNKED) {
        ok = read_chunks(f, d, create, n, out);
    } else if (layout == H5D_CONTIGUOUS) {
        haddr_t at = H5Dget_offset(d); /* in the file, whatever its base */
        if (at != HADDR_UNDEF)
            ok = snn_source_read(&f->source, at, (size_t)n * ITEM, out, f->r.err);
    }
    H5Pclose(create);
    return ok || snn_hdf5_fail(&f->r, "spikes", name, "cannot be read");
}

/* Places of the items, and in `count` (0 or what the other data set has) the number of their elements. */
static bool find_items(reader *f, const char *name, const uint8_t *stored, unsigned bytes, bool units) {
    snn_shd_index *x = f->x;
    snn_heap_item *item = snn_alloc(x->n, sizeof *item, "recordings", f->r.err);
    bool ok = item != NULL;
    for (size_t i = 0; ok && i < x->n; i++) {
        uint32_t count = (uint32_t)snn_little(stored + i * ITEM, 4);
        item[i] = (snn_heap_item){.heap = snn_little(stored + i * ITEM + 4, 8),
                                  .index = (uint32_t)snn_little(stored + i * ITEM + 12, 4),
                                  .bytes = (uint64_t)count * bytes,
                                  .item = (uint32_t)i};
        if (item[i].bytes > SNN_RECORDING_MAX)
            ok = snn_fail(f->r.err, SNN_ERR_DATA,
                          "%s: spikes/%s: item %zu has %" PRIu64 " bytes; at most 1 GiB is possible",
                          f->r.path, name, i, item[i].bytes);
        else if (units && count != x->recording[i].events)
            ok = snn_fail(f->r.err, SNN_ERR_DATA, "%s: item %zu has %" PRIu32 " times and %" PRIu32 " units",
                          f->r.path, i, x->recording[i].events, count);
        x->recording[i].events = count;
    }
    if (ok && !f->structure && !snn_heap_find(&f->source, f->base, item, x->n, f->r.err))
        ok = snn_error_context(f->r.err, "%s: spikes/%s", f->r.path, name);
    for (size_t i = 0; ok && i < x->n; i++)
        *(units ? &x->recording[item[i].item].units : &x->recording[item[i].item].times) = item[i].at;
    free(item);
    return ok;
}

/* spikes/times, whose length is the number of recordings, or spikes/units. */
static bool read_items(reader *f, hid_t spikes, const char *name, H5T_class_t class, unsigned *bytes) {
    const snn_hdf5_reader *r = &f->r;
    bool units = class == H5T_INTEGER;
    uint64_t shape[H5S_MAX_RANK];
    hid_t d = snn_hdf5_open(r, spikes, "spikes", name, H5I_DATASET);
    if (d < 0)
        return false;
    hid_t type = H5Dget_type(d), element = H5Tget_class(type) == H5T_VLEN ? H5Tget_super(type) : -1;
    *bytes = element >= 0 ? element_size(element, class) : 0;
    bool ok = *bytes != 0 ||
              snn_hdf5_fail(r, "spikes", name,
                            units ? "are no lists of integers, as variable-length data"
                                  : "are no lists of float16, float32 or float64, as variable-length data");
    if (ok && (snn_hdf5_shape(d, shape) != 1 || shape[0] < 1 || shape[0] > SNN_SAMPLES_MAX))
        ok = snn_hdf5_fail(r, "spikes", name, "has another shape than [recordings]");
    if (ok && !units) {
        f->x->n = (size_t)shape[0];
        f->x->recording = snn_alloc(f->x->n, sizeof *f->x->recording, "recordings", r->err);
        ok = f->x->recording != NULL;
    }
    uint64_t n = f->x->n;
    ok = ok && snn_hdf5_check_shape(r, d, "spikes", name, 1, &n) &&
         snn_hdf5_check_storage(r, d, "spikes", name, n * ITEM);
    uint8_t *stored = ok ? snn_alloc((size_t)n, ITEM, "recordings", r->err) : NULL;
    ok = stored != NULL && read_stored(f, d, name, n, stored) && find_items(f, name, stored, *bytes, units);
    free(stored);
    if (element >= 0)
        H5Tclose(element);
    H5Tclose(type);
    H5Dclose(d);
    return ok;
}

/* ---- the file ---- */

static bool read_spikes(reader *f) {
    hid_t spikes = snn_hdf5_open(&f->r, f->file, "", "spikes", H5I_GROUP);
    bool ok = spikes >= 0 && read_items(f, spikes, "times", H5T_FLOAT, &f->x->time_bytes) &&
              read_items(f, spikes, "units", H5T_INTEGER, &f->x->unit_bytes);
    if (spikes >= 0)
        H5Gclose(spikes);
    return ok;
}

/* Addresses of 8 bytes, which libhdf5 writes unless told otherwise, and where they count from. */
static bool check_file(reader *f) {
    size_t address = 0, length = 0;
    hsize_t block = 0;
    hid_t create = H5Fget_create_plist(f->file);
    bool ok = H5Pget_sizes(create, &address, &length) >= 0 && H5Pget_userblock(create, &block) >= 0 &&
              address == 8 && length == 8;
    H5Pclose(create);
    f->base = block;
    return ok || snn_hdf5_fail(&f->r, "", "", "has no addresses of 8 bytes");
}

static bool read_file(reader *f) {
    struct stat st;
    f->source.fd = open(f->r.path, O_RDONLY | O_CLOEXEC);
    if (f->source.fd == -1 || fstat(f->source.fd, &st) != 0)
        return snn_fail_errno(f->r.err, "%s: cannot be opened", f->r.path);
    f->source.size = (uint64_t)st.st_size;
    f->file = snn_hdf5_open_file(&f->r);
    return f->file >= 0 && check_file(f) && read_spikes(f) && read_labels(f) && read_extra(f);
}

typedef struct {
    const char *path;
    snn_shd_index *x;
    bool structure;
} job;

static bool read_index(void *context, snn_error *err) {
    const job *j = context;
    snn_hdf5_guard guard;
    uint64_t budget = 0;
    *j->x = (snn_shd_index){0};
    reader f = {
        .r = {j->path, "data set", &guard, &budget, err}, .x = j->x, .source = {.fd = -1}, .file = -1};
    f.structure = j->structure;
    snn_hdf5_enter(&guard);
    bool ok = read_file(&f);
    if (f.file >= 0)
        H5Fclose(f.file);
    snn_hdf5_leave(&guard);
    if (f.source.fd != -1)
        close(f.source.fd);
    return ok;
}

bool snn_shd_index_read(const char *path, snn_shd_index *x, snn_error *err) {
    job whole = {path, x, false}, structure = {path, x, true};
    *x = (snn_shd_index){0};
    return snn_hdf5_vet(path, read_index, &structure, err) && read_index(&whole, err);
}
