/* SPDX-License-Identifier: MIT */
#pragma once

/* Google's rules for a schema in parametersJsonSchema and responseJsonSchema, written apart from the code
 * that follows them. */

#include "base/json/cursor.h"

/* What Gemini would refuse, or NULL. */
const char *schema_strict(JsonView schema, bool is_parameters);

/* A name of a property that the cleaned schema should have and has not, as written in the schema; or no
 * view. */
JsonView schema_lost_name(JsonView schema, bool is_parameters, JsonView cleaned);
