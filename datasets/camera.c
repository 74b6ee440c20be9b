/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Synthetic event camera: settings and the recording loop. The scene is drawn every STEP_US, but only tiles of 8 x 8 pixels that an arm touches now, or
 * touched a moment ago, are drawn and updated at every step; head, trunk and background move by hundredths of a pixel per step and take
 * turns, each tile every TURNS steps. The pixel model interpolates over whatever time has passed since a tile's last update.
 */
#include "camera_internal.h"
#include <snnsim/portable_math.h>
#include <stdlib.h>

/* A hand moves at most about 0.5 pixel per millisecond; the rim of a limb is blurred over 1.5 pixels. */
#define STEP_US 2000
#define TURNS 8
/* Steps that a tile stays awake after the arm has left it: the photoreceptors of dark pixels (10 % light: 30 Hz, 5 ms) settle. */
#define AWAKE 8
/* The sensor watches for a while before the recording begins, so that it does not start with the unrest of its first sight:
 * idle tiles see the lamps ripple (120 Hz) every 16 ms, which beats at 5 Hz. */
#define WARM_UP_US 200000

bool snn_camera_from_config(const snn_config *config, snn_camera *camera, snn_error *err) {
    (void)err; /* the table of keys has checked every range */
    camera->seed = (uint64_t)snn_config_int(config, "dataset.camera.seed");
    camera->subjects_train = (int)snn_config_int(config, "dataset.camera.train_subjects");
    camera->subjects_test = (int)snn_config_int(config, "dataset.camera.test_subjects");
    camera->takes = (int)snn_config_int(config, "dataset.camera.takes");
    camera->seconds = snn_config_float(config, "dataset.camera.seconds");
    return true;
}

typedef struct {
    snn_body body;
    snn_performance performance;
    snn_scene scene;
    snn_random noise;
    uint32_t slow[SNN_TILES], fast[SNN_TILES];
    int awake[SNN_TILES];
    snn_capsule capsule[SNN_CAPSULES];
} studio;

/* Draws what the camera sees at time t (us): pose, capsules, masks. */
static int pose_at(studio *w, int32_t t) {
    snn_pose pose;
    snn_gesture_pose(&w->performance, t * 1e-6, &pose);
    int n = snn_body_place(&w->body, &w->scene.stance, &pose, w->capsule);
    snn_scene_cull(w->capsule, n, w->slow, w->fast);
    return n;
}

static float ripple_at(const snn_scene *s, int32_t t) {
    if (s->flicker == 0)
        return 0;
    return (float)(s->flicker * snn_sin(SNN_TURN * s->flicker_hz * t * 1e-6));
}

static bool film(studio *w, snn_sensor *sensor, int32_t end, snn_error *err) {
    float light[SNN_TILE_PIXELS];
    pose_at(w, -WARM_UP_US);
    for (int tile = 0; tile < SNN_TILES; tile++) {
        snn_scene_settle(&w->scene, w->capsule, w->slow[tile], tile);
        snn_scene_render(&w->scene, w->capsule, w->fast[tile], tile, light);
        snn_sensor_adapt(sensor, tile, light, -WARM_UP_US);
    }
    int step = 0;
    for (int32_t t = -WARM_UP_US; t < end; step++) {
        t = end - t > STEP_US ? t + STEP_US : end;
        pose_at(w, t);
        float ripple = ripple_at(&w->scene, t);
        for (int tile = 0; tile < SNN_TILES; tile++) {
            bool turn = (tile + tile / SNN_TILE_ROWS * 3 + step) % TURNS == 0 || t == end;
            if (w->fast[tile])
                w->awake[tile] = AWAKE;
            if (turn)
                snn_scene_settle(&w->scene, w->capsule, w->slow[tile], tile);
            else if (w->awake[tile] == 0)
                continue;
            w->awake[tile] -= w->awake[tile] > 0;
            snn_scene_render(&w->scene, w->capsule, w->fast[tile], tile, light);
            if (!snn_sensor_expose(sensor, tile, light, ripple, t, err))
                return false;
        }
    }
    return snn_sensor_noise(sensor, end, err);
}

/* Stable radix sort by time, 11 bits a pass; drops events of the warm-up and those that latency moved beyond `end`. */
static bool sort_events(snn_events *e, int64_t end, snn_error *err) {
    enum { BITS = 11, BUCKETS = 1 << BITS };
    snn_event *spare = snn_alloc(e->n, sizeof *spare, "events of the camera", err);
    if (!spare)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++)
        if (e->event[i].t >= 0 && e->event[i].t < end)
            e->event[n++] = e->event[i];
    e->n = n;
    snn_event *from = e->event, *to = spare;
    for (int shift = 0; shift == 0 || (end - 1) >> shift; shift += BITS) {
        size_t count[BUCKETS + 1] = {0};
        for (size_t i = 0; i < n; i++)
            count[(from[i].t >> shift & (BUCKETS - 1)) + 1]++;
        for (int b = 0; b < BUCKETS; b++)
            count[b + 1] += count[b];
        for (size_t i = 0; i < n; i++)
            to[count[from[i].t >> shift & (BUCKETS - 1)]++] = from[i];
        snn_event *swap = from;
        from = to;
        to = swap;
    }
    if (from != e->event)
        for (size_t i = 0; i < n; i++)
            e->event[i] = from[i];
    free(spare);
    return true;
}

static bool check(const snn_camera *c, int subject, int gesture, int take, snn_error *err) {
    if (subject < 1 || gesture < 0 || gesture >= SNN_GESTURES || take < 0)
        return snn_fail(
            err, SNN_ERR_USAGE,
            "synthetic camera: no recording of subject %d, gesture %d, take %d (subjects from 1, gestures "
            "0..%d, takes from 0)",
            subject, gesture, take, SNN_GESTURES - 1);
    if (!(c->seconds >= 0.05 && c->seconds <= 60))
        return snn_fail(err, SNN_ERR_USAGE, "synthetic camera: recordings last 0.05 to 60 seconds, not %g",
                        c->seconds);
    return true;
}

bool snn_camera_record(const snn_camera *camera, int subject, int gesture, int take, snn_events *out,
                       snn_error *err) {
    if (!check(camera, subject, gesture, take, err))
        return false;
    out->width = out->height = SNN_CAMERA_SIDE;
    out->channels = 2;
    out->n = out->out_of_order = 0;
    studio *w = snn_alloc(1, sizeof *w, "scene of the camera", err);
    if (!w)
        return false;
    uint64_t recording = (uint64_t)subject << 40 | (uint64_t)gesture << 32 | (uint64_t)take;
    snn_random_init(&w->noise, camera->seed, SNN_PURPOSE_CAMERA, recording);
    snn_body_draw_traits(camera, subject, &w->body);
    snn_scene_draw_take(camera, &w->body, subject, take, &w->scene);
    snn_gesture_draw(camera, &w->body, subject, gesture, take, &w->performance);
    int32_t end = (int32_t)(camera->seconds * 1e6 + 0.5);
    snn_sensor *sensor = snn_sensor_new(camera, &w->noise, out, err);
    bool ok = sensor && film(w, sensor, end, err) && sort_events(out, end, err);
    snn_sensor_free(sensor);
    free(w);
    return ok;
}
