/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What an answer proves about each layer that the request passed, and how long an unhealthy slot, or a dead
 * key or project, is not used. (core/cooldown is the same for spent quotas.)
 */

#include "core/verdict.h"

/* The five layers that can block a request, in the order in which Google checks them. Each has a breaker in
 * the pool. */
typedef enum Layer {
        LAYER_KEY,     /* the key, for all models */
        LAYER_PROJECT, /* the project, for all keys and models of it */
        LAYER_BUCKET,  /* (project, model): quota */
        LAYER_RATE,    /* (key, model): a throttle without a stated cause */
        LAYER_HEALTH,  /* (key, model): three strikes */
        _LAYER_MAX,
} Layer;

const char *layer_to_string(Layer l); /* "key", "project", "bucket", "rate", "health" */

typedef enum Judgement {
        _JUDGEMENT_MISSING, /* a class without a row */
        JUDGEMENT_VOID,  /* proves nothing: a probe counts as not sent */
        JUDGEMENT_PASS,  /* it works */
        JUDGEMENT_FAIL,  /* it is at fault */
        JUDGEMENT_AGAIN, /* if the request was a probe, it failed; a closed breaker stays closed */
        JUDGEMENT_PAUSE, /* proves nothing; the next probe waits for JUDGEMENT_PAUSE_WAIT */
} Judgement;

Judgement judgement_of(VerdictClass class, Layer layer);

#define JUDGEMENT_STRIKES 3U /* errors in a row, by the key's fault, that make it unhealthy */
#define JUDGEMENT_PAUSE_WAIT (5 * USEC_PER_SEC)
#define JUDGEMENT_DEATH_WAIT USEC_PER_HOUR         /* keys and projects: a person must repair them */
#define JUDGEMENT_CLOSED_WAIT (24 * USEC_PER_HOUR) /* a model that is closed to the project: by policy */

/* How long a key is not used after it was refused without a reason, which was so `strikes` times before:
 * 5 s, then as below. */
usec_t judgement_doubt_wait(unsigned strikes);

/* How long an unhealthy (key, model) rests after `strikes` earlier rests in a row: 30 s, doubling, at most
 * 30 min. */
usec_t judgement_wait(unsigned strikes);
