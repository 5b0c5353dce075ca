/* SPDX-License-Identifier: MIT */
#pragma once

/* What Gemini refuses in a GenerateContentRequest that is well-formed, in its words. Each has a file. */

#include <json-c/json.h>

#include "base/buf.h"
#include "sim-signature.h"

typedef struct ServiceCheck ServiceCheck;

struct ServiceCheck {
        json_object *request;
        const char *model;
        const SignatureBook *signatures;
        Buf *message; /* gets the refusal */
};

/* True if nothing is wrong. */
bool service_check(const ServiceCheck *c);

bool service_check_tools(const ServiceCheck *c);      /* declarations, their schemas, the mode of calling */
bool service_check_turns(const ServiceCheck *c);      /* calls, their results and their signatures */
bool service_check_generation(const ServiceCheck *c); /* what this model does not have */
