/* SPDX-License-Identifier: MIT */
#include "core/rules-view.h"

static void view_thinking(const ModelRules *r, StatsSink *s) {
        stats_text(s, "thinking", thinking_form_to_string(r->thinking));
        if (r->thinking == THINKING_LEVEL) {
                stats_text(s, "thinking_lowest", thinking_level_to_string(r->level_lowest));
                stats_text(s, "thinking_highest", thinking_level_to_string(r->level_highest));
                stats_text(s, "thinking_default", thinking_level_to_string(r->level_default));
        } else if (r->thinking == THINKING_BUDGET) {
                stats_gauge(s, "thinking_lowest", (uint64_t) r->budget_lowest);
                stats_gauge(s, "thinking_highest", (uint64_t) r->budget_highest);
                stats_flag(s, "thinking_zero", r->budget_may_be_zero);
        }
}

void model_rules_view(const ModelRules *r, StatsSink *s) {
        stats_text(s, "pattern", r->pattern);
        stats_flag(s, "built_in", model_rules_is_built_in(r));
        stats_text(s, "source", r->source);
        view_thinking(r, s);
        stats_open(s, STATS_GROUP, "takes");
        for (unsigned bit = 0; bit < MODEL_CAN_BITS; bit++)
                stats_flag(s, model_can_to_string(bit), model_can(r, (ModelCan) (1U << bit)));
        stats_close(s, STATS_GROUP);
        if (r->priced == 0)
                return;
        stats_open(s, STATS_GROUP, "price");
        for (ModelPrice p = 0; p < _MODEL_PRICE_MAX; p++)
                if (r->priced & 1U << p)
                        stats_price(s, model_price_to_string(p), r->price[p]);
        stats_close(s, STATS_GROUP);
}
