/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passphrases from a terminal: no echo while it is asked for, and echo again afterwards, whatever signal came. */
#include "key_test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* What the asking process says of itself. */
typedef struct {
    bool ok;
    int code, handled;
    size_t size;
    char secret[SNN_PASSPHRASE_MAX], text[200];
} outcome;

/* How it is set up. */
typedef struct {
    bool confirm;
    int handle, ignore; /* signals, 0: none */
    bool thread;        /* is there a thread that blocks no signal? */
    bool from_thread;   /* does that thread ask? */
} setup;

typedef struct {
    pid_t leader;
    int master;  /* the terminal's other side */
    int results; /* outcomes, then the status of the process as an int */
    char seen[8192];
    size_t size; /* of what the terminal has shown */
} session;

static volatile sig_atomic_t handled;

static void on_signal(int number) {
    handled = number;
}

static void *wait_for_ever(void *p) {
    (void)p;
    for (;;)
        pause();
    return NULL;
}

static void ask(const setup *s, int results) {
    outcome o = {0};
    snn_secret secret;
    snn_error err = {0};
    o.ok = snn_secret_get(&secret, -1, "Say it: ", s->confirm, &err);
    o.code = (int)err.code;
    o.handled = handled;
    memcpy(o.text, err.text, sizeof o.text - 1);
    if (secret.text) {
        o.size = secret.size;
        memcpy(o.secret, secret.text, secret.size);
    }
    exit(write(results, &o, sizeof o) == sizeof o ? 0 : 90); /* not _exit: coverage is written at exit */
}

typedef struct {
    const setup *s;
    int results;
} asking;

static void *ask_in_thread(void *p) {
    const asking *a = p;
    ask(a->s, a->results);
    return NULL;
}

static void asker(const setup *s, int results) {
    pthread_t thread;
    asking a = {s, results};
    alarm(30);
    if (s->thread)
        pthread_create(&thread, NULL, wait_for_ever, NULL);
    if (s->handle)
        signal(s->handle, on_signal);
    if (s->ignore)
        signal(s->ignore, SIG_IGN);
    if (s->from_thread) {
        pthread_create(&thread, NULL, ask_in_thread, &a);
        pthread_join(thread, NULL);
    }
    ask(s, results);
}

/* A shell with job control, as small as it can be: the asker is its foreground job, and goes on at once after a stop. */
static void leader(const setup *s, int results) {
    alarm(30);
    signal(SIGTTOU, SIG_IGN);
    pid_t job = fork();
    if (job == 0) {
        setpgid(0, 0);
        tcsetpgrp(0, getpid());
        signal(SIGTTOU, SIG_DFL);
        asker(s, results);
    }
    int status;
    struct termios mode;
    while (waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status)) {
        tcgetattr(0, &mode);
        status |= mode.c_lflag & ECHO ? 1 << 20 : 0;
        if (write(results, &status, sizeof status) != sizeof status)
            _exit(91);
        kill(job, SIGCONT);
    }
    _exit(write(results, &status, sizeof status) == sizeof status ? 0 : 92);
}

static session begin(const setup *s) {
    session session = {0};
    int end[2];
    assert_int_equal(pipe(end), 0);
    alarm(60);
    fflush(NULL);
    session.leader = forkpty(&session.master, NULL, NULL, NULL);
    assert_true(session.leader >= 0);
    if (session.leader == 0) {
        close(end[0]);
        leader(s, end[1]);
    }
    close(end[1]);
    session.results = end[0];
    return session;
}

/* Until the terminal has shown the text so many times. */
static void expect(session *s, const char *text, int times) {
    for (;;) {
        int n = 0;
        for (const char *at = s->seen; (at = strstr(at, text)); at++)
            n++;
        if (n >= times)
            return;
        ssize_t got = read(s->master, s->seen + s->size, sizeof s->seen - 1 - s->size);
        if (got <= 0)
            fail_msg("the terminal shows '%s', expected '%s'", s->seen, text);
        s->size += (size_t)got;
        s->seen[s->size] = '\0';
    }
}

static void type(const session *s, const char *text) {
    assert_int_equal(write(s->master, text, strlen(text)), strlen(text));
}

static bool echoes(const session *s) {
    struct termios mode;
    assert_int_equal(tcgetattr(s->master, &mode), 0);
    return (mode.c_lflag & ECHO) && (mode.c_lflag & ICANON) && (mode.c_lflag & ISIG);
}

static pid_t job(const session *s) {
    pid_t group;
    assert_int_equal(ioctl(s->master, TIOCGPGRP, &group), 0);
    return group;
}

static outcome result(const session *s) {
    outcome o;
    assert_int_equal(read(s->results, &o, sizeof o), sizeof o);
    return o;
}

static int status(const session *s) {
    int status;
    assert_int_equal(read(s->results, &status, sizeof status), sizeof status);
    return status;
}

/* The terminal is as before, and has not shown the secret. */
static void end(session *s, const char *secret) {
    assert_true(echoes(s));
    int ended;
    assert_int_equal(waitpid(s->leader, &ended, 0), s->leader);
    assert_int_equal(ended, 0);
    ssize_t got;
    while (s->size < sizeof s->seen - 1 && /* EIO at the end */
           (got = read(s->master, s->seen + s->size, sizeof s->seen - 1 - s->size)) > 0)
        s->size += (size_t)got;
    s->seen[s->size] = '\0';
    if (secret && strstr(s->seen, secret))
        fail_msg("the terminal shows the secret: %s", s->seen);
    close(s->master);
    close(s->results);
    alarm(0);
}

static void assert_answer(const outcome *o, const char *secret) {
    assert_true(o->ok);
    assert_int_equal(o->size, strlen(secret));
    assert_memory_equal(o->secret, secret, o->size);
}

/* ---- tests ---- */

static void nothing_is_shown(void **state) {
    (void)state;
    session s = begin(&(setup){0});
    expect(&s, "Say it: ", 1);
    assert_false(echoes(&s));
    type(&s, "sesame open\n");
    outcome o = result(&s);
    assert_answer(&o, "sesame open");
    assert_int_equal(status(&s), 0);
    end(&s, "sesame");
    assert_non_null(strstr(s.seen, "Say it: \r\n"));
}

static void asked_twice(void **state) {
    (void)state;
    session s = begin(&(setup){.confirm = true});
    expect(&s, "Say it: ", 1);
    type(&s, "sesame\n");
    expect(&s, "The same again: ", 1);
    assert_false(echoes(&s));
    type(&s, "sesame\n");
    outcome o = result(&s);
    assert_answer(&o, "sesame");
    assert_int_equal(status(&s), 0);
    end(&s, "sesame");
    static const char *const other[] = {"sesam\n", "sesame \n", "Sesame\n"};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        s = begin(&(setup){.confirm = true});
        expect(&s, "Say it: ", 1);
        type(&s, "sesame\n");
        expect(&s, "The same again: ", 1);
        type(&s, other[i]);
        o = result(&s);
        assert_false(o.ok);
        assert_int_equal(o.code, SNN_ERR_USAGE);
        assert_string_equal(o.text, "the two passphrases are not the same");
        assert_int_equal(o.size, 0);
        assert_int_equal(status(&s), 0);
        end(&s, "esam");
    }
}

static void empty_and_long_answers(void **state) {
    (void)state;
    char text[SNN_PASSPHRASE_MAX + 3];
    static const char *const empty[] = {"\n", "\x04", "mistake\x15\n"}; /* ^D, ^U */
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        session s = begin(&(setup){0});
        expect(&s, "Say it: ", 1);
        type(&s, empty[i]);
        outcome o = result(&s);
        assert_int_equal(o.code, SNN_ERR_USAGE);
        assert_string_equal(o.text, "the passphrase from the terminal is empty");
        assert_int_equal(status(&s), 0);
        end(&s, "mistake");
    }
    for (size_t more = 0; more <= 1; more++) {
        memset(text, 'z', sizeof text);
        text[SNN_PASSPHRASE_MAX + more] = '\n';
        text[SNN_PASSPHRASE_MAX + more + 1] = '\0';
        session s = begin(&(setup){0});
        expect(&s, "Say it: ", 1);
        type(&s, text);
        outcome o = result(&s);
        assert_int_equal(o.ok, more == 0);
        assert_int_equal(o.size, more == 0 ? 1024 : 0);
        assert_string_equal(o.text,
                            more == 0 ? "" : "the passphrase from the terminal has more than 1024 bytes");
        assert_int_equal(status(&s), 0);
        end(&s, "zz");
    }
}

/* The signal ends the program, as it would elsewhere, but with echo on again. */
static void fatal_signals(void **state) {
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        for (int thread = 0; thread <= 1; thread++) {
            session s = begin(&(setup){.thread = thread});
            expect(&s, "Say it: ", 1);
            type(&s, "ses");
            assert_false(echoes(&s));
            kill(job(&s), signals[i]);
            int ended = status(&s);
            assert_true(WIFSIGNALED(ended));
            assert_int_equal(WTERMSIG(ended), signals[i]);
            end(&s, "ses");
        }
    session s = begin(&(setup){0});
    expect(&s, "Say it: ", 1);
    type(&s, "ses\x03"); /* ^C */
    int ended = status(&s);
    assert_true(WIFSIGNALED(ended));
    assert_int_equal(WTERMSIG(ended), SIGINT);
    end(&s, "ses");
}

static void handled_signals(void **state) {
    (void)state;
    for (int thread = 0; thread <= 1; thread++) {
        session s = begin(&(setup){.handle = SIGINT, .thread = thread});
        expect(&s, "Say it: ", 1);
        type(&s, "ses");
        kill(job(&s), SIGINT);
        outcome o = result(&s);
        assert_false(o.ok);
        assert_int_equal(o.code, SNN_ERR_INTERRUPTED);
        assert_string_equal(o.text, "interrupted while waiting for a passphrase");
        assert_int_equal(o.handled, SIGINT);
        assert_int_equal(status(&s), 0);
        end(&s, "ses");
    }
}

static void ignored_signals(void **state) {
    (void)state;
    session s = begin(&(setup){.ignore = SIGINT});
    expect(&s, "Say it: ", 1);
    type(&s, "ses");
    kill(job(&s), SIGINT);
    usleep(50000);
    assert_false(echoes(&s));
    type(&s, "ame\n");
    outcome o = result(&s);
    assert_answer(&o, "sesame");
    assert_int_equal(status(&s), 0);
    end(&s, "ses");
}

/* ^Z: echo is on while the program is stopped, and it asks again afterwards. */
static void stops(void **state) {
    (void)state;
    for (int thread = 0; thread <= 1; thread++) {
        session s = begin(&(setup){.thread = thread});
        expect(&s, "Say it: ", 1);
        type(&s, "ses\x1a");
        int stopped = status(&s);
        assert_true(stopped & 1 << 20); /* echo */
        stopped &= ~(1 << 20);
        assert_true(WIFSTOPPED(stopped));
        assert_int_equal(WSTOPSIG(stopped), SIGTSTP);
        expect(&s, "Say it: ", 2);
        assert_false(echoes(&s));
        type(&s, "sesame\n");
        outcome o = result(&s);
        assert_answer(&o, "sesame");
        assert_int_equal(status(&s), 0);
        end(&s, "ses");
    }
}

static void only_the_main_thread_asks(void **state) {
    (void)state;
    session s = begin(&(setup){.from_thread = true});
    outcome o = result(&s);
    assert_false(o.ok);
    assert_string_equal(o.text, "only the main thread can ask for a passphrase");
    assert_int_equal(status(&s), 0);
    end(&s, NULL);
    assert_null(strstr(s.seen, "Say it"));
}

static void without_a_terminal(void **state) {
    (void)state;
    int ended, results[2];
    assert_int_equal(pipe(results), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        ask(&(setup){0}, results[1]);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    session s = {.results = results[0]};
    outcome o = result(&s);
    assert_true(o.ok);
    assert_int_equal(o.size, 0);
    close(results[0]);
    close(results[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_shown),
        cmocka_unit_test(asked_twice),
        cmocka_unit_test(empty_and_long_answers),
        cmocka_unit_test(fatal_signals),
        cmocka_unit_test(handled_signals),
        cmocka_unit_test(ignored_signals),
        cmocka_unit_test(stops),
        cmocka_unit_test(only_the_main_thread_asks),
        cmocka_unit_test(without_a_terminal),
    };
    return cmocka_run_group_tests_name("secret_terminal", tests, NULL, NULL);
}
