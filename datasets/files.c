/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Paths of the config, folders of recordings, and reading one recording into a reused buffer. */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_VARIABLE "SNNSIM_DATA"
#define WHERE_SIZE 256
#define DATA_DEFAULT "../shared/data" /* seen from the repository's root */

/* Reads up to n bytes from `first` on; less only at the end of the file. -1: see errno. */
static ssize_t read_at(int fd, uint8_t *out, size_t n, uint64_t first) {
    size_t done = 0;
    while (done < n) {
        ssize_t got = TEMP_FAILURE_RETRY(pread(fd, out + done, n - done, (off_t)(first + done)));
        if (got <= 0)
            return got < 0 ? -1 : (ssize_t)done;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

bool snn_source_read(const snn_source *s, uint64_t offset, size_t n, uint8_t *out, snn_error *err) {
    if (offset > s->size || n > s->size - offset)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu64 ": the file ends after %" PRIu64 " bytes, %zu are needed here",
                        offset, s->size, n);
    if (s->memory != NULL) {
        memcpy(out, s->memory + offset, n);
        return true;
    }
    ssize_t got = read_at(s->fd, out, n, offset);
    if (got < 0)
        return snn_fail_errno(err, "byte %" PRIu64 ": cannot read", offset);
    if ((size_t)got < n)
        return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": the file became shorter while it was read",
                        offset + (uint64_t)got);
    return true;
}

static char *concatenate(const char *a, const char *b, const char *c, snn_error *err) {
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *path = snn_alloc(size, 1, "path", err);
    if (path != NULL)
        snprintf(path, size, "%s%s%s", a, b, c);
    return path;
}

char *snn_path_join(const char *folder, const char *name, snn_error *err) {
    return concatenate(folder, "/", name, err);
}

char *snn_path_expand(const char *path, snn_error *err) {
    static const char variable[] = "$" DATA_VARIABLE;
    size_t n = sizeof variable - 1;
    if (strncmp(path, variable, n) != 0 || (path[n] != '\0' && path[n] != '/'))
        return concatenate("", "", path, err);
    const char *data = getenv(DATA_VARIABLE);
    return concatenate(data != NULL && *data != '\0' ? data : DATA_DEFAULT, "", path + n, err);
}

char *snn_path_beside(const char *folder, const char *name, snn_error *err) {
    char *plain = snn_path_expand(name, err);
    if (plain == NULL || *plain == '/' || *folder == '\0')
        return plain;
    char *beside = snn_path_join(folder, plain, err);
    struct stat st;
    if (beside != NULL && stat(beside, &st) != 0 && stat(plain, &st) == 0) {
        free(beside);
        return plain;
    }
    free(plain);
    return beside;
}

bool snn_folder_open(snn_dataset *d, const snn_config *config, snn_error *err) {
    d->folder = snn_path_expand(snn_config_string(config, "dataset.path"), err);
    if (d->folder == NULL)
        return false;
    d->info.folder = d->folder;
    d->folder_fd = open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->folder_fd == -1) {
        char where[WHERE_SIZE];
        return snn_fail(err, SNN_ERR_DATA, "%s: dataset.path: cannot open the folder %s: %s",
                        snn_config_where(config, "dataset.path", where, sizeof where), d->folder,
                        strerror(errno));
    }
    return true;
}

bool snn_text_read(const char *path, uint8_t **text, size_t *size, snn_error *err) {
    return snn_file_read_regular(path, SNN_LIST_MAX, text, size, err);
}

bool snn_recording_size(const snn_dataset *d, const char *path, unsigned unit, uint64_t *size, bool *found,
                        snn_error *err) {
    struct stat st;
    *found = fstatat(d->folder_fd, path, &st, 0) == 0;
    if (!*found)
        return true;
    *size = (uint64_t)st.st_size;
    if (!S_ISREG(st.st_mode))
        return snn_fail(err, SNN_ERR_DATA, "%s/%s: not a file", d->folder, path);
    if (*size > SNN_RECORDING_MAX)
        return snn_fail(err, SNN_ERR_DATA, "%s/%s: %" PRIu64 " bytes; a recording has at most 1 GiB",
                        d->folder, path, *size);
    if (*size % unit != 0)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s/%s: byte %" PRIu64 ": the recording is cut off inside an event (%" PRIu64
                        " bytes are not a multiple of %u)",
                        d->folder, path, *size - *size % unit, *size, unit);
    return true;
}

static bool open_below(const snn_dataset *d, const char *path, int *fd, snn_error *err) {
    *fd = openat(d->folder_fd, path, O_RDONLY | O_CLOEXEC);
    return *fd != -1 || snn_fail(err, SNN_ERR_DATA, "%s/%s: cannot open the recording: %s", d->folder, path,
                                 strerror(errno));
}

bool snn_recording_open(const snn_dataset *d, const char *path, uint64_t size, snn_source *s,
                        snn_error *err) {
    *s = (snn_source){.size = size};
    return open_below(d, path, &s->fd, err);
}

bool snn_recording_read(const snn_dataset *d, const char *path, uint64_t first, uint64_t size, bool part,
                        snn_dataset_buffer *b, snn_error *err) {
    int fd;
    struct stat st;
    if (!snn_grow((void **)&b->bytes, &b->bytes_capacity, (size_t)size, 1, err) ||
        !open_below(d, path, &fd, err))
        return false;
    ssize_t got = read_at(fd, b->bytes, (size_t)size, first);
    int saved = errno;
    bool same = part || (fstat(fd, &st) == 0 && (uint64_t)st.st_size == size);
    close(fd);
    if (got < 0)
        return snn_fail(err, SNN_ERR_DATA, "%s/%s: cannot read the recording: %s", d->folder, path,
                        strerror(saved));
    return ((uint64_t)got == size && same) ||
           snn_fail(err, SNN_ERR_DATA,
                    "%s/%s: its size changed since the data set was opened (%" PRIu64 " bytes then)",
                    d->folder, path, size);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool snn_names_add(snn_names *names, const char *text, size_t size, snn_error *err) {
    char *name = strndup(text, size);
    if (name == NULL)
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory for a list of files");
    bool ok = snn_push((void **)&names->name, &names->capacity, &names->n, &name, sizeof name, err);
    if (!ok)
        free(name);
    return ok;
}

void snn_names_free(snn_names *names) {
    for (size_t i = 0; i < names->n; i++)
        free(names->name[i]);
    free(names->name);
    *names = (snn_names){0};
}

static bool ends_with(const char *name, const char *ending) {
    size_t n = strlen(name), m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0;
}

bool snn_folder_names(const snn_dataset *d, const char *path, const char *ending, bool optional,
                      snn_names *names, snn_error *err) {
    char *full = snn_path_join(d->folder, path, err);
    DIR *dir = full != NULL ? opendir(full) : NULL;
    bool absent = dir == NULL && full != NULL && errno == ENOENT && optional;
    bool ok = dir != NULL || absent;
    if (!ok && full != NULL)
        snn_fail(err, SNN_ERR_DATA, "%s: cannot open the folder: %s", full, strerror(errno));
    free(full);
    if (dir == NULL)
        return ok;
    for (const struct dirent *entry; ok && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.' && ends_with(entry->d_name, ending))
            ok = snn_names_add(names, entry->d_name, strlen(entry->d_name), err);
    closedir(dir);
    if (names->name != NULL)
        qsort(names->name, names->n, sizeof *names->name, by_name);
    return ok;
}
