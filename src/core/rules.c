/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "core/rules.h"

/* What all models that converse have, from generation 2 on. */
#define CAN_CONVERSE                                                                                        \
        (MODEL_CAN_SYSTEM | MODEL_CAN_TOOLS | MODEL_CAN_JSON | MODEL_CAN_BUILT_IN | MODEL_CAN_CACHE |       \
         MODEL_CAN_TEXT)
/* Generation 3. Penalties are dropped from 2.5 on, although some models take them: sources differ, and a
 * dropped penalty costs less than a refused request. */
#define CAN_3                                                                                               \
        (CAN_CONVERSE | MODEL_CAN_SAMPLE | MODEL_CAN_CANDIDATES | MODEL_CAN_JSON_WITH_TOOLS |               \
         MODEL_CAN_BUILT_IN_WITH_TOOLS | MODEL_CAN_PREFILL | MODEL_CAN_THOUGHTS | MODEL_CAN_RESULT_PARTS |  \
         MODEL_NEEDS_SIGNATURES)
#define CAN_3_NO_SAMPLING  (CAN_3 & ~(ModelCan) MODEL_CAN_SAMPLE)
#define CAN_3_NO_PREFILL   (CAN_3_NO_SAMPLING & ~(ModelCan) MODEL_CAN_PREFILL)
#define CAN_4              (CAN_3_NO_PREFILL & ~(ModelCan) (MODEL_CAN_CANDIDATES | MODEL_CAN_CACHE))
#define CAN_2_5                                                                                             \
        (CAN_CONVERSE | MODEL_CAN_SAMPLE | MODEL_CAN_CANDIDATES | MODEL_CAN_PREFILL | MODEL_CAN_THOUGHTS)
#define CAN_2 ((CAN_2_5 & ~(ModelCan) MODEL_CAN_THOUGHTS) | MODEL_CAN_PENALTIES)
/* Image models answer with text as well; a function or a schema is refused. */
#define CAN_DRAW                                                                                            \
        (MODEL_CAN_SAMPLE | MODEL_CAN_SYSTEM | MODEL_CAN_TEXT | MODEL_CAN_IMAGE | MODEL_CAN_PREFILL |       \
         MODEL_CAN_THOUGHTS | MODEL_CAN_BUILT_IN)
#define CAN_SPEAK (MODEL_CAN_SAMPLE | MODEL_CAN_AUDIO)

#define LEVELS(lowest, highest, usual)                                                                      \
        .thinking = THINKING_LEVEL, .level_lowest = THINKING_##lowest, .level_highest = THINKING_##highest, \
        .level_default = THINKING_##usual
#define BUDGET(lowest, highest, zero)                                                                       \
        .thinking = THINKING_BUDGET, .budget_lowest = (lowest), .budget_highest = (highest),                \
        .budget_may_be_zero = (zero)

#define AI_SDK   "@ai-sdk/google 4.0.121, google-model-catalog.ts"
#define LITELLM  "litellm 1.110.2, model_prices_and_context_window.json"
#define GUIDE_4  "Google's guide to Gemini 4; @ai-sdk/google 4.0.121"
#define THINKING "ai.google.dev/gemini-api/docs/thinking"

static const ModelRules rows[] = {
        { "gemini-4-*", GUIDE_4, CAN_4, LEVELS(LOW, HIGH, MEDIUM) },
        { "gemini-4-hydrogen*", GUIDE_4, CAN_4, LEVELS(LOW, XHIGH, MEDIUM) },
        { "gemini-4-neon*", "apidog.com/blog/gemini-4-neon-api", CAN_4, LEVELS(LOW, XHIGH, HIGH) },

        { "gemini-3*", AI_SDK, CAN_3, LEVELS(MINIMAL, HIGH, HIGH) },
        { "gemini-3*-pro*", AI_SDK, CAN_3, LEVELS(LOW, HIGH, HIGH) },
        { "gemini-3.5-flash-lite*", LITELLM "; a refused prefill: LibreChat-AI/agents#323", CAN_3_NO_PREFILL,
          LEVELS(MINIMAL, HIGH, MINIMAL) },
        { "gemini-3.6-flash*", LITELLM "; a refused prefill: LibreChat-AI/agents#323", CAN_3_NO_PREFILL,
          LEVELS(MINIMAL, HIGH, HIGH) },
        { "gemini-3.7-flash*", LITELLM, CAN_3_NO_SAMPLING, LEVELS(LOW, HIGH, MEDIUM) },
        { "gemini-3.7-flash-lite*", LITELLM, CAN_3_NO_SAMPLING, LEVELS(MINIMAL, HIGH, MINIMAL) },
        { "gemini-3.8-flash*", LITELLM, CAN_3_NO_SAMPLING, LEVELS(LOW, HIGH, MEDIUM) },
        { "gemini-3.8-flash-lite*", LITELLM, CAN_3_NO_SAMPLING, LEVELS(MINIMAL, HIGH, MINIMAL) },
        /* Names that Google points at its newest model of a kind. */
        { "gemini-flash-latest", AI_SDK, CAN_3_NO_SAMPLING, LEVELS(LOW, HIGH, MEDIUM) },
        { "gemini-flash-lite-latest", AI_SDK, CAN_3_NO_PREFILL, LEVELS(MINIMAL, HIGH, MINIMAL) },
        { "gemini-pro-latest", AI_SDK, CAN_3_NO_SAMPLING, LEVELS(LOW, HIGH, HIGH) },

        { "gemini-2.5-*", THINKING, CAN_2_5, BUDGET(0, 24576, true) },
        { "gemini-2.5-pro*", THINKING, CAN_2_5, BUDGET(128, 32768, false) },
        { "gemini-2.5-flash-lite*", THINKING, CAN_2_5, BUDGET(512, 24576, true) },
        { "gemini-2.0-*", THINKING, CAN_2, .thinking = THINKING_NEVER },
        { "gemini-1.*", THINKING, CAN_2, .thinking = THINKING_NEVER },

        { "gemini-2.*-image*", AI_SDK, CAN_DRAW & ~(ModelCan) MODEL_CAN_THOUGHTS,
          .thinking = THINKING_NEVER },
        { "gemini-3*-image*", AI_SDK, CAN_DRAW | MODEL_NEEDS_SIGNATURES, .thinking = THINKING_NEVER },
        { "gemini-3*-flash-image*", AI_SDK, CAN_DRAW | MODEL_NEEDS_SIGNATURES, .thinking = THINKING_NEVER },
        { "gemini-3*-flash-lite-image*", AI_SDK, CAN_DRAW | MODEL_NEEDS_SIGNATURES,
          .thinking = THINKING_NEVER },
        { "gemini-nano-banana*", LITELLM, CAN_DRAW | MODEL_NEEDS_SIGNATURES, .thinking = THINKING_NEVER },
        { "gemini-*-tts*", LITELLM, CAN_SPEAK, .thinking = THINKING_NEVER },
        { "gemini-2.5-*-tts*", LITELLM, CAN_SPEAK, .thinking = THINKING_NEVER },
        { "gemini-3*-flash-tts*", LITELLM, CAN_SPEAK, .thinking = THINKING_NEVER },
        { "gemini-3*-flash-lite-tts*", LITELLM, CAN_SPEAK, .thinking = THINKING_NEVER },

        { "gemma-*", "decolua/9router#2480; " AI_SDK,
          (CAN_3 & ~(ModelCan) (MODEL_CAN_SYSTEM | MODEL_CAN_THOUGHTS | MODEL_NEEDS_SIGNATURES |
                                MODEL_CAN_CACHE)),
          LEVELS(MINIMAL, HIGH, HIGH) },
        { "gemma-3*", LITELLM, MODEL_CAN_SAMPLE | MODEL_CAN_TEXT | MODEL_CAN_PREFILL,
          .thinking = THINKING_NEVER },

        /* Newer than this table. */
        { "*", GUIDE_4, CAN_4, LEVELS(LOW, HIGH, MEDIUM) },
};

bool model_pattern_matches(const char *pattern, const char *model, size_t *ret_literal) {
        const char *p = pattern, *m = model, *star = NULL, *resume = NULL;
        size_t literal = 0;

        assert(pattern);
        assert(model);

        while (*m)
                if (*p == '*') {
                        star = ++p;
                        resume = m;
                } else if (*p == *m) {
                        p++;
                        m++;
                } else if (star) {
                        p = star;
                        m = ++resume;
                } else
                        return false;
        while (*p == '*') {
                star = p;
                p++;
        }
        if (*p)
                return false;
        for (p = pattern; *p; p++)
                literal += *p != '*';
        *ret_literal = star ? literal : SIZE_MAX;
        return true;
}

static const ModelRules *find_best(const ModelRules *in, size_t n, const char *model) {
        const ModelRules *best = NULL;
        size_t literal, most = 0;

        for (size_t i = 0; i < n; i++)
                if (model_pattern_matches(in[i].pattern, model, &literal) && (!best || literal > most)) {
                        best = in + i;
                        most = literal;
                }
        return best;
}

/* The built-in rules never change, and most requests ask for one of a few models: what was found for them is
 * kept, by their names. A thread has its own. */
static const ModelRules *find_built_in(const char *model) {
        static _Thread_local struct {
                char model[MODEL_NAME_MAX + 1];
                const ModelRules *best;
        } kept[8];
        size_t n = strlen(model), i = n > 1 ? (n + (unsigned char) model[n - 2]) % ELEMENTSOF(kept) : 0;

        if (kept[i].best && streq(kept[i].model, model))
                return kept[i].best;
        if (n >= sizeof(kept[i].model))
                return find_best(rows, ELEMENTSOF(rows), model);
        memcpy(kept[i].model, model, n + 1);
        kept[i].best = find_best(rows, ELEMENTSOF(rows), model);
        return kept[i].best;
}

const ModelRules *model_rules_find(const ModelRuleSet *set, const char *model) {
        const ModelRules *best = set ? find_best(set->rows, set->n, model) : NULL;

        best = best ?: find_built_in(model);
        assert(best);
        return best;
}

ThinkingLevel model_rules_level(const ModelRules *r, ThinkingLevel wanted) {
        return MIN(MAX(wanted, r->level_lowest), r->level_highest);
}

int model_rules_budget(const ModelRules *r, int wanted) {
        if (wanted < 0)
                return -1;
        if (wanted == 0 && r->budget_may_be_zero)
                return 0;
        return MIN(MAX(wanted, r->budget_lowest), r->budget_highest);
}

const ModelRules *model_rules_built_in(size_t *ret_n) {
        *ret_n = ELEMENTSOF(rows);
        return rows;
}

bool model_rules_is_built_in(const ModelRules *r) {
        return r >= rows && r < rows + ELEMENTSOF(rows);
}

const char *thinking_form_to_string(ThinkingForm f) {
        static const char *const names[_THINKING_FORM_MAX] = {
                [THINKING_NEVER] = "never",
                [THINKING_BUDGET] = "budget",
                [THINKING_LEVEL] = "level",
        };

        assert(f < _THINKING_FORM_MAX);
        return names[f];
}

const char *thinking_level_to_string(ThinkingLevel l) {
        static const char *const names[_THINKING_LEVEL_MAX] = {
                [THINKING_MINIMAL] = "MINIMAL", [THINKING_LOW] = "LOW",     [THINKING_MEDIUM] = "MEDIUM",
                [THINKING_HIGH] = "HIGH",       [THINKING_XHIGH] = "XHIGH",
        };

        assert(l < _THINKING_LEVEL_MAX);
        return names[l];
}

const char *model_can_to_string(unsigned bit) {
        static const char *const names[MODEL_CAN_BITS] = {
                "sampling", "penalties", "candidates", "system",       "tools", "json",   "json_with_tools",
                "built_in", "built_in_with_tools", "prefill", "thoughts", "result_parts", "cache", "text",
                "images",   "audio",     "signatures",
        };

        assert(bit < MODEL_CAN_BITS);
        return names[bit];
}

const char *model_price_to_string(ModelPrice p) {
        static const char *const names[_MODEL_PRICE_MAX] = {
                [PRICE_INPUT] = "input",
                [PRICE_CACHED] = "cached",
                [PRICE_OUTPUT] = "output",
        };

        assert(p < _MODEL_PRICE_MAX);
        return names[p];
}
