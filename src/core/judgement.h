/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What an answer says about each thing it passed on its way, and how long what is ill or dead is left alone.
 * (How long what is spent is left alone is core/cooldown.)
 */

#include "core/verdict.h"

/* The five things that can stand between a request and its answer, in the order in which Google looks at
 * them. Each has a breaker in the pool. */
typedef enum Layer {
        LAYER_KEY,     /* the key, for all models */
        LAYER_PROJECT, /* the project, for all keys and models of it */
        LAYER_BUCKET,  /* (project, model): quota */
        LAYER_RATE,    /* (key, model): a throttle that says nothing of its cause */
        LAYER_HEALTH,  /* (key, model): three strikes */
        _LAYER_MAX,
} Layer;

typedef enum Judgement {
        JUDGEMENT_VOID,  /* says nothing about it: a probe is as if it had not been */
        JUDGEMENT_PASS,  /* it works */
        JUDGEMENT_FAIL,  /* it is at fault */
        JUDGEMENT_AGAIN, /* a probe has failed; but it is no reason to open what is closed */
        JUDGEMENT_PAUSE, /* says nothing; the next probe waits for JUDGEMENT_PAUSE_WAIT */
} Judgement;

Judgement judgement_of(VerdictClass class, Layer layer);

#define JUDGEMENT_STRIKES 3U /* errors in a row of the key's own fault that make it unhealthy */
#define JUDGEMENT_PAUSE_WAIT (5 * USEC_PER_SEC)
#define JUDGEMENT_DEATH_WAIT USEC_PER_HOUR         /* keys and projects: they are mended by hand, or never */
#define JUDGEMENT_CLOSED_WAIT (24 * USEC_PER_HOUR) /* a model that is closed to the project: by policy */

/* How long an unhealthy (key, model) rests when it has been found so `strikes` times in a row before: 30 s,
 * doubling, at most 30 min. */
usec_t judgement_wait(unsigned strikes);
