/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Thought signatures. From generation 3 on Gemini signs its function calls, and refuses a call in the
 * history whose signature is missing or is another model's. Clients of other protocols lose it, or carry it
 * in a different place. So it is taken from the client if it is there, else from a vault, else Google's
 * documented sentinel replaces it, which is accepted instead of any signature.
 */

#include "base/json/cursor.h"
#include "dialect/tool-names.h"

typedef struct Translation Translation;

#define SIGNATURE_SENTINEL "skip_thought_signature_validator"

typedef enum SignatureKind {
        SIGNATURE_NONE, /* nothing, or not base64: Gemini would refuse it */
        SIGNATURE_SKIP, /* one of the sentinels, as text or as base64 */
        SIGNATURE_REAL,
} SignatureKind;

/* Of what is within the quotes of a string. */
SignatureKind signature_kind(JsonView v);

/* LiteLLM appends the signature to a call's id: `call_1__thought__SIGNATURE`. Cuts it off. Both are within
 * the string, without its quotes. */
void signature_split_id(JsonView *id, JsonView *ret_signature);

/* For Dialect.drop_signatures: by the places that turns_write() has noted. */
bool signatures_drop(Translation *t);

/* Of a call: its name as the client has it, its arguments, whatever the order of their members and the
 * spaces between them, and the model, because another model's signature is refused. `arguments`: an object,
 * or a string that holds one; of a custom tool (by its name's flags) the text alone, or the object that has
 * it as `input`. */
uint64_t signature_digest(const char *model, const ToolName *name, JsonView arguments);
