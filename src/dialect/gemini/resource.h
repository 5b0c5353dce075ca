/* SPDX-License-Identifier: MIT */
#pragma once

/* What Google answers about files, cached contents and uploads, as far as a gateway needs to know it. */

#include "base/clock.h"
#include "pool/binding.h"

typedef struct GeminiResource {
        char name[BINDING_NAME_MAX + 1]; /* "files/x", "cachedContents/x" */
        usec_t expires;                  /* realtime; 0: not told */
} GeminiResource;

/* A File, a CachedContent, or what an upload ends with ({"file": File}). False if it is none of these. */
bool gemini_resource_read(const char *json, size_t n, GeminiResource *ret);

/* What X-Goog-Upload-URL calls the upload. Nothing else of that URL is used: whose host it names is not to
 * be trusted. False if there is no such id, or none that could stand in a URL of ours. */
bool gemini_upload_id(const char *url, size_t n, char ret[static BINDING_UPSTREAM_MAX + 1]);

/* "2026-11-27T12:00:00.123Z", realtime; 0 for what is none. */
usec_t gemini_time_read(const char *s);
