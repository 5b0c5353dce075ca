/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "dialect/thinking.h"

/* The budgets are those of Google's own layer for OpenAI's clients. What a model cannot do is brought
 * within its bounds by the rules. */
static const struct {
        const char *name;
        ThinkingLevel level;
        int budget;
} efforts[_EFFORT_MAX] = {
        [EFFORT_NONE] = { "none", THINKING_MINIMAL, 0 },
        [EFFORT_MINIMAL] = { "minimal", THINKING_MINIMAL, 1024 },
        [EFFORT_LOW] = { "low", THINKING_LOW, 1024 },
        [EFFORT_MEDIUM] = { "medium", THINKING_MEDIUM, 8192 },
        [EFFORT_HIGH] = { "high", THINKING_HIGH, 24576 },
        [EFFORT_XHIGH] = { "xhigh", THINKING_XHIGH, 32768 },
        [EFFORT_MAX] = { "max", THINKING_XHIGH, 32768 },
};

int thinking_effort_parse(JsonView v, ThinkingEffort *ret) {
        char text[16];

        json_view_copy(v, text, sizeof(text));
        for (ThinkingEffort e = EFFORT_NONE; e < _EFFORT_MAX; e++)
                if (strcaseeq(text, efforts[e].name)) {
                        *ret = e;
                        return 0;
                }
        return -EINVAL;
}

/* The least effort whose budget is enough. */
static ThinkingEffort effort_of(int budget) {
        ThinkingEffort e = EFFORT_LOW;

        if (budget == 0)
                return EFFORT_NONE;
        while (e < EFFORT_XHIGH && efforts[e].budget < budget)
                e++;
        return e;
}

void thinking_write(const Thinking *t, const ModelRules *rules, JWriter *w) {
        bool is_shown = t->is_shown && model_can(rules, MODEL_CAN_THOUGHTS);
        bool has_amount = t->has_budget || t->effort != EFFORT_UNSET;

        /* A budget without bounds is a level's default. */
        if (rules->thinking == THINKING_LEVEL && t->has_budget && t->budget < 0)
                has_amount = false;
        if (rules->thinking == THINKING_NEVER || (!has_amount && !is_shown))
                return;
        jwrite_object(w, "thinkingConfig");
        if (has_amount && rules->thinking == THINKING_LEVEL) {
                ThinkingEffort e = t->has_budget ? effort_of(t->budget) : t->effort;

                jwrite_string(w, "thinkingLevel",
                              thinking_level_to_string(model_rules_level(rules, efforts[e].level)));
        } else if (has_amount)
                jwrite_int(w, "thinkingBudget",
                           model_rules_budget(rules, t->has_budget ? t->budget : efforts[t->effort].budget));
        if (is_shown)
                jwrite_bool(w, "includeThoughts", true);
        jwrite_end(w);
}
