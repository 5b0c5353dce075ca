/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a model of Gemini takes, as data: a dialect asks these rules, and never a model's name. A row is for
 * the names that match its pattern. A pattern is a name in which `*` matches any characters, also none. If
 * several match, the one without `*` is right, else the one with the most literal characters. A name that
 * no row knows gets the rules of the newest generation.
 *
 * A wrong rule costs a refusal by Gemini or a parameter that is dropped, so the rows can be changed without
 * a new version of gemgate: a ModelRuleSet has the operator's own rows, which go before the built-in ones.
 */

#include <stddef.h>

#include "base/macros.h"

/* The form in which a request limits the thinking. A request with the other form is refused. */
typedef enum ThinkingForm {
        THINKING_NEVER,  /* it takes no thinkingConfig */
        THINKING_BUDGET, /* thinkingBudget, in tokens */
        THINKING_LEVEL,  /* thinkingLevel */
        _THINKING_FORM_MAX,
} ThinkingForm;

typedef enum ThinkingLevel {
        THINKING_MINIMAL,
        THINKING_LOW,
        THINKING_MEDIUM,
        THINKING_HIGH,
        THINKING_XHIGH,
        _THINKING_LEVEL_MAX,
} ThinkingLevel;

typedef enum ModelCan {
        MODEL_CAN_SAMPLE = 1 << 0,           /* temperature, topP, topK have an effect */
        MODEL_CAN_PENALTIES = 1 << 1,        /* frequencyPenalty, presencePenalty */
        MODEL_CAN_CANDIDATES = 1 << 2,       /* candidateCount above 1 */
        MODEL_CAN_SYSTEM = 1 << 3,           /* systemInstruction */
        MODEL_CAN_TOOLS = 1 << 4,            /* functionDeclarations */
        MODEL_CAN_JSON = 1 << 5,             /* responseMimeType application/json, responseJsonSchema */
        MODEL_CAN_JSON_WITH_TOOLS = 1 << 6,  /* both at once, with mode AUTO */
        MODEL_CAN_BUILT_IN = 1 << 7,         /* Google's own tools */
        MODEL_CAN_BUILT_IN_WITH_TOOLS = 1 << 8, /* both at once, with mode VALIDATED */
        MODEL_CAN_PREFILL = 1 << 9,          /* a conversation may end with the model's turn */
        MODEL_CAN_THOUGHTS = 1 << 10,        /* includeThoughts, and thoughts in the history */
        MODEL_CAN_RESULT_PARTS = 1 << 11,    /* functionResponse.parts: media in a tool's result */
        MODEL_CAN_CACHE = 1 << 12,           /* cachedContent */
        MODEL_CAN_TEXT = 1 << 13,            /* it answers with text */
        MODEL_CAN_IMAGE = 1 << 14,           /* … with images */
        MODEL_CAN_AUDIO = 1 << 15,           /* … with audio */
        MODEL_NEEDS_SIGNATURES = 1 << 16,    /* calls in the history need their thoughtSignature */
} ModelCan;

#define MODEL_CAN_BITS 17U

/* What a million tokens cost: of the prompt, of the part of it that Google had cached, of the answer. */
typedef enum ModelPrice {
        PRICE_INPUT,
        PRICE_CACHED,
        PRICE_OUTPUT,
        _MODEL_PRICE_MAX,
} ModelPrice;

typedef struct ModelRules {
        const char *pattern;
        const char *source; /* where the rules are known from */
        ModelCan can;
        ThinkingForm thinking;
        ThinkingLevel level_lowest, level_highest, level_default; /* THINKING_LEVEL */
        int budget_lowest, budget_highest; /* THINKING_BUDGET, in tokens */
        bool budget_may_be_zero;
        unsigned priced; /* a bit for each price that is known; no built-in row has any */
        double price[_MODEL_PRICE_MAX]; /* in US dollars */
} ModelRules;

typedef struct ModelRuleSet {
        ModelRules *rows; /* the strings belong to the owner of the set */
        size_t n;
} ModelRuleSet;

/* Never NULL. `set` may be NULL: only the built-in rows. */
const ModelRules *model_rules_find(const ModelRuleSet *set, const char *model);

static inline bool model_can(const ModelRules *r, ModelCan what) {
        return (r->can & what) == what;
}

/* The level that is sent for the one that is wanted: within what the model has. */
ThinkingLevel model_rules_level(const ModelRules *r, ThinkingLevel wanted);

/* The budget that is sent for the one that is wanted. -1 is "as much as the model likes" and stays; 0 is
 * raised if the model cannot do without thinking. */
int model_rules_budget(const ModelRules *r, int wanted);

bool model_rules_is_built_in(const ModelRules *r);

/* The built-in rows, for tests and for what prints them; the last one has the pattern "*". */
const ModelRules *model_rules_built_in(size_t *ret_n);

/* True if the pattern matches. *ret_literal is its number of literal characters, SIZE_MAX without a `*`. */
bool model_pattern_matches(const char *pattern, const char *model, size_t *ret_literal);

const char *thinking_form_to_string(ThinkingForm f);   /* "never", "budget", "level" */
const char *thinking_level_to_string(ThinkingLevel l); /* as in Gemini's API: "MINIMAL", … */
const char *model_can_to_string(unsigned bit); /* as in MODEL_RULES: "sampling", … */
const char *model_price_to_string(ModelPrice p); /* "input", "cached", "output" */
