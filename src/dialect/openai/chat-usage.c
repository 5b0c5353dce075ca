/* SPDX-License-Identifier: MIT */

/* Each token is counted once: those of tools that Google ran are the prompt's, and thoughts are the
 * answer's. The kinds of tokens are written if Gemini has sent them. OpenAI has no member for images in an
 * answer, so that one is written only if it is not 0.
 *
 * Of an answer in several hops Google bills each hop's prompt, which has the text so far in it. So the
 * counts are sums, and `initial_prompt_tokens` is the size of the client's prompt. */

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

void openai_usage_write(const Translation *t, const OpenaiHops *hops, JWriter *w) {
        GeminiCounts counts = t->counts;
        Usage u = t->usage;

        if (hops) {
                usage_add(&u, &hops->sum.usage);
                gemini_counts_add_kinds(&counts, &hops->sum.counts);
        }
        jwrite_object(w, "usage");
        jwrite_uint(w, "prompt_tokens", u.prompt);
        jwrite_uint(w, "completion_tokens", u.completion);
        jwrite_uint(w, "total_tokens", u.total);
        if (hops)
                jwrite_uint(w, "initial_prompt_tokens", hops->sum.prompt);
        jwrite_object(w, "prompt_tokens_details");
        jwrite_uint(w, "cached_tokens", u.cached);
        write_kinds(&counts.prompt, &counts.tools, true, w);
        jwrite_end(w);
        jwrite_object(w, "completion_tokens_details");
        jwrite_uint(w, "reasoning_tokens", u.thoughts);
        write_kinds(&counts.answer, &(GeminiKinds){}, false, w);
        jwrite_end(w);
        jwrite_end(w);
}
