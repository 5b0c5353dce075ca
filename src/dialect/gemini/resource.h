/* SPDX-License-Identifier: MIT */
#pragma once

/* Reads Google's answers about files, cached contents and uploads, as far as gemgate needs them. */

#include "base/clock.h"
#include "core/verdict.h"
#include "pool/binding.h"

typedef struct GeminiResource {
        char name[BINDING_NAME_MAX + 1]; /* "files/x", "cachedContents/x" */
        usec_t expires;                  /* realtime; 0: unknown */
} GeminiResource;

/* Checks an answer of status 200. 0; or DIALECT_E_VERDICT if it is no JSON object, or has no member of a
 * file or a cached content: an error (a File that failed has a member of that name, too, and is none), or
 * the answer of something else. A deletion gives an object without members. */
int gemini_resource_check(const char *json, size_t n, const Secret *key, Verdict *ret_verdict);

/* A File, a CachedContent, or the end of an upload ({"file": File}). False for anything else. */
bool gemini_resource_read(const char *json, size_t n, GeminiResource *ret);

/* The id of the upload in X-Goog-Upload-URL. Nothing else of that URL is used, because its host must not be
 * trusted. False if there is no id, or one that is not safe in a URL. */
bool gemini_upload_id(const char *url, size_t n, char ret[static BINDING_UPSTREAM_MAX + 1]);

/* "2026-11-27T12:00:00.123Z", realtime; 0 if it is not a time. */
usec_t gemini_time_read(const char *s);
