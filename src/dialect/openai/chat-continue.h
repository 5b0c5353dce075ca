/* SPDX-License-Identifier: MIT */
#pragma once

/* An answer that Gemini gives in several hops: see chat-continue.c. */

#include "dialect/hops.h"
#include "dialect/openai/chat.h"

#define OPENAI_HOPS_BUFS 7U /* buffers of a choice that grow with each hop; the text is the first */

struct OpenaiHops {
        Hops sum;
        Buf signature;       /* of the text so far */
        /* Of the first choice, at the end of the last hop: */
        size_t lengths[OPENAI_HOPS_BUFS], n_samples;
        unsigned n_calls, n_images, n_sounds, n_annotations;
        bool has_begun, has_content, has_more;
};

/* Gemini's answer is complete. DIALECT_E_MORE: it was a hop, and the next request is there; 0: it was the
 * last one; -ENOMEM. */
int openai_hops_continue(OpenaiChat *chat);
void openai_hops_restore(OpenaiChat *chat); /* back to the end of the last hop */
OpenaiHops *openai_hops_free(OpenaiHops *hops);

/* Bytes of the choice's text that belong to the hops before. */
static inline size_t openai_hops_text(const OpenaiChat *chat, size_t index) {
        return chat->hops && index == 0 ? chat->hops->lengths[0] : 0;
}
