/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parts of the synthetic event camera, private to datasets/camera*.c:
 *
 *   camera_gesture.c: where both wrists are at time t      -> snn_pose
 *   camera_body.c:    skeleton, limbs and head of a pose   -> snn_capsule list
 *   camera_scene.c:   stance, light, background, drawing   -> light intensity of a tile of pixels
 *   camera_pixel.c:   the DVS pixel array                  -> events
 *   camera.c:         settings and the recording loop
 *
 * Body frame: origin between the shoulders, x to the image's right (the subject's left), y down, z towards the
 * camera, unit = the subject's stature. Everything is made of IEEE +,-,*,/,sqrt and portable_math.h, so that
 * a recording has the same bits on every machine.
 */
#ifndef SNNSIM_CAMERA_INTERNAL_H
#define SNNSIM_CAMERA_INTERNAL_H

#include <snnsim/camera.h>
#include <snnsim/random.h>

#define SNN_CAMERA_SIDE 128 /* DVS128: 128 x 128 pixels (Lichtsteiner 2008) */
#define SNN_CAMERA_PIXELS (SNN_CAMERA_SIDE * SNN_CAMERA_SIDE)
#define SNN_TILE_SIDE 8 /* pixels are drawn and updated in tiles of 8 x 8 */
#define SNN_TILE_PIXELS (SNN_TILE_SIDE * SNN_TILE_SIDE)
#define SNN_TILE_ROWS (SNN_CAMERA_SIDE / SNN_TILE_SIDE)
#define SNN_TILES (SNN_TILE_ROWS * SNN_TILE_ROWS)

#define SNN_TURN 6.283185307179586 /* 2 pi */

typedef struct {
    double x, y, z;
} snn_vec;

/* [low, high) from r. */
double snn_camera_range(snn_random *r, double low, double high);

/* ---- gesture ---- */

enum { SNN_ARM_RIGHT, SNN_ARM_LEFT, SNN_ARMS };

typedef struct {
    double amplitude, rate, phase; /* amplitude * sin(rate * gesture phase + phase) */
} snn_harmonic;

#define SNN_HARMONICS 3
typedef struct {
    snn_vec centre; /* of the wrist's path; x is counted outwards from the body's middle */
    snn_harmonic path[3][SNN_HARMONICS]; /* [axis out, y, z] */
    snn_vec pole;                        /* where the elbow points to; x outwards */
    double spread;                       /* half the fan of the fingers in radian; below 0: a fist */
    double stretch; /* share of its length that the arm keeps by reaching towards the camera, 0..1 */
    double flex;    /* how far the hand turns up from the forearm's direction, 0..1 */
} snn_arm_motion;

typedef struct {
    double hz, phase;                          /* cycles per second, phase at time 0 */
    double drift, drift_hz, drift_phase;       /* tempo that comes and goes, in cycles */
    double swell, swell_hz, swell_phase;       /* amplitude that comes and goes */
    double sway[2], sway_hz[2], sway_phase[2]; /* of the body, per axis */
    double follow;                             /* share of the hands' motion that the body follows */
    snn_arm_motion arm[SNN_ARMS];
} snn_performance;

typedef struct {
    snn_vec wrist, pole; /* body frame */
    double spread, stretch, flex;
} snn_arm_pose;

typedef struct {
    snn_arm_pose arm[SNN_ARMS];
    double sway_x, sway_y;
} snn_pose;

/* ---- body ---- */

/* What a subject is and wears, drawn once per subject. Lengths in the unit of the body frame. */
typedef struct {
    double stature;           /* pixels, at the subject's usual distance */
    double shoulder;          /* half the width between the shoulder joints */
    double upper, fore, hand; /* lengths of the arm's parts */
    double girth, head;       /* factors on widths and on the head's size */
    double skin, shirt, hair; /* albedo */
    double sleeve;            /* covered share of upper arm + forearm, 0..1 */
    int watch;                /* arm that wears a watch, -1: none */
    double tempo, reach;      /* habits: factors on speed and amplitude */
    bool left_handed;
    double habit[SNN_GESTURES][4]; /* -1..1: how this subject performs a gesture */
} snn_body;

/* A limb seen by the camera: a capsule that may taper, in pixels. */
typedef struct {
    float ax, ay, bx, by; /* axis from a to b */
    float ra, rb;         /* radius at a and at b */
    float albedo;
    float shade; /* how much darker the rim is than the middle, 0..1 */
    float blur;  /* pixels from full to none at the rim */
    float opacity;
    bool fast; /* part of an arm: redrawn at every step */
} snn_capsule;

#define SNN_CAMERA_BLUR 1.5f /* pixels from full to none at a sharp rim: lens and pixel; assumption */
#define SNN_CAPSULES 32      /* bits of a tile's mask */

/* The subject's place in the image in one take. */
typedef struct {
    double x, y;     /* pixels: point between the shoulders */
    double scale;    /* pixels per unit of the body frame */
    double distance; /* of the camera, in units of the body frame */
    double shadow;   /* how much light an arm takes from what is behind it, 0..1 */
    double shadow_x; /* sideways shift of the shadow per unit of the arm's distance from the body */
} snn_stance;

void snn_body_draw_traits(const snn_camera *camera, int subject, snn_body *body);
/* Capsules of the pose in painter's order; returns their number (at most SNN_CAPSULES). */
int snn_body_place(const snn_body *body, const snn_stance *stance, const snn_pose *pose, snn_capsule *out);

void snn_gesture_draw(const snn_camera *camera, const snn_body *body, int subject, int gesture, int take,
                      snn_performance *p);
void snn_gesture_pose(const snn_performance *p, double seconds, snn_pose *pose);

/* ---- scene ---- */

typedef struct {
    snn_stance stance;
    double flicker, flicker_hz;          /* relative depth and frequency of the light's ripple */
    float light[SNN_CAMERA_PIXELS];      /* tile-major: illumination, 1 = bright office */
    float background[SNN_CAMERA_PIXELS]; /* tile-major: albedo behind the subject */
    float behind[SNN_CAMERA_PIXELS];     /* tile-major: albedo behind the arms, as last settled */
} snn_scene;

void snn_scene_draw_take(const snn_camera *camera, const snn_body *body, int subject, int take,
                         snn_scene *scene);
/* slow[tile], fast[tile]: bit i when the slow (fast) capsule i may touch the tile. */
void snn_scene_cull(const snn_capsule *capsule, int n, uint32_t slow[SNN_TILES], uint32_t fast[SNN_TILES]);
/* Draws what is behind the arms in a tile: background, trunk and head. */
void snn_scene_settle(snn_scene *scene, const snn_capsule *capsule, uint32_t slow, int tile);
/* Light intensity of the tile's 64 pixels in rows: the arms over what was settled before. */
void snn_scene_render(const snn_scene *scene, const snn_capsule *capsule, uint32_t fast, int tile,
                      float out[SNN_TILE_PIXELS]);

/* ---- pixels ---- */

typedef struct snn_sensor snn_sensor;
/* noise: the recording's own stream, used until the sensor is freed. */
snn_sensor *snn_sensor_new(const snn_camera *camera, snn_random *noise, snn_events *out, snn_error *err);
void snn_sensor_free(snn_sensor *s);
/* First sight of a tile at time t (us): pixels settle on it, no events. */
void snn_sensor_adapt(snn_sensor *s, int tile, const float intensity[SNN_TILE_PIXELS], int32_t t);
/* The tile's light has moved from what it was at its last update to `intensity` at time t (us). */
bool snn_sensor_expose(snn_sensor *s, int tile, const float intensity[SNN_TILE_PIXELS], float ripple,
                       int32_t t, snn_error *err);
/* Shot noise and hot pixels over [0, t_end). */
bool snn_sensor_noise(snn_sensor *s, int32_t t_end, snn_error *err);

#endif
