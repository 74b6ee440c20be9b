/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that are never half-written: commit, abandon, full disk, folders; and the progress line, over a pseudo-terminal. */
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <snnsim/cpu.h>
#include <snnsim/output.h>

static char folder[64], path[128];

static int set_up(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snn-file-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/report.json", folder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static int entries(const char *of) {
    DIR *d = opendir(of);
    int n = 0;
    for (const struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static void expect_content(const char *of, const char *want) {
    uint8_t *data;
    size_t size;
    snn_error e = {0};
    if (!snn_file_read(of, 1000, &data, &size, &e))
        fail_msg("%s", e.text);
    assert_int_equal(size, strlen(want));
    assert_string_equal((char *)data, want); /* a zero byte is appended */
    free(data);
}

static snn_file *begin(const char *of, const char *text) {
    snn_error e = {0};
    snn_file *f = snn_file_create(of, 0644, &e);
    if (!f)
        fail_msg("%s", e.text);
    fputs(text, snn_file_stream(f));
    return f;
}

static void the_old_file_stays_until_commit(void **state) {
    (void)state;
    snn_error e = {0};
    assert_true(snn_file_commit(begin(path, "old"), &e));
    snn_file *f = begin(path, "new");
    fflush(snn_file_stream(f));
    expect_content(path, "old");
    assert_int_equal(entries(folder), 2);
    assert_int_equal(strncmp(snn_file_temporary(f), folder, strlen(folder)), 0); /* same folder, hidden */
    assert_int_equal(strrchr(snn_file_temporary(f), '/')[1], '.');
    assert_true(snn_file_commit(f, &e));
    expect_content(path, "new");
    assert_int_equal(entries(folder), 1);
    f = begin(path, "never");
    snn_file_abandon(f);
    snn_file_abandon(NULL);
    expect_content(path, "new");
    assert_int_equal(entries(folder), 1);
}

static void several_at_once(void **state) {
    (void)state;
    snn_error e = {0};
    snn_file *a = begin(path, "a"), *b = begin(path, "b");
    assert_string_not_equal(snn_file_temporary(a), snn_file_temporary(b));
    assert_true(snn_file_commit(b, &e));
    assert_true(snn_file_commit(a, &e));
    expect_content(path, "a");
}

static void mode_and_umask(void **state) {
    (void)state;
    snn_error e = {0};
    struct stat st;
    mode_t old = umask(027);
    assert_true(snn_file_commit(snn_file_create(path, 0666, &e), &e));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_true(snn_file_commit(snn_file_create(path, 0600, &e), &e));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    umask(old);
}

static void written_by_name(void **state) {
    (void)state;
    /* as HDF5 does: the library opens the temporary file itself */
    snn_error e = {0};
    snn_file *f = snn_file_create(path, 0644, &e);
    FILE *other = fopen(snn_file_temporary(f), "wb");
    fputs("by name", other);
    fclose(other);
    assert_true(snn_file_commit(f, &e));
    expect_content(path, "by name");
}

static void relative_names_and_links(void **state) {
    (void)state;
    snn_error e = {0};
    char *here = getcwd(NULL, 0);
    assert_int_equal(chdir(folder), 0);
    assert_true(snn_file_commit(begin("plain", "x"), &e));
    expect_content("plain", "x");
    assert_int_equal(symlink("plain", "link"), 0);
    assert_true(snn_file_commit(begin("link", "through"), &e));
    struct stat st;
    assert_int_equal(lstat("link", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    expect_content("plain", "through");
    char longest[256];
    memset(longest, 'n', 255);
    longest[255] = '\0';
    assert_true(snn_file_commit(begin(longest, "long"), &e));
    expect_content(longest, "long");
    assert_int_equal(entries("."), 3);
    assert_int_equal(unlink("link") + unlink("plain") + unlink(longest), 0);
    assert_int_equal(chdir(here), 0);
    free(here);
}

static void refuse(const char *target, const char *want) {
    snn_error e = {0};
    assert_null(snn_file_create(target, 0644, &e));
    assert_int_equal(e.code, SNN_ERR_RUNTIME);
    if (!strstr(e.text, want) || !strstr(e.text, target))
        fail_msg("'%s' does not say '%s'", e.text, want);
}

static void targets_that_cannot_be(void **state) {
    (void)state;
    char name[200], too_long[400];
    refuse(folder, "it is a folder");
    snprintf(name, sizeof name, "%s/none/", folder);
    refuse(name, "it is a folder");
    snprintf(name, sizeof name, "%s/none/x", folder);
    refuse(name, "No such file or directory");
    refuse("", "empty name");
    refuse("/dev/null", "not a regular file");
    refuse("/dev/null/x", "Not a directory");
    snprintf(too_long, sizeof too_long, "%s/%0300d/x", folder, 1);
    refuse(too_long, "File name too long");
}

static void unwritable_folder(void **state) {
    (void)state;
    char inner[128];
    snprintf(inner, sizeof inner, "%s/sub", folder);
    uid_t me = geteuid();
    assert_int_equal(chmod(folder, 0555), 0);
    if (me == 0) /* root may write anywhere: try as nobody */
        assert_int_equal(seteuid(65534), 0);
    snn_error e[2] = {{0}, {0}};
    snn_file *f = snn_file_create(path, 0644, &e[0]);
    bool made = snn_folder_create(inner, &e[1]);
    if (me == 0)
        assert_int_equal(seteuid(me), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_null(f);
    assert_false(made);
    assert_non_null(strstr(e[0].text, "Permission denied"));
    assert_non_null(strstr(e[0].text, path));
    assert_non_null(strstr(e[1].text, "Permission denied"));
    assert_non_null(strstr(e[1].text, inner));
}

/* A limit on file sizes stands for the full disk: it needs no privileges. */
static bool write_under_limit(int size, rlim_t most, snn_error *e) {
    struct rlimit old, limit;
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = most;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    snn_file *f = snn_file_create(path, 0644, e);
    for (int i = 0; f && i < size; i++)
        fputc('x', snn_file_stream(f));
    bool ok = f && snn_file_commit(f, e);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    return ok;
}

static void write_errors_are_never_lost(void **state) {
    (void)state;
    for (int size = 100; size <= 100000; size *= 10) {
        snn_error e = {0};
        assert_int_equal(write_under_limit(size, 10000, &e), size <= 10000);
        if (size > 10000) {
            assert_int_equal(e.code, SNN_ERR_RUNTIME);
            assert_non_null(strstr(e.text, path));
        }
        assert_int_equal(entries(folder), 1);
    }
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 10000); /* the last good one stays */
    snn_error e = {0};
    assert_false(write_under_limit(200, 100, &e)); /* fits the stream's buffer: only commit notices */
    assert_non_null(strstr(e.text, "File too large"));
    assert_int_equal(entries(folder), 1);
}

static void full_disk(void **state) {
    (void)state;
    char disk[128], file[160];
    snprintf(disk, sizeof disk, "%s/disk", folder);
    snprintf(file, sizeof file, "%s/x", disk);
    assert_int_equal(mkdir(disk, 0755), 0);
    if (mount("tmpfs", disk, "tmpfs", 0, "size=64k") != 0) {
        rmdir(disk);
        print_message("skipped (may not mount a small disk)\n");
        skip();
    }
    snn_error e = {0};
    char reason[1100] = "";
    for (int size = 100000; size <= 10000000; size *= 100) {
        snn_file *f = snn_file_create(file, 0644, &e);
        for (int i = 0; i < size; i++)
            fputc('x', snn_file_stream(f));
        if (snn_file_commit(f, &e) || entries(disk) != 0)
            snprintf(reason, sizeof reason, "committed, or left something behind");
        else if (!strstr(e.text, file))
            snprintf(reason, sizeof reason, "%s", e.text);
    }
    umount(disk);
    rmdir(disk);
    if (*reason)
        fail_msg("%s", reason);
}

static void lost_temporary(void **state) {
    (void)state;
    snn_error e = {0};
    assert_true(snn_file_commit(begin(path, "kept"), &e));
    snn_file *f = begin(path, "lost");
    unlink(snn_file_temporary(f));
    assert_false(snn_file_commit(f, &e));
    assert_non_null(strstr(e.text, "No such file or directory"));
    expect_content(path, "kept");
    f = begin(path, "in the way"); /* the target becomes a folder meanwhile */
    unlink(path);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_false(snn_file_commit(f, &e));
    assert_non_null(strstr(e.text, "directory"));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(entries(folder), 0);
}

/* A temporary of a process that is gone goes when the same file is written next; those of others stay. */
static void stale_temporaries_go(void **state) {
    (void)state;
    snn_error e = {0};
    const pid_t child = fork();
    if (child == 0) {
        begin(path, "of a process that was killed");
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(entries(folder), 1);
    char stay[5][256];
    const char *name = strrchr(path, '/') + 1;
    snprintf(stay[0], sizeof stay[0], "%s/.~%s.%ld.77", folder, name, (long)getppid()); /* alive */
    snprintf(stay[1], sizeof stay[1], "%s/.~%sx.%ld.0", folder, name, (long)child);     /* of another file */
    snprintf(stay[2], sizeof stay[2], "%s/.~%s.%ld.0x", folder, name, (long)child);     /* none of ours */
    snprintf(stay[3], sizeof stay[3], "%s/.~%s.%ld", folder, name, (long)child);
    snprintf(stay[4], sizeof stay[4], "%s/.~%s.0.0", folder, name);
    for (int i = 0; i < 5; i++)
        fclose(fopen(stay[i], "w"));
    snn_file *f = begin(path, "new");
    assert_int_equal(entries(folder), 6);
    assert_true(snn_file_commit(f, &e));
    for (int i = 0; i < 5; i++)
        assert_int_equal(unlink(stay[i]), 0);
    unlink(path);
    assert_int_equal(entries(folder), 0);
}

static void folders(void **state) {
    (void)state;
    snn_error e = {0};
    char deep[128];
    struct stat st;
    snprintf(deep, sizeof deep, "%s/a/b//c/", folder);
    assert_true(snn_folder_create(deep, &e));
    assert_true(stat(deep, &st) == 0 && S_ISDIR(st.st_mode));
    assert_true(snn_folder_create(deep, &e));
    assert_true(snn_folder_create("/", &e));
    assert_true(snn_folder_create(".", &e));
    snprintf(deep, sizeof deep, "%s/a/file", folder);
    assert_true(snn_file_commit(begin(deep, "x"), &e));
    assert_false(snn_folder_create(deep, &e));
    assert_int_equal(e.code, SNN_ERR_RUNTIME);
    assert_non_null(strstr(e.text, "Not a directory"));
    strcat(deep, "/below");
    assert_false(snn_folder_create(deep, &e));
    assert_non_null(strstr(e.text, deep));
    assert_false(snn_folder_create("", &e));
}

static void reading_whole_files(void **state) {
    (void)state;
    snn_error e = {0};
    uint8_t *data;
    size_t size;
    assert_true(snn_file_commit(begin(path, "12345"), &e));
    assert_true(snn_file_read(path, 5, &data, &size, &e));
    assert_int_equal(size, 5);
    free(data);
    assert_false(snn_file_read(path, 4, &data, &size, &e));
    assert_int_equal(e.code, SNN_ERR_DATA);
    assert_non_null(strstr(e.text, "5 bytes, larger than the limit of 4 bytes"));
    assert_null(data);
    assert_false(snn_file_read(folder, 100, &data, &size, &e));
    assert_non_null(strstr(e.text, "is a folder"));
    assert_false(snn_file_read("/no/such", 100, &data, &size, &e));
    assert_int_equal(e.code, SNN_ERR_DATA);
    assert_non_null(strstr(e.text, "/no/such: cannot open: No such file"));
    assert_true(snn_file_read("/dev/null", 0, &data, &size, &e));
    assert_int_equal(size, 0);
    assert_int_equal(data[0], 0);
    free(data);
    assert_false(snn_file_read("/dev/zero", 100000, &data, &size, &e)); /* its size is not known beforehand */
    assert_non_null(strstr(e.text, "/dev/zero: larger than the limit of 100000 bytes"));
    assert_false(snn_file_read("/proc/self/mem", 100, &data, &size, &e));
    assert_int_equal(e.code, SNN_ERR_DATA);
    assert_non_null(strstr(e.text, "cannot read"));
    assert_true(snn_file_read("/proc/self/status", 100000, &data, &size, &e));
    assert_true(size > 100 && strstr((char *)data, "VmHWM"));
    free(data);
}

/* A pipe that nobody writes to must not be waited for. */
static void pipes_and_devices(void **state) {
    (void)state;
    char pipe[160];
    snn_error e = {0};
    uint8_t *data;
    size_t size;
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    const char *const refused[] = {pipe, "/dev/null", "/dev/zero"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char sentence[200];
        snprintf(sentence, sizeof sentence, "%s: not a file", refused[i]);
        assert_false(snn_file_read_regular(refused[i], 100, &data, &size, &e));
        assert_int_equal(e.code, SNN_ERR_DATA);
        assert_string_equal(e.text, sentence);
        assert_null(data);
    }
    unlink(pipe);
    assert_false(snn_file_read_regular(folder, 100, &data, &size, &e));
    assert_non_null(strstr(e.text, "is a folder"));
    assert_false(snn_file_read_regular("/no/such", 100, &data, &size, &e));
    assert_non_null(strstr(e.text, "/no/such: cannot open: No such file"));
    assert_true(snn_file_commit(begin(path, "12345"), &e));
    assert_false(snn_file_read_regular(path, 4, &data, &size, &e));
    assert_true(snn_file_read_regular(path, 5, &data, &size, &e));
    assert_int_equal(size, 5);
    free(data);
}

/* ---- progress ---- */

/* A job that reports for `ms` milliseconds and prints `aside` between two reports; what it wrote to a terminal of the given width goes to out. The terminal buffers 4 kB, more
 * than such a job writes. */
static void run_on_terminal(int ms, uint64_t total, bool enabled, unsigned short width, const char *aside,
                            char *out, size_t size) {
    struct winsize window = {.ws_row = 24, .ws_col = width};
    int master, slave, saved = dup(2);
    assert_int_equal(openpty(&master, &slave, NULL, NULL, &window), 0);
    fflush(stderr);
    dup2(slave, 2);
    snn_progress *p = snn_progress_begin("testing", "samples", total, enabled);
    for (int i = 1; i <= ms / 10; i++) {
        usleep(10000);
        snn_progress_update(p, (uint64_t)i);
    }
    if (aside != NULL) {
        snn_progress_clear(p);
        fputs(aside, stderr);
    }
    snn_progress_end(p);
    fputs("END", stderr);
    fflush(stderr);
    dup2(saved, 2);
    close(saved);
    size_t used = 0;
    while (used + 1 < size && !(used >= 3 && memcmp(out + used - 3, "END", 3) == 0)) {
        ssize_t n = read(master, out + used, size - 1 - used);
        assert_true(n > 0);
        used += (size_t)n;
    }
    out[used] = '\0';
    close(master);
    close(slave);
}

static int count(const char *text, const char *what) {
    int n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

static void progress_on_a_terminal(void **state) {
    (void)state;
    char out[10000];
    double start = snn_now();
    run_on_terminal(900, 1000, true, 100, NULL, out, sizeof out);
    double seconds = snn_now() - start; /* more than 0.9 on a busy machine */
    int lines = count(out, "\r\033[Ktesting  ");
    assert_in_range(lines, 1, (int)((seconds - 0.5) / 0.1) + 2); /* from 0.5 s on, at most ten a second */
    assert_non_null(strstr(out, "/1000  "));
    assert_non_null(strstr(out, " samples/s  "));
    assert_non_null(strstr(out, " left"));
    assert_non_null(strstr(out, "\r\033[KEND")); /* erased at the end */
    run_on_terminal(560, 0, true, 100, NULL, out, sizeof out);
    assert_non_null(strstr(out, "samples/s  1 s"));
    assert_null(strstr(out, "left"));
    run_on_terminal(560, 500000, true, 100, NULL, out, sizeof out);
    assert_non_null(strstr(out, " h left")); /* 100 a second: an hour and a half */
    run_on_terminal(560, 50000, true, 100, NULL, out, sizeof out);
    assert_non_null(strstr(out, " min left"));
    run_on_terminal(560, 1000, true, 12, NULL, out, sizeof out);
    assert_non_null(strstr(out, "\r\033[Ktesting  ")); /* cut to 11 columns, so that it never wraps */
    assert_null(strstr(out, "samples"));
    run_on_terminal(560, 1000, true, 0, NULL, out, sizeof out);
    assert_non_null(strstr(out, "samples/s"));
}

static void progress_makes_room(void **state) {
    (void)state;
    char out[10000];
    run_on_terminal(700, 1000, true, 100, "a finding\n", out, sizeof out);
    assert_non_null(strstr(out, "\r\033[Ktesting  "));
    assert_non_null(strstr(out, " left\r\033[Ka finding\r\nEND")); /* not erased twice */
    run_on_terminal(100, 1000, true, 100, "a finding\n", out, sizeof out);
    assert_string_equal(out, "a finding\r\nEND");
}

static void progress_is_silent(void **state) {
    (void)state;
    char out[10000];
    run_on_terminal(100, 1000, true, 100, NULL, out, sizeof out); /* short */
    assert_string_equal(out, "END");
    run_on_terminal(560, 1000, false, 100, NULL, out, sizeof out); /* not wanted */
    assert_string_equal(out, "END");
    int saved = dup(2), null = open("/dev/null", O_WRONLY); /* not a terminal */
    dup2(null, 2);
    snn_progress *p = snn_progress_begin("testing", "samples", 10, true);
    dup2(saved, 2);
    close(saved);
    close(null);
    assert_null(p);
    snn_progress_update(NULL, 3);
    snn_progress_clear(NULL);
    snn_progress_end(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_old_file_stays_until_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mode_and_umask, set_up, tear_down),
        cmocka_unit_test_setup_teardown(written_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(relative_names_and_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(targets_that_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unwritable_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(write_errors_are_never_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lost_temporary, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stale_temporaries_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reading_whole_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pipes_and_devices, set_up, tear_down),
        cmocka_unit_test(progress_on_a_terminal),
        cmocka_unit_test(progress_makes_room),
        cmocka_unit_test(progress_is_silent),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
