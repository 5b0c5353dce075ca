/* SPDX-License-Identifier: MIT */
#pragma once

/* The sources that Google's search names for an answer: groundingMetadata. Any event may bring more of them,
 * or all of them again, so the events' are kept as they are, and read at the end of Gemini's answer. */

#include "base/buf.h"
#include "base/json/cursor.h"

#define GROUNDING_SOURCES_MAX 512U
/* Bytes of a candidate's metadata; of more, the last event's are kept. */
#define GROUNDING_KEPT_MAX (1U << 20)

/* Adds an element to the array, unless it is empty. */
void grounding_keep(Buf *events, JsonView metadata);

typedef struct GroundingSources {
        JsonView all[GROUNDING_SOURCES_MAX]; /* elements of groundingChunks */
        size_t n;
} GroundingSources;

void grounding_collect(JsonView events, GroundingSources *ret);
JsonView grounding_source(JsonView chunk); /* the object that has `uri` and `title`, of any kind of source */
JsonView grounding_url(JsonView source);
