/* SPDX-License-Identifier: MIT */
#pragma once

/* Answers of Gemini 4 in several hops. */

#define CONTINUATIONS_MAX 32U /* of an answer: Gemini 4 writes 1,048,576 tokens, 32,768 or more in a hop */
#define CONTINUATION_TOKEN_MAX (4U << 20) /* bytes; a longer one is not sent back */
