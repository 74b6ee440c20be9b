/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HDF5 files that nothing vouches for are read in a child process first (libhdf5 1.10 crashes on some damaged files).
 *
 * Why a fork, and not another program: what is embedded in someone's program has no helper beside it and must not run that program a second time; and a fork reads the
 * file from the very same memory as we will, so that what went well there goes well here. After a fork in a program with threads, the child has only the calling thread,
 * and may use what other threads cannot have left half-done: system calls; malloc, whose locks glibc takes and renews around fork; and libhdf5, which our lock
 * (snn_hdf5_enter) keeps others out of. It must neither start threads (OpenMP, OpenBLAS) nor write to stdio streams, and leaves through _exit.
 */
#include <snnsim/hdf5_file.h>

#include "hdf5_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_MEMORY 0 /* its shadow takes terabytes of addresses */
#elif defined(__has_feature)
#define LIMIT_MEMORY (!__has_feature(address_sanitizer))
#else
#define LIMIT_MEMORY 1
#endif

/* Reading a good file takes milliseconds and its own size. */
#define CPU_SECONDS 60
#define WALL_SECONDS 300 /* also when the machine is busy with other things */
#define MEMORY_BYTES ((uint64_t)4 << 30)

/* What the child sends when it came to an end; below PIPE_BUF, so it is there whole or not at all. */
typedef struct {
    char mark[8];
    bool ok;
    snn_error err;
} verdict;
static const char mark[8] = "verdict";

/* ---- the child ---- */

/* Addresses in use now, in bytes; 0 when the system does not say. */
static uint64_t memory_in_use(void) {
    char text[64];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd != -1 ? read(fd, text, sizeof text - 1) : -1;
    if (fd != -1)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void limit(int resource, uint64_t value) {
    struct rlimit now;
    if (getrlimit(resource, &now) == 0 && now.rlim_max < value)
        value = now.rlim_max;
    setrlimit(resource, &(struct rlimit){.rlim_cur = value, .rlim_max = value});
}

/* Takes from this process what reading one file does not need. `keep` is the only descriptor that stays. */
static void confine(int keep) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL,  SIGFPE, SIGABRT,
                                  SIGXCPU, SIGINT, SIGTERM, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0); /* core_pattern may be a program, which RLIMIT_CORE does not stop */
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++) /* glibc and sanitizers write about crashes */
        if (fd != keep && null != -1)
            dup2(null, fd);
    if (keep > 3)
        close_range(3, (unsigned)keep - 1, 0);
    close_range((unsigned)(keep < 3 ? 3 : keep + 1), ~0u, 0);
    uint64_t used = LIMIT_MEMORY ? memory_in_use() : 0;
    if (used != 0)
        limit(RLIMIT_AS, used + MEMORY_BYTES);
    limit(RLIMIT_CPU, CPU_SECONDS);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
}

static _Noreturn void run_child(int pipe, bool (*read)(void *context, snn_error *err), void *context) {
    verdict v = {.ok = false};
    memcpy(v.mark, mark, sizeof mark);
    confine(pipe);
    v.ok = read(context, &v.err);
    ssize_t sent = write(pipe, &v, sizeof v);
    _exit(sent == (ssize_t)sizeof v ? 0 : 1);
}

/* ---- the parent ---- */

/* Waits for the verdict, kills the child when none comes; returns whether it had to. */
static bool receive(int pipe, pid_t child, verdict *v, size_t *got) {
    struct pollfd p = {.fd = pipe, .events = POLLIN};
    bool late = false;
    *got = 0;
    while (*got < sizeof *v) {
        int ready = poll(&p, 1, WALL_SECONDS * 1000);
        if (ready < 0 && errno == EINTR)
            continue;
        late = ready == 0;
        ssize_t n = ready > 0 ? read(pipe, (char *)v + *got, sizeof *v - *got) : -1;
        if (n < 0 && ready > 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        *got += (size_t)n;
    }
    if (late)
        kill(child, SIGKILL);
    return late;
}

static bool judge(const char *path, const verdict *v, size_t got, int status, bool late, snn_error *err) {
    if (got == sizeof *v && memcmp(v->mark, mark, sizeof mark) == 0) {
        if (!v->ok)
            snn_fail(err, v->err.code, "%.*s", (int)sizeof v->err.text - 1, v->err.text);
        return v->ok;
    }
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (late || number == SIGXCPU)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: libhdf5 did not come to an end while reading it: the file is damaged", path);
    if (number != 0)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: libhdf5 crashed while reading it (signal %d): the file is damaged", path,
                        number);
    return snn_fail(err, SNN_ERR_DATA,
                    "%s: libhdf5 ended the process that read it (status %d): the file is damaged", path,
                    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

bool snn_hdf5_vet(const char *path, bool (*read)(void *context, snn_error *err), void *context,
                  snn_error *err) {
    struct stat st;
    int ends[2], status = 0;
    size_t got;
    verdict v;
    if (stat(path, &st) != 0)
        return snn_fail(err, SNN_ERR_DATA, "%s: cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) /* a pipe would be waited for */
        return snn_fail(err, SNN_ERR_DATA, "%s: is not a file", path);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return snn_fail_errno(err, "%s: cannot make a pipe to the process that reads it", path);
    snn_hdf5_lock();
    pid_t child = fork();
    if (child == 0)
        run_child(ends[1], read, context);
    snn_hdf5_unlock();
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return snn_fail_errno(err, "%s: cannot start a process that reads it", path);
    }
    bool late = receive(ends[0], child, &v, &got);
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ; /* ECHILD: whoever ignores SIGCHLD has no status, the verdict counts */
    return judge(path, &v, got, status, late, err);
}
