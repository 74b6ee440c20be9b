/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Motion of the 11 gestures. A performance is a handful of numbers: each wrist runs on a sum of harmonics of one gesture phase around a
 * centre, with a tempo and an amplitude that come and go. The subject's habits and the take's chance set the numbers.
 *
 * Ranges were read off the seven real recordings of DVS128 Gesture at hand (periods, radii, places of the hands relative to the head; stature 154 px there)
 * where the class is among them, and are assumptions elsewhere. Clockwise and counter clockwise draw the same numbers in the same order and differ in
 * one sign, so that nothing but motion tells them apart. As in the real set the sense is the subject's: clockwise
 * runs counter clockwise in the image.
 */
#include "camera_internal.h"
#include <snnsim/portable_math.h>

const char *const snn_gesture_name[SNN_GESTURES] = {
    "hand clapping",
    "right hand wave",
    "left hand wave",
    "right arm clockwise",
    "right arm counter clockwise",
    "left arm clockwise",
    "left arm counter clockwise",
    "arm roll",
    "air drums",
    "air guitar",
    "other gestures",
};

enum { OUT, DOWN, FRONT }; /* axes of a path */

#define QUARTER (SNN_TURN / 4)

double snn_camera_range(snn_random *r, double low, double high) {
    return low + (high - low) * snn_random_uniform(r);
}

/* A value in [low, high): half of the place within it is the subject's habit, half is chance. */
static double styled(snn_random *r, double habit, double low, double high) {
    double chance = 2 * snn_random_uniform(r) - 1;
    return low + (high - low) * (0.5 + 0.25 * (habit + chance));
}

/* A point in a box. C leaves open in which order the items of a list are worked out, so draws that stand side by side in
 * braces or arguments would differ between compilers. */
static snn_vec somewhere(snn_random *r, snn_vec low, snn_vec high) {
    snn_vec v;
    v.x = snn_camera_range(r, low.x, high.x);
    v.y = snn_camera_range(r, low.y, high.y);
    v.z = snn_camera_range(r, low.z, high.z);
    return v;
}

static snn_harmonic harmonic(double amplitude, double rate, double phase) {
    return (snn_harmonic){amplitude, rate, phase};
}

/* A slow wander of up to `most`, four strokes to a turn. */
static snn_harmonic idle(snn_random *r, double most) {
    double amplitude = snn_camera_range(r, 0, most), phase = snn_camera_range(r, 0, SNN_TURN);
    return harmonic(amplitude, 0.25, phase);
}

/* An arm that hangs at the side. */
static void rest(snn_random *r, snn_arm_motion *a) {
    *a = (snn_arm_motion){0};
    a->centre = somewhere(r, (snn_vec){0.15, 0.31, 0.0}, (snn_vec){0.20, 0.36, 0.06});
    a->pole = (snn_vec){0.6, 0.4, -0.6};
    a->spread = 0.05;
    a->path[OUT][0] = harmonic(0.004, 1, snn_camera_range(r, 0, SNN_TURN)); /* shaken by the other arm */
}

/* An arm that takes part starts from nothing instead of from rest. */
static snn_arm_motion *begin(snn_arm_motion *a) {
    *a = (snn_arm_motion){0};
    return a;
}

static void clap(snn_random *r, const double *habit, snn_performance *p) {
    double tilt = styled(r, habit[0], -0.9, 0.9); /* one hand above the other */
    double open = styled(r, habit[1], 0.045, 0.13);
    double y = styled(r, habit[2], -0.02, 0.19), x = snn_camera_range(r, -0.03, 0.03);
    double z = snn_camera_range(r, 0.16, 0.24), share = snn_camera_range(r, -0.3, 0.3);
    p->hz = styled(r, habit[3], 2.0, 4.2);
    for (int i = 0; i < SNN_ARMS; i++) {
        snn_arm_motion *a = begin(&p->arm[i]);
        double side = i == SNN_ARM_RIGHT ? 1 : -1, width = open * (1 + side * share);
        a->centre = (snn_vec){0.012 + width * 0.5 - side * x, y + side * width * 0.5 * tilt, z};
        a->path[OUT][0] = harmonic(0.5 * width, 1, 0);
        a->path[OUT][1] = harmonic(0.1 * width, 2, QUARTER);
        a->path[DOWN][0] = harmonic(0.5 * side * width * tilt, 1, 0);
        a->pole = (snn_vec){0.7, 0.8, -0.2};
        a->spread = 0.1;
        a->flex = 0.75;
    }
}

static void wave(snn_random *r, const double *habit, snn_performance *p, int arm) {
    snn_arm_motion *a = begin(&p->arm[arm]);
    double swing = styled(r, habit[0], 0.035, 0.11);
    a->centre.x = styled(r, habit[1], 0.12, 0.32);
    a->centre.y = styled(r, habit[2], -0.24, 0.0);
    a->centre.z = snn_camera_range(r, 0.04, 0.16);
    p->hz = styled(r, habit[3], 1.1, 2.8);
    a->path[OUT][0] = harmonic(swing, 1, 0);
    a->path[DOWN][0] = harmonic(swing * snn_camera_range(r, 0.1, 0.3), 2, QUARTER); /* an arc */
    a->path[DOWN][1] = harmonic(swing * snn_camera_range(r, -0.25, 0.25), 1, 0);    /* its tilt */
    a->pole = (snn_vec){snn_camera_range(r, 0.2, 0.7), 1, -0.2};
    a->spread = snn_camera_range(r, 0.12, 0.4);
    a->flex = 0.5;
}

/* sense +1: clockwise in the image. */
static void circle(snn_random *r, const double *habit, snn_performance *p, int arm, double sense) {
    snn_arm_motion *a = begin(&p->arm[arm]);
    double radius = styled(r, habit[0], 0.13, 0.27), squeeze = snn_camera_range(r, 0.8, 1.2);
    double tilt = snn_camera_range(r, -0.5, 0.5), bulge = snn_camera_range(r, -0.05, 0.05);
    double turn = arm == SNN_ARM_LEFT ? sense : -sense; /* the path is mirrored for the right arm */
    a->centre.x = styled(r, habit[1], 0.11, 0.26);
    a->centre.y = styled(r, habit[2], -0.09, 0.08);
    a->centre.z = snn_camera_range(r, 0.06, 0.18);
    p->hz = styled(r, habit[3], 0.8, 2.1);
    a->path[OUT][0] = harmonic(radius, 1, QUARTER);
    a->path[DOWN][0] = harmonic(radius * squeeze, turn, 0);
    a->path[FRONT][0] = harmonic(radius * tilt, turn, 0); /* lower half nearer or farther */
    a->path[FRONT][1] = harmonic(bulge, 2, QUARTER);
    a->pole = (snn_vec){snn_camera_range(r, 0.4, 1), 0.7, -0.3};
    a->stretch = snn_camera_range(r, 0.88, 1);
    a->spread = snn_random_uniform(r) < 0.5 ? -1 : snn_camera_range(r, 0.05, 0.25);
}

static void roll(snn_random *r, const double *habit, snn_performance *p) {
    double radius = styled(r, habit[0], 0.04, 0.095), y = styled(r, habit[1], 0.03, 0.2);
    double inward = styled(r, habit[2], -0.05, 0.05), z = snn_camera_range(r, 0.17, 0.24);
    double sense = snn_random_uniform(r) < 0.7 ? 1 : -1; /* forwards mostly */
    double depth = snn_camera_range(r, 0.6, 1.1);
    p->hz = styled(r, habit[3], 1.1, 2.7);
    for (int i = 0; i < SNN_ARMS; i++) {
        snn_arm_motion *a = begin(&p->arm[i]);
        double half = i == SNN_ARM_RIGHT ? 0 : SNN_TURN / 2;
        a->centre = (snn_vec){inward, y, z};
        a->path[DOWN][0] = harmonic(radius, sense, half);
        a->path[FRONT][0] = harmonic(radius * depth, 1, half + QUARTER);
        a->path[OUT][0] = harmonic(0.1 * radius, 1, half);
        a->pole = (snn_vec){1, 0.5, -0.1};
        a->spread = -1;
    }
}

static void drums(snn_random *r, const double *habit, snn_performance *p) {
    double stroke = styled(r, habit[0], 0.04, 0.12), y = styled(r, habit[1], 0.08, 0.25);
    double apart = styled(r, habit[2], 0.06, 0.18), z = snn_camera_range(r, 0.14, 0.24);
    bool together = snn_random_uniform(r) < 0.2;
    p->hz = styled(r, habit[3], 1.4, 3.6);
    for (int i = 0; i < SNN_ARMS; i++) {
        snn_arm_motion *a = begin(&p->arm[i]);
        double half = i == SNN_ARM_RIGHT || together ? 0 : SNN_TURN / 2;
        a->centre = somewhere(r, (snn_vec){apart - 0.03, y - 0.03, z}, (snn_vec){apart + 0.03, y + 0.03, z});
        a->path[DOWN][0] = harmonic(stroke, 1, half);
        a->path[DOWN][1] = harmonic(0.3 * stroke, 2, 2 * half + 1.0); /* slow up, fast down */
        a->path[OUT][0] = idle(r, 0.04);
        a->path[FRONT][0] = harmonic(0.3 * stroke, 1, half);
        a->pole = (snn_vec){0.6, 0.8, -0.4};
        a->spread = -1;
        a->flex = 0.1;
    }
}

static void guitar(snn_random *r, const double *habit, snn_performance *p, bool left_handed) {
    snn_arm_motion *strum = begin(&p->arm[left_handed ? SNN_ARM_LEFT : SNN_ARM_RIGHT]);
    snn_arm_motion *fret = begin(&p->arm[left_handed ? SNN_ARM_RIGHT : SNN_ARM_LEFT]);
    double stroke = styled(r, habit[0], 0.025, 0.075), slant = snn_camera_range(r, -0.5, 0.7);
    strum->centre.x = snn_camera_range(r, 0.0, 0.18);
    strum->centre.y = styled(r, habit[1], 0.14, 0.29);
    strum->centre.z = snn_camera_range(r, 0.1, 0.18);
    p->hz = styled(r, habit[3], 1.6, 3.8);
    strum->path[DOWN][0] = harmonic(stroke, 1, 0);
    strum->path[OUT][0] = harmonic(stroke * slant, 1, snn_camera_range(r, -0.6, 0.6));
    strum->pole = (snn_vec){1, 0.2, -0.3};
    strum->spread = 0.05;
    strum->flex = -0.2;
    fret->centre.x = styled(r, habit[2], 0.2, 0.36);
    fret->centre.y = snn_camera_range(r, -0.04, 0.16);
    fret->centre.z = snn_camera_range(r, 0.1, 0.2);
    fret->path[OUT][0] = idle(r, 0.05);
    fret->path[DOWN][0] = idle(r, 0.025);
    fret->pole = (snn_vec){0.3, 1, -0.3};
    fret->spread = -1;
    fret->flex = 0.4;
}

/* Something else, made up in every take: both arms flap, reach overhead or punch, one arm swings to and fro, or free figures. */
static void improvise(snn_random *r, snn_performance *p) {
    uint32_t kind = snn_random_below(r, 5);
    int first = (int)snn_random_below(r, 2);
    int arms = kind == 3 ? 1 : 2;
    double half = snn_random_uniform(r) < 0.5 ? 0 : SNN_TURN / 2;
    p->hz = snn_camera_range(r, 0.6, 2.2);
    for (int k = 0; k < arms; k++) {
        snn_arm_motion *a = begin(&p->arm[k ? 1 - first : first]);
        double size = snn_camera_range(r, 0.08, 0.2), turn = k ? half : 0;
        a->pole = (snn_vec){0.7, 0.7, -0.3};
        a->spread = snn_camera_range(r, -0.2, 0.4);
        if (kind == 0) { /* flap sideways */
            a->centre = somewhere(r, (snn_vec){0.32, -0.05, 0.03}, (snn_vec){0.4, 0.1, 0.03});
            a->path[DOWN][0] = harmonic(size, 1, turn);
            a->path[OUT][0] = harmonic(-0.3 * size, 2, 2 * turn + QUARTER);
        } else if (kind == 1) { /* both arms overhead */
            a->centre = somewhere(r, (snn_vec){0.05, -0.3, 0.05}, (snn_vec){0.16, -0.22, 0.05});
            a->path[OUT][0] = harmonic(0.7 * size, 1, turn);
            a->path[DOWN][0] = harmonic(0.2 * size, 2, 0);
        } else if (kind == 2) { /* punch towards the camera */
            a->centre = somewhere(r, (snn_vec){0.03, -0.06, 0.18}, (snn_vec){0.14, 0.05, 0.18});
            a->path[FRONT][0] = harmonic(0.13, 1, turn);
            a->path[DOWN][0] = harmonic(-0.25 * size, 1, turn);
            a->spread = -1;
        } else { /* one arm to and fro, or free figures of both */
            a->centre = somewhere(r, (snn_vec){0.0, -0.15, 0.08}, (snn_vec){0.25, 0.2, 0.2});
            for (int axis = OUT; axis <= FRONT; axis++) {
                double share = snn_camera_range(r, 0.1, 1.0);
                double rate = kind == 3 ? 1 : 0.5 + 0.5 * snn_random_below(r, 3);
                double phase = kind == 3 ? (snn_random_uniform(r) < 0.5 ? 0 : SNN_TURN / 2)
                                         : snn_camera_range(r, 0, SNN_TURN);
                a->path[axis][0] = harmonic(size * share, rate, phase);
            }
        }
    }
}

/* What all gestures share: phase, drift of tempo and amplitude, sway of the body. */
static void draw_common(snn_random *r, snn_performance *p) {
    p->phase = snn_camera_range(r, 0, SNN_TURN);
    p->drift = snn_camera_range(r, 0.0, 0.06);
    p->drift_hz = snn_camera_range(r, 0.2, 0.6);
    p->drift_phase = snn_camera_range(r, 0, SNN_TURN);
    p->swell = snn_camera_range(r, 0.0, 0.15);
    p->swell_hz = snn_camera_range(r, 0.2, 0.9);
    p->swell_phase = snn_camera_range(r, 0, SNN_TURN);
    for (int i = 0; i < 2;
         i++) { /* quiet standing sways by about 1 cm (assumption), stature is about 170 cm */
        p->sway[i] = snn_camera_range(r, 0.001, 0.006) * (i ? 0.3 : 1);
        p->sway_hz[i] = snn_camera_range(r, 0.2, 0.6);
        p->sway_phase[i] = snn_camera_range(r, 0, SNN_TURN);
    }
    p->follow = snn_camera_range(r, 0.0, 0.03);
    for (int i = 0; i < SNN_ARMS; i++)
        rest(r, &p->arm[i]);
}

void snn_gesture_draw(const snn_camera *camera, const snn_body *body, int subject, int gesture, int take,
                      snn_performance *p) {
    snn_random random, *r = &random;
    uint64_t index = (uint64_t)subject << 40 | (uint64_t)gesture << 32 | (uint64_t)take;
    /* Somebody who circles wide one way circles wide the other way too. */
    const double *habit = body->habit[gesture == 4 || gesture == 6 ? gesture - 1 : gesture];
    snn_random_init(r, camera->seed, SNN_PURPOSE_GESTURE, index);
    *p = (snn_performance){0};
    draw_common(r, p);
    switch (gesture) {
    case 0:
        clap(r, habit, p);
        break;
    case 1:
        wave(r, habit, p, SNN_ARM_RIGHT);
        break;
    case 2:
        wave(r, habit, p, SNN_ARM_LEFT);
        break;
    case 3:
        circle(r, habit, p, SNN_ARM_RIGHT, -1);
        break;
    case 4:
        circle(r, habit, p, SNN_ARM_RIGHT, 1);
        break;
    case 5:
        circle(r, habit, p, SNN_ARM_LEFT, -1);
        break;
    case 6:
        circle(r, habit, p, SNN_ARM_LEFT, 1);
        break;
    case 7:
        roll(r, habit, p);
        break;
    case 8:
        drums(r, habit, p);
        break;
    case 9:
        guitar(r, habit, p, body->left_handed);
        break;
    default:
        improvise(r, p);
        break;
    }
    p->hz *= body->tempo;
    for (int arm = 0; arm < SNN_ARMS; arm++)
        for (int axis = 0; axis < 3; axis++)
            for (int k = 0; k < SNN_HARMONICS; k++)
                p->arm[arm].path[axis][k].amplitude *= body->reach;
}

static double path_at(const snn_harmonic *path, double phase, double gain) {
    double sum = 0;
    for (int k = 0; k < SNN_HARMONICS; k++)
        if (path[k].amplitude != 0)
            sum += path[k].amplitude * snn_sin(path[k].rate * phase + path[k].phase);
    return gain * sum;
}

void snn_gesture_pose(const snn_performance *p, double seconds, snn_pose *pose) {
    double phase =
        p->phase +
        SNN_TURN * (p->hz * seconds + p->drift * snn_sin(SNN_TURN * p->drift_hz * seconds + p->drift_phase));
    double gain = 1 + p->swell * snn_sin(SNN_TURN * p->swell_hz * seconds + p->swell_phase);
    pose->sway_x = p->sway[0] * snn_sin(SNN_TURN * p->sway_hz[0] * seconds + p->sway_phase[0]);
    pose->sway_y = p->sway[1] * snn_sin(SNN_TURN * p->sway_hz[1] * seconds + p->sway_phase[1]);
    for (int i = 0; i < SNN_ARMS; i++) {
        const snn_arm_motion *a = &p->arm[i];
        double out = path_at(a->path[OUT], phase, gain), y = path_at(a->path[DOWN], phase, gain);
        double z = path_at(a->path[FRONT], phase, gain);
        double side = i == SNN_ARM_RIGHT ? -1 : 1;
        pose->arm[i].wrist = (snn_vec){side * (a->centre.x + out), a->centre.y + y, a->centre.z + z};
        pose->arm[i].pole = (snn_vec){side * a->pole.x, a->pole.y, a->pole.z};
        pose->arm[i].spread = a->spread;
        pose->arm[i].flex = a->flex;
        pose->arm[i].stretch = a->stretch;
        pose->sway_x += p->follow * side * out;
        pose->sway_y += 0.5 * p->follow * y;
    }
}
