/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * EEGMMIDB, the EEG motor movement/imagery data set (Schalk et al. 2004, doi:10.1109/TBME.2004.827072; PhysioNet, doi:10.13026/C28G6P):
 * S001/S001R01.edf .. S109/S109R14.edf. A sample is the window of one annotation: T0 rest, T1 and T2 by the run's task.
 *
 * A run is filtered and normalised as a whole, so each buffer keeps the run it read last: its epochs follow one another in the table.
 */
#include "eeg.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 48 /* "S%03dR%02d.edf" twice over, for numbers of any length */
#define NS_PER_MS 1000000
#define NOTE_SIZE 1024

enum { FISTS, FISTS_FEET, TASKS };
static const char *const class_names[TASKS][3] = {{"rest", "left fist", "right fist"},
                                                  {"rest", "both fists", "both feet"}};

typedef enum { REST_NONE, REST_ALL, REST_HALF } rest_choice;

static const char *task_name(int task) {
    return task == FISTS ? "fists" : "fists_feet";
}

/* What the config asks for. */
typedef struct {
    int task;
    rest_choice rest;
    bool run[SNN_EEG_RUNS + 1], test_run[SNN_EEG_RUNS + 1];
    bool subject[SNN_EEG_SUBJECTS + 1], test_subject[SNN_EEG_SUBJECTS + 1];
    char missing[NOTE_SIZE]; /* names of runs that are not there, with commas */
    size_t missed, outside;  /* runs; epochs that leave their recording */
} choice;

/* Task of a run, -1 for the first two (eyes open, eyes closed); executed are 3, 5, 7, ..., imagined 4, 6, 8, ... */
static int task_of(int run) {
    return run < 3 ? -1 : (run - 3) / 2 % 2;
}
static bool imagined(int run) {
    return run % 2 == 0;
}

/* ---- config ---- */

/* Marks the numbers of a list; numbers are within the key's range. */
static int mark_list(const snn_config *config, const char *key, bool *marked) {
    int n = snn_config_count(config, key);
    for (int i = 0; i < n; i++)
        marked[snn_config_int_at(config, key, i)] = true;
    return n;
}

static bool take_runs(choice *c, const snn_config *config, snn_error *err) {
    const char *movement = snn_config_string(config, "dataset.eeg.movement");
    c->task =
        strcmp(snn_config_string(config, "dataset.eeg.task"), task_name(FISTS)) == 0 ? FISTS : FISTS_FEET;
    bool given = mark_list(config, "dataset.eeg.runs", c->run) > 0;
    for (int run = 1; run <= SNN_EEG_RUNS; run++) {
        if (given && c->run[run] && task_of(run) != c->task)
            return snn_config_fail(config, "dataset.eeg.runs", err,
                                   "run %d is not of task %s, in which T1 and T2 are %s and %s", run,
                                   task_name(c->task), class_names[c->task][1], class_names[c->task][2]);
        if (!given)
            c->run[run] =
                task_of(run) == c->task && strcmp(movement, imagined(run) ? "executed" : "imagined") != 0;
    }
    int test_runs = mark_list(config, "dataset.eeg.test_runs", c->test_run),
        test_subjects = mark_list(config, "dataset.eeg.test_subjects", c->test_subject);
    if (test_runs > 0 && test_subjects > 0)
        return snn_config_fail(config, "dataset.eeg.test_subjects", err,
                               "give runs or subjects for testing, not both");
    for (int run = 1; run <= SNN_EEG_RUNS; run++)
        if (c->test_run[run] && !c->run[run])
            return snn_config_fail(config, "dataset.eeg.test_runs", err, "run %d is not among the runs", run);
    return true;
}

static bool take_channels(snn_eeg_signal *s, const snn_config *config, snn_error *err) {
    static const char key[] = "dataset.eeg.channels";
    int n = snn_config_count(config, key);
    if (n == 1 && strcmp(snn_config_string_at(config, key, 0), "all") == 0)
        return true; /* named by the first run */
    if (n < 1 || n > (int)SNN_EEG_CHANNELS_MAX)
        return snn_config_fail(config, key, err, "expected \"all\" or 1 .. %u names", SNN_EEG_CHANNELS_MAX);
    for (int i = 0; i < n; i++) {
        snn_eeg_plain_name(snn_config_string_at(config, key, i), s->channel[i]);
        for (int k = 0; k < i; k++)
            if (strcasecmp(s->channel[i], s->channel[k]) == 0)
                return snn_config_fail(config, key, err, "%s is given twice", s->channel[i]);
    }
    s->channels = (uint32_t)n;
    return true;
}

static void take_signal(snn_eeg_signal *s, const snn_config *config) {
    const char *normalise = snn_config_string(config, "dataset.eeg.normalise");
    s->order = (int)snn_config_int(config, "dataset.eeg.filter_order");
    s->low = snn_config_float(config, "dataset.eeg.filter_low");
    s->high = snn_config_float(config, "dataset.eeg.filter_high");
    s->zero_phase = snn_config_bool(config, "dataset.eeg.zero_phase");
    s->average_reference = strcmp(snn_config_string(config, "dataset.eeg.reference"), "average") == 0;
    s->normalise = strcmp(normalise, "run") == 0    ? SNN_EEG_NORMALISE_RUN
                   : strcmp(normalise, "rest") == 0 ? SNN_EEG_NORMALISE_REST
                                                    : SNN_EEG_NORMALISE_NONE;
}

static void take_encoder(snn_eeg_encoder *e, const snn_config *config) {
    const char *name = snn_config_string(config, "dataset.eeg.encoder");
    e->code = strcmp(name, "delta") == 0          ? SNN_EEG_DELTA
              : strcmp(name, "step_forward") == 0 ? SNN_EEG_STEP_FORWARD
                                                  : SNN_EEG_RATE;
    e->threshold = snn_config_float(config, "dataset.eeg.threshold");
    e->rate_max = snn_config_float(config, "dataset.eeg.rate_max");
    e->rate_full = snn_config_float(config, "dataset.eeg.rate_full");
}

static bool take_config(snn_dataset *d, choice *c, const snn_config *config, snn_error *err) {
    const char *rest = snn_config_string(config, "dataset.eeg.rest");
    struct snn_eeg *eeg = d->eeg;
    c->rest = strcmp(rest, "none") == 0 ? REST_NONE : strcmp(rest, "all") == 0 ? REST_ALL : REST_HALF;
    eeg->start_ns = snn_config_int(config, "dataset.eeg.start_ms") * NS_PER_MS;
    eeg->length_ns = snn_config_int(config, "dataset.eeg.length_ms") * NS_PER_MS;
    eeg->by_subject = strcmp(snn_config_string(config, "dataset.eeg.fold_by"), "subject") == 0;
    take_signal(&eeg->signal, config);
    take_encoder(&eeg->encoder, config);
    if (snn_config_float(config, "train.validation") > 0)
        return snn_config_fail(config, "train.validation", err,
                               "single epochs drawn for validation would be neighbours of training epochs; "
                               "keep whole runs apart with dataset.eeg.test_runs or dataset.folds");
    return take_runs(c, config, err) && take_channels(&eeg->signal, config, err);
}

/* ---- opening ---- */

/* The key of the filter to blame: the lower edge when the upper one could be one, and is not the only one that was given. */
static const char *wrong_edge(const snn_config *config, const snn_eeg_signal *s, double rate) {
    static const char low[] = "dataset.eeg.filter_low", high[] = "dataset.eeg.filter_high";
    if (s->high >= rate / 2)
        return high;
    if (s->low >= rate / 2)
        return low;
    return s->low >= s->high && (snn_config_given(config, low) || !snn_config_given(config, high)) ? low
                                                                                                   : high;
}

/* The first run names the channels; the others must have them. Checks what depends on the sampling rate. */
static bool check_run(snn_dataset *d, const snn_config *config, const snn_edf *e, snn_eeg_clock *clock,
                      snn_error *err) {
    struct snn_eeg *eeg = d->eeg;
    uint32_t signal[SNN_EEG_CHANNELS_MAX], channels;
    snn_butterworth f;
    if (!snn_eeg_pick(&eeg->signal, e, signal, &channels, clock, err))
        return false;
    for (uint32_t c = 0; eeg->signal.channels == 0 && c < channels; c++)
        snn_eeg_plain_name(e->signal[signal[c]].label, eeg->signal.channel[c]);
    eeg->signal.channels = channels;
    d->info.sensor[2] = channels;
    double rate = clock->samples * 1e9 / (double)clock->record_ns;
    if (!snn_butterworth_design(&f, eeg->signal.order, eeg->signal.low, eeg->signal.high, rate, err)) {
        char why[sizeof err->text];
        snprintf(why, sizeof why, "%s", err ? err->text : "");
        return snn_config_fail(config, wrong_edge(config, &eeg->signal, rate), err, "%s", why);
    }
    if (eeg->encoder.code == SNN_EEG_RATE && eeg->encoder.rate_max > rate)
        return snn_config_fail(config, "dataset.eeg.rate_max", err,
                               "%g spikes per second are more than the %g samples per second",
                               eeg->encoder.rate_max, rate);
    return true;
}

/* Class of an annotation, -1: none. rests counts the T0 so far. */
static int class_of(const choice *c, const char *text, size_t *rests) {
    int kind = text[0] == 'T' && text[1] >= '0' && text[1] <= '2' && text[2] == '\0' ? text[1] - '0' : -1;
    if (kind == 0 && (c->rest == REST_NONE || ((*rests)++ % 2 == 1 && c->rest == REST_HALF)))
        return -1;
    return kind - (kind >= 0 && c->rest == REST_NONE);
}

static bool add_epochs(snn_dataset *d, choice *c, const char *path, uint64_t size, int subject, int run,
                       bool test, const snn_edf *e, const snn_edf_notes *notes, snn_error *err) {
    const int64_t all = snn_eeg_end(e, notes);
    size_t rests = 0;
    snn_sample s = {.size = size, .end = subject * 100 + run, .test = test, .format = SNN_FORMAT_EEG};
    if (!snn_table_path(&d->table, path, &s.path, err))
        return false;
    for (size_t i = 0; i < notes->n; i++) {
        s.label = class_of(c, notes->text + notes->note[i].text, &rests);
        s.start = notes->note[i].onset_ns + d->eeg->start_ns;
        s.row = (uint32_t)i + 1;
        if (s.label < 0)
            continue;
        if (s.start < 0 || s.start + d->eeg->length_ns > all)
            c->outside++;
        else if (!snn_table_add(&d->table, &s, err))
            return false;
    }
    return true;
}

static void miss(choice *c, const char *path) {
    size_t used = strlen(c->missing);
    int n = snprintf(c->missing + used, sizeof c->missing - used, "%s%.7s", used ? ", " : "", path + 5);
    if (n < 0 || (size_t)n >= sizeof c->missing - used)
        c->missing[used] = '\0'; /* only the first ones are named */
    c->missed++;
}

static bool open_run(snn_dataset *d, const snn_config *config, choice *c, int subject, int run, bool test,
                     snn_error *err) {
    char path[PATH_SIZE];
    uint64_t size;
    bool found;
    snn_edf e = {.signal = NULL};
    snn_edf_notes notes = {.n = 0};
    snn_eeg_clock clock;
    snn_source s;
    snprintf(path, sizeof path, "S%03d/S%03dR%02d.edf", subject, subject, run);
    if (!snn_recording_size(d, path, 1, &size, &found, err))
        return false;
    if (!found)
        return miss(c, path), true;
    if (!snn_recording_open(d, path, size, &s, err))
        return false;
    bool ok = snn_edf_open(&s, &e, err) && snn_edf_annotations(&s, &e, &notes, err);
    close(s.fd);
    ok = (ok && check_run(d, config, &e, &clock, err)) ||
         ((err == NULL || err->code != SNN_ERR_USAGE) && snn_error_context(err, "%s/%s", d->folder, path));
    ok = ok && add_epochs(d, c, path, size, subject, run, test, &e, &notes, err);
    snn_edf_notes_free(&notes);
    snn_edf_free(&e);
    return ok;
}

/* Subjects by the config, or all that have a folder. */
static bool take_subjects(const snn_dataset *d, choice *c, const snn_config *config, snn_error *err) {
    snn_names names = {0};
    bool ok = true;
    if (mark_list(config, "dataset.eeg.subjects", c->subject) == 0) {
        ok = snn_folder_names(d, ".", "", false, &names, err);
        for (size_t i = 0; ok && i < names.n; i++) {
            int subject, used = 0;
            if (strlen(names.name[i]) == 4 && sscanf(names.name[i], "S%3d%n", &subject, &used) == 1 &&
                used == 4 && subject >= 1 && subject <= SNN_EEG_SUBJECTS)
                c->subject[subject] = true;
        }
        snn_names_free(&names);
    }
    for (int i = 1; ok && i <= SNN_EEG_SUBJECTS; i++)
        if (c->test_subject[i] && !c->subject[i])
            ok = snn_config_fail(config, "dataset.eeg.test_subjects", err,
                                 "subject %d is not among the subjects", i);
    return ok;
}

static bool write_note(snn_dataset *d, const choice *c, snn_error *err) {
    if (c->missed == 0 && c->outside == 0)
        return true;
    size_t size = 2 * NOTE_SIZE, used = 0;
    d->eeg->note = snn_alloc(size, 1, "note", err);
    if (d->eeg->note == NULL)
        return false;
    if (c->missed > 0)
        used = (size_t)snprintf(d->eeg->note, size, "%zu run%s not there: %s", c->missed,
                                c->missed == 1 ? " is" : "s are", c->missing);
    if (c->outside > 0)
        snprintf(d->eeg->note + used, size - used,
                 "%s%zu epoch%s left out, because the window leaves the recording", used ? "; " : "",
                 c->outside, c->outside == 1 ? " is" : "s are");
    d->info.note = d->eeg->note;
    return true;
}

static bool open_all(snn_dataset *d, const snn_config *config, choice *c, snn_split split, snn_error *err) {
    bool any_test = false;
    for (int i = 1; i <= SNN_EEG_SUBJECTS; i++)
        any_test = any_test || c->test_subject[i] || (i <= SNN_EEG_RUNS && c->test_run[i]);
    if (split == SNN_SPLIT_TEST && !any_test)
        return snn_config_fail(config, "dataset.eeg.test_runs", err,
                               "EEGMMIDB has no official test part: name runs here or subjects in "
                               "dataset.eeg.test_subjects, or cut folds with dataset.folds");
    for (int subject = 1; subject <= SNN_EEG_SUBJECTS; subject++)
        for (int run = 1; c->subject[subject] && run <= SNN_EEG_RUNS; run++) {
            bool test = c->test_subject[subject] || c->test_run[run];
            if (c->run[run] && split != (test ? SNN_SPLIT_TRAIN : SNN_SPLIT_TEST) &&
                !open_run(d, config, c, subject, run, test, err))
                return false;
        }
    if (d->table.n == 0 && c->outside > 0)
        return snn_config_fail(config, "dataset.eeg.length_ms", err,
                               "the window of every epoch leaves its recording");
    d->absent = d->table.n == 0;
    if (d->absent)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: no epochs of task %s in this part%s%s; expected S001/S001R03.edf and so on, as "
                        "PhysioNet has them",
                        d->folder, task_name(c->task), c->missed ? "; not there: " : "", c->missing);
    return write_note(d, c, err);
}

bool snn_eegmmidb_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    choice c = {.task = FISTS};
    d->info.name = "eegmmidb";
    d->info.has_events = true;
    d->info.sensor[0] = 2;
    d->info.sensor[1] = 1;
    if (*snn_config_string(config, "dataset.path") == '\0')
        return snn_config_fail(config, "dataset.path", err,
                               "EEGMMIDB is not part of snnsim: get it from "
                               "https://physionet.org/content/eegmmidb/1.0.0/ (ODC-By 1.0) and give the "
                               "folder with S001, S002, ... here");
    d->eeg = snn_alloc(1, sizeof *d->eeg, "EEG settings", err);
    if (d->eeg == NULL || !take_config(d, &c, config, err) || !snn_folder_open(d, config, err) ||
        !take_subjects(d, &c, config, err))
        return false;
    d->info.classes = c.rest == REST_NONE ? 2 : 3;
    d->info.class_name = class_names[c.task] + (c.rest == REST_NONE);
    return open_all(d, config, &c, split, err);
}

void snn_eeg_free(struct snn_eeg *eeg) {
    if (eeg != NULL)
        free(eeg->note);
    free(eeg);
}

uint32_t snn_eeg_fold_group(const snn_dataset *d, const snn_sample *s) {
    return (uint32_t)(d->eeg->by_subject ? s->end / 100 : s->end);
}

/* ---- reading ---- */

/* The run that a buffer read last, with all that its samples depend on. */
struct snn_eeg_kept {
    dev_t device;
    ino_t file;
    struct timespec changed;
    uint64_t size;
    snn_eeg_signal signal;
    snn_eeg_run run;
};

void snn_eeg_kept_free(struct snn_eeg_kept *kept) {
    if (kept != NULL)
        snn_eeg_run_clear(&kept->run);
    free(kept);
}

static bool same_signal(const snn_eeg_signal *a, const snn_eeg_signal *b) {
    return a->order == b->order && a->low == b->low && a->high == b->high && a->zero_phase == b->zero_phase &&
           a->average_reference == b->average_reference && a->normalise == b->normalise &&
           a->channels == b->channels && memcmp(a->channel, b->channel, sizeof a->channel) == 0;
}

static bool same_run(const struct snn_eeg_kept *k, const struct stat *st, const snn_eeg_signal *signal) {
    return k->run.n > 0 && k->device == st->st_dev && k->file == st->st_ino &&
           k->size == (uint64_t)st->st_size && k->changed.tv_sec == st->st_ctim.tv_sec &&
           k->changed.tv_nsec == st->st_ctim.tv_nsec && same_signal(&k->signal, signal);
}

/* Makes k the run of an open file. */
static bool keep_run(const snn_dataset *d, const snn_source *s, struct snn_eeg_kept *k, snn_error *err) {
    struct stat st;
    if (fstat(s->fd, &st) != 0 || (uint64_t)st.st_size != s->size)
        return snn_fail(err, SNN_ERR_DATA,
                        "its size changed since the data set was opened (%" PRIu64 " bytes then)", s->size);
    if (same_run(k, &st, &d->eeg->signal))
        return true;
    bool ok = snn_eeg_run_load(&d->eeg->signal, s, &k->run, err);
    if (!ok)
        k->run.n = 0; /* not a whole run */
    k->device = st.st_dev;
    k->file = st.st_ino;
    k->changed = st.st_ctim;
    k->size = (uint64_t)st.st_size;
    k->signal = d->eeg->signal;
    return ok;
}

/* The events of sample s out of its run. */
static bool encode(const snn_dataset *d, const snn_sample *s, const snn_eeg_run *run, snn_events *out,
                   snn_error *err) {
    uint64_t first = snn_eeg_sample_at(&run->clock, s->start),
             n = snn_eeg_sample_at(&run->clock, d->eeg->length_ns);
    if (first > run->n || n > run->n - first + 1) /* the file was replaced by one of the same size */
        return snn_fail(err, SNN_ERR_DATA, "the recording is shorter than when the data set was opened");
    if (n > run->n - first) /* start and length were both rounded up */
        n--;
    return snn_eeg_encode(&d->eeg->encoder, &run->clock, run->x + first * run->channels, n, run->channels,
                          run->work, out, err);
}

bool snn_eeg_read(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err) {
    const char *path = snn_table_text(&d->table, s);
    snn_source source;
    if (b->eeg == NULL)
        b->eeg = snn_alloc(1, sizeof *b->eeg, "EEG run", err);
    if (b->eeg == NULL || !snn_recording_open(d, path, s->size, &source, err))
        return false;
    bool ok = keep_run(d, &source, b->eeg, err) && encode(d, s, &b->eeg->run, &b->events, err);
    close(source.fd);
    return ok || snn_error_context(err, "%s/%s", d->folder, path);
}
