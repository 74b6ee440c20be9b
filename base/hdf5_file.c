/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5 files, the writing side: libhdf5's global state, property lists, attributes and data sets, the whole file. */
#include <snnsim/hdf5_file.h>

#include <snnsim/output.h>

#include "hdf5_lock.h"

#include <hdf5.h>
#include <pthread.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(hid_t) == sizeof(snn_hid) && sizeof(hsize_t) == sizeof(snn_hsize),
               "handles and sizes of libhdf5 1.10 and later");

#define CHUNK_BYTES                                                                                          \
    (1u << 20) /* of one compressed block when a row is not larger, and of memory while a file grows */
#define COMPRESS_FROM 4096 /* items: below that the block index costs more than compression saves */
#define DEFLATE_LEVEL 6    /* zlib's own default */

/* libhdf5 has one state for the whole process, and so has its lock. Not a recursive mutex: after a fork (hdf5_vet.c) the child is another thread to that, but has
 * this thread's depth. */
static pthread_mutex_t hdf5_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local unsigned hdf5_depth;

void snn_hdf5_lock(void) {
    if (hdf5_depth++ == 0)
        pthread_mutex_lock(&hdf5_lock);
}

void snn_hdf5_unlock(void) {
    if (--hdf5_depth == 0)
        pthread_mutex_unlock(&hdf5_lock);
}

/* Called from the innermost failure outwards: the first one says what happened. */
static herr_t take_first(unsigned n, const H5E_error2_t *e, void *data) {
    snn_hdf5_guard *g = data;
    if (n == 0 && e->desc != NULL)
        snprintf(g->reason, sizeof g->reason, "%s", e->desc);
    return 0;
}

/* Called by libhdf5 at every failing call, in place of printing. */
static herr_t note_failure(hid_t stack, void *data) {
    snn_hdf5_guard *g = data;
    if (g->reason[0] == '\0')
        H5Ewalk2(stack, H5E_WALK_UPWARD, take_first, g);
    return 0;
}

void snn_hdf5_enter(snn_hdf5_guard *g) {
    snn_hdf5_lock();
    g->reason[0] = '\0';
    H5open();
    H5Eget_auto2(H5E_DEFAULT, &g->print, &g->print_data);
    H5Eset_auto2(H5E_DEFAULT, note_failure, g);
    if (H5PLget_loading_state(&g->plugins) < 0)
        g->plugins = 0;
    H5PLset_loading_state(0);
}

void snn_hdf5_leave(const snn_hdf5_guard *g) {
    H5PLset_loading_state(g->plugins);
    H5Eclear2(H5E_DEFAULT);
    H5Eset_auto2(H5E_DEFAULT, g->print, g->print_data);
    snn_hdf5_unlock();
}

hid_t snn_hdf5_access(void) {
    hid_t p = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(p, H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
    H5Pset_file_locking(p, 0, 1);
#endif
    return p;
}

hid_t snn_hdf5_create_properties(hid_t kind) {
    hid_t p = H5Pcreate(kind);
    H5Pset_obj_track_times(p, 0);
    return p;
}

hid_t snn_hdf5_string_type(size_t n) {
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, n > 0 ? n : 1);
    H5Tset_strpad(t, H5T_STR_NULLPAD);
    H5Tset_cset(t, H5T_CSET_UTF8);
    return t;
}

hid_t snn_hdf5_create_group(hid_t parent, const char *name) {
    hid_t create = snn_hdf5_create_properties(H5P_GROUP_CREATE);
    hid_t g = H5Gcreate2(parent, name, H5P_DEFAULT, create, H5P_DEFAULT);
    H5Pclose(create);
    return g;
}

void snn_hdf5_compress(hid_t create, int dims, const hsize_t *shape, size_t item_size) {
    hsize_t chunk[H5S_MAX_RANK], row = 1;
    if (dims < 1)
        return;
    for (int i = 1; i < dims; i++)
        row *= chunk[i] = shape[i];
    if (row * shape[0] < COMPRESS_FROM)
        return;
    hsize_t rows = CHUNK_BYTES / (row * item_size);
    chunk[0] = rows < 1 ? 1 : rows > shape[0] ? shape[0] : rows;
    H5Pset_chunk(create, dims, chunk);
    if (item_size > 1)
        H5Pset_shuffle(create);
    H5Pset_deflate(create, DEFLATE_LEVEL);
}

/* ---- attributes and data sets ---- */

bool snn_hdf5_put_string(hid_t object, const char *name, const char *text) {
    hid_t type = snn_hdf5_string_type(strlen(text)), space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = a >= 0 && H5Awrite(a, type, text) >= 0;
    H5Aclose(a);
    H5Sclose(space);
    H5Tclose(type);
    return ok;
}

bool snn_hdf5_put_int(hid_t object, const char *name, int32_t value) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(object, name, H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = a >= 0 && H5Awrite(a, H5T_NATIVE_INT32, &value) >= 0;
    H5Aclose(a);
    H5Sclose(space);
    return ok;
}

bool snn_hdf5_put_u64(hid_t object, const char *name, uint64_t value) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(object, name, H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = a >= 0 && H5Awrite(a, H5T_NATIVE_UINT64, &value) >= 0;
    H5Aclose(a);
    H5Sclose(space);
    return ok;
}

bool snn_hdf5_put_text(hid_t group, const char *name, const char *text) {
    hid_t type = snn_hdf5_string_type(strlen(text)), space = H5Screate(H5S_SCALAR);
    hid_t create = snn_hdf5_create_properties(H5P_DATASET_CREATE);
    hid_t d = H5Dcreate2(group, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    bool ok = d >= 0 && H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0;
    H5Dclose(d);
    H5Pclose(create);
    H5Sclose(space);
    H5Tclose(type);
    return ok;
}

hid_t snn_hdf5_put_array(hid_t group, const char *name, hid_t in_file, hid_t in_memory, int dims,
                         const uint64_t *shape, const void *data) {
    hsize_t lengths[H5S_MAX_RANK];
    for (int i = 0; i < dims; i++)
        lengths[i] = shape[i];
    hid_t space = H5Screate_simple(dims, lengths, NULL),
          create = snn_hdf5_create_properties(H5P_DATASET_CREATE);
    snn_hdf5_compress(create, dims, lengths, H5Tget_size(in_file));
    hid_t d = H5Dcreate2(group, name, in_file, space, H5P_DEFAULT, create, H5P_DEFAULT);
    H5Pclose(create);
    H5Sclose(space);
    if (d >= 0 && H5Dwrite(d, in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0)
        return d;
    H5Dclose(d);
    return -1;
}

/* ---- the whole file ---- */

/* The whole file as bytes; free() it. It is put together in memory, because libhdf5 1.10 cannot let go of a file whose last write failed (a full
 * disk) and crashes at exit. NULL on failure. */
static uint8_t *file_image(const char *line, bool (*fill)(hid_t file, const void *context),
                           const void *context, size_t *size) {
    hid_t access = snn_hdf5_access(), create = H5Pcreate(H5P_FILE_CREATE);
    size_t head = line != NULL ? SNN_HDF5_BLOCK : 0;
    H5Pset_fapl_core(access, CHUNK_BYTES, 0);
    if (line != NULL)
        H5Pset_userblock(create, SNN_HDF5_BLOCK);
    hid_t file = H5Fcreate("file", H5F_ACC_TRUNC, create, access);
    H5Pclose(create);
    H5Pclose(access);
    if (file < 0)
        return NULL;
    uint8_t *image = NULL;
    ssize_t n = -1;
    if (fill(file, context) && H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0)
        n = H5Fget_file_image(file, NULL, 0); /* without the user block */
    if (n > 0)
        image = malloc((size_t)n + head);
    if (image != NULL && H5Fget_file_image(file, image + head, (size_t)n) != n) {
        free(image);
        image = NULL;
    }
    H5Fclose(file);
    if (image != NULL) {
        *size = (size_t)n + head;
        if (line != NULL)
            snn_hdf5_block_fill(image, *size, line);
    }
    return image;
}

static bool write_image(const void *image, size_t size, const char *path, snn_error *err) {
    snn_file *f = snn_file_create(path, 0644, err);
    if (f == NULL)
        return false;
    if (fwrite(image, 1, size, snn_file_stream(f)) != size) {
        snn_fail_errno(err, "%s: cannot be written", path);
        snn_file_abandon(f);
        return false;
    }
    return snn_file_commit(f, err);
}

bool snn_hdf5_write(const char *path, const char *line, bool (*fill)(hid_t file, const void *context),
                    const void *context, snn_error *err) {
    snn_hdf5_guard guard;
    size_t size = 0;
    snn_hdf5_enter(&guard);
    uint8_t *image = file_image(line, fill, context, &size);
    snn_hdf5_leave(&guard);
    bool ok = image != NULL ? write_image(image, size, path, err)
                            : snn_fail(err, SNN_ERR_RUNTIME, "%s: the file cannot be put together: %s", path,
                                       guard.reason);
    free(image);
    return ok;
}
