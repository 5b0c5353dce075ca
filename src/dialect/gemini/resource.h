/* SPDX-License-Identifier: MIT */
#pragma once

/* Reads Google's answers about files, cached contents, batches, uploads …, as far as gemgate needs them. */

#include "base/clock.h"
#include "core/verdict.h"
#include "pool/binding.h"

#define GEMINI_OPERATION_MAX (sizeof("dynamic/") + MODEL_NAME_MAX + sizeof("/operations/") + BINDING_ID_MAX)

typedef struct GeminiResource {
        char name[BINDING_NAME_MAX + 1];       /* as in pool/binding: "files/x", "interactions/x" */
        char google[GEMINI_OPERATION_MAX + 1]; /* Google's, if it is another one; else "" */
        usec_t expires;                        /* realtime; 0: unknown */
} GeminiResource;

/* Checks an answer of status 200. 0; or DIALECT_E_VERDICT if it is no JSON object, or an error (a File or
 * an Operation that failed has a member of that name, too, and is none), or, if it `must_name`, has no
 * member of anything that has a name. A deletion gives an object without members. */
int gemini_resource_check(const char *json, size_t n, bool must_name, const Secret *key,
                          Verdict *ret_verdict);

/* What the answer is about, if it is of that kind: by `name`, or by `id`; {"file": File} is a File. False
 * for anything else. */
bool gemini_resource_read(const char *json, size_t n, const char *kind, GeminiResource *ret);

/* The same of a name as Google writes it, "models/m/operations/x". */
bool gemini_resource_name(const char *s, GeminiResource *ret);

/* Files that Google has made itself, and names in that member of its answer, wherever it is (the results of
 * a batch: responsesFile, a video: uri): each name, "files/x". The text is checked. */
void gemini_resource_files(const char *json, size_t n, const char *member,
                           void (*found)(const char *name, void *userdata), void *userdata);

/* The id of the upload in X-Goog-Upload-URL. Nothing else of that URL is used, because its host must not be
 * trusted. False if there is no id, or one that is not safe in a URL. */
bool gemini_upload_id(const char *url, size_t n, char ret[static BINDING_UPSTREAM_MAX + 1]);

/* "2026-11-27T12:00:00.123Z", realtime; 0 if it is not a time. */
usec_t gemini_time_read(const char *s);
