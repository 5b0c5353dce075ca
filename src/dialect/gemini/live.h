/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The messages of Google's Live API (BidiGenerateContent), as JSON in the messages of a WebSocket: what of
 * them decides about model, project and counters is read, and the bytes go on as they are. See live.c.
 */

#include "base/buf.h"
#include "base/json/cursor.h"
#include "dialect/api-error.h"
#include "pool/binding.h"

/* The first message of a client: {"setup": {"model": "models/x", …}}. */
typedef struct GeminiLiveSetup {
        char model[MODEL_NAME_MAX + 1]; /* without `models/` */
        bool cli;                       /* it was named as a model of the Gemini CLI */
        JsonView name;                  /* the model in the message */
        const char *fault; /* of a name's spelling, as gemini_names() returns it; or NULL */
} GeminiLiveSetup;

#define GEMINI_LIVE_NAMES_MAX (64U << 10) /* bytes of the names of a message; files and handles are few */

/* 0; DIALECT_E_REFUSED: it is no setup, or has no model. `names` gets the names that belong to a project,
 * each with a NUL: of files, and of the session that is resumed. −errno. */
int gemini_live_setup_read(const char *json, size_t n, GeminiLiveSetup *ret, Buf *names,
                           ApiError *ret_error);

/* The same message for this model: a copy. */
int gemini_live_setup_write(const GeminiLiveSetup *s, const char *json, size_t n, const char *model,
                            Buf *out);
bool gemini_live_setup_is_for(const GeminiLiveSetup *s, const char *model); /* as it is */

/* A later message of the client: 0, with its names; DIALECT_E_REFUSED: it is no JSON object, or a
 * second setup. */
int gemini_live_message_check(const char *json, size_t n, ApiError *ret_error);
const char *gemini_live_message_names(const char *json, size_t n, Buf *names);

/* A message of Google's. */
typedef struct GeminiLiveAnswer {
        bool is_complete; /* setupComplete: the session is open */
        bool has_usage;
        Usage usage; /* of the turn, which a message tells once */
        char handle[BINDING_NAME_MAX + 1]; /* by which the session is resumed, as bindings name it; or "" */
} GeminiLiveAnswer;

int gemini_live_answer_read(const char *json, size_t n, GeminiLiveAnswer *ret); /* −ENOMEM */

/* Why Google has ended the session: by the words of the reason, then by the code. VERDICT_OK: without an
 * error. `key` is covered in the text. */
void gemini_live_classify(unsigned code, const char *reason, const Secret *key, Verdict *ret);

unsigned gemini_live_code(int status); /* with which Google would end the session for an error */

/* {"goAway": {"timeLeft": "30s"}} */
int gemini_live_go_away(usec_t left, Buf *out);
