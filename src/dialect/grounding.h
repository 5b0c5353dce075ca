/* SPDX-License-Identifier: MIT */
#pragma once

/* The sources that Google's search names for an answer: groundingMetadata. Any event may bring more of them,
 * or all of them again, so the events' are kept as they are, and read at the end of Gemini's answer. */

#include "base/buf.h"
#include "base/json/cursor.h"

#define GROUNDING_SOURCES_MAX 512U
/* Bytes of a candidate's metadata; of more, the last event's are kept. A source may be named for many pieces
 * of the text: what is written of all of them has the same ceiling. */
#define GROUNDING_KEPT_MAX (1U << 20)
#define GROUNDING_URL_MAX 8192U /* bytes of a URL as JSON, and of a title; longer ones are dropped */

/* Adds an element to the array, unless it is empty. */
void grounding_keep(Buf *events, JsonView metadata);

/* Strings, or nothing: what has no URL is no source. */
typedef struct GroundingSource {
        JsonView url, title;
        uint64_t digest; /* of the URL */
} GroundingSource;

typedef struct GroundingSources {
        GroundingSource all[GROUNDING_SOURCES_MAX]; /* of the elements of groundingChunks */
        size_t n;
        JsonView first; /* of these elements */
} GroundingSources;

void grounding_collect(JsonView events, GroundingSources *ret);
GroundingSource grounding_source_make(JsonView url, JsonView title);
