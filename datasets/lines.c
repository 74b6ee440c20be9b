/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of text in memory: what lists, label files and trial lists are read with. */
#include "internal.h"

#include <string.h>

void snn_lines_init(snn_lines *l, const void *text, size_t size) {
    static const char mark[] = "\xef\xbb\xbf";
    *l = (snn_lines){.next = text, .end = (const char *)text + size};
    if (size >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0)
        l->next += strlen(mark);
}

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

bool snn_lines_next(snn_lines *l) {
    if (l->next == l->end)
        return false;
    const char *feed = memchr(l->next, '\n', (size_t)(l->end - l->next));
    const char *stop = feed ? feed : l->end;
    l->line = l->next;
    l->next = feed ? feed + 1 : l->end;
    while (stop > l->line && blank(stop[-1]))
        stop--;
    l->size = (size_t)(stop - l->line);
    l->number++;
    return true;
}

bool snn_lines_number(snn_lines *l, uint64_t max, uint64_t *v) {
    uint64_t value = 0;
    size_t i = 0;
    for (; i < l->size && l->line[i] >= '0' && l->line[i] <= '9'; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(l->line[i] - '0'), &value))
            return false;
    if (i == 0 || value > max)
        return false;
    l->line += i;
    l->size -= i;
    *v = value;
    return true;
}

size_t snn_lines_blanks(snn_lines *l) {
    size_t n = 0;
    while (n < l->size && blank(l->line[n]))
        n++;
    l->line += n;
    l->size -= n;
    return n;
}

const char *snn_lines_quote(const snn_lines *l, char buf[SNN_QUOTE]) {
    enum { ROOM = SNN_QUOTE - sizeof "..." };
    size_t n = 0, i = 0;
    for (; i < l->size; i++) {
        const char plain[2] = {l->line[i] >= ' ' && l->line[i] <= '~' ? l->line[i] : '?', 0};
        const char *shown = l->line[i] == '\t' ? "<TAB>" : plain; /* as messages write what they expected */
        if (n + strlen(shown) > ROOM)
            break;
        for (; *shown; shown++)
            buf[n++] = *shown;
    }
    strcpy(buf + n, i < l->size ? "..." : "");
    return buf;
}
