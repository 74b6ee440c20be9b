/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Synthetic event camera: the 11 hand and arm gestures of DVS128 Gesture (Amir et al., CVPR 2017, doi:10.1109/CVPR.2017.781), performed by
 * drawn bodies in front of a modelled DVS128 (Lichtsteiner et al., JSSC 2008, doi:10.1109/JSSC.2007.914337): log intensity, ON and OFF thresholds with
 * per-pixel spread, refractory period, leak and shot-noise events, hot pixels, time jitter. A recording is a pure function of
 * (settings, subject, gesture, take): same bits on every machine.
 */
#ifndef SNNSIM_CAMERA_H
#define SNNSIM_CAMERA_H

#include <snnsim/config.h>
#include <snnsim/events.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SNN_GESTURES 11
extern const char *const snn_gesture_name[SNN_GESTURES]; /* class 0..10, the data set's 1..11 */

typedef struct {
    uint64_t seed;
    int subjects_train, subjects_test; /* subject numbers 1..train are for training, the next ones for test */
    int takes;      /* recordings of each gesture by each subject (as lighting conditions in the real set) */
    double seconds; /* length of one recording */
} snn_camera;

/* From section dataset.camera of the config. */
bool snn_camera_from_config(const snn_config *config, snn_camera *camera, snn_error *err);
/* One recording: 128x128, 2 channels, sorted by time, times from 0. subject >= 1, gesture 0..10, take >= 0. Thread-safe. */
bool snn_camera_record(const snn_camera *camera, int subject, int gesture, int take, snn_events *out,
                       snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
