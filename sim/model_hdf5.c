/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What reading and writing HDF5 share: libhdf5's global state, property lists, messages. */
#include "model_hdf5.h"

#include <snnsim/digest.h>

#include <stdio.h>
#include <string.h>

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
}

hid_t snn_hdf5_access(void) {
    hid_t p = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(p, H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
    H5Pset_file_locking(p, 0, 1);
#endif
    return p;
}

hid_t snn_hdf5_create_properties(hid_t class) {
    hid_t p = H5Pcreate(class);
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

void snn_text_digest(const char *text, char hex[65]) {
    snn_digest d;
    uint8_t out[SNN_DIGEST_BYTES];
    snn_digest_init(&d);
    snn_digest_bytes(&d, text, strlen(text));
    snn_digest_final(&d, out);
    snn_digest_hex(out, hex);
}
