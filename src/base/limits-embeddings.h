/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of embeddings: dialect/openai/embeddings. */

#define EMBEDDINGS_MAX           2048U        /* texts of a request: OpenAI's limit */
#define EMBEDDINGS_ROUND         100U         /* texts of one request to Gemini: its limit */
#define EMBEDDING_DIMENSIONS_MAX 8192U        /* more than any model has: Gemini's have 3,072 */
#define EMBEDDINGS_ANSWER_MAX    (256U << 20) /* 2,048 vectors of 3,072 numbers are about 130 MiB */
