/* SPDX-License-Identifier: MIT */
#pragma once

/* The settings of a request's route: which key and which model serve it, when, and in what form. See
 * docs/ROUTING.md and docs/MODELS.md. */

#include "base/clock.h"
#include "core/chat-images.h"
#include "core/fallback.h"
#include "core/gemini-store.h"
#include "core/hedge.h"
#include "core/response-keep.h"
#include "core/rules.h"

#define AFFINITY_OFF UINT64_MAX

typedef struct RouteConfig {
        FallbackSet fallbacks;
        usec_t queue_wait; /* 0: requests do not wait for a key */
        usec_t stream_open_after; /* 0: a stream's head waits for the first event */
        usec_t hedge_after; /* HEDGE_OFF, HEDGE_P95, or a span */
        uint64_t affinity_spill; /* percent; or AFFINITY_OFF */
        ModelRuleSet rules;     /* MODEL_RULES */
        ChatImages chat_images;
        GeminiStore store;
        ResponseKeep responses; /* RESPONSES_STORE */
        bool store_is_told; /* each request has the member, not only if the client sends one */
} RouteConfig;
