/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which format a file or folder of another program has, by its content, and the reader for it: the table of formats. */
#include <snnsim/import.h>

#include <hdf5.h>

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* One format: an HDF5 file with a group of that name at its root, or a folder with a file of that pattern (and the second one, if any). */
typedef struct {
    snn_import_format format;
    const char *name;
    const char *group;     /* HDF5 */
    const char *file[2];   /* folder */
    const char *described; /* for who asks what is known */
    bool (*read)(snn_model *m, const char *path, const snn_import_options *options, snn_error *err);
} format_entry;

static const format_entry table[] = {
    {SNN_IMPORT_NIR, "NIR graph", "node", {NULL}, "a NIR graph (HDF5 with group node)", snn_import_nir},
    {SNN_IMPORT_NET,
     "lava-dl or SLAYER network",
     "layer",
     {NULL},
     "a .net of lava-dl or SLAYER (HDF5 with group layer)",
     snn_import_net},
    {SNN_IMPORT_SLAYER,
     "SLAYER Loihi text weights",
     NULL,
     {"network.yaml", "*[0-9].txt"},
     "a folder with SLAYER's network.yaml and text weights",
     snn_import_slayer},
    {SNN_IMPORT_SPIKINGDSE,
     "SpikingDSE network",
     NULL,
     {"weights_i_2_h1.csv", "tau_m_*.csv"},
     "a folder with SpikingDSE's tables (weights_i_2_h1.csv, ...)",
     snn_import_spikingdse},
};
#define FORMATS (sizeof table / sizeof table[0])

const char *snn_import_format_name(snn_import_format format) {
    for (size_t i = 0; i < FORMATS; i++)
        if (table[i].format == format)
            return table[i].name;
    return "unknown";
}

/* ---- by content ---- */

/* Does the folder hold a file of that pattern? */
static bool folder_holds(const char *path, const char *pattern) {
    DIR *folder = opendir(path);
    bool found = false;
    for (struct dirent *e = folder != NULL ? readdir(folder) : NULL; e != NULL && !found; e = readdir(folder))
        found = fnmatch(pattern, e->d_name, FNM_PERIOD) == 0;
    if (folder != NULL)
        closedir(folder);
    return found;
}

static const format_entry *folder_format(const char *path) {
    for (size_t i = 0; i < FORMATS; i++)
        if (table[i].file[0] != NULL && folder_holds(path, table[i].file[0]) &&
            (table[i].file[1] == NULL || folder_holds(path, table[i].file[1])))
            return &table[i];
    return NULL;
}

typedef struct {
    const char *path;
    const format_entry *found;
} look;

/* Which group does the HDF5 file have? */
static bool look_inside(void *context, snn_error *err) {
    look *l = context;
    snn_hdf5_guard guard;
    uint64_t budget = 0;
    snn_hdf5_enter(&guard);
    snn_hdf5_reader r = {l->path, "network", &guard, &budget, err};
    hid_t file = snn_hdf5_open_file(&r);
    for (size_t i = 0; file >= 0 && i < FORMATS && l->found == NULL; i++)
        if (table[i].group != NULL && H5Lexists(file, table[i].group, H5P_DEFAULT) > 0)
            l->found = &table[i];
    if (file >= 0 && l->found == NULL)
        snn_fail(err, SNN_ERR_DATA,
                 H5Lexists(file, "snnsim", H5P_DEFAULT) > 0
                     ? "%s: is a model of snnsim already"
                     : "%s: an HDF5 file, but of no network that snnsim knows",
                 l->path);
    if (file >= 0)
        H5Fclose(file);
    snn_hdf5_leave(&guard);
    return l->found != NULL;
}

/* libhdf5 crashes on some files: a child process looks first. */
static const format_entry *hdf5_format(const char *path, snn_error *err) {
    look l = {path, NULL};
    return snn_hdf5_vet(path, look_inside, &l, err) && look_inside(&l, err) ? l.found : NULL;
}

/* "a, b or c" of what is known. */
static void list_known(char *text, size_t size) {
    size_t n = 0;
    for (size_t i = 0; i < FORMATS && n < size; i++) {
        int more = snprintf(text + n, size - n, "%s%s",
                            i == 0            ? ""
                            : i + 1 < FORMATS ? ", "
                                              : " or ",
                            table[i].described);
        n += more > 0 ? (size_t)more : 0;
    }
}

/* Does the file start as HDF5 does, perhaps behind a user block of 512 * 2^k bytes? */
static bool is_hdf5(const char *path) {
    static const char magic[8] = "\x89HDF\r\n\x1a\n";
    char start[sizeof magic];
    FILE *f = fopen(path, "rb");
    bool found = false;
    for (long at = 0; f != NULL && !found && at < 1L << 30; at = at == 0 ? SNN_HDF5_BLOCK : at * 2) {
        if (fseek(f, at, SEEK_SET) != 0 || fread(start, 1, sizeof start, f) != sizeof start)
            break;
        found = memcmp(start, magic, sizeof magic) == 0;
    }
    if (f != NULL)
        fclose(f);
    return found;
}

static const format_entry *recognise(const char *path, snn_error *err) {
    struct stat s;
    char known[512];
    if (stat(path, &s) != 0) {
        snn_fail(err, SNN_ERR_DATA, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (S_ISREG(s.st_mode) && is_hdf5(path))
        return hdf5_format(path, err);
    const format_entry *found = S_ISDIR(s.st_mode) ? folder_format(path) : NULL;
    list_known(known, sizeof known);
    if (found == NULL && (S_ISDIR(s.st_mode) ? folder_holds(path, "*.npy") : fnmatch("*.npy", path, 0) == 0))
        snn_fail(
            err, SNN_ERR_DATA,
            "%s: weights of NumPy say no network: snnsim model import CONFIG --npy LAYER=FILE takes it from "
            "a config",
            path);
    else if (found == NULL)
        snn_fail(err, SNN_ERR_DATA, "%s: is no network that snnsim knows: expected %s", path, known);
    return found;
}

snn_import_format snn_import_recognise(const char *path, snn_error *err) {
    snn_error own; /* so that err may be NULL */
    const format_entry *found = recognise(path, err != NULL ? err : &own);
    return found != NULL ? found->format : SNN_IMPORT_NONE;
}

bool snn_import(snn_model *m, const char *path, const snn_import_options *options, snn_error *err) {
    snn_error own;
    *m = (snn_model){0};
    const format_entry *found = recognise(path, err != NULL ? err : &own);
    return found != NULL && found->read(m, path, options, err);
}
