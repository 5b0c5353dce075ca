/* SPDX-License-Identifier: MIT */
#pragma once

/* What a family of models refuses or ignores. A dialect drops it, or puts it elsewhere in the request, to
 * avoid a 400. */

typedef enum GeminiTraits {
        GEMINI_NO_PENALTIES = 1 << 0,  /* "Penalty is not enabled for models/…" */
        GEMINI_NO_SAMPLING = 1 << 1,   /* it ignores temperature, topP and topK */
        GEMINI_ONE_CANDIDATE = 1 << 2, /* candidateCount above 1 is refused */
        GEMINI_NO_SYSTEM = 1 << 3,     /* no systemInstruction: the text goes before the first user text */
} GeminiTraits;

GeminiTraits gemini_model_traits(const char *model);
