/* SPDX-License-Identifier: MIT */

/* Each token is counted once: those of tools that Google ran are the prompt's, and thoughts are the
 * answer's. The kinds of tokens are written if Gemini has sent them. OpenAI has no member for images in an
 * answer, so that one is written only if it is not 0. */

#include "dialect/openai/answer.h"

static const struct {
        GeminiModality modality;
        const char *name;
} kinds[] = {
        { GEMINI_MODALITY_TEXT, "text_tokens" },
        { GEMINI_MODALITY_AUDIO, "audio_tokens" },
        { GEMINI_MODALITY_IMAGE, "image_tokens" },
};

static void write_kinds(const GeminiKinds *k, const GeminiKinds *more, bool images, JWriter *w) {
        for (size_t i = 0; k->is_known && i < ELEMENTSOF(kinds); i++) {
                GeminiModality m = kinds[i].modality;

                if (m != GEMINI_MODALITY_IMAGE || images || k->n[m] > 0)
                        jwrite_uint(w, kinds[i].name, k->n[m] + more->n[m]);
        }
}

void openai_usage_write(const Translation *t, JWriter *w) {
        const Usage *u = &t->usage;

        jwrite_object(w, "usage");
        jwrite_uint(w, "prompt_tokens", u->prompt);
        jwrite_uint(w, "completion_tokens", u->completion);
        jwrite_uint(w, "total_tokens", u->total);
        jwrite_object(w, "prompt_tokens_details");
        jwrite_uint(w, "cached_tokens", u->cached);
        write_kinds(&t->counts.prompt, &t->counts.tools, true, w);
        jwrite_end(w);
        jwrite_object(w, "completion_tokens_details");
        jwrite_uint(w, "reasoning_tokens", u->thoughts);
        write_kinds(&t->counts.answer, &(GeminiKinds){}, false, w);
        jwrite_end(w);
        jwrite_end(w);
}
