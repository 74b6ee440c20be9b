/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passphrases from file descriptors and the environment; nothing of them stays in memory. */
#include "key_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* A pipe that holds data and has no writer any more. */
static int pipe_of(const char *data, size_t size) {
    int end[2];
    assert_int_equal(pipe(end), 0);
    assert_int_equal(write(end[1], data, size), size);
    close(end[1]);
    return end[0];
}

static void assert_secret(const snn_secret *s, const char *text, size_t size) {
    assert_non_null(s->text);
    assert_int_equal(s->size, size);
    assert_memory_equal(s->text, text, size);
}

static void refused(int fd, const char *text) {
    snn_secret s;
    snn_error err = {0};
    assert_false(snn_secret_get(&s, fd, NULL, false, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_string_equal(err.text, text);
    assert_null(s.text);
    assert_int_equal(s.size, 0);
}

static void from_descriptors(void **state) {
    (void)state;
    snn_error err = {0};
    snn_secret s;
    const struct {
        const char *data;
        size_t size, first;
    } cases[] = {{"abc\n", 4, 3},  {"abc", 3, 3},        {"a\n", 2, 1},     {" a b \r\n", 7, 6},
                 {"a\0b\n", 4, 3}, {"first\nx\n", 8, 5}, {"\xc3\xa9", 2, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = pipe_of(cases[i].data, cases[i].size);
        assert_true(snn_secret_get(&s, fd, "never asked", true, &err));
        assert_secret(&s, cases[i].data, cases[i].first);
        snn_secret_free(&s);
        assert_null(s.text);
        close(fd);
    }
    snn_secret_free(&s); /* twice does no harm */
}

/* One descriptor can give the old and the new passphrase. */
static void two_lines_of_one_descriptor(void **state) {
    (void)state;
    snn_error err = {0};
    snn_secret s;
    int fd = pipe_of("old\nnew one\n", 12);
    assert_true(snn_secret_get(&s, fd, NULL, false, &err));
    assert_secret(&s, "old", 3);
    snn_secret_free(&s);
    assert_true(snn_secret_get(&s, fd, NULL, false, &err));
    assert_secret(&s, "new one", 7);
    snn_secret_free(&s);
    char text[100];
    snprintf(text, sizeof text, "the passphrase from file descriptor %d is empty", fd);
    refused(fd, text);
    close(fd);
}

static void sizes(void **state) {
    (void)state;
    snn_error err = {0};
    snn_secret s;
    char data[SNN_PASSPHRASE_MAX + 2], text[100];
    memset(data, 'x', sizeof data);
    data[SNN_PASSPHRASE_MAX] = '\n';
    int fd = pipe_of(data, SNN_PASSPHRASE_MAX + 1);
    assert_true(snn_secret_get(&s, fd, NULL, false, &err));
    assert_secret(&s, data, 1024);
    snn_secret_free(&s);
    close(fd);
    data[SNN_PASSPHRASE_MAX] = 'x';
    for (size_t more = 1; more <= 2; more++) {
        fd = pipe_of(data, SNN_PASSPHRASE_MAX + more);
        snprintf(text, sizeof text, "the passphrase from file descriptor %d has more than 1024 bytes", fd);
        refused(fd, text);
        close(fd);
    }
    fd = pipe_of("\nabc\n", 5);
    snprintf(text, sizeof text, "the passphrase from file descriptor %d is empty", fd);
    refused(fd, text);
    close(fd);
    assert_true(snn_secret_set(&s, data, 1024, &err));
    assert_secret(&s, data, 1024);
    snn_secret_free(&s);
    assert_false(snn_secret_set(&s, data, 1025, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_false(snn_secret_set(&s, data, 0, &err));
    assert_null(s.text);
}

static void on_alarm(int number) {
    (void)number;
}

/* Signals that come while it waits do no harm. */
static void interrupted_reads_go_on(void **state) {
    (void)state;
    snn_error err = {0};
    snn_secret s;
    int end[2];
    assert_int_equal(pipe(end), 0);
    struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART */
    sigaction(SIGALRM, &action, NULL);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        usleep(200000);
        _exit(write(end[1], "late\n", 5) != 5);
    }
    const struct itimerval soon = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &soon, NULL);
    bool ok = snn_secret_get(&s, end[0], NULL, false, &err);
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
    assert_true(ok);
    assert_secret(&s, "late", 4);
    snn_secret_free(&s);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(end[0]);
    close(end[1]);
}

static void descriptors_that_cannot_be_read(void **state) {
    (void)state;
    refused(999, "cannot read a passphrase from file descriptor 999: Bad file descriptor");
    int fd = open("/dev/null", O_WRONLY);
    char text[100];
    snprintf(text, sizeof text, "cannot read a passphrase from file descriptor %d: Bad file descriptor", fd);
    refused(fd, text);
    close(fd);
}

static void from_the_environment(void **state) {
    (void)state;
    snn_error err = {0};
    snn_secret s;
    setenv("SNNSIM_PASSPHRASE", "from outside", 1);
    const char *bytes = getenv("SNNSIM_PASSPHRASE");
    /* a descriptor wins, and leaves the environment alone */
    int fd = pipe_of("x\n", 2);
    assert_true(snn_secret_get(&s, fd, NULL, false, &err));
    assert_secret(&s, "x", 1);
    snn_secret_free(&s);
    close(fd);
    assert_string_equal(bytes, "from outside");
    assert_true(snn_secret_get(&s, -1, "never asked", true, &err));
    assert_secret(&s, "from outside", 12);
    snn_secret_free(&s);
    assert_null(getenv("SNNSIM_PASSPHRASE"));
    for (int i = 0; i < 12; i++)
        assert_int_equal(bytes[i], 0);
    /* nothing left: none */
    assert_true(snn_secret_get(&s, -1, NULL, false, &err));
    assert_null(s.text);
    setenv("SNNSIM_PASSPHRASE", "", 1);
    refused(-1, "the passphrase from the environment variable SNNSIM_PASSPHRASE is empty");
    assert_null(getenv("SNNSIM_PASSPHRASE"));
    char longer[SNN_PASSPHRASE_MAX + 2];
    memset(longer, 'y', sizeof longer);
    longer[SNN_PASSPHRASE_MAX + 1] = '\0';
    setenv("SNNSIM_PASSPHRASE", longer, 1);
    bytes = getenv("SNNSIM_PASSPHRASE");
    refused(-1, "the passphrase from the environment variable SNNSIM_PASSPHRASE has more than 1024 bytes");
    for (int i = 0; i <= SNN_PASSPHRASE_MAX; i++)
        assert_int_equal(bytes[i], 0);
    setenv("SNNSIM_PASSPHRASE", "forget", 1);
    bytes = getenv("SNNSIM_PASSPHRASE");
    snn_secret_forget();
    assert_null(getenv("SNNSIM_PASSPHRASE"));
    for (int i = 0; i < 6; i++)
        assert_int_equal(bytes[i], 0);
    snn_secret_forget();
}

/* ---- what stays in memory ---- */

enum { NEEDLE = 30 };

/* The passphrase stands nowhere in this program: it is computed. */
static void make_passphrase(char out[NEEDLE]) {
    for (int i = 0; i < NEEDLE; i++)
        out[i] = (char)('A' + i * 7 % 53);
}

/* How often it stands in a chunk of memory. */
static int count(const uint8_t *data, size_t size) {
    int found = 0;
    for (size_t i = 0; i + NEEDLE <= size; i++) {
        size_t k = 0;
        while (k < NEEDLE && data[i + k] == 'A' + k * 7 % 53)
            k++;
        found += k == NEEDLE;
    }
    return found;
}

/* All readable memory of this process. */
static int count_in_memory(void) {
    enum { CHUNK = 1 << 16 };
    int memory = open("/proc/self/mem", O_RDONLY), found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    uint8_t *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char line[512];
    if (memory < 0 || !maps || chunk == MAP_FAILED)
        return -1;
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        char mode[8];
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[0] != 'r' ||
            from == (unsigned long)chunk)
            continue;
        for (unsigned long at = from; at < to; at += CHUNK - NEEDLE) { /* overlapping */
            size_t want = to - at < CHUNK ? to - at : CHUNK;
            ssize_t n = pread(memory, chunk, want, (off_t)at);
            if (n > 0)
                found += count(chunk, (size_t)n);
            if (want < CHUNK)
                break;
        }
    }
    memset(chunk, 0, CHUNK);
    munmap(chunk, CHUNK);
    fclose(maps);
    close(memory);
    return found;
}

/* The whole way of a passphrase, in a process of its own; exit code 0 when all is as it must be. */
static void child(bool by_environment, const char *path) {
    char text[NEEDLE + 1] = {0};
    snn_error err = {0};
    snn_secret s;
    uint8_t payload[KEY_PAYLOAD];
    int end[2];
    make_passphrase(text);
    if (count_in_memory() < 1 || pipe(end) != 0) /* the control: it is found where it is */
        _exit(1);
    if (by_environment)
        setenv("SNNSIM_PASSPHRASE", text, 1);
    else if (write(end[1], text, NEEDLE) != NEEDLE)
        _exit(2);
    sodium_memzero(text, sizeof text);
    close(end[1]);
    if (!snn_secret_get(&s, by_environment ? -1 : end[0], NULL, false, &err))
        _exit(3);
    if (count_in_memory() != 1) /* the guarded memory alone */
        _exit(4);
    hand_payload(payload);
    write_clear(path, payload, sizeof payload);
    snn_key *k = snn_key_load(path, NULL, &err);
    if (!k || !snn_key_save(k, path, &s, SNN_KDF_INTERACTIVE, &err))
        _exit(5);
    if (count_in_memory() != 1) /* nor does the key derivation leave it on the stack */
        _exit(6);
    snn_key *back = snn_key_load(path, &s, &err);
    if (!back || count_in_memory() != 1)
        _exit(7);
    snn_secret_free(&s);
    _exit(count_in_memory() == 0 ? 0 : 8);
}

static void passphrases_stay_nowhere(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    print_message("skipped: the sanitizer's memory is too large to search\n");
    skip();
#endif
    char path[64];
    snprintf(path, sizeof path, "/tmp/test_secret.%d.key", (int)getpid());
    for (int by_environment = 0; by_environment <= 1; by_environment++) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            child(by_environment, path);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_descriptors),
        cmocka_unit_test(two_lines_of_one_descriptor),
        cmocka_unit_test(sizes),
        cmocka_unit_test(interrupted_reads_go_on),
        cmocka_unit_test(descriptors_that_cannot_be_read),
        cmocka_unit_test(from_the_environment),
        cmocka_unit_test(passphrases_stay_nowhere),
    };
    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
