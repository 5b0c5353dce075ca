/* SPDX-License-Identifier: MIT */

/* FALLBACK_MODELS: {"MODEL": ["MODEL", …]}. The names may be aliases, so they are resolved when all settings
 * are read. */

#include <errno.h>
#include <json-c/json.h>

#include "base/text.h"
#include "config/internal.h"
#include "core/model.h"

/* A fallback is always served by the API: the Gemini CLI has its own waits. */
static bool parse_name(ConfigCheck *k, const Setting *s, const char *text, size_t n, ModelName *ret) {
        if (model_name_parse(text, n, ret) >= 0 && !ret->cli)
                return true;
        config_fault(k, s, text, "must be a model's name without cli/");
        return false;
}

static int add_step(ConfigCheck *k, const Setting *s, struct json_object *step) {
        ModelName name;
        int r;

        if (!json_object_is_type(step, json_type_string)) {
                config_fault(k, s, NULL, NULL);
                return 0;
        }
        if (!parse_name(k, s, json_object_get_string(step), (size_t) json_object_get_string_len(step),
                        &name))
                return 0;
        r = fallback_set_add_step(&k->config->route.fallbacks, name.name);
        if (r == -E2BIG) {
                config_fault(k, s, name.name,
                             "must be at most %u fallbacks of one model", FALLBACK_STEPS_MAX);
                return 0;
        }
        return r;
}

static int add_model(ConfigCheck *k, const Setting *s, const char *model, struct json_object *steps) {
        ModelName name;
        int r;

        if (!parse_name(k, s, model, strlen(model), &name))
                return 0;
        if (!json_object_is_type(steps, json_type_array) || json_object_array_length(steps) == 0) {
                config_fault(k, s, model, NULL);
                return 0;
        }
        r = fallback_set_add(&k->config->route.fallbacks, name.name);
        if (r == -E2BIG)
                config_fault(k, s, model, "must be at most %u models", FALLBACKS_MAX);
        for (size_t i = 0; r >= 0 && i < json_object_array_length(steps); i++)
                r = add_step(k, s, json_object_array_get_idx(steps, i));
        return r == -E2BIG ? 0 : r;
}

static int parse_fallbacks(ConfigCheck *k, const Setting *s, const char *value) {
        return config_each_member(k, s, value, add_model);
}

const SettingType setting_fallbacks = { "{\"MODEL\": [\"MODEL\", …]}", parse_fallbacks };

void config_check_fallbacks(ConfigCheck *k) {
        const Setting *s = config_setting("FALLBACK_MODELS");
        const Config *c = k->config;

        for (size_t i = 0; i < c->route.fallbacks.n; i++) {
                const Fallback *f = &c->route.fallbacks.all[i];
                const char *model = config_alias(c, f->model);

                for (size_t j = 0; j < f->n_instead; j++) {
                        const char *instead = config_alias(c, f->instead[j]);

                        if (startswith(instead, "cli/"))
                                config_fault(k, s, f->instead[j],
                                             "must be a model that Gemini's API serves, not an alias of %s",
                                             instead);
                        else if (streq(instead, model))
                                config_warn(k, s, f->model, "falls back to itself");
                }
        }
}
