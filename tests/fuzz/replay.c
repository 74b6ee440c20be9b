/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A main for fuzz targets without libFuzzer: runs every file of the given files and folders once, so that `make test` keeps the targets and
 * their seeds alive. Prints TAP. A crash is what the runner sees. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int replay_file(const char *path) {
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st) != 0) {
        perror(path);
        exit(1);
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, f) != size) {
        perror(path);
        exit(1);
    }
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int replay_folder(const char *folder) {
    DIR *d = opendir(folder);
    if (!d) {
        perror(folder);
        exit(1);
    }
    char **path = NULL;
    size_t n = 0;
    for (const struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        size_t length = strlen(folder) + strlen(e->d_name) + 2;
        path = realloc(path, (n + 1) * sizeof *path);
        if (!path || !(path[n] = malloc(length)))
            exit(1);
        snprintf(path[n++], length, "%s/%s", folder, e->d_name);
    }
    closedir(d);
    qsort(path, n, sizeof *path, compare);
    int files = 0;
    for (size_t i = 0; i < n; i++) {
        files += replay_file(path[i]);
        free(path[i]);
    }
    free(path);
    return files;
}

int main(int argc, char **argv) {
    int files = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) != 0) {
            perror(argv[i]);
            return 1;
        }
        files += S_ISDIR(st.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);
    }
    printf("%s 1 - %d inputs\n", files > 0 ? "ok" : "not ok", files);
    return files > 0 ? 0 : 1;
}
