/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that are never half-written (temporary file in the same folder, fsync, rename), folders, whole-file reads.
 */
#include <snnsim/output.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_TRIES 10000  /* temporary names tried: each taken one was left by a process with our id */
#define BASE_NAME_MAX 200 /* of the target's name in the temporary one; a name holds 255 bytes */

struct snn_file {
    char *path;      /* target, symbolic links followed */
    char *temporary; /* beside it */
    FILE *stream;
};

static void release(snn_file *f) {
    if (f->stream)
        fclose(f->stream);
    free(f->path);
    free(f->temporary);
    free(f);
}

/* Length of the folder part of a path with its last '/', 0 when there is none. */
static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Where the bytes will go: a symbolic link is followed, so that it stays a link. NULL when it cannot be a file. */
static char *resolve_target(const char *path, snn_error *err) {
    size_t length = strlen(path);
    if (length == 0) {
        snn_fail(err, SNN_ERR_RUNTIME, "cannot write a file with an empty name");
        return NULL;
    }
    struct stat st;
    bool exists = stat(path, &st) == 0;
    if (path[length - 1] == '/' || (exists && S_ISDIR(st.st_mode))) {
        snn_fail(err, SNN_ERR_RUNTIME, "cannot write '%s': it is a folder", path);
        return NULL;
    }
    if (exists && !S_ISREG(st.st_mode)) {
        snn_fail(err, SNN_ERR_RUNTIME, "cannot write '%s': it is not a regular file", path);
        return NULL;
    }
    char *target = exists ? realpath(path, NULL) : strdup(path);
    if (!target)
        snn_fail_errno(err, "cannot write '%s'", path);
    return target;
}

/* What killed processes have left beside the target: a key in clear or a search must not lie about for ever. Failing is no error: it is a courtesy. */
static void remove_stale(const char *path) {
    const size_t folder = folder_length(path);
    char prefix[BASE_NAME_MAX + 8];
    const int length = snprintf(prefix, sizeof prefix, ".~%.*s.", BASE_NAME_MAX, path + folder);
    char *where = folder ? strndup(path, folder) : strdup(".");
    DIR *d = where ? opendir(where) : NULL;
    free(where);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        char end;
        long pid;
        int number;
        struct stat st;
        if (strncmp(entry->d_name, prefix, (size_t)length) != 0 ||
            sscanf(entry->d_name + length, "%ld.%d%c", &pid, &number, &end) != 2 || pid <= 0 || pid > INT_MAX)
            continue;
        const bool gone = kill((pid_t)pid, 0) != 0 && errno == ESRCH;
        if (gone && fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            st.st_uid == geteuid())
            unlinkat(dirfd(d), entry->d_name, 0);
    }
    if (d)
        closedir(d);
}

/* Opens an exclusive temporary file beside the target; -1 with errno. The kernel applies the umask. */
static int open_temporary(snn_file *f, unsigned mode) {
    size_t folder = folder_length(f->path);
    size_t room = folder + BASE_NAME_MAX + 64;
    f->temporary = malloc(room);
    if (!f->temporary)
        return -1;
    for (int n = 0; n < NAME_TRIES; n++) {
        snprintf(f->temporary, room, "%.*s.~%.*s.%ld.%d", (int)folder, f->path, BASE_NAME_MAX,
                 f->path + folder, (long)getpid(), n);
        int fd = open(f->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

snn_file *snn_file_create(const char *path, unsigned mode, snn_error *err) {
    snn_file *f = calloc(1, sizeof *f);
    if (!f) {
        snn_fail(err, SNN_ERR_RUNTIME, "cannot write '%s': out of memory", path);
        return NULL;
    }
    f->path = resolve_target(path, err);
    if (!f->path) {
        release(f);
        return NULL;
    }
    remove_stale(f->path);
    int fd = open_temporary(f, mode);
    if (fd < 0) {
        snn_fail_errno(err, "cannot write '%s'", path);
        release(f);
        return NULL;
    }
    f->stream = fdopen(fd, "w+b");
    if (!f->stream) {
        snn_fail_errno(err, "cannot write '%s'", path);
        close(fd);
        unlink(f->temporary);
        release(f);
        return NULL;
    }
    return f;
}

FILE *snn_file_stream(snn_file *f) {
    return f->stream;
}
const char *snn_file_temporary(const snn_file *f) {
    return f->temporary;
}

void snn_file_abandon(snn_file *f) {
    if (!f)
        return;
    unlink(f->temporary);
    release(f);
}

/* Flushes the stream and the file behind it. The file is opened again by name for the sync, because a library may have
 * written it by name. */
static bool flush_all(snn_file *f, snn_error *err) {
    if (ferror(f->stream))
        return snn_fail(err, SNN_ERR_RUNTIME, "cannot write '%s': a write failed (disk full?)", f->path);
    if (fflush(f->stream) != 0)
        return snn_fail_errno(err, "cannot write '%s'", f->path);
    FILE *stream = f->stream;
    f->stream = NULL;
    if (fclose(stream) != 0)
        return snn_fail_errno(err, "cannot write '%s'", f->path);
    int fd = open(f->temporary, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return snn_fail_errno(err, "cannot write '%s'", f->path);
    bool ok = fsync(fd) == 0 || errno == EINVAL || errno == EROFS;
    if (!ok)
        snn_fail_errno(err, "cannot write '%s'", f->path);
    close(fd);
    return ok;
}

/* Makes the new name itself durable. Some file systems cannot sync a folder: the file is complete all the same. */
static void sync_folder(const char *path) {
    size_t length = folder_length(path);
    char *folder = length ? strndup(path, length) : strdup(".");
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)!fsync(fd);
        close(fd);
    }
    free(folder);
}

bool snn_file_commit(snn_file *f, snn_error *err) {
    bool ok = flush_all(f, err);
    if (ok && rename(f->temporary, f->path) != 0)
        ok = snn_fail_errno(err, "cannot write '%s'", f->path);
    if (ok)
        sync_folder(f->path);
    else
        unlink(f->temporary);
    release(f);
    return ok;
}

static bool is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool snn_folder_create(const char *path, snn_error *err) {
    char *part = strdup(path);
    if (!part)
        return snn_fail(err, SNN_ERR_RUNTIME, "cannot create folder '%s': out of memory", path);
    bool ok = *path != '\0';
    if (!ok)
        errno = ENOENT;
    /* Each prefix in turn: mkdir may fail for a folder that exists (EEXIST, or EROFS, EACCES above it). */
    for (char *c = part + 1; ok && *part; c++) {
        if (*c != '/' && *c != '\0')
            continue;
        char saved = *c;
        *c = '\0';
        if (mkdir(part, 0777) != 0) {
            int why = errno;
            ok = is_folder(part);
            errno = why == EEXIST ? ENOTDIR : why;
        }
        *c = saved;
        if (saved == '\0')
            break;
    }
    if (!ok)
        snn_fail_errno(err, "cannot create folder '%s'", path);
    free(part);
    return ok;
}

/* Reads up to limit + 1 bytes: one too many shows that the file is too large, also where the size is not known. */
static bool read_all(int fd, const char *path, size_t limit, size_t expected, uint8_t **data, size_t *size,
                     snn_error *err) {
    size_t capacity = 0, used = 0;
    if (!snn_grow((void **)data, &capacity, expected + 2, 1, err))
        return snn_error_context(err, "%s", path);
    for (;;) {
        if (used + 1 >= capacity && !snn_grow((void **)data, &capacity, used + 4096, 1, err))
            return snn_error_context(err, "%s", path);
        ssize_t n = read(fd, *data + used, capacity - used - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            snn_fail_errno(err, "%s: cannot read", path);
            if (err)
                err->code = SNN_ERR_DATA;
            return false;
        }
        if (n == 0)
            break;
        used += (size_t)n;
        if (used > limit)
            return snn_fail(err, SNN_ERR_DATA, "%s: larger than the limit of %zu bytes", path, limit);
    }
    (*data)[used] = 0;
    *size = used;
    return true;
}

bool snn_file_read(const char *path, size_t limit, uint8_t **data, size_t *size, snn_error *err) {
    *data = NULL;
    *size = 0;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        snn_fail_errno(err, "%s: cannot open", path);
        if (err)
            err->code = SNN_ERR_DATA;
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool ok;
    if (S_ISDIR(st.st_mode))
        ok = snn_fail(err, SNN_ERR_DATA, "%s: is a folder, not a file", path);
    else if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size > limit)
        ok = snn_fail(err, SNN_ERR_DATA, "%s: %jd bytes, larger than the limit of %zu bytes", path,
                      (intmax_t)st.st_size, limit);
    else
        ok = read_all(fd, path, limit, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0, data, size, err);
    close(fd);
    if (!ok) {
        free(*data);
        *data = NULL;
    }
    return ok;
}

bool snn_file_read_regular(const char *path, size_t limit, uint8_t **data, size_t *size, snn_error *err) {
    struct stat st;
    *data = NULL;
    *size = 0;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return snn_fail(err, SNN_ERR_DATA, "%s: not a file", path);
    return snn_file_read(path, limit, data, size, err);
}
