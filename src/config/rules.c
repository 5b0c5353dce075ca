/* SPDX-License-Identifier: MIT */

/*
 * MODEL_RULES: {"PATTERN": {"thinking": "level", "thinking_lowest": "LOW", "takes": {"sampling": false},
 * "price": {"input": 0.3}}}, which is the form in which GET /explain shows a row.
 *
 * A row begins as the built-in one for its pattern, so it only names what differs. The text may be that of
 * a file: daemon/config-load reads it if the setting is an absolute path.
 */

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits-rules.h"
#include "base/text.h"
#include "config/internal.h"
#include "core/model.h"

#define BUDGET_MAX 1048576 /* tokens: more than any model has */
#define PRICE_MAX  1000000.0

/* Reports `MODEL_RULES: PATTERN: MEMBER: must be …`. */
#define fault(k, s, pattern, member, ...) fault_at(k, s, pattern, "", member, "must be " __VA_ARGS__)

/* The same of a member of `takes` or `price`: `MODEL_RULES: PATTERN: takes.MEMBER: must be …`. */
#define fault_in(row, object, member, ...)                                                                  \
        fault_at((row)->k, (row)->s, (row)->rules.pattern, object ".", member, "must be " __VA_ARGS__)

static void _printf_(6, 7) fault_at(ConfigCheck *k, const Setting *s, const char *pattern,
                                    const char *object, const char *member, const char *fmt, ...) {
        char text[256];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        config_fault(k, s, pattern, "%s%.64s: %s", object, member, text);
}

/* --- the members of a row; their order in the text does not matter --- */

typedef struct Row {
        ConfigCheck *k;
        const Setting *s;
        ModelRules rules;
        struct json_object *lowest, *highest, *usual; /* read when the form of thinking is known */
        struct json_object *zero;
} Row;

/* -1: none of them. */
static int find_name(const char *name, const char *(*name_of)(unsigned i), unsigned n) {
        for (unsigned i = 0; i < n; i++)
                if (streq(name_of(i), name))
                        return (int) i;
        return -1;
}

static const char *form_name(unsigned i) {
        return thinking_form_to_string((ThinkingForm) i);
}

static const char *level_name(unsigned i) {
        return thinking_level_to_string((ThinkingLevel) i);
}

static const char *price_name(unsigned i) {
        return model_price_to_string((ModelPrice) i);
}

static const char *string_of(struct json_object *o) {
        return json_object_is_type(o, json_type_string) ? json_object_get_string(o) : "";
}

static void read_thinking(Row *row, struct json_object *o) {
        int form = find_name(string_of(o), form_name, _THINKING_FORM_MAX);

        if (form < 0)
                fault(row->k, row->s, row->rules.pattern, "thinking", "never, budget or level");
        else
                row->rules.thinking = (ThinkingForm) form;
}

static void read_lowest(Row *row, struct json_object *o) {
        row->lowest = o;
}

static void read_highest(Row *row, struct json_object *o) {
        row->highest = o;
}

static void read_default(Row *row, struct json_object *o) {
        row->usual = o;
}

static void read_zero(Row *row, struct json_object *o) {
        row->zero = o;
}

static void read_takes(Row *row, struct json_object *o) {
        if (!json_object_is_type(o, json_type_object))
                return fault(row->k, row->s, row->rules.pattern, "takes", "{\"sampling\": false}");
        json_object_object_foreach(o, name, value) {
                int bit = find_name(name, model_can_to_string, MODEL_CAN_BITS);
                ModelCan can = bit >= 0 ? (ModelCan) (1U << bit) : 0;

                if (bit < 0)
                        fault_in(row, "takes", name,
                                 "a name that gemgatectl explain shows under Takes or Not");
                else if (!json_object_is_type(value, json_type_boolean))
                        fault_in(row, "takes", name, "true or false");
                else if (json_object_get_boolean(value))
                        row->rules.can |= can;
                else
                        row->rules.can &= ~can;
        }
}

static void read_price(Row *row, struct json_object *o) {
        if (!json_object_is_type(o, json_type_object))
                return fault(row->k, row->s, row->rules.pattern, "price",
                             "{\"input\": 0.3, \"output\": 2.5}");
        json_object_object_foreach(o, name, value) {
                int price = find_name(name, price_name, _MODEL_PRICE_MAX);
                double d = json_object_is_type(value, json_type_int) ||
                                           json_object_is_type(value, json_type_double)
                                   ? json_object_get_double(value)
                                   : -1;

                if (price < 0)
                        fault_in(row, "price", name, "input, cached or output");
                else if (!isfinite(d) || d < 0 || d > PRICE_MAX)
                        fault_in(row, "price", name, "dollars for a million tokens, a number from 0");
                else {
                        row->rules.price[price] = d;
                        row->rules.priced |= 1U << price;
                }
        }
}

static void read_source(Row *row, struct json_object *o) {
        const char *text = string_of(o);

        if (!*text || strlen(text) > MODEL_RULES_SOURCE_MAX)
                fault(row->k, row->s, row->rules.pattern, "source", "a text of at most %u bytes",
                      MODEL_RULES_SOURCE_MAX);
        else
                row->rules.source = text;
}

static const struct {
        const char *name;
        void (*read)(Row *row, struct json_object *o);
} members[] = {
        { "thinking", read_thinking },         { "thinking_lowest", read_lowest },
        { "thinking_highest", read_highest },  { "thinking_default", read_default },
        { "thinking_zero", read_zero },        { "takes", read_takes },
        { "price", read_price },               { "source", read_source },
};

/* --- how it thinks --- */

static void read_level(Row *row, const char *name, struct json_object *o, ThinkingLevel *ret) {
        int level = o ? find_name(string_of(o), level_name, _THINKING_LEVEL_MAX) : (int) *ret;

        if (level < 0)
                fault(row->k, row->s, row->rules.pattern, name, "MINIMAL, LOW, MEDIUM, HIGH or XHIGH");
        else
                *ret = (ThinkingLevel) level;
}

static void read_budget(Row *row, const char *name, struct json_object *o, int *ret) {
        int64_t n = o && json_object_is_type(o, json_type_int) ? json_object_get_int64(o) : -1;

        if (o && (n < 0 || n > BUDGET_MAX))
                fault(row->k, row->s, row->rules.pattern, name, "a number of tokens from 0 to %d",
                      BUDGET_MAX);
        else if (o)
                *ret = (int) n;
}

static void settle_levels(Row *row) {
        ModelRules *r = &row->rules;
        size_t before = row->k->n_faults;

        read_level(row, "thinking_lowest", row->lowest, &r->level_lowest);
        read_level(row, "thinking_highest", row->highest, &r->level_highest);
        read_level(row, "thinking_default", row->usual, &r->level_default);
        if (row->zero)
                fault(row->k, row->s, r->pattern, "thinking_zero", "left out, because it is for budgets");
        if (row->k->n_faults > before)
                return;
        if (r->level_lowest > r->level_highest)
                return fault(row->k, row->s, r->pattern, "thinking_lowest", "at most thinking_highest");
        if (!row->usual)
                r->level_default = model_rules_level(r, r->level_default);
        else if (r->level_default != model_rules_level(r, r->level_default))
                fault(row->k, row->s, r->pattern, "thinking_default",
                      "from thinking_lowest to thinking_highest");
}

static void settle_budget(Row *row) {
        ModelRules *r = &row->rules;
        size_t before = row->k->n_faults;

        read_budget(row, "thinking_lowest", row->lowest, &r->budget_lowest);
        read_budget(row, "thinking_highest", row->highest, &r->budget_highest);
        if (row->usual)
                fault(row->k, row->s, r->pattern, "thinking_default", "left out, because it is for levels");
        if (row->zero && !json_object_is_type(row->zero, json_type_boolean))
                fault(row->k, row->s, r->pattern, "thinking_zero", "true or false");
        else if (row->zero)
                r->budget_may_be_zero = json_object_get_boolean(row->zero);
        if (row->k->n_faults == before && r->budget_lowest > r->budget_highest)
                fault(row->k, row->s, r->pattern, "thinking_lowest", "at most thinking_highest");
}

/* A form that the built-in row does not have begins with the bounds of a model that has it. */
static void begin_form(ModelRules *r, ThinkingForm before) {
        const ModelRules *like = NULL;

        if (r->thinking == before)
                return;
        if (r->thinking == THINKING_LEVEL)
                like = model_rules_find(NULL, "gemini-4-argon");
        else if (r->thinking == THINKING_BUDGET)
                like = model_rules_find(NULL, "gemini-2.5-flash");
        if (!like)
                return;
        r->level_lowest = like->level_lowest;
        r->level_highest = like->level_highest;
        r->level_default = like->level_default;
        r->budget_lowest = like->budget_lowest;
        r->budget_highest = like->budget_highest;
        r->budget_may_be_zero = like->budget_may_be_zero;
}

static void settle_thinking(Row *row, ThinkingForm before) {
        begin_form(&row->rules, before);
        if (row->rules.thinking == THINKING_LEVEL)
                settle_levels(row);
        else if (row->rules.thinking == THINKING_BUDGET)
                settle_budget(row);
        else if (row->lowest || row->highest || row->usual || row->zero)
                fault(row->k, row->s, row->rules.pattern, "thinking",
                      "budget or level, because bounds are given");
}

/* --- the rows --- */

/* A model's name in which `*` may be. */
static bool pattern_is_valid(const char *pattern) {
        size_t n = strlen(pattern);
        ModelName name;
        char plain[MODEL_NAME_MAX + 1];

        if (n == 0 || n > MODEL_NAME_MAX || startswith(pattern, "models/") || startswith(pattern, "cli/"))
                return false;
        for (size_t i = 0; i <= n; i++)
                plain[i] = pattern[i] == '*' ? 'x' : pattern[i];
        return model_name_parse(plain, n, &name) >= 0;
}

static int keep_row(Config *c, const ModelRules *rules) {
        ModelRules *rows = reallocarray(c->route.rules.rows, c->route.rules.n + 1, sizeof(ModelRules));
        ModelRules *r;

        if (!rows)
                return -ENOMEM;
        c->route.rules.rows = rows;
        r = rows + c->route.rules.n++;
        *r = *rules;
        r->pattern = strdup(rules->pattern);
        r->source = strdup(rules->source);
        return r->pattern && r->source ? 0 : -ENOMEM;
}

static void read_member(Row *row, const char *name, struct json_object *value) {
        for (size_t i = 0; i < ELEMENTSOF(members); i++)
                if (streq(members[i].name, name))
                        return members[i].read(row, value);
        fault(row->k, row->s, row->rules.pattern, name,
              "thinking, thinking_lowest, thinking_highest, thinking_default, thinking_zero, takes, price "
              "or source");
}

static int read_rules(ConfigCheck *k, const Setting *s, const char *pattern, struct json_object *o) {
        Row row = { .k = k, .s = s };
        ThinkingForm before;

        if (!pattern_is_valid(pattern)) {
                config_fault(k, s, pattern, "must be a model's name, in which * is any text");
                return 0;
        }
        if (!json_object_is_type(o, json_type_object)) {
                config_fault(k, s, pattern, "must be {\"thinking\": …, \"takes\": {…}, \"price\": {…}}");
                return 0;
        }
        if (k->config->route.rules.n >= MODEL_RULES_MAX) {
                config_fault(k, s, pattern, "must be at most %u models", MODEL_RULES_MAX);
                return 0;
        }
        row.rules = *model_rules_find(NULL, pattern);
        row.rules.pattern = pattern;
        row.rules.source = "MODEL_RULES";
        before = row.rules.thinking;
        json_object_object_foreach(o, name, value) {
                read_member(&row, name, value);
        }
        settle_thinking(&row, before);
        return keep_row(k->config, &row.rules);
}

static int parse_rules(ConfigCheck *k, const Setting *s, const char *value) {
        return config_each_member(k, s, value, read_rules);
}

const SettingType setting_rules = { "{\"MODEL\": {\"takes\": {…}}}, or the absolute path of such a file",
                                    parse_rules };

void config_rules_done(ModelRuleSet *set) {
        for (size_t i = 0; i < set->n; i++) {
                free((char *) (uintptr_t) set->rows[i].pattern);
                free((char *) (uintptr_t) set->rows[i].source);
        }
        free(set->rows);
        *set = (ModelRuleSet){};
}
