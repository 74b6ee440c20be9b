/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Training: surrogate-gradient back-propagation through time (Neftci et al., IEEE SPM 2019, doi:10.1109/MSP.2019.2931595), Adam (Kingma & Ba, ICLR 2015),
 * quantisation-aware fine-tuning with straight-through gradients. Same bits for any number of threads on one machine.
 */
#ifndef SNNSIM_TRAIN_H
#define SNNSIM_TRAIN_H

#include <signal.h>
#include <snnsim/dataset.h>
#include <snnsim/net.h>
#include <snnsim/weights.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SNN_LOSS_RATE_MSE,
    SNN_LOSS_CROSS_ENTROPY
} snn_loss; /* MSE of firing rates against one-hot; softmax of (scaled) rates */
typedef enum {
    SNN_SURROGATE_RECTANGLE, /* 1/width where |v - theta| < width/2 (SNNGX: width 0.5 -> gradient 2 within 0.25) */
    SNN_SURROGATE_TRIANGLE,
    SNN_SURROGATE_ARCTAN,
    SNN_SURROGATE_SMOOTH /* forward is a sigmoid too: differentiable, for the finite-difference test only */
} snn_surrogate;
typedef enum { SNN_SCHEDULE_CONSTANT, SNN_SCHEDULE_COSINE, SNN_SCHEDULE_STEP } snn_schedule;

typedef struct {
    uint64_t seed;
    int epochs, batch, threads;
    double learning_rate, final_rate; /* schedule runs from learning_rate to final_rate */
    int warmup;                       /* epochs of linear warm-up */
    snn_schedule schedule;
    int step_every; /* STEP: epochs between multiplications by step_factor */
    double step_factor;
    double beta1, beta2, epsilon, weight_decay; /* Adam (decoupled decay) */
    double clip;                                /* global gradient norm, 0: off */
    snn_loss loss;
    double loss_scale; /* cross-entropy: logits = loss_scale * rate */
    /* hidden neurons are pushed to fire between these shares of all steps: rate_weight times the mean square of what is missing or too much */
    double rate_low, rate_high, rate_weight; /* rate_weight 0: off */
    snn_surrogate surrogate;
    double surrogate_width;
    /* augmentation, on events or frames before each use; 0: off */
    int shift;          /* random shift by up to this many input pixels in x and y */
    double time_jitter; /* standard deviation in time steps, per event */
    double drop;        /* largest share of events dropped; the share is drawn uniformly per sample */
    double rotate;      /* degrees, uniform in +-, about the centre */
    double zoom;        /* relative, uniform in +- */
    bool flip_pairs;    /* reserved: mirrored gestures swap classes; false */
    double validation;  /* share of the training data kept for validation, stratified; 0: none */
    int patience;       /* early stopping after this many epochs without better validation; 0: off */
    int quant_epochs;   /* quantisation-aware fine-tuning after the float epochs */
    double quant_rate;  /* its learning rate (constant schedule continues as cosine to 0) */
    snn_quantisation quant;
    double
        init_gain; /* standard deviation of initial weights = init_gain / sqrt(fan-in) (uniform, as PyTorch's default Linear/Conv when 1/sqrt(3)) */
    double init_recurrent; /* the same for recurrent weights, whose fan-in is the number of neurons */
    bool
        sparse; /* allow sparse kernels where spikes make them cheaper (false: dense CBLAS everywhere, for tests) */
} snn_train_options;
/* y = x augmented as the options say: draw `number` of `seed`. */
bool snn_train_augment(const snn_train_options *o, snn_shape shape, const snn_spikes *x, uint64_t seed,
                       uint64_t number, snn_spikes *y, snn_error *err);
/* Do the options augment at all? */
bool snn_train_augments(const snn_train_options *o);

bool snn_train_options_from_config(const snn_config *config, snn_train_options *o, snn_error *err);

typedef struct {
    int epoch;                                   /* 1.. */
    bool quantised;                              /* a quantisation-aware epoch */
    double learning_rate, loss, accuracy;        /* training, with augmentation */
    double validation_loss, validation_accuracy; /* -1 without validation */
    double seconds;                              /* of this epoch */
    bool best;                                   /* best so far */
} snn_train_epoch;

typedef struct {
    void *context;
    void (*epoch)(void *context, const snn_train_epoch *e); /* after each epoch; may be NULL */
    void (*progress)(void *context, int epoch, uint64_t done,
                     uint64_t total);  /* samples of the epoch; may be NULL */
    const volatile sig_atomic_t *stop; /* nonzero: save a checkpoint and stop; may be NULL */
    const char *
        checkpoint; /* file written after epochs (the first, the last, and at most every two seconds between) and when stopped; NULL: none */
    bool
        resume; /* continue from that file: the epochs before are reported again through `epoch`, so that a curve is whole */
} snn_train_hooks;

typedef struct {
    snn_weights *
        best; /* float weights of the best epoch (by validation, else the last), free with snn_weights_free */
    snn_weights *
        quantised; /* codes by o->quant of the best quantisation-aware epoch (or of `best` when quant_epochs = 0) */
    snn_net *best_net, *quantised_net; /* the network with the biases that belong to each of the two */
    int best_epoch, epochs;            /* best_epoch: of `best`; epochs: run in all */
    double best_validation;            /* accuracy, -1 without validation */
    int quantised_epoch;               /* of `quantised`; best_epoch when quant_epochs = 0 */
    double
        quantised_validation; /* accuracy with quantised weights, -1 without validation or when quant_epochs = 0 */
    double seconds;           /* wall time of all epochs, those before a resume included */
} snn_train_result;

/* Trains on all samples of `data` (minus the validation share). The whole framed set is held in memory as spike lists. initial: float weights to start from,
 * NULL = random. Errors: RUNTIME when the loss is not finite (names epoch and batch; the last good checkpoint stays), INTERRUPTED after a stop. */
bool snn_train(const snn_net *net, const snn_dataset *data, const snn_weights *initial,
               const snn_train_options *o, const snn_train_hooks *hooks, snn_train_result *result,
               snn_error *err);
void snn_train_result_free(snn_train_result *r);

/* One forward and backward pass over a batch, for tests: mean loss and its gradient (float tensors of w's shapes). Deterministic, no augmentation. */
bool snn_train_gradient(const snn_net *net, const snn_weights *w, const snn_train_options *o,
                        const snn_spikes *x, const int *label, int samples, double *loss,
                        snn_weights *gradient, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
