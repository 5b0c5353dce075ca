/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a request goes, once its body is there: what it is in Gemini's words, to which model, and by which
 * engine. */

#include "server/http.h"

typedef struct Course {
        Translation *translation;
        char model[MODEL_NAME_MAX + 1]; /* as it goes upstream: an alias is resolved */
        bool cli; /* by way of the Gemini CLI, which is served a key when it asks in its turn */
} Course;

/* 0, with the translation to be freed; q->model is filled. DIALECT_E_REFUSED: see the error. -ENOMEM. */
int course_set(Request *q, Course *ret, ApiError *ret_error);
