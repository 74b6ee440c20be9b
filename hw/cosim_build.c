/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Co-simulation: making the Verilated object with verilog/cosim.sh, and loading one. */
#include "cosim_internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SNN_VERILOG_DIR
#define SNN_VERILOG_DIR "/usr/local/share/snnsim/verilog"
#endif

extern char **environ;

/* ---- finding the Verilog ---- */

static bool has_script(const char *folder, char path[PATH_MAX]) {
    struct stat st;
    int n = snprintf(path, PATH_MAX, "%s/cosim.sh", folder);
    return n > 0 && n < PATH_MAX && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool find_script(const snn_rtl_options *o, char path[PATH_MAX], snn_error *err) {
    const char *named = o->folder ? o->folder : getenv("SNNSIM_VERILOG");
    if (named && *named)
        return has_script(named, path) ||
               snn_fail(err, SNN_ERR_USAGE, "%s: holds no cosim.sh, expected snnsim's folder verilog", named);
    return has_script("verilog", path) || has_script(SNN_VERILOG_DIR, path) ||
           snn_fail(err, SNN_ERR_USAGE,
                    "no Verilog for a co-simulation: neither verilog nor " SNN_VERILOG_DIR
                    " holds cosim.sh; SNNSIM_VERILOG names the folder");
}

static bool in_path(const char *program) {
    const char *all = getenv("PATH");
    char path[PATH_MAX];
    for (const char *p = all ? all : ""; *p;) {
        const size_t n = strcspn(p, ":");
        const int length = snprintf(path, sizeof path, "%.*s/%s", (int)n, p, program);
        if (n && length > 0 && (size_t)length < sizeof path && access(path, X_OK) == 0)
            return true;
        p += n + (p[n] == ':');
    }
    return false;
}

bool snn_rtl_available(const snn_rtl_options *o, snn_error *err) {
    char path[PATH_MAX];
    if (!find_script(o, path, err))
        return false;
    static const char *const needed[] = {"bash", "verilator", "g++"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!in_path(needed[i]))
            return snn_fail(err, SNN_ERR_RUNTIME, "a co-simulation needs %s (Debian: apt-get install %s)",
                            needed[i], needed[i]);
    return true;
}

/* ---- running the script ---- */

#define ARGUMENTS 24
#define ARGUMENT 64

typedef struct {
    char text[ARGUMENTS][ARGUMENT];
    char *argv[ARGUMENTS + 8];
    int n, texts;
} command;

static void push(command *c, const char *word) {
    c->argv[c->n++] = (char *)(uintptr_t)word; /* exec's argv is not const, but does not change */
    c->argv[c->n] = NULL;
}

static void push_number(command *c, const char *name, uint32_t value) {
    char *text = c->text[c->texts++];
    snprintf(text, ARGUMENT, "%s=%" PRIu32, name, value);
    push(c, text);
}

static void make_command(command *c, const char *script, const snn_tile_shape *s, const snn_rtl_options *o) {
    const snn_decryptor_shape *d = &s->decryptor;
    c->n = c->texts = 0;
    push(c, "bash");
    push(c, script);
    if (o->cache) {
        push(c, "-c");
        push(c, o->cache);
    }
    push(c, "-t"); /* always: RTL_TOP of the environment is the command's matter */
    push(c, o->top ? o->top : "");
    char *module = c->text[c->texts++];
    snprintf(module, ARGUMENT, "DECRYPTOR=dec_%s", snn_decryptor_name(d->kind));
    push(c, module);
    push_number(c, "ADDR", d->address);
    push_number(c, "LANES", d->lanes);
    push_number(c, "BITS", d->bits);
    push_number(c, "KEYABLE", d->keyable);
    push_number(c, "KEYS", d->keys);
    push_number(c, "WAYS", d->ways);
    push_number(c, "GATED", o->gated);
    push_number(c, "STORE", o->latches);
    push_number(c, "ENCODING", (uint32_t)s->encoding);
    push_number(c, "WORDS", s->words);
    push_number(c, "QUEUE", s->queue);
}

/* What comes out of fd, up to size - 1 bytes; the rest is read and dropped. */
static void drain(int fd, char *text, size_t size) {
    size_t used = 0;
    char rest[512] = {0};
    for (;;) {
        const bool room = used + 1 < size;
        ssize_t n = read(fd, room ? text + used : rest, room ? size - 1 - used : sizeof rest);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        used += room && n > 0 ? (size_t)n : 0;
    }
    text[used] = 0;
}

/* Starts it with standard output into a pipe; errors go where ours go. */
static bool start(command *c, pid_t *pid, int *from, snn_error *err) {
    int fd[2];
    posix_spawn_file_actions_t actions;
    if (pipe2(fd, O_CLOEXEC) != 0)
        return snn_fail_errno(err, "a pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd[1], STDOUT_FILENO);
    const int failed = posix_spawnp(pid, c->argv[0], &actions, NULL, c->argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fd[1]);
    *from = fd[0];
    if (!failed)
        return true;
    close(fd[0]);
    errno = failed;
    return snn_fail_errno(err, "%s", c->argv[0]);
}

char *snn_rtl_build(const snn_tile_shape *shape, const snn_rtl_options *options, snn_error *err) {
    char script[PATH_MAX], path[PATH_MAX];
    command c;
    pid_t pid;
    int from = -1, status = 0;
    if (!snn_rtl_available(options, err) || !find_script(options, script, err))
        return NULL;
    make_command(&c, script, shape, options);
    if (!start(&c, &pid, &from, err))
        return NULL;
    drain(from, path, sizeof path);
    close(from);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    path[strcspn(path, "\n")] = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !*path) {
        snn_fail(err, SNN_ERR_RUNTIME, "%s could not make the circuit (its message stands above)", script);
        return NULL;
    }
    char *copy = strdup(path);
    if (!copy)
        snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    return copy;
}

/* ---- loading ---- */

struct snn_rtl_library {
    void *handle;
    const snn_rtl_face *face;
};

static bool check(const snn_rtl_face *f, const char *path, const snn_tile_shape *s, snn_error *err) {
    if (!f || f->abi != SNN_RTL_ABI)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: was made by another version of snnsim (verilog/cosim.sh makes it)", path);
    if (!s)
        return true;
    const snn_decryptor_shape *d = &s->decryptor;
    const snn_rtl_parameters *p = &f->parameters;
    const struct {
        const char *name;
        uint32_t have, want;
    } all[] = {{"ADDR", p->address, d->address}, {"LANES", p->lanes, d->lanes},
               {"BITS", p->bits, d->bits},       {"KEYABLE", p->keyable, d->keyable},
               {"KEYS", p->keys, d->keys},       {"WAYS", p->ways, d->ways},
               {"WORDS", p->words, s->words},    {"ENCODING", p->encoding, (uint32_t)s->encoding},
               {"QUEUE", p->queue, s->queue}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].have != all[i].want)
            return snn_fail(err, SNN_ERR_DATA, "%s: has %s = %" PRIu32 ", expected %" PRIu32, path,
                            all[i].name, all[i].have, all[i].want);
    return true;
}

snn_rtl_library *snn_rtl_open(const char *path, const snn_tile_shape *shape, snn_error *err) {
    char here[PATH_MAX + 2];
    snprintf(here, sizeof here, "%s%s", strchr(path, '/') ? "" : "./",
             path); /* not in the system's folders */
    snn_rtl_library *l = snn_alloc(1, sizeof *l, "the circuit", err);
    if (!l)
        return NULL;
    l->handle = dlopen(here, RTLD_NOW | RTLD_LOCAL);
    if (!l->handle) {
        snn_fail(err, SNN_ERR_DATA, "%s: is no shared object of a circuit (%s)", path, dlerror());
        free(l);
        return NULL;
    }
    const snn_rtl_face *(*entry)(void);
    void *symbol = dlsym(l->handle, SNN_RTL_ENTRY);
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from object to function */
    l->face = symbol ? entry() : NULL;
    if (!check(l->face, path, shape, err)) {
        snn_rtl_close(l);
        return NULL;
    }
    return l;
}

void snn_rtl_close(snn_rtl_library *l) {
    if (!l)
        return;
    dlclose(l->handle);
    free(l);
}

const snn_rtl_face *snn_rtl_face_of(const snn_rtl_library *l) {
    return l->face;
}

const char *snn_rtl_digest(const snn_rtl_library *l) {
    return l->face->digest;
}

const char *snn_rtl_decryptor(const snn_rtl_library *l) {
    return l->face->decryptor;
}
