/* SPDX-License-Identifier: MIT */
#pragma once

/* Google's own protocol beside that of its models (dialect_gemini). */

#include "dialect/dialect.h"

extern const Dialect dialect_gemini_tuned, dialect_gemini_dynamic; /* tunedModels/{id}, dynamic/{id} */
extern const Dialect dialect_interactions, dialect_decisions;
extern const Dialect dialect_watch; /* the events of an interaction that there is */
