/* SPDX-License-Identifier: MIT */
#pragma once

/* What the simulated answer depends on: read once from a request that was found well-formed. Its pointers
 * live as long as the JSON. */

#include <json-c/json.h>

#include "base/limits.h"
#include "base/macros.h"

typedef struct Prompt Prompt;

typedef enum Modality {
        MODALITY_TEXT,
        MODALITY_IMAGE,
        MODALITY_AUDIO,
        MODALITY_VIDEO,
        MODALITY_DOCUMENT,
        MODALITIES,
} Modality;

#define PROMPT_ECHO_MAX 120U /* bytes of the user's last text that are echoed */

struct Prompt {
        const char *last; /* the end of the last text of the user */
        size_t n_last;
        uint64_t tokens;     /* bytes / 4, and a fixed number for each file */
        uint64_t modality[MODALITIES]; /* of which */
        uint64_t max_tokens; /* UINT64_MAX: none was asked for */
        unsigned candidates;
        const char *stops[STOP_SEQUENCES_MAX];
        unsigned n_stops;
        bool image, audio; /* of responseModalities */
        bool json;                /* the answer is to be JSON; */
        json_object *schema;      /* of this schema; NULL: of any */
        json_object *declaration; /* the function that must be called; NULL: none must */
        bool logprobs; /* are asked for */
        unsigned top_logprobs;
};

#define PROMPT_INIT                                                                                         \
        ((Prompt){ .last = "", .tokens = 8, .modality = { 8 }, .max_tokens = UINT64_MAX, .candidates = 1 })

void prompt_read(json_object *request, Prompt *ret);

/* How the simulator counts. */
static inline uint64_t prompt_tokens_of(size_t bytes) {
        return (bytes + 3) / 4;
}
