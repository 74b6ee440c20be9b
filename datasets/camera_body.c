/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bodies: who a subject is, and the capsules that stand for head, trunk, arms and hands in a pose.
 *
 * Lengths are shares of the stature by Drillis and Contini (Winter, Biomechanics and Motor Control of Human Movement, 4th ed. 2009, fig. 4.1):
 * upper arm 0.186, forearm 0.146, hand 0.108, half shoulder width 0.129, shoulder height 0.818, chin 0.870. Widths of the parts and all
 * spreads among subjects are assumptions, chosen to look like the real recordings. An arm is solved as two bones in three
 * dimensions, so that it foreshortens when it points at the camera, and is projected in perspective.
 */
#include "camera_internal.h"
#include <math.h>
#include <snnsim/portable_math.h>

static snn_vec add(snn_vec a, snn_vec b, double k) {
    return (snn_vec){a.x + k * b.x, a.y + k * b.y, a.z + k * b.z};
}

static double dot(snn_vec a, snn_vec b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static snn_vec unit(snn_vec a, snn_vec otherwise) {
    double n = sqrt(dot(a, a));
    return n > 1e-9 ? (snn_vec){a.x / n, a.y / n, a.z / n} : otherwise;
}

/* A normal value cut at +-2 standard deviations, so that no subject is a monster. */
static double spread(snn_random *r, double sigma) {
    double v = snn_random_normal(r);
    return sigma * (v > 2 ? 2 : v < -2 ? -2 : v);
}

void snn_body_draw_traits(const snn_camera *camera, int subject, snn_body *b) {
    snn_random random, *r = &random;
    snn_random_init(r, camera->seed, SNN_PURPOSE_SUBJECT, (uint64_t)subject << 32);
    b->stature = 152 * (1 + spread(r, 0.08)); /* 154 px in the real recordings at hand */
    b->shoulder = 0.129 * (1 + spread(r, 0.06));
    double arm = 1 + spread(r, 0.05);
    b->upper = 0.186 * arm * (1 + spread(r, 0.03));
    b->fore = 0.146 * arm * (1 + spread(r, 0.03));
    b->hand = 0.108 * arm * (1 + spread(r, 0.05));
    b->girth = 1 + spread(r, 0.13);
    b->head = 1 + spread(r, 0.06);
    /* Reflectance of skin in visible light is about 0.2 (dark) to 0.6 (fair); cloth 0.04 (black) to 0.8 (white). */
    b->skin = snn_camera_range(r, 0.15, 0.45);
    b->shirt =
        snn_random_uniform(r) < 0.75 ? snn_camera_range(r, 0.05, 0.25) : snn_camera_range(r, 0.3, 0.75);
    b->hair = snn_camera_range(r, 0.04, 0.3);
    b->sleeve = snn_random_uniform(r) < 0.45 ? 0.97 : snn_camera_range(r, 0.25, 0.6);
    b->watch = snn_random_uniform(r) < 0.4 ? (int)snn_random_below(r, SNN_ARMS) : -1;
    b->tempo = 1 + spread(r, 0.1);
    b->reach = 1 + spread(r, 0.08);
    b->left_handed = snn_random_uniform(r) < 0.1;
    for (int g = 0; g < SNN_GESTURES; g++)
        for (int k = 0; k < 4; k++)
            b->habit[g][k] = snn_camera_range(r, -1, 1);
}

/* ---- drawing list ---- */

typedef struct {
    const snn_stance *stance;
    snn_capsule *out;
    int n;
} list;

/* Perspective: what is nearer to the camera is larger and farther from the image's middle. */
static void put(list *l, snn_vec a, double ra, snn_vec b, double rb, double albedo, double shade, bool fast) {
    const snn_stance *s = l->stance;
    if (l->n >= SNN_CAPSULES)
        return;
    double near_a = s->distance / (s->distance - a.z), near_b = s->distance / (s->distance - b.z);
    double half = SNN_CAMERA_SIDE / 2.0;
    snn_capsule *c = &l->out[l->n++];
    c->ax = (float)(half + (s->x + s->scale * a.x - half) * near_a);
    c->ay = (float)(half + (s->y + s->scale * a.y - half) * near_a);
    c->bx = (float)(half + (s->x + s->scale * b.x - half) * near_b);
    c->by = (float)(half + (s->y + s->scale * b.y - half) * near_b);
    c->ra = (float)(s->scale * ra * near_a);
    c->rb = (float)(s->scale * rb * near_b);
    c->albedo = (float)albedo;
    c->shade = (float)shade;
    c->fast = fast;
    c->blur = SNN_CAMERA_BLUR;
    c->opacity = 1;
}

static void put_trunk(list *l, const snn_body *b, snn_vec at) {
    double g = b->girth, h = b->head;
    snn_vec left = add(at, (snn_vec){-0.78 * b->shoulder, 0.032, 0}, 1);
    snn_vec right = add(at, (snn_vec){0.78 * b->shoulder, 0.032, 0}, 1);
    put(l, add(at, (snn_vec){0, 0.1, 0}, 1), 0.09 * g, add(at, (snn_vec){0, 0.33, 0}, 1), 0.08 * g, b->shirt,
        0.25, false);
    put(l, left, 0.037 * g, right, 0.037 * g, b->shirt, 0.15, false);
    put(l, add(at, (snn_vec){0, 0.0, 0}, 1), 0.032 * g, add(at, (snn_vec){0, -0.06, 0}, 1), 0.03 * g, b->skin,
        0.3, false);
    /* Head: hair behind and above, face below (chin at 0.052 above the shoulders, crown at 0.182). */
    put(l, add(at, (snn_vec){0, -0.115 - 0.01 * h, 0}, 1), 0.049 * h, add(at, (snn_vec){0, -0.135, 0}, 1),
        0.049 * h, b->hair, 0.2, false);
    put(l, add(at, (snn_vec){0, -0.09, 0}, 1), 0.035 * h, add(at, (snn_vec){0, -0.12, 0}, 1), 0.041 * h,
        b->skin, 0.25, false);
}

/* The soft shadow of forearm and hand on what is behind: blurred over about 10 pixels, moved down and to the side. */
static void put_shadow(list *l, const snn_body *b, snn_vec elbow, snn_vec wrist) {
    double k = l->stance->shadow_x;
    snn_vec reach = add(wrist, (snn_vec){wrist.x - elbow.x, wrist.y - elbow.y, 0}, 0.6);
    snn_vec from = {elbow.x + k * elbow.z, elbow.y + 0.3 * elbow.z + 0.03, 0};
    snn_vec to = {reach.x + k * wrist.z, reach.y + 0.3 * wrist.z + 0.03, 0};
    int n = l->n;
    put(l, from, 0.03 * b->girth, to, 0.035 * b->girth, 0, 0, true);
    if (l->n > n) {
        l->out[n].opacity = (float)l->stance->shadow;
        l->out[n].blur = (float)(0.065 * l->stance->scale);
    }
}

/* Elbow and wrist of two bones from the shoulder towards the target; the elbow turns to the pole. */
static void bend(const snn_body *b, snn_vec shoulder, const snn_arm_pose *pose, snn_vec *elbow,
                 snn_vec *wrist) {
    snn_vec way = {pose->wrist.x - shoulder.x, pose->wrist.y - shoulder.y, pose->wrist.z - shoulder.z};
    double far = 0.995 * (b->upper + b->fore), near = 0.3 * (b->upper + b->fore);
    double flat = way.x * way.x + way.y * way.y, kept = pose->stretch * far;
    if (way.z > 0 &&
        way.z * way.z < kept * kept - flat) /* an arm held straight swings forwards instead of bending */
        way.z = sqrt(kept * kept - flat);
    double d = sqrt(dot(way, way));
    snn_vec u = unit(way, (snn_vec){0, 1, 0});
    d = d > far ? far : d < near ? near : d;
    *wrist = add(shoulder, u, d);
    double along = (b->upper * b->upper - b->fore * b->fore + d * d) / (2 * d);
    double high = b->upper * b->upper - along * along;
    snn_vec side = unit(add(pose->pole, u, -dot(pose->pole, u)), (snn_vec){1, 0, 0});
    *elbow = add(add(shoulder, u, along), side, high > 0 ? sqrt(high) : 0);
}

static void put_hand(list *l, const snn_body *b, snn_vec elbow, snn_vec wrist, const snn_arm_pose *pose) {
    static const double finger[4][2] = {
        {-1, 0.86}, {-0.33, 1}, {0.33, 0.96}, {1, 0.8}}; /* place in the fan, length */
    snn_vec fore =
        unit((snn_vec){wrist.x - elbow.x, wrist.y - elbow.y, wrist.z - elbow.z}, (snn_vec){0, 1, 0});
    snn_vec hand = unit(add(fore, (snn_vec){0, -1, 0.1}, pose->flex), fore);
    double w = 0.0105 * b->girth;
    snn_vec knuckles = add(wrist, hand, 0.48 * b->hand);
    if (pose->spread < 0) { /* a fist is one ball */
        put(l, add(wrist, hand, 0.12 * b->hand), 1.9 * w, add(wrist, hand, 0.42 * b->hand), 2.3 * w, b->skin,
            0.3, true);
        return;
    }
    snn_vec across = unit((snn_vec){-hand.y, hand.x, 0}, (snn_vec){1, 0, 0}); /* in the image plane */
    put(l, add(wrist, hand, 0.1 * b->hand), 1.7 * w, knuckles, 2.1 * w, b->skin, 0.3, true);
    for (int i = 0; i < 4; i++) {
        snn_vec root = add(knuckles, across, 1.6 * w * finger[i][0]);
        snn_vec along = unit(add(hand, across, pose->spread * finger[i][0]), hand);
        put(l, root, 0.75 * w, add(root, along, 0.5 * b->hand * finger[i][1]), 0.6 * w, b->skin, 0.3, true);
    }
    double thumb = wrist.x < 0 ? 1 : -1;
    snn_vec root = add(wrist, hand, 0.25 * b->hand);
    put(l, root, 0.8 * w, add(add(root, across, thumb * hand.y * -0.35 * b->hand), hand, 0.25 * b->hand),
        0.65 * w, b->skin, 0.3, true);
}

static void put_arm(list *l, const snn_body *b, snn_vec at, int arm, const snn_arm_pose *pose) {
    double side = arm == SNN_ARM_RIGHT ? -1 : 1, g = b->girth;
    snn_vec shoulder = add(at, (snn_vec){side * b->shoulder, 0.02, 0}, 1), elbow, wrist;
    snn_arm_pose moved = *pose;
    moved.wrist = add(pose->wrist, at, 1);
    bend(b, shoulder, &moved, &elbow, &wrist);
    snn_vec upper = {elbow.x - shoulder.x, elbow.y - shoulder.y, elbow.z - shoulder.z};
    snn_vec fore = {wrist.x - elbow.x, wrist.y - elbow.y, wrist.z - elbow.z};
    double covered = b->sleeve * (b->upper + b->fore); /* length under the sleeve */
    double r0 = 0.030 * g, r1 = 0.025 * g, r2 = 0.017 * g;
    put_shadow(l, b, elbow, wrist);
    bool skin_above = covered < b->upper;
    put(l, shoulder, r0, elbow, r1, skin_above ? b->skin : b->shirt, 0.3, true);
    put(l, elbow, r1, wrist, r2, b->skin, 0.3, true);
    if (skin_above)
        put(l, shoulder, 1.2 * r0, add(shoulder, upper, covered / b->upper), 1.25 * r1, b->shirt, 0.3, true);
    else
        put(l, elbow, 1.08 * r1, add(elbow, fore, (covered - b->upper) / b->fore), 1.2 * r2, b->shirt, 0.3,
            true);
    if (b->watch == arm)
        put(l, add(elbow, fore, 0.9), 1.2 * r2, add(elbow, fore, 0.93), 1.2 * r2, 0.06, 0, true);
    put_hand(l, b, elbow, wrist, &moved);
}

int snn_body_place(const snn_body *body, const snn_stance *stance, const snn_pose *pose, snn_capsule *out) {
    list l = {stance, out, 0};
    snn_vec at = {pose->sway_x, pose->sway_y, 0};
    int far = pose->arm[SNN_ARM_RIGHT].wrist.z > pose->arm[SNN_ARM_LEFT].wrist.z; /* drawn first */
    put_trunk(&l, body, at);
    put_arm(&l, body, at, far, &pose->arm[far]);
    put_arm(&l, body, at, 1 - far, &pose->arm[1 - far]);
    return l.n;
}
