/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of what MODEL_RULES has, and of what follows from a model's rules. See limits.h. */

#define MODEL_RULES_MAX        256U /* rows; each request's model is compared with all of them */
#define MODEL_RULES_SOURCE_MAX 256U /* bytes of a row's note */
