/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The progress line of long jobs: on a terminal only, redrawn in place, erased at the end. */
#include <snnsim/output.h>
#include <snnsim/cpu.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DELAY 0.5    /* s before the first line: short jobs stay silent */
#define INTERVAL 0.1 /* s between redraws */
#define WIDTH 80     /* columns where the terminal does not tell */

struct snn_progress {
    char label[64], unit[32];
    uint64_t total;
    double start, next; /* s; next: earliest time of the next redraw */
    bool drawn;
    pthread_mutex_t lock;
};

snn_progress *snn_progress_begin(const char *label, const char *unit, uint64_t total, bool enabled) {
    if (!enabled || !isatty(STDERR_FILENO))
        return NULL;
    snn_progress *p = calloc(1, sizeof *p);
    if (!p || pthread_mutex_init(&p->lock, NULL) != 0) {
        free(p);
        return NULL;
    }
    snprintf(p->label, sizeof p->label, "%s", label);
    snprintf(p->unit, sizeof p->unit, "%s", unit);
    p->total = total;
    p->start = snn_now();
    p->next = p->start + DELAY;
    return p;
}

/* "41 s", "3:07 min", "2:15 h" */
static void format_time(char *out, size_t size, double seconds) {
    uint64_t s = seconds < 3.6e8 ? (uint64_t)(seconds + 0.5) : 360000000;
    if (s < 60)
        snprintf(out, size, "%" PRIu64 " s", s);
    else if (s < 3600)
        snprintf(out, size, "%" PRIu64 ":%02" PRIu64 " min", s / 60, s % 60);
    else
        snprintf(out, size, "%" PRIu64 ":%02" PRIu64 " h", s / 3600, s / 60 % 60);
}

static void draw(snn_progress *p, uint64_t done, double now) {
    char line[256], left[32];
    double rate = (double)done / (now - p->start);
    int digits = rate < 10 ? 2 : rate < 100 ? 1 : 0;
    if (p->total) {
        int used = snprintf(line, sizeof line, "%s  %" PRIu64 "/%" PRIu64 "  %.*f %s/s", p->label, done,
                            p->total, digits, rate, p->unit);
        if (rate > 0 && done <= p->total) {
            format_time(left, sizeof left, (double)(p->total - done) / rate);
            snprintf(line + used, sizeof line - (size_t)used, "  %s left", left);
        }
    } else {
        format_time(left, sizeof left, now - p->start);
        snprintf(line, sizeof line, "%s  %" PRIu64 "  %.*f %s/s  %s", p->label, done, digits, rate, p->unit,
                 left);
    }
    struct winsize window;
    int width =
        ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 ? window.ws_col - 1 : WIDTH - 1;
    fprintf(stderr, "\r\033[K%.*s", width,
            line); /* cut before the edge: a wrapped line could not be redrawn */
    fflush(stderr);
    p->drawn = true;
}

void snn_progress_update(snn_progress *p, uint64_t done) {
    /* Whoever finds the line being drawn goes on working. */
    if (!p || pthread_mutex_trylock(&p->lock) != 0)
        return;
    double now = snn_now();
    if (now >= p->next) {
        p->next = now + INTERVAL;
        draw(p, done, now);
    }
    pthread_mutex_unlock(&p->lock);
}

void snn_progress_label(snn_progress *p, const char *label) {
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    snprintf(p->label, sizeof p->label, "%s", label);
    pthread_mutex_unlock(&p->lock);
}

/* With the lock, or behind the last update. */
static void erase(snn_progress *p) {
    if (p->drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    p->drawn = false;
}

void snn_progress_clear(snn_progress *p) {
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    erase(p);
    pthread_mutex_unlock(&p->lock);
}

void snn_progress_end(snn_progress *p) {
    if (!p)
        return;
    erase(p);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
