/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HDF5 files: ours are written whole, the same bytes for the same content; all are read with distrust. libhdf5 is not thread-safe and has state of its own: whoever
 * calls it stands between snn_hdf5_enter and snn_hdf5_leave, which let one thread in at a time. Handles are libhdf5's hid_t, which is int64_t since version 1.10; this header does without <hdf5.h>, its users include that.
 *
 * A file may start with a block of 512 bytes, HDF5's user block, which HDF5 itself skips. It holds a line that says what the file is, and the digest of all bytes behind it:
 * libhdf5 crashes on some damaged files, so damage is found before libhdf5 sees them.
 */
#ifndef SNNSIM_HDF5_FILE_H
#define SNNSIM_HDF5_FILE_H

#include <snnsim/error.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int64_t snn_hid;              /* hid_t */
typedef unsigned long long snn_hsize; /* hsize_t */

/* ---- libhdf5's state ---- */

/* What we change while we work, and put back: libhdf5 prints errors to stderr by default, and loads filter plugins that a file asks for from folders that the environment
 * names. */
typedef struct {
    int (*print)(int64_t stack, void *data); /* H5E_auto2_t */
    void *print_data;
    unsigned plugins;
    char
        reason[256]; /* innermost message of the first failure since snn_hdf5_enter; "" when nothing failed */
} snn_hdf5_guard;

/* g must stay where it is until snn_hdf5_leave. Waits for other threads that use libhdf5; may be nested. */
void snn_hdf5_enter(snn_hdf5_guard *g);
void snn_hdf5_leave(const snn_hdf5_guard *g);

/* File access properties: closing the file closes all its objects, no file locks (they fail on some network file systems; files are replaced by
 * renaming, never changed in place). */
snn_hid snn_hdf5_access(void);

/* ---- the block ---- */

#define SNN_HDF5_BLOCK 512 /* bytes: the smallest user block of HDF5 */

/* Fills the block at the start of a file's image of `size` bytes (more than the block). `line`: what the file is, "snnsim model 1\n". */
void snn_hdf5_block_fill(uint8_t *image, size_t size, const char *line);
/* Checks a file that starts with a block of that line; *found: does it? Fine when it does not. Errors: DATA (damaged), RUNTIME (cannot be read). */
bool snn_hdf5_block_check(const char *path, const char *line, bool *found, snn_error *err);

/* ---- files that nothing vouches for ---- */

/* Runs `read` in a child process with limits on memory and time, to learn whether libhdf5 survives the file: read it again, here, only after true. `read` must open the
 * file by its name (descriptors are closed), read all that will be read here, start no threads and print nothing; what it puts into memory is lost. False with the error that `read` had, or DATA when libhdf5 crashed or did not come to an end. */
bool snn_hdf5_vet(const char *path, bool (*read)(void *context, snn_error *err), void *context,
                  snn_error *err);

/* ---- writing ---- */

/* Writes a new file atomically: `fill` puts groups and data sets into `file` and returns false when libhdf5 failed. With `line` the file starts with a block. Errors:
 * RUNTIME. */
bool snn_hdf5_write(const char *path, const char *line, bool (*fill)(snn_hid file, const void *context),
                    const void *context, snn_error *err);
/* Group or dataset creation properties without time stamps, so that the same content gives the same bytes. `kind` is H5P_GROUP_CREATE or H5P_DATASET_CREATE. */
snn_hid snn_hdf5_create_properties(snn_hid kind);
/* A new group of that name without time stamps; -1 on failure. */
snn_hid snn_hdf5_create_group(snn_hid parent, const char *name);
/* Has the data set compressed in blocks of whole rows (first dimension), when it has enough items for that to pay. */
void snn_hdf5_compress(snn_hid create, int dims, const snn_hsize *shape, size_t item_size);
/* Fixed-length string type of n bytes (at least 1). */
snn_hid snn_hdf5_string_type(size_t n);
/* Attributes, and a scalar data set of text. False when libhdf5 failed. */
bool snn_hdf5_put_string(snn_hid object, const char *name, const char *text);
bool snn_hdf5_put_int(snn_hid object, const char *name, int32_t value);
bool snn_hdf5_put_u64(snn_hid object, const char *name, uint64_t value);
bool snn_hdf5_put_text(snn_hid group, const char *name, const char *text);
/* A data set of numbers (compressed where that pays) of the given types in the file and in memory, left open for attributes; -1 when libhdf5 failed. */
snn_hid snn_hdf5_put_array(snn_hid group, const char *name, snn_hid in_file, snn_hid in_memory, int dims,
                           const uint64_t *shape, const void *data);

/* ---- reading with distrust: only hard links are followed, only plain storage with built-in filters is read, and a file must hold at least as many bytes as the best
 * compression of its announced data would need ---- */

typedef struct {
    const char *path;
    const char *kind; /* "model": for messages */
    const snn_hdf5_guard *guard;
    uint64_t *budget; /* bytes that the file's data can still unpack to */
    snn_error *err;
} snn_hdf5_reader;

/* Opens the file and sets the budget; -1 with err set. */
snn_hid snn_hdf5_open_file(const snn_hdf5_reader *r);
/* DATA error "path: object/name: what (HDF5: why)"; returns false. */
bool snn_hdf5_fail(const snn_hdf5_reader *r, const char *object, const char *name, const char *what);
/* Opens the object `name` of group `parent` when it is there, hard-linked and of the wanted kind (H5I_GROUP or H5I_DATASET); -1 with err set otherwise. `group` is
 * the parent's name for messages. */
snn_hid snn_hdf5_open(const snn_hdf5_reader *r, snn_hid parent, const char *group, const char *name,
                      int kind);
/* Scalar attributes; `where` names the object. Strings of fixed length below `size` bytes. */
bool snn_hdf5_get_int(const snn_hdf5_reader *r, snn_hid object, const char *where, const char *name,
                      int32_t *value);
bool snn_hdf5_get_u64(const snn_hdf5_reader *r, snn_hid object, const char *where, const char *name,
                      uint64_t *value);
bool snn_hdf5_get_string(const snn_hdf5_reader *r, snn_hid object, const char *where, const char *name,
                         char *text, size_t size);
/* Is it stored in the file itself, plainly, with no other filters than those built into HDF5, and does the file hold enough for `bytes` of data? */
bool snn_hdf5_check_storage(const snn_hdf5_reader *r, snn_hid d, const char *group, const char *name,
                            uint64_t bytes);
/* Dimensions of a data set into shape [32], their number as result; -1 when it has none that can be read. */
int snn_hdf5_shape(snn_hid d, uint64_t *shape);
/* Has the data set exactly this shape? */
bool snn_hdf5_check_shape(const snn_hdf5_reader *r, snn_hid d, const char *group, const char *name, int dims,
                          const uint64_t *shape);
/* Text of a scalar data set of fixed length up to `limit` bytes; malloc'ed, NULL with err set. */
char *snn_hdf5_get_text(const snn_hdf5_reader *r, snn_hid parent, const char *group, const char *name,
                        size_t limit);

#ifdef __cplusplus
}
#endif
#endif
