/* SPDX-License-Identifier: MIT */
#pragma once

/* How much a model is to think, as clients say it: by an effort, or in tokens. Written in the form and
 * within the bounds that the model has; nothing for a model that takes none. */

#include "base/json/cursor.h"
#include "base/json/write.h"
#include "core/rules.h"

typedef enum ThinkingEffort {
        EFFORT_UNSET,
        EFFORT_NONE,
        EFFORT_MINIMAL,
        EFFORT_LOW,
        EFFORT_MEDIUM,
        EFFORT_HIGH,
        EFFORT_XHIGH,
        EFFORT_MAX,
        _EFFORT_MAX,
} ThinkingEffort;

typedef struct Thinking {
        ThinkingEffort effort;
        bool has_budget; /* instead of an effort */
        int budget;      /* tokens; -1: as many as the model likes */
        bool is_shown;   /* the answer has the thoughts */
} Thinking;

/* "none" to "max", in any case. -EINVAL */
int thinking_effort_parse(JsonView v, ThinkingEffort *ret);

/* Writes "thinkingConfig", or nothing. */
void thinking_write(const Thinking *t, const ModelRules *rules, JWriter *w);
