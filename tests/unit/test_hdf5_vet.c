/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading in a child process: what it may do, what comes back from it, and what its end means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <pthread.h>
#include <signal.h>
#include <snnsim/hdf5_file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char path[64];

static int make_path(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/test_hdf5_vet.%d", (int)getpid());
    return close(open(path, O_CREAT | O_RDWR, 0600));
}

static int remove_path(void **state) {
    (void)state;
    return unlink(path);
}

static void vet_fails(bool (*read)(void *, snn_error *), void *context, snn_code code, const char *text) {
    snn_error err = {0};
    assert_false(snn_hdf5_vet(path, read, context, &err));
    char expected[1100];
    snprintf(expected, sizeof expected, text, path);
    assert_string_equal(err.text, expected);
    assert_int_equal(err.code, code);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

/* ---- what comes back ---- */

static bool succeed(void *context, snn_error *err) {
    (void)err;
    *(int *)context = 7;
    return true;
}

static bool refuse(void *context, snn_error *err) {
    return snn_fail(err, *(snn_code *)context, "%s: 100 %% wrong", path);
}

static bool refuse_at_length(void *context, snn_error *err) {
    memset(err->text, 'x', sizeof err->text - 1);
    err->text[sizeof err->text - 1] = '\0';
    err->code = *(snn_code *)context;
    return false;
}

static void its_verdict_is_ours(void **state) {
    (void)state;
    int value = 3;
    snn_error err = {0};
    assert_true(snn_hdf5_vet(path, succeed, &value, &err));
    assert_int_equal(value, 3); /* what it wrote is lost */
    snn_code code = SNN_ERR_DATA;
    vet_fails(refuse, &code, SNN_ERR_DATA, "%s: 100 %% wrong");
    code = SNN_ERR_RUNTIME;
    vet_fails(refuse, &code, SNN_ERR_RUNTIME, "%s: 100 %% wrong");
    assert_false(snn_hdf5_vet(path, refuse_at_length, &code, &err));
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_false(snn_hdf5_vet(path, refuse, &code, NULL));
}

/* ---- how it can end ---- */

static bool end_by_signal(void *context, snn_error *err) {
    (void)err;
    raise(*(int *)context);
    return true;
}

static bool end_by_exit(void *context, snn_error *err) {
    (void)err;
    _exit(*(int *)context);
}

static void on_signal(int number) {
    (void)number;
}

static void it_may_crash(void **state) {
    (void)state;
    char text[100];
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGKILL};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        int number = signals[i];
        snprintf(text, sizeof text, "%%s: libhdf5 crashed while reading it (signal %d): the file is damaged",
                 number);
        if (number != SIGKILL) /* our own handlers are not for it */
            signal(number, on_signal);
        vet_fails(end_by_signal, &number, SNN_ERR_DATA, text);
        if (number != SIGKILL)
            signal(number, SIG_DFL);
    }
    int number = SIGXCPU;
    vet_fails(end_by_signal, &number, SNN_ERR_DATA,
              "%s: libhdf5 did not come to an end while reading it: the file is damaged");
    int status = 0; /* an exit is no verdict, whatever its status */
    vet_fails(end_by_exit, &status, SNN_ERR_DATA,
              "%s: libhdf5 ended the process that read it (status 0): the file is damaged");
    status = 5;
    vet_fails(end_by_exit, &status, SNN_ERR_DATA,
              "%s: libhdf5 ended the process that read it (status 5): the file is damaged");
}

/* ---- a file that crashes libhdf5 1.10 ---- */

static const char hostile[] = "tests/golden/hostile/heap.nir"; /* made by tests/golden/make_hostile_hdf5.py */

static bool read_type(void *context, snn_error *err) {
    snn_hdf5_guard g;
    uint64_t budget = 0;
    char *text = NULL;
    snn_hdf5_enter(&g);
    snn_hdf5_reader r = {hostile, "network", &g, &budget, err};
    hid_t file = snn_hdf5_open_file(&r), d = H5Dopen2(file, context, H5P_DEFAULT), type = H5Dget_type(d);
    bool ok = d >= 0 && H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text) >= 0;
    free(text);
    H5Tclose(type);
    H5Dclose(d);
    H5Fclose(file);
    snn_hdf5_leave(&g);
    return ok || snn_fail(err, SNN_ERR_DATA, "cannot be read");
}

static void a_hostile_file(void **state) {
    (void)state;
    snn_error err = {0};
    assert_true(snn_hdf5_vet(hostile, read_type, "version", &err)); /* what is good in it */
    assert_false(snn_hdf5_vet(hostile, read_type, "node/type", &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    /* A sanitizer turns the crash into an exit, later libraries find the damage themselves. */
#ifndef __SANITIZE_ADDRESS__
    if (strstr(err.text, "cannot be read") == NULL)
        assert_string_equal(err.text,
                            "tests/golden/hostile/heap.nir: libhdf5 crashed while reading it (signal 11): "
                            "the file is damaged");
#endif
    assert_true(snn_hdf5_vet(hostile, read_type, "version", &err));
}

/* ---- what it may not do ---- */

#define FAIL_UNLESS(condition)                                                                               \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            return snn_fail(err, SNN_ERR_DATA, "not: %s", #condition);                                       \
    } while (0)

static bool look_around(void *context, snn_error *err) {
    struct rlimit r;
    struct stat null, fd;
    FAIL_UNLESS(fcntl(*(int *)context, F_GETFD) == -1 && errno == EBADF);
    FAIL_UNLESS(getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_cur == 0 && r.rlim_max == 0);
    FAIL_UNLESS(getrlimit(RLIMIT_CPU, &r) == 0 && r.rlim_cur == 60);
    FAIL_UNLESS(getrlimit(RLIMIT_FSIZE, &r) == 0 && r.rlim_cur == 0);
    FAIL_UNLESS(stat("/dev/null", &null) == 0);
    for (int i = 0; i < 3; i++) {
        FAIL_UNLESS(fstat(i, &fd) == 0);
        FAIL_UNLESS(fd.st_rdev == null.st_rdev);
    }
    int open_now = 0;
    for (int i = 3; i < 1000; i++)
        open_now += fcntl(i, F_GETFD) != -1;
    FAIL_UNLESS(open_now == 1); /* the pipe to us */
    return true;
}

#ifndef __SANITIZE_ADDRESS__ /* it reserves more address space than the limit leaves */
static bool take_memory(void *context, snn_error *err) {
    uint64_t gib = *(uint64_t *)context;
    char *p = malloc((size_t)(gib << 30));
    if (p == NULL)
        return snn_fail(err, SNN_ERR_RUNTIME, "no");
    p[0] = 1;
    free(p);
    return true;
}
#endif

static void it_is_confined(void **state) {
    (void)state;
    snn_error err = {0};
    int fd = open("/dev/null", O_RDONLY), high = fcntl(fd, F_DUPFD, 500);
    if (!snn_hdf5_vet(path, look_around, &fd, &err) || !snn_hdf5_vet(path, look_around, &high, &err))
        fail_msg("%s", err.text);
    close(high);
    close(fd);
    assert_true(fcntl(0, F_GETFD) != -1); /* ours are still there */
#ifndef __SANITIZE_ADDRESS__
    uint64_t gib = 1;
    assert_true(snn_hdf5_vet(path, take_memory, &gib, &err));
    gib = 5;
    vet_fails(take_memory, &gib, SNN_ERR_RUNTIME, "no%.0s");
#endif
}

/* ---- files ---- */

static void only_files_are_opened(void **state) {
    (void)state;
    int value;
    snn_error err = {0};
    char fifo[80];
    snprintf(fifo, sizeof fifo, "%s.fifo", path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_false(snn_hdf5_vet(fifo, succeed, &value, &err));
    unlink(fifo);
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_non_null(strstr(err.text, ".fifo: is not a file"));
    assert_false(snn_hdf5_vet("/tmp", succeed, &value, &err));
    assert_string_equal(err.text, "/tmp: is not a file");
    assert_false(snn_hdf5_vet("/nowhere/x.h5", succeed, &value, &err));
    assert_string_equal(err.text, "/nowhere/x.h5: cannot be opened: No such file or directory");
    assert_int_equal(err.code, SNN_ERR_DATA);
}

/* ---- threads ---- */

static bool work(void *context, snn_error *err) {
    snn_hdf5_guard g, inner;
    (void)context;
    snn_hdf5_enter(&g);
    snn_hdf5_enter(&inner); /* may be nested, also in the child */
    snn_hid p = snn_hdf5_access();
    char *text = malloc(100000);
    bool ok = p >= 0 && text != NULL;
    free(text);
    snn_hdf5_leave(&inner);
    snn_hdf5_leave(&g);
    return ok || snn_fail(err, SNN_ERR_RUNTIME, "no");
}

static volatile bool stop;

/* Keeps the locks of malloc and libhdf5 busy. */
static void *disturb(void *context) {
    snn_error err;
    while (!stop)
        for (int i = 0; i < 10; i++)
            work(context, &err);
    return NULL;
}

static void other_threads_do_not_disturb(void **state) {
    (void)state;
    pthread_t thread[2];
    snn_error err = {0};
    stop = false;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, disturb, NULL), 0);
    for (int i = 0; i < 50; i++)
        if (!snn_hdf5_vet(path, work, NULL, &err))
            fail_msg("%s", err.text);
    stop = true;
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    signal(SIGCHLD, SIG_IGN); /* then there is no status to wait for */
    assert_true(snn_hdf5_vet(path, work, NULL, &err));
    int number = SIGSEGV;
    assert_false(snn_hdf5_vet(path, end_by_signal, &number, &err));
    signal(SIGCHLD, SIG_DFL);
    assert_non_null(strstr(err.text, "the file is damaged"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_verdict_is_ours),   cmocka_unit_test(it_may_crash),
        cmocka_unit_test(a_hostile_file),        cmocka_unit_test(it_is_confined),
        cmocka_unit_test(only_files_are_opened), cmocka_unit_test(other_threads_do_not_disturb),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
