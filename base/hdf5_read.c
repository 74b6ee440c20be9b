/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5 files, the reading side: objects, attributes and data sets of a file that is not trusted (how: hdf5_file.h). */
#include <snnsim/hdf5_file.h>

#include <snnsim/output.h>

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* zlib's deflate shrinks at most 1032 : 1 (a match of 258 bytes in 2 bits; zlib's technical notes). */
#define DEFLATE_BEST 1032

bool snn_hdf5_fail(const snn_hdf5_reader *r, const char *object, const char *name, const char *what) {
    const char *slash = name[0] ? "/" : "";
    const char *why = r->guard->reason;
    return snn_fail(r->err, SNN_ERR_DATA, "%s: %s%s%s: %s%s%s%s", r->path, object, slash, name, what,
                    why[0] ? " (HDF5: " : "", why, why[0] ? ")" : "");
}

hid_t snn_hdf5_open_file(const snn_hdf5_reader *r) {
    hid_t access = snn_hdf5_access();
    hid_t file = H5Fopen(r->path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (file < 0) {
        snn_fail(r->err, SNN_ERR_DATA, "%s: is no HDF5 file, or a damaged one (HDF5: %s)", r->path,
                 r->guard->reason);
        return -1;
    }
    hsize_t bytes = 0;
    H5Fget_filesize(file, &bytes);
    *r->budget = bytes * DEFLATE_BEST;
    return file;
}

/* Opens the object `name` of group `parent` when it is there, hard-linked and of the wanted kind; -1 with err set otherwise. `group` is the
 * parent's name for messages. */
hid_t snn_hdf5_open(const snn_hdf5_reader *r, hid_t parent, const char *group, const char *name, int kind) {
    H5L_info_t link;
    char what[100];
    htri_t there = H5Lexists(parent, name, H5P_DEFAULT);
    if (there <= 0 || H5Lget_info(parent, name, &link, H5P_DEFAULT) < 0) {
        snn_hdf5_fail(r, group, name, there == 0 ? "is missing" : "cannot be read");
        return -1;
    }
    if (link.type != H5L_TYPE_HARD) {
        snprintf(what, sizeof what, "is a soft or external link, which a %s must not have", r->kind);
        snn_hdf5_fail(r, group, name, what);
        return -1;
    }
    hid_t object = H5Oopen(parent, name, H5P_DEFAULT);
    if (object < 0) {
        snn_hdf5_fail(r, group, name, "cannot be opened");
    } else if ((int)H5Iget_type(object) != kind) {
        snn_hdf5_fail(r, group, name, kind == H5I_GROUP ? "is not a group" : "is not a data set");
        H5Oclose(object);
        return -1;
    }
    return object;
}

/* ---- attributes ---- */

/* Opens a scalar attribute of the given class; -1 with err set. Its type goes to *type. */
static hid_t open_attribute(const snn_hdf5_reader *r, hid_t object, const char *where, const char *name,
                            H5T_class_t class, hid_t *type) {
    if (H5Aexists(object, name) <= 0) {
        char what[80];
        snprintf(what, sizeof what, "attribute '%s' is missing", name);
        snn_hdf5_fail(r, where, "", what);
        return -1;
    }
    hid_t a = H5Aopen(object, name, H5P_DEFAULT), space = H5Aget_space(a);
    *type = H5Aget_type(a);
    bool ok = a >= 0 && H5Tget_class(*type) == class && H5Sget_simple_extent_type(space) == H5S_SCALAR;
    H5Sclose(space);
    if (ok)
        return a;
    char what[80];
    snprintf(what, sizeof what, "attribute '%s' is not a single %s", name,
             class == H5T_STRING ? "string" : "number");
    snn_hdf5_fail(r, where, "", what);
    H5Tclose(*type);
    H5Aclose(a);
    return -1;
}

bool snn_hdf5_get_int(const snn_hdf5_reader *r, hid_t object, const char *where, const char *name,
                      int32_t *value) {
    hid_t type, a = open_attribute(r, object, where, name, H5T_INTEGER, &type);
    if (a < 0)
        return false;
    bool ok = H5Aread(a, H5T_NATIVE_INT32, value) >= 0; /* out of range: HDF5 clips */
    H5Tclose(type);
    H5Aclose(a);
    return ok ? true : snn_hdf5_fail(r, where, name, "cannot be read");
}

bool snn_hdf5_get_u64(const snn_hdf5_reader *r, hid_t object, const char *where, const char *name,
                      uint64_t *value) {
    hid_t type, a = open_attribute(r, object, where, name, H5T_INTEGER, &type);
    if (a < 0)
        return false;
    bool ok = H5Aread(a, H5T_NATIVE_UINT64, value) >= 0; /* out of range: HDF5 clips */
    H5Tclose(type);
    H5Aclose(a);
    return ok ? true : snn_hdf5_fail(r, where, name, "cannot be read");
}

/* Fixed-length string of fewer than `size` bytes. */
bool snn_hdf5_get_string(const snn_hdf5_reader *r, hid_t object, const char *where, const char *name,
                         char *text, size_t size) {
    hid_t type, a = open_attribute(r, object, where, name, H5T_STRING, &type);
    if (a < 0)
        return false;
    size_t n = H5Tget_size(type);
    bool ok = H5Tis_variable_str(type) == 0 && n > 0 && n < size;
    memset(text, 0, size);
    bool got = ok && H5Aread(a, type, text) >= 0;
    H5Tclose(type);
    H5Aclose(a);
    return got ? true
               : snn_hdf5_fail(r, where, name,
                               ok ? "cannot be read" : "is not a short string of fixed length");
}

/* ---- data sets ---- */

/* Is it stored in the file itself, plainly, with no other filters than those built into HDF5? */
bool snn_hdf5_check_storage(const snn_hdf5_reader *r, hid_t d, const char *group, const char *name,
                            uint64_t bytes) {
    hid_t create = H5Dget_create_plist(d);
    bool plain = create >= 0 && H5Pget_external_count(create) == 0;
    H5D_layout_t layout = H5Pget_layout(create);
    plain = plain && (layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED);
    int filters = H5Pget_nfilters(create);
    plain = plain && filters >= 0;
    for (int i = 0; plain && i < filters; i++) {
        unsigned flags, config;
        size_t values = 0;
        H5Z_filter_t id = H5Pget_filter2(create, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        plain = id == H5Z_FILTER_DEFLATE || id == H5Z_FILTER_SHUFFLE || id == H5Z_FILTER_FLETCHER32;
    }
    H5Pclose(create);
    if (!plain) {
        char what[100];
        snprintf(what, sizeof what, "is stored outside the file or with a filter that %ss do not use",
                 r->kind);
        return snn_hdf5_fail(r, group, name, what);
    }
    /* What the file says of itself may be a lie (blocks that overlap), its length is none. */
    uint64_t cost = filters > 0 ? bytes : bytes * DEFLATE_BEST;
    if (H5Dget_storage_size(d) < cost / DEFLATE_BEST || cost > *r->budget)
        return snn_hdf5_fail(r, group, name, "holds less data than its shape asks for");
    *r->budget -= cost;
    return true;
}

/* Dimensions of a data set into shape, their number as result; -1 when it has none that can be read. */
int snn_hdf5_shape(hid_t d, uint64_t *shape) {
    hsize_t found[H5S_MAX_RANK];
    hid_t space = H5Dget_space(d);
    int n = space >= 0 && H5Sis_simple(space) > 0 && H5Sget_simple_extent_type(space) != H5S_NULL
                ? H5Sget_simple_extent_dims(space, found, NULL)
                : -1;
    H5Sclose(space);
    for (int i = 0; i < n; i++)
        shape[i] = found[i];
    return n;
}

/* Has the data set exactly this shape? */
bool snn_hdf5_check_shape(const snn_hdf5_reader *r, hid_t d, const char *group, const char *name, int dims,
                          const uint64_t *shape) {
    uint64_t found[H5S_MAX_RANK];
    char a[200], b[120];
    int n = snn_hdf5_shape(d, found);
    if (n == dims && (dims == 0 || memcmp(found, shape, (size_t)dims * sizeof *shape) == 0))
        return true;
    return snn_fail(r->err, SNN_ERR_DATA, "%s: %s/%s: has shape %s, expected %s", r->path, group, name,
                    n < 0 ? "none" : snn_shape_text(n, found, a, sizeof a),
                    snn_shape_text(dims, shape, b, sizeof b));
}

/* Text of a scalar data set of fixed length; malloc'ed, NULL with err set. */
char *snn_hdf5_get_text(const snn_hdf5_reader *r, hid_t parent, const char *group, const char *name,
                        size_t limit) {
    hid_t d = snn_hdf5_open(r, parent, group, name, H5I_DATASET);
    if (d < 0)
        return NULL;
    char *text = NULL;
    hid_t type = H5Dget_type(d);
    size_t n = H5Tget_size(type);
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 || n == 0 || n > limit)
        snn_hdf5_fail(r, group, name, "is not a string of fixed length");
    else if (snn_hdf5_check_shape(r, d, group, name, 0, NULL) && snn_hdf5_check_storage(r, d, group, name, n))
        text = snn_alloc(n + 1, 1, name, r->err);
    if (text != NULL && H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
        snn_hdf5_fail(r, group, name, "cannot be read");
        free(text);
        text = NULL;
    }
    H5Tclose(type);
    H5Dclose(d);
    return text;
}
