/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One line from the terminal without echo, restored whatever signal comes.
 *
 * While echo is off, the signals that would end or stop the program are blocked and watched for beside the terminal (signalfd). When one comes, the terminal is restored first, and then
 * the signal is let through to what it would have done. Threads of libraries (OpenBLAS has some from the start) do not block them: their handler hands a signal on to the main thread.
 */
#include "key_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

static const int watched[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGTSTP};
enum { WATCHED = sizeof watched / sizeof *watched };

/* The terminal while echo is off, and what was before. */
typedef struct {
    int fd, signals; /* terminal, signalfd */
    int taken;       /* signal that was read from the signalfd, 0: none */
    struct termios before;
    bool quiet; /* is echo off? */
    sigset_t set, mask;
    struct sigaction action[WATCHED];
    bool handled[WATCHED];
} terminal;

typedef enum { LINE, SIGNALLED, FAILED } outcome;

static bool in_main_thread(void) {
    return syscall(SYS_gettid) == getpid();
}

/* Runs in threads other than the main one, which blocks the signal and reads it from the signalfd. */
static void hand_on(int number) {
    int saved = errno;
    if (!in_main_thread())
        syscall(SYS_tgkill, getpid(), getpid(), number);
    errno = saved;
}

/* Ignored signals stay ignored. */
static bool watch_signals(terminal *t) {
    struct sigaction action = {.sa_handler = hand_on, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    sigemptyset(&t->set);
    for (int i = 0; i < WATCHED; i++) {
        sigaction(watched[i], NULL, &t->action[i]);
        t->handled[i] = t->action[i].sa_handler != SIG_IGN;
        if (t->handled[i])
            sigaddset(&t->set, watched[i]);
    }
    if (pthread_sigmask(SIG_BLOCK, &t->set, &t->mask) != 0)
        return false;
    for (int i = 0; i < WATCHED; i++)
        if (t->handled[i])
            sigaction(watched[i], &action, NULL);
    t->signals = signalfd(-1, &t->set, SFD_CLOEXEC | SFD_NONBLOCK);
    return t->signals >= 0;
}

/* Takes a waiting signal; false when another thread was faster, which then hands it on (so looking without taking is not enough: in between there would be no signal to be seen). */
static bool take_signal(terminal *t) {
    struct signalfd_siginfo info;
    if (read(t->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return false;
    t->taken = (int)info.ssi_signo;
    return true;
}

/* Lets signals through that came in between; *stopped: all of them only stop the program for a while. */
static void let_signals_through(terminal *t, bool *stopped) {
    sigset_t pending;
    if (t->taken)
        syscall(SYS_tgkill, getpid(), getpid(), t->taken);
    sigpending(&pending);
    *stopped = true;
    for (int i = 0; i < WATCHED; i++) {
        if (t->handled[i]) {
            sigaction(watched[i], &t->action[i], NULL);
            *stopped = *stopped && (watched[i] == SIGTSTP || sigismember(&pending, watched[i]) != 1);
        }
    }
    if (t->signals >= 0)
        close(t->signals);
    pthread_sigmask(SIG_SETMASK, &t->mask, NULL);
}

static bool set_echo(const terminal *t, const struct termios *mode) {
    int status;
    do
        status = tcsetattr(t->fd, TCSAFLUSH, mode);
    while (status != 0 && errno == EINTR);
    return status == 0;
}

static bool say(const terminal *t, const char *text) {
    size_t size = strlen(text);
    while (size > 0) {
        ssize_t n = write(t->fd, text, size);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            size -= (size_t)n;
        }
    }
    return true;
}

/* Up to the newline or the end (Ctrl-D); what does not fit is read and dropped. */
static outcome read_line(terminal *t, char *text, size_t room, size_t *size) {
    *size = 0;
    for (;;) {
        struct pollfd wait[] = {{.fd = t->signals, .events = POLLIN}, {.fd = t->fd, .events = POLLIN}};
        int ready = poll(wait, 2, -1);
        if (ready < 0 && errno != EINTR)
            return FAILED;
        if (ready <= 0)
            continue;
        if (wait[0].revents & ~POLLIN)
            return FAILED;
        if (wait[0].revents && take_signal(t))
            return SIGNALLED;
        if (!wait[1].revents)
            continue;
        char *at = &text[*size <= room ? *size : room];
        ssize_t n = read(t->fd, at, 1);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return FAILED;
        if (n == 0 || (n > 0 && *at == '\n'))
            return LINE;
        if (n > 0 && *size <= room)
            ++*size;
    }
}

/* One attempt: after a stop (SIGTSTP) there is another. */
static outcome attempt(terminal *t, const char *ask, char *text, size_t room, size_t *size) {
    if (!watch_signals(t) || tcgetattr(t->fd, &t->before) != 0)
        return FAILED;
    struct termios mode = t->before;
    mode.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    mode.c_lflag |= ICANON | ISIG;
    if (!set_echo(t, &mode))
        return FAILED;
    t->quiet = true;
    return say(t, ask) ? read_line(t, text, room, size) : FAILED;
}

bool snn_terminal_read(const char *ask, char *text, size_t room, size_t *size, bool *found, snn_error *err) {
    terminal t = {.fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)};
    *found = t.fd >= 0;
    if (!*found)
        return true;
    if (!in_main_thread()) {
        close(t.fd);
        return snn_fail(err, SNN_ERR_RUNTIME, "only the main thread can ask for a passphrase");
    }
    outcome result;
    bool again;
    int why;
    do {
        bool stopped = false;
        t.signals = -1;
        t.taken = 0;
        t.quiet = false;
        result = attempt(&t, ask, text, room, size);
        why = errno;
        if (t.quiet) {
            set_echo(&t, &t.before);
            say(&t, "\n");
        }
        let_signals_through(&t, &stopped);
        again = result == SIGNALLED && stopped;
        if (result != LINE)
            sodium_memzero(text, room + 1);
    } while (again);
    close(t.fd);
    if (result == SIGNALLED)
        return snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted while waiting for a passphrase");
    errno = why;
    return result == LINE || snn_fail_errno(err, "cannot read a passphrase from the terminal");
}
