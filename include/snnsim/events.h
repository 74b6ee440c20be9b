/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event-camera recordings and their framing into time bins. */
#ifndef SNNSIM_EVENTS_H
#define SNNSIM_EVENTS_H

#include <snnsim/spikes.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t t;        /* us */
    uint16_t x, y;    /* pixel; x to the right, y down */
    uint8_t polarity; /* channel: 1 = ON (brighter), 0 = OFF */
} snn_event;

typedef struct {
    uint32_t width, height, channels; /* sensor; every event lies inside (readers guarantee it) */
    snn_event *event;                 /* [n] sorted by time (readers guarantee it) */
    size_t n, capacity;
    size_t out_of_order; /* events that ran back in time and were moved by the stable sort */
} snn_events;

/* An all-zero struct is a valid empty recording. */
void snn_events_free(snn_events *e);
bool snn_events_append(snn_events *e, snn_event event, snn_error *err);
/* Stable sort by time; sets out_of_order to the number of events earlier than their predecessor. DATA error naming `where` (a file) and the
 * first place when they are more than 1 % of the events. */
bool snn_events_sort(snn_events *e, const char *where, snn_error *err);
/* The same however many run back, for formats that promise no order. */
bool snn_events_order(snn_events *e, snn_error *err);

typedef enum {
    SNN_FRAME_BINS, /* a fixed number of bins over the recording, like tonic's ToFrame(n_time_bins) */
    SNN_FRAME_WIDTH /* bins of fixed width */
} snn_frame_mode;

/* WIDTH: the bin of an event at d = t - t0 in bins of w. */
typedef enum {
    SNN_ROUND_FLOOR,   /* floor(d/w): bin i holds i*w <= d < (i+1)*w */
    SNN_ROUND_NEAREST, /* d/w rounded, halves to the even bin, as NumPy's round */
    SNN_ROUND_CEIL     /* ceil(d/w): bin i holds (i-1)*w < d <= i*w */
} snn_frame_rounding;

/* Framing. BINS: window = floor((t_last - t_first)/bins), bin j holds t in [t_first + j*window, t_first + (j+1)*window), events at or after
 * t_first + bins*window are dropped; window 0 puts all events into bin 0 (DESIGN.md, pytorch_baseline.md "Framing, exactly").
 * WIDTH: bin = (t - t0)/bin_us rounded, t0 = first event or 0 (from_zero); what falls before bin 0 or behind the last one is dropped.
 * The input line of an event is [channel][y][x] in C order after x, y <- floor(x / downsample), floor(y / downsample);
 * counts add up (binary: an input is 1 however many events fall into it). merge_polarity: one channel.
 * repeat: the whole input that many times, one behind the other along the channels. */
typedef struct {
    snn_frame_mode mode;
    int bins;       /* time steps, 1..65535 */
    int64_t bin_us; /* WIDTH only, >= 1 */
    bool from_zero; /* WIDTH only: bins start at time 0 instead of the first event */
    int downsample; /* >= 1: sensor pixels per input pixel and axis */
    bool binary;
    bool merge_polarity;
    snn_frame_rounding rounding; /* WIDTH only */
    int repeat;                  /* copies of the input, 0 (the same as 1) .. 65535 */
} snn_framing;

/* Input shape [channels][height][width] after framing a sensor of the given size; channels stop at 2^32 - 1. */
void snn_framing_shape(const snn_framing *f, uint32_t channels, uint32_t height, uint32_t width,
                       uint32_t shape[3]);

/* Frames e into out (size = product of the shape, steps = bins). scratch: reused working memory, may start as {0}. dropped: events left out (may be NULL).
 * An empty recording gives no spikes. */
typedef struct {
    uint64_t *key;
    size_t capacity;
} snn_frame_scratch;
bool snn_frame(const snn_framing *f, const snn_events *e, snn_spikes *out, snn_frame_scratch *scratch,
               size_t *dropped, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
